"""The first opinion: siegfried, by its Python package, over the signatures that are inside it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.records import Opinion

NAME = "siegfried"

CLIP = 8 << 20
"""Bytes kept at each end of a large file."""

CLIP_FROM = 256 << 20
"""From this size on only the ends are looked at: the engine would read a gigabyte in five to twelve seconds."""

_WHOLE = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\xd0\xcf\x11\xe0")
"""Containers (ZIP, OLE2) are found by what is inside them, which can lie anywhere."""

_DETAILS = re.compile(r"DROID_SignatureFile_(V\d+)\.xml; container-signature-(\d+)\.xml")


@dataclass(frozen=True, slots=True)
class Said:
    """The opinion with what the engine knows of the format that it names; all empty when it names none."""

    opinion: Opinion
    name: str
    version: str
    mime: str


class Siegfried:
    """siegfried, loaded, over a signature file (`.sig`) or the signatures inside it.

    ImportError where its package is not installed, OSError for a file that is none of its kind.
    """

    def __init__(self, file: Path | None = None) -> None:
        import pygfried

        self._pronom: Any = pygfried if file is None else pygfried.Scanner(signature=str(file))
        found = self._pronom.identify(os.devnull, detailed=True)
        details = found["identifiers"][0]["details"]
        versions = _DETAILS.fullmatch(details)
        self.version = str(found["siegfried"])
        self.signatures = f"{versions[1]}, container {versions[2]}" if versions else str(details)

    def identify(self, fd: int, size: int, head: bytes, extension: str) -> Said:
        """The open regular file of at least one byte; `head` are its first ones.

        Uses the working directory for a name with the right extension: the engine wants a path, the extension is
        evidence, and the received name may be anything.
        """
        clipped = CLIP if size >= CLIP_FROM and not head.startswith(_WHOLE) else None
        name = "f." + extension if extension else "f"
        Path(name).unlink(missing_ok=True)
        try:
            if clipped:
                _copy(fd, name, [(0, clipped), (size - clipped, clipped)])
            elif _reopens(fd):
                os.symlink(f"/proc/self/fd/{fd}", name)
            else:
                _copy(fd, name, [(0, size)])
            found = self._pronom.identify(name, detailed=True)["files"][0]
        finally:
            Path(name).unlink(missing_ok=True)
        return self._read(found, clipped)

    def _read(self, found: dict[str, Any], clipped: int | None) -> Said:
        matches = found["matches"]
        first = matches[0] if matches else {"id": "UNKNOWN", "basis": "", "warning": "no match"}
        match = _match(first)
        warnings = [first.get("warning", ""), found.get("errors", "")]
        if match in ("none", "extension"):
            if match == "extension":
                warnings[0] = f"match on extension only: {first['id']}"
            basis = first["basis"] if match == "extension" else ""
            return Said(self._opinion(None, match, basis, warnings, clipped), "", "", "")
        warnings += [f"also {other['id']} ({other['basis']})" for other in matches[1:]]
        mime = first.get("mime", "").split(",")[0].strip()
        opinion = self._opinion(first["id"], match, first["basis"], warnings, clipped)
        return Said(opinion, first["format"], first["version"], mime)

    def _opinion(self, puid: str | None, match: str, basis: str, warnings: list[str], clipped: int | None) -> Opinion:
        words = "; ".join(word for word in warnings if word)
        return Opinion(puid, match, basis, words, NAME, self.version, self.signatures, clipped)


def _match(found: dict[str, Any]) -> str:
    """container, signature, text, extension or none, by the engine's words; the strongest evidence counts."""
    if found["id"] in ("UNKNOWN", ""):
        return "none"
    basis = found["basis"]
    for word, match in (("container ", "container"), ("byte match", "signature"), ("text match", "text")):
        if word in basis:
            return match
    return "extension"


def _reopens(fd: int) -> bool:
    """Whether this user may open the file anew; as nobody, not a private file of root's."""
    try:
        os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _copy(fd: int, name: str, parts: list[tuple[int, int]]) -> None:
    with open(name, "xb") as out:
        for start, length in parts:
            while length > 0:
                data = os.pread(fd, min(length, 1 << 20), start)
                if not data:
                    break
                out.write(data)
                start += len(data)
                length -= len(data)
