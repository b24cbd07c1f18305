"""Normalise: each file whose format is at risk gets a checked preservation copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

from pipeline.content.normalisation import Derivative, Kept, NotConverted, Outcome, plan_for, wants_head
from pipeline.content.normalisation import normalise as convert
from pipeline.findings import level_of
from pipeline.ingest.session import Session, session
from pipeline.ingest.tokens import Ended, Inspected, Normalised
from pipeline.packages.registry import KINDS
from pipeline.records import Derived, Finding, Format, Level, Use, Verdict
from pipeline.settings import settings
from pipeline.tree import Entry
from pipeline.workspace import now, rfc3339, sync_folder

DERIVED = "derived"
"""Folder of the work folder that holds derivatives, each under its SHA-256."""

_HEAD = 16


def normalise(token: Inspected) -> Normalised | Ended:
    """Derivatives lie verified in the work folder; a file whose rule failed keeps its original, with a finding.

    Files that are done already are not done again. Ends only where the profile makes such a finding an error or
    a decision.
    """
    current = session(token)
    ledger = current.ledger
    if ledger.begin("normalise", rfc3339(now())):
        (current.work / DERIVED).mkdir(exist_ok=True)
        if token.profile.normalise:
            for entry, found in _candidates(current):
                _one(current, entry, found)
                current.check_stop()
        ledger.find("normalise", _findings(current))
        ended = _ended(current)
        if ended is not None:
            return ended
        ledger.keep(**{"normalise.end": rfc3339(now())})
    return Normalised(token.space, token.profile, token.package, token.work, token.submission_digest, token.ingest)


def _candidates(current: Session) -> Iterator[tuple[Entry, Format]]:
    """Data files whose format some rule is about, in raw-byte order; progress counts all files."""
    place = KINDS[current.ledger.fact("kind") or "folder"].place
    files, size = current.ledger.totals()
    done = read = 0
    for entry, _, found, _mime in current.ledger.known():
        done, read = done + 1, read + entry.size
        if found is not None and wants_head(found, current.request.profile.rules) and place(entry.path).use is Use.DATA:
            yield entry, found
        current.progress("normalise", done, files, read, size)


def _one(current: Session, entry: Entry, found: Format) -> None:
    ledger = current.ledger
    known = ledger.derivatives_of(entry.path)
    if known and all(not line.made or (current.work / line.at).exists() for line in known):
        return
    marks = ledger.marks(entry.path)
    with current.tree.open(entry.path) as source:
        head = source.read(_HEAD)
    rule = plan_for(found, head, current.request.profile.rules, marks=marks)
    if rule is None:
        return
    with current.tree.local(entry.path, current.scratch) as local:
        known_settings = settings(current.request.space)
        outcome = convert(local, entry.path, rule, current.scratch, sandbox=known_settings.sandbox,
                          workers=known_settings.workers, marks=marks)  # fmt: skip
    ledger.derived(entry.path, _lines(current, outcome))


def _lines(current: Session, outcome: Outcome) -> list[Derived]:
    """The outcome as the ledger keeps it; derivatives have moved to their place when this returns."""
    when = now()
    if isinstance(outcome, NotConverted):
        detail = f"rule={outcome.rule}" + ("" if outcome.attempted else "; not attempted")
        return [_told(outcome.finding, outcome.rule, when, detail, "")]
    findings = [
        _told(finding, outcome.rule, when, "", f"finding.{number}") for number, finding in enumerate(outcome.findings)
    ]
    if isinstance(outcome, Kept):
        return [Derived("", when, outcome.rule, "", kept=outcome.reason), *findings]
    return [*(_success(current, made, outcome.rule, when) for made in outcome.derivatives), *findings]


def _told(finding: Finding, rule: str, when: datetime, detail: str, result: str) -> Derived:
    return Derived(result, when, rule, detail, code=finding.code, expected=finding.expected, found=finding.found)


def _success(current: Session, made: Derivative, rule: str, when: datetime) -> Derived:
    """Moves the derivative to its place, durable before the ledger speaks of it."""
    target = current.work / DERIVED / made.sha256
    handle = os.open(made.path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(made.path, target)
    sync_folder(target.parent)
    detail = [f"rule={rule}", f"result={made.result}", f"arguments={made.arguments}", f"verified={made.proved}"]
    detail += [f"sandbox={made.sandbox}"] if made.sandbox else []
    return Derived(
        made.result, when, rule, "; ".join([*detail, *made.notes]), sha256=made.sha256, size=made.size,
        mime=made.format.mime, format=made.format, at=f"{DERIVED}/{made.sha256}", extension=f".{made.extension}",
        programs=made.programs, main=made.main,
    )  # fmt: skip


def _findings(current: Session) -> Iterator[Finding]:
    """What the rules say about files that were not converted, or not without a word."""
    for source, line in current.ledger.derivatives():
        if line.code:
            yield Finding(line.code, source, expected=line.expected, found=line.found)


def _ended(current: Session) -> Ended | None:
    """A verdict here only by a finding of this stage that the profile has made one."""
    profile = current.request.profile
    levels = {level_of(finding, profile) for finding in _findings(current)}
    if Level.ERROR in levels:
        return Ended(Verdict.REJECTED)
    return Ended(Verdict.WAITING, waiting_for="person") if Level.DECISION in levels else None
