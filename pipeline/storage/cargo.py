"""What has to be in a store for a version to be there: from a sealed plan, or from a verified copy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.errors import SystemProblem
from pipeline.plan import Content, Plan
from pipeline.standards import ocfl
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import Store


@dataclass(frozen=True, slots=True)
class Piece:
    """A content file of an object: its path below the object root, and what it must be."""

    path: str
    sha256: str
    size: int
    content: Content | None = None


class Cargo(Protocol):
    """What has to be in a store for a version to be there; `pieces` may be asked again."""

    @property
    def urn(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def inventory(self) -> Path: ...
    @property
    def inventory_sha256(self) -> str: ...

    def pieces(self) -> Iterator[Piece]: ...
    def open(self, piece: Piece) -> BinaryIO: ...
    def generated(self) -> Iterator[tuple[Content, BinaryIO]]: ...
    def earlier(self) -> Iterator[tuple[int, bytes]]:
        """Inventories of earlier versions that a store without the object needs, too."""
        ...

    @property
    def first(self) -> int:
        """The version from which on this cargo holds content: a store must have all before."""
        ...

    def changed(self, piece: Piece, found: str) -> SystemProblem: ...


@dataclass(frozen=True, slots=True)
class FromPlan:
    plan: Plan

    @property
    def urn(self) -> str:
        return self.plan.urn

    @property
    def version(self) -> int:
        return self.plan.version

    @property
    def first(self) -> int:
        return self.plan.version

    @property
    def inventory(self) -> Path:
        return self.plan.inventory

    @property
    def inventory_sha256(self) -> str:
        return self.plan.inventory_sha256

    def pieces(self) -> Iterator[Piece]:
        for content in self.plan.contents():
            path = ocfl.content_path(self.plan.version, content.sha256)
            yield Piece(path, content.sha256, content.size, content)

    def open(self, piece: Piece) -> BinaryIO:
        assert piece.content is not None
        return self.plan.open(piece.content)

    def generated(self) -> Iterator[tuple[Content, BinaryIO]]:
        for content in self.plan.contents():
            if content.generated:
                yield content, self.plan.open(content)

    def earlier(self) -> Iterator[tuple[int, bytes]]:
        return iter(())

    def changed(self, piece: Piece, found: str) -> SystemProblem:
        local = piece.content.local if piece.content is not None else None
        path = local or piece.sha256
        return SystemProblem("SYS-SOURCE-CHANGED", path=path, expected=piece.sha256, found=found)


@dataclass(frozen=True, slots=True)
class FromCopy:
    source: Store
    urn: str
    version: int
    inventory: Path
    inventory_sha256: str

    @property
    def first(self) -> int:
        return 1

    def pieces(self) -> Iterator[Piece]:
        base = layout.prefix(self.urn)
        for digest, path in ocfl.read_inventory(self.inventory).manifest():
            head = self.source.head(base + path)
            if head is None:
                raise self._bad(path, digest, "-")
            yield Piece(path, digest, head.size)

    def open(self, piece: Piece) -> BinaryIO:
        return self.source.get(layout.prefix(self.urn) + piece.path)

    def generated(self) -> Iterator[tuple[Content, BinaryIO]]:
        return iter(())

    def earlier(self) -> Iterator[tuple[int, bytes]]:
        base = layout.prefix(self.urn)
        for number in range(1, self.version):
            try:
                data = self.source.read(f"{base}v{number}/{ocfl.INVENTORY}")
                stated = ocfl.sidecar_digest(self.source.read(f"{base}v{number}/{ocfl.SIDECAR}"))
            except KeyError:
                raise self._bad(f"v{number}/{ocfl.INVENTORY}", "-", "-") from None
            found = hashlib.sha256(data).hexdigest()
            if found != stated:
                raise self._bad(f"v{number}/{ocfl.INVENTORY}", stated or "-", found)
            yield number, data

    def changed(self, piece: Piece, found: str) -> SystemProblem:
        return self._bad(piece.path, piece.sha256, found)

    def _bad(self, path: str, expected: str, found: str) -> SystemProblem:
        return SystemProblem(
            "SYS-COPY-SOURCE", store=self.source.name, aip=self.urn, path=path, expected=expected, found=found
        )
