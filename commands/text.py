"""`luutru text`: what encoding texts are in, how they read, and the same as UTF-8."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from commands.frame import Answer, answer, language, note, problem_text

if TYPE_CHECKING:
    from pipeline.content.texts import Seen
    from pipeline.workspace import Workspace

KEPT = 8 << 20
"""So many characters of a text stand in its document; a longer one is cut and says so."""

_STDIN = "-"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be done. `output`: the folder for the copies; `pour`: the text goes to standard output."""

    encoding: str | None
    output: Path | None
    pour: bool
    keep: int
    lang: str


def text(
    paths: tuple[Path, ...],
    *,
    stdin: bool,
    encoding: str | None,
    to: str | None,
    output: Path | None,
    as_json: bool,
    lang: str | None,
) -> int:
    """Exit code of the contract: 4 where a person has to tell the encoding, 1 for what is no text. `text/1`."""
    wanted = _Wanted(
        encoding, output, to is not None and output is None and not as_json, KEPT * as_json, language(lang)
    )

    def work() -> Answer:
        return _text(paths, stdin, wanted)

    return answer("text/1", work, as_json=as_json, lang=lang)


def _text(paths: tuple[Path, ...], stdin: bool, wanted: _Wanted) -> Answer:
    from pipeline.errors import Interrupted, stopping
    from pipeline.ingest.item import exit_code
    from pipeline.workspace import workspace

    _ask(paths, stdin, wanted)
    space = workspace()
    items, codes = [], []
    for path in paths or (None,):
        item, code = _one(space, path, wanted)
        items.append(item)
        codes.append(code)
        if stopping.is_set():
            raise Interrupted
    if wanted.pour:
        note(_shown({"items": items}, wanted.lang))
    return Answer(items, exit_code(codes), _shown, printed=wanted.pour)


def _ask(paths: tuple[Path, ...], stdin: bool, wanted: _Wanted) -> None:
    """What must be true before anything is read; makes the folder of the copies."""
    from pipeline.errors import UsageProblem

    if stdin == bool(paths) or (stdin and wanted.output is not None):
        raise UsageProblem("USE-TEXT-INPUT")
    for path in paths:
        if not os.path.lexists(path):
            raise UsageProblem("USE-PATH", path=path)
        if path.exists() and not path.is_file():
            raise UsageProblem("USE-TEXT-FILE", path=path)
    if wanted.pour and len(paths) > 1:
        raise UsageProblem("USE-TEXT-SEVERAL")
    if wanted.output is None:
        return
    for name, times in Counter(path.name for path in paths).items():
        if times > 1:
            raise UsageProblem("USE-TEXT-TWICE", name=name)
        if os.path.lexists(wanted.output / name):
            raise UsageProblem("USE-TEXT-EXISTS", file=wanted.output / name)
    try:
        wanted.output.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageProblem("USE-TEXT-OUTPUT", folder=wanted.output, cause=problem.strerror or problem) from None


def _one(space: Workspace, path: Path | None, wanted: _Wanted) -> tuple[dict[str, Any], int]:
    from pipeline.content.texts import document, findings, look, written
    from pipeline.errors import SystemProblem
    from pipeline.findings import level_of, problem_json
    from pipeline.names import shown
    from pipeline.records import Level, PackagePath

    raw = PackagePath(os.fsencode(path) if path is not None else _STDIN.encode())
    name = shown(raw)
    target = wanted.output / path.name if wanted.output is not None and path is not None else None
    try:
        with _opened(space, path) as source:
            seen = look(source, wanted.encoding, wanted.keep)
            if not seen.whole:
                target = None
            elif target is not None:
                written(source, seen.detection, target)
            elif wanted.pour:
                _pour(source, seen)
    except (OSError, SystemProblem) as fault:
        if isinstance(fault, SystemProblem):
            problem = fault
        else:
            problem = SystemProblem("SYS-READ", file=name, cause=fault.strerror or fault)
        if wanted.pour and problem.code == "SYS-WRITE":
            raise problem from fault  # nobody takes the text
        return _unread(name, problem_json(problem)), problem.exit_code
    levels = {level_of(finding) for finding in findings(raw, seen)}
    code = 1 if Level.ERROR in levels else 4 if Level.DECISION in levels else 0
    return document(name, raw, seen, shown(os.fsencode(target)) if target is not None else None), code


@contextlib.contextmanager
def _opened(space: Workspace, path: Path | None) -> Iterator[BinaryIO]:
    """A file, or standard input kept where it can be read again."""
    if path is not None:
        with path.open("rb") as source:
            yield source
        return
    with tempfile.TemporaryFile(dir=space.work) as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        yield kept


def _pour(source: BinaryIO, seen: Seen) -> None:
    """The text on standard output, nothing else."""
    from pipeline.content.texts import poured
    from pipeline.errors import SystemProblem

    try:
        for piece in poured(source, seen.detection):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except OSError as problem:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.close(silence)
        raise SystemProblem("SYS-WRITE", file="<stdout>", cause=problem.strerror or problem) from problem


def _unread(name: str, problem: dict[str, Any]) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "path": name, "bytes": None, "encoding": None, "confidence": None, "method": None, "reason": None,
        "candidates": [], "undo": 0, "lines": [], "text": None, "cut": False, "changed": False, "unmapped": [],
        "capitals": [], "output": None, "findings": [],
    }  # fmt: skip
    return {**nothing, "problem": problem}


def _shown(document: dict[str, Any], lang: str) -> str:
    """Each text for people: encoding and why, its first lines or how they would read, what to know and do."""
    from pipeline.content.texts import NAMES

    parts = []
    for item in document["items"]:
        if item["problem"]:
            parts.append(problem_text(item, lang))
            continue
        name = NAMES.get(item["encoding"], "?")
        sure = f" ({item['confidence']:.0%})" if item["confidence"] is not None else ""
        lines = [f"{item['path']}: {name}{sure} – {item['reason'][lang]}"]
        lines += [f"    {line}" for line in item["lines"]]
        for reading in item["candidates"]:
            lines.append(f"  {NAMES[reading['encoding']]} ({reading['score']:.2f})")
            lines += [f"    {line}" for line in reading["lines"]]
        for finding in item["findings"]:
            lines += [f"  {finding['code']}: {finding['message'][lang]}", f"    → {finding['advice'][lang]}"]
        if item["output"]:
            lines.append(f"  → {item['output']}")
        parts.append("\n".join(lines))
    return "\n".join(parts)
