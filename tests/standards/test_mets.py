"""METS comes back part by part, whoever wrote it."""

from __future__ import annotations

import io

from pipeline.standards import mets
from pipeline.standards.mets import (
    Core,
    Div,
    Division,
    File,
    Group,
    GroupEnd,
    Head,
    Header,
    HeaderAgent,
    Location,
    Map,
    Pointed,
    Pointer,
    Reference,
    Section,
)
from pipeline.standards.xml import validate_xsd

CORE = Core("text/xml", "8", "2026-01-31T03:00:00Z", "0" * 64)
HEAD = Head("uuid-x", 'Tên "<&>"\n\t\r', "Other", "lạ", "OTHER", "none", "https://example.org/x.xml")
HEADER = Header(
    "2026-01-31T03:00:00Z",
    "2026-01-31T03:00:00Z",
    "NEW",
    "AIP",
    (
        HeaderAgent("CREATOR", "OTHER", "SOFTWARE", "luutru", (("SOFTWARE VERSION", "0.1.0"),)),
        HeaderAgent("ARCHIVIST", "ORGANIZATION", None, "Trung tâm", ((None, "x"),)),
    ),
)
DESCRIBED = Reference(
    "dmdSec", "d", "2026-01-31T03:00:00Z", "CURRENT", "DC", None, None, "data/a%20b", CORE, Location("x/dc.xml")
)
BARE = Reference("dmdSec", "d2", "2026-01-31T03:00:00Z", "SUPERSEDED")
PROVED = Reference(
    "digiprovMD", "p", "2026-01-31T03:00:00Z", "CURRENT", "PREMIS", None, "3.0", None, CORE, Location("x/premis.xml")
)
GROUP = Group("g", "Representations/rep1", "OTHER", "none")
EMPTY = Group("g2", "Schemas")


def test_parts_come_back() -> None:
    out = io.BytesIO()
    files = [File("f", CORE, (Location("a%20b"),), ("d", "d2")), File("f2", CORE, ())]
    pointers = (Pointer("mptr", None, "g", Location("r/METS.xml")), Pointer("fptr", "f"))
    inner = Div("v2", "Metadata", ("p",), ("d",), pointers)
    mets.write(
        out, HEAD, HEADER, [DESCRIBED, BARE], ("a", [PROVED]), ("s", [(GROUP, files), (EMPTY, [])]),
        lambda: (Map("m", "PHYSICAL", "CSIP"), Div("v", "uuid-x", divs=(inner,))),
    )  # fmt: skip
    assert validate_xsd(io.BytesIO(out.getvalue())) == []
    struct_map = Map("m", "PHYSICAL", "CSIP")
    division = Division(struct_map, "v2", "Metadata", ("uuid-x",), ("p",), ("d",))
    assert list(mets.read(io.BytesIO(out.getvalue()))) == [
        HEAD,
        HEADER,
        DESCRIBED,
        BARE,
        Section("amdSec", "a"),
        PROVED,
        Section("fileSec", "s"),
        GROUP,
        File("f", CORE, (Location("a%20b"),), ("d", "d2"), GROUP),
        File("f2", CORE, (), (), GROUP),
        GroupEnd(GROUP, 2, 0),
        EMPTY,
        GroupEnd(EMPTY, 0, 0),
        struct_map,
        Division(struct_map, "v", "uuid-x", (), (), ()),
        division,
        Pointed(division, Pointer("mptr", None, "g", Location("r/METS.xml"))),
        Pointed(division, Pointer("fptr", "f")),
    ]


def test_nested_groups_know_their_parents() -> None:
    text = (
        '<m:mets xmlns:m="http://www.loc.gov/METS/"><m:fileSec><m:fileGrp USE="A"><m:fileGrp USE="B">'
        '<m:file ID="f"/></m:fileGrp></m:fileGrp></m:fileSec>'
        '<m:structMap><m:div><m:fptr FILEID="f"/></m:div></m:structMap></m:mets>'
    )  # fmt: skip
    parts = list(mets.read(io.BytesIO(text.encode())))
    (file,) = [part for part in parts if isinstance(part, File)]
    assert file.group == Group(None, "B", None, None, ("A",))
    assert [(part.group.use, part.files, part.groups) for part in parts if isinstance(part, GroupEnd)] == [
        ("B", 1, 0),
        ("A", 0, 1),
    ]


def test_other_documents_are_told() -> None:
    for text in ("<a/>", "<mets/>", '<div xmlns="http://www.loc.gov/METS/"/>'):
        assert list(mets.read(io.BytesIO(text.encode()))) == [Head(None, is_mets=False)]
