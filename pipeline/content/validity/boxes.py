"""Boxes of the ISO base media file format and of JPEG 2000: length, kind, content."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.content.validity import Invalid, Limit, exactly

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box; its content lies from `start` to before `end`."""

    kind: bytes
    start: int
    end: int


def boxes(source: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes between two places of a file, which they have to fill exactly. Raises Invalid and Limit."""
    at = start
    number = 0
    while at < end:
        number += 1
        if number > _MOST:
            raise Limit(f"more than {_MOST} boxes")
        if end - at < 8:
            raise Invalid(f"byte {at}: {end - at} bytes are left behind the last box")
        source.seek(at)
        length, kind = struct.unpack(">I4s", exactly(source, 8, "a box"))
        body = at + 8
        if length == 1:
            length = struct.unpack(">Q", exactly(source, 8, "a box"))[0]
            body += 8
        elif length == 0:
            length = end - at
        name = kind.decode("latin-1")
        if at + length < body:
            raise Invalid(f"byte {at}: box {name!r} has length {length}")
        if at + length > end:
            raise Invalid(f"box {name!r} at byte {at} needs {length} bytes, {end - at} are there")
        yield Box(kind, body, at + length)
        at += length
