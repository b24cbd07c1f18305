"""Signatures inside office packages: OOXML (ECMA-376-2, 12) and OpenDocument (ODF 1.3, part 2, 5).

Runs inside workers of the pool.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final
from urllib.parse import unquote

from lxml import etree

from pipeline.content.signatures import cms, xmldsig
from pipeline.content.signatures.certificates import Roots, line, words
from pipeline.content.signatures.cms import Unjudged
from pipeline.content.signatures.xmldsig import DS, Told
from pipeline.damage import ZIP_FAULTS
from pipeline.signatures import Coverage, Integrity, Signature

ODF_SIGNATURES: Final = "META-INF/documentsignatures.xml"
ODF_MACROS: Final = "META-INF/macrosignatures.xml"
OOXML_FOLDER: Final = "_xmlsignatures/"
_D: Final = f"{{{DS}}}"
_PACKAGE: Final = "{http://schemas.openxmlformats.org/package/2006/digital-signature}"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_R: Final = f"{{{_RELATIONS}}}"
_MEMBER: Final = 64 << 20
_ALL: Final = 512 << 20
_FREE: Final = ("docProps/", OOXML_FOLDER)
"""Parts that Office leaves out of its signatures: properties and the signatures themselves."""


@dataclass(slots=True)
class _Package:
    """Members of a zip, read within a budget over all of them."""

    opened: zipfile.ZipFile
    beat: Callable[[], None]
    left: int = _ALL
    names: dict[str, zipfile.ZipInfo] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for info in self.opened.infolist():
            if info.filename in self.names:
                raise Unjudged(f"member {line(info.filename)} stands twice")
            self.names[info.filename] = info

    def read(self, name: str) -> bytes | None:
        """One member; None where there is none. Raises Unjudged where it is too big or damaged."""
        info = self.names.get(name)
        if info is None:
            return None
        if info.file_size > min(_MEMBER, self.left):
            raise Unjudged(f"member {line(name)} is too big")
        self.left -= info.file_size
        self.beat()
        try:
            with self.opened.open(info) as member:
                return member.read(info.file_size)
        except (*ZIP_FAULTS, OSError) as problem:
            raise Unjudged(f"member {line(name)}: {words(problem)}") from None


def verify(source: BinaryIO, family: str, roots: Roots, beat: Callable[[], None], counted: int = 0) -> list[Signature]:
    """Every signature of a package (`family` ooxml or odf). Never raises on content but MemoryError.

    `counted` is how many were seen before: a package that cannot be opened has none that anybody saw.
    """
    form = "OOXML" if family == "ooxml" else "ODF"
    try:
        with zipfile.ZipFile(source) as opened:
            package = _Package(opened, beat)
            return list(_ooxml(package, roots) if family == "ooxml" else _odf(package, roots))
    except MemoryError:
        raise
    except Unjudged as problem:
        return [Signature(form=form, why=str(problem))]
    except Exception as problem:
        why = f"the package cannot be read: {words(problem)}"
        return [Signature(form=form, why=why)] if counted or not isinstance(problem, zipfile.BadZipFile) else []


# --- OpenDocument -------------------------------------------------------------------------------------------------


def _odf(package: _Package, roots: Roots) -> Iterator[Signature]:
    for member in (ODF_SIGNATURES, ODF_MACROS):
        data = package.read(member)
        if data is None:
            continue
        root = xmldsig.document(data)
        for told in xmldsig.verify(data, root, lambda uri: package.read(_odf_name(uri)), roots, package.beat):
            yield _odf_signature(package, told, member)


def _odf_name(uri: str) -> str:
    """The member that a reference names; a plain name of the package, as a URI reference or as it is."""
    return unquote(uri).removeprefix("./")


def _odf_signature(package: _Package, told: Told, member: str) -> Signature:
    one = replace(told.signature, form=f"ODF, {told.signature.form}")
    covered = {_odf_name(reference.uri) for reference in told.references if reference.target is None}
    left = [name for name in package.names if not name.endswith("/") and name not in covered | {ODF_SIGNATURES}]
    if not told.references:
        return one
    if not left and member == ODF_SIGNATURES:
        return replace(one, coverage=Coverage.FILE, covered="")
    missing = "macros alone" if member == ODF_MACROS else f"all members but {', '.join(left[:20])}"
    return replace(one, coverage=Coverage.PART, covered=line(missing))


# --- OOXML --------------------------------------------------------------------------------------------------------


def _ooxml(package: _Package, roots: Roots) -> Iterator[Signature]:
    for name in sorted(package.names):
        if not name.startswith(OOXML_FOLDER) or not name.lower().endswith(".xml"):
            continue
        data = package.read(name)
        root = xmldsig.document(data or b"")
        for told in xmldsig.verify(data or b"", root, lambda uri: None, roots, package.beat):
            yield _ooxml_signature(package, told)


def _ooxml_signature(package: _Package, told: Told) -> Signature:
    """A signature of a package signs manifests among its own objects; they tell the parts."""
    one = replace(told.signature, form=f"OOXML, {told.signature.form}")
    targets = [reference.target for reference in told.references if reference.target is not None]
    manifests = [each for target in targets for each in target.iter(f"{_D}Manifest")]
    if one.integrity is not Integrity.WHOLE:
        return one
    if not manifests:
        return replace(one, coverage=Coverage.PART, covered="no part of the package")
    covered: set[str] = set()
    types = _types(package)
    for reference in [each for manifest in manifests for each in manifest.findall(f"{_D}Reference")]:
        name, kind = _part(str(reference.get("URI") or ""))
        try:
            data = _transformed(package, name, reference)
        except Unjudged as problem:
            return replace(one, integrity=Integrity.UNVERIFIABLE, why=_and(one.why, str(problem)))
        method = reference.find(f"{_D}DigestMethod")
        algorithm = xmldsig.digest_name(str(method.get("Algorithm")) if method is not None else "")
        if data is None:
            return replace(one, integrity=Integrity.CHANGED, why=_and(one.why, f"part {line(name)} is gone"))
        expected = xmldsig.decoded(reference.findtext(f"{_D}DigestValue"))
        if cms.hashed(algorithm, data) != expected:
            return replace(one, integrity=Integrity.CHANGED, why=_and(one.why, f"the digest of {line(name)} differs"))
        if kind and types(name) not in ("", kind):
            why = f"the content type of {line(name)} was {line(kind)}"
            return replace(one, integrity=Integrity.CHANGED, why=_and(one.why, why))
        covered.add(name)
    left = [
        name for name in package.names
        if name not in covered and not name.endswith("/") and name not in ("[Content_Types].xml", "_rels/.rels")
        and not name.startswith(_FREE)
    ]  # fmt: skip
    outside = [name for name in package.names if name.startswith("docProps/") and name not in covered]
    if left:
        return replace(one, coverage=Coverage.PART, covered=line(f"all parts but {', '.join(left[:20])}"))
    return replace(
        one, coverage=Coverage.FILE, covered=line(f"without the properties {', '.join(outside)}") if outside else ""
    )


def _and(why: str, more: str) -> str:
    return line("; ".join(part for part in (more, why) if part))


def _part(uri: str) -> tuple[str, str]:
    """Name of the member and content type of a reference like `/word/document.xml?ContentType=…`."""
    path, _, query = uri.partition("?")
    kind = unquote(query.partition("ContentType=")[2].partition("&")[0])
    return unquote(path).lstrip("/"), kind


def _transformed(package: _Package, name: str, reference: etree._Element) -> bytes | None:
    """What the digest of a part is about."""
    data = package.read(name)
    transforms = reference.findall(f"{_D}Transforms/{_D}Transform")
    if data is None or not transforms:
        return data
    kinds = [str(one.get("Algorithm") or "") for one in transforms]
    root: etree._Element | None = None
    for kind, one in zip(kinds, transforms, strict=True):
        if kind == xmldsig.RELATIONSHIPS and root is None:
            root = _relations(xmldsig.document(data), one)
        elif kind in xmldsig.C14N:
            root = xmldsig.document(data) if root is None else root
            exclusive = kind.startswith("http://www.w3.org/2001/10/xml-exc-c14n#")
            comments = kind.endswith("#WithComments")
            return bytes(etree.tostring(root, method="c14n", exclusive=exclusive, with_comments=comments))
        else:
            raise Unjudged(f"transform {line(kind)} is not followed")
    return data if root is None else bytes(etree.tostring(root, method="c14n"))


def _relations(root: etree._Element, transform: etree._Element) -> etree._Element:
    """The relationships transform: those that are named, sorted by Id, with their mode, and nothing else."""
    ids = {one.get("SourceId") for one in transform.iter(f"{_PACKAGE}RelationshipReference")}
    kinds = {one.get("SourceType") for one in transform.iter(f"{_PACKAGE}RelationshipsGroupReference")}
    made = etree.Element(f"{_R}Relationships", nsmap={None: _RELATIONS})
    chosen = [
        one for one in root.iter(f"{_R}Relationship") if one.get("Id") in ids or one.get("Type") in kinds
    ]  # fmt: skip
    for one in sorted(chosen, key=lambda each: str(each.get("Id"))):
        kept = etree.SubElement(made, f"{_R}Relationship")
        for name in ("Id", "Target", "TargetMode", "Type"):
            value = one.get(name) or ("Internal" if name == "TargetMode" else None)
            if value is not None:
                kept.set(name, value)
    return made


def _types(package: _Package) -> Callable[[str], str]:
    """Content type of a part by [Content_Types].xml; empty when it names none."""
    overrides: dict[str, str] = {}
    defaults: dict[str, str] = {}
    root = xmldsig.document(package.read("[Content_Types].xml") or b"<none/>")
    for one in root.iter():
        kind = str(one.get("ContentType") or "") if isinstance(one.tag, str) else ""
        if one.get("PartName"):
            overrides[str(one.get("PartName")).lstrip("/").lower()] = kind
        elif one.get("Extension"):
            defaults[str(one.get("Extension")).lower()] = kind

    def found(name: str) -> str:
        return overrides.get(name.lower()) or defaults.get(name.rpartition(".")[2].lower(), "")

    return found
