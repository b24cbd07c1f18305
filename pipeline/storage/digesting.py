"""SHA-256 of many files of a disk with as few calls as there can be: as a module, and as a program that is asked."""

# Run by its path too, by an interpreter that has loaded nothing: it needs nothing of ours, and of the library what is
# there at the start anyway (`typing` and `contextlib` would take longer to load than all else).
from __future__ import annotations

import hashlib
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

BUFFER = 1 << 20
ANSWER = 40
"""Bytes of an answer: SHA-256, then the size; all zero where a file could not be read."""

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_KIND, _FILE = 0o170000, stat.S_IFREG
_AHEAD = 16 << 20
_BUFFERS = 8
_NOTHING = bytes(ANSWER)


def digests(paths: list[bytes], buffer: memoryview, parent: int = 0) -> list[tuple[bytes, int] | None]:
    """SHA-256 and size of each file, read to its end; None for what is no regular file or cannot be read.

    A big one is read ahead of its digest. With `parent`, the process ends when that is no longer its parent.
    """
    found: list[tuple[bytes, int] | None] = []
    vector = [buffer]
    for path in paths:
        try:
            handle = os.open(path, _OPEN)
        except (OSError, ValueError):
            found.append(None)
            continue
        try:
            known = os.fstat(handle)
            size, kind = known.st_size, known.st_mode & _KIND
            if kind == _FILE and size < BUFFER and os.readv(handle, vector) == size:
                # Shorter than the buffer, and as long as the file says: read to its end.
                found.append((hashlib.sha256(buffer[:size]).digest(), size))
            else:
                os.lseek(handle, 0, os.SEEK_SET)
                found.append(_whole(handle, vector, size, parent) if kind == _FILE else None)
        except OSError:
            found.append(None)
        finally:
            os.close(handle)
    return found


def _whole(handle: int, vector: list[memoryview], size: int, parent: int) -> tuple[bytes, int]:
    """A file that is long, or not as long as it was said to be."""
    if size >= _AHEAD:
        return _ahead(handle, parent)
    made, size = hashlib.sha256(), 0
    while length := os.readv(handle, vector):
        made.update(vector[0][:length])
        size += length
    return made.digest(), size


def _ahead(handle: int, parent: int) -> tuple[bytes, int]:
    """A second thread reads while this one digests: both let go of the interpreter.

    It is some buffers ahead: on a busy machine two threads that wait for each other at every one would wait for long.
    """
    from queue import SimpleQueue
    from threading import Thread

    free: SimpleQueue[memoryview | None] = SimpleQueue()
    full: SimpleQueue[tuple[memoryview, int] | OSError] = SimpleQueue()

    def fill() -> None:
        while (buffer := free.get()) is not None:
            try:
                length = os.readv(handle, [buffer])
            except OSError as problem:
                full.put(problem)
                return
            full.put((buffer, length))
            if not length:
                return

    for _ in range(_BUFFERS):
        free.put(memoryview(bytearray(BUFFER)))
    reader = Thread(target=fill, name="ahead", daemon=True)
    reader.start()
    made, size = hashlib.sha256(), 0
    try:
        while True:
            found = full.get()
            if isinstance(found, OSError):
                raise found
            buffer, length = found
            if not length:
                return made.digest(), size
            made.update(buffer[:length])
            size += length
            free.put(buffer)
            if parent and os.getppid() != parent:
                os._exit(1)
    finally:
        free.put(None)
        reader.join()


def answers(paths: bytes, buffer: memoryview, parent: int = 0) -> bytes:
    """An answer for each of these paths, which are joined by NUL."""
    found = digests(paths.split(b"\0"), buffer, parent)
    return b"".join(_NOTHING if one is None else one[0] + one[1].to_bytes(8, "big") for one in found)


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Answers questions (their length in 4 bytes, then the paths) until there are no more."""
    buffer, parent = memoryview(bytearray(BUFFER)), os.getppid()
    while len(head := asked.read(4)) == 4:
        told.write(answers(asked.read(int.from_bytes(head, "big")), buffer, parent))
        told.flush()


if __name__ == "__main__":
    import sys

    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except OSError:
        sys.exit(1)  # nobody listens any more
