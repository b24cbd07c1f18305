"""Rules of linked documents, which were handed in earlier (`.fetch.txt`): HOL-01 to -06."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote

from pipeline.packages.tt05.files import FETCH, REP
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import REP_BASE, Document, Package, is_fetch

_MOST: Final = 2048
_ID: Final = re.compile(r"[^\W_][\w-]*(?:\.[\w-]+)+\.[0-9]+")
"""A docId: the code of a file and an ordinal."""

_UUID: Final = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_TARGET: Final = re.compile(rf"urn_(?:(?P<fonds>.*?)_)?(?P<uuid>(?:uuid-)?{_UUID})_(?P<path>.+) [0-9]+ (?P<own>.+) \S+")
AIP_FORM: Final = "urn_{fonds}_{uuid}_{path} {size} {path} {id}"


class LinkedRules:
    """Judges the linked documents one by one; keeps nothing but what METS says of them."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found
        self._allowed = package.type.is_file and package.type.of != "DIP"
        self._placed = _placed(package) if self._allowed else frozenset()
        self._fonds = fonds_of(package)

    def see(self, document: Document) -> None:
        for path in document.data:
            if not is_fetch(path):
                continue
            if not self._allowed:
                self._found.add("TT05-HOL-01", path)
                continue
            if not self._package.rep.problem and path not in self._placed:
                self._found.add("TT05-HOL-05", path)
            text = linked_text(self._package, path)
            if self._package.type.of == "SIP":
                self._sip(path, document.kind, text)
            else:
                self._aip(path, text)

    def end(self) -> None:
        """Nothing is compared across documents here."""

    def _sip(self, path: bytes, kind: str, text: str | None) -> None:
        """The identifier alone: docId of a text, the title of a picture or recording."""
        expected = {"pic": "imageTitle", "media": "movieTitle"}.get(kind, "docId")
        fits = bool(text) and "\n" not in (text or "")
        if fits and expected == "docId":
            fits = _ID.fullmatch(text or "") is not None
        if not fits:
            self._found.add("TT05-HOL-02", path, found=_shown(text), expected=expected)

    def _aip(self, path: bytes, text: str | None) -> None:
        match = _TARGET.fullmatch(text or "")
        whole = match is not None and "\n" not in (text or "")
        if whole and self._package.settings.fetch_encoding == "percent":
            whole = (text or "").count(" ") == 3
        if match is None or not whole:
            sip = text is not None and _ID.fullmatch(text) is not None
            self._found.add("TT05-HOL-06" if sip else "TT05-HOL-02", path, found=_shown(text), expected=AIP_FORM)
            return
        own = path[len(REP) : -len(FETCH)].decode("utf-8", "surrogateescape")
        if not any(f"/{told}".endswith(f"/{own}") for told in (match["own"], unquote(match["own"]))):
            self._found.add("TT05-HOL-02", path, found=match["own"], expected=own)
        fonds = unquote(match["fonds"] or "")
        if self._fonds and fonds.lower() not in ("", "uuid", self._fonds.lower()):
            self._found.add("TT05-HOL-03", path, found=fonds, expected=self._fonds)


def linked_text(package: Package, path: bytes) -> str | None:
    """What a `.fetch.txt` says, without byte order mark and the last line end; None when it is no text."""
    data = package.files.read(path, _MOST)
    try:
        return None if data is None else data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        return None


def check_targets(package: Package, found: Findings, linked: Iterable[bytes], known: Callable[[str], bool]) -> None:
    """HOL-04: `known` tells whether the archive holds what a linked document names (docId, title, or `urn_…` of the
    AIP with its path). Called by those who have the holdings."""
    for path in linked:
        text = linked_text(package, path)
        target = (text or "").rsplit(" ", 3)[0] if package.type.of == "AIP" else text
        if target and not known(target):
            found.add("TT05-HOL-04", path, found=target)


def fonds_of(package: Package) -> str:
    """The fonds code of the settings, else of a note IDENTIFICATIONCODE in a METS; empty when nobody says."""
    if package.settings.fonds:
        return package.settings.fonds
    for mets in (package.rep, package.root):
        for agent in mets.header.agents if mets.header is not None else ():
            for kind, text in agent.notes:
                if kind.upper() == "IDENTIFICATIONCODE" and text:
                    return text
    return ""


def _placed(package: Package) -> frozenset[bytes]:
    """Linked documents that stand in fileGrp Holeyfile and in a div MetadataLink/Holey."""
    rep = package.rep
    held = {
        one.id: path for one in rep.files()
        if (group := rep.group_of(one)) is not None and group.use.strip().lower() == "holeyfile"
        and (path := package.resolve(one.href, REP_BASE)) is not None
    }  # fmt: skip
    named = {
        held[pointer] for div in rep.divs() if div.label.strip().lower().endswith("holey")
        for pointer, _ in div.pointers if pointer in held
    }  # fmt: skip
    return frozenset(named)


def _shown(text: str | None) -> str | None:
    return None if text is None else text[:120]
