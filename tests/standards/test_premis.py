"""PREMIS of others is read, PREMIS of ours comes back part by part."""

from __future__ import annotations

import io

import pytest

from pipeline.standards import premis
from pipeline.standards.premis import AgentPart, EventPart, FormatPart, Identifier, Object, Relationship, RightsPart
from pipeline.standards.xml import Unreadable, validate_xsd

FILE = Identifier("local", "file-1")
WHOLE = Identifier("local", "rep-1")
EVENT = Identifier("UUID", "e")
AGENT = Identifier("local", "sw-1")
RIGHT = Identifier("local", "r-1")

PARTS: list[premis.Part] = [
    Object(premis.ENTITY, (Identifier("local", "uuid-x"),), (("AIP version", "2"),)),
    Object(
        premis.REPRESENTATION,
        (WHOLE,),
        (("empty folder", "a%20b"),),
        relationships=(Relationship("structural", "represents", (Identifier("local", "uuid-x"),)),),
    ),
    Object(
        premis.FILE,
        (FILE, Identifier("filepath", "data/a%20b")),
        (("last modified", "2026-01-31T10:00:00Z"),),
        (("SHA-256", "0" * 64), ("MD5", "1" * 32)),
        "6",
        (FormatPart("Plain Text", "1.0", "PRONOM", "x-fmt/111", ("match: text", "basis: <&>")), FormatPart("other")),
        " a  file.txt\r\n",
        (
            Relationship("structural", "is included in", (WHOLE,)),
            Relationship("derivation", "has source", (FILE, WHOLE), (EVENT,)),
        ),
        (EVENT,),
        (RIGHT,),
    ),
    EventPart(
        EVENT,
        "fixity check",
        "2026-01-31T10:00:00+07:00",
        ("algorithm=SHA-256", "", "three"),
        "success",
        ("một", ""),
        ((AGENT, ("executing program", "implementer")),),
        ((FILE, ("source",)), (WHOLE, ())),
    ),
    AgentPart((AGENT, Identifier("other", "2")), "luutru", "software", "0.1.0", ("note", "again"), (RIGHT,)),
    RightsPart(RIGHT, "license", ("CC BY",), "replication", "OPEN", "2030", ("a", "b"), (FILE,), (AGENT,)),
    RightsPart(RIGHT, "other", ("hợp đồng",), "migration", "2026", "", (), (FILE,)),
    RightsPart(RIGHT, "institutional policy"),
]  # fmt: skip


def test_parts_come_back() -> None:
    out = io.BytesIO()
    premis.write(
        out,
        (part for part in PARTS if isinstance(part, Object)),
        (part for part in PARTS if isinstance(part, EventPart)),
        (part for part in PARTS if isinstance(part, AgentPart)),
        (part for part in PARTS if isinstance(part, RightsPart)),
    )
    assert validate_xsd(io.BytesIO(out.getvalue())) == []
    assert list(premis.read(io.BytesIO(out.getvalue()))) == PARTS


def test_a_basis_without_its_own_note_keeps_the_text() -> None:
    """copyrightInformation and statuteInformation ask for more than a note: the note stands with the grant."""
    out = io.BytesIO()
    right = RightsPart(RIGHT, "statute", ("Luật Lưu trữ",), "replication", "OPEN", "", ("ghi chú",))
    premis.write(out, [Object(premis.ENTITY, (WHOLE,))], rights=[right])
    assert validate_xsd(io.BytesIO(out.getvalue())) == []
    (_, found) = premis.read(io.BytesIO(out.getvalue()))
    assert isinstance(found, RightsPart)
    assert (found.basis_notes, found.notes) == ((), ("Luật Lưu trữ", "ghi chú"))


FOREIGN = """<p:premis xmlns:p="http://www.loc.gov/premis/v3" version="3.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<p:object xsi:type="p:bitstream"><p:objectIdentifier><p:objectIdentifierType>local</p:objectIdentifierType>
<p:objectIdentifierValue>b<!-- c -->1</p:objectIdentifierValue></p:objectIdentifier>
<p:objectCharacteristics><p:format><p:formatRegistry><p:formatRegistryName>PRONOM</p:formatRegistryName>
<p:formatRegistryKey>fmt/1</p:formatRegistryKey></p:formatRegistry></p:format>
<p:objectCharacteristicsExtension><x xmlns="urn:x"><p:object/></x></p:objectCharacteristicsExtension>
</p:objectCharacteristics></p:object>
<p:event><p:eventIdentifier><p:eventIdentifierType>t</p:eventIdentifierType><p:eventIdentifierValue>v</p:eventIdentifierValue>
</p:eventIdentifier><p:eventType>x</p:eventType><p:eventDateTime>2026</p:eventDateTime></p:event>
<p:rights><p:rightsStatement><p:rightsStatementIdentifier><p:rightsStatementIdentifierType>t</p:rightsStatementIdentifierType>
<p:rightsStatementIdentifierValue>r</p:rightsStatementIdentifierValue></p:rightsStatementIdentifier>
<p:rightsBasis>statute</p:rightsBasis><p:statuteInformation><p:statuteJurisdiction>vn</p:statuteJurisdiction>
<p:statuteCitation>33/2024/QH15</p:statuteCitation><p:statuteNote>n</p:statuteNote></p:statuteInformation></p:rightsStatement>
</p:rights></p:premis>"""


def test_others_are_read() -> None:
    assert list(premis.read(io.BytesIO(FOREIGN.encode()))) == [
        Object("bitstream", (Identifier("local", "b1"),), formats=(FormatPart("", "", "PRONOM", "fmt/1"),)),
        EventPart(Identifier("t", "v"), "x", "2026"),
        RightsPart(Identifier("t", "r"), "statute", ("n",), jurisdiction="vn", citation="33/2024/QH15"),
    ]
    assert [part.line for part in premis.read(io.BytesIO(FOREIGN.encode()))] == [3, 9, 11]


@pytest.mark.parametrize("text", ["<a/>", '<premis xmlns="info:lc/xmlns/premis-v2"><object/></premis>'])
def test_what_is_no_premis_3_has_no_parts(text: str) -> None:
    assert list(premis.read(io.BytesIO(text.encode()))) == []


def test_a_fault_comes_after_what_could_be_read() -> None:
    found = []
    with pytest.raises(Unreadable):
        for part in premis.read(io.BytesIO(FOREIGN.replace("</p:rights>", "").encode())):
            found.append(part)
    assert len(found) == 3
