"""Formats of files outside any package, as the command `identify` tells them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.content.identification import BOTH, candidates
from pipeline.content.reading import Learnt, Unreadable, read_all
from pipeline.errors import UsageProblem
from pipeline.names import shown
from pipeline.records import Agreement, Format, Opinion, PackagePath
from pipeline.tree import Entry, FolderTree, unreadable

_AT_ONCE = 500
_ALSO = re.compile(r"also ((?:x-)?fmt/\d+)")


def identify_paths(
    paths: Iterable[Path], *, workers: int, scratch: Path, engines: str = BOTH
) -> Iterator[dict[str, Any] | Unreadable]:
    """One document of `identify/1` a file: files as given, files of folders in raw-byte order, all in input order.

    An archive is one file. Links and special files inside a folder are passed over. UsageProblem, before anything is
    read, when a path does not exist or is a special file; Unreadable (with the path as shown) for one that the
    system does not let us read. Memory stays flat.
    """
    given = [(path, _stat(path)) for path in paths]
    for path, known in given:
        raw = os.fsencode(os.path.abspath(path))
        if stat.S_ISDIR(known.st_mode):
            tree, prefix = FolderTree(path), os.fsencode(path)
            entries: Iterator[Entry] = (entry for entry in tree.entries() if not entry.is_folder)
        else:
            folder, _, name = os.path.realpath(raw).rpartition(b"/")
            tree, prefix = FolderTree(Path(os.fsdecode(folder or b"/"))), None
            entries = iter([Entry(PackagePath(name), known.st_size)])
        while batch := list(islice(entries, _AT_ONCE)):
            found = {
                one.path: one
                for one in read_all(tree, batch, (), identify=True, workers=workers, scratch=scratch, engines=engines)
            }
            for entry in batch:
                told = os.fsencode(path) if prefix is None else prefix.rstrip(b"/") + b"/" + entry.path
                one = found[entry.path]
                if isinstance(one, Learnt):
                    yield line(told, one)
                elif isinstance(one, Unreadable):
                    yield Unreadable(PackagePath(told), one.problem)


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
    }


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


def _stat(path: Path) -> os.stat_result:
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
