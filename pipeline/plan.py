"""A sealed AIP that is not stored yet: which bytes under which digest, and where they lie now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that the version adds: SHA-256 in lower-case hex, size in bytes.

    `local` is a file that holds them now, None when they come out of an archive (`Plan.open`).
    `generated` ones (METS, PREMIS, descriptions, documentation of ours) travel with the write intent.
    """

    sha256: str
    size: int
    local: Path | None
    generated: bool


class Plan(Protocol):
    """What storing needs to know; the inventory is sealed, so the version's bytes are decided to the last one."""

    @property
    def urn(self) -> str:
        """OCFL object id, `urn:uuid:…`."""
        ...

    @property
    def version(self) -> int: ...

    @property
    def inventory(self) -> Path:
        """File with the exact bytes of `vN/inventory.json` (= root inventory)."""
        ...

    @property
    def inventory_sha256(self) -> str: ...

    def contents(self) -> Iterator[Content]:
        """New content of this version, each digest once, in order of digest."""
        ...

    def open(self, content: Content) -> BinaryIO:
        """The bytes, from wherever they are."""
        ...
