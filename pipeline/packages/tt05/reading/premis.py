"""PREMIS of a package: as it stands, or mended where it follows the samples of the annex (TT05-C12)."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from lxml import etree

from pipeline.packages.tt05.reading.xml import local, namespace
from pipeline.standards.xml import MAX_BYTES, MAX_DEPTH, PREMIS, XSI, Unreadable

_CATEGORY: Final = b"objectCategory"
_TYPE: Final = f"{{{XSI}}}type"
_CATEGORIES: Final = {"intellectual entity": "intellectualEntity"}
_CHUNK: Final = 1 << 20


@contextmanager
def whole_premis(source: BinaryIO, scratch: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """The document to be judged, and whether it had to be mended: elements without namespace, `objectCategory` for
    `xsi:type`, the identifier of an agent without its wrapper. Raises Unreadable when that cannot be done."""
    with tempfile.TemporaryFile(dir=scratch) as copy:
        needs = _copied(source, copy)
        copy.seek(0)
        if not needs and not _unspaced(copy):
            copy.seek(0)
            yield copy, False
            return
        copy.seek(0)
        with tempfile.TemporaryFile(dir=scratch) as made:
            _mend(copy, made)
            made.seek(0)
            yield made, True


def _copied(source: BinaryIO, into: BinaryIO) -> bool:
    """Copies a document; whether the word stands in it that our schema does not know."""
    seen, tail, size = False, b"", 0
    while data := source.read(_CHUNK):
        seen = seen or _CATEGORY in tail + data
        tail = data[-len(_CATEGORY) :]
        size += len(data)
        if size > MAX_BYTES:
            raise Unreadable(0, "the document is larger than we read")
        into.write(data)
    return seen


def _unspaced(source: BinaryIO) -> bool:
    """Whether the root is a `premis` in no namespace."""
    head = source.read(1 << 16)
    context = etree.iterparse(
        io.BytesIO(head), events=("start",), no_network=True, resolve_entities=False, load_dtd=False
    )
    try:
        _, root = next(iter(context))
    except (etree.XMLSyntaxError, StopIteration):
        return False
    return local(root) == "premis" and not namespace(root)


def _mend(source: BinaryIO, made: BinaryIO) -> None:
    context = etree.iterparse(
        source, events=("start", "end"), no_network=True, resolve_entities=False, load_dtd=False, huge_tree=False
    )
    depth = 0
    try:
        _, root = next(iter(context))
        if root.getroottree().docinfo.internalDTD is not None:
            raise Unreadable(1, "the document has a DOCTYPE, which we do not read")
        with etree.xmlfile(made, encoding="utf-8") as file:
            names: dict[str | None, str] = {None: PREMIS, "xsi": XSI}
            given = {str(key): str(value) for key, value in root.attrib.items()}
            with file.element(f"{{{PREMIS}}}{local(root)}", given, nsmap=names):
                for event, element in context:
                    depth += 1 if event == "start" else -1
                    if depth > MAX_DEPTH:
                        raise Unreadable(element.sourceline or 0, f"elements are nested deeper than {MAX_DEPTH}")
                    if event == "end" and depth == 0 and isinstance(element.tag, str):
                        file.write(_mended(element))
                        element.clear()
                        while element.getprevious() is not None:
                            root.remove(root[0])
    except etree.XMLSyntaxError as problem:
        raise Unreadable(problem.lineno or 1, problem.msg or "not well-formed") from None
    except StopIteration:
        raise Unreadable(1, "the document has no element") from None


def _mended(element: etree._Element) -> etree._Element:
    for one in element.iter(etree.Element):
        if not namespace(one):
            one.tag = f"{{{PREMIS}}}{local(one)}"
    if local(element) == "object":
        _category(element)
    elif local(element) == "agent":
        _wrapped(element)
    return element


def _category(element: etree._Element) -> None:
    """`objectCategory`, as an element or an attribute, becomes the type of the object."""
    told = element.attrib.pop("objectCategory", None)
    for child in list(element):
        if local(child) == "objectCategory":
            told = told or (child.text or "")
            element.remove(child)
    told = str(told or element.get(_TYPE) or "").strip().rpartition(":")[2]
    if told:
        element.set(_TYPE, _CATEGORIES.get(told.lower(), told))


def _wrapped(element: etree._Element) -> None:
    """The parts of an agent's identifier that stand in the agent itself get their wrapper."""
    loose = [child for child in element if local(child) in ("agentIdentifierType", "agentIdentifierValue")]
    if loose:
        wrapper = etree.Element(f"{{{PREMIS}}}agentIdentifier")
        element.insert(element.index(loose[0]), wrapper)
        for child in loose:
            wrapper.append(child)
