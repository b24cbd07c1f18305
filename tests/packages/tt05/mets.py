"""The two METS files and the two PREMIS files of a package, as tt05-packages.md 4 and 11 write them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.packages.tt05.shape import (
    DATA,
    DESCRIPTIONS,
    EAD,
    FONDS,
    MOMENT,
    PREMIS,
    REP,
    REP_FOLDER,
    REP_PREMIS,
    Files,
    Placed,
    Shape,
)

CSIP = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
SIP = "https://DILCIS.eu/XML/METS/SIPExtensionMETS"
CSIP_PROFILE = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"
PROFILE = {
    "SIP": CSIP_PROFILE,
    "AIP": "http://www.ra.ee/METS/v01/IP.xml",
    "DIP": "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml",
}
REP_OBJID = "uuid-22222222-2222-4333-8444-5555555555FF"
MIME = {
    "xml": "application/xml", "xsd": "application/octet-stream", "pdf": "application/pdf", "txt": "text/plain",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "jpg": "image/jpeg",
    "png": "image/png", "tif": "image/tiff", "mp3": "audio/mpeg", "wav": "audio/wav",
}  # fmt: skip
PRONOM = {
    "pdf": ("Acrobat PDF", "1.7", "fmt/276"), "txt": ("Plain Text File", "", "x-fmt/111"),
    "docx": ("Microsoft Word for Windows", "2007 onwards", "fmt/412"), "jpg": ("JPEG", "1.01", "fmt/43"),
    "png": ("Portable Network Graphics", "1.0", "fmt/11"), "tif": ("Tagged Image File Format", "", "fmt/353"),
    "mp3": ("MPEG 1/2 Audio Layer 3", "", "fmt/134"), "wav": ("Waveform Audio", "", "fmt/6"),
}  # fmt: skip
EVENTS = ("virus check", "validation", "fixity check", "digital signature validation")


class _Ids:
    def __init__(self, first: int) -> None:
        self._next = count(first)

    def __call__(self, prefix: str = "uuid") -> str:
        return f"{prefix}-00000000-0000-4000-8000-{next(self._next):012X}"


def file_id(number: int) -> str:
    """METS `file/@ID` of the n-th data file in rep1, known to PREMIS as well."""
    return f"ID-00000000-0000-4000-9000-{number:012X}"


def sums(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest().upper()
    return f'SIZE="{len(data)}" CREATED="{MOMENT}" CHECKSUMTYPE="SHA-256" CHECKSUM="{digest}"'


def _at(path: str) -> str:
    return f'LOCTYPE="URL" xlink:type="simple" xlink:href="{quote(path)}"'


def _mime(path: str) -> str:
    return MIME.get(path.rpartition(".")[2].lower(), "application/octet-stream")


def _file(ident: str, path: str, data: bytes) -> str:
    return (
        f'        <file ID="{ident}" MIMETYPE="{_mime(path)}" {sums(data)}>\n          <FLocat {_at(path)}/>\n'
        "        </file>\n"
    )


def _trio(shape: Shape, at_root: bool) -> str:
    if shape.writes == "tt05":
        return 'MDTYPE="DC" MDTYPEVERSION="1.0.0" MIMETYPE="application/xml"'
    kind = 'MDTYPE="OTHER" OTHERMDTYPE="simpledc"' if at_root else 'MDTYPE="DC"'
    return f'{kind} MDTYPEVERSION="1.0" MIMETYPE="text/xml"'


def _dmd(shape: Shape, ident: str, path: str, data: bytes, at_root: bool) -> str:
    return (
        f'  <dmdSec ID="{ident}" CREATED="{MOMENT}" STATUS="CURRENT">\n'
        f"    <mdRef {_at(path)} {_trio(shape, at_root)} {sums(data)}/>\n  </dmdSec>\n"
    )


def _amd(shape: Shape, ids: _Ids, path: str, data: bytes | None) -> tuple[str, str]:
    """The section, and the ID that ADMID names."""
    if data is not None:
        ident, section = ids(), ids()
        return (
            (
                f'  <amdSec ID="{section}">\n    <digiprovMD ID="{ident}" CREATED="{MOMENT}" STATUS="CURRENT">\n'
                f'      <mdRef {_at(path)} MDTYPE="PREMIS" MDTYPEVERSION="3.0" MIMETYPE="application/xml" '
                f"{sums(data)}/>\n"
                "    </digiprovMD>\n  </amdSec>\n"
            ),
            f' ADMID="{ident}"',
        )
    if shape.of == "SIP" and shape.writes == "tt05":
        return f'  <amdSec ID="{ids()}"/>\n', ""
    return "", ""


def _head(shape: Shape, at_root: bool) -> str:
    up = "" if at_root else "../../"
    located = (
        f"http://www.loc.gov/METS/ {up}schemas/mets1_12.xsd http://www.w3.org/1999/xlink {up}schemas/xlink.xsd"
        f" {CSIP} {up}schemas/DILCISExtensionMETS.xsd"
    )
    objid = shape.objid if at_root else "rep1" if shape.writes == "tt05" else REP_OBJID
    kind = "MIXED" if shape.of == "DIP" else "Mixed" if shape.is_file else "Collection"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<mets xmlns="http://www.loc.gov/METS/" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"\n      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:csip="{CSIP}"\n      OBJID="{objid}" LABEL="Gói thử nghiệm" TYPE="{kind}" '
        f'csip:CONTENTINFORMATIONTYPE="MIXED" PROFILE="{PROFILE[shape.of] if at_root else CSIP_PROFILE}"\n'
        f'      xsi:schemaLocation="{located}">\n'
        f'  <metsHdr CREATEDATE="{MOMENT}" LASTMODDATE="{MOMENT}" RECORDSTATUS="NEW" '
        f'csip:OAISPACKAGETYPE="{shape.of}">\n' + _agent(shape, at_root)
    )


def _agent(shape: Shape, at_root: bool) -> str:
    code = f'<note csip:NOTETYPE="IDENTIFICATIONCODE">{FONDS}</note>'
    if not at_root:
        return (
            '    <agent ROLE="CREATOR" TYPE="ORGANIZATION">\n      <name>Ủy ban nhân dân xã A</name>\n'
            f"      {code}\n    </agent>\n  </metsHdr>\n"
        )
    second = f"\n      {code}" if shape.writes == "tt05" else ""
    agreement = '    <altRecordID TYPE="SUBMISSIONAGREEMENT">DK-2026-01</altRecordID>\n' if shape.of == "SIP" else ""
    return (
        '    <agent ROLE="CREATOR" TYPE="OTHER" OTHERTYPE="SOFTWARE">\n      <name>maker</name>\n'
        f'      <note csip:NOTETYPE="SOFTWARE VERSION">1.0</note>{second}\n    </agent>\n{agreement}  </metsHdr>\n'
    )


def root_mets(shape: Shape, files: Files) -> str:
    """METS of the package; `files` holds everything but it."""
    ids = _Ids(0x1000)
    dmd = ids()
    out = [_head(shape, True)]
    if EAD in files:
        out.append(_dmd(shape, dmd, EAD, files[EAD], True))
    section, admid = _amd(shape, ids, PREMIS, files.get(PREMIS) if shape.has_premis else None)
    out.append(section + f'  <fileSec ID="{ids()}">\n')
    groups: dict[str, list[str]] = {}
    known = {EAD, REP, *([PREMIS] if shape.has_premis else [])}
    for path in sorted(files):
        top = path.partition("/")[0]
        if not path.endswith("/") and path not in known and not path.startswith(REP_FOLDER):
            groups.setdefault({"schemas": "Schemas", "documentation": "Documentation"}.get(top, "Other"), []).append(
                path
            )
    dmdid = f' DMDID="{dmd}"' if EAD in files else ""
    divs = [f'      <div ID="{ids()}" LABEL="Metadata"{dmdid}{admid}/>\n']
    for use in [one for one in ("Schemas", "Documentation", "Other") if one in groups]:
        group = ids()
        out.append(f'    <fileGrp ID="{group}" USE="{use}">\n')
        out += [_file(ids("ID"), path, files[path]) for path in groups[use]]
        out.append("    </fileGrp>\n")
        divs.append(f'      <div ID="{ids()}" LABEL="{use}"><fptr FILEID="{group}"/></div>\n')
    group = ids()
    out.append(f'    <fileGrp ID="{group}" USE="Representations/rep1">\n')
    if REP in files:
        out.append(_file(ids("ID"), REP, files[REP]))
    out.append("    </fileGrp>\n  </fileSec>\n")
    divs.append(
        f'      <div ID="{ids()}" LABEL="Representations/rep1">\n        <mptr {_at(REP)} xlink:title="{group}"/>\n'
        "      </div>\n"
    )
    out.append(
        f'  <structMap ID="{ids()}" LABEL="CSIP" TYPE="PHYSICAL">\n    <div ID="{ids()}" LABEL="{shape.objid}">\n'
    )
    return "".join([*out, *divs, "    </div>\n  </structMap>\n</mets>\n"])


def rep_mets(shape: Shape, files: Files, placed: Sequence[Placed]) -> str:
    """METS of rep1: one dmdSec per description, Data, Holeyfile, a MetadataLink per document."""
    ids = _Ids(0x2000)
    own = {path[len(REP_FOLDER) :]: data for path, data in files.items() if path.startswith(REP_FOLDER)}
    out = [_head(shape, False)]
    dmds: dict[str, str] = {}
    numbers = {one.description: one.number for one in placed}
    described = [
        path for path in own if REP_FOLDER + path in numbers or path.startswith(DESCRIPTIONS[len(REP_FOLDER) :])
    ]
    for path in sorted(described, key=lambda one: (numbers.get(REP_FOLDER + one, 1 << 30), one)):
        if not path.endswith("/"):
            dmds[path] = ids()
            out.append(_dmd(shape, dmds[path], path, own[path], False))
    premis = REP_PREMIS[len(REP_FOLDER) :]
    section, admid = _amd(shape, ids, premis, own.get(premis) if shape.has_premis else None)
    out.append(section + f'  <fileSec ID="{ids()}">\n')
    idents = data_ids(files, placed)
    groups: dict[str, list[str]] = {"Data": []}
    for path in idents:
        groups.setdefault("Holeyfile" if path.lower().endswith(".fetch.txt") else "Data", []).append(path)
    for path in sorted(own):
        known = path in dmds or path in (premis, "METS.xml")
        if not path.endswith("/") and REP_FOLDER + path not in idents and not known:
            groups.setdefault("Other", []).append(REP_FOLDER + path)
    data_group = ""
    for use, paths in groups.items():
        group = ids()
        data_group = data_group or group
        out.append(f'    <fileGrp ID="{group}" USE="{use}">\n')
        out += [_file(idents.get(one) or ids("ID"), one[len(REP_FOLDER) :], files[one]) for one in paths]
        out.append("    </fileGrp>\n")
    out.append("  </fileSec>\n")
    top = {"SIP": ' TYPE="ORIGINAL"', "AIP": ' TYPE="NORMALIZED"', "DIP": ""}[shape.of]
    out.append(f'  <structMap ID="{ids()}" LABEL="CSIP" TYPE="PHYSICAL">\n    <div ID="{ids()}" LABEL="rep1"{top}>\n')
    out.append(f'      <div ID="{ids()}" LABEL="Data"><fptr FILEID="{data_group}"/></div>\n')
    out.append(f'      <div ID="{ids()}" LABEL="MetadataLink">\n')
    for one in placed:
        dmd, ident = dmds.get(one.description[len(REP_FOLDER) :]), idents.get(one.data)
        if dmd or ident:
            label = "MetadataLink/Holey" if one.doc.linked is not None else "MetadataLink/File"
            link = f'LABEL="{label}"' + (f' DMDID="{dmd}"' if dmd else "") + admid
            pointer = f'<fptr FILEID="{ident}"/>' if ident else ""
            out.append(f'        <div ID="{ids()}" {link}>{pointer}</div>\n')
    return "".join([*out, "      </div>\n    </div>\n  </structMap>\n</mets>\n"])


def data_ids(files: Files, placed: Sequence[Placed]) -> dict[str, str]:
    """Data files in the order of the documents, others after them, with their IDs."""
    first = [one.data for one in placed if one.data in files]
    known = set(first)
    rest = sorted(path for path in files if path.startswith(DATA) and path[-1] != "/" and path not in known)
    return {path: file_id(number) for number, path in enumerate(dict.fromkeys([*first, *rest]), 1)}


# --- PREMIS ---

_PREMIS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<premis xmlns="http://www.loc.gov/premis/v3" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">\n'
)


def _identifier(name: str, kind: str, value: str) -> str:
    return f"<{name}Type>{kind}</{name}Type><{name}Value>{escape(value)}</{name}Value>"


def premis(shape: Shape) -> str:
    """The package, its events and the software that did them."""
    out = [
        (
            f'{_PREMIS}  <object xsi:type="intellectualEntity" xmlID="obj-package">\n    <objectIdentifier>'
            f"{_identifier('objectIdentifier', 'UUID', shape.objid)}</objectIdentifier>\n  </object>\n"
        )
    ]
    types = [*EVENTS, *(["transfer"] if shape.origin != "01" else []), "information package creation"]
    for number, kind in enumerate(types, 1):
        links = _links(shape) if kind in ("transfer", "information package creation") else ""
        out.append(
            f"  <event>\n    <eventIdentifier>{_identifier('eventIdentifier', 'UUID', _event_id(number))}"
            f"</eventIdentifier>\n    <eventType>{kind}</eventType>\n    <eventDateTime>{MOMENT}</eventDateTime>\n"
            "    <eventOutcomeInformation><eventOutcome>success</eventOutcome></eventOutcomeInformation>\n"
            f"    <linkingAgentIdentifier>{_identifier('linkingAgentIdentifier', 'software', 'maker 1.0')}"
            f"<linkingAgentRole>executing program</linkingAgentRole></linkingAgentIdentifier>\n{links}  </event>\n"
        )
    out.append(
        f"  <agent>\n    <agentIdentifier>{_identifier('agentIdentifier', 'software', 'maker 1.0')}</agentIdentifier>\n"
        "    <agentName>maker</agentName><agentType>software</agentType><agentVersion>1.0</agentVersion>\n"
        "  </agent>\n</premis>\n"
    )
    return "".join(out)


def _event_id(number: int) -> str:
    return f"33333333-2222-4333-8444-{number:012X}"


def _links(shape: Shape) -> str:
    source = "uuid-44444444-2222-4333-8444-5555555555FF"
    return "".join(
        f"    <linkingObjectIdentifier>{_identifier('linkingObjectIdentifier', 'UUID', value)}"
        f"<linkingObjectRole>{role}</linkingObjectRole></linkingObjectIdentifier>\n"
        for value, role in ((source, "source"), (shape.objid, "outcome"))
    )


def rep_premis(files: Files, placed: Sequence[Placed]) -> str:
    """rep1 and each of its data files with fixity, size and PRONOM key."""
    out = [
        (
            f'{_PREMIS}  <object xsi:type="representation" xmlID="obj-rep1">\n    <objectIdentifier>'
            f"{_identifier('objectIdentifier', 'UUID', REP_OBJID)}</objectIdentifier>\n  </object>\n"
        )
    ]
    for path, ident in data_ids(files, placed).items():
        data = files[path]
        name, version, puid = PRONOM.get(path.rpartition(".")[2].lower(), ("unknown", "", ""))
        told = f"<formatVersion>{version}</formatVersion>" if version else ""
        registry = (
            "<formatRegistry><formatRegistryName>PRONOM</formatRegistryName><formatRegistryKey>"
            f"{puid}</formatRegistryKey></formatRegistry>"
            if puid
            else ""
        )
        out.append(
            f'  <object xsi:type="file" xmlID="obj-{ident}">\n    <objectIdentifier>'
            f"{_identifier('objectIdentifier', 'File', ident)}</objectIdentifier>\n    <objectCharacteristics>\n"
            "      <fixity><messageDigestAlgorithm>SHA-256</messageDigestAlgorithm><messageDigest>"
            f"{hashlib.sha256(data).hexdigest().upper()}</messageDigest></fixity>\n      <size>{len(data)}</size>\n"
            f"      <format><formatDesignation><formatName>{name}</formatName>{told}</formatDesignation>{registry}"
            "</format>\n    </objectCharacteristics>\n    "
            f"<originalName>{escape(path[len(REP_FOLDER) :])}</originalName>\n"
            "  </object>\n"
        )
    return "".join([*out, "</premis>\n"])
