"""XML, text, zip containers and office documents in them, compound files of old Office: what holds them together."""

from __future__ import annotations

import codecs
import io
import os
import zipfile
from collections.abc import Mapping
from typing import IO, Any, BinaryIO

from lxml import etree

from pipeline.content.validity import INFLATED, RATIO, Beat, Invalid, Judgement, Limit, Unchecked, size_of, valid
from pipeline.damage import ZIP_FAULTS, of_the_file

_STEP = 1 << 18
_MEMBERS = 100_000
_PARTS = (".xml", ".rels")
_XML_PART = 256 << 20


_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


class Root:
    """Target of a parser: keeps the name of the root element and counts signatures.

    It has no method for text and ends of elements: for each of those it would be called.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self.signatures = 0

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        if self.name is None:
            self.name = tag
        if tag == _SIGNATURE:
            self.signatures += 1

    def close(self) -> Root:
        return self


def root_of(source: IO[bytes], beat: Beat, limit: int = 4 << 30) -> Root:
    """Reads a whole XML document without DTD, entities or network. Raises Invalid where it is not well-formed."""
    target = Root()
    deaf: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    parser: Any = etree.XMLParser(**{**deaf, "target": target})
    total = 0
    try:
        while data := source.read(_STEP):
            total += len(data)
            if total > limit:
                raise Limit(f"more than {limit} bytes of XML")
            parser.feed(data)
            beat()
        parser.close()
    except etree.XMLSyntaxError as problem:
        message = " ".join((problem.msg or "not well-formed").split())
        if "huge" in message.lower() or "amplification" in message.lower():
            raise Limit(f"XML that is too big for the parser: {message}") from None
        raise Invalid(f"not well-formed XML: {message}") from None
    return target


def xml(source: BinaryIO, beat: Beat) -> Judgement:
    """XML: well-formed from the first byte to the last (XML 1.0, section 2.1)."""
    size_of(source)
    root_of(source, beat)
    return valid("XML: well-formed")


def text(source: BinaryIO, beat: Beat) -> Judgement:
    """Plain text: every byte belongs to UTF-16 with a byte order mark, else to UTF-8."""
    size_of(source)
    mark = source.read(4)
    source.seek(0)
    name, shown = "utf-8", "UTF-8"
    if mark.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        name = shown = "UTF-32"
    elif mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = shown = "UTF-16"
    decoder = codecs.getincrementaldecoder(name)()
    at = 0
    try:
        while data := source.read(_STEP):
            decoder.decode(data)
            at += len(data)
            beat()
        decoder.decode(b"", True)
    except UnicodeError as problem:
        if name != "utf-8":
            raise Invalid(f"not {shown} behind byte {at}: {getattr(problem, 'reason', problem)}") from None
        raise Unchecked("8-bit text whose encoding is not told") from None
    return valid(f"text: {shown} throughout")


def archive(source: BinaryIO) -> zipfile.ZipFile:
    """A zip with its directory read. Raises Invalid."""
    size_of(source)
    try:
        return zipfile.ZipFile(source)
    except (*ZIP_FAULTS, OSError) as problem:
        raise Invalid(f"no readable zip: {problem}") from None


def members(opened: zipfile.ZipFile, beat: Beat, *, parts: bool = True) -> None:
    """Unpacks every member into nothing: CRC and length of each, and with `parts` that XML in it is well-formed."""
    infos = opened.infolist()
    if len(infos) > _MEMBERS:
        raise Limit(f"{len(infos)} members, limit {_MEMBERS}")
    declared = sum(info.file_size for info in infos)
    size = os.fstat(opened.fp.fileno()).st_size if opened.fp else 0
    if declared > INFLATED or declared > max(size, 1 << 20) * RATIO:
        raise Limit(f"{declared} bytes declared in a file of {size}: not unpacked")
    names: set[str] = set()
    for info in infos:
        name = info.filename
        if name in names:
            raise Invalid(f"member {name} stands twice")
        names.add(name)
        if info.flag_bits & 1:
            raise Unchecked("encrypted members")
        try:
            with opened.open(info) as member:
                if parts and name.lower().endswith(_PARTS) and 0 < info.file_size <= _XML_PART:
                    _part(member, name, beat)
                while member.read(_STEP):
                    beat()
        except RuntimeError as problem:  # a member that may be whole, packed in a way that is not known here
            raise Unchecked(f"member {name}: {problem}") from None
        except (*ZIP_FAULTS, OSError) as problem:
            raise _broken(name, problem) from None


def _broken(name: str, problem: Exception) -> Exception:
    """What to raise for a member that could not be read; the disk's own fault is passed on."""
    if not isinstance(problem, OSError):
        return Invalid(f"member {name}: {problem}")
    if not of_the_file(problem):
        return problem
    return Invalid(f"member {name} lies outside the file" if problem.errno else f"member {name}: {problem}")


def _part(member: IO[bytes], name: str, beat: Beat) -> None:
    try:
        root_of(member, beat, _XML_PART)
    except Invalid as broken:
        raise Invalid(f"member {name}: {broken}") from None


def odf(source: BinaryIO, beat: Beat) -> Judgement:
    """OpenDocument: mimetype and manifest that say the same, what it lists, CRC of every member, XML well-formed, the
    content begins with its root element (ODF 1.3, parts 2 and 3)."""
    with archive(source) as opened:
        names = set(opened.namelist())
        if "META-INF/manifest.xml" not in names or "content.xml" not in names:
            raise Invalid("members META-INF/manifest.xml and content.xml are not both there")
        listed, encrypted = manifest(opened)
        kind = _kind(opened)
        missing = sorted(name for name in listed if not name.endswith("/") and name not in names)
        if missing:
            raise Invalid(f"the manifest lists {missing[0]}, which is missing")
        if encrypted:
            raise Unchecked("encrypted")
        members(opened, beat)
        _as_manifest(opened, kind, names)
    return valid("ODF: manifest kept, every member whole, XML well-formed")


def _kind(opened: zipfile.ZipFile) -> str:
    """The media type that the manifest gives the document itself; empty where it gives none."""
    for _, element in parts_of(opened, "META-INF/manifest.xml"):
        if element.tag == f"{_MANIFEST}file-entry" and element.get(f"{_MANIFEST}full-path") == "/":
            return element.get(f"{_MANIFEST}media-type") or ""
    return ""


def _as_manifest(opened: zipfile.ZipFile, kind: str, names: set[str]) -> None:
    if "mimetype" in names:
        told = opened.read("mimetype")[:200].decode("ascii", "replace").strip()
        if kind and told != kind:
            raise Invalid(f"mimetype says {told}, the manifest {kind}")
        if not told.startswith("application/vnd.oasis.opendocument."):
            raise Invalid(f"mimetype says {told}")
    elif not kind:
        raise Invalid("neither mimetype nor the manifest says what document it is")
    with opened.open("content.xml") as member:
        root = root_of(member, lambda: None, _XML_PART).name
    if root not in _CONTENT:
        raise Invalid(f"content.xml begins with {root}")


_CONTENT = tuple(
    "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}" + name for name in ("document-content", "document")
)
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"


def manifest(opened: zipfile.ZipFile) -> tuple[set[str], bool]:
    """What the manifest of an OpenDocument lists, and whether it calls anything encrypted."""
    listed: set[str] = set()
    encrypted = False
    try:
        for _, element in parts_of(opened, "META-INF/manifest.xml"):
            if element.tag == f"{_MANIFEST}file-entry":
                path = element.get(f"{_MANIFEST}full-path") or ""
                if path and path != "/":
                    listed.add(path)
            encrypted = encrypted or element.tag == f"{_MANIFEST}encryption-data"
    except etree.XMLSyntaxError as problem:
        raise Invalid(f"member META-INF/manifest.xml: not well-formed XML: {problem.msg}") from None
    return listed, encrypted


def parts_of(opened: zipfile.ZipFile, name: str) -> etree.iterparse[tuple[str, etree._Element]]:
    """Streams the ends of elements of one XML member, within limits. Raises Invalid and the parser's own error."""
    info = opened.NameToInfo.get(name)
    if info is None or info.file_size > _XML_PART or info.flag_bits & 1:
        return etree.iterparse(io.BytesIO(b"<none/>"), events=("end",))
    try:
        data = opened.read(info)
    except (*ZIP_FAULTS, OSError) as problem:
        raise _broken(name, problem) from None
    return etree.iterparse(
        io.BytesIO(data), events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def packed(source: BinaryIO, beat: Beat) -> Judgement:
    """Zip: the directory can be read, every member unpacks with the right CRC and length."""
    with archive(source) as opened:
        members(opened, beat, parts=False)
    return valid("zip: every member whole")
