"""Files of every family that are broken, or made to overload or to fool whoever opens them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pikepdf

from tests.content.characterisation import hostile
from tests.ingest.made_files import DATA, WORDS, docx, sound, svg, zipped

OPEN_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def xlsx(rows: str) -> bytes:
    """An Excel file of one sheet with these rows."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return zipped(
        {
            "[Content_Types].xml": f'<?xml version="1.0"?><Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
            "_rels/.rels": f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{_SHEET}" xmlns:r="{_RELATIONS}"><sheets>'
            '<sheet name="Danh mục" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<?xml version="1.0"?><worksheet xmlns="{_SHEET}"><sheetData>{rows}'
            "</sheetData></worksheet>",
        }
    )


def opendocument(kind: str, content: str, parts: dict[str, str] | None = None) -> bytes:
    """OpenDocument 1.2 of a kind (`text`, `spreadsheet`) with this body."""
    mime = f"application/vnd.oasis.opendocument.{kind}"
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="text/xml"/>'
        for name in ("content.xml", *(parts or {}))
    )
    return zipped(
        {
            "mimetype": mime,
            "content.xml": f'<?xml version="1.0" encoding="UTF-8"?><office:document-content '
            f'xmlns:office="{OPEN_OFFICE}:office:1.0" xmlns:text="{OPEN_OFFICE}:text:1.0" '
            f'xmlns:table="{OPEN_OFFICE}:table:1.0" xmlns:draw="{OPEN_OFFICE}:drawing:1.0" '
            f'xmlns:svg="{OPEN_OFFICE}:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'office:version="1.2"><office:body><office:{kind}>{content}</office:{kind}></office:body>'
            "</office:document-content>",
            **(parts or {}),
            "META-INF/manifest.xml": f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
            f'xmlns:manifest="{OPEN_OFFICE}:manifest:1.0" manifest:version="1.2"><manifest:file-entry '
            f'manifest:full-path="/" manifest:version="1.2" manifest:media-type="{mime}"/>{entries}'
            "</manifest:manifest>",
        },
        stored=("mimetype",),
    )


def _entities() -> bytes:
    """A Word file whose document is XML with entities that unfold without end."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made, zipfile.ZipFile(io.BytesIO(docx())) as plain:
        for name in plain.namelist():
            data = plain.read(name)
            made.writestr(name, hostile.laughs() if name == "word/document.xml" else data)
    return out.getvalue()


def _round_tree() -> bytes:
    """A PDF whose tree of pages holds itself, and whose page draws a form that draws itself."""
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(100, 100))
        form = made.make_stream(b"/F Do")
        form.Type, form.Subtype, form.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, pikepdf.Array([0, 0, 100, 100])
        form.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
        page.Contents = made.make_stream(b"/F Do")
        made.Root.Pages.Kids.append(made.Root.Pages)
        out = io.BytesIO()
        made.save(out, deterministic_id=True)
        return out.getvalue()


def _vast_page() -> bytes:
    """A PDF whose page is 140 km long."""
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(100, 100))
        page.MediaBox = pikepdf.Array([0, 0, 400_000_000, 400_000_000])
        out = io.BytesIO()
        made.save(out, deterministic_id=True)
        return out.getvalue()


def _locked(name: str, password: str) -> bytes:
    with pikepdf.open(DATA / name) as made:
        out = io.BytesIO()
        made.save(out, encryption=pikepdf.Encryption(user=password, owner=password, R=4))
        return out.getvalue()


def _bmp(width: int, height: int, data: bytes) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + head + data


def _pcx(side: int) -> bytes:
    head = bytearray(128)
    head[:4] = b"\x0a\x05\x01\x08"
    struct.pack_into("<HHHH", head, 4, 0, 0, side, side)
    head[65] = 3
    struct.pack_into("<H", head, 66, side + 1)
    return bytes(head) + b"\xff\0" * 2000


def _gif(side: int, frames: int) -> bytes:
    """Frames of one pixel on a screen of this side: each has to be drawn on the whole of it."""
    frame = b"\x21\xf9\x04\x04\x01\0\0\0" + b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02D\x01\0"
    return b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame * frames + b";"


def _webp(side: int) -> bytes:
    """The header of a WebP (VP8X) of a vast canvas without a picture."""
    body = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + struct.pack("<I", side - 1)[:3] * 2
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _tiff_bomb() -> bytes:
    """A TIFF in Zstandard's number of compression whose one strip promises 30,000 × 30,000 pixels."""
    entries = [
        (256, 4, 1, 30_000), (257, 4, 1, 30_000), (258, 3, 1, 8), (259, 3, 1, 50_000), (262, 3, 1, 1), (273, 4, 1, 8),
        (277, 3, 1, 1), (278, 4, 1, 30_000), (279, 4, 1, 8),
    ]  # fmt: skip
    tags = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (
        b"II*\0"
        + struct.pack("<I", 16)
        + b"\x28\xb5\x2f\xfd\0\0\0\0"
        + struct.pack("<H", len(entries))
        + tags
        + bytes(4)
    )


def _aiff(frames: int) -> bytes:
    """An AIFF that promises so many samples and has none."""
    common = b"COMM" + struct.pack(">IhIh", 18, 1, frames, 16) + b"\x40\x0b\xfa\0\0\0\0\0\0\0"
    body = b"AIFF" + common + b"SSND" + struct.pack(">III", 0x7FFFFFF0, 0, 0)
    return b"FORM" + struct.pack(">I", 0x7FFFFFFF) + body


def _avi(side: int) -> bytes:
    """An AVI of one frame of raw pictures that are `side` pixels wide and high, of which there are a few bytes."""
    main = struct.pack("<14I", 40_000, 0, 0, 16, 1, 0, 1, 0, side, side, 0, 0, 0, 0)
    stream = b"vids" + b"DIB " + struct.pack("<IHHIIIIIIIIHHHH", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0, 0, 0)
    shape = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    track = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", shape))
    head = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + track)
    movie = chunk(b"LIST", b"movi" + chunk(b"00db", b"bom!" * 20))
    body = b"AVI " + head + movie
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _flac(seconds: int) -> bytes:
    """A FLAC that promises so many seconds and has no frame."""
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + struct.pack(">Q", 44_100 << 44 | 15 << 36 | seconds * 44_100)
    return b"fLaC" + b"\x80\0\0\x22" + info + bytes(16)


def _zip_bomb() -> bytes:
    """A zip whose hundred names are all the same 200 MB of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    size = 200 << 20
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, 0, len(packed), size, 5, 0) + b"a.txt"
    central = b""
    for number in range(100):
        fields = (20, 20, 0, 8, 0, 33, 0, len(packed), size, 6, 0, 0, 0, 0, 0, 0)
        central += struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *fields) + b"%02d.txt" % number
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 100, 100, len(central), len(local) + len(packed), 0)
    return local + packed + central + end


def _svg_laughs() -> bytes:
    lines = ["<!ENTITY a0 \"<rect width='1' height='1'/>\">"]
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    head, _, body = svg("&a9;").partition(b"\n")
    return head + f"\n<!DOCTYPE svg [{''.join(lines)}]>\n".encode() + body


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text-zeros": lambda: b"So lieu " * 20 + bytes(200_000),
    "text-odd-utf16": lambda: b"\xff\xfe" + WORDS.encode("utf-16-le")[:-1],
    "text-surrogates": lambda: b"\xff\xfe" + (WORDS.encode("utf-16-le") + b"\x00\xd8") * 3,
    "text-noise": lambda: bytes(128 + (number * 37 + number // 7) % 120 for number in range(400)).replace(
        b"\x85", b"\n"
    ),
    "docx-entities": _entities,
    "docx-declared": hostile.zip_bomb,
    "doc-round": hostile.round_compound,
    "pdf-bomb": hostile.pdf_bomb,
    "pdf-round": _round_tree,
    "pdf-vast": _vast_page,
    "pdf-locked": lambda: _locked("vietnamese/pdf/text.pdf", "mat khau"),
    "bmp-vast": lambda: _bmp(60_000, 60_000, b"\0" * 100),
    "bmp-negative": lambda: _bmp(-5, 10, b"\0" * 200),
    "pcx-vast": lambda: _pcx(65_534),
    "gif-frames": lambda: _gif(4_000, 100),
    "webp-vast": lambda: _webp(1 << 24),
    "tiff-bomb": _tiff_bomb,
    "tiff-round": hostile.round_tiff,
    "png-vast": hostile.big_png,
    "png-long": hostile.long_png,
    "aiff-long": lambda: _aiff(0x7FFFFFFF),
    "wav-long": lambda: sound()[:4] + b"\xff\xff\xff\x7f" + sound()[8:40] + b"\xff\xff\xff\x7f" + bytes(100),
    "flac-long": lambda: _flac(1_000_000),
    "avi-vast": lambda: _avi(30_000),
    "mp4-boxes": hostile.boxes_without_end,
    "xml-laughs": hostile.laughs,
    "xml-deep": hostile.deep_xml,
    "svg-laughs": _svg_laughs,
    "zip-bomb": _zip_bomb,
    "zip-cut": lambda: zipped({"a.txt": WORDS * 50})[:100],
}
