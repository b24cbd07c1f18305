"""Validating what lies in OCFL: one object with the package in it, a storage root, or a whole store."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.findings import as_json, level_of
from pipeline.packages.recognition import mets_kind
from pipeline.records import Level
from pipeline.settings import Profile
from pipeline.storage.validation.objects import Checked, validate_object
from pipeline.storage.validation.roots import is_object, is_root, validate_root
from pipeline.storage.validation.shelves import FolderShelf, Shelf
from pipeline.storage.validation.trees import ObjectTree, newest
from pipeline.tree import unreadable

OCFL = "ocfl"


@dataclass(frozen=True, slots=True)
class Laid:
    """An OCFL object (`object` True) or storage root on the disk; `base` is where it begins on its shelf."""

    shelf: Shelf
    base: str
    object: bool


def laid(path: Path) -> Laid | None:
    """What lies in OCFL at a path: an object, a storage root, or a store of ours with one; None for anything else."""
    names = _names(path)
    if is_root(names):
        return Laid(FolderShelf(path), "", False)
    if is_object(names):
        return Laid(FolderShelf(path), "", True)
    if "store.json" in names and is_root(_names(path / OCFL)):
        return Laid(FolderShelf(path / OCFL), "", False)
    return None


def object_with_package(shelf: Shelf, base: str) -> tuple[Checked, ObjectTree | None]:
    """An object's own findings, and the package in its newest version where METS says that there is one."""
    checked = validate_object(shelf, base)
    tree = newest(shelf, base, checked.head) if checked.head else None
    return checked, tree if tree is not None and mets_kind(tree) is not None else None


def judge_root(where: Laid, asked: Profile | None, item: dict[str, Any]) -> int:
    """Every object of a storage root by OCFL; fills the item of `validate/1` and returns its exit code.

    The packages in the objects are judged one by one, each by the path of its object or its id.
    """
    checked = validate_root(where.shelf, where.base)
    item["kind"] = "ocfl-root"
    return _filled(item, checked.findings, checked.files, checked.bytes, asked)


def judge_object(checked: Checked, asked: Profile | None, item: dict[str, Any]) -> int:
    """The same for an object that holds no package that we know."""
    item["kind"] = f"{OCFL}/{checked.specification}" if checked.specification else OCFL
    return _filled(item, checked.findings, checked.files, checked.bytes, asked)


def _filled(item: dict[str, Any], findings: Any, files: int, size: int, asked: Profile | None) -> int:
    from pipeline.findings import sort_key

    item["files"], item["bytes"] = files, size
    item["findings"] = [as_json(finding, asked) for finding in sorted(findings, key=sort_key)]
    bad = any(level_of(finding, asked) is Level.ERROR for finding in findings)
    item["verdict"] = "invalid" if bad else "valid"
    return 1 if bad else 0


def _names(folder: Path) -> set[str]:
    """Names of the files directly in a folder; none when it is no folder."""
    try:
        with contextlib.closing(os.scandir(folder)) as listing:
            return {item.name for item in listing if item.is_file(follow_symlinks=False)}
    except OSError as problem:
        if problem.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
            return set()
        raise unreadable(os.fsencode(folder), problem) from problem
    except ValueError:
        return set()
