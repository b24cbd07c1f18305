"""Text of office documents in fonts of TCVN3 and VNI into Unicode, once they are OpenDocument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.content.normalisation.calls import Calls
from pipeline.content.normalisation.made import Failed, Made, Told
from pipeline.content.normalisation.registry import ActionInWorker, Beat
from pipeline.content.normalisation.rules import Action

WARM = ("pipeline.content.normalisation.legacyfonts",)

BEFORE: Final = "before"
"""Lies beside the results where text was changed: the OpenDocument file as it was, for those who compare."""


def unicoded(odf: Path, target: Path, calls: Calls, action: Action) -> Made:
    """`target` with the text of `odf` in Unicode and `odf` as BEFORE beside it; `kept` where nothing has to change.

    The two may be one file. A file that cannot be changed stays as it is, without `kept` or notes, and that is told.
    """
    new, before = target.with_name("unicode"), target.with_name(BEFORE)
    try:
        made = calls.action("legacyfonts.convert", odf, {"odf": new}, action)
    except Failed as failed:
        new.unlink(missing_ok=True)
        return Made(told=(Told("FMT-OFFICE-LEFT", found=failed.found),))
    if made.kept:
        new.unlink()
        return made
    if odf == target:
        odf.replace(before)
    else:
        before.symlink_to(odf.resolve())
    new.replace(target)
    return made


def convert(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """OpenDocument with text of old fonts in Unicode."""
    from pipeline.content.normalisation import legacyfonts

    return legacyfonts.convert(source, results, arguments, beat)


IN_WORKER: dict[str, ActionInWorker] = {"legacyfonts.convert": convert}
