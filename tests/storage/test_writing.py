"""Writing versions: one object per store whatever happens, and nothing of it where something is wrong."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.errors import SystemProblem
from pipeline.plan import Content
from pipeline.records import CopyState, Evidence
from pipeline.storage import copies, intents
from pipeline.storage.copies import write
from pipeline.storage.judging import judge
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.layouts.ocfl import Diverged
from pipeline.storage.stores import Store
from pipeline.storage.versions import objects, restore, stored_tree
from pipeline.workspace import Workspace
from tests.storage.faults import Broken
from tests.storage.judge import problems
from tests.storage.plans import STATE_1, STATE_2, URN, BytesPlan, plan


def contents(store: Store, prefix: str = layout.ROOT) -> dict[str, str]:
    return {key: layout.digest_of(store, key)[0] for key, _ in store.list(prefix)}


def test_two_versions_through_one_writer(store: Store, tmp_path: Path) -> None:
    first = plan(tmp_path, STATE_1)
    (row,) = write(first, [store])
    assert (row.state, row.evidence, row.note) == (CopyState.VERIFIED, Evidence.READ, "")
    assert [one.version for one in intents.still_open(store)] == [1]
    copies.close(URN, 1, [store])
    assert problems(store, tmp_path / "judged") == []
    before = contents(store)
    second = plan(tmp_path, STATE_2, first)
    assert write(second, [store])[0].state is CopyState.VERIFIED
    copies.close(URN, 2, [store])
    assert problems(store, tmp_path / "judged") == []
    after = contents(store)
    root = layout.prefix(URN)
    kept = {key for key in before if key not in (root + "inventory.json", root + "inventory.json.sha256")}
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    assert list(intents.still_open(store)) == []
    (held,) = objects(store)
    assert (held.urn, held.version, held.inventory_sha256) == (URN, 2, second.inventory_sha256)
    for version, state in ((1, STATE_1), (2, STATE_2), (None, STATE_2)):
        tree = stored_tree(store, URN, version, tmp_path)
        assert {entry.path.decode(): entry.size for entry in tree.entries()} == {p: len(d) for p, d in state.items()}
        for entry in tree.entries():
            with tree.open(entry.path) as source:
                assert source.read() == state[entry.path.decode()]
        done = restore(tree, tmp_path / f"out-{version}")
        assert {str(f.relative_to(done.folder)): f.read_bytes() for f in done.folder.rglob("*") if f.is_file()} == state


def test_copies_are_byte_for_byte_the_same_and_sources_are_read_once(two: list[Store], tmp_path: Path) -> None:
    big = {**STATE_1, "representations/rep1/data/big.bin": bytes(9_000_000)}
    made = plan(tmp_path, big)
    assert [row.state for row in write(made, two)] == [CopyState.VERIFIED] * 2
    assert contents(two[0], layout.prefix(URN)) == contents(two[1], layout.prefix(URN))
    assert contents(two[0], "intents/") == contents(two[1], "intents/")
    # METS files are read for the intent, too.
    assert sorted(made.opened) == sorted([*made.added, *made.generated])


def test_writing_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    made = plan(tmp_path, STATE_1)
    write(made, [store])
    copies.close(URN, 1, [store])
    before = contents(store, "")
    made.opened.clear()
    assert write(made, [store])[0].state is CopyState.VERIFIED
    copies.close(URN, 1, [store])
    assert contents(store, "") == before
    assert made.opened == []


class Lying(BytesPlan):
    """A plan whose source changed after it was sealed."""

    victim = ""

    def open(self, content: Content) -> BinaryIO:
        data = self.added[content.sha256]
        return io.BytesIO(data[:-1] + bytes([data[-1] ^ 1])) if content.sha256 == self.victim else super().open(content)


@pytest.mark.parametrize("size", [400, 9_000_000])
def test_a_changed_source_commits_nothing_anywhere(two: list[Store], tmp_path: Path, size: int) -> None:
    good = plan(tmp_path, {**STATE_1, "representations/rep1/data/x": b"x" * size})
    bad = Lying(good.inventory, good.inventory_sha256, 1, good.added, good.generated)
    bad.victim = hashlib.sha256(b"x" * size).hexdigest()
    with pytest.raises(SystemProblem) as caught:
        write(bad, two)
    assert caught.value.code == "SYS-SOURCE-CHANGED" and not caught.value.transient
    for store in two:
        assert list(objects(store)) == []
        assert store.head(layout.prefix(URN) + "inventory.json") is None
    # The same command with the source as it was ends well.
    assert [row.state for row in write(good, two)] == [CopyState.VERIFIED] * 2
    copies.close(URN, 1, two)
    for store in two:
        assert problems(store, tmp_path / "judged") == []


def test_strays_and_torn_files_do_not_survive(store: Store, tmp_path: Path) -> None:
    made = plan(tmp_path, STATE_1)
    base = layout.prefix(URN)
    digest, data = next((d, b) for d, b in made.added.items() if len(b) > 1000)
    torn = f"{base}v1/content/{digest[:2]}/{digest}"
    store.put(torn, bytes(len(data)), len(data), hashlib.sha256(bytes(len(data))).hexdigest())
    short = next(d for d, b in made.added.items() if 0 < len(b) < 20)
    store.put(f"{base}v1/content/{short[:2]}/{short}", b"1", 1, hashlib.sha256(b"1").hexdigest())
    for stray in ("v1/content/00/" + "0" * 64, "v1/content/stray", "v1/notes.txt"):
        store.put(base + stray, b"stray", 5, hashlib.sha256(b"stray").hexdigest())
    assert write(made, [store])[0].state is CopyState.VERIFIED
    copies.close(URN, 1, [store])
    assert problems(store, tmp_path / "judged") == []


def test_what_lies_right_already_is_not_read_from_the_source_again(store: Store, tmp_path: Path) -> None:
    made = plan(tmp_path, STATE_1)
    digest = hashlib.sha256(STATE_1["representations/rep1/data/twin-a.bin"]).hexdigest()
    data = made.added[digest]
    store.put(f"{layout.prefix(URN)}v1/content/{digest[:2]}/{digest}", data, len(data), digest)
    assert write(made, [store])[0].state is CopyState.VERIFIED
    assert digest not in made.opened


def test_a_store_that_fails_in_the_middle_does_not_hold_the_other_back(two: list[Store], tmp_path: Path) -> None:
    made = plan(tmp_path, {**STATE_1, **{f"representations/rep1/data/{n}": b"%d" % n for n in range(50)}})
    for weak, after in ((0, 1), (0, 20), (1, 1), (1, 20), (1, 40)):
        pair: list[Store] = [Broken(one, fail_after=after) if n == weak else one for n, one in enumerate(two)]
        rows = write(made, pair)
        assert rows[weak].state is CopyState.ABSENT and "SYS-STORE-UNREACHABLE" in rows[weak].note
        assert rows[1 - weak].state is CopyState.VERIFIED
        assert list(objects(two[weak])) == []
        for one in two:
            copies.close(URN, 1, [one])
            for key, _ in list(one.list(layout.prefix(URN))):
                one.delete(key)


def test_all_stores_down_is_a_system_problem(two: list[Store], tmp_path: Path) -> None:
    with pytest.raises(SystemProblem) as caught:
        write(plan(tmp_path, STATE_1), [Broken(one, fail_after=3) for one in two])
    assert caught.value.code == "SYS-STORE-UNREACHABLE" and caught.value.transient


def test_the_missing_copy_is_filled_from_the_verified_one(two: list[Store], tmp_path: Path) -> None:
    first = plan(tmp_path, STATE_1)
    second = plan(tmp_path, STATE_2, first)
    for made in (first, second):
        write(made, [two[0]])
        copies.close(URN, made.version, [two[0]])
    row = copies.fill(two[0], two[1], URN, expected=second.inventory_sha256, scratch=tmp_path)
    assert (row.store, row.state) == ("bucket", CopyState.VERIFIED)
    copies.close(URN, 2, [two[1]])
    assert contents(two[0], layout.prefix(URN)) == contents(two[1], layout.prefix(URN))
    assert problems(two[1], tmp_path / "judged") == []
    assert contents(two[1], "intents/") == {}


def test_filling_is_resumed_wherever_it_stopped(folders: list[Store], tmp_path: Path) -> None:
    first = plan(tmp_path, STATE_1)
    second = plan(tmp_path, STATE_2, first)
    source, target = folders
    for made in (first, second):
        write(made, [source])
        copies.close(URN, made.version, [source])
    for held in (0, 1):
        for after in range(40):
            if held:
                write(first, [target])
            try:
                copies.fill(source, Broken(target, fail_after=after), URN, scratch=tmp_path)
            except SystemProblem:
                copies.fill(source, target, URN, scratch=tmp_path)
            else:
                assert after > 8
            copies.close(URN, 2, [target])
            assert contents(target, layout.prefix(URN)) == contents(source, layout.prefix(URN))
            assert contents(target, intents.FOLDER) == {}
            for key, _ in list(target.list(layout.prefix(URN))):
                target.delete(key)


def test_a_copy_that_is_behind_is_filled_up_and_refuses_a_jump(two: list[Store], tmp_path: Path) -> None:
    first = plan(tmp_path, STATE_1)
    second = plan(tmp_path, STATE_2, first)
    third = plan(tmp_path, {**STATE_2, "METS.xml": b"<mets v3/>"}, second)
    write(first, two)
    write(second, [two[0]])
    rows = write(third, two)
    assert [row.state for row in rows] == [CopyState.VERIFIED, CopyState.MISSING]
    assert "SYS-COPY-BEHIND" in rows[1].note
    copies.close(URN, 1, two)
    assert copies.fill(two[0], two[1], URN, scratch=tmp_path).state is CopyState.VERIFIED
    assert contents(two[0], layout.prefix(URN)) == contents(two[1], layout.prefix(URN))


def test_a_bad_source_fills_nothing(two: list[Store], tmp_path: Path) -> None:
    made = plan(tmp_path, STATE_1)
    write(made, [two[0]])
    digest = hashlib.sha256(STATE_1["representations/rep1/data/twin-a.bin"]).hexdigest()
    key = f"{layout.prefix(URN)}v1/content/{digest[:2]}/{digest}"
    two[0].replace(key, b"same" * 99 + b"sane")
    with pytest.raises(SystemProblem) as caught:
        copies.fill(two[0], two[1], URN, scratch=tmp_path)
    assert caught.value.code == "SYS-COPY-SOURCE" and digest in caught.value.values["path"]
    assert list(objects(two[1])) == []
    with pytest.raises(SystemProblem, match="SYS-COPY-SOURCE"):
        copies.fill(two[0], two[1], URN, expected="0" * 64, scratch=tmp_path)


def test_another_committed_version_is_never_written_over(store: Store, tmp_path: Path) -> None:
    write(plan(tmp_path / "a", STATE_1), [store])
    before = contents(store, "")
    with pytest.raises(Diverged):
        write(plan(tmp_path / "b", STATE_2), [store])
    other = plan(tmp_path / "b", STATE_2)
    with pytest.raises(Diverged):
        write(plan(tmp_path / "b", STATE_1, other), [store])
    with pytest.raises(Diverged):
        intents.abandon(store, URN, 1)
    assert contents(store, "") == before


def test_a_writer_that_slept_past_its_lease_removes_nothing_of_the_other(store: Store, tmp_path: Path) -> None:
    """It saw another attempt's file as a stray; meanwhile that attempt was committed."""
    other = plan(tmp_path / "other", {**STATE_1, "only-theirs.bin": b"only theirs"})
    digest = hashlib.sha256(b"only theirs").hexdigest()
    store.put(f"{layout.prefix(URN)}v1/content/{digest[:2]}/{digest}", b"only theirs", 11, digest)

    def overtaken(number: int) -> None:
        if number == 4:
            store.delete(intents.key_of(URN, 1))
            assert write(other, [store])[0].state is CopyState.VERIFIED
            copies.close(URN, 1, [store])

    with pytest.raises(Diverged):
        write(plan(tmp_path / "ours", STATE_1), [Broken(store, before=overtaken)])
    assert [one.inventory_sha256 for one in objects(store)] == [other.inventory_sha256]
    assert judge(store, URN, known={1: other.inventory_sha256}).intact


def interrupted(made: BytesPlan, store: Store, after: int) -> None:
    with pytest.raises(SystemProblem):
        write(made, [Broken(store, fail_after=after)])


def test_an_open_intent_is_adopted_byte_for_byte(store: Store, tmp_path: Path) -> None:
    theirs = plan(tmp_path / "theirs", {**STATE_1, "METS.xml": b"<mets made elsewhere/>"})
    interrupted(theirs, store, 6)
    ours = plan(tmp_path / "ours", STATE_1)
    with pytest.raises(intents.OtherIntent):
        write(ours, [store])
    held = intents.find(store, URN, 1)
    assert held is not None and held.inventory_sha256 == theirs.inventory_sha256
    adopted = intents.adopt(store, held, ours, tmp_path / "scratch")
    assert adopted is not None
    assert write(adopted, [store])[0].state is CopyState.VERIFIED
    copies.close(URN, 1, [store])
    assert [one.inventory_sha256 for one in objects(store)] == [theirs.inventory_sha256]
    assert problems(store, tmp_path / "judged") == []


def test_an_intent_that_cannot_be_completed_is_abandoned(store: Store, tmp_path: Path) -> None:
    first = plan(tmp_path / "x", STATE_1)
    for version, before in ((1, None), (2, first)):
        theirs = plan(tmp_path / f"theirs{version}", {**STATE_1, "other.bin": b"only they had this"}, before)
        interrupted(theirs, store, 8 if version == 1 else 3)
        ours = plan(tmp_path / f"ours{version}", STATE_1 if version == 1 else STATE_2, before)
        held = intents.find(store, URN, version)
        assert held is not None
        assert intents.adopt(store, held, ours, tmp_path / "scratch") is None
        assert intents.abandon(store, URN, version) == ()
        assert intents.find(store, URN, version) is None
        if version == 1:
            assert contents(store, layout.prefix(URN)) == {}
            write(first, [store])
            copies.close(URN, 1, [store])
        else:
            assert write(ours, [store])[0].state is CopyState.VERIFIED
            copies.close(URN, 2, [store])
        assert problems(store, tmp_path / "judged") == []


@pytest.mark.parametrize("cut", ["sidecar missing", "sidecar old", "inventory torn"])
def test_a_commit_cut_in_its_middle_is_repaired_forward(store: Store, tmp_path: Path, cut: str) -> None:
    first = plan(tmp_path, STATE_1)
    second = plan(tmp_path, STATE_2, first)
    for made in (first, second):
        write(made, [store])
        copies.close(URN, made.version, [store])
    base = layout.prefix(URN)
    if cut == "sidecar missing":
        store.delete(base + "inventory.json.sha256")
    elif cut == "sidecar old":
        store.replace(base + "inventory.json.sha256", f"{first.inventory_sha256}  inventory.json\n".encode())
    else:
        store.replace(base + "inventory.json", second.inventory.read_bytes()[:700])
    held = layout.authority(store, URN, tmp_path)
    assert held is not None and (held.version, held.sha256, held.agreed) == (2, second.inventory_sha256, False)
    assert len(list(stored_tree(store, URN, None, tmp_path).entries())) == len(STATE_2)
    layout.settle(store, URN, tmp_path)
    assert problems(store, tmp_path / "judged") == []
    assert write(second, [store])[0].state is CopyState.VERIFIED


def test_restore_py_needs_nothing_of_ours(two: list[Store], tmp_path: Path) -> None:
    first = plan(tmp_path, STATE_1)
    second = plan(tmp_path, STATE_2, first)
    for made in (first, second):
        write(made, two)
    root = tmp_path / "bucket"
    for key, _ in two[1].list(""):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(two[1].read(key))
    for version, state in (("v1", STATE_1), ("v2", STATE_2), (None, STATE_2)):
        target = tmp_path / f"restored-{version}"
        words = [sys.executable, "-I", str(root / "restore.py"), str(root), URN, *filter(None, [version]), str(target)]
        subprocess.run(words, check=True, capture_output=True, timeout=60)
        top = target / f"uuid-{URN[9:]}"
        assert {str(f.relative_to(top)): f.read_bytes() for f in top.rglob("*") if f.is_file()} == state
    digest = hashlib.sha256(STATE_1["representations/rep1/data/twin-a.bin"]).hexdigest()
    (root / layout.prefix(URN) / f"v1/content/{digest[:2]}/{digest}").write_bytes(b"sane" * 100)
    words = [sys.executable, "-I", str(root / "restore.py"), str(root), URN, "v1", str(tmp_path / "bad")]
    assert subprocess.run(words, capture_output=True, timeout=60).returncode != 0


def test_by_the_servers_word(space: Workspace, tmp_path: Path, seaweed_server: object) -> None:
    from tests.storage.conftest import Place, Server

    assert isinstance(seaweed_server, Server)
    store = Place("seaweed", f"s3://luutru/tests/{tmp_path.name}", seaweed_server).make(space, verify="server")
    (row,) = write(plan(tmp_path, STATE_1), [store])
    assert (row.state, row.evidence) == (CopyState.VERIFIED, Evidence.SERVER)
    digest = hashlib.sha256(STATE_1["representations/rep1/data/twin-a.bin"]).hexdigest()
    wrong = bytes(400)
    key = f"{layout.prefix(URN)}v1/content/{digest[:2]}/{digest}"
    store.put(key, wrong, 400, hashlib.sha256(wrong).hexdigest())
    with pytest.raises(SystemProblem, match="SYS-STORE-BYTES"):
        write(plan(tmp_path, STATE_1), [store])
