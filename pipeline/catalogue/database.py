"""The database that holds the catalogue: opened, and made anew when it is not one of ours.

Spoken to in plain SQL that other databases know too: a library that builds it would take a fifth of a second to load,
more than most commands need for all else.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.catalogue.tables import INDEXES, SCHEMA, TABLES

Connection = sqlite3.Connection
DatabaseError = sqlite3.DatabaseError
Error = sqlite3.Error
OperationalError = sqlite3.OperationalError

_SECONDS = 60
"""So long a call waits for another process that writes."""


class Row(sqlite3.Row):
    """A row whose columns are members too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except IndexError:
            raise AttributeError(name) from None


class Database:
    """One file. Each thread that asks has a connection of its own for that time; they are kept for the next one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to ask."""
        with self._lock:
            db = self._idle.pop() if self._idle else None
        db = db or self._connected()
        try:
            yield db
        except BaseException:
            db.close()  # whatever state it was left in
            raise
        with self._lock:
            self._idle.append(db)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction: committed at the end, or nothing of it was done."""
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    def close(self) -> None:
        """Closes every connection that nobody uses; the next call opens one again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def prepare(self) -> None:
        """Makes the tables where there are none; anew when they have another schema or the file cannot be read."""
        try:
            with self.reading() as db:
                there = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'about'").fetchone()
                if there and _schema(db) == str(SCHEMA):
                    return
        except OperationalError:
            raise  # locked, or the disk
        except DatabaseError:
            self._put_aside()
        self.make_anew()

    def make_anew(self) -> None:
        """Empty tables of this schema, whatever was there under their names before; other tables are not ours."""
        try:
            self._made()
        except OperationalError:
            raise
        except DatabaseError:
            self._put_aside()
            self._made()

    def _made(self) -> None:
        with self.writing() as db:
            for name, columns in TABLES.items():
                db.execute(f"DROP TABLE IF EXISTS {name}")
                db.execute(f"CREATE TABLE {name} ({columns})")
            for index in INDEXES:
                db.execute(index)
            db.execute("INSERT INTO about (name, value) VALUES ('schema', ?)", (str(SCHEMA),))

    def _connected(self) -> Connection:
        # Handed from thread to thread, used by one at a time.
        db = sqlite3.connect(self.file, timeout=_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = Row
            # No sync per line: what a power cut takes is taken in again from the journal.
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            db.close()
            raise
        return db

    def _put_aside(self) -> None:
        """A database file that is none gets another name; it is a cache."""
        self.close()
        self.file.replace(f"{self.file}.unreadable-{int(time.time())}")
        for beside in ("-wal", "-shm"):
            Path(f"{self.file}{beside}").unlink(missing_ok=True)


def _schema(db: Connection) -> str | None:
    """The number of the schema; None in a table that is not ours."""
    try:
        row = db.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
    except OperationalError as problem:
        if "no such column" in str(problem):
            return None
        raise
    return None if row is None else str(row[0])
