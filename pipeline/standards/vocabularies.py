"""Terms of the Library of Congress, of E-ARK and of IANA, read from `schemas/vocabularies/`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "vocabularies"

LOC = "http://id.loc.gov/vocabulary/preservation/"

OCTETS = "application/octet-stream"


@cache
def loc(vocabulary: str) -> Mapping[str, str]:
    """Terms of a Library of Congress vocabulary (`eventType`, `agentType`, …) and their codes."""
    return {row["term"]: row["code"] for row in _rows("loc.tsv") if row["vocabulary"] == vocabulary}


@cache
def authority(vocabulary: str, term: str) -> Mapping[str, str]:
    """Attributes that say where a term comes from; empty when the vocabulary does not know it."""
    code = loc(vocabulary).get(term)
    if code is None:
        return {}
    uri = LOC + vocabulary
    return {"authority": vocabulary, "authorityURI": uri, "valueURI": f"{uri}/{code}"}


@cache
def eark(vocabulary: str) -> frozenset[str]:
    """Terms of an E-ARK vocabulary (`content category`, `status`, …)."""
    return frozenset(row["term"] for row in _rows("eark.tsv") if row["vocabulary"] == vocabulary)


@cache
def media_type(mime: str) -> str:
    """The registered spelling of a media type, `application/octet-stream` for one that IANA does not list."""
    return _media_types().get(mime.partition(";")[0].strip().lower(), OCTETS)


def is_media_type(mime: str) -> bool:
    """Whether IANA lists it; names of types are not case-sensitive (RFC 6838, 4.2)."""
    return mime.lower() in _media_types()


@cache
def _media_types() -> Mapping[str, str]:
    lines = (FOLDER / "media-types.txt").read_text(encoding="ascii").split()
    return {line.lower(): line for line in lines}


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as source:
        return tuple(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
