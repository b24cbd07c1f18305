"""`luutru identify`: the format of every file, a line each."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from commands.frame import Answer, answer, language, note, problem_text, put


def identify(paths: tuple[Path, ...], *, engine: str, as_json: bool, lang: str | None) -> int:
    """Lines are `identify/1`, printed as they come; exit 3 when a file could not be read, which is told on stderr."""

    def work() -> Answer:
        return _identify(paths, engine, as_json, language(lang))

    return answer("identify/1", work, as_json=as_json, lang=lang)


def _identify(paths: tuple[Path, ...], engine: str, as_json: bool, lang: str) -> Answer:
    from pipeline.content.listing import identify_paths
    from pipeline.content.reading import Unreadable
    from pipeline.errors import Interrupted
    from pipeline.findings import problem_json
    from pipeline.ingest.session import stopping
    from pipeline.settings import settings
    from pipeline.workspace import workspace

    space = workspace()
    code = 0
    with tempfile.TemporaryDirectory(prefix="identify-", dir=space.work) as scratch:
        workers = settings(space).workers
        for one in identify_paths(paths, workers=workers, scratch=Path(scratch), engines=engine):
            if isinstance(one, Unreadable):
                code = 3
                note(problem_text({"problem": problem_json(one.problem)}, lang))
            else:
                put(sys.stdout, json.dumps(one, ensure_ascii=False) if as_json else _line(one))
            if stopping.is_set():
                raise Interrupted
    return Answer([], code, lambda document, lang: "", printed=True)


def _line(one: dict[str, Any]) -> str:
    """PUID, name and version, path; `–` where nothing matched, `≠` before a path on which the engines differ."""
    name = f"{one['name']} {one['version']}".strip() if one["puid"] else one["mime"]
    return f"{one['puid'] or '–':12} {name:50} {'≠ ' if one['agreement'] == 'differ' else ''}{one['path']}"
