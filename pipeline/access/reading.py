"""Reading copies: made of an AIP's files when it is handed out, by the rules for access; the AIP has none of them."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.access.unfinished import Unfinished
from pipeline.content.normalisation import Converted, Derivative, Kept, Outcome, Rule, normalise, plan_for
from pipeline.content.normalisation.rules import ACCESS
from pipeline.findings import as_json
from pipeline.ledger import SUBMISSION, Ledger
from pipeline.names import portable, shown
from pipeline.records import Agent, Event, FileRow, Finding, Link, PackagePath, Representation, Use
from pipeline.records import Outcome as EventOutcome

SUPPLIED = b"/data/manualNormalization/access/"
"""Where copies for reading lie that the depositor made: what has one needs none of ours."""

_HEAD = 16
_AT_ONCE = 500
_LOCKED = ("password protection", "all content")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How reading copies are made: the set of rules, workers (0 = as many as cores), the sandbox."""

    rules: str = "default"
    workers: int = 0
    sandbox: str = "full"


@dataclass(frozen=True, slots=True)
class Copies:
    """What came of it: copies made, and what is to be said of files that have none though a rule is about them."""

    made: int
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """`access` of an item of `export/1`."""
        return {"made": self.made, "findings": [as_json(one) for one in self.findings]}


@dataclass(frozen=True, slots=True)
class _Task:
    """`row` is the file of the AIP, `source` what the copy is made of: itself, or its preservation copy."""

    row: FileRow
    source: FileRow
    rule: Rule


class _Agents:
    """Keys of programs, none of which may be that of another program or version."""

    def __init__(self, ledger: Ledger) -> None:
        self._known = {agent.key: agent for agent in ledger.agents()}
        self.new: dict[str, Agent] = {}

    def key(self, name: str, version: str) -> str:
        """The key of a program in this version."""
        for key in (name, f"{name} {version}"):
            there = self._known.get(key)
            if there is None or (there.name, there.version) == (name, version):
                if there is None:
                    self._known[key] = self.new[key] = Agent(key, name, "software", version)
                return key
        return name


def reading_copies(
    ledger: Ledger, into: Unfinished, when: datetime, wanted: Wanted, luutru: str, scratch: Path
) -> Copies:
    """Copies for reading of the files that `ledger` holds and that lie in `into.place`, in representations of their
    own (`NAME-access`), each with an event. A file is copied from itself, or from its preservation copy where a rule is
    about that one alone; a file that has a supplied copy gets none. What fails costs a finding. SystemProblem when
    the disk fails us.

    `luutru` is the key of our own agent.
    """
    threads = wanted.workers or os.cpu_count() or 1
    agents = _Agents(ledger)
    names = _representations(ledger)
    used: set[str] = set()
    made = 0
    findings: list[Finding] = []
    tasks = _tasks(ledger, into, wanted.rules)
    with ThreadPoolExecutor(threads, "reading") as executor:
        while batch := list(islice(tasks, _AT_ONCE)):
            rows: list[tuple[FileRow, str, bytes]] = []
            events: list[Event] = []
            for task, outcome in zip(batch, executor.map(lambda one: _made(one, into, wanted, scratch), batch),
                                     strict=True):  # fmt: skip
                if not isinstance(outcome, Converted):
                    if not isinstance(outcome, Kept):
                        findings.append(outcome.finding)
                    continue
                findings += outcome.findings
                for derivative in outcome.derivatives:
                    name = names[task.row.representation or ""]
                    row, event = _row(task, derivative, name, when, outcome.rule, agents, luutru)
                    into.put(row.path, lambda of=derivative: of.path.open("rb"), derivative.sha256)  # type: ignore[misc]
                    derivative.path.unlink()
                    rows.append((row, SUBMISSION, row.path))
                    events.append(event)
                    used.add(task.row.representation or "")
                    made += 1
            ledger.add_files(rows)
            ledger.add_events(events)
    ledger.add_representations(Representation(names[one], (), one) for one in sorted(used))
    ledger.add_agents(agents.new.values())
    return Copies(made, tuple(findings))


def _representations(ledger: Ledger) -> dict[str, str]:
    """The representation that holds the copies of another one, by its name; one that the package does not have."""
    taken = {row.name for row in ledger.representations()}
    found: dict[str, str] = {}
    for name in sorted(taken):
        number = 1
        while True:
            more = f"-{number}" if number > 1 else ""
            new = portable(PackagePath(f"{name}-access{more}".encode())).decode()
            if new not in taken:
                break
            number += 1
        found[name] = new
        taken.add(new)
    return found


def _tasks(ledger: Ledger, into: Unfinished, rules: str) -> Iterator[_Task]:
    """Files that came with the submission and that a rule for access is about, itself or by its preservation copy."""
    copies: dict[bytes, list[FileRow]] = defaultdict(list)
    supplied: set[bytes] = set()
    for row in ledger.files(Use.DATA):
        if row.derived_from is not None:
            copies[row.derived_from].append(row)
            if SUPPLIED in bytes(row.path):
                supplied.add(row.derived_from)
    for row in ledger.files(Use.DATA):
        if row.derived_from is not None or row.representation is None or row.path in supplied:
            continue
        for source in (row, *copies.get(row.path, ())):
            if (rule := _rule(source, into, rules)) is not None:
                yield _Task(row, source, rule)
                break


def _rule(row: FileRow, into: Unfinished, rules: str) -> Rule | None:
    if row.format is None or row.format.puid is None:
        return None
    with (into.place / os.fsdecode(row.path)).open("rb") as file:
        return plan_for(row.format, file.read(_HEAD), rules, purpose=ACCESS, marks=_marks(row))


def _marks(row: FileRow) -> set[str]:
    """What PREMIS says of the file that a rule may ask for."""
    told = dict(row.characteristics.properties)
    marks = {"signed"} if told.get("signatures", "0") != "0" else set()
    return marks | ({"encrypted"} if _LOCKED in row.characteristics.inhibitors else set())


def _made(task: _Task, into: Unfinished, wanted: Wanted, scratch: Path) -> Outcome:
    local = into.place / os.fsdecode(task.source.path)
    return normalise(local, task.row.path, task.rule, scratch, sandbox=wanted.sandbox, workers=wanted.workers,
                     marks=_marks(task.source))  # fmt: skip


def _row(
    task: _Task, made: Derivative, representation: str, when: datetime, rule: str, agents: _Agents, luutru: str
) -> tuple[FileRow, Event]:
    """The copy as a file of the package, beside its source under its source's name, and the event that made it."""
    here = f"representations/{task.row.representation}/".encode()
    there = f"representations/{representation}/".encode()
    path = portable(PackagePath(task.row.path.replace(here, there, 1) + f".{made.extension}".encode()))
    key = f"normalization/access/{shown(task.row.path)}/{made.result}"
    row = FileRow(
        path=path, size=made.size, sha256=made.sha256, use=Use.DATA, mime=made.format.mime, created=when,
        representation=representation, format=made.format, derived_from=task.source.path, derived_by=key,
    )  # fmt: skip
    detail = [f"purpose=access; rule={rule}", f"result={made.result}", f"arguments={made.arguments}",
              f"verified={made.proved}"]  # fmt: skip
    detail += [f"sandbox={made.sandbox}"] if made.sandbox else []
    who = tuple((agents.key(name, version), "executing program") for name, version in sorted(made.programs))
    event = Event(
        key, "normalization", when, when, "; ".join([*detail, *made.notes]), EventOutcome.SUCCESS, "",
        who or ((luutru, "executing program"),),
        (Link("file", task.source.path), Link("file", path, "outcome")),
    )  # fmt: skip
    return row, event
