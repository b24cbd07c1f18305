"""One worker process, and the tasks that it has been given."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipeline.pool.stem import Stem
from pipeline.pool.tasks import Bounds, Task

NOBODY = 65534
"""Real user and group of workers and tools when we are started as root."""

_LONGEST = 16 << 20
_START_SECONDS = 60.0


@dataclass(slots=True)
class Flight:
    """A task at a worker, with its open descriptors; `repeated` when it has failed in one that had done others."""

    task: Task
    fds: tuple[int, ...]
    repeated: bool = False


class Worker:
    """One process and the tasks it has been given; the first of them is the one that runs."""

    def __init__(self, stem: Stem, bounds: Bounds) -> None:
        self.bounds = bounds
        self.flights: deque[Flight] = deque()
        self.ready = False
        self.tired = False
        self.served = 0
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
    def ending(self) -> str:
        """How it ended, in a word."""
        code = self._fork.code
        if code is None:
            return "gone"
        if code < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit {code}"

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

    def give(self, function: str, flights: list[Flight]) -> None:
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
