"""A big file on its way to the disk and back: written past the memory, synced, read back while the rest is coming."""

from __future__ import annotations

import errno
import hashlib
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial

from pipeline.digests import ahead, buffers
from pipeline.storage.stores.disk import reserve

BLOCK = 4 << 20
"""Bytes of one write and one reading: below that a disk waits for us."""

STRETCH = 64 << 20
"""Bytes from one sync to the next: few enough to keep the disk busy, many enough that a sync costs little."""

FROM = 2 * STRETCH
"""Smaller files wait for the one sync of all: here they would wait for a sync of their own."""

_BEHIND = 3
"""So much may be under way, of blocks and of stretches: a slow disk holds back who writes before memory fills."""

_PAGE = 4096


class Trail:
    """Writes a file in one thread; another follows it: each stretch is synced, then read back and digested.

    Both go past the memory of the system where the file system can (O_DIRECT): half the processor's work, and what is
    read back comes from the disk. A sync that fails says so once and never again, and memory gives back what the disk
    does not have; so the first error stays, every later call raises it, and the file has to be written anew.
    """

    def __init__(self, handle: int, place: str, size: int) -> None:
        """`handle` is open for reading and writing, empty, and the caller's to close; `size` is what will come."""
        self._handle = handle
        self._size = size
        self._past = _past(handle, place)
        self._past_writing = self._past_reading = self._past >= 0
        self._blocks = [*buffers(BLOCK), *buffers(BLOCK)]
        self._pages = buffers(BLOCK)
        self._filled = 0
        self._written = self._asked = self._read = 0
        self._digest = hashlib.sha256()
        self._error: OSError | None = None
        self._writing: deque[Future[None]] = deque()
        self._following: deque[Future[None]] = deque()
        self._writer = ThreadPoolExecutor(1, "writer")
        self._follower = ThreadPoolExecutor(1, "trail")

    def write(self, chunk: bytes | memoryview) -> None:
        """Takes a chunk, which may change when this returns. OSError of anything that came before."""
        view = memoryview(chunk)
        while view:
            taken = view[: BLOCK - self._filled]
            self._blocks[0][self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            view = view[len(taken) :]
            if self._filled == BLOCK:
                self._hand_over()

    def end(self) -> str:
        """SHA-256 of the whole file as it was read back, all of it synced before. OSError if any of that failed."""
        if self._filled:
            self._hand_over()
        _wait(self._writing, 0)
        self._ask(self._written)
        _wait(self._following, 0)
        self.stop()
        return self._digest.hexdigest()

    def stop(self) -> None:
        """Nothing touches the file any more when this returns. May be repeated; never raises."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._follower.shutdown(wait=True, cancel_futures=True)
        past, self._past = self._past, -1
        if past >= 0:
            os.close(past)

    def _hand_over(self) -> None:
        _wait(self._writing, _BEHIND - 1)
        block, length = self._blocks.pop(0), self._filled
        self._blocks.append(block)
        self._filled = 0
        self._writing.append(self._writer.submit(self._lasting, partial(self._put, block[:length])))

    def _ask(self, size: int) -> None:
        _wait(self._following, _BEHIND - 1)
        self._following.append(self._follower.submit(self._lasting, partial(self._follow, size)))
        self._asked = size

    def _lasting(self, act: Callable[[], None]) -> None:
        if self._error is None:
            try:
                act()
            except OSError as problem:
                self._error = problem
        if self._error is not None:
            raise self._error

    def _put(self, block: memoryview) -> None:
        if len(block) % _PAGE:
            self._past_writing = False  # the end of the file: only whole pages go past the memory
        while block:
            try:
                length = os.pwrite(self._past if self._past_writing else self._handle, block, self._written)
            except OSError as problem:
                if problem.errno != errno.EINVAL or not self._past_writing:
                    raise
                self._past_writing = False  # the file system has its own ideas of sizes and places
                continue
            block = block[length:]
            self._written += length
        if self._written - self._asked >= STRETCH:
            if not self._asked:
                reserve(self._handle, self._size)
            self._ask(self._written)

    def _follow(self, size: int) -> None:
        os.fdatasync(self._handle)
        with closing(ahead(partial(self._fill, size), self._pages)) as blocks:
            for block in blocks:
                self._digest.update(block)

    def _fill(self, size: int, block: memoryview) -> int:
        wanted = min(len(block), -(-(size - self._read) // _PAGE) * _PAGE)
        if not wanted:
            return 0
        try:
            length = os.preadv(self._past if self._past_reading else self._handle, [block[:wanted]], self._read)
        except OSError as problem:
            if problem.errno != errno.EINVAL or not self._past_reading:
                raise
            self._past_reading = False
            return self._fill(size, block)
        if not length:
            raise OSError(errno.EIO, "shorter than what was written")
        self._read += length
        return length


def _wait(under_way: deque[Future[None]], most: int) -> None:
    while under_way and (len(under_way) > most or under_way[0].done()):
        under_way.popleft().result()


def _past(handle: int, place: str) -> int:
    """The file behind an open one once more, past the memory of the system; -1 where no such thing is to be had."""
    flag = getattr(os, "O_DIRECT", 0)
    try:
        past = os.open(place, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flag) if flag else -1
    except OSError as problem:
        if problem.errno != errno.EINVAL:
            raise
        return -1
    if past >= 0 and not os.path.sameopenfile(past, handle):
        os.close(past)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    return past
