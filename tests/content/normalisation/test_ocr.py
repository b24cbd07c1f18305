"""Scans to two-layer PDF/A-2b and ALTO: what is read, what stays untouched, what is no scan, what is too much."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from lxml import etree
from pikepdf import pdfa
from PIL import Image

from pipeline.content.normalisation import Converted, Derivative, Kept, NotConverted, Rule, ocrtext, plan_for, rules
from pipeline.content.normalisation.rules import SCANNED
from pipeline.findings import codes
from setup.ocr_accuracy import DPI as DOTS
from setup.ocr_accuracy import LANGUAGES, LOOKS, Look, documented, errors, measured
from tests.content.normalisation.scanned import DPI, SHEET, jpeg, of_jpeg2000, pdf, photograph, sheet, tiff
from tests.content.normalisation.trial import PATH, ROOT, bad, converted, known, made, twice

ALTO = {"a": ocrtext.ALTO}


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def rule(name: str) -> Rule:
    return next(one for one in rules().rules if one.name == name)


def texts(file: Path) -> list[str]:
    """The text of each page, as pdftotext reads it."""
    told = subprocess.run(["pdftotext", "-enc", "UTF-8", str(file), "-"], capture_output=True, check=True, timeout=60)
    return told.stdout.decode("utf-8").split("\f")[:-1]


def layers(outcome: object) -> tuple[Derivative, Derivative, tuple[Any, ...]]:
    """PDF, ALTO and findings; the PDF is PDF/A-2b, its text invisible and NFC, the ALTO has the same words."""
    assert isinstance(outcome, Converted), outcome
    first, second = converted(outcome).derivatives
    assert (first.extension, second.extension) == ("pdf", "alto.xml")
    with pikepdf.open(first.path) as document:
        assert pdfa.check(document, "2b").passed
        for page in document.pages:
            modes = [i.operands[0] for i in pikepdf.parse_content_stream(page) if str(i.operator) == "Tr"]
            assert all(mode == 3 for mode in modes)
    told = "\n".join(texts(first.path))
    assert unicodedata.is_normalized("NFC", told)
    alto = etree.parse(second.path)
    with second.path.open("rb") as file:
        assert ocrtext.fault(file) == ""
    written = [str(word) for word in alto.xpath("//a:String/@CONTENT", namespaces=ALTO)]
    assert told.split() == " ".join(written).split()
    return first, second, outcome.findings


def test_a_scanned_pdf_gets_a_text_layer_twice_with_the_same_bytes(tmp_path: Path, scratch: Path) -> None:
    image, truth = sheet()
    photo = photograph(*image.size).convert("L")
    file = pdf([jpeg(image), jpeg(photo)], tmp_path / "quét.pdf")
    outcome = twice(file, scratch, rule("scan-pdf"))
    first, second, findings = layers(outcome)
    cer, wer = errors(truth, texts(first.path)[0])
    assert cer < 3, texts(first.path)[0]
    assert wer < 12
    assert [(one.code, one.expected, one.found) for one in findings] == [("FMT-OCR-PAGES", "1", "2 (no page of paper)")]
    notes = dict(note.split("=", 1) for note in first.notes if "=" in note)
    words = len(etree.parse(second.path).xpath("//a:String", namespaces=ALTO))
    assert (notes["pages"], notes["pages with text"], notes["words"]) == ("2", "1", str(words))
    assert float(notes["mean word confidence"].removesuffix(" %")) > 80
    assert [name for name, _ in first.programs] == ["tesseract", "pdftoppm", "pikepdf", "qpdf"]
    assert "at most 0.00 % of a page's pixels differ" in first.proved
    with pikepdf.open(file) as before, pikepdf.open(first.path) as after:
        assert str(after.Root.Lang) == "vi"
        for one, two in zip(before.pages, after.pages, strict=True):
            pictures = [page.Resources.XObject.Im0.read_raw_bytes() for page in (one.obj, two.obj)]
            assert pictures[0] == pictures[1]


def test_words_lie_where_they_stand_on_a_page_that_is_shown_turned(tmp_path: Path, scratch: Path) -> None:
    """/Rotate: the picture lies in the file on its side and is shown upright."""
    image, truth = sheet(Look(points=16))
    lying = image.transpose(Image.Transpose.ROTATE_90)
    file = pdf([jpeg(lying)], tmp_path / "a.pdf", rotate=90)
    outcome = made(file, scratch, rule("scan-pdf"))
    first, second, _ = layers(outcome)
    assert errors(truth, texts(first.path)[0])[0] < 3
    word = etree.parse(second.path).xpath("//a:String", namespaces=ALTO)[0]
    with pypdfium2.PdfDocument(first.path) as document:
        page = document[0]
        left, low, right, high = page.get_textpage().get_charbox(0)
    # the page is turned: its left edge as shown is the bottom of its description, its upper edge the left
    scale = 72 / DPI
    assert abs(left - float(word.get("VPOS")) * scale) < 8
    assert abs(low - float(word.get("HPOS")) * scale) < 3
    assert right > left
    assert high > low


@pytest.mark.parametrize("turn", [Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270])
def test_a_page_on_its_head_or_side_is_read_and_told(tmp_path: Path, scratch: Path, turn: Image.Transpose) -> None:
    image, truth = sheet(inches=(5.83, 5.0))
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(image.transpose(turn)))
    outcome = made(file, scratch, rule("scan-image"))
    first, second, _ = layers(outcome)
    assert errors(truth, texts(first.path)[0])[0] < 8, texts(first.path)[0]
    angle = {Image.Transpose.ROTATE_180: 180, Image.Transpose.ROTATE_270: 270}[turn]
    assert f"pages turned: 1 ({angle}°)" in first.notes
    blocks = etree.parse(second.path).xpath("//a:TextBlock/@ROTATION", namespaces=ALTO)
    assert str(angle) in blocks


def test_a_tiff_of_all_kinds_of_pages_keeps_every_sample(tmp_path: Path, scratch: Path) -> None:
    grey, truth = sheet()
    black, _ = sheet(Look(points=14, bilevel=True))
    palette = photograph(*grey.size).quantize(16)
    file = tiff([grey, black, palette], tmp_path / "a.tif")
    first, second, findings = layers(made(file, scratch, rule("scan-image")))
    assert first.proved == "samples of 3 pages equal to those that vips reads"
    assert [one.code for one in findings] == ["FMT-OCR-PAGES"]
    one, two, three = texts(first.path)
    assert errors(truth, one)[0] < 3
    assert errors(truth, two)[0] < 3
    assert not three.strip()
    pages = etree.parse(second.path).xpath("//a:Page", namespaces=ALTO)
    assert [(page.get("WIDTH"), page.get("HEIGHT")) for page in pages[:2]] == [tuple(map(str, grey.size))] * 2
    with pikepdf.open(first.path) as document:
        kinds = [str(page.Resources.XObject.Im0.Filter) for page in document.pages]
        assert kinds == ["/FlateDecode", "/CCITTFaxDecode", "/FlateDecode"]
        for page in document.pages:
            assert [round(float(one) / 72, 2) for one in page.mediabox[2:]] == [
                round(side / DPI, 2) for side in grey.size
            ]


def test_a_jpeg_is_taken_in_byte_by_byte_with_its_profile(tmp_path: Path, scratch: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image, truth = sheet()
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(image.convert("RGB"), icc_profile=profile))
    first, _, findings = layers(made(file, scratch, rule("scan-image")))
    assert first.proved == "the JPEG is in it byte by byte"
    assert not findings
    assert errors(truth, texts(first.path)[0])[0] < 3
    with pikepdf.open(first.path) as document:
        picture = document.pages[0].Resources.XObject.Im0
        assert picture.read_raw_bytes() == file.read_bytes()
        assert picture.ColorSpace[1].read_bytes() == profile


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_shows_as_programs_show_it(orientation: int) -> None:
    from PIL import ImageOps

    from pipeline.content.normalisation.ocrpdf import pictures_as_pdf

    marked = Image.new("L", (800, 600), 255)
    marked.paste(0, (20, 30, 320, 130))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(marked, 150, exif=exif)
    out = io.BytesIO()
    assert pictures_as_pdf(io.BytesIO(data), out, 10, 10**8, lambda: None) == 1
    with Image.open(io.BytesIO(data)) as image, pypdfium2.PdfDocument(out.getvalue()) as document:
        upright = ImageOps.exif_transpose(image).convert("L")
        shown = document[0].render(scale=150 / 72).to_pil().convert("L").resize(upright.size)
        for box in (
            (20, 30, 320, 130),
            (480, 470, 780, 570),
            (20, 470, 320, 570),
            (30, 20, 130, 320),
            (470, 480, 570, 580),
        ):
            middle = ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
            if middle[0] < upright.width and middle[1] < upright.height:
                assert abs(upright.getpixel(middle) - shown.getpixel(middle)) < 40, (orientation, box)


def test_a_photograph_and_a_blank_page_are_no_text(tmp_path: Path, scratch: Path) -> None:
    size = (round(SHEET[0] * DPI), round(SHEET[1] * DPI))
    file = tmp_path / "a.jpg"
    for image, why in ((photograph(*size), "no page of paper"), (Image.new("L", size, 250), "no word")):
        file.write_bytes(jpeg(image))
        outcome = made(file, scratch, rule("scan-image"))
        assert isinstance(outcome, Kept), outcome
        assert why in outcome.reason
    blank = pdf([jpeg(Image.new("L", size, 250))], tmp_path / "a.pdf")
    outcome = made(blank, scratch, rule("scan-pdf"))
    assert isinstance(outcome, Converted)
    assert [one.code for one in outcome.findings] == ["FMT-OCR-NONE"]
    assert [one.extension for one in outcome.derivatives] == ["pdf"]


def test_a_text_that_was_hardly_read_is_told(tmp_path: Path, scratch: Path) -> None:
    """With another limit in the rule; and a page below the least confidence has no text at all."""
    image, _ = sheet()
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(image))
    plain = rule("scan-image")
    (action,) = plain.actions
    strict = replace(plain, actions=(replace(action, arguments=("vie", "low=100")),))
    outcome = made(file, scratch, strict)
    assert isinstance(outcome, Converted)
    assert [(one.code, one.expected) for one in outcome.findings] == [("FMT-OCR-LOW", "100")]
    severe = replace(plain, actions=(replace(action, arguments=("vie", "least=100")),))
    outcome = made(file, scratch, severe)
    assert isinstance(outcome, Kept)
    assert "%" in outcome.reason


def test_more_pages_or_pixels_than_the_rule_allows(tmp_path: Path, scratch: Path) -> None:
    small = Image.new("1", (530, 530), 1)
    many = tiff([small] * 501, tmp_path / "501.tif", "group4", 150)
    outcome = bad(made(many, scratch, rule("scan-image")), "FMT-OCR-MANY")
    assert (outcome.finding.found, outcome.finding.expected, outcome.attempted) == ("501", "500", False)
    huge = tiff([small], tmp_path / "huge.tif", "group4", 600)
    data = bytearray(huge.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
        tag, kind = struct.unpack_from("<HH", data, entry)
        if tag in (256, 257):
            struct.pack_into("<H" if kind == 3 else "<I", data, entry + 8, 30_000)
    huge.write_bytes(data)
    bad(made(huge, scratch, rule("scan-image")), "FMT-CONVERT-BIG")


def test_a_scanned_pdf_of_too_many_pages_is_pdfa_without_text_and_told(tmp_path: Path, scratch: Path) -> None:
    page = jpeg(Image.new("L", (620, 800), 250), 150)
    file = pdf([page] * 4, tmp_path / "a.pdf", 150)
    plain = rule("scan-pdf")
    first, *others = plain.actions
    few = replace(first, arguments=("vie", "pages=3"))
    outcome = made(file, scratch, replace(plain, actions=(few, *others)))
    assert isinstance(outcome, Converted)
    assert [(one.code, one.expected, one.found) for one in outcome.findings] == [
        ("FMT-CONVERT-LESS", "ocr.pdf", "FMT-OCR-MANY 4 (3)")
    ]
    assert [one.format.puid for one in outcome.derivatives] == ["fmt/477"]


@pytest.mark.parametrize("damage", ["empty", "cut", "noise"])
@pytest.mark.parametrize("kind", ["tif", "jpg", "pdf"])
def test_damage_is_named_and_the_original_stays(tmp_path: Path, scratch: Path, kind: str, damage: str) -> None:
    image, _ = sheet()
    file = tmp_path / f"hỏng.{kind}"
    if kind == "tif":
        tiff([image], file)
    else:
        file.write_bytes(jpeg(image))
        if kind == "pdf":
            pdf([file.read_bytes()], file)
    data = file.read_bytes()
    file.write_bytes({"empty": b"", "cut": data[: len(data) // 3], "noise": data[:100] + b"\x5a\xa5" * 9000}[damage])
    outcome = made(file, scratch, rule("scan-pdf" if kind == "pdf" else "scan-image"))
    assert isinstance(outcome, NotConverted), outcome
    assert outcome.finding.found
    assert outcome.finding.file == PATH


def test_a_page_whose_picture_is_broken_costs_its_own_text_alone(tmp_path: Path, scratch: Path) -> None:
    image, truth = sheet()
    good = jpeg(image)
    file = pdf([good, good], tmp_path / "a.pdf")
    with pikepdf.open(file, allow_overwriting_input=True) as document:
        document.pages[0].obj.Resources.XObject.Im0.write(good[:700], filter=pikepdf.Name.DCTDecode)
        document.save(file)
    outcome = made(file, scratch, rule("scan-pdf"))
    if isinstance(outcome, Converted) and len(outcome.derivatives) == 2:
        first = outcome.derivatives[0]
        assert errors(truth, texts(first.path)[1])[0] < 3
    else:
        assert isinstance(outcome, Converted | NotConverted)


def test_a_signed_scan_is_never_written_anew(scratch: Path) -> None:
    scan = rule("scan-pdf")
    assert plan_for(known(Path(__file__), scratch).format, b"", marks={SCANNED}) is None
    assert scan.signed == "keep"
    assert plan_for(_format("fmt/17"), b"", marks={SCANNED}) == scan
    assert plan_for(_format("fmt/17"), b"", marks={SCANNED, "signed"}) is None
    assert plan_for(_format("fmt/17"), b"", marks={SCANNED, "encrypted"}) is None
    assert plan_for(_format("fmt/353"), b"", marks={SCANNED}) == rule("scan-image")
    assert plan_for(_format("fmt/353"), b"") == rule("image-tiff-old")


def _format(puid: str) -> Any:
    from pipeline.records import Format

    return Format(puid, "", "", "", "", "", "", "test", "", "")


def test_languages_are_those_of_the_set(tmp_path: Path) -> None:
    folder = tmp_path / "sets"
    folder.mkdir()
    plain = (Path(rules_folder()) / "scans.toml").read_text(encoding="utf-8")
    (folder / "scans.toml").write_text(plain, encoding="utf-8")
    (folder / "mine.toml").write_text('version = "1"\ninclude = ["scans"]\nlanguages = "vie+fra"\n', encoding="utf-8")
    own = rules(str(folder / "mine.toml"))
    assert {action.arguments[0] for one in own.rules for action in one.actions if action.tool.startswith("ocr")} == {
        "vie+fra"
    }
    assert own.digest != rules(str(folder / "scans.toml")).digest


def rules_folder() -> Path:
    from pipeline.content.normalisation.rules import FOLDER

    return FOLDER


def test_a_language_that_is_not_there_is_a_missing_program(tmp_path: Path, scratch: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(sheet()[0]))
    plain = rule("scan-image")
    other = replace(plain, actions=(replace(plain.actions[0], arguments=("nosuch",)),))
    outcome = bad(made(file, scratch, other), "FMT-CONVERT-NO-TOOL")
    assert outcome.finding.expected == "tesseract-nosuch"
    assert not outcome.attempted


INSIDE = """
import sys, tempfile
from pathlib import Path
from pipeline.content.normalisation import normalise, rules
from pipeline.records import PackagePath
for file, name in zip(sys.argv[1:], ("scan-image", "scan-pdf")):
    rule = next(rule for rule in rules().rules if rule.name == name)
    told = normalise(Path(file), PackagePath(b"a"), rule, Path(tempfile.mkdtemp()), workers=1)
    for one in getattr(told, "findings", None) or [told.finding]:
        print(type(told).__name__, one.code, one.expected)
"""


def test_without_tesseract_a_picture_stays_and_a_pdf_becomes_pdfa_and_both_are_told(tmp_path: Path) -> None:
    """On a machine (made with bubblewrap) where the program lacks."""
    data = jpeg(sheet()[0])
    (tmp_path / "a.jpg").write_bytes(data)
    pdf([data], tmp_path / "a.pdf")
    machine = [
        "bwrap",
        "--dev-bind",
        "/",
        "/",
        "--ro-bind",
        "/dev/null",
        "/usr/bin/tesseract",
        "--chdir",
        str(ROOT),
        "--",
    ]
    command = [*machine, sys.executable, "-c", INSIDE, str(tmp_path / "a.jpg"), str(tmp_path / "a.pdf")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.stdout.splitlines() == [
        "NotConverted FMT-CONVERT-NO-TOOL tesseract 5.0",
        "Converted FMT-CONVERT-LESS ocr.pdf",
    ], told.stderr


def test_jpeg_2000_in_a_pdf_is_decoded_first(tmp_path: Path, scratch: Path) -> None:
    image, truth = sheet(Look(points=14))
    file = of_jpeg2000(image, tmp_path / "a.pdf")
    first, _, findings = layers(made(file, scratch, rule("scan-pdf")))
    assert errors(truth, texts(first.path)[0])[0] < 3
    assert not findings
    with pikepdf.open(first.path) as document:
        assert document.pages[0].Resources.XObject.Im0.read_bytes() == image.tobytes()


def test_a_tiff_that_lies_on_its_side_by_its_tag_is_upright(tmp_path: Path, scratch: Path) -> None:
    image, truth = sheet(Look(points=14))
    file = tiff([image.transpose(Image.Transpose.ROTATE_90)], tmp_path / "a.tif", tiffinfo={274: 6})
    first, second, _ = layers(made(file, scratch, rule("scan-image")))
    assert errors(truth, texts(first.path)[0])[0] < 3
    (page,) = etree.parse(second.path).xpath("//a:Page", namespaces=ALTO)
    assert (page.get("WIDTH"), page.get("HEIGHT")) == tuple(map(str, image.size))


def test_a_result_that_is_not_the_scan_is_refused(tmp_path: Path, scratch: Path) -> None:
    """The proofs themselves: another sample, another look, letters that are gone, ALTO that is none."""
    from pipeline.content.normalisation import ocrpdf, pdfs
    from pipeline.content.normalisation.calls import Calls
    from pipeline.content.normalisation.made import Differs, Proved
    from pipeline.content.normalisation.verify import ocr

    image = Image.effect_mandelbrot((900, 700), (-3, -2.5, 2, 2.5), 20)
    calls = Calls(rule("scan-image").actions[0].limits, scratch, "full", 1)
    source = tiff([image], tmp_path / "a.tif")
    result = tmp_path / "a.pdf"
    for changed, answer in ((image, Proved), (image.point(lambda value: value ^ 1), Differs)):
        with tiff([changed], tmp_path / "b.tif").open("rb") as file, result.open("wb+") as out:
            ocrpdf.pictures_as_pdf(file, out, 1, 10**7, lambda: None)
        assert isinstance(ocr.picture(source, result, [], calls), answer)
    (tmp_path / "a.jpg").write_bytes(jpeg(image))
    with (tmp_path / "a.jpg").open("rb") as file, result.open("wb+") as out:
        ocrpdf.pictures_as_pdf(file, out, 1, 10**7, lambda: None)
    assert isinstance(ocr.picture(tmp_path / "a.jpg", result, [], calls), Proved)
    (tmp_path / "a.jpg").write_bytes(jpeg(image) + b"more")
    assert isinstance(ocr.picture(tmp_path / "a.jpg", result, [], calls), Differs)
    stamp = b"BT /F1 30 Tf 20 20 Td (Scan) Tj ET"
    one, two = pdf([jpeg(image)], tmp_path / "1.pdf", over=stamp), pdf([jpeg(image)], tmp_path / "2.pdf")
    with one.open("rb") as first, two.open("rb") as second:
        assert isinstance(pdfs.same(first, second, 100, lambda: None, added=True), Differs)
        assert isinstance(pdfs.same(second, first, 100, lambda: None, added=True), Proved)
        assert isinstance(pdfs.same(second, first, 0, lambda: None, added=True), Differs)
        assert isinstance(pdfs.same(second, first, 100, lambda: None), Differs)
    good = b'<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"/>'
    for data in (b"", b"<alto/>", good):
        told = ocr.alto(io.BytesIO(), io.BytesIO(data), [], lambda: None)
        assert isinstance(told, Differs), data


@pytest.mark.parametrize(("name", "dpi"), [("clean", 150), ("the same, bilevel", 200)])
def test_the_documented_accuracy_is_what_tesseract_reaches(name: str, dpi: int) -> None:
    """Two cells of the table in docs/ocr.md, and that Vietnamese alone reads no worse than with English."""
    table = documented()
    assert set(table) == {(one, look, at) for one in LANGUAGES for look in LOOKS for at in DOTS}
    cer, wer = measured(name, dpi, "vie")
    documented_cer, documented_wer = table["vie", name, dpi]
    assert cer <= documented_cer + 0.5
    assert wer <= documented_wer + 2
    both = [sum(table[one, look, at][0] for look in LOOKS for at in DOTS) for one in LANGUAGES]
    assert both[0] <= both[1]
    assert all(table["vie", look, 300][0] < 1 for look in LOOKS)


@pytest.mark.judge
def test_verapdf_accepts_every_kind_of_page(tmp_path: Path, scratch: Path) -> None:
    from PIL import ImageCms

    from tests.judges.pdfa import verapdf

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image, _ = sheet()
    pages = [image, sheet(Look(points=14, bilevel=True))[0], image.convert("RGB"), photograph(*image.size).quantize(9)]
    (tmp_path / "a.jpg").write_bytes(jpeg(image.convert("RGB"), icc_profile=profile))
    subjects = {
        tiff(pages, tmp_path / "a.tif"): "scan-image",
        tmp_path / "a.jpg": "scan-image",
        pdf([jpeg(image), jpeg(image)], tmp_path / "a.pdf", rotate=180): "scan-pdf",
    }
    for file, name in subjects.items():
        first, _, _ = layers(made(file, scratch, rule(name)))
        verdict = verapdf(first.path)
        assert verdict.good, str(verdict)
        assert not verdict.complaints, str(verdict)


def test_codes_have_texts_in_both_languages() -> None:
    for code in ("FMT-OCR-LOW", "FMT-OCR-PAGES", "FMT-OCR-NONE", "FMT-OCR-MANY", "FMT-CONVERT-LESS"):
        row = codes()[code]
        assert row.vi != row.en
