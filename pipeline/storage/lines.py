"""The words of the journal: a line, its digest, what each kind of line says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.errors import SystemProblem
from pipeline.workspace import rfc3339

FORMAT = 1
GENESIS = "0" * 64
"""`previous` of the first line of a writer."""

PROBLEMS_PER_LINE = 200
"""An audit line names at most so many problems of one copy; `problems_found` counts all."""

_KEYS = ("format", "writer", "seq", "time", "kind", "who", "previous", "fields")


class Kind(StrEnum):
    """What a line is about. A reader passes over kinds it does not know; their format number protects it."""

    COMMIT = "commit"
    AUDIT = "audit"
    NOT_CHECKED = "not-checked"
    ABANDONED = "intent-abandoned"
    STORE_ADDED = "store-added"
    SETTINGS = "settings-changed"
    COPY_MADE = "copy-made"
    SEAL = "seal"
    REFILLED = "journal-refilled"
    EXPORT = "export"


class Broken(ValueError):
    """Bytes that are not a line of a journal; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `raw` are its bytes with the newline, `digest` their SHA-256: what the next line holds as `previous`.

    `clock_back` is positive, in seconds, when the clock stood before the time of the line before.
    """

    writer: str
    seq: int
    time: datetime
    kind: str
    who: str
    previous: str
    fields: Mapping[str, Any]
    raw: bytes = field(repr=False)
    clock_back: int = 0

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


def composed(
    *,
    writer: str,
    seq: int,
    time: datetime,
    kind: str,
    who: str,
    previous: str,
    fields: Mapping[str, Any],
    clock_back: int = 0,
) -> Line:
    """A line with its bytes: JSON with keys in fixed order, one newline at the end and none within."""
    value: dict[str, Any] = {
        "format": FORMAT, "writer": writer, "seq": seq, "time": rfc3339(time), "kind": kind, "who": who,
        "previous": previous,
    }  # fmt: skip
    if clock_back > 0:
        value["clock_back"] = clock_back
    value["fields"] = fields
    try:
        raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, from a name that is not UTF-8
        raw = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return parsed(raw + b"\n")


def parsed(raw: bytes) -> Line:
    """The line in these bytes (with its newline).

    Raises Broken when they are none, SystemProblem SYS-FORMAT when a newer luutru wrote them.
    """
    if not raw.endswith(b"\n"):
        raise Broken("no newline at the end")
    try:
        value = json.loads(raw)
    except ValueError as problem:
        raise Broken(f"not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise Broken("not a JSON object")
    if "format" in value and value["format"] != FORMAT:
        raise SystemProblem("SYS-FORMAT", what="journal", found=value["format"], known=FORMAT)
    missing = [key for key in _KEYS if key not in value]
    if missing:
        raise Broken(f"without {', '.join(missing)}")
    strings = all(isinstance(value[key], str) for key in ("writer", "time", "kind", "who", "previous"))
    if not strings or type(value["seq"]) is not int or not isinstance(value["fields"], dict):
        raise Broken("a key holds a value of the wrong type")
    back = value.get("clock_back", 0)
    try:
        time = datetime.fromisoformat(value["time"])
    except ValueError:
        raise Broken("time is not RFC 3339") from None
    if time.tzinfo is None or type(back) is not int:
        raise Broken("time without zone")
    return Line(
        value["writer"], value["seq"], time, value["kind"], value["who"], value["previous"], value["fields"], raw, back
    )


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """One copy a commit speaks of. `state` is `verified`, or `waiting` for a store that was out of reach.

    `inventory_digest` is the SHA-256 of the root inventory that was read back, empty for a waiting copy.
    """

    name: str
    id: str
    layout: str = "ocfl"
    state: str = "verified"
    evidence: str | None = "read"
    inventory_digest: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """An AIP version is held. Everything the catalogue knows of it, so that it can be rebuilt from lines alone.

    `aip` is the URN (`urn:uuid:…`), `version` counts from 1, `inventory_digest` is that of the sealed inventory,
    `files` and `bytes` are those of the submission, `stored_files` and `stored_bytes` the content the version adds
    to a store. `formats` counts files by PUID, `unknown` for those without one. `created` is the AIP's own time.
    `kind` is what arrived (`bagit/1.0`), `makes` what is stored (`eark-aip`), `findings` counts by level. `signatures`
    are the versions by which each engine identified the files, `agreement` counts files by what both came to,
    `validity` data files by whether they are whole (`valid`, `invalid`, `not checked`).
    """

    aip: str
    version: int
    ingest: str
    submission_digest: str
    payload_digest: str
    inventory_digest: str
    label: str
    kind: str
    profile: str
    created: str
    files: int
    bytes: int
    stores: tuple[StoreCopy, ...]
    root: str = ""
    makes: str = ""
    profile_digest: str = ""
    carrier: str = ""
    carrier_name: str = ""
    carrier_digest: str | None = None
    stored_files: int = 0
    stored_bytes: int = 0
    formats: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    verdict: str = "accepted"
    signatures: Mapping[str, str] = field(default_factory=dict)
    agreement: Mapping[str, int] = field(default_factory=dict)
    validity: Mapping[str, int] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        values = asdict(self)
        values["formats"] = dict(sorted(self.formats.items()))
        values["findings"] = dict(sorted(self.findings.items()))
        values["signatures"] = dict(sorted(self.signatures.items()))
        values["agreement"] = dict(sorted(self.agreement.items()))
        values["validity"] = dict(sorted(self.validity.items()))
        return values

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Commit:
        """The record in a commit line's fields; keys it does not know are passed over. Broken when one is missing."""
        known = {key: value for key, value in fields.items() if key in cls.__slots__}
        try:
            known["stores"] = tuple(
                StoreCopy(**{key: value for key, value in one.items() if key in StoreCopy.__slots__})
                for one in known["stores"]
            )
            return cls(**known)
        except (KeyError, TypeError, AttributeError) as problem:
            raise Broken(f"a commit without its keys: {problem}") from None


class Result(StrEnum):
    """What an audit found of one copy."""

    INTACT = "intact"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class CopyProblem:
    """One fault of a copy, in the shape of `audit/1`. `path` is a key below the object's root, or a logical path."""

    what: str
    path: str
    expected: str | None = None
    found: str | None = None
    repaired: bool = False
    source: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what, "path": self.path, "expected": self.expected, "found": self.found,
            "repaired": self.repaired, "from": self.source,
        }  # fmt: skip

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> CopyProblem:
        """The record in what `as_json` made."""
        told = (value["what"], value["path"], value["expected"], value["found"], value["repaired"], value["from"])
        return cls(*told)


@dataclass(frozen=True, slots=True)
class CopyAudit:
    """Result of the audit of one copy: what was read (`files`, `bytes`) by what evidence, what was wrong.

    `run` names the run it belongs to; a run that was killed goes on after the lines it has written.
    """

    aip: str
    version: int
    store: str
    store_id: str
    result: Result
    run: str = ""
    evidence: str | None = None
    files: int = 0
    bytes: int = 0
    problems: tuple[CopyProblem, ...] = ()
    problems_found: int = 0

    def fields(self) -> dict[str, Any]:
        return {
            "aip": self.aip, "version": self.version, "store": self.store, "store_id": self.store_id,
            "result": str(self.result), "run": self.run, "evidence": self.evidence,
            "files": self.files, "bytes": self.bytes,
            "problems": [problem.as_json() for problem in self.problems[:PROBLEMS_PER_LINE]],
            "problems_found": max(self.problems_found, len(self.problems)),
        }  # fmt: skip


def not_checked(run: str, store: str, store_id: str, reason: str, aips: Sequence[str]) -> dict[str, Any]:
    """Fields of a `not-checked` line: copies that were due in this run and were not read, so that nobody thinks so.

    `reason`: `absent` (the store is out of reach), `budget`, `failed` (the store broke off).
    """
    return {"run": run, "store": store, "store_id": store_id, "reason": reason, "aips": list(aips)}


def store_added(name: str, store_id: str, url: str, site: str = "", medium: str = "") -> dict[str, Any]:
    """Fields of a `store-added` line; a URL never holds credentials."""
    return {"name": name, "id": store_id, "url": url, "site": site, "medium": medium}


def copy_made(aip: str, version: int, store: StoreCopy, source: str) -> dict[str, Any]:
    """Fields of a `copy-made` line: a copy was made from the verified one in `source` and read back."""
    return {"aip": aip, "version": version, "store": asdict(store), "from": source}


def intent_abandoned(aip: str, version: int, store: str, store_id: str, reason: str) -> dict[str, Any]:
    """Fields of an `intent-abandoned` line: a write that another machine began can not be completed byte for byte."""
    return {"aip": aip, "version": version, "store": store, "store_id": store_id, "reason": reason}


def settings_changed(what: str, digest: str) -> dict[str, Any]:
    """Fields of a `settings-changed` line: from here on the settings (profile, code table) `what` have this SHA-256."""
    return {"what": what, "digest": digest}


def exported(
    aip: str, version: int, store: str, files: int, size: int, carrier: str,
    made: str | None = None, checks: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:  # fmt: skip
    """Fields of an `export` line: a stored version was handed out; event type dissemination.

    `carrier` says as what; of a DIP or a bag `made` is its identifier, `checks` what its judges said.
    """
    fields: dict[str, Any] = {
        "aip": aip, "version": version, "store": store, "files": files, "bytes": size, "as": carrier,
    }  # fmt: skip
    if made is not None:
        fields |= {"made": made, "checks": [dict(one) for one in checks]}
    return fields
