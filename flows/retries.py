"""When work is tried again: only after a system problem that says of itself that it passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.errors import Problem

if TYPE_CHECKING:
    from pipeline.ingest.item import Item

AT_HAND = (1.0, 4.0)
"""Seconds between tries while a person waits at the command."""

IN_WORKER = (10.0, 60.0, 300.0)
"""Seconds between tries in the worker, for which nobody waits."""


def passes(problem: BaseException | None) -> bool:
    """Whether trying again can help."""
    return isinstance(problem, Problem) and problem.transient


def patiently(work: Callable[[], Item], delays: Sequence[float]) -> Item:
    """The same without Prefect: works again after a problem that passes, unless a person asks to stop."""
    from pipeline.errors import stopping

    item = work()
    for seconds in delays:
        if item.problem is None or not item.problem.get("transient") or stopping.wait(seconds):
            break
        item = work()
    return item


def when(transient: Callable[[], bool]) -> Callable[[Any, Any, Any], bool]:
    """Prefect's question "try again?", answered by what the work itself left behind."""

    def asked(task: Any, run: Any, state: Any) -> bool:
        return transient()

    return asked
