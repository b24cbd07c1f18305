"""The shape of the one real package that was measured, with invented codes and texts and three documents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.packages.tt05.build import written
from tests.packages.tt05.fault import cut, rename
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.shape import REP, ROOT, UUID, Doc, Shape, plain, scanned

CODE = "H98.01.2001.7"
SCHEMAS = ("EAD", "EAD_doc", "EAD_pic", "EAD_media")
ERRORS = {"TT05-DOC-05": 3, "TT05-DOC-06": 3}
WARNINGS = {
    "TT05-ID-01": 1, "TT05-EAD-15": 1, "TT05-EAD-19": 3, "TT05-XSD-02": 1, "TT05-ZIP-03": 1, "TT05-STR-08": 1,
    "TT05-SIG-01": 3,
}  # fmt: skip
NOTES = {"TT05-STR-10": 7, "TT05-MET-12": 1, "TT05-MET-13": 1, "TT05-MET-16": 1}


def replica() -> Shape:
    dates = {"issuedDate": "15/03/2001"}
    documents = tuple(_document(number, docCode=f"H98.01.1994.7.{number:07}", **dates) for number in (1, 2, 3))
    return plain(
        writes="tt05",
        code=CODE,
        origin="02",
        documents=documents,
        ead={"paperFileCode": "", "startDate": "02/01/2001", "endDate": "31/12/2001"},
        before=(
            *(rename(f"schemas/{name}.xsd", f"schemas/{name.lower()}.xsd") for name in SCHEMAS),
            cut("schemas/METS.xsd"),
        ),
        edits=(
            ("schemas/EAD_doc.xsd", 'name="docCode"', 'name="arcDocCode"'),
            (ROOT, 'SOFTWARE VERSION">1.0', 'IDENTIFICATIONCODE">P001'),
            (REP, 'TYPE="ORGANIZATION"', 'TYPE="INDIVIDUAL"'),
            (ROOT, "DK-2026-01", CODE),
        ),
        archive_name=f"{UUID.lower()}.zip",
    )


def _document(number: int, **fields: str) -> Doc:
    one = scanned(number, more={"signature": ""})
    return replace(one, fields=one.fields | fields, described=f"DOC_{CODE}.{number}")


def counted(package: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"error": {}, "warning": {}, "info": {}, "decision": {}}
    for finding, level in said(package, by_profile("tt05")).findings:
        found[level.value][finding.code] = found[level.value].get(finding.code, 0) + 1
    return found


def test_exactly_the_known_deviations(tmp_path: Path) -> None:
    assert counted(written(replica(), tmp_path)) == {
        "error": ERRORS,
        "warning": WARNINGS,
        "info": NOTES,
        "decision": {},
    }


def test_each_document_fails_for_itself(tmp_path: Path) -> None:
    verdicts = said(written(replica(), tmp_path), by_profile("tt05")).documents
    assert [(one.identifier, one.verdict) for one in verdicts] == [
        (f"{CODE}.{number}", "invalid") for number in (1, 2, 3)
    ]


def test_the_repaired_copy_has_no_error(tmp_path: Path) -> None:
    shape = replica()
    documents = tuple(_document(number, issuedDate="15/03/2001") for number in (1, 2, 3))
    found = counted(written(replace(shape, documents=documents), tmp_path))
    assert (found["error"], found["warning"], found["info"]) == ({}, WARNINGS, NOTES)


@pytest.mark.parametrize("name", ["tt05-strict"])
def test_the_letter_refuses_it_for_more(name: str, tmp_path: Path) -> None:
    found = said(written(replica(), tmp_path), by_profile(name))
    assert {code for code, level in found.levels.items() if level == "error"} >= {
        "TT05-EAD-15",
        "TT05-ZIP-03",
        "TT05-STR-08",
    }
