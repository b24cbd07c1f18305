"""Damage of every sort is named rightly, and nothing else is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.errors import SystemProblem
from pipeline.storage import copies
from pipeline.storage.copies import write
from pipeline.storage.judging import Damage, Judgement, Step, What, judge
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import PASSPORT, Store, StoreAbsent
from tests.storage.faults import Broken
from tests.storage.plans import STATE_1, STATE_2, URN, BytesPlan, plan

BASE = layout.prefix(URN)
TWIN = hashlib.sha256(STATE_1["representations/rep1/data/twin-a.bin"]).hexdigest()
TWIN_PATH = f"v1/content/{TWIN[:2]}/{TWIN}"


@pytest.fixture
def held(store: Store, tmp_path: Path) -> tuple[Store, dict[int, str], BytesPlan, BytesPlan]:
    """An AIP of two versions, and the journal's digests of them."""
    first = plan(tmp_path, STATE_1)
    second = plan(tmp_path, STATE_2, first)
    for made in (first, second):
        write(made, [store])
        copies.close(URN, made.version, [store])
    return store, {1: first.inventory_sha256, 2: second.inventory_sha256}, first, second


Held = tuple[Store, dict[int, str], BytesPlan, BytesPlan]


def problems(found: Judgement) -> list[tuple[What, str]]:
    return sorted((one.what, one.path) for one in found.problems)


def test_an_intact_copy(held: Held) -> None:
    store, known, first, second = held
    seen: list[Step] = []
    found = judge(store, URN, known=known, on_file=seen.append)
    assert found.intact and not found.missing
    assert (found.version, found.inventory_sha256) == (2, known[2])
    assert found.files == len(first.added) + len(second.added) == len(seen)
    assert found.bytes == sum(map(len, [*first.added.values(), *second.added.values()]))
    assert judge(store, URN).intact
    rest: list[Step] = []
    assert judge(store, URN, known=known, after=seen[3].path, on_file=rest.append).intact
    assert rest == seen[4:]


@pytest.mark.parametrize("journal", [True, False])
def test_damage_is_named(held: Held, journal: bool) -> None:
    store, known, _, _ = held
    authority = known if journal else None
    store.replace(BASE + TWIN_PATH, b"same" * 99 + b"sane")
    (damage,) = judge(store, URN, known=authority).problems
    wrong = hashlib.sha256(b"same" * 99 + b"sane").hexdigest()
    assert damage == Damage(What.CHANGED, TWIN_PATH, TWIN, wrong)
    store.delete(BASE + TWIN_PATH)
    (damage,) = judge(store, URN, known=authority).problems
    assert damage == Damage(What.MISSING, TWIN_PATH, TWIN)
    store.replace(BASE + TWIN_PATH, STATE_1["representations/rep1/data/twin-a.bin"])
    for extra in ("v1/content/aa/extra", "v3/content/aa/bb", "notes.txt", "v1/inventory.json.md5"):
        store.replace(BASE + extra, b"extra")
        assert problems(judge(store, URN, known=authority)) == [(What.EXTRA, extra)]
        store.delete(BASE + extra)
    store.replace(BASE + "0=ocfl_object_1.1", b"ocfl_object_1.1")
    assert problems(judge(store, URN, known=authority)) == [(What.CHANGED, "0=ocfl_object_1.1")]
    store.delete(BASE + "0=ocfl_object_1.1")
    assert problems(judge(store, URN, known=authority)) == [(What.MISSING, "0=ocfl_object_1.1")]


@pytest.mark.parametrize("path", ["inventory.json.sha256", "v1/inventory.json.sha256", "v2/inventory.json.sha256"])
def test_sidecars(held: Held, path: str) -> None:
    store, known, _, _ = held
    store.replace(BASE + path, b"0" * 64 + b"  inventory.json\n")
    assert problems(judge(store, URN, known=known)) == [(What.INVENTORY, path)]
    assert any(one.what is What.INVENTORY for one in judge(store, URN).problems)
    store.delete(BASE + path)
    assert problems(judge(store, URN, known=known)) == [(What.MISSING, path)]
    assert problems(judge(store, URN)) == [(What.MISSING, path)]


def test_inventories(held: Held) -> None:
    store, known, first, second = held
    store.delete(BASE + "v1/inventory.json")
    assert (What.MISSING, "v1/inventory.json") in problems(judge(store, URN, known=known))
    assert (What.MISSING, "v1/inventory.json") in problems(judge(store, URN))
    store.replace(BASE + "v1/inventory.json", first.inventory.read_bytes())
    store.delete(BASE + "inventory.json")
    found = judge(store, URN, known=known)
    assert problems(found) == [(What.MISSING, "inventory.json")] and found.files == 9
    store.replace(BASE + "inventory.json", b"{}")
    found = judge(store, URN, known=known)
    assert (What.INVENTORY, "inventory.json") in problems(found) and found.files == 9
    store.replace(BASE + "inventory.json", second.inventory.read_bytes())
    store.delete(BASE + "v2/inventory.json")
    assert problems(judge(store, URN, known=known)) == [(What.MISSING, "v2/inventory.json")]


def rewritten(store: Store, version: int, data: bytes) -> None:
    line = f"{hashlib.sha256(data).hexdigest()}  inventory.json\n".encode()
    for folder in (f"v{version}/", ""):
        store.replace(BASE + folder + "inventory.json", data)
        store.replace(BASE + folder + "inventory.json.sha256", line)


def test_an_inventory_rewritten_consistently_is_seen_by_the_journal_alone(held: Held) -> None:
    """Somebody exchanged a file and made every inventory agree: only the journal's digest tells."""
    store, known, _, second = held
    forged = b"forged" * 50
    digest = hashlib.sha256(forged).hexdigest()
    store.delete(BASE + TWIN_PATH)
    store.replace(f"{BASE}v1/content/{digest[:2]}/{digest}", forged)
    text = second.inventory.read_text().replace(TWIN, digest)
    text = text.replace(f"/{TWIN[:2]}/{digest}", f"/{digest[:2]}/{digest}")
    rewritten(store, 2, text.encode())
    first = store.read(BASE + "v1/inventory.json").decode()
    first = first.replace(TWIN, digest).replace(f"/{TWIN[:2]}/{digest}", f"/{digest[:2]}/{digest}")
    store.replace(BASE + "v1/inventory.json", first.encode())
    line = f"{hashlib.sha256(first.encode()).hexdigest()}  inventory.json\n".encode()
    store.replace(BASE + "v1/inventory.json.sha256", line)
    assert judge(store, URN).intact
    found = judge(store, URN, known=known)
    wrong = {(What.INVENTORY, "inventory.json"), (What.INVENTORY, "v2/inventory.json")}
    assert wrong <= set(problems(found))
    damage = next(one for one in found.problems if one.path == "inventory.json")
    assert (damage.expected, damage.found) == (known[2], hashlib.sha256(text.encode()).hexdigest())


def test_an_old_version_rewritten_is_seen_without_the_journal(held: Held) -> None:
    store, _, first, _ = held
    data = first.inventory.read_bytes().replace("Bản 1".encode(), "Bản khác".encode())
    store.replace(BASE + "v1/inventory.json", data)
    store.replace(BASE + "v1/inventory.json.sha256", f"{hashlib.sha256(data).hexdigest()}  inventory.json\n".encode())
    assert problems(judge(store, URN)) == [(What.INVENTORY, "v1/inventory.json")]


def test_a_store_that_was_rolled_back(held: Held) -> None:
    store, known, first, second = held
    for key, _ in list(store.list(BASE + "v2/")):
        store.delete(key)
    data = first.inventory.read_bytes()
    store.replace(BASE + "inventory.json", data)
    store.replace(BASE + "inventory.json.sha256", f"{known[1]}  inventory.json\n".encode())
    assert judge(store, URN).intact
    found = judge(store, URN, known=known)
    assert problems(found) == [(What.ROLLED_BACK, "inventory.json")]
    assert (found.problems[0].expected, found.problems[0].found) == (known[2], known[1])
    assert found.files == len(first.added)


def test_a_whole_object_missing(store: Store) -> None:
    found = judge(store, URN, known={1: "0" * 64})
    assert found.missing and [(one.what, one.path) for one in found.problems] == [(What.MISSING, "")]


def test_absent_is_not_checked_never_missing(held: Held) -> None:
    store, known, _, _ = held
    for after in (0, 4, 12):
        with pytest.raises(StoreAbsent):
            judge(Reading(store, after), URN, known=known)
    store.delete(PASSPORT)
    with pytest.raises(StoreAbsent):
        judge(store, URN, known=known)


class Reading(Broken):
    """A store whose server goes away after some calls that read."""

    def __init__(self, store: Store, after: int) -> None:
        super().__init__(store)
        self._reads = after

    def _look(self) -> None:
        self._reads -= 1
        if self._reads < 0:
            self._left = -1
        super()._look()


class Rotten(Broken):
    """A store that cannot give one file, as SeaweedFS with a flipped bit: an error, not other bytes."""

    def get(self, key: str) -> BinaryIO:
        if key.endswith(TWIN):
            raise SystemProblem("SYS-STORE-UNREACHABLE", transient=True, store=self.name, cause="500 InternalError")
        return super().get(key)


def test_one_file_that_the_store_cannot_give_is_unreadable(held: Held) -> None:
    store, known, _, _ = held
    (damage,) = judge(Rotten(store), URN, known=known).problems
    assert damage == Damage(What.UNREADABLE, TWIN_PATH, TWIN, "SYS-STORE-UNREACHABLE")


def test_a_version_being_written_is_no_damage(held: Held, tmp_path: Path) -> None:
    store, known, _, second = held
    third = plan(tmp_path, {**STATE_2, "METS.xml": b"<v3/>", "x": b"x"}, second)
    for after in (2, 4, 10**9):
        try:
            write(third, [Broken(store, fail_after=after)])
        except SystemProblem:
            pass
        assert judge(store, URN, known=known).intact, after
    copies.close(URN, 3, [store])
    assert judge(store, URN, known={**known, 3: third.inventory_sha256}).intact


def test_no_more_problems_than_asked_for(held: Held) -> None:
    store, known, first, _ = held
    for digest in first.added:
        store.delete(f"{BASE}v1/content/{digest[:2]}/{digest}")
    found = judge(store, URN, known=known, most=2)
    assert len(found.problems) == 3 and found.problems[-1].found == f"+{len(first.added) - 2}"


def test_a_link_in_a_folder_is_not_followed(folders: list[Store], tmp_path: Path) -> None:
    store = folders[0]
    made = plan(tmp_path, STATE_1)
    write(made, [store])
    copies.close(URN, 1, [store])
    file = store.local(BASE + TWIN_PATH)
    assert file is not None
    outside = tmp_path / "outside"
    outside.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(outside)
    (damage,) = judge(store, URN, known={1: made.inventory_sha256}).problems
    assert damage == Damage(What.UNREADABLE, TWIN_PATH, TWIN, "SYS-STORE-LINK")
    file.unlink()
    folder = file.parent
    (tmp_path / "moved").mkdir()
    folder.rmdir()
    (tmp_path / "moved" / TWIN).write_bytes(outside.read_bytes())
    folder.symlink_to(tmp_path / "moved")
    from pipeline.workspace import workspace
    from tests.storage.conftest import opened

    fresh = opened(workspace(), "vault")
    assert problems(judge(fresh, URN)) == [(What.EXTRA, f"v1/content/{TWIN[:2]}"), (What.UNREADABLE, TWIN_PATH)]
