"""What format a file is, by PRONOM: two engines, one answer.

`Engine` runs inside the workers of the pool: its engines parse hostile bytes, hold the interpreter while they scan
and know no limits. Traps and measurements are in docs/identification.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.content.identification import inforce
from pipeline.content.identification.choice import choose
from pipeline.content.identification.siegfried import Said
from pipeline.records import Agreement, Finding, Format, Opinion, PackagePath

ENGINES = ("siegfried", "fido")
BOTH = "both"

_OCTETS = "application/octet-stream"
_CANDIDATES = re.compile(r"x?-?fmt/\d+")
_EXTENSION = re.compile(rb"\.([A-Za-z0-9_+~ -]{1,24})$")


def extension_of(path: bytes) -> str:
    """The extension of a raw path as ASCII, without dot; empty when there is none that an engine could know."""
    found = _EXTENSION.search(path.rsplit(b"/", 1)[-1])
    return found[1].decode("ascii") if found else ""


class Engine:
    """siegfried, the corrected fido and libmagic, loaded once.

    Where a package of an engine is missing the other's opinion counts alone; without both there is no PUID, only
    libmagic's MIME type. `packed`: signatures for fido as `fido.signatures.pack` writes them; `sig`: a signature file
    for siegfried. By default those that this process was given (`inforce.warm`), else those that come with us.
    """

    def __init__(self, packed: bytes | None = None, sig: Path | None = None) -> None:
        import magic

        self._packed = packed if packed is not None else inforce.given().packed
        self._sig = sig or inforce.given().sig
        self._mime = magic.Magic(mime=True)
        self._description = magic.Magic()
        version = int(magic.version())  # type: ignore[no-untyped-call]
        self._magic_version = f"{version // 100}.{version % 100}"
        self._why = ""
        self._siegfried: Any = None
        self._fido: Any = None
        self._prepared = False

    def prepare(self) -> None:
        """Loads what a fork of the process takes along: all but siegfried, which has threads of its own.

        ValueError for signatures that are none.
        """
        self._mime.from_buffer(b"warm")
        self._description.from_buffer(b"warm")
        try:
            from pipeline.content.identification.fido.opinion import Fido

            self._fido = Fido(self._packed)
        except ImportError as problem:
            self._why = f"no PRONOM engine: {problem}"
        self._prepared = True

    def warm(self) -> None:
        """Loads the signatures and learns their versions. ValueError for signatures that are none."""
        if not self._prepared:
            self.prepare()
        try:
            from pipeline.content.identification.siegfried import Siegfried

            self._siegfried = Siegfried(self._sig)
        except ImportError as problem:
            self._why = f"no PRONOM engine: {problem}"

    def identify(self, fd: int, size: int, head: bytes, extension: str, which: str = BOTH) -> dict[str, Any]:
        """Fields of `records.Format` for the open regular file; `head` are its first bytes, up to a megabyte.

        `which`: siegfried, fido or both. Works in the working directory. An empty file has no format.
        """
        said: list[Said] = []
        if size and self._siegfried is not None and which != "fido":
            said.append(self._siegfried.identify(fd, size, head, extension))
        if size and self._fido is not None and which != "siegfried":
            said.append(self._fido.identify(fd, size, extension))
        if not said:
            return self._without(size, head, which).plain()
        return self._answer(said, head).plain()

    def _answer(self, said: list[Said], head: bytes) -> Format:
        first, second = said[0], said[-1]
        winner, agreement = first.opinion, Agreement.SINGLE if first.opinion.puid else Agreement.NONE
        if len(said) > 1:
            winner, agreement = choose(first.opinion, second.opinion, self._fido.over)
        mine, other = (first, second) if winner is first.opinion else (second, first)
        warning = winner.warning
        if agreement is Agreement.DIFFER:
            words = f"engines differ: {differing(winner, other.opinion)}"
            warning = f"{warning}; {words}" if warning else words
        mime = mine.mime or (other.mime if agreement is Agreement.SAME else "") or self._magic(head)
        return Format(
            winner.puid, mine.name, mine.version, mime, winner.match, winner.basis, warning, winner.engine,
            winner.engine_version, winner.signature_version, winner.clipped, str(agreement),
            other.opinion if len(said) > 1 else None,
        )  # fmt: skip

    def _without(self, size: int, head: bytes, which: str) -> Format:
        """The record of a file that no PRONOM engine looks at."""
        loaded = {"siegfried": self._siegfried, "fido": self._fido}
        usable = [name for name, one in loaded.items() if one is not None and which in (BOTH, name)]
        if size or not usable:
            mime, name = (self._magic(head), self._description.from_buffer(head)) if size else (_OCTETS, "")
            why = (self._why or f"no PRONOM engine: {which}") if size else "empty file"
            return Format(None, name, "", mime, "none", "", why, "libmagic", self._magic_version, "")
        one = loaded[usable[0]]
        return Format(None, "", "", _OCTETS, "none", "", "empty file", usable[0], one.version, one.signatures, None,
                      str(Agreement.NONE))  # fmt: skip

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
    if found.second is None:
        return
    if found.agreement == Agreement.DIFFER:
        yield Finding("FMT-DIFFER", path, expected=found.puid, found=differing(found, found.second))
    elif found.agreement == Agreement.SINGLE:
        yield Finding("FMT-SINGLE", path, expected=f"{found.engine} {found.puid}", found=found.second.engine)


def differing(chosen: Opinion | Format, other: Opinion) -> str:
    """Both opinions in one line, the same whichever counts."""
    return ", ".join(sorted(f"{one.engine} {one.puid}" for one in (chosen, other)))


def candidates(warning: str) -> list[str]:
    """PUIDs that a warning names; an extension alone suggests them, nothing more."""
    return _CANDIDATES.findall(warning)
