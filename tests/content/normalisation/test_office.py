"""Office documents to OpenDocument, PDF/A-2b and tables: what is made, what is proved, what is never given to them."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pikepdf
import pytest
from openpyxl.chart import BarChart, Reference
from pikepdf import pdfa

from pipeline.content.normalisation.made import Differs, Kept, Proved
from pipeline.content.normalisation.office import same_cells, same_export, same_text
from pipeline.content.normalisation.officetext import tables_of, text_of
from pipeline.tools.run import Bounds, run
from pipeline.tools.soffice import SETTINGS, SOFFICE, Offices, conversion
from tests.content.normalisation.trial import DATA, bad, converted, made, rule_for, rule_named, twice

OFFICE = DATA.parent / "characterisation/office"
CORRUPT = DATA / "corrupt"
WORD = DATA / "office/unicode.docx"


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    """LibreOffice kept open for the documents of this module."""
    with Offices(tmp_path_factory.mktemp("offices") / "x") as kept:
        yield kept


def scratch_of(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir(exist_ok=True)
    return folder


def idle() -> None:
    """Nobody waits."""


def test_a_document_becomes_opendocument_and_pdfa(tmp_path: Path, offices: Offices) -> None:
    outcome = converted(made(WORD, scratch_of(tmp_path), offices=offices))
    odt, pdf = outcome.derivatives
    assert (odt.extension, odt.format.puid, pdf.extension, pdf.format.puid) == ("odt", "fmt/1756", "pdf", "fmt/477")
    assert odt.proved == "all 989 characters of the text"
    assert pdf.proved.startswith("all 989 characters of the text on ")
    assert ("soffice", SOFFICE.version) in odt.programs
    assert not outcome.findings
    with zipfile.ZipFile(odt.path) as opened:
        assert opened.namelist()[0] == "mimetype"
        assert {info.date_time for info in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with pikepdf.open(pdf.path) as document:
        assert pdfa.check(document, "2b").passed
        assert document.Root.MarkInfo.Marked, "tagged"
        assert "/CreationDate" not in document.docinfo


@pytest.mark.slow
def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    """A document; workbooks and slides: see `test_opendocument`."""
    twice(WORD, scratch_of(tmp_path))


@pytest.mark.slow
def test_old_documents_are_exported_anew_for_comparison(tmp_path: Path, offices: Offices) -> None:
    odt, pdf = converted(made(OFFICE / "unicode.doc", scratch_of(tmp_path), offices=offices)).derivatives
    assert "exported, have the same" in odt.proved
    assert "characters of the text on" in pdf.proved


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unicode.xlsx", "unicode.xls"])
def test_a_spreadsheet_becomes_opendocument_and_a_table_per_sheet(tmp_path: Path, name: str, offices: Offices) -> None:
    outcome = converted(made(OFFICE / name, scratch_of(tmp_path), offices=offices))
    assert not outcome.findings
    ods, *tables = outcome.derivatives
    assert ods.format.puid == "fmt/1755"
    assert [one.extension for one in tables] == ["Danh mục.csv", "Ẩn.csv", "Biểu 2.csv"]
    text = tables[0].path.read_text("utf-8")
    assert "1998-01-02" in text, "dates as ISO 8601 has them"
    assert "12345.68" in text or "12345.678" in text, "numbers as stored"


def test_a_spreadsheet_of_opendocument_gets_the_same_tables(tmp_path: Path, offices: Offices) -> None:
    outcome = converted(made(OFFICE / "unicode.ods", scratch_of(tmp_path), offices=offices))
    assert (outcome.findings, outcome.rule.partition("/")[0]) == ((), "ods")
    assert [one.extension for one in outcome.derivatives] == [
        "Danh mục hồ sơ.csv", "Nháp (ẩn).csv", "Đơn vị 'A' & B.csv", "Ẩn hẳn.csv"
    ]  # fmt: skip
    first, hidden, far, _ = (list(csv.reader(one.path.open(encoding="utf-8"))) for one in outcome.derivatives)
    assert first[1] == [
        "1", "Quyết định số 12/QĐ-UBND về việc thành lập Tổ công tác", "1998-01-02", "12", "12345.678", "", "1",
        "PT13H05M00S",
    ]  # fmt: skip
    assert (first[3][1], first[3][2]) == ("Biên bản\nhai dòng", "2020-02-29T08:30:15")
    assert first[5][:4] == ["Cộng", "Tổng số: 3 hồ sơ", "", "159"], "formulas by what was last counted"
    assert hidden[1] == ["", "Không công bố: Nguyễn Thị Ánh", "318"]
    assert (len(far), far[0], far[39]) == (40, ["Phòng Lưu trữ lịch sử"], ["cuối"])
    for one in outcome.derivatives:
        assert one.proved.endswith("cells with the text of a sheet")
        assert "empty sheet: Trống" in one.notes
        assert not one.main, "none of them stands for the whole"


def sheets(target: Path, *bodies: str) -> Path:
    """An OpenDocument spreadsheet with these elements in its body, by another hand than LibreOffice's."""
    sample = DATA.parent / "formats/office-examples/LibreOffice7-ODF-1.3/LibreOfficeCalc_ods_1.3.ods"
    with zipfile.ZipFile(sample) as source, zipfile.ZipFile(target, "w") as written:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "content.xml":
                start, end = data.index(b"<office:spreadsheet>"), data.index(b"</office:body>")
                body = f"<office:spreadsheet>{''.join(bodies)}</office:spreadsheet>"
                data = data[:start] + body.encode() + data[end:]
            written.writestr(info, data)
    return target


def sheet_of(name: str, *cells: str) -> str:
    row = f"<table:table-row>{''.join(cells)}</table:table-row>"
    return f'<table:table table:name="{name}">{row}</table:table>'


TEXT = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'


def test_tables_of_another_hand(tmp_path: Path, offices: Offices) -> None:
    """Grouped rows, repeated ones, merged cells and what a link remembers, which is no sheet."""
    grouped = "<table:table-row-group><table:table-row>{}</table:table-row></table:table-row-group>".format(
        '<table:table-cell office:value-type="float" office:value="0.1" table:number-columns-repeated="3"/>'
    )
    merged = TEXT.format("gộp").replace("<table:table-cell", '<table:table-cell table:number-columns-spanned="2"', 1)
    file = sheets(
        tmp_path / "a.ods",
        f'<table:table table:name="Tổ &amp; nhóm">{grouped}<table:table-row table:number-rows-repeated="2">{merged}'
        "<table:covered-table-cell/></table:table-row></table:table>",
        '<table:dde-links><table:dde-link><office:dde-source office:dde-application="a" office:dde-topic="b" '
        f'office:dde-item="c"/><table:table><table:table-row>{TEXT.format("nhớ")}</table:table-row></table:table>'
        "</table:dde-link></table:dde-links>",
    )
    (one,) = converted(made(file, scratch_of(tmp_path), offices=offices)).derivatives
    assert one.extension == "Tổ & nhóm.csv"
    assert one.path.read_text("utf-8") == "0.1,0.1,0.1\ngộp\ngộp\n"


def test_a_spreadsheet_that_can_have_no_tables_stays(tmp_path: Path, offices: Offices) -> None:
    """Nothing in it; a formula whose value nobody stored; not even a password."""
    empty = made(sheets(tmp_path / "a.ods", sheet_of("Trống")), scratch_of(tmp_path), offices=offices)
    assert isinstance(empty, Kept)
    assert (empty.reason, empty.findings) == ("no sheet has a cell that is not empty", ())
    open_ = sheet_of("Tính", TEXT.format("một"), '<table:table-cell table:formula="of:=1+1"/>')
    kept = made(sheets(tmp_path / "b.ods", open_), scratch_of(tmp_path), offices=offices)
    assert isinstance(kept, Kept)
    (finding,) = kept.findings
    assert (finding.code, finding.expected) == ("FMT-CONVERT-LESS", "office.convert")
    assert finding.found == "FMT-CONVERT-DIFFERS 1 cells, sheets have 2"


def excel_4() -> bytes:
    """A worksheet of Excel 4: one text, one number."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    text = struct.pack("<HHHH", 0, 0, 0, 7) + b"Tong so"
    return (
        record(0x0409, struct.pack("<HHH", 0, 0x10, 0)) + record(0x0204, text)
        + record(0x0203, struct.pack("<HHHd", 0, 1, 0, 12.5)) + record(0x0A, b"")
    )  # fmt: skip


@pytest.mark.slow
def test_documents_of_the_nineties(tmp_path: Path, offices: Offices) -> None:
    """Word 95, Excel 95 and 4, WordPerfect 5.1; each as what it is identified to be."""
    sheet = tmp_path / "a.xls"
    sheet.write_bytes(excel_4())
    with zipfile.ZipFile(DATA.parent / "agreement.zip") as archive:
        files = [Path(archive.extract(name, tmp_path)) for name in ("046.doc", "070.xls")]
    perfect = DATA.parent / "formats/office/wordprocessing/WordPerfect51/testWordPerfect_51_52.doc"
    ways = {"word-95": files[0], "excel-95": files[1], "excel-4": sheet, "wordperfect": perfect}
    for name, file in ways.items():
        rule = rule_for(file, scratch_of(tmp_path))
        assert rule is not None, name
        assert rule.name == name
        outcome = converted(made(file, scratch_of(tmp_path), rule, (), offices))
        assert not outcome.findings, outcome.findings
        assert "exported, have the same" in outcome.derivatives[0].proved
        assert len(outcome.derivatives) == 2, name
    other = made(OFFICE / "unicode.doc", scratch_of(tmp_path), rule_named("word-2"), (), offices)
    assert bad(other, "FMT-CONVERT-DAMAGED").finding.found == "compound instead of an old format"


def test_footers_of_slides_are_left_out_of_the_comparison() -> None:
    slides = io.BytesIO()
    kind = '<p:nvSpPr><p:nvPr><p:ph type="{}"/></p:nvPr></p:nvSpPr>'
    shape = f"<p:sp>{kind}<p:txBody><a:p><a:r><a:t>{{}}</a:t></a:r></a:p></p:txBody></p:sp>"
    spaces = (
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    )
    with zipfile.ZipFile(slides, "w") as written:
        two = shape.format("ftr", "cuối") + shape.format("body", "thân")
        written.writestr("ppt/slides/slide1.xml", f"<p:sld {spaces}>{two}</p:sld>")
    assert text_of(slides, idle) == "thân"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unicode.odt", "unicode.odp"])
def test_opendocument_gets_a_pdf_alone(tmp_path: Path, name: str, offices: Offices) -> None:
    (pdf,) = converted(made(OFFICE / name, scratch_of(tmp_path), offices=offices)).derivatives
    assert pdf.format.puid == "fmt/477"


def test_a_password_says_so_and_ends_the_ladder(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path)
    outcome = bad(made(DATA / "office/encrypted.docx", scratch, rule_named("word")), "FMT-CONVERT-FAILED")
    assert outcome.finding.found == "a password is needed to open it"
    assert rule_for(WORD, scratch, {"encrypted"}) is None


@pytest.mark.parametrize("name", ["empty.docx", "truncated.docx", "crc_error.docx", "random.docx", "not_a_zip.xlsx",
                                  "truncated.doc", "random.doc"])  # fmt: skip
def test_damage_is_named_before_anything_is_converted(tmp_path: Path, name: str) -> None:
    rule = rule_named("word-97" if name.endswith("doc") else "excel" if name.endswith("xlsx") else "word")
    outcome = bad(made(CORRUPT / name, scratch_of(tmp_path), rule), "FMT-CONVERT-DAMAGED")
    assert outcome.finding.found


def test_another_format_is_not_read_by_the_filter_of_this_one(tmp_path: Path) -> None:
    outcome = bad(made(WORD, scratch_of(tmp_path), rule_named("rtf")), "FMT-CONVERT-DAMAGED")
    assert outcome.finding.found == "zip instead of rtf"


def test_text_that_is_lost_is_seen() -> None:
    """The comparison itself: a character less, a sheet less, a cell less."""

    def without(file: Path, member: str, old: bytes, new: bytes) -> io.BytesIO:
        target = io.BytesIO()
        with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as written:
            for info in source.infolist():
                data = source.read(info)
                assert info.filename != member or old in data
                written.writestr(info, data.replace(old, new, 1) if info.filename == member else data)
        target.seek(0)
        return target

    odt = OFFICE / "unicode.odt"
    with odt.open("rb") as source, odt.open("rb") as result:
        assert isinstance(same_text(source, result, [], idle), Proved)
    with odt.open("rb") as source:
        told = same_text(source, without(odt, "content.xml", "ộ".encode(), b""), [], idle)
        assert isinstance(told, Differs)
        assert "1 of 989 characters" in told.reason
    xlsx = OFFICE / "unicode.xlsx"
    with xlsx.open("rb") as source:
        told = same_cells(source, without(xlsx, "xl/workbook.xml", "Danh mục".encode(), b"Danh"), [], idle)
        assert isinstance(told, Differs)
    with xlsx.open("rb") as source:
        told = same_cells(source, without(xlsx, "xl/worksheets/sheet1.xml", b"<v>1</v>", b""), [], idle)
        assert isinstance(told, Differs)
        assert "cells" in told.reason


def with_body(target: Path, body: str) -> Path:
    """The document with other paragraphs."""
    with zipfile.ZipFile(WORD) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "word/document.xml":
                head, _, rest = data.decode().partition("<w:body>")
                data = f"{head}<w:body>{body}{rest[rest.rindex('<w:sectPr') :]}".encode()
            written.writestr(info, data)
    return target


@pytest.mark.slow
def test_capitals_by_format_and_hidden_text_are_no_loss(tmp_path: Path, offices: Offices) -> None:
    body = (
        "<w:p><w:r><w:rPr><w:caps/></w:rPr><w:t>Cộng hòa xã hội chủ nghĩa Việt Nam</w:t></w:r></w:p>"
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>ẩn</w:t></w:r><w:r><w:rPr><w:smallCaps/></w:rPr>"
        '<w:t>hiện</w:t></w:r><w:r><w:rPr><w:vanish w:val="false"/></w:rPr><w:t>ra</w:t></w:r></w:p>'
    )
    outcome = converted(
        made(with_body(tmp_path / "a.docx", body), scratch_of(tmp_path), rule_named("word"), (), offices)
    )
    assert [one.proved for one in outcome.derivatives] == [
        "all 35 characters of the text", "all 33 characters of the text on 1 pages",
    ]  # fmt: skip


@pytest.mark.slow
def test_sheets_without_cells_and_what_is_remembered_of_other_files(tmp_path: Path, offices: Offices) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title, sheet["A1"], sheet["A2"] = "Sổ 'riêng' 1", "một", 2
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=2))
    book.create_chartsheet("Biểu đồ").add_chart(chart)
    book.create_sheet("Rỗng").sheet_state = "veryHidden"
    book.save(tmp_path / "a.xlsx")
    outcome = converted(made(tmp_path / "a.xlsx", scratch_of(tmp_path), rule_named("excel"), (), offices))
    assert [one.extension for one in outcome.derivatives] == ["ods", "Sổ 'riêng' 1.csv"]
    assert outcome.derivatives[0].proved == "3 sheets with 2 cells and their text"
    remembered = tmp_path / "a.ods"
    with zipfile.ZipFile(outcome.derivatives[0].path) as source, zipfile.ZipFile(remembered, "w") as written:
        for info in source.infolist():
            data = source.read(info).replace("Biểu đồ".encode(), b"&apos;file:///b.xls&apos;#A")
            written.writestr(info, data)
    with remembered.open("rb") as source:
        assert [name for name, _ in tables_of(source, idle)] == ["Sổ 'riêng' 1", "Rỗng"]


def test_an_error_in_a_cell_is_an_error_whatever_it_is_called() -> None:
    def same(one: str, two: str) -> bool:
        return isinstance(same_export(io.BytesIO(one.encode()), io.BytesIO(two.encode()), [], idle), Proved)

    assert same("a,Err:511\nb,#N/A", "a,#NAME?\nb,#REF!")
    assert not same("a,Err:511", "a,0")
    assert not same("xErr:511", "x#NAME?")


@pytest.mark.slow
def test_the_settings_of_a_call_are_ours(tmp_path: Path) -> None:
    """What stands in the settings that a call gets is obeyed: other settings, another version of OpenDocument."""
    version = ("Common/Save/ODF", "DefaultVersion", "4")
    settings = tmp_path / "settings.xcu"
    head, _, _ = SETTINGS.read_text("utf-8").partition("<item")
    settings.write_text(
        '{}<item oor:path="/org.openoffice.Office.{}"><prop oor:name="{}" oor:op="fuse"><value>{}</value></prop></item>'
        "</oor:items>".format(head, *version), "utf-8"
    )  # fmt: skip
    out = tmp_path / "out"
    out.mkdir()
    inputs = {"source": WORD, "settings": settings}
    run(SOFFICE, conversion("MS Word 2007 XML", "odt"), inputs, out, Bounds(seconds=120))
    with zipfile.ZipFile(out / "source.odt") as opened:
        assert b'manifest:version="1.2"' in opened.read("META-INF/manifest.xml")
    assert "DisableMacrosExecution" in SETTINGS.read_text("utf-8")
