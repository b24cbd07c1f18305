"""Rich Text Format made fit for LibreOffice outside Windows: which code page the bytes of each font are in.

A font of character set 1 is in the code page of the machine that reads it. On ours that is UTF-8, in which bytes above
7F are lost. They are in the code page that the file names (RTF 1.9.1, `\\ansicpg`); bytes of `.VnTime` and its like are
read as CP1252, which loses none of them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_HEAD: Final = 1 << 20
"""The table of fonts stands in the first so many bytes."""
_STEP: Final = 1 << 20
_PAGE: Final = re.compile(rb"\\ansicpg(\d{1,5})(?!\d)")
_FONT: Final = re.compile(rb"\\fcharset(\d{1,3})(?!\d)((?:[^;{}]|\{[^{}]{0,200}\}){0,300})(?=[;}])")
_OLD: Final = re.compile(rb"(?:^|[\s}])(?:\.vn|vni|vps)", re.IGNORECASE)
_SETS: Final = {
    b"874": b"222", b"932": b"128", b"936": b"134", b"949": b"129", b"950": b"136", b"1250": b"238", b"1251": b"204",
    b"1253": b"161", b"1254": b"162", b"1255": b"177", b"1256": b"178", b"1257": b"186", b"1258": b"163",
}  # fmt: skip
_SYMBOLS: Final = b"2"


def told_charsets(head: bytes) -> bytes:
    """The beginning of a file with a character set for every font that has none of its own."""
    page = _PAGE.search(head)
    usual = _SETS.get(page[1], b"0") if page else b"0"

    def named(match: re.Match[bytes]) -> bytes:
        charset = match[1]
        if _OLD.search(match[2]):
            charset = charset if charset == _SYMBOLS else b"0"
        elif charset == b"1":
            charset = usual
        return b"\\fcharset" + charset + match[2]

    return _FONT.sub(named, head)


def readable(source: Path, target: Path) -> bool:
    """Writes the file to `target` where LibreOffice would read it wrongly; False, and nothing written, where not."""
    with source.open("rb") as opened:
        head = opened.read(_HEAD)
        told = told_charsets(head)
        if told == head:
            return False
        with target.open("xb") as written:
            written.write(told)
            while data := opened.read(_STEP):
                written.write(data)
    return True
