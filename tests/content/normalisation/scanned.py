"""Scans of known text, drawn at run time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pikepdf
from PIL import Image

from setup.ocr_accuracy import Look, drawn

SHEET = (5.83, 4.13)
"""Inches of half an A5, lying: big enough for a page of paper, small enough to be read in a second."""

DPI = 200
LOOK = Look(points=14, skew=0.4, blur=0.002, noise=0.15)


def sheet(look: Look = LOOK, dpi: int = DPI, inches: tuple[float, float] = SHEET) -> tuple[Image.Image, str]:
    """A small page in grey (or bilevel) and its text."""
    return drawn(look, dpi, inches, 24)


def photograph(width: int, height: int) -> Image.Image:
    """What no page of paper looks like: shades from black to white."""
    across = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, across.rotate(90).resize((width, height)), across.rotate(180)))


def jpeg(image: Image.Image, dpi: int = DPI, **told: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, dpi=(dpi, dpi), **told)
    return out.getvalue()


def tiff(
    images: Sequence[Image.Image], file: Path, compression: str = "tiff_lzw", dpi: int = DPI, **told: object
) -> Path:
    first, *others = images
    first.save(file, "TIFF", save_all=True, append_images=others, compression=compression, dpi=(dpi, dpi), **told)
    return file


def of_jpeg2000(image: Image.Image, file: Path, dpi: int = DPI) -> Path:
    """A PDF of one page that is a JPEG 2000 without a colour space of its own, as PDF allows."""
    out = io.BytesIO()
    image.save(out, "JPEG2000")
    pdf([jpeg(image)], file, dpi)
    with pikepdf.open(file, allow_overwriting_input=True) as made:
        stream = made.pages[0].obj.Resources.XObject.Im0
        stream.write(out.getvalue(), filter=pikepdf.Name.JPXDecode)
        del stream.ColorSpace, stream.BitsPerComponent
        made.save(file, deterministic_id=True)
    return file


def pdf(pages: Sequence[bytes], file: Path, dpi: int = DPI, rotate: int = 0, over: bytes = b"") -> Path:
    """A PDF with a JPEG a page; `over` is drawn on the first one with the font /F1."""
    with pikepdf.new() as made:
        for number, data in enumerate(pages):
            with Image.open(io.BytesIO(data)) as image:
                width, height, mode = image.width, image.height, image.mode
            page = made.add_blank_page(page_size=(72 * width / dpi, 72 * height / dpi))
            stream = pikepdf.Stream(made, data)
            stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            stream.Width, stream.Height, stream.BitsPerComponent = width, height, 8
            stream.ColorSpace = pikepdf.Name.DeviceGray if mode == "L" else pikepdf.Name.DeviceRGB
            stream.Filter = pikepdf.Name.DCTDecode
            font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1,
                                      BaseFont=pikepdf.Name.Helvetica)  # fmt: skip
            page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=stream))
            if over and not number:
                page.obj.Resources.Font = pikepdf.Dictionary(F1=font)
            size = f"{72 * width / dpi:g} 0 0 {72 * height / dpi:g} 0 0"
            told = f"q {size} cm /Im0 Do Q ".encode() + (over if not number else b"")
            page.obj.Contents = pikepdf.Stream(made, told)
            if rotate:
                page.obj.Rotate = rotate
        made.save(file, deterministic_id=True)
    return file
