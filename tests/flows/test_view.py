"""What the dashboard shows of packages: own states, own names, reports; and that it never stands in the way."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from flows import services
from pipeline.workspace import Workspace
from tests.flows.conftest import ask, drive, finished, space_at, wait_for

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

HOSTILE = (
    "accepted one",
    "rejected {item} {0} <img src=x onerror=a()> [a](b) *c* |",
    "already",
    "waiting",
    "transient",
    "=HYPERLINK(1) \x1b[31mđỏ\x07",
    "broken",
)
"""Names of packages as an attacker would choose them; what becomes of a package stands in its name."""


def runs(space: Workspace, flow: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(
        space, "/flow_runs/filter", {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_DESC"}
    )
    return [run for run in found if run["state_type"] != "SCHEDULED"]


def state(run: dict[str, Any]) -> tuple[str, str]:
    return run["state_type"], run["state_name"]


def tasks(space: Workspace, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    asked = {"task_runs": {"flow_run_id": {"any_": [run["id"]]}}, "limit": 200}
    return {one["name"]: one for one in ask(space, "/task_runs/filter", asked)}


def artifacts(space: Workspace, run: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    asked = {"flow_runs": {"id": {"any_": [run["id"]]}}, "artifacts": {"type": {"any_": [kind]}}}
    found: list[dict[str, Any]] = ask(space, "/artifacts/filter", asked)
    return found


def test_results_come_in_the_order_of_the_packages(shown: dict[str, Any]) -> None:
    verdicts = [item["verdict"] for item in shown["batch"]["items"]]
    assert verdicts == ["accepted", "rejected", "already archived", "waiting", "accepted", "accepted", None]
    assert shown["batch"]["items"][-1]["problem"] == "SYS-READ"
    assert shown["batch"]["stderr"] == ""


def test_only_what_passes_is_tried_again(shown: dict[str, Any]) -> None:
    calls = shown["batch"]["end"]["calls"]
    assert calls.pop("transient") == 2
    assert set(calls.values()) == {1}


def test_a_package_alone_has_a_run_of_its_own_with_a_task_per_stage(served: Workspace, shown: dict[str, Any]) -> None:
    found = {run["name"]: run for run in runs(served, "ingest")}
    rejected, waiting = found["rejected {item} alone"], found["waiting alone"]
    assert state(rejected) == ("CANCELLED", "Rejected")
    assert state(waiting) == ("PAUSED", "Waiting")
    assert set(rejected["parameters"]) == {"item"}
    stages = wait_for(lambda: found_tasks if len(found_tasks := tasks(served, rejected)) == 2 else None)
    assert {name: state(one) for name, one in stages.items()} == {
        "receive": ("COMPLETED", "Completed"),
        "check": ("CANCELLED", "Rejected"),
    }
    assert set(wait_for(lambda: tasks(served, waiting))) == {"receive", "check", "store"}
    assert "BAG-MAN-04" in rejected["state"]["message"]


def test_a_batch_is_one_run_with_a_task_per_package_in_its_own_state(served: Workspace, shown: dict[str, Any]) -> None:
    [batch] = [run for run in runs(served, "ingest-batch") if run["name"].endswith("(7)")]
    assert batch["name"].startswith("đợt {item} 1")
    found = wait_for(lambda: these if len(these := tasks(served, batch)) == 7 else None)
    states = {name: state(one) for name, one in found.items()}
    assert states == {
        "accepted one": ("COMPLETED", "Accepted"),
        "rejected {item} {0} <img src=x onerror=a()> [a](b) *c* |": ("CANCELLED", "Rejected"),
        "already": ("COMPLETED", "Already archived"),
        "waiting": ("PAUSED", "Waiting"),
        "transient": ("COMPLETED", "Accepted"),
        "=HYPERLINK(1) \\x1b[31mđỏ\\x07": ("COMPLETED", "Accepted"),
        "broken": ("FAILED", "Failed"),
    }
    # One package has no verdict: the batch is red, and says why.
    assert state(batch) == ("FAILED", "Failed")
    assert "1 no verdict" in batch["state"]["message"]


def test_an_end_of_ours_is_no_error_in_the_log(served: Workspace, shown: dict[str, Any]) -> None:
    logs = ask(served, "/logs/filter", {"logs": {"level": {"ge_": 40}}, "limit": 200})
    assert not [one["message"] for one in logs if "Rejected" in one["message"] or "Waiting" in one["message"]]


def test_reports_are_artifacts_in_which_names_are_no_markup(served: Workspace, shown: dict[str, Any]) -> None:
    [batch] = [run for run in runs(served, "ingest-batch") if run["name"].endswith("(7)")]
    [table] = artifacts(served, batch, "table")
    assert table["key"].startswith("batch-")
    rows = json.loads(table["data"])
    assert len(rows) == 7
    assert not [cell for row in rows for cell in row.values() if "<img" in cell.replace("\\<", "") or "[a](" in cell]
    reports = artifacts(served, batch, "markdown")
    assert len(reports) == 7
    [rejected] = [one for one in reports if "BAG" in one["data"]]
    assert rejected["key"].startswith("report-") and rejected["task_run_id"]
    told = rejected["data"] + (rejected["description"] or "")
    for markup in ("<img", "[a](b)", "*c*", "<b>", "*a*", "[lại](", "*khác*"):
        assert markup not in told.replace("\\<", "").replace("\\*", "").replace("\\[", "").replace("\\]", ""), markup
    assert "\x1b" not in json.dumps([rows, reports], ensure_ascii=False)


def test_the_table_fills_while_the_batch_runs(served: Workspace, tmp_path: Path) -> None:
    process = drive(served, tmp_path / "filling", *[f"p{number}" for number in range(6)], pause=1.2)

    def filling() -> list[bool] | None:
        found = [run for run in runs(served, "ingest-batch") if run["name"] == "filling (6)"]
        tables = artifacts(served, found[0], "table") if found else []
        done = ["…" not in row.values() for row in json.loads(tables[0]["data"])] if tables else []
        return done if any(done) and not all(done) else None

    assert wait_for(filling)
    assert len(finished(process)["items"]) == 6


def test_nothing_is_left_of_a_finished_command(served: Workspace, shown: dict[str, Any]) -> None:
    left = [json.loads(row.read_text()) for row in (served.root / "queue").rglob("*.json")]
    assert {row["stand"] for row in left} <= {"waiting"}


def test_a_stop_is_heard_and_what_is_finished_stays(served: Workspace, tmp_path: Path) -> None:
    said = finished(drive(served, tmp_path / "stopping", "p1", "stop", "p2"))
    assert [item["verdict"] for item in said["items"]] == ["accepted"]
    assert said["end"]["stopped"] is True
    [batch] = [run for run in runs(served, "ingest-batch") if run["name"] == "stopping (3)"]
    assert state(batch) == ("CANCELLED", "Stopped")


def test_the_end_of_the_server_in_the_middle_of_a_batch_costs_no_package(tmp_path: Path) -> None:
    space = space_at(tmp_path / "data")
    try:
        services.up(space)
        names = [f"p{number}" for number in range(8)] + ["rejected", "transient"]
        process = drive(space, tmp_path / "packages", *names, pause=0.5)
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        os.kill(services.status(space).pids["dashboard"], signal.SIGKILL)
        said = finished(process)
        verdicts = [json.loads(line)["verdict"] for line in first] + [item["verdict"] for item in said["items"]]
        assert verdicts == ["accepted"] * 8 + ["rejected", "accepted"]
        assert set(said["end"]["calls"].values()) <= {1, 2}
        assert [name for name, calls in said["end"]["calls"].items() if calls > 1] == ["transient"]
        assert said["stderr"] == ""
        assert said["end"]["seconds"] < 90
        # Without its server the next command works at once, and the server can come back.
        assert services.running(space) is None
        services.up(space)
        assert ask(space, "/admin/version")
    finally:
        services.down(space)
