"""PDF as qpdf reads it, and what a file that calls itself PDF/A says of itself."""

from __future__ import annotations

import importlib
import io
import os
import re
import stat
import zlib
from pathlib import Path
from typing import Any

import pikepdf

from pipeline.content.validity import Beat, Invalid, Judgement, Unchecked, valid

_CHECKED = ("1b", "2b", "3b")
_STREAM = re.compile(r"^(?:WARNING|ERROR): |(?:stream )?<[^>]*>(?: \(offset \d+\))?")
_SHOWN = 3
_NO_ROOM = "bad_alloc"
_UNPACKS = "its streams unpack to more than fits into memory"
_STEP = 1 << 18


def prepare() -> None:
    """Loads the PDF/A checker, half of all that examinations need, now if a worker without rights could not later."""
    able = all(
        place.stat().st_mode & stat.S_IROTH and all(one.stat().st_mode & stat.S_IXOTH for one in place.parents)
        for place in (Path(pikepdf.__file__), Path(os.__file__))
    )
    if os.geteuid() == 0 and not able:
        importlib.import_module("pikepdf.pdfa")


def judge(document: pikepdf.Pdf, beat: Beat) -> Judgement:
    """qpdf's own check: cross-references, objects, every stream it can decode. A repaired file is not valid.

    Raises Invalid, and MemoryError where qpdf says in words that it had too little.

    The sum at the end of what is packed by FlateDecode is compared here (RFC 1950, 2.3): qpdf overlooks a wrong one.

    Tables that let a viewer show the first page early (linearization) may be wrong: no reader relies on them, and
    every later change of such a file makes them so.
    """
    opened = [words(one) for one in document.get_warnings()]
    hints: set[str] = set()
    if document.is_linearized:
        document.check_linearization(io.StringIO())
        hints = {words(one) for one in document.get_warnings()} - set(opened)
    told = [*opened, *(one for one in map(words, document.check_pdf_syntax()) if one not in hints)]
    told += [] if told else _wrong_sums(document, beat)
    if told:
        if any(_NO_ROOM in one for one in told):
            raise MemoryError(_UNPACKS)
        said = list(dict.fromkeys(told))
        more = f" (and {len(said) - _SHOWN} more)" if len(said) > _SHOWN else ""
        raise Invalid("; ".join(said[:_SHOWN]) + more)
    detail = f"PDF {document.pdf_version}: structure and streams read by qpdf {pikepdf.__libqpdf_version__}"
    return valid(detail + ("; its hints for early display are wrong" if hints else ""))


def _wrong_sums(document: pikepdf.Pdf, beat: Beat) -> list[str]:
    """A line for every stream that unpacks to something else than was packed."""
    told = []
    for one in document.objects:
        if not isinstance(one, pikepdf.Stream):
            continue
        names = one.get("/Filter")
        first = names[0] if isinstance(names, pikepdf.Array) and len(names) else names
        if first not in ("/FlateDecode", "/Fl"):
            continue
        left = one.read_raw_bytes()
        inflate = zlib.decompressobj()
        try:
            while left and not inflate.eof:
                inflate.decompress(left, _STEP)
                left = inflate.unconsumed_tail
                beat()
        except zlib.error as problem:
            if "data check" in str(problem):
                told.append(f"object {one.objgen[0]}: the sum of its packed data is wrong")
    return told


def broken(problem: Exception) -> Invalid | MemoryError:
    """What an error of the library says: of the file, or of the room that it had."""
    return MemoryError(_UNPACKS) if _NO_ROOM in str(problem) else Invalid(words(problem))


def words(problem: object) -> str:
    """The library's words without what it calls the file: the number of a descriptor is nothing to keep."""
    text = _STREAM.sub("", " ".join(str(problem).split()))
    return re.sub(r"\s+", " ", text).strip(" :,") or type(problem).__name__


def claim(document: pikepdf.Pdf) -> str:
    """The PDF/A part and level that the XMP packet claims, in the form `2B`; empty when it claims none."""
    try:
        with document.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            return str(metadata.pdfa_status or "")
    except Exception:  # an XMP packet can be broken in every way; then nothing is claimed
        return ""


def archival(document: pikepdf.Pdf, claimed: str) -> tuple[str, str]:
    """(`passed`, `failed` or `not checked`; why) of a claim to be PDF/A, by pikepdf's allow-list.

    It does not know all that the standards allow: `failed` on a file of others is a reason to look, no verdict.
    """
    flavour = claimed.lower()
    if flavour[:1] in "123" and flavour[1:] in ("a", "u", "b"):
        flavour = f"{flavour[0]}b"
    if flavour not in _CHECKED:
        return "not checked", f"no checker for PDF/A-{claimed}"
    from pikepdf import pdfa

    try:
        report: Any = pdfa.check(document, flavour)
    except Exception as problem:  # its own rules stumble over what damaged documents hold
        raise Unchecked(f"the PDF/A check could not read it: {problem}") from None
    rules = [f"{one.rule}" for one in report.violations]
    if rules:
        return "failed", ", ".join(dict.fromkeys(rules).keys())
    unsupported = [f"{one.message}" for one in report.unsupported]
    if unsupported:
        return "not checked", "; ".join(list(dict.fromkeys(unsupported))[:_SHOWN])
    if claimed.lower()[1:] != "b":
        return "not checked", f"level {claimed[1:]} asks for more than the checker knows"
    return "passed", ""
