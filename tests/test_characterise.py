"""`luutru characterise` as people run it: outcome and properties of files, exit codes, the pages' commands."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from pipeline.settings import PROJECT
from tests.command import House
from tests.contract import faults, validator

DATA = PROJECT / "tests/data/characterisation"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


def test_lines_are_the_contract_in_input_order(house: House, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"t\xeap.txt")
    odd.write_bytes("tệp".encode())
    answer = house.run("characterise", DATA / "corrupt", odd, DATA / "pdf/encrypted_user.pdf", "--json", json_=False)
    assert answer.exit == 1, answer.err
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [error.message for line in lines for error in validator("characterise").iter_errors(line)] == []
    names = [Path(line["path"]).name for line in lines]
    assert names[:5] == sorted(names[:5]) and names[-1] == "encrypted_user.pdf"
    assert {line["validity"] for line in lines[:5]} == {"invalid"}
    assert (lines[-2]["validity"], lines[-2]["family"]) == ("valid", "text")
    assert lines[-1]["inhibitors"] == [{"type": "password protection", "target": "all content"}]
    assert [finding["code"] for finding in lines[-1]["findings"]] == ["VAL-ENCRYPTED"]


def test_for_people(house: House) -> None:
    files = (DATA / "image/page.gif", DATA / "corrupt/truncated.png")
    answer = house.run("characterise", *files, "--lang", "vi", json_=False)
    assert answer.exit == 1
    assert f"valid        fmt/3      {DATA}/image/page.gif\n    GIF: blocks" in answer.out
    assert "    image width: 300" in answer.out
    assert "VAL-INVALID" in answer.err and "không phải là tệp" in answer.err


@pytest.mark.parametrize("path", ["nothing", "", "/dev/null"])
def test_a_path_that_is_none_is_told_before_anything_is_read(house: House, path: str) -> None:
    answer = house.run("characterise", DATA, path)
    assert answer.exit == 2
    assert answer.document is not None and faults(answer.document) == []


def test_commands_of_the_page_run(house: House) -> None:
    page = (PROJECT / "docs/characterisation.md").read_text(encoding="utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 2
    for command in commands:
        answer = house.run(*shlex.split(command)[1:], json_=False, cwd=PROJECT)
        assert answer.exit == 0, answer.err
        assert answer.out
