"""Scans: pages a second of the whole rule (drawn, read, written, proved), and what tesseract takes in memory."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import psutil
from PIL import Image

from pipeline.content.normalisation import Converted, normalise, rules
from pipeline.records import PackagePath
from pipeline.tools.tesseract import TESSERACT
from setup.ocr_accuracy import A4, LOOKS, drawn

LOOK = LOOKS["scanned: askew 0.7°, blur, noise"]


def rows(base: Path, pages: int, pairs: int) -> Iterator[dict[str, Any]]:
    """A PDF of `pages` pages of A4 in grey at 200 and 300 dpi: medians of turns, of one file and so of one core."""
    rule = next(rule for rule in rules().rules if rule.name == "scan-pdf")
    scratch = base / "ocr"
    scratch.mkdir()
    for dpi in (200, 300):
        image, _ = drawn(LOOK, dpi)
        source = _document(base / f"{dpi}.pdf", image, dpi, pages)
        spent, worked = [], []
        for _ in range(pairs):
            started, before = time.perf_counter(), _worked()
            made = normalise(source, PackagePath(b"a.pdf"), rule, scratch)
            spent.append(time.perf_counter() - started)
            worked.append(_worked() - before)
            assert isinstance(made, Converted), made
            for one in made.derivatives:
                one.path.unlink()
        rate, (alone, peak) = pages / statistics.median(spent), _alone(image, dpi)
        yield {
            "key": "OCR", "name": f"OCR: A4 at {dpi} dpi", "pages": pages, "pages_per_second": round(rate, 2),
            "cpu_seconds_per_page": round(statistics.median(worked) / pages + alone, 2),
            "tesseract_cpu_seconds": round(alone, 2), "peak_mb": round(peak / 1e6),
        }  # fmt: skip


def _worked() -> float:
    """CPU seconds of this process and of its workers; what runs in the sandbox cannot be asked."""
    held = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return float(sum(sum(one.cpu_times()[:2]) for one in held))


def _document(file: Path, image: Image.Image, dpi: int, pages: int) -> Path:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=75)
    with pikepdf.new() as made:
        for _ in range(pages):
            page = made.add_blank_page(page_size=(72 * A4[0], 72 * A4[1]))
            stream = pikepdf.Stream(
                made, out.getvalue(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=image.width,
                Height=image.height, BitsPerComponent=8, ColorSpace=pikepdf.Name.DeviceGray,
                Filter=pikepdf.Name.DCTDecode,
            )  # fmt: skip
            page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=stream))
            page.obj.Contents = pikepdf.Stream(made, f"q {72 * A4[0]} 0 0 {72 * A4[1]} 0 0 cm /Im0 Do Q".encode())
        made.save(file)
    return file


def _alone(image: Image.Image, dpi: int) -> tuple[float, int]:
    """CPU seconds and peak resident bytes of tesseract on one page, outside the sandbox: the page is ours."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.pgm"
        image.convert("L").save(page)
        command = [TESSERACT.path or "tesseract", str(page), f"{folder}/read", "-l", "vie", "--dpi", str(dpi), "hocr"]
        measured = [sys.executable, "-c", _MEASURED, *command]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        told = subprocess.run(measured, env=environment, capture_output=True, text=True, check=True)
        seconds, peak = told.stdout.split()
        return float(seconds), int(peak)


_MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
"""
