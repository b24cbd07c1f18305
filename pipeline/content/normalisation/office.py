"""Office documents beside LibreOffice: what must not be given to it, and its results made the same on every run.

Workers alone import it, see `registry.warm`.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

import pikepdf
import pypdfium2
from lxml import etree

from pipeline.content.characterisation import office as properties
from pipeline.content.normalisation import opendocument, pdfs
from pipeline.content.normalisation.made import Differs, Failed, Made, Proved, Told
from pipeline.content.normalisation.officetext import (
    Sheet,
    characters,
    sheets_of,
    table,
    table_read,
    tables_of,
    text_of,
)
from pipeline.content.normalisation.registry import Beat
from pipeline.content.validity import Invalid, Unchecked
from pipeline.content.validity.documents import archive, members
from pipeline.damage import ZIP_FAULTS
from pipeline.text.fonts import font_encoding

_FONT: Final = re.compile(rb'svg:font-family="(?:&apos;|\')?([^"\'&;]+)')
_ERROR: Final = re.compile(r"(?<![^,\"\s])(?:Err:\d{3}|#(?:NAME\?|REF!|VALUE!|N/A|DIV/0!|NUM!|NULL!))(?![^,\"\s])")
"""What stands in a cell whose formula cannot be counted; which error it is, depends on who read the formula."""
_SHOWN: Final = 5
_HEADS: Final = {"compound": b"\xd0\xcf\x11\xe0", "zip": b"PK", "rtf": b"{\\rtf"}
_KINDS: Final = {
    "Rich Text Format": "rtf", "WordPerfect": "", "MS WinWord 5": "", "MS Excel 4.0": "",
    **dict.fromkeys(("MS Word 97", "MS Word 95", "MS Excel 97", "MS Excel 95", "MS PowerPoint 97"), "compound"),
}  # fmt: skip
"""How files begin that an import filter is for (of _HEADS, empty: in none of these ways); zip where nothing is said."""
_BROKEN: Final = (*ZIP_FAULTS, KeyError, etree.XMLSyntaxError)


def examined(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """Failed for what LibreOffice would repair in silence (a zip with a broken member), would read as an empty page
    (the bytes of another format than its filter's) or needs a password.
    """
    head = source.read(8)
    source.seek(0)
    kind = _KINDS.get(arguments[0], "zip")
    seen = next((name for name, magic in _HEADS.items() if head.startswith(magic)), "")
    try:
        if seen == "compound":
            locked = bool(properties.compound(source, beat).get("encrypted"))
        elif seen == "zip":
            with archive(source) as opened:
                members(opened, beat)
            source.seek(0)
            locked = bool(properties.odf(source)["inhibitors"])
        else:
            locked = False
    except (Invalid, Unchecked) as problem:
        if str(problem) == "encrypted members":
            locked = True
        else:
            raise Failed("FMT-CONVERT-DAMAGED", str(problem)) from None
    if locked:
        raise Failed("FMT-CONVERT-FAILED", "a password is needed to open it", "LibreOffice", last=True)
    if seen != kind or not head:
        told = f"{seen or 'another format'} instead of {kind or 'an old format'}" if head else "empty"
        raise Failed("FMT-CONVERT-DAMAGED", told)
    return Made()


def tidied(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """An OpenDocument file of LibreOffice, the same on every run (see `opendocument`).

    Told: fonts whose text is in an old Vietnamese encoding, and what shows the moment at which it is looked at.
    """
    (result,) = results.values()
    fonts: set[str] = set()
    fields: set[str] = set()
    try:
        for name, data in opendocument.canonical(source, result, beat):
            if name in ("content.xml", "styles.xml"):
                fonts |= {one.decode("utf-8", "replace") for one in _FONT.findall(data)}
            if name == "content.xml":
                fields = opendocument.varying(data)
    except _BROKEN as problem:
        raise Failed("FMT-CONVERT-FAILED", f"OpenDocument: {problem}", "LibreOffice") from None
    told = []
    if old := sorted(one for one in fonts if font_encoding(one)):
        told.append(Told("FMT-OFFICE-FONTS", found=", ".join(old[:_SHOWN])))
    if fields:
        told.append(Told("FMT-OFFICE-FIELDS", found=", ".join(sorted(fields))))
    return Made(told=tuple(told))


def archival(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """LibreOffice's PDF/A-2b as the checker of PDF/A wants it, without the hour at which it was made."""
    (result,) = results.values()
    undated = io.BytesIO()
    try:
        with pikepdf.open(source, suppress_warnings=True) as document:
            for key in ("/CreationDate", "/ModDate"):
                if key in document.docinfo:
                    del document.docinfo[key]
            with document.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
                for key in ("xmp:CreateDate", "xmp:ModifyDate", "xmp:MetadataDate"):
                    if key in metadata:
                        del metadata[key]
            for page in document.pages:
                if isinstance(page.obj.get("/Tabs"), pikepdf.String):
                    page.obj["/Tabs"] = pikepdf.Name("/S")  # LibreOffice 7.4 writes a string where links or notes are
            root: Any = document.Root
            if "/OutputIntents" in root:
                del root["/OutputIntents"]  # its profile has a date in it
            document.save(undated, deterministic_id=True)
    except (pikepdf.PdfError, ValueError, KeyError, TypeError) as problem:
        raise Failed("FMT-CONVERT-FAILED", f"PDF: {problem}", "LibreOffice") from None
    beat()
    undated.seek(0)
    return pdfs.archival(undated, result, beat)


def tables(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """A table per sheet of an OpenDocument spreadsheet, hidden ones too; none for an empty sheet."""
    ((name, result),) = results.items()
    parts, empty = [], []
    try:
        for sheet, rows in tables_of(source, beat):
            if data := table(rows):
                result.write(data)
                parts.append((sheet, len(data)))
            else:
                empty.append(f"empty sheet: {sheet}")
    except (Invalid, *_BROKEN) as problem:
        raise Failed("FMT-CONVERT-FAILED", f"OpenDocument: {problem}", "CSV") from None
    return Made(parts={name: tuple(parts)}, notes=tuple(empty))


def same_text(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """No character of the source is missing in the result (OpenDocument text or slides, or PDF)."""
    try:
        shown = _is_pdf(result)
        wanted = _read(source, beat, shown)
        if not shown:
            return _none_missing(characters(wanted), characters(text_of(result, beat)), "")
        got, pages = _shown(result, beat)
        if not pages:
            return Differs("no pages")
        return _none_missing(characters(wanted, shown=True), characters(got, shown=True), f" on {pages} pages")
    except (Invalid, pypdfium2.PdfiumError, *_BROKEN) as problem:
        raise Failed("FMT-CONVERT-FAILED", f"text cannot be compared: {problem}", "XML, PDF") from None


def same_cells(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """All sheets with as many cells and all characters of text; of a table, that it is one of the sheets."""
    try:
        wanted = sheets_of(source, beat)
        head = result.read(4)
        result.seek(0)
        if not head.startswith(b"PK"):
            got = table_read(result)
            if any(_as_many(one, got) and not one.text - got.text for one in wanted):
                return Proved(f"{got.cells} cells with the text of a sheet")
            return Differs(f"{got.cells} cells, sheets have {', '.join(str(one.cells) for one in wanted)}")
        found = sheets_of(result, beat)
    except (Invalid, *_BROKEN) as problem:
        raise Failed("FMT-CONVERT-FAILED", f"cells cannot be compared: {problem}", "XML, CSV") from None
    if [one.name for one in wanted] != [one.name for one in found]:
        return Differs(f"sheets: {', '.join(one.name for one in wanted)}; {', '.join(one.name for one in found)}")
    for one, two in zip(wanted, found, strict=True):
        if not _as_many(one, two):
            return Differs(f"sheet {one.name}: {one.cells} cells in the source, {two.cells} in the result")
        told = _none_missing(one.text, two.text, "")
        if isinstance(told, Differs):
            return Differs(f"sheet {one.name}: {told.reason}")
    return Proved(f"{len(wanted)} sheets with {sum(one.cells for one in wanted)} cells and their text")


def same_export(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Two exports of LibreOffice, one of the source and one of the result, say the same (text, CSV, or PDF)."""
    try:
        one, two = (_shown(file, beat)[0] if _is_pdf(file) else _decoded(file) for file in (source, result))
    except pypdfium2.PdfiumError as problem:
        raise Failed("FMT-CONVERT-FAILED", f"text cannot be compared: {problem}", "PDF") from None
    first, second = ("".join(_ERROR.sub("#", text).split()) for text in (one, two))
    if first != second:
        at = next(
            (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
        )
        return Differs(f"exported text: {len(first)} and {len(second)} characters, first difference at {at}")
    return Proved(f"source and result, exported, have the same {len(first)} characters")


def _as_many(wanted: Sheet, found: Sheet) -> bool:
    return wanted.cells <= found.cells <= wanted.cells + wanted.open


def _read(source: BinaryIO, beat: Beat, shown: bool) -> str:
    head = source.read(4)
    source.seek(0)
    return text_of(source, beat, shown=shown) if head.startswith(b"PK") else _decoded(source)


def _decoded(source: BinaryIO) -> str:
    source.seek(0)
    return unicodedata.normalize("NFC", source.read().decode("utf-8-sig", "replace"))


def _is_pdf(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(5)
    file.seek(0)
    return head == b"%PDF-"


def _shown(result: BinaryIO, beat: Beat) -> tuple[str, int]:
    """Text of all pages as PDFium reads it, and how many they are."""
    told = []
    with pypdfium2.PdfDocument(result, autoclose=False) as document:
        for number in range(len(document)):
            page = document[number]
            held = page.get_textpage()
            told.append(held.get_text_range())
            held.close()
            page.close()
            beat()
    return "\n".join(told), len(told)


def _none_missing(wanted: Any, found: Any, where: str) -> Proved | Differs:
    if missing := wanted - found:
        shown = ", ".join(f"{one!r} × {number}" for one, number in missing.most_common(_SHOWN))
        return Differs(f"{missing.total()} of {wanted.total()} characters are missing{where}: {shown}")
    return Proved(f"all {wanted.total()} characters of the text{where}")
