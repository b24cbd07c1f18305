"""What a tree is, and what is looked at in any of them while it is opened: budgets and names."""

from __future__ import annotations

import errno
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.errors import SystemProblem
from pipeline.names import SEGMENT_BYTES, is_utf8
from pipeline.records import Finding, PackagePath
from pipeline.settings import Limits

SAME_CODE = 1000
"""So many findings of one code are listed; a last one (`PKG-MORE`) counts the rest."""

_TRANSIENT = {errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_RESERVED = re.compile(rb"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
_WINDOWS = re.compile(rb'[<>:"|?*]')
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or an empty folder (`size` 0). `mtime_ns` since the epoch, None when the carrier tells none."""

    path: PackagePath
    size: int
    mtime_ns: int | None = None
    is_folder: bool = False


class Tree(Protocol):
    """Folder, zip, tar, stored version or plan: validators, readers, export and audit take one."""

    @property
    def carrier(self) -> str:
        """What it came in: `folder`, `zip`, `tar`, `tar.gz`, `stored`, `plan`."""
        ...

    @property
    def name(self) -> bytes:
        """Raw name of the package: its root folder's, or the archive's without its extensions."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Files and empty folders, sorted by raw path bytes."""
        ...

    def open(self, path: PackagePath) -> BinaryIO:
        """The bytes of one file; KeyError when there is none; SystemProblem when it cannot be read.

        Reading raises ContentDamage when the carrier's own checks say that the bytes are not what was packed.
        """
        ...

    def local(self, path: PackagePath, scratch: Path) -> AbstractContextManager[Path]:
        """A real file with these bytes for programs that need one, in `scratch` if it has to be made."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """Result of opening what arrived: a tree, or None with the findings that say why it cannot be opened safely.

    Findings of level warning may stand beside a tree; those that forbid an ingest too, where what can be read was asked
    for all the same. `digest` is the SHA-256 of an archive file, None of a folder.
    """

    tree: Tree | None
    findings: tuple[Finding, ...]
    digest: str | None = None


class ContentDamage(Exception):
    """The bytes of one file in an archive are damaged: a fault of the content, found while it is read."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def unreadable(file: bytes, problem: OSError) -> SystemProblem:
    """The system problem of a file or folder that cannot be read; `transient` for faults that pass by themselves."""
    name = file.decode("utf-8", "surrogateescape")
    return SystemProblem(
        "SYS-READ", transient=problem.errno in _TRANSIENT, file=name, cause=problem.strerror or problem
    )


class Findings:
    """Collects findings of opening: those that forbid it and those that only warn; at most SAME_CODE of a code."""

    def __init__(self) -> None:
        self.fatal = False
        self.refused: set[str] = set()
        self._rows: list[Finding] = []
        self._counts: dict[str, int] = {}

    def refuse(self, code: str, file: bytes | None = None, expected: object = None, found: object = None) -> None:
        """A finding that forbids opening (its level is error)."""
        self.fatal = True
        self.refused.add(code)
        self.warn(code, file, expected, found)

    def warn(self, code: str, file: bytes | None = None, expected: object = None, found: object = None) -> None:
        """A finding that does not forbid opening."""
        count = self._counts[code] = self._counts.get(code, 0) + 1
        if count <= SAME_CODE:
            path = None if file is None else PackagePath(file)
            self._rows.append(Finding(code, path, None, _text(expected), _text(found)))

    def rows(self) -> tuple[Finding, ...]:
        more = [
            Finding("PKG-MORE", expected=code, found=str(count - SAME_CODE))
            for code, count in sorted(self._counts.items())
            if count > SAME_CODE
        ]
        return (*self._rows, *more)


def _text(value: object) -> str | None:
    """Values as text that can be kept anywhere: undecodable bytes as `%XX`; who shows it escapes the rest."""
    if value is None:
        return None
    if not isinstance(value, bytes):
        return str(value)
    text = value.decode("utf-8", "surrogateescape")
    return "".join(f"%{ord(char) - 0xDC00:02X}" if "\udc80" <= char <= "\udcff" else char for char in text)


class Survey:
    """Looks at entries as they pass, in raw-byte order: budgets, and names that will make trouble elsewhere.

    Holds the names of the folders on the current path only.
    """

    def __init__(self, limits: Limits, into: Findings) -> None:
        self.files = 0
        self.bytes = 0
        self._limits = limits
        self._into = into
        self._folders: list[tuple[bytes, dict[str, bytes]]] = [(b"", {})]
        self._stopped = False

    def see(self, entries: Iterable[Entry]) -> None:
        """Looks at all entries; stops counting, with a finding, where a budget is spent."""
        for entry in entries:
            if not self._one(entry):
                return

    def _one(self, entry: Entry) -> bool:
        limits, into = self._limits, self._into
        if not entry.is_folder:
            self.files += 1
            self.bytes += entry.size
        if self.files > limits.files:
            into.refuse("PKG-FILES", expected=limits.files, found=f"> {limits.files}")
            return False
        if self.bytes > limits.bytes:
            into.refuse("PKG-BYTES", expected=limits.bytes, found=f"≥ {self.bytes}")
            return False
        path = entry.path
        if len(path) > limits.path_bytes:
            into.refuse("PKG-PATH-LONG", path[:SEGMENT_BYTES], limits.path_bytes, len(path))
        elif path.count(b"/") >= limits.depth:
            into.refuse("PKG-DEPTH", path, limits.depth, path.count(b"/") + 1)
        self._names(path)
        return True

    def _names(self, path: bytes) -> None:
        while not path.startswith(self._folders[-1][0]):
            self._folders.pop()
        start = len(self._folders[-1][0])
        while start < len(path):
            end = path.find(b"/", start)
            end = len(path) if end < 0 else end
            self._name(path[:end], path[start:end], self._folders[-1][1])
            if end < len(path):
                self._folders.append((path[: end + 1], {}))
            start = end + 1

    def _name(self, path: bytes, name: bytes, beside: dict[str, bytes]) -> None:
        warn = self._into.warn
        if _CONTROL.search(name):
            warn("PKG-NAME-CONTROL", path)
        if len(name) > SEGMENT_BYTES:
            warn("PKG-NAME-LONG", path[: -len(name)] + name[:SEGMENT_BYTES], SEGMENT_BYTES, len(name))
        if _RESERVED.fullmatch(name) or _WINDOWS.search(name):
            warn("PKG-NAME-WINDOWS", path)
        if b"\\" in name:
            warn("PKG-NAME-BACKSLASH", path)
        if name[:1] == b" " or name[-1:] in (b" ", b"."):
            warn("PKG-NAME-EDGE", path)
        if not is_utf8(name):
            warn("PKG-NAME-ENCODING", path)
            return
        text = name.decode()
        composed = text if text.isascii() else unicodedata.normalize("NFC", text)
        folded = unicodedata.normalize("NFC", composed.casefold()) if not text.isascii() else text.lower()
        twin = beside.setdefault(folded, name)
        if twin != name:
            code = "PKG-NAME-FORM" if unicodedata.normalize("NFC", twin.decode()) == composed else "PKG-NAME-CASE"
            warn(code, path, found=twin)


def special_kind(mode: int) -> str:
    """English word for a kind of file that is neither file, folder nor link."""
    for test, word in (
        (stat.S_ISFIFO, "FIFO"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "character device"),
        (stat.S_ISBLK, "block device"),
    ):
        if test(mode):
            return word
    return "special file"
