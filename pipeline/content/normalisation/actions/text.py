"""Text in another encoding."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from pipeline.content.normalisation.made import Failed, Made
from pipeline.content.normalisation.registry import ActionInWorker, Beat

CHUNK = 1 << 20
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def utf16(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """UTF-16 with its byte order mark becomes UTF-8 without one, strictly; not a character is changed."""
    (result,) = results.values()
    mark = source.read(4)
    exact = UTF16.get(mark[:2]) if mark != codecs.BOM_UTF32_LE else None
    if exact is None:
        raise Failed("FMT-CONVERT-DAMAGED", "no byte order mark of UTF-16")
    decoder = codecs.getincrementaldecoder(exact)()
    source.seek(2)
    position = 2
    while True:
        data = source.read(CHUNK)
        try:
            result.write(decoder.decode(data, not data).encode("utf-8"))
        except UnicodeError as problem:
            reason = getattr(problem, "reason", problem)
            raise Failed("FMT-CONVERT-DAMAGED", f"byte {position} ff.: {reason}") from None
        if not data:
            return Made()
        position += len(data)
        beat()


IN_WORKER: dict[str, ActionInWorker] = {"text.utf16": utf16}
