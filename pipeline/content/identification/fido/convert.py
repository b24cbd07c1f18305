"""PRONOM's published records and container signatures become what the engine reads.

fido's own converter makes the expressions; four of its errors are corrected here (docs/identification.md).
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from pipeline.content.identification.fido import containers, patterns

FORMAT = 2
"""Version of the form in which converted signatures are kept."""

_RECORD = re.compile(r"(?:^|/)(x-fmt|fmt)/(\d+)\.json$")
_BYTE = r"(?:\\x[0-9a-fA-F]{2}|\\.|[^\\()|\[\]])"
_NEGATED = re.compile(rf"\(\?!(?:{_BYTE}|\({_BYTE}(?:\|{_BYTE})*\))\)")
_ESCAPED = {r"\a": 7, r"\t": 9, r"\n": 10, r"\v": 11, r"\f": 12, r"\r": 13}
_OPEN = re.compile(r"(?<!\\)\.(?:\*|\{\d+,\})")
_POSITIONS = {
    "Absolute from BOF": "BOF",
    "Absolute from EOF": "EOF",
    "Variable": "VAR",
    "Indirect From BOF": "IFB",
}
_FAULTS = (AttributeError, KeyError, LookupError, OverflowError, RecursionError, StopIteration, TypeError, ValueError)
_MOST_POSITIONS = 6
_MOST_LITERALS = 4
_BUFFER = 4 << 20
_LABOUR = 1 << 24
"""Steps of backtracking at worst from which on a pattern is matched run by run."""


def records(archive: bytes) -> Iterator[dict[str, Any]]:
    """PRONOM's JSON records from a tar archive of `fmt/N.json` and `x-fmt/N.json`, x-fmt first, by number."""
    found: list[tuple[bool, int, dict[str, Any]]] = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as source:
        for member in source:
            named = _RECORD.search(member.name)
            held = source.extractfile(member) if named and member.isfile() else None
            if named and held is not None:
                found.append((named[1] == "fmt", int(named[2]), json.loads(held.read())))
    for _, _, record in sorted(found, key=lambda one: one[:2]):
        yield record


def convert(archive: bytes, container_xml: bytes, version: str, container_version: str) -> dict[str, Any]:
    """Signatures as JSON for `signatures.Signatures`. ValueError names the record that cannot be converted."""
    made, sets = formats(list(records(archive)))
    known = {one["puid"] for one in made}
    return {
        "format": FORMAT,
        "version": version,
        "container_version": container_version,
        "formats": made,
        "sets": sets,
        "containers": containers.convert(parsed(container_xml), known),
    }


def formats(
    all_records: list[Any], failed: Callable[[str, Exception], None] | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The formats of PRONOM's records, and the byte sets that their filter shares.

    `failed` takes what cannot be converted, with its PUID or number; without it the first is raised.
    """
    made = []
    sets: dict[int, int] = {}
    puids: dict[int, str] = {}
    for number, record in enumerate(all_records, 1):
        name = f"#{number}"
        try:
            name = puids[record["fileFormatID"]] = puid(record)
        except _FAULTS as problem:
            if failed is None:
                raise
            failed(name, problem)
    for record in all_records:
        name = ""
        try:
            name = puids.get(record["fileFormatID"], "")
            if name:
                made.append(_format(record, puids, sets))
        except _FAULTS as problem:
            if failed is None:
                raise
            if name:  # the others are told already
                failed(name, problem)
    return made, [f"{one:x}" for one in sets]


def puid(record: dict[str, Any]) -> str:
    """PRONOM's identifier of a record."""
    return next(str(one["identifierText"]) for one in record["identifiers"] if one["identifierType"] == "PUID")


def regex(sequence: str, position: str, offset: int, most: int) -> str:
    """The expression of a byte sequence of PRONOM.

    `most` is counted from `offset`. A byte range over two bytes loses its second byte, which may then be any.
    """
    from fido.prepare import FLG_INCOMPATIBLE, convert_to_regex

    sequence = re.sub(r"\[(..)..:(..)..\]", r"[\1:\2]{1}", sequence.replace("??", "{1}"))
    farthest = str(offset + most) if most else ""
    try:
        found: str = convert_to_regex(sequence, "Little", position, str(offset), farthest)
    except Exception as problem:  # it raises nothing nearer
        raise ValueError(str(problem).splitlines()[0] if str(problem) else "not understood") from problem
    if found == FLG_INCOMPATIBLE:
        raise ValueError(f"not understood: {sequence[:80]}")
    found = _NEGATED.sub(_other_byte, found)
    found = _OPEN.sub(r"\g<0>?", found)  # the nearest first: the same answer, sooner
    re.compile(found.encode())
    return found


def _other_byte(negated: re.Match[str]) -> str:
    """`(?!A)` or `(?!(A|B))`, of no width, as one byte that is none of these."""
    bytes_ = re.findall(_BYTE, negated[0][3:-1])
    codes = (int(one[2:], 16) if one.startswith("\\x") else _ESCAPED.get(one, ord(one[-1])) for one in bytes_)
    return "[^" + "".join(f"\\x{code:02x}" for code in codes) + "]"


def _format(record: dict[str, Any], puids: dict[int, str], sets: dict[int, int]) -> dict[str, Any]:
    own = puid(record)
    better = [one["relatedFormatID"] for one in record["relationships"] or []
              if one["relationshipType"] == "Has priority over"]  # fmt: skip
    extensions = [one["externalSignature"] for one in record["externalSignatures"] or []
                  if one["signatureType"] == "File extension"]  # fmt: skip
    try:
        signatures = [_signature(one, sets) for one in record["internalSignatures"] or []]
    except (ValueError, re.error, OverflowError) as problem:
        raise ValueError(f"{own}: {problem}") from problem
    return {
        "puid": own,
        "name": " ".join((record["formatName"] or "").split()),
        "version": " ".join((record.get("version") or "").split()),
        "mime": [one["identifierText"] for one in record["identifiers"] if one["identifierType"] == "MIME"],
        "extensions": extensions,
        "over": [puids[one] for one in better if one in puids],
        "signatures": [one for one in signatures if one["patterns"]],
    }


def _signature(record: dict[str, Any], sets: dict[int, int]) -> dict[str, Any]:
    converted = []
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    literals: list[tuple[str, bytes, int, int]] = []
    for one in record["byteSequences"]:
        position = _POSITIONS[one["positionType"]]
        text = regex(one["byteSequence"], position, int(one.get("offset") or 0), int(one.get("maxOffset") or 0))
        known = patterns.shape(text.encode())
        width = patterns.width(text.encode())
        gaps = patterns.segments(text.encode())
        hard = gaps is not None and patterns.labour(gaps, width, _BUFFER) > _LABOUR
        converted.append([position, text, gaps if hard else None, width])
        for place, bytes_ in patterns.positions(known, _MOST_POSITIONS) if position == "BOF" else []:
            begins[place] = begins.get(place, patterns.ANY) & bytes_
        for place, bytes_ in patterns.positions_from_end(known, _MOST_POSITIONS) if position == "EOF" else []:
            ends[place] = ends.get(place, patterns.ANY) & bytes_
        side = "EOF" if known.end and not known.begin else "BOF"
        literals += [(side, *found) for found in patterns.literals(known)]
    result: dict[str, Any] = {"name": record.get("name") or "", "patterns": converted}
    for key, places in (("begins", begins), ("ends", ends)):
        chosen = sorted(places.items())[:_MOST_POSITIONS]
        if chosen:
            result[key] = [[place, sets.setdefault(bytes_, len(sets))] for place, bytes_ in chosen]
    placed = "begins" in result or "ends" in result
    wanted = [one for one in set(literals) if not (placed and one[2] == one[3])]
    for side, must, low, high in sorted(wanted, key=_worth)[:_MOST_LITERALS]:
        result.setdefault("literals", []).append([side, must.hex(), low, high])
    return result


def _worth(one: tuple[str, bytes, int, int]) -> tuple[int, int, tuple[str, bytes]]:
    """Long texts in short windows first: they are cheap to look for and seldom there by chance."""
    side, text, low, high = one
    return -min(len(text), 8) - (8 if high < patterns.ENDLESS else 0), high - low, (side, text)


def parsed(xml: bytes) -> etree._Element:
    """The document; no entities, no network. etree.XMLSyntaxError when it is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    return etree.fromstring(xml, parser)
