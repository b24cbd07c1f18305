"""Judging one stored copy: every file is read and compared with what its inventory, and the journal, say."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import SystemProblem
from pipeline.records import Evidence
from pipeline.standards import ocfl, ocfl_plain
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.pairs import Reader, Wanted
from pipeline.storage.stores import CHUNK, Store, StoreAbsent, on_disk

_Inventory = ocfl.Inventory | ocfl_plain.Plain


class What(StrEnum):
    """Ways in which a copy can be wrong."""

    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"
    INVENTORY = "inventory"
    ROLLED_BACK = "rolled-back"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong: `path` below the object root ("" = the whole copy), digests or words."""

    what: What
    path: str
    expected: str | None = None
    found: str | None = None


class Step(NamedTuple):
    """One file that was read; `damage` says what is wrong with it."""

    path: str
    size: int
    damage: Damage | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came out: `version` and `inventory_sha256` are those that the files were compared with.

    `conforms`: on the way every requirement of OCFL 1.1 was seen kept; False says nothing.
    """

    urn: str
    version: int | None
    inventory_sha256: str | None
    files: int
    bytes: int
    evidence: Evidence
    problems: tuple[Damage, ...]
    conforms: bool = False

    @property
    def intact(self) -> bool:
        return not self.problems

    @property
    def missing(self) -> bool:
        """Nothing of the copy is there."""
        return any(one.what is What.MISSING and one.path == "" for one in self.problems)


def judge(
    store: Store,
    urn: str,
    *,
    known: Mapping[int, str] | None = None,
    scratch: Path | None = None,
    after: str | None = None,
    on_file: Callable[[Step], None] | None = None,
    most: int = 1000,
    reader: Reader | None = None,
) -> Judgement:
    """Reads every file of a copy, all versions, and tells everything that is wrong with it; changes nothing.

    `known` are the inventory digests of the journal's commits by version: the first authority. So an inventory that
    was rewritten consistently (`inventory`) and a store that was rolled back (`rolled-back`) are seen. Without it
    the copy's own inventories must agree with one another.

    `after` is the path of the last content file of an interrupted run: what comes before it is not read again.
    `on_file` is told after each file. `reader` reads for several calls, one after the other. At most `most` problems
    are listed, a last one counts the rest.
    SystemProblem when the store fails as a whole: the copy is then not checked, never missing.
    """
    reader = reader or Reader(alone=True)
    return _Judge(store, urn, dict(known or {}), scratch, on_file, most, reader).run(after)


class _Judge:
    def __init__(
        self,
        store: Store,
        urn: str,
        known: dict[int, str],
        scratch: Path | None,
        on_file: Callable[[Step], None] | None,
        most: int,
        reader: Reader,
    ) -> None:
        self.store, self.urn, self.base = store, urn, layout.prefix(urn)
        self.known, self.scratch, self.on_file = known, scratch, on_file
        self.most, self.reader = most, reader
        self.problems: list[Damage] = []
        self.more = self.files = self.bytes = 0
        self.listed: dict[str, int] = {}
        self.being_written, self.in_work = "", "//"
        # The root inventory, where it is a plain one; whether nothing else than it says is there.
        self.root: tuple[str, ocfl_plain.Plain | None] = ("", None)
        self.conforms = False

    def run(self, after: str | None) -> Judgement:
        self.store.check()
        start = len(self.base)
        # Path → size of everything there: about 150 bytes per file, the only thing that grows with the copy.
        self.listed = {key[start:]: size for key, size in self.store.list(self.base)}
        # A listing may lag behind; the declaration is asked for by name before a copy is called missing.
        if not self.listed and self.store.head(self.base + ocfl.OBJECT_DECLARATION) is None:
            self._tell(What.MISSING, "")
            return self._judgement(None, None)
        found = self._roots()
        if found is None:
            return self._judgement(None, None)
        key, version, digest = found
        plain = self.root[1] if key == ocfl.INVENTORY and digest == self.root[0] else None
        if plain is not None and set(range(1, version)) <= self.known.keys():
            self.conforms = self.known.get(version) == digest and self._nothing_else(plain)
            self._against(plain, after)
            return self._judgement(version, digest)
        with layout.fetched(self.store, self.base + key, self.scratch) as (file, now):
            if now != digest:
                self._tell(What.INVENTORY, key, digest, now)
                return self._judgement(version, digest)
            try:
                self._against(ocfl.read_inventory(file), after)
            except ocfl.InventoryError as problem:
                self._tell(What.INVENTORY, key, "OCFL 1.1", str(problem))
        return self._judgement(version, digest)

    # --- which inventory is to be believed

    def _roots(self) -> tuple[str, int, str] | None:
        """(path, version, digest) of the inventory to compare with; tells what is wrong with the others."""
        own = {number: self._pair(f"v{number}/") for number in self._versions()}
        root = self._pair("")
        if self.known:
            return self._by_journal(root, own)
        if root is not None:
            head = next((number for number, digest in own.items() if digest == root), None)
            if head is None:
                self._tell(What.INVENTORY, ocfl.INVENTORY, " ".join(filter(None, own.values())) or None, root)
                return self._readable(ocfl.INVENTORY, root)
            return self._readable(f"v{head}/{ocfl.INVENTORY}", root)
        best = max((number for number, digest in own.items() if digest is not None), default=None)
        if best is None:
            return None
        return self._readable(f"v{best}/{ocfl.INVENTORY}", own[best] or "")

    def _by_journal(self, root: str | None, own: dict[int, str | None]) -> tuple[str, int, str] | None:
        head = max(self.known)
        expected = self.known[head]
        for number, digest in own.items():
            wanted = self.known.get(number)
            if digest is not None and wanted is not None and digest != wanted:
                self._tell(What.INVENTORY, f"v{number}/{ocfl.INVENTORY}", wanted, digest)
        for number in self.known:
            if number not in own and number < head:
                self._tell(What.MISSING, f"v{number}/{ocfl.INVENTORY}", self.known[number])
        if root == expected:
            self._writing(head + 1)
            # The version's own inventory may be gone or wrong: the root has the same bytes.
            if head not in own:
                self._tell(What.MISSING, f"v{head}/{ocfl.INVENTORY}", expected)
            return self._readable(ocfl.INVENTORY, expected)
        self._writing(head + 1)
        if root is not None and root == self.being_written and own.get(head) == expected:
            # The next version is committed here and not yet in the journal: its writer is about to say so.
            return self._readable(f"v{head}/{ocfl.INVENTORY}", expected)
        older = next((number for number, digest in self.known.items() if digest == root and number < head), None)
        newest = max(own, default=0)
        if root is not None and (older is not None or newest < head):
            self._tell(What.ROLLED_BACK, ocfl.INVENTORY, expected, root)
            if own.get(head) != expected:
                # What the store had then is still compared with itself.
                return self._readable(ocfl.INVENTORY, root)
        elif root is not None:
            self._tell(What.INVENTORY, ocfl.INVENTORY, expected, root)
        if own.get(head) == expected:
            return self._readable(f"v{head}/{ocfl.INVENTORY}", expected)
        return self._readable(ocfl.INVENTORY, root) if root is not None else None

    def _writing(self, version: int) -> None:
        """Keys of the next version are no strays while its intent is open."""
        folder = f"v{version}/"
        if any(path.startswith(folder) for path in self.listed):
            from pipeline.storage import intents

            held = intents.find(self.store, self.urn, version)
            if held is not None:
                self.being_written, self.in_work = held.inventory_sha256, folder

    def _readable(self, path: str, digest: str) -> tuple[str, int, str] | None:
        if path == ocfl.INVENTORY and digest == self.root[0] and (plain := self.root[1]) is not None:
            return self._own(path, plain, digest)
        try:
            with layout.fetched(self.store, self.base + path, self.scratch) as (file, _):
                inventory = ocfl.read_inventory(file)
        except ocfl.InventoryError as problem:
            self._tell(What.INVENTORY, path, "OCFL 1.1", str(problem))
            return None
        except KeyError:
            return None
        return self._own(path, inventory, digest)

    def _own(self, path: str, inventory: _Inventory, digest: str) -> tuple[str, int, str] | None:
        if inventory.identifier != self.urn:
            self._tell(What.INVENTORY, path, self.urn, inventory.identifier)
            return None
        return path, inventory.head, digest

    def _pair(self, folder: str) -> str | None:
        """Digest of an inventory that is there, told when its sidecar is missing or says something else."""
        found = self._digest(folder + ocfl.INVENTORY)
        if found is None:
            return None
        try:
            stated = ocfl.sidecar_digest(self.store.read(self.base + folder + ocfl.SIDECAR))
        except KeyError:
            self._tell(What.MISSING, folder + ocfl.SIDECAR, found)
            return found
        if stated != found:
            # Which of the two is wrong, the journal knows; by itself the pair is.
            right = found in self.known.values()
            self._tell(What.INVENTORY, folder + (ocfl.SIDECAR if right else ocfl.INVENTORY), stated, found)
            return found if right or not self.known else None
        return found

    def _versions(self) -> list[int]:
        folders = {layout.version_of(path) for path in self.listed} - {0}
        return sorted(number for number in folders if f"v{number}/{ocfl.INVENTORY}" in self.listed)

    # --- every file

    def _nothing_else(self, inventory: ocfl_plain.Plain) -> bool:
        """Whether exactly the files are there that a plain inventory and plain ones of its older versions ask for."""
        if self.listed.keys() != set(inventory.keys()) or min(self.listed.values()) < 0:
            return False
        for number in range(1, inventory.head):
            older = self._plain(f"v{number}/{ocfl.INVENTORY}", self.known.get(number))
            if older is None or older.head != number or not inventory.continues(older):
                return False
        return True

    def _plain(self, path: str, digest: str | None) -> ocfl_plain.Plain | None:
        """A small inventory with the digest that the journal knows, if it is a plain one."""
        size = self.listed[path]
        if digest is None or size > ocfl_plain.MOST:
            return None
        with contextlib.suppress(KeyError, SystemProblem):  # the look at every file tells of it
            raw, found = layout.bytes_of(self.store, self.base + path, size)
            return ocfl_plain.plain(raw) if found == digest else None
        return None

    def _against(self, inventory: _Inventory, after: str | None) -> None:
        self._declaration()
        if isinstance(inventory, ocfl.Inventory):
            self._histories(inventory)
        # What is expected is taken out of the listing; what remains is extra.
        left = self.listed
        for path in (ocfl.OBJECT_DECLARATION, ocfl.INVENTORY, ocfl.SIDECAR):
            left.pop(path, None)
        for number in range(1, inventory.head + 1):
            left.pop(f"v{number}/{ocfl.INVENTORY}", None)
            left.pop(f"v{number}/{ocfl.SIDECAR}", None)
        expected = iter(inventory.manifest())
        if after is not None and any(path == after for _, path in inventory.manifest()):
            for _, path in expected:
                left.pop(path, None)
                if path == after:
                    break
        with contextlib.ExitStack() as ends:
            for path, size, damage in self._looks(expected, ends):
                listed = left.pop(path, None)
                self.files += 1
                self.bytes += size
                if damage is not None:
                    self._add(damage)
                if self.on_file is not None:
                    self.on_file(Step(path, size if listed is None else listed, damage))
        for path, size in sorted(left.items()):
            if not path.startswith(self.in_work):
                self._tell(What.EXTRA, path, None, "link" if size < 0 else str(size))

    def _looks(
        self, expected: Iterator[tuple[str, str]], ends: contextlib.ExitStack
    ) -> Iterator[tuple[str, int, Damage | None]]:
        """Every file's (path, bytes read, damage) in order; several at once where that pays."""
        if self.store.lanes == 1:
            if (folder := on_disk(self.store, self.base)) is not None:
                yield from self._from_disk(expected, folder)
                return
            for digest, path in expected:
                yield self._look(path, digest, self.listed.get(path, CHUNK))
            return
        from concurrent.futures import Future, ThreadPoolExecutor

        pool = ThreadPoolExecutor(self.store.lanes, "judge")
        ends.callback(pool.shutdown, wait=True, cancel_futures=True)
        waiting: deque[Future[tuple[str, int, Damage | None]]] = deque()
        for digest, path in expected:
            waiting.append(pool.submit(self._look, path, digest))
            if len(waiting) >= self.store.lanes * 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _from_disk(self, expected: Iterator[tuple[str, str]], folder: str) -> Iterator[tuple[str, int, Damage | None]]:
        """As `_looks`. What is listed as a file lies in real folders; all that is odd is looked at once more."""
        listed = self.listed
        wanted: Iterator[Wanted] = ((path, digest, listed.get(path, -1)) for digest, path in expected)
        for (path, digest, length), found in self.reader.read(folder, wanted, len(listed), sum(listed.values())):
            if found is None:
                yield self._look(path, digest, CHUNK if length < 0 else length)
            elif (now := found[0].hex()) == digest:
                yield path, found[1], None
            else:
                yield path, found[1], Damage(What.CHANGED, path, digest, now)

    def _look(self, path: str, digest: str, length: int = CHUNK) -> tuple[str, int, Damage | None]:
        try:
            found, size = layout.digest_of(self.store, self.base + path, max(length, 0))
        except KeyError:
            return path, 0, Damage(What.MISSING, path, digest)
        except SystemProblem as problem:
            self._still_there(problem)
            return path, 0, Damage(What.UNREADABLE, path, digest, problem.code)
        return path, size, Damage(What.CHANGED, path, digest, found) if found != digest else None

    def _declaration(self) -> None:
        path = ocfl.OBJECT_DECLARATION
        try:
            found = self.store.read(self.base + path)
        except KeyError:
            self._tell(What.MISSING, path)
            return
        except SystemProblem as problem:
            self._still_there(problem)
            self._tell(What.UNREADABLE, path, None, problem.code)
            return
        if found != ocfl.OBJECT_DECLARATION_BYTES:
            self._tell(What.CHANGED, path, "ocfl_object_1.1", found[:40].decode("ascii", "replace"))

    def _histories(self, inventory: ocfl.Inventory) -> None:
        """Older inventories must tell the same of their versions (E066); needless where the journal knows them."""
        for number in range(1, inventory.head):
            path = f"v{number}/{ocfl.INVENTORY}"
            if number in self.known or path not in self.listed:
                if path not in self.listed and number not in self.known:
                    self._tell(What.MISSING, path)
                continue
            with contextlib.suppress(KeyError), layout.fetched(self.store, self.base + path, self.scratch) as (file, _):
                try:
                    old = ocfl.read_inventory(file)
                    same = old.head == number and all(
                        old.block_digest(one) == inventory.block_digest(one) for one in range(1, number + 1)
                    )
                except ocfl.InventoryError as problem:
                    self._tell(What.INVENTORY, path, "OCFL 1.1", str(problem))
                    continue
                if not same:
                    self._tell(What.INVENTORY, path, f"v1…v{number}", "E066")

    def _digest(self, path: str) -> str | None:
        size = self.listed.get(path, -1)
        try:
            if path == ocfl.INVENTORY and 0 <= size <= ocfl_plain.MOST:
                raw, found = layout.bytes_of(self.store, self.base + path, size)
                self.root = (found, ocfl_plain.plain(raw))
                return found
            return layout.digest_of(self.store, self.base + path)[0]
        except KeyError:
            if path == ocfl.INVENTORY:
                self._tell(What.MISSING, path)
            return None
        except SystemProblem as problem:
            self._still_there(problem)
            self._tell(What.UNREADABLE, path, None, problem.code)
            return None

    def _still_there(self, problem: SystemProblem) -> None:
        """One file that cannot be read is damage only in a store that otherwise answers."""
        if isinstance(problem, StoreAbsent) and not problem.transient:
            raise problem
        self.store.check()

    def _tell(self, what: What, path: str, expected: str | None = None, found: str | None = None) -> None:
        self._add(Damage(what, path, expected, found))

    def _add(self, damage: Damage) -> None:
        if len(self.problems) < self.most:
            self.problems.append(damage)
        else:
            self.more += 1

    def _judgement(self, version: int | None, digest: str | None) -> Judgement:
        problems = tuple(self.problems)
        if self.more:
            problems += (Damage(What.CHANGED, "…", None, f"+{self.more}"),)
        conforms = self.conforms and not problems
        return Judgement(self.urn, version, digest, self.files, self.bytes, Evidence.READ, problems, conforms)


def files_of(store: Store, urn: str, scratch: Path | None = None) -> Iterator[tuple[str, str]]:
    """(content path, sha256) of every content file by the copy's own inventory; nothing where there is no copy."""
    held = layout.authority(store, urn, scratch)
    if held is not None:
        with layout.fetched(store, held.key, scratch) as (file, _):
            for digest, path in ocfl.read_inventory(file).manifest():
                yield path, digest
