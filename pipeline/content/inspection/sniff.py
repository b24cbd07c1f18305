"""What kind of file bytes are, among those that Circular 05/2025/TT-BNV lists and those usual beside them.

A second, smaller look than the identification by PRONOM: it answers in the words of the annex (media types).
"""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO, Final

import olefile

from pipeline.content.inspection import rates
from pipeline.damage import ZIP_FAULTS

HEAD: Final = 4096
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_PARTS: Final = {
    "word/": _OFFICE + "wordprocessingml.document",
    "xl/": _OFFICE + "spreadsheetml.sheet",
    "ppt/": _OFFICE + "presentationml.presentation",
}
_STREAMS: Final = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
}
_STARTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"{\\rtf", "application/rtf"),
    (b"\xdb\xa5\x2d\0", "application/msword"),
    (b"\x9b\xa5", "application/msword"),
    (b"\t\0\x04\0", "application/vnd.ms-excel"),
    (b"\t\x02\x06\0", "application/vnd.ms-excel"),
    (b"\t\x04\x06\0", "application/vnd.ms-excel"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"\0\0\0\x0cjP  ", "image/jp2"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"AC10", "image/vnd.dwg"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"ID3", "audio/mpeg"),
    (b"ADIF", "audio/aac"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/x-matroska"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x1f\x8b", "application/gzip"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"%!PS", "application/postscript"),
)
_HTML: Final = re.compile(rb"(?i)\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.S)
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Broken(Exception):
    """A container whose table of contents cannot be read."""


def media_type(source: BinaryIO, size: int) -> str:
    """The media type of the bytes; empty when nothing is recognised. Broken for a container that is not whole."""
    source.seek(0)
    head = source.read(HEAD)
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if head[:4] == b"PK\x03\x04":
        return _zipped(source)
    if head[:8] == OLE:
        return _compound(source)
    if head[:4] == b"RIFF":
        kind = {b"AVI ": "video/x-msvideo", b"WAVE": "audio/x-wav", b"WEBP": "image/webp"}
        return kind.get(head[8:12], "application/x-riff")
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _boxed(head)
    for start, kind_of in _STARTS:
        if head.startswith(start):
            return kind_of
    if _wide(head):
        return "text/plain"
    if head[:1] == b"G" == head[188:189] == head[376:377]:
        return "video/mpeg"  # a transport stream
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        if head[1] & 0xF6 == 0xF0:
            return "audio/aac"
        if head[1] & 0x06 and head[2] & 0xF0 != 0xF0:
            return "audio/mpeg"
    return _text(head) or _sound(head)


def _boxed(head: bytes) -> str:
    if head[4:8] != b"ftyp":
        return "video/quicktime"
    brand = head[8:12]
    if brand == b"qt  ":
        return "video/quicktime"
    if brand[:3] in (b"M4A", b"M4B"):
        return "audio/mp4"
    return "image/heic" if brand in (b"heic", b"heix", b"mif1", b"msf1", b"avif") else "video/mp4"


def _zipped(source: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
            if "[Content_Types].xml" in names:
                for part, kind in _PARTS.items():
                    if any(name.startswith(part) for name in names):
                        return kind
            if "mimetype" in names:
                with archive.open("mimetype") as told:
                    return told.read(200).decode("ascii", "replace").strip()
    except (*ZIP_FAULTS, OSError) as problem:
        raise Broken(str(problem) or type(problem).__name__) from None
    return "application/zip"


def _compound(source: BinaryIO) -> str:
    try:
        source.seek(0)
        with olefile.OleFileIO(source) as held:
            names = {entry[-1] for entry in held.listdir() if len(entry) == 1}
    except Exception as problem:  # the library has no common error; a broken file meets many
        raise Broken(str(problem) or type(problem).__name__) from None
    if "EncryptedPackage" in names:
        raise Broken("password")
    return next((kind for name, kind in _STREAMS.items() if name in names), "application/x-ole-storage")


def _wide(head: bytes) -> bool:
    """Whether it is text in UTF-16 with its mark, which begins as a frame of MPEG audio layer I does."""
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return False
    text = head[: len(head) & ~1].decode("utf-16", "replace")
    return not any(letter == "\ufffd" or (letter < " " and letter not in "\t\n\f\r") for letter in text[:-1])


def _sound(head: bytes) -> str:
    """MPEG audio that begins somewhere in the head: a frame, and another one right behind it."""
    at = head.find(b"\xff")
    while 0 <= at < len(head) - 4:
        first = rates.frame(head[at : at + 4])
        if first is not None:
            behind = head[at + first[0] : at + first[0] + 4]
            if len(behind) == 4 and rates.frame(behind) is not None:
                return "audio/mpeg"
        at = head.find(b"\xff", at + 1)
    return ""


def _text(head: bytes) -> str:
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "text/html"
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    # VISCII writes letters as control codes, few of them; other binary data is full of zero bytes.
    return "text/plain" if head and b"\0" not in head and control * 10 <= len(head) else ""
