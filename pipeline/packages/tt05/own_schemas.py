"""The schemas that a package carries for its own descriptions, and whether the descriptions keep them: EAD-19, -26."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from pipeline.content import inspection
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.looking import described_by, descriptor
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.reading.xml import local, parsed
from pipeline.packages.tt05.tables import FRAME
from pipeline.pool import Failure, Task, shared
from pipeline.standards.xml import Unreadable

SCHEMAS: Final = {
    "ead": b"schemas/EAD.xsd",
    "doc": b"schemas/EAD_doc.xsd",
    "pic": b"schemas/EAD_pic.xsd",
    "media": b"schemas/EAD_media.xsd",
}


def declared(package: Package, kind: str) -> tuple[bytes | None, frozenset[str]]:
    """The schema of a kind of description, and the elements that it declares; no elements where it is no schema."""
    path = package.files.find(SCHEMAS[kind])
    data = package.files.read(path) if path is not None else None
    if data is None:
        return path, frozenset()
    try:
        root = parsed(data)
    except Unreadable:
        return path, frozenset()
    names = (one.get("name") or "" for one in root.iter() if local(one) == "element")
    return path, frozenset(names) - {"", "simpledc"}


def check_frame(package: Package, found: Findings) -> None:
    """EAD-26: elements of the frame that EAD.xml, or the EAD.xsd of the package, leaves out (TT05-C1)."""
    if not package.type.is_file:
        return
    fields = package.fields("ead")
    for path, names in (declared(package, "ead"), (package.ead_path, package.ead.names)):
        lacking = fields.keys() - names
        if path is not None and names and lacking and lacking <= FRAME:
            found.add("TT05-EAD-26", path, found=len(names & fields.keys()), expected=len(fields))


def check_own_schemas(package: Package, found: Findings) -> None:
    """EAD-19. Schemas and descriptions are met in a worker: a schema can be made to take for ever."""
    pool = shared(inspection.MODULES, 0)
    usable = {kind: path for kind, name in SCHEMAS.items() if (path := package.files.find(name)) is not None}
    for first in (True, False):
        # The first description of each kind tries the schema: one that takes too long is given up for the others.
        tasks = _tasks(package, usable, first)
        for result in pool.map("pipeline.content.inspection:fits", tasks, package.scratch):
            kind, path, schema = result.key
            if isinstance(result.value, Failure):
                if result.value.cause is None:
                    usable.pop(kind, None)
                continue  # what cannot be opened has its own rules
            for line, message in result.value["faults"] or ():
                name = schema.rpartition(b"/")[2].decode("utf-8", "replace")
                found.add("TT05-EAD-19", path, line=line, found=f"{name}: {message}")


def _tasks(package: Package, usable: Mapping[str, bytes], first: bool) -> Iterator[Task]:
    """The first description of each kind, or all others."""
    paths = [("ead", package.ead_path)] if package.ead_path is not None else []
    paths += [(described_by(path), path) for path in package.descriptions()]
    seen: set[str] = set()
    for kind, path in paths:
        fresh = kind not in seen
        seen.add(kind)
        schema = usable.get(kind)
        if schema is not None and fresh is first:
            opener = partial(_both, package, schema, path)
            excused = (kind == "ead" and package.type.is_file) or (kind == "doc" and package.type.of == "SIP")
            yield Task((kind, path, schema), opener, (sorted(FRAME) if excused else [],), package.files.size(path))


def _both(package: Package, schema: bytes, path: bytes) -> tuple[int, ...]:
    return descriptor(package, schema), descriptor(package, path)
