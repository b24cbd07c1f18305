"""The kind `tt05` itself: recognise, stop, judge, and what of a package goes where in an AIP of ours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from pipeline.packages import Circumstances, Received, Recognition
from pipeline.packages.eark import submission
from pipeline.packages.tt05 import check as rules
from pipeline.packages.tt05.check_fixity import algorithms
from pipeline.packages.tt05.check_secret import stops
from pipeline.packages.tt05.container import Arrival, arrival, check_container, folder_name
from pipeline.packages.tt05.files import Files
from pipeline.packages.tt05.gathered import Findings, applies
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.settings import settings_of
from pipeline.packages.tt05.types import PackageType, package_folder, recognise, type_of
from pipeline.records import Description, DocumentVerdict, Finding, PackagePath, Placement, Reading
from pipeline.tree import Entry, Tree

UNASKED: Final = (
    ("TT05-EAD-12", "receiver"),
    ("TT05-ID-03", "archive_body"),
    ("TT05-ID-04", "fonds_state"),
    ("TT05-HOL-04", ""),
    ("TT05-SUB-02", ""),
    ("TT05-SUB-03", ""),
    ("TT05-SUB-04", ""),
    ("TT05-SUB-05", ""),
    ("TT05-SUB-06", ""),
    ("TT05-SUB-07", ""),
    ("TT05-SUB-09", ""),
)
"""Codes that need more than the package, and the setting that gives it; empty where a list or register is needed."""


class Tt05:
    """Packages of Circular 05/2025/TT-BNV of all five types."""

    name = "tt05"

    def recognise(self, tree: Tree) -> Recognition | None:
        return recognise(tree)

    def algorithms(self, tree: Tree) -> frozenset[str]:
        """SHA-256, and what its METS name instead of it."""
        files = Files(tree, tree.entries(), package_folder(tree) or b"")
        return frozenset(("sha256",)) | algorithms(files)

    def stops(self, tree: Tree, around: Circumstances) -> tuple[Finding, ...]:
        """A package marked secret: nothing but METS and descriptions of it was read, and no more may be."""
        package, _ = _package(tree, _Unread(tree), around)
        return stops(package)

    def judge(self, tree: Tree, received: Received, around: Circumstances) -> Judged:
        return Judged(tree, received, around)

    def check(self, tree: Tree, received: Received) -> Iterator[Finding]:
        """All findings by the profile `tt05`; of a package marked secret that alone."""
        told = recognise(tree, trusted=True)
        with tempfile.TemporaryDirectory(prefix="tt05-") as scratch:
            around = Circumstances(told.version if told else "", Path(), Path(scratch))
            stopped = self.stops(tree, around)
            yield from stopped or self.judge(tree, received, around).findings()

    def read(self, tree: Tree, received: Received) -> Reading:
        """As an E-ARK package, with the title of EAD.xml."""
        found = submission.read(tree, received)
        package, _ = _package(tree, received, Circumstances("", Path(), Path()))
        title = package.ead_values.get("title", "")
        if not title:
            return found
        others = [one for one in found.description_rows if one.target is not None]
        return replace(found, title=title, description_rows=[Description(None, (("title", title),)), *others])

    def place(self, path: PackagePath) -> Placement:
        return submission.place(path)


class Judged:
    """What is said of one package; implements pipeline.packages.Judgement."""

    def __init__(self, tree: Tree, received: Received, around: Circumstances) -> None:
        self._profile = around.profile
        self._package, self._how = _package(tree, received, around)
        self._found = Findings(self._package.files, self._package.type, self._package.settings)
        self._identifiers: list[str] = []

    def findings(self) -> Iterator[Finding]:
        check_container(self._package, self._how, self._found)
        self._identifiers = rules.check(self._package, self._found)
        return iter(self._found)

    def documents(self) -> Iterator[DocumentVerdict]:
        return rules.verdicts(self._package, self._found, self._identifiers, self._profile)

    @property
    def not_checked(self) -> tuple[str, ...]:
        return silent_codes(self._package)


def silent_codes(package: Package) -> tuple[str, ...]:
    """Codes that apply to this type of package and were silent for want of a setting, a list or a register."""
    return tuple(
        code for code, setting in UNASKED
        if package.type.of in applies(code) and not (setting and getattr(package.settings, setting))
    )  # fmt: skip


class _Unread:
    """A package of which no file was read yet."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def entries(self) -> Iterator[Entry]:
        return self._tree.entries()

    def entry(self, path: PackagePath) -> Entry | None:
        return next((entry for entry in self._tree.entries() if entry.path == path), None)

    def digest(self, path: PackagePath, algorithm: str) -> str | None:
        return None


def _package(tree: Tree, received: Received, around: Circumstances) -> tuple[Package, Arrival]:
    folder = package_folder(tree)
    if folder is None:
        told = recognise(tree, trusted=True)
        folder = _trusted_folder(tree) if told else b""
    files = Files(tree, received.entries(), folder)
    how = arrival(tree, around.package)
    if how.archive is not None or how.kept:
        files.outside.clear()
    known = around.version if around.version in set(PackageType) else ""
    of = PackageType(known) if known else type_of(files)
    name = folder_name(tree, files, how)
    return Package(files, of, settings_of(around.profile), received, around.scratch, name), how


def _trusted_folder(tree: Tree) -> bytes:
    for entry in tree.entries():
        before, found, _ = (entry.path + b"/").partition(b"representations/")
        if found and (not before or before.endswith(b"/")):
            return before
    return b""
