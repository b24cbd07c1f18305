"""A program that is held open: question and answer, its limits, and that nothing is left of it."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from pipeline.tools.held import Gone, Held
from pipeline.tools.program import Program
from pipeline.tools.run import Bounds

PYTHON = Program(
    "python3", ("--version",), r"(\d+\.\d+)", (3, 9), "python3", "SYS-TOOL-PRLIMIT", (("GREETING", "chào"),)
)
ANSWERS = """
import json, os, subprocess, sys, time
print(json.dumps({"greeting": os.environ["GREETING"]}), flush=True)
held = []
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "read":
        told = {"text": open(sys.argv[1] + "/file").read(), "here": sorted(os.listdir(sys.argv[1]))}
    elif asked["do"] == "write":
        told = {"wrote": open(sys.argv[2] + "/made", "w").write("made")}
    elif asked["do"] == "eat":
        held.append(bytearray(b"x") * (300 << 20))
        time.sleep(60)
    elif asked["do"] == "hang":
        subprocess.Popen(["sleep", "60"], start_new_session=True)
        time.sleep(60)
    elif asked["do"] == "prattle":
        print("no JSON")
        told = {}
    else:
        sys.exit(3)
    print(json.dumps(told), flush=True)
"""


def held(folder: Path, sandbox: str = "full", **bounds: int) -> Held:
    program = folder / "answers.py"
    program.write_text(ANSWERS, encoding="utf-8")
    arguments = ["-I", "{in}/answers.py", "{in}", "{out}"]
    one = Held(PYTHON, arguments, {"answers.py": program}, folder / "x", Bounds(**bounds), sandbox=sandbox)
    assert one.ask(None, 60) == {"greeting": "chào"}
    return one


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_one_question_after_another(tmp_path: Path, sandbox: str) -> None:
    one = held(tmp_path, sandbox)
    for text in ("một", "hai"):
        (tmp_path / "file").write_text(text, encoding="utf-8")
        one.show("file", tmp_path / "file")
        assert one.ask({"do": "read"}, 60) == {"text": text, "here": ["answers.py", "file"]}
        one.hide("file")
    assert one.ask({"do": "write"}, 60) == {"wrote": 4}
    target = tmp_path / "target"
    target.mkdir()
    one.take(target)
    assert (target / "made").read_text() == "made"
    children = psutil.Process(one.process.pid).children(recursive=True)
    one.close()
    one.close()
    assert not psutil.wait_procs(children, timeout=20)[1]
    assert {item.name for item in tmp_path.iterdir()} == {"answers.py", "file", "target"}


@pytest.mark.parametrize(
    ("do", "why"), [("hang", "timeout"), ("eat", "memory"), ("prattle", "output"), ("end", "")], ids=lambda one: one
)
def test_a_limit_ends_the_whole_tree(tmp_path: Path, do: str, why: str) -> None:
    one = held(tmp_path, memory=150 << 20)
    children = psutil.Process(one.process.pid).children(recursive=True)
    started = time.monotonic()
    with pytest.raises(Gone) as gone:
        one.ask({"do": do}, 2 if do == "hang" else 60)
    assert gone.value.why == why
    assert time.monotonic() - started < 50
    assert not psutil.wait_procs(children, timeout=20)[1]
    with pytest.raises(Gone):
        one.ask({"do": "read"}, 5)
    assert {item.name for item in tmp_path.iterdir()} == {"answers.py"}
