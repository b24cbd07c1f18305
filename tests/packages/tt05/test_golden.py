"""The one real package that was measured (tt05-packages.md, 16), in its shape: invented codes, texts and documents."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

from lxml import etree

from tests.packages.tt05.build import archive, build
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.shape import REP, ROOT, Files, Shape, digitised, scanned

CODE = "H98.15.2001.4"
YEAR_OF_THE_SOFTWARE = "1994"
GUID = "0b8e2a34-5c1d-4f6e-8a7b-9c0d1e2f3a4b.zip"
_SHUFFLED = random.Random(16)


def _shuffle(path: str, data: bytes) -> bytes:
    root = etree.fromstring(data)
    if root.tag == "simpledc":
        children = list(root)
        _SHUFFLED.shuffle(children)
        root[:] = children
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="UTF-8")


def _lower_names(files: Files) -> None:
    """Schemas in lower case, and no METS.xsd under any name but that of schemaLocation."""
    del files["schemas/METS.xsd"]
    for name in [name for name in files if name.startswith("schemas/EAD")]:
        files[name.lower()] = files.pop(name)


def real(repaired: bool = False) -> Shape:
    """Three scans of one file of 2001 as the vendor's program packs them; `repaired` without its three bugs."""
    year = "2001" if repaired else YEAR_OF_THE_SOFTWARE
    documents = tuple(
        replace(
            scanned(
                number, more={"signature": ""}, docCode=f"{CODE.replace('2001', year)}.{number:07}", format="01",
                issuedDate=f"0{number}/06/2001",
            ),
            described=f"DOC_{CODE}.{number}",
        )
        for number in (1, 2, 3)
    )  # fmt: skip
    bug = () if repaired else (("schemas/EAD_doc.xsd", 'name="docCode"', 'name="arcDocCode"'),)
    return replace(
        digitised(),
        code=CODE,
        writes="tt05",
        documents=documents,
        ead={
            "paperFileCode": "H98.05.K1-G2-H3.15" if repaired else "", "startDate": "01/01/2001",
            "endDate": "31/12/2001", "format": "01",
        },
        edits=(
            (ROOT, '      <note csip:NOTETYPE="SOFTWARE VERSION">1.0</note>\n', ""),
            (ROOT, "DK-2026-01", CODE),
            (REP, 'TYPE="ORGANIZATION"', 'TYPE="INDIVIDUAL"'),
            (REP, "Ủy ban nhân dân xã A", "taikhoan.mau"),
            *bug,
        ),
        rewrite=_shuffle,
        before=(_lower_names,),
        archive_name=GUID,
    )  # fmt: skip


def test_the_measured_package(tmp_path: Path) -> None:
    found = said(archive(build(real()), tmp_path), by_profile("tt05"))
    assert found.levels == {
        "TT05-DOC-05": "error", "TT05-DOC-06": "error",
        "TT05-EAD-15": "warning", "TT05-EAD-19": "warning", "TT05-XSD-02": "warning", "TT05-ZIP-03": "warning",
        "TT05-STR-08": "warning", "TT05-ID-01": "warning", "TT05-SIG-01": "warning",
        "TT05-STR-10": "info", "TT05-MET-12": "info", "TT05-MET-13": "info", "TT05-MET-16": "info",
    }  # fmt: skip
    counted = Counter(finding.code for finding, _ in found.findings)
    for code in ("TT05-DOC-05", "TT05-DOC-06", "TT05-SIG-01", "TT05-EAD-19"):
        assert counted[code] == 3, code
    assert [one.verdict for one in found.documents] == ["invalid"] * 3


def test_its_repaired_copy_has_no_error(tmp_path: Path) -> None:
    found = said(archive(build(real(repaired=True)), tmp_path), by_profile("tt05"))
    assert found.valid
    assert not found.levels.keys() & {"TT05-DOC-05", "TT05-DOC-06", "TT05-EAD-15", "TT05-EAD-19", "TT05-XSD-02"}
    assert [one.verdict for one in found.documents] == ["valid"] * 3
