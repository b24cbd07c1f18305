"""PDF into PDF/A-2b: first without touching what a page is made of, then drawn anew by poppler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pipeline.content.normalisation.calls import Calls
from pipeline.content.normalisation.made import Made
from pipeline.content.normalisation.registry import ActionInWorker, ActionWithPrograms, Beat
from pipeline.content.normalisation.rules import Action
from pipeline.tools.poppler import PDFTOCAIRO

WARM = ("pipeline.content.normalisation.pdfs",)


def structural(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """Images, fonts, text and tags stay as they are; scripts and actions go."""
    from pipeline.content.normalisation.pdfs import archival

    (result,) = results.values()
    return archival(source, result, beat)


def drawn(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """Every page is drawn by poppler, which embeds fonts that the file lacks and flattens forms, then `structural`.

    Tags, links and outline are lost; the verification of the rule tells whether text and look are.
    """
    (result,) = action.results
    with calls.folder() as folder:
        # A signed, encrypted or fitting file ends here as it would have in the first action.
        ran = calls.run(PDFTOCAIRO, ["-pdf", "{in}/source", "{out}/drawn.pdf"], {"source": source}, folder)
        calls.ran_well(ran, PDFTOCAIRO, folder / "drawn.pdf")
        made = calls.action("pdf.structural", folder / "drawn.pdf", {result.name: out / result.file}, action)
    notes = (*made.notes, "drawn anew: tags, links and outline are not carried over")
    programs = ((PDFTOCAIRO.name, PDFTOCAIRO.version or ""), *made.programs)
    return replace(made, notes=notes, programs=programs, sandbox=ran.sandbox)


IN_WORKER: dict[str, ActionInWorker] = {"pdf.structural": structural}
WITH_PROGRAMS: dict[str, ActionWithPrograms] = {"pdf.drawn": drawn}
NEEDS = {"pdf.drawn": (PDFTOCAIRO,)}
