"""Zip archives, read by their central directory and checked against everything else they say of themselves."""

from __future__ import annotations

import bz2
import io
import stat
import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from pipeline.names import is_utf8
from pipeline.records import Finding, PackagePath
from pipeline.settings import Limits
from pipeline.tree.archive import CHUNK, Members, Source, member_path
from pipeline.tree.base import ContentDamage, Findings, special_kind

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")

_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_DESCRIPTOR = 0x0008
_UTF8 = 0x0800
_UNIX = (3, 19)
_MOST32 = 0xFFFFFFFF
_MOST16 = 0xFFFF
_DESCRIPTOR_BYTES = 24
"""Longest data descriptor: signature, CRC, two sizes of 8 bytes."""

_NTFS_EPOCH = 11_644_473_600


@dataclass(frozen=True, slots=True)
class _Record:
    """One line of the central directory."""

    name: bytes
    system: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    extra: bytes


@dataclass(frozen=True, slots=True)
class _End:
    """Where the central directory lies by the end record, after zip64 was looked at."""

    count: int
    size: int
    offset: int
    place: int


def is_zip(source: Source) -> bool:
    """Whether it begins as a zip, or ends as one behind something else (a self-extractor)."""
    start = source.at(0, 4)
    if start in (b"PK\3\4", b"PK\5\6", b"PK\7\x08"):
        return True
    place, after = _end_record(source)
    return place is not None and after == 0


class ZipArchive:
    """A checked zip; `stream` unpacks one member and compares size and CRC at its end."""

    carrier = "zip"

    def __init__(self, source: Source) -> None:
        self.members = Members()
        self._source = source

    def stream(self, index: int, path: PackagePath) -> BinaryIO:
        start, size, packed, crc, method = self.members.stored(index)
        unpacker = _Unpacked(self._source, path, start, size, packed, crc, method)
        return io.BufferedReader(unpacker, 1 << 18)

    def close(self) -> None:
        self._source.close()


def read_zip(source: Source, limits: Limits, findings: Findings) -> ZipArchive:
    """The index of a zip; every reason not to trust it is a finding."""
    archive = ZipArchive(source)
    end = _end(source, findings)
    if end is None:
        return archive
    if end.count > limits.files:
        findings.refuse("PKG-FILES", None, limits.files, end.count)
        return archive
    extents = _Extents()
    seen = 0
    for record in _central(source, end, findings):
        seen += 1
        if seen > limits.files:
            findings.refuse("PKG-FILES", None, limits.files, f"> {limits.files}")
            return archive
        _member(source, record, end, archive.members, extents, findings)
    if seen != end.count:
        findings.refuse("PKG-ZIP-DIRECTORY", None, end.count, seen)
    if not findings.fatal:
        extents.check(source, end.offset, findings)
    archive.members.settle(findings)
    return archive


def _end_record(source: Source) -> tuple[int | None, int]:
    """Place of the end record, and how many bytes follow the archive."""
    window = min(source.size, _END.size + _MOST16 + 1024)
    tail = source.at(source.size - window, window)
    loose: tuple[int | None, int] = (None, 0)
    place = tail.rfind(b"PK\5\6")
    while place >= 0:
        if place + _END.size <= len(tail):
            after = len(tail) - place - _END.size - int.from_bytes(tail[place + 20 : place + 22], "little")
            if after == 0:
                return source.size - window + place, 0
            if after > 0 and loose[0] is None:
                loose = (source.size - window + place, after)
        place = tail.rfind(b"PK\5\6", 0, place)
    return loose


def _end(source: Source, findings: Findings) -> _End | None:
    place, after = _end_record(source)
    if place is None:
        findings.refuse("PKG-ZIP-TRUNCATED")
        return None
    if after:
        findings.refuse("PKG-ZIP-TRAILING", found=after)
    _, disk, first, here, count, size, offset, _ = _END.unpack(source.at(place, _END.size))
    locator = source.at(place - _LOCATOR.size, _LOCATOR.size) if place >= _LOCATOR.size else b""
    if locator[:4] == b"PK\6\7":
        known = _END64.size
        at = _LOCATOR.unpack(locator)[2]
        record = source.at(at, known) if at + known <= place else b""
        if len(record) < known or record[:4] != b"PK\6\6":
            findings.refuse("PKG-ZIP-ZIP64")
            return None
        _, own, _, _, disk64, first64, here64, count64, size64, offset64 = _END64.unpack(record)
        pairs = ((disk, disk64, _MOST16), (first, first64, _MOST16), (here, here64, _MOST16), (count, count64, _MOST16),
                 (size, size64, _MOST32), (offset, offset64, _MOST32))  # fmt: skip
        if any(old not in (new, most) for old, new, most in pairs) or at + 12 + own != place - _LOCATOR.size:
            findings.refuse("PKG-ZIP-ZIP64")
            return None
        disk, first, here, count, size, offset, place = disk64, first64, here64, count64, size64, offset64, at
    if disk or first or here != count:
        findings.refuse("PKG-ZIP-SPLIT")
        return None
    if offset + size > place:
        findings.refuse("PKG-ZIP-TRUNCATED")
        return None
    if offset + size < place:
        findings.refuse("PKG-ZIP-PREFIX", found=place - offset - size)
        return None
    return _End(count, size, offset, place)


def _central(source: Source, end: _End, findings: Findings) -> Iterator[_Record]:
    """The lines of the central directory, until it ends or is broken (a finding)."""
    with source.reader(end.offset, end.size) as directory:
        while head := directory.read(_CENTRAL.size):
            if len(head) < _CENTRAL.size or head[:4] != b"PK\1\2":
                findings.refuse("PKG-ZIP-DIRECTORY")
                return
            (_, _, system, _, _, flags, method, _, _, crc, packed, size, of_name, of_extra, of_comment, disk, _,
             outer, offset) = _CENTRAL.unpack(head)  # fmt: skip
            name, extra = directory.read(of_name), directory.read(of_extra)
            if len(directory.read(of_comment)) < of_comment or len(name) < of_name or len(extra) < of_extra:
                findings.refuse("PKG-ZIP-DIRECTORY")
                return
            wide = _zip64(extra, (size, packed, offset), disk)
            if wide is None:
                findings.refuse("PKG-ZIP-ZIP64", found=name)
                continue
            size, packed, offset = wide
            yield _Record(name, system, flags, method, crc, packed, size, offset, outer >> 16, extra)


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        yield kind, extra[place + 4 : place + 4 + length]
        place += 4 + length


def _zip64(extra: bytes, narrow: tuple[int, int, int], disk: int) -> tuple[int, int, int] | None:
    """Size, packed size and offset, wide where the narrow ones are at their limit; None when they contradict."""
    wanted = [value for value in narrow if value == _MOST32]
    if not wanted and disk != _MOST16:
        return narrow if disk == 0 else None
    found = [data for kind, data in _fields(extra) if kind == 0x0001]
    if len(found) != 1 or len(found[0]) < 8 * len(wanted):
        return None
    wide = iter(struct.unpack_from(f"<{len(wanted)}Q", found[0]))
    size, packed, offset = (next(wide) if value == _MOST32 else value for value in narrow)
    if disk == _MOST16 and found[0][8 * len(wanted) :][:4] != b"\0\0\0\0":
        return None
    return size, packed, offset


def _true_name(record: _Record) -> bytes:
    """The bytes of the name: Info-ZIP's Unicode path where it belongs to this name, else as they are."""
    if not record.flags & _UTF8:
        for kind, data in _fields(record.extra):
            if kind == 0x7075 and len(data) > 5 and data[0] == 1:
                unicode = data[5:]
                if int.from_bytes(data[1:5], "little") == zlib.crc32(record.name) and is_utf8(unicode):
                    return unicode
    return record.name


def _mtime(extra: bytes) -> int | None:
    """Modification time where an extra field tells it in UTC; the DOS time has no zone and is not believed."""
    for kind, data in _fields(extra):
        if kind == 0x5455 and len(data) >= 5 and data[0] & 1:
            return int.from_bytes(data[1:5], "little", signed=True) * 10**9
        if kind == 0x000A and len(data) >= 16 and data[4:6] == b"\x01\x00":
            ticks = int.from_bytes(data[8:16], "little")
            return ticks * 100 - _NTFS_EPOCH * 10**9
    return None


def _member(
    source: Source, record: _Record, end: _End, members: Members, extents: _Extents, findings: Findings
) -> None:
    raw = _true_name(record)
    folder = raw.endswith(b"/")
    path = member_path(raw, findings, folder=folder, backslash=True)
    kind = record.mode if record.system in _UNIX else 0
    if stat.S_ISLNK(kind):
        findings.refuse("PKG-LINK", path, found=None if path else raw)
    elif stat.S_IFMT(kind) not in (0, stat.S_IFREG, stat.S_IFDIR):
        findings.refuse("PKG-SPECIAL", path, found=special_kind(kind))
    elif stat.S_IFMT(kind) and stat.S_ISDIR(kind) != folder:
        findings.refuse("PKG-FILE-AND-FOLDER", path)
    if record.flags & _ENCRYPTED:
        findings.refuse("PKG-ZIP-ENCRYPTED", path)  # with AES the method is 99
    elif record.method not in (_STORED, _DEFLATED, _BZIP2):
        findings.refuse("PKG-ZIP-METHOD", path, "0, 8, 12", record.method)
    plain = record.method == _STORED and not record.flags & _ENCRYPTED
    if (plain and record.packed != record.size) or (folder and record.size):
        findings.refuse("PKG-ZIP-SIZE", path, record.packed, record.size)
    start = _local(source, record, path, findings)
    if start is None:
        return
    if start + record.packed > end.offset:
        findings.refuse("PKG-ZIP-TRUNCATED", path)
        return
    extents.add(record.offset, start + record.packed, bool(record.flags & _DESCRIPTOR))
    if path is not None:
        members.add(path, start, record.size, record.packed, record.crc, record.method, _mtime(record.extra), folder)


def _local(source: Source, record: _Record, path: bytes | None, findings: Findings) -> int | None:
    """Where the member's bytes begin; a finding when its own header is not what the directory says."""
    head = source.at(record.offset, _LOCAL.size + len(record.name))
    if len(head) < _LOCAL.size or head[:4] != b"PK\3\4":
        findings.refuse("PKG-ZIP-LOCAL", path, "PK\\x03\\x04", head[:4])
        return None
    _, _, flags, method, _, _, crc, packed, size, of_name, of_extra = _LOCAL.unpack(head[: _LOCAL.size])
    name = head[_LOCAL.size :]
    if of_name != len(record.name) or name != record.name:
        findings.refuse("PKG-ZIP-LOCAL", path, record.name, name[:of_name])
        return None
    told = [(record.method, method), (record.flags & _ENCRYPTED & 1, flags & 1), (record.flags & 8, flags & 8)]
    if not flags & _DESCRIPTOR:
        told += [(record.crc, crc)]
        told += [(mine, its) for mine, its in ((record.packed, packed), (record.size, size)) if its != _MOST32]
    for mine, its in told:
        if mine != its:
            findings.refuse("PKG-ZIP-LOCAL", path, mine, its)
            return None
    return record.offset + _LOCAL.size + int(of_name) + int(of_extra)


class _Extents:
    """The stretches of the file that members take: they may neither overlap nor leave room for hidden ones."""

    def __init__(self) -> None:
        self._starts = array("Q")
        self._ends = array("Q")
        self._slack = array("B")

    def add(self, start: int, end: int, descriptor: bool) -> None:
        self._starts.append(start)
        self._ends.append(end)
        self._slack.append(descriptor)

    def check(self, source: Source, until: int, findings: Findings) -> None:
        before, slack = 0, 0
        for index in sorted(range(len(self._starts)), key=self._starts.__getitem__):
            start = self._starts[index]
            if start < before:
                findings.refuse("PKG-ZIP-OVERLAP", None, f"≥ {before}", start)
                return
            self._gap(source, before, start, slack, findings)
            before, slack = self._ends[index], _DESCRIPTOR_BYTES * self._slack[index]
        self._gap(source, before, until, slack, findings)

    def _gap(self, source: Source, start: int, end: int, slack: int, findings: Findings) -> None:
        if end - start <= slack:
            return
        if start == 0:
            findings.refuse("PKG-ZIP-PREFIX", found=end)
        elif b"PK\3\4" in source.at(start, min(end - start, CHUNK)):
            findings.refuse("PKG-ZIP-HIDDEN", found=start)
        else:
            findings.warn("PKG-ZIP-GAP", None, None, end - start)


class _Unpacked(io.RawIOBase):
    """The bytes of one member: never more than declared, compared with their CRC at the end."""

    def __init__(
        self, source: Source, path: PackagePath, start: int, size: int, packed: int, crc: int, method: int
    ) -> None:
        self._source = source
        self._path = path
        self._place = start
        self._packed = packed
        self._size = size
        self._crc = crc
        self._made = 0
        self._sum = 0
        self._tail = b""
        self._deflate = zlib.decompressobj(-15) if method == _DEFLATED else None
        self._bzip = bz2.BZ2Decompressor() if method == _BZIP2 else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if not len(view):
            return 0
        part = self._next(len(view))
        self._made += len(part)
        if self._made > self._size:
            raise ContentDamage(Finding("PKG-MEMBER-SIZE", self._path, None, str(self._size), f"> {self._size}"))
        self._sum = zlib.crc32(part, self._sum)
        if not part:
            self._finish()
        view[: len(part)] = part
        return len(part)

    def _next(self, most: int) -> bytes:
        """Some unpacked bytes, at most `most`; empty at the end."""
        if self._deflate is None and self._bzip is None:
            return self._fetch(most)
        try:
            while not self._ended():
                tail = self._tail
                if not tail and (self._bzip is None or self._bzip.needs_input):
                    tail = self._fetch(min(CHUNK >> 2, max(most, 4096)))
                    if not tail:
                        # What the decompressor still holds comes out on an empty call; nothing means cut short.
                        part = self._deflate.decompress(b"", most) if self._deflate else b""
                        if part:
                            return part
                        if self._ended():
                            return b""
                        raise ContentDamage(Finding("PKG-MEMBER-DAMAGED", self._path, found="cut short"))
                if self._deflate:
                    part = self._deflate.decompress(tail, most)
                    self._tail = self._deflate.unconsumed_tail
                else:
                    assert self._bzip is not None
                    part = self._bzip.decompress(tail, most)
                    self._tail = b""
                if part:
                    return part
        except (zlib.error, OSError, ValueError, EOFError) as problem:
            raise ContentDamage(Finding("PKG-MEMBER-DAMAGED", self._path, found=str(problem))) from None
        return b""

    def _ended(self) -> bool:
        return self._deflate.eof if self._deflate else self._bzip is not None and self._bzip.eof

    def _fetch(self, most: int) -> bytes:
        part = self._source.at(self._place, min(most, self._packed))
        self._place += len(part)
        self._packed -= len(part)
        return part

    def _finish(self) -> None:
        rest = self._packed or (self._deflate and self._deflate.unused_data) or (self._bzip and self._bzip.unused_data)
        if self._made != self._size or rest:
            raise ContentDamage(Finding("PKG-MEMBER-SIZE", self._path, None, str(self._size), str(self._made)))
        if self._sum != self._crc:
            finding = Finding("PKG-MEMBER-CRC", self._path, None, f"{self._crc:08x}", f"{self._sum:08x}")
            raise ContentDamage(finding)
