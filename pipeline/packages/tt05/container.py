"""How a package arrives: rules TT05-ZIP of its archive, and what stands for a finding of opening one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pipeline.names import is_utf8, shown
from pipeline.packages.tt05.files import Files
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package
from pipeline.records import Finding
from pipeline.tree import Tree
from pipeline.tree.archive import ArchiveTree

UNSAFE: Final = frozenset(
    ("PKG-ABSOLUTE", "PKG-CLIMBING", "PKG-LINK", "PKG-SPECIAL", "PKG-MEMBER-NAME", "PKG-ZIP-BACKSLASH", "PKG-DUPLICATE",
     "PKG-FILE-AND-FOLDER", "PKG-BOMB", "PKG-FILES", "PKG-BYTES", "PKG-DEPTH", "PKG-PATH-LONG")
)  # fmt: skip
"""What opening calls names and sizes that must not be unpacked."""

_BROKEN = re.compile(r"PKG-(?:ZIP|TAR|GZ)-(?!GAP\b|BACKSLASH\b|ENCRYPTED\b)[A-Z0-9]+|PKG-MEMBER-(?!NAME\b)[A-Z]+")
_SAID = frozenset(
    ("PKG-NAME-WINDOWS", "PKG-NAME-EDGE", "PKG-NAME-CONTROL", "PKG-NAME-BACKSLASH", "PKG-NAME-ENCODING",
     "PKG-NAME-LONG", "PKG-ZIP-GAP", "PKG-NOISE-KEPT")
)  # fmt: skip
"""What rules of the circular's own say of the same names (ZIP-05, STR-17, STR-19)."""

_UUID: Final = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_ORDINAL: Final = "[1-9][0-9]*"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How the package came: `archive` is the name of the file, None for a folder; `rooted` when one folder holds all;
    `tops` are the names at the top of an archive without one; `kept` when it is an AIP of a store."""

    archive: str | None
    rooted: bool
    tops: tuple[bytes, ...] = ()
    kept: bool = False


def arrival(tree: Tree, package: Path) -> Arrival:
    """`package` is the path that was handed in."""
    if isinstance(tree, ArchiveTree):
        tops: dict[bytes, None] = {}
        if not tree.rooted:
            for entry in tree.entries():
                top, slash, _ = entry.path.partition(b"/")
                tops.setdefault(top + slash if slash or entry.is_folder else b"")
        return Arrival(package.name, tree.rooted, tuple(one for one in tops if one))
    return Arrival(None, True, (), tree.carrier not in ("folder", "plan"))


def folder_name(tree: Tree, files: Files, how: Arrival) -> bytes | None:
    """Name of the package folder; None where there is none or the carrier does not keep it."""
    if files.prefix:
        name = files.prefix.rstrip(b"/").rpartition(b"/")[2]
        return None if how.kept and name == b"data" else name
    return None if how.kept or not how.rooted else tree.name


def check_container(package: Package, how: Arrival, found: Findings) -> None:
    """ZIP-02, -03, -05 of a package that came in an archive; the others are found while it is opened."""
    if how.archive is None:
        return
    files = package.files
    if not how.rooted:
        folders = [top for top in how.tops if not top.startswith((b"__MACOSX", b"._"))]
        value = f"{len(folders)}: " + ", ".join(shown(top) for top in folders[:5]) if folders else "0"
        found.add("TT05-ZIP-02", found=value, expected="1")
    elif files.prefix:
        found.add("TT05-ZIP-02", found=shown(files.prefix), expected="1")
    _name(package, how, found)
    for path in (*files.paths(), *files.empty_folders()):
        if not is_utf8(path) or not unicodedata.is_normalized("NFC", path.decode()):
            found.add("TT05-ZIP-05", path)


def _name(package: Package, how: Arrival, found: Findings) -> None:
    """ZIP-03; of several packages in one archive (ZIP-02) any may have given it its name."""
    settings, name = package.settings, how.archive or ""
    objid = package.objid.replace(":", "_")
    wanted = re.escape(objid) if objid else f"uuid-{_UUID}"
    if len(how.tops) > 1:
        wanted = "|".join((wanted, *(re.escape(top.decode("utf-8", "replace").rstrip("/")) for top in how.tops)))
    separator = re.escape(settings.zip_separator)
    ordinal = f"{_ORDINAL}{separator}" if settings.zip_name == "ordinal-objid" else ""
    if re.fullmatch(f"{ordinal}(?:{wanted})\\.(?i:zip)", name):
        return
    example = (f"1{settings.zip_separator}" if ordinal else "") + (objid or "uuid-…") + ".zip"
    found.add("TT05-ZIP-03", found=name, expected=example)


def translated(findings: Iterable[Finding], *, archive: bool, blank: bool = False) -> Iterator[Finding]:
    """Findings of opening and reading as the profiles of the circular call them: a code of theirs, never both.

    `blank`: the archive is a file of 0 bytes, which nothing opens.
    """
    for finding in findings:
        code = finding.code
        if code in _SAID:
            continue
        if not archive:
            yield finding
        elif code == "PKG-ZIP-ENCRYPTED":
            yield replace(finding, code="TT05-ZIP-06")
        elif code in UNSAFE:
            yield replace(finding, code="TT05-ZIP-04", found=_both(finding))
        elif code == "PKG-NOISE":
            yield replace(finding, code="TT05-STR-19")
        elif code == "PKG-EMPTY" and not blank:
            yield replace(finding, code="TT05-ZIP-02", found="0", expected="1")
        elif _BROKEN.fullmatch(code) or code in ("PKG-NOT-A-PACKAGE", "PKG-EMPTY"):
            yield replace(finding, code="TT05-ZIP-01", found=_both(finding))
        else:
            yield finding


def _both(finding: Finding) -> str:
    """What was found with the name that opening has for it."""
    return finding.code if finding.found is None else f"{finding.code}: {finding.found}"
