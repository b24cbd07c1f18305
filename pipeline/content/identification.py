"""What format a file is, by PRONOM: the engines behind one result model.

`Engine` runs inside the workers of the pool: it parses hostile bytes in C, holds the interpreter while it
scans and knows no limits. Its traps and measurements are in the recipe on identification.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.records import Finding, Format, PackagePath

CLIP = 8 << 20
"""Bytes kept at each end of a large file."""

CLIP_FROM = 256 << 20
"""From this size on only the ends are looked at: the engine would read a gigabyte in five to twelve seconds."""

_WHOLE = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\xd0\xcf\x11\xe0")
"""Containers (ZIP, OLE2) are found by what is inside them, which can lie anywhere."""

_OCTETS = "application/octet-stream"
_DETAILS = re.compile(r"DROID_SignatureFile_(V\d+)\.xml; container-signature-(\d+)\.xml")
_CANDIDATES = re.compile(r"x?-?fmt/\d+")
_EXTENSION = re.compile(rb"\.([A-Za-z0-9_+~ -]{1,24})$")


def extension_of(path: bytes) -> str:
    """The extension of a raw path as ASCII, without dot; empty when there is none that an engine could know."""
    found = _EXTENSION.search(path.rsplit(b"/", 1)[-1])
    return found[1].decode("ascii") if found else ""


class Engine:
    """siegfried and libmagic, loaded once; without siegfried there is no PUID, only libmagic's MIME type."""

    def __init__(self) -> None:
        import magic

        self._mime = magic.Magic(mime=True)
        self._description = magic.Magic()
        self._pronom: Any = None
        self._why = ""
        version = int(magic.version())  # type: ignore[no-untyped-call]
        self.engine, self.engine_version, self.signatures = "libmagic", f"{version // 100}.{version % 100}", ""
        try:
            import pygfried
        except ImportError as problem:
            self._why = f"no PRONOM engine: {problem}"
            return
        self._pronom = pygfried

    def warm(self) -> None:
        """Loads the signatures and learns their versions."""
        self._mime.from_buffer(b"warm")
        self._description.from_buffer(b"warm")
        if self._pronom is None:
            return
        found = self._pronom.identify(os.devnull, detailed=True)
        details = found["identifiers"][0]["details"]
        versions = _DETAILS.fullmatch(details)
        self.engine, self.engine_version = "siegfried", found["siegfried"]
        self.signatures = f"{versions[1]}, container {versions[2]}" if versions else details

    def identify(self, fd: int, size: int, head: bytes, extension: str) -> dict[str, Any]:
        """Fields of `records.Format` for the open regular file; `head` are its first bytes, up to a megabyte.

        Uses the working directory for a name with the right extension: the engine wants a path, the extension is
        evidence, and the received name may be anything.
        """
        if size == 0:
            return self._format(warning="empty file")
        if self._pronom is None:
            with_mime = self._format(mime=self._magic(head), warning=self._why)
            return {**with_mime, "name": self._description.from_buffer(head)}
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
        return self._read(found, head, clipped)

    def _read(self, found: dict[str, Any], head: bytes, clipped: int | None) -> dict[str, Any]:
        matches = found["matches"]
        first = matches[0] if matches else {"id": "UNKNOWN", "basis": "", "warning": "no match"}
        match = _match(first)
        warnings = [first.get("warning", ""), found.get("errors", "")]
        if match == "none":
            return self._format(mime=self._magic(head), warning=_joined(warnings), clipped=clipped)
        if match == "extension":
            warnings[0] = f"match on extension only: {first['id']}"
            return self._format(
                mime=self._magic(head), match=match, basis=first["basis"], warning=_joined(warnings), clipped=clipped
            )
        warnings += [f"also {other['id']} ({other['basis']})" for other in matches[1:]]
        mime = first.get("mime", "").split(",")[0].strip()
        return self._format(
            puid=first["id"],
            name=first["format"],
            version=first["version"],
            mime=mime or self._magic(head),
            match=match,
            basis=first["basis"],
            warning=_joined(warnings),
            clipped=clipped,
        )

    def _format(
        self,
        *,
        puid: str | None = None,
        name: str = "",
        version: str = "",
        mime: str = _OCTETS,
        match: str = "none",
        basis: str = "",
        warning: str = "",
        clipped: int | None = None,
    ) -> dict[str, Any]:
        return {
            "puid": puid,
            "name": name,
            "version": version,
            "mime": mime,
            "match": match,
            "basis": basis,
            "warning": warning,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "signature_version": self.signatures,
            "clipped": clipped,
        }

    def _magic(self, head: bytes) -> str:
        """libmagic's MIME type of the first bytes; what is no type of bytes (empty, unreadable) counts as unknown."""
        import magic

        try:
            mime = str(self._mime.from_buffer(head))
        except magic.MagicException:
            return _OCTETS
        return mime if re.fullmatch(r"[\w.+-]+/[\w.+-]+", mime) and not mime.startswith("inode/") else _OCTETS


def format_findings(path: PackagePath, size: int, found: Format | None) -> Iterator[Finding]:
    """What an archivist should know about the format of one file; nothing about an empty one, it has none."""
    if found is None or not size:
        return
    if found.engine == "libmagic":
        yield Finding("FMT-NO-ENGINE", path, found=found.mime)
    elif found.puid is None and not found.warning.startswith("identification stopped"):
        guesses = ", ".join(candidates(found.warning))
        yield Finding("FMT-UNKNOWN", path, expected=guesses or None, found=found.mime)
    elif "extension mismatch" in found.warning:
        name = f"{found.name} {found.version}".strip()
        yield Finding("FMT-EXTENSION", path, expected=f"{found.puid} {name}", found=extension_of(path) or None)


def candidates(warning: str) -> list[str]:
    """PUIDs that a warning names; an extension alone suggests them, nothing more."""
    return _CANDIDATES.findall(warning)


def _match(found: dict[str, Any]) -> str:
    """container, signature, text, extension or none, by the engine's words; the strongest evidence counts."""
    if found["id"] in ("UNKNOWN", ""):
        return "none"
    basis = found["basis"]
    for word, match in (("container ", "container"), ("byte match", "signature"), ("text match", "text")):
        if word in basis:
            return match
    return "extension"


def _joined(words: list[str]) -> str:
    return "; ".join(word for word in words if word)


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
