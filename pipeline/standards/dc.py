"""Dublin Core in the OAI container (`oai_dc:dc`): terms to bytes and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from pipeline.standards import xml
from pipeline.standards.xml import DC, OAI_DC, Sink

TERMS = (
    "title", "creator", "subject", "description", "publisher", "contributor", "date", "type", "format",
    "identifier", "source", "language", "relation", "coverage", "rights",
)  # fmt: skip
"""The fifteen elements, in the order of their definition."""

MAX_BYTES = 64 << 20
"""Largest description that is read."""

_NAMES = {f"{{{DC}}}{term}": term for term in TERMS}
_ROOT = f"{{{OAI_DC}}}dc"


def write(out: Sink | BinaryIO, terms: Iterable[tuple[str, str]]) -> None:
    """The terms in their order. ValueError for a term outside the fifteen elements.

    A character that XML cannot hold is written as `\\uXXXX`, visibly; see `readable` for text that is to come
    back as it went.
    """
    with xml.written(out, _ROOT, {"oai_dc": OAI_DC, "dc": DC}, {}) as document:
        for term, value in terms:
            if term not in TERMS:
                raise ValueError(f"not an element of Dublin Core: {term!r}")
            document.leaf(f"{{{DC}}}{term}", value)


def readable(value: str) -> str:
    """A value as it will come back: what XML cannot hold is `\\uXXXX`. Kinds apply it to what they read."""
    return xml.legal(value)


def read(source: BinaryIO) -> tuple[tuple[str, str], ...]:
    """The terms of an `oai_dc:dc` document in their order; other elements are passed over. Raises Unreadable.

    A document with another root has no terms.
    """
    found: list[tuple[str, str]] = []
    right = False
    for event, element in xml.elements(source, whole=_NAMES, limit=MAX_BYTES):
        if event == "start":
            right = element.tag == _ROOT
        elif right:
            found.append((_NAMES[str(element.tag)], xml.text_of(element)))
    return tuple(found)
