"""Two-layer PDF: the picture of each page as it was, and over it the text that was read, invisible.

Its libraries are heavy: workers alone import it, see `registry.warm`.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import covariance, median, pvariance
from typing import Any, BinaryIO, Final

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageChops

from pipeline.content import scans
from pipeline.content.normalisation.made import Failed
from pipeline.content.normalisation.ocrtext import Line, Page, Word
from pipeline.content.normalisation.registry import Beat
from pipeline.content.scans import Matrix

_FONT: Final = "/LuutruOCR"
_EM: Final = 1000
_ADVANCE: Final = 500
_LOW, _HIGH = -200, 800
_STEEPEST: Final = 0.2
_MOST_CHARACTERS: Final = 60_000
_POINTS: Final = 14_400.0
"""The longest side of a page that PDF/A-2 allows."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture as PDF has it: entries of its dictionary, its stream, what it takes on the page in points."""

    entries: Mapping[str, Any]
    data: bytes
    profile: bytes
    points: tuple[float, float]
    orientation: int


def pictures_as_pdf(source: BinaryIO, target: BinaryIO, most_pages: int, most_pixels: int, beat: Beat) -> int:
    """A PDF with a page for each page of a TIFF, or for a JPEG; how many. No sample is changed; TIFF is turned upright.

    A JPEG is taken in byte by byte, bilevel pages become CCITT group 4, others deflate. Resolution, colour profile and
    orientation are carried over. Failed: too many pages, too many pixels on one, a page that is none, damage.
    """
    Image.MAX_IMAGE_PIXELS = None  # limits are the caller's, asked before anything is decoded
    try:
        source.seek(0)
        with Image.open(source) as image, pikepdf.new() as document:
            pages = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
            if pages > most_pages:
                raise Failed("FMT-OCR-MANY", str(pages), str(most_pages), attempted=False)
            for number in range(pages):
                beat()
                if pages > 1:
                    image.seek(number)
                if image.width * image.height > most_pixels:
                    size = f"{image.width} × {image.height}"
                    raise Failed("FMT-CONVERT-BIG", size, str(most_pixels), attempted=False)
                _add(document, _picture(source, image))
            document.save(target, deterministic_id=True)
            return pages
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, EOFError, struct.error, zlib.error,
            RuntimeError, pikepdf.PdfError) as problem:  # fmt: skip
        raise Failed("FMT-CONVERT-DAMAGED", " ".join(str(problem).split())[:200] or type(problem).__name__) from None


def _picture(source: BinaryIO, image: Image.Image) -> _Picture:
    across, down = scans.resolution(image)
    if image.mode not in scans.MODES:
        raise Failed("FMT-CONVERT-FAILED", f"a page in {image.mode}", ", ".join(sorted(scans.MODES)))
    orientation = int(image.getexif().get(0x0112, 1) or 1)
    if image.format == "TIFF":  # Pillow turns it upright, its sides are those of the page as it is shown
        across, down = (down, across) if orientation in (5, 6, 7, 8) else (across, down)
        orientation = 1
    profile = image.info.get("icc_profile")
    if not across:  # a page of another kind among others: its pixels as if of 200 dots per inch
        across = down = 200.0
    points = (min(_POINTS, 72.0 * image.width / across), min(_POINTS, 72.0 * image.height / down))
    entries: dict[str, Any] = {"/Width": image.width, "/Height": image.height, "/BitsPerComponent": 8}
    if image.format in ("JPEG", "MPO"):
        entries |= {"/Filter": pikepdf.Name.DCTDecode, "/ColorSpace": _space(image.mode)}
        source.seek(0)
        data = source.read()
        image.load()  # a JPEG that breaks off is told here
    elif image.mode == "1":
        parameters = {"/K": -1, "/Columns": image.width, "/Rows": image.height}
        entries |= {"/BitsPerComponent": 1, "/ColorSpace": _space("1"), "/Filter": pikepdf.Name.CCITTFaxDecode,
                    "/DecodeParms": pikepdf.Dictionary(parameters)}  # fmt: skip
        data = _group4(image)
    else:
        samples = _plain(image)
        colours = len(samples.getbands())
        parameters = {"/Predictor": 15, "/Colors": colours, "/BitsPerComponent": 8, "/Columns": image.width}
        entries |= {"/ColorSpace": _space(samples.mode), "/Filter": pikepdf.Name.FlateDecode,
                    "/DecodeParms": pikepdf.Dictionary(parameters)}  # fmt: skip
        data = _deflated(samples)
    bands = 1 if entries["/ColorSpace"] == pikepdf.Name.DeviceGray else 3
    fits = isinstance(profile, bytes) and _profile_fits(profile, bands) and image.mode != "1"
    return _Picture(entries, data, bytes(profile or b"") if fits else b"", points, orientation)


def _space(mode: str) -> Any:
    return pikepdf.Name.DeviceRGB if mode == "RGB" else pikepdf.Name.DeviceGray


def _plain(image: Image.Image) -> Image.Image:
    """Grey or RGB; a palette of greys becomes grey."""
    if image.mode != "P":
        return image
    palette = image.getpalette() or []
    grey = all(palette[at] == palette[at + 1] == palette[at + 2] for at in range(0, len(palette) - 2, 3))
    return image.convert("L" if grey else "RGB")


def _group4(image: Image.Image) -> bytes:
    """The rows of a bilevel page in CCITT group 4, white paper being what the code calls white."""
    out = io.BytesIO()
    ImageChops.invert(image).save(out, "TIFF", compression="group4", tiffinfo={278: image.height})
    with Image.open(out) as written:
        tags: Any = written.tag_v2  # type: ignore[attr-defined]
        starts, sizes = tags[273], tags[279]
        if tags.get(266, 1) != 1 or len(starts) != 1 or tags[262] != 1:
            raise ValueError("group 4 in several strips")
    return out.getvalue()[starts[0] : starts[0] + sizes[0]]


def _deflated(image: Image.Image) -> bytes:
    """The rows as PNG filters and deflates them, which PDF knows as predictor 15."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    data, at, found = out.getvalue(), 8, []
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            found.append(data[at + 8 : at + 8 + size])
        at += size + 12
    return b"".join(found)


def deflate(picture: pikepdf.Stream, pixels: int) -> bool:
    """Gives a JPEG 2000 picture of a PDF the same samples deflated; whether that could be done."""
    if int(picture.get("/SMaskInData", 0)) or "/Decode" in picture or int(picture.Width) * int(picture.Height) > pixels:
        return False
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(picture.read_raw_bytes())) as image:
        if image.mode not in ("L", "RGB") or image.size != (int(picture.Width), int(picture.Height)):
            return False
        data, bands = _deflated(image), len(image.getbands())
        mode = image.mode
    space = picture.get("/ColorSpace")
    if space is None or space not in (pikepdf.Name.DeviceGray, pikepdf.Name.DeviceRGB):
        named = isinstance(space, pikepdf.Array) and space[0] == "/ICCBased" and int(space[1].get("/N", 0)) == bands
        if space is not None and not named:
            return False
    parameters = {"/Predictor": 15, "/Colors": bands, "/BitsPerComponent": 8, "/Columns": int(picture.Width)}
    picture.write(data, filter=pikepdf.Name.FlateDecode, decode_parms=pikepdf.Dictionary(parameters))
    picture.BitsPerComponent = 8
    if space is None:
        picture.ColorSpace = _space(mode)
    return True


def _profile_fits(profile: bytes, bands: int) -> bool:
    """Whether PDF/A-2 takes an ICC profile: version 2 or 4, of a monitor, scanner, printer or space."""
    space = {b"GRAY": 1, b"RGB ": 3}.get(profile[16:20])
    return (len(profile) > 128 and profile[8] in (2, 4) and profile[36:40] == b"acsp" and space == bands
            and profile[12:16] in (b"mntr", b"scnr", b"prtr", b"spac"))  # fmt: skip


_TURNED: Final = {
    1: (1, 0, 0, 1, 0, 0), 2: (-1, 0, 0, 1, 1, 0), 3: (-1, 0, 0, -1, 1, 1), 4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1), 6: (0, -1, 1, 0, 0, 1), 7: (0, 1, 1, 0, 0, 0), 8: (0, 1, -1, 0, 1, 0),
}  # fmt: skip
"""Orientation after TIFF and Exif as a matrix of the unit square."""


def _add(document: pikepdf.Pdf, picture: _Picture) -> None:
    width, height = picture.points
    turned = _TURNED.get(picture.orientation, _TURNED[1])
    if turned[0] == 0:
        width, height = height, width
    page = document.add_blank_page(page_size=(round(width, 3), round(height, 3)))
    stream = pikepdf.Stream(document, picture.data)
    stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    for key, value in picture.entries.items():
        stream[key] = value
    if picture.profile:
        profile = pikepdf.Stream(document, picture.profile)
        profile.N = 1 if stream.ColorSpace == pikepdf.Name.DeviceGray else 3
        stream.ColorSpace = pikepdf.Array([pikepdf.Name.ICCBased, document.make_indirect(profile)])
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=document.make_indirect(stream)))
    a, b, c, d, e, f = scans.times(turned, (round(width, 3), 0, 0, round(height, 3), 0, 0))
    page.obj.Contents = pikepdf.Stream(document, f"q {a:g} {b:g} {c:g} {d:g} {e:g} {f:g} cm /Im0 Do Q".encode())


def samples(document: pikepdf.Pdf) -> Iterator[tuple[bytes, int, int, int]]:
    """Of each page made by `pictures_as_pdf`: samples of 8 bits row by row (bilevel: 0 and 255), width, height, bands.

    Of a JPEG the stream itself, as it is in the file, with 0 bands.
    """
    for page in document.pages:
        stream: Any = page.resources["/XObject"]["/Im0"]
        width, height = int(stream.Width), int(stream.Height)
        if stream.Filter == pikepdf.Name.DCTDecode:
            yield stream.read_raw_bytes(), width, height, 0
            continue
        image = pikepdf.PdfImage(stream).as_pil_image() if int(stream.BitsPerComponent) == 1 else None
        if image is not None:
            yield image.convert("L").tobytes(), width, height, 1
        else:
            data = stream.read_bytes()
            yield data, width, height, len(data) // (width * height)


def add_text(document: pikepdf.Pdf, pages: Iterable[tuple[Page, float]], language: str) -> int:
    """Lays the words of pages over them, invisible, and returns their number. With each page: its pixels per inch.

    A page whose words are none is left as it is; so is the document when that is all of them.
    """
    laid = [(page, dpi) for page, dpi in pages if page.words]
    if not laid:
        return 0
    characters = sorted({char for page, _ in laid for word in page.words for char in word.text} | {" "})
    if len(characters) > _MOST_CHARACTERS:
        raise ValueError(f"more than {_MOST_CHARACTERS} different characters")
    codes = {char: number for number, char in enumerate(characters, 1)}
    font = document.make_indirect(_font(document, codes))
    count = 0
    for page, dpi in laid:
        target = document.pages[page.number - 1]
        name = target.add_resource(font, pikepdf.Name.Font, pikepdf.Name(_FONT))
        target.contents_add(pikepdf.Stream(document, b"q"), prepend=True)
        target.contents_add(pikepdf.Stream(document, _description(target, page, dpi, codes, str(name))))
        count += len(page.words)
    if language and "/Lang" not in document.Root:
        document.Root.Lang = pikepdf.String(language)
    return count


def shown_to_user(page: pikepdf.Page, dpi: float) -> Matrix:
    """From pixels of the page as it is shown, upper left corner first, to points of its description."""
    left, low, right, high = scans.box_of(page)
    one = 72.0 / dpi
    return {
        0: (one, 0.0, 0.0, -one, left, high),
        90: (0.0, one, one, 0.0, left, low),
        180: (-one, 0.0, 0.0, one, right, low),
        270: (0.0, -one, -one, 0.0, right, high),
    }[scans.turned(page)]


def _description(page: pikepdf.Page, read: Page, dpi: float, codes: Mapping[str, int], name: str) -> bytes:
    to_user = shown_to_user(page, dpi)
    out = ["Q", "q BT 3 Tr"]
    for block in read.blocks:
        for line in block.lines:
            out.append(f"{name} {_number(line.size * 72.0 / dpi)} Tf")
            last = len(line.words) - 1
            base = _base(line)
            out += [
                _shown(word, line, base, to_user, dpi, codes, number == last) for number, word in enumerate(line.words)
            ]
    return "\n".join([*out, "ET Q"]).encode()


def _base(line: Line) -> tuple[float, float]:
    """The baseline as (fall, level): y = level + fall · x for lines that run across, else x = level + fall · y.

    Of a line that is turned tesseract tells none: it runs as the middles of its words do, along their lower edges.
    """
    if line.angle == 0:
        left, _, _, bottom = line.box
        return line.slope, bottom + line.offset - line.slope * left
    boxes = [word.box if line.angle == 180 else (*word.box[1::-1], *word.box[:1:-1]) for word in line.words]
    along = [(box[0] + box[2]) / 2 for box in boxes]
    across = [(box[1] + box[3]) / 2 for box in boxes]
    spread = pvariance(along)
    fall = covariance(along, across) * (len(along) - 1) / len(along) / spread if spread else 0.0
    fall = max(-_STEEPEST, min(_STEEPEST, fall))
    edge = 3 if line.angle == 90 else 1
    return fall, median(box[edge] - fall * middle for box, middle in zip(boxes, along, strict=True))


def _shown(
    word: Word, line: Line, base: tuple[float, float], to_user: Matrix, dpi: float, codes: Mapping[str, int], last: bool
) -> str:
    """One word on its baseline, as wide as its box, with a blank behind it."""
    left, top, right, bottom = word.box
    fall, level = base
    start, along = {
        0: ((left, level + fall * left), (1.0, fall)),
        90: ((level + fall * bottom, bottom), (-fall, -1.0)),
        180: ((right, level + fall * right), (-1.0, -fall)),
        270: ((level + fall * top, top), (fall, 1.0)),
    }[line.angle]
    length = (along[0] ** 2 + along[1] ** 2) ** 0.5
    ux, uy = along[0] / length, along[1] / length
    a, b, c, d, e, f = to_user
    scale = dpi / 72.0
    # letters stand on the baseline: up is along, turned against the clock as it is seen
    columns = [
        scale * (a * ux + c * uy),
        scale * (b * ux + d * uy),
        scale * (a * uy - c * ux),
        scale * (b * uy - d * ux),
        a * start[0] + c * start[1] + e,
        b * start[0] + d * start[1] + f,
    ]
    extent = (right - left) if line.angle in (0, 180) else (bottom - top)
    stretch = 100.0 * extent / (len(word.text) * line.size * _ADVANCE / _EM)
    text = word.text if last else word.text + " "
    shown = "".join(f"{codes[char]:04X}" for char in text)
    return f"{' '.join(_number(one) for one in columns)} Tm {_number(stretch)} Tz <{shown}> Tj"


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 0.00005 else "0"


def _font(document: pikepdf.Pdf, codes: Mapping[str, int]) -> pikepdf.Dictionary:
    """A font with the same box for each character, half as wide as it is high.

    It is never painted. Blank glyphs would do for most readers, but PDFium loses lines of them that run upwards.
    """
    name = pikepdf.Name("/LuutruInvisible")
    program = pikepdf.Stream(document, _program(len(codes)))
    described = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor, FontName=name, Flags=4, FontBBox=[0, _LOW, _ADVANCE, _HIGH], ItalicAngle=0,
        Ascent=_HIGH, Descent=_LOW, CapHeight=_HIGH, StemV=80, FontFile2=document.make_indirect(program),
    )  # fmt: skip
    below = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.CIDFontType2, BaseFont=name, DW=_ADVANCE,
        CIDSystemInfo=pikepdf.Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        CIDToGIDMap=pikepdf.Name.Identity, FontDescriptor=document.make_indirect(described),
    )  # fmt: skip
    return pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type0, BaseFont=name, Encoding=pikepdf.Name("/Identity-H"),
        DescendantFonts=[document.make_indirect(below)],
        ToUnicode=document.make_indirect(pikepdf.Stream(document, _to_unicode(codes))),
    )  # fmt: skip


def _program(glyphs: int) -> bytes:
    """TrueType of so many boxes behind the first one, which stands for what is missing."""
    order = [".notdef", *(f"g{number}" for number in range(1, glyphs + 1))]
    font = FontBuilder(_EM, isTTF=True)
    font.setupGlyphOrder(order)
    font.setupCharacterMap({0xE000 + number: name for number, name in enumerate(order[1:2])})
    pen = TTGlyphPen(None)
    pen.moveTo((0, _LOW))
    for point in ((0, _HIGH), (_ADVANCE, _HIGH), (_ADVANCE, _LOW)):
        pen.lineTo(point)
    pen.closePath()
    box = pen.glyph()
    font.setupGlyf(dict.fromkeys(order, box))
    font.setupHorizontalMetrics(dict.fromkeys(order, (_ADVANCE, 0)))
    font.setupHorizontalHeader(ascent=_HIGH, descent=_LOW)
    font.setupNameTable({"familyName": "LuutruInvisible", "styleName": "Regular", "psName": "LuutruInvisible"})
    font.setupOS2(sTypoAscender=_HIGH, sTypoDescender=_LOW, usWinAscent=_HIGH, usWinDescent=-_LOW)
    font.setupPost(keepGlyphNames=False)
    font.font["head"].created = font.font["head"].modified = 3_000_000_000  # seconds since 1904: always the same
    font.font.recalcTimestamp = False
    out = io.BytesIO()
    font.font.save(out)
    return out.getvalue()


def _to_unicode(codes: Mapping[str, int]) -> bytes:
    pairs = [f"<{code:04X}> <{char.encode('utf-16-be').hex().upper()}>" for char, code in codes.items()]
    parts = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]
    body = "\n".join(f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar" for part in parts)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{body}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    ).encode("ascii")
