"""Reading copies: in the DIP alone, made when it is handed out, each with its event; judged like any DIP."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.access.handing import dip_uuid
from pipeline.packages.eark import EarkRows
from pipeline.packages.registry import recognise
from pipeline.records import FileRow
from pipeline.settings import PROJECT
from pipeline.tree import FolderTree
from tests import judges
from tests.command import ARCHIVE, CLOCK, Answer, House
from tests.contract import faults
from tests.ingest.made_files import make, svg
from tests.packages.received import judged, valid

pytestmark = pytest.mark.slow
DATA = PROJECT / "tests" / "data"
PAPER = "representations/rep1-access/data/manualNormalization/access/Ảnh/Trang bìa.jpg"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, str]:
    """A house that holds pictures, sound and film; of one picture the depositor made a copy for reading himself."""
    base = tmp_path_factory.mktemp("reading")
    package = base / "hồ sơ"
    (base / "scratch").mkdir()
    for name, source in {
        "Ảnh/Trang 1.bmp": "vietnamese/image/page.bmp", "Ảnh/Trang bìa.png": "vietnamese/image/page.png",
        "Ảnh/Bản in.jpg": "characterisation/image/page_cmyk.jpg",
        "Ảnh/Hỏng.jp2": "characterisation/corrupt/truncated.jp2",
        "Công văn.txt": "vietnamese/text/utf8.txt", "manualNormalization/access/Ảnh/Trang bìa.jpg": "",
        "Ảnh/Lớp.psd": "made page.psd", "Họp.aiff": "made tone.aiff", "Đại hội.avi": "made film.avi",
    }.items():  # fmt: skip
        target = package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.startswith("made "):
            make(source.removeprefix("made "), target, base / "scratch")
        else:
            shutil.copyfile(DATA / (source or "characterisation/image/page_cmyk.jpg"), target)
    (package / "Ảnh" / "Sơ đồ.svg").write_bytes(svg())
    made = House(base / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, organisation="Trung tâm Lưu trữ", workers=2)
    answer = made.stores().run("ingest", package)
    assert answer.item["verdict"] == "accepted", answer.out + answer.err
    return made, answer.item["aip"]


@pytest.fixture(scope="module")
def handed(kept: tuple[House, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Path]:
    made, aip = kept
    answer = made.run("export", aip, tmp_path_factory.mktemp("dips"), "--as", "eark-dip", "--access")
    assert answer.exit == 0, answer.out + answer.err
    return answer, Path(answer.item["path"])


def copies(root: Path) -> dict[str, FileRow]:
    """Files that are made for reading, ours and the depositor's, by what they are made of."""
    rows = EarkRows(FolderTree(root)).files()
    found = {}
    for row in rows:
        if row.derived_from is not None and b"-access" in bytes(row.path):
            found[bytes(row.path).decode()] = row
    return found


def test_each_file_that_a_rule_is_about_has_a_copy_for_reading(handed: tuple[Answer, Path]) -> None:
    answer, root = handed
    assert faults(answer.document or {}) == []
    found = copies(root)
    told = {path.removeprefix("representations/"): row.format.puid for path, row in found.items() if row.format}
    ours = {path: puid for path, puid in told.items() if path.startswith("rep1-access-2/")}
    assert {path.removeprefix("rep1-access-2/data/") for path in ours} == {
        "Ảnh/Trang 1.bmp.jpg", "Ảnh/Bản in.jpg.jpg", "Ảnh/Lớp.psd.jpg", "Ảnh/Sơ đồ.svg.jpg", "Họp.aiff.m4a",
        "Đại hội.avi.mp4",
    }  # fmt: skip
    assert ours["rep1-access-2/data/Đại hội.avi.mp4"] == "fmt/199"
    layers = found["representations/rep1-access-2/data/Ảnh/Lớp.psd.jpg"]
    assert layers.derived_from == "representations/rep1-preservation/data/Ảnh/Lớp.psd.tif".encode()
    assert answer.item["access"]["made"] == 6
    [broken] = answer.item["access"]["findings"]
    assert (broken["file"], broken["level"]) == ("representations/rep1/data/Ảnh/Hỏng.jp2", "warning")


def test_what_the_depositor_made_for_reading_is_not_made_again(handed: tuple[Answer, Path]) -> None:
    found = copies(handed[1])
    assert found[PAPER].derived_from == "representations/rep1/data/Ảnh/Trang bìa.png".encode()
    assert not [path for path in found if "Trang bìa" in path and path != PAPER]


def test_premis_tells_who_made_them_and_how(handed: tuple[Answer, Path]) -> None:
    rows = EarkRows(FolderTree(handed[1]))
    events = {event.key: event for event in rows.events()}
    agents = {agent.key: agent for agent in rows.agents()}
    for path, row in copies(handed[1]).items():
        if path == PAPER:
            continue
        event = events[str(row.derived_by)]
        assert event.type == "normalization"
        assert event.detail.startswith("purpose=access; rule=")
        assert [link.ref for link in event.links if link.role == "outcome"] == [row.path]
        assert all(agents[key].version for key, _ in event.agents)
    names = {one.name: one.source for one in rows.representations()}
    assert names["rep1-access-2"] == "rep1"


def test_the_dip_is_good_and_the_aip_as_it_was(
    kept: tuple[House, str], handed: tuple[Answer, Path], tmp_path: Path
) -> None:
    made, aip = kept
    root = handed[1]
    kind, told = recognise(FolderTree(root))
    assert told.kind == "eark-dip"
    assert valid(judged(kind, FolderTree(root)))
    assert root.name == f"uuid-{dip_uuid(aip.removeprefix('urn:uuid:'), 1, True)}"
    plain = made.run("export", aip, tmp_path, "--as", "eark-dip").item
    assert plain["access"] is None
    assert plain["identifier"] != handed[0].item["identifier"]
    stored = Path(made.run("export", aip, tmp_path / "aip").item["path"])
    assert not list(stored.rglob("*.m4a"))
    assert {item["result"] for item in made.run("audit").items} == {"intact"}
    lines = [json.loads(line) for file in made.data.glob("journal/**/*.jsonl") for line in file.open("rb")]
    assert any(line["fields"].get("made") == handed[0].item["identifier"] for line in lines if line["kind"] == "export")


@pytest.mark.judge
def test_commons_ip_accepts_it(handed: tuple[Answer, Path]) -> None:
    verdict = judges.commons_ip(handed[1])
    assert verdict.good, verdict


@pytest.mark.parametrize(
    "more", [("--access",), ("--as", "bagit", "--access"), ("--as", "eark-dip", "--rules", "none")]
)
def test_what_cannot_be_is_said_before_anything_is_written(
    kept: tuple[House, str], tmp_path: Path, more: tuple[Any, ...]
) -> None:
    made, aip = kept
    assert made.run("export", aip, tmp_path / "out", *more).exit == 2
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_without_a_program_the_rest_is_handed_out_with_a_finding(kept: tuple[House, str], tmp_path: Path) -> None:
    """A set of rules whose program is not there: a finding for each file, no copy, a good DIP."""
    made, aip = kept
    rules = tmp_path / "rules.toml"
    rules.write_text(
        (PROJECT / "profiles/normalisation/audio.toml").read_text().replace('tool = "av.convert"', 'tool = "verapdf"')
    )
    answer = made.run("export", aip, tmp_path / "out", "--as", "eark-dip", "--rules", rules)
    assert answer.exit == 0, answer.out + answer.err
    assert answer.item["access"]["made"] == 0
    assert {one["code"] for one in answer.item["access"]["findings"]} <= {"FMT-CONVERT-NO-TOOL", "FMT-CONVERT-FAILED"}
    assert valid(judged(recognise(FolderTree(Path(answer.item["path"])))[0], FolderTree(Path(answer.item["path"]))))
