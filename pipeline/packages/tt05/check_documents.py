"""Rules of documents by their codes and dates: DOC-05 to -16 and MED-03. Numbers of pages are read with the formats."""

from __future__ import annotations

import re
from typing import Final

from pipeline.packages.tt05 import tables, values
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Document, Package
from pipeline.workspace import now

_PLAYED: Final = re.compile(r"[0-9]{2}:[0-5][0-9]:[0-5][0-9]")
_HEAD: Final = re.compile(r"[^\W\d_]+")
_MOST_GAPS: Final = 20
_DATES: Final = ("issuedDate", "photoTime", "recordDate")
DOC_ID: Final = 25
"""Code points of docId (QĐ 20/2020 leaves no more room in the annex)."""


class DocumentCodes:
    """Keeps ordinals and identifiers of all documents: one number and one hash each."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found
        self._today = now().date()
        self._separator = package.settings.code_separator
        self._ordinals: set[int] = set()
        self._codes: set[int] = set()
        self._ids: set[int] = set()
        self._whole = True
        self._year = values.year_of(package.code, self._today.year, self._separator)

    def see(self, document: Document) -> None:
        path = document.description
        if path is None or document.described.problem is not None:
            self._whole = False  # it has an ordinal that nobody can read, so none is known to be missing
            return
        told = document.values
        self._doc_code(path, told.get("docCode", ""))
        self._doc_id(path, told.get("docId", ""))
        self._ordinal(path, document)
        self._archival(path, document)
        self._process(path, document)
        self._dates(path, document)
        self._notation(path, document)
        if self._package.type.of == "DIP" and document.kind == "doc" and "organName" in document.described.names:
            self._found.add("TT05-DOC-14", path)
        played = told.get("playTime", "")
        if played and not _PLAYED.fullmatch(played):
            self._found.add("TT05-MED-03", path, found=played, expected="hh:mm:ss")

    def end(self) -> None:
        if self._package.type.of == "DIP" or not self._whole:
            return
        gaps: list[int] = []
        expected = 1
        for ordinal in sorted(self._ordinals):
            while expected < ordinal and len(gaps) <= _MOST_GAPS:
                gaps.append(expected)
                expected += 1
            expected = ordinal + 1
        if gaps:
            told = ", ".join(map(str, gaps[:_MOST_GAPS])) + (", …" if len(gaps) > _MOST_GAPS else "")
            self._found.add("TT05-DOC-08", self._package.ead_path, found=told)

    def _doc_code(self, path: bytes, code: str) -> None:
        """`fileCode` and an ordinal of seven digits; the year is the file's."""
        file = self._package.code
        if not code or not file or self._package.type.value != "SIP_hoso":
            return
        prefix = file + self._separator
        if not (code.startswith(prefix) and re.fullmatch("[0-9]{7}", code[len(prefix) :])):
            ordinal = values.ordinal(code, self._separator)
            expected = f"{prefix}{ordinal % 10_000_000:07}" if ordinal is not None else f"{prefix}0000001"
            self._found.add("TT05-DOC-05", path, found=code, expected=expected)
        year = values.year_of(code, self._today.year, self._separator)
        if year is not None and self._year is not None and year != self._year:
            self._found.add("TT05-DOC-06", path, found=year, expected=self._year)

    def _doc_id(self, path: bytes, code: str) -> None:
        if not code:
            return
        if hash(code) in self._ids:
            self._found.add("TT05-DOC-09", path, found=code)
        self._ids.add(hash(code))
        most = self._package.settings.lengths.get("docId", DOC_ID)
        if len(values.composed(code)) > most:
            self._found.add("TT05-DOC-10", path, found=code, expected=most)

    def _ordinal(self, path: bytes, document: Document) -> None:
        """Ordinals run over all kinds of documents. A DIP may hold documents of many files: its codes must differ."""
        told = document.values
        if self._package.type.of == "DIP":
            code = told.get("arcDocCode", "")
            if code and hash(code) in self._codes:
                self._found.add("TT05-DOC-07", path, found=code)
            self._codes.add(hash(code))
            return
        ordinal = values.whole(told.get("docOrdinal", ""))
        if ordinal is None:
            ordinal = values.ordinal(told.get("docCode") or told.get("arcDocCode") or "", self._separator)
        if ordinal is None:
            self._whole = False  # it has an ordinal that nobody can read, so none is known to be missing
            return
        if ordinal in self._ordinals:
            self._found.add("TT05-DOC-07", path, found=ordinal)
        self._ordinals.add(ordinal)

    def _archival(self, path: bytes, document: Document) -> None:
        """docOrdinal is the ordinal of docCode as a number; arcFileCode that of the package."""
        if self._package.type.of != "AIP":
            return
        told = document.values
        number, code = told.get("docOrdinal", ""), told.get("docCode", "")
        ordinal = values.ordinal(code, self._separator)
        if ordinal is not None and (given := values.whole(number)) is not None:
            padded = self._package.settings.doc_ordinal == "unpadded" and number != str(given)
            if given != ordinal:
                self._whole = False  # one of two numbers is wrong, so none is known to be missing
            if given != ordinal or padded:
                self._found.add("TT05-DOC-15", path, found=number, expected=ordinal)
        file = told.get("arcFileCode", "")
        if file and self._package.code and file != self._package.code:
            self._found.add("TT05-DOC-16", path, found=file, expected=self._package.code)

    def _process(self, path: bytes, document: Document) -> None:
        told = document.values
        if document.kind == "doc" and told.get("confidenceLevel") in ("01", "03") and not told.get("process"):
            self._found.add("TT05-DOC-11", path)

    def _dates(self, path: bytes, document: Document) -> None:
        for name in _DATES:
            told = document.values.get(name, "")
            when = values.period(told)
            if when is not None and (when.first > self._today or when.last.year < values.FIRST_YEAR):
                self._found.add("TT05-DOC-13", path, found=told)

    def _notation(self, path: bytes, document: Document) -> None:
        """The first letters of a notation name a type of Decree 30/2020, another one than typeName."""
        told = document.values
        known = tables.notations(self._package.settings.type_names)
        head = _HEAD.match(values.composed(told.get("codeNotation", "")))
        meant = known.get(head.group()) if head else None
        kind = told.get("typeName", "")
        if meant is not None and kind in tables.document_types(self._package.settings.type_names) and kind != meant:
            self._found.add("TT05-DOC-12", path, found=kind, expected=f"{told['codeNotation']} ({meant})")
