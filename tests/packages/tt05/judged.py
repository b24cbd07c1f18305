"""What is said of a package of the circular, asked as `luutru validate` asks, without its process and its ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.findings import level_of
from pipeline.packages import Circumstances
from pipeline.packages.tt05.container import translated
from pipeline.packages.tt05.kind import Tt05
from pipeline.packages.tt05.settings import with_values
from pipeline.packages.tt05.types import recognise
from pipeline.records import DocumentVerdict, Finding, Level
from pipeline.settings import Limits, Profile, profile
from pipeline.tree import open_tree
from tests.packages.received import digest_tree


@dataclass(frozen=True, slots=True)
class Said:
    """Findings with their weight under the profile that judged, and the documents one by one."""

    findings: tuple[tuple[Finding, Level], ...]
    documents: tuple[DocumentVerdict, ...] = ()
    not_checked: tuple[str, ...] = ()

    @property
    def levels(self) -> dict[str, str]:
        """Code → level; the heaviest where one code has several."""
        order = (Level.INFO, Level.WARNING, Level.DECISION, Level.ERROR)
        found: dict[str, str] = {}
        for finding, level in sorted(self.findings, key=lambda one: order.index(one[1])):
            found[finding.code] = level.value
        return found

    @property
    def valid(self) -> bool:
        return all(level is not Level.ERROR for _, level in self.findings)


def by_profile(name: str, settings: tuple[str, ...] = ()) -> Profile:
    return with_values(profile(name), settings) if settings else profile(name)


def said(path: Path, asked: Profile) -> Said:
    """The package at this path (folder or archive), judged by this profile."""
    kind, from_archive = Tt05(), path.is_file()

    def weighed(findings: Iterable[Finding]) -> tuple[tuple[Finding, Level], ...]:
        return tuple((one, level_of(one, asked)) for one in findings)

    opened = open_tree(path, Limits())
    blank = from_archive and not path.stat().st_size
    opening = tuple(translated(opened.findings, archive=from_archive, blank=blank))
    if opened.tree is None:
        return Said(weighed(opening))
    try:
        told = recognise(opened.tree, trusted=True)
        assert told is not None, "not recognised"
        with tempfile.TemporaryDirectory(prefix="tt05-") as scratch:
            around = Circumstances(told.version, path, Path(scratch), asked, opening)
            if stopped := kind.stops(opened.tree, around):
                return Said(weighed((*opening, *stopped)))
            received = digest_tree(opened.tree, kind.algorithms(opened.tree))
            damage = tuple(translated(received.damage, archive=from_archive))
            judgement = kind.judge(opened.tree, received, around)
            findings = weighed(dict.fromkeys((*opening, *damage, *judgement.findings())))
            return Said(findings, tuple(judgement.documents()), judgement.not_checked)
    finally:
        opened.tree.close()
