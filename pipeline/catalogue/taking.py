"""Lines of the journal into the tables of the catalogue."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from pipeline.catalogue.database import Connection
from pipeline.records import Agreement
from pipeline.storage.lines import Commit, Kind, Line, StoreCopy
from pipeline.workspace import rfc3339

_HISTORY = (
    "INSERT INTO history (writer, seq, uuid, moment, time, kind, who, detail)"
    " VALUES (:writer, :seq, :uuid, :moment, :time, :kind, :who, :detail)"
)
_FORMATS = "INSERT INTO formats (uuid, version, puid, files) VALUES (:uuid, :version, :puid, :files)"


def take(db: Connection, line: Line, told: Mapping[str, Any]) -> None:
    """One line into the tables. What it says wins over what earlier lines said, in whatever order they come."""
    fields = line.fields
    if line.kind == Kind.COMMIT:
        _commit(db, line, Commit.of(fields), told)
    elif line.kind == Kind.COPY_MADE:
        own, store = _uuid(fields["aip"]), StoreCopy(**fields["store"])
        _copy_row(db, own, fields["version"], store, line, told)
        _history(db, own, line, told, {"version": fields["version"], "store": store.name, "from": fields["from"]})
    elif line.kind == Kind.AUDIT:
        own = _uuid(fields["aip"])
        kept = ("version", "store", "run", "result", "evidence", "files", "bytes", "problems_found")
        values = {key: fields[key] for key in kept}
        problems = json.dumps(fields["problems"], ensure_ascii=False)
        key = {"uuid": own, "store_id": fields["store_id"]}
        _newest(db, "audits", key, {**values, "problems": problems, "time": rfc3339(line.time)}, told)
        short = {key: fields[key] for key in ("version", "store", "result", "evidence", "problems_found")}
        _history(db, own, line, told, short)
    elif line.kind == Kind.NOT_CHECKED:
        values = {"store": fields["store"], "reason": fields["reason"], "time": rfc3339(line.time)}
        for urn in fields["aips"]:
            _newest(db, "unchecked", {"uuid": _uuid(urn), "store_id": fields["store_id"]}, values, told)
    elif isinstance(fields.get("aip"), str):
        detail = {key: value for key, value in fields.items() if key != "aip"}
        _history(db, _uuid(fields["aip"]), line, told, detail)


def _commit(db: Connection, line: Line, commit: Commit, told: Mapping[str, Any]) -> None:
    own = _uuid(commit.aip)
    values = {
        name: getattr(commit, name) for name in (
            "ingest", "submission_digest", "payload_digest", "inventory_digest", "label", "kind", "makes", "profile",
            "profile_digest", "root", "carrier", "carrier_name", "carrier_digest", "verdict", "created", "files",
            "bytes", "stored_files", "stored_bytes",
        )
    }  # fmt: skip
    values["committed"] = rfc3339(line.time)
    values["findings"] = json.dumps(dict(sorted(commit.findings.items())))
    values["validity"] = json.dumps(dict(sorted(commit.validity.items())))
    values["differing"] = commit.agreement.get(Agreement.DIFFER, 0)
    key = {"uuid": own, "version": commit.version}
    if _newest(db, "versions", key, values, told):
        db.execute("DELETE FROM formats WHERE uuid = :uuid AND version = :version", key)
        counts = ({**key, "puid": puid, "files": files} for puid, files in sorted(commit.formats.items()))
        db.executemany(_FORMATS, counts)
    head = db.execute("SELECT version FROM aips WHERE uuid = ?", (own,)).fetchone()
    if head is None:
        db.execute("INSERT INTO aips (uuid, urn, version) VALUES (?, ?, ?)", (own, commit.aip, commit.version))
    elif head.version < commit.version:
        db.execute("UPDATE aips SET version = ? WHERE uuid = ?", (commit.version, own))
    for store in commit.stores:
        _copy_row(db, own, commit.version, store, line, told)
    detail = {
        "version": commit.version, "ingest": commit.ingest, "inventory_digest": commit.inventory_digest,
        "stores": [{"store": one.name, "state": _state(one), "evidence": one.evidence} for one in commit.stores],
    }  # fmt: skip
    _history(db, own, line, told, detail)


def _copy_row(db: Connection, own: str, version: int, store: StoreCopy, line: Line, told: Mapping[str, Any]) -> None:
    values = {
        "store": store.name, "version": version, "layout": store.layout, "state": _state(store),
        "evidence": store.evidence if _state(store) == "verified" else None,
        "inventory_digest": store.inventory_digest, "time": rfc3339(line.time),
    }  # fmt: skip
    _newest(db, "copies", {"uuid": own, "store_id": store.id}, values, told)
    if store.id:  # a copy may have waited for a store whose id was not known yet
        db.execute("DELETE FROM copies WHERE uuid = ? AND store = ? AND store_id = ''", (own, store.name))


def _newest(
    db: Connection, table: str, key: Mapping[str, Any], values: Mapping[str, Any], told: Mapping[str, Any]
) -> bool:
    """Writes a row unless a later line has written it; True when it was written."""
    known, new, changed = _statements(table, tuple(key), tuple(values))
    row = db.execute(known, key).fetchone()
    if row is not None and order_of(row) >= (told["moment"], told["writer"], told["seq"]):
        return False
    db.execute(new if row is None else changed, {**key, **values, **told})
    return True


@cache
def _statements(table: str, key: tuple[str, ...], values: tuple[str, ...]) -> tuple[str, str, str]:
    """What a row is asked, made and changed by."""
    there = " AND ".join(f"{name} = :{name}" for name in key)
    rest = (*values, "moment", "writer", "seq")
    columns = ", ".join((*key, *rest))
    given = ", ".join(f":{name}" for name in (*key, *rest))
    changes = ", ".join(f"{name} = :{name}" for name in rest)
    return (
        f"SELECT moment, writer, seq FROM {table} WHERE {there}",
        f"INSERT INTO {table} ({columns}) VALUES ({given})",
        f"UPDATE {table} SET {changes} WHERE {there}",
    )


def _history(db: Connection, own: str, line: Line, told: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
    row = {
        "uuid": own, "time": rfc3339(line.time), "kind": line.kind, "who": line.who,
        "detail": json.dumps(detail, ensure_ascii=False), **told,
    }  # fmt: skip
    db.execute(_HISTORY, row)


def order_of(row: Any) -> tuple[int, str, int]:
    return (row.moment, row.writer, row.seq)


def _state(store: StoreCopy) -> str:
    """A copy is verified or it waits; there is nothing between."""
    return "verified" if store.state == "verified" else "waiting"


def _uuid(urn: str) -> str:
    return str(uuid.UUID(urn.removeprefix("urn:uuid:")))
