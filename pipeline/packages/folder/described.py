"""`metadata/metadata.csv` and `metadata/metadata.json`: Dublin Core about the package, its folders and files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.packages.folder.encoded import table
from pipeline.packages.terms import element, fit, unfit
from pipeline.records import Finding, PackagePath
from pipeline.settings import PROJECT
from pipeline.tree import ContentDamage, Tree

CSV = PackagePath(b"metadata/metadata.csv")
JSON = PackagePath(b"metadata/metadata.json")

_LONGEST_LINE = 1 << 20
_LARGEST_JSON = 32 << 20
"""A JSON document is held whole while it is judged; bigger descriptions are sent as CSV."""

_MOST_FAULTS = 100

_NAMED = ("filename", "parts")
"""What the column of names is called: of files, and of the folders that Archivematica calls compound objects."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a table says about one thing: `name` as written, empty for the package; `terms` as Description's."""

    file: PackagePath
    line: int | None
    name: str
    terms: tuple[tuple[str, str], ...]


def has(tree: Tree, path: PackagePath) -> bool:
    """Whether the package holds this file."""
    try:
        tree.open(path).close()
    except KeyError:
        return False
    return True


def rows(tree: Tree) -> Iterator[Row | Finding]:
    """All rows of both files in order, and the faults of their form; nothing where there is neither."""
    if has(tree, CSV):
        yield from _table(tree)
    if has(tree, JSON):
        yield from _document(tree)


def table_lines(source: io.TextIOBase) -> Iterator[str]:
    """Lines of a table; csv.Error for one that is too long."""
    while line := source.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise csv.Error(f"a line is longer than {_LONGEST_LINE} characters")
        yield line


def _table(tree: Tree) -> Iterator[Row | Finding]:
    line = 0
    try:
        with table(tree, CSV) as (source, about):
            yield from about
            if source is None:
                return
            reader = csv.reader(table_lines(source), strict=True)
            header: list[str] | None = None
            terms: list[str | None] = []
            for cells in reader:
                line = reader.line_num
                if not any(cells):
                    continue
                if header is None:
                    header = [cell.strip() for cell in cells]
                    if header[0].lower() not in _NAMED:
                        yield Finding("FLD-CSV-HEADER", CSV, line, "filename", header[0][:200])
                        return
                    terms = [element(name) if name else None for name in header]
                    for name, term in zip(header[1:], terms[1:], strict=True):
                        if name and term is None:
                            yield Finding("FLD-CSV-COLUMN", CSV, line, None, name[:200])
                    continue
                if len(cells) != len(header):
                    yield Finding("FLD-CSV-ROW", CSV, line, str(len(header)), str(len(cells)))
                    continue
                if unfit("".join(cells)):
                    yield Finding("FLD-META-CHARACTER", CSV, line)
                pairs = zip(terms[1:], cells[1:], strict=True)
                yield Row(
                    CSV, line, cells[0], tuple((term, cell.strip()) for term, cell in pairs if term and cell.strip())
                )
            if header is None:
                yield Finding("FLD-CSV-HEADER", CSV, 1, "filename", "")
    except UnicodeDecodeError:
        yield Finding("FLD-META-ENCODING", CSV, line + 1)
    except csv.Error as problem:
        yield Finding("FLD-CSV-SYNTAX", CSV, line + 1, None, str(problem))
    except ContentDamage:
        # The reading of all bytes has found it already.
        return


class _Twice(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return made


def _document(tree: Tree) -> Iterator[Row | Finding]:
    try:
        with tree.open(JSON) as source:
            raw = source.read(_LARGEST_JSON + 1)
    except ContentDamage:
        return
    if len(raw) > _LARGEST_JSON:
        yield Finding("FLD-JSON-SIZE", JSON, None, str(_LARGEST_JSON), f"> {_LARGEST_JSON}")
        return
    try:
        value = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError as problem:
        yield Finding("FLD-META-ENCODING", JSON, raw.count(b"\n", 0, problem.start) + 1)
        return
    except json.JSONDecodeError as problem:
        yield Finding("FLD-JSON-SYNTAX", JSON, problem.lineno, None, problem.msg)
        return
    except _Twice as problem:
        yield Finding("FLD-JSON-TWICE", JSON, None, None, fit(str(problem))[:200])
        return
    except (RecursionError, ValueError) as problem:
        yield Finding("FLD-JSON-SYNTAX", JSON, None, None, str(problem)[:200])
        return
    faults = 0
    for fault in _validator().iter_errors(value):
        place = "/".join(str(part) for part in fault.absolute_path)
        yield Finding("FLD-JSON-SCHEMA", JSON, None, None, fit(f"{place}: {fault.message}")[:500])
        faults += 1
        if faults == _MOST_FAULTS:
            break
    if not faults:
        yield from _listed(value) if isinstance(value, list) else _keyed(value)


def _keyed(value: dict[str, Any]) -> Iterator[Row | Finding]:
    named = [("", value["package"])] if "package" in value else []
    for name, terms in (*named, *value.get("files", {}).items()):
        yield from _row(name, [(element(term), said) for term, said in terms.items()])


def _listed(value: list[dict[str, Any]]) -> Iterator[Row | Finding]:
    unknown: set[str] = set()
    for item in value:
        pairs = [(element(name), said) for name, said in item.items() if name not in _NAMED]
        unknown.update(name for name in item if name not in _NAMED and element(name) is None)
        yield from _row(item["filename"] if "filename" in item else item["parts"], pairs)
    for name in sorted(unknown):
        yield Finding("FLD-CSV-COLUMN", JSON, None, None, fit(name)[:200])


def _row(name: str, pairs: list[tuple[str | None, Any]]) -> Iterator[Row | Finding]:
    terms = [
        (term, text.strip())
        for term, said in pairs
        for text in (said if isinstance(said, list) else [said])
        if term is not None and text.strip()
    ]
    if any(unfit(text) for _, text in terms) or unfit(name):
        yield Finding("FLD-META-CHARACTER", JSON)
    yield Row(JSON, None, name, tuple(terms))


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    with (PROJECT / "schemas" / "metadata.schema.json").open("rb") as source:
        return Draft202012Validator(json.load(source))
