"""What a program in the sandbox sees, where it lies on the disk, and how its processes are counted and killed.

bubblewrap decides what the program sees. Started as root, its real user is nobody: mapping a user inside a namespace
alone would leave it root outside.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pipeline.errors import SystemProblem
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
_PLACE = "luutru-tool-"
_ALONE = {"OMP_THREAD_LIMIT": "1"}
"""Files are worked on side by side: a program that would take all cores for one of them takes one."""


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


def bubble(inputs: Mapping[str, Path], out: Path, program: Program) -> tuple[list[str], dict[str, str]]:
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
    told = {"HOME": "/home/w", "TMPDIR": "/tmp", "LC_ALL": "C.UTF-8", "PATH": PLACES, **_ALONE}
    for name, value in {**told, **dict(program.environment)}.items():
        command += ["--setenv", name, value]
    for name, file in inputs.items():
        command += ["--ro-bind", str(file), f"/in/{name}"]
    command += ["--bind", str(out), "/out", "--chdir", "/out"]
    command += ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--"]
    return command, {"PATH": PLACES}


def bare(out: Path, program: Program) -> tuple[list[str], dict[str, str]]:
    """The reduced form: no network and the limits, but the program sees the host's files as nobody or as we do."""
    root = os.geteuid() == 0
    command = [UNSHARE.path or "unshare", *(["-n"] if root else ["-r", "-n"]), "--"]
    command += [shutil.which("setpriv", path=PLACES) or "setpriv", "--pdeathsig=KILL", "--no-new-privs"]
    if root:
        command += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    command += ["--"]
    told = {"PATH": PLACES, "LC_ALL": "C.UTF-8", "HOME": str(out), "TMPDIR": str(out), **_ALONE}
    return command, {**told, **dict(program.environment)}


def limited(bounds: Bounds) -> list[str]:
    """What stands before a program so that each of its processes keeps within its limits."""
    return [
        PRLIMIT.path or "prlimit", "--core=0", f"--fsize={bounds.file}", "--nofile=1024",
        *([f"--as={bounds.address}"] if bounds.address else []), *([f"--cpu={bounds.cpu}"] if bounds.cpu else []), "--",
    ]  # fmt: skip


def user(sandbox: str) -> dict[str, Any]:
    """As whom a start of the sandbox runs, for Popen: nobody, where we are root; the reduced form sees to it itself."""
    if os.geteuid() == 0 and sandbox == "full":
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return {}


def usage(pid: int, known: set[psutil.Process]) -> tuple[int, int]:
    """Resident bytes and number of all descendants; `known` gathers them: not everywhere a namespace holds them."""
    total = running = 0
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                known.add(child)
                total += child.memory_info().rss
                running += 1
    return total, running


def written(folder: Path) -> int:
    """Bytes on disk of what lies in a folder and below, links not followed."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(folder) as items:  # the program may just be taking things away
        for item in items:
            with contextlib.suppress(OSError):
                total += written(Path(item.path)) if item.is_dir(follow_symlinks=False) else _blocks(item)
    return total


def _blocks(item: os.DirEntry[str]) -> int:
    """What a file takes on the disk: a file with holes is as small as it is there."""
    return item.stat(follow_symlinks=False).st_blocks * 512


def kill(process: subprocess.Popen[bytes], others: set[psutil.Process]) -> None:
    if process.poll() is None:
        usage(process.pid, others)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for other in others:
        with contextlib.suppress(psutil.Error):
            other.kill()  # refuses a process that merely has the same number


@contextlib.contextmanager
def room(beside: Path) -> Iterator[Path]:
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


def visible(file: Path, copy: Path) -> Path:
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


def collect(out: Path, output: Path) -> None:
    """Regular files that lie directly in `out`; links and everything else are left to perish."""
    for item in sorted(out.iterdir()):
        if stat.S_ISREG(item.lstat().st_mode):
            if os.geteuid() == 0:
                os.chown(item, os.geteuid(), os.getegid())
            item.chmod(0o600)
            shutil.move(item, output / item.name)


def filled(argument: str, folders: Mapping[str, str]) -> str:
    """An argument with the folders that the program sees in the place of their marks."""
    for mark, folder in folders.items():
        argument = argument.replace(mark, folder)
    return argument
