"""`bench/results.json`, and its rows as tables in `docs/performance.md`: `python -m bench --table`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from bench.measure import PROJECT

RESULTS = PROJECT / "bench" / "results.json"
PAGE = PROJECT / "docs" / "performance.md"
BEGIN, END = "<!-- bench: {} -->", "<!-- /bench -->"


def rows() -> list[dict[str, Any]]:
    """What was measured last, row by row."""
    found: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def keep(new: Iterable[dict[str, Any]]) -> None:
    """Puts rows in the place of older ones of the same work, with the day."""
    day = datetime.now(UTC).date().isoformat()
    known = {_same(row): row for row in rows()}
    known |= {_same(row): {**row, "day": day} for row in new}
    RESULTS.write_text(json.dumps(list(known.values()), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write() -> None:
    """Fills the marked places of the page; what stands around them is left alone."""
    page = PAGE.read_text(encoding="utf-8")
    for name, lines in tables(rows()).items():
        head, _, rest = page.partition(BEGIN.format(name) + "\n")
        _, _, tail = rest.partition(END)
        page = "\n".join((head + BEGIN.format(name), *lines, END)) + tail
    PAGE.write_text(page, encoding="utf-8")


def tables(known: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The tables of the page by name, as lines of Markdown."""
    return {
        "peers": list(_peers(row for row in known if "must" in row)),
        "floor": list(_floor(row for row in known if "floor" in row)),
        "stages": list(_stages(next((row for row in known if row.get("key") == "STAGES"), None))),
        "big": list(_big(row for row in known if row.get("key") in ("P13", "BIG"))),
        "families": list(_families(row for row in known if "copies" in row)),
    }


def _peers(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "| | work | ours, s | yardstick | its s | ratio | must | great | load | day |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in found:
        yield (
            f"| {row['key']} | {row['name']} | {row['seconds']} | {row['yardstick']} | {row['theirs']} |"
            f" **{row['ratio']}** | {row['must']} | {row['great']} | {row['load']} | {row['day']} |"
        )


def _floor(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "| work | stores | ours, s | floor, s | ratio | files a second | memory, MB | load | day |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in found:
        yield (
            f"| {row['name']} | {row['stores']} | {row['seconds']} | {row['floor']} | {row['ratio']} |"
            f" {row['files_per_second']} | {row['peak_mb']} | {row.get('load', '')} | {row['day']} |"
        )


def _stages(row: dict[str, Any] | None) -> Iterator[str]:
    yield "| stage | seconds | CPU of the process | CPU of its workers |"
    yield "|---|---|---|---|"
    for name, (seconds, own, workers) in (row["stages"] if row is not None else {}).items():
        yield f"| {name} | {seconds:.2f} | {own:.2f} | {workers:.2f} |"


def _big(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "| work | seconds | memory at its highest, MB | load | day |"
    yield "|---|---|---|---|---|"
    for row in found:
        yield f"| {row['name']} | {row['seconds']} | {row['peak_mb']} | {row['load']} | {row['day']} |"


def _families(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "| work | files | copies | files a second | memory of workers and programs, MB | day |"
    yield "|---|---|---|---|---|---|"
    for row in found:
        yield (
            f"| {row['name']} | {row['files']} | {row['copies']} | {row['files_per_second']} | {row['peak_mb']} |"
            f" {row['day']} |"
        )


def _same(row: dict[str, Any]) -> tuple[object, ...]:
    return row.get("key"), row.get("name"), row.get("stores"), row.get("files")
