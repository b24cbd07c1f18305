"""What is held: answers from the lines of the journal, kept ready in a database."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.catalogue.database import Connection, Database, DatabaseError, Error, OperationalError, Row
from pipeline.catalogue.taking import order_of, take
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.storage.journal import Journal
from pipeline.storage.lines import CopyAudit, CopyProblem, Line, Result
from pipeline.workspace import Workspace

_BATCH = 500
_LOCK_SECONDS = 300
_COPIES = """
    SELECT copies.*, aips.urn, audits.moment AS audited, audits.result,
        (SELECT SUM(stored_files) FROM versions
            WHERE versions.uuid = copies.uuid AND versions.version <= copies.version) AS files,
        (SELECT SUM(stored_bytes) FROM versions
            WHERE versions.uuid = copies.uuid AND versions.version <= copies.version) AS bytes
    FROM copies JOIN aips ON aips.uuid = copies.uuid
    LEFT JOIN audits ON audits.uuid = copies.uuid AND audits.store_id = copies.store_id
    WHERE EXISTS (SELECT 1 FROM versions WHERE versions.uuid = copies.uuid AND versions.version <= copies.version)
"""
"""Copies with their last audit and what they weigh: the content of all versions up to theirs."""
_PREFIX = re.compile(r"^(?:urn:uuid:|uuid-)?([0-9a-f][0-9a-f-]{0,35})$")


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """One copy of an AIP as the journal tells it.

    `state` is `verified`, `waiting`, `damaged`, `missing` or `unreadable`. `written` is when it was made, `audited`
    when an audit last read it, None when never; both in seconds since 1970. `inventory_digest` is what the commit line
    says of it, empty for a waiting copy. `files` and `bytes` are the content of all versions it holds.
    """

    aip: str
    version: int
    store: str
    store_id: str
    layout: str
    state: str
    evidence: str | None
    inventory_digest: str
    written: int
    audited: int | None
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """An AIP in its newest version, as committed."""

    uuid: str
    urn: str
    version: int
    ingest: str
    submission_digest: str
    payload_digest: str
    inventory_digest: str
    label: str
    kind: str
    profile: str
    root: str
    created: str
    files: int
    bytes: int
    formats: Mapping[str, int]
    copies: tuple[HeldCopy, ...]


@dataclass(frozen=True, slots=True)
class FormatCount:
    """How many files of the holdings, in how many AIPs, are of a format; `puid` `unknown` for those of none."""

    puid: str
    files: int
    aips: int


@dataclass(frozen=True, slots=True)
class OddFormats:
    """How many files of an AIP are not identified, and on how many the engines differ."""

    aip: str
    label: str
    unknown: int
    differing: int


class Catalogue:
    """A cache of the journal. Processes share it behind one lock; it may be deleted at any time.

    `journal` is that of the data folder: lines that another process wrote and did not record are taken from it.
    """

    def __init__(self, space: Workspace, journal: Journal | None = None) -> None:
        self.space = space
        self.journal = journal
        self._database = Database(space.catalogue)
        try:
            self._open()
        except SystemProblem as problem:
            if not isinstance(problem.__cause__, DatabaseError) or isinstance(problem.__cause__, OperationalError):
                raise
            self.begin_rebuild()  # pages of it cannot be read: it is a cache
            self.catch_up()

    def _open(self) -> None:
        with self._locked(), _in_our_words():
            self._database.prepare()
        self.catch_up()

    def close(self) -> None:
        self._database.close()

    # ------------------------------------------------------------------ writing

    def record(self, line: Line) -> None:
        """Takes in one line; a line that was taken in before changes nothing."""
        if self.apply([line]) == 0 and self.journal is not None and line.writer == self.journal.writer:
            self.catch_up()  # another process wrote lines before it and has not recorded them yet

    def catch_up(self) -> int:
        """Takes in the lines of this data folder that are not in yet; returns how many."""
        if self.journal is None:
            return 0
        after = self.seen().get(self.journal.writer, 0)
        head = self.journal.head().seq
        if head < after:  # lines that are not in the journal: a catalogue from elsewhere, or the journal was set back
            self.begin_rebuild()
            after = 0
        return self.apply(self.journal.lines(after)) if head > after else 0

    def seen(self) -> dict[str, int]:
        """Up to which number the lines of each writer are in."""
        with self._reading() as db:
            return {row.writer: row.seq for row in db.execute("SELECT writer, seq FROM heads")}

    def apply(self, lines: Iterable[Line], *, gaps: bool = False) -> int:
        """Takes in lines, those of one writer in their order; returns how many were new.

        A line that leaves a gap ends its writer's part, so that it comes again with those before it; with `gaps`
        it is taken in as it is.
        """
        count = 0
        batch: list[Line] = []
        for line in lines:
            batch.append(line)
            if len(batch) >= _BATCH:
                count += self._apply(batch, gaps)
                batch = []
        return count + self._apply(batch, gaps)

    @property
    def fresh(self) -> bool:
        """No store's journal was read to its end since the tables were made: other writers' AIPs are not known."""
        with self._reading() as db:
            return db.execute("SELECT 1 FROM about WHERE name LIKE 'read %' LIMIT 1").fetchone() is None

    def has_read(self, store_id: str) -> bool:
        """This store's journal was read to its end once."""
        with self._reading() as db:
            return db.execute("SELECT 1 FROM about WHERE name = ?", (f"read {store_id}",)).fetchone() is not None

    def begin_rebuild(self) -> None:
        """Forgets everything."""
        with self._locked(), _in_our_words():
            self._database.make_anew()

    def end_reading(self, store_id: str) -> None:
        """From here on the catalogue is as complete as that store's journal."""
        with self._locked(), _in_our_words(), self._database.writing() as db:
            db.execute("DELETE FROM about WHERE name = ?", (f"read {store_id}",))
            db.execute("INSERT INTO about (name, value) VALUES (?, '')", (f"read {store_id}",))

    # ------------------------------------------------------------------ asking

    def find(self, text: str) -> Held:
        """The AIP with this URN, root folder, UUID or unique beginning of it; UsageProblem when none or several."""
        match = _PREFIX.match(text.strip().lower())
        if match is None:
            raise UsageProblem("USE-AIP-UNKNOWN", aip=text)
        with self._reading() as db:
            query = "SELECT uuid FROM aips WHERE uuid LIKE ? ORDER BY uuid LIMIT 6"
            found = [str(row.uuid) for row in db.execute(query, (f"{match[1]}%",))]
            if not found:
                raise UsageProblem("USE-AIP-UNKNOWN", aip=text)
            if len(found) > 1:
                raise UsageProblem("USE-AIP-AMBIGUOUS", aip=text, known=", ".join(found[:5]))
            return self._held(db, found[0])

    def by_submission(self, digest: str) -> Held | None:
        """The AIP that was made from this submission; the newest one where an earlier write is stranded."""
        found = self._by("submission_digest", digest)
        return found[-1] if found else None

    def by_payload(self, digest: str) -> tuple[Held, ...]:
        """All AIPs with this payload, in order of commit."""
        return self._by("payload_digest", digest)

    def committed(self, urn: str, version: int) -> str | None:
        """Digest of the inventory that was committed as this version; None when there was no such commit."""
        return self.inventories(urn).get(version)

    def inventories(self, urn: str) -> dict[int, str]:
        """Digest of the committed inventory of every version: the first authority on what a copy has to be."""
        own = urn.removeprefix("urn:uuid:")
        query = "SELECT version, inventory_digest FROM versions WHERE uuid = ? ORDER BY version"
        with self._reading() as db:
            return {row.version: row.inventory_digest for row in db.execute(query, (own,))}

    def holdings(self) -> Iterator[Held]:
        """All AIPs, by UUID."""
        last = ""
        while True:
            with self._reading() as db:
                query = "SELECT uuid FROM aips WHERE uuid > ? ORDER BY uuid LIMIT ?"
                page = [self._held(db, row.uuid) for row in db.execute(query, (last, _BATCH)).fetchall()]
            if not page:
                return
            yield from page
            last = page[-1].uuid

    def count(self) -> int:
        """How many AIPs are held."""
        with self._reading() as db:
            return int(db.execute("SELECT COUNT(*) FROM aips").fetchone()[0])

    def formats(self) -> list[FormatCount]:
        """Every format of the newest versions, the most frequent first."""
        query = """
            SELECT formats.puid, SUM(formats.files) AS files, COUNT(*) AS aips
            FROM formats JOIN aips ON aips.uuid = formats.uuid AND aips.version = formats.version
            GROUP BY formats.puid ORDER BY SUM(formats.files) DESC, formats.puid
        """
        with self._reading() as db:
            return [FormatCount(row.puid, int(row.files), int(row.aips)) for row in db.execute(query)]

    def odd_formats(self) -> Iterator[OddFormats]:
        """AIPs whose newest version holds files that are not identified, or on which the engines differ; by UUID."""
        query = """
            SELECT aips.urn, versions.label, COALESCE(formats.files, 0) AS unknown, versions.differing
            FROM aips JOIN versions ON versions.uuid = aips.uuid AND versions.version = aips.version
            LEFT JOIN formats ON formats.uuid = versions.uuid AND formats.version = versions.version
                AND formats.puid = 'unknown'
            WHERE formats.files > 0 OR versions.differing > 0 ORDER BY aips.uuid
        """
        with self._reading() as db:
            for row in db.execute(query):
                yield OddFormats(row.urn, row.label, int(row.unknown), int(row.differing))

    def copies(self, *, store: str | None = None, aip: str | None = None) -> list[HeldCopy]:
        """Copies in the order in which they are due: never read by an audit first, then the longest ago.

        `store` is a name, `aip` a URN. Waiting copies are among them. Memory: about 500 bytes a copy.
        """
        query = _COPIES
        given: list[str] = []
        for column, value in (("copies.store", store), ("aips.urn", aip)):
            if value is not None:
                query, given = f"{query} AND {column} = ?", [*given, value]
        order = "COALESCE(audits.moment, 0), copies.moment, copies.uuid, copies.store, copies.store_id"
        with self._reading() as db:
            return [_copy(row) for row in db.execute(f"{query} ORDER BY {order}", given)]

    def audited(self, urn: str, store_id: str) -> CopyAudit | None:
        """The last audit of a copy."""
        own = urn.removeprefix("urn:uuid:")
        with self._reading() as db:
            row = db.execute("SELECT * FROM audits WHERE uuid = ? AND store_id = ?", (own, store_id)).fetchone()
        if row is None:
            return None
        problems = tuple(CopyProblem.of(one) for one in json.loads(row.problems))
        return CopyAudit(
            urn, row.version, row.store, store_id, Result(row.result), row.run, row.evidence, row.files, row.bytes,
            problems, row.problems_found,
        )  # fmt: skip

    def show(self, urn: str) -> dict[str, Any]:
        """What `show/1` says of an AIP: the same from every catalogue that has taken in the same lines."""
        own = urn.removeprefix("urn:uuid:")
        with self._reading() as db:
            all_versions = db.execute("SELECT * FROM versions WHERE uuid = ? ORDER BY version", (own,)).fetchall()
            if not all_versions:
                raise UsageProblem("USE-AIP-UNKNOWN", aip=urn)
            head = all_versions[-1]
            held = self._held(db, own)
            lines = db.execute("SELECT * FROM history WHERE uuid = ? ORDER BY moment, writer, seq", (own,))
            return {
                "aip": held.urn,
                "version": held.version,
                "label": held.label,
                "root": held.root,
                "kind": held.kind,
                "makes": head.makes,
                "profile": held.profile,
                "profile_digest": head.profile_digest,
                "verdict": head.verdict,
                "ingest": held.ingest,
                "submission_digest": held.submission_digest,
                "payload_digest": held.payload_digest,
                "carrier": {"kind": head.carrier, "name": head.carrier_name, "digest": head.carrier_digest},
                "created": held.created,
                "committed": head.committed,
                "files": held.files,
                "bytes": held.bytes,
                "formats": dict(held.formats),
                "findings": json.loads(head.findings),
                "validity": json.loads(head.validity),
                "versions": [
                    {
                        "version": row.version, "ingest": row.ingest, "created": row.created,
                        "committed": row.committed, "submission_digest": row.submission_digest,
                        "inventory_digest": row.inventory_digest, "files": row.files, "bytes": row.bytes,
                        "stored_files": row.stored_files, "stored_bytes": row.stored_bytes,
                    }
                    for row in all_versions
                ],
                "copies": [self._show_copy(db, own, copy) for copy in held.copies],
                "history": [
                    {"time": row.time, "who": row.who, "kind": row.kind, **json.loads(row.detail)} for row in lines
                ],
            }  # fmt: skip

    # ------------------------------------------------------------------ within

    def _show_copy(self, db: Connection, own: str, copy: HeldCopy) -> dict[str, Any]:
        def at(table: str) -> Any:
            query = f"SELECT * FROM {table} WHERE uuid = ? AND store_id = ?"
            return db.execute(query, (own, copy.store_id)).fetchone()

        row, audit, later = at("copies"), at("audits"), at("unchecked")
        if audit is not None and later is not None and order_of(later) < order_of(audit):
            later = None
        return {
            "store": copy.store, "store_id": copy.store_id, "layout": copy.layout, "version": copy.version,
            "state": copy.state, "evidence": copy.evidence, "inventory_digest": copy.inventory_digest,
            "written": row.time if row.state == "verified" else None,
            "audit": None if audit is None else {
                "time": audit.time, "version": audit.version, "result": audit.result, "evidence": audit.evidence,
                "files": audit.files, "bytes": audit.bytes, "problems_found": audit.problems_found,
                "problems": json.loads(audit.problems),
            },
            "not_checked": None if later is None else {"time": later.time, "reason": later.reason},
        }  # fmt: skip

    def _by(self, column: str, value: str) -> tuple[Held, ...]:
        query = f"""
            SELECT uuid, MIN(moment) AS first FROM versions WHERE {column} = ? GROUP BY uuid ORDER BY first, uuid
        """
        with self._reading() as db:
            return tuple(self._held(db, row.uuid) for row in db.execute(query, (value,)).fetchall())

    def _held(self, db: Connection, own: str) -> Held:
        aip = db.execute("SELECT * FROM aips WHERE uuid = ?", (own,)).fetchone()
        at = (own, aip.version)
        row = db.execute("SELECT * FROM versions WHERE uuid = ? AND version = ?", at).fetchone()
        counts = db.execute("SELECT puid, files FROM formats WHERE uuid = ? AND version = ? ORDER BY puid", at)
        formats = {one.puid: one.files for one in counts}
        query = f"{_COPIES} AND copies.uuid = ? ORDER BY copies.store, copies.store_id"
        return Held(
            own, aip.urn, aip.version, row.ingest, row.submission_digest, row.payload_digest, row.inventory_digest,
            row.label, row.kind, row.profile, row.root, row.created, row.files, row.bytes, formats,
            tuple(_copy(one) for one in db.execute(query, (own,))),
        )  # fmt: skip

    def _apply(self, lines: list[Line], gaps: bool) -> int:
        if not lines:
            return 0
        with self._locked(), _in_our_words(), self._database.writing() as db:
            known = {row.writer: (row.seq, row.moment) for row in db.execute("SELECT * FROM heads")}
            count = 0
            for line in lines:
                seq, before = known.get(line.writer, (0, 0))
                if line.seq <= seq or (line.seq > seq + 1 and not gaps):
                    continue
                moment = max(before, int(line.time.timestamp()))
                try:
                    take(db, line, {"moment": moment, "writer": line.writer, "seq": line.seq})
                except (LookupError, TypeError, ValueError) as problem:
                    where = f"{line.writer} {line.seq}"
                    raise SystemProblem("SYS-JOURNAL-BROKEN", file=where, cause=problem) from problem
                known[line.writer] = (line.seq, moment)
                count += 1
            for writer in {line.writer for line in lines} & set(known):
                db.execute("DELETE FROM heads WHERE writer = ?", (writer,))
                db.execute("INSERT INTO heads (writer, seq, moment) VALUES (?, ?, ?)", (writer, *known[writer]))
            return count

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _in_our_words(), self._database.reading() as db:
            yield db

    def _locked(self) -> _Lock:
        self.space.locks.mkdir(parents=True, exist_ok=True)
        return _Lock(self.space.locks / "catalogue.lock")


class _Lock:
    """The lock of the catalogue's writers, raised about in our words."""

    def __init__(self, file: Path) -> None:
        self._lock = FileLock(file, timeout=_LOCK_SECONDS)

    def __enter__(self) -> None:
        try:
            self._lock.acquire()
        except (Timeout, OSError) as problem:
            raise SystemProblem("SYS-CATALOGUE", transient=True, cause=problem) from problem

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _copy(row: Row) -> HeldCopy:
    """What an audit found wrong stands until another audit finds it right, whatever was added meanwhile."""
    bad = row.state == "verified" and row.result not in (None, Result.INTACT)
    state = row.result if bad else row.state
    return HeldCopy(
        row.urn, row.version, row.store, row.store_id, row.layout, state, row.evidence, row.inventory_digest,
        row.moment, row.audited, int(row.files), int(row.bytes),
    )  # fmt: skip


@contextlib.contextmanager
def _in_our_words() -> Iterator[None]:
    """What a database raises is ours to explain: SYS-CATALOGUE, transient where it was only in use."""
    try:
        yield
    except (Error, OSError) as problem:
        busy = isinstance(problem, OperationalError) and "locked" in str(problem)
        raise SystemProblem("SYS-CATALOGUE", transient=busy, cause=str(problem).splitlines()[0]) from problem
