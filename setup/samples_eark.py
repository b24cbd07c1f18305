"""Small submissions by E-ARK SIP 2.2.0, composed file by file as a depositor's software would.

`sip` gives the files of a good one by path; whoever wants a broken one changes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "xsd"
MOMENT = "2020-01-01T00:00:00+07:00"
PROFILE = "https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml"
SHIPPED = ("DILCISExtensionMETS.xsd", "DILCISExtensionSIPMETS.xsd")
"""Schemas that travel with the sample: the two small ones."""

_NAMESPACES = (
    'xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink"\n'
    '      xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS"'
    ' xmlns:sip="https://DILCIS.eu/XML/METS/SIPExtensionMETS"'
)
_AGENTS = """    <agent ROLE="CREATOR" TYPE="OTHER" OTHERTYPE="SOFTWARE">
      <name>Phần mềm mẫu</name><note csip:NOTETYPE="SOFTWARE VERSION">1.0</note>
    </agent>
    <agent ROLE="CREATOR" TYPE="ORGANIZATION">
      <name>Sở Nội vụ tỉnh Ví Dụ</name><note csip:NOTETYPE="IDENTIFICATIONCODE">H99.01</note>
    </agent>
"""


@dataclass
class Representation:
    """`data` by name; `more` are files beside `data/` (metadata, documentation, schemas), by their paths there."""

    data: dict[str, bytes]
    more: dict[str, bytes] = field(default_factory=dict)


def sip(
    root: str,
    label: str,
    representations: dict[str, Representation],
    more: dict[str, bytes],
    *,
    package: str = "SIP",
    profile: str = PROFILE,
    pointers: Iterable[str] = (),
    alternatives: Iterable[tuple[str, str]] = (("SUBMISSIONAGREEMENT", "TT-2020-07"),),
) -> dict[str, bytes]:
    """All files of a submission by path below its root folder. `pointers` lead to other packages (a split one)."""
    files = {f"schemas/{name}": (SCHEMAS / name).read_bytes() for name in SHIPPED} | dict(more)
    told = "".join(f'    <altRecordID TYPE="{kind}">{value}</altRecordID>\n' for kind, value in alternatives)
    frame = (package, profile, told)
    for name, one in representations.items():
        base = f"representations/{name}/"
        files |= {base + f"data/{path}": data for path, data in one.data.items()}
        files |= {base + path: data for path, data in one.more.items()}
        files[base + "METS.xml"] = _mets(name, f"{label}: {name}", frame, _below(files, base), ())
    own = {path: data for path, data in files.items() if not path.startswith("representations/")}
    members = {name: files[f"representations/{name}/METS.xml"] for name in representations}
    files["METS.xml"] = _mets(root, label, frame, own, pointers, members)
    return dict(sorted(files.items()))


def _below(files: dict[str, bytes], base: str) -> dict[str, bytes]:
    return {path.removeprefix(base): data for path, data in files.items() if path.startswith(base)}


def _attributes(data: bytes, mime: str) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f'MIMETYPE="{mime}" SIZE="{len(data)}" CREATED="{MOMENT}" CHECKSUM="{digest}" CHECKSUMTYPE="SHA-256"'


def _at(path: str) -> str:
    return f'LOCTYPE="URL" xlink:type="simple" xlink:href="{quote(path)}"'


def _mime(path: str) -> str:
    endings = {"xml": "text/xml", "xsd": "application/xml", "pdf": "application/pdf"}
    return endings.get(path.rpartition(".")[2], "text/plain")


def _kind(path: str) -> str:
    name = path.rpartition("/")[2].partition(".")[0].upper()
    return f'MDTYPE="{name}"' if name in ("DC", "EAD", "MODS") else f'MDTYPE="OTHER" OTHERMDTYPE="{name}"'


def _mets(
    name: str,
    label: str,
    frame: tuple[str, str, str],
    files: dict[str, bytes],
    pointers: Iterable[str],
    members: dict[str, bytes] | None = None,
) -> bytes:
    package, profile, told = frame
    mark = "" if members is not None else f"-{name}"
    described, preserved, groups, divisions = [], [], [], []
    dmd: list[str] = []
    amd: list[str] = []
    by_use: dict[str, list[str]] = {}
    for number, (path, data) in enumerate(sorted(files.items()), 1):
        top, _, _ = path.partition("/")
        if path.startswith("metadata/descriptive/"):
            dmd.append(f"ID-dmd{mark}-{number}")
            described.append(
                f'  <dmdSec ID="{dmd[-1]}" CREATED="{MOMENT}" STATUS="CURRENT">\n'
                f"    <mdRef {_kind(path)} {_attributes(data, 'text/xml')} {_at(path)}/>\n  </dmdSec>\n"
            )
        elif path.startswith("metadata/"):
            amd.append(f"ID-amd{mark}-{number}")
            kind = 'MDTYPE="PREMIS" MDTYPEVERSION="3.0"' if "preservation" in path else 'MDTYPE="OTHER" OTHERMDTYPE="X"'
            preserved.append(
                f'    <digiprovMD ID="{amd[-1]}" CREATED="{MOMENT}" STATUS="CURRENT">\n'
                f"      <mdRef {kind} {_attributes(data, 'text/xml')} {_at(path)}/>\n    </digiprovMD>\n"
            )
        elif top in ("data", "documentation", "schemas"):
            by_use.setdefault(top.capitalize(), []).append(
                f'      <file ID="ID-file{mark}-{number}" {_attributes(data, _mime(path))}>\n'
                f"        <FLocat {_at(path)}/>\n      </file>\n"
            )
    for use, rows in by_use.items():
        groups.append(f'    <fileGrp ID="ID-grp{mark}-{use}" USE="{use}">\n{"".join(rows)}    </fileGrp>\n')
        pointer = f'<fptr FILEID="ID-grp{mark}-{use}"/>'
        divisions.append(f'      <div ID="ID-div{mark}-{use}" LABEL="{use}">{pointer}</div>\n')
    for member, data in (members or {}).items():
        path, group = f"representations/{member}/METS.xml", f"ID-rep-{member}"
        groups.append(
            f'    <fileGrp ID="{group}" USE="Representations/{member}" csip:CONTENTINFORMATIONTYPE="MIXED">\n'
            f'      <file ID="{group}-mets" {_attributes(data, "text/xml")}>\n'
            f"        <FLocat {_at(path)}/>\n      </file>\n    </fileGrp>\n"
        )
        divisions.append(
            f'      <div ID="{group}-div" LABEL="Representations/{member}">'
            f'<mptr {_at(path)} xlink:title="{group}"/></div>\n'
        )
    others = "".join(
        f'      <div ID="ID-part-{number}" LABEL="Phần {number}">'
        f'<mptr LOCTYPE="OTHER" OTHERLOCTYPE="UUID" xlink:type="simple" xlink:href="{href}"/></div>\n'
        for number, href in enumerate(pointers, 1)
    )
    if others:
        others = (
            '  <structMap ID="ID-parts" TYPE="LOGICAL" LABEL="Parts">\n'
            f'    <div ID="ID-parts-div" LABEL="{label}">\n{others}    </div>\n  </structMap>\n'
        )
    section = f'  <amdSec ID="ID-amdSec{mark}">\n{"".join(preserved)}  </amdSec>\n' if preserved else ""
    named = (f' ADMID="{" ".join(amd)}"' if amd else "") + (f' DMDID="{" ".join(dmd)}"' if dmd else "")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mets {_NAMESPACES}
      OBJID="{name}" LABEL="{label}" TYPE="Mixed" csip:CONTENTINFORMATIONTYPE="MIXED" PROFILE="{profile}">
  <metsHdr CREATEDATE="{MOMENT}" LASTMODDATE="{MOMENT}" RECORDSTATUS="NEW" csip:OAISPACKAGETYPE="{package}">
{_AGENTS}{told if members is not None else ""}  </metsHdr>
{"".join(described)}{section}  <fileSec ID="ID-fileSec{mark}">
{"".join(groups)}  </fileSec>
  <structMap ID="ID-map{mark}" TYPE="PHYSICAL" LABEL="CSIP">
    <div ID="ID-div{mark}" LABEL="{name}">
      <div ID="ID-div{mark}-Metadata" LABEL="Metadata"{named}/>
{"".join(divisions)}    </div>
  </structMap>
{others}</mets>
""".encode()


def dc(**terms: str) -> bytes:
    """Dublin Core in the container of OAI."""
    rows = "".join(f"  <dc:{term}>{value}</dc:{term}>\n" for term, value in terms.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/">\n{rows}</oai_dc:dc>\n'
    ).encode()


EAD = """<?xml version="1.0" encoding="UTF-8"?>
<ead xmlns="http://ead3.archivists.org/schema/">
  <control><recordid>H99.01.1999.71</recordid><filedesc><titlestmt><titleproper>Hồ sơ hội nghị năm 1999</titleproper>
    </titlestmt></filedesc><maintenancestatus value="new"/><maintenanceagency><agencyname>Sở Nội vụ tỉnh Ví Dụ
    </agencyname></maintenanceagency><maintenancehistory><maintenanceevent><eventtype value="created"/>
    <eventdatetime>2020-01-01</eventdatetime><agenttype value="human"/><agent>Nguyễn Văn Mẫu</agent>
    </maintenanceevent></maintenancehistory></control>
  <archdesc level="file"><did><unittitle>Hồ sơ hội nghị tổng kết năm 1999</unittitle></did></archdesc>
</ead>
""".encode()

MODS = """<?xml version="1.0" encoding="UTF-8"?>
<mods xmlns="http://www.loc.gov/mods/v3" version="3.7">
  <titleInfo><title>Bản số hóa hồ sơ hội nghị</title></titleInfo>
</mods>
""".encode()

_PREMIS = """<?xml version="1.0" encoding="UTF-8"?>
<premis xmlns="http://www.loc.gov/premis/v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">
{objects}{events}  <agent>
    <agentIdentifier><agentIdentifierType>local</agentIdentifierType><agentIdentifierValue>{agent}</agentIdentifierValue></agentIdentifier>
    <agentName>{name}</agentName>
    <agentType>{kind}</agentType>
  </agent>
{rights}</premis>
"""


def premis(
    kind: str, object_id: str, event_id: str, event: str, agent: tuple[str, str, str], rights: str = ""
) -> bytes:
    """PREMIS with one object (`kind` intellectualEntity or representation), one event, one agent."""
    objects = f"""  <object xsi:type="{kind}">
    <objectIdentifier><objectIdentifierType>local</objectIdentifierType><objectIdentifierValue>{object_id}</objectIdentifierValue></objectIdentifier>
  </object>
"""
    events = f"""  <event>
    <eventIdentifier><eventIdentifierType>UUID</eventIdentifierType><eventIdentifierValue>{event_id}</eventIdentifierValue></eventIdentifier>
    <eventType>{event}</eventType>
    <eventDateTime>2019-12-30T08:00:00+07:00</eventDateTime>
    <eventOutcomeInformation><eventOutcome>success</eventOutcome></eventOutcomeInformation>
    <linkingAgentIdentifier><linkingAgentIdentifierType>local</linkingAgentIdentifierType><linkingAgentIdentifierValue>{agent[0]}</linkingAgentIdentifierValue></linkingAgentIdentifier>
    <linkingObjectIdentifier><linkingObjectIdentifierType>local</linkingObjectIdentifierType><linkingObjectIdentifierValue>{object_id}</linkingObjectIdentifierValue></linkingObjectIdentifier>
  </event>
"""
    values = {"agent": agent[0], "name": agent[1], "kind": agent[2]}
    return _PREMIS.format(objects=objects, events=events, rights=rights, **values).encode()


RIGHTS = """  <rights>
    <rightsStatement>
      <rightsStatementIdentifier><rightsStatementIdentifierType>local</rightsStatementIdentifierType><rightsStatementIdentifierValue>luat-luu-tru</rightsStatementIdentifierValue></rightsStatementIdentifier>
      <rightsBasis>statute</rightsBasis>
      <statuteInformation>
        <statuteJurisdiction>vn</statuteJurisdiction>
        <statuteCitation>Luật Lưu trữ số 33/2024/QH15</statuteCitation>
        <statuteNote>Tài liệu lưu trữ vĩnh viễn</statuteNote>
      </statuteInformation>
      <rightsGranted><act>dissemination</act><termOfGrant><startDate>2020-01-01</startDate></termOfGrant></rightsGranted>
      <rightsGranted><act>deletion</act><restriction>Không hủy</restriction></rightsGranted>
    </rightsStatement>
  </rights>
"""

GOOD = "uuid-2b1f4c5e-7a0d-5c1e-9d3b-0a6f2f9f1c77"


def good(letter: bytes, minutes: bytes) -> dict[str, bytes]:
    """Two representations, descriptions in three schemas, PREMIS at both levels, documentation."""
    return sip(
        GOOD,
        "Hồ sơ hội nghị giao nộp theo E-ARK",
        {
            "goc": Representation(
                {"Công văn 71.txt": letter, "Phụ lục/100% biên bản.txt": minutes},
                {
                    "metadata/descriptive/dc.xml": dc(title="Bản gốc", language="vi"),
                    "metadata/preservation/premis.xml": premis(
                        "representation", "goc", "5f0d9f9e-6f2f-4a6e-9c7e-3f8f2a1b0c11", "imaging",
                        ("may-quet", "Máy quét mẫu", "hardware"),
                    ),
                    "documentation/Ghi chú số hóa.txt": minutes,
                },
            ),  # fmt: skip
            "so-hoa": Representation({"Công văn 71.txt": letter}, {"metadata/descriptive/mods.xml": MODS}),
        },
        {
            "metadata/descriptive/dc.xml": dc(title="Hồ sơ hội nghị năm 1999", creator="Sở Nội vụ", date="1999"),
            "metadata/descriptive/ead.xml": EAD,
            "metadata/preservation/premis.xml": premis(
                "intellectualEntity", GOOD, "7b8e6d58-7d0f-4c27-8f0b-7f4f1b5a2d01", "creation",
                ("phan-mem-mau", "Phần mềm mẫu", "software"), RIGHTS,
            ),
            "documentation/Biên bản bàn giao.txt": minutes,
        },
    )  # fmt: skip


def split(letter: bytes) -> dict[str, bytes]:
    """One part of a package that was split: it names its parent and its sibling."""
    root = "uuid-9c2d7a10-3b0e-5d52-8a57-4c1d7c2e9b02"
    return sip(
        root,
        "Hồ sơ hội nghị, phần 2",
        {"goc": Representation({"Công văn 72.txt": letter})},
        {
            "metadata/descriptive/dc.xml": dc(title="Hồ sơ hội nghị năm 1999, phần 2"),
            "documentation/Ghi chú.txt": letter,
        },
        pointers=("urn:uuid:2b1f4c5e-7a0d-5c1e-9d3b-0a6f2f9f1c77", "urn:uuid:1d8a3c44-0f7b-5b55-9a70-2e6f0c3b8a03"),
        alternatives=(("SUBMISSIONAGREEMENT", "TT-2020-07"), ("REFERENCECODE", "H99.01.1999.71/2")),
    )


def bare(letter: bytes) -> dict[str, bytes]:
    """What every part of the standard beyond the least is missing from."""
    root = "uuid-44d1b1c0-51f0-5a1f-8f0a-bb0f66c1f504"
    files = sip(root, "Hồ sơ một tệp", {"rep1": Representation({"Công văn.txt": letter})},
                {"documentation/Ghi chú.txt": letter})  # fmt: skip
    return files


def altered(letter: bytes) -> dict[str, bytes]:
    """A file that is not what its METS says."""
    files = bare(letter)
    path = "representations/rep1/data/Công văn.txt"
    return files | {path: files[path].replace(b"1", b"7", 1)[:-1] + b"!"}
