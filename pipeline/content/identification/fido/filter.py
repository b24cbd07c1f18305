"""Which signatures can match at all: one look at a few bytes rules out nearly all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.content.identification.fido.patterns import members


@dataclass(frozen=True, slots=True)
class _Place:
    """One byte position; bit i of an entry says that signature i is still possible."""

    at: int
    by_byte: tuple[int, ...]
    beyond: int


@dataclass(frozen=True, slots=True)
class _Literal:
    """A text that must begin `low` to `high` bytes from an end; bit i says that signature i needs it."""

    bits: int
    text: bytes
    low: int
    high: int


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
            [(side == "EOF", bytes.fromhex(text), low, high) for side, text, low, high in one[0 if placed[n] else 1 :]]
            for n, one in enumerate(needs)
        ]

    def possible(self, head: bytes, tail: bytes) -> Iterator[int]:
        """Numbers of the signatures that may match, rising; none that matches is left out."""
        left = self._all
        size = len(head)
        for place in self._begins:
            left &= place.by_byte[head[place.at]] if place.at < size else place.beyond
        for one in self._from_begin:
            if head.find(one.text, one.low, one.high + len(one.text)) < 0:
                left &= ~one.bits
        size = len(tail)
        for place in self._ends:
            left &= place.by_byte[tail[-place.at]] if place.at <= size else place.beyond
        for one in self._from_end:
            if left & one.bits and not _lies_behind(tail, one.text, one.low, one.high):
                left &= ~one.bits
        while left:
            lowest = left & -left
            number = lowest.bit_length() - 1
            if all(_lies(head, tail, *need) for need in self._needs[number]):
                yield number
            left ^= lowest


def _lies(head: bytes, tail: bytes, from_end: bool, text: bytes, low: int, high: int) -> bool:
    """Whether the text begins within the window, which counts from the first byte or from behind the last."""
    if from_end:
        return _lies_behind(tail, text, low, high)
    return head.find(text, low, high + len(text)) >= 0


def _lies_behind(tail: bytes, text: bytes, low: int, high: int) -> bool:
    size = len(tail)
    return size >= low and tail.find(text, max(0, size - high), size - low + len(text)) >= 0


def _gathered(wanted: list[tuple[int, list[Any]]], side: str) -> list[_Literal]:
    bits: dict[tuple[str, int, int], int] = {}
    for number, (where, text, low, high) in wanted:
        if where == side:
            bits[text, low, high] = bits.get((text, low, high), 0) | 1 << number
    return [_Literal(bit, bytes.fromhex(text), low, high) for (text, low, high), bit in bits.items()]


def _places(signatures: list[dict[str, Any]], sets: list[int], key: str, everything: int) -> list[_Place]:
    used: dict[int, list[tuple[int, int]]] = {}
    for number, one in enumerate(signatures):
        for at, which in one.get(key, ()):
            used.setdefault(at, []).append((1 << number, which))
    lists: dict[int, list[int]] = {}
    places = []
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
        places.append(_Place(at, tuple(entries), beyond))
    return places
