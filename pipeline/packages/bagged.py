"""Bags whose payload is a package: an E-ARK one (`data/METS.xml`), or a transfer in Archivematica's layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pipeline.packages import Kind, Received, Recognition
from pipeline.packages.bagit import Bagit
from pipeline.packages.bagit.manifests import PAYLOAD
from pipeline.packages.eark import Eark
from pipeline.packages.folder import Folder
from pipeline.packages.folder.described import has
from pipeline.packages.recognition import mets_kind
from pipeline.records import Finding, PackagePath, Placement, Reading, Use
from pipeline.settings import Profile
from pipeline.standards import mets
from pipeline.standards.xml import Unreadable
from pipeline.tree import ContentDamage, Entry, Tree

_MARKS = (
    b"metadata/metadata.csv",
    b"metadata/metadata.json",
    b"metadata/rights.csv",
    b"metadata/checksum.md5",
    b"metadata/checksum.sha1",
    b"metadata/checksum.sha256",
    b"metadata/checksum.sha512",
    b"manualNormalization/normalization.csv",
    b"objects/manualNormalization/normalization.csv",
)
_DOCUMENTATION = b"documentation/bag/"
"""Where tag files go; what the inner package brings never lies there."""


def kind_of(tree: Tree, bag: Recognition) -> Recognition | None:
    """The kind of a bag that holds an E-ARK package or a transfer; None for every other bag."""
    inner = mets_kind(tree, PAYLOAD)
    if inner is not None and inner.kind.startswith("eark-"):
        return Recognition(f"bagit+{inner.kind}", bag.version, f"{bag.reason}; in data/ {inner.reason}")
    if inner is None and (mark := _mark(tree)) is not None:
        return Recognition("bagit+folder", bag.version, f"{bag.reason}; data/ holds a transfer with {mark}")
    return None


def _mark(tree: Tree) -> str | None:
    """The file by which a payload is told to be a transfer with metadata about itself."""
    for mark in _MARKS:
        if has(tree, PackagePath(PAYLOAD + mark)):
            return mark.decode()
    return None


class Bagged:
    """A bag and the package in it: both are checked, the inner one is read."""

    def __init__(self, inner: str) -> None:
        self.name = f"bagit+{inner}"
        self._bag = Bagit()
        self._inner: Kind = Folder() if inner == "folder" else Eark(inner)

    def recognise(self, tree: Tree) -> Recognition | None:
        bag = self._bag.recognise(tree)
        found = kind_of(tree, bag) if bag is not None else None
        return found if found is not None and found.kind == self.name else None

    def algorithms(self, tree: Tree) -> frozenset[str]:
        return self._bag.algorithms(tree) | self._inner.algorithms(_Payload(tree))

    def profile_findings(self, tree: Tree, profile: Profile) -> list[Finding]:
        """What a profile asks of bags."""
        return self._bag.profile_findings(tree, profile)

    def check(self, tree: Tree, received: Received) -> Iterator[Finding]:
        """Findings of the bag, then of the package with its paths in the bag."""
        for finding in self._bag.check(tree, received):
            if finding.code != "BAG-INNER":
                yield finding
        for finding in self._inner.check(_Payload(tree), _Known(received)):
            yield finding if finding.file is None else replace(finding, file=PackagePath(PAYLOAD + finding.file))

    def read(self, tree: Tree, received: Received) -> Reading:
        """The inner package; of the bag its organisations. All tag files are kept."""
        found = self._inner.read(_Payload(tree), _Known(received))
        known = {agent.key for agent in found.agents}
        more = (agent for agent in self._bag.read(tree, received).agents if agent.key not in known)
        return replace(found, agents=(*found.agents, *more))

    def place(self, path: PackagePath) -> Placement:
        """Payload as the inner package places it, tag files become documentation."""
        if path.startswith(PAYLOAD):
            return replace(self._inner.place(PackagePath(path.removeprefix(PAYLOAD))), path=path)
        return Placement(path, Use.DOCUMENTATION, PackagePath(_DOCUMENTATION + path))


class _Payload:
    """What is below `data/` as a package of its own.

    Its root folder is called `data` in every bag, so the name is the one that its METS gives itself (CSIPSTR2).
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.carrier = tree.carrier

    @property
    def name(self) -> bytes:
        try:
            with closing(self.open(PackagePath(b"METS.xml"))) as source:
                head = next(iter(mets.read(source)), None)
        except (KeyError, Unreadable, ContentDamage):
            return self._tree.name
        said = head.objid if isinstance(head, mets.Head) else None
        return said.encode("utf-8", "surrogateescape") if said else self._tree.name

    def entries(self) -> Iterator[Entry]:
        return _below(self._tree.entries())

    def open(self, path: PackagePath) -> BinaryIO:
        return self._tree.open(PackagePath(PAYLOAD + path))

    def local(self, path: PackagePath, scratch: Path) -> AbstractContextManager[Path]:
        return self._tree.local(PackagePath(PAYLOAD + path), scratch)

    def close(self) -> None:
        """The bag is closed by who opened it."""


class _Known:
    """What is known of the files below `data/`."""

    def __init__(self, received: Received) -> None:
        self._received = received

    def entries(self) -> Iterator[Entry]:
        return _below(self._received.entries())

    def entry(self, path: PackagePath) -> Entry | None:
        found = self._received.entry(PackagePath(PAYLOAD + path))
        return None if found is None else replace(found, path=path)

    def digest(self, path: PackagePath, algorithm: str) -> str | None:
        return self._received.digest(PackagePath(PAYLOAD + path), algorithm)


def _below(entries: Iterator[Entry]) -> Iterator[Entry]:
    for entry in entries:
        if entry.path.startswith(PAYLOAD):
            yield replace(entry, path=PackagePath(entry.path.removeprefix(PAYLOAD)))
