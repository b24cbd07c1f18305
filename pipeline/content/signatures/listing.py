"""The signatures of files outside any package, as the command `verify-signature` tells them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.content.characterisation.tables import family_of
from pipeline.content.identification import extension_of
from pipeline.content.listing import stat_of
from pipeline.content.reading import Damaged, Learnt, Unreadable, read_all
from pipeline.content.signatures import FAMILIES, Subject, Trusted, findings, form_of, outcome, subject, verify_all
from pipeline.errors import Problem, SystemProblem
from pipeline.findings import as_json, problem_json
from pipeline.names import shown
from pipeline.records import Characteristics, Outcome, PackagePath
from pipeline.signatures import Signature
from pipeline.tree import Entry, FolderTree

_AT_ONCE = 500


def verify_paths(
    paths: Iterable[Path], trusted: Trusted, moment: datetime, *, workers: int, scratch: Path
) -> Iterator[dict[str, Any]]:
    """One item of `verify-signature/1` a file: files as given, files of folders in raw-byte order, in input order.

    An archive is one file. A detached signature finds what it signs beside it. UsageProblem, before anything is read,
    when a path does not exist or is a special file.
    """
    given = [(path, stat_of(path)) for path in paths]
    for path, known in given:
        if stat.S_ISDIR(known.st_mode):
            base, prefix = os.fsencode(path), os.fsencode(path).rstrip(b"/") + b"/"
            tree = FolderTree(path)
            entries: Iterator[Entry] = (entry for entry in tree.entries() if not entry.is_folder)
        else:
            folder, _, name = os.path.realpath(os.fsencode(path)).rpartition(b"/")
            base, prefix = folder or b"/", b""
            tree = FolderTree(Path(os.fsdecode(base)))
            entries = iter([Entry(PackagePath(name), known.st_size)])
        while batch := list(islice(entries, _AT_ONCE)):
            told = {entry.path: prefix + entry.path if prefix else os.fsencode(path) for entry in batch}
            yield from _items(tree, base, batch, told, trusted, moment, workers, scratch)


def exit_of(item: dict[str, Any]) -> int:
    """3 where a file could not be read, 1 where a signature does not hold or was revoked, else 0."""
    if item["problem"] is not None:
        return 3
    return 1 if item["outcome"] == Outcome.FAIL else 0


def _items(
    tree: FolderTree, base: bytes, batch: list[Entry], told: dict[PackagePath, bytes], trusted: Trusted,
    moment: datetime, workers: int, scratch: Path,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    items: dict[PackagePath, dict[str, Any]] = {}
    subjects: list[Subject] = []

    def lookup(path: PackagePath) -> Entry | None:
        try:
            known = os.stat(base + b"/" + path, follow_symlinks=False)
        except (OSError, ValueError):
            return None
        return Entry(path, known.st_size) if stat.S_ISREG(known.st_mode) else None

    for one in read_all(tree, batch, (), identify=True, workers=workers, scratch=scratch):
        if isinstance(one, Unreadable):
            items[one.path] = _item(told[one.path], (), one.problem)
        elif isinstance(one, Damaged):
            raise AssertionError("a file of a folder has no carrier that could be damaged")
        elif isinstance(one, Learnt):
            items[one.path] = _item(told[one.path], ())
            family = family_of(one.format, extension_of(one.path))
            form = (family, 0) if family in FAMILIES else form_of(one.path, one.format, family, Characteristics())
            if form is not None and one.size:
                subjects.append(subject(Entry(one.path, one.size), *form, lookup))
    try:
        for each in verify_all(tree, subjects, trusted, moment, lookup, workers=workers, scratch=scratch):
            items[each.entry.path] = _item(told[each.entry.path], each.signatures)
    except SystemProblem as problem:
        for entry in batch:
            items[entry.path] = _item(told[entry.path], (), problem)
    for entry in batch:
        yield items[entry.path]


def _item(path: bytes, signatures: tuple[Signature, ...], problem: Problem | None = None) -> dict[str, Any]:
    return {
        "path": shown(path),
        "outcome": str(outcome(signatures)) if signatures else None,
        "signatures": [{key: str(value) for key, value in asdict(one).items()} for one in signatures],
        "findings": [as_json(replace(one, file=PackagePath(path))) for one in findings(PackagePath(path), signatures)],
        "problem": problem_json(problem) if problem is not None else None,
    }
