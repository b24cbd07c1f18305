"""SIGKILL of the embedded S3 and of the Prefect server in the middle of a batch, and the same bytes with Prefect."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import services
from pipeline.workspace import Workspace
from tests.command import ARCHIVE, CLOCK, Answer, House
from tests.ingest.test_kill import verified

pytestmark = [pytest.mark.kill, pytest.mark.slow, pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

PACKAGES = Path(__file__).parent.parent.parent / "sample_packages"
NAMES = ("accepted--ok--bao-cao-2019", "accepted--ok--tui-bagit-1.0", "accepted--ok--van-ban-ma-cu")


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """A folder of twelve packages, all different."""
    folder = tmp_path / "lô"
    for number in range(12):
        package = folder / f"hồ sơ {number:02}"
        package.mkdir(parents=True)
        for file in range(25):
            (package / f"tệp {file}.txt").write_text(f"hồ sơ {number}, tệp {file}\n", encoding="utf-8")
    return folder


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A data folder with its servers up, a folder store and a bucket in its own embedded S3."""
    made = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, workers=2)
    try:
        up = made.run("up")
        assert up.exit == 0, up.out + up.err
        s3 = next(item for item in up.items if item["name"] == "s3")
        made.stores("vault")
        added = made.run("store", "add", "bucket", f"s3://{s3['bucket']}/tests", "--endpoint", s3["address"],
                         "--credentials-file", s3["password_file"])  # fmt: skip
        assert added.exit == 0, added.out + added.err
        yield made
    finally:
        made.run("down")
        assert services.status(Workspace(made.data)).pids == {}


def ingest_and_kill(made: House, batch: Path, part: str, after: int) -> Answer:
    """Ingests the batch; kills a server once `after` packages are finished."""
    pid = services.status(Workspace(made.data)).pids[part]
    process = made.start("ingest", "--batch", batch, "--json")
    assert process.stderr is not None
    lines: list[str] = []

    def watch() -> None:
        assert process.stderr is not None
        for raw in process.stderr:
            lines.append(raw.decode())
            if lines[-1].startswith(f"[{after}/"):
                os.kill(pid, signal.SIGKILL)

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert process.stdout is not None
    out = process.stdout.read().decode()
    code = process.wait(300)
    watcher.join()
    import json

    return Answer(code, json.loads(out), out, "".join(lines))


def test_the_end_of_the_embedded_s3_leaves_packages_waiting_and_they_go_on(house: House, batch: Path) -> None:
    answer = ingest_and_kill(house, batch, "s3", 4)
    verdicts = [item["verdict"] for item in answer.items]
    assert answer.exit == 4, answer.out + answer.err
    assert set(verdicts) == {"accepted", "waiting"}, verdicts
    assert verdicts[:4] == ["accepted"] * 4
    assert all(item["waiting_for"] == "copy" for item in answer.items if item["verdict"] == "waiting")
    assert house.run("up").exit == 0
    shutil.rmtree(batch / "hồ sơ 11")
    again = house.run("ingest", "--batch", batch)
    assert again.exit == 0, again.out + again.err
    house.run("audit")
    verified(house, 12)


def test_the_end_of_prefect_costs_nothing(house: House, batch: Path) -> None:
    answer = ingest_and_kill(house, batch, "dashboard", 3)
    assert answer.exit == 0, answer.out + answer.err
    assert [item["verdict"] for item in answer.items] == ["accepted"] * 12
    verified(house, 12)


def test_with_and_without_prefect_the_same_inventories(house: House, tmp_path: Path) -> None:
    plain = House(tmp_path / "plain", {"LUUTRU_CLOCK": CLOCK})
    plain.settings(archive=ARCHIVE, workers=1)
    plain.stores("vault", "second")
    paths = [PACKAGES / name for name in NAMES]
    found = []
    for made in (house, plain):
        answer = made.run("ingest", *paths)
        assert [item["verdict"] for item in answer.items] == ["accepted"] * 3, answer.out + answer.err
        found.append(
            {
                item["aip"]: {copy["inventory_digest"] for copy in made.run("show", item["aip"]).item["copies"]}
                for item in answer.items
            }
        )
    assert found[0] == found[1]
