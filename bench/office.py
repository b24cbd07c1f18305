"""Office documents: LibreOffice kept open against a start each, and a mixed batch with all that proves it."""

from __future__ import annotations

import os
import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from bench.measure import PROJECT
from pipeline.content.normalisation import Converted, normalise, rules
from pipeline.content.normalisation.actions.office import PDF
from pipeline.records import PackagePath
from pipeline.tools.run import Bounds, run
from pipeline.tools.soffice import SETTINGS, SOFFICE, Offices, conversion

OFFICE = PROJECT / "tests/data/characterisation/office"
WORD = PROJECT / "tests/data/vietnamese/office/unicode.docx"
SAMPLES = (
    ("word", WORD, "MS Word 2007 XML", PDF.format("writer")),
    ("word-97", OFFICE / "unicode.doc", "MS Word 97", "odt"),
    ("excel", OFFICE / "unicode.xlsx", "Calc MS Excel 2007 XML", "ods"),
    ("excel-97", OFFICE / "unicode.xls", "MS Excel 97", "ods"),
    ("powerpoint", OFFICE / "unicode.pptx", "Impress MS PowerPoint 2007 XML", "odp"),
    ("odt", OFFICE / "unicode.odt", "writer8", PDF.format("writer")),
)
"""Rule, document, and the conversion that is measured alone."""
BOUNDS = Bounds(seconds=120, memory=3 << 29, output=1 << 30)


def rows(base: Path, many: int, pairs: int) -> Iterator[dict[str, Any]]:
    """Conversions alone, in turns; then `many` documents by their rules, as many at one time as there are cores."""
    scratch = base / "office"
    scratch.mkdir()
    yield _conversions(scratch, max(12, many // 5), pairs)
    samples = [(name, source) for name, source, _, _ in SAMPLES]
    yield {"name": "mixed office documents, converted and proved", **proved(scratch, samples, many)}
    shutil.rmtree(scratch)


def _conversions(scratch: Path, count: int, pairs: int) -> dict[str, Any]:
    """Seconds a document of each way; the first one of an office that is kept open pays for its start."""
    kept: list[float] = []
    ratios: list[float] = []
    with Offices(scratch / "x") as offices:
        for turn in range(pairs):
            times = []
            for number in range(count):
                _, source, import_filter, target = SAMPLES[number % len(SAMPLES)]
                out = scratch / f"{turn}-{number}"
                out.mkdir()
                started = time.perf_counter()
                assert offices.convert(source, import_filter, target, out, BOUNDS)
                times.append(time.perf_counter() - started)
            alone = []
            for number, (_, source, import_filter, target) in enumerate(SAMPLES):
                out = scratch / f"alone-{turn}-{number}"
                out.mkdir()
                started = time.perf_counter()
                inputs = {"source": source, "settings": SETTINGS}
                assert run(SOFFICE, conversion(import_filter, target), inputs, out, BOUNDS).ok
                alone.append(time.perf_counter() - started)
            kept += times[1:]
            ratios.append(statistics.mean(alone) / statistics.mean(times))
    return {
        "name": "LibreOffice kept open against a start each", "files": count,
        "seconds_per_file": round(statistics.median(kept), 3), "p95": round(statistics.quantiles(kept, n=20)[-1], 3),
        "times_faster": round(statistics.median(ratios), 1),
    }  # fmt: skip


def proved(scratch: Path, samples: Sequence[tuple[str, Path]], many: int) -> dict[str, Any]:
    """`many` files by their rules, in turns: converted, identified, compared; all but the storing."""
    known = {rule.name: rule for rule in rules().rules}
    threads = os.cpu_count() or 1
    peak = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            used = 0
            for child in psutil.Process().children(recursive=True):
                try:
                    used += child.memory_info().rss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], used)

    watching = threading.Thread(target=watch)
    watching.start()
    started = time.perf_counter()
    try:
        with Offices(scratch / "x") as offices, ThreadPoolExecutor(threads) as executor:

            def one(number: int) -> int:
                name, source = samples[number % len(samples)]
                told = normalise(source, PackagePath(str(number).encode()), known[name], scratch, offices=offices)
                assert isinstance(told, Converted), told
                for derivative in told.derivatives:
                    derivative.path.unlink()
                return len(told.derivatives)

            copies = sum(executor.map(one, range(many)))
    finally:
        spent = time.perf_counter() - started
        done.set()
        watching.join()
    return {
        "files": many, "copies": copies, "seconds": round(spent, 1), "files_per_second": round(many / spent, 2),
        "peak_mb": round(peak[0] / 1e6),
    }  # fmt: skip
