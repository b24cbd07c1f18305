"""A package with more files than one AIP may have: how it could be handed over in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pipeline.names import shown
from pipeline.records import Finding, PackagePath
from pipeline.tree import Entry
from pipeline.tree.base import SAME_CODE


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbours in raw-byte order from `first` to `last` (a file, or a folder with its slash): so many files."""

    first: bytes
    last: bytes
    files: int

    @property
    def shown(self) -> str:
        ends = [shown(self.first)] if self.first == self.last else [shown(self.first), shown(self.last)]
        return " … ".join(ends)


@dataclass(slots=True)
class _Folder:
    """A folder on the current path: what lies in it so far, in one piece while it fits into one part."""

    path: bytes
    total: int = 0
    units: list[Part] = field(default_factory=list)


def too_many(
    entries: Callable[[], Iterable[Entry]], limit: int, is_payload: Callable[[PackagePath], bool]
) -> Iterator[Finding]:
    """PKG-SPLIT when a package has more than `limit` files, and a PKG-SPLIT-PART for each part that it could have.

    Descriptions and tag files are needed in every part: what is proposed leaves room for them. `entries` gives files
    and empty folders in raw-byte order, and is asked twice for a package that is too big.
    """
    files = payload = 0
    for entry in entries():
        if not entry.is_folder:
            files += 1
            payload += is_payload(entry.path)
    if files <= limit:
        return
    room = max(limit - (files - payload), limit // 2, 1)
    paths = (entry.path for entry in entries() if not entry.is_folder and is_payload(entry.path))
    parts = proposal(paths, room)
    yield Finding("PKG-SPLIT", None, None, str(limit), str(files))
    for number, part in enumerate(parts[:SAME_CODE], 1):
        told = f"{part.shown} ({part.files})"
        yield Finding("PKG-SPLIT-PART", PackagePath(part.first), None, f"{number}/{len(parts)}", told)
    if len(parts) > SAME_CODE:
        yield Finding("PKG-MORE", expected="PKG-SPLIT-PART", found=str(len(parts) - SAME_CODE))


def proposal(paths: Iterable[bytes], limit: int) -> list[Part]:
    """Files in raw-byte order as parts of at most `limit` files, in order.

    A folder that fits into one part is never cut; one that does not is taken apart at its subfolders, then at its
    files. Memory: a record for each of the units of the folders on the way, at most `limit` in each.
    """
    parts = _Parts(limit)
    for path in paths:
        parts.add(path)
    return list(parts.end())


class _Parts:
    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._stack = [_Folder(b"")]

    def add(self, path: bytes) -> None:
        while not path.startswith(self._stack[-1].path):
            self._close()
        start = len(self._stack[-1].path)
        while (end := path.find(b"/", start)) >= 0:
            self._stack.append(_Folder(path[: end + 1]))
            start = end + 1
        self._put(Part(path, path, 1))

    def end(self) -> list[Part]:
        while len(self._stack) > 1:
            self._close()
        root = self._stack[0]
        whole: list[Part] = []
        for unit in root.units:
            self._append(whole, unit)
        return whole

    def _put(self, unit: Part) -> None:
        folder = self._stack[-1]
        fitted = folder.total <= self._limit
        folder.total += unit.files
        if folder.total <= self._limit:
            folder.units.append(unit)
            return
        if fitted:
            # It will not be one piece any more: neighbours are put together from now on.
            units, folder.units = folder.units, []
            for one in units:
                self._append(folder.units, one)
        self._append(folder.units, unit)

    def _close(self) -> None:
        folder = self._stack.pop()
        if folder.total <= self._limit:
            self._put(Part(folder.path, folder.path, folder.total))
            return
        for unit in folder.units:
            self._put(unit)

    def _append(self, units: list[Part], unit: Part) -> None:
        """As one with its neighbour as long as both fit into one part."""
        if units and units[-1].files + unit.files <= self._limit:
            units[-1] = Part(units[-1].first, unit.last, units[-1].files + unit.files)
        else:
            units.append(unit)
