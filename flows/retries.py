"""When work is tried again: only after a system problem that says of itself that it passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.errors import Problem

AT_HAND = (1.0, 4.0)
"""Seconds between tries while a person waits at the command."""

IN_WORKER = (10.0, 60.0, 300.0)
"""Seconds between tries in the worker, for which nobody waits."""


def passes(problem: BaseException | None) -> bool:
    """Whether trying again can help."""
    return isinstance(problem, Problem) and problem.transient


def when(transient: Callable[[], bool]) -> Callable[[Any, Any, Any], bool]:
    """Prefect's question "try again?", answered by what the work itself left behind."""

    def asked(task: Any, run: Any, state: Any) -> bool:
        return transient()

    return asked
