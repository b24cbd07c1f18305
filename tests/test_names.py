"""Names: portable, injective, safe to show, and hrefs that lead nowhere else."""

from __future__ import annotations

import hashlib
import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import names
from pipeline.records import PackagePath

SEGMENT = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.text(min_size=1, max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"a\n", b"a%0A", b"a\xff", b"a%FF", b"%", b"a", b"A"]),
).filter(lambda part: b"/" not in part and b"\0" not in part and part not in (b".", b".."))
PATH = st.lists(SEGMENT, min_size=1, max_size=4).map(lambda parts: PackagePath(b"/".join(parts)))


def p(text: str | bytes) -> PackagePath:
    return PackagePath(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize(
    "name", ["Quyết định.pdf", unicodedata.normalize("NFD", "Quyết định.pdf"), "100%.txt", "a b/ c ", "x.", "a\u202eb"]
)
def test_valid_utf8_stays(name: str) -> None:
    assert names.portable(p(name)) == name.encode()


@pytest.mark.parametrize(
    ("raw", "made"),
    [
        (b"a\nb", b"a%0Ab"),
        (b"v\xe3n b\xb6n.txt", b"v%E3n b%B6n.txt"),
        (b"ok/50%\x07/d\xc6\xb0", b"ok/50%25%07/d\xc6\xb0"),
        ("a\u0085b".encode(), b"a%C2%85b"),
        ("a\uffffb".encode(), b"a%EF%BF%BFb"),
        (b"\xed\xa0\x80", b"%ED%A0%80"),
    ],
)
def test_anything_else_is_percent_encoded(raw: bytes, made: bytes) -> None:
    assert names.portable(p(raw)) == made


def test_long_vietnamese_name_is_cut_at_a_character_and_keeps_its_extension() -> None:
    raw = ("Báo cáo tổng kết công tác văn thư lưu trữ " * 8)[:296].encode() + b".docx"
    made = names.portable(p(b"x/" + raw))
    last = made.split(b"/")[1]
    assert 240 < len(last) <= 255
    assert last.endswith(b"~" + hashlib.sha256(raw).hexdigest()[:8].encode() + b".docx")
    assert raw.decode().startswith(last.decode().partition("~")[0])


def test_cut_does_not_part_a_letter_from_its_marks() -> None:
    raw = unicodedata.normalize("NFD", "ệ" * 200).encode()
    stem = names.portable(p(raw)).decode().partition("~")[0]
    assert unicodedata.normalize("NFC", stem) == "ệ" * (len(stem) // 3)


@given(PATH)
def test_portable_is_idempotent_and_fits(path: PackagePath) -> None:
    made = names.portable(path)
    assert names.portable(made) == made
    assert all(0 < len(part) <= 255 for part in made.split(b"/"))
    assert not any(unicodedata.category(char) == "Cc" for char in made.decode())
    assert made.count(b"/") == path.count(b"/")


@given(st.sets(PATH, max_size=12), st.randoms(use_true_random=False))
def test_namer_tells_paths_apart_in_any_order(paths: set[PackagePath], order: random.Random) -> None:
    first = sorted(paths)
    second = list(paths)
    order.shuffle(second)
    one, two = names.Namer(lambda: first), names.Namer(lambda: second)
    made = {path: one(path) for path in paths}
    assert len(set(made.values())) == len(paths)
    assert made == {path: two(path) for path in paths}
    for path, target in made.items():
        assert names.portable(target) == target
        if names.portable(path) == path:
            assert target == path


def test_namer_gives_the_mark_to_the_changed_name_only() -> None:
    paths = [p(b"a\n"), p(b"a%0A/x"), p(b"b\n")]
    namer = names.Namer(lambda: paths)
    mark = hashlib.sha256(b"a\n").hexdigest()[:8].encode()
    assert [namer(path) for path in paths] == [b"a%0A~" + mark, b"a%0A/x", b"b%0A"]


def test_namer_climbs_when_the_marked_name_is_taken_too() -> None:
    digest = hashlib.sha256(b"a\n.t").hexdigest().encode()
    taken = [p(b"a%0A.t")] + [p(b"a%0A~" + digest[: 8 * n] + b".t") for n in range(1, 9)]
    paths = [p(b"a\n.t"), *taken]
    namer = names.Namer(lambda: paths)
    assert len({namer(path) for path in paths}) == len(paths)
    assert all(namer(path) == path for path in taken)


def test_folders_are_told_apart_too() -> None:
    paths = [p(b"d\x01/x"), p(b"d%01/x"), p(b"d%01/y")]
    namer = names.Namer(lambda: paths)
    assert namer(paths[0]).startswith(b"d%01~")
    assert namer(paths[2]) == b"d%01/y"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("hồ sơ.pdf".encode(), "hồ sơ.pdf"),
        (b"a\x1b[31mred", "a\\x1b[31mred"),
        ("a\u202egpj.exe".encode(), "a\\u202egpj.exe"),
        (b"a\xff", "a\\xff"),
        (b"a\nb\tc", "a\\x0ab\\x09c"),
        (b"a\\b", "a\\\\b"),
        ("a\u2028b".encode(), "a\\u2028b"),
    ],
)
def test_shown(raw: bytes, text: str) -> None:
    assert names.shown(raw) == text
    assert (names.raw(raw) is None) == (raw.decode("utf-8", "replace") == text)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_shown_never_raises_and_is_unambiguous(one: bytes, two: bytes) -> None:
    assert names.shown(one).isprintable()
    assert (names.shown(one) == names.shown(two)) == (one == two)


def test_raw_is_percent_encoded() -> None:
    assert names.raw(b"a\xffb c") == "a%FFb%20c"
    assert names.raw("Quyết định".encode()) is None


@given(PATH)
def test_href_round_trip(path: PackagePath) -> None:
    assert names.unhref(names.href(path)) == path
    assert names.href(path).isascii()


@pytest.mark.parametrize(
    "text",
    ["", "/etc/passwd", "../x", "a/../../x", "%2e%2e/x", "file:///x", "http://x/y", "C:/x", "a\\b", "a//b", "a%zz",
     "a%00", "//host/x", "%2Fetc", "a#b", "a?b", ".", "\ud800", "a/"],
)  # fmt: skip
def test_unhref_refuses(text: str) -> None:
    assert names.unhref(text) is None


def test_unhref_from_a_folder() -> None:
    assert names.unhref("../../schemas/a.xsd", b"representations/rep1") == b"schemas/a.xsd"
    assert names.unhref("../../../x", b"representations/rep1") is None
    assert names.unhref("./data/a%20b", b"representations/rep1") == b"representations/rep1/data/a b"


@pytest.mark.parametrize(
    ("raw", "good"),
    [
        (b"a/b", True),
        (b"", False),
        (b"/a", False),
        (b"a//b", False),
        (b"a/../b", False),
        (b"./a", False),
        (b"a\0", False),
    ],
)
def test_inside(raw: bytes, good: bool) -> None:
    assert names.inside(raw) is good
