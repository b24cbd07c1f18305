"""What is open while one package is worked on: its tree, its ledger, its lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline import VERSION
from pipeline.content.identification import inforce
from pipeline.errors import Interrupted, SystemProblem
from pipeline.errors import stopping as stopping
from pipeline.ingest.tokens import Request, Token
from pipeline.ledger import Ledger
from pipeline.tree import Opened, Tree, open_tree
from pipeline.workspace import Workspace

Progress = Callable[[str, int, int, int, int], None]
"""(stage, files done, files in all, bytes done, bytes in all)."""


def quiet(stage: str, done: int, files: int, read: int, size: int) -> None:
    """Progress for nobody."""


@dataclass(slots=True)
class Session:
    """Open things of one ingest on this machine; found again by the work folder that tokens carry."""

    request: Request
    work: Path
    ledger: Ledger
    opened: Opened
    progress: Progress = quiet
    lock: FileLock | None = field(default=None, repr=False)

    @property
    def tree(self) -> Tree:
        if self.opened.tree is None:
            raise AssertionError("the package could not be opened and went no further than receive")
        return self.opened.tree

    @property
    def scratch(self) -> Path:
        return self.work / "scratch"

    def check_stop(self) -> None:
        """Raises `Interrupted` once a person asked to stop."""
        if stopping.is_set():
            raise Interrupted


_open: dict[Path, Session] = {}


def session(token: Token) -> Session:
    """The open things of a token's ingest; opened again when another process made the token."""
    if token.work not in _open:
        _open[token.work] = _enter(Request(token.space, token.package, token.profile), token.work)
    current = _open[token.work]
    _pin(current)
    return current


@contextlib.contextmanager
def claimed(request: Request, progress: Progress) -> Iterator[Session]:
    """Claims the package for this process: one at a time works on it, another one waits."""
    key, early = _key(request)
    work = request.space.work / key
    lock = FileLock(request.space.locks / f"ingest-{key}.lock")
    _acquire(lock)
    try:
        current = _enter(request, work, early)
        current.progress = progress
        _open[work] = current
        try:
            yield current
        finally:
            _open.pop(work, None)
            inforce.use(request.space, inforce.Pin())
            current.ledger.close()
            if current.opened.tree is not None:
                current.opened.tree.close()
    finally:
        lock.release()


def discard(current: Session) -> None:
    """Removes the work folder of a finished ingest; the stores and the journal hold what counts."""
    shutil.rmtree(current.work, ignore_errors=True)


def sweep(current: Session, first: Callable[[Workspace, Path], None]) -> None:
    """Removes older work folders of the same package that nobody works on: what changed cannot be resumed.

    `first` is called with each before it goes.
    """
    space = current.request.space
    mine = os.fsencode(current.request.package)
    for work in space.work.iterdir():
        marker = work / "package"
        if work == current.work or not marker.is_file() or marker.read_bytes() != mine:
            continue
        lock = FileLock(space.locks / f"ingest-{work.name}.lock")
        with contextlib.suppress(Timeout), lock.acquire(timeout=0):
            first(space, work)
            shutil.rmtree(work, ignore_errors=True)


def _acquire(lock: FileLock) -> None:
    """Waits for the lock, but hears a request to stop."""
    while True:
        try:
            lock.acquire(timeout=0.5)
            return
        except Timeout:
            if stopping.is_set():
                raise Interrupted from None


def _enter(request: Request, work: Path, early: Opened | None = None) -> Session:
    try:
        (work / "scratch").mkdir(parents=True, exist_ok=True)
        (work / "package").write_bytes(os.fsencode(request.package))
    except OSError as problem:
        raise SystemProblem("SYS-WRITE", file=work, cause=problem.strerror or problem) from problem
    opened = early or open_tree(request.package, request.profile.limits, work / "scratch")
    return Session(request, work, Ledger(work / "ledger.sqlite"), opened)


def _pin(current: Session) -> None:
    """Formats go by the signatures that were in force when the ingest began, whoever goes on with it."""
    space = current.request.space
    text = current.ledger.fact("signatures")
    if text is None:
        text = inforce.sets(space).pin.text()
        current.ledger.keep(signatures=text)
    inforce.use(space, inforce.Pin.of(text))


def _key(request: Request) -> tuple[str, Opened | None]:
    """Quick key of path, size, count and newest change, with profile and version: finds unfinished work again."""
    package = request.package
    try:
        state = os.stat(package)
    except OSError as problem:
        # It was there when the command began, or its folder listed it.
        raise SystemProblem("SYS-READ", file=package, cause=problem.strerror or problem) from problem
    opened = None
    facts: tuple[object, ...] = (state.st_size, 1, state.st_mtime_ns)
    if package.is_dir():
        opened = open_tree(package, request.profile.limits, None)
        size = count = newest = 0
        if opened.tree is not None:
            for entry in opened.tree.entries():
                size, count = size + entry.size, count + 1
                newest = max(newest, entry.mtime_ns or 0)
        facts = (size, count, newest)
    told = (os.path.abspath(package), *facts, request.profile.digest, request.kind, VERSION)
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()[:24], opened
