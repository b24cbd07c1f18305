"""Which words are Vietnamese syllables: in use, possible by the spelling, or neither."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from .encodings import DATA

FREQUENT, POSSIBLE, NONE = 2, 1, 0

LONGEST = 7
"""Letters of the longest syllable (`nghiêng`)."""

_TONES = "\u0300\u0309\u0303\u0301\u0323"
_MARKED = frozenset("ăâêôơư")
_ROUND = ("oa", "oe", "uy")
"""Rimes whose tone stands on either vowel: `hòa`, `hoà`."""


@lru_cache(maxsize=1 << 15)
def rank(word: str) -> int:
    """FREQUENT: in the list learnt from text. POSSIBLE: onset, rime, tone and its place obey the spelling. Else NONE.

    `word` is NFC in small letters.
    """
    if len(word) > LONGEST:
        return NONE
    if word in _frequent():
        return FREQUENT
    return POSSIBLE if possible(word) else NONE


@cache
def _frequent() -> frozenset[str]:
    lines = (DATA / "syllables.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _shapes() -> dict[str, frozenset[str]]:
    """Rimes of every onset; the empty onset is one."""

    def table(name: str) -> dict[str, list[str]]:
        lines = (DATA / f"{name}.tsv").read_text("utf-8").splitlines()[2:]
        return {key.strip("-"): words.split() for key, words in (line.split("\t") for line in lines)}

    rimes = table("rimes")
    return {
        onset: frozenset(rime for one in classes for rime in rimes[one]) for onset, classes in table("onsets").items()
    }


def possible(word: str) -> bool:
    """Whether onset, rime, tone and its place obey the spelling. `word` is NFC in small letters."""
    tone, bare, place = "", "", -1
    for char in word:
        parts = unicodedata.normalize("NFD", char)
        mine = [mark for mark in parts if mark in _TONES]
        if mine:
            if tone:
                return False
            tone, place = mine[0], len(bare)
            char = unicodedata.normalize("NFC", parts.replace(tone, ""))
        bare += char
    return any(
        _fits(bare[:cut], bare[cut:], tone, place - cut) for cut in range(min(4, len(bare))) if bare[:cut] in _shapes()
    )


def _fits(onset: str, rime: str, tone: str, place: int) -> bool:
    if rime not in _shapes()[onset]:
        return False
    if rime[-1] in "cpt" or rime.endswith("ch"):
        return tone in ("\u0301", "\u0323") and place in _places(rime)
    return not tone or place in _places(rime)


def _places(rime: str) -> tuple[int, ...]:
    """Where the tone of a rime may stand."""
    marked = [n for n, char in enumerate(rime) if char in _MARKED]
    if marked:
        return (marked[-1],)
    vowels = len(rime.rstrip("bcdghlmnpt"))
    if vowels == 1:
        return (0,)
    if vowels < len(rime) or vowels == 3:
        return (1,)
    return (0, 1) if rime in _ROUND else (0,)
