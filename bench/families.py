"""Families of formats: files a second of the whole rule (converted, identified, proved), and the memory of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.measure import PROJECT
from bench.office import proved

DATA = PROJECT / "tests/data/vietnamese"
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=10:sample_rate=44100", "-c:a", "pcm_s16be")
FILM = ("-f", "lavfi", "-i", "testsrc=duration=4:size=320x240:rate=25", "-c:v", "mjpeg")


def rows(base: Path, many: int) -> Iterator[dict[str, Any]]:
    """One row a family; sound of ten seconds, film of four."""
    scratch = base / "families"
    scratch.mkdir()
    sound, film = scratch / "sound.aiff", scratch / "film.avi"
    for command, file in ((SOUND, sound), (FILM, film)):
        subprocess.run(["ffmpeg", "-v", "error", "-y", *command, file], check=True)
    for name, rule, source in (
        ("text in TCVN3 to UTF-8", "text-unicode", DATA / "text/tcvn3.txt"),
        ("BMP to TIFF", "image-tiff", DATA / "image/page.bmp"),
        ("PDF to PDF/A", "pdf", DATA / "pdf/text.pdf"),
        ("AIFF to WAVE", "audio-plain", sound),
        ("AVI to FFV1", "video-obsolete", film),
    ):
        told = proved(scratch, [(rule, source)], many)
        yield {"key": "FAMILIES", "name": name, "kilobytes": round(source.stat().st_size / 1e3, 1), **told}
    shutil.rmtree(scratch)
