"""Rules TT05-XSD: the schemas that a package carries."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from lxml import etree

from pipeline.names import shown, unhref
from pipeline.packages.tt05 import tables
from pipeline.packages.tt05.check_structure import SCHEMA_OF, SCHEMAS
from pipeline.packages.tt05.files import Files
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.reading.xml import local, namespace, parsed
from pipeline.standards.xml import Unreadable

XSD: Final = "http://www.w3.org/2001/XMLSchema"
_RISK: Final = frozenset(("riskRecovery", "riskRecoveryStatus"))
_FROM: Final = frozenset(("import", "include", "redefine", "override"))


def check_schemas(package: Package, found: Findings) -> None:
    """XSD-01 and XSD-02 of every schema below `schemas/`."""
    files = package.files
    own = {(SCHEMAS + name).lower(): kind for kind, name in SCHEMA_OF.items()}
    for path in files.under(SCHEMAS):
        if not path.lower().endswith(b".xsd"):
            continue
        try:
            root = parsed(files.read(path) or b"")
        except Unreadable as problem:
            kind = own.get(path.lower())
            if kind is not None:
                found.add("TT05-XSD-02", path, line=problem.line, found=problem.message)
            continue
        _imports(files, path, root, found)
        if path.lower() in own:
            _fields(package, path, own[path.lower()], root, found)


def declared(root: etree._Element) -> frozenset[str]:
    """Names of the elements that a schema of descriptions declares, but the root's."""
    names: set[str] = set()
    for element in root.iter(f"{{{XSD}}}element"):
        name = element.get("name") or (element.get("ref") or "").rpartition(":")[2]
        if name and name.lower() != "simpledc":
            names.add(name)
    return frozenset(names)


@lru_cache(maxsize=64)
def lacks_only_frame(kind: str, names: frozenset[str], annex: frozenset[str]) -> bool:
    """Whether a schema lacks no more than what the circular's own schemas lack (TT05-C1, and 6.1 for texts)."""
    missing = annex - names
    return names < annex and missing <= (tables.FRAME if kind == "ead" else _RISK if kind == "doc" else frozenset())


def _fields(package: Package, path: bytes, kind: str, root: etree._Element, found: Findings) -> None:
    """XSD-02."""
    names = declared(root)
    annex = frozenset(package.fields(kind))
    tolerated = package.type.is_file if kind == "ead" else package.type.of == "SIP"
    if names == annex or (tolerated and lacks_only_frame(kind, names, annex)):
        return
    more, less = sorted(names - annex), sorted(annex - names)
    found.add(
        "TT05-XSD-02", path,
        found=", ".join(more) if more else f"{len(names)}",
        expected=", ".join(less) if less else f"{len(annex)}",
    )  # fmt: skip


def _imports(files: Files, path: bytes, root: etree._Element, found: Findings) -> None:
    """XSD-01: what a schema takes from elsewhere must lie in the package, at its place or by its name in `schemas/`."""
    folder = path.rpartition(b"/")[0]
    for element in root:
        if namespace(element) != XSD or local(element) not in _FROM:
            continue
        location = (element.get("schemaLocation") or "").strip()
        if not location:
            continue
        there = unhref(location, folder)
        name = location.rpartition("/")[2].encode("utf-8", "surrogateescape")
        if (there is None or files.find(there) is None) and files.find(SCHEMAS + name) is None:
            found.add("TT05-XSD-01", path, line=element.sourceline, found=shown(location.encode()))
