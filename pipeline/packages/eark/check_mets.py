"""Rules of CSIP and AIP for one METS document of a package."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline import names
from pipeline.packages import Received
from pipeline.packages.eark.layout import METS, PROFILE, REPRESENTATIONS
from pipeline.records import Finding, PackagePath
from pipeline.standards import mets
from pipeline.standards.mets import Core, Location, Reference
from pipeline.standards.vocabularies import eark, is_media_type
from pipeline.standards.xml import parsed_moment

ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
"""CHECKSUMTYPE values of METS that hashlib computes, in its words."""

# RFC 3986: unreserved, sub-delims, `:` `@` `/`, percent triples.
_URI = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")

_DATE_TIME = re.compile(r"\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


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

_DIVISIONS = {"Metadata": "CSIP89", "Documentation": "CSIP94", "Schemas": "CSIP98", "Representations": "CSIP102"}


@dataclass
class Seen:
    """What the METS documents of a package name, gathered while they are checked; `whole` when all could be read."""

    referenced: set[bytes] = field(default_factory=set)
    preservation: list[PackagePath] = field(default_factory=list)
    descriptions: list[PackagePath] = field(default_factory=list)
    manifests: list[PackagePath] = field(default_factory=list)
    whole: bool = True


class MetsRules:
    """Feed it the parts of one METS in their order, then ask `end`. Never raises on content."""

    def __init__(self, path: PackagePath, owner: bytes, received: Received, seen: Seen, kind: str) -> None:
        """`owner` is the name of the folder that holds the METS."""
        self._path = path
        self._base = path.rpartition(b"/")[0]
        self._is_root = path == METS
        self._is_aip = kind == "eark-aip"
        self._owner = owner
        self._received = received
        self._seen = seen
        self._head = mets.Head(None)
        self._has_header = self._has_files = False
        self._ids: set[int] = set()
        self._section_ids: dict[str, set[str]] = {"dmdSec": set(), "amd": set(), "fileGrp": set()}
        self._manifest_ids: dict[str, bytes] = {}
        self._current: dict[str, set[str]] = {"dmdSec": set(), "amd": set()}
        self._statuses: Counter[str] = Counter()
        self._provenance: list[Reference] = []
        self._groups: dict[str, list[mets.Group]] = {}
        self._file_descriptions: set[str] = set()
        self._maps: list[mets.Map] = []
        self._main: list[mets.Division] = []
        self._inner: list[mets.Division] = []
        self._pointers: list[mets.Pointed] = []

    def see(self, part: mets.Part) -> Iterator[Finding]:
        """Findings that this part alone gives."""
        if isinstance(part, mets.File):
            yield from self._file(part)
        elif isinstance(part, Reference):
            yield from self._reference(part)
        elif isinstance(part, mets.GroupEnd):
            if not part.files and not part.groups:
                yield self._finding("CSIP66", part.group.line, found=part.group.use or "")
        elif isinstance(part, mets.Group):
            yield from self._group(part)
        elif isinstance(part, mets.Division):
            yield from self._division(part)
        elif isinstance(part, mets.Pointed):
            if len(part.of.labels) <= 1 and part.of.map.label == "CSIP":
                self._pointers.append(part)
        elif isinstance(part, mets.Head):
            self._head = part
            yield from self._see_head(part)
        elif isinstance(part, mets.Header):
            self._has_header = True
            yield from self._header(part)
        elif isinstance(part, mets.Section):
            self._has_files |= part.name == "fileSec"
            yield from self._id(part.id, "CSIP59" if part.name == "fileSec" else "", part.line)
        else:
            self._maps.append(part)
            yield from self._id(part.id, "CSIP83", part.line)

    def end(self) -> Iterator[Finding]:
        """Findings that only the whole document gives."""
        if not self._has_header:
            yield self._finding("CSIP117")
        if self._is_root:
            if not self._is_aip:
                pass
            elif not any(one.core is not None for one in self._provenance):
                yield self._finding("AIPM5")
            elif not any(one.md_type == "PREMIS" for one in self._provenance):
                yield self._finding("AIPM6")
            if self._is_aip and self._statuses and not self._statuses["CURRENT"]:
                yield self._finding("AIPM4")
            if not self._has_files:
                yield self._finding("CSIP58")
            for use, code in (("Documentation", "CSIP60"), ("Schemas", "CSIP113"), ("Representations", "CSIP114")):
                if use not in self._groups:
                    yield self._finding(code)
        yield from self._structure()

    def _finding(
        self, code: str, line: int | None = None, expected: str | None = None, found: str | None = None
    ) -> Finding:
        return Finding(code, self._path, line or None, expected, found)

    def _id(self, value: str | None, code: str, line: int) -> Iterator[Finding]:
        """An id is there (where `code` asks for one) and is no second one in this document."""
        if value is None:
            if code:
                yield self._finding(code, line)
        elif (key := hash(value)) in self._ids:
            yield self._finding("EARK-ID", line, found=value)
        else:
            self._ids.add(key)

    def _see_head(self, head: mets.Head) -> Iterator[Finding]:
        owner = self._owner.decode("utf-8", "surrogateescape")
        if head.objid != owner:
            yield self._finding("CSIP1", head.line, owner, head.objid)
        if head.type not in eark("content category"):
            yield self._finding("CSIP2", head.line, found=head.type)
        elif head.type == "Other" and not head.other_type:
            yield self._finding("CSIP3", head.line)
        if head.content_type is None:
            yield self._finding("CSIP4", head.line)
        elif head.content_type == "OTHER" and not head.other_content_type:
            yield self._finding("CSIP5", head.line)
        if head.profile is None:
            yield self._finding("CSIP6", head.line, PROFILE)
        elif self._is_aip and self._is_root and head.profile != PROFILE:
            yield self._finding("AIPM2", head.line, PROFILE, head.profile)

    def _header(self, header: mets.Header) -> Iterator[Finding]:
        if _no_time(header.created):
            yield self._finding("CSIP7", header.line, found=header.created)
        if _no_time(header.modified):
            yield self._finding("CSIP8", header.line, found=header.modified)
        if header.package_type not in eark("package type"):
            yield self._finding("CSIP9", header.line, found=header.package_type)
        elif self._is_aip and header.package_type != "AIP":
            yield self._finding("AIPM3", header.line, "AIP", header.package_type)
        agents = header.agents
        if not agents:
            yield self._finding("CSIP10", header.line)
            return
        for code, attribute, value in (
            ("CSIP11", "role", "CREATOR"), ("CSIP12", "type", "OTHER"), ("CSIP13", "other_type", "SOFTWARE"),
        ):  # fmt: skip
            fitting = tuple(agent for agent in agents if getattr(agent, attribute) == value)
            if not fitting:
                yield self._finding(code, header.line, value)
                return
            agents = fitting
        software = agents[0]
        if not software.name.strip():
            yield self._finding("CSIP14", header.line)
        if len(software.notes) != 1:
            yield self._finding("CSIP15", header.line, "1", str(len(software.notes)))
        elif software.notes[0][0] != "SOFTWARE VERSION":
            yield self._finding("CSIP16", header.line, "SOFTWARE VERSION", software.notes[0][0])

    def _reference(self, part: Reference) -> Iterator[Finding]:
        kind = "dmdSec" if part.section == "dmdSec" else "amd"
        known = _SECTIONS.get(part.section)
        yield from self._id(part.id, known[0] if known else "", part.line)
        if part.id is not None:
            self._section_ids[kind].add(part.id)
            if part.status == "CURRENT" and part.section != "techMD" and part.section != "sourceMD":
                self._current[kind].add(part.id)
        if part.section == "dmdSec":
            self._statuses[part.status or ""] += 1
            if _no_time(part.created):
                yield self._finding("CSIP19", part.line, found=part.created)
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
        if part.md_type is None:
            yield self._finding(codes.md_type, part.line)
        path, findings = self._target(part.core, part.at, codes, part.line)
        yield from findings
        if path is not None:
            if part.section == "digiprovMD" and part.md_type == "PREMIS":
                self._seen.preservation.append(path)
            elif part.section == "dmdSec" and part.md_type == "DC":
                self._seen.descriptions.append(path)

    def _group(self, group: mets.Group) -> Iterator[Finding]:
        yield from self._id(group.id, "CSIP65", group.line)
        if group.id is not None:
            self._section_ids["fileGrp"].add(group.id)
        if not group.use:
            yield self._finding("CSIP64", group.line)
            return
        use = group.use.partition("/")[0]
        self._groups.setdefault(use, []).append(group)
        if use == "Representations" and self._head.content_type == "MIXED" and group.content_type is None:
            yield self._finding("CSIP62", group.line, found=group.use)

    def _file(self, part: mets.File) -> Iterator[Finding]:
        yield from self._id(part.id, "CSIP67", part.line)
        self._file_descriptions.update(part.descriptions)
        if not part.at:
            yield self._finding("CSIP76", part.line, found=part.id)
            return
        path, findings = self._target(part.core, part.at[0], FILE, part.line)
        yield from findings
        if path is not None and part.id is not None and path.endswith(b"/" + METS):
            self._manifest_ids[part.id] = path

    def _target(
        self, core: Core, at: Location, codes: Codes, line: int
    ) -> tuple[PackagePath | None, list[Finding]]:
        """The file that a reference leads to, None where it leads to none; and all that is wrong with it."""
        found: list[Finding] = []
        if at.loctype != "URL":
            found.append(self._finding(codes.loctype, line, "URL", at.loctype))
        if at.link != "simple":
            found.append(self._finding(codes.link, line, "simple", at.link))
        path = names.unhref(at.href, self._base) if at.href else None
        entry = self._received.entry(path) if path is not None else None
        if path is None or entry is None or entry.is_folder:
            found.append(self._finding(codes.href, line, found=at.href))
            return None, found
        if _URI.fullmatch(at.href or "") is None:
            relative = path[len(self._base) + 1 :] if self._base and path.startswith(self._base + b"/") else path
            found.append(self._finding("EARK-HREF", line, names.href(relative), at.href))
        self._seen.referenced.add(path)
        if core.mime is None or not is_media_type(core.mime):
            found.append(Finding(codes.mime, path, None, None, core.mime))
        if core.size is None or core.size.strip() != str(entry.size):
            found.append(Finding(codes.size, path, None, core.size, str(entry.size)))
        if _no_time(core.created):
            found.append(Finding(codes.created, path, None, None, core.created))
        algorithm = ALGORITHMS.get(core.checksum_type or "")
        if core.checksum_type is None:
            found.append(Finding(codes.checksum_type, path))
        elif algorithm is None:
            found.append(Finding("EARK-ALGORITHM", path, None, ", ".join(ALGORITHMS), core.checksum_type))
        else:
            actual = self._received.digest(path, algorithm)
            if core.checksum is None or (actual is not None and core.checksum.strip().lower() != actual):
                found.append(Finding(codes.checksum, path, None, core.checksum, actual))
            elif actual is None:
                found.append(Finding("EARK-ALGORITHM", path, None, ", ".join(ALGORITHMS), core.checksum_type))
        if core.checksum is None and algorithm is None:
            found.append(Finding(codes.checksum, path))
        return path, found

    def _division(self, part: mets.Division) -> Iterator[Finding]:
        depth = len(part.labels)
        code = "CSIP85" if depth == 0 else ""
        if depth == 1 and part.map.label == "CSIP":
            code = _DIVISIONS.get(part.label or "", "CSIP106")
        yield from self._id(part.id, code, part.line)
        if part.map.label != "CSIP":
            return
        if depth == 0:
            self._main.append(part)
        elif depth == 1:
            self._inner.append(part)
        for wanted, kind in ((part.metadata, "amd"), (part.descriptions, "dmdSec")):
            for missing in [one for one in wanted if one not in self._section_ids[kind]]:
                yield self._finding("EARK-IDREF", part.line, found=missing)

    def _structure(self) -> Iterator[Finding]:
        if not self._maps:
            yield self._finding("CSIP80")
            return
        fitting = [one for one in self._maps if one.label == "CSIP"]
        if len(fitting) != 1:
            yield self._finding("CSIP82", None, "1", str(len(fitting)))
            return
        if fitting[0].type != "PHYSICAL":
            yield self._finding("CSIP81", fitting[0].line, "PHYSICAL", fitting[0].type)
        if len(self._main) != 1:
            yield self._finding("CSIP84", fitting[0].line, "1", str(len(self._main)))
        by_label = {part.label: part for part in self._inner}
        metadata = by_label.get("Metadata")
        if metadata is None:
            yield self._finding("CSIP88")
        else:
            for code, kind, named in (
                ("CSIP91", "amd", set(metadata.metadata)),
                ("CSIP92", "dmdSec", {*metadata.descriptions, *self._file_descriptions}),
            ):
                for missing in sorted(self._current[kind] - named):
                    yield self._finding(code, metadata.line, found=missing)
        for missing in sorted(self._file_descriptions - self._section_ids["dmdSec"]):
            yield self._finding("EARK-IDREF", None, found=missing)
        yield from self._divisions_of_groups(by_label)
        if self._is_root:
            yield from self._representations()

    def _divisions_of_groups(self, by_label: dict[str | None, mets.Division]) -> Iterator[Finding]:
        for use, code, pointer_code, id_code in (
            ("Documentation", "CSIP93", "CSIP96", "CSIP116"), ("Schemas", "CSIP97", "CSIP100", "CSIP118"),
        ):  # fmt: skip
            groups = {group.id for group in self._groups.get(use, ())}
            part = by_label.get(use)
            if part is None:
                if groups and self._is_root:
                    yield self._finding(code)
                continue
            pointed = [one.pointer.file_id for one in self._pointers if one.of is part and one.pointer.what == "fptr"]
            if not pointed:
                yield self._finding(pointer_code, part.line)
            for value in pointed:
                if value not in groups:
                    yield self._finding(id_code, part.line, found=value)

    def _representations(self) -> Iterator[Finding]:
        """Each representation is pointed to twice: `mptr` to its METS, `fptr` to the entry of that METS."""
        pointed_to: set[bytes] = set()
        for part in self._inner:
            if part.label in _DIVISIONS:
                continue
            own = [one for one in self._pointers if one.of is part]
            pointers = [one for one in own if one.pointer.what == "mptr"]
            if len(pointers) != 1:
                yield self._finding("CSIP109", part.line, "1", str(len(pointers)))
                continue
            pointer = pointers[0].pointer
            line = pointers[0].line
            at = pointer.at or Location(None)
            if at.link != "simple":
                yield self._finding("CSIP111", line, "simple", at.link)
            if at.loctype != "URL":
                yield self._finding("CSIP112", line, "URL", at.loctype)
            path = names.unhref(at.href) if at.href else None
            entry = self._received.entry(path) if path is not None else None
            if path is None or entry is None or entry.is_folder:
                yield self._finding("CSIP110", line, found=at.href)
                continue
            pointed_to.add(path)
            self._seen.manifests.append(path)
            folder = path.rpartition(b"/")[0]
            label = "Representations/" + folder.removeprefix(REPRESENTATIONS).decode("utf-8", "surrogateescape")
            if not folder.startswith(REPRESENTATIONS) or part.label != label:
                yield self._finding("CSIP107", part.line, label, part.label)
            if pointer.title not in self._section_ids["fileGrp"]:
                yield self._finding("CSIP108", line, found=pointer.title)
            entries = [one.pointer.file_id for one in own if one.pointer.what == "fptr"]
            if self._is_aip and not any(self._manifest_ids.get(value or "") == path for value in entries):
                yield self._finding("AIP3", part.line, found=" ".join(value or "" for value in entries))
        for left in sorted(set(self._manifest_ids.values()) - pointed_to):
            yield Finding("CSIP105", PackagePath(left))


def _no_time(text: str | None) -> bool:
    return text is None or _DATE_TIME.fullmatch(text.strip()) is None or parsed_moment(text) is None
