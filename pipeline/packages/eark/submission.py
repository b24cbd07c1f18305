"""An E-ARK package that arrives: what of it goes where in an AIP of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace

from pipeline import names
from pipeline.packages import Received
from pipeline.packages.eark import layout, preservation
from pipeline.packages.eark.descriptive import dublin_core
from pipeline.packages.eark.layout import METS, REPRESENTATIONS
from pipeline.packages.eark.rows import EPOCH, EarkRows, Manifest, opened
from pipeline.packages.held import Held
from pipeline.records import (
    Agent,
    Description,
    Event,
    Link,
    Origin,
    Outcome,
    PackagePath,
    Placement,
    Reading,
    Representation,
    Right,
    Use,
)
from pipeline.standards import mets, premis
from pipeline.standards.mets import Reference
from pipeline.standards.premis import Identifier
from pipeline.standards.vocabularies import loc
from pipeline.standards.xml import Unreadable, parsed_moment
from pipeline.tree import ContentDamage, Tree

PREFIX = "submission/"
"""Before the keys of agents, events and rights that came with the package: they never meet ours."""

MOST = 1000
"""Events, agents and rights of the package that are carried over; all of them stay in the PREMIS files, which are kept
as they came."""

_LINKS = 500
_REFERENCES = 100
_KEPT = b"submission/"


def place(path: PackagePath) -> Placement:
    """Payload keeps its path. Everything else goes, under the whole path it had in the package or representation,
    into a folder `submission` of its use: no two files meet, and none meets what an AIP of ours holds."""
    parts = path.split(b"/")
    representation: str | None = None
    base, within = b"", parts
    if path.startswith(REPRESENTATIONS) and len(parts) > 2:
        # The target is made portable by who asks; the representation is called by what its folder becomes.
        representation = names.portable(PackagePath(parts[1])).decode()
        base, within = b"/".join(parts[:2]) + b"/", parts[2:]
    own = b"/".join(within)
    if representation is not None and len(within) > 1 and within[0] == b"data":
        use, folder = Use.DATA, b""
    elif len(within) > 1 and within[0] == b"schemas":
        use, folder = Use.SCHEMA, b"schemas/" + _KEPT
    elif len(within) > 2 and within[:2] == [b"metadata", b"descriptive"]:
        use, folder = Use.DESCRIPTIVE, b"metadata/descriptive/" + _KEPT
    elif len(within) > 1 and within[0] == b"metadata" or within == [METS]:
        use, folder = Use.PRESERVATION, b"metadata/preservation/" + _KEPT
    else:
        use, folder = Use.DOCUMENTATION, b"documentation/" + _KEPT
    return Placement(path, use, PackagePath(base + folder + own), representation)


def read(tree: Tree, received: Received) -> Reading:
    """Title, representations, descriptions, agents, rights and the package's own events. Never raises on content.

    Representations are the folders that are there; what METS and PREMIS say is added where they can be read.
    """
    reading = _Submission(tree, received)
    with suppress(Unreadable, ContentDamage):
        reading.documents(EarkRows(tree))
    return reading.reading()


@dataclass(slots=True)
class _Told:
    """What METS and PREMIS told, in our words."""

    title: str = ""
    descriptions: dict[PackagePath | None, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    representations: dict[str, Representation] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    rights: dict[str, Right] = field(default_factory=dict)
    origins: dict[PackagePath, Origin] = field(default_factory=dict)
    sources: list[tuple[PackagePath, PackagePath, str | None]] = field(default_factory=list)


class _Submission:
    def __init__(self, tree: Tree, received: Received) -> None:
        self._tree = tree
        self._received = received
        self._named = names.Namer(lambda: (place(entry.path).target for entry in received.entries()))
        self._told = _Told()
        self._files: Held | None = None
        self._folders: dict[str, list[PackagePath]] = {}
        for entry in received.entries():
            found = place(entry.path)
            target = self._named(found.target)
            name = layout.representation_of(target)
            if name is None or (found.representation is None and not entry.is_folder):
                continue
            empty = self._folders.setdefault(name, [])
            data = layout.base_of(name) + b"data/"
            if entry.is_folder and target.startswith(data):
                empty.append(PackagePath(target.removeprefix(data)))

    def reading(self) -> Reading:
        told = self._told
        rows = []
        for name, empty in sorted(self._folders.items()):
            own = told.representations.get(name, Representation(name))
            folders = tuple(sorted({*empty, *own.empty_folders}))
            rows.append(Representation(name, folders, own.source if own.source in self._folders else None))
        whole = told.descriptions.get(None, ())
        title = told.title or next((value for term, value in whole if term == "title"), "")
        title = title or names.shown(self._tree.name)
        if not whole:
            told.descriptions[None] = (("title", title),)
        order = sorted(told.descriptions, key=lambda target: target or b"")
        described = (Description(target, told.descriptions[target]) for target in order)
        for target, source, event in told.sources:
            known = told.origins.get(target, Origin())
            told.origins[target] = replace(known, source=source, event=event if event in told.events else None)
        return Reading(
            title, tuple(rows), tuple(described), tuple(told.agents.values()), tuple(told.rights.values()),
            tuple(told.events.values()), told.origins,
        )  # fmt: skip

    def documents(self, rows: EarkRows) -> None:
        """What the METS and PREMIS documents say; each that cannot be read is passed over."""
        with suppress(Unreadable, ContentDamage):
            identity = rows.identity()
            self._told.title = identity.label
            self._package(rows, identity.root)
        with suppress(Unreadable, ContentDamage):
            for row in rows.representations():
                name = self._representation(layout.base_of(row.name))
                if name is not None:
                    source = row.source and self._representation(layout.base_of(row.source))
                    self._told.representations[name] = replace(row, name=name, source=source)
        for manifest in rows.manifests:
            with suppress(Unreadable, ContentDamage):
                self._manifest(manifest)
            for path in manifest.preservation:
                with suppress(Unreadable, ContentDamage):
                    self._preservation(manifest, path, rows)

    def _package(self, rows: EarkRows, root: str) -> None:
        """How the submission came to be, as one event: its software and people, its numbers, what it points to."""
        head, header = rows.head, rows.header
        if header is None:
            return
        agents = []
        for number, one in enumerate(header.agents[:MOST]):
            software = one.other_type == "SOFTWARE"
            kind = "software" if software else {"INDIVIDUAL": "person"}.get(one.type or "", "organization")
            key = f"{PREFIX}METS/{number + 1}"
            versions = [text for kind_, text in one.notes if kind_ == "SOFTWARE VERSION"]
            notes = [f"{kind_}: {text}" for kind_, text in one.notes if kind_ and kind_ != "SOFTWARE VERSION"]
            notes += [text for kind_, text in one.notes if not kind_]
            told = "; ".join([f"METS ROLE {one.role}", *notes])
            self._told.agents[key] = Agent(key, one.name or "unknown", kind, versions[0] if versions else "", told)
            agents.append((key, "executing program" if software else "implementer"))
        told_of = (("OBJID", head.objid), ("OAISPACKAGETYPE", header.package_type), ("PROFILE", head.profile))
        said = [f"{name}={value or ''}" for name, value in told_of]
        said += [f"altRecordID {kind or ''}={text}" for kind, text in rows.alternatives[:_REFERENCES]]
        said += [f"reference={href}" for href in rows.references[:_REFERENCES]]
        when = parsed_moment(header.created) or EPOCH
        if agents:
            self._event(
                Event("METS", "information package creation", when, when, "; ".join(said), Outcome.SUCCESS, "",
                      tuple(agents), (Link("package", "", "outcome"),))
            )  # fmt: skip

    def _manifest(self, manifest: Manifest) -> None:
        """Descriptions, and what METS calls the metadata it refers to."""
        superseded: list[Reference] = []
        with closing(opened(self._tree, manifest.path)) as source:
            for part in mets.read(source):
                if isinstance(part, mets.Map) or (isinstance(part, mets.Section) and part.name == "fileSec"):
                    break
                if not isinstance(part, Reference) or part.at is None:
                    continue
                path = names.unhref(part.at.href or "", manifest.base)
                if path is None or self._received.entry(path) is None:
                    continue
                kind = layout.metadata_of(part)
                found = place(path)
                if kind not in ("", "DC", "PREMIS") and found.use in (Use.DESCRIPTIVE, Use.PRESERVATION):
                    self._told.origins[self._named(found.target)] = Origin(metadata=kind)
                if part.section == "dmdSec" and part.md_type == "DC":
                    if part.status == "SUPERSEDED":
                        superseded.append(part)
                    else:
                        self._describe(manifest, part, path)
        for part in superseded:
            path = names.unhref(part.at.href or "", manifest.base) if part.at is not None else None
            if path is not None:
                self._describe(manifest, part, path)

    def _describe(self, manifest: Manifest, part: Reference, path: PackagePath) -> None:
        """The first description of a thing that can be read counts; all files are kept."""
        target: PackagePath | None = names.unhref(part.label) if part.label else None
        if target is not None:
            target = self._described(target)
        if target is None and manifest.representation is not None:
            name = self._representation(manifest.base + b"/")
            if name is None:
                return
            target = PackagePath(layout.base_of(name)[:-1])
        if target in self._told.descriptions:
            return
        with suppress(Unreadable, ContentDamage), closing(opened(self._tree, path)) as source:
            terms = dublin_core(source)
            if terms:
                self._told.descriptions[target] = terms

    def _described(self, target: PackagePath) -> PackagePath | None:
        """Where a described file or folder is in our AIP; a representation and its data keep their names. None where
        a label names nothing that is there."""
        parts = target.split(b"/")
        if target.startswith(REPRESENTATIONS) and (len(parts) == 2 or parts[2:] == [b"data"]):
            name = self._representation(b"/".join(parts[:2]) + b"/")
            return None if name is None else PackagePath(b"/".join([layout.base_of(name)[:-1], *parts[2:]]))
        if self._received.entry(target) is None and not self._held().is_folder(target):
            return None
        return self._named(place(target).target)

    def _held(self) -> Held:
        """The files, for labels that name a folder; asked for by few packages."""
        if self._files is None:
            self._files = Held([entry.path for entry in self._received.entries() if not entry.is_folder])
        return self._files

    def _representation(self, base: bytes) -> str | None:
        """What a representation in the folder `base` of the submission is called here; None when it has no file."""
        name = layout.representation_of(self._named(PackagePath(base + b"data/x")))
        return name if name in self._folders else None

    def _preservation(self, manifest: Manifest, path: PackagePath, rows: EarkRows) -> None:
        """Events, agents and rights of one PREMIS document, and what it says of where files come from."""
        root = rows.head.objid or ""
        own = self._owner(manifest)
        created = parsed_moment(rows.header.created if rows.header else None) or EPOCH
        waiting: list[Event] = []
        with closing(opened(self._tree, path)) as source:
            for part in premis.read(source):
                if isinstance(part, premis.Object):
                    self._object(part)
                elif isinstance(part, premis.EventPart):
                    if len(self._told.events) + len(waiting) < MOST:
                        row = preservation.event_row(part, root, created)
                        waiting.append(replace(row, links=self._links(row.links) or own))
                elif isinstance(part, premis.AgentPart):
                    self._agent(part)
                else:
                    self._right(part, own)
                    for grant in part.more:
                        told = replace(part, act=grant.act, start=grant.start, end=grant.end, notes=grant.notes,
                                       restriction=grant.restriction)  # fmt: skip
                        self._right(told, own)
        for event in waiting:
            named = event.agents or (("unknown", ""),)  # AIP16 asks for one
            self._event(replace(event, agents=tuple(self._linked(key, role) for key, role in named)))

    def _linked(self, value: str, role: str) -> tuple[str, str]:
        """An agent as an event names it; a role that the event leaves out is told by what the agent is."""
        key = self._known(value)
        software = self._told.agents[key].type == "software"
        return key, role or ("executing program" if software else "implementer")

    def _owner(self, manifest: Manifest) -> tuple[Link, ...]:
        """The unit whose PREMIS it is: what events are about that link nothing we know."""
        if manifest.representation is None:
            return (Link("package", ""),)
        name = self._representation(manifest.base + b"/")
        return (Link("package", ""),) if name is None else (Link("representation", name),)

    def _links(self, links: Iterable[Link]) -> tuple[Link, ...]:
        return tuple(self._still(links))

    def _still(self, links: Iterable[Link]) -> Iterator[Link]:
        """The links to what is still there under its name: package, representations, files of their data."""
        for number, link in enumerate(links):
            if number >= _LINKS:
                return
            if link.what == "package":
                yield link
            elif link.what == "representation":
                name = self._representation(layout.base_of(str(link.ref)))
                if name is not None:
                    yield replace(link, ref=name)
            elif isinstance(link.ref, bytes) and (target := self._data(link.ref)) is not None:
                yield replace(link, ref=target)

    def _data(self, path: bytes) -> PackagePath | None:
        """Where a payload file of the submission is in our AIP; None when there is none."""
        entry = self._received.entry(PackagePath(path))
        found = place(PackagePath(path))
        return self._named(found.target) if entry is not None and found.use is Use.DATA else None

    def _object(self, part: premis.Object) -> None:
        if part.category != premis.FILE:
            return
        for relation in part.relationships:
            if (relation.type, relation.subtype) != ("derivation", "has source"):
                continue
            target = preservation.path_of(part.identifiers)
            source = preservation.path_of(relation.objects)
            made, origin = (None if path is None else self._data(path) for path in (target, source))
            if made is not None and origin is not None:
                key = PREFIX + relation.events[0].value if relation.events else None
                self._told.sources.append((made, origin, key))

    def _event(self, event: Event) -> None:
        """Keys are the identifiers; a second event of the same one is told apart by its number."""
        key, number = PREFIX + event.key, 1
        while key in self._told.events:
            number += 1
            key = f"{PREFIX}{event.key}#{number}"
        self._told.events[key] = replace(event, key=key)

    def _agent(self, part: premis.AgentPart) -> None:
        row = preservation.agent_row(part)
        key = PREFIX + row.key
        if len(self._told.agents) < MOST:
            kind = row.type.strip().lower()
            kind = kind if kind in loc("agentType") else row.type
            self._told.agents.setdefault(key, replace(row, key=key, name=row.name or row.key or "unknown", type=kind))

    def _known(self, value: str) -> str:
        """The key of an agent; one that the submission names and does not describe gets what is known of it."""
        key = PREFIX + value
        if key not in self._told.agents:
            note = "Named in the PREMIS of the submission and not described there; of which type is not known."
            self._told.agents[key] = Agent(key, value or "unknown", "organization", "", note)
        return key

    def _right(self, part: premis.RightsPart, own: tuple[Link, ...]) -> None:
        if len(self._told.rights) >= MOST:
            return
        row = preservation.right_row(part)
        key, number = PREFIX + row.key, 1
        while key in self._told.rights:
            number += 1
            key = f"{PREFIX}{row.key}#{number}"
        targets = tuple(target for path in row.targets if (target := self._target(path)) is not None)
        if not targets and own and own[0].what == "representation" and not _about_package(part.linked_objects):
            targets = (PackagePath(layout.base_of(str(own[0].ref))[:-1]),)
        self._told.rights[key] = replace(row, key=key, targets=targets)

    def _target(self, path: PackagePath) -> PackagePath | None:
        parts = path.split(b"/")
        if path.startswith(REPRESENTATIONS) and len(parts) == 2:
            name = self._representation(path + b"/")
            return None if name is None else PackagePath(layout.base_of(name)[:-1])
        return self._data(path)


def _about_package(pairs: Iterable[Identifier]) -> bool:
    return any(pair.type == preservation.LOCAL and pair.value.startswith("uuid-") for pair in pairs)
