"""`metadata/rights.csv`: rights and retention of the package, its folders and files, in Archivematica's columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.packages.folder.described import has, table_lines
from pipeline.packages.folder.encoded import table
from pipeline.packages.terms import fit, unfit
from pipeline.records import Finding, PackagePath, Right
from pipeline.standards.vocabularies import loc
from pipeline.tree import ContentDamage, Tree

CSV = PackagePath(b"metadata/rights.csv")

COLUMNS = (
    "file", "basis", "status", "determination_date", "jurisdiction", "start_date", "end_date", "terms", "citation",
    "note", "grant_act", "grant_restriction", "grant_start_date", "grant_end_date", "grant_note", "doc_id_type",
    "doc_id_value", "doc_id_role",
)  # fmt: skip

_BASES = {"policy": "institutional policy", "licence": "license"}
_ACTS = {
    "replicate": "replication", "migrate": "migration", "disseminate": "dissemination", "modify": "modification",
    "delete": "deletion", "display": "displaying", "print": "printing", "render": "rendering", "discover": "displaying",
    "publish": "dissemination",
}  # fmt: skip
"""How people and Archivematica write acts, as terms of the Library of Congress."""

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?|OPEN", re.IGNORECASE)
_DATES = ("determination_date", "start_date", "end_date", "grant_start_date", "grant_end_date")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `name` of what it is about as written, values by column without white space around them."""

    line: int
    name: str
    values: Mapping[str, str]

    @property
    def basis(self) -> str:
        """A term of the Library of Congress; `other` for what is none."""
        said = self.values.get("basis", "").lower()
        term = _BASES.get(said, said)
        return term if term in loc("rightsBasis") else "other"

    @property
    def act(self) -> str:
        """A term of the event types where there is one, else as written."""
        said = self.values.get("grant_act", "").lower()
        return _ACTS.get(said, said)

    @property
    def missing(self) -> tuple[str, ...]:
        """What PREMIS asks of such a basis and the row does not say."""
        wanted = {"copyright": ("status", "jurisdiction"), "statute": ("jurisdiction", "citation")}
        return tuple(name for name in wanted.get(self.basis, ()) if not self.values.get(name))


def rows(tree: Tree) -> Iterator[Row | Finding]:
    """All rows in order, and the faults of their form; nothing where there is no table."""
    if not has(tree, CSV):
        return
    line = 0
    try:
        with table(tree, CSV) as (source, about):
            yield from about
            if source is None:
                return
            reader = csv.reader(table_lines(source), strict=True)
            header: list[str] | None = None
            for cells in reader:
                line = reader.line_num
                if not any(cells):
                    continue
                if header is None:
                    header = [cell.strip().lower() for cell in cells]
                    if header[0] not in ("file", "filename") or "basis" not in header:
                        yield Finding("FLD-RIGHTS-HEADER", CSV, line, "file, basis", ", ".join(header)[:200])
                        return
                    header[0] = "file"
                    for name in header:
                        if name and name not in COLUMNS:
                            yield Finding("FLD-RIGHTS-COLUMN", CSV, line, None, fit(name)[:200])
                    continue
                if len(cells) != len(header):
                    yield Finding("FLD-RIGHTS-ROW", CSV, line, str(len(header)), str(len(cells)))
                    continue
                if unfit("".join(cells)):
                    yield Finding("FLD-META-CHARACTER", CSV, line)
                told = {name: fit(cell.strip()) for name, cell in zip(header, cells, strict=True) if cell.strip()}
                yield from _judged(Row(line, cells[0].strip(), {k: v for k, v in told.items() if k != "file"}))
            if header is None:
                yield Finding("FLD-RIGHTS-HEADER", CSV, 1, "file, basis", "")
    except UnicodeDecodeError:
        yield Finding("FLD-META-ENCODING", CSV, line + 1)
    except csv.Error as problem:
        yield Finding("FLD-CSV-SYNTAX", CSV, line + 1, None, str(problem))
    except ContentDamage:
        # The reading of all bytes has found it already.
        return


def _judged(row: Row) -> Iterator[Row | Finding]:
    said = row.values.get("basis", "")
    if not said:
        yield Finding("FLD-RIGHTS-BASIS", CSV, row.line, ", ".join(sorted(loc("rightsBasis"))), said)
    elif row.missing:
        yield Finding("FLD-RIGHTS-INCOMPLETE", CSV, row.line, ", ".join(row.missing), said[:200])
    if row.act and row.act not in loc("eventType"):
        yield Finding("FLD-RIGHTS-ACT", CSV, row.line, None, row.act[:200])
    for name in _DATES:
        value = row.values.get(name, "")
        if value and not _DATE.fullmatch(value):
            yield Finding("FLD-RIGHTS-DATE", CSV, row.line, name, value[:200])
    if said:
        yield row


def statement(row: Row, key: str, targets: tuple[PackagePath, ...]) -> Right:
    """The statement of one row; what PREMIS has no place for stands in its notes."""
    said = row.values
    document = (said.get("doc_id_type", ""), said.get("doc_id_value", ""), said.get("doc_id_role", ""))
    about = {name: said.get(name, "") for name in ("status", "jurisdiction", "citation", "terms")}
    dates = {name: _date(said.get(name, "")) for name in ("determination_date", "start_date", "end_date")}
    notes = [said["note"]] if "note" in said else []
    if row.basis == "other" and said["basis"].lower() != "other":
        notes.append(f"basis: {said['basis']}")
    homeless = {} if not row.missing else {**about, **dates, "document": " ".join(part for part in document if part)}
    places = {"copyright": ("status", "jurisdiction"), "statute": ("jurisdiction", "citation"), "license": ("terms",)}
    homeless |= {name: value for name, value in about.items() if name not in places.get(row.basis, ())}
    if row.basis not in ("copyright", "statute"):
        homeless["determination_date"] = dates["determination_date"]
    notes += [f"{name}: {value}" for name, value in homeless.items() if value]
    whole = {name: value for name, value in about.items() if name in places.get(row.basis, ()) and not row.missing}
    return Right(
        key, row.basis, row.act, "; ".join(notes), said.get("grant_note", ""),
        _date(said.get("grant_start_date", "")) or ("OPEN" if row.act else ""), _date(said.get("grant_end_date", "")),
        **whole,
        determined="" if row.missing or "determination_date" in homeless else dates["determination_date"],
        applies=("", "") if row.missing else (dates["start_date"], dates["end_date"]),
        documents=(document,) if document[1] and not row.missing else (),
        restriction=said.get("grant_restriction", ""), targets=targets,
    )  # fmt: skip


def _date(value: str) -> str:
    return "OPEN" if value.lower() == "open" else value
