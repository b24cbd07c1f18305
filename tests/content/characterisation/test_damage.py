"""Whole files cut and changed in known ways: which damage is found in which family, and what cannot be found."""

from __future__ import annotations

import io
import shutil
import struct
import wave
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from pipeline.content.characterisation import Examined
from pipeline.tools.vips import VIPS
from tests.content.characterisation.test_outcomes import DATA, examined

WAYS = ("whole", "cut 1", "cut half", "byte", "zeros", "lost 8")
VALID, INVALID = "valid", "invalid"

FOUND = {
    "g4.tif": (VALID, INVALID, INVALID, INVALID, INVALID, INVALID),
    "deflate.tif": (VALID, INVALID, INVALID, INVALID, INVALID, INVALID),
    "flate.pdf": (VALID, VALID, INVALID, INVALID, INVALID, INVALID),
    "page.png": (VALID, INVALID, INVALID, INVALID, INVALID, INVALID),
    "test.mp4": (VALID, INVALID, INVALID, INVALID, INVALID, INVALID),
    "unicode.odt": (VALID, INVALID, INVALID, INVALID, INVALID, INVALID),
    "unicode.docx": (VALID, INVALID, INVALID, INVALID, INVALID, INVALID),
    "page.gif": (VALID, INVALID, INVALID, INVALID, VALID, INVALID),
    "page.jp2": (VALID, INVALID, INVALID, VALID, VALID, INVALID),
    "plain.tif": (VALID, INVALID, INVALID, VALID, VALID, INVALID),
    "sound.wav": (VALID, INVALID, INVALID, VALID, VALID, INVALID),
    "sound.aiff": (VALID, INVALID, INVALID, VALID, VALID, INVALID),
    "photo.jpg": (VALID, INVALID, INVALID, VALID, VALID, VALID),
}
"""By way of damage. What a format keeps without any sum (pixels, samples) may become others unseen: valid there says
that this is so. The last byte of a PDF is a line end behind its last word."""


def damaged(whole: bytes) -> Iterator[tuple[str, bytes]]:
    size = len(whole)
    middle, later = size // 2, size * 2 // 3
    yield "whole", whole
    yield "cut 1", whole[:-1]
    yield "cut half", whole[:middle]
    yield "byte", whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
    yield "zeros", whole[:later] + bytes(64) + whole[later + 64 :]
    yield "lost 8", whole[: size // 3] + whole[size // 3 + 8 :]


def sources(folder: Path) -> None:
    for name, sample in (
        ("g4.tif", "characterisation/scan/page_300_g4.tif"), ("flate.pdf", "vietnamese/pdf/text_pdfa2b.pdf"),
        ("page.png", "vietnamese/image/page.png"), ("test.mp4", "characterisation/av/test.mp4"),
        ("unicode.odt", "characterisation/office/unicode.odt"), ("unicode.docx", "vietnamese/office/unicode.docx"),
        ("page.gif", "characterisation/image/page.gif"), ("page.jp2", "vietnamese/image/page.jp2"),
    ):  # fmt: skip
        shutil.copy(DATA / sample, folder / name)
    page = Image.open(DATA / "vietnamese/image/page.png").convert("RGB")
    page.save(folder / "deflate.tif", compression="tiff_deflate")
    page.save(folder / "plain.tif")
    page.save(folder / "photo.jpg", quality=80, icc_profile=None)
    frames = bytes(range(256)) * 40
    common = struct.pack(">hIh", 1, len(frames) // 2, 16) + bytes.fromhex("400BFA00000000000000")  # 8 kHz
    chunks = b"COMM" + struct.pack(">I", 18) + common + b"SSND" + struct.pack(">III", len(frames) + 8, 0, 0) + frames
    (folder / "sound.aiff").write_bytes(b"FORM" + struct.pack(">I", len(chunks) + 4) + b"AIFF" + chunks)
    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(frames)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Examined]:
    whole, broken, scratch = (tmp_path_factory.mktemp(name) for name in ("whole", "broken", "scratch"))
    sources(whole)
    for file in whole.iterdir():
        for way, data in damaged(file.read_bytes()):
            (broken / f"{way}, {file.name}").write_bytes(data)
    return examined(broken, scratch)


def test_damage_is_found_where_the_format_lets_it_be_found(outcomes: dict[str, Examined]) -> None:
    table = {name: tuple(str(outcomes[f"{way}, {name}"].validity) for way in WAYS) for name in FOUND}
    assert table == FOUND


def test_the_words_say_what_is_broken(outcomes: dict[str, Examined]) -> None:
    assert "Line length mismatch" in outcomes["byte, g4.tif"].checked
    assert "incorrect data check" in outcomes["byte, deflate.tif"].checked
    assert "the sum of its packed data is wrong" in outcomes["byte, flate.pdf"].checked


def remade(source: Path, target: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """A copy of a container with other members."""
    with zipfile.ZipFile(source) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    change(parts)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else None)


def swapped(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], object]:
    def change(parts: dict[str, bytes]) -> None:
        assert old in parts[name]
        parts[name] = parts[name].replace(old, new, 1)

    return change


DOCX, XLSX, ODT = (
    "vietnamese/office/unicode.docx",
    "characterisation/office/unicode.xlsx",
    "characterisation/office/unicode.odt",
)
TEXT, TABLE = b"opendocument.text", b"opendocument.spreadsheet"
RELATION = (b'<Relationship Id="rId999" Target="media/none.png" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
            b'relationships/image"/></Relationships>')  # fmt: skip
OFFICE: dict[str, tuple[str, Callable[[dict[str, bytes]], object], str]] = {
    "main.docx": (DOCX, lambda parts: parts.pop("word/document.xml"), "asks for word/document.xml, which is missing"),
    "styles.docx": (DOCX, lambda parts: parts.pop("word/styles.xml"), "asks for word/styles.xml, which is missing"),
    "rels.docx": (DOCX, lambda parts: parts.pop("_rels/.rels"), "member _rels/.rels is missing"),
    "picture.docx": (DOCX, swapped("word/_rels/document.xml.rels", b"</Relationships>", RELATION), "media/none.png"),
    "link.docx": (DOCX, swapped("word/document.xml", b"<w:body>", b'<w:body><w:p><w:hyperlink r:id="rId777"/></w:p>'),
                  "uses the relationship rId777"),
    "root.docx": (DOCX, lambda parts: parts.update({"word/document.xml": b"<a/>"}), "begins with a"),
    "cut.docx": (DOCX, swapped("word/styles.xml", b"</w:styles>", b""), "not well-formed"),
    "sheet.xlsx": (XLSX, lambda parts: parts.pop("xl/worksheets/sheet1.xml"), "sheet1.xml, which is missing"),
    "book.xlsx": (XLSX, lambda parts: parts.pop("xl/_rels/workbook.xml.rels"), "uses relationships, and has none"),
    "tags.xlsx": (XLSX, swapped("xl/worksheets/sheet1.xml", b"</row>", b"</raw>"), "not well-formed"),
    "kind.odt": (ODT, swapped("mimetype", TEXT, TABLE), "mimetype says"),
    "none.odt": (ODT, lambda parts: parts.pop("styles.xml"), "the manifest lists styles.xml, which is missing"),
    "manifest.odt": (ODT, lambda parts: parts.update({"META-INF/manifest.xml": b"<x"}), "manifest.xml: not well"),
    "root.odt": (ODT, lambda parts: parts.update({"content.xml": b"<a/>"}), "content.xml begins with a"),
    "cut.odt": (ODT, lambda parts: parts.update({"content.xml": parts["content.xml"][:-5]}), "not well-formed"),
    "image.odt": (ODT, lambda parts: parts.pop("Thumbnails/thumbnail.png"), "thumbnail.png, which is missing"),
    "same.docx": (DOCX, lambda parts: None, ""),
    "same.xlsx": (XLSX, lambda parts: None, ""),
}  # fmt: skip
"""By file: what it is made of, what is done to it, words of what is found; empty: valid."""


def test_office_documents_whose_parts_do_not_hold_together(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "văn bản", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    for name, (source, change, _) in OFFICE.items():
        remade(DATA / source, folder / name, change)
    told = examined(folder, scratch)
    for name, (_, _, words) in OFFICE.items():
        one = told[name]
        assert (str(one.validity), words in one.checked) == (INVALID if words else VALID, True), (name, one.checked)


def test_pages_of_different_kinds_are_read_one_by_one(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "tờ", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    pages = [Image.new("1", (400, 300), 1), Image.new("RGB", (90, 50), "red"), Image.new("L", (400, 300), 9)]
    made = io.BytesIO()
    pages[0].save(made, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    (folder / "khác.tif").write_bytes(made.getvalue())
    told = examined(folder, scratch)["khác.tif"]
    assert (told.validity, told.checked) == (
        "valid",
        f"TIFF: pages 3, all data inside the file; decoded by vips {VIPS.version}",
    )
