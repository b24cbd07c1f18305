"""Many files are read rightly and in order, by one process or two, whatever becomes of the second."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline.storage import digesting
from pipeline.storage.pairs import Found, Reader, Wanted

MANY = 900
TWO = 0 if len(os.sched_getaffinity(0)) < 2 else 1
"""How many processes there are beside us: none where there is one core."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Small files, one that is read ahead, and what is no file."""
    for number in range(MANY):
        (tmp_path / f"{number:03}").write_bytes(os.urandom(number * 7))
    (tmp_path / "400").write_bytes(os.urandom(17 << 20) + b"end")
    (tmp_path / "450").write_bytes(os.urandom(digesting.BUFFER))
    (tmp_path / "500").unlink()
    (tmp_path / "500").symlink_to(tmp_path / "501")
    (tmp_path / "600").unlink()
    (tmp_path / "700").unlink()
    (tmp_path / "700").mkdir()
    (tmp_path / "800").unlink()
    os.mkfifo(tmp_path / "800")
    return tmp_path


def wanted(folder: Path) -> list[Wanted]:
    """What a listing told; one file was not in it, one has grown since."""
    found = []
    for number in range(MANY):
        name = f"{number:03}"
        size = os.lstat(folder / name).st_size if os.path.lexists(folder / name) else 5
        found.append((name, str(number), -1 if number == 300 else 1 if number == 350 else size))
    return found


def right(folder: Path) -> list[tuple[Wanted, Found]]:
    odd = {"300", "500", "600", "700", "800"}
    found: list[tuple[Wanted, Found]] = []
    for one in wanted(folder):
        data = b"" if one[0] in odd else (folder / one[0]).read_bytes()
        found.append((one, None if one[0] in odd else (hashlib.sha256(data).digest(), len(data))))
    return found


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "digesting" in " ".join(one.cmdline())]


@pytest.mark.parametrize("alone", [True, False])
def test_every_file_in_order(folder: Path, alone: bool) -> None:
    reader = Reader(alone=alone)
    for _ in range(2):
        assert list(reader.read(f"{folder}/", wanted(folder), MANY, 20 << 20)) == right(folder)
        assert len(children()) == (0 if alone else TWO)
    reader.close()
    assert not children()
    assert list(reader.read(f"{folder}/", wanted(folder)[:3], 3, 30)) == right(folder)[:3] and not children()


def test_a_second_process_that_is_killed(folder: Path) -> None:
    reader, found = Reader(), []
    for number, one in enumerate(reader.read(f"{folder}/", wanted(folder), MANY, 20 << 20)):
        found.append(one)
        if number == 100:
            for child in children():
                child.kill()
    assert found == right(folder)
    assert not children()


def test_it_ends_with_a_reading_that_is_broken_off(folder: Path) -> None:
    reading = Reader().read(f"{folder}/", wanted(folder), MANY, 20 << 20)
    next(reading)
    assert len(children()) == TWO
    reading.close()  # type: ignore[attr-defined]
    assert not children()


_PARENT = """
import os, sys
from pipeline.storage.pairs import Reader
names = sorted(os.listdir(sys.argv[1]))
reading = Reader().read(sys.argv[1] + "/", [(name, "", 1) for name in names], 900, 0)
next(reading)
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not TWO, reason="one core")
def test_it_ends_with_its_parent(folder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
    )  # fmt: skip
    assert parent.stdout is not None and parent.stdin is not None
    assert parent.stdout.readline() == b"begun\n"
    (child,) = psutil.Process(parent.pid).children()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 60
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    parent.stdin.close()
    parent.stdout.close()


def test_what_does_not_open_is_not_read(tmp_path: Path) -> None:
    buffer = memoryview(bytearray(digesting.BUFFER))
    (tmp_path / "empty").write_bytes(b"")
    folder, nothing = os.fsencode(tmp_path), (hashlib.sha256().digest(), 0)
    names = [folder + b"/none", folder, folder + b"/empty", b""]
    assert digesting.digests([*names, folder + b"/a\0b"], buffer) == [None, None, nothing, None, None]
    assert digesting.answers(b"\0".join(names), buffer) == bytes(80) + nothing[0] + bytes(8) + bytes(40)
