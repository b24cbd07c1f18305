"""Restoring: byte for byte, never outside its folder, never over what is there."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.records import PackagePath
from pipeline.storage import copies
from pipeline.storage.copies import write
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import Store
from pipeline.storage.versions import objects, restore, stored_tree
from tests.storage.plans import STATE_1, URN, plan

PROJECT = Path(__file__).resolve().parents[2]
BASE = layout.prefix(URN)
TWIN = hashlib.sha256(STATE_1["representations/rep1/data/twin-a.bin"]).hexdigest()


@pytest.fixture
def held(folders: list[Store], tmp_path: Path) -> Store:
    write(plan(tmp_path, STATE_1), folders)
    copies.close(URN, 1, folders)
    return folders[0]


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_nothing_is_written_over(held: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = restore(stored_tree(held, URN), out)
    assert (done.files, done.bytes) == (len(STATE_1), sum(map(len, STATE_1.values())))
    before = everything(out)
    with pytest.raises(UsageProblem) as caught:
        restore(stored_tree(held, URN), out)
    assert caught.value.code == "USE-EXPORT-EXISTS"
    assert everything(out) == before
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / done.folder.name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageProblem):
        restore(stored_tree(held, URN), trap)
    assert not (tmp_path / "elsewhere").exists()


def test_a_damaged_file_leaves_nothing_behind(held: Store, tmp_path: Path) -> None:
    held.replace(f"{BASE}v1/content/{TWIN[:2]}/{TWIN}", b"sane" * 100)
    with pytest.raises(SystemProblem) as caught:
        restore(stored_tree(held, URN), tmp_path / "out")
    assert caught.value.code == "SYS-COPY-DAMAGED" and "twin-a" in caught.value.values["path"]
    held.delete(f"{BASE}v1/content/{TWIN[:2]}/{TWIN}")
    with pytest.raises(SystemProblem, match="SYS-COPY-DAMAGED"):
        restore(stored_tree(held, URN), tmp_path / "out")
    assert everything(tmp_path / "out") == set()


def test_what_a_killed_restore_left_is_cleared(held: Store, tmp_path: Path) -> None:
    tree = stored_tree(held, URN)
    left = tmp_path / "out" / f".{os.fsdecode(tree.name)}.unfinished"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    done = restore(tree, tmp_path / "out")
    assert not (done.folder / "half").exists() and not left.exists()


def test_names_longer_than_the_target_allows(held: Store, tmp_path: Path) -> None:
    deep = tmp_path
    while len(str(deep)) < 4000:
        deep = deep / ("d" * 200)
    with pytest.raises(SystemProblem) as caught:
        restore(stored_tree(held, URN), deep)
    assert caught.value.code == "SYS-EXPORT"


@pytest.mark.parametrize(
    "path", ["uuid-x/../../evil", "/etc/evil", "uuid-x//evil", "../evil", "uuid-x/./evil", "evil", "other-root/evil"]
)
def test_a_hostile_inventory_writes_nothing_outside(held: Store, tmp_path: Path, path: str) -> None:
    values = json.loads(held.read(BASE + "inventory.json"))
    values["versions"]["v1"]["state"][TWIN] = [path]
    data = json.dumps(values).encode()
    for folder in ("", "v1/"):
        held.replace(f"{BASE}{folder}inventory.json", data)
        line = f"{hashlib.sha256(data).hexdigest()}  inventory.json\n".encode()
        held.replace(f"{BASE}{folder}inventory.json.sha256", line)
    with pytest.raises(SystemProblem) as caught:
        restore(stored_tree(held, URN), tmp_path / "a" / "out")
    assert caught.value.code == "SYS-COPY-UNREADABLE"
    assert not (tmp_path / "a").exists() and not (tmp_path / "evil").exists()


def test_what_is_not_there(held: Store, tmp_path: Path) -> None:
    for urn, version, code in (
        ("urn:uuid:00000000-0000-0000-0000-000000000000", None, "USE-COPY-UNKNOWN"),
        (URN, 2, "USE-VERSION-UNKNOWN"),
        (URN, 0, "USE-VERSION-UNKNOWN"),
    ):
        with pytest.raises(UsageProblem) as caught:
            stored_tree(held, urn, version)
        assert caught.value.code == code
    tree = stored_tree(held, URN)
    for path in (b"none", b"../x", b"representations", b""):
        with pytest.raises(KeyError):
            tree.open(PackagePath(path))


def test_local_is_a_real_file(two: list[Store], tmp_path: Path) -> None:
    write(plan(tmp_path, STATE_1), two)
    path = PackagePath("representations/rep1/data/Quyết định.txt".encode())
    for store in two:
        tree = stored_tree(store, URN, scratch=tmp_path)
        assert (tree.carrier, tree.name) == ("stored", f"uuid-{URN[9:]}".encode())
        assert tree.sha256(path) == hashlib.sha256("Quyết định".encode()).hexdigest()
        with tree.local(path, tmp_path) as file:
            assert file.read_text() == "Quyết định"


def test_objects_are_only_those_that_were_committed(folders: list[Store], tmp_path: Path) -> None:
    store = folders[0]
    urns = [f"urn:uuid:00000000-0000-4000-8000-{n:012}" for n in range(5)]
    for urn in urns:
        write(plan(tmp_path, {**STATE_1, "own": urn.encode()}, urn=urn), [store])
    store.delete(layout.prefix(urns[1]) + "inventory.json")
    store.delete(layout.prefix(urns[1]) + "inventory.json.sha256")
    store.delete(layout.prefix(urns[2]) + "inventory.json.sha256")
    store.replace(layout.prefix(urns[3]) + "inventory.json.sha256", b"torn")
    found = {one.urn: one for one in objects(store)}
    assert set(found) == {urns[0], urns[2], urns[3], urns[4]}
    assert [found[urn].agreed for urn in (urns[0], urns[2], urns[3], urns[4])] == [True, False, False, True]


def test_a_restore_that_is_killed_shows_nothing(held: Store, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from pipeline.settings import StoreSetting\n"
        "from pipeline.storage.stores import open_store\n"
        "from pipeline.storage.versions import restore, stored_tree\n"
        "tree = stored_tree(open_store(StoreSetting('vault', sys.argv[1]), None), sys.argv[2])\n"
        "count, inner = 0, tree.open\n"
        "def open(path):\n"
        "    global count\n"
        "    count += 1\n"
        "    if count == 4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return inner(path)\n"
        "tree.open = open\n"
        "restore(tree, Path(sys.argv[3]))\n"
    )
    words = [sys.executable, "-c", code, held.setting.url, URN, str(tmp_path / "out")]
    done = subprocess.run(words, cwd=PROJECT, timeout=60, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []
    assert len(everything(restore(stored_tree(held, URN), tmp_path / "out").folder)) > len(STATE_1)
