"""A hundred thousand files: time grows with them, memory does not. And what an independent judge says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from pipeline.packages.eark import EarkAip, EarkRows
from pipeline.records import (
    Agent,
    AipIdentity,
    Description,
    Event,
    FileRow,
    Link,
    Outcome,
    PackagePath,
    Representation,
    Right,
    Use,
)
from pipeline.tree import Entry, FolderTree
from tests.judges import commons_ip, eark_validator
from tests.packages.eark_samples import IDENTITY, TEXT, WHEN, composed

FILES = 100_000
MILLISECONDS = 1.5
"""A file, composed, read and checked together; three times of what a quiet machine needs."""
MEGABYTES = 220


@dataclass(frozen=True, slots=True)
class ManyRows:
    """Rows that are made as they are asked for."""

    count: int

    def identity(self) -> AipIdentity:
        return IDENTITY

    def representations(self) -> Iterator[Representation]:
        yield Representation("rep1")

    def files(self, use: Use | None = None, representation: str | None = None) -> Iterator[FileRow]:
        if use in (None, Use.DOCUMENTATION) and representation is None:
            yield FileRow(PackagePath(b"documentation/a.txt"), 1, "0" * 64, Use.DOCUMENTATION, "text/plain", WHEN)
        if use in (None, Use.DATA) and representation in (None, "rep1"):
            for number in range(self.count):
                raw = f"thư mục {number // 1000:04}/tệp {number:07}.txt".encode()
                path = PackagePath(b"representations/rep1/data/" + raw)
                yield FileRow(
                    path, 1, "0" * 64, Use.DATA, "text/plain", WHEN, "rep1", PackagePath(raw), TEXT, modified=WHEN
                )
        if use in (None, Use.SCHEMA) and representation is None:
            yield FileRow(PackagePath(b"schemas/a.xsd"), 1, "0" * 64, Use.SCHEMA, "text/xml", WHEN)

    def file(self, path: PackagePath) -> FileRow | None:
        return None

    def descriptions(self) -> Iterator[Description]:
        yield Description(None, (("title", "x"),))

    def events(self) -> Iterator[Event]:
        who = (("luutru", "executing program"),)
        yield Event("start", "ingestion start", WHEN, WHEN, "", Outcome.SUCCESS, "", who, (Link("package", ""),))

    def agents(self) -> Iterator[Agent]:
        yield Agent("luutru", "luutru", "software", "0.1.0")

    def rights(self) -> Iterator[Right]:
        return iter(())


class Pretended:
    """Received: generated files are real, the others have one byte."""

    def __init__(self, root: Path, rows: ManyRows, digests: dict[bytes, tuple[int, str]]) -> None:
        self._rows = rows
        self._made = digests

    def entries(self) -> Iterator[Entry]:
        for path, (size, _) in self._made.items():
            yield Entry(PackagePath(path), size)
        for row in self._rows.files():
            yield Entry(row.path, 1)

    def entry(self, path: PackagePath) -> Entry | None:
        return Entry(path, self._made.get(path, (1, ""))[0])

    def digest(self, path: PackagePath, algorithm: str) -> str | None:
        return self._made.get(path, (1, "0" * 64))[1]


def _work(parent: str, count: int) -> tuple[float, int, int, int]:
    """(milliseconds a file, peak memory in MiB, files read, findings), in a process of its own."""
    root = Path(parent) / IDENTITY.root
    rows = ManyRows(count)
    begin = time.process_time()
    made = {bytes(one.path): (one.size, one.sha256) for one in EarkAip().compose(rows, root)}
    read = sum(1 for _ in EarkRows(FolderTree(root)).files())
    tree = FolderTree(root)
    found = sum(1 for _ in EarkAip().check(tree, Pretended(root, rows, made)))
    spent = (time.process_time() - begin) / count * 1000
    return spent, peak(), read, found


def peak() -> int:
    """Highest resident memory of this very process in MiB; ru_maxrss would count that of the process it came from."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


@pytest.mark.slow
def test_hundred_thousand_files(tmp_path: Path) -> None:
    with get_context("spawn").Pool(1) as pool:
        spent, memory, read, found = pool.apply(_work, (str(tmp_path), FILES))
    print(f"{spent:.3f} ms a file, {memory} MiB")
    assert (read, found) == (FILES + 2, 0)
    assert spent < MILLISECONDS
    assert memory < MEGABYTES


@pytest.mark.judge
def test_judges_agree(tmp_path: Path) -> None:
    root = composed(tmp_path)
    verdict = commons_ip(root)
    assert verdict.good, str(verdict)
    verdict = eark_validator(root)
    assert verdict.good, str(verdict)


@pytest.mark.judge
def test_judges_agree_on_a_representation_without_files(tmp_path: Path) -> None:
    root = composed(
        tmp_path,
        lambda rows: replace(
            rows,
            representation_rows=(*rows.representation_rows, Representation("rep3", (PackagePath(b"empty"),))),
        ),
    )
    (root / "representations/rep3/data/empty").mkdir(parents=True)
    verdict = commons_ip(root)
    assert verdict.good, str(verdict)
