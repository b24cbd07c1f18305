"""`luutru validate`: verdict and all findings of packages, or of a stored AIP."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.frame import Answer, answer, language, note, tables
from commands.ingest import known_kind
from pipeline.errors import UsageProblem
from pipeline.findings import problem_json
from pipeline.ingest.item import exit_code
from pipeline.settings import Profile
from pipeline.workspace import Workspace, now, rfc3339, workspace

if TYPE_CHECKING:
    from pipeline.packages.bagit.profile import BagProfile

_AIP = re.compile(r"(urn:uuid:|uuid-)?[0-9a-f]{4,8}(-?[0-9a-f]{1,12})*\Z")


def validate(
    paths: tuple[str, ...],
    *,
    profile: str | None,
    kind: str | None,
    as_json: bool,
    lang: str | None,
    reports: tuple[Path, ...] = (),
    profile_url: str | None = None,
    sets: tuple[str, ...] = (),
) -> int:
    """Exit code of the contract; the document is `validate/1`. `reports` are written from it as well.

    `profile_url` is the file or address of a BagIt profile that the bags must keep; `sets` are `tt05.KEY=VALUE`.
    """

    def work() -> Answer:
        return _validate(paths, profile, kind, language(lang), reports, profile_url, sets)

    return answer("validate/1", work, as_json=as_json, lang=lang)


def _validate(
    paths: tuple[str, ...], profile: str | None, kind: str | None, lang: str, reports: tuple[Path, ...],
    profile_url: str | None, sets: tuple[str, ...],
) -> Answer:  # fmt: skip
    from commands.reports import planned, written
    from pipeline.ingest.validate import validate as judge
    from pipeline.settings import profile as named

    space = workspace()
    asked = named(profile) if profile else None
    if sets or (asked is not None and asked.tt05):
        from pipeline.packages.tt05.settings import with_values

        asked = with_values(asked or named("tt05"), sets)
    known_kind(kind)
    for path in paths:
        if not os.path.lexists(path) and not _AIP.match(path):
            raise UsageProblem("USE-PATH", path=path)
    files = planned(reports, (Path(path) for path in paths if os.path.lexists(path)))
    asked_of_bags = None
    if profile_url is not None:
        from pipeline.packages.bagit.profile_source import profile_at

        asked_of_bags = profile_at(profile_url)
    started = rfc3339(now())
    formats = _identified(asked, files)
    items, codes = [], []
    for path in paths:
        if os.path.lexists(path):
            item, code = judge(space, Path(path), asked, kind, bag_profile=asked_of_bags, formats=formats)
        else:
            item, code = _stored(space, path, asked, kind, asked_of_bags, formats)
        items.append(item)
        codes.append(code)
        word = item["verdict"] or (item["problem"] or {}).get("code")
        note(f"{item['path']}: {word}")
    if problem := written(space, "validate/1", files, items, started, lang):
        return Answer(items, exit_code([*codes, problem.exit_code]), tables, {"problem": problem_json(problem)})
    return Answer(items, exit_code(codes), tables)


def _identified(asked: Profile | None, files: tuple[Path, ...]) -> bool:
    """Whether formats are wanted: for the picture in a report, or because the profile makes a verdict of them.

    Without such a profile findings of formats never change a verdict, so it does not depend on the report.
    """
    weighs = asked is not None and any(
        code.startswith("FMT-") and level in ("error", "decision") for code, level in asked.levels.items()
    )
    return weighs or any(file.suffix.lower() in (".html", ".pdf") for file in files)


def _stored(
    space: Workspace, aip: str, asked: Profile | None, kind: str | None, bag_profile: BagProfile | None, formats: bool
) -> tuple[dict[str, Any], int]:
    from pipeline.administration.archive import opened, stored
    from pipeline.ingest.validate import validate as judge
    from pipeline.tree import Opened, Tree

    with opened(space) as at_hand:
        held, tree = stored(at_hand, aip)
        with contextlib.closing(tree):
            usual = "tt05" if asked is not None and asked.accepts == ("tt05",) else "eark-aip"
            seen: Tree = tree
            if (kind or usual).startswith("tt05"):
                from pipeline.packages.tt05.stored import as_received

                seen = as_received(tree)
            return judge(space, Path(held.root), asked, kind or usual, opened=Opened(seen, ()), name=held.urn,
                         bag_profile=bag_profile, shelf=tree.shelf, formats=formats)  # fmt: skip
