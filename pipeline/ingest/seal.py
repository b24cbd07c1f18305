"""Seal: the inventory is written; from here the version's bytes are decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.ingest.session import Session, session
from pipeline.ingest.tokens import Described, Sealed
from pipeline.records import PackagePath
from pipeline.settings import settings
from pipeline.standards.ocfl import StreamedBlock, Version, content_path, write_inventory
from pipeline.workspace import durable, now, rfc3339


def seal(token: Described) -> Sealed:
    """`inventory.json` lies in the work folder; its digest names the version for ever."""
    current = session(token)
    ledger = current.ledger
    if ledger.begin("seal", rfc3339(now())):
        known = settings(token.space)
        created = datetime.fromisoformat(ledger.fact("receive.begin") or "")
        about = Version(
            number=token.version,
            created=rfc3339(created),
            message=f"Ingest of {ledger.fact('kind_shown')}",
            user=known.organisation or "luutru",
            address=f"mailto:{known.contact}",
        )
        with durable(current.work / "inventory.json") as out:
            digest = write_inventory(
                out,
                f"urn:uuid:{token.aip}",
                ((sha256, content_path(token.version, sha256)) for sha256, *_ in ledger.contents()),
                [StreamedBlock(about, _state(current, f"uuid-{token.aip}"))],
                token.version,
            )
        ledger.firmly(**{"inventory_sha256": digest, "seal.end": rfc3339(now())})
    digest = ledger.fact("inventory_sha256") or ""
    return Sealed(token.space, token.profile, token.package, token.work, token.aip, token.version, digest)


def _state(current: Session, root: str) -> Iterator[tuple[str, PackagePath]]:
    for sha256, path in current.ledger.logical():
        yield sha256, PackagePath(root.encode() + b"/" + path)
