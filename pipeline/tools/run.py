"""The one way in which an external program reads a received file: in a sandbox, within limits.

bubblewrap decides what the program sees, prlimit what it may use, this process how long and how much memory. Started
as root, the program's real user is nobody: mapping a user inside a namespace alone would leave it root outside.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import psutil

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.pool import NOBODY
from pipeline.tools.program import Program
from pipeline.tools.sandbox import (
    BWRAP,
    PRLIMIT,
    UNSHARE,
    Bounds,
    bare,
    bubble,
    collect,
    filled,
    kill,
    limited,
    room,
    usage,
    user,
    visible,
    written,
)

__all__ = ["BWRAP", "PRLIMIT", "Bounds", "Ran", "SandboxState", "run", "sandbox_state"]

_TOLD = 16 << 20
_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Ran:
    """How a call ended. `why`: None, `timeout`, `memory`, `processes`, `output` (it printed too much), `file` (it wrote
    too much).

    `code` is the exit code as the sandbox passes it on (128 + signal); `said` the last 64 KB of what it printed;
    `peak` resident bytes as seen by the watch, 0 for a call of less than a poll; `sandbox` full or reduced.
    """

    code: int
    why: str | None
    seconds: float
    peak: int
    said: str
    sandbox: str
    arguments: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Ended by itself with code 0. For many programs that is not enough to call it a success."""
        return self.why is None and self.code == 0

    @property
    def tail(self) -> str:
        """The last 600 characters of what it printed, for events and findings."""
        return self.said[-600:].strip()


@dataclass(frozen=True, slots=True)
class SandboxState:
    """Whether conversions can run: `works`, `missing` (a program lacks), `blocked` (it is there but cannot start)."""

    state: str
    detail: str = ""

    @property
    def works(self) -> bool:
        return self.state == "works"


@cache
def sandbox_state(sandbox: str = "full") -> SandboxState:
    """Tries the sandbox once in this process: namespaces can be forbidden, so a present binary is not enough."""
    needed = (BWRAP, PRLIMIT) if sandbox == "full" else (UNSHARE, PRLIMIT)
    for program in needed:
        if program.path is None:
            return SandboxState("missing", program.install)
    true = Program("true", ("--version",), r"(\d+\.\d+)", (0,), "coreutils", "SYS-TOOL-PRLIMIT")
    try:
        with tempfile.TemporaryDirectory() as folder:
            ran = _run(true, [], {}, Path(folder), Bounds(seconds=20), sandbox)
    except (OSError, SystemProblem) as problem:
        return SandboxState("blocked", str(problem))
    return SandboxState("works") if ran.ok else SandboxState("blocked", ran.tail or f"exit {ran.code}")


def run(
    program: Program,
    arguments: list[str],
    inputs: Mapping[str, Path],
    output: Path,
    bounds: Bounds,
    *,
    sandbox: str = "full",
) -> Ran:
    """Runs a program on files. `{in}` and `{out}` in the arguments stand for the folders that it sees.

    `inputs`: the name it sees → the file, read-only. Names are ours, never received ones: no odd byte, dash or percent
    sign reaches an argument parser. `output` is an empty folder; afterwards it holds the regular files that the program
    left there, nothing else. SystemProblem when there is no working sandbox (never a silent fall-back) or no program.
    """
    state = sandbox_state(sandbox)
    if not state.works:
        raise SystemProblem("SYS-SANDBOX", state=state.state, cause=state.detail)
    return _run(program, arguments, inputs, output, bounds, sandbox)


def _run(
    program: Program, arguments: list[str], inputs: Mapping[str, Path], output: Path, bounds: Bounds, sandbox: str
) -> Ran:
    if sandbox not in ("full", "reduced"):
        raise UsageProblem("USE-SETTINGS-KEY", file="luutru.toml", key="sandbox", cause="full | reduced")
    path = program.path
    if path is None:
        raise SystemProblem("SYS-TOOL-MISSING", tool=program.name, package=program.install)
    with room(output) as place:
        out = place / "out"
        out.mkdir(mode=0o700)
        seen = {name: visible(file, place / f"in-{name}") for name, file in inputs.items()}
        if os.geteuid() == 0:
            os.chown(out, NOBODY, NOBODY)
        folders = {"{in}": "/in", "{out}": "/out"}
        if sandbox == "reduced":
            shown = place / "in"
            shown.mkdir(mode=0o755)
            for name, file in seen.items():
                (shown / name).symlink_to(file)
            folders = {"{in}": str(shown), "{out}": str(out)}
        told = [filled(argument, folders) for argument in arguments]
        head, environment = bubble(seen, out, program) if sandbox == "full" else bare(out, program)
        ran = _watch([*head, *limited(bounds), path, *told], environment, out, bounds, sandbox, tuple(arguments))
        collect(out, output)
    return ran


def _watch(
    command: list[str], environment: dict[str, str], out: Path, bounds: Bounds, sandbox: str, arguments: tuple[str, ...]
) -> Ran:
    """Starts, watches and, if need be, kills the whole tree."""
    start = time.monotonic()
    why: str | None = None
    peak = 0
    known: set[psutil.Process] = set()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=out if sandbox == "reduced" else "/",
            start_new_session=True,
            umask=0o077,
            **user(sandbox),
        )
        try:
            while why is None:
                try:
                    process.wait(_POLL)
                    break
                except subprocess.TimeoutExpired:
                    used, running = usage(process.pid, known)
                    peak = max(peak, used)
                    if used > bounds.memory:
                        why = "memory"
                    elif running > bounds.processes:
                        why = "processes"
                    elif written(out) > bounds.output:
                        why = "file"
                    elif time.monotonic() - start > bounds.seconds:
                        why = "timeout"
                    elif os.fstat(said.fileno()).st_size > _TOLD:
                        why = "output"
        finally:
            kill(process, known if sandbox == "reduced" else set())
        code = process.returncode
        if code in (128 + signal.SIGXFSZ, -signal.SIGXFSZ) or (why is None and written(out) > bounds.output):
            why = "file"
        return Ran(code, why, time.monotonic() - start, peak, _last(said), sandbox, arguments)


def _last(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - (64 << 10)))
    return said.read().decode("utf-8", "replace")
