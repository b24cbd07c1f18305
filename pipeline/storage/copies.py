"""Writing one AIP version into several stores at once, and making a missing copy from a verified one.

The order over all stores: intent, content, version inventory, one sync, read-back of every byte, declaration, root
inventory, its sidecar. `write` returns then; the caller writes the journal line and calls `close`. A process that
is killed anywhere does the same call again.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.errors import SystemProblem
from pipeline.plan import Content, Plan
from pipeline.records import CopyRow, CopyState, Evidence
from pipeline.standards import ocfl
from pipeline.storage import intents
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import CHUNK, WHOLE, Sink, Store, StoreAbsent
from pipeline.tree import ContentDamage


class Progress(Protocol):
    """Told after each file: `step` is `store` or `verify`, `size` its bytes."""

    def __call__(self, step: str, size: int, /) -> None: ...


def silent(step: str, size: int, /) -> None:
    """Nobody listens."""


def write(
    plan: Plan, stores: Sequence[Store], *, scratch: Path | None = None, progress: Progress = silent
) -> list[CopyRow]:
    """Stores a sealed version; a row per store, in their order. Idempotent and resumable after a kill anywhere.

    Every source is read once for all stores together and digested on the way. A store that fails gets a row
    `absent` (it is not there) or `missing` (it is, but could not take the copy) with the reason; the others go on.

    Raises SystemProblem, with nothing committed anywhere: a source that is no longer what the plan says
    (SYS-SOURCE-CHANGED), `intents.OtherIntent`, `layouts.ocfl.Diverged`; and the first store's problem when all fail.
    """
    return _carry(_FromPlan(plan), stores, scratch, progress)


def fill(
    source: Store, target: Store, urn: str, *, expected: str | None = None, scratch: Path | None = None
) -> CopyRow:
    """Makes the copy in `target` from the one in `source`, all versions, byte by byte the same.

    `expected` is the inventory digest of the journal's newest commit; without it the source's own word counts.
    Every byte is digested when it is read from the source and read back from the target. Versions that the target
    has already stay. Raises SystemProblem: the source is not what its inventory says (SYS-COPY-SOURCE, the path
    named), the target fails or holds another history; nothing is committed then. The caller calls `close`.
    """
    held = layout.authority(source, urn, scratch)
    if held is None or (expected is not None and held.sha256 != expected):
        found = held.sha256 if held is not None else "-"
        raise SystemProblem(
            "SYS-COPY-SOURCE", store=source.name, aip=urn, path=ocfl.INVENTORY, expected=expected or "-", found=found
        )
    with layout.fetched(source, held.key, scratch) as (file, digest):
        if digest != held.sha256:
            raise SystemProblem(
                "SYS-COPY-SOURCE", store=source.name, aip=urn, path=ocfl.INVENTORY, expected=held.sha256, found=digest
            )
        cargo = _FromCopy(source, urn, held.version, file, digest)
        return _carry(cargo, [target], scratch, silent)[0]


def close(urn: str, version: int, stores: Sequence[Store]) -> None:
    """Removes the intents of a version that is committed and in the journal. A store that is away keeps its intent:
    it is removed when that copy is made."""
    for store in stores:
        with contextlib.suppress(StoreAbsent):
            intents.close(store, urn, version)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A content file of an object: its path below the object root, and what it must be."""

    path: str
    sha256: str
    size: int
    content: Content | None = None


class _Cargo(Protocol):
    """What has to be in a store for a version to be there; `pieces` may be asked again."""

    @property
    def urn(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def inventory(self) -> Path: ...
    @property
    def inventory_sha256(self) -> str: ...

    def pieces(self) -> Iterator[_Piece]: ...
    def open(self, piece: _Piece) -> BinaryIO: ...
    def generated(self) -> Iterator[tuple[Content, BinaryIO]]: ...
    def earlier(self) -> Iterator[tuple[int, bytes]]:
        """Inventories of earlier versions that a store without the object needs, too."""
        ...

    @property
    def first(self) -> int:
        """The version from which on this cargo holds content: a store must have all before."""
        ...

    def changed(self, piece: _Piece, found: str) -> SystemProblem: ...


@dataclass(frozen=True, slots=True)
class _FromPlan:
    plan: Plan

    @property
    def urn(self) -> str:
        return self.plan.urn

    @property
    def version(self) -> int:
        return self.plan.version

    @property
    def first(self) -> int:
        return self.plan.version

    @property
    def inventory(self) -> Path:
        return self.plan.inventory

    @property
    def inventory_sha256(self) -> str:
        return self.plan.inventory_sha256

    def pieces(self) -> Iterator[_Piece]:
        for content in self.plan.contents():
            path = ocfl.content_path(self.plan.version, content.sha256)
            yield _Piece(path, content.sha256, content.size, content)

    def open(self, piece: _Piece) -> BinaryIO:
        assert piece.content is not None
        return self.plan.open(piece.content)

    def generated(self) -> Iterator[tuple[Content, BinaryIO]]:
        for content in self.plan.contents():
            if content.generated:
                yield content, self.plan.open(content)

    def earlier(self) -> Iterator[tuple[int, bytes]]:
        return iter(())

    def changed(self, piece: _Piece, found: str) -> SystemProblem:
        local = piece.content.local if piece.content is not None else None
        path = local or piece.sha256
        return SystemProblem("SYS-SOURCE-CHANGED", path=path, expected=piece.sha256, found=found)


@dataclass(frozen=True, slots=True)
class _FromCopy:
    source: Store
    urn: str
    version: int
    inventory: Path
    inventory_sha256: str

    @property
    def first(self) -> int:
        return 1

    def pieces(self) -> Iterator[_Piece]:
        base = layout.prefix(self.urn)
        for digest, path in ocfl.read_inventory(self.inventory).manifest():
            head = self.source.head(base + path)
            if head is None:
                raise self._bad(path, digest, "-")
            yield _Piece(path, digest, head.size)

    def open(self, piece: _Piece) -> BinaryIO:
        return self.source.get(layout.prefix(self.urn) + piece.path)

    def generated(self) -> Iterator[tuple[Content, BinaryIO]]:
        return iter(())

    def earlier(self) -> Iterator[tuple[int, bytes]]:
        base = layout.prefix(self.urn)
        for number in range(1, self.version):
            try:
                data = self.source.read(f"{base}v{number}/{ocfl.INVENTORY}")
                stated = ocfl.sidecar_digest(self.source.read(f"{base}v{number}/{ocfl.SIDECAR}"))
            except KeyError:
                raise self._bad(f"v{number}/{ocfl.INVENTORY}", "-", "-") from None
            found = hashlib.sha256(data).hexdigest()
            if found != stated:
                raise self._bad(f"v{number}/{ocfl.INVENTORY}", stated or "-", found)
            yield number, data

    def changed(self, piece: _Piece, found: str) -> SystemProblem:
        return self._bad(piece.path, piece.sha256, found)

    def _bad(self, path: str, expected: str, found: str) -> SystemProblem:
        return SystemProblem(
            "SYS-COPY-SOURCE", store=self.source.name, aip=self.urn, path=path, expected=expected, found=found
        )


class _Lane:
    """One store's side of a write. Its first problem ends its part; everything after that is skipped."""

    def __init__(self, store: Store, cargo: _Cargo, scratch: Path | None) -> None:
        self.store = store
        self.cargo = cargo
        self.scratch = scratch
        self.base = layout.prefix(cargo.urn)
        self.problem: SystemProblem | None = None
        self.held: layout.Authority | None = None
        self.declared = False
        self.present: dict[str, int] = {}
        self.wrong: list[_Piece] = []
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

    def lacks(self, piece: _Piece) -> bool:
        """Whether a piece has to be sent. One that lies there with the right size is judged by the read-back alone."""
        if not self.alive:
            return False
        if self.present.pop(piece.path, -1) == piece.size:
            return False
        # What committed versions name is there, or is damage that an audit tells; a write does not touch it.
        return self.held is None or layout.version_of(piece.path) > self.held.version

    def put(self, piece: _Piece, data: bytes) -> None:
        self.store.put(self.base + piece.path, data, piece.size, piece.sha256)

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

    def verify(self, piece: _Piece) -> None:
        """Reads a piece back. What is wrong is noted, to be sent once more."""
        if self._server:
            head = self.store.head(self.base + piece.path)
            if head is not None and head.sha256 is not None:
                self.by_server = True
                if head.sha256 != piece.sha256 or head.size != piece.size:
                    self._mark(piece)
                return
        if self._digest(piece.path) != piece.sha256:
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

    def insist(self, piece: _Piece) -> None:
        self._insist(piece.path, piece.sha256)

    def row(self) -> CopyRow:
        if self.problem is None:
            evidence = Evidence.SERVER if self.by_server else Evidence.READ
            return CopyRow(self.store.name, CopyState.VERIFIED, evidence)
        state = CopyState.ABSENT if isinstance(self.problem, StoreAbsent) else CopyState.MISSING
        return CopyRow(self.store.name, state, None, str(self.problem))

    def _mark(self, piece: _Piece) -> None:
        with self._lock:
            self.wrong.append(piece)

    def _digest(self, path: str) -> str | None:
        try:
            return layout.digest_of(self.store, self.base + path)[0]
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


def _carry(cargo: _Cargo, stores: Sequence[Store], scratch: Path | None, progress: Progress) -> list[CopyRow]:
    with contextlib.ExitStack() as ends:
        lanes = [_Lane(store, cargo, scratch) for store in stores]
        for lane in lanes:
            ends.callback(lane.end)
        # All are looked at before anything is written: a conflict in one leaves every store as it was.
        for lane in lanes:
            lane.attempt(lane.examine)
        _stop_if_none(lanes)
        _declare(cargo, lanes, scratch)
        for piece in cargo.pieces():
            wanting = [lane for lane in lanes if lane.lacks(piece)]
            if wanting:
                _send(cargo, piece, wanting)
            progress("store", piece.size)
            _stop_if_none(lanes)
        for lane in lanes:
            lane.drain()
            lane.attempt(lane.put_inventories)
            lane.attempt(lane.remove_strays)
            lane.attempt(lane.store.sync)
        _read_back(cargo, lanes, progress)
        for lane in lanes:
            lane.attempt(lane.commit)
        _stop_if_none(lanes)
        return [lane.row() for lane in lanes]


def _declare(cargo: _Cargo, lanes: list[_Lane], scratch: Path | None) -> None:
    """The intent, in every store that has not committed this version yet."""
    waiting = [lane for lane in lanes if lane.alive and not lane.committed]
    if not waiting:
        return
    urn, version, digest = cargo.urn, cargo.version, cargo.inventory_sha256
    try:
        with intents.packed(urn, version, cargo.inventory, digest, cargo.generated(), scratch) as body:
            for lane in waiting:
                wanted = intents.Intent(lane.store.name, urn, version, digest)
                lane.attempt(partial(intents.open_intent, lane.store, wanted, body))
    except OSError as problem:
        raise SystemProblem("SYS-STORE-SCRATCH", cause=problem.strerror or problem) from problem


def _send(cargo: _Cargo, piece: _Piece, lanes: list[_Lane]) -> None:
    """One source, read once, into all these stores. SystemProblem when it is not what it has to be."""
    try:
        source = cargo.open(piece)
    except KeyError:
        raise cargo.changed(piece, "-") from None
    except OSError as problem:
        raise _unreadable(piece, problem) from problem
    with contextlib.closing(source):
        if piece.size <= WHOLE:
            data = _whole(source, piece)
            found = hashlib.sha256(data).hexdigest()
            if found != piece.sha256:
                raise cargo.changed(piece, found)
            # Stores that work in parallel first: they are busy while the others are served here.
            for lane in sorted(lanes, key=lambda lane: -lane.store.lanes):
                lane.submit(partial(lane.put, piece, data))
        else:
            _stream(cargo, piece, lanes, source)


def _stream(cargo: _Cargo, piece: _Piece, lanes: list[_Lane], source: BinaryIO) -> None:
    digest = hashlib.sha256()
    sinks = _open_sinks(piece, lanes)
    try:
        while chunk := _read(source, piece):
            digest.update(chunk)
            for lane, sink in sinks:
                lane.attempt(partial(sink.write, chunk))
        if digest.hexdigest() != piece.sha256:
            raise cargo.changed(piece, digest.hexdigest())
    except BaseException:
        for _, sink in sinks:
            sink.abort()
        raise
    for lane, sink in sinks:
        if lane.alive:
            lane.submit(partial(_finish, sink), heavy=True)
        else:
            sink.abort()


def _open_sinks(piece: _Piece, lanes: list[_Lane]) -> list[tuple[_Lane, Sink]]:
    sinks: list[tuple[_Lane, Sink]] = []
    for lane in lanes:

        def begin(lane: _Lane = lane) -> None:
            sinks.append((lane, lane.store.sink(lane.base + piece.path, piece.size, piece.sha256)))

        lane.attempt(begin)
    return sinks


def _finish(sink: Sink) -> None:
    try:
        sink.finish()
    except BaseException:
        sink.abort()
        raise


def _read_back(cargo: _Cargo, lanes: list[_Lane], progress: Progress) -> None:
    """Every byte of the version, from every store; what is wrong is sent once more and read again."""
    ordered = sorted(lanes, key=lambda lane: -lane.store.lanes)
    for piece in cargo.pieces():
        for lane in ordered:
            lane.submit(partial(lane.verify, piece))
        progress("verify", piece.size)
    for lane in lanes:
        lane.drain()
        again, lane.wrong = lane.wrong, []
        # Damage below a committed version is for an audit to tell: nothing is written there any more.
        if again and lane.alive and not lane.committed:
            for piece in again:
                _send(cargo, piece, [lane])
            lane.drain()
            lane.attempt(lane.store.sync)
        for piece in again:
            lane.attempt(partial(lane.insist, piece))
        lane.attempt(lane.verify_inventories)


def _stop_if_none(lanes: list[_Lane]) -> None:
    """When every store has failed there is nothing to go on with."""
    if all(lane.problem is not None for lane in lanes):
        if lanes and lanes[0].problem is not None:
            raise lanes[0].problem
        raise SystemProblem("SYS-STORE-NONE")


def _whole(source: BinaryIO, piece: _Piece) -> bytes:
    data = b""
    while len(data) <= piece.size:
        more = _read(source, piece, piece.size + 1 - len(data))
        if not more:
            break
        data = data + more if data else more
    return data


def _read(source: BinaryIO, piece: _Piece, size: int = CHUNK) -> bytes:
    try:
        return source.read(size)
    except ContentDamage as damage:
        found = damage.finding.code
        raise SystemProblem("SYS-SOURCE-CHANGED", path=piece.sha256, expected=piece.sha256, found=found) from damage
    except OSError as problem:
        raise _unreadable(piece, problem) from problem


def _unreadable(piece: _Piece, problem: OSError) -> SystemProblem:
    path = piece.content.local if piece.content is not None and piece.content.local is not None else piece.sha256
    return SystemProblem("SYS-SOURCE-READ", path=path, cause=problem.strerror or problem)
