"""Text compared with the text it was made of."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import BinaryIO

from pipeline.content.normalisation.actions.text import CHUNK, UTF16
from pipeline.content.normalisation.made import Differs, Proved
from pipeline.content.normalisation.registry import Beat, VerificationInWorker


def utf16(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Encoded back, UTF-8 gives the bytes of the UTF-16 original with its byte order mark."""
    mark = source.read(2)
    encoding = UTF16.get(mark)
    if encoding is None:
        return Differs("no byte order mark of UTF-16")
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        data = result.read(CHUNK)
        try:
            again = decoder.decode(data, not data).encode(encoding)
        except UnicodeError:
            return Differs("text")
        if source.read(len(again)) != again:
            return Differs("text")
        if not data:
            return Differs("text") if source.read(1) else Proved("encoded back it gives the bytes of the original")
        beat()


IN_WORKER: dict[str, VerificationInWorker] = {"text.utf16": utf16}
