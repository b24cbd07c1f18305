"""A person's answer to what an ingest waits for: kept in its ledger, so that the same request goes on with it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline.errors import UsageProblem
from pipeline.findings import level_of
from pipeline.ledger import Ledger
from pipeline.names import shown
from pipeline.records import Agent, Event, Finding, Level, Link, Outcome
from pipeline.settings import Profile
from pipeline.workspace import Workspace, now

GROWTH = "FMT-GROWTH"
"""The one question that has two answers: to keep the preservation copies, or the originals alone."""

ACCEPT, ORIGINALS = "accept", "originals"
WAITS, ANSWERED = "waiting_for", "answered"
"""Fact of a ledger whose ingest ended with a question: `person`, then `answered`."""

_PREFIX = "decision."


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to findings of one code: `accept` or `originals`, by whom (a name), why (may be empty), when.

    `most` is the number that was accepted, where the finding tells one: more than that is a new question.
    """

    code: str
    answer: str
    by: str
    why: str
    when: datetime
    most: int | None = None

    def as_item(self, package: Path) -> dict[str, Any]:
        """The item of `decide/1`."""
        return {
            "path": shown(os.fsencode(package)), "code": self.code, "answer": self.answer, "by": self.by,
            "why": self.why, "time": self.when.isoformat(), "found": self.most,
        }  # fmt: skip


def decisions(ledger: Ledger) -> dict[str, Decision]:
    """What was decided in this ingest, by code."""
    found = json.loads(ledger.fact("decisions") or "[]")
    return {one["code"]: Decision(**{**one, "when": datetime.fromisoformat(one["when"])}) for one in found}


def settled(findings: Iterable[Finding], known: dict[str, Decision], profile: Profile) -> Iterator[Finding]:
    """Findings as they are, but what somebody has answered is a warning now."""
    for finding in findings:
        told = known.get(finding.code)
        if told is not None and level_of(finding, profile) is Level.DECISION and _covers(told, finding):
            yield replace(finding, level=Level.WARNING)
        else:
            yield finding


def open_questions(findings: Iterable[Finding], known: dict[str, Decision], profile: Profile) -> bool:
    """Whether something is left that a person has to decide."""
    return any(level_of(one, profile) is Level.DECISION for one in settled(findings, known, profile))


def decide(space: Workspace, package: Path, answer: str, by: str, why: str) -> list[Decision]:
    """Answers everything that the ingest of this package waits for; kept whole or not at all. Another answer may be
    given until the ingest has gone on.

    UsageProblem USE-DECIDE-NOTHING when no ingest of it waits for a person, USE-DECIDE-ANSWER when `originals` is
    answered to another question than that for growth, USE-DECIDE-WHO for an empty name.
    """
    if not by.strip():
        raise UsageProblem("USE-DECIDE-WHO")
    made: list[Decision] = []
    for work in _works(space, package):
        with FileLock(space.locks / f"ingest-{work.name}.lock"):
            if not (work / "ledger.sqlite").is_file():
                continue
            with contextlib.closing(Ledger(work / "ledger.sqlite")) as ledger:
                if ledger.fact(WAITS) in ("person", ANSWERED) and ledger.fact("describe.begin") is None:
                    made += _answered(ledger, answer, " ".join(by.split()), " ".join(why.split()))
    if not made:
        raise UsageProblem("USE-DECIDE-NOTHING", path=shown(os.fsencode(package)))
    return made


def agents(ledger: Ledger) -> Iterator[Agent]:
    """The people who decided, by name."""
    for name in sorted({one.by for one in decisions(ledger).values()}):
        yield Agent(_who(name), name, "person")


def events(ledger: Ledger) -> Iterator[Event]:
    """One event for each answer: an appraisal, with the person who gave it."""
    for code, one in sorted(decisions(ledger).items()):
        detail = f"question={code}; answer={one.answer}" + (f"; found={one.most}" if one.most is not None else "")
        yield Event(
            f"decision/{code}", "appraisal", one.when, one.when, detail, Outcome.SUCCESS, one.why,
            ((_who(one.by), "authorizer"),), (Link("package", ""),),
        )  # fmt: skip


def _who(name: str) -> str:
    return f"person/{name}"


def _covers(told: Decision, finding: Finding) -> bool:
    return told.most is None or not (finding.found or "").isdecimal() or int(finding.found or "0") <= told.most


def _answered(ledger: Ledger, answer: str, by: str, why: str) -> list[Decision]:
    """Decisions for the codes that wait; one commit."""
    asked = json.loads(ledger.fact("questions") or "{}")
    if answer == ORIGINALS and set(asked) - {GROWTH}:
        raise UsageProblem("USE-DECIDE-ANSWER", codes=", ".join(sorted(set(asked) - {GROWTH})))
    when = now()
    new = {code: Decision(code, answer, by, why, when, most) for code, most in asked.items()}
    known = {**decisions(ledger), **new}
    kept = [{**asdict(one), "when": one.when.isoformat()} for _, one in sorted(known.items())]
    ledger.firmly(decisions=json.dumps(kept, ensure_ascii=False), **{WAITS: ANSWERED})
    return list(new.values())


def waits(ledger: Ledger, findings: Iterable[Finding], profile: Profile) -> None:
    """Notes what the ingest asks, when it ends with a question."""
    asked: dict[str, int | None] = {}
    for one in findings:
        if level_of(one, profile) is Level.DECISION:
            asked[one.code] = int(one.found or "0") if one.code == GROWTH else None
    ledger.keep(questions=json.dumps(asked), **{WAITS: "person"})


def _works(space: Workspace, package: Path) -> Iterator[Path]:
    """Work folders of unfinished ingests of this package."""
    wanted = os.path.abspath(os.fsencode(package))
    for work in sorted(space.work.iterdir()):
        marker = work / "package"
        if marker.is_file() and os.path.abspath(marker.read_bytes()) == wanted:
            yield work
