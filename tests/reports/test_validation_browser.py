"""The report of a check as a browser takes it: wide and narrow, on paper, read aloud; nothing runs or is fetched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from pypdfium2 import raw

from pipeline.reports import files
from tests.reports.hostile import hostile
from tests.reports.packages import delivery, hostile_places

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WIDTHS = (1280, 768, 390, 320)
CUT = """() => [...document.querySelectorAll('h1, h2, h3, .first p, .first li, .cause > p, .pill')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').length"""


@pytest.mark.browser
def test_the_report_is_read_on_every_screen_and_on_paper(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program is not None, "chromium is not installed"
    documents = {"delivery": delivery(), "attacks": hostile("luutru/validate/1"), "names": hostile_places()}
    for name, document in documents.items():
        files.write(tmp_path / f"{name}.html", document)
    asked: list[str] = []
    faults: list[str] = []

    def spoken(dialog: Any) -> None:
        faults.append(dialog.message)
        dialog.dismiss()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_context(java_script_enabled=True).new_page()
        page.on("dialog", spoken)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        for name in documents:
            page.goto((tmp_path / f"{name}.html").as_uri())
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
                assert page.evaluate(CUT) == 0, (name, width)
        page.goto((tmp_path / "delivery.html").as_uri())
        page.set_viewport_size({"width": 1280, "height": 900})
        first = page.get_by_role("region", name="Việc cần làm trước tiên What to do first")
        box = first.bounding_box()
        assert box is not None and box["y"] < 300, "who opens the page sees what to do first"
        table = page.locator(".scroll").first
        assert table.evaluate("e => e.scrollWidth - e.clientWidth") == 0
        assert page.get_by_role("img", name="Mọi nguyên nhân, theo số lần gặp").is_visible()
        assert page.get_by_role("columnheader", name="Gói Package").first.is_visible()
        closed = page.locator("#cause-1 details")
        assert closed.get_attribute("open") is None
        page.pdf(path=tmp_path / "paper.pdf", prefer_css_page_size=True)
        first.get_by_role("link").first.click()
        assert page.url.endswith("#cause-1")
        closed.locator("summary").click()
        assert page.get_by_text("data/Công văn 150.pdf, dòng 150", exact=True).is_visible()
        browser.close()
    assert faults == []
    assert [url for url in asked if not url.startswith("file:")] == []
    sheets = pypdfium2.PdfDocument(tmp_path / "paper.pdf")
    paper = " ".join(str(sheet.get_textpage().get_text_bounded()) for sheet in sheets)
    assert "Công văn 150.pdf" in " ".join(paper.split()), "what is folded up on the screen is on the paper"
    for sheet in sheets:
        edge = sheet.get_width() - 14 * 72 / 25.4
        assert all(
            thing.get_bounds()[2] <= edge for thing in sheet.get_objects() if thing.type == raw.FPDF_PAGEOBJ_TEXT
        )
