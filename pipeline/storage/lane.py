"""One store's side of a write: what is there already, what is sent, read back and committed."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pipeline.errors import SystemProblem
from pipeline.records import CopyRow, CopyState, Evidence
from pipeline.standards import ocfl
from pipeline.storage import intents
from pipeline.storage.cargo import Cargo, Piece
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import CHUNK, Proof, Sink, Store, StoreAbsent, on_disk, trouble
from pipeline.storage.stores.disk import out_of_memory, sync_file_system


class Lane:
    """One store's side of a write. Its first problem ends its part; everything after that is skipped."""

    def __init__(self, store: Store, cargo: Cargo, scratch: Path | None) -> None:
        self.store = store
        self.cargo = cargo
        self.scratch = scratch
        self.base = layout.prefix(cargo.urn)
        self.problem: SystemProblem | None = None
        self.held: layout.Authority | None = None
        self.declared = False
        self.present: dict[str, int] = {}
        self.wrong: list[Piece] = []
        self._proofs: dict[str, Proof] = {}
        self._synced = False
        self.inventories: dict[str, str] = {}
        self.by_server = False
        self._bug: BaseException | None = None
        self._server = store.setting.verify == "server"
        self._pool = ThreadPoolExecutor(store.lanes, "store") if store.lanes > 1 else None
        # So many bodies may be in memory (at most 4 MiB each) and in scratch files at once.
        self._room = _Room(store.lanes + 2)
        self._heavy = _Room(2)
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        return self.problem is None

    @property
    def committed(self) -> bool:
        return self.held is not None and self.held.sha256 == self.cargo.inventory_sha256

    def attempt(self, act: Callable[[], object]) -> None:
        """Does it here and now unless this store has failed; keeps the store's problem."""
        if self.problem is None:
            try:
                act()
            except (layout.Diverged, intents.OtherIntent):
                raise
            except SystemProblem as problem:
                self._fail(problem)

    def submit(self, act: Callable[[], object], *, heavy: bool = False) -> None:
        """As `attempt`, in parallel where that pays; blocks while enough is under way, so that memory stays flat."""
        if self._pool is None:
            self.attempt(act)
            return
        if self.problem is not None:
            return
        room = self._heavy if heavy else self._room
        room.enter()

        def ended(done: Future[None]) -> None:
            if not done.cancelled():
                self._bug = self._bug or done.exception()
            room.leave()

        self._pool.submit(self.attempt, act).add_done_callback(ended)

    def drain(self) -> None:
        """Waits until everything submitted is done; raises what no store may raise."""
        self._room.drain()
        self._heavy.drain()
        if self._bug is not None:
            raise self._bug

    def end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _fail(self, problem: SystemProblem) -> None:
        with self._lock:
            self.problem = self.problem or problem

    # --- steps

    def examine(self) -> None:
        """What is there already; repairs a root pair forward; refuses what this version cannot follow."""
        cargo, store = self.cargo, self.store
        store.check()
        store.abort_unfinished(self.base)
        found = layout.survey(store, cargo.urn, range(cargo.first, cargo.version + 1))
        if found.root_inventory or found.root_sidecar:
            self.held = layout.settle(store, cargo.urn, self.scratch)
        self.declared = found.declared
        last = self.held.version if self.held is not None else 0
        self.present = {path: size for path, size in found.present.items() if layout.version_of(path) > last}
        if self.committed or (self.held is None and cargo.first == 1):
            return
        if self.held is None or last < cargo.first - 1:
            raise SystemProblem("SYS-COPY-BEHIND", store=store.name, aip=cargo.urn, found=last, expected=cargo.version)
        if last >= cargo.version or not layout.same_history(store, self.held, cargo.inventory, self.scratch):
            found_digest, wanted = self.held.sha256, cargo.inventory_sha256
            raise layout.Diverged(
                "SYS-STORE-DIVERGED", store=store.name, aip=cargo.urn, found=found_digest, expected=wanted
            )

    def lacks(self, piece: Piece) -> bool:
        """Whether a piece has to be sent. One that lies there with the right size is judged by the read-back alone."""
        if not self.alive:
            return False
        if self.present.pop(piece.path, -1) == piece.size:
            self.attempt(partial(self._from_the_disk, piece.path))
            return False
        # What committed versions name is there, or is damage that an audit tells; a write does not touch it.
        return self.held is None or layout.version_of(piece.path) > self.held.version

    def _from_the_disk(self, path: str) -> None:
        """The read-back of what an earlier attempt left: its sync may have failed, which memory would not show."""
        folder = on_disk(self.store, self.base)
        if folder is None:
            return
        try:
            if not self._synced and not sync_file_system(Path(folder)):
                os.sync()
            self._synced = True
            out_of_memory(folder + path)
        except OSError as problem:
            raise trouble(self.store.name, problem, self.base + path) from problem

    def put(self, piece: Piece, data: bytes) -> None:
        self.store.put(self.base + piece.path, data, piece.size, piece.sha256)

    def finish(self, piece: Piece, sink: Sink) -> None:
        """Ends a sink; keeps its proof, where it has one, for `verify`."""
        try:
            sink.finish()
        except BaseException:
            sink.abort()
            raise
        if sink.proof is not None:
            self._proofs[piece.path] = sink.proof

    def look_again(self) -> None:
        """Whoever slept past its lease must not go on below what another writer has committed meanwhile.

        From here on only fixed names are written and strays removed; the commit itself has its own condition.
        """
        before = self.held.sha256 if self.held is not None else None
        try:
            now = ocfl.sidecar_digest(self.store.read(self.base + ocfl.SIDECAR))
        except KeyError:
            now = None
        if now == self.cargo.inventory_sha256:
            self.held, self.present = layout.settle(self.store, self.cargo.urn, self.scratch), {}
        elif now != before:
            raise layout.Diverged(
                "SYS-STORE-DIVERGED",
                store=self.store.name,
                aip=self.cargo.urn,
                found=now or "-",
                expected=self.cargo.inventory_sha256,
            )

    def put_inventories(self) -> None:
        cargo = self.cargo
        last = self.held.version if self.held is not None else 0
        for number, data in cargo.earlier():
            if number > last:
                self._put_pair(number, data, hashlib.sha256(data).hexdigest())
        if cargo.version > last:
            self._put_pair(cargo.version, layout.body_of(cargo.inventory), cargo.inventory_sha256)

    def _put_pair(self, number: int, body: bytes | Path, sha256: str) -> None:
        size = len(body) if isinstance(body, bytes) else body.stat().st_size
        line = ocfl.sidecar(sha256)
        for name, data, length, digest in (
            (f"v{number}/{ocfl.INVENTORY}", body, size, sha256),
            (f"v{number}/{ocfl.SIDECAR}", line, len(line), hashlib.sha256(line).hexdigest()),
        ):
            self.inventories[name] = digest
            if self.present.pop(name, -1) != length or digest != self._digest(name):
                self.store.put(self.base + name, data, length, digest)

    def remove_strays(self) -> None:
        """What lies below the version and is not named by its inventory: leftovers of another attempt (E023)."""
        for path in self.present:
            self.store.delete(self.base + path)
        self.present = {}

    def verify(self, piece: Piece) -> None:
        """Reads a piece back. What is wrong is noted, to be sent once more."""
        if self._server:
            head = self.store.head(self.base + piece.path)
            if head is not None and head.sha256 is not None:
                self.by_server = True
                if head.sha256 != piece.sha256 or head.size != piece.size:
                    self._mark(piece)
                return
        if (self._proved(piece.path) or self._digest(piece.path, piece.size)) != piece.sha256:
            self._mark(piece)

    def verify_inventories(self) -> None:
        for path, expected in self.inventories.items():
            self._insist(path, expected)

    def commit(self) -> None:
        if self.committed:
            return
        etag = None
        if self.held is not None:
            head = self.store.head(self.base + ocfl.INVENTORY)
            etag = head.etag if head is not None else None
        cargo = self.cargo
        layout.commit(self.store, cargo.urn, cargo.inventory, cargo.inventory_sha256, etag, self.declared)

    def insist(self, piece: Piece) -> None:
        self._insist(piece.path, piece.sha256)

    def row(self) -> CopyRow:
        if self.problem is None:
            evidence = Evidence.SERVER if self.by_server else Evidence.READ
            return CopyRow(self.store.name, CopyState.VERIFIED, evidence)
        state = CopyState.ABSENT if isinstance(self.problem, StoreAbsent) else CopyState.MISSING
        return CopyRow(self.store.name, state, None, str(self.problem))

    def _mark(self, piece: Piece) -> None:
        with self._lock:
            self.wrong.append(piece)

    def _proved(self, path: str) -> str | None:
        """What was read back on its way; None if nothing was, or something has touched it since."""
        proof = self._proofs.pop(path, None)
        head = self.store.head(self.base + path) if proof is not None else None
        return proof.sha256 if proof is not None and head is not None and head.etag == proof.etag else None

    def _digest(self, path: str, size: int = CHUNK) -> str | None:
        try:
            return layout.digest_of(self.store, self.base + path, size)[0]
        except KeyError:
            return None

    def _insist(self, path: str, expected: str) -> None:
        found = self._digest(path)
        if found != expected:
            key = self.base + path
            raise SystemProblem(
                "SYS-STORE-BYTES", store=self.store.name, key=key, expected=expected, found=found or "-"
            )


class _Room:
    """Counts what is under way; `enter` blocks when it is too much."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._inside = 0
        self._changed = threading.Condition()

    def enter(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self._size)
            self._inside += 1

    def leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def drain(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._inside == 0)
