"""An E-ARK package that arrives: what of it goes where in an AIP of ours."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from pipeline import names
from pipeline.packages.eark.layout import METS, REPRESENTATIONS
from pipeline.packages.eark.rows import EarkRows
from pipeline.records import Agent, Description, Event, PackagePath, Placement, Reading, Representation, Right, Use
from pipeline.standards.xml import Unreadable
from pipeline.tree import ContentDamage, Tree

PREFIX = "submission/"
"""Before the keys of agents, events and rights that came with the package: they never meet ours."""

EVENTS = 1000
"""Events of the package that are carried over; all of them stay in the PREMIS files, which are kept as they came."""

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
    """Where a described file or folder is in our AIP; a representation and its data keep their names."""
    parts = target.split(b"/")
    if target.startswith(REPRESENTATIONS) and (len(parts) == 2 or parts[2:] == [b"data"]):
        return names.portable(target)
    return names.portable(place(target).target)


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
