"""A validation report as PDF/A-2b in the layout of Vietnamese administrative documents (Decree 30/2020/NĐ-CP, Annex I).

Only the four files of Liberation Serif 2, as wide as Times New Roman, are read; nothing else is fetched. A character
that they do not have is written `\\u....`, so that a report looks the same on every machine.
"""

from __future__ import annotations

import hashlib
import io
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import jinja2
from markupsafe import Markup

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.reports.cells import Document
from pipeline.reports.format_profile import profiles
from pipeline.reports.validation import view
from pipeline.reports.validation_html import context

if TYPE_CHECKING:
    import pikepdf

PLACES = 12
"""Places shown per cause: a page of paper is for reading, the whole list is in the workbook."""

DOCUMENTS = 100
PACKAGES = 200
PROBLEMS = 10
LONGEST = 240
"""Characters of one text; of a longer one both ends are shown."""

_FACES = ("Regular", "Bold", "Italic", "BoldItalic")


@dataclass(frozen=True, slots=True)
class Family:
    """Letters that a report is set in: regular, bold, italic, bold italic."""

    name: str
    files: tuple[str, str, str, str]


FAMILIES = (
    Family("Liberation Serif", tuple(f"LiberationSerif-{n}.ttf" for n in _FACES)),  # type: ignore[arg-type]
    # Not as wide as Times, but on every machine: a report in other letters is better than none, and says so.
    Family("DejaVu Serif", ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf") * 2),
)
_STYLES = ("", "font-weight: bold;", "font-style: italic;", "font-weight: bold; font-style: italic;")
_LETTERS = frozenset(map(ord, "ÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬĐÈẺẼÉẸÊỀỂỄẾỆÌỈĨÍỊÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢÙỦŨÚỤƯỪỬỮỨỰỲỶỸÝỴ→‹›…×"))
_PLAIN = ("L", "EN", "ES", "ET", "AN", "CS", "NSM", "BN", "B", "S", "WS", "ON")
_FLAVOUR = "2b"


def ready() -> None:
    """UsageProblem when the letters of a PDF report are not on this machine; asked before any work starts."""
    _letters()


def write(document: Document, out: BinaryIO, office: str = "") -> None:
    """The report; the same document makes the same bytes. `office` stands in the head, dots where it is empty.

    SystemProblem when what was made is not PDF/A, which is a fault of ours or of a library.
    """
    import pikepdf
    from pikepdf import pdfa
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    markup = _markup(document, office)
    made = io.BytesIO()
    HTML(string=markup, url_fetcher=_fetcher()).write_pdf(
        made,
        font_config=FontConfiguration(),
        pdf_variant=f"pdf/a-{_FLAVOUR}",
        pdf_tags=True,
        pdf_identifier=hashlib.sha256(markup.encode()).digest()[:16],
    )
    made.seek(0)
    with pikepdf.open(made) as pdf:
        _without_empty_resources(pdf)
        try:
            pdfa.save(pdf, out, _FLAVOUR, repair=False, deterministic_id=True)
        except pdfa.PdfaError as refused:
            raise SystemProblem("SYS-REPORT-PDFA", cause=refused) from refused


def legible(value: object) -> object:
    """Text in characters that the font has, left to right, both ends of what is too long; markup stays."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    if len(value) > LONGEST:
        value = f"{value[: LONGEST * 2 // 3]}…{value[-LONGEST // 3 :]}"
    known = _letters()[2]
    if all(ord(char) in known for char in value):
        return value
    return "".join(char if ord(char) in known else _escape(char) for char in value)


def _markup(document: Document, office: str) -> str:
    seen = view(document, PLACES, DOCUMENTS)
    family, paths, _ = _letters()
    faces = "".join(
        f'@font-face {{ font-family: "Report"; src: url("{path.as_uri()}"); {style} }}\n'
        for path, style in zip(paths, _STYLES, strict=True)
    )
    values: dict[str, Any] = {
        **context(seen),
        "formats": profiles(document, [one.name for one in seen.packages], PLACES, longest=60, family="Report")[:1],
        "faces": Markup(faces),
        "office": office,
        "date": _date(seen.moment),
        "created": seen.moment.isoformat() if seen.moment else None,
        # Those first that somebody has to act on.
        "packages": sorted(seen.packages, key=lambda one: one.mood in ("good", "same"))[:PACKAGES],
        "most_problems": PROBLEMS,
        "lacking": FAMILIES[0].name if family is not FAMILIES[0] else None,
        "letters": family.name,
    }
    return _template().render(values)


def _date(moment: datetime | None) -> str:
    """`ngày 05 tháng 02 năm 2026`: days below 10, January and February with a zero (Decree 30/2020, Annex I, II.4)."""
    if moment is None:
        return "ngày …… tháng …… năm ……"
    month = f"{moment.month:02d}" if moment.month < 3 else str(moment.month)
    return f"ngày {moment.day:02d} tháng {month} năm {moment.year}"


def _without_empty_resources(pdf: pikepdf.Pdf) -> None:
    """Empty resource dictionaries, which PDF/A does not know, are dropped."""
    import pikepdf

    for thing in pdf.objects:
        if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            continue
        resources = thing.get("/Resources")
        if isinstance(resources, pikepdf.Dictionary):
            for key in list(resources.keys()):
                inside = resources[key]
                if isinstance(inside, pikepdf.Dictionary) and not list(inside.keys()):
                    del resources[key]


def _fetcher() -> Any:
    """Gives the font files and refuses everything else."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    allowed = {path.as_uri() for path in _letters()[1]}

    class Fonts(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url not in allowed:
                raise FatalURLFetchingError(f"a report fetches nothing: {url[:100]}")
            return super().fetch(url, headers)

    return Fonts(allowed_protocols=["file"], allow_redirects=False)


def found(folders: Iterable[Path]) -> tuple[Family, tuple[Path, ...], frozenset[int]] | None:
    """The first family of which all files have all Vietnamese letters, with the characters that all of them have.

    Liberation before version 2, which Debian 12 has as `fonts-liberation`, lacks most of these letters.
    """
    for family in FAMILIES:
        for folder in folders:
            for regular in sorted(folder.rglob(family.files[0])):
                paths = tuple(regular.with_name(name) for name in family.files)
                if all(path.is_file() for path in paths):
                    have = _characters(paths)
                    if have.issuperset(_LETTERS):
                        return family, paths, have
    return None


@cache
def _letters() -> tuple[Family, tuple[Path, ...], frozenset[int]]:
    data = os.environ.get("XDG_DATA_HOME")
    home = Path(data) if data else Path.home() / ".local" / "share"
    letters = found([home / "fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")])
    if letters is None:
        raise UsageProblem("USE-REPORT-FONT", font=FAMILIES[0].name, package="fonts-liberation2")
    return letters


def _characters(paths: Iterable[Path]) -> frozenset[int]:
    """What all the faces have and what runs from left to right; a line end too."""
    from fontTools.ttLib import TTFont, TTLibError

    have: set[int] | None = None
    for path in paths:
        try:
            with TTFont(path, lazy=True) as font:
                mapped = set(font.getBestCmap() or ())
        except (TTLibError, OSError):
            return frozenset()
        have = mapped if have is None else have & mapped
    return frozenset(point for point in have or () if unicodedata.bidirectional(chr(point)) in _PLAIN) | {10}


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, finalize=legible
    ).get_template("validation.pdf.j2")
