"""The page of the rules is what the tables say, and every rule of it is tried."""

from __future__ import annotations

from pipeline.packages.tt05.gathered import rules
from setup import tt05_rules
from tests.packages.tt05.fault import WORDS, levels
from tests.packages.tt05.faults import ELSEWHERE
from tests.packages.tt05.fields import PROFILES


def test_the_page_is_current() -> None:
    assert tt05_rules.page() == tt05_rules.PAGE.read_text(encoding="utf-8")


def test_the_rules_weigh_what_the_independent_table_says() -> None:
    told = {code: {name: WORDS.get(row[name]) for name in PROFILES} for code, row in rules().items()}
    assert told == levels()


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    for code, file in ELSEWHERE.items():
        assert code in (tt05_rules.PROJECT / file).read_text(encoding="utf-8"), code
