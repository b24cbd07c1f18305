"""Reports as CSV for spreadsheets, which run what looks like a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TextIO

from pipeline.reports import cells
from pipeline.reports.cells import Document
from pipeline.reports.words import TEXTS

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

FINDING_COLUMNS = (
    *("package", "verdict", "level", "code", "file", "file_raw", "line", "expected", "found", "reference"),
    *("message_vi", "message_en", "advice_vi", "advice_en"),
)


def guarded(value: object) -> object:
    """A value that no spreadsheet takes for a formula: an apostrophe before text that begins like one.

    Numbers stay numbers. Every text passes `fit`, so control characters are visible escapes.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        made = cells.fit(value)
        return "'" + made if made.lstrip().startswith(FORMULA) else made
    return value


def items(document: Document, out: TextIO) -> None:
    """One row per item under the keys of the JSON. Open `out` with `newline=""`; UTF-8 with a BOM suits Excel."""
    columns = cells.columns(document)
    _write(
        out,
        [column.key for column in columns],
        ([column.raw(item) for column in columns] for item in document["items"]),
    )


def findings(document: Document, out: TextIO) -> None:
    """One row per finding of every item; of an audit, one row per problem of a copy."""
    _write(out, FINDING_COLUMNS, _rows(document))


def validation(document: Document, out: TextIO) -> None:
    """`findings` with a row for each package that has none, and for each without a verdict; begins with a BOM."""
    out.write("\ufeff")
    _write(out, FINDING_COLUMNS, _every_package(document))


def _every_package(document: Document) -> Iterator[list[object]]:
    for item in document["items"]:
        head = [item.get("path"), item.get("verdict")]
        if problem := item.get("problem"):
            yield [*head, "problem", problem["code"], *[None] * 6, *_texts(problem)]
        rows = _rows({"items": [item]})
        found = next(rows, None)
        if found is not None:
            yield found
            yield from rows
        elif not item.get("problem"):
            yield [*head, *[None] * 8, *TEXTS["all_well"], None, None]


def _rows(document: Document) -> Iterator[list[object]]:
    for item in document["items"]:
        for group in cells.groups(item):
            for line in group.lines:
                yield [
                    item.get("path") or cells.heading(item),
                    item.get("verdict") or item.get("result"),
                    group.level,
                    group.code,
                    *(line.get(key) for key in ("file", "file_raw", "line", "expected", "found", "reference")),
                    *_texts(line),
                ]


def _texts(line: dict[str, dict[str, str]]) -> list[object]:
    return [line[part][lang] for part in ("message", "advice") for lang in ("vi", "en")]


def _write(out: TextIO, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([guarded(value) for value in row])
