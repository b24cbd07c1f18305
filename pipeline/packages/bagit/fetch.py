"""fetch.txt: files that a bag says are to be had elsewhere. Nothing is ever fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.packages import Received
from pipeline.packages.bagit.manifests import PAYLOAD, Bag, Reader
from pipeline.packages.bagit.tagfiles import Declaration, Lines
from pipeline.records import Finding, PackagePath
from pipeline.tree import Tree

FETCH = PackagePath(b"fetch.txt")

_LINE = re.compile(r"(\S+)[ \t]+(\S+)[ \t]+(.+)", re.DOTALL)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s]+")
_LENGTH = re.compile(r"[0-9]{1,19}|-")


class Fetch:
    """The lines of fetch.txt, judged; `paths` are those that may be followed, with their lines."""

    def __init__(self) -> None:
        self.paths: dict[PackagePath, int] = {}

    def read(self, tree: Tree, received: Received, declared: Declaration, bag: Bag) -> Iterator[Finding]:
        """Faults of its lines; fills `paths`."""
        if bag.tags.find(FETCH) is None:
            return
        lines = Lines(tree, FETCH, declared.encoding)
        reader = Reader(declared)
        for number, text in lines:
            match = _LINE.fullmatch(text)
            if match is None:
                yield Finding("BAG-FETCH-01", FETCH, number, None, text[:200])
                continue
            url, length, rest = match.groups()
            if not _ABSOLUTE.fullmatch(url):
                yield Finding("BAG-FETCH-02", FETCH, number, None, url[:500])
            if not _LENGTH.fullmatch(length):
                yield Finding("BAG-FETCH-03", FETCH, number, None, length[:200])
            named = reader.name(rest, bag.payload)
            if isinstance(named, str):
                yield Finding(named, FETCH, number, None, rest[:500])
                continue
            for note in named.notes:
                yield Finding(note, FETCH, number, None, rest[:500])
            if not named.path.startswith(PAYLOAD):
                yield Finding("BAG-FETCH-05", FETCH, number, None, rest[:500])
                continue
            if named.path in self.paths:
                yield Finding("BAG-FETCH-08", FETCH, number, None, rest[:500])
            self.paths[named.path] = number
            entry = received.entry(named.path) if named.index is not None else None
            if entry is not None and length.isdigit() and int(length) != entry.size:
                yield Finding("BAG-FETCH-07", named.path, number, length[:20], str(entry.size))
        yield from lines.findings
