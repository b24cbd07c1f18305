"""`luutru decide`: a person's answer to what an ingest waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commands.frame import Answer, answer
from pipeline.errors import UsageProblem

_WORDS = {
    "accept": ("chấp nhận", "accepted"),
    "originals": ("chỉ lưu tệp gốc", "the originals alone are kept"),
}


def decide(package: Path, *, wanted: str | None, by: str, why: str, as_json: bool, lang: str | None) -> int:
    """The document is `decide/1`: one item for each question that was answered."""

    def work() -> Answer:
        from pipeline.ingest.deciding import decide as kept
        from pipeline.workspace import workspace

        if wanted is None:
            raise UsageProblem("USE-ARGUMENTS", cause="--accept | --originals")
        made = kept(workspace(), package, wanted, by, why)
        return Answer([one.as_item(package) for one in made], 0, _text)

    return answer("decide/1", work, as_json=as_json, lang=lang)


def _text(document: dict[str, Any], lang: str) -> str:
    lines = [f"{one['code']}: {_WORDS[one['answer']][lang == 'en']} ({one['by']})" for one in document["items"]]
    lines.append({"vi": "Chạy lại đúng lệnh ingest để làm tiếp.", "en": "Run the same ingest command to go on."}[lang])
    return "\n".join(lines)
