"""Formats that stay as they are, and why: what the rules of the default set leave alone on purpose."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from pipeline.settings import PROJECT

TABLE = PROJECT / "profiles" / "normalisation" / "kept.tsv"


@dataclass(frozen=True, slots=True)
class Reason:
    """One row: a group of formats, and the reason in Vietnamese and English."""

    name: str
    puids: tuple[str, ...]
    vi: str
    en: str


@cache
def reasons() -> tuple[Reason, ...]:
    """All rows, in the order of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(Reason(row["name"], tuple(row["puids"].split()), row["vi"], row["en"]) for row in rows)


@cache
def _by_puid() -> dict[str, Reason]:
    return {puid: reason for reason in reasons() for puid in reason.puids}


def reason_for(puid: str) -> Reason | None:
    """Why files of this format stay as they are; None when nobody has said so."""
    return _by_puid().get(puid)
