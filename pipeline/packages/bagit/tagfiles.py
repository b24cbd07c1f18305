"""Text tag files of bags: the declaration, lines in the declared encoding, the fields of bag-info.txt."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.records import Finding, PackagePath
from pipeline.tree import ContentDamage, Tree

VERSIONS = ("0.93", "0.94", "0.95", "0.96", "0.97", "1.0")
DECLARATION = PackagePath(b"bagit.txt")

_LONGEST = 1 << 17
"""Characters or bytes of the longest line we read: paths end at 4,096 bytes, values of people long before."""

_BOM = codecs.BOM_UTF8
_ENDS = re.compile(rb"\r\n|\r|\n")
_VERSION = re.compile(r"BagIt-Version[ \t]*:[ \t]*([0-9]+\.[0-9]+)[ \t]*")
_ENCODING = re.compile(r"Tag-File-Character-Encoding[ \t]*:[ \t]*(\S+)[ \t]*")
_CHARSET = re.compile(
    r"utf-?(?:8|16|32)(?:-?[lb]e)?|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]|"
    r"shift_jis|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5|macintosh|tcvn|viscii",
    re.IGNORECASE,
)
_WIDE = re.compile(r"utf-?(?:16|32)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `bagit.txt` says. `version` is empty when it says nothing we know; then the older rules are taken."""

    version: str
    encoding: str

    @property
    def strict(self) -> bool:
        """Whether RFC 8493 itself is the rule, not one of its drafts."""
        return self.version == "1.0"

    @property
    def info(self) -> PackagePath:
        """Name of the file with the bag's metadata."""
        return PackagePath(b"package-info.txt" if self.version in ("0.93", "0.94", "0.95") else b"bag-info.txt")


def small(tree: Tree, path: PackagePath, most: int = 1 << 16) -> bytes | None:
    """The beginning of a file; None when it is absent, empty when its carrier damaged it (found by the reading)."""
    try:
        with tree.open(path) as source:
            return source.read(most)
    except KeyError:
        return None
    except ContentDamage:
        return b""


def declaration(tree: Tree) -> tuple[Declaration, list[Finding]]:
    """The declaration and its faults."""
    found: list[Finding] = []

    def fault(code: str, line: int | None = None, expected: str | None = None, said: str | None = None) -> None:
        found.append(Finding(code, DECLARATION, line, expected, said))

    raw = small(tree, DECLARATION)
    if raw is None:
        fault("BAG-DECL-01")
        return Declaration("", "utf-8"), found
    if raw.startswith(_BOM):
        fault("BAG-DECL-02", 1)
        raw = raw[len(_BOM) :]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        fault("BAG-DECL-03")
        text = raw.decode("utf-8", "replace")
    lines = re.split(r"\r\n|\r|\n", text)
    if lines[-1] == "":
        lines.pop()
    first, second = (lines[index] if len(lines) > index else "" for index in (0, 1))
    version = _declared(_VERSION, lines)
    if not _VERSION.fullmatch(first):
        fault("BAG-DECL-04", 1, "BagIt-Version: 1.0", first[:200])
    if not _ENCODING.fullmatch(second):
        fault("BAG-DECL-05", 2, "Tag-File-Character-Encoding: UTF-8", second[:200])
    if len(lines) > 2:
        fault("BAG-DECL-06", 3, "2", str(len(lines)))
    if version and version not in VERSIONS:
        fault("BAG-DECL-08", 1, ", ".join(VERSIONS), version)
        version = ""
    if version == "1.0":
        for number, line in enumerate(lines[:2], 1):
            if (_VERSION.fullmatch(line) or _ENCODING.fullmatch(line)) and not re.fullmatch(r"\S+: \S+", line):
                fault("BAG-DECL-07", number, None, line[:200])
    encoding = _declared(_ENCODING, lines) or "UTF-8"
    codec = _codec(encoding)
    if codec is None:
        fault("BAG-DECL-09", 2, "UTF-8", encoding[:200])
    elif codec != "utf-8":
        fault("BAG-DECL-10", 2, "UTF-8", encoding)
    return Declaration(version, codec or "utf-8"), found


def _declared(pattern: re.Pattern[str], lines: list[str]) -> str:
    return next((match.group(1) for line in lines if (match := pattern.fullmatch(line))), "")


def _codec(name: str) -> str | None:
    """Python's name of a character set; None for what is none (Python also knows codecs that are not for text)."""
    if not _CHARSET.fullmatch(name):
        return None
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


class Lines:
    """The lines of one text tag file, without their ends; `findings` fills while they are read."""

    def __init__(self, tree: Tree, path: PackagePath, encoding: str) -> None:
        self.findings: list[Finding] = []
        self._tree = tree
        self._path = path
        self._encoding = encoding

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Line numbers from 1 and text, until the end or the first line that cannot be read."""
        number = 0
        wide = _WIDE.match(self._encoding) is not None
        codec = "utf-8" if wide else self._encoding
        try:
            with self._tree.open(self._path) as source:
                for raw in _split(_transcoded(source, self._encoding) if wide else _chunks(source)):
                    number += 1
                    if number == 1 and codec == "utf-8" and not wide and raw.startswith(_BOM):
                        self.findings.append(Finding("BAG-TAG-01", self._path, 1))
                        raw = raw[len(_BOM) :]
                    if len(raw) > _LONGEST:
                        self.findings.append(Finding("BAG-TAG-03", self._path, number, str(_LONGEST), str(len(raw))))
                        return
                    yield number, raw.decode(codec)
        except UnicodeError:
            # Not only UnicodeDecodeError: UTF-16 without its byte order mark is a bare UnicodeError.
            self.findings.append(Finding("BAG-TAG-02", self._path, number or 1, self._encoding))
        except ContentDamage:
            # The reading of all bytes has found it already; what comes after it cannot be judged.
            return


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(1 << 16):
        if chunk.endswith(b"\r"):
            chunk += source.read(1)
        yield chunk


def _transcoded(source: BinaryIO, encoding: str) -> Iterator[bytes]:
    """UTF-16 and UTF-32 as UTF-8: their bytes cannot be split at line ends."""
    decoder = codecs.getincrementaldecoder(encoding)()
    held = ""
    while chunk := source.read(1 << 16):
        text = held + decoder.decode(chunk)
        held = "\r" if text.endswith("\r") else ""
        yield (text[:-1] if held else text).encode("utf-8", "surrogatepass")
    yield (held + decoder.decode(b"", final=True)).encode("utf-8", "surrogatepass")


def _split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = _ENDS.split(rest + chunk)
        yield from whole
        if len(rest) > _LONGEST:
            # One line of any length would fill the memory: it is given out as it is and found too long.
            yield rest
            return
    if rest:
        yield rest


def fields(lines: Lines, path: PackagePath, strict: bool) -> Iterator[tuple[int, str, str] | Finding]:
    """The (line, label, value) of bag-info.txt in order, folded values joined by a space, and its faults."""
    label: str | None = None
    value = ""
    start = 0
    for number, text in lines:
        if text[:1] in (" ", "\t") and text.strip():
            if label is None:
                yield Finding("BAG-INFO-01", path, number, None, text[:200])
            else:
                value = f"{value} {text.strip()}".strip()
            continue
        if label is not None:
            yield start, label, value
            label = None
        if not text.strip():
            yield Finding("BAG-INFO-08", path, number)
            continue
        name, colon, rest = text.partition(":")
        if not colon or not name.strip():
            yield Finding("BAG-INFO-01", path, number, None, text[:200])
            continue
        if strict and name != name.strip():
            yield Finding("BAG-INFO-02", path, number, None, name[:200])
        if strict and rest[:1] not in (" ", "\t"):
            yield Finding("BAG-INFO-03", path, number, None, text[:200])
        label, value, start = name.strip(), rest.strip(), number
    if label is not None:
        yield start, label, value
