"""One package of Circular 05/2025/TT-BNV as the rules see it: files, both METS, descriptions, documents.

What a module of rules may rely on. A rule of the package as a whole is a function `check_x(package, found) -> None`,
listed in `check.CHECKS`; rules of single documents are a class made with `(package, found)`, whose `see(document)` is
called for each document in the order of the package and `end()` after the last (`check.DOCUMENT_CHECKS`): documents
are parsed once for all of them, so nothing of a document may be kept but what is compared across documents. Nothing
raises on content; a problem is `found.add(code, path, …)`, `path` below the package folder. `found` drops codes that
the profile keeps silent or that do not apply to the class (SIP, AIP, DIP); anything finer is the rule's affair.
One finding per file and rule is kept, the first with the count. Level and texts come from the code and the profile.

What stops a package is `check_secret.stops(package) -> tuple[Finding, ...]`: it is asked before any byte beyond METS
and descriptions is read (`digest` knows nothing then), and what it answers is all that is said of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from pipeline.names import unhref
from pipeline.packages import Received
from pipeline.packages.tt05 import tables
from pipeline.packages.tt05.files import (
    DATA,
    DESCRIPTION,
    EAD,
    FETCH,
    METS,
    PREMIS,
    REP,
    REP_DESCRIPTIVE,
    REP_METS,
    REP_PREMIS,
    Files,
    is_junk,
    stem,
)
from pipeline.packages.tt05.reading.descriptive import Described, described
from pipeline.packages.tt05.reading.mets import Mets, read_mets
from pipeline.packages.tt05.settings import Tt05Settings
from pipeline.packages.tt05.types import PackageType
from pipeline.tree import ContentDamage

REP_BASE: Final = REP.rstrip(b"/")
"""The folder of rep1, from which its METS refers to files."""

JOINS: Final = ("MetadataLink/File", "MetadataLink/Holey")
"""Labels of the divisions that join descriptions to documents."""

_DIGITS = re.compile(rb"(\d+)")
_NO_METS: Final = Mets(problem=(0, "absent"))
_NO_DESCRIPTION: Final = Described(problem=(0, "absent"))


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its description, if any, and the files that belong to it; paths below the package folder.

    `kind` is `doc`, `pic` or `media`, of a description by its name, else by its elements; empty without a description.
    `data` are the files that structMap joins to it, else those of the same name; `attachments` those of a div
    AttachmentFile. `described` has no elements where there is no description or it could not be read (`problem`).
    `joined` tells whether a div MetadataLink/File or /Holey names the description, or names an ID that is not there
    (MET-28) beside its data file; `number` counts documents from 1.
    """

    number: int
    description: bytes | None
    kind: str
    described: Described
    data: tuple[bytes, ...]
    attachments: tuple[bytes, ...] = ()
    joined: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    """First value of each element, without blanks around it."""

    @property
    def own(self) -> bytes:
        """The file on which findings about the document stand: its description, else its data file."""
        return self.description if self.description is not None else self.data[0]

    @property
    def linked(self) -> bool:
        """Whether it was handed in earlier and only a `.fetch.txt` stands for it."""
        return bool(self.data) and all(is_fetch(path) for path in self.data)

    @property
    def identifier(self) -> str:
        """docId, docCode, arcDocCode or the name of the description or data file; never a title."""
        for name in ("docId", "docCode", "arcDocCode"):
            if self.values.get(name):
                return self.values[name]
        own = self.own.rpartition(b"/")[2]
        match = DESCRIPTION.fullmatch(own)
        return (match.group(2) if match else stem(own)).decode("utf-8", "surrogateescape")


class Package:
    """Everything that rules ask about one package, read when first asked for; `documents()` may be iterated again.

    `root` and `rep` are the METS of the package and of rep1 (their `problem` is set when absent or not well-formed),
    `ead` the description of the package; `…_path` is None when the file is absent. Names are found in any letter case.
    `folder` is the name of the package folder, None where the carrier keeps none. `digest` and `size` are of the one
    reading of all bytes. `scratch` is a folder for working copies; `forced` when a person named the type.
    """

    def __init__(
        self, files: Files, of: PackageType, settings: Tt05Settings, received: Received, scratch: Path,
        folder: bytes | None = None,
    ) -> None:  # fmt: skip
        self.files = files
        self.type = of
        self.settings = settings
        self.received = received
        self.scratch = scratch
        self.folder = folder
        self.root_path = files.find(METS)
        self.rep_path = files.find(REP_METS)
        self.ead_path = files.find(EAD)
        self.premis_path = files.find(PREMIS)
        self.rep_premis_path = files.find(REP_PREMIS)

    @cached_property
    def root(self) -> Mets:
        return self._mets(self.root_path)

    @cached_property
    def rep(self) -> Mets:
        return self._mets(self.rep_path)

    @cached_property
    def ead(self) -> Described:
        return described(self.files.read(self.ead_path)) if self.ead_path else _NO_DESCRIPTION

    @cached_property
    def ead_values(self) -> Mapping[str, str]:
        return self.ead.values()

    @cached_property
    def _joins(self) -> _Joins:
        return _Joins(self)

    def digest(self, path: bytes) -> str | None:
        """SHA-256 in lower-case hex; None when the bytes could not be read."""
        return self.received.digest(self.files.whole(path), "sha256")

    def fields(self, kind: str) -> tables.FieldSet:
        """The set of `ead`, `doc`, `pic` or `media` for this type of package."""
        return tables.field_sets()[kind, self.type.value]

    @property
    def code(self) -> str:
        """fileCode of a SIP, arcFileCode of an AIP; empty when there is none."""
        return self.ead_values.get("fileCode" if self.type.of == "SIP" else "arcFileCode", "")

    @property
    def objid(self) -> str:
        return self.root.attributes.get("OBJID", "")

    def resolve(self, href: str | None, base: bytes = b"") -> bytes | None:
        """The file of the package that a METS in the folder `base` means: from there, else from the package folder.

        `base` of the METS of rep1 is `REP_BASE`. None when nothing is there, or the reference leads out (then
        `candidates` is empty). Percent signs count as escapes first, then as they stand; letter case is forgiven.
        """
        for path in self.candidates(href, base):
            known = self.files.find(path)
            if known is not None:
                return known
        return None

    def candidates(self, href: str | None, base: bytes = b"") -> list[bytes]:
        """Paths that a reference of a METS may mean, likeliest first; empty when it leads out of the package."""
        if not href:
            return []
        plain = href.strip().removeprefix("./")
        bases = (base, b"") if base else (b"",)
        found: list[bytes] = []
        for one in bases:
            made = unhref(plain, one)
            if made is not None:
                found.append(bytes(made))
        if "%" in plain or any(char in plain for char in "?#"):
            found += [b"/".join((one, raw)) if one else raw for one in bases if (raw := _as_it_stands(plain))]
        return list(dict.fromkeys(found))

    def data_files(self) -> Iterator[bytes]:
        """Files below `data/` of rep1, `.fetch.txt` among them, no junk of operating systems; raw-byte order."""
        return (path for path in self.files.under(DATA) if not is_junk(path))

    def descriptions(self) -> list[bytes]:
        """Files below `metadata/descriptive/` of rep1 that describe documents, in natural order."""
        return self._joins.descriptions

    @property
    def count(self) -> int:
        """How many documents there are."""
        return len(self._joins)

    def documents(self) -> Iterator[Document]:
        """Described documents in natural order of their names, then data files without a description.

        Descriptions are parsed as they come and not kept.
        """
        return iter(self._joins)

    def places(self) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
        """For each document, in the order of `documents()`, the file that stands for it and all of its files."""
        return self._joins.places()

    def _mets(self, path: bytes | None) -> Mets:
        if path is None:
            return _NO_METS
        try:
            with self.files.open(path) as source:
                return read_mets(source)
        except (KeyError, ContentDamage):
            return Mets(problem=(0, "damaged"))


def is_fetch(path: bytes) -> bool:
    return path.lower().endswith(FETCH)


def is_description(path: bytes) -> bool:
    return path.lower().endswith(b".xml") and not is_junk(path)


def natural(path: bytes) -> tuple[tuple[int, int, bytes], ...]:
    """Sorts 1, 2, …, 10."""
    return tuple(
        (0, int(part), part) if part.isdigit() and len(part) < 19 else (1, 0, part)
        for part in _DIGITS.split(path.lower())
    )


class _Joins:
    """Which data files belong to which description: by structMap, else by name, else by docId or docCode."""

    def __init__(self, package: Package) -> None:
        self._files = package.files
        self._package = package
        data = list(package.data_files())
        within = [path for path in package.files.under(REP_DESCRIPTIVE) if is_description(path)]
        self.descriptions = sorted(within, key=natural)
        known, held = set(self.descriptions), set(data)
        by_map: dict[bytes, list[bytes]] = {}
        self._joined: set[bytes] = set()
        self._astray: set[bytes] = set()
        self._attached: dict[bytes, list[bytes]] = {}
        used: set[bytes] = set()
        self._read_map(by_map, known, held, used)
        by_stem: dict[bytes, list[bytes]] = {}
        for path in data:
            if path not in used:
                by_stem.setdefault(stem(path).lower(), []).append(path)
        self._rows: list[tuple[bytes | None, tuple[bytes, ...], tuple[bytes, ...], bool]] = []
        for path in self.descriptions:
            joined = path in self._joined
            own = by_map.get(path, [])
            if not own and by_stem:
                own = self._by_name(path, by_stem)
            used.update(own)
            joined = joined or not self._astray.isdisjoint(own)
            self._rows.append((path, tuple(own), tuple(self._attached.get(path, ())), joined))
        self._rows += [(None, (path,), (), False) for path in sorted(data, key=natural) if path not in used]

    def __len__(self) -> int:
        return len(self._rows)

    def places(self) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
        for path, data, attached, _ in self._rows:
            yield (data[0], (*data, *attached)) if path is None else (path, (path, *data, *attached))

    def __iter__(self) -> Iterator[Document]:
        for number, (path, data, attached, joined) in enumerate(self._rows, 1):
            if path is None:
                yield Document(number, None, "", _NO_DESCRIPTION, data, attached, joined)
                continue
            one = described(self._files.read(path))
            yield Document(number, path, self._kind(path, one), one, data, attached, joined, one.values())

    def _read_map(
        self, by_map: dict[bytes, list[bytes]], known: set[bytes], held: set[bytes], used: set[bytes]
    ) -> None:
        rep, resolve = self._package.rep, self._package.resolve
        descriptions = {one.id: resolve(one.href, REP_BASE) for one in rep.sections_named() if one.what == "dmdSec"}
        files = {one.id: resolve(one.href, REP_BASE) for one in rep.files()}
        last: bytes | None = None
        for div in rep.divs():
            own = next((path for one in div.descriptions if (path := descriptions.get(one)) in known), None)
            data = [path for one, _ in div.pointers if (path := files.get(one)) is not None and path in held]
            attached = any(label.lower().endswith("attachmentfile") for label in (div.label, *div.labels))
            if attached:
                used.update(data)
                if (own or last) is not None and data:
                    self._attached.setdefault(own or last or b"", []).extend(data)
            elif own is not None:
                last = own
                if div.label in JOINS:
                    self._joined.add(own)
                into = by_map.setdefault(own, [])
                into.extend(path for path in data if path not in into)
                used.update(data)
            elif div.label in JOINS and div.descriptions:
                self._astray.update(data)

    def _by_name(self, path: bytes, by_stem: dict[bytes, list[bytes]]) -> list[bytes]:
        match = DESCRIPTION.fullmatch(path.rpartition(b"/")[2])
        if match and (own := by_stem.get(match.group(2).lower())):
            return own
        values = described(self._files.read(path)).values()
        for name in ("docId", "docCode", "arcDocCode"):
            code = values.get(name, "").encode("utf-8", "surrogatepass").lower()
            if code and code in by_stem:
                return by_stem[code]
        return []

    def _kind(self, path: bytes, one: Described) -> str:
        match = DESCRIPTION.fullmatch(path.rpartition(b"/")[2])
        if match:
            return match.group(1).lower().decode()
        return max(tables.KINDS, key=lambda kind: len(one.names & self._package.fields(kind).keys()))


def _as_it_stands(text: str) -> bytes | None:
    """A reference whose percent signs, `?` and `#` are part of the name; None when it climbs."""
    try:
        raw = text.encode()
        unquote_to_bytes(raw)
    except UnicodeEncodeError:
        return None
    parts = raw.split(b"/")
    return None if raw.startswith(b"/") or b".." in parts or b"" in parts or b"\\" in raw or b"\0" in raw else raw
