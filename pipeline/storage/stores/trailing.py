"""Making a big file durable and reading it back while the rest of it is still being written."""

from __future__ import annotations

import errno
import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.storage.stores import CHUNK

STRETCH = 64 << 20
"""Bytes from one sync to the next: few enough to keep the disk busy, many enough that a sync costs little."""

FROM = 2 * STRETCH
"""Smaller files wait for the one sync of all: here they would wait for a sync of their own."""

_BEHIND = 3
"""So many stretches may be under way: a slow disk holds the writer back before memory fills with what it owes."""


class Trail:
    """A second thread that follows the writer of a file: each stretch is synced, then read back and digested.

    A sync that fails says so once and never again, and what is read afterwards comes out of memory as if all were
    well. So the first error stays: every later call raises it, and the file has to be written anew.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._digest = hashlib.sha256()
        self._buffer = memoryview(bytearray(CHUNK))
        self._read = 0
        self._asked = 0
        self._error: OSError | None = None
        self._under_way: deque[Future[None]] = deque()
        self._thread = ThreadPoolExecutor(1, "trail")

    def reached(self, size: int) -> None:
        """So many bytes are written. OSError of what was synced or read back before."""
        if size - self._asked >= STRETCH:
            self._ask(size)

    def end(self, size: int) -> str:
        """SHA-256 of the file of `size` bytes as it was read back, all synced before; OSError if any of that failed."""
        self._ask(size)
        while self._under_way:
            self._under_way.popleft().result()
        self._thread.shutdown()
        return self._digest.hexdigest()

    def stop(self) -> None:
        """Gives up; nothing touches the file any more when this returns. Never raises."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _ask(self, size: int) -> None:
        while self._under_way and (len(self._under_way) >= _BEHIND or self._under_way[0].done()):
            self._under_way.popleft().result()
        self._under_way.append(self._thread.submit(self._follow, size))
        self._asked = size

    def _follow(self, size: int) -> None:
        if self._error is not None:
            raise self._error
        try:
            os.fdatasync(self._handle)
            while self._read < size:
                length = os.preadv(self._handle, [self._buffer[: size - self._read]], self._read)
                if not length:
                    raise OSError(errno.EIO, "shorter than what was written")
                self._digest.update(self._buffer[:length])
                self._read += length
        except OSError as problem:
            self._error = problem
            raise
