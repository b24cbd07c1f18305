"""Worker processes that can be killed: hostile bytes are parsed in them, one file's fault stays one file's fault.

The parent opens every file and hands the descriptor down. What comes back is JSON, never an object: a worker taken
over by a hostile file can lie about that file, no more. Workers have a scrubbed environment, limits, an own session
and a private scratch folder as working directory; started as root they drop to an unprivileged real user once
everything is imported. They end with the parent, even when the parent is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from pipeline.errors import SystemProblem
from pipeline.pool.stem import Stem

NOBODY = 65534
"""Real user and group of workers and tools when we are started as root."""

_ROOT = Path(__file__).resolve().parent.parent.parent
_BATCH = 16
_BATCH_BYTES = 1 << 20
_PAYS_TASKS = 24
_PAYS_BYTES = 32 << 20
_LONGEST = 16 << 20
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one worker may use. Sizes in bytes; `seconds` since the last sign of life of a task, plus `per_byte`.

    `memory` is address space on top of what the imports took; above `tired` (anonymous resident memory) a worker is
    replaced between two tasks.
    """

    seconds: float = 45.0
    per_byte: float = 15.0 / 1e9
    memory: int = 512 << 20
    file: int = 8 << 30
    files: int = 256
    tired: int = 192 << 20


class FailureKind(StrEnum):
    """Why a task has no value: `open` is the parent's failure to open, `error` an exception of the function."""

    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    ERROR = "error"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that came to nothing; `cause` is there for kind `open` alone."""

    kind: FailureKind
    text: str
    cause: Exception | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One call. `key` stays here; `open` gives descriptors that the pool closes; `args` are small JSON values.

    `size` in bytes sets batches and time.
    """

    key: Any
    open: Callable[[], tuple[int, ...]]
    args: tuple[Any, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """Value (JSON) or failure of the task with this key."""

    key: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker function gets: open descriptors (offset unknown), and `beat` to say that it is still at work."""

    fds: tuple[int, ...]
    beat: Callable[[], None]


@dataclass(slots=True)
class _Flight:
    task: Task
    fds: tuple[int, ...]


class _Worker:
    """One process and the tasks it has been given; the first of them is the one that runs."""

    def __init__(self, stem: Stem, bounds: Bounds) -> None:
        self.bounds = bounds
        self.flights: deque[_Flight] = deque()
        self.ready = False
        self.tired = False
        self.since = time.monotonic()
        self.folder: Path | None = None
        self._stem = stem
        self._incoming = bytearray()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        ours, theirs = socket.socketpair()
        life, self._life = os.pipe()
        self.socket = ours
        try:
            self._fork = stem.fork(
                theirs.fileno(), life, self._errors.fileno(), [bounds.memory, bounds.file, bounds.files]
            )
        except BaseException:
            ours.close()
            os.close(self._life)
            self._errors.close()
            raise
        finally:
            theirs.close()
            os.close(life)

    @property
    def alive(self) -> bool:
        """Whether it could still be asked: a worker that is gone has closed its end."""
        try:
            self.socket.settimeout(0)
            return self.socket.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    @property
    def code(self) -> int | None:
        """How it ended; None where nobody knows."""
        return self._fork.code

    def settle(self, scratch: Path) -> None:
        """Gives it a fresh private folder below `scratch`; the descriptor alone, it need not be able to walk there."""
        self.folder = Path(tempfile.mkdtemp(prefix="worker-", dir=scratch))
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._send({"scratch": True}, (handle,))
        finally:
            os.close(handle)

    def unsettle(self) -> None:
        """Takes the folder away."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def give(self, function: str, flights: list[_Flight]) -> None:
        """Hands tasks down; they run in this order."""
        if not self.flights:
            self.since = time.monotonic()
        self.flights.extend(flights)
        counts = [(len(flight.fds), flight.task.args) for flight in flights]
        self._send({"call": function, "tasks": counts}, tuple(fd for flight in flights for fd in flight.fds))

    def _send(self, message: dict[str, Any], fds: tuple[int, ...]) -> None:
        payload = json.dumps(message).encode()
        with contextlib.suppress(OSError):  # it is gone: the loop sees the end of the stream and says why
            self.socket.settimeout(30)
            socket.send_fds(self.socket, [len(payload).to_bytes(4, "big")], fds)
            self.socket.sendall(payload)

    def receive(self) -> list[dict[str, Any]] | None:
        """Messages that are here; None when the worker has gone or talks nonsense."""
        self.socket.settimeout(0)
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        self._incoming += data
        found: list[dict[str, Any]] = []
        while len(self._incoming) >= 4:
            length = int.from_bytes(self._incoming[:4], "big")
            if length > _LONGEST:
                return None
            if len(self._incoming) < 4 + length:
                break
            try:
                message = json.loads(self._incoming[4 : 4 + length])
            except ValueError:
                return None
            if not isinstance(message, dict):
                return None
            del self._incoming[: 4 + length]
            found.append(message)
        return found

    def left(self) -> float:
        """Seconds until the running task is late."""
        if not self.ready:
            return self.since + _START_SECONDS - time.monotonic()
        size = self.flights[0].task.size if self.flights else 0
        return self.since + self.bounds.seconds + self.bounds.per_byte * size - time.monotonic()

    def end(self) -> str:
        """Kills it with everything it started; what it, or its stem, last said on standard error."""
        self._stem.bury(self._fork, self.alive)
        said = self._leave()
        return said or (self._stem.said() if self._stem.dead else "")

    def abandon(self) -> None:
        """Lets go of it without waiting: the kernel ends it by its life line."""
        self._leave()

    def _leave(self) -> str:
        self.socket.close()
        with contextlib.suppress(OSError):
            os.close(self._life)
        self.unsettle()
        with self._errors as errors:
            size = errors.seek(0, os.SEEK_END)
            errors.seek(max(0, size - 4000))
            return errors.read().decode("utf-8", "replace").strip()


class Pool:
    """Workers that are kept from call to call. Safe to use from several threads: each call has workers of its own.

    `preload` are the modules with the functions, found in `folders` (the project's first); `module=argument` hands an
    argument to the module's `warm`.
    """

    def __init__(
        self, preload: tuple[str, ...], workers: int, bounds: Bounds | None = None, folders: tuple[Path, ...] = ()
    ) -> None:
        self._preload = preload
        self._folders = (_ROOT, *folders)
        self._most = max(1, workers)
        self._bounds = bounds or Bounds()
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._count = 0
        self._stem: Stem | None = None
        self._owner = os.getpid()

    @property
    def ours(self) -> bool:
        """Whether this process made it; a fork of the process has to make its own."""
        return os.getpid() == self._owner

    def resize(self, workers: int) -> None:
        """From now on at most so many workers."""
        self._most = max(1, workers)

    def start(self) -> None:
        """Starts a first worker, so that it gets ready while its owner does something else. Never raises."""
        with self._lock:
            if self._count:
                return
            self._count = 1
        try:
            worker = self._made()
        except SystemProblem:
            self.forget()  # the first call says it
            return
        with self._lock:
            self._idle.append(worker)

    def map(self, function: str, tasks: Iterator[Task], scratch: Path) -> Iterator[Result]:
        """Results as they come, not in order. `function` is `module:name` of a preloaded module.

        At most `_BATCH` tasks wait at a worker, so memory does not grow with the number of tasks. A worker that is
        late, out of memory or dead costs the task it was at; the tasks behind that one are given to another.
        """
        call = _Call(self, function, tasks, scratch)
        try:
            yield from call.run()
        finally:
            call.leave()

    def take(self, first: bool, fresh: bool) -> _Worker | None:
        """A worker for one call; None when there are enough, or only a `fresh` process would do and is not wanted.

        A call always gets its first one, so calls within calls never wait for each other.
        """
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    if not worker.ready:
                        worker.since = time.monotonic()
                    return worker
                worker.end()
                self._count -= 1
            if not first and (not fresh or self._count >= self._most):
                return None
            self._count += 1
        try:
            return self._made()
        except BaseException:
            self.forget()
            raise

    def give_back(self, worker: _Worker) -> None:
        """Keeps an idle worker, or ends it when it is tired or one too many."""
        with self._lock:
            if not worker.tired and worker.ready and self._count <= self._most:
                worker.unsettle()
                self._idle.append(worker)
                return
            self._count -= 1
        worker.end()

    def forget(self) -> None:
        """A worker of this pool was ended by its call."""
        with self._lock:
            self._count -= 1

    def close(self) -> None:
        """Ends the idle workers and the stem; workers that are at something end with their call."""
        if not self.ours:
            return
        with self._lock:
            idle, self._idle = self._idle, []
            self._count -= len(idle)
            stem, self._stem = self._stem, None
        for worker in idle:
            if worker.ready:
                worker.end()
        if stem is not None:
            stem.end()
        for worker in idle:
            if not worker.ready:
                worker.abandon()

    def _made(self) -> _Worker:
        """A worker of the stem; of a new one where the last has died."""
        for last in (False, True):
            with self._lock:
                if self._stem is not None and self._stem.dead:
                    self._stem.end()
                    self._stem = None
                stem = self._stem = self._stem or Stem(self._preload, self._folders)
            try:
                return _Worker(stem, self._bounds)
            except BrokenPipeError:
                if last:
                    raise SystemProblem("SYS-WORKER", cause=stem.said()[-300:] or "?", transient=True) from None
        raise AssertionError


class _Call:
    """One run of `Pool.map`."""

    def __init__(self, pool: Pool, function: str, tasks: Iterator[Task], scratch: Path) -> None:
        self._pool = pool
        self._function = function
        self._tasks = tasks
        self._scratch = scratch
        self._again: deque[_Flight] = deque()
        self._done: deque[Result] = deque()
        self._next: Task | None = None
        self._drained = False
        self._answered = 0
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def run(self) -> Iterator[Result]:
        while True:
            self._feed()
            while self._done:
                yield self._done.popleft()
            busy = [worker for worker in self._workers if worker.flights]
            if not busy:
                if not self._more():
                    return
                continue
            for key, _ in self._selector.select(max(0.0, min(worker.left() for worker in busy))):
                self._listen(key.data)
            while self._done:
                yield self._done.popleft()
            for worker in list(self._workers):
                if worker.flights and worker.left() <= 0:
                    self._listen(worker)  # its last word may be waiting while the reader of results took its time
                    if worker in self._workers and worker.flights and worker.left() <= 0:
                        self._lose(worker, FailureKind.TIMEOUT)

    def leave(self) -> None:
        """Workers that still have tasks are ended: their results are no longer wanted."""
        for worker in self._workers:
            self._selector.unregister(worker.socket)
            if worker.flights:
                for flight in worker.flights:
                    _close(flight.fds)
                worker.end()
                self._pool.forget()
            else:
                self._pool.give_back(worker)
        for flight in self._again:
            _close(flight.fds)
        self._workers = []
        self._again.clear()
        self._selector.close()

    def _feed(self) -> None:
        for worker in [one for one in self._workers if one.tired and not one.flights]:
            self._drop(worker)
            self._pool.give_back(worker)
        while self._more():
            open_to_more = [w for w in self._workers if not w.tired and len(w.flights) <= _BATCH // 2]
            least = min(open_to_more, key=lambda one: len(one.flights), default=None)
            chosen = least or self._hire()
            batch = self._batch() if chosen else []
            if not chosen or not batch:
                return
            chosen.give(self._function, batch)

    def _more(self) -> bool:
        if not self._again and self._next is None and not self._drained:
            self._next = next(self._tasks, None)
            self._drained = self._next is None
        return bool(self._again) or self._next is not None

    def _hire(self) -> _Worker | None:
        """One more worker. Starting one costs as much as a few hundred small files: a small call does with one."""
        queued = sum(flight.task.size for worker in self._workers for flight in worker.flights)
        pays = self._answered >= _PAYS_TASKS or queued >= _PAYS_BYTES
        fresh = pays and all(one.ready for one in self._workers)
        worker = self._pool.take(first=not self._workers, fresh=fresh)
        if worker is None:
            return None
        self._workers.append(worker)
        self._selector.register(worker.socket, selectors.EVENT_READ, worker)
        worker.settle(self._scratch)
        return worker

    def _batch(self) -> list[_Flight]:
        """The next tasks with their descriptors; tasks whose file cannot be opened are done at once."""
        batch: list[_Flight] = []
        weight = 0
        while len(batch) < _BATCH and weight < _BATCH_BYTES and self._more():
            if self._again:
                flight = self._again.popleft()
            else:
                task, self._next = self._next, None
                assert task is not None
                try:
                    flight = _Flight(task, task.open())
                except Exception as problem:  # whatever it is, it belongs to this one file
                    failure = Failure(FailureKind.OPEN, str(problem), problem)
                    self._done.append(Result(task.key, failure))
                    if len(self._done) >= _BATCH:
                        break
                    continue
            batch.append(flight)
            weight += flight.task.size
        return batch

    def _listen(self, worker: _Worker) -> None:
        messages = worker.receive()
        if messages is None:
            self._lose(worker, FailureKind.CRASH)
            return
        for message in messages:
            worker.since = time.monotonic()
            if "ready" in message:
                worker.ready = True
            elif ("value" in message or "error" in message) and worker.flights:
                flight = worker.flights.popleft()
                _close(flight.fds)
                self._answered += 1
                value = message.get("value")
                if "error" in message:
                    kind = FailureKind.MEMORY if message.get("memory") else FailureKind.ERROR
                    value = Failure(kind, str(message["error"])[:4000])
                self._done.append(Result(flight.task.key, value))
                if int(message.get("resident", 0)) > worker.bounds.tired or message.get("memory"):
                    worker.tired = True

    def _lose(self, worker: _Worker, kind: FailureKind) -> None:
        """Ends a worker. The task it was at has failed, those behind it are tried elsewhere."""
        self._drop(worker)
        rest = list(worker.flights)
        worker.flights.clear()
        said = worker.end()
        self._pool.forget()
        self._again.extend(rest[1:] if worker.ready else rest)
        if not worker.ready:
            raise SystemProblem("SYS-WORKER", cause=said[-300:] or _ending(worker.code))
        if rest:
            _close(rest[0].fds)
            if kind is FailureKind.CRASH and ("out of memory" in said or "allocate memory" in said):
                kind = FailureKind.MEMORY
            text = said.splitlines()[0][:300] if said else _ending(worker.code)
            if kind is FailureKind.TIMEOUT:
                text = f"{worker.bounds.seconds:.0f} s"
            self._done.append(Result(rest[0].task.key, Failure(kind, text)))

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._selector.unregister(worker.socket)


def _ending(code: int | None) -> str:
    if code is None:
        return "gone"
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit {code}"


def _close(fds: tuple[int, ...]) -> None:
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)


_shared: dict[tuple[str, ...], Pool] = {}
_shared_lock = threading.Lock()


def shared(preload: tuple[str, ...], workers: int) -> Pool:
    """The pool of this process for these modules; workers (0 = as many as cores) count at its first use.

    One that holds more modules than these will do: a second pool would cost the start and the memory of its own
    workers. What was told a module by an argument has to be the same.
    """
    with _shared_lock:
        held = next((key for key, one in _shared.items() if one.ours and _serves(key, preload)), preload)
        pool = _shared.get(held)
        if pool is None or not pool.ours:
            pool = _shared[preload] = Pool(preload, workers or os.cpu_count() or 1)
        elif workers:
            pool.resize(workers)
        return pool


def _serves(held: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    more = set(held) - set(wanted)
    return set(wanted) <= set(held) and not any("=" in module for module in more)


@atexit.register
def close_shared() -> None:
    """Ends all kept workers of this process."""
    with _shared_lock:
        pools = list(_shared.values())
        _shared.clear()
    for pool in pools:
        pool.close()
