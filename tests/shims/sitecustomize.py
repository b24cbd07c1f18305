"""Faults of disks for a command under test, loaded because this folder is on its PYTHONPATH.

`LUUTRU_TEST_FAULTS` is a JSON list of `{"call", "name", "errno"}`: the call on a file or folder of that name (its last
segment) fails. Calls: `stat`, `scandir` (any listing), `open`; `read` gives a descriptor that opens well and fails
with a real EIO at the first byte, in whatever process it is read; `pread` fails for members of an archive of that
name; `write` fails for the n-th file (`name` is n) that is opened to be written where the data folder and its
neighbours lie. As `errno` also `BUG`, which is no error of the system at all. Workers and tools have a scrubbed
environment and never see this.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
from typing import Any

_FAULTS = json.loads(os.environ.get("LUUTRU_TEST_FAULTS", "[]"))
_BROKEN: set[int] = set()
_AREA = os.environ.get("LUUTRU_DATA", "").rpartition("/")[0] + "/"
_opened = 0


def _fails(call: str, path: Any) -> bool:
    """Raises what is asked for this call on this path; True when `open` shall give a broken descriptor."""
    if isinstance(path, int):
        return False
    name = os.path.basename(os.fsdecode(path).rstrip("/"))
    for fault in _FAULTS:
        if fault["call"] == call and fault["name"] == name:
            if call in ("read", "pread"):
                return True
            if fault["errno"] == "BUG":
                raise RuntimeError("a fault of our own, for the test")
            number = getattr(errno, fault["errno"])
            raise OSError(number, os.strerror(number), path)
    return False


def _writes(path: Any) -> None:
    """Counts a file that is opened to be written; raises for the n-th."""
    global _opened
    for fault in _FAULTS:
        below = not isinstance(path, int) and os.path.abspath(os.fsdecode(path)).startswith(_AREA)
        if fault["call"] == "write" and below:
            _opened += 1
            if _opened == int(fault["name"]):
                number = getattr(errno, fault["errno"])
                raise OSError(number, os.strerror(number), path)


def _install() -> None:
    stat, scandir, listdir, open_, pread = os.stat, os.scandir, os.listdir, os.open, os.pread

    def faulty_stat(path: Any, *args: Any, **more: Any) -> Any:
        _fails("stat", path)
        return stat(path, *args, **more)

    def faulty_scandir(path: Any = ".") -> Any:
        _fails("scandir", path)
        return scandir(path)

    def faulty_listdir(path: Any = ".") -> Any:
        _fails("scandir", path)
        return listdir(path)

    plain = io.open

    def faulty_io(path: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
        if set(mode) & set("wax+"):
            _writes(path)
        return plain(path, mode, *args, **more)

    def faulty_open(path: Any, flags: int, *args: Any, **more: Any) -> int:
        _fails("open", path)
        if flags & (os.O_WRONLY | os.O_RDWR):
            _writes(path)
        if _fails("read", path):
            # The first page of a process is never mapped: reading it is an input/output error, as of a bad sector.
            return open_("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)
        handle = open_(path, flags, *args, **more)
        if _fails("pread", path):
            _BROKEN.add(handle)
        return handle

    def faulty_pread(handle: int, count: int, place: int) -> bytes:
        # The index at the end of a zip is well: a member is not.
        if handle in _BROKEN and place < 512:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pread(handle, count, place)

    os.stat, os.scandir, os.listdir = faulty_stat, faulty_scandir, faulty_listdir
    os.open, os.pread = faulty_open, faulty_pread
    io.open = builtins.open = faulty_io  # type: ignore[assignment]


if _FAULTS:
    _install()
