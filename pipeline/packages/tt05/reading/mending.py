"""A METS or PREMIS document with those faults of the circular's own examples mended that have a code of their own."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, Final

_USER = re.compile(rb"(?<=\s)USER(\s*=)")
_AMDID = re.compile(rb"(?<=\s)AMDID(\s*=)")
_ENCODED: Final = (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)


def mended(source: BinaryIO, root: str, namespace: str, *, user: bool = False, amdid: bool = False) -> BinaryIO:
    """The document, line for line, with `@USER` as `@USE`, `@AMDID` as `@ADMID`, and the root in `namespace`.

    `namespace` empty leaves the root as it is. Documents in UTF-16 come as they are.
    """
    if not (namespace or user or amdid):
        return source
    return io.BufferedReader(_Mended(source, root, namespace, user, amdid), 1 << 16)


class _Mended(io.RawIOBase):
    def __init__(self, source: BinaryIO, root: str, namespace: str, user: bool, amdid: bool) -> None:
        self._source = source
        self._root = re.compile(rb"<" + root.encode() + rb"(?=[\s>/])")
        self._namespace = f'<{root} xmlns="{namespace}"'.encode() if namespace else b""
        self._user = user
        self._amdid = amdid
        self._rest = b""
        self._begun = False
        self._odd = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        while not self._rest:
            line = self._source.readline(1 << 20)
            if not line:
                return 0
            self._rest = self._line(line)
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _line(self, line: bytes) -> bytes:
        if not self._begun:
            self._begun = True
            self._odd = line.startswith(_ENCODED)
        if self._odd:
            return line
        if self._namespace:
            line, count = self._root.subn(self._namespace, line, count=1)
            if count:
                self._namespace = b""
        # As many bytes as before: lines and columns stay what they are.
        if self._user:
            line = _USER.sub(rb"USE \1", line)
        if self._amdid:
            line = _AMDID.sub(rb"ADMID\1", line)
        return line
