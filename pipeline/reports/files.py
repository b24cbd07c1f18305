"""Reports that a person asked for as files: planned before any work starts, written whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.reports.cells import Document
from pipeline.workspace import durable

KINDS = (".html", ".pdf", ".csv", ".xlsx")


def planned(files: Iterable[Path], packages: Sequence[Path]) -> tuple[Path, ...]:
    """The files, if each can be written. UsageProblem else: a kind that does not exist, no folder, a place inside
    a package (a submission is only read), the same file twice, no letters for a PDF."""
    made: list[Path] = []
    held = [Path(os.path.realpath(package)) for package in packages]
    for file in files:
        if file.suffix.lower() not in KINDS:
            raise UsageProblem("USE-REPORT-KIND", file=file, known=", ".join(KINDS))
        folder = file.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK) or file.is_dir():
            raise UsageProblem("USE-REPORT-FOLDER", file=file, folder=folder)
        place = Path(os.path.realpath(folder)) / file.name
        if any(place == package or package in place.parents for package in (*held, *map(_own, packages))):
            raise UsageProblem("USE-REPORT-INSIDE", file=file)
        if place in made:
            raise UsageProblem("USE-REPORT-TWICE", file=file)
        made.append(place)
        if file.suffix.lower() == ".pdf":
            from pipeline.reports import pdf

            pdf.ready()
    return tuple(made)


def write(file: Path, document: Document, office: str = "") -> None:
    """One report; its kind is the ending of its name. SystemProblem when it cannot be written."""
    kinds: dict[str, Callable[[BinaryIO], None]] = {
        ".html": lambda out: _html(document, out),
        ".pdf": lambda out: _pdf(document, out, office),
        ".csv": lambda out: _csv(document, out),
        ".xlsx": lambda out: _xlsx(document, out),
    }
    try:
        with durable(file) as out:
            kinds[file.suffix.lower()](out)
    except OSError as problem:
        raise SystemProblem("SYS-WRITE", file=file, cause=problem.strerror or problem) from problem


def _own(package: Path) -> Path:
    """Where a package's own name lies, also when that is a link."""
    return Path(os.path.realpath(package.parent)) / package.name


def _html(document: Document, out: BinaryIO) -> None:
    from pipeline.reports import validation_html

    _texted(out, "\n", lambda text: validation_html.page(document, text))


def _csv(document: Document, out: BinaryIO) -> None:
    from pipeline.reports import csv

    _texted(out, "", lambda text: csv.validation(document, text))


def _pdf(document: Document, out: BinaryIO, office: str) -> None:
    from pipeline.reports import pdf

    pdf.write(document, out, office)


def _xlsx(document: Document, out: BinaryIO) -> None:
    from pipeline.reports import xlsx

    xlsx.write(document, out)


def _texted(out: BinaryIO, newline: str, made: Callable[[Any], None]) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline=newline)
    made(text)
    text.flush()
    text.detach()
