"""Disks that cannot take what they are given."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.storage.stores import StoreAbsent, trouble

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("case", ["full", "full of one file", "inodes", "read-only"])
def test_the_other_store_is_done_and_the_bad_disk_goes_on_when_it_is_well(tmp_path: Path, case: str) -> None:
    words = ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "tests.storage.small", case, str(tmp_path)]
    done = subprocess.run(words, cwd=PROJECT, env=dict(os.environ), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    ("number", "code", "transient"),
    [
        (errno.ENOSPC, "SYS-STORE-FULL", False),
        (errno.EDQUOT, "SYS-STORE-FULL", False),
        (errno.EFBIG, "SYS-STORE-FULL", False),
        (errno.EROFS, "SYS-STORE-READONLY", False),
        (errno.EACCES, "SYS-STORE-DENIED", False),
        (errno.EPERM, "SYS-STORE-DENIED", False),
        (errno.ESTALE, "SYS-STORE-UNREACHABLE", True),
        (errno.ENOTCONN, "SYS-STORE-UNREACHABLE", True),
        (errno.EIO, "SYS-STORE-IO", False),
    ],
)
def test_what_the_system_says(number: int, code: str, transient: bool) -> None:
    problem = trouble("vault", OSError(number, os.strerror(number)), "ocfl/x")
    assert (problem.code, problem.transient) == (code, transient)
    assert isinstance(problem, StoreAbsent) == transient
    assert problem.values["store"] == "vault"
