"""What files outside any package are and whether they are whole, as the command `characterise` tells them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.content.characterisation import Examined, Subjected, examine_all, utf8_of
from pipeline.content.listing import stat_of
from pipeline.content.reading import Damaged, Learnt, Unreadable, read_all
from pipeline.errors import Problem, SystemProblem
from pipeline.findings import as_json, problem_json
from pipeline.names import shown
from pipeline.records import PackagePath, Validity
from pipeline.tree import Entry, FolderTree

_AT_ONCE = 500


def characterise_paths(
    paths: Iterable[Path], *, workers: int, scratch: Path, sandbox: str = "full", second: bool = False
) -> Iterator[dict[str, Any]]:
    """One document of `characterise/1` a file: files as given, files of folders in raw-byte order, all in input order.

    An archive is one file. Links and special files inside a folder are passed over. UsageProblem, before anything is
    read, when a path does not exist or is a special file; a file that the system does not let us read is a document
    with `problem`. `second`: JHOVE judges too.
    """
    given = [(path, stat_of(path)) for path in paths]
    for path, known in given:
        if stat.S_ISDIR(known.st_mode):
            tree, prefix = FolderTree(path), os.fsencode(path).rstrip(b"/") + b"/"
            entries: Iterator[Entry] = (entry for entry in tree.entries() if not entry.is_folder)
        else:
            folder, _, name = os.path.realpath(os.fsencode(path)).rpartition(b"/")
            tree, prefix = FolderTree(Path(os.fsdecode(folder or b"/"))), b""
            entries = iter([Entry(PackagePath(name), known.st_size)])
        while batch := list(islice(entries, _AT_ONCE)):
            told = {entry.path: prefix + entry.path if prefix else os.fsencode(path) for entry in batch}
            yield from _lines(tree, batch, told, workers, scratch, sandbox, second)


def exit_of(document: dict[str, Any]) -> int:
    """3 where a file could not be read, 1 where it is not what its format promises, else 0."""
    if document["problem"] is not None:
        return 3
    return 1 if document["validity"] == Validity.INVALID else 0


def _lines(
    tree: FolderTree, batch: list[Entry], told: dict[PackagePath, bytes], workers: int, scratch: Path, sandbox: str,
    second: bool,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    learnt: dict[PackagePath, Learnt] = {}
    documents: dict[PackagePath, dict[str, Any]] = {}
    for one in read_all(tree, batch, (), identify=True, workers=workers, scratch=scratch, examine=lambda path: True):
        if isinstance(one, Learnt):
            learnt[one.path] = one
        elif isinstance(one, Unreadable):
            documents[one.path] = _unread(told[one.path], one.problem)
        elif isinstance(one, Damaged):
            raise AssertionError("a file of a folder has no carrier that could be damaged")
    subjects = []
    for one in learnt.values():
        eight_bit = any(finding.code == "FMT-TEXT-8BIT" for finding in one.findings)
        subjects.append(Subjected(Entry(one.path, one.size), one.format, utf8_of(one.format, eight_bit), one.looked))
    try:
        for each in examine_all(tree, subjects, workers=workers, scratch=scratch, sandbox=sandbox, second=second):
            documents[each.entry.path] = _line(told[each.entry.path], learnt[each.entry.path], each)
    except SystemProblem as problem:
        for entry in batch:
            documents.setdefault(entry.path, _unread(told[entry.path], problem))
    for entry in batch:
        yield documents[entry.path]


def _line(path: bytes, read: Learnt, one: Examined) -> dict[str, Any]:
    characteristics = one.characteristics
    return {
        "path": shown(path),
        "bytes": read.size,
        "sha256": read.digests["sha256"],
        "puid": read.format.puid if read.format is not None else None,
        "family": one.family or None,
        "validity": str(one.validity),
        "checked": one.checked,
        "properties": dict(characteristics.properties),
        "creating": [asdict(made) for made in characteristics.creating],
        "inhibitors": [{"type": kind, "target": target} for kind, target in characteristics.inhibitors],
        "findings": [as_json(replace(finding, file=PackagePath(path))) for finding in one.findings],
        "problem": None,
    }


def _unread(path: bytes, problem: Problem) -> dict[str, Any]:
    return {
        "path": shown(path), "bytes": 0, "sha256": None, "puid": None, "family": None,
        "validity": str(Validity.NOT_CHECKED), "checked": "", "properties": {}, "creating": [], "inhibitors": [],
        "findings": [], "problem": problem_json(problem),
    }  # fmt: skip
