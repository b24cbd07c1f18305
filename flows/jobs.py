"""Rows of the queue: what a flow run with an id is about, which process works on it, and what came of it.

One JSON file per row in the data folder. Flow runs carry ids alone; paths and names stay here.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from flows import retries
from pipeline.errors import Interrupted, Problem, SystemProblem, UsageProblem
from pipeline.findings import problem_json
from pipeline.ingest.item import Item
from pipeline.ingest.tokens import Request
from pipeline.names import shown
from pipeline.reports.words import Lang
from pipeline.settings import Profile, checked
from pipeline.workspace import Workspace, now, rfc3339, workspace, write_json

if TYPE_CHECKING:
    from pipeline.ingest.ingest import Run
    from pipeline.ingest.session import Progress

Way = Callable[["Request", "Run | None", "Progress | None"], Item]
LONGEST_TITLE = 120
ATTEMPTS = 3


def whole_way(request: Request, run: Run | None, progress: Progress | None) -> Item:
    """The ingest of one package; imported when the first one comes, for the worker itself never needs it."""
    from pipeline.ingest.ingest import call, ingest
    from pipeline.ingest.session import quiet

    return ingest(request, run or call, progress or quiet)


def in_worker(request: Request, run: Run | None, progress: Progress | None) -> Item:
    """The same, with what a command does once before and after: the worker's success is a closed journal too."""
    from pipeline.administration.archive import close_journal
    from pipeline.ingest.preflight import preflight

    try:
        preflight(request.space, request.profile)
    except Problem as problem:
        told = {**problem_json(problem), "exit": problem.exit_code}
        return Item(shown(bytes(request.package)), request.profile.name, None, problem=told)
    item = whole_way(request, run, progress)
    close_journal(request.space)
    return item


class Stand(StrEnum):
    """Where a row stands. `waiting` is for a copy; `lost` was tried `ATTEMPTS` times: a person has to look."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    WAITING = "waiting"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Row:
    """Packages that go together through one flow run.

    `owner` is pid and start time of the process at work, `aips` the AIPs that wait for a copy, times are RFC 3339.
    """

    id: str
    packages: tuple[Path, ...]
    profile: dict[str, Any]
    kind: str | None = None
    lang: str = "vi"
    stand: Stand = Stand.QUEUED
    queued: str = ""
    ended: str = ""
    attempts: int = 0
    owner: tuple[int, float] | None = None
    by_worker: bool = False
    flow_run: str | None = None
    verdicts: tuple[str, ...] = ()
    aips: tuple[str, ...] = ()


@dataclass(slots=True)
class Job:
    """A row at work in this process: results by place, given on in the order of the packages."""

    space: Workspace
    row: Row
    requests: tuple[Request, ...]
    done: Callable[[Item], None] = lambda _: None
    progress: Progress | None = None
    way: Way = whole_way
    delays: tuple[float, ...] = ()
    results: list[Item | None] = field(default_factory=list)
    stopped: BaseException | None = None
    _found: dict[int, Item] = field(default_factory=dict)
    _told: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _turns: list[threading.Lock] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.results = [None] * len(self.requests)
        self._turns = [threading.Lock() for _ in self.requests]

    @property
    def lang(self) -> Lang:
        return "en" if self.row.lang == "en" else "vi"

    def title(self, place: int | None = None) -> str:
        """What the run is called: the package's name, or for a batch the folder's and how many. Made fit to show."""
        packages = self.row.packages
        if place is None and len(packages) > 1:
            folder = shown(os.fsencode(packages[0].parent.name))
            return f"{folder[:LONGEST_TITLE]} ({len(packages)})"
        return shown(os.fsencode(packages[place or 0].name))[:LONGEST_TITLE] or "/"

    def work(self, place: int, run: Run | None = None) -> Item:
        """Ingests one package. When two ask, the second waits and gets what the first found."""
        with self._turns[place]:
            there = self.results[place]
            if there is not None:
                return there
            if self.stopped is not None:
                raise self.stopped
            try:
                self._found[place] = self.way(self.requests[place], run, self.progress)
                return self._found[place]
            except (Interrupted, KeyboardInterrupt) as stop:
                self.stopped = stop
                raise

    def finish(self, place: int) -> None:
        """Settles a package without its run: with what its work came to, also unseen, else by working on it now."""
        with self._turns[place]:
            found = self._found.get(place)
        if self.stopped is not None:
            raise self.stopped
        if found is None or found.verdict is None:
            found = retries.patiently(lambda: self.work(place), self.delays)
        self.keep(place, found)

    def keep(self, place: int, item: Item) -> None:
        """Settles a package; each is given on once, in the order of the packages."""
        with self._guard:
            if self.results[place] is None:
                self.results[place] = item
            while self._told < len(self.results):
                next_one = self.results[self._told]
                if next_one is None:
                    break
                self._told += 1
                self.done(next_one)


_live: dict[str, Job] = {}


def at_hand(
    requests: Sequence[Request],
    lang: str,
    done: Callable[[Item], None],
    progress: Progress | None = None,
    way: Way = whole_way,
) -> Job:
    """A job of this process's own, written down so that it is not forgotten if the process dies."""
    row = _row(requests, lang)
    job = Job(requests[0].space, row, tuple(requests), done, progress, way, retries.AT_HAND)
    _live[row.id] = job
    begin(job, by_worker=False)
    return job


def queue(requests: Sequence[Request], lang: str) -> Row:
    """Writes a row for the worker."""
    row = _row(requests, lang)
    keep(requests[0].space, row)
    return row


def job(identifier: str) -> Job:
    """The job of a flow run: the one of this process, else made from its row in the data folder."""
    if identifier in _live:
        return _live[identifier]
    space = workspace()
    row = load(space, identifier)
    profile = checked(Profile, row.profile, "profile")
    requests = tuple(Request(space, package, profile, row.kind) for package in row.packages)
    made = Job(space, row, requests, way=in_worker, delays=retries.IN_WORKER)
    _live[identifier] = made
    begin(made, by_worker=True)
    return made


def begin(job: Job, by_worker: bool) -> None:
    import psutil

    owner = (os.getpid(), psutil.Process().create_time())
    attempts = job.row.attempts + 1
    job.row = replace(job.row, stand=Stand.RUNNING, owner=owner, by_worker=by_worker, attempts=attempts)
    keep(job.space, job.row)


@contextlib.contextmanager
def at_work(identifier: str, flow_run: str | None) -> Iterator[Job]:
    """The job of a flow run, which is remembered. In the worker its end is written down here too."""
    current = job(identifier)
    current.row = replace(current.row, flow_run=flow_run)
    keep(current.space, current.row)
    if not current.row.by_worker:
        yield current
        return
    try:
        yield current
    finally:
        end(current)


def end(job: Job) -> None:
    """Writes down what came of the row."""
    _live.pop(job.row.id, None)
    items = [item for item in job.results if item is not None]
    stand = Stand.DONE
    if job.stopped is not None or len(items) < len(job.results):
        stand = Stand.STOPPED
    elif job.row.by_worker and any(item.verdict is None and item.exit == 3 for item in items):
        # No verdict for want of a disk, a store, a tool: tried again later, the packages that have theirs cost little.
        stand = Stand.QUEUED if job.row.attempts < ATTEMPTS else Stand.LOST
    elif any(item.waiting_for == "copy" for item in items):
        stand = Stand.WAITING
    verdicts = tuple(str(item.verdict or "") for item in items)
    aips = tuple(item.aip for item in items if item.aip and item.waiting_for == "copy")
    flow_run = None if stand is Stand.QUEUED else job.row.flow_run
    job.row = replace(
        job.row, stand=stand, ended=rfc3339(now()), verdicts=verdicts, aips=aips, owner=None, flow_run=flow_run
    )
    if job.row.by_worker or stand is Stand.WAITING:
        keep(job.space, job.row)
    else:
        forget(job.space, job.row)


def folder(space: Workspace) -> Path:
    return space.root / "queue"


def _file(space: Workspace, identifier: str, ended: bool) -> Path:
    """Rows that are done lie apart: the worker looks through the others every other second."""
    return folder(space) / ("done" if ended else "") / f"{identifier}.json"


def keep(space: Workspace, row: Row) -> None:
    """Writes a row, whole or not at all."""
    ended = row.stand in (Stand.DONE, Stand.STOPPED)
    value = asdict(row) | {"format": 1, "packages": [quote_from_bytes(os.fsencode(path)) for path in row.packages]}
    file = _file(space, row.id, ended)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(file, value, mode=0o600)
    _file(space, row.id, not ended).unlink(missing_ok=True)


def load(space: Workspace, identifier: str) -> Row:
    """UsageProblem for an id that is no row (a form in the dashboard takes any text)."""
    if not identifier.isalnum():
        raise UsageProblem("USE-QUEUE-ROW", id=identifier)
    file = _file(space, identifier, ended=False)
    try:
        try:
            value = json.loads(file.read_bytes())
        except FileNotFoundError:
            file = _file(space, identifier, ended=True)
            value = json.loads(file.read_bytes())
        form = value.pop("format", None)
        if form != 1:
            raise SystemProblem("SYS-FORMAT", what=file, found=form, known=1)
        value["packages"] = tuple(Path(os.fsdecode(unquote_to_bytes(path))) for path in value["packages"])
        value["stand"] = Stand(value["stand"])
        value["owner"] = tuple(value["owner"]) if value["owner"] else None
        value["verdicts"], value["aips"] = tuple(value["verdicts"]), tuple(value["aips"])
        return Row(**value)
    except FileNotFoundError:
        raise UsageProblem("USE-QUEUE-ROW", id=identifier) from None
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise SystemProblem("SYS-READ", file=file, cause=problem) from problem


def rows(space: Workspace) -> Iterator[Row]:
    """All rows that are not done, oldest first."""
    found = []
    for file in folder(space).glob("*.json"):
        if not file.name.startswith("."):
            with contextlib.suppress(UsageProblem):  # forgotten in the meantime
                found.append(load(space, file.stem))
    yield from sorted(found, key=lambda row: (row.queued, row.id))


def forget_done(space: Workspace, days: int) -> None:
    """Removes rows that were done that long ago."""
    oldest = time.time() - days * 86_400
    for file in (folder(space) / "done").glob("*.json"):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < oldest:
                file.unlink()


def forget(space: Workspace, row: Row) -> None:
    for ended in (False, True):
        _file(space, row.id, ended).unlink(missing_ok=True)


def orphaned(row: Row) -> bool:
    """The row is at work, but its process is gone."""
    if row.stand is not Stand.RUNNING:
        return False
    import psutil

    if row.owner is None:
        return True
    pid, started = row.owner
    try:
        return abs(psutil.Process(pid).create_time() - started) > 2
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _row(requests: Sequence[Request], lang: str) -> Row:
    first = requests[0]
    packages = tuple(Path(os.path.abspath(request.package)) for request in requests)
    return Row(uuid.uuid4().hex, packages, asdict(first.profile), first.kind, lang, queued=rfc3339(now()))
