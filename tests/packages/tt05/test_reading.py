"""METS of the circular as records: what is read however it is spelt, and where reading ends."""

from __future__ import annotations

import io

import pytest

from pipeline.packages.tt05.package import natural
from pipeline.packages.tt05.reading.mending import mended
from pipeline.packages.tt05.reading.mets import read_mets
from pipeline.standards.xml import METS as NAMESPACE
from tests.packages.tt05.build import build
from tests.packages.tt05.shape import REP, ROOT, full


def test_what_a_mets_says() -> None:
    built = build(full("AIP_hoso"))
    root, rep = (read_mets(io.BytesIO(built.files[name])) for name in (ROOT, REP))
    assert root.problem is None and root.is_mets and root.namespace == NAMESPACE
    assert root.header is not None and root.header.package_type == "AIP"
    assert {group.use for group in root.groups} == {"Schemas", "Documentation", "Representations/rep1"}
    described = [one for one in rep.sections_named() if one.what == "dmdSec"]
    assert len(described) == 8 and all(one.href and one.size and one.line for one in described)
    files = {one.id for one in rep.files()}
    joined = [div for div in rep.divs() if div.label.startswith("MetadataLink/")]
    assert len(joined) == 8 and {pointer for div in joined for pointer, _ in div.pointers} <= files


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<mets",
        b"<!DOCTYPE mets [<!ENTITY a 'b'>]><mets>&a;</mets>",
        b"<a>" * 100,
        b"\xff\xfe\x00",
        b"<mets>\x01</mets>",
    ],
)
def test_what_cannot_be_read(data: bytes) -> None:
    assert read_mets(io.BytesIO(data)).problem is not None


def test_a_mets_of_too_many_elements_ends() -> None:
    data = b"<mets><structMap>" + b"<div/>" * 1000 + b"</structMap></mets>"
    assert read_mets(io.BytesIO(data)).problem is None
    read = read_mets(io.BytesIO(data), 100)
    assert read.problem == (1, "the document has more than 100 elements") and sum(1 for _ in read.divs()) < 100


def test_mending_keeps_lines_and_length() -> None:
    data = b'<?xml version="1.0"?>\n<mets\n  A="1">\n <fileGrp\n  USER = "Data"/>'
    data += b'\n <div AMDID="x" LABEL="USER=1"/></mets>'
    made = mended(io.BytesIO(data), "mets", "", user=True, amdid=True).read()
    assert made.count(b"\n") == data.count(b"\n") and len(made) == len(data)
    assert b"USE  = " in made and b'ADMID="x"' in made and b'LABEL="USER=1"' in made
    spaced = mended(io.BytesIO(data), "mets", NAMESPACE).read()
    assert spaced.startswith(b'<?xml version="1.0"?>\n<mets xmlns="http://www.loc.gov/METS/"\n  A="1">')
    assert mended(io.BytesIO(data), "mets", "").read() == data


def test_numbers_in_names_are_numbers() -> None:
    names = [b"EAD_doc_7.10.xml", b"ead_doc_7.9.xml", b"EAD_doc_7.1.xml", b"EAD_doc_" + b"9" * 40 + b".xml"]
    assert sorted(names, key=natural) == [names[2], names[1], names[0], names[3]]
