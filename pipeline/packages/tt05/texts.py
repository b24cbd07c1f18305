"""What is wrong with the text of an element as such: forms of Unicode, old font encodings, stray characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.reading.descriptive import Element
from pipeline.text.detection import ENOUGH, detect, share
from pipeline.text.encodings import LEGACY
from pipeline.text.surface import shown

_STRAY: Final = re.compile(
    "^\\s|\\s$|[^\\S ]|  |[\u0000-\u001f\u007f-\u009f\u00a0\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"
)
"""Blanks at an edge or doubled, any blank but the plain one, control, invisible and directing characters."""

_SHOWN: Final = 60
_AHEAD: Final = 0.4
"""So much more of a text must be Vietnamese in an old encoding than as it stands."""

_LOOKED_AT: Final = 2000
"""Letters that are enough to tell an encoding."""


def check_text(found: Findings, path: bytes, element: Element) -> None:
    """EAD-22, or EAD-23 where the former says nothing."""
    text = element.text
    if text.isascii() and not _STRAY.search(text):
        return
    if not unicodedata.is_normalized("NFC", text) or old_font(text[:_LOOKED_AT]):
        shown = text.strip()
        shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
        found.add("TT05-EAD-22", path, line=element.line, element=element.name, found=shown, expected="Unicode NFC")
    elif _STRAY.search(text):
        found.add("TT05-EAD-23", path, line=element.line, element=element.name)


@lru_cache(maxsize=4096)
def old_font(text: str) -> bool:
    """Whether letters stand there as the fonts of TCVN3, VNI and the like show them, taken for other characters."""
    if text.isascii():
        return False
    if detect(text.encode("utf-8", "surrogatepass")).method == "undone":
        return True
    raw = shown(text)
    if raw is None or raw.isascii():
        return False
    # A conversion would want more proof than a warning: a short text may hold a word that is Vietnamese either way.
    found, own = detect(raw), share(text)
    return found.encoding in LEGACY and own < ENOUGH and found.score - own >= _AHEAD
