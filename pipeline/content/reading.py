"""Everything that is learnt from the bytes of a package, in one reading of each file."""

from __future__ import annotations

import io
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.content.identification import BOTH, extension_of, inforce
from pipeline.errors import SystemProblem
from pipeline.names import shown
from pipeline.pool import Failure, FailureKind, Pool, Task, shared
from pipeline.records import Finding, Format, PackagePath
from pipeline.tree import ContentDamage, Entry, Tree

WORKERS = ("pipeline.content.learning",)
"""Modules that workers of content hold ready."""

EXAMINERS = (*WORKERS, "pipeline.content.characterisation.worker")
"""Modules of workers that examine files in the same reading."""

_SMALL = 256 << 10
"""Up to this size a member of an archive is handed to a worker in memory, above it in an unnamed file."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one reading told. `digests` in lower-case hex by the names asked for; `size` in bytes as read.

    `format` is None when identification was not asked for. `changed`: the file is not what was announced, or changed
    while it was read; its digests are worth nothing. `findings` tell where identification had to be stopped. `looked`
    (JSON) is for `characterisation.examine_all`: what an examination in the same reading answered or died of.
    """

    path: PackagePath
    size: int
    digests: dict[str, str]
    format: Format | None
    changed: bool
    findings: tuple[Finding, ...] = ()
    looked: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be read: no verdict on the package. `problem` is ready to be raised."""

    path: PackagePath
    problem: SystemProblem


@dataclass(frozen=True, slots=True)
class Damaged:
    """A member whose bytes are damaged inside its archive: a fault of the content."""

    path: PackagePath
    finding: Finding


@dataclass(frozen=True, slots=True)
class _Key:
    """One file under way. `unlooked` and `stopped` say what its examination, or its identification too, died of."""

    entry: Entry
    stopped: Failure | None = None
    unlooked: Failure | None = None


def get_ready(workers: int) -> None:
    """Starts the first worker of an ingest's `read_all` in the background: its signatures take half a second."""
    shared(EXAMINERS, workers).start()


def read_all(
    tree: Tree,
    entries: Iterable[Entry],
    algorithms: Iterable[str],
    *,
    identify: bool,
    workers: int,
    scratch: Path,
    pool: Pool | None = None,
    engines: str = BOTH,
    examine: Callable[[PackagePath], bool] | None = None,
) -> Iterator[Learnt | Unreadable | Damaged]:
    """Reads each file once: SHA-256, the other algorithms (names of `digests.begin`), format. Results as they come.

    `entries` may be endless for all it matters: a few dozen are under way at a time. Empty folders are passed over.
    `workers` 0 = as many as cores. `scratch` takes members of archives and copies that engines need; it is left as
    it was. `engines` = siegfried, fido or both, over the signatures that this thread is pinned to (`inforce.use`).
    Files for which `examine` says so are examined in the same reading. A file whose examination hangs, crashes or eats
    memory is read again without it, and then without identification.
    """
    names = list(dict.fromkeys(["sha256", *algorithms]))
    again: deque[_Key] = deque()
    waiting = (_Key(entry) for entry in entries if not entry.is_folder)

    def looks(key: _Key) -> bool:
        return identify and examine is not None and not key.stopped and not key.unlooked and examine(key.entry.path)

    def tasks() -> Iterator[Task]:
        while True:
            key = again.popleft() if again else next(waiting, None)
            if key is None:
                return
            entry = key.entry
            chosen = engines if identify and key.stopped is None else ""
            args = (extension_of(entry.path), entry.size, names, chosen, looks(key))
            yield Task(key, opener(tree, entry, scratch), args, entry.size)

    used = pool or shared((*inforce.pinned(), *(EXAMINERS if examine is not None else WORKERS)), workers)
    first = True
    while first or again:
        first = False
        for result in used.map("pipeline.content.learning:learn", tasks(), scratch):
            key: _Key = result.key
            value = result.value
            if isinstance(value, Failure) and value.kind is not FailureKind.OPEN and not key.stopped and identify:
                again.append(_Key(key.entry, unlooked=value) if looks(key) else replace(key, stopped=value))
                continue
            yield _told(key, value)


def _told(key: _Key, value: Any) -> Learnt | Unreadable | Damaged:
    path = key.entry.path
    if isinstance(value, Failure):
        if isinstance(value.cause, ContentDamage):
            return Damaged(path, value.cause.finding)
        if isinstance(value.cause, SystemProblem):
            return Unreadable(path, value.cause)
        cause: object = value.cause if value.cause else f"{value.kind}: {value.text}"
        if isinstance(value.cause, KeyError):
            cause = "not there any more"
        return Unreadable(path, SystemProblem("SYS-READ", file=shown(path), cause=cause))
    if "unreadable" in value:
        return Unreadable(path, SystemProblem("SYS-READ", file=shown(path), cause=value["unreadable"]))
    findings: tuple[Finding, ...] = ()
    format_ = Format.read(value["format"]) if value["format"] else None
    if key.stopped is not None:
        text = f"{key.stopped.kind}: {key.stopped.text}"
        findings = (Finding("FMT-STOPPED", path, found=text),)
        words = f"identification stopped, {text}"
        format_ = Format(None, "", "", "application/octet-stream", "none", "", words, "siegfried", "", "")
    if format_ is not None and format_.match == "text" and not value["utf8"] and "UTF-16" not in format_.basis:
        findings = (*findings, Finding("FMT-TEXT-8BIT", path, found=format_.basis.rpartition("text match ")[2]))
    looked = value["looked"]
    if key.unlooked is not None and format_ is not None and key.stopped is None:
        looked = {"stopped": [key.unlooked.kind, key.unlooked.text]}
    return Learnt(path, value["size"], value["digests"], format_, value["changed"], findings, looked)


def opener(tree: Tree, entry: Entry, scratch: Path) -> Callable[[], tuple[int, ...]]:
    """Opens a file for a task of the pool, in `scratch` if it has to be unpacked."""
    return lambda: (descriptor(tree, entry, scratch),)


def descriptor(tree: Tree, entry: Entry, scratch: Path) -> int:
    """A descriptor for a worker: the file itself, or an unnamed copy of what an archive holds."""
    with tree.open(entry.path) as source:
        raw = getattr(source, "raw", source)
        if isinstance(raw, io.FileIO):
            return os.dup(raw.fileno())
        if entry.size <= _SMALL:
            handle = os.memfd_create("member")
        else:
            with tempfile.TemporaryFile(dir=scratch) as spool:
                handle = os.dup(spool.fileno())
        try:
            while data := source.read(1 << 20):
                view = memoryview(data)
                while view:
                    view = view[os.write(handle, view) :]
            os.fchmod(handle, 0o444)  # it has no name; a worker that dropped its rights opens it anew
        except BaseException:
            os.close(handle)
            raise
        return handle
