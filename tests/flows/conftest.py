"""Servers of a data folder for the tests, and the questions that are asked of them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import services
from pipeline.settings import PROJECT
from pipeline.workspace import Workspace

_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def space_at(root: Path) -> Workspace:
    """A data folder as `workspace()` makes it."""
    for name in ("work", "locks", "reports", "journal"):
        (root / name).mkdir(parents=True, exist_ok=True)
    return Workspace(root)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A data folder whose servers run; its name is one that URLs and shells do not like."""
    space = space_at(tmp_path_factory.mktemp("dữ liệu a%b #1"))
    try:
        services.up(space)
        yield space
    finally:
        services.down(space)


def status_of(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> int:
    try:
        with _OPEN.open(urllib.request.Request(url, method=method, headers=headers or {}), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def ask(space: Workspace, path: str, body: dict[str, Any] | None = None) -> Any:
    """An answer of the dashboard's API."""
    found = services.status(space)
    word = base64.b64encode(found.password().encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {word}"}
    sent = json.dumps(body).encode() if body is not None else None
    with _OPEN.open(urllib.request.Request(f"{found.api}{path}", sent, headers), timeout=30) as answer:
        return json.load(answer)


def drive(space: Workspace, folder: Path, *names: str, pause: float = 0.0, **options: Any) -> subprocess.Popen[str]:
    """The command's part in a process of its own, with an environment that holds misleading settings of Prefect's."""
    environment = os.environ | {
        "LUUTRU_DATA": str(space.root), "PYTHONPATH": str(PROJECT), "STAND_IN_PAUSE": str(pause),
        "PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_PROFILE": "nobody", "PREFECT_LOGGING_LEVEL": "DEBUG",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "tests.flows.drive", str(folder), *names], env=environment, cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


@pytest.fixture(scope="session")
def shown(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a batch and three single packages leave in the dashboard."""
    folder = tmp_path_factory.mktemp("đợt {item} 1")
    from tests.flows.test_view import HOSTILE

    batch = finished(drive(served, folder, *HOSTILE))
    single = [finished(drive(served, folder, name)) for name in ("rejected {item} alone", "waiting alone")]
    return {"batch": batch, "single": single, "folder": folder}


def finished(process: subprocess.Popen[str], seconds: float = 150) -> dict[str, Any]:
    """Its lines, last words and stderr once it ended."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    return {"items": lines[:-1], "end": lines[-1], "stderr": err}


Waiter = Callable[[Callable[[], Any], float], Any]


def wait_for(question: Callable[[], Any], seconds: float = 300) -> Any:
    """The first true answer; AssertionError when none comes in time, which is ample: machines of CI are shared."""
    import time

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError("it did not come about in time")
