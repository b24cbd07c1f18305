"""OCFL 1.1: storage paths, inventories ⇄ bytes, sidecars, declarations; streamed both ways."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.records import PackagePath

ROOT_DECLARATION = "0=ocfl_1.1"
ROOT_DECLARATION_BYTES = b"ocfl_1.1\n"
OBJECT_DECLARATION = "0=ocfl_object_1.1"
OBJECT_DECLARATION_BYTES = b"ocfl_object_1.1\n"
INVENTORY = "inventory.json"
SIDECAR = "inventory.json.sha256"
TYPE = "https://ocfl.io/1.1/spec/#inventory"
ALGORITHM = "sha256"
LAYOUT = "0003-hash-and-id-n-tuple-storage-layout"
LAYOUT_DESCRIPTION = (
    "Hashed n-tuple storage layout: three 3-character pieces of the SHA-256 of the object id, then the encoded id"
)

_TUPLE_SIZE, _TUPLES, _LONGEST_ID = 3, 3, 100
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_SIDECAR_LINE = re.compile(rb"([0-9a-fA-F]{64})[ \t]+inventory\.json\n?\Z")
_HEX = re.compile(r"[0-9a-f]{64}\Z")
_VERSION = re.compile(r"v([1-9][0-9]*)\Z")


class InventoryError(ValueError):
    """These bytes are not an inventory that OCFL 1.1 allows; `code` is OCFL's own validation code."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def root_files() -> dict[str, bytes]:
    """The files of an OCFL storage root, by path (§4.1, §4.2 and extension 0003)."""
    layout = {"extension": LAYOUT, "description": LAYOUT_DESCRIPTION}
    config = {
        "extensionName": LAYOUT,
        "digestAlgorithm": ALGORITHM,
        "tupleSize": _TUPLE_SIZE,
        "numberOfTuples": _TUPLES,
    }
    return {
        f"extensions/{LAYOUT}/config.json": json.dumps(config, indent=1).encode() + b"\n",
        "ocfl_layout.json": json.dumps(layout, indent=1).encode() + b"\n",
        ROOT_DECLARATION: ROOT_DECLARATION_BYTES,
    }


def encoded_id(identifier: str) -> str:
    """Folder name of an object in layout 0003: percent-encoded in lower case, cut at 100 characters."""
    raw = identifier.encode()
    name = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in raw)
    if len(name) > _LONGEST_ID:
        name = f"{name[:_LONGEST_ID]}-{hashlib.sha256(raw).hexdigest()}"
    return name


def object_path(identifier: str) -> str:
    """Path of an object below the storage root in layout 0003 with its default settings."""
    digest = hashlib.sha256(identifier.encode()).hexdigest()
    pieces = [digest[i * _TUPLE_SIZE : (i + 1) * _TUPLE_SIZE] for i in range(_TUPLES)]
    return "/".join([*pieces, encoded_id(identifier)])


def content_path(version: int, sha256: str) -> str:
    """Our content path, below the object root: `vN/content/<first two hex>/<sha256>`."""
    return f"v{version}/content/{sha256[:2]}/{sha256}"


def version_number(name: str) -> int:
    """3 for `v3`; InventoryError E046 for anything else (zero-padded names are not ours to read: W001)."""
    match = _VERSION.match(name)
    if match is None:
        raise InventoryError("E046", f"version name {name[:40]!r}")
    return int(match.group(1))


def sidecar(sha256: str) -> bytes:
    """Bytes of `inventory.json.sha256`; two blanks, so that `sha256sum -c` takes it."""
    return f"{sha256}  {INVENTORY}\n".encode()


def sidecar_digest(data: bytes) -> str | None:
    """Digest that a sidecar states, lower case; None when its form is wrong (E061)."""
    match = _SIDECAR_LINE.match(data)
    return match.group(1).decode().lower() if match else None


def is_logical(path: str) -> bool:
    """True for a logical or content path that OCFL allows (E052, E053, E099, E100)."""
    return bool(path) and all(part not in ("", ".", "..") for part in path.split("/"))


@dataclass(frozen=True, slots=True)
class Version:
    """What a version block says beside its state. `created` is RFC 3339 text, copied unchanged ever after (W011).

    `address` is a URI (`mailto:…`), empty when a foreign inventory has none.
    """

    number: int
    created: str
    message: str
    user: str
    address: str


class VersionBlock(Protocol):
    """A version with its state, (sha256, logical path) in order of digest, then path; streamed."""

    @property
    def version(self) -> Version: ...

    def state(self) -> Iterator[tuple[str, PackagePath]]: ...


@dataclass(frozen=True, slots=True)
class StreamedBlock:
    """A new version block; `entries` are (sha256, logical path with root folder) by digest, then path, used once."""

    version: Version
    entries: Iterable[tuple[str, PackagePath]]

    def state(self) -> Iterator[tuple[str, PackagePath]]:
        return iter(self.entries)


def write_inventory(
    out: BinaryIO,
    identifier: str,
    manifest: Iterable[tuple[str, str]],
    versions: Iterable[VersionBlock],
    head: int,
) -> str:
    """Writes an inventory and returns the SHA-256 of its bytes; one digest per line, memory does not grow.

    `manifest` is (sha256, content path) by digest, then path; `versions` come oldest first and end with `head`.
    ValueError when an order is broken, a digest or path is malformed, or a version is missing: our own bug.
    """
    sink = _Digesting(out)
    sink.text("{\n")
    for key, value in (("digestAlgorithm", ALGORITHM), ("head", f"v{head}"), ("id", identifier), ("type", TYPE)):
        sink.text(f" {json.dumps(key)}: {_json(value)},\n")
    sink.text(' "manifest": {')
    _write_paths(sink, manifest, "  ")
    sink.text('\n },\n "versions": {')
    last = 0
    for block in versions:
        about = block.version
        if about.number != last + 1:
            raise ValueError(f"version {about.number} after {last}")
        sink.text(",\n" if last else "\n")
        last = about.number
        user = {"name": about.user, "address": about.address} if about.address else {"name": about.user}
        sink.text(f'  "v{about.number}": {{\n   "created": {_json(about.created)},\n')
        sink.text(f'   "message": {_json(about.message)},\n')
        if about.user:
            sink.text(f'   "user": {_json(user)},\n')
        sink.text('   "state": {')
        _write_paths(sink, ((digest, path.decode()) for digest, path in block.state()), "    ")
        sink.text("\n   }\n  }")
    if last != head:
        raise ValueError(f"head v{head}, last version v{last}")
    sink.text("\n }\n}\n")
    sink.flush()
    return sink.hexdigest()


def merged(old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Manifest of an old inventory plus new content, in order; a digest that is already there keeps its old path."""
    import heapq

    held: str | None = None
    for digest, origin, path in heapq.merge(((d, 0, p) for d, p in old), ((d, 1, p) for d, p in new)):
        if origin == 0:
            held = digest
        elif digest == held:
            continue
        yield digest, path


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_paths(sink: _Digesting, entries: Iterable[tuple[str, str]], indent: str) -> None:
    """The members of a digest → paths object; entries of one digest are neighbours."""
    current: str | None = None
    previous = ""
    for digest, path in entries:
        if not is_logical(path):
            raise ValueError(f"path {path!r}")
        if digest == current:
            # Order of bytes: the same for every machine, and the order in which the ledger hands rows out.
            if path.encode() <= previous.encode():
                raise ValueError(f"path {path!r} after {previous!r}")
            sink.text(f", {_json(path)}")
        else:
            if not _HEX.match(digest) or (current is not None and digest < current):
                raise ValueError(f"digest {digest!r} after {current!r}")
            sink.text(f'{"]," if current is not None else ""}\n{indent}"{digest}": [{_json(path)}')
            current = digest
        previous = path
    if current is not None:
        sink.text("]")


class _Digesting:
    """Collects text, digests it and hands it on in blocks."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._digest = hashlib.sha256()
        self._waiting: list[str] = []
        self._length = 0

    def text(self, text: str) -> None:
        self._waiting.append(text)
        self._length += len(text)
        if self._length > 65536:
            self.flush()

    def flush(self) -> None:
        data = "".join(self._waiting).encode()
        self._digest.update(data)
        self._out.write(data)
        self._waiting.clear()
        self._length = 0

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Inventory:
    """An inventory in a local file, read by streaming: every question is one pass, nothing is held.

    Made by `read_inventory`. The members may be asked again and again.
    """

    file: Path
    identifier: str
    head: int
    versions: tuple[Version, ...]

    def manifest(self) -> Iterator[tuple[str, str]]:
        """(sha256, content path) in the file's order; InventoryError when an entry is malformed."""
        return self._entries("manifest")

    def state(self, number: int) -> Iterator[tuple[str, PackagePath]]:
        """(sha256, logical path) of a version in the file's order; KeyError when there is no such version."""
        if not 1 <= number <= self.head:
            raise KeyError(f"v{number}")
        return ((digest, PackagePath(path.encode())) for digest, path in self._entries(f"versions.v{number}.state"))

    def blocks(self, up_to: int | None = None) -> Iterator[VersionBlock]:
        """The version blocks, oldest first: what the next inventory copies unchanged."""
        for version in self.versions:
            if up_to is None or version.number <= up_to:
                yield _OldBlock(version, self)

    def block_digest(self, number: int) -> str:
        """SHA-256 over what a version block says, whatever its spelling: equal when nothing was rewritten (E066)."""
        about = self.versions[number - 1]
        digest = hashlib.sha256(_json([about.number, about.created, about.message, about.user, about.address]).encode())
        for sha256, path in self.state(number):
            digest.update(b"\n" + sha256.encode() + b" " + path)
        return digest.hexdigest()

    def _entries(self, prefix: str) -> Iterator[tuple[str, str]]:
        import ijson

        with self.file.open("rb") as source:
            try:
                # use_float: without it a number of 5,000 digits takes the process down (ijson 3.6).
                for digest, paths in ijson.kvitems(source, prefix, use_float=True):
                    if not isinstance(paths, list) or not paths:
                        raise InventoryError("E051", f"no list of paths for {digest[:80]!r}")
                    if not _HEX.match(digest.lower()):
                        raise InventoryError("E096", f"digest {digest[:80]!r}")
                    for path in paths:
                        if not isinstance(path, str) or not is_logical(path):
                            code = "E099" if prefix == "manifest" else "E052"
                            raise InventoryError(code, f"path {str(path)[:200]!r}")
                        path.encode()  # lone surrogates are legal JSON, not legal names
                        yield digest.lower(), path
            except (ijson.JSONError, UnicodeError) as problem:
                raise InventoryError("E033", str(problem)[:200]) from None


@dataclass(frozen=True, slots=True)
class _OldBlock:
    version: Version
    inventory: Inventory

    def state(self) -> Iterator[tuple[str, PackagePath]]:
        return self.inventory.state(self.version.number)


_KNOWN_KEYS = {"digestAlgorithm", "head", "id", "type", "manifest", "versions", "fixity", "contentDirectory"}


def read_inventory(file: Path) -> Inventory:
    """Opens an inventory: checks its shape in one streaming pass (keys, type, algorithm, versions 1…head).

    InventoryError with OCFL's code when it is not one that we can read: JSON (E033), keys (E036, E102), algorithm
    other than sha256 (E025), head (E040), version numbers (E044, E046). Cross-references are `problems`.
    """
    import ijson

    scalars: dict[str, str] = {}
    blocks: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    with file.open("rb") as source:
        try:
            for prefix, event, value in ijson.parse(source, use_float=True):
                if event == "map_key" and prefix == "":
                    if value in seen or value not in _KNOWN_KEYS:
                        raise InventoryError("E102" if value not in seen else "E033", f"key {value[:80]!r}")
                    seen.add(value)
                elif event == "map_key" and prefix == "versions":
                    blocks[value] = {}
                elif event == "string" and "." not in prefix:
                    scalars[prefix] = value
                elif event == "string" and prefix.startswith("versions.") and ".state." not in prefix:
                    parts = prefix.split(".", 2)
                    if len(parts) == 3 and parts[1] in blocks:
                        blocks[parts[1]][parts[2]] = value
        except (ijson.JSONError, UnicodeError) as problem:
            raise InventoryError("E033", str(problem)[:200]) from None
    for key in ("id", "type", "digestAlgorithm", "head"):
        if key not in scalars:
            raise InventoryError("E036", f"no {key}")
    for key in ("manifest", "versions"):
        if key not in seen:
            raise InventoryError("E041" if key == "manifest" else "E043", f"no {key}")
    if scalars["digestAlgorithm"] != ALGORITHM:
        raise InventoryError("E025", scalars["digestAlgorithm"][:40])
    if scalars["type"] != TYPE:
        raise InventoryError("E038", scalars["type"][:80])
    if scalars.get("contentDirectory", "content") != "content":
        raise InventoryError("E019", scalars["contentDirectory"][:40])
    head = version_number(scalars["head"])
    numbers = sorted(version_number(name) for name in blocks)
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        raise InventoryError("E044", "version numbers are not 1, 2, 3 …")
    if head != numbers[-1]:
        raise InventoryError("E040", f"head {scalars['head'][:20]}, newest version v{numbers[-1]}")
    versions = []
    for number in numbers:
        block = blocks[f"v{number}"]
        if "created" not in block:
            raise InventoryError("E048", f"v{number} has no created")
        message, user, address = (block.get(key, "") for key in ("message", "user.name", "user.address"))
        versions.append(Version(number, block["created"], message, user, address))
    return Inventory(file, scalars["id"], head, tuple(versions))
