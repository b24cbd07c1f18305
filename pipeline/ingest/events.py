"""The PREMIS events and agents of an ingest, grouped from the ledger's facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline import VERSION
from pipeline.content.normalisation.made import CHANGED
from pipeline.ingest import deciding, examine, signing
from pipeline.ingest.session import Session
from pipeline.names import raw, shown
from pipeline.records import Agent, Agreement, Derived, Event, FileRow, Link, Outcome, Use
from pipeline.settings import settings
from pipeline.tools import jhove

LINKS = 500
"""Most files one event links; more make further events of the same type."""

_LUUTRU = (("luutru", "executing program"),)


def agents(current: Session) -> Iterator[Agent]:
    """Our software, the engine and tools that were used, the organisation where the settings name one."""
    yield Agent("luutru", "luutru", "software", VERSION)
    seen = set()
    for _, _, found, _ in current.ledger.known():
        for one in (found, found.second if found else None):
            if one is not None and one.engine not in seen:
                seen.add(one.engine)
                yield Agent(one.engine, one.engine, "software", one.engine_version, one.signature_version)
    for name, agent in examine.agents(current).items():
        if name not in seen:
            seen.add(name)
            yield agent
    for agent in signing.agents(current):
        seen.add(agent.key)
        yield agent
    for _, line in current.ledger.derivatives():
        for name, version in line.programs:
            if name not in seen:
                seen.add(name)
                yield Agent(name, name, "software", version)
    yield from deciding.agents(current.ledger)
    organisation = settings(current.request.space).organisation
    if organisation:
        yield Agent("organisation", organisation, "organization")


def events(current: Session) -> Iterator[Event]:
    """What happened up to describing, in groups: an event linked to a representation is true for each of its
    files unless a file is linked by another event of the same type."""
    ledger = current.ledger
    ours = json.loads(ledger.fact("made_representations") or "[]")
    representations = [row.name for row in ledger.representations() if row.name not in ours]
    received = [Link("representation", name) for name in representations] or [Link("package", "")]
    started, read_from, read_to = (_when(current, key) for key in ("receive.begin", "check.begin", "check.end"))
    implementer = (("organisation", "implementer"),) if settings(current.request.space).organisation else ()
    carrier = ledger.fact("carrier") or "folder"
    carried = f"carrier={carrier}; name={shown(current.tree.name)}"
    if digest := ledger.fact("carrier_sha256"):
        carried += f"; sha256={digest}"
    package = (Link("package", ""),)
    yield Event("ingestion start", "ingestion start", started, started, f"luutru {VERSION}", Outcome.SUCCESS, "",
                _LUUTRU + implementer, package)  # fmt: skip
    yield Event("transfer", "transfer", started, started, carried, Outcome.SUCCESS, "", _LUUTRU, package)
    if carrier not in ("folder", "stored"):
        yield Event("unpacking", "unpacking", read_from, read_to, carried, Outcome.SUCCESS, "", _LUUTRU, package)
    profile = current.request.profile
    policy = f"profile={profile.name}; sha256={profile.digest}; kept as documentation/luutru/profile.json"
    yield Event("policy assignment", "policy assignment", started, started, policy, Outcome.SUCCESS, "", _LUUTRU,
                package)  # fmt: skip
    yield Event("message digest calculation", "message digest calculation", read_from, read_to, "algorithm=SHA-256",
                Outcome.SUCCESS, "", _LUUTRU, tuple(received))  # fmt: skip
    kind = ledger.fact("kind_shown") or ""
    codes = ", ".join(ledger.finding_codes())
    outcome = Outcome.WARNING if codes else Outcome.SUCCESS
    judged = f"kind={kind}; submission={ledger.fact('submission_digest')}"
    yield Event("validation", "validation", read_from, read_to, judged, outcome, codes, _LUUTRU, package)  # fmt: skip
    if algorithms := ledger.fact("manifests"):
        compared = f"manifests of the submission; algorithms={algorithms}"
        yield Event("fixity check", "fixity check", read_from, read_to, compared, Outcome.SUCCESS, "", _LUUTRU,
                    package)  # fmt: skip
    examiners = _programs(["luutru", *(one for one in examine.agents(current) if one != jhove.NAME)])
    for name in representations:
        yield from _identification(current, name)
        yield from examine.events(current, name, examiners)
        yield from examine.seconds(current, name)
        yield from signing.events(current, name)
        yield from _renamed(current, name)
        yield from _failed(current, name)
    yield from _normalisation(current, ours)
    yield from deciding.events(ledger)
    described = _when(current, "describe.begin")
    made = tuple(Link("representation", row.name, "outcome") for row in ledger.representations())
    yield Event("information package creation", "information package creation", described, described,
                f"made={profile.makes}; standard=E-ARK AIP 2.2.0", Outcome.SUCCESS, "", _LUUTRU,
                (Link("package", "", "outcome"), *made))  # fmt: skip


def _identification(current: Session, representation: str) -> Iterator[Event]:
    """One event for the representation, further ones for files that nothing matched or that carry a warning."""
    start, end = _when(current, "check.begin"), _when(current, "check.end")
    files = current.ledger.files(Use.DATA, representation)
    open_groups: dict[tuple[str, str], list[FileRow]] = {}
    numbers: dict[tuple[str, str], int] = {}
    engines: dict[str, str] = {}
    for row in files:
        for one in (row.format, row.format.second if row.format else None):
            if one is not None and row.size:
                engines.setdefault(one.engine, one.signature_version)
        if row.format is None:
            group = ("empty", "the file holds no byte")
        elif row.format.puid is None:
            group = ("unknown", row.format.warning or "nothing matched")
        elif row.format.warning:
            group = (
                "engines differ" if row.format.agreement == Agreement.DIFFER else "warning",
                row.format.warning,
            )
        elif row.format.agreement == Agreement.SINGLE and row.format.second is not None:
            group = ("one engine", f"{row.format.engine} alone names {row.format.puid}")
        else:
            continue
        waiting = open_groups.setdefault(group, [])
        waiting.append(row)
        if len(waiting) >= LINKS:
            yield _group(representation, group, waiting, numbers, start, end)
            waiting.clear()
        if len(open_groups) > 200:
            for key, rows in open_groups.items():
                if rows:
                    yield _group(representation, key, rows, numbers, start, end)
            open_groups.clear()
    for key, rows in open_groups.items():
        if rows:
            yield _group(representation, key, rows, numbers, start, end)
    told = "; ".join(f"engine={name}; signatures={known or 'none'}" for name, known in sorted(engines.items()))
    yield Event(f"format identification/{representation}", "format identification", start, end,
                told or "engine=none; signatures=none", Outcome.SUCCESS, "", _programs(engines),
                (Link("representation", representation),))  # fmt: skip


def _programs(engines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "executing program") for name in sorted(engines)) or _LUUTRU


def _group(
    representation: str, group: tuple[str, str], rows: list[FileRow], numbers: dict[tuple[str, str], int],
    start: datetime, end: datetime,
) -> Event:  # fmt: skip
    what, note = group
    numbers[group] = numbers.get(group, 0) + 1
    first = rows[0]
    engines = {one.engine for row in rows if row.format for one in (row.format, row.format.second) if one}
    return Event(
        f"format identification/{representation}/{what}/{first.sha256[:16]}/{shown(first.path)}",
        "format identification", start, end, f"result={what}", Outcome.WARNING, note,
        _programs(engines),
        tuple(Link("file", row.path) for row in rows),
    )  # fmt: skip


def _renamed(current: Session, representation: str) -> Iterator[Event]:
    """One event per file whose name had to be made portable; the raw bytes are in originalName."""
    when = _when(current, "describe.begin")
    for row in current.ledger.files(Use.DATA, representation):
        if row.original_name is not None and row.path.rpartition(b"/")[2] != row.original_name.rpartition(b"/")[2]:
            old = raw(row.original_name) or shown(row.original_name)
            yield Event(f"filename change/{shown(row.path)}", "filename change", when, when,
                        f"from={old}; to={shown(row.path)}", Outcome.SUCCESS, "", _LUUTRU,
                        (Link("file", row.path),))  # fmt: skip


def normalization(source: FileRow, line: Derived) -> str:
    """Key of the event that made a derivative."""
    return f"normalization/{shown(source.path)}/{line.result}"


def _normalisation(current: Session, ours: list[str]) -> Iterator[Event]:
    """One event per derivative: source in, outcome out."""
    ledger = current.ledger
    for representation in ledger.representations():
        if representation.name not in ours:
            continue
        for row in ledger.files(Use.DATA, representation.name):
            source = ledger.file_at(row.derived_from) if row.derived_from else None
            if source is None or source.original_name is None:
                continue
            for line in ledger.derivatives_of(source.original_name):
                if line.made and normalization(source, line) == row.derived_by:
                    note = CHANGED if CHANGED in line.detail else ""
                    yield Event(row.derived_by, "normalization", line.when, line.when, line.detail, Outcome.SUCCESS,
                                note, _programs([name for name, _ in line.programs]),
                                (Link("file", source.path), Link("file", row.path, "outcome")))  # fmt: skip


def _failed(current: Session, representation: str) -> Iterator[Event]:
    """One event per file whose rule did not keep its promise, or not all of it."""
    for row in current.ledger.files(Use.DATA, representation):
        for line in current.ledger.derivatives_of(row.original_name) if row.original_name is not None else ():
            if line.code and not line.result:
                yield Event(f"normalization/failed/{shown(row.path)}", "normalization", line.when, line.when,
                            line.detail, Outcome.FAIL, line.code, _LUUTRU, (Link("file", row.path),))  # fmt: skip


def _when(current: Session, key: str) -> datetime:
    value = current.ledger.fact(key) or current.ledger.fact("receive.begin")
    assert value is not None
    return datetime.fromisoformat(value)
