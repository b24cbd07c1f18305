"""Text in every encoding that is read, as old programs would have written it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pipeline.text import encode, lost

DATA = Path(__file__).parent.parent / "data"
VECTORS = Path(__file__).parent / "vectors.tsv"
WRITTEN = ("tcvn3", "vni", "viscii", "cp1258", "cp1258-split", "utf-8", "nfd")
"""What detection must tell; `cp1258-split` is CP1258 with every tone apart, `nfd` UTF-8 taken apart."""


def vectors() -> Iterator[tuple[str, str, bytes, str]]:
    """(id, encoding to read it by, bytes, text) of every vector that has bytes."""
    for line in VECTORS.read_text("utf-8").splitlines()[2:]:
        name, encoding, codes, _, text = line.split("\t")
        if codes:
            read = "utf-8" if encoding == "utf-8 NFD" else encoding
            yield name, "tcvn3-h" if name.endswith("-H") else read, bytes.fromhex(codes), text


@cache
def udhr(language: str) -> str:
    """The Declaration, a paragraph a line."""
    return (DATA / "udhr" / f"{language}.txt").read_text("utf-8")


def as_written(text: str, encoding: str) -> str:
    """The text that the bytes can hold: TCVN3 has no capitals with a tone and writes them small."""
    if encoding != "tcvn3":
        return unicodedata.normalize("NFC", text)
    missing = lost(text, encoding)
    return "".join(char.lower() if char in missing else char for char in text)


def written(text: str, encoding: str) -> bytes:
    return encode(as_written(text, encoding), encoding)
