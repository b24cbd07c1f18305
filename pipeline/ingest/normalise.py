"""Normalise: each file whose format is at risk gets a checked preservation copy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pipeline.content.normalisation import (
    Derivative,
    Kept,
    NotConverted,
    Outcome,
    Rule,
    plan_for,
    registry,
    rules,
    wants_head,
)
from pipeline.content.normalisation import normalise as convert
from pipeline.content.normalisation.fit import not_fit, scans
from pipeline.content.normalisation.rules import SCANNED
from pipeline.errors import SystemProblem
from pipeline.findings import level_of
from pipeline.ingest.deciding import GROWTH, ORIGINALS, decisions, settled, waits
from pipeline.ingest.session import Session, session, stopping
from pipeline.ingest.tokens import Ended, Inspected, Normalised
from pipeline.names import shown
from pipeline.packages.registry import KINDS
from pipeline.records import Derived, Finding, Format, Level, PackagePath, Use, Validity, Verdict
from pipeline.settings import settings
from pipeline.tools.soffice import Offices
from pipeline.tree import Entry
from pipeline.workspace import now, rfc3339, sync_folder

DERIVED = "derived"
"""Folder of the work folder that holds derivatives, each under its SHA-256."""

_HEAD = 16
_AT_ONCE = 500
_PINNED = "normalise.by"
_LOCKED = ("password protection", "all content")
"""Inhibitor of a file that opens with a password alone."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A file that is being worked on; `held` gives its local copy back."""

    path: PackagePath
    held: ExitStack


def normalise(token: Inspected) -> Normalised | Ended:
    """Derivatives lie verified in the work folder; a file whose rule failed keeps its original, with a finding.

    Files are worked on side by side, as many as the settings allow workers; one that is done is not done again, unless
    rules or programs are others than before: one ingest has one set. Ends where the profile makes a finding an error
    or a decision, as it is when the copies grow above what the rules allow.
    """
    current = session(token)
    ledger = current.ledger
    if ledger.begin("normalise", rfc3339(now())):
        (current.work / DERIVED).mkdir(exist_ok=True)
        answer = decisions(ledger).get(GROWTH)
        if answer is not None and answer.answer == ORIGINALS:
            ledger.forget_derivatives()
        elif token.profile.normalise:
            _pin(current)
            _all(current)
        ledger.find("normalise", _findings(current))
        ended = _ended(current)
        if ended is not None:
            return ended
        ledger.keep(**{"normalise.end": rfc3339(now())})
    return Normalised(token.space, token.profile, token.package, token.work, token.submission_digest, token.ingest)


def _pin(current: Session) -> None:
    """Notes rules, programs and their versions; derivatives made by others are forgotten, to be made again."""
    known = rules(current.request.profile.rules)
    formats = current.ledger.formats()
    programs = {
        program.name: program.version
        for rule in known.rules
        if not formats.keys().isdisjoint(rule.puids)
        for action in rule.actions
        for program in registry.needs(action)
    }
    pinned = json.dumps({"rules": known.digest, "programs": programs}, sort_keys=True)
    if current.ledger.fact(_PINNED) not in (None, pinned):
        current.ledger.forget_derivatives()
    current.ledger.keep(**{_PINNED: pinned})


def _all(current: Session) -> None:
    """Every candidate, a few at a time; each is committed when it is done, also where a person asked to stop."""
    known = settings(current.request.space)
    threads = known.workers or os.cpu_count() or 1
    begun: dict[Future[Outcome], _Begun] = {}
    try:
        # the offices end after the threads that started them, and serve this package alone
        with (
            Offices(current.scratch / "office", known.sandbox) as offices,
            ThreadPoolExecutor(threads, "normalise") as executor,
        ):
            for entry, rule in _ruled(current, known.workers):
                if stopping.is_set():
                    break
                held = ExitStack()
                with _still_there(current, entry.path):
                    local = held.enter_context(current.tree.local(entry.path, current.scratch))
                marks = _marks(current, entry.path)
                future = executor.submit(convert, local, entry.path, rule, current.scratch, sandbox=known.sandbox,
                                         workers=known.workers, marks=marks, offices=offices)  # fmt: skip
                begun[future] = _Begun(entry.path, held)
                while len(begun) > threads:
                    _finish(current, begun)
            while begun:
                _finish(current, begun)
    finally:
        for one in begun.values():
            one.held.close()
    current.check_stop()


def _finish(current: Session, begun: dict[Future[Outcome], _Begun]) -> None:
    """Commits what is done, after waiting for one."""
    for future in wait(begun, return_when=FIRST_COMPLETED).done:
        one = begun.pop(future)
        with one.held:
            current.ledger.derived(one.path, _lines(current, future.result()))


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


def _ruled(current: Session, workers: int) -> Iterator[tuple[Entry, Rule]]:
    """Files that have something to be done to them, with their rules."""
    files = (one for one in _candidates(current) if not _done(current, one[0]))
    name = current.request.profile.rules
    while batch := list(islice(files, _AT_ONCE)):
        pages = scans(current.tree, batch, name, workers=workers, scratch=current.scratch)
        current.ledger.mark((path, SCANNED, "pictures of pages without text") for path in sorted(pages))
        ruled = [(entry, rule) for entry, found in batch if (rule := _rule(current, entry, found))]
        yield from not_fit(current.tree, ruled, workers=workers, scratch=current.scratch)


def _done(current: Session, entry: Entry) -> bool:
    """Whether a file was worked on before, and what came of it is there."""
    known = current.ledger.derivatives_of(entry.path)
    return bool(known) and all(not line.made or (current.work / line.at).exists() for line in known)


def _rule(current: Session, entry: Entry, found: Format) -> Rule | None:
    """The rule for a file."""
    with _still_there(current, entry.path), current.tree.open(entry.path) as source:
        head = source.read(_HEAD)
    return plan_for(found, head, current.request.profile.rules, marks=_marks(current, entry.path))


@contextmanager
def _still_there(current: Session, path: PackagePath) -> Iterator[None]:
    """SystemProblem for a file that was there when the package was checked and is gone."""
    try:
        yield
    except KeyError:
        package = shown(bytes(current.request.package))
        raise SystemProblem("SYS-CHANGED", file=package, path=shown(path)) from None


def _marks(current: Session, path: PackagePath) -> tuple[str, ...]:
    """What rules may ask about a file: marks that were kept for it, and what its examination told."""
    marks = set(current.ledger.marks(path))
    one = current.ledger.examination(path)
    if one is not None:
        told = dict(one.characteristics.properties)
        marks |= {"signed"} if told.get("signatures", "0") != "0" else set()
        marks |= {"encrypted"} if _LOCKED in one.characteristics.inhibitors else set()
        marks |= {"damaged"} if one.validity is Validity.INVALID else set()
    return tuple(sorted(marks))


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
    """As `_told_of_all`, with what a person has answered."""
    return settled(_told_of_all(current), decisions(current.ledger), current.request.profile)


def _told_of_all(current: Session) -> Iterator[Finding]:
    """What the rules say about files that were not converted, or not without a word, and about all copies together."""
    answer = decisions(current.ledger).get(GROWTH)
    copies = (answer.most or 0) if answer is not None and answer.answer == ORIGINALS else 0
    for source, line in current.ledger.derivatives():
        copies += line.size
        if line.code:
            yield Finding(line.code, source, expected=line.expected, found=line.found)
    known = rules(current.request.profile.rules)
    _, size = current.ledger.totals()
    most = max(known.small, round(known.growth * size))
    if copies > most:
        yield Finding("FMT-GROWTH", expected=str(most), found=str(copies))


def _ended(current: Session) -> Ended | None:
    """A verdict here only by a finding of this stage that the profile has made one."""
    profile = current.request.profile
    levels = {level_of(finding, profile) for finding in _findings(current)}
    if Level.ERROR in levels:
        return Ended(Verdict.REJECTED)
    if Level.DECISION in levels:
        waits(current.ledger, _findings(current), profile)
        return Ended(Verdict.WAITING, waiting_for="person")
    return None
