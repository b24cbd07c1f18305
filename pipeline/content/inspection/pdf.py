"""What a PDF is made of: pages, scans, text, fonts, active content, claims, signatures. Runs in workers of the pool."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, Final, cast

import pikepdf
import pypdfium2
from lxml import etree
from pypdfium2 import raw

from pipeline.content.inspection import signatures
from pipeline.pool import Job
from pipeline.text.fonts import font_encoding

_PDFA: Final = "{http://www.aiim.org/pdfa/ns/id/}"
_OUTSIDE: Final = frozenset(("/Launch", "/GoToR", "/GoToE", "/ImportData", "/SubmitForm"))
_MOST_OBJECTS: Final = 200_000
_MOST_PAGES: Final = 5_000
_MOST_METADATA: Final = 4 << 20
_MOST_TEXT: Final = 1 << 16
_DEEP: Final = 12
_HALF: Final = 0.5
"""An image that covers this share of its page is the page as it was scanned."""


@dataclass(slots=True)
class Pdf:
    """`why` is empty when the file could be opened. `claim` is part and level of PDF/A as the file says, else empty.

    `dpi` and `bits` of the coarsest page image, None when no image covers half of its page. `text`: some page has a
    text layer. `legacy`: fonts of the 1990s that are not embedded. `signatures` as `_signature` tells them, in the
    order of what they cover. `rest`: bytes behind the last signature that are neither DSS nor document time-stamp.
    `lines`: the text, only where it was asked for.
    """

    why: str = ""
    pages: int = 0
    claim: str = ""
    encrypted: bool = False
    active: list[str] = field(default_factory=list)
    text: bool = False
    dpi: float | None = None
    bits: int | None = None
    legacy: list[str] = field(default_factory=list)
    signatures: list[dict[str, Any]] = field(default_factory=list)
    rest: int = 0
    lines: list[str] = field(default_factory=list)


def look(job: Job, source: BinaryIO, lines: bool = False) -> dict[str, Any]:
    """Everything about one PDF, the fields of `Pdf`."""
    found = Pdf()
    try:
        with pikepdf.open(source, suppress_warnings=True, access_mode=pikepdf.AccessMode.stream) as document:
            found.encrypted = document.is_encrypted
            _structure(document, found, job)
            _signatures(document, source, found)
    except pikepdf.PasswordError:
        return asdict(Pdf("password", encrypted=True))
    except (pikepdf.PdfError, ValueError, RuntimeError, OverflowError) as problem:
        return asdict(Pdf(_words(problem)))
    if not found.why:
        _drawn(source, found, job, lines)
    return asdict(found)


def _words(problem: Exception) -> str:
    return " ".join(str(problem).rpartition(">: ")[2].split())[:200] or type(problem).__name__


def _structure(document: pikepdf.Pdf, found: Pdf, job: Job) -> None:
    found.pages = len(document.pages)
    if not found.pages:
        found.why = "no pages"
        return
    found.claim = _claim(document)
    active: dict[str, None] = {}
    legacy: dict[str, None] = {}
    seen = _Beat(job)
    for number, one in enumerate(document.objects):
        if number >= _MOST_OBJECTS:
            break
        seen.tick()
        if isinstance(one, pikepdf.Dictionary | pikepdf.Stream | pikepdf.Array):
            with contextlib.suppress(TypeError, ValueError, pikepdf.PdfError):  # one odd object spoils no other
                _object(one, active, legacy, _DEEP)
    found.active, found.legacy = list(active)[:10], list(legacy)[:20]


def _object(one: Any, active: dict[str, None], legacy: dict[str, None], deep: int) -> None:
    """One object with the direct ones in it."""
    if isinstance(one, pikepdf.Array):
        values: Iterator[Any] = iter(cast(Any, one))
    else:
        if "/JS" in one:
            active["JavaScript"] = None
        action = one.get("/S")
        if isinstance(action, pikepdf.Name) and str(action) in _OUTSIDE:
            active[str(action).removeprefix("/")] = None
        if isinstance(one, pikepdf.Stream) and "/F" in one:
            active["/F"] = None
        base = one.get("/BaseFont")
        if isinstance(base, pikepdf.Name) and font_encoding(str(base).removeprefix("/")) and not _embedded(one):
            legacy[str(base).removeprefix("/")] = None
        values = (value for _, value in one.items())
    for value in values:
        if deep and isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
            _object(value, active, legacy, deep - 1)


def _embedded(font: Any) -> bool:
    """Whether a font carries its program; a composite one by its descendant."""
    below = font.get("/DescendantFonts")
    if isinstance(below, pikepdf.Array) and len(below):
        font = below[0]
    if str(font.get("/Subtype", "")) == "/Type3":
        return True
    descriptor = font.get("/FontDescriptor")
    return isinstance(descriptor, pikepdf.Dictionary) and any(
        name in descriptor for name in ("/FontFile", "/FontFile2", "/FontFile3")
    )


def _claim(document: pikepdf.Pdf) -> str:
    """`2b` of the XMP of the document; empty when it claims nothing that is PDF/A."""
    metadata = document.Root.get("/Metadata")
    if not isinstance(metadata, pikepdf.Stream):
        return ""
    try:
        data = metadata.read_bytes()
    except pikepdf.PdfError:
        return ""
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False, huge_tree=False, recover=False)
    try:
        tree = etree.fromstring(data[:_MOST_METADATA].strip(b"\0 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return ""
    told = {"part": "", "conformance": ""}
    for element in tree.iter():
        for name in told:
            if element.tag == _PDFA + name:
                told[name] = told[name] or (element.text or "").strip()
            told[name] = told[name] or str(element.get(_PDFA + name) or "").strip()
    return f"{told['part']}{told['conformance'].lower()}"[:8] if told["part"] in ("1", "2", "3", "4") else ""


# --- signatures ---------------------------------------------------------------------------------------------------


def _signatures(document: pikepdf.Pdf, source: BinaryIO, found: Pdf) -> None:
    size = source.seek(0, os.SEEK_END)
    seats = _seats(document)
    for value, page in seats:
        told = _signature(source, size, value)
        told["page"] = page
        found.signatures.append(told)
    found.signatures.sort(key=lambda one: int(one["end"]))
    if found.signatures:
        end = int(found.signatures[-1]["end"])
        if end < size and not _only_dss(document, source, end):
            found.rest = size - end


def _seats(document: pikepdf.Pdf) -> list[tuple[Any, int | None]]:
    """Signatures that were made, each with the number of the page on which it stands (from 1), None for nowhere."""
    pages: dict[tuple[int, int], int] = {}
    for number, page in enumerate(document.pages[:_MOST_PAGES], 1):
        annotations = page.obj.get("/Annots")
        if isinstance(annotations, pikepdf.Array):
            for one in cast(Any, annotations):
                if isinstance(one, pikepdf.Dictionary) and one.is_indirect:
                    pages.setdefault(one.objgen, number)
    form = document.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return []
    found: list[tuple[Any, int | None]] = []
    stack: list[tuple[Any, bool, Any, int]] = [(form.get("/Fields"), False, None, 0)]
    while stack and len(found) < 100:
        fields, inherited, value, depth = stack.pop()
        if not isinstance(fields, pikepdf.Array) or depth > _DEEP:
            continue
        for one in reversed(list(cast(Any, fields))):
            if not isinstance(one, pikepdf.Dictionary):
                continue
            kind = one.get("/FT")
            signed = str(kind) == "/Sig" if kind is not None else inherited
            mine = one.get("/V", value)
            if "/Kids" in one:
                stack.append((one.get("/Kids"), signed, mine, depth + 1))
            elif signed and isinstance(mine, pikepdf.Dictionary) and "/Contents" in mine:
                found.append((mine, pages.get(one.objgen)))
    return found


def _signature(source: BinaryIO, size: int, value: Any) -> dict[str, Any]:
    """`intact` true, false or null with `why`; `stamped`; `time_stamp`: it is a document time-stamp; `end` of cover."""
    spans = _spans(value, size)
    filter_ = str(value.get("/SubFilter", ""))
    time_stamp = filter_ == "/ETSI.RFC3161" or str(value.get("/Type", "")) == "/DocTimeStamp"
    end = max((at + length for at, length in spans), default=0)
    told: dict[str, Any] = {"time_stamp": time_stamp, "end": end, "stamped": time_stamp, "self_signed": False}
    if not spans:
        return {**told, "intact": False, "why": "the byte range lies outside the file"}
    contents = value.get("/Contents")
    if not isinstance(contents, pikepdf.String):
        return {**told, "intact": False, "why": "no signature value"}
    if filter_ == "/adbe.x509.rsa_sha1":
        return {**told, "intact": None, "why": filter_.removeprefix("/")}
    judged = signatures.judge(bytes(contents), lambda name: _digest(source, spans, name), time_stamp=time_stamp)
    return {
        **told, "intact": judged.intact, "why": judged.why, "stamped": judged.stamped or time_stamp,
        "self_signed": judged.self_signed,
    }  # fmt: skip


def _spans(value: Any, size: int) -> list[tuple[int, int]]:
    """The byte range, if it begins at 0, grows, and lies inside the file."""
    told = value.get("/ByteRange")
    try:
        numbers = [int(one) for one in told] if isinstance(told, pikepdf.Array) else []
    except (TypeError, ValueError):
        return []
    spans = list(zip(numbers[::2], numbers[1::2], strict=False))
    at = 0
    for start, length in spans:
        if start < at or length < 0 or start + length > size:
            return []
        at = start + length
    return spans if len(spans) == 2 and spans[0][0] == 0 else []


def _digest(source: BinaryIO, spans: list[tuple[int, int]], name: str) -> bytes:
    made = hashlib.new(name, usedforsecurity=False)
    for at, length in spans:
        source.seek(at)
        while length:
            data = source.read(min(length, 1 << 20))
            if not data:
                break
            made.update(data)
            length -= len(data)
    return made.digest()


_OBJECT: Final = re.compile(rb"(?<![0-9])(\d{1,10})\s+(\d{1,5})\s+obj\b")


def _only_dss(document: pikepdf.Pdf, source: BinaryIO, end: int) -> bool:
    """Whether what follows the last signature adds validation data (DSS) and nothing else."""
    source.seek(end)
    tail = source.read(32 << 20)
    if not tail.strip(b"\0\r\n\t "):
        return True
    dss = document.Root.get("/DSS")
    if not isinstance(dss, pikepdf.Dictionary):
        return False
    allowed = {document.Root.objgen, *_reachable(dss)}
    if b"/DSS" in tail or any((int(match[1]), int(match[2])) == dss.objgen for match in _OBJECT.finditer(tail)):
        information = document.trailer.get("/Info")  # its date of change is written anew
        allowed |= {information.objgen} if isinstance(information, pikepdf.Dictionary) else set()
    for match in _OBJECT.finditer(tail):
        number = (int(match[1]), int(match[2]))
        one = document.get_object(number)
        kind = str(one.get("/Type", "")) if isinstance(one, pikepdf.Dictionary | pikepdf.Stream) else ""
        if kind == "/ObjStm":
            numbers = one.read_bytes().split()[: 2 * int(one.get("/N", 0)) : 2]
            if any((int(inner), 0) not in allowed for inner in numbers):
                return False
        elif kind != "/XRef" and number not in allowed:
            return False
    return True


def _reachable(one: Any) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    stack = [one]
    while stack and len(found) < 10_000:
        here = stack.pop()
        if isinstance(here, pikepdf.Object) and here.is_indirect:
            if here.objgen in found:
                continue
            found.add(here.objgen)
        if isinstance(here, pikepdf.Array):
            stack.extend(cast(Any, here))
        elif isinstance(here, pikepdf.Dictionary | pikepdf.Stream):
            stack.extend(value for _, value in here.items())
    return found


# --- pages as they are drawn --------------------------------------------------------------------------------------


def _drawn(source: BinaryIO, found: Pdf, job: Job, lines: bool) -> None:
    source.seek(0)
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as problem:
        if not found.encrypted:
            found.why = _words(problem)
        return
    beat = _Beat(job)
    try:
        for number in range(min(len(document), _MOST_PAGES)):
            beat.tick()
            with contextlib.suppress(pypdfium2.PdfiumError), contextlib.closing(document[number]) as page:
                _page(page, found, lines)
    finally:
        document.close()


def _page(page: Any, found: Pdf, lines: bool) -> None:
    if not found.text or lines:
        words = page.get_textpage()
        try:
            found.text = found.text or words.count_chars() > 0
            if lines and sum(map(len, found.lines)) < _MOST_TEXT:
                found.lines.extend(words.get_text_range().splitlines())
        finally:
            words.close()
    width, height = page.get_size()
    area = width * height
    best: int | None = None
    for one, matrix in _images(page):
        if area <= 0 or abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]) < _HALF * area:
            continue
        across, down = one.get_px_size()
        wide, high = (matrix[0] ** 2 + matrix[1] ** 2) ** 0.5, (matrix[2] ** 2 + matrix[3] ** 2) ** 0.5
        if not across or not down or not wide or not high:
            continue
        dpi = 72 * min(across / wide, down / high)
        found.dpi = dpi if found.dpi is None else min(found.dpi, dpi)
        best = max(best or 0, int(one.get_metadata().bits_per_pixel))
    if best:
        found.bits = best if found.bits is None else min(found.bits, best)


_Matrix = tuple[float, float, float, float]
_Placed = tuple[Any, _Matrix]


def _images(page: Any, form: Any = None, outer: _Matrix = (1, 0, 0, 1), depth: int = 0) -> Iterator[_Placed]:
    """Images of a page with the linear part of their place, through forms."""
    for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM], max_depth=1, form=form):
        inner = one.get_matrix()
        a, b, c, d = inner.a, inner.b, inner.c, inner.d
        matrix = (
            a * outer[0] + b * outer[2], a * outer[1] + b * outer[3],
            c * outer[0] + d * outer[2], c * outer[1] + d * outer[3],
        )  # fmt: skip
        if one.type == raw.FPDF_PAGEOBJ_IMAGE:
            yield one, matrix
        elif depth < _DEEP:
            yield from _images(page, one, matrix, depth + 1)


class _Beat:
    """Says every two seconds that the work goes on."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._last = time.monotonic()

    def tick(self) -> None:
        if time.monotonic() - self._last > 2:
            self._last = time.monotonic()
            self._job.beat()
