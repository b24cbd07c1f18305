"""The words of the domain as frozen records: what the rooms of the house hand to one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NewType, Protocol

from pipeline.signatures import Signature

PackagePath = NewType("PackagePath", bytes)
"""A path inside a package: raw bytes as found, `/` between segments, never absolute, never climbing."""


class Level(StrEnum):
    """Weight of a finding: `error` rejects, `decision` waits for a person."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DECISION = "decision"


class Verdict(StrEnum):
    """What an ingest comes to."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WAITING = "waiting"
    ALREADY = "already archived"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem in content. Texts, level and clause come from `schemas/findings/`, by `code`.

    `file` is the raw path inside the package, None when the package as a whole is meant. `level` stands where one
    requirement weighs differently by version or place; None is the level that the code has.
    """

    code: str
    file: PackagePath | None = None
    line: int | None = None
    expected: str | None = None
    found: str | None = None
    level: Level | None = None
    """Only where one code has two weights and the rule knows which of them this case has."""


@dataclass(frozen=True, slots=True)
class DocumentVerdict:
    """One document of a package, judged for itself.

    `identifier` is its docId, docCode or the name of its file, shown form, never a title. `path` is its description,
    else its data file. `verdict` is `valid`, `invalid` (an error on its own files) or `decision` (a person decides).
    """

    identifier: str
    path: PackagePath | None
    verdict: Literal["valid", "invalid", "decision"]
    findings: tuple[Finding, ...] = ()


class Outcome(StrEnum):
    """eventOutcome of the Library of Congress."""

    SUCCESS = "success"
    FAIL = "fail"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one engine says a file is. `puid` is None when nothing matched; an extension alone never gives one.

    `basis` and `warning` are the engine's own words; `match` is container, signature, text, extension or none.
    `clipped`: only so many bytes at each end were looked at.
    """

    puid: str | None
    match: str
    basis: str
    warning: str
    engine: str
    engine_version: str
    signature_version: str
    clipped: int | None = None


class Agreement(StrEnum):
    """What the opinions of a file come to: `single` = one engine alone names a format, or was asked."""

    SAME = "same"
    DIFFER = "differ"
    SINGLE = "single"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Format:
    """What one file is: the opinion that counts, with the format's name and MIME type.

    The fields of `Opinion` mean the same here. `second` is the other engine's opinion, None when only one was asked;
    `agreement` is a value of `Agreement`, empty in what older versions wrote.
    """

    puid: str | None
    name: str
    version: str
    mime: str
    match: str
    basis: str
    warning: str
    engine: str
    engine_version: str
    signature_version: str
    clipped: int | None = None
    agreement: str = ""
    second: Opinion | None = None

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Format:
        """The record of what `dataclasses.asdict` gave, perhaps by way of JSON."""
        second = value.get("second")
        return cls(**{**value, "second": Opinion(**second) if second else None})

    def plain(self) -> dict[str, Any]:
        """What `dataclasses.asdict` gives, in a twentieth of its time: one is made for every file."""
        told = {name: getattr(self, name) for name in self.__slots__}
        if self.second is not None:
            told["second"] = {name: getattr(self.second, name) for name in self.second.__slots__}
        return told


class Validity(StrEnum):
    """Whether a file is what its format promises: three answers, and `not checked` is none of the others."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class CreatingApplication:
    """The program or device that made a file, as the file says; `date` as ISO 8601 says it, as far as it is told."""

    name: str
    version: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Characteristics:
    """What a file is technically. `properties` are (name, value), names and order of `schemas/characterisation`.

    `inhibitors` are (type, target) that keep others from using it, such as a password.
    """

    properties: tuple[tuple[str, str], ...] = ()
    creating: tuple[CreatingApplication, ...] = ()
    inhibitors: tuple[tuple[str, str], ...] = ()
    signatures: tuple[Signature, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing at all is known."""
        return not (self.properties or self.creating or self.inhibitors or self.signatures)

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Characteristics:
        """The record of what `dataclasses.asdict` gave, perhaps by way of JSON."""
        return cls(
            tuple((name, text) for name, text in value["properties"]),
            tuple(CreatingApplication(**one) for one in value["creating"]),
            tuple((kind, target) for kind, target in value["inhibitors"]),
            tuple(Signature.read(one) for one in value.get("signatures", ())),
        )


@dataclass(frozen=True, slots=True)
class Examination:
    """What one received file came to. `checked` says what was looked at or is broken, in English for the event.

    `family` is empty when no reader or checker knows its format; `raw` are programs' own words (JSON), kept where the
    file is not whole or two of them differ, else empty.
    """

    family: str
    validity: Validity
    checked: str
    characteristics: Characteristics = Characteristics()
    raw: str = ""

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Examination:
        """The record of what `dataclasses.asdict` gave, perhaps by way of JSON."""
        told = Characteristics.read(value["characteristics"])
        return cls(**{**value, "validity": Validity(value["validity"]), "characteristics": told})


class Use(StrEnum):
    """What a file is for inside an AIP; decides its METS file group."""

    DATA = "Data"
    DOCUMENTATION = "Documentation"
    SCHEMA = "Schemas"
    DESCRIPTIVE = "Descriptive"
    PRESERVATION = "Preservation"
    METS = "METS"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of an AIP that is not METS or PREMIS.

    `path` is logical, below the AIP's root folder (`representations/rep1/data/…`), UTF-8, portable.
    `sha256` is lower-case hex, `size` bytes, `created` aware. `original_name` is the raw path as received, None
    for files we made. A derivative names its source file's `path` and the key of the event that made it.
    `modified` is the time of last change as found on the carrier, None when it told none. `metadata` is the MDTYPE
    that METS gave to metadata that came with the submission (`EAD`, `MODS`, `OTHER EAC`), empty when it gave none.
    """

    path: PackagePath
    size: int
    sha256: str
    use: Use
    mime: str
    created: datetime
    representation: str | None = None
    original_name: PackagePath | None = None
    format: Format | None = None
    derived_from: PackagePath | None = None
    derived_by: str | None = None
    modified: datetime | None = None
    metadata: str = ""
    characteristics: Characteristics = Characteristics()


@dataclass(frozen=True, slots=True)
class Derived:
    """One line of what normalisation came to for a file that a rule is about.

    `result` is the name of the result in the rule, empty for a line about the file as a whole. Exactly one of three:
    `code` (a finding, with `expected` and `found`: nothing was made), `kept` (why the original is fit as it is), or a
    file of ours: `sha256`, `size` in bytes, `mime`, `format`, `at` (its place in the work folder), `extension` (behind
    the original's name, with its dot), `programs` (name, version; none for our own code). `main`: the one that stands
    for the file where one alone can. `rule` and `detail` are for the event.
    """

    result: str
    when: datetime
    rule: str
    detail: str
    code: str = ""
    expected: str | None = None
    found: str | None = None
    kept: str = ""
    sha256: str = ""
    size: int = 0
    mime: str = ""
    format: Format | None = None
    at: str = ""
    extension: str = ""
    programs: tuple[tuple[str, str], ...] = ()
    main: bool = False

    @property
    def made(self) -> bool:
        """Whether it is a file of ours."""
        return bool(self.at)


@dataclass(frozen=True, slots=True)
class Representation:
    """A set of files that renders the intellectual entity; `empty_folders` are relative to its `data/`."""

    name: str
    empty_folders: tuple[PackagePath, ...] = ()
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """Dublin Core about the package (`target` None), a representation's file or folder (its logical path).

    `terms` are (term, value) in order, terms of the fifteen elements without prefix (`title`, `creator`, …).
    """

    target: PackagePath | None
    terms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An object an event is about: `what` is package, representation or file; `ref` its name or logical path."""

    what: str
    ref: str | PackagePath
    role: str = "source"


@dataclass(frozen=True, slots=True)
class Event:
    """A PREMIS event, already grouped: true for every file of a representation = linked to it alone.

    `key` is unique in the AIP and stable (`validation`, `normalization/<logical path>`); ids are derived from it.
    `type` is a term of the LoC event types, `agents` are pairs (agent key, role).
    """

    key: str
    type: str
    when: datetime
    ended: datetime
    detail: str
    outcome: Outcome
    note: str = ""
    agents: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """`type` is a term of the LoC agent types (software, organization, person)."""

    key: str
    name: str
    type: str
    version: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Right:
    """A rights statement of the package; `basis` and `act` are vocabulary terms, `act` empty when nothing is granted.

    `start` and `end` are the term of the grant. `status`, `jurisdiction`, `citation`, `terms`, `determined` (a date),
    `applies` (start and end of the basis) and `documents` (type, value, role) say more about the basis, as far as
    PREMIS has a place for it. `targets` are logical paths of files and representations it is about; none: the package.
    """

    key: str
    basis: str
    act: str
    basis_note: str = ""
    note: str = ""
    start: str = "OPEN"
    end: str = ""
    status: str = ""
    jurisdiction: str = ""
    citation: str = ""
    terms: str = ""
    determined: str = ""
    applies: tuple[str, str] = ("", "")
    documents: tuple[tuple[str, str, str], ...] = ()
    restriction: str = ""
    targets: tuple[PackagePath, ...] = ()


@dataclass(frozen=True, slots=True)
class AipIdentity:
    """Who an AIP is: `uuid` (text form), `version` counts from 1, `label` the title, `type` a content category.

    `origin` is the uuid of the AIP that a DIP was made of, empty for an AIP.
    """

    uuid: str
    version: int
    label: str
    type: str
    created: datetime
    modified: datetime
    origin: str = ""

    @property
    def root(self) -> str:
        """Name of the root folder = METS OBJID."""
        return f"uuid-{self.uuid}"

    @property
    def urn(self) -> str:
        """OCFL object id."""
        return f"urn:uuid:{self.uuid}"


class Rows(Protocol):
    """Everything that describes one package, streamed in an order of content; may be iterated again."""

    def identity(self) -> AipIdentity: ...

    def representations(self) -> Iterator[Representation]:
        """By name."""
        ...

    def files(self, use: Use | None = None, representation: str | None = None) -> Iterator[FileRow]:
        """By raw path bytes; `representation` None = all, whichever they belong to."""
        ...

    def file(self, path: PackagePath) -> FileRow | None: ...

    def descriptions(self) -> Iterator[Description]:
        """Package first, then by target."""
        ...

    def events(self) -> Iterator[Event]:
        """By key."""
        ...

    def agents(self) -> Iterator[Agent]:
        """By key."""
        ...

    def rights(self) -> Iterator[Right]:
        """By key."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryRows:
    """Rows held in memory: what a reader returns for a small package and what tests compare."""

    of: AipIdentity
    representation_rows: tuple[Representation, ...] = ()
    file_rows: tuple[FileRow, ...] = ()
    description_rows: tuple[Description, ...] = ()
    event_rows: tuple[Event, ...] = ()
    agent_rows: tuple[Agent, ...] = ()
    right_rows: tuple[Right, ...] = ()

    def identity(self) -> AipIdentity:
        return self.of

    def representations(self) -> Iterator[Representation]:
        return iter(sorted(self.representation_rows, key=lambda row: row.name))

    def files(self, use: Use | None = None, representation: str | None = None) -> Iterator[FileRow]:
        for row in sorted(self.file_rows, key=lambda row: row.path):
            if (use is None or row.use is use) and (representation is None or row.representation == representation):
                yield row

    def file(self, path: PackagePath) -> FileRow | None:
        return next((row for row in self.file_rows if row.path == path), None)

    def descriptions(self) -> Iterator[Description]:
        return iter(sorted(self.description_rows, key=lambda row: (row.target is not None, row.target or b"")))

    def events(self) -> Iterator[Event]:
        return iter(sorted(self.event_rows, key=lambda row: row.key))

    def agents(self) -> Iterator[Agent]:
        return iter(sorted(self.agent_rows, key=lambda row: row.key))

    def rights(self) -> Iterator[Right]:
        return iter(sorted(self.right_rows, key=lambda row: row.key))


class Evidence(StrEnum):
    """How a copy was confirmed: read back and digested by us, or by the server's word."""

    READ = "read"
    SERVER = "server"


class CopyState(StrEnum):
    """State of one copy of an AIP in a store."""

    VERIFIED = "verified"
    MISSING = "missing"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One copy of an AIP version: where, in which state, by what evidence. `note` says why it is not verified."""

    store: str
    state: CopyState
    evidence: Evidence | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a submission's file goes in the AIP. Made by a kind's `read`; `path` as received."""

    path: PackagePath
    use: Use
    target: PackagePath
    representation: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a submission says of one of its files, by logical AIP paths: made of `source` by the event `event`.

    `metadata` as FileRow's. What it does not say is None or empty.
    """

    source: PackagePath | None = None
    event: str | None = None
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a kind learnt about a submission: streamed placements and everything small beside them.

    `title` is the best name of the package; `description_rows` target logical AIP paths; they and `rights`
    may be streamed from the package each time they are iterated. `origins` are by logical AIP path.
    """

    title: str
    representations: tuple[Representation, ...] = ()
    description_rows: Iterable[Description] = ()
    agents: tuple[Agent, ...] = ()
    rights: Iterable[Right] = ()
    events: tuple[Event, ...] = field(default=())
    origins: Mapping[PackagePath, Origin] = field(default_factory=dict)
