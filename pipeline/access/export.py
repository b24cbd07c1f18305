"""A stored version, byte for byte, out of the first copy that proves to be what was committed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.administration.archive import Archive
from pipeline.catalogue.holdings import Held, HeldCopy
from pipeline.errors import Problem, SystemProblem, UsageProblem
from pipeline.names import shown
from pipeline.storage.lines import Kind, exported
from pipeline.storage.stores import Store
from pipeline.storage.versions import Restored, restore, stored_tree

_OURS = frozenset({"SYS-EXPORT"})
"""Problems of the folder that is written to: another copy would not help."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A copy that was not good enough, or out of reach, and why."""

    store: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written: the package's own folder, number of files, bytes; from which copy, and those passed over."""

    path: Path
    files: int
    bytes: int
    aip: str
    version: int
    store: str
    skipped: tuple[Skipped, ...] = ()

    def as_item(self) -> dict[str, Any]:
        """The item of `export/1`."""
        return {
            "path": shown(bytes(self.path)), "files": self.files, "bytes": self.bytes, "aip": self.aip,
            "version": self.version, "store": self.store,
            "skipped": [
                {"store": one.store, "code": one.problem.code, "cause": str(one.problem)} for one in self.skipped
            ],
        }  # fmt: skip


def export(at_hand: Archive, aip: str, folder: Path, version: int | None = None) -> ExportReport:
    """Writes `folder/<root folder>/` from a verified copy; every file is digested on the way.

    The copy's inventory must be one that was committed. A damaged copy is passed over for the next one, and named.
    Nothing is overwritten and nothing incomplete is left behind.

    UsageProblem: no such AIP or version (USE-AIP-UNKNOWN, USE-VERSION-UNKNOWN), the folder's name is taken.
    SystemProblem: the folder cannot be written; no copy within reach is good (SYS-EXPORT-NO-COPY).
    """
    held = at_hand.find(aip)
    number = held.version if version is None else version
    if not 1 <= number <= held.version:
        known = f"v1…v{held.version}"
        raise UsageProblem("USE-VERSION-UNKNOWN", aip=held.urn, version=f"v{number}", known=known)
    reached = {store.id: store for store in at_hand.reach()}
    skipped = []
    for copy in _in_order(held, at_hand):
        store = reached.get(copy.store_id)
        try:
            if store is None:
                raise at_hand.absent.get(copy.store) or SystemProblem("SYS-STORE-ABSENT", store=copy.store, url="-")
            made = _from(at_hand, held, store, number, folder)
        except SystemProblem as problem:
            if problem.code in _OURS:
                raise
            skipped.append(Skipped(copy.store, problem))
            continue
        fields = exported(held.urn, number, copy.store, made.files, made.bytes, "stored")
        at_hand.catalogue.record(at_hand.journal.append(Kind.EXPORT, fields))
        return ExportReport(made.folder, made.files, made.bytes, held.urn, number, copy.store, tuple(skipped))
    causes = "; ".join(f"{one.store}: {one.problem}" for one in skipped) or "-"
    raise SystemProblem("SYS-EXPORT-NO-COPY", aip=held.urn, cause=causes)


def _in_order(held: Held, at_hand: Archive) -> list[HeldCopy]:
    """Verified copies in the order in which their stores were added; then those an audit found wrong."""
    rank = {setting.name: number for number, setting in enumerate(at_hand.household.stores)}
    there = [copy for copy in held.copies if copy.state != "waiting"]
    return sorted(there, key=lambda copy: (copy.state != "verified", rank.get(copy.store, len(rank)), copy.store))


def _from(at_hand: Archive, held: Held, store: Store, number: int, folder: Path) -> Restored:
    scratch = at_hand.space.root / "scratch"
    scratch.mkdir(exist_ok=True)
    try:
        tree = stored_tree(store, held.urn, number, scratch)
    except UsageProblem as problem:  # we know better: the copy was committed there
        raise SystemProblem("SYS-EXPORT-COPY", store=store.name, aip=held.urn, cause=problem) from problem
    versions = range(number, held.version + 1)
    if tree.inventory_sha256 not in {at_hand.catalogue.committed(held.urn, one) for one in versions}:
        cause = f"inventory {tree.inventory_sha256}"
        raise SystemProblem("SYS-EXPORT-COPY", store=store.name, aip=held.urn, cause=cause)
    return restore(tree, folder)
