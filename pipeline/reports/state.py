"""What runs, waits, is out of reach and is overdue, for people: the most urgent first, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pipeline.reports.cells import fit
from pipeline.reports.words import RESULTS, Lang, Pair, say

_SHOWN = 20

_HEADINGS: dict[str, tuple[Pair, Pair]] = {
    "copy": (
        ("Bản sao không còn nguyên vẹn", "Copies that are not intact"),
        ("luutru show AIP cho biết tệp nào; luutru audit đọc lại.",
         "luutru show AIP says which files; luutru audit reads again."),
    ),
    "store-absent": (
        ("Kho không tới được", "Stores out of reach"),
        ("luutru store list cho biết vì sao.", "luutru store list says why."),
    ),
    "waiting-person": (
        ("Gói chờ quyết định", "Packages that wait for a decision"),
        ("luutru decide GÓI, rồi gõ lại lệnh ingest.", "luutru decide PACKAGE, then the same ingest again."),
    ),
    "waiting-copy": (
        ("Bản sao đang chờ kho", "Copies that wait for a store"),
        ("Nối lại kho rồi gõ lại lệnh ingest.", "Bring the store back and give the same ingest again."),
    ),
    "unfinished": (
        ("Gói làm dở", "Packages that were not finished"),
        ("Gõ lại đúng lệnh ingest, công việc tiếp tục từ chỗ dừng.",
         "Give the same ingest again, it goes on where it stood."),
    ),
    "running": (("Đang chạy", "Running"), ("", "")),
    "store": (("Kho sẵn sàng", "Stores at hand"), ("", "")),
    "overdue": (
        ("Bản sao quá hạn kiểm tra", "Copies overdue for an audit"),
        ("luutru audit", "luutru audit"),
    ),
    "services": (("Bảng theo dõi và lịch chạy", "Dashboard and schedules"), ("", "")),
}  # fmt: skip
"""By urgency: heading, and what to do about it."""

_STATES: dict[str, Pair] = {
    **RESULTS,
    "up": ("đang chạy", "up"),
    "down": ("đang tắt (luutru up để bật)", "down (luutru up starts them)"),
}


def state(document: dict[str, Any], lang: Lang) -> Iterator[str]:
    """Lines of `status/1`: a group for all that is alike; nothing is said of what there is none of."""
    order = list(_HEADINGS)
    items = sorted(document["items"], key=lambda one: order.index(_group(one)))
    for name, group in groupby(items, _group):
        found = list(group)
        heading, advice = _HEADINGS[name]
        if name == "overdue":
            count = int(found[0]["state"])
            told = f". {say(advice, lang)}" if count else ""
            yield f"{say(heading, lang)}: {count}{told}"
            continue
        if name == "services":
            yield f"{say(heading, lang)}: {_told(found[0], lang)}"
            continue
        told = f". {say(advice, lang)}" if say(advice, lang) else ""
        yield f"{say(heading, lang)}: {len(found)}{told}"
        yield from (f"  {fit(one['name'])} {_told(one, lang)}".rstrip() for one in found[:_SHOWN])
        if len(found) > _SHOWN:
            more = ("và {} mục nữa, xem --json", "and {} more, see --json")
            yield "  " + say(more, lang).format(len(found) - _SHOWN)


def _group(item: dict[str, Any]) -> str:
    what = str(item["what"])
    return "store-absent" if what == "store" and item["state"] != "reached" else what


def _told(item: dict[str, Any], lang: Lang) -> str:
    word = say(_STATES[item["state"]], lang) if item["state"] in _STATES else ""
    return " ".join(part for part in (word, fit(item["detail"])) if part)
