"""Ten thousand documents in one package: time grows with them, memory does not."""

from __future__ import annotations

import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from pipeline.ingest.validate import validate
from pipeline.settings import profile
from pipeline.workspace import Workspace
from tests.packages.tt05.build import build, folder
from tests.packages.tt05.shape import plain, plain_text

FEW, MANY = 500, 10_000
MEGABYTES = 60
"""What the many documents may take beyond the few: their codes, digests and the IDs of METS, nothing of a document."""
SECONDS = 600


def _judge(parent: str, package: str) -> tuple[float, int, dict[str, object]]:
    """(seconds, peak memory in MiB, item) in a process of its own."""
    space = Workspace(Path(parent))
    space.work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    item, _ = validate(space, Path(package), profile("tt05"), None)
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:"))
    return time.monotonic() - started, int(line.split()[1]) // 1024, item


@pytest.mark.slow
def test_ten_thousand_documents(tmp_path: Path) -> None:
    peaks = {}
    for count in (FEW, MANY):
        documents = tuple(plain_text(number) for number in range(1, count + 1))
        shape = replace(plain(), documents=documents)
        package = folder(build(shape), tmp_path / str(count))
        with get_context("spawn").Pool(1) as pool:
            seconds, peaks[count], item = pool.apply(_judge, (str(tmp_path / f"data{count}"), str(package)))
        print(f"{count} documents: {count / seconds:.0f} a second, {peaks[count]} MiB")
        assert item["verdict"] == "valid" and item["findings"] == [], item["problem"]
        assert len(item["documents"]) == count  # type: ignore[arg-type]
        assert seconds < SECONDS
    assert peaks[MANY] - peaks[FEW] < MEGABYTES
