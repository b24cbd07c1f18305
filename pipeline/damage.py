"""What reading a zip may raise when its bytes are damaged, strange or made to hurt."""

from __future__ import annotations

import errno
import lzma
import struct
import zipfile
import zlib
from typing import Final

ZIP_FAULTS: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, OverflowError, RuntimeError,
    NotImplementedError,
)  # fmt: skip
"""All that `zipfile` raises for what an archive holds, but OSError and, for a name that is not there, KeyError.

It has no common error. `BadZipFile` is what it looks for itself; damage in packed bytes comes as whatever the unpacker
has (`zlib.error`, `LZMAError`, which are of no family; bzip2 has OSError), a record cut short as `struct.error` or
`EOFError`, a place that no file has as `ValueError` or `OverflowError`, a name in no encoding as `ValueError`, a
missing password as `RuntimeError`. `NotImplementedError` is a `RuntimeError` and named all the same: a member that may
be whole, but packed or encrypted in a way that `zipfile` does not know, or an archive of a newer version. Whoever tells
damage from what cannot be read here catches `RuntimeError` first.

OSError is left to each place: the disk has the same one, and `of_the_file` tells them apart.
"""


def of_the_file(problem: OSError) -> bool:
    """Whether bytes of an archive are to blame for it, not the disk: bzip2 gives no number, a wild place EINVAL."""
    return problem.errno in (None, errno.EINVAL)
