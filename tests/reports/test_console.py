"""Reports on the terminal: nothing moves the cursor, nothing is lost on a narrow screen."""

from __future__ import annotations

import re

import pytest

from pipeline.reports import console
from pipeline.reports.words import VERDICTS
from tests.reports.hostile import ATTACKS, audit, hostile, ordinary


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_lines_keep_to_the_width(width: int) -> None:
    for line in console.report(ordinary(), "vi", width).splitlines():
        assert console.cell_width(line) <= width, line


def test_the_wide_table_says_everything() -> None:
    made = console.report(ordinary(), "vi", 160)
    head = made.splitlines()[0]
    for word in ("Gói", "Kết quả", "Số tệp", "Dung lượng", "Định dạng", "AIP", "Bản sao", "Giây"):
        assert word in head
    row = next(line for line in made.splitlines() if "Báo cáo 2019" in line)
    for part in ("✓ đạt", "1,5 MiB", "fmt/412 ×12, fmt/18", "0a1b2c3d v1", "vault, bucket (theo máy chủ)", "1,2"):
        assert part in row
    assert "= đã lưu trữ từ trước" in made
    assert "… chờ bản sao" in made
    assert "… chờ quyết định" in made
    assert "bucket (kho vắng mặt)" in made
    assert "? chưa có kết quả" in made


def test_a_rejected_package_shows_all_findings_and_their_advice_once() -> None:
    made = console.report(ordinary(), "vi", 100)
    assert "✗ Túi hỏng: không đạt" in made
    assert made.count("BAG-MAN-04 · lỗi (RFC 8493 §2.1.3)") == 1
    assert "- data/a.txt, dòng 3: sai mã băm (vi)" in made
    assert "- data/b.txt, dòng 4: sai mã băm b (vi)" in made
    assert made.count("→ gửi lại tệp (vi)") == 1
    assert "BAG-OXUM · cảnh báo" in made
    assert "SYS-READ: không đọc được" in made
    assert "FMT-TEXT" not in made


def test_validate_shows_findings_of_valid_packages_too() -> None:
    document = ordinary()
    document["schema"] = "luutru/validate/1"
    document["items"][0]["verdict"] = "valid"
    made = console.report(document, "en", 100)
    assert "✓ Báo cáo 2019: valid" in made
    assert "FMT-TEXT · information" in made


def test_both_languages_have_their_words() -> None:
    made = console.report(ordinary(), "en", 160)
    assert "✗ rejected" in made
    assert "1.5 MiB" in made
    assert all(vi and en and vi != en for vi, en in VERDICTS.values())


def test_a_good_package_with_warnings_has_a_line() -> None:
    document = ordinary()
    document["items"][0]["findings"][0]["level"] = "warning"
    assert "Báo cáo 2019: 1 cảnh báo, xem báo cáo" in console.report(document, "vi", 100)


def test_a_narrow_terminal_gets_a_list() -> None:
    made = console.report(ordinary(), "vi", 50)
    assert "─" not in made
    assert "  Kết quả: ✓ đạt" in made
    assert "  Định dạng: fmt/412 ×12, fmt/18" in made


@pytest.mark.parametrize("width", [30, 100])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_hostile_text_never_reaches_the_terminal_raw(width: int, lang: str) -> None:
    for document in (hostile(), hostile("luutru/validate/1"), audit(ATTACKS)):
        made = console.report(document, "vi" if lang == "vi" else "en", width)
        assert all(line.isprintable() for line in made.split("\n"))
        assert "\\x1b[2J" in made.replace("\n", "")
        made.encode("utf-8")


def test_colour_is_the_only_escape_and_only_when_asked() -> None:
    assert "\x1b" not in console.report(ordinary(), "vi", 100)
    made = console.report(hostile(), "vi", 100, colour=True)
    assert set(re.findall(r"\x1b\[[^m]*m", made)) <= {"\x1b[31m", "\x1b[0m"}
    assert "\x1b[2J" not in made


def test_an_audit_names_the_copy_and_what_is_wrong() -> None:
    made = console.report(audit(), "vi", 120)
    assert "✗ hư hỏng" in made
    assert "? chưa kiểm tra" in made
    assert "data/a.txt: nội dung bị thay đổi" in made
    assert "mất tệp, đã sửa từ data/a.txt" in made
    assert "kho quay về trạng thái cũ" in made
    assert "Quá hạn kiểm tra: 0" in made
    assert "Kỳ kiểm tra tới: 2026-12-24T02:00:00+07:00" in made


def test_widths_of_marks_and_wide_characters() -> None:
    assert console.cell_width("Biên bản") == 8
    assert console.cell_width("Biên bản".encode().decode()) == 8
    assert console.cell_width("e\u0301") == 1
    assert console.cell_width("漢字") == 4
    assert console.clipped("Báo cáo tổng hợp", 8) == "Báo cáo…"
    assert console.cell_width(console.clipped("漢字漢字", 4)) <= 4


def test_nothing_to_report() -> None:
    document = {**ordinary(), "items": []}
    assert console.report(document, "vi") == "Không có mục nào.\n"


def test_a_place_is_said_once() -> None:
    document = ordinary()
    first, second, third = document["items"][1]["findings"]
    first["message"]["vi"] = "Thiếu tệp data/a.txt"
    second["message"]["vi"] = "Thiếu tệp data/b.txt, được ghi ở dòng 4"
    third["message"]["vi"] = "Gói thiếu số liệu"
    made = console.report(document, "vi", 100)
    assert "    - Thiếu tệp data/a.txt (dòng 3)\n" in made
    assert "    - Thiếu tệp data/b.txt, được ghi ở dòng 4\n" in made
    assert "    - Gói thiếu số liệu\n" in made


def test_long_names_keep_both_ends() -> None:
    assert console.shortened("rejected--PKG-NOT-A-PACKAGE--khong-phai-goi.pdf", 20) == "rejected-…ai-goi.pdf"
    assert console.shortened("ngắn", 20) == "ngắn"
    assert console.cell_width(console.shortened("漢字" * 20, 15)) <= 15
    decomposed = "Tie\u0302\u0301ng Vie\u0323\u0302t " * 5
    assert console.cell_width(console.shortened(decomposed, 12)) <= 12


def test_the_verdicts_are_counted() -> None:
    made = console.report(ordinary(), "vi", 200)
    assert "Tổng cộng 6: 1 đạt, 1 không đạt, 1 chờ quyết định, 1 chờ bản sao, 1 đã lưu trữ từ trước, 1 chưa có" in made


def test_an_audit_of_many_copies_shows_what_is_not_intact() -> None:
    document = audit()
    document["items"] = document["items"][:1] * 5000 + document["items"][1:]
    made = console.report(document, "vi", 120)
    assert len(made.splitlines()) < 40
    assert "và 5000 bản sao nguyên vẹn" in made
    assert "Tổng cộng 5002: 5000 nguyên vẹn, 1 hư hỏng, 1 chưa kiểm tra" in made
