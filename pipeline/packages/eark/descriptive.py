"""Dublin Core as other archives write it: under any root, with refined terms, in the order of the document."""

from __future__ import annotations

from typing import BinaryIO

from pipeline.packages.terms import DCMI_TERMS, element, fit
from pipeline.standards import xml
from pipeline.standards.dc import MAX_BYTES, TERMS
from pipeline.standards.xml import DC

DCTERMS = "http://purl.org/dc/terms/"
_MOST = 10_000


def dublin_core(source: BinaryIO) -> tuple[tuple[str, str], ...]:
    """The terms as Description's: elements of DC or DC Terms, or of neither where they are called so (`simpledc`).

    Raises Unreadable. What is no term of Dublin Core is passed over; the document is kept whatever it says.
    """
    whole = {*TERMS, *(f"{{{DC}}}{term}" for term in TERMS), *(f"{{{DCTERMS}}}{term}" for term in DCMI_TERMS)}
    found: list[tuple[str, str]] = []
    for event, one in xml.elements(source, whole=whole, limit=MAX_BYTES):
        if event != "whole" or len(found) >= _MOST:
            continue
        term = element(str(one.tag).rpartition("}")[2])
        value = fit(xml.text_of(one).strip())
        if term is not None and value:
            found.append((term, value))
    return tuple(found)
