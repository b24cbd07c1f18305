"""Packages damaged at random: judging them never crashes or hangs, and none passes whose damage METS can see.

`LUUTRU_MUTATIONS=10000` asks for that many packages with other bytes, digests or archives in place of the few of a
quick run, and for every lost or added file and every required element.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline.findings import as_json
from pipeline.packages.tt05.container import arrival
from pipeline.settings import Limits
from pipeline.tree import open_tree
from tests.packages.tt05 import fields
from tests.packages.tt05.build import build, folder, zipped
from tests.packages.tt05.judged import Said, by_profile, said
from tests.packages.tt05.shape import EAD, REP, ROOT, Built, full, plain

MANY = int(os.environ.get("LUUTRU_MUTATIONS", "0"))


def times(few: int, share: float) -> settings:
    """So many packages, or this share of those asked for. Kinds of damage that are soon told over end sooner."""
    return settings(
        max_examples=int(MANY * share) or few,
        deadline=timedelta(seconds=60),
        suppress_health_check=list(HealthCheck),
        derandomize=not MANY,
        database=None,
    )


TOKENS = (
    b"<", b">", b'"', b"&", b"/", b"=", b" ", b"\0", b"\xff", b"<!--", b"]]>", b"&#0;", b"&lt;", b"..", b"%", b"<a>",
    b'xmlns=""', b"9" * 40, b"-1", b"2026", b"\xc4\x91", b"<!DOCTYPE a>", b"03", b"%2e%2e/", b"%00", b"urn:uuid:",
)  # fmt: skip
REQUIRED = {
    "SIP_hoso": ("fileCode", "title", "maintenance", "mode", "language", "startDate", "endDate", "totalDoc"),
    "SIP_tailieu": ("fileCode", "title", "source", "totalDoc"),
    "AIP_hoso": ("arcFileCode", "title", "maintenance", "mode", "language", "startDate", "endDate", "numberOfPage"),
    "AIP_tailieu": ("arcFileCode", "title", "source"),
    "DIP": ("requestID", "requestDate", "purpose", "purposeContent", "feeObjectType", "researchTopic"),
}
REQUIRED_OF_TEXTS = {
    "SIP_hoso": ("docId", "docCode", "maintenance", "typeName", "issuedDate", "organName", "subject", "mode"),
    "SIP_tailieu": ("docId", "docCode", "language", "numberOfPage", "riskRecovery", "subject"),
    "AIP_hoso": ("arcFileCode", "docCode", "docOrdinal", "typeName", "issuedDate", "organName", "subject", "mode"),
    "AIP_tailieu": ("arcFileCode", "docCode", "docOrdinal", "language", "numberOfPage"),
    "DIP": ("docId", "arcDocCode", "maintenance", "typeName", "issuedDate", "subject", "language", "mode"),
}


Rewrite = Callable[[str, bytes], bytes]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Built, Path]]:
    home = tmp_path_factory.mktemp("mutated")
    found = {}
    for type in fields.TYPES:
        made = build(full(type))
        found[type] = (made, folder(made, home / type))
    return found


def judged(package: Path, profile: str) -> Said:
    """What is said, each finding with its texts."""
    found = said(package, by_profile(profile))
    for finding, _ in found.findings:
        assert as_json(finding)["message"]["vi"]
    assert all(one.verdict in ("valid", "invalid", "decision") for one in found.documents)
    return found


def mutated(data: st.DataObject, content: bytes) -> bytes:
    """One to three pieces inserted, deleted, repeated, replaced or cut."""
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content)))
        end = min(len(content), begin + data.draw(st.integers(0, 80)))
        piece = content[begin:end]
        change = data.draw(st.sampled_from(["insert", "delete", "repeat", "replace", "cut", "flip"]))
        if change == "insert":
            content = content[:begin] + data.draw(st.sampled_from(TOKENS)) + content[begin:]
        elif change == "delete":
            content = content[:begin] + content[end:]
        elif change == "repeat":
            content = content[:end] + piece + content[end:]
        elif change == "replace":
            content = content[:begin] + data.draw(st.sampled_from(TOKENS)) + content[end:]
        elif change == "cut":
            content = content[:begin]
        else:
            content = content[:begin] + bytes(one ^ 0x11 for one in piece) + content[end:]
    return content


KINDS = st.sampled_from(fields.TYPES)
PROFILE = st.sampled_from(fields.PROFILES)


@given(KINDS, PROFILE, st.data())
@times(60, 0.6)
def test_changed_bytes_are_seen(
    packages: dict[str, tuple[Built, Path]], type: str, profile: str, data: st.DataObject
) -> None:
    """Any file but the root METS, which nothing digests: there only its own digests are told apart from the rest."""
    made, root = packages[type]
    names = sorted(made.files)
    weighted = [ROOT, EAD, *(name for name in names if name.endswith(".xml") and "/data/" not in name)]
    name = data.draw(st.one_of(st.sampled_from(weighted), st.sampled_from(names)))
    before = made.files[name]
    after = mutated(data, before)
    (root / name).write_bytes(after)
    try:
        found = judged(root, profile)
        if name != ROOT and after != before:
            assert not found.valid, name
    finally:
        (root / name).write_bytes(before)


@given(KINDS, PROFILE, st.data())
@times(40, 0.2)
def test_a_damaged_digest_or_size_is_seen(
    packages: dict[str, tuple[Built, Path]], type: str, profile: str, data: st.DataObject
) -> None:
    made, root = packages[type]
    text = made.files[ROOT].decode()
    told = list(re.finditer(r'(?:CHECKSUM="([0-9A-F]+)"| SIZE="([0-9]+)")', text))
    one = data.draw(st.sampled_from(told))
    group = 1 if one[1] else 2
    at = data.draw(st.integers(one.start(group), one.end(group) - 1))
    digit = data.draw(
        st.sampled_from("0123456789ABCDEF" if group == 1 else "123456789").filter(lambda d: d != text[at])
    )
    (root / ROOT).write_text(text[:at] + digit + text[at + 1 :], encoding="utf-8", newline="")
    try:
        assert not judged(root, profile).valid
    finally:
        (root / ROOT).write_bytes(made.files[ROOT])


@given(KINDS, PROFILE, st.data())
@times(40, 0.2)
def test_a_lost_or_added_file_is_seen(
    packages: dict[str, tuple[Built, Path]], type: str, profile: str, data: st.DataObject
) -> None:
    made, root = packages[type]
    name = data.draw(st.sampled_from(sorted(made.files)))
    lose = data.draw(st.booleans())
    target = root / name if lose else root / f"{name}.them"
    if lose:
        target.unlink()
    else:
        target.write_bytes(b"x\n")
    try:
        assert not judged(root, profile).valid
    finally:
        if lose:
            target.write_bytes(made.files[name])
        else:
            target.unlink()


@given(KINDS, PROFILE, st.data())
@times(30, 0.2)
def test_a_required_element_that_is_gone_or_empty_is_seen(
    tmp_path_factory: pytest.TempPathFactory, type: str, profile: str, data: st.DataObject
) -> None:
    """With every digest right."""
    of_package = data.draw(st.booleans())
    element = data.draw(st.sampled_from((REQUIRED if of_package else REQUIRED_OF_TEXTS)[type]))
    empty = data.draw(st.booleans())
    shape = plain(type)
    if of_package:
        change = {"ead": {element: ""}} if empty else {"ead_drop": (element,)}
        shape = replace(shape, **change)
    else:
        number = data.draw(st.integers(0, 1))
        documents = list(shape.documents)
        one = documents[number]
        stem = f"{shape.file_code if shape.of == 'SIP' else plain('SIP_' + type[4:]).file_code}.{number + 1}"
        documents[number] = replace(
            one, fields={element: ""} if empty else {}, drop=() if empty else (element,), stem="" if empty else stem
        )
        if empty:
            documents[number] = replace(documents[number], stem=stem)
        shape = replace(shape, documents=tuple(documents))
    home = tmp_path_factory.mktemp("required", numbered=True)
    package = folder(build(shape), home)
    try:
        assert not judged(package, profile).valid, element
    finally:
        _remove(home)


@given(KINDS, PROFILE, st.data())
@times(40, 0.2)
def test_a_damaged_archive_never_passes_with_other_bytes(
    packages: dict[str, tuple[Built, Path]], type: str, profile: str, data: st.DataObject
) -> None:
    made, root = packages[type]
    archive = root.parent / (f"1{made.folder}.zip" if type[:3] == "SIP" else f"{made.folder}.zip")
    whole = _ZIPS.setdefault(type, zipped(made))
    content = bytearray(whole)
    directory = whole.rindex(b"PK\x05\x06")
    first = int.from_bytes(whole[directory + 16 : directory + 20], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        low = data.draw(st.sampled_from([0, first]))
        at = data.draw(st.integers(low, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
    archive.write_bytes(content)
    try:
        found = judged(archive, profile)
        if found.valid:
            assert _sums(archive) == {name: hashlib.sha256(one).digest() for name, one in made.files.items()}
    finally:
        archive.unlink()


_ZIPS: dict[str, bytes] = {}


def _sums(archive: Path) -> dict[str, bytes]:
    """What the package in an archive holds, as we read it."""
    opened = open_tree(archive, Limits())
    assert opened.tree is not None
    try:
        assert arrival(opened.tree, archive).archive == archive.name
        found = {}
        for entry in opened.tree.entries():
            if not entry.is_folder:
                with opened.tree.open(entry.path) as source:
                    found[entry.path.decode()] = hashlib.sha256(source.read()).digest()
        return found
    finally:
        opened.tree.close()


def test_the_archives_are_whole() -> None:
    with zipfile.ZipFile(BytesIO(zipped(build(plain())))) as made:
        assert made.testzip() is None


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)


PARTS = ("metsHdr", "dmdSec", "fileSec", "fileGrp", "file", "structMap", "div", "mdRef", "FLocat")


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("path", [ROOT, REP])
def test_a_required_part_of_mets_that_is_gone_is_seen(tmp_path: Path, path: str, name: str) -> None:
    """The first of its name, or all of them, taken out, with every digest right; types and profiles in turns."""

    def without(number: int | None) -> Rewrite:
        def change(at: str, data: bytes) -> bytes:
            if at != path:
                return data
            root = etree.fromstring(data)
            for one in list(root.iter(f"{{http://www.loc.gov/METS/}}{name}"))[:number]:
                parent = one.getparent()
                assert parent is not None
                parent.remove(one)
            return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

        return change

    at = PARTS.index(name) + (path == REP)
    type, profile = fields.TYPES[at % 5], fields.PROFILES[at % 2]
    for number in (1, None):
        shape = replace(full(type), rewrite=without(number))
        assert not judged(folder(build(shape), tmp_path / str(number)), profile).valid, type
