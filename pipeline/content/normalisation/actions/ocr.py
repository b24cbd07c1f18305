"""Scans into two-layer PDF/A-2b and ALTO: the picture of each page stays as it is, what is read lies over it, unseen.

One page after another is drawn by poppler and read by tesseract, each call within the limits of the rule: a page that
cannot be read costs its own text alone.
"""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.content.normalisation.calls import Calls, why
from pipeline.content.normalisation.made import Failed, Made, Told
from pipeline.content.normalisation.registry import ActionInWorker, ActionWithPrograms, Beat
from pipeline.content.normalisation.rules import Action
from pipeline.tools.poppler import PDFTOCAIRO, PDFTOPPM
from pipeline.tools.program import Program
from pipeline.tools.run import Ran
from pipeline.tools.tesseract import TESSERACT

WARM = ("pipeline.content.normalisation.ocrpdf", "pipeline.content.normalisation.pdfs")

_TOGETHER = 8
"""Pages that are drawn by one call of poppler."""

_READ_AT = (150, 300)
"""Pixels per inch at which pages are read, at least and at most: more costs time and reads no better."""

_DOUBTFUL = 65.0
"""Mean confidence below which a page may lie on its side or head, so that it is read once more."""

_MOST_HOCR = 32 << 20
_SHOWN = 8
_BACKGROUND = 56
_PAPER = 0.4
"""A page of paper has at least this share of its pixels near its brightest shade; a photograph has less."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Arguments of a rule: languages as tesseract names them (`vie+eng`); `pages` of one file at most; `pixels` of a
    page at most; mean confidence in percent below which a page gets no text (`least`) and a person is told (`low`);
    `drawn`: poppler draws the PDF anew first; `decoded`: JPEG 2000 in it is decoded first.
    """

    languages: str
    pages: int = 500
    pixels: int = 75_000_000
    least: float = 50.0
    low: float = 75.0
    drawn: bool = False
    decoded: bool = False


def asked(arguments: Sequence[str]) -> Asked:
    """The first argument names languages, others are `NAME=NUMBER`, `drawn` or `decoded`. ValueError for others."""
    told: dict[str, Any] = {}
    for argument in arguments[1:]:
        name, _, value = argument.partition("=")
        told |= {name: True} if not value else {name: float(value) if name in ("least", "low") else int(value)}
    known = {"pages", "pixels", "least", "low", "drawn", "decoded"}
    if not re.fullmatch(r"\w+(\+\w+)*", arguments[0]) or told.keys() - known:
        raise ValueError(f"arguments of OCR: {' '.join(arguments)}")
    return Asked(arguments[0], **told)


def scanned_pdf(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """A PDF whose pages are pictures. Pages that have text already are left as they are."""
    with calls.folder() as folder:
        start, before = source, tuple[str, ...]()
        if asked(action.arguments).drawn:
            start = folder / "drawn.pdf"
            ran = calls.run(PDFTOCAIRO, ["-pdf", "{in}/source", "{out}/drawn.pdf"], {"source": source}, folder)
            calls.ran_well(ran, PDFTOCAIRO, start)
            before = ("drawn anew: tags, links and outline are not carried over",)
        made = _two_layers(start, out, action, calls, folder, "pdf")
    return replace(made, notes=(*before, *made.notes)) if not made.kept else made


def picture(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """A TIFF or JPEG of pages. One that shows no text which can be trusted, such as a photograph, stays as it is."""
    with calls.folder() as folder:
        pages = folder / "pages.pdf"
        calls.action("ocr.picture", source, {"pages": pages}, action)
        return _two_layers(pages, out, action, calls, folder, "picture")


def _two_layers(start: Path, out: Path, action: Action, calls: Calls, folder: Path, kind: str) -> Made:
    base, plan, words = folder / "base.pdf", folder / "plan.json", folder / "words.jsonl"
    made = calls.action("ocr.base", start, {"base": base, "plan": plan}, action)
    if made.kept:
        return made
    pages = [_Planned(**one) for one in json.loads(plan.read_text("utf-8"))]
    sandbox, troubles = _read(base, [one for one in pages if one.dpi], words, asked(action.arguments), calls)
    facts = {"kind": kind, "version": TESSERACT.version or "", "pages": len(pages),
             "troubles": {str(number): reason for number, reason in troubles.items()}}  # fmt: skip
    with words.open("a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\n")
    results = {result.name: out / result.file for result in action.results}
    layered = calls.action("ocr.layer", base, results, action, reads={"words": words})
    used = (TESSERACT, PDFTOPPM, *([PDFTOCAIRO] if asked(action.arguments).drawn else []))
    programs = (*((one.name, one.version or "") for one in used), *made.programs)
    return replace(layered, notes=(*made.notes, *layered.notes), programs=programs, sandbox=sandbox)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A page: its number from 1, resolution of its picture (0: nothing is to be read), size as shown in points."""

    number: int
    dpi: float
    width: float
    height: float

    def read_at(self, most: int) -> int:
        """Pixels per inch for reading, so that the page has at most so many pixels."""
        least, highest = _READ_AT
        wanted = min(max(self.dpi, least), highest)
        fits = 72.0 * (most / max(1.0, self.width * self.height)) ** 0.5
        return max(36, int(min(wanted, fits)))


def _read(base: Path, pages: Sequence[_Planned], words: Path, told: Asked, calls: Calls) -> tuple[str, dict[int, str]]:
    """Writes a line of JSON for each page that was read; the sandbox, and for other pages why not.

    Failed when no page could be read because of the program, not of the page.
    """
    troubles: dict[int, str] = {}
    sandbox = ""
    with words.open("w", encoding="utf-8") as out:
        for dpi, group in _groups(pages, told.pixels):
            with calls.folder() as folder:
                drawn, reason = _draw(base, group, dpi, folder, calls)
                for page in group:
                    image = drawn.get(page.number)
                    if image is None:
                        troubles[page.number] = f"{PDFTOPPM.name}: {reason}"
                        continue
                    if not _is_paper(image):
                        troubles[page.number] = "no page of paper"
                        continue
                    hocr, ran = _read_page(image, dpi, told.languages, folder, calls)
                    sandbox = ran.sandbox
                    if hocr is None:
                        troubles[page.number] = f"{TESSERACT.name}: {why(ran)}"
                        continue
                    scale = page.dpi / dpi
                    line = {"number": page.number, "dpi": page.dpi, "scale": scale,
                            "width": round(page.width * page.dpi / 72), "height": round(page.height * page.dpi / 72),
                            "hocr": hocr.decode("utf-8", "replace")}  # fmt: skip
                    out.write(json.dumps(line) + "\n")
    failed = [reason for reason in troubles.values() if reason.startswith(TESSERACT.name)]
    if failed and len(failed) == len(pages):
        raise Failed("FMT-CONVERT-FAILED", failed[0], TESSERACT.name)
    return sandbox, troubles


def _groups(pages: Sequence[_Planned], pixels: int) -> Iterator[tuple[int, list[_Planned]]]:
    """Pages that follow one another and are read at one resolution, a few at a time."""
    for dpi, same in itertools.groupby(pages, lambda page: page.read_at(pixels)):
        held = list(same)
        start = 0
        for at, (one, two) in enumerate(itertools.pairwise(held), 1):
            if two.number != one.number + 1 or at - start >= _TOGETHER:
                yield dpi, held[start:at]
                start = at
        yield dpi, held[start:]


def _draw(base: Path, group: Sequence[_Planned], dpi: int, folder: Path, calls: Calls) -> tuple[dict[int, Path], str]:
    """Grey pictures of pages by number, and why some are missing; one by one when a page breaks the call."""
    first, last = group[0].number, group[-1].number
    with calls.folder() as drawn:
        told = ["-r", str(dpi), "-gray", "-cropbox", "-f", str(first), "-l", str(last), "{in}/source", "{out}/p"]
        ran = calls.run(PDFTOPPM, told, {"source": base}, drawn)
        found = {}
        for file in drawn.glob("p-*.pgm"):
            number = int(file.stem.rpartition("-")[2])
            if ran.ok or number < last:
                found[number] = file.rename(folder / f"{number}.pgm")
        if ran.ok or len(group) == 1:
            return found, why(ran)
    found = {}
    for page in group:
        alone, _ = _draw(base, [page], dpi, folder, calls)
        found |= alone
    return found, why(ran)


def _read_page(image: Path, dpi: int, languages: str, folder: Path, calls: Calls) -> tuple[bytes | None, Ran]:
    """hOCR of a page; read once more with its orientation asked for where the first reading is doubtful."""
    from pipeline.content.normalisation.ocrtext import words_of

    ran = _tesseract(image, dpi, languages, ["3"], folder, calls)
    first = _hocr(folder)
    if not ran.ok or first is None:
        if "Failed loading language" in ran.said or "Error opening data file" in ran.said:
            raise Failed("FMT-CONVERT-NO-TOOL", why(ran)[-200:], f"{TESSERACT.name}-{languages}", attempted=False)
        return None, ran
    words, confidence = words_of(first)
    if words and confidence < _DOUBTFUL:
        again = _tesseract(image, dpi, languages, ["1"], folder, calls)
        second = _hocr(folder)
        if again.ok and second is not None and words_of(second)[1] > confidence:
            return second, again
    return first, ran


def _tesseract(image: Path, dpi: int, languages: str, psm: list[str], folder: Path, calls: Calls) -> Ran:
    with calls.folder() as made:
        told = ["{in}/page.pgm", "{out}/read", "-l", languages, "--dpi", str(dpi), "--psm", *psm, "hocr"]
        ran = calls.run(TESSERACT, told, {"page.pgm": image}, made)
        hocr = made / "read.hocr"
        target = folder / "read.hocr"
        target.unlink(missing_ok=True)
        if ran.ok and hocr.exists() and 0 < hocr.stat().st_size <= _MOST_HOCR:
            hocr.rename(target)
    return ran


def _hocr(folder: Path) -> bytes | None:
    file = folder / "read.hocr"
    return file.read_bytes() if file.exists() else None


def _is_paper(image: Path) -> bool:
    """Whether a grey picture has a background, as a page of paper has: seen on a few thousand of its pixels."""
    data = image.read_bytes()
    start = len(data) - _pixels(data)
    seen = sorted(data[start :: max(1, (len(data) - start) // 20_011)])
    if not seen:
        return False
    bright = seen[len(seen) * 95 // 100]
    return sum(1 for one in seen if one >= bright - _BACKGROUND) >= _PAPER * len(seen)


def _pixels(data: bytes) -> int:
    head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data[:64])
    return int(head[1]) * int(head[2]) if head else 0


def from_picture(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """The pages of a TIFF or JPEG as a PDF of pictures."""
    from pipeline.content.normalisation import ocrpdf

    told = asked(arguments)
    ocrpdf.pictures_as_pdf(source, results["pages"], told.pages, told.pixels, beat)
    return Made()


def prepared(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """The PDF as PDF/A-2b, before anything is read, and which of its pages are to be. Kept: a signed document."""
    import pikepdf

    from pipeline.content import scans
    from pipeline.content.normalisation import pdfs

    told = asked(arguments)
    with tempfile.TemporaryFile(dir=".") as plain:  # the working directory of a worker is its own
        start: Any = plain if told.decoded else source
        if told.decoded:
            pdfs.decoded(source, plain, told.pixels, beat)
        made = pdfs.archival(start, results["base"], beat)
    if "signed" in made.marks:
        return made
    if made.kept:
        source.seek(0)
        while data := source.read(1 << 20):
            results["base"].write(data)
    results["base"].seek(0)
    with pikepdf.open(results["base"], suppress_warnings=True) as document:
        found = scans.of_pdf(document, beat)
        pages = []
        for number, (page, dpi) in enumerate(zip(document.pages, found, strict=True), 1):
            width, height = scans.shown_size(page)
            pages.append({"number": number, "dpi": dpi, "width": width, "height": height})
    count = sum(1 for dpi in found if dpi)
    if not count:
        raise Failed("FMT-CONVERT-FAILED", "no page is a picture without text", "OCR")
    if count > told.pages:
        raise Failed("FMT-OCR-MANY", str(count), str(told.pages), attempted=False)
    results["plan"].write(json.dumps(pages).encode())
    notes = (made.kept,) if made.kept else made.notes
    return Made(notes=notes, programs=pdfs.PROGRAMS)


def layered(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """Lays what was read over the pages of a PDF, and writes it as ALTO."""
    from pipeline.content.normalisation import ocrtext, pdfs

    told = asked(arguments)
    pages: list[tuple[ocrtext.Page, float]] = []
    facts: dict[str, Any] = {}
    unread: dict[int, str] = {}
    for line in results["words"]:
        beat()
        one = json.loads(line)
        if "hocr" not in one:
            facts = one
            continue
        number, size = int(one["number"]), (int(one["width"]), int(one["height"]))
        try:
            page = ocrtext.read(one["hocr"].encode(), number, *size, float(one["scale"]))
        except (ValueError, KeyError, IndexError) as problem:
            unread[number] = f"hOCR: {problem}"
            continue
        pages.append((page, float(one["dpi"])))
    troubles = unread | {int(number): reason for number, reason in facts["troubles"].items()}
    for at, (page, dpi) in enumerate(pages):
        if page.words and page.confidence < told.least:
            troubles[page.number] = f"{page.confidence:.0f} %"
            pages[at] = ocrtext.without_text(page), dpi
    read = [page for page, _ in pages]
    words, confidence = sum(len(page.words) for page in read), ocrtext.mean(read)
    if facts["kind"] == "picture" and not words:
        reason = "; ".join(dict.fromkeys(troubles.values())) or "no word"
        return Made(kept=f"no text that can be trusted on it ({reason}): a photograph, drawing, handwriting or blank")
    pdfs.layered(source, results["pdf"], pages, told.languages, beat)
    if "alto" in results and words:
        ocrtext.write_alto(read, results["alto"], TESSERACT.name, facts["version"], f"-l {told.languages}")
    turned = {page.number: page.angle for page in read if page.angle}
    notes = [
        f"OCR languages={told.languages}",
        f"pages={facts['pages']}",
        f"pages with text={sum(1 for one in read if one.words)}",
        f"words={words}",
        f"mean word confidence={confidence:.1f} %",
    ]
    if turned:
        notes.append("pages turned: " + _listed({number: f"{angle}°" for number, angle in turned.items()}))
    return Made(notes=tuple(notes), told=tuple(_told(told, words, confidence, troubles)))


def samples(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """Samples of the pictures of a PDF one behind the other, and a line for each: bytes, width, height, bands."""
    import pikepdf

    from pipeline.content.normalisation import ocrpdf

    with pikepdf.open(source, suppress_warnings=True) as document:
        for data, width, height, bands in ocrpdf.samples(document):
            beat()
            results["samples"].write(data)
            results["index"].write(f"{len(data)} {width} {height} {bands}\n".encode())
    return Made()


def _told(told: Asked, words: int, confidence: float, troubles: Mapping[int, str]) -> Iterator[Told]:
    if not words:
        yield Told("FMT-OCR-NONE", found=_listed(troubles) or "-")
        return
    if confidence < told.low:
        yield Told("FMT-OCR-LOW", expected=f"{told.low:g}", found=f"{confidence:.1f}")
    if troubles:
        yield Told("FMT-OCR-PAGES", expected=str(len(troubles)), found=_listed(troubles))


def _listed(pages: Mapping[int, str]) -> str:
    shown = [f"{number} ({reason})" for number, reason in sorted(pages.items())[:_SHOWN]]
    return ", ".join([*shown, *([f"… {len(pages) - _SHOWN}"] if len(pages) > _SHOWN else [])])


WITH_PROGRAMS: dict[str, ActionWithPrograms] = {"ocr.pdf": scanned_pdf, "ocr.image": picture}
IN_WORKER: dict[str, ActionInWorker] = {
    "ocr.picture": from_picture,
    "ocr.base": prepared,
    "ocr.layer": layered,
    "ocr.samples": samples,
}
NEEDS: dict[str, Sequence[Program]] = {
    "ocr.pdf": (TESSERACT, PDFTOPPM, PDFTOCAIRO),
    "ocr.image": (TESSERACT, PDFTOPPM),
}
