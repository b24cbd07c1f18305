"""Elements that PREMIS units must hold, each under the number that E-ARK gives it, whether absent or left empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from pipeline.records import Finding, Level, PackagePath
from pipeline.standards import premis
from pipeline.standards.xml import PREMIS, XSI, line_of, name_of

_P: Final = f"{{{PREMIS}}}"

_ANY: Final = {
    # unit: what it must hold, with the requirement that says so
    "fixity": (("messageDigestAlgorithm", "PM34"), ("messageDigest", "PM35")),
    "formatDesignation": (("formatName", "PM39"),),
    "formatRegistry": (("formatRegistryName", "PM42"), ("formatRegistryKey", "PM43")),
    "creatingApplication": (("creatingApplicationName", "PM46"),),
    "contentLocation": (("contentLocationType", "PM54"), ("contentLocationValue", "PM55")),
    "environmentFunction": (("environmentFunctionType", "PM7"), ("environmentFunctionLevel", "PM8")),
    "environmentDesignation": (("environmentName", "PM10"),),
    "relationship": (
        ("relationshipType", "PM58"), ("relationshipSubType", "PM59"), ("relatedObjectIdentifier", "PM60"),
    ),
    "relatedObjectIdentifier": (("relatedObjectIdentifierType", "PM61"), ("relatedObjectIdentifierValue", "PM62")),
    "relatedEventIdentifier": (("relatedEventIdentifierType", "PM64"), ("relatedEventIdentifierValue", "PM65")),
    "agentIdentifier": (("agentIdentifierType", "PM71"), ("agentIdentifierValue", "PM72")),
    "linkingAgentIdentifier": (("linkingAgentIdentifierType", "PM88"), ("linkingAgentIdentifierValue", "PM89")),
    "linkingObjectIdentifier": (("linkingObjectIdentifierType", "PM91"), ("linkingObjectIdentifierValue", "PM92")),
    "event": (("eventIdentifier", "PM81"), ("eventType", "PM84"), ("eventDateTime", "PM85")),
    "eventIdentifier": (("eventIdentifierType", "PM82"), ("eventIdentifierValue", "PM83")),
    "agent": (("agentIdentifier", "PM70"),),
    "rightsStatement": (("rightsStatementIdentifier", "PM95"), ("rightsBasis", "PM98")),
    "rightsStatementIdentifier": (
        ("rightsStatementIdentifierType", "PM96"), ("rightsStatementIdentifierValue", "PM97"),
    ),
    "copyrightInformation": (("copyrightStatus", "PM100"), ("copyrightJurisdiction", "PM101")),
    "copyrightDocumentationIdentifier": (
        ("copyrightDocumentationIdentifierType", "PM103"), ("copyrightDocumentationIdentifierValue", "PM104"),
    ),
    "licenseDocumentationIdentifier": (
        ("licenseDocumentationIdentifierType", "PM107"), ("licenseDocumentationIdentifierValue", "PM108"),
    ),
    "statuteInformation": (("statuteJurisdiction", "PM110"), ("statuteCitation", "PM111")),
    "statuteDocumentationIdentifier": (
        ("statuteDocumentationIdentifierType", "PM113"), ("statuteDocumentationIdentifierValue", "PM114"),
    ),
    "otherRightsInformation": (("otherRightsBasis", "PM116"),),
    "otherRightsDocumentationIdentifier": (
        ("otherRightsDocumentationIdentifierType", "PM118"), ("otherRightsDocumentationIdentifierValue", "PM119"),
    ),
    "rightsGranted": (("act", "PM121"),),
    "termOfGrant": (("startDate", "PM123"),),
}  # fmt: skip

_IDENTIFIER: Final = {
    premis.ENTITY: ("PM3", "PM4", "PM5"), premis.REPRESENTATION: ("PM15", "PM16", "PM17"),
    premis.FILE: ("PM29", "PM30", "PM31"),
}  # fmt: skip
_RIGHTS_LINK: Final = {"object": ("PM67", "PM68"), "agent": ("PM78", "PM79")}

_TOLD: Final = frozenset(("PM4", "PM5", "PM16", "PM17", "PM30", "PM31", "PM82", "PM83", "PM84", "PM85", "PM98"))
"""What `PremisRules` tells of by itself, from the parts that it reads."""

_NAMES: Final = frozenset(
    {name for needed in _ANY.values() for name, _ in needed}
    | {"objectIdentifierType", "objectIdentifierValue", "significantPropertiesValue"}
    | {"linkingRightsStatementIdentifierType", "linkingRightsStatementIdentifierValue"}
)

_SUSPECT = etree.XPath(
    "descendant::*[not(*)][not(normalize-space())] | .//p:creatingApplication[not(p:creatingApplicationName)]"
    " | .//p:significantProperties[not(p:significantPropertiesValue)] | self::p:object[p:environmentDesignation]"
    " | p:environmentFunction | self::p:object[p:environmentFunction]",
    namespaces={"p": PREMIS},
)
"""Of a unit that is valid by the schema: what is empty, and where the schema asks for less than E-ARK."""

_LEVEL = re.compile(r"\s*[0-9]+\s*")
_EXPECTED = re.compile(
    r"(?:Missing child element\(s\)|This element is not expected)\. Expected is (?:one of )?\( (.*) \)"
)
_LOCAL = re.compile(r"\}(\w+)")
_VERSION = re.compile(rf"Element '\{{{re.escape(PREMIS)}\}}premis'(?:: The attribute 'version'|, attribute 'version')")
_NO_STATEMENT = re.compile(rf"Element '\{{{re.escape(PREMIS)}\}}rights': Missing child element")


@dataclass
class ElementRules:
    """One document: shown its units while it is read, then asked what its schema messages add.

    `messages` are the lines and texts that the schema gave; without any nothing is absent, so only empty elements are
    looked for.
    """

    path: PackagePath
    messages: list[tuple[int, str]]
    _said: set[str] = field(default_factory=set)
    _found: list[Finding] = field(default_factory=list)

    def look(self, unit: etree._Element) -> None:
        """A whole object, event, agent or rightsStatement."""
        if not self.messages:
            for holder in {id(one): one for found in _SUSPECT(unit) if (one := _holder(found)) is not None}.values():
                self._judge(unit, holder)
            return
        for holder in unit.iter(f"{_P}*"):
            self._judge(unit, holder)

    def taken(self) -> Iterator[Finding]:
        """What was found since it was last asked."""
        found, self._found = self._found, []
        yield from found

    def end(self) -> Iterator[Finding]:
        """The schema messages that say something else than a requirement already told of."""
        for line, message in self.messages:
            if _VERSION.search(message):
                yield Finding("PM1", self.path, line or None, "3.0", _quoted(message), Level.ERROR)
            elif _NO_STATEMENT.search(message):
                yield Finding("PM94", self.path, line or None, "rights", "rightsStatement")
            elif not self._explained(message):
                yield Finding("PREMIS-XSD", self.path, line or None, None, message)

    def _explained(self, message: str) -> bool:
        expected = _EXPECTED.search(message)
        return expected is not None and not self._said.isdisjoint(_LOCAL.findall(expected[1]))

    def _judge(self, unit: etree._Element, holder: etree._Element) -> None:
        name = name_of(holder.tag)[1]
        for child, code in _needed(unit, name):
            held = holder.find(f"{_P}{child}")
            if held is None or not (len(held) or (held.text or "").strip() or "".join(held.itertext()).strip()):
                self._say(code, holder, name, child)
        if name == "object":
            self._object(holder)
        elif name == "format" and not any(holder.find(f"{_P}{one}") is not None for one in _FORMAT):
            self._say("PM39", holder, name, "formatDesignation")
        elif name == "significantProperties":
            value = holder.findtext(f"{_P}significantPropertiesValue") or ""
            if not value.strip() and holder.find(f"{_P}significantPropertiesExtension") is None:
                self._say("PM20", holder, name, "significantPropertiesValue")
        elif name == "environmentFunction":
            level = holder.findtext(f"{_P}environmentFunctionLevel") or ""
            if level.strip() and _LEVEL.fullmatch(level) is None:
                self._say("PM8", holder, name, "environmentFunctionLevel")

    def _object(self, unit: etree._Element) -> None:
        category = _category(unit)
        if category in _IDENTIFIER and unit.find(f"{_P}objectIdentifier") is None:
            self._say(_IDENTIFIER[category][0], unit, "object", "objectIdentifier")
        if category == premis.FILE and unit.find(f"{_P}objectCharacteristics") is None:
            self._say("PM32", unit, "object", "objectCharacteristics")
        function, designation = (unit.find(f"{_P}environment{one}") for one in ("Function", "Designation"))
        if function is None and designation is not None:
            self._say("PM6", unit, "object", "environmentFunction")
        elif designation is None and function is not None:
            self._say("PM9", unit, "object", "environmentDesignation")

    def _say(self, code: str, holder: etree._Element, name: str, child: str) -> None:
        self._said.add(child)
        if code not in _TOLD:
            self._found.append(Finding(code, self.path, line_of(holder) or None, name, child))


_FORMAT: Final = ("formatDesignation", "formatRegistry")


def without_followers(found: Iterable[Finding]) -> list[Finding]:
    """Findings of one unit without those that only follow from another: what is absent has no type and no value."""
    listed = list(found)
    codes = {one.code for one in listed}
    dropped = {"PM82", "PM83"} if "PM81" in codes else set()
    if "PM32" in codes:
        dropped.add("PM33")
    return [one for one in listed if one.code not in dropped]


def _needed(unit: etree._Element, name: str) -> Iterable[tuple[str, str]]:
    if name == "objectIdentifier":
        _, kind, value = _IDENTIFIER.get(_category(unit), ("", "", ""))
        return (("objectIdentifierType", kind), ("objectIdentifierValue", value)) if kind else ()
    if name == "linkingRightsStatementIdentifier":
        codes = _RIGHTS_LINK["agent" if unit.tag == f"{_P}agent" else "object"]
        return ((f"{name}Type", codes[0]), (f"{name}Value", codes[1]))
    return _ANY.get(name, ())


def _category(unit: etree._Element) -> str:
    return str(unit.get(f"{{{XSI}}}type") or "").strip().rpartition(":")[2]


def _holder(leaf: etree._Element) -> etree._Element | None:
    """What holds an empty element, or is it, where something is asked of it; None in metadata of other standards."""
    namespace, name = name_of(leaf.tag)
    if namespace != PREMIS:
        return None
    if name in _ANY or name in ("object", "significantProperties"):
        return leaf
    return leaf.getparent() if name in _NAMES else None


def _quoted(message: str) -> str | None:
    value = re.search(r"The value '([^']*)'|: '([^']*)' is not", message)
    return (value[1] or value[2]) if value is not None else None
