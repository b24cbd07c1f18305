"""Formats of files outside any package, as the command `identify` tells them."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.content.identification import BOTH, candidates
from pipeline.content.reading import Damaged, Learnt, Unreadable, read_all
from pipeline.errors import Problem, SystemProblem, UsageProblem
from pipeline.findings import as_json, level_of, problem_json
from pipeline.names import shown
from pipeline.records import Agreement, Finding, Format, Level, Opinion, PackagePath
from pipeline.settings import Limits
from pipeline.tree import ContentDamage, Entry, FolderTree, Opened, Tree, open_tree, unreadable
from pipeline.tree.archive import ArchiveTree

DEEPEST = 4
"""Archives within archives are looked into down to this level."""

_AT_ONCE = 500
_ALSO = re.compile(r"also ((?:x-)?fmt/\d+)")
_ARCHIVES = {"x-fmt/263", "x-fmt/265", "x-fmt/266", "application/zip", "application/x-tar", "application/gzip"}
"""PUIDs and MIME types of what may be a package: zip, tar, gzip."""

_PASSED_OVER = {"PKG-LINK", "PKG-SPECIAL", "PKG-NOT-A-PACKAGE", "PKG-EMPTY"}
"""Links and special files, as in folders; an archive without files, or of something else, is a file like any other."""

_FLOOR = 64 << 20


@dataclass(frozen=True, slots=True)
class Given:
    """A tree that was opened by who knows how (a stored AIP); `told` stands before the names of its files."""

    told: bytes
    tree: Tree


@dataclass(slots=True)
class _How:
    """How files are read. `archives`: also into those that lie in folders and archives."""

    workers: int
    scratch: Path
    engines: str
    archives: bool


@dataclass(slots=True)
class _Budget:
    """What all levels of one archive may come to altogether, in bytes."""

    left: int
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, size: int) -> _Budget:
        limits = Limits()
        return cls(min(limits.bytes, max(_FLOOR, limits.ratio * size)), limits)


def identify_paths(
    paths: Iterable[Path | Given],
    *,
    workers: int,
    scratch: Path,
    engines: str = BOTH,
    archives: bool = False,
) -> Iterator[dict[str, Any]]:
    """One document of `identify/1` a file: files as given, files of folders in raw-byte order, all in input order.

    An archive (zip, tar, tar.gz) that is given has its members told after itself, as `ARCHIVE/member`; one inside a
    folder or an archive is a single file unless `archives` asks for its members too, down to DEEPEST levels. A file
    that cannot be read has a document with its `problem`, a member or archive that is damaged, encrypted or a bomb one
    with its `findings`; the rest is told all the same. Links and special files inside a folder are passed over.
    UsageProblem, before anything is read, when a path does not exist or is a special file. Memory stays flat.
    """
    given = [(path, None if isinstance(path, Given) else stat_of(path)) for path in paths]
    how = _How(workers, scratch, engines, archives)
    for path, known in given:
        if isinstance(path, Given):
            yield from _files(path.tree, path.told, path.tree.entries(), how, None, 0)
        elif known is not None and stat.S_ISDIR(known.st_mode):
            yield from _folder(path, how)
        elif known is not None:
            folder, _, name = os.path.realpath(os.path.abspath(os.fsencode(path))).rpartition(b"/")
            tree = FolderTree(Path(os.fsdecode(folder or b"/")))
            entry = Entry(PackagePath(name), known.st_size)
            one = next(iter(_read(tree, [entry], how)))
            yield from _told(tree, one, os.fsencode(path), how, _Budget.of(known.st_size), 0, True)


def line(path: bytes, one: Learnt) -> dict[str, Any]:
    """`identify/1` of one file, keys in the order of the contract."""
    found = one.format
    assert found is not None
    return {
        "path": shown(path),
        "bytes": one.size,
        "sha256": one.digests["sha256"],
        "puid": found.puid,
        "name": found.name,
        "version": found.version,
        "mime": found.mime,
        "basis": found.basis,
        "engines": _engines(found),
        "agreement": found.agreement or str(Agreement.SINGLE if found.puid else Agreement.NONE),
        "findings": [as_json(finding) for finding in one.findings],
        "problem": None,
    }


def exit_of(one: dict[str, Any]) -> int:
    """Exit code that a document of `identify/1` is worth: 3 not read, 1 damaged or not to be opened, else 0."""
    if one["problem"]:
        return 3
    return 1 if any(finding["level"] == Level.ERROR for finding in one["findings"]) else 0


def _folder(path: Path, how: _How) -> Iterator[dict[str, Any]]:
    told = os.fsencode(path)
    failed: list[tuple[PackagePath, SystemProblem]] = []
    entries = FolderTree(path).walk(None, unread=lambda folder, problem: failed.append((folder, problem)))
    try:
        yield from _files(FolderTree(path), told, entries, how, None, 0)
    except SystemProblem as fault:  # the folder itself
        failed.append((PackagePath(b""), fault))
    for folder, problem in failed:
        yield _failed(_below(told, folder), None, problem)


def _files(
    tree: Tree, told: bytes, entries: Iterator[Entry], how: _How, budget: _Budget | None, depth: int
) -> Iterator[dict[str, Any]]:
    """Documents of the files of a tree, in its order. `budget` is that of the archive that it is, None elsewhere."""
    files = (entry for entry in entries if not entry.is_folder)
    while batch := list(islice(files, _AT_ONCE)):
        for one in _read(tree, batch, how):
            own = budget or _Budget.of(one.size if isinstance(one, Learnt) else 0)
            yield from _told(tree, one, _below(told, one.path), how, own, depth, how.archives)


def _read(tree: Tree, batch: list[Entry], how: _How) -> Iterator[Learnt | Unreadable | Damaged]:
    results = read_all(tree, batch, (), identify=True, workers=how.workers, scratch=how.scratch, engines=how.engines)
    found = {one.path: one for one in results}
    return (found[entry.path] for entry in batch)


def _told(
    tree: Tree, one: Learnt | Unreadable | Damaged, told: bytes, how: _How, budget: _Budget, depth: int, inside: bool
) -> Iterator[dict[str, Any]]:
    """The document of a file, then, with `inside`, those of its members where it is an archive."""
    if isinstance(one, Unreadable):
        yield _failed(told, None, one.problem)
    elif isinstance(one, Damaged):
        yield _failed(told, one.finding, None)
    elif inside and depth < DEEPEST and one.format and {one.format.puid, one.format.mime} & _ARCHIVES:
        yield from _opened(tree, one, told, how, budget, depth)
    else:
        yield line(told, one)


def _opened(tree: Tree, one: Learnt, told: bytes, how: _How, budget: _Budget, depth: int) -> Iterator[dict[str, Any]]:
    document = line(told, one)
    with contextlib.ExitStack() as held:
        opened = Opened(None, ())
        found: list[Finding] = []
        try:
            file = held.enter_context(tree.local(one.path, how.scratch))
            opened = open_tree(file, budget.limits, how.scratch, digest=False, partly=True)
            found = [finding for finding in opened.findings if level_of(finding) is Level.ERROR]
        except ContentDamage as damage:
            found = [damage.finding]
        except Problem as fault:
            document["problem"] = problem_json(fault)
        inside = opened.tree
        if inside is not None:
            held.callback(inside.close)
            size = sum(entry.size for entry in inside.entries())
            budget.left -= size
            if budget.left < 0:
                found.append(Finding("PKG-BYTES", expected=str(budget.left + size), found=str(size)))
        document["findings"] += [as_json(finding) for finding in found if finding.code not in _PASSED_OVER]
        yield document
        if inside is not None and budget.left >= 0:
            root = inside.name if isinstance(inside, ArchiveTree) and inside.rooted else b""
            refused = {finding.file for finding in found}
            entries = (entry for entry in inside.entries() if _below(root, entry.path) not in refused)
            yield from _files(inside, _below(told, root), entries, how, budget, depth + 1)


def _failed(told: bytes, finding: Finding | None, problem: SystemProblem | None) -> dict[str, Any]:
    """The document of what could not be read: no digest, no format, and why."""
    return {
        "path": shown(told), "bytes": 0, "sha256": None, "puid": None, "name": "", "version": "",
        "mime": "application/octet-stream", "basis": "", "engines": {}, "agreement": str(Agreement.NONE),
        "findings": [as_json(finding)] if finding else [], "problem": problem_json(problem) if problem else None,
    }  # fmt: skip


def _below(folder: bytes, path: bytes) -> bytes:
    """The path below a folder; either may be empty."""
    return folder.rstrip(b"/") + b"/" + path if folder and path else folder or path


def _engines(found: Format) -> dict[str, Any]:
    told = {found.engine: _engine(found)}
    if found.second is not None:
        told[found.second.engine] = _engine(found.second)
    return dict(sorted(told.items(), reverse=True))


def _engine(one: Format | Opinion) -> dict[str, Any]:
    also = [found[1] for found in _ALSO.finditer(one.warning)]
    return {
        "puids": [one.puid, *also] if one.puid else [],
        "match_type": one.match,
        "basis": one.basis,
        "warning": one.warning.partition("engines differ: ")[0].removesuffix("; "),
        "candidates": [] if one.puid else candidates(one.warning),
        "engine_version": one.engine_version,
        "signature_version": one.signature_version,
        "clipped": one.clipped,
    }


def stat_of(path: Path) -> os.stat_result:
    """What a path of the command line is; UsageProblem unless it is a file or folder, SystemProblem when unreadable."""
    raw = os.fsencode(path)
    try:
        found = os.stat(raw)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise UsageProblem("USE-PATH", path=shown(raw)) from None
    except OSError as problem:
        raise unreadable(raw, problem) from problem
    if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
        raise UsageProblem("USE-PATH", path=shown(raw))
    return found
