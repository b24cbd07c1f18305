"""A validation report as one HTML page that needs nothing else: Vietnamese first, English beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, TextIO

import jinja2
from markupsafe import Markup

from pipeline.reports import cells
from pipeline.reports.cells import Document
from pipeline.reports.chart import bars
from pipeline.reports.format_profile import WORDS as FORMATS
from pipeline.reports.format_profile import profiles
from pipeline.reports.validation import FIRST, WORDS, Both, View, both, more, view
from pipeline.reports.words import LEVELS, TEXTS, text

PLACES = 200
"""Places shown per cause."""

DOCUMENTS = 1000
"""Rows of documents, those first that are not good."""


def page(document: Document, out: TextIO) -> None:
    """Writes the page piece by piece; all text of packages has passed `fit` and is escaped by the template engine."""
    seen = view(document, PLACES, DOCUMENTS)
    frequent = {f"{cause.code}  {cause.word.vi}": cause.count for cause in seen.causes}
    drawn = bars(frequent, title=WORDS["counted"][0], most=10) if len(seen.causes) > FIRST else Markup("")
    shown = profiles(document, [package.name for package in seen.packages], PLACES)
    values = {**context(seen), "chart": drawn, "formats": shown}
    for piece in _template().generate(values):
        out.write(piece)


def context(seen: View) -> dict[str, Any]:
    """What the templates of validation reports share."""
    numbers: dict[str, int] = {}
    for cause in seen.causes:
        numbers.setdefault(cause.code, cause.number)
    return {
        "view": seen,
        "words": {key: both(pair) for key, pair in {**TEXTS, **FORMATS, **WORDS}.items()},
        "levels": list(LEVELS),
        "numbers": numbers,
        "several": len(seen.packages) > 1,
        "has_documents": any(package.documents is not None for package in seen.packages),
        "number": lambda value: cells.number(value, "vi"),
        "size": lambda value: cells.size(value, "vi"),
        "more": more,
        "ended": Both("Thời điểm kiểm tra", "Time of the check"),
        "made_by": Both(*(text("made_by", lang, version=seen.version) for lang in ("vi", "en"))),
    }


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined).get_template(
        "validation.html.j2"
    )
