"""Bar charts: well-formed, told in words, without anything that runs."""

from __future__ import annotations

from lxml import etree

from pipeline.reports.cells import fit
from pipeline.reports.chart import LABEL, MOST, bars
from tests.reports.hostile import ATTACKS

SVG = "{http://www.w3.org/2000/svg}"


def widths(tree: etree._Element) -> list[float]:
    return [float(rect.get("width", "").rstrip("%")) for rect in tree.iter(f"{SVG}rect")]


def test_bars_are_in_order_and_in_proportion() -> None:
    tree = etree.fromstring(bars({"fmt/18": 50, "fmt/412": 200, "x-fmt/111": 0, "fmt/43": 100}, title="Định dạng"))
    texts = [text.text for text in tree.iter(f"{SVG}text")]
    assert texts == ["fmt/412", "200", "fmt/43", "100", "fmt/18", "50", "x-fmt/111", "0"]
    assert widths(tree) == [100, 50, 25, 0]


def test_who_cannot_see_it_is_told_everything() -> None:
    tree = etree.fromstring(bars({"PDF": 1200, "TIFF": 34}, title="Định dạng của kho"))
    title, figures = (tree.find(f"{SVG}{name}") for name in ("title", "desc"))
    assert title is not None and title.text == "Định dạng của kho"
    assert figures is not None and figures.text == "PDF: 1.200; TIFF: 34"
    assert tree.get("role") == "img"
    assert (tree.get("aria-labelledby") or "").split() == [title.get("id"), figures.get("id")]
    assert "PDF: 1,200; TIFF: 34" in bars({"PDF": 1200, "TIFF": 34}, lang="en")


def test_a_small_count_is_seen_beside_a_large_one() -> None:
    assert min(widths(etree.fromstring(bars({"a": 1_000_000, "b": 1})))) == 0.4


def test_many_rows_end_in_one_of_all_others() -> None:
    tree = etree.fromstring(bars({f"fmt/{n}": 1000 - n for n in range(100)}))
    texts = [str(text.text) for text in tree.iter(f"{SVG}text")]
    assert len(texts) == 2 * MOST
    assert texts[-2:] == ["các mục còn lại (81)", f"{sum(1000 - n for n in range(19, 100)):,}".replace(",", ".")]


def test_long_labels_keep_both_ends_and_the_whole_in_the_tooltip() -> None:
    long = "đầu " + "dài " * 100 + "cuối.pdf"
    tree = etree.fromstring(bars({long: 1}))
    shown = next(tree.iter(f"{SVG}text")).text or ""
    assert len(shown) <= LABEL and shown.startswith("đầu ") and shown.endswith("cuối.pdf")
    assert f"<title>{long}: 1 (100,0 %)</title>" in bars({long: 1})


def test_hostile_labels_are_text() -> None:
    made = bars(dict.fromkeys(ATTACKS, 3), title=ATTACKS[8], most=100)
    tree = etree.fromstring(made)
    assert {etree.QName(element).localname for element in tree.iter()} == {"svg", "title", "desc", "g", "text", "rect"}
    assert all(fit(attack) in "".join(tree.itertext()) for attack in ATTACKS)
    assert made.isprintable()


def test_nothing_to_count_and_the_same_bytes_again() -> None:
    assert "Không có số liệu." in bars({})
    assert bars({"a": 1, "b": 1}) == bars({"b": 1, "a": 1})
