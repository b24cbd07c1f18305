"""A stored version, byte for byte, out of the first copy that proves to be what was committed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.access.handing import Handed, Occasion, bag, dip, name_of
from pipeline.access.reading import Wanted
from pipeline.access.unfinished import Unfinished
from pipeline.administration.archive import Archive
from pipeline.catalogue.holdings import Held, HeldCopy
from pipeline.content.normalisation import rules
from pipeline.errors import Problem, SystemProblem, UsageProblem
from pipeline.names import shown
from pipeline.packages.bagit.compose import ALGORITHMS
from pipeline.packages.recognition import mets_kind
from pipeline.settings import settings
from pipeline.storage.lines import Kind, exported
from pipeline.storage.stores import Store
from pipeline.storage.versions import Restored, StoredTree, restore, stored_tree
from pipeline.workspace import now

_OURS = frozenset({"SYS-EXPORT", "SYS-EXPORT-INVALID", "SYS-EXPORT-JUDGE"})
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
    shape: str = "aip"
    made: Handed | None = None

    def as_item(self) -> dict[str, Any]:
        """The item of `export/1`."""
        return {
            "path": shown(bytes(self.path)), "files": self.files, "bytes": self.bytes, "aip": self.aip,
            "version": self.version, "store": self.store, "as": self.shape,
            "identifier": self.made.identifier if self.made else self.aip,
            "checks": [one.as_json() for one in self.made.checks] if self.made else [],
            "access": self.made.copies.as_json() if self.made and self.made.copies else None,
            "skipped": [
                {"store": one.store, "code": one.problem.code, "cause": str(one.problem)} for one in self.skipped
            ],
        }  # fmt: skip


def export(
    at_hand: Archive, aip: str, folder: Path, version: int | None = None, shape: str = "aip",
    access: str | None = None,
) -> ExportReport:  # fmt: skip
    """Writes `folder/<root folder>/` from a verified copy; every file is digested on the way.

    `shape` `eark-dip` or `bagit` writes a DIP or a bag that is made of it, judged before it gets its name; what a
    killed run has written is taken up. `access`: a DIP with reading copies by the rules of that name.

    The copy's inventory must be one that was committed. A damaged copy is passed over for the next one, and named.
    Nothing is overwritten and nothing incomplete is left behind.

    UsageProblem: no such AIP or version (USE-AIP-UNKNOWN, USE-VERSION-UNKNOWN), the folder's name is taken.
    USE-EXPORT-SHAPE: no DIP can be made of what is stored.
    SystemProblem: the folder cannot be written; no copy within reach is good (SYS-EXPORT-NO-COPY); what was written is
    not valid (SYS-EXPORT-INVALID) or could not be judged (SYS-EXPORT-JUDGE).
    """
    if access is not None and shape != "eark-dip":
        raise UsageProblem("USE-ARGUMENTS", cause="--access: --as eark-dip")
    wanted = None
    if access is not None:
        rules(access)  # what is wrong with a set of rules is said before anything is written
        house = settings(at_hand.space)
        wanted = Wanted(access, house.workers, house.sandbox)
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
            made, handed = _from(at_hand, held, store, number, folder, shape, wanted)
        except SystemProblem as problem:
            if problem.code in _OURS:
                raise
            skipped.append(Skipped(copy.store, problem))
            continue
        judged = (handed.identifier, [one.as_json() for one in handed.checks]) if handed else (None, [])
        carrier = "stored" if shape == "aip" else shape
        fields = exported(held.urn, number, copy.store, made.files, made.bytes, carrier, *judged)
        at_hand.catalogue.record(at_hand.journal.append(Kind.EXPORT, fields))
        return ExportReport(
            made.folder, made.files, made.bytes, held.urn, number, copy.store, tuple(skipped), shape, handed
        )
    causes = "; ".join(f"{one.store}: {one.problem}" for one in skipped) or "-"
    raise SystemProblem("SYS-EXPORT-NO-COPY", aip=held.urn, cause=causes)


def _in_order(held: Held, at_hand: Archive) -> list[HeldCopy]:
    """Verified copies in the order in which their stores were added; then those an audit found wrong."""
    rank = {setting.name: number for number, setting in enumerate(at_hand.household.stores)}
    there = [copy for copy in held.copies if copy.state != "waiting"]
    return sorted(there, key=lambda copy: (copy.state != "verified", rank.get(copy.store, len(rank)), copy.store))


def _from(
    at_hand: Archive, held: Held, store: Store, number: int, folder: Path, shape: str, wanted: Wanted | None
) -> tuple[Restored, Handed | None]:
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
    if shape == "aip":
        return restore(tree, folder), None
    return _handed(at_hand, held, tree, number, folder, shape, scratch, wanted)


def _handed(
    at_hand: Archive, held: Held, tree: StoredTree, number: int, folder: Path, shape: str, scratch: Path,
    wanted: Wanted | None,
) -> tuple[Restored, Handed]:  # fmt: skip
    """A DIP or a bag, whole under its name or not there at all."""
    told = at_hand.catalogue.show(held.urn)["history"]
    occasion = Occasion(held.uuid, number, now(), settings(at_hand.space).organisation, held.label, told)
    into = Unfinished(folder, name_of(shape, held.uuid, number, wanted is not None), ALGORITHMS)
    try:
        into.begin()
        if shape == "eark-dip":
            stored = mets_kind(tree)
            if stored is None or stored.kind != "eark-aip":
                raise UsageProblem("USE-EXPORT-SHAPE", aip=held.urn, shape=shape)
            made = dip(tree, occasion, into, scratch, wanted)
        else:
            made = bag(tree, occasion, into, scratch)
        return Restored(into.finish(), made.files, made.bytes), made
    except OSError as problem:
        raise SystemProblem("SYS-EXPORT", path=folder, cause=problem.strerror or problem) from problem
    except Problem as problem:
        # What was written of a good copy is taken up by the next try; what was judged wrong is of no use.
        if problem.code in ("SYS-EXPORT-INVALID", "USE-EXPORT-SHAPE"):
            into.drop()
        raise
