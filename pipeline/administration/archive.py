"""The archive at hand: which of its stores can be reached, its journal, its catalogue."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.catalogue.holdings import Catalogue, Held
from pipeline.catalogue.rebuild import learn
from pipeline.errors import Problem, SystemProblem, UsageProblem
from pipeline.settings import Household, StoreSetting, ensure_archive
from pipeline.storage.journal import Journal, journal
from pipeline.storage.stores import Store, open_store
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.storage.versions import StoredTree


@dataclass(slots=True)
class Archive:
    """Open things of one data folder. Stores that cannot be reached are named with their problem, never left out."""

    space: Workspace
    household: Household
    journal: Journal
    catalogue: Catalogue
    stores: dict[str, Store] = field(default_factory=dict)
    absent: dict[str, SystemProblem] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The archive's namespace UUID."""
        if self.household.archive is None:
            raise AssertionError("an archive without an id was opened")
        return self.household.archive

    def reach(self) -> list[Store]:
        """The stores that answer now, in order of adding; absent ones are tried again."""
        for setting in self.household.stores:
            held = self.stores.get(setting.name)
            try:
                if held is None:
                    self.stores[setting.name] = _opened(self.space, setting, self.id)
                else:
                    held.check()
                self.absent.pop(setting.name, None)
            except SystemProblem as problem:
                self.absent[setting.name] = problem
                if held is not None:
                    held.close()
                    del self.stores[setting.name]
        return [self.stores[one.name] for one in self.household.stores if one.name in self.stores]

    def find(self, text: str) -> Held:
        """The AIP that a person names; in a catalogue that does not know it, after the stores' journals were read."""
        try:
            return self.catalogue.find(text)
        except UsageProblem as problem:
            stores = [store for store in self.reach() if not self.catalogue.has_read(store.id)]
            if problem.code != "USE-AIP-UNKNOWN" or not stores:
                raise
            learn(self.catalogue, stores)
            return self.catalogue.find(text)

    def close(self) -> None:
        for store in self.stores.values():
            store.close()
        self.stores.clear()
        self.catalogue.close()


_kept: dict[Path, Archive] = {}
_lock = threading.Lock()


def archive(space: Workspace) -> Archive:
    """The archive of a data folder, opened once per process; opened anew when stores were added meanwhile."""
    household = ensure_archive(space)
    with _lock:
        held = _kept.get(space.root)
        if held is not None and held.household == household:
            return held
        if held is not None:
            held.close()
        chain = journal(space)
        _kept[space.root] = Archive(space, household, chain, Catalogue(space, chain))
        return _kept[space.root]


def leave(space: Workspace) -> None:
    """Closes what is open of a data folder."""
    with _lock:
        held = _kept.pop(space.root, None)
    if held is not None:
        held.close()


@contextlib.contextmanager
def opened(space: Workspace) -> Iterator[Archive]:
    """The archive for the time of a command."""
    try:
        yield archive(space)
    finally:
        leave(space)


def close_journal(space: Workspace) -> list[Problem]:
    """Seals the day where it is due and puts all lines into every reachable store; the stores that must wait."""
    at_hand = archive(space)
    reached = at_hand.reach()
    problems: list[Problem] = list(at_hand.absent.values())
    if reached:
        at_hand.journal.seal_if_due(reached)
        problems += at_hand.journal.flush(reached).pending.values()
    return problems


def stored(at_hand: Archive, aip: str) -> tuple[Held, StoredTree]:
    """The AIP that a person names, and its newest version out of the first reachable store with a verified copy."""
    from pipeline.storage.versions import stored_tree

    held = at_hand.find(aip)
    verified = {copy.store for copy in held.copies if copy.state == "verified"}
    stores = [store for store in at_hand.reach() if store.name in verified]
    if not stores:
        raise next(iter(at_hand.absent.values()), SystemProblem("SYS-COPY-NONE", aip=held.urn))
    return held, stored_tree(stores[0], held.urn, held.version)


def _opened(space: Workspace, setting: StoreSetting, archive_id: str) -> Store:
    scratch = space.root / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    return open_store(setting, archive_id, scratch)
