"""What the tests of the pool run in its workers: good, slow, greedy and dying functions."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from pipeline.pool import Job, TooLong


def size(job: Job) -> int:
    return os.fstat(job.fds[0]).st_size


def text(job: Job) -> str:
    os.lseek(job.fds[0], 0, os.SEEK_SET)
    return os.read(job.fds[0], 1000).decode()


def whoami(job: Job) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "group": os.getpgid(0),
        "uids": list(os.getresuid()),
        "gids": list(os.getresgid()),
        "groups": os.getgroups(),
        "threads": [
            line
            for status in Path("/proc/self/task").glob("*/status")
            for line in status.read_text().splitlines()
            if line.startswith("Uid:")
        ],
        "environment": dict(os.environ),
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd")),
        "modules": sorted(sys.modules),
        "folder": sorted(os.listdir(".")),
    }


def become_root(job: Job) -> str:
    os.setuid(0)
    return "root"


def read_path(job: Job, path: str) -> str:
    return Path(path).read_text()


def leave_file(job: Job, name: str) -> list[str]:
    Path(name).write_text("x")
    return sorted(os.listdir("."))


def behave(job: Job, how: str) -> str:
    """`good`, or one of the ways in which a worker ends badly."""
    if how == "hang":
        time.sleep(600)
    elif how == "hang with child":
        if os.fork() == 0:
            time.sleep(600)
        time.sleep(600)
    elif how == "greedy":
        held = []
        while True:
            held.append(bytearray(10_000_000))
    elif how == "too long":
        raise TooLong("five minutes")
    elif how == "crash":
        os.kill(os.getpid(), 11)
    elif how == "error":
        raise ValueError("xin chào")
    elif how == "write":
        with open("big", "wb") as out:
            while True:
                out.write(bytes(1 << 20))
    elif how == "beat":
        for _ in range(8):
            time.sleep(0.25)
            job.beat()
    elif how == "nonsense":
        os.write(job.fds[1], b"\xff\xff\xff\xffnonsense")
    return how


def connect(job: Job, port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), 2):
        return "connected"


def _first() -> bool:
    """Whether a worker is asked this for the first time."""
    global _asked
    _asked += 1
    return _asked == 1


def needs(job: Job, megabytes: int) -> list[bool]:
    """Takes so much memory for a moment; whether this worker has done nothing of this kind before."""
    bytearray(megabytes << 20)
    return [_first()]


def keeps(job: Job, megabytes: int) -> bool:
    """Leaves so much address space less to the next task, hardly any of it in memory."""
    global _held
    _held = bytearray(megabytes << 20)
    return _first()


def falls(job: Job) -> bool:
    """Dies of what another task has left in the worker."""
    if not _first():
        os.kill(os.getpid(), 11)
    return True


def swell(job: Job, megabytes: int) -> int:
    global _held
    _held = bytearray(b"\1" * (megabytes << 20))
    return os.getpid()


_held = bytearray()
_asked = 0
