"""Tries every copy that any AIP waits for."""

from __future__ import annotations

import contextlib

from filelock import FileLock, Timeout

from pipeline.administration.archive import Archive
from pipeline.administration.filling import fill_waiting


def fill_all(at_hand: Archive) -> tuple[set[str], set[str]]:
    """The AIPs (URN) that waited for a copy, and those that wait still. Each copy is made from a verified one.

    An AIP that another process works on is left to it. Nothing is raised for a store that is away.
    """
    at_hand.catalogue.catch_up()
    waited = _waiting(at_hand)
    reached = {one.name for one in at_hand.reach()} if waited else set()
    scratch = at_hand.space.root / "scratch"
    scratch.mkdir(exist_ok=True)
    for urn in sorted(urn for urn, stores in waited.items() if stores & reached):
        lock = FileLock(at_hand.space.locks / f"aip-{urn.removeprefix('urn:uuid:')}.lock")
        with contextlib.suppress(Timeout), lock.acquire(timeout=0):
            fill_waiting(at_hand, at_hand.catalogue.find(urn), 0, scratch)
    return set(waited), set(_waiting(at_hand))


def _waiting(at_hand: Archive) -> dict[str, set[str]]:
    """Names of the stores that each AIP waits for."""
    found: dict[str, set[str]] = {}
    for copy in at_hand.catalogue.copies():
        if copy.state == "waiting":
            found.setdefault(copy.aip, set()).add(copy.store)
    return found
