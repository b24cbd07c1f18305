"""A data folder and stores for the tests of journal, catalogue, audit and export."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.administration.archive import Archive, archive
from pipeline.plan import Content
from pipeline.records import PackagePath
from pipeline.settings import Household, StoreSetting, keep_household
from pipeline.standards import ocfl
from pipeline.storage import copies
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.lines import Commit, Kind, StoreCopy
from pipeline.storage.stores import PASSPORT, Passport, Store, open_store
from pipeline.workspace import Workspace

ARCHIVE = "5d1f8a52-0f63-4b86-9f1b-2f3a6f2e9d11"


def space(root: Path, writer: str = "0123456789abcdef") -> Workspace:
    """A data folder as `workspace()` makes it."""
    for name in ("work", "locks", "reports", "journal"):
        (root / name).mkdir(parents=True, exist_ok=True)
    made = Workspace(root)
    if not made.household_file.exists():
        keep_household(made, Household(1, ARCHIVE, writer))
    return made


def file_store(root: Path, name: str) -> Store:
    """A store in a folder, made when it is not there."""
    setting = StoreSetting(name, root.as_uri())
    if not (root / PASSPORT).exists():
        root.mkdir(parents=True, exist_ok=True)
        passport = Passport(1, "ocfl", str(uuid.uuid5(uuid.UUID(ARCHIVE), name)), name, ARCHIVE)
        (root / PASSPORT).write_bytes(passport.dump())
    return open_store(setting, ARCHIVE)


def commit(number: int, stores: list[Store], *, waiting: tuple[Store, ...] = (), **changes: Any) -> Commit:
    """A commit line's record of an invented AIP."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    own = str(uuid.uuid5(uuid.UUID(ARCHIVE), f"aip {number}"))
    copies = [StoreCopy(one.name, one.id, inventory_digest=digest) for one in stores]
    copies += [StoreCopy(one.name, one.id, state="waiting", evidence=None) for one in waiting]
    values: dict[str, Any] = {
        "aip": f"urn:uuid:{own}", "version": 1, "ingest": str(uuid.uuid5(uuid.UUID(ARCHIVE), f"ingest {number}")),
        "submission_digest": digest, "payload_digest": digest[::-1], "inventory_digest": digest,
        "label": f"Hồ sơ số {number}", "kind": "folder", "profile": "eark", "created": "2026-11-24T08:00:00Z",
        "files": 3, "bytes": 300, "stores": tuple(copies), "root": f"uuid-{own}", "stored_files": 9,
        "stored_bytes": 900, "formats": {"fmt/18": 1, "unknown": 2},
    }  # fmt: skip
    return Commit(**{**values, **changes})


class SmallPlan:
    """A version of a small AIP: METS and payload as given, its inventory in a folder."""

    def __init__(self, folder: Path, number: int, files: Mapping[str, bytes], before: Path | None = None) -> None:
        self.urn = f"urn:uuid:{uuid.uuid5(uuid.UUID(ARCHIVE), f'aip {number}')}"
        old = ocfl.read_inventory(before) if before else None
        self.version = old.head + 1 if old else 1
        root = f"uuid-{self.urn[9:]}"
        state = sorted((hashlib.sha256(data).hexdigest(), f"{root}/{path}".encode()) for path, data in files.items())
        held = list(old.manifest()) if old else []
        there = {digest for digest, _path in held}
        self._data = {hashlib.sha256(data).hexdigest(): data for data in files.values()}
        self._new = sorted(digest for digest in self._data if digest not in there)
        new = [(digest, ocfl.content_path(self.version, digest)) for digest in self._new]
        about = ocfl.Version(self.version, "2026-11-24T08:00:00Z", "test", "luutru", "mailto:archive@example.org")
        block = ocfl.StreamedBlock(about, [(digest, PackagePath(path)) for digest, path in state])
        blocks = [*(old.blocks() if old else ()), block]
        folder.mkdir(parents=True, exist_ok=True)
        self.inventory = folder / f"{number}-v{self.version}.json"
        with self.inventory.open("wb") as out:
            manifest = ocfl.merged(held, new)
            self.inventory_sha256 = ocfl.write_inventory(out, self.urn, manifest, blocks, self.version)

    def contents(self) -> Iterator[Content]:
        for digest in self._new:
            yield Content(digest, len(self._data[digest]), None, False)

    def open(self, content: Content) -> BinaryIO:
        return BytesIO(self._data[content.sha256])


FILES = {
    "METS.xml": b"<mets/>",
    "representations/rep1/data/Công văn.txt": "Cộng hòa".encode(),
    "representations/rep1/data/empty": b"",
    "representations/rep1/data/twin": "Cộng hòa".encode(),
    "representations/rep1/data/big": bytes(range(256)) * 5000,
}


def keep(
    at_hand: Archive, number: int = 1, files: Mapping[str, bytes] = FILES, before: Path | None = None
) -> SmallPlan:
    """Writes a version into every store within reach, the commit line after it; copies out of reach wait."""
    plan = SmallPlan(at_hand.space.root / "plans", number, files, before)
    stores = at_hand.reach()
    copies.write(plan, stores)
    sizes = [content.size for content in plan.contents()]
    ids = {one.name: str(one.capabilities.get("store")) for one in at_hand.household.stores}
    places = tuple(
        StoreCopy(name, own, inventory_digest=plan.inventory_sha256)
        if name in at_hand.stores
        else StoreCopy(name, own, state="waiting", evidence=None)
        for name, own in ids.items()
    )
    record = replace(
        commit(number, []), version=plan.version, inventory_digest=plan.inventory_sha256, stored_files=len(sizes),
        stored_bytes=sum(sizes), stores=places,
    )  # fmt: skip
    at_hand.catalogue.record(at_hand.journal.append(Kind.COMMIT, record.fields()))
    copies.close(plan.urn, plan.version, stores)
    at_hand.journal.flush(stores)
    return plan


def house(root: Path, *names: str, more: tuple[StoreSetting, ...] = ()) -> Archive:
    """An archive with file stores of these names in `root`, and further stores that were made already."""
    made = space(root / "data")
    for name in names:
        file_store(root / name, name).close()
    settings = [
        StoreSetting(name, (root / name).as_uri(), capabilities={"store": str(uuid.uuid5(uuid.UUID(ARCHIVE), name))})
        for name in names
    ]
    keep_household(made, Household(1, ARCHIVE, "0123456789abcdef", (*settings, *more)))
    return archive(made)


def content_files(store: Path, urn: str) -> list[Path]:
    """The content files of an AIP in a file store, by size."""
    found = (store / layout.prefix(urn)).glob("v*/content/*/*")
    return sorted(found, key=lambda file: (file.stat().st_size, file.name))
