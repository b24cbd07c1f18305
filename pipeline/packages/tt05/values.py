"""Values of descriptions: dates and parts of dates, whole numbers, lists, years and ordinals in codes."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

_DATE: Final = re.compile(r"(?:(?:([0-9]{2})/)?([0-9]{2})/)?([0-9]{4})")
_WHOLE: Final = re.compile(r"[0-9]+")
_LISTED: Final = re.compile(r"[,;|]")

_BODY: Final = re.compile(r"[A-K][0-9]{2}")
_YEAR: Final = re.compile(r"[0-9]{4}")
FIRST_YEAR: Final = 1400
"""Documents that archives of Viet Nam keep begin in the fifteenth century; an earlier year is a slip of the pen."""

FIRST_YEAR_OF_CODES: Final = 1900
"""An earlier number of four digits in a code is no year (tt05-packages.md, 9)."""

YEARS: Final = {"01": 1_000_000, "02": 70, "03": 50, "04": 30, "05": 20, "06": 10}
"""Retention periods in years; 01 is without end, 07 (other) is not compared."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a date, or a part of one, means. `parts` 3 = a day, 2 = a month, 1 = a year."""

    first: date
    last: date
    parts: int


def period(text: str) -> Period | None:
    """`DD/MM/YYYY`, `MM/YYYY` or `YYYY`, if there is such a day, month or year; else None."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, month, year = match.groups()
    try:
        if month is None:
            return Period(date(int(year), 1, 1), date(int(year), 12, 31), 1)
        first = date(int(year), int(month), int(day or 1))
        if day is not None:
            return Period(first, first, 3)
        return Period(first, first.replace(day=monthrange(first.year, first.month)[1]), 2)
    except ValueError:
        return None


def whole(text: str) -> int | None:
    """A whole number of at least 0, leading zeros allowed; None for anything else."""
    return int(text) if _WHOLE.fullmatch(text) and len(text) <= 4000 else None


def composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def listed(text: str, separator: str) -> list[str]:
    """The codes of a list; readers take `,`, `;`, `|` and the separator of the settings."""
    if separator and separator not in ",;|":
        text = text.replace(separator, ",")
    return [part.strip() for part in _LISTED.split(text)]


def ordinal(code: str, separator: str = ".") -> int | None:
    """The number behind the last dot of a code."""
    last = segments(code, separator)[-1]
    return int(last) if _WHOLE.fullmatch(last) and len(last) < 19 else None


def segments(code: str, separator: str = ".") -> list[str]:
    return code.split(separator or ".")


def year_at(parts: list[str], latest: int) -> int | None:
    """Where the year of a code stands: the first segment of four digits after level 1 that can be a year."""
    for place, part in enumerate(parts):
        if place and _YEAR.fullmatch(part) and FIRST_YEAR_OF_CODES <= int(part) <= latest:
            return place
    return None


def year_of(code: str, latest: int, separator: str = ".") -> int | None:
    """The year of the file that a code names; None when it has none."""
    parts = segments(code, separator)
    place = year_at(parts, latest)
    return None if place is None else int(parts[place])


def body_shaped(segment: str) -> bool:
    """Whether a segment has the form of a level-1 body code (a letter and two digits)."""
    return _BODY.fullmatch(segment) is not None
