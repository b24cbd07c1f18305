"""Reports as CSV for spreadsheets, which run what looks like a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from pipeline.reports import cells
from pipeline.reports.cells import Document

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

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
        return "'" + made if made.lstrip().startswith(_FORMULA) else made
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
    _write(
        out,
        FINDING_COLUMNS,
        (
            [
                item.get("path") or cells.heading(item),
                item.get("verdict") or item.get("result"),
                group.level,
                group.code,
                *(line.get(key) for key in ("file", "file_raw", "line", "expected", "found", "reference")),
                *(line[part][lang] for part in ("message", "advice") for lang in ("vi", "en")),
            ]
            for item in document["items"]
            for group in cells.groups(item)
            for line in group.lines
        ),
    )


def _write(out: TextIO, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([guarded(value) for value in row])
