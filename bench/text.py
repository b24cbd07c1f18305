"""Old Vietnamese text: megabytes a second of conversion and of detection, beside iconv where it knows the encoding."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench.measure import LUUTRU, PROJECT
from pipeline.text import detect_stream, encode, lost, transcoded

ICONV = {"tcvn3": "TCVN5712-1", "viscii": "VISCII", "cp1258": "CP1258", "vni": None}
"""What iconv calls them; it has no VNI, and takes the quotation marks of TCVN3 for capitals, which costs it nothing."""


def rows(base: Path, size: int, pairs: int) -> Iterator[dict[str, Any]]:
    """For each encoding a text of `size` bytes (the Declaration of Human Rights again and again): medians of turns."""
    text = (PROJECT / "tests" / "data" / "udhr" / "vi.txt").read_text(encoding="utf-8")
    for encoding, theirs in ICONV.items():
        missing = lost(text, encoding)
        raw = encode("".join(char.lower() if char in missing else char for char in text), encoding)
        file = base / f"{encoding}.txt"
        file.write_bytes(raw * (size // len(raw)))
        works: dict[str, Callable[[], object]] = {
            "detect": partial(_detect, file),
            "convert": partial(_convert, file, encoding),
            "command": partial(_run, [LUUTRU, "text", str(file), "--to", "utf-8"], base),
        }
        if theirs and shutil.which("iconv"):
            works["iconv"] = partial(_run, ["iconv", "-f", theirs, "-t", "UTF-8", str(file)], base)
        spent: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(pairs):
            for name, work in works.items():
                spent[name].append(_seconds(work))
        total = file.stat().st_size
        rate = {name: round(total / 1e6 / statistics.median(taken), 1) for name, taken in spent.items()}
        ratio = [ours / other for ours, other in zip(spent["convert"], spent.get("iconv", ()), strict=False)]
        yield {
            "name": f"text: {encoding}", "mb": round(total / 1e6, 1), "detect_mb_per_second": rate["detect"],
            "convert_mb_per_second": rate["convert"], "command_mb_per_second": rate["command"],
            "iconv_mb_per_second": rate.get("iconv"), "ratio": round(statistics.median(ratio), 1) if ratio else None,
        }  # fmt: skip
        file.unlink()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _detect(file: Path) -> None:
    with file.open("rb") as source:
        detect_stream(source)


def _convert(file: Path, encoding: str) -> None:
    with file.open("rb") as source, transcoded(source, encoding) as text, Path(os.devnull).open("wb") as out:
        shutil.copyfileobj(text, out, 1 << 16)


def _run(arguments: list[str], base: Path) -> None:
    environment = {**os.environ, "LUUTRU_DATA": str(base / "text-data")}
    subprocess.run(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
