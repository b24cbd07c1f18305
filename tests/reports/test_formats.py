"""The formats of packages and of the whole holdings as a picture, and the files that are odd."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path

import pypdfium2
import pytest

from pipeline.reports import files
from pipeline.reports.format_profile import PACKAGES, labelled, profiles
from tests.command import House
from tests.contract import faults
from tests.ingest.test_two_opinions import MAIL, forget_mail_boxes

DATA = Path(__file__).resolve().parent.parent / "data/vietnamese"


def package(folder: Path) -> Path:
    folder.mkdir()
    for name in ("image/page.bmp", "office/unicode.docx", "text/utf8.txt", "corrupt/random.docx"):
        shutil.copy(DATA / name, folder)
    (folder / "hộp thư.txt").write_text(MAIL)
    return folder


def test_labels_name_formats() -> None:
    made = labelled({"fmt/412": 2, "unknown": 1, "fmt/99999": 3})
    assert made == {"fmt/412 · Microsoft Word for Windows 2007 onwards": 2, "chưa nhận dạng được": 1, "fmt/99999": 3}


def test_several_packages_have_a_sum_first() -> None:
    items = [{"formats": {"fmt/412": number + 1}, "findings": []} for number in range(PACKAGES + 5)]
    found = profiles({"items": [*items, {"formats": None}]}, [f"p{number}" for number in range(PACKAGES + 6)], 9)
    assert [one.name for one in found] == ["Tất cả các gói", *(f"p{number}" for number in range(PACKAGES))]
    assert found[0].files == sum(range(1, PACKAGES + 6))
    assert profiles({"items": [{"findings": []}]}, ["x"], 9) == ()
    odd = [{"code": "FMT-UNKNOWN", "file": "=<b>\x1b", "found": "a/b", "expected": None}]
    odd += [{"code": "FMT-DIFFER", "file": str(number), "found": "x", "expected": "y"} for number in range(12)]
    (one,) = profiles({"items": [{"formats": {"unknown": 1}, "findings": odd}]}, ["<x>"], 9)
    assert (one.unknown[0].file, len(one.differ), one.differ_more) == ("=<b>\\x1b", 9, 3)
    assert "<x>" not in one.chart


def test_reports_of_validate_and_ingest_show_the_profile(tmp_path: Path) -> None:
    folder = package(tmp_path / "hồ sơ")
    house = House(tmp_path / "house").stores("vault", "second")
    forget_mail_boxes(house)
    plain = house.run("validate", folder)
    assert "formats" not in plain.item
    page, paper = tmp_path / "v.html", tmp_path / "v.pdf"
    judged = house.run("validate", folder, "--report", page, "--report", paper)
    assert faults(judged.document or {}) == []
    assert judged.item["verdict"] == plain.item["verdict"] == "valid"
    assert judged.item["formats"] == {"fmt/116": 1, "fmt/412": 1, "fmt/720": 1, "unknown": 1, "x-fmt/111": 1}
    text = page.read_text(encoding="utf-8")
    section = text[text.index('<h2 id="formats">') :]
    assert "<svg" in section
    assert "fmt/412 · Microsoft Word for Windows 2007 onwards: 1" in section
    assert re.search(r"Tệp chưa nhận dạng được.*random\.docx.*hai bộ nhận dạng không thống nhất.*hộp thư\.txt.*fmt/720",
                     section, re.DOTALL)  # fmt: skip
    read = "".join(one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(paper))
    assert "fmt/412 · Microsoft Word for Windows 2007 onwards" in read
    assert "hộp thư.txt" in read
    strict = tmp_path / "strict.toml"
    strict.write_text('name = "strict"\naccepts = ["folder"]\nmakes = "eark-aip"\n[levels]\nFMT-UNKNOWN = "error"\n')
    assert house.run("validate", folder, "--profile", strict).item["verdict"] == "invalid"  # without a report as well
    stored = house.run("ingest", folder, "--report", tmp_path / "i.html").item
    assert '<h2 id="formats">' in (tmp_path / "i.html").read_text(encoding="utf-8")
    wanted = tmp_path / "f.html", tmp_path / "f.csv"
    told = house.run("formats", "--report", wanted[0], "--report", wanted[1])
    assert told.exit == 0, told.err
    document = told.document or {}
    assert faults(document) == []
    assert {one["puid"] or "unknown": one["files"] for one in told.items} == stored["formats"]
    assert [document[key] for key in ("aips", "files", "unknown", "differing")] == [1, 5, 1, 1]
    assert [one["file"] for one in document["unknown_files"]] == ["representations/rep1/data/random.docx"]
    (differs,) = document["differing_files"]
    assert (differs["aip"], differs["found"]) == (stored["aip"], "siegfried fmt/720, fido x-fmt/111")
    assert differs["file"] == "representations/rep1/data/hộp thư.txt"
    assert "hộp thư.txt" in wanted[0].read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(wanted[1].read_text(encoding="utf-8-sig"), newline="")))
    assert [row["what"] for row in rows] == [*["format"] * 5, "unknown", "differ"]
    assert house.run("catalogue", "rebuild").exit == 0
    again = house.run("formats", "--files", "0").document or {}
    assert (again["items"], again["differing"], again["unknown_files"]) == (document["items"], 1, [])
    assert house.run("formats", "--report", tmp_path / "f.pdf").exit == 2
    shutil.rmtree(tmp_path / "house/vault")
    shutil.rmtree(tmp_path / "house/second")
    away = house.run("formats")
    assert (away.exit, [one["aip"] for one in (away.document or {})["not_read"]]) == (3, [stored["aip"]])


@pytest.mark.browser
def test_the_page_of_the_holdings_fits_every_screen(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    from pipeline.reports import holdings_formats

    name = "representations/rep1/data/" + "rất dài " * 30 + "<script>alert(1)</script>"
    odd = [{"aip": "urn:uuid:0a1b2c3d-0000-5000-8000-000000000000", "label": "Hồ sơ", "file": name, "found": "a/b"}]
    items = [{"puid": f"fmt/{number}", "name": "Tên", "files": 99 - number, "aips": 1} for number in range(1, 60)]
    document = {"luutru": "0", "ended": "2026-11-28T00:00:00Z", "items": items, "aips": 3, "files": 900, "unknown": 7,
                "differing": 1, "most": 1, "unknown_files": odd, "differing_files": odd, "not_read": []}  # fmt: skip
    holdings_formats.write(tmp_path / "f.html", document)
    program = shutil.which("chromium")
    assert program is not None, "chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "f.html").as_uri())
        for width in (1280, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.get_by_role("img", name="Số tệp theo định dạng").is_visible()
        assert page.get_by_text("và 6 tệp nữa (--files)").is_visible()
        assert len(asked) == 1
        browser.close()


def test_the_same_document_makes_the_same_bytes(tmp_path: Path) -> None:
    document = {"schema": "luutru/ingest/1", "luutru": "0", "ended": "2026-11-28T00:00:00Z", "items": [
        {"path": "a", "verdict": "accepted", "formats": {"fmt/412": 3}, "findings": []}]}  # fmt: skip
    for name in ("1.html", "2.html"):
        files.write(tmp_path / name, document)
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()
