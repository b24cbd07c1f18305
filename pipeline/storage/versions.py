"""Stored versions as they are seen from outside: as a tree, restored into a folder, listed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.names import inside, shown
from pipeline.records import PackagePath
from pipeline.settings import StoreSetting
from pipeline.standards import ocfl
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import CHUNK, Store
from pipeline.storage.validation.shelves import StoreShelf
from pipeline.tree import Entry
from pipeline.workspace import sync_folder

# Either of the root pair: a commit may be cut off between the two.
_ROOT_PAIR = re.compile(
    re.escape(layout.ROOT) + r"[0-9a-f]{3}/[0-9a-f]{3}/[0-9a-f]{3}/([^/]+)/inventory\.json(?:\.sha256)?\Z"
)


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """An AIP as a store shows it. `agreed` is False where root inventory and sidecar disagree (cut off in a commit)."""

    urn: str
    version: int
    inventory_sha256: str
    agreed: bool = True


def objects(store: Store, scratch: Path | None = None) -> Iterator[ObjectHead]:
    """Every committed object of a store, sorted by URN; one listing of the store.

    Raises SystemProblem when the store fails, or when an object's inventories cannot be read at all
    (SYS-COPY-UNREADABLE, the object named).
    """
    found = set()
    for key, _ in store.list(layout.ROOT):
        match = _ROOT_PAIR.match(key)
        if match:
            found.add(unquote_to_bytes(match.group(1)).decode("utf-8", "replace"))
    for urn in sorted(found):
        held = layout.authority(store, urn, scratch)
        if held is not None:
            yield ObjectHead(urn, held.version, held.sha256, held.agreed)


def stored_tree(store: Store, urn: str, version: int | None = None, scratch: Path | None = None) -> StoredTree:
    """A stored version (None: the newest) as a Tree; paths are below the AIP's root folder.

    Memory: about 200 bytes per file of that version. UsageProblem when the store has no such AIP or version.
    """
    held = layout.authority(store, urn, scratch)
    if held is None:
        raise UsageProblem("USE-COPY-UNKNOWN", store=store.name, aip=urn)
    number = held.version if version is None else version
    if not 1 <= number <= held.version:
        raise UsageProblem("USE-VERSION-UNKNOWN", aip=urn, version=f"v{number}", known=f"v1…v{held.version}")
    try:
        with layout.fetched(store, held.key, scratch) as (file, digest):
            inventory = ocfl.read_inventory(file)
            if digest != held.sha256 or inventory.identifier != urn:
                raise ocfl.InventoryError("E060", f"inventory of {inventory.identifier}")
            return StoredTree(store, urn, number, _content(inventory, number), held.sha256)
    except ocfl.InventoryError as problem:
        raise SystemProblem("SYS-COPY-UNREADABLE", store=store.name, aip=urn, cause=problem) from problem


def is_object(folder: Path) -> bool:
    """Whether a folder is an OCFL object: it declares itself as one."""
    return (folder / ocfl.OBJECT_DECLARATION).is_file()


def object_tree(folder: Path) -> StoredTree:
    """The newest version of an OCFL object that lies in a folder, wherever that is; paths as in `stored_tree`.

    SystemProblem when its inventory is not what its sidecar says, or not one of an AIP.
    """
    from pipeline.storage.stores.file import FileStore

    store = FileStore(StoreSetting(folder.name, folder.absolute().as_uri()))
    file = folder / ocfl.INVENTORY
    try:
        with file.open("rb") as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
        stated = ocfl.sidecar_digest((folder / ocfl.SIDECAR).read_bytes())
        if found != stated:
            raise ocfl.InventoryError("E060", f"{ocfl.SIDECAR}: {stated}")
        inventory = ocfl.read_inventory(file)
        content = _content(inventory, inventory.head)
        return StoredTree(store, inventory.identifier, inventory.head, content, found, "")
    except (ocfl.InventoryError, OSError) as problem:
        raise SystemProblem("SYS-COPY-UNREADABLE", store=folder.parent, aip=folder.name, cause=problem) from problem


def _content(inventory: ocfl.Inventory, number: int) -> dict[bytes, tuple[str, str]]:
    """Logical path → (content path, sha256) of one version, sorted by raw path bytes."""
    state = sorted((bytes(path), digest) for digest, path in inventory.state(number))
    wanted = {digest for _, digest in state}
    where = {digest: path for digest, path in inventory.manifest() if digest in wanted}
    roots = {path.split(b"/", 1)[0] for path, _ in state}
    for path, digest in state:
        if not inside(path) or b"/" not in path or digest not in where or len(roots) != 1:
            raise ocfl.InventoryError("E050", f"state of v{number}: {shown(path)}")
    return {path: (where[digest], digest) for path, digest in state}


class StoredTree:
    """A stored version. Reading does not check digests: `restore`, audit and validation compare them."""

    carrier = "stored"

    def __init__(
        self, store: Store, urn: str, version: int, content: dict[bytes, tuple[str, str]], inventory_sha256: str,
        base: str | None = None,
    ) -> None:  # fmt: skip
        """`base` is where the object's keys begin, if not where the layout puts them."""
        self.version = version
        self.inventory_sha256 = inventory_sha256
        self._store = store
        self._base = layout.prefix(urn) if base is None else base
        self._content = content
        self._root = next(iter(content)).split(b"/", 1)[0] if content else b""
        self._sizes: dict[str, int] | None = None

    @property
    def name(self) -> bytes:
        """The AIP's root folder, `uuid-…`."""
        return self._root

    @property
    def shelf(self) -> StoreShelf:
        """The whole object, all versions and its inventories, as the OCFL validator sees it."""
        return StoreShelf(self._store, self._base)

    def entries(self) -> Iterator[Entry]:
        """Sizes come from one listing of the object; a file that is missing there has size -1."""
        sizes = self._listed()
        start = len(self._root) + 1
        for path, (where, _) in self._content.items():
            yield Entry(PackagePath(path[start:]), sizes.get(where, -1))

    def sha256(self, path: PackagePath) -> str:
        """What the inventory says of a file; KeyError when there is none."""
        return self._content[self._root + b"/" + path][1]

    def open(self, path: PackagePath) -> BinaryIO:
        return self._store.get(self._base + self._content[self._root + b"/" + path][0])

    @contextlib.contextmanager
    def local(self, path: PackagePath, scratch: Path) -> Iterator[Path]:
        here = self._store.local(self._base + self._content[self._root + b"/" + path][0])
        if here is not None and here.exists():
            yield here
            return
        with tempfile.NamedTemporaryFile(dir=scratch, prefix="stored-") as copy:
            with contextlib.closing(self.open(path)) as source:
                shutil.copyfileobj(source, copy, CHUNK)
            copy.flush()
            yield Path(copy.name)

    def close(self) -> None:
        pass

    def _listed(self) -> dict[str, int]:
        if self._sizes is None:
            wanted = {where for where, _ in self._content.values()}
            start = len(self._base)
            self._sizes = {key[start:]: size for key, size in self._store.list(self._base) if key[start:] in wanted}
        return self._sizes


@dataclass(frozen=True, slots=True)
class Restored:
    """What was written: the package's folder, how many files, how many bytes."""

    folder: Path
    files: int
    bytes: int


def restore(tree: StoredTree, folder: Path) -> Restored:
    """Writes a stored version as `folder/<root>/…`, byte for byte, every file digested on the way.

    It appears under its name only when it is complete and durable. UsageProblem when that name is taken;
    SystemProblem SYS-COPY-DAMAGED at the first file that is not what the inventory says (nothing is left behind).
    """
    root = os.fsdecode(tree.name)
    target = folder / root
    unfinished = folder / f".{root}.unfinished"
    files = size = 0
    try:
        _refuse_taken(target)
        folder.mkdir(parents=True, exist_ok=True)
        # Left over from a run that was killed: it is complete nowhere, and its name is ours.
        if unfinished.is_symlink():
            unfinished.unlink()
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for entry in tree.entries():
            size += _write(tree, entry.path, unfinished / os.fsdecode(entry.path))
            files += 1
        _sync_all(unfinished)
        _refuse_taken(target)
        unfinished.rename(target)
        sync_folder(folder)
    except OSError as problem:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise SystemProblem("SYS-EXPORT", path=folder, cause=problem.strerror or problem) from problem
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return Restored(target, files, size)


def _refuse_taken(target: Path) -> None:
    if os.path.lexists(target):
        raise UsageProblem("USE-EXPORT-EXISTS", path=target)


def _write(tree: StoredTree, path: PackagePath, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        source = tree.open(path)
    except KeyError:
        raise SystemProblem("SYS-COPY-DAMAGED", path=shown(path), expected=tree.sha256(path), found="-") from None
    with contextlib.closing(source), target.open("xb") as out:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
    if digest.hexdigest() != tree.sha256(path):
        raise SystemProblem("SYS-COPY-DAMAGED", path=shown(path), expected=tree.sha256(path), found=digest.hexdigest())
    return size


def _sync_all(folder: Path) -> None:
    for here, _, names in os.walk(folder):
        for name in names:
            handle = os.open(Path(here) / name, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_folder(Path(here))
