"""What stands where, for people: every group in both languages, the urgent first, what to do beside it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.reports.state import state

ITEMS: list[dict[str, Any]] = [
    {"what": "running", "name": "/gói/đang chạy", "state": "running", "detail": ""},
    {"what": "unfinished", "name": "/gói/dở", "state": "unfinished", "detail": ""},
    {"what": "waiting-person", "name": "/gói/chờ", "state": "waiting-person", "detail": ""},
    {"what": "waiting-copy", "name": "urn:uuid:1", "state": "waiting", "detail": "kho2"},
    {"what": "copy", "name": "urn:uuid:2", "state": "damaged", "detail": "kho1"},
    {"what": "store", "name": "kho1", "state": "reached", "detail": ""},
    {"what": "store", "name": "kho2", "state": "absent", "detail": "SYS-STORE-ABSENT"},
    {"what": "overdue", "name": "audit", "state": "3", "detail": ""},
    {"what": "services", "name": "prefect", "state": "up", "detail": "http://127.0.0.1:4200"},
]


def test_the_urgent_comes_first_with_what_to_do() -> None:
    assert list(state({"items": ITEMS}, "vi")) == [
        "Bản sao không còn nguyên vẹn: 1. luutru show AIP cho biết tệp nào; luutru audit đọc lại.",
        "  urn:uuid:2 hư hỏng kho1",
        "Kho không tới được: 1. luutru store list cho biết vì sao.",
        "  kho2 SYS-STORE-ABSENT",
        "Gói chờ quyết định: 1. luutru decide GÓI, rồi gõ lại lệnh ingest.",
        "  /gói/chờ",
        "Bản sao đang chờ kho: 1. Nối lại kho rồi gõ lại lệnh ingest.",
        "  urn:uuid:1 kho2",
        "Gói làm dở: 1. Gõ lại đúng lệnh ingest, công việc tiếp tục từ chỗ dừng.",
        "  /gói/dở",
        "Đang chạy: 1",
        "  /gói/đang chạy",
        "Kho sẵn sàng: 1",
        "  kho1",
        "Bản sao quá hạn kiểm tra: 3. luutru audit",
        "Bảng theo dõi và lịch chạy: đang chạy http://127.0.0.1:4200",
    ]


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_names_cannot_draw_on_the_terminal_and_many_are_counted(lang: Any) -> None:
    many = [{"what": "unfinished", "name": f"\x1b[2J{n}", "state": "unfinished", "detail": ""} for n in range(25)]
    lines = list(state({"items": many}, lang))
    assert len(lines) == 22 and "25" in lines[0] and " 5 " in lines[-1]
    assert "\x1b" not in "".join(lines)
