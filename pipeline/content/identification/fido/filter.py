"""Which signatures can match at all: one look at a few bytes rules out nearly all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.content.identification.fido.patterns import members

_Place = tuple[int, tuple[int, ...], int]
"""One byte position, masks by the byte that stands there, and the mask for a file that ends before it.

Bit i of a mask says that signature i is still possible. Tuples, these and the next: every file goes through all.
"""

_Text = tuple[int, bytes, int, int]
"""Bits of the signatures that need a text, the text, and the first and last place where it may begin from an end."""


class Filter:
    """Bit-parallel: for each position that signatures fix, one AND with the mask of the byte that stands there.

    What signatures without a fixed position, and those that are left, need in some window is searched for as text.
    """

    def __init__(self, signatures: list[dict[str, Any]], sets: list[int]) -> None:
        self._all = (1 << len(signatures)) - 1
        self._begins = _places(signatures, sets, "begins", self._all)
        self._ends = _places(signatures, sets, "ends", self._all)
        placed = [bool(one.keys() & {"begins", "ends"}) for one in signatures]
        needs = [one.get("literals", []) for one in signatures]
        first = [(number, need) for number, one in enumerate(needs) if not placed[number] for need in one[:1]]
        self._from_begin = _gathered(first, "BOF")
        self._from_end = _gathered(first, "EOF")
        self._needs = [
            tuple(
                (side == "EOF", bytes.fromhex(text), low, high)
                for side, text, low, high in one[0 if placed[number] else 1 :]
            )
            for number, one in enumerate(needs)
        ]

    def possible(self, head: bytes, tail: bytes) -> Iterator[int]:
        """Numbers of the signatures that may match, rising; none that matches is left out."""
        left = self._all
        size = len(head)
        for at, by_byte, beyond in self._begins:
            left &= by_byte[head[at]] if at < size else beyond
        find = head.find
        gone = 0
        for bits, text, low, high in self._from_begin:
            if find(text, low, high + len(text)) < 0:
                gone |= bits
        size = len(tail)
        for at, by_byte, beyond in self._ends:
            left &= by_byte[tail[-at]] if at <= size else beyond
        for bits, text, low, high in self._from_end:
            if not _lies_behind(tail, text, low, high):
                gone |= bits
        left &= ~gone
        needs = self._needs
        while left:
            lowest = left & -left
            left ^= lowest
            number = lowest.bit_length() - 1
            for from_end, text, low, high in needs[number]:
                if from_end:
                    if not _lies_behind(tail, text, low, high):
                        break
                elif find(text, low, high + len(text)) < 0:
                    break
            else:
                yield number


def _lies_behind(tail: bytes, text: bytes, low: int, high: int) -> bool:
    """Whether the text begins within the window, which counts from behind the last byte."""
    size = len(tail)
    return size >= low and tail.find(text, max(0, size - high), size - low + len(text)) >= 0


def _gathered(wanted: list[tuple[int, list[Any]]], side: str) -> list[_Text]:
    bits: dict[tuple[str, int, int], int] = {}
    for number, (where, text, low, high) in wanted:
        if where == side:
            bits[text, low, high] = bits.get((text, low, high), 0) | 1 << number
    return [(bit, bytes.fromhex(text), low, high) for (text, low, high), bit in bits.items()]


def _places(signatures: list[dict[str, Any]], sets: list[int], key: str, everything: int) -> list[_Place]:
    used: dict[int, list[tuple[int, int]]] = {}
    for number, one in enumerate(signatures):
        for at, which in one.get(key, ()):
            used.setdefault(at, []).append((1 << number, which))
    lists: dict[int, list[int]] = {}
    places: list[_Place] = []
    for at, wanted in sorted(used.items()):
        beyond = everything
        for bit, _ in wanted:
            beyond ^= bit
        entries = [beyond] * 256
        for bit, which in wanted:
            if which not in lists:
                lists[which] = members(sets[which])
            for byte in lists[which]:
                entries[byte] |= bit
        places.append((at, tuple(entries), beyond))
    return places
