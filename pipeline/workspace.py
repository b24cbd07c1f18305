"""The data folder of one installation: where things lie, the clock, and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import SystemProblem, UsageProblem


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths below one data folder (`LUUTRU_DATA`). Two data folders never share anything."""

    root: Path

    @property
    def settings_file(self) -> Path:
        configured = os.environ.get("LUUTRU_CONFIG")
        return Path(configured) if configured else self.root / "luutru.toml"

    @property
    def household_file(self) -> Path:
        """Archive id, writer id, stores: written by `store add`."""
        return self.root / "stores.json"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def journal(self) -> Path:
        """Segments of our own writer, open and closed."""
        return self.root / "journal"

    @property
    def catalogue(self) -> Path:
        return self.root / "catalogue.sqlite"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def services(self) -> Path:
        """Prefect's home, SeaweedFS's volumes, their logs, ports and passwords."""
        return self.root / "services"

    @property
    def signatures(self) -> Path:
        """Signatures of formats that were taken in after ours; `in-force.json` says which count."""
        return self.root / "signatures"

    @property
    def crashes(self) -> Path:
        return self.root / "crashes"


def workspace() -> Workspace:
    """The data folder of this process: `LUUTRU_DATA`, else the XDG data folder; made (0700) when absent."""
    named = os.environ.get("LUUTRU_DATA")
    if named:
        root = Path(named)
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        root = Path(base) / "luutru"
    root = Path(os.path.abspath(root))
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("work", "locks", "reports", "journal"):
            (root / name).mkdir(exist_ok=True)
    except OSError as problem:
        raise SystemProblem("SYS-DATA-FOLDER", path=root, cause=problem.strerror or problem) from problem
    return Workspace(root)


def now() -> datetime:
    """The time with zone, whole seconds; `LUUTRU_CLOCK` (RFC 3339) fixes it."""
    fixed = os.environ.get("LUUTRU_CLOCK")
    if fixed:
        try:
            moment = datetime.fromisoformat(fixed)
        except ValueError:
            raise UsageProblem("USE-CLOCK", value=fixed) from None
        if moment.tzinfo is None:
            raise UsageProblem("USE-CLOCK", value=fixed)
        return moment.replace(microsecond=0)
    return datetime.now(UTC).replace(microsecond=0)


def rfc3339(moment: datetime) -> str:
    """Text of an aware time, seconds, `Z` for UTC."""
    text = moment.replace(microsecond=0).isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def account() -> str:
    """The operating system's account of this process, not what its environment claims; `uid N` when it has no name."""
    try:
        import pwd
    except ImportError:  # Windows
        import getpass

        return getpass.getuser()
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


def sync_folder(folder: Path) -> None:
    """Makes names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def durable(target: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file that appears under its name only when it is complete and on the disk; replaces what was there."""
    temporary = target.parent / f".{target.name[:100]}.{os.getpid()}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, target)
        sync_folder(target.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_json(target: Path, value: object, mode: int = 0o644) -> None:
    """One JSON document, whole or not at all; keys keep their order."""
    with durable(target, mode) as out:
        out.write(json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")
