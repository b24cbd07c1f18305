"""Reports as Markdown, in which no text of a package can become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.reports import cells
from pipeline.reports.cells import Document, Item
from pipeline.reports.words import LEVELS, Lang, mood, text, verdict, word

SYMBOLS = {"good": "✅", "bad": "❌", "wait": "⏳", "same": "🗄️", "none": "❔"}
MOST = 200
"""Lines shown per code; an artifact is looked at, the whole list is in JSON and CSV."""

_MARKUP = re.compile(r"[\\`*_{}\[\]<>()#+!|~&=:@$^]|(?<=www)\.", re.IGNORECASE)
_FIRST = re.compile(r"^(\d*)([-.])")
_EDGE = re.compile(r"^ | $")


def escaped(value: object) -> str:
    """Text as CommonMark and GFM show it literally, also inside a table cell."""
    made = _FIRST.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", cells.fit(value)))
    return _EDGE.sub("&#32;", made)


def report(document: Document, lang: Lang) -> str:
    """Table of all items, then the details of those that somebody has to act on."""
    parts = [f"# {text(cells.subject(document), lang)}", table(document, lang)]
    parts += [item(one, lang, "##") for one in document["items"] if cells.needs_details(one)]
    if document.get("problem"):
        parts.append(_problem(document["problem"], lang))
    return "\n\n".join(parts) + "\n"


def table(document: Document, lang: Lang) -> str:
    """One row per item."""
    columns = cells.columns(document)
    lines = [
        "| " + " | ".join(text(column.key, lang) for column in columns) + " |",
        "|" + "|".join("---:" if column.right else "---" for column in columns) + "|",
    ]
    for one in document["items"]:
        row = [escaped(column.shown(one, lang)) for column in columns]
        at = next(i for i, column in enumerate(columns) if column.key in ("verdict", "result"))
        row[at] = f"{SYMBOLS[mood(one)]} {row[at]}"
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def item(one: Item, lang: Lang, level: str = "#") -> str:
    """The whole report of one package or copy: verdict, figures, formats, copies, findings with advice."""
    parts = [f"{level} {SYMBOLS[mood(one)]} {escaped(cells.heading(one))}: {escaped(verdict(one, lang))}"]
    columns = cells.COPIES if "result" in one else cells.PACKAGES
    facts = [
        f"- **{text(column.key, lang)}**: {escaped(column.shown(one, lang))}"
        for column in columns
        if column.key not in ("package", "verdict", "result") and column.shown(one, lang) != "–"
    ]
    if "path" in one:
        facts.insert(0, f"- **{text('kind', lang)}**: {escaped(one.get('kind') or '–')}")
    parts.append("\n".join(facts))
    if one.get("problem"):
        parts.append(_problem(one["problem"], lang))
    parts += _findings(one, lang)
    return "\n\n".join(part for part in parts if part)


def _findings(one: Item, lang: Lang) -> Iterator[str]:
    for group in cells.groups(one):
        clause = f" ({escaped(group.reference)})" if group.reference else ""
        lines = [f"**{escaped(group.code)}** · {word(LEVELS, group.level, lang)}{clause}", ""]
        for line in group.lines[:MOST]:
            advice = f" → {escaped(line['advice'][lang])}" if group.advice is None and line["advice"][lang] else ""
            lines.append(f"- {escaped(cells.sentence(line, lang))}{advice}")
        if len(group.lines) > MOST:
            lines.append(f"- {text('more', lang, count=len(group.lines) - MOST)}")
        if group.advice and group.advice[lang]:
            lines += ["", f"{text('advice', lang)}: {escaped(group.advice[lang])}"]
        yield "\n".join(lines)


def _problem(problem: dict[str, dict[str, str]], lang: Lang) -> str:
    advice = problem["advice"][lang]
    said = f"**{escaped(problem['code'])}**: {escaped(problem['message'][lang])}"
    return f"{said}\n\n{text('advice', lang)}: {escaped(advice)}" if advice else said
