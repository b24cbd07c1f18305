"""The encodings as functions between bytes and text, from the tables of `data/`."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import viqr

DATA = Path(__file__).parent / "data"

LEGACY = ("tcvn3", "vni", "viscii", "cp1258", "vps")
"""What detection compares; of these `vps` is never its answer by itself."""

READABLE = (*LEGACY, "tcvn3-h", "tcvn5712", "viqr", "utf-8", "utf-16-le", "utf-16-be")
"""What `decode` takes. `tcvn3-h`: TCVN3 of a capital font (`.Vn…H`). `tcvn5712`: real data of TCVN 5712-1, no font."""

WRITABLE = (*LEGACY, "cp1258-split", "tcvn5712", "viqr", "utf-8", "nfd")
"""What `encode` takes. `cp1258-split` writes every tone as a mark of its own, as some programs do."""

GUARD = "\ufffd"
"""In `strictly`: a byte that means nothing in this encoding."""

_UNICODE = ("utf-8", "utf-16-le", "utf-16-be")
_GUARDED = re.compile(GUARD)
_ESCAPED = re.compile("[\udc80-\udcff]")
_TONES = "\u0300\u0309\u0303\u0301\u0323"
_FIRST_MARK = 0xE000
_PAIR = re.compile("([AEIOUYaeiouyƠơƯư])([\ue000-\ue0ff])")
_LONE = re.compile("[\ue000-\ue0ff]")


@dataclass(frozen=True, slots=True)
class Stray:
    """How often a byte that means nothing stands in a text, where first, and as which character."""

    count: int
    place: int
    char: str


@dataclass(frozen=True, slots=True)
class _Table:
    """One character a byte. `strict` has GUARD where a byte from C0 on, or of C1 in a charset, means nothing."""

    loose: str
    strict: str
    back: dict[str, int]


def decode(raw: bytes, encoding: str) -> str:
    """The text, NFC, without a byte order mark. Never raises for bytes: see `decoded` for what has no meaning.

    ValueError for an encoding that is not READABLE.
    """
    text = decoded(raw, encoding)[0]
    return _nfc(text.removeprefix("\ufeff") if encoding in _UNICODE else text)


def decoded(raw: bytes, encoding: str) -> tuple[str, dict[str, Stray]]:
    """The text before it is put into NFC, and by byte (hexadecimal) what means nothing in this encoding.

    Such bytes become the character of CP1252 or Latin-1, in Unicode encodings U+FFFD.
    """
    if encoding == "tcvn3-h":
        text, bad = decoded(raw, "tcvn3")
        return capitals(text), bad
    if encoding == "utf-8":
        return _from_utf8(raw)
    if encoding in _UNICODE:
        return raw.decode(encoding, "replace"), {}
    if encoding == "viqr":
        return viqr.decode(_one_each(raw, windows())), {}
    if encoding not in READABLE:
        raise ValueError(encoding)
    text = _vni(raw, GUARD) if encoding == "vni" else _one_each(raw, _table(encoding).strict)
    if GUARD not in text:
        return text, {}
    places = (match.start() for match in _GUARDED.finditer(text))
    kept = _vni(raw, None) if encoding == "vni" else _one_each(raw, _table(encoding).loose)
    back = _windows_back()
    return kept, tally((place, back[kept[place]], kept[place]) for place in places)


def tally(met: Iterable[tuple[int, int, str]]) -> dict[str, Stray]:
    """By byte, from (place, byte or code unit, character that stands for it)."""
    found: dict[str, Stray] = {}
    for place, byte, char in met:
        name = f"{byte:02X}"
        before = found.get(name)
        found[name] = Stray(before.count + 1, before.place, char) if before else Stray(1, place, char)
    return found


def _from_utf8(raw: bytes) -> tuple[str, dict[str, Stray]]:
    try:
        return raw.decode(), {}
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
    bad = tally((match.start(), ord(match[0]) - 0xDC00, GUARD) for match in _ESCAPED.finditer(text))
    return _ESCAPED.sub(GUARD, text), bad


def strictly(raw: bytes, encoding: str) -> str:
    """As `decode` of a legacy encoding, with GUARD for what it does not know: for judging, not for keeping."""
    if encoding == "vni":
        return _nfc(_vni(raw, GUARD))
    return _nfc(_one_each(raw, _table(encoding).strict))


def encode(text: str, encoding: str) -> bytes:
    """The bytes that `decode` turns into the NFC of `text` again.

    UnicodeEncodeError where the encoding cannot carry a character (`lost` lists them all); ValueError when it is not
    WRITABLE.
    """
    text = _nfc(text)
    if encoding not in WRITABLE:
        raise ValueError(encoding)
    if encoding == "utf-8":
        return text.encode()
    if encoding == "nfd":
        return unicodedata.normalize("NFD", text).encode()
    if encoding == "viqr":
        return viqr.encode(text).encode("ascii")
    pieces = _pieces(encoding)
    made = bytearray()
    for place, char in enumerate(text):
        piece = pieces(char)
        if piece is None:
            raise UnicodeEncodeError(encoding, text, place, place + 1, "not in this encoding")
        made += piece
    return bytes(made)


def lost(text: str, encoding: str) -> dict[str, int]:
    """Characters of the NFC of `text` that an encoding cannot carry, and how often each stands there."""
    found: dict[str, int] = {}
    for char in _nfc(text):
        try:
            encode(char, encoding)
        except UnicodeEncodeError:
            found[char] = found.get(char, 0) + 1
    return found


def capitals(text: str) -> str:
    """Capital letters, for text of a `.Vn…H` font after decoding; what would become two letters stays."""
    upper = text.upper()
    return upper if len(upper) == len(text) else "".join(u if len(u := char.upper()) == 1 else char for char in text)


def rows(name: str) -> Iterator[tuple[bytes, str, str]]:
    """(bytes, character, set) of a table of `data/`."""
    for line in (DATA / f"{name}.tsv").read_text("utf-8").splitlines()[2:]:
        codes, points, _, kind, _ = line.split("\t")
        yield bytes.fromhex(codes), "".join(chr(int(point[2:], 16)) for point in points.split()), kind


def byte_of(char: str) -> int | None:
    """The byte that was shown as this character by CP1252 or Latin-1, which keeps the five codes CP1252 lacks."""
    return _windows_back().get(char)


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _one_each(raw: bytes, table: str) -> str:
    return codecs.charmap_decode(raw, "strict", table)[0]


@cache
def windows() -> str:
    """CP1252, with the control codes of Latin-1 in its five gaps."""
    return "".join(bytes([n]).decode("cp1252", "ignore") or chr(n) for n in range(256))


@cache
def _windows_back() -> dict[str, int]:
    back = {chr(n): n for n in range(0x80, 0xA0)}
    return back | {char: n for n, char in enumerate(windows())}


@cache
def _table(encoding: str) -> _Table:
    loose = list(windows())
    strict = [GUARD if n >= 0xC0 else char for n, char in enumerate(loose)]
    letters: dict[str, int] = {}
    if encoding == "cp1258":
        for n in range(0x80, 0x100):
            char = bytes([n]).decode("cp1258", "ignore")
            strict[n] = char or GUARD
            loose[n] = char or loose[n]
            if char:
                letters[char] = n
    else:
        name, kinds = {"tcvn5712": ("tcvn3", ("VN3", "VN1"))}.get(encoding, (encoding, (encoding.upper(), "VN3")))
        if encoding in ("viscii", "vps"):
            strict[0x80:] = GUARD * 128
        for code, char, kind in rows(name):
            if kind in kinds:
                loose[code[0]] = strict[code[0]] = char
                letters[char] = code[0]
    back = {char: n for n, char in reversed(list(enumerate(strict))) if char != GUARD} | letters
    return _Table("".join(loose), "".join(strict), back)


@cache
def _vni_tables() -> tuple[str, dict[str, str], dict[str, bytes]]:
    """(character of each byte, with marks in the private area; letter of each pair; bytes of each letter)."""
    single = list(windows())
    found = list(rows("vni"))
    for code, char, _ in found:
        if len(code) == 1:
            single[code[0]] = char
        else:
            single[code[1]] = chr(_FIRST_MARK + code[1])
    pairs = {single[code[0]] + single[code[1]]: char for code, char, _ in found if len(code) == 2}
    return "".join(single), pairs, {char: code for code, char, kind in found if kind == "VNI"}


def _vni(raw: bytes, lone: str | None) -> str:
    """Longest match first. A mark without its letter becomes `lone`, else the character of Latin-1."""
    single, pairs, _ = _vni_tables()

    def letter(match: re.Match[str]) -> str:
        return pairs.get(match[0]) or match[1] + left(match[2])

    def left(mark: str) -> str:
        return lone or chr(ord(mark) - _FIRST_MARK)

    text = _PAIR.sub(letter, _one_each(raw, single))
    return _LONE.sub(lambda match: left(match[0]), text)


@cache
def _pieces(encoding: str) -> Callable[[str], bytes | None]:
    """The bytes of one character of NFC text, or None."""
    if encoding == "vni":
        single, _, letters = _vni_tables()
        symbols = {char: bytes([n]) for n, char in enumerate(single) if n < 0xC0}
        return lambda char: letters.get(char) or symbols.get(char)
    table = _table(encoding.removesuffix("-split"))
    split = encoding.endswith("-split")

    def piece(char: str) -> bytes | None:
        whole = table.back.get(char)
        parts = unicodedata.normalize("NFD", char) if whole is None or split else ""
        tone = next((mark for mark in parts[1:] if mark in _TONES), None)
        if tone is not None and tone in table.back and parts[0] in "AEIOUYaeiouy":
            base = table.back.get(_nfc(parts.replace(tone, "")))
            return None if base is None else bytes([base, table.back[tone]])
        return None if whole is None else bytes([whole])

    return piece
