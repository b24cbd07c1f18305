"""Size: 100,000 empty files, and one file of 2 GiB, in memory that does not grow with them; help at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.measure import tree_memory
from tests.command import ARCHIVE, CLOCK, Answer, House
from tests.ingest.bad import fits, one_copy, whole

pytestmark = [pytest.mark.slow]

MEMORY = 500_000_000
"""Bytes that `luutru ingest` and its children may hold together: the contract's figure."""
FINDING = 2_000
"""Bytes on top of it for each finding of the one document: every empty file has one."""


@dataclass(frozen=True)
class Measured:
    answer: Answer
    seconds: float
    peak: int


def measured(house: House, *arguments: str | Path, seconds: float) -> Measured:
    """Runs a command and samples the proportional memory of it and its children; slower than `seconds` is a failure."""
    peak = 0
    over = threading.Event()
    begun = threading.Event()
    pid = 0

    def watch() -> None:
        nonlocal peak
        begun.wait()
        while not over.wait(0.1):
            peak = max(peak, tree_memory(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.monotonic()
    process = house.start(*arguments, "--json")
    pid = process.pid
    begun.set()
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        over.set()
        if process.poll() is None:
            process.kill()
            process.wait()
        watcher.join()
    took = time.monotonic() - started
    import json

    return Measured(Answer(process.returncode, json.loads(out), out.decode(), err.decode()), took, peak)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE)
    return made.stores("vault")


def test_a_hundred_thousand_empty_files(house: House, tmp_path: Path) -> None:
    root = tmp_path / "nhiều tệp"
    for folder in range(100):
        below = root / f"hộp {folder:03}"
        below.mkdir(parents=True)
        for number in range(1000):
            (below / f"tờ {number:04}.txt").touch()
    done = measured(house, "ingest", root, "--profile", one_copy(tmp_path), seconds=1200)
    item = fits(done.answer, 0).item
    assert (item["verdict"], item["files"], item["bytes"]) == ("accepted", 100_000, 0)
    print(f"100,000 empty files: {done.seconds:.0f} s, {done.peak / 1e6:.0f} MB")
    told = len(item["findings"]) * FINDING
    assert done.peak < MEMORY + told, done.peak
    whole(house, 1, "vault")
    audit = measured(house, "audit", seconds=600)
    assert [one["result"] for one in fits(audit.answer, 0).items] == ["intact"]
    assert audit.peak < MEMORY, audit.peak
    again = measured(house, "ingest", root, "--profile", one_copy(tmp_path), seconds=600)
    assert fits(again.answer, 0).item["verdict"] == "already archived"
    assert again.peak < MEMORY + told, again.peak


def test_one_file_of_two_gibibytes(house: House, tmp_path: Path) -> None:
    """The border where sizes stop to fit into 31 bits; the file is sparse in the submission, whole in the store."""
    root = tmp_path / "phim"
    root.mkdir()
    with (root / "phim.bin").open("wb") as file:
        file.write(b"phim")
        file.truncate(2 * 1024**3)
    done = measured(house, "ingest", root, "--profile", one_copy(tmp_path), seconds=1200)
    item = fits(done.answer, 0).item
    assert (item["verdict"], item["files"], item["bytes"]) == ("accepted", 1, 2 * 1024**3)
    print(f"one file of 2 GiB: {done.seconds:.0f} s, {done.peak / 1e6:.0f} MB")
    assert done.peak < MEMORY, done.peak
    whole(house, 1, "vault")
    audit = measured(house, "audit", seconds=600)
    assert [one["result"] for one in fits(audit.answer, 0).items] == ["intact"]
    assert audit.peak < MEMORY, audit.peak


def test_help_comes_at_once(tmp_path: Path) -> None:
    """The contract says 0.2 s on a machine that has nothing else to do; `make bench` tells the figure."""
    house = House(tmp_path / "house")
    taken = []
    for _ in range(10):
        started = time.monotonic()
        assert house.run("--help", json_=False).exit == 0
        taken.append(time.monotonic() - started)
    print(f"help: {min(taken):.3f} s")
    assert min(taken) < 0.4, taken
    assert not house.data.exists()
