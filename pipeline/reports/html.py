"""Reports as one HTML page that needs nothing else: Vietnamese first, English beside it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import jinja2

from pipeline import VERSION
from pipeline.reports import cells
from pipeline.reports.cells import Document, Item
from pipeline.reports.words import LEVELS, RESULTS, TEXTS, VERDICTS, Pair, mood, text, verdict, verdict_key
from pipeline.workspace import durable, now, rfc3339

MOST = 500
"""Lines shown per code and package; the whole list is in JSON and CSV."""

_MOODS = {"error": "bad", "decision": "wait", "warning": "wait", "info": "same"}


def page(document: Document, out: TextIO) -> None:
    """Writes the page; everything of a package passes `fit` and is escaped by the template engine."""
    values = {
        "words": {key: _both(pair) for key, pair in TEXTS.items()},
        "title": _both(TEXTS[cells.subject(document)]),
        "started": cells.fit(document["started"]) if document.get("started") else None,
        "ended": _fit(document.get("ended")),
        "dues": [(key, _fit(document[key])) for key in ("overdue", "next_due") if document.get(key) is not None],
        "tally": _tally(document["items"]),
        "problem": _problem(document.get("problem")),
        "columns": [{"word": _both(TEXTS[c.key]), "right": c.right} for c in cells.columns(document)],
        "rows": [_row(document, number, item) for number, item in enumerate(document["items"], 1)],
        "made_by": {lang: text("made_by", lang, version=_fit(document.get("luutru"))) for lang in ("vi", "en")},
    }
    for piece in _template().generate(values):
        out.write(piece)


def write_report(file: Path, document: Document) -> None:
    """The page as a file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with durable(file) as raw:
        out = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="\n")
        page(document, out)
        out.flush()
        out.detach()


def write_ingest_report(file: Path, items: list[Item]) -> None:
    """The page about the packages of one command, from their items in the contract's shape."""
    write_report(file, {"schema": "luutru/ingest/1", "luutru": VERSION, "ended": rfc3339(now()), "items": items})


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined).get_template(
        "page.html.j2"
    )


def _row(document: Document, number: int, item: Item) -> dict[str, Any]:
    made = []
    for place, column in enumerate(cells.columns(document)):
        is_verdict = column.key in ("verdict", "result")
        made.append(
            {
                "text": column.shown(item, "vi"),
                "right": column.right,
                "tight": column.key == "aip",
                "link": place == 0,
                "pill": _verdict(item) if is_verdict else None,
            }
        )
    return {
        "number": number,
        "heading": cells.heading(item),
        "mood": mood(item),
        "verdict": _verdict(item),
        "cells": made,
        "open": cells.needs_details(item),
        "counts": [{"count": n, "word": _both(LEVELS[level])} for level, n in cells.count_levels(item).items()],
        "facts": list(_facts(item)),
        "problem": _problem(item.get("problem")),
        "groups": list(_groups(item)),
    }


def _facts(item: Item) -> Iterator[dict[str, Any]]:
    for key, value in (
        ("package", item.get("path")),
        ("kind", item.get("kind")),
        ("aip", item.get("aip")),
        ("formats", cells.formats(item) if item.get("formats") else None),
        ("signatures", cells.signatures(item, "vi") if item.get("signatures") else None),
        ("copies", cells.copies(item, "vi") if item.get("copies") else None),
    ):
        if value is not None:
            yield {"word": _both(TEXTS[key]), "text": cells.fit(value)}


def _groups(item: Item) -> Iterator[dict[str, Any]]:
    for group in cells.groups(item):
        more = len(group.lines) - MOST
        yield {
            "code": cells.fit(group.code),
            "mood": _MOODS.get(group.level, "none"),
            "word": _both(LEVELS[group.level]) if group.level in LEVELS else _both((group.level, "")),
            "reference": cells.fit(group.reference),
            "lines": [_line(line, group.advice is None) for line in group.lines[:MOST]],
            "more": {lang: text("more", lang, count=more) for lang in ("vi", "en")} if more > 0 else None,
            "advice": _texts(group.advice) if group.advice and group.advice["vi"] else None,
        }


def _line(line: dict[str, Any], own_advice: bool) -> dict[str, Any]:
    said = line["message"]["vi"]
    return {
        "place": {"vi": cells.place(line, "vi")},
        "message": _texts(line["message"]),
        "advice": _texts(line["advice"]) if own_advice and line["advice"]["vi"] else None,
        **{
            key: cells.fit(line[key]) if line.get(key) is not None and cells.fit(line[key]) not in said else None
            for key in ("expected", "found")
        },
    }


def _tally(items: list[Item]) -> list[dict[str, Any]]:
    counted = Counter(verdict_key(item) for item in items)
    moods = {verdict_key(item): mood(item) for item in items}
    known = {**VERDICTS, **RESULTS}
    order = list(known)
    keys = sorted(counted, key=lambda key: order.index(key) if key in known else len(order))
    return [{"count": counted[key], "mood": moods[key], "word": _both(known.get(key, (key, "")))} for key in keys]


def _problem(problem: dict[str, Any] | None) -> dict[str, Any] | None:
    if not problem:
        return None
    return {
        "code": cells.fit(problem["code"]),
        "message": _texts(problem["message"]),
        "advice": _texts(problem["advice"]),
    }


def _verdict(item: Item) -> dict[str, str]:
    return {"vi": cells.fit(verdict(item, "vi")), "en": cells.fit(verdict(item, "en"))}


def _texts(texts: dict[str, str]) -> dict[str, str]:
    return {"vi": cells.fit(texts["vi"]), "en": cells.fit(texts["en"])}


def _both(pair: Pair) -> dict[str, str]:
    return {"vi": pair[0], "en": pair[1]}


def _fit(value: object) -> str:
    return cells.fit(value) if value is not None else "–"
