"""What our rows say, in the words of PREMIS, and back.

Files and representations have two identifiers: `local` (the id they have in METS) and `filepath` (the logical path
below the AIP's root folder, percent-encoded); everything links by `filepath`. The package is `local` with its OBJID,
agents and rights are `local` with their key, events are `UUID`; their key and end stand in details of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from pipeline import digests, names
from pipeline.packages.eark.layout import REPRESENTATIONS, file_id, identifier
from pipeline.records import (
    Agent,
    AipIdentity,
    Characteristics,
    CreatingApplication,
    Event,
    FileRow,
    Format,
    Link,
    Opinion,
    Outcome,
    PackagePath,
    Representation,
    Right,
)
from pipeline.signatures import Signature
from pipeline.standards import premis
from pipeline.standards.premis import (
    AgentPart,
    CreatingPart,
    EventPart,
    FormatPart,
    Identifier,
    Object,
    Relationship,
    RightsPart,
)
from pipeline.standards.signature_information import SignaturePart
from pipeline.standards.vocabularies import media_type
from pipeline.standards.xml import moment, parsed_moment

LOCAL = "local"
PATH = "filepath"
UUID = "UUID"
PRONOM = "PRONOM"
UNKNOWN = "unknown"

EMPTY_FOLDER = "empty folder"
LAST_MODIFIED = "last modified"
AIP_VERSION = "AIP version"
AIP_FORMAT = "AIP format"
FORMAT = 1
"""Number of the form that our AIPs have; one that a reader does not know is refused."""

_SECOND = "second "
_KEY = "key: "
_ENDED = "ended: "

# What XML cannot hold, what a reader cannot see, and the percent sign itself.
_HIDDEN = re.compile("[\x00-\x1f%\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")


def entity_identifier(aip: AipIdentity) -> Identifier:
    """The package."""
    return Identifier(LOCAL, aip.root)


def path_identifier(path: bytes) -> Identifier:
    """A file, or the folder of a representation, by its logical path."""
    return Identifier(PATH, names.href(path))


def representation_identifier(name: str) -> Identifier:
    """A representation by its folder."""
    return path_identifier(REPRESENTATIONS + name.encode())


def event_identifier(aip: AipIdentity, key: str) -> Identifier:
    """An event by the UUID made of its key; a DIP calls it as its AIP does."""
    return Identifier(UUID, digests.part_id(aip.origin or aip.uuid, "event", key))


def entity_object(aip: AipIdentity) -> Object:
    """The intellectual entity: the package itself, with the number of its form and of its version."""
    entries = ((AIP_FORMAT, str(FORMAT)), (AIP_VERSION, str(aip.version)))
    source = () if not aip.origin else (Relationship("derivation", "has source", (origin_identifier(aip),)),)
    return Object(premis.ENTITY, (entity_identifier(aip),), entries, relationships=source)


def origin_identifier(aip: AipIdentity) -> Identifier:
    """The AIP that a DIP was made of."""
    return Identifier(LOCAL, f"uuid-{aip.origin}")


def representation_object(aip: AipIdentity, row: Representation, whole: bool) -> Object:
    """A representation; not `whole` is the short form that the package's PREMIS carries."""
    relations = [Relationship("structural", "represents", (entity_identifier(aip),))]
    if whole and row.source is not None:
        relations.append(Relationship("derivation", "has source", (representation_identifier(row.source),)))
    return Object(
        premis.REPRESENTATION,
        (Identifier(LOCAL, identifier(aip, "representation", row.name)), representation_identifier(row.name)),
        tuple((EMPTY_FOLDER, names.href(folder)) for folder in row.empty_folders) if whole else (),
        relationships=tuple(relations),
    )


def representation_row(one: Object) -> Representation | None:
    """The representation of a full object; None when it names no folder of ours."""
    name = _representation_name(one.identifiers)
    if name is None:
        return None
    folders = tuple(
        PackagePath(unquote_to_bytes(value.encode())) for kind, value in one.properties if kind == EMPTY_FOLDER
    )
    sources = [r for r in one.relationships if r.type == "derivation" and r.subtype == "has source"]
    return Representation(name, folders, _representation_name(sources[0].objects) if sources else None)


def file_object(aip: AipIdentity, row: FileRow) -> Object:
    """A file with its fixity, size, format, name as received, and where it comes from."""
    whole = representation_identifier(row.representation) if row.representation else entity_identifier(aip)
    relations = [Relationship("structural", "is included in", (whole,))]
    made_by = () if row.derived_by is None else (event_identifier(aip, row.derived_by),)
    if row.derived_from is not None:
        relations.append(Relationship("derivation", "has source", (path_identifier(row.derived_from),), made_by))
    told = row.characteristics
    return Object(
        premis.FILE,
        (Identifier(LOCAL, file_id(aip, row.path)), path_identifier(row.path)),
        (*(() if row.modified is None else ((LAST_MODIFIED, moment(row.modified)),)), *told.properties),
        (("SHA-256", row.sha256),),
        str(row.size),
        (_format_part(row.format, row.mime),),
        None if row.original_name is None else written_name(row.original_name),
        tuple(relations),
        made_by if row.derived_from is None else (),
        creating=tuple(CreatingPart(one.name, one.version, one.date) for one in told.creating),
        inhibitors=told.inhibitors,
        signatures=tuple(map(_signature_part, told.signatures)),
    )


_PARTS = ("signer", "method", "value", "rules", "certificate")
"""Fields of a signature for which PREMIS has elements of their own; the others are properties `name: value`."""


def _signature_part(one: Signature) -> SignaturePart:
    told = {name: str(value) for name, value in asdict(one).items() if str(value)}
    lines = tuple(f"{name}: {value}" for name, value in told.items() if name not in _PARTS)
    return SignaturePart(one.signer, one.method, one.value, one.rules, lines, one.certificate)


def _signature_of(part: SignaturePart) -> Signature:
    told = dict(line.partition(": ")[::2] for line in part.properties)
    own = {one.name for one in fields(Signature)} - set(_PARTS)
    return Signature.read(
        {
            **{name: value for name, value in told.items() if name in own},
            "signer": part.signer, "method": part.method, "value": part.value, "rules": part.rules,
            "certificate": part.certificate,
        }
    )  # fmt: skip


def characteristics_of(one: Object) -> Characteristics:
    """What a file object tells of a file technically; of an object that others wrote, every property it has."""
    return Characteristics(
        tuple((kind, value) for kind, value in one.properties if kind != LAST_MODIFIED),
        tuple(CreatingApplication(part.name, part.version, part.date) for part in one.creating),
        one.inhibitors,
        tuple(map(_signature_of, one.signatures)),
    )


def written_name(raw: bytes) -> str:
    """A name as received: readable where UTF-8 can show it, percent-encoded where it cannot. `%` is `%25`."""
    text = raw.decode("utf-8", "surrogateescape")
    if _HIDDEN.search(text) is None:
        return text
    return _HIDDEN.sub(lambda found: _percent(found[0]), text)


def read_name(text: str) -> PackagePath:
    """The raw bytes of a name that `written_name` wrote."""
    return PackagePath(unquote_to_bytes(text.encode("utf-8", "surrogateescape")))


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))


def path_of(pairs: Iterable[Identifier]) -> PackagePath | None:
    """The logical path among the identifiers of a thing."""
    for pair in pairs:
        if pair.type == PATH:
            return names.unhref(pair.value)
    return None


def _representation_name(pairs: Iterable[Identifier]) -> str | None:
    path = path_of(pairs)
    if path is None or not path.startswith(REPRESENTATIONS):
        return None
    name = path[len(REPRESENTATIONS) :]
    return name.decode() if b"/" not in name and names.is_utf8(name) else None


@lru_cache(1024)
def _format_part(found: Format | None, mime: str) -> FormatPart:
    notes: list[str] = []
    if found is not None:
        notes = [f"match: {found.match}"]
        said = {
            "MIME type": found.mime,
            "basis": found.basis,
            "warning": found.warning,
            "engine": found.engine,
            "engine version": found.engine_version,
            "signatures": found.signature_version,
            "clipped": "" if found.clipped is None else str(found.clipped),
            "agreement": found.agreement,
        }
        if found.second is not None:
            said |= {_SECOND + key: value for key, value in _opinion(found.second).items()}
        notes += [f"{key}: {value}" for key, value in said.items() if value]
    if media_type(mime) != mime:
        notes.append(f"media type: {mime}")
    if found is None:
        return FormatPart(UNKNOWN, notes=tuple(notes))
    known = found.puid is not None
    return FormatPart(
        found.name or UNKNOWN, found.version, PRONOM if known else "", found.puid or "", tuple(notes)
    )


def _opinion(second: Opinion) -> dict[str, str]:
    return {
        "match": second.match,
        "PUID": second.puid or "",
        "basis": second.basis,
        "warning": second.warning,
        "engine": second.engine,
        "engine version": second.engine_version,
        "signatures": second.signature_version,
        "clipped": "" if second.clipped is None else str(second.clipped),
    }


def _opinion_of(said: Mapping[str, str]) -> Opinion | None:
    if _SECOND + "match" not in said:
        return None
    own = {key.removeprefix(_SECOND): value for key, value in said.items() if key.startswith(_SECOND)}
    return Opinion(
        own.get("PUID") or None,
        own["match"],
        own.get("basis", ""),
        own.get("warning", ""),
        own.get("engine", ""),
        own.get("engine version", ""),
        own.get("signatures", ""),
        _number(own.get("clipped", "")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def format_of(part: FormatPart, mime: str) -> tuple[Format | None, str]:
    """The format and the file's own media type; `mime` is what METS says of it."""
    said: dict[str, str] = {}
    for note in part.notes:
        key, colon, value = note.partition(": ")
        if colon:
            said.setdefault(key, value)
    own = said.get("media type", mime)
    puid = part.key if part.registry == PRONOM and part.key else None
    name = "" if part.name == UNKNOWN else part.name
    if "match" not in said and puid is None and not name:
        return None, own
    found = Format(
        puid,
        name,
        part.version,
        said.get("MIME type", "" if "match" in said else own),
        said.get("match", "none"),
        said.get("basis", ""),
        said.get("warning", ""),
        said.get("engine", ""),
        said.get("engine version", ""),
        said.get("signatures", ""),
        _number(said.get("clipped", "")),
        said.get("agreement", ""),
        _opinion_of(said),
    )
    return found, own


def event_part(aip: AipIdentity, event: Event) -> EventPart:
    """An event with its links by path."""
    return EventPart(
        event_identifier(aip, event.key),
        event.type,
        moment(event.when),
        (event.detail, _KEY + event.key, _ENDED + moment(event.ended)),
        str(event.outcome),
        (event.note,) if event.note else (),
        tuple((Identifier(LOCAL, key), (role,)) for key, role in event.agents),
        tuple((_linked(aip, link), (link.role,)) for link in event.links),
    )


def _linked(aip: AipIdentity, link: Link) -> Identifier:
    if link.what == "package":
        return entity_identifier(aip)
    if link.what == "representation":
        return representation_identifier(link.ref if isinstance(link.ref, str) else link.ref.decode())
    return path_identifier(link.ref if isinstance(link.ref, bytes) else link.ref.encode())


def event_key(part: EventPart) -> str:
    """The key of an event: its own, or the value of its identifier where others made it."""
    details = part.details
    if len(details) >= 3 and details[-2].startswith(_KEY):
        return details[-2].removeprefix(_KEY)
    return part.identifier.value


def event_row(part: EventPart, root: str, otherwise: datetime) -> Event:
    """The event of a part; `root` is the OBJID, `otherwise` the time of an event that tells none we can read."""
    details = part.details
    when = parsed_moment(part.when) or otherwise
    ended = when
    if len(details) >= 3 and details[-2].startswith(_KEY) and details[-1].startswith(_ENDED):
        ended = parsed_moment(details[-1].removeprefix(_ENDED)) or when
        details = details[:-2]
    links = []
    for pair, roles in part.objects:
        link = _link(pair, roles[0] if roles else "source", root)
        if link is not None:
            links.append(link)
    outcome = (part.outcome or "").strip().lower()
    notes = part.notes
    if outcome not in _OUTCOMES:
        notes = (*((part.outcome,) if part.outcome else ()), *notes)
    return Event(
        event_key(part),
        part.type,
        when,
        ended,
        "\n".join(details),
        _OUTCOMES.get(outcome, Outcome.WARNING),
        "\n".join(notes),
        tuple((pair.value, roles[0] if roles else "") for pair, roles in part.agents),
        tuple(links),
    )


_OUTCOMES: Mapping[str, Outcome] = {str(outcome): outcome for outcome in Outcome}


def _link(pair: Identifier, role: str, root: str) -> Link | None:
    if pair.type == LOCAL and pair.value == root:
        return Link("package", "", role)
    name = _representation_name((pair,))
    if name is not None:
        return Link("representation", name, role)
    path = path_of((pair,))
    return None if path is None else Link("file", path, role)


def agent_part(agent: Agent) -> AgentPart:
    """An agent by its key."""
    return AgentPart(
        (Identifier(LOCAL, agent.key),), agent.name, agent.type, agent.version, (agent.note,) if agent.note else ()
    )


def agent_row(part: AgentPart) -> Agent:
    """The agent of a part."""
    key = part.identifiers[0].value if part.identifiers else ""
    return Agent(key, part.name or "", part.type or "", part.version, "\n".join(part.notes))


def rights_part(aip: AipIdentity, right: Right) -> RightsPart:
    """A rights statement about the package, or about files and representations of it."""
    part = RightsPart(
        Identifier(LOCAL, right.key),
        right.basis,
        (),
        right.act or None,
        right.start if right.start or right.end else None,
        right.end,
        (),
        tuple(map(path_identifier, right.targets)) or (entity_identifier(aip),),
        (),
        0,
        right.status,
        right.jurisdiction,
        right.citation,
        right.terms,
        right.determined,
        right.applies,
        right.documents,
        right.restriction,
    )
    # Both notes then stand among those of the grant, and are told apart by their order (see premis.py).
    fixed = not premis.whole_basis(part) and right.act != ""
    return replace(
        part,
        basis_notes=(right.basis_note,) if right.basis_note or fixed else (),
        notes=(right.note,) if right.note or fixed else (),
    )


def right_row(part: RightsPart) -> Right:
    """The right of a part."""
    basis, notes = part.basis_notes, part.notes
    if not premis.whole_basis(part) and not basis and len(notes) == 2:
        basis, notes = notes[:1], notes[1:]
    return Right(
        part.identifier.value,
        part.basis,
        part.act or "",
        "\n".join(basis),
        "\n".join(notes),
        part.start or "",
        part.end,
        part.status,
        part.jurisdiction,
        part.citation,
        part.terms,
        part.determined,
        part.applies,
        part.documents,
        part.restriction,
        tuple(path for pair in part.linked_objects if (path := path_of((pair,))) is not None),
    )
