"""`luutru audit` and `luutru journal verify`."""

from __future__ import annotations

import re
from typing import Any

from commands.frame import Answer, answer, language, note, tables
from pipeline.errors import UsageProblem
from pipeline.workspace import workspace

_SIZE = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_TIME = {"s": 1, "m": 60, "h": 3600}


def audit(
    *, store: str | None, aip: str | None, plan: bool, budget: str | None, as_json: bool, lang: str | None
) -> int:
    """The document is `audit/1`."""

    def work() -> Answer:
        from commands.frame import finish
        from commands.progress import Display
        from pipeline.administration.archive import opened
        from pipeline.administration.audit import audit as read_again
        from pipeline.administration.audit import limits
        from pipeline.errors import stopping
        from pipeline.findings import as_json as shape

        space = workspace()
        with opened(space) as at_hand, Display(language(lang), 1) as display:
            if store is not None:
                at_hand.household.store(store)
            urn = at_hand.find(aip).urn if aip else None
            report = read_again(
                at_hand, store=store, aip=urn, plan=plan, budget=limits(**parsed_budget(budget)),
                on_item=lambda item: note(f"{item['aip']} {item['store']}: {item['result']}"),
                on_progress=lambda at: display.progress("audit", at.done, at.copies, at.done_bytes, at.bytes),
                stop=stopping.is_set,
            )  # fmt: skip
            finish(space, "en")
        if report.mass_damage is not None:
            tongue = language(lang)
            told = shape(report.mass_damage)
            note(f"{told['code']}: {told['message'][tongue]}\n{told['advice'][tongue]}")
        return Answer(report.items, report.exit, tables, {"overdue": report.overdue, "next_due": report.next_due})

    return answer("audit/1", work, as_json=as_json, lang=lang)


def verify_journal(*, as_json: bool, lang: str | None) -> int:
    """The document is `journal/1`: every chain with its findings; exit 1 when one is broken."""

    def work() -> Answer:
        from pipeline.administration.archive import opened
        from pipeline.findings import as_json as shape
        from pipeline.storage.chains import FolderSource, Source, StoreSource, verify

        space = workspace()
        with opened(space) as at_hand:
            sources: list[Source] = [FolderSource(space.journal)]
            sources += [StoreSource(store) for store in at_hand.reach()]
            checked = verify(sources)
            findings = [shape(finding) for finding in checked.findings]
            absent = sorted(at_hand.absent)
        bad = any(one["level"] == "error" for one in findings)
        extra: dict[str, Any] = {"lines": checked.lines, "findings": findings, "absent": absent}

        def text(document: dict[str, Any], tongue: str) -> str:
            head = {"vi": f"{checked.lines} dòng nhật ký", "en": f"{checked.lines} lines"}[tongue]
            told = [f"{one['code']}: {one['message'][tongue]}" for one in findings]
            away = {"vi": "không tới được", "en": "out of reach"}[tongue]
            return "\n".join([head, *told, *(f"{away}: {name}" for name in absent)])

        return Answer([], 1 if bad else 3 if absent else 0, text, extra)

    return answer("journal/1", work, as_json=as_json, lang=lang)


def parsed_budget(budget: str | None) -> dict[str, int]:
    """`500GB` → bytes, `2h` → seconds, `1000` → count."""
    if budget is None:
        return {}
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", budget)
    if match:
        number, unit = int(match[1]), match[2]
        if not unit:
            return {"count": number}
        if unit in _TIME:
            return {"seconds": number * _TIME[unit]}
        if unit.upper() in _SIZE:
            return {"bytes": number * _SIZE[unit.upper()]}
    raise UsageProblem("USE-BUDGET", value=budget)
