"""Examinations on the way into an AIP: findings, PREMIS, tools' own words, and no file examined twice."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.content.characterisation import Examined, examine_all, libraries
from pipeline.content.characterisation.tables import properties
from pipeline.errors import Interrupted
from pipeline.ingest import examine
from pipeline.ingest.ingest import ingest
from pipeline.ingest.session import stopping
from pipeline.ingest.tokens import Request
from pipeline.packages.eark.rows import read_rows
from pipeline.records import Event, FileRow, Level, MemoryRows, Use, Verdict
from pipeline.settings import profile
from pipeline.standards import xml
from pipeline.tree import FolderTree
from tests.command import ARCHIVE, CLOCK, House
from tests.contract import faults
from tests.holding import space
from tests.judges.eark import commons_ip

DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of every family, whole, damaged, encrypted and empty, under Vietnamese names."""
    folder = tmp_path_factory.mktemp("packages") / "hồ sơ nhiều định dạng"
    shutil.copytree(DATA / "characterisation", folder / "tài liệu", ignore=shutil.ignore_patterns("README.md"))
    for name in ("office/encrypted.docx", "corrupt/empty.docx", "pdf/text_pdfa2b.pdf", "image/page.png"):
        shutil.copy(DATA / "vietnamese" / name, folder)
    for number in range(12):
        (folder / f"văn bản {number}.txt").write_text(f"Quyết định số {number}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile that converts nothing: that is another matter, and takes its time."""
    file = tmp_path_factory.mktemp("profiles") / "thường.toml"
    file.write_text((DATA.parents[1] / "profiles/eark.toml").read_text() + "normalise = false\n")
    return file


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, package: Path, plain: Path) -> tuple[dict[str, Any], Path]:
    """The item of an ingest of it, and the folder of the AIP handed out again."""
    base = tmp_path_factory.mktemp("house")
    house = House(base).stores("vault", "second")
    answer = house.run("ingest", package, "--profile", plain)
    assert answer.item["verdict"] == "accepted", answer.err + answer.out
    shown = house.run("show", answer.item["aip"])
    assert faults(shown.document or {}) == []
    assert shown.item["validity"] == {"invalid": 8, "not checked": 5, "valid": 28}
    assert "28 valid, 8 invalid, 5 not checked" in house.run("show", answer.item["aip"], json_=False).out
    handed = house.run("export", answer.item["aip"], base / "out")
    assert handed.exit == 0, handed.err
    return answer.item, next(path for path in (base / "out").iterdir() if path.is_dir())


def rows_of(folder: Path) -> MemoryRows:
    return read_rows(FolderTree(folder))


def named(rows: MemoryRows, ending: str) -> FileRow:
    (found,) = [row for row in rows.file_rows if row.use is Use.DATA and row.path.endswith(ending.encode())]
    return found


def about(rows: MemoryRows, row: FileRow, kind: str) -> list[Event]:
    of_kind = [event for event in rows.event_rows if event.type == kind]
    return [event for event in of_kind if any(link.ref == row.path for link in event.links)]


def test_damage_is_a_warning_and_the_package_is_kept(told: tuple[dict[str, Any], Path]) -> None:
    findings = told[0]["findings"]
    codes = Counter(finding["code"] for finding in findings if finding["code"].startswith("VAL-"))
    assert codes["VAL-INVALID"] == 7 and codes["VAL-ENCRYPTED"] == 2 and codes["VAL-EMPTY"] == 1, codes
    assert {finding["level"] for finding in findings if finding["code"].startswith("VAL-")} <= {"warning", "info"}


def test_premis_says_what_each_file_is(told: tuple[dict[str, Any], Path]) -> None:
    rows = rows_of(told[1])
    png = named(rows, "page.png")
    assert ("image width", "300") in png.characteristics.properties
    odt = named(rows, "unicode.odt")
    assert odt.characteristics.creating[0].name.startswith("LibreOffice")
    assert named(rows, "encrypted_user.pdf").characteristics.inhibitors == (("password protection", "all content"),)
    for row in rows.file_rows:
        assert {name for name, _ in row.characteristics.properties} <= properties().keys()


def test_every_data_file_has_one_validation(told: tuple[dict[str, Any], Path]) -> None:
    rows = rows_of(told[1])
    (whole,) = [event for event in rows.event_rows if event.type == "metadata extraction"]
    assert "Pillow" in whole.detail and ("exiftool", "executing program") in whole.agents
    general = [event for event in rows.event_rows if event.key.endswith("/format") and event.type == "validation"]
    assert [(event.detail, str(event.outcome)) for event in general] == [("result=valid", "success")]
    assert general[0].note == "text: UTF-8 throughout", "the most frequent outcome"
    for ending, outcome, detail in (
        ("truncated.jpg", "fail", "result=invalid"), ("unicode.doc", "warning", "result=not checked"),
        ("page_cmyk.jpg", "success", "result=valid"), ("empty.docx", "fail", "result=invalid"),
    ):  # fmt: skip
        (event,) = about(rows, named(rows, ending), "validation")
        assert (str(event.outcome), event.detail) == (outcome, detail)
        assert event.note


def test_words_of_tools_are_kept_where_a_file_is_broken(told: tuple[dict[str, Any], Path]) -> None:
    words = sorted((told[1] / "documentation/luutru/tools").iterdir())
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in words]
    assert {Path(one["file"]).name for one in documents} == {
        "one_bit.png", "truncated.jp2", "truncated.jpg", "truncated.mp4", "truncated.png",
    }  # fmt: skip
    assert all("exiftool" in one["tools"] for one in documents)


def test_the_schema_accepts_it(told: tuple[dict[str, Any], Path]) -> None:
    for file in told[1].rglob("PREMIS*.xml"):
        with file.open("rb") as source:
            assert xml.validate_xsd(source) == []


@pytest.mark.judge
def test_commons_ip_accepts_it(told: tuple[dict[str, Any], Path]) -> None:
    verdict = commons_ip(told[1])
    assert verdict.good, verdict


@pytest.mark.slow
def test_one_worker_and_four_describe_the_same_bytes(tmp_path: Path, package: Path, plain: Path) -> None:
    digests = set()
    for workers in (1, 4):
        house = House(tmp_path / str(workers), {"LUUTRU_CLOCK": CLOCK})
        house.settings(archive=ARCHIVE, workers=workers)
        house.stores("vault", "second")
        answer = house.run("ingest", package, "--profile", plain)
        assert answer.item["verdict"] == "accepted", answer.err
        digests |= {copy["inventory_digest"] for copy in house.run("show", answer.item["aip"]).item["copies"]}
    assert len(digests) == 1


def test_a_profile_can_refuse_damage(tmp_path: Path, package: Path) -> None:
    strict = replace(profile("eark"), levels={"VAL-INVALID": Level.ERROR})
    assert ingest(Request(space(tmp_path / "data"), package, strict)).verdict is Verdict.REJECTED


@pytest.mark.parametrize("version", ["", "0.0.1"], ids=["same tools", "another version of a tool"])
def test_what_is_examined_is_not_examined_again(
    version: str, tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first batch; one set of tools speaks of all files."""
    where = space(tmp_path / "data")
    seen: list[bytes] = []

    def watched(*arguments: Any, **more: Any) -> Iterator[Examined]:
        for one in examine_all(*arguments, **more):
            seen.append(one.entry.path)
            yield one

    monkeypatch.setattr(examine, "examine_all", watched)
    monkeypatch.setattr(examine, "BATCH", 5)
    request = Request(where, package, replace(profile("eark"), levels={"VAL-INVALID": Level.ERROR}))

    def stop(stage: str, *_: int) -> None:
        if stage == "inspect":
            stopping.set()

    try:
        with pytest.raises(Interrupted):
            ingest(request, progress=stop)
    finally:
        stopping.clear()
    first = list(seen)
    assert len(first) == 5
    seen.clear()
    if version:
        monkeypatch.setattr(examine, "libraries", lambda: {**libraries(), "Pillow": version})
    assert ingest(request).verdict is Verdict.REJECTED
    everything = {path.relative_to(package) for path in package.rglob("*") if path.is_file()}
    assert len(seen) == len(set(seen)) == len(everything) - (0 if version else 5)
    assert version or set(first).isdisjoint(seen)
