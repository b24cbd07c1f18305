"""The one way in which an external program reads a received file: in a sandbox, within limits.

bubblewrap decides what the program sees, prlimit what it may use, this process how long and how much memory. Started
as root, the program's real user is nobody: mapping a user inside a namespace alone would leave it root outside.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import psutil

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.pool import NOBODY
from pipeline.tools.program import PLACES, Program

BWRAP = Program("bwrap", ("--version",), r"(\d+\.\d+\.\d+)", (0, 8, 0), "bubblewrap", "SYS-TOOL-BWRAP")
PRLIMIT = Program("prlimit", ("--version",), r"(\d+\.\d+(?:\.\d+)?)", (2, 30), "util-linux", "SYS-TOOL-PRLIMIT")
UNSHARE = Program("unshare", ("--version",), r"(\d+\.\d+(?:\.\d+)?)", (2, 30), "util-linux", "SYS-TOOL-PRLIMIT")

_READ_ONLY = (
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/libreoffice",
    "/etc/ImageMagick-6",
    "/etc/ImageMagick-7",
    "/etc/paperspecs",
    "/etc/ghostscript",
    "/var/lib/ghostscript",
    "/var/cache/fontconfig",
)
_MERGED = ("bin", "sbin", "lib", "lib64")
_TOLD = 16 << 20
_POLL = 0.1
_PLACE = "luutru-tool-"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may use: wall-clock seconds; bytes of resident memory, and processes at one time, over the whole
    process tree (watched every 0.1 s, so leave room); bytes of the largest file, and of all that lie in the output
    folder; bytes of address space and CPU seconds of one process, if given.
    """

    seconds: float = 60.0
    memory: int = 1 << 30
    file: int = 8 << 30
    address: int | None = None
    cpu: int | None = None
    processes: int = 64
    output: int = 16 << 30


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
    with _place(output) as place:
        out = place / "out"
        out.mkdir(mode=0o700)
        seen = {name: _visible(file, place / f"in-{name}") for name, file in inputs.items()}
        if os.geteuid() == 0:
            os.chown(out, NOBODY, NOBODY)
        folders = {"{in}": "/in", "{out}": "/out"}
        if sandbox == "reduced":
            shown = place / "in"
            shown.mkdir(mode=0o755)
            for name, file in seen.items():
                (shown / name).symlink_to(file)
            folders = {"{in}": str(shown), "{out}": str(out)}
        told = [_filled(argument, folders) for argument in arguments]
        limits = [
            PRLIMIT.path or "prlimit", "--core=0", f"--fsize={bounds.file}", "--nofile=1024",
            *([f"--as={bounds.address}"] if bounds.address else []), *([f"--cpu={bounds.cpu}"] if bounds.cpu else []),
            "--", path, *told,
        ]  # fmt: skip
        head, environment = _bubble(seen, out) if sandbox == "full" else _bare(out)
        ran = _watch([*head, *limits], environment, out, bounds, sandbox, tuple(arguments))
        _collect(out, output)
    return ran


def _bubble(inputs: Mapping[str, Path], out: Path) -> tuple[list[str], dict[str, str]]:
    """Everything closed but what is named: no network, no host files, no rights, no way to the terminal."""
    command = [BWRAP.path or "bwrap", "--ro-bind", "/usr", "/usr"]
    for name in _MERGED:
        link = Path("/", name)
        if link.is_symlink():
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        elif link.is_dir():
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    # Debian keeps the settings of a Java runtime, which does not start without them, outside its folder.
    for path in (*_READ_ONLY, *(str(found) for found in sorted(Path("/etc").glob("java-*-openjdk")))):
        command += ["--ro-bind-try", path, path]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/home", "--dir", "/home/w"]
    for name, value in {"HOME": "/home/w", "TMPDIR": "/tmp", "LC_ALL": "C.UTF-8", "PATH": PLACES}.items():
        command += ["--setenv", name, value]
    for name, file in inputs.items():
        command += ["--ro-bind", str(file), f"/in/{name}"]
    command += ["--bind", str(out), "/out", "--chdir", "/out"]
    command += ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--"]
    return command, {"PATH": PLACES}


def _bare(out: Path) -> tuple[list[str], dict[str, str]]:
    """The reduced form: no network and the limits, but the program sees the host's files as nobody or as we do."""
    root = os.geteuid() == 0
    command = [UNSHARE.path or "unshare", *(["-n"] if root else ["-r", "-n"]), "--"]
    command += [shutil.which("setpriv", path=PLACES) or "setpriv", "--pdeathsig=KILL", "--no-new-privs"]
    if root:
        command += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    command += ["--"]
    return command, {"PATH": PLACES, "LC_ALL": "C.UTF-8", "HOME": str(out), "TMPDIR": str(out)}


def _watch(
    command: list[str], environment: dict[str, str], out: Path, bounds: Bounds, sandbox: str, arguments: tuple[str, ...]
) -> Ran:
    """Starts, watches and, if need be, kills the whole tree."""
    user: dict[str, Any] = {}
    if os.geteuid() == 0 and sandbox == "full":
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
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
            **user,
        )
        try:
            while why is None:
                try:
                    process.wait(_POLL)
                    break
                except subprocess.TimeoutExpired:
                    used, running = _used(process.pid, known)
                    peak = max(peak, used)
                    if used > bounds.memory:
                        why = "memory"
                    elif running > bounds.processes:
                        why = "processes"
                    elif _written(out) > bounds.output:
                        why = "file"
                    elif time.monotonic() - start > bounds.seconds:
                        why = "timeout"
                    elif os.fstat(said.fileno()).st_size > _TOLD:
                        why = "output"
        finally:
            _kill(process, known if sandbox == "reduced" else set())
        code = process.returncode
        if code in (128 + signal.SIGXFSZ, -signal.SIGXFSZ) or (why is None and _written(out) > bounds.output):
            why = "file"
        return Ran(code, why, time.monotonic() - start, peak, _last(said), sandbox, arguments)


def _used(pid: int, known: set[psutil.Process]) -> tuple[int, int]:
    """Resident bytes and number of all descendants; `known` gathers them: not everywhere a namespace holds them."""
    total = running = 0
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                known.add(child)
                total += child.memory_info().rss
                running += 1
    return total, running


def _written(folder: Path) -> int:
    """Bytes on disk of what lies in a folder and below, links not followed."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(folder) as items:  # the program may just be taking things away
        for item in items:
            with contextlib.suppress(OSError):
                total += _written(Path(item.path)) if item.is_dir(follow_symlinks=False) else _blocks(item)
    return total


def _blocks(item: os.DirEntry[str]) -> int:
    """What a file takes on the disk: a file with holes is as small as it is there."""
    return item.stat(follow_symlinks=False).st_blocks * 512


def _kill(process: subprocess.Popen[bytes], others: set[psutil.Process]) -> None:
    if process.poll() is None:
        _used(process.pid, others)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for other in others:
        with contextlib.suppress(psutil.Error):
            other.kill()  # refuses a process that merely has the same number


def _last(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - (64 << 10)))
    return said.read().decode("utf-8", "replace")


def _filled(argument: str, folders: Mapping[str, str]) -> str:
    for mark, folder in folders.items():
        argument = argument.replace(mark, folder)
    return argument


@contextlib.contextmanager
def _place(beside: Path) -> Iterator[Path]:
    """A folder for one call: beside the output, or, when nobody could not walk there, in the temporary folder."""
    base = beside.parent
    if os.geteuid() == 0 and not _walkable(base):
        base = Path(tempfile.gettempdir())
        if not _walkable(base):
            raise SystemProblem("SYS-SANDBOX", state="blocked", cause=f"{base}: o+x")
    _sweep(base)
    with tempfile.TemporaryDirectory(prefix=f"{_PLACE}{os.getpid()}-", dir=base) as folder:
        if os.geteuid() == 0:
            os.chmod(folder, 0o711)
        yield Path(folder)


def _sweep(base: Path) -> None:
    """Takes away what killed processes of ours left: it may hold copies of received files."""
    for left in base.glob(f"{_PLACE}*-*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(left.name.removeprefix(_PLACE).split("-")[0])
            if not psutil.pid_exists(pid) and left.lstat().st_uid == os.geteuid() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)


def _visible(file: Path, copy: Path) -> Path:
    """The file, or as root a copy of it that nobody can read."""
    file = file.resolve()
    if os.geteuid() != 0 or (_walkable(file.parent) and file.stat().st_mode & stat.S_IROTH):
        return file
    shutil.copyfile(file, copy)
    os.chown(copy, NOBODY, NOBODY)
    copy.chmod(0o400)
    return copy


def _walkable(folder: Path) -> bool:
    folder = folder.resolve()
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def _collect(out: Path, output: Path) -> None:
    """Regular files that lie directly in `out`; links and everything else are left to perish."""
    for item in sorted(out.iterdir()):
        if stat.S_ISREG(item.lstat().st_mode):
            if os.geteuid() == 0:
                os.chown(item, os.geteuid(), os.getegid())
            item.chmod(0o600)
            shutil.move(item, output / item.name)
