"""Big bodies are read right, several at once, broken off, and while another writer replaces them."""

from __future__ import annotations

import contextlib
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.errors import SystemProblem
from pipeline.storage.layouts.ocfl import digest_of
from pipeline.storage.stores import CHUNK, Store

SIZE = (40 << 20) + 7
KEY = "settings/big"


def put(store: Store, file: Path, size: int) -> str:
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    store.put(KEY, file, size, digest)
    store.sync()
    return digest


def test_a_big_body_comes_whole_however_often(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(os.urandom(SIZE))
    digest = put(store, file, SIZE)
    for _ in range(4):  # given up after its beginning, more often than bodies may come at once
        with contextlib.closing(store.get(KEY)) as source:
            assert source.read(CHUNK) == file.read_bytes()[:CHUNK]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: digest_of(store, KEY, SIZE), range(4))) == {(digest, SIZE)}


def test_a_big_body_that_is_replaced_meanwhile_is_never_a_mixture(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"a" * SIZE)
    put(store, file, SIZE)
    with contextlib.closing(store.get(KEY)) as source:
        assert set(source.read(CHUNK)) == set(b"a")
        file.write_bytes(b"b" * SIZE)
        other = put(store, file, SIZE)
        with contextlib.suppress(SystemProblem):
            while chunk := source.read(CHUNK):
                assert set(chunk) == set(b"a")
    assert digest_of(store, KEY, SIZE) == (other, SIZE)
