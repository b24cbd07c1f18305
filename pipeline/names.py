"""Names inside packages: raw bytes, their portable form, and how people and METS see them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote_to_bytes

from pipeline.records import PackagePath

SEGMENT_BYTES = 255
"""Longest name of one file or folder on Linux, in bytes."""

_EXTENSION_BYTES = 32
"""A longer "extension" is part of the name."""

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""Control characters, and the two non-characters that XML 1.0 cannot hold."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~/-]+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def segments(path: bytes) -> list[bytes]:
    """The names between the slashes."""
    return path.split(b"/")


def inside(raw: bytes) -> bool:
    """Whether bytes can be a PackagePath: relative, no empty, `.` or `..` segment, no NUL."""
    return bool(raw) and b"\0" not in raw and not any(part in (b"", b".", b"..") for part in raw.split(b"/"))


def is_utf8(raw: bytes) -> bool:
    """Whether the bytes are well-formed UTF-8 (surrogates are not)."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def portable(path: PackagePath) -> PackagePath:
    """The path as every Linux file system and XML can hold it, UTF-8, each segment at most 255 bytes.

    Valid UTF-8 without control characters stays untouched (NFD stays NFD). In any other segment the offending
    bytes and `%` are percent-encoded. A segment above 255 bytes, also after encoding, is cut at a character and
    gets `~` + 8 hex of the SHA-256 of its raw bytes before the extension. Idempotent. Two raw paths can become
    the same one: `Namer` tells them apart.
    """
    if _fits(path):
        return path
    return PackagePath(b"/".join(part if _fits(part) else _segment(part, 0) for part in path.split(b"/")))


class Namer:
    """Portable paths of one package in which no two names meet, whatever the order they are asked in.

    `paths` gives all raw paths (files and empty folders) each time it is called. Names that `portable` leaves
    alone always keep theirs; one that it changes and that is taken gets `~` + 8 hex (more if that is taken too).
    Memory grows with the changed names only, and after construction with the taken ones only.
    """

    def __init__(self, paths: Callable[[], Iterable[PackagePath]]) -> None:
        self._rungs: dict[bytes, int] = {}
        open_: set[bytes] = {raw for raw in _prefixes(paths()) if not _fits(raw)}
        settled: set[bytes] = set()
        rung = 0
        while open_:
            wanted: dict[bytes, int] = {}
            for raw in open_:
                name = _renamed(raw, rung)
                wanted[name] = wanted.get(name, 0) + 1
            taken = {name for name, count in wanted.items() if count > 1}
            taken.update(raw for raw in _prefixes(paths()) if raw in wanted and _last_fits(raw))
            taken.update(name for name in map(self._sibling, settled) if name in wanted)
            settled |= {raw for raw in open_ if _renamed(raw, rung) not in taken}
            open_ = {raw for raw in open_ if _renamed(raw, rung) in taken}
            rung += 1
            self._rungs.update(dict.fromkeys(open_, rung))

    def __call__(self, path: PackagePath) -> PackagePath:
        """The portable path; equal to `portable(path)` unless a name on the way was taken."""
        if _fits(path):
            return path
        if not self._rungs:
            return portable(path)
        made: list[bytes] = []
        for end in (*(match.start() for match in re.finditer(b"/", path)), len(path)):
            raw = path[:end]
            part = raw.rpartition(b"/")[2]
            made.append(part if _fits(part) else _segment(part, self._rungs.get(raw, 0)))
        return PackagePath(b"/".join(made))

    def _sibling(self, raw: bytes) -> bytes:
        return _renamed(raw, self._rungs.get(raw, 0))


def shown(path: bytes) -> str:
    """The path for people: what cannot be seen (controls, bidi marks, odd blanks, undecodable bytes) as
    `\\x..` or `\\u....`, a backslash doubled. Never raises; distinct paths are shown distinctly."""
    text = path.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(_escaped(char) for char in text)


def raw(path: bytes) -> str | None:
    """The bytes percent-encoded where `shown` had to escape something, else None."""
    return None if shown(path).encode() == path else href(path)


def href(path: bytes) -> str:
    """The path as a relative URI reference: percent-encoded once; only unreserved characters and `/` stay."""
    return _UNSAFE.sub(lambda found: b"%" + found[0].hex("%").upper().encode(), path).decode()


def unhref(text: str, base: bytes = b"") -> PackagePath | None:
    """The path that a reference means, seen from the folder `base` inside the package.

    None for anything that does not stay in the package: schemes, absolute or climbing paths, drive letters,
    backslashes, queries, fragments, broken percent signs. `.` segments are dropped, `..` is followed inside.
    """
    if not text or _SCHEME.match(text) or _BAD_PERCENT.search(text) or any(char in text for char in "\\?#"):
        return None
    try:
        found = unquote_to_bytes(text.encode())
    except UnicodeEncodeError:
        return None
    if found.startswith(b"/") or b"\0" in found:
        return None
    made = base.split(b"/") if base else []
    for part in found.split(b"/"):
        if part == b"..":
            if not made:
                return None
            made.pop()
        elif part == b"":
            return None
        elif part != b".":
            made.append(part)
    return PackagePath(b"/".join(made)) if made else None


def _escaped(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    # A decoded C1 control or no-break space is written \u00.., so that it differs from the bare byte \x..
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _fits(path: bytes) -> bool:
    if len(path) > SEGMENT_BYTES and any(len(part) > SEGMENT_BYTES for part in path.split(b"/")):
        return False
    try:
        return _UNFIT.search(path.decode()) is None
    except UnicodeDecodeError:
        return False


def _last_fits(path: bytes) -> bool:
    return _fits(path.rpartition(b"/")[2])


def _renamed(raw: bytes, rung: int) -> bytes:
    """A prefix with its last name at this rung. Its parents stay raw: names meet only below one raw parent,
    since the parents themselves are told apart."""
    parent, slash, last = raw.rpartition(b"/")
    return parent + slash + _segment(last, rung)


def _prefixes(paths: Iterable[PackagePath]) -> Iterator[bytes]:
    """Each path and each folder above it, once where neighbours share it."""
    before = b""
    for path in paths:
        for match in re.finditer(b"/", path):
            folder = path[: match.start()]
            if not before.startswith(folder + b"/"):
                yield folder
        yield path
        before = path


def _pieces(raw: bytes) -> list[str]:
    """The characters of a name; where it has to be encoded, percent triples in place of what cannot stay."""
    text = raw.decode("utf-8", "surrogateescape")
    if _UNFIT.search(text) is None and is_utf8(raw):
        return list(text)
    made = []
    for char in text:
        if 0xDC80 <= ord(char) <= 0xDCFF:
            made.append(f"%{ord(char) - 0xDC00:02X}")
        elif char == "%" or _UNFIT.match(char):
            made.append("".join(f"%{byte:02X}" for byte in char.encode()))
        else:
            made.append(char)
    return made


def _segment(raw: bytes, rung: int) -> bytes:
    """A changed name: `rung` counts how many shorter forms of it were taken."""
    pieces = _pieces(raw)
    whole = "".join(pieces).encode()
    long = len(whole) > SEGMENT_BYTES
    if not long and rung == 0:
        return whole
    mark = b"~" + _mark(raw, rung + long).encode()
    stem, extension = _split(pieces)
    room = SEGMENT_BYTES - len(mark) - len(extension)
    return _cut(stem, room) + mark + extension


def _mark(raw: bytes, eights: int) -> str:
    """`eights` times 8 hex digits; where even 64 are taken, digits of the name with a counter."""
    if eights <= 8:
        return hashlib.sha256(raw).hexdigest()[: 8 * eights]
    return hashlib.sha256(raw + b"\0%d" % eights).hexdigest()


def _split(pieces: list[str]) -> tuple[list[str], bytes]:
    for index in range(len(pieces) - 1, 0, -1):
        if pieces[index] == ".":
            extension = "".join(pieces[index:]).encode()
            if 1 < len(extension) <= _EXTENSION_BYTES:
                return pieces[:index], extension
            break
    return pieces, b""


def _cut(pieces: list[str], room: int) -> bytes:
    """As many whole characters as fit; a base letter is not parted from its marks."""
    size = 0
    end = len(pieces)
    for index, piece in enumerate(pieces):
        size += len(piece.encode())
        if size > room:
            end = index
            break
    whole = end
    while 0 < end < len(pieces) and len(pieces[end]) == 1 and unicodedata.combining(pieces[end]):
        end -= 1
    return "".join(pieces[: end or whole]).encode()
