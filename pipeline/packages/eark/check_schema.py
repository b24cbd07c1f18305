"""Which messages of the METS schema only repeat a requirement that was told of under its own number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.standards.xml import METS


def _nine(offset: int) -> set[str]:
    """The requirement on one of the nine attributes of mdRef in each of the three sections."""
    return {f"CSIP{first + offset}" for first in (22, 36, 49)}


_ATTRIBUTES: Final = {
    ("mdRef", "LOCTYPE"): _nine(0), ("mdRef", "type"): _nine(1), ("mdRef", "href"): _nine(2),
    ("mdRef", "MDTYPE"): _nine(3), ("mdRef", "SIZE"): _nine(5), ("mdRef", "CREATED"): _nine(6),
    ("mdRef", "CHECKSUMTYPE"): _nine(8),
    ("dmdSec", "ID"): {"CSIP18"}, ("dmdSec", "CREATED"): {"CSIP19"},
    ("digiprovMD", "ID"): {"CSIP33"}, ("rightsMD", "ID"): {"CSIP46"},
    ("file", "ID"): {"CSIP67"}, ("file", "SIZE"): {"CSIP69"}, ("file", "CREATED"): {"CSIP70"},
    ("file", "CHECKSUMTYPE"): {"CSIP72"},
    ("FLocat", "LOCTYPE"): {"CSIP77"}, ("FLocat", "type"): {"CSIP78"}, ("FLocat", "href"): {"CSIP79"},
    ("mptr", "href"): {"CSIP110"}, ("mptr", "type"): {"CSIP111"}, ("mptr", "LOCTYPE"): {"CSIP112"},
    ("metsHdr", "CREATEDATE"): {"CSIP7"}, ("metsHdr", "LASTMODDATE"): {"CSIP8"},
    ("metsHdr", "OAISPACKAGETYPE"): {"CSIP9"},
    ("agent", "ROLE"): {"CSIP11", "SIP10", "SIP16"}, ("agent", "TYPE"): {"CSIP12", "SIP11", "SIP17", "SIP28"},
    ("note", "NOTETYPE"): {"CSIP16", "SIP14", "SIP20", "SIP31"},
}  # fmt: skip

_CHILDREN: Final = {
    "structMap": {"CSIP80"}, "div": {"CSIP84"}, "name": {"CSIP14", "SIP12", "SIP18", "SIP24", "SIP29"},
}  # fmt: skip

_ATTRIBUTE = re.compile(
    rf"Element '\{{{re.escape(METS)}\}}(\w+)'(?:: The attribute|, attribute) '(?:\{{[^}}]*\}})?(\w+)'"
)
_CHILD = re.compile(r"(?:Missing child element\(s\)|This element is not expected)\. Expected is (?:one of )?\( (.*) \)")
_LOCAL = re.compile(r"\}(\w+)")


def unexplained(messages: Iterable[tuple[int, str]], told: frozenset[str] | set[str]) -> Iterator[tuple[int, str]]:
    """The (line, message) that say more than the errors whose codes were `told` of the same document."""
    for line, message in messages:
        attribute = _ATTRIBUTE.search(message)
        child = _CHILD.search(message)
        known: set[str] = set()
        if attribute is not None:
            known = set(_ATTRIBUTES.get((attribute[1], attribute[2]), ()))
        elif child is not None:
            known = {code for name in _LOCAL.findall(child[1]) for code in _CHILDREN.get(name, ())}
        if known.isdisjoint(told):
            yield line, message
