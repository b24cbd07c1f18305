"""Bit rates of sound and film from their headers, in kbit/s."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, Final

_MP3_RATES: Final = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_LAYERS: Final = {
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0),
    3: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0),
}
_MP3_HZ: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_AAC_HZ: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_FRAMES: Final = 2000
_HEAD: Final = 1 << 16
_ASF_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SECONDS_AT_LEAST: Final = 0.05


def kilobits(source: BinaryIO, kind: str) -> float | None:
    """The average bit rate of a file of this media type; None when its header does not tell."""
    size = source.seek(0, os.SEEK_END)
    try:
        if kind == "audio/mpeg":
            return _frames(source, size)
        if kind == "audio/aac":
            return _adts(source, size)
        if kind == "video/mpeg":
            return _mpeg(source)
        seconds = {
            "video/x-ms-asf": _asf, "video/x-msvideo": _avi, "video/mp4": _boxes, "video/quicktime": _boxes,
            "audio/mp4": _boxes,
        }[kind](source, size)  # fmt: skip
    except (KeyError, struct.error, IndexError, ZeroDivisionError):
        return None
    return size * 8 / seconds / 1000 if seconds > _SECONDS_AT_LEAST else None


def _frames(source: BinaryIO, size: int) -> float | None:
    """MPEG audio: bytes of the frames over their duration, of the first frames of the file."""
    source.seek(0)
    head = source.read(10)
    at = 0
    if head[:3] == b"ID3":
        at = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    bits, seconds, lost = 0, 0.0, 0
    for _ in range(_FRAMES):
        source.seek(at)
        four = source.read(4)
        if len(four) < 4:
            break
        found = frame(four)
        if found is None:
            at, lost = at + 1, lost + 1
            if lost > 4096:
                break
            continue
        length, duration = found
        bits, seconds, at = bits + 8 * length, seconds + duration, at + length
    return bits / seconds / 1000 if seconds else None


def frame(four: bytes) -> tuple[int, float] | None:
    """Length in bytes and duration in seconds of a frame of MPEG audio, by its first four bytes; None for no frame."""
    if four[0] != 0xFF or four[1] & 0xE0 != 0xE0:
        return None
    version, layer = four[1] >> 3 & 3, four[1] >> 1 & 3
    index, hertz, padding = four[2] >> 4, four[2] >> 2 & 3, four[2] >> 1 & 1
    if version == 1 or not layer or hertz == 3 or index in (0, 15):
        return None
    rate = (_LAYERS[layer] if layer in _LAYERS and version == 3 else _MP3_RATES[1 if version == 3 else 2])[index]
    samples = 384 if layer == 3 else 1152 if version == 3 or layer == 2 else 576
    frequency = _MP3_HZ[version][hertz]
    length = samples // 8 * rate * 1000 // frequency + padding
    return (length, samples / frequency) if length > 4 else None


def _adts(source: BinaryIO, size: int) -> float | None:
    at, count, frequency = 0, 0, 0
    for _ in range(_FRAMES):
        source.seek(at)
        head = source.read(7)
        if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            break
        frequency = _AAC_HZ[head[2] >> 2 & 15]
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if length < 7:
            break
        at, count = at + length, count + 1
    return at * 8 / (count * 1024 / frequency) / 1000 if count else None


def _mpeg(source: BinaryIO) -> float | None:
    """What the first sequence header says, in units of 400 bit/s."""
    source.seek(0)
    data = source.read(_HEAD)
    at = data.find(b"\0\0\x01\xb3")
    if at < 0 or at + 11 > len(data):
        return None
    rate = int.from_bytes(data[at + 8 : at + 11]) >> 6
    return None if rate in (0, 0x3FFFF) else rate * 400 / 1000


def _asf(source: BinaryIO, size: int) -> float:
    source.seek(0)
    data = source.read(_HEAD)
    at = data.index(_ASF_PROPERTIES) if _ASF_PROPERTIES in data else -1
    if at < 0:
        return 0.0
    duration, _, preroll = struct.unpack_from("<QQQ", data, at + 64)
    return float(max(0.0, duration / 1e7 - preroll / 1000))


def _avi(source: BinaryIO, size: int) -> float:
    source.seek(0)
    data = source.read(_HEAD)
    at = data.index(b"avih") if b"avih" in data else -1
    if at < 0:
        return 0.0
    per_frame, frames = struct.unpack_from("<I12xI", data, at + 8)
    return float(per_frame * frames / 1e6)


def _boxes(source: BinaryIO, size: int) -> float:
    """The duration of `moov/mvhd`."""
    at, end = _box(source, 0, size, b"moov")
    at, end = _box(source, at, end, b"mvhd")
    source.seek(at)
    data = source.read(32)
    if data[0] == 1:
        scale, duration = struct.unpack_from(">IQ", data, 20)
    else:
        scale, duration = struct.unpack_from(">II", data, 12)
    return float(duration / scale)


def _box(source: BinaryIO, at: int, end: int, name: bytes) -> tuple[int, int]:
    for _ in range(1000):
        if at + 8 > end:
            break
        source.seek(at)
        head = source.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        start = at + 8
        if length == 1:
            length, start = struct.unpack_from(">Q", head, 8)[0], at + 16
        length = length or end - at
        if length < 8:
            break
        if kind == name:
            return start, min(end, at + length)
        at += length
    raise KeyError(name)
