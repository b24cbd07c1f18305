"""Zips that whoever reads them by `zipfile` stumbles over, each in a way of its own."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from typing import Final

NAME: Final = "content.xml"
_HEAD = 30


def whole(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive like an OpenDocument: its last member, NAME, is packed by the method."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", "<manifest/>", zipfile.ZIP_DEFLATED)
        archive.writestr(NAME, b"<a>" + random.Random(1).randbytes(3000).hex().encode() + b"</a>", method)
    return made.getvalue()


def _hit(method: int, place: int = 20, length: int = 40) -> bytes:
    """Bytes of the packed member are others."""
    data = bytearray(whole(method))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.getinfo(NAME).header_offset + _HEAD + len(NAME)
    for at in range(start + place, start + place + length):
        data[at] ^= 0x5A
    return bytes(data)


def _told(offset: int, kind: str, value: int) -> bytes:
    """The directory says something else of NAME."""
    data = bytearray(whole())
    struct.pack_into(kind, data, data.rfind(b"PK\1\2") + offset, value)
    return bytes(data)


def _far() -> bytes:
    """The directory says by ZIP64 that NAME lies where no file reaches."""
    data = bytearray(whole())
    at = data.rfind(b"PK\1\2")
    struct.pack_into("<I", data, at + 42, 0xFFFFFFFF)
    extra = struct.pack("<HHQ", 1, 8, (1 << 64) - 1)
    struct.pack_into("<H", data, at + 30, len(extra))
    place = at + 46 + len(NAME)
    data[place:place] = extra
    end = data.rfind(b"PK\5\6")
    struct.pack_into("<I", data, end + 12, struct.unpack_from("<I", data, end + 12)[0] + len(extra))
    return bytes(data)


DAMAGED: Final = {
    "deflate": _hit(zipfile.ZIP_DEFLATED),
    "bzip2": _hit(zipfile.ZIP_BZIP2),
    "lzma": _hit(zipfile.ZIP_LZMA),
    "settings of lzma": _hit(zipfile.ZIP_LZMA, 4, 1),
    "sum": _told(16, "<I", 5),
    "behind the end": _told(42, "<I", len(whole()) - 10),
    "out of reach": _far(),
}
"""A member is not what was packed."""

UNKNOWN: Final = {
    "method": _told(10, "<H", 97),
    "patch": _told(8, "<H", 1 << 5),
}
"""A member may be whole, and is packed as `zipfile` does not know."""

LOCKED: Final = {"password": _told(8, "<H", 1), "strong encryption": _told(8, "<H", 1 << 6 | 1)}

UNOPENED: Final = {"cut": whole()[:-30], "version": _told(6, "<H", 99)}
"""Not even the directory can be read."""
