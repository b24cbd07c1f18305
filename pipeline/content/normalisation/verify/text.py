"""Text compared with the text it was made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from pipeline.content.normalisation.actions.text import CHUNK, UTF16, composed, detected
from pipeline.content.normalisation.made import Differs, Failed, Proved
from pipeline.content.normalisation.registry import Beat, VerificationInWorker
from pipeline.text import Detection, decode, encode
from pipeline.text.surface import shown

_DIFFERS = Differs("text")


def same(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Every character of the original is in the result, at its place, and no other.

    Of Unicode: both are the same in NFC, by the decoders of Python. Of an old encoding: encoded back, the result gives
    the bytes of the original; where a letter has more than one spelling: encoded and read again it is the same text.
    """
    mark = source.read(2)
    try:
        if exact := UTF16.get(mark):
            return _canonical(source, exact, result, beat)
        found = detected(source, beat)
        source.seek(0)
        if found.encoding is None:
            return Differs(f"charset: {found.method}")
        if found.encoding in ("utf-8", "utf-16-le", "utf-16-be") and not found.undo:
            if source.read(3) != b"\xef\xbb\xbf":
                source.seek(0)
            return _canonical(source, found.encoding, result, beat)
        if _equal(_undone(source, found.undo, beat), _encoded(result, found, beat)):
            return Proved("encoded back it gives the bytes of the original")
        result.seek(0)
        return _read_again(result, found, beat)
    except (UnicodeError, Failed):
        return _DIFFERS


def _canonical(source: BinaryIO, encoding: str, result: BinaryIO, beat: Beat) -> Proved | Differs:
    made = (text.encode("utf-8") for text in composed(source, encoding, beat))
    return Proved("its characters are those of the original, in NFC") if _equal(made, _raw(result)) else _DIFFERS


def _read_again(result: BinaryIO, found: Detection, beat: Beat) -> Proved | Differs:
    assert found.encoding is not None
    for text in composed(result, "utf-8", beat):
        if decode(encode(text, found.encoding), found.encoding) != text:
            return _DIFFERS
    return Proved("encoded and read again it is the same text; some letters are spelt otherwise in the original")


def _encoded(result: BinaryIO, found: Detection, beat: Beat) -> Iterator[bytes]:
    assert found.encoding is not None
    for text in composed(result, "utf-8", beat):
        yield encode(text, found.encoding)


def _undone(source: BinaryIO, times: int, beat: Beat) -> Iterator[bytes]:
    """The bytes before they were taken for CP1252 and written as UTF-8, so many times."""
    if not times:
        yield from _raw(source)
        return
    first = True
    for text in composed(source, "utf-8", beat):
        data: bytes | None = text.removeprefix("\ufeff" if first else "").encode()
        first = False
        for _ in range(times):
            data = shown(data.decode()) if data is not None else None
        if data is None:
            raise UnicodeEncodeError("cp1252", text, 0, 1, "was never shown as CP1252")
        yield data


def _raw(file: BinaryIO) -> Iterator[bytes]:
    while data := file.read(CHUNK):
        yield data


def _equal(one: Iterator[bytes], other: Iterator[bytes]) -> bool:
    """Whether two streams say the same, in whatever pieces they come."""
    left = right = b""
    while True:
        if not left:
            left = next((data for data in one if data), b"")
        if not right:
            right = next((data for data in other if data), b"")
        if not left or not right:
            return left == right
        length = min(len(left), len(right))
        if left[:length] != right[:length]:
            return False
        left, right = left[length:], right[length:]


IN_WORKER: dict[str, VerificationInWorker] = {"text.same": same}
