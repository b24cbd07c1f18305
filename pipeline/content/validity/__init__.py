"""Whether a file is what its format promises: one checker a family, three outcomes and nothing between them.

The checkers parse hostile bytes. They run in workers of the pool (`characterisation/worker.py`), or are programs in the
sandbox (`programs.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.records import Validity

PIXELS = 400_000_000
"""Images of more pixels are not decoded: an A0 sheet at 600 dpi has 559 million, one at 400 dpi 248 million."""

INFLATED = 4 << 30
"""Most bytes that a compressed container may unpack to before its check is given up."""

RATIO = 2000
"""Most bytes that one byte of a container may unpack to; deflate itself ends at 1,032, so zip bombs overlap or nest."""

Beat = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one check came to. `detail` in English for machines and events: what was checked, or what is broken.

    `rest` names the program that has to see the file before it may be called valid, empty when nothing is left.
    """

    outcome: Validity
    detail: str
    rest: str = ""


class Invalid(Exception):
    """The file breaks its format; the message says where and how."""


class Unchecked(Exception):
    """The check could not be made or finished, for a reason that is no fault of the file's structure."""


class Limit(Unchecked):
    """A limit of ours was met: the file is too big, or made to overload programs."""


def valid(detail: str, rest: str = "") -> Judgement:
    return Judgement(Validity.VALID, detail, rest)


def exactly(source: BinaryIO, length: int, what: str) -> bytes:
    """So many bytes, or Invalid: the file ends inside `what`."""
    data = source.read(length)
    if len(data) < length:
        raise Invalid(f"the file ends inside {what}: {len(data)} of {length} bytes")
    return data


def size_of(source: BinaryIO) -> int:
    """Bytes of the file; the position is its start afterwards."""
    size = source.seek(0, 2)
    source.seek(0)
    return size
