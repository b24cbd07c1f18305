"""Quick looks at many files at once: which are already what their rule wants, which are scans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.content.normalisation import registry
from pipeline.content.normalisation.calls import WORKER
from pipeline.content.normalisation.rules import PRESERVATION, SCANNED, Rule, rules
from pipeline.content.reading import opener
from pipeline.pool import Task, shared
from pipeline.records import Format, PackagePath
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


def scans(tree: Tree, found: Iterable[tuple[Entry, Format | None]], name: str, *, workers: int, scratch: Path,
          purpose: str = PRESERVATION) -> set[PackagePath]:  # fmt: skip
    """Those of a format for which a rule asks that are pictures of pages without text; a broken file is none."""
    asking = {
        puid
        for rule in rules(name).rules
        if rule.purpose == purpose and SCANNED in (*rule.when, *rule.unless)
        for puid in rule.puids
    }
    tasks = [
        Task(entry.path, opener(tree, entry, scratch), (), entry.size)
        for entry, one in found
        if one is not None and one.puid in asking
    ]
    if not tasks:
        return set()
    told = shared((WORKER,), workers).map(f"{WORKER}:scanned", iter(tasks), scratch)
    return {one.key for one in told if isinstance(one.value, int) and one.value > 0}


def _fit(tree: Tree, ruled: list[tuple[Entry, Rule]], workers: int, scratch: Path) -> set[PackagePath]:
    tasks = (
        Task(entry.path, opener(tree, entry, scratch), (rule.actions[0].tool,), entry.size) for entry, rule in ruled
    )
    if not ruled:
        return set()
    told = shared((WORKER,), workers).map(f"{WORKER}:fit", tasks, scratch)
    return {one.key for one in told if one.value is True}
