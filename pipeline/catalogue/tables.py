"""The tables of the catalogue, in SQL that SQLite and PostgreSQL both know."""

from __future__ import annotations

SCHEMA = 4
"""A catalogue of another number is not migrated: it is dropped and rebuilt from a store."""

# The line that a row comes from; `moment` in seconds since 1970, never falling within one writer.
_TOLD_BY = "moment BIGINT NOT NULL, writer VARCHAR(64) NOT NULL, seq BIGINT NOT NULL"

TABLES = {
    "about": "name VARCHAR(80) PRIMARY KEY, value TEXT NOT NULL",
    # `moment`: seconds since 1970 of the latest line so far
    "heads": "writer VARCHAR(64) PRIMARY KEY, seq BIGINT NOT NULL, moment BIGINT NOT NULL",
    "aips": "uuid VARCHAR(36) PRIMARY KEY, urn VARCHAR(80) NOT NULL, version INTEGER NOT NULL",
    # `findings` is JSON: level → count; `validity` too: valid, invalid, not checked → count of data files;
    # `differing`: files on which the engines of identification differ
    "versions": f"""
        uuid VARCHAR(36), version INTEGER,
        ingest VARCHAR(36) NOT NULL,
        submission_digest VARCHAR(64) NOT NULL, payload_digest VARCHAR(64) NOT NULL,
        inventory_digest VARCHAR(64) NOT NULL,
        label TEXT NOT NULL, kind TEXT NOT NULL, makes TEXT NOT NULL,
        profile TEXT NOT NULL, profile_digest VARCHAR(64) NOT NULL, root TEXT NOT NULL,
        carrier TEXT NOT NULL, carrier_name TEXT NOT NULL, carrier_digest VARCHAR(64), verdict TEXT NOT NULL,
        created VARCHAR(40) NOT NULL, committed VARCHAR(40) NOT NULL,
        files BIGINT NOT NULL, bytes BIGINT NOT NULL, stored_files BIGINT NOT NULL, stored_bytes BIGINT NOT NULL,
        findings TEXT NOT NULL, validity TEXT NOT NULL, differing BIGINT NOT NULL,
        {_TOLD_BY}, PRIMARY KEY (uuid, version)
    """,
    "formats": """
        uuid VARCHAR(36), version INTEGER, puid VARCHAR(80), files BIGINT NOT NULL, PRIMARY KEY (uuid, version, puid)
    """,
    "copies": f"""
        uuid VARCHAR(36), store_id VARCHAR(80),
        store VARCHAR(80) NOT NULL, version INTEGER NOT NULL, layout VARCHAR(40) NOT NULL, state VARCHAR(20) NOT NULL,
        evidence VARCHAR(20), inventory_digest VARCHAR(64) NOT NULL, time VARCHAR(40) NOT NULL,
        {_TOLD_BY}, PRIMARY KEY (uuid, store_id)
    """,
    # `problems` is JSON
    "audits": f"""
        uuid VARCHAR(36), store_id VARCHAR(80),
        store VARCHAR(80) NOT NULL, version INTEGER NOT NULL, run VARCHAR(80) NOT NULL, result VARCHAR(20) NOT NULL,
        evidence VARCHAR(20), files BIGINT NOT NULL, bytes BIGINT NOT NULL,
        problems TEXT NOT NULL, problems_found BIGINT NOT NULL, time VARCHAR(40) NOT NULL,
        {_TOLD_BY}, PRIMARY KEY (uuid, store_id)
    """,
    "unchecked": f"""
        uuid VARCHAR(36), store_id VARCHAR(80),
        store VARCHAR(80) NOT NULL, reason VARCHAR(40) NOT NULL, time VARCHAR(40) NOT NULL,
        {_TOLD_BY}, PRIMARY KEY (uuid, store_id)
    """,
    # `detail` is JSON
    "history": """
        writer VARCHAR(64), seq BIGINT, uuid VARCHAR(36) NOT NULL, moment BIGINT NOT NULL,
        time VARCHAR(40) NOT NULL, kind VARCHAR(40) NOT NULL, who TEXT NOT NULL, detail TEXT NOT NULL,
        PRIMARY KEY (writer, seq)
    """,
}
"""Name → columns. No key is an SQLite rowid: numbers of lines and versions are ours."""

INDEXES = (
    "CREATE INDEX versions_submission ON versions (submission_digest)",
    "CREATE INDEX versions_payload ON versions (payload_digest)",
    "CREATE INDEX history_uuid ON history (uuid)",
)
