"""Which files are scans, told by headers and page descriptions alone."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from pipeline.content.scans import look
from tests.content.normalisation.scanned import jpeg, pdf, tiff
from tests.content.normalisation.trial import DATA

A4 = (1240, 1754)


def seen(file: Path) -> int:
    with file.open("rb") as source:
        return look(source, lambda: None)


@pytest.mark.parametrize(
    ("size", "mode", "dpi", "pages"),
    [
        (A4, "L", 150, 1),
        (A4, "RGB", 150, 1),
        ((2480, 3508), "L", 72, 1),  # no resolution worth the name, but the shape of A4
        ((2550, 3300), "RGB", 0, 1),  # of Letter
        ((4000, 3000), "RGB", 72, 0),  # of a camera
        ((1920, 1080), "RGB", 96, 0),  # of a screen
        ((600, 849), "L", 72, 0),  # a sheet, too coarse to be read
        ((300, 424), "RGB", 300, 0),  # a stamp
        ((9000, 900), "L", 300, 0),  # a panorama
        (A4, "CMYK", 150, 0),
        ((1, 1), "L", 300, 0),
    ],
)
def test_jpeg_by_size_and_colour(tmp_path: Path, size: tuple[int, int], mode: str, dpi: int, pages: int) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(Image.new(mode, size), dpi))
    assert seen(file) == pages


def test_what_a_camera_took_is_no_scan(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[33434] = 0.01
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(Image.new("RGB", A4), 150, exif=exif))
    assert seen(file) == 0
    file.write_bytes(jpeg(Image.new("RGB", A4), 150))
    assert seen(file) == 1


def test_tiff_by_pages_and_compression(tmp_path: Path) -> None:
    page = Image.new("1", A4, 1)
    assert seen(tiff([page] * 3, tmp_path / "a.tif", "group4", 150)) == 3
    assert seen(tiff([page.convert("L")], tmp_path / "b.tif", "lzma", 150)) == 0
    assert seen(tiff([page.convert("RGBA")], tmp_path / "c.tif", "tiff_lzw", 150)) == 0
    data = (tmp_path / "a.tif").read_bytes()
    for size in (0, 7, 30, 200):
        (tmp_path / "d.tif").write_bytes(data[:size])
        assert seen(tmp_path / "d.tif") == 0


def test_pdf_by_pictures_and_text(tmp_path: Path) -> None:
    page = jpeg(Image.new("L", A4, 250), 150)
    assert seen(pdf([page, page], tmp_path / "a.pdf", 150)) == 2
    assert seen(pdf([page], tmp_path / "b.pdf", 150, rotate=90)) == 1
    assert seen(DATA / "pdf" / "text.pdf") == 0
    long = b"BT /F1 12 Tf 3 Tr 50 50 Td (" + b"a text layer that somebody made before " * 3 + b") Tj ET"
    assert seen(pdf([page, page], tmp_path / "c.pdf", 150, over=long)) == 1, "the page that has text is left alone"
    assert seen(pdf([page], tmp_path / "d.pdf", 150, over=b"BT /F1 8 Tf (Scan 12) Tj ET")) == 1
    assert seen(pdf([page], tmp_path / "e.pdf", 60)) == 0, "too coarse"


def test_a_picture_beside_empty_space_is_no_scan(tmp_path: Path) -> None:
    file = pdf([jpeg(Image.new("L", A4, 250), 150)], tmp_path / "a.pdf", 150)
    with pikepdf.open(file, allow_overwriting_input=True) as document:
        document.pages[0].obj.MediaBox = [0, 0, 1200, 1700]
        document.save(file)
    assert seen(file) == 0


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.4", b"II*\0\xff\xff\xff\xff", b"\xff\xd8\xff", b"%PDF-1.7\n" + b"\0" * 999]
)
def test_what_is_broken_is_no_scan(data: bytes) -> None:
    assert look(io.BytesIO(data), lambda: None) == 0


def test_a_form_that_calls_itself_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(600, 800))
        form = document.make_stream(b"/Fm Do /Fm Do /Fm Do", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        form.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Fm=form))
        page.obj.Resources = form.Resources
        page.obj.Contents = document.make_stream(b"/Fm Do")
        document.save(file)
    assert seen(file) == 0
