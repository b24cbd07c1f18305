"""Where things lie in an E-ARK AIP of ours, and what they are called."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from pipeline import digests, names
from pipeline.records import AipIdentity, Link, PackagePath
from pipeline.standards.mets import Pointed, Reference

METS = b"METS.xml"
PREMIS = b"metadata/preservation/premis.xml"
DESCRIPTIVE = b"metadata/descriptive/"

PROFILE = "https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml"
"""AIPM2 lays down this address with host earkdip."""

PROFILES = {"AIP": PROFILE, "DIP": "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml"}
"""What each package that we make names as its profile (DIP2: the address without a version)."""

REPRESENTATIONS = b"representations/"

SUBMITTED = "SUBMITTED"
"""OTHERMDTYPE of metadata that came with the submission and is kept as it came, where no other term is known."""

_FILE = re.compile(r"file:(?:///?)?(?:\./)*", re.IGNORECASE)

_DESCRIPTION = re.compile(rb"dc(-ID-[0-9a-f-]{36})?\.xml")


def base_of(representation: str | None) -> bytes:
    """The folder of a representation with its slash; empty for the package itself."""
    return b"" if representation is None else REPRESENTATIONS + representation.encode() + b"/"


def representation_of(path: bytes) -> str | None:
    """The representation in whose folder a path lies (or whose folder it is); None outside."""
    if not path.startswith(REPRESENTATIONS):
        return None
    name = path[len(REPRESENTATIONS) :].partition(b"/")[0]
    try:
        return name.decode() or None
    except UnicodeDecodeError:
        return None


def identifier(aip: AipIdentity, what: str, ref: str | bytes) -> str:
    """`ID-<uuid>` of a thing, unique over the package: kind of thing, logical path or key."""
    return f"ID-{digests.part_id(aip.uuid, what, ref if isinstance(ref, str) else ref.decode())}"


def file_id(aip: AipIdentity, path: bytes) -> str:
    """METS and PREMIS call a file by the same id."""
    return identifier(aip, "file", path)


def description_path(aip: AipIdentity, target: PackagePath | None) -> PackagePath:
    """The file that describes the package, or a file or folder of it."""
    if target is None:
        return PackagePath(DESCRIPTIVE + b"dc.xml")
    name = f"dc-{identifier(aip, 'description', target)}.xml"
    return PackagePath(base_of(representation_of(target)) + DESCRIPTIVE + name.encode())


def is_generated(path: bytes) -> bool:
    """Whether a path is one that composing writes: METS, PREMIS, descriptions."""
    name = representation_of(path)
    own = path[len(base_of(name)) :] if name is not None else path
    described = own.startswith(DESCRIPTIVE) and _DESCRIPTION.fullmatch(own[len(DESCRIPTIVE) :]) is not None
    return own in (METS, PREMIS) or described


def place_of_event(links: tuple[Link, ...]) -> str | None:
    """The representation whose PREMIS tells of an event, None for that of the package.

    What is about the package stands there; what makes an object stands beside that object; the rest beside the
    first object it is about.
    """
    if not links or any(link.what == "package" for link in links):
        return None
    link = next((link for link in links if link.role == "outcome"), links[0])
    if link.what == "representation":
        return str(link.ref) if isinstance(link.ref, str) else link.ref.decode()
    return representation_of(link.ref if isinstance(link.ref, bytes) else link.ref.encode())


def relative(path: bytes, base: bytes) -> str:
    """The href of a path in the METS that lies in the folder `base`."""
    return names.href(path[len(base) :])


def metadata_of(part: Reference) -> str:
    """What METS calls metadata, as FileRow's `metadata`."""
    kind = part.md_type or ""
    if kind != "OTHER":
        return kind
    return "" if part.other_md_type in (None, "", SUBMITTED) else f"OTHER {part.other_md_type}"


def manifests_of(part: Pointed) -> list[PackagePath]:
    """The METS of a representation that a pointer of the root METS leads to, in each way to read its reference."""
    at = part.pointer.at
    return [path for path in readings(at.href if at is not None else None) if is_manifest(path)]


def is_manifest(path: bytes) -> bool:
    """Whether a path is that of the METS of a representation."""
    name = representation_of(path)
    return name is not None and path == base_of(name) + METS


def target(href: str | None, base: bytes = b"") -> PackagePath | None:
    """The path that a reference means, also one with the file protocol and a relative place (CSIP76)."""
    if not href:
        return None
    path = _FILE.sub("", href.strip())
    return names.unhref(path, base)


def readings(href: str | None, base: bytes = b"") -> Iterator[PackagePath]:
    """The paths that a reference can mean: as a reference, as a name that nobody encoded, or as a form is encoded.

    commons-ip writes a blank as `+`.
    """
    if not href:
        return
    path = target(href, base)
    if path is not None:
        yield path
    raw = posixpath.normpath(href.strip()).encode("utf-8", "surrogateescape")
    if not raw.startswith((b"/", b"..")):
        yield PackagePath(base + b"/" + raw if base else raw)
    if "+" in href and (spaced := target(href.replace("+", "%20"), base)) is not None:
        yield spaced
