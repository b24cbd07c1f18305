"""State secrets: what a description marks as secret is seen, wherever it lies, before anything else is read.

A package of Circular 05/2025/TT-BNV stops for it, and so does whatever holds one: a bag, a folder of packages, a
package that a person calls by another kind. Nothing of a description is told but where it lies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from pipeline.packages.tt05.files import MOST
from pipeline.packages.tt05.reading.descriptive import Described, described
from pipeline.records import Finding, PackagePath
from pipeline.tree import ContentDamage, Tree

SECRET: Final = "03"
"""Code of `mode` for secret (mật)."""

_WORDS: Final = frozenset(("mật", "tối mật", "tuyệt mật"))
"""The marks of secrecy as people write them."""

_PLACE: Final = re.compile(rb"(?i)(?:.*/)?metadata/descriptive/[^/]+\.xml")
_BROKEN: Final = re.compile(rb"(?i)<(?:[\w.-]+:)?mode\b[^<>]*>\s*(?:<!\[CDATA\[\s*)?0*3\s*(?:\]\]>\s*)?</")


def is_secret(one: Described, data: bytes | None = None) -> bool:
    """Whether any `mode` of a description says secret, repeated elements included; `data` are the bytes of one that
    could not be read as XML, which are looked through."""
    if one.problem is not None:
        return data is not None and _BROKEN.search(data) is not None
    return any(element.name == "mode" and _says_secret(element.text) for element in one.elements)


def secret_descriptions(tree: Tree) -> Iterator[Finding]:
    """One finding for each description of the circular in the tree that says secret; only descriptions are read."""
    for entry in tree.entries():
        if not entry.is_folder and entry.size <= MOST and _PLACE.fullmatch(entry.path):
            data = _bytes(tree, entry.path)
            if data is not None and _may_describe(data) and is_secret(described(data), data):
                yield Finding("TT05-EAD-14", entry.path)


def _may_describe(data: bytes) -> bool:
    """Whether the root of the circular's descriptions is named somewhere; in UTF-16 it cannot be looked for."""
    return b"simpledc" in data.lower() or data.startswith((b"\xff\xfe", b"\xfe\xff"))


def _says_secret(text: str) -> bool:
    told = " ".join(unicodedata.normalize("NFC", text).lower().split())
    return told.lstrip("0") == SECRET.lstrip("0") or told in _WORDS


def _bytes(tree: Tree, path: PackagePath) -> bytes | None:
    try:
        with tree.open(path) as source:
            return source.read(MOST + 1)
    except (KeyError, ContentDamage):
        return None
