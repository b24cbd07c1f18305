"""Office documents compared by what they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.content.normalisation.actions.office import PDF, TABLES, exported
from pipeline.content.normalisation.calls import Calls
from pipeline.content.normalisation.made import Differs, Proved
from pipeline.content.normalisation.registry import Beat, VerificationInWorker, VerificationWithPrograms
from pipeline.tools.soffice import SOFFICE

WARM = ("pipeline.content.normalisation.office",)

_TARGETS = {"txt": "txt:Text (encoded):UTF8", "csv": TABLES, "pdf": PDF.format("impress")}
_READERS = {"odt": "writer8", "ods": "calc8", "odp": "impress8"}


def text(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """No character is missing; the source is read by our own code (Office since 2007, OpenDocument)."""
    from pipeline.content.normalisation import office

    return office.same_text(source, result, arguments, beat)


def cells(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Sheets, cells and their text; the source is read by our own code."""
    from pipeline.content.normalisation import office

    return office.same_cells(source, result, arguments, beat)


def export(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Two exports say the same."""
    from pipeline.content.normalisation import office

    return office.same_export(source, result, arguments, beat)


def reopened(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """LibreOffice opens both anew and exports them; arguments: `txt`, `csv` or `pdf`, kind of the result, filter."""
    target, kind, *import_filter = arguments
    with calls.folder() as one, calls.folder() as two:
        first, _ = exported(source, one, " ".join(import_filter), _TARGETS[target], calls)
        second, _ = exported(result, two, _READERS[kind], _TARGETS[target], calls)
        if target != "csv":
            return calls.verification("office.export", first, second, [])
        names = [sorted(file.name for file in folder.iterdir()) for folder in (one, two)]
        if names[0] != names[1]:
            return Differs(f"sheets: {', '.join(names[0])}; {', '.join(names[1])}")
        for name in names[0]:
            told = calls.verification("office.export", one / name, two / name, [])
            if isinstance(told, Differs):
                return Differs(f"{name}: {told.reason}")
        return Proved(f"source and result, exported, have the same {len(names[0])} tables")


def through(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """The source, turned into OpenDocument once more, against a PDF or a table; arguments: extension, filter."""
    extension, *import_filter = arguments
    kept = calls.scratch / f"through.{extension}"  # every table of a workbook asks for it
    if not kept.exists():
        with calls.folder() as folder:
            file, _ = exported(source, folder, " ".join(import_filter), extension, calls)
            file.replace(kept)
    return calls.verification("office.cells" if extension == "ods" else "office.text", kept, result, [])


IN_WORKER: dict[str, VerificationInWorker] = {"office.text": text, "office.cells": cells, "office.export": export}
WITH_PROGRAMS: dict[str, VerificationWithPrograms] = {"office.reopened": reopened, "office.through": through}
NEEDS = {"office.reopened": (SOFFICE,), "office.through": (SOFFICE,)}
