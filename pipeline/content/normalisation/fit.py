"""Files that are already what their rule wants, told in one quick look at many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.content.normalisation import registry
from pipeline.content.normalisation.calls import WORKER
from pipeline.content.normalisation.rules import Rule
from pipeline.content.reading import opener
from pipeline.pool import Task, shared
from pipeline.records import PackagePath
from pipeline.tree import Entry, Tree


def not_fit(
    tree: Tree, ruled: Iterable[tuple[Entry, Rule]], *, workers: int, scratch: Path
) -> Iterator[tuple[Entry, Rule]]:
    """Those whose rule has something to do, in their order; what cannot be looked at counts among them.

    Only a rule whose first action has a quick look (`FIT` of its module) can have others.
    """
    held = list(ruled)
    fit = _fit(tree, [one for one in held if one[1].actions[0].tool in registry.looks()], workers, scratch)
    yield from (one for one in held if one[0].path not in fit)


def _fit(tree: Tree, ruled: list[tuple[Entry, Rule]], workers: int, scratch: Path) -> set[PackagePath]:
    tasks = (
        Task(entry.path, opener(tree, entry, scratch), (rule.actions[0].tool,), entry.size) for entry, rule in ruled
    )
    if not ruled:
        return set()
    told = shared((WORKER,), workers).map(f"{WORKER}:fit", tasks, scratch)
    return {one.key for one in told if one.value is True}
