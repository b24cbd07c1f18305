"""The sample packages: small, honest about their verdict, and what their builder builds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
import unicodedata
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from setup import samples
from tests.command import LUUTRU
from tests.contract import faults

NAME = re.compile(r"(accepted--ok|rejected--[A-Z0-9][A-Z0-9-]*[A-Z0-9])--[a-z0-9][a-z0-9.-]*")
PROJECT = samples.SAMPLES.parent


def packages() -> list[Path]:
    return sorted(path for path in samples.SAMPLES.iterdir() if "--" in path.name)


def test_there_are_enough_of_both_verdicts_and_every_name_says_which() -> None:
    names = [path.name for path in packages()]
    assert all(NAME.fullmatch(name) for name in names), names
    assert len(names) >= 16
    assert sum(name.startswith("accepted--") for name in names) >= 8
    assert sum(name.startswith("rejected--") for name in names) >= 8
    assert len({name.split("--", 2)[2] for name in names}) == len(names)


def test_everything_else_in_the_folder_is_about_the_packages() -> None:
    other = {path.name for path in samples.SAMPLES.iterdir()} - {path.name for path in packages()}
    assert other == {".gitattributes", "README.md"}


def test_the_whole_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in samples.SAMPLES.rglob("*") if path.is_file()) < 4 * 1024 * 1024


@pytest.mark.parametrize("name", sorted(samples.ARCHIVES))
def test_a_checked_in_archive_is_what_the_builder_builds(name: str) -> None:
    built = samples.ARCHIVES[name]()
    assert built == samples.ARCHIVES[name]()
    assert (samples.SAMPLES / name).read_bytes() == built


def test_every_archive_has_a_builder() -> None:
    files = {path.name for path in packages() if path.is_file()}
    assert files - set(samples.ARCHIVES) == {path.name for path in packages() if path.name.endswith(".pdf")}


def test_no_tracked_path_is_odd() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "sample_packages"], cwd=PROJECT, capture_output=True, check=True, timeout=60
    ).stdout
    if not listed:  # an export of the repository without its history
        listed = b"\0".join(str(p.relative_to(PROJECT)).encode() for p in samples.SAMPLES.rglob("*"))
    for raw in filter(None, listed.split(b"\0")):
        path = raw.decode("utf-8")
        assert path == unicodedata.normalize("NFC", path)
        assert path.isprintable(), path
        assert not re.search(r'[<>:"|?*\\]', path), path
        for segment in path.split("/"):
            assert segment == segment.strip()
            assert not segment.endswith("."), path
            assert len(segment.encode()) <= 200, path


def test_the_odd_names_travel_in_the_archive() -> None:
    with tarfile.open(samples.SAMPLES / "accepted--ok--ten-la.tar", errors="surrogateescape") as tar:
        names = tar.getnames()
        folders = {one.name for one in tar.getmembers() if one.isdir()}
    segments = [name.rpartition("/")[2] for name in names]
    assert any(name != unicodedata.normalize("NFC", name) for name in segments if "\udcd5" not in name)
    assert any(name.endswith(".") for name in segments)
    assert any("\n" in name for name in segments)
    assert any("\udcd5" in name for name in segments)
    assert any(len(name) == 300 and len(name.encode()) > 255 for name in segments if "\udcd5" not in name)
    assert any(name.endswith(" ") for name in segments)
    assert len(folders) == 2


@pytest.mark.parametrize("repeats", [1, 2, 3, 4, 5, 1000])
def test_the_bomb_is_a_right_deflate_stream(repeats: int) -> None:
    stream, size = samples.zeros_deflated(repeats)
    assert size == 1 + 258 * repeats
    packed = samples.Member(b"zeros", stream, 0, samples.DEFLATED, samples.crc_of_zeros(size), size)
    with zipfile.ZipFile(BytesIO(samples.zipped([packed]))) as archive:
        assert archive.read("zeros") == bytes(size)


def test_the_password_opens_what_is_encrypted() -> None:
    with zipfile.ZipFile(samples.SAMPLES / next(n for n in samples.ARCHIVES if "co-mat-khau" in n)) as archive:
        assert archive.read(archive.namelist()[0], pwd=b"luutru") == samples.LETTER


def test_the_builder_tells_what_differs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert samples.main(["--check"]) == 0
    assert samples.main([], tmp_path) == 0
    assert samples.main(["--check"], tmp_path) == 0
    (tmp_path / "accepted--ok--ten-la.tar").write_bytes(b"other")
    assert samples.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err.splitlines() == [
        "differs from what setup/samples.py builds: sample_packages/accepted--ok--ten-la.tar"
    ]


def test_the_table_tells_every_package() -> None:
    table = (samples.SAMPLES / "README.md").read_text(encoding="utf-8")
    for path in packages():
        short = path.name.split("--", 2)[2]
        stem = short if path.is_dir() else re.sub(r"(\.tar)?\.(gz|zip|tar|pdf)$", "", short)
        assert f"`{stem}`" in table, stem


def test_the_verdict_of_each_is_what_its_name_says(tmp_path: Path) -> None:
    """Validation with the profile that the demo uses; every error of a rejected one belongs to what its name says."""
    document = validated(tmp_path)
    assert len(document["items"]) == len(packages())
    for path, item in zip(packages(), document["items"], strict=True):
        verdict, code, _ = path.name.split("--", 2)
        errors = {finding["code"] for finding in item["findings"] if finding["level"] == "error"}
        assert item["problem"] is None, item
        assert item["verdict"] == {"accepted": "valid", "rejected": "invalid"}[verdict], (path.name, errors)
        if verdict == "rejected":
            assert code in errors, (path.name, errors)
            assert errors - {code} <= BESIDES.get(code, set()), (path.name, errors)


BESIDES = {
    "BAG-MAN-03": {"BAG-INFO-06"},  # a file is missing, so its bytes are missing in Payload-Oxum
    "BAG-FETCH-REFUSED": {"BAG-FETCH-06"},  # what was not fetched is missing
    "PKG-CLIMBING": {"PKG-ABSOLUTE"},  # one member climbs, another is absolute
}


def validated(folder: Path) -> dict[str, Any]:
    """All samples through the command that a person would use."""
    environment = {**os.environ, "LUUTRU_DATA": str(folder / "data")}
    environment.pop("LUUTRU_CONFIG", None)
    command = [
        str(LUUTRU),
        "validate",
        "--profile",
        "eark",
        "--json",
        *map(str, packages()),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    assert faults(document) == []
    return document
