"""What holds the parts of an OOXML file together: content types and relationships (ECMA-376, part 2)."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import unquote

from lxml import etree

from pipeline.content.validity import Beat, Invalid, Judgement, valid
from pipeline.content.validity.documents import archive, members, parts_of

_MOST = 4 << 20
"""Bigger parts are data (sheets): their relationship IDs are not looked for."""

_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_IDS = re.compile(
    r"\{(?:http://schemas\.openxmlformats\.org/officeDocument/2006|http://purl\.oclc\.org/ooxml/officeDocument)"
    r"/relationships\}"
)
_MAIN = {"document", "workbook", "presentation", "glossaryDocument"}
_NEEDED = re.compile(
    r"/(?:officeDocument|worksheet|chartsheet|sharedStrings|styles|slide|slideMaster|slideLayout|notesMaster|notesSlide"
    r"|header|footer|footnotes|endnotes|comments|numbering|theme|fontTable|settings|image|chart|drawing|oleObject|package)$"
)
"""Relationships to what people see: nothing of the document's content may be missing."""


class _Used:
    """Target of a parser: the root's name and every relationship ID that attributes use."""

    def __init__(self) -> None:
        self.root = ""
        self.ids: set[str] = set()

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        self.root = self.root or tag.rpartition("}")[2]
        for name, value in attrib.items():
            if value and name[0] == "{" and _IDS.match(name):
                self.ids.add(value)

    def close(self) -> _Used:
        return self


def ooxml(source: BinaryIO, beat: Beat) -> Judgement:
    """Word, Excel, PowerPoint since 2007: every part whole, XML well-formed, and what `check` asks (ECMA-376)."""
    with archive(source) as opened:
        names = set(opened.namelist())
        for needed in ("[Content_Types].xml", "_rels/.rels"):
            if needed not in names:
                raise Invalid(f"member {needed} is missing")
        members(opened, beat)
        check(opened, beat)
    return valid("OOXML: every part whole and there, XML parts well-formed")


def check(opened: zipfile.ZipFile, beat: Beat) -> None:
    """Invalid where the main part, a part that a relationship asks for, or a relationship that a part uses is missing.

    Every member has been read before. Names are compared without regard to case (part 2, 6.2.2.3).
    """
    known = {info.filename.lower(): info.filename for info in opened.infolist()}
    main = ""
    for name in sorted(known.values()):
        folder, _, rels = name.rpartition("/")
        if not rels.endswith(".rels") or folder.rpartition("/")[2] != "_rels":
            continue
        source = posixpath.join(posixpath.dirname(folder), rels[: -len(".rels")])
        told: dict[str, str] = {}
        for relation in _relations(opened, name):
            told[relation.get("Id", "")] = name
            if relation.get("TargetMode") == "External":
                continue
            kind, target = relation.get("Type", ""), relation.get("Target", "")
            place = _place(posixpath.dirname(folder), target)
            if _NEEDED.search(kind) and target not in ("NULL", "") and place.lower() not in known:
                raise Invalid(f"{name} asks for {place or target}, which is missing")
            if not posixpath.dirname(folder) and kind.endswith("/officeDocument"):
                main = known[place.lower()]
        used = _used(opened, known.get(source.lower(), "")) if rels != ".rels" else None
        gone = sorted(used.ids - told.keys()) if used else []
        if gone:
            raise Invalid(f"{source} uses the relationship {gone[0]}, which {name} does not tell")
        beat()
    if not main:
        raise Invalid("_rels/.rels names no main part")
    _main(opened, main, known)


def _main(opened: zipfile.ZipFile, main: str, known: Mapping[str, str]) -> None:
    if not main.lower().endswith(".xml"):
        return  # the binary workbook has no other
    found = _used(opened, main)
    if found is not None and found.root not in _MAIN:
        raise Invalid(f"the main part {main} begins with {found.root or 'nothing'}")
    folder, name = posixpath.split(main)
    if found is not None and found.ids and posixpath.join(folder, "_rels", f"{name}.rels").lower() not in known:
        raise Invalid(f"{main} uses relationships, and has none")


def _relations(opened: zipfile.ZipFile, name: str) -> list[Any]:
    try:
        return [element for _, element in parts_of(opened, name) if element.tag == _RELATION]
    except etree.XMLSyntaxError as problem:
        raise Invalid(f"member {name}: not well-formed XML: {problem.msg}") from None


def _place(folder: str, target: str) -> str:
    """The name of the member that a relationship leads to, from the folder of its source."""
    path = unquote(target.split("#", 1)[0].replace("\\", "/"))
    joined = path.lstrip("/") if path.startswith("/") else posixpath.join(folder, path)
    return posixpath.normpath(joined).lstrip("/")


def _used(opened: zipfile.ZipFile, name: str) -> _Used | None:
    """What an XML part uses; None for another kind of part, or one that is too big."""
    if not name.lower().endswith(".xml") or opened.getinfo(name).file_size > _MOST:
        return None
    deaf: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    parser: Any = etree.XMLParser(**{**deaf, "target": _Used()})
    try:
        parser.feed(opened.read(name))
        found: _Used = parser.close()
    except etree.XMLSyntaxError as problem:
        raise Invalid(f"member {name}: not well-formed XML: {problem.msg}") from None
    return found
