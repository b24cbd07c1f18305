"""What a report of a check says, and as one HTML page: causes, what to do first, packages, documents."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from lxml import html as parser

from pipeline.reports import validation, validation_html
from pipeline.reports.cells import fit
from pipeline.reports.validation import causes, documents_of, view
from tests.reports.hostile import ATTACKS, finding, hostile, ordinary
from tests.reports.packages import delivery, found, good, hostile_places, package


def page(document: dict[str, Any]) -> tuple[str, Any]:
    out = io.StringIO()
    validation_html.page(document, out)
    return out.getvalue(), parser.document_fromstring(out.getvalue())


def words(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_causes_begin_with_what_is_to_be_done_first() -> None:
    made = causes(delivery()["items"], 10)
    assert [(c.number, c.code, c.count, c.level) for c in made] == [
        (1, "BAG-MAN-04", 212, "error"),
        (2, "BAG-MAN-03", 3, "error"),
        (3, "PKG-EMPTY", 1, "error"),
        (4, "FLD-NAME-FORM", 2, "warning"),
        (5, "FMT-EXTENSION", 400, "info"),
    ]


def test_then_errors_come_before_decisions_warnings_and_notes() -> None:
    counts = {"A-1": ("warning", 9), "B-1": ("info", 90), "C-1": ("error", 2), "D-1": ("error", 5), "E-1": ("error", 7)}
    counts |= {"F-1": ("decision", 8), "G-1": ("error", 1)}
    lines = [finding(code, level, "a", "x", "y") for code, (level, n) in counts.items() for _ in range(n)]
    made = [cause.code for cause in causes([package("p", "invalid", lines)], 5)]
    assert made == ["F-1", "E-1", "D-1", "C-1", "G-1", "A-1", "B-1"]


def test_notes_alone_are_nothing_to_do() -> None:
    seen = view({"items": [package("p", "valid", [finding("B-1", "info", "a", "x", "y")])]}, 5, 5)
    assert seen.quiet and len(seen.causes) == 1
    seen = view({"items": [package("p", "valid", [finding("B-1", "warning", "a", "x", "y")])]}, 5, 5)
    assert [cause.code for cause in seen.first] == ["B-1"]


def test_one_sentence_stands_for_all_findings_of_a_code() -> None:
    first, second, third, *_ = causes(delivery()["items"], 3)
    assert "‹tệp›" in first.what.vi and "‹file›" in first.what.en and "f" * 64 in first.what.vi
    assert "Công văn 1" not in first.what.vi
    assert [place.where.vi for place in first.places] == [f"data/Công văn {n}.pdf, dòng {n}" for n in (1, 2, 3)]
    assert (first.more, first.files, first.packages) == (209, 212, 1)
    assert first.named == tuple(f"data/Công văn {n}.pdf (Hồ sơ đất đai 2019)" for n in (1, 2, 3))
    assert third.what.vi == "Gói không có tệp nào" and third.plain
    assert third.named == ("Hồ sơ hộ tịch",)
    assert second.spread.vi == "3 tệp, 1 gói"


def test_few_kinds_of_one_cause_are_counted_apart() -> None:
    lines = [found("BAG-DECL-04", "bagit.txt", expected="1.0", found=text) for text in ("0.9", "0.9", "2.0")]
    (cause,) = causes([package("p", "invalid", lines)], 5)
    assert [count for count, _ in cause.variants] == [2, 1]
    assert "0.9" in cause.variants[0][1].vi and "2.0" in cause.variants[1][1].vi and "1.0" in cause.variants[0][1].vi


def test_advice_that_differs_stands_with_each_place() -> None:
    lines = [finding("X-1", "error", "a", "m", f"làm {n}") for n in (1, 2)]
    (cause,) = causes([package("p", "invalid", lines)], 5)
    assert [place.advice.vi for place in cause.places if place.advice] == ["làm 1 (vi)", "làm 2 (vi)"]
    assert "Từng chỗ" in cause.advice.vi


def test_documents_have_their_verdicts_and_files_stand_in_where_a_kind_gives_none() -> None:
    rows = list(documents_of(delivery()["items"]))
    assert len(rows) == 214 + 3
    assert [(row.document, row.verdict.vi, row.codes) for row in rows[-3:]] == [
        ("01.0001", "hợp lệ", ()),
        ("01.0002", "không hợp lệ", ("BAG-MAN-03",)),
        ("01.0003", "cần quyết định", ("FMT-UNKNOWN",)),
    ]
    assert (rows[0].document, rows[0].verdict.vi) == ("data/Công văn 1.pdf", "lỗi")


def test_of_many_documents_those_are_shown_that_are_not_good() -> None:
    judged: list[dict[str, Any]] = [
        {"document": str(n), "file": None, "verdict": "valid" if n < 50 else "invalid", "codes": []} for n in range(60)
    ]
    seen = view({"items": [package("p", "invalid", [], documents=judged)]}, 5, 12)
    assert [row.document for row in seen.documents] == [*map(str, range(50, 60)), "0", "1"]
    assert seen.documents_more == 48
    assert seen.packages[0].documents == (60, 50)


def test_the_summary_counts_in_both_languages() -> None:
    seen = view(delivery(), 5, 5)
    assert seen.summary.vi == (
        "Đã kiểm tra 3 gói: 2 không hợp lệ, 1 chưa có kết quả. Phát hiện 216 lỗi, 2 cảnh báo, 400 thông tin."
    )
    assert seen.summary.en == "Packages checked: 3 (2 invalid, 1 no verdict). Found: errors 216, warnings 2, notes 400."


def test_the_page_begins_with_what_to_do() -> None:
    text, tree = page(delivery())
    (box,) = tree.xpath("//section[@class='first']")
    items = [words(item) for item in box.xpath(".//ol/li")]
    assert items[0].startswith("Ổ đĩa hỏng: chưa có kết quả.")
    assert items[1].startswith("212 × ") and "Công văn 1.pdf" in items[1] and "(212 tệp, 1 gói)" in items[1]
    assert box.xpath(".//a/@href") == ["#cause-1", "#cause-2", "#cause-3"]
    assert text.index("Việc cần làm trước tiên") < text.index("Kết quả theo gói") < text.index("Lỗi theo nguyên nhân")
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in tree.xpath("//a/@href")} <= set(ids)


def test_packages_that_end_alike_are_called_by_their_whole_path() -> None:
    lines = [finding("X-1", "error", "a.txt", "m", "y")]
    seen = view({"items": [package("một/gói", "invalid", lines), package("hai/gói", "valid", [])]}, 5, 5)
    assert [one.name for one in seen.packages] == ["một/gói", "hai/gói"]
    assert seen.causes[0].named == ("a.txt (một/gói)",) and seen.documents[0].package == "một/gói"


def test_names_without_end_are_cut_in_what_is_read_first() -> None:
    text, tree = page(hostile_places())
    assert max(len(name.text_content()) for name in tree.xpath("//section[@class='first']//bdi")) <= 161
    assert "ả" * 4000 in text


def test_a_good_package_says_that_nothing_is_to_be_done() -> None:
    _, tree = page(good())
    assert "Không có việc gì phải làm" in words(tree.xpath("//section[@class='first']")[0])
    assert "Không phát hiện vấn đề." in words(tree)


def test_the_page_can_be_read_by_machines_for_people() -> None:
    _, tree = page(delivery())
    assert tree.get("lang") == "vi"
    assert len(tree.xpath("//h1")) == 1 and len(tree.xpath("//main")) == 1
    for table in tree.xpath("//table"):
        assert table.xpath("./thead/tr/th[@scope='col']") and table.xpath("./tbody/tr/th[@scope='row']")
        columns = len(table.xpath("./thead/tr/th"))
        assert {len(row) for row in table.xpath("./tbody/tr")} == {columns}
    for english in ("Findings by cause", "What to do first", "Results by document"):
        assert tree.xpath(f"//*[@lang='en' and contains(., '{english}')]")
    levels = [int(heading.tag[1]) for heading in tree.xpath("//h1|//h2|//h3")]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_the_page_needs_nothing_else() -> None:
    text, tree = page(delivery())
    assert not tree.xpath("//script | //img | //link | //iframe | //object | //base | //form | //@onclick")
    assert not re.search(r"url\(|@import", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert tree.xpath("//svg[@role='img']/title")


def test_what_was_not_checked_is_told() -> None:
    _, tree = page(delivery())
    (section,) = tree.xpath("//section[@aria-labelledby='unchecked']")
    assert "FMT-UNKNOWN" in words(section)


@pytest.mark.parametrize("schema", ["luutru/validate/1", "luutru/ingest/1"])
def test_hostile_text_stays_text(schema: str) -> None:
    text, tree = page(hostile(schema))
    elements = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert not elements & {"script", "img", "iframe", "h4", "h5"}
    assert len(tree.xpath("//h1")) == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "{{ 7*7 }}" in text and ">49<" not in text
    everything = tree.text_content()
    assert all(fit(attack) in everything for attack in ATTACKS)


def test_odd_names_and_the_items_of_ingest_are_taken() -> None:
    text, _ = page(hostile_places())
    assert "漢字" in text and not re.search("[\u200b\u200f\ufeff\ue000]", text)
    _, tree = page(ordinary())
    assert "chờ bản sao" in words(tree)
    assert validation.view({"items": []}, 1, 1).summary.vi == "Không có gói nào được kiểm tra."


def test_long_lists_are_cut_with_a_word() -> None:
    _, tree = page(delivery())
    rows = tree.xpath("//article[@id='cause-1']//tbody/tr")
    assert len(rows) == validation_html.PLACES
    assert "và 12 mục nữa" in words(tree.xpath("//article[@id='cause-1']")[0])
