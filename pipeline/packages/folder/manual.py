"""`manualNormalization/`: copies that the depositor made, and which file each was made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from pipeline.names import inside
from pipeline.packages.folder.described import has, table_lines
from pipeline.packages.held import Held
from pipeline.records import PackagePath
from pipeline.tree import ContentDamage, Tree

FOLDERS = (b"manualNormalization/", b"objects/manualNormalization/")
"""Where the copies lie: beside the objects, or among them, as Archivematica takes both."""

PURPOSES = ("preservation", "access", "service")


def purpose(path: bytes) -> str | None:
    """What a copy is for (`preservation`, `access`, `service`); None for a path that is no copy."""
    for folder in FOLDERS:
        if path.startswith(folder):
            word, slash, _ = path[len(folder) :].partition(b"/")
            name = word.decode("utf-8", "replace")
            return name if slash and name in PURPOSES else None
    return None


def is_table(path: bytes) -> bool:
    """Whether a path is the table that tells which copy belongs to which file."""
    return any(path == folder + b"normalization.csv" for folder in FOLDERS)


def pairs(tree: Tree, held: Held) -> Iterator[tuple[PackagePath, PackagePath]]:
    """(copy, original) by normalization.csv, else by the same path and name without extension. Never raises on
    content; a row that names nothing is passed over, the table itself is kept."""
    met: set[bytes] = set()
    for copy, original in _by_table(tree, held):
        if copy not in met:
            met.add(copy)
            yield copy, original
    stems: dict[bytes, list[PackagePath]] | None = None
    for copy in held.paths:
        if purpose(copy) is None or copy in met:
            continue
        if stems is None:
            stems = {}
            for path in held.paths:
                if purpose(path) is None:
                    stems.setdefault(_stem(path), []).append(path)
        found = stems.get(_stem(_below(copy))) or stems.get(b"objects/" + _stem(_below(copy)))
        if found is not None and len(found) == 1:
            yield copy, found[0]


def _by_table(tree: Tree, held: Held) -> Iterator[tuple[PackagePath, PackagePath]]:
    for folder in FOLDERS:
        path = PackagePath(folder + b"normalization.csv")
        if not has(tree, path):
            continue
        try:
            with tree.open(path) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as source:
                for cells in csv.reader(table_lines(source)):
                    if len(cells) < 2 or cells[0].lstrip().startswith("#") or cells[0].strip().lower() == "original":
                        continue
                    original = _meant(cells[0], held, (b"", b"objects/"))
                    if original is None:
                        continue
                    for word, cell in zip(("access", "preservation"), cells[1:3], strict=False):
                        below = tuple(one + word.encode() + b"/" for one in FOLDERS)
                        copy = _meant(cell, held, (b"", b"objects/", *below))
                        if copy is not None and purpose(copy) is not None:
                            yield copy, original
        except (UnicodeDecodeError, csv.Error, ContentDamage):
            continue


def _meant(cell: str, held: Held, folders: tuple[bytes, ...]) -> PackagePath | None:
    raw = cell.strip().encode("utf-8", "surrogatepass").removeprefix(b"./")
    for folder in folders:
        path = folder + raw
        if raw and inside(path) and (index := held.find(path)) is not None:
            return held.paths[index]
    return None


def _below(copy: bytes) -> bytes:
    for folder in FOLDERS:
        if copy.startswith(folder):
            return copy[len(folder) :].partition(b"/")[2]
    return copy


def _stem(path: bytes) -> bytes:
    head, slash, name = path.rpartition(b"/")
    return head + slash + (name.rpartition(b".")[0] or name)
