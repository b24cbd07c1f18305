"""PREMIS 3: objects, events, agents, rights to bytes and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import BinaryIO

from lxml import etree

from pipeline.standards import signature_information, xml
from pipeline.standards.signature_information import SignaturePart
from pipeline.standards.vocabularies import authority
from pipeline.standards.xml import PREMIS, XSI, Sink, Writer

VERSION = "3.0"
FILE = "file"
REPRESENTATION = "representation"
ENTITY = "intellectualEntity"

_P = f"{{{PREMIS}}}"
_TYPE = f"{{{XSI}}}type"


@dataclass(frozen=True, slots=True)
class Identifier:
    """Things of PREMIS name one another by such pairs."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Relationship:
    """From an object to others; `events` made it."""

    type: str
    subtype: str
    objects: tuple[Identifier, ...]
    events: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class FormatPart:
    """`format` of a file; `registry` is empty when no registry is named."""

    name: str
    version: str = ""
    registry: str = ""
    key: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatingPart:
    """creatingApplication of a file."""

    name: str
    version: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Object:
    """An object of any category (`file`, `representation`, `intellectualEntity`, as read also `bitstream`).

    `fixity` are pairs (algorithm, digest), `size` is bytes as text or None, `properties` pairs (type, value);
    `inhibitors` too (type, target); `formats` of a file as read may be several. `line` is 0 for objects that we make.
    """

    category: str
    identifiers: tuple[Identifier, ...]
    properties: tuple[tuple[str, str], ...] = ()
    fixity: tuple[tuple[str, str], ...] = ()
    size: str | None = None
    formats: tuple[FormatPart, ...] = ()
    creating: tuple[CreatingPart, ...] = field(default=(), kw_only=True)
    inhibitors: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)
    signatures: tuple[SignaturePart, ...] = field(default=(), kw_only=True)
    original_name: str | None = None
    relationships: tuple[Relationship, ...] = ()
    linked_events: tuple[Identifier, ...] = ()
    linked_rights: tuple[Identifier, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class EventPart:
    """`details` one string an eventDetailInformation; `outcome` None and no `notes` when it has no information.

    `agents` and `objects` are (identifier, roles).
    """

    identifier: Identifier
    type: str
    when: str
    details: tuple[str, ...] = ()
    outcome: str | None = None
    notes: tuple[str, ...] = ()
    agents: tuple[tuple[Identifier, tuple[str, ...]], ...] = ()
    objects: tuple[tuple[Identifier, tuple[str, ...]], ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class AgentPart:
    """An agent; `name` and `type` are None where a document leaves them out."""

    identifiers: tuple[Identifier, ...]
    name: str | None
    type: str | None
    version: str = ""
    notes: tuple[str, ...] = ()
    linked_rights: tuple[Identifier, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RightsPart:
    """A rights statement. `basis_notes` are those of its basis (other rights, licence, copyright or statute).

    `act` is None when nothing is granted; `start` None when the grant has no term. `status`, `jurisdiction`,
    `citation`, `terms`, `determined` (a date), `applies` (start, end) and `documents` (type, value, role) stand in the
    information about the basis, where it has a place for them.
    """

    identifier: Identifier
    basis: str
    basis_notes: tuple[str, ...] = ()
    act: str | None = None
    start: str | None = None
    end: str = ""
    notes: tuple[str, ...] = ()
    linked_objects: tuple[Identifier, ...] = ()
    linked_agents: tuple[Identifier, ...] = ()
    line: int = field(default=0, compare=False)
    status: str = ""
    jurisdiction: str = ""
    citation: str = ""
    terms: str = ""
    determined: str = ""
    applies: tuple[str, str] = ("", "")
    documents: tuple[tuple[str, str, str], ...] = ()
    restriction: str = ""
    more: tuple[Grant, ...] = ()
    """Further grants of a statement that was read; we write one for each statement."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One rightsGranted, as RightsPart tells its first."""

    act: str | None
    start: str | None
    end: str
    notes: tuple[str, ...]
    restriction: str


Part = Object | EventPart | AgentPart | RightsPart


def write(
    out: Sink | BinaryIO,
    objects: Iterable[Object],
    events: Iterable[EventPart] = (),
    agents: Iterable[AgentPart] = (),
    rights: Iterable[RightsPart] = (),
) -> None:
    """A PREMIS 3 document, streamed. The iterables are consumed in this order, each as it is written."""
    with xml.written(out, f"{_P}premis", {None: PREMIS, "xsi": XSI}, {"version": VERSION}) as document:
        for one in objects:
            _object(document, one)
        for event in events:
            _event(document, event)
        for agent in agents:
            _agent(document, agent)
        for statement in rights:
            _rights(document, statement)


def read(source: BinaryIO, look: Callable[[etree._Element], None] | None = None) -> Iterator[Part]:
    """Every object, event, agent and rights statement of a document in its order. Raises Unreadable.

    Nothing is checked: what is missing is empty or None. A document with another root has no parts. `look` is shown
    the whole element before its part is given.
    """
    whole = (f"{_P}object", f"{_P}event", f"{_P}agent", f"{_P}rightsStatement")
    right = False
    for event, element in xml.elements(source, whole=whole):
        if event == "start":
            right = element.tag == f"{_P}premis"
        elif right:
            if look is not None:
                look(element)
            yield _READERS[str(element.tag)](element)


def _term(document: Writer, name: str, vocabulary: str, term: str) -> None:
    document.again((name, vocabulary, term), lambda: document.leaf(_P + name, term, authority(vocabulary, term)))


def _identifier(
    document: Writer, prefix: str, pair: Identifier, roles: tuple[str, tuple[str, ...]] | None = None
) -> None:
    with document.box(f"{_P}{prefix}Identifier"):
        document.leaf(f"{_P}{prefix}IdentifierType", pair.type)
        document.leaf(f"{_P}{prefix}IdentifierValue", pair.value)
        if roles:
            for role in roles[1]:
                _term(document, f"{prefix}Role", roles[0], role)


def _object(document: Writer, one: Object) -> None:
    with document.box(f"{_P}object", {_TYPE: one.category}):
        for pair in one.identifiers:
            _identifier(document, "object", pair)
        for kind, value in one.properties:
            with document.box(f"{_P}significantProperties"):
                document.leaf(f"{_P}significantPropertiesType", kind)
                document.leaf(f"{_P}significantPropertiesValue", value)
        if one.category == FILE:
            _characteristics(document, one)
        if one.original_name is not None:
            document.leaf(f"{_P}originalName", one.original_name)
        for signature in one.signatures:
            signature_information.write(document, signature)
        for relation in one.relationships:
            if relation.type == "structural":  # that of the file before, nearly always
                document.again(relation, partial(_relationship, document, relation))
            else:
                _relationship(document, relation)
        for pair in one.linked_events:
            _identifier(document, "linkingEvent", pair)
        for pair in one.linked_rights:
            _identifier(document, "linkingRightsStatement", pair)


def _relationship(document: Writer, relation: Relationship) -> None:
    with document.box(f"{_P}relationship"):
        _term(document, "relationshipType", "relationshipType", relation.type)
        _term(document, "relationshipSubType", "relationshipSubType", relation.subtype)
        for pair in relation.objects:
            _identifier(document, "relatedObject", pair)
        for pair in relation.events:
            _identifier(document, "relatedEvent", pair)


def _format(document: Writer, part: FormatPart) -> None:
    with document.box(f"{_P}format"):
        with document.box(f"{_P}formatDesignation"):
            document.leaf(f"{_P}formatName", part.name)
            if part.version:
                document.leaf(f"{_P}formatVersion", part.version)
        if part.registry:
            with document.box(f"{_P}formatRegistry"):
                document.leaf(f"{_P}formatRegistryName", part.registry)
                document.leaf(f"{_P}formatRegistryKey", part.key)
        for note in part.notes:
            document.leaf(f"{_P}formatNote", note)


def _characteristics(document: Writer, one: Object) -> None:
    with document.box(f"{_P}objectCharacteristics"):
        document.leaf(f"{_P}compositionLevel", "0")
        for algorithm, digest in one.fixity:
            with document.box(f"{_P}fixity"):
                _term(document, "messageDigestAlgorithm", "cryptographicHashFunctions", algorithm)
                document.leaf(f"{_P}messageDigest", digest)
        if one.size is not None:
            document.leaf(f"{_P}size", one.size)
        for part in one.formats:
            document.again(part, partial(_format, document, part))
        for made in one.creating:
            with document.box(f"{_P}creatingApplication"):
                document.leaf(f"{_P}creatingApplicationName", made.name)
                if made.version:
                    document.leaf(f"{_P}creatingApplicationVersion", made.version)
                if made.date:
                    document.leaf(f"{_P}dateCreatedByApplication", made.date)
        for kind, target in one.inhibitors:
            with document.box(f"{_P}inhibitors"):
                document.leaf(f"{_P}inhibitorType", kind)
                document.leaf(f"{_P}inhibitorTarget", target)


def _event(document: Writer, event: EventPart) -> None:
    with document.box(f"{_P}event"):
        _identifier(document, "event", event.identifier)
        _term(document, "eventType", "eventType", event.type)
        document.leaf(f"{_P}eventDateTime", event.when)
        for detail in event.details:
            with document.box(f"{_P}eventDetailInformation"):
                document.leaf(f"{_P}eventDetail", detail)
        if event.outcome is not None:
            with document.box(f"{_P}eventOutcomeInformation"):
                _term(document, "eventOutcome", "eventOutcome", event.outcome)
                for note in event.notes:
                    with document.box(f"{_P}eventOutcomeDetail"):
                        document.leaf(f"{_P}eventOutcomeDetailNote", note)
        for pair, roles in event.agents:
            _identifier(document, "linkingAgent", pair, ("eventRelatedAgentRole", roles))
        for pair, roles in event.objects:
            _identifier(document, "linkingObject", pair, ("eventRelatedObjectRole", roles))


def _agent(document: Writer, agent: AgentPart) -> None:
    with document.box(f"{_P}agent"):
        for pair in agent.identifiers:
            _identifier(document, "agent", pair)
        document.leaf(f"{_P}agentName", agent.name or "")
        _term(document, "agentType", "agentType", agent.type or "")
        if agent.version:
            document.leaf(f"{_P}agentVersion", agent.version)
        for note in agent.notes:
            document.leaf(f"{_P}agentNote", note)
        for pair in agent.linked_rights:
            _identifier(document, "linkingRightsStatement", pair)


def whole_basis(one: RightsPart) -> bool:
    """Whether a statement says of its basis what PREMIS asks before it can be said in elements of its own."""
    if one.basis == "copyright":
        return bool(one.status and one.jurisdiction)
    return one.basis != "statute" or bool(one.jurisdiction and one.citation)


def _basis(document: Writer, one: RightsPart) -> None:
    """The information about the basis, in the order of its own schema type."""
    if one.basis == "copyright":
        with document.box(f"{_P}copyrightInformation"):
            document.leaf(f"{_P}copyrightStatus", one.status)
            document.leaf(f"{_P}copyrightJurisdiction", one.jurisdiction)
            if one.determined:
                document.leaf(f"{_P}copyrightStatusDeterminationDate", one.determined)
            _said_of_basis(document, one, "copyright", "notes", "documents", "applies")
    elif one.basis == "statute":
        with document.box(f"{_P}statuteInformation"):
            document.leaf(f"{_P}statuteJurisdiction", one.jurisdiction)
            document.leaf(f"{_P}statuteCitation", one.citation)
            if one.determined:
                document.leaf(f"{_P}statuteInformationDeterminationDate", one.determined)
            _said_of_basis(document, one, "statute", "notes", "documents", "applies")
    elif one.basis == "license":
        if one.basis_notes or one.terms or one.documents or any(one.applies):
            with document.box(f"{_P}licenseInformation"):
                _said_of_basis(document, one, "license", "documents")
                if one.terms:
                    document.leaf(f"{_P}licenseTerms", one.terms)
                _said_of_basis(document, one, "license", "notes", "applies")
    else:
        with document.box(f"{_P}otherRightsInformation"):
            _said_of_basis(document, one, "otherRights", "documents")
            document.leaf(f"{_P}otherRightsBasis", one.basis)
            _said_of_basis(document, one, "otherRights", "applies", "notes")


def _said_of_basis(document: Writer, one: RightsPart, prefix: str, *order: str) -> None:
    for what in order:
        if what == "notes":
            for note in one.basis_notes:
                document.leaf(f"{_P}{prefix}Note", note)
        elif what == "documents":
            for kind, value, role in one.documents:
                with document.box(f"{_P}{prefix}DocumentationIdentifier"):
                    document.leaf(f"{_P}{prefix}DocumentationIdentifierType", kind)
                    document.leaf(f"{_P}{prefix}DocumentationIdentifierValue", value)
                    if role:
                        document.leaf(f"{_P}{prefix}DocumentationRole", role)
        elif any(one.applies):
            with document.box(f"{_P}{prefix}ApplicableDates"):
                document.leaf(f"{_P}startDate", one.applies[0])
                if one.applies[1]:
                    document.leaf(f"{_P}endDate", one.applies[1])


def _rights(document: Writer, statement: RightsPart) -> None:
    notes = statement.notes
    with document.box(f"{_P}rights"), document.box(f"{_P}rightsStatement"):
        _identifier(document, "rightsStatement", statement.identifier)
        _term(document, "rightsBasis", "rightsBasis", statement.basis)
        if whole_basis(statement):
            _basis(document, statement)
        else:
            # Their information elements ask for a status, a jurisdiction or a citation that the statement lacks.
            notes = (*statement.basis_notes, *notes)
        if statement.act is not None:
            with document.box(f"{_P}rightsGranted"):
                _term(document, "act", "eventType", statement.act)
                if statement.restriction:
                    document.leaf(f"{_P}restriction", statement.restriction)
                if statement.start is not None:
                    with document.box(f"{_P}termOfGrant"):
                        document.leaf(f"{_P}startDate", statement.start)
                        if statement.end:
                            document.leaf(f"{_P}endDate", statement.end)
                for note in notes:
                    document.leaf(f"{_P}rightsGrantedNote", note)
        for pair in statement.linked_objects:
            _identifier(document, "linkingObject", pair)
        for pair in statement.linked_agents:
            _identifier(document, "linkingAgent", pair)


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return element.find(_P + name)


def _said(element: etree._Element, *path: str) -> str | None:
    """Text at a path of element names; None when it is not there."""
    found = element.find(_path(path))
    return None if found is None else xml.text_of(found)


def _all(element: etree._Element, *path: str) -> tuple[str, ...]:
    return tuple(xml.text_of(found) for found in element.iterfind(_path(path)))


@cache
def _path(names: tuple[str, ...]) -> str:
    return "/".join(_P + name for name in names)


def _pairs(element: etree._Element, prefix: str) -> tuple[Identifier, ...]:
    return tuple(_pair(found, prefix) for found in element.iterfind(f"{_P}{prefix}Identifier"))


def _pair(element: etree._Element, prefix: str) -> Identifier:
    kind, value = f"{_P}{prefix}IdentifierType", f"{_P}{prefix}IdentifierValue"
    found = ["", ""]
    for child in element:
        if child.tag == kind:
            found[0] = xml.text_of(child)
        elif child.tag == value:
            found[1] = xml.text_of(child)
    return Identifier(*found)


def _read_object(element: etree._Element) -> Object:
    fixity: list[tuple[str, str]] = []
    formats: list[FormatPart] = []
    creating: list[CreatingPart] = []
    inhibitors: list[tuple[str, str]] = []
    size: str | None = None
    for part in element.iterfind(f"{_P}objectCharacteristics"):
        for child in part:
            if child.tag == f"{_P}fixity":
                fixity.append((_said(child, "messageDigestAlgorithm") or "", _said(child, "messageDigest") or ""))
            elif child.tag == f"{_P}size" and size is None:
                size = xml.text_of(child)
            elif child.tag == f"{_P}format":
                formats.append(
                    FormatPart(
                        _said(child, "formatDesignation", "formatName") or "",
                        _said(child, "formatDesignation", "formatVersion") or "",
                        _said(child, "formatRegistry", "formatRegistryName") or "",
                        _said(child, "formatRegistry", "formatRegistryKey") or "",
                        _all(child, "formatNote"),
                    )
                )
            elif child.tag == f"{_P}creatingApplication":
                names = ("creatingApplicationName", "creatingApplicationVersion", "dateCreatedByApplication")
                creating.append(CreatingPart(*(_said(child, name) or "" for name in names)))
            elif child.tag == f"{_P}inhibitors":
                inhibitors.append((_said(child, "inhibitorType") or "", _said(child, "inhibitorTarget") or ""))
    return Object(
        str(element.get(_TYPE) or "").rpartition(":")[2],
        _pairs(element, "object"),
        tuple(
            (_said(one, "significantPropertiesType") or "", _said(one, "significantPropertiesValue") or "")
            for one in element.iterfind(f"{_P}significantProperties")
        ),
        tuple(fixity),
        size,
        tuple(formats),
        _said(element, "originalName"),
        tuple(
            Relationship(
                _said(one, "relationshipType") or "",
                _said(one, "relationshipSubType") or "",
                _pairs(one, "relatedObject"),
                _pairs(one, "relatedEvent"),
            )
            for one in element.iterfind(f"{_P}relationship")
        ),
        _pairs(element, "linkingEvent"),
        _pairs(element, "linkingRightsStatement"),
        xml.line_of(element),
        creating=tuple(creating),
        inhibitors=tuple(inhibitors),
        signatures=signature_information.read(element),
    )


def _read_event(element: etree._Element) -> EventPart:
    first = _child(element, "eventIdentifier")
    return EventPart(
        Identifier("", "") if first is None else _pair(first, "event"),
        _said(element, "eventType") or "",
        _said(element, "eventDateTime") or "",
        tuple(_said(one, "eventDetail") or "" for one in element.iterfind(f"{_P}eventDetailInformation")),
        _said(element, "eventOutcomeInformation", "eventOutcome"),
        _all(element, "eventOutcomeInformation", "eventOutcomeDetail", "eventOutcomeDetailNote"),
        _linked(element, "linkingAgent"),
        _linked(element, "linkingObject"),
        xml.line_of(element),
    )


def _linked(element: etree._Element, prefix: str) -> tuple[tuple[Identifier, tuple[str, ...]], ...]:
    return tuple(
        (_pair(one, prefix), _all(one, f"{prefix}Role")) for one in element.iterfind(f"{_P}{prefix}Identifier")
    )


def _read_agent(element: etree._Element) -> AgentPart:
    return AgentPart(
        _pairs(element, "agent"),
        _said(element, "agentName"),
        _said(element, "agentType"),
        _said(element, "agentVersion") or "",
        _all(element, "agentNote"),
        _pairs(element, "linkingRightsStatement"),
        xml.line_of(element),
    )


def _read_rights(element: etree._Element) -> RightsPart:
    first = _child(element, "rightsStatementIdentifier")
    basis_notes = [note for kind in _BASES for note in _all(element, f"{kind}Information", f"{kind}Note")]
    grants = [_grant(one) for one in element.iterfind(f"{_P}rightsGranted")]
    grant = grants[0] if grants else Grant(None, None, "", (), "")
    return RightsPart(
        Identifier("", "") if first is None else _pair(first, "rightsStatement"),
        _said(element, "rightsBasis") or "",
        tuple(basis_notes),
        grant.act,
        grant.start,
        grant.end,
        grant.notes,
        tuple(pair for pair, _ in _linked(element, "linkingObject")),
        tuple(pair for pair, _ in _linked(element, "linkingAgent")),
        xml.line_of(element),
        _of_basis(element, "copyright", "copyrightStatus"),
        _of_basis(element, "copyright", "copyrightJurisdiction")
        or _of_basis(element, "statute", "statuteJurisdiction"),
        _of_basis(element, "statute", "statuteCitation"),
        _of_basis(element, "license", "licenseTerms"),
        _of_basis(element, "copyright", "copyrightStatusDeterminationDate")
        or _of_basis(element, "statute", "statuteInformationDeterminationDate"),
        (_dates(element, "startDate"), _dates(element, "endDate")),
        tuple(_documents(element)),
        grant.restriction,
        tuple(grants[1:]),
    )


def _grant(element: etree._Element) -> Grant:
    return Grant(
        _said(element, "act"),
        _said(element, "termOfGrant", "startDate"),
        _said(element, "termOfGrant", "endDate") or "",
        _all(element, "rightsGrantedNote"),
        _said(element, "restriction") or "",
    )


_BASES = ("copyright", "license", "statute", "otherRights")


def _of_basis(element: etree._Element, prefix: str, name: str) -> str:
    return _said(element, f"{prefix}Information", name) or ""


def _dates(element: etree._Element, name: str) -> str:
    told = (_said(element, f"{prefix}Information", f"{prefix}ApplicableDates", name) for prefix in _BASES)
    return next((text for text in told if text), "")


def _documents(element: etree._Element) -> Iterator[tuple[str, str, str]]:
    for prefix in _BASES:
        for one in element.iterfind(_path((f"{prefix}Information", f"{prefix}DocumentationIdentifier"))):
            names = ("DocumentationIdentifierType", "DocumentationIdentifierValue", "DocumentationRole")
            kind, value, role = (_said(one, prefix + name) or "" for name in names)
            yield kind, value, role


_READERS: dict[str, Callable[[etree._Element], Part]] = {
    f"{_P}object": _read_object,
    f"{_P}event": _read_event,
    f"{_P}agent": _read_agent,
    f"{_P}rightsStatement": _read_rights,
}
