"""Formats counted: how many files, how many bytes, whether the engines agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.reports import cells
from pipeline.reports.console import cell_width, clipped
from pipeline.reports.words import Lang, Pair, say, word

AGREEMENTS: dict[str, Pair] = {
    "same": ("thống nhất", "same"),
    "differ": ("khác nhau", "differ"),
    "single": ("một bộ", "single"),
    "none": ("không rõ", "none"),
}
UNKNOWN: Pair = ("chưa nhận dạng được", "not identified")

_HEADS: tuple[Pair, ...] = (
    ("PUID", "PUID"), ("Tên", "Name"), ("Phiên bản", "Version"), ("Số tệp", "Files"), ("Dung lượng", "Size"),
    ("Hai bộ nhận dạng", "Agreement"),
)  # fmt: skip
_RIGHT = (False, False, False, True, True, False)
_LEAST = 16
_GAP = "  "


@dataclass(slots=True)
class Row:
    """One format; `puid` is empty for files that are not identified."""

    puid: str
    name: str
    version: str
    files: int = 0
    bytes: int = 0
    agreement: Counter[str] = field(default_factory=Counter)


class Tally:
    """Counts files by format. Grows with the number of formats, not of files."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def add(self, puid: str | None, name: str, version: str, size: int, agreement: str) -> None:
        """One file of `size` bytes."""
        key = puid or ""
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row(key, name if puid else "", version if puid else "")
        row.files += 1
        row.bytes += size
        row.agreement[agreement] += 1

    def rows(self) -> list[Row]:
        """The most frequent first, then by PUID."""
        return sorted(self._rows.values(), key=lambda row: (-row.files, row.puid))


def table(rows: list[Row], lang: Lang, width: int) -> Iterator[str]:
    """Lines of a table at most `width` cells wide where names can be cut that far; the last line is the sum."""
    made = [_texts(row, lang) for row in rows]
    agreement: Counter[str] = Counter()
    for row in rows:
        agreement.update(row.agreement)
    made.append(
        ("", say(("Tổng cộng", "Total"), lang), "", cells.number(sum(row.files for row in rows), lang),
         cells.size(sum(row.bytes for row in rows), lang), _agreement(agreement, lang))
    )  # fmt: skip
    lines = [tuple(say(head, lang) for head in _HEADS), *made]
    widths = [max(cell_width(line[at]) for line in lines) for at in range(len(_HEADS))]
    widths[1] = max(_LEAST, widths[1] - max(0, sum(widths) + len(_GAP) * (len(widths) - 1) - width))
    for number, line in enumerate(lines):
        yield _GAP.join(_cell(*one) for one in zip(line, widths, _RIGHT, strict=True)).rstrip()
        if number in (0, len(lines) - 2):
            yield _GAP.join("─" * wide for wide in widths)


def _texts(row: Row, lang: Lang) -> tuple[str, ...]:
    name = cells.fit(row.name) if row.puid else say(UNKNOWN, lang)
    return (cells.fit(row.puid) or "–", name, cells.fit(row.version), cells.number(row.files, lang),
            cells.size(row.bytes, lang), _agreement(row.agreement, lang))  # fmt: skip


def _agreement(counted: Counter[str], lang: Lang) -> str:
    told = [(word(AGREEMENTS, key, lang), counted[key]) for key in AGREEMENTS if counted[key]]
    return ", ".join(name if len(told) == 1 else f"{name} {cells.number(count, lang)}" for name, count in told)


def _cell(value: str, wide: int, right: bool) -> str:
    cut = clipped(value, wide)
    pad = " " * (wide - cell_width(cut))
    return pad + cut if right else cut + pad
