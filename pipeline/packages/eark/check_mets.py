"""Rules of E-ARK for one METS document of a package: sections, file groups, references to bytes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline import digests, names
from pipeline.packages import Received
from pipeline.packages.eark import layout
from pipeline.packages.eark.check_header import HeaderRules, no_time, other_content, weight_of_term
from pipeline.packages.eark.check_structure import StructureRules
from pipeline.packages.eark.layout import METS
from pipeline.packages.eark.requirements import Edition, edition
from pipeline.records import Finding, Level, PackagePath
from pipeline.standards import mets
from pipeline.standards.mets import Core, Location, Reference
from pipeline.standards.vocabularies import eark, is_media_type
from pipeline.tree import Entry

ALGORITHMS = {
    "MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512",
    "CRC32": "crc32", "Adler-32": "adler32",
}  # fmt: skip
"""CHECKSUMTYPE values of METS that are computed, in the words of `digests.begin`."""

# RFC 3986: unreserved, sub-delims, `:` `@` `/`, percent triples.
_URI = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")

_UNCOMPUTED = {
    "HAVAL": re.compile("([0-9a-f]{8}){4,8}"), "MNP": re.compile(r"\S+"), "TIGER": re.compile("([0-9a-f]{8}){4,6}"),
    "WHIRLPOOL": re.compile("[0-9a-f]{128}"),
}  # fmt: skip
"""CHECKSUMTYPE values of METS that nobody computes here, with the form of their digests."""

_PRIVATE = re.compile(r"[a-z]+/(?:x-|vnd\.|prs\.|x\.)[A-Za-z0-9!#$&^_.+\-]+|x-[a-z]+/[A-Za-z0-9!#$&^_.+\-]+")
"""Media types outside the registered names: what private lists use (RFC 6838, 3)."""

_PARAMETERS = re.compile(r"(?:\s*;\s*[A-Za-z0-9!#$&^_.+\-]+=(?:[A-Za-z0-9!#$&^_.+\-]+|\"[^\"]*\"))+\s*$")
"""What may follow a media type, as in `text/plain; charset=UTF-8` (RFC 2045, 5.1)."""

_DESCRIPTIVE = frozenset(("DC", "EAD", "MODS", "MARC", "EAC-CPF", "LIDO", "VRA"))
"""MDTYPE of metadata that describe and nothing else, so that their place is metadata/descriptive (CSIPSTR7)."""

_NUMBER = re.compile(r"\+?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Codes:
    """Requirement numbers of one way to point to bytes, in the order in which CSIP lists them."""

    loctype: str
    link: str
    href: str
    md_type: str
    mime: str
    size: str
    created: str
    checksum: str
    checksum_type: str


FILE = Codes("CSIP77", "CSIP78", "CSIP79", "", "CSIP68", "CSIP69", "CSIP70", "CSIP71", "CSIP72")
DESCRIPTIVE = Codes("CSIP22", "CSIP23", "CSIP24", "CSIP25", "CSIP26", "CSIP27", "CSIP28", "CSIP29", "CSIP30")
PROVENANCE = Codes("CSIP36", "CSIP37", "CSIP38", "CSIP39", "CSIP40", "CSIP41", "CSIP42", "CSIP43", "CSIP44")
RIGHTS = Codes("CSIP49", "CSIP50", "CSIP51", "CSIP52", "CSIP53", "CSIP54", "CSIP55", "CSIP56", "CSIP57")

_SECTIONS = {
    # section: (id, status, reference, codes of the reference)
    "dmdSec": ("CSIP18", "CSIP20", "CSIP21", DESCRIPTIVE),
    "digiprovMD": ("CSIP33", "CSIP34", "CSIP35", PROVENANCE),
    "rightsMD": ("CSIP46", "CSIP47", "CSIP48", RIGHTS),
}


@dataclass
class Seen:
    """What the METS documents of a package name, gathered while they are checked.

    `described` and `provided` are the folders whose METS refers to a file by a dmdSec or a digiprovMD (CSIP21, CSIP35),
    `administered` those that do by any section of amdSec; `whole` when all could be read;
    `absent` the METS documents of representations that are named but not there; `lost` by algorithm the digests of
    what references lead nowhere to; `ungrouped` the folders of the root without a file group of theirs.
    """

    referenced: set[bytes] = field(default_factory=set)
    preservation: list[PackagePath] = field(default_factory=list)
    descriptions: list[PackagePath] = field(default_factory=list)
    manifests: list[PackagePath] = field(default_factory=list)
    described: set[bytes] = field(default_factory=set)
    provided: set[bytes] = field(default_factory=set)
    edition: Edition = field(default=Edition("eark-aip"))
    whole: bool = True
    absent: set[bytes] = field(default_factory=set)
    lost: dict[str, set[str]] = field(default_factory=dict)
    ungrouped: set[bytes] = field(default_factory=set)
    administered: set[bytes] = field(default_factory=set)

    def lose(self, core: Core) -> None:
        """A reference with these attributes leads to no file."""
        algorithm = ALGORITHMS.get(core.checksum_type or "")
        if algorithm is not None and core.checksum:
            self.lost.setdefault(algorithm, set()).add(core.checksum.strip().lower())

    def missed(self, entry: Entry, received: Received) -> bool:
        """Whether a file that nothing names is by its digest what a broken reference means: told of there, once."""
        return any(received.digest(entry.path, algorithm) in found for algorithm, found in self.lost.items())


class MetsRules:
    """Feed it the parts of one METS in their order, then ask `end`. Never raises on content."""

    def __init__(self, path: PackagePath, owner: bytes, received: Received, seen: Seen, kind: str) -> None:
        """`owner` is the name of the folder that holds the METS; `kind` as which the package is judged."""
        self._path = path
        self._base = path.rpartition(b"/")[0]
        self._is_root = path == METS
        self._is_aip = kind == "eark-aip"
        self._kind = kind
        self._owner = owner
        self._received = received
        self._seen = seen
        self._begin(seen.edition)
        self._content_type: str | None = None
        self._has_header = self._has_files = False
        self._nameless = False
        self._without_id: Counter[str] = Counter()
        self._administrative = 0
        self._ids: set[int] = set()
        self._sections: dict[str, set[str]] = {"dmdSec": set(), "amd": set()}
        self._manifest_ids: dict[str, bytes] = {}
        self._current: dict[str, set[str]] = {"dmdSec": set(), "amd": set()}
        self._members: dict[str, set[str]] = {}
        self._holder = ""
        self._statuses: Counter[str] = Counter()
        self._provenance: list[Reference] = []
        self._refers = False
        self._groups: dict[str, list[mets.Group]] = {}
        self._places: dict[str, mets.Group] = {}
        self._named_by_divisions: set[str] = set()
        self._named: dict[str, set[str]] = {"dmdSec": set(), "amd": set()}

    def _begin(self, edition: Edition) -> None:
        self._edition = edition
        self._header = HeaderRules(self._path, self._owner, self._is_root, edition)
        self._structure = StructureRules(self._path, self._is_root, edition, self._received)

    def see(self, part: mets.Part) -> Iterator[Finding]:
        """Findings that this part alone gives."""
        if isinstance(part, mets.File):
            yield from self._file(part)
        elif isinstance(part, Reference):
            yield from self._reference(part)
        elif isinstance(part, mets.GroupEnd):
            if not part.files and not part.groups:
                self._places.pop(_folded(part.group.use or ""), None)
                yield self._finding("CSIP66", part.group.line, found=part.group.use or "")
        elif isinstance(part, mets.Group):
            yield from self._group(part)
        elif isinstance(part, mets.Division):
            yield from self._id(part.id, self._structure.division(part), part.line)
            for wanted, kind in ((part.metadata, "amd"), (part.descriptions, "dmdSec")):
                for missing in [one for one in wanted if one not in self._sections[kind]]:
                    if self._without_id[kind]:
                        # What has no id (CSIP18, 33, 46) is what nothing can lead to.
                        self._without_id[kind] -= 1
                    else:
                        yield self._finding("EARK-IDREF", part.line, found=missing)
            self._named_by_divisions.update(one for one in part.metadata if one in self._members)
        elif isinstance(part, mets.Pointed):
            self._structure.pointed(part)
        elif isinstance(part, mets.Head):
            if self._is_root:
                self._seen.edition = edition(self._kind, part.profile)
            self._begin(self._seen.edition)
            self._content_type = part.content_type
            yield from self._header.head(part)
        elif isinstance(part, mets.Header):
            self._has_header = True
            yield from self._header.header(part)
        elif isinstance(part, mets.Section):
            yield from self._section(part)
        else:
            yield from self._id(part.id, self._structure.map(part), part.line)

    def end(self) -> Iterator[Finding]:
        """Findings that only the whole document gives."""
        if not self._has_header:
            yield self._finding("CSIP117")
        if any(one.core is not None for one in self._provenance):
            self._seen.provided.add(self._base)
        if self._administrative > 1:
            yield self._finding("CSIP31", found=str(self._administrative), level=Level.WARNING)
        if self._is_root:
            if self._is_aip:
                yield from self._archival()
            if not self._has_files:
                yield self._finding("CSIP58")
            for use, code in (("Documentation", "CSIP60"), ("Schemas", "CSIP113"), ("Representations", "CSIP114")):
                # A group without USE (CSIP64) may be the one that is missed.
                if self._has_files and use not in self._groups and not self._nameless:
                    self._seen.ungrouped.add(use.lower().encode())
                    yield self._finding(code)
        for kind, named in self._named.items():
            for missing in sorted(named - self._sections[kind]):
                yield self._finding("EARK-IDREF", found=missing)
        yield from self._placed()
        yield from self._structure.end(self._groups, self._manifest_ids, self._current, self._covered(), self._refers)
        self._seen.manifests.extend(self._structure.manifests)

    def _placed(self) -> Iterator[Finding]:
        """CSIP64: what USE says is a folder of the package. Most groups have shown that by a file in theirs."""
        if not self._places:
            return
        folders = set()
        for entry in self._received.entries():
            path = entry.path if entry.is_folder else entry.path.rpartition(b"/")[0]
            while path and path not in folders:
                folders.add(path)
                path = path.rpartition(b"/")[0]
        known = {_folded(path.decode("utf-8", "surrogateescape")) for path in folders}
        for place, group in self._places.items():
            if place not in known:
                yield self._finding("CSIP64", group.line, found=group.use)

    def _archival(self) -> Iterator[Finding]:
        if not any(one.core is not None for one in self._provenance):
            yield self._finding("AIPM5")
        elif not any(one.md_type == "PREMIS" for one in self._provenance):
            yield self._finding("AIPM6")
        if self._statuses and not self._statuses["CURRENT"]:
            yield self._finding("AIPM4")

    def _covered(self) -> set[str]:
        """Sections that need no naming: descriptions of files, and those whose amdSec is named as a whole."""
        whole = {one for holder in self._named_by_divisions for one in self._members.get(holder, ())}
        return self._named["dmdSec"] | whole

    def _finding(
        self, code: str, line: int | None = None, expected: str | None = None, found: str | None = None,
        level: Level | None = None,
    ) -> Finding:  # fmt: skip
        return Finding(code, self._path, line or None, expected, found, level or self._edition.weight(code))

    def _id(self, value: str | None, code: str, line: int) -> Iterator[Finding]:
        """An id is there (where `code` asks for one) and is no second one in this document."""
        if not value:
            if code:
                yield self._finding(code, line)
        elif (key := hash(value)) in self._ids:
            yield self._finding(code or "EARK-ID", line, found=value)
        else:
            self._ids.add(key)

    def _section(self, part: mets.Section) -> Iterator[Finding]:
        if part.name == "fileSec":
            self._has_files = True
            yield from self._id(part.id, "CSIP59", part.line)
            return
        self._administrative += 1
        yield from self._id(part.id, "", part.line)
        self._holder = part.id or ""
        if part.id:
            self._sections["amd"].add(part.id)

    def _reference(self, part: Reference) -> Iterator[Finding]:
        kind = "dmdSec" if part.section == "dmdSec" else "amd"
        self._refers = True
        if part.core is not None:
            (self._seen.administered if kind == "amd" else self._seen.described).add(self._base)
        known = _SECTIONS.get(part.section)
        yield from self._id(part.id, known[0] if known else "", part.line)
        if not part.id or part.id in self._sections[kind]:
            self._without_id[kind] += 1
        if part.id:
            self._sections[kind].add(part.id)
            if kind == "amd" and self._holder:
                self._members.setdefault(self._holder, set()).add(part.id)
            every = self._edition.version == "2.0"
            if (part.status == "CURRENT" or every) and part.section not in ("techMD", "sourceMD"):
                self._current[kind].add(part.id)
        if part.section == "dmdSec":
            self._statuses[part.status or ""] += 1
            if no_time(part.created):
                yield self._finding("CSIP19", part.line, found=part.created)
            if self._kind == "eark-dip" and self._is_root and part.status != "CURRENT":
                yield self._finding("DIP4", part.line, "CURRENT", part.status)
        elif part.section == "digiprovMD":
            self._provenance.append(part)
            if self._is_aip and part.md_type == "PREMIS" and not (part.md_type_version or "").startswith("3"):
                yield self._finding("AIPM7", part.line, "3.0", part.md_type_version)
        if known is None:
            return
        if part.status not in eark("status"):
            yield self._finding(known[1], part.line, found=part.status)
        if part.core is None or part.at is None:
            yield self._finding(known[2], part.line)
            return
        codes = known[3]
        if part.md_type not in eark("metadata type"):
            yield self._finding(codes.md_type, part.line, found=part.md_type)
        path, findings = self._target(part.core, part.at, codes, part.line)
        yield from findings
        if path is None:
            return
        own = path.removeprefix(self._base + b"/") if self._base else path
        if part.section == "digiprovMD" and part.md_type == "PREMIS":
            self._seen.preservation.append(path)
            if path.find(b"metadata/preservation/") < 0:
                yield Finding("CSIPSTR6", path)
        elif part.section == "dmdSec":
            if part.md_type == "DC":
                self._seen.descriptions.append(path)
            elsewhere = own.startswith(b"metadata/") and not own.startswith(b"metadata/descriptive/")
            if path.find(b"metadata/") < 0 or (
                elsewhere and (own.startswith(b"metadata/preservation/") or part.md_type in _DESCRIPTIVE)
            ):
                yield Finding("CSIPSTR7", path)

    def _group(self, group: mets.Group) -> Iterator[Finding]:
        yield from self._id(group.id, "CSIP65", group.line)
        if group.id:
            self._structure.groups.add(group.id)
        self._named["amd"].update(group.metadata)
        if not group.use:
            yield self._finding("CSIP64", group.line)
            self._nameless = True
            return
        if self._is_root and not group.parents:
            self._places.setdefault(_folded(group.use), group)
        use = group.use.partition("/")[0]
        self._groups.setdefault(use, []).append(group)
        content = group.content_type
        if content is not None and content not in eark("content information type"):
            yield self._finding("CSIP62", group.line, None, content, weight_of_term(content))
        if (wrong := other_content(content, group.other_content_type)) is not None:
            yield self._finding("CSIP63", group.line, found=group.other_content_type or group.use, level=wrong)
        if content is None and use == "Representations" and self._is_root:
            level = Level.ERROR if self._edition.version == "2.0" else None
            yield self._finding("CSIP62", group.line, None, group.use, level)

    def _file(self, part: mets.File) -> Iterator[Finding]:
        yield from self._id(part.id, "CSIP67", part.line)
        self._named["dmdSec"].update(part.descriptions)
        self._named["amd"].update(part.metadata)
        registry, key = part.registry
        if registry is not None and not registry.strip():
            yield self._finding("SIP34", part.line)
        elif key and not registry:
            yield self._finding("SIP35", part.line, found=key)
        if len(part.at) != 1:
            yield self._finding("CSIP76", part.line, found=part.id)
            if not part.at:
                self._seen.lose(part.core)
                return
        path, findings = self._target(part.core, part.at[0], FILE, part.line)
        yield from findings
        for at in part.at[1:]:
            if (more := layout.target(at.href, self._base)) is not None:
                self._seen.referenced.add(more)
        if path is not None and self._places:
            place = _folded((part.group.use if part.group is not None else None) or "")
            if place in self._places and _folded(path.decode("utf-8", "surrogateescape")).startswith(place + "/"):
                del self._places[place]
        if path is not None and part.id is not None and layout.is_manifest(path):
            self._manifest_ids[part.id] = path

    def _held(self, href: str | None) -> tuple[PackagePath | None, Entry | None]:
        """The file that a reference leads to; in an AIP a reference has to be one (`layout.readings`)."""
        path = layout.target(href, self._base)
        entry = self._received.entry(path) if path is not None else None
        if entry is None and not self._is_aip:
            for other in layout.readings(href, self._base):
                if (plain := self._received.entry(other)) is not None:
                    return other, plain
        return path, entry

    def _target(self, core: Core, at: Location, codes: Codes, line: int) -> tuple[PackagePath | None, list[Finding]]:
        """The file that a reference leads to, None where it leads to none; and all that is wrong with it."""
        found: list[Finding] = []
        if at.loctype != "URL":
            found.append(self._finding(codes.loctype, line, "URL", at.loctype))
        if at.link != "simple":
            found.append(self._finding(codes.link, line, "simple", at.link))
        path, entry = self._held(at.href)
        if path is None or entry is None or entry.is_folder:
            found.append(self._finding(codes.href, line, found=at.href))
            self._seen.lose(core)
            if path is not None and layout.is_manifest(path):
                self._seen.absent.add(path)
            return None, [*found, *self._attributes(core, codes, self._path, line)]
        if _URI.fullmatch(at.href or "") is None or layout.target(at.href, self._base) != path:
            relative = path[len(self._base) + 1 :] if self._base and path.startswith(self._base + b"/") else path
            level = None if self._is_aip else Level.WARNING
            found.append(self._finding("EARK-HREF", line, names.href(relative), at.href, level))
        self._seen.referenced.add(path)
        found += self._attributes(core, codes, path, None)
        if core.size is not None and _size(core.size) != entry.size:
            found.append(Finding(codes.size, path, None, core.size, str(entry.size)))
        algorithm = ALGORITHMS.get(core.checksum_type or "")
        if core.checksum_type in _UNCOMPUTED:
            form = _UNCOMPUTED[core.checksum_type]
            if core.checksum and form.fullmatch(core.checksum.strip().lower()) is None:
                found.append(Finding(codes.checksum, path, None, core.checksum, None))
            found.append(Finding("EARK-ALGORITHM", path, None, ", ".join(ALGORITHMS), core.checksum_type))
        elif algorithm is not None and core.checksum:
            actual = self._received.digest(path, algorithm)
            if actual is None:
                found.append(Finding("EARK-ALGORITHM", path, None, ", ".join(ALGORITHMS), core.checksum_type))
            elif not digests.agrees(algorithm, core.checksum, actual):
                found.append(Finding(codes.checksum, path, None, core.checksum, actual))
        return path, found

    def _attributes(self, core: Core, codes: Codes, path: PackagePath, line: int | None) -> Iterator[Finding]:
        """The attributes that are there and have the form they ought to have."""
        media_type = _PARAMETERS.sub("", core.mime or "").strip()
        if not media_type:
            yield Finding(codes.mime, path, line)
        elif not is_media_type(media_type):
            # CSIP recommends IANA's list; others may be agreed on, and name what they hold as private.
            level = Level.WARNING if _PRIVATE.fullmatch(media_type) else None
            yield Finding(codes.mime, path, line, None, core.mime, level)
        if core.size is None:
            yield Finding(codes.size, path, line)
        if no_time(core.created):
            yield Finding(codes.created, path, line, None, core.created)
        if not (core.checksum or "").strip():
            yield Finding(codes.checksum, path, line)
        if core.checksum_type not in ALGORITHMS and core.checksum_type not in _UNCOMPUTED:
            yield Finding(codes.checksum_type, path, line, ", ".join(ALGORITHMS), core.checksum_type)


def _folded(place: str) -> str:
    """The path of a folder as USE names it, with the first letters of its words in either case."""
    return unicodedata.normalize("NFC", place.strip().strip("/")).lower()


def _size(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text.strip()) else None
