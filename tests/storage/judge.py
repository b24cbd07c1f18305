"""ocfl-py as an independent judge of what lies in a store, fetched to a folder where it is not one."""

from __future__ import annotations

import shutil
from pathlib import Path

from ocfl.object import Object

from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import Store
from tests.judges.storage import complaint, ocfl_root


def fetched(store: Store, folder: Path) -> Path:
    """All keys of the OCFL root as files below `folder`."""
    for key, _ in store.list(layout.ROOT):
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        with store.get(key) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out)
    return folder / layout.ROOT


def problems(store: Store, folder: Path) -> list[str]:
    """Everything ocfl-py has against the root and each object by itself, apart from W004 (sha256, not sha512)."""
    shutil.rmtree(folder, ignore_errors=True)
    root = fetched(store, folder)
    verdict = ocfl_root(root)
    found = [] if verdict.good else [str(verdict)]
    for declaration in root.rglob("0=ocfl_object_1.1"):
        _, judge = Object(path=str(declaration.parent)).validate(str(declaration.parent))
        found += [text for rule, _, text in (complaint(line, "") for line in judge.log.messages) if rule != "W004"]
    return found
