"""PDF as qpdf and PDFium read it: made into PDF/A-2b without a change of what it shows, and compared page by page.

Its libraries are heavy: workers alone import it, see `registry.warm`.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

import pikepdf
import pypdfium2
from pikepdf import pdfa
from PIL import Image, ImageChops

from pipeline.content.normalisation.made import Differs, Failed, Made, Proved
from pipeline.content.normalisation.ocrpdf import add_text, deflate
from pipeline.content.normalisation.ocrtext import Page, language_of
from pipeline.content.normalisation.registry import Beat

logging.getLogger("fontTools").setLevel(logging.ERROR)  # its opinions on old fonts are no reason why a worker ended

FLAVOUR: Final = "2b"
_EMPTY: Final = ("/Pattern", "/Shading", "/ColorSpace", "/XObject", "/ExtGState", "/Properties")
PROGRAMS: Final = (("pikepdf", pikepdf.__version__), ("qpdf", pikepdf.__libqpdf_version__))
_CLAIMED: Final = {"1B": "1b", "2B": "2b", "3B": "3b"}
_DATE: Final = re.compile(rb'(<xmp:MetadataDate>[^<]*</xmp:MetadataDate>|\sxmp:MetadataDate="[^"]*")')
_SHOWN: Final = 4
_FAR: Final = 32
"""A sample of 0–255 that differs by more is another colour to the eye, not another way of rounding."""
_BIG: Final = 4096
"""Pixels of the longer side at which a page is compared at most; plans in A0 are drawn smaller."""


def archival(source: BinaryIO, result: BinaryIO, beat: Beat) -> Made:
    """PDF/A-2b with the same pages: what stands in the way and shows nothing is taken out, the rest is untouched.

    Kept: a signed document, and one that is PDF/A already and read without a complaint. Failed: a password, damage,
    and whatever the checker of PDF/A does not approve in what was written.
    """
    try:
        with pikepdf.open(source, suppress_warnings=True) as document:
            if signed(document):
                return Made(kept="signed: a new file would not carry the signature", marks=("signed",))
            damage = [*document.get_warnings(), *document.check_pdf_syntax()]
            beat()
            claimed = _CLAIMED.get(_claim(document))
            if claimed and not damage and pdfa.check(document, claimed).passed:
                return Made(kept=f"valid PDF/A-{claimed}")
            beat()
            notes = ["owner password taken away"] if document.is_encrypted else []
            notes += [f"repaired: {' '.join(str(damage[0]).split())[-200:]}"] if damage else []
            notes += _clean(document)
            _prepare(document)
            beat()
            pdfa.save(document, result, FLAVOUR, repair=False, deterministic_id=True)
    except pikepdf.PasswordError:
        raise Failed("FMT-CONVERT-FAILED", "a password is needed to open it", "PDF", last=True) from None
    except pdfa.PdfaError as problem:
        raise Failed("FMT-CONVERT-FAILED", _refused(problem), f"PDF/A-{FLAVOUR}") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RuntimeError, OverflowError, RecursionError) as problem:
        words = " ".join(str(problem).rpartition(">: ")[2].split())[:200]
        raise Failed("FMT-CONVERT-DAMAGED", words or type(problem).__name__) from None
    return Made(notes=tuple(notes), programs=PROGRAMS)


def layered(source: BinaryIO, result: BinaryIO, pages: Iterable[tuple[Page, float]], language: str, beat: Beat) -> None:
    """PDF/A-2b of a document that is fit to be one, with the text of pages laid over them; their pixels per inch.

    Failed when it cannot be done or the checker of PDF/A does not approve it.
    """
    source.seek(0)
    try:
        with pikepdf.open(source, suppress_warnings=True) as document:
            add_text(document, pages, language_of(language))
            beat()
            _prepare(document)
            beat()
            pdfa.save(document, result, FLAVOUR, repair=False, deterministic_id=True)
    except pdfa.PdfaError as problem:
        raise Failed("FMT-CONVERT-FAILED", _refused(problem), f"PDF/A-{FLAVOUR}") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as problem:
        raise Failed("FMT-CONVERT-FAILED", " ".join(str(problem).split())[:200], "PDF") from None


def decoded(source: BinaryIO, result: BinaryIO, pixels: int, beat: Beat) -> None:
    """The document with its JPEG 2000 pictures deflated, sample by sample: the checker of PDF/A does not read them.

    Failed when it has none that can be decoded (grey or RGB, 8 bits, no alpha, at most so many pixels), or is signed.
    """
    source.seek(0)
    done = 0
    try:
        with pikepdf.open(source, suppress_warnings=True) as document:
            for one in document.objects if not signed(document) else ():
                if isinstance(one, pikepdf.Stream) and one.get("/Filter") == "/JPXDecode" and deflate(one, pixels):
                    done += 1
                    beat()
            if not done:
                raise Failed("FMT-CONVERT-FAILED", "no JPEG 2000 that could be decoded", "JPEG 2000")
            document.save(result)
    except pikepdf.PasswordError:
        raise Failed("FMT-CONVERT-FAILED", "a password is needed to open it", "PDF", last=True) from None
    except (pikepdf.PdfError, OSError, SyntaxError, ValueError, TypeError, KeyError, RuntimeError) as problem:
        raise Failed("FMT-CONVERT-DAMAGED", " ".join(str(problem).split())[:200]) from None


def _refused(problem: pdfa.PdfaError) -> str:
    rules = list(dict.fromkeys(f"{one.rule} {one.message}" for one in problem.report.findings))
    return "; ".join(rules[:_SHOWN])


def signed(document: pikepdf.Pdf) -> bool:
    """Whether some field holds a signature, or the document is certified."""
    root: Any = document.Root
    if "/Perms" in root and any(key in root["/Perms"] for key in ("/DocMDP", "/UR3")):
        return True
    return any(
        isinstance(one, pikepdf.Dictionary) and one.get("/FT") == "/Sig" and one.get("/V") is not None
        for one in document.objects
    )


def same(source: BinaryIO, result: BinaryIO, share: float, beat: Beat, *, added: bool = False) -> Proved | Differs:
    """Equal pages, text and attachments; `share` percent of a page's pixels may differ visibly.

    Pages are drawn at 72 dpi. Text is compared without blanks, in NFC, page by page; `added`: the result may have more
    of it, in whatever order a reader finds it.
    """
    more = 0
    try:
        with _opened(source) as first, _opened(result) as second:
            if len(first) != len(second):
                return Differs(f"pages: {len(first)} in the source, {len(second)} in the result")
            if first.count_attachments() != second.count_attachments():
                return Differs(f"attachments: {first.count_attachments()}, {second.count_attachments()}")
            worst = 0.0
            for number, (one, two) in enumerate(zip(_pages(first), _pages(second), strict=True), 1):
                beat()
                text, other = _text(one), _text(two)
                more += len(other) - len(text)
                if text != other and not (added and not Counter(text) - Counter(other)):
                    return Differs(f"text of page {number}: {len(text)} characters in the source, {len(other)}")
                differing = _differing(one, two)
                worst = max(worst, differing)
                if differing > share:
                    return Differs(f"page {number}: {differing:.2f} % of its pixels, limit {share:g} %")
            words = f"{more} characters of text added" if added else "equal text"
            return Proved(f"{len(first)} pages with {words}; at most {worst:.2f} % of a page's pixels differ")
    except (pypdfium2.PdfiumError, ValueError, MemoryError) as problem:
        raise Failed("FMT-CONVERT-FAILED", f"pages cannot be compared: {problem}", "pdfium") from None


def _claim(document: pikepdf.Pdf) -> str:
    try:
        with document.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            return str(metadata.pdfa_status or "")
    except Exception:  # an XMP packet can be broken in every way; then nothing is claimed
        return ""


def _clean(document: pikepdf.Pdf) -> list[str]:
    """Takes out what the standard forbids or its checker stumbles over and no page shows; what was taken out."""
    taken = []
    root: Any = document.Root
    if "/DocChecksum" in document.trailer:
        del document.trailer["/DocChecksum"]
    if "/OpenAction" in root:
        action = root["/OpenAction"]
        if isinstance(action, pikepdf.Dictionary) and action.get("/S") not in ("/GoTo", None):
            taken.append(f"action at opening taken out: {action.get('/S')}")
        del root["/OpenAction"]
    for holder in (root.get("/MarkInfo"), root.get("/ViewerPreferences")):
        if isinstance(holder, pikepdf.Dictionary) and "/Type" in holder:
            del holder["/Type"]
    for one in document.objects:
        if not isinstance(one, pikepdf.Dictionary):
            continue
        for key in _EMPTY:
            if key in one and isinstance(one[key], pikepdf.Dictionary) and len(one[key]) == 0:
                del one[key]
        # poppler leaves it out; for the subsets that it writes the map is the identity
        composite = one.get("/Subtype") == "/CIDFontType2" and "/CIDToGIDMap" not in one
        if composite and "/FontFile2" in one.get("/FontDescriptor", pikepdf.Dictionary()):
            one["/CIDToGIDMap"] = pikepdf.Name.Identity
    return taken


def _prepare(document: pikepdf.Pdf) -> None:
    """Output intent and metadata; nothing in them says when this was done."""
    if "/ID" in document.trailer:
        del document.trailer["/ID"]
    pdfa.prepare(document, FLAVOUR, output_intent="sRGB")
    root: Any = document.Root
    root["/Metadata"].write(_DATE.sub(b"", root["/Metadata"].read_bytes()))


def _opened(file: BinaryIO) -> Any:
    file.seek(0)
    return pypdfium2.PdfDocument(file, autoclose=False)


def _pages(document: Any) -> Iterator[Any]:
    """One page at a time: what PDFium keeps of a page goes with it."""
    for number in range(len(document)):
        page = document[number]
        yield page
        page.close()


def _text(page: Any) -> str:
    held = page.get_textpage()
    try:
        return unicodedata.normalize("NFC", "".join(held.get_text_range().split()))
    finally:
        held.close()


def _differing(one: Any, two: Any) -> float:
    """Percent of the pixels that differ visibly; 100 when the pages have different sizes."""
    first, second = _drawn(one), _drawn(two)
    if abs(first.width - second.width) > 1 or abs(first.height - second.height) > 1:
        return 100.0
    if first.size != second.size:
        second = second.resize(first.size)
    if first.tobytes() == second.tobytes():
        return 0.0
    bands = ImageChops.difference(first, second).split()
    most = bands[0]
    for band in bands[1:]:
        most = ImageChops.lighter(most, band)
    far = sum(most.histogram()[_FAR + 1 :])
    return 100.0 * far / (first.width * first.height)


def _drawn(page: Any) -> Image.Image:
    longest = max(page.get_width(), page.get_height(), 1.0)
    image: Image.Image = page.render(scale=min(1.0, _BIG / longest)).to_pil().convert("RGB")
    return image
