"""What office documents tell of themselves: properties, counts, macros, passwords, links to the outside."""

from __future__ import annotations

import struct
import zipfile
from typing import Any, BinaryIO

from lxml import etree

from pipeline.content.validity import Beat, Invalid, Judgement, Unchecked
from pipeline.content.validity.compound import judge as judge_compound
from pipeline.content.validity.compound import opened as opened_compound
from pipeline.content.validity.documents import archive, manifest, parts_of
from pipeline.damage import ZIP_FAULTS
from pipeline.records import Validity

_SEEN_STREAM = 64 << 20
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_ENCRYPTED = Judgement(Validity.NOT_CHECKED, "encrypted")
_LOCKED = ["password protection", "all content"]


def ooxml(source: BinaryIO) -> dict[str, Any]:
    """Properties of a Word, Excel or PowerPoint file since 2007. Empty where it cannot be read."""
    told: dict[str, Any] = {}
    creating: list[list[str]] = []
    try:
        with archive(source) as opened:
            names = opened.namelist()
            lower = [name.lower() for name in names]
            told["macros"] = any(name.endswith("vbaproject.bin") for name in lower)
            told["attachments"] = sum("/embeddings/" in name for name in lower) or None
            told["external references"] = _outside(opened, names) or None
            told["signatures"] = sum(name.startswith("_xmlsignatures/sig") for name in lower) or None
            core = _texts(opened, "docProps/core.xml")
            application = _texts(opened, "docProps/app.xml")
            told["document title"] = core.get("title")
            told["document author"] = core.get("creator")
            if "word/document.xml" in names:
                told["page count"] = _number(application.get("Pages"))
                told["word count"] = _number(application.get("Words"))
            if "xl/workbook.xml" in names:
                told["sheet count"], told["hidden sheets"] = _sheets(opened)
            if "ppt/presentation.xml" in names:
                told["slide count"] = sum(name.startswith("ppt/slides/slide") for name in names)
            if application.get("Application"):
                creating = [[application["Application"], application.get("AppVersion", ""), core.get("created", "")]]
    except (Invalid, Unchecked, etree.XMLSyntaxError, *ZIP_FAULTS, OSError):
        pass  # the checker says what is broken
    return {"properties": told, "creating": creating}


def _texts(opened: zipfile.ZipFile, name: str) -> dict[str, str]:
    """Texts of the elements of a small part, by local name; the first of each."""
    found: dict[str, str] = {}
    for _, element in parts_of(opened, name):
        if element.text and isinstance(element.tag, str):
            found.setdefault(etree.QName(element).localname, element.text.strip())
    return found


def _outside(opened: zipfile.ZipFile, names: list[str]) -> int:
    """Relations that load something from outside; hyperlinks load nothing."""
    number = 0
    for name in names:
        if name.endswith(".rels"):
            for _, element in parts_of(opened, name):
                kind = element.get("Type") or ""
                number += element.get("TargetMode") == "External" and not kind.endswith("/hyperlink")
    return number


def _sheets(opened: zipfile.ZipFile) -> tuple[int, int | None]:
    sheets = hidden = 0
    for _, element in parts_of(opened, "xl/workbook.xml"):
        if isinstance(element.tag, str) and etree.QName(element).localname == "sheet":
            sheets += 1
            hidden += element.get("state") in ("hidden", "veryHidden")
    return sheets, hidden or None


def odf(source: BinaryIO) -> dict[str, Any]:
    """Properties of an OpenDocument file."""
    told: dict[str, Any] = {}
    creating: list[list[str]] = []
    inhibitors: list[list[str]] = []
    try:
        with archive(source) as opened:
            names = opened.namelist()
            told["signatures"] = sum(_count_signatures(opened, name) for name in _SIGNATURES if name in names) or None
            if manifest(opened)[1]:
                inhibitors = [_LOCKED]
            told["macros"] = any(name.startswith(("Basic/", "Scripts/")) and not name.endswith("/") for name in names)
            told["attachments"] = sum(name.startswith("Object ") and name.endswith("content.xml") for name in names)
            found: dict[str, str] = {}
            for _, element in parts_of(opened, "meta.xml"):
                if element.tag == f"{_META}document-statistic":
                    told["page count"] = _number(element.get(f"{_META}page-count"))
                    told["word count"] = _number(element.get(f"{_META}word-count"))
                elif element.text and isinstance(element.tag, str):
                    found.setdefault(etree.QName(element).localname, element.text.strip())
            told["document title"] = found.get("title")
            told["document author"] = found.get("creator") or found.get("initial-creator")
            if found.get("generator"):
                creating = [[found["generator"], "", found.get("creation-date", "")]]
            kind = opened.read("mimetype")[:80].decode("ascii", "replace") if "mimetype" in names else ""
            if "spreadsheet" in kind:
                told["sheet count"] = _count(opened, f"{_TABLE}table")
            elif "presentation" in kind:
                told["slide count"] = _count(opened, f"{_DRAW}page")
            told["attachments"] = told["attachments"] or None
    except (Invalid, Unchecked, etree.XMLSyntaxError, *ZIP_FAULTS, OSError):
        pass  # the checker says what is broken
    return {"properties": told, "creating": creating, "inhibitors": inhibitors}


def _count(opened: zipfile.ZipFile, tag: str) -> int:
    number = 0
    for _, element in parts_of(opened, "content.xml"):
        parent = element.getparent()
        number += element.tag == tag and parent is not None and etree.QName(parent).localname in _BODIES
        if parent is not None and element.tag != tag:
            element.clear()
    return number


_BODIES = ("spreadsheet", "presentation")
_SIGNATURES = ("META-INF/documentsignatures.xml", "META-INF/macrosignatures.xml")


def _count_signatures(opened: zipfile.ZipFile, name: str) -> int:
    """Signatures in one member; a member that cannot be read counts for one, so that nobody rewrites the file."""
    try:
        tags = [element.tag for _, element in parts_of(opened, name)]
    except (Invalid, etree.XMLSyntaxError):
        return 1
    return tags.count("{http://www.w3.org/2000/09/xmldsig#}Signature")


def compound(source: BinaryIO, beat: Beat) -> dict[str, Any]:
    """Properties and judgement of an Office 97 to 2003 file, or of one that a password closed since."""
    with opened_compound(source) as found:
        names = {"/".join(name) for name in found.listdir()}
        if "EncryptedPackage" in names:
            return {"inhibitors": [_LOCKED], "encrypted": True, "judgement": _ENCRYPTED}
        judgement = judge_compound(found, beat)
        told: dict[str, Any] = {}
        creating: list[list[str]] = []
        try:
            properties = found.get_metadata()
        except (OSError, ValueError, IndexError, KeyError, TypeError, struct.error):
            properties = None
        if properties is not None:
            encoding = _encoding(properties.codepage)
            told["document title"] = _decoded(properties.title, encoding)
            told["document author"] = _decoded(properties.author, encoding)
            application = _decoded(properties.creating_application, encoding)
            made = properties.create_time
            if application:
                creating = [[application, "", made.isoformat() + "Z" if made and made.year > 1980 else ""]]
        locked = False
        told["macros"] = any(name.endswith(("_VBA_PROJECT", "/VBA/dir")) for name in names)
        if "WordDocument" in names:
            told["page count"] = _positive(properties.num_pages if properties else None)
            told["word count"] = _positive(properties.num_words if properties else None)
            head = found.openstream("WordDocument").read(12)
            locked = len(head) >= 12 and bool(struct.unpack_from("<H", head, 10)[0] & 0x0100)
        for name in ("Workbook", "Book"):
            if name in names:
                told["sheet count"], hidden, locked = _records(found.openstream(name).read(_SEEN_STREAM))
                told["hidden sheets"] = hidden or None
        if "PowerPoint Document" in names:
            told["slide count"] = _positive(properties.slides if properties else None)
            locked = "EncryptedSummary" in names
        told["attachments"] = sum(name.endswith(("\x01Ole10Native", "/Package")) for name in names) or None
        if locked:
            judgement = _ENCRYPTED
        return {"properties": told, "creating": creating, "judgement": judgement, "encrypted": locked,
                "inhibitors": [_LOCKED] if locked else []}  # fmt: skip


def _records(data: bytes) -> tuple[int, int, bool]:
    """Sheets, hidden sheets and encryption among the records of an Excel workbook stream."""
    sheets = hidden = at = 0
    locked = False
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        if kind == 0x2F:
            locked = True
        elif kind == 0x85 and length >= 6 and at + 10 <= len(data) and data[at + 9] == 0:
            sheets += 1
            hidden += data[at + 8] & 3 > 0
        elif kind == 0x0A and sheets:
            break
        at += 4 + length
    return sheets, hidden, locked


def _encoding(page: Any) -> str:
    number = page & 0xFFFF if isinstance(page, int) else 0
    return {65001: "utf-8", 1200: "utf-16-le", 10000: "mac_roman"}.get(number, f"cp{number}" if number else "cp1252")


def _decoded(value: Any, encoding: str) -> str:
    if not isinstance(value, bytes):
        return str(value) if value else ""
    try:
        return value.decode(encoding, "replace").strip("\0 ")
    except LookupError:
        return value.decode("latin-1").strip("\0 ")


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _number(text: str | None) -> int | None:
    """A count that a document tells; 0 is what programs write that never counted."""
    return int(text) or None if text and text.isascii() and text.isdigit() and len(text) < 12 else None
