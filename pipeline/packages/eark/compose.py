"""Rows become the generated files of an E-ARK AIP: descriptions, PREMIS, METS."""

from __future__ import annotations

import heapq
import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from pipeline import VERSION, names
from pipeline.packages import Generated
from pipeline.packages.eark import layout, preservation
from pipeline.packages.eark.layout import PROFILES, base_of, file_id, identifier, relative
from pipeline.records import Description, FileRow, PackagePath, Representation, Rows, Use
from pipeline.standards import dc, mets, premis
from pipeline.standards.mets import Core, Div, File, Group, Head, Header, HeaderAgent, Location, Map, Pointer, Reference
from pipeline.standards.premis import AgentPart, EventPart, Object
from pipeline.standards.vocabularies import eark, media_type
from pipeline.standards.xml import Sink, moment

_GROUPS = (Use.DATA, Use.DOCUMENTATION, Use.SCHEMA)

_FOLDERS = {
    Use.DATA: b"data/",
    Use.DOCUMENTATION: b"documentation/",
    Use.SCHEMA: b"schemas/",
    Use.DESCRIPTIVE: b"metadata/",
    Use.PRESERVATION: b"metadata/",
}


def compose(rows: Rows, folder: Path, package: str = "AIP") -> Iterator[Generated]:
    """Writes the generated files below `folder`, in write order, root METS last; each is complete when yielded.

    ValueError for rows that cannot become an AIP (see `_verify`).
    """
    writing = _Composition(rows, folder, package)
    yield from writing.descriptions()
    manifests = []
    for row in writing.representations:
        yield writing.preservation(row)
        manifests.append(writing.manifest(row))
        yield manifests[-1]
    yield writing.preservation(None)
    yield writing.root_manifest(manifests)


class _Composition:
    def __init__(self, rows: Rows, folder: Path, package: str) -> None:
        self.package = package
        self.rows = rows
        self.folder = folder
        self.aip = rows.identity()
        self.representations = tuple(rows.representations())
        self.agents = {agent.key: agent for agent in rows.agents()}
        self.now = moment(self.aip.modified)
        self.written: dict[bytes, Generated] = {}
        _verify(rows, {row.name for row in self.representations}, set(self.agents))

    def descriptions(self) -> Iterator[Generated]:
        """The Dublin Core of the package and of its parts."""
        for description in self.rows.descriptions():
            path = layout.description_path(self.aip, description.target)
            with self._file(path) as out:
                dc.write(out, description.terms)
            yield self._done(path, out, Use.DESCRIPTIVE)

    def preservation(self, representation: Representation | None) -> Generated:
        """PREMIS of a representation, or of the package."""
        name = None if representation is None else representation.name
        named: set[str] = set() if name is not None else set(self.agents)
        path = PackagePath(base_of(name) + layout.PREMIS)
        with self._file(path) as out:
            premis.write(
                out,
                self._objects(representation),
                self._events(name, named),
                self._agents(named),
                () if name is not None else (preservation.rights_part(self.aip, right) for right in self.rows.rights()),
            )
        made = self._done(path, out, Use.PRESERVATION)
        self.written[path] = made
        return made

    def manifest(self, representation: Representation) -> Generated:
        """METS of a representation."""
        name = representation.name
        path = PackagePath(base_of(name) + layout.METS)
        head = Head(name, representation.name, *self._kind(), "OTHER", "none", PROFILES[self.package])
        section = _Sections(self, name)
        groups = section.groups()
        with self._file(path) as out:
            mets.write(
                out,
                head,
                self._header(),
                section.described(),
                (section.id("amdSec"), section.administered()),
                (section.id("fileSec"), section.preserved() if groups is None else groups),
                lambda: (section.map(), section.div(name, ())),
            )
        return self._done(path, out, Use.METS)

    def root_manifest(self, manifests: list[Generated]) -> Generated:
        """METS of the package."""
        head = Head(self.aip.root, self.aip.label or None, *self._kind(), "MIXED", None, PROFILES[self.package])
        section = _Sections(self, None)
        groups = section.groups()
        members = [
            (row, Group(section.id(f"fileGrp {row.name}"), f"Representations/{row.name}", "OTHER", "none"), made)
            for row, made in zip(self.representations, manifests, strict=True)
        ]
        pointed = tuple(
            Div(
                section.id(f"div {row.name}"),
                f"Representations/{row.name}",
                pointers=(
                    Pointer("mptr", title=group.id, at=Location(relative(made.path, b""))),
                    Pointer("fptr", file_id(self.aip, made.path)),
                ),
            )
            for row, group, made in members
        )
        listed = ((group, iter((self.listed(made, b""),))) for _, group, made in members)
        path = PackagePath(layout.METS)
        with self._file(path) as out:
            mets.write(
                out,
                head,
                self._header(),
                section.described(),
                (section.id("amdSec"), section.administered()),
                (section.id("fileSec"), chain(groups or (), listed)),
                lambda: (section.map(), section.div(self.aip.root, pointed)),
            )
        return self._done(path, out, Use.METS)

    def _objects(self, representation: Representation | None) -> Iterator[Object]:
        if representation is None:
            yield preservation.entity_object(self.aip)
            if self.aip.origin:
                yield Object(premis.ENTITY, (preservation.origin_identifier(self.aip),))
            for row in self.representations:
                yield preservation.representation_object(self.aip, row, whole=False)
        else:
            yield preservation.representation_object(self.aip, representation, whole=True)
        for file in self.files(None if representation is None else representation.name):
            yield preservation.file_object(self.aip, file)

    def _events(self, name: str | None, named: set[str]) -> Iterator[EventPart]:
        for event in self.rows.events():
            if layout.place_of_event(event.links) == name:
                named.update(key for key, _ in event.agents)
                yield preservation.event_part(self.aip, event)

    def _agents(self, named: set[str]) -> Iterator[AgentPart]:
        """Asked for after the events, when all names are known."""
        for key in sorted(named):
            yield preservation.agent_part(self.agents[key])

    def files(self, name: str | None) -> Iterator[FileRow]:
        """Files of a representation, or those of the package that belong to none, by path.

        What we wrote is left out: who keeps the rows may add it to them while we go on.
        """
        if name is not None:
            return (row for row in self.rows.files(representation=name) if not layout.is_generated(row.path))
        uses = (Use.DOCUMENTATION, Use.SCHEMA, Use.DESCRIPTIVE, Use.PRESERVATION)
        return heapq.merge(*(self.own_files(use, None) for use in uses), key=lambda row: row.path)

    def own_files(self, use: Use, name: str | None) -> Iterator[FileRow]:
        """Files of one use of a representation, or of the package itself."""
        rows = self.rows.files(use) if name is None else self.rows.files(use, name)
        return (row for row in rows if row.representation == name and not layout.is_generated(row.path))

    def _kind(self) -> tuple[str, str | None]:
        known = self.aip.type in eark("content category") and self.aip.type != "Other"
        return (self.aip.type, None) if known else ("Other", self.aip.type)

    def _header(self) -> Header:
        software = HeaderAgent("CREATOR", "OTHER", "SOFTWARE", "luutru", (("SOFTWARE VERSION", VERSION),))
        status = "NEW" if self.aip.version == 1 or self.package == "DIP" else "VERSION"
        return Header(moment(self.aip.created), self.now, status, self.package, (software,))

    def listed(self, made: Generated, base: bytes) -> File:
        """A generated file as an entry of a file group, in the METS of the folder `base`."""
        core = Core("text/xml", str(made.size), self.now, made.sha256)
        return File(file_id(self.aip, made.path), core, (Location(relative(made.path, base)),))

    def _file(self, path: PackagePath) -> _Out:
        return _Out(self.folder / path.decode())

    def _done(self, path: PackagePath, out: _Out, use: Use) -> Generated:
        return Generated(path, out.target, out.size, out.sha256, use)


class _Out(Sink):
    """A file being written, closed at the end of its block."""

    def __init__(self, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        self.target = target
        self._stream = target.open("wb")
        super().__init__(self._stream)

    def __enter__(self) -> _Out:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class _Sections:
    """The sections of one METS; remembers the ids its divisions name."""

    def __init__(self, writing: _Composition, name: str | None) -> None:
        self._writing = writing
        self._name = name
        self._base = base_of(name)
        self._described: list[str] = []
        self._administered: list[str] = []
        self._grouped: list[tuple[str, str]] = []

    def id(self, what: str) -> str:
        return identifier(self._writing.aip, what, self._base)

    def described(self) -> Iterator[Reference]:
        """One dmdSec for each description and each descriptive file that came."""
        writing = self._writing
        for one in _descriptions_of(writing.rows, self._name):
            content = io.BytesIO()
            sink = Sink(content)
            dc.write(sink, one.terms)
            reference = identifier(writing.aip, "dmdSec", one.target or b"")
            if one.target is None or writing.rows.file(one.target) is None:
                self._described.append(reference)
            yield Reference(
                "dmdSec", reference, writing.now, "CURRENT", "DC",
                label=None if one.target is None else names.href(one.target),
                core=Core("text/xml", str(sink.size), writing.now, sink.sha256),
                at=Location(relative(layout.description_path(writing.aip, one.target), self._base)),
            )  # fmt: skip
        for row in writing.own_files(Use.DESCRIPTIVE, self._name):
            self._described.append(identifier(writing.aip, "dmdSec", b"file " + row.path))
            yield self._submitted("dmdSec", self._described[-1], row)

    def administered(self) -> Iterator[Reference]:
        """One digiprovMD for our PREMIS and each preservation file that came."""
        writing = self._writing
        path = self._base + layout.PREMIS
        made = writing.written[path]
        self._administered.append(identifier(writing.aip, "digiprovMD", path))
        yield Reference(
            "digiprovMD", self._administered[-1], writing.now, "CURRENT", "PREMIS", None, premis.VERSION, None,
            Core("text/xml", str(made.size), writing.now, made.sha256), Location(relative(path, self._base)),
        )  # fmt: skip
        for row in writing.own_files(Use.PRESERVATION, self._name):
            self._administered.append(identifier(writing.aip, "digiprovMD", b"file " + row.path))
            yield self._submitted("digiprovMD", self._administered[-1], row)

    def groups(self) -> Iterator[tuple[Group, Iterator[File]]] | None:
        """The file groups that have a file; None when none has."""
        writing = self._writing
        begun = []
        for use in _GROUPS:
            rows = writing.own_files(use, self._name)
            first = next(rows, None)
            if first is not None:
                begun.append((use, chain((first,), rows)))
        if not begun:
            return None
        return self._grouped_files(begun)

    def preserved(self) -> Iterator[tuple[Group, Iterator[File]]]:
        """What stands in for file groups where there are no files: a fileSec must be there and name a file (CSIP58,
        66), so it names our PREMIS once more."""
        made = self._writing.written[self._base + layout.PREMIS]
        group = Group(self.id("fileGrp Metadata"), "Metadata")
        yield group, iter((self._writing.listed(made, self._base),))

    def _grouped_files(
        self, begun: list[tuple[Use, chain[FileRow]]]
    ) -> Iterator[tuple[Group, Iterator[File]]]:
        for use, rows in begun:
            group = self.id(f"fileGrp {use}")
            self._grouped.append((str(use), group))
            yield Group(group, str(use)), self._files(rows)

    def map(self) -> Map:
        return Map(self.id("structMap"), "PHYSICAL", "CSIP")

    def div(self, label: str, more: tuple[Div, ...]) -> Div:
        """The division of the package or representation; asked for when everything else is written."""
        metadata = Div(
            self.id("div Metadata"), "Metadata", tuple(self._administered), tuple(self._described)
        )
        groups = tuple(
            Div(self.id(f"div {use}"), use, pointers=(Pointer("fptr", group),)) for use, group in self._grouped
        )
        return Div(self.id("div"), label, divs=(metadata, *groups, *more))

    def _files(self, rows: Iterator[FileRow]) -> Iterator[File]:
        aip = self._writing.aip
        targets = (one.target for one in _descriptions_of(self._writing.rows, self._name) if one.target is not None)
        target = next(targets, None)
        for row in rows:
            while target is not None and target < row.path:
                target = next(targets, None)
            described = (identifier(aip, "dmdSec", row.path),) if target == row.path else ()
            yield File(
                file_id(aip, row.path), _core(row), (Location(relative(row.path, self._base)),), described
            )

    def _submitted(self, section: str, reference: str, row: FileRow) -> Reference:
        kind, _, other = (row.metadata or f"OTHER {layout.SUBMITTED}").partition(" ")
        return Reference(
            section, reference, self._writing.now, "CURRENT", kind, other or None, None, None,
            _core(row), Location(relative(row.path, self._base)),
        )  # fmt: skip


def _core(row: FileRow) -> Core:
    return Core(media_type(row.mime), str(row.size), moment(row.created), row.sha256)


def _descriptions_of(rows: Rows, name: str | None) -> Iterator[Description]:
    """Descriptions that stand in the METS of a representation, or of the package."""
    for one in rows.descriptions():
        if (None if one.target is None else layout.representation_of(one.target)) == name:
            yield one


def _verify(rows: Rows, representations: set[str], agents: set[str]) -> None:
    """Rows that no AIP can be made of are our own fault: ValueError says which.

    Asked: at least one representation, documentation and schema file (CSIP114, 60, 113); files in strict order of
    path, each in the folder of its use (`data/`, `documentation/`, `schemas/`, `metadata/`) of the package or of its
    representation; data belongs to a representation; nothing where we write; agents of events described (AIP18);
    one description for a target; descriptions and events about representations that exist.
    """
    if not representations:
        raise ValueError("an AIP without representation")
    for use in (Use.DOCUMENTATION, Use.SCHEMA):
        if not any(row.representation is None for row in rows.files(use)):
            raise ValueError(f"an AIP without {use}")
    last = b""
    for row in rows.files():
        if row.path <= last or not names.inside(row.path):
            raise ValueError(f"path out of order or climbing: {row.path!r}")
        last = row.path
        if row.use is Use.METS or layout.is_generated(row.path):
            raise ValueError(f"{row.path!r} is where we write")
        if row.representation is not None and row.representation not in representations:
            raise ValueError(f"no place for {row.path!r}")
        apart = row.representation is None and row.use is Use.DATA
        if apart or not row.path.startswith(base_of(row.representation) + _FOLDERS[row.use]):
            raise ValueError(f"{row.path!r} does not lie where its use and representation say")
    before: PackagePath | None = None
    for number, one in enumerate(rows.descriptions()):
        if number and (one.target is None or one.target == before):
            raise ValueError(f"described twice: {one.target!r}")
        before = one.target
        name = None if one.target is None else layout.representation_of(one.target)
        if name is not None and name not in representations:
            raise ValueError(f"describes what is not there: {one.target!r}")
    for event in rows.events():
        place = layout.place_of_event(event.links)
        if (place is not None and place not in representations) or any(key not in agents for key, _ in event.agents):
            raise ValueError(f"event {event.key!r} names an unknown representation or agent")
