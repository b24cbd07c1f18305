"""The smallest E-ARK AIP that every judge accepts, written by hand from the specification and not by our own code."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

MOMENT = "2026-11-24T09:00:00Z"
XSD = ("mets.xsd", "xlink.xsd", "premis-v3-0.xsd", "DILCISExtensionMETS.xsd")
XSD_FOLDER = Path(__file__).resolve().parents[2] / "schemas/xsd"

NAMESPACES = (
    'xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS"'
)
PROFILE = "https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml"

HEADER = f"""  <metsHdr CREATEDATE="{MOMENT}" LASTMODDATE="{MOMENT}" RECORDSTATUS="NEW" csip:OAISPACKAGETYPE="AIP">
    <agent ROLE="CREATOR" TYPE="OTHER" OTHERTYPE="SOFTWARE">
      <name>written by hand</name>
      <note csip:NOTETYPE="SOFTWARE VERSION">1</note>
    </agent>
  </metsHdr>
"""

PREMIS = """<?xml version="1.0" encoding="UTF-8"?>
<premis xmlns="http://www.loc.gov/premis/v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">
  <object xsi:type="intellectualEntity">
    <objectIdentifier>
      <objectIdentifierType>local</objectIdentifierType>
      <objectIdentifierValue>{name}</objectIdentifierValue>
    </objectIdentifier>
  </object>
</premis>
"""

DC = """<?xml version="1.0" encoding="UTF-8"?>
<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <dc:title>Quyết định về việc lưu trữ</dc:title>
</oai_dc:dc>
"""


def checked(path: Path, mime: str) -> str:
    """The attributes by which METS names a file's bytes."""
    data = path.read_bytes()
    return (
        f'MIMETYPE="{mime}" SIZE="{len(data)}" CREATED="{MOMENT}" '
        f'CHECKSUM="{hashlib.sha256(data).hexdigest()}" CHECKSUMTYPE="SHA-256"'
    )


def file_element(ident: str, root: Path, href: str, mime: str) -> str:
    """One `file` of a fileGrp."""
    return (
        f'<file ID="{ident}" {checked(root / href, mime)}>'
        f'<FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="{href}"/></file>'
    )


def metadata_reference(root: Path, href: str, kind: str) -> str:
    """One `mdRef`."""
    return f'<mdRef {kind} {checked(root / href, "text/xml")} LOCTYPE="URL" xlink:type="simple" xlink:href="{href}"/>'


def representation(folder: Path) -> None:
    """A representation of one text, with its PREMIS and its METS."""
    (folder / "data").mkdir(parents=True)
    (folder / "metadata/preservation").mkdir(parents=True)
    (folder / "data/vb.txt").write_text("Quyết định số 1\n", "utf-8")
    premis = "metadata/preservation/premis.xml"
    (folder / premis).write_text(PREMIS.format(name=folder.name), "utf-8")
    mets = f"""<?xml version="1.0" encoding="UTF-8"?>
<mets {NAMESPACES} OBJID="{folder.name}" LABEL="original" TYPE="Mixed" csip:CONTENTINFORMATIONTYPE="MIXED"
      PROFILE="{PROFILE}">
{HEADER}  <amdSec ID="ID-R1"><digiprovMD ID="ID-R2" CREATED="{MOMENT}" STATUS="CURRENT">
    {metadata_reference(folder, premis, 'MDTYPE="PREMIS" MDTYPEVERSION="3.0"')}
  </digiprovMD></amdSec>
  <fileSec ID="ID-R3"><fileGrp ID="ID-R4" USE="Data">
    {file_element("ID-R5", folder, "data/vb.txt", "text/plain")}
  </fileGrp></fileSec>
  <structMap ID="ID-R6" TYPE="PHYSICAL" LABEL="CSIP"><div ID="ID-R7" LABEL="{folder.name}">
    <div ID="ID-R8" LABEL="Metadata" ADMID="ID-R2"/>
    <div ID="ID-R9" LABEL="Data"><fptr FILEID="ID-R4"/></div>
  </div></structMap>
</mets>
"""
    (folder / "METS.xml").write_text(mets, "utf-8")


def build(parent: Path, name: str = "uuid-6f1f3a0e-3f4c-4a53-9b6e-0d7a1c2b3d4e") -> Path:
    """Writes the AIP as a folder below `parent` and returns that folder."""
    root = parent / name
    for folder in ("metadata/descriptive", "metadata/preservation", "documentation", "schemas"):
        (root / folder).mkdir(parents=True)
    (root / "metadata/descriptive/dc.xml").write_text(DC, "utf-8")
    (root / "metadata/preservation/premis.xml").write_text(PREMIS.format(name=name), "utf-8")
    (root / "documentation/readme.txt").write_text("Hồ sơ mẫu\n", "utf-8")
    for xsd in XSD:
        shutil.copyfile(XSD_FOLDER / xsd, root / "schemas" / xsd)
    representation(root / "representations/original")

    schemas = "\n      ".join(
        file_element(f"ID-S{n}", root, f"schemas/{xsd}", "application/xml") for n, xsd in enumerate(XSD)
    )
    mets = f"""<?xml version="1.0" encoding="UTF-8"?>
<mets {NAMESPACES} OBJID="{name}" LABEL="Hồ sơ mẫu" TYPE="Mixed" csip:CONTENTINFORMATIONTYPE="MIXED"
      PROFILE="{PROFILE}">
{HEADER}  <dmdSec ID="ID-1" CREATED="{MOMENT}" STATUS="CURRENT">
    {metadata_reference(root, "metadata/descriptive/dc.xml", 'MDTYPE="DC"')}
  </dmdSec>
  <amdSec ID="ID-2"><digiprovMD ID="ID-3" CREATED="{MOMENT}" STATUS="CURRENT">
    {metadata_reference(root, "metadata/preservation/premis.xml", 'MDTYPE="PREMIS" MDTYPEVERSION="3.0"')}
  </digiprovMD></amdSec>
  <fileSec ID="ID-4">
    <fileGrp ID="ID-5" USE="Documentation">
      {file_element("ID-14", root, "documentation/readme.txt", "text/plain")}
    </fileGrp>
    <fileGrp ID="ID-6" USE="Schemas">
      {schemas}
    </fileGrp>
    <fileGrp ID="ID-7" USE="Representations/original"
             csip:CONTENTINFORMATIONTYPE="OTHER" csip:OTHERCONTENTINFORMATIONTYPE="none">
      {file_element("ID-15", root, "representations/original/METS.xml", "application/xml")}
    </fileGrp>
  </fileSec>
  <structMap ID="ID-8" TYPE="PHYSICAL" LABEL="CSIP"><div ID="ID-9" LABEL="{name}">
    <div ID="ID-10" LABEL="Metadata" ADMID="ID-3" DMDID="ID-1"/>
    <div ID="ID-11" LABEL="Documentation"><fptr FILEID="ID-5"/></div>
    <div ID="ID-12" LABEL="Schemas"><fptr FILEID="ID-6"/></div>
    <div ID="ID-13" LABEL="Representations/original">
      <mptr LOCTYPE="URL" xlink:type="simple" xlink:title="ID-7" xlink:href="representations/original/METS.xml"/>
      <fptr FILEID="ID-15"/>
    </div>
  </div></structMap>
</mets>
"""
    (root / "METS.xml").write_text(mets, "utf-8")
    return root
