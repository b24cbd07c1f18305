"""Trees of what nobody thought of: generated names and folders, archives with bytes changed at random."""

from __future__ import annotations

import gzip
import os
import re
import tarfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.errors import Problem
from pipeline.findings import codes
from pipeline.settings import Limits
from pipeline.tree import ContentDamage, Entry, FolderTree, open_tree
from tests.archives import Member, at, contents, kept, raw_zip, tar_of, zip_of
from tests.packages.received import write

M = Member

LETTERS = st.characters(codec="utf-8", exclude_characters="/\0\\")
NAME = st.text(LETTERS, min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)
Named = dict[tuple[str, ...], bytes]
PATHS = st.lists(NAME, min_size=1, max_size=4).map(tuple)
TREES = st.dictionaries(PATHS, st.binary(max_size=200), min_size=1, max_size=8)


def without_conflicts(files: Named) -> dict[str, bytes]:
    kept_files: dict[str, bytes] = {}
    folders = {path[:n] for path in files for n in range(1, len(path))}
    for path, data in files.items():
        if path not in folders:
            kept_files["/".join(path)] = data
    return kept_files


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES)
def test_entries_are_sorted_by_complete_paths(
    tmp_path_factory: pytest.TempPathFactory, files: dict[tuple[str, ...], bytes]
) -> None:
    folder = tmp_path_factory.mktemp("t")
    named = without_conflicts(files)
    write(folder / "f", dict(named))
    paths = [entry.path for entry in FolderTree(folder / "f").entries()]
    assert paths == sorted(name.encode() for name in named)
    if not any(re.match(r"[A-Za-z]:", name) for name in named):
        made = at(tar_of({"r/" + name: data for name, data in named.items()}), folder)
        assert contents(made) == {name.encode(): data for name, data in named.items()}


SEEDS = [
    raw_zip([M(b"r/a", b"alpha" * 50), M(b"r/b/c", bytes(300), method=0), M(b"r/l/", mode=0o40755)]),
    zip_of({"a": b"alpha" * 20, "b/": b""}),
    tar_of({"r/a": b"alpha" * 50, "r/" + "n" * 150: b"x", "r/ă": b"y"}),
    tar_of({"a": b"alpha", "n" * 120: b"x"}, form=tarfile.GNU_FORMAT),
    gzip.compress(tar_of({"r/a": b"alpha" * 50}), mtime=0),
]
EDIT = st.tuples(
    st.floats(0, 1, exclude_max=True), st.sampled_from(["set", "cut", "put", "drop"]), st.binary(min_size=1, max_size=9)
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SEEDS), st.lists(EDIT, min_size=1, max_size=6))
@example(SEEDS[0], [(0.0, "cut", b"x")])
def test_mutated_archives_are_judged_not_obeyed(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, edits: list[tuple[float, str, bytes]]
) -> None:
    raw = bytearray(seed)
    for where, what, data in edits:
        place = int(where * len(raw))
        if what == "set":
            raw[place : place + len(data)] = data
        elif what == "cut":
            del raw[place:]
        elif what == "put":
            raw[place:place] = data
        else:
            del raw[place : place + len(data)]
    folder = tmp_path_factory.mktemp("m")
    scratch = folder / "scratch"
    scratch.mkdir()
    try:
        opened = open_tree(kept(folder, "x", bytes(raw)), Limits(bytes=1 << 24), scratch)
    except Problem:
        return
    for finding in opened.findings:
        assert finding.code in codes()
    if opened.tree is not None:
        paths = []
        for entry in opened.tree.entries():
            paths.append(entry.path)
            assert isinstance(entry, Entry)
            assert not entry.path.startswith(b"/") and b".." not in entry.path.split(b"/")
            if not entry.is_folder:
                try:
                    with opened.tree.local(entry.path, scratch) as file:
                        assert file.parent == scratch
                        assert file.stat().st_size == entry.size
                except ContentDamage as damage:
                    assert damage.finding.code in codes()
        assert paths == sorted(set(paths))
        opened.tree.close()
    assert sorted(os.listdir(folder)) == ["scratch", "x"]
    assert os.listdir(scratch) == []
