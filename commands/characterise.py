"""`luutru characterise`: what every file is technically, and whether it is whole."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from commands.frame import Answer, answer, language, note, problem_text, put


def characterise(paths: tuple[Path, ...], *, as_json: bool, lang: str | None) -> int:
    """Lines are `characterise/1`, printed as they come. Exit 1 when a file is invalid, 3 when one could not be read."""

    def work() -> Answer:
        return _characterise(paths, as_json, language(lang))

    return answer("characterise/1", work, as_json=as_json, lang=lang, lines=True)


def _characterise(paths: tuple[Path, ...], as_json: bool, lang: str) -> Answer:
    from pipeline.content.characterisation import missing
    from pipeline.content.characterisation.listing import characterise_paths, exit_of
    from pipeline.content.identification import inforce
    from pipeline.errors import Interrupted
    from pipeline.findings import as_json as shape
    from pipeline.ingest.item import exit_code
    from pipeline.ingest.session import stopping
    from pipeline.settings import settings
    from pipeline.tools.jhove import needed
    from pipeline.workspace import workspace

    space = workspace()
    inforce.use(space, inforce.sets(space).pin)
    known = settings(space)
    if known.jhove:
        needed()
    codes: set[int] = set()
    for finding in missing(known.sandbox):
        note(shape(finding)["message"][lang])
    with tempfile.TemporaryDirectory(prefix="characterise-", dir=space.work) as scratch:
        for one in characterise_paths(paths, workers=known.workers, scratch=Path(scratch), sandbox=known.sandbox,
                                      second=known.jhove):  # fmt: skip
            codes.add(exit_of(one))
            put(sys.stdout, json.dumps(one, ensure_ascii=False) if as_json else _told(one))
            if not as_json:
                _explain(one, lang)
            if stopping.is_set():
                raise Interrupted
    return Answer([], exit_code(list(codes)), lambda document, lang: "", printed=True)


def _told(one: dict[str, Any]) -> str:
    """Outcome and path, then what was checked, then a line a property."""
    lines = [f"{one['validity']:12} {one['puid'] or '–':10} {one['path']}"]
    if one["checked"]:
        lines.append(f"    {one['checked']}")
    lines += [f"    {name}: {value}" for name, value in one["properties"].items()]
    lines += [f"    {' '.join(part for part in made.values() if part)}" for made in one["creating"]]
    lines += [f"    {kept['type']}: {kept['target']}" for kept in one["inhibitors"]]
    return "\n".join(lines)


def _explain(one: dict[str, Any], lang: str) -> None:
    """What is wrong with a file, for people, on standard error."""
    if one["problem"]:
        note(f"{one['path']}: {problem_text(one, lang)}")
    for finding in one["findings"]:
        note(f"{finding['code']}: {finding['message'][lang]}\n  {finding['advice'][lang]}")
