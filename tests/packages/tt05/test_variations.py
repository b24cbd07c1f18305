"""The same XML written in other ways: what is tolerated is at most reported, and never changes a verdict."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from tests.packages.tt05.build import build as built
from tests.packages.tt05.build import folder
from tests.packages.tt05.fault import put, rename
from tests.packages.tt05.faults import tolerated
from tests.packages.tt05.fields import PROFILES, TYPES
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.shape import DESCRIPTIONS, EAD, PREMIS, REP_PREMIS, Files, Shape, full

Rewrite = Callable[[str, bytes], bytes]
Change = Callable[[Shape], Shape]
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def rewritten(change: Rewrite) -> Change:
    return lambda shape: replace(shape, rewrite=change)


def _prefixed(path: str, data: bytes) -> bytes:
    """Every namespace under another prefix; descriptions have none."""
    root = etree.fromstring(data)
    if not root.nsmap:
        return data
    names = {f"p{number}": uri for number, uri in enumerate(sorted(uri for uri in root.nsmap.values()), 1)}
    made = etree.Element(root.tag, dict(root.attrib), nsmap=names)
    made.text = root.text
    made.extend(list(root))
    own = next(prefix for prefix, uri in names.items() if str(root.tag).startswith(f"{{{uri}}}"))
    for one in made.iter(etree.Element):
        if TYPE in one.attrib:
            one.set(TYPE, f"{own}:{one.attrib[TYPE]}")
    etree.cleanup_namespaces(made, keep_ns_prefixes=list(names))
    return XML + etree.tostring(made)


def _reversed(path: str, data: bytes) -> bytes:
    root = etree.fromstring(data)
    for one in root.iter(etree.Element):
        pairs = list(one.attrib.items())
        one.attrib.clear()
        for name, value in reversed(pairs):
            one.set(name, value)
    return XML + etree.tostring(root)


def _shuffled(path: str, data: bytes) -> bytes:
    root = etree.fromstring(data)
    if root.tag == "simpledc":
        children = list(root)
        random.Random(path).shuffle(children)
        root[:] = children
    return XML + etree.tostring(root, encoding="UTF-8")


def _packed(path: str, data: bytes) -> bytes:
    """Not one blank between elements, no declaration, numbers for letters, empty elements with an end tag."""
    root = etree.fromstring(data, etree.XMLParser(remove_blank_text=True))
    text = etree.tostring(root, encoding="ascii").decode()
    return re.sub(r"<\?xml.*?\?>\s*", "", re.sub(r"<(\w+)/>", r"<\1></\1>", text)).encode()


def _spread(path: str, data: bytes) -> bytes:
    """Comments, instructions, CDATA, single quotes around what has no quotes inside, lines that end as on Windows."""
    text = data.decode().replace("?>\n", "?>\n<?note x?><!-- một -->\n", 1)
    text = re.sub(r"<(title|subject)>([^<&]*)</", r"<\1><![CDATA[\2]]></", text)
    text = re.sub(r'(\w)="([^"\']*)"', r"\1='\2'", text)
    return text.replace("\n", "\r\n").encode()


def _lower_sums(path: str, data: bytes) -> bytes:
    text = re.sub(r'CHECKSUM="([0-9A-F]{64})"', lambda one: one[0].replace(one[1], one[1].lower()), data.decode())
    return re.sub(r"(?<=Digest>)[0-9A-F]{64}", lambda one: one[0].lower(), text).encode()


def _old_schema(shape: Shape) -> Shape:
    def change(path: str, data: bytes) -> bytes:
        return data.replace(b"schemas/mets1_12.xsd", b"schemas/mets_1_11.xsd")

    return replace(
        shape, rewrite=change, before=(*shape.before, rename("schemas/mets1_12.xsd", "schemas/mets_1_11.xsd"))
    )


def _no_mets_twice(shape: Shape) -> Shape:
    def change(files: Files) -> None:
        del files["schemas/mets1_12.xsd"]

    return replace(shape, before=(*shape.before, change))


def _no_own_prefix(path: str, data: bytes) -> bytes:
    """The declaration of `csip` spelt as the circular's own location of schemas does."""
    return data.replace(b"https://DILCIS.eu/XML/METS/CSIP", b"https://dilcis.eu/XML/METS/CSIP")


def _descriptions_in_capitals(shape: Shape) -> Shape:
    documents = tuple(
        replace(one, described=f"{one.kind.upper()}_{_stem(shape, number)}")
        for number, one in enumerate(shape.documents, 1)
    )
    return replace(shape, documents=documents)


def _stem(shape: Shape, number: int) -> str:
    return f"{shape.file_code if shape.of == 'SIP' else Shape(shape.type).file_code}.{number}"


VARIATIONS: dict[str, tuple[Change, frozenset[str]]] = {
    "order of elements": (rewritten(_shuffled), frozenset({"TT05-EAD-20"})),
    "prefixes": (rewritten(_prefixed), frozenset()),
    "byte order mark": (rewritten(lambda path, data: b"\xef\xbb\xbf" + data), frozenset()),
    "order of attributes": (rewritten(_reversed), frozenset()),
    "packed": (rewritten(_packed), frozenset()),
    "spread": (rewritten(_spread), frozenset()),
    "digests in lower case": (rewritten(_lower_sums), frozenset()),
    "names of METS 1.11": (_old_schema, frozenset({"TT05-MET-30"})),
    "one METS schema": (_no_mets_twice, frozenset()),
    "namespace in lower case": (rewritten(_no_own_prefix), frozenset({"TT05-MET-30"})),
    "EAD_DOC in capitals": (_descriptions_in_capitals, frozenset({"TT05-STR-10"})),
    "ead.xsd": (
        lambda shape: replace(
            shape,
            before=(
                *shape.before,
                rename("schemas/EAD.xsd", "schemas/ead.xsd"),
                rename("schemas/EAD_doc.xsd", "schemas/ead_doc.xsd"),
                rename("schemas/METS.xsd", "schemas/mets.xsd"),
            ),
        ),
        frozenset({"TT05-STR-10"}),
    ),
    "documentation in depth": (
        lambda shape: replace(shape, before=(*shape.before, put("documentation/a/b/c.txt"))),
        frozenset(),
    ),
}


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("name", VARIATIONS)
def test_a_variation_changes_no_verdict(tmp_path: Path, name: str, type: str) -> None:
    """Written in the form of either profile in turns, judged by both."""
    change, allowed = VARIATIONS[name]
    shape = change(full(type, writes=PROFILES[(TYPES.index(type) + [*VARIATIONS].index(name)) % 2]))
    package = folder(built(shape), tmp_path)
    for asked in PROFILES:
        found = said(package, by_profile(asked))
        assert found.levels.keys() <= allowed | tolerated(shape, asked), [one for one, _ in found.findings]
        assert found.valid
        assert len(found.documents) == len(shape.documents)
        assert all(one.verdict == "valid" for one in found.documents)


@pytest.mark.parametrize("type", TYPES)
def test_variations_are_variations(type: str) -> None:
    """Each rewriting changes bytes, keeps what they say, and is no rewriting of another's."""
    plain = built(full(type)).files
    for name, (change, _) in VARIATIONS.items():
        files = built(change(full(type))).files
        assert files != plain, name
    for path in (EAD, PREMIS, REP_PREMIS, f"{DESCRIPTIONS}EAD_doc_H99.01.2020.7.1.xml"):
        if path in plain:
            first = etree.fromstring(plain[path])
            assert sum(1 for _ in first.iter()) == sum(1 for _ in etree.fromstring(_prefixed(path, plain[path])).iter())
