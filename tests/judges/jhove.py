"""JHOVE as the judge of format validity: PDF, TIFF, JPEG, JPEG 2000, GIF, WAVE, AIFF."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.tools.jhove import JARS
from tests.judges.eark import NO_NETWORK, ROOT, run
from tests.judges.verdict import JudgeMissing, NoVerdict

JUDGE = "JHOVE"
CALLER = ROOT / "pipeline/tools/java/jhove-judge.jar"
SECONDS = 120
MODULES = {
    ".pdf": "PdfModule", ".tif": "TiffModule", ".jpg": "JpegModule", ".jp2": "Jpeg2000Module", ".gif": "GifModule",
    ".wav": "WaveModule", ".aiff": "AiffModule",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """What JHOVE says of one file: whether it is well-formed and valid, and its words."""

    well_formed: bool
    valid: bool
    words: str


def jhove(files: Sequence[Path], *, jars: Path = JARS) -> list[Heard]:
    """Each file by the module of its extension, in one start."""
    if not any(jars.glob("jhove-core-*.jar")):
        raise JudgeMissing(JUDGE, jars)
    pairs = [word for file in files for word in (f"{MODULES[file.suffix]},{SECONDS}", str(file.resolve(strict=True)))]
    with tempfile.TemporaryDirectory() as scratch:
        command = ["java", "-Xmx1g", *NO_NETWORK, "-cp", f"{CALLER}:{jars}/*", "Jhove", *pairs]
        answer = run(JUDGE, command, Path(scratch))
    lines = [line.split("\t") for line in answer.stdout.splitlines() if line.count("\t") == 5]
    if len(lines) != len(files):
        raise NoVerdict(f"{JUDGE} judged {len(lines)} of {len(files)} files: {answer.stderr[-2000:]}")
    return [Heard(one == "1", two == "1", words) for _, _, one, two, _, words in lines]
