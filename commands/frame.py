"""The frame of every command: language, signals, the one JSON document, exit codes."""

from __future__ import annotations

import contextlib
import json
import locale
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from pipeline import VERSION

if TYPE_CHECKING:
    import click

    from pipeline.errors import Problem
    from pipeline.workspace import Workspace


LINES = ("identify",)
"""Commands whose JSON is a line per item."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: items of its document, exit code, further keys, text for people.

    `text` makes the text of the whole document in a language (`vi`, `en`). `printed`: the work has printed its lines
    as they came, and there is no document.
    """

    items: list[dict[str, Any]]
    exit: int
    text: Callable[[dict[str, Any], str], str]
    extra: dict[str, Any] = field(default_factory=dict)
    printed: bool = False


def language(wanted: str | None) -> str:
    """`vi` or `en`: asked for, else `LUUTRU_LANG`, else the locale's, else `vi`."""
    for choice in (wanted, os.environ.get("LUUTRU_LANG")):
        if choice in ("vi", "en"):
            return str(choice)
    with contextlib.suppress(ValueError, locale.Error):
        told = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
        if told.startswith("en"):
            return "en"
    return "vi"


def answer(schema: str, work: Callable[[], Answer], *, as_json: bool, lang: str | None, lines: bool = False) -> int:
    """Runs a command's work and prints its answer; returns the exit code of the contract.

    `lines`: of a command that prints JSON lines; a document, which it has for a problem alone, is a line too.
    """
    from pipeline.errors import Interrupted, Problem, SystemProblem, of_the_system
    from pipeline.findings import problem_json
    from pipeline.workspace import now, rfc3339

    tongue = language(lang)
    started = _clock(now, rfc3339)
    got: list[int] = []
    document: dict[str, Any] = {"schema": f"luutru/{schema}", "luutru": VERSION, "started": started}
    try:
        with _signals(got):
            found = work()
        code, items, extra, text = found.exit, found.items, found.extra, found.text
        if got:
            code = 128 + got[0]
        if found.printed:
            return code
    except Problem as problem:
        told = problem_json(problem)
        code, items, extra = problem.exit_code, [], {"problem": told}
        text = problem_text
    except (Interrupted, KeyboardInterrupt):
        code, items, extra = 128 + (got[0] if got else signal.SIGINT), [], {}
        text = _stopped
    except Exception as bug:
        system = of_the_system(bug)
        told = problem_json(system or _crash(bug))
        code, items, extra = system.exit_code if system else 70, [], {"problem": told}
        text = problem_text
    document |= {"ended": _clock(now, rfc3339), "exit": code, "items": items, **extra}
    try:
        _print(document, lambda: text(document, tongue), as_json=as_json, failed="problem" in extra, lines=lines)
    except SystemProblem as problem:
        return code if code in (70, 130, 143) else problem.exit_code
    return code


def usage_fault(fault: click.ClickException, arguments: list[str]) -> int:
    """A fault that click found in the arguments: exit 2, as a document where `--json` was asked."""
    from pipeline.errors import UsageProblem
    from pipeline.findings import problem_json

    told = problem_json(UsageProblem("USE-ARGUMENTS", cause=fault.format_message()))
    words = [word for word in arguments if not word.startswith("-")]
    schema = words[0] if words else "luutru"
    document = {"schema": f"luutru/{schema}/1", "luutru": VERSION, "exit": 2, "items": [], "problem": told}
    as_json = "--json" in arguments or "jsonl" in arguments or "--format=jsonl" in arguments
    said = partial(problem_text, document, language(None))
    _print(document, said, as_json=as_json, failed=True, lines=schema in LINES)
    return 2


def note(text: str) -> None:
    """A line for people on standard error."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def told_of(problem: Problem, lang: str) -> None:
    """A problem that does not end the command, for people."""
    from pipeline.findings import problem_json

    told = problem_json(problem)
    note(f"{told['code']}: {told['message'][lang]} {told['advice'][lang]}")


def finish(space: Workspace, lang: str) -> None:
    """Seals the day where no worker does, and closes the journal in every reachable store."""
    from pipeline.administration.archive import close_journal

    for problem in close_journal(space):
        told_of(problem, lang)


def _print(
    document: dict[str, Any], text: Callable[[], str], *, as_json: bool, failed: bool, lines: bool = False
) -> None:
    if as_json:
        _put(sys.stdout, _written(document, None if lines else 1))
    elif said := text():
        put(sys.stderr if failed else sys.stdout, said)


def _written(document: dict[str, Any], indent: int | None) -> Iterator[str]:
    """The document in pieces: one with a hundred thousand findings is never one text."""
    pieces = json.JSONEncoder(ensure_ascii=False, indent=indent).iterencode(document)
    while joined := "".join(islice(pieces, 4096)):
        yield joined


def put(out: TextIO, text: str) -> None:
    """A line or more on an output; SystemProblem, told already, when nobody takes it (a full disk, a closed pipe)."""
    _put(out, (text,))


def _put(out: TextIO, texts: Iterable[str]) -> None:
    from pipeline.errors import SystemProblem
    from pipeline.findings import problem_json

    try:
        for text in texts:
            out.buffer.write(text.encode("utf-8", "backslashreplace"))
        out.buffer.write(b"\n")
        out.flush()
    except OSError as problem:
        # What lies in the buffer still would fail once more when the interpreter ends.
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, out.fileno())
        os.close(silence)
        told = SystemProblem("SYS-WRITE", file=out.name, cause=problem.strerror or problem)
        note(problem_text({"problem": problem_json(told)}, language(None)))
        raise told from problem


def tables(document: dict[str, Any], lang: str) -> str:
    """A report on the terminal: as wide as it is, in colour where it is one."""
    import shutil

    from pipeline.reports.console import report

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((120, 24)).columns
    return report(document, "vi" if lang == "vi" else "en", width=width, colour=terminal).rstrip("\n")


def problem_text(document: dict[str, Any], lang: str) -> str:
    """The problem of a document in one language: what happened, what to do."""
    told = document["problem"]
    word = {"vi": "Lỗi", "en": "Problem"}[lang]
    do = {"vi": "Cách xử lý", "en": "What to do"}[lang]
    return f"{word} {told['code']}: {told['message'][lang]}\n{do}: {told['advice'][lang]}"


def _stopped(document: dict[str, Any], lang: str) -> str:
    return {
        "vi": "Đã dừng theo yêu cầu. Những gì đã làm xong được giữ lại; chạy lại đúng lệnh này để làm tiếp.",
        "en": "Stopped as asked. What is finished is kept; the same command goes on.",
    }[lang]


def _crash(bug: Exception) -> Problem:
    from pipeline.ingest.preflight import crash_report
    from pipeline.workspace import workspace

    return crash_report(workspace(), bug)


def _clock(now: Callable[[], Any], rfc3339: Callable[[Any], str]) -> str | None:
    """The time for the document; a wrong `LUUTRU_CLOCK` is reported by the work itself."""
    from pipeline.errors import Problem

    try:
        return rfc3339(now())
    except Problem:
        return None


@contextlib.contextmanager
def _signals(got: list[int]) -> Iterator[None]:
    """A first SIGINT or SIGTERM finishes the current file, a second one stops at once."""
    from pipeline.errors import stopping

    def first(number: int, frame: FrameType | None) -> None:
        if got:
            os._exit(128 + number)
        got.append(number)
        stopping.set()
        note("Đang dừng sau tệp hiện tại; nhấn lần nữa để dừng ngay. · Stopping after this file; again to stop now.")

    previous = {number: signal.signal(number, first) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
