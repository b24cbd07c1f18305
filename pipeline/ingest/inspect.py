"""Inspect: what files are and whether they are whole, then the second gate, where all findings count together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain

from pipeline.content.identification import format_findings
from pipeline.content.normalisation import ruled_differently
from pipeline.findings import level_of
from pipeline.ingest.deciding import decisions, open_questions, settled, waits
from pipeline.ingest.examine import examine
from pipeline.ingest.examine import findings as lacking
from pipeline.ingest.session import Session, session
from pipeline.ingest.signing import findings as judged
from pipeline.ingest.signing import verify
from pipeline.ingest.tokens import Checked, Ended, Inspected
from pipeline.packages.registry import KINDS
from pipeline.records import Finding, Level, PackagePath, Use, Verdict
from pipeline.workspace import now, rfc3339

_HEAD = 16


def inspect(token: Checked) -> Inspected | Ended:
    """Second gate: a finding of level error rejects, one of level decision waits for a person."""
    current = session(token)
    ledger = current.ledger
    if ledger.begin("inspect", rfc3339(now())):
        examine(current)
        verify(current)
        known = decisions(ledger)
        found = chain(_findings(current), lacking(current), judged(current))
        ledger.find("inspect", settled(found, known, token.profile))
        weights = [finding for finding, _ in ledger.finding_weights()]
        if Level.ERROR in {level_of(finding, token.profile) for finding in weights}:
            return Ended(Verdict.REJECTED)
        if open_questions(weights, known, token.profile):
            waits(ledger, settled(weights, known, token.profile), token.profile)
            return Ended(Verdict.WAITING, waiting_for="person")
        ledger.keep(**{"inspect.end": rfc3339(now())})
    return Inspected(token.space, token.profile, token.package, token.work, token.submission_digest, token.ingest)


def _findings(current: Session) -> Iterator[Finding]:
    """Findings of identification of data files: extension mismatch, nothing matched, engines that differ or miss.

    Tag files and metadata are read by their kind, whatever an engine makes of them.
    """
    profile = current.request.profile
    place = KINDS[current.ledger.fact("kind") or "folder"].place
    for entry, _, found, _mime in current.ledger.known():
        if place(entry.path).use is Use.DATA:
            for finding in format_findings(entry.path, entry.size, found):
                if finding.code == "FMT-DIFFER" and profile.normalise:
                    differs = ruled_differently(found, partial(_head, current, entry.path), profile.rules)
                    finding = replace(finding, code="FMT-DIFFER-RULE") if differs else finding
                yield finding


def _head(current: Session, path: PackagePath) -> bytes:
    with current.tree.open(path) as source:
        return source.read(_HEAD)
