"""Rules of every descriptive file, one element after the other: EAD-01 to -08, -11, -16, -20, -22 to -26, and what
stands for them in documents (DOC-01 to -04), pictures (PIC-01, -02) and sound (MED-01, -02)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.packages.tt05 import tables, texts, values
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Document, Package
from pipeline.packages.tt05.reading.descriptive import Described, Element
from pipeline.packages.tt05.tables import FRAME, Field, FieldSet
from pipeline.records import Level

FEW: Final = 2
"""So many elements may be missing before a set counts as that of another type."""


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of one kind of description: set of elements, missing value, length, code list."""

    set: str
    missing: str
    length: str
    list: str


CODES: Final[Mapping[str, Codes]] = {
    "ead": Codes("TT05-EAD-24", "TT05-EAD-03", "TT05-EAD-05", "TT05-EAD-06"),
    "doc": Codes("TT05-DOC-01", "TT05-DOC-02", "TT05-DOC-03", "TT05-DOC-04"),
    "pic": Codes("TT05-PIC-01", "TT05-DOC-02", "TT05-DOC-03", "TT05-PIC-02"),
    "media": Codes("TT05-MED-01", "TT05-DOC-02", "TT05-DOC-03", "TT05-MED-02"),
}
_OTHER_ANNEX: Final = {"AIP_hoso": "AIP_tailieu", "AIP_tailieu": "AIP_hoso"}
_OWN_LENGTH: Final = frozenset(("docId", "playTime"))
"""Elements whose length has a rule of its own (DOC-10, MED-03)."""

_LONGEST_LIST: Final = 2000
"""Letters of a list of codes that is still taken apart."""

_TAILS: Final = ("paperFileCode", "description", "riskRecovery", "riskRecoveryStatus")
"""The end of the set of 5.2, which two readers give in two orders."""


def check_description(package: Package, found: Findings) -> None:
    """The rules of every descriptive file, for EAD.xml."""
    if package.ead_path is not None:
        judge(package, found, package.ead_path, "ead", package.ead)


class DescriptionRules:
    """The rules of every descriptive file, for those of documents."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found

    def see(self, document: Document) -> None:
        if document.description is not None:
            judge(self._package, self._found, document.description, document.kind, document.described)

    def end(self) -> None:
        """Nothing is compared across documents here."""


def judge(package: Package, found: Findings, path: bytes, kind: str, one: Described) -> None:
    """One descriptive file."""
    if one.problem is not None:
        line, why = one.problem
        found.add("TT05-EAD-01", path, line=line, found=why)
        return
    if one.root != "simpledc":
        found.add("TT05-EAD-02", path, line=1, found=one.root, expected="simpledc")
    fields = _set(package, found, path, kind, one)
    seen: set[str] = set()
    for element in one.elements:
        if element.name in seen:
            found.add("TT05-EAD-04", path, line=element.line, element=element.name)
            continue
        seen.add(element.name)
        if element.name not in tables.elements():
            found.add("TT05-EAD-02", path, line=element.line, found=element.spelled)
            continue
        if element.spelled != element.name:
            found.add("TT05-EAD-02", path, line=element.line, found=element.spelled, expected=element.name)
        texts.check_text(found, path, element)
        if element.name in fields:
            _Value(package, found, path, kind, element, fields[element.name]).judge()
    _order(found, path, package, kind, one, fields)
    told = one.values()
    if (
        told.get("riskRecovery") == "1"
        and not told.get("riskRecoveryStatus")
        and ("riskRecoveryStatus" in seen or kind != "ead")
    ):
        found.add("TT05-EAD-16", path, element="riskRecoveryStatus")


def needed(package: Package, field: Field) -> str:
    """R, O or C as the tables say, or R and O as the settings of the archive say."""
    names = {field.element, f"{package.type.value}.{field.element}"}
    if names.intersection(package.settings.required):
        return "R"
    return "O" if names.intersection(package.settings.optional) else field.needed


def _set(package: Package, found: Findings, path: bytes, kind: str, one: Described) -> FieldSet:
    """Judges the set of elements as a whole; the set by which its elements are judged one by one."""
    fields, names = package.fields(kind), one.names
    code = CODES[kind].set
    other = _OTHER_ANNEX.get(package.type.value)
    if other is not None and kind in ("pic", "media"):
        theirs = tables.field_sets()[kind, other]
        if names & tables.elements() == theirs.keys() != fields.keys():
            found.add(code, path, found=other, expected=package.type.value, level=Level.WARNING)
            return theirs
    foreign = (names & tables.elements()) - fields.keys()
    if package.type.of == "DIP" and kind == "doc":
        foreign -= {"organName"}
    absent = [name for name in fields if name not in names and name not in _excused(package, kind, names)]
    for name in absent:
        if needed(package, fields[name]) == "R":
            found.add(CODES[kind].missing, path, element=name)
    if kind == "ead" and package.type.of == "DIP":
        if foreign or absent:
            found.add("TT05-DIP-03", path, found=", ".join(sorted(foreign) or absent), expected=", ".join(fields))
        return fields
    if foreign or len(absent) > FEW:
        found.add(code, path, found=", ".join(sorted(foreign) or absent), expected=package.type.value)
    elif optional := [name for name in absent if needed(package, fields[name]) != "R"]:
        level = Level.ERROR if package.settings.strict else Level.WARNING
        found.add(code, path, found=", ".join(optional), expected=package.type.value, level=level)
    return fields


def _excused(package: Package, kind: str, names: frozenset[str]) -> frozenset[str]:
    """Elements that may be absent because the circular is of two minds about them (TT05-C1, 6.1)."""
    if kind == "ead" and package.type.is_file:
        return FRAME
    if kind == "doc" and package.type.of == "SIP" and not names & {"riskRecovery", "riskRecoveryStatus"}:
        return FRAME
    return frozenset()


def _order(found: Findings, path: bytes, package: Package, kind: str, one: Described, fields: FieldSet) -> None:
    orders = [list(fields)]
    if kind == "ead" and package.type.value == "AIP_hoso":
        rest = [name for name in fields if name not in _TAILS]
        orders = [[*rest, *_TAILS], [*rest, "paperFileCode", "riskRecovery", "riskRecoveryStatus", "description"]]
    if not any(_ordered(one, order) for order in orders):
        found.add("TT05-EAD-20", path, expected=", ".join(orders[0]))


def _ordered(one: Described, order: list[str]) -> bool:
    places = {name: place for place, name in enumerate(order)}
    told = [places[name] for name in dict.fromkeys(element.name for element in one.elements) if name in places]
    return told == sorted(told)


class _Value:
    """The rules of one element that belongs to the set of its description."""

    def __init__(
        self, package: Package, found: Findings, path: bytes, kind: str, element: Element, field: Field
    ) -> None:
        self._package, self._found, self._path = package, found, path
        self._kind, self._element, self._field = kind, element, field
        self._value = element.text.strip()

    def judge(self) -> None:
        value, field = self._value, self._field
        if not value:
            if needed(self._package, field) == "R":
                self._add(CODES[self._kind].missing)
            return
        worded = self._codes()
        if field.type == "N" and values.whole(value) is None:
            self._add("TT05-EAD-11", value)
        elif field.type in ("D", "P"):
            self._date()
        if not worded:
            self._length()

    def _codes(self) -> bool:
        """Judges by the code list; whether words stand where a code should."""
        value, field = self._value, self._field
        if not field.codes:
            return False
        if field.codes == "format":
            if value not in tables.code_list("format"):
                self._add("TT05-EAD-25", value, "01, 02, 03")
            return True
        known = (
            tables.document_types(self._package.settings.type_names)
            if field.codes == "typeName"
            else tables.code_list(field.codes)
        )
        parts = [value]
        if field.type == "L" and len(value) <= _LONGEST_LIST:
            parts = values.listed(value, self._package.settings.language_separator)
        wrong = [part for part in parts if part not in known]
        worded = [(part, code) for part in wrong if (code := tables.words_code(field.codes, part, known)) is not None]
        if worded:
            self._add("TT05-EAD-07", worded[0][0], worded[0][1])
        if len(worded) < len(wrong):
            told = next(part for part in wrong if part not in dict(worded))
            self._add(CODES[self._kind].list, told or value, _span(known))
        return bool(worded)

    def _date(self) -> None:
        when = values.period(self._value)
        own = self._field.element in ("startDate", "endDate") and self._kind == "ead"
        if when is not None and (when.parts == 3 or self._field.type == "P"):
            return
        if when is not None and own and self._package.type.of == "SIP":
            if self._package.settings.partial_dates == "report":
                self._add("TT05-EAD-09", self._value, "DD/MM/YYYY")
            return
        self._add("TT05-EAD-08", self._value, "DD/MM/YYYY")

    def _length(self) -> None:
        most = self._package.settings.lengths.get(self._field.element, self._field.length)
        if self._field.element in _OWN_LENGTH or not most or self._field.type == "B":
            return
        length = len(values.composed(self._value))
        if length > most:
            self._add(CODES[self._kind].length, length, most)

    def _add(self, code: str, told: object = None, expected: object = None) -> None:
        self._found.add(
            code, self._path, line=self._element.line, element=self._field.element, found=told, expected=expected
        )


def _span(known: Mapping[str, str]) -> str:
    """`01–32`, or the codes where they are few."""
    codes = list(known)
    return ", ".join(codes) if len(codes) <= 3 else f"{codes[0]}–{codes[-1]}"
