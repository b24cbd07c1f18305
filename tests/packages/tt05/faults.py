"""The table: clean packages by name, broken ones by the code that has to tell of them, and where the rest is tested."""

from __future__ import annotations

from dataclasses import replace

from tests.packages.tt05 import faults_contents, faults_fields, faults_structure
from tests.packages.tt05.fault import Fault
from tests.packages.tt05.fields import TYPES
from tests.packages.tt05.shape import Shape, born_pdf, digitised, full, plain, plain_text

FAULTS: dict[str, Fault] = faults_structure.FAULTS | faults_fields.FAULTS | faults_contents.FAULTS


def _clean() -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for type in TYPES:
        found[f"{type} plain"] = plain(type)
        found[f"{type} full"] = full(type)
        found[f"{type} digitised"] = digitised(type)
        found[f"{type} practice"] = replace(full(type), writes="tt05")
        found[f"{type} letter"] = replace(full(type), xsd="sequence")
        found[f"{type} zip"] = plain(type, archive_name=f"2uuid-{_UUID}.zip" if type[:3] == "SIP" else "goi.zip")
    found["SIP_hoso many"] = plain(documents=tuple(plain_text(number) for number in range(1, 26)))
    found["AIP_hoso partial-dates"] = plain("AIP_hoso", ead={"startDate": "2020", "endDate": "12/2020"})
    found["SIP_hoso one"] = plain(documents=(born_pdf(1),))
    return found


_UUID = plain().objid.removeprefix("uuid-")
CLEAN: dict[str, Shape] = _clean()


def tolerated(shape: Shape, profile: str) -> frozenset[str]:
    """What is said of a clean package all the same: a chain nobody can check, what the letter has against practice."""
    found = {"TT05-SIG-04"} if shape.origin != "01" else set()
    if shape.writes == "tt05" and profile == "tt05-strict":
        found.add("TT05-MET-18")
        found |= {"SIP": {"TT05-MET-20", "TT05-MET-31"}, "AIP": {"TT05-MET-31"}, "DIP": set()}[shape.of]
    return frozenset(found)


ELSEWHERE: dict[str, str] = dict.fromkeys(
    ("TT05-HOL-04", *(f"TT05-SUB-0{number}" for number in (2, 3, 4, 5, 6, 7, 9))),
    "tests/packages/tt05/test_registers.py",
)
"""Codes that need a list, a registration or holdings: the test of the function that will get them."""
