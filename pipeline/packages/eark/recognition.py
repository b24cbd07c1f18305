"""Which E-ARK package a METS.xml says it is, and by which version."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Final

from pipeline.packages import Recognition
from pipeline.packages.eark.layout import METS
from pipeline.packages.eark.rows import opened
from pipeline.records import PackagePath
from pipeline.standards import mets
from pipeline.standards.xml import Unreadable
from pipeline.tree import ContentDamage, Tree

PACKAGES: Final = {"eark-sip": "SIP", "eark-aip": "AIP", "eark-dip": "DIP"}
"""The package type that METS names for each kind; AIU and AIC are archival packages."""

_ARCHIVAL = ("AIP", "AIU", "AIC")
_SNIFFED = 1 << 16
_PACKAGE_TYPE = re.compile(rb"""OAISPACKAGETYPE\s*=\s*["'](SIP|AIP|DIP|AIU|AIC)["']|E-ARK-(SIP|AIP|DIP)""")
_PROFILE = re.compile(r"E-ARK-(SIP|AIP|DIP)")
_VERSION = re.compile(r"-v(\d+)[-.](\d+)[-.](\d+)\.xml$", re.IGNORECASE)


def recognise(tree: Tree, kind: str) -> Recognition | None:
    """`kind` when METS.xml says its OAISPACKAGETYPE, or names its profile, even where it is damaged."""
    try:
        source = tree.open(PackagePath(METS))
    except KeyError:
        return None
    except ContentDamage:
        return None
    wanted = PACKAGES[kind]
    profile, package = "", ""
    with closing(source):
        try:
            for part in mets.read(source):
                if isinstance(part, mets.Head):
                    if not part.is_mets:
                        return None
                    profile = part.profile or ""
                else:
                    package = (part.package_type or "") if isinstance(part, mets.Header) else ""
                    break
        except (Unreadable, ContentDamage):
            package = _sniffed(tree)
    version = _VERSION.search(profile)
    shown = ".".join(version.groups()) if version else ""
    package = package.strip().upper()
    if package == wanted or (wanted == "AIP" and package in _ARCHIVAL):
        return Recognition(kind, shown, f"METS.xml says csip:OAISPACKAGETYPE {package}")
    named = _PROFILE.search(profile)
    if named is not None and named[1] == wanted:
        return Recognition(kind, shown, f"METS.xml names the METS profile of the E-ARK {wanted}")
    return None


def _sniffed(tree: Tree) -> str:
    try:
        with closing(opened(tree, PackagePath(METS))) as source:
            found = _PACKAGE_TYPE.search(source.read(_SNIFFED))
    except (Unreadable, ContentDamage):
        return ""
    return (found[1] or found[2]).decode() if found else ""
