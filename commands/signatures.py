"""`luutru signatures list` and `signatures update`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commands.frame import Answer, answer
from pipeline.workspace import workspace


def listed(*, as_json: bool, lang: str | None) -> int:
    """The document is `signatures/1`: every set of either engine."""

    def work() -> Answer:
        from pipeline.content.identification.adoption import listed as known

        return Answer(known(workspace()), 0, _listed)

    return answer("signatures/1", work, as_json=as_json, lang=lang)


def update(files: tuple[Path, ...], *, version: str | None, as_json: bool, lang: str | None) -> int:
    """The document is `signatures/1`: what came of each set, with findings; exit 1 when one was refused."""

    def work() -> Answer:
        from pipeline.content.identification.adoption import update as take_in
        from pipeline.findings import as_json as shape
        from pipeline.settings import household

        space = workspace()
        done = take_in(space, files, version)
        if any(one.kept and one.changed for one in done) and household(space).stores:
            from commands.frame import finish
            from pipeline.administration.archive import opened
            from pipeline.ingest.preflight import signatures_in_force

            with opened(space) as at_hand:
                signatures_in_force(at_hand, at_hand.reach())
                finish(space, "en")
        items = [
            {
                "engine": one.engine or None, "version": one.version or None, "in_force": one.kept is not None,
                "sha256": one.kept.sha256 if one.kept else None,
                "formats": one.kept.formats if one.kept else 0, "signatures": one.kept.signatures if one.kept else 0,
                "source": ", ".join(one.sources), "added": (one.kept.added or None) if one.kept else None,
                "verdict": ("accepted" if one.changed else "unchanged") if one.kept else "rejected",
                "findings": [shape(finding) for finding in one.findings],
            }
            for one in done
        ]  # fmt: skip
        return Answer(items, 0 if all(one.kept for one in done) else 1, _taken_in)

    return answer("signatures/1", work, as_json=as_json, lang=lang)


def _listed(document: dict[str, Any], lang: str) -> str:
    lines = []
    for one in document["items"]:
        mark = "*" if one["in_force"] else " "
        when = f"{one['added']} {one['source']}" if one["added"] else one["source"]
        lines.append(f"{mark} {one['engine']:10} {one['version']:30} {(one['sha256'] or '')[:12]:12} {when}".rstrip())
    lines.append({"vi": "* đang dùng", "en": "* in force"}[lang])
    return "\n".join(lines)


def _taken_in(document: dict[str, Any], lang: str) -> str:
    words = {
        "accepted": ("đã kiểm tra và đưa vào sử dụng", "tried and in force"),
        "unchanged": ("đang được dùng, không có gì thay đổi", "in force already, nothing changes"),
        "rejected": ("không dùng được, giữ bộ hiện hành", "refused, the present ones stay in force"),
    }
    lines = []
    for one in document["items"]:
        said = words[one["verdict"]][lang == "en"]
        lines.append(f"{one['source']}: {one['engine'] or '–'} {one['version'] or '–'}: {said}")
        for finding in one["findings"]:
            lines.append(f"  {finding['code']}: {finding['message'][lang]}\n    {finding['advice'][lang]}")
    return "\n".join(lines)
