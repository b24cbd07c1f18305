"""Administrative units by their codes at a date: provinces and communes. They are not the codes of bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from pipeline.packages.tt05 import tables


@dataclass(frozen=True, slots=True)
class Place:
    """A province (two digits) or commune (five). `province` is its own code or that of its province; `committee` the
    body code of a province's People's Committee. Dates as `YYYY-MM-DD`, empty = no bound known."""

    code: str
    name: str
    province: str
    committee: str
    valid_from: str
    valid_to: str

    def valid(self, day: date) -> bool:
        return self.valid_from <= day.isoformat() <= (self.valid_to or "9999-12-31")


def place(code: str, day: date) -> Place | None:
    """What a code meant on a day; None when it meant nothing."""
    return next((one for one in _places().get(code, ()) if one.valid(day)), None)


@cache
def _places() -> Mapping[str, tuple[Place, ...]]:
    found: dict[str, tuple[Place, ...]] = {}
    for row in tables.rows("provinces.tsv"):
        one = Place(row["code"], row["name"], row["code"], row["committee"], row["valid_from"], row["valid_to"])
        found[one.code] = (*found.get(one.code, ()), one)
    for row in tables.rows("communes.tsv"):
        one = Place(row["code"], row["name"], row["province"], "", row["valid_from"], row["valid_to"])
        found[one.code] = (*found.get(one.code, ()), one)
    return found
