"""Worker processes that can be killed: hostile bytes are parsed in them, one file's fault stays one file's fault.

The parent opens every file and hands the descriptor down. What comes back is JSON, never an object: a worker taken
over by a hostile file can lie about that file, no more. Workers have a scrubbed environment, limits, an own session
and a private scratch folder as working directory; started as root they drop to an unprivileged real user once
everything is imported. They end with the parent, even when the parent is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import SystemProblem
from pipeline.pool.process import NOBODY, Flight, Worker
from pipeline.pool.stem import Stem
from pipeline.pool.tasks import Bounds, Failure, FailureKind, Job, Result, Task, TooLong

__all__ = [
    "NOBODY", "Bounds", "Failure", "FailureKind", "Job", "Pool", "Result", "Task", "TooLong", "close_shared", "shared",
]  # fmt: skip

_ROOT = Path(__file__).resolve().parent.parent.parent
_BATCH = 16
_BATCH_BYTES = 1 << 20
_PAYS_TASKS = 24
_PAYS_BYTES = 32 << 20


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
        self._idle: list[Worker] = []
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
        late, out of memory or dead costs the task it was at; the tasks behind that one are given to another. Memory
        and death are believed of a fresh worker alone: what others have left in one costs no task its value.
        """
        call = _Call(self, function, tasks, scratch)
        try:
            yield from call.run()
        finally:
            call.leave()

    def take(self, first: bool, more: bool, fresh: bool = False) -> Worker | None:
        """A worker for one call; None when there are enough, or it would be one `more` process and that is not wanted.

        A call always gets its first one, so calls within calls never wait for each other. `fresh`: one that has done
        nothing yet; kept ones that have are ended instead.
        """
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive and not (fresh and worker.served):
                    if not worker.ready:
                        worker.since = time.monotonic()
                    return worker
                worker.end()
                self._count -= 1
            if not first and (not more or self._count >= self._most):
                return None
            self._count += 1
        try:
            return self._made()
        except BaseException:
            self.forget()
            raise

    def give_back(self, worker: Worker) -> None:
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

    def _made(self) -> Worker:
        """A worker of the stem; of a new one where the last has died."""
        for last in (False, True):
            with self._lock:
                if self._stem is not None and self._stem.dead:
                    self._stem.end()
                    self._stem = None
                stem = self._stem = self._stem or Stem(self._preload, self._folders)
            try:
                return Worker(stem, self._bounds)
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
        self._again: deque[Flight] = deque()
        self._alone: deque[Flight] = deque()
        self._done: deque[Result] = deque()
        self._next: Task | None = None
        self._drained = False
        self._answered = 0
        self._workers: list[Worker] = []
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
        for flight in (*self._again, *self._alone):
            _close(flight.fds)
        self._workers = []
        self._again.clear()
        self._alone.clear()
        self._selector.close()

    def _feed(self) -> None:
        for worker in [one for one in self._workers if one.tired and not one.flights]:
            self._drop(worker)
            self._pool.give_back(worker)
        while self._alone:
            worker_of_its_own = self._fresh()
            if worker_of_its_own is None:
                return  # the next that is done makes room
            worker_of_its_own.give(self._function, [self._alone.popleft()])
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

    def _hire(self) -> Worker | None:
        """One more worker. Starting one costs as much as a few hundred small files: a small call does with one."""
        queued = sum(flight.task.size for worker in self._workers for flight in worker.flights)
        pays = self._answered >= _PAYS_TASKS or queued >= _PAYS_BYTES
        more = pays and all(one.ready for one in self._workers)
        return self._joined(self._pool.take(first=not self._workers, more=more))

    def _fresh(self) -> Worker | None:
        """A worker that has done nothing, where need be in the place of ours that have nothing to do.

        None while all of ours are at work: a call whose workers are idle always gets one.
        """
        while True:
            worker = self._pool.take(first=not self._workers, more=True, fresh=True)
            idle = next((one for one in self._workers if not one.flights), None)
            if worker is not None or idle is None:
                return self._joined(worker)
            idle.tired = True
            self._drop(idle)
            self._pool.give_back(idle)

    def _joined(self, worker: Worker | None) -> Worker | None:
        if worker is None:
            return None
        self._workers.append(worker)
        self._selector.register(worker.socket, selectors.EVENT_READ, worker)
        worker.settle(self._scratch)
        return worker

    def _batch(self) -> list[Flight]:
        """The next tasks with their descriptors; tasks whose file cannot be opened are done at once."""
        batch: list[Flight] = []
        weight = 0
        while len(batch) < _BATCH and weight < _BATCH_BYTES and self._more():
            if self._again:
                flight = self._again.popleft()
            else:
                task, self._next = self._next, None
                assert task is not None
                try:
                    flight = Flight(task, task.open())
                except Exception as problem:  # whatever it is, it belongs to this one file
                    failure = Failure(FailureKind.OPEN, str(problem), problem)
                    self._done.append(Result(task.key, failure))
                    if len(self._done) >= _BATCH:
                        break
                    continue
            batch.append(flight)
            weight += flight.task.size
        return batch

    def _listen(self, worker: Worker) -> None:
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
                self._answered += 1
                worker.served += 1
                if int(message.get("resident", 0)) > worker.bounds.tired or message.get("memory"):
                    worker.tired = True
                value = message.get("value")
                if "error" in message:
                    kind = _kind(message)
                    value = Failure(kind, str(message["error"])[:4000])
                    if kind is FailureKind.MEMORY and self._repeats(worker, flight):
                        continue
                _close(flight.fds)
                self._done.append(Result(flight.task.key, value))

    def _lose(self, worker: Worker, kind: FailureKind) -> None:
        """Ends a worker. The task it was at has failed, those behind it are tried elsewhere."""
        self._drop(worker)
        rest = list(worker.flights)
        worker.flights.clear()
        said = worker.end()
        self._pool.forget()
        self._again.extend(rest[1:] if worker.ready else rest)
        if not worker.ready:
            raise SystemProblem("SYS-WORKER", cause=said[-300:] or worker.ending)
        if rest and not (kind is FailureKind.CRASH and self._repeats(worker, rest[0])):
            _close(rest[0].fds)
            if kind is FailureKind.CRASH and ("out of memory" in said or "allocate memory" in said):
                kind = FailureKind.MEMORY
            text = said.splitlines()[0][:300] if said else worker.ending
            if kind is FailureKind.TIMEOUT:
                text = f"{worker.bounds.seconds:.0f} s"
            self._done.append(Result(rest[0].task.key, Failure(kind, text)))

    def _repeats(self, worker: Worker, flight: Flight) -> bool:
        """Whether a task is run once more, in a fresh worker, for it failed in one that had done others."""
        if flight.repeated or not worker.served:
            return False
        flight.repeated = True
        self._alone.append(flight)
        return True

    def _drop(self, worker: Worker) -> None:
        self._workers.remove(worker)
        self._selector.unregister(worker.socket)


def _kind(message: dict[str, Any]) -> FailureKind:
    if message.get("late"):
        return FailureKind.TIMEOUT
    return FailureKind.MEMORY if message.get("memory") else FailureKind.ERROR


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
