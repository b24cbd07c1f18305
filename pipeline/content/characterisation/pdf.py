"""What a PDF holds, read with pikepdf: pages, fonts, attachments, scripts, signatures, what made it."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import pikepdf

from pipeline.content.validity import Beat, Invalid, Judgement, Limit, Unchecked
from pipeline.content.validity.pdf import archival, broken, claim, judge
from pipeline.records import Validity

_OBJECTS = 2_000_000
_SUBSET = re.compile(r"^[A-Z]{6}\+")
_DATE = re.compile(r"D?:?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?([Zz+-])?(\d\d)?'?(\d\d)?")
_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_CIPHERS = {1: "RC4", 2: "RC4", 3: "unpublished", 4: "RC4 or AES-128", 5: "AES-256"}


def examine(source: BinaryIO, beat: Beat) -> dict[str, Any]:
    """Properties, creating application, inhibitors and judgement, from one opening."""
    source.seek(0)
    try:
        document = pikepdf.open(source, suppress_warnings=True, access_mode=pikepdf.AccessMode.stream)
    except pikepdf.PasswordError:
        reason = "encrypted with a user password"
        return {"inhibitors": [["password protection", "all content"]], "encrypted": True,
                "judgement": Judgement(Validity.NOT_CHECKED, reason)}  # fmt: skip
    except (pikepdf.PdfError, ValueError, OSError) as problem:
        raise broken(problem) from None
    with document:
        try:
            told = _properties(document, beat)
        except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise broken(problem) from None
        claimed = claim(document)
        answer: dict[str, Any] = {
            "properties": {**told, "PDF/A claim": claimed},
            "creating": _creating(document),
            "inhibitors": _inhibitors(document),
        }
        if claimed:
            answer["properties"]["PDF/A check"], answer["archival"] = archival(document, claimed)
            answer["claimed"] = claimed
        beat()
        try:
            answer["judgement"] = judge(document, beat)
        except Invalid as found:
            answer["judgement"] = Judgement(Validity.INVALID, str(found))
        except Unchecked as reason:
            answer["judgement"] = Judgement(Validity.NOT_CHECKED, str(reason))
            answer["limit"] = isinstance(reason, Limit)
        return answer


def _properties(document: pikepdf.Pdf, beat: Beat) -> dict[str, Any]:
    root = document.Root
    fonts, missing, scripts, signed = _objects(document, beat)
    information = document.docinfo
    fields = 0
    form = root.get("/AcroForm")
    if isinstance(form, pikepdf.Dictionary):
        fields = len(form.get("/Fields", pikepdf.Array()))
    marked = root.get("/MarkInfo")
    return {
        "page count": len(document.pages),
        "PDF version": document.pdf_version,
        "fonts": fonts,
        "fonts not embedded": "; ".join(sorted(missing)),
        "tagged": isinstance(marked, pikepdf.Dictionary) and bool(marked.get("/Marked", False)),
        "signatures": signed or None,
        "form fields": fields or None,
        "attachments": len(document.attachments) or None,
        "scripts": scripts or None,
        "document title": _text(information.get("/Title")),
        "document author": _text(information.get("/Author")),
    }


def _objects(document: pikepdf.Pdf, beat: Beat) -> tuple[int, set[str], int, int]:
    """Fonts, names of those not embedded, scripts and signatures among all objects of the file."""
    fonts = scripts = signed = 0
    missing: set[str] = set()
    for number, one in enumerate(document.objects):
        if number > _OBJECTS:
            raise Invalid(f"more than {_OBJECTS} objects")
        if not number % 2000:
            beat()
        if not isinstance(one, pikepdf.Dictionary):
            continue
        kind = one.get("/Type")
        if kind == "/Font" and one.get("/Subtype") not in ("/Type0", None):
            fonts += 1
            if one.get("/Subtype") != "/Type3" and not _embedded(one):
                missing.add(_SUBSET.sub("", str(one.get("/BaseFont", "")).lstrip("/")) or "without a name")
        if one.get("/S") == "/JavaScript" or "/JS" in one:
            scripts += 1
        if kind in ("/Sig", "/DocTimeStamp") or ("/ByteRange" in one and "/Contents" in one):
            signed += 1
    return fonts, missing, scripts, signed


def _embedded(font: pikepdf.Dictionary) -> bool:
    descriptor = font.get("/FontDescriptor")
    return isinstance(descriptor, pikepdf.Dictionary) and any(name in descriptor for name in _FILES)


def _creating(document: pikepdf.Pdf) -> list[list[str]]:
    """The program that made the document and the one that wrote the PDF, with its date."""
    information = document.docinfo
    creator, producer = (_text(information.get(name)) for name in ("/Creator", "/Producer"))
    made = _date(_text(information.get("/CreationDate")))
    return [[name, "", made] for name in dict.fromkeys((creator, producer)) if name]


def _inhibitors(document: pikepdf.Pdf) -> list[list[str]]:
    if not document.is_encrypted:
        return []
    cipher = _CIPHERS.get(document.encryption.V, "unknown cipher")
    return [[f"encryption {cipher}, opens without a password", "printing, copying or changing"]]


def _text(value: Any) -> str:
    try:
        return "" if value is None else str(value)
    except (ValueError, UnicodeError):
        return ""


def _date(text: str) -> str:
    """ISO 8601 of a PDF date, as far as it is told; empty when it is none."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return ""
    year, month, day, hour, minute, second, zone, ahead, more = found.groups()
    if not day:
        return "-".join(part for part in (year, month) if part)
    date = f"{year}-{month}-{day}"
    if hour is None or minute is None:
        return date
    offset = "Z" if zone in ("Z", "z") else f"{zone}{ahead}:{more or '00'}" if zone and ahead else ""
    return f"{date}T{hour}:{minute}:{second or '00'}{offset}"
