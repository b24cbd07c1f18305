"""Rules TT05-STR: the tree of the annexes, names of files and folders, what lies beside them."""

from __future__ import annotations

import re
from typing import Final

from pipeline.names import shown
from pipeline.packages.tt05.files import (
    DATA,
    DESCRIPTION,
    EAD,
    METS,
    PREMIS,
    REP,
    REP_DESCRIPTIVE,
    REP_METS,
    REP_PREMIS,
    Files,
    is_junk,
)
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.types import PackageType

SCHEMAS: Final = b"schemas/"
DOCUMENTATION: Final = b"documentation/"
PRESERVATION: Final = (b"metadata/preservation", REP + b"metadata/preservation")
SCHEMA_OF: Final = {
    "ead": b"EAD.xsd", "doc": b"EAD_doc.xsd", "pic": b"EAD_pic.xsd", "media": b"EAD_media.xsd"
}  # fmt: skip
"""The schema of each kind of description (tree of the annexes)."""

LONGEST: Final = 200
"""Characters of a path from the package folder that Windows still takes in a folder of some depth."""

_FOLDERS: Final = (
    b"metadata", b"metadata/descriptive", b"metadata/preservation", b"representations", b"representations/rep1",
    b"representations/rep1/metadata", b"representations/rep1/metadata/descriptive",
    b"representations/rep1/metadata/preservation", b"representations/rep1/data", b"schemas", b"documentation",
)  # fmt: skip
_SPELT: Final = (METS, EAD, PREMIS, REP_METS, REP_PREMIS)
_UNSAFE = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f-\x9f]|[ .]\Z')
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?")


def check_structure(package: Package, found: Findings) -> None:
    """All of TT05-STR."""
    _folder_name(package, found)
    _required(package, found)
    _representations(package, found)
    _schemas(package, found)
    _spelling(package.files, found)
    _beside(package, found)
    _names(package.files, found)


def _folder_name(package: Package, found: Findings) -> None:
    """STR-01; a difference in letter case alone is STR-10."""
    objid = package.objid
    if not objid or package.folder is None:
        return
    expected = objid.replace(":", "_").encode()
    if package.folder == expected:
        return
    code = "TT05-STR-10" if package.folder.lower() == expected.lower() else "TT05-STR-01"
    found.add(code, found=shown(package.folder), expected=expected.decode())


def _required(package: Package, found: Findings) -> None:
    """STR-02, -03, -04, -06, -07, -11 to -14."""
    files = package.files
    if package.root_path is None:
        found.add("TT05-STR-02", METS)
    if package.ead_path is None:
        found.add("TT05-STR-03", EAD)
    if package.rep_path is None:
        found.add("TT05-STR-04", REP_METS)
    if next(package.data_files(), None) is None:
        found.add("TT05-STR-06", DATA)
    if not package.descriptions():
        found.add("TT05-STR-07", REP_DESCRIPTIVE)
    for path, code in ((PREMIS, "TT05-STR-11"), (REP_PREMIS, "TT05-STR-12")):
        if files.find(path) is not None:
            continue
        if files.is_folder(path):
            found.add("TT05-STR-14", path)
        else:
            found.add(code, path)
    for folder in PRESERVATION:
        if files.is_folder(folder):
            found.add("TT05-STR-13", folder + b"/")


def _representations(package: Package, found: Findings) -> None:
    """STR-05; `representations` of the settings is how many there may be, 0 = any."""
    names = package.files.representations()
    wanted = package.settings.representations
    has_first = any(name.lower() == b"rep1" for name in names)
    if has_first and (not wanted or len(names) == wanted):
        return
    value = f"{len(names)}: {', '.join(map(shown, names[:5]))}" if names else "0"
    found.add("TT05-STR-05", found=value, expected="rep1" if wanted <= 1 else f"rep1 … rep{wanted}")


def kinds_held(package: Package) -> list[str]:
    """`ead` and the kinds of documents whose descriptions say by their name what they are."""
    held = {
        match.group(1).lower().decode()
        for path in package.descriptions()
        if (match := DESCRIPTION.fullmatch(path.rpartition(b"/")[2]))
    }
    return [kind for kind in SCHEMA_OF if kind == "ead" or kind in held]


def _schemas(package: Package, found: Findings) -> None:
    """STR-08, STR-09; names in any letter case."""
    name = package.settings.mets_schema.encode()
    if package.files.find(SCHEMAS + name) is None:
        found.add("TT05-STR-08", SCHEMAS + name, expected=name.decode("utf-8", "surrogateescape"))
    for kind in kinds_held(package):
        name = SCHEMA_OF[kind]
        if package.files.find(SCHEMAS + name) is None:
            found.add("TT05-STR-09", SCHEMAS + name, expected=name.decode())


def _spelling(files: Files, found: Findings) -> None:
    """STR-10: names of the annex in other letter case."""
    schemas = (SCHEMAS + name for name in (b"METS.xsd", *SCHEMA_OF.values()))
    for path in (*_SPELT, *schemas):
        there = files.find(path)
        if there is None:
            continue
        name, wanted = there.rpartition(b"/")[2], path.rpartition(b"/")[2]
        if name != wanted:
            found.add("TT05-STR-10", there, found=shown(name), expected=wanted.decode())
    wrong: dict[bytes, bytes] = {}
    for path in (*files.paths(), *(one + b"/" for one in files.empty_folders())):
        for folder in _FOLDERS:
            spelt = path[: len(folder)]
            if path[len(folder) : len(folder) + 1] == b"/" and spelt != folder and spelt.lower() == folder:
                name, wanted = spelt.rpartition(b"/")[2], folder.rpartition(b"/")[2]
                if name != wanted:
                    wrong.setdefault(spelt, wanted)
    for spelt, wanted in wrong.items():
        found.add("TT05-STR-10", spelt + b"/", found=shown(spelt.rpartition(b"/")[2]), expected=wanted.decode())
    for path in files.under(REP_DESCRIPTIVE):
        name = path[len(REP_DESCRIPTIVE) :]
        match = DESCRIPTION.fullmatch(name)
        if match:
            as_written = b"EAD_" + match.group(1).lower() + b"_" + match.group(2) + b".xml"
            if name != as_written:
                found.add("TT05-STR-10", path, found=shown(name), expected=shown(as_written))


def _beside(package: Package, found: Findings) -> None:
    """STR-15, -16, -18, -19."""
    files, of = package.files, package.type
    for path in files.paths():
        if is_junk(path):
            found.add("TT05-STR-19", path)
            continue
        if not files.size(path):
            found.add("TT05-STR-16", path)
        folded = path.lower()
        if folded.startswith(REP_DESCRIPTIVE) and folded.endswith(b".xml"):
            name = path[len(REP_DESCRIPTIVE) :]
            if not DESCRIPTION.fullmatch(name) or b"/" in name:
                found.add("TT05-STR-18", path, found=shown(name), expected="EAD_doc_… | EAD_pic_… | EAD_media_….xml")
        elif not _foreseen(folded, of):
            found.add("TT05-STR-15", path)
    for folder in files.empty_folders():
        if not is_junk(folder) and not _foreseen(folder.lower() + b"/", of):
            found.add("TT05-STR-15", folder + b"/")
    for path in files.outside:
        if not is_junk(path):
            found.outside("TT05-STR-15", path)


_EXACT: Final = frozenset(one.lower() for one in (METS, EAD, REP_METS))
_EMPTY: Final = frozenset(one + b"/" for one in _FOLDERS)


def _foreseen(folded: bytes, of: PackageType) -> bool:
    """Whether a path (in lower case, folders with a slash) stands in the tree of the annex, or has its own rule."""
    if folded in _EXACT or folded in _EMPTY:
        return True
    if folded.startswith(SCHEMAS):
        return folded.endswith((b".xsd", b"/"))
    if folded.startswith((DATA, DOCUMENTATION)):
        return True
    for folder, premis in zip(PRESERVATION, (PREMIS, REP_PREMIS), strict=True):
        if folded.startswith(folder + b"/"):
            # In a SIP the folder itself is the finding (STR-13); PREMIS.xml as a folder is STR-14.
            return of.of == "SIP" or folded == premis.lower() or folded.startswith(premis.lower() + b"/")
    if folded.startswith(b"representations/") and not folded.startswith(REP):
        return folded.count(b"/") > 1  # another representation is STR-05; a file beside rep1 is not foreseen
    return False


def _names(files: Files, found: Findings) -> None:
    """STR-17."""
    for path in (*files.paths(), *files.empty_folders()):
        text = path.decode("utf-8", "replace")
        parts = text.split("/")
        if len(text) > LONGEST:
            found.add("TT05-STR-17", path, found=f"{len(text)}", expected=f"≤ {LONGEST}")
        elif any(_UNSAFE.search(part) or _RESERVED.fullmatch(part) for part in parts):
            found.add("TT05-STR-17", path)
