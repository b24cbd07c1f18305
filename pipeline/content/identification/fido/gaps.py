"""Patterns with gaps of varying width, matched in linear time where backtracking would take minutes."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any

from pipeline.content.identification.fido.patterns import ENDLESS


class Gaps:
    """One pattern: runs of bytes with `low` to `high` bytes of anything between them.

    A run that begins at one place ends at one place (`patterns.segments` sees to it). Run by run, the places where it
    can end behind an end of the one before are gathered; where what follows may lie anywhere, the first is enough.
    """

    __slots__ = ("_begin", "_end", "_parts", "_tail")

    def __init__(self, known: dict[str, Any]) -> None:
        self._begin: bool = known["begin"]
        self._end: bool = known["end"]
        self._tail: tuple[int, int] = tuple(known["tail"])
        parts = known["parts"]
        open_ = [part[1] >= ENDLESS for part in parts[1:]] + [not self._end]
        self._parts = [
            (low, high, widest, re.compile(b"(?s)" + text.encode()), first)
            for (low, high, widest, text), first in zip(parts, open_, strict=True)
        ]

    def matches(self, data: bytes) -> bool:
        """Whether `re.search` with the pattern's expression would find something in `data`."""
        size = len(data)
        ends: list[int] | None = [0] if self._begin else None
        for low, high, widest, regex, first in self._parts:
            ends = _ends(data, size, ends, low, high, widest, regex, first)
            if not ends:
                return False
        low, high = self._tail
        if ends is None:
            return size >= low
        if not self._end:
            return size - ends[0] >= low
        at = bisect_left(ends, size - high)
        return at < len(ends) and ends[at] <= size - low


def _ends(
    data: bytes, size: int, before: list[int] | None, low: int, high: int, widest: int, regex: re.Pattern[bytes],
    first: bool,
) -> list[int]:  # fmt: skip
    """Rising ends of a run `low` to `high` bytes behind one of `before` (None: anywhere); `first`: the least alone."""
    if before is None:
        at, last = min(low, size), size
    else:
        at, last = min(before[0] + low, size), min(before[-1] + high + widest, size)
    found: list[int] = []
    least = size + 1
    number = 0
    while (one := regex.search(data, at, last)) is not None:
        start = one.start()
        if start >= least:
            break
        at = start + 1
        if before is not None:
            while number < len(before) and before[number] < start - high:
                number += 1
            if number == len(before):
                break
            if before[number] > start - low:
                continue
        if first:
            least = min(least, one.end())
        else:
            found.append(one.end())
    if first:
        return [least] if least <= size else []
    return sorted(set(found))
