"""Rule TT05-EAD-14: a file or document marked secret stops everything, before more than descriptions is read."""

from __future__ import annotations

from typing import Final

from pipeline.packages.tt05 import tables
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.reading.descriptive import Described
from pipeline.records import Finding

SECRET: Final = "03"
"""Code of `mode` for secret (mật)."""


def stops(package: Package) -> tuple[Finding, ...]:
    """One finding for each description that says secret, with nothing of its content; empty when none does.

    Asked before any digest is known. Only for SIP and AIP (Findings drops it for a DIP).
    """
    found = Findings(package.files, package.type, package.settings)
    if package.ead_path is not None and _is_secret(package.ead):
        found.add("TT05-EAD-14", package.ead_path)
    for document in package.documents():
        if document.description is not None and _is_secret(document.described):
            found.add("TT05-EAD-14", document.description)
    return tuple(found)


def _is_secret(one: Described) -> bool:
    """Whether any `mode` is 03 or the words of that code, repeated elements included."""
    return any(
        element.name == "mode" and (element.text.strip() == SECRET or tables.words_code("mode", element.text) == SECRET)
        for element in one.elements
    )
