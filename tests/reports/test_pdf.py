"""Reports as PDF/A: valid, official, the same bytes again, and no text of a package does anything."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import pdfa

from pipeline.errors import SystemProblem
from pipeline.reports import pdf
from tests.reports.hostile import ATTACKS, hostile
from tests.reports.packages import delivery, good, hostile_names, hostile_places


def made(document: dict[str, Any], office: str = "") -> bytes:
    out = io.BytesIO()
    pdf.write(document, out, office)
    return out.getvalue()


def pages(content: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    return [" ".join(str(page.get_textpage().get_text_bounded()).split()) for page in document]


@pytest.fixture(scope="module")
def report() -> bytes:
    return made(delivery(), "Trung tâm Lưu trữ lịch sử tỉnh")


def test_a_report_is_pdf_a_with_embedded_letters(report: bytes) -> None:
    assert pdfa.validate_written(io.BytesIO(report), "2b").verdict == "pass"
    with pikepdf.open(io.BytesIO(report)) as document:
        assert document.open_metadata()["pdfaid:part"] == "2"
        assert document.docinfo["/Title"] == "Báo cáo kết quả kiểm tra gói tài liệu lưu trữ điện tử"
        assert document.Root.Lang == "vi"
        assert document.Root.MarkInfo.Marked
        assert "/Names" not in document.Root and "/AcroForm" not in document.Root


def test_the_layout_is_that_of_official_documents(report: bytes) -> None:
    first, *_ = pages(report)
    for words in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "TRUNG TÂM LƯU TRỮ LỊCH SỬ TỈNH",
        "BÁO CÁO",
        "ngày 24 tháng 11 năm 2026",
        "Số: ",
    ):
        assert words in first, words
    assert first.index("VIỆC CẦN LÀM TRƯỚC TIÊN") < first.index("212 ×")
    mm = 72 / 25.4
    for number, page in enumerate(pypdfium2.PdfDocument(report), 1):
        width, height = page.get_size()
        assert (round(width), round(height)) == (595, 842)
        above = page.get_textpage().get_text_bounded(bottom=height - 19 * mm).strip()
        assert above == ("" if number == 1 else str(number))
        boxes = [box for thing in page.get_objects() if (box := thing.get_bounds())[1] < height - 20 * mm]
        assert min(box[0] for box in boxes) >= 30 * mm - 2
        assert max(box[2] for box in boxes) <= width - 15 * mm + 2
        assert min(box[1] for box in boxes) >= 20 * mm - 2


def test_dates_have_the_zeros_of_the_decree() -> None:
    document = {**good(), "ended": "2026-02-04T20:00:00Z"}
    assert "ngày 05 tháng 02 năm 2026" in pages(made(document))[0]
    assert "ngày …… tháng …… năm ……" in pages(made({**good(), "ended": None}))[0]


def test_the_same_document_makes_the_same_bytes(report: bytes) -> None:
    again = made(delivery(), "Trung tâm Lưu trữ lịch sử tỉnh")
    assert hashlib.sha256(again).digest() == hashlib.sha256(report).digest()
    assert made(good()) != report


def test_long_lists_are_cut_and_say_where_the_whole_is(report: bytes) -> None:
    text = " ".join(pages(report))
    assert "và 200 mục nữa; danh sách đầy đủ có trong báo cáo XLSX" in text
    assert "Công văn 12.pdf, dòng 12" in text and "Công văn 13.pdf, dòng 13" not in text


def one_package(document: dict[str, Any]) -> dict[str, Any]:
    """All findings in one package, and the names of all packages."""
    return {**document, "items": [document["items"][0], *({**item, "findings": []} for item in document["items"][1:])]}


def test_of_many_packages_those_are_shown_that_are_not_good() -> None:
    _, _, unread = delivery()["items"]
    items = [{**good()["items"][0], "path": f"tốt {n}"} for n in range(250)]
    items += [{**unread, "path": f"hỏng {n}"} for n in range(12)]
    text = " ".join(pages(made({**good(), "items": items})))
    assert text.index("hỏng 11") < text.index("tốt 0") and "tốt 187" in text and "tốt 188" not in text
    assert "và 62 mục nữa" in text and "và 2 mục nữa" in text and "hỏng 9: chưa có kết quả" in text


@pytest.mark.parametrize("attacked", [hostile("luutru/validate/1"), hostile_places()], ids=["attacks", "names"])
def test_hostile_text_is_only_read(attacked: dict[str, Any]) -> None:
    content = made(one_package(attacked), ATTACKS[8])
    with pikepdf.open(io.BytesIO(content)) as document:
        for thing in document.objects:
            if isinstance(thing, pikepdf.Dictionary):
                assert not {"/JS", "/URI", "/Launch", "/GoToR", "/EF"} & set(thing.keys())
                assert thing.get("/S") not in (pikepdf.Name.JavaScript, pikepdf.Name.URI, pikepdf.Name.Launch)
    text = "".join(pages(content))
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]", text)
    assert "\ufffd" not in text


def test_what_the_letters_lack_is_written_in_numbers() -> None:
    assert pdf.legible("漢 Hồ sơ 😀") == "\\u6f22 Hồ sơ \\U0001f600"
    assert pdf.legible("سجل") == "\\u0633\\u062c\\u0644"
    assert pdf.legible("Thửa đất số 5, ‹tệp› → ×") == "Thửa đất số 5, ‹tệp› → ×"
    assert len(str(pdf.legible(hostile_names()[1]))) <= pdf.LONGEST + 1


def test_letters_without_vietnamese_are_passed_over(tmp_path: Path) -> None:
    letters = pdf.found([Path("/usr/share/fonts")])
    assert letters is not None
    family, paths, have = letters
    assert family in pdf.FAMILIES and {ord("ệ"), ord("Ữ")} <= have and ord("漢") not in have
    assert pdf.found([tmp_path]) is None
    for name in pdf.FAMILIES[0].files:
        (tmp_path / name).write_bytes(b"\0\1\0\0 no letters")
    assert pdf.found([tmp_path]) is None
    for name, path in zip(pdf.FAMILIES[0].files, paths, strict=True):
        shutil.copy(path, tmp_path / name)
    taken = pdf.found([tmp_path, Path("/usr/share/fonts")])
    assert taken is not None and taken[0] is pdf.FAMILIES[0] and taken[1][0].parent == tmp_path


def test_what_is_not_pdf_a_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_FLAVOUR", "1b")
    out = io.BytesIO()
    with pytest.raises(SystemProblem) as refused:
        pdf.write(good(), out)
    assert refused.value.code == "SYS-REPORT-PDFA"
    assert out.getvalue() == b""
