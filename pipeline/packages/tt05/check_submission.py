"""Rules that need more than the package: the list (mục lục), the registration, the holdings (SUB-02 to -09).

Each is a function that gets what it needs as an argument; those who have a list, a register or a catalogue call it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list: the code of a file or document, and the values that its columns give by element."""

    code: str
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registration:
    """What was registered before the transfer; counts None where nothing was said. `deadlines` by what is due."""

    code: str
    packages: int | None = None
    files: int | None = None
    deadlines: Mapping[str, date] = field(default_factory=dict)


def check_holdings(package: Package, found: Findings, held: Callable[[Package], Iterable[str]]) -> None:
    """SUB-02: `held` names holdings that may be the same file; an officer decides."""
    for name in held(package):
        found.add("TT05-SUB-02", package.ead_path, found=name)


def check_list(package: Package, found: Findings, rows: Iterable[Listed]) -> None:
    """SUB-03 to -05: the list against the package; a row is the file's when it has its code, else a document's."""
    known: dict[str, tuple[bytes, Mapping[str, str]]] = {}
    if package.ead_path is not None and package.code:
        known[package.code] = (package.ead_path, package.ead_values)
    aliases: dict[str, str] = {}
    for document in package.documents():
        names = [document.values[name] for name in ("docCode", "docId") if document.values.get(name)]
        if names:
            known[names[0]] = (document.own, document.values)
            aliases.update(dict.fromkeys(names[1:], names[0]))
    seen: set[str] = set()
    for row in rows:
        code = aliases.get(row.code, row.code)
        if code not in known:
            found.add("TT05-SUB-03", None, found=row.code)
            continue
        seen.add(code)
        path, values = known[code]
        for element, told in row.told.items():
            if element in values and values[element] != told.strip():
                found.add("TT05-SUB-05", path, element=element, found=values[element], expected=told.strip())
    for code, (path, _) in known.items():
        if code not in seen and code != package.code:
            found.add("TT05-SUB-04", path, found=code)


def registration_code(package: Package) -> str:
    """The registration code that the package names, empty when it names none."""
    header = package.root.header
    told = (text for kind, text in (header.alternatives if header else ()) if kind == "SUBMISSIONAGREEMENT")
    return next(told, "")


def check_registered(package: Package, found: Findings, registered: Collection[str]) -> None:
    """SUB-06: the code must be one of the register."""
    code = registration_code(package)
    if code and code not in registered:
        found.add("TT05-SUB-06", package.root_path, found=code)


def check_deadlines(package: Package, found: Findings, of: Registration, today: date) -> None:
    """SUB-07: what should have been done by now."""
    for what, due in of.deadlines.items():
        if today > due:
            found.add("TT05-SUB-07", None, found=what, expected=due.strftime("%d/%m/%Y"))


def check_counts(package: Package, found: Findings, of: Registration, packages: int, files: int) -> None:
    """SUB-09: how many packages and files came, against the registration."""
    for told, came in ((of.packages, packages), (of.files, files)):
        if told is not None and told != came:
            found.add("TT05-SUB-09", None, found=came, expected=told)


def check_malware(package: Package, found: Findings, named: Mapping[bytes, str]) -> None:
    """SUB-08: what a scanner named, by path below the package folder."""
    for path, name in named.items():
        found.add("TT05-SUB-08", path, found=name)
