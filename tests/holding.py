"""A data folder and stores for the tests of journal, catalogue, audit and export."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

from pipeline.settings import Household, StoreSetting, keep_household
from pipeline.storage.lines import Commit, StoreCopy
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
