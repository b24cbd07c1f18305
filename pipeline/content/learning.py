"""The one reading of a file, as a worker of the pool does it."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from pipeline.content.identification import Engine
from pipeline.pool import Job

_CHUNK = 1 << 20
_BEAT = 64

_engine: Engine | None = None


def warm() -> None:
    """Called once in a new worker, before it drops its rights."""
    global _engine
    _engine = Engine()
    _engine.warm()


def learn(job: Job, extension: str, size: int, algorithms: list[str], identify: bool) -> dict[str, Any]:
    """Digests by name, true size, format and whether the file changed, from one reading.

    `size` is what was announced. A file that cannot be read gives `unreadable` (the system's words) instead.
    """
    fd = job.fds[0]
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    head = b""
    total = count = 0
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        before = os.fstat(fd)
        while data := os.read(fd, _CHUNK):
            for one in hashes.values():
                one.update(data)
            head = head or data
            total += len(data)
            count += 1
            if count % _BEAT == 0:
                job.beat()
        after = os.fstat(fd)
    except OSError as problem:
        return {"unreadable": problem.strerror or str(problem), "errno": problem.errno}
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    found: dict[str, Any] | None = None
    if identify:
        assert _engine is not None
        found = _engine.identify(fd, total, head, extension)
    return {
        "size": total,
        "digests": {name: one.hexdigest() for name, one in hashes.items()},
        "format": found,
        "changed": total != size or not still,
    }
