"""The closed list of properties and the families of formats, read from `schemas/characterisation/`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.records import Format
from pipeline.settings import PROJECT

_FOLDER = PROJECT / "schemas" / "characterisation"
_LONGEST = 500
_WIDE = ("UTF-16", "UTF-32")

TEXT = "text"
"""The family of plain texts."""


@dataclass(frozen=True, slots=True)
class Property:
    """One name that significantPropertiesType may have, with its unit, kind of value and source."""

    name: str
    unit: str
    value: str
    families: str
    source: str
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Families:
    """Which family a PUID, or the extension of a file without one, belongs to."""

    by_puid: Mapping[str, str]
    by_extension: Mapping[str, str]


@cache
def properties() -> dict[str, Property]:
    """All properties by name, in the order in which they are written."""
    return {row["name"]: Property(**row) for row in _rows(_FOLDER / "properties.tsv")}


@cache
def families() -> Families:
    """The table of families."""
    puids: dict[str, str] = {}
    extensions: dict[str, str] = {}
    for row in _rows(_FOLDER / "families.tsv"):
        puids |= dict.fromkeys(row["puids"].split(), row["family"])
        extensions |= dict.fromkeys(row["extensions"].split(), row["family"])
    return Families(puids, extensions)


def family_of(found: Format | None, extension: str) -> str:
    """The family of a file, empty when no reader and no checker knows it. The PUID decides where there is one."""
    if found is not None and found.puid is not None:
        return families().by_puid.get(found.puid, "")
    return families().by_extension.get(extension.lower().lstrip("."), "")


def told_by_reading(family: str, found: Format | None) -> bool:
    """Whether the one reading has told all there is: of text, whether it is UTF-8, unless characters are wide."""
    return family == TEXT and found is not None and found.match == "text" and not any(w in found.basis for w in _WIDE)


def ordered(told: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Pairs for PREMIS: names of the list alone, in its order, values as one line of text that XML can hold."""
    unknown = told.keys() - properties().keys()
    if unknown:
        raise KeyError(f"no property of schemas/characterisation/properties.tsv: {sorted(unknown)}")
    return tuple((name, text) for name in properties() if (text := line(told.get(name))))


def line(value: object) -> str:
    """A value as text: `yes` for True, no needless zeros, at most 500 characters, nothing that XML lacks."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return " ".join(text.split())[:_LONGEST]


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as source:
        yield from csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE)
