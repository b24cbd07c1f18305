"""The OCFL validator: every code by an object that is wrong in that way, the fixtures of the editors, hostile input."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocfl.object import Object as Judge

from pipeline.findings import codes
from pipeline.records import Finding
from pipeline.settings import Limits
from pipeline.standards import ocfl, ocfl_terms
from pipeline.storage.stores import Store
from pipeline.storage.validation import inventories, objects
from pipeline.storage.validation.objects import Checked, validate_object
from pipeline.storage.validation.paths import conflicts
from pipeline.storage.validation.roots import validate_root
from pipeline.storage.validation.shelves import FolderShelf, StoreShelf, TreeShelf
from pipeline.tree import open_tree
from tests.judges.storage import complaint
from tests.storage.ocfl_objects import WRONG_FOLDERS, WRONG_OBJECTS, WRONG_ROOTS, Object, storage_root

FIXTURES = Path(__file__).parent.parent / "data" / "ocfl-fixtures-1.1"
TABLE = Path(__file__).with_name("ocfl_conformance.tsv")


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))


def told(checked: Checked) -> set[str]:
    return {finding.code for finding in checked.findings}


def errors(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings if codes()[finding.code].level == "error"}


# ---------------------------------------------------------------------- the fixtures of the editors


def test_the_table_names_every_fixture_and_every_exception() -> None:
    fixtures = {str(one.relative_to(FIXTURES)) for one in FIXTURES.glob("*-objects/*")}
    assert {row["object"] for row in rows()} == fixtures and len(fixtures) == 80
    for row in rows():
        named = {f"OCFL-{code}" for code in re.findall(r"[EW]\d{3}", row["object"].rpartition("/")[2])}
        assert named <= set(row["codes"].split()), "a code of the name is not told, and no exception is granted"
        assert bool(row["ocfl-py says otherwise"]) == bool(row["why"]), row


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["object"])
def test_fixture(row: dict[str, str]) -> None:
    checked = validate_object(FolderShelf(FIXTURES / row["object"]))
    assert told(checked) == set(row["codes"].split())
    assert bool(errors(checked.findings)) == row["object"].startswith("bad")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["object"])
def test_fixture_by_the_other_validator(row: dict[str, str]) -> None:
    """ocfl-py on the same objects: where it tells other codes, the table says which and why."""
    folder = str(FIXTURES / row["object"])
    good, judge = Judge(path=folder).validate(folder)
    theirs = {f"OCFL-{complaint(message, '')[0]}" for message in judge.log.messages}
    ours = set(row["codes"].split())
    other = sorted({f"-{code}" for code in ours - theirs} | {f"+{code}" for code in theirs - ours})
    assert " ".join(other) == row["ocfl-py says otherwise"]
    assert good == row["object"].startswith(("good", "warn"))


# ---------------------------------------------------------------------- every code


def test_every_code_has_its_object() -> None:
    ours = {code for code in codes() if code.startswith("OCFL-")}
    assert ours == {"OCFL-LIMIT"} | WRONG_OBJECTS.keys() | WRONG_FOLDERS.keys() | WRONG_ROOTS.keys()


def test_a_right_object_is_right(tmp_path: Path) -> None:
    read: list[int] = []
    checked = validate_object(FolderShelf(Object().write(tmp_path)), on_file=read.append)
    assert checked == Checked((), "1.1", "urn:example:1", "v2", 9, checked.bytes)
    assert read == [1, 1]
    assert Judge(path=str(tmp_path)).validate(str(tmp_path))[0]


UNSEEN = {
    "OCFL-E007": "accepted",  # it takes the declaration without its newline
    "OCFL-E038": "accepted",  # it takes the type of an earlier specification in the root inventory
    "OCFL-E041": "broken",  # TypeError while it compares with an older inventory
    "OCFL-E051": "broken",  # AttributeError on a path that is no text
    "OCFL-E102": "accepted",  # it does not look for keys that the specification does not know
}
"""What ocfl-py 2.1.0 does instead of refusing the object."""


def refused(folder: Path) -> str:
    try:
        return "accepted" if Judge(path=str(folder)).validate(str(folder))[0] else "refused"
    except (TypeError, AttributeError, ValueError, KeyError):
        return "broken"


@pytest.mark.parametrize("code", WRONG_OBJECTS)
def test_a_wrong_object(code: str, tmp_path: Path) -> None:
    one = Object()
    WRONG_OBJECTS[code](one)
    assert code in told(validate_object(FolderShelf(one.write(tmp_path)))), "not told"
    structure = told(validate_object(FolderShelf(tmp_path), content=False))
    assert code in structure or code in ("OCFL-E092", "OCFL-E093")
    # An object with any error is refused by the other validator, too, apart from what it does not see.
    if code.startswith("OCFL-E"):
        assert refused(tmp_path) == UNSEEN.get(code, "refused")


@pytest.mark.parametrize("code", WRONG_FOLDERS)
def test_what_only_a_folder_can_have(code: str, tmp_path: Path) -> None:
    Object().write(tmp_path)
    WRONG_FOLDERS[code](tmp_path)
    assert code in told(validate_object(FolderShelf(tmp_path)))


def test_a_right_storage_root(tmp_path: Path) -> None:
    checked = validate_root(FolderShelf(storage_root(tmp_path / "root")))
    assert (checked.findings, checked.objects, checked.good) == ((), 2, 2)


@pytest.mark.parametrize("code", WRONG_ROOTS)
def test_a_wrong_storage_root(code: str, tmp_path: Path) -> None:
    root = storage_root(tmp_path / "root")
    WRONG_ROOTS[code](root)
    assert code in {finding.code for finding in validate_root(FolderShelf(root)).findings}


def test_an_object_below_content_is_content(tmp_path: Path) -> None:
    """Whoever keeps an OCFL object inside another has no object in an object, as long as it is listed content."""
    root = storage_root(tmp_path / "root")
    (root / "a1/object-1/v1/content/0=ocfl_object_1.1").write_bytes(b"ocfl_object_1.1\n")
    assert {finding.code for finding in validate_root(FolderShelf(root)).findings} == {"OCFL-E023"}


def test_objects_are_named_in_the_findings_of_a_root(tmp_path: Path) -> None:
    root = storage_root(tmp_path / "root")
    (root / "a2/object-2/v1/content/a.txt").write_bytes(b"changed")
    seen: list[str] = []
    checked = validate_root(FolderShelf(root), on_object=lambda path, one: seen.append(path))
    (finding,) = checked.findings
    assert (finding.code, finding.file) == ("OCFL-E092", b"a2/object-2/v1/content/a.txt")
    assert finding.found is not None and hashlib.sha512(b"changed").hexdigest() == finding.found
    assert seen == ["a1/object-1", "a2/object-2"] and (checked.objects, checked.good) == (2, 1)


# ---------------------------------------------------------------------- wherever it lies


def test_the_same_in_a_store_and_in_an_archive(store: Store, tmp_path: Path) -> None:
    one = Object()
    one.files.update({"v1/content/stray": b"x", "v1/content/a.txt": b"wrong"})
    folder = one.write(tmp_path / "object")
    with zipfile.ZipFile(tmp_path / "object.zip", "w") as packed:
        for file in sorted(folder.rglob("*")):
            packed.write(file, file.relative_to(folder).as_posix())
            if file.is_file():
                store.replace(f"ocfl/a/{file.relative_to(folder).as_posix()}", file.read_bytes())
    expected = validate_object(FolderShelf(folder))
    assert told(expected) == {"OCFL-E023", "OCFL-E092"}
    assert validate_object(StoreShelf(store, "ocfl/a/")) == expected
    tree = open_tree(tmp_path / "object.zip", Limits()).tree
    assert tree is not None
    assert validate_object(TreeShelf(tree)) == expected
    below = validate_object(StoreShelf(store, "ocfl/"), "a/")
    assert [finding.file for finding in below.findings] == [b"a/" + (one.file or b"") for one in expected.findings]


# ---------------------------------------------------------------------- hostile input


def broken(text: bytes, tmp_path: Path) -> set[str]:
    one = Object()
    one.raw.update({"": text or b"\n", "v2/": text})
    return told(validate_object(FolderShelf(one.write(tmp_path))))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b'{"id": "\xff"}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"head": ' + b"9" * 200_000 + b"}",
        b'{"head": NaN}',
        b"{} {}",
        b'{"id": "a", "id": "b"}',
        b'{"versions": {"v1": {"state": {}, "state": {}}}}',
    ],
    ids=range(14),
)
def test_what_is_no_inventory_is_told(text: bytes, tmp_path: Path) -> None:
    assert "OCFL-E033" in broken(text, tmp_path)


@pytest.mark.parametrize("value", ["1e999999999", "-0.0", '"\\ud800"', '"\\u0000"', "[]", "{}", "true"])
@pytest.mark.parametrize("key", ["id", "type", "head", "digestAlgorithm", "contentDirectory", "manifest", "versions"])
def test_odd_values_are_told(key: str, value: str, tmp_path: Path) -> None:
    one = Object()
    one.v2[key] = "@"
    found = broken(json.dumps(one.v2).replace('"@"', value).encode(), tmp_path)
    assert any(code.startswith("OCFL-E") or code == "OCFL-W005" for code in found)


def test_a_value_without_end_is_cut_off(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inventories, "LONGEST_VALUE", 1 << 20)
        assert "OCFL-E033" in broken(b'{"id": "' + b"a" * (4 << 20) + b'"}', tmp_path)


def test_inventories_made_to_be_read_again_and_again(tmp_path: Path) -> None:
    one = Object()
    WRONG_OBJECTS["OCFL-W004"](one)  # SHA-512 in the first version, SHA-256 in the second
    one.write(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "MOST_AGAIN", 100)
        assert told(validate_object(FolderShelf(tmp_path))) == {"OCFL-W004", "OCFL-LIMIT"}
    assert told(validate_object(FolderShelf(tmp_path))) == {"OCFL-W004"}


def test_digests_that_stand_twice_word_for_word(tmp_path: Path) -> None:
    """What json.load would swallow."""
    one = Object()
    text = json.dumps(one.v2)
    first = next(iter(one.v2["manifest"]))
    doubled = text.replace('"manifest": {', f'"manifest": {{"{first}": ["v1/content/zz"], ', 1)
    assert "OCFL-E096" in broken(doubled.encode(), tmp_path)


def test_nothing_outside_the_object_is_read(tmp_path: Path) -> None:
    """Paths that climb, absolute ones, links in the place of content or of the inventory itself."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"a")
    one = Object()
    for inventory in one.both:
        inventory["manifest"] = {
            digest: ["v1/content/../../../secret", "/etc/passwd", str(secret)] for digest in inventory["manifest"]
        }
    found = told(validate_object(FolderShelf(one.write(tmp_path / "climbing"))))
    assert {"OCFL-E099", "OCFL-E100", "OCFL-E023"} <= found
    linked = Object().write(tmp_path / "linked")
    for path in ("v1/content/a.txt", "inventory.json"):
        (linked / path).unlink()
        (linked / path).symlink_to(secret)
    assert {"OCFL-E063", "OCFL-E090"} <= told(validate_object(FolderShelf(linked)))
    folder = Object().write(tmp_path / "folder")
    shutil.rmtree(folder / "v1")
    (folder / "v1").symlink_to(tmp_path / "climbing/v1")
    assert {"OCFL-E046", "OCFL-E090", "OCFL-E092"} <= told(validate_object(FolderShelf(folder)))


def test_hard_links_inside_an_object(tmp_path: Path) -> None:
    Object().write(tmp_path)
    os.link(tmp_path / "v1/content/a.txt", tmp_path / "v1/content/twin")
    assert {"OCFL-E090", "OCFL-E023"} == told(validate_object(FolderShelf(tmp_path)))


def test_folders_without_end(tmp_path: Path) -> None:
    Object().write(tmp_path / "object")
    here = os.open(tmp_path / "object/v1/content", os.O_RDONLY)
    try:
        for _ in range(60):
            os.mkdir("d" * 200, dir_fd=here)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    assert told(validate_object(FolderShelf(tmp_path / "object"))) == {"PKG-PATH-LONG"}
    os.system(f"rm -rf '{tmp_path}/object'")


def test_names_that_no_inventory_can_hold(tmp_path: Path) -> None:
    Object().write(tmp_path)
    (tmp_path / os.fsdecode(b"v1/content/\xff")).write_bytes(b"x")
    checked = validate_object(FolderShelf(tmp_path))
    assert [(one.code, one.file) for one in checked.findings] == [("OCFL-E023", b"v1/content/\xff")]


def test_many_findings_of_a_code_are_counted(tmp_path: Path) -> None:
    Object().write(tmp_path)
    for number in range(1010):
        (tmp_path / f"v1/content/{number}").write_bytes(b"")
    checked = validate_object(FolderShelf(tmp_path))
    assert len(checked.findings) == 1001
    assert Finding("PKG-MORE", expected="OCFL-E023", found="10") in checked.findings


# ---------------------------------------------------------------------- properties

_NAMES = st.lists(st.sampled_from(["a", "b", "c", "é", "-"]), min_size=1, max_size=3).map("/".join)


@given(st.lists(_NAMES, max_size=12))
def test_conflicts_are_those_that_folders_would_have(paths: list[str]) -> None:
    naive = {
        path
        for at, path in enumerate(paths)
        for other, twin in enumerate(paths)
        if at != other and (path == twin or path.startswith(f"{twin}/"))
    }
    found = {path for _, path in conflicts(paths)}
    assert found <= naive and bool(found) == bool(naive)


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_are_an_inventory_or_told(data: bytes) -> None:
    import io

    found: list[str] = []
    made, _ = inventories.read(io.BytesIO(data), lambda code, expected, got: found.append(code))
    assert found and made.sha256 == hashlib.sha256(data).hexdigest()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_an_inventory_with_any_value_changed_never_crashes(data: st.DataObject) -> None:
    """Any value in a right inventory, replaced by any other JSON."""
    import io

    made = Object().v2
    where: object = made
    while isinstance(where, dict) and where:
        key = data.draw(st.sampled_from(sorted(where)))
        if not isinstance(where[key], dict) or data.draw(st.booleans()):
            values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
            where[key] = data.draw(st.recursive(values, lambda one: st.dictionaries(st.text(), one, max_size=3)))
            break
        where = where[key]
    inventories.read(io.BytesIO(json.dumps(made).encode()), lambda code, expected, got: None)


# ---------------------------------------------------------------------- words of the standard


def test_layouts() -> None:
    """The examples of the registered extensions."""
    third = ocfl_terms.layout(ocfl.LAYOUT, {})
    assert third is not None and third.path("object-01") == "3c0/ff4/240/object-01"
    assert third.path("..hor/rib:le-$id") == "487/326/d8c/%2e%2ehor%2frib%3ale-%24id"
    long = "..hor/rib:le-$id" * 20
    assert third.path(long) == ocfl.object_path(long)
    fourth = ocfl_terms.layout("0004-hashed-n-tuple-storage-layout", {})
    assert fourth is not None
    assert fourth.path("object-01") == "3c0/ff4/240/3c0ff4240c1e116dba14c7627f2319b58aa3d77606d0d90dfc6161608ac987d4"
    short = {"digestAlgorithm": "md5", "tupleSize": 2, "numberOfTuples": 15, "shortObjectRoot": True}
    fourth = ocfl_terms.layout("0004-hashed-n-tuple-storage-layout", short)
    assert fourth is not None and fourth.path("object-01") == "ff/75/53/44/92/48/5e/ab/b3/9f/86/35/67/28/88/4e"
    second = ocfl_terms.layout("0002-flat-direct-storage-layout", {})
    assert second is not None and second.path("object-01") == "object-01"
    assert ocfl_terms.layout(ocfl.LAYOUT, {"tupleSize": 1000}) is None
    assert ocfl_terms.layout("0011-direct-clean-path-layout", {}) is None


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-11-28T08:00:00Z", True),
        ("2026-11-28t08:00:00.123456789-05:00", True),
        ("2016-12-31T23:59:60Z", True),
        ("2026-02-30T08:00:00Z", False),
        ("2026-11-28T08:00:00", False),
        ("2026-11-28T08:00Z", False),
        ("2026-11-28 08:00:00Z", False),
        ("2026-11-28T08:00:00+0700", False),
        ("2026-11-28T08:00:00Z\n", False),
    ],
)
def test_times(text: str, good: bool) -> None:
    assert ocfl_terms.is_time(text) == good
