"""Reports as one page: parsed as a browser does, nothing of a package becomes an element."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from lxml import html as parser

from pipeline.reports import html
from pipeline.reports.cells import fit
from tests.reports.hostile import ATTACKS, audit, hostile, ordinary


def page(document: dict[str, Any]) -> tuple[str, Any]:
    out = io.StringIO()
    html.page(document, out)
    return out.getvalue(), parser.document_fromstring(out.getvalue())


def test_the_page_needs_nothing_else() -> None:
    text, tree = page(ordinary())
    assert not tree.xpath("//script | //img | //link | //iframe | //object | //base | //form")
    assert not re.search(r"url\(|@import|https?://", text)
    assert all(href.startswith("#item-") for href in tree.xpath("//a/@href"))
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]


def test_vietnamese_comes_first_and_english_stands_beside() -> None:
    text, tree = page(ordinary())
    assert tree.get("lang") == "vi"
    assert tree.xpath("string(//h1)").split() == ["Kết", "quả", "tiếp", "nhận", "Ingest", "report"]
    assert tree.xpath("//h1/span[@lang='en']")
    assert text.index("sai mã băm (vi)") < text.index("sai mã băm (en)")


def test_every_row_leads_to_its_details() -> None:
    _, tree = page(ordinary())
    ids = set(tree.xpath("//details/@id"))
    assert {href[1:] for href in tree.xpath("//a/@href")} == ids == {f"item-{n}" for n in range(1, 7)}
    opened = tree.xpath("//details[@open]/summary/text()")
    assert [name.strip() for name in opened if name.strip()] == ["Túi hỏng", "Đợi", "Hỏi", "Lỗi ổ đĩa"]


def test_findings_are_grouped_by_code_with_their_advice_once() -> None:
    text, tree = page(ordinary())
    group = tree.xpath("//details[@id='item-2']//div[@class='group']")
    assert [g.xpath("string(.//h3/code)") for g in group] == ["BAG-MAN-04", "BAG-OXUM"]
    assert len(group[0].xpath(".//tr")) == 2
    assert text.count("gửi lại tệp (vi)") == 1
    assert "RFC 8493 §2.1.3" in group[0].xpath("string(.//h3)")


def test_the_tally_counts_verdicts() -> None:
    _, tree = page(ordinary())
    tally = [" ".join(li.text_content().split()) for li in tree.xpath("//ul[@class='tally']/li")]
    assert tally[:2] == ["1đạt accepted", "1không đạt rejected"]
    assert len(tally) == 6


def test_hostile_text_stays_text() -> None:
    for document in (hostile(), hostile("luutru/validate/1"), audit(ATTACKS)):
        text, tree = page(document)
        elements = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
        assert not elements & {"script", "img", "b2", "iframe", "h4"}
        assert len(tree.xpath("//h1")) == 1
        names = {name for element in tree.iter() if isinstance(element.tag, str) for name in element.attrib}
        assert names <= {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "href", "id", "open"}
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
        everything = tree.text_content()
        for attack in ATTACKS:
            assert fit(attack) in everything or document["schema"] == "luutru/audit/1", attack


def test_template_signs_in_names_are_not_run() -> None:
    text, _ = page(hostile())
    assert "{{ 7*7 }}" in text
    assert ">49<" not in text


def test_an_audit_page() -> None:
    _, tree = page(audit())
    words = " ".join(tree.text_content().split())
    for part in (
        "Kết quả kiểm tra tính toàn vẹn",
        "hư hỏng",
        "nguyên vẹn",
        "chưa kiểm tra",
        "Quá hạn kiểm tra",
        "kho quay về",
    ):
        assert part in words


def test_long_lists_are_cut_with_a_word() -> None:
    document = ordinary()
    document["items"][1]["findings"] = document["items"][1]["findings"][:1] * 600
    text, tree = page(document)
    assert len(tree.xpath("//details[@id='item-2']//tr")) == html.MOST + 1
    assert "và 100 mục nữa" in text


def test_a_report_is_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "ingest.html"
    html.write_ingest_report(file, hostile()["items"])
    html.write_ingest_report(file, ordinary()["items"])
    text = file.read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")
    assert "Túi hỏng" in text
    assert "Bắt đầu" not in text
    assert list(file.parent.iterdir()) == [file]
