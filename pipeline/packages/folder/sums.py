"""`metadata/checksum.*`: digests the depositor took, in the formats of md5sum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from pipeline.names import inside
from pipeline.packages import Received
from pipeline.packages.held import Held
from pipeline.records import Finding, PackagePath
from pipeline.tree import ContentDamage, Tree

FILES = {
    PackagePath(b"metadata/checksum." + name): algorithm
    for name, algorithm in (
        (b"md5", "md5"), (b"sha1", "sha1"), (b"sha256", "sha256"), (b"sha512", "sha512"), (b"b2", "blake2b"),
    )
}  # fmt: skip
"""Checksum files by the names that Archivematica gives them; the last one is as b2sum writes it."""

_LINE = re.compile(rb"(\\?)([0-9A-Fa-f]+)[ \t]+(.+)", re.DOTALL)
_TAGGED = re.compile(rb"(\\?)([A-Za-z0-9-]+) ?\((.+)\) ?= ?([0-9A-Fa-f]+)", re.DOTALL)
"""What `md5sum --tag`, BSD and openssl write, and `md5sum --check` reads."""
_ESCAPED = re.compile(rb"\\[\\nr]")
_ESCAPES = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
_LONGEST = 1 << 16


def present(tree: Tree) -> dict[PackagePath, str]:
    """The checksum files of a package with their algorithms."""
    found = {}
    for path, algorithm in FILES.items():
        try:
            tree.open(path).close()
        except KeyError:
            continue
        found[path] = algorithm
    return found


class Sums:
    """One checksum file against the files of the package; `listed` marks those it names."""

    def __init__(self, tree: Tree, received: Received, held: Held, path: PackagePath, algorithm: str) -> None:
        self._tree = tree
        self._received = received
        self._held = held
        self._path = path
        self._algorithm = algorithm
        self._digits = hashlib.new(algorithm).digest_size * 2
        self._said: dict[int, str] = {}
        self.listed = bytearray(len(held.paths))

    def findings(self) -> Iterator[Finding]:
        number = 0
        try:
            with self._tree.open(self._path) as source:
                while line := source.readline(_LONGEST):
                    number += 1
                    if len(line) == _LONGEST:
                        yield Finding("FLD-SUM-LINE", self._path, number, None, "…")
                        return
                    line = line.removesuffix(b"\n").removesuffix(b"\r")
                    if number == 1:
                        line = line.removeprefix(b"\xef\xbb\xbf")
                    if line.strip():
                        yield from self._line(number, line)
        except ContentDamage:
            # The reading of all bytes has found it already.
            return

    def _line(self, number: int, line: bytes) -> Iterator[Finding]:
        escaped, said, name = self._parts(line)
        if len(said) != self._digits:
            yield Finding("FLD-SUM-LINE", self._path, number, str(self._digits), _text(line))
            return
        if escaped:
            name = _ESCAPED.sub(lambda found: _ESCAPES[found.group()], name)
        digest = said.decode().lower()
        candidates = _candidates(name)
        if not candidates:
            yield Finding("FLD-SUM-OUTSIDE", self._path, number, None, _text(name))
            return
        index = next((i for path in candidates if (i := self._held.find(path)) is not None), None)
        if index is None:
            index = next((i for path in candidates if (i := self._held.same_form(path)) is not None), None)
            if index is None:
                yield Finding("FLD-SUM-MISSING", candidates[0], number)
                return
            yield Finding("FLD-NAME-FORM", self._held.paths[index], number, None, _text(name))
        yield from self._met(index, number, digest)

    def _parts(self, line: bytes) -> tuple[bytes, bytes, bytes]:
        """Mark of escapes, digest and name; no digest where the line is of neither form, or of another algorithm."""
        tagged = _TAGGED.fullmatch(line)
        if tagged is not None:
            escaped, algorithm, name, said = tagged.groups()
            own = algorithm.lower().replace(b"-", b"").decode() == self._algorithm
            return escaped, said if own else b"", name
        match = _LINE.fullmatch(line)
        return (match[1], match[2], match[3]) if match is not None else (b"", b"", b"")

    def _met(self, index: int, number: int, digest: str) -> Iterator[Finding]:
        path = self._held.paths[index]
        true = self._received.digest(path, self._algorithm)
        if self.listed[index]:
            before = self._said.get(index, true)
            yield Finding("FLD-SUM-TWICE" if before == digest else "FLD-SUM-CONTRADICTS", path, number, before, digest)
            return
        self.listed[index] = 1
        if digest != true:
            self._said[index] = digest
            # None: the carrier has damaged the bytes, which the reading has found already.
            if true is not None:
                yield Finding("FLD-SUM-DIGEST", path, number, digest, true)


def _candidates(name: bytes) -> list[PackagePath]:
    """What a name can mean: from the package, from `objects/`, from `metadata/` where the file lies; with md5sum's
    `*` of binary mode or as part of the name."""
    found: list[PackagePath] = []
    for spelled in (name, name[1:]) if name.startswith(b"*") else (name,):
        while spelled.startswith(b"./"):
            spelled = spelled[2:]
        for path in (spelled, b"objects/" + spelled, spelled.removeprefix(b"../")):
            if inside(path) and path not in found:
                found.append(PackagePath(path))
    return found if found else []


def _text(raw: bytes) -> str:
    return raw[:500].decode("utf-8", "replace")
