"""Rule TT05-EAD-14: a file or document marked secret stops everything, before more than descriptions is read."""

from __future__ import annotations

from pipeline.packages.tt05.files import REP_DESCRIPTIVE
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package, is_description
from pipeline.packages.tt05.reading.descriptive import described
from pipeline.packages.tt05.secrets import is_secret
from pipeline.records import Finding


def stops(package: Package) -> tuple[Finding, ...]:
    """One finding for each description that says secret, with nothing of its content; empty when none does.

    Asked before any digest is known. Only for SIP and AIP (Findings drops it for a DIP).
    """
    found = Findings(package.files, package.type, package.settings)

    described_in = (path for path in package.files.under(REP_DESCRIPTIVE) if is_description(path))
    for path in (package.ead_path, *described_in):
        data = package.files.read(path) if path is not None else None
        if path is not None and is_secret(described(data), data):
            found.add("TT05-EAD-14", path)
    return tuple(found)
