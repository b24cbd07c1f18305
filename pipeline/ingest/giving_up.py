"""What was begun in the stores of a submission that is no more is removed: nobody could ever complete it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from filelock import FileLock

from pipeline.administration.archive import Archive, archive
from pipeline.errors import SystemProblem
from pipeline.ledger import Ledger
from pipeline.storage import intents
from pipeline.storage.lines import Kind, intent_abandoned
from pipeline.workspace import Workspace

FIRST = 1
"""The version that an ingest makes of a submission that is not held."""


def give_up(at_hand: Archive, urn: str, version: int, inventory_sha256: str) -> None:
    """Closes our open write of this version in every store at hand. The caller holds the lock of the AIP.

    A store that fails just now keeps it; nothing of it counts as stored.
    """
    for one in at_hand.stores.values():
        with contextlib.suppress(SystemProblem):
            held = intents.find(one, urn, version)
            if held is not None and held.inventory_sha256 == inventory_sha256:
                line = intent_abandoned(urn, version, one.name, one.id, "its submission changed")
                at_hand.journal.append(Kind.ABANDONED, line)
                intents.abandon(one, urn, version)


def give_up_work(space: Workspace, work: Path) -> None:
    """The same for an older work folder of a package that changed since, if its ingest came as far as the stores."""
    file = work / "ledger.sqlite"
    if not file.is_file():
        return
    with contextlib.closing(Ledger(file)) as ledger:
        aip, digest = ledger.fact("aip"), ledger.fact("inventory_sha256")
        submission = ledger.fact("submission_digest") or ""
    if aip is None or digest is None:
        return
    at_hand = archive(space)
    with FileLock(space.locks / f"aip-{aip}.lock"):
        at_hand.catalogue.catch_up()
        if at_hand.catalogue.by_submission(submission) is None:
            at_hand.reach()
            give_up(at_hand, f"urn:uuid:{aip}", FIRST, digest)
