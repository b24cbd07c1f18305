"""Drawings in SVG: kept as they are, or taken out of their gzip; what they ask from outside is told."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from lxml import etree

from pipeline.content.normalisation.made import Failed, Made, Told
from pipeline.content.normalisation.registry import ActionInWorker, Beat

MOST = 256 << 20
"""Bytes of a drawing when it is unpacked."""

_STEP = 1 << 20
_SHOWN = 5
_LINKS = frozenset({"href", "{http://www.w3.org/1999/xlink}href", "src", "data"})
_FOLLOWED = frozenset({"a"})
"""Elements whose address is for a reader to follow: the drawing is whole without it."""

_IN_STYLE = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
_DECLARED = re.compile(
    rb"<!ENTITY\s[^>]*?\b(?:SYSTEM|PUBLIC)\b[^>]*>|<!DOCTYPE[^\[>]*?SYSTEM\s+[\"'](?!http://www\.w3\.org/)"
)


def plain(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """The drawing without gzip; kept where it has none. What it takes from elsewhere (pictures, fonts, styles, scripts,
    entities) is told: without these it cannot be shown as it was meant.
    """
    (result,) = results.values()
    packed = source.read(2) == b"\x1f\x8b"
    source.seek(0)
    data = b"".join(unpacked(source, beat)) if packed else source.read(MOST + 1)
    if len(data) > MOST:
        raise Failed("FMT-CONVERT-DAMAGED", f"more than {MOST} bytes", last=True)
    outside = sorted(set(asked(data)))
    more = f", … ({len(outside)})" if len(outside) > _SHOWN else ""
    told = (Told("FMT-SVG-OUTSIDE", found=", ".join(one[:100] for one in outside[:_SHOWN]) + more),) if outside else ()
    if packed:
        result.write(data)
        return Made(notes=("unpacked from gzip",), told=told)
    return Made(kept="SVG, not compressed", told=told)


def unpacked(source: BinaryIO, beat: Beat) -> Iterator[bytes]:
    """What lies in a gzip. Failed where it is cut off, damaged, or of more than `MOST` bytes."""
    unpacker = zlib.decompressobj(31)
    total = 0
    try:
        while not unpacker.eof and (data := source.read(_STEP)):
            while data and not unpacker.eof:
                part = unpacker.decompress(data, _STEP)
                total += len(part)
                if total > MOST:
                    raise Failed("FMT-CONVERT-DAMAGED", f"more than {MOST} bytes", last=True)
                yield part
                data = unpacker.unconsumed_tail
                beat()
    except zlib.error as problem:
        raise Failed("FMT-CONVERT-DAMAGED", str(problem), last=True) from None
    if not unpacker.eof:
        raise Failed("FMT-CONVERT-DAMAGED", "gzip: the end is missing", last=True)


def asked(data: bytes) -> Iterator[str]:
    """Addresses outside the document that showing it would need. Failed when it is no XML."""
    for found in _DECLARED.finditer(data[:_STEP]):
        yield " ".join(found[0].decode("utf-8", "replace").split())
    deaf: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    try:
        root = etree.fromstring(data, etree.XMLParser(**deaf))
    except etree.XMLSyntaxError as problem:
        raise Failed("FMT-CONVERT-DAMAGED", " ".join((problem.msg or "no XML").split()), last=True) from None
    for sibling in root.itersiblings(preceding=True):
        if isinstance(sibling, etree._ProcessingInstruction) and sibling.target == "xml-stylesheet":
            yield from filter(_outside, re.findall(r"""href=["']([^"']+)""", sibling.text or ""))
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname
        for key, value in element.attrib.items():
            text = str(value).strip()
            if key in _LINKS and name not in _FOLLOWED and _outside(text):
                yield text
            elif "url(" in text:
                yield from _of_style(text)
        if name == "style" and element.text:
            yield from _of_style(element.text)


def _of_style(text: str) -> Iterator[str]:
    for found in _IN_STYLE.finditer(text):
        address = (found[1] or found[2]).strip()
        if _outside(address):
            yield address


def _outside(address: str) -> bool:
    """Whether an address is neither in the document nor data that it holds itself."""
    try:
        return bool(address) and not address.startswith("#") and urlsplit(address).scheme.lower() != "data"
    except ValueError:
        return True


IN_WORKER: dict[str, ActionInWorker] = {"svg.plain": plain}
