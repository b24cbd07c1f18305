"""Marks of packages that are described by METS, read from the beginning of `METS.xml` alone."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from pipeline.packages import Recognition
from pipeline.records import PackagePath
from pipeline.standards.xml import name_of
from pipeline.tree import ContentDamage, Tree

_METS: Final = "http://www.loc.gov/METS/"
_TYPE: Final = "OAISPACKAGETYPE"
_MOST = 1 << 16
"""So many bytes of a METS.xml are looked at: its root and header stand at the beginning."""

_SNIFFED = re.compile(rb"""OAISPACKAGETYPE\s*=\s*["'](SIP|AIP|DIP|AIU|AIC)["']""")

_NAMED = re.compile(rb"""dilcis\.eu/profile/E-ARK-(SIP|AIP|DIP|CSIP)""", re.IGNORECASE)
_SUBMITTED = re.compile(rb"""<(?:\w+:)?agent\s[^>]*TYPE\s*=\s*["'](?:ORGANIZATION|INDIVIDUAL)["']""")
_BESIDE = re.compile(rb"<(?:\w+:)?mptr\s[^>]*>(?:\s|</(?:\w+:)?mptr\s*>)*<(?:\w+:)?fptr\s")
_DILCIS = b"https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
_FOLDERS = "the folders are those of an E-ARK package, but no METS.xml says what it is"

_ESTONIAN = "http://www.ra.ee/METS/v01/IP.xml"
"""PROFILE that Annexes I and II of Circular 05/2025/TT-BNV ask for in an AIP; nobody else writes it now."""


def mets_kind(tree: Tree, folder: bytes = b"") -> Recognition | None:
    """tt05 or eark-… by the METS.xml in `folder` (with its slash); None when there is none that says a package type.

    One that cannot be parsed is told by its bytes: a damaged package is never taken for a plain folder.
    """
    told = _header(tree, folder + b"METS.xml")
    package = told[1].strip().upper() if told is not None else ""
    if told is None or package not in ("SIP", "AIP", "DIP", "AIU", "AIC"):
        return _unsaid(tree, folder)
    root = told[0]
    mark = _vietnamese(tree, folder, root)
    if mark is not None:
        collection = root.get("TYPE", "").lower() == "collection"
        version = package if package == "DIP" else f"{package}_{'tailieu' if collection else 'hoso'}"
        return Recognition("tt05", version, mark)
    kind = {"SIP": "eark-sip", "DIP": "eark-dip"}.get(package, "eark-aip")
    named = _NAMED.search(root.get("PROFILE", "").encode())
    other = f"eark-{named[1].decode().lower()}" if named is not None else kind
    if other not in (kind, "eark-csip") and other == _weighed(kind, other, _beginning(tree, folder + b"METS.xml")):
        return Recognition(other, "", f"METS.xml names the profile of this type, though OAISPACKAGETYPE {package}")
    return Recognition(kind, "", f"METS.xml says OAISPACKAGETYPE {package}")


def _weighed(said: str, profiled: str, beginning: bytes) -> str:
    """Which of two types a METS means whose package type and profile disagree: one of them is the mistake.

    A submitting agent makes it a SIP (SIP15), `fptr` beside `mptr` an AIP (AIP3); else the profile counts.
    """
    pair = {said, profiled}
    if "eark-sip" in pair:
        return "eark-sip" if _SUBMITTED.search(beginning) else (pair - {"eark-sip"}).pop()
    return "eark-aip" if "eark-aip" in pair and _BESIDE.search(beginning) else profiled


def _unsaid(tree: Tree, folder: bytes) -> Recognition | None:
    """A package of E-ARK whose METS does not say which type it is: by its profile and namespaces, then its folders."""
    beginning = _beginning(tree, folder + b"METS.xml")
    starts = _starts(beginning)
    if starts and not _is_mets(starts[0]):
        return None if not _folders(tree, folder) else Recognition("eark-sip", "", _FOLDERS)
    named = _NAMED.search(beginning)
    if named is not None:
        kind = {b"AIP": "eark-aip", b"DIP": "eark-dip"}.get(named[1], "eark-sip")
        return Recognition(kind, "", "METS.xml names a METS profile of E-ARK")
    if _DILCIS in beginning:
        return Recognition("eark-sip", "", "METS.xml uses the attributes of E-ARK")
    return Recognition("eark-sip", "", _FOLDERS) if _folders(tree, folder) else None


def _is_mets(element: etree._Element) -> bool:
    namespace, name = name_of(element.tag)
    return name == "mets" and namespace in (_METS, "http://www.loc.gov/METS/v2")


def _folders(tree: Tree, folder: bytes) -> bool:
    """Whether a package without a good METS.xml has the folders of CSIP: representations with data, and two more."""
    found: set[bytes] = set()
    for entry in tree.entries():
        if not entry.path.startswith(folder):
            continue
        parts = entry.path[len(folder) :].split(b"/")
        if parts[0] == b"representations" and len(parts) > 2 and parts[2] in (b"data", b"METS.xml", b"metadata"):
            found.add(b"representations")
        elif parts[0] in (b"metadata", b"documentation", b"schemas") and len(parts) > 1:
            found.add(parts[0])
        if b"representations" in found and len(found) > 2:
            return True
    return False


def _header(tree: Tree, path: bytes) -> tuple[dict[str, str], str] | None:
    """Attributes of the root element and the package type of metsHdr."""
    beginning = _beginning(tree, path)
    elements = _starts(beginning)
    if not elements:
        match = _SNIFFED.search(beginning)
        return ({}, match.group(1).decode()) if match else None
    root: dict[str, str] | None = None
    for element in elements:
        attributes = {name_of(key)[1]: str(value) for key, value in element.attrib.items()}
        if root is None:
            if not _is_mets(element):
                return None
            root = attributes
            if _TYPE in attributes:
                return root, attributes[_TYPE]
        elif name_of(element.tag)[1] == "metsHdr":
            return (root, attributes[_TYPE]) if _TYPE in attributes else None
        else:
            return None
    return None


def _vietnamese(tree: Tree, folder: bytes, root: dict[str, str]) -> str | None:
    """Why a METS package is one of Circular 05/2025/TT-BNV, else None."""
    if root.get("PROFILE") == _ESTONIAN:
        return "METS.xml names the profile of Circular 05/2025/TT-BNV"
    for element in _starts(_beginning(tree, folder + b"metadata/descriptive/EAD.xml"))[:1]:
        namespace, name = name_of(element.tag)
        if not namespace and name.lower() == "simpledc":
            return "METS.xml with a simpledc description, as Circular 05/2025/TT-BNV asks"
    return None


def _beginning(tree: Tree, path: bytes) -> bytes:
    """The first bytes of a file; empty when it is absent or damaged by its carrier."""
    try:
        with tree.open(PackagePath(path)) as source:
            return source.read(_MOST)
    except (KeyError, ContentDamage):
        return b""


def _starts(beginning: bytes) -> list[etree._Element]:
    """The first two elements of an XML document as they open; none when it is no XML or holds a DTD."""
    if b"<!DOCTYPE" in beginning or b"<\0!\0D\0O" in beginning or b"\0<\0!\0D" in beginning:
        return []
    parser = etree.XMLPullParser(
        events=("start",), resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False
    )
    try:
        parser.feed(beginning)
        return [element for _, element in list(parser.read_events())[:2]]
    except etree.XMLSyntaxError:
        return []
