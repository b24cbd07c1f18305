"""The newest version of an OCFL object as a tree: what its logical paths name."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.records import PackagePath
from pipeline.storage.stores import CHUNK
from pipeline.storage.validation.inventories import read
from pipeline.storage.validation.shelves import Shelf, What
from pipeline.tree import Entry


def newest(shelf: Shelf, base: str, head: str) -> ObjectTree | None:
    """The state of version `head` by the root inventory of an object; None when there is none that can be read.

    What the state names and the object does not hold is left out: `validate_object` tells of it. Memory: some 400
    bytes per file.
    """
    try:
        inventory, state = read(shelf.open(f"{base}inventory.json"), lambda code, expected, found: None, state_of=head)
    except KeyError:
        return None
    there = {thing.path[len(base) :]: thing.size for thing in shelf.walk(base) if thing.what is What.FILE}
    places: dict[str, str] = {}
    for path, digest in inventory.manifest.items():
        if path in there:
            places.setdefault(digest, path)
    content = {
        path.encode("utf-8", "surrogatepass"): (places[digest], there[places[digest]])
        for path, digest in sorted(state.items())
        if digest in places
    }
    return ObjectTree(shelf, base, dict(sorted(content.items()))) if content else None


class ObjectTree:
    """Logical paths of one version. Where all of them lie in one folder, that folder is the package's own."""

    carrier = "stored"

    def __init__(self, shelf: Shelf, base: str, content: dict[bytes, tuple[str, int]]) -> None:
        self._shelf = shelf
        self._base = base
        self._content = content
        tops = {path.partition(b"/")[0] for path in content}
        # `a` and `a/b` cannot both be there: one name on top is one folder, or one single file.
        self._root = next(iter(tops)) + b"/" if len(tops) == 1 and next(iter(tops)) not in content else b""

    @property
    def name(self) -> bytes:
        """The one folder on top; empty where there are several things."""
        return self._root.rstrip(b"/")

    def entries(self) -> Iterator[Entry]:
        start = len(self._root)
        for path, (_, size) in self._content.items():
            yield Entry(PackagePath(path[start:]), size)

    def open(self, path: PackagePath) -> BinaryIO:
        return self._shelf.open(self._base + self._content[self._root + path][0])

    @contextlib.contextmanager
    def local(self, path: PackagePath, scratch: Path) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(dir=scratch, prefix="object-") as copy:
            with contextlib.closing(self.open(path)) as source:
                shutil.copyfileobj(source, copy, CHUNK)
            copy.flush()
            yield Path(copy.name)

    def close(self) -> None:
        pass
