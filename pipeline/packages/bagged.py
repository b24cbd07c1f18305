"""Bags whose payload is a package: an E-ARK one (`data/METS.xml`), or a transfer in Archivematica's layout; and bags
with an E-ARK package in one folder of `data/`, which is judged too and kept as it is."""

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


class PlainBag(Bagit):
    """Any other bag. Where `data/` holds nothing but the folder of an E-ARK package, that is judged too."""

    def algorithms(self, tree: Tree) -> frozenset[str]:
        found = _only_folder(tree)
        own = super().algorithms(tree)
        return own if found is None else own | Eark(found[1]).algorithms(_Payload(tree, found[0]))

    def check(self, tree: Tree, received: Received) -> Iterator[Finding]:
        yield from super().check(tree, received)
        found = _only_folder(tree)
        if found is None:
            return
        root, kind = found
        for finding in Eark(kind).check(_Payload(tree, root), _Known(received, root)):
            yield finding if finding.file is None else replace(finding, file=PackagePath(root + finding.file))


def _only_folder(tree: Tree) -> tuple[bytes, str] | None:
    """The one folder below `data/` (with its slash) that is an E-ARK package, and of which kind."""
    root: bytes | None = None
    for entry in _below(tree.entries(), PAYLOAD):
        top, slash, _ = entry.path.partition(b"/")
        if not slash and not entry.is_folder:
            return None
        if root is None:
            root = PAYLOAD + top + b"/"
            if not has(tree, PackagePath(root + b"METS.xml")):
                return None
        elif root != PAYLOAD + top + b"/":
            return None
    inner = mets_kind(tree, root) if root is not None else None
    return (root, inner.kind) if root is not None and inner is not None and inner.kind.startswith("eark-") else None


class _Payload:
    """What is below `data/`, or a folder in it, as a package of its own.

    A root folder that is called `data` in every bag says nothing: then the name is the one that METS gives (CSIPSTR2).
    """

    def __init__(self, tree: Tree, root: bytes = PAYLOAD) -> None:
        self._tree = tree
        self._root = root
        self.carrier = tree.carrier

    @property
    def name(self) -> bytes:
        if self._root != PAYLOAD:
            return self._root.split(b"/")[-2]
        try:
            with closing(self.open(PackagePath(b"METS.xml"))) as source:
                head = next(iter(mets.read(source)), None)
        except (KeyError, Unreadable, ContentDamage):
            return self._tree.name
        said = head.objid if isinstance(head, mets.Head) else None
        return said.encode("utf-8", "surrogateescape") if said else self._tree.name

    def entries(self) -> Iterator[Entry]:
        return _below(self._tree.entries(), self._root)

    def open(self, path: PackagePath) -> BinaryIO:
        return self._tree.open(PackagePath(self._root + path))

    def local(self, path: PackagePath, scratch: Path) -> AbstractContextManager[Path]:
        return self._tree.local(PackagePath(self._root + path), scratch)

    def close(self) -> None:
        """The bag is closed by who opened it."""


class _Known:
    """What is known of the files below `data/`, or a folder in it."""

    def __init__(self, received: Received, root: bytes = PAYLOAD) -> None:
        self._received = received
        self._root = root

    def entries(self) -> Iterator[Entry]:
        return _below(self._received.entries(), self._root)

    def entry(self, path: PackagePath) -> Entry | None:
        found = self._received.entry(PackagePath(self._root + path))
        return None if found is None else replace(found, path=path)

    def digest(self, path: PackagePath, algorithm: str) -> str | None:
        return self._received.digest(PackagePath(self._root + path), algorithm)


def _below(entries: Iterator[Entry], root: bytes) -> Iterator[Entry]:
    for entry in entries:
        if entry.path.startswith(root):
            yield replace(entry, path=PackagePath(entry.path.removeprefix(root)))
