"""A package of each family and one of all: what every file comes to, as `mixed.tsv` says it.

A line of the table is a file: its path (the first folder is the package), where it comes from (a path below
`tests/data`, or `made NAME` of `made_files.py`), and what the AIP has to say of it: PUID, validity, what normalisation
came to (`made`, `failed`, `kept`: its rule leaves it as it is, `no rule`), results with their PUIDs, codes of findings.
A new case is a new line.
"""

from __future__ import annotations

import contextlib
import csv
import shutil
import subprocess
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pikepdf
import pypdfium2
import pytest
from pikepdf import pdfa

from pipeline.content.normalisation import rules
from pipeline.content.normalisation.made import CHANGED
from pipeline.packages.eark.rows import read_rows
from pipeline.records import Event, FileRow, MemoryRows, Use
from pipeline.settings import PROJECT
from pipeline.tree import FolderTree
from tests.command import ARCHIVE, CLOCK, Answer, House
from tests.ingest.made_files import make
from tests.judges.pdfa import verapdf_each

pytestmark = pytest.mark.slow
TABLE = Path(__file__).with_name("mixed.tsv")
DATA = PROJECT / "tests" / "data"
RESULTS = {"success": "valid", "fail": "invalid", "warning": "not checked"}


class Line(NamedTuple):
    """A line of the table."""

    path: str
    source: str
    puid: str
    validity: str
    outcome: str
    results: str
    findings: str

    @property
    def package(self) -> str:
        return self.path.partition("/")[0]


def lines() -> list[Line]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [Line(**row) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def build(folder: Path, scratch: Path) -> None:
    """Every file of the table at its place."""
    for line in lines():
        target = folder / line.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if line.source.startswith("made "):
            make(line.source.removeprefix("made "), target, scratch)
        else:
            shutil.copyfile(DATA / line.source, target)


def validity(row: FileRow, events: list[Event]) -> str:
    """What the validation that is about a file says; the one of its representation where none is about it alone."""
    own = [event for event in events if any(link.ref == row.path for link in event.links)]
    (event,) = own or [event for event in events if any(link.ref == row.representation for link in event.links)]
    assert event.detail == f"result={RESULTS[str(event.outcome)]}"
    return RESULTS[str(event.outcome)]


def told(package: str, rows: MemoryRows, findings: list[dict[str, str]]) -> Iterator[Line]:
    """What an AIP says of its files, as lines of the table."""
    sources = {line.path: line.source for line in lines()}
    ruled = {puid for rule in rules().rules if rule.purpose == "preservation" for puid in rule.puids}
    codes: dict[str, list[str]] = defaultdict(list)
    for one in findings:
        codes[one["file"] or ""].append(one["code"])
    made: dict[bytes, list[FileRow]] = defaultdict(list)
    for row in rows.file_rows:
        if row.derived_from is not None:
            made[row.derived_from].append(row)
    validations = [one for one in rows.event_rows if one.type == "validation" and one.detail.startswith("result=")]
    failed = {
        link.ref
        for event in rows.event_rows
        if event.type == "normalization" and str(event.outcome) == "fail"
        for link in event.links
    }
    for row in rows.file_rows:
        if row.use is not Use.DATA or row.original_name is None:
            continue
        name = bytes(row.original_name).decode()
        copies = sorted(f"{bytes(one.path).decode().rpartition('/')[2]} {_puid(one)}" for one in made[row.path])
        outcome = "made" if copies else "failed" if row.path in failed else "kept" if _puid(row) in ruled else "no rule"
        path = f"{package}/{name}"
        yield Line(
            path, sources[path], _puid(row), validity(row, validations), outcome, "; ".join(copies),
            " ".join(sorted(codes[name])),
        )  # fmt: skip


def _puid(row: FileRow) -> str:
    return (row.format.puid if row.format else None) or "-"


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, dict[str, Path]]:
    """One ingest of all packages, and the folders of their AIPs handed out again."""
    base = tmp_path_factory.mktemp("mixed")
    (base / "scratch").mkdir()
    build(base / "packages", base / "scratch")
    house = House(base / "house", {"LUUTRU_CLOCK": CLOCK})
    house.settings(archive=ARCHIVE, workers=2)
    found = house.stores("vault", "second").run("ingest", "--batch", base / "packages", timeout=600)
    assert found.exit == 0, found.out + found.err
    folders = {}
    for item in found.items:
        handed = house.run("export", item["aip"], base / "out")
        folders[Path(item["path"]).name] = Path(handed.item["path"])
    return found, folders


def test_every_file_comes_to_what_the_table_says(answer: tuple[Answer, dict[str, Path]]) -> None:
    found, folders = answer
    actual: list[Line] = []
    for item in found.items:
        package = Path(item["path"]).name
        actual += told(package, read_rows(FolderTree(folders[package])), item["findings"])
    expected = {line.path: line for line in lines()}
    assert {line.path for line in actual} == set(expected)
    wrong = [line for line in actual if line != expected[line.path]]
    assert not wrong, "\n".join("\n".join(map("\t".join, (expected[line.path], line))) for line in wrong)


def test_a_change_of_content_is_the_outcome_of_its_event(answer: tuple[Answer, dict[str, Path]]) -> None:
    """What was in fonts of TCVN3 and VNI: every copy says so in PREMIS, with characters by font and place."""
    _, folders = answer
    events = [one for one in read_rows(FolderTree(folders["phông chữ cũ"])).event_rows if one.type == "normalization"]
    assert len(events) == 6
    for event in events:
        assert event.note == CHANGED
        assert CHANGED in event.detail
    assert any("TCVN3 .VnTime: body 230, cell 28, " in event.detail for event in events)
    others = [one for one in read_rows(FolderTree(folders["hỗn hợp"])).event_rows if one.type == "normalization"]
    assert not any(CHANGED in (event.note, event.detail) for event in others)


def copies(folders: dict[str, Path], puid: str) -> list[Path]:
    """Every copy of this format that normalisation made."""
    return [
        folder / bytes(row.path).decode()
        for folder in folders.values()
        for row in read_rows(FolderTree(folder)).file_rows
        if row.derived_from is not None and _puid(row) == puid
    ]


@pytest.mark.judge
def test_every_pdfa_that_we_made_is_one_to_the_judges_and_its_text_is_unicode(
    answer: tuple[Answer, dict[str, Path]],
) -> None:
    made = copies(answer[1], "fmt/477")
    assert len(made) >= 20
    read = ""
    for file, verdict in zip(made, verapdf_each(made), strict=True):
        assert verdict.good, f"{file.name}: {verdict}"
        assert not verdict.complaints, f"{file.name}: {verdict}"
        with pikepdf.open(file) as document:
            assert pdfa.check(document, "2b").passed, file.name
        with contextlib.closing(pypdfium2.PdfDocument(file)) as pages:
            text = "".join(page.get_textpage().get_text_range() for page in pages)
        assert unicodedata.is_normalized("NFC", text), file.name
        read += text
    assert sum(letter in read for letter in "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ") > 30


@pytest.mark.judge
def test_every_matroska_that_we_made_passes_mediaconch(answer: tuple[Answer, dict[str, Path]]) -> None:
    judge = shutil.which("mediaconch")
    assert judge, "the judge mediaconch is missing: bash setup/install.sh test brings it"
    made = copies(answer[1], "fmt/569")
    assert len(made) >= 3
    for file in made:
        said = subprocess.run([judge, file], capture_output=True, text=True, timeout=120, check=True).stdout
        assert said.startswith("pass!"), (file.name, said)


def test_there_is_a_package_of_each_family_and_one_of_all() -> None:
    held = lines()
    mixed = [line for line in held if line.package == "hỗn hợp"]
    assert len(mixed) >= 60
    assert {line.outcome for line in mixed} == {"made", "failed", "kept", "no rule"}
    assert {line.validity for line in mixed} == {"valid", "invalid", "not checked"}
    assert len({line.package for line in held}) >= 6
    assert len({line.path for line in held}) == len(held)
