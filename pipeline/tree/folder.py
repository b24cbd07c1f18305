"""The tree of a folder on the disk."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import SystemProblem
from pipeline.records import PackagePath
from pipeline.settings import Limits
from pipeline.tree.base import Entry, Findings, Opened, Survey, special_kind, unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def open_folder(path: Path, limits: Limits) -> Opened:
    """The tree of a folder, and all that is wrong or odd about its names."""
    findings = Findings()
    tree = FolderTree(path)
    survey = Survey(limits, findings)
    survey.see(tree.walk(findings, limits.depth))
    if not survey.files and not findings.fatal:
        findings.refuse("PKG-EMPTY")
    return Opened(None if findings.fatal else tree, findings.rows())


class FolderTree:
    """A folder as it lies on the disk, never modified; links and special files are no entries of it."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.abspath(os.fsencode(root))

    @property
    def carrier(self) -> str:
        return "folder"

    @property
    def name(self) -> bytes:
        return os.path.basename(os.path.realpath(self._root))

    def entries(self) -> Iterator[Entry]:
        return self.walk(None)

    def walk(
        self,
        findings: Findings | None,
        depth: int | None = None,
        unread: Callable[[PackagePath, SystemProblem], None] | None = None,
    ) -> Iterator[Entry]:
        """Entries; `findings` takes the links and special files on the way, `depth` bounds the descent.

        `unread` takes folders that cannot be listed; without it the first one is raised.
        """
        stack = [iter(self._children(b"", findings))]
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
            elif isinstance(item, Entry):
                yield item
            elif depth is not None and len(stack) > depth:
                yield Entry(PackagePath(item), 0, None, True)
            else:
                try:
                    stack.append(iter(self._children(item, findings)))
                except SystemProblem as problem:
                    if unread is None:
                        raise
                    unread(PackagePath(item), problem)

    def _children(self, folder: bytes, findings: Findings | None) -> list[Entry | bytes]:
        """What lies directly in a folder: entries, and paths of folders to enter, in the order of complete paths."""
        prefix = folder + b"/" if folder else b""
        found: list[tuple[bytes, Entry | bytes]] = []
        where = self._root + b"/" + folder if folder else self._root
        try:
            with os.scandir(where) as listing:
                for item in listing:
                    path = PackagePath(prefix + item.name)
                    if item.is_dir(follow_symlinks=False):
                        where = item.path
                        if _is_empty(item.path):
                            seconds = item.stat(follow_symlinks=False).st_mtime_ns
                            found.append((item.name, Entry(path, 0, seconds, True)))
                        else:
                            found.append((item.name + b"/", path))
                    elif item.is_file(follow_symlinks=False):
                        known = item.stat(follow_symlinks=False)
                        found.append((item.name, Entry(path, known.st_size, known.st_mtime_ns)))
                    elif findings is not None:
                        _special(item, path, findings)
        except OSError as problem:
            raise unreadable(where, problem) from problem
        found.sort(key=lambda pair: pair[0])
        return [item for _, item in found]

    def open(self, path: PackagePath) -> BinaryIO:
        return io.BufferedReader(_Guarded(self._descend(path), self._root + b"/" + path), 1 << 18)

    @contextlib.contextmanager
    def local(self, path: PackagePath, scratch: Path) -> Iterator[Path]:
        os.close(self._descend(path))
        yield Path(os.fsdecode(self._root + b"/" + path))

    def close(self) -> None:
        """Nothing is held open."""

    def _descend(self, path: PackagePath) -> int:
        """A descriptor of a regular file, reached folder by folder so that no link is followed on the way."""
        *folders, last = path.split(b"/")
        try:
            here = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                for name in folders:
                    _step(path, name)
                    below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
                    os.close(here)
                    here = below
                _step(path, last)
                file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
            finally:
                os.close(here)
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG):
                raise KeyError(path) from None
            raise unreadable(self._root + b"/" + path, problem) from problem
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise KeyError(path)
        return file


def _step(path: PackagePath, name: bytes) -> None:
    if name in (b"", b".", b"..") or b"\0" in name:
        raise KeyError(path)


def _is_empty(folder: bytes) -> bool:
    with os.scandir(folder) as listing:
        return next(listing, None) is None


def _special(item: os.DirEntry[bytes], path: PackagePath, findings: Findings) -> None:
    if item.is_symlink():
        try:
            target: bytes | None = os.readlink(item.path)
        except OSError:
            target = None
        findings.refuse("PKG-LINK", path, found=target)
    else:
        findings.refuse("PKG-SPECIAL", path, found=special_kind(item.stat(follow_symlinks=False).st_mode))


class _Guarded(io.FileIO):
    """A file whose read errors are system problems that name it."""

    def __init__(self, handle: int, shown_as: bytes) -> None:
        super().__init__(handle, "rb")
        self._file = shown_as

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        try:
            return super().readinto(buffer) or 0
        except OSError as problem:
            raise unreadable(self._file, problem) from problem

    def readall(self) -> bytes:
        try:
            return super().readall()
        except OSError as problem:
            raise unreadable(self._file, problem) from problem
