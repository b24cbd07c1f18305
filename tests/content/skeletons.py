"""Skeleton files: the least bytes that a signature of PRONOM asks for, written from the published records.

Nothing of the engines is used to make them: a reader of its own takes the sequences apart. They test engines, not
real files.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

PRONOM = Path(__file__).resolve().parent.parent.parent / "schemas/pronom"

_TOKEN = re.compile(
    r"\s+|'(?P<quoted>[^']*)'|\[(?P<set>[^\]]*)\]|(?P<byte>[0-9A-Fa-f]{2})|(?P<any>\?\?)|(?P<star>\*)"
    r"|\{(?P<low>\d+)(?:-(?:\d+|\*))?\}|(?P<mark>[()|])"
)
_SET = re.compile(r"(?P<mark>!?[&~]?)(?P<first>'[^']*'|[0-9A-Fa-f]+)(?:[:-](?P<last>'[^']*'|[0-9A-Fa-f]+))?")
Byte = int | None
"""None: any byte may stand there."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A file with the format that its maker meant."""

    name: str
    puid: str
    extension: str
    data: bytes


def sequence(text: str, star: int) -> list[Byte]:
    """The least bytes of a sequence: first choices, shortest gaps, `star` bytes for a gap without end."""
    return _sequence(list(_tokens(text)), star)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None, text[at : at + 40]
        at = token.end()
        yield token


def _sequence(tokens: list[re.Match[str]], star: int) -> list[Byte]:
    made: list[Byte] = []
    skipping = [False]
    for token in tokens:
        if token["mark"] == "(":
            skipping.append(skipping[-1])
        elif token["mark"] == ")":
            skipping.pop()
        elif token["mark"] == "|":
            skipping[-1] = True
        elif skipping[-1]:
            continue
        elif token["quoted"] is not None:
            made += token["quoted"].encode("latin-1")
        elif token["set"] is not None:
            made += _choose(token["set"])
        elif token["byte"]:
            made.append(int(token["byte"], 16))
        elif token["any"]:
            made.append(None)
        elif token["star"]:
            made += [None] * star
        elif token["low"]:
            made += [None] * int(token["low"])
    return made


def _value(text: str) -> bytes:
    return text[1:-1].encode("latin-1") if text.startswith("'") else bytes.fromhex(text)


def _choose(inside: str) -> list[Byte]:
    """The first bytes that a set allows."""
    found = list(_SET.finditer(inside.strip()))
    first = _value(found[0]["first"])
    mark = found[0]["mark"]
    if not mark:
        return list(first[:1]) if found[0]["first"].startswith("'") else list(first)
    if mark == "&":
        return list(first)
    if mark == "~":
        return [first[0] & -first[0]]
    if len(mark) == 2:
        whole = first[0] if mark == "!&" else 0
        return [next(byte for byte in range(256) if (byte & first[0] != whole) is (mark == "!&"))]
    refused = set()
    for one in found:
        low = _value(one["first"])
        high = _value(one["last"]) if one["last"] else low
        refused |= set(range(low[0], high[-1] + 1)) if len(low) == 1 else set()
    return [next(byte for byte in (0x2D, 0, *range(1, 256)) if byte not in refused)] * len(first)


def _put(buffer: list[Byte], at: int, made: list[Byte]) -> bool:
    there = buffer[at : at + len(made)]
    if any(old is not None and new is not None and old != new for old, new in zip(there, made, strict=False)):
        return False
    buffer += [None] * (at + len(made) - len(buffer))
    for number, byte in enumerate(made, at):
        if byte is not None:
            buffer[number] = byte
    return True


def signature(record: dict[str, Any], fill: int, star: int = 4) -> bytes | None:
    """A file for one internal signature; None where its sequences lie too far off or contradict one another."""
    begin: list[Byte] = []
    middle: list[Byte] = []
    end: list[Byte] = []
    ordered = sorted(record["byteSequences"], key=lambda one: int(one.get("offset") or 0))
    for one in ordered:
        made = sequence(one["byteSequence"], star)
        low, more = int(one.get("offset") or 0), int(one.get("maxOffset") or 0)
        if low > 1 << 20:
            return None
        if one["positionType"] == "Absolute from EOF":
            turned = made[::-1]
            if not any(_put(end, at, turned) for at in range(low, low + more + 1)):
                return None
        elif one["positionType"] == "Absolute from BOF":
            if not any(_put(begin, at, made) for at in range(low, low + min(more, 4096) + 1)):
                return None
        else:
            middle += [None] * star + made
    return bytes(fill if byte is None else byte for byte in begin + middle + [None] * star * bool(end) + end[::-1])


def from_signatures(fill: int) -> Iterator[Skeleton]:
    """One file per internal signature, with the first extension of its format; gaps hold the byte `fill`."""
    packed = lzma.decompress((PRONOM / "pronom-signatures-V125.tar.xz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            if not re.search(r"(?:^|/)(?:x-)?fmt/\d+\.json$", member.name):
                continue
            held = archive.extractfile(member)
            assert held is not None
            record = json.loads(held.read())
            puid = next(one["identifierText"] for one in record["identifiers"] if one["identifierType"] == "PUID")
            extensions = [one["externalSignature"] for one in record["externalSignatures"] or []
                          if one["signatureType"] == "File extension"]  # fmt: skip
            for one in record["internalSignatures"] or []:
                data = signature(one, fill)
                if data:
                    yield Skeleton(f"{puid} {one['signatureID']}", puid, (extensions or [""])[0].lower(), data)


def from_containers(extensions: dict[str, str]) -> Iterator[Skeleton]:
    """One ZIP or OLE2 file per container signature and format."""
    root = etree.fromstring(lzma.decompress((PRONOM / "container-signature-20260119.xml.xz").read_bytes()))
    puids: dict[str, list[str]] = {}
    for one in root.iterfind("FileFormatMappings/FileFormatMapping"):
        puids.setdefault(one.get("signatureId", ""), []).append(one.get("Puid", ""))
    for one in root.iterfind("ContainerSignatures/ContainerSignature"):
        files = {file.findtext("Path") or "": _member(file) for file in one.iterfind("Files/File")}
        data = _zip(files) if one.get("ContainerType") == "ZIP" else ole2(files)
        for puid in puids.get(one.get("Id", ""), []):
            yield Skeleton(f"{puid} container {one.get('Id')}", puid, extensions.get(puid, ""), data)


def _member(file: etree._Element) -> bytes:
    whole: list[Byte] = []
    for one in file.iterfind("BinarySignatures/InternalSignatureCollection/InternalSignature/ByteSequence"):
        made: list[Byte] = []
        for part in sorted(one.iterfind("SubSequence"), key=lambda part: int(part.get("Position") or 1)):
            text = sequence(part.findtext("Sequence") or "", 2)
            for right in sorted(part.iterfind("RightFragment"), key=lambda part: int(part.get("Position") or 1)):
                text += [None] * int(right.get("MinOffset") or 0) + sequence(right.text or "", 2)
            for left in sorted(part.iterfind("LeftFragment"), key=lambda part: int(part.get("Position") or 1)):
                text = sequence(left.text or "", 2) + [None] * int(left.get("MinOffset") or 0) + text
            gap: list[Byte] = [None] * int(part.get("SubSeqMinOffset") or 0)
            made = text + gap + made if one.get("Reference") == "EOFoffset" else made + gap + text
        if one.get("Reference") == "BOFoffset":
            if not _put(whole, 0, made):
                whole += made
        elif one.get("Reference") == "EOFoffset":
            whole += [None] * max(4096 - len(whole) - len(made), 0) + made
        else:
            whole += made
    return bytes(0x20 if byte is None else byte for byte in whole)


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return made.getvalue()


def ole2(files: dict[str, bytes]) -> bytes:
    """An OLE2 file (512-byte sectors, no short ones) with these streams; `/` in a name parts a storage."""
    names: list[tuple[str, int, bytes | None]] = [("Root Entry", -1, None)]
    folders = {"": 0}
    for path, data in files.items():
        folder, _, name = path.rstrip("/").rpartition("/")
        parent = 0
        for number in range(folder.count("/") + 1 if folder else 0):
            here = "/".join(folder.split("/")[: number + 1])
            if here not in folders:
                folders[here] = len(names)
                names.append((here.rsplit("/", 1)[-1], parent, None))
            parent = folders[here]
        names.append((name, parent, data.ljust(4096, b"\0")))
    sectors: list[bytes] = []
    table: list[int] = []

    def add(data: bytes) -> int:
        first = len(sectors)
        parts = [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        table.extend([*range(first + 1, first + len(parts)), 0xFFFFFFFE])
        sectors.extend(parts)
        return first

    starts = [0xFFFFFFFE if stream is None else add(stream) for _, _, stream in names]
    listed = b""
    for number, (name, parent, stream) in enumerate(names):
        children = [at for at, one in enumerate(names) if one[1] == number]
        siblings = sorted(at for at, one in enumerate(names) if one[1] == parent and number)
        later = [at for at in siblings if at > number]
        kind = 5 if not number else 1 if stream is None else 2
        text = name.encode("utf-16-le")
        listed += text.ljust(64, b"\0") + struct.pack(
            "<HBBIII16sIQQIQ", len(text) + 2, kind, 1, 0xFFFFFFFF, later[0] if later else 0xFFFFFFFF,
            children[0] if children else 0xFFFFFFFF, b"", 0, 0, 0, starts[number], len(stream or b""),
        )  # fmt: skip
    directory = add(listed.ljust(-(-len(listed) // 512) * 512, b"\0"))
    count = 1
    while count * 128 < len(sectors) + count:
        count += 1
    where = len(sectors)
    table += [0xFFFFFFFD] * count
    packed = struct.pack(f"<{len(table)}I", *table).ljust(count * 512, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack(
        "<HHHHH6sIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, count, directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )  # fmt: skip
    header += struct.pack("<109I", *range(where, where + count), *[0xFFFFFFFF] * (109 - count))
    return header + b"".join(sectors) + packed
