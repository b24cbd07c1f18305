"""Every row of the bad-input table of docs/contract.md through the real command: exit, code, what is kept, going on."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.command import ARCHIVE, CLOCK, LUUTRU, House
from tests.contract import faults
from tests.ingest.bad import (
    SAMPLES,
    Apart,
    apart,  # noqa: F401
    faulty,
    fits,
    lines,
    objects,
    one_copy,
    package,
    stored,
    whole,
    with_bucket,
)
from tests.storage.conftest import Server, seaweed_server  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, workers=1)
    return made.stores()


# --- the path ---


def test_a_path_that_does_not_exist(house: House, tmp_path: Path) -> None:
    """Found before any work starts: the good package beside it is not touched."""
    good, missing = package(tmp_path), tmp_path / "đâu rồi"
    answer = fits(house.run("ingest", good, missing), 2, "USE-PATH")
    assert str(missing) in answer.document["problem"]["message"]["en"]  # type: ignore[index]
    assert answer.items == []
    assert stored(house.base) == set()
    assert lines(house, "commit") == []
    package(tmp_path, "đâu rồi")
    fits(house.run("ingest", good, missing), 0)
    whole(house, 2)


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        (("scandir", "kín", "EACCES"), "folder"),
        (("scandir", "trong", "EACCES"), "folder"),
        (("stat", "kín", "EACCES"), "folder"),
        (("open", "kín.zip", "EACCES"), "zip"),
        (("open", "bên trong.txt", "EACCES"), "folder"),
    ],
    ids=["folder", "folder-below", "folder-above", "archive", "file"],
)
def test_no_permission(house: House, tmp_path: Path, fault: tuple[str, str, str], made: str) -> None:
    good, closed = package(tmp_path), tmp_path / "kín"
    (closed / "trong").mkdir(parents=True)
    (closed / "trong" / "bên trong.txt").write_text("kín")
    (closed / "ngoài.txt").write_text("ngoài")
    if made == "zip":
        closed = Path(shutil.make_archive(str(closed), "zip", closed))
    answer = fits(house.run("ingest", closed, good, env=faulty(fault)), 3, answer_code(fault))
    named = [item for item in answer.items if item["problem"]]
    told = json.dumps(named[0]["problem"] if named else answer.document["problem"], ensure_ascii=False)  # type: ignore[index]
    assert fault[1] in told
    assert "Permission denied" in told
    if named:
        assert [item["verdict"] for item in answer.items] == [None, "accepted"]
        assert len(objects(house.base / "vault")) == 1
    fits(house.run("ingest", closed, good), 0)
    whole(house, 2)


def answer_code(fault: tuple[str, str, str]) -> str:
    """A file that is named inside its package has a code of its own."""
    return "SYS-FILE-READ" if fault[1].endswith(".txt") else "SYS-READ"


def test_no_permission_to_list_a_batch(house: House, tmp_path: Path) -> None:
    batch = tmp_path / "đợt"
    package(batch)
    fits(house.run("ingest", "--batch", batch, env=faulty(("scandir", "đợt", "EACCES"))), 3, "SYS-READ")
    fits(house.run("ingest", "--batch", batch), 0)
    whole(house, 1)


# --- the content ---


def test_what_cannot_be_a_package_is_rejected_and_the_good_ones_go_on(house: House, tmp_path: Path) -> None:
    empty, nested, noise = tmp_path / "rỗng", tmp_path / "rỗng trong", tmp_path / "nhiễu.zip"
    empty.mkdir()
    (nested / "một" / "hai").mkdir(parents=True)
    noise.write_bytes(os.urandom(5000))
    good = package(tmp_path)
    cases = {
        empty: "PKG-EMPTY",
        nested: "PKG-EMPTY",
        noise: "PKG-NOT-A-PACKAGE",
        **{
            sample(code): code
            for code in ("PKG-EMPTY", "PKG-NOT-A-PACKAGE", "PKG-ZIP-TRUNCATED", "PKG-BOMB", "PKG-CLIMBING",
                         "PKG-ZIP-ENCRYPTED", "PKG-LINK", "PKG-KIND")
        },
    }  # fmt: skip
    verdicts = []
    for _ in range(2):
        answer = fits(house.run("ingest", *cases, good), 1)
        verdicts.append(answer.items[-1]["verdict"])
        for item, code in zip(answer.items, cases.values(), strict=False):
            assert item["verdict"] == "rejected", item
            assert code in {one["code"] for one in item["findings"]}, item
            assert (item["aip"], item["copies"]) == (None, [])
    assert verdicts == ["accepted", "already archived"]
    whole(house, 1)
    empty.joinpath("bây giờ.txt").write_text("có tệp")
    fits(house.run("ingest", empty), 0)
    whole(house, 2)


def sample(code: str) -> Path:
    return next(path for path in sorted(SAMPLES.iterdir()) if path.name.startswith(f"rejected--{code}--"))


# --- a file that cannot be read ---


@pytest.mark.parametrize("call", ["open", "read"])
def test_one_unreadable_file(house: House, tmp_path: Path, call: str) -> None:
    """Its package gets no verdict and nothing of it is stored, the others are done; the same command goes on."""
    before, after = package(tmp_path, "trước"), package(tmp_path, "sau")
    bad = package(tmp_path, "hỏng", xấu=b"x" * 5000)
    for number in range(30):
        (bad / f"lành {number:02}.txt").write_text(f"{number}")
    command = ("ingest", before, bad, after)
    for _ in range(2):
        answer = fits(house.run(*command, env=faulty((call, "xấu.txt", "EIO"))), 3, "SYS-FILE-READ")
        told = answer.items[1]["problem"]
        assert "xấu.txt" in told["message"]["en"] and "hỏng" in told["message"]["en"]
        assert "Input/output error" in told["message"]["vi"]
        assert answer.items[0]["verdict"] in ("accepted", "already archived")
        assert answer.items[2]["verdict"] in ("accepted", "already archived")
        for store in ("vault", "second"):
            assert len(objects(house.base / store)) == 2
        assert not [path for path in stored(house.base) if "/intents/" in path]
    answer = fits(house.run(*command), 0)
    assert [item["verdict"] for item in answer.items] == ["already archived", "accepted", "already archived"]
    whole(house, 3)


def test_an_archive_with_an_unreadable_stretch(house: House, tmp_path: Path) -> None:
    good, zipped = package(tmp_path), tmp_path / "kho.zip"
    shutil.make_archive(str(zipped.with_suffix("")), "zip", package(tmp_path, "trong zip", lớn=os.urandom(9000)))
    answer = house.run("ingest", zipped, good, env=faulty(("pread", "kho.zip", "EIO")))
    fits(answer, 3, "SYS-READ")
    assert "kho.zip" in answer.items[0]["problem"]["message"]["en"]
    assert len(objects(house.base / "vault")) == 1
    fits(house.run("ingest", zipped, good), 0)
    whole(house, 2)


# --- disks of stores and data folder ---


def onto_tmpfs(name: str, size: str) -> str:
    """Shell: puts what a folder holds onto a small file system in its place."""
    return f"cp -a {name} {name}.was; mount -t tmpfs -o size={size} tmpfs {name}; cp -a {name}.was/. {name}/"


@pytest.mark.parametrize("which", [("vault", "second"), ("second",)], ids=["all", "one"])
def test_no_room_in_a_store(apart: Apart, tmp_path: Path, which: tuple[str, ...]) -> None:  # noqa: F811
    """Found before the first byte."""
    big = package(tmp_path, "lớn", nặng=os.urandom(3 * 2**20))
    for name in which:
        apart.mount(onto_tmpfs(name, "1m"))
    fits(apart.run("ingest", big), 3, "SYS-SPACE")
    assert lines(apart, "commit") == []
    for name in which:
        apart.mount(f"umount {name}")
    fits(apart.run("ingest", big), 0)
    whole(apart, 1)


@pytest.mark.parametrize("which", [("vault", "second"), ("second",)], ids=["all", "one"])
def test_read_only_stores(apart: Apart, tmp_path: Path, which: tuple[str, ...]) -> None:  # noqa: F811
    good = package(tmp_path)
    for name in which:
        apart.mount(f"mount --bind {name} {name}; mount -o remount,bind,ro {name}")
    fits(apart.run("ingest", good), 3, "SYS-STORE-READONLY")
    assert stored(apart.base) == set()
    for name in which:
        apart.mount(f"umount {name}")
    fits(apart.run("ingest", good), 0)
    whole(apart, 1)


def test_no_room_in_the_data_folder(apart: Apart, tmp_path: Path) -> None:  # noqa: F811
    """Before the first byte where it can be known, at any write where not: never a bug, never a half truth."""
    good = package(tmp_path)
    apart.mount(onto_tmpfs("data", "32m"))
    fits(apart.run("ingest", good), 3, "SYS-SPACE")
    apart.mount("umount data")
    packed = tmp_path / "nén.tar.gz"
    source = package(tmp_path, "nén", nặng=os.urandom(2**20) * 60)
    subprocess.run(["tar", "-czf", packed, source.name], cwd=tmp_path, check=True, timeout=60)
    apart.mount(onto_tmpfs("data", "66m") + "; dd if=/dev/zero of=data/ballast bs=1M count=1 status=none")
    answer = apart.run("ingest", packed)
    assert answer.exit == 3, answer.out + answer.err
    apart.mount("cp -a data data.now; umount data; rm -r data data.now/ballast; mv data.now data")
    fits(apart.run("ingest", packed, good), 0)
    whole(apart, 2)


@pytest.mark.parametrize("limit", [600, 5_000, 20_000, 60_000, 150_000, 400_000])
def test_a_quota_at_any_write(house: House, tmp_path: Path, limit: int) -> None:
    """No file may grow beyond the limit, as with a quota: exit 3 with a sentence, and the same command goes on."""
    big = package(tmp_path, "lớn", nặng=os.urandom(500_000))
    for number in range(60):
        (big / f"tệp {number:02}.txt").write_text(f"{number}\n" * 50)

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    answer = house.run("ingest", big, preexec_fn=bounded)
    assert answer.exit == 3, (limit, answer.out, answer.err)
    assert answer.document is not None
    problem = answer.document.get("problem") or answer.item["problem"]
    assert problem["code"].startswith("SYS-"), problem
    fits(house.run("ingest", big), 0)
    whole(house, 1)


def test_a_full_disk_at_any_file(house: House, tmp_path: Path) -> None:
    """The n-th file that is opened to be written cannot be: never a bug, nothing by halves, and it goes on."""
    seen = []
    for number in (1, 5, 8, *range(10, 36, 2)):
        good = package(tmp_path, f"gói {number}")
        answer = house.run("ingest", good, env=faulty(("write", str(number), "ENOSPC")))
        assert answer.exit in (0, 3, 4), (number, answer.out, answer.err)
        seen.append(answer.exit)
        assert faults(answer.document or {}) == []
        fits(house.run("ingest", good), 0)
    assert seen.count(3) > 8, seen
    whole(house, len(seen))


# --- stores that are not there, or not ours ---


def test_all_stores_down(house: House, tmp_path: Path) -> None:
    good = package(tmp_path)
    for name in ("vault", "second"):
        (house.base / name).rename(house.base / f"{name}.away")
    fits(house.run("ingest", good), 3, "SYS-STORE-ABSENT")
    assert not (house.base / "vault").exists()
    for name in ("vault", "second"):
        (house.base / f"{name}.away").rename(house.base / name)
    fits(house.run("ingest", good), 0)
    whole(house, 1)


@pytest.mark.parametrize("by", ["ingest", "audit", "again"])
def test_one_of_two_stores_down(house: House, tmp_path: Path, by: str) -> None:
    """The missing copy is made from the verified one when the store is back: the submission is gone by then."""
    held, later = package(tmp_path), package(tmp_path, "gói sau")
    (house.base / "second").rename(house.base / "away")
    for _ in range(2):
        answer = fits(house.run("ingest", held), 4)
        assert (answer.item["verdict"], answer.item["waiting_for"]) == ("waiting", "copy")
        assert answer.item["aip"]
        assert {copy["store"]: copy["state"] for copy in answer.item["copies"]} == {
            "vault": "verified",
            "second": "absent",
        }
    assert not (house.base / "second").exists()
    away = fits(house.run("audit"), 3)
    assert {item["store"]: item["result"] for item in away.items} == {"vault": "intact", "second": "not-checked"}
    (house.base / "away").rename(house.base / "second")
    if by == "again":
        answer = fits(house.run("ingest", held), 0)
        assert answer.item["verdict"] == "already archived"
        whole(house, 1)
        return
    shutil.rmtree(held)
    if by == "audit":
        fits(house.run("audit"), 0)
        whole(house, 1)
    else:
        answer = fits(house.run("ingest", later), 0)
        assert answer.item["verdict"] == "accepted"
        whole(house, 2)
    (made,) = lines(house, "copy-made")
    assert json.dumps(made).count('"vault"') == 1
    audited = fits(house.run("audit"), 0)
    assert {item["result"] for item in audited.items} == {"intact"}


@pytest.mark.parametrize("others", [True, False], ids=["beside-a-good-store", "alone"])
def test_wrong_credentials(tmp_path: Path, seaweed_server: Server, others: bool) -> None:  # noqa: F811
    """Nobody waits for a key that will not come by itself: exit 3 before the first byte."""
    house = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    house.settings(archive=ARCHIVE, workers=1)
    keys = tmp_path / "keys"
    shutil.copy2(seaweed_server.credentials, keys)
    profile: tuple[str, ...] = ()
    if others:
        house.stores("vault")
    else:
        profile = ("--profile", str(one_copy(tmp_path)))
    with_bucket(house, seaweed_server.endpoint, keys, f"wrong-{others}")
    good = package(tmp_path)
    right = keys.read_text()
    keys.write_text("[default]\naws_access_key_id = NOBODY\naws_secret_access_key = wrong-wrong-wrong\n")
    answer = fits(house.run("ingest", good, *profile), 3, "SYS-STORE-CREDENTIALS")
    assert "bucket" in json.dumps(answer.document)
    assert "wrong-wrong-wrong" not in answer.out + answer.err
    assert lines(house, "commit") == []
    keys.write_text(right)
    fits(house.run("ingest", good, *profile), 0)
    assert len(lines(house, "commit")) == 1


@pytest.mark.parametrize("which", [("vault", "second"), ("second",)], ids=["all", "one"])
def test_wrong_archive_in_store_json(house: House, tmp_path: Path, which: tuple[str, ...]) -> None:
    good = package(tmp_path)
    for name in which:
        passport = house.base / name / "store.json"
        passport.write_text(passport.read_text().replace(ARCHIVE, "00000000-0000-4000-8000-000000000000"))
    answer = fits(house.run("ingest", good), 3, "SYS-STORE-ARCHIVE")
    assert "00000000-0000-4000-8000-000000000000" in json.dumps(answer.document)
    assert stored(house.base) == set()
    for name in which:
        passport = house.base / name / "store.json"
        passport.write_text(passport.read_text().replace("00000000-0000-4000-8000-000000000000", ARCHIVE))
    fits(house.run("ingest", good), 0)
    whole(house, 1)


def test_fewer_stores_than_copies(tmp_path: Path) -> None:
    good = package(tmp_path)
    house = House(tmp_path / "house")
    answer = fits(house.run("ingest", good), 2, "USE-NEEDS-STORE")
    assert "store add" in answer.document["problem"]["advice"]["en"]  # type: ignore[index]
    house.stores("vault")
    advice = fits(house.run("ingest", good), 2, "USE-COPIES").document["problem"]["advice"]  # type: ignore[index]
    for tongue in ("vi", "en"):
        assert "store add" in advice[tongue] and "copies = 1" in advice[tongue]
    assert stored(house.base, "vault") == set()
    fits(house.run("ingest", good, "--profile", one_copy(tmp_path)), 0)


def test_the_same_package_again(house: House, tmp_path: Path) -> None:
    good = package(tmp_path)
    first = fits(house.run("ingest", good), 0).item
    second = fits(house.run("ingest", good, good), 0)
    for item in second.items:
        assert (item["verdict"], item["aip"], item["version"]) == ("already archived", first["aip"], "v1")
    whole(house, 1)


# --- usage ---


def test_usage_is_told_before_anything_runs(house: House, tmp_path: Path) -> None:
    good = package(tmp_path)
    file, broken = tmp_path / "tệp.txt", tmp_path / "đứt"
    file.write_text("x")
    broken.symlink_to(tmp_path / "nowhere")
    cases: list[tuple[tuple[str | Path, ...], str, str]] = [
        (("ingest", "--batch", file), "USE-BATCH", "tệp.txt"),
        (("ingest", good, "--profile", "không-có"), "USE-PROFILE-UNKNOWN", "không-có"),
        (("ingest", good, "--kind", "không-có"), "USE-KIND", "không-có"),
        (("ingest", good, "--queue"), "USE-QUEUE", "luutru up"),
        (("ingest", good, "--nonsense"), "USE-ARGUMENTS", "--nonsense"),
        (("ingest",), "USE-ARGUMENTS", "PATHS"),
        (("ingest", good, ""), "USE-ARGUMENTS", "empty path"),
        (("ingest", good, broken), "USE-PATH", "đứt"),
        (("validate", good, "--kind", "không-có"), "USE-KIND", "không-có"),
        (("validate", tmp_path / "không-có"), "USE-PATH", "không-có"),
        (("show", "ffffffff"), "USE-AIP-UNKNOWN", "ffffffff"),
        (("export", "ffffffff", tmp_path / "ra"), "USE-AIP-UNKNOWN", "ffffffff"),
        (("export", "ffffffff"), "USE-ARGUMENTS", "DIR"),
        (("audit", "--store", "không-có"), "USE-STORE-UNKNOWN", "không-có"),
        (("audit", "--budget", "nhiều"), "USE-BUDGET", "nhiều"),
        (("store", "probe", "không-có"), "USE-STORE-UNKNOWN", "không-có"),
        (("store", "add", "third", "ftp://x/y"), "USE-STORE-URL", "ftp://x/y"),
        (("store", "add", "vault", (tmp_path / "khác").as_uri()), "USE-STORE-TWICE", "vault"),
        (("catalogue", "rebuild", "--from", "không-có"), "USE-STORE-UNKNOWN", "không-có"),
        (("status", "--lang", "fr"), "USE-ARGUMENTS", "fr"),
    ]
    for command, code, named in cases:
        answer = fits(house.run(*command), 2, code)
        assert answer.document is not None
        assert answer.document["schema"] == f"luutru/{command[0]}/1"
        assert named in json.dumps(answer.document["problem"], ensure_ascii=False), command
        spoken = house.run(*command, json_=False)
        assert (spoken.exit, spoken.out) == (2, ""), command
        assert code in spoken.err and "Traceback" not in spoken.err
    assert stored(house.base) == set()
    assert not (tmp_path / "ra").exists()


@pytest.mark.parametrize("arguments", [("nonsense",), ("store", "nonsense"), ("--nonsense",)])
def test_a_command_that_does_not_exist(house: House, arguments: tuple[str, ...]) -> None:
    answer = house.run(*arguments)
    assert answer.exit == 2
    assert answer.document is not None
    assert answer.document["problem"]["code"] == "USE-ARGUMENTS"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("workres = 2\n", "workres"),
        ('workers = "two"\n', "workers"),
        ("archive = 'no-uuid'\n", "archive"),
        ("workers = \n", "line 1"),
    ],
)
def test_settings_that_are_not_understood(house: House, tmp_path: Path, text: str, named: str) -> None:
    good = package(tmp_path)
    settings = house.data / "luutru.toml"
    settings.write_text(text)
    answer = house.run("ingest", good)
    assert answer.exit == 2 and answer.document is not None, answer.out + answer.err
    told = answer.document["problem"]["message"]["en"]
    assert str(settings) in told and named in told
    assert stored(house.base) == set()
    missing = house.run("ingest", good, env={"LUUTRU_CONFIG": str(tmp_path / "none.toml")})
    fits(missing, 2, "USE-SETTINGS-MISSING")


def test_a_clock_that_is_no_time(house: House, tmp_path: Path) -> None:
    fits(house.run("ingest", package(tmp_path), env={"LUUTRU_CLOCK": "hôm qua"}), 2, "USE-CLOCK")


# --- several at once, outputs and places that fail ---


def test_the_gravest_counts(house: House, tmp_path: Path) -> None:
    """70 before 3 before 1 before 4 before 0, whatever the order of the packages."""
    good, bug, unread = package(tmp_path), package(tmp_path, "xui"), package(tmp_path, "hỏng", xấu=b"x")
    env = faulty(("scandir", "xui", "BUG"), ("open", "xấu.txt", "EIO"))
    empty = tmp_path / "rỗng"
    empty.mkdir()
    (house.base / "second").rename(house.base / "away")
    fits(house.run("ingest", good, env=env), 4)
    fits(house.run("ingest", empty, good, env=env), 1)
    fits(house.run("ingest", unread, empty, good, env=env), 3, "SYS-FILE-READ")
    fits(house.run("ingest", bug, unread, empty, good, env=env), 70, "SYS-BUG", "SYS-FILE-READ")


def test_a_child_that_leads_nowhere_stops_nothing(house: House, tmp_path: Path) -> None:
    batch = tmp_path / "đợt"
    package(batch)
    (batch / "đứt").symlink_to("nowhere")
    answer = fits(house.run("ingest", "--batch", batch), 3, "SYS-READ")
    assert sorted(str(item["verdict"]) for item in answer.items) == ["None", "accepted"]
    whole(house, 1)


def test_an_output_that_nobody_takes(house: House, tmp_path: Path) -> None:
    """A full disk behind `>`: no traceback, and never the exit code of a verdict."""
    good = package(tmp_path)
    for command in (("status", "--json"), ("ingest", str(good)), ("identify", str(good), "--json")):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [LUUTRU, *command], env=house.environment, stdout=full, stderr=subprocess.PIPE, timeout=120, check=False
            )
        assert done.returncode == 3, command
        assert b"SYS-WRITE" in done.stderr and b"Traceback" not in done.stderr, command
    whole(house, 1)


def test_a_data_folder_that_cannot_be_one(house: House, tmp_path: Path) -> None:
    good, file = package(tmp_path), tmp_path / "a file"
    file.write_text("x")
    for command in (("ingest", good), ("status",), ("audit",)):
        fits(house.run(*command, env={"LUUTRU_DATA": str(file)}), 3, "SYS-DATA-FOLDER")
    (house.data / "stores.json").write_text("{")
    fits(house.run("ingest", good), 3, "SYS-READ")
    (house.data / "stores.json").write_text('{"format": 7}')
    fits(house.run("ingest", good), 3, "SYS-FORMAT")


def test_no_room_for_an_export(apart: Apart, tmp_path: Path) -> None:  # noqa: F811
    big = package(tmp_path, "lớn", nặng=os.urandom(3 * 2**20))
    aip = fits(apart.run("ingest", big), 0).item["aip"]
    (apart.base / "out").mkdir()
    apart.mount("mount -t tmpfs -o size=1m tmpfs out")
    fits(apart.run("export", aip, apart.base / "out"), 3, "SYS-EXPORT")
    apart.mount('test -z "$(ls out)"')
    apart.mount("umount out")
    fits(apart.run("export", aip, apart.base / "out"), 0)


# --- our own faults, and people who stop it ---


def test_a_fault_of_ours_is_told_with_its_file(house: House, tmp_path: Path) -> None:
    good, cursed = package(tmp_path), package(tmp_path, "xui")
    answer = fits(house.run("ingest", cursed, good, env=faulty(("scandir", "xui", "BUG"))), 70, "SYS-BUG")
    assert [item["verdict"] for item in answer.items] == [None, "accepted"]
    (crash,) = (house.data / "crashes").iterdir()
    assert str(crash) in answer.items[0]["problem"]["advice"]["en"]
    assert "RuntimeError: a fault of our own" in crash.read_text()
    spoken = house.run("validate", cursed, json_=False, env=faulty(("scandir", "xui", "BUG")))
    assert spoken.exit == 70
    assert "crashes" in spoken.out + spoken.err
    assert "Traceback" not in spoken.out + spoken.err
    fits(house.run("ingest", cursed, good), 0)
    whole(house, 2)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_in_order(house: House, tmp_path: Path, number: int, code: int) -> None:
    """What is kept and how to go on is said; the same command resumes."""
    first, long = package(tmp_path), package(tmp_path, "dài")
    for count in range(3000):
        (long / f"{count:04}.txt").write_text(f"{count}\n")
    process = house.start("ingest", first, long, "--json")
    end = time.monotonic() + 60
    while not lines(house, "commit") and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err.decode()
    document = json.loads(out)
    assert (document["exit"], faults(document)) == (code, [])
    assert [item["verdict"] for item in document["items"]][:1] == ["accepted"]
    assert b"same command" in err
    fits(house.run("ingest", first, long), 0)
    whole(house, 2)
