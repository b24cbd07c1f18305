"""A METS document of a package as records: what it says, however it is spelt; nothing is judged here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from lxml import etree

from pipeline.packages.tt05.reading.xml import local, namespace
from pipeline.standards.xml import CSIP, MAX_DEPTH, SIP, XLINK, XSI, Unreadable
from pipeline.tree import ContentDamage

PREFIXES: Final = {CSIP.lower(): "csip:", SIP.lower(): "sip:", XLINK: "xlink:", XSI: "xsi:"}
"""How attributes are called here, whatever prefix and letter case the document gives their namespace."""

MOST_ELEMENTS: Final = 6_000_000
"""Elements of a METS that are read: six for each of a million files."""

_SHORT = 60

SECTIONS: Final = ("dmdSec", "techMD", "rightsMD", "sourceMD", "digiprovMD")


@dataclass(frozen=True, slots=True)
class Agent:
    """`notes` are (csip:NOTETYPE, text); empty strings for what is absent."""

    role: str
    type: str
    other_type: str
    name: str
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Header:
    """`metsHdr`; None for attributes that are absent. `alternatives` are (TYPE, text) of altRecordID."""

    line: int
    created: str | None = None
    modified: str | None = None
    status: str | None = None
    package_type: str | None = None
    agents: tuple[Agent, ...] = ()
    alternatives: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A reference to bytes: the `mdRef` of a section (`what` is the section's name) or a `file` (`what` is `file`).

    `id` is the section's or file's; `group` the place of the file's fileGrp in `Mets.groups`, else -1. Attributes are
    None where absent. `href` as it stands.
    """

    what: str
    id: str
    line: int
    href: str | None
    size: str | None
    checksum: str | None
    checksum_type: str | None
    mime: str | None
    created: str | None
    group: int = -1
    md_type: str | None = None
    other_md_type: str | None = None
    md_version: str | None = None
    metadata: tuple[str, ...] = ()


@dataclass(slots=True)
class Group:
    """A `fileGrp`; `use` from `@USE`, or `@USER` (then `user`)."""

    id: str
    use: str
    line: int
    user: bool
    files: int = 0
    all: int = 0
    """Files directly in it, and with the groups inside."""


@dataclass(slots=True)
class Div:
    """A division. `labels` are those of the divisions around it; `metadata` from `@ADMID` or `@AMDID` (then `amdid`);
    `pointers` are (FILEID, line) of its `fptr`, `references` (href, xlink:title, line) of its `mptr`."""

    id: str
    label: str
    type: str
    line: int
    labels: tuple[str, ...]
    descriptions: tuple[str, ...]
    metadata: tuple[str, ...]
    amdid: bool
    pointers: list[tuple[str, int]] = field(default_factory=list)
    references: list[tuple[str, str, int]] = field(default_factory=list)
    divs: int = 0


@dataclass(slots=True)
class Map:
    """A `structMap` and its divisions in document order."""

    id: str
    label: str
    type: str
    line: int
    divs: list[Div] = field(default_factory=list)


@dataclass(slots=True)
class Mets:
    """What a METS document says. `problem` (line, why) when it could not be read to its end; what stands before counts.

    `root` and `namespace` are those of the root element, `attributes` its attributes by the names of `PREFIXES`.
    `administrative` are (ID, line, number of elements inside) of each `amdSec`. `csip` is False where the namespace of
    the E-ARK attributes is spelt in other letter case.
    """

    problem: tuple[int, str] | None = None
    root: str = ""
    namespace: str = ""
    line: int = 1
    attributes: dict[str, str] = field(default_factory=dict)
    header: Header | None = None
    administrative: list[tuple[str, int, int]] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    sections: list[tuple[str, str, int]] = field(default_factory=list)
    """(name, ID, line) of every section, with an mdRef or without."""
    file_section: int = 0
    """Line of `fileSec`, 0 when there is none."""
    groups: list[Group] = field(default_factory=list)
    maps: list[Map] = field(default_factory=list)
    csip: bool = True

    @property
    def is_mets(self) -> bool:
        return self.root == "mets"

    def files(self) -> Iterator[Named]:
        """The `file` elements."""
        return (one for one in self.named if one.what == "file")

    def sections_named(self) -> Iterator[Named]:
        """The `mdRef` elements."""
        return (one for one in self.named if one.what != "file")

    def divs(self) -> Iterator[Div]:
        """Divisions of all structMaps."""
        return (div for one in self.maps for div in one.divs)

    def group_of(self, file: Named) -> Group | None:
        return self.groups[file.group] if file.group >= 0 else None


@dataclass(frozen=True, slots=True)
class Start:
    """An element as it opens: its name without namespace, and what is known of it."""

    name: str
    namespace: str
    attributes: dict[str, str]
    line: int
    depth: int
    element: etree._Element


def events(source: BinaryIO, most: int = 1 << 30) -> Iterator[tuple[str, Start]]:
    """(`start` or `end`, element) of a document, streamed; comments and instructions are passed over.

    At `end` the element has its text and children's texts; afterwards it is forgotten. Raises Unreadable.
    """
    context = etree.iterparse(
        _Limited(source, most), events=("start", "end", "comment", "pi"), no_network=True, resolve_entities=False,
        load_dtd=False, huge_tree=False,
    )  # fmt: skip
    opened: list[Start] = []
    try:
        for event, element in context:
            if event == "start":
                if not opened and element.getroottree().docinfo.internalDTD is not None:
                    raise Unreadable(1, "the document has a DOCTYPE, which we do not read")
                if len(opened) >= MAX_DEPTH:
                    raise Unreadable(element.sourceline or 0, f"elements are nested deeper than {MAX_DEPTH}")
                start = Start(
                    local(element), namespace(element), attributes_of(element), element.sourceline or 0, len(opened),
                    element,
                )  # fmt: skip
                opened.append(start)
                yield "start", start
            elif event == "end":
                yield "end", opened.pop()
                if opened and opened[-1].name not in _KEPT:
                    _forget(element)
            elif len(opened) and opened[-1].name not in _KEPT:
                _forget(element)
    except etree.XMLSyntaxError as problem:
        raise Unreadable(problem.lineno or 1, problem.msg or "not well-formed") from None
    except (ValueError, LookupError) as problem:
        raise Unreadable(1, str(problem)) from None


_KEPT = frozenset(("metsHdr", "agent"))
"""Elements whose children are read when they end."""


def attributes_of(element: etree._Element) -> dict[str, str]:
    """Attributes by the names of `PREFIXES`; those of other namespaces in Clark's notation."""
    found: dict[str, str] = {}
    for key, value in element.attrib.items():
        name = str(key)
        if name.startswith("{"):
            space, _, rest = name[1:].partition("}")
            prefix = PREFIXES.get(space) or PREFIXES.get(space.lower())
            name = prefix + rest if prefix else name
        text = str(value)
        # IDs are said twice or more, types and times a thousand times.
        found[name] = sys.intern(text) if len(text) < _SHORT else text
    return found


def read_mets(source: BinaryIO, most: int = MOST_ELEMENTS) -> Mets:
    """What the document says, up to `most` elements; never raises on content."""
    reader = _Reader()
    count = 0
    try:
        for event, start in events(source):
            count += event == "start"
            if count > most:
                raise Unreadable(start.line, f"the document has more than {most} elements")
            reader.see(event, start)
    except Unreadable as problem:
        reader.mets.problem = (problem.line, problem.message)
    except ContentDamage:
        reader.mets.problem = (0, "damaged")
    return reader.mets


class _Reader:
    def __init__(self) -> None:
        self.mets = Mets()
        self._groups: list[int] = []
        self._divs: list[Div] = []
        self._section: tuple[str, str, int] | None = None
        self._file: Start | None = None
        self._href: str | None = None

    def see(self, event: str, start: Start) -> None:
        if event == "start":
            if not start.depth:
                self._root(start)
            else:
                self._start(start)
        else:
            self._end(start)

    def _root(self, start: Start) -> None:
        mets = self.mets
        mets.root, mets.namespace, mets.line = start.name, start.namespace, start.line
        mets.attributes = start.attributes
        spaces = {str(uri) for uri in start.element.nsmap.values()}
        if any(uri.lower() == CSIP.lower() and uri != CSIP for uri in spaces):
            mets.csip = False

    def _start(self, start: Start) -> None:
        name, given, mets = start.name, start.attributes, self.mets
        ident = given.get("ID", "")
        if name == "amdSec":
            mets.administrative.append((ident, start.line, 0))
            mets.sections.append((name, ident, start.line))
        elif name in SECTIONS:
            self._section = (name, ident, start.line)
            mets.sections.append(self._section)
        elif name == "mdRef" and self._section is not None:
            what, ident, _ = self._section
            mets.named.append(
                Named(what, ident, start.line, given.get("xlink:href"), *_bytes(given), -1, given.get("MDTYPE"),
                      given.get("OTHERMDTYPE"), given.get("MDTYPEVERSION"))
            )  # fmt: skip
        elif name == "fileSec":
            mets.file_section = start.line
            mets.sections.append((name, ident, start.line))
        elif name == "fileGrp":
            user = "USE" not in given and "USER" in given
            mets.groups.append(Group(ident, given.get("USE", given.get("USER", "")), start.line, user))
            self._groups.append(len(mets.groups) - 1)
        elif name == "file":
            self._file, self._href = start, None
        elif name == "FLocat":
            if self._href is None:
                self._href = given.get("xlink:href")
        elif name == "structMap":
            mets.maps.append(Map(ident, given.get("LABEL", ""), given.get("TYPE", ""), start.line))
        elif name == "div" and mets.maps:
            self._div(start)
        elif name == "fptr" and self._divs:
            self._divs[-1].pointers.append((given.get("FILEID", ""), start.line))
        elif name == "mptr" and self._divs:
            self._divs[-1].references.append((given.get("xlink:href", ""), given.get("xlink:title", ""), start.line))
        if mets.administrative and name in SECTIONS and name != "dmdSec":
            ident, line, inside = mets.administrative[-1]
            mets.administrative[-1] = (ident, line, inside + 1)

    def _div(self, start: Start) -> None:
        given = start.attributes
        amdid = "ADMID" not in given and "AMDID" in given
        div = Div(
            given.get("ID", ""), given.get("LABEL", ""), given.get("TYPE", ""), start.line,
            tuple(one.label for one in self._divs), tuple(given.get("DMDID", "").split()),
            tuple(given.get("ADMID", given.get("AMDID", "")).split()), amdid,
        )  # fmt: skip
        if self._divs:
            self._divs[-1].divs += 1
        self._divs.append(div)
        self.mets.maps[-1].divs.append(div)

    def _end(self, start: Start) -> None:
        name = start.name
        if name == "metsHdr":
            self.mets.header = _header(start)
        elif name in SECTIONS:
            self._section = None
        elif name == "fileGrp" and self._groups:
            self._groups.pop()
        elif name == "file" and self._file is not None:
            given = self._file.attributes
            group = self._groups[-1] if self._groups else -1
            for index in self._groups:
                self.mets.groups[index].all += 1
            if group >= 0:
                self.mets.groups[group].files += 1
            self.mets.named.append(
                Named("file", given.get("ID", ""), self._file.line, self._href, *_bytes(given), group,
                      metadata=tuple(given.get("ADMID", given.get("AMDID", "")).split()))
            )  # fmt: skip
            self._file = None
        elif name == "div" and self._divs:
            self._divs.pop()


def _bytes(given: dict[str, str]) -> tuple[str | None, str | None, str | None, str | None, str | None]:
    return (
        given.get("SIZE"), given.get("CHECKSUM"), given.get("CHECKSUMTYPE"), given.get("MIMETYPE"), given.get("CREATED")
    )  # fmt: skip


def _header(start: Start) -> Header:
    given = start.attributes
    agents: list[Agent] = []
    alternatives: list[tuple[str, str]] = []
    for child in start.element:
        if local(child) == "agent":
            own = attributes_of(child)
            name, notes = "", []
            for part in child:
                if local(part) == "name":
                    name = _text(part)
                elif local(part) == "note":
                    notes.append((attributes_of(part).get("csip:NOTETYPE", "").strip(), _text(part)))
            agents.append(Agent(own.get("ROLE", ""), own.get("TYPE", ""), own.get("OTHERTYPE", ""), name, tuple(notes)))
        elif local(child) == "altRecordID":
            alternatives.append((child.get("TYPE") or "", _text(child)))
    return Header(
        start.line, given.get("CREATEDATE"), given.get("LASTMODDATE"), given.get("RECORDSTATUS"),
        given.get("csip:OAISPACKAGETYPE", given.get("OAISPACKAGETYPE")), tuple(agents), tuple(alternatives),
    )  # fmt: skip


def _text(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext()).strip()


class _Limited:
    """A source that ends with Unreadable where it is longer than we read."""

    def __init__(self, source: BinaryIO, most: int) -> None:
        self._source = source
        self._left = most

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(0, "the document is larger than we read")
        return data


def _forget(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    element.clear()
    while (before := element.getprevious()) is not None:
        parent.remove(before)
