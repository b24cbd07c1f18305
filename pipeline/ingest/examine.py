"""Examine: what each data file is technically, and whether it is whole; the first half of the stage `inspect`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from pipeline.content.characterisation import (
    Examined,
    Subjected,
    concerns,
    examine_all,
    libraries,
    missing,
    utf8_of,
    versions,
)
from pipeline.ingest.session import Session
from pipeline.names import shown
from pipeline.packages.registry import KINDS
from pipeline.records import Agent, Event, Examination, FileRow, Finding, Link, Outcome, PackagePath, Use, Validity
from pipeline.settings import settings
from pipeline.tools import jhove

EXAMINING = "examining"
"""Findings of examinations: kept for good, for a file is not examined twice."""

BATCH = 100
LINKS = 500
_PINNED = "examine.by"
_ASKED = "examine.asked"
_OPEN_GROUPS = 200
_HEARD = {
    "valid": Outcome.SUCCESS,
    "well-formed": Outcome.SUCCESS,
    "failed": Outcome.FAIL,
    "not checked": Outcome.WARNING,
}
_OUTCOMES = {Validity.VALID: Outcome.SUCCESS, Validity.INVALID: Outcome.FAIL, Validity.NOT_CHECKED: Outcome.WARNING}


def examine(current: Session) -> None:
    """All data files that are not examined yet, committed batch by batch."""
    ledger = current.ledger
    known = settings(current.request.space)
    if known.jhove:
        jhove.needed()
    pin(current)
    files, size = ledger.totals()
    done = read = 0
    batch: list[Examined] = []
    for one in examine_all(current.tree, _subjects(current), workers=known.workers, scratch=current.scratch,
                           sandbox=known.sandbox, second=known.jhove):  # fmt: skip
        batch.append(one)
        done, read = done + 1, read + one.entry.size
        if len(batch) >= BATCH:
            _keep(current, batch)
            current.progress("inspect", done, files, read, size)
            current.check_stop()
    _keep(current, batch)


def pin(current: Session) -> None:
    """Pins libraries, and programs once a file asks for them.

    When one has another version than before, all files are examined again, so that an AIP tells of one set.
    """
    ledger = current.ledger
    asked = _asked(current)
    now = _versions(current, asked)
    before = ledger.fact(_PINNED)
    if before is not None and json.loads(before) != now:
        ledger.forget_examinations(EXAMINING)
    ledger.keep(**{_PINNED: json.dumps(now)})


def _asked(current: Session) -> list[str]:
    """Programs that files examined so far asked for, whether they are here or not."""
    asked: list[str] = json.loads(current.ledger.fact(_ASKED) or "[]")
    return asked


def _versions(current: Session, asked: list[str]) -> dict[str, str]:
    known = settings(current.request.space)
    second = [jhove.NAME] if known.jhove else []
    return {**libraries(), **versions([*second, *(name for name in asked if name != jhove.NAME)], known.sandbox)}


def findings(current: Session) -> Iterator[Finding]:
    """What lacked to examine the files of this package."""
    yield from missing(settings(current.request.space).sandbox, _asked(current))


def _subjects(current: Session) -> Iterator[Subjected]:
    ledger = current.ledger
    place = KINDS[ledger.fact("kind") or "folder"].place
    for entry, found, looked in ledger.unexamined():
        if place(entry.path).use is Use.DATA:
            text = found is not None and found.match == "text"
            yield Subjected(entry, found, utf8_of(found, text and ledger.found("FMT-TEXT-8BIT", entry.path)), looked)


def _keep(current: Session, batch: list[Examined]) -> None:
    """Findings first: a file that counts as examined is not looked at again."""
    ledger = current.ledger
    before = _asked(current)
    asked = sorted({*before, *(name for one in batch for name in one.asked)})
    if asked != before:
        ledger.keep(**{_ASKED: json.dumps(asked), _PINNED: json.dumps(_versions(current, asked))})
    ledger.find(EXAMINING, (finding for one in batch for finding in one.findings))
    ledger.mark(mark for one in batch for mark in _marks(one))
    ledger.examined((one.entry.path, _row(one)) for one in batch)
    batch.clear()


def _row(one: Examined) -> Examination:
    return Examination(one.family, one.validity, one.checked, one.characteristics, one.raw)


def _marks(one: Examined) -> Iterator[tuple[PackagePath, str, str]]:
    """What rules of normalisation may ask for."""
    path = one.entry.path
    if one.validity is Validity.INVALID:
        yield path, "damaged", one.checked
    if any(finding.code == "VAL-ENCRYPTED" for finding in one.findings):
        yield path, "encrypted", one.checked
    signatures = dict(one.characteristics.properties).get("signatures")
    if signatures:
        yield path, "signed", f"{signatures} signatures, not verified"


def agents(current: Session) -> dict[str, Agent]:
    """Libraries and programs that had a part in it, by name."""
    known: dict[str, str] = json.loads(current.ledger.fact(_PINNED) or "{}")
    asked, families = _asked(current), current.ledger.families()
    used = sorted(name for name in known if name in asked or concerns(name, families))
    return {name: Agent(name, name, "software", known[name]) for name in used}


def events(current: Session, representation: str, who: tuple[tuple[str, str], ...]) -> Iterator[Event]:
    """One event for the extraction of properties; per outcome and reason one for the files it holds for.

    The most frequent outcome is linked to the representation: it is true of every file that no other one names.
    """
    ledger = current.ledger
    start, end = (datetime.fromisoformat(ledger.fact(key) or "") for key in ("check.begin", "inspect.end"))
    counts = Counter((validity, checked) for _, _, validity, checked in ledger.outcomes(representation))
    if not counts:
        return
    by = [f"{agent.name} {agent.version}" for agent in agents(current).values() if agent.name != jhove.NAME]
    told = "; ".join(by) or "luutru"
    yield Event(f"metadata extraction/{representation}", "metadata extraction", start, end, f"by={told}",
                Outcome.SUCCESS, "", who, (Link("representation", representation),))  # fmt: skip
    most = min(counts, key=lambda group: (-counts[group], group))
    links = (Link("representation", representation),)
    yield Event(f"validation/{representation}/format", "validation", start, end, f"result={most[0]}",
                _OUTCOMES[most[0]], most[1], who, links)  # fmt: skip
    waiting: dict[tuple[Validity, str], list[tuple[PackagePath, str]]] = {}
    for path, sha256, validity, checked in ledger.outcomes(representation):
        group = (validity, checked)
        if group == most:
            continue
        rows = waiting.setdefault(group, [])
        rows.append((path, sha256))
        if len(rows) == LINKS or len(waiting) > _OPEN_GROUPS:
            for key in [group] if len(rows) == LINKS else list(waiting):
                if waiting[key]:
                    yield _group(representation, key, waiting.pop(key), start, end, who)
    for key, rows in waiting.items():
        yield _group(representation, key, rows, start, end, who)


def seconds(current: Session, representation: str) -> Iterator[Event]:
    """What JHOVE said, where it was asked: events of its own by outcome and reason, linked to the files in question."""
    version = json.loads(current.ledger.fact(_PINNED) or "{}").get(jhove.NAME)
    if not version or jhove.NAME not in _asked(current):
        return
    start, end = (datetime.fromisoformat(current.ledger.fact(key) or "") for key in ("check.begin", "inspect.end"))
    waiting: dict[tuple[str, str], list[FileRow]] = {}
    for row in current.ledger.files(Use.DATA, representation):
        one = current.ledger.examination(row.original_name) if row.original_name is not None else None
        said = dict(one.characteristics.properties).get("JHOVE check") if one is not None else None
        if said is None:
            continue
        outcome, _, words = said.partition(": ")
        rows = waiting.setdefault((outcome, words), [])
        rows.append(row)
        if len(rows) == LINKS or len(waiting) > _OPEN_GROUPS:
            for key in [(outcome, words)] if len(rows) == LINKS else list(waiting):
                yield _second(representation, key, waiting.pop(key), version, start, end)
    for key, rows in waiting.items():
        yield _second(representation, key, rows, version, start, end)


def _second(
    representation: str, group: tuple[str, str], rows: list[FileRow], version: str, start: datetime, end: datetime
) -> Event:
    outcome, words = group
    return Event(
        f"validation/{representation}/jhove {outcome}/{rows[0].sha256[:16]}/{shown(rows[0].path)}", "validation", start,
        end, f"judge={jhove.NAME} {version}; result={outcome}", _HEARD[outcome], words,
        ((jhove.NAME, "executing program"),), tuple(Link("file", row.path) for row in rows),
    )  # fmt: skip


def _group(
    representation: str, group: tuple[Validity, str], rows: list[tuple[PackagePath, str]], start: datetime,
    end: datetime, who: tuple[tuple[str, str], ...],
) -> Event:  # fmt: skip
    validity, checked = group
    path, sha256 = rows[0]
    return Event(
        f"validation/{representation}/{validity}/{sha256[:16]}/{shown(path)}", "validation", start,
        end, f"result={validity}", _OUTCOMES[validity], checked, who, tuple(Link("file", one) for one, _ in rows),
    )  # fmt: skip
