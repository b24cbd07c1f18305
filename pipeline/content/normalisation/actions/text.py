"""Text in any encoding becomes UTF-8 in NFC."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from pipeline.content.normalisation.made import Failed, Made, Told
from pipeline.content.normalisation.registry import ActionInWorker, Beat, Look
from pipeline.text import Decoder, Detection, Examiner
from pipeline.text.surface import shown

CHUNK = 1 << 20
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LONGEST = 4 << 20
"""So many characters without one of ASCII are no writing; a letter and its mark may be parted there."""


def utf16(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """UTF-16 with its byte order mark becomes UTF-8 without one, strictly: what is damaged is not converted."""
    (result,) = results.values()
    mark = source.read(4)
    exact = UTF16.get(mark[:2]) if mark != codecs.BOM_UTF32_LE else None
    if exact is None:
        raise Failed("FMT-CONVERT-DAMAGED", "no byte order mark of UTF-16")
    source.seek(2)
    for text in composed(source, exact, beat):
        result.write(text.encode("utf-8"))
    return Made(notes=(f"charset={exact}",))


def unicode(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """Text in the encoding that its own words show becomes UTF-8 in NFC; line ends stay.

    Kept as it is: ASCII, and UTF-8 in NFC with or without its mark. An encoding that cannot be told for certain, or a
    byte that means nothing in it, is for a person.
    """
    (result,) = results.values()
    found = detected(source, beat)
    if found.encoding is None:
        told = ", ".join(f"{name} {score:.2f}" for name, score in found.candidates[:3])
        raise Failed("FMT-TEXT-ENCODING", f"{found.method}: {told}" if told else found.method, last=True)
    if found.method in ("empty", "ascii") or (found.encoding == "utf-8" and not found.undo and found.composed):
        return Made(kept="ASCII" if found.method in ("empty", "ascii") else "UTF-8, NFC")
    source.seek(0)
    decoder = Decoder(found)
    while True:
        data = source.read(CHUNK)
        result.write(decoder.decode(data, not data).encode("utf-8"))
        if not data:
            break
        beat()
    if decoder.unmapped:
        first = decoder.unmapped[0]
        bytes_ = ", ".join(f"{one.byte} × {one.count}" for one in decoder.unmapped[:5])
        raise Failed("FMT-TEXT-BYTES", f"{bytes_}; line {first.line}", found.encoding, last=True)
    notes = [f"charset={found.encoding}", f"told by={found.method}", f"confidence={found.confidence}"]
    notes += [f"wrongly shown as CP1252={found.undo}"] if found.undo else []
    words = ", ".join(f"{word} → {meant}" for word, meant in decoder.proposals[:5])
    told_ = (Told("FMT-TEXT-CAPITALS", expected=str(len(decoder.proposals)), found=words),) if words else ()
    return Made(notes=tuple(notes), told=told_)


def plain(source: BinaryIO, beat: Beat) -> bool:
    """ASCII, or UTF-8 in NFC with a character that CP1252 lacks: it was never taken for CP1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    ascii_ = windows = True
    while data := source.read(CHUNK):
        if ascii_ and data.isascii():
            continue
        try:
            text = decoder.decode(data)
        except UnicodeDecodeError:
            return False
        if not unicodedata.is_normalized("NFC", text) or (text and unicodedata.combining(text[0])):
            return False
        windows = windows and shown(text.removeprefix("\ufeff")) is not None
        ascii_ = False
        beat()
    return (ascii_ or not windows) and not decoder.getstate()[0]


def detected(source: BinaryIO, beat: Beat) -> Detection:
    """The encoding of a stream from its beginning; always the same answer for the same bytes."""
    source.seek(0)
    examiner = Examiner()
    while data := source.read(CHUNK):
        examiner.feed(data)
        beat()
    return examiner.detection()


def composed(source: BinaryIO, encoding: str, beat: Beat) -> Iterator[str]:
    """The text from here on in NFC, in pieces that no letter and its mark lie across. Failed where it is damaged."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position = source.tell()
    held = ""
    while True:
        data = source.read(CHUNK)
        try:
            held += decoder.decode(data, not data)
        except UnicodeError as problem:
            raise Failed("FMT-CONVERT-DAMAGED", f"byte {position} ff.: {getattr(problem, 'reason', problem)}") from None
        cut = len(held) if not data else next((n for n in range(len(held) - 1, 0, -1) if held[n].isascii()), 0)
        if not cut and len(held) > _LONGEST:
            cut = len(held)
        yield unicodedata.normalize("NFC", held[:cut])
        held = held[cut:]
        if not data:
            return
        position += len(data)
        beat()


IN_WORKER: dict[str, ActionInWorker] = {"text.utf16": utf16, "text.unicode": unicode}
FIT: dict[str, Look] = {"text.unicode": plain}
