"""A stored AIP seen as the package that was handed in: its files under the names that they had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from pipeline.packages.eark.rows import EarkRows
from pipeline.packages.tt05.types import package_folder
from pipeline.records import PackagePath
from pipeline.standards.xml import Unreadable
from pipeline.tree import ContentDamage, Entry, Tree


def as_received(tree: Tree) -> Tree:
    """The package inside a stored AIP of ours; the tree itself where it is a package of the circular as it lies there,
    where its METS and PREMIS cannot be read, or where nothing in it has marks of the circular."""
    if package_folder(tree) == b"":
        return tree
    try:
        held = {
            row.original_name: row.path
            for row in EarkRows(tree).files()
            if row.original_name is not None and row.derived_from is None
        }
    except (Unreadable, ContentDamage):
        return tree
    found = Received(tree, held)
    return found if package_folder(found) is not None else tree


class Received:
    """Implements pipeline.tree.Tree; empty folders were not kept with their names."""

    def __init__(self, tree: Tree, held: dict[PackagePath, PackagePath]) -> None:
        self._tree = tree
        self._held = held

    @property
    def carrier(self) -> str:
        return self._tree.carrier

    @property
    def name(self) -> bytes:
        return self._tree.name

    def entries(self) -> Iterator[Entry]:
        sizes = {entry.path: entry for entry in self._tree.entries() if not entry.is_folder}
        for original in sorted(self._held):
            entry = sizes.get(self._held[original])
            if entry is not None:
                yield Entry(original, entry.size, entry.mtime_ns)

    def open(self, path: PackagePath) -> BinaryIO:
        return self._tree.open(self._held[path])

    def local(self, path: PackagePath, scratch: Path) -> AbstractContextManager[Path]:
        return self._tree.local(self._held[path], scratch)

    def close(self) -> None:
        """The AIP is closed by who opened it."""
