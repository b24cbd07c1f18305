"""More files than one AIP may have: told before anything is stored, with parts that can be handed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.split import Part, proposal, too_many
from pipeline.records import PackagePath
from pipeline.settings import Limits, Profile
from pipeline.tree import Entry
from tests.command import House

NAMES = st.lists(st.sampled_from([b"a", b"b", b"c", b"a-b", b"\xff"]), min_size=1, max_size=4).map(b"/".join)


def covered(part: Part, paths: list[bytes]) -> list[bytes]:
    """The files of a part: from its first to its last, folders as a whole."""
    end = part.last[:-1] + b"0" if part.last.endswith(b"/") else part.last + b"\0"  # 0 comes after the slash
    return [path for path in paths if part.first <= path < end]


@given(st.sets(NAMES.map(lambda path: path + b".x"), min_size=1, max_size=60), st.integers(1, 20))
@settings(max_examples=200)
def test_every_file_is_in_one_part_and_folders_that_fit_are_whole(found: set[bytes], limit: int) -> None:
    paths = sorted(found)
    parts = proposal(paths, limit)
    assert [path for part in parts for path in covered(part, paths)] == paths
    assert all(part.files == len(covered(part, paths)) <= limit for part in parts)
    folders = {path[: at + 1] for path in paths for at, byte in enumerate(path) if byte == 0x2F}
    for folder in folders:
        inside = [path for path in paths if path.startswith(folder)]
        if len(inside) <= limit:
            holding = [part for part in parts if set(inside) & set(covered(part, paths))]
            assert len(holding) == 1, folder
    # No two neighbours would fit into one part, unless a folder would be cut for it: then there are fewer than twice
    # as many parts as needed.
    assert len(parts) <= 2 * -(-len(paths) // limit)


def test_time_and_parts_grow_with_the_files_alone() -> None:
    assert len(proposal((f"{n:06}".encode() for n in range(100_000)), 2)) == 50_000
    deep = (f"{n // 1000:03}/{n // 10:05}/{n:06}".encode() for n in range(100_000))
    assert proposal(deep, 40_000) == [
        Part(b"000/", b"039/", 40_000), Part(b"040/", b"079/", 40_000), Part(b"080/", b"099/", 20_000),
    ]  # fmt: skip


def test_room_is_left_for_descriptions() -> None:
    entries = [Entry(PackagePath(f"data/{n}".encode()), 1) for n in range(10)] + [Entry(PackagePath(b"bag.txt"), 1)]
    found = list(too_many(lambda: entries, 6, lambda path: path.startswith(b"data/")))
    assert [one.code for one in found] == ["PKG-SPLIT", "PKG-SPLIT-PART", "PKG-SPLIT-PART"]
    assert (found[0].expected, found[0].found) == ("6", "11")
    assert [(one.expected, one.found) for one in found[1:]] == [
        ("1/2", "data/0 … data/4 (5)"), ("2/2", "data/5 … data/9 (5)"),
    ]  # fmt: skip
    assert list(too_many(lambda: entries, 11, lambda path: True)) == []
    many = list(too_many(lambda: (Entry(PackagePath(b"%d" % n), 1) for n in range(3000)), 1, lambda path: True))
    assert len(many) == 1002 and many[-1].code == "PKG-MORE" and many[-1].found == "2000"


def test_the_limit_does_not_change_what_profiles_were_called() -> None:
    plain = Profile("x", ("folder",))
    assert b"max_files_per_aip" not in plain.canonical()
    other = Profile("x", ("folder",), limits=Limits(max_files_per_aip=5))
    assert b'"max_files_per_aip": 5' in other.canonical() and other.digest != plain.digest


@pytest.mark.slow
def test_by_the_command_nothing_is_stored(tmp_path: Path) -> None:
    house = House(tmp_path / "house").stores()
    package = tmp_path / "hồ sơ"
    for folder, count in (("Công văn", 3), ("Quyết định", 4), ("Tờ trình", 1)):
        (package / "objects" / folder).mkdir(parents=True)
        for number in range(count):
            (package / "objects" / folder / f"{number}.txt").write_text(f"{folder} {number}", "utf-8")
    profile = tmp_path / "small.toml"
    text = 'name = "small"\naccepts = ["folder"]\nmakes = "eark-aip"\n[limits]\nmax_files_per_aip = '
    profile.write_text(text + "5\n")
    for command in ("validate", "ingest"):
        answer = house.run(command, package, "--profile", profile)
        assert answer.exit == 1 and answer.item["verdict"] in ("invalid", "rejected")
        told = [finding for finding in answer.item["findings"] if finding["code"].startswith("PKG-SPLIT")]
        assert [one["code"] for one in told] == ["PKG-SPLIT", "PKG-SPLIT-PART", "PKG-SPLIT-PART"]
        assert [one["found"] for one in told] == [
            "8",
            "objects/Công văn/ (3)",
            "objects/Quyết định/ … objects/Tờ trình/ (5)",
        ]
    assert not list((house.base / "vault/ocfl").rglob("inventory.json"))
    profile.write_text(text + "8\n")
    assert house.run("ingest", package, "--profile", profile).exit == 0
