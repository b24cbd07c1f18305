"""Many files through one start of the sandbox, so that a file costs a program's start and no more.

A shell of ours runs inside: a call a file, each with a time limit of its own, or one call for all files. What a file
does to its call stays with that file: when the whole start is killed, its files are tried again in halves.
"""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.tools.program import Program
from pipeline.tools.run import Bounds, run

_SHELL = Program("sh", (), "", (0,), "dash", "SYS-TOOL-PRLIMIT")
_KEPT = 64 << 10
_TOLD = 64 << 20
_KILLED, _TOO_LONG = 137, 153
INSIDE = "../in/"
"""Where the files are, seen from the folder in which the shell starts: the same in both forms of the sandbox."""


@dataclass(frozen=True, slots=True)
class Call:
    """One file for a program. `{file}` in the arguments stands for its name inside; `seconds` is its own limit."""

    file: Path
    arguments: tuple[str, ...]
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """How one call ended. `why`: None, `timeout`, `memory`, `output`, `file`; `shown` is the file's name inside."""

    code: int
    why: str | None
    said: str
    shown: str


def each(
    program: Program, calls: Sequence[Call], scratch: Path, bounds: Bounds, *, sandbox: str = "full"
) -> list[Told]:
    """Runs the program once per call, in order, within `bounds.memory` and each call's own time."""
    script = []
    names = [_name(number, call.file) for number, call in enumerate(calls)]
    for number, (call, name) in enumerate(zip(calls, names, strict=True)):
        filled = [argument.replace("{file}", INSIDE + name) for argument in call.arguments]
        command = ["timeout", "-s", "KILL", f"{call.seconds:.0f}", program.path or program.name, *filled]
        script.append(f"{_quoted(command)} >{number}.said 2>&1 </dev/null; echo $? >{number}.code")
    whole = replace(bounds, seconds=sum(call.seconds for call in calls) + 5)
    with _ran("\n".join(script), [call.file for call in calls], names, scratch, whole, sandbox) as (out, why):
        told = [_told(out, number, name, why) for number, name in enumerate(names)]
    undone = [number for number, one in enumerate(told) if one is None]
    if undone and len(calls) > 1:
        # The start was killed: what was done stands, the one at work is to blame, and is found by halving.
        half = max(1, len(undone) // 2)
        for part in (undone[:half], undone[half:]):
            if part:
                for number, one in zip(
                    part, each(program, [calls[n] for n in part], scratch, bounds, sandbox=sandbox), strict=True
                ):
                    told[number] = one
    return [one or Told(_KILLED, why or "output", "", INSIDE + name) for one, name in zip(told, names, strict=True)]


def together(
    program: Program, arguments: Sequence[str], files: Sequence[Path], scratch: Path, bounds: Bounds, *,
    sandbox: str = "full", before: Sequence[str] = (), beside: Mapping[str, Path] | None = None,
) -> list[tuple[str, list[int]]]:  # fmt: skip
    """Runs the program once over all files, named `{number}` with their suffix, in order.

    `before` is a word for each file that stands right before its name; `beside` are files of ours that the program
    finds by their names in INSIDE.

    What it printed, with the numbers of the files that it was about: one pair where all went well, more where the
    start was killed and the files were tried in halves. A file that kills its start alone is in none of them.
    """
    names = [_name(number, file) for number, file in enumerate(files)]
    shown = [INSIDE + name for name in names]
    told = [word for pair in zip(before, shown, strict=True) for word in pair] if before else shown
    command = [program.path or program.name, *arguments, *told]
    script = f"{_quoted(command)} >told 2>errors </dev/null; echo $? >code"
    with _ran(script, files, names, scratch, bounds, sandbox, beside) as (out, _):
        done = (out / "code").is_file() and (out / "told").is_file() and (out / "told").stat().st_size <= _TOLD
        said = (out / "told").read_text("utf-8", "replace") if done else ""
    if done:
        return [(said, list(range(len(files))))]
    if len(files) == 1:
        return []
    half = len(files) // 2
    found = []
    for start, part in ((0, files[:half]), (half, files[half:])):
        words = before[start : start + len(part)]
        for text, numbers in together(program, arguments, part, scratch, bounds, sandbox=sandbox, before=words,
                                      beside=beside):  # fmt: skip
            found.append((text, [start + number for number in numbers]))
    return found


@contextlib.contextmanager
def _ran(
    script: str, files: Sequence[Path], names: Sequence[str], scratch: Path, bounds: Bounds, sandbox: str,
    beside: Mapping[str, Path] | None = None,
) -> Iterator[tuple[Path, str | None]]:  # fmt: skip
    """The folder that one start of the script filled, gone at the end, and why the start was killed."""
    with tempfile.TemporaryDirectory(prefix="batch-", dir=scratch) as folder:
        out = Path(folder, "out")
        out.mkdir()
        inputs = {**(beside or {}), **dict(zip(names, files, strict=True))}
        ended = run(_SHELL, ["-c", script], inputs, out, bounds, sandbox=sandbox)
        yield out, ended.why


def _told(out: Path, number: int, name: str, why: str | None) -> Told | None:
    """What one call left behind; None when it never ended."""
    code = out / f"{number}.code"
    if not code.is_file() or not code.read_bytes().strip().isdigit():
        return None
    ended = int(code.read_bytes())
    with (out / f"{number}.said").open("rb") as source:
        size = source.seek(0, 2)
        source.seek(max(0, size - _KEPT))
        said = source.read().decode("utf-8", "replace")
    why = {_KILLED: "timeout", _TOO_LONG: "output"}.get(ended)
    return Told(ended, why, said, INSIDE + name)


def _name(number: int, file: Path) -> str:
    """A name of ours with the suffix of the given one, where that is harmless."""
    suffix = file.suffix.lower()
    return f"{number}{suffix}" if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 8 else str(number)


def _quoted(command: Sequence[str]) -> str:
    """One command for the shell."""
    return " ".join(shlex.quote(part) for part in command)
