"""The database that holds the catalogue: opened, and made anew when it is not one of ours."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, delete, event, insert, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from pipeline.catalogue.tables import SCHEMA, about, metadata


def engine(url: str) -> Engine:
    """The engine of a URL; SQLite is set up as the cache that it is."""
    if not url.startswith("sqlite"):
        return create_engine(url)
    made = create_engine(url, connect_args={"timeout": 60})

    @event.listens_for(made, "connect")
    def light(connection: Any, _record: Any) -> None:
        """No sync per line: what a power cut takes is taken in again from the journal."""
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return made


def prepare(engine: Engine) -> None:
    """Makes the tables where there are none; anew when they have another schema or the file cannot be read."""
    try:
        if inspect(engine).has_table(about.name):
            with engine.connect() as db:
                if db.execute(select(about.c.value).where(about.c.name == "schema")).scalar() == str(SCHEMA):
                    return
    except OperationalError:
        raise  # locked, or the disk: another schema says otherwise
    except DatabaseError:
        _put_aside(engine)
    make_anew(engine)


def make_anew(engine: Engine) -> None:
    """Empty tables of this schema, whatever was there under their names before; other tables are not ours."""
    try:
        there = MetaData()
        there.reflect(engine, only=lambda name, _: name in metadata.tables)
        there.drop_all(engine)
    except OperationalError:
        raise
    except DatabaseError:
        _put_aside(engine)
    metadata.create_all(engine)
    with engine.begin() as db:
        db.execute(delete(about).where(about.c.name == "schema"))
        db.execute(insert(about).values(name="schema", value=str(SCHEMA)))


def _put_aside(engine: Engine) -> None:
    """A database file that is none gets another name; it is a cache."""
    name = engine.url.database
    if engine.url.get_backend_name() != "sqlite" or not name:
        return
    engine.dispose()
    Path(name).replace(f"{name}.unreadable-{int(time.time())}")
    for beside in ("-wal", "-shm"):
        Path(name + beside).unlink(missing_ok=True)
