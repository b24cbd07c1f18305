"""Formats of files outside any package, as the command `identify` tells them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.content.identification import candidates
from pipeline.content.reading import Learnt, Unreadable, read_all
from pipeline.errors import UsageProblem
from pipeline.names import shown
from pipeline.records import Format, PackagePath
from pipeline.tree import Entry, FolderTree, unreadable

_AT_ONCE = 500


def identify_paths(paths: Iterable[Path], *, workers: int, scratch: Path) -> Iterator[dict[str, Any] | Unreadable]:
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
                one.path: one for one in read_all(tree, batch, (), identify=True, workers=workers, scratch=scratch)
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
        "engines": {found.engine: _engine(found)},
        "agreement": "single" if found.puid else "none",
    }


def _engine(found: Format) -> dict[str, Any]:
    return {
        "puids": [found.puid] if found.puid else [],
        "match_type": found.match,
        "basis": found.basis,
        "warning": found.warning,
        "candidates": [] if found.puid else candidates(found.warning),
        "engine_version": found.engine_version,
        "signature_version": found.signature_version,
        "clipped": found.clipped,
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
