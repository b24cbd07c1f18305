"""PDF files written by hand: scans in two layers, signed on page 1 or not, and born-digital pages.

Every function gives the same bytes on every run. Pages are small (200 × 283 pt), so that a scan at 300 dpi stays small.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import ImageCms

from tests.packages.tt05.signing import signed

WIDTH, HEIGHT = 200, 283
"""Of a page, in points."""
_HOLE = 8192
"""Hexadecimal digits kept free for a signature."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a PDF is made of. `dpi` 0 = no picture; `colour` RGB or grey; `layer` = text drawn invisibly.

    `signature`: "" none, "stamped" with a time stamp, "plain" without. `catalog` is put into the catalogue as it is.
    """

    lines: tuple[str, ...]
    pages: int = 1
    dpi: int = 300
    colour: bool = True
    layer: bool = True
    pdfa: bool = True
    signature: str = "stamped"
    font: str = "Arial"
    catalog: str = ""


def scan(*lines: str, **more: object) -> bytes:
    """A digitised paper as Art. 8 wants it: PDF/A-2b claim, picture and text layer, a signature on page 1."""
    return made(Page(lines, **more))  # type: ignore[arg-type]


def born(*lines: str, **more: object) -> bytes:
    """A page that was never paper: visible text, nothing else."""
    return made(Page(lines, **{"dpi": 0, "pdfa": False, "signature": ""} | more))  # type: ignore[arg-type]


@cache
def _icc() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((7, 228, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))
    profile[84:100] = bytes(16)
    return bytes(profile)


@cache
def _pixels(dpi: int, colour: bool, seed: str) -> tuple[int, int, bytes]:
    width, height = WIDTH * dpi // 72 + 1, HEIGHT * dpi // 72 + 1
    depth = 3 if colour else 1
    tint = hashlib.sha256(seed.encode()).digest()[:3]
    row = bytes(0xF0 | (one & 0x0F) for one in tint[:depth]) * width
    return width, height, zlib.compress(row * height, 1)


def _stream(head: str, data: bytes) -> bytes:
    return f"<<{head}/Length {len(data)}>>\nstream\n".encode() + data + b"\nendstream"


def _codes(lines: Sequence[str]) -> dict[str, int]:
    return {letter: number for number, letter in enumerate(sorted(set("".join(lines))), 1)}


def _to_unicode(codes: dict[str, int]) -> bytes:
    pairs = "\n".join(f"<{number:04X}> <{letter.encode('utf-16-be').hex()}>" for letter, number in codes.items())
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{len(codes)} beginbfchar\n{pairs}\nendbfchar\n"
        "endcmap end end"
    ).encode()


def _text(lines: Sequence[str], codes: dict[str, int], layer: bool) -> str:
    mode = "3 Tr " if layer else ""
    shown = []
    for number, line in enumerate(lines):
        text = "".join(f"{codes[letter]:04X}" for letter in line)
        shown.append(f"1 0 0 1 10 {HEIGHT - 20 - 14 * number} Tm <{text}> Tj")
    return f"BT {mode}/F1 8 Tf {' '.join(shown)} ET"


@cache
def made(page: Page) -> bytes:
    """The whole file."""
    objects: list[bytes] = [b"", b""]

    def put(data: bytes | str) -> int:
        objects.append(data.encode() if isinstance(data, str) else data)
        return len(objects)

    codes = _codes(page.lines)
    resources = ""
    if page.lines:
        unicode = put(_stream("", _to_unicode(codes)))
        widths = put(
            f"<</Type/FontDescriptor/FontName/{page.font}/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900"
            "/Descent -200/CapHeight 700/StemV 80>>"
        )
        cid = put(
            f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{page.font}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            f"/Supplement 0>>/FontDescriptor {widths} 0 R/DW 500/CIDToGIDMap/Identity>>"
        )
        font = put(
            f"<</Type/Font/Subtype/Type0/BaseFont/{page.font}/Encoding/Identity-H/DescendantFonts[{cid} 0 R]"
            f"/ToUnicode {unicode} 0 R>>"
        )
        resources += f"/Font<</F1 {font} 0 R>>"
    picture = ""
    if page.dpi:
        width, height, data = _pixels(page.dpi, page.colour, "".join(page.lines))
        space = "DeviceRGB" if page.colour else "DeviceGray"
        image = put(
            _stream(
                f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/{space}/BitsPerComponent 8"
                "/Filter/FlateDecode",
                data,
            )
        )
        resources += f"/XObject<</I1 {image} 0 R>>"
        picture = f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm /I1 Do Q "
    kids = []
    tree = len(objects) + 2 * page.pages + 1
    for number in range(page.pages):
        text = _text(page.lines, codes, bool(page.dpi)) if page.lines and (page.layer or not page.dpi) else ""
        content = put(_stream("", (picture + text).encode()))
        annotations = f"/Annots[{tree + 2} 0 R]" if page.signature and not number else ""
        kids.append(
            put(
                f"<</Type/Page/Parent {tree} 0 R/MediaBox[0 0 {WIDTH} {HEIGHT}]/Resources<<{resources}>>"
                f"/Contents {content} 0 R{annotations}>>"
            )
        )
    assert put(f"<</Type/Pages/Count {page.pages}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>") == tree
    form = ""
    if page.signature:
        value = put(
            "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/M(D:20260102030405+07'00')"
            f"/ByteRange[0 {'*' * 10} {'*' * 10} {'*' * 10}]/Contents<{'0' * _HOLE}>>>"
        )
        put(
            f"<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature1)/V {value} 0 R/F 132/P {kids[0]} 0 R"
            f"/Rect[{WIDTH - 90} {HEIGHT - 40} {WIDTH - 10} {HEIGHT - 10}]>>"
        )
        form = f"/AcroForm<</SigFlags 3/Fields[{value + 1} 0 R]>>"
    if page.pdfa:
        profile = put(_stream("/N 3", _icc()))
        intent = f"<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/DestOutputProfile {profile} 0 R>>"
        form += f"/OutputIntents[{intent}]/Metadata {put(_stream('/Type/Metadata/Subtype/XML', _XMP))} 0 R"
    objects[0] = f"<</Type/Catalog/Pages {tree} 0 R{form}{page.catalog}>>".encode()
    objects[1] = b"<</Producer(maker)>>"
    data = _file(objects)
    return _filled(data, page.signature == "stamped") if page.signature else data


_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">'
    "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance><pdf:Producer>maker</pdf:Producer>"
    '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
).encode()


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    at = []
    for number, data in enumerate(objects, 1):
        at.append(len(out))
        out += f"{number} 0 obj\n".encode() + data + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(at) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{one:010} 00000 n \n".encode() for one in at)
    ident = hashlib.sha256(out).hexdigest()[:32]
    out += f"trailer\n<</Size {len(at) + 1}/Root 1 0 R/Info 2 0 R/ID[<{ident}><{ident}>]>>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())


def _filled(data: bytes, stamped: bool) -> bytes:
    """The byte range and the signature put into their places."""
    begin = data.index(b"/Contents<" + b"0" * _HOLE) + len(b"/Contents")
    end = begin + _HOLE + 2
    for number in (begin, end, len(data) - end):
        data = data.replace(b"*" * 10, f"{number:<10}".encode(), 1)
    digest = hashlib.sha256(data[:begin] + data[end:]).digest()
    value = signed(digest, stamped=stamped).hex().encode()
    assert len(value) <= _HOLE
    return data[: begin + 1] + value.ljust(_HOLE, b"0") + data[end - 1 :]


def continued(data: bytes) -> bytes:
    """An incremental update after a signature that is neither a DSS nor a document time-stamp: a new Info."""
    start = len(data)
    previous = int(data.rpartition(b"startxref\n")[2].split(b"\n")[0])
    size = int(data.rpartition(b"/Size ")[2].split(b"/")[0])
    body = b"2 0 obj\n<</Producer(another)>>\nendobj\n"
    table = start + len(body)
    body += f"xref\n2 1\n{start:010} 00000 n \n".encode()
    body += f"trailer\n<</Size {size}/Root 1 0 R/Info 2 0 R/Prev {previous}>>\nstartxref\n{table}\n%%EOF\n".encode()
    return data + body


def broken(data: bytes) -> bytes:
    """A byte changed that the signature covers, without harm to the page."""
    assert b"/Producer(maker)" in data
    return data.replace(b"/Producer(maker)", b"/Producer(mAker)", 1)
