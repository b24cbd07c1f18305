"""Verify: digital signatures of data files, judged once at the moment of receipt; the end of the stage `inspect`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain

from pipeline.content.signatures import (
    Subject,
    Verified,
    form_of,
    may_sign,
    outcome,
    rules,
    subject,
    tools,
    trust,
    verify_all,
)
from pipeline.content.signatures import findings as of_signatures
from pipeline.ingest.session import Session
from pipeline.ledger import Ledger
from pipeline.names import shown
from pipeline.packages.registry import KINDS
from pipeline.records import Agent, Event, FileRow, Finding, Link, Outcome, PackagePath, Use
from pipeline.settings import settings
from pipeline.signatures import Integrity, Signature, Trust

LINKS = 500
_BY = "signing.by"
_OUTCOMES = "signing.outcomes"
_BATCH = 100
_OPEN_GROUPS = 200


def verify(current: Session) -> None:
    """Every data file that may be signed and is not judged yet by this trust and these libraries.

    Committed batch by batch. A package without signed files costs a look at what its examinations told. UsageProblem
    names a file of the settings that cannot be used.
    """
    ledger = current.ledger
    space = current.request.space
    known = settings(space)
    subjects = _subjects(current)
    first = next(subjects, None)
    if first is None:
        return
    trusted = trust.read(known.trust_roots, space.settings_file.parent)
    moment = datetime.fromisoformat(ledger.fact("receive.begin") or "")
    how = rules(trusted, moment)
    ledger.keep(**{_BY: json.dumps(tools())})
    waiting = (one for one in chain([first], subjects) if not _judged(current, one, how))
    batch: list[Verified] = []
    for one in verify_all(current.tree, waiting, trusted, moment, ledger.entry, workers=known.workers,
                          scratch=current.scratch):  # fmt: skip
        batch.append(one)
        if len(batch) >= _BATCH:
            _keep(current, batch)
            current.check_stop()
    _keep(current, batch)
    outcomes: Counter[str] = Counter()
    for each in _subjects(current):
        if signatures := _signatures(current, each.entry.path):
            outcomes[str(outcome(signatures))] += 1
    ledger.keep(**{_OUTCOMES: json.dumps(outcomes, sort_keys=True)})


def outcomes_of(ledger: Ledger) -> dict[str, int]:
    """Number of signed files per outcome (success, warning, fail); empty where there are none."""
    found: dict[str, int] = json.loads(ledger.fact(_OUTCOMES) or "{}")
    return found


def findings(current: Session) -> Iterator[Finding]:
    """What a person should know about signatures; once a package that they could be checked for integrity alone."""
    if current.ledger.fact(_BY) is None:
        return
    alone = 0
    for one in _subjects(current):
        signatures = _signatures(current, one.entry.path)
        yield from of_signatures(one.entry.path, signatures)
        alone += any(each.trust is Trust.NO_ROOTS for each in signatures)
    if alone:
        yield Finding("DSIG-NO-ROOTS", found=str(alone))


def _subjects(current: Session) -> Iterator[Subject]:
    """Data files that may be signed, in raw-byte order."""
    ledger = current.ledger
    place = KINDS[ledger.fact("kind") or "folder"].place
    for entry, _, found, _mime in ledger.known():
        # Most files are told apart by name and format alone: a package without signatures costs next to nothing.
        if not may_sign(entry.path, found) or place(entry.path).use is not Use.DATA:
            continue
        one = ledger.examination(entry.path)
        form = form_of(entry.path, found, one.family, one.characteristics) if one is not None else None
        if form is not None:
            yield subject(entry, *form, ledger.entry)


def _signatures(current: Session, path: PackagePath) -> tuple[Signature, ...]:
    one = current.ledger.examination(path)
    return one.characteristics.signatures if one is not None else ()


def _judged(current: Session, one: Subject, how: str) -> bool:
    """Whether a try before this one has come as far as this file."""
    found = _signatures(current, one.entry.path)
    return bool(found) and all(each.rules == how for each in found)


def _keep(current: Session, batch: list[Verified]) -> None:
    """Marks first: a file that counts as judged is not looked at again."""
    ledger = current.ledger
    ledger.mark(mark for one in batch for mark in _marks(one))
    rows = []
    for one in batch:
        known = ledger.examination(one.entry.path)
        if known is not None:
            whole = replace(known.characteristics, signatures=one.signatures)
            rows.append((one.entry.path, replace(known, characteristics=whole)))
    ledger.examined(rows)
    batch.clear()


def _marks(one: Verified) -> Iterator[tuple[PackagePath, str, str]]:
    """What rules of normalisation may ask for; a file with a detached signature is signed too."""
    if one.signatures:
        states = ", ".join(sorted({str(each.integrity) for each in one.signatures}))
        yield one.entry.path, "signed", f"{len(one.signatures)} signatures: {states}"
        if any(each.integrity is not Integrity.UNVERIFIABLE for each in one.signatures):
            for path in one.signs:
                yield path, "signed", f"detached signature {shown(one.entry.path)}"


def agents(current: Session) -> Iterator[Agent]:
    """The libraries that verified, where there was something to verify."""
    for name, version in json.loads(current.ledger.fact(_BY) or "{}").items():
        yield Agent(name, name, "software", version)


def events(current: Session, representation: str) -> Iterator[Event]:
    """One event for the files of one result: their signatures stand with the objects, the event says when and how."""
    ledger = current.ledger
    if ledger.fact(_BY) is None:
        return
    start, end = (datetime.fromisoformat(ledger.fact(key) or "") for key in ("inspect.begin", "inspect.end"))
    who = tuple((agent.key, "executing program") for agent in agents(current))
    waiting: dict[tuple[Outcome, str, str], list[FileRow]] = {}
    for row in ledger.files(Use.DATA, representation):
        signatures = row.characteristics.signatures
        if not signatures:
            continue
        group = (outcome(signatures), signatures[0].rules, _note(signatures))
        rows = waiting.setdefault(group, [])
        rows.append(row)
        if len(rows) == LINKS or len(waiting) > _OPEN_GROUPS:
            for key in [group] if len(rows) == LINKS else list(waiting):
                yield _event(current, representation, key, waiting.pop(key), start, end, who)
    for key, rows in waiting.items():
        yield _event(current, representation, key, rows, start, end, who)


def _note(signatures: tuple[Signature, ...]) -> str:
    """The three results of each signature, equal ones once."""
    told = dict.fromkeys(
        f"{one.form}: integrity={one.integrity}; trust={one.trust}; coverage={one.coverage}"
        + (f"; later={one.later.partition(':')[0]}" if one.later else "")
        for one in signatures
    )
    return " | ".join(told)


def _event(current: Session, representation: str, group: tuple[Outcome, str, str], rows: list[FileRow],
           start: datetime, end: datetime, who: tuple[tuple[str, str], ...]) -> Event:  # fmt: skip
    result, how, note = group
    links = [Link("file", path) for row in rows for path in (row.path, *_signed(current, row))]
    key = f"digital signature validation/{representation}/{rows[0].sha256[:16]}/{shown(rows[0].path)}"
    return Event(key, "digital signature validation", start, end, how, result, note, who, tuple(dict.fromkeys(links)))


def _signed(current: Session, row: FileRow) -> Iterator[PackagePath]:
    """The file that a detached signature is about."""
    ledger = current.ledger
    entry = ledger.entry(row.original_name) if row.original_name is not None else None
    if entry is None or not row.characteristics.signatures[0].form.endswith("detached"):
        return
    for _, other in subject(entry, "cms", 0, ledger.entry).beside:
        found = ledger.file_of(other.path)
        if found is not None:
            yield found.path
