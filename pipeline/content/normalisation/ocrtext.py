"""What tesseract read of a page (hOCR), and the same as ALTO 4.

hOCR tells more than tesseract's own ALTO (baselines, rotation of lines) and is turned into ALTO here.
Coordinates are pixels of the page as it is shown, from its upper left corner; confidences are percent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, BinaryIO, Final

from lxml import etree

from pipeline.settings import PROJECT

ALTO: Final = "http://www.loc.gov/standards/alto/ns-v4#"
_SCHEMA: Final = etree.XMLSchema(etree.parse(PROJECT / "schemas" / "alto" / "alto-4-written.xsd"))
"""Read where this module is imported: a worker cannot read it later."""

_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XHTML: Final = "{http://www.w3.org/1999/xhtml}"
_ANGLES: Final = (0, 90, 180, 270)
_MOST_WORDS: Final = 50_000
_LONGEST: Final = 200
_LANGUAGES: Final = {"vie": "vi", "eng": "en", "fra": "fr", "rus": "ru", "chi_sim": "zh", "chi_tra": "zh", "khm": "km"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word in NFC, its box (left, top, right, bottom) and the program's confidence in percent."""

    text: str
    box: tuple[float, float, float, float]
    confidence: int


@dataclass(frozen=True, slots=True)
class Line:
    """Words of one line. The baseline runs `offset` below the bottom left corner, falling by `slope` per pixel.

    `angle` is how the letters are turned (degrees against the clock: 0, 90, 180, 270), `size` their height with what
    hangs below the baseline.
    """

    words: tuple[Word, ...]
    box: tuple[float, float, float, float]
    slope: float
    offset: float
    angle: int
    size: float


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one paragraph, with its language as tesseract names it."""

    lines: tuple[Line, ...]
    box: tuple[float, float, float, float]
    language: str


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of a page: `number` from 1, sides in pixels; no blocks where nothing was."""

    number: int
    width: int
    height: int
    blocks: tuple[Block, ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for block in self.blocks for line in block.lines for word in line.words)

    @property
    def confidence(self) -> float:
        """Mean of its words' confidences in percent, 0 without words."""
        return mean([self])

    @property
    def angle(self) -> int:
        """How most of its lines are turned."""
        turned = [line.angle for block in self.blocks for line in block.lines]
        return max(_ANGLES, key=turned.count) if turned else 0


def mean(pages: Iterable[Page]) -> float:
    """Mean confidence over all words in percent, 0 without words."""
    told = [word.confidence for page in pages for word in page.words]
    return fmean(told) if told else 0.0


def words_of(hocr: bytes) -> tuple[int, float]:
    """Number of words and their mean confidence, from the bytes alone."""
    told = [int(one) for one in re.findall(rb"x_wconf (\d+)", hocr)]
    return len(told), fmean(told) if told else 0.0


def read(hocr: bytes, number: int, width: int, height: int, scale: float) -> Page:
    """The page that hOCR describes, its coordinates times `scale`. ValueError when it is no hOCR."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(hocr, parser)
    except etree.XMLSyntaxError as problem:
        raise ValueError(str(problem)) from None
    blocks = []
    left = _MOST_WORDS
    for paragraph in root.iter(f"{_XHTML}p"):
        lines = tuple(line for one in paragraph.iter(f"{_XHTML}span") if (line := _line(one, scale)))
        left -= sum(len(line.words) for line in lines)
        if left < 0:
            raise ValueError(f"more than {_MOST_WORDS} words")
        if lines:
            blocks.append(Block(lines, _around(lines), str(paragraph.get("lang", ""))[:20]))
    return Page(number, width, height, tuple(blocks))


def language_of(languages: str) -> str:
    """The language of a document read in `vie+eng`: that of the first part as BCP 47 has it; empty when unknown."""
    return _LANGUAGES.get(languages.partition("+")[0], "")


def without_text(page: Page) -> Page:
    """The same page as one on which nothing was read."""
    return replace(page, blocks=())


def _line(span: Any, scale: float) -> Line | None:
    told = _told(span)
    if span.get("class") == "ocrx_word" or "bbox" not in told:
        return None
    words = tuple(word for one in span.iter(f"{_XHTML}span") if (word := _word(one, scale)))
    if not words:
        return None
    slope, offset = (*(float(one) for one in told.get("baseline", ())), 0.0, 0.0)[:2]
    angle = round(float(told.get("textangle", ("0",))[0])) % 360
    if not angle and abs(slope) > 1:  # a line that runs up or down, of which the program does not say so
        first, last = words[0].box, words[-1].box
        angle, slope, offset = (90 if first[1] + first[3] > last[1] + last[3] else 270), 0.0, 0.0
    box = _box(told, scale)
    size = float(told.get("x_size", ("0",))[0]) * scale
    high = max(word.box[3] - word.box[1] if angle in (0, 180) else word.box[2] - word.box[0] for word in words)
    if not 0.3 * high <= size <= 3 * high:
        size = high
    return Line(words, box, slope, offset * scale, angle if angle in _ANGLES else 0, max(size, 1.0))


def _word(span: Any, scale: float) -> Word | None:
    if span.get("class") != "ocrx_word":
        return None
    told = _told(span)
    text = unicodedata.normalize("NFC", "".join(span.itertext()))
    text = "".join(char for char in text if char.isprintable() and not char.isspace())[:_LONGEST]
    box = _box(told, scale)
    if not text or box[2] <= box[0] or box[3] <= box[1]:
        return None
    return Word(text, box, min(100, max(0, round(float(told.get("x_wconf", ("0",))[0])))))


def _told(span: Any) -> dict[str, tuple[str, ...]]:
    """Properties of hOCR: `bbox 1 2 3 4; x_wconf 93`."""
    found = {}
    for part in str(span.get("title", "")).split(";"):
        name, *values = part.split() or [""]
        found[name] = tuple(values)
    return found


def _box(told: dict[str, tuple[str, ...]], scale: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(one) * scale for one in told["bbox"])
    return left, top, right, bottom


def _around(lines: Sequence[Line]) -> tuple[float, float, float, float]:
    boxes = list(zip(*(line.box for line in lines), strict=True))
    return min(boxes[0]), min(boxes[1]), max(boxes[2]), max(boxes[3])


def write_alto(pages: Iterable[Page], target: BinaryIO, software: str, version: str, settings: str) -> None:
    """One ALTO document of all pages, in pixels. Nothing in it says when it was made."""
    target.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    with etree.xmlfile(target, encoding="UTF-8") as xml:
        schema = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
        told: Any = {"SCHEMAVERSION": "4.4", f"{{{_INSTANCE}}}schemaLocation": f"{ALTO} {schema}"}
        with xml.element(f"{{{ALTO}}}alto", told, nsmap={None: ALTO, "xsi": _INSTANCE}):
            xml.write(_description(software, version, settings), "\n")
            with xml.element(f"{{{ALTO}}}Layout"):
                for page in pages:
                    xml.write("\n", _page(page))
            xml.write("\n")


def _description(software: str, version: str, settings: str) -> Any:
    description = etree.Element(f"{{{ALTO}}}Description", nsmap={None: ALTO})
    _below(description, "MeasurementUnit").text = "pixel"
    processing = _below(description, "Processing", ID="OCR")
    _below(processing, "processingCategory").text = "contentGeneration"
    _below(processing, "processingStepSettings").text = settings
    used = _below(processing, "processingSoftware")
    _below(used, "softwareName").text = software
    _below(used, "softwareVersion").text = version
    return description


def _page(page: Page) -> Any:
    name = f"P{page.number}"
    told = {"ID": name, "PHYSICAL_IMG_NR": str(page.number), "WIDTH": str(page.width), "HEIGHT": str(page.height),
            "PROCESSINGREFS": "OCR"}  # fmt: skip
    if page.words:
        told["PC"] = f"{page.confidence / 100:.4f}"
    made = etree.Element(f"{{{ALTO}}}Page", told, nsmap={None: ALTO})
    space = _below(made, "PrintSpace", HPOS="0", VPOS="0", WIDTH=str(page.width), HEIGHT=str(page.height))
    for number, block in enumerate(page.blocks, 1):
        told = {"ID": f"{name}B{number}", **_place(block.box)}
        language = _LANGUAGES.get(block.language)
        told |= {"LANG": language} if language else {}
        below = _below(space, "TextBlock", **told)
        for order, line in enumerate(block.lines, 1):
            _write_line(below, f"{name}B{number}L{order}", line)
    return made


def _write_line(block: Any, name: str, line: Line) -> None:
    told = {"ID": name, **_place(line.box)}
    if line.angle == 0:
        left, _, right, bottom = line.box
        start = bottom + line.offset
        told["BASELINE"] = f"{left:.0f},{start:.0f} {right:.0f},{start + line.slope * (right - left):.0f}"
    else:
        block.set("ROTATION", str(line.angle))
    made = _below(block, "TextLine", **told)
    before: Word | None = None
    for word in line.words:
        if before is not None:
            _below(made, "SP", **_gap(before, word))
        _below(made, "String", **_place(word.box), CONTENT=word.text, WC=f"{word.confidence / 100:.2f}")
        before = word


def _gap(one: Word, two: Word) -> dict[str, str]:
    """The blank between two words; without a box where they do not follow one another from left to right."""
    width = two.box[0] - one.box[2]
    return {"HPOS": f"{one.box[2]:.0f}", "VPOS": f"{one.box[1]:.0f}", "WIDTH": f"{width:.0f}"} if width > 0 else {}


def _place(box: tuple[float, float, float, float]) -> dict[str, str]:
    left, top, right, bottom = (round(one) for one in box)
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}


def _below(parent: Any, name: str, **told: str) -> Any:
    return etree.SubElement(parent, f"{{{ALTO}}}{name}", told)


def fault(alto: BinaryIO) -> str:
    """What is wrong with an ALTO file by the schema of what is written here; empty when nothing is."""
    alto.seek(0)
    try:
        tree = etree.parse(alto, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError as problem:
        return str(problem)
    return "" if _SCHEMA.validate(tree) else str(_SCHEMA.error_log[0].message)


def texts(alto: BinaryIO) -> Iterator[list[str]]:
    """The words of each page of an ALTO file."""
    for _, page in etree.iterparse(alto, tag=f"{{{ALTO}}}Page", resolve_entities=False, no_network=True):
        yield [str(one.get("CONTENT")) for one in page.iter(f"{{{ALTO}}}String")]
        page.clear()
