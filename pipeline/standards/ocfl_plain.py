"""OCFL inventories without a fault, read at one go: those of the one form that we write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.standards.ocfl import ALGORITHM, INVENTORY, OBJECT_DECLARATION, SIDECAR, TYPE
from pipeline.standards.ocfl_terms import is_time

MOST = 8 << 20
"""Bytes of an inventory up to which it is read at one go: some 25,000 files; bigger ones are streamed."""

_TOP = {"digestAlgorithm", "head", "id", "type", "manifest", "versions"}
_BLOCK = {"created", "message", "user", "state"}


@dataclass(frozen=True, slots=True)
class Plain:
    """An inventory in which every requirement of §3.5 is kept; `files` are (sha256, content path) in its order.

    Memory: some 1,000 bytes per file.
    """

    identifier: str
    head: int
    files: tuple[tuple[str, str], ...]
    versions: Mapping[str, Any]

    def manifest(self) -> Iterable[tuple[str, str]]:
        """As that of an inventory that is streamed."""
        return self.files

    def keys(self) -> Iterator[str]:
        """Every path of an object that holds what this says and nothing else, each version with its inventory."""
        yield from (OBJECT_DECLARATION, INVENTORY, SIDECAR)
        for name in self.versions:
            yield f"{name}/{INVENTORY}"
            yield f"{name}/{SIDECAR}"
        for _, path in self.files:
            yield path

    def continues(self, old: Plain) -> bool:
        """Whether an older inventory of the object says what this says of its versions and their files (E066)."""
        return (
            old.identifier == self.identifier
            and all(self.versions.get(name) == block for name, block in old.versions.items())
            and set(old.files) == {pair for pair in self.files if int(pair[1][1 : pair[1].index("/")]) <= old.head}
        )


def plain(raw: bytes) -> Plain | None:
    """The inventory in these bytes, or None where anything at all is odd: `read_inventory` then says what.

    Not None means: of the form that `write_inventory` gives, content named by its digest, SHA-256, no fixity block.
    """
    escapes = b"\\" in raw
    if len(raw) > MOST or (escapes and b"\\u" in raw):  # it may be half a surrogate pair; we write none
        return None
    try:
        made = json.loads(raw.decode(), object_pairs_hook=_once if escapes else None)
        # Of two keys that are alike one is gone: without escapes every quotation mark belongs to a text.
        return _judged(made) if escapes or 2 * _texts(made) == raw.count(b'"') else None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key twice")
    return made


def _texts(made: dict[str, Any]) -> int:
    """How many keys and texts there are, where everything is what it should be."""
    versions = made["versions"]
    count = 2 * len(made) - 2 + 2 * len(made["manifest"]) + len(versions)
    for block in versions.values():
        count += 2 * len(block) - 1 + len(block["state"]) + sum(map(len, block["state"].values()))
        count += 2 * len(block["user"]) - 1 if "user" in block else 0
    return count


def _judged(made: dict[str, Any]) -> Plain | None:
    if made.keys() != _TOP or made["type"] != TYPE or made["digestAlgorithm"] != ALGORITHM:
        return None
    identifier, manifest, versions = made["id"], made["manifest"], made["versions"]
    names = [f"v{number}" for number in range(1, len(versions) + 1)]
    if not identifier or type(identifier) is not str or not names or made["head"] != names[-1]:
        return None
    if versions.keys() != set(names):
        return None
    used: set[str] = set()
    for block in versions.values():
        if not _block(block):
            return None
        used.update(block["state"])
    if used != manifest.keys() or not _digests(used):
        return None
    files = _files(manifest, set(names))
    return Plain(identifier, len(names), files, {name: versions[name] for name in names}) if files is not None else None


def _digests(found: set[str]) -> bool:
    """Whether all are SHA-256 in small letters."""
    joined = "".join(found)
    if set(map(len, found)) - {64} or joined != joined.lower():
        return False
    return len(bytes.fromhex(joined)) == 32 * len(found)


def _files(manifest: dict[str, Any], names: set[str]) -> tuple[tuple[str, str], ...] | None:
    """Each digest with its one file; a digest cannot stand twice, so neither can a path. None where one is odd."""
    files = []
    for digest, paths in manifest.items():
        if type(paths) is not list or len(paths) != 1:
            return None
        version, _, rest = paths[0].partition("/")
        if rest != f"content/{digest[:2]}/{digest}" or version not in names:
            return None
        files.append((digest, paths[0]))
    return tuple(files)


def _block(block: dict[str, Any]) -> bool:
    """One version: its four parts in their form, its logical paths without odd elements and conflicts."""
    if not block.keys() <= _BLOCK or not is_time(block["created"]) or type(block.get("message", "")) is not str:
        return False
    if "user" in block:
        user = block["user"]
        if not user.keys() <= {"name", "address"} or not user["name"]:
            return False
        if not all(type(value) is str for value in user.values()):
            return False
    paths: list[str] = []
    for listed in block["state"].values():
        if type(listed) is not list or not listed:
            return False
        paths += listed
    return _apart(paths)


def _apart(paths: list[str]) -> bool:
    """Whether files can lie under all of these paths at once (E052, E053, E095)."""
    joined = f"/{'/'.join(paths)}/"
    if paths and any(odd in joined for odd in ("//", "/./", "/../", "\0")):
        return False
    known = set(paths)
    return len(known) == len(paths) and known.isdisjoint(_folders(paths))


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder above these paths."""
    found: set[str] = set()
    level = {path.rpartition("/")[0] for path in paths}
    while level:
        found |= level
        level = {path.rpartition("/")[0] for path in level} - found
    return found
