"""`luutru store …` and `luutru doctor`."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from commands.frame import Answer, answer
from pipeline.errors import Problem
from pipeline.findings import problem_json
from pipeline.workspace import workspace


def add(
    name: str, url: str, *, endpoint: str | None, aws_profile: str | None, credentials_file: Path | None, verify: str,
    site: str, as_json: bool, lang: str | None,
) -> int:  # fmt: skip
    """The document is `store/1`: the store with what it can do, and how many stores are independent."""

    def work() -> Answer:
        from commands.frame import finish
        from pipeline.administration.archive import opened
        from pipeline.storage.lines import Kind, store_added
        from pipeline.storage.probe import add_store

        space = workspace()
        setting = add_store(
            space, name, url, endpoint=endpoint, profile=aws_profile,
            credentials_file=str(credentials_file.absolute()) if credentials_file else None, verify=verify, site=site,
        )  # fmt: skip
        with opened(space) as at_hand:
            at_hand.reach()
            facts = setting.capabilities
            line = store_added(name, str(facts.get("store", "")), url, site, str(facts.get("medium", "")))
            at_hand.journal.append(Kind.STORE_ADDED, line)
            finish(space, "en")
        return _stores([name])

    return answer("store/1", work, as_json=as_json, lang=lang)


def listed(*, as_json: bool, lang: str | None) -> int:
    """The document is `store/1`."""
    return answer("store/1", lambda: _stores(None), as_json=as_json, lang=lang)


def probe(name: str, *, as_json: bool, lang: str | None) -> int:
    """The document is `store/1`."""

    def work() -> Answer:
        from pipeline.storage.probe import probe_store

        probe_store(workspace(), name)
        return _stores([name])

    return answer("store/1", work, as_json=as_json, lang=lang)


def doctor(*, as_json: bool, lang: str | None) -> int:
    """The document is `doctor/1`; exit 3 when something that is needed lacks."""

    def work() -> Answer:
        from pipeline.content.normalisation.preview import rules_calling
        from pipeline.settings import settings
        from pipeline.tools import inspect

        items = [_python(), _data()]
        calling = rules_calling()
        for state in inspect(settings(workspace()).sandbox):
            told = {**asdict(state), "what": "tool", "rules": calling.get(state.name, [])}
            items.append(told)
        stores = _stores(None)
        items += [
            {"what": "store", "name": one["name"], "found": one["state"], "ok": one["state"] == "reached",
             "needed": True, "version": "", "lost": "", "install": ""}
            for one in stores.items
        ]  # fmt: skip
        lacking = any(one.get("needed") and not one.get("ok") for one in items)
        return Answer(items, 3 if lacking else 0, _checked)

    return answer("doctor/1", work, as_json=as_json, lang=lang)


def _stores(names: list[str] | None) -> Answer:
    from pipeline.administration.archive import opened
    from pipeline.storage.probe import as_json as shape
    from pipeline.storage.probe import independence

    with opened(workspace()) as at_hand:
        at_hand.reach()
        items: list[dict[str, Any]] = []
        for one in at_hand.household.stores:
            if names is None or one.name in names:
                problem: Problem | None = at_hand.absent.get(one.name)
                state = "reached" if problem is None else "absent"
                told = problem_json(problem) if problem is not None else None
                items.append({**shape(one), "state": state, "problem": told})
        apart = independence(at_hand.household.stores).figure
    code = 3 if any(one["problem"] for one in items) and names else 0
    return Answer(items, code, _listed, {"independent": apart, "stores": len(at_hand.household.stores)})


def _python() -> dict[str, Any]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return {"what": "python", "name": "python", "found": sys.executable, "version": version, "ok": True,
            "needed": True, "lost": "", "install": ""}  # fmt: skip


def _data() -> dict[str, Any]:
    space = workspace()
    free = shutil.disk_usage(space.root).free
    return {"what": "data", "name": "LUUTRU_DATA", "found": str(space.root), "version": "", "ok": free > 2**30,
            "needed": True, "lost": "", "install": f"{free} B"}  # fmt: skip


def _listed(document: dict[str, Any], lang: str) -> str:
    lines = []
    for one in document["items"]:
        word = {"reached": ("sẵn sàng", "ready"), "absent": ("không tới được", "out of reach")}[one["state"]]
        lines.append(f"{one['name']:16} {word[lang == 'en']:16} {one['url']}")
        if one["problem"]:
            lines.append(f"    {one['problem']['message'][lang]}\n    {one['problem']['advice'][lang]}")
    apart, number = document["independent"], document["stores"]
    if number > apart:
        lines.append(
            {
                "vi": f"Lưu ý: {number} kho nhưng chỉ có {apart} nơi độc lập; các kho cùng một ổ đĩa sẽ mất cùng lúc.",
                "en": f"Note: {number} stores, but {apart} independent places; stores on one disk are lost together.",
            }[lang]
        )
    return "\n".join(lines)


def _checked(document: dict[str, Any], lang: str) -> str:
    lines = []
    for one in document["items"]:
        mark = "✓" if one["ok"] else "✗" if one.get("needed") else "–"
        lost = one.get("lost") or ""
        lost = lost.get(lang, "") if isinstance(lost, dict) else lost
        rules = ", ".join(one.get("rules") or [])
        without = f" ({'quy tắc' if lang == 'vi' else 'rules'}: {rules})" if rules else ""
        tail = "" if one["ok"] else f"  {lost}{without} {one.get('install') or ''}"
        lines.append(f"{mark} {one['name']:16} {one.get('version') or one.get('found') or ''}{tail}".rstrip())
    return "\n".join(lines)
