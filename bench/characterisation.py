"""Characterisation and validity: files a second of each family, and what small texts cost that need no opening."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import inputs
from bench.measure import PROJECT
from pipeline.content.characterisation import Subjected, examine_all, utf8_of
from pipeline.content.reading import EXAMINERS, Learnt, read_all
from pipeline.pool import shared
from pipeline.tree import Entry, FolderTree

SAMPLES = {
    "PDF": "characterisation/pdf/active.pdf",
    "JPEG": "characterisation/image/page_cmyk.jpg",
    "TIFF": "characterisation/scan/page_300_g4.tif",
    "PNG": "vietnamese/image/page.png",
    "JPEG 2000": "vietnamese/image/page.jp2",
    "OOXML": "vietnamese/office/unicode.docx",
    "ODF": "characterisation/office/unicode.odt",
    "compound": "characterisation/office/unicode.doc",
    "MP4": "characterisation/av/test.mp4",
    "XML": "characterisation/signed/xades.xml",
}


def rows(base: Path, many: int, texts: int, pairs: int) -> Iterator[dict[str, Any]]:
    """`many` copies of a sample of each family, then `texts` small texts; medians of turns, formats known before."""
    scratch = base / "characterise"
    scratch.mkdir()
    for name, sample in SAMPLES.items():
        source = PROJECT / "tests/data" / sample
        folder = base / "family"
        folder.mkdir()
        for number in range(many):
            shutil.copy(source, folder / f"{number}{source.suffix}")
        _, files = _read(folder, scratch)
        spent = statistics.median(_examined(folder, files, scratch) for _ in range(pairs))
        yield {"name": f"characterise and check: {name}", "files": many, "files_per_second": round(many / spent, 1)}
        shutil.rmtree(folder)
    folder = inputs.texts(base / "many-texts", texts)
    turns = []
    for _ in range(pairs):
        reading, files = _read(folder, scratch)
        turns.append((reading, _examined(folder, files, scratch)))
    reading, examining = (statistics.median(turn) for turn in zip(*turns, strict=True))
    yield {
        "name": "small texts, not opened again", "files": texts, "files_per_second": round(texts / examining),
        "share_of_reading": round(examining / reading, 3),
    }  # fmt: skip


def _read(folder: Path, scratch: Path) -> tuple[float, list[Subjected]]:
    """Seconds of the one reading, and its files ready to be examined."""
    tree = FolderTree(folder)
    entries = [entry for entry in tree.entries() if not entry.is_folder]
    started = time.perf_counter()
    learnt = list(read_all(tree, entries, (), identify=True, workers=0, scratch=scratch))
    spent = time.perf_counter() - started
    return spent, [
        Subjected(Entry(one.path, one.size), one.format,
                  utf8_of(one.format, any(finding.code == "FMT-TEXT-8BIT" for finding in one.findings)))
        for one in learnt if isinstance(one, Learnt)
    ]  # fmt: skip


def _examined(folder: Path, files: list[Subjected], scratch: Path) -> float:
    tree = FolderTree(folder)
    shared(EXAMINERS, 0)
    started = time.perf_counter()
    count = sum(1 for _ in examine_all(tree, files, workers=0, scratch=scratch))
    assert count == len(files)
    return time.perf_counter() - started
