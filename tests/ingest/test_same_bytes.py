"""Same submission, same clock: the same inventory digest, whoever works on it and however often it is killed."""

from __future__ import annotations

import shutil
import time
import zipfile
from pathlib import Path

import pytest

from tests.command import ARCHIVE, CLOCK, House, kill_group

SAMPLE = Path(__file__).parent.parent.parent / "sample_packages" / "accepted--ok--van-ban-ma-cu"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of a sample with enough files for a kill to land in the middle."""
    folder = tmp_path / "gói thử"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("metadata"))
    for number in range(150):
        (folder / f"tệp {number:03}.txt").write_text(f"nội dung {number}\n" * 50, encoding="utf-8")
    return folder


def house(base: Path, workers: int) -> House:
    made = House(base, {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, workers=workers)
    return made.stores("vault", "second")


def inventory(made: House, aip: str) -> str:
    shown = made.run("show", aip)
    assert shown.exit == 0, shown.err
    digests = {copy["inventory_digest"] for copy in shown.item["copies"]}
    assert len(digests) == 1
    return str(digests.pop())


def test_one_worker_four_workers_and_two_kills_give_the_same_inventory(tmp_path: Path, package: Path) -> None:
    found = {}
    for workers in (1, 4):
        made = house(tmp_path / f"w{workers}", workers)
        answer = made.run("ingest", package)
        assert answer.item["verdict"] == "accepted", answer.err
        found[f"{workers} workers"] = inventory(made, answer.item["aip"])
    made = house(tmp_path / "killed", 2)
    for seconds in (0.9, 1.6):
        process = made.start("ingest", package)
        time.sleep(seconds)
        kill_group(process)
    answer = made.run("ingest", package)
    assert answer.item["verdict"] in ("accepted", "already archived"), answer.err
    found["two kills"] = inventory(made, answer.item["aip"])
    assert len(set(found.values())) == 1, found


def test_a_zip_and_a_folder_of_the_same_files_are_one_submission(tmp_path: Path, package: Path) -> None:
    archive = tmp_path / "gói thử.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(package.rglob("*")):
            out.write(file, Path(package.name) / file.relative_to(package))
    made = house(tmp_path / "house", 2)
    first = made.run("ingest", package)
    second = made.run("ingest", archive)
    assert first.item["verdict"] == "accepted", first.err
    assert second.item["verdict"] == "already archived", second.out
    assert second.exit == 0
    assert first.item["submission_digest"] == second.item["submission_digest"]
    assert first.item["aip"] == second.item["aip"]
    other = house(tmp_path / "other", 2)
    assert other.run("ingest", archive).item["aip"] == first.item["aip"]
