"""Receive: the package is opened safely, its kind told, its files listed."""

from __future__ import annotations

from itertools import islice

from pipeline.ingest.giving_up import give_up_work
from pipeline.ingest.session import session, sweep
from pipeline.ingest.tokens import Claimed, Ended, Received
from pipeline.packages.registry import accepted, recognise
from pipeline.packages.tt05.secrets import secret_descriptions
from pipeline.records import Finding, Verdict
from pipeline.workspace import now, rfc3339

BATCH = 1000


def receive(claim: Claimed) -> Received | Ended:
    """First gate: what cannot be opened safely, is marked secret, or is of no kind that the profile accepts, is
    rejected at once."""
    current = session(claim)
    ledger, profile = current.ledger, claim.profile
    token = Received(claim.space, profile, claim.package, claim.work)
    if not ledger.begin("receive", rfc3339(now())):
        return token
    sweep(current, give_up_work)
    ledger.find("receive", current.opened.findings)
    tree = current.opened.tree
    if tree is None:
        return Ended(Verdict.REJECTED)
    _, told = recognise(tree, claim.kind, profile.accepts)
    ledger.keep(kind=told.kind, kind_shown=told.shown, kind_reason=told.reason, carrier=tree.carrier)
    if current.opened.digest:
        ledger.keep(carrier_sha256=current.opened.digest)
    if secret := list(secret_descriptions(tree)):
        ledger.find("receive", secret)
        return Ended(Verdict.REJECTED)
    if not accepted(told.kind, profile.accepts):
        wanted = ", ".join(profile.accepts)
        ledger.find("receive", [Finding("PKG-KIND", expected=wanted, found=told.shown)])
        return Ended(Verdict.REJECTED)
    entries = tree.entries()
    files = 0
    while batch := list(islice(entries, BATCH)):
        current.check_stop()
        ledger.add_received(batch)
        files += sum(not entry.is_folder for entry in batch)
    if files == 0:
        ledger.find("receive", [Finding("PKG-EMPTY")])
        return Ended(Verdict.REJECTED)
    ledger.keep(**{"receive.end": rfc3339(now())})
    return token
