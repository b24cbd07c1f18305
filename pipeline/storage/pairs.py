"""Many files of a disk read and digested, by two processes where that pays."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.storage import digesting

if TYPE_CHECKING:
    from pipeline.second import Second

Wanted = tuple[str, str, int]
"""Path below the folder, its digest, its length: less than 0 for what is not to be read."""
Found = tuple[bytes, int] | None
"""SHA-256 and size of what is there; None where it was not or could not be read, or is no regular file."""

_PAYS_FILES = 400
_PAYS_BYTES = 32 << 20
_FILES = 64
_BYTES = 4 << 20
_WINDOW = 8


@dataclass(slots=True)
class _Batch:
    wanted: list[Wanted]
    paths: bytes
    size: int
    found: list[Found] | None = None


class Reader:
    """Reads for one caller. A second process is begun when a folder is big enough for it, and kept until `close`."""

    def __init__(self, *, alone: bool = False) -> None:
        self._alone = alone or len(os.sched_getaffinity(0)) < 2
        self._second: Second | None = None
        self._buffer = memoryview(bytearray(digesting.BUFFER))

    def read(self, folder: str, wanted: Iterable[Wanted], files: int, size: int) -> Iterator[tuple[Wanted, Found]]:
        """Every file in this order, from a folder (ending in `/`) that holds about so many files and bytes."""
        if not self._alone and (files >= _PAYS_FILES or (files > 1 and size >= _PAYS_BYTES)):
            yield from self._both(folder, wanted)
            return
        for batch in _batches(folder, wanted):
            yield from zip(batch.wanted, self._own(batch), strict=True)

    def close(self) -> None:
        """Ends the second process."""
        if self._second is not None:
            self._second.close()
            self._second = None

    def _begun(self) -> Second | None:
        from pipeline.second import Second

        if self._second is None and not self._alone:
            try:
                self._second = Second(Path(digesting.__file__))
            except OSError:
                self._alone = True  # no room for a process: this one can do it
        return self._second

    def _both(self, folder: str, wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, Found]]:
        """Batches in order: the second process is kept busy, this one takes what comes after."""
        second = self._begun()
        waiting: deque[_Batch] = deque()
        window: deque[_Batch] = deque()
        batches = _batches(folder, wanted)
        coming = next(batches, None)
        try:
            while coming is not None or window:
                while second is not None and coming is not None and _room(waiting, coming):
                    second = self._asked(second, coming, waiting)
                    window.append(coming)
                    coming = next(batches, None)
                if coming is not None and len(window) < _WINDOW:
                    coming.found = self._own(coming)
                    window.append(coming)
                    coming = next(batches, None)
                while waiting and second is not None and (window[0] is waiting[0] or second.answered()):
                    second = self._told(second, waiting)
                while window and (found := window[0].found) is not None:
                    yield from zip(window.popleft().wanted, found, strict=True)
        except BaseException:
            self.close()  # what it was asked is not wanted any more
            raise

    def _own(self, batch: _Batch) -> list[Found]:
        return digesting.digests(batch.paths.split(b"\0"), self._buffer)

    def _asked(self, second: Second, batch: _Batch, waiting: deque[_Batch]) -> Second | None:
        waiting.append(batch)
        try:
            second.ask(batch.paths)
            return second
        except OSError:
            self._lost(waiting)
            return None

    def _told(self, second: Second, waiting: deque[_Batch]) -> Second | None:
        batch = waiting[0]
        try:
            raw = second.answer(digesting.ANSWER * len(batch.wanted))
        except OSError:
            self._lost(waiting)
            return None
        waiting.popleft()
        step = digesting.ANSWER
        parts = (raw[at : at + step] for at in range(0, len(raw), step))
        batch.found = [(part[:32], int.from_bytes(part[32:], "big")) if any(part) else None for part in parts]
        return second

    def _lost(self, waiting: deque[_Batch]) -> None:
        """The second process was killed: what it had not told is read here."""
        self._alone = True
        self.close()
        while waiting:
            batch = waiting.popleft()
            batch.found = self._own(batch)


def _room(waiting: deque[_Batch], coming: _Batch) -> bool:
    """Whether the second process should have this one waiting: little enough that none is idle at the end."""
    return not waiting or (len(waiting) == 1 and waiting[0].size + coming.size <= 2 * _BYTES)


def _batches(folder: str, wanted: Iterable[Wanted]) -> Iterator[_Batch]:
    above = os.fsencode(folder)
    part: list[Wanted] = []
    paths: list[bytes] = []
    size = 0
    for one in wanted:
        path, _, length = one
        if part and (len(part) >= _FILES or size + length > _BYTES):
            yield _Batch(part, b"\0".join(paths), size)
            part, paths, size = [], [], 0
        part.append(one)
        paths.append(above + os.fsencode(path) if length >= 0 else b"")  # nothing lies at the empty path
        size += length
    if part:
        yield _Batch(part, b"\0".join(paths), size)
