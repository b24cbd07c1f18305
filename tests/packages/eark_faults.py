"""What can be wrong with an E-ARK package: ways by name, each with the code that has to tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.packages.eark_sips import MOMENT, PREMIS_FILE, REP, ROOT, Shape, dublin_core, premis, reference


def edited(*edits: tuple[str, str, str], **more: object) -> Shape:
    """The plainest SIP with these edits."""
    return replace(Shape(), edits=edits, **more)  # type: ignore[arg-type]


def _cut(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        for one in [one for one in files if one == name or one.startswith(name + "/")]:
            del files[one]

    return change


def _put(name: str, data: bytes = b"x") -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files[name] = data

    return change


def _rename(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files[new] = files.pop(old)

    return change


SUBMITTER = '<agent ROLE="CREATOR" TYPE="ORGANIZATION">'
CONTACT = '<agent ROLE="CREATOR" TYPE="INDIVIDUAL">'
KEEPER = '<agent ROLE="PRESERVATION"'
ARCHIVIST = '<agent ROLE="ARCHIVIST"'
PAYLOAD = "representations/rep1/data/Văn bản 0 & 100%.txt"
OLD = "2.1.0"
NOTE_BEFORE = '<note csip:NOTETYPE="IDENTIFICATIONCODE">2</note><note '
GROUP_TYPE = 'rep1" csip:CONTENTINFORMATIONTYPE="MIXED"'
VERSIONED = "https://earkdip.dilcis.eu/profile/E-ARK-DIP-v2-2-0.xml"
SECOND_MAP = '</structMap><structMap ID="m2" TYPE="PHYSICAL" LABEL="CSIP"><div ID="m3"/></structMap>'
SECOND_DIV = '<div ID="p2" LABEL="Metadata" ADMID="p-premis p-rights" DMDID="p-dmd0"/><div ID="p-div-metadata"'
THIRD_DIV = '<div ID="d2" LABEL="Representations"><fptr FILEID="g-rep1"/></div><div ID="div-reps"'
TWICE_DEEP = '</structMap><structMap><div><div ID="w"><div ID="w"/></div></div></structMap>'
DESCRIBED_ELSEWHERE = (
    f'<dmdSec ID="p-dmd9" CREATED="{MOMENT}" STATUS="CURRENT">'
    + reference("metadata/other/dc.xml", dublin_core(0), 'MDTYPE="DC"')
    + "</dmdSec><amdSec"
)
NO_GROUP = '<fileGrp ID="g-empty" USE="More"/><fileGrp ID="g-Schemas"'


def _nine(numbers: range, start: str) -> dict[str, Shape]:
    """The attributes of a reference, each broken; `start` names the section."""
    loctype, link, href, kind, mime, size, created, checksum, algorithm = (f"CSIP{number}" for number in numbers)
    breaks = [
        (loctype, "loctype", 'LOCTYPE="URL"', 'LOCTYPE="URN"'),
        (link, "no-link-type", ' xlink:type="simple"', ""),
        (href, "gone", 'xlink:href="', 'xlink:href="gone/'),
        (href, "no-href", 'xlink:href="*"', ""),
        (kind, "no-mdtype", 'MDTYPE="*"', ""),
        (kind, "no-term", 'MDTYPE="', 'MDTYPE="x-'),
        (mime, "no-mime", 'MIMETYPE="*"', ""),
        (mime, "nonsense-mime", 'MIMETYPE="text/xml"', 'MIMETYPE="nonsense"'),
        (size, "wrong-size", 'SIZE="', 'SIZE="9'),
        (size, "no-size", 'SIZE="*"', ""),
        (created, "no-created", f'CREATED="{MOMENT}" CHECKSUM', "CHECKSUM"),
        (checksum, "wrong-checksum", 'CHECKSUM="', 'CHECKSUM="0'),
        (checksum, "no-checksum", 'CHECKSUM="*"', ""),
        (algorithm, "no-algorithm", 'CHECKSUMTYPE="SHA-256"', ""),
        (algorithm, "algorithm-without-hyphen", 'CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="SHA256"'),
    ]
    return {f"{code} {name}": edited((ROOT, f"{start}\0{old}", new)) for code, name, old, new in breaks}


BROKEN: dict[str, Shape] = {
    "CSIPSTR4 no-mets": Shape(after=(_cut(ROOT),)),
    "CSIPSTR4 wrong-case": Shape(after=(_rename(ROOT, "mets.xml"),)),
    "CSIP1 no-objid": edited((ROOT, ' OBJID="*"', "")),
    "CSIP1 empty-objid": edited((ROOT, 'OBJID="*"', 'OBJID=""')),
    "CSIP1 no-objid-in-representation": edited((REP, ' OBJID="*"', "")),
    "CSIP2 no-type": edited((ROOT, ' TYPE="Mixed"', "")),
    "CSIP2 no-term": edited((ROOT, 'TYPE="Mixed"', 'TYPE="MIXED"')),
    "CSIP2 no-term-in-representation": edited((REP, 'TYPE="Mixed"', 'TYPE="stuff"')),
    "CSIP3 other-without-othertype": edited((ROOT, 'TYPE="Mixed"', 'TYPE="Other"')),
    "CSIP3 empty-othertype": edited((ROOT, 'TYPE="Mixed"', 'TYPE="Other" csip:OTHERTYPE=""')),
    "CSIP3 othertype-is-a-term": edited((ROOT, 'TYPE="Mixed"', 'TYPE="OTHER" csip:OTHERTYPE="Datasets"')),
    "CSIP3 beside-a-term": edited((ROOT, ' TYPE="Mixed"', ' TYPE="Mixed" csip:OTHERTYPE="x"')),
    "CSIP4 no-term": edited((ROOT, 'TYPE="MIXED"', 'TYPE="stuff"')),
    "CSIP4 absent-in-representation": edited((REP, ' csip:CONTENTINFORMATIONTYPE="MIXED"', "")),
    "CSIP5 other-without-name": edited((ROOT, 'CONTENTINFORMATIONTYPE="MIXED"', 'CONTENTINFORMATIONTYPE="OTHER"')),
    "CSIP5 beside-a-term": edited((ROOT, ' PROFILE="', ' csip:OTHERCONTENTINFORMATIONTYPE="x" PROFILE="')),
    "CSIP5 alone": edited((ROOT, 'csip:CONTENTINFORMATIONTYPE="MIXED"', 'csip:OTHERCONTENTINFORMATIONTYPE="x"')),
    "CSIP5 other-is-a-term": edited(
        (ROOT, 'TYPE="MIXED"', 'TYPE="OTHER" csip:OTHERCONTENTINFORMATIONTYPE="ERMS"')
    ),
    "CSIP6 no-profile-in-representation": edited((REP, 'PROFILE="*"', "")),
    "SIP2 empty-profile": edited((ROOT, 'PROFILE="*"', 'PROFILE=""')),
    "SIP2 unknown-profile": edited((ROOT, 'PROFILE="*"', 'PROFILE="https://example.org/profile.xml"')),
    "SIP2 not-secure": edited((ROOT, 'PROFILE="https', 'PROFILE="http')),
    "CSIP117 no-header": edited((ROOT, "<metsHdr*</metsHdr>", "")),
    "CSIP117 no-header-in-representation": edited((REP, "<metsHdr*</metsHdr>", "")),
    "CSIP7 no-createdate": edited((ROOT, ' CREATEDATE="*"', "")),
    "CSIP7 date-alone": edited((ROOT, f'CREATEDATE="{MOMENT}"', 'CREATEDATE="2024-05-17"')),
    "CSIP8 in-future": edited((ROOT, 'LASTMODDATE="2024', 'LASTMODDATE="2124')),
    "CSIP9 no-package-type": edited((ROOT, ' csip:OAISPACKAGETYPE="SIP"', "")),
    "CSIP9 no-term": edited((ROOT, 'OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="sip"')),
    "SIP4 another-type": edited((ROOT, 'OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="Dossier"')),
    "CSIP10 no-agent": edited((ROOT, "<agent*\n<altRecordID", "<altRecordID")),
    "CSIP11 editor": edited((ROOT, 'ROLE="CREATOR" TYPE="OTHER"', 'ROLE="EDITOR" TYPE="OTHER"')),
    "CSIP12 individual": edited((ROOT, 'TYPE="OTHER" OTHERTYPE', 'TYPE="INDIVIDUAL" OTHERTYPE')),
    "CSIP13 lower-case": edited((ROOT, 'OTHERTYPE="SOFTWARE"', 'OTHERTYPE="software"')),
    "CSIP14 empty-name": edited((ROOT, "<name>maker</name>", "<name/>")),
    "CSIP15 no-note": edited((ROOT, "<note*</note>", "")),
    "CSIP15 two-notes": edited((ROOT, "<note csip", '<note csip:NOTETYPE="SOFTWARE VERSION">0</note><note csip')),
    "CSIP15 empty-note": edited((ROOT, 'VERSION">1<', 'VERSION"><')),
    "CSIP16 no-note-type": edited((ROOT, ' csip:NOTETYPE="SOFTWARE VERSION"', "")),
    "CSIP17 no-dmdsec": edited(
        (ROOT, "<dmdSec*</dmdSec>", ""), (ROOT, ' DMDID="p-dmd0"', ""), (REP, "<dmdSec*</dmdSec>", ""),
        (REP, ' DMDID="r1-dmd0"', ""),
    ),
    "CSIP17 no-mdref-but-a-file": edited(
        (ROOT, "<dmdSec\0<mdRef*/>", ""), (REP, "<dmdSec*</dmdSec>", ""), (REP, ' DMDID="r1-dmd0"', "")
    ),
    "CSIP32 no-mdref-but-a-file": edited((ROOT, "<digiprovMD\0<mdRef*/>", ""), (REP, "<digiprovMD\0<mdRef*/>", "")),
    "CSIP18 no-id": edited((ROOT, '<dmdSec ID="p-dmd0"', "<dmdSec"), (ROOT, ' DMDID="p-dmd0"', "")),
    "CSIP19 no-created": edited((ROOT, f'<dmdSec ID="p-dmd0" CREATED="{MOMENT}"', '<dmdSec ID="p-dmd0"')),
    "CSIP31 no-amdsec-but-a-file": edited(
        (ROOT, "<amdSec*</amdSec>", ""), (ROOT, ' ADMID="p-premis p-rights"', ""),
        after=(_cut("metadata/other"), _rename(PREMIS_FILE, "metadata/other/p.xml"), _put("metadata/preservation/log")),
    ),
    "CSIP32 no-digiprovmd": edited((ROOT, "<amdSec*</amdSec>", ""), (ROOT, ' ADMID="p-premis p-rights"', ""),
                                    (REP, "<amdSec*</amdSec>", ""), (REP, ' ADMID="r1-premis"', "")),
    "CSIP33 no-id": edited((ROOT, '<digiprovMD ID="p-premis"', "<digiprovMD"), (ROOT, 'ADMID="p-premis ', 'ADMID="')),
    "CSIP46 no-id": edited((ROOT, '<rightsMD ID="p-rights"', "<rightsMD"), (ROOT, ' p-rights"', '"')),
    "CSIP59 no-id": edited((ROOT, ' ID="files"', "")),
    "CSIP60 no-documentation": Shape(
        edits=((ROOT, "<fileGrp*</fileGrp>", ""), (ROOT, '<div ID="div-Documentation"*</div>', "")),
        after=(_cut("documentation"),),
    ),
    "CSIP113 no-schemas": Shape(
        edits=((ROOT, '<fileGrp ID="g-Schemas"*</fileGrp>', ""), (ROOT, '<div ID="div-Schemas"*</div>', "")),
        after=(_cut("schemas"),),
    ),
    "CSIP114 no-representations": Shape(
        edits=((ROOT, '<fileGrp ID="g-rep1"*</fileGrp>', ""), (ROOT, '<div ID="div-rep1"*</div>', "")),
        after=(_cut("representations"),),
    ),
    "CSIP62 no-term": edited((ROOT, GROUP_TYPE, GROUP_TYPE.replace("MIXED", "x"))),
    "CSIP62 absent-in-2.0": edited((ROOT, GROUP_TYPE, 'rep1"'), version="2.0.4 said"),
    "CSIP63 other-without-name": edited(
        (ROOT, GROUP_TYPE, GROUP_TYPE.replace("MIXED", "OTHER"))
    ),
    "CSIP63 beside-a-term": edited((ROOT, ' USE="Schemas"', ' USE="Schemas" csip:OTHERCONTENTINFORMATIONTYPE="x"')),
    "CSIP63 other-is-a-term": edited(
        (ROOT, GROUP_TYPE, GROUP_TYPE.replace("MIXED", 'OTHER" csip:OTHERCONTENTINFORMATIONTYPE="SIARD2'))
    ),
    "CSIP64 folder-gone": edited((ROOT, 'USE="Representations/rep1"', 'USE="Representations/rep9"'), own_mets=False),
    "CSIP64 no-folder": edited((ROOT, ' USE="Schemas"', ' USE="Schemas/more"')),
    "CSIP64 no-use-in-representation": edited((REP, ' USE="Data"', "")),
    "CSIP65 no-id": edited((ROOT, '<fileGrp ID="g-Schemas"', "<fileGrp"), (ROOT, '<fptr FILEID="g-Schemas"/>', ""),
                            (ROOT, '<div ID="div-Schemas" LABEL="Schemas"></div>', "")),
    "CSIP66 empty-group": edited((ROOT, '<fileGrp ID="g-Schemas"', NO_GROUP)),
    "CSIP66 unnamed-data": Shape(after=(_put("representations/rep1/data/more.txt"),)),
    "CSIP66 unnamed-documentation": Shape(after=(_put("documentation/more.txt"),)),
    "CSIP66 unnamed-schema": Shape(after=(_put("schemas/more.xsd"),)),
    "CSIP67 no-id": edited((ROOT, ' ID="Documentation-0"', "")),
    "CSIP68 no-mime": edited((ROOT, '<file ID="Documentation-0"\0 MIMETYPE="text/plain"', "")),
    "CSIP68 nonsense": edited((REP, 'MIMETYPE="text/plain"', 'MIMETYPE="text/nonsense"')),
    "CSIP69 no-size": edited((REP, '<file \0 SIZE="*"', "")),
    "CSIP69 wrong-size": edited((REP, '<file \0 SIZE="', ' SIZE="1')),
    "CSIP70 no-created": edited((REP, f'<file \0 CREATED="{MOMENT}"', "")),
    "CSIP71 wrong-checksum": Shape(after=(_put(PAYLOAD, b"1 1\n"),)),
    "CSIP71 no-checksum": edited((REP, '<file \0 CHECKSUM="*"', "")),
    "CSIP71 no-digest-of-whirlpool": edited((REP, '<file \0CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="WHIRLPOOL"')),
    "CSIP71 no-digest-of-tiger": edited(
        (REP, '<file \0CHECKSUM="*" CHECKSUMTYPE="SHA-256"', 'CHECKSUM="none" CHECKSUMTYPE="TIGER"')
    ),
    "CSIP72 no-algorithm": edited((REP, '<file \0 CHECKSUMTYPE="SHA-256"', "")),
    "CSIP72 lower-case": edited((REP, '<file \0CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="sha-256"')),
    "CSIP76 no-flocat": edited((ROOT, '<file ID="Schemas-0"\0<FLocat*/>', "")),
    "CSIP77 loctype": edited((REP, '<FLocat LOCTYPE="URL"', '<FLocat LOCTYPE="OTHER" OTHERLOCTYPE="x"')),
    "CSIP78 no-link-type": edited((REP, '<FLocat\0 xlink:type="simple"', "")),
    "CSIP79 missing-file": Shape(after=(_cut(PAYLOAD),)),
    "CSIP79 no-href": edited((ROOT, '<file ID="Schemas-0"\0 xlink:href="*"', "")),
    "CSIP79 climbing": edited((REP, '<FLocat\0xlink:href="', 'xlink:href="../../../')),
    "CSIP79 wrong-case": edited((ROOT, 'xlink:href="schemas/mets.xsd"', 'xlink:href="Schemas/mets.xsd"')),
    "CSIP80 no-structmap": edited((ROOT, "<structMap*</structMap>", "")),
    "CSIP81 logical": edited((ROOT, 'TYPE="PHYSICAL"', 'TYPE="LOGICAL"')),
    "CSIP82 other-label": edited((ROOT, 'LABEL="CSIP"', 'LABEL="CSIP structMap"')),
    "CSIP82 two": edited((ROOT, "</structMap>", SECOND_MAP)),
    "CSIP82 other-label-in-representation": edited((REP, ' LABEL="CSIP"', "")),
    "CSIP83 no-id": edited((ROOT, '<structMap ID="map"', "<structMap")),
    "CSIP85 no-id": edited((ROOT, '<div ID="main"', "<div")),
    "CSIP86 no-label-in-2.0": edited((ROOT, '<div ID="main" LABEL="*"', '<div ID="main"'), version="2.0.4 said"),
    "CSIP88 no-metadata": edited((ROOT, '<div ID="p-div-metadata"*/>', "")),
    "CSIP88 two": edited((ROOT, '<div ID="p-div-metadata"', SECOND_DIV)),
    "CSIP88 none-in-representation": edited((REP, '<div ID="r1-div-metadata"*/>', "")),
    "CSIP89 no-id": edited((ROOT, '<div ID="p-div-metadata"', "<div")),
    "CSIP90 lower-case": edited((ROOT, 'LABEL="Metadata"', 'LABEL="metadata"')),
    "CSIP91 unnamed-in-2.0": edited((ROOT, ' p-rights"', '"'), version="2.0.4 said"),
    "CSIP92 unnamed-in-2.0": edited((ROOT, ' DMDID="p-dmd0"', ""), version="2.0.4 said"),
    "CSIP94 no-id": edited((ROOT, '<div ID="div-Documentation"', "<div")),
    "CSIP95 lower-case": edited((ROOT, 'LABEL="Documentation"', 'LABEL="documentation"')),
    "CSIP96 no-pointer-in-2.1": edited((ROOT, '<fptr FILEID="g-Documentation"/>', ""), version=OLD),
    "CSIP98 no-id": edited((ROOT, '<div ID="div-Schemas"', "<div")),
    "CSIP99 lower-case": edited((ROOT, 'LABEL="Schemas"', 'LABEL="SCHEMAS"')),
    "CSIP100 no-pointer-in-2.1": edited((ROOT, '<fptr FILEID="g-Schemas"/>', ""), version=OLD),
    "CSIP101 two": edited((ROOT, '<div ID="div-reps"', THIRD_DIV), own_mets=False),
    "CSIP102 no-id": edited((ROOT, '<div ID="div-reps"', "<div"), own_mets=False),
    "CSIP103 lower-case": edited((ROOT, 'LABEL="Representations"', 'LABEL="representations"'), own_mets=False),
    "CSIP104 no-pointer-in-2.1": edited((ROOT, '<fptr FILEID="g-rep1"/>', ""), own_mets=False, version=OLD),
    "CSIP106 no-id": edited((ROOT, '<div ID="div-rep1"', "<div")),
    "CSIP107 plain-label": edited((ROOT, 'LABEL="Representations/rep1"', 'LABEL="Representations/rep9"'),
                                   (ROOT, 'xlink:title="g-rep1"', 'xlink:title="g-rep1"')),
    "CSIP108 no-group": edited((ROOT, 'xlink:title="g-rep1"', 'xlink:title="g-rep9"')),
    "CSIP108 another-group": edited((ROOT, 'xlink:title="g-rep1"', 'xlink:title="g-Schemas"')),
    "CSIP109 no-mptr": edited((ROOT, "<mptr*/>", "")),
    "CSIP110 gone": edited((ROOT, '<mptr\0xlink:href="', 'xlink:href="gone/')),
    "CSIP110 no-href": edited((ROOT, '<mptr\0 xlink:href="*"', "")),
    "CSIP111 no-link-type": edited((ROOT, '<mptr\0 xlink:type="simple"', "")),
    "CSIP112 loctype": edited((ROOT, '<mptr LOCTYPE="URL"', '<mptr LOCTYPE="URN"')),
    "CSIP116 file-not-group": edited((ROOT, 'FILEID="g-Documentation"', 'FILEID="Documentation-0"'), version="2.2.0"),
    "CSIP118 another-group": edited((ROOT, 'FILEID="g-Schemas"', 'FILEID="g-Documentation"')),
    "CSIP119 file-not-group": edited((ROOT, '<fptr FILEID="g-rep1"/>', '<fptr FILEID="rep1-0"/>'), own_mets=False),
    "CSIP67 twice": edited((ROOT, 'ID="Schemas-1"', 'ID="Schemas-0"')),
    "CSIP18 twice": edited((ROOT, '<dmdSec ID="p-dmd0"', '<dmdSec ID="p-dmd1"'), descriptions=2),
    "EARK-ID twice": edited((ROOT, "</structMap>", TWICE_DEEP)),
    "EARK-IDREF admid": edited((ROOT, 'ADMID="p-premis', 'ADMID="p-gone p-premis')),
    "EARK-IDREF file": edited((ROOT, '<file ID="Schemas-0"', '<file ADMID="p-gone" ID="Schemas-0"')),
    "EARK-IDREF group": edited((ROOT, '<fileGrp ID="g-Schemas"', '<fileGrp ADMID="p-gone" ID="g-Schemas"')),
    "EARK-XML cut": edited((ROOT, "</mets>", "")),
    "EARK-XML doctype": edited((ROOT, "<mets ", "<!DOCTYPE mets><mets ")),
    "EARK-XML cut-representation": edited((REP, "</mets>", "")),
    "METS-XSD brackets-in-a-reference": edited(
        (ROOT, "documentation/*.txt", "documentation/a[1].txt"),
        after=(_rename("documentation/đọc tôi.txt", "documentation/a[1].txt"),),
    ),
    "METS-XSD unknown-element": edited((ROOT, "<fileSec", "<bogus/><fileSec")),
    "CSIP8 no-time": edited((ROOT, 'LASTMODDATE="*"', 'LASTMODDATE="yesterday"')),
    "SIP10 no-role": edited((ROOT, f'{ARCHIVIST} TYPE="ORGANIZATION"', '<agent TYPE="ORGANIZATION"')),
    "SIP16 no-role": edited((ROOT, SUBMITTER, '<agent TYPE="ORGANIZATION">')),
    "SIP4 aip": edited((ROOT, 'OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="AIP"')),
    "SIP4 aiu": edited((ROOT, 'OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="AIU"')),
    "SIP2 of-a-dip": edited((ROOT, 'PROFILE="*"', 'PROFILE="https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml"')),
    "SIP3 no-term": edited((ROOT, 'RECORDSTATUS="NEW"', 'RECORDSTATUS="fresh"')),
    "SIP5 two": edited((ROOT, "<altRecordID", '<altRecordID TYPE="SUBMISSIONAGREEMENT">2</altRecordID><altRecordID')),
    "SIP7 two": edited((ROOT, "<altRecordID", '<altRecordID TYPE="REFERENCECODE">2</altRecordID><altRecordID')),
    "SIP11 type": edited((ROOT, f'{ARCHIVIST} TYPE="ORGANIZATION"', f'{ARCHIVIST} TYPE="OTHER"')),
    "SIP12 no-name": edited((ROOT, f"{ARCHIVIST}\0<name>*</name>", "<name/>")),
    "SIP14 no-note-type": edited((ROOT, f'{ARCHIVIST}\0 csip:NOTETYPE="IDENTIFICATIONCODE"', "")),
    "SIP15 nobody": edited((ROOT, f"{SUBMITTER}*</agent>", "")),
    "SIP15 the-same-twice": edited(
        (ROOT, f"{ARCHIVIST}*</agent>", ""), (ROOT, SUBMITTER, f"{SUBMITTER}<name>Sở Nội vụ</name></agent>{SUBMITTER}")
    ),
    "CSIP109 label-without-representation": edited(
        (ROOT, "</div></structMap>", '<div ID="q" LABEL="Representations/rep9"/></div></structMap>')
    ),
    "SIP15 two": edited((ROOT, SUBMITTER, f"{SUBMITTER}<name>A</name></agent>{SUBMITTER}")),
    "SIP17 type": edited((ROOT, 'ROLE="CREATOR" TYPE="ORGANIZATION"', 'ROLE="CREATOR" TYPE="OTHER"')),
    "SIP18 no-name": edited((ROOT, f"{SUBMITTER}\0<name>*</name>", "<name/>")),
    "SIP20 note-type": edited((ROOT, f'{SUBMITTER}\0"IDENTIFICATIONCODE"', '"SOFTWARE VERSION"')),
    "SIP24 no-name": edited((ROOT, f"{CONTACT}\0<name>*</name>", "<name/>"), contact=True),
    "SIP28 type": edited((ROOT, f'{KEEPER} TYPE="ORGANIZATION"', f'{KEEPER} TYPE="INDIVIDUAL"')),
    "SIP29 no-name": edited((ROOT, f"{KEEPER}\0<name>*</name>", "<name/>")),
    "SIP31 no-note-type": edited((ROOT, f'{KEEPER}\0 csip:NOTETYPE="IDENTIFICATIONCODE"', "")),
    "AIPM2 csip-of-2.2": edited(
        (ROOT, 'PROFILE="*"', 'PROFILE="https://earkcsip.dilcis.eu/profile/E-ARK-CSIP-v2-2-0.xml"'), kind="AIP"
    ),
    "DIP2 unknown-profile": edited((ROOT, 'PROFILE="*"', 'PROFILE="https://example.org/x.xml"'), kind="DIP"),
    "PREMIS-XSD unknown-element": edited((PREMIS_FILE, "<event>", "<bogus/><event>")),
    "PM30 no-type": edited((f"representations/rep1/{PREMIS_FILE}", '"file"\0Type>local<', "Type><")),
    "PM73 no-name": edited((PREMIS_FILE, "<agentName>maker</agentName>", "")),
    "PM85 no-date": edited((PREMIS_FILE, f"<eventDateTime>{MOMENT}", "<eventDateTime>yesterday")),
    **_nine(range(22, 31), "<dmdSec"),
    **_nine(range(36, 45), "<digiprovMD"),
    **_nine(range(49, 58), "<rightsMD"),
}  # fmt: skip
"""Name: code that is expected, and what was done. Nothing else of level error but what ALSO names."""

ALSO: dict[str, set[str]] = {
    "SIP2 empty-profile": {"CSIP6"},
    "SIP4 another-type": {"CSIP9"},
    "CSIP9 no-package-type": {"SIP4"},
    "CSIP9 no-term": {"SIP4"},
    "CSIP10 no-agent": {"SIP15"},
}
"""Errors that the same fault is, too."""

NOTED: dict[str, Shape] = {
    "CSIP1 another-folder": edited((ROOT, 'OBJID="', 'OBJID="another-')),
    "CSIP1 another-representation": edited((REP, 'OBJID="rep1"', 'OBJID="rep9"')),
    "CSIP3 empty-beside-a-term": edited((ROOT, ' TYPE="Mixed"', ' TYPE="Mixed" csip:OTHERTYPE=""')),
    "CSIP4 absent": edited((ROOT, ' csip:CONTENTINFORMATIONTYPE="MIXED"', "")),
    "CSIP5 empty-beside-a-term": edited((ROOT, ' PROFILE="', ' csip:OTHERCONTENTINFORMATIONTYPE="" PROFILE="')),
    "CSIP2 hyphen": edited((ROOT, ' TYPE="Mixed"', ' TYPE="Photographs - Digital"')),
    "CSIPSTR7 in-other": Shape(
        descriptions=0,
        after=(_put("metadata/other/dc.xml", dublin_core(0)),),
        edits=((ROOT, "<amdSec", DESCRIBED_ELSEWHERE),),
    ),
    "CSIP8 absent": edited((ROOT, ' LASTMODDATE="*"', "")),
    "CSIP17 one-unnamed": Shape(after=(_put("metadata/descriptive/more.xml", b"<a/>"),)),
    "CSIP20 no-status": edited((ROOT, '<dmdSec\0 STATUS="CURRENT"', "")),
    "CSIP20 no-term": edited((ROOT, '<dmdSec\0STATUS="CURRENT"', 'STATUS="new"')),
    "CSIP21 no-mdref": edited((ROOT, "<dmdSec\0<mdRef*/>", ""), after=(_cut("metadata/descriptive"),)),
    "CSIP31 unnamed": Shape(after=(_put("metadata/other/more.xml", b"<a/>"),)),
    "CSIP32 one-unnamed": Shape(after=(_put("metadata/preservation/more.xml", premis("more", {})),)),
    "CSIP34 no-status": edited((ROOT, '<digiprovMD\0 STATUS="CURRENT"', "")),
    "CSIP47 no-status": edited((ROOT, '<rightsMD\0 STATUS="CURRENT"', "")),
    "CSIP62 absent": edited((ROOT, GROUP_TYPE, 'rep1"')),
    "CSIP63 empty-beside-a-term": edited((ROOT, 'USE="Schemas"', 'USE="Schemas" csip:OTHERCONTENTINFORMATIONTYPE=""')),
    "SIP15 creator-and-submitter": edited(
        (ROOT, f"{ARCHIVIST}*</agent>", ""), (ROOT, SUBMITTER, f"{SUBMITTER}<name>A</name></agent>{SUBMITTER}")
    ),
    "CSIP109 described-by-the-root": edited(
        (ROOT, ' LABEL="Representations"', ' LABEL="Representations/rep1"'),
        (ROOT, '<fptr FILEID="g-rep1"/>', '<div LABEL="Representations/rep1/data"><fptr FILEID="g-rep1"/></div>'),
        own_mets=False,
    ),
    "CSIP26 private-mime": edited((ROOT, '<dmdSec\0"text/xml"', '"application/x-dublin-core"')),
    "CSIP91 unnamed": edited((ROOT, ' p-rights"', '"')),
    "CSIP92 unnamed": edited((ROOT, ' DMDID="p-dmd0"', "")),
    "CSIP93 no-division": edited((ROOT, '<div ID="div-Documentation"*</div>', "")),
    "CSIP96 no-pointer": edited((ROOT, '<fptr FILEID="g-Documentation"/>', "")),
    "CSIP97 no-division": edited((ROOT, '<div ID="div-Schemas"*</div>', "")),
    "CSIP100 no-pointer": edited((ROOT, '<fptr FILEID="g-Schemas"/>', "")),
    "CSIP101 no-division": edited((ROOT, '<div ID="div-reps"*</div>', ""), own_mets=False),
    "CSIP104 no-pointer": edited((ROOT, '<fptr FILEID="g-rep1"/>', ""), own_mets=False),
    "CSIP105 not-pointed-to": edited((ROOT, '<div ID="div-rep1"*</div>', "")),
    "CSIPSTR5 no-metadata": Shape(premis=False, descriptions=0),
    "CSIPSTR6 elsewhere": edited(
        (ROOT, f'xlink:href="{PREMIS_FILE}"', 'xlink:href="metadata/premis.xml"'),
        after=(_rename(PREMIS_FILE, "metadata/premis.xml"),),
    ),
    "CSIPSTR7 elsewhere": edited(
        (ROOT, 'xlink:href="metadata/descriptive/dc0.xml"', 'xlink:href="dc0.xml"'),
        after=(_rename("metadata/descriptive/dc0.xml", "dc0.xml"),),
    ),
    "CSIPSTR10 stray": Shape(after=(_put("representations/stray.txt"),)),
    "CSIPSTR12 root-mets-alone": Shape(own_mets=False),
    "CSIP10 none-in-representation": edited((REP, "<agent*\n<altRecordID", "<altRecordID")),
    "CSIP88 none-in-representation-without-metadata": edited(
        (REP, '<div ID="r1-div-metadata"*/>', ""), (REP, "<dmdSec*</dmdSec>", ""), (REP, "<amdSec*</amdSec>", ""),
        after=(_cut("representations/rep1/metadata"),),
    ),
    "EARK-HREF spaces-as-in-a-form": edited((REP, "%20", "+"), (REP, "%20", "+"), (REP, "%20", "+")),
    "EARK-HREF not-encoded": edited((ROOT, "documentation/*.txt", "documentation/đọc tôi.txt")),
    "EARK-CSIP csip-alone": edited(
        (ROOT, 'PROFILE="*"', 'PROFILE="https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"'),
        (ROOT, f"{SUBMITTER}*</agent>", ""),
    ),
    "SIP1 empty": edited((ROOT, 'LABEL="Hồ sơ"', 'LABEL=""')),
    "SIP6 empty": edited((ROOT, "2019/01", "")),
    "SIP8 empty": edited((ROOT, "VN 0", "")),
    "SIP9 two": edited((ROOT, ARCHIVIST, f'{ARCHIVIST} TYPE="ORGANIZATION"><name>A</name></agent>{ARCHIVIST}')),
    "SIP13 two-notes": edited((ROOT, f"{ARCHIVIST}\0<note ", NOTE_BEFORE)),
    "SIP18 no-name-in-2.1": edited((ROOT, f"{SUBMITTER}\0<name>*</name>", "<name/>"), version=OLD),
    "SIP19 two-notes": edited((ROOT, f"{SUBMITTER}\0<note ", NOTE_BEFORE)),
    "SIP26 two": edited((ROOT, KEEPER, f'{KEEPER} TYPE="ORGANIZATION"><name>A</name></agent>{KEEPER}')),
    "SIP30 two-notes": edited((ROOT, f"{KEEPER}\0<note ", NOTE_BEFORE)),
    "SIP34 empty": edited((ROOT, '<file ID="Schemas-0"', '<file sip:FILEFORMATREGISTRY="" ID="Schemas-0"')),
    "SIP35 no-registry": edited((ROOT, '<file ID="Schemas-0"', '<file sip:FILEFORMATKEY="fmt/1" ID="Schemas-0"')),
    "DIP2 versioned": edited((ROOT, 'PROFILE="*"', f'PROFILE="{VERSIONED}"'), kind="DIP"),
    "AIPM2 another-host": edited((ROOT, 'PROFILE="https://earkdip', 'PROFILE="https://earkaip'), kind="AIP"),
    "AIPM2 csip-before-2.2": edited(
        (ROOT, 'PROFILE="*"', 'PROFILE="https://earkcsip.dilcis.eu/profile/E-ARK-CSIP-v2-1-0.xml"'), kind="AIP"
    ),
    "DIP4 superseded": edited((ROOT, '<dmdSec\0"CURRENT"', '"SUPERSEDED"'), kind="DIP"),
    "PM1 older": edited((PREMIS_FILE, "<premis*</premis>", '<premis xmlns="info:lc/xmlns/premis-v2" version="2.2"/>')),
    "PM33 no-fixity": edited((f"representations/rep1/{PREMIS_FILE}", "<fixity>*</fixity>", "")),
    "PM87 no-agent": edited((PREMIS_FILE, "<linkingAgentIdentifier>*</linkingAgentIdentifier>", "")),
    "DC-XSD unknown-element": edited(("metadata/descriptive/dc0.xml", "<dc:title>", "<dc:headline/><dc:title>")),
}  # fmt: skip
"""Name: code that is expected, below the level of an error; nothing is an error."""
