"""A descriptive file (`EAD.xml`, `EAD_doc_…`) as the elements it holds, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from pipeline.packages.tt05 import tables
from pipeline.packages.tt05.reading.xml import local, namespace, parsed
from pipeline.standards.xml import Unreadable


@dataclass(frozen=True, slots=True)
class Element:
    """`name` as the tables spell it, `spelled` as it stands there; `text` untouched; `line` from 1."""

    name: str
    spelled: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Described:
    """`problem` says why a file holds no description; then it has no elements. `root` as spelled."""

    elements: tuple[Element, ...] = ()
    root: str = "simpledc"
    problem: tuple[int, str] | None = None

    def values(self) -> Mapping[str, str]:
        """The first value of each element, without blanks around it."""
        found: dict[str, str] = {}
        for element in self.elements:
            found.setdefault(element.name, element.text.strip())
        return found

    @property
    def names(self) -> frozenset[str]:
        return frozenset(element.name for element in self.elements)


def described(data: bytes | None) -> Described:
    """What a descriptive file says; None (absent or too large) is no description."""
    if data is None:
        return Described(problem=(1, "unreadable"))
    try:
        root = parsed(data)
    except Unreadable as problem:
        return Described(problem=(problem.line, problem.message))
    name = local(root)
    if namespace(root) or name.lower() != "simpledc":
        return Described(root=name, problem=(root.sourceline or 1, f"root element {name}"))
    return Described(tuple(_element(child) for child in root), name)


def _element(child: etree._Element) -> Element:
    spelled = local(child)
    name = spelled if spelled in tables.elements() else tables.folded_elements().get(spelled.lower(), spelled)
    content = "".join(str(part) for part in child.itertext()) if len(child) else child.text or ""
    return Element(name, spelled, content, child.sourceline or 0)
