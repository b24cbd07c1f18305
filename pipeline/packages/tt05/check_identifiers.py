"""Rules of codes: bodies and their validity, years, archive bodies, closed fonds (ID-01 to -08)."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from pipeline.packages.tt05 import tables, values
from pipeline.packages.tt05.check_linked import fonds_of
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Document, Package
from pipeline.packages.tt05.places import place
from pipeline.packages.tt05.reading.descriptive import Described
from pipeline.workspace import now

_OLD: Final = re.compile(r"(?:^|\.)([0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-K][0-9]{2})(?=\.|$)")
_CODES: Final = frozenset(("fileCode", "docId", "docCode", "arcFileCode", "arcDocCode"))
_MOST_OF_BODY: Final = 35
"""Code points of a body identification code (QĐ 20/2020/QĐ-TTg)."""


def check_identifiers(package: Package, found: Findings) -> None:
    """The code of the package."""
    code, path = package.code, package.ead_path
    if not code or path is None or package.type.of == "DIP":
        return
    separator = package.settings.code_separator
    parts = values.segments(code, separator)
    latest = now().year
    _strange(found, path, package.ead, separator)
    if old := _OLD.search(code.replace(separator, ".") if separator else code):
        found.add("TT05-ID-06", path, found=old.group(1))
    elif parts[0] not in tables.bodies() or len(_body(parts, latest, separator)) > _MOST_OF_BODY:
        found.add("TT05-ID-01", path, found=code, expected=_meant(parts, latest))
    year = values.year_at(parts, latest)
    if package.type.value == "SIP_tailieu":
        _batch(found, path, parts, year, code)
    elif year is None and package.type.is_file:
        found.add("TT05-ID-02", path, found=code)
    if year is not None:
        _valid(found, path, package, parts[:year], int(parts[year]))
    if package.type.of == "AIP":
        _archival(package, found, path, code, separator)


class CodeRules:
    """The codes of documents: unusual characters, and the archive body that all of them begin with."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found
        self._separator = package.settings.code_separator
        self._archive = package.settings.archive_body
        own = package.code if package.type.of == "AIP" else ""
        self._first = values.segments(own, self._separator)[0]

    def see(self, document: Document) -> None:
        path = document.description
        if path is None:
            return
        _strange(self._found, path, document.described, self._separator)
        code = document.values.get("arcDocCode", "")
        if not code or self._package.type.of == "SIP":
            return
        if self._archive:
            if not _begins(code, self._archive, self._separator):
                self._found.add("TT05-ID-03", path, found=code, expected=self._archive)
            return
        first = values.segments(code, self._separator)[0]
        if not values.body_shaped(first) or (self._first and first != self._first):
            self._found.add("TT05-ID-03", path, found=code, expected=self._first or None)
        self._first = self._first or first

    def end(self) -> None:
        """What is compared is compared at once."""


def _archival(package: Package, found: Findings, path: bytes, code: str, separator: str) -> None:
    """The archive body in front, and the fonds code behind it once the fonds is closed."""
    archive = package.settings.archive_body
    if archive:
        if not _begins(code, archive, separator):
            found.add("TT05-ID-03", path, found=code, expected=archive)
    elif not values.body_shaped(values.segments(code, separator)[0]):
        found.add("TT05-ID-03", path, found=code)
    fonds = fonds_of(package)
    if package.settings.fonds_state == "closed" and fonds:
        behind = code[len(archive) + 1 :] if archive and _begins(code, archive, separator) else code
        held = separator + fonds + separator in separator + behind + separator
        if not held or (archive and not _begins(behind, fonds, separator)):
            found.add("TT05-ID-04", path, found=code, expected=fonds)


def _meant(parts: list[str], latest: int) -> str | None:
    """The place, where an administrative code stands for that of a body; with the body of a province."""
    year = values.year_at(parts, latest)
    day = date(int(parts[year]), 12, 31) if year is not None else now().date()
    known = place(parts[0], day) if parts[0].isdecimal() else None
    if known is None:
        return None
    province = place(known.province, day)
    body = known.committee or (province.committee if province is not None else "")
    return f"{known.name}: {body}" + ("…" if known.code != known.province else "")


def _begins(code: str, head: str, separator: str) -> bool:
    return code == head or code.startswith(head + separator)


def _body(parts: list[str], latest: int, separator: str) -> str:
    """What stands before the year."""
    year = values.year_at(parts, latest)
    return separator.join(parts[:year] if year is not None else parts[:1])


def _batch(found: Findings, path: bytes, parts: list[str], year: int | None, code: str) -> None:
    rest = parts[year + 1 :] if year is not None else []
    if len(rest) != 2 or not re.fullmatch("[0-9]{2}", rest[0]) or not re.fullmatch("[0-9]{7}", rest[1]):
        found.add("TT05-ID-07", path, found=code, expected="{body}.{YYYY}.{NN}.{NNNNNNN}")


def _valid(found: Findings, path: bytes, package: Package, before: list[str], year: int) -> None:
    """Whether the body existed in the year of the file; in an archive code it stands behind the archive's."""
    shaped = [part for part in before if part in tables.bodies()]
    if package.type.of == "AIP":
        shaped = shaped[1:]
    for code in shaped[-1:]:
        body = tables.bodies()[code]
        begins, ends = body.valid_from or "0000-01-01", body.valid_to or "9999-12-31"
        if not begins[:4] <= f"{year:04}" <= ends[:4]:
            span = f"{_day(body.valid_from)} – {_day(body.valid_to)}"
            span += f" → {body.successor}" if body.successor else ""
            found.add("TT05-ID-05", path, found=f"{code} ({year})", expected=span)


def _day(text: str) -> str:
    """A date of the table as people write it."""
    return "/".join(reversed(text.split("-"))) if text else "…"


def _strange(found: Findings, path: bytes, one: Described, separator: str) -> None:
    """Codes as they stand, with blanks at their edges."""
    allowed = {".", "-", "_", separator}
    for element in one.elements:
        code = values.composed(element.text)
        if element.name in _CODES and any(not char.isalnum() and char not in allowed for char in code):
            found.add("TT05-ID-08", path, line=element.line, found=code)
