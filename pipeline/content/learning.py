"""The one reading of a file, as a worker of the pool does it."""

from __future__ import annotations

import codecs
import contextlib
import os
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline import digests
from pipeline.content.identification import Engine
from pipeline.pool import Job
from pipeline.records import Format

_CHUNK = 1 << 20
_AHEAD = 16 << 20
"""From this size on a file is read ahead of its digests, and each of these has a thread: below, threads cost more."""

_BEAT = 2.0
"""Seconds from one sign of life to the next: a slow disk is no hang."""

_engine: Engine | None = None


def prepare() -> None:
    """Called once, before workers are forked."""
    global _engine
    _engine = Engine()
    _engine.prepare()


def warm() -> None:
    """Called once in a new worker, before it drops its rights."""
    if _engine is None:
        prepare()
    assert _engine is not None
    _engine.warm()


def learn(
    job: Job, extension: str, size: int, algorithms: list[str], engines: str, examine: bool = False
) -> dict[str, Any]:
    """Digests by name, true size, format and whether the file changed, from one reading.

    `size` is what was announced, `engines` are siegfried, fido, both, or empty for no format. A file that cannot be
    read gives `unreadable` (the system's words) instead. `examine` asks for `looked` too, while the bytes are at hand:
    `answer` of `characterisation.worker` or `stopped`; None for files that need not be opened for it.
    """
    fd = job.fds[0]
    hashes = {name: digests.begin(name) for name in algorithms}
    text = _Utf8()
    head = b""
    total = 0
    last = time.monotonic()
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        before = os.fstat(fd)
        with _digesting(fd, size, list(hashes.values())) as chunks:
            for data in chunks:
                text.see(data)
                head = head or bytes(data)
                total += len(data)
                if time.monotonic() - last > _BEAT:
                    last = time.monotonic()
                    job.beat()
        after = os.fstat(fd)
    except OSError as problem:
        return {"unreadable": problem.strerror or str(problem), "errno": problem.errno}
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    found: dict[str, Any] | None = None
    if engines:
        assert _engine is not None
        found = _engine.identify(fd, total, head, extension, engines)
    changed = total != size or not still
    return {
        "size": total,
        "digests": {name: one.hexdigest() for name, one in hashes.items()},
        "format": found,
        "utf8": text.holds(),
        "changed": changed,
        "looked": _looked(job, found, extension) if examine and found and total and not changed else None,
    }


@contextlib.contextmanager
def _digesting(fd: int, size: int, hashes: list[digests.Running]) -> Iterator[Iterator[bytes | memoryview]]:
    """The chunks of a file on their way into its digests; each is good until the next one is asked for."""
    if size < _AHEAD:
        yield _one_by_one(fd, hashes)
        return
    _one_arena()
    two = digests.buffers(_CHUNK)
    with (
        ThreadPoolExecutor(len(hashes), "digest") as threads,
        contextlib.closing(digests.ahead(lambda buffer: os.readv(fd, [buffer]), two)) as chunks,
        contextlib.closing(_together(chunks, hashes, threads)) as digested,
    ):
        yield digested


def _one_by_one(fd: int, hashes: list[digests.Running]) -> Iterator[bytes]:
    while data := os.read(fd, _CHUNK):
        for one in hashes:
            one.update(data)
        yield data


def _together(
    chunks: Iterator[memoryview], hashes: list[digests.Running], threads: ThreadPoolExecutor
) -> Generator[memoryview]:
    for chunk in chunks:
        under_way = [threads.submit(one.update, chunk) for one in hashes]
        yield chunk
        for one in under_way:
            one.result()


def _one_arena() -> None:
    """Threads of ours take their memory from where all is: each new arena of glibc is 64 MiB of our address space."""
    import ctypes

    arena_max = -8
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(arena_max, 1)


def _looked(job: Job, found: dict[str, Any], extension: str) -> dict[str, Any] | None:
    from pipeline.content.characterisation.tables import family_of, told_by_reading
    from pipeline.content.characterisation.worker import examine

    format_ = Format.read(found)
    family = family_of(format_, extension)
    if not family or told_by_reading(family, format_):
        return None
    job.beat()  # the time of an examination is its own
    try:
        return {"answer": examine(job, family)}
    except MemoryError:
        raise
    except Exception as problem:  # as the pool tells it of a task that is this alone
        return {"stopped": ["error", f"{type(problem).__name__}: {problem}"[:4000]]}


class _Utf8:
    """Whether bytes that pass are UTF-8 as a whole; gives up at the first that are not."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._plain = True

    def see(self, data: bytes | memoryview) -> None:
        if self._decoder is None:
            return
        data = bytes(data)
        if self._plain and data.isascii():
            return
        self._plain = False
        try:
            self._decoder.decode(data)
        except UnicodeDecodeError:
            self._decoder = None

    def holds(self) -> bool:
        if self._decoder is None:
            return False
        try:
            self._decoder.decode(b"", True)
        except UnicodeDecodeError:
            return False
        return True
