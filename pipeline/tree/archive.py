"""Trees of archives: recognising one by its bytes, the index of its members, its root folder."""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import io
import os
import re
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from pipeline.errors import SystemProblem
from pipeline.records import PackagePath
from pipeline.settings import Limits
from pipeline.tree.base import Entry, Findings, Opened, Survey, unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_OF_MEMBERS = frozenset({
    "PKG-ABSOLUTE", "PKG-CLIMBING", "PKG-DEPTH", "PKG-DUPLICATE", "PKG-FILE-AND-FOLDER", "PKG-LINK", "PKG-MEMBER-NAME",
    "PKG-PATH-LONG", "PKG-SPARSE", "PKG-SPECIAL", "PKG-TAR-TYPE", "PKG-ZIP-BACKSLASH", "PKG-ZIP-ENCRYPTED",
    "PKG-ZIP-LOCAL", "PKG-ZIP-METHOD", "PKG-ZIP-SIZE",
})  # fmt: skip
"""Faults of single members, which say nothing against the others."""

BOMB_FLOOR = 64 * 1024**2
"""Below so many unpacked bytes no ratio is suspicious: a scan of an empty page shrinks a thousandfold."""

CHUNK = 1 << 20

_UNTOLD = -(2**63)
_DRIVE = re.compile(rb"[A-Za-z]:")
_ENDINGS = re.compile(rb"(?i)\.(?:zip|tar|tgz|tar\.gz)$")
_SAFE_ENDING = re.compile(rb"\.[A-Za-z0-9]{1,16}")
_OFFICE = (b"[Content_Types].xml", b"mimetype")
"""A member of this name at the top of a zip: a document (OOXML, ODF, EPUB), not a package."""


class Source:
    """An archive file held open: bytes at a place, independent of any position; faults are system problems."""

    def __init__(self, handle: int, shown_as: bytes) -> None:
        self._handle = handle
        self._file = shown_as
        self.size = os.fstat(handle).st_size

    def at(self, place: int, count: int) -> bytes:
        """Up to `count` bytes from `place`; fewer at the end."""
        parts = []
        try:
            while count > 0 and (part := os.pread(self._handle, count, place)):
                parts.append(part)
                place += len(part)
                count -= len(part)
        except OSError as problem:
            raise unreadable(self._file, problem) from problem
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def reader(self, start: int, size: int) -> io.BufferedReader:
        """A seekable file of a stretch of the archive."""
        return io.BufferedReader(_Stretch(self, start, size), 1 << 18)

    def digest(self) -> str:
        made = hashlib.sha256()
        place = 0
        while part := self.at(place, CHUNK):
            made.update(part)
            place += len(part)
        return made.hexdigest()

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class _Stretch(io.RawIOBase):
    def __init__(self, source: Source, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        count = min(len(view), self._size - self._place)
        if count <= 0:
            return 0
        part = self._source.at(self._start + self._place, count)
        view[: len(part)] = part
        self._place += len(part)
        return len(part)


class Members:
    """The files and empty folders of an archive, sorted by path; about 40 bytes each beside the name."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self._columns = tuple(array(kind) for kind in "QQQLHqB")

    def __len__(self) -> int:
        return len(self.names)

    def add(
        self, name: bytes, start: int, size: int, packed: int = 0, crc: int = 0, method: int = 0,
        mtime_ns: int | None = None, folder: bool = False,
    ) -> None:  # fmt: skip
        """`start` is where the member's own bytes begin; sizes in bytes, unpacked and packed."""
        self.names.append(name)
        mtime = mtime_ns if mtime_ns is not None and abs(mtime_ns) < 2**63 else _UNTOLD
        for column, value in zip(self._columns, (start, size, packed, crc, method, mtime, folder), strict=True):
            column.append(value)

    def stored(self, index: int) -> tuple[int, int, int, int, int]:
        """Start, size, packed size, CRC, method."""
        start, size, packed, crc, method, *_ = (column[index] for column in self._columns)
        return start, size, packed, crc, method

    def entry(self, index: int) -> Entry:
        mtime = self._columns[5][index]
        folder = bool(self._columns[6][index])
        known = None if mtime == _UNTOLD else mtime
        return Entry(PackagePath(self.names[index]), self._columns[1][index], known, folder)

    def is_folder(self, index: int) -> bool:
        return bool(self._columns[6][index])

    def find(self, path: bytes) -> int | None:
        """Index of a file."""
        index = bisect.bisect_left(self.names, path)
        if index < len(self.names) and self.names[index] == path and not self.is_folder(index):
            return index
        return None

    def keep(self, order: list[int], cut: int = 0) -> None:
        """Keeps these members in this order; each name loses its first `cut` bytes."""
        self.names = [self.names[index][cut:] for index in order]
        self._columns = tuple(array(column.typecode, (column[index] for index in order)) for column in self._columns)

    def settle(self, findings: Findings) -> None:
        """Sorts; drops folders that are not empty; refuses names that occur twice or are file and folder."""
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        self.keep(order)
        names = self.names
        kept: list[int] = []
        for index, name in enumerate(names):
            folder = self.is_folder(index)
            below = bisect.bisect_left(names, name + b"/", lo=index)
            filled = below < len(names) and names[below].startswith(name + b"/")
            if kept and names[kept[-1]] == name:
                if folder != self.is_folder(kept[-1]):
                    findings.refuse("PKG-FILE-AND-FOLDER", name)
                elif not folder:
                    findings.refuse("PKG-DUPLICATE", name)
                continue
            if not folder:
                if filled:
                    findings.refuse("PKG-FILE-AND-FOLDER", name)
                kept.append(index)
            elif not filled:
                kept.append(index)
        self.keep(kept)


def member_path(raw: bytes, findings: Findings, *, folder: bool, backslash: bool = False) -> bytes | None:
    """The path that an archive's member name means, or None with a finding (without one for the top folder).

    `.` segments and doubled slashes are dropped. `backslash` refuses names with one, as unpackers disagree on it.
    """
    if b"\0" in raw or not raw:
        findings.refuse("PKG-MEMBER-NAME", found=raw)
        return None
    if raw[:1] in (b"/", b"\\") or _DRIVE.match(raw):
        findings.refuse("PKG-ABSOLUTE", found=raw)
        return None
    parts = [part for part in raw.split(b"/") if part not in (b"", b".")]
    if b".." in parts or b".." in raw.replace(b"\\", b"/").split(b"/"):
        findings.refuse("PKG-CLIMBING", found=raw)
        return None
    if backslash and b"\\" in raw:
        findings.refuse("PKG-ZIP-BACKSLASH", b"/".join(parts))
        return None
    if not parts:
        if not folder:
            findings.refuse("PKG-MEMBER-NAME", found=raw)
        return None
    return b"/".join(parts)


class Archive(Protocol):
    """What a zip and a tar give their tree: an index and the bytes of a member."""

    carrier: str
    members: Members

    def stream(self, index: int, path: PackagePath) -> BinaryIO: ...

    def close(self) -> None: ...


class ArchiveTree:
    """An archive seen as the package it holds; nothing is unpacked to look at it."""

    def __init__(self, archive: Archive, name: bytes, rooted: bool = True) -> None:
        """`rooted`: all members were in one folder, whose name is `name`."""
        self.rooted = rooted
        self._archive = archive
        self._name = name

    @property
    def carrier(self) -> str:
        return self._archive.carrier

    @property
    def name(self) -> bytes:
        return self._name

    def entries(self) -> Iterator[Entry]:
        members = self._archive.members
        return (members.entry(index) for index in range(len(members)))

    def open(self, path: PackagePath) -> BinaryIO:
        index = self._archive.members.find(path)
        if index is None:
            raise KeyError(path)
        return self._archive.stream(index, path)

    @contextlib.contextmanager
    def local(self, path: PackagePath, scratch: Path) -> Iterator[Path]:
        ending = _SAFE_ENDING.fullmatch(os.path.splitext(path.rpartition(b"/")[2])[1])
        with self.open(path) as source, _scratch_file(scratch, ending.group().decode() if ending else "") as file:
            _pour(source, file)
            yield Path(file.name)

    def close(self) -> None:
        self._archive.close()


@contextlib.contextmanager
def _scratch_file(scratch: Path, ending: str) -> Iterator[BinaryIO]:
    try:
        # Not `with NamedTemporaryFile(...)` alone: what goes wrong in the caller's block is not ours to rename.
        file = tempfile.NamedTemporaryFile(dir=scratch, suffix=ending)  # noqa: SIM115
    except OSError as problem:
        raise _unwritable(scratch, problem) from problem
    with file:
        yield file  # type: ignore[misc]


def _pour(source: BinaryIO, target: BinaryIO) -> None:
    while part := source.read(CHUNK):
        try:
            target.write(part)
        except OSError as problem:
            raise _unwritable(Path(target.name), problem) from problem
    try:
        target.flush()
    except OSError as problem:
        raise _unwritable(Path(target.name), problem) from problem


def _unwritable(where: Path, problem: OSError) -> SystemProblem:
    return SystemProblem("SYS-WRITE", file=where, cause=problem.strerror or problem)


def open_archive(path: Path, limits: Limits, scratch: Path | None, *, digest: bool, partly: bool = False) -> Opened:
    """The tree of an archive, or the findings that forbid opening it or say that it is none.

    `partly`: faults of single members do not forbid to look at the others, for who only reads and keeps nothing.
    """
    raw = os.path.abspath(os.fsencode(path))
    try:
        source = Source(os.open(raw, os.O_RDONLY | os.O_CLOEXEC), raw)
    except OSError as problem:
        raise unreadable(raw, problem) from problem
    findings = Findings()
    archive: Archive | None = None
    tree: ArchiveTree | None = None

    def forbidden() -> bool:
        return findings.fatal and not (partly and findings.refused <= _OF_MEMBERS)

    try:
        made = source.digest() if digest else None
        archive = _read(source, limits, scratch, findings)
        if archive is not None and not forbidden():
            root = _root(archive.members, findings)
            tree = ArchiveTree(archive, root or _ENDINGS.sub(b"", os.path.basename(raw)), root is not None)
            survey = Survey(limits, findings)
            survey.see(tree.entries())
            if survey.bytes > BOMB_FLOOR and survey.bytes > limits.ratio * source.size:
                findings.refuse("PKG-BOMB", None, limits.ratio, survey.bytes // max(1, source.size))
            if not survey.files and not findings.fatal:
                findings.refuse("PKG-EMPTY")
        return Opened(None if forbidden() else tree, findings.rows(), made)
    finally:
        if forbidden() or tree is None:
            (archive or source).close()
            source.close()


def _read(source: Source, limits: Limits, scratch: Path | None, findings: Findings) -> Archive | None:
    from pipeline.tree.tar import is_tar, read_tar, unpacked
    from pipeline.tree.zip import is_zip, read_zip

    start = source.at(0, 512)
    if start.startswith(b"\x1f\x8b"):
        spooled = unpacked(source, limits, scratch, findings)
        if spooled is None:
            return None
        source.close()
        if is_tar(spooled.at(0, 512)):
            return read_tar(spooled, limits, findings, "tar.gz")
        spooled.close()
    elif is_tar(start):
        return read_tar(source, limits, findings, "tar")
    elif is_zip(source):
        archive = read_zip(source, limits, findings)
        if not any(archive.members.find(name) is not None for name in _OFFICE):
            return archive
    findings.refuse("PKG-NOT-A-PACKAGE" if start else "PKG-EMPTY")
    return None


def _is_noise(top: bytes) -> bool:
    """What macOS leaves beside a packed folder."""
    return top in (b"__MACOSX", b".DS_Store") or top.startswith(b"._")


def _root(members: Members, findings: Findings) -> bytes | None:
    """Makes the one folder that holds everything the root of the package and returns its name; else None."""
    tops: dict[bytes, int] = {}
    for name in members.names:
        top = name.partition(b"/")[0]
        tops[top] = tops.get(top, 0) + 1
    noise = {top: count for top, count in tops.items() if _is_noise(top)}
    rest = [top for top in tops if top not in noise]
    root = rest[0] if len(rest) == 1 and members.find(rest[0]) is None else None
    for top, count in noise.items():
        findings.warn("PKG-NOISE-KEPT" if root is None else "PKG-NOISE", top, found=count)
    if root is not None:
        within = [index for index, name in enumerate(members.names) if name.startswith(root + b"/")]
        members.keep(within, len(root) + 1)
    return root
