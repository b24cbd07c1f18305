"""Files of a package as workers of the pool get them."""

from __future__ import annotations

from pipeline.content.reading import descriptor as descriptor_of
from pipeline.packages.tt05.files import DESCRIPTION
from pipeline.packages.tt05.package import Package
from pipeline.tree import Entry


def descriptor(package: Package, path: bytes) -> int:
    """An open descriptor of a file of the package, for a worker."""
    files = package.files
    return descriptor_of(files.tree, Entry(files.whole(path), files.size(path)), package.scratch)


def described_by(path: bytes) -> str:
    """`doc`, `pic` or `media` by the name of a description; empty for another name."""
    match = DESCRIPTION.fullmatch(path.rpartition(b"/")[2])
    return match.group(1).lower().decode() if match else ""
