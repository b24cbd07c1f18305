"""The worker with the real way of a package: queue, processes that die, stores that come back, the audit by night."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows import jobs, services
from flows.jobs import Stand
from pipeline.settings import PROJECT
from pipeline.workspace import Workspace
from tests.flows.conftest import ask, wait_for
from tests.flows.test_view import artifacts, runs, state, tasks

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.xdist_group("prefect")]


@pytest.fixture(scope="module")
def archive(served: Workspace) -> Workspace:
    """The data folder with its servers, and two stores: a folder, and the embedded bucket."""
    found = services.up(served)
    luutru(served, "store", "add", "vault", (served.root.parent / "vault").as_uri())
    luutru(
        served, "store", "add", "bucket", f"s3://{found.bucket}/test", "--endpoint", str(found.s3),
        "--credentials-file", str(found.s3_credentials),
    )  # fmt: skip
    return served


def command(space: Workspace, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "LUUTRU_DATA": str(space.root), "LUUTRU_LANG": "en", "PYTHONPATH": str(PROJECT)}
    environment.pop("LUUTRU_CONFIG", None)
    line = [sys.executable, "-c", "import sys; from cli import main; sys.exit(main())", *words]
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def luutru(space: Workspace, *words: str, expect: int = 0) -> str:
    """What the command says; its exit code is as expected."""
    process = command(space, *words)
    out, err = process.communicate(timeout=150)
    assert process.returncode == expect, out + err
    return out


def package(tmp_path: Path, name: str, files: int = 1) -> Path:
    """A folder that no other test has."""
    made = tmp_path / name / "objects"
    made.mkdir(parents=True)
    for number in range(files):
        (made / f"tài liệu {number}.txt").write_text(f"{tmp_path} {name} {number}\n")
    return made.parent


def rows(space: Workspace, path: Path) -> list[jobs.Row]:
    """Rows with this package, done ones too."""
    done = [jobs.load(space, file.stem) for file in (jobs.folder(space) / "done").glob("[!.]*.json")]
    return [row for row in (*jobs.rows(space), *done) if path in row.packages]


def stands(space: Workspace, path: Path, stand: Stand) -> jobs.Row | None:
    return next((row for row in rows(space, path) if row.stand is stand), None)


def test_a_queued_package_is_ingested_by_the_worker(archive: Workspace, tmp_path: Path) -> None:
    alone, other, bad = package(tmp_path, "một mình"), package(tmp_path, "two"), package(tmp_path, "three")
    (bad / "metadata").mkdir()
    (bad / "metadata" / "checksum.sha256").write_text("0" * 64 + "  objects/tài liệu 0.txt\n")
    luutru(archive, "ingest", str(alone), "--queue")
    luutru(archive, "ingest", str(other), str(bad), "--queue")
    row = wait_for(lambda: stands(archive, alone, Stand.DONE))
    assert row.verdicts == ("accepted",) and row.by_worker
    [run] = [run for run in runs(archive, "ingest") if run["name"] == "một mình"]
    assert state(run) == ("COMPLETED", "Accepted")
    assert run["parameters"] == {"item": row.id}
    stages = wait_for(lambda: these if len(these := tasks(archive, run)) == 7 else None)
    assert set(stages) == {"receive", "check", "inspect", "normalise", "describe", "seal", "store"}
    assert len(artifacts(archive, run, "markdown")) == 1
    both = wait_for(lambda: stands(archive, bad, Stand.DONE))
    assert both.verdicts == ("accepted", "rejected")


def test_a_package_whose_process_is_killed_is_taken_up_again(archive: Workspace, tmp_path: Path) -> None:
    path = package(tmp_path, "killed", files=1500)
    luutru(archive, "ingest", str(path), "--queue")
    row = wait_for(lambda: stands(archive, path, Stand.RUNNING))
    assert row.owner is not None
    os.kill(row.owner[0], signal.SIGKILL)
    assert wait_for(lambda: stands(archive, path, Stand.DONE)).verdicts == ("accepted",)
    by_id = {run["id"]: state(run) for run in runs(archive, "ingest")}
    assert by_id[row.flow_run] == ("CRASHED", "Crashed")
    assert ("COMPLETED", "Accepted") in by_id.values()
    assert not list(archive.work.iterdir())


def test_a_command_that_was_killed_is_taken_up_when_the_worker_starts(archive: Workspace, tmp_path: Path) -> None:
    path = package(tmp_path, "abandoned", files=1500)
    process = command(archive, "ingest", str(path))
    wait_for(lambda: stands(archive, path, Stand.RUNNING))
    process.kill()
    process.communicate()
    worker = services.status(archive).pids["worker"]
    psutil.Process(worker).terminate()
    wait_for(lambda: "worker" not in services.status(archive).pids)
    services.up(archive)
    assert wait_for(lambda: stands(archive, path, Stand.DONE)).verdicts == ("accepted",)


def test_a_copy_that_waits_for_its_store_is_made_when_the_store_is_back(archive: Workspace, tmp_path: Path) -> None:
    path = package(tmp_path, "waits")
    os.kill(services.status(archive).pids["s3"], signal.SIGKILL)
    luutru(archive, "ingest", str(path), expect=4)
    [run] = [run for run in runs(archive, "ingest") if run["name"] == "waits"]
    assert state(run) == ("PAUSED", "Waiting")

    def shown_as(kind: str, name: str) -> Any:
        return state(ask(archive, f"/flow_runs/{run['id']}")) == (kind, name)

    # Somebody presses Resume: it is no button that a copy listens to.
    ask(archive, f"/flow_runs/{run['id']}/resume", {})
    assert shown_as("RUNNING", "Running")
    wait_for(lambda: shown_as("PAUSED", "Waiting"))
    services.up(archive)
    assert wait_for(lambda: shown_as("COMPLETED", "Accepted"))
    assert '"already archived"' in luutru(archive, "ingest", str(path), "--json")


def test_the_audit_of_the_night_reports(archive: Workspace) -> None:
    [nightly] = [one for one in ask(archive, "/deployments/filter", {}) if one["name"] == "nightly"]
    made = ask(archive, f"/deployments/{nightly['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
    done = wait_for(lambda: next((r for r in runs(archive, "audit") if r["id"] == made["id"] and r["end_time"]), None))
    assert state(done) == ("COMPLETED", "Completed")
    assert done["state"]["message"].endswith("intact")
    [report] = artifacts(archive, done, "markdown")
    assert report["key"] == "audit" and "vault" in report["data"]


def test_the_keys_of_the_stores_are_shown_nowhere(archive: Workspace) -> None:
    import configparser
    import json

    keys = configparser.ConfigParser()
    keys.read(services.status(archive).s3_credentials or "")
    secret = keys["default"]["aws_secret_access_key"]
    told = [ask(archive, f"/{kind}/filter", {}) for kind in ("artifacts", "flow_runs", "task_runs", "logs")]
    assert secret not in json.dumps(told)
    for log in (archive.services / "logs").iterdir():
        assert secret not in log.read_text(errors="replace")


def test_damage_makes_the_audit_red(archive: Workspace) -> None:
    from flows import states

    items = [{"result": "intact"}, {"result": "damaged"}]
    found = states.of_audit(1, items)
    assert (found.type.value, found.name, found.message) == ("FAILED", "Failed", "1 damaged, 1 intact")


def test_the_runner_shares_no_folder_with_other_users(archive: Workspace) -> None:
    """What another user's Prefect left in the temporary folder kept the worker from starting."""
    worker = psutil.Process(services.status(archive).pids["worker"])
    assert worker.is_running()
    assert list((archive.services / "runner_storage").iterdir())
