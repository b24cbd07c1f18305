"""What is known of a package after one reading, held in memory: for tests and small uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.digests import begin
from pipeline.findings import level_of
from pipeline.packages import Kind
from pipeline.records import Finding, Level, PackagePath
from pipeline.settings import Limits
from pipeline.tree import ContentDamage, Entry, Opened, Tree, open_tree


class MemoryReceived:
    """Implements pipeline.packages.Received; `damage` holds what the carrier found wrong while reading."""

    def __init__(self, entries: list[Entry], digests: dict[tuple[bytes, str], str], damage: list[Finding]) -> None:
        self._entries = {entry.path: entry for entry in entries}
        self._digests = digests
        self.damage = damage

    def entries(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def entry(self, path: PackagePath) -> Entry | None:
        return self._entries.get(path)

    def digest(self, path: PackagePath, algorithm: str) -> str | None:
        return self._digests.get((path, algorithm))


def digest_tree(tree: Tree, algorithms: Iterable[str]) -> MemoryReceived:
    """Reads every file once."""
    names = sorted(algorithms)
    entries: list[Entry] = []
    digests: dict[tuple[bytes, str], str] = {}
    damage: list[Finding] = []
    for entry in tree.entries():
        entries.append(entry)
        if entry.is_folder:
            continue
        sums = [begin(name) for name in names]
        try:
            with tree.open(entry.path) as source:
                while part := source.read(1 << 20):
                    for one in sums:
                        one.update(part)
        except ContentDamage as problem:
            damage.append(problem.finding)
            continue
        digests.update({(entry.path, name): one.hexdigest() for name, one in zip(names, sums, strict=True)})
    return MemoryReceived(entries, digests, damage)


def judged(kind: Kind, tree: Tree) -> list[Finding]:
    """All findings of a kind about a tree."""
    received = digest_tree(tree, kind.algorithms(tree))
    return [*received.damage, *kind.check(tree, received)]


def opened(path: Path, **limits: int) -> Opened:
    return open_tree(path, Limits(**limits))


def valid(findings: Iterable[Finding]) -> bool:
    return not any(level_of(finding) is Level.ERROR for finding in findings)


def write(root: Path, files: dict[str, bytes | str]) -> Path:
    """A folder with these files; a name that ends with `/` is an empty folder."""
    for name, content in files.items():
        target = root / name
        if name.endswith("/"):
            target.mkdir(parents=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return root
