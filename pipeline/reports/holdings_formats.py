"""The formats of the whole holdings for people: on the terminal, as one HTML page, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import jinja2

from pipeline.errors import SystemProblem
from pipeline.reports import cells
from pipeline.reports.cells import Document, fit
from pipeline.reports.chart import bars
from pipeline.reports.console import cell_width, clipped
from pipeline.reports.csv import guarded
from pipeline.reports.format_profile import UNKNOWN, labelled
from pipeline.reports.format_profile import WORDS as FORMATS
from pipeline.reports.words import TEXTS, Lang, Pair, say
from pipeline.workspace import durable

KINDS = (".html", ".csv")
COLUMNS = ("what", "puid", "name", "files", "aips", "aip", "label", "file", "found")

MOST = 30
"""Bars of the chart; the table below has all formats."""

WORDS: dict[str, Pair] = {
    **FORMATS,
    "title": ("Định dạng tệp trong toàn bộ kho", "File formats of the whole holdings"),
    "summary": (
        "{aips} AIP, {files} tệp; {unknown} tệp chưa nhận dạng được, {differing} tệp có hai ý kiến khác nhau.",
        "AIPs: {aips}, files: {files}; not identified: {unknown}, engines differ: {differing}.",
    ),
    "aips": ("Số AIP", "AIPs"),
    "name": ("Tên định dạng", "Format"),
    "label": ("Nhãn", "Label"),
    "said": ("Nhận dạng được", "What is told"),
    "more": ("và {count} tệp nữa (--files)", "and {count} more (--files)"),
    "not_read": ("AIP chưa đọc được", "AIPs that could not be read"),
}


def write(file: Path, document: Document) -> None:
    """The report, whole or not at all; its kind is the ending of its name. SystemProblem when it cannot be written."""
    try:
        with durable(file) as out:
            (_csv if file.suffix.lower() == ".csv" else _html)(document, out)
    except OSError as problem:
        raise SystemProblem("SYS-WRITE", file=file, cause=problem.strerror or problem) from problem


def text(document: Document, lang: Lang, width: int) -> Iterator[str]:
    """A table of formats, then the files that are odd."""
    rows = [(one["puid"] or "–", _name(one, lang), one["files"], one["aips"]) for one in document["items"]]
    widest = max((cell_width(row[1]) for row in rows), default=0)
    wide = max(16, min(widest, width - 12 - 2 * 10 - 6))
    files, aips = (say(pair, lang) for pair in (TEXTS["files"], WORDS["aips"]))
    yield f"{'PUID':12}  {_padded(say(WORDS['name'], lang), wide)}  {files:>8}  {aips:>8}"
    for puid, name, count, held in rows:
        yield (f"{puid:12}  {_padded(name, wide)}  {cells.number(count, lang):>8}  {cells.number(held, lang):>8}")
    yield ""
    yield _summary(document, lang)
    for key, title in (("unknown", WORDS["formats_unknown"]), ("differing", WORDS["formats_differ"])):
        listed = document[f"{key}_files"]
        if listed:
            yield f"\n{say(title, lang)}:"
            for one in listed:
                yield f"  {fit(one['aip'])[9:17]}  {fit(one['file'])}  {fit(one['found'])}"
            if rest := _rest(document, key):
                yield f"  {_more(rest, lang)}"
    for one in document["not_read"]:
        yield f"{say(WORDS['not_read'], lang)}: {fit(one['aip'])} ({fit(one['cause'])})"


def _html(document: Document, out: BinaryIO) -> None:
    counts = {one["puid"] or "unknown": one["files"] for one in document["items"]}
    lists = [
        {"title": WORDS[f"formats_{word}"], "rows": [{key: fit(value) for key, value in one.items()} for one in rows],
         "rest": [_more(rest, lang) for lang in ("vi", "en")] if (rest := _rest(document, key)) else []}
        for key, word in (("unknown", "unknown"), ("differing", "differ")) if (rows := document[f"{key}_files"])
    ]  # fmt: skip
    values: dict[str, Any] = {
        "words": {**TEXTS, **WORDS}, "summary": [_summary(document, lang) for lang in ("vi", "en")],
        "chart": bars(labelled(counts), title=WORDS["formats_chart"][0], most=MOST), "ended": fit(document["ended"]),
        "rows": [(one["puid"] or "–", _name(one, "vi"), cells.number(one["files"], "vi"),
                  cells.number(one["aips"], "vi")) for one in document["items"]],
        "lists": lists, "not_read": [(fit(one["aip"]), fit(one["cause"])) for one in document["not_read"]],
        "made_by": [say(TEXTS["made_by"], lang).replace("{version}", fit(document["luutru"])) for lang in ("vi", "en")],
    }  # fmt: skip
    made = io.TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline="\n")
    for piece in _template().generate(values):
        made.write(piece)
    made.flush()
    made.detach()


def _csv(document: Document, out: BinaryIO) -> None:
    """A row per format, then a row per file that is odd; UTF-8 with BOM, guarded against formulas."""
    made = io.TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline="")
    made.write("\ufeff")
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    kinds = (
        ("format", document["items"]),
        ("unknown", document["unknown_files"]),
        ("differ", document["differing_files"]),
    )
    for what, rows in kinds:
        for one in rows:
            writer.writerow([guarded(one.get(key)) if key != "what" else what for key in COLUMNS])
    made.flush()
    made.detach()


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined).get_template(
        "holdings_formats.html.j2"
    )


def _name(one: dict[str, Any], lang: Lang) -> str:
    return fit(one["name"]) if one["puid"] else say(UNKNOWN, lang)


def _summary(document: Document, lang: Lang) -> str:
    told = say(WORDS["summary"], lang)
    for key in ("aips", "files", "unknown", "differing"):
        told = told.replace(f"{{{key}}}", cells.number(document[key], lang))
    return told


def _rest(document: Document, key: str) -> int:
    """How many files a list leaves out because it is full; empty files and metadata are never in it."""
    listed = len(document[f"{key}_files"])
    return int(document[key]) - listed if listed == document["most"] else 0


def _more(count: int, lang: Lang) -> str:
    return say(WORDS["more"], lang).replace("{count}", cells.number(count, lang))


def _padded(value: str, wide: int) -> str:
    cut = clipped(value, wide)
    return cut + " " * (wide - cell_width(cut))
