"""Faults of the container, the tree, METS, fixity, links and schemas, by code."""

from __future__ import annotations

import hashlib
import io
import unicodedata
import zipfile
from dataclasses import replace

from setup.samples import ENCRYPTED, Member, zipped
from tests.packages.tt05 import build
from tests.packages.tt05.fault import Fault, cut, edited, first, plain, put, rename, told, with_second
from tests.packages.tt05.fields import EAD as EAD_SETS
from tests.packages.tt05.mets import MIME, sums
from tests.packages.tt05.pdfs import born
from tests.packages.tt05.shape import (
    DATA,
    DESCRIPTIONS,
    EAD,
    MOMENT,
    PREMIS,
    REP,
    REP_PREMIS,
    ROOT,
    SCHEMAS,
    UUID,
    Built,
    Shape,
    born_pdf,
    plain_text,
)


def _members(built: Built) -> list[Member]:
    return [Member(f"{built.folder}/{name}".encode(), data) for name, data in sorted(built.files.items())]


def _archived(change: str) -> Shape:
    def make(built: Built) -> bytes:
        members = _members(built)
        if change == "truncated":
            return zipped(members)[:-2000]
        if change == "crc":
            at = next(number for number, one in enumerate(members) if one.name.endswith(b".pdf"))
            members[at] = replace(members[at], crc=1)
        elif change == "two":
            members.append(Member(b"khac/ghi-chu.txt", b"x\n"))
        elif change == "two packages":
            own = built.folder.encode()
            new = b"uuid-0000" + own[9:]
            members += [
                replace(one, name=one.name.replace(own, new), data=one.data.replace(own, new)) for one in members
            ]
        elif change == "none":
            members = [replace(one, name=one.name.partition(b"/")[2]) for one in members]
        elif change == "empty":
            members = []
        elif change == "blank":
            return b""
        elif change == "climbing":
            members.append(Member(b"../ngoai.txt", b"x\n"))
        elif change == "absolute":
            members.append(Member(b"/tmp/ngoai.txt", b"x\n"))
        elif change == "encrypted":
            members = [replace(one, data=bytes(12) + one.data, flags=ENCRYPTED, size=len(one.data)) for one in members]
        return zipped(members)

    return plain(archive=make)


def _odd_name(built: Built) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in sorted(built.files.items()):
            made.writestr(zipfile.ZipInfo(f"{built.folder}/{name}"), data)
    return out.getvalue()


CONTAINER = {
    "TT05-ZIP-01": Fault(_archived("truncated")),
    "TT05-ZIP-01 crc": Fault(_archived("crc")),
    "TT05-ZIP-01 blank": Fault(_archived("blank")),
    "TT05-ZIP-02": Fault(_archived("two")),
    "TT05-ZIP-02 packages": Fault(_archived("two packages")),
    "TT05-ZIP-02 none": Fault(_archived("none")),
    "TT05-ZIP-02 empty": Fault(_archived("empty")),
    "TT05-ZIP-03": Fault(plain(archive_name="goi-tai-lieu.zip")),
    "TT05-ZIP-03 no-ordinal": Fault(plain("SIP_tailieu", archive_name=f"uuid-{UUID}.zip")),
    "TT05-ZIP-04": Fault(_archived("climbing")),
    "TT05-ZIP-04 absolute": Fault(_archived("absolute")),
    "TT05-ZIP-05": Fault(
        plain(
            archive=_odd_name,
            before=(put("documentation/" + unicodedata.normalize("NFD", "hướng dẫn.txt")),),
        )
    ),
    "TT05-ZIP-06": Fault(_archived("encrypted")),
}

_LONG = "documentation/" + "a" * 190 + ".txt"
_FIRST, _SECOND = f"{DATA}H99.01.2020.7.1.pdf", f"{DATA}H99.01.2020.7.2.pdf"
_DESCRIBED = DESCRIPTIONS + "EAD_doc_H99.01.2020.7.{}.xml"

STRUCTURE = {
    "TT05-STR-01": Fault(plain(folder="ho-so-7")),
    "TT05-STR-01 aip": Fault(plain("AIP_hoso", folder=UUID)),
    "TT05-STR-02": Fault(plain(after=(cut(ROOT),))),
    "TT05-STR-03": Fault(plain(before=(cut(EAD),))),
    "TT05-STR-04": Fault(plain(after=(cut(REP),)), also=("TT05-FIX-06",)),
    "TT05-STR-05": Fault(plain(before=(put("representations/rep2/data/H99.01.2020.7.1.txt"),))),
    "TT05-STR-06": Fault(plain(documents=()), also=("TT05-STR-07",)),
    "TT05-STR-06 deleted": Fault(
        plain("DIP", after=(cut(_FIRST, _SECOND), put(DATA))), also=("TT05-FIX-06", "TT05-LNK-02")
    ),
    "TT05-STR-07": Fault(plain(before=(cut(_DESCRIBED.format(1), _DESCRIBED.format(2)),)), also=("TT05-LNK-01",)),
    "TT05-STR-08": Fault(plain(before=(cut("schemas/METS.xsd"),))),
    "TT05-STR-09": Fault(plain(before=(cut("schemas/EAD_doc.xsd"),))),
    "TT05-STR-09 ead": Fault(plain("AIP_hoso", before=(cut("schemas/EAD.xsd"),))),
    "TT05-STR-10": Fault(plain(before=(rename("schemas/EAD.xsd", "schemas/ead.xsd"),))),
    "TT05-STR-10 mets": Fault(plain("DIP", before=(rename("schemas/METS.xsd", "schemas/mets.xsd"),))),
    "TT05-STR-11": Fault(plain("AIP_hoso", after=(cut(PREMIS),)), also=("TT05-FIX-06",)),
    "TT05-STR-12": Fault(plain("AIP_tailieu", after=(cut(REP_PREMIS),)), also=("TT05-FIX-06",)),
    "TT05-STR-13": Fault(plain(after=(put("metadata/preservation/"),))),
    "TT05-STR-13 file": Fault(plain("SIP_tailieu", before=(put(PREMIS, b"<x/>\n"),))),
    "TT05-STR-14": Fault(
        plain("AIP_hoso", after=(cut(PREMIS), put(PREMIS + "/"))),
        also=("TT05-FIX-06",),
    ),
    "TT05-STR-15": Fault(plain(before=(put("ghi-chu.txt"),))),
    "TT05-STR-15 folder": Fault(plain("DIP", after=(put("tam/"),))),
    "TT05-STR-16": Fault(plain(before=(put("documentation/rong.txt", b""),))),
    "TT05-STR-16 data": Fault(plain(documents=(born_pdf(1), replace(plain_text(2), data=b"")))),
    "TT05-STR-17": Fault(plain(before=(put("documentation/hoi?.txt"),))),
    "TT05-STR-17 device": Fault(plain("AIP_hoso", before=(put("documentation/con.txt"),))),
    "TT05-STR-17 long": Fault(plain(before=(put(_LONG),))),
    "TT05-STR-17 dot": Fault(plain("DIP", before=(put("documentation/cuoi."),))),
    "TT05-STR-18": Fault(first(more={"described": "text_H99.01.2020.7.1"})),
    "TT05-STR-19": Fault(plain(after=(put("documentation/Thumbs.db"),))),
    "TT05-STR-19 mac": Fault(plain("AIP_hoso", after=(put(".DS_Store"), put(f"{DATA}._H99.01.2020.7.1.pdf")))),
}

_WRAPPED = (
    '<amdSec ID="uuid-00000000-0000-4000-8000-0000000000A1"><digiprovMD ID="uuid-00000000-0000-4000-8000-0000000000A2">'
    '<mdWrap MDTYPE="OTHER" OTHERMDTYPE="x"><xmlData><x xmlns="urn:x"/></xmlData></mdWrap></digiprovMD></amdSec>\n  '
    "<fileSec"
)
_EMPTY = '<amdSec ID="uuid-00000000-0000-4000-8000-0000000000A1"/>\n  <fileSec'
_LOWER = UUID.lower()
_DMD = "uuid-00000000-0000-4000-8000-000000001000"
_NO_NOTE = '\n      <note csip:NOTETYPE="IDENTIFICATIONCODE">P001</note>'

METS = {
    "TT05-MET-01": Fault(edited((REP, "</mets>", ""))),
    "TT05-MET-01 root": Fault(edited((ROOT, "</structMap>", "</structmap>"))),
    "TT05-MET-02": Fault(edited((ROOT, "<structMap ", '<structMap BOGUS="1" '))),
    "TT05-MET-02 rep1": Fault(edited((REP, "<fileSec", "<bogus/><fileSec"), type="AIP_hoso")),
    "TT05-MET-03": Fault(edited((ROOT, 'OBJID="*"', 'OBJID="uuid-2020-7"'), folder="uuid-2020-7")),
    "TT05-MET-03 aip": Fault(
        edited((ROOT, 'OBJID="*"', f'OBJID="uuid-{UUID}"'), type="AIP_hoso", folder=f"uuid-{UUID}"),
    ),
    "TT05-MET-04": Fault(edited((ROOT, 'OBJID="*"', f'OBJID="uuid-{_LOWER}"'), folder=f"uuid-{_LOWER}")),
    "TT05-MET-05": Fault(edited((ROOT, 'OAISPACKAGETYPE="SIP"', 'OAISPACKAGETYPE="AIP"'))),
    "TT05-MET-05 dip": Fault(edited((ROOT, 'OAISPACKAGETYPE="DIP"', 'OAISPACKAGETYPE="SIP"'), type="DIP")),
    "TT05-MET-06": Fault(edited((ROOT, 'TYPE="Mixed"', 'TYPE="Other"'))),
    "TT05-MET-06 dip": Fault(edited((ROOT, 'TYPE="MIXED"', 'TYPE="Mixed"'), type="DIP")),
    "TT05-MET-07": Fault(edited((ROOT, 'PROFILE="*"', 'PROFILE="https://example.org/profile.xml"'))),
    "TT05-MET-08": Fault(edited((ROOT, f' CREATEDATE="{MOMENT}"', ""))),
    "TT05-MET-08 wrong": Fault(
        edited((ROOT, f'CREATEDATE="{MOMENT}"', 'CREATEDATE="02/01/2026"'), type="AIP_tailieu"), also=("TT05-MET-02",)
    ),
    "TT05-MET-09": Fault(edited((ROOT, f'LASTMODDATE="{MOMENT}"', 'LASTMODDATE="2026-01-01T20:04:05.000Z"'))),
    "TT05-MET-10": Fault(edited((ROOT, 'RECORDSTATUS="NEW"', 'RECORDSTATUS="DRAFT"'))),
    "TT05-MET-11": Fault(edited((ROOT, ' OTHERTYPE="SOFTWARE"', ""))),
    "TT05-MET-12": Fault(edited((ROOT, 'SOFTWARE VERSION">1.0', 'IDENTIFICATIONCODE">P001'))),
    "TT05-MET-13": Fault(edited((REP, 'TYPE="ORGANIZATION"', 'TYPE="INDIVIDUAL"'))),
    "TT05-MET-14": Fault(edited((REP, _NO_NOTE, ""))),
    "TT05-MET-15": Fault(edited((ROOT, "<altRecordID*</altRecordID>", ""))),
    "TT05-MET-16": Fault(edited((ROOT, "DK-2026-01", "H99.01.2020.7"))),
    "TT05-MET-17": Fault(edited((REP, ' csip:CONTENTINFORMATIONTYPE="MIXED"', ""))),
    "TT05-MET-18": Fault(edited((ROOT, 'MDTYPE="OTHER" OTHERMDTYPE="simpledc"', 'MDTYPE="MODS"'))),
    "TT05-MET-19": Fault(edited((ROOT, "<fileSec", _WRAPPED))),
    "TT05-MET-20": Fault(edited((ROOT, "<fileSec", _EMPTY))),
    "TT05-MET-21": Fault(
        edited((ROOT, "<amdSec*</amdSec>", ""), (ROOT, ' ADMID="*"', ""), type="AIP_hoso"), also=("TT05-FIX-05",)
    ),
    "TT05-MET-22": Fault(edited((ROOT, 'USE="Schemas"', 'USE="Luoc do"'))),
    "TT05-MET-22 rep1": Fault(edited((REP, 'USE="Data"', 'USE="Tep"'), type="DIP")),
    "TT05-MET-23": Fault(edited((REP, 'USE="Data"', 'USER="Data"'))),
    "TT05-MET-24": Fault(edited((ROOT, "ADMID=", "AMDID="), type="AIP_hoso")),
    "TT05-MET-25": Fault(edited((ROOT, 'LABEL="CSIP"', 'LABEL="So do"'))),
    "TT05-MET-25 type": Fault(edited((REP, 'TYPE="PHYSICAL"', 'TYPE="LOGICAL"'), type="DIP")),
    "TT05-MET-26": Fault(edited((ROOT, 'LABEL="Metadata"', 'LABEL="Du lieu"'))),
    "TT05-MET-26 rep1": Fault(edited((REP, 'LABEL="Data"', 'LABEL="Tep"'), type="AIP_hoso")),
    "TT05-MET-26 documents": Fault(edited((REP, 're: *<div [^>]*LABEL="MetadataLink/File".*\n', ""))),
    "TT05-MET-27": Fault(edited((ROOT, 'xlink:title="*"', f'xlink:title="{_DMD}"'))),
    "TT05-MET-28": Fault(edited((ROOT, '<structMap ID="*"', f'<structMap ID="{_DMD}"')), also=("TT05-MET-02",)),
    "TT05-MET-28 unknown": Fault(
        edited((ROOT, 'Schemas"><fptr FILEID="uuid-00000000', 'Schemas"><fptr FILEID="uuid-FFFFFFFF')),
        also=("TT05-MET-02",),
    ),
    "TT05-MET-28 astray": Fault(
        edited((REP, 'MetadataLink/File" DMDID="uuid-00000000', 'MetadataLink/File" DMDID="uuid-FFFFFFFF')),
        also=("TT05-MET-02",),
    ),
    "TT05-MET-29": Fault(edited((ROOT, f"re:{_DMD}", _DMD.removeprefix("uuid-").replace("0", "A", 1)))),
    "TT05-MET-30": Fault(edited((ROOT, "mets1_12.xsd", "mets_1_11.xsd"))),
    "TT05-MET-31": Fault(edited((REP, 'OBJID="*"', 'OBJID="rep1"'))),
    "TT05-MET-31 other": Fault(edited((REP, 'OBJID="*"', 'OBJID="ban-dai-dien"')), levels=("warning", "error")),
    "TT05-MET-32": Fault(edited((REP, 'TYPE="ORIGINAL"', 'TYPE="COPY"'))),
    "TT05-MET-33": Fault(edited((ROOT, ' xmlns="http://www.loc.gov/METS/"', ""), type="DIP")),
    "TT05-MET-33 unused-prefix": Fault(
        edited((REP, ' xmlns="http://www.loc.gov/METS/"', ' xmlns:mets="http://www.loc.gov/METS/"'), type="AIP_hoso")
    ),
}


def _sum(algorithm: str) -> tuple[str, str, str]:
    data = born_pdf(1).data
    digest = hashlib.new(algorithm.replace("-", "").lower(), data).hexdigest()
    sha = hashlib.sha256(data).hexdigest().upper()
    return REP, f'CHECKSUMTYPE="SHA-256" CHECKSUM="{sha}"', f'CHECKSUMTYPE="{algorithm}" CHECKSUM="{digest}"'


def _entry(path: str, data: bytes, number: int) -> str:
    mime = MIME.get(path.rpartition(".")[2], "text/plain")
    return (
        f'<file ID="ID-00000000-0000-4000-8000-0000000000B{number}" MIMETYPE="{mime}" {sums(data)}>'
        f'<FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="{path}"/></file>\n        <file '
    )


_XLINK = (SCHEMAS / "xlink.xsd").read_bytes()
_MANUAL = "documentation/UserManual.pdf"

FIXITY = {
    "TT05-FIX-01": Fault(plain(after=(put(_FIRST, born("Quyết định số 9")),))),
    "TT05-FIX-01 ead": Fault(
        plain("DIP", after=(lambda files: files.update({EAD: files[EAD].replace(b"YC", b"CY")}),))
    ),
    "TT05-FIX-02": Fault(edited((REP, '<file \0SIZE="', 'SIZE="1'))),
    "TT05-FIX-03": Fault(edited(_sum("MD5"))),
    "TT05-FIX-03 sha512": Fault(edited(_sum("SHA-512"), type="DIP")),
    "TT05-FIX-04": Fault(edited((REP, '<file \0 CHECKSUMTYPE="SHA-256" CHECKSUM="*"', ""))),
    "TT05-FIX-04 size": Fault(edited((ROOT, ' SIZE="*"', ""), type="AIP_hoso")),
    "TT05-FIX-05": Fault(plain(after=(put("documentation/them.txt"),))),
    "TT05-FIX-06": Fault(plain(before=(put(_MANUAL),), after=(cut(_MANUAL),))),
    "TT05-FIX-07": Fault(edited((ROOT, "<file ", _entry("schemas/xlink.xsd", _XLINK, 1)))),
    "TT05-FIX-08": Fault(edited((ROOT, "<file ", _entry("../../ngoai.txt", b"x\n", 1)))),
    "TT05-FIX-08 absolute": Fault(edited((ROOT, "<file ", _entry("file:///etc/hosts", b"x\n", 1)), type="AIP_hoso")),
}

LINKS = {
    "TT05-LNK-01": Fault(plain(before=(cut(_DESCRIBED.format(2)),))),
    "TT05-LNK-01 deleted": Fault(
        plain("AIP_tailieu", after=(cut(DESCRIPTIONS + "EAD_doc_H99.01.2020.01.0000001.1.xml"),)), also=("TT05-FIX-06",)
    ),
    "TT05-LNK-02": Fault(plain(before=(cut(_SECOND),))),
    "TT05-LNK-03": Fault(with_second(plain(), {"described": "doc_khac"})),
    "TT05-LNK-04": Fault(told(totalDoc="5")),
    "TT05-LNK-04 tailieu": Fault(told("SIP_tailieu", totalDoc="1")),
    "TT05-LNK-05": Fault(told(numberOfPage="9")),
    "TT05-LNK-05 aip": Fault(told("AIP_hoso", numberOfPage="1")),
    "TT05-LNK-06": Fault(told("AIP_hoso", totalDoc="5")),
}

_IMPORT = (
    '<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="xml.xsd"/>\n  <xs:element name="s'
)
_SIXTEEN = [name for name in EAD_SETS["SIP_hoso"] if not name.startswith("riskRecovery")]

SHIPPED = {
    "TT05-XSD-01": Fault(edited(("schemas/EAD.xsd", '<xs:element name="s', _IMPORT))),
    "TT05-XSD-02": Fault(edited(("schemas/EAD_doc.xsd", 'name="docCode"', 'name="arcDocCode"')), also=("TT05-EAD-19",)),
    "TT05-EAD-19": Fault(edited(("schemas/EAD.xsd", 'name="title" type="xs:string"', 'name="title" type="xs:int"'))),
    "TT05-EAD-26": Fault(plain(before=(put("schemas/EAD.xsd", build.schema(_SIXTEEN, "all")),))),
}

FAULTS = CONTAINER | STRUCTURE | METS | FIXITY | LINKS | SHIPPED
