"""An E-ARK AIP that arrives: how it is told from other packages, and what of it goes where in ours."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from itertools import islice

from pipeline import names
from pipeline.packages import Recognition
from pipeline.packages.eark.layout import METS, REPRESENTATIONS
from pipeline.packages.eark.rows import EarkRows, opened
from pipeline.records import Agent, Description, Event, PackagePath, Placement, Reading, Representation, Right, Use
from pipeline.standards import mets
from pipeline.standards.xml import Unreadable
from pipeline.tree import ContentDamage, Tree

PREFIX = "submission/"
"""Before the keys of agents, events and rights that came with the package: they never meet ours."""

EVENTS = 1000
"""Events of the package that are carried over; all of them stay in the PREMIS files, which are kept as they came."""

_SNIFFED = 1 << 16
_PACKAGE_TYPE = re.compile(rb"""OAISPACKAGETYPE\s*=\s*["']AIP["']|E-ARK-AIP""")
_VERSION = re.compile(r"-v(\d+)-(\d+)-(\d+)\.xml$")

_KEPT = b"submission/"


def recognise(tree: Tree) -> Recognition | None:
    """`eark-aip` when METS.xml says OAISPACKAGETYPE AIP, or names the AIP profile, even where it is damaged."""
    try:
        source = tree.open(PackagePath(METS))
    except KeyError:
        return None
    profile, kind = "", ""
    with closing(source):
        try:
            for part in mets.read(source):
                if isinstance(part, mets.Head):
                    if not part.is_mets:
                        return None
                    profile = part.profile or ""
                else:
                    kind = (part.package_type or "") if isinstance(part, mets.Header) else ""
                    break
        except (Unreadable, ContentDamage):
            kind = "AIP" if _sniffed(tree) else ""
    version = _VERSION.search(profile)
    shown = ".".join(version.groups()) if version else ""
    if kind == "AIP":
        return Recognition("eark-aip", shown, "METS.xml says csip:OAISPACKAGETYPE AIP")
    if not kind and "E-ARK-AIP" in profile:
        return Recognition("eark-aip", shown, "METS.xml names the METS profile of the E-ARK AIP")
    return None


def _sniffed(tree: Tree) -> bool:
    try:
        with closing(opened(tree, PackagePath(METS))) as source:
            return _PACKAGE_TYPE.search(source.read(_SNIFFED)) is not None
    except (Unreadable, ContentDamage):
        return False


def place(path: PackagePath) -> Placement:
    """Payload, documentation and foreign metadata keep their paths; METS, PREMIS, descriptions and schemas of the
    package go into a folder `submission` beside ours."""
    parts = path.split(b"/")
    representation: str | None = None
    base, within = b"", parts
    if path.startswith(REPRESENTATIONS) and len(parts) > 2:
        folder = names.portable(PackagePath(parts[1]))
        representation = folder.decode()
        base, within = REPRESENTATIONS + folder + b"/", parts[2:]
    top, rest = within[0], b"/".join(within[1:])
    use, target = Use.DOCUMENTATION, b"documentation/" + _KEPT + b"/".join(within)
    if rest and top == b"data" and representation is not None:
        use, target = Use.DATA, b"data/" + rest
    elif rest and top == b"documentation":
        target = b"documentation/" + rest
    elif rest and top == b"schemas":
        use, target = Use.SCHEMA, b"schemas/" + _KEPT + rest
    elif rest and top == b"metadata":
        section, slash, last = rest.partition(b"/")
        use = Use.DESCRIPTIVE if section == b"descriptive" else Use.PRESERVATION
        kept = section + b"/" + _KEPT + last if slash else _KEPT + rest
        target = b"metadata/" + kept
    elif not rest and top == METS:
        use, target = Use.PRESERVATION, b"metadata/preservation/" + _KEPT + METS
    return Placement(path, use, names.portable(PackagePath(base + target)), representation)


def read(tree: Tree) -> Reading:
    """Title, representations, descriptions, agents, rights and the package's own events. Never raises on content."""
    try:
        rows = EarkRows(tree)
        identity = rows.identity()
        representations = tuple(map(_portable, rows.representations()))
        described: dict[PackagePath | None, Description] = {}
        for one in rows.descriptions():
            target = None if one.target is None else _described(one.target)
            described.setdefault(target, replace(one, target=target))
        known = {row.name for row in representations}
        return Reading(
            identity.label or identity.root,
            representations,
            tuple(described[target] for target in sorted(described, key=lambda target: target or b"")),
            tuple(map(_agent, rows.agents())),
            tuple(map(_right, rows.rights())),
            tuple(_event(event, known) for event in islice(rows.events_of_package(), EVENTS)),
        )
    except (Unreadable, ContentDamage):
        return Reading(names.shown(tree.name))


def _described(target: PackagePath) -> PackagePath:
    """Where a described file or folder is in our AIP; folders that we keep keep their names."""
    parts = target.split(b"/")
    if target.startswith(REPRESENTATIONS) and len(parts) > 1:
        parts = parts[2:]
    if not parts or parts == [b"data"] or parts == [b"documentation"]:
        return names.portable(target)
    return place(target).target


def _portable(row: Representation) -> Representation:
    return replace(row, name=names.portable(PackagePath(row.name.encode())).decode())


def _agent(row: Agent) -> Agent:
    return replace(row, key=PREFIX + row.key)


def _right(row: Right) -> Right:
    return replace(row, key=PREFIX + row.key)


def _event(row: Event, known: set[str]) -> Event:
    """The event with links to what is still there under its name: the package and its representations."""
    links = tuple(
        link for link in row.links if link.what == "package" or (link.what == "representation" and link.ref in known)
    )
    return replace(
        row, key=PREFIX + row.key, links=links, agents=tuple((PREFIX + key, role) for key, role in row.agents)
    )
