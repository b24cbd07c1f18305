"""Run in a mount namespace of its own (`unshare -rm`): disks that are full, out of inodes, read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.errors import SystemProblem
from pipeline.records import CopyState
from pipeline.settings import household
from pipeline.storage import copies
from pipeline.storage.probe import add_store
from pipeline.storage.stores import Store, open_store
from pipeline.storage.versions import objects
from pipeline.workspace import Workspace
from tests.storage.plans import STATE_1, URN, plan


def mount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


def stores(folder: Path, disk: Path) -> list[Store]:
    space = Workspace(folder / "data")
    for part in (space.locks, space.work):
        part.mkdir(parents=True)
    add_store(space, "small", f"file://{disk}/vault")
    add_store(space, "good", f"file://{folder}/good")
    held = household(space)
    return [open_store(one, held.archive, space.work) for one in held.stores]


def main(case: str, folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    options, code, better = {
        "full": ("size=2m", "SYS-STORE-FULL", "size=50m"),
        "full of one file": ("size=100m", "SYS-STORE-FULL", "size=300m"),
        "inodes": ("size=50m,nr_inodes=45", "SYS-STORE-FULL", "nr_inodes=4000"),
        "read-only": ("size=50m", "SYS-STORE-READONLY", "rw"),
    }[case]
    mount(disk, options)
    both = stores(folder, disk)
    if case == "read-only":
        remount(disk, "ro")
    big = {f"representations/rep1/data/{n}.bin": os.urandom(200_000) for n in range(20)}
    size = 150_000_000 if case == "full of one file" else 6_000_000
    made = plan(folder, {**STATE_1, **big, "representations/rep1/data/big.bin": os.urandom(size)})
    rows = copies.write(made, both)
    assert [row.state for row in rows] == [CopyState.MISSING, CopyState.VERIFIED], rows
    assert code in rows[0].note, rows
    assert list(objects(both[0])) == []
    try:
        copies.write(made, both[:1])
        raise AssertionError("the disk is still bad")
    except SystemProblem as problem:
        assert problem.code == code and not problem.transient, problem
    remount(disk, better)
    assert [row.state for row in copies.write(made, both)] == [CopyState.VERIFIED] * 2
    copies.close(URN, 1, both)
    assert [len(list(objects(one))) for one in both] == [1, 1]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
