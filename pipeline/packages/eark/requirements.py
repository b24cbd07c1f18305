"""The numbered requirements of E-ARK, by version, as `schemas/eark/requirements.tsv` holds them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.records import Level

TABLE: Final = Path(__file__).resolve().parents[3] / "schemas" / "eark" / "requirements.tsv"

VERSIONS: Final = ("2.0", "2.1", "2.2")

_WEIGHT = {"MUST": Level.ERROR, "SHOULD": Level.WARNING, "MAY": Level.INFO}

_PROFILE = re.compile(r"https://earkc?([a-z]+)\.dilcis\.eu/profile/E-ARK-([A-Z]+)(?:-v(\d+)[-.](\d+)[-.](\d+))?\.xml")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row: `levels` are MUST, SHOULD, MAY or `-` (does not hold) by version.

    `checked` is `yes`, `schema` (the XML schema asks it, so METS-XSD or PREMIS-XSD tells), `with CODE`, or the reason
    why no program can tell.
    """

    id: str
    specification: str
    name: str
    where: str
    levels: Mapping[str, str]
    checked: str


@cache
def requirements() -> Mapping[str, Requirement]:
    """All of them by number, in the order of the specifications."""
    with TABLE.open(encoding="utf-8", newline="") as source:
        rows = csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {
            row["id"]: Requirement(
                row["id"], row["specification"], row["name"], row["where"],
                {version: row[version] for version in VERSIONS}, row["checked"],
            )
            for row in rows
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edition:
    """What a package is judged by: its kind, the version its profile names, and whether it names CSIP alone."""

    kind: str
    version: str = "2.2"
    csip_alone: bool = False

    def holds(self, code: str) -> bool:
        """Whether a requirement is one of this version."""
        found = requirements().get(code)
        return found is None or found.levels[self.version] != "-"

    def weight(self, code: str) -> Level | None:
        """The level where this version weighs a requirement otherwise than 2.2; None for the level of the code."""
        found = requirements().get(code)
        if found is None or found.levels[self.version] in (found.levels["2.2"], "-"):
            return None
        return _WEIGHT[found.levels[self.version]]


def edition(kind: str, profile: str | None) -> Edition:
    """By the METS profile of the root METS. An address without a version is that of 2.1, of a DIP that of 2.2."""
    found = _PROFILE.fullmatch((profile or "").strip())
    if found is None:
        return Edition(kind)
    minor = int(found[4]) if found[3] is not None and found[3] == "2" else None
    if minor is None:
        version = "2.2" if found[2] == "DIP" else "2.1"
    else:
        version = f"2.{min(minor, 2)}"
    return Edition(kind, version, found[2] == "CSIP" and kind != "eark-aip")
