"""The result of one package, as the command line's contract shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.records import Verdict


@dataclass(frozen=True, slots=True)
class Item:
    """`verdict` None means that none was reached; then `problem` says why. Findings are in the contract's shape."""

    path: str
    profile: str
    verdict: Verdict | None
    kind: str | None = None
    ingest: str | None = None
    submission_digest: str | None = None
    aip: str | None = None
    version: str | None = None
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    formats: dict[str, int] = field(default_factory=dict)
    copies: tuple[dict[str, Any], ...] = ()
    waiting_for: str | None = None
    findings: tuple[dict[str, Any], ...] = ()
    problem: dict[str, Any] | None = None
    signatures: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """An item of `ingest/1`, keys in the contract's order."""
        return {
            "path": self.path, "kind": self.kind, "profile": self.profile,
            "verdict": str(self.verdict) if self.verdict else None, "ingest": self.ingest,
            "submission_digest": self.submission_digest, "aip": self.aip, "version": self.version,
            "files": self.files, "bytes": self.bytes, "seconds": self.seconds, "formats": self.formats,
            "signatures": self.signatures, "copies": list(self.copies), "waiting_for": self.waiting_for,
            "findings": list(self.findings),
            "problem": self.problem,
        }  # fmt: skip

    @property
    def exit(self) -> int:
        """Exit code of this package alone."""
        if self.problem is not None:
            return int(self.problem.get("exit", 3))
        return {Verdict.REJECTED: 1, Verdict.WAITING: 4}.get(self.verdict or Verdict.ACCEPTED, 0)


def exit_code(codes: list[int]) -> int:
    """Exit of several packages: a bug wins, then system, content, waiting, success."""
    return next((code for code in (70, 2, 3, 1, 4) if code in codes), 0)
