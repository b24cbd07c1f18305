"""The reports that a command was asked for: planned before its work, written after it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from commands.frame import note
from pipeline import VERSION
from pipeline.errors import Problem, of_the_system
from pipeline.findings import problem_json
from pipeline.settings import settings
from pipeline.workspace import Workspace, now, rfc3339


def planned(files: tuple[Path, ...], packages: Iterable[Path]) -> tuple[Path, ...]:
    """Where the reports go; UsageProblem before any work starts when one cannot be written."""
    if not files:
        return ()
    from pipeline.reports.files import planned as plan

    return plan(files, list(packages))


def written(
    space: Workspace, schema: str, files: tuple[Path, ...], items: list[dict[str, Any]], started: str, lang: str
) -> Problem | None:
    """Writes every report that can be; the first problem of those that cannot. The verdicts are told all the same."""
    if not files:
        return None
    from pipeline.reports.cells import fit
    from pipeline.reports.files import write

    document = {
        "schema": f"luutru/{schema}",
        "luutru": VERSION,
        "started": started,
        "ended": rfc3339(now()),
        "items": items,
    }
    first: Problem | None = None
    for file in files:
        try:
            write(file, document, settings(space).organisation)
        except Exception as fault:
            problem = fault if isinstance(fault, Problem) else of_the_system(fault)
            if problem is None:
                raise
            told = problem_json(problem)
            note(f"{told['code']}: {told['message'][lang]} {told['advice'][lang]}")
            first = first or problem
        else:
            note(f"{'Báo cáo' if lang == 'vi' else 'Report'}: {fit(file)}")
    return first
