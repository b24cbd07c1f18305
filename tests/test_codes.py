"""Codes of findings and problems: each that is used has its texts, each that has texts is used and tested."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.findings import Code, codes
from pipeline.records import Level
from pipeline.settings import PROJECT

SOURCES = ("cli.py", "commands", "flows", "pipeline")
FAMILIES = (
    *("AUD", "BAG", "DC", "EARK", "FLD", "FMT", "HLD", "JRN"),
    *("METS", "PKG", "PREMIS", "SIG", "SYS", "TT05", "TXT", "USE", "VAL", "DSIG"),
)
CODE = re.compile(rf"(?:{'|'.join(FAMILIES)})-[A-Z0-9]+(?:-[A-Z0-9]+)*")
RANGE = re.compile(r'f"([A-Z]+)\{number\}" for number in range\((\d+), (\d+)\)')
PLACE = re.compile(r"\{([a-z_]+)\}")
OF_FINDINGS = {"file", "line", "expected", "found"}


def modules() -> Iterator[Path]:
    for name in SOURCES:
        path = PROJECT / name
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def used() -> dict[str, str]:
    """Codes that stand as whole literals in the program, with a place where."""
    found: dict[str, str] = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.setdefault(node.value, f"{path.relative_to(PROJECT)}:{node.lineno}")
    return found


def mentions() -> str:
    """Everything that tests and samples name."""
    texts = [path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("*.py") if path != Path(__file__)]
    texts += [path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("*.tsv")]
    texts += [path.name for path in (PROJECT / "sample_packages").iterdir()]
    everything = "\n".join(texts)
    for stem, first, end in RANGE.findall(everything):
        everything += "\n" + "\n".join(f"{stem}{number}" for number in range(int(first), int(end)))
    return everything


def test_every_code_that_is_used_has_its_texts() -> None:
    assert {code: place for code, place in used().items() if code not in codes()} == {}


def test_every_code_that_has_texts_is_used() -> None:
    literals = set(used())
    assert sorted(code for code in codes() if CODE.fullmatch(code) and code not in literals) == []


def test_every_code_of_a_finding_is_produced_by_a_test_or_a_sample() -> None:
    everything = mentions()
    findings = [code.code for code in codes().values() if code.level]
    assert [code for code in findings if not re.search(rf"\b{re.escape(code)}\b(?!-)", everything)] == []


@pytest.mark.parametrize("code", codes().values(), ids=lambda code: str(code.code))
def test_texts_are_whole_in_both_languages(code: Code) -> None:
    assert code.level == "" or Level(code.level)
    assert code.vi, code.code
    assert code.en, code.code
    assert code.vi != code.en
    assert not code.vi.isascii(), "Vietnamese without its marks"
    assert set(PLACE.findall(code.vi)) == set(PLACE.findall(code.en))
    assert set(PLACE.findall(code.advice_vi)) == set(PLACE.findall(code.advice_en))
    assert bool(code.advice_vi) == bool(code.advice_en)
    if code.level:
        assert set(PLACE.findall(code.vi + code.advice_vi)) <= OF_FINDINGS
        assert code.advice_vi, "a finding says what to do"
    for text in (code.vi, code.en, code.advice_vi, code.advice_en):
        assert text == " ".join(text.split())
