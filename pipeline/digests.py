"""Digests of packages and the identifiers derived from them."""

from __future__ import annotations

import hashlib
import mmap
import re
import uuid
import zlib
from collections.abc import Callable, Generator, Iterable
from typing import Final, Protocol
from urllib.parse import quote_from_bytes

from pipeline.records import PackagePath

CHECK_SUMS: Final = {"crc32": zlib.crc32, "adler32": zlib.adler32}
"""Sums of 32 bits that METS and PREMIS name beside digests, as `begin` calls them."""

_HEX: Final = re.compile(r"(?:0x)?0*([0-9a-f]{1,8})")
_DECIMAL: Final = re.compile(r"0*([0-9]{1,10})")


class Running(Protocol):
    """A digest while bytes are read."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


class _Sum:
    def __init__(self, step: Callable[[bytes | memoryview, int], int], start: int) -> None:
        self._step = step
        self._value = start

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = self._step(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


def begin(name: str) -> Running:
    """A digest by its name in hashlib, or one of `CHECK_SUMS` (told as eight digits of lower-case hex)."""
    step = CHECK_SUMS.get(name)
    if step is not None:
        return _Sum(step, step(b""))
    return hashlib.new(name, usedforsecurity=False)


def buffers(size: int) -> tuple[memoryview, memoryview]:
    """Two for `ahead`, on whole pages."""
    return memoryview(mmap.mmap(-1, size)), memoryview(mmap.mmap(-1, size))


def ahead(fill: Callable[[memoryview], int], two: tuple[memoryview, memoryview]) -> Generator[memoryview]:
    """What `fill` puts into a buffer, until it puts nothing: the next is filled, in a thread, while this one is used.

    A view is good until the next one is asked for. What `fill` raises comes out here. To be closed (`closing`) before
    the source that `fill` reads.
    """
    from concurrent.futures import ThreadPoolExecutor

    turn = 0
    with ThreadPoolExecutor(1, "ahead") as reader:
        coming = reader.submit(fill, two[turn])
        while length := coming.result():
            full = two[turn][:length]
            turn ^= 1
            coming = reader.submit(fill, two[turn])
            yield full


def agrees(name: str, said: str, actual: str) -> bool:
    """Whether a digest that somebody wrote is the one that was computed (lower-case hex).

    No standard says how a sum of 32 bits is written: in hex of either case, with or without leading zeros or `0x`, or
    as the decimal number that Java and Python give.
    """
    said = said.strip().lower()
    if said == actual:
        return True
    if name not in CHECK_SUMS:
        return False
    value = int(actual, 16)
    in_hex, decimal = _HEX.fullmatch(said), _DECIMAL.fullmatch(said)
    return (in_hex is not None and int(in_hex[1], 16) == value) or (decimal is not None and int(decimal[1]) == value)


def package_digest(lines: Iterable[tuple[PackagePath, str, int]]) -> str:
    """SHA-256 over the lines `<sha256> <size> <percent-encoded path>` of (path, sha256, size), sorted by the line.

    Lines are sorted by path bytes as they come; the caller streams them in raw-byte order of paths.
    """
    total = hashlib.sha256()
    for path, sha256, size in lines:
        total.update(f"{sha256} {size} {quote_from_bytes(path, safe='/')}\n".encode())
    return total.hexdigest()


def ingest_id(archive: str, submission_digest: str, profile_digest: str) -> str:
    """UUIDv5 of archive, submission and profile."""
    return str(uuid.uuid5(uuid.UUID(archive), f"ingest {submission_digest} {profile_digest}"))


def aip_uuid(archive: str, submission_digest: str, number: int = 1) -> str:
    """UUIDv5 of archive and submission; `number` counts on where an earlier write is stranded."""
    return str(uuid.uuid5(uuid.UUID(archive), f"aip {submission_digest} {number}"))


def part_id(aip: str, what: str, ref: str) -> str:
    """Id of a thing inside an AIP: UUIDv5 of the AIP's UUID, the kind of thing and its path or key."""
    return str(uuid.uuid5(uuid.UUID(aip), f"{what} {ref}"))
