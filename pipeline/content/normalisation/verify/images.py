"""Images compared with the image they were made of: samples, metadata, shape."""

from __future__ import annotations

import filecmp
import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.content import images
from pipeline.content.normalisation.calls import Calls, read_header, why
from pipeline.content.normalisation.made import Differs, Failed, Proved
from pipeline.content.normalisation.registry import VerificationWithPrograms
from pipeline.tools.decoders import EXIFTOOL
from pipeline.tools.vips import VIPS, VIPSHEADER

_EXIF = frozenset({"IFD0", "ExifIFD", "SubIFD", "InteropIFD"})
_PASSED = frozenset({"IFD1", "XMP-x", "ICC-header"})
"""Groups about a preview or about whoever wrote the metadata last."""

_WRITING = """
    ImageWidth ImageHeight BitsPerSample Compression PhotometricInterpretation StripOffsets SamplesPerPixel RowsPerStrip
    StripByteCounts PlanarConfiguration Predictor SampleFormat ExtraSamples TileWidth TileLength TileOffsets
    TileByteCounts XResolution YResolution ResolutionUnit YCbCrPositioning YCbCrCoefficients YCbCrSubSampling
    ReferenceBlackWhite JPEGInterchangeFormat JPEGInterchangeFormatLength JPEGTables ExifVersion ComponentsConfiguration
    FlashpixVersion ColorSpace ExifImageWidth ExifImageHeight InteropIndex InteropVersion CompressedBitsPerPixel
    SubfileType PageNumber FillOrder ThumbnailOffset ThumbnailLength PreviewImageStart PreviewImageLength Padding
    OffsetSchema
"""
_CODING = frozenset(_WRITING.split())
"""Tags about how samples are written, which a copy writes in its own way; the samples themselves are compared."""

_MOST_METADATA = 16 << 20


def pixels(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """All samples are equal: to those our own decoder reads where it can, else to those that vips reads.

    Argument: `pages`, to compare all pages or frames.
    """
    pages = "[n=-1]" if "pages" in arguments else ""
    with source.open("rb") as file, calls.folder() as first, calls.folder() as second:
        header = images.header(file)
        made = _samples(result, first, pages, calls)
        if header is not None and header.decodable:
            with made.open("rb") as raw:
                same = images.same_pixels(file, header, raw, made.stat().st_size)
            how = "pixels equal to those our own decoder reads"
        else:
            same = filecmp.cmp(made, _samples(source, second, pages, calls), shallow=False)
            how = f"pixels equal as {VIPS.name} reads both"
    return Proved(how) if same else Differs("pixels")


def _samples(file: Path, folder: Path, pages: str, calls: Calls) -> Path:
    ran = calls.run(VIPS, ["rawsave", f"{{in}}/source{pages}", "{out}/samples"], {"source": file}, folder)
    if not ran.ok or not (folder / "samples").exists():
        raise Failed("FMT-CONVERT-FAILED", why(ran), VIPS.name)
    return folder / "samples"


def metadata(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """What the source says in Exif, GPS, XMP and IPTC stands in the result with the same value, word for word.

    Left out is what tells of the coding alone. Arguments: names of further tags to leave out.
    """
    with calls.folder() as folder:
        told = ["-q", "-q", "-j", "-G1", "-a", "-n", "-EXIF:all", "-XMP:all", "-IPTC:all", "-ICC_Profile:all",
                "-w!", "{out}/%f.json", "{in}/source.a", "{in}/result.b"]  # fmt: skip
        ran = calls.run(EXIFTOOL, told, {"source.a": source, "result.b": result}, folder)
        if not ran.ok:
            raise Failed("FMT-CONVERT-FAILED", why(ran), EXIFTOOL.name)
        before, after = (_tags(folder / name, arguments) for name in ("source.json", "result.json"))
    lost = sorted(name for name, value in before.items() if after.get(name) != value)
    if lost:
        return Differs(f"metadata: {', '.join(lost[:8])}")
    return Proved(f"{len(before)} values of metadata equal")


def _tags(file: Path, left_out: Sequence[str]) -> dict[str, str]:
    """Values by group and name; Exif of any place counts as one group."""
    if not file.exists() or file.stat().st_size > _MOST_METADATA:
        return {}
    found: dict[str, str] = {}
    for key, value in json.loads(file.read_bytes().decode("utf-8", "replace"))[0].items():
        group, _, name = key.rpartition(":")
        if group and group not in _PASSED and name not in _CODING and name not in left_out:
            found[f"{'Exif' if group in _EXIF else group}:{name}"] = str(value)
    return found


def reading(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """The reading copy opens and shows the whole picture, as large as it may be; turned upright or not.

    Argument: the longest side that it may have.
    """
    before, after = (read_header(file, calls) for file in (source, result))
    wide, high = (int(before[key]) for key in ("width", "height"))
    width, height = (int(after[key]) for key in ("width", "height"))
    scale = min(1.0, int(arguments[0]) / max(wide, high))
    for across, down in ((wide, high), (high, wide)):
        if abs(width - across * scale) <= 1 and abs(height - down * scale) <= 1:
            return Proved(f"opens, {width} × {height}")
    return Differs(f"{width} × {height}")


WITH_PROGRAMS: dict[str, VerificationWithPrograms] = {
    "pixels": pixels,
    "image.metadata": metadata,
    "image.reading": reading,
}
NEEDS = {"pixels": (VIPS,), "image.metadata": (EXIFTOOL,), "image.reading": (VIPSHEADER,)}
