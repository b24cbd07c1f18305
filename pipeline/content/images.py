"""Old bitmap files read in Python: their size before any program sees them, their pixels to check a conversion."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO


class Broken(Exception):
    """The file contradicts its own header."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a BMP or PCX says of itself. `ends` is the least size in bytes of the file, None when it is compressed."""

    kind: str
    width: int
    height: int
    bits: int
    top_down: bool
    compression: int
    data: int
    palette: tuple[bytes, ...]
    ends: int | None

    @property
    def row(self) -> int:
        """Bytes of one uncompressed BMP row, padded to four."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def decodable(self) -> bool:
        """Whether `rows` can read the pixels: BMP without compression, with a palette or whole bytes a colour."""
        return self.kind == "bmp" and self.compression == 0 and self.bits in (1, 4, 8, 24, 32)


def header(source: BinaryIO) -> Header | None:
    """The header of a BMP or PCX, None when it is neither. Broken when the file is shorter than it promises."""
    source.seek(0, 2)
    size = source.tell()
    source.seek(0)
    head = source.read(1 << 11)
    if head[:2] == b"BM":
        found = _bmp(head)
    elif head[:1] == b"\x0a" and len(head) >= 128:
        left, top, right, bottom = struct.unpack_from("<HHHH", head, 4)
        found = Header("pcx", right - left + 1, bottom - top + 1, head[3] * head[65], True, head[2], 128, (), None)
    else:
        return None
    if found.width <= 0 or found.height <= 0:
        raise Broken(f"{found.width} × {found.height}")
    if found.ends is not None and size < found.ends:
        raise Broken(f"{size} < {found.ends} B")
    return found


def _bmp(head: bytes) -> Header:
    try:
        data, length = struct.unpack_from("<II", head, 10)
        compression = colours = 0
        if length == 12:
            width, height, _, bits = struct.unpack_from("<HHHH", head, 18)
        else:
            width, height, _, bits, compression = struct.unpack_from("<iiHHI", head, 18)
            (colours,) = struct.unpack_from("<I", head, 46)
    except struct.error:
        raise Broken("no header") from None
    step = 3 if length == 12 else 4
    start = 14 + length + (12 if compression == 3 and length == 40 else 0)
    count = min(colours or 1 << bits, 1 << bits) if bits <= 8 else 0
    palette = tuple(head[start + step * n : start + step * n + 3][::-1] for n in range(count))
    one = Header("bmp", width, abs(height), bits, height < 0, compression, data, palette, None)
    if compression in (0, 3):
        return Header(
            "bmp", width, abs(height), bits, height < 0, compression, data, palette, data + one.row * abs(height)
        )
    return one


def rows(source: BinaryIO, of: Header) -> Iterator[bytes]:
    """RGB bytes of each row, top to bottom, of a decodable BMP."""
    decode = _decoder(of)
    for number in range(of.height):
        line = number if of.top_down else of.height - 1 - number
        source.seek(of.data + line * of.row)
        raw = source.read(of.row)
        if len(raw) < of.row:
            raise Broken(f"row {number}")
        yield decode(raw)


def _decoder(of: Header) -> Callable[[bytes], bytes]:
    width = of.width
    if of.bits >= 24:
        step = of.bits // 8

        def colours(raw: bytes) -> bytes:
            out = bytearray(width * 3)
            for channel in range(3):
                out[channel::3] = raw[2 - channel : width * step : step]
            return bytes(out)

        return colours
    entries = [*of.palette, *[b"\0\0\0"] * 256][:256]
    tables = [bytes(entry[channel] if len(entry) == 3 else 0 for entry in entries) for channel in range(3)]
    per_byte = 8 // of.bits
    mask = (1 << of.bits) - 1
    spread = [bytes(byte >> (8 - of.bits * (n + 1)) & mask for n in range(per_byte)) for byte in range(256)]

    def indexed(raw: bytes) -> bytes:
        indices = raw[:width] if per_byte == 1 else b"".join([spread[byte] for byte in raw])[:width]
        out = bytearray(width * 3)
        for channel in range(3):
            out[channel::3] = indices.translate(tables[channel])
        return bytes(out)

    return indexed


def same_pixels(source: BinaryIO, of: Header, raw: BinaryIO, length: int) -> bool:
    """Whether raw samples (8 bit, 1 to 4 bands, rows top to bottom, `length` bytes) show the colours of the BMP."""
    pixels = of.width * of.height
    bands, rest = divmod(length, pixels)
    if rest or not 1 <= bands <= 4:
        return False
    for row in rows(source, of):
        got = raw.read(of.width * bands)
        colours = (row[0::3], row[1::3], row[2::3])
        wanted = colours if bands >= 3 else (colours[0],) * 3
        if bands < 3 and len(set(colours)) != 1:
            return False
        if any(got[n::bands] != wanted[n] for n in range(min(bands, 3) if bands >= 3 else 1)):
            return False
    return True
