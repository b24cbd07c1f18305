"""`luutru formats`: the formats of the whole holdings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from commands.frame import Answer, answer, note
from pipeline import VERSION
from pipeline.errors import UsageProblem
from pipeline.workspace import now, rfc3339, workspace


def formats(reports: tuple[Path, ...], *, files: int, as_json: bool, lang: str | None) -> int:
    """The document is `formats/1`; `reports` (HTML, CSV) are written from it as well."""

    def work() -> Answer:
        from pipeline.administration.archive import opened
        from pipeline.administration.formats import holdings
        from pipeline.reports import holdings_formats
        from pipeline.reports.files import planned

        for file in reports:
            if file.suffix.lower() not in holdings_formats.KINDS:
                raise UsageProblem("USE-REPORT-KIND", file=file, known=", ".join(holdings_formats.KINDS))
        targets = planned(reports, [])
        with opened(workspace()) as at_hand:
            found = holdings(at_hand, files)
        items = found.pop("items")
        document = {"luutru": VERSION, "ended": rfc3339(now()), "items": items, **found}
        for target in targets:
            holdings_formats.write(target, document)
            note(str(target))
        return Answer(items, 3 if found["not_read"] else 0, _text, found)

    return answer("formats/1", work, as_json=as_json, lang=lang)


def _text(document: dict[str, Any], lang: str) -> str:
    from pipeline.reports.holdings_formats import text

    width = shutil.get_terminal_size((120, 24)).columns
    return "\n".join(text(document, "en" if lang == "en" else "vi", width))
