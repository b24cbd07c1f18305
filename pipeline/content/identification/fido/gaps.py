"""Patterns with several gaps of varying width, matched in linear time where backtracking would take minutes."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any


class Gaps:
    """One pattern: runs of bytes with `low` to `high` bytes of anything between them.

    Every place of a run is found in one pass; the places that can follow one another are joined, run by run.
    """

    __slots__ = ("_begin", "_end", "_parts", "_tail")

    def __init__(self, known: dict[str, Any]) -> None:
        self._begin: bool = known["begin"]
        self._end: bool = known["end"]
        self._parts = [
            (low, high, width, re.compile(b"(?s)(?=" + text.encode() + b")"))
            for low, high, width, text in known["parts"]
        ]
        self._tail: tuple[int, int] = tuple(known["tail"])

    def matches(self, data: bytes) -> bool:
        """Whether `re.search` with the pattern's expression would find something in `data`."""
        size = len(data)
        ends: list[int] | None = [0] if self._begin else None
        for low, high, width, regex in self._parts:
            if ends is None:
                starts = [found.start() for found in regex.finditer(data, min(low, size))]
            else:
                last = min(size, ends[-1] + high + width)
                found_at = [found.start() for found in regex.finditer(data, min(ends[0] + low, size), last)]
                starts = list(_reached(ends, found_at, low, high))
            if not starts:
                return False
            ends = [start + width for start in starts]
        low, high = self._tail
        if ends is None:
            return size >= low
        if not self._end:
            return size - ends[0] >= low
        at = bisect_left(ends, size - high)
        return at < len(ends) and ends[at] <= size - low


def _reached(ends: list[int], starts: list[int], low: int, high: int) -> list[int]:
    """Those of `starts` that lie `low` to `high` bytes behind one of `ends`; both rise."""
    reached = []
    at = 0
    for start in starts:
        while at < len(ends) and ends[at] < start - high:
            at += 1
        if at == len(ends):
            break
        if ends[at] <= start - low:
            reached.append(start)
    return reached
