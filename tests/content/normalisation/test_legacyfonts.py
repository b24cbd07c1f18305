"""Text of office documents in fonts of TCVN3 and VNI: every place, every letter, and what is left to a person."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.content.normalisation.actions.legacyfonts import unicoded
from pipeline.content.normalisation.calls import Calls
from pipeline.content.normalisation.legacyfonts import convert, same
from pipeline.content.normalisation.made import CHANGED, Differs, Failed, Kept, Made, Proved
from pipeline.content.normalisation.office import tidied
from pipeline.content.normalisation.oldletters import face_for, guessed, read_by, unicode_of
from pipeline.content.normalisation.rtf import readable, told_charsets
from pipeline.content.normalisation.rules import ActionLimits
from pipeline.text import encode
from pipeline.tools.run import Bounds, run
from pipeline.tools.soffice import SETTINGS, SOFFICE, conversion
from tests.content.normalisation.oldfonts import (
    LETTERS,
    SHEET_TEXTS,
    SLIDE_TEXTS,
    TCVN3,
    VNI,
    WORD_TEXTS,
    Old,
    document,
    sheet,
    shown,
    slides,
    word,
)
from tests.content.normalisation.trial import DATA, bad, converted, made, rule_named

FAMILIES: dict[str, tuple[Callable[[Path, Old], Path], str, str, dict[str, str]]] = {
    "docx": (word, "MS Word 2007 XML", "odt", WORD_TEXTS),
    "xlsx": (sheet, "Calc MS Excel 2007 XML", "ods", SHEET_TEXTS),
    "pptx": (slides, "Impress MS PowerPoint 2007 XML", "odp", SLIDE_TEXTS),
}
OLD_FORMATS = {"docx": (("doc", "MS Word 97"), ("rtf", "Rich Text Format")), "xlsx": (("xls", "MS Excel 97"),),
               "pptx": (("ppt", "MS PowerPoint 97"),)}  # fmt: skip
LOST = {"doc": {"control"}, "rtf": {"control", "box", "shape"}}
"""What LibreOffice loses of our samples when it writes them in a format: fonts of a form field, shapes."""


def idle() -> None:
    """Nobody waits."""


def exported(files: list[Path], import_filter: str, target: str, tmp_path: Path) -> list[Path]:
    """Several files through one call of LibreOffice, in their order."""
    tmp_path.mkdir(exist_ok=True)
    inputs = {f"source{number}": file for number, file in enumerate(files)} | {"settings": SETTINGS}
    arguments = conversion(import_filter, target)[:-1] + [f"{{in}}/source{number}" for number in range(len(files))]
    run(SOFFICE, arguments, inputs, tmp_path, Bounds(seconds=180))
    return [tmp_path / f"source{number}.{target.partition(':')[0]}" for number in range(len(files))]


def changed(odf: Path | io.BytesIO) -> tuple[Made, io.BytesIO]:
    """What the conversion says, and its result, proved."""
    target = io.BytesIO()
    with odf.open("rb") if isinstance(odf, Path) else odf as source:
        told = convert(source, {"odf": target}, ["writer8", "writer"], idle)
        target.seek(0)
        if not told.kept:
            proof = same(source, target, [], idle)
            assert isinstance(proof, Proved), proof
            target.seek(0)
    return told, io.BytesIO(target.getvalue())


def everything(odf: io.BytesIO) -> str:
    """All text and all attributes of a document."""
    told = []
    with zipfile.ZipFile(odf) as opened:
        for name in ("content.xml", "styles.xml", "meta.xml"):
            if name in opened.namelist():
                root = etree.fromstring(opened.read(name))
                told += ["".join(one.itertext()) for one in root.iter("{*}p", "{*}h")]
                told += ["".join(root.itertext()), *map(str, root.xpath("//@*"))]
    return "\n".join(told)


def truth(texts: dict[str, str], old: Old) -> dict[str, str]:
    """What has to stand in the result; capitals with a tone exist in TCVN3 by a font alone."""
    if old is VNI:
        return texts
    return {place: text if place == "title" else text.replace("Ủ", "ủ") for place, text in texts.items()}


def codes_of(told: Made) -> dict[str, str]:
    return {one.code: one.found or "" for one in told.told}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_character_in_every_place(tmp_path: Path, family: str) -> None:
    write, import_filter, extension, texts = FAMILIES[family]
    files = [write(tmp_path / f"{old.encoding}.{family}", old) for old in (TCVN3, VNI)]
    for old, odf in zip((TCVN3, VNI), exported(files, import_filter, extension, tmp_path / "out"), strict=True):
        told, result = changed(odf)
        text = everything(result)
        assert {place: one for place, one in truth(texts, old).items() if one not in text} == {}
        assert not re.search(r"\.Vn|VNI", text), "no old font is named any more"
        assert told.notes[0] == CHANGED
        assert set(codes_of(told)) - {"FMT-OFFICE-UNICODE"} == ({"FMT-OFFICE-LEFT"} if family == "xlsx" else set())
        if family == "docx":
            assert LETTERS in text
            assert "Điều %1%." in text, "the label of a list"
            assert "Quyết định phê duyệt danh mục hồ sơ lưu trữ" in text, "the title among the properties"
        if family == "xlsx":
            assert codes_of(told)["FMT-OFFICE-LEFT"] == f"sheet name: {old('Tổng hợp')} (Tổng hợp)"
            assert '"Tổng cộng: "&"hồ sơ lưu trữ"' in text, "text in a formula"
            assert " đồng" in text, "text in a format of numbers"


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_character_of_the_formats_before_2007(tmp_path: Path, family: str) -> None:
    write, import_filter, extension, texts = FAMILIES[family]
    files = [write(tmp_path / f"{old.encoding}.{family}", old) for old in (TCVN3, VNI)]
    for before, old_filter in OLD_FORMATS[family]:
        target = f"{before}:{old_filter}"
        written = exported(files, import_filter, target, tmp_path / before)
        odfs = exported(written, old_filter, extension, tmp_path / f"{before}.out")
        for old, odf in zip((TCVN3, VNI), odfs, strict=True):
            told, result = changed(odf)
            text = everything(result)
            missing = {place for place, one in truth(texts, old).items() if one not in text}
            assert missing == LOST.get(before, set())
            assert not re.search(r"\.Vn|VNI", text)
            if "control" in missing:
                assert "FMT-OFFICE-LETTERS" in codes_of(told), "what has lost its font is told"


def test_clean_unicode_stays_as_it_is() -> None:
    for name in ("unicode.odt", "unicode.odp"):
        told, _ = changed(DATA.parent / "characterisation/office" / name)
        assert told.kept == "no font of an old encoding"
        assert not told.told


def test_the_whole_way_of_a_document(tmp_path: Path) -> None:
    """The PDF is made of the converted document, so its text is Unicode too."""
    (tmp_path / "scratch").mkdir()
    outcome = converted(made(word(tmp_path / "a.docx", TCVN3), tmp_path / "scratch", rule_named("word")))
    assert [one.code for one in outcome.findings] == ["FMT-OFFICE-UNICODE"]
    odt, pdf = outcome.derivatives
    assert CHANGED in odt.notes and CHANGED in pdf.notes
    assert any(note.startswith("TCVN3 .VnTime: ") and "footnote 29" in note for note in odt.notes)
    assert odt.proved.startswith("before the change: all ")
    assert "encoded again, are the characters of the source" in odt.proved
    with pypdfium2.PdfDocument(pdf.path) as opened:
        text = "".join(page.get_textpage().get_text_range() for page in opened)
    shown_there = {key: one for key, one in truth(WORD_TEXTS, TCVN3).items() if key not in ("comment", "deleted")}
    assert {key for key, one in shown_there.items() if "".join(one.split()) not in "".join(text.split())} == set()


@pytest.mark.slow
def test_the_whole_way_of_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    outcome = converted(made(sheet(tmp_path / "a.xlsx", VNI), tmp_path / "scratch", rule_named("excel")))
    _, table = outcome.derivatives
    assert table.path.read_text("utf-8").splitlines() == [
        f"{SHEET_TEXTS['cell']},Unicode: {SHEET_TEXTS['rich']},{SHEET_TEXTS['column']}",
        f"{SHEET_TEXTS['result']},{SHEET_TEXTS['unicode']},1250",
    ]


RTF = (
    r"{{\rtf1\ansi\ansicpg1252\deff0{{\fonttbl{{\f0\fcharset1 Times New Roman;}}"
    r"{{\f1\fnil\fcharset{}\fprq2{{\*\panose 020b72}} {};}}}}{{\info{{\title {}}}}}"
    r"\pard\f1 {}{{\footnote\pard\plain\f1 {}}}{{\f0 caf\'e9 \u7919?ng}}\par}}"
)


def rtf_of(old: Old, charset: int, hyphen: str = r"\'ad") -> str:
    """A file whose font has a character set; `hyphen` is how it writes ư of TCVN3."""

    def hexed(text: str) -> str:
        raw = encode(text, old.encoding)
        return "".join(hyphen if byte == 0xAD else chr(byte) if byte < 0x80 else f"\\'{byte:02x}" for byte in raw)

    texts = ("Biên bản họp hội đồng", "Điều lệ về nước, đường, từ", "Theo tờ trình")
    return RTF.format(charset, old.font, *map(hexed, texts))


def test_rich_text_with_every_character_set(tmp_path: Path) -> None:
    """Of no character set is a byte lost: neither that of the machine (1), of symbols (2) nor another language's."""
    samples = [rtf_of(TCVN3, 0), rtf_of(TCVN3, 0, "\\-"), rtf_of(TCVN3, 1), rtf_of(TCVN3, 2), rtf_of(TCVN3, 163),
               rtf_of(TCVN3, 204), rtf_of(VNI, 0), rtf_of(VNI, 1), rtf_of(VNI, 2), rtf_of(VNI, 163)]  # fmt: skip
    files = []
    for number, text in enumerate(samples):
        file = tmp_path / f"{number}.rtf"
        file.write_bytes(text.encode("ascii"))
        fit = tmp_path / f"{number}.fit.rtf"
        files.append(fit if readable(file, fit) else file)
    for odf in exported(files, "Rich Text Format", "odt", tmp_path / "out"):
        told, result = changed(odf)
        text = everything(result)
        for one in ("Biên bản họp hội đồng", "Điều lệ về nước, đường, từ", "Theo tờ trình", "café ững"):
            assert one in text, (odf.name, text)
        assert set(codes_of(told)) == {"FMT-OFFICE-UNICODE"}


def test_character_sets_of_other_fonts_are_those_of_the_file() -> None:
    told = told_charsets(
        rb"{\rtf1\ansicpg1251{\fonttbl{\f0\fcharset1 Arial;}{\f1\fcharset238 Arial CE;}{\f2\fcharset2 Symbol;}}"
    )
    assert (
        told
        == rb"{\rtf1\ansicpg1251{\fonttbl{\f0\fcharset204 Arial;}{\f1\fcharset238 Arial CE;}{\f2\fcharset2 Symbol;}}"
    )
    assert told_charsets(rb"\fcharset1{" * 1000) == rb"\fcharset1{" * 1000


def test_what_could_not_be_read_is_told() -> None:
    told, _ = changed(
        document(f'<text:p text:style-name="T">{TCVN3("văn thư")} \ufffd\ufffd</text:p>', fonts={"T": ".VnTime"})
    )
    assert codes_of(told)["FMT-OFFICE-LEFT"] == "characters that could not be read: 2"


@pytest.mark.slow
def test_opendocument_itself_gets_a_copy_only_for_its_fonts(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (odf,) = exported([word(tmp_path / "a.docx", VNI)], "MS Word 2007 XML", "odt", tmp_path / "out")
    outcome = converted(made(odf, tmp_path / "scratch"))
    assert [one.extension for one in outcome.derivatives] == ["pdf", "odt"]
    assert "encoded again" in outcome.derivatives[1].proved


@pytest.mark.slow
def test_a_spreadsheet_of_opendocument_gets_a_copy_only_for_its_fonts(tmp_path: Path) -> None:
    cell = f'<table:table-cell table:style-name="T"><text:p>{VNI("hồ sơ")}</text:p></table:table-cell>'
    body = f'<table:table table:name="a"><table:table-row>{cell}</table:table-row></table:table>'
    source = tmp_path / "a.ods"

    def write(font: str) -> None:
        made_of = document(body, fonts={"T": font}, family="table-cell", kind="spreadsheet")
        source.write_bytes(made_of.getvalue())

    write("VNI-Times")
    (tmp_path / "scratch").mkdir()
    table, result = converted(made(source, tmp_path / "scratch", rule_named("ods"))).derivatives
    assert "hồ sơ" in everything(io.BytesIO(result.path.read_bytes()))
    assert (table.extension, table.path.read_text("utf-8")) == ("a.csv", "hồ sơ\n")
    write("Arial")
    kept = made(source, tmp_path / "scratch", rule_named("ods"))
    assert isinstance(kept, Kept)
    assert [one.code for one in kept.findings] == ["FMT-CONVERT-LESS"], "LibreOffice does not open it: no table"
    source.write_bytes(source.read_bytes()[:500])
    bad(made(source, tmp_path / "scratch", rule_named("ods")), "FMT-CONVERT-DAMAGED")


# documents written by hand, without LibreOffice


def test_fonts_come_through_styles_their_parents_and_defaults() -> None:
    styles = (
        '<office:styles><style:default-style style:family="paragraph"><style:text-properties style:font-name="old"/>'
        "</style:default-style>"
        '<style:style style:name="Ring" style:family="paragraph" style:parent-style-name="Ring2"/>'
        '<style:style style:name="Ring2" style:family="paragraph" style:parent-style-name="Ring"/>'
        '<style:style style:name="New" style:family="text"><style:text-properties fo:font-family="Arial"/>'
        "</style:style></office:styles>"
    )
    body = (
        f'<text:p text:style-name="Ring">{TCVN3("Điều lệ")} <text:span text:style-name="New">và là Unicode'
        f'<text:span text:style-name="Lost">, cả ở đây</text:span></text:span> {TCVN3("đã sửa đổi")}</text:p>'
    )
    told, result = changed(document(body, styles=styles, faces={"old": ".VnTime"}))
    assert "Điều lệ và là Unicode, cả ở đây đã sửa đổi" in everything(result)
    assert codes_of(told) == {"FMT-OFFICE-UNICODE": "TCVN3: 19 (.VnTime 19)"}


def test_a_letter_and_its_mark_in_two_spans() -> None:
    text = VNI("Quyết định của Ủy ban")
    for cut in range(len(text)):
        body = (
            f'<text:p><text:span text:style-name="V">{text[:cut]}</text:span><text:bookmark text:name="x"/>'
            f'<text:span text:style-name="W">{text[cut:]}</text:span></text:p>'
        )
        _, result = changed(document(body, fonts={"V": "VNI-Times", "W": "VNI-Helve"}))
        assert "Quyết định của Ủy ban" in everything(result), cut


@given(st.lists(st.text(alphabet=LETTERS + LETTERS.upper() + "abcAO,.1 ", max_size=6), max_size=8))
def test_text_cut_anywhere_is_the_same_text(pieces: list[str]) -> None:
    """VNI cut at any byte, of any text; what was Unicode before is not asked for here."""
    text = VNI("".join(pieces))
    cuts = sorted({len(VNI("".join(pieces[:number]))) - number % 2 for number in range(len(pieces) + 1)} - {-1})
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join(unicode_of(parts, "vni")) == unicode_of([text], "vni")[0] == "".join(pieces)


def test_capital_fonts_symbols_and_vietnamese_code_pages() -> None:
    as_symbols = "".join(chr(0xF000 + byte) for byte in encode("văn thư lưu trữ", "tcvn3"))
    as_1258 = encode("Điều lệ của người lao động", "tcvn3").decode("cp1258")
    body = (
        f'<text:p text:style-name="H">M{TCVN3("ục")} L{TCVN3("ục")} s{TCVN3("ố")}</text:p>'
        f'<text:p text:style-name="T">{as_symbols}</text:p><text:p text:style-name="T">{as_1258}</text:p>'
        f'<text:p text:style-name="T">1998\u00ad1999, “{TCVN3("nước")}” 20%</text:p>'
    )
    _, result = changed(document(body, fonts={"H": ".VnArialH", "T": ".VnTime"}))
    text = everything(result)
    assert "MỤC LỤC SỐ" in text
    assert "văn thư lưu trữ" in text
    assert "Điều lệ của người lao động" in text
    assert "1998\u00ad1999, “nước” 20%" in text


def test_a_font_that_lies_is_told() -> None:
    body = (
        f'<text:p text:style-name="T">{VNI("Quyết định của Ủy ban nhân dân tỉnh về việc phê duyệt")}</text:p>'
        f'<text:p text:style-name="T">Người này đã viết bằng Unicode và không biết</text:p>'
    )
    told, result = changed(document(body, fonts={"T": ".VnTime"}))
    assert (
        codes_of(told)["FMT-OFFICE-AGAINST"]
        == f".VnTime: VNI × {len(VNI('Quyết định của Ủy ban nhân dân tỉnh về việc phê duyệt'))}"
    )
    text = everything(result)
    assert "Quyết định của Ủy ban nhân dân tỉnh về việc phê duyệt" in text
    assert "Người này đã viết bằng Unicode và không biết" in text


@pytest.mark.parametrize("beside", [False, True])
def test_old_text_in_an_ordinary_font_is_left_to_a_person(beside: bool) -> None:
    text = TCVN3("Cộng hòa xã hội chủ nghĩa Việt Nam, độc lập, tự do, hạnh phúc")
    body = f'<text:p text:style-name="A">{text}</text:p>' + (
        f'<text:p text:style-name="T">{TCVN3("văn thư")}</text:p>' if beside else ""
    )
    told, result = changed(document(body, fonts={"A": "Arial", "T": ".VnTime" if beside else "Arial"}))
    (letters,) = [one for one in told.told if one.code == "FMT-OFFICE-LETTERS"]
    assert letters.expected == "TCVN3"
    assert text[:20] in (letters.found or "")
    if beside:
        assert text in everything(result)
    else:
        assert told.kept


def test_properties_and_names_change_only_where_their_words_are_clear() -> None:
    body = f'<text:p text:style-name="T">{TCVN3("Biên bản họp của hội đồng")}</text:p>'
    meta = {"dc:title": TCVN3("Biên bản họp hội đồng"), "dc:creator": "Lý Hùng", "dc:subject": "Hà"}
    _, result = changed(document(body, fonts={"T": ".VnTime"}, meta=meta))
    text = everything(result)
    assert "Biên bản họp hội đồng" in text
    assert "Lý Hùng" in text
    assert "Hà" in text.splitlines() or "Hà" in text
    assert guessed("Hà", "tcvn3") == (None, False)


def test_unicode_in_an_old_font_stays_as_it_is() -> None:
    told, _ = changed(
        document('<text:p text:style-name="T">Người viết đã dùng Unicode</text:p>', fonts={"T": ".VnTime"})
    )
    assert told.kept == "text in fonts of an old encoding is Unicode already"
    assert not told.told


def test_pictures_and_objects_nobody_can_read_are_told() -> None:
    body = f'<text:p text:style-name="T">{TCVN3("văn thư")}</text:p>'
    more = {
        "Pictures/a.wmf": b"\0\0.VnTime\0\0",
        "Pictures/b.emf": ".VnTime".encode("utf-16-le"),
        "Pictures/c.wmf": b"Arial",
        "Object 1": b"\xd0\xcf\x11\xe0",
    }
    told, _ = changed(document(body, fonts={"T": ".VnTime"}, more=more))
    assert codes_of(told)["FMT-OFFICE-LEFT"] == "embedded object: Object 1; picture: a.wmf, b.emf"


def test_a_chart_is_a_document_of_its_own() -> None:
    title = f'<chart:title chart:style-name="C"><text:p>{TCVN3("Biểu đồ hồ sơ")}</text:p></chart:title>'
    chart = document(f"<chart:chart>{title}</chart:chart>", fonts={"C": ".VnArial"}, family="chart", kind="chart")
    with zipfile.ZipFile(chart) as opened:
        inside = {"Object 1/content.xml": opened.read("content.xml"), "ObjectReplacements/Object 1": b"picture"}
    told, result = changed(document("<text:p>Unicode</text:p>", more=inside))
    assert told.notes[1] == "TCVN3 .VnArial: chart 13"
    with zipfile.ZipFile(result) as opened:
        assert "Biểu đồ hồ sơ" in opened.read("Object 1/content.xml").decode()
        assert "ObjectReplacements/Object 1" not in opened.namelist(), "its picture shows what was there before"
        assert b"ObjectReplacements/Object 1" not in opened.read("META-INF/manifest.xml")


@pytest.mark.parametrize(
    "body",
    [
        "<text:span>" * 600 + "x" + "</text:span>" * 600,
        "<text:p>open",
        "</office:text>",
        "<text:p>&unknown;</text:p>",
        "<text:p>\x01</text:p>",
    ],
    ids=["deep", "open", "closed", "entity", "control"],
)
def test_what_is_no_document_is_refused(body: str) -> None:
    source = document(body, fonts={"T": ".VnTime"})
    with pytest.raises(Failed, match="FMT-CONVERT-FAILED"):
        convert(source, {"odf": io.BytesIO()}, ["writer8", "writer"], idle)


def test_a_document_type_is_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    source = document("<text:p>&b;</text:p>", fonts={"T": ".VnTime"}, prologue=bomb)
    with pytest.raises(Failed, match="FMT-CONVERT-FAILED"):
        convert(source, {"odf": io.BytesIO()}, ["writer8", "writer"], idle)


def test_giant_chains_of_styles_and_odd_names_of_fonts() -> None:
    chain = "".join(
        f'<style:style style:name="s{n}" style:family="paragraph" style:parent-style-name="s{n + 1}"/>'
        for n in range(5_000)
    )
    body = "".join(f'<text:p text:style-name="s{n}">{TCVN3("văn thư")}</text:p>' for n in range(0, 5_000, 100))
    odd = ".VnTime&#10;; &quot;x&quot;, 'y'"
    told, result = changed(document(body, styles=f"<office:styles>{chain}</office:styles>", fonts={"s4999": odd}))
    assert everything(result).count("văn thư") == 100, "the last of the chain has the font"
    assert not any(";" in note for note in told.notes), "facts of an event are parted by semicolons"


def test_loss_is_seen() -> None:
    """The comparison itself: a letter less, another letter, an attribute."""
    source = document(f'<text:p text:style-name="T">{TCVN3("văn thư lưu trữ")}</text:p>', fonts={"T": ".VnTime"})
    _, good = changed(io.BytesIO(source.getvalue()))
    for old, new in (("trữ", "trự"), ("văn", "vn"), ("<text:p", "<text:p xml:id='x'"), ("lưu", "l u")):
        target = io.BytesIO()
        with zipfile.ZipFile(good) as opened, zipfile.ZipFile(target, "w") as written:
            for name in opened.namelist():
                data = opened.read(name)
                written.writestr(name, data.replace(old.encode(), new.encode()) if name == "content.xml" else data)
        assert isinstance(same(source, target, [], idle), Differs), old


def test_choices_of_a_form_field() -> None:
    entry = '<field:param field:name="Dropdown_ListEntry" field:value="{}"/>'
    choice = f'<field:fieldmark xmlns:field="f">{entry}</field:fieldmark>'
    body = f'<text:p text:style-name="T">{TCVN3("văn thư")}{choice.format(TCVN3("đã xong"))}</text:p>'
    body += f"<text:p>{choice.format(TCVN3('chưa được xét duyệt'))}</text:p>"
    text = everything(changed(document(body, fonts={"T": ".VnTime"}))[1])
    assert "đã xong" in text
    assert "chưa được xét duyệt" in text


def test_formulas_and_conditions_keep_to_the_cells_that_they_compare() -> None:
    """Literals of a cell in another font, of lists to choose from and of conditional formats, by their words."""
    yes, no = TCVN3("Đạt yêu cầu"), TCVN3("Không đạt")
    body = (
        f'<table:content-validations><table:content-validation table:condition="of:cell-content-is-in-list(&quot;{yes}'
        f'&quot;;&quot;{no}&quot;)"/></table:content-validations><table:table table:name="a"><table:table-row>'
        f'<table:table-cell table:style-name="T"><text:p>{yes}</text:p></table:table-cell>'
        f'<table:table-cell table:style-name="A" table:formula="of:=IF([.A1]=&quot;{yes}&quot;;&quot;x&quot;;1)"/>'
        "</table:table-row></table:table>"
    )
    ods = document(body, fonts={"T": ".VnTime", "A": "Arial"}, family="table-cell", kind="spreadsheet")
    told, result = changed(ods)
    text = everything(result)
    assert 'of:cell-content-is-in-list("Đạt yêu cầu";"Không đạt")' in text
    assert 'of:=IF([.A1]="Đạt yêu cầu";"x";1)' in text
    assert "TCVN3 formula 31" in told.notes[2]


def test_what_the_zip_of_opendocument_has_to_be() -> None:
    """The type first, unpacked, without extra fields (OpenDocument 1.3, part 2, 3.3); no signature of other bytes."""
    more = {"META-INF/documentsignatures.xml": b"<x/>", "Object 2/content.xml": b"<!DOCTYPE m><math>a</math>"}
    source = document(f'<text:p text:style-name="T">{TCVN3("văn thư")}</text:p>', fonts={"T": ".VnTime"}, more=more)
    _, result = changed(source)
    head = result.getvalue()[:80]
    assert head[26:38] == b"\x08\0\0\0mimetype"
    with zipfile.ZipFile(result) as opened:
        assert "META-INF/documentsignatures.xml" not in opened.namelist()
        assert b"documentsignatures" not in opened.read("META-INF/manifest.xml")
        assert opened.read("Object 2/content.xml") == more["Object 2/content.xml"], "a formula is not looked at"


def test_the_same_bytes_every_time() -> None:
    source = document(
        f'<text:p text:style-name="T">{VNI("văn thư lưu trữ")}</text:p>', fonts={"T": "VNI-Times"}
    ).getvalue()
    assert changed(io.BytesIO(source))[1].getvalue() == changed(io.BytesIO(source))[1].getvalue()


def test_what_cannot_be_changed_is_told(tmp_path: Path) -> None:
    """As LibreOffice left it, with the reason; the sandbox of the action is not asked for."""
    deep = document("<text:p>" + "<text:span>" * 600 + "x" + "</text:span>" * 600 + "</text:p>", fonts={"T": ".VnTime"})
    odf = tmp_path / "odf.odt"
    odf.write_bytes(deep.getvalue())
    calls = Calls(ActionLimits(), tmp_path, "full", 1)
    told = unicoded(odf, odf, calls, rule_named("odt").actions[0])
    assert [(one.code, one.found) for one in told.told] == [
        ("FMT-OFFICE-LEFT", "more than 512 elements inside one another")
    ]
    assert odf.read_bytes() == deep.getvalue()
    assert [one.name for one in tmp_path.iterdir()] == ["odf.odt"]
    tidy = tidied(io.BytesIO(deep.getvalue()), {"odf": io.BytesIO()}, [], idle)
    assert [(one.code, one.found) for one in tidy.told] == [("FMT-OFFICE-FONTS", ".VnTime")]


def test_fonts_of_the_same_class() -> None:
    families = {
        ".VnTime": "Serif",
        ".VnArialH": "Sans",
        ".VnCourier": "Mono",
        "VNI-Helve": "Sans",
        "VNI-Times": "Serif",
    }
    assert {font: face_for(font).family.rpartition(" ")[2] for font in families} == families


def test_words_decide_where_they_are_clear() -> None:
    assert read_by(TCVN3("Quyết định"), "tcvn3").encoding == "tcvn3"
    assert read_by("người và là", "tcvn3").encoding is None
    assert unicode_of([shown(b"e\xe1 x\xe1")], "vni") == ["ế xá"], "a mark without its letter stays"
