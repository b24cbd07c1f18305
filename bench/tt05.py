"""Packages of Circular 05/2025: documents a second of `luutru validate`, beside reading and digesting their files."""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import floor
from bench.measure import measured
from tests.packages.tt05.build import build, folder
from tests.packages.tt05.shape import Shape, born_pdf, digitised, plain, scanned


def rows(base: Path, documents: int, pairs: int) -> Iterator[dict[str, Any]]:
    """Born-digital texts, and a tenth as many signed scans, each in turns with the floor; medians."""
    cases = (
        ("tt05: born-digital texts", documents, _texts),
        ("tt05: signed scans", documents // 10, _scans),
    )
    for name, count, make in cases:
        package = folder(build(make(count)), base / f"tt05-{count}")
        environment = {**os.environ, "LUUTRU_DATA": str(base / f"tt05-data-{count}")}
        ours, theirs, peak = [], [], 0
        for _ in range(pairs):
            seconds, memory = measured(environment, ["validate", str(package), "--profile", "tt05", "--json"])
            ours.append(seconds)
            peak = max(peak, memory)
            theirs.append(_floor(package))
        yield {
            "name": name, "documents": count, "files": sum(1 for _ in floor.files(package)),
            "seconds": round(statistics.median(ours), 2), "floor": round(statistics.median(theirs), 2),
            "ratio": round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 1),
            "documents_per_second": round(count / statistics.median(ours)),
            "floor_documents_per_second": round(count / statistics.median(theirs)), "peak_mb": round(peak / 1e6),
        }  # fmt: skip


def _texts(count: int) -> Shape:
    return replace(plain(), documents=tuple(born_pdf(number) for number in range(1, count + 1)))


def _scans(count: int) -> Shape:
    return replace(digitised(), documents=tuple(scanned(number) for number in range(1, count + 1)))


def _floor(package: Path) -> float:
    """Every file read once and digested with SHA-256, nothing else."""
    started = time.monotonic()
    for path in floor.files(package):
        digest = hashlib.sha256()
        with path.open("rb") as data:
            while chunk := data.read(floor.CHUNK):
                digest.update(chunk)
    return time.monotonic() - started
