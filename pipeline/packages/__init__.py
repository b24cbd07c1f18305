"""What a kind of package is: recognise, read, check, compose; and which kinds there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipeline.records import DocumentVerdict, Finding, PackagePath, Placement, Reading, Rows, Use
from pipeline.settings import Profile
from pipeline.tree import Entry, Tree


@dataclass(frozen=True, slots=True)
class Recognition:
    """`version` as in `bagit/1.0` (empty when the kind has none); `reason` one English sentence for people."""

    kind: str
    version: str
    reason: str

    @property
    def shown(self) -> str:
        return f"{self.kind}/{self.version}" if self.version else self.kind


class Received(Protocol):
    """What is known about the files of a submission after the one reading of its bytes."""

    def entries(self) -> Iterator[Entry]:
        """Files and empty folders in raw-byte order."""
        ...

    def entry(self, path: PackagePath) -> Entry | None: ...

    def digest(self, path: PackagePath, algorithm: str) -> str | None:
        """Lower-case hex; None when there is no such file or the algorithm was not asked for."""
        ...


class Kind(Protocol):
    """One kind of package; a module of this folder makes one."""

    name: str

    def recognise(self, tree: Tree) -> Recognition | None: ...

    def algorithms(self, tree: Tree) -> frozenset[str]:
        """Names of `digests.begin` (`md5`, `sha1`, `sha256`, `sha512`, …) that its manifests need."""
        ...

    def check(self, tree: Tree, received: Received) -> Iterable[Finding]:
        """All problems at once; digests come from `received`, no payload is read again; never raises on content."""
        ...

    def read(self, tree: Tree, received: Received) -> Reading: ...

    def place(self, path: PackagePath) -> Placement:
        """Where a file of the submission goes in the AIP; a pure, injective function of the path.

        `target` still holds the raw names; `names.Namer` over all targets makes them portable and tells them apart.
        """
        ...


@dataclass(frozen=True, slots=True)
class Generated:
    """A file a kind composed: logical path in the AIP, and where its bytes lie now."""

    path: PackagePath
    local: Path
    size: int
    sha256: str
    use: Use


@runtime_checkable
class Composer(Protocol):
    """A kind that can be made: writes its METS, PREMIS and descriptive files below `folder`, in write order."""

    def compose(self, rows: Rows, folder: Path) -> Iterator[Generated]: ...


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a package that is judged.

    `version` as recognised or as a person says, `package` what was handed in, `opening` what was found while it was
    opened, `scratch` an empty folder for working copies. Without a profile the standard alone judges.
    """

    version: str
    package: Path
    scratch: Path
    profile: Profile | None = None
    opening: tuple[Finding, ...] = ()


class Judgement(Protocol):
    """What a kind says about one package, as a whole and per document."""

    def findings(self) -> Iterator[Finding]:
        """All of them, each once; iterated once, before `documents`."""
        ...

    def documents(self) -> Iterator[DocumentVerdict]:
        """The documents in the order of the package, with those findings that stand on their own files."""
        ...

    @property
    def not_checked(self) -> tuple[str, ...]:
        """Codes whose rules need a list, a register or a setting that nobody gave."""
        ...


@runtime_checkable
class Documented(Protocol):
    """A kind that gives a verdict per document, and may stop before anything but descriptions is read."""

    def stops(self, tree: Tree, around: Circumstances) -> tuple[Finding, ...]:
        """Why this package must not be read any further; empty when it may."""
        ...

    def judge(self, tree: Tree, received: Received, around: Circumstances) -> Judgement:
        """Instead of `check`."""
        ...
