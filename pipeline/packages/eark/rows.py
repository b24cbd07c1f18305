"""METS, PREMIS and Dublin Core of an AIP become rows again."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from pipeline import names
from pipeline.errors import SystemProblem
from pipeline.packages.eark import layout, preservation
from pipeline.records import (
    Agent,
    AipIdentity,
    Description,
    Event,
    FileRow,
    MemoryRows,
    PackagePath,
    Representation,
    Right,
    Use,
)
from pipeline.standards import dc, mets, premis
from pipeline.standards.mets import Core, Reference
from pipeline.standards.xml import Unreadable, parsed_moment
from pipeline.tree import Tree

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a time that a package of others does not tell."""

_Referenced = tuple[PackagePath, str, Core, Use, str]
"""Path, id in METS, what METS says of the bytes, use, MDTYPE as FileRow's `metadata`."""

_USES = {"documentation": Use.DOCUMENTATION, "schemas": Use.SCHEMA}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A METS of the package and the PREMIS files it names; `representation` is None for the package's own."""

    path: PackagePath
    representation: str | None
    preservation: tuple[PackagePath, ...]

    @property
    def base(self) -> bytes:
        """Folder of the METS, without slash at its end; empty for the package's own."""
        return self.path.rpartition(b"/")[0]


class EarkRows:
    """Rows of an E-ARK AIP, streamed from its METS and PREMIS; may be iterated again.

    Orders are those of `Rows` for an AIP that we composed, and memory does not grow with it, but for the keys of the
    events that made files; `file` searches from the start of a representation. Of a package of others all that can be
    told in our words comes, in its own order, and `read_rows` sorts it. Raises Unreadable where METS, PREMIS or a
    description is no XML that we read.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.references: list[str] = []
        """What divisions of the root METS point to outside the package: parents and children of a split one."""
        self._head, self._header, self._root, members = _root(tree, self.references)
        self._manifests = [self._root, *members]
        agents = self._header.agents if self._header is not None else ()
        self._ours = any(agent.name == "luutru" and agent.role == "CREATOR" for agent in agents)
        self._keys: dict[str, str] | None = None

    @property
    def head(self) -> mets.Head:
        """The root element of the package's own METS."""
        return self._head

    @property
    def header(self) -> mets.Header | None:
        """The header of the package's own METS."""
        return self._header

    @property
    def alternatives(self) -> tuple[tuple[str | None, str], ...]:
        """(TYPE, value) of each altRecordID."""
        return self._header.alternatives if self._header is not None else ()

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """The package's own METS, then those of its representations by folder."""
        return tuple(self._manifests)

    def identity(self) -> AipIdentity:
        head, header = self._head, self._header
        created = parsed_moment(header.created if header else None) or EPOCH
        kind = head.type or ""
        return AipIdentity(
            (head.objid or "").removeprefix("uuid-"),
            self._version(),
            head.label or "",
            (head.other_type or kind) if kind == "Other" else kind,
            created,
            parsed_moment(header.modified if header else None) or created,
        )

    def representations(self) -> Iterator[Representation]:
        for manifest in sorted(self._manifests[1:], key=lambda one: one.representation or ""):
            found = Representation(manifest.representation or "")
            for part in self._parts(manifest):
                if not isinstance(part, premis.Object):
                    break
                if part.category == premis.REPRESENTATION:
                    row = preservation.representation_row(part)
                    if row is not None and row.name == manifest.representation:
                        found = row
                        break
            yield found

    def files(self, use: Use | None = None, representation: str | None = None) -> Iterator[FileRow]:
        later: list[Iterator[FileRow]] = []
        for manifest in self._manifests:
            if representation is not None and manifest.representation != representation:
                continue
            rows = self._files_of(manifest, use)
            if manifest.representation is not None:
                yield from rows
                continue
            for row in rows:
                if row.path > layout.REPRESENTATIONS and self._ours:
                    later.append(_with(row, rows))
                    break
                yield row
        for rows in later:
            yield from rows

    def file(self, path: PackagePath) -> FileRow | None:
        name = layout.representation_of(path)
        for manifest in self._manifests:
            if manifest.representation == name:
                return next((row for row in self._files_of(manifest, None) if row.path == path), None)
        return None

    def descriptions(self) -> Iterator[Description]:
        streams = [self._descriptions_of(manifest) for manifest in self._manifests]
        return heapq.merge(*streams, key=lambda one: (one.target is not None, one.target or b""))

    def events(self) -> Iterator[Event]:
        return heapq.merge(*(self._events_of(manifest) for manifest in self._manifests), key=lambda event: event.key)

    def agents(self) -> Iterator[Agent]:
        found: dict[str, Agent] = {}
        for manifest in self._manifests:
            for part in self._parts(manifest):
                if isinstance(part, premis.AgentPart):
                    row = preservation.agent_row(part)
                    found.setdefault(row.key, row)
        return iter(found[key] for key in sorted(found))

    def rights(self) -> Iterator[Right]:
        found: dict[str, Right] = {}
        for manifest in self._manifests:
            for part in self._parts(manifest):
                if isinstance(part, premis.RightsPart):
                    row = preservation.right_row(part)
                    found.setdefault(row.key, row)
        return iter(found[key] for key in sorted(found))

    def events_of_package(self) -> Iterator[Event]:
        """Those that stand in the package's own PREMIS."""
        return self._events_of(self._root)

    def _version(self) -> int:
        for part in self._parts(self._root):
            if isinstance(part, premis.Object) and part.category == premis.ENTITY:
                for kind, value in part.properties:
                    if kind == preservation.AIP_FORMAT and value != str(preservation.FORMAT):
                        raise SystemProblem("SYS-FORMAT", what="AIP", found=value, known=preservation.FORMAT)
                for kind, value in part.properties:
                    if kind == preservation.AIP_VERSION and value.isascii() and value.isdigit() and len(value) < 10:
                        return int(value)
            break
        return 1

    def _parts(self, manifest: Manifest) -> Iterator[premis.Part]:
        for path in manifest.preservation:
            with closing(opened(self._tree, path)) as source:
                yield from premis.read(source)

    def _mets(self, manifest: Manifest) -> Iterator[mets.Part]:
        with closing(opened(self._tree, manifest.path)) as source:
            yield from mets.read(source)

    def _events_of(self, manifest: Manifest) -> Iterator[Event]:
        created = parsed_moment(self._header.created if self._header else None) or EPOCH
        for part in self._parts(manifest):
            if isinstance(part, premis.EventPart):
                yield preservation.event_row(part, self._head.objid or "", created)

    def _descriptions_of(self, manifest: Manifest) -> Iterator[Description]:
        for part in self._mets(manifest):
            if isinstance(part, mets.Section | mets.Group | mets.Map):
                return
            if not isinstance(part, Reference) or part.section != "dmdSec" or part.md_type != "DC":
                continue
            path = _path(part, manifest)
            if path is None:
                continue
            with closing(opened(self._tree, path)) as source:
                terms = dc.read(source)
            target = names.unhref(part.label) if part.label else None
            if target is None and manifest.representation is not None:
                target = PackagePath(manifest.base)
            yield Description(target, terms)

    def _files_of(self, manifest: Manifest, use: Use | None) -> Iterator[FileRow]:
        known = _Characteristics(self._parts(manifest), self._ours)
        for path, file_id, core, found, kind in self._referenced(manifest, use):
            yield self._row(path, core, found, manifest.representation, known.of(path, file_id), kind)

    def _referenced(self, manifest: Manifest, use: Use | None) -> Iterator[_Referenced]:
        """Files by path where folders are as we make them: data, documentation, metadata, schemas."""
        submitted = self._submitted(manifest, use)
        pending = True
        if use in (None, Use.DATA, Use.DOCUMENTATION, Use.SCHEMA):
            for part in self._mets(manifest):
                if not isinstance(part, mets.File) or not part.at:
                    continue
                found = _use_of(part, manifest)
                path = names.unhref(part.at[0].href or "", manifest.base)
                if path is None or found is None or use not in (None, found):
                    continue
                if pending and found is Use.SCHEMA:
                    pending = False
                    yield from submitted
                yield path, part.id or "", part.core, found, ""
        if pending:
            yield from submitted

    def _submitted(self, manifest: Manifest, use: Use | None) -> Iterator[_Referenced]:
        streams = [
            self._metadata(manifest, wanted)
            for wanted in (Use.DESCRIPTIVE, Use.PRESERVATION)
            if use in (None, wanted)
        ]
        return heapq.merge(*streams, key=lambda found: found[0])

    def _metadata(self, manifest: Manifest, use: Use) -> Iterator[_Referenced]:
        for part in self._mets(manifest):
            if isinstance(part, mets.Map) or (isinstance(part, mets.Section) and part.name == "fileSec"):
                return
            if not isinstance(part, Reference) or part.core is None or part.md_type in ("DC", "PREMIS"):
                continue
            path = _path(part, manifest)
            if path is not None and (part.section == "dmdSec") == (use is Use.DESCRIPTIVE):
                yield path, part.id or "", part.core, use, layout.metadata_of(part)

    def _row(
        self, path: PackagePath, core: Core, use: Use, representation: str | None, one: premis.Object | None, kind: str
    ) -> FileRow:
        mime = core.mime or ""
        said = core.size or ""
        size = int(said) if said.isascii() and said.isdigit() and len(said) < 20 else 0
        created = parsed_moment(core.created) or EPOCH
        digest = (core.checksum or "").lower() if core.checksum_type == "SHA-256" else ""
        if one is None:
            return FileRow(path, size, digest, use, mime, created, representation, metadata=kind)
        form, mime = preservation.format_of(one.formats[0], mime) if one.formats else (None, mime)
        source: PackagePath | None = None
        made_by = one.linked_events[:1]
        for relation in one.relationships:
            if relation.type == "derivation" and relation.subtype == "has source":
                source = preservation.path_of(relation.objects)
                made_by = relation.events[:1]
        changed = next((value for kind, value in one.properties if kind == preservation.LAST_MODIFIED), None)
        return FileRow(
            path, size, digest, use, mime, created, representation,
            None if one.original_name is None else preservation.read_name(one.original_name),
            form, source, self._key(made_by[0].value) if made_by else None, parsed_moment(changed), kind,
            preservation.characteristics_of(one),
        )  # fmt: skip

    def _key(self, event: str) -> str:
        if self._keys is None:
            self._keys = {
                part.identifier.value: preservation.event_key(part)
                for manifest in self._manifests
                for part in self._parts(manifest)
                if isinstance(part, premis.EventPart)
            }
        return self._keys.get(event, event)


def read_rows(tree: Tree) -> MemoryRows:
    """All rows of an AIP in memory. Raises as EarkRows does."""
    rows = EarkRows(tree)
    return MemoryRows(
        rows.identity(),
        tuple(rows.representations()),
        tuple(sorted(rows.files(), key=lambda row: row.path)),
        tuple(rows.descriptions()),
        tuple(sorted(rows.events(), key=lambda row: row.key)),
        tuple(rows.agents()),
        tuple(rows.rights()),
    )


def opened(tree: Tree, path: PackagePath) -> BinaryIO:
    """A file of the package; one that is not there cannot be read either."""
    try:
        return tree.open(path)
    except KeyError:
        raise Unreadable(0, f"{names.shown(path)} is not in the package") from None


def _root(tree: Tree, references: list[str]) -> tuple[mets.Head, mets.Header | None, Manifest, list[Manifest]]:
    """Head and header of the root METS, and the manifests."""
    head = mets.Head(None, is_mets=False)
    header: mets.Header | None = None
    named: list[PackagePath] = []
    members: dict[bytes, str] = {}
    root = PackagePath(layout.METS)
    with closing(opened(tree, root)) as source:
        for part in mets.read(source):
            if isinstance(part, mets.Head):
                head = part
            elif isinstance(part, mets.Header):
                header = part
            elif isinstance(part, Reference):
                named += _preservation(part, b"")
            elif isinstance(part, mets.Pointed):
                path = _there(tree, layout.manifests_of(part))
                if path is not None:
                    members[path] = layout.representation_of(path) or ""
                elif part.pointer.at is not None and part.pointer.at.href:
                    references.append(part.pointer.at.href)
    if not head.is_mets:
        raise Unreadable(1, "METS.xml is not METS")
    manifests = []
    for member in sorted(members):
        own: list[PackagePath] = []
        with closing(opened(tree, PackagePath(member))) as source:
            for part in mets.read(source):
                if isinstance(part, Reference):
                    own += _preservation(part, member.rpartition(b"/")[0])
                elif isinstance(part, mets.Map) or (isinstance(part, mets.Section) and part.name == "fileSec"):
                    break
        manifests.append(Manifest(PackagePath(member), members[member], tuple(own)))
    return head, header, Manifest(root, None, tuple(named)), manifests


def _there(tree: Tree, paths: list[PackagePath]) -> PackagePath | None:
    """The first of these that the package has; the first of all where it has none."""
    for path in paths:
        with suppress(Unreadable):
            opened(tree, path).close()
            return path
    return paths[0] if paths else None


def _preservation(part: Reference, base: bytes) -> list[PackagePath]:
    path = names.unhref(part.at.href or "", base) if part.at is not None else None
    return [path] if path is not None and part.section == "digiprovMD" and part.md_type == "PREMIS" else []


def _path(part: Reference, manifest: Manifest) -> PackagePath | None:
    return names.unhref(part.at.href or "", manifest.base) if part.at is not None else None


def _use_of(part: mets.File, manifest: Manifest) -> Use | None:
    """What a file is for, by the USE of its groups; None for METS and for metadata, which the sections tell of."""
    if part.group is None:
        return None
    words = [(use or "").lower().split("/") for use in (*part.group.parents, part.group.use)]
    for group in words:
        for word in group:
            if word in _USES:
                return _USES[word]
            if word == "metadata":
                return None
    return Use.DATA if manifest.representation is not None else None


def _with(first: FileRow, rest: Iterable[FileRow]) -> Iterator[FileRow]:
    yield first
    yield from rest


class _Characteristics:
    """Finds the PREMIS object of a file while both are streamed in the same order."""

    def __init__(self, parts: Iterator[premis.Part], ordered: bool) -> None:
        self._parts = parts
        self._ordered = ordered
        self._pending: dict[bytes | str, premis.Object] = {}

    def of(self, path: PackagePath, file_id: str) -> premis.Object | None:
        found = self._pending.pop(path, None) or self._pending.pop(file_id, None)
        while found is None:
            part = next(self._parts, None)
            if part is None:
                return None
            if not isinstance(part, premis.Object) or part.category != premis.FILE:
                continue
            own = preservation.path_of(part.identifiers)
            values = {pair.value for pair in part.identifiers}
            if own == path or file_id in values:
                found = part
            elif not self._ordered or own is None or own > path:
                self._pending.update(dict.fromkeys(values if own is None else {own, *values}, part))
        return found
