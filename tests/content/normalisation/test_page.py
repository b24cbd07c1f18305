"""What docs/normalisation.md says of rules is what the program reads."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.content.normalisation import Action, ActionLimits, Result, Rule, Rules
from pipeline.content.normalisation.kept import reasons
from pipeline.content.normalisation.preview import unknown_puids
from pipeline.content.normalisation.rules import CONDITIONS, MARKS, Estimate, rules
from pipeline.settings import PROJECT
from setup import formats_page

PAGE = (PROJECT / "docs" / "normalisation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("record", "head"),
    [(Rules, "a file"), (Rule, "a rule"), (Action, "an action"), (Result, "a result"), (ActionLimits, "`limits`"),
     (Estimate, "`estimate`")],
)  # fmt: skip
def test_every_key_of_a_rule_is_explained_with_its_default(record: type[Any], head: str) -> None:
    table = PAGE.split(f"| key of {head} | default | meaning |", 1)[1].split("\n\n", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    told = {key: row for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    fields = {field.name: field for field in dataclasses.fields(record)}
    assert told.keys() == fields.keys()
    for name, field in fields.items():
        if isinstance(field.default, str | int | float) and field.default != "":
            assert str(field.default).lower() in told[name].split("|")[2].lower(), name


def test_conditions_and_marks_are_named() -> None:
    for name in (*CONDITIONS, *MARKS):
        assert f"`{name}`" in PAGE, name


def test_the_page_of_formats_is_what_rules_and_reasons_say() -> None:
    """`python setup/formats_page.py` writes it anew."""
    assert formats_page.PAGE.read_text(encoding="utf-8") == formats_page.page()


def test_each_format_has_a_rule_or_a_reason_to_stay_in_both_languages() -> None:
    always = {puid for one in rules().rules if one.purpose == "preservation" and not one.when for puid in one.puids}
    named = [puid for one in reasons() for puid in one.puids]
    assert len(named) == len(set(named))
    assert not always & set(named)
    assert all(one.vi and one.en and one.vi != one.en for one in reasons())
    assert set(named) <= formats_page.names().keys()
    assert [one.name for one in rules().rules if unknown_puids(one)] == []


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    environment = {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "image-tiff" in done.stdout
