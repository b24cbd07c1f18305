"""Formats of ZIP and OLE2 files by what lies inside them: every file and every sequence of a container signature."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from lxml import etree

from pipeline.content.identification.fido import patterns
from pipeline.damage import ZIP_FAULTS

MOST_READ = 16 << 20
"""Bytes read of one member at most; a signature that asks for less gets less."""

MOST_ALTOGETHER = 64 << 20
"""Bytes read of all members of one container at most; what would come later counts as not readable."""

MOST_DIRECTORY = 32 << 20
"""Bytes of a ZIP's directory above which it is not opened: a few hundred thousand members."""

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_SLACK = 64
_FIRST = 4 << 10
_PART = 256 << 10
_TOKEN = re.compile(
    r"\s+|(?P<text>'[^']*'|\"[^\"]*\")|(?P<set>\[(?:'[^']*'|\"[^\"]*\"|[^\]'\"])*\])|(?P<byte>[0-9A-Fa-f]{2})"
    r"|(?P<any>\?\?)|(?P<star>\*)|(?P<gap>\{(?P<low>\d+)(?:-(?P<high>\d+|\*))?\})|(?P<mark>[()|])"
)
_INSIDE = re.compile(r"'([^']*)'|\"([^\"]*)\"|([0-9A-Fa-f]{2})|([:\-!&~])|\s+")


@dataclass(frozen=True, slots=True)
class Inner:
    """One file that a signature asks for; `need` bytes of it are enough to judge the expressions."""

    path: str
    expressions: tuple[bytes, ...]
    need: int


@dataclass(frozen=True, slots=True)
class Container:
    """One container signature: all its files must be there and match."""

    puid: str
    name: str
    inner: tuple[Inner, ...]


@dataclass(slots=True)
class Matcher:
    """Container signatures of one set, by kind (ZIP, OLE2)."""

    signatures: dict[str, list[Container]]
    _compiled: dict[bytes, re.Pattern[bytes]] = field(default_factory=dict)

    def search(self, file: IO[bytes], head: bytes) -> tuple[list[tuple[str, str]], str]:
        """Pairs (PUID, what matched) in the order of the signatures, and what is wrong with the container.

        Never raises for what a file holds. Nothing for a file that is no container.
        """
        try:
            if head.startswith(ZIP):
                return self._zip(file), ""
            if head.startswith(OLE2):
                return self._ole2(file), ""
        except (MemoryError, RecursionError):
            return [], "container too big to be opened"
        except Exception as problem:  # both libraries raise whatever damage makes them stumble over
            return [], f"container: {str(problem)[:200] or type(problem).__name__}"
        return [], ""

    def _zip(self, file: IO[bytes]) -> list[tuple[str, str]]:
        if _directory(file) > MOST_DIRECTORY:
            raise ValueError("too many members to be opened")
        with zipfile.ZipFile(file) as archive:
            asked = {inner.path for one in self.signatures["ZIP"] for inner in one.inner}
            folders = tuple(path for path in asked if path.endswith("/"))
            names: set[str] = set()
            for name in archive.namelist():
                if name in asked:
                    names.add(name)
                if name.startswith(folders):
                    names.update(folder for folder in folders if name.startswith(folder))

            def read(name: str, need: int) -> bytes:
                with archive.open(name) as member:
                    return _as_far_as_possible(member, need)

            return self._matches("ZIP", names, read)

    def _ole2(self, file: IO[bytes]) -> list[tuple[str, str]]:
        import olefile

        with olefile.OleFileIO(file) as archive:
            streams: dict[str, list[str]] = {}
            for path in archive.listdir(streams=True, storages=True):
                streams.setdefault("/".join(path), path)
                streams.setdefault("/".join(part.lstrip("".join(map(chr, range(32)))) for part in path), path)

            def read(name: str, need: int) -> bytes:
                return bytes(archive.openstream(streams[name]).read(need))

            return self._matches("OLE2", streams, read)

    def _matches(self, kind: str, names: Any, read: Callable[[str, int], bytes]) -> list[tuple[str, str]]:
        wanted: dict[str, int] = {}
        possible = [one for one in self.signatures[kind] if all(inner.path in names for inner in one.inner)]
        for one in possible:
            for inner in one.inner:
                wanted[inner.path] = max(wanted.get(inner.path, 0), inner.need)
        held: dict[str, bytes | None] = {}
        left = MOST_ALTOGETHER
        found = []
        for one in possible:
            for inner in one.inner:
                if inner.expressions and inner.path not in held:
                    try:
                        data = read(inner.path, min(wanted[inner.path], left)) if left else None
                        left -= len(data or b"")
                        held[inner.path] = data
                    except (*ZIP_FAULTS, OSError):
                        held[inner.path] = None  # encrypted, damaged or packed in an unknown way
                data = held.get(inner.path)
                if inner.expressions and (
                    data is None or not all(self._regex(text).search(data) for text in inner.expressions)
                ):
                    break
            else:
                names_ = ", ".join(inner.path + (" with bytes" if inner.expressions else "") for inner in one.inner)
                found.append((one.puid, f"container name {names_} ({one.name})"))
        return found

    def _regex(self, text: bytes) -> re.Pattern[bytes]:
        known = self._compiled.get(text)
        if known is None:
            known = self._compiled[text] = re.compile(text)
        return known


def read(converted: list[dict[str, Any]]) -> Matcher:
    """The matcher of what `convert` gave."""
    signatures: dict[str, list[Container]] = {"ZIP": [], "OLE2": []}
    for one in converted:
        inner = tuple(Inner(path, tuple(text.encode() for text in texts), need) for path, texts, need in one["inner"])
        signatures[one["kind"]] += [Container(puid, one["name"], inner) for puid in one["puids"]]
    return Matcher(signatures)


def convert(root: etree._Element, known: set[str]) -> list[dict[str, Any]]:
    """Container signatures as JSON, without those of formats that are not `known`. ValueError names the bad one."""
    puids: dict[str, list[str]] = {}
    for mapping in root.iterfind("FileFormatMappings/FileFormatMapping"):
        if mapping.get("Puid", "") in known:
            puids.setdefault(mapping.get("signatureId", ""), []).append(mapping.get("Puid", ""))
    found: list[dict[str, Any]] = []
    for signature in root.iterfind("ContainerSignatures/ContainerSignature"):
        number = signature.get("Id", "")
        if number not in puids:
            continue
        inner = []
        try:
            for file in signature.iterfind("Files/File"):
                sequences = file.iterfind("BinarySignatures/InternalSignatureCollection/InternalSignature/ByteSequence")
                texts = [_sequence(one) for one in sequences]
                need = max((patterns.width(text) if text.startswith(rb"(?s)\A") else MOST_READ for text in texts),
                           default=0)  # fmt: skip
                inner.append([file.findtext("Path") or "", [text.decode() for text in texts],
                              min(need + _SLACK, MOST_READ)])  # fmt: skip
        except (ValueError, re.error) as problem:
            raise ValueError(f"container signature {number}: {problem}") from problem
        name = " ".join((signature.findtext("Description") or "").split())
        found.append({"kind": signature.get("ContainerType"), "name": name, "puids": puids[number], "inner": inner})
    return found


def _sequence(sequence: etree._Element) -> bytes:
    """The expression of one byte sequence, for a search in the whole member."""
    reference = sequence.get("Reference") or ""
    parts: list[tuple[bytes, bytes]] = []
    for one in sorted(sequence.iterfind("SubSequence"), key=_position):
        text = regex(one.findtext("Sequence") or "")
        for fragment in sorted(one.iterfind("RightFragment"), key=_position):
            text += _between(fragment, "MinOffset", "MaxOffset") + regex(fragment.text or "")
        for fragment in sorted(one.iterfind("LeftFragment"), key=_position):
            text = regex(fragment.text or "") + _between(fragment, "MinOffset", "MaxOffset") + text
        parts.append((_between(one, "SubSeqMinOffset", "SubSeqMaxOffset"), text))
    if reference == "BOFoffset":
        whole = rb"\A" + b"".join(gap + text for gap, text in parts)
    elif reference == "EOFoffset":
        whole = b"".join(text + gap for gap, text in reversed(parts)) + rb"\Z"
    else:
        whole = b"".join((gap if number else b"") + text for number, (gap, text) in enumerate(parts))
    re.compile(b"(?s)" + whole)
    return b"(?s)" + whole


def _between(element: etree._Element, low: str, high: str) -> bytes:
    least, most = int(element.get(low) or 0), element.get(high)  # a greatest below the least stands for the least
    return b".{%d,%s}?" % (least, b"" if most is None else b"%d" % max(least, int(most)))


def _position(element: etree._Element) -> int:
    return int(element.get("Position") or 1)


def regex(sequence: str) -> bytes:
    """The expression of a sequence as container signatures write it: hex, quoted text, sets, gaps, choices."""
    found = b""
    at = 0
    while at < len(sequence):
        token = _TOKEN.match(sequence, at)
        if token is None:
            raise ValueError(f"not understood at {at}: {sequence[:80]}")
        at = token.end()
        if token["text"]:
            found += _bytes(token["text"][1:-1].encode("latin-1"))
        elif token["set"]:
            found += _set(token["set"][1:-1])
        elif token["byte"]:
            found += _bytes(bytes.fromhex(token["byte"]))
        elif token["any"]:
            found += b"."
        elif token["star"]:
            found += b".*?"
        elif token["gap"]:
            high = token["high"]
            least = token["low"].encode()
            found += b".{%s}" % least if high is None else b".{%s,%s}?" % (least, high.replace("*", "").encode())
        elif token["mark"]:
            found += b"(?:" if token["mark"] == "(" else token["mark"].encode()
    return found


def _set(inside: str) -> bytes:
    """One byte of a set: bytes, quoted characters, ranges of either, and bit masks."""
    tokens: list[bytes | str] = []
    at = 0
    while at < len(inside):
        token = _INSIDE.match(inside, at)
        if token is None:
            raise ValueError(f"not understood: [{inside}]")
        at = token.end()
        if token[1] is not None or token[2] is not None:
            tokens.append((token[1] if token[1] is not None else token[2]).encode("latin-1"))
        elif token[3]:
            tokens.append(bytes.fromhex(token[3]))
        elif token[4]:
            tokens.append(token[4])
    negated = bool(tokens) and tokens[0] == "!"
    chosen: set[int] = set()
    rest = tokens[1:] if negated else tokens
    number = 0
    while number < len(rest):
        one = rest[number]
        follows = rest[number + 1] if number + 1 < len(rest) else None
        if one in ("&", "~") and isinstance(follows, bytes):
            mask = follows[0]
            chosen |= {byte for byte in range(256) if (byte & mask == mask if one == "&" else byte & mask)}
            number += 2
        elif isinstance(one, bytes) and follows in (":", "-") and number + 2 < len(rest):
            last = rest[number + 2]
            if not isinstance(last, bytes) or len(one) != 1 or len(last) != 1:
                raise ValueError(f"not understood: [{inside}]")
            chosen |= set(range(one[0], last[0] + 1))
            number += 3
        elif isinstance(one, bytes):
            chosen |= set(one)
            number += 1
        else:
            raise ValueError(f"not understood: [{inside}]")
    return b"[" + (b"^" if negated else b"") + _bytes(bytes(sorted(chosen))) + b"]"


def _bytes(data: bytes) -> bytes:
    return b"".join(b"\\x%02x" % one for one in data)


def _as_far_as_possible(member: IO[bytes], need: int) -> bytes:
    """At most `need` bytes of a member: what comes before damage tells its format too. As `read` when nothing comes."""
    parts: list[bytes] = []
    have = 0
    try:
        while have < need and (part := member.read(min(need - have, _PART if parts else _FIRST))):
            parts.append(part)
            have += len(part)
    except (*ZIP_FAULTS, OSError):
        if not parts:
            raise
    return b"".join(parts)


def _directory(file: IO[bytes]) -> int:
    """Announced bytes of a ZIP's directory, by its last record; 0 when there is none."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        return 0
    announced = int(struct.unpack("<I", tail[at + 12 : at + 16])[0])
    return size if announced == 0xFFFFFFFF else announced
