"""The tables of the catalogue, in SQL that SQLite and PostgreSQL both know."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

SCHEMA = 4
"""A catalogue of another number is not migrated: it is dropped and rebuilt from a store."""

metadata = MetaData()


def _told_by() -> tuple[Column[int], Column[str], Column[int]]:
    """The line that a row comes from; `moment` in seconds since 1970, never falling within one writer."""
    return (
        Column("moment", BigInteger, nullable=False),
        Column("writer", String(64), nullable=False),
        Column("seq", BigInteger, nullable=False),
    )


about = Table("about", metadata, Column("name", String(80), primary_key=True), Column("value", Text, nullable=False))

heads = Table(
    "heads",
    metadata,
    Column("writer", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("moment", BigInteger, nullable=False),  # seconds since 1970 of the latest line so far
)

aips = Table(
    "aips",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("urn", String(80), nullable=False),
    Column("version", Integer, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("ingest", String(36), nullable=False),
    Column("submission_digest", String(64), nullable=False),
    Column("payload_digest", String(64), nullable=False),
    Column("inventory_digest", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("makes", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("profile_digest", String(64), nullable=False),
    Column("root", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("carrier_name", Text, nullable=False),
    Column("carrier_digest", String(64)),
    Column("verdict", Text, nullable=False),
    Column("created", String(40), nullable=False),
    Column("committed", String(40), nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("stored_files", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("findings", Text, nullable=False),  # JSON: level → count
    Column("validity", Text, nullable=False),  # JSON: valid, invalid, not checked → count of data files
    Column("differing", BigInteger, nullable=False),  # files on which the engines of identification differ
    *_told_by(),
)
Index("versions_submission", versions.c.submission_digest)
Index("versions_payload", versions.c.payload_digest)

formats = Table(
    "formats",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("puid", String(80), primary_key=True),
    Column("files", BigInteger, nullable=False),
)

copies = Table(
    "copies",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("store_id", String(80), primary_key=True),
    Column("store", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("layout", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("evidence", String(20)),
    Column("inventory_digest", String(64), nullable=False),
    Column("time", String(40), nullable=False),
    *_told_by(),
)

audits = Table(
    "audits",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("store_id", String(80), primary_key=True),
    Column("store", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("run", String(80), nullable=False),
    Column("result", String(20), nullable=False),
    Column("evidence", String(20)),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("problems", Text, nullable=False),  # JSON
    Column("problems_found", BigInteger, nullable=False),
    Column("time", String(40), nullable=False),
    *_told_by(),
)

unchecked = Table(
    "unchecked",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("store_id", String(80), primary_key=True),
    Column("store", String(80), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("time", String(40), nullable=False),
    *_told_by(),
)

history = Table(
    "history",
    metadata,
    Column("writer", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", String(36), nullable=False),
    Column("moment", BigInteger, nullable=False),
    Column("time", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("who", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
)
Index("history_uuid", history.c.uuid)
