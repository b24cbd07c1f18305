"""Reports for spreadsheets: no cell is a formula, every value is there."""

from __future__ import annotations

import csv as reader
import io

import pytest

from pipeline.reports import csv
from tests.reports.hostile import ATTACKS, audit, hostile, ordinary


def rows(writer: object, document: dict[str, object]) -> list[list[str]]:
    out = io.StringIO(newline="")
    writer(document, out)  # type: ignore[operator]
    return list(reader.reader(io.StringIO(out.getvalue(), newline="")))


@pytest.mark.parametrize("writer", [csv.items, csv.findings])
def test_no_cell_begins_a_formula(writer: object) -> None:
    for document in (hostile(), hostile("luutru/validate/1"), audit(ATTACKS)):
        for row in rows(writer, document)[1:]:
            for cell in row:
                assert not cell.lstrip(" \u3000").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋")), cell
                assert cell.isprintable()


def test_numbers_stay_numbers() -> None:
    assert csv.guarded(-3) == -3
    assert csv.guarded("-3") == "'-3"
    assert csv.guarded(None) == ""
    assert csv.guarded("Báo cáo") == "Báo cáo"


def test_items_have_the_table_of_the_terminal() -> None:
    table = rows(csv.items, ordinary())
    assert table[0] == ["package", "verdict", "files", "bytes", "formats", "aip", "copies", "seconds"]
    assert table[1] == [
        "gói/Báo cáo 2019", "accepted", "3", "1572864", "fmt/412 ×12, fmt/18",
        "urn:uuid:0a1b2c3d-0000-5000-8000-000000000000", "vault, bucket (by the server's word)", "1.25",
    ]  # fmt: skip
    assert len(table) == 7


def test_findings_are_one_row_each_in_both_languages() -> None:
    table = rows(csv.findings, ordinary())
    assert len(table) == 1 + 1 + 3 + 1
    row = dict(zip(table[0], next(row for row in table if row[3] == "BAG-MAN-04"), strict=True))
    assert row["package"] == "gói/Túi hỏng"
    assert (row["file"], row["line"], row["expected"], row["found"]) == ("data/a.txt", "3", "aa", "bb")
    assert (row["message_vi"], row["message_en"]) == ("sai mã băm (vi)", "sai mã băm (en)")
    assert (row["advice_vi"], row["reference"]) == ("gửi lại tệp (vi)", "RFC 8493 §2.1.3")


def test_problems_of_copies_are_rows() -> None:
    table = rows(csv.findings, audit())
    assert [row[3] for row in table[1:]] == ["changed", "missing", "rolled-back"]
    assert table[1][0] == "0a1b2c3d v1 · data/a.txt"
