"""The kind `folder`: any folder, with Dublin Core and checksums in `metadata/` where there are some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pipeline.names import Namer, inside, shown
from pipeline.packages import Received, Recognition
from pipeline.packages.folder import manual, rights
from pipeline.packages.folder.described import CSV, JSON, Row, has, rows
from pipeline.packages.folder.sums import Sums, present
from pipeline.packages.held import Held
from pipeline.packages.terms import fit
from pipeline.records import (
    Description,
    Finding,
    Origin,
    PackagePath,
    Placement,
    Reading,
    Representation,
    Right,
    Use,
)
from pipeline.tree import Tree

T = TypeVar("T", covariant=True)

_REPRESENTATION = "rep1"
_DATA = f"representations/{_REPRESENTATION}/data/".encode()
_DOCUMENTATION = b"documentation/submission/"
_LINKS = 500
"""So many files one rights statement links; more make further statements."""

_BESIDE = (b"metadata/", b"submissionDocumentation/")
"""Folders at the root that are about the content, not content."""

_WHOLE = ("", ".", "./", "objects", "objects/")
"""Names by which a row means the package."""


class Folder:
    """Plain folders, and whatever nobody else recognises. Stateless."""

    name = "folder"

    def recognise(self, tree: Tree) -> Recognition | None:
        return Recognition(self.name, "", "no mark of another kind at the root")

    def algorithms(self, tree: Tree) -> frozenset[str]:
        return frozenset(present(tree).values())

    def check(self, tree: Tree, received: Received) -> Iterator[Finding]:
        held = Held([entry.path for entry in received.entries() if not entry.is_folder])
        if all(path.startswith(_BESIDE) for path in held.paths):
            yield Finding("FLD-NO-DATA")
        yield from self._sums(tree, received, held)
        if has(tree, CSV) and has(tree, JSON):
            yield Finding("FLD-META-BOTH", CSV)
        met: set[bytes] = set()
        for row in rows(tree):
            if isinstance(row, Finding):
                yield row
                continue
            path, form = _meant(row.name, held, received)
            if path is None:
                yield Finding("FLD-META-TARGET", row.file, row.line, None, fit(row.name)[:500])
                continue
            if form:
                yield Finding("FLD-NAME-FORM", path, row.line, None, fit(row.name)[:500])
            if path in met:
                yield Finding("FLD-META-TWICE", row.file, row.line, None, fit(row.name)[:500])
            met.add(path)
        for right in rights.rows(tree):
            if isinstance(right, Finding):
                yield right
            elif _meant(right.name, held, received)[0] is None:
                yield Finding("FLD-RIGHTS-TARGET", rights.CSV, right.line, None, fit(right.name)[:500])

    def read(self, tree: Tree, received: Received) -> Reading:
        entries = list(received.entries())
        held = Held([entry.path for entry in entries if not entry.is_folder])
        named = Namer(lambda: (self.place(path).target for path in held.paths))
        empty = tuple(
            PackagePath(named(self.place(entry.path).target).removeprefix(_DATA))
            for entry in entries
            if entry.is_folder and self.place(entry.path).representation == _REPRESENTATION
        )
        copies = sorted({found for path in held.paths if (found := manual.purpose(path)) is not None})
        del entries

        def told() -> Iterator[Description]:
            whole, others = [], False
            for row in rows(tree):
                if isinstance(row, Row):
                    whole += list(row.terms) if row.name in _WHOLE else []
                    others = others or row.name not in _WHOLE
            if not any(term == "title" for term, _ in whole):
                whole.insert(0, ("title", fit(shown(tree.name))))
            yield Description(None, tuple(whole))
            for row in rows(tree) if others else ():
                if isinstance(row, Row) and row.name not in _WHOLE and row.terms:
                    path, _ = _meant(row.name, held, received)
                    if path is not None:
                        yield Description(named(self.place(path).target), row.terms)

        descriptions = _Told(told)
        first = next(iter(descriptions))
        title = next(value for term, value in first.terms if term == "title")
        representations = [Representation(_REPRESENTATION, empty)]
        representations += [Representation(f"{_REPRESENTATION}-{word}", (), _REPRESENTATION) for word in copies]
        origins = {
            named(self.place(copy).target): Origin(named(self.place(original).target))
            for copy, original in (manual.pairs(tree, held) if copies else ())
        }

        def granted() -> Iterator[Right]:
            for row in rights.rows(tree):
                if isinstance(row, rights.Row):
                    yield from self._rights(row, held, received, named)

        return Reading(title, tuple(representations), descriptions, rights=_Told(granted), origins=origins)

    def _rights(self, row: rights.Row, held: Held, received: Received, named: Namer) -> Iterator[Right]:
        """A row as statements: of the package, a file, or all files of a folder."""
        path, _ = _meant(row.name, held, received)
        if path is None:
            return
        files = [path] if held.find(path) is not None else [one for one in held.paths if one.startswith(path + b"/")]
        targets = [named(place.target) for one in files if (place := self.place(one)).representation is not None]
        if path and not targets:
            return
        for number, start in enumerate(range(0, len(targets), _LINKS) if path else (0,)):
            part = tuple(targets[start : start + _LINKS]) if path else ()
            yield rights.statement(row, f"rights/{row.line:06d}" + (f"/{number + 1}" if number else ""), part)

    def place(self, path: PackagePath) -> Placement:
        """Everything is data of `rep1` under its own path, but `metadata/` and `submissionDocumentation/`; copies below
        `manualNormalization/` are data of a representation of their own, which is called by what they are for."""
        word = manual.purpose(path)
        if word is not None:
            name = f"{_REPRESENTATION}-{word}"
            return Placement(path, Use.DATA, PackagePath(f"representations/{name}/data/".encode() + path), name)
        if _is_beside(path) or manual.is_table(path):
            return Placement(path, Use.DOCUMENTATION, PackagePath(_DOCUMENTATION + path))
        return Placement(path, Use.DATA, PackagePath(_DATA + path), _REPRESENTATION)

    def _sums(self, tree: Tree, received: Received, held: Held) -> Iterator[Finding]:
        files = present(tree)
        together = bytearray(len(held.paths))
        for path, algorithm in files.items():
            one = Sums(tree, received, held, path, algorithm)
            yield from one.findings()
            together = bytearray(a or b for a, b in zip(together, one.listed, strict=True))
        if files:
            for index, path in enumerate(held.paths):
                if not together[index] and not _is_beside(path):
                    yield Finding("FLD-SUM-UNLISTED", path)


class _Told(Iterable[T]):
    """Rows read from the package again each time they are asked for: a table of any length needs no memory."""

    def __init__(self, make: Callable[[], Iterator[T]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[T]:
        return self._make()


def _is_beside(path: bytes) -> bool:
    return (path + b"/").startswith(_BESIDE)


def _meant(name: str, held: Held, received: Received) -> tuple[PackagePath | None, bool]:
    """The file or folder that a name in a table means (empty path: the package); whether its Unicode form differs."""
    if name.strip() in _WHOLE:
        return PackagePath(b""), False
    raw = name.encode("utf-8", "surrogatepass").removeprefix(b"./").rstrip(b"/")
    bare = raw.strip(b" ")
    spelled = dict.fromkeys(
        # As it stands, without the blanks that tables are padded with, and as Archivematica names files of a bag.
        (raw, b"objects/" + raw, raw.removeprefix(b"objects/"), bare, b"objects/" + bare,
         bare.removeprefix(b"objects/"), bare.removeprefix(b"data/"))
    )  # fmt: skip
    paths = [PackagePath(path) for path in spelled if inside(path)]
    for path in paths:
        if held.find(path) is not None or held.is_folder(path) or received.entry(path) is not None:
            return path, False
    for path in paths:
        index = held.same_form(path)
        if index is not None:
            return held.paths[index], True
    return None, False
