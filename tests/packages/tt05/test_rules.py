"""Rules where one fixture a code is not enough: both sides of a condition, forms that are read, settings."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipeline.packages.tt05 import tables, values
from pipeline.packages.tt05.check_certificate import _items
from pipeline.packages.tt05.places import place
from pipeline.packages.tt05.texts import old_font
from tests.packages.tt05 import contents, pdfs
from tests.packages.tt05.build import written
from tests.packages.tt05.fault import digitised, edited, first, told, with_first
from tests.packages.tt05.faults import tolerated
from tests.packages.tt05.fields import CERTIFICATE, DOCUMENT, EAD
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.shape import (
    PREMIS,
    REP,
    REP_PREMIS,
    Doc,
    Shape,
    born_pdf,
    full,
    link,
    photo,
    plain,
    scanned,
    word_text,
)

_CHAIN = "TT05-SIG-04"


def codes(shape: Shape, home: Path, *settings: str, profile: str = "tt05") -> dict[str, str]:
    """Codes without TT05- and their levels, those of an untrusted chain left out."""
    levels = said(written(shape, home), by_profile(profile, (*shape.settings, *settings))).levels
    return {code.removeprefix("TT05-"): level for code, level in levels.items() if code != _CHAIN}


# --- sets of elements ---


@pytest.mark.parametrize("type", ["SIP_hoso", "AIP_hoso"])
@pytest.mark.parametrize("drop", [("numberOfPaper",), ("riskRecovery", "riskRecoveryStatus")])
def test_what_the_annex_itself_leaves_out(tmp_path: Path, type: str, drop: tuple[str, ...]) -> None:
    assert codes(plain(type, ead_drop=drop), tmp_path) == {"EAD-26": "info"}


def test_a_schema_of_sixteen_is_told_by_one_code(tmp_path: Path) -> None:
    lines = [f'<xs:element name="{name}" type="xs:string"/>' for name in ("riskRecovery", "riskRecoveryStatus")]
    edits = tuple(("schemas/EAD.xsd", f"{line}", "") for line in lines)
    assert codes(edited(*edits), tmp_path) == {"EAD-26": "info"}


def test_texts_of_a_sip_may_have_nineteen_elements(tmp_path: Path) -> None:
    few = {"drop": ("riskRecovery", "riskRecoveryStatus")}
    assert codes(first("SIP_tailieu", few), tmp_path / "sip") == {}
    one_alone = first(more={"drop": ("riskRecovery",)})
    assert codes(one_alone, tmp_path / "one") == {"DOC-02": "error"}
    assert "DOC-01" in codes(first("DIP", few), tmp_path / "dip")


def test_empty_is_not_absent(tmp_path: Path) -> None:
    assert codes(told(riskRecovery=""), tmp_path) == {"EAD-03": "error"}


@pytest.mark.parametrize(
    "tail", ["description riskRecovery riskRecoveryStatus", "riskRecovery riskRecoveryStatus description"]
)
def test_both_tails_of_an_archival_file_are_in_order(tmp_path: Path, tail: str) -> None:
    order = tuple(name for name in EAD["AIP_hoso"] if name not in tail.split()) + tuple(tail.split())
    assert codes(plain("AIP_hoso", ead_order=order), tmp_path, profile="tt05-strict") == {}


def test_the_other_annex_of_pictures_is_judged_by_its_own_set(tmp_path: Path) -> None:
    shape = plain("AIP_hoso", documents=(photo(1, typePic="9"), born_pdf(2)))
    other = {"order": DOCUMENT["AIP_tailieu"]["pic"]}
    found = codes(with_first(shape, other, arcDocCode="H99.05.H99.01.2020.7.02.0000001"), tmp_path)
    assert (found["PIC-01"], found["PIC-02"]) == ("warning", "error") and "DOC-02" not in found


def test_letter_case_of_an_element_is_forgiven_and_told(tmp_path: Path) -> None:
    shape = edited(("metadata/descriptive/EAD.xml", "re:<(/?)title>", r"<\1Title>"))
    assert codes(shape, tmp_path) == {"EAD-02": "warning", "EAD-19": "warning"}


# --- values ---


@pytest.mark.parametrize(
    ("text", "first_day", "last_day", "parts"),
    [
        ("29/02/2024", "2024-02-29", "2024-02-29", 3), ("02/2023", "2023-02-01", "2023-02-28", 2),
        ("12/9999", "9999-12-01", "9999-12-31", 2), ("2020", "2020-01-01", "2020-12-31", 1),
    ],
)  # fmt: skip
def test_dates_and_parts_of_dates(text: str, first_day: str, last_day: str, parts: int) -> None:
    found = values.period(text)
    assert found is not None
    assert (found.first.isoformat(), found.last.isoformat(), found.parts) == (first_day, last_day, parts)


@pytest.mark.parametrize(
    "text", ["", "29/02/2023", "1/2/2020", "2020-01-02", "00/05/2020", "13/2020", "0000", "２０２０"]
)
def test_what_is_no_date(text: str) -> None:
    assert values.period(text) is None


@pytest.mark.parametrize(
    ("code", "year"),
    [
        ("H99.01.2020.7", 2020), ("H99.05.P001.2020.7.02", 2020), ("H99.01.1234.2020.2021", 2020), ("H99.01.7", None),
        ("2020.7", None), ("H99.01.2999.7", None), ("001.03.08.H30.2024.5", 2024),
    ],
)  # fmt: skip
def test_the_year_in_a_code(code: str, year: int | None) -> None:
    assert values.year_of(code, 2026) == year


@pytest.mark.parametrize("language", ["01,02", "01; 02", "01|02|11"])
def test_lists_of_languages(tmp_path: Path, language: str) -> None:
    assert codes(told(language=language), tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [("confidenceLevel", "SỐ HOÁ", "02"), ("maintenance", " vĩnh  viễn ", "01"), ("language", "tiếng Anh", "02")],
)
def test_words_that_stand_for_codes(name: str, words: str, code: str) -> None:
    assert tables.words_code(name, words) == code
    assert tables.words_code(name, "không có") is None


def test_lengths_are_counted_in_composed_letters(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "ệ" * 1000)
    assert codes(told(title=decomposed), tmp_path) == {"EAD-22": "warning"}


@pytest.mark.parametrize(
    "text",
    [
        "Hồ sơ",
        "Công ty Électricité de France",
        "Niên khóa 1998–1999 © ®",
        "QĐ-UBND",
        "Größe",
        "Hoà sô",
        "Toà án",
        "Khoá",
    ],
)
def test_texts_without_an_old_font(text: str) -> None:
    assert not old_font(text)


@pytest.mark.parametrize("text", ["QuyÕt ®Þnh sè 5", "Hå s¬", "Ñieàu leä", "THOÂNG BAÙO", "Ban hµnh quy chÕ"])
def test_texts_of_an_old_font(text: str) -> None:
    assert old_font(text)


def test_words_in_place_of_a_code_are_no_code(tmp_path: Path) -> None:
    assert codes(told(confidenceLevel="Số hoá"), tmp_path) == {"EAD-07": "error"}


# --- codes ---


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("H99.01.2020.7.HC-1", {}), ("K99.2020.7", {}), ("G09.2020.7", {}), ("H01.01.2020.Đ7", {}),
        ("H22.01.2025.7", {}), ("H22.01.2026.7", {"ID-05"}), ("G38.2020.7", {"ID-05"}), ("H64.2020.7", {"ID-01"}),
        ("000.00.00.H99.2020.7", {"ID-06"}), ("H99.01.7", {"ID-02"}), ("H99.01.2020.7/HC", {"ID-08"}),
    ],
)  # fmt: skip
def test_codes_of_files(tmp_path: Path, code: str, found: set[str] | dict[str, str]) -> None:
    told_ = codes(plain(code=code), tmp_path)
    assert {name for name in told_ if name.startswith("ID-")} == set(found)


def test_an_administrative_code_is_no_body_and_says_whose_it_is(tmp_path: Path) -> None:
    def expected(code: str) -> str | None:
        package = written(plain(code=code), tmp_path / code)
        return next(one.expected for one, _ in said(package, by_profile("tt05")).findings if one.code == "TT05-ID-01")

    assert expected("22.2020.7") == "Tỉnh Quảng Ninh: H49"
    assert expected("06970.2025.7") == "Xã Ba Chẽ: H49…"
    assert expected("H64.2020.7") is None


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("15", "Yên Bái", "Lào Cai"), ("24", "Bắc Giang", "Bắc Ninh"), ("44", "Quảng Bình", "Quảng Trị"),
        ("52", "Bình Định", "Gia Lai"), ("80", "Long An", "Tây Ninh"), ("82", "Tiền Giang", "Đồng Tháp"),
        ("91", "Kiên Giang", "An Giang"), ("75", "Tỉnh Đồng Nai", "Tỉnh Đồng Nai"),
    ],
)  # fmt: skip
def test_codes_of_provinces_mean_what_they_meant_at_the_time(code: str, before: str, after: str) -> None:
    for day, name in ((date(2025, 6, 30), before), (date(2025, 7, 1), after)):
        known = place(code, day)
        assert known is not None and known.name.endswith(name)


def test_communes_and_provinces_are_whole() -> None:
    today = date(2026, 5, 1)
    rows = [*tables.rows("provinces.tsv"), *tables.rows("communes.tsv")]
    now = [
        row for row in rows if (one := place(row["code"], today)) and one.name == row["name"] and not row["valid_to"]
    ]
    assert [sum(len(row["code"]) == length for row in now) for length in (2, 5)] == [34, 3321]
    assert all(place(row["province"], today) for row in now if len(row["code"]) == 5)
    assert all(row["committee"] in tables.bodies() for row in rows if len(row["code"]) == 2)
    renamed = place("75", today)
    assert renamed is not None and renamed.name == "Thành phố Đồng Nai"


def test_a_closed_fonds_takes_its_own_code(tmp_path: Path) -> None:
    closed = ("tt05.fonds_state=closed", "tt05.archive_body=H99.05")
    with_fonds = plain("AIP_hoso", code="H99.05.P001.2020.7.02")
    assert codes(with_fonds, tmp_path / "0", *closed) == {}
    assert codes(plain("AIP_hoso"), tmp_path / "1", *closed) == {"ID-04": "warning"}
    assert codes(with_fonds, tmp_path / "2", *closed, "tt05.fonds=P002") == {"ID-04": "warning"}


# --- linked documents ---

_AIP = "urn_P001_99999999-2222-4333-8444-5555555555FF_{path} 20480 {own} H99.01.2020.7.0000002"


@pytest.mark.parametrize(
    ("type", "content", "code"),
    [
        ("SIP_hoso", "H99.01.2019.3.1\r\n", ""), ("SIP_hoso", "\ufeffH99.01.2019.3.1", ""), ("SIP_hoso", "", "HOL-02"),
        ("SIP_hoso", "File2.doc", "HOL-02"), ("SIP_hoso", "data/H99.01.2019.3.1", "HOL-02"),
        ("AIP_hoso", _AIP.format(path="representations/rep1/data/a.pdf", own="data/H99.01.2020.7.2.pdf"), ""),
        ("AIP_hoso", _AIP.format(path="representations/rep1/data/a.pdf", own="data/khac.pdf"), "HOL-02"),
        ("AIP_hoso", _AIP.replace("P001", "P_2_x").format(path="a", own="data/H99.01.2020.7.2.pdf"), "HOL-03"),
        ("AIP_hoso", _AIP.replace("P001", "uuid").format(path="a", own="data/H99.01.2020.7.2.pdf"), ""),
        ("AIP_hoso", "001.03.08.H30.2024.1", "HOL-06"), ("AIP_hoso", "hai từ", "HOL-02"),
    ],
)  # fmt: skip
def test_what_stands_in_a_linked_document(tmp_path: Path, type: str, content: str, code: str) -> None:
    shape = plain(type, documents=(born_pdf(1), replace(link(2, type[:3]), linked=content)))
    found = codes(shape, tmp_path)
    assert {name for name in found if name != "STR-16"} == ({code} if code else set())


def test_blanks_in_the_paths_of_a_linked_document(tmp_path: Path) -> None:
    content = _AIP.format(path="representations/rep1/data/a b.pdf", own="data/H99.01.2020.7.2.pdf")
    shape = plain("AIP_hoso", documents=(born_pdf(1), replace(link(2, "AIP"), linked=content)))
    assert codes(shape, tmp_path / "0", "tt05.fetch_encoding=percent") == {"HOL-02": "error"}
    assert codes(shape, tmp_path / "1", "tt05.fetch_encoding=raw") == {}


# --- formats and signatures ---


@pytest.mark.parametrize(
    ("file", "own", "asked"),
    [
        ("02", "02", True),
        ("03", "02", True),
        ("03", "01", False),
        ("01", "01", False),
        ("01", "02", True),
        ("02", "", True),
    ],
)
def test_what_was_born_digital_is_not_asked(tmp_path: Path, file: str, own: str, asked: bool) -> None:
    ead = {"confidenceLevel": file, "paperFileCode": "H99.05.K1.1", "numberOfPaper": "2"}
    documents = (born_pdf(1, confidenceLevel=own, process="1"), born_pdf(2, confidenceLevel=own, process="1"))
    found = codes(plain(ead=ead, documents=documents), tmp_path)
    assert set(found) == ({"FMT-03", "SIG-01"} if asked else set())


def test_the_weight_of_pdfa_and_signatures_is_a_setting(tmp_path: Path) -> None:
    shape = replace(digitised(), documents=(scanned(1, 1, {"signature": "", "pdfa": False}), scanned(2)))
    assert codes(shape, tmp_path / "0") == {"FMT-03": "warning", "SIG-01": "warning"}
    assert codes(shape, tmp_path / "1", profile="tt05-strict") == {"FMT-03": "error", "SIG-01": "warning"}
    block = ("tt05.pdfa=block", "tt05.signature=block")
    assert codes(shape, tmp_path / "2", *block) == {"FMT-03": "error", "SIG-01": "error"}
    mild = ("tt05.pdfa=warning", "tt05.signature=warning")
    assert codes(shape, tmp_path / "3", *mild, profile="tt05-strict") == {"FMT-03": "warning", "SIG-01": "warning"}


def test_maps_need_more_dots(tmp_path: Path) -> None:
    for number, (kind, dpi, found) in enumerate((("30", 299, {}), ("31", 250, {"FMT-05": "warning"}), ("01", 250, {}))):
        shape = digitised(documents=(scanned(1, 1, {"dpi": dpi}, typeName=kind, codeNotation=""), scanned(2)))
        assert codes(shape, tmp_path / str(number)) == found, kind


def test_a_photograph_in_black_and_white_has_its_own_colours(tmp_path: Path) -> None:
    grey = Doc("pic", "jpg", contents.picture(1, mode="L"), {"colour": "02"}, pages=0)
    assert codes(digitised(documents=(scanned(1), grey)), tmp_path / "0") == {}
    shape = digitised(documents=(scanned(1), replace(grey, fields={"colour": "01"})))
    assert codes(shape, tmp_path / "1") == {"FMT-06": "warning"}


def test_digitised_paper_is_a_pdf(tmp_path: Path) -> None:
    assert codes(digitised(documents=(scanned(1), word_text(2))), tmp_path) == {"FMT-03": "warning"}


def test_a_signature_on_another_page_is_none_of_the_first(tmp_path: Path) -> None:
    scan = pdfs.scan("Một", pages=2)
    annots = scan[scan.index(b"/Annots[") :].split(b"]")[0] + b"]"
    bare = scan.replace(annots, b" " * len(annots), 1)
    at = bare.index(b"/Contents ", bare.rindex(b"/Type/Page/"))
    assert b"/Annots" not in bare
    moved = bare[:at] + bare[at:].replace(b"R>>", b"R" + annots + b">>", 1)
    shape = digitised(documents=(Doc("doc", "pdf", moved, pages=2), scanned(2)))
    found = codes(shape, tmp_path)
    assert {"SIG-01", "SIG-02"} <= set(found)


@pytest.mark.parametrize(
    ("kind", "data", "found"),
    [
        ("png", contents.picture(1, "tiff"), {"FMT-02"}), ("bmp", contents.picture(1, "bmp"), {"FMT-01"}),
        ("jpg", contents.picture(1, "bmp"), {"FMT-01", "FMT-02"}), ("xls", bytes(range(256)) * 4, {"FMT-08"}),
        ("xml", b"<x/>", {"FMT-01"}), ("csv", b"a,b\n1,2\n", set()), ("htm", b"<html></html>", set()),
        ("txt", b"\xb5Qu\xfd\xd5t \xae\xde nh \xfe\xb8", set()), ("doc", b"{\\rtf1}", {"FMT-02"}),
        ("pdf", b"khong phai PDF", {"FMT-02", "FMT-08"}), ("doc", b"van ban", {"FMT-02"}),
        ("txt", b"", {"STR-16"}),
    ],
)  # fmt: skip
def test_formats(tmp_path: Path, kind: str, data: bytes, found: set[str]) -> None:
    shape = plain(documents=(Doc("doc", kind, data), born_pdf(2)))
    assert set(codes(shape, tmp_path)) == found


def test_the_media_type_of_mets_is_held_against_the_bytes(tmp_path: Path) -> None:
    shape = edited((REP, 'MIMETYPE="application/pdf"', 'MIMETYPE="image/png"'))
    assert codes(shape, tmp_path) == {"FMT-02": "warning"}


def test_what_a_duplicate_is_says_a_setting(tmp_path: Path) -> None:
    same_bytes = plain(documents=(born_pdf(1), born_pdf(1)))
    assert codes(same_bytes, tmp_path / "0", "tt05.duplicate=bytes") == {"SUB-01": "error"}
    assert codes(same_bytes, tmp_path / "1", "tt05.duplicate=codes") == {}
    same_code = plain(documents=(born_pdf(1), born_pdf(2, docCode="H99.01.2020.7.0000001")))
    assert "SUB-01" not in codes(same_code, tmp_path / "2", "tt05.duplicate=bytes")
    assert "SUB-01" in codes(same_code, tmp_path / "3", "tt05.duplicate=codes")


# --- PREMIS and certificate ---


def test_premis_as_the_annex_prints_it(tmp_path: Path) -> None:
    """A prefix that is declared and never used, `objectCategory`, an agent without its wrapper (TT05-C12)."""
    plain_premis = 'xmlns="http://www.loc.gov/premis/v3"'
    edits = [
        (PREMIS, plain_premis, 'xmlns:premis="http://www.loc.gov/premis/v3"'),
        (PREMIS, ' xsi:type="intellectualEntity"', ""),
        (
            PREMIS,
            "    <objectIdentifier>",
            "    <objectCategory>intellectual entity</objectCategory><objectIdentifier>",
        ),
        (PREMIS, "<agentIdentifier>", ""),
        (PREMIS, "</agentIdentifier>", ""),
        (REP_PREMIS, plain_premis, 'xmlns:premis="http://www.loc.gov/premis/v3"'),
    ]
    assert codes(edited(*edits, type="AIP_hoso"), tmp_path) == {"PRM-02": "warning"}


def test_objects_are_found_by_other_names(tmp_path: Path) -> None:
    shape = plain("AIP_hoso")
    named = edited((REP_PREMIS, "re:(<objectIdentifierValue>)ID-", r"\1khac-"), type="AIP_hoso")
    assert codes(shape, tmp_path / "0") == codes(named, tmp_path / "1") == {}
    nameless = edited(
        (REP_PREMIS, "re:(<objectIdentifierValue>)ID-", r"\1khac-"),
        (REP_PREMIS, "re:<originalName>.*?</originalName>", ""),
        type="AIP_hoso",
    )  # fmt: skip
    assert codes(nameless, tmp_path / "2") == {"PRM-04": "error"}


def test_the_items_of_a_certificate() -> None:
    lines = [f"{key}) {label.upper()} : {value}" for key, (label, value) in CERTIFICATE.items()]
    assert _items(lines)["certificateExpires"] == "31/12/2999"
    assert len(_items(lines)) == 10, "đ) is not asked for"
    other = [
        "Tiêu đề tài liệu: x",
        "c) Người nhận (họ và tên, số giấy tờ): y",
        unicodedata.normalize("NFD", "Số lượng bản: 2"),
        "Ngày cấp",
        "Ngày cấp cuối: 3",
    ]
    assert _items(other) == {
        "certificateSubject": "x", "certificateRecipient": "y", "certificateCopies": "2"
    }  # fmt: skip


def test_items_of_a_certificate_that_go_on_in_the_next_line() -> None:
    lines = ["g) Trích yếu nội dung hoặc tiêu đề", "tài liệu: Về việc", "thử nghiệm", "h) Mục đích sử dụng:", "Cá nhân"]
    assert _items(lines) == {"certificateSubject": "Về việc", "certificatePurpose": "Cá nhân"}
    assert _items(["k) Thời hạn sử dụng:", "l) Số lượng bản:", "đ) Số: 1", "Số lượng bản: 2"]) == {
        "certificateExpires": "", "certificateCopies": ""
    }  # fmt: skip


def test_letters_of_items_may_be_capitals_too() -> None:
    assert _items(["K) THỜI HẠN SỬ DỤNG: 1", "L. SỐ LƯỢNG BẢN: 2"]) == {
        "certificateExpires": "1", "certificateCopies": "2"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("term", "over"),
    [
        ("31/12/2024", True),
        ("từ 05/11/2024 đến hết ngày 31/12/2024.", True),
        ("đến 31/12/2999", False),
        ("90 ngày kể từ ngày 05/11/2024", False),
    ],
)
def test_the_end_of_a_term_may_stand_in_a_sentence(tmp_path: Path, term: str, over: bool) -> None:
    lines = [f"{label}: {value}" for label, value in CERTIFICATE.values() if value != "31/12/2999"]

    def change(files: dict[str, bytes]) -> None:
        files["documentation/van_ban_xac_thuc.pdf"] = pdfs.scan(*lines, f"Thời hạn sử dụng: {term}")

    assert codes(plain("DIP", before=(change,)), tmp_path) == ({"DIP-04": "warning"} if over else {})


def test_a_certificate_that_is_no_pdfa_or_no_pdf(tmp_path: Path) -> None:
    lines = [f"{label}: {value}" for label, value in CERTIFICATE.values()]

    def put(data: bytes) -> Shape:
        def change(files: dict[str, bytes]) -> None:
            files["documentation/van_ban_xac_thuc.pdf"] = data

        return plain("DIP", before=(change,))

    assert codes(put(pdfs.born(*lines)), tmp_path / "0") == {"DIP-01": "error"}
    assert codes(put(b"%PDF-1.4 x"), tmp_path / "1") == {"DIP-01": "error"}
    assert codes(put(pdfs.scan(*lines)), tmp_path / "2") == {}


def test_clean_packages_of_all_kinds_tolerate_nothing_else(tmp_path: Path) -> None:
    for type in ("SIP_tailieu", "AIP_tailieu"):
        shape = full(type)
        assert not {f"TT05-{code}" for code in codes(shape, tmp_path / type)} - tolerated(shape, "tt05")
