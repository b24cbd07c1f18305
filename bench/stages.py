"""Where the time of one ingest goes, stage by stage: `python -m bench.stages FOLDER` prints JSON.

A process of its own, so that loading modules counts as it does for the command. CPU seconds are those of this process
and of its workers; on a busy machine they say more than seconds on the clock.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench.measure import LUUTRU, PROJECT


def row(source: Path) -> dict[str, Any]:
    """The row of the bench: seconds by stage, CPU seconds of the process and of its workers."""
    told = subprocess.run([sys.executable, "-m", "bench.stages", str(source)], cwd=PROJECT, check=True,
                          stdout=subprocess.PIPE)  # fmt: skip
    stages: dict[str, list[float]] = json.loads(told.stdout)
    return {"key": "STAGES", "name": "stages of an ingest of 1,000 files, folder", "stages": stages,
            "load": round(os.getloadavg()[0], 1)}  # fmt: skip


def workers() -> float:
    """CPU seconds of processes that we started, gone or not."""
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = gone.ru_utime + gone.ru_stime
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


class Clock:
    """Seconds, CPU seconds of this process and of its workers from one mark to the next, by name."""

    def __init__(self) -> None:
        self.told: dict[str, list[float]] = {}
        self._last = self._now()

    def mark(self, name: str) -> None:
        """What passed since the last mark belongs to `name`."""
        now = self._now()
        before = self.told.get(name, [0.0, 0.0, 0.0])
        spent = (new - old for new, old in zip(now, self._last, strict=True))
        self.told[name] = [round(a + b, 3) for a, b in zip(before, spent, strict=True)]
        self._last = now

    def _now(self) -> tuple[float, float, float]:
        return time.monotonic(), time.process_time(), workers()


def main() -> None:
    source = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="luutru-stages-") as folder:
        base = Path(folder)
        os.environ["LUUTRU_DATA"] = str(base / "data")
        subprocess.run([LUUTRU, "store", "add", "vault", (base / "vault").as_uri()], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        file = base / "one.toml"
        lines = ('name = "bench"', 'accepts = ["folder"]', 'makes = "eark-aip"', "normalise = false", "copies = 1")
        file.write_text("\n".join(lines) + "\n")
        clock = Clock()
        from pipeline.content.reading import get_ready
        from pipeline.settings import profile, settings
        from pipeline.workspace import workspace

        space = workspace()
        get_ready(settings(space).workers)
        from pipeline.administration.archive import close_journal
        from pipeline.ingest.ingest import ingest
        from pipeline.ingest.preflight import preflight
        from pipeline.ingest.tokens import Request

        def run(stage: Callable[..., Any], *args: Any) -> Any:
            clock.mark("start")
            try:
                return stage(*args)
            finally:
                clock.mark(stage.__name__)

        asked = profile(str(file))
        preflight(space, asked)
        item = ingest(Request(space, source, asked), run)
        close_journal(space)
        from pipeline.pool import close_shared

        close_shared()
        clock.mark("end")
        if item.exit:
            raise SystemExit(json.dumps(item.document()))
    print(json.dumps(clock.told))


if __name__ == "__main__":
    main()
