"""METS 1.12 with the attributes of E-ARK: header, references, file groups, divisions to bytes and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from lxml import etree

from pipeline.standards import xml
from pipeline.standards.xml import CSIP, SIP, XLINK, Sink, Writer
from pipeline.standards.xml import METS as NAMESPACE

_M = f"{{{NAMESPACE}}}"
_X = f"{{{XLINK}}}"
_C = f"{{{CSIP}}}"
_S = f"{{{SIP}}}"


@dataclass(frozen=True, slots=True)
class HeaderAgent:
    """`notes` are (csip:NOTETYPE or None, text)."""

    role: str | None
    type: str | None
    other_type: str | None
    name: str
    notes: tuple[tuple[str | None, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """Attributes of `mets` as they stand, None where absent."""

    objid: str | None
    label: str | None = None
    type: str | None = None
    other_type: str | None = None
    content_type: str | None = None
    other_content_type: str | None = None
    profile: str | None = None
    is_mets: bool = True
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Header:
    """`metsHdr`; `alternatives` are (TYPE, text) of its altRecordIDs."""

    created: str | None
    modified: str | None
    record_status: str | None
    package_type: str | None
    agents: tuple[HeaderAgent, ...]
    alternatives: tuple[tuple[str | None, str], ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Location:
    """What points to bytes: `loctype` and `link` (xlink:type) as they stand."""

    href: str | None
    loctype: str | None = "URL"
    link: str | None = "simple"


@dataclass(frozen=True, slots=True)
class Core:
    """What METS says about referenced bytes, as it stands: `size` in bytes, `created` xs:dateTime."""

    mime: str | None
    size: str | None
    created: str | None
    checksum: str | None
    checksum_type: str | None = "SHA-256"


@dataclass(frozen=True, slots=True)
class Reference:
    """A metadata section (`dmdSec`, `digiprovMD`, `rightsMD`, `techMD`, `sourceMD`) and its `mdRef`.

    `core` and `at` are None when the section has no mdRef; `label` is the mdRef's.
    """

    section: str
    id: str | None
    created: str | None
    status: str | None
    md_type: str | None = None
    other_md_type: str | None = None
    md_type_version: str | None = None
    label: str | None = None
    core: Core | None = None
    at: Location | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A `fileGrp`; `parents` are the USE values of the groups around it."""

    id: str | None
    use: str | None
    content_type: str | None = None
    other_content_type: str | None = None
    parents: tuple[str | None, ...] = ()
    line: int = field(default=0, compare=False)
    metadata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupEnd:
    """A `fileGrp` is over: it held `files` directly, `groups` inside."""

    group: Group
    files: int
    groups: int


@dataclass(frozen=True, slots=True)
class File:
    """A `file` of the group `group`; `registry` are sip:FILEFORMATREGISTRY and sip:FILEFORMATKEY."""

    id: str | None
    core: Core
    at: tuple[Location, ...]
    descriptions: tuple[str, ...] = ()
    group: Group | None = None
    line: int = field(default=0, compare=False)
    metadata: tuple[str, ...] = ()
    registry: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Pointer:
    """`mptr` or `fptr` of a division."""

    what: str
    file_id: str | None = None
    title: str | None = None
    at: Location | None = None


@dataclass(frozen=True, slots=True)
class Div:
    """A division as it is made."""

    id: str
    label: str
    metadata: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    divs: tuple[Div, ...] = ()


@dataclass(frozen=True, slots=True)
class Map:
    """A `structMap` begins."""

    id: str | None
    type: str | None
    label: str | None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Division:
    """A division as it is read, in document order; `labels` are those of the divisions around it, in `map`."""

    map: Map
    id: str | None
    label: str | None
    labels: tuple[str | None, ...]
    metadata: tuple[str, ...]
    descriptions: tuple[str, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Pointed:
    """A pointer as it is read, of the division `of`."""

    of: Division
    pointer: Pointer
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Section:
    """`amdSec` or `fileSec` begins."""

    name: str
    id: str | None
    line: int = field(default=0, compare=False)


Part = Head | Header | Reference | Section | Group | GroupEnd | File | Map | Division | Pointed


def write(
    out: Sink | BinaryIO,
    head: Head,
    header: Header,
    descriptions: Iterable[Reference],
    administrative: tuple[str, Iterable[Reference]],
    files: tuple[str, Iterable[tuple[Group, Iterable[File]]]],
    structure: Callable[[], tuple[Map, Div]],
) -> None:
    """A METS document, streamed: iterables are consumed in this order, `structure` is asked when all is written.

    `administrative` and `files` carry the ids of `amdSec` and `fileSec`.
    """
    attributes = _given(
        OBJID=head.objid, LABEL=head.label, TYPE=head.type, **{
            f"{_C}OTHERTYPE": head.other_type,
            f"{_C}CONTENTINFORMATIONTYPE": head.content_type,
            f"{_C}OTHERCONTENTINFORMATIONTYPE": head.other_content_type,
            "PROFILE": head.profile,
        },
    )  # fmt: skip
    with xml.written(out, f"{_M}mets", {None: NAMESPACE, "xlink": XLINK, "csip": CSIP}, attributes) as document:
        _header(document, header)
        for one in descriptions:
            _reference(document, one)
        with document.box(f"{_M}amdSec", {"ID": administrative[0]}):
            for one in administrative[1]:
                _reference(document, one)
        with document.box(f"{_M}fileSec", {"ID": files[0]}):
            for group, members in files[1]:
                _group(document, group, members)
        struct_map, div = structure()
        with document.box(
            f"{_M}structMap", _given(ID=struct_map.id, TYPE=struct_map.type, LABEL=struct_map.label)
        ):
            _div(document, div)


def read(source: BinaryIO) -> Iterator[Part]:
    """What a document says, in its order, `Head` first. Raises Unreadable.

    Nothing is checked. A document with another root gives a Head with `is_mets` False and nothing else.
    """
    groups: list[tuple[Group, list[int]]] = []
    divisions: list[Division] = []
    struct_map = Map(None, None, None)
    begun = False
    for event, element in xml.elements(source, _WHOLE, _STARTS, _ENDS):
        name = str(element.tag).removeprefix(_M)
        line = xml.line_of(element)
        if not begun and element.tag != f"{_M}mets":
            yield Head(None, is_mets=False, line=line)
            return
        begun = True
        if event == "whole":
            if name == "metsHdr":
                yield _read_header(element)
            elif name == "file":
                if groups:
                    groups[-1][1][0] += 1
                yield _read_file(element, groups[-1][0] if groups else None)
            else:
                yield _read_reference(element, name)
        elif event == "end":
            if name == "fileGrp":
                if groups:
                    group, counted = groups.pop()
                    yield GroupEnd(group, *counted)
            elif divisions:
                divisions.pop()
        elif name == "mets":
            yield Head(
                element.get("OBJID"), element.get("LABEL"), element.get("TYPE"), element.get(f"{_C}OTHERTYPE"),
                element.get(f"{_C}CONTENTINFORMATIONTYPE"), element.get(f"{_C}OTHERCONTENTINFORMATIONTYPE"),
                element.get("PROFILE"), True, line,
            )  # fmt: skip
        elif name == "fileGrp":
            if groups:
                groups[-1][1][1] += 1
            group = Group(
                _collapsed(element.get("ID")), element.get("USE"), element.get(f"{_C}CONTENTINFORMATIONTYPE"),
                element.get(f"{_C}OTHERCONTENTINFORMATIONTYPE"), tuple(g.use for g, _ in groups), line,
                _ids(element, "ADMID"),
            )  # fmt: skip
            groups.append((group, [0, 0]))
            yield group
        elif name == "structMap":
            struct_map = Map(_collapsed(element.get("ID")), element.get("TYPE"), element.get("LABEL"), line)
            yield struct_map
        elif name == "div":
            division = Division(
                struct_map, _collapsed(element.get("ID")), element.get("LABEL"), tuple(d.label for d in divisions),
                _ids(element, "ADMID"), _ids(element, "DMDID"), line,
            )  # fmt: skip
            divisions.append(division)
            yield division
        elif name in ("mptr", "fptr"):
            if divisions:
                at = _location(element) if name == "mptr" else None
                pointer = Pointer(name, _collapsed(element.get("FILEID")), element.get(f"{_X}title"), at)
                yield Pointed(divisions[-1], pointer, line)
        else:
            yield Section(name, _collapsed(element.get("ID")), line)


_SECTIONS = ("dmdSec", "digiprovMD", "rightsMD", "techMD", "sourceMD")
_WHOLE = tuple(_M + name for name in ("metsHdr", "file", *_SECTIONS))
_STARTS = tuple(_M + name for name in ("amdSec", "fileSec", "fileGrp", "structMap", "div", "mptr", "fptr"))
_ENDS = (f"{_M}fileGrp", f"{_M}div")


def _given(**attributes: str | None) -> dict[str, str]:
    return {name: xml.legal(value) for name, value in attributes.items() if value is not None}


def _header(document: Writer, header: Header) -> None:
    attributes = _given(
        CREATEDATE=header.created, LASTMODDATE=header.modified, RECORDSTATUS=header.record_status,
        **{f"{_C}OAISPACKAGETYPE": header.package_type},
    )  # fmt: skip
    with document.box(f"{_M}metsHdr", attributes):
        for agent in header.agents:
            with document.box(
                f"{_M}agent", _given(ROLE=agent.role, TYPE=agent.type, OTHERTYPE=agent.other_type)
            ):
                document.leaf(f"{_M}name", agent.name)
                for kind, text in agent.notes:
                    document.leaf(f"{_M}note", text, _given(**{f"{_C}NOTETYPE": kind}))
        for kind, text in header.alternatives:
            document.leaf(f"{_M}altRecordID", text, _given(TYPE=kind))


def _core(core: Core) -> dict[str, str | None]:
    return {
        "MIMETYPE": core.mime,
        "SIZE": core.size,
        "CREATED": core.created,
        "CHECKSUM": core.checksum,
        "CHECKSUMTYPE": core.checksum_type,
    }


def _at(at: Location) -> dict[str, str | None]:
    return {"LOCTYPE": at.loctype, f"{_X}type": at.link, f"{_X}href": at.href}


def _reference(document: Writer, one: Reference) -> None:
    with document.box(_M + one.section, _given(ID=one.id, CREATED=one.created, STATUS=one.status)):
        if one.core is None or one.at is None:
            return
        attributes: dict[str, str | None] = {
            "MDTYPE": one.md_type,
            "OTHERMDTYPE": one.other_md_type,
            "MDTYPEVERSION": one.md_type_version,
            "LABEL": one.label,
        }
        attributes.update(_core(one.core))
        attributes.update(_at(one.at))
        document.leaf(f"{_M}mdRef", "", _given(**attributes))


def _group(document: Writer, group: Group, members: Iterable[File]) -> None:
    attributes = _given(
        ID=group.id, USE=group.use, **{
            f"{_C}CONTENTINFORMATIONTYPE": group.content_type,
            f"{_C}OTHERCONTENTINFORMATIONTYPE": group.other_content_type,
        },
    )  # fmt: skip
    with document.box(f"{_M}fileGrp", attributes):
        for member in members:
            attributes = _given(
                ID=member.id, **_core(member.core), DMDID=" ".join(member.descriptions) or None
            )
            with document.box(f"{_M}file", attributes):
                for at in member.at:
                    document.leaf(f"{_M}FLocat", "", _given(**_at(at)))


def _div(document: Writer, div: Div) -> None:
    attributes = _given(
        ID=div.id, LABEL=div.label, ADMID=" ".join(div.metadata) or None, DMDID=" ".join(div.descriptions) or None
    )
    with document.box(f"{_M}div", attributes):
        for pointer in div.pointers:
            if pointer.at is not None:
                place = _at(pointer.at)
                document.leaf(
                    f"{_M}mptr", "", _given(**{
                        "LOCTYPE": place["LOCTYPE"], f"{_X}type": place[f"{_X}type"],
                        f"{_X}title": pointer.title, f"{_X}href": place[f"{_X}href"],
                    }),
                )  # fmt: skip
            else:
                document.leaf(f"{_M}fptr", "", _given(FILEID=pointer.file_id))
        for inner in div.divs:
            _div(document, inner)


def _collapsed(value: str | None) -> str | None:
    """The value of an xs:ID or xs:IDREF: space around it is none of it."""
    return value if value is None else value.strip()


def _ids(element: etree._Element, name: str) -> tuple[str, ...]:
    return tuple(str(element.get(name) or "").split())


def _location(element: etree._Element) -> Location:
    return Location(element.get(f"{_X}href"), element.get("LOCTYPE"), element.get(f"{_X}type"))


def _read_core(element: etree._Element) -> Core:
    return Core(
        element.get("MIMETYPE"), element.get("SIZE"), element.get("CREATED"), element.get("CHECKSUM"),
        element.get("CHECKSUMTYPE"),
    )  # fmt: skip


def _read_header(element: etree._Element) -> Header:
    agents = tuple(
        HeaderAgent(
            agent.get("ROLE"), agent.get("TYPE"), agent.get("OTHERTYPE"), xml.text_of(agent.find(f"{_M}name")),
            tuple((note.get(f"{_C}NOTETYPE"), xml.text_of(note)) for note in agent.iterfind(f"{_M}note")),
        )
        for agent in element.iterfind(f"{_M}agent")
    )  # fmt: skip
    return Header(
        element.get("CREATEDATE"), element.get("LASTMODDATE"), element.get("RECORDSTATUS"),
        element.get(f"{_C}OAISPACKAGETYPE"), agents,
        tuple((one.get("TYPE"), xml.text_of(one)) for one in element.iterfind(f"{_M}altRecordID")),
        xml.line_of(element),
    )  # fmt: skip


def _read_reference(element: etree._Element, section: str) -> Reference:
    ref = element.find(f"{_M}mdRef")
    own = (section, _collapsed(element.get("ID")), element.get("CREATED"), element.get("STATUS"))
    if ref is None:
        return Reference(*own, line=xml.line_of(element))
    return Reference(
        *own, ref.get("MDTYPE"), ref.get("OTHERMDTYPE"), ref.get("MDTYPEVERSION"), ref.get("LABEL"),
        _read_core(ref), _location(ref), xml.line_of(element),
    )  # fmt: skip


def _read_file(element: etree._Element, group: Group | None) -> File:
    return File(
        _collapsed(element.get("ID")), _read_core(element),
        tuple(_location(at) for at in element.iterfind(f"{_M}FLocat")),
        _ids(element, "DMDID"), group, xml.line_of(element), _ids(element, "ADMID"),
        (element.get(f"{_S}FILEFORMATREGISTRY"), element.get(f"{_S}FILEFORMATKEY")),
    )  # fmt: skip
