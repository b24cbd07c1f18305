"""Reports as plain text for terminals of any width."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from pipeline.reports import cells
from pipeline.reports.cells import Column, Document, Item
from pipeline.reports.words import LEVELS, Lang, mood, text, verdict, word

SYMBOLS = {"good": "✓", "bad": "✗", "wait": "…", "same": "=", "none": "?"}
COLOURS = {"good": "32", "bad": "31", "wait": "33", "same": "36", "none": "35"}
NARROW = 72
"""Below this many columns a table is set as a list."""

MOST_INTACT = 100
"""With more copies than this an audit lists only those that are not intact."""

_GAP = "  "
_LEAST = 13
"""An elastic column is never cut below this width."""


def report(document: Document, lang: Lang, width: int = 100, colour: bool = False) -> str:
    """Table, then every finding with its advice of each package that somebody has to act on.

    `width` in terminal cells. A document of `validate` shows the findings of every package.
    """
    seen, rest = _worth_a_row(document)
    lines = list(table(seen, lang, width, colour))
    if rest:
        lines.append(text("intact_rest", lang, count=rest))
    if len(document["items"]) > 1:
        counts = ", ".join(f"{count} {name}" for name, count in cells.tally(document, lang))
        lines += ["", *wrapped(counts, width, f"{text('total', lang)} {len(document['items'])}: ", "  ")]
    parts = ["\n".join(lines)]
    everything = cells.subject(document) == "validate"
    for item in document["items"]:
        if (everything and item.get("findings")) or cells.needs_details(item):
            parts.append("\n".join(details(item, lang, width, colour)))
    quiet = [] if everything else [item for item in document["items"] if not cells.needs_details(item)]
    if notes := [line for item in quiet for line in _note(item, lang, width)]:
        parts.append("\n".join(notes))
    if document.get("problem"):
        parts.append("\n".join(_problem(document["problem"], lang, width, "")))
    for key in ("overdue", "next_due"):
        if document.get(key) is not None:
            parts.append(f"{text(key, lang)}: {cells.fit(document[key])}")
    return "\n\n".join(parts) + "\n"


def _worth_a_row(document: Document) -> tuple[Document, int]:
    """An audit of very many copies shows those that are not intact; how many were left out."""
    items = document["items"]
    if cells.subject(document) != "audit" or len(items) <= MOST_INTACT:
        return document, 0
    kept = [item for item in items if cells.needs_details(item)]
    return {**document, "items": kept}, len(items) - len(kept)


def table(document: Document, lang: Lang, width: int, colour: bool = False) -> Iterator[str]:
    """A line per item under a head, or a block per item where the terminal is narrow."""
    items: list[Item] = document["items"]
    if not items:
        yield text("none", lang)
        return
    columns = cells.columns(document)
    rows = [[column.shown(item, lang) for column in columns] for item in items]
    head = [text(column.key, lang) for column in columns]
    for row, item in zip(rows, items, strict=True):
        at = next(i for i, column in enumerate(columns) if column.key in ("verdict", "result"))
        row[at] = f"{SYMBOLS[mood(item)]} {row[at]}"
    full = [max(map(cell_width, (name, *(row[i] for row in rows)))) for i, name in enumerate(head)]
    kept = list(range(len(columns)))
    while (widths := _shrunk([full[i] for i in kept], [columns[i] for i in kept], width)) is None:
        spare = max(kept, key=lambda i: columns[i].spare)
        if width < NARROW or not columns[spare].spare:
            yield from _blocks(columns, head, rows, items, width, colour)
            return
        kept.remove(spare)
    shown = [columns[i] for i in kept]
    yield _line(shown, [head[i] for i in kept], widths)
    yield _GAP.join("─" * wide for wide in widths)
    for row, item in zip(rows, items, strict=True):
        yield _painted(_line(shown, [row[i] for i in kept], widths), item, colour)


def details(item: Item, lang: Lang, width: int, colour: bool = False) -> Iterator[str]:
    """Every finding of one item: code, level and clause once, then where and what, then what to do."""
    yield _painted(f"{SYMBOLS[mood(item)]} {cells.heading(item)}: {verdict(item, lang)}", item, colour)
    if item.get("problem"):
        yield from _problem(item["problem"], lang, width, "  ")
    for group in cells.groups(item):
        clause = f" ({cells.fit(group.reference)})" if group.reference else ""
        yield f"  {cells.fit(group.code)} · {word(LEVELS, group.level, lang)}{clause}"
        for line in group.lines:
            yield from wrapped(cells.sentence(line, lang), width, "    - ", "      ")
            yield from _compared(line, lang, width)
            if group.advice is None and line["advice"][lang]:
                yield from wrapped(cells.fit(line["advice"][lang]), width, "      → ", "        ")
        if group.advice and group.advice[lang]:
            yield from wrapped(cells.fit(group.advice[lang]), width, "    → ", "      ")


def _note(item: Item, lang: Lang, width: int) -> Iterator[str]:
    """One line about a good package that has warnings."""
    counts = cells.count_levels(item)
    if "warning" in counts:
        said = ", ".join(f"{count} {word(LEVELS, level, lang)}" for level, count in counts.items())
        yield from wrapped(text("noted", lang, heading=cells.heading(item), counts=said), width, "", "  ")


def cell_width(value: str) -> int:
    """Terminal cells that a text takes: marks none, wide East Asian characters two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in value
    )


def clipped(value: str, wide: int) -> str:
    """The text in at most `wide` cells, with an ellipsis where something was left out."""
    if cell_width(value) <= wide:
        return value
    made, taken = "", 0
    for char in value:
        taken += cell_width(char)
        if taken > wide - 1:
            break
        made += char
    return made + "…"


def shortened(value: str, wide: int) -> str:
    """As `clipped`, but both ends of a name stay: what tells it from its neighbours is often the end."""
    if cell_width(value) <= wide:
        return value
    head = clipped(value, (wide + 1) // 2)
    tail = ""
    for char in reversed(value):
        if cell_width(head + char + tail) > wide:
            break
        tail = char + tail
    while tail and unicodedata.combining(tail[0]):
        tail = tail[1:]
    return head + tail


def _shrunk(widths: list[int], columns: Sequence[Column], width: int) -> list[int] | None:
    """Elastic columns give way one after the other until the table fits; None when it cannot."""
    made = list(widths)
    excess = sum(made) + len(_GAP) * (len(made) - 1) - width
    for _, i in sorted(((column.elastic, i) for i, column in enumerate(columns) if column.elastic), reverse=True):
        given = max(0, min(excess, made[i] - _LEAST))
        made[i] -= given
        excess -= given
    return made if excess <= 0 else None


def _line(columns: Sequence[Column], row: list[str], widths: list[int]) -> str:
    made = []
    for column, value, wide in zip(columns, row, widths, strict=True):
        cut = shortened(value, wide) if column.elastic == 1 else clipped(value, wide)
        pad = " " * (wide - cell_width(cut))
        made.append(pad + cut if column.right else cut + pad)
    return _GAP.join(made).rstrip()


def _blocks(
    columns: tuple[Column, ...], head: list[str], rows: list[list[str]], items: list[Item], width: int, colour: bool
) -> Iterator[str]:
    for row, item in zip(rows, items, strict=True):
        for i, (name, value) in enumerate(zip(head, row, strict=True)):
            if i == 0:
                yield _painted(shortened(value, width), item, colour)
            elif value != "–":
                yield from wrapped(value, width, f"  {name}: ", "    ")


def _compared(line: dict[str, object], lang: Lang, width: int) -> Iterator[str]:
    """Expected and found, where the message does not say them already."""
    message = str(line["message"][lang])  # type: ignore[index]
    for key in ("expected", "found"):
        value = line.get(key)
        if value is not None and cells.fit(value) not in message:
            yield from wrapped(cells.fit(value), width, f"      {text(key, lang)}: ", "        ")


def _problem(problem: dict[str, dict[str, str]], lang: Lang, width: int, indent: str) -> Iterator[str]:
    yield from wrapped(
        cells.fit(problem["message"][lang]), width, f"{indent}{cells.fit(problem['code'])}: ", indent + "  "
    )
    if problem["advice"][lang]:
        yield from wrapped(cells.fit(problem["advice"][lang]), width, f"{indent}→ ", indent + "  ")


def wrapped(value: str, width: int, first: str, rest: str) -> Iterator[str]:
    """Lines of at most `width` cells broken at blanks; a word longer than a line stays whole."""
    line, empty = first, True
    for part in value.split(" "):
        if not empty and cell_width(line) + 1 + cell_width(part) > width:
            yield line
            line, empty = rest, True
        line += part if empty else " " + part
        empty = False
    yield line


def _painted(line: str, item: Item, colour: bool) -> str:
    return f"\x1b[{COLOURS[mood(item)]}m{line}\x1b[0m" if colour else line
