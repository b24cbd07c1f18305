"""`luutru identify`: the format of every file, a line each, of folders, archives and stored AIPs."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.frame import Answer, answer, language, note, problem_text, put

if TYPE_CHECKING:
    from pipeline.content.listing import Given
    from pipeline.reports.words import Lang
    from pipeline.workspace import Workspace

COLUMNS = (
    *("path", "bytes", "sha256", "puid", "name", "version", "mime", "agreement", "match_type", "basis"),
    *("siegfried", "fido", "warning", "findings", "problem"),
)
"""Of the CSV; keys of the JSON where there is one of that name."""

_AIP = re.compile(r"(urn:uuid:|uuid-)?[0-9a-f]{4,8}(-?[0-9a-f]{1,12})*\Z")


def identify(
    paths: tuple[str, ...], *, engine: str, shape: str, archives: bool, as_json: bool, lang: str | None
) -> int:
    """Lines are `identify/1`, printed as they come, or a table (`shape`: table, jsonl, csv) with counts at its end.

    Exit 3 when a file could not be read, 1 when an archive or a member of one is damaged or forbids to be opened.
    """
    shape = "jsonl" if as_json else shape

    def work() -> Answer:
        return _identify(paths, engine, shape, archives, language(lang))

    return answer("identify/1", work, as_json=shape == "jsonl", lang=lang, lines=True)


def _identify(paths: tuple[str, ...], engine: str, shape: str, archives: bool, lang: str) -> Answer:
    from pipeline.content.identification import inforce
    from pipeline.content.listing import exit_of, identify_paths
    from pipeline.errors import Interrupted, stopping
    from pipeline.ingest.item import exit_code
    from pipeline.reports.tally import Tally
    from pipeline.settings import settings
    from pipeline.workspace import workspace

    space = workspace()
    inforce.use(space, inforce.sets(space).pin)
    codes: set[int] = set()
    tally = Tally()
    told = {"jsonl": _json, "csv": _row, "table": _line}[shape]
    with tempfile.TemporaryDirectory(prefix="identify-", dir=space.work) as scratch, _given(space, paths) as given:
        workers = settings(space).workers
        begun = False
        for one in identify_paths(given, workers=workers, scratch=Path(scratch), engines=engine, archives=archives):
            if shape == "csv" and not begun:
                put(sys.stdout, "\ufeff" + ",".join(COLUMNS) + "\r")
            begun = True
            put(sys.stdout, told(one))
            codes.add(exit_of(one))
            if shape != "jsonl":
                _explain(one, lang)
            tally.add(one["puid"], one["name"], one["version"], one["bytes"], one["agreement"])
            if stopping.is_set():
                raise Interrupted
    if shape == "table":
        _counts(tally.rows(), "en" if lang == "en" else "vi")
    return Answer([], exit_code(list(codes)), lambda document, lang: "", printed=True)


@contextlib.contextmanager
def _given(space: Workspace, paths: tuple[str, ...]) -> Iterator[list[Path | Given]]:
    """Paths, OCFL objects and stored AIPs as what can be identified; a path that exists is never taken for an id."""
    from pipeline.content.listing import Given
    from pipeline.errors import UsageProblem
    from pipeline.storage.versions import is_object, object_tree

    with contextlib.ExitStack() as held:
        made: list[Path | Given] = []
        at_hand = None
        for path in paths:
            if not path:  # `"$UNSET"` is a mistake, never the folder where one stands
                raise UsageProblem("USE-PATH", path='""')
            if not os.path.lexists(path) and _AIP.match(path):
                from pipeline.administration.archive import opened, stored

                at_hand = at_hand or held.enter_context(opened(space))
                aip, tree = stored(at_hand, path)
                held.callback(tree.close)
                made.append(Given(aip.urn.encode(), tree))
            elif is_object(Path(path)):
                tree = object_tree(Path(path))
                made.append(Given(os.fsencode(path), tree))
            else:
                made.append(Path(path))
        yield made


def _json(one: dict[str, Any]) -> str:
    return json.dumps(one, ensure_ascii=False)


def _line(one: dict[str, Any]) -> str:
    """PUID, name and version, path; `–` where nothing matched, `≠` before a path on which the engines differ."""
    name = f"{one['name']} {one['version']}".strip() if one["puid"] else one["mime"]
    return f"{one['puid'] or '–':12} {name:50} {'≠ ' if one['agreement'] == 'differ' else ''}{one['path']}"


def _row(one: dict[str, Any]) -> str:
    """A row of CSV without its line feed, guarded against spreadsheets that run formulas."""
    from pipeline.reports.csv import guarded

    engines = one["engines"]
    chosen: dict[str, Any] = next((each for each in engines.values() if one["puid"] in each["puids"]), {})
    values = {
        **one,
        "match_type": chosen.get("match_type", "none"),
        **{name: " ".join(engines[name]["puids"]) if name in engines else "" for name in ("siegfried", "fido")},
        "warning": "; ".join(f"{name}: {each['warning']}" for name, each in engines.items() if each["warning"]),
        "findings": " ".join(finding["code"] for finding in one["findings"]),
        "problem": (one["problem"] or {}).get("code"),
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="\r").writerow([guarded(values[key]) for key in COLUMNS])
    return out.getvalue()


def _explain(one: dict[str, Any], lang: str) -> None:
    """What is wrong with a file, for people, on standard error."""
    if one["problem"]:
        note(f"{one['path']}: {problem_text(one, lang)}")
    for finding in one["findings"]:
        if finding["level"] in ("error", "warning"):
            note(f"{one['path']}: {finding['code']}: {finding['message'][lang]}\n  {finding['advice'][lang]}")


def _counts(rows: list[Any], lang: Lang) -> None:
    from pipeline.reports.tally import table

    if rows:
        put(sys.stdout, "")
        for line in table(rows, lang, shutil.get_terminal_size((120, 24)).columns):
            put(sys.stdout, line)
