"""PDF compared page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from pipeline.content.normalisation.made import Differs, Proved
from pipeline.content.normalisation.registry import Beat, VerificationInWorker

WARM = ("pipeline.content.normalisation.pdfs",)


def same(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Pages, text, attachments and look. Argument: percent of a page's pixels that may differ visibly."""
    from pipeline.content.normalisation import pdfs

    return pdfs.same(source, result, float(arguments[0]), beat)


IN_WORKER: dict[str, VerificationInWorker] = {"pdf.same": same}
