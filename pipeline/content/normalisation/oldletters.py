"""Text of fonts of old Vietnamese encodings, as office files hold it, into Unicode: which encoding, which letters.

Such a file holds bytes of TCVN3, VNI or VPS as the characters that CP1252 shows for them, or, of a font that was taken
for one of symbols, in the private use area from U+F020 on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from pipeline.text import capitals, decode, detect, font_encoding, share, shown
from pipeline.text.detection import ENOUGH
from pipeline.text.encodings import byte_of

CLEARLY: Final = 0.3
"""Least lead of a reading's share of syllables over Unicode's where no font speaks for it."""

NAMES: Final = {"tcvn3": "TCVN3", "vni": "VNI", "vps": "VPS"}
_SANS: Final = re.compile(r"arial|avant|helve|aptima|univer|swiss|gothic|tahoma|verdana|sans|franko|helvetica", re.I)
_MONO: Final = re.compile(r"courier|typewriter|mono", re.I)
_FAMILY: Final = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|([^,;]*))""")
_SYMBOLS: Final = 0xF000
_HYPHEN: Final = "\u00ad"
_WORDLY: Final = re.compile("[A-Za-z][^\0-\x7f“”‘’…–—]|[^\0-\x7f“”‘’…–—][A-Za-z]")
"""A letter beside a character that is neither ASCII nor a usual mark of punctuation."""

_SHORT: Final = 200
"""Verdicts about texts of so many characters are remembered: cells repeat themselves."""

_MARKED: Final = 3
"""So many different words with a mark speak against the name of a font."""


@dataclass(frozen=True, slots=True)
class Face:
    """A Unicode font in place of an old one: family, generic family and pitch as OpenDocument names them."""

    family: str
    generic: str
    pitch: str


_SERIF = Face("Liberation Serif", "roman", "variable")
_SANS_FACE = Face("Liberation Sans", "swiss", "variable")
_MONO_FACE = Face("Liberation Mono", "modern", "fixed")


def first_family(value: str) -> str:
    """The first font of a list as `svg:font-family` has it, without quotes."""
    match = _FAMILY.match(value)
    return next((one for one in match.groups() if one), "").strip() if match else ""


@lru_cache(maxsize=4096)
def encoding_of(font: str | None) -> str | None:
    """`tcvn3`, `tcvn3-h`, `vni`, `vps`, or None."""
    return font_encoding(font) if font else None


def plain(encoding: str) -> str:
    """The encoding without what only tells capitals."""
    return encoding.removesuffix("-h")


def face_for(font: str) -> Face:
    """A font of the same class; fonts whose name does not tell it are taken for serif, as most of them are."""
    if _MONO.search(font):
        return _MONO_FACE
    return _SANS_FACE if _SANS.search(font) else _SERIF


@dataclass(frozen=True, slots=True)
class Reading:
    """How text is to be read: the encoding (None: it is Unicode already), whether it was shown by CP1258 instead of
    CP1252, and whether the name of its font says otherwise.
    """

    encoding: str | None
    other_page: bool = False
    against: bool = False


def read_by(text: str, encoding: str) -> Reading:
    """Text of a font of `encoding` (without `-h`): as the name says, unless the words clearly say otherwise."""
    if text.isascii():
        return Reading(encoding)
    return _read_short(text, encoding) if len(text) <= _SHORT else _read(text, encoding)


@lru_cache(maxsize=1 << 14)
def _read_short(text: str, encoding: str) -> Reading:
    return _read(text, encoding)


def _read(text: str, encoding: str) -> Reading:
    named = "".join(unicode_of([text], encoding))
    score, as_it_is = share(named, mixed=True), share(_nfc(text))
    if not _all_shown(text):
        if (other := _page_1258(text)) is not None:
            again = share(decode(other, encoding), mixed=True)
            if again >= ENOUGH and again > max(score, as_it_is):
                return Reading(encoding, other_page=True)
        if as_it_is >= max(ENOUGH, score):
            return Reading(None)  # letters that only Unicode has
    if score >= ENOUGH:
        return Reading(encoding)
    if as_it_is >= ENOUGH and as_it_is - score >= CLEARLY and _different(text) >= _MARKED:
        return Reading(None, against=True)
    raw = _bytes(text)
    if raw is not None:
        found = detect(raw)
        if found.encoding in NAMES and found.encoding != encoding and found.method == "syllables":
            return Reading(found.encoding, against=True)
    return Reading(encoding)


def guessed(text: str, neighbours: str) -> tuple[str | None, bool]:
    """(encoding, whether a person has to look) of text that has no font, beside text in the encoding `neighbours`.

    An encoding only where its words are clearly better than those of the text as it is.
    """
    return _guessed_short(text, neighbours) if len(text) <= _SHORT else _guessed(text, neighbours)


@lru_cache(maxsize=4096)
def _guessed_short(text: str, neighbours: str) -> tuple[str | None, bool]:
    return _guessed(text, neighbours)


def _guessed(text: str, neighbours: str) -> tuple[str | None, bool]:
    if text.isascii() or not _all_shown(text):
        return None, False
    raw = _bytes(text)
    if raw is None:
        return None, False
    found = detect(raw, neighbours=neighbours)
    as_it_is = share(_nfc(text))
    if found.encoding in ("tcvn3", "vni") and found.score - as_it_is >= CLEARLY:
        return found.encoding, False
    best = max((score for name, score in found.candidates if name in ("tcvn3", "vni")), default=0.0)
    return None, best >= ENOUGH > as_it_is


def looks_old(text: str) -> bool:
    """Whether text could be of an old encoding: CP1252 shows all of it, and as it is it is no Vietnamese."""
    return _WORDLY.search(text) is not None and _all_shown(text) and share(_nfc(text)) < ENOUGH


def unicode_of(
    pieces: Sequence[str], encoding: str, capital: Sequence[bool] = (), other_page: bool = False
) -> list[str]:
    """Pieces of text that follow one another as Unicode in NFC; a letter whose mark stands in the next piece is whole
    in its own. `capital` tells of each piece whether its font shows capitals. Characters that are no byte of the
    encoding stay.
    """
    table = _page_table() if other_page else _table()
    if encoding == "vni":
        made = _of_vni(pieces, table)
    else:
        single = _single(encoding, other_page)
        made = [piece.translate(single) for piece in pieces]
        for at, piece in enumerate(pieces):
            if encoding == "tcvn3" and _HYPHEN in piece:
                made[at] = "".join(
                    _HYPHEN if one == _HYPHEN and _digits_around(piece, place) else made[at][place]
                    for place, one in enumerate(piece)
                )
    made = [_nfc(one) for one in made]
    return [capitals(one) if place < len(capital) and capital[place] else one for place, one in enumerate(made)]


def _digits_around(text: str, place: int) -> bool:
    return text[max(place - 1, 0) : place].isdigit() and text[place + 1 : place + 2].isdigit()


def strays(text: str) -> int:
    """How many marks of VNI stand without their letter in text that was decoded."""
    return sum(one in _marks() for one in text)


def _of_vni(pieces: Sequence[str], table: dict[int, int]) -> list[str]:
    pairs, single = _pairs()
    made: list[list[str]] = [[] for _ in pieces]
    waiting: tuple[int, int] | None = None  # (piece, byte) of a letter that may get a mark

    def settle() -> None:
        if waiting is not None:
            made[waiting[0]].append(single[waiting[1]])

    for at, piece in enumerate(pieces):
        for char in piece:
            byte = table.get(ord(char))
            if byte is None:
                settle()
                waiting = None
                made[at].append(char)
                continue
            if waiting is not None and (letter := pairs.get((waiting[1], byte))):
                made[waiting[0]].append(letter)
                waiting = None
                continue
            settle()
            waiting = (at, byte)
    settle()
    return ["".join(one) for one in made]


@cache
def _pairs() -> tuple[dict[tuple[int, int], str], list[str]]:
    """(letters of two bytes of VNI, characters of one)."""
    single = [decode(bytes([byte]), "vni") for byte in range(256)]
    pairs = {}
    for one in range(0x41, 0x100):
        for two in range(0xC0, 0x100):
            text = decode(bytes([one, two]), "vni")
            if len(text) == 1:
                pairs[one, two] = text
    return pairs, single


@cache
def _marks() -> frozenset[str]:
    """Characters that stand for a mark alone: no letter of Vietnamese is shown so."""
    pairs, single = _pairs()
    letters = {*pairs.values(), *(decode(bytes([byte]), "vni") for byte in range(0xC0, 0x100) if _is_letter(byte))}
    return frozenset({single[two] for _, two in pairs} - letters)


def _is_letter(byte: int) -> bool:
    return byte in (*range(0xC6, 0xC7), 0xCC, 0xCD, 0xCE, 0xD1, 0xD2, 0xD3, 0xD4, 0xD6, 0xE6, 0xEC, 0xED, 0xEE, 0xF1,
                    0xF2, 0xF3, 0xF4, 0xF6)  # fmt: skip


@cache
def _table() -> dict[int, int]:
    """Byte by code point: CP1252, Latin-1, and the private area of fonts of symbols."""
    found = {code: byte for code in range(0x3000) if (byte := byte_of(chr(code))) is not None}
    return found | {_SYMBOLS + byte: byte for byte in range(0x20, 0x100)}


@cache
def _page_table() -> dict[int, int]:
    """As `_table`, of files that call the font Vietnamese, so that CP1258 shows its bytes."""
    back = {ord(char): byte for byte in range(0x80, 0x100) if (char := bytes([byte]).decode("cp1258", "ignore"))}
    return _table() | back


@cache
def _single(encoding: str, other_page: bool) -> dict[int, str]:
    table = _page_table() if other_page else _table()
    return {code: decode(bytes([byte]), encoding) or chr(code) for code, byte in table.items()}


def _bytes(text: str) -> bytes | None:
    return shown("".join(chr(ord(one) - _SYMBOLS) if 0xF020 <= ord(one) <= 0xF0FF else one for one in text))


def _all_shown(text: str) -> bool:
    table = _table()
    return all(ord(one) in table for one in text)


def _page_1258(text: str) -> bytes | None:
    table = _page_table()
    try:
        return bytes(table[ord(one)] for one in text)
    except KeyError:
        return None


def _different(text: str) -> int:
    return len({word for word in text.split() if not word.isascii()})


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)
