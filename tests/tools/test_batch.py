"""Many files through one start of the sandbox: each call ends by itself, and a killed start costs one file alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tools.batch import INSIDE, Call, each, together
from pipeline.tools.program import Program
from pipeline.tools.run import Bounds

CAT = Program("cat", ("--version",), r"(\d+\.\d+)", (0,), "coreutils", "SYS-TOOL-PRLIMIT")
TAIL = Program("tail", ("--version",), r"(\d+\.\d+)", (0,), "coreutils", "SYS-TOOL-PRLIMIT")
PYTHON = Program("python3", ("--version",), r"(\d+\.\d+)", (0,), "python3", "SYS-TOOL-PRLIMIT")
EATS = """
import sys, time
for name in sys.argv[1:]:
    said = open(name).read()
    if said == "eat":
        held = bytearray(b"x") * (300 << 20)
        time.sleep(5)
    print(said)
"""

PAIRS = """
import sys, time
for word, name in zip(sys.argv[1::2], sys.argv[2::2]):
    said = open(name, encoding="utf-8").read()
    if said == "eat":
        held = bytearray(b"x") * (300 << 20)
        time.sleep(5)
    print(f"{word}={said}")
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = []
    for number, text in enumerate(("một", "hai", "ba", "bốn")):
        file = tmp_path / f"tệp '{number}' $x.TXT"
        file.write_text(text, encoding="utf-8")
        found.append(file)
    return found


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_each_call_is_told_by_itself(tmp_path: Path, files: list[Path], sandbox: str) -> None:
    calls = [Call(file, ("{file}",)) for file in files] + [Call(files[0], ("--no-such-option", "{file}"))]
    told = each(CAT, calls, tmp_path, Bounds(), sandbox=sandbox)
    assert [one.said for one in told[:4]] == ["một", "hai", "ba", "bốn"]
    assert [one.code for one in told] == [0, 0, 0, 0, 1]
    assert told[0].shown.endswith("/0.txt"), "a name of ours"
    assert sorted(tmp_path.iterdir()) == sorted(files), "nothing is left"


def test_a_call_that_hangs_is_killed_by_its_own_clock(tmp_path: Path, files: list[Path]) -> None:
    calls = [Call(files[0], ("{file}",), 30), Call(files[1], ("-f", "{file}"), 1), Call(files[2], ("{file}",), 30)]
    told = each(TAIL, calls, tmp_path, Bounds())
    assert [one.why for one in told] == [None, "timeout", None]
    assert told[2].said == "ba"


def test_a_call_that_eats_memory_costs_itself_alone(tmp_path: Path, files: list[Path]) -> None:
    files[1].write_text("eat")
    told = each(PYTHON, [Call(file, ("-c", EATS, "{file}"), 30) for file in files], tmp_path, Bounds(memory=150 << 20))
    assert [one.why for one in told] == [None, "memory", None, None]
    assert told[3].said.strip() == "bốn"


def test_one_start_for_all_files(tmp_path: Path, files: list[Path]) -> None:
    assert together(CAT, (), files, tmp_path, Bounds()) == [("mộthaibabốn", [0, 1, 2, 3])]


def test_a_start_that_is_killed_is_tried_in_halves(tmp_path: Path, files: list[Path]) -> None:
    files[2].write_text("eat")
    told = together(PYTHON, ("-c", EATS), files, tmp_path, Bounds(seconds=20, memory=150 << 20))
    assert [(text.split(), numbers) for text, numbers in told] == [(["một", "hai"], [0, 1]), (["bốn"], [3])]


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_words_before_each_file_and_files_beside_them_come_along_in_every_half(
    tmp_path: Path, files: list[Path], sandbox: str
) -> None:
    own = tmp_path / "của ta"
    own.write_text(PAIRS, encoding="utf-8")
    files[1].write_text("eat")
    bounds = Bounds(seconds=20, memory=150 << 20)
    words, beside = ["a", "b", "c", "d"], {"pairs.py": own}
    script = (f"{INSIDE}pairs.py",)
    told = together(PYTHON, script, files, tmp_path, bounds, sandbox=sandbox, before=words, beside=beside)
    assert [(text.split(), numbers) for text, numbers in told] == [(["a=một"], [0]), (["c=ba", "d=bốn"], [2, 3])]
