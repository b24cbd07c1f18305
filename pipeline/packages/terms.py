"""Names and values of Dublin Core as people write them in tables and tag files."""

from __future__ import annotations

import re

ELEMENTS = frozenset(
    ("contributor", "coverage", "creator", "date", "description", "format", "identifier", "language", "publisher",
     "relation", "rights", "source", "subject", "title", "type")
)  # fmt: skip

_REFINED = {
    "abstract": "description", "tableOfContents": "description", "alternative": "title",
    "available": "date", "created": "date", "dateAccepted": "date", "dateCopyrighted": "date",
    "dateSubmitted": "date", "issued": "date", "modified": "date", "valid": "date",
    "extent": "format", "medium": "format", "spatial": "coverage", "temporal": "coverage",
    "accessRights": "rights", "license": "rights", "rightsHolder": "rights",
    "bibliographicCitation": "identifier", "conformsTo": "relation", "hasFormat": "relation", "hasPart": "relation",
    "hasVersion": "relation", "isFormatOf": "relation", "isPartOf": "relation", "isReferencedBy": "relation",
    "isReplacedBy": "relation", "isRequiredBy": "relation", "isVersionOf": "relation", "references": "relation",
    "replaces": "relation", "requires": "relation",
}  # fmt: skip
"""Terms of DCMI that refine one of the fifteen elements; the element is what an AIP describes with."""

_BY_LOWER = {term.lower(): element for term, element in _REFINED.items()} | {name: name for name in ELEMENTS}

DCMI_TERMS = frozenset((*_REFINED, *ELEMENTS))
"""Names of all terms of DCMI that are understood."""

_UNFIT = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str) -> str | None:
    """The Dublin Core element that `dc.title`, `dcterms.created`, `dc:title` or `title` means; None when none."""
    prefix, _, term = name.strip().replace(":", ".").rpartition(".")
    if prefix.lower() not in ("", "dc", "dcterms"):
        return None
    return _BY_LOWER.get(term.lower())


def unfit(value: str) -> bool:
    """Whether a value holds characters that XML 1.0 cannot hold."""
    return _UNFIT.search(value) is not None


def fit(value: str) -> str:
    """The value with U+FFFD in place of what XML 1.0 cannot hold."""
    return _UNFIT.sub("\ufffd", value)
