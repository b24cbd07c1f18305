"""Bags by RFC 8493 are written: manifests, bag-info.txt, the tag manifests over them."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pipeline.names import inside, is_utf8
from pipeline.packages.bagit.manifests import PAYLOAD

ALGORITHMS = ("sha256", "sha512")
"""Of the manifests we write: RFC 8493 §2.4 wants SHA-512, everything else here speaks SHA-256."""

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class UnfitName(ValueError):
    """A name that no manifest in UTF-8 can hold."""


def encoded(path: bytes) -> bytes:
    """A path as a manifest writes it: LF, CR and `%` percent-encoded, nothing else (RFC 8493 §2.1.3).

    UnfitName for one that is not UTF-8, or is no path inside a bag.
    """
    if not is_utf8(path) or not inside(path):
        raise UnfitName(path)
    return path.replace(b"%", b"%25").replace(b"\n", b"%0A").replace(b"\r", b"%0D")


def escaped(path: bytes) -> bool:
    """Whether a manifest writes a path other than it is."""
    return any(mark in path for mark in b"%\n\r")


class BagWriter:
    """The tag files of one bag below `folder`; its payload is written by who asks, and told file by file.

    Use it as a context: manifests are open meanwhile. Memory does not grow with the bag.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = contextlib.ExitStack()
        self._manifests: dict[str, BinaryIO] = {}
        self._octets = self._files = 0
        self._last = b""
        self.plain = True
        """Whether all payload names stand in the manifests as they are."""

    def __enter__(self) -> BagWriter:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "data").mkdir(exist_ok=True)
        for algorithm in ALGORITHMS:
            path = self._folder / f"manifest-{algorithm}.txt"
            self._manifests[algorithm] = self._open.enter_context(path.open("wb"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def add(self, path: bytes, size: int, digests: Mapping[str, str]) -> None:
        """One payload file: its path in the bag (`data/…`), bytes, digests by algorithm in lower-case hex."""
        if not path.startswith(PAYLOAD):
            raise ValueError(f"not payload: {path!r}")
        written = encoded(path)
        for algorithm, manifest in self._manifests.items():
            manifest.write(f"{digests[algorithm]}  ".encode() + written + b"\n")
        self.plain = self.plain and not escaped(path)
        self._octets += size
        self._files += 1

    def finish(self, info: Iterable[tuple[str, str]]) -> list[str]:
        """Writes bag-info.txt (these fields and Payload-Oxum), bagit.txt, the tag manifests; names of all tag files."""
        self._open.close()
        fields = [*info, ("Payload-Oxum", f"{self._octets}.{self._files}")]
        lines = "".join(f"{label}: {one_line(value)}\n" for label, value in fields if one_line(value))
        (self._folder / "bag-info.txt").write_bytes(lines.encode())
        (self._folder / "bagit.txt").write_bytes(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        tags = sorted(["bag-info.txt", "bagit.txt", *(f"manifest-{algorithm}.txt" for algorithm in ALGORITHMS)])
        for algorithm in ALGORITHMS:
            listed = "".join(f"{_digest(self._folder / name, algorithm)}  {name}\n" for name in tags)
            (self._folder / f"tagmanifest-{algorithm}.txt").write_bytes(listed.encode())
        return [*tags, *(f"tagmanifest-{algorithm}.txt" for algorithm in ALGORITHMS)]


def one_line(value: str) -> str:
    """A value of bag-info.txt on one line."""
    return " ".join(_BREAKS.sub(" ", value.encode("utf-8", "replace").decode()).split())


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, algorithm).hexdigest()
