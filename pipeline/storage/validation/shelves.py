"""Where OCFL objects lie, as the validator sees it: what is there below a folder, and its bytes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from pipeline.records import PackagePath
from pipeline.storage.stores import Store
from pipeline.tree import FolderTree, Tree, unreadable


class What(Enum):
    """What a thing on a shelf is. A folder is told of only when it is empty."""

    FILE = "file"
    FOLDER = "empty folder"
    LINK = "link"
    SPECIAL = "special file"
    DEEP = "too deep"


class Thing(NamedTuple):
    """`path` from the shelf on, undecodable bytes as surrogate escapes; size in bytes, `twin` of a hard link."""

    path: str
    what: What
    size: int
    twin: tuple[int, int] | None = None


class Shelf(Protocol):
    """A folder, a part of a store, or a package in an archive."""

    @property
    def lanes(self) -> int:
        """How many files may be read at once with profit."""
        ...

    def walk(self, folder: str = "") -> Iterator[Thing]:
        """Everything below a folder ("" or ending in `/`), in no order; never more than that, no link is followed."""
        ...

    def open(self, path: str) -> BinaryIO:
        """The bytes of a regular file; KeyError when there is none. SystemProblem when it cannot be read."""
        ...


_DEEPEST = 3000
"""Bytes of a path below which folders are entered: what lies deeper cannot be named to the system in one piece."""


class FolderShelf:
    """A folder on the disk, as it is: with its links and its empty folders."""

    lanes = 1

    def __init__(self, root: Path) -> None:
        self._root = os.path.abspath(os.fsencode(root))
        self._tree = FolderTree(root)

    def walk(self, folder: str = "") -> Iterator[Thing]:
        waiting = [os.fsencode(folder)]
        while waiting:
            below = waiting.pop()
            if len(below) > _DEEPEST:
                yield Thing(_text(below[:-1]), What.DEEP, 0)
                continue
            where = self._root + b"/" + below
            some = False
            try:
                with os.scandir(where) as listing:
                    for item in listing:
                        some = True
                        if item.is_dir(follow_symlinks=False):
                            waiting.append(below + item.name + b"/")
                        else:
                            yield _thing(below + item.name, item.stat(follow_symlinks=False))
            except OSError as problem:
                if problem.errno in (errno.ENOENT, errno.ENOTDIR):
                    continue
                raise unreadable(where, problem) from problem
            if not some:
                yield Thing(_text(below[:-1]), What.FOLDER, 0)

    def open(self, path: str) -> BinaryIO:
        return self._tree.open(PackagePath(os.fsencode(path)))


def _thing(path: bytes, known: os.stat_result) -> Thing:
    text = _text(path)
    if stat.S_ISREG(known.st_mode):
        twin = (known.st_dev, known.st_ino) if known.st_nlink > 1 else None
        return Thing(text, What.FILE, known.st_size, twin)
    return Thing(text, What.LINK if stat.S_ISLNK(known.st_mode) else What.SPECIAL, 0)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


class StoreShelf:
    """The keys of a store below a prefix ("" or ending in `/`). Stores have no empty folders."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    @property
    def lanes(self) -> int:
        return self._store.lanes

    def walk(self, folder: str = "") -> Iterator[Thing]:
        start = len(self._prefix)
        for key, size in self._store.list(self._prefix + folder):
            yield Thing(key[start:], What.LINK if size < 0 else What.FILE, max(size, 0))

    def open(self, path: str) -> BinaryIO:
        return self._store.get(self._prefix + path)


class TreeShelf:
    """A package that was opened as a tree: a zip or tar of an object."""

    lanes = 1

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def walk(self, folder: str = "") -> Iterator[Thing]:
        start = folder.encode("utf-8", "surrogateescape")
        for entry in self._tree.entries():
            if entry.path.startswith(start):
                yield Thing(_text(entry.path), What.FOLDER if entry.is_folder else What.FILE, entry.size)

    def open(self, path: str) -> BinaryIO:
        return self._tree.open(PackagePath(path.encode("utf-8", "surrogateescape")))
