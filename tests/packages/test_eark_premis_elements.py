"""What PREMIS units must hold: each element taken out, and left empty, is told of by its own number alone."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from lxml import etree

from pipeline.findings import level_of
from pipeline.packages.registry import recognise
from pipeline.records import Level
from pipeline.standards.xml import PREMIS
from pipeline.tree import FolderTree
from tests.packages.eark_sips import Shape, build
from tests.packages.received import judged

FILE = "metadata/preservation/premis.xml"


def _identifier(prefix: str, value: str = "1", kind: str = "local") -> str:
    inner = f"<{prefix}IdentifierType>{kind}</{prefix}IdentifierType>"
    return f"<{prefix}Identifier>{inner}<{prefix}IdentifierValue>{value}</{prefix}IdentifierValue></{prefix}Identifier>"


def _basis(word: str, needed: str) -> str:
    """The information of a basis; of other rights the identifier of the document comes first."""
    parts = [needed, _identifier(f"{word}Documentation")]
    return f"<{word}Information>{''.join(reversed(parts) if word == 'otherRights' else parts)}</{word}Information>"


_FREE = "<copyrightStatus>free</copyrightStatus><copyrightJurisdiction>vn</copyrightJurisdiction>"
_BASES = {
    "copyright": _basis("copyright", _FREE),
    "license": _basis("license", ""),
    "statute": _basis("statute", "<statuteJurisdiction>vn</statuteJurisdiction><statuteCitation>33</statuteCitation>"),
    "other": _basis("otherRights", "<otherRightsBasis>policy</otherRightsBasis>"),
}
_RIGHTS = "".join(
    f"<rightsStatement>{_identifier('rightsStatement', str(number))}<rightsBasis>{basis}</rightsBasis>{information}"
    "<rightsGranted><act>replication</act><termOfGrant><startDate>2024</startDate></termOfGrant></rightsGranted>"
    "</rightsStatement>"
    for number, (basis, information) in enumerate(_BASES.items())
)
WHOLE = f"""<premis xmlns="{PREMIS}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">
<object xsi:type="file">{_identifier("object", "f")}<significantProperties><significantPropertiesType>pages
</significantPropertiesType><significantPropertiesValue>2</significantPropertiesValue></significantProperties>
<objectCharacteristics><fixity><messageDigestAlgorithm>SHA-256</messageDigestAlgorithm><messageDigest>00</messageDigest>
</fixity><format><formatDesignation><formatName>text</formatName></formatDesignation><formatRegistry><formatRegistryName>
PRONOM</formatRegistryName><formatRegistryKey>x-fmt/111</formatRegistryKey></formatRegistry></format>
<creatingApplication><creatingApplicationName>a</creatingApplicationName><creatingApplicationVersion>1
</creatingApplicationVersion></creatingApplication></objectCharacteristics><storage><contentLocation><contentLocationType>
URI</contentLocationType><contentLocationValue>x</contentLocationValue></contentLocation></storage><relationship>
<relationshipType>structural</relationshipType><relationshipSubType>is included in</relationshipSubType>
{_identifier("relatedObject", "r")}{_identifier("relatedEvent", "e")}</relationship>
{_identifier("linkingRightsStatement", "0")}</object>
<object xsi:type="representation">{_identifier("object", "r")}</object>
<object xsi:type="intellectualEntity">{_identifier("object", "i")}<environmentFunction><environmentFunctionType>software
</environmentFunctionType><environmentFunctionLevel>1</environmentFunctionLevel></environmentFunction>
<environmentDesignation><environmentName>viewer</environmentName></environmentDesignation></object>
<event>{_identifier("event", "e")}<eventType>creation</eventType><eventDateTime>2024-02-29</eventDateTime>
<eventOutcomeInformation><eventOutcome>success</eventOutcome></eventOutcomeInformation>
{_identifier("linkingAgent", "a")}{_identifier("linkingObject", "r")}</event>
<agent>{_identifier("agent", "a")}<agentName>a</agentName><agentType>software</agentType>
{_identifier("linkingRightsStatement", "0")}</agent>
<rights>{_RIGHTS}</rights></premis>"""

ABSENT = (
    ("PM3", "object[3]/objectIdentifier"), ("PM4", "object[3]//objectIdentifierType"),
    ("PM5", "object[3]//objectIdentifierValue"), ("PM6", "object[3]/environmentFunction"),
    ("PM7", "object//environmentFunctionType"), ("PM8", "object//environmentFunctionLevel"),
    ("PM9", "object[3]/environmentDesignation"), ("PM10", "object//environmentName"),
    ("PM15", "object[2]/objectIdentifier"), ("PM16", "object[2]//objectIdentifierType"),
    ("PM17", "object[2]//objectIdentifierValue"), ("PM20", "object//significantPropertiesValue"),
    ("PM29", "object[1]/objectIdentifier"), ("PM30", "object[1]//objectIdentifierType"),
    ("PM31", "object[1]//objectIdentifierValue"), ("PM32", "object/objectCharacteristics"),
    ("PM34", "object//messageDigestAlgorithm"), ("PM35", "object//messageDigest"), ("PM39", "object//formatName"),
    ("PM42", "object//formatRegistryName"), ("PM43", "object//formatRegistryKey"),
    ("PM46", "object//creatingApplicationName"), ("PM54", "object//contentLocationType"),
    ("PM55", "object//contentLocationValue"), ("PM58", "object//relationshipType"),
    ("PM59", "object//relationshipSubType"), ("PM60", "object//relatedObjectIdentifier"),
    ("PM61", "object//relatedObjectIdentifierType"), ("PM62", "object//relatedObjectIdentifierValue"),
    ("PM64", "object//relatedEventIdentifierType"), ("PM65", "object//relatedEventIdentifierValue"),
    ("PM67", "object//linkingRightsStatementIdentifierType"), ("PM68", "object//linkingRightsStatementIdentifierValue"),
    ("PM70", "agent/agentIdentifier"), ("PM71", "agent//agentIdentifierType"), ("PM72", "agent//agentIdentifierValue"),
    ("PM73", "agent/agentName"), ("PM74", "agent/agentType"),
    ("PM78", "agent//linkingRightsStatementIdentifierType"), ("PM79", "agent//linkingRightsStatementIdentifierValue"),
    ("PM81", "event/eventIdentifier"), ("PM82", "event//eventIdentifierType"), ("PM83", "event//eventIdentifierValue"),
    ("PM84", "event/eventType"), ("PM85", "event/eventDateTime"), ("PM86", "event//eventOutcome"),
    ("PM88", "event//linkingAgentIdentifierType"), ("PM89", "event//linkingAgentIdentifierValue"),
    ("PM91", "event//linkingObjectIdentifierType"), ("PM92", "event//linkingObjectIdentifierValue"),
    ("PM94", "rights/rightsStatement"), ("PM95", "rights//rightsStatementIdentifier"),
    ("PM96", "rights//rightsStatementIdentifierType"), ("PM97", "rights//rightsStatementIdentifierValue"),
    ("PM98", "rights//rightsBasis"), ("PM100", "rights//copyrightStatus"), ("PM101", "rights//copyrightJurisdiction"),
    ("PM103", "rights//copyrightDocumentationIdentifierType"),
    ("PM104", "rights//copyrightDocumentationIdentifierValue"),
    ("PM107", "rights//licenseDocumentationIdentifierType"), ("PM108", "rights//licenseDocumentationIdentifierValue"),
    ("PM110", "rights//statuteJurisdiction"), ("PM111", "rights//statuteCitation"),
    ("PM113", "rights//statuteDocumentationIdentifierType"), ("PM114", "rights//statuteDocumentationIdentifierValue"),
    ("PM116", "rights//otherRightsBasis"), ("PM118", "rights//otherRightsDocumentationIdentifierType"),
    ("PM119", "rights//otherRightsDocumentationIdentifierValue"), ("PM121", "rights//act"),
    ("PM123", "rights//startDate"),
)  # fmt: skip


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("premis"), Shape())


def errors_with(package: Path, document: bytes) -> set[str]:
    """Errors of the package with this PREMIS, but for those of its METS about the other size and digest."""
    (package / FILE).write_bytes(document)
    kind, _ = recognise(FolderTree(package))
    found = {one.code for one in judged(kind, FolderTree(package)) if level_of(one) is Level.ERROR}
    return found - {"CSIP41", "CSIP43"}


def test_the_whole_is_clean(package: Path) -> None:
    assert errors_with(package, WHOLE.encode()) == set()


def the(root: etree._Element, path: str) -> list[etree._Element]:
    """The elements at a path; only the rights need more than the first of them."""
    steps = "/".join(f"p:{step}" if step else "" for step in path.split("/"))
    found = cast(list[etree._Element], root.xpath(steps, namespaces={"p": PREMIS}))
    return found if path == "rights/rightsStatement" else found[:1]


@pytest.mark.parametrize(("code", "path"), ABSENT)
def test_absent(package: Path, code: str, path: str) -> None:
    root = etree.fromstring(WHOLE)
    for one in the(root, path):
        # eventOutcomeInformation may not be there without what it is for
        holder = one.getparent()
        assert holder is not None
        gone, of = (holder, holder.getparent()) if code == "PM86" else (one, holder)
        assert of is not None
        of.remove(gone)
    assert errors_with(package, etree.tostring(root)) == {code}


@pytest.mark.parametrize(
    ("code", "path"), [(code, path) for code, path in ABSENT if not len(the(etree.fromstring(WHOLE), path)[0])]
)
def test_empty(package: Path, code: str, path: str) -> None:
    root = etree.fromstring(WHOLE)
    for one in the(root, path):
        one.text = " \n"
    assert errors_with(package, etree.tostring(root)) == {code}


@pytest.mark.parametrize("version", [None, "2.2"])
def test_version(package: Path, version: str | None) -> None:
    document = WHOLE.replace(' version="3.0"', f' version="{version}"' if version else "")
    assert errors_with(package, document.encode()) == {"PM1"}


def test_other_levels_of_environment(package: Path) -> None:
    assert errors_with(package, WHOLE.replace("Level>1<", "Level>high<").encode()) == {"PM8"}


@pytest.mark.parametrize("day", ["2024-02-30", "2024-13-01", "20240231T000000Z", "2024-02-29x", "T10:00"])
def test_days_that_are_none(package: Path, day: str) -> None:
    assert errors_with(package, WHOLE.replace(">2024-02-29<", f">{day}<").encode()) == {"PM85"}


@pytest.mark.parametrize(
    "day", ["2024", "2024-02", "2024-02-29T01:02:03.5+07:00", "20240229T010203Z", "2024~", "2024-01-01/2024-02-01"]
)
def test_days(package: Path, day: str) -> None:
    assert errors_with(package, WHOLE.replace(">2024-02-29<", f">{day}<").encode()) == set()


def test_what_no_requirement_is_about(package: Path) -> None:
    document = WHOLE.replace("<agentName>", "<agentNick>b</agentNick><agentName>")
    assert errors_with(package, document.encode()) == {"PREMIS-XSD"}
