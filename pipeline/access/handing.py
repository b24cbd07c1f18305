"""A stored AIP becomes what is handed out: a DIP by E-ARK, or a bag; judged before anybody sees it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline import VERSION, digests
from pipeline.access import history
from pipeline.access.reading import Copies, Wanted, reading_copies
from pipeline.access.unfinished import Unfinished
from pipeline.content.reading import Damaged, Learnt, read_all
from pipeline.errors import SystemProblem
from pipeline.findings import level_of
from pipeline.ledger import SUBMISSION, Ledger, LedgerRows
from pipeline.packages import Kind
from pipeline.packages.bagit.compose import BagWriter
from pipeline.packages.eark import EarkRows
from pipeline.packages.eark.compose import compose
from pipeline.packages.registry import KINDS
from pipeline.records import Agent, Event, FileRow, Finding, Level, Link, Outcome
from pipeline.storage.versions import StoredTree
from pipeline.tools.bagit_python import bagit_python
from pipeline.tree import FolderTree

SHAPES = ("aip", "eark-dip", "bagit")
"""What `export` can write: the AIP itself, a DIP made of it, a bag that holds it."""

_BATCH = 1000
_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """One judge of what was written: `result` is valid or not asked, `note` why, or what it is."""

    judge: str
    result: str
    note: str = ""

    def as_json(self) -> dict[str, str]:
        return {"judge": self.judge, "result": self.result, "note": self.note}


@dataclass(frozen=True, slots=True)
class Handed:
    """What lies complete and judged, but not yet under its name; `copies` for reading, where they were asked for."""

    identifier: str
    files: int
    bytes: int
    checks: tuple[Judged, ...]
    copies: Copies | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """Of which AIP, when, for whom: `organisation` and `label` may be empty. `history` is what the catalogue shows."""

    aip: str
    version: int
    when: datetime
    organisation: str
    label: str
    history: Sequence[Mapping[str, Any]] = ()


def dip_uuid(aip: str, version: int, access: bool = False) -> str:
    """Id of the DIP of one version of an AIP (DIP1: another one than the AIP's), another one with reading copies."""
    return digests.part_id(aip, "dip", f"v{version}" + (" access" if access else ""))


def name_of(shape: str, aip: str, version: int, access: bool = False) -> str:
    """The folder that is written."""
    return f"uuid-{dip_uuid(aip, version, access)}" if shape == "eark-dip" else f"uuid-{aip}-v{version}-bag"


def bag(tree: StoredTree, occasion: Occasion, into: Unfinished, scratch: Path) -> Handed:
    """The AIP as the payload of a bag 1.0: `data/METS.xml` and all the rest, byte for byte."""
    size = 0
    with BagWriter(into.place) as writer:
        for entry in tree.entries():
            path = b"data/" + entry.path
            put = into.put(path, partial(tree.open, entry.path), tree.sha256(entry.path))
            writer.add(path, put.size, put.digests)
            size += put.size
        info = (
            ("Source-Organization", occasion.organisation),
            ("External-Identifier", f"urn:uuid:{occasion.aip}"),
            ("Internal-Sender-Identifier", f"urn:uuid:{occasion.aip}/v{occasion.version}"),
            ("Internal-Sender-Description", "E-ARK AIP 2.2.0"),
            ("External-Description", occasion.label),
            ("Bagging-Date", occasion.when.date().isoformat()),
            ("Bag-Software-Agent", f"luutru {VERSION}"),
        )
        for name in writer.finish(info):
            into.made(name.encode())
        plain = writer.plain
    files, total = into.tidy()
    _own(KINDS["bagit"], into.place, scratch)
    return Handed(f"urn:uuid:{occasion.aip}", files, total, (_us(), _second(into.place, size, plain)))


def dip(tree: StoredTree, occasion: Occasion, into: Unfinished, scratch: Path, wanted: Wanted | None = None) -> Handed:
    """A DIP by E-ARK DIP 2.2: the AIP's files, METS and PREMIS composed anew, its events and this one in them.

    `wanted`: with reading copies, made now and of this DIP alone.
    """
    uuid = dip_uuid(occasion.aip, occasion.version, wanted is not None)
    copies: Copies | None = None
    with tempfile.TemporaryDirectory(dir=scratch, prefix="dip-") as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        try:
            rows = EarkRows(tree)
            old = rows.identity()
            identity = replace(old, uuid=uuid, origin=occasion.aip, created=occasion.when, modified=occasion.when)
            _filled(ledger, rows, tree, into)
            ours = _told(ledger, rows, occasion)
            if wanted is not None:
                copies = reading_copies(ledger, into, occasion.when, wanted, ours, Path(folder))
            for made in compose(LedgerRows(ledger, identity), into.place, "DIP"):
                into.made(made.path)
        finally:
            ledger.close()
    files, total = into.tidy()
    _own(KINDS["eark-dip"], into.place, scratch)
    return Handed(f"urn:uuid:{uuid}", files, total, (_us(),), copies)


def _filled(ledger: Ledger, rows: EarkRows, tree: StoredTree, into: Unfinished) -> None:
    """Files are put in their place while their rows are taken over."""

    def files() -> Iterator[tuple[FileRow, str, bytes]]:
        for row in rows.files():
            into.put(row.path, partial(tree.open, row.path), tree.sha256(row.path))
            yield row, SUBMISSION, row.path

    for batch in _batches(files()):
        ledger.add_files(batch)
    ledger.add_representations(rows.representations())
    ledger.add_descriptions(rows.descriptions())
    ledger.add_events(rows.events())
    ledger.add_rights(rows.rights())


def _told(ledger: Ledger, rows: EarkRows, occasion: Occasion) -> str:
    """The agents of the AIP and ours, and the event that this handing out is; the key of our agent."""
    agents = {agent.key: agent for agent in rows.agents()}
    ours = Agent("luutru", "luutru", "software", VERSION)
    if agents.setdefault(ours.key, ours) != ours:
        ours = replace(ours, key=f"luutru {VERSION}")
        agents[ours.key] = ours
    ledger.add_agents(agents.values())
    ledger.add_events(history.events(occasion.history, occasion.version, ours.key))
    key, number = "dissemination", 1
    taken = {event.key for event in ledger.events() if event.key.startswith(key)}
    while key in taken:
        number += 1
        key = f"dissemination {number}"
    detail = f"made=eark-dip; standard=E-ARK DIP 2.2.0; source=urn:uuid:{occasion.aip} v{occasion.version}"
    ledger.add_events(
        [Event(key, "dissemination", occasion.when, occasion.when, detail, Outcome.SUCCESS, "",
               ((ours.key, "executing program"),), (Link("package", "", "outcome"),))]
    )  # fmt: skip
    return ours.key


def _batches(rows: Iterator[tuple[FileRow, str, bytes]]) -> Iterator[list[tuple[FileRow, str, bytes]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _us() -> Judged:
    return Judged("luutru", "valid", VERSION)


def _own(kind: Kind, folder: Path, scratch: Path) -> None:
    """Reads everything that was written back and judges it; SystemProblem SYS-EXPORT-INVALID for any error."""
    tree = FolderTree(folder)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="judging-") as work:
        ledger = Ledger(Path(work) / "ledger.sqlite")
        try:
            entries = tree.entries()
            while batch := list(islice(entries, _BATCH)):
                ledger.add_received(batch)
            learnt: list[Learnt] = []
            wanted = kind.algorithms(tree)
            for result in read_all(tree, ledger.unread(), wanted, identify=False, workers=0, scratch=Path(work)):
                if isinstance(result, Damaged):
                    continue
                if not isinstance(result, Learnt):
                    raise result.problem
                learnt.append(result)
                if len(learnt) >= _BATCH:
                    _keep(ledger, learnt)
            _keep(ledger, learnt)
            _refuse(kind.check(tree, ledger), folder)
        finally:
            ledger.close()


def _keep(ledger: Ledger, learnt: list[Learnt]) -> None:
    ledger.learnt((row.path, row.digests, None, "") for row in learnt)
    learnt.clear()


def _refuse(findings: Iterable[Finding], folder: Path) -> None:
    bad = list(islice((one for one in findings if level_of(one) is Level.ERROR), _SAMPLE))
    if bad:
        told = "; ".join(f"{one.code} {one.file.decode('utf-8', 'replace') if one.file else ''}".strip() for one in bad)
        raise SystemProblem("SYS-EXPORT-INVALID", path=folder.name, judge="luutru", cause=told)


def _second(folder: Path, size: int, plain: bool) -> Judged:
    """bagit-python's opinion. It is not asked about names that a manifest encodes: it does not know RFC 8493 there."""
    if not plain:
        return Judged("bagit-python", "not asked", "names with %, CR or LF, which it does not decode")
    opinion = bagit_python(folder, size)
    if opinion.valid is None:
        raise SystemProblem("SYS-EXPORT-JUDGE", judge="bagit-python", cause=opinion.said or "-")
    if not opinion.valid:
        raise SystemProblem("SYS-EXPORT-INVALID", path=folder.name, judge="bagit-python", cause=opinion.said)
    return Judged("bagit-python", "valid", opinion.version)
