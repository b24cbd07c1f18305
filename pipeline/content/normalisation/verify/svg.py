"""A drawing taken out of its gzip compared with what lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from pipeline.content.normalisation.actions.svg import unpacked
from pipeline.content.normalisation.made import Differs, Proved
from pipeline.content.normalisation.registry import Beat, VerificationInWorker


def same(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """The result holds what the gzip holds, byte for byte."""
    for part in unpacked(source, beat):
        if result.read(len(part)) != part:
            return Differs("bytes")
    return Differs("bytes behind the end") if result.read(1) else Proved("the bytes that lay in the gzip")


IN_WORKER: dict[str, VerificationInWorker] = {"svg.same": same}
