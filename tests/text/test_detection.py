"""What is told from what: by encoding, by length, by font, and what is left to a person."""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import Detection, Examiner, convert, decode, detect, detect_stream, encode, font_encoding, restored
from pipeline.text.detection import AHEAD, ENOUGH
from tests.text.samples import DATA, WRITTEN, as_written, udhr, vectors, written

FILES = DATA / "vietnamese" / "text"
SENTENCE = "Thủ tướng Chính phủ ban hành quy định về công tác văn thư, lưu trữ"


@pytest.mark.parametrize("vector", list(vectors()), ids=lambda vector: f"{vector[0]}-{vector[1]}")
def test_no_vector_is_taken_for_something_else(vector: tuple[str, str, bytes, str]) -> None:
    name, encoding, raw, text = vector
    found = detect(raw)
    if name in ("lower67", "all134") or encoding == "vps":
        assert found.encoding is None or convert(raw, found).text == text
    else:
        assert found.encoding == encoding.removesuffix("-h")
        assert convert(raw, found).text.lower() == text.lower()


@pytest.mark.parametrize("name", ["utf8", "utf8_bom", "utf8_nfd", "utf16le", "tcvn3", "vni", "viscii", "cp1258"])
def test_the_sample_files(name: str) -> None:
    raw = (FILES / f"{name}.txt").read_bytes()
    right = (FILES / "utf8.txt").read_text("utf-8")
    found = detect(raw)
    expected = {"utf16le": "utf-16-le"}.get(name, "utf-8" if name.startswith("utf8") else name)
    assert (found.encoding, found.composed) == (expected, name != "utf8_nfd")
    converted = convert(raw, found)
    assert converted.changed == (name != "utf8")
    assert converted.unmapped == ()
    assert converted.text == (as_written(right, "tcvn3") if name == "tcvn3" else right)


def clean_lines(language: str, least: int) -> list[str]:
    """Lines and sentences of the Declaration and of our own pages, each once."""
    pages = {"vi": ["README.vi.md"], "en": ["README.md", "CHANGELOG.md"]}.get(language, [])
    text = "\n".join([udhr(language), *((DATA.parent.parent / page).read_text("utf-8") for page in pages)])
    whole = [line for line in text.splitlines() if line.strip()]
    pieces = [piece for line in whole for piece in re.split(r"(?<=[.;:,])\s", line) if piece]
    words = [" ".join(line.split()[n : n + 4]) for line in whole for n in range(0, len(line.split()), 4)]
    lines = list(dict.fromkeys([*whole, *pieces, *words]))
    assert len(lines) >= least
    return lines


@pytest.mark.parametrize(("language", "least"), [("vi", 700), ("en", 700), ("fr", 700), ("de", 400), ("cs", 400)])
def test_clean_lines_are_not_changed(language: str, least: int) -> None:
    for line in clean_lines(language, least):
        raw = unicodedata.normalize("NFC", line).encode()
        found = detect(raw)
        assert (found.encoding, found.undo) == ("utf-8", 0), line
        assert not convert(raw, found).changed


@pytest.mark.parametrize("language", ["fr", "de", "es", "pt", "cs"])
def test_other_languages_in_old_code_pages_are_left_to_a_person(language: str) -> None:
    code = "cp1250" if language == "cs" else "cp1252"
    for line in clean_lines(language, 300):
        raw = line.encode(code, "ignore")
        if not raw.isascii():
            assert detect(raw).encoding is None or convert(raw, detect(raw)).text == line, line


def test_vps_is_never_an_answer_unless_a_font_says_so() -> None:
    raw = encode(SENTENCE, "vps")
    found = detect(raw)
    assert (found.encoding, found.method) == (None, "ambiguous")
    assert found.candidates[0][0] == "vps"
    asked = detect(raw, ["VPS Times"])
    assert (asked.encoding, asked.method) == ("vps", "font")


def test_short_text_is_left_to_a_person_and_neighbours_help() -> None:
    raw = encode("Quảng", "tcvn3")
    assert (detect(raw).encoding, detect(raw).method) == (None, "short")
    assert (detect(raw, neighbours="tcvn3").encoding, detect(raw, neighbours="tcvn3").method) == ("tcvn3", "neighbours")
    assert detect(raw, [".VnTime"]).encoding == "tcvn3"


def test_a_font_that_lies_is_contradicted() -> None:
    found = detect(encode(SENTENCE, "vni"), [".VnTime"])
    assert (found.encoding, found.against) == ("vni", "tcvn3")


def test_a_capital_font_makes_capitals() -> None:
    raw = encode("ủy ban nhân dân xã", "tcvn3")
    found = detect(raw, ["ABCDEF+.VnTimeH,Bold"])
    assert (found.encoding, convert(raw, found).text) == ("tcvn3-h", "ỦY BAN NHÂN DÂN XÃ")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        (".VnTime", "tcvn3"), (".VnTimeH", "tcvn3-h"), (".vntimeh", "tcvn3-h"), (".VnArialH Bold", "tcvn3-h"),
        ("ABCDEF+.VnTimeH,BoldItalic", "tcvn3-h"), (".VnArial-Bold", "tcvn3"), ("VNI-Times", "vni"),
        ("VPS Times", "vps"), ("Times New Roman", None), ("", None), (".VnTeknical", "tcvn3"),
        ("ABCDEF+VNI-Helve", "vni"), ("vni-times", "vni"),
    ],
)  # fmt: skip
def test_font_names(name: str, encoding: str | None) -> None:
    assert font_encoding(name) == encoding


def test_lines_in_several_encodings_are_left_to_a_person() -> None:
    for first, second in (("tcvn3", "vni"), ("tcvn3", "utf-8"), ("viscii", "cp1258")):
        raw = b"\n".join([encode(SENTENCE, first)] * 3 + [encode(SENTENCE, second)])
        found = detect(raw)
        assert found.encoding is None, (first, second)
        assert found.method in ("mixed", "ambiguous"), (first, second)


def test_broken_utf8_is_called_so() -> None:
    raw = udhr("vi").encode()
    found = detect(raw[:500] + b"\xff" + raw[500:900])
    assert (found.encoding, found.method) == (None, "damaged")
    assert found.candidates[0][0] == "utf-8"


def test_double_damage_is_undone() -> None:
    text = udhr("vi")[:400]
    once = text.encode().decode("latin-1")
    for times in (1, 2):
        found = detect(once.encode())
        assert (found.encoding, found.undo, found.method) == ("utf-8", times, "undone")
        assert convert(once.encode(), found).text == text
        once = once.encode().decode("latin-1")
    small = as_written(text, "tcvn3")
    for shown_as in ("latin-1", "cp1252"):
        raw = encode(small, "tcvn3").decode(shown_as, "replace").encode()
        if b"\xef\xbf\xbd" in raw:
            continue
        found = detect(raw)
        assert (found.encoding, found.undo) == ("tcvn3", 1)
        assert convert(raw, found).text == small


@pytest.mark.parametrize("value", ["là", "bà", "cá và gà", "Số hóa", "hồ sơ", "à la carte", "déjà vu là thế"])
def test_short_values_are_never_undone(value: str) -> None:
    assert (detect(value.encode()).encoding, detect(value.encode()).undo) == ("utf-8", 0)


@pytest.mark.parametrize("text", ["trước khi", "người", "hướng dẫn người dùng", "dưới đây"])
def test_old_text_that_is_valid_utf8_by_chance_is_not_taken_for_it(text: str) -> None:
    raw = encode(text, "viscii")
    found = detect(raw)
    assert found.encoding is None or convert(raw, found).text == text
    assert found.encoding is not None or ("utf-8" in dict(found.candidates)) == is_utf8(raw)


def is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_utf16() -> None:
    for name in ("utf-16-le", "utf-16-be"):
        mark = codecs.BOM_UTF16_LE if name == "utf-16-le" else codecs.BOM_UTF16_BE
        for raw in (mark + SENTENCE.encode(name), SENTENCE.encode(name)):
            found = detect(raw)
            assert (found.encoding, convert(raw, found).text) == (name, SENTENCE)


@pytest.mark.parametrize(
    "raw", [bytes(range(256)), b"\0" * 40, b"PK\3\4" + b"\0\1\2" * 50, codecs.BOM_UTF32_LE + "a".encode("utf-32-le")]
)
def test_what_is_no_text_is_called_so(raw: bytes) -> None:
    assert detect(raw) == Detection(None, 0.0, 0.0, "binary")


def test_nothing_and_ascii() -> None:
    assert detect(b"").method == "empty"
    assert detect(b"plain text, line\r\n").method == "ascii"
    assert detect(b"Vie^.t Nam").method == "ascii"


@given(raw=st.binary(max_size=300))
def test_any_bytes_get_an_answer(raw: bytes) -> None:
    found = detect(raw)
    assert 0 <= found.confidence <= 1
    if found.method == "syllables":
        assert found.score >= ENOUGH and found.margin >= AHEAD
    if found.encoding is not None:
        assert convert(raw, found).text is not None


@pytest.mark.parametrize("encoding", WRITTEN)
def test_big_streams_are_told_from_samples(encoding: str, tmp_path: Path) -> None:
    raw = written(udhr("vi"), encoding)
    file = tmp_path / "big"
    file.write_bytes(raw * (3_000_000 // len(raw)))
    with file.open("rb") as source:
        found = detect_stream(source)
    assert found.encoding == detect(raw).encoding is not None
    assert decode(raw, found.encoding or "") == as_written(udhr("vi"), encoding)


def test_extracted_hyphens_are_letters_beside_letters_only() -> None:
    assert restored("l\u2212u 3\u22122 x \u2212 y") == "l\u00adu 3\u22122 x \u2212 y"


@given(
    raw=st.binary(max_size=120) | st.builds(bytes.__add__, st.sampled_from([codecs.BOM_UTF16_LE, codecs.BOM_UTF8]),
                                            st.binary(max_size=40)),
    cuts=st.lists(st.integers(0, 120), max_size=5),
)  # fmt: skip
def test_pieces_are_told_as_the_whole(raw: bytes, cuts: list[int]) -> None:
    examiner = Examiner()
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    for first, second in zip(places, places[1:], strict=False):
        examiner.feed(raw[first:second])
    assert examiner.detection() == detect(raw)
