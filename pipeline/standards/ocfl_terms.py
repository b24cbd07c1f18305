"""Terms of OCFL: specification versions, version names, digest algorithms, registered extensions, layouts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, Protocol

from pipeline.standards.ocfl import encoded_id

SPECIFICATIONS: Final = ("1.0", "1.1")
"""The versions that are judged, oldest first."""

OBJECT_DECLARATION: Final = re.compile(r"0=ocfl_object_(1\.[01])\Z")
ROOT_DECLARATION: Final = re.compile(r"0=ocfl_(1\.[01])\Z")
INVENTORY_TYPE: Final = re.compile(r"https://ocfl\.io/(1\.[01])/spec/#inventory\Z")

# The register of extensions on 28 November 2026, `initial` being the name reserved by the register itself.
EXTENSIONS: Final = frozenset(
    {
        "0001-digest-algorithms",
        "0002-flat-direct-storage-layout",
        "0003-hash-and-id-n-tuple-storage-layout",
        "0004-hashed-n-tuple-storage-layout",
        "0005-mutable-head",
        "0006-flat-omit-prefix-storage-layout",
        "0007-n-tuple-omit-prefix-storage-layout",
        "0008-schema-registry",
        "0009-digest-algorithms",
        "0010-differential-n-tuple-omit-prefix-storage-layout",
        "0011-direct-clean-path-layout",
        "0012-hash-and-id-n-tuple-storage-layout",
        "initial",
    }
)
LAYOUTS: Final = frozenset(name for name in EXTENSIONS if name.endswith("-layout"))


class Digest(Protocol):
    """What hashlib makes, or something like it."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class _Size:
    """The algorithm `size` of extension 0009: the number of bytes, in decimal."""

    def __init__(self) -> None:
        self._size = 0

    def update(self, data: bytes, /) -> None:
        self._size += len(data)

    def hexdigest(self) -> str:
        return str(self._size)


def _blake(bits: int) -> Callable[[], Digest]:
    return lambda: hashlib.blake2b(digest_size=bits // 8)


# Name → (digits of a value, maker). §3.4, and the tables of extensions 0001 and 0009.
ALGORITHMS: Final[Mapping[str, tuple[int, Callable[[], Digest]]]] = {
    "md5": (32, lambda: hashlib.md5(usedforsecurity=False)),
    "sha1": (40, lambda: hashlib.sha1(usedforsecurity=False)),
    "sha256": (64, hashlib.sha256),
    "sha512": (128, hashlib.sha512),
    "sha512/256": (64, lambda: hashlib.new("sha512_256")),
    "blake2b-160": (40, _blake(160)),
    "blake2b-256": (64, _blake(256)),
    "blake2b-384": (96, _blake(384)),
    "blake2b-512": (128, _blake(512)),
    "size": (0, _Size),
}
CONTENT_ALGORITHMS: Final = ("sha512", "sha256")
"""Those that may address content (E025)."""

_HEX: Final = re.compile(r"[0-9A-Fa-f]+\Z")
_DECIMAL: Final = re.compile(r"[0-9]{1,20}\Z")
_NUMBER: Final = re.compile(r"v(0*)([0-9]{1,9})\Z")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+\Z")


def is_value(algorithm: str, value: str) -> bool:
    """Whether a digest value has the form that its algorithm gives: hexadecimal, of full length."""
    length = ALGORITHMS[algorithm][0]
    return bool(_HEX.match(value)) and len(value) == length if length else bool(_DECIMAL.match(value))


def is_time(text: str) -> bool:
    """Internet date and time of RFC 3339: to the second, with a zone (E049); a leap second counts as one."""
    match = _TIME.match(text)
    if match is None:
        return False
    day, minute, second, zone = match.groups()
    try:
        datetime.fromisoformat(f"{day}T{minute}:{'59' if second == '60' else second}{zone.upper()}")
    except ValueError:
        return False
    return True


def is_uri(text: str) -> bool:
    """Whether a text has the form of a URI with its scheme (RFC 3986, §3); characters beyond ASCII are let pass."""
    return bool(_URI.match(text))


def sequence(names: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The version names in order as far as they are continuous, and (code, name) of what is wrong with the rest.

    §3.3: E008 no version, E009 not from 1, E010 a gap, E011 a padded number without its zero, E012 and E013 more
    than one convention, E104 no `v`, E105 no positive number, E046 anything else.
    """
    left = set(names)
    if not left:
        return [], [("E008", "")]
    numbered = {name: match for name in left if (match := _NUMBER.match(name)) is not None}
    firsts = sorted(name for name, match in numbered.items() if int(match[2]) == 1)
    found: list[str] = []
    wrong: list[tuple[str, str]] = []
    width = 0
    if firsts:
        # The first version makes the convention (§3.3).
        first = firsts[0] if "v1" not in firsts else "v1"
        width = len(first) - 1 if first != "v1" else 0
        while (name := version_name(len(found) + 1, width)) in left:
            found.append(name)
            left.discard(name)
    else:
        wrong.append(("E009", min(left)))
    for name in sorted(left):
        match = numbered.get(name)
        if match is None:
            wrong.append(("E046" if name.startswith("v") else "E104", name))
        elif int(match[2]) == 0:
            wrong.append(("E105", name))
        elif width and not match[1]:
            wrong += [("E011", name), ("E013", name)]
        elif firsts and name != version_name(int(match[2]), width):
            wrong.append(("E012", name))
        else:
            wrong.append(("E010", name))
    return found, wrong


def version_name(number: int, width: int) -> str:
    """`v3`, or `v003` where numbers have `width` digits; a number that would lose its zero has no name (E011)."""
    if not width:
        return f"v{number}"
    digits = f"{number:0{width}d}"
    return f"v{digits}" if digits[0] == "0" else ""


class Layout:
    """Where objects lie below a storage root by a registered layout; made by `layout`."""

    def __init__(self, extension: str, digest: Callable[[str], str], size: int, tuples: int, last: str) -> None:
        self.extension = extension
        self._digest = digest
        self._size, self._tuples, self._last = size, tuples, last

    def path(self, identifier: str) -> str:
        """The path of an object below its storage root."""
        if self._last == "id":
            return identifier
        digest = self._digest(identifier)
        pieces = [digest[i * self._size : (i + 1) * self._size] for i in range(self._tuples)]
        if self._last == "encoded":
            last = encoded_id(identifier)
            last = last if len(last) <= 100 else f"{last[:100]}-{digest}"
        elif self._last == "short":
            last = digest[self._size * self._tuples :]
        else:
            last = digest
        return "/".join([*pieces, last])


def layout(extension: str, config: Mapping[str, object]) -> Layout | None:
    """The layout that an extension's config.json describes; None for one that cannot be computed here.

    0002, 0003 and 0004; the others need no more than an identifier, too, but cut it in ways nobody asked for yet.
    """
    if extension == "0002-flat-direct-storage-layout":
        return Layout(extension, str, 0, 0, "id")
    named = {"0003-hash-and-id-n-tuple-storage-layout": "encoded", "0004-hashed-n-tuple-storage-layout": "full"}
    algorithm = config.get("digestAlgorithm", "sha256")
    size, tuples = config.get("tupleSize", 3), config.get("numberOfTuples", 3)
    if extension not in named or not isinstance(algorithm, str) or algorithm not in ALGORITHMS or algorithm == "size":
        return None
    if not isinstance(size, int) or not isinstance(tuples, int) or not (0 <= size <= 32 and 0 <= tuples <= 32):
        return None
    if size * tuples > ALGORITHMS[algorithm][0]:
        return None
    last = named[extension]
    if last == "full" and config.get("shortObjectRoot") is True:
        last = "short"

    def digest(identifier: str) -> str:
        made = ALGORITHMS[algorithm][1]()
        made.update(identifier.encode("utf-8", "surrogatepass"))
        return made.hexdigest()

    return Layout(extension, digest, size, tuples, last)
