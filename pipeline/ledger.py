"""The ledger of one ingest: a SQLite file that says what is known and done, row by row, committed batch by batch."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.errors import SystemProblem
from pipeline.records import (
    Agent,
    AipIdentity,
    Characteristics,
    Derived,
    Description,
    Event,
    Examination,
    FileRow,
    Finding,
    Format,
    Level,
    Link,
    Outcome,
    PackagePath,
    Representation,
    Right,
    Use,
    Validity,
)
from pipeline.tree import Entry
from pipeline.values import derived, dumped

FORMAT = 6
"""Number of the ledger's schema; a ledger of another number is not migrated: that ingest starts again."""

_SCHEMA = """
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE format (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE TABLE received (path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER, folder INTEGER NOT NULL,
  sha256 TEXT, digests TEXT, format INTEGER, mime TEXT) WITHOUT ROWID;
CREATE TABLE file (path BLOB PRIMARY KEY, size INTEGER NOT NULL, sha256 TEXT NOT NULL, use TEXT NOT NULL,
  mime TEXT NOT NULL, created TEXT NOT NULL, representation TEXT, original BLOB, format INTEGER,
  derived_from BLOB, derived_by TEXT, modified TEXT, state TEXT NOT NULL, lies TEXT NOT NULL,
  at BLOB NOT NULL, metadata TEXT NOT NULL, characteristics TEXT) WITHOUT ROWID;
CREATE INDEX file_digest ON file (sha256);
CREATE INDEX file_representation ON file (representation, path);
CREATE INDEX file_original ON file (original);
CREATE TABLE finding (
  stage TEXT NOT NULL, code TEXT NOT NULL, file BLOB, line INTEGER, expected TEXT, found TEXT, level TEXT);
CREATE UNIQUE INDEX finding_once ON finding
  (code, coalesce(file,x''), coalesce(line,-1), coalesce(expected,x''), coalesce(found,x''), stage);
CREATE TABLE derivative (source BLOB NOT NULL, number INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (source, number)) WITHOUT ROWID;
CREATE TABLE looked (path BLOB PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE examination (path BLOB PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mark (path BLOB NOT NULL, mark TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (path, mark)) WITHOUT ROWID;
CREATE TABLE record (what TEXT NOT NULL, key BLOB NOT NULL, value TEXT NOT NULL, PRIMARY KEY (what, key)) WITHOUT ROWID;
"""

SUBMISSION, WORK = "submission", "work"
"""Where the bytes of an AIP's file lie: in the submission under a raw path, or in a file of the work folder."""


class _Connection(sqlite3.Connection):
    """Faults of the disk (full, quota, not to be opened) are system problems; a damaged file stays a DatabaseError."""

    file: Path

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, values)
        except sqlite3.OperationalError as problem:
            raise SystemProblem("SYS-WRITE", file=self.file, cause=problem) from problem

    def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        try:
            return super().executemany(sql, rows)
        except sqlite3.OperationalError as problem:
            raise SystemProblem("SYS-WRITE", file=self.file, cause=problem) from problem

    def executescript(self, script: str, /) -> sqlite3.Cursor:
        try:
            return super().executescript(script)
        except sqlite3.OperationalError as problem:
            raise SystemProblem("SYS-WRITE", file=self.file, cause=problem) from problem


_FORMATS = 10_000
"""So many formats are known by heart; a package has a few dozen."""


class Ledger:
    """Typed rows of one ingest. Written in any order, read in an order of content, never by row id or time."""

    def __init__(self, file: Path) -> None:
        """Opens or makes the ledger; a torn or foreign one is replaced by an empty one."""
        self.file = file
        self._format_ids: dict[Format, int] = {}
        try:
            self._db = self._open()
        except (sqlite3.DatabaseError, _Foreign):
            for name in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
                name.unlink(missing_ok=True)
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(
                self.file, check_same_thread=False, isolation_level=None, timeout=60, factory=_Connection
            )
        except sqlite3.OperationalError as problem:
            raise SystemProblem("SYS-WRITE", file=self.file, cause=problem) from problem
        db.file = self.file
        try:
            db.execute("PRAGMA journal_mode=WAL")
            # A killed process loses no commit. A loss of power may cost the last ones, never their order: that work is
            # done again, up to what was kept `firmly`.
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA cache_size=-8000")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={FORMAT};COMMIT;")
            elif version != FORMAT:
                raise _Foreign
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        self._db.close()

    def _many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """One committed batch."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(sql, rows)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # facts: small things about the whole ingest

    def fact(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM fact WHERE key=?", (key,)).fetchone()
        return row[0] if row else None

    def keep(self, **facts: object) -> None:
        """Keeps facts in one commit; a fact that stands already is replaced."""
        self._many("INSERT OR REPLACE INTO fact VALUES (?,?)", [(k, str(v)) for k, v in facts.items()])

    def firmly(self, **facts: object) -> None:
        """As `keep`; with it all that was kept before survives a loss of power, too."""
        self._db.execute("PRAGMA synchronous=FULL")
        try:
            self.keep(**facts)
        finally:
            self._db.execute("PRAGMA synchronous=NORMAL")

    def begin(self, stage: str, when: str) -> bool:
        """Notes when a stage first began; False when it is done already. Findings of an earlier try are dropped."""
        if self.fact(f"{stage}.end") is not None:
            return False
        if self.fact(f"{stage}.begin") is None:
            self.keep(**{f"{stage}.begin": when})
        self._many("DELETE FROM finding WHERE stage=?", [(stage,)])
        return True

    # what arrived

    def add_received(self, entries: Iterable[Entry]) -> None:
        self._many(
            "INSERT OR REPLACE INTO received (path,size,mtime,folder) VALUES (?,?,?,?)",
            ((e.path, e.size, e.mtime_ns, int(e.is_folder)) for e in entries),
        )

    def entries(self) -> Iterator[Entry]:
        """Files and empty folders in raw-byte order."""
        sql = "SELECT path,size,mtime,folder FROM received ORDER BY path"
        for path, size, mtime, folder in self._db.execute(sql):
            yield Entry(PackagePath(path), size, mtime, bool(folder))

    def entry(self, path: PackagePath) -> Entry | None:
        sql = "SELECT size,mtime,folder FROM received WHERE path=?"
        row = self._db.execute(sql, (path,)).fetchone()
        return Entry(path, row[0], row[1], bool(row[2])) if row else None

    def unread(self) -> Iterator[Entry]:
        """Files whose bytes were not learnt yet, in raw-byte order; safe while `learnt` writes."""
        last = b""
        sql = "SELECT path,size,mtime FROM received WHERE folder=0 AND sha256 IS NULL AND path>?"
        sql += " ORDER BY path LIMIT 1000"
        while rows := self._db.execute(sql, (last,)).fetchall():
            for path, size, mtime in rows:
                yield Entry(PackagePath(path), size, mtime)
            last = rows[-1][0]

    def learnt(self, rows: Iterable[tuple[PackagePath, dict[str, str], Format | None, str]]) -> None:
        """Digests by algorithm, format, MIME type of files that were read."""
        batch = [
            (digests["sha256"], json.dumps(digests) if len(digests) > 1 else None, self._format_id(found), mime, path)
            for path, digests, found, mime in rows
        ]
        self._many("UPDATE received SET sha256=?,digests=?,format=?,mime=? WHERE path=?", batch)

    def digest(self, path: PackagePath, algorithm: str) -> str | None:
        """Lower-case hex; None when there is no such file or the algorithm was not asked for."""
        row = self._db.execute("SELECT sha256,digests FROM received WHERE path=?", (path,)).fetchone()
        if row is None or row[0] is None:
            return None
        if algorithm == "sha256":
            return str(row[0])
        return json.loads(row[1]).get(algorithm) if row[1] else None

    def digested(self) -> Iterator[tuple[PackagePath, str, int]]:
        """(path, sha256, size) of all files, in raw-byte order."""
        for row in self._db.execute("SELECT path,sha256,size FROM received WHERE folder=0 ORDER BY path"):
            yield PackagePath(row[0]), row[1], row[2]

    def known(self) -> Iterator[tuple[Entry, str, Format | None, str]]:
        """(entry, sha256, format, MIME type) of all files, in raw-byte order; safe while other tables are written."""
        last = b""
        sql = (
            "SELECT path,size,mtime,sha256,format,mime FROM received WHERE folder=0 AND path>? ORDER BY path LIMIT 1000"
        )
        formats: dict[int, Format] = {}
        while rows := self._db.execute(sql, (last,)).fetchall():
            for path, size, mtime, sha256, number, mime in rows:
                found = self._format(number, formats)
                yield Entry(PackagePath(path), size, mtime), sha256, found, mime or "application/octet-stream"
            last = rows[-1][0]

    def totals(self) -> tuple[int, int]:
        """Number of files that arrived and their bytes."""
        row = self._db.execute("SELECT count(*), coalesce(sum(size),0) FROM received WHERE folder=0").fetchone()
        return row[0], row[1]

    def formats(self) -> dict[str, int]:
        """Number of files that arrived per PUID; files that nothing matched count under `unknown`."""
        sql = (
            "SELECT f.value, count(*) FROM received r LEFT JOIN format f ON f.id=r.format"
            " WHERE r.folder=0 AND r.sha256 IS NOT NULL GROUP BY 1"
        )
        counts: dict[str, int] = {}
        for value, number in self._db.execute(sql):
            puid = json.loads(value)["puid"] if value else None
            counts[puid or "unknown"] = counts.get(puid or "unknown", 0) + number
        return dict(sorted(counts.items()))

    def _format_id(self, found: Format | None) -> int | None:
        if found is None:
            return None
        known = self._format_ids.get(found)
        if known is not None:
            return known
        value = json.dumps(asdict(found), sort_keys=True)
        row = self._db.execute("SELECT id FROM format WHERE value=?", (value,)).fetchone()
        if row is None:
            row = self._db.execute("INSERT INTO format (value) VALUES (?) RETURNING id", (value,)).fetchone()
        if len(self._format_ids) >= _FORMATS:
            self._format_ids.clear()
        self._format_ids[found] = int(row[0])
        return int(row[0])

    def _format(self, number: int | None, seen: dict[int, Format]) -> Format | None:
        if number is None:
            return None
        if number not in seen:
            value = self._db.execute("SELECT value FROM format WHERE id=?", (number,)).fetchone()[0]
            seen[number] = Format.read(json.loads(value))
        return seen[number]

    # findings

    def find(self, stage: str, findings: Iterable[Finding]) -> None:
        """Keeps findings of a stage, each once; streamed in, one commit."""
        rows = ((stage, f.code, f.file, f.line, _blank(f.expected), _blank(f.found), f.level) for f in findings)
        self._many("INSERT OR IGNORE INTO finding VALUES (?,?,?,?,?,?,?)", rows)

    def findings(self) -> Iterator[Finding]:
        """By file, then code."""
        columns = "code,file,line,expected,found,level"
        order = "coalesce(file,x''),code,line,found"
        sql = f"SELECT DISTINCT {columns} FROM finding ORDER BY {order}"
        for code, file, line, expected, found, level in self._db.execute(sql):
            path = PackagePath(file) if file is not None else None
            yield Finding(code, path, line, expected, found, Level(level) if level else None)

    def finding_weights(self) -> Iterator[tuple[Finding, int]]:
        """A finding of code and level alone for each pair that was found, and how often it was."""
        for code, level, number in self._db.execute("SELECT code,level,count(*) FROM finding GROUP BY 1,2").fetchall():
            yield Finding(code, level=Level(level) if level else None), number

    def finding_codes(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT code, count(*) FROM finding GROUP BY code ORDER BY code").fetchall())

    # examinations: what each file is technically, and whether it is whole

    def examined(self, rows: Iterable[tuple[PackagePath, Examination]]) -> None:
        """Keeps what files came to; one commit."""
        batch = ((path, dumped(one)) for path, one in rows)
        self._many("INSERT OR REPLACE INTO examination VALUES (?,?)", batch)

    def examination(self, path: PackagePath) -> Examination | None:
        """What a received file came to; None when it was not examined."""
        row = self._db.execute("SELECT value FROM examination WHERE path=?", (path,)).fetchone()
        return Examination.read(json.loads(row[0])) if row else None

    def looked(self, rows: Iterable[tuple[PackagePath, dict[str, Any]]]) -> None:
        """Keeps what the one reading saw of files for their examination; one commit."""
        self._many("INSERT OR REPLACE INTO looked VALUES (?,?)", ((path, json.dumps(value)) for path, value in rows))

    def unexamined(self) -> Iterator[tuple[Entry, Format | None, dict[str, Any] | None]]:
        """Files that were read but not examined yet, in raw-byte order, with what `looked` kept of them.

        Safe while `examined` writes.
        """
        last = b""
        sql = (
            "SELECT r.path,r.size,r.mtime,r.format,l.value FROM received r LEFT JOIN examination e ON e.path=r.path"
            " LEFT JOIN looked l ON l.path=r.path WHERE r.folder=0 AND r.sha256 IS NOT NULL AND e.path IS NULL"
            " AND r.path>? ORDER BY r.path LIMIT 1000"
        )
        formats: dict[int, Format] = {}
        while rows := self._db.execute(sql, (last,)).fetchall():
            for path, size, mtime, number, seen in rows:
                told = json.loads(seen) if seen else None
                yield Entry(PackagePath(path), size, mtime), self._format(number, formats), told
            last = rows[-1][0]

    def outcomes(self, representation: str) -> Iterator[tuple[PackagePath, str, Validity, str]]:
        """(path, sha256, outcome, what was checked) of examined data files of a representation, by path in the AIP.

        Safe while other rows are written.
        """
        last = b""
        sql = (
            "SELECT f.path,f.sha256,json_extract(e.value,'$.validity'),json_extract(e.value,'$.checked') FROM file f"
            " JOIN examination e ON e.path=f.original WHERE f.representation=? AND f.use=? AND f.path>?"
            " ORDER BY f.path LIMIT 1000"
        )
        while rows := self._db.execute(sql, (representation, str(Use.DATA), last)).fetchall():
            for path, sha256, validity, checked in rows:
                yield PackagePath(path), sha256, Validity(validity), checked
            last = rows[-1][0]

    def families(self) -> set[str]:
        """Families of formats among what was examined; empty for files that nobody knows."""
        sql = "SELECT DISTINCT json_extract(value,'$.family') FROM examination"
        return {row[0] for row in self._db.execute(sql)}

    def validity(self) -> dict[str, int]:
        """Number of examined files per outcome."""
        sql = "SELECT json_extract(value,'$.validity'), count(*) FROM examination GROUP BY 1 ORDER BY 1"
        return dict(self._db.execute(sql).fetchall())

    def forget_examinations(self, stage: str) -> None:
        """Forgets all of them and their findings, which stand under this stage, to examine again."""
        self._many("DELETE FROM examination WHERE ?", [(1,)])
        self._many("DELETE FROM looked WHERE ?", [(1,)])
        self._many("DELETE FROM finding WHERE stage=?", [(stage,)])

    def found(self, code: str, path: PackagePath) -> bool:
        """Whether a file has a finding of this code."""
        sql = "SELECT 1 FROM finding WHERE code=? AND coalesce(file,x'')=? LIMIT 1"  # as the index has it
        row = self._db.execute(sql, (code, path)).fetchone()
        return row is not None

    # what is known about a file beyond its format, for rules to ask

    def mark(self, rows: Iterable[tuple[PackagePath, str, str]]) -> None:
        """Keeps (path, mark, detail): `signed`, `encrypted` and what else rules may ask for; one commit."""
        self._many("INSERT OR REPLACE INTO mark VALUES (?,?,?)", rows)

    def marks(self, path: PackagePath) -> dict[str, str]:
        """Detail by mark."""
        return dict(self._db.execute("SELECT mark,detail FROM mark WHERE path=? ORDER BY mark", (path,)))

    # derivatives: what normalisation made of which file

    def derived(self, source: PackagePath, lines: Iterable[Derived]) -> None:
        """Keeps what a file came to, in this order and in one commit; what stood there before is gone."""
        rows = [(source, number, dumped(line)) for number, line in enumerate(lines)]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("DELETE FROM derivative WHERE source=?", (source,))
            self._db.executemany("INSERT INTO derivative VALUES (?,?,?)", rows)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def forget_derivatives(self) -> None:
        """Forgets all of them, to make them again."""
        self._many("DELETE FROM derivative WHERE ?", [(1,)])

    def derivatives_of(self, source: PackagePath) -> list[Derived]:
        """What a file came to, in order; nothing when no rule was about it or it was not reached yet."""
        rows = self._db.execute("SELECT value FROM derivative WHERE source=? ORDER BY number", (source,))
        return [derived(value) for (value,) in rows]

    def derivatives(self) -> Iterator[tuple[PackagePath, Derived]]:
        """All lines by raw path of their source; safe while other tables are written."""
        last: tuple[bytes, int] = (b"", -1)
        sql = "SELECT source,number,value FROM derivative WHERE (source,number)>(?,?) ORDER BY source,number LIMIT 500"
        while rows := self._db.execute(sql, last).fetchall():
            for source, _, value in rows:
                yield PackagePath(source), derived(value)
            last = rows[-1][0], rows[-1][1]

    # the AIP: files and the records that describe them

    def clear_aip(self) -> None:
        """Forgets the described AIP, to describe it again from the start."""
        for table in ("file", "record"):
            self._many(f"DELETE FROM {table} WHERE ?", [(1,)])

    def add_files(self, rows: Iterable[tuple[FileRow, str, bytes]]) -> None:
        """AIP files with where their bytes lie (`SUBMISSION` or `WORK`) and under which name there."""
        batch = [
            (
                row.path, row.size, row.sha256, row.use, row.mime, row.created.isoformat(), row.representation,
                row.original_name, self._format_id(row.format), row.derived_from, row.derived_by,
                row.modified.isoformat() if row.modified else None, "added", lies, at, row.metadata,
                None if row.characteristics.empty else dumped(row.characteristics),
            )
            for row, lies, at in rows
        ]  # fmt: skip
        self._many("INSERT OR REPLACE INTO file VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", batch)

    def files(self, use: Use | None = None, representation: str | None = None) -> Iterator[FileRow]:
        """By raw path bytes; safe while other rows are written."""
        where = ["path>?"]
        values: list[object] = []
        if use is not None:
            where.append("use=?")
            values.append(str(use))
        if representation is not None:
            where.append("representation=?")
            values.append(representation)
        sql = f"SELECT {_FILE} FROM file WHERE {' AND '.join(where)} ORDER BY path LIMIT 1000"
        last = b""
        formats: dict[int, Format] = {}
        while rows := self._db.execute(sql, (last, *values)).fetchall():
            for row in rows:
                yield self._file(row, formats)
            last = rows[-1][0]

    def file_at(self, path: PackagePath) -> FileRow | None:
        row = self._db.execute(f"SELECT {_FILE} FROM file WHERE path=?", (path,)).fetchone()
        return self._file(row, {}) if row else None

    def file_of(self, original: PackagePath) -> FileRow | None:
        """The AIP's file that arrived under this raw path."""
        row = self._db.execute(f"SELECT {_FILE} FROM file WHERE original=?", (original,)).fetchone()
        return self._file(row, {}) if row else None

    def _file(self, row: tuple[Any, ...], formats: dict[int, Format]) -> FileRow:
        path, size, sha256, use, mime, created, rep, original, number, *rest = row
        derived_from, derived_by, modified, metadata, told = rest
        return FileRow(
            PackagePath(path), size, sha256, Use(use), mime, datetime.fromisoformat(created), rep,
            PackagePath(original) if original is not None else None,
            self._format(number, formats),
            PackagePath(derived_from) if derived_from is not None else None,
            derived_by,
            datetime.fromisoformat(modified) if modified else None,
            metadata,
            Characteristics.read(json.loads(told)) if told else Characteristics(),
        )  # fmt: skip

    def logical(self) -> Iterator[tuple[str, bytes]]:
        """(sha256, logical path) of every file of the AIP, by digest, then path."""
        yield from self._db.execute("SELECT sha256,path FROM file ORDER BY sha256,path")

    def contents(self) -> Iterator[tuple[str, int, str, bytes]]:
        """(sha256, size, where it lies, name there), each digest once, by digest; a work file before a submission's."""
        last = ""
        sql = "SELECT sha256,size,max(lies),at FROM file WHERE sha256>? GROUP BY sha256 ORDER BY sha256 LIMIT 1000"
        while rows := self._db.execute(sql, (last,)).fetchall():
            yield from rows
            last = rows[-1][0]

    def lies_at(self, sha256: str) -> bytes:
        """Raw path of a received file with this digest; KeyError when only the work folder has it."""
        sql = "SELECT at FROM file WHERE sha256=? AND lies=? ORDER BY path LIMIT 1"
        row = self._db.execute(sql, (sha256, SUBMISSION)).fetchone()
        if row is None:
            raise KeyError(sha256)
        return bytes(row[0])

    def add_representations(self, rows: Iterable[Representation]) -> None:
        self._records("representation", ((r.name.encode(), dumped(r)) for r in rows))

    def representations(self) -> Iterator[Representation]:
        for value in self._values("representation"):
            folders = tuple(PackagePath(_bytes(f)) for f in value["empty_folders"])
            yield Representation(value["name"], folders, value["source"])

    def add_descriptions(self, rows: Iterable[Description]) -> None:
        self._records("description", ((_target(r.target), dumped(r)) for r in rows))

    def descriptions(self) -> Iterator[Description]:
        for value in self._values("description"):
            target = PackagePath(_bytes(value["target"])) if value["target"] is not None else None
            yield Description(target, tuple((term, text) for term, text in value["terms"]))

    def add_events(self, rows: Iterable[Event]) -> None:
        self._records("event", ((r.key.encode("utf-8", "surrogateescape"), dumped(r)) for r in rows))

    def events(self) -> Iterator[Event]:
        for value in self._values("event"):
            links = tuple(
                Link(v["what"], PackagePath(_bytes(v["ref"])) if v["what"] == "file" else v["ref"], v["role"])
                for v in value["links"]
            )
            yield Event(
                value["key"], value["type"], datetime.fromisoformat(value["when"]),
                datetime.fromisoformat(value["ended"]), value["detail"], Outcome(value["outcome"]), value["note"],
                tuple((name, role) for name, role in value["agents"]), links,
            )  # fmt: skip

    def add_agents(self, rows: Iterable[Agent]) -> None:
        self._records("agent", ((r.key.encode(), dumped(r)) for r in rows))

    def agents(self) -> Iterator[Agent]:
        for value in self._values("agent"):
            yield Agent(**value)

    def add_rights(self, rows: Iterable[Right]) -> None:
        self._records("right", ((r.key.encode(), dumped(r)) for r in rows))

    def rights(self) -> Iterator[Right]:
        for value in self._values("right"):
            documents = tuple((kind, text, role) for kind, text, role in value["documents"])
            targets = tuple(PackagePath(_bytes(target)) for target in value["targets"])
            start, end = value["applies"]
            yield Right(**{**value, "documents": documents, "targets": targets, "applies": (start, end)})

    def _records(self, what: str, rows: Iterable[tuple[bytes, str]]) -> None:
        self._many("INSERT OR REPLACE INTO record VALUES (?,?,?)", ((what, key, value) for key, value in rows))

    def _values(self, what: str) -> Iterator[dict[str, Any]]:
        sql = "SELECT key,value FROM record WHERE what=? AND key>? ORDER BY key LIMIT 500"
        rows = self._db.execute("SELECT key,value FROM record WHERE what=? ORDER BY key LIMIT 500", (what,)).fetchall()
        while rows:
            for _, value in rows:
                yield json.loads(value)
            rows = self._db.execute(sql, (what, rows[-1][0])).fetchall()


class LedgerRows:
    """The AIP of a ledger as `records.Rows`: streamed, in an order of content, may be iterated again."""

    def __init__(self, ledger: Ledger, identity: AipIdentity) -> None:
        self._identity = identity
        self.representations = ledger.representations
        self.files = ledger.files
        self.file = ledger.file_at
        self.descriptions = ledger.descriptions
        self.events = ledger.events
        self.agents = ledger.agents
        self.rights = ledger.rights

    def identity(self) -> AipIdentity:
        return self._identity


class _Foreign(Exception):
    """The file is a ledger of another schema."""


_FILE = (
    "path,size,sha256,use,mime,created,representation,original,format,derived_from,derived_by,modified,metadata,"
    "characteristics"
)


def _blank(text: str | None) -> str | None:
    """SQLite cannot bind surrogates; what could not be decoded is kept visibly."""
    return text if text is None else text.encode("utf-8", "backslashreplace").decode()


def _target(target: PackagePath | None) -> bytes:
    return b"" if target is None else b"/" + target


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
