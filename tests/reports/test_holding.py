"""What `luutru show` prints for people."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.reports.console import cell_width
from pipeline.reports.holding import holding
from tests.reports.hostile import ATTACKS


def item(text: str = "Báo cáo 2019") -> dict[str, Any]:
    moment = "2026-11-24T10:00:00+07:00"
    audit = {"time": moment, "version": 1, "result": "damaged", "evidence": "read", "files": 9, "bytes": 9}
    return {
        "aip": "urn:uuid:0a1b2c3d-0000-5000-8000-000000000000",
        "version": 1,
        "label": text,
        "kind": "bagit/1.0",
        "makes": "eark-aip",
        "profile": "eark",
        "ingest": "0a1b2c3d-0000-5000-8000-000000000009",
        "submission_digest": "ab" * 32,
        "carrier": {"kind": "zip", "name": text, "digest": None},
        "created": moment,
        "committed": moment,
        "files": 1200,
        "bytes": 1_572_864,
        "formats": {"fmt/18": 2},
        "findings": {"warning": 1, "info": 3},
        "versions": [{"version": 1, "stored_files": 25, "stored_bytes": 2_000_000}],
        "copies": [
            {"store": "vault", "version": 1, "state": "verified", "evidence": "read", "audit": audit},
            {
                "store": text,
                "version": 1,
                "state": "waiting",
                "evidence": None,
                "audit": None,
                "not_checked": {"time": moment, "reason": text},
            },
        ],
        "history": [
            {"time": moment, "who": "lan", "kind": "commit", "version": 1, "stores": [{"store": "vault"}]},
            {"time": moment, "who": text, "kind": "audit", "version": 1, "store": "vault", "result": "damaged"},
            {"time": moment, "who": "lan", "kind": "something-new"},
        ],
    }


def test_everything_is_said_in_vietnamese() -> None:
    made = holding(item(), "vi")
    for part in (
        "Báo cáo 2019",
        "urn:uuid:0a1b2c3d-0000-5000-8000-000000000000",
        "Báo cáo 2019 · bagit/1.0 · zip",
        "eark-aip · eark",
        "1.200, 1,5 MiB",
        "fmt/18 ×2",
        "1 cảnh báo, 3 thông tin",
        "vault v1: đã xác minh; đọc lại; kiểm tra 2026-11-24T10:00:00+07:00: hư hỏng",
        "đang chờ; chưa kiểm tra lần nào; chưa kiểm tra được lúc",
        "2026-11-24T10:00:00+07:00 lan: ghi vào kho v1 (vault)",
        "kiểm tra v1 (vault): hư hỏng",
        "lan: something-new",
    ):
        assert part in made, part


def test_english_and_narrow() -> None:
    made = holding(item(), "en", 60)
    assert "1,200, 1.5 MiB" in made
    assert "never audited" in " ".join(made.split())
    long = [line for line in made.splitlines() if cell_width(line) > 60]
    assert all(re.search(r"[0-9a-f]{8}", line) for line in long), "only what must not be broken is longer"


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_texts_are_escaped(attack: str) -> None:
    made = holding(item(attack), "vi", 100)
    assert all(line.isprintable() for line in made.split("\n"))
