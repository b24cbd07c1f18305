"""Every change that makes a good AIP a bad one is found, with the standard's own number."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import findings
from pipeline.packages.eark import EarkAip
from pipeline.records import Finding, Level, PackagePath
from pipeline.tree import FolderTree
from tests.packages.eark_samples import IDENTITY, composed
from tests.packages.received import digest_tree, judged, valid

ROOT = "METS.xml"
REP = "representations/rep1/METS.xml"
PREMIS = "metadata/preservation/premis.xml"
REP_PREMIS = "representations/rep1/metadata/preservation/premis.xml"
DC = "metadata/descriptive/dc.xml"
OTHER = "premis.xml"

RIGHTS = """<rightsMD ID="ID-r" CREATED="2026-01-31T03:00:00Z" STATUS="CURRENT"><mdRef MDTYPE="TEXTMD"\
 MIMETYPE="text/plain" SIZE="8" CREATED="2026-01-31T03:00:00Z"\
 CHECKSUM="65ce01fcc3e22e78b63419ef0f4493b0950daac7cee97329b428f5cafd395cda" CHECKSUMTYPE="SHA-256"\
 LOCTYPE="URL" xlink:type="simple" xlink:href="documentation/readme.txt"/></rightsMD><digiprovMD"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return composed(tmp_path_factory.mktemp("good"))


@pytest.fixture
def aip(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / good.name))


def found_in(root: Path) -> list[Finding]:
    return judged(EarkAip(), FolderTree(root))


def codes_in(root: Path) -> set[str]:
    return {finding.code for finding in found_in(root)}


def test_composed_is_clean(good: Path) -> None:
    assert found_in(good) == []


# (code, file, text there, text in its place): the first place is changed; a text may begin with what leads to it.
Change = tuple[str, str, str, str]


def attributes(codes: tuple[str, ...], file: str, start: str) -> list[Change]:
    """The nine attributes of a reference, broken one after the other; `start` names the section."""
    loctype, link, href, md_type, mime, size, created, checksum, kind = codes
    broken = [
        (loctype, 'LOCTYPE="URL"', 'LOCTYPE="URN"'),
        (link, 'xlink:type="simple" ', ""),
        (href, 'xlink:href="', 'xlink:href="../'),
        (href, 'xlink:href="', 'xlink:href="gone/'),
        (mime, 'MIMETYPE="text/', 'MIMETYPE="text/x-'),
        (size, 'SIZE="', 'SIZE="9'),
        (created, ' CREATED="2026-01-31T03:00:00Z" CHECKSUM', " CHECKSUM"),
        (checksum, 'CHECKSUM="', 'CHECKSUM="0'),
        (checksum, 'CHECKSUM="', 'OWNERID="'),
        (kind, ' CHECKSUMTYPE="SHA-256"', ""),
    ]
    if md_type:
        broken.append((md_type, 'MDTYPE="', 'OTHERMDTYPE="'))
    return [(code, file, f"{start}\0{old}", new) for code, old, new in broken]


FILE_CODES = ("CSIP77", "CSIP78", "CSIP79", "", "CSIP68", "CSIP69", "CSIP70", "CSIP71", "CSIP72")

TWICE = '<file ID="ID-same" MIMETYPE="text/plain"><FLocat LOCTYPE="URL"/></file><file ID="ID-same" OWNERID="'

RIGHTS_LINK = (
    "<linkingRightsStatementIdentifier><linkingRightsStatementIdentifierType>local"
    "</linkingRightsStatementIdentifierType><linkingRightsStatementIdentifierValue>x"
    "</linkingRightsStatementIdentifierValue></linkingRightsStatementIdentifier>"
)

CHANGES: list[Change] = [
    *attributes(tuple(f"CSIP{number}" for number in range(22, 31)), ROOT, "<dmdSec"),
    *attributes(tuple(f"CSIP{number}" for number in range(36, 45)), ROOT, "<digiprovMD"),
    *attributes(FILE_CODES, ROOT, "<file "),
    *attributes(FILE_CODES, REP, "<file "),
    ("METS-XSD", ROOT, "<dmdSec", "<bogus/><dmdSec"),
    ("METS-XSD", REP, "</mets>", "</mets><!-- -->\0"),
    ("EARK-XML", ROOT, "</mets>", ""),
    ("EARK-XML", ROOT, "<mets ", "<!DOCTYPE mets [<!ENTITY x 'y'>]><mets "),
    ("EARK-XML", REP, "</mets>", ""),
    ("EARK-XML", PREMIS, "</premis>", ""),
    ("EARK-XML", DC, "</oai_dc:dc>", ""),
    ("CSIP67", ROOT, '<file ID="ID-', TWICE),
    ("EARK-IDREF", ROOT, ' DMDID="', ' DMDID="ID-gone '),
    ("EARK-IDREF", ROOT, 'ADMID="', 'ADMID="ID-gone '),
    ("EARK-HREF", REP, "<FLocat\0a%20b", "a b"),
    ("EARK-HREF", REP, "<FLocat\0%E1%BA%A2nh", "Ảnh"),
    ("CSIP79", REP, "<FLocat\x00100%25", "100%"),
    ("EARK-ALGORITHM", ROOT, 'CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="WHIRLPOOL"'),
    ("CSIP1", ROOT, 'OBJID="uuid-', 'OBJID="urn:uuid:'),
    ("CSIP1", REP, 'OBJID="rep1"', 'OBJID="rep9"'),
    ("CSIP2", ROOT, 'TYPE="Mixed"', 'TYPE="MIXED"'),
    ("CSIP3", ROOT, 'TYPE="Mixed"', 'TYPE="Other"'),
    ("CSIP4", ROOT, ' csip:CONTENTINFORMATIONTYPE="MIXED"', ""),
    ("CSIP5", ROOT, ' csip:CONTENTINFORMATIONTYPE="MIXED"', ' csip:CONTENTINFORMATIONTYPE="OTHER"'),
    ("CSIP6", ROOT, ' PROFILE="', ' csip:OTHERTYPE="'),
    ("CSIP7", ROOT, 'CREATEDATE="2026', 'CREATEDATE="26'),
    ("CSIP8", ROOT, 'LASTMODDATE="2026', 'LASTMODDATE="26'),
    ("CSIP9", ROOT, 'OAISPACKAGETYPE="AIP"', 'OAISPACKAGETYPE="aip"'),
    ("AIPM3", ROOT, 'OAISPACKAGETYPE="AIP"', 'OAISPACKAGETYPE="SIP"'),
    ("CSIP10", ROOT, "<agent*</agent>", ""),
    ("CSIP11", ROOT, 'ROLE="CREATOR"', 'ROLE="EDITOR"'),
    ("CSIP12", ROOT, ' TYPE="OTHER" OTHERTYPE', ' TYPE="INDIVIDUAL" OTHERTYPE'),
    ("CSIP13", ROOT, 'OTHERTYPE="SOFTWARE"', 'OTHERTYPE="software"'),
    ("CSIP14", ROOT, "<name>luutru</name>", "<name> </name>"),
    ("CSIP15", ROOT, "<note*</note>", ""),
    ("CSIP16", ROOT, ' csip:NOTETYPE="SOFTWARE VERSION"', ""),
    ("CSIP117", ROOT, "<metsHdr*</metsHdr>", ""),
    ("CSIP18", ROOT, '<dmdSec ID="', '<dmdSec GROUPID="'),
    ("CSIP19", ROOT, '<dmdSec\0 CREATED="2026', ' CREATED="x'),
    ("CSIP20", ROOT, '<dmdSec\0STATUS="CURRENT"', ""),
    ("CSIP21", ROOT, "<mdRef*</mdRef>", ""),
    ("CSIP31", ROOT, "<amdSec*</amdSec>", ""),
    ("CSIP33", ROOT, '<digiprovMD ID="', '<digiprovMD GROUPID="'),
    ("CSIP34", ROOT, '<digiprovMD\0STATUS="CURRENT"', 'STATUS="old"'),
    ("CSIP35", ROOT, "<digiprovMD\0<mdRef*</mdRef>", ""),
    ("CSIP58", ROOT, "<fileSec*</fileSec>", ""),
    ("CSIP59", ROOT, "<fileSec ID=*>", "<fileSec>"),
    ("CSIP60", ROOT, 'USE="Documentation"', 'USE="Docs"'),
    ("CSIP113", ROOT, 'USE="Schemas"', 'USE="XSD"'),
    ("CSIP114", ROOT, 'USE="Representations/', 'USE="Data/'),
    ("CSIP62", ROOT, 'rep1" csip:CONTENTINFORMATIONTYPE="OTHER"', 'rep1"'),
    ("CSIP64", ROOT, ' USE="Documentation"', ""),
    ("CSIP65", ROOT, '<fileGrp ID="', '<fileGrp ADMID="'),
    ("CSIP66", ROOT, 'USE="Schemas">*</fileGrp>', 'USE="Schemas"/>'),
    ("CSIP67", ROOT, '<file ID="', '<file OWNERID="'),
    ("CSIP76", ROOT, "<FLocat*</FLocat>", ""),
    ("CSIP80", ROOT, "<structMap*</structMap>", ""),
    ("CSIP81", ROOT, 'TYPE="PHYSICAL"', 'TYPE="LOGICAL"'),
    ("CSIP82", ROOT, 'LABEL="CSIP"', 'LABEL="CSIP structMap"'),
    ("CSIP83", ROOT, "</structMap>", "</structMap><structMap><div/></structMap>"),
    ("CSIP85", ROOT, "</structMap>", "</structMap><structMap><div/></structMap>"),
    ("CSIP84", ROOT, "<structMap\0<div*</structMap>", "</structMap>"),
    ("CSIP88", ROOT, 'LABEL="Metadata"', 'LABEL="About"'),
    ("CSIP90", ROOT, 'LABEL="Metadata"', 'LABEL="metadata"'),
    ("CSIP89", ROOT, 'ID=*" LABEL="Metadata"', 'LABEL="Metadata"'),
    ("CSIP91", ROOT, 'LABEL="Metadata" ADMID="*"', 'LABEL="Metadata"'),
    ("CSIP92", ROOT, 'LABEL="Metadata"\0DMDID="*"', ""),
    ("CSIP93", ROOT, 'LABEL="Documentation"', 'LABEL="Docs"'),
    ("CSIP94", ROOT, 'ID=*" LABEL="Documentation"', 'LABEL="Documentation"'),
    ("CSIP96", ROOT, 'LABEL="Documentation"\0<fptr*</fptr>', ""),
    ("CSIP116", ROOT, 'LABEL="Documentation"\0FILEID="ID-', 'FILEID="ID-x'),
    ("CSIP97", ROOT, 'LABEL="Schemas"', 'LABEL="XSD"'),
    ("CSIP98", ROOT, 'ID=*" LABEL="Schemas"', 'LABEL="Schemas"'),
    ("CSIP100", ROOT, 'LABEL="Schemas"\0<fptr*</fptr>', ""),
    ("CSIP118", ROOT, 'LABEL="Schemas"\0FILEID="ID-', 'FILEID="ID-x'),
    ("CSIP102", ROOT, 'LABEL="Documentation"\0</div>', '</div><div LABEL="Representations"/>'),
    ("CSIP105", ROOT, 'LABEL="Schemas"\0</div>*</structMap>', "</div></div></structMap>"),
    ("CSIP106", ROOT, 'ID=*" LABEL="Representations/rep1"', 'LABEL="Representations/rep1"'),
    ("CSIP107", ROOT, 'LABEL="Representations/rep1"', 'LABEL="rep1"'),
    ("CSIP108", ROOT, 'xlink:title="ID-', 'xlink:title="ID-x'),
    ("CSIP109", ROOT, "<mptr*</mptr>", ""),
    ("CSIP110", ROOT, '<mptr\0xlink:href="', 'xlink:href="../'),
    ("CSIP111", ROOT, '<mptr\0xlink:type="simple" ', ""),
    ("CSIP112", ROOT, '<mptr\0LOCTYPE="URL"', 'LOCTYPE="URN"'),
    ("AIP3", ROOT, "</mptr>\0<fptr*</fptr>", ""),
    ("AIPM2", ROOT, "https://earkdip.dilcis.eu/profile/E-ARK-AIP", "https://earkaip.dilcis.eu/profile/E-ARK-AIP"),
    ("AIPM4", ROOT, 'STATUS="CURRENT"', 'STATUS="SUPERSEDED"'),
    ("AIPM5", ROOT, "<amdSec*</amdSec>", ""),
    ("AIPM6", ROOT, 'MDTYPE="PREMIS"', 'MDTYPE="OTHER" OTHERMDTYPE="PREMIS"'),
    ("AIPM7", ROOT, 'MDTYPEVERSION="3.0"', 'MDTYPEVERSION="2.2"'),
    ("PREMIS-XSD", PREMIS, "<event>", "<event><bogus/>"),
    ("PREMIS-XSD", PREMIS, "<premis*</premis>", "<mets xmlns='http://www.loc.gov/METS/'><structMap><div/></structMap></mets>"),
    ("PREMIS-FILE", PREMIS, "documentation/readme.txt", "documentation/gone.txt"),
    ("PREMIS-SIZE", PREMIS, "<size>", "<size>9"),
    ("PREMIS-LINK", PREMIS, "<rightsGranted>\0<linkingObjectIdentifierValue>", "<linkingObjectIdentifierValue>x"),
    ("PREMIS-TERM", PREMIS, ">ingestion start<", ">ingest<"),
    ("AIP16", PREMIS, "<linkingAgentIdentifier>*</linkingAgentIdentifier>", ""),
    ("AIP18", PREMIS, "<linkingAgentIdentifierValue>", "<linkingAgentIdentifierValue>x"),
    ("AIP18", REP_PREMIS, "<agentIdentifierValue>siegfried", "<agentIdentifierValue>sf"),
    ("PM4", PREMIS, "<objectIdentifierType>local", "<objectIdentifierType>"),
    ("PM5", PREMIS, f"<objectIdentifierValue>{IDENTITY.root}", "<objectIdentifierValue>"),
    ("PM16", REP_PREMIS, "<objectIdentifierType>local", "<objectIdentifierType>"),
    ("PM17", REP_PREMIS, "<objectIdentifierValue>*<", "<objectIdentifierValue><"),
    ("PM19", REP_PREMIS, ">empty folder<", "><"),
    ("PM30", REP_PREMIS, '"file"\0<objectIdentifierType>local', "<objectIdentifierType>"),
    ("PM31", REP_PREMIS, '"file"\0<objectIdentifierValue>*<', "<objectIdentifierValue><"),
    ("PM35", REP_PREMIS, "<messageDigest>", "<messageDigest>0"),
    ("PM39", REP_PREMIS, "<formatName>unknown", "<formatName>"),
    ("PM42", REP_PREMIS, "<formatRegistryName>PRONOM", "<formatRegistryName>"),
    ("PM43", REP_PREMIS, "<formatRegistryKey>*<", "<formatRegistryKey><"),
    ("PM60", REP_PREMIS, "<relatedObjectIdentifierValue>", "<relatedObjectIdentifierValue>x"),
    ("PM63", "representations/rep2/" + PREMIS, "<relatedEventIdentifierValue>", "<relatedEventIdentifierValue>x"),
    ("PM66", REP_PREMIS, '"file"\0</object>', RIGHTS_LINK + "</object>"),
    ("PM77", PREMIS, "</agent>", RIGHTS_LINK + "</agent>"),
    ("PM73", PREMIS, "<agentName>luutru", "<agentName>"),
    ("PM74", PREMIS, "<agentType*</agentType>", ""),
    ("PM82", PREMIS, "<eventIdentifierType>UUID", "<eventIdentifierType>"),
    ("PM83", PREMIS, "<eventIdentifierValue>*<", "<eventIdentifierValue><"),
    ("PM84", PREMIS, "<eventType*</eventType>", "<eventType/>"),
    ("PM85", PREMIS, "<eventDateTime>", "<eventDateTime>on "),
    ("PM86", PREMIS, "<eventOutcomeInformation>*</eventOutcomeInformation>", ""),
    ("PM90", PREMIS, "<linkingObjectIdentifierValue>", "<linkingObjectIdentifierValue>x"),
    ("PM98", PREMIS, "<rightsBasis*</rightsBasis>", "<rightsBasis/>"),
    ("PM123", PREMIS, "<startDate>OPEN", "<startDate>"),
    ("DC-XSD", DC, "<dc:title>", "<dc:headline/><dc:title>"),
]  # fmt: skip

RIGHTS_CHANGES: list[Change] = [
    *attributes(tuple(f"CSIP{number}" for number in range(49, 58)), ROOT, "<rightsMD"),
    ("CSIP46", ROOT, '<rightsMD ID="', '<rightsMD GROUPID="'),
    ("CSIP47", ROOT, '<rightsMD\0STATUS="CURRENT"', ""),
    ("CSIP48", ROOT, "<rightsMD\0<mdRef*/>", ""),
]  # fmt: skip


def changed(text: str, old: str, new: str) -> str:
    """`old` gives way to `new`: after the part before NUL, `*` stands for anything up to what follows it."""
    lead, _, rest = old.rpartition("\0")
    begin = text.index(lead) + len(lead) if lead else 0
    head, star, tail = rest.partition("*")
    at = text.index(head, begin)
    if star and head in ("ID=",):
        at = text.rindex(head, begin, text.index(tail, begin))
    end = text.index(tail, at + len(head)) + len(tail) if star else at + len(head)
    return text[:at] + new.replace("\0", "") + text[end:]


def alter(root: Path, file: str, old: str, new: str) -> None:
    target = root / file
    target.write_text(changed(target.read_text("utf-8"), old, new), "utf-8")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]} {change[1].rpartition('/')[2]}")
def test_change_is_found(aip: Path, change: Change) -> None:
    code, file, old, new = change
    if new == "</mets><!-- -->\0":
        (aip / file).write_text('<?xml version="1.0"?><a/>')
    elif code in ("AIPM4", "CSIP114"):
        text = (aip / file).read_text("utf-8")
        (aip / file).write_text(text.replace(old, new), "utf-8")
    else:
        alter(aip, file, old, new)
    assert code in codes_in(aip)


@pytest.mark.parametrize("change", RIGHTS_CHANGES, ids=lambda change: change[0])
def test_change_of_rights_is_found(aip: Path, change: Change) -> None:
    alter(aip, ROOT, "<digiprovMD", RIGHTS)
    alter(aip, ROOT, 'LABEL="Metadata" ADMID="', 'LABEL="Metadata" ADMID="ID-r ')
    assert codes_in(aip) == set()
    alter(aip, *change[1:])
    assert change[0] in codes_in(aip)


def _touch(path: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")

    return change


def _remove(*paths: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for target in map(root.joinpath, paths):
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink()

    return change


def _flip(path: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        content = bytearray((root / path).read_bytes())
        content[0] ^= 1
        (root / path).write_bytes(content)

    return change


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("CSIPSTR4", _remove("METS.xml")),
        ("CSIPSTR5", _remove("metadata")),
        ("CSIPSTR9", _remove("representations")),
        ("CSIPSTR10", _touch("representations/stray.txt")),
        ("CSIPSTR11", _remove("representations/rep2/data")),
        ("CSIPSTR12", _remove("representations/rep2/METS.xml")),
        ("CSIPSTR13", _remove("representations/rep2/metadata")),
        ("CSIPSTR15", _remove("schemas")),
        ("CSIPSTR16", _remove("documentation", "representations/rep2/documentation")),
        ("CSIP71", _flip("representations/rep1/data/100%.txt")),
        ("PM35", _flip("representations/rep1/data/100%.txt")),
        ("CSIP79", _remove("representations/rep1/data/100%.txt")),
        ("CSIP66", _touch("representations/rep1/data/extra.txt")),
        ("CSIP66", _touch("documentation/extra.txt")),
        ("CSIP66", _touch("schemas/extra.xsd")),
        ("CSIP17", _touch("metadata/descriptive/extra.xml")),
        ("CSIP31", _touch("metadata/other/extra.xml")),
        ("CSIP105", _touch("representations/rep3/METS.xml")),
    ],
)
def test_changed_files_are_found(aip: Path, code: str, change: Callable[[Path], None]) -> None:
    change(aip)
    assert code in codes_in(aip)


def test_folder_renamed(aip: Path) -> None:
    assert codes_in(aip.rename(aip.parent / "renamed")) == {"CSIP1"}


def test_no_schemas_at_all(aip: Path) -> None:
    """A blind spot of commons-ip: no group, no division, no folder."""
    shutil.rmtree(aip / "schemas")
    alter(aip, ROOT, 'USE="Documentation"\0<fileGrp*</fileGrp>', "")
    alter(aip, ROOT, 'LABEL="Documentation"\0</div>*</div>', "</div>")
    assert "CSIP113" in codes_in(aip)


def test_line_and_values(aip: Path) -> None:
    alter(aip, ROOT, 'TYPE="PHYSICAL"', 'TYPE="LOGICAL"')
    text = (aip / ROOT).read_text("utf-8").splitlines()
    line = next(number for number, one in enumerate(text, 1) if "LOGICAL" in one)
    assert found_in(aip) == [Finding("CSIP81", PackagePath(b"METS.xml"), line, "PHYSICAL", "LOGICAL")]


def test_schema_messages_have_lines(aip: Path) -> None:
    alter(aip, PREMIS, "<event>", "<event><bogus/>")
    text = (aip / PREMIS).read_text("utf-8").splitlines()
    line = next(number for number, one in enumerate(text, 1) if "bogus" in one)
    assert (line, "PREMIS-XSD") in [(found.line, found.code) for found in found_in(aip)]


def test_extra_metadata_is_only_noted(aip: Path) -> None:
    _touch("metadata/other/extra.xml")(aip)
    assert valid(found_in(aip))


HOSTILE = {
    "empty": b"",
    "no xml": b"\0\xff<",
    "laughs": b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "' + b"&a;" * 1000 + b'">]><a b="&b;&b;">&b;</a>',
    "external": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    "entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "deep": b"<a>" * 5000,
    "utf-16": "<a/>".encode("utf-16"),
    "latin": b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xff</a>',
    "unknown encoding": b'<?xml version="1.0" encoding="x-none"?><a/>',
    "xinclude": b'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd" parse="text"/></a>',
    "schema location": b'<mets xmlns="http://www.loc.gov/METS/" xmlns:x="http://www.w3.org/2001/XMLSchema-instance"'
    b' x:schemaLocation="http://www.loc.gov/METS/ http://127.0.0.1:9/x.xsd"/>',
    "numbers": b'<mets xmlns="http://www.loc.gov/METS/">'
    b'<fileSec><fileGrp><file ID="1" SIZE="-9e9"/></fileGrp></fileSec></mets>',
    "nested": b'<mets xmlns="http://www.loc.gov/METS/">'
    b'<file><file/></file><div><structMap><div/></structMap></div><fptr/></mets>',
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("file", [ROOT, REP, PREMIS, REP_PREMIS, DC])
def test_hostile_xml_gives_findings(aip: Path, file: str, name: str) -> None:
    (aip / file).write_bytes(HOSTILE[name])
    found = found_in(aip)
    assert any(findings.level_of(one) is Level.ERROR for one in found)
    assert not any("root:" in (one.found or "") for one in found)
    kind, tree = EarkAip(), FolderTree(aip)
    kind.recognise(tree)
    kind.read(tree, digest_tree(tree, ()))


HREFS = [
    "../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/", "..%2f..%2fx", "%2e%2e/x", "a\\b",
    "C:/x", "%00", "data/../../../../x", "", "%", "data/%zz", "data//x", "?x", "#x", "%ff%fe",
]  # fmt: skip


@pytest.mark.parametrize("href", HREFS)
def test_hrefs_stay_inside(aip: Path, href: str) -> None:
    alter(aip, REP, '<FLocat\0href="*"', f'href="{href}"')
    assert "CSIP79" in codes_in(aip)
    alter(aip, ROOT, '<mptr\0href="*"', f'href="{href}"')
    assert "CSIP110" in codes_in(aip)


def test_many_findings_of_one_code_are_counted(aip: Path) -> None:
    for number in range(1005):
        (aip / f"documentation/{number}.txt").write_bytes(b"")
    found = found_in(aip)
    assert len(found) == 1001
    assert found[-1] == Finding("PKG-MORE", None, None, "CSIP66", "5")
