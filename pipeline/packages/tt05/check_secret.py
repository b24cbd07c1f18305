"""Rule TT05-EAD-14: a file or document marked secret stops everything, before more than descriptions is read."""

from __future__ import annotations

from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.reading.descriptive import Described
from pipeline.packages.tt05.secrets import is_secret
from pipeline.records import Finding


def stops(package: Package) -> tuple[Finding, ...]:
    """One finding for each description that says secret, with nothing of its content; empty when none does.

    Asked before any digest is known. Only for SIP and AIP (Findings drops it for a DIP).
    """
    found = Findings(package.files, package.type, package.settings)

    def see(path: bytes | None, one: Described) -> None:
        if path is not None and is_secret(one, package.files.read(path) if one.problem is not None else None):
            found.add("TT05-EAD-14", path)

    see(package.ead_path, package.ead)
    for document in package.documents():
        see(document.description, document.described)
    return tuple(found)
