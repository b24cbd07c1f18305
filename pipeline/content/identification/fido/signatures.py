"""One set of converted signatures, as it is kept and as the engine uses it."""

from __future__ import annotations

import json
import lzma
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.content.identification.fido import containers, convert
from pipeline.content.identification.fido.filter import Filter
from pipeline.content.identification.fido.gaps import Gaps

SHIPPED = Path(__file__).resolve().parents[4] / "schemas" / "pronom" / "signatures.json.xz"
"""The set that comes with us."""

_NEVER = re.compile(rb"(?!)")


@dataclass(slots=True)
class Pattern:
    """One expression with the place it counts from (BOF, EOF, VAR or IFB); compiled when it is first needed.

    `width`: most bytes that it takes.
    """

    position: str
    text: bytes
    gap: dict[str, Any] | None
    width: int
    _regex: re.Pattern[bytes] | None = None
    _gaps: Gaps | None = None

    def regex(self) -> re.Pattern[bytes]:
        """The compiled expression."""
        if self._regex is None:
            self._regex = re.compile(self.text)
        return self._regex

    def gaps(self) -> Gaps:
        """The linear matcher; only for a pattern with `gap`."""
        if self._gaps is None:
            assert self.gap is not None
            self._gaps = Gaps(self.gap)
        return self._gaps


NEVER = Pattern("BOF", b"(?!)", None, 0, _NEVER)
"""Matches nothing."""


@dataclass(slots=True)
class Signature:
    """All its patterns have to match."""

    name: str
    patterns: list[Pattern]
    number: int

    def findtext(self, tag: str) -> str:
        """What fido asks of a signature: its name."""
        assert tag == "name"
        return self.name


@dataclass(slots=True, eq=False)
class Known:
    """One format of PRONOM with its signatures."""

    puid: str
    name: str
    version: str
    mime: str
    extensions: frozenset[str]
    over: frozenset[str]
    signatures: list[Signature]


@dataclass(slots=True)
class Signatures:
    """A set: formats in the order in which they are tried, the filter over all signatures, the container matcher.

    `signed` are the formats that have a signature of either kind, `contained` those that have a container signature.
    """

    version: str
    container_version: str
    formats: list[Known]
    filter: Filter
    containers: containers.Matcher
    owner: list[Known]
    by_number: list[Signature]
    by_puid: dict[str, Known]
    signed: frozenset[str]
    contained: frozenset[str]
    by_extension: dict[str, list[Known]] = field(default_factory=dict)


def read(data: dict[str, Any]) -> Signatures:
    """The set of what `convert.convert` gave. ValueError for another form."""
    if data.get("format") != convert.FORMAT:
        raise ValueError(f"signatures of form {data.get('format')}, expected {convert.FORMAT}")
    formats: list[Known] = []
    owner: list[Known] = []
    flat: list[dict[str, Any]] = []
    by_number: list[Signature] = []
    by_extension: dict[str, list[Known]] = {}
    for one in data["formats"]:
        known = Known(one["puid"], one["name"], one["version"], (one["mime"] or [""])[0].split(",")[0].strip(),
                      frozenset(extension.lower() for extension in one["extensions"]), frozenset(one["over"]),
                      [])  # fmt: skip
        for signature in one["signatures"]:
            listed = [Pattern(place, text.encode(), gap, width) for place, text, gap, width in signature["patterns"]]
            made = Signature(signature["name"], listed, len(flat))
            known.signatures.append(made)
            by_number.append(made)
            flat.append(signature)
            owner.append(known)
        formats.append(known)
        for extension in known.extensions:
            by_extension.setdefault(extension, []).append(known)
    matcher = containers.read(data["containers"])
    held = frozenset(container.puid for listed in matcher.signatures.values() for container in listed)
    return Signatures(
        data["version"], data["container_version"], formats,
        Filter(flat, [int(one, 16) for one in data["sets"]]), matcher, owner, by_number,
        {known.puid: known for known in formats},
        frozenset(known.puid for known in formats if known.signatures) | held, held, by_extension,
    )  # fmt: skip


def load(packed: bytes) -> Signatures:
    """The set kept in an xz file. ValueError when it is none."""
    try:
        return read(json.loads(lzma.decompress(packed)))
    except (lzma.LZMAError, KeyError, TypeError, json.JSONDecodeError) as problem:
        raise ValueError(f"no signatures: {problem}") from problem


def pack(data: dict[str, Any]) -> bytes:
    """The same set always gives the same bytes with the same library."""
    return lzma.compress(json.dumps(data, separators=(",", ":"), sort_keys=True).encode(), preset=9)
