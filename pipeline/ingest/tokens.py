"""What one stage hands to the next: small, frozen, made by that stage alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.records import CopyRow, Verdict
from pipeline.settings import Profile
from pipeline.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Request:
    """One package to ingest: where it lies, by which profile; `kind` only where a person overrides recognition."""

    space: Workspace
    package: Path
    profile: Profile
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """`work` is the ingest's folder below `space.work`; everything else is in its ledger."""

    space: Workspace
    profile: Profile
    package: Path
    work: Path


@dataclass(frozen=True, slots=True)
class Claimed(Token):
    """This process alone works on the package; `kind` only where a person overrides recognition."""

    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Received(Token):
    """The package can be opened safely; its files are listed, its kind is known."""


@dataclass(frozen=True, slots=True)
class Checked(Token):
    """Every byte was read once; the findings of the kind are kept; the submission is not held already."""

    submission_digest: str
    ingest: str


@dataclass(frozen=True, slots=True)
class Inspected(Token):
    """The formats are known and no finding rejects."""

    submission_digest: str
    ingest: str


@dataclass(frozen=True, slots=True)
class Normalised(Token):
    """Derivatives that were promised are made and verified."""

    submission_digest: str
    ingest: str


@dataclass(frozen=True, slots=True)
class Described(Token):
    """METS, PREMIS and descriptions are written."""

    aip: str
    version: int


@dataclass(frozen=True, slots=True)
class Sealed(Token):
    """The inventory is written: the version's bytes are decided."""

    aip: str
    version: int
    inventory_sha256: str


@dataclass(frozen=True, slots=True)
class Stored(Token):
    """Every copy that the profile asks for was read back, the journal knows it."""

    aip: str
    version: int
    copies: tuple[CopyRow, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A verdict before the last stage, or a wait after it. `waiting_for` is `person` or `copy`."""

    verdict: Verdict
    aip: str | None = None
    version: int | None = None
    copies: tuple[CopyRow, ...] = ()
    waiting_for: str | None = None
