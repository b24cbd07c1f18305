"""`luutru show`, `export`, `status` and `catalogue rebuild`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commands.frame import Answer, answer, note
from pipeline.errors import UsageProblem
from pipeline.workspace import workspace


def show(aip: str, *, as_json: bool, lang: str | None) -> int:
    """The document is `show/1`."""

    def work() -> Answer:
        from pipeline.administration.archive import opened

        with opened(workspace()) as at_hand:
            return Answer([at_hand.catalogue.show(at_hand.find(aip).urn)], 0, _shown)

    return answer("show/1", work, as_json=as_json, lang=lang)


def export(
    aip: str, folder: Path, *, version: str | None, shape: str, access: str | None, as_json: bool, lang: str | None
) -> int:
    """The document is `export/1`."""

    def work() -> Answer:
        from commands.frame import finish
        from pipeline.access.export import export as hand_out
        from pipeline.administration.archive import opened

        number = _number(version)
        space = workspace()
        with opened(space) as at_hand:
            made = hand_out(at_hand, aip, folder, number, shape, access)
            finish(space, "en")
        item = made.as_item()
        for one in made.skipped:
            note(f"{one.store}: {one.problem}")

        def text(document: dict[str, Any], tongue: str) -> str:
            told = [f"{item['path']}: {item['files']}, {item['bytes']} B"]
            if item["access"]:
                told.append(f"{'bản để đọc' if tongue == 'vi' else 'reading copies'}: {item['access']['made']}")
                told += [f"{one['code']} {one['message'][tongue]}" for one in item["access"]["findings"]]
            return "\n".join(told)

        return Answer([item], 0, text)

    return answer("export/1", work, as_json=as_json, lang=lang)


def status(*, as_json: bool, lang: str | None) -> int:
    """The document is `status/1`."""

    def work() -> Answer:
        from flows.services import running
        from pipeline.administration.archive import opened
        from pipeline.administration.status import status as states

        space = workspace()
        with opened(space) as at_hand:
            items = list(states(at_hand))
        services = running(space)
        dashboard = services.dashboard if services else ""
        state = "up" if services else "down"
        items.append({"what": "services", "name": "prefect", "state": state, "detail": dashboard})
        return Answer(items, 0, _states)

    return answer("status/1", work, as_json=as_json, lang=lang)


def rebuild(store: str | None, *, as_json: bool, lang: str | None) -> int:
    """The document is `catalogue/1`."""

    def work() -> Answer:
        from pipeline.administration.archive import opened
        from pipeline.catalogue.rebuild import rebuild as anew
        from pipeline.findings import as_json as shape

        with opened(workspace()) as at_hand:
            reached = {one.name: one for one in at_hand.reach()}
            if store is not None:
                at_hand.household.store(store)
            if store is not None and store not in reached:
                raise at_hand.absent[store]
            if not reached:
                raise next(iter(at_hand.absent.values()), UsageProblem("USE-NEEDS-STORE"))
            source = reached[store] if store else next(iter(reached.values()))
            found = anew(at_hand.catalogue, source)
        findings = [shape(finding) for finding in found.findings]
        item = {"store": found.store, "aips": found.aips, "lines": found.lines}

        def text(document: dict[str, Any], tongue: str) -> str:
            told = (f"{one['code']}: {one['message'][tongue]}\n  {one['advice'][tongue]}" for one in findings)
            return "\n".join([f"{found.store}: {found.aips} AIP", *told])

        return Answer([item], 1 if findings else 0, text, {"findings": findings})

    return answer("catalogue/1", work, as_json=as_json, lang=lang)


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    digits = version.removeprefix("v")
    if not digits.isdigit() or int(digits) < 1:
        raise UsageProblem("USE-ARGUMENTS", cause=f"--version {version}")
    return int(digits)


def _shown(document: dict[str, Any], lang: str) -> str:
    """What is held of an AIP: facts, copies, history."""
    import shutil

    from pipeline.reports.holding import holding

    width = shutil.get_terminal_size((100, 24)).columns
    return holding(document["items"][0], "en" if lang == "en" else "vi", width)


def _states(document: dict[str, Any], lang: str) -> str:
    from pipeline.reports.state import state

    return "\n".join(state(document, "en" if lang == "en" else "vi"))
