"""Entry of the command line: packages with their runs in the dashboard, or handed to the worker.

Prefect is a view. Whatever happens to it, each package is worked on once and its result is given on.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import dashboard, jobs, ports, services
from flows.jobs import Job
from pipeline.errors import SystemProblem
from pipeline.ingest.item import Item
from pipeline.ingest.tokens import Request
from pipeline.names import shown
from pipeline.settings import settings

if TYPE_CHECKING:
    from pipeline.ingest.session import Progress

LAST_SECONDS = 15.0


def ingest_batch(
    running: services.Services,
    requests: Sequence[Request],
    done: Callable[[Item], None] = lambda _: None,
    progress: Progress | None = None,
    lang: str = "vi",
    way: jobs.Way = jobs.whole_way,
) -> list[Item]:
    """Ingests packages in this process; the dashboard shows it. Results in the order given, as `done` gets them.

    A package that is big or alone has a run of its own, the others share one. `way` is what is done with a package.
    Raises `Interrupted` alone.
    """
    if not requests:
        return []
    results = _Results(done)
    view = _View(running, requests[0])
    try:
        for places in groups(requests):
            chosen = [requests[place] for place in places]
            job = jobs.at_hand(chosen, lang, results.taker(places), progress, way)
            try:
                view.show(job)
                for place in range(len(job.requests)):
                    # What Prefect could not carry through is done without it.
                    job.finish(place)
            finally:
                jobs.end(job)
    except KeyboardInterrupt:
        view.close(lost=True)
        raise
    finally:
        view.close()
    return results.found


def enqueue(requests: Sequence[Request], lang: str = "vi") -> list[dict[str, Any]]:
    """Hands packages to the worker, which goes on after a restart; one entry per row: id and packages as shown."""
    made = []
    for places in groups(requests):
        row = jobs.queue([requests[place] for place in places], lang)
        made.append({"id": row.id, "packages": [shown(bytes(requests[place].package)) for place in places]})
    return made


def groups(requests: Sequence[Request]) -> list[list[int]]:
    """Places of packages that share a run: all small ones together, each big one alone."""
    if not requests:
        return []
    limit = settings(requests[0].space).big
    small = [place for place, request in enumerate(requests) if not _reaches(request.package, limit)]
    big = [[place] for place in range(len(requests)) if place not in set(small)]
    return [small, *big] if small else big


def _reaches(package: Path, limit: int) -> bool:
    """Whether the package holds that many bytes; stops counting there. What cannot be read counts as small."""
    try:
        if not package.is_dir():
            return package.stat().st_size >= limit
    except OSError:
        return False
    total = 0
    for folder, _, names in os.walk(os.fsencode(package)):
        for name in names:
            try:
                total += os.lstat(folder + b"/" + name).st_size
            except OSError:
                continue
            if total >= limit:
                return True
    return False


class _Results:
    """Results of several groups, given on in the order of the packages."""

    def __init__(self, done: Callable[[Item], None]) -> None:
        self.found: list[Item] = []
        self._done = done
        self._early: dict[int, Item] = {}

    def taker(self, places: Sequence[int]) -> Callable[[Item], None]:
        """Takes the results of one group, which come in its order."""
        order = iter(places)

        def take(item: Item) -> None:
            self._early[next(order)] = item
            while len(self.found) in self._early:
                self.found.append(self._early[len(self.found)])
                self._done(self.found[-1])

        return take


class _View:
    """The dashboard as seen from a command: an event loop of its own beside the main thread, so that signals stay ours.

    After the first failure nothing more is shown: the work must not wait for it again and again.
    """

    def __init__(self, running: services.Services, first: Request) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port = running.ports.get("dashboard", 0)
        found = services.client(first.space)
        if found is None:
            return
        try:
            dashboard.enter(first.space, *found)
        except (ImportError, OSError, SystemProblem):
            return
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="luutru-view", daemon=True).start()

    def close(self, lost: bool = False) -> None:
        """Leaves the dashboard; at most `LAST_SECONDS` are spent on what it has not been told yet."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None
            dashboard.leave(0 if lost else LAST_SECONDS)

    def show(self, job: Job) -> None:
        """Runs the job's flow to its end, or returns early when Prefect fails."""
        if self._loop is None or not ports.open_to(self._port):
            return
        from flows.ingest import ingest_batch, ingest_package

        flow: Any = ingest_package if len(job.requests) == 1 else ingest_batch
        run: Coroutine[Any, Any, Any] = flow(job.row.id, return_state=True)
        told = asyncio.run_coroutine_threadsafe(run, self._loop)
        try:
            gone = 0
            while not told.done():
                wait([told], timeout=0.5)
                gone = 0 if ports.open_to(self._port) else gone + 1
                # Prefect would try for half a minute at every step; the work needs no server.
                if gone == 3 and not told.done():
                    raise ConnectionError
            told.result()
        except Exception:
            self.close(lost=True)
        if job.stopped is not None:
            raise job.stopped
