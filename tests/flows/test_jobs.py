"""Rows of the queue: kept whole, found again, never done twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from flows import jobs, retries
from flows.jobs import Job, Stand
from flows.run import groups
from pipeline.errors import Interrupted, SystemProblem, UsageProblem
from pipeline.ingest.item import Item
from pipeline.ingest.tokens import Request
from pipeline.records import Verdict
from pipeline.settings import Profile, checked
from pipeline.workspace import Workspace
from tests.flows.conftest import space_at
from tests.flows.stand_in import way

PROFILE = Profile("eark", ("folder",))


def requests(space: Workspace, *names: str | bytes) -> list[Request]:
    return [Request(space, space.root / os.fsdecode(name), PROFILE) for name in names]


def test_a_row_survives_the_disk_with_any_name(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    asked = requests(space, "hồ sơ", b"\xff\n{x}")
    row = jobs.queue(asked, "en")
    found = jobs.load(space, row.id)
    assert replace(found, profile={}) == replace(row, profile={})
    assert checked(Profile, found.profile, "row") == PROFILE
    assert [list(found.packages) for found in jobs.rows(space)] == [[one.package for one in asked]]
    assert (jobs.folder(space) / f"{row.id}.json").stat().st_mode & 0o777 == 0o600


def test_rows_that_are_done_lie_apart_and_are_found(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    row = jobs.queue(requests(space, "a"), "vi")
    jobs.keep(space, replace(row, stand=Stand.DONE))
    assert list(jobs.rows(space)) == []
    assert jobs.load(space, row.id).stand is Stand.DONE
    jobs.forget_done(space, 1)
    assert jobs.load(space, row.id).id == row.id
    os.utime(jobs.folder(space) / "done" / f"{row.id}.json", (0, 0))
    jobs.forget_done(space, 1)
    with pytest.raises(UsageProblem):
        jobs.load(space, row.id)


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "nothing", "a/b", "x" * 300])
def test_an_id_from_a_form_is_no_path(tmp_path: Path, text: str) -> None:
    with pytest.raises((UsageProblem, SystemProblem)) as problem:
        jobs.load(space_at(tmp_path), text)
    assert problem.value.code in ("USE-QUEUE-ROW", "SYS-READ")


def test_a_row_of_another_form_is_refused(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    row = jobs.queue(requests(space, "a"), "vi")
    file = jobs.folder(space) / f"{row.id}.json"
    file.write_text(file.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(SystemProblem, match="SYS-FORMAT"):
        jobs.load(space, row.id)


def test_a_row_is_orphaned_when_its_process_is_gone(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    mine = jobs.at_hand(requests(space, "a"), "vi", lambda _: None)
    assert not jobs.orphaned(jobs.load(space, mine.row.id))
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert jobs.orphaned(replace(mine.row, owner=(gone.pid, 1.0)))
    assert jobs.orphaned(replace(mine.row, owner=(os.getpid(), 1.0)))
    jobs.end(mine)


def test_two_who_ask_for_one_package_ingest_it_once(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    counted: list[str] = []

    def slow(request: Request, run: object, progress: object) -> Item:
        counted.append(request.package.name)
        threading.Event().wait(0.2)
        return way(request, None, None)

    told: list[Item] = []
    job = Job(space, jobs.queue(requests(space, "a"), "vi"), tuple(requests(space, "a")), told.append, way=slow)
    # The run in the dashboard works; the command gives it up and settles the package itself.
    runner = threading.Thread(target=job.work, args=(0,))
    runner.start()
    threading.Event().wait(0.05)
    job.finish(0)
    runner.join()
    assert counted == ["a"] and len(told) == 1 and told[0].verdict is Verdict.ACCEPTED


def test_results_are_given_on_in_order(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    asked = requests(space, "a", "b", "c")
    told: list[str] = []
    job = Job(space, jobs.queue(asked, "vi"), tuple(asked), lambda item: told.append(Path(item.path).name))
    for place in (2, 0, 1):
        job.keep(place, way(asked[place], None, None))
    assert told == ["a", "b", "c"]


def test_a_stop_is_passed_on_to_everybody(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    asked = requests(space, "stop", "b")
    job = Job(space, jobs.queue(asked, "vi"), tuple(asked), way=way)
    for place in (0, 1):
        with pytest.raises(Interrupted):
            job.work(place)
    jobs.end(job)
    assert job.row.stand is Stand.STOPPED


def test_a_row_without_a_verdict_is_tried_again_and_then_lost(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    asked = requests(space, "broken")
    row = replace(jobs.queue(asked, "vi"), by_worker=True)
    for attempt, stand in ((1, Stand.QUEUED), (2, Stand.QUEUED), (3, Stand.LOST)):
        job = Job(space, replace(row, attempts=attempt), tuple(asked), way=way)
        job.keep(0, job.work(0))
        jobs.end(job)
        assert job.row.stand is stand


def test_big_packages_have_runs_of_their_own(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    (tmp_path / "luutru.toml").write_text("big = 1000\n")
    for name, size in (("small", 10), ("big", 2000), ("other", 999)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.bin").write_bytes(b"x" * size)
    (tmp_path / "archive.zip").write_bytes(b"x" * 1000)
    asked = requests(space, "small", "big", "other", "archive.zip", "absent")
    assert groups(asked) == [[0, 2, 4], [1], [3]]
    assert groups([]) == []


def test_only_problems_that_pass_are_tried_again() -> None:
    assert retries.passes(SystemProblem("SYS-WORKER", transient=True))
    assert not retries.passes(SystemProblem("SYS-READ"))
    assert not retries.passes(ValueError())
    assert not retries.passes(None)
