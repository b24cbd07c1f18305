"""Images into TIFF with what they say about themselves, TIFF out of rare compressions, reading copies."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.content.normalisation.calls import Calls, read_header
from pipeline.content.normalisation.made import Failed, Made, Told
from pipeline.content.normalisation.registry import ActionWithPrograms, Beat, Look
from pipeline.content.normalisation.rules import Action
from pipeline.tools.decoders import EXIFTOOL
from pipeline.tools.program import Program
from pipeline.tools.tiffcp import TIFFCP
from pipeline.tools.vips import VIPS, VIPSHEADER, VIPSTHUMBNAIL

_SAVED = "[compression=deflate,predictor=horizontal]"
_TODAY = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34712})
"""Compressions of TIFF that are read everywhere: none, CCITT, LZW, JPEG, deflate, PackBits, JPEG 2000."""

_MOST_PAGES = 10_000


def tiff(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """TIFF by vips, then its metadata (Exif, XMP, IPTC) by ExifTool; colour profile and resolution are kept by vips.

    Arguments: `pages` (all pages or frames, not the first alone), `upright` (the decoder turns the picture, so its
    orientation is not carried over), `comment` (the comment of a GIF becomes the description), `layers` (the first page
    is the whole picture, the others are what it is put together of, and told).
    """
    pages = "n=-1," if "pages" in action.arguments else ""
    result = out / action.results[0].file
    with calls.folder() as folder:
        plain = folder / "plain.tif"
        ran = calls.run(VIPS, ["copy", f"{{in}}/source[{pages}fail_on=warning]", f"{{out}}/plain.tif{_SAVED}"],
                        {"source": source}, folder)  # fmt: skip
        calls.ran_well(ran, VIPS, plain)
        told = ["-q", "-q", "-TagsFromFile", "{in}/source", "-all:all"]
        told += ["--Orientation"] if "upright" in action.arguments else []
        told += ["-ImageDescription<Comment"] if "comment" in action.arguments else []
        told += ["-o", f"{{out}}/{result.name}", "{in}/plain.tif"]
        tagged = calls.run(EXIFTOOL, told, {"source": source, "plain.tif": plain}, out)
        calls.ran_well(tagged, EXIFTOOL, result)
    programs = tuple((one.name, one.version or "") for one in (VIPS, EXIFTOOL))
    frames, timed = _frames(source, calls) if pages else (1, False)
    notes = (f"pages={frames}",) if frames > 1 else ()
    lost = [Told("FMT-IMAGE-FRAMES", found=str(frames))] if timed else []
    if "layers" in action.arguments and (layers := _frames(source, calls)[0] - 1) > 0:
        lost.append(Told("FMT-IMAGE-LAYERS", found=str(layers)))
    return Made(notes=notes, told=tuple(lost), programs=programs, sandbox=ran.sandbox)


def reading(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """A JPEG in sRGB, upright, of at most so many pixels a side, never larger than the original; white behind what is
    transparent.

    Arguments: longest side, quality, and `whole` where the picture has to be decoded before it is made smaller.
    """
    side, quality = (int(word) for word in action.arguments[:2])
    result = out / action.results[0].file
    with calls.folder() as folder:
        if "whole" in action.arguments:
            whole = calls.run(
                VIPS, ["copy", "{in}/source[fail_on=warning]", "{out}/whole.v"], {"source": source}, folder
            )
            calls.ran_well(whole, VIPS, folder / "whole.v")
            source = folder / "whole.v"
        name = "whole.v" if "whole" in action.arguments else "source"
        told = [f"{{in}}/{name}", "-s", f"{side}x{side}>", "--export-profile", "srgb",
                "-o", f"{{out}}/{result.name}[Q={quality},background=255]"]  # fmt: skip
        ran = calls.run(VIPSTHUMBNAIL, told, {name: source}, out)
        calls.ran_well(ran, VIPSTHUMBNAIL, result)
    return Made(programs=((VIPSTHUMBNAIL.name, VIPSTHUMBNAIL.version or ""),), sandbox=ran.sandbox)


def _frames(source: Path, calls: Calls) -> tuple[int, bool]:
    """Pages or frames, and whether they follow one another in time."""
    told = read_header(source, calls)
    pages = int(told.get("n-pages", "1"))
    return pages, pages > 1 and told.get("vips-loader", "").startswith(("gif", "webp"))


def of_today(source: BinaryIO, beat: Beat) -> bool:
    """Whether a TIFF is compressed as programs of today read it, all its pages."""
    try:
        found = compressions(source)
    except (struct.error, ValueError):
        return False
    return bool(found) and found <= _TODAY


def compressions(source: BinaryIO) -> set[int]:
    """Values of the tag Compression of all directories of a TIFF or BigTIFF. ValueError when it is none."""
    source.seek(0)
    head = source.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise ValueError("no TIFF")
    big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
    offset = struct.unpack_from(f"{order}Q", head, 8)[0] if big else struct.unpack_from(f"{order}I", head, 4)[0]
    found: set[int] = set()
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < _MOST_PAGES:
        seen.add(offset)
        source.seek(offset)
        (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", source.read(8 if big else 2))
        size = 20 if big else 12
        if count > 4096:
            raise ValueError("too many tags")
        tags = source.read(count * size)
        value = 1
        for at in range(0, count * size, size):
            tag, kind = struct.unpack_from(f"{order}HH", tags, at)
            if tag == 259:
                value = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", tags, at + (12 if big else 8))[0]
        found.add(value)
        (offset,) = struct.unpack(f"{order}{'Q' if big else 'I'}", source.read(8 if big else 4))
    return found


def recompress(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """A TIFF in a rare compression as one in deflate, by tiffcp, which keeps every tag of every page."""
    with source.open("rb") as file:
        try:
            found = compressions(file)
        except (struct.error, ValueError) as problem:
            raise Failed("FMT-CONVERT-DAMAGED", str(problem), last=True) from None
    if found <= _TODAY:
        return Made(kept=f"TIFF, compression {', '.join(str(one) for one in sorted(found))}")
    result = out / action.results[0].file
    ran = calls.run(TIFFCP, ["-c", "zip", "{in}/source", f"{{out}}/{result.name}"], {"source": source}, out)
    calls.ran_well(ran, TIFFCP, result)
    notes = (f"compression={', '.join(str(one) for one in sorted(found - _TODAY))}",)
    return Made(notes=notes, programs=((TIFFCP.name, TIFFCP.version or ""),), sandbox=ran.sandbox)


WITH_PROGRAMS: dict[str, ActionWithPrograms] = {
    "image.tiff": tiff,
    "image.recompress": recompress,
    "image.reading": reading,
}
NEEDS: dict[str, Sequence[Program]] = {
    "image.tiff": (VIPS, VIPSHEADER, EXIFTOOL),
    "image.recompress": (TIFFCP,),
    "image.reading": (VIPSTHUMBNAIL, VIPSHEADER),
}
FIT: dict[str, Look] = {"image.recompress": of_today}
