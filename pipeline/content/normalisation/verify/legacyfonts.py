"""Office documents whose text of old fonts became Unicode, held against what they were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.content.normalisation import registry
from pipeline.content.normalisation.actions.legacyfonts import BEFORE
from pipeline.content.normalisation.calls import Calls
from pipeline.content.normalisation.made import Differs, Proved
from pipeline.content.normalisation.registry import Beat, VerificationInWorker, VerificationWithPrograms
from pipeline.tools.soffice import SOFFICE

WARM = ("pipeline.content.normalisation.legacyfonts",)


def proved(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """Asks the verification that the arguments name, of the document as it was before its text became Unicode.

    Where that changed it: the OpenDocument file is held against what it was, letter by letter; a PDF has its text, a
    table its cells. Where nothing was changed it is the named verification alone.
    """
    name, *more = arguments
    before = result.with_name(BEFORE)
    if not before.exists():
        return _asked(name, source, result, more, calls)
    odf = next(iter(sorted(result.parent.glob("odf.od?"))))
    if result != odf:
        return calls.verification("office.cells" if result.suffix == ".csv" else "office.text", odf, result, [])
    told = _asked(name, source, before, more, calls)
    if isinstance(told, Differs):
        return told
    changed = calls.verification("legacyfonts.same", before, odf, [])
    return changed if isinstance(changed, Differs) else Proved(f"before the change: {told.how}; {changed.how}")


def _asked(name: str, source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    if function := registry.verifications_with_programs().get(name):
        return function(source, result, arguments, calls)
    return calls.verification(name, source, result, arguments)


def same(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Every letter of the result, encoded again, gives what the source holds."""
    from pipeline.content.normalisation import legacyfonts

    return legacyfonts.same(source, result, arguments, beat)


WITH_PROGRAMS: dict[str, VerificationWithPrograms] = {"legacyfonts.proved": proved}
IN_WORKER: dict[str, VerificationInWorker] = {"legacyfonts.same": same}
NEEDS = {"legacyfonts.proved": (SOFFICE,)}
