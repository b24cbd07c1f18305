"""`luutru rules …` and `luutru normalise --dry-run`: what the rules of normalisation say, before anything is done."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.frame import Answer, answer

if TYPE_CHECKING:
    from pipeline.ingest.outlook import Asked

_WORDS: dict[str, tuple[str, str]] = {
    "ready": ("sẵn sàng", "ready"),
    "not ready": ("chưa chạy được", "cannot run"),
    "without": ("thiếu", "lacks"),
    "preservation": ("bảo quản", "preservation"),
    "access": ("sử dụng", "access"),
    "files": ("tệp", "files"),
    "seconds": ("giây", "seconds"),
    "copies": ("byte bản sao chuyển đổi", "bytes of copies"),
    "stays": ("giữ nguyên", "stays as it is"),
    "of": ("trong số", "of"),
    "sandbox": ("vùng cách ly không chạy được", "the sandbox does not work"),
    "no puid": ("PRONOM không có", "not in PRONOM"),
    "all": ("Tổng cộng", "In all"),
    "read": ("không đọc được", "could not be read"),
}


def check(asked: str, *, as_json: bool, lang: str | None) -> int:
    """The document is `rules/1`, an item a rule; exit 2 names file and key of what is wrong, 1: a PUID is none."""

    def work() -> Answer:
        from pipeline.ingest.outlook import rules_json
        from pipeline.settings import settings
        from pipeline.workspace import workspace

        items = rules_json(asked, settings(workspace()).sandbox)
        return Answer(items, 1 if any(one["unknown_puids"] for one in items) else 0, _listed)

    return answer("rules/1", work, as_json=as_json, lang=lang)


def explain(file: Path, rules: str, *, as_json: bool, lang: str | None) -> int:
    """The document is `rules/1`, an item for each purpose; exit 3 when the file cannot be read."""

    def work() -> Answer:
        from pipeline.ingest.outlook import PURPOSES, explained

        with _asked(rules, PURPOSES) as asked:
            items = list(explained(file, asked))
        return Answer(items, _exit(items), _explained)

    return answer("rules/1", work, as_json=as_json, lang=lang)


def dry_run(paths: tuple[Path, ...], rules: str, *, as_json: bool, lang: str | None) -> int:
    """The document is `normalise/1`, an item a file, with the `rules` they name and `totals`; nothing is made."""

    def work() -> Answer:
        from pipeline.ingest.outlook import named, outlook, totals

        with _asked(rules, ("preservation",)) as asked:
            items = [item for path in paths for item in outlook(path, asked)]
            cores = asked.settings.workers or os.cpu_count() or 1
            applied = named(items, asked)
        return Answer(items, _exit(items), _foreseen, {"rules": applied, "totals": totals(items, cores)})

    return answer("normalise/1", work, as_json=as_json, lang=lang)


class _asked:
    """What is asked, with a scratch folder that is gone afterwards."""

    def __init__(self, rules: str, purposes: tuple[str, ...]) -> None:
        self._rules, self._purposes = rules, purposes

    def __enter__(self) -> Asked:
        from pipeline.content.identification import inforce
        from pipeline.content.normalisation import rules
        from pipeline.ingest.outlook import Asked
        from pipeline.settings import settings
        from pipeline.workspace import workspace

        rules(self._rules)
        space = workspace()
        inforce.use(space, inforce.sets(space).pin)
        self._folder = tempfile.TemporaryDirectory(prefix="outlook-", dir=space.work)
        return Asked(self._rules, self._purposes, settings(space), Path(self._folder.name))

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def _exit(items: list[dict[str, Any]]) -> int:
    return 3 if any(one["problem"] for one in items) else 1 if any(one["findings"] for one in items) else 0


def _say(lang: str) -> Callable[[str], str]:
    return lambda word: _WORDS[word][lang == "en"]


def _listed(document: dict[str, Any], lang: str) -> str:
    say = _say(lang)
    lines = []
    for one in document["items"]:
        state = say("ready") if one["ready"] else f"{say('not ready')}: {_lacking(one['actions'], lang)}"
        lines.append(f"{one['name']}/{one['version']}  {say(one['purpose'])}  {state}")
        asked = f"  [{', '.join(one['conditions'])}]" if one["conditions"] else ""
        lines.append(f"    {', '.join(one['puids'])}{asked}")
        lines += [f"    {line}" for line in _steps(one["actions"])]
        if one["unknown_puids"]:
            lines.append(f"    {say('no puid')}: {', '.join(one['unknown_puids'])}")
    return "\n".join(lines)


def _explained(document: dict[str, Any], lang: str) -> str:
    say = _say(lang)
    lines = []
    for number, one in enumerate(document["items"]):
        if number == 0:
            lines.append(f"{one['path']}  {one['puid'] or '-'}  {one['name']}")
        lines += _trouble(one, lang)
        lines.append(f"{say(one['purpose'])}: {one['why']['text'][lang]}")
        if one["rule"]:
            lines += [f"    {line}" for line in _steps(one["actions"])]
            if not one["ready"]:
                lines.append(f"    {say('not ready')}: {_lacking(one['actions'], lang)}")
    return "\n".join(lines)


def _foreseen(document: dict[str, Any], lang: str) -> str:
    say = _say(lang)
    lines = []
    actions = {f"{one['name']}/{one['version']}": one["actions"] for one in document["rules"]}
    for one in document["items"]:
        steps = actions.get(one["rule"], [])
        extensions = ", ".join(dict.fromkeys(made["extension"] for step in steps[:1] for made in step["results"]))
        lacking = f"  {say('not ready')}: {_lacking(steps, lang)}" if one["rule"] and not one["ready"] else ""
        lines.append(f"{one['puid'] or '-':10} {one['rule'] or say('stays'):24} {extensions:12} {one['path']}{lacking}")
        lines += _trouble(one, lang)
    told = document["totals"]
    lines.append("")
    for one in told["formats"]:
        what = one["rule"] or say("stays")
        rest = f"  {one['seconds']} {say('seconds')}, {one['copies']} {say('copies')}" if one["rule"] else ""
        lines.append(f"{one['puid'] or '-':10} {what:24} {one['files']} {say('files')}, {one['bytes']} B{rest}")
    lines.append(f"{say('all')}: {told['seconds']} {say('seconds')}, {told['copies']} {say('copies')}")
    return "\n".join(lines)


def _steps(actions: list[dict[str, Any]]) -> Iterator[str]:
    for number, action in enumerate(actions, 1):
        made = ", ".join(f"{one['extension']} ({' '.join(one['promises'])})" for one in action["results"])
        yield f"{number}. {action['tool']} {' '.join(action['arguments'])}".rstrip() + f" → {made}"


def _lacking(actions: list[dict[str, Any]], lang: str) -> str:
    """What to install so that the first action can run."""
    say = _say(lang)
    missing = [need for action in actions for need in action["needs"] if not need["ok"]]
    if not missing:
        return say("sandbox")
    told = dict.fromkeys(f"{need['program']} {need['minimum']} ({need['install']})" for need in missing)
    return f"{say('without')} {', '.join(told)}"


def _trouble(one: dict[str, Any], lang: str) -> list[str]:
    lines = [f"    {finding['code']}: {finding['message'][lang]}" for finding in one["findings"]]
    if one["problem"]:
        lines.append(f"    {_say(lang)('read')}: {one['problem']['message'][lang]}")
    return lines
