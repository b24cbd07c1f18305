"""What Circular 05/2025/TT-BNV asks of single files: can it be opened, what is it, how was it scanned, is it signed.

The functions here run inside workers of the pool; only JSON comes back.
"""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import asdict
from functools import lru_cache
from typing import Any, BinaryIO, Final

from lxml import etree

from pipeline.content.inspection import pdf, pictures, rates, sniff
from pipeline.damage import ZIP_FAULTS
from pipeline.pool import Job
from pipeline.standards.xml import SCHEMAS

MODULES: Final = ("pipeline.content.inspection",)
"""What workers of this part hold ready."""

_MOST_UNPACKED: Final = 256 << 20
_CHUNK: Final = 1 << 20
_EICAR: Final = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
_PICTURES: Final = frozenset(("image/jpeg", "image/png", "image/gif", "image/tiff"))


def look(job: Job, lines: bool = False) -> dict[str, Any]:
    """`kind` (media type, empty when unknown), `why` (empty when it can be opened), `eicar`, and by kind: the fields of
    `pdf.Pdf`, of `pictures.Picture`, or `kbps` of sound and film. `lines` asks for the text of a PDF."""
    with os.fdopen(os.dup(job.fds[0]), "rb") as source:
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
        told: dict[str, Any] = {"kind": "", "why": "", "eicar": source.read(len(_EICAR)) == _EICAR}
        try:
            told["kind"] = kind = sniff.media_type(source, size)
        except sniff.Broken as problem:
            return {**told, "why": str(problem)[:200]}
        if kind == "application/pdf":
            return {**told, **pdf.look(job, source, lines)}
        if kind in _PICTURES:
            return {**told, **asdict(pictures.look(source, kind))}
        if kind.startswith(("audio/", "video/")):
            return {**told, "kbps": rates.kilobits(source, kind)}
        if "officedocument" in kind or "opendocument" in kind:
            told["why"] = _damage(job, source)
        return told


def _damage(job: Job, source: BinaryIO) -> str:
    """The first damaged member of a zipped document; empty when all hold. Stops at what no document needs."""
    left = _MOST_UNPACKED
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if member.flag_bits & 1:
                    return "password"
                with archive.open(member) as content:
                    while left > 0 and (data := content.read(_CHUNK)):
                        left -= len(data)
                        job.beat()
    except (*ZIP_FAULTS, OSError) as problem:
        return (str(problem) or type(problem).__name__)[:200]
    return ""


def fits(job: Job, excused: list[str]) -> dict[str, Any]:
    """Whether a description (second descriptor) is valid against a schema (first) that came with it.

    `faults` are (line, message), at most one; None where the schema itself is no schema. `excused` are elements left
    out of the description when the schema does not declare them.
    """
    schema = _schema(_all(job.fds[0]))
    if schema is None:
        return {"faults": None}
    compiled, declared = schema
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_all(job.fds[1]), parser)
    except (etree.XMLSyntaxError, ValueError):
        return {"faults": None}
    if str(root.tag).lower() != "simpledc":
        return {"faults": None}  # it is no description at all
    for child in list(root):
        if child.tag in excused and child.tag not in declared:
            root.remove(child)
    missing = declared - {str(child.tag) for child in root}
    if compiled.validate(root) or (missing and missing <= frozenset(excused)):
        return {"faults": []}
    first = compiled.error_log[0] if len(compiled.error_log) else None
    return {"faults": [[first.line if first else 0, (first.message if first else "")[:300]]]}


def _all(fd: int) -> bytes:
    with os.fdopen(os.dup(fd), "rb") as source:
        source.seek(0)
        return source.read(8 << 20)


@lru_cache(maxsize=8)
def _schema(data: bytes) -> tuple[etree.XMLSchema, frozenset[str]] | None:
    """The compiled schema and the elements of descriptions that it declares."""
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False, huge_tree=False)
    parser.resolvers.add(_Closed())
    try:
        tree = etree.parse(io.BytesIO(data), parser)
        declared = {
            str(one.get("name")) for one in tree.iter("{http://www.w3.org/2001/XMLSchema}element") if one.get("name")
        }
        return etree.XMLSchema(tree), frozenset(declared - {"simpledc"})
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, ValueError, OSError):
        return None


class _Closed(etree.Resolver):
    """Schemas that a schema asks for: the two of the W3C come from our own folder, all others are empty."""

    def resolve(self, url: str | None, pubid: str | None, context: Any) -> Any:
        name = str(url).rpartition("/")[2].lower()
        if name in ("xml.xsd", "xlink.xsd"):
            return self.resolve_filename(str(SCHEMAS / name), context)
        return self.resolve_string('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>', context)
