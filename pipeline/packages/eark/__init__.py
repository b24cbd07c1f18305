"""The kinds `eark-sip`, `eark-aip` and `eark-dip`: packages by E-ARK CSIP 2.0 to 2.2 and what each adds to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.packages import Generated, Received, Recognition
from pipeline.packages.eark import submission
from pipeline.packages.eark.check import algorithms, check
from pipeline.packages.eark.compose import compose
from pipeline.packages.eark.recognition import recognise
from pipeline.packages.eark.rows import EarkRows, read_rows
from pipeline.records import Finding, PackagePath, Placement, Reading, Rows
from pipeline.tree import Tree


class Eark:
    """An E-ARK package of one type; `name` is `eark-sip`, `eark-aip` or `eark-dip`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def recognise(self, tree: Tree) -> Recognition | None:
        return recognise(tree, self.name)

    def algorithms(self, tree: Tree) -> frozenset[str]:
        return algorithms(tree)

    def check(self, tree: Tree, received: Received) -> Iterable[Finding]:
        """Every finding has the standard's own id where it has one."""
        return check(tree, received, self.name)

    def read(self, tree: Tree, received: Received) -> Reading:
        return submission.read(tree, received)

    def place(self, path: PackagePath) -> Placement:
        return submission.place(path)


class EarkAip(Eark):
    """E-ARK AIP 2.2.0 on CSIP 2.2.0 with PREMIS 3 and Dublin Core: the kind that is also made."""

    def __init__(self) -> None:
        super().__init__("eark-aip")

    def compose(self, rows: Rows, folder: Path) -> Iterator[Generated]:
        """Writes METS, PREMIS and descriptions below `folder`, root METS last. ValueError for rows that cannot
        become an AIP: a fault of ours."""
        return compose(rows, folder)


__all__ = ["Eark", "EarkAip", "EarkRows", "read_rows"]
