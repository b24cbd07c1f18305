"""Check: the one reading of every byte, then the rules of the package's kind, then the holdings."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.administration.archive import archive
from pipeline.content.reading import Damaged, Learnt, Unreadable, read_all
from pipeline.digests import aip_uuid, ingest_id, package_digest
from pipeline.errors import SystemProblem
from pipeline.ingest.examine import pin
from pipeline.ingest.session import Session, session
from pipeline.ingest.split import too_many
from pipeline.ingest.tokens import Checked, Ended, Received
from pipeline.names import shown
from pipeline.packages import Kind
from pipeline.packages.registry import KINDS
from pipeline.records import Finding, PackagePath, Use, Verdict
from pipeline.settings import settings
from pipeline.workspace import now, rfc3339

BATCH = 200
READING = "reading"
"""Findings of the one reading: kept for good, for a file is not read twice."""


def check(token: Received) -> Checked | Ended:
    """Every file's digests and format are in the ledger, the kind's findings too; a held submission ends here."""
    current = session(token)
    ledger = current.ledger
    at_hand = archive(token.space)
    kind = KINDS[ledger.fact("kind") or "folder"]
    if ledger.begin("check", rfc3339(now())):
        read_bytes(current, kind, identify=True)
        ledger.find("check", kind.check(current.tree, ledger))
        ledger.find("check", refused(current, kind))
        submission, payload = package_digests(current, kind)
        ledger.keep(
            manifests=", ".join(sorted(kind.algorithms(current.tree))),
            submission_digest=submission,
            payload_digest=payload,
            ingest=ingest_id(at_hand.id, submission, token.profile.digest),
            aip=aip_uuid(at_hand.id, submission),
        )
    submission = _fact(current, "submission_digest")
    held = at_hand.catalogue.by_submission(submission)
    if held is not None and ledger.fact("seal.end") is None:
        return Ended(Verdict.ALREADY, held.uuid, held.version)
    if ledger.fact("check.end") is None:
        twins = at_hand.catalogue.by_payload(_fact(current, "payload_digest"))
        ledger.find("check", (Finding("PKG-PAYLOAD-HELD", found=twin.urn) for twin in twins))
        ledger.keep(**{"check.end": rfc3339(now())})
    return Checked(token.space, token.profile, token.package, token.work, submission, _fact(current, "ingest"))


def read_bytes(current: Session, kind: Kind, *, identify: bool) -> None:
    """The first of the two readings: digests and formats of all files not learnt yet, committed batch by batch.

    SystemProblem when a file cannot be read; what was read before stays in the ledger.
    """
    ledger, tree = current.ledger, current.tree
    files, size = ledger.totals()
    algorithms = kind.algorithms(tree) | {"sha256"}
    done = files - sum(1 for _ in ledger.unread())
    read = 0
    batch: list[Learnt] = []
    workers = settings(current.request.space).workers
    if identify:
        pin(current)
    for result in read_all(
        tree, ledger.unread(), algorithms, identify=identify, workers=workers, scratch=current.scratch,
        examine=(lambda path: kind.place(path).use is Use.DATA) if identify else None,
    ):  # fmt: skip
        if isinstance(result, Unreadable):
            _keep(current, batch)
            raise SystemProblem(
                "SYS-FILE-READ", transient=result.problem.transient, file=shown(bytes(current.request.package)),
                path=shown(result.path), cause=result.problem.values.get("cause", result.problem),
            )  # fmt: skip
        if isinstance(result, Damaged):
            ledger.find(READING, [result.finding])
            continue
        if result.changed:
            _keep(current, batch)
            raise SystemProblem("SYS-CHANGED", file=shown(bytes(current.request.package)), path=shown(result.path))
        batch.append(result)
        done, read = done + 1, read + result.size
        if len(batch) >= BATCH or result.size > 2**26:
            _keep(current, batch)
            current.progress("check", done, files, read, size)
            current.check_stop()
    _keep(current, batch)


def refused(current: Session, kind: Kind) -> Iterator[Finding]:
    """What the profile asks beyond the standard of the kind."""
    place = getattr(kind, "place", None)
    limit = current.request.profile.limits.max_files_per_aip
    if current.ledger.totals()[0] > limit:
        yield from too_many(current.ledger.entries, limit, lambda path: place is None or place(path).use is Use.DATA)
    asked = getattr(kind, "profile_findings", None)
    if asked is not None:
        yield from asked(current.tree, current.request.profile)


def package_digests(current: Session, kind: Kind) -> tuple[str, str]:
    """(submission digest, payload digest). Damaged members count by size alone: such a package is rejected anyway."""
    ledger = current.ledger
    whole = package_digest((path, sha256 or "-", size) for path, sha256, size in ledger.digested())
    payload = package_digest(
        (PackagePath(place.target), sha256 or "-", size)
        for path, sha256, size in ledger.digested()
        if (place := kind.place(path)).use is Use.DATA
    )
    return whole, payload


def _keep(current: Session, batch: list[Learnt]) -> None:
    """Findings first: a file that counts as learnt is not read again, so what was seen in it must be kept by then."""
    current.ledger.find(READING, (finding for row in batch for finding in row.findings))
    current.ledger.looked((row.path, row.looked) for row in batch if row.looked is not None)
    current.ledger.learnt((row.path, row.digests, row.format, row.format.mime if row.format else "") for row in batch)
    batch.clear()


def _fact(current: Session, key: str) -> str:
    value = current.ledger.fact(key)
    if value is None:
        raise AssertionError(f"the ledger lacks {key}")
    return value
