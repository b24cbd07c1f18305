"""Two-layer PDF compared with the scan that it was made of, and ALTO with its schema."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.content.normalisation.calls import Calls, why
from pipeline.content.normalisation.made import Differs, Failed, Proved
from pipeline.content.normalisation.registry import Beat, VerificationInWorker, VerificationWithPrograms
from pipeline.content.normalisation.rules import Action
from pipeline.tools.vips import VIPS

WARM = ("pipeline.content.normalisation.pdfs", "pipeline.content.normalisation.ocrtext")


def same(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Pages and look of a PDF as they were, its text all there and in NFC; more text may be added.

    Argument: percent of a page's pixels that may differ visibly.
    """
    from pipeline.content.normalisation import pdfs

    return pdfs.same(source, result, float(arguments[0]), beat, added=True)


def picture(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """The picture of each page of the PDF has the samples that vips reads in the TIFF; of a JPEG, its bytes."""
    with calls.folder() as folder:
        raw, index = folder / "samples", folder / "index"
        calls.action("ocr.samples", result, {"samples": raw, "index": index}, Action("ocr.samples", ()))
        told = [tuple(int(one) for one in line.split()) for line in index.read_text("ascii").splitlines()]
        with raw.open("rb") as made:
            if [bands for *_, bands in told] == [0]:
                with source.open("rb") as original:
                    same_bytes = _equal(original, made, told[0][0]) and not original.read(1)
                return Proved("the JPEG is in it byte by byte") if same_bytes else Differs("bytes of the JPEG")
            for number, (size, width, height, bands) in enumerate(told):
                with calls.folder() as one:
                    ran = calls.run(VIPS, ["rawsave", f"{{in}}/source[page={number},autorotate]", "{out}/samples"],
                                    {"source": source}, one)  # fmt: skip
                    if not ran.ok or not (one / "samples").exists():
                        raise Failed("FMT-CONVERT-FAILED", why(ran), VIPS.name)
                    full = (one / "samples").stat().st_size
                    with (one / "samples").open("rb") as original:
                        if full != size or not _equal(original, made, size):
                            return Differs(f"samples of page {number + 1}: {width} × {height} × {bands}, {full} bytes")
    return Proved(f"samples of {len(told)} pages equal to those that {VIPS.name} reads")


def _equal(one: BinaryIO, two: BinaryIO, size: int) -> bool:
    """Whether the next so many bytes are the same."""
    while size > 0:
        first, second = (file.read(min(size, 1 << 20)) for file in (one, two))
        if not first or first != second:
            return False
        size -= len(first)
    return True


def alto(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """ALTO by the schema of what is written here, its words in NFC."""
    from lxml import etree

    from pipeline.content.normalisation import ocrtext

    fault = ocrtext.fault(result)
    if fault:
        return Differs(f"ALTO: {fault}")
    result.seek(0)
    try:
        pages = list(ocrtext.texts(result))
    except etree.XMLSyntaxError as problem:
        return Differs(f"ALTO: {problem}")
    words = [word for page in pages for word in page]
    if not all(unicodedata.is_normalized("NFC", word) for word in words):
        return Differs("ALTO: not NFC")
    return Proved(f"ALTO 4 by its schema, {len(pages)} pages, {len(words)} words")


IN_WORKER: dict[str, VerificationInWorker] = {"ocr.same": same, "ocr.alto": alto}
WITH_PROGRAMS: dict[str, VerificationWithPrograms] = {"ocr.picture": picture}
NEEDS = {"ocr.picture": (VIPS,)}
