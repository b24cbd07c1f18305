"""Big files of a folder store: synced and read back while they are written, and not believed when that goes wrong."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.errors import SystemProblem
from pipeline.records import CopyState, Evidence
from pipeline.storage import copies
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import CHUNK, Sink, Store, on_disk
from pipeline.storage.stores.places import disk_of
from pipeline.storage.stores.trailing import BLOCK, FROM, STRETCH
from pipeline.storage.versions import objects
from tests.storage.faults import Broken
from tests.storage.plans import STATE_1, URN, BytesPlan, plan

SIZE = FROM + STRETCH // 2 + 17


@pytest.fixture(scope="module")
def bytes_() -> bytes:
    block = bytes(range(256)) * (CHUNK // 256)
    return b"".join(number.to_bytes(8, "big") + block[8:] for number in range(SIZE // CHUNK + 1))[:SIZE]


@pytest.fixture
def vault(folders: list[Store]) -> Store:
    return folders[0]


@pytest.fixture
def big(tmp_path: Path, bytes_: bytes) -> BytesPlan:
    return plan(tmp_path, {**STATE_1, "representations/rep1/data/big.bin": bytes_})


def key_of(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"{layout.prefix(URN)}v1/content/{digest[:2]}/{digest}"


class Watched(Broken):
    """Notes what is read of the big key."""

    def __init__(self, store: Store, key: str, before: Callable[[int], None] = lambda number: None) -> None:
        super().__init__(store, before=before)
        self.key = key
        self.readings = 0

    def get(self, key: str) -> BinaryIO:
        self.readings += key == self.key
        return super().get(key)


def poured(store: Store, data: bytes) -> Sink:
    sink = store.sink("settings/big", len(data), hashlib.sha256(data).hexdigest())
    buffer = bytearray(CHUNK)
    for start in range(0, len(data), CHUNK):
        part = data[start : start + CHUNK]
        buffer[: len(part)] = part
        sink.write(memoryview(buffer)[: len(part)])
        buffer[: len(part)] = bytes(len(part))  # as a reader does that uses its buffer again
    return sink


def test_what_was_read_back_on_its_way_is_not_read_again(vault: Store, big: BytesPlan, bytes_: bytes) -> None:
    watched = Watched(vault, key_of(bytes_))
    (row,) = copies.write(big, [watched])
    assert (row.state, row.evidence, watched.readings) == (CopyState.VERIFIED, Evidence.READ, 0)
    assert layout.digest_of(vault, watched.key, SIZE) == (hashlib.sha256(bytes_).hexdigest(), SIZE)


def test_a_proof_is_of_the_bytes_and_of_the_file(vault: Store, bytes_: bytes) -> None:
    sink = poured(vault, bytes_)
    sink.finish()
    head = vault.head("settings/big")
    assert head is not None and sink.proof is not None
    assert (sink.proof.sha256, sink.proof.etag) == (hashlib.sha256(bytes_).hexdigest(), head.etag)
    assert vault.read("settings/big") == bytes_


def test_smaller_bodies_wait_for_the_one_sync(vault: Store) -> None:
    sink = poured(vault, bytes(FROM - 1))
    sink.finish()
    assert sink.proof is None


def touched(store: Store, data: bytes) -> Callable[[int], None]:
    """Changes a byte of the big file once, when it is there in full."""
    place = Path(str(store.local(key_of(data))))
    done: list[int] = []

    def touch(number: int) -> None:
        if not done and place.exists() and place.stat().st_size == len(data):
            done.append(number)
            with place.open("r+b") as file:
                file.seek(STRETCH)
                file.write(b"?")

    return touch


def test_a_file_touched_after_its_proof_is_read_again_and_sent_once_more(
    vault: Store, big: BytesPlan, bytes_: bytes
) -> None:
    watched = Watched(vault, key_of(bytes_), touched(vault, bytes_))
    assert copies.write(big, [watched])[0].state is CopyState.VERIFIED
    assert watched.readings == 2  # what was wrong, and what was sent once more
    assert layout.digest_of(vault, watched.key, SIZE)[0] == hashlib.sha256(bytes_).hexdigest()


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[int], None]]]:
    """What happens in the place of the next syncs of open files, first to last; then they sync as ever."""
    waiting: list[Callable[[int], None]] = []
    real = os.fdatasync

    def fdatasync(handle: int) -> None:
        real(handle)
        if waiting:
            waiting.pop(0)(handle)

    monkeypatch.setattr("pipeline.storage.stores.trailing.os.fdatasync", fdatasync)
    yield waiting


def failing(number: int) -> Callable[[int], None]:
    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def well(handle: int) -> None:
    """Nothing but the sync."""


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize(("number", "code"), [(errno.EIO, "SYS-STORE-IO"), (errno.ENOSPC, "SYS-STORE-FULL")])
def test_a_sync_that_fails_once_commits_nothing_and_the_file_is_written_anew(
    vault: Store, big: BytesPlan, bytes_: bytes, syncs: list[Callable[[int], None]], before: int, number: int, code: str
) -> None:
    syncs += [well] * before + [failing(number)]
    with pytest.raises(SystemProblem) as caught:
        copies.write(big, [vault])
    assert (caught.value.code, caught.value.transient, syncs) == (code, False, [])
    assert list(objects(vault)) == []
    assert vault.head(key_of(bytes_)) is None
    big.opened.clear()
    assert copies.write(big, [vault])[0].state is CopyState.VERIFIED
    assert hashlib.sha256(bytes_).hexdigest() in big.opened


def test_a_failed_sync_stays_with_its_body(vault: Store, bytes_: bytes, syncs: list[Callable[[int], None]]) -> None:
    """The kernel tells of it once: whoever goes on writing and ends must hear of it all the same."""
    syncs.append(failing(errno.EIO))
    sink = vault.sink("settings/big", SIZE, hashlib.sha256(bytes_).hexdigest())
    told = 0
    for start in range(0, SIZE, CHUNK):
        try:
            sink.write(bytes_[start : start + CHUNK])
        except SystemProblem as problem:
            told += problem.code == "SYS-STORE-IO"
    for _ in range(2):
        with pytest.raises(SystemProblem, match="SYS-STORE-IO"):
            sink.finish()
    assert sink.proof is None
    sink.abort()
    sink.abort()
    assert vault.head("settings/big") is None and told


def test_one_bad_disk_does_not_keep_the_other_store(
    folders: list[Store], big: BytesPlan, syncs: list[Callable[[int], None]]
) -> None:
    syncs.append(failing(errno.EIO))
    rows = copies.write(big, folders)
    assert sorted(row.state for row in rows) == [CopyState.MISSING, CopyState.VERIFIED]
    for row, store in zip(rows, folders, strict=True):
        assert len(list(objects(store))) == (row.state is CopyState.VERIFIED)
        assert ("SYS-STORE-IO" in row.note) == (row.state is CopyState.MISSING)


def rotting(at: int) -> Callable[[int], None]:
    def rot(handle: int) -> None:
        with open(f"/proc/self/fd/{handle}", "r+b") as file:
            file.seek(at)
            file.write(b"?")

    return rot


@pytest.mark.parametrize("at", [0, CHUNK + 5])
def test_what_the_disk_gives_back_otherwise_is_sent_once_more(
    vault: Store, big: BytesPlan, bytes_: bytes, syncs: list[Callable[[int], None]], at: int
) -> None:
    syncs.append(rotting(at))
    assert copies.write(big, [vault])[0].state is CopyState.VERIFIED
    assert big.opened.count(hashlib.sha256(bytes_).hexdigest()) == 2
    assert layout.digest_of(vault, key_of(bytes_), SIZE)[0] == hashlib.sha256(bytes_).hexdigest()


def test_a_disk_that_always_gives_back_otherwise_commits_nothing(
    vault: Store, big: BytesPlan, bytes_: bytes, syncs: list[Callable[[int], None]]
) -> None:
    syncs += [rotting(0)] + [well] * 2 + [rotting(0)]
    with pytest.raises(SystemProblem, match="SYS-STORE-BYTES"):
        copies.write(big, [vault])
    assert list(objects(vault)) == []


@pytest.mark.parametrize("call", ["pwrite", "preadv"])
def test_a_file_system_that_wants_all_through_its_memory(
    vault: Store, bytes_: bytes, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    real, refused = getattr(os, call), []

    def refusing(handle: int, *rest: object) -> int:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(call)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return int(real(handle, *rest))

    monkeypatch.setattr(f"pipeline.storage.stores.trailing.os.{call}", refusing)
    sink = poured(vault, bytes_)
    sink.finish()
    assert refused == [call]
    assert sink.proof is not None and sink.proof.sha256 == hashlib.sha256(bytes_).hexdigest()
    assert vault.read("settings/big") == bytes_


@pytest.mark.parametrize("call", ["pwrite", "preadv"])
def test_a_disk_that_fails_in_the_middle_is_told_of(
    vault: Store, big: BytesPlan, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    real, left = getattr(os, call), [20]

    def failing_once(handle: int, *rest: object) -> int:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return int(real(handle, *rest))

    with monkeypatch.context() as broken:
        broken.setattr(f"pipeline.storage.stores.trailing.os.{call}", failing_once)
        with pytest.raises(SystemProblem, match="SYS-STORE-IO"):
            copies.write(big, [vault])
    assert list(objects(vault)) == []
    assert copies.write(big, [vault])[0].state is CopyState.VERIFIED


@pytest.mark.parametrize("more", [0, 1, 511, 4095, 4096, BLOCK - 1])
def test_ends_of_every_shape(vault: Store, bytes_: bytes, more: int) -> None:
    data = bytes_[: FROM + more]
    sink = poured(vault, data)
    sink.finish()
    assert sink.proof is not None and sink.proof.sha256 == hashlib.sha256(data).hexdigest()
    head = vault.head("settings/big")
    assert head is not None and head.size == FROM + more


def in_memory(file: Path) -> bool:
    """Whether the first page of a file would be read without the disk."""
    with file.open("rb") as source:
        try:
            return os.preadv(source.fileno(), [bytearray(64)], 0, os.RWF_NOWAIT) > 0
        except BlockingIOError:
            return False


class Asking(Watched):
    """Looks where the first reading of the file will come from."""

    asked: bool | None = None

    def folder(self, prefix: str) -> str | None:
        return on_disk(self._store, prefix)

    def get(self, key: str) -> BinaryIO:
        if key == self.key and self.asked is None:
            self.asked = in_memory(Path(str(self._store.local(key))))
        return super().get(key)


@pytest.mark.parametrize("size", [300_000, 9_000_000, SIZE])
def test_what_an_earlier_attempt_left_is_read_back_from_the_disk(
    vault: Store, tmp_path: Path, bytes_: bytes, size: int
) -> None:
    """Its sync may have failed: then memory holds what the disk does not, and no later sync says so."""
    data = bytes_[:size]
    made = plan(tmp_path, {**STATE_1, "representations/rep1/data/left.bin": data})
    asking = Asking(vault, key_of(data))
    file = Path(str(vault.local(asking.key)))
    vault.put(asking.key, data, size, hashlib.sha256(data).hexdigest())
    if disk_of(file)[0] == "memory":
        pytest.skip("a file system without a disk")
    assert in_memory(file)
    assert copies.write(made, [asking])[0].state is CopyState.VERIFIED
    assert asking.asked is False
    assert hashlib.sha256(data).hexdigest() not in made.opened


def test_progress_is_told_within_a_big_file(folders: list[Store], big: BytesPlan) -> None:
    told: list[tuple[str, int, int]] = []
    copies.write(big, folders, progress=lambda *word: told.append(word))
    sizes = [content.size for content in big.contents()]
    for step in ("store", "verify"):
        assert sum(size for name, size, _ in told if name == step) == sum(sizes)
        assert sum(files for name, _, files in told if name == step) == len(sizes)
    assert [size for name, size, files in told if name == "store" and not files] == [STRETCH, STRETCH]


def test_whoever_stops_within_a_big_file_leaves_nothing_committed(vault: Store, big: BytesPlan, bytes_: bytes) -> None:
    class Stop(Exception):
        pass

    def stop(step: str, size: int, files: int, /) -> None:
        if not files:
            raise Stop

    with pytest.raises(Stop):
        copies.write(big, [vault], progress=stop)
    assert list(objects(vault)) == [] and vault.head(key_of(bytes_)) is None
    assert copies.write(big, [vault])[0].state is CopyState.VERIFIED


def test_giving_up_in_the_middle_leaves_nothing(vault: Store, bytes_: bytes) -> None:
    sink = poured(vault, bytes_[: FROM + 1])
    sink.abort()
    assert vault.head("settings/big") is None
    assert list(vault.list("settings/big")) == []
