"""SHA-256 of many files of a disk, one after the other, with as few calls as there can be."""

# Run as a program by its path too, by an interpreter that has loaded nothing: nothing of ours is imported here.
from __future__ import annotations

import hashlib
import os
import stat

BUFFER = 1 << 20
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def digest(path: str, buffer: memoryview) -> tuple[str, int] | None:
    """SHA-256 and size of a regular file, read to its end; None when it is none or cannot be read."""
    try:
        handle = os.open(path, _OPEN)
    except (OSError, ValueError):
        return None
    try:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode):
            return None
        size = length = os.readv(handle, [buffer])
        made = hashlib.sha256(buffer[:length])
        # What is shorter than the buffer and as long as the file says has been read to its end.
        while length and not size == known.st_size < BUFFER:
            length = os.readv(handle, [buffer])
            made.update(buffer[:length])
            size += length
    except OSError:
        return None
    finally:
        os.close(handle)
    return made.hexdigest(), size
