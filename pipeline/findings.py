"""Codes of findings and problems with their texts in Vietnamese and English, read from `schemas/findings/`."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.errors import Problem
from pipeline.names import raw, shown
from pipeline.records import Finding, Level
from pipeline.settings import PROJECT, Profile

_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Code:
    """One row of a family's TSV; `level` is empty for problems of ours."""

    code: str
    level: str
    reference: str
    vi: str
    en: str
    advice_vi: str
    advice_en: str


@cache
def codes() -> dict[str, Code]:
    """All codes by name; a code that stands twice is a fault of the project."""
    found: dict[str, Code] = {}
    for file in sorted((PROJECT / "schemas" / "findings").glob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as source:
            for row in csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE):
                code = Code(**{name: (row.get(name) or "").strip() for name in Code.__slots__})
                if code.code in found:
                    raise ValueError(f"{file.name}: {code.code} stands twice")
                found[code.code] = code
    return found


def level_of(finding: Finding, profile: Profile | None = None) -> Level:
    """Its level, which the rule or a profile may have changed."""
    if finding.level is not None:
        return finding.level
    own = codes()[finding.code].level if finding.code in codes() else Level.ERROR
    return Level(profile.levels.get(finding.code, own)) if profile else Level(own)


def sort_key(finding: Finding) -> tuple[bytes, str, int, str]:
    """Findings are shown by file, then code."""
    return (finding.file or b"", finding.code, finding.line or 0, finding.found or "")


def as_json(finding: Finding, profile: Profile | None = None) -> dict[str, Any]:
    """The finding in the shape of the command line's contract, with both languages."""
    code = _code(finding.code)
    values = {
        "file": shown(finding.file) if finding.file is not None else "",
        "line": str(finding.line) if finding.line is not None else "",
        "expected": visible(finding.expected) or "–",
        "found": visible(finding.found) or "–",
    }
    return {
        "code": finding.code,
        "level": str(level_of(finding, profile)),
        "file": shown(finding.file) if finding.file is not None else None,
        "file_raw": raw(finding.file) if finding.file is not None else None,
        "line": finding.line,
        "expected": visible(finding.expected),
        "found": visible(finding.found),
        "reference": code.reference,
        "message": {"en": fill(code.en, values), "vi": fill(code.vi, values)},
        "advice": {"en": fill(code.advice_en, values), "vi": fill(code.advice_vi, values)},
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem of ours in the shape of the contract."""
    code = _code(problem.code)
    values = {key: visible(value) or "" for key, value in problem.values.items()}
    return {
        "code": problem.code,
        "transient": problem.transient,
        "message": {"en": fill(code.en, values), "vi": fill(code.vi, values)},
        "advice": {"en": fill(code.advice_en, values), "vi": fill(code.advice_vi, values)},
    }


def visible(text: str | None) -> str | None:
    """Text from a package made fit for people: control and undecodable characters escaped, at most 500 characters."""
    if text is None:
        return None
    cut = text if len(text) <= 500 else text[:499] + "…"
    try:
        return shown(cut.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte, as JSON can hold it
        return shown(cut.encode("utf-8", "backslashreplace"))


def fill(template: str, values: dict[str, str]) -> str:
    """Placeholders replaced once; braces inside a value stay what they are."""
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), template)


def _code(code: str) -> Code:
    known = codes().get(code)
    return known or Code(code, Level.ERROR, "", code, code, "", "")
