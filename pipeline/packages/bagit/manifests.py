"""Manifests of bags: each line judged, each file met in as many manifests as the version asks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.packages import Received
from pipeline.packages.bagit.tagfiles import Declaration, Lines
from pipeline.packages.held import Held
from pipeline.records import Finding, PackagePath
from pipeline.tree import Entry, Tree

PAYLOAD = b"data/"

_NAME = re.compile(rb"(tag)?manifest-([^/]+)\.txt", re.IGNORECASE)
_LINE = re.compile(r"(\\?)([0-9A-Fa-f]+)([ \t]+)(.+)", re.DOTALL)
_ENCODED = re.compile(r"%(0[AaDd]|25)")
_BARE = re.compile(r"%(?!0[AaDd]|25)")
_WINDOWS = re.compile(r"[A-Za-z]:|\\|%[A-Za-z]+%")
_SYSTEM = re.compile(rb"(?:.*/)?(?:\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)", re.DOTALL)
_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}

_KNOWN = {
    re.sub(r"[^a-z0-9]", "", name): name
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512",
                 "blake2b", "blake2s")
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest by its name: `algorithm` as hashlib's, None when it is unknown to us."""

    path: PackagePath
    tag: bool
    algorithm: str | None
    spelled: str

    @property
    def digits(self) -> int | None:
        """Hex digits of its digests."""
        return hashlib.new(self.algorithm).digest_size * 2 if self.algorithm else None


def manifest(path: bytes) -> Manifest | None:
    """The manifest that a path at the top of the bag names, else None."""
    match = _NAME.fullmatch(path)
    if match is None:
        return None
    spelled = match.group(2).decode("utf-8", "replace")
    plain = re.sub(r"[^a-z0-9]", "", spelled.lower())
    return Manifest(PackagePath(path), match.group(1) is not None, _KNOWN.get(plain), spelled)


@dataclass(slots=True)
class Bag:
    """What is in a bag before its manifests are believed."""

    payload: Held
    tags: Held
    manifests: list[Manifest]
    empty: list[PackagePath]
    octets: int = 0
    has_data: bool = False


def survey(entries: Iterable[Entry]) -> Bag:
    """Sorts the entries of a bag into payload, tag files and manifests."""
    payload: list[PackagePath] = []
    tags: list[PackagePath] = []
    bag = Bag(Held(payload), Held(tags), [], [])
    for entry in entries:
        if entry.path.startswith(PAYLOAD) or (entry.is_folder and entry.path == b"data"):
            bag.has_data = True
        if entry.is_folder:
            bag.empty.append(entry.path)
        elif entry.path.startswith(PAYLOAD):
            payload.append(entry.path)
            bag.octets += entry.size
        else:
            tags.append(entry.path)
            found = manifest(entry.path)
            if found is not None:
                bag.manifests.append(found)
    return bag


def system_files(bag: Bag) -> Iterator[Finding]:
    """Files that desktops leave behind, in the payload."""
    for path in bag.payload.paths:
        if _SYSTEM.fullmatch(path):
            yield Finding("BAG-NAME-08", path)


def unsafe(text: str) -> str | None:
    """Code of the reason why a path may not be followed, whatever it names."""
    if text.startswith("/"):
        return "BAG-NAME-01"
    if ".." in text.split("/"):
        return "BAG-NAME-02"
    if text.startswith("~"):
        return "BAG-NAME-03"
    return "BAG-NAME-04" if _WINDOWS.match(text) else None


def decoded(text: str) -> str:
    """LF, CR and `%` restored in one pass, so that `%250A` becomes `%0A` and not a line feed."""
    return _ENCODED.sub(lambda match: chr(int(match.group(1), 16)), text)


@dataclass(slots=True)
class _Named:
    """What a line names: the path (as held, or as it would be), its index, and what was odd about it."""

    path: PackagePath
    index: int | None
    notes: list[str]


class Reader:
    """Reads the paths of manifests and fetch.txt as one version of BagIt writes them."""

    def __init__(self, declared: Declaration) -> None:
        self._strict = declared.strict
        self._encoding = declared.encoding

    def name(self, text: str, held: Held, gap: str = "", escaped: bool = False) -> _Named | str:
        """What a path means, or the code of the reason to refuse it. `gap` is the white space before it."""
        notes: list[str] = []
        if escaped:
            text = re.sub(r"\\[\\nr]", lambda match: _ESCAPES[match.group()], text)
            notes.append("BAG-MAN-15")
        if text.startswith("*") and held.find(text.encode("utf-8", "surrogatepass")) is None:
            text = text[1:]
            notes.append("BAG-MAN-13")
        if text.startswith("./"):
            while text.startswith("./"):
                text = text[2:]
            notes.append("BAG-MAN-14")
        reason = unsafe(text)
        if reason is not None and not (reason == "BAG-NAME-03" and held.find(text.encode()) is not None):
            return reason
        spelled = [text] if self._strict else [text, decoded(text)]
        if self._strict:
            if _BARE.search(text):
                notes.append("BAG-MAN-11")
            spelled = [decoded(text)]
        for number, candidate in enumerate(spelled):
            index = self._held(candidate, held)
            if index is not None:
                if number and candidate != text:
                    notes.append("BAG-MAN-12")
                return _Named(held.paths[index], index, notes)
        for lead in (gap[2:], gap[1:]):
            # White space between digest and path is one or more: a name that begins with it cannot be told apart.
            index = self._held(lead + spelled[0], held) if lead else None
            if index is not None:
                return _Named(held.paths[index], index, notes)
        return _Named(PackagePath(spelled[0].encode("utf-8", "surrogatepass")), None, notes)

    def _held(self, text: str, held: Held) -> int | None:
        index = held.find(text.encode("utf-8", "surrogatepass"))
        if index is None and self._encoding != "utf-8":
            try:
                index = held.find(text.encode(self._encoding))
            except UnicodeEncodeError:
                return None
        return index


class Check:
    """One manifest against the files it should list."""

    def __init__(
        self, tree: Tree, received: Received, declared: Declaration, bag: Bag, of: Manifest,
        fetched: Callable[[bytes], bool],
    ) -> None:  # fmt: skip
        self._lines = Lines(tree, of.path, declared.encoding)
        self._received = received
        self._strict = declared.strict
        self._held = bag.tags if of.tag else bag.payload
        self._other = bag.payload if of.tag else bag.tags
        self._of = of
        self._fetched = fetched
        self._reader = Reader(declared)
        self._first: dict[int, str] = {}
        self._absent: list[tuple[PackagePath, int, str]] = []
        self.listed = bytearray(len(self._held.paths))
        """1 where a file is listed with its true digest, 2 where with another or one we cannot tell."""

    def findings(self) -> Iterator[Finding]:
        for number, text in self._lines:
            if not text.strip():
                yield Finding("BAG-MAN-16", self._of.path, number)
                continue
            yield from self._line(number, text)
        yield from self._lines.findings
        for path, number, digest in self._absent:
            yield from self._missing(path, number, digest)

    def _line(self, number: int, text: str) -> Iterator[Finding]:
        match = _LINE.fullmatch(text)
        digits = self._of.digits
        if match is None or (digits is not None and len(match.group(2)) != digits):
            yield Finding("BAG-MAN-05", self._of.path, number, str(digits or ""), text[:200])
            return
        escaped, digest, gap, rest = match.groups()
        named = self._reader.name(rest, self._held, gap, bool(escaped))
        if isinstance(named, str):
            yield Finding(named, self._of.path, number, None, rest[:500])
            return
        for note in named.notes:
            yield Finding(note, self._of.path, number, None, rest[:500])
        reason = self._misplaced(named.path, named.index is not None)
        if reason is not None:
            yield Finding(reason, self._of.path, number, None, rest[:500])
        elif named.index is not None:
            yield from self._met(named.index, number, digest.lower())
        else:
            self._absent.append((named.path, number, digest.lower()))

    def _misplaced(self, path: bytes, met: bool) -> str | None:
        """Code of the reason why a path may not stand in this manifest."""
        in_payload = path.startswith(PAYLOAD) or path == b"data"
        if self._of.tag:
            if in_payload:
                return "BAG-TAG-06"
            found = manifest(path)
            if found is not None and found.tag:
                return "BAG-TAG-07"
        elif not in_payload:
            return "BAG-MAN-09"
        if met:
            return None
        if path.endswith(b"/") or self._held.is_folder(path):
            return "BAG-MAN-10"
        entry = self._received.entry(PackagePath(path))
        return "BAG-MAN-10" if entry is not None and entry.is_folder else None

    def _met(self, index: int, number: int, digest: str) -> Iterator[Finding]:
        path = self._held.paths[index]
        true = self._received.digest(path, self._of.algorithm) if self._of.algorithm else None
        if self.listed[index]:
            before = true if self.listed[index] == 1 else self._first.get(index)
            same = "BAG-MAN-06" if self._strict else "BAG-MAN-07"
            yield Finding(same if before == digest else "BAG-MAN-08", path, number, before, digest)
            return
        if true == digest:
            self.listed[index] = 1
            return
        self.listed[index] = 2
        self._first[index] = digest
        # None: an algorithm we do not know (said once for the manifest), or bytes the carrier has damaged.
        if true is not None:
            yield Finding("BAG-TAG-05" if self._of.tag else "BAG-MAN-04", path, number, digest, true)

    def _missing(self, path: PackagePath, number: int, digest: str) -> Iterator[Finding]:
        twin = self._held.same_form(path)
        if twin is not None and not self.listed[twin]:
            yield Finding("BAG-NAME-05", self._held.paths[twin], number, _text(path), _text(self._held.paths[twin]))
            yield from self._met(twin, number, digest)
        elif twin is not None:
            yield Finding("BAG-NAME-06", path, number, None, _text(self._held.paths[twin]))
        elif (letters := self._held.same_letters(path)) is not None:
            yield Finding("BAG-NAME-07", path, number, None, _text(self._held.paths[letters]))
        elif self._fetched(path):
            yield Finding("BAG-FETCH-06", path, number)
        else:
            yield Finding("BAG-TAG-04" if self._of.tag else "BAG-MAN-03", path, number)


def unlisted(held: Held, listed: bytearray) -> Iterator[PackagePath]:
    """The files that no line named."""
    index = listed.find(0)
    while index >= 0:
        yield held.paths[index]
        index = listed.find(0, index + 1)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")
