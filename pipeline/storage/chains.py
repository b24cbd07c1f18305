"""Reading journals: the segments of a store or folder, all writers' lines as one stream, the check of every chain."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from pipeline.errors import SystemProblem
from pipeline.records import Finding, PackagePath
from pipeline.storage.lines import GENESIS, Broken, Kind, Line, parsed
from pipeline.storage.stores import Store

PREFIX = "journal/"

_SEGMENT = re.compile(r"^(?P<writer>[0-9a-z-]{1,64})/(?P<month>\d{4}-\d\d)/(?P<first>\d{12})-(?P<last>\d{12})\.jsonl$")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A closed part of one writer's chain; its name says which lines it holds."""

    writer: str
    first: int
    last: int
    month: str

    @property
    def path(self) -> str:
        """Below `journal/` of a store, and below the journal's folder on this machine."""
        return f"{self.writer}/{self.month}/{self.first:012}-{self.last:012}.jsonl"

    @property
    def key(self) -> str:
        return PREFIX + self.path


def segment_of(path: str) -> Segment | None:
    """The segment that has this path below `journal/`, None for anything else."""
    match = _SEGMENT.match(path)
    if match is None:
        return None
    return Segment(match["writer"], int(match["first"]), int(match["last"]), match["month"])


class Source(Protocol):
    """Where journals are read: a store, or the journal's folder on this machine."""

    @property
    def name(self) -> str: ...

    @property
    def whole(self) -> bool:
        """Every writer's journal should be here."""
        ...

    def paths(self) -> Iterator[tuple[str, int]]:
        """Paths below `journal/` with sizes in bytes, in any order."""
        ...

    def open(self, path: str) -> BinaryIO: ...


@dataclass(frozen=True, slots=True)
class StoreSource:
    """The journal in a store."""

    store: Store

    @property
    def name(self) -> str:
        return self.store.name

    @property
    def whole(self) -> bool:
        return True

    def paths(self) -> Iterator[tuple[str, int]]:
        for item in self.store.list(PREFIX):
            yield item.key[len(PREFIX) :], item.size

    def open(self, path: str) -> BinaryIO:
        # Line by line out of an unbuffered stream would ask for every byte.
        return cast(BinaryIO, BufferedReader(cast(RawIOBase, self.store.get(PREFIX + path))))


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder with one folder per writer: `journal/` of a data folder, or (`whole`) of a file store."""

    folder: Path
    name: str = "data-folder"
    whole: bool = False

    def paths(self) -> Iterator[tuple[str, int]]:
        for base, _folders, names in os.walk(self.folder):
            relative = Path(base).relative_to(self.folder)
            for name in names:
                yield (relative / name).as_posix(), (Path(base) / name).stat().st_size

    def open(self, path: str) -> BinaryIO:
        return (self.folder / path).open("rb")


def segments(source: Source) -> dict[str, list[Segment]]:
    """Segments by writer, each list in order of lines."""
    found: dict[str, list[Segment]] = {}
    for path, _size in source.paths():
        segment = segment_of(path)
        if segment is not None:
            found.setdefault(segment.writer, []).append(segment)
    return {writer: sorted(found[writer]) for writer in sorted(found)}


def read_lines(source: BinaryIO, what: str) -> Iterator[Line]:
    """The lines of one segment; SystemProblem SYS-JOURNAL-BROKEN at bytes that are no line."""
    for raw in source:
        try:
            yield parsed(raw)
        except Broken as problem:
            raise SystemProblem("SYS-JOURNAL-BROKEN", file=what, cause=problem) from None


def all_lines(
    source: Source, note: Callable[[Finding], None] | None = None, *, after: Mapping[str, int] | None = None
) -> Iterator[Line]:
    """Lines of all writers in order of time, then writer; those of one writer always in the order he wrote them.

    What is no line is told to `note` and passed over; without `note` it is raised as SYS-JOURNAL-BROKEN.
    `after` names, by writer, the last line that is known already. Memory: one open segment per writer.
    """
    known = after or {}
    streams = [_of_writer(source, chain, known.get(writer, 0), note) for writer, chain in segments(source).items()]
    for _moment, _writer, _seq, line in merge(*streams, key=lambda item: item[:3]):
        yield line


def _of_writer(
    source: Source, chain: list[Segment], done: int, note: Callable[[Finding], None] | None
) -> Iterator[tuple[datetime, str, int, Line]]:
    moment: datetime | None = None
    for segment in chain:
        if segment.last <= done:
            continue
        where = f"{source.name}:{segment.key}"
        with closing(source.open(segment.path)) as lines:
            for number, raw in enumerate(lines, 1):
                try:
                    line = parsed(raw)
                except Broken as problem:
                    if note is None:
                        raise SystemProblem("SYS-JOURNAL-BROKEN", file=where, cause=problem) from None
                    note(Finding("JRN-LINE", PackagePath(where.encode()), number, None, str(problem)))
                    continue
                if line.seq <= done or line.writer != segment.writer:
                    continue  # told twice, by a fork: the check names it
                done = line.seq
                moment = max(moment or line.time, line.time)
                yield moment, line.writer, line.seq, line


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of the journals came to; nothing is wrong when no finding has level error."""

    findings: tuple[Finding, ...]
    sources: tuple[str, ...]
    writers: int
    segments: int
    lines: int


def verify(sources: Iterable[Source]) -> Checked:
    """Reads every journal in these sources: each chain, gaps, differences between sources, seals.

    Codes: JRN-LINE, JRN-CHAIN, JRN-GAP, JRN-NAME, JRN-FORK, JRN-SEAL; JRN-LAG and JRN-CLOCK are no errors.
    """
    check = _Check()
    given = list(sources)
    for source in given:
        check.source(source)
    check.compare([source.name for source in given if source.whole])
    check.seals({source.name: source for source in given})
    return Checked(
        tuple(check.found), tuple(source.name for source in given), len(check.writers), len(check.held), check.lines
    )


@dataclass(slots=True)
class _Check:
    found: list[Finding] = field(default_factory=list)
    held: dict[Segment, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """segment → source → (SHA-256 of the segment, digest of its last line)."""
    claims: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    """(writer, seq) → sealed digest → where the seal stands."""
    writers: set[str] = field(default_factory=set)
    lines: int = 0

    def note(
        self, code: str, where: str, line: int | None = None, expected: object = None, found: object = None
    ) -> None:
        def text(value: object) -> str | None:
            return None if value is None else str(value)

        self.found.append(Finding(code, PackagePath(where.encode()), line, text(expected), text(found)))

    def source(self, source: Source) -> None:
        for writer, chain in segments(source).items():
            self.writers.add(writer)
            expected, previous, moment = 1, GENESIS, None
            for segment in chain:
                where = f"{source.name}:{segment.key}"
                if segment.first > expected:
                    self.note("JRN-GAP", where, None, f"{expected}", f"{segment.first}")
                    previous = ""
                elif segment.first < expected:
                    self.note("JRN-FORK", where, None, f"{expected}", f"{segment.first}")
                    previous = ""
                expected, previous, moment = self._segment(source, segment, where, previous, moment)

    def _segment(
        self, source: Source, segment: Segment, where: str, previous: str, moment: datetime | None
    ) -> tuple[int, str, datetime | None]:
        """Reads one segment; returns what the next one must continue. `previous` is empty after a gap."""
        whole = hashlib.sha256()
        seq = segment.first
        with closing(source.open(segment.path)) as lines:
            for number, raw in enumerate(lines, 1):
                whole.update(raw)
                self.lines += 1
                try:
                    line = parsed(raw)
                except Broken as problem:
                    self.note("JRN-LINE", where, number, None, problem)
                    seq, previous = seq + 1, hashlib.sha256(raw).hexdigest()
                    continue
                if line.writer != segment.writer:
                    self.note("JRN-NAME", where, number, segment.writer, line.writer)
                if line.seq != seq:
                    self.note("JRN-GAP", where, number, seq, line.seq)
                if previous and line.previous != previous:
                    self.note("JRN-CHAIN", where, number, previous, line.previous)
                if moment is not None and line.time < moment:
                    self.note("JRN-CLOCK", where, number, moment.isoformat(), line.time.isoformat())
                if line.kind == Kind.SEAL:
                    self._claims(line, f"{where}#{number}")
                seq, previous, moment = line.seq + 1, line.digest, line.time
        if seq != segment.last + 1:
            self.note("JRN-NAME", where, None, segment.last, seq - 1)
        self.held.setdefault(segment, {})[source.name] = (whole.hexdigest(), previous)
        return segment.last + 1, previous, moment

    def _claims(self, line: Line, where: str) -> None:
        heads = line.fields.get("heads")
        for head in heads if isinstance(heads, list) else []:
            try:
                key, digest = (str(head["writer"]), int(head["seq"])), str(head["digest"])
            except (KeyError, TypeError, ValueError):
                self.note("JRN-LINE", where, None, "writer, seq, digest", head)
                continue
            self.claims.setdefault(key, {}).setdefault(digest, where)

    def compare(self, names: list[str]) -> None:
        """The same lines in every source: same segments, same bytes."""
        latest: dict[str, Segment] = {}
        for segment in sorted(self.held):
            copies = self.held[segment]
            before = latest.get(segment.writer)
            if before is not None and segment.first <= before.last and not set(copies) & set(self.held[before]):
                self.note("JRN-FORK", segment.key, None, before.key, segment.key)
            if before is None or segment.last > before.last:
                latest[segment.writer] = segment
            if len({digest for digest, _last in copies.values()}) > 1:
                told = ", ".join(f"{name} {digest}" for name, (digest, _last) in sorted(copies.items()))
                self.note("JRN-FORK", segment.key, None, None, told)
            for name in names:
                if name not in copies:
                    self.note("JRN-LAG", f"{name}:{segment.key}", None, None, ", ".join(sorted(copies)))

    def seals(self, sources: dict[str, Source]) -> None:
        """Every sealed head is in the chain, with the digest that was sealed."""
        by_writer: dict[str, list[Segment]] = {}
        for segment in sorted(self.held):
            by_writer.setdefault(segment.writer, []).append(segment)
        whole = any(source.whole for source in sources.values())
        for (writer, seq), digests in sorted(self.claims.items()):
            if not whole and writer not in self.writers:
                continue
            home = next((one for one in by_writer.get(writer, []) if one.first <= seq <= one.last), None)
            actual: set[str] = set()
            if home is not None:
                for name, (_whole, last) in self.held[home].items():
                    actual.add(last if seq == home.last else _digest_at(sources[name], home, seq))
            for digest, where in sorted(digests.items()):
                if actual != {digest}:
                    told = ", ".join(sorted(actual)) or None
                    self.note("JRN-SEAL", where, None, f"{writer} {seq} {digest}", told)


def _digest_at(source: Source, segment: Segment, seq: int) -> str:
    with closing(source.open(segment.path)) as lines:
        for number, raw in enumerate(lines, segment.first):
            if number == seq:
                return hashlib.sha256(raw).hexdigest()
    return ""
