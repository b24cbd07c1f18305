"""Tar archives, plain or gzipped: an own reader of headers that guesses nothing.

The standard library's reader ends quietly at a broken header, reads extended headers of any size into memory and
follows negative sizes; none of that may happen to what somebody sends us.
"""

from __future__ import annotations

import os
import re
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import SystemProblem
from pipeline.records import PackagePath
from pipeline.settings import Limits
from pipeline.tree.archive import BOMB_FLOOR, CHUNK, Members, Source, member_path
from pipeline.tree.base import Findings, special_kind

BLOCK = 512
_EXTENDED_BYTES = 1 << 20
"""Longest extended header we read; real ones hold a name and some attributes."""

_ZEROS = bytes(CHUNK)
_OCTAL = re.compile(rb"[ \0]*([0-7]*)[ \0]*")
_DECIMAL = re.compile(rb"-?[0-9]{1,18}(?:\.[0-9]{1,20})?")
_DEVICES = {b"3": 0o020000, b"4": 0o060000, b"6": 0o010000}


def is_tar(start: bytes) -> bool:
    """Whether a file that begins so is a tar: a header with its checksum, or the zeros of an empty one."""
    return len(start) == BLOCK and (start == _ZEROS[:BLOCK] or _sum_fits(start))


def unpacked(source: Source, limits: Limits, scratch: Path | None, findings: Findings) -> Source | None:
    """What a gzip file holds, in a nameless file of `scratch`; None with the finding that forbids it.

    A position in a gzip stream is only reached through all that comes before: it is unpacked once, by budget.
    """
    try:
        with tempfile.TemporaryFile(dir=scratch) as target:
            if not _inflate(source, target, limits, findings):
                return None
            target.flush()
            return Source(os.dup(target.fileno()), b"tar.gz")
    except OSError as problem:
        where = scratch or tempfile.gettempdir()
        raise SystemProblem("SYS-WRITE", file=where, cause=problem.strerror or problem) from problem


def _inflate(source: Source, target: BinaryIO, limits: Limits, findings: Findings) -> bool:
    place, made = 0, 0
    stream = zlib.decompressobj(31)
    pending = b""
    while True:
        if not pending:
            pending = source.at(place, CHUNK)
            place += len(pending)
            if not pending:
                findings.refuse("PKG-GZ-TRUNCATED", found=made)
                return False
        try:
            part = stream.decompress(pending, CHUNK)
        except zlib.error as problem:
            findings.refuse("PKG-GZ-DAMAGED", found=problem)
            return False
        made += len(part)
        if made > limits.bytes:
            findings.refuse("PKG-BYTES", None, limits.bytes, f"> {limits.bytes}")
            return False
        if made > BOMB_FLOOR and made > limits.ratio * source.size:
            findings.refuse("PKG-BOMB", None, limits.ratio, f"> {limits.ratio}")
            return False
        target.write(part)
        pending = stream.unconsumed_tail
        if stream.eof:
            pending = stream.unused_data
            if len(pending) < 2:
                more = source.at(place, CHUNK)
                pending += more
                place += len(more)
            if pending[:1] == b"\0" and not pending.strip(b"\0") and _zeros_to_end(source, place):
                return True
            if not pending:
                return True
            if pending[:2] != b"\x1f\x8b":
                findings.refuse("PKG-GZ-TRAILING")
                return False
            stream = zlib.decompressobj(31)


@dataclass(slots=True)
class _Header:
    """One member as its header and the extended headers before it say."""

    name: bytes
    size: int
    type: bytes
    mtime_ns: int | None


@dataclass(slots=True)
class _Extended:
    """What extended headers say of the next member."""

    name: bytes | None = None
    pax: dict[bytes, bytes] = field(default_factory=dict)


class TarArchive:
    """A checked tar; members lie in it as they are."""

    def __init__(self, source: Source, carrier: str) -> None:
        self.carrier = carrier
        self.members = Members()
        self._source = source

    def stream(self, index: int, path: PackagePath) -> BinaryIO:
        start, size, *_ = self.members.stored(index)
        return self._source.reader(start, size)

    def close(self) -> None:
        self._source.close()


def read_tar(source: Source, limits: Limits, findings: Findings, carrier: str) -> TarArchive:
    """The index of a tar; every reason not to trust it is a finding."""
    archive = TarArchive(source, carrier)
    place = 0
    extended = _Extended()
    while True:
        block = source.at(place, BLOCK)
        if block == _ZEROS[:BLOCK]:
            if extended != _Extended():
                findings.refuse("PKG-TAR-DAMAGED", found=place)
            elif not _zeros_to_end(source, place):
                findings.refuse("PKG-TAR-TRAILING", found=place)
            break
        if len(block) < BLOCK:
            findings.refuse("PKG-TAR-TRUNCATED", found=source.size)
            break
        step = _member(source, place, block, extended, archive.members, findings)
        if step is None:
            break
        place, extended = step
        if place > source.size:
            findings.refuse("PKG-TAR-TRUNCATED", None, place, source.size)
            break
        if len(archive.members) > limits.files:
            findings.refuse("PKG-FILES", None, limits.files, f"> {limits.files}")
            break
    archive.members.settle(findings)
    return archive


def _member(
    source: Source, place: int, block: bytes, extended: _Extended, members: Members, findings: Findings
) -> tuple[int, _Extended] | None:
    """Takes one header; returns where the next lies and what this one says of it. None: broken, a finding."""
    header = _header(block)
    if header is None:
        findings.refuse("PKG-TAR-DAMAGED", found=place)
        return None
    start = place + BLOCK
    if header.type in (b"x", b"g", b"L", b"K"):
        if header.size > _EXTENDED_BYTES:
            findings.refuse("PKG-TAR-HEADER", None, _EXTENDED_BYTES, header.size)
            return None
        after = start + _rounded(header.size)
        data = source.at(start, header.size)
        if after > source.size:
            return after, extended
        if not _take(header.type, data, extended):
            findings.refuse("PKG-TAR-DAMAGED", found=place)
            return None
        return after, extended
    if not _apply(header, extended):
        findings.refuse("PKG-TAR-DAMAGED", found=place)
        return None
    folder = header.type == b"5" or (header.type in (b"0", b"\0") and header.name.endswith(b"/"))
    if folder and header.size:
        findings.refuse("PKG-TAR-DAMAGED", found=place)
        return None
    path = member_path(header.name, findings, folder=folder)
    has_data = header.type not in (b"1", b"2", b"3", b"4", b"6")
    after = start + _rounded(header.size) if has_data else start
    if header.type in (b"1", b"2"):
        findings.refuse("PKG-LINK", path, found=block[157:257].partition(b"\0")[0])
    elif header.type in _DEVICES:
        findings.refuse("PKG-SPECIAL", path, found=special_kind(_DEVICES[header.type]))
    elif header.type == b"S" or any(key.startswith(b"GNU.sparse.") for key in extended.pax):
        findings.refuse("PKG-SPARSE", path)
        if header.type == b"S":
            after = _past_sparse(source, block, start, header.size)
    elif header.type not in (b"0", b"\0", b"7", b"5"):
        findings.refuse("PKG-TAR-TYPE", path, found=header.type)
    elif path is not None:
        members.add(path, start, header.size, mtime_ns=header.mtime_ns, folder=folder)
    return after, _Extended()


def _past_sparse(source: Source, block: bytes, start: int, size: int) -> int:
    """Old GNU sparse members carry more maps after their header."""
    more = block[482:483] != b"\0"
    while more:
        follow = source.at(start, BLOCK)
        start += BLOCK
        more = len(follow) == BLOCK and follow[504:505] != b"\0"
    return start + _rounded(size)


def _sum_fits(block: bytes) -> bool:
    told = _number(block[148:156])
    plain = sum(block) - sum(block[148:156]) + 8 * 32
    if told == plain:
        return True
    signed = plain - 256 * sum(1 for byte in block[:148] + block[156:] if byte > 127)
    return told == signed


def _number(raw: bytes) -> int | None:
    """A numeric field: octal, or GNU's base 256; None when it is neither."""
    if raw[:1] == b"\x80":
        return int.from_bytes(raw[1:], "big")
    if raw[:1] == b"\xff":
        return int.from_bytes(raw, "big", signed=True)
    match = _OCTAL.fullmatch(raw)
    return None if match is None else int(match.group(1) or b"0", 8)


def _header(block: bytes) -> _Header | None:
    if not _sum_fits(block):
        return None
    size, mtime = _number(block[124:136]), _number(block[136:148])
    if size is None or size < 0 or size >= 2**63:
        return None
    name = block[:100].partition(b"\0")[0]
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return _Header(name, size, block[156:157], None if mtime is None else mtime * 10**9)


def _take(kind: bytes, data: bytes, extended: _Extended) -> bool:
    """Remembers an extended header; False when it is malformed or changes what no global header may."""
    if kind == b"L":
        extended.name = data.partition(b"\0")[0]
        return True
    if kind == b"K":
        return True
    records = _pax(data)
    if records is None:
        return False
    if kind == b"g":
        return not (records.keys() & {b"path", b"size", b"linkpath"})
    extended.pax.update(records)
    return True


def _pax(data: bytes) -> dict[bytes, bytes] | None:
    """Records `length key=value` of a PAX header; None when malformed."""
    found: dict[bytes, bytes] = {}
    place = 0
    while place < len(data):
        space = data.find(b" ", place, place + 12)
        if space < 0 or not data[place:space].isdigit():
            return None
        end = place + int(data[place:space])
        record = data[space + 1 : end]
        if end > len(data) or record[-1:] != b"\n" or b"=" not in record:
            return None
        key, _, value = record[:-1].partition(b"=")
        found[key] = value
        place = end
    return found


def _apply(header: _Header, extended: _Extended) -> bool:
    if extended.name is not None:
        header.name = extended.name
    header.name = extended.pax.get(b"path", header.name)
    size = extended.pax.get(b"size")
    if size is not None:
        if not size.isdigit() or len(size) > 18:
            return False
        header.size = int(size)
    mtime = extended.pax.get(b"mtime")
    if mtime is not None and _DECIMAL.fullmatch(mtime):
        whole, _, part = mtime.partition(b".")
        parts = int((part + b"0" * 9)[:9])
        header.mtime_ns = int(whole) * 10**9 + (-parts if whole.startswith(b"-") else parts)
    return True


def _rounded(size: int) -> int:
    return (size + BLOCK - 1) // BLOCK * BLOCK


def _zeros_to_end(source: Source, place: int) -> bool:
    while part := source.at(place, CHUNK):
        if part != _ZEROS[: len(part)]:
            return False
        place += len(part)
    return True
