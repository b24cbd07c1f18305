"""Rules TT05-FIX: every reference of a METS to bytes, digests and sizes, and files that no METS names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipeline.names import shown
from pipeline.packages.tt05.files import METS, REP_METS, Files, is_junk
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.reading.mets import Mets, Named, read_mets
from pipeline.tree import ContentDamage

ALGORITHMS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
"""CHECKSUMTYPE values of METS that hashlib computes, in its words."""

_WANTED: Final = "SHA-256"
_SHA256 = re.compile("[0-9A-Fa-f]{64}")
_NUMBER = re.compile(r"\+?[0-9]{1,19}")
_TYPE = re.compile(rb"""CHECKSUMTYPE\s{0,9}=\s{0,9}["'](MD5|SHA-1|SHA-256|SHA-384|SHA-512)["']""")
_WIDEST = 64
_ANY_METS = re.compile(rb"(?i)(representations/[^/]+)/mets\.xml")


def check_fixity(package: Package, found: Findings) -> None:
    """All of TT05-FIX, at every representation."""
    named: dict[bytes, int] = {}
    unknown: list[bytes] = []
    for base, path, mets in _manifests(package):
        if path is None or mets.problem is not None or not mets.is_mets:
            unknown.append(base + b"/" if base else b"")
            if path is not None and base:
                named.setdefault(path, 0)
            continue
        for one in mets.named:
            where = _reference(package, base, path, one, found)
            if where is not None:
                named[where] = named.get(where, 0) + 1
    for path, count in named.items():
        if count > 1:
            found.add("TT05-FIX-07", path, found=count)
    _unnamed(package, named, unknown, found)


def algorithms(files: Files) -> frozenset[str]:
    """What the METS of a package name as CHECKSUMTYPE, in hashlib's words: by their bytes, for speed; a METS in UTF-16
    tells nothing."""
    found: set[bytes] = set()
    for _, path in manifests(files):
        if path is None:
            continue
        before = b""
        try:
            with files.open(path) as source:
                while part := source.read(1 << 20):
                    part = before + part
                    found.update(_TYPE.findall(part))
                    before = part[-_WIDEST:]
        except (KeyError, ContentDamage):
            continue
    return frozenset(ALGORITHMS[name.decode()] for name in found)


def manifests(files: Files) -> Iterator[tuple[bytes, bytes | None]]:
    """(folder without its slash, path) of the METS of the package, of rep1, and of each other representation."""
    yield b"", files.find(METS)
    yield REP_METS.rpartition(b"/")[0], files.find(REP_METS)
    for path in files.paths():
        match = _ANY_METS.fullmatch(path)
        if match and path.lower() != REP_METS.lower():
            yield match.group(1), path


def _manifests(package: Package) -> Iterator[tuple[bytes, bytes | None, Mets]]:
    for base, path in manifests(package.files):
        if path == package.root_path and not base:
            yield base, path, package.root
        elif path == package.rep_path:
            yield base, path, package.rep
        elif path is not None:
            try:
                with package.files.open(path) as source:
                    yield base, path, read_mets(source)
            except (KeyError, ContentDamage):
                yield base, path, Mets(problem=(0, "damaged"))


def _reference(package: Package, base: bytes, path: bytes, one: Named, found: Findings) -> bytes | None:
    """FIX-01 to -04, -06, -08 of one reference, STR-10 where it spells its file otherwise; its file, if any."""
    href = one.href or ""
    where = package.resolve(href, base)
    if where is None:
        candidates = package.candidates(href, base)
        if candidates:
            found.add("TT05-FIX-06", candidates[0], line=one.line, found=href)
        elif href.strip() and not _is_windows(href):
            found.add("TT05-FIX-08", path, line=one.line, found=href)
        else:
            found.add("TT05-FIX-06", path, line=one.line, found=href or None)
        return None
    _spelling(where, package.candidates(href, base), one, found)
    _size(package, where, one, found)
    _digest(package, where, one, found)
    return where


def _spelling(where: bytes, candidates: list[bytes], one: Named, found: Findings) -> None:
    """STR-10 of a name; folders and names that are not composed in an archive have been told already."""
    name = where.rpartition(b"/")[2]
    if all(name != path.rpartition(b"/")[2] for path in candidates) and "TT05-ZIP-05" not in found.codes_at([where]):
        found.add(
            "TT05-STR-10", where, line=one.line, found=shown(name), expected=shown(candidates[0].rpartition(b"/")[2])
        )


def _is_windows(href: str) -> bool:
    """A relative path with backslashes: wrong, but inside the package."""
    parts = href.strip().split("\\")
    return len(parts) > 1 and bool(parts[0]) and ".." not in parts and ":" not in href and "/" not in href


def _size(package: Package, where: bytes, one: Named, found: Findings) -> None:
    size = (one.size or "").strip()
    if not size or not (one.checksum or "").strip():
        missing = [name for name, value in (("SIZE", size), ("CHECKSUM", (one.checksum or "").strip())) if not value]
        found.add("TT05-FIX-04", where, line=one.line, found=", ".join(missing))
    if size and not (_NUMBER.fullmatch(size) and int(size) == package.files.size(where)):
        found.add("TT05-FIX-02", where, line=one.line, found=package.files.size(where), expected=size)


def _digest(package: Package, where: bytes, one: Named, found: Findings) -> None:
    checksum = (one.checksum or "").strip()
    if not checksum and one.checksum_type is None:
        return
    if one.checksum_type != _WANTED:
        found.add("TT05-FIX-03", where, line=one.line, found=one.checksum_type, expected=_WANTED)
    # Where the type is wrong, as many digits as SHA-256 has are taken for one: the value is judged, not its label.
    algorithm = "sha256" if _SHA256.fullmatch(checksum) else ALGORITHMS.get(one.checksum_type or "", "")
    if not checksum or not algorithm:
        return
    actual = package.received.digest(package.files.whole(where), algorithm)
    if actual is not None and actual != checksum.lower():
        found.add("TT05-FIX-01", where, line=one.line, found=actual.upper(), expected=checksum)


def _unnamed(package: Package, named: dict[bytes, int], unknown: list[bytes], found: Findings) -> None:
    """FIX-05: only where the METS that ought to name a file could be read."""
    if b"" in unknown:
        return
    others = tuple(one.lower() for one in unknown)
    for path in package.files.paths():
        if path in named or path == package.root_path or is_junk(path):
            continue
        if others and path.lower().startswith(others):
            continue
        found.add("TT05-FIX-05", path)
