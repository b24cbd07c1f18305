"""One way to look at a package: entries in raw-byte order, bytes by path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.records import Finding, PackagePath


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or an empty folder (`size` 0). `mtime_ns` since the epoch, None when the carrier tells none."""

    path: PackagePath
    size: int
    mtime_ns: int | None = None
    is_folder: bool = False


class Tree(Protocol):
    """Folder, zip, tar, stored version or plan: validators, readers, export and audit take one."""

    @property
    def carrier(self) -> str:
        """What it came in: `folder`, `zip`, `tar`, `tar.gz`, `stored`, `plan`."""
        ...

    @property
    def name(self) -> bytes:
        """Raw name of the package: the folder's, or the archive's without its extensions."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Files and empty folders, sorted by raw path bytes."""
        ...

    def open(self, path: PackagePath) -> BinaryIO:
        """The bytes of one file; KeyError when there is none; SystemProblem when it cannot be read."""
        ...

    def local(self, path: PackagePath, scratch: Path) -> AbstractContextManager[Path]:
        """A real file with these bytes for programs that need one, in `scratch` if it has to be made."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """Result of opening what arrived: a tree, or None with the findings that say why it cannot be opened safely.

    Findings of level warning may stand beside a tree. `digest` is the SHA-256 of an archive file, None of a folder.
    """

    tree: Tree | None
    findings: tuple[Finding, ...]
    digest: str | None = None
