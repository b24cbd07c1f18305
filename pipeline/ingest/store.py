"""Store: every copy is written and read back, then the journal says so."""

from __future__ import annotations

import shutil
from collections import Counter

from filelock import FileLock

from pipeline.administration.archive import Archive, archive
from pipeline.administration.filling import enough, fill_waiting, rows_of
from pipeline.catalogue.holdings import Held
from pipeline.errors import SystemProblem
from pipeline.findings import level_of
from pipeline.ingest.giving_up import give_up
from pipeline.ingest.preflight import room
from pipeline.ingest.sealed import SealedPlan
from pipeline.ingest.session import Session, session
from pipeline.ingest.tokens import Ended, Received, Sealed, Stored
from pipeline.names import shown
from pipeline.plan import Plan
from pipeline.records import Agreement, CopyRow, CopyState, Verdict
from pipeline.settings import Profile
from pipeline.storage import copies, intents
from pipeline.storage.layouts.ocfl import Diverged
from pipeline.storage.lines import Commit, Kind, StoreCopy, intent_abandoned
from pipeline.storage.stores import Store
from pipeline.storage.stores.file import folder_of
from pipeline.workspace import now, rfc3339


def store(token: Sealed) -> Stored | Ended:
    """Accepted once as many copies as the profile asks for were read back and the journal's line is on the disk.

    Fewer copies: `waiting`, for the copy; it is made later from a verified one, not from the submission.
    """
    current = session(token)
    current.ledger.begin("store", rfc3339(now()))
    at_hand = archive(token.space)
    plan: Plan = SealedPlan(current, token.aip, token.version, token.inventory_sha256)
    with FileLock(token.space.locks / f"aip-{token.aip}.lock"):
        held = _held(current, at_hand, plan)
        if held.inventory_digest in (plan.inventory_sha256, current.ledger.fact("committed")):
            copies.close(held.urn, held.version, at_hand.reach())
            return _verdict(token, held, at_hand)
    return _already(at_hand, held, token.profile, current)


def _held(current: Session, at_hand: Archive, plan: Plan) -> Held:
    """The AIP as the journal has it: written and committed here and now, unless it is there already."""
    at_hand.catalogue.catch_up()
    submission = current.ledger.fact("submission_digest") or ""
    held = at_hand.catalogue.by_submission(submission)
    if held is not None:
        return held
    stores = at_hand.reach()
    if not stores:
        raise next(iter(at_hand.absent.values()))
    enough_room(current, stores)
    try:
        written, rows = _write(current, at_hand, plan, stores)
    except Diverged:
        return _learnt(at_hand, stores, current)
    except SystemProblem as problem:
        if problem.code == "SYS-SOURCE-CHANGED":
            give_up(at_hand, plan.urn, plan.version, plan.inventory_sha256)
        raise
    current.ledger.firmly(committed=written.inventory_sha256)  # an adopted write has another than the sealed
    commit(current, at_hand, written, rows)
    held = at_hand.catalogue.by_submission(submission)
    assert held is not None
    return held


def complete(token: Received, end: Ended) -> Ended:
    """A submission that is held already: copies that are still missing are made; `already archived` or `waiting`."""
    current = session(token)
    at_hand = archive(token.space)
    held = at_hand.catalogue.find(end.aip or "")
    return _already(at_hand, held, token.profile, current)


def enough_room(current: Session, stores: list[Store]) -> None:
    """SystemProblem before the first byte when a store's disk cannot hold the version."""
    needed = sum(size for _, size, *_ in current.ledger.contents())
    for one in stores:
        if one.setting.url.startswith("file:"):
            room(one.name, shutil.disk_usage(folder_of(one.setting.url)).free, needed + 2**20)


def _write(current: Session, at_hand: Archive, plan: Plan, stores: list[Store]) -> tuple[Plan, list[CopyRow]]:
    """Writes the copies; completes somebody's open write of the same version where that is possible."""
    files = size = 0
    for _, length, *_ in current.ledger.contents():
        files, size = files + 1, size + length
    done = {"store": [0, 0], "verify": [0, 0]}

    def progress(step: str, length: int, ended: int, /) -> None:
        count = done[step]
        count[0] += ended
        count[1] += length
        current.progress(step, count[0], files, count[1], size)
        current.check_stop()

    try:
        return plan, copies.write(plan, stores, scratch=current.scratch, progress=progress)
    except intents.OtherIntent:
        pass
    for one in stores:
        other = intents.find(one, plan.urn, plan.version)
        if other is None or other.inventory_sha256 == plan.inventory_sha256:
            continue
        adopted = intents.adopt(one, other, plan, current.scratch)
        if adopted is not None:
            return adopted, copies.write(adopted, stores, scratch=current.scratch, progress=progress)
        line = intent_abandoned(plan.urn, plan.version, one.name, one.id, "its bytes cannot be made again")
        at_hand.journal.append(Kind.ABANDONED, line)
        intents.abandon(one, plan.urn, plan.version)
    return plan, copies.write(plan, stores, scratch=current.scratch, progress=progress)


def commit(current: Session, at_hand: Archive, plan: Plan, rows: list[CopyRow]) -> None:
    """The journal's line: from here the AIP is held. Durable on this machine when this returns."""
    ledger = current.ledger
    files, size = ledger.totals()
    stored = [length for _, length, *_ in ledger.contents()]
    by_name = {row.store: row for row in rows}
    places = []
    for setting in at_hand.household.stores:
        row = by_name.get(setting.name)
        one = at_hand.stores.get(setting.name)
        store_id = one.id if one is not None else str(setting.capabilities.get("store", ""))
        if row is not None and row.state is CopyState.VERIFIED:
            places.append(
                StoreCopy(setting.name, store_id, evidence=str(row.evidence), inventory_digest=plan.inventory_sha256)
            )
        else:
            places.append(StoreCopy(setting.name, store_id, state="waiting", evidence=None))
    levels: dict[str, int] = {}
    for finding, number in ledger.finding_weights():
        level = str(level_of(finding, current.request.profile))
        levels[level] = levels.get(level, 0) + number
    signatures, agreement = _opinions(current)
    line = Commit(
        aip=plan.urn,
        version=plan.version,
        ingest=ledger.fact("ingest") or "",
        submission_digest=ledger.fact("submission_digest") or "",
        payload_digest=ledger.fact("payload_digest") or "",
        inventory_digest=plan.inventory_sha256,
        label=shown((ledger.fact("label") or "").encode("utf-8", "surrogateescape")),
        kind=ledger.fact("kind_shown") or "",
        profile=current.request.profile.name,
        created=ledger.fact("receive.begin") or "",
        files=files,
        bytes=size,
        stores=tuple(places),
        root=f"uuid-{ledger.fact('aip')}",
        makes=current.request.profile.makes or "",
        profile_digest=current.request.profile.digest,
        carrier=ledger.fact("carrier") or "",
        carrier_name=shown(current.tree.name),
        carrier_digest=ledger.fact("carrier_sha256"),
        stored_files=len(stored),
        stored_bytes=sum(stored),
        formats=ledger.formats(),
        findings=levels,
        signatures=signatures,
        agreement=agreement,
        validity=ledger.validity(),
    )
    at_hand.catalogue.record(at_hand.journal.append(Kind.COMMIT, line.fields()))


def _opinions(current: Session) -> tuple[dict[str, str], Counter[str]]:
    """Versions of the signatures by engine, and how many files came to which agreement."""
    signatures: dict[str, str] = {}
    agreement: Counter[str] = Counter()
    for _, _, found, _ in current.ledger.known():
        if found is not None:
            agreement[found.agreement or str(Agreement.SINGLE if found.puid else Agreement.NONE)] += 1
            for one in (found, found.second):
                if one is not None and one.signature_version:
                    signatures.setdefault(one.engine, one.signature_version)
    return signatures, agreement


def _learnt(at_hand: Archive, stores: list[Store], current: Session) -> Held:
    """The object stands in a store, our catalogue does not know it: the stores' journals tell."""
    from pipeline.catalogue.rebuild import take_in

    digest = current.ledger.fact("submission_digest") or ""
    for one in stores:
        take_in(at_hand.catalogue, one)
        held = at_hand.catalogue.by_submission(digest)
        if held is not None:
            return held
    raise SystemProblem("SYS-STORE-UNKNOWN-OBJECT", aip=f"urn:uuid:{current.ledger.fact('aip')}")


def _already(at_hand: Archive, held: Held, profile: Profile, current: Session) -> Ended:
    with FileLock(at_hand.space.locks / f"aip-{held.uuid}.lock"):
        rows = fill_waiting(at_hand, held, profile.copies, current.scratch)
    if enough(at_hand, rows, profile):
        return Ended(Verdict.ALREADY, held.uuid, held.version, rows)
    return Ended(Verdict.WAITING, held.uuid, held.version, rows, "copy")


def _verdict(token: Sealed, held: Held, at_hand: Archive) -> Stored | Ended:
    rows = rows_of(at_hand, held)
    if enough(at_hand, rows, token.profile):
        return Stored(token.space, token.profile, token.package, token.work, held.uuid, held.version, rows)
    return Ended(Verdict.WAITING, held.uuid, held.version, rows, "copy")
