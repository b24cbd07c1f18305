"""A program held open in the sandbox: it is asked for one thing after another, and killed at the first limit it meets.

What a start costs is paid once. The price: what one file leaves behind in the program can reach the next, so whoever
holds it gives it files of one package alone, and ends it after a while.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

from pipeline.errors import SystemProblem
from pipeline.pool import NOBODY
from pipeline.tools.program import Program
from pipeline.tools.run import sandbox_state
from pipeline.tools.sandbox import Bounds, bare, bubble, collect, filled, kill, limited, room, usage, user, written

_POLL = 0.1
_ANSWER = 1 << 20


class Gone(Exception):
    """The program is no more; `why` is the limit that it met (as in `Ran`), empty when it ended by itself."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


class Held:
    """One start of a program that reads a line of JSON a question and writes one an answer.

    It sees the folder `{in}`, where files are put for it and taken away, and may write to `{out}`. `bounds` hold for
    the whole start, but `seconds`, which `ask` gets. Not for several threads at one time; the thread that started it
    must outlive it: the kernel ends it with that thread.
    """

    def __init__(
        self, program: Program, arguments: list[str], inputs: Mapping[str, Path], beside: Path, bounds: Bounds, *,
        sandbox: str = "full",
    ) -> None:  # fmt: skip
        """SystemProblem without a working sandbox or program; `beside` is a path in the folder where it may lie."""
        state = sandbox_state(sandbox)
        if not state.works:
            raise SystemProblem("SYS-SANDBOX", state=state.state, cause=state.detail)
        if program.path is None:
            raise SystemProblem("SYS-TOOL-MISSING", tool=program.name, package=program.install)
        self.sandbox = sandbox
        self.bounds = bounds
        self.peak = 0
        self._known: set[psutil.Process] = set()
        self._kept = ExitStack()
        place = self._kept.enter_context(room(beside))
        self.seen, self.out = place / "in", place / "out"
        self.seen.mkdir(mode=0o755)
        self.seen.chmod(0o755)
        self.out.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.out, NOBODY, NOBODY)
        for name, file in inputs.items():
            self.show(name, file)
        full = sandbox == "full"
        folders = {"{in}": "/in", "{out}": "/out"} if full else {"{in}": str(self.seen), "{out}": str(self.out)}
        head, environment = bubble({"": self.seen}, self.out, program) if full else bare(self.out, program)
        told = [filled(argument, folders) for argument in arguments]
        self.process = subprocess.Popen(
            [*head, *limited(bounds), program.path, *told],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment, cwd="/" if full else self.out, start_new_session=True, umask=0o077, **user(sandbox),
        )  # fmt: skip
        self._incoming = bytearray()

    def show(self, name: str, file: Path) -> None:
        """Puts a copy of a file where the program sees it, in the place of one of that name."""
        target = self.seen / name
        target.unlink(missing_ok=True)
        shutil.copyfile(file, target)
        target.chmod(0o444)

    def hide(self, name: str) -> None:
        """Takes it away again."""
        (self.seen / name).unlink(missing_ok=True)

    def take(self, output: Path) -> None:
        """Moves the regular files that the program left in `{out}` into a folder."""
        collect(self.out, output)

    def ask(self, question: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        """The answer to one question, or without one the next line that the program says. Gone after a limit."""
        assert self.process.stdin is not None
        if question is not None:
            with self._or_gone():
                self.process.stdin.write(json.dumps(question).encode() + b"\n")
                self.process.stdin.flush()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._incoming:
            self._look(deadline)
        line, _, rest = bytes(self._incoming).partition(b"\n")
        self._incoming = bytearray(rest)
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.close()
            raise Gone("output")
        return answer

    def _look(self, deadline: float) -> None:
        """Takes in what is there, or waits a little; kills at a limit."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], _POLL)
        if ready:
            with self._or_gone():
                data = os.read(self.process.stdout.fileno(), 1 << 16)
                if not data:
                    raise OSError
            self._incoming += data
        why = ""
        if not ready:
            used, running = usage(self.process.pid, self._known)
            self.peak = max(self.peak, used)
            if used > self.bounds.memory:
                why = "memory"
            elif running > self.bounds.processes:
                why = "processes"
            elif written(self.out) > self.bounds.output:
                why = "file"
        if len(self._incoming) > _ANSWER:
            why = "output"
        if not why and time.monotonic() > deadline:
            why = "timeout"
        if why:
            self.close()
            raise Gone(why)

    def _or_gone(self) -> ExitStack:
        """What turns a broken pipe into Gone."""
        stack = ExitStack()

        def ended(kind: Any, problem: Any, trace: Any) -> bool:
            if isinstance(problem, OSError | ValueError):  # broken, or closed already
                self.close()
                raise Gone from problem
            return False

        stack.push(ended)
        return stack

    @property
    def resident(self) -> int:
        """Bytes of memory that its processes hold now."""
        used, _ = usage(self.process.pid, self._known)
        return used

    def close(self) -> None:
        """Ends the whole tree of processes and takes its folder away; may be called twice."""
        kill(self.process, self._known if self.sandbox == "reduced" else set())
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._kept.close()
