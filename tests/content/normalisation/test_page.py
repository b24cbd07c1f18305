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
from pipeline.content.normalisation.rules import CONDITIONS, MARKS, Estimate
from pipeline.settings import PROJECT

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
