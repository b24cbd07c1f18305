"""The tables against other people's, and both ways."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline.text
from pipeline.text import LEGACY, READABLE, capitals, convert, decode, encode, lost
from pipeline.text.encodings import rows
from tests.text.samples import vectors

HATS = {"a": ("", "\u0306", "\u0302"), "e": ("", "\u0302"), "i": ("",), "o": ("", "\u0302", "\u031b"),
        "u": ("", "\u031b"), "y": ("",)}  # fmt: skip
TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
SPELT = {
    unicodedata.normalize("NFC", base + hat + tone) for base, hats in HATS.items() for hat in hats for tone in TONES
}
SMALL = sorted({*SPELT, "đ"} - set(HATS))
ALL = SMALL + [char.upper() for char in SMALL]
SIGNS = " \t\r\n" + "".join(chr(n) for n in range(33, 127))
NAMES = {"tcvn3": ("TCVN5712-1", "VN3"), "viscii": ("VISCII", "VISCII")}


def test_there_are_67_letters_in_both_cases() -> None:
    assert len(SMALL) == 67
    assert len(set(ALL)) == 134


@pytest.mark.parametrize("vector", list(vectors()), ids=lambda vector: f"{vector[0]}-{vector[1]}")
def test_every_vector_is_read(vector: tuple[str, str, bytes, str]) -> None:
    _, encoding, raw, text = vector
    assert decode(raw, encoding) == text
    converted = convert(raw, encoding)
    assert (converted.text, converted.unmapped) == (text, ())


@pytest.mark.parametrize("vector", list(vectors()), ids=lambda vector: f"{vector[0]}-{vector[1]}")
def test_every_vector_is_written(vector: tuple[str, str, bytes, str]) -> None:
    name, encoding, raw, text = vector
    if encoding == "tcvn3-h":
        text, encoding = "".join(char.lower() if char in lost(text, "tcvn3") else char for char in text), "tcvn3"
        assert decode(encode(text, encoding), "tcvn3-h") == decode(raw, "tcvn3-h")
        return
    made = encode(text, "nfd" if b"\xcc" in raw and encoding == "utf-8" else encoding)
    assert decode(made, encoding) == text
    if encoding != "cp1258":
        assert made == raw


@pytest.mark.skipif(shutil.which("iconv") is None, reason="no iconv")
@pytest.mark.parametrize("encoding", NAMES)
def test_tables_against_iconv(encoding: str) -> None:
    theirs, kind = NAMES[encoding]
    mine = [(code, char) for code, char, of in rows(encoding) if of == kind]
    raw = b"\n".join(code for code, _ in mine)
    said = subprocess.run(
        ["iconv", "-f", theirs, "-t", "UTF-8"], input=raw, capture_output=True, check=True, timeout=30
    )
    assert said.stdout.decode().split("\n") == [char for _, char in mine]


def test_cp1258_against_the_codec_of_python() -> None:
    for letter in ALL:
        raw = encode(letter, "cp1258")
        assert unicodedata.normalize("NFC", raw.decode("cp1258")) == letter == decode(raw, "cp1258")
        assert decode(encode(letter, "cp1258-split"), "cp1258") == letter


@pytest.mark.parametrize("encoding", ["vni", "viscii", "vps", "cp1258", "viqr"])
def test_all_letters_are_in_all_encodings_but_one(encoding: str) -> None:
    assert lost("".join(ALL), encoding) == {}
    assert decode(encode("".join(ALL), encoding), encoding) == "".join(ALL)


def test_what_tcvn3_cannot_carry_is_listed() -> None:
    missing = lost("ỦY BAN Ủy ban Đô", "tcvn3")
    assert missing == {"Ủ": 2}
    assert set(ALL) - set(lost("".join(ALL), "tcvn3")) == {*SMALL, *"ĂÂÊÔƠƯĐ"}
    with pytest.raises(UnicodeEncodeError):
        encode("Ủ", "tcvn3")


@pytest.mark.parametrize("encoding", sorted({*READABLE} - {"tcvn3-h", "utf-16-le", "utf-16-be"}))
@given(text=st.text(st.sampled_from(SIGNS), max_size=60))
def test_ascii_is_itself(encoding: str, text: str) -> None:
    if encoding != "viqr":
        assert decode(text.encode(), encoding) == text
    assert decode(encode(text, encoding), encoding) == text


@pytest.mark.parametrize("encoding", [*LEGACY, "viqr"])
@given(text=st.text(st.sampled_from([*ALL, *SIGNS]), max_size=60))
def test_what_can_be_written_reads_the_same(encoding: str, text: str) -> None:
    text = "".join(char for char in text if char not in lost(text, encoding))
    raw = encode(text, encoding)
    assert decode(raw, encoding) == text
    assert convert(raw, encoding).unmapped == ()


@pytest.mark.parametrize("encoding", READABLE)
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_read_and_what_means_nothing_is_told(encoding: str, raw: bytes) -> None:
    found = convert(raw, encoding)
    assert unicodedata.is_normalized("NFC", found.text)
    assert found.text == decode(raw, encoding)
    assert all(one.count > 0 and one.line >= 1 for one in found.unmapped)
    if encoding not in ("utf-16-le", "utf-16-be") and "\ufffd" in found.text and b"\xef\xbf\xbd" not in raw:
        assert found.unmapped


def test_punctuation_of_cp1252_stays_in_font_encodings() -> None:
    assert decode(b"\x93x\x94 \x96 \x85", "tcvn3") == "“x” – …"
    assert decode(b"\x93x\x94", "vni") == "“x”"
    assert decode(b"\xa0", "tcvn3") == "\u00a0"
    assert decode(b"\xa0", "viscii") == "Õ"


def test_soft_hyphen_is_a_letter_of_tcvn3() -> None:
    assert decode(b"l\xadu tr\xf7", "tcvn3") == "lưu trữ"


def test_capital_fonts() -> None:
    assert decode(bytes.fromhex("F1592042414E"), "tcvn3-h") == "ỦY BAN"
    assert capitals("mục lục, ß") == "MỤC LỤC, ß"


def test_viqr() -> None:
    assert decode(b"Vie^.t Nam, DDa^'t nu+o+'c; dda~", "viqr") == "Việt Nam, Đất nước; đã"
    assert decode(rb"Hoa\. a\\b", "viqr") == "Hoa. a\\b"


def test_the_module_stands_alone(tmp_path: Path) -> None:
    shutil.copytree(Path(pipeline.text.__file__).parent, tmp_path / "vietext")
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import vietext
print(vietext.detect(vietext.encode("Thủ tướng, nhà nước, lưu trữ", "tcvn3")).encoding)
assert "pipeline" not in sys.modules
"""
    said = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == "tcvn3"
