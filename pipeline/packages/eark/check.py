"""What is wrong with an E-ARK package: structure, METS, PREMIS, descriptions, references both ways, digests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from pipeline.findings import level_of
from pipeline.packages import Received
from pipeline.packages.eark import check_premis, layout
from pipeline.packages.eark.check_mets import ALGORITHMS, MetsRules, Seen
from pipeline.packages.eark.check_premis import PremisRules
from pipeline.packages.eark.check_premis_elements import ElementRules, without_followers
from pipeline.packages.eark.check_schema import unexplained
from pipeline.packages.eark.layout import METS, REPRESENTATIONS
from pipeline.packages.eark.requirements import Edition
from pipeline.packages.eark.rows import opened
from pipeline.records import Finding, Level, PackagePath
from pipeline.standards import dc, mets, premis
from pipeline.standards.xml import MAX_BYTES, PREMIS, Unreadable, elements, name_of, validate_xsd
from pipeline.tree import ContentDamage, Tree
from pipeline.tree.archive import ArchiveTree

SAME_CODE = 1000
"""Findings of one code that are listed; the rest is counted (`PKG-MORE`)."""

_LISTED = {b"data": "CSIP66", b"documentation": "CSIP66", b"schemas": "CSIP66"}


def check(tree: Tree, received: Received, kind: str) -> Iterator[Finding]:
    """All findings, in the order of reading: METS, PREMIS, descriptions, structure. Never raises on content."""
    return _counted(_check(tree, received, kind))


def algorithms(tree: Tree) -> frozenset[str]:
    """What METS and PREMIS of a package name as algorithms, in the words of `digests.begin`, and SHA-256."""
    found = {"sha256"}
    preservation: set[bytes] = set()
    waiting = [PackagePath(METS)]
    done: set[bytes] = set()
    while waiting:
        path = waiting.pop()
        if path in done:
            continue
        done.add(path)
        try:
            with closing(opened(tree, path)) as source:
                for part in mets.read(source):
                    core = getattr(part, "core", None)
                    if core is not None and core.checksum_type in ALGORITHMS:
                        found.add(ALGORITHMS[core.checksum_type])
                    if isinstance(part, mets.Reference) and part.md_type == "PREMIS" and part.at is not None:
                        named = layout.target(part.at.href, path.rpartition(b"/")[0])
                        preservation.update(() if named is None else (named,))
                    if path == METS and isinstance(part, mets.Pointed):
                        waiting.extend(layout.manifests_of(part))
                    elif path == METS and isinstance(part, mets.File):
                        waiting.extend(
                            there for at in part.at for there in layout.readings(at.href) if layout.is_manifest(there)
                        )  # fmt: skip
        except (Unreadable, ContentDamage):
            continue
    for one in preservation:
        try:
            with closing(opened(tree, PackagePath(one))) as source:
                found.update(check_premis.algorithms(source))
        except (Unreadable, ContentDamage):
            continue
    return frozenset(found)


def _check(tree: Tree, received: Received, kind: str) -> Iterator[Finding]:
    root = PackagePath(METS)
    if isinstance(tree, ArchiveTree) and not tree.rooted:
        yield Finding("CSIPSTR1")
        if received.entry(root) is None and any(entry.path.endswith(b"/" + METS) for entry in received.entries()):
            return
    if received.entry(root) is None:
        yield Finding("CSIPSTR4", root)
        return
    seen = Seen(edition=Edition(kind))
    yield from _mets(tree, root, tree.name, received, seen, kind)
    whole = seen.whole
    for path in sorted({*seen.manifests, *_manifests(received)}):
        if path != root:
            if whole and path not in seen.manifests and path not in seen.referenced:
                yield Finding("CSIP105", path)
            yield from _mets(tree, path, path.split(b"/")[-2], received, seen, kind)
    archival = kind == "eark-aip"
    yield from _premis(tree, sorted(set(seen.preservation)), received, archival)
    for path in sorted(set(seen.descriptions)):
        for finding in _described(tree, path):
            # CSIP says where descriptions lie, not how they are written; ours are Dublin Core by its schema.
            yield finding if archival else replace(finding, level=Level.WARNING)
    yield from _structure(tree, received, seen)


def _manifests(received: Received) -> Iterator[PackagePath]:
    """The METS of every representation, pointed to or not."""
    for entry in received.entries():
        parts = entry.path.split(b"/")
        if len(parts) == 3 and parts[0] == b"representations" and parts[2] == METS and not entry.is_folder:
            yield entry.path


def _mets(tree: Tree, path: PackagePath, owner: bytes, received: Received, seen: Seen, kind: str) -> Iterator[Finding]:
    rules = MetsRules(path, owner, received, seen, kind)
    told: set[str] = set()
    for finding in _rules(tree, path, rules, seen):
        if level_of(finding) is Level.ERROR:
            told.add(finding.code)
        yield finding
    if told.isdisjoint(("EARK-XML", "METS-XSD")):
        yield from _schema(tree, path, told)


def _rules(tree: Tree, path: PackagePath, rules: MetsRules, seen: Seen) -> Iterator[Finding]:
    try:
        with closing(opened(tree, path)) as source:
            for part in mets.read(source):
                if isinstance(part, mets.Head) and not part.is_mets:
                    yield Finding("METS-XSD", path, part.line or None, None, "the root element is not mets")
                    return
                yield from rules.see(part)
    except (Unreadable, ContentDamage) as problem:
        # What is well-formed up to the fault was judged; what is missing after it would be guesswork.
        seen.whole = False
        yield _unreadable(path, problem)
        return
    yield from rules.end()


def _premis(tree: Tree, paths: list[PackagePath], received: Received, archival: bool) -> Iterator[Finding]:
    rules = PremisRules(received, archival)
    readable = []
    for path in paths:
        if not archival and (other := _other_version(tree, path)) is not None:
            yield Finding("PM1", path, None, "3.0", other)
            continue
        required = ElementRules(path, list(_messages(tree, path, "all.xsd")))
        rules.begin()
        parts = 0
        try:
            with closing(opened(tree, path)) as source:
                for part in premis.read(source, required.look):
                    parts += 1
                    yield from without_followers([*rules.see(path, part), *required.taken()])
        except (Unreadable, ContentDamage) as problem:
            yield _unreadable(path, problem)
            continue
        yield from required.end()
        if not parts and not required.messages:
            yield Finding("PREMIS-XSD", path, None, None, "the document holds no PREMIS 3 object")
        yield from rules.end(path)
        readable.append(path)
    if rules.open and len(readable) == len(paths):
        for path in readable:
            with closing(opened(tree, path)) as source:
                for part in premis.read(source):
                    yield from rules.unresolved(path, part)


def _other_version(tree: Tree, path: PackagePath) -> str | None:
    """The root of what is called PREMIS but is no PREMIS 3: an older version, which CSIP does not forbid."""
    try:
        with closing(opened(tree, path)) as source:
            for _, element in elements(source):
                namespace, name = name_of(element.tag)
                return None if namespace == PREMIS else f"{namespace} {name}".strip()
    except (Unreadable, ContentDamage):
        return None
    return None


def _described(tree: Tree, path: PackagePath) -> Iterator[Finding]:
    try:
        with closing(opened(tree, path)) as source:
            messages = validate_xsd(source, "oai_dc.xsd", dc.MAX_BYTES)
        with closing(opened(tree, path)) as source:
            dc.read(source)
    except (Unreadable, ContentDamage) as problem:
        yield _unreadable(path, problem)
        return
    for line, message in messages:
        yield Finding("DC-XSD", path, line or None, None, message)


def _messages(tree: Tree, path: PackagePath, schema: str) -> Iterable[tuple[int, str]]:
    """Schema messages with their lines; a document that cannot be read is told by whoever reads it next."""
    try:
        with closing(opened(tree, path)) as source:
            return validate_xsd(source, schema, MAX_BYTES)
    except (Unreadable, ContentDamage):
        return ()


def _schema(tree: Tree, path: PackagePath, told: set[str]) -> Iterator[Finding]:
    for line, message in unexplained(_messages(tree, path, "all.xsd"), told):
        # The vocabulary and the schema disagree about some content information types; CSIP4 and CSIP62 judge them.
        if "CSIPExtensionMETS}CONTENTINFORMATIONTYPE'" not in message:
            yield Finding("METS-XSD", path, line or None, None, message)


def _unreadable(path: PackagePath, problem: Unreadable | ContentDamage) -> Finding:
    if isinstance(problem, ContentDamage):
        return problem.finding
    return Finding("EARK-XML", path, problem.line or None, None, problem.message)


def _structure(tree: Tree, received: Received, seen: Seen) -> Iterator[Finding]:
    """Folders that CSIP expects, and files that no METS names."""
    tops: set[bytes] = set()
    folders: dict[bytes, set[bytes]] = {}
    for entry in received.entries():
        parts = entry.path.split(b"/")
        if len(parts) == 1 and not entry.is_folder:
            continue
        tops.add(parts[0])
        within, base = parts, b""
        if entry.path.startswith(REPRESENTATIONS):
            if len(parts) == 2 and not entry.is_folder:
                yield Finding("CSIPSTR10", entry.path)
                continue
            base = b"/".join(parts[:2]) + b"/"
            within = parts[2:]
            held = folders.setdefault(base, set())
            if within:
                held.add(within[0])
        if entry.is_folder or not within or not seen.whole or entry.path in seen.referenced:
            continue
        if within[0] in _LISTED and len(within) > 1:
            if base + METS in seen.absent or (not base and within[0] in seen.ungrouped) or seen.missed(entry, received):
                continue
            yield Finding(_LISTED[within[0]], entry.path, None, None, within[0].decode())
        elif within[0] == b"metadata":
            yield _unnamed(tree, entry.path, within[1:2], {b"", base.rstrip(b"/")}, seen)
    if b"representations" in tops and not folders:
        yield Finding("CSIPSTR10", PackagePath(b"representations"))
    inner = {name for held in folders.values() for name in held}
    for name, code, anywhere in (
        (b"metadata", "CSIPSTR5", False), (b"representations", "CSIPSTR9", False), (b"schemas", "CSIPSTR15", True),
        (b"documentation", "CSIPSTR16", True),
    ):  # fmt: skip
        if name not in tops and not (anywhere and name in inner):
            yield Finding(code, PackagePath(name))
    for base, held in folders.items():
        for name, code in ((b"data", "CSIPSTR11"), (METS, "CSIPSTR12"), (b"metadata", "CSIPSTR13")):
            if name not in held:
                yield Finding(code, PackagePath(base + name))


def _unnamed(tree: Tree, path: PackagePath, folder: list[bytes], bases: set[bytes], seen: Seen) -> Finding:
    """A metadata file that no METS names; worse where no METS names any of its kind (CSIP17, CSIP31, CSIP32)."""
    if folder == [b"descriptive"]:
        return Finding("CSIP17", path, level=None if bases & seen.described else Level.ERROR)
    if folder == [b"preservation"] and _is_premis(tree, path):
        return Finding("CSIP32", path, level=None if bases & seen.provided else Level.ERROR)
    if folder == [b"preservation"] and not bases & seen.administered:
        return Finding("CSIP31", path, level=Level.ERROR)
    return Finding("CSIP31", path)


def _is_premis(tree: Tree, path: PackagePath) -> bool:
    try:
        with closing(opened(tree, path)) as source:
            return b"premis" in source.read(4096).lower()
    except (Unreadable, ContentDamage):
        return False


def _counted(findings: Iterable[Finding]) -> Iterator[Finding]:
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.code] += 1
        if counts[finding.code] <= SAME_CODE:
            yield finding
    for code in sorted(counts):
        if counts[code] > SAME_CODE:
            yield Finding("PKG-MORE", None, None, code, str(counts[code] - SAME_CODE))
