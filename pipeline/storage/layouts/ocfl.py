"""One OCFL 1.1 object per AIP: which keys it has, in which state it is, how a version is committed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.digests import ahead, buffers
from pipeline.errors import SystemProblem
from pipeline.standards import ocfl
from pipeline.storage.stores import ABSENT, CHUNK, WHOLE, Store, StoreConflict

ROOT = "ocfl/"
"""The OCFL storage root inside a store; nothing else lies there."""

AHEAD = 16 << 20
"""From this size on a file of a disk is read ahead of its digest."""

_REST = 4096


class Diverged(SystemProblem):
    """A store holds another committed version under this id: never written over, a person looks at it."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The inventory that speaks for an object, as the store has it.

    `key` is where it lies. `agreed` is False when root inventory and sidecar disagree or one is missing, and the
    newest version whose own pair agrees was taken instead (the reader's half of repairing forward).
    """

    key: str
    version: int
    sha256: str
    agreed: bool


@dataclass(slots=True)
class Survey:
    """What lies under an object's keys; `present` are the paths of the versions asked for, with sizes."""

    root_inventory: bool
    root_sidecar: bool
    declared: bool
    versions: set[int]
    present: dict[str, int]


def prefix(urn: str) -> str:
    """Folder of an object's keys, with the final slash."""
    return f"{ROOT}{ocfl.object_path(urn)}/"


def survey(store: Store, urn: str, wanted: range) -> Survey:
    """One listing of the object. Memory: an entry per key below the wanted versions, so none where nothing is yet."""
    base = prefix(urn)
    found = Survey(False, False, False, set(), {})
    for key, size in store.list(base):
        path = key[len(base) :]
        if path == ocfl.INVENTORY:
            found.root_inventory = True
        elif path == ocfl.SIDECAR:
            found.root_sidecar = True
        elif path == ocfl.OBJECT_DECLARATION:
            found.declared = True
        else:
            folder, _, rest = path.partition("/")
            number = version_of(path)
            if number and rest == ocfl.INVENTORY:
                found.versions.add(number)
            if number in wanted:
                found.present[path] = size
    return found


def version_of(path: str) -> int:
    """3 for what lies below `v3/`; 0 for everything else."""
    folder, slash, _ = path.partition("/")
    return int(folder[1:]) if slash and folder[:1] == "v" and folder[1:].isdecimal() else 0


def digest_of(store: Store, key: str, expected: int = CHUNK) -> tuple[str, int]:
    """SHA-256 and size of what is really there, read in full. KeyError; a stream that broke off is read once more.

    `expected` is the size that a listing told: small files are read in one piece, big ones of a disk ahead of the
    digest.
    """
    for attempt in (1, 2):
        source = store.get(key)
        try:
            with contextlib.closing(source):
                if expected >= AHEAD and store.lanes == 1:
                    return _digest_ahead(source)
                digest, size = hashlib.sha256(), 0
                chunk = source.read(min(expected + 1, CHUNK))
                while chunk:
                    digest.update(chunk)
                    size += len(chunk)
                    # A buffer of a megabyte for the end of a small file would cost more than reading it.
                    chunk = source.read(CHUNK if size >= CHUNK else _REST)
            return digest.hexdigest(), size
        except SystemProblem as problem:
            if attempt == 2 or not problem.transient:
                raise
    raise AssertionError("the second attempt returns or raises")


def bytes_of(store: Store, key: str, expected: int) -> tuple[bytes, str]:
    """A small document with its SHA-256; none of its bytes where it is bigger than a listing told. As `digest_of`."""
    for attempt in (1, 2):
        source = store.get(key)
        try:
            with contextlib.closing(source):
                digest, data = hashlib.sha256(), b""
                while chunk := source.read(expected + 1):
                    digest.update(chunk)
                    data = data + chunk if len(data) + len(chunk) <= expected else b""
            return data, digest.hexdigest()
        except SystemProblem as problem:
            if attempt == 2 or not problem.transient:
                raise
    raise AssertionError("the second attempt returns or raises")


def _digest_ahead(source: BinaryIO) -> tuple[str, int]:
    """A second thread reads the next part while this one digests: both let go of the interpreter."""
    digest, size = hashlib.sha256(), 0
    with contextlib.closing(ahead(partial(_filled, source), buffers(CHUNK))) as chunks:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _filled(source: BinaryIO, buffer: memoryview) -> int:
    return cast(io.RawIOBase, source).readinto(buffer) or 0


@contextlib.contextmanager
def fetched(store: Store, key: str, scratch: Path | None = None) -> Iterator[tuple[Path, str]]:
    """A document as a real file with its SHA-256, for streaming readers. KeyError when there is none."""
    here = store.local(key)
    if here is not None:
        yield here, digest_of(store, key)[0]
        return
    with tempfile.NamedTemporaryFile(dir=scratch, prefix="inventory-") as copy:
        digest = hashlib.sha256()
        with contextlib.closing(store.get(key)) as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
        copy.flush()
        yield Path(copy.name), digest.hexdigest()


def pair_digest(store: Store, folder: str) -> str | None:
    """Digest of the inventory in a folder if its sidecar says the same; None when they disagree or one is missing."""
    try:
        stated = ocfl.sidecar_digest(store.read(folder + ocfl.SIDECAR))
        return stated if stated is not None and digest_of(store, folder + ocfl.INVENTORY)[0] == stated else None
    except KeyError:
        return None


def authority(store: Store, urn: str, scratch: Path | None = None) -> Authority | None:
    """The inventory to believe by the store's word alone; None when no version was ever committed here.

    Without a root inventory there is no object yet (E063), however much lies below it. Changes nothing.
    """
    base = prefix(urn)
    try:
        stated = ocfl.sidecar_digest(store.read(base + ocfl.SIDECAR))
    except KeyError:
        stated = None
    try:
        with fetched(store, base + ocfl.INVENTORY, scratch) as (file, found):
            if found == stated:
                return Authority(base + ocfl.INVENTORY, _head(store, urn, file), found, True)
    except KeyError:
        return None
    versions = survey(store, urn, range(0)).versions
    for number in sorted(versions, reverse=True):
        own = pair_digest(store, f"{base}v{number}/")
        if own is not None:
            return Authority(f"{base}v{number}/{ocfl.INVENTORY}", number, own, False)
    raise SystemProblem("SYS-COPY-UNREADABLE", store=store.name, aip=urn, cause="inventory.json.sha256")


def _head(store: Store, urn: str, file: Path) -> int:
    try:
        return ocfl.read_inventory(file).head
    except ocfl.InventoryError as problem:
        raise SystemProblem("SYS-COPY-UNREADABLE", store=store.name, aip=urn, cause=problem) from problem


def settle(store: Store, urn: str, scratch: Path | None = None) -> Authority | None:
    """As `authority`, and repairs forward: a root pair cut off in its middle is put again from its version's own."""
    found = authority(store, urn, scratch)
    if found is None or found.agreed:
        return found
    base = prefix(urn)
    with fetched(store, found.key, scratch) as (file, _):
        store.replace(base + ocfl.INVENTORY, body_of(file))
    store.replace(base + ocfl.SIDECAR, ocfl.sidecar(found.sha256))
    return Authority(base + ocfl.INVENTORY, found.version, found.sha256, True)


def same_history(store: Store, held: Authority, inventory: Path, scratch: Path | None = None) -> bool:
    """Whether a new inventory carries every version block of the committed one unchanged."""
    new = ocfl.read_inventory(inventory)
    with fetched(store, held.key, scratch) as (file, _):
        old = ocfl.read_inventory(file)
        return old.head < new.head and all(
            old.block_digest(version.number) == new.block_digest(version.number) for version in old.versions
        )


def commit(store: Store, urn: str, inventory: Path, sha256: str, replaces: str | None, declared: bool) -> None:
    """The version becomes part of the object: declaration for a new one, root inventory, its sidecar.

    `replaces` is the etag of the root inventory before, None for a new object. Every byte that the inventory names
    must have been read back. Diverged when another writer was faster with other bytes.
    """
    base = prefix(urn)
    # A disk that was unmounted under us would let us write on into the folder below it, and read it back, too.
    store.check()
    if not declared:
        store.replace(base + ocfl.OBJECT_DECLARATION, ocfl.OBJECT_DECLARATION_BYTES)
    try:
        store.replace(base + ocfl.INVENTORY, body_of(inventory), replaces or ABSENT)
    except StoreConflict:
        found = digest_of(store, base + ocfl.INVENTORY)[0]
        if found != sha256:
            raise Diverged("SYS-STORE-DIVERGED", store=store.name, aip=urn, found=found, expected=sha256) from None
    store.replace(base + ocfl.SIDECAR, ocfl.sidecar(sha256))


def remove_uncommitted(store: Store, urn: str, version: int) -> tuple[str, ...]:
    """Removes what lies under a version that no root inventory names; returns the keys that would not go.

    Keys stay where retention forbids their removal: the next version number has to be taken then.
    Diverged when the version is committed after all: nothing is removed.
    """
    held = settle(store, urn)
    if held is not None and held.version >= version:
        raise Diverged("SYS-STORE-DIVERGED", store=store.name, aip=urn, found=held.sha256, expected="-")
    base = prefix(urn)
    store.abort_unfinished(base)
    stranded = []
    # Without a committed version nothing of it is an object yet, its declaration included.
    for key, _ in list(store.list(f"{base}v{version}/" if held is not None else base)):
        try:
            store.delete(key)
        except SystemProblem as problem:
            if problem.transient or problem.code != "SYS-STORE-DENIED":
                raise
            stranded.append(key)
    return tuple(stranded)


def body_of(file: Path) -> bytes | Path:
    """A local file as a body: its bytes while that is small."""
    return file.read_bytes() if os.stat(file).st_size <= WHOLE else file


def copied(source: BinaryIO, target: BinaryIO) -> str:
    """Copies a stream, returns its SHA-256."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()
