"""Tables of a package as text, in UTF-8 or in an older encoding that can be told."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

from pipeline.content.texts import NAMES
from pipeline.records import Finding, PackagePath
from pipeline.text import Detection, detect_stream, transcoded
from pipeline.tree import Tree

_ASKS = ("ambiguous", "short", "mixed")
"""Methods of a detection that found Vietnamese and leaves to a person in what."""


@contextlib.contextmanager
def table(tree: Tree, path: PackagePath) -> Iterator[tuple[io.TextIOBase | None, tuple[Finding, ...]]]:
    """(text of a table with its line ends, findings about its encoding); no text where a person has to tell that.

    What is UTF-8 is read as it is, without its byte order mark; reading what is neither UTF-8 nor told raises
    UnicodeDecodeError at its place.
    """
    with tree.open(path) as raw:
        found = detect_stream(raw)
    if found.encoding is None and found.method in _ASKS:
        likely = ", ".join(f"{NAMES[name]} {score:.2f}" for name, score in found.candidates[:3])
        yield None, (Finding("FLD-META-ASK", path, None, "UTF-8", likely),)
        return
    with tree.open(path) as raw:
        if found.encoding in (None, "utf-8") or found.undo:
            damaged = (Finding("FLD-META-UNDO", path, None, "UTF-8", _sure(found)),) if found.undo else ()
            with io.TextIOWrapper(raw, "utf-8-sig", newline="") as source:
                yield source, damaged
        else:
            with io.TextIOWrapper(transcoded(raw, found), "utf-8", newline="") as source:
                yield source, (Finding("FLD-META-LEGACY", path, None, "UTF-8", _sure(found)),)


def _sure(found: Detection) -> str:
    return f"{NAMES[found.encoding or 'utf-8']}, {found.confidence:.0%}"
