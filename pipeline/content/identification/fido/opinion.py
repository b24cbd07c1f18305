"""What the corrected engine finds, as an opinion."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.content.identification.fido import signatures
from pipeline.content.identification.fido.engine import BUFFER, ENGINE_VERSION, Engine, Found
from pipeline.content.identification.siegfried import Said
from pipeline.records import Opinion

NAME = "fido"


class Fido:
    """The corrected fido over a packed set of signatures, the shipped one by default.

    ImportError where opf-fido is not installed, ValueError for signatures that are none.
    """

    def __init__(self, packed: bytes | None = None) -> None:
        known = signatures.load(signatures.SHIPPED.read_bytes() if packed is None else packed)
        self._engine = Engine(known)
        self.version = str(ENGINE_VERSION)
        self.signatures = f"{known.version}, container {known.container_version}"

    @property
    def over(self) -> Mapping[str, frozenset[str]]:
        """Formats that PRONOM ranks directly below a format, by PUID."""
        return self._engine.puid_has_priority_over_map

    def identify(self, fd: int, size: int, extension: str) -> Said:
        """The open regular file of at least one byte."""
        found = self._engine.identify(fd, size, extension)
        clipped = BUFFER if size > 2 * BUFFER and found.match != "container" else None
        if not found.formats:
            opinion = Opinion(None, found.match, found.basis, _unknown(found), NAME, self.version, self.signatures,
                              clipped)  # fmt: skip
            return Said(opinion, "", "", "")
        first = found.formats[0]
        warnings = []
        if first.extensions and extension.lower() not in first.extensions and found.match != "text":
            warnings.append("extension mismatch")
        warnings += [found.errors] if found.errors else []
        warnings += [f"also {other.puid}" for other in found.formats[1:]]
        opinion = Opinion(first.puid, found.match, found.basis, "; ".join(warnings), NAME, self.version,
                          self.signatures, clipped)  # fmt: skip
        return Said(opinion, first.name, first.version, first.mime)


def _unknown(found: Found) -> str:
    words = "match on extension only: " if found.match == "extension" else "no match"
    if found.candidates and found.match != "extension":
        words += "; possibilities based on extension are "
    return "; ".join(word for word in (words + ", ".join(found.candidates), found.errors) if word)
