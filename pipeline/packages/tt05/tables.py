"""The tables of Circular 05/2025/TT-BNV: field sets, code lists, bodies, formats, as data with their dates."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.errors import UsageProblem
from pipeline.settings import PROJECT

FOLDER: Final = PROJECT / "schemas" / "tt05"

KINDS: Final = ("doc", "pic", "media")
"""What a document is: text, picture, sound or film."""

_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"

FRAME: Final = frozenset({"numberOfPaper", "riskRecovery", "riskRecoveryStatus"})
"""Elements that stand in the frame of Annex III but not in its table or its schema (TT05-C1)."""


@dataclass(frozen=True, slots=True)
class Field:
    """One element of a set. `type` S text, N whole number, B 1 or 0, D date, P date or part of one, L list of codes.

    `length` in code points, 0 = no limit; `needed` R required, O optional, C by a condition that has its own rule;
    `codes` names a code list, empty for free text.
    """

    element: str
    type: str
    length: int
    needed: str
    codes: str


FieldSet = Mapping[str, Field]
"""The elements of one description in the order of the annex."""


@cache
def field_sets() -> Mapping[tuple[str, str], FieldSet]:
    """By kind of description (`ead`, `doc`, `pic`, `media`) and package type."""
    found: dict[tuple[str, str], dict[str, Field]] = {}
    for row in rows("fields.tsv"):
        field = Field(row["element"], row["type"], int(row["length"] or 0), row["required"], row["list"])
        found.setdefault((row["kind"], row["package"]), {})[field.element] = field
    return found


@cache
def elements() -> frozenset[str]:
    """Every element that stands in some set."""
    return frozenset(name for one in field_sets().values() for name in one)


@cache
def elements_of(kind: str) -> frozenset[str]:
    """Every element that stands in a set of this kind of description."""
    return frozenset(name for (of, _), one in field_sets().items() if of == kind for name in one)


@cache
def folded_elements() -> Mapping[str, str]:
    """Elements by their name in lower case."""
    return {name.lower(): name for name in elements()}


@cache
def code_list(name: str) -> Mapping[str, str]:
    """Codes and their words."""
    return {row["code"]: row["words"] for row in rows("codelists.tsv") if row["list"] == name}


@cache
def document_types(file: str) -> Mapping[str, str]:
    """Codes of `typeName` and their words, from `schemas/tt05/FILE.tsv` or a file of the archive's own."""
    return {row["code"]: row["name"] for row in _types(file)}


@cache
def notations(file: str) -> Mapping[str, str]:
    """Abbreviation of a document type in notations (Decree 30/2020, Annex III) and the code of the type."""
    return {row["notation"]: row["code"] for row in _types(file) if row["notation"]}


def words_code(name: str, value: str, codes: Mapping[str, str] | None = None) -> str | None:
    """The code whose words the value is, in any letter case; None when it is none of them."""
    asked = _folded(value)
    known = codes if codes is not None else code_list(name)
    found = next((code for code, words in known.items() if _folded(words) == asked), None)
    if found is None and name == "language":
        found = next((code for code, words in known.items() if _folded("Tiếng " + words) == asked), None)
    return found


@dataclass(frozen=True, slots=True)
class Body:
    """A level-1 body identification code; dates as `YYYY-MM-DD`, empty = no bound known."""

    code: str
    name: str
    valid_from: str
    valid_to: str
    successor: str


@cache
def bodies() -> Mapping[str, Body]:
    """Level-1 codes of QĐ 20/2020/QĐ-TTg as amended by QĐ 09/2025/QĐ-TTg."""
    return {row["code"]: Body(**row) for row in rows("bodies.tsv")}


@cache
def mime_of_extension() -> Mapping[str, str]:
    return {row["extension"]: row["mime"] for row in rows("formats.tsv")}


@cache
def mimes() -> frozenset[str]:
    return frozenset(mime_of_extension().values())


@cache
def labels() -> Mapping[str, str]:
    """Vietnamese labels of elements and of the items of a certificate."""
    return {row["element"]: row["vi"] for row in rows("labels.tsv")}


def rows(name: str) -> list[dict[str, str]]:
    """The lines of a table of `schemas/tt05/`."""
    return _read(FOLDER / name)


def _types(file: str) -> list[dict[str, str]]:
    path = Path(file)
    if path.suffix != ".tsv":
        path = FOLDER / f"{file}.tsv"
    if not path.is_file():
        raise UsageProblem("USE-SETTINGS-MISSING", file=path)
    found = _read(path)
    if found and not {"code", "name", "notation"} <= set(found[0]):
        raise UsageProblem("USE-SETTINGS-KEY", file=path, key="code, name, notation", cause="missing column")
    return found


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return [dict(row) for row in csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE)]


def _folded(value: str) -> str:
    """Small letters, single blanks, tones behind their word: `Số hoá` and `số hóa` are one."""
    return " ".join(_tones_last(word) for word in unicodedata.normalize("NFD", value.casefold()).split())


def _tones_last(word: str) -> str:
    tones = "".join(sign for sign in word if sign in _TONES)
    return unicodedata.normalize("NFC", "".join(sign for sign in word if sign not in _TONES)) + tones
