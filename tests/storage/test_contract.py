"""What every store must keep, whichever it is."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import SystemProblem
from pipeline.storage.stores import ABSENT, Store, StoreAbsent, StoreConflict


def put(store: Store, key: str, body: bytes, **more: bool) -> bool:
    return store.put(key, body, len(body), hashlib.sha256(body).hexdigest(), **more)


def keys(store: Store, prefix: str) -> set[str]:
    return {key for key, _ in store.list(prefix)}


@pytest.mark.parametrize("body", [b"", b"a", bytes(range(256)) * 5000], ids=["empty", "one", "big"])
def test_what_was_put_comes_back(store: Store, body: bytes) -> None:
    assert put(store, "ocfl/79a/urn%3auuid%3a1/v1/content/ab/x", body)
    store.sync()
    with store.get("ocfl/79a/urn%3auuid%3a1/v1/content/ab/x") as source:
        pieces = list(iter(lambda: source.read(65536), b""))
    assert b"".join(pieces) == body
    head = store.head("ocfl/79a/urn%3auuid%3a1/v1/content/ab/x")
    assert head is not None and head.size == len(body)
    if head.sha256 is not None:
        assert head.sha256 == hashlib.sha256(body).hexdigest()


def test_put_twice_leaves_one_and_a_second_body_wins(store: Store) -> None:
    put(store, "settings/a", b"1")
    put(store, "settings/a", b"1")
    put(store, "settings/a", b"22")
    assert store.read("settings/a") == b"22"
    assert [size for key, size in store.list("settings/") if key == "settings/a"] == [2]


def test_only_if_absent_changes_nothing_that_is_there(store: Store) -> None:
    assert put(store, "settings/a", b"1", only_if_absent=True)
    assert not put(store, "settings/a", b"2", only_if_absent=True)
    assert store.read("settings/a") == b"1"


def test_a_local_file_is_a_body_too(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"x" * 3_000_000)
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert store.put("settings/file", file, 3_000_000, digest)
    etag = store.replace("settings/document", file)
    store.sync()
    assert store.read("settings/file") == store.read("settings/document") == file.read_bytes()
    assert etag


def test_a_sink_is_seen_whole_or_not_at_all(store: Store) -> None:
    body = [bytes([n]) * 700_000 for n in range(9)]
    digest = hashlib.sha256(b"".join(body)).hexdigest()
    given_up = store.sink("settings/given-up", 6_300_000, digest)
    given_up.write(body[0])
    given_up.abort()
    given_up.abort()
    assert store.head("settings/given-up") is None
    sink = store.sink("settings/sunk", 6_300_000, digest)
    for chunk in body:
        sink.write(chunk)
    sink.finish()
    sink.finish()
    store.sync()
    assert store.read("settings/sunk") == b"".join(body)
    assert store.abort_unfinished("settings/") == 0


def test_replace_keeps_conditions(store: Store) -> None:
    first = store.replace("settings/doc", b"1", ABSENT)
    with pytest.raises(StoreConflict):
        store.replace("settings/doc", b"other", ABSENT)
    second = store.replace("settings/doc", b"2", first)
    assert store.head("settings/doc").etag == second  # type: ignore[union-attr]
    with pytest.raises(StoreConflict):
        store.replace("settings/doc", b"other", first)
    assert store.read("settings/doc") == b"2"
    assert store.replace("settings/doc", b"3")
    assert store.read("settings/doc") == b"3"


def test_what_is_not_there(store: Store) -> None:
    with pytest.raises(KeyError):
        store.get("ocfl/none")
    with pytest.raises(KeyError):
        store.read("ocfl/none/below")
    assert store.head("ocfl/none") is None
    assert store.head("store.json/below") is None
    store.delete("ocfl/none")
    assert keys(store, "nothing/here/") == set()


def test_listing_keeps_to_the_folder(store: Store) -> None:
    for key in ("ocfl/a/1", "ocfl/a/b/2", "ocfl/ab/3", "ocfl/a0", "journal/x"):
        put(store, key, key.encode())
    assert keys(store, "ocfl/a/") == {"ocfl/a/1", "ocfl/a/b/2"}
    assert {"ocfl/a/1", "ocfl/a/b/2", "ocfl/ab/3", "ocfl/a0", "journal/x", "store.json"} <= keys(store, "")


def test_more_keys_than_one_page_holds(store: Store) -> None:
    if store.lanes > 1:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: put(store, f"settings/many/{n:04}", b""), range(1100)))
    else:
        for n in range(1100):
            put(store, f"settings/many/{n:04}", b"")
    assert len(keys(store, "settings/many/")) == 1100


def test_delete_leaves_no_folder_behind(store: Store) -> None:
    put(store, "ocfl/1/2/3/a", b"a")
    put(store, "ocfl/1/2/b", b"b")
    store.delete("ocfl/1/2/3/a")
    store.delete("ocfl/1/2/3/a")
    assert keys(store, "ocfl/1/") == {"ocfl/1/2/b"}
    folder = store.local("ocfl/1/2/3")
    assert folder is None or not folder.exists()


def test_keys_of_ours_only(store: Store) -> None:
    for key in ("", "/a", "a//b", "a/", "../a", "a/../b", "a b", "đ", "a\n", "x" * 201, "a\\b"):
        with pytest.raises(ValueError, match="key"):
            put(store, key, b"")
        with pytest.raises(ValueError, match="key"):
            store.replace(key, b"")


def test_a_wrong_digest_is_refused_where_the_server_checks(store: Store) -> None:
    able = store.setting.capabilities["checksum_refused"]
    assert able == (store.setting.endpoint is not None and "weed" in str(store.setting.credentials_file))
    if able:
        with pytest.raises(SystemProblem) as caught:
            store.put("settings/wrong", b"abc", 3, hashlib.sha256(b"abd").hexdigest())
        assert caught.value.code == "SYS-STORE-BYTES" and not caught.value.transient
        assert store.head("settings/wrong") is None


def test_a_store_without_its_passport_is_absent_not_empty(store: Store) -> None:
    put(store, "settings/a", b"1")
    store.delete("store.json")
    with pytest.raises(StoreAbsent) as caught:
        store.check()
    assert caught.value.code == "SYS-STORE-ABSENT"


def test_nothing_tells_the_secret(store: Store) -> None:
    said = [repr(store), str(store.setting)]
    for act in (lambda: store.get("none"), lambda: store.put("a", b"x", 1, "00" * 32)):
        try:
            act()
        except Exception as problem:
            said.append(f"{problem!r} {problem} {problem.__context__!r}")
    file = store.setting.credentials_file
    if file is not None:
        secret = Path(file).read_text().split("aws_secret_access_key = ")[1].strip()
        assert all(secret not in text for text in said)
