"""The process that workers are forked from: modules are loaded once, a further worker costs a tenth of the first.

It reads nothing but requests of ours. A worker is its child and not ours, so what became of it is asked here: an ended
one stays on record until then, and its number is nobody else's before.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipeline.errors import SystemProblem

_ENTRY = (
    "import sys, json; sys.path[:0] = json.loads(sys.argv[1]); "
    "from pipeline.pool.worker import stem; stem(sys.argv[2:])"
)
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ")
_GO = {"GOMAXPROCS": "1", "GOGC": "400", "GOMEMLIMIT": "110MiB"}
"""For siegfried: it loads its signatures in half the time when its collector begins to work near the limit alone."""

_ANSWER_SECONDS = 60.0


@dataclass(slots=True)
class Fork:
    """A worker as its stem knows it: `pid` once it is forked, `code` once it was buried (negative: by a signal)."""

    pid: int | None = None
    code: int | None = None


class Stem:
    """One process with `preload` loaded, found in `folders`. Safe in threads. SystemProblem when it cannot start."""

    def __init__(self, preload: tuple[str, ...], folders: tuple[Path, ...]) -> None:
        self.dead = False
        self._lock = threading.Lock()
        self._asked: deque[Fork] = deque()
        self._forks: dict[int, Fork] = {}
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        life, self._life = os.pipe()
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        command = [sys.executable, "-I", "-X", "utf8", "-c", _ENTRY, json.dumps([str(folder) for folder in folders])]
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(life), *preload],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                env={**environment, **_GO},
                cwd="/",
                start_new_session=True,
                pass_fds=(theirs.fileno(), life),
            )
        except OSError as problem:
            self._control.close()
            os.close(self._life)
            raise SystemProblem("SYS-WORKER", cause=problem.strerror or problem, transient=True) from problem
        finally:
            theirs.close()
            os.close(life)

    def fork(self, channel: int, life: int, errors: int, limits: list[int]) -> Fork:
        """Asks for a worker that talks over `channel`; does not wait for it. BrokenPipeError: the stem is dead."""
        made = Fork()
        with self._lock:
            if self.dead:
                raise BrokenPipeError
            try:
                socket.send_fds(self._control, [json.dumps({"fork": limits}).encode()], [channel, life, errors])
            except OSError as problem:
                self.dead = True
                raise BrokenPipeError from problem
            self._asked.append(made)
        return made

    def bury(self, made: Fork, alive: bool) -> None:
        """Kills a worker with everything it started, and waits for its end; `code` says how it ended.

        `alive`: it is known to live. Where the stem is dead, the number of a dead worker may be another's by now.
        """
        with self._lock:
            until = time.monotonic() + _ANSWER_SECONDS
            self._hear(lambda: made.pid is not None or made.code is not None, until)
            if made.pid is None or made.code is not None:
                return
            if alive or not self.dead:
                for kill in (os.killpg, os.kill):  # one that was forked a moment ago leads no group yet
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        kill(made.pid, signal.SIGKILL)
            if not self.dead:
                with contextlib.suppress(OSError):
                    self._control.send(json.dumps({"bury": made.pid}).encode())
            self._hear(lambda: made.code is not None, until)

    def said(self) -> str:
        """What it last said on standard error: why modules cannot be loaded. Empty once it was ended."""
        if self._errors.closed:
            return ""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 4000))
        return self._errors.read().decode("utf-8", "replace").strip()

    def end(self) -> None:
        """Kills it. Its workers go on until their life lines are closed."""
        self.dead = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with self._lock:
            self._control.close()
            with contextlib.suppress(OSError):
                os.close(self._life)
            self._errors.close()

    def _hear(self, known: Callable[[], bool], until: float) -> None:
        """Takes answers until that is known, or until there will be none any more."""
        while not known() and not self.dead:
            try:
                self._control.settimeout(max(0.001, until - time.monotonic()))
                data = self._control.recv(4096)
            except OSError:
                data = b""
            if data:
                self._note(json.loads(data))
            else:
                self.dead = True

    def _note(self, message: dict[str, Any]) -> None:
        if "forked" in message:
            made = self._asked.popleft()
            made.pid = int(message["forked"])
            self._forks[made.pid] = made
        elif "buried" in message:
            self._forks.pop(int(message["buried"])).code = int(message["code"])
        else:
            self._asked.popleft().code = -1  # it could not fork; the worker's own errors have the words
