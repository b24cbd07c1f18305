"""Files made to overload readers and checkers: one function a kind, each returns the bytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG with its CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, data: bytes, *, bits: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    """A PNG of these samples as they stand, filter bytes included."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def big_png() -> bytes:
    """60,000 × 60,000 pixels in a few bytes."""
    return png(60_000, 60_000, b"\0" * 1000, bits=1)


def long_png() -> bytes:
    """A small image whose data unpacks to far more than it needs."""
    return png(8, 8, b"\0" * 50_000_000)


def docx(*parts: tuple[str, bytes]) -> bytes:
    """A Word file of the least parts and some more."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        types = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
        relations = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
        made.writestr("[Content_Types].xml", types)
        made.writestr("_rels/.rels", relations)
        made.writestr("word/document.xml", b"<document/>")
        for name, data in parts:
            made.writestr(name, data)
    return out.getvalue()


def zip_bomb() -> bytes:
    """A Word file whose directory declares 1 TB in a member."""
    whole = bytearray(docx(("word/media/bomb.bin", b"x" * 100)))
    at = whole.rindex(b"PK\x01\x02")
    whole[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(whole)


def laughs() -> bytes:
    """XML whose entities unfold to ten thousand million words."""
    lines = ['<!ENTITY a0 "cười">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))]
    return f'<?xml version="1.0"?><!DOCTYPE x [{"".join(lines)}]><x>&a10;</x>'.encode()


def deep_xml() -> bytes:
    """XML nested a hundred thousand times."""
    return b"<a>" * 100_000 + b"</a>" * 100_000


@cache
def pdf_bomb() -> bytes:
    """A PDF whose page's content unpacks to 200 MB."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(200)) + packer.flush()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Resources << >> /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def round_tiff() -> bytes:
    """A TIFF whose second directory points at the first."""
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 1)]
    table = b"".join(struct.pack("<HHIHH", tag, kind, many, value, 0) for tag, kind, many, value in entries)
    first, second = 10, 10 + 2 + len(table) + 4
    directory = struct.pack("<H", len(entries)) + table
    return (b"II*\0" + struct.pack("<I", first) + b"\xff\0" + directory + struct.pack("<I", second)
            + directory + struct.pack("<I", first))  # fmt: skip


def big_tiff() -> bytes:
    """A TIFF that promises a million by a million pixels."""
    entries = [(256, 4, 1, 1_000_000), (257, 4, 1, 1_000_000), (273, 4, 1, 8), (279, 4, 1, 1)]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + table + bytes(4)


def round_compound() -> bytes:
    """A compound file whose directory chain never ends."""
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", head, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIII", head, 44, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE)
    struct.pack_into("<I", head, 76, 0)
    for place in range(80, 512, 4):
        struct.pack_into("<I", head, place, 0xFFFFFFFF)
    table = struct.pack("<128I", 0xFFFFFFFD, 1, *[0xFFFFFFFF] * 126)
    return bytes(head) + table + bytes(512) + bytes(512)


def boxes_without_end() -> bytes:
    """An MP4 of two hundred thousand empty boxes."""
    return struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4s", 8, b"free") * 200_000
