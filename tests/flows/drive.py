"""Ingests packages as the command does, in a process of its own, with the stand-in: `drive FOLDER NAME…`.

Prints a JSON line per package as it is given on, then one with what was left behind.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from flows import run, services
from pipeline.errors import Interrupted
from pipeline.ingest.item import Item
from pipeline.ingest.tokens import Request
from pipeline.settings import Profile
from pipeline.workspace import workspace
from tests.flows.stand_in import CALLS, way


def main(folder: Path, names: list[str]) -> None:
    space = workspace()
    started = time.monotonic()

    def told(item: Item) -> None:
        problem = item.problem["code"] if item.problem else None
        print(json.dumps({"path": item.path, "verdict": item.verdict, "problem": problem}), flush=True)

    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
    found = services.running(space)
    assert found is not None
    stopped = False
    try:
        requests = [Request(space, folder / name, Profile("eark", ("folder",))) for name in names]
        run.ingest_batch(found, requests, told, way=way)
    except Interrupted:
        stopped = True
    print(json.dumps({"stopped": stopped, "calls": dict(CALLS), "seconds": time.monotonic() - started}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
