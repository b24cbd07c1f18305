"""The servers of one data folder: started, found again, ended.

A process belongs to its data folder by the mark in its environment (`LUUTRU_SERVICES_OF`), which its children inherit;
pid and start time are written down as well. Two data folders never meet: ports are tested and recorded, and a server
counts as ready only when the process that we started is the one that listens.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import dashboard, ports, seaweed
from pipeline.errors import Problem, SystemProblem
from pipeline.settings import PROJECT, household, keep_household
from pipeline.workspace import Workspace, durable, write_json

if TYPE_CHECKING:
    import psutil

MARK = "LUUTRU_SERVICES_OF"
LOG_BYTES = 8 * 1024**2
START_SECONDS = 180
LOCK_SECONDS = 300
PARTS = ("s3", "dashboard", "worker")
_GRACE = {"worker": 8.0, "dashboard": 8.0, "s3": 2.0}
"""Seconds between asking and killing. SeaweedFS waits 16 s for its own connections; what it acknowledged is synced."""


@dataclass(frozen=True, slots=True)
class Services:
    """What runs for one data folder. No secret lies here; `password()` reads it."""

    dashboard: str | None
    api: str | None
    password_file: Path | None
    s3: str | None
    s3_credentials: Path | None
    bucket: str
    pids: dict[str, int] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def password(self) -> str:
        """`user:password`, as the dashboard asks for it."""
        return self.password_file.read_text().strip() if self.password_file else ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embedded S3: where it answers, the bucket, and the file (0600) with its keys."""

    endpoint: str
    bucket: str
    credentials: Path


@dataclass(slots=True)
class _Record:
    """`services.json`: ports are kept for the next start, processes until they are ended."""

    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, dict[str, float]] = field(default_factory=dict)


def up(space: Workspace, tell: Callable[[str], None] = lambda _: None) -> Services:
    """Starts what does not run yet (embedded S3, Prefect, worker) and returns when all of it is ready.

    May be called again at any time. SystemProblem when a server does not come up within its limit; what was running
    before stays, and the log is named.
    """
    with _locked(space):
        record = _load(space)
        _ensure(space, record, "s3", tell)
        _ensure(space, record, "dashboard", tell)
        _await(space, record, "s3")
        _finish_s3(space, record)
        _await(space, record, "dashboard")
        if record.processes.get("worker", {}).get("port") != record.ports["dashboard"]:
            stray = _alive(space, record, "worker")
            _end(space, [stray] if stray else [], _GRACE["worker"])
        _ensure(space, record, "worker", tell)
        _await(space, record, "worker")
        return _services(space, record)


def ensure_s3(space: Workspace) -> Embedded:
    """The embedded S3 alone, started when it does not run; its bucket exists and is synced at every write."""
    with _locked(space):
        record = _load(space)
        _ensure(space, record, "s3", lambda _: None)
        _await(space, record, "s3")
        _finish_s3(space, record)
        return Embedded(seaweed.endpoint(record.ports), seaweed.BUCKET, seaweed.credentials_file(space))


def down(space: Workspace, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Ends the servers of this data folder and everything they started; the names of those that ran.

    SystemProblem when a process outlives SIGKILL (it hangs in the kernel, or belongs to another account).
    """
    if not space.services.exists():
        return []
    with _locked(space):
        record = _load(space)
        ended = []
        for name in reversed(PARTS):
            process = _alive(space, record, name)
            if process is not None:
                tell(name)
                _end(space, [process], _GRACE[name])
                ended.append(name)
        _end(space, _marked(space), 2.0)
        for socket in seaweed.leftovers(record.ports):
            socket.unlink(missing_ok=True)
        record.processes.clear()
        _save(space, record)
        return ended


def running(space: Workspace) -> Services | None:
    """What of this data folder runs now; None when its dashboard does not."""
    found = status(space)
    return found if "dashboard" in found.pids else None


def status(space: Workspace) -> Services:
    """What of this data folder runs now, each process checked."""
    return _services(space, _load(space))


def client(space: Workspace) -> tuple[int, str] | None:
    """Port and secret of the running server, None when none of ours listens there."""
    found = running(space)
    if found is None:
        return None
    port = found.ports["dashboard"]
    return (port, found.password()) if ports.answers(port, "/api/health", seconds=3) == 200 else None


def trim_logs(space: Workspace) -> None:
    """Keeps each log below twice `LOG_BYTES`: one older part is kept, the writers append to what is left empty."""
    for log in (space.services / "logs").glob("*.log"):
        with contextlib.suppress(OSError):
            if log.stat().st_size > LOG_BYTES:
                with durable(log.with_suffix(".log.1"), mode=0o600) as older:
                    older.write(log.read_bytes()[-LOG_BYTES:])
                os.truncate(log, 0)


def own_environment(space: Workspace) -> dict[str, str]:
    """What every server sees: built from nothing, so that no setting and no secret of the user's gets in."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ}
    kept.setdefault("PATH", os.defpath)
    kept.update({MARK: str(space.services), "HOME": str(space.services), "PYTHONPATH": str(PROJECT)})
    return kept


def worker_environment(space: Workspace) -> dict[str, str]:
    """The worker stores: it needs the way to remote stores, and the settings of this installation."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("AWS_", "LUUTRU_", "XDG_")) or name.lower().endswith("_proxy") or name == "SSL_CERT_FILE"
    }
    own = own_environment(space)
    if "HOME" in os.environ:
        own["HOME"] = os.environ["HOME"]
    return {**kept, **own, "LUUTRU_DATA": str(space.root), "PYTHONUNBUFFERED": "1"}


def _ensure(space: Workspace, record: _Record, name: str, tell: Callable[[str], None]) -> None:
    if _alive(space, record, name) is None:
        tell(name)
        _start(space, record, name)


def _start(space: Workspace, record: _Record, name: str) -> None:
    """Starts one server; it is written down before anybody waits for it."""
    _end(space, [p for p in _marked(space) if _name_of(p) == name], 1.0)
    own = own_environment(space) | {f"{MARK}_PART": name}
    if name == "s3":
        seaweed.prepare(space)
        folder = seaweed.home(space)
        before = record.ports.get("s3")
        record.ports = ports.choose(record.ports, seaweed.PORTS, {"s3": seaweed.USUAL_PORT})
        _follow(space, before, record.ports["s3"])
        for socket in seaweed.leftovers(record.ports):
            socket.unlink(missing_ok=True)
        command, environment = seaweed.command(record.ports), own | seaweed.environment()
    else:
        folder = dashboard.home(space)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = _secret(space)
        if name == "dashboard":
            record.ports = ports.choose(record.ports, ("dashboard",), {"dashboard": dashboard.USUAL_PORT})
            command = dashboard.server_command()
            environment = own | dashboard.server_settings(space, record.ports["dashboard"], secret)
        else:
            (space.services / "worker.ready").unlink(missing_ok=True)
            command = [sys.executable, "-m", "flows.worker"]
            environment = worker_environment(space) | {f"{MARK}_PART": name}
            environment |= dashboard.client_settings(space, record.ports["dashboard"], secret)
    trim_logs(space)
    log = _log(space, name)
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
    except OSError as problem:
        raise SystemProblem("SYS-SERVICE-START", service=name, log=log, cause=problem) from problem
    import psutil

    try:
        started = psutil.Process(process.pid).create_time()
    except psutil.NoSuchProcess:
        started = 0.0
    record.processes[name] = {"pid": process.pid, "started": started, "port": record.ports.get("dashboard", 0)}
    _save(space, record)
    _CHILDREN[process.pid] = process


_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Servers started by this very process: they are reaped here, or they would stay as zombies."""


def _await(space: Workspace, record: _Record, name: str) -> None:
    """Waits until the server answers; one that lost its port to a neighbour in the meantime gets another."""
    deadline = time.monotonic() + START_SECONDS
    attempts = 3
    while True:
        process = _alive(space, record, name)
        if process is None:
            attempts -= 1
            if attempts == 0 or name == "worker":
                raise SystemProblem("SYS-SERVICE-START", service=name, log=_log(space, name), cause=_tail(space, name))
            _start(space, record, name)
        elif _ready(space, record, name, process):
            return
        if time.monotonic() > deadline:
            _end(space, [process] if process else [], _GRACE[name])
            cause = f"{START_SECONDS} s: {_tail(space, name)}"
            raise SystemProblem("SYS-SERVICE-START", service=name, log=_log(space, name), cause=cause)
        time.sleep(0.1)


def _ready(space: Workspace, record: _Record, name: str, process: psutil.Process) -> bool:
    if name == "worker":
        ready = space.services / "worker.ready"
        with contextlib.suppress(OSError, ValueError):
            return int(ready.read_text()) == process.pid
        return False
    port = record.ports[name]
    if not ports.listens(process, port):
        return False
    if name == "s3":
        return seaweed.ready(record.ports)
    return ports.answers(port, "/api/admin/version", _secret(space)) == 200


def _finish_s3(space: Workspace, record: _Record) -> None:
    """Bucket and fsync, once; a mark says that it is done."""
    done = seaweed.home(space) / "bucket.done"
    if done.exists():
        return
    environment = own_environment(space)
    try:
        ran = subprocess.run(
            seaweed.shell_command(record.ports), input=seaweed.setup_script().encode(), cwd=seaweed.home(space),
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
        )  # fmt: skip
        said = ran.stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SystemProblem("SYS-SERVICE-START", service="s3", log=_log(space, "s3"), cause=problem) from problem
    if not seaweed.set_up(said):
        raise SystemProblem("SYS-SERVICE-START", service="s3", log=_log(space, "s3"), cause=said[-500:])
    with durable(done) as out:
        out.write(b"1\n")


def _follow(space: Workspace, before: int | None, after: int) -> None:
    """Stores of the household that lie in the embedded S3 follow it to its new port."""
    if before is None or before == after or not space.household_file.exists():
        return
    from dataclasses import replace

    keys = str(seaweed.credentials_file(space))
    held = household(space)
    moved = tuple(
        replace(store, endpoint=f"http://127.0.0.1:{after}")
        if store.credentials_file == keys and store.endpoint == f"http://127.0.0.1:{before}"
        else store
        for store in held.stores
    )
    if moved != held.stores:
        keep_household(space, replace(held, stores=moved))


def _alive(space: Workspace, record: _Record, name: str) -> psutil.Process | None:
    """The recorded process if it still is the one that we started: same start, same mark."""
    import psutil

    entry = record.processes.get(name)
    if entry is None:
        return None
    pid = int(entry["pid"])
    child = _CHILDREN.get(pid)
    if child is not None and child.poll() is not None:
        del _CHILDREN[pid]
        return None
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        try:
            return process if process.environ().get(MARK) == str(space.services) else None
        except psutil.AccessDenied:
            return process if abs(process.create_time() - entry["started"]) < 2 else None
    except psutil.NoSuchProcess:
        return None


def _marked(space: Workspace) -> list[psutil.Process]:
    """Every process that carries the mark of this data folder, whoever is its parent now."""
    import psutil

    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in mine and process.environ().get(MARK) == str(space.services):
                found.append(process)
    return found


def _name_of(process: psutil.Process) -> str | None:
    import psutil

    try:
        return process.environ().get(f"{MARK}_PART")
    except (psutil.Error, OSError):
        return None


def _end(space: Workspace, processes: list[psutil.Process], grace: float) -> None:
    """Asks, waits `grace` seconds, then kills the processes with all that they started."""
    import psutil

    if not processes:
        return
    tree = {process.pid: process for process in processes}
    sessions = {process.pid for process in processes}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            tree.update({child.pid: child for child in process.children(recursive=True)})
            process.terminate()
    _gone(list(tree.values()), grace, only={process.pid for process in processes})
    for process in list(tree.values()):
        with contextlib.suppress(psutil.Error):
            tree.update({child.pid: child for child in process.children(recursive=True)})
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) in sessions:
                tree[process.pid] = process
    tree.pop(os.getpid(), None)
    for process in tree.values():
        with contextlib.suppress(psutil.Error):
            process.kill()
    left = _gone(list(tree.values()), 10.0)
    if left:
        raise SystemProblem("SYS-SERVICE-STOP", pids=", ".join(str(process.pid) for process in left))


def _gone(processes: list[psutil.Process], seconds: float, only: set[int] | None = None) -> list[psutil.Process]:
    """Waits until they are gone (`only` these count); returns those that are not."""
    import psutil

    deadline = time.monotonic() + seconds
    while True:
        for pid in [pid for pid, child in _CHILDREN.items() if child.poll() is not None]:
            del _CHILDREN[pid]
        left = []
        for process in processes:
            if process.pid in _CHILDREN:  # gone when it is reaped, not when its first thread is
                left.append(process)
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    left.append(process)
        waited = [process for process in left if only is None or process.pid in only]
        if not waited or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def _services(space: Workspace, record: _Record) -> Services:
    pids = {}
    for name in PARTS:
        process = _alive(space, record, name)
        if process is not None:
            pids[name] = process.pid
    board, s3 = "dashboard" in pids, "s3" in pids
    url = dashboard.address(record.ports["dashboard"]) if board else None
    return Services(
        dashboard=url,
        api=f"{url}/api" if url else None,
        password_file=dashboard.password_file(space) if board else None,
        s3=seaweed.endpoint(record.ports) if s3 else None,
        s3_credentials=seaweed.credentials_file(space) if s3 else None,
        bucket=seaweed.BUCKET,
        pids=pids,
        ports=dict(record.ports),
    )


def _secret(space: Workspace) -> str:
    """The secret of the API, drawn once."""
    file = dashboard.password_file(space)
    if not file.exists():
        with durable(file, mode=0o600) as out:
            out.write(f"luutru:{secrets.token_urlsafe(18)}\n".encode())
    return file.read_text().strip()


def _load(space: Workspace) -> _Record:
    """What was written down, nothing before the first start."""
    try:
        found: Any = json.loads((space.services / "services.json").read_bytes())
    except FileNotFoundError:
        return _Record()
    except (OSError, ValueError) as problem:
        raise SystemProblem("SYS-READ", file=space.services / "services.json", cause=problem) from problem
    if not isinstance(found, dict) or found.get("format") != 1:
        version = found.get("format") if isinstance(found, dict) else None
        raise SystemProblem("SYS-FORMAT", what=space.services / "services.json", found=version, known=1)
    return _Record(dict(found["ports"]), dict(found["processes"]))


def _save(space: Workspace, record: _Record) -> None:
    value = {"format": 1, "ports": record.ports, "processes": record.processes}
    write_json(space.services / "services.json", value, mode=0o600)


def _log(space: Workspace, name: str) -> Path:
    return space.services / "logs" / f"{name}.log"


def _tail(space: Workspace, name: str) -> str:
    """The last lines that a server said."""
    files = [_log(space, name)]
    if name == "s3":
        files.append(seaweed.home(space) / "logs" / "weed.FATAL")
    said = ""
    for file in files:
        with contextlib.suppress(OSError):
            said = file.read_bytes()[-600:].decode(errors="replace").strip() or said
    return said or "-"


@contextlib.contextmanager
def _locked(space: Workspace) -> Iterator[None]:
    """One `up` or `down` at a time in a data folder."""
    from filelock import FileLock, Timeout

    try:
        space.services.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(space.services / "lock", timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise SystemProblem("SYS-SERVICE-LOCK", path=space.services / "lock", transient=True) from None
    except Problem:
        raise
    except OSError as problem:
        raise SystemProblem("SYS-DATA-FOLDER", path=space.services, cause=problem.strerror or problem) from problem
