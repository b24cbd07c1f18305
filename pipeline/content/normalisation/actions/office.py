"""Office documents into OpenDocument, PDF/A-2b and tables, by LibreOffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.content.normalisation import rtf
from pipeline.content.normalisation.actions.legacyfonts import BEFORE, unicoded
from pipeline.content.normalisation.calls import Calls, parted, why
from pipeline.content.normalisation.made import Failed, Made, Told
from pipeline.content.normalisation.registry import ActionInWorker, ActionWithPrograms, Beat
from pipeline.content.normalisation.rules import Action
from pipeline.tools.run import Ran
from pipeline.tools.soffice import SETTINGS, SOFFICE, conversion

WARM = ("pipeline.content.normalisation.office",)

PDF: Final = (
    'pdf:{}_pdf_Export:{{"SelectPdfVersion":{{"type":"long","value":"2"}},'
    '"UseTaggedPDF":{{"type":"boolean","value":"true"}},"ExportNotes":{{"type":"boolean","value":"false"}},'
    '"ExportHiddenSlides":{{"type":"boolean","value":"true"}}}}'
)
"""PDF/A-2 with tags, by the export filter of a program of LibreOffice. Without comments, which PDF/A-2 wants drawn;
with slides that are not shown in a presentation."""
TABLES: Final = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
"""All sheets as shown, in UTF-8."""

READERS: Final = {"odt": "writer8", "ods": "calc8", "odp": "impress8"}
"""Import filters of OpenDocument by extension."""


def convert(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """Arguments: import filter, and the program (`writer`, `impress`, `calc`). Results `odf`, `pdf` and `csv`, those of
    them that the rule wants; tables are made of `odf`, or of the source where that is OpenDocument itself. Text in
    fonts of old encodings is Unicode in all of them; of a source that is OpenDocument `odf` is made for that alone.
    `kept` where that leaves nothing: a spreadsheet without a cell.
    """
    import_filter, program = action.arguments
    results = {result.name: result for result in action.results}
    calls.action("office.examined", source, {}, action)
    made: list[Made] = []
    sandbox = ""
    spreadsheet = source
    settled = False
    odf = results.get("odf")
    if odf and import_filter in READERS.values():
        made.append(unicoded(source, out / odf.file, calls, action))
    elif odf:
        with calls.folder() as folder:
            file, ran = exported(source, folder, import_filter, odf.extension, calls)
            sandbox = ran.sandbox
            made.append(calls.action("office.tidied", file, {odf.name: out / odf.file}, action))
        made.append(told := unicoded(out / odf.file, out / odf.file, calls, action))
        settled = bool(told.kept or told.notes)
        spreadsheet = out / odf.file
    if odf and (out / BEFORE).exists():
        source, import_filter, spreadsheet = out / odf.file, READERS[odf.extension], out / odf.file
    if pdf := results.get("pdf"):
        try:
            with calls.folder() as folder:
                file, ran = exported(source, folder, import_filter, PDF.format(program), calls)
                sandbox = ran.sandbox
                made.append(calls.action("office.archival", file, {pdf.name: out / pdf.file}, action))
        except Failed as failed:
            if pdf.needed:
                raise
            (out / pdf.file).unlink(missing_ok=True)
            made.append(Made(told=(Told(failed.code, failed.expected, failed.found),)))
    if tables := results.get("csv"):
        told = calls.action("office.tables", spreadsheet, {tables.name: out / tables.file}, action)
        made.append(parted(out, tables, told))
    programs = [(SOFFICE.name, SOFFICE.version or "")] if sandbox else []
    return Made(
        kept="" if any(out.iterdir()) else "no sheet has a cell that is not empty",
        notes=tuple(note for one in made for note in one.notes),
        told=tuple(told for one in made for told in one.told if not (settled and told.code == "FMT-OFFICE-FONTS")),
        programs=tuple(dict.fromkeys([*programs, *(program for one in made for program in one.programs)])),
        labels={name: label for one in made for name, label in one.labels.items()},
        sandbox=sandbox,
    )


def exported(source: Path, folder: Path, import_filter: str, target: str, calls: Calls) -> tuple[Path, Ran]:
    """What LibreOffice makes of a document, into an empty folder; the file that it left (the first one of several).

    By an office that is kept open, if there is one and it can; otherwise by a call that tells what is wrong. RTF gets
    character sets for its fonts first, see `rtf`. Failed.
    """
    if import_filter != "Rich Text Format":
        return _exported(source, folder, import_filter, target, calls)
    with calls.folder() as fit:
        copy = fit / "source"
        return _exported(copy if rtf.readable(source, copy) else source, folder, import_filter, target, calls)


def _exported(source: Path, folder: Path, import_filter: str, target: str, calls: Calls) -> tuple[Path, Ran]:
    extension = target.partition(":")[0]
    if calls.offices is not None and calls.offices.convert(source, import_filter, target, folder, calls.bounds(source)):
        found = sorted(folder.glob(f"source*.{extension}"))
        if found:
            return found[0], Ran(0, None, 0.0, 0, "", calls.sandbox, ())
    for left in folder.iterdir():
        left.unlink()
    ran = calls.run(SOFFICE, conversion(import_filter, target), {"source": source, "settings": SETTINGS}, folder)
    found = sorted(folder.glob(f"source*.{extension}"))
    if not ran.ok or not found:
        words = [line for line in ran.said.splitlines() if "javaldx" not in line and "dconf" not in line]
        raise Failed("FMT-CONVERT-FAILED", why(ran) if ran.why or not words else " ".join(words)[-300:], SOFFICE.name)
    return found[0], ran


def examined(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """Whether LibreOffice may have it."""
    from pipeline.content.normalisation import office

    return office.examined(source, results, arguments, beat)


def tidied(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """OpenDocument, the same on every run."""
    from pipeline.content.normalisation import office

    return office.tidied(source, results, arguments, beat)


def archival(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """PDF/A-2b, the same on every run."""
    from pipeline.content.normalisation import office

    return office.archival(source, results, arguments, beat)


def tables(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """Sheets as CSV."""
    from pipeline.content.normalisation import office

    return office.tables(source, results, arguments, beat)


WITH_PROGRAMS: dict[str, ActionWithPrograms] = {"office.convert": convert}
IN_WORKER: dict[str, ActionInWorker] = {
    "office.examined": examined,
    "office.tidied": tidied,
    "office.archival": archival,
    "office.tables": tables,
}
NEEDS = {"office.convert": (SOFFICE,)}
