"""VIQR (RFC 1456): Vietnamese in plain ASCII, marks typed behind the letter."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_HATS = {"(": "\u0306", "^": "\u0302", "+": "\u031b", "*": "\u031b"}
_TONES = {"`": "\u0300", "?": "\u0309", "~": "\u0303", "'": "\u0301", ".": "\u0323"}
_CARRY = {"(": "Aa", "^": "AaEeOo", "+": "OoUu", "*": "OoUu"}
_LETTER = re.compile(r"\\(.)|([DdĐđ])([Dd])|([AaEeIiOoUuYy])([(^+*])?([`?~'.])?", re.DOTALL)


def decode(text: str) -> str:
    """Letters with their marks, NFC. A backslash keeps the next character as it is and is left out itself.

    A full stop behind a vowel is the dot below, as the RFC says: VIQR cannot be told from English, so it is read on
    request alone.
    """
    return _LETTER.sub(_letter, text)


def encode(text: str) -> str:
    """VIQR of NFC text, with a backslash before whatever would be read as a mark.

    UnicodeEncodeError for a character that is neither ASCII nor a Vietnamese letter.
    """
    made: list[str] = []
    open_ = ""
    for place, char in enumerate(text):
        spelt = _letters().get(char, char)
        if not spelt.isascii():
            raise UnicodeEncodeError("viqr", text, place, place + 1, "not in this encoding")
        if char == "\\" or char in open_:
            made.append("\\")
        made.append(spelt)
        open_ = _may_follow(char, spelt)
    return "".join(made)


def _letter(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    if match[2] is not None:
        return "Đ" if match[2] == "D" else "đ"
    letter, hat, tone = match[4], match[5], match[6]
    left = ""
    if hat is not None and letter not in _CARRY[hat]:
        left, hat, tone = hat + (tone or ""), None, None
    whole = letter + (_HATS[hat] if hat else "") + (_TONES[tone] if tone else "")
    return unicodedata.normalize("NFC", whole) + left


def _may_follow(char: str, spelt: str) -> str:
    """What read behind this letter would be its mark."""
    if char in "Dd":
        return "Dd"
    if spelt[0] not in "AaEeIiOoUuYy" or spelt[-1] in _TONES:
        return ""
    if spelt[-1] in _HATS:
        return "".join(_TONES)
    return "".join(_TONES) + "".join(hat for hat, letters in _CARRY.items() if char in letters)


@cache
def _letters() -> dict[str, str]:
    """Spelling of each Vietnamese letter that is not ASCII."""
    found = {"Đ": "DD", "đ": "dd"}
    for letter in "AaEeIiOoUuYy":
        hats = ["", *(hat for hat in "(^+" if letter in _CARRY[hat])]
        for hat in hats:
            for tone in ("", *_TONES):
                whole = letter + (_HATS[hat] if hat else "") + (_TONES[tone] if tone else "")
                if hat or tone:
                    found[unicodedata.normalize("NFC", whole)] = letter + hat + tone
    return found
