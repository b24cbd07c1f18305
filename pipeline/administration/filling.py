"""Makes the copies that an AIP still waits for, each from a verified one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.administration.archive import Archive
from pipeline.catalogue.holdings import Held, HeldCopy
from pipeline.errors import SystemProblem
from pipeline.records import CopyRow, CopyState, Evidence
from pipeline.settings import Profile
from pipeline.storage import copies
from pipeline.storage.lines import Kind, StoreCopy, copy_made
from pipeline.storage.stores import Store


def fill_waiting(at_hand: Archive, held: Held, wanted: int, scratch: Path) -> tuple[CopyRow, ...]:
    """Tries every copy that waits, and as many further stores as `wanted` copies need; the state of all copies after.

    A copy that cannot be made now keeps waiting; its row says why. Nothing is raised for a store that is away.
    """
    reached = {store.name: store for store in at_hand.reach()}
    known = {copy.store: copy for copy in held.copies}
    verified = [name for name, copy in known.items() if copy.state == "verified"]
    sources = [reached[name] for name in verified if name in reached]
    rows: list[CopyRow] = []
    made = len(verified)
    for setting in at_hand.household.stores:
        copy = known.get(setting.name)
        if copy is not None and copy.state != "waiting":
            rows.append(_row(copy))
        elif copy is not None or made < wanted:
            row = _fill(at_hand, held, sources, reached.get(setting.name), setting.name, scratch)
            made += row.state is CopyState.VERIFIED
            rows.append(row)
    return tuple(rows)


def enough(at_hand: Archive, rows: Iterable[CopyRow], profile: Profile) -> bool:
    """Whether the verified copies are as many, at as many sites, as the profile asks. No site told counts as one."""
    verified = {row.store for row in rows if row.state is CopyState.VERIFIED}
    stores = [one for one in at_hand.household.stores if one.name in verified]
    sites = {str(one.capabilities.get("site", "")) for one in stores}
    return len(stores) >= profile.copies and len(sites) >= profile.sites


def rows_of(at_hand: Archive, held: Held) -> tuple[CopyRow, ...]:
    """The copies of an AIP as they are known, in order of adding their stores; nothing is tried."""
    known = {copy.store: copy for copy in held.copies}
    return tuple(_row(known[one.name]) for one in at_hand.household.stores if one.name in known)


def _fill(
    at_hand: Archive, held: Held, sources: list[Store], target: Store | None, name: str, scratch: Path
) -> CopyRow:
    if target is None:
        problem = at_hand.absent.get(name)
        return CopyRow(name, CopyState.ABSENT, None, problem.code if problem else "")
    last = CopyRow(name, CopyState.MISSING, None, "SYS-COPY-SOURCE")
    for source in sources:
        try:
            row = copies.fill(source, target, held.urn, expected=held.inventory_digest, scratch=scratch)
        except SystemProblem as problem:
            last = CopyRow(name, CopyState.MISSING, None, problem.code)
            continue
        if row.state is CopyState.VERIFIED:
            evidence = str(row.evidence or Evidence.READ)
            copy = StoreCopy(name, target.id, evidence=evidence, inventory_digest=held.inventory_digest)
            line = at_hand.journal.append(Kind.COPY_MADE, copy_made(held.urn, held.version, copy, source.name))
            at_hand.catalogue.record(line)
            copies.close(held.urn, held.version, [target])
            return row
        last = row
    return last


def _row(copy: HeldCopy) -> CopyRow:
    states = {"verified": CopyState.VERIFIED, "waiting": CopyState.ABSENT}
    state = states.get(copy.state, CopyState.MISSING)
    return CopyRow(copy.store, state, Evidence(copy.evidence) if copy.evidence else None)
