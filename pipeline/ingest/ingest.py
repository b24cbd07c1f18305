"""The order of an ingest, which stands here and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from pipeline.errors import Interrupted, Problem, SystemProblem, of_the_system
from pipeline.findings import as_json, problem_json
from pipeline.ingest.check import check
from pipeline.ingest.describe import describe
from pipeline.ingest.inspect import inspect
from pipeline.ingest.item import Item
from pipeline.ingest.normalise import normalise
from pipeline.ingest.preflight import crash_report
from pipeline.ingest.receive import receive
from pipeline.ingest.seal import seal
from pipeline.ingest.session import Progress, Session, claimed, discard, quiet
from pipeline.ingest.signing import outcomes_of
from pipeline.ingest.store import complete, store
from pipeline.ingest.tokens import Claimed, Ended, Request, Stored
from pipeline.names import shown
from pipeline.records import CopyRow, Verdict

T = TypeVar("T")


class Run(Protocol):
    """How a stage is run: called as it is, or as a Prefect task. Which stages run is not its business."""

    def __call__(self, stage: Callable[..., T], *args: Any) -> T: ...


def call(stage: Callable[..., T], *args: Any) -> T:
    """Runs a stage here and now."""
    return stage(*args)


STALE = ("SYS-CHANGED", "SYS-SOURCE-CHANGED")
"""The submission is not what the ledger says any more: going on from that ledger would never end."""


def ingest(request: Request, run: Run = call, progress: Progress = quiet) -> Item:
    """The whole way of one package: a verdict, or the problem that kept us from one. Never raises but `Interrupted`.

    May be killed anywhere: the same request again goes on where it stood.
    """
    started = time.monotonic()
    shown_path = shown(bytes(request.package))
    try:
        with claimed(request, progress) as current:
            try:
                end = _stages(request, current, run)
            except SystemProblem as problem:
                if problem.code in STALE:
                    discard(current)
                raise
            item = _item(request, current, end, started)
            if not (isinstance(end, Ended) and end.waiting_for == "person"):
                discard(current)
            return item
    except Problem as problem:
        told = {**problem_json(problem), "exit": problem.exit_code}
        return Item(shown_path, request.profile.name, None, seconds=_since(started), problem=told)
    except (Interrupted, KeyboardInterrupt):
        raise
    except Exception as bug:
        system = of_the_system(bug)
        known = system or crash_report(request.space, bug)
        told = {**problem_json(known), "exit": system.exit_code if system else 70}
        return Item(shown_path, request.profile.name, None, seconds=_since(started), problem=told)


def _stages(request: Request, current: Session, run: Run) -> Stored | Ended:
    claim = Claimed(request.space, request.profile, request.package, current.work, request.kind)
    received = run(receive, claim)
    if isinstance(received, Ended):
        return received
    checked = run(check, received)
    if isinstance(checked, Ended):
        return run(complete, received, checked) if checked.verdict is Verdict.ALREADY else checked
    inspected = run(inspect, checked)
    if isinstance(inspected, Ended):
        return inspected
    normalised = run(normalise, inspected)
    if isinstance(normalised, Ended):
        return normalised
    described = run(describe, normalised)
    sealed = run(seal, described)
    return run(store, sealed)


def _item(request: Request, current: Session, end: Stored | Ended, started: float) -> Item:
    ledger = current.ledger
    files, size = ledger.totals()
    verdict = end.verdict if isinstance(end, Ended) else Verdict.ACCEPTED
    findings = tuple(as_json(finding, request.profile) for finding in ledger.findings())
    return Item(
        path=shown(bytes(request.package)),
        profile=request.profile.name,
        verdict=verdict,
        kind=ledger.fact("kind_shown"),
        ingest=ledger.fact("ingest"),
        submission_digest=ledger.fact("submission_digest"),
        aip=f"urn:uuid:{end.aip}" if end.aip else None,
        version=f"v{end.version}" if end.version else None,
        files=files,
        bytes=size,
        seconds=_since(started),
        formats=ledger.formats(),
        signatures=outcomes_of(ledger),
        copies=tuple(copy_json(copy) for copy in end.copies),
        waiting_for=end.waiting_for if isinstance(end, Ended) else None,
        findings=findings,
    )


def copy_json(copy: CopyRow) -> dict[str, Any]:
    """A copy in the contract's shape."""
    evidence = str(copy.evidence) if copy.evidence else None
    return {"store": copy.store, "state": str(copy.state), "evidence": evidence}


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
