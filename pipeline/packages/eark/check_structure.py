"""Rules for the structural map of a METS: the divisions of CSIP and what they point to."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packages import Received
from pipeline.packages.eark import layout
from pipeline.packages.eark.layout import METS, REPRESENTATIONS
from pipeline.packages.eark.requirements import Edition
from pipeline.records import Finding, Level, PackagePath
from pipeline.standards import mets
from pipeline.standards.mets import Location

_DIVISIONS = {"Metadata": "CSIP89", "Documentation": "CSIP94", "Schemas": "CSIP98", "Representations": "CSIP102"}
_LABELS = {
    "metadata": ("Metadata", "CSIP90"), "documentation": ("Documentation", "CSIP95"),
    "schemas": ("Schemas", "CSIP99"), "representations": ("Representations", "CSIP103"),
}  # fmt: skip
_GROUPS = (
    # label: code of the division, of its pointers, of what they point to
    ("Documentation", "CSIP93", "CSIP96", "CSIP116"),
    ("Schemas", "CSIP97", "CSIP100", "CSIP118"),
    ("Representations", "CSIP101", "CSIP104", "CSIP119"),
)


class StructureRules:
    """Feed it the divisions and pointers of one METS, then ask `end`."""

    def __init__(self, path: PackagePath, is_root: bool, edition: Edition, received: Received) -> None:
        self._path = path
        self._is_root = is_root
        self._edition = edition
        self._received = received
        self._is_aip = edition.kind == "eark-aip"
        self._maps: list[mets.Map] = []
        self._main: list[mets.Division] = []
        self._inner: list[mets.Division] = []
        self._pointers: dict[int, list[mets.Pointed]] = {}
        self.manifests: list[PackagePath] = []
        self.groups: set[str] = set()
        self._named: set[str] = set()
        self._within: set[str | None] = set()

    def map(self, part: mets.Map) -> str:
        """A map begins; the code for one without ID, empty where it may go without."""
        self._maps.append(part)
        # Other maps follow rules of their own (CSIP80); in an AIP every map keeps to ours.
        return "CSIP83" if part.label == "CSIP" or self._is_aip else ""

    def division(self, part: mets.Division) -> str:
        """A division begins; the code for one without ID."""
        depth = len(part.labels)
        ours = part.map.label == "CSIP"
        if ours and depth == 0:
            self._main.append(part)
        elif ours and depth == 1:
            self._inner.append(part)
        if depth == 0:
            return "CSIP85" if ours or self._is_aip else ""
        if depth == 1 and ours:
            return _DIVISIONS.get(part.label or "", "CSIP106")
        return ""

    def pointed(self, part: mets.Pointed) -> None:
        """A pointer of a division of CSIP's map."""
        if part.of.map.label != "CSIP":
            return
        if part.pointer.what == "fptr" and part.pointer.file_id in self.groups:
            self._named.add(part.pointer.file_id or "")
            self._within.add(part.of.labels[1] if len(part.of.labels) > 1 else part.of.label)
        if len(part.of.labels) <= 1:
            self._pointers.setdefault(id(part.of), []).append(part)

    def end(
        self,
        groups: dict[str, list[mets.Group]],
        manifest_ids: dict[str, bytes],
        current: dict[str, set[str]],
        covered: set[str],
        described: bool,
    ) -> Iterator[Finding]:
        """What only the whole map gives.

        `current` are the ids that the metadata division names by `amd` and `dmdSec`, `covered` need no naming;
        `described`: this METS refers to metadata.
        """
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
            if not self._main:
                return
        elif self._edition.holds("CSIP86") and not (self._main[0].label or "").strip():
            yield self._finding("CSIP86", self._main[0].line)
        labelled: dict[str, list[mets.Division]] = {}
        for part in self._inner:
            label, code = _LABELS.get((part.label or "").strip().lower(), ("", ""))
            if label and part.label != label:
                yield self._finding(code, part.line, label, part.label)
            labelled.setdefault(label, []).append(part)
        yield from self._metadata(labelled.get("Metadata", []), current, covered, described)
        representations = [one for one in labelled.get("", ()) if self._represents(one)]
        for label, code, pointer_code, id_code in _GROUPS:
            parts = labelled.get(label, [])
            if len(parts) > 1:
                yield self._finding(code, parts[1].line, "1", str(len(parts)), Level.ERROR)
            asked = self._is_root and (label != "Representations" or not representations)
            yield from self._of_groups(parts[:1], groups.get(label, []), asked, code, pointer_code, id_code)
        if self._is_root:
            yield from self._representations(representations, groups, manifest_ids)

    def _metadata(
        self, parts: list[mets.Division], current: dict[str, set[str]], covered: set[str], described: bool
    ) -> Iterator[Finding]:
        if len(parts) != 1:
            # A representation without metadata has nothing that the division could describe.
            lenient = not parts and not described and not self._is_root and not self._is_aip
            level = Level.WARNING if lenient else None
            yield self._finding("CSIP88", parts[1].line if parts else None, "1", str(len(parts)), level)
        if not parts:
            return
        level = Level.ERROR if self._edition.version == "2.0" else None
        for code, kind, named in (
            ("CSIP91", "amd", set(parts[0].metadata)), ("CSIP92", "dmdSec", set(parts[0].descriptions)),
        ):  # fmt: skip
            for missing in sorted(current[kind] - named - covered):
                yield self._finding(code, parts[0].line, None, missing, level)

    def _of_groups(
        self, parts: list[mets.Division], groups: list[mets.Group], asked: bool, code: str, pointer_code: str,
        id_code: str,
    ) -> Iterator[Finding]:  # fmt: skip
        if not parts:
            if groups and asked:
                yield self._finding(code)
            return
        part, ids = parts[0], {group.id for group in groups if group.id}
        pointed = [one.pointer.file_id for one in self._of(part, "fptr")]
        astray = [value for value in pointed if value not in ids]
        # A pointer that leads elsewhere is what is wrong, not that none leads to its group.
        missed = ids - set(pointed) - self._named
        if not pointed or (asked and len(missed) > len(astray)):
            left = ", ".join(sorted(missed))
            yield self._finding(pointer_code, part.line, None, left or None)
        for value in astray:
            # Where there is no such group at all, or it has no id, that is what is wrong (CSIP60, 64, 65, 113, 114).
            if (groups or value not in self.groups) and all(group.id for group in groups):
                yield self._finding(id_code, part.line, None, value)

    def _represents(self, part: mets.Division) -> bool:
        """Whether a division is one of a representation: by its label or because it points to a METS."""
        label = (part.label or "").lower()
        return self._is_aip or label.startswith("representation") or bool(self._of(part, "mptr"))

    def _of(self, part: mets.Division, what: str) -> list[mets.Pointed]:
        return [one for one in self._pointers.get(id(part), ()) if one.pointer.what == what]

    def _representations(
        self, parts: list[mets.Division], groups: dict[str, list[mets.Group]], manifest_ids: dict[str, bytes]
    ) -> Iterator[Finding]:
        """Each representation: `mptr` to its METS, in an AIP also `fptr` to the entry of that METS."""
        pointed_to: set[bytes] = set()
        uses = {group.id: group.use or "" for group in groups.get("Representations", ())}
        for part in parts:
            pointers = self._of(part, "mptr")
            if len(pointers) != 1:
                level = None if pointers or not self._in_root(part) else Level.WARNING
                yield self._finding("CSIP109", part.line, "1", str(len(pointers)), level)
                if not pointers:
                    continue
            pointer, line = pointers[0].pointer, pointers[0].line
            at = pointer.at or Location(None)
            if at.link != "simple":
                yield self._finding("CSIP111", line, "simple", at.link)
            if at.loctype != "URL":
                yield self._finding("CSIP112", line, "URL", at.loctype)
            path = layout.target(at.href)
            entry = self._received.entry(path) if path is not None else None
            if entry is None and not self._is_aip:
                # Told of at the file entry of that METS (EARK-HREF).
                found = ((one, self._received.entry(one)) for one in layout.readings(at.href))
                path, entry = next((one for one in found if one[1] is not None), (path, None))
            if path is None or entry is None or entry.is_folder or path.rpartition(b"/")[2] != METS:
                yield self._finding("CSIP110", line, None, at.href)
                continue
            pointed_to.add(path)
            self.manifests.append(path)
            folder = path.rpartition(b"/")[0]
            label = "Representations/" + folder.removeprefix(REPRESENTATIONS).decode("utf-8", "surrogateescape")
            if not folder.startswith(REPRESENTATIONS) or not self._labelled(part.label or "", label):
                yield self._finding("CSIP107", part.line, label, part.label)
            use = uses.get(pointer.title or "")
            if use is None or not (use + "/").lower().startswith(("representations/", label.lower() + "/")):
                yield self._finding("CSIP108", line, None, pointer.title)
            elif use.lower() != "representations" and not (use + "/").lower().startswith(label.lower() + "/"):
                yield self._finding("CSIP108", line, label, pointer.title)
            entries = [one.pointer.file_id for one in self._of(part, "fptr")]
            if self._is_aip and not any(manifest_ids.get(value or "") == path for value in entries):
                yield self._finding("AIP3", part.line, None, " ".join(value or "" for value in entries))
        for left in sorted(set(manifest_ids.values()) - pointed_to):
            yield Finding("CSIP105", PackagePath(left))

    def _in_root(self, part: mets.Division) -> bool:
        """Whether the root METS describes a representation itself: it has no METS, and its division leads to files."""
        folder = layout.target((part.label or "").lower().partition("/")[2], REPRESENTATIONS.rstrip(b"/"))
        own = folder is not None and self._received.entry(PackagePath(folder + b"/" + METS)) is not None
        return not own and part.label in self._within

    def _labelled(self, label: str, wanted: str) -> bool:
        """CSIP107: from 2.1 exactly the folder, before 2.1 any path to it or to its METS."""
        if self._edition.version != "2.0":
            return label == wanted
        return label.lower().strip("/").removesuffix("/mets.xml") == wanted.lower()

    def _finding(
        self, code: str, line: int | None = None, expected: str | None = None, found: str | None = None,
        level: Level | None = None,
    ) -> Finding:  # fmt: skip
        return Finding(code, self._path, line or None, expected, found, level or self._edition.weight(code))
