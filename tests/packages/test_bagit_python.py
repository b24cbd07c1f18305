"""bagit-python as a second judge: on good bags and on those faults that it sees, it and we agree."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import bagit
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.packages.bagit import Bagit
from pipeline.tree import FolderTree
from tests.packages.bags import bag
from tests.packages.received import judged, valid, write

KIND = Bagit()
# Names with %, CR, LF and spaces at their edges are left out: bagit-python gets them wrong (its issues 143, 157),
# and it trims every white space there is, not only blanks.
LETTERS = st.sampled_from("abcxyzAĂăÂâĐđÊêÔôƠơƯưạảãẹ0129-_.()&'+,;=@~ ")
NAME = st.text(LETTERS, min_size=1, max_size=10).filter(
    lambda name: name == name.strip() and name not in (".", "..") and not name.startswith("~")
)
PAYLOAD = st.dictionaries(
    st.lists(NAME, min_size=1, max_size=3).map("/".join), st.binary(max_size=60), min_size=1, max_size=6
)
ALGORITHMS = st.sampled_from([("md5",), ("sha256",), ("sha512", "sha1"), ("md5", "sha256")])
QUIET = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("bagit").setLevel(logging.CRITICAL)


def theirs(root: Path) -> bool:
    try:
        return bool(bagit.Bag(str(root)).validate())
    except bagit.BagError:
        return False


def ours(root: Path) -> bool:
    return valid(judged(KIND, FolderTree(root)))


def fitting(payload: dict[str, bytes]) -> dict[str, bytes | str]:
    """Without names that are file and folder at once."""
    folders = {name[:index] for name in payload for index in range(len(name)) if name[index] == "/"}
    return {name: data for name, data in payload.items() if name not in folders}


@QUIET
@given(payload=PAYLOAD, algorithms=ALGORITHMS)
def test_bags_of_bagit_python_are_good(
    payload: dict[str, bytes], algorithms: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = write(tmp_path_factory.mktemp("b"), fitting(payload))
    bagit.make_bag(str(root), {"Contact-Name": "Nguyễn Văn A"}, checksums=list(algorithms))
    assert theirs(root)
    errors = [finding for finding in judged(KIND, FolderTree(root)) if not valid([finding])]
    assert errors == []


@QUIET
@given(payload=PAYLOAD, algorithms=ALGORITHMS, version=st.sampled_from(["0.97", "1.0"]))
def test_our_good_bags_pass_bagit_python(
    payload: dict[str, bytes], algorithms: tuple[str, ...], version: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = bag(tmp_path_factory.mktemp("b") / "b", fitting(payload), algorithms=algorithms, version=version)
    assert judged(KIND, FolderTree(root)) == [] or ours(root)
    assert theirs(root)


FAULTS: dict[str, Any] = {
    "changed": lambda file: file.write_bytes(file.read_bytes() + b"x"),
    "removed": lambda file: file.unlink(),
    "added": lambda file: (file.parent / "added-by-the-test").write_bytes(b"x"),
    "renamed": lambda file: file.rename(file.with_name("renamed-by-the-test")),
}


@QUIET
@given(payload=PAYLOAD, fault=st.sampled_from(sorted(FAULTS)), which=st.integers(0, 100), tag=st.booleans())
def test_faults_are_seen_by_both(
    payload: dict[str, bytes], fault: str, which: int, tag: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = bag(tmp_path_factory.mktemp("b") / "b", fitting(payload))
    if tag and fault != "added":
        victim = root / "bag-info.txt"
    else:
        files = sorted(file for file in (root / "data").rglob("*") if file.is_file())
        victim = files[which % len(files)]
    FAULTS[fault](victim)
    assert not ours(root)
    assert not theirs(root)
