"""The corrected engine: fido's own matching over the signatures that are possible, container and text tests of ours."""

from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.content.identification.fido.containers import OLE2, ZIP
from pipeline.content.identification.fido.offline import VERSION as ENGINE_VERSION
from pipeline.content.identification.fido.offline import fido
from pipeline.content.identification.fido.signatures import NEVER, Known, Pattern, Signature, Signatures

BUFFER = 4 << 20
"""Bytes looked at from either end: enough for the index of a film and the metadata of a PDF/A that come late."""

TEXT = "x-fmt/111"
_LOOKED_AT = 4096
_NO_TEXT = bytes(number for number in range(256) if number < 7 or 13 < number < 27 or 27 < number < 32 or number == 127)
_TEXT_CODES = frozenset((*range(7, 14), 27, *range(32, 127), 133, *range(160, 256)))
_EBCDIC = bytes(
    {number for number in range(256) if ord(bytes([number]).decode("cp037")) in _TEXT_CODES} - {0xE1} | {0xFF}
)
"""Bytes of text in EBCDIC: code page 037, but 0xE1 and 0xFF as POSIX has them (dd conv=ascii)."""

_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine says: formats that match equally well (none = unknown), on which evidence, in which words.

    `candidates` are formats that the extension alone suggests; `errors` what is wrong with a container.
    """

    formats: tuple[Known, ...]
    match: str
    basis: str
    errors: str
    candidates: tuple[str, ...]


class Engine(fido.Fido):  # type: ignore[misc]
    """opf-fido over one set of signatures. Safe in threads: one file at a time goes through an engine.

    fido walks through its formats, signatures and patterns by methods; they are answered from the set, narrowed to
    what the filter leaves. Its printing, its container code, its reading of streams and archives are not used.
    """

    def __init__(self, known: Signatures) -> None:
        super().__init__(quiet=True, format_files=[])
        self.known = known
        self.formats: list[Known] = []
        self.puid_has_priority_over_map = {one.puid: one.over for one in known.formats}
        self._lock = threading.Lock()
        self._possible: dict[str, list[Signature]] = {}
        self._buffers = (b"", b"")

    def get_signatures(self, format: Known) -> list[Signature]:
        """Those that the filter left."""
        return self._possible[format.puid]

    def get_puid(self, format: Known) -> str:
        """Of a format of the set."""
        return format.puid

    def get_patterns(self, signature: Signature) -> list[Pattern]:
        """Patterns for fido's loop. Those that `re` would be slow at are judged here and left out when they match."""
        head, tail = self._buffers
        left = []
        for one in signature.patterns:
            if one.gap is not None:
                if one.position == "EOF":
                    data = tail[-one.width :]
                else:
                    data = head[: one.width] if one.gap["begin"] else head
                matches = one.gaps().matches(data)
            elif one.position == "EOF" and one.width < len(tail):
                matches = one.regex().search(tail, len(tail) - one.width) is not None
            else:
                left.append(one)
                continue
            if not matches:
                return [NEVER]
        return left

    def get_pos(self, pat: Pattern) -> str:
        """BOF, EOF, VAR or IFB."""
        return pat.position

    def get_regex(self, pat: Pattern) -> re.Pattern[bytes]:
        """Compiled: fido hands it to `re`, whose cache is then of no concern."""
        return pat.regex()

    def match_formats(self, bofbuffer: bytes, eofbuffer: bytes) -> list[tuple[Known, str]]:
        """Pairs (format, signature name); inferior ones are gone."""
        self._possible = {}
        self._buffers = (bofbuffer, eofbuffer)
        self.formats = []
        for number in self.known.filter.possible(bofbuffer, eofbuffer):
            owner = self.known.owner[number]
            if owner.puid not in self._possible:
                self._possible[owner.puid] = []
                self.formats.append(owner)
            self._possible[owner.puid].append(self.known.by_number[number])
        try:
            return list(super().match_formats(bofbuffer, eofbuffer))
        finally:
            self._buffers = (b"", b"")
            self._possible = {}
            self.formats = []

    def identify(self, fd: int, size: int, extension: str) -> Found:
        """The open regular file of `size` bytes, named with `extension`. Reads BUFFER bytes from either end."""
        head = _read(fd, 0, min(size, BUFFER))
        tail = head if size <= BUFFER else _read(fd, size - BUFFER, BUFFER)
        with self._lock:
            matches = self.match_formats(head, tail) if size else []
        inside: list[tuple[str, str]] = []
        errors = ""
        if head.startswith((*ZIP, OLE2)):
            with open(os.dup(fd), "rb") as file:
                inside, errors = self.known.containers.search(io.BufferedReader(_Whole(file.fileno())), head)
        return self._judge(matches, inside, errors, head, extension.lower())

    def _judge(
        self, matches: Sequence[tuple[Known, str]], inside: list[tuple[str, str]], errors: str, head: bytes,
        extension: str,
    ) -> Found:  # fmt: skip
        if inside:
            told = self.known.contained  # what lies inside says more of these than their first bytes
            seen = {puid for puid, _ in inside} | {known.puid for known, _ in matches if known.puid not in told}
            best = [pair for pair in inside if not self._beaten(pair[0], seen)]
            if best:
                return self._found([(self.known.by_puid[puid], words) for puid, words in best], "container",
                                   errors, extension)  # fmt: skip
        if matches:
            words = [(known, f"byte match by signature {name or known.name}") for known, name in matches]
            return self._found(words, "signature", errors, extension)
        named = self.known.by_extension.get(extension, []) if extension else []
        if head and (not named or any(one.puid == TEXT for one in named)) and is_text(head):
            return self._found([(self.known.by_puid[TEXT], "text match")], "text", errors, extension)
        weak = [one.puid for one in named if one.puid not in self.known.signed and one.puid != TEXT]
        match = "extension" if len(weak) == 1 else "none"
        candidates = weak if match == "extension" else [one.puid for one in named]
        return Found((), match, f"extension match {extension}" if match == "extension" else "", errors,
                     tuple(candidates))  # fmt: skip

    def _beaten(self, puid: str, others: set[str]) -> bool:
        return any(puid in self.puid_has_priority_over_map.get(other, ()) for other in others if other != puid)

    def _found(self, pairs: list[tuple[Known, str]], match: str, errors: str, extension: str) -> Found:
        """Of several that match equally well, those whose extension fits; each format once."""
        once = {known.puid: (known, words) for known, words in reversed(pairs)}
        chosen = [once[puid] for puid in dict.fromkeys(known.puid for known, _ in pairs)]
        fitting = [pair for pair in chosen if extension in pair[0].extensions] if len(chosen) > 1 else []
        chosen = fitting or chosen
        return Found(tuple(known for known, _ in chosen), match, chosen[0][1], errors, ())


class _Whole(io.RawIOBase):
    """A descriptor read by position: its own offset is nobody's business."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self._at, os.fstat(self._fd).st_size if whence == 2 else 0)[whence]
        if start + offset < 0:
            raise OSError("before the first byte")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._fd, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def is_text(head: bytes) -> bool:
    """Whether the first 4,096 bytes hold no control byte that text does not have, as ASCII and what extends it, as
    UTF-16 with its mark, or as EBCDIC."""
    looked = head[:_LOOKED_AT]
    if len(looked.translate(None, _NO_TEXT)) == len(looked):
        return True
    return (looked[:2] in _MARKS and _utf16(looked)) or not looked.translate(None, _EBCDIC)


def _utf16(looked: bytes) -> bool:
    big = looked[:2] == b"\xfe\xff"
    for at in range(2, len(looked) - 1, 2):
        unit = looked[at] << 8 | looked[at + 1] if big else looked[at + 1] << 8 | looked[at]
        if unit == 0xFFFE or (unit < 128 and unit in _NO_TEXT):
            return False
    return True


def _read(fd: int, start: int, length: int) -> bytes:
    parts = []
    while length > 0:
        data = os.pread(fd, length, start)
        if not data:
            break
        parts.append(data)
        start += len(data)
        length -= len(data)
    return b"".join(parts)


__all__ = ["BUFFER", "ENGINE_VERSION", "Engine", "Found", "is_text"]
