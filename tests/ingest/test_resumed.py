"""An ingest that was cut off goes on where it stood: what was read is not read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import Interrupted
from pipeline.ingest.check import BATCH
from pipeline.ingest.ingest import ingest
from pipeline.ingest.session import stopping
from pipeline.ingest.tokens import Request
from pipeline.records import Verdict
from pipeline.settings import profile
from pipeline.workspace import Workspace
from tests.command import House

FILES = 3 * BATCH
SIZE = 40


def test_what_was_hashed_is_not_hashed_again(tmp_path: Path) -> None:
    """Cut off after the first batch of three; the bytes that the second run reads are those of the other two."""
    package = tmp_path / "hồ sơ"
    package.mkdir()
    for number in range(FILES):
        (package / f"tờ {number:04}.txt").write_bytes(f"tờ {number:04}".encode().ljust(SIZE, b"."))
    house = House(tmp_path / "house").stores("vault", "second")
    request = Request(Workspace(house.data), package, replace(profile("eark"), normalise=False))
    told: list[tuple[int, int]] = []

    def progress(stage: str, done: int, files: int, read: int, size: int) -> None:
        if stage == "check":
            told.append((done, read))

    def cut(stage: str, done: int, files: int, read: int, size: int) -> None:
        progress(stage, done, files, read, size)
        if stage == "check":
            stopping.set()

    try:
        with pytest.raises(Interrupted):
            ingest(request, progress=cut)
    finally:
        stopping.clear()
    assert told == [(BATCH, BATCH * SIZE)]
    told.clear()
    assert ingest(request, progress=progress).verdict is Verdict.ACCEPTED
    assert told == [(2 * BATCH, BATCH * SIZE), (3 * BATCH, 2 * BATCH * SIZE)]
