"""A validation report as a workbook for Excel and LibreOffice, in which no text is ever a formula."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

from pipeline.reports import cells
from pipeline.reports.cells import Document, fit
from pipeline.reports.csv import FORMULA
from pipeline.reports.validation import WORDS, Both, View, both, documents_of, names, view
from pipeline.reports.words import LEVELS, TEXTS, Pair

ROWS = 1_048_576
"""Rows of a sheet; what is more stands on a further sheet of the same name with a number."""

_CHARACTERS = 32_000
_CODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_FILE: Pair = ("Tệp", "File")
_LINE: Pair = ("Dòng", "Line")

Head = tuple[tuple[Pair, int], ...]
"""Words of a column, with its width in characters."""

CAUSES: Head = (
    *((WORDS["number"], 8), (WORDS["count"], 10), (TEXTS["level"], 14), (WORDS["what"], 60), (TEXTS["advice"], 60)),
    *((WORDS["in_packages"], 10), (WORDS["in_files"], 10), (TEXTS["code"], 16), (TEXTS["reference"], 24)),
    *((("Nguyên nhân (tiếng Anh)", "Cause (English)"), 60), (("Cách xử lý (tiếng Anh)", "What to do (English)"), 60)),
)
FINDINGS: Head = (
    *((TEXTS["package"], 30), (TEXTS["level"], 14), (TEXTS["code"], 16), (_FILE, 44), (_LINE, 8)),
    *((TEXTS["message"], 70), (TEXTS["advice"], 50), (TEXTS["expected"], 28), (TEXTS["found"], 28)),
    *((TEXTS["reference"], 24), (("Nội dung (tiếng Anh)", "Message (English)"), 70)),
    *((("Cách xử lý (tiếng Anh)", "What to do (English)"), 50), (("Tên gốc (mã hóa %)", "Raw name (%-encoded)"), 30)),
)
DOCUMENTS: Head = (
    *((TEXTS["package"], 30), (WORDS["document"], 44), (WORDS["description"], 44), (TEXTS["verdict"], 18)),
    (WORDS["reasons"], 60),
)
PACKAGES: Head = (
    *((WORDS["number"], 12), (TEXTS["package"], 34), (TEXTS["verdict"], 18), (WORDS["error"], 12)),
    *((WORDS["decision"], 12), (WORDS["warning"], 12), (WORDS["info"], 12), (WORDS["documents_good"], 14)),
    *((WORDS["document"], 14), (TEXTS["kind"], 20), (WORDS["profile"], 16), (TEXTS["files"], 12)),
    *((("Dung lượng (byte)", "Size (bytes)"), 18), (WORDS["path"], 60)),
)


def write(document: Document, out: BinaryIO, rows: int = ROWS) -> None:
    """The workbook, row by row; `rows` is the most that one sheet takes. The same document makes the same bytes."""
    import openpyxl
    from openpyxl.writer.excel import ExcelWriter

    seen = view(document, 0, 0)
    book = openpyxl.Workbook(write_only=True)
    sheets = _Sheets(book, rows)
    _summary(sheets, seen)
    sheets.table(WORDS["causes"][0], CAUSES, _causes(seen), wrap=True)
    sheets.table(WORDS["error"][0], FINDINGS, _findings(document))
    sheets.table("Tài liệu", DOCUMENTS, _documents(document))
    made = (seen.moment or datetime(1980, 1, 1, tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None)
    book.properties.title, book.properties.creator = WORDS["title"][0], f"luutru {seen.version}"
    book.properties.created = book.properties.modified = made
    with _Dated(out, "w", zipfile.ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).write_data()


class _Dated(zipfile.ZipFile):
    """An archive whose members carry no time of this run."""

    def writestr(
        self, zinfo_or_arcname: Any, data: Any, compress_type: int | None = None, compresslevel: int | None = None
    ) -> None:
        info = zipfile.ZipInfo(str(zinfo_or_arcname), _ZIP_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        super().writestr(info, data)

    def write(
        self, filename: Any, arcname: Any = None, compress_type: int | None = None, compresslevel: int | None = None
    ) -> None:
        info = zipfile.ZipInfo(str(arcname or filename), _ZIP_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        with open(filename, "rb") as source, self.open(info, "w", force_zip64=True) as target:
            while block := source.read(1 << 20):
                target.write(block)


class _Sheets:
    """Makes sheets with a fixed head and a filter, and cells that hold what they are given."""

    def __init__(self, book: Any, rows: int) -> None:
        from openpyxl.styles import Alignment, Font, PatternFill

        self._book, self._rows = book, rows
        self._bold, self._title = Font(bold=True), Font(bold=True, size=14)
        self._shade = PatternFill("solid", fgColor="E9E4DA")
        self._wrap = Alignment(wrap_text=True, vertical="top")

    def table(self, name: str, head: Head, rows: Iterable[Sequence[object]], *, wrap: bool = False) -> None:
        """As many sheets as the rows need, one where there are none."""
        source = iter(rows)
        following = next(source, None)
        number = 1
        while following is not None or number == 1:
            sheet = self.sheet(name if number == 1 else f"{name} ({number})", head)
            sheet.freeze_panes = "A2"
            self.head(sheet, head)
            taken = 1
            while following is not None and taken < self._rows:
                sheet.append([self.cell(sheet, value, wrap=wrap) for value in following])
                taken += 1
                following = next(source, None)
            sheet.auto_filter.ref = f"A1:{_letter(len(head))}{taken}"
            number += 1

    def sheet(self, name: str, head: Head) -> Any:
        sheet = self._book.create_sheet(name)
        for place, (_, width) in enumerate(head, 1):
            sheet.column_dimensions[_letter(place)].width = width
        sheet.sheet_view.zoomScale = 100
        return sheet

    def head(self, sheet: Any, head: Head) -> None:
        row = []
        for words, _ in head:
            cell = self.cell(sheet, Lines(f"{words[0]}\n{words[1]}"), wrap=True)
            cell.font, cell.fill = self._bold, self._shade
            row.append(cell)
        sheet.append(row)

    def cell(self, sheet: Any, value: object, *, wrap: bool = False, bold: bool = False, title: bool = False) -> Any:
        """A number as a number, everything else as text, whatever it begins with."""
        from openpyxl.cell import WriteOnlyCell

        if value is None or value == "":
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return WriteOnlyCell(sheet, value=value)
        made = _text(value)
        cell = WriteOnlyCell(sheet, value=made)
        cell.data_type = "s"
        if made.lstrip().startswith(FORMULA):
            # What is typed into the cell later is text as well.
            cell.quotePrefix = True
        if wrap:
            cell.alignment = self._wrap
        if bold or title:
            cell.font = self._title if title else self._bold
        return cell


def _summary(sheets: _Sheets, seen: View) -> None:
    sheet = sheets.sheet("Tóm tắt", PACKAGES)

    def line(*values: object, **look: bool) -> None:
        sheet.append([sheets.cell(sheet, value, **look) for value in values])

    line(WORDS["title"][0], title=True)
    line(WORDS["title"][1])
    line(seen.summary.vi, bold=True)
    line(seen.summary.en)
    line(f"{TEXTS['ended'][0]} ({TEXTS['ended'][1]}): {seen.ended}")
    line()
    line(f"{WORDS['first'][0]} ({WORDS['first'][1]})", title=True)
    lines = 7
    for number, (told, do, named) in enumerate(_first(seen), 1):
        line(f"{number}.", told.vi, bold=True)
        line(None, told.en)
        line(None, f"→ {do.vi}")
        line(None, f"→ {do.en}")
        lines += 4
        if named:
            line(None, f"{WORDS['places'][0]} ({WORDS['places'][1]}): {named}")
            lines += 1
    closing = both(WORDS["nothing" if seen.packages else "no_package"] if seen.quiet else WORDS["again"])
    line(None, closing.vi)
    line(None, closing.en)
    line()
    sheets.head(sheet, PACKAGES)
    top = lines + 4
    for package in seen.packages:
        documents, good = package.documents or (None, None)
        levels = [package.levels.get(level, 0) for level in LEVELS]
        line(package.number, package.name, f"{package.verdict.vi} ({package.verdict.en})", *levels, good, documents,
             package.kind, package.profile, package.files, package.bytes, package.path)  # fmt: skip
    sheet.auto_filter.ref = f"A{top}:{_letter(len(PACKAGES))}{top + len(seen.packages)}"
    for code, told in seen.not_checked:
        line(None, f"{WORDS['not_checked'][0]}: {code}: {told.vi}")


def _first(seen: View) -> Iterator[tuple[Both, Both, str]]:
    for told, advice in seen.problems:
        yield told, advice, ""
    for cause in seen.first:
        counted = Both(*(f"{cells.number(cause.count, lang)} × {told}" for lang, told in _by_language(cause.what)))
        rest = f" … ({cause.spread.vi})" if cause.count > len(cause.named) else ""
        yield counted, cause.advice, ", ".join(cause.named) + rest


def _by_language(told: Both) -> tuple[tuple[Any, str], ...]:
    return (("vi", told.vi), ("en", told.en))


def _causes(seen: View) -> Iterator[Sequence[object]]:
    for cause in seen.causes:
        variants = [f"{count} × {told.vi}" for count, told in cause.variants]
        yield (
            *(
                cause.number,
                cause.count,
                f"{cause.word.vi} ({cause.word.en})",
                Lines("\n".join([cause.what.vi, *variants])),
            ),
            *(cause.advice.vi, cause.packages, cause.files, cause.code, cause.reference),
            *(cause.what.en, cause.advice.en),
        )


def _findings(document: Document) -> Iterator[Sequence[object]]:
    for name, item in zip(names(document["items"]), document["items"], strict=True):
        for group in cells.groups(item):
            level = LEVELS.get(group.level, (group.level, group.level))
            for line in group.lines:
                yield (
                    *(name, f"{level[0]} ({level[1]})", line["code"], line.get("file"), line.get("line")),
                    *(line["message"]["vi"], line["advice"]["vi"], line.get("expected"), line.get("found")),
                    *(line.get("reference"), line["message"]["en"], line["advice"]["en"], line.get("file_raw")),
                )


def _documents(document: Document) -> Iterator[Sequence[object]]:
    for row in documents_of(document["items"]):
        yield row.package, row.document, row.file, f"{row.verdict.vi} ({row.verdict.en})", ", ".join(row.codes)


def _text(value: object) -> str:
    """Text as a cell shows it: `_x0041_`, which Excel reads as a letter, stays what it is; line ends of ours stay."""
    made = "\n".join(fit(line) for line in str(value).split("\n")) if isinstance(value, Lines) else fit(value)
    if len(made) > _CHARACTERS:
        made = made[:_CHARACTERS] + "…"
    return _CODED.sub("_x005F_", made)


class Lines(str):
    """Text of ours in several lines."""


def _letter(place: int) -> str:
    return chr(ord("A") + place - 1)
