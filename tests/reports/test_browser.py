"""The HTML report as a browser takes it: nothing runs, nothing is fetched, everything can be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.reports import html
from tests.reports.hostile import hostile, ordinary

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.mark.browser
def test_a_hostile_report_is_only_read(tmp_path: Path) -> None:
    from playwright.sync_api import Dialog, Page, Request, sync_playwright

    program = shutil.which("chromium")
    assert program is not None, "chromium is not installed"
    for name, document in (("hostile", hostile()), ("ordinary", ordinary())):
        html.write_report(tmp_path / f"{name}.html", document)
    asked: list[str] = []
    faults: list[str] = []

    def spoken(dialog: Dialog) -> None:
        faults.append(dialog.message)
        dialog.dismiss()

    def requested(request: Request) -> None:
        asked.append(request.url)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page: Page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("dialog", spoken)
        page.on("request", requested)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((tmp_path / "hostile.html").as_uri())
        assert page.locator("script, img, iframe, h4").count() == 0
        assert page.locator("h1").count() == 1
        assert page.title() == "Kết quả tiếp nhận · Ingest report"
        page.goto((tmp_path / "ordinary.html").as_uri())
        details = page.locator("details#item-1")
        assert details.get_attribute("open") is None
        details.locator("summary").click()
        assert page.get_by_text("chữ 8 bit (vi)").is_visible()
        assert page.get_by_text("sai mã băm (vi)").is_visible()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
    assert faults == []
    assert [url for url in asked if not url.startswith("file:")] == []
