"""SIGKILL at every call that changes a store: the same command again leaves one object and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline.storage import intents
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import PASSPORT, Store
from pipeline.storage.stores.file import UNFINISHED, FileStore
from pipeline.storage.versions import objects
from tests.storage.conftest import Server
from tests.storage.judge import problems
from tests.storage.plans import URN

PROJECT = Path(__file__).resolve().parents[2]
FIXED = {PASSPORT, "README.txt", "restore.py"}


class Writer:
    """The process that forks a writer for each number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        words = [sys.executable, "-m", "tests.storage.writer", str(folder)]
        self.process = subprocess.Popen(words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, kill_at: int = 0) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{kill_at}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def steps(self) -> int:
        return int((self.folder / "count").read_text())

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def forget(self) -> None:
        for mark in self.folder.glob("committed-*"):
            mark.unlink()


def wipe(store: Store) -> None:
    for key, _ in list(store.list("")):
        if key not in FIXED and key.startswith((layout.prefix(URN), intents.FOLDER)):
            store.delete(key)


@pytest.mark.kill
@pytest.mark.slow
@pytest.mark.parametrize("stride", [1, 5])
def test_killed_at_every_step(
    request: pytest.FixtureRequest, tmp_path: Path, seaweed_server: Server, stride: int
) -> None:
    """Each step of two folders; each fifth of a folder and a bucket, where a step costs much more."""
    two: list[Store] = request.getfixturevalue("folders" if stride == 1 else "two")
    writer = Writer(tmp_path)
    request.addfinalizer(writer.end)
    assert writer.run() == 0
    steps = writer.steps()
    assert steps > 40
    good = {key: layout.digest_of(two[0], key)[0] for key, _ in two[0].list(layout.ROOT)}
    for kill_at in range(stride, steps + 1, stride):
        for store in two:
            wipe(store)
        writer.forget()
        assert writer.run(kill_at) == -signal.SIGKILL, kill_at
        assert writer.run() == 0, kill_at
        for store in two:
            assert {key: layout.digest_of(store, key)[0] for key, _ in store.list(layout.ROOT)} == good, kill_at
            assert list(intents.still_open(store)) == []
            assert [one.version for one in objects(store)] == [2]
    for store in two:
        assert problems(store, tmp_path / f"judged-{store.name}") == []
    client = seaweed_server.client()
    assert client.list_multipart_uploads(Bucket="luutru").get("Uploads", []) == []
    root = Path(two[0].local(PASSPORT) or "").parent
    assert list((root / UNFINISHED).iterdir()) == []


@pytest.mark.kill
@pytest.mark.parametrize("moment", [0.01, 0.05, 0.15])
def test_killed_at_any_instruction(two: list[Store], tmp_path: Path, moment: float) -> None:
    """By the clock, so also in the middle of a write: `moment` seconds after the first intent."""
    first = Writer(tmp_path)
    assert first.process.stdin is not None
    first.process.stdin.write("0\n")
    first.process.stdin.flush()
    intent = intents.key_of(URN, 1)
    while first.process.poll() is None and two[0].head(intent) is None:
        pass
    time.sleep(moment)
    for child in psutil.Process(first.process.pid).children():
        child.kill()
    first.end()
    second = Writer(tmp_path)
    try:
        assert second.run() == 0
    finally:
        second.end()
    for store in two:
        assert list(intents.still_open(store)) == []
        assert problems(store, tmp_path / f"judged-{store.name}") == []


def test_an_unfinished_document_of_a_dead_process_is_removed(two: list[Store], tmp_path: Path) -> None:
    root = Path(two[0].local(PASSPORT) or "").parent
    from pipeline.storage.stores.places import machine

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (root / UNFINISHED).mkdir(exist_ok=True)
    orphan = root / UNFINISHED / f"{'0' * 16}-{machine()}-{dead.pid}-abc"
    alive = root / UNFINISHED / f"{'0' * 16}-{machine()}-{os.getpid()}-abc"
    elsewhere = root / UNFINISHED / f"{'0' * 16}-ffffffff-{dead.pid}-abc"
    for file in (orphan, alive, elsewhere):
        file.write_bytes(b"half")
    os.utime(elsewhere, (0, 0))
    assert two[0].abort_unfinished("ocfl/") == 2
    assert not orphan.exists() and not elsewhere.exists() and alive.exists()
    assert isinstance(two[0], FileStore) or repr(two[0]).startswith("FileStore")


def test_an_upload_in_parts_of_a_killed_writer_is_aborted(two: list[Store], seaweed_server: Server) -> None:
    bucket = two[1]
    sink = bucket.sink(layout.prefix(URN) + "v1/content/aa/x", 300 * 1024**2, "0" * 64)
    sink.write(b"x" * 1024)
    uploads = seaweed_server.client().list_multipart_uploads(Bucket="luutru").get("Uploads", [])
    assert len(uploads) == 1
    # The process is gone here, without `abort`.
    assert bucket.abort_unfinished(layout.prefix(URN)) == 1
    assert seaweed_server.client().list_multipart_uploads(Bucket="luutru").get("Uploads", []) == []
    assert bucket.head(layout.prefix(URN) + "v1/content/aa/x") is None
