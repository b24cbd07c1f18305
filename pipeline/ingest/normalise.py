"""Normalise: each file whose format is at risk gets a checked preservation copy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict

from pipeline.content.normalisation import Derivative, NotConverted, Rule, plan_for, wants_head
from pipeline.content.normalisation import normalise as convert
from pipeline.findings import level_of
from pipeline.ingest.session import Session, session
from pipeline.ingest.tokens import Ended, Inspected, Normalised
from pipeline.packages.registry import KINDS
from pipeline.records import Finding, Format, Level, PackagePath, Use, Verdict
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
    known = ledger.derivative(entry.path)
    if known is not None and ("at" not in known or (current.work / known["at"]).exists()):
        return
    with current.tree.open(entry.path) as source:
        head = source.read(_HEAD)
    rule = plan_for(found, head, current.request.profile.rules)
    if rule is None:
        return
    with current.tree.local(entry.path, current.scratch) as local:
        known_settings = settings(current.request.space)
        made = convert(local, entry.path, rule, current.scratch, sandbox=known_settings.sandbox,
                       workers=known_settings.workers)  # fmt: skip
    _keep(current, entry.path, _failure(made) if isinstance(made, NotConverted) else _success(current, made, rule))


def _success(current: Session, made: Derivative, rule: Rule) -> dict[str, object]:
    """Moves the derivative to its place, durable before the ledger speaks of it."""
    target = current.work / DERIVED / made.sha256
    handle = os.open(made.path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(made.path, target)
    sync_folder(target.parent)
    detail = f"rule={made.rule}; arguments={made.arguments}; verified={made.proved}"
    if made.sandbox:
        detail += f"; sandbox={made.sandbox}"
    return {
        "sha256": made.sha256, "size": str(made.size), "mime": made.format.mime, "at": f"{DERIVED}/{made.sha256}",
        "extension": f".{rule.extension}", "format": json.dumps(asdict(made.format)), "tool": made.tool,
        "tool_version": made.tool_version, "detail": detail, "when": rfc3339(now()),
    }  # fmt: skip


def _failure(made: NotConverted) -> dict[str, object]:
    finding = made.finding
    return {
        "failed": finding.code, "expected": finding.expected, "found": finding.found, "when": rfc3339(now()),
        "detail": f"rule={made.rule}" + ("" if made.attempted else "; not attempted"),
    }  # fmt: skip


def _keep(current: Session, source: PackagePath, value: dict[str, object]) -> None:
    current.ledger.derived(source, value)


def _findings(current: Session) -> Iterator[Finding]:
    """Files that a rule was about and that were not converted."""
    for source, value in current.ledger.derivatives():
        if "failed" in value:
            yield Finding(value["failed"], source, expected=value.get("expected"), found=value.get("found"))


def _ended(current: Session) -> Ended | None:
    """A verdict here only by a finding of this stage that the profile has made one."""
    profile = current.request.profile
    levels = {level_of(finding, profile) for finding in _findings(current)}
    if Level.ERROR in levels:
        return Ended(Verdict.REJECTED)
    return Ended(Verdict.WAITING, waiting_for="person") if Level.DECISION in levels else None
