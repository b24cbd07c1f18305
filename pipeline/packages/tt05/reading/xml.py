"""XML of a package, read deaf: no DTD, no entity, no network, no schema that it names."""

from __future__ import annotations

from lxml import etree

from pipeline.standards.xml import MAX_DEPTH, Unreadable


def parsed(data: bytes) -> etree._Element:
    """The root element of a small document. Unreadable when it is no XML or holds what we refuse to read."""
    parser = etree.XMLParser(
        no_network=True, resolve_entities=False, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as problem:
        raise Unreadable(problem.lineno or 1, problem.msg or "not well-formed") from None
    except (ValueError, LookupError) as problem:
        raise Unreadable(1, str(problem)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(1, "the document has a DOCTYPE, which we do not read")
    deepest, stack = 0, [(root, 1)]
    while stack and deepest <= MAX_DEPTH:
        element, depth = stack.pop()
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in element)
    if deepest > MAX_DEPTH:
        raise Unreadable(1, f"elements are nested deeper than {MAX_DEPTH}")
    return root


def local(element: etree._Element) -> str:
    """Name without namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(element: etree._Element) -> str:
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""
