"""The files of one package as the rules ask for them: below its own folder, by names as people spell them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, Final

from pipeline.names import is_utf8
from pipeline.packages import Received
from pipeline.records import PackagePath
from pipeline.tree import ContentDamage, Entry, Tree

METS: Final = b"METS.xml"
EAD: Final = b"metadata/descriptive/EAD.xml"
PREMIS: Final = b"metadata/preservation/PREMIS.xml"
REP: Final = b"representations/rep1/"
REP_METS: Final = REP + b"METS.xml"
REP_DESCRIPTIVE: Final = REP + b"metadata/descriptive/"
REP_PREMIS: Final = REP + b"metadata/preservation/PREMIS_rep1.xml"
DATA: Final = REP + b"data/"
FETCH: Final = b".fetch.txt"
MOST: Final = 8 << 20
"""A description or schema is read up to this size; larger ones are no descriptions."""

DESCRIPTION = re.compile(rb"(?i)ead_(doc|pic|media)_(.+)\.xml")
_MARK = re.compile(
    rb"(?i)(?:^|(.*?)/)"
    rb"(?:metadata/descriptive/ead\.xml|representations/rep1/metadata/descriptive/ead_(?:doc|pic|media)_[^/]*\.xml)"
)
_HINT = b"metadata/descriptive/ead"
_JUNK = re.compile(
    rb"(?i)thumbs\.db|ehthumbs\.db|ehthumbs_vista\.db|desktop\.ini|\.ds_store|\._.*|__macosx|~\$.*|\.spotlight-v100"
    rb"|\.trashes|\.fseventsd|\.appledouble|\$recycle\.bin|\.directory|\.~lock\..*#"
)
_ANY_REP = re.compile(rb"(?i)representations/([^/]+)/(.+)")


class Files:
    """Paths are given and taken below the package folder; `whole` gives the path inside the tree."""

    def __init__(self, tree: Tree, entries: Iterable[Entry], prefix: bytes = b"") -> None:
        self.tree = tree
        self.prefix = prefix
        self.outside: list[bytes] = []
        self._sizes: dict[bytes, int] = {}
        self._folders: set[bytes] = set()
        self._folded: dict[bytes, bytes] = {}
        for entry in entries:
            path = bytes(entry.path)
            if not path.startswith(prefix):
                self.outside.append(path)
                continue
            path = path[len(prefix) :]
            if entry.is_folder:
                self._folders.add(path)
            else:
                self._sizes[path] = entry.size
                self._folded.setdefault(folded(path), path)

    def paths(self) -> Iterable[bytes]:
        """Files in raw-byte order."""
        return self._sizes

    def empty_folders(self) -> Iterable[bytes]:
        return sorted(self._folders)

    def has(self, path: bytes) -> bool:
        return path in self._sizes

    def is_folder(self, path: bytes) -> bool:
        """Whether there is such a folder, in any letter case, empty or not."""
        asked = path.lower()
        return any(one.lower() == asked or one.lower().startswith(asked + b"/") for one in self._folders) or any(
            folded.startswith(asked + b"/") for folded in self._folded
        )

    def size(self, path: bytes) -> int:
        return self._sizes[path]

    def find(self, path: bytes) -> bytes | None:
        """The file of this name, else the one that differs in letter case or Unicode normalisation only."""
        stored = self._folded.get(folded(path))
        return path if path in self._sizes and stored != path else stored

    def under(self, folder: bytes) -> Iterator[bytes]:
        """Files below a folder whose name is taken without letter case; raw-byte order."""
        asked = folder.lower()
        return (path for path in self._sizes if path[: len(asked)].lower() == asked)

    def representations(self) -> list[bytes]:
        """Names of the folders below `representations/`, in raw-byte order, `rep1` in any letter case as `rep1`."""
        found: dict[bytes, bytes] = {}
        for path in (*self._sizes, *(one + b"/" for one in self._folders)):
            match = _ANY_REP.match(path + b"x" if path.endswith(b"/") else path)
            if match:
                found.setdefault(match.group(1).lower(), match.group(1))
        return sorted(found.values())

    def whole(self, path: bytes) -> PackagePath:
        return PackagePath(self.prefix + path)

    def below(self, path: bytes) -> bytes | None:
        """The other way: a path of the tree, None when it lies outside the package folder."""
        return path[len(self.prefix) :] if path.startswith(self.prefix) else None

    def open(self, path: bytes) -> BinaryIO:
        return self.tree.open(self.whole(path))

    def read(self, path: bytes, most: int = MOST) -> bytes | None:
        """A small file's bytes; None when it is larger, absent, or damaged by its carrier."""
        try:
            with self.open(path) as source:
                data = source.read(most + 1)
        except (KeyError, ContentDamage):
            return None
        return data if len(data) <= most else None


def marked_folders(entries: Iterable[Entry]) -> Mapping[bytes, bytes]:
    """Folders (with their slash, empty for the root) in which a name of the circular stands, and that name."""
    found: dict[bytes, bytes] = {}
    for entry in entries:
        path = entry.path
        if not entry.is_folder and _HINT in path.lower() and (match := _MARK.fullmatch(path)):
            outer = match.group(1)
            found.setdefault(outer + b"/" if outer else b"", path)
    return found


def digests(received: Received, files: Files, path: bytes) -> str | None:
    """SHA-256 of a file, lower-case hex; None when its bytes could not be read."""
    return received.digest(files.whole(path), "sha256")


def stem(path: bytes) -> bytes:
    """The name of a data file without its extension; a linked document loses `.fetch.txt` first."""
    name = path.rpartition(b"/")[2]
    if name.lower().endswith(FETCH):
        name = name[: -len(FETCH)]
    head, dot, _ = name.rpartition(b".")
    return head if dot and head else name


def folded(path: bytes) -> bytes:
    """A name as it is compared: small letters, composed; bytes that are no UTF-8 stay what they are."""
    if path.isascii() or not is_utf8(path):
        return path.lower()
    return unicodedata.normalize("NFC", path.decode()).lower().encode()


def is_junk(path: bytes) -> bool:
    """What operating systems and office programs leave behind."""
    return any(_JUNK.fullmatch(part) for part in path.split(b"/"))


def text(path: bytes) -> str:
    """A path as text; bytes that are no UTF-8 are kept apart, so that two names never become one."""
    return path.decode() if is_utf8(path) else path.decode("utf-8", "surrogateescape")
