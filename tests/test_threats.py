"""Threats and faults of docs/threats.md, end to end through the command; the page says what is tested elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.seaweed import BUCKET
from pipeline.settings import PROJECT
from setup import samples
from tests.command import ARCHIVE, CLOCK, House, goes_on, kill_group
from tests.ingest.bad import SAMPLES, Apart, apart, fits, lines, objects, package, stored, whole, with_bucket  # noqa: F401
from tests.ingest.test_kill import facts
from tests.judges import commons_ip, eark_validator, ocfl_root, xsd
from tests.proxy import Faults, proxied
from tests.storage.conftest import Server, seaweed_server  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, workers=1)
    return made.stores()


def many(parent: Path, name: str = "nhiều", files: int = 300) -> Path:
    """A package that takes a while."""
    root = package(parent, name)
    for number in range(files):
        (root / f"tệp {number:03}.txt").write_text(f"{number}\n" * 40)
    return root


def stopped_at(house: House, root: Path, fact: str) -> subprocess.Popen[bytes]:
    """An ingest that is halted (SIGSTOP) as soon as its ledger tells a fact."""
    process = house.start("ingest", root, "--json")
    end = time.monotonic() + 120
    while fact not in facts(house):
        assert process.poll() is None and time.monotonic() < end, f"{fact} was not seen"
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGSTOP)
    return process


# --- the page ---


def test_the_page_names_tests_that_exist() -> None:
    page = (PROJECT / "docs" / "threats.md").read_text(encoding="utf-8")
    file = ""
    named = 0
    for path, name in re.findall(r"`((?:tests/[a-z_/]+\.py)?)::(test_\w+)`", page):
        file = path or file
        text = (PROJECT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE), f"{file}::{name}"
        named += 1
    assert named > 80


# --- threat 4: secrets ---


@pytest.mark.parametrize("way", ["environment", "file"])
def test_the_keys_of_a_store_appear_nowhere(tmp_path: Path, seaweed_server: Server, way: str) -> None:  # noqa: F811
    """A whole life of a package: output, logs, every file of the data folder and of the stores, the process lists."""
    text = seaweed_server.credentials.read_text()
    keys = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    secret = keys["aws_secret_access_key"]
    outside = tmp_path / "outside"
    outside.mkdir()
    if way == "environment":
        more = {"AWS_ACCESS_KEY_ID": keys["aws_access_key_id"], "AWS_SECRET_ACCESS_KEY": secret}
        options: tuple[str | Path, ...] = ()
    else:
        held = outside / "keys"
        shutil.copy2(seaweed_server.credentials, held)
        more, options = {}, ("--credentials-file", held)
    house = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK, **more})
    house.settings(archive=ARCHIVE, workers=2)
    house.stores("vault")
    seen: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(entry.read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = []
    url = f"s3://{BUCKET}/secrets-{way}"
    image = SAMPLES / "accepted--ok--anh-tu-lieu"
    try:
        told.append(house.run("store", "add", "bucket", url, "--endpoint", seaweed_server.endpoint, *options))
        told.append(house.run("ingest", many(tmp_path, files=20), image))
        aip = told[-1].items[0]["aip"]
        for command in (
            ("audit",), ("show", aip), ("export", aip, tmp_path / "out"), ("validate", aip), ("status",), ("doctor",),
            ("store", "list"), ("store", "probe", "bucket"), ("journal", "verify"), ("catalogue", "rebuild"),
        ):  # fmt: skip
            told.append(house.run(*command))
            told.append(house.run(*command, json_=False) if command[0] != "export" else told[-1])
        house.run("ingest", image, env={"AWS_SECRET_ACCESS_KEY": secret[::-1], "AWS_ACCESS_KEY_ID": "NOBODY"})
    finally:
        over.set()
        watcher.join()
    assert [answer.exit for answer in told if answer.exit not in (0, 3)] == []  # doctor says 3 where a tool lacks
    assert told[1].exit == 0, told[1].out + told[1].err
    assert any(b"ingest" in line for line in seen)
    for answer in told:
        assert secret not in answer.out + answer.err
    raw = secret.encode()
    assert not [line for line in seen if raw in line]
    searched = 0
    for root in (house.base, tmp_path / "out"):
        for file in root.rglob("*"):
            if file.is_file():
                searched += 1
                assert raw not in file.read_bytes(), file
    assert searched > 50
    client = seaweed_server.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"secrets-{way}/")
    kept = [item["Key"] for page in pages for item in page["Contents"]]
    assert len(kept) > 20
    for key in kept:
        assert raw not in client.get_object(Bucket=BUCKET, Key=key)["Body"].read(), key


# --- threat 8: what decides verdicts ---


def test_another_profile_is_a_line_of_the_journal(house: House, tmp_path: Path) -> None:
    fits(house.run("ingest", package(tmp_path)), 0)
    file = tmp_path / "eark.toml"
    file.write_text((SAMPLES.parent / "profiles" / "eark.toml").read_text() + "allow_fetch = true\n")
    second = package(tmp_path, "hai")
    fits(house.run("ingest", second, "--profile", file), 0)
    digests = [line["digest"] for line in lines(house, "settings-changed") if line["what"] == "profile eark"]
    assert len(digests) == len(set(digests)) == 2
    for store in ("vault", "second"):
        held = {one.name for one in (house.base / store / "settings").iterdir()}
        assert set(digests) <= held
    commits = lines(house, "commit")
    assert [line["profile_digest"] for line in commits] == digests


# --- faults of stores ---


def test_two_stores_on_one_disk_are_said_to_be_one_place(house: House) -> None:
    listed = fits(house.run("store", "list"), 0).document or {}
    assert (listed["stores"], listed["independent"]) == (2, 1)
    assert "1 independent" in house.run("store", "list", json_=False).out
    again = house.run("store", "add", "third", (house.base / "vault").as_uri())
    fits(again, 2, "USE-STORE-TWICE")


def test_another_store_behind_a_right_url(house: House, tmp_path: Path) -> None:
    """Two folders were mounted the wrong way round, a bucket was made anew: nothing is written there."""
    good = package(tmp_path)
    vault, second = house.base / "vault", house.base / "second"
    vault.rename(tmp_path / "x")
    second.rename(vault)
    (tmp_path / "x").rename(second)
    fits(house.run("ingest", good), 3, "SYS-STORE-OTHER")
    assert stored(house.base) == set()
    vault.rename(tmp_path / "x")
    second.rename(vault)
    (tmp_path / "x").rename(second)
    fits(house.run("ingest", good), 0)
    whole(house, 1)


def test_a_store_of_an_unknown_format_is_refused_with_a_sentence(house: House, tmp_path: Path) -> None:
    passport = house.base / "second" / "store.json"
    text = passport.read_text()
    passport.write_text(text.replace('"format": 1', '"format": 2'))
    fits(house.run("ingest", package(tmp_path)), 3, "SYS-STORE-FORMAT")
    assert stored(house.base) == set()
    passport.write_text(text)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def proxied_house(tmp_path: Path, seaweed_server: Server, faults: Faults) -> Iterator[House]:  # noqa: F811
    """A folder store, and a bucket behind the proxy that fails."""
    with proxied(seaweed_server.endpoint, faults) as endpoint:
        made = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
        made.settings(archive=ARCHIVE, workers=1)
        made.stores("vault")
        yield with_bucket(made, endpoint, seaweed_server.credentials, f"proxied-{os.urandom(4).hex()}")


def content_put(method: str, path: str) -> bool:
    return method == "PUT" and "/content/" in path


def intact(house: House) -> None:
    audited = fits(house.run("audit"), 0)
    assert {(item["store"], item["result"]) for item in audited.items} == {("vault", "intact"), ("bucket", "intact")}


def test_a_server_that_asks_to_slow_down(proxied_house: House, faults: Faults, tmp_path: Path) -> None:
    good = package(tmp_path)
    refused = []

    def every_third(method: str, path: str, number: int) -> Any:
        if number % 3 == 0:
            refused.append(path)
            return (503, "SlowDown")
        return None

    faults.rule = every_third
    fits(proxied_house.run("ingest", good), 0)
    assert len(refused) > 5
    faults.rule = lambda method, path, number: None
    intact(proxied_house)


def test_a_server_that_asks_to_slow_down_for_an_hour(proxied_house: House, faults: Faults, tmp_path: Path) -> None:
    """Nobody waits with it: the package waits for that copy, and it is made later."""
    faults.rule = lambda method, path, number: (503, "SlowDown") if content_put(method, path) else None
    started = time.monotonic()
    answer = fits(proxied_house.run("ingest", package(tmp_path)), 4)
    assert time.monotonic() - started < 180
    assert answer.item["waiting_for"] == "copy"
    faults.rule = lambda method, path, number: None
    fits(proxied_house.run("audit"), 0)
    intact(proxied_house)


def test_keys_that_expire_in_the_middle(proxied_house: House, faults: Faults, tmp_path: Path) -> None:
    """One copy is verified, the other waits; the next command says that a person is needed before it begins."""
    good = package(tmp_path)
    expired = threading.Event()

    def rule(method: str, path: str, number: int) -> Any:
        if content_put(method, path):
            expired.set()
        return (400, "ExpiredToken") if expired.is_set() else None

    faults.rule = rule
    first = proxied_house.run("ingest", good)
    assert first.exit in (3, 4), first.out
    assert {copy["store"]: copy["state"] for copy in first.item["copies"]}["vault"] == "verified"
    fits(proxied_house.run("ingest", good), 3, "SYS-STORE-CREDENTIALS")
    faults.rule = lambda method, path, number: None
    assert fits(proxied_house.run("ingest", good), 0).item["verdict"] == "already archived"
    intact(proxied_house)


@pytest.mark.parametrize(
    ("code", "status", "problem"),
    [
        ("RequestTimeTooSkewed", 403, "SYS-STORE-CLOCK"),
        ("AccessDenied", 403, "SYS-STORE-DENIED"),
        ("QuotaExceeded", 403, "SYS-STORE-FULL"),
    ],
)
def test_what_a_person_must_mend_is_said_before_the_first_byte(
    proxied_house: House, faults: Faults, tmp_path: Path, code: str, status: int, problem: str
) -> None:
    good = package(tmp_path)
    faults.rule = lambda method, path, number: (status, code) if method == "PUT" else None
    fits(proxied_house.run("ingest", good), 3, problem)
    assert lines(proxied_house, "commit") == []
    faults.rule = lambda method, path, number: None
    fits(proxied_house.run("ingest", good), 0)


@pytest.mark.parametrize("answer", ["cut", (200, "InternalError")], ids=["cut", "200-with-an-error"])
def test_answers_that_are_not_what_they_say(proxied_house: House, faults: Faults, tmp_path: Path, answer: Any) -> None:
    """A body that breaks off, and an error that comes with status 200: no copy counts by that."""
    good = package(tmp_path)
    faults.rule = lambda method, path, number: answer if method == "GET" and "/content/" in path else None
    first = proxied_house.run("ingest", good)
    assert first.exit in (3, 4), first.out + first.err
    states = {copy["store"]: copy["state"] for copy in first.item["copies"]}
    assert states.get("vault") == "verified" and states.get("bucket") != "verified"
    faults.rule = lambda method, path, number: None
    fits(proxied_house.run("ingest", good), 0)
    intact(proxied_house)


def test_a_put_that_was_answered_but_not_done(proxied_house: House, faults: Faults, tmp_path: Path) -> None:
    """Status 200 for what was never kept: the reading back finds out."""
    good = package(tmp_path)
    faults.rule = lambda method, path, number: (200, "InternalError") if content_put(method, path) else None
    first = proxied_house.run("ingest", good)
    assert first.exit in (3, 4), first.out + first.err
    assert {copy["store"]: copy["state"] for copy in first.item["copies"]}.get("bucket") != "verified"
    faults.rule = lambda method, path, number: None
    fits(proxied_house.run("ingest", good), 0)
    intact(proxied_house)


def expired(folder: Path) -> Path:
    """Certificate (valid until 2001) and key of 127.0.0.1 in one file."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    begin = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    own = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=365))
        .add_extension(own, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "tls.pem"
    file.write_bytes(made.public_bytes(pem) + private)
    return file


def test_a_certificate_that_expired(tmp_path: Path) -> None:
    """Its own problem with its own advice, and no byte of the request is sent."""
    certificate = expired(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                    with context.wrap_socket(plain, server_side=True) as secure:
                        got.append(secure.recv(100))
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        house = House(tmp_path / "house")
        endpoint = f"https://127.0.0.1:{listening.getsockname()[1]}"
        env = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "AWS_CA_BUNDLE": str(certificate)}
        answer = house.run("store", "add", "bucket", "s3://bucket/x", "--endpoint", endpoint, env=env)
        fits(answer, 3, "SYS-STORE-TLS")
        listening.shutdown(socket.SHUT_RDWR)
    assert got == []


# --- faults of the disk and of the submission ---


@pytest.mark.parametrize("change", ["byte", "gone", "longer"])
def test_a_submission_that_changes_between_the_two_readings(house: House, tmp_path: Path, change: str) -> None:
    root = many(tmp_path)
    process = stopped_at(house, root, "check.end")
    last = root / "tệp 299.txt"
    if change == "byte":
        last.write_bytes(b"X" + last.read_bytes()[1:])
    elif change == "gone":
        last.unlink()
    else:
        last.write_bytes(last.read_bytes() + b"more")
    goes_on(process)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, out.decode() + err.decode()
    problem = json.loads(out)["items"][0]["problem"]
    assert problem["code"] in ("SYS-SOURCE-CHANGED", "SYS-CHANGED"), problem
    assert lines(house, "commit") == []
    assert objects(house.base / "vault") == []
    answer = fits(house.run("ingest", root), 0)
    assert answer.item["files"] == (300 if change == "gone" else 301)
    whole(house, 1)
    assert {item["result"] for item in fits(house.run("audit"), 0).items} == {"intact"}


def test_a_submission_that_was_mended_after_a_kill(house: House, tmp_path: Path) -> None:
    """Killed while it was stored, then changed: what was begun of the old bytes does not stay in the stores."""
    root = many(tmp_path, files=1500)
    process = stopped_at(house, root, "seal.end")
    goes_on(process)
    end = time.monotonic() + 60
    while not [path for path in stored(house.base) if "/intents/" in path] and time.monotonic() < end:
        time.sleep(0.001)
    kill_group(process)
    assert lines(house, "commit") == [], "the kill came too late"
    (root / "tệp 000.txt").write_text("sửa lại")
    fits(house.run("ingest", root), 0)
    whole(house, 1)
    for store in ("vault", "second"):
        judged = ocfl_root(house.base / store / "ocfl")
        assert judged.good, judged.counting
    assert {line["store"] for line in lines(house, "intent-abandoned")} <= {"vault", "second"}


def test_zero_bytes_and_three_hundred_characters(house: House, tmp_path: Path) -> None:
    """The sample with the odd names; beside it an empty file alone."""
    empty = tmp_path / "rỗng"
    empty.mkdir()
    (empty / "tệp rỗng.txt").touch()
    odd = SAMPLES / "accepted--ok--ten-la.tar"
    answer = fits(house.run("ingest", empty, odd), 0)
    assert (answer.items[0]["files"], answer.items[0]["bytes"]) == (1, 0)
    for item, source in zip(answer.items, (empty, odd), strict=True):
        out = tmp_path / f"out {source.name}"
        fits(house.run("export", item["aip"], out), 0)
        (root,) = out.iterdir()
        received = [path for path in (root / "representations" / "rep1").glob("data/**/*") if path.is_file()]
        assert len(received) == item["files"]
        held = [path for path in (root / "representations").glob("*/data/**/*") if path.is_file()]  # copies of ours too
        assert all(len(os.fsencode(path.name)) <= 255 for path in held)
        judged = xsd(root)
        assert judged.good, judged.counting


# --- faults of the process and its state ---


def garbage(ledger: Path) -> None:
    ledger.write_bytes(os.urandom(20_000))


def cut(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[: ledger.stat().st_size // 2])


def overwritten(ledger: Path) -> None:
    data = bytearray(ledger.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    ledger.write_bytes(data)


def of_another_version(ledger: Path) -> None:
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        db.execute("PRAGMA user_version = 9999")
        db.commit()


@pytest.mark.parametrize("damage", [garbage, cut, overwritten, of_another_version])
def test_a_damaged_ledger(house: House, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """It is work of one machine: the ingest begins again, with the same ids."""
    root = many(tmp_path)
    process = stopped_at(house, root, "check.end")
    kill_group(process)
    (ledger,) = (house.data / "work").glob("*/ledger.sqlite")
    for beside in ledger.parent.glob("ledger.sqlite-*"):
        beside.unlink()
    damage(ledger)
    fits(house.run("ingest", root), 0)
    whole(house, 1)


def test_a_catalogue_that_is_lost_damaged_or_old(house: House, tmp_path: Path) -> None:
    """It is a cache: whatever happens to it, the answers are the same and nothing is stored twice."""
    first, second = package(tmp_path, "một"), package(tmp_path, "hai")
    aip = fits(house.run("ingest", first), 0).item["aip"]
    catalogue = house.data / "catalogue.sqlite"
    old = catalogue.read_bytes()
    other = fits(house.run("ingest", second), 0).item["aip"]
    shown = [house.run("show", one).document for one in (aip, other)]

    def without(beside: bool = True) -> None:
        for file in house.data.glob("catalogue.sqlite*"):
            if beside or file == catalogue:
                file.unlink()

    def lost() -> None:
        without()

    def damaged() -> None:
        without()
        catalogue.write_bytes(os.urandom(30_000))

    def behind() -> None:
        without()
        catalogue.write_bytes(old)

    for harm in (lost, damaged, behind):
        harm()
        answer = fits(house.run("ingest", first, second), 0)
        assert {item["verdict"] for item in answer.items} == {"already archived"}, harm.__name__
        assert [house.run("show", one).document for one in (aip, other)] == shown, harm.__name__
        whole(house, 2)


def test_a_clock_that_goes_back_by_a_year(house: House, tmp_path: Path) -> None:
    fits(house.run("ingest", package(tmp_path, "một")), 0)
    fits(house.run("audit"), 0)
    before = {"LUUTRU_CLOCK": "2025-01-31T10:00:00-05:00"}
    fits(house.run("ingest", package(tmp_path, "hai"), env=before), 0)
    assert {item["result"] for item in fits(house.run("audit", env=before), 0).items} == {"intact"}
    fits(house.run("journal", "verify", env=before), 0)
    fits(house.run("journal", "verify"), 0)
    fits(house.run("ingest", package(tmp_path, "ba")), 0)
    whole(house, 3)


def test_without_any_tool_originals_are_kept_and_it_is_said(apart: Apart, tmp_path: Path) -> None:  # noqa: F811
    """No sandbox, no converter: never a rejected package, never a conversion outside the sandbox."""
    empty = tmp_path / "empty"
    empty.touch()
    for tool in ("bwrap", "vips"):
        found = shutil.which(tool)
        assert found is not None, tool
        apart.mount(f"mount --bind {empty} {Path(found).resolve()}")
    root = tmp_path / "ảnh"
    shutil.copytree(SAMPLES / "accepted--ok--anh-tu-lieu", root)
    answer = fits(apart.run("ingest", root), 0)
    assert answer.item["verdict"] == "accepted"
    assert "FMT-CONVERT-NO-SANDBOX" in {one["code"] for one in answer.item["findings"]}
    out = tmp_path / "out"
    fits(apart.run("export", answer.item["aip"], out), 0)
    (aip,) = out.iterdir()
    assert [one.name for one in (aip / "representations").iterdir()] == ["rep1"]
    looked = apart.run("doctor")
    assert looked.document is not None
    assert {"bwrap", "vips"} <= {one["name"] for one in looked.items if not one["ok"]}


# --- the whole, from samples to judges ---


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, dict[str, str]]:
    """Every accepted sample in two stores; the AIP of each."""
    made = House(tmp_path_factory.mktemp("archive") / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE)
    made.stores()
    accepted = sorted(path for path in samples.SAMPLES.iterdir() if path.name.startswith("accepted--"))
    answer = fits(made.run("ingest", *accepted, timeout=900), 0)
    assert len(accepted) >= 7
    return made, {path.name: item["aip"] for path, item in zip(accepted, answer.items, strict=True)}


def test_rebuilt_from_one_store_every_sample_shows_the_same(
    archive: tuple[House, dict[str, str]], tmp_path: Path
) -> None:
    house, aips = archive
    fits(house.run("audit"), 0)
    before = {aip: house.run("show", aip).document for aip in aips.values()}
    for name in ("vault", "second"):
        new = House(tmp_path / name, {"LUUTRU_CLOCK": CLOCK})
        assert new.run("store", "add", name, (house.base / name).as_uri()).exit == 0
        rebuilt = fits(new.run("catalogue", "rebuild", "--from", name), 0)
        assert rebuilt.item["aips"] == len(aips)
        for aip, document in before.items():
            assert new.run("show", aip).document == document, (name, aip)


def test_ocfl_py_finds_every_object_good(archive: tuple[House, dict[str, str]]) -> None:
    house, aips = archive
    for name in ("vault", "second"):
        judged = ocfl_root(house.base / name / "ocfl")
        assert judged.good, judged.counting
        assert len(objects(house.base / name)) == len(aips)


@pytest.mark.judge
@pytest.mark.parametrize("sample", sorted(p.name for p in SAMPLES.iterdir() if p.name.startswith("accepted--")))
def test_the_aip_of_a_sample_before_the_judges(
    archive: tuple[House, dict[str, str]], tmp_path: Path, sample: str
) -> None:
    """commons-ip: VALID, no error, no warning; eark-validator with the known false alarms only; the XML schemas."""
    house, aips = archive
    exported = fits(house.run("export", aips[sample], tmp_path / "out"), 0)
    root = Path(exported.item["path"])
    for judge in (xsd, commons_ip, eark_validator):
        judged = judge(root)
        assert judged.good, (judge.__name__, judged.counting)
