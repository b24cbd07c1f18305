"""Builds zips and tars for tests, byte by byte where no library would write such a thing."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import Limits
from pipeline.tree import Opened, open_tree

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a zip as it is written; None means the honest value."""

    name: bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    system: int = 3
    mode: int = 0o100644
    extra: bytes = b""
    local_name: bytes | None = None
    local_flags: int | None = None
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    shared: bool = False
    """Points at the bytes of the member before it."""


def raw_zip(
    members: list[Member], *, prefix: bytes = b"", gap: bytes = b"", suffix: bytes = b"", comment: bytes = b"",
    count: int | None = None, offset: int = 0, listed: int | None = None, shift: int = 0, disk: int = 0,
) -> bytes:  # fmt: skip
    """A zip of these members. `gap` lies before the central directory, `listed` members stand in it, `shift` is added
    to the place of the directory, `offset` to the place of each member."""
    body = bytearray(prefix)
    central = bytearray()
    place = 0
    for number, member in enumerate(members):
        squeezed = _squeezed(member)
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        size = len(member.data) if member.size is None else member.size
        if not member.shared:
            place = len(body)
            name = member.name if member.local_name is None else member.local_name
            flags = member.flags if member.local_flags is None else member.local_flags
            body += struct.pack(
                "<4s5H3L2H", b"PK\3\4", 20, flags, member.method, 0, 33, crc, len(squeezed), size, len(name), 0
            )
            body += name + squeezed
        if listed is None or number < listed:
            central += struct.pack(
                "<4s4B4H3L5H2L", b"PK\1\2", 20, member.system, 20, 0, member.flags, member.method, 0, 33, crc,
                len(squeezed), size, len(member.name), len(member.extra), 0, 0, 0, member.mode << 16, place + offset,
            )  # fmt: skip
            central += member.name + member.extra
    body += gap
    entries = len(members) if listed is None else listed
    told = entries if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, told, told, len(central), len(body) + shift, len(comment))
    return bytes(body + central + end + comment + suffix)


def _squeezed(member: Member) -> bytes:
    if member.packed is not None:
        return member.packed
    if member.method != 8:
        return member.data
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(member.data) + packer.flush()


def zip_of(files: Files, **kwargs: int) -> bytes:
    """A zip as the standard library writes it; a name that ends with `/` is a folder."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", kwargs.get("method", zipfile.ZIP_DEFLATED)) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return target.getvalue()


def tar_of(files: Files, mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar as the standard library writes it; a name that ends with `/` is a folder."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode, format=form) as packed:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name.rstrip("/"))
            info.size, info.mtime = len(data), 1_700_000_000
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            packed.addfile(info, io.BytesIO(data))
    return target.getvalue()


def header(name: bytes, size: int = 0, kind: bytes = b"0", link: bytes = b"", raw_size: bytes | None = None) -> bytes:
    """One tar header with its checksum."""
    block = bytearray(512)
    block[: len(name[:100])] = name[:100]
    block[100:108] = b"0000644\0"
    block[124:136] = raw_size if raw_size is not None else b"%011o\0" % size
    block[136:148] = b"%011o\0" % 1_700_000_000
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def tar_member(name: bytes, data: bytes = b"", kind: bytes = b"0", link: bytes = b"") -> bytes:
    return header(name, len(data), kind, link) + padded(data)


def pax(**records: bytes) -> bytes:
    """An extended header for the next member."""
    made = b""
    for key, value in records.items():
        record = b" " + key.replace("__", ".").encode() + b"=" + value + b"\n"
        length = len(record)
        while len(str(length)) + len(record) != length:
            length = len(str(length)) + len(record)
        made += str(length).encode() + record
    return tar_member(b"pax", made, b"x")


END = bytes(1024)


def kept(folder: Path, name: str, data: bytes) -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


def at(archive: bytes, folder: Path, name: str = "x", limits: dict[str, int] | None = None) -> Opened:
    """Those bytes as a file of that name, opened as a package."""
    return open_tree(kept(folder, name, archive), Limits(**(limits or {})), folder)


def contents(opened: Opened) -> dict[bytes, bytes | None]:
    """Each path of the tree with its bytes; None for a folder."""
    assert opened.tree is not None, opened.findings
    found: dict[bytes, bytes | None] = {}
    for entry in opened.tree.entries():
        found[entry.path] = None if entry.is_folder else opened.tree.open(entry.path).read()
        if not entry.is_folder:
            assert len(found[entry.path] or b"") == entry.size
    opened.tree.close()
    return found
