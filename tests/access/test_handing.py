"""Handing out: a DIP by E-ARK and a bag, judged before they get their name, whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from pipeline.access import history
from pipeline.access.unfinished import Unfinished
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.packages.bagit.compose import ALGORITHMS, BagWriter, UnfitName, encoded
from pipeline.packages.eark import EarkRows
from pipeline.packages.registry import KINDS, recognise
from pipeline.records import Outcome
from pipeline.tools.bagit_python import bagit_python
from pipeline.tree import FolderTree
from setup import samples, samples_eark
from tests import judges
from tests.command import ARCHIVE, CLOCK, House, kill_group
from tests.packages.received import judged, valid, write


def house(base: Path) -> House:
    made = House(base, {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, organisation="Trung tâm Lưu trữ")
    return made.stores("vault", "second")


def payload(root: Path) -> dict[str, str]:
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.glob("representations/*/data/**/*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, str, Path]:
    """A house that holds the AIP of an E-ARK SIP; the SIP beside it."""
    base = tmp_path_factory.mktemp("handing")
    sip = write(base / samples_eark.GOOD, dict(samples_eark.good(samples.LETTER, samples.MINUTES)))
    made = house(base / "house")
    answer = made.run("ingest", sip)
    assert answer.item["verdict"] == "accepted", answer.err
    return made, answer.item["aip"], sip


def exports(made: House) -> list[dict[str, Any]]:
    lines = [json.loads(line) for file in made.data.glob("journal/**/*.jsonl") for line in file.open("rb")]
    return [line["fields"] for line in lines if line["kind"] == "export"]


def test_a_dip_is_good_and_says_where_it_comes_from(kept: tuple[House, str, Path], tmp_path: Path) -> None:
    made, aip, sip = kept
    answer = made.run("export", aip, tmp_path, "--as", "eark-dip")
    assert answer.exit == 0, answer.err + answer.out
    root = Path(answer.item["path"])
    assert os.listdir(tmp_path) == [root.name]
    assert answer.item["identifier"] == f"urn:uuid:{root.name.removeprefix('uuid-')}" != aip
    assert answer.item["checks"][0]["result"] == "valid"
    kind, told = recognise(FolderTree(root))
    assert told.kind == "eark-dip"
    assert valid(judged(kind, FolderTree(root)))
    assert payload(root) == payload(sip)
    text = (root / "metadata/preservation/premis.xml").read_text("utf-8")
    assert f"uuid-{aip.removeprefix('urn:uuid:')}" in text and "has source" in text
    rows = EarkRows(FolderTree(root))
    events = {event.key: event for event in rows.events()}
    assert events["dissemination"].type == "dissemination"
    assert {"ingestion start", "submission/7b8e6d58-7d0f-4c27-8f0b-7f4f1b5a2d01"} <= set(events)
    sealed = [event for event in events.values() if event.key.startswith("journal/")]
    assert [event.type for event in sealed] == ["ingestion end"]
    assert "store=vault (verified, read)" in sealed[0].detail
    assert any(line["as"] == "eark-dip" and line["made"] == answer.item["identifier"] for line in exports(made))


def test_sip_aip_dip_and_in_again(kept: tuple[House, str, Path], tmp_path: Path) -> None:
    """Same payload digests, same descriptions, history kept."""
    made, aip, sip = kept
    dip = Path(made.run("export", aip, tmp_path / "dip", "--as", "eark-dip").item["path"])
    again = made.run("ingest", dip)
    assert again.item["verdict"] == "accepted", again.item
    assert again.item["kind"].startswith("eark-dip")
    out = Path(made.run("export", again.item["aip"], tmp_path / "aip").item["path"])
    assert payload(out) == payload(sip)
    first = Path(made.run("export", aip, tmp_path / "first").item["path"])
    before, after = EarkRows(FolderTree(first)), EarkRows(FolderTree(out))
    assert list(before.descriptions()) == list(after.descriptions())
    keys = {event.key for event in after.events()}
    assert {f"submission/{event.key}" for event in before.events()} | {"submission/dissemination"} <= keys
    held = {hashlib.sha256(file.read_bytes()).hexdigest() for file in out.rglob("*") if file.is_file()}
    for name, data in samples_eark.good(samples.LETTER, samples.MINUTES).items():
        assert hashlib.sha256(data).hexdigest() in held, name


def test_a_bag_holds_the_aip_and_is_judged(kept: tuple[House, str, Path], tmp_path: Path) -> None:
    made, aip, _ = kept
    answer = made.run("export", aip, tmp_path / "bags", "--as", "bagit")
    assert answer.exit == 0, answer.err + answer.out
    root = Path(answer.item["path"])
    plain = Path(made.run("export", aip, tmp_path / "plain").item["path"])
    inside = {str(f.relative_to(root / "data")): f.read_bytes() for f in (root / "data").rglob("*") if f.is_file()}
    assert inside == {str(f.relative_to(plain)): f.read_bytes() for f in plain.rglob("*") if f.is_file()}
    assert valid(judged(KINDS["bagit"], FolderTree(root)))
    info = (root / "bag-info.txt").read_text("utf-8")
    assert f"External-Identifier: {aip}\n" in info and "Source-Organization: Trung tâm Lưu trữ\n" in info
    assert f"Payload-Oxum: {sum(map(len, inside.values()))}.{len(inside)}\n" in info
    # One name of the sample holds a percent sign: bagit-python does not decode it and is not asked.
    assert [(one["judge"], one["result"]) for one in answer.item["checks"]] == [
        ("luutru", "valid"), ("bagit-python", "not asked"),
    ]  # fmt: skip
    assert [line["checks"] for line in exports(made) if line["as"] == "bagit" and line["aip"] == aip] == [
        answer.item["checks"]
    ]
    assert b"100%25" in (root / "manifest-sha512.txt").read_bytes()


def test_bagit_python_is_asked_where_it_can_read(kept: tuple[House, str, Path], tmp_path: Path) -> None:
    made = kept[0]
    answer = made.run("ingest", samples.SAMPLES / "accepted--ok--bao-cao-2019")
    bag = made.run("export", answer.item["aip"], tmp_path / "out", "--as", "bagit")
    assert [(one["judge"], one["result"]) for one in bag.item["checks"]] == [
        ("luutru", "valid"), ("bagit-python", "valid"),
    ]  # fmt: skip
    assert bag.item["checks"][1]["note"] == "1.9.0"
    assert judges.bagit(Path(bag.item["path"])).good
    assert made.run("export", answer.item["aip"], tmp_path / "out", "--as", "bagit").exit == 2


def test_the_second_judge_says_no(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        (tmp_path / "bag/data/a").write_bytes(b"a")
        writer.add(b"data/a", 1, {name: hashlib.new(name, b"a").hexdigest() for name in ALGORITHMS})
        writer.finish([("External-Description", "một\nhai")])
    assert bagit_python(tmp_path / "bag", 1).valid is True
    assert "External-Description: một hai\n" in (tmp_path / "bag/bag-info.txt").read_text("utf-8")
    (tmp_path / "bag/data/a").write_bytes(b"b")
    opinion = bagit_python(tmp_path / "bag", 1)
    assert opinion.valid is False and "data/a" in opinion.said
    assert bagit_python(tmp_path / "nothing", 1).valid is not True


@pytest.mark.parametrize("name", ["a%0Ab", "a\nb", "a\rb", "100%", "%25", " a ", "Biên bản", "Bie\u0302n", "*a", "~a"])
def test_names_come_back_from_manifests(tmp_path: Path, name: str) -> None:
    data = name.encode()
    with BagWriter(tmp_path / "bag") as writer:
        (tmp_path / "bag/data" / name).write_bytes(data)
        path = b"data/" + name.encode()
        writer.add(path, len(data), {one: hashlib.new(one, data).hexdigest() for one in ALGORITHMS})
        writer.finish([])
        assert writer.plain == (not set(name) & set("%\n\r"))
    assert valid(judged(KINDS["bagit"], FolderTree(tmp_path / "bag")))


def test_names_that_no_manifest_can_hold(tmp_path: Path) -> None:
    for name in (b"data/\xff", b"/data", b"data/../x"):
        with pytest.raises(UnfitName):
            encoded(name)
    with BagWriter(tmp_path / "bag") as writer, pytest.raises(ValueError, match="not payload"):
        writer.add(b"bagit.txt", 0, {})


def test_what_is_there_is_taken_up_and_strangers_go(tmp_path: Path) -> None:
    one = Unfinished(tmp_path, "x", ALGORITHMS)
    one.begin()
    good = hashlib.sha256(b"good").hexdigest()
    assert not one.put(b"a/b", lambda: _source(b"good"), good).kept
    (one.place / "stranger").write_bytes(b"?")
    (one.place / "link").symlink_to(tmp_path)
    two = Unfinished(tmp_path, "x", ALGORITHMS)
    two.begin()
    assert not (one.place / "link").is_symlink()
    assert two.put(b"a/b", lambda: _source(b"never read"), good).kept
    (two.place / "a/c").write_bytes(b"torn")
    assert not two.put(b"a/c", lambda: _source(b"good"), good).kept
    with pytest.raises(SystemProblem):
        two.put(b"a/d", lambda: _source(b"bad"), good)
    assert two.tidy() == (2, 8)
    assert two.finish() == tmp_path / "x"
    assert sorted(os.listdir(tmp_path)) == ["x"]
    with pytest.raises(UsageProblem):
        Unfinished(tmp_path, "x", ALGORITHMS).begin()


def _source(data: bytes) -> BytesIO:
    return BytesIO(data)


HISTORY: list[dict[str, Any]] = [
    {"time": "2026-01-31T10:00:00+07:00", "kind": "commit", "version": 1, "inventory_digest": "ab", "stores": []},
    {"time": "2026-02-01T10:00:00+07:00", "kind": "audit", "version": 1, "store": "vault", "result": "damaged",
     "evidence": "read", "problems_found": 2},
    {"time": "2026-02-01T10:00:01+07:00", "kind": "copy-made", "version": 1, "store": "third", "from": "second"},
    {"time": "2026-02-02T10:00:00+07:00", "kind": "export", "version": 1, "store": "vault"},
    {"time": "2026-02-03T10:00:00+07:00", "kind": "commit", "version": 2},
]  # fmt: skip


def test_what_happened_after_sealing_is_told() -> None:
    first, second, third = history.events(HISTORY, 1, "luutru")
    assert (first.type, first.detail) == ("ingestion end", "version=v1; inventory=ab")
    assert (second.type, second.outcome, second.note) == ("fixity check", Outcome.FAIL, "damaged")
    assert (third.type, third.detail) == ("replication", "version=v1; store=third; from=second")
    many = list(history.events(HISTORY[1:2] * 600, 1, "luutru"))
    assert len(many) == history.MOST and many[-1].key == "journal/000600/audit"
    assert [event.key for event in many] == sorted(event.key for event in many)


@pytest.mark.slow
@pytest.mark.kill
@pytest.mark.parametrize("shape", ["eark-dip", "bagit"])
def test_killed_at_any_point_nothing_half_is_taken_for_whole(
    kept: tuple[House, str, Path], tmp_path: Path, shape: str
) -> None:
    made, aip, _ = kept
    whole = Path(made.run("export", aip, tmp_path / "whole", "--as", shape).item["path"])
    expected = {str(f.relative_to(whole)): f.read_bytes() for f in whole.rglob("*") if f.is_file()}
    out, killed = tmp_path / "out", 0
    for tenths in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16):
        process = made.start("export", aip, out, "--as", shape)
        time.sleep(tenths / 10)
        if process.poll() is not None:
            break
        kill_group(process)
        killed += 1
        for name in os.listdir(out) if out.exists() else []:
            if not name.startswith("."):
                found = {str(f.relative_to(out / name)): f.read_bytes() for f in (out / name).rglob("*") if f.is_file()}
                assert found == expected
        if (out / whole.name).exists():
            break
    assert killed
    if not (out / whole.name).exists():
        answer = made.run("export", aip, out, "--as", shape)
        assert answer.exit == 0, answer.err
    found = {str(f.relative_to(out / whole.name)): f.read_bytes() for f in out.rglob("*") if f.is_file()}
    assert found == expected


@pytest.mark.judge
@pytest.mark.slow
def test_commons_ip_accepts_the_dip(kept: tuple[House, str, Path], tmp_path: Path) -> None:
    made, aip, _ = kept
    root = Path(made.run("export", aip, tmp_path, "--as", "eark-dip").item["path"])
    for verdict in (judges.commons_ip(root), judges.xsd(root)):
        assert verdict.good, str(verdict)
