"""What runs, waits, is out of reach and is overdue, at this moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from filelock import FileLock, Timeout

from pipeline.administration.archive import Archive
from pipeline.ledger import Ledger
from pipeline.names import shown
from pipeline.settings import settings
from pipeline.workspace import Workspace

DAY = 86_400


def status(at_hand: Archive) -> Iterator[dict[str, Any]]:
    """Items of `status/1`: `what` is running, unfinished, waiting-person, waiting-copy, store or overdue."""
    yield from _work(at_hand.space)
    for copy in at_hand.catalogue.copies():
        if copy.state == "waiting":
            yield {"what": "waiting-copy", "name": copy.aip, "state": "waiting", "detail": copy.store}
        elif copy.state != "verified":
            yield {"what": "copy", "name": copy.aip, "state": copy.state, "detail": copy.store}
    at_hand.reach()
    for setting in at_hand.household.stores:
        problem = at_hand.absent.get(setting.name)
        state = "reached" if problem is None else "absent"
        yield {"what": "store", "name": setting.name, "state": state, "detail": problem.code if problem else ""}
    limit = time.time() - settings(at_hand.space).audit_days * DAY
    overdue = sum(1 for copy in at_hand.catalogue.copies() if (copy.audited or copy.written) < limit)
    yield {"what": "overdue", "name": "audit", "state": str(overdue), "detail": ""}


def _work(space: Workspace) -> Iterator[dict[str, Any]]:
    """Packages in work: locked ones run, the others wait for a person or for the same command again."""
    for work in sorted(space.work.iterdir()):
        marker = work / "package"
        if not marker.is_file():
            continue
        name = shown(marker.read_bytes())
        lock = FileLock(space.locks / f"ingest-{work.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield {"what": "running", "name": name, "state": "running", "detail": ""}
            continue
        try:
            if (work / "ledger.sqlite").exists():
                ledger = Ledger(work / "ledger.sqlite")
                waits = ledger.fact("waiting_for")
                ledger.close()
                what = "waiting-person" if waits == "person" else "unfinished"
                yield {"what": what, "name": name, "state": what, "detail": ""}
        finally:
            lock.release()
