"""One broken package of the table: what is wrong with it, and what has to be said."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.packages.tt05.fields import PROFILES
from tests.packages.tt05.shape import Files, Shape, digitised, plain


@dataclass(frozen=True, slots=True)
class Fault:
    """`also` are codes that necessarily come with it; nothing else may be said.

    `levels` replaces the levels of the table, per profile, for the fault's own code. `later` says why the code under
    test does not give the code yet: the test then demands that it still does not.
    """

    shape: Shape
    also: tuple[str, ...] = ()
    levels: tuple[str, str] | None = None
    later: str = ""
    profiles: tuple[str, ...] = PROFILES


WORDS = {"E": "error", "W": "warning", "I": "info", "P": "decision"}
Levels = dict[str, dict[str, str | None]]


@cache
def levels() -> Levels:
    """Code → profile → level, None when that profile does not report it; as the findings' table gives them."""
    file = Path(__file__).with_name("levels.tsv")
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source, delimiter="\t"))
    return {row["code"]: {name: WORDS.get(row[name]) for name in PROFILES} for row in rows}


def code_of(name: str) -> str:
    """`TT05-MET-07 suffix` → `TT05-MET-07`."""
    return name.partition(" ")[0]


def expected(name: str, fault: Fault, profile: str) -> dict[str, str]:
    """Codes and their levels that must be said, and no others."""
    code = code_of(name)
    found = {one: levels()[one][profile] for one in fault.also}
    own = levels()[code][profile]
    if fault.levels is not None:
        own = dict(zip(PROFILES, fault.levels, strict=True))[profile]
    return {one: level for one, level in {**found, code: own}.items() if level}


# --- the hands that break packages ---

Change = Callable[[Files], None]


def cut(*names: str) -> Change:
    def change(files: Files) -> None:
        for name in names:
            del files[name]

    return change


def put(name: str, data: bytes = b"x\n") -> Change:
    def change(files: Files) -> None:
        files[name] = data

    return change


def rename(old: str, new: str) -> Change:
    def change(files: Files) -> None:
        files[new] = files.pop(old)

    return change


def edited(*edits: tuple[str, str, str], type: str = "SIP_hoso", **more: Any) -> Shape:
    """The plainest package with these edits."""
    return plain(type, edits=edits, **more)


def told(type: str = "SIP_hoso", **values: str) -> Shape:
    """The plainest package with other values in EAD.xml."""
    return plain(type, ead=values)


def first(type: str = "SIP_hoso", more: dict[str, Any] | None = None, **values: str) -> Shape:
    """The plainest package whose first document is described otherwise."""
    return with_first(plain(type), more, **values)


def with_first(shape: Shape, more: dict[str, Any] | None = None, **values: str) -> Shape:
    one, *rest = shape.documents
    return replace(shape, documents=(replace(one, fields=one.fields | values, **(more or {})), *rest))


def with_second(shape: Shape, more: dict[str, Any] | None = None, **values: str) -> Shape:
    one, two, *rest = shape.documents
    return replace(shape, documents=(one, replace(two, fields=two.fields | values, **(more or {})), *rest))


__all__ = [
    "Change", "Fault", "Levels", "code_of", "cut", "digitised", "edited", "expected", "field", "first", "levels",
    "plain", "put", "rename", "told", "with_first", "with_second",
]  # fmt: skip
