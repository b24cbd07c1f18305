"""The schemas that a package carries for its own descriptions, and whether the descriptions keep them: EAD-19, -26."""

from __future__ import annotations

from collections.abc import Iterator
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
    for result in pool.map("pipeline.content.inspection:fits", _tasks(package), package.scratch):
        path, schema = result.key
        if isinstance(result.value, Failure):
            continue  # what cannot be opened or judged has its own rules
        for line, message in result.value["faults"] or ():
            name = schema.rpartition(b"/")[2].decode("utf-8", "replace")
            found.add("TT05-EAD-19", path, line=line, found=f"{name}: {message}")


def _tasks(package: Package) -> Iterator[Task]:
    schemas = {kind: package.files.find(path) for kind, path in SCHEMAS.items()}
    paths = [("ead", package.ead_path)] if package.ead_path is not None else []
    paths += [(described_by(path), path) for path in package.descriptions()]
    excused = sorted(FRAME)
    for kind, path in paths:
        schema = schemas.get(kind)
        if schema is not None:
            opener = partial(_both, package, schema, path)
            yield Task((path, schema), opener, (excused,), package.files.size(path))


def _both(package: Package, schema: bytes, path: bytes) -> tuple[int, ...]:
    return descriptor(package, schema), descriptor(package, path)
