"""WAVE, AIFF, AVI, MP4 and Matroska walked through their containers; what they carry goes on to a decoder."""

from __future__ import annotations

import struct
from typing import BinaryIO

from pipeline.content.validity import Beat, Invalid, Judgement, exactly, size_of, valid
from pipeline.content.validity.boxes import Box, boxes

_NESTED = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex", b"moof", b"traf"}
_UNKNOWN = 0xFFFFFFFF


def wave(source: BinaryIO, beat: Beat) -> Judgement:
    """WAVE, Broadcast WAVE and RF64: chunks inside the file, samples as long as they say (EBU Tech 3285, 3306)."""
    size = size_of(source)
    head = exactly(source, 12, "the header")
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        raise Invalid("no RIFF/WAVE header")
    long = head[:4] == b"RF64"
    promised = struct.unpack_from("<I", head, 4)[0] + 8
    align = samples = 0
    data_64: int | None = None
    at = 12
    while at + 8 <= size:
        source.seek(at)
        kind, length = struct.unpack("<4sI", exactly(source, 8, "a chunk"))
        name = kind.decode("latin-1")
        if kind == b"ds64":
            promised, data_64 = struct.unpack_from("<QQ", exactly(source, 28, "the chunk ds64"))
            promised += 8
        if kind == b"data":
            length = data_64 if long and length == _UNKNOWN and data_64 is not None else length
            samples += length
        if at + 8 + length > size:
            raise Invalid(f"chunk {name!r} needs {length} bytes, {size - at - 8} are there")
        if kind == b"fmt ":
            align = struct.unpack_from("<H", exactly(source, 16, "the chunk fmt"), 12)[0]
        at += 8 + length + (length & 1)
        beat()
    if not align:
        raise Invalid("no description of the samples")
    if not samples:
        raise Invalid("no samples")
    if samples % align:
        raise Invalid(f"the last sample is not whole: {samples} bytes, {align} a sample")
    if promised > size + 1:
        raise Invalid(f"the header promises {promised} bytes, the file has {size}")
    return valid("WAVE: chunks inside the file, whole samples")


def aiff(source: BinaryIO, beat: Beat) -> Judgement:
    """AIFF and AIFF-C: chunks inside the file, as many samples as the chunk COMM promises (Apple, AIFF-C 1991)."""
    size = size_of(source)
    head = exactly(source, 12, "the header")
    if head[:4] != b"FORM" or head[8:] not in (b"AIFF", b"AIFC"):
        raise Invalid("no FORM/AIFF header")
    promised = struct.unpack_from(">I", head, 4)[0] + 8
    frames: int | None = None
    frame = sound = 0
    at = 12
    while at + 8 <= min(size, promised):
        source.seek(at)
        kind, length = struct.unpack(">4sI", exactly(source, 8, "a chunk"))
        if at + 8 + length > size:
            raise Invalid(f"chunk {kind.decode('latin-1')!r} needs {length} bytes, {size - at - 8} are there")
        if kind == b"COMM":
            channels, frames, bits = struct.unpack_from(">hIh", exactly(source, 18, "the chunk COMM"))
            coded = head[8:] == b"AIFC" and source.read(4) not in (b"NONE", b"sowt", b"twos")
            frame = 0 if coded else channels * ((bits + 7) // 8)
        sound += max(0, length - 8) if kind == b"SSND" else 0
        at += 8 + length + (length & 1)
        beat()
    if frames is None:
        raise Invalid("no description of the samples")
    if not frames or not sound:
        raise Invalid("no samples")
    if sound < frames * frame:
        raise Invalid(f"{frames} samples of {frame} bytes are promised, {sound} bytes are there")
    if promised > size + 1:
        raise Invalid(f"the header promises {promised} bytes, the file has {size}")
    return valid("AIFF: chunks inside the file, whole samples")


def avi(source: BinaryIO, beat: Beat) -> Judgement:
    """AVI, also of several parts (OpenDML): chunks and lists fill each part, headers and pictures are there."""
    size = size_of(source)
    seen: set[bytes] = set()
    at = parts = 0
    while at + 12 <= size:
        kind, length, form = _part(source, at)
        if kind != b"RIFF" or form != (b"AVIX" if parts else b"AVI "):
            if parts:
                break  # what some programs put behind the end
            raise Invalid("no RIFF/AVI header")
        end = at + 8 + length
        if end > size + 1:
            raise Invalid(f"the part at byte {at} needs {length} bytes, {size - at - 8} are there")
        inner = at + 12
        while inner + 8 <= min(end, size):
            kind, length, form = _part(source, inner)
            if inner + 8 + length > min(end, size):
                raise Invalid(f"chunk {kind.decode('latin-1')!r} at byte {inner} leaves its part")
            if kind == b"LIST":
                seen.add(form)
            inner += 8 + length + (length & 1)
            beat()
        at, parts = end + (end & 1), parts + 1
    if not {b"hdrl", b"movi"} <= seen:
        raise Invalid("the lists hdrl and movi are not both there")
    return valid("AVI: chunks fill the file", rest="ffmpeg")


def _part(source: BinaryIO, at: int) -> tuple[bytes, int, bytes]:
    """(name, length, form of a list) of the chunk at a place."""
    source.seek(at)
    kind, length = struct.unpack("<4sI", exactly(source, 8, "a chunk"))
    return kind, length, source.read(4)


def mp4(source: BinaryIO, beat: Beat) -> Judgement:
    """MP4 and QuickTime: boxes fill the file, every chunk of media lies inside it (ISO/IEC 14496-12)."""
    size = size_of(source)
    top = list(boxes(source, 0, size))
    kinds = [box.kind for box in top]
    if b"moov" not in kinds or (b"mdat" not in kinds and b"moof" not in kinds):
        raise Invalid("the boxes moov and mdat are not both there")
    for box in top:
        if box.kind in _NESTED:
            _nested(source, box, size, 1)
        beat()
    return valid("MP4: boxes fill the file, media inside it", rest="ffmpeg")


def _nested(source: BinaryIO, parent: Box, size: int, depth: int) -> None:
    if depth > 12:
        raise Invalid("boxes are nested deeper than 12")
    for box in boxes(source, parent.start, parent.end):
        if box.kind in _NESTED:
            _nested(source, box, size, depth + 1)
        elif box.kind in (b"stco", b"co64"):
            width, code = (4, "I") if box.kind == b"stco" else (8, "Q")
            source.seek(box.start + 4)
            count = struct.unpack(">I", exactly(source, 4, "the table of chunks"))[0]
            if count * width > box.end - box.start - 8:
                raise Invalid("the table of chunks is longer than its box")
            for place in struct.iter_unpack(f">{code}", exactly(source, count * width, "the table of chunks")):
                if place[0] >= size:
                    raise Invalid(f"a chunk of media lies at byte {place[0]}, behind the end of the file")


_SEGMENT, _EBML = 0x18538067, 0x1A45DFA3
_TRACKS, _CLUSTER = 0x1654AE6B, 0x1F43B675


def matroska(source: BinaryIO, beat: Beat) -> Judgement:
    """Matroska and WebM: EBML header, then a segment whose elements fill it and hold tracks and clusters (RFC 9559)."""
    size = size_of(source)
    number, start, end = _element(source, 0, size)
    if number != _EBML:
        raise Invalid("no EBML header")
    number, start, end = _element(source, end, size)
    if number != _SEGMENT:
        raise Invalid("no segment behind the header")
    seen: set[int] = set()
    at = start
    while at < end:
        number, _, at = _element(source, at, end)
        seen.add(number)
        beat()
    if _TRACKS not in seen or _CLUSTER not in seen:
        raise Invalid("the segment holds no tracks or no clusters")
    return valid("Matroska: elements fill the segment", rest="ffmpeg")


def _element(source: BinaryIO, at: int, end: int) -> tuple[int, int, int]:
    """(ID, start, end) of the element at a place; one of unknown length goes to the end of its parent."""
    source.seek(at)
    first = exactly(source, 1, "an element")[0]
    width = 9 - first.bit_length()
    if width > 4:
        raise Invalid(f"byte {at}: no element")
    number = int.from_bytes(bytes([first]) + exactly(source, width - 1, "an element"), "big")
    first = exactly(source, 1, "the length of an element")[0]
    more = 9 - first.bit_length()
    if more > 8:
        raise Invalid(f"byte {at}: no length")
    length = first & ((1 << (8 - more)) - 1)
    length = int.from_bytes(bytes([length]) + exactly(source, more - 1, "the length of an element"), "big")
    start = at + width + more
    if length == (1 << (7 * more)) - 1:
        return number, start, end
    if start + length > end:
        raise Invalid(f"element {number:X} at byte {at} needs {length} bytes, {end - start} are there")
    return number, start, start + length
