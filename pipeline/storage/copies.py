"""Writing one AIP version into several stores at once, and making a missing copy from a verified one.

The order over all stores: intent, content, version inventory, one sync, read-back of every byte, declaration, root
inventory, its sidecar; a store may sync and read back big content while it comes (`Sink.proof`). `write` returns then;
the caller writes the journal line and calls `close`. A process that is killed anywhere does the same call again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from pipeline.digests import ahead, buffers
from pipeline.errors import SystemProblem
from pipeline.plan import Plan
from pipeline.records import CopyRow
from pipeline.standards import ocfl
from pipeline.storage import intents
from pipeline.storage.cargo import Cargo, FromCopy, FromPlan, Piece
from pipeline.storage.lane import Lane
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import CHUNK, WHOLE, Sink, Store, StoreAbsent
from pipeline.tree import ContentDamage

_TOLD = 64 << 20
"""Bytes of a big file from one word of its progress to the next."""


class Progress(Protocol):
    """Told after each file, and now and then within a big one: `step` is `store` or `verify`.

    `size` are the bytes since the last word, `files` the files that ended with them (1 or 0).
    """

    def __call__(self, step: str, size: int, files: int, /) -> None: ...


def silent(step: str, size: int, files: int, /) -> None:
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
    return _carry(FromPlan(plan), stores, scratch, progress)


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
        cargo = FromCopy(source, urn, held.version, file, digest)
        return _carry(cargo, [target], scratch, silent)[0]


def close(urn: str, version: int, stores: Sequence[Store]) -> None:
    """Removes the intents of a version that is committed and in the journal, and of those before it.

    A store that is away keeps its intent: it is removed when that copy is made.
    """
    for store in stores:
        with contextlib.suppress(StoreAbsent):
            # A copy that was filled up at once may still have the intent of a version that it never took alone.
            for number in range(1, version + 1):
                intents.close(store, urn, number)


def _carry(cargo: Cargo, stores: Sequence[Store], scratch: Path | None, progress: Progress) -> list[CopyRow]:
    with contextlib.ExitStack() as ends:
        lanes = [Lane(store, cargo, scratch) for store in stores]
        for lane in lanes:
            ends.callback(lane.end)
        # All are looked at before anything is written: a conflict in one leaves every store as it was.
        for lane in lanes:
            lane.attempt(lane.examine)
        _stop_if_none(lanes)
        _declare(cargo, lanes, scratch)
        for piece in cargo.pieces():
            wanting = [lane for lane in lanes if lane.lacks(piece)]
            told = _send(cargo, piece, wanting, progress) if wanting else 0
            progress("store", piece.size - told, 1)
            _stop_if_none(lanes)
        for lane in lanes:
            lane.drain()
            lane.attempt(lane.look_again)
            lane.attempt(lane.put_inventories)
            lane.attempt(lane.remove_strays)
            lane.attempt(lane.store.sync)
        _read_back(cargo, lanes, progress)
        for lane in lanes:
            lane.attempt(lane.commit)
        _stop_if_none(lanes)
        return [lane.row() for lane in lanes]


def _declare(cargo: Cargo, lanes: list[Lane], scratch: Path | None) -> None:
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


def _send(cargo: Cargo, piece: Piece, lanes: list[Lane], progress: Progress = silent) -> int:
    """One source, read once, into all these stores; bytes that `progress` was told of on the way.

    SystemProblem when it is not what it has to be.
    """
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
            return 0
        return _stream(cargo, piece, lanes, source, progress)


def _stream(cargo: Cargo, piece: Piece, lanes: list[Lane], source: BinaryIO, progress: Progress) -> int:
    """Three at one time: a thread reads the next chunk, one digests this one, and here it goes to the stores."""
    digest, size, told = hashlib.sha256(), 0, 0
    sinks = _open_sinks(piece, lanes)
    try:
        with (
            ThreadPoolExecutor(1, "digest") as second,
            contextlib.closing(ahead(partial(_read_into, source, piece), buffers(CHUNK))) as chunks,
        ):
            for chunk in chunks:
                digested = second.submit(digest.update, chunk)
                for lane, sink in sinks:
                    lane.attempt(partial(sink.write, chunk))
                digested.result()
                size += len(chunk)
                if size - told >= _TOLD and size < piece.size:
                    progress("store", size - told, 0)
                    told = size
        if digest.hexdigest() != piece.sha256:
            raise cargo.changed(piece, digest.hexdigest())
    except BaseException:
        for _, sink in sinks:
            sink.abort()
        raise
    for lane, sink in sinks:
        if lane.alive:
            lane.submit(partial(lane.finish, piece, sink), heavy=True)
        else:
            sink.abort()
    return told


def _open_sinks(piece: Piece, lanes: list[Lane]) -> list[tuple[Lane, Sink]]:
    sinks: list[tuple[Lane, Sink]] = []
    for lane in lanes:

        def begin(lane: Lane = lane) -> None:
            sinks.append((lane, lane.store.sink(lane.base + piece.path, piece.size, piece.sha256)))

        lane.attempt(begin)
    return sinks


def _read_back(cargo: Cargo, lanes: list[Lane], progress: Progress) -> None:
    """Every byte of the version, from every store; what is wrong is sent once more and read again."""
    ordered = sorted(lanes, key=lambda lane: -lane.store.lanes)
    for piece in cargo.pieces():
        for lane in ordered:
            lane.submit(partial(lane.verify, piece))
        progress("verify", piece.size, 1)
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


def _stop_if_none(lanes: list[Lane]) -> None:
    """When every store has failed there is nothing to go on with."""
    if all(lane.problem is not None for lane in lanes):
        if lanes and lanes[0].problem is not None:
            raise lanes[0].problem
        raise SystemProblem("SYS-STORE-NONE")


def _whole(source: BinaryIO, piece: Piece) -> bytes:
    data = b""
    while len(data) <= piece.size:
        more = _read(source, piece, piece.size + 1 - len(data))
        if not more:
            break
        data = data + more if data else more
    return data


def _read(source: BinaryIO, piece: Piece, size: int) -> bytes:
    with _readable(piece):
        return source.read(size)


def _read_into(source: BinaryIO, piece: Piece, buffer: memoryview) -> int:
    with _readable(piece):
        return cast(io.RawIOBase, source).readinto(buffer) or 0


@contextlib.contextmanager
def _readable(piece: Piece) -> Iterator[None]:
    """What goes wrong with a source while it is read, in our words."""
    try:
        yield
    except ContentDamage as damage:
        found = damage.finding.code
        raise SystemProblem("SYS-SOURCE-CHANGED", path=piece.sha256, expected=piece.sha256, found=found) from damage
    except OSError as problem:
        raise _unreadable(piece, problem) from problem


def _unreadable(piece: Piece, problem: OSError) -> SystemProblem:
    path = piece.content.local if piece.content is not None and piece.content.local is not None else piece.sha256
    return SystemProblem("SYS-SOURCE-READ", path=path, cause=problem.strerror or problem)
