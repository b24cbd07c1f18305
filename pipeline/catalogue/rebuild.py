"""The catalogue from one store alone, compared with the objects that lie there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.catalogue.holdings import Catalogue
from pipeline.errors import SystemProblem
from pipeline.records import Finding, PackagePath
from pipeline.storage.chains import StoreSource, all_lines
from pipeline.storage.stores import Store, StoreAbsent


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to. `findings` are of the journal (JRN-LINE) and of the store (HLD-…)."""

    store: str
    lines: int
    aips: int
    findings: tuple[Finding, ...]


def rebuild(catalogue: Catalogue, store: Store, *, compare: bool = True) -> Rebuilt:
    """Forgets all and takes in every line this store holds, then those of this data folder that are not there yet.

    A journal with damaged lines is read as far as it goes. `compare`: every object of the store is looked for in the
    lines, every copy of the lines in the store. Killed in between, the catalogue counts as fresh and is begun anew.
    """
    findings: list[Finding] = []
    catalogue.begin_rebuild()
    catalogue.catch_up()
    catalogue.apply(all_lines(StoreSource(store), findings.append), gaps=True)
    catalogue.end_reading(store.id)
    if compare:
        findings += _compared(catalogue, store)
    return Rebuilt(store.name, sum(catalogue.seen().values()), catalogue.count(), tuple(findings))


def take_in(catalogue: Catalogue, store: Store) -> int:
    """Lines of other writers that this store holds and the catalogue does not know yet; returns how many."""
    return catalogue.apply(all_lines(StoreSource(store), after=catalogue.seen()))


def learn(catalogue: Catalogue, stores: Iterable[Store]) -> None:
    """Reads the journal of every store that this catalogue has not read yet: a new data folder, an added store."""
    for store in stores:
        if not catalogue.has_read(store.id):
            catalogue.apply(all_lines(StoreSource(store), after=catalogue.seen()), gaps=True)
            catalogue.end_reading(store.id)


def _compared(catalogue: Catalogue, store: Store) -> list[Finding]:
    from pipeline.storage.versions import objects

    found = []
    there = set()
    try:
        for one in objects(store):
            where = PackagePath(f"{store.name}:{one.urn}".encode())
            there.add(one.urn)
            committed = catalogue.committed(one.urn, one.version)
            if committed is None:
                found.append(Finding("HLD-NO-COMMIT", where, None, None, f"v{one.version}"))
            elif committed != one.inventory_sha256:
                found.append(Finding("HLD-INVENTORY", where, None, committed, one.inventory_sha256))
    except StoreAbsent:
        raise
    except SystemProblem as problem:
        found.append(Finding("HLD-UNREADABLE", PackagePath(store.name.encode()), None, None, str(problem)))
        return found
    for copy in catalogue.copies():
        if copy.store_id == store.id and copy.state != "waiting" and copy.aip not in there:
            where = PackagePath(f"{store.name}:{copy.aip}".encode())
            found.append(Finding("HLD-NO-OBJECT", where, None, f"v{copy.version}", None))
    return found
