"""Conversion whole, in pieces, as a stream, and what it tells of what it could not map."""

from __future__ import annotations

import io
import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import READABLE, Decoder, Detection, Unmapped, convert, detect, encode, shown, transcoded
from tests.text.samples import WRITTEN, as_written, udhr, written


def in_pieces(raw: bytes, encoding: str | Detection, cuts: list[int]) -> tuple[str, Decoder]:
    decoder = Decoder(encoding)
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    text = "".join(decoder.decode(raw[first:second]) for first, second in zip(places, places[1:], strict=False))
    return text + decoder.decode(b"", final=True), decoder


@pytest.mark.parametrize("encoding", READABLE)
@given(raw=st.binary(max_size=120), cuts=st.lists(st.integers(0, 200), max_size=8))
def test_pieces_make_the_whole(encoding: str, raw: bytes, cuts: list[int]) -> None:
    whole = convert(raw, encoding)
    text, decoder = in_pieces(raw, encoding, cuts)
    assert text == whole.text
    assert decoder.unmapped == whole.unmapped


@pytest.mark.parametrize("encoding", [*WRITTEN, "vps", "viqr"])
@given(start=st.integers(0, 9000), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_text_in_pieces(encoding: str, start: int, cuts: list[int]) -> None:
    text = udhr("vi")[start : start + 300]
    read = {"nfd": "utf-8", "cp1258-split": "cp1258"}.get(encoding, encoding)
    made, decoder = in_pieces(written(text, encoding), read, cuts)
    assert made == as_written(text, encoding)
    if not cuts:
        assert decoder.proposals == convert(written(text, encoding), read).proposals


@pytest.mark.parametrize("encoding", ["vni", "viscii", "nfd"])
def test_a_stream_is_flat_in_memory(encoding: str) -> None:
    class Endless(io.RawIOBase):
        """The Declaration again and again, 1.5 MB of it."""

        def __init__(self) -> None:
            self.piece = written(udhr("vi"), encoding)
            self.left = 1_500_000 // len(self.piece)

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return self.piece if self.left >= 0 else b""

    source = Endless()
    times, expected = source.left, as_written(udhr("vi"), encoding).encode()
    size = 0
    tracemalloc.start()
    with transcoded(source, {"nfd": "utf-8"}.get(encoding, encoding)) as out:  # type: ignore[arg-type]
        while data := out.read(1 << 16):
            size += len(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == times * len(expected)
    assert peak < 2_500_000


def test_text_without_one_ascii_character_does_not_wait_for_ever() -> None:
    for encoding in ("vni", "utf-8"):
        decoder = Decoder(encoding)
        raw = ("ề" if encoding == "utf-8" else "").encode() * 400_000 or b"\xea" * 1_200_000
        text = "".join(decoder.decode(raw[start : start + 65_536]) for start in range(0, len(raw), 65_536))
        text += decoder.decode(b"", final=True)
        assert len(text) == len(raw) // (3 if encoding == "utf-8" else 1)


def test_bytes_without_a_meaning_are_kept_and_told() -> None:
    found = convert(b"a\n\xd9\xd9 b \xff\n", "tcvn3")
    assert found.text == "a\nÙÙ b ÿ\n"
    assert found.unmapped == (Unmapped("D9", "Ù", 2, 2), Unmapped("FF", "ÿ", 1, 2))
    assert convert("é".encode() + b"\xff", "utf-8").unmapped == (Unmapped("FF", "\ufffd", 1, 1),)
    assert convert(b"\x00\xd8a\x00", "utf-16-le").unmapped == (Unmapped("D800", "\ufffd", 1, 1),)


def test_a_mark_without_its_letter_is_told() -> None:
    assert convert(b"x\xf8", "vni").unmapped == (Unmapped("F8", "ø", 1, 1),)


def test_capitals_are_proposed_and_the_text_stays() -> None:
    found = convert(encode("MụC LụC, Sở Nội vụ, ủY BAN", "tcvn3"), "tcvn3")
    assert found.text == "MụC LụC, Sở Nội vụ, ủY BAN"
    assert found.proposals == (("MụC", "MỤC"), ("LụC", "LỤC"), ("ủY", "ỦY"))
    many = " ".join(f"M{chr(0x41 + n % 26)}ụ{chr(0x41 + n // 26)}" for n in range(200))
    assert len(convert(encode(many, "tcvn3"), "tcvn3").proposals) == 50


def test_changed_means_other_bytes() -> None:
    text = "Hồ sơ"
    assert not convert(text.encode(), "utf-8").changed
    assert convert(b"\xef\xbb\xbf" + text.encode(), "utf-8").changed
    assert convert(unicodedata.normalize("NFD", text).encode(), "utf-8").changed
    assert not convert(b"plain", "tcvn3").changed


def test_damage_is_undone_in_pieces_too() -> None:
    text = udhr("vi")
    damaged = text.encode().decode("latin-1").encode()
    found = detect(damaged)
    assert in_pieces(damaged, found, list(range(0, 9000, 37)))[0] == text
    with pytest.raises(UnicodeEncodeError):
        Decoder(found).decode("ư".encode(), final=True)


def test_what_nobody_told_is_not_converted() -> None:
    for encoding in ("latin-1", "", Detection(None, 0.0, 0.0, "ambiguous")):
        with pytest.raises(ValueError, match="not an encoding"):
            convert(b"", encoding)


@given(st.text(max_size=40))
def test_shown_is_undone_by_cp1252_and_latin1(text: str) -> None:
    raw = shown(text)
    if raw is not None:
        assert len(raw) == len(text)
