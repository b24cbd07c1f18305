"""Text in any encoding: the reference's characters, or the original alone with the reason."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.content.normalisation import Kept, NotConverted, plan_for, wants_head
from pipeline.content.normalisation.fit import not_fit
from pipeline.content.reading import Learnt, read_all
from pipeline.findings import codes
from pipeline.records import Format, PackagePath
from pipeline.text import encode
from pipeline.tree import Entry, FolderTree
from tests.content.normalisation.trial import DATA, bad, converted, good, known, made, rule_named, twice

TEXT = DATA / "text"
REFERENCE = (TEXT / "utf8.txt").read_bytes()
SENTENCE = "Kính gửi: ủy ban nhân dân tỉnh Quảng Trị; căn cứ Luật Lưu trữ số 33/2024/QH15 ngày 21 tháng 6 năm 2024.\r\n"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("text") / "scratch"


@pytest.fixture(autouse=True)
def _empty(scratch: Path) -> None:
    scratch.mkdir(exist_ok=True)
    for left in scratch.iterdir():
        left.unlink()


def format_of(puid: str | None) -> Format:
    return Format(puid, "", "", "text/plain", "text", "", "", "siegfried", "1", "V1")


def write(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"\xff\xfeX\0", "text-utf16"),
        (b"\xfe\xff\0X", "text-utf16"),
        (b"\xff\xfe\0\0", "text-unicode"),
        (b"X\0Y\0", "text-unicode"),
        (b"\xef\xbb\xbfX", "text-unicode"),
        (b"", "text-unicode"),
    ],
)
def test_a_byte_order_mark_of_utf16_chooses_the_rule(head: bytes, wanted: str) -> None:
    rule = plan_for(format_of("x-fmt/111"), head)
    assert rule is not None
    assert rule.name == wanted
    assert wants_head(format_of("x-fmt/111"))
    assert not wants_head(format_of("x-fmt/18"))
    assert plan_for(format_of(None), head) is None
    assert plan_for(None, head) is None


@pytest.mark.parametrize("name", ["tcvn3", "vni", "cp1258", "utf16le", "utf8_nfd"])
def test_each_encoding_gives_the_characters_of_the_reference_twice(scratch: Path, name: str) -> None:
    (result,) = twice(TEXT / f"{name}.txt", scratch).derivatives
    made_ = result.path.read_bytes()
    assert (result.format.puid, result.programs, result.sandbox, result.extension) == ("x-fmt/111", (), "", "utf8.txt")
    assert any(note.startswith("charset=") for note in result.notes)
    if name == "tcvn3":  # has no capitals with a tone outside its capital fonts
        assert made_.decode().lower() == REFERENCE.decode().lower()
    else:
        assert made_ == REFERENCE


def test_capitals_that_tcvn3_cannot_write_are_told(scratch: Path) -> None:
    outcome = converted(made(TEXT / "tcvn3.txt", scratch))
    (finding,) = outcome.findings
    assert (finding.code, finding.expected) == ("FMT-TEXT-CAPITALS", "19")
    assert "TàI → TÀI" in str(finding.found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (REFERENCE, "UTF-8, NFC"),
        (b"\xef\xbb\xbf" + REFERENCE, "UTF-8, NFC"),
        (b"plain\r\n", "ASCII"),
        (b"", "ASCII"),
        ("Größe, déjà vu\n".encode(), "UTF-8, NFC"),
    ],
    ids=["utf-8", "mark", "ascii", "empty", "latin"],
)
def test_what_is_unicode_already_needs_no_copy(scratch: Path, tmp_path: Path, content: bytes, reason: str) -> None:
    outcome = made(write(tmp_path, content), scratch, rule_named("text-unicode"))
    assert isinstance(outcome, Kept)
    assert outcome.reason == reason


def test_many_files_are_looked_at_at_once(scratch: Path, tmp_path: Path) -> None:
    """What is certainly fit is passed over; UTF-8 of Western characters could be a mistaken CP1252, so it is not."""
    contents = {
        "a.txt": REFERENCE, "b.txt": b"plain", "c.txt": (TEXT / "tcvn3.txt").read_bytes(), "d.txt": "déjà\n".encode(),
        "e.txt": unicodedata.normalize("NFD", SENTENCE).encode(), "f.txt": REFERENCE[:-2] + b"\xe1", "g.txt": b"",
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    rule = rule_named("text-unicode")
    ruled = [(Entry(PackagePath(name.encode()), len(content)), rule) for name, content in contents.items()]
    left = not_fit(FolderTree(tmp_path), ruled, workers=1, scratch=scratch)
    assert [entry.path for entry, _ in left] == [b"c.txt", b"d.txt", b"e.txt", b"f.txt"]


def test_text_taken_for_windows_text_is_undone(scratch: Path, tmp_path: Path) -> None:
    wrong = SENTENCE.encode().decode("latin-1").encode() * 4
    result = good(made(write(tmp_path, wrong), scratch))
    assert result.path.read_bytes().decode() == SENTENCE * 4
    assert "wrongly shown as CP1252=1" in result.notes


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xe7\xa9\n", "foreign"),
        ("Les élèves français étaient très fâchés après le congrès\n".encode("cp1252") * 9, "foreign"),
        (encode(SENTENCE, "tcvn3") * 9 + encode(SENTENCE, "vni") * 9, "ambiguous: tcvn3 "),
        (SENTENCE.encode() * 3 + b"\xff\xe1\n" + SENTENCE.encode(), "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_told_for_certain_stays_alone(scratch: Path, tmp_path: Path, content: bytes, why: str) -> None:
    result = bad(made(write(tmp_path, content), scratch, rule_named("text-unicode")), "FMT-TEXT-ENCODING")
    assert str(result.finding.found).startswith(why)


def test_a_byte_without_a_meaning_is_named_with_its_line(scratch: Path, tmp_path: Path) -> None:
    content = encode(SENTENCE, "tcvn3") * 9 + b"b\xc0ng\r\n"
    outcome = made(write(tmp_path, content), scratch, rule_named("text-unicode"))
    result = bad(outcome, "FMT-TEXT-BYTES")
    assert result.finding.found == "C0 × 1; line 10"
    assert result.finding.expected == "tcvn3"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "tcvn3"])
def test_long_text_is_streamed_whole(scratch: Path, tmp_path: Path, encoding: str) -> None:
    """Characters of one to four bytes, so that some lie across every border of a chunk."""
    if encoding == "tcvn3":
        text = SENTENCE * 12_000
        content = encode(text, encoding)
    else:
        text = "Việt 𠀋 a\r\n" * 400_000
        content = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding] + text.encode(encoding)
    result = good(made(write(tmp_path, content), scratch))
    assert result.path.read_bytes().decode() == text


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfea\0b", b"\xff\xfea\0\x00\xd8b\0", b"\xff\xfea\0\x00\xdc", b"\xfe\xff\0a\xd8\x00"],
    ids=["half a unit", "lone high", "lone low", "cut pair"],
)
def test_broken_utf16_stays_alone(scratch: Path, tmp_path: Path, content: bytes) -> None:
    rule = plan_for(format_of("x-fmt/111"), content)
    bad(made(write(tmp_path, content), scratch, rule), "FMT-CONVERT-DAMAGED")


def test_what_is_not_as_promised_is_not_kept(scratch: Path, tmp_path: Path) -> None:
    """UTF-16 text whose UTF-8 is no plain text for the engine: a PDF header."""
    content = b"\xff\xfe" + "%PDF-1.4\n%%EOF\n".encode("utf-16-le")
    rule = plan_for(format_of("x-fmt/111"), content)
    result = bad(made(write(tmp_path, content), scratch, rule), "FMT-CONVERT-PUID")
    assert (result.finding.expected, result.finding.found) == ("x-fmt/111", "fmt/18")


def test_8_bit_text_is_told_before_its_encoding_is(scratch: Path) -> None:
    tree = FolderTree(TEXT)
    told = {}
    for one in read_all(tree, tree.entries(), (), identify=True, workers=1, scratch=scratch):
        assert isinstance(one, Learnt)
        told[os.fsdecode(one.path)] = [finding.code for finding in one.findings]
    assert {name for name, found in told.items() if found == ["FMT-TEXT-8BIT"]} == {
        "tcvn3.txt",
        "vni.txt",
        "cp1258.txt",
    }
    assert codes()["FMT-TEXT-8BIT"].level == "info"
    assert known(TEXT / "viscii.txt", scratch).format.puid is None  # type: ignore[union-attr]


SPOKEN = "Ủy ban nhân dân tỉnh quyết định về việc lưu trữ hồ sơ điện tử a 12, đã ký. được ở"
WORDS = st.sampled_from(SPOKEN.split())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=60), st.sampled_from(["vni", "viscii", "cp1258", "tcvn3", "nfd", "utf-8"]))
def test_a_copy_says_what_the_text_says_or_there_is_none(
    scratch: Path, tmp_path: Path, words: list[str], encoding: str
) -> None:
    text = " ".join(words)
    if encoding == "tcvn3":
        text = text.replace("Ủ", "ủ")
    outcome = made(write(tmp_path, encode(text, encoding)), scratch, rule_named("text-unicode"))
    if isinstance(outcome, Kept):
        assert encode(text, encoding) == text.encode()
    elif not isinstance(outcome, NotConverted):
        (result,) = outcome.derivatives
        assert result.path.read_bytes().decode() == text
        result.path.unlink()
