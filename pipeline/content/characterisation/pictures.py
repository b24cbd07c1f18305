"""Size, colour and resolution of an image from its header, by Pillow; no pixel is decoded."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageCms, UnidentifiedImageError

_COLOURS = {
    "1": ("bilevel", 1, 1), "L": ("grey", 1, 8), "P": ("palette", 1, 8), "RGB": ("RGB", 3, 8), "RGBA": ("RGBA", 4, 8),
    "RGBX": ("RGB", 4, 8), "CMYK": ("CMYK", 4, 8), "YCbCr": ("YCbCr", 3, 8), "LAB": ("Lab", 3, 8),
    "LA": ("grey with alpha", 2, 8), "PA": ("palette with alpha", 2, 8), "I": ("grey", 1, 32),
    "F": ("grey", 1, 32), "I;16": ("grey", 1, 16),
    "I;16B": ("grey", 1, 16), "I;16L": ("grey", 1, 16),
}  # fmt: skip
_COMPRESSION = {
    "raw": "none", "group3": "CCITT group 3", "group4": "CCITT group 4", "tiff_ccitt": "CCITT RLE", "tiff_lzw": "LZW",
    "tiff_adobe_deflate": "deflate", "tiff_deflate": "deflate", "packbits": "PackBits", "jpeg": "JPEG",
    "tiff_jpeg": "JPEG (old)",
}  # fmt: skip
_OF_FORMAT = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "deflate", "GIF": "LZW", "WEBP": "WebP", "JPEG2000": "JPEG 2000"}
_BITS_PER_SAMPLE = 258
_BARE_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"hIST", b"pHYs")
)
_MOST_HEADS = 10_000


def read(source: BinaryIO) -> dict[str, Any]:
    """What the header tells, by names of the list of properties. Empty when it cannot be read."""
    source.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = None  # the header alone is read: a bomb is told by its size
        try:
            with Image.open(source) as image:
                return _told(image)
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, TypeError, IndexError, EOFError):
            return {}


def _told(image: Image.Image) -> dict[str, Any]:
    colour, samples, bits = _COLOURS.get(image.mode, (image.mode, None, None))
    told: dict[str, Any] = {
        "image width": image.width,
        "image height": image.height,
        "colour space": colour,
        "samples per pixel": samples,
        "bits per sample": bits,
        "compression": _COMPRESSION.get(str(image.info.get("compression")), _OF_FORMAT.get(image.format or "")),
    }
    tags = getattr(image, "tag_v2", None)
    if tags is not None and tags.get(_BITS_PER_SAMPLE):
        depth = tags[_BITS_PER_SAMPLE]
        told["bits per sample"] = depth[0] if isinstance(depth, tuple) else depth
    frames = int(getattr(image, "n_frames", 1))
    if image.format == "TIFF":
        told["page count"] = frames
    elif frames > 1 and image.format != "MPO":
        told["frame count"] = frames
    dpi = image.info.get("dpi")
    if isinstance(dpi, tuple) and len(dpi) == 2 and float(dpi[0]) > 0 and float(dpi[1]) > 0:
        told["horizontal resolution"], told["vertical resolution"] = (round(float(one), 2) for one in dpi)
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        told["colour profile"] = _profile(profile)
    return told


def _profile(data: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(data))).strip() or "without a name"
    except (ImageCms.PyCMSError, OSError, ValueError):
        return "unreadable"


def bare(source: BinaryIO, family: str) -> bool:
    """Whether a whole PNG or JPEG holds the picture alone: no Exif, XMP, text or bytes behind its end to tell more."""
    source.seek(0)
    if family == "png":
        return _bare_png(source)
    return family == "jpeg" and _bare_jpeg(source)


def _bare_png(source: BinaryIO) -> bool:
    source.seek(8)
    for _ in range(_MOST_HEADS):
        head = source.read(8)
        if len(head) < 8:
            return False
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            source.seek(length + 4, 1)
            return not source.read(1)
        if kind not in _BARE_CHUNKS:
            return False
        source.seek(length + 4, 1)
    return False


def _bare_jpeg(source: BinaryIO) -> bool:
    """JFIF, an ICC profile, Adobe's mark of colours are of the picture; every other application segment tells more."""
    source.seek(-2, 2)
    if source.read(2) != b"\xff\xd9":
        return False
    source.seek(2)
    for _ in range(_MOST_HEADS):
        head = source.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xFF, 0xD9):
            return False
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker == 0xDA:
            return True
        if length < 2 or marker == 0xFE:
            return False
        body = source.read(length - 2)
        told = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}.get(marker)
        if (told is None or not body.startswith(told)) and 0xE0 <= marker <= 0xEF:
            return False
    return False
