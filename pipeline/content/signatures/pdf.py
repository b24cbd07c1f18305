"""Signatures and time-stamps of PDFs: PAdES and what came before it (ISO 32000-2, 12.8; ETSI EN 319 142-1).

Runs inside workers of the pool.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from pipeline.content.signatures import certificates, cms, rawpdf
from pipeline.content.signatures.certificates import Material, Roots, iso, line, words
from pipeline.content.signatures.cms import Unjudged
from pipeline.content.validity import Beat
from pipeline.signatures import Coverage, Integrity, Signature

MOST: Final = 100
NOT_PERMITTED: Final = "content"
"""`later` of a signature behind which something was changed that it does not allow."""

_CHUNK: Final = 1 << 20
_FORMS: Final = {
    "/ETSI.CAdES.detached": "PAdES",
    "/adbe.pkcs7.detached": "PDF, CMS detached",
    "/adbe.pkcs7.sha1": "PDF, CMS over SHA-1",
    "/PBAD.PAdES": "PAdES",
    "/ETSI.RFC3161": "PDF document time-stamp",
}
_LATER: Final = {
    ModificationLevel.NONE: "nothing",
    ModificationLevel.LTA_UPDATES: "validation data",
    ModificationLevel.FORM_FILLING: "form fields or signatures",
    ModificationLevel.ANNOTATIONS: "annotations",
    ModificationLevel.OTHER: NOT_PERMITTED,
}


@dataclass(frozen=True, slots=True)
class _Seat:
    """One signature of the document, or why it cannot be read."""

    form: str
    embedded: EmbeddedPdfSignature | None
    end: int
    why: str = ""


def verify(source: BinaryIO, roots: Roots, beat: Beat, counted: int = 0) -> list[Signature]:
    """Every signature, in the order of what they cover. `counted` is how many a lenient reader saw. Never raises on
    content but MemoryError."""
    try:
        reader = PdfFileReader(source, strict=False)
        if reader.encrypted:
            reader.decrypt("")
        seats = sorted(_seats(reader), key=lambda one: one.end)
        material = _store(reader)
    except MemoryError:
        raise
    except Exception as problem:
        lenient = _lenient(source, roots, beat)
        why = f"the document cannot be read: {words(problem)}"
        return lenient or ([Signature(form="PDF", why=why)] if counted else [])
    found: list[Signature] = []
    at = roots.moment
    for seat in reversed(seats):
        beat()
        judged, at = _judged(seat, source, roots, at, material, beat)
        found[:0] = judged
    if not found and counted:
        lenient = _lenient(source, roots, beat)
        why = "no field of the document holds the signature"
        apart = [replace(one, coverage=Coverage.UNKNOWN, covered=why) for one in lenient]
        return apart or [Signature(form="PDF", why=why)]
    return found


def _lenient(source: BinaryIO, roots: Roots, beat: Beat) -> list[Signature]:
    """What qpdf finds where the strict reader finds nothing."""
    return [one for raw in rawpdf.found(source) for one in _by_bytes(raw, source, roots, beat)]


def _by_bytes(raw: rawpdf.Raw, source: BinaryIO, roots: Roots, beat: Beat) -> list[Signature]:
    beat()
    spans = list(raw.spans)
    size = source.seek(0, os.SEEK_END)
    return rawpdf.judge(
        raw, lambda name: _digest(source, spans, name, beat), roots, lambda value: _gap(spans, value, source), size
    )


def _seats(reader: PdfFileReader) -> Iterator[_Seat]:
    for name, value, field in islice(enumerate_sig_fields(reader, filled_status=True), MOST):
        end, form = 0, "PDF"
        try:
            dictionary = value.get_object()
            form = _FORMS.get(str(dictionary.get("/SubFilter", "")), "PDF")
            spans = [int(one) for one in dictionary["/ByteRange"]]  # `get` would not see through encryption
            end = max((start + length for start, length in zip(spans[::2], spans[1::2], strict=False)), default=0)
            if form == "PDF":
                raise Unjudged(f"signatures of type {line(dictionary.get('/SubFilter', '-'))} are not judged")
            yield _Seat(form, EmbeddedPdfSignature(reader, field, name), end)
        except Unjudged as problem:
            yield _Seat(form, None, end, str(problem))
        except Exception as problem:
            yield _Seat(form, None, end, f"the signature cannot be read: {words(problem)}")


def _judged(
    seat: _Seat, source: BinaryIO, roots: Roots, at: datetime, material: Material, beat: Beat
) -> tuple[list[Signature], datetime]:
    """The signers of one signature, and the time at which everything before it is judged."""
    one = seat.embedded
    if one is None:
        again = [raw for raw in rawpdf.found(source) if sum(raw.spans[2:]) == seat.end]
        lenient = [each for raw in again[:1] for each in _by_bytes(raw, source, roots, beat)]
        return lenient or [Signature(form=seat.form, why=seat.why)], at
    coverage, covered, later = _coverage(one, source)
    beat()

    def digest(name: str) -> bytes:
        return _digest(source, one.byte_range, name, beat)

    try:
        if seat.form == _FORMS["/ETSI.RFC3161"]:
            stamp, told = cms.token(one.signed_data, digest, roots, at, material)
            told = replace(told, form=seat.form, coverage=coverage, covered=covered, later=later)
            complete = coverage in (Coverage.FILE, Coverage.REVISION)
            return [told], stamp.time if stamp.counts and stamp.time is not None and complete else at
        held = cms.contained(one.signed_data)
        if held is not None and seat.form == _FORMS["/adbe.pkcs7.sha1"] and held != digest("sha1"):
            why = "the digest of the content differs"
            return [Signature(seat.form, Integrity.CHANGED, coverage=coverage, covered=covered, why=why)], at
        signed = digest if held is None else cms.digester(held)
        if held is not None and seat.form != _FORMS["/adbe.pkcs7.sha1"]:
            raise Unjudged("the signature carries content of its own")
        signers = list(cms.signers(one.signed_data, signed, roots, at, material, seat.form))
    except Unjudged as problem:
        return [Signature(seat.form, coverage=coverage, covered=covered, later=later, why=str(problem))], at
    except MemoryError:
        raise
    except Exception as problem:
        return [Signature(seat.form, coverage=coverage, why=f"the signature cannot be read: {words(problem)}")], at
    claimed = _claimed(one)
    return [
        replace(told, coverage=coverage, covered=covered, later=later, claimed=told.claimed or claimed)
        for told in signers
    ], at


def _coverage(one: Any, source: BinaryIO) -> tuple[Coverage, str, str]:
    """How much is covered, in words where that is not all, and what came later."""
    gap = _gap(one.byte_range, bytes(one.pkcs7_content), source)
    if gap:
        return Coverage.PART, gap, ""
    try:
        one.compute_integrity_info()
    except MemoryError:
        raise
    except Exception as problem:
        return Coverage.UNKNOWN, f"what came later cannot be compared: {words(problem)}", ""
    if one.coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return Coverage.FILE, "", ""
    if one.coverage is not SignatureCoverageLevel.ENTIRE_REVISION:
        return Coverage.PART, "the byte range is no whole revision of the document", ""
    difference = one.diff_result
    level = difference.modification_level if isinstance(difference, DiffResult) else ModificationLevel.OTHER
    permitted = one.summarise_integrity_info()["docmdp_ok"]
    if not permitted and level is not ModificationLevel.OTHER:
        return Coverage.REVISION, "", f"{NOT_PERMITTED}: {_LATER[level]}, which the signature forbids"
    told = "" if isinstance(difference, DiffResult) or difference is None else f": {words(difference)}"
    return Coverage.REVISION, "", _LATER[level] + told


def _gap(byte_range: Any, contents: bytes, source: BinaryIO) -> str:
    """Why the byte range leaves out something else than the value of the signature; empty when it does not."""
    try:
        spans = [int(number) for number in byte_range]
    except (TypeError, ValueError):
        return "the byte range cannot be read"
    size = source.seek(0, os.SEEK_END)
    if len(spans) != 4 or spans[0] != 0 or min(spans) < 0 or spans[2] + spans[3] > size or spans[2] < spans[1]:
        return "the byte range is not two spans of the file"
    if spans[2] - spans[1] > 4 * len(contents) + 1024:
        return "the byte range leaves out more than the signature"
    source.seek(spans[1])
    held = source.read(spans[2] - spans[1])
    inner = bytes(held[1:-1])
    try:
        value = bytes.fromhex(inner.decode("ascii"))
    except ValueError:
        value = b""
    if held[:1] != b"<" or held[-1:] != b">" or value != contents:
        return "the byte range leaves out more than the signature"
    return ""


def _digest(source: BinaryIO, spans: Any, name: str, beat: Beat) -> bytes:
    made = cms.hasher(name)
    numbers = [int(one) for one in spans]
    size = source.seek(0, os.SEEK_END)
    for start, length in zip(numbers[::2], numbers[1::2], strict=False):
        if not 0 <= start <= size or length < 0:
            continue  # the signed bytes are not in the file: the digest differs
        source.seek(start)
        while length and (data := source.read(min(length, _CHUNK))):
            made.update(data)
            length -= len(data)
            beat()
    return bytes(made.digest())


def _claimed(one: EmbeddedPdfSignature) -> str:
    try:
        return iso(one.self_reported_timestamp)
    except Exception:
        return ""


def _store(reader: PdfFileReader) -> Material:
    """Certificates and revocation answers of the document security store."""
    found = Material()
    try:
        store = reader.root["/DSS"]
    except (KeyError, TypeError):
        return found
    for key, take in (("/Certs", found.certificate), ("/CRLs", found.crl), ("/OCSPs", found.ocsp)):
        try:
            listed = store.get(key, ())
            for one in list(listed)[: certificates.MOST]:
                stream = one.get_object()
                if isinstance(stream, generic.StreamObject):
                    take(stream.data)
        except Exception:  # one damaged entry takes nothing from the others
            continue
    return found
