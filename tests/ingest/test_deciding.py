"""What a person answers: the same ingest goes on, the answer stands in PREMIS, nothing is made again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.packages.eark.rows import read_rows
from pipeline.records import MemoryRows
from pipeline.tree import FolderTree
from tests.command import ARCHIVE, CLOCK, House, kill_group
from tests.contract import faults
from tests.ingest.test_normalising import GROWING, RULES, house, ingest, package, rows

pytestmark = pytest.mark.slow
BY = ("--by", "Nguyễn  Văn Mẫu", "--why", "Ảnh gốc là BMP, cần bản TIFF")


@pytest.fixture
def waiting(tmp_path: Path) -> tuple[House, Path]:
    """A house whose ingest waits: the copies are bigger than the rules allow."""
    (tmp_path / "rules.toml").write_text(GROWING + RULES, encoding="utf-8")
    made = house(tmp_path / "house", str(tmp_path / "rules.toml"))
    folder = package(tmp_path / "gói")
    item = ingest(made, folder, 4)
    assert (item["verdict"], item["waiting_for"]) == ("waiting", "person")
    return made, folder


def stored(made: House, item: dict[str, Any], out: Path) -> MemoryRows:
    handed = made.run("export", item["aip"], out)
    return read_rows(FolderTree(Path(handed.item["path"])))


def growth(item: dict[str, Any]) -> list[str]:
    return [one["level"] for one in item["findings"] if one["code"] == "FMT-GROWTH"]


def test_accepted_copies_are_kept_and_not_made_again(waiting: tuple[House, Path], tmp_path: Path) -> None:
    made, folder = waiting
    [state] = [one for one in made.run("status").items if one["name"] == str(folder)]
    assert state["what"] == "waiting-person"
    before = rows(made)
    answer = made.run("decide", folder, "--accept", *BY)
    assert answer.exit == 0, answer.out + answer.err
    assert faults(answer.document or {}) == []
    assert (answer.item["code"], answer.item["answer"], answer.item["by"]) == ("FMT-GROWTH", "accept", "Nguyễn Văn Mẫu")
    assert rows(made) == before
    kill_group(made.start("ingest", folder, "--profile", made.base / "profile.toml", "--json"))
    item = ingest(made, folder)
    assert (item["verdict"], growth(item)) == ("accepted", ["warning"])
    found = stored(made, item, tmp_path / "out")
    assert [row.path for row in found.file_rows if row.derived_from] == [
        b"representations/rep1-preservation/data/trang.bmp.tif"
    ]
    [event] = [one for one in found.event_rows if one.type == "appraisal"]
    assert event.detail.startswith("question=FMT-GROWTH; answer=accept; found=")
    assert event.note == "Ảnh gốc là BMP, cần bản TIFF"
    [person] = [one for one in found.agent_rows if one.type == "person"]
    assert (person.name, event.agents) == ("Nguyễn Văn Mẫu", ((person.key, "authorizer"),))
    assert made.run("decide", folder, "--accept", *BY).exit == 2


def test_the_originals_alone_are_kept(waiting: tuple[House, Path], tmp_path: Path) -> None:
    made, folder = waiting
    made.run("decide", folder, "--accept", *BY)
    assert made.run("decide", folder, "--originals", *BY).item["answer"] == "originals", "the last answer counts"
    item = ingest(made, folder)
    assert (item["verdict"], growth(item)) == ("accepted", ["warning"])
    found = stored(made, item, tmp_path / "out")
    assert not [row.path for row in found.file_rows if row.derived_from]
    assert {one.name for one in found.representation_rows} == {"rep1"}
    [event] = [one for one in found.event_rows if one.type == "appraisal"]
    assert "answer=originals" in event.detail


def test_more_than_was_accepted_is_a_new_question(waiting: tuple[House, Path], tmp_path: Path) -> None:
    """Other rules make more copies of the same package."""
    made, folder = waiting
    made.run("decide", folder, "--accept", *BY)
    more = RULES.replace("compression=deflate,predictor=horizontal", "compression=none", 1)
    (tmp_path / "rules.toml").write_text(GROWING + more, encoding="utf-8")
    item = ingest(made, folder, 4)
    assert growth(item) == ["decision"]
    made.run("decide", folder, "--accept", "--by", "Trần Thị Mẫu")
    assert growth(ingest(made, folder)) == ["warning"]


def test_other_questions_are_answered_too(tmp_path: Path) -> None:
    """A profile asks about formats that nobody knows; `--originals` is no answer to that."""
    made = house(tmp_path / "house", **{"FMT-UNKNOWN": "decision"})
    folder = tmp_path / "gói"
    folder.mkdir()
    (folder / "lạ.dat").write_bytes(bytes(range(256)) * 4)
    assert ingest(made, folder, 4)["waiting_for"] == "person"
    assert made.run("decide", folder, "--originals", *BY).exit == 2
    assert made.run("decide", folder, "--accept", *BY).item["found"] is None
    item = ingest(made, folder)
    found: Any = item["findings"]
    assert [(one["code"], one["level"]) for one in found] == [("FMT-UNKNOWN", "warning")]


def test_where_nothing_waits_that_is_said(tmp_path: Path) -> None:
    made = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE)
    for arguments in (("--accept", *BY), BY, ("--accept", "--by", " ")):
        answer = made.run("decide", tmp_path, *arguments)
        assert answer.exit == 2
        assert (answer.document or {})["problem"]["code"].startswith("USE-")
    assert not os.listdir(made.data / "work")
