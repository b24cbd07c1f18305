"""PNG, JPEG, GIF, JPEG 2000 and TIFF walked from end to end; PNG is proved whole, the others go on to a decoder."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

from pipeline.content.validity import PIXELS, Beat, Invalid, Judgement, Limit, exactly, size_of, valid
from pipeline.content.validity.boxes import boxes

_STEP = 1 << 20
_SAMPLES = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_MOST_PAGES = 20_000


def png(source: BinaryIO, beat: Beat) -> Judgement:
    """PNG: the CRC of every chunk, their order, and pixel data of exactly the promised length (ISO/IEC 15948)."""
    size_of(source)
    if exactly(source, 8, "the signature") != b"\x89PNG\r\n\x1a\n":
        raise Invalid("no PNG signature")
    wanted: int | None = None
    inflate = zlib.decompressobj()
    got = 0
    number = 0
    seen: list[bytes] = []
    while True:
        head = exactly(source, 8, f"chunk {number}")
        length, kind = struct.unpack(">I4s", head)
        name = kind.decode("ascii", "backslashreplace")
        if length >= 1 << 31 or not kind.isalpha():
            raise Invalid(f"chunk {number} has no valid head")
        check = zlib.crc32(kind)
        left = length
        body = b""
        while left:
            data = exactly(source, min(left, _STEP), f"chunk {name}")
            left -= len(data)
            check = zlib.crc32(data, check)
            if kind == b"IDAT":
                if wanted is None:
                    raise Invalid("pixel data before the header")
                got += _inflated(inflate, data, wanted - got)
                beat()
            elif kind == b"IHDR":
                body += data
        if struct.unpack(">I", exactly(source, 4, f"the CRC of chunk {name}"))[0] != check:
            raise Invalid(f"the CRC of chunk {name} (number {number}) is wrong")
        if kind == b"IHDR":
            if number or length != 13:
                raise Invalid("the header is not the first chunk, or not of 13 bytes")
            wanted = _png_bytes(body)
        elif not number:
            raise Invalid("the first chunk is not the header")
        if seen[-1:] != [kind]:
            seen.append(kind)
        if kind == b"IEND":
            break
        number += 1
    if got != wanted or not inflate.eof:
        raise Invalid(f"pixel data of {got} instead of {wanted} bytes")
    if seen.count(b"IDAT") != 1:
        raise Invalid("the chunks of pixel data do not follow each other")
    after = len(source.read(1))
    return valid("PNG: chunks, CRCs and pixel data are whole" + ("; bytes follow the end" if after else ""))


def _png_bytes(header: bytes) -> int:
    width, height, bits, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
    if not width or not height or colour not in _SAMPLES or bits not in _SAMPLES[colour][1] or interlace > 1:
        raise Invalid(f"impossible header: {width} × {height}, {bits} bits, colour type {colour}")
    if width * height > PIXELS:
        raise Limit(f"{width} × {height} pixels, limit {PIXELS}")
    each = _SAMPLES[colour][0] * bits

    def rows(across: int, down: int) -> int:
        return down * (1 + (across * each + 7) // 8) if across and down else 0

    if not interlace:
        return rows(width, height)
    return sum(rows((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in _PASSES)


def _inflated(inflate: zlib._Decompress, data: bytes, room: int) -> int:
    """Bytes that the data unpacks to, at most one more than there is room for."""
    total = 0
    try:
        while data and not inflate.eof:
            out = len(inflate.decompress(data, _STEP))
            total += out
            if total > room:
                raise Invalid("more pixel data than the header promises")
            data = inflate.unconsumed_tail
            if not out and not data:
                break
    except zlib.error as problem:
        raise Invalid(f"pixel data cannot be unpacked: {problem}") from None
    return total


def jpeg(source: BinaryIO, beat: Beat) -> Judgement:
    """JPEG: every marker segment from SOI to EOI (ITU-T T.81, Annex B); the entropy-coded data goes to a decoder."""
    size_of(source)
    if exactly(source, 2, "the first marker") != b"\xff\xd8":
        raise Invalid("no start of image")
    frames = scans = 0
    marker = _marker(source)
    while marker != 0xD9:
        if 0xD0 <= marker <= 0xD7 or marker == 0x01:
            marker = _marker(source)
            continue
        if marker == 0xD8:
            raise Invalid("a second start of image before the end")
        length = struct.unpack(">H", exactly(source, 2, f"marker {marker:02X}"))[0]
        if length < 2:
            raise Invalid(f"marker {marker:02X} has length {length}")
        body = exactly(source, length - 2, f"marker {marker:02X}")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frames += 1
            _jpeg_frame(body)
        if marker == 0xDA:
            scans += 1
            marker = _scan(source, beat)
        else:
            marker = _marker(source)
    if not frames or not scans:
        raise Invalid("no frame or no scan between start and end of image")
    return valid("JPEG: marker segments from start to end", rest="vips")


def _marker(source: BinaryIO) -> int:
    first = exactly(source, 2, "a marker")
    if first[0] != 0xFF:
        raise Invalid(f"byte {source.tell() - 2}: a marker was expected, found {first.hex()}")
    code = first[1]
    while code == 0xFF:
        code = exactly(source, 1, "a marker")[0]
    return code


def _jpeg_frame(body: bytes) -> None:
    if len(body) < 6:
        raise Invalid("the frame header is too short")
    height, width = struct.unpack_from(">HH", body, 1)
    if width * height > PIXELS:
        raise Limit(f"{width} × {height} pixels, limit {PIXELS}")


def _scan(source: BinaryIO, beat: Beat) -> int:
    """The marker behind a scan's entropy-coded data, in which FF is stuffed with 00 and restarts are allowed."""
    carried = b""
    while True:
        data = source.read(_STEP)
        if not data:
            raise Invalid("the file ends inside a scan, before the end of the image")
        beat()
        whole = carried + data
        at = whole.find(b"\xff")
        while 0 <= at < len(whole) - 1:
            code = whole[at + 1]
            if code == 0xFF:
                at += 1
            elif code == 0 or 0xD0 <= code <= 0xD7:
                at = whole.find(b"\xff", at + 2)
            else:
                source.seek(at + 2 - len(whole), 1)
                return code
        carried = whole[at:] if at >= 0 else b""


def gif(source: BinaryIO, beat: Beat) -> Judgement:
    """GIF: every block up to the trailer (GIF89a, section 12 to 27); the LZW data goes to a decoder."""
    size_of(source)
    head = exactly(source, 13, "the header")
    if head[:6] not in (b"GIF87a", b"GIF89a"):
        raise Invalid("no GIF signature")
    width, height, packed = struct.unpack_from("<HHB", head, 6)
    if width * height > PIXELS:
        raise Limit(f"{width} × {height} pixels, limit {PIXELS}")
    if packed & 0x80:
        exactly(source, 3 << ((packed & 7) + 1), "the colour table")
    frames = 0
    while True:
        kind = exactly(source, 1, "a block")[0]
        if kind == 0x3B:
            break
        if kind == 0x21:
            exactly(source, 1, "an extension")
        elif kind == 0x2C:
            frames += 1
            packed = exactly(source, 9, "an image descriptor")[8]
            if packed & 0x80:
                exactly(source, 3 << ((packed & 7) + 1), "a colour table")
            exactly(source, 1, "an image")
        else:
            raise Invalid(f"byte {source.tell() - 1}: unknown block {kind:02X}")
        while length := exactly(source, 1, "a block")[0]:
            exactly(source, length, "a block")
        beat()
    if not frames:
        raise Invalid("no image in the file")
    return valid("GIF: blocks up to the trailer", rest="vips")


def jp2(source: BinaryIO, beat: Beat) -> Judgement:
    """JPEG 2000: the boxes fill the file, the codestream goes from SOC to EOC (ISO/IEC 15444-1, Annexes A and I)."""
    size = size_of(source)
    found = [(box.kind, box) for box in boxes(source, 0, size)]
    kinds = [kind for kind, _ in found]
    if kinds[:2] != [b"jP  ", b"ftyp"] or b"jp2h" not in kinds or b"jp2c" not in kinds:
        raise Invalid("the boxes jP, ftyp, jp2h and jp2c are not all there")
    header = next(box for kind, box in found if kind == b"jp2h")
    image = next((box for box in boxes(source, header.start, header.end) if box.kind == b"ihdr"), None)
    if image is None:
        raise Invalid("the header holds no image header")
    source.seek(image.start)
    height, width = struct.unpack(">II", exactly(source, 8, "the image header"))
    if width * height > PIXELS:
        raise Limit(f"{width} × {height} pixels, limit {PIXELS}")
    for kind, box in found:
        if kind == b"jp2c":
            source.seek(box.start)
            if exactly(source, 2, "the codestream") != b"\xff\x4f":
                raise Invalid("the codestream has no start")
            source.seek(box.end - 2)
            if exactly(source, 2, "the codestream") != b"\xff\xd9":
                raise Invalid("the codestream has no end")
    beat()
    return valid("JPEG 2000: boxes, start and end of the codestream", rest="vips")


def tiff(source: BinaryIO, beat: Beat) -> Judgement:
    """TIFF and BigTIFF: every directory, every strip and tile inside the file (TIFF 6.0); the data is a decoder's."""
    size = size_of(source)
    head = exactly(source, 8, "the header")
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None:
        raise Invalid("no TIFF byte order")
    magic = struct.unpack_from(order + "H", head, 2)[0]
    if magic == 42:
        big, at = False, struct.unpack_from(order + "I", head, 4)[0]
    elif magic == 43:
        big, at = True, struct.unpack(order + "Q", exactly(source, 8, "the header"))[0]
    else:
        raise Invalid(f"the version is {magic}, not 42 or 43")
    seen: set[int] = set()
    while at:
        if at in seen or len(seen) >= _MOST_PAGES:
            raise Invalid("the directories go in a circle")
        seen.add(at)
        at = _directory(source, order, big, at, size, len(seen), beat)
        beat()
    if not seen:
        raise Invalid("no image directory")
    return valid(f"TIFF: pages {len(seen)}, all data inside the file", rest="vips")


_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_DEFLATED = (8, 32946)
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}


def _directory(source: BinaryIO, order: str, big: bool, at: int, size: int, page: int, beat: Beat) -> int:
    """Checks one directory; the place of the next one, 0 at the end."""
    if at >= size:
        raise Invalid(f"directory {page} lies behind the end of the file")
    source.seek(at)
    where = f"directory {page}"
    count = struct.unpack(order + ("Q" if big else "H"), exactly(source, 8 if big else 2, where))[0]
    each = 20 if big else 12
    if not count or count > 65535:
        raise Invalid(f"directory {page} has {count} entries")
    table = exactly(source, count * each, where)
    following: int = struct.unpack(order + ("Q" if big else "I"), exactly(source, 8 if big else 4, where))[0]
    values: dict[int, tuple[int, ...]] = {}
    for number in range(count):
        tag, kind = struct.unpack_from(order + "HH", table, number * each)
        many = struct.unpack_from(order + ("Q" if big else "I"), table, number * each + 4)[0]
        room = 8 if big else 4
        length = many * _WIDTHS.get(kind, 1)
        inline = table[number * each + each - room : number * each + each]
        place = 0
        if length > room:
            place = struct.unpack(order + ("Q" if big else "I"), inline)[0]
            if place + length > size:
                raise Invalid(f"directory {page}: the values of tag {tag} lie behind the end of the file")
        if tag in (256, 257, 259, 273, 279, 324, 325) and kind in _CODES and many <= 10_000_000:
            if length > room:
                source.seek(place)
                raw = exactly(source, length, f"tag {tag}")
            else:
                raw = inline[:length]
            values[tag] = struct.unpack(f"{order}{many}{_CODES[kind]}", raw)
    _data(values, size, page)
    if values.get(259, (0,))[0] in _DEFLATED:
        _sums(source, values, page, beat)
    return following


def _sums(source: BinaryIO, values: dict[int, tuple[int, ...]], page: int, beat: Beat) -> None:
    """Deflated strips and tiles to their end, where the sum of what was packed stands: libtiff does not look at it."""
    for offsets, counts, what in ((273, 279, "strip"), (324, 325, "tile")):
        for number, (start, length) in enumerate(zip(values.get(offsets, ()), values.get(counts, ()), strict=False), 1):
            source.seek(start)
            inflate = zlib.decompressobj()
            try:
                while length > 0 and not inflate.eof:
                    data = source.read(min(length, _STEP))
                    length -= len(data)
                    while data and not inflate.eof:
                        inflate.decompress(data, _STEP)
                        data = inflate.unconsumed_tail
                    beat()
            except zlib.error as problem:
                raise Invalid(f"directory {page}: {what} {number} cannot be unpacked: {problem}") from None


def _data(values: dict[int, tuple[int, ...]], size: int, page: int) -> None:
    width, height = (values.get(tag, (0,))[0] for tag in (256, 257))
    if not width or not height:
        raise Invalid(f"directory {page} tells no width or height")
    if width * height > PIXELS:
        raise Limit(f"{width} × {height} pixels, limit {PIXELS}")
    for offsets, counts, what in ((273, 279, "strip"), (324, 325, "tile")):
        starts, lengths = values.get(offsets, ()), values.get(counts, ())
        if starts and lengths and len(starts) != len(lengths):
            raise Invalid(f"directory {page}: {len(starts)} places of {what}s, but {len(lengths)} lengths")
        for number, (start, length) in enumerate(zip(starts, lengths, strict=False), 1):
            if start + length > size:
                raise Invalid(f"directory {page}: {what} {number} ends behind the end of the file")
    if 273 not in values and 324 not in values:
        raise Invalid(f"directory {page} has no image data")
