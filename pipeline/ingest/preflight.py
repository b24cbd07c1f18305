"""Before the first byte: stores enough, writable, with room."""

from __future__ import annotations

import shutil
import traceback

from pipeline.administration.archive import Archive, archive
from pipeline.catalogue.rebuild import learn
from pipeline.content.identification import inforce
from pipeline.errors import Problem, SystemProblem, UsageProblem
from pipeline.settings import Profile, household, settings
from pipeline.storage import intents
from pipeline.storage.lines import Kind, settings_changed
from pipeline.storage.stores import Store, StoreAbsent
from pipeline.workspace import Workspace, now, write_json

LEAST_FREE = 64 * 1024**2
"""Bytes that the data folder needs free at least."""


def preflight(space: Workspace, profile: Profile) -> Archive:
    """The archive, once it is sure that an ingest can begin. UsageProblem or SystemProblem before any work."""
    if profile.makes is None:
        raise UsageProblem("USE-PROFILE-MAKES", profile=profile.name)
    stores = household(space).stores
    if not stores:
        raise UsageProblem("USE-NEEDS-STORE")
    if len(stores) < profile.copies:
        raise UsageProblem("USE-COPIES", profile=profile.name, copies=profile.copies, stores=len(stores))
    room(space.root.name, shutil.disk_usage(space.root).free, LEAST_FREE)
    if settings(space).trust_roots:
        from pipeline.content.signatures import trust

        trust.read(settings(space).trust_roots, space.settings_file.parent)
    if settings(space).jhove:
        from pipeline.tools import jhove

        jhove.needed()
    at_hand = archive(space)
    reached = at_hand.reach()
    writable = [store for store in reached if _writable(at_hand, store)]
    for problem in at_hand.absent.values():
        # A store that is away comes back by itself, and copies wait for it. What needs a person is said at once.
        if not writable or not isinstance(problem, StoreAbsent):
            raise problem
    learn(at_hand.catalogue, writable)
    at_hand.journal.check(writable)
    close_finished(at_hand, writable)
    _settings_in_force(at_hand, profile, writable)
    signatures_in_force(at_hand, writable)
    return at_hand


def close_finished(at_hand: Archive, stores: list[Store]) -> None:
    """Removes intents whose version stands in the journal: their writer was killed on its last steps."""
    for store in stores:
        for intent in intents.still_open(store):
            if _committed(at_hand, intent.urn, intent.version) == intent.inventory_sha256:
                intents.close(store, intent.urn, intent.version)


def _committed(at_hand: Archive, urn: str, version: int) -> str | None:
    """Inventory digest of the newest version that the journal knows, if it is this one."""
    try:
        held = at_hand.catalogue.find(urn)
    except UsageProblem:
        return None
    return held.inventory_digest if held.version == version else None


def room(where: str, free: int, needed: int) -> None:
    """SystemProblem when there is not enough space."""
    if free < needed:
        raise SystemProblem("SYS-SPACE", where=where, needed=needed, free=free)


def crash_report(space: Workspace, bug: BaseException) -> Problem:
    """Writes the traceback of a fault of ours to a file and names it."""
    stamp = now().strftime("%Y%m%dT%H%M%SZ")
    text = "".join(traceback.format_exception(bug))
    try:
        space.crashes.mkdir(exist_ok=True)
        number = sum(1 for _ in space.crashes.iterdir())
        file = space.crashes / f"{stamp}-{number:04}.txt"
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
        where = str(file)
    except OSError:
        where = text
    return SystemProblem("SYS-BUG", cause=f"{type(bug).__name__}: {bug}", file=where)


def _writable(at_hand: Archive, store: Store) -> bool:
    """One small document is written and removed; a store that refuses counts as absent."""
    key = f"settings/write-test-{at_hand.household.writer}"
    try:
        store.replace(key, b"luutru\n")
        store.delete(key)
    except SystemProblem as problem:
        at_hand.absent[store.name] = problem
        at_hand.stores.pop(store.name, None)
        store.close()
        return False
    return True


def _settings_in_force(at_hand: Archive, profile: Profile, stores: list[Store]) -> None:
    """The effective profile lies in every store under its digest; a change of it is a journal line."""
    key = f"settings/{profile.digest}"
    for store in stores:
        if store.head(key) is None:
            store.replace(key, profile.canonical())
    _noted(at_hand, profile.name, f"profile {profile.name}", profile.digest)


def signatures_in_force(at_hand: Archive, stores: list[Store]) -> None:
    """Signatures of formats that were taken in lie in every store under their digest; a change is a journal line."""
    held = inforce.sets(at_hand.space)
    for engine in inforce.ENDINGS:
        current = held.current(engine)
        if current is not None:
            key = f"settings/{current.sha256}"
            for store in stores:
                if store.head(key) is None:
                    store.replace(key, at_hand.space.signatures / current.file)
            _noted(at_hand, f"signatures {engine}", f"signatures {engine} {current.version}", current.sha256)


def _noted(at_hand: Archive, name: str, what: str, digest: str) -> None:
    """A journal line where the settings of this name are not those of the last one."""
    note = at_hand.space.root / "in-force.json"
    known: dict[str, str] = {}
    if note.exists():
        import json

        known = json.loads(note.read_bytes())
    if known.get(name) != digest:
        at_hand.journal.append(Kind.SETTINGS, settings_changed(what, digest))
        write_json(note, {**known, name: digest})
