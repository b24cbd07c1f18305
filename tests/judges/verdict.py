"""What a judge says about a package, in one form for all judges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ALLOWED = Path(__file__).with_name("allowed.tsv")


class NoVerdict(RuntimeError):
    """A judge could not come to a verdict: a failure of the test that asks, never a reason to skip it."""


class JudgeMissing(NoVerdict):
    """A judge is not installed."""

    def __init__(self, judge: str, what: object) -> None:
        super().__init__(f"{judge} is not there ({what}): run `make install-test`")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing held against a package. `level` is "error" or "warning"; `allowed` says why it does not count."""

    rule: str
    level: str
    text: str
    allowed: str = ""

    def __str__(self) -> str:
        note = f" (does not count: {self.allowed})" if self.allowed else ""
        return f"{self.level} {self.rule}: {self.text}{note}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`good` when nothing counts against the package. `saw` is what the judge looked at, in its own numbers."""

    judge: str
    subject: Path
    complaints: tuple[Complaint, ...]
    saw: str

    @property
    def counting(self) -> tuple[Complaint, ...]:
        """The complaints that no line of allowed.tsv answers."""
        return tuple(complaint for complaint in self.complaints if not complaint.allowed)

    @property
    def good(self) -> bool:
        """Whether the judge accepts the package."""
        return not self.counting

    @property
    def rules(self) -> frozenset[str]:
        """The rules of the complaints that count."""
        return frozenset(complaint.rule for complaint in self.counting)

    def __bool__(self) -> bool:
        return self.good

    def __str__(self) -> str:
        head = f"{self.judge}: {'accepted' if self.good else 'refused'} ({self.saw})"
        return "\n".join([head, *(f"  {complaint}" for complaint in self.complaints)])


def allowed_rules(judge: str) -> dict[str, str]:
    """The rules of that judge which are known to be wrong, or not to concern us, each with the reason."""
    rules = {}
    for line in ALLOWED.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            who, rule, reason = line.split("\t")
            if who == judge:
                rules[rule] = reason
    return rules


def pronounce(judge: str, subject: Path, found: list[tuple[str, str, str]], saw: str) -> Verdict:
    """A verdict from (rule, level, text) as the judge gave them, with the exceptions of allowed.tsv applied."""
    reasons = allowed_rules(judge)
    complaints = tuple(Complaint(rule, level, text, reasons.get(rule, "")) for rule, level, text in found)
    return Verdict(judge, subject, complaints, saw)
