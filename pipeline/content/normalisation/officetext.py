"""What office documents say, read by our own code: text of documents and slides, cells of sheets. For workers."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from lxml import etree

from pipeline.content.normalisation.made import Failed
from pipeline.content.normalisation.registry import Beat
from pipeline.content.validity.documents import archive, parts_of

CELLS: Final = 5_000_000
"""Most cells that are written into tables: rows and cells can be repeated a million times in one line of XML."""
PART: Final = 256 << 20
"""Most bytes of one XML part."""

_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CALCEXT: Final = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"


@dataclass(slots=True)
class Sheet:
    """A sheet: how many cells hold something, and how often each character stands in those that hold text.

    `open`: formulas whose value was never stored, so that whoever opens the sheet counts them.
    """

    name: str
    cells: int = 0
    open: int = 0
    text: Counter[str] = field(default_factory=Counter)


def characters(text: str, *, shown: bool = False) -> Counter[str]:
    """How often each character stands there, in NFC; blanks and symbols without a meaning in Unicode do not count.

    `shown`: as a page shows it, where ligatures are letters, marks of formatting are nothing, and small letters can be
    set as capitals.
    """
    left_out = {"Cc", "Co", "Cf", "Cn"} if shown else {"Cc", "Co"}
    counted = Counter(unicodedata.normalize("NFKC", text).casefold() if shown else unicodedata.normalize("NFC", text))
    for one in list(counted):
        if one.isspace() or unicodedata.category(one) in left_out:
            del counted[one]
    return counted


class _Words:
    """Target of a parser: characters inside elements `kept`, but not inside those `left out` nor in fields of Word.

    Nor those of the footer, date and number of a slide, which LibreOffice keeps once for many slides. `shown`: nor
    those of runs of Word that are hidden.
    """

    def __init__(self, kept: frozenset[str], left_out: frozenset[str], shown: bool) -> None:
        self.kept, self.left_out, self.shown = kept, left_out, shown
        self._hidden = self._frame = False
        self.found: list[str] = []
        self._inside: list[tuple[bool, bool]] = [(False, False)]
        self._fields = 0

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        kept, left_out = self._inside[-1]
        name = _plain(tag)
        self._inside.append((kept or name in self.kept, left_out or name in self.left_out))
        if name == "w:fldChar":
            kind = next((value for key, value in attrib.items() if key.endswith("fldCharType")), "")
            self._fields = max(0, self._fields + {"begin": 1, "end": -1}.get(kind, 0))
        elif name == "w:r":
            self._hidden = False
        elif name in ("p:sp", "p:graphicFrame", "p:cxnSp"):
            self._frame = False
        elif name == "p:ph":
            self._frame = attrib.get("type") in _FRAME
        elif name == "w:vanish":
            value = next((value for key, value in attrib.items() if key.endswith("val")), "1")
            self._hidden = value not in ("0", "false", "off")

    def end(self, tag: str) -> None:
        self._inside.pop()

    def data(self, data: str) -> None:
        hidden = self._frame or (self.shown and self._hidden)
        if self._inside[-1] == (True, False) and not self._fields and not hidden:
            self.found.append(data)

    def close(self) -> str:
        return "".join(self.found)


_SPACES: Final = {
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0": "presentation",
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/presentationml/2006/main": "p",
    "http://purl.oclc.org/ooxml/presentationml/main": "p",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
}
_ODF: Final = (
    frozenset({"text:p", "text:h"}),
    frozenset({"office:annotation", "text:tracked-changes", "presentation:notes", "text:page-number", "text:page-count",
               "text:date", "text:time", "text:file-name", "text:sheet-name", "text:creation-date"}),
)  # fmt: skip
_WORD: Final = (frozenset({"w:t"}), frozenset({"mc:Fallback", "w:fldSimple", "w:moveFrom"}))
_SLIDES: Final = (frozenset({"a:t"}), frozenset({"mc:Fallback", "a:fld"}))
_WORDS_OF_WORD: Final = re.compile(r"word/(?:document|footnotes|endnotes)\d*\.xml")
_FRAME: Final = frozenset({"dt", "ftr", "hdr", "sldNum"})
_SLIDE: Final = re.compile(r"ppt/slides/slide\d+\.xml")


def _plain(tag: str) -> str:
    """A name with the prefix that it usually has."""
    space, _, name = tag.rpartition("}")
    return f"{_SPACES.get(space[1:], '')}:{name}"


def text_of(source: BinaryIO, beat: Beat, *, shown: bool = False) -> str:
    """The text of a document or a presentation (Word and PowerPoint since 2007, OpenDocument).

    Fields that are counted anew (page numbers, dates), footers of slides, comments and text that is crossed out do not
    belong to it, nor, where what is `shown` is asked for, text of Word that is set hidden.
    """
    with archive(source) as opened:
        names = opened.namelist()
        if "mimetype" in names:
            return _words(opened, "content.xml", _ODF, shown, beat)
        told = [_words(opened, name, _WORD, shown, beat) for name in names if _WORDS_OF_WORD.fullmatch(name)]
        told += [_words(opened, name, _SLIDES, shown, beat) for name in names if _SLIDE.fullmatch(name)]
        return "".join(told)


def _words(
    opened: zipfile.ZipFile, name: str, which: tuple[frozenset[str], frozenset[str]], shown: bool, beat: Beat
) -> str:
    deaf: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    parser: Any = etree.XMLParser(**{**deaf, "target": _Words(*which, shown)})
    total = 0
    with opened.open(name) as part:
        while data := part.read(1 << 18):
            total += len(data)
            if total > PART:
                raise Failed("FMT-CONVERT-FAILED", f"{name}: more than {PART} bytes", "XML")
            parser.feed(data)
            beat()
    return str(parser.close())


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of one row as (value, is it text), and how many equal rows stand there."""

    cells: tuple[tuple[str, bool], ...]
    times: int = 1


def sheets_of(source: BinaryIO, beat: Beat) -> list[Sheet]:
    """All sheets in order (Excel since 2007, OpenDocument): what `Sheet` counts."""
    with archive(source) as opened:
        if "mimetype" not in opened.namelist():
            return list(_excel(opened, beat))
    found = []
    for name, rows in tables_of(source, beat):
        sheet = Sheet(name)
        for row in rows:
            for value, is_text in row.cells:
                sheet.cells += row.times * bool(value)
                if is_text:
                    sheet.text.update({one: row.times * many for one, many in characters(value).items()})
        found.append(sheet)
    return found


_REMEMBERED: Final = re.compile(r"'[^']*(?:''[^']*)*'#")
"""How a table is called that is no sheet: what was last seen in a sheet of another file."""


def tables_of(source: BinaryIO, beat: Beat) -> list[tuple[str, list[Row]]]:
    """Sheets of an OpenDocument spreadsheet with their rows, without the empty ones behind the last that is not.

    Dates and times as ISO 8601 has them, numbers as stored, not as shown. Failed beyond `CELLS`.
    """
    found: list[tuple[str, list[Row]]] = []
    rows: list[Row] = []
    total = 0
    with archive(source) as opened:
        for _, element in parts_of(opened, "content.xml"):
            if element.tag == f"{_TABLE}table-row":
                row = _row(element)
                rows.append(row)
                total += len(row.cells) * row.times
                if total > CELLS:
                    raise Failed("FMT-CONVERT-FAILED", f"more than {CELLS} cells", "CSV")
                element.clear()
                beat()
            elif element.tag == f"{_TABLE}table":
                while rows and not rows[-1].cells:
                    rows.pop()
                total += sum(row.times for row in rows)
                if total > CELLS:
                    raise Failed("FMT-CONVERT-FAILED", f"more than {CELLS} cells", "CSV")
                name = element.get(f"{_TABLE}name") or str(len(found) + 1)
                parent = element.getparent()
                sheet = parent is None or parent.tag == f"{_OFFICE}spreadsheet"  # others are links and tables in cells
                if sheet and not _REMEMBERED.match(name):
                    found.append((name, rows))
                rows = []
    return found


def _row(element: Any) -> Row:
    cells: list[tuple[str, bool]] = []
    empty = 0
    for cell in element:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        times = _times(cell.get(f"{_TABLE}number-columns-repeated"))
        value = _value(cell)
        if not value[0]:
            empty += times
            continue
        cells += [("", False)] * empty + [value] * times
        empty = 0
    return Row(tuple(cells), _times(element.get(f"{_TABLE}number-rows-repeated")))


def _times(text: str | None) -> int:
    return min(int(text), 1 << 21) if text and text.isascii() and text.isdigit() else 1


def _value(cell: Any) -> tuple[str, bool]:
    kind = cell.get(f"{_OFFICE}value-type")
    shown = "\n".join("".join(_shown(one)) for one in cell if one.tag == f"{_TEXT}p")
    if kind is None:
        return shown, bool(shown)
    if kind == "string":
        return shown or cell.get(f"{_OFFICE}string-value") or "", cell.get(f"{_CALCEXT}value-type") != "error"
    stored = cell.get(f"{_OFFICE}{_STORED.get(kind, 'value')}")
    return stored or shown, False


_STORED: Final = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}


def _shown(paragraph: Any) -> Iterator[str]:
    yield paragraph.text or ""
    for one in paragraph:
        if one.tag == f"{_TEXT}s":
            yield " " * min(_times(one.get(f"{_TEXT}c")), 10_000)
        elif one.tag == f"{_TEXT}tab":
            yield "\t"
        elif one.tag == f"{_TEXT}line-break":
            yield "\n"
        elif one.tag != f"{_OFFICE}annotation":
            yield from _shown(one)
        yield one.tail or ""


def table(rows: list[Row]) -> bytes:
    """Comma-separated values in UTF-8 (RFC 4180)."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    for row in rows:
        for _ in range(row.times):
            writer.writerow([value for value, _ in row.cells])
    return target.getvalue().encode("utf-8", "replace")


def table_read(source: BinaryIO) -> Sheet:
    """What a table of comma-separated values holds; every cell counts as text."""
    sheet = Sheet("")
    csv.field_size_limit(1 << 30)
    for row in csv.reader(io.TextIOWrapper(source, encoding="utf-8", newline="")):
        sheet.cells += sum(bool(value) for value in row)
        sheet.text.update(characters("".join(row)))
    return sheet


_CELLS: Final = ("/worksheet", "/xlMacrosheet", "/xlIntlMacrosheet")
_SHEETS: Final = (*_CELLS, "/chartsheet", "/dialogsheet")
"""Ends of the types of relations to sheets; those behind the first ones have no cells."""


def _excel(opened: zipfile.ZipFile, beat: Beat) -> Iterator[Sheet]:
    strings = [
        "".join(one.text or "" for one in element.iter() if _local(one) == "t" and _local(one.getparent()) != "rPh")
        for _, element in parts_of(opened, "xl/sharedStrings.xml")
        if _local(element) == "si"
    ]
    parts = {
        element.get("Id"): (element.get("Type") or "", "xl/" + (element.get("Target") or "").removeprefix("/xl/"))
        for _, element in parts_of(opened, "xl/_rels/workbook.xml.rels")
        if (element.get("Type") or "").endswith(_SHEETS)
    }
    for _, element in parts_of(opened, "xl/workbook.xml"):
        if _local(element) != "sheet":
            continue
        relation = next((value for key, value in element.attrib.items() if key.endswith("}id")), None)
        if relation in parts:
            sheet = Sheet(element.get("name") or "")
            kind, part = parts[relation]
            for _, cell in parts_of(opened, part) if kind.endswith(_CELLS) else ():
                if _local(cell) == "c":
                    _count(sheet, cell, strings)
                elif _local(cell) == "row":
                    cell.clear()
                    beat()
            yield sheet


def _count(sheet: Sheet, cell: Any, strings: list[str]) -> None:
    kind = cell.get("t") or "n"
    value = "".join(one.text or "" for one in cell.iter() if _local(one) in ("v", "t"))
    if kind == "s":
        value = strings[int(value)] if value.isascii() and value.isdigit() and int(value) < len(strings) else ""
    sheet.cells += bool(value)
    sheet.open += not value and any(_local(one) == "f" for one in cell)
    if kind in ("s", "str", "inlineStr"):
        sheet.text.update(characters(value))


def _local(element: Any) -> str:
    return etree.QName(element).localname if element is not None and isinstance(element.tag, str) else ""
