"""The bytes behind text that a program took for CP1252 or Latin-1."""

from __future__ import annotations

import re
from functools import cache

from .encodings import byte_of, windows

_RESTORED = {"\u2212": "\u00ad", "\u2219": "\u00b7"}
"""What extraction from PDF makes of two letters of TCVN3, ư and ã."""

_EXTRACTED = re.compile(r"[\u2212\u2219]")


def shown(text: str) -> bytes | None:
    """The bytes that CP1252 or Latin-1 shows as this text; None when a character is in neither."""
    if text.isascii():
        return text.encode("ascii")
    if not shows(text):
        return None
    return bytes(byte for char in text if (byte := byte_of(char)) is not None)


def shows(text: str) -> bool:
    """Whether CP1252 or Latin-1 can show this text."""
    return _foreign().search(text) is None


@cache
def _foreign() -> re.Pattern[str]:
    return re.compile("[^\0-\xff" + "".join(char for char in windows() if char > "\xff") + "]")


def restored(text: str) -> str:
    """Text taken out of a PDF, with soft hyphen and middle dot where extraction wrote minus and bullet operator.

    Only beside a letter and never between digits: `1\u2212 2` stays, `tr\u2212` becomes `tr\u00ad` (trư).
    """

    def mended(match: re.Match[str]) -> str:
        before = text[max(match.start() - 1, 0) : match.start()]
        after = text[match.end() : match.end() + 1]
        if before.isdigit() or after.isdigit() or not (before.isalpha() or after.isalpha()):
            return match[0]
        return _RESTORED[match[0]]

    return _EXTRACTED.sub(mended, text)
