"""Images compared sample by sample with the image they were made of."""

from __future__ import annotations

import filecmp
from collections.abc import Sequence
from pathlib import Path

from pipeline.content import images
from pipeline.content.normalisation.calls import Calls, why
from pipeline.content.normalisation.made import Differs, Failed, Proved
from pipeline.content.normalisation.registry import VerificationWithPrograms
from pipeline.tools.vips import VIPS


def pixels(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """All samples are equal: to those our own decoder reads where it can, else to those that vips reads."""
    with source.open("rb") as file, calls.folder() as first, calls.folder() as second:
        header = images.header(file)
        made = _samples(result, first, calls)
        if header is not None and header.decodable:
            with made.open("rb") as raw:
                same = images.same_pixels(file, header, raw, made.stat().st_size)
            how = "pixels equal to those our own decoder reads"
        else:
            same = filecmp.cmp(made, _samples(source, second, calls), shallow=False)
            how = f"pixels equal as {VIPS.name} reads both"
    return Proved(how) if same else Differs("pixels")


def _samples(file: Path, folder: Path, calls: Calls) -> Path:
    ran = calls.run(VIPS, ["rawsave", "{in}/source", "{out}/samples"], {"source": file}, folder)
    if not ran.ok or not (folder / "samples").exists():
        raise Failed("FMT-CONVERT-FAILED", why(ran), VIPS.name)
    return folder / "samples"


WITH_PROGRAMS: dict[str, VerificationWithPrograms] = {"pixels": pixels}
NEEDS = {"pixels": (VIPS,)}
