"""What a picture says of itself, and whether its end is there; pixels are not decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from PIL import Image, UnidentifiedImageError

_TAIL: Final = 1 << 16
_MOST_FRAMES: Final = 10_000
_BITS: Final = {"1": 1, "L": 8, "P": 8, "LA": 8, "I;16": 16, "I": 32, "F": 32, "RGB": 24, "RGBA": 24, "CMYK": 32,
                "YCbCr": 24, "LAB": 24, "HSV": 24, "RGBX": 24, "PA": 8}  # fmt: skip


_FAULTS: Final = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, OverflowError
)  # fmt: skip
"""What the library raises on pictures that are not whole."""


@dataclass(slots=True)
class Picture:
    """`why` is empty when the file could be opened; `dpi` None when it tells none; `bits` a pixel; `pages` = frames."""

    why: str = ""
    dpi: float | None = None
    bits: int | None = None
    pages: int = 1


def look(source: BinaryIO, kind: str) -> Picture:
    """Header and end of a JPEG, PNG, GIF or TIFF."""
    source.seek(0)
    try:
        with Image.open(source, formats=(kind.removeprefix("image/").upper(),)) as image:
            told = image.info.get("dpi")
            pages = min(int(getattr(image, "n_frames", 1)), _MOST_FRAMES) if kind == "image/tiff" else 1
            found = Picture("", _least(told), _BITS.get(image.mode), pages)
            if kind == "image/tiff" and not _strips_held(image, source):
                return Picture("the end is missing")
    except _FAULTS as problem:
        return Picture(str(problem).partition("<")[0].strip()[:200] or type(problem).__name__)
    return found if _ends(source, kind) else Picture("the end is missing")


def _strips_held(image: Any, source: BinaryIO) -> bool:
    """Whether the strips or tiles of the first picture of a TIFF lie inside the file."""
    size = source.seek(0, os.SEEK_END)
    for offsets, counts in ((273, 279), (324, 325)):
        at, length = image.tag_v2.get(offsets), image.tag_v2.get(counts)
        if (
            at
            and length
            and any(start + count > size for start, count in zip(_tuple(at), _tuple(length), strict=False))
        ):
            return False
    return True


def _tuple(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (int(value),)


def _least(told: Any) -> float | None:
    """The lower of the two resolutions; a value of 1 or 0 says nothing."""
    try:
        values = [float(one) for one in told]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return min(values) if values and min(values) > 1 else None


def _ends(source: BinaryIO, kind: str) -> bool:
    if kind == "image/tiff":
        return True  # its directory was read, wherever it lies
    size = source.seek(0, os.SEEK_END)
    source.seek(max(0, size - _TAIL))
    tail = source.read(_TAIL)
    mark = {"image/jpeg": b"\xff\xd9", "image/png": b"IEND\xaeB`\x82", "image/gif": b";"}[kind]
    return mark in tail
