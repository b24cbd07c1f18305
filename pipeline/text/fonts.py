"""What the name of a font says about the bytes of its text."""

from __future__ import annotations

import re

_FONT = re.compile(r"(?:[A-Z]{6}\+)?(?:(\.Vn)|(VNI)|(VPS))", re.IGNORECASE)
_STYLE = re.compile(r"(?:[\s,\-]*(?:Bold|Italic|Oblique|Regular|Normal|Medium|Light|Roman|MT|PS))+$", re.IGNORECASE)


def font_encoding(name: str) -> str | None:
    """`tcvn3`, `tcvn3-h` (TCVN3 whose text is capitals: `.VnTimeH`), `vni`, `vps`, or None when the name says nothing.

    The prefix of a PDF subset (`ABCDEF+`) and styles behind the name (`,Bold`) count for nothing. A hint, no proof:
    names lie, and `detect` says so when the bytes contradict.
    """
    match = _FONT.match(name)
    if match is None:
        return None
    if match[1]:
        bare = _STYLE.sub("", name.strip())
        return "tcvn3-h" if bare.endswith("H") or (bare.islower() and bare.endswith("h")) else "tcvn3"
    return "vni" if match[2] else "vps"
