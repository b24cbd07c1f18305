"""BagIt Profiles 1.4.0: what a receiver asks of bags beyond the RFC, read from JSON and held against a bag."""

from __future__ import annotations

import difflib
import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import UsageProblem
from pipeline.packages import Received
from pipeline.packages.bagit import manifests
from pipeline.packages.bagit.fetch import FETCH
from pipeline.packages.bagit.manifests import PAYLOAD, Bag, survey
from pipeline.packages.bagit.tagfiles import DECLARATION, Declaration, Lines, declaration, fields
from pipeline.packages.held import Held
from pipeline.records import Finding, Level, PackagePath
from pipeline.settings import PROJECT
from pipeline.tree import Tree

IDENTIFIER = "BagIt-Profile-Identifier"
MOST_BYTES = 1 << 20
"""Largest profile that is read."""

_OWN = PROJECT / "profiles"
_SHOWN = 200
_SERIALIZED = {
    "zip": ("application/zip", "application/x-zip-compressed"),
    "tar": ("application/x-tar", "application/tar"),
    "tar.gz": (
        "application/gzip", "application/x-gzip", "application/tar+gzip", "application/x-gtar", "application/x-tgz",
        "application/x-compressed-tar",
    ),
}  # fmt: skip
"""Media types by which profiles call what a bag travels in; told by its bytes, not by its name."""

_STRINGS = ("Source-Organization", "External-Description", "Version", IDENTIFIER)
_LISTS = (
    "Manifests-Required", "Manifests-Allowed", "Tag-Manifests-Required", "Tag-Manifests-Allowed",
    "Accept-Serialization", "Accept-BagIt-Version", "Tag-Files-Required", "Tag-Files-Allowed",
    "Payload-Files-Required", "Payload-Files-Allowed",
)  # fmt: skip
_FLAGS = ("Allow-Fetch.txt", "Fetch.txt-Required", "Data-Empty")
_KEYS = {"BagIt-Profile-Info", "Bag-Info", "Serialization", *_LISTS, *_FLAGS}
_OF_A_TAG = {"required", "values", "repeatable", "recommended", "description"}


@dataclass(frozen=True, slots=True)
class Tag:
    """What is asked of one label of bag-info.txt; `values` empty: any."""

    label: str
    required: bool = False
    values: tuple[str, ...] = ()
    repeatable: bool = True
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class BagProfile:
    """A profile. Lists of what is allowed are None where the profile does not limit it.

    `unknown` are the fields that no version of the specification has: nothing is held against a bag by them.
    """

    identifier: str
    version: str
    tags: tuple[Tag, ...] = ()
    manifests_required: tuple[str, ...] = ()
    manifests_allowed: tuple[str, ...] | None = None
    tag_manifests_required: tuple[str, ...] = ()
    tag_manifests_allowed: tuple[str, ...] | None = None
    allow_fetch: bool = True
    fetch_required: bool = False
    data_empty: bool = False
    serialization: str = "optional"
    accept_serialization: tuple[str, ...] = ()
    accept_version: tuple[str, ...] = ()
    tag_files_required: tuple[str, ...] = ()
    tag_files_allowed: tuple[str, ...] | None = None
    payload_required: tuple[str, ...] = ()
    payload_allowed: tuple[str, ...] | None = None
    source: str = field(default="", compare=False)
    unknown: tuple[str, ...] = ()


def parsed(raw: bytes, source: str) -> BagProfile:
    """The profile in these bytes. UsageProblem USE-BAG-PROFILE says what is wrong with it, the specification's own
    rules included: what is required must be allowed, a required serialization needs a type. A field of its own is let
    pass, one that is nearly a field of the specification is taken for a slip."""

    def wrong(cause: str) -> UsageProblem:
        return UsageProblem("USE-BAG-PROFILE", profile=source, cause=cause)

    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as problem:
        raise wrong(f"not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise wrong("not a JSON object")
    unknown = _unknown(value, _KEYS, "", wrong)
    about = value.get("BagIt-Profile-Info")
    if not isinstance(about, dict):
        raise wrong("BagIt-Profile-Info is missing")
    for key in _STRINGS:
        if not isinstance(about.get(key), str) or not about[key].strip():
            raise wrong(f"BagIt-Profile-Info: {key} is missing")
    for key in _LISTS:
        if key in value and not _strings(value[key]):
            raise wrong(f"{key} is not a list of strings")
    for key in _FLAGS:
        if key in value and not isinstance(value[key], bool):
            raise wrong(f"{key} is neither true nor false")
    serialization = value.get("Serialization", "optional")
    if serialization not in ("forbidden", "required", "optional"):
        raise wrong(f"Serialization: {serialization}")
    if serialization == "required" and not value.get("Accept-Serialization"):
        raise wrong("Accept-Serialization is missing")
    if not value.get("Accept-BagIt-Version"):
        raise wrong("Accept-BagIt-Version is missing")
    profile = BagProfile(
        about[IDENTIFIER].strip(), str(about.get("BagIt-Profile-Version", "1.1.0")), _tags(value, wrong),
        tuple(map(_algorithm, value.get("Manifests-Required", ()))), _algorithms(value, "Manifests-Allowed"),
        tuple(map(_algorithm, value.get("Tag-Manifests-Required", ()))), _algorithms(value, "Tag-Manifests-Allowed"),
        value.get("Allow-Fetch.txt", True), value.get("Fetch.txt-Required", False), value.get("Data-Empty", False),
        serialization, tuple(value.get("Accept-Serialization", ())), tuple(value["Accept-BagIt-Version"]),
        tuple(value.get("Tag-Files-Required", ())), _list(value, "Tag-Files-Allowed"),
        tuple(value.get("Payload-Files-Required", ())), _list(value, "Payload-Files-Allowed"), source,
        (*unknown, *(one for label, tag in value.get("Bag-Info", {}).items()
                     for one in _unknown(tag, _OF_A_TAG, f"Bag-Info: {label}: ", wrong))),
    )  # fmt: skip
    for name, required, allowed in (
        ("Manifests", profile.manifests_required, profile.manifests_allowed),
        ("Tag-Manifests", profile.tag_manifests_required, profile.tag_manifests_allowed),
        ("Tag-Files", profile.tag_files_required, profile.tag_files_allowed),
        ("Payload-Files", profile.payload_required, profile.payload_allowed),
    ):
        outside = [
            one for one in required
            if allowed is not None and not _covered(one, allowed)
            and not (name == "Tag-Files" and _of_the_rfc(one.encode("utf-8", "surrogatepass")))
        ]  # fmt: skip
        if outside:
            raise wrong(f"{name}-Required, but not in {name}-Allowed: {', '.join(outside)}")
    if profile.fetch_required and not profile.allow_fetch:
        raise wrong("Fetch.txt-Required, but not Allow-Fetch.txt")
    return profile


def load(file: Path) -> BagProfile:
    """A profile in a file. UsageProblem when it cannot be read or is wrong."""
    try:
        with file.open("rb") as source:
            raw = source.read(MOST_BYTES + 1)
    except OSError as problem:
        raise UsageProblem("USE-BAG-PROFILE", profile=file, cause=problem.strerror or problem) from None
    if len(raw) > MOST_BYTES:
        raise UsageProblem("USE-BAG-PROFILE", profile=file, cause=f"> {MOST_BYTES} B")
    return parsed(raw, str(file))


@cache
def known() -> Mapping[str, BagProfile]:
    """The profiles that are published here (`profiles/*.json`), by identifier."""
    found = (load(file) for file in sorted(_OWN.glob("*.json")))
    return {profile.identifier: profile for profile in found}


def named(tree: Tree, received: Received) -> Iterator[Finding]:
    """Findings by the profile that the bag itself names: only where it is one of ours; nothing is ever fetched."""
    declared, _ = declaration(tree)
    bag = survey(received.entries())
    for line, label, value in _info(tree, declared, bag):
        if label.lower() == IDENTIFIER.lower() and value:
            profile = known().get(value)
            if profile is None:
                yield Finding("BAG-PRO-UNKNOWN", declared.info, line, None, value[:_SHOWN])
            else:
                yield from check(profile, tree, received, bag)
            return


def check(profile: BagProfile, tree: Tree, received: Received, bag: Bag | None = None) -> Iterator[Finding]:
    """All that a profile asks and a bag does not keep. The RFC itself is judged by `Bagit.check`."""
    declared, _ = declaration(tree)
    bag = bag or survey(received.entries())
    if profile.unknown:
        yield Finding("BAG-PRO-FIELD", None, None, None, ", ".join(profile.unknown)[: 2 * _SHOWN])
    if declared.version not in profile.accept_version:
        yield Finding("BAG-PRO-VERSION", DECLARATION, 1, ", ".join(profile.accept_version), declared.version)
    yield from _serialization(profile, tree)
    yield from _tags_of(profile, tree, declared, bag)
    yield from _manifests(profile, bag)
    fetch = bag.tags.find(FETCH) is not None
    if fetch and not profile.allow_fetch:
        yield Finding("BAG-PRO-FETCH-FORBIDDEN", FETCH)
    if not fetch and profile.fetch_required:
        yield Finding("BAG-PRO-FETCH-REQUIRED", FETCH)
    yield from _files(profile, bag)


def _serialization(profile: BagProfile, tree: Tree) -> Iterator[Finding]:
    types = _SERIALIZED.get(tree.carrier, ())
    if not types:
        if profile.serialization == "required" and tree.carrier == "folder":
            wanted = ", ".join(profile.accept_serialization)
            yield Finding("BAG-PRO-NOT-SERIALIZED", None, None, wanted, tree.carrier)
        return
    if profile.serialization == "forbidden":
        yield Finding("BAG-PRO-SERIALIZED", None, None, None, types[0])
    elif profile.accept_serialization and not set(types) & set(profile.accept_serialization):
        # A compressed tar is read as well as a tar: where the profile is ours that is no reason to refuse it.
        lenient = tree.carrier == "tar.gz" and profile.identifier in known()
        level = Level.WARNING if lenient and set(_SERIALIZED["tar"]) & set(profile.accept_serialization) else None
        wanted = ", ".join(profile.accept_serialization)
        yield Finding("BAG-PRO-SERIALIZATION", None, None, wanted, types[0], level)


def _tags_of(profile: BagProfile, tree: Tree, declared: Declaration, bag: Bag) -> Iterator[Finding]:
    path = declared.info
    if bag.tags.find(path) is None:
        yield Finding("BAG-PRO-INFO", path)
        return
    said: dict[str, list[tuple[int, str]]] = {}
    for line, label, value in _info(tree, declared, bag):
        said.setdefault(label.lower(), []).append((line, value))
    own = said.get(IDENTIFIER.lower(), [])
    if profile.identifier not in [value for _, value in own]:
        first: tuple[int | None, str | None] = own[0] if own else (None, None)
        yield Finding("BAG-PRO-ID", path, first[0], profile.identifier, (first[1] or "")[:_SHOWN] or None)
    for tag in profile.tags:
        rows = said.get(tag.label.lower(), [])
        if not any(value for _, value in rows):
            if tag.required:
                yield Finding("BAG-PRO-TAG-REQUIRED", path, rows[0][0] if rows else None, tag.label)
            elif tag.recommended:
                yield Finding("BAG-PRO-TAG-RECOMMENDED", path, None, tag.label)
            continue
        if len(rows) > 1 and not tag.repeatable:
            yield Finding("BAG-PRO-TAG-REPEATED", path, rows[1][0], tag.label, str(len(rows)))
        for line, value in rows:
            if tag.values and value not in tag.values:
                wanted = f"{tag.label}: {' | '.join(tag.values)}"
                yield Finding("BAG-PRO-TAG-VALUE", path, line, wanted[: 2 * _SHOWN], value[:_SHOWN])


def _manifests(profile: BagProfile, bag: Bag) -> Iterator[Finding]:
    for tag, required, allowed, missing, refused in (
        (False, profile.manifests_required, profile.manifests_allowed, "BAG-PRO-MANIFEST-REQUIRED",
         "BAG-PRO-MANIFEST-ALLOWED"),
        (True, profile.tag_manifests_required, profile.tag_manifests_allowed, "BAG-PRO-TAGMANIFEST-REQUIRED",
         "BAG-PRO-TAGMANIFEST-ALLOWED"),
    ):  # fmt: skip
        held = {_algorithm(one.spelled): one.path for one in bag.manifests if one.tag is tag}
        for algorithm in required:
            if algorithm not in held:
                name = f"{'tag' if tag else ''}manifest-{algorithm}.txt"
                yield Finding(missing, PackagePath(name.encode()), None, algorithm)
        for algorithm, path in sorted(held.items()):
            if allowed is not None and algorithm not in allowed:
                yield Finding(refused, path, None, ", ".join(allowed), algorithm)


def _files(profile: BagProfile, bag: Bag) -> Iterator[Finding]:
    for required, held, code in (
        (profile.tag_files_required, bag.tags, "BAG-PRO-TAGFILE-REQUIRED"),
        (profile.payload_required, bag.payload, "BAG-PRO-PAYLOAD-REQUIRED"),
    ):
        for name in required:
            if not _there(name, held, bag):
                yield Finding(code, PackagePath(name.encode("utf-8", "surrogatepass")))
    for allowed, held, code in (
        (profile.tag_files_allowed, bag.tags, "BAG-PRO-TAGFILE-ALLOWED"),
        (profile.payload_allowed, bag.payload, "BAG-PRO-PAYLOAD-ALLOWED"),
    ):
        if allowed is None:
            continue
        fits = _pattern(allowed)
        for path in held.paths:
            if not fits(path.decode("utf-8", "surrogateescape")) and not (held is bag.tags and _of_the_rfc(path)):
                yield Finding(code, path, None, ", ".join(allowed)[: 2 * _SHOWN])
    if profile.data_empty and not (not bag.payload.paths or (len(bag.payload.paths) == 1 and bag.octets == 0)):
        yield Finding("BAG-PRO-DATA", PackagePath(PAYLOAD[:-1]), None, "0", f"{bag.octets}.{len(bag.payload.paths)}")


def _there(name: str, held: Held, bag: Bag) -> bool:
    path = name.encode("utf-8", "surrogatepass")
    if not name.endswith("/"):
        return held.find(path) is not None
    return held.is_folder(path) or path.rstrip(b"/") in bag.empty


def _of_the_rfc(path: bytes) -> bool:
    """Tag files that other fields of a profile are about."""
    return path in (DECLARATION, FETCH, b"bag-info.txt") or manifests.manifest(path) is not None


def _info(tree: Tree, declared: Declaration, bag: Bag) -> Iterator[tuple[int, str, str]]:
    path = declared.info
    if bag.tags.find(path) is None:
        return
    for item in fields(Lines(tree, path, declared.encoding), path, declared.strict):
        if not isinstance(item, Finding):
            yield item


def _pattern(allowed: tuple[str, ...]) -> Any:
    """Whether a path fits one of the patterns; `*` stands for any characters, `/` among them."""
    one = re.compile("|".join(f"(?:{fnmatch.translate(pattern)})" for pattern in allowed) or r"(?!)", re.DOTALL)
    return one.fullmatch


def _covered(name: str, allowed: tuple[str, ...]) -> bool:
    fits = _pattern(allowed)
    return bool(fits(name) or (name.endswith("/") and fits(f"{name}x")))


def _algorithm(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _algorithms(value: dict[str, Any], key: str) -> tuple[str, ...] | None:
    return tuple(map(_algorithm, value[key])) if key in value else None


def _list(value: dict[str, Any], key: str) -> tuple[str, ...] | None:
    return tuple(value[key]) if key in value else None


def _unknown(value: dict[str, Any], known: set[str], where: str, wrong: Any) -> tuple[str, ...]:
    """Keys that the specification does not have; raises for one that is a slip of the pen."""
    found = tuple(sorted(set(value) - known))
    if slips := [key for key in found if difflib.get_close_matches(key, known, 1, 0.8)]:
        raise wrong(f"{where}unknown: {', '.join(slips)}")
    return tuple(f"{where}{key}" for key in found)


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _tags(value: dict[str, Any], wrong: Any) -> tuple[Tag, ...]:
    told = value.get("Bag-Info", {})
    if not isinstance(told, dict):
        raise wrong("Bag-Info is not an object")
    found = []
    for label, one in told.items():
        if not isinstance(one, dict):
            raise wrong(f"Bag-Info: {label} is not an object")
        for key in ("required", "repeatable", "recommended"):
            if not isinstance(one.get(key, False), bool):
                raise wrong(f"Bag-Info: {label}: {key} is neither true nor false")
        if not _strings(one.get("values", [])):
            raise wrong(f"Bag-Info: {label}: values is not a list of strings")
        found.append(
            Tag(label, one.get("required", False), tuple(one.get("values", ())), one.get("repeatable", True),
                one.get("recommended", False))
        )  # fmt: skip
    return tuple(found)
