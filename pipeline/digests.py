"""Digests of packages and the identifiers derived from them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from urllib.parse import quote_from_bytes

from pipeline.records import PackagePath


def package_digest(lines: Iterable[tuple[PackagePath, str, int]]) -> str:
    """SHA-256 over the lines `<sha256> <size> <percent-encoded path>` of (path, sha256, size), sorted by the line.

    Lines are sorted by path bytes as they come; the caller streams them in raw-byte order of paths.
    """
    total = hashlib.sha256()
    for path, sha256, size in lines:
        total.update(f"{sha256} {size} {quote_from_bytes(path, safe='/')}\n".encode())
    return total.hexdigest()


def ingest_id(archive: str, submission_digest: str, profile_digest: str) -> str:
    """UUIDv5 of archive, submission and profile."""
    return str(uuid.uuid5(uuid.UUID(archive), f"ingest {submission_digest} {profile_digest}"))


def aip_uuid(archive: str, submission_digest: str, number: int = 1) -> str:
    """UUIDv5 of archive and submission; `number` counts on where an earlier write is stranded."""
    return str(uuid.uuid5(uuid.UUID(archive), f"aip {submission_digest} {number}"))


def part_id(aip: str, what: str, ref: str) -> str:
    """Id of a thing inside an AIP: UUIDv5 of the AIP's UUID, the kind of thing and its path or key."""
    return str(uuid.uuid5(uuid.UUID(aip), f"{what} {ref}"))
