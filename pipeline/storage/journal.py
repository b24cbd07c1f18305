"""The journal: append-only lines per writer, each with the digest of the line before, kept in every store."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.errors import Problem, SystemProblem
from pipeline.settings import ensure_archive
from pipeline.storage.chains import PREFIX, Segment, StoreSource, read_lines, segment_of, segments
from pipeline.storage.lines import GENESIS, Broken, Kind, Line, composed, parsed
from pipeline.storage.stores import ABSENT, Store, StoreConflict
from pipeline.workspace import Workspace, account, now, sync_folder, write_json

SEGMENT_BYTES = 4 * 1024 * 1024
"""An open segment above this size is closed by the next line, whoever flushes when."""

_OPEN = re.compile(r"^(?P<first>\d{12})-(?P<previous>[0-9a-f]{64})-(?P<time>\d{8}T\d{6}Z)\.jsonl$")
_LOCK_SECONDS = 120
_SETTLED_NS = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: its last line's number, digest, time; 0 and zeros before the first line."""

    seq: int
    digest: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a flush came to: names of the stores that hold all lines now, and of those that must be filled later."""

    reached: tuple[str, ...]
    pending: Mapping[str, Problem]
    segments: int


class Journal:
    """The chain of one data folder. All its processes and threads are one writer behind one lock.

    A line is durable on this machine when `append` returns, and in the stores when `flush` returns.
    """

    def __init__(self, space: Workspace, writer: str) -> None:
        self.space = space
        self.writer = writer
        self._open = space.journal / "open" / writer
        self._trusted: tuple[Path, int, Head] | None = None
        self._months: dict[str, tuple[int, list[Segment]]] = {}
        self._compared: set[str] = set()

    # ------------------------------------------------------------------ writing

    def append(self, kind: str, fields: Mapping[str, Any]) -> Line:
        """One line more, on the disk when this returns; when SystemProblem is raised it is not there."""
        with self._locked():
            return self._append(kind, fields)

    def flush(self, stores: Iterable[Store]) -> Flushed:
        """Closes the open segment, puts all that a store lacks into each of these stores.

        A store that fails is named in `pending`; if every one fails, the first problem is raised. Other bytes
        under a sequence number of ours are an alarm: SYS-JOURNAL-FORK, after the other stores were served.
        """
        with self._locked():
            self._close()
        wanted = list(stores)
        pending: dict[str, Problem] = {}
        reached: list[str] = []
        fork: Problem | None = None
        put = 0
        for store in wanted:
            try:
                put += self._fill(store)
                reached.append(store.name)
            except SystemProblem as problem:
                pending[store.name] = problem
                if problem.code == "SYS-JOURNAL-FORK":
                    fork = fork or problem
        if fork is not None:
            raise fork
        if wanted and not reached:
            raise next(iter(pending.values()))
        return Flushed(tuple(reached), pending, put)

    def check(self, stores: Iterable[Store]) -> None:
        """Before work begins: raises SYS-JOURNAL-FORK when a store holds lines under our name that are not ours.

        That is so when the data folder was restored from a backup, or copied and used twice.
        """
        for store in stores:
            self._compare(store)

    def seal_if_due(self, stores: Iterable[Store]) -> Line | None:
        """The seal of the day, when none was made yet: a line that names the head of every writer in these stores.

        All lines are flushed first, and segments of any writer that one store holds and another lacks are copied: a
        store that lost lines of ours gets a line that says so. The caller flushes again. A store that fails meanwhile
        is passed over; two histories of one writer are SYS-JOURNAL-FORK, and then the day is not sealed.
        """
        wanted = list(stores)
        day = now().date().isoformat()
        note = self.space.journal / "sealed.json"
        if not wanted or _known(note).get("day") == day:
            return None
        self.flush(wanted)
        heads, refilled = self._level(wanted)
        for store, count in refilled.items():
            self.append(Kind.REFILLED, {"store": store.name, "store_id": store.id, "segments": count})
        with self._locked():
            if _known(note).get("day") == day:
                return None
            own = self._ready()[1]
            if own.seq:
                heads[self.writer] = (own.seq, own.digest)
            fields = {
                "day": day,
                "heads": [
                    {"writer": writer, "seq": seq, "digest": digest} for writer, (seq, digest) in sorted(heads.items())
                ],
            }
            line = self._append(Kind.SEAL, fields)
            write_json(note, {"day": day, "seq": line.seq})
        return line

    # ------------------------------------------------------------------ reading

    def lines(self, after: int = 0) -> Iterator[Line]:
        """Own lines with a sequence number above `after`, in their order, from this machine alone."""
        for segment in self._closed():
            if segment.last > after:
                with (self.space.journal / segment.path).open("rb") as source:
                    yield from (line for line in read_lines(source, segment.path) if line.seq > after)
        for file in self._open_files():
            with contextlib.suppress(FileNotFoundError), file.open("rb") as source:
                for raw in source:
                    if not raw.endswith(b"\n"):
                        return
                    line = _line(raw, file.name)
                    if line.seq > after:
                        yield line

    def head(self) -> Head:
        """Where our chain stands."""
        with self._locked():
            return self._ready()[1]

    # ------------------------------------------------------------------ the open segment

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        file = self.space.locks / "journal.lock"
        lock = FileLock(file, timeout=_LOCK_SECONDS)
        try:
            self.space.locks.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise SystemProblem("SYS-JOURNAL-BUSY", transient=True, file=file) from None
        except OSError as problem:
            raise _failed(file, problem) from problem
        try:
            yield
        except OSError as problem:
            raise _failed(self._open, problem) from problem
        finally:
            lock.release()

    def _append(self, kind: str, fields: Mapping[str, Any]) -> Line:
        file, head = self._ready()
        if file is not None and file.stat().st_size >= SEGMENT_BYTES:
            file = self._close()
        moment = now()
        back = int((head.time - moment).total_seconds()) if head.time else 0
        line = composed(
            writer=self.writer, seq=head.seq + 1, time=moment, kind=str(kind), who=account(), previous=head.digest,
            fields=fields, clock_back=max(back, 0),
        )  # fmt: skip
        if file is None:
            file = self._begin(head)
        self._write(file, line.raw)
        self._remember(file, Head(line.seq, line.digest, line.time))
        return line

    def _begin(self, head: Head) -> Path:
        """A new open segment, empty; its name says what its first line continues."""
        self._open.mkdir(parents=True, exist_ok=True)
        moment = (head.time or now()).astimezone(UTC)
        file = self._open / f"{head.seq + 1:012}-{head.digest}-{moment:%Y%m%dT%H%M%SZ}.jsonl"
        file.touch()
        sync_folder(self._open)
        return file

    def _write(self, file: Path, raw: bytes) -> None:
        """Adds bytes at the end, all of them and durable, or none."""
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            size = os.fstat(handle).st_size
            try:
                rest = memoryview(raw)
                while rest:
                    rest = rest[os.write(handle, rest) :]
                os.fsync(handle)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)

    def _ready(self) -> tuple[Path | None, Head]:
        """The open segment, healed after a kill (None where none is begun), and where the chain stands."""
        files = self._open_files()
        if len(files) > 1:
            raise SystemProblem("SYS-JOURNAL-BROKEN", file=files[1], cause="two open segments")
        if not files:
            return None, self._head_of_closed()
        file = files[0]
        size = file.stat().st_size
        if self._trusted is not None and self._trusted[:2] == (file, size):
            return file, self._trusted[2]
        match = _OPEN.match(file.name)
        assert match is not None
        moment = datetime.fromisoformat(match["time"])
        head, end = Head(int(match["first"]) - 1, match["previous"], moment), 0
        with file.open("rb") as source:
            for raw in source:
                if not raw.endswith(b"\n"):
                    break
                line = _line(raw, str(file))
                if (line.writer, line.seq, line.previous) != (self.writer, head.seq + 1, head.digest):
                    raise SystemProblem("SYS-JOURNAL-BROKEN", file=file, cause=f"seq {line.seq}")
                head, end = Head(line.seq, line.digest, line.time), end + len(raw)
        if end < size:  # a line that was being written when the process was killed: it was never reported
            os.truncate(file, end)
        self._remember(file, head)
        return file, head

    def _remember(self, file: Path, head: Head) -> None:
        self._trusted = (file, file.stat().st_size, head)

    def _open_files(self) -> list[Path]:
        try:
            return sorted(file for file in self._open.iterdir() if _OPEN.match(file.name))
        except FileNotFoundError:
            return []

    def _close(self) -> Path | None:
        """Gives the open segment its final name and begins the next one, which it returns; None when none was begun."""
        file, head = self._ready()
        if file is None or file.stat().st_size == 0:
            return file
        with file.open("rb") as source:
            first = _line(source.readline(), str(file))
        target = self.space.journal / Segment(self.writer, first.seq, head.seq, f"{first.time:%Y-%m}").path
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(target.parent.parent)
            sync_folder(self.space.journal)
        os.rename(file, target)
        sync_folder(target.parent)
        return self._begin(head)

    def _head_of_closed(self) -> Head:
        """Where the chain stands when no segment is open: in a new data folder, or killed while one was closed."""
        head = Head(0, GENESIS, None)
        for segment in self._closed()[-1:]:
            with (self.space.journal / segment.path).open("rb") as source:
                for line in read_lines(source, segment.path):
                    head = Head(line.seq, line.digest, line.time)
        return head

    def _closed(self) -> list[Segment]:
        """Own closed segments on this machine, in order. A month's folder is read again only when it may have changed.

        A folder's time is too coarse to tell two changes that follow at once: a young one is always read again.
        """
        with contextlib.suppress(FileNotFoundError):
            for month in os.scandir(self.space.journal / self.writer):
                stamp = month.stat().st_mtime_ns
                if self._months.get(month.name, (0, []))[0] != stamp:
                    names = [f"{self.writer}/{month.name}/{name}" for name in os.listdir(month.path)]
                    settled = time.time_ns() - stamp > _SETTLED_NS
                    found = [segment for segment in map(segment_of, names) if segment]
                    self._months[month.name] = (stamp if settled else 0, found)
        return sorted(segment for _, segments in self._months.values() for segment in segments)

    # ------------------------------------------------------------------ the stores

    def _fill(self, store: Store) -> int:
        """Puts the closed segments that this store lacks; returns how many."""
        mark = self.space.journal / "held" / f"{store.name}-{store.id}.json"
        last = _known(mark).get("last", 0)
        there = self._compare(store)
        missing = [segment for segment in self._closed() if segment.last > last]
        for segment in missing:
            if segment not in there:
                _put(store, segment, (self.space.journal / segment.path).read_bytes())
        if missing:
            mark.parent.mkdir(exist_ok=True)
            with self._locked():
                if _known(mark).get("last", 0) < missing[-1].last:
                    write_json(mark, {"last": missing[-1].last})
        return len(missing)

    def _compare(self, store: Store) -> set[Segment]:
        """Own segments of the last months as the store has them, once per process; an alarm when they are not ours.

        Names are compared with ours, and the bytes of the newest one: the chain answers for those before it.
        """
        if store.id in self._compared:
            return set()
        with self._locked():
            ours = set(self._closed())
            head = self._ready()[1]
        newest = max(ours, key=lambda segment: segment.last, default=None)
        months = {f"{now():%Y-%m}"} | ({newest.month} if newest else set())
        there = set()
        for month in sorted(months):
            for item in store.list(f"{PREFIX}{self.writer}/{month}/"):
                segment = segment_of(item.key[len(PREFIX) :])
                if segment is not None and segment not in ours:
                    raise _fork(store, segment.key, f"{head.seq}")
                if segment is not None:
                    there.add(segment)
        for segment in sorted(there)[-1:]:
            if store.read(segment.key) != (self.space.journal / segment.path).read_bytes():
                raise _fork(store, segment.key, f"{segment.last}")
        self._compared.add(store.id)
        return there

    def _level(self, stores: list[Store]) -> tuple[dict[str, tuple[int, str]], dict[Store, int]]:
        """Every store gets what another one, or this data folder, holds: the heads of all writers, what was refilled.

        Heads are (sequence number, digest). A refilled segment of ours was there once: we had put it there.
        """
        with self._locked():
            ours = set(self._closed())
        held: dict[str, set[Segment]] = {}
        by_id = {store.id: store for store in stores}
        for one in list(by_id):
            try:
                held[one] = set().union(*segments(StoreSource(by_id[one])).values())
            except SystemProblem:
                del by_id[one]
        refilled: dict[Store, int] = {}
        newest: dict[str, Segment] = {}
        for segment in sorted(ours.union(*held.values())):
            before = newest.get(segment.writer)
            owners = [one for one, there in held.items() if segment in there]
            if before is not None and segment.first <= before.last:
                store = by_id[owners[0]] if owners else stores[0]
                raise _fork(store, segment.key, before.key)
            newest[segment.writer] = segment
            for one, there in held.items():
                if segment not in there:
                    try:
                        _put(by_id[one], segment, self._bytes(segment, ours, [by_id[owner] for owner in owners]))
                    except SystemProblem as problem:
                        if problem.code == "SYS-JOURNAL-FORK":
                            raise
                        continue
                    there.add(segment)
                    if segment in ours:
                        refilled[by_id[one]] = refilled.get(by_id[one], 0) + 1
        heads = {}
        for writer, segment in newest.items():
            owners = [one for one, there in held.items() if segment in there]
            try:
                raw = self._bytes(segment, ours, [by_id[owner] for owner in owners])
            except SystemProblem:
                continue
            for line in read_lines(BytesIO(raw), segment.key):
                heads[writer] = (line.seq, line.digest)
        return heads, refilled

    def _bytes(self, segment: Segment, ours: set[Segment], owners: list[Store]) -> bytes:
        """A segment from here, or from the first store that gives it."""
        if segment in ours:
            return (self.space.journal / segment.path).read_bytes()
        last: SystemProblem = SystemProblem("SYS-JOURNAL-BROKEN", file=segment.key, cause="-")
        for store in owners:
            try:
                return store.read(segment.key)
            except KeyError:
                continue
            except SystemProblem as problem:
                last = problem
        raise last


def journal(space: Workspace) -> Journal:
    """The journal of this data folder; its writer id is drawn with the first call."""
    return Journal(space, ensure_archive(space).writer)


def _put(store: Store, segment: Segment, raw: bytes) -> None:
    """Writes one segment, durable when this returns; what is there already must be the same bytes."""
    if store.head(segment.key) is None:
        try:
            store.replace(segment.key, raw, ABSENT)
            return
        except StoreConflict:
            pass  # another process of ours was faster
    if store.read(segment.key) != raw:
        raise _fork(store, segment.key, f"{segment.last}")


def _fork(store: Store, key: str, known: str) -> SystemProblem:
    return SystemProblem("SYS-JOURNAL-FORK", store=store.name, key=key, known=known)


def _failed(file: Path, problem: OSError) -> SystemProblem:
    return SystemProblem("SYS-JOURNAL-WRITE", file=file, cause=problem.strerror or problem)


def _line(raw: bytes, what: str) -> Line:
    try:
        return parsed(raw)
    except Broken as problem:
        raise SystemProblem("SYS-JOURNAL-BROKEN", file=what, cause=problem) from None


def _known(file: Path) -> dict[str, Any]:
    """A small note of ours; an unreadable one counts as not written: what it saves is then done again."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
