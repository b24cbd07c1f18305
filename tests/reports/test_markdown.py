"""Reports as Markdown: whatever a package says is text, for a reader of CommonMark with tables and autolinks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.reports import markdown
from pipeline.reports.cells import fit
from tests.reports.hostile import ATTACKS, audit, hostile, ordinary

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def inline(text: str) -> tuple[str, set[str]]:
    """What a reader sees of a text, and which kinds of token it became."""
    shown, kinds = [], set()
    for token in READER.parse(text):
        kinds.add(token.type)
        for child in token.children or ():
            kinds.add(child.type)
            shown.append(child.content)
    return "".join(shown), kinds


@given(st.one_of(st.sampled_from(ATTACKS), st.text(max_size=60)))
def test_escaped_text_is_read_as_it_is(text: str) -> None:
    seen = fit(text)
    for around, kinds in (
        ("{}", {"paragraph_open", "inline", "paragraph_close", "text", "text_special"}),
        ("- {}", {"bullet_list_open", "list_item_open", "list_item_close", "bullet_list_close", "paragraph_open",
                  "inline", "paragraph_close", "text", "text_special"}),
        ("# {}", {"heading_open", "inline", "heading_close", "text", "text_special"}),
    ):  # fmt: skip
        shown, became = inline(around.format(markdown.escaped(text)))
        assert became <= kinds
        if seen:
            assert shown == seen


@given(st.one_of(st.sampled_from(ATTACKS), st.text(max_size=60)))
def test_a_cell_stays_one_cell(text: str) -> None:
    tokens = READER.parse(f"| a | b |\n|---|---|\n| {markdown.escaped(text)} | x |\n")
    cells = [token.content for token, before in zip(tokens[1:], tokens, strict=False) if before.type == "td_open"]
    assert len(cells) == 2
    assert cells[1] == "x"
    assert tokens[-1].type == "table_close"


def test_hostile_documents_make_no_markup_of_their_own() -> None:
    for document in (hostile(), audit(ATTACKS), hostile("luutru/validate/1")):
        rendered = READER.render(markdown.report(document, "vi"))
        for sign in ("<script", "<img", "<a ", "<code", "<del", "<hr", 'javascript:alert(1)"', "<h3", "<em"):
            assert sign not in rendered, sign
        assert rendered.count("<h1>") == 1
        assert rendered.count("<table>") == 1


def test_one_package_has_its_whole_report() -> None:
    made = markdown.item(ordinary()["items"][1], "vi")
    assert made.startswith("# ❌ Túi hỏng\\: không đạt".replace("\\:", ":"))
    for part in ("- **Loại gói**: bagit/1.0", "- **Số tệp**: 3", "- **Dung lượng**: 1,5 MiB", "**BAG-MAN-04** · lỗi",
                 "- data/a.txt, dòng 3\\: sai mã băm \\(vi\\)", "Cách xử lý: gửi lại tệp \\(vi\\)"):  # fmt: skip
        assert part in made


def test_the_table_has_a_row_per_package() -> None:
    rendered = READER.render(markdown.table(ordinary(), "vi"))
    assert rendered.count("<tr>") == 7
    assert "<td>❌ không đạt</td>" in rendered
    assert "<td>✅ đạt</td>" in rendered


def test_long_lists_are_cut_with_a_word() -> None:
    item = ordinary()["items"][1]
    item["findings"] = item["findings"][:1] * 250
    made = markdown.item(item, "vi")
    assert made.count("- data/a.txt") == markdown.MOST
    assert "và 50 mục nữa" in made
