"""What a verdict looks like in Prefect: the state's type gives colour and icon, its name is ours.

`Rejected` is grey, not red: a package that fails its checks is work well done. Red is kept for a run that reached no
verdict.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.records import Verdict

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from pipeline.ingest.item import Item
    from pipeline.ingest.tokens import Ended

NAMES = {
    Verdict.ACCEPTED: "Accepted",
    Verdict.ALREADY: "Already archived",
    Verdict.REJECTED: "Rejected",
    Verdict.WAITING: "Waiting",
}
BATCH_DONE = "Finished"
STOPPED = "Stopped"
ENDS = (*NAMES.values(), BATCH_DONE, STOPPED)
"""Names of all our end states: each is an event that the watch for dead runs must know."""

_TYPES = {
    Verdict.ACCEPTED: "COMPLETED",
    Verdict.ALREADY: "COMPLETED",
    Verdict.REJECTED: "CANCELLED",
    Verdict.WAITING: "PAUSED",
}


def of(item: Item) -> State[None]:
    """State of a package's run. Messages hold codes and counts only, never a name from a package."""
    if item.verdict is None:
        problem = item.problem or {}
        return make("FAILED", "Failed", f"{problem.get('code', '?')}: {_said(problem)}")
    return make(_TYPES[item.verdict], NAMES[item.verdict], _why(item))


def of_end(end: Ended) -> State[None]:
    """State of the stage in which a package's way ended early."""
    return make(_TYPES[end.verdict], NAMES[end.verdict], "")


def of_batch(items: Sequence[Item | None]) -> State[None]:
    """State of a batch: finished when each package has its verdict, whatever it is."""
    counted = Counter(NAMES[item.verdict] if item and item.verdict else "No verdict" for item in items)
    message = ", ".join(f"{count} {name.lower()}" for name, count in sorted(counted.items()))
    if counted["No verdict"]:
        return make("FAILED", "Failed", message)
    return make("COMPLETED", BATCH_DONE, message)


def of_audit(exit_code: int, items: Sequence[dict[str, Any]]) -> State[None]:
    """State of an audit: red where a person has to act, on damage or on a store that is away.

    Its names are Prefect's own: the page of a deployment lists no run whose state has another name (seen in 3.8.8).
    """
    counted = Counter(str(item["result"]) for item in items)
    message = ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "nothing was due"
    return make("COMPLETED", "Completed", message) if exit_code == 0 else make("FAILED", "Failed", message)


def calm(record: logging.LogRecord) -> bool:
    """Logs our own ends as information: Prefect writes every end but a completed one as an error."""
    if record.levelno == logging.ERROR and record.getMessage().startswith(_CALM):
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


_CALM = tuple(f"Finished in state {name}(" for name in (*NAMES.values(), STOPPED))


def make(type_: str, name: str, message: str) -> State[None]:
    """A state of our own making, which Prefect takes as it is."""
    from prefect.client.schemas.objects import State, StateType

    return State(type=StateType[type_], name=name, message=message)


def _why(item: Item) -> str:
    if item.verdict is Verdict.WAITING:
        return f"Waits for a {item.waiting_for or 'person'}"
    codes = Counter(finding["code"] for finding in item.findings if finding["level"] in ("error", "decision"))
    if codes:
        return ", ".join(f"{code} ×{count}" if count > 1 else code for code, count in sorted(codes.items()))
    return f"{item.aip or ''} {item.version or ''}".strip() or f"{item.files} files"


def _said(problem: dict[str, Any]) -> str:
    from pipeline.reports.markdown import escaped

    return escaped((problem.get("message") or {}).get("en", ""))
