"""E-ARK packages built from the specifications alone: valid ones of every version, and broken ones by name.

Nothing of the program under test is used here. A package is a set of files (path below its root folder: bytes); METS
files are written last, so that their digests are right whatever was changed before.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

XSD = Path(__file__).resolve().parents[2] / "schemas" / "xsd"
SHIPPED = ("mets.xsd", "xlink.xsd", "DILCISExtensionMETS.xsd", "DILCISExtensionSIPMETS.xsd", "premis-v3-0.xsd")
MOMENT = "2024-05-17T10:00:00+02:00"
NAMESPACES = (
    'xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS" xmlns:sip="https://DILCIS.eu/XML/METS/SIPExtensionMETS"'
)
PROFILES = {
    ("SIP", "2.0.4"): "https://earksip.dilcis.eu/profile/E-ARK-SIP.xml",
    # An address without a version does not tell 2.0 from 2.1; this one does.
    ("SIP", "2.0.4 said"): "https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-0-4.xml",
    ("SIP", "2.1.0"): "https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-1-0.xml",
    ("SIP", "2.2.0"): "https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml",
    ("AIP", "2.2.0"): "https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml",
    ("DIP", "2.2.0"): "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml",
}
CONTACT = (
    '<agent ROLE="CREATOR" TYPE="INDIVIDUAL"><name>Nguyễn Văn Mẫu</name><note>024</note><note>mau@example.vn</note>'
    "</agent>\n"
)
ROOT = "METS.xml"
REP = "representations/rep1/METS.xml"
PREMIS_FILE = "metadata/preservation/premis.xml"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a package is made of. `edits` are (file, old, new) in the language of `changed`; `after` changes files."""

    kind: str = "SIP"
    version: str = "2.2.0"
    representations: int = 1
    own_mets: bool = True
    premis: bool = True
    descriptions: int = 1
    contact: bool = False
    name: str = "sip-quyết-định"
    edits: tuple[tuple[str, str, str], ...] = ()
    after: tuple[Callable[[dict[str, bytes]], None], ...] = field(default=())


def changed(text: str, old: str, new: str) -> str:
    """`old` gives way to `new`: after the part before NUL, `*` stands for anything up to what follows it."""
    lead, _, rest = old.rpartition("\0")
    begin = text.index(lead) + len(lead) if lead else 0
    head, star, tail = rest.partition("*")
    at = text.index(head, begin)
    end = text.index(tail, at + len(head)) + len(tail) if star else at + len(head)
    return text[:at] + new + text[end:]


def premis(name: str, files: dict[str, bytes]) -> bytes:
    objects = "".join(
        f"""<object xsi:type="file"><objectIdentifier><objectIdentifierType>local</objectIdentifierType>
<objectIdentifierValue>{name}-{number}</objectIdentifierValue></objectIdentifier><objectCharacteristics><fixity>
<messageDigestAlgorithm>SHA-256</messageDigestAlgorithm><messageDigest>{hashlib.sha256(data).hexdigest()}</messageDigest>
</fixity><size>{len(data)}</size><format><formatDesignation><formatName>text</formatName></formatDesignation></format>
</objectCharacteristics></object>"""
        for number, data in enumerate(files.values())
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<premis xmlns="http://www.loc.gov/premis/v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">
<object xsi:type="representation"><objectIdentifier><objectIdentifierType>local</objectIdentifierType>
<objectIdentifierValue>{name}</objectIdentifierValue></objectIdentifier></object>{objects}
<event><eventIdentifier><eventIdentifierType>local</eventIdentifierType><eventIdentifierValue>{name}-e
</eventIdentifierValue></eventIdentifier><eventType>ingestion</eventType><eventDateTime>{MOMENT}</eventDateTime>
<eventOutcomeInformation><eventOutcome>success</eventOutcome></eventOutcomeInformation><linkingAgentIdentifier>
<linkingAgentIdentifierType>local</linkingAgentIdentifierType><linkingAgentIdentifierValue>maker
</linkingAgentIdentifierValue></linkingAgentIdentifier></event><agent><agentIdentifier>
<agentIdentifierType>local</agentIdentifierType><agentIdentifierValue>maker
</agentIdentifierValue></agentIdentifier><agentName>maker</agentName><agentType>software</agentType></agent>
</premis>
""".encode()


def dublin_core(number: int) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Hồ sơ {number}</dc:title></oai_dc:dc>\n'
    ).encode()


def _core(data: bytes, mime: str) -> str:
    return (
        f'MIMETYPE="{mime}" SIZE="{len(data)}" CREATED="{MOMENT}" CHECKSUM="{hashlib.sha256(data).hexdigest()}"'
        ' CHECKSUMTYPE="SHA-256"'
    )


def _href(path: str) -> str:
    return re.sub("[^A-Za-z0-9/._~-]", lambda one: "".join(f"%{b:02X}" for b in one[0].encode()), path)


def _file(ident: str, path: str, data: bytes) -> str:
    mime = "application/xml" if path.endswith((".xml", ".xsd")) else "text/plain"
    at = f'<FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="{_href(path)}"/>'
    return f'<file ID="{ident}" {_core(data, mime)}>{at}</file>'


def reference(path: str, data: bytes, kind: str) -> str:
    return f'<mdRef LOCTYPE="URL" xlink:type="simple" xlink:href="{_href(path)}" {kind} {_core(data, "text/xml")}/>'


def _header(shape: Shape) -> str:
    contact = CONTACT if shape.contact else ""
    return f"""<metsHdr CREATEDATE="{MOMENT}" LASTMODDATE="{MOMENT}" RECORDSTATUS="NEW" \
csip:OAISPACKAGETYPE="{shape.kind}">
<agent ROLE="CREATOR" TYPE="OTHER" OTHERTYPE="SOFTWARE"><name>maker</name>\
<note csip:NOTETYPE="SOFTWARE VERSION">1</note></agent>
<agent ROLE="ARCHIVIST" TYPE="ORGANIZATION"><name>Bộ Nội vụ</name>\
<note csip:NOTETYPE="IDENTIFICATIONCODE">G09</note></agent>
<agent ROLE="CREATOR" TYPE="ORGANIZATION"><name>Sở Nội vụ</name>\
<note csip:NOTETYPE="IDENTIFICATIONCODE">H01</note></agent>
{contact}<agent ROLE="PRESERVATION" TYPE="ORGANIZATION"><name>Trung tâm Lưu trữ</name>\
<note csip:NOTETYPE="IDENTIFICATIONCODE">L01</note></agent>
<altRecordID TYPE="SUBMISSIONAGREEMENT">2024/01</altRecordID><altRecordID TYPE="REFERENCECODE">VN 1</altRecordID>
<altRecordID TYPE="PREVIOUSSUBMISSIONAGREEMENT">2019/01</altRecordID>\
<altRecordID TYPE="PREVIOUSREFERENCECODE">VN 0</altRecordID></metsHdr>"""


def _metadata(shape: Shape, files: dict[str, bytes], base: str, prefix: str) -> str:
    """dmdSec and amdSec over what lies in the metadata folder of the package or a representation."""
    found = ""
    for number, path in enumerate(sorted(one for one in files if one.startswith(f"{base}metadata/descriptive/"))):
        found += f'<dmdSec ID="{prefix}dmd{number}" CREATED="{MOMENT}" STATUS="CURRENT">'
        found += reference(path.removeprefix(base), files[path], 'MDTYPE="DC"') + "</dmdSec>\n"
    preservation = f"{base}{PREMIS_FILE}"
    if preservation in files:
        found += f'<amdSec ID="{prefix}amd">'
        if not base:
            rights = reference("metadata/other/rights.xml", files["metadata/other/rights.xml"], 'MDTYPE="OTHER"')
            found += f'<rightsMD ID="{prefix}rights" CREATED="{MOMENT}" STATUS="CURRENT">{rights}</rightsMD>'
        inner = reference(PREMIS_FILE, files[preservation], 'MDTYPE="PREMIS" MDTYPEVERSION="3.0"')
        found += f'<digiprovMD ID="{prefix}premis" CREATED="{MOMENT}" STATUS="CURRENT">{inner}</digiprovMD></amdSec>\n'
    return found


def _division(shape: Shape, files: dict[str, bytes], base: str, prefix: str) -> str:
    named = ""
    if f"{base}{PREMIS_FILE}" in files:
        named += f' ADMID="{prefix}premis{"" if base else f" {prefix}rights"}"'
    count = sum(one.startswith(f"{base}metadata/descriptive/") for one in files)
    if count:
        named += ' DMDID="' + " ".join(f"{prefix}dmd{number}" for number in range(count)) + '"'
    return f'<div ID="{prefix}div-metadata" LABEL="Metadata"{named}/>'


def _representation(shape: Shape, files: dict[str, bytes], number: int) -> str:
    base, prefix = f"representations/rep{number}/", f"r{number}-"
    data = sorted(one for one in files if one.startswith(f"{base}data/"))
    entries = "\n".join(_file(f"{prefix}f{n}", one.removeprefix(base), files[one]) for n, one in enumerate(data))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mets {NAMESPACES} OBJID="rep{number}" TYPE="Mixed" csip:CONTENTINFORMATIONTYPE="MIXED" \
PROFILE="{PROFILES[shape.kind, shape.version]}">
{_header(shape)}
{_metadata(shape, files, base, prefix)}<fileSec ID="{prefix}files"><fileGrp ID="{prefix}data" USE="Data">
{entries}
</fileGrp></fileSec>
<structMap ID="{prefix}map" TYPE="PHYSICAL" LABEL="CSIP"><div ID="{prefix}main" LABEL="rep{number}">
{_division(shape, files, base, prefix)}
<div ID="{prefix}div-data" LABEL="Data"><fptr FILEID="{prefix}data"/></div>
</div></structMap>
</mets>
"""


def _root(shape: Shape, files: dict[str, bytes]) -> str:
    groups = divisions = ""
    for use in ("Documentation", "Schemas"):
        inside = sorted(one for one in files if one.startswith(use.lower() + "/"))
        if inside:
            entries = "\n".join(_file(f"{use}-{n}", one, files[one]) for n, one in enumerate(inside))
            groups += f'<fileGrp ID="g-{use}" USE="{use}">\n{entries}\n</fileGrp>\n'
            divisions += f'<div ID="div-{use}" LABEL="{use}"><fptr FILEID="g-{use}"/></div>\n'
    loose = ""
    for number in range(1, shape.representations + 1):
        base = f"representations/rep{number}"
        if shape.own_mets:
            inside = [f"{base}/METS.xml"]
            divisions += (
                f'<div ID="div-rep{number}" LABEL="Representations/rep{number}"><mptr LOCTYPE="URL" xlink:type="simple"'
                f' xlink:title="g-rep{number}" xlink:href="{base}/METS.xml"/><fptr FILEID="rep{number}-0"/></div>\n'
            )
        else:
            inside = sorted(one for one in files if one.startswith(f"{base}/data/"))
            loose += f'<fptr FILEID="g-rep{number}"/>'
        entries = "\n".join(_file(f"rep{number}-{n}", one, files[one]) for n, one in enumerate(inside))
        groups += (
            f'<fileGrp ID="g-rep{number}" USE="Representations/rep{number}" csip:CONTENTINFORMATIONTYPE="MIXED">\n'
            f"{entries}\n</fileGrp>\n"
        )
    if loose:
        divisions += f'<div ID="div-reps" LABEL="Representations">{loose}</div>\n'
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mets {NAMESPACES} OBJID="{shape.name}" LABEL="Hồ sơ" TYPE="Mixed" csip:CONTENTINFORMATIONTYPE="MIXED" \
PROFILE="{PROFILES[shape.kind, shape.version]}">
{_header(shape)}
{_metadata(shape, files, "", "p-")}<fileSec ID="files">
{groups}</fileSec>
<structMap ID="map" TYPE="PHYSICAL" LABEL="CSIP"><div ID="main" LABEL="{shape.name}">
{_division(shape, files, "", "p-")}
{divisions}</div></structMap>
</mets>
"""


def files_of(shape: Shape) -> dict[str, bytes]:
    """All files of a package, its edits made where they belong."""
    files: dict[str, bytes] = {"documentation/đọc tôi.txt": b"read me\n"}
    files.update({f"schemas/{name}": _shipped(name) for name in SHIPPED})
    for number in range(shape.descriptions):
        files[f"metadata/descriptive/dc{number}.xml"] = dublin_core(number)
    for number in range(1, shape.representations + 1):
        base = f"representations/rep{number}"
        data = {f"{base}/data/Văn bản {n} & 100%.txt": f"{number} {n}\n".encode() for n in range(2)}
        files.update(data)
        if shape.premis:
            files[f"{base}/{PREMIS_FILE}"] = premis(f"rep{number}", data)
        files[f"{base}/metadata/descriptive/dc.xml"] = dublin_core(number)
    if shape.premis:
        files[PREMIS_FILE] = premis("package", {})
        files["metadata/other/rights.xml"] = b"<rights/>\n"
    _edit(shape, files, list(files))
    if shape.own_mets:
        for number in range(1, shape.representations + 1):
            name = f"representations/rep{number}/METS.xml"
            files[name] = _representation(shape, files, number).encode()
            _edit(shape, files, [name])
    else:
        for number in range(1, shape.representations + 1):
            del files[f"representations/rep{number}/metadata/descriptive/dc.xml"]
            files.pop(f"representations/rep{number}/{PREMIS_FILE}", None)
            files[f"representations/rep{number}/metadata/other/note.txt"] = b"n\n"
    files[ROOT] = _root(shape, files).encode()
    _edit(shape, files, [ROOT])
    for change in shape.after:
        change(files)
    return files


@cache
def _shipped(name: str) -> bytes:
    return (XSD / name).read_bytes()


def _edit(shape: Shape, files: dict[str, bytes], names: list[str]) -> None:
    for file, old, new in shape.edits:
        if file in names:
            files[file] = changed(files[file].decode(), old, new).encode()


def build(parent: Path, shape: Shape) -> Path:
    """Writes the package as a folder below `parent` and returns that folder."""
    root = parent / shape.name
    shutil.rmtree(root, ignore_errors=True)
    for name, data in files_of(shape).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


VALID = {
    f"{version}-{count}-{'own' if own else 'root'}{'' if rich else '-plain'}": Shape(
        "SIP", version, count, own, rich, 3 if rich else 0
    )
    for version in ("2.0.4", "2.0.4 said", "2.1.0", "2.2.0")
    for count, own, rich in ((1, True, True), (2, True, True), (3, True, False), (1, False, True), (2, False, False))
} | {"dip": Shape("DIP"), "aip": Shape("AIP"), "contact": Shape(contact=True)}
