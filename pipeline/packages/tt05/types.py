"""The five package types of Circular 05/2025/TT-BNV, and how the type of an unknown package is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Final

from pipeline.packages import Recognition
from pipeline.packages.tt05 import tables
from pipeline.packages.tt05.files import DESCRIPTION, EAD, METS, REP_DESCRIPTIVE, Files, marked_folders
from pipeline.packages.tt05.reading.descriptive import Described, described
from pipeline.packages.tt05.reading.mets import Mets, read_mets
from pipeline.tree import ContentDamage, Tree

CSIP_PROFILE: Final = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"
_PROFILES: Final = {
    CSIP_PROFILE: "SIP",
    "http://www.ra.ee/METS/v01/IP.xml": "AIP",
    "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml": "DIP",
}
_UUID_FORM = re.compile(r"(?i)uuid-[0-9a-f-]{36}")
_LOOKED_AT: Final = 20
"""So many descriptions of documents have a say in the type of their package."""


class PackageType(StrEnum):
    """Annexes III, IV, I, II and V."""

    SIP_HOSO = "SIP_hoso"
    SIP_TAILIEU = "SIP_tailieu"
    AIP_HOSO = "AIP_hoso"
    AIP_TAILIEU = "AIP_tailieu"
    DIP = "DIP"

    @property
    def of(self) -> str:
        """SIP, AIP or DIP."""
        return self.value[:3]

    @property
    def is_file(self) -> bool:
        """Whether it holds one file (hồ sơ)."""
        return self.value.endswith("_hoso")

    @property
    def mets_type(self) -> str:
        """What the annex gives for mets/@TYPE."""
        return "MIXED" if self is PackageType.DIP else "Mixed" if self.is_file else "Collection"

    @property
    def profile(self) -> str:
        """What the annex gives for mets/@PROFILE of the root METS."""
        return next(url for url, of in _PROFILES.items() if of == self.of)


def package_folder(tree: Tree) -> bytes | None:
    """The folder (with its slash) in which the package lies, empty for the root; None when no mark of the circular
    is there. Where several have marks, the first one."""
    return _first(marked_folders(tree.entries()))


def _first(marks: Mapping[bytes, bytes]) -> bytes | None:
    return min(marks, key=lambda one: (one.count(b"/"), one), default=None)


def recognise(tree: Tree, *, trusted: bool = False) -> Recognition | None:
    """tt05 with its type when a mark of the circular is there, or, `trusted`, a folder `representations`."""
    marks = marked_folders(tree.entries())
    folder = _first(marks)
    if not trusted and folder is not None and folder and (folder.count(b"/") > 1 or len(marks) > 1):
        return None  # a folder that holds packages, or a package of another kind that keeps one
    reason = "names and simpledc descriptions of Circular 05/2025/TT-BNV"
    if folder is None:
        if not trusted or not any(b"representations/" in entry.path + b"/" for entry in tree.entries()):
            return None
        found = next(entry.path for entry in tree.entries() if b"representations/" in entry.path + b"/")
        folder, reason = found.partition(b"representations/")[0], "a folder representations, as the profile expects"
        if folder and not folder.endswith(b"/"):
            return None
    files = Files(tree, tree.entries(), folder)
    if not trusted and not _told(files):
        return None
    return Recognition("tt05", type_of(files).value, reason)


def _told(files: Files) -> bool:
    """Whether the mark holds: a description of a document by its name, or EAD.xml with root simpledc.

    One that is no XML counts as well: a damaged package is never taken for a plain folder.
    """
    if next(descriptions(files), None) is not None:
        return True
    path = files.find(EAD)
    if path is None:
        return False
    data = files.read(path)
    found = described(data)
    if found.problem is None:
        return True
    return not found.root or found.root == "simpledc"


def descriptions(files: Files) -> Iterator[bytes]:
    """Descriptions of documents, in raw-byte order."""
    for path in files.under(REP_DESCRIPTIVE):
        if DESCRIPTION.fullmatch(path[len(REP_DESCRIPTIVE) :]):
            yield path


def type_of(files: Files) -> PackageType:
    """Class by majority of what the package says of itself, a tie goes to OAISPACKAGETYPE; then by root TYPE."""
    mets = _root(files)
    root = mets.attributes
    told = ((mets.header.package_type if mets.header else "") or "").strip().upper()
    ead_path = files.find(EAD)
    ead = described(files.read(ead_path)) if ead_path else Described(problem=(1, "absent"))
    votes: Counter[str] = Counter()
    if told in ("SIP", "AIP", "DIP"):
        votes[told] += 1
    objid = root.get("OBJID", "")
    if objid.lower().startswith("urn:"):
        votes["AIP"] += 1
    elif _UUID_FORM.fullmatch(objid):
        votes.update(("SIP", "DIP"))
    if root.get("PROFILE", "") in _PROFILES:
        votes[_PROFILES[root["PROFILE"]]] += 1
    votes.update(_class_of(ead, "ead"))
    votes.update(_documents_class(files))
    best = max(votes.values(), default=0)
    leading = {name for name, count in votes.items() if count == best} or {"SIP"}
    of = told if told in leading or (len(leading) > 1 and told in votes) else sorted(leading, key="SIP AIP DIP".find)[0]
    if of == "DIP":
        return PackageType.DIP
    return PackageType(f"{of}_{'hoso' if _is_file(root, ead) else 'tailieu'}")


def _root(files: Files) -> Mets:
    path = files.find(METS)
    if path is None:
        return Mets()
    try:
        with files.open(path) as source:
            return read_mets(source)
    except (KeyError, ContentDamage):
        return Mets()


def _is_file(root: Mapping[str, str], ead: Described) -> bool:
    known = {"mixed": True, "collection": False}.get(root.get("TYPE", "").lower())
    return known if known is not None else "source" not in ead.names


def _documents_class(files: Files) -> list[str]:
    """One vote of the documents: what most of the first ones are."""
    found: Counter[str] = Counter()
    for path in islice(descriptions(files), _LOOKED_AT):
        match = DESCRIPTION.fullmatch(path[len(REP_DESCRIPTIVE) :])
        if match:
            found.update(_class_of(described(files.read(path)), match.group(1).lower().decode()))
    best = max(found.values(), default=0)
    leading = [name for name, count in found.items() if count == best]
    return leading if len(leading) == 1 else []


def _class_of(one: Described, kind: str) -> list[str]:
    """The class whose set the elements fit best; empty when two fit equally."""
    names = one.names
    if not names:
        return []
    scores: dict[str, float] = {}
    for (of, package), fields in tables.field_sets().items():
        if of == kind:
            score = len(names & fields.keys()) / len(names | fields.keys())
            scores[package[:3]] = max(scores.get(package[:3], 0.0), score)
    best = max(scores.values(), default=0.0)
    leading = [name for name, score in scores.items() if score == best]
    return leading if len(leading) == 1 and best > 0 else []
