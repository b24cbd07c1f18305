"""OpenDocument files in an order of their own: what LibreOffice orders by chance comes out the same."""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, NamedStyle, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from pipeline.content.normalisation.opendocument import canonical, fonts_in_order, pages_in_order, varying
from pipeline.tools.soffice import Offices
from tests.content.normalisation.trial import DATA, rule_named, twice

SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
FACES = ("Arial", "Calibri", "Times New Roman", "Cambria", "Courier New")


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    """LibreOffice kept open for the documents of this module."""
    with Offices(tmp_path_factory.mktemp("offices") / "x") as kept:
        yield kept


def part(faces: list[str], uses: list[str]) -> bytes:
    told = "".join(faces) + "</office:font-face-decls><x>" + "".join(f"<y{one}/>" for one in uses)
    return f"<office:document-content {SPACES}><office:font-face-decls>{told}</x></office:document-content>".encode()


def face(name: str, family: str, more: str = "") -> str:
    return f'<style:font-face style:name="{name}" svg:font-family="{family}"{more}/>'


def use(name: str, script: str = "") -> str:
    return f' style:font-name{script}="{name}"'


def test_fonts_of_one_family_are_numbered_by_what_they_are() -> None:
    roman, fixed = ' style:font-family-generic="roman"', ' style:font-pitch="fixed"'
    kinds = ["", roman, fixed]
    seen = set()
    for order in itertools.permutations(range(3)):
        names = dict(zip(order, ("Arial", "Arial1", "Arial2"), strict=True))
        faces = [face(names[one], "Arial", kinds[one]) for one in sorted(order, key=lambda one: names[one])]
        seen.add(fonts_in_order(part(faces, [use(names[1]), use(names[0], "-asian"), use(names[2], "-complex")])))
    (told,) = seen
    declared = dict(re.findall(r'<style:font-face style:name="([^"]*)"([^/]*)/>', told.decode()))
    used = re.findall(r'font-name(?:-\w+)?="([^"]*)"', told.decode())
    assert [declared[one].partition('"Arial"')[2] for one in used] == [roman, "", fixed]


def test_a_name_that_is_another_family_is_not_taken_twice() -> None:
    faces = [face("Arial", "Arial"), face("Arial1", "Arial1"), face("Arial2", "Arial", ' style:font-pitch="fixed"')]
    pen = "Bút &amp; Mực"
    faces += [face(pen, f"&apos;{pen}&apos;;serif"), face(f"{pen}1", f"&apos;{pen}&apos;")]
    told = fonts_in_order(part(faces, [])).decode()
    names = re.findall(r'style:name="([^"]*)"', told)
    assert len(set(names)) == len(names) == 5
    assert {pen, f"{pen}1", "Arial", "Arial1"} <= set(names)
    assert fonts_in_order(told.encode()).decode() == told, "what is in order stays so"
    assert fonts_in_order(b"<x/>") == b"<x/>"


def test_text_that_looks_like_a_font_stays_text() -> None:
    text = b"<y> style:font-name=&quot;Arial1&quot;</y>"
    data = part([face("Arial", "Arial"), face("Arial1", "Arial", ' a="z"')], [use("Arial1")])
    data = data.replace(b"<x>", b"<x>" + text)
    told = fonts_in_order(data)
    assert text in told
    assert b'<y style:font-name="Arial"/>' in told


def page(name: str, layout: str, text: str) -> str:
    words = f'<style:header><text:p text:style-name="{text}">{name}</text:p></style:header>'
    return f'<style:master-page style:name="{name}" style:page-layout-name="{layout}">{words}</style:master-page>'


def test_page_styles_stand_by_name_and_number_what_they_use_in_that_order() -> None:
    pages = {"PageStyle_A": ("1cm", "bold"), "PageStyle_B": ("2cm", "italic"), "Default": ("3cm", "plain")}
    seen = set()
    for order in itertools.permutations(pages):
        layouts = "".join(
            f'<style:page-layout style:name="Mpm{number}"><m at="{pages[one][0]}"/></style:page-layout>'
            for number, one in enumerate(order, 1)
        )
        styles = "".join(
            f'<style:style style:name="MP{number}" style:family="paragraph"><t at="{pages[one][1]}"/></style:style>'
            for number, one in enumerate(order, 1)
        )
        masters = "".join(page(one, f"Mpm{number}", f"MP{number}") for number, one in enumerate(order, 1))
        seen.add(pages_in_order(
            f"<office:document-styles {SPACES}><office:automatic-styles>{styles}{layouts}</office:automatic-styles>"
            f"<office:master-styles>{masters}</office:master-styles></office:document-styles>".encode()
        ))  # fmt: skip
    (told,) = seen
    text = told.decode()
    assert re.findall('master-page style:name="([^"]*)"', text) == ["Default", "PageStyle_A", "PageStyle_B"]
    assert re.findall('at="([^"]*)"', text) == ["plain", "bold", "italic", "3cm", "1cm", "2cm"]
    assert re.findall('page-layout-name="([^"]*)"', text) == ["Mpm1", "Mpm2", "Mpm3"]


def test_a_document_of_libreoffice_keeps_all_parts_in_their_order() -> None:
    target = io.BytesIO()
    with (DATA.parent / "characterisation/office/unicode.odp").open("rb") as source:
        parts = dict(canonical(source, target, lambda: None))
        with zipfile.ZipFile(source) as before, zipfile.ZipFile(target) as after:
            kept = {one for one in before.namelist() if not one.endswith("/") and not one.startswith("Thumbnails/")}
            assert set(after.namelist()) == kept
            assert after.infolist()[0].compress_type == zipfile.ZIP_STORED
            assert parts["content.xml"] == after.read("content.xml")
            assert b"Thumbnails" not in after.read("META-INF/manifest.xml")


def test_what_is_counted_anew_at_every_opening_is_seen() -> None:
    assert varying(b'<text:date text:date-value="2026"/><text:time />') == {"text:date", "text:time"}
    assert not varying(b'<text:date text:fixed="true"/><text:date-x/><a table:formula="of:=MYTODAY()"/>')
    assert varying(b'<a table:formula="of:=IF([.A1]&lt;TODAY();1;RAND())"/>') == {"TODAY"}


def workbook(target: Path) -> Path:
    """Eight sheets with what LibreOffice reads side by side: fonts, page styles, conditions, lists, named styles."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number in range(6):
        style = NamedStyle(f"Kiểu {number}")
        style.font = Font(name=FACES[number % 5], size=8 + number, family=number % 4)
        book.add_named_style(style)
    for number in range(8):
        sheet = book.create_sheet(f"Biểu {number + 1}")
        sheet.page_setup.orientation = "landscape" if number % 2 else "portrait"
        sheet.page_margins.left = 0.3 + number / 10
        sheet.oddHeader.center.text = f'&"{FACES[number % 5]},Bold"&{10 + number}Mục lục &P ngày &D'
        for row in range(1, 12):
            for column in range(1, 5):
                cell = sheet.cell(row, column, "Quyết định" if column == 1 else row * number / 7)
                cell.style = f"Kiểu {(row + column + number) % 6}"
                if row % 3 == 0:
                    cell.font = Font(name=FACES[(row + number) % 5], family=(row + column) % 4)
                    cell.number_format = ("0.00", "dd/mm/yyyy", '#,##0 "đ"', "@")[column - 1]
        fill = PatternFill("solid", bgColor=f"{number:02}AA{number:02}")
        sheet.conditional_formatting.add("B1:C9", CellIsRule("greaterThan", [str(number)], fill=fill))
        choice = DataValidation("list", formula1='"a,b,c"')
        choice.add("A1:A9")
        sheet.add_data_validation(choice)
        sheet["E1"] = "=TODAY()"
    book.save(target)
    return target


@pytest.mark.slow
def test_a_workbook_gives_the_same_bytes_every_time(tmp_path: Path, offices: Offices) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    outcome = twice(workbook(tmp_path / "a.xlsx"), scratch, rule_named("excel"), offices)
    assert [finding.code for finding in outcome.findings] == ["FMT-OFFICE-FIELDS"]
    with zipfile.ZipFile(outcome.derivatives[0].path) as opened:
        assert "Arial1" in opened.read("styles.xml").decode(), "several fonts of one family"


@pytest.mark.slow
def test_slides_with_many_fonts_give_the_same_bytes_every_time(tmp_path: Path, offices: Offices) -> None:
    many = tmp_path / "a.pptx"
    count = itertools.count()

    def another(_: re.Match[bytes]) -> bytes:
        number = next(count)
        name = (b"Times New Roman", b"Arial", b"Calibri")[number % 3]
        return b'<a:latin typeface="%s" pitchFamily="%d"/>' % (name, (18, 34, 2, 50)[number % 4])

    plain = DATA.parent / "characterisation/office/unicode.pptx"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(many, "w") as target:
        for info in source.infolist():
            target.writestr(info, re.sub(rb"<a:latin [^>]*/>", another, source.read(info)))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    outcome = twice(many, scratch, rule_named("powerpoint"), offices)
    assert [one.extension for one in outcome.derivatives] == ["odp", "pdf"]
