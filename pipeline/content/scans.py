"""Which files are scans: pictures of pages whose text no program can read yet. Headers and page descriptions alone.

Its libraries read hostile bytes: it runs in workers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import pikepdf
from PIL import Image

Beat = Callable[[], None]

RARE_FREE: Final = frozenset({
    "raw", "group3", "group4", "tiff_ccitt", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg",
})  # fmt: skip
"""Compressions of TIFF that are read everywhere; a TIFF in another one is made anew as TIFF by a rule of its own."""

MODES: Final = frozenset({"1", "L", "P", "RGB"})
"""What a page of paper is scanned as: bilevel, grey, palette, colour, 8 bits a sample at most."""

LEAST_DPI: Final = 150
_MOST_DPI: Final = 1300
_SMALLEST: Final = 3.5
_LARGEST: Final = 50.0
"""Inches of a page's sides: half a postcard, and A0 with room."""

_LONGEST: Final = 2.3
"""Long side by short side of a page at most (a bank slip); rolls and panoramas are no pages."""

_SHEETS: Final = ((1.414, 0.05), (1.294, 0.03), (1.545, 0.02))
"""Shapes of A, Letter and folio paper, with what an edge may lack: asked where a file does not tell its resolution."""

_SHORT_SIDE: Final = {1.414: 8.27, 1.294: 8.5, 1.545: 8.5}
_UNTOLD: Final = 97.0
"""Up to here a resolution is what programs write that know none (72, 96)."""

_CAMERA: Final = (33434, 33437, 34855, 37386)
"""Exif of a camera: time of exposure, aperture, sensitivity, focal length. Scanners have none of them."""

_PAGES: Final = 5_000
_DESCRIPTION: Final = 1 << 20
_DEEP: Final = 4
_COVER: Final = 0.7
"""Share of a page that its pictures have to cover."""

_STAMP: Final = 40
"""Bytes of shown text that a scanner may print on a page (its name, a number) without its being a text layer."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture on a page of PDF: pixels, and the box that it fills in points."""

    width: int
    height: int
    box: tuple[float, float, float, float]
    across: float
    down: float


def look(source: BinaryIO, beat: Beat) -> int:
    """Pages of a PDF, TIFF or JPEG that are scans without text; 0 for every other file, also for one that is broken."""
    source.seek(0)
    head = source.read(1024)
    source.seek(0)
    try:
        if b"%PDF" in head:
            with pikepdf.open(source, suppress_warnings=True, access_mode=pikepdf.AccessMode.stream) as document:
                return sum(1 for dpi in of_pdf(document, beat) if dpi)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.MAX_IMAGE_PIXELS = None  # the header alone is read
            with Image.open(source) as image:
                return of_image(image)
    except (pikepdf.PdfError, pikepdf.PasswordError, OSError, ValueError, SyntaxError, KeyError, TypeError, IndexError,
            EOFError, AttributeError, RuntimeError, RecursionError):  # fmt: skip
        return 0


def of_image(image: Image.Image) -> int:
    """Pages of a TIFF or JPEG when its first one looks like a page of paper; else 0. No pixel is decoded."""
    if image.format not in ("TIFF", "JPEG", "MPO") or image.mode not in MODES or image.width * image.height == 0:
        return 0
    if image.format == "TIFF" and str(image.info.get("compression")) not in RARE_FREE:
        return 0
    exif = image.getexif()
    told = {**exif, **exif.get_ifd(0x8769)}
    if any(tag in told for tag in _CAMERA) or not all(resolution(image)):
        return 0
    return int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1


def resolution(image: Image.Image) -> tuple[float, float]:
    """Dots per inch across and down as the file tells or its shape suggests; zeros: no page of paper."""
    told = image.info.get("dpi")
    if isinstance(told, tuple) and len(told) == 2 and min(float(told[0]), float(told[1])) > _UNTOLD:
        across, down = float(told[0]), float(told[1])
    else:
        across = down = _guessed(image.width, image.height)
        if not across:
            return 0.0, 0.0
    sides = sorted((image.width / across, image.height / down))
    fits = max(across, down) >= LEAST_DPI and max(across, down) <= _MOST_DPI
    paper = sides[0] >= _SMALLEST and sides[1] <= _LARGEST and sides[1] / sides[0] <= _LONGEST
    return (across, down) if fits and paper else (0.0, 0.0)


def _guessed(width: int, height: int) -> float:
    """The resolution at which a picture in the shape of a sheet is a sheet."""
    short, long = sorted((width, height))
    for shape, lack in _SHEETS:
        if abs(long / short - shape) <= lack:
            return short / _SHORT_SIDE[shape]
    return 0.0


def of_pdf(document: pikepdf.Pdf, beat: Beat) -> list[float]:
    """For each page the resolution of its pictures in dots per inch; 0 where it is no scan or has text already.

    Pages behind the 5,000th are not looked at.
    """
    found = []
    for number, page in enumerate(document.pages):
        if not number % 50:
            beat()
        found.append(_of_page(page) if number < _PAGES else 0.0)
    return found


def box_of(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """What is shown of a page, in points: its crop box within its media box."""
    media, crop = ([float(one) for one in box] for box in (page.mediabox, page.cropbox))
    media, crop = ([min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])] for b in (media, crop))
    return (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))


def shown_size(page: pikepdf.Page) -> tuple[float, float]:
    """Width and height of a page as it is shown, in points."""
    left, low, right, high = box_of(page)
    size = right - left, high - low
    return size[::-1] if turned(page) in (90, 270) else size


def turned(page: pikepdf.Page) -> int:
    """How far a page is turned with the clock when it is shown: 0, 90, 180, 270."""
    node: Any = page.obj
    for _ in range(50):
        if "/Rotate" in node:
            return int(node["/Rotate"]) % 360 // 90 * 90
        if "/Parent" not in node:
            break
        node = node["/Parent"]
    return 0


def _of_page(page: pikepdf.Page) -> float:
    try:
        left, low, right, high = box_of(page)
        size = (right - left) * (high - low)
        if size <= 0 or "/UserUnit" in page.obj or _length(page.obj.get("/Contents")) > _DESCRIPTION:
            return 0.0
        covered = best = 0.0
        shown = 0
        for one in _painted(page.obj, page.resources, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), 0):
            if isinstance(one, int):
                shown += one
                if shown > _STAMP:
                    return 0.0
            else:
                a, b, c, d = one.box
                covered += max(0.0, min(c, right) - max(a, left)) * max(0.0, min(d, high) - max(b, low))
                best = max(best, min(one.across, one.down))
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, ZeroDivisionError):
        return 0.0
    return best if covered / size >= _COVER and best >= _UNTOLD else 0.0


def _length(contents: Any) -> int:
    if isinstance(contents, pikepdf.Array):
        return sum(_length(one) for one in contents)
    return int(contents.get("/Length", 0)) if isinstance(contents, pikepdf.Stream) else 0


Matrix = tuple[float, float, float, float, float, float]


def times(one: Matrix, two: Matrix) -> Matrix:
    """The matrix that does `one`, then `two` (PDF's order)."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def _painted(where: Any, resources: Any, start: Matrix, deep: int) -> Iterator[Placed | int]:
    """Pictures and numbers of bytes of shown text, in the order of a page's description."""
    now, kept = start, list[Matrix]()
    objects = resources.get("/XObject", {}) if resources is not None else {}
    for instruction in pikepdf.parse_content_stream(where):
        operator, operands = str(instruction.operator), instruction.operands
        if operator == "q":
            kept.append(now)
        elif operator == "Q" and kept:
            now = kept.pop()
        elif operator == "cm":
            now = times(tuple(float(one) for one in operands), now)  # type: ignore[arg-type]
        elif operator in ("Tj", "'", '"', "TJ"):
            yield _bytes(operands)
        elif operator == "INLINE IMAGE":
            inline: Any = instruction
            yield _placed(int(inline.iimage.width), int(inline.iimage.height), now)
        elif operator == "Do" and (target := objects.get(str(operands[0]))) is not None:
            if target.get("/Subtype") == "/Image":
                yield _placed(int(target["/Width"]), int(target["/Height"]), now)
            elif target.get("/Subtype") == "/Form" and deep < _DEEP:
                inner = tuple(float(one) for one in target.get("/Matrix", (1, 0, 0, 1, 0, 0)))
                yield from _painted(target, target.get("/Resources", resources), times(inner, now), deep + 1)  # type: ignore[arg-type]


def _bytes(operands: Any) -> int:
    shown = 0
    for one in operands:
        for part in one if isinstance(one, pikepdf.Array) else (one,):
            shown += len(bytes(part).strip()) if isinstance(part, pikepdf.String) else 0
    return shown


def _placed(width: int, height: int, matrix: Matrix) -> Placed:
    a, b, c, d, e, f = matrix
    across, down = ((a * a + b * b) ** 0.5, (c * c + d * d) ** 0.5)
    xs, ys = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
    box = (min(xs), min(ys), max(xs), max(ys))
    return Placed(width, height, box, 72.0 * width / across, 72.0 * height / down)
