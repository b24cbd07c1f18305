"""The audit: what is wrong with a copy is named rightly, what was not read is never called missing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.administration.archive import Archive, archive, leave
from pipeline.administration.audit import Progress, _together, audit, limits
from pipeline.errors import Interrupted, SystemProblem
from pipeline.findings import as_json
from pipeline.settings import StoreSetting
from pipeline.storage.chains import StoreSource, verify
from pipeline.storage.judging import Damage, What
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.lines import Kind
from pipeline.storage.stores import Passport
from pipeline.workspace import Workspace
from tests.holding import ARCHIVE, FILES, content_files, house, keep


@pytest.fixture
def at_hand(tmp_path: Path) -> Iterator[Archive]:
    made = house(tmp_path, "one", "two")
    yield made
    leave(made.space)


def results(report: Any) -> list[tuple[str, str]]:
    return sorted((item["store"], item["result"]) for item in report.items)


def problems(report: Any, store: str = "one") -> list[tuple[str, str]]:
    return sorted(
        (problem["what"], problem["path"])
        for item in report.items
        if item["store"] == store
        for problem in item["problems"]
    )


def root_of(store: Path, urn: str) -> Path:
    return store / layout.prefix(urn)


def below(file: Path, store: Path, urn: str) -> str:
    return file.relative_to(root_of(store, urn)).as_posix()


def test_intact(at_hand: Archive) -> None:
    plan = keep(at_hand)
    report = audit(at_hand)
    assert results(report) == [("one", "intact"), ("two", "intact")]
    assert report.exit == 0 and report.overdue == 0 and report.next_due is not None
    item = report.items[0]
    assert list(item)[:8] == ["aip", "version", "store", "result", "evidence", "files", "bytes", "problems"]
    assert (item["aip"], item["version"], item["evidence"]) == (plan.urn, 1, "read")
    payload = sum(len(data) for data in set(FILES.values()))
    assert (item["files"], item["bytes"]) == (4, payload)
    told = [line for line in at_hand.journal.lines() if line.kind == Kind.AUDIT]
    assert [line.fields["result"] for line in told] == ["intact", "intact"]
    copy = at_hand.catalogue.show(plan.urn)["copies"][0]
    assert copy["audit"]["result"] == "intact" and copy["state"] == "verified"


def test_one_changed_byte(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    audit(at_hand)
    file = content_files(tmp_path / "one", plan.urn)[-1]
    data = bytearray(file.read_bytes())
    data[1234] ^= 1
    file.write_bytes(data)
    report = audit(at_hand)
    assert results(report) == [("one", "damaged"), ("two", "intact")] and report.exit == 1
    (problem,) = report.items[0]["problems"] or report.items[1]["problems"]
    assert (problem["what"], problem["path"]) == ("changed", below(file, tmp_path / "one", plan.urn))
    assert problem["expected"] == file.name and problem["found"] == hashlib.sha256(data).hexdigest()
    assert (problem["repaired"], problem["from"]) == (False, None)
    assert at_hand.catalogue.show(plan.urn)["copies"][0]["state"] == "damaged"
    data[1234] ^= 1
    file.write_bytes(data)
    assert audit(at_hand).exit == 0
    assert at_hand.catalogue.show(plan.urn)["copies"][0]["state"] == "verified"


def test_one_deleted_file(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    file = content_files(tmp_path / "one", plan.urn)[-1]
    file.unlink()
    report = audit(at_hand)
    assert results(report) == [("one", "damaged"), ("two", "intact")] and report.exit == 1
    assert problems(report) == [("missing", below(file, tmp_path / "one", plan.urn))]


@pytest.mark.parametrize("where", ["v1/content/00/extra", "stray.txt", "v2/content/ab/cd", "v1/notes.txt"])
def test_one_extra_file(at_hand: Archive, tmp_path: Path, where: str) -> None:
    plan = keep(at_hand)
    extra = root_of(tmp_path / "one", plan.urn) / where
    extra.parent.mkdir(parents=True, exist_ok=True)
    extra.write_bytes(b"extra")
    report = audit(at_hand)
    assert results(report) == [("one", "damaged"), ("two", "intact")] and report.exit == 1
    assert problems(report) == [("extra", where)]


def rewrite(store: Path, urn: str, old: bytes, new: bytes) -> None:
    """Every inventory of an object with its sidecar: all of them agree afterwards."""
    for inventory in root_of(store, urn).rglob("inventory.json"):
        data = inventory.read_bytes().replace(old, new)
        inventory.write_bytes(data)
        side = f"{hashlib.sha256(data).hexdigest()}  inventory.json\n"
        inventory.with_name("inventory.json.sha256").write_text(side)


def test_an_inventory_rewritten_consistently(at_hand: Archive, tmp_path: Path) -> None:
    """A file is exchanged, and everything in the object that tells of it: only the journal knows better."""
    plan = keep(at_hand)
    file = content_files(tmp_path / "one", plan.urn)[-1]
    forged = hashlib.sha256(b"forged").hexdigest()
    target = root_of(tmp_path / "one", plan.urn) / f"v1/content/{forged[:2]}/{forged}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"forged")
    file.unlink()
    rewrite(tmp_path / "one", plan.urn, f"{file.name[:2]}/{file.name}".encode(), f"{forged[:2]}/{forged}".encode())
    rewrite(tmp_path / "one", plan.urn, file.name.encode(), forged.encode())
    report = audit(at_hand)
    assert results(report) == [("one", "damaged"), ("two", "intact")] and report.exit == 1
    found = {what for what, _path in problems(report)}
    assert "inventory" in found and "rolled-back" not in found
    told = [one for item in report.items for one in item["problems"] if one["what"] == "inventory"]
    assert {one["path"] for one in told} == {"inventory.json", "v1/inventory.json"}
    assert {one["expected"] for one in told} == {plan.inventory_sha256}
    # The payload behind it, by the inventory of the other store, for which the journal vouches.
    behind = [one for item in report.items for one in item["problems"] if one["what"] not in ("inventory", "extra")]
    logical = f"uuid-{plan.urn[9:]}/representations/rep1/data/big"
    assert [(one["what"], one["path"]) for one in behind] == [("changed", logical)]
    assert (behind[0]["expected"], behind[0]["found"]) == (file.name, forged)


def test_what_a_rewritten_inventory_keeps_adds_and_loses(at_hand: Archive, tmp_path: Path) -> None:
    """Nothing of the content was touched, only what the inventories say of it."""
    plan = keep(at_hand)
    root = f"uuid-{plan.urn[9:]}"
    twin, big = (hashlib.sha256(FILES[f"representations/rep1/data/{name}"]).hexdigest() for name in ("twin", "big"))
    for inventory in root_of(tmp_path / "one", plan.urn).rglob("inventory.json"):
        made = json.loads(inventory.read_bytes())
        state = made["versions"]["v1"]["state"]
        state[twin] = [f"{root}/representations/rep1/data/other"]
        state[big].append(f"{root}/METS.xml")
        del state[hashlib.sha256(FILES["METS.xml"]).hexdigest()]
        data = json.dumps(made).encode()
        inventory.write_bytes(data)
        side = f"{hashlib.sha256(data).hexdigest()}  inventory.json\n"
        inventory.with_name("inventory.json.sha256").write_text(side)
    report = audit(at_hand, store="one")
    inside = f"{root}/representations/rep1/data"
    mets = hashlib.sha256(FILES["METS.xml"]).hexdigest()
    told = {(one["what"], one["path"], one["expected"], one["found"]) for one in report.items[0]["problems"]}
    assert {
        ("inventory", f"{root}/METS.xml", mets, big),  # the bytes are there, under their digest
        ("inventory", f"{inside}/twin", twin, None),
        ("inventory", f"{inside}/Công văn.txt", twin, None),
        ("extra", f"{inside}/other", None, twin),
    } <= told


def test_problems_of_a_copy_are_counted_together() -> None:
    judged = (Damage(What.MISSING, "a"), Damage(What.CHANGED, "…", None, "+9"))
    more = tuple(Damage(What.EXTRA, str(number)) for number in range(2000))
    together = _together(judged, more)
    assert len(together) == 1001 and together[-1].found == f"+{9 + 2000 - 999}"
    assert _together(judged, ()) == judged
    assert _together((), more[:2]) == more[:2]


def test_a_store_rolled_back(at_hand: Archive, tmp_path: Path) -> None:
    first = keep(at_hand)
    shutil.copytree(tmp_path / "one" / "ocfl", tmp_path / "backup")
    second = keep(at_hand, files={"METS.xml": b"<mets n='2'/>", "new": b"new"}, before=first.inventory)
    assert audit(at_hand).exit == 0
    shutil.rmtree(tmp_path / "one" / "ocfl")
    shutil.copytree(tmp_path / "backup", tmp_path / "one" / "ocfl")
    report = audit(at_hand)
    assert results(report) == [("one", "damaged"), ("two", "intact")] and report.exit == 1
    assert "rolled-back" in {what for what, _path in problems(report)}
    (problem,) = [one for item in report.items for one in item["problems"] if one["what"] == "rolled-back"]
    assert problem["expected"] == second.inventory_sha256 and problem["found"] == first.inventory_sha256


def test_a_whole_copy_is_missing(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    shutil.rmtree(root_of(tmp_path / "one", plan.urn))
    report = audit(at_hand)
    assert results(report) == [("one", "missing"), ("two", "intact")] and report.exit == 1
    assert not root_of(tmp_path / "one", plan.urn).exists()  # repair is a command of its own


def test_an_unmounted_store_is_not_checked(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    (tmp_path / "one").rename(tmp_path / "away")
    (tmp_path / "one").mkdir()
    report = audit(at_hand)
    assert results(report) == [("one", "not-checked"), ("two", "intact")] and report.exit == 3
    item = next(item for item in report.items if item["store"] == "one")
    assert item["note"] == "absent" and item["code"] == "SYS-STORE-ABSENT" and item["problems"] == []
    *_, line = at_hand.journal.lines()
    assert line.kind == Kind.NOT_CHECKED and line.fields["aips"] == [plan.urn] and line.fields["reason"] == "absent"
    assert at_hand.catalogue.show(plan.urn)["copies"][0]["not_checked"]["reason"] == "absent"
    file = content_files(tmp_path / "two", plan.urn)[-1]
    file.unlink()
    assert audit(at_hand).exit == 3  # even beside damage


def test_a_copy_that_cannot_be_read_is_unreadable(at_hand: Archive, tmp_path: Path) -> None:
    """A link where a file was: it is there, it is not followed, and nobody knows what it was."""
    plan = keep(at_hand)
    file = content_files(tmp_path / "one", plan.urn)[-1]
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    report = audit(at_hand)
    assert results(report) == [("one", "unreadable"), ("two", "intact")] and report.exit == 3
    item = next(item for item in report.items if item["store"] == "one")
    assert item["code"] == "SYS-STORE-LINK" and item["problems"] == [] and file.name in item["note"]
    *_, line = (line for line in at_hand.journal.lines() if line.fields.get("store") == "one")
    assert line.fields["problems"][0]["path"] == below(file, tmp_path / "one", plan.urn)


def test_a_person_who_stops_it(at_hand: Archive) -> None:
    """The same audit goes on where it was."""
    for number in range(2):
        keep(at_hand, number)

    asked = iter(range(100))
    with pytest.raises(Interrupted):
        audit(at_hand, stop=lambda: next(asked) == 12)  # after a file of the third copy
    assert sum(line.kind == Kind.AUDIT for line in at_hand.journal.lines()) == 2
    assert len(audit(at_hand, store="one").items) == 2  # another selection is another run
    assert len(audit(at_hand).items) == 4
    assert sum(line.kind == Kind.AUDIT for line in at_hand.journal.lines()) == 8


def test_a_waiting_copy_is_made(at_hand: Archive, tmp_path: Path) -> None:
    (tmp_path / "two").rename(tmp_path / "away")
    plan = keep(at_hand)
    report = audit(at_hand)
    assert results(report) == [("one", "intact"), ("two", "not-checked")] and report.exit == 3
    (tmp_path / "away").rename(tmp_path / "two")
    report = audit(at_hand)
    assert results(report) == [("one", "intact"), ("two", "intact")] and report.exit == 0
    assert next(item for item in report.items if item["store"] == "two")["note"] == "made"
    assert [file.name for file in content_files(tmp_path / "two", plan.urn)] == [
        file.name for file in content_files(tmp_path / "one", plan.urn)
    ]
    kinds = [line.kind for line in at_hand.journal.lines()]
    assert kinds.count(Kind.COPY_MADE) == 1
    assert [copy["state"] for copy in at_hand.catalogue.show(plan.urn)["copies"]] == ["verified", "verified"]
    assert audit(at_hand).exit == 0


def test_a_waiting_copy_is_not_made_from_a_bad_one(at_hand: Archive, tmp_path: Path) -> None:
    (tmp_path / "two").rename(tmp_path / "away")
    plan = keep(at_hand)
    (tmp_path / "away").rename(tmp_path / "two")
    content_files(tmp_path / "one", plan.urn)[-1].write_bytes(b"bad")
    report = audit(at_hand)
    assert results(report) == [("one", "damaged"), ("two", "not-checked")] and report.exit == 1
    assert next(item for item in report.items if item["store"] == "two")["note"] == "waiting"
    assert not content_files(tmp_path / "two", plan.urn)


def test_the_plan_reads_nothing(at_hand: Archive) -> None:
    keep(at_hand, 1)
    keep(at_hand, 2)
    before = len(list(at_hand.journal.lines()))
    report = audit(at_hand, plan=True)
    assert [item["note"] for item in report.items] == ["plan"] * 4 and report.exit == 0
    assert all(item["bytes"] > 0 for item in report.items)
    assert len(list(at_hand.journal.lines())) == before


def test_what_is_due(at_hand: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-01-01T00:00:00Z")
    first = keep(at_hand, 1)
    audit(at_hand)
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-02-01T00:00:00Z")
    second = keep(at_hand, 2)
    report = audit(at_hand, plan=True)
    assert [item["aip"] for item in report.items] == [second.urn, second.urn, first.urn, first.urn]
    assert [item["aip"] for item in audit(at_hand, plan=True, due_only=True).items] == [second.urn, second.urn]
    assert audit(at_hand, due_only=True).next_due == "2026-04-01T00:00:00Z"
    assert audit(at_hand, due_only=True).items == []
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-04-02T00:00:00Z")
    report = audit(at_hand, plan=True, due_only=True)
    assert [item["aip"] for item in report.items] == [first.urn, first.urn] and report.overdue == 2


def test_only_a_store_or_an_aip(at_hand: Archive) -> None:
    first, _second = keep(at_hand, 1), keep(at_hand, 2)
    assert {item["store"] for item in audit(at_hand, store="two").items} == {"two"}
    assert {item["aip"] for item in audit(at_hand, aip=first.urn).items} == {first.urn}


@pytest.mark.parametrize("budget", [{"count": 3}, {"bytes": 3_000_000}])
def test_a_budget_goes_round(at_hand: Archive, budget: dict[str, int]) -> None:
    for number in range(3):
        keep(at_hand, number)
    first = audit(at_hand, budget=limits(**budget))
    read = [(item["aip"], item["store"]) for item in first.items if item["result"] == "intact"]
    left = [(item["aip"], item["store"]) for item in first.items if item["result"] == "not-checked"]
    assert len(read) == 3 and len(left) == 3 and first.exit == 0
    assert {item["note"] for item in first.items if item["result"] == "not-checked"} == {"budget"}
    lines = [line for line in at_hand.journal.lines() if line.kind == Kind.NOT_CHECKED]
    assert sorted(aip for line in lines for aip in line.fields["aips"]) == sorted(aip for aip, _store in left)
    second = audit(at_hand, budget=limits(**budget))
    assert {(item["aip"], item["store"]) for item in second.items if item["result"] == "intact"} == set(left)


def test_no_time_is_no_reading(at_hand: Archive) -> None:
    keep(at_hand)
    assert {item["result"] for item in audit(at_hand, budget=limits(seconds=0)).items} == {"not-checked"}


def test_progress(at_hand: Archive) -> None:
    for number in range(2):
        keep(at_hand, number)
    told: list[Progress] = []
    items: list[dict[str, Any]] = []
    report = audit(at_hand, on_item=items.append, on_progress=told.append)
    assert items == report.items
    assert [(one.done, one.copies) for one in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[-1].done_bytes == told[-1].bytes > 0 and told[-1].rate > 0 and told[-1].left == 0


def test_two_audits_at_once(at_hand: Archive) -> None:
    keep(at_hand)

    def again(_item: dict[str, Any]) -> None:
        with pytest.raises(SystemProblem) as problem:
            audit(at_hand)
        assert problem.value.code == "SYS-AUDIT-BUSY" and problem.value.transient

    assert audit(at_hand, on_item=again).exit == 0


def test_mass_damage_is_told(at_hand: Archive, tmp_path: Path) -> None:
    for number in range(21):
        content_files(tmp_path / "one", keep(at_hand, number, {"METS.xml": b"%d" % number}).urn)[-1].write_bytes(b"x")
    assert audit(at_hand, store="two").mass_damage is None
    told = audit(at_hand).mass_damage
    assert told is not None and (told.code, told.found) == ("AUD-MASS", "21/42")
    assert "21/42" in as_json(told)["message"]["vi"]


def test_a_store_that_is_not_configured_here(at_hand: Archive, tmp_path: Path) -> None:
    """A new data folder that knows one of the two stores: the other one is not checked, never missing."""
    keep(at_hand)
    leave(at_hand.space)
    (tmp_path / "data").rename(tmp_path / "lost")
    new = house(tmp_path, "one")
    report = audit(new)
    assert results(report) == [("one", "intact"), ("two", "not-checked")] and report.exit == 3
    assert next(item for item in report.items if item["store"] == "two")["code"] == "USE-STORE-UNKNOWN"
    leave(new.space)


def test_killed_it_goes_on(at_hand: Archive, tmp_path: Path) -> None:
    """What was read in this run is not read again, and stands in the report."""
    plans = [keep(at_hand, number) for number in range(6)]
    content_files(tmp_path / "one", plans[0].urn)[-1].write_bytes(b"bad")
    at_hand.journal.flush(at_hand.reach())
    leave(at_hand.space)
    script = (
        "import sys; from pathlib import Path; from pipeline.workspace import Workspace\n"
        "from pipeline.administration.archive import archive; from pipeline.administration.audit import audit\n"
        "import time\n"
        "def told(item): print(item['aip'], item['store'], flush=True); time.sleep(0.05)\n"
        "audit(archive(Workspace(Path(sys.argv[1]))), on_item=told)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(at_hand.space.root)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    heard = [child.stdout.readline() for _ in range(4)]
    time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(60)
    again = archive(Workspace(at_hand.space.root))
    before = sum(line.kind == Kind.AUDIT for line in again.journal.lines())
    assert before >= 4 and all(heard)
    report = audit(again)
    assert sum(line.kind == Kind.AUDIT for line in again.journal.lines()) == 12
    assert len(report.items) == 12 and report.exit == 1
    assert sorted(results(report)) == [("one", "damaged"), *[("one", "intact")] * 5, *[("two", "intact")] * 6]
    assert len(problems(report)) == 1
    audit(again)
    assert sum(line.kind == Kind.AUDIT for line in again.journal.lines()) == 24


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_bucket(bucket_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same faults in an S3 store, and a server that is gone."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client = boto3.client("s3", endpoint_url=bucket_server, region_name="us-east-1")
    client.create_bucket(Bucket="bucket")
    passport = Passport(1, "ocfl", str(uuid.uuid5(uuid.UUID(ARCHIVE), "bucket")), "bucket", ARCHIVE)
    client.put_object(Bucket="bucket", Key="p/store.json", Body=passport.dump())
    setting = StoreSetting(
        "bucket", "s3://bucket/p", endpoint=bucket_server, capabilities={"store": passport.store}
    )  # fmt: skip
    at_hand = house(tmp_path, "one", more=(setting,))
    plan = keep(at_hand)
    assert results(audit(at_hand)) == [("bucket", "intact"), ("one", "intact")]
    at_hand.journal.flush(at_hand.reach())
    assert verify([StoreSource(one) for one in at_hand.reach()]).findings == ()
    base = "p/" + layout.prefix(plan.urn)
    listed = client.list_objects_v2(Bucket="bucket", Prefix=base + "v1/content/")["Contents"]
    key = max(listed, key=lambda item: item["Size"])["Key"]
    whole = client.get_object(Bucket="bucket", Key=key)["Body"].read()
    faults: list[tuple[Callable[[], Any], tuple[str, str]]] = [
        (lambda: client.put_object(Bucket="bucket", Key=key, Body=b"x" + whole[1:]), ("changed", key[len(base) :])),
        (lambda: client.delete_object(Bucket="bucket", Key=key), ("missing", key[len(base) :])),
        (lambda: client.put_object(Bucket="bucket", Key=base + "v1/content/zz", Body=b"?"), ("extra", "v1/content/zz")),
    ]
    for act, expected in faults:
        act()
        report = audit(at_hand)
        assert results(report) == [("bucket", "damaged"), ("one", "intact")] and report.exit == 1
        assert problems(report, "bucket") == [expected]
        client.put_object(Bucket="bucket", Key=key, Body=whole)
    client.delete_object(Bucket="bucket", Key=base + "v1/content/zz")
    assert audit(at_hand).exit == 0
    client.delete_object(Bucket="bucket", Key="p/store.json")
    report = audit(at_hand)
    assert results(report) == [("bucket", "not-checked"), ("one", "intact")] and report.exit == 3
    leave(at_hand.space)
