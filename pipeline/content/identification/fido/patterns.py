"""What a converted signature says about its bytes: fixed positions, gaps, literals that must be there.

Works on the parse tree of a regular expression (`re._parser`, the same from Python 3.11 on), at the time when
signatures are converted; identification itself only reads the results.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from re import _parser as sre  # type: ignore[attr-defined]
from typing import Any

ANY = (1 << 256) - 1
"""The set of all bytes; bit b of a set says that byte b may stand there."""

ENDLESS = 1 << 40
"""More bytes than any buffer has."""

_WIDE = 64
"""From so many bytes on a run of any bytes counts as a gap."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of byte sets; `low` to `high` bytes of anything stand before it."""

    low: int
    high: int
    sets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Runs and gaps of one pattern; `tail_low` to `tail_high` bytes follow the last run.

    `begin` and `end`: anchored there. `exact`: the shape says all that the expression says, not less.
    """

    begin: bool
    end: bool
    parts: tuple[Part, ...]
    tail_low: int
    tail_high: int
    exact: bool


def shape(regex: bytes) -> Shape:
    """Takes an expression apart. What is neither run nor gap becomes a gap of its least to greatest width."""
    tree = sre.parse(regex)
    begin = end = False
    exact = True
    parts: list[Part] = []
    low = high = 0
    run: list[int] = []

    def close() -> None:
        nonlocal low, high, run
        if run:
            parts.append(Part(low, high, tuple(run)))
            low, high, run = 0, 0, []

    for number, (op, value) in enumerate(tree):
        name = str(op)
        if name == "AT" and str(value) == "AT_BEGINNING_STRING" and number == 0:
            begin = True
            continue
        if name == "AT" and str(value) == "AT_END_STRING" and number == len(tree) - 1:
            end = True
            continue
        known = _sets([(op, value)])
        if known is not None and not (name.endswith("_REPEAT") and known[0] and set(known[0]) == {ANY}
                                      and len(known[0]) > _WIDE):  # fmt: skip
            run += known[0]
            exact = exact and known[1]
            continue
        close()
        least, most = sre.SubPattern(tree.state, [(op, value)]).getwidth()
        exact = exact and name.endswith("_REPEAT") and _is_any(value[2])
        low, high = low + int(least), min(high + int(most), ENDLESS)
        if int(most) >= int(sre.MAXREPEAT) or int(most) >= (1 << 32) - 1:
            high = ENDLESS
    if run:
        close()
    return Shape(begin, end, tuple(parts), low, high, exact)


def segments(regex: bytes) -> dict[str, Any] | None:
    """The whole expression as runs and gaps, for `gaps.Gaps`; None where it cannot be told so without loss.

    `parts` are (least, greatest gap before, most bytes, expression). Where a run could end in two places for one
    beginning, what follows must make no difference between them.
    """
    tree = list(sre.parse(regex))
    begin = bool(tree) and str(tree[0][1]) == "AT_BEGINNING_STRING"
    end = bool(tree) and str(tree[-1][1]) == "AT_END_STRING"
    runs: list[list[list[tuple[int, ...]]]] = []
    gaps: list[tuple[int, int]] = [(0, 0)]
    for op, value in tree[int(begin) : len(tree) - int(end)]:
        if str(op).endswith("_REPEAT") and _is_any(value[2]) and (value[0] != value[1] or value[0] > _WIDE):
            if len(gaps) == len(runs):
                gaps.append((0, 0))
            most = ENDLESS if value[1] is sre.MAXREPEAT else int(value[1])
            gaps[-1] = (gaps[-1][0] + int(value[0]), min(gaps[-1][1] + most, ENDLESS))
            continue
        ways = _ways([(op, value)])
        if ways is None:
            return None
        if len(gaps) > len(runs):
            runs.append([])
        runs[-1].append(ways)
    if len(gaps) == len(runs):
        gaps.append((0, 0))
    if not all(_one_end(run, *_after(number, runs, gaps, end)) for number, run in enumerate(runs)):
        return None
    parts = [[*gap, sum(max(map(len, ways)) for ways in run), "".join(map(_either, run))]
             for gap, run in zip(gaps, runs, strict=False)]  # fmt: skip
    return {"begin": begin, "end": end, "parts": parts, "tail": list(gaps[-1])}


def _after(
    number: int, runs: list[list[list[tuple[int, ...]]]], gaps: list[tuple[int, int]], end: bool
) -> tuple[bool, int]:
    """Whether what follows a run may lie anywhere behind it, and the bytes with which it can begin."""
    if number == len(runs) - 1:
        return not end and gaps[-1][0] == 0, 0
    return gaps[number + 1] == (0, ENDLESS), _firsts(runs[number + 1][0])


def _either(ways: list[tuple[int, ...]]) -> str:
    text = b"|".join(expression(one) for one in ways).decode()
    return text if len(ways) == 1 else f"(?:{text})"


def _firsts(ways: list[tuple[int, ...]]) -> int:
    return reduce(or_, (way[0] if way else ANY for way in ways))


def labour(known: dict[str, Any], widest: int, buffer: int) -> int:
    """Steps that backtracking may take at worst over a buffer: the product of the widths of all choices."""
    steps = 1 if known["begin"] else min(widest, buffer)
    for low, high in [part[:2] for part in known["parts"]] + ([known["tail"]] if known["end"] else []):
        steps *= max(min(high, buffer) - low, 0) + 1
    return steps


def positions(one: Shape, most: int) -> list[tuple[int, int]]:
    """Pairs (position, set) that the first bytes must fulfil, at most `most`; empty where no position is fixed."""
    if not one.begin:
        return []
    found: list[tuple[int, int]] = []
    here = 0
    for part in one.parts:
        if part.low != part.high:
            break
        here += part.low
        for number, bytes_ in enumerate(part.sets):
            if bytes_ != ANY:
                found.append((here + number, bytes_))
        here += len(part.sets)
    return found[:most]


def positions_from_end(one: Shape, most: int) -> list[tuple[int, int]]:
    """The same for the last bytes, counted from 1 at the very last."""
    if not one.end or one.tail_low != one.tail_high:
        return []
    found: list[tuple[int, int]] = []
    here = one.tail_low
    for part in reversed(one.parts):
        for number, bytes_ in enumerate(reversed(part.sets)):
            if bytes_ != ANY:
                found.append((here + number + 1, bytes_))
        here += len(part.sets)
        if part.low != part.high:
            break
        here += part.low
    return found[:most]


def literals(one: Shape) -> list[tuple[bytes, int, int]]:
    """Runs of at least two single bytes that must be there, with the window in which each begins.

    The window counts from the first byte, from the end for a pattern that is anchored there (0 = just behind the last
    byte), and ends at ENDLESS where it is open.
    """
    found: list[tuple[bytes, int, int]] = []
    low = high = 0
    backwards = one.end and not one.begin
    if backwards:
        low, high = one.tail_low, one.tail_high
    for part in reversed(one.parts) if backwards else one.parts:
        if not backwards:
            low, high = low + part.low, min(high + part.high, ENDLESS)
        for start, run in _literals(part.sets):
            at = len(part.sets) - start if backwards else start
            open_ = not one.begin and not one.end
            if len(run) >= 2:
                found.append((run, low + at, ENDLESS if open_ else min(high + at, ENDLESS)))
        low, high = low + len(part.sets), min(high + len(part.sets), ENDLESS)
        if backwards:
            low, high = low + part.low, min(high + part.high, ENDLESS)
    return found


def width(regex: bytes) -> int:
    """Most bytes that the expression can take; ENDLESS without limit."""
    most = int(sre.parse(regex).getwidth()[1])
    return ENDLESS if most >= (1 << 32) - 1 else most


def expression(sets: tuple[int, ...]) -> bytes:
    """The regular expression of a run."""
    return b"".join(_class(bytes_) for bytes_ in sets)


def members(bytes_: int) -> list[int]:
    """The bytes of a set."""
    return [number for number in range(256) if bytes_ >> number & 1]


def _literals(sets: tuple[int, ...]) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    start, run = 0, bytearray()
    for number, bytes_ in enumerate((*sets, ANY)):
        if bytes_ & (bytes_ - 1) == 0 and bytes_:
            if not run:
                start = number
            run.append(bytes_.bit_length() - 1)
        elif run:
            found.append((start, bytes(run)))
            run = bytearray()
    return found


def _class(bytes_: int) -> bytes:
    if bytes_ == ANY:
        return b"."
    listed = members(bytes_)
    if len(listed) == 1:
        return b"\\x%02x" % listed[0]
    return b"[" + b"".join(b"\\x%02x" % one for one in listed) + b"]"


def _is_any(tokens: Any) -> bool:
    return len(tokens) == 1 and str(tokens[0][0]) == "ANY"


def _sets(tokens: Any) -> tuple[list[int], bool] | None:
    """Byte sets of tokens of one fixed width, and whether they say all; None when the width varies or is not told."""
    found: list[int] = []
    exact = True
    for op, value in tokens:
        one = _set(str(op), value)
        if one is None:
            return None
        found += one[0]
        exact = exact and one[1]
    return found, exact


def _set(name: str, value: Any) -> tuple[list[int], bool] | None:
    if name == "LITERAL":
        return [1 << value], True
    if name == "NOT_LITERAL":
        return [ANY & ~(1 << value)], True
    if name == "ANY":
        return [ANY], True
    if name == "IN":
        return _listed(value)
    if name == "SUBPATTERN":
        return _sets(value[3])
    if name == "BRANCH":
        return _branch(value[1])
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = value
        one = _sets(inner)
        if one is None or low != high or int(low) * len(one[0]) > 4096:
            return None
        return one[0] * int(low), one[1]
    return None


def _ways(tokens: Any) -> list[tuple[int, ...]] | None:
    """All sequences of byte sets that tokens stand for, at most a few dozen; None for more or other things."""
    found: list[tuple[int, ...]] = [()]
    for op, value in tokens:
        name = str(op)
        ways: list[tuple[int, ...]] | None
        if name == "SUBPATTERN":
            ways = _ways(value[3])
        elif name == "BRANCH":
            each = [_ways(branch) for branch in value[1]]
            ways = None if None in each else [way for one in each if one is not None for way in one]
        elif name.endswith("_REPEAT") and value[0] == value[1] and value[0] <= 4096:
            ways = _ways(list(value[2]) * int(value[0]))
        else:
            one = None if name.endswith("_REPEAT") else _set(name, value)
            ways = None if one is None or not one[1] else [tuple(one[0])]
        if ways is None or len(ways) * len(found) > 64:
            return None
        found = [start + way for start in found for way in ways]
    return found


def _one_end(run: list[list[tuple[int, ...]]], open_: bool, next_: int) -> bool:
    """Whether one beginning gives one end, or the choice of the end makes no difference to what follows.

    `open_`: what follows the run may lie anywhere; it begins with one of the bytes `next_`.
    """
    for number, ways in enumerate(run):
        for short, long in ((short, long) for short in ways for long in ways if len(short) < len(long)):
            if not short or all(a & b for a, b in zip(short, long, strict=False)):
                more = long[len(short) :]
                if number + 1 < len(run):
                    if more[0] & _firsts(run[number + 1]):
                        return False
                elif not open_ or any(one & next_ for one in more):
                    return False
    return True


def _listed(value: Any) -> tuple[list[int], bool] | None:
    found, negated = 0, False
    for op, what in value:
        name = str(op)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found |= 1 << what
        elif name == "RANGE":
            for number in range(what[0], what[1] + 1):
                found |= 1 << number
        else:
            return None
    return [ANY & ~found if negated else found], True


def _branch(branches: Any) -> tuple[list[int], bool] | None:
    """Branches of one width: the union position by position, exact only for a single byte."""
    known = [_sets(branch) for branch in branches]
    first = known[0]
    if first is None:
        return None
    union = list(first[0])
    exact = first[1] and len(union) == 1
    for one in known[1:]:
        if one is None or len(one[0]) != len(union):
            return None
        union = [left | right for left, right in zip(union, one[0], strict=True)]
        exact = exact and one[1]
    return union, exact
