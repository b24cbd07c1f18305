"""OCFL inventories: what is written is what the standard asks, and comes back."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import PackagePath
from pipeline.settings import PROJECT
from pipeline.standards import ocfl

URN = "urn:uuid:6f1c2f0e-3c67-4b0f-9c35-5f6c3f1f7a10"
SCHEMA = json.loads((PROJECT / "schemas" / "ocfl" / "inventory_schema-1.1.json").read_text())


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def about(number: int) -> ocfl.Version:
    return ocfl.Version(number, f"2026-11-0{number}T08:00:00Z", f"Bản {number}", "Lưu trữ", "mailto:a@example.org")


def written(
    folder: Path, manifest: list[tuple[str, str]], versions: list[ocfl.VersionBlock], name: str = "inventory.json"
) -> ocfl.Inventory:
    file = folder / name
    with file.open("wb") as out:
        said = ocfl.write_inventory(out, URN, manifest, versions, len(versions))
    assert said == hashlib.sha256(file.read_bytes()).hexdigest()
    jsonschema.validate(json.loads(file.read_bytes()), SCHEMA)
    return ocfl.read_inventory(file)


def block(number: int, state: dict[str, str]) -> ocfl.StreamedBlock:
    entries = sorted((sha256, PackagePath(path.encode())) for path, sha256 in state.items())
    return ocfl.StreamedBlock(about(number), entries)


def test_where_an_object_lies() -> None:
    assert ocfl.object_path(URN) == "79a/07a/daa/urn%3auuid%3a6f1c2f0e-3c67-4b0f-9c35-5f6c3f1f7a10"
    # The examples of extension 0003.
    assert ocfl.object_path("object-01") == "3c0/ff4/240/object-01"
    assert ocfl.object_path("..hor/rib:le-$id") == "487/326/d8c/%2e%2ehor%2frib%3ale-%24id"
    long = "..hor/rib:le-$id" * 100
    assert ocfl.encoded_id(long)[100] == "-" and len(ocfl.encoded_id(long)) == 165
    assert ocfl.encoded_id("lưu") == "l%c6%b0u"


def test_sidecars() -> None:
    line = ocfl.sidecar("a" * 64)
    assert line == b"a" * 64 + b"  inventory.json\n"
    assert ocfl.sidecar_digest(line) == "a" * 64
    assert ocfl.sidecar_digest(b"A" * 64 + b"\tinventory.json") == "a" * 64
    for bad in (b"", b"a" * 63 + b" inventory.json", b"a" * 64 + b" other.json", b"a" * 64, line + line):
        assert ocfl.sidecar_digest(bad) is None


def test_two_versions(tmp_path: Path) -> None:
    state = {"uuid-1/a": digest(1), "uuid-1/Quyết định": digest(2), "uuid-1/b": digest(1)}
    content = sorted((one, ocfl.content_path(1, one)) for one in set(state.values()))
    first = written(tmp_path, content, [block(1, state)], "one.json")
    assert (first.identifier, first.head, first.versions) == (URN, 1, (about(1),))
    assert list(first.manifest()) == content
    assert {path.decode(): one for one, path in first.state(1)} == state
    new = sorted((one, ocfl.content_path(2, one)) for one in (digest(2), digest(3)))
    merged = list(ocfl.merged(first.manifest(), new))
    assert dict(merged) == {**dict(content), digest(3): ocfl.content_path(2, digest(3))}
    assert merged == sorted(merged)
    after = {"uuid-1/a": digest(3), "uuid-1/b": digest(1)}
    second = written(tmp_path, merged, [*first.blocks(), block(2, after)], "two.json")
    assert second.versions == (about(1), about(2))
    assert first.block_digest(1) == second.block_digest(1) != second.block_digest(2)
    assert {path.decode(): one for one, path in second.state(2)} == after
    with pytest.raises(KeyError):
        second.state(3)


def test_one_entry_a_line(tmp_path: Path) -> None:
    content = sorted((digest(n), ocfl.content_path(1, digest(n))) for n in range(50))
    written(tmp_path, content, [block(1, {f"uuid-1/{n}": digest(n) for n in range(50)})])
    lines = (tmp_path / "inventory.json").read_text().splitlines()
    assert sum(line.startswith('  "') and "/content/" in line for line in lines) == 50


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
            lambda name: name not in (".", "..")
        ),
        st.integers(0, 5),
        min_size=1,
        max_size=20,
    )
)
def test_any_names_come_back(tmp_path_factory: pytest.TempPathFactory, names: dict[str, int]) -> None:
    state = {f"uuid-1/{name}": digest(number) for name, number in names.items()}
    content = sorted((one, ocfl.content_path(1, one)) for one in set(state.values()))
    back = written(tmp_path_factory.mktemp("any"), content, [block(1, state)])
    assert {path.decode(): one for one, path in back.state(1)} == state


@pytest.mark.parametrize(
    ("manifest", "state"),
    [
        ([("A" * 64, "v1/content/a")], {}),
        ([("a" * 63, "v1/content/a")], {}),
        ([("b" * 64, "v1/content/b"), ("a" * 64, "v1/content/a")], {}),
        ([("a" * 64, "v1/content/a"), ("a" * 64, "v1/content/a")], {}),
        ([("a" * 64, "/v1/content/a")], {}),
        ([("a" * 64, "v1/../a")], {}),
        ([], {"uuid-1//a": "a" * 64}),
    ],
)
def test_what_would_be_no_inventory_is_not_written(manifest: list[tuple[str, str]], state: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"digest|path"):
        ocfl.write_inventory(io.BytesIO(), URN, manifest, [block(1, state)], 1)


def test_versions_without_gaps() -> None:
    for versions, head in (([block(2, {})], 2), ([block(1, {})], 2), ([block(1, {}), block(3, {})], 3)):
        with pytest.raises(ValueError, match="v"):
            ocfl.write_inventory(io.BytesIO(), URN, [], versions, head)


GOOD: dict[str, object] = {
    "digestAlgorithm": "sha256",
    "head": "v1",
    "id": URN,
    "type": ocfl.TYPE,
    "manifest": {"a" * 64: ["v1/content/a"]},
    "versions": {"v1": {"created": "2026-11-01T08:00:00Z", "state": {"a" * 64: ["x"]}}},
}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"digestAlgorithm": "sha512"}, "E025"),
        ({"digestAlgorithm": "md5"}, "E025"),
        ({"head": "v2"}, "E040"),
        ({"head": "v01"}, "E046"),
        ({"head": None}, "E036"),
        ({"id": None}, "E036"),
        ({"type": "https://ocfl.io/2.0/spec/#inventory"}, "E038"),
        ({"manifest": None}, "E041"),
        ({"versions": None}, "E043"),
        ({"versions": {}}, "E044"),
        ({"versions": {"v2": {"created": "2026-11-01T08:00:00Z", "state": {}}}}, "E044"),
        ({"versions": {"v1": {"state": {}}}}, "E048"),
        ({"contentDirectory": "data"}, "E019"),
        ({"ours": 1}, "E102"),
    ],
)
def test_what_is_no_inventory_is_not_read(tmp_path: Path, change: dict[str, object], code: str) -> None:
    file = tmp_path / "inventory.json"
    file.write_text(json.dumps(GOOD))
    assert ocfl.read_inventory(file).head == 1
    file.write_text(json.dumps({key: value for key, value in {**GOOD, **change}.items() if value is not None}))
    with pytest.raises(ocfl.InventoryError) as caught:
        ocfl.read_inventory(file)
    assert caught.value.code == code


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b'{"id": "' + b"\xc3" + b'"}', b'{"a":1}{'])
def test_what_is_no_json(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "inventory.json"
    file.write_bytes(data)
    with pytest.raises(ocfl.InventoryError):
        ocfl.read_inventory(file)


@pytest.mark.parametrize(
    ("part", "entries", "code"),
    [
        ("manifest", {"a" * 64: "v1/content/a"}, "E051"),
        ("manifest", {"a" * 64: []}, "E051"),
        ("manifest", {"a" * 10: ["v1/content/a"]}, "E096"),
        ("manifest", {"a" * 64: ["../a"]}, "E099"),
        ("manifest", {"a" * 64: ["/etc/passwd"]}, "E099"),
        ("state", {"a" * 64: ["a/../../b"]}, "E052"),
        ("state", {"a" * 64: [1]}, "E052"),
    ],
)
def test_hostile_entries(tmp_path: Path, part: str, entries: object, code: str) -> None:
    values = json.loads(json.dumps(GOOD))
    if part == "manifest":
        values["manifest"] = entries
    else:
        values["versions"]["v1"]["state"] = entries
    file = tmp_path / "inventory.json"
    file.write_text(json.dumps(values))
    with pytest.raises(ocfl.InventoryError) as caught:
        found = ocfl.read_inventory(file)
        list(found.manifest())
        list(found.state(1))
    assert caught.value.code == code


def test_memory_does_not_grow(tmp_path: Path) -> None:
    """60,000 files: 15 MB of inventory, written and read with less than a tenth of that."""
    count = 60_000
    ordered = sorted(digest(number) for number in range(count))

    def manifest() -> Iterator[tuple[str, str]]:
        return ((one, ocfl.content_path(1, one)) for one in ordered)

    state = ((one, PackagePath(b"uuid-1/representations/rep1/data/" + one.encode())) for one in ordered)
    file = tmp_path / "inventory.json"
    tracemalloc.start()
    with file.open("wb") as out:
        ocfl.write_inventory(out, URN, manifest(), [ocfl.StreamedBlock(about(1), state)], 1)
    found = ocfl.read_inventory(file)
    assert sum(1 for _ in found.manifest()) == sum(1 for _ in found.state(1)) == count
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert file.stat().st_size > 12_000_000
    assert peak < 1_500_000


@pytest.mark.parametrize("number", ["9" * 5000, "1e999999999", "1." + "9" * 5000])
def test_a_number_that_is_no_number_of_ours_is_refused(number: str, tmp_path: Path) -> None:
    """Such a number once took the process down inside the parser."""
    file = tmp_path / "inventory.json"
    file.write_text('{"digestAlgorithm": "sha256", "head": ' + number + ', "manifest": {"a": [' + number + "]}}")
    with pytest.raises(ocfl.InventoryError):
        ocfl.read_inventory(file)
    with pytest.raises(ocfl.InventoryError):
        list(ocfl.Inventory(file, URN, 1, ()).manifest())
