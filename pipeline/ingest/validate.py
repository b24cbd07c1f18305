"""Validate: the first half of an ingest, for its findings alone; nothing is stored."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipeline.content.identification import format_findings, inforce
from pipeline.errors import Problem
from pipeline.findings import as_json, level_of, problem_json, visible
from pipeline.ingest.check import read_bytes, refused
from pipeline.ingest.laid import OCFL, judge_object, judge_root, laid, object_with_package
from pipeline.ingest.preflight import crash_report
from pipeline.ingest.session import Progress, Session, quiet
from pipeline.ingest.tokens import Request
from pipeline.ledger import Ledger
from pipeline.names import shown
from pipeline.packages import Circumstances, Documented, Kind, Recognition
from pipeline.packages.registry import accepted, recognise
from pipeline.records import Finding, Level, Use
from pipeline.settings import Profile, profile
from pipeline.storage.validation.objects import validate_object
from pipeline.tree import Opened, Tree, open_tree
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.packages.bagit.profile import BagProfile
    from pipeline.storage.validation.shelves import Shelf

BATCH = 1000


def validate(
    space: Workspace,
    package: Path,
    asked: Profile | None,
    kind: str | None,
    *,
    opened: Opened | None = None,
    name: str | None = None,
    progress: Progress = quiet,
    bag_profile: BagProfile | None = None,
    shelf: Shelf | None = None,
    formats: bool = False,
) -> tuple[dict[str, Any], int]:
    """An item of `validate/1` with its exit code. `opened` gives a stored AIP instead of a path, `shelf` its object.

    A path to an OCFL object is judged by OCFL and by the kind of the package in it, a storage root by OCFL alone.
    Without a profile (`asked` None) the standard of the kind alone judges. `bag_profile` is what a bag must keep too.
    `formats`: files are identified too, and the item has `formats` and the findings of that, as in an ingest.
    """
    started = time.monotonic()
    item: dict[str, Any] = {
        "path": name or shown(bytes(package)), "kind": None, "profile": asked.name if asked else None,
        "verdict": None, "submission_digest": None, "files": 0, "bytes": 0, "seconds": 0.0, "findings": [],
        "problem": None,
    }  # fmt: skip
    code = 3
    try:
        inforce.use(space, inforce.sets(space).pin)
        with tempfile.TemporaryDirectory(prefix="validate-", dir=space.work) as folder:
            request = Request(space, package, asked or profile("eark"), kind)
            where = laid(package) if opened is None and kind is None else None
            if opened is not None and shelf is not None:
                opened = replace(opened, findings=(*opened.findings, *validate_object(shelf).findings))
            if where is not None and not where.object:
                code = judge_root(where, asked, item)
            elif where is not None:
                checked, tree = object_with_package(where.shelf, where.base)
                if tree is None:
                    code = judge_object(checked, asked, item)
                else:
                    inner = Opened(tree, checked.findings)
                    code = _judge(request, Path(folder), asked, inner, item, progress, bag_profile, formats)
                    item["kind"] = f"{OCFL}+{item['kind']}"
            else:
                code = _judge(request, Path(folder), asked, opened, item, progress, bag_profile, formats)
    except Problem as problem:
        item["problem"], code = problem_json(problem), problem.exit_code
    except Exception as bug:
        item["problem"], code = problem_json(crash_report(space, bug)), 70
    item["seconds"] = round(time.monotonic() - started, 3)
    return item, code


def _judge(
    request: Request,
    work: Path,
    asked: Profile | None,
    opened: Opened | None,
    item: dict[str, Any],
    progress: Progress,
    bag_profile: BagProfile | None,
    formats: bool,
) -> int:
    from pipeline.digests import package_digest

    scratch = work / "scratch"
    scratch.mkdir()
    ours = opened is None
    found = opened if opened is not None else open_tree(request.package, request.profile.limits, scratch)
    ledger = Ledger(work / "ledger.sqlite")
    try:
        ledger.find("validate", found.findings)
        if found.tree is not None:
            kind, told = recognise(found.tree, request.kind, asked.accepts if asked is not None else ())
            item["kind"] = told.shown
            entries = found.tree.entries()
            while batch := list(islice(entries, BATCH)):
                ledger.add_received(batch)
            current = Session(request, work, ledger, found, progress)
            stopped = False
            if isinstance(kind, Documented):
                around = Circumstances(told.version, request.package, scratch, asked, found.findings)
                stopped = _documented(current, kind, found.tree, around, item, formats)
            else:
                read_bytes(current, kind, identify=formats)
                ledger.find("validate", kind.check(found.tree, ledger))
            if bag_profile is not None:
                ledger.find("validate", _kept(bag_profile, told, found.tree, ledger))
            if asked is not None:
                ledger.find("validate", refused(current, kind))
                if not accepted(told.kind, asked.accepts):
                    wanted = ", ".join(asked.accepts)
                    ledger.find("validate", [Finding("PKG-KIND", expected=wanted, found=told.shown)])
            if not stopped:
                item["submission_digest"] = package_digest(
                    (path, sha256 or "-", size) for path, sha256, size in ledger.digested()
                )
            if ledger.totals()[0] == 0:
                ledger.find("validate", [Finding("PKG-EMPTY")])
            if formats and not stopped:
                item["formats"] = ledger.formats()
                ledger.find("validate", _formats(current, kind))
        item["files"], item["bytes"] = ledger.totals()
        findings = list(dict.fromkeys(_called(ledger.findings(), asked, request.package)))
        item["findings"] = [as_json(finding, asked) for finding in findings]
        levels = {level_of(finding, asked) for finding in findings}
        item["verdict"] = "invalid" if Level.ERROR in levels else "valid"
        return 1 if Level.ERROR in levels else 4 if Level.DECISION in levels else 0
    finally:
        ledger.close()
        if ours and found.tree is not None:
            found.tree.close()


def _documented(
    current: Session, kind: Documented, tree: Tree, around: Circumstances, item: dict[str, Any], formats: bool
) -> bool:
    """Findings, verdicts of documents and what was not checked, into ledger and item; whether the package stopped."""
    ledger = current.ledger
    stopped = kind.stops(tree, around)
    if stopped:
        ledger.find("validate", stopped)
        return True
    read_bytes(current, cast(Kind, kind), identify=formats)
    judgement = kind.judge(tree, ledger, around)
    ledger.find("validate", judgement.findings())
    item["not_checked"] = list(judgement.not_checked)
    item["documents"] = [
        {
            "document": visible(one.identifier) or "",
            "file": shown(one.path) if one.path is not None else None,
            "verdict": one.verdict,
            "codes": list(dict.fromkeys(finding.code for finding in one.findings)),
        }
        for one in judgement.documents()
    ]
    return False


def _formats(current: Session, kind: object) -> Iterator[Finding]:
    """What an archivist should know about the formats of data files, as an ingest tells it."""
    place = getattr(kind, "place", None)
    for entry, _, found, _mime in current.ledger.known():
        if place is None or place(entry.path).use is Use.DATA:
            yield from format_findings(entry.path, entry.size, found)


def _called(findings: Iterator[Finding], asked: Profile | None, package: Path) -> Iterator[Finding]:
    """Findings of opening under the names that a profile of the circular gives them."""
    if asked is None or asked.accepts != ("tt05",):
        return findings
    from pipeline.packages.tt05.container import translated

    archive = package.is_file()
    return translated(findings, archive=archive, blank=archive and not package.stat().st_size)


def _kept(profile: BagProfile, told: Recognition, tree: Tree, ledger: Ledger) -> Iterator[Finding]:
    """What a BagIt profile asks and the package does not keep."""
    from pipeline.packages.bagit.profile import check

    if told.kind.partition("+")[0] != "bagit":
        yield Finding("BAG-PRO-KIND", None, None, None, told.shown)
        return
    yield from check(profile, tree, ledger)
