"""Adding, taking over, probing and opening stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import Problem, SystemProblem, UsageProblem
from pipeline.settings import StoreSetting, household, keep_household
from pipeline.storage.probe import add_store, independence, probe_store
from pipeline.storage.stores import PASSPORT, StoreAbsent, open_store, read_passport
from pipeline.workspace import Workspace
from tests.storage.conftest import Place, Server, opened

PROJECT = Path(__file__).resolve().parents[2]


def refused(code: str, act: object, *words: object, **more: object) -> Problem:
    assert callable(act)
    with pytest.raises(Problem) as caught:
        act(*words, **more)
    assert caught.value.code == code
    return caught.value


def test_what_each_kind_can_do(place: Place, space: Workspace) -> None:
    setting = place.add(space)
    able = setting.capabilities
    expected = {
        "file": {"if_none_match": True, "if_match": True, "checksum_refused": False, "checksum_kept": False},
        # Others may repeat a digest that they were given; only one that is checked says anything.
        "seaweed": {"if_none_match": True, "if_match": True, "checksum_refused": True, "checksum_kept": True},
        "moto": {"if_none_match": True, "checksum_refused": False},
        "rclone": {"if_none_match": False, "if_match": False, "checksum_refused": False},
    }[place.kind]
    assert {name: able[name] for name in expected} == expected
    for needed in ("put", "get", "empty", "head", "list", "replace", "percent", "long_names", "delete"):
        assert able[needed] is True
    assert able["multipart_abort"] is True
    assert household(space).stores == (setting,)
    store = opened(space, "vault")
    keys = {key for key, _ in store.list("")}
    assert keys == {
        PASSPORT, "README.txt", "restore.py", "ocfl/0=ocfl_1.1", "ocfl/ocfl_layout.json",
        "ocfl/extensions/0003-hash-and-id-n-tuple-storage-layout/config.json",
    }  # fmt: skip
    passport = json.loads(store.read(PASSPORT))
    assert passport["format"] == 1 and passport["layout"] == "ocfl" and passport["name"] == "vault"
    assert passport["archive"] == household(space).archive and passport["store"] == store.id == able["store"]


def test_a_store_of_this_archive_is_taken_over(place: Place, space: Workspace, tmp_path: Path) -> None:
    first = place.add(space)
    other = Workspace(tmp_path / "other")
    other.locks.mkdir(parents=True)
    other.work.mkdir()
    refused("USE-STORE-NAMED", place.add, other, "another-name")
    second = place.add(other)
    assert household(other).archive == household(space).archive
    assert second.capabilities["store"] == first.capabilities["store"]
    third = Workspace(tmp_path / "third")
    third.locks.mkdir(parents=True)
    third.work.mkdir()
    add_store(third, "own", f"file://{tmp_path}/own")
    problem = refused("SYS-STORE-ARCHIVE", place.add, third)
    assert problem.values["found"] == household(space).archive


def test_names_urls_twice_nested(space: Workspace, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/a"
    for name in ("", "Kho", "kho chính", "a/b", "a_b", "x" * 64, "../x"):
        refused("USE-STORE-NAME", add_store, space, name, url)
    for bad in (
        "", "/srv/vault", "file://host/srv", "file:relative", "http://x/y", "s3://", "s3://Bucket", "s3://b",
        "s3://bucket/../x", "s3://bucket/a b", "s3://key:secret@bucket/x", "ftp://x", f"{url}?x=1", f"{url}#x",
    ):  # fmt: skip
        refused("USE-STORE-URL", add_store, space, "vault", bad)
    refused("USE-STORE-VERIFY", add_store, space, "vault", url, verify="never")
    refused("USE-STORE-URL", add_store, space, "vault", url, endpoint="http://127.0.0.1:1")
    shown = refused("USE-STORE-ENDPOINT", add_store, space, "vault", "s3://bucket", endpoint="http://u:pass@host")
    assert "pass" not in str(shown)
    assert household(space).stores == () and not (tmp_path / "a").exists()
    add_store(space, "vault", url)
    refused("USE-STORE-TWICE", add_store, space, "vault", f"file://{tmp_path}/b")
    refused("USE-STORE-TWICE", add_store, space, "second", url)
    refused("USE-STORE-TWICE", add_store, space, "second", f"file://{tmp_path}/./a/")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    refused("USE-STORE-TWICE", add_store, space, "second", f"file://{tmp_path}/link")
    refused("USE-STORE-NESTED", add_store, space, "second", f"{url}/inner")
    refused("USE-STORE-NESTED", add_store, space, "second", f"file://{tmp_path}")
    add_store(space, "second", f"file://{tmp_path}/ab")
    refused("USE-STORE-UNKNOWN", probe_store, space, "third")


def test_the_same_bucket_by_another_address(space: Workspace, seaweed_server: Server, tmp_path: Path) -> None:
    place = Place("seaweed", f"s3://luutru/tests/{tmp_path.name}", seaweed_server)
    place.add(space, "bucket")
    other = Server(seaweed_server.endpoint.replace("127.0.0.1", "localhost"), seaweed_server.credentials)
    refused("USE-STORE-TWICE", Place("seaweed", place.url, other).add, space, "again")
    refused("USE-STORE-NESTED", Place("seaweed", f"{place.url}/inner", seaweed_server).add, space, "again")


def test_a_place_with_other_things_is_refused(space: Workspace, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_bytes(b"x")
    problem = refused("USE-STORE-NOT-EMPTY", add_store, space, "vault", f"file://{tmp_path}/full")
    assert problem.values["found"] == "thesis.doc"
    # An addition that was cut off leaves only things of ours: it goes on.
    add_store(space, "vault", f"file://{tmp_path}/good")
    (tmp_path / "good" / PASSPORT).unlink()
    keep_household(space, replace(household(space), stores=()))
    add_store(space, "vault", f"file://{tmp_path}/good")


def test_verify_server_needs_a_server_that_checks(space: Workspace, place: Place) -> None:
    if place.kind == "seaweed":
        assert place.add(space, verify="server").verify == "server"
    else:
        refused("USE-STORE-VERIFY", place.add, space, verify="server")
        assert household(space).stores == ()


def test_probing_again_keeps_the_result(space: Workspace, place: Place) -> None:
    before = place.add(space)
    spoilt = replace(before, capabilities={"store": before.capabilities["store"], "place": "?"})
    keep_household(space, replace(household(space), stores=(spoilt,)))
    after = probe_store(space, "vault")
    changing = ("free", "probed")
    assert {k: v for k, v in after.capabilities.items() if k not in changing} == {
        k: v for k, v in before.capabilities.items() if k not in changing
    }
    assert household(space).stores == (after,)
    assert [key for key, _ in opened(space, "vault").list("probe/")] == []


def test_an_opened_store_is_the_one_that_was_added(space: Workspace, tmp_path: Path) -> None:
    setting = add_store(space, "vault", f"file://{tmp_path}/a")
    archive = household(space).archive
    passport = tmp_path / "a" / PASSPORT
    good = json.loads(passport.read_text())

    def changed(**values: object) -> None:
        passport.write_text(json.dumps({**good, **values}))

    changed(archive="another")
    refused("SYS-STORE-ARCHIVE", open_store, setting, archive)
    changed(store="another")
    refused("SYS-STORE-OTHER", open_store, setting, archive)
    for odd in ({"format": 2}, {"layout": "packed"}, {"more": 1}, {"name": 7}):
        changed(**odd)
        refused("SYS-STORE-FORMAT", open_store, setting, archive)
    passport.write_text("{")
    refused("SYS-STORE-FORMAT", open_store, setting, archive)
    passport.unlink()
    problem = refused("SYS-STORE-ABSENT", open_store, setting, archive)
    assert isinstance(problem, StoreAbsent) and not problem.transient
    changed()
    store = open_store(setting, archive)
    assert read_passport(store).store == store.id
    changed(store="exchanged under us")
    refused("SYS-STORE-OTHER", store.check)


def test_an_unmounted_disk_is_absent_and_stays_empty(space: Workspace, tmp_path: Path) -> None:
    setting = add_store(space, "vault", f"file://{tmp_path}/disk")
    store = open_store(setting, household(space).archive)
    (tmp_path / "disk").rename(tmp_path / "elsewhere")
    (tmp_path / "disk").mkdir()
    for act in (store.check, lambda: store.read("settings/x"), lambda: store.head("settings/x")):
        refused("SYS-STORE-ABSENT", act)
    refused("SYS-STORE-ABSENT", lambda: list(store.list("ocfl/")))
    refused("SYS-STORE-ABSENT", open_store, setting, household(space).archive)
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_server_that_is_away(space: Workspace, tmp_path: Path, seaweed_server: Server) -> None:
    place = Place("seaweed", f"s3://luutru/tests/{tmp_path.name}", seaweed_server)
    setting = place.add(space)
    away = replace(setting, endpoint="http://127.0.0.1:9")
    problem = refused("SYS-STORE-UNREACHABLE", open_store, away, household(space).archive)
    assert problem.transient and isinstance(problem, StoreAbsent)
    elsewhere = replace(setting, url="s3://there-is-no-such-bucket/x")
    problem = refused("SYS-STORE-ABSENT", open_store, elsewhere, household(space).archive)
    assert not problem.transient


def keyfile(folder: Path, text: str, mode: int = 0o600) -> str:
    file = folder / "keys"
    file.write_text(text)
    file.chmod(mode)
    return str(file)


def test_credentials(space: Workspace, tmp_path: Path, seaweed_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Place("seaweed", f"s3://luutru/tests/{tmp_path.name}", seaweed_server).add(space)
    archive = household(space).archive
    good = seaweed_server.credentials.read_text()
    values = dict(line.split(" = ", 1) for line in good.splitlines() if " = " in line)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    said = []
    lax = keyfile(tmp_path, good, 0o644)
    said.append(refused("SYS-STORE-CREDENTIALS-MODE", open_store, replace(setting, credentials_file=lax), archive))
    for text in ("", "[other]\nx = 1\n", "aws_secret_access_key = s3cr3t\n", "[default]\naws_access_key_id = x\n"):
        file = keyfile(tmp_path, text)
        said.append(refused("SYS-STORE-CREDENTIALS", open_store, replace(setting, credentials_file=file), archive))
    wrong = keyfile(tmp_path, good.replace(values["aws_secret_access_key"], "wr0ng-s3cr3t"))
    said.append(refused("SYS-STORE-CREDENTIALS", open_store, replace(setting, credentials_file=wrong), archive))
    stranger = keyfile(tmp_path, "[default]\naws_access_key_id = STRANGER\naws_secret_access_key = s3cr3t\n")
    said.append(refused("SYS-STORE-CREDENTIALS", open_store, replace(setting, credentials_file=stranger), archive))
    bare = replace(setting, credentials_file=None)
    said.append(refused("SYS-STORE-CREDENTIALS", open_store, bare, archive))
    said.append(refused("SYS-STORE-CREDENTIALS", open_store, replace(bare, aws_profile="none"), archive))
    assert not any(secret in f"{one!r}" for one in said for secret in ("s3cr3t", values["aws_secret_access_key"]))
    assert all(not one.transient for one in said)
    # The three ways in which they are found.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", values["aws_access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", values["aws_secret_access_key"])
    assert open_store(bare, archive).id
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    named = keyfile(tmp_path, good.replace("[default]", "[archive]"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", named)
    assert open_store(replace(bare, aws_profile="archive"), archive).id
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert open_store(replace(bare, aws_profile="archive", credentials_file=named), archive).id


def test_independence() -> None:
    def at(name: str, place: str) -> StoreSetting:
        return StoreSetting(name, f"file:///{name}", capabilities={"place": place})

    disk, same, other = at("a", "disk:vda@m1"), at("b", "disk:vda@m1"), at("c", "disk:vdb@m1")
    here, far, share = at("d", "machine@m1"), at("e", "s3:s3.example.org"), at("f", "share:123")
    assert independence([]).figure == 0
    assert (independence([disk]).figure, independence([disk]).shared) == (1, ())
    assert (independence([disk, same]).figure, independence([disk, same]).shared) == (1, (("a", "b"),))
    assert independence([disk, other]).figure == 2
    assert independence([here, disk]).shared == (("a", "d"),)
    assert independence([disk, far, share]).figure == 3
    assert independence([here, at("g", "machine@m1")]).figure == 1
    assert independence([StoreSetting("x", "file:///x"), StoreSetting("y", "file:///y")]).figure == 2


def test_boto3_is_loaded_for_buckets_alone() -> None:
    code = (
        "import sys; import pipeline.storage.probe, pipeline.storage.copies, pipeline.storage.stores.s3; "
        "sys.exit(int(bool({'boto3', 'botocore', 'ijson', 'moto'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=dict(os.environ), timeout=60)
    assert done.returncode == 0


def test_usage_problems_come_before_anything_is_made(space: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem):
        add_store(space, "BAD", f"file://{tmp_path}/x")
    with pytest.raises(SystemProblem):
        add_store(space, "away", "s3://bucket/x", endpoint="http://127.0.0.1:9")
    assert household(space).stores == () and not (tmp_path / "x").exists()
