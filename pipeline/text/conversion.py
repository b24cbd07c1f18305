"""Text of an old encoding as Unicode: whole, in pieces, or as a stream of UTF-8."""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .detection import Detection
from .encodings import READABLE, Stray, decoded, tally
from .surface import shown

_BLOCK = 1 << 16
_LONGEST_WAIT = 1 << 20
"""So many bytes without one ASCII character are no writing; a letter and its mark may be parted there."""

_MOST_PROPOSALS = 50
_MOST_PLACES = 1000
_AROUND = 8
_UNICODE = ("utf-8", "utf-16-le", "utf-16-be")
_HALVES = re.compile("[\ud800-\udfff]")
_KINDS = bytes(0x55 if 0x41 <= byte <= 0x5A else 0x6D if byte >= 0xA1 else 0x2E for byte in range(256))
_MIXED = (b"mU", b"UUm")
"""Bytes by kind (U a plain capital, m a letter with a mark), and what is in every word of both, small letters apart."""

_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A byte that means nothing in an encoding. `shown` is what stands for it in the text, `line` the first place."""

    byte: str
    shown: str
    count: int
    line: int


@dataclass(frozen=True, slots=True)
class Converted:
    """Text in NFC from `encoding`. `changed`: its UTF-8 differs from the bytes that were given.

    `proposals`: words whose small letters stand among capitals (`MụC`), as TCVN3 writes them, with the capitals that
    were probably meant; the text keeps what the bytes say.
    """

    text: str
    encoding: str
    changed: bool
    unmapped: tuple[Unmapped, ...] = ()
    proposals: tuple[tuple[str, str], ...] = ()


def convert(data: bytes, encoding: str | Detection) -> Converted:
    """The text of bytes in an encoding, or in what was detected.

    Never raises for bytes: what means nothing is kept as the character that CP1252 or Latin-1 shows for it (in Unicode
    encodings as U+FFFD), and listed. ValueError when `encoding` is not READABLE or nothing was detected.
    """
    decoder = Decoder(encoding)
    text = decoder.decode(data, final=True)
    changed = text.encode("utf-8", "replace") != data
    return Converted(text, decoder.encoding, changed, decoder.unmapped, decoder.proposals)


class Decoder:
    """Decodes bytes as they come, in any pieces, to the same text as at once; NFC, without a byte order mark.

    Afterwards `unmapped` and `proposals` tell what `Converted` tells.
    """

    def __init__(self, encoding: str | Detection) -> None:
        if isinstance(encoding, Detection):
            undo, name = encoding.undo, encoding.encoding
        else:
            undo, name = 0, encoding
        if name not in READABLE:
            raise ValueError(f"not an encoding that can be read: {name}")
        self.encoding = name
        self._undo = tuple(codecs.getincrementaldecoder("utf-8")("replace") for _ in range(undo))
        self._wide = codecs.getincrementaldecoder(name)("surrogatepass") if name.startswith("utf-16") else None
        self._held = b""
        self._held_text = ""
        self._begun = False
        self._line = 1
        self._unmapped: dict[str, Unmapped] = {}
        self._proposals: dict[str, str] = {}

    @property
    def unmapped(self) -> tuple[Unmapped, ...]:
        """What meant nothing so far, by byte."""
        return tuple(self._unmapped[name] for name in sorted(self._unmapped))

    @property
    def proposals(self) -> tuple[tuple[str, str], ...]:
        """At most fifty words with their capitals, in the order of the text."""
        return tuple(self._proposals.items())

    def decode(self, data: bytes, final: bool = False) -> str:
        """The text that is complete so far. UnicodeEncodeError when what is to be undone was never CP1252."""
        for decoder in self._undo:
            text = decoder.decode(data, final)
            if not self._begun and text:
                text = text.removeprefix("\ufeff")
            data = _bytes_of(text)
        if self._wide is not None:
            return self._finish(*self._from_wide(data, final))
        self._held += data
        cut = len(self._held) if final else _cut(self._held, self.encoding)
        ready, self._held = self._held[:cut], self._held[cut:]
        if not ready:
            return ""
        made = self._finish(*decoded(ready, self.encoding))
        if self.encoding == "tcvn3":
            self._propose(ready, made)
        return made

    def _from_wide(self, data: bytes, final: bool) -> tuple[str, dict[str, Stray]]:
        """Text of UTF-16 up to the last ASCII character, and the code units that are half a pair."""
        assert self._wide is not None
        text = self._held_text + self._wide.decode(data)
        cut = next((n for n in range(len(text) - 1, 0, -1) if text[n].isascii()), 0)
        if final:
            text += "\udfff" if self._wide.getstate()[0] else ""  # half a code unit at the end
            cut = len(text)
        elif len(text) > _LONGEST_WAIT:
            cut = cut or len(text) - 1
        text, self._held_text = text[:cut], text[cut:]
        bad = tally((match.start(), ord(match[0]), "\ufffd") for match in _HALVES.finditer(text))
        return _HALVES.sub("\ufffd", text) if bad else text, bad

    def _finish(self, text: str, bad: dict[str, Stray]) -> str:
        for byte, stray in bad.items():
            before = self._unmapped.get(byte)
            line = before.line if before else self._line + text.count("\n", 0, stray.place)
            self._unmapped[byte] = Unmapped(byte, stray.char, stray.count + (before.count if before else 0), line)
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix("\ufeff") if self.encoding in _UNICODE else text
        self._line += text.count("\n")
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        return text

    def _propose(self, raw: bytes, text: str) -> None:
        """Half capital words of TCVN3, in which a byte is a character; sought among bytes, which is quick."""
        kinds = raw.translate(_KINDS)
        met: set[int] = set()
        for mixed in _MIXED:
            place = kinds.find(mixed)
            while place >= 0 and len(met) < _MOST_PLACES:
                met.add(place)
                place = kinds.find(mixed, place + 1)
        for place in sorted(met):
            around = _LETTERS.finditer(text, max(0, place - _AROUND), place + 2 * _AROUND)
            word = next((one[0] for one in around if one.end() > place), "")
            if len(self._proposals) < _MOST_PROPOSALS and not word.isascii() and _half_capital(word):
                self._proposals.setdefault(word, word.upper())


def transcoded(source: BinaryIO, encoding: str | Detection) -> io.BufferedReader:
    """The same text as a stream of UTF-8 in NFC, read as it is asked for. Closing it closes `source`."""
    return io.BufferedReader(_Transcoded(source, Decoder(encoding)), _BLOCK)


class _Transcoded(io.RawIOBase):
    def __init__(self, source: BinaryIO, decoder: Decoder) -> None:
        self._source = source
        self._decoder = decoder
        self._ready = memoryview(b"")
        self._pieces = self._all()

    def _all(self) -> Iterator[bytes]:
        while data := self._source.read(_BLOCK):
            yield self._decoder.decode(data).encode("utf-8", "replace")
        yield self._decoder.decode(b"", final=True).encode("utf-8", "replace")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._ready = memoryview(piece)
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


def _bytes_of(text: str) -> bytes:
    raw = shown(text)
    if raw is None:
        place = next(n for n, char in enumerate(text) if shown(char) is None)
        raise UnicodeEncodeError("cp1252", text, place, place + 1, "was never shown as CP1252")
    return raw


def _half_capital(word: str) -> bool:
    """Two or more ASCII capitals, or one behind a small letter with a mark; no small ASCII letter."""
    plain = [char for char in word if char.isascii()]
    if not plain or any(char.islower() for char in plain) or not any(char.islower() for char in word):
        return False
    return len(plain) > 1 or not word[0].isascii()


def _cut(held: bytes, encoding: str) -> int:
    """Where bytes may be parted: before an ASCII character, which is never the mark of a letter before it."""
    floor = max(0, len(held) - 4096)
    if encoding == "viqr":
        for place in range(len(held) - 1, max(floor, 1), -1):
            if held[place] in b" \t\n" and held[place - 1] not in b"\\ \t\n":
                return place
        return 0 if len(held) < _LONGEST_WAIT else len(held)
    if (blank := max(held.rfind(b"\n", floor), held.rfind(b" ", floor))) > 0:
        return blank  # rather between words
    for place in range(len(held) - 1, max(floor - 1, 0), -1):
        if held[place] < 0x80:
            return place
    if len(held) < _LONGEST_WAIT:
        return 0
    cut = len(held) - 4
    while encoding == "utf-8" and cut > len(held) - 8 and held[cut] & 0xC0 == 0x80:
        cut -= 1
    return cut
