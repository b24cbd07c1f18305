"""Reports as workbooks: text stays text, every finding is there, the same bytes again."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest

from pipeline.reports import xlsx
from pipeline.reports.cells import fit
from tests.reports.hostile import ATTACKS, hostile, ordinary
from tests.reports.packages import delivery, good, hostile_places

SHEETS = ["Tóm tắt", "Lỗi theo nguyên nhân", "Lỗi", "Tài liệu"]


def made(document: dict[str, Any], **more: Any) -> bytes:
    out = io.BytesIO()
    xlsx.write(document, out, **more)
    return out.getvalue()


def book(document: dict[str, Any], **more: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(made(document, **more)))


def column(sheet: Any, letter: str) -> list[object]:
    return [cell.value for cell in sheet[letter]]


def test_the_sheets_have_heads_that_stay_and_filters() -> None:
    opened = book(delivery())
    assert opened.sheetnames == SHEETS
    for name in SHEETS[1:]:
        sheet = opened[name]
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}{sheet.max_row}"
        assert all("\n" in cell.value and cell.font.bold for cell in sheet[1])
        assert all(sheet.column_dimensions[cell.column_letter].width >= 8 for cell in sheet[1])


def test_the_first_sheet_begins_with_what_to_do() -> None:
    sheet = book(delivery())["Tóm tắt"]
    first, second = column(sheet, "A"), column(sheet, "B")
    assert str(first[2]).startswith("Đã kiểm tra 3 gói")
    assert first[6] == "Việc cần làm trước tiên (What to do first)"
    assert str(second[7]).startswith("Ổ đĩa hỏng: chưa có kết quả.") and second[9] == "→ Chạy lại"
    assert any(str(value).startswith("212 × ") for value in second)
    top = next(row for row in range(1, sheet.max_row) if str(sheet.cell(row, 1).value).startswith("Số thứ tự"))
    assert sheet.auto_filter.ref == f"A{top}:N{top + 3}"
    row = [cell.value for cell in sheet[top + 2]]
    assert row[:4] == [2, "Hồ sơ hộ tịch", "không hợp lệ (invalid)", 4]
    assert row[7:9] == [1, 3]


def test_every_finding_and_document_is_there() -> None:
    opened = book(delivery())
    findings = opened["Lỗi"]
    assert findings.max_row == 1 + 212 + 2 + 3 + 1 + 400
    assert [cell.value for cell in findings[2]][:5] == [
        "Hồ sơ đất đai 2019", "lỗi (error)", "BAG-MAN-04", "data/Công văn 1.pdf", 1,
    ]  # fmt: skip
    assert opened["Tài liệu"].max_row == 1 + 214 + 3
    assert column(opened["Lỗi theo nguyên nhân"], "B")[1:] == [212, 3, 1, 2, 400]


def test_no_text_is_a_formula() -> None:
    for document in (hostile("luutru/validate/1"), hostile(), hostile_places()):
        content = made(document)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                text = archive.read(name).decode()
                if name.startswith("xl/worksheets"):
                    assert "<f>" not in text and "<f " not in text
                    assert not re.search(r'<c [^>]*t="(?!inlineStr"|n")', text), name
                assert "hyperlink" not in text.lower() or "HYPERLINK(" in text
                assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ufeff]", text), name
        for sheet in openpyxl.load_workbook(io.BytesIO(content)):
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type in ("s", "n", "inlineStr")
                    if isinstance(cell.value, str) and cell.value.lstrip().startswith(("=", "+", "-", "@")):
                        assert cell.quotePrefix


def test_what_excel_reads_as_a_letter_stays_what_it_is() -> None:
    with zipfile.ZipFile(io.BytesIO(made(hostile_places()))) as archive:
        text = archive.read("xl/worksheets/sheet3.xml").decode()
    assert "_x005F_x003D_1+1 _x005F_x202E_txt.exe" in text
    assert not re.search(r"_x(?!005F)[0-9A-F]{4}_", text.replace("_x005F_x003D_", "").replace("_x005F_x202E_", ""))


def test_every_attack_is_there_to_be_read() -> None:
    opened = book(hostile("luutru/validate/1"))
    messages = set(column(opened["Lỗi"], "F"))
    for attack in ATTACKS:
        assert fit(f"{attack} (vi)") in messages


def test_the_same_document_makes_the_same_bytes() -> None:
    assert made(delivery()) == made(delivery())
    with zipfile.ZipFile(io.BytesIO(made(good()))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2026-11-24T03:00:00Z" in archive.read("docProps/core.xml")
        assert archive.testzip() is None


def test_what_a_sheet_cannot_hold_stands_on_the_next() -> None:
    opened = book(delivery(), rows=250)
    assert opened.sheetnames == [*SHEETS[:2], "Lỗi", "Lỗi (2)", "Lỗi (3)", "Tài liệu"]
    assert [opened[name].max_row for name in ("Lỗi", "Lỗi (2)", "Lỗi (3)")] == [250, 250, 1 + 618 - 498]
    assert opened["Lỗi (2)"].freeze_panes == "A2"


@pytest.mark.parametrize("document", [good(), ordinary(), {**good(), "items": []}], ids=["good", "ingest", "none"])
def test_other_documents_are_workbooks_too(document: dict[str, Any]) -> None:
    assert book(document).sheetnames == SHEETS
