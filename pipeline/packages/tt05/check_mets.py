"""Rules TT05-MET: what the METS of the package and of rep1 must say, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from pipeline.packages.tt05.files import PREMIS, REP_METS, REP_PREMIS
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import REP_BASE, Package
from pipeline.packages.tt05.reading.mending import mended
from pipeline.packages.tt05.reading.mets import Div, Group, Header, Map, Mets, events
from pipeline.packages.tt05.types import CSIP_PROFILE, PackageType
from pipeline.records import Level
from pipeline.standards.xml import METS as NAMESPACE
from pipeline.standards.xml import Unreadable, parsed_moment, validate_xsd
from pipeline.tree import ContentDamage

STATUSES: Final = ("NEW", "SUPPLEMENT", "REPLACEMENT", "TEST", "OTHER")
SCHEMAS_GROUP: Final = "Schemas"
REP_GROUP: Final = "Representations/rep1"
DATA_GROUP: Final = "Data"
TRIOS: Final = (("DC", "1.0.0", "application/xml"), ("OTHER", "1.0", "text/xml"))
"""MDTYPE, MDTYPEVERSION, MIMETYPE of a description: of practice, and of the letter for the root METS."""

REP_LETTER: Final = ("DC", "1.0", "text/xml")
"""The letter for the METS of rep1."""

_HEX = "[0-9A-Fa-f]"
_UUID: Final = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_ANY_UUID = re.compile(f"(?<!{_HEX}){_UUID}(?!{_HEX})")
_UUID_FORM = re.compile(f"uuid-{_UUID}")
_AIP_FORMS: Final = {
    "urn:uuid": re.compile(f"urn:uuid:{_UUID}"),
    "urn:fonds": re.compile(rf"urn:(?!uuid:)[^:/\s]+:uuid[-:]{_UUID}"),
}
_OLD_METS = re.compile(r"(?i)mets[-_.]?1[-_.]?11(?!\d)|/version1?11/")
_DATE_TIME = re.compile(
    r"-?\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?P<zone>Z|[+-]\d{2}:\d{2})?"
)  # fmt: skip
_TIMES: Final = ("CREATEDATE", "LASTMODDATE", "CREATED")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One of the two METS and what is asked of it."""

    path: bytes
    mets: Mets
    is_root: bool

    @property
    def base(self) -> bytes:
        return b"" if self.is_root else REP_BASE


def check_mets(package: Package, found: Findings) -> None:
    """All of TT05-MET but the links between descriptions and documents."""
    levels = list(readable(package))
    for path, mets in ((package.root_path, package.root), (package.rep_path, package.rep)):
        if path is not None and mets.problem is not None and mets.problem[0]:
            found.add("TT05-MET-01", path, line=mets.problem[0], found=mets.problem[1])
    for level in levels:
        if not level.mets.is_mets:
            found.add("TT05-MET-02", level.path, line=level.mets.line, found=f"<{level.mets.root}>", expected="<mets>")
            continue
        _schema(package, level, found)
        _spelling(package, level, found)
        _head(package, level, found)
        _header(package, level, found)
        _sections(package, level, found)
        _groups(package, level, found)
        _structure(package, level, found)
        _identifiers(level, found)
    _fonds(package, levels, found)


def readable(package: Package) -> Iterator[Manifest]:
    """Both METS, those that could be read to their end."""
    for path, mets, is_root in ((package.root_path, package.root, True), (package.rep_path, package.rep, False)):
        if path is not None and mets.problem is None:
            yield Manifest(path, mets, is_root)


def _schema(package: Package, level: Manifest, found: Findings) -> None:
    """MET-02, after what C4, C11 and C12 name was mended; MET-33, MET-23, MET-24 tell of that."""
    of, mets = package.type.of, level.mets
    if mets.namespace != NAMESPACE:
        found.add("TT05-MET-33", level.path, line=mets.line, found=mets.namespace, expected=NAMESPACE)
    user = any(group.user for group in mets.groups)
    amdid = any(div.amdid for div in mets.divs())
    for group in mets.groups:
        if group.user:
            found.add("TT05-MET-23", level.path, line=group.line, found=group.use)
    for div in mets.divs():
        if div.amdid:
            found.add("TT05-MET-24", level.path, line=div.line, found=div.label)
    lost = not mets.namespace and of != "SIP"
    try:
        with closing(package.files.open(level.path)) as source:
            user, amdid = user and of != "DIP", amdid and of != "SIP"
            whole = mended(source, "mets", NAMESPACE if lost else "", user=user, amdid=amdid)
            messages = validate_xsd(whole, "mets.xsd")
    except (KeyError, Unreadable, ContentDamage):
        return
    for line, message in messages:
        found.add("TT05-MET-02", level.path, line=line, found=message)


def _spelling(package: Package, level: Manifest, found: Findings) -> None:
    """Rules on every element: MET-04, MET-09, MET-29."""
    try:
        with closing(package.files.open(level.path)) as source:
            for event, start in events(source):
                if event != "start":
                    continue
                given = start.attributes
                ident = given.get("ID")
                if ident is not None:
                    prefix = "ID-" if start.name == "file" else "uuid-"
                    if not ident.startswith(prefix):
                        found.add("TT05-MET-29", level.path, line=start.line, found=ident, expected=prefix)
                    _upper(ident, level.path, start.line, found)
                if not start.depth:
                    _upper(given.get("OBJID", ""), level.path, start.line, found)
                for name in _TIMES:
                    match = _DATE_TIME.fullmatch(given.get(name, "").strip())
                    if match and match["zone"] != "+07:00":
                        found.add("TT05-MET-09", level.path, line=start.line, found=given[name], expected="+07:00")
    except (KeyError, Unreadable, ContentDamage):
        return


def _upper(ident: str, path: bytes, line: int, found: Findings) -> None:
    if any(one.group() != one.group().upper() for one in _ANY_UUID.finditer(ident)):
        found.add("TT05-MET-04", path, line=line, found=ident)


def _head(package: Package, level: Manifest, found: Findings) -> None:
    """MET-03, -06, -07, -17, -30, -31."""
    mets, of, line = level.mets, package.type, level.mets.line
    given = mets.attributes
    objid = given.get("OBJID", "")
    if level.is_root:
        expected = _objid_form(package, objid)
        if expected:
            found.add("TT05-MET-03", level.path, line=line, found=objid or None, expected=expected)
    elif not _UUID_FORM.fullmatch(objid):
        if objid == "rep1":
            # The level of the code is for this, the form that practice and CSIP have.
            found.add("TT05-MET-31", level.path, line=line, found=objid, expected="uuid-{UUID}")
        else:
            weight = Level.ERROR if package.settings.strict else Level.WARNING
            found.add("TT05-MET-31", level.path, line=line, found=objid or None, expected="uuid-{UUID}", level=weight)
    kind = given.get("TYPE")
    silent = kind == "AIP" and of.of == "AIP" and not package.settings.strict
    if kind != of.mets_type and not silent:
        found.add("TT05-MET-06", level.path, line=line, found=kind, expected=of.mets_type)
    profile = of.profile if level.is_root else CSIP_PROFILE
    if given.get("PROFILE") != profile:
        found.add("TT05-MET-07", level.path, line=line, found=given.get("PROFILE"), expected=profile)
    if not level.is_root and not given.get("csip:CONTENTINFORMATIONTYPE", "").strip():
        found.add("TT05-MET-17", level.path, line=line, expected="MIXED")
    location = given.get("xsi:schemaLocation", "")
    notes = mets.header is not None and any(kind for agent in mets.header.agents for kind, _ in agent.notes)
    if notes and _names_old(location):
        found.add("TT05-MET-30", level.path, line=line, found=_names_old(location), expected="mets1_12.xsd")
    elif not mets.csip:
        found.add("TT05-MET-30", level.path, line=line, found="xmlns:csip", expected="https://DILCIS.eu/XML/METS/…")


def _names_old(location: str) -> str:
    """The file of METS 1.11 that a schemaLocation names, empty when it names none."""
    return next((one for one in location.split() if _OLD_METS.search(one)), "")


def _objid_form(package: Package, objid: str) -> str:
    """Empty when the OBJID of the root has the right form, else what that form is."""
    if package.type.of != "AIP":
        return "" if _UUID_FORM.fullmatch(objid) else "uuid-{UUID}"
    wanted = package.settings.aip_objid
    forms = _AIP_FORMS if wanted == "any" else {wanted: _AIP_FORMS[wanted]}
    if any(form.fullmatch(objid) for form in forms.values()):
        return ""
    return " | ".join({"urn:uuid": "urn:uuid:{UUID}", "urn:fonds": "urn:{fonds}:uuid-{UUID}"}[one] for one in forms)


def _header(package: Package, level: Manifest, found: Findings) -> None:
    """MET-05, -08, -10 to -13, -15, -16."""
    header, of, path = level.mets.header, package.type, level.path
    if header is None:
        header = Header(level.mets.line)
    line = header.line
    if header.package_type != of.of:
        found.add("TT05-MET-05", path, line=line, found=header.package_type, expected=of.of)
    if header.created is None or not _is_time(header.created):
        found.add("TT05-MET-08", path, line=line, found=header.created)
    if header.status is not None and header.status not in STATUSES:
        found.add("TT05-MET-10", path, line=line, found=header.status, expected=", ".join(STATUSES))
    if level.is_root:
        _packer(package, header, path, found)
        _agreement(package, header, path, found)
    elif not any(agent.type == "ORGANIZATION" for agent in header.agents):
        told = ", ".join(agent.type for agent in header.agents) or None
        found.add("TT05-MET-13", path, line=line, found=told, expected="ORGANIZATION")


def _is_time(text: str) -> bool:
    return bool(_DATE_TIME.fullmatch(text.strip())) and parsed_moment(text) is not None


def _packer(package: Package, header: Header, path: bytes, found: Findings) -> None:
    """MET-11, -12: the software that made the package."""
    software = [
        agent for agent in header.agents
        if agent.role == "CREATOR" and agent.type == "OTHER" and agent.other_type == "SOFTWARE" and agent.name
    ]  # fmt: skip
    if not software:
        told = ", ".join(f"{agent.role}/{agent.type}/{agent.other_type}" for agent in header.agents) or None
        found.add("TT05-MET-11", path, line=header.line, found=told, expected="CREATOR/OTHER/SOFTWARE")
        return
    if package.settings.root_note == "any":
        return
    notes = [note for agent in software for note in agent.notes]
    if not any(kind == "SOFTWARE VERSION" and text for kind, text in notes):
        told = ", ".join(kind or "–" for kind, _ in notes) or None
        found.add("TT05-MET-12", path, line=header.line, found=told, expected="SOFTWARE VERSION")


def _agreement(package: Package, header: Header, path: bytes, found: Findings) -> None:
    """MET-15, -16: the registration code of the transfer."""
    codes = [text for kind, text in header.alternatives if kind == "SUBMISSIONAGREEMENT" and text]
    if not codes:
        found.add("TT05-MET-15", path, line=header.line)
    elif package.code and package.code in codes:
        found.add("TT05-MET-16", path, line=header.line, found=package.code)


def _fonds(package: Package, levels: list[Manifest], found: Findings) -> None:
    """MET-14: only where both METS could be read."""
    if len(levels) < 2 or not all(level.mets.is_mets for level in levels):
        return
    notes = [
        note
        for level in levels
        if level.mets.header is not None
        for agent in level.mets.header.agents
        for note in agent.notes
    ]
    if not any(kind == "IDENTIFICATIONCODE" and text for kind, text in notes):
        found.add("TT05-MET-14", package.rep_path or REP_METS, expected="IDENTIFICATIONCODE")


def _sections(package: Package, level: Manifest, found: Findings) -> None:
    """MET-18 to -21: descriptions and administrative metadata."""
    mets, path = level.mets, level.path
    letter = TRIOS[1] if level.is_root else REP_LETTER
    allowed = {letter, TRIOS[1]} if package.settings.mdtype == "letter" else {letter, *TRIOS}
    for one in mets.sections_named():
        if one.what == "dmdSec":
            trio = (one.md_type or "", one.md_version or "", one.mime or "")
            if trio not in allowed:
                found.add("TT05-MET-18", path, line=one.line, found=" / ".join(trio), expected=" / ".join(letter))
    for _, line, inside in mets.administrative:
        if inside:
            found.add("TT05-MET-19", path, line=line)
        else:
            found.add("TT05-MET-20", path, line=line)
    wanted = PREMIS if level.is_root else REP_PREMIS
    if not any(
        one.what == "digiprovMD" and _points_to(package, level, one.href, wanted) for one in mets.sections_named()
    ):
        found.add("TT05-MET-21", path, expected=wanted.decode())


def _points_to(package: Package, level: Manifest, href: str | None, wanted: bytes) -> bool:
    return any(one.lower() == wanted.lower() for one in package.candidates(href, level.base))


def _groups(package: Package, level: Manifest, found: Findings) -> None:
    """MET-22."""
    uses = {group.use for group in level.mets.groups}
    for wanted in (SCHEMAS_GROUP, REP_GROUP) if level.is_root else (DATA_GROUP,):
        if wanted not in uses and not (wanted == DATA_GROUP and _only_linked(package)):
            found.add("TT05-MET-22", level.path, line=level.mets.file_section, expected=wanted)


def _only_linked(package: Package) -> bool:
    """Whether every file of data/ stands for a document that was handed in earlier."""
    names = list(package.data_files())
    return bool(names) and all(name.lower().endswith(b".fetch.txt") for name in names)


def main_map(mets: Mets) -> Map | None:
    """The structMap of CSIP, else the first one."""
    for one in mets.maps:
        if one.label == "CSIP" and one.type == "PHYSICAL":
            return one
    return mets.maps[0] if mets.maps else None


def _structure(package: Package, level: Manifest, found: Findings) -> None:
    """MET-25, -26 (but for single documents), -27, -32."""
    mets, path = level.mets, level.path
    chosen = main_map(mets)
    if chosen is None or chosen.label != "CSIP" or chosen.type != "PHYSICAL":
        told = None if chosen is None else f"{chosen.label} / {chosen.type}"
        found.add("TT05-MET-25", path, line=chosen.line if chosen else None, found=told, expected="CSIP / PHYSICAL")
    divs = chosen.divs if chosen is not None else []
    labels = {div.label for div in divs}
    wanted = ("Metadata", "Schemas", REP_GROUP) if level.is_root else ("Data", "MetadataLink")
    for label in wanted:
        if label not in labels and not (label == "Data" and _only_linked(package)):
            found.add("TT05-MET-26", path, line=chosen.line if chosen else None, expected=label)
    if level.is_root:
        for div in divs:
            if div.label == REP_GROUP:
                _pointer(package, level, div, found)
        return
    expected = {"SIP": "ORIGINAL", "AIP": "NORMALIZED"}.get(package.type.of)
    if expected and package.type is not PackageType.AIP_TAILIEU and divs and divs[0].type != expected:
        found.add("TT05-MET-32", path, line=divs[0].line, found=divs[0].type or None, expected=expected)


def _pointer(package: Package, level: Manifest, div: Div, found: Findings) -> None:
    """MET-27: the division of rep1 in the root METS."""
    group = next((one for one in level.mets.groups if one.use == REP_GROUP), None)
    right = [one for one in div.references if _points_to(package, level, one[0], REP_METS)]
    if not right:
        told = ", ".join(href for href, _, _ in div.references) or None
        found.add("TT05-MET-27", level.path, line=div.line, found=told, expected=REP_METS.decode())
    elif group is not None and not any(_titled(title, group) for _, title, _ in right):
        found.add("TT05-MET-27", level.path, line=right[0][2], found=right[0][1] or None, expected=group.id or None)


def _titled(title: str, group: Group) -> bool:
    return bool(group.id) and title == group.id


def _identifiers(level: Manifest, found: Findings) -> None:
    """MET-28, and MET-02 beside it: METS types these attributes as ID and IDREF, which no stream of a schema checks."""
    mets, seen = level.mets, set[str]()
    problems: list[tuple[int, str]] = []
    for ident, line in _idents(mets):
        if ident in seen:
            problems.append((line, ident))
        seen.add(ident)
    for div in mets.divs():
        for ident in (*div.descriptions, *div.metadata):
            if ident not in seen:
                problems.append((div.line, ident))
        problems += [(line, ident) for ident, line in div.pointers if ident and ident not in seen]
    for file in mets.files():
        problems += [(file.line, ident) for ident in file.metadata if ident not in seen]
    for line, ident in sorted(problems):
        found.add("TT05-MET-28", level.path, line=line, found=ident)
        found.add("TT05-MET-02", level.path, line=line, found=f"ID/IDREF {ident}")


def _idents(mets: Mets) -> Iterator[tuple[str, int]]:
    """Every ID of the document that METS names elsewhere, with its line."""
    root = mets.attributes.get("ID")
    if root:
        yield root, mets.line
    for _, ident, line in mets.sections:
        if ident:
            yield ident, line
    for group in mets.groups:
        if group.id:
            yield group.id, group.line
    for file in mets.files():
        if file.id:
            yield file.id, file.line
    for one in mets.maps:
        if one.id:
            yield one.id, one.line
        for div in one.divs:
            if div.id:
                yield div.id, div.line
