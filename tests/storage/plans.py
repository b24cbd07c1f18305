"""Plans made of bytes in memory, through the inventory writer that real ingests use."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pipeline.plan import Content
from pipeline.records import PackagePath
from pipeline.standards import ocfl

UUID = "6f1c2f0e-3c67-4b0f-9c35-5f6c3f1f7a10"
URN = f"urn:uuid:{UUID}"


@dataclass
class BytesPlan:
    """A sealed version whose new content is `added`; `state` is the whole version, logical path → bytes."""

    inventory: Path
    inventory_sha256: str
    version: int
    added: dict[str, bytes]
    generated: frozenset[str] = frozenset()
    urn: str = URN
    opened: list[str] = field(default_factory=list)

    def contents(self) -> Iterator[Content]:
        for digest in sorted(self.added):
            yield Content(digest, len(self.added[digest]), None, digest in self.generated)

    def open(self, content: Content) -> BinaryIO:
        self.opened.append(content.sha256)
        return io.BytesIO(self.added[content.sha256])


def plan(folder: Path, state: dict[str, bytes], before: BytesPlan | None = None, urn: str = URN) -> BytesPlan:
    """Version 1 of an AIP, or the one after `before`; METS.xml counts as generated."""
    folder.mkdir(parents=True, exist_ok=True)
    version = before.version + 1 if before is not None else 1
    root = f"uuid-{urn.rpartition(':')[2]}"
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in state.items()}
    old = ocfl.read_inventory(before.inventory) if before is not None else None
    known = {digest for digest, _ in old.manifest()} if old is not None else set()
    added = {digests[path]: data for path, data in state.items() if digests[path] not in known}
    new = [(digest, ocfl.content_path(version, digest)) for digest in sorted(added)]
    entries = sorted((digest, PackagePath(f"{root}/{path}".encode())) for path, digest in digests.items())
    about = ocfl.Version(version, f"2026-11-0{version}T08:00:00Z", f"Bản {version}", "Lưu trữ", "mailto:a@example.org")
    file = folder / f"inventory-{version}-{urn[-12:]}.json"
    blocks = [*(old.blocks() if old is not None else ()), ocfl.StreamedBlock(about, entries)]
    with file.open("wb") as out:
        manifest = ocfl.merged(old.manifest() if old is not None else (), new)
        digest = ocfl.write_inventory(out, urn, manifest, blocks, version)
    generated = frozenset(digests[path] for path in state if path.endswith("METS.xml"))
    return BytesPlan(file, digest, version, added, generated & set(added), urn)


STATE_1 = {
    "METS.xml": b"<mets/>",
    "representations/rep1/METS.xml": b"<mets rep/>",
    "representations/rep1/data/Quy\u1ebft \u0111\u1ecbnh.txt": "Quyết định".encode(),
    "representations/rep1/data/empty": b"",
    "representations/rep1/data/twin-a.bin": b"same" * 100,
    "representations/rep1/data/twin-b.bin": b"same" * 100,
    "representations/rep1/data/b%20\n.bin": bytes(range(256)) * 40,
}
STATE_2 = {
    **{path: data for path, data in STATE_1.items() if not path.endswith("twin-b.bin")},
    "METS.xml": b"<mets v2/>",
    "representations/rep2/METS.xml": b"<mets rep2/>",
    "representations/rep2/data/new.tif": b"II*\0" + bytes(5000),
}
