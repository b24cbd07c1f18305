"""The keeping watch as a person runs it: audit, rebuild, export, journal verify, with real packages in two stores."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path

import pytest

from tests.command import ARCHIVE, CLOCK, House, kill_group

pytestmark = pytest.mark.slow

TEXTS = {
    "so-cong-van": {"Công văn đến.txt": "Kính gửi".encode() * 2000, "phụ lục/bảng.csv": b"a,b\n1,2\n"},
    "anh": {"ảnh.bmp": b"BM" + bytes(3000), "ghi chú.txt": "Ảnh hội nghị\n".encode()},
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Two packages in two stores."""
    made = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE)
    made.stores("vault", "second")
    for name, files in TEXTS.items():
        for path, data in files.items():
            file = tmp_path / "in" / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    answer = made.run("ingest", *(tmp_path / "in" / name for name in TEXTS))
    assert answer.exit == 0, answer.out + answer.err
    return made


def results(house: House, *more: str) -> tuple[int, dict[str, set[str]]]:
    """Exit code, and the results by store."""
    answer = house.run("audit", *more)
    found: dict[str, set[str]] = {}
    for item in answer.items:
        found.setdefault(item["store"], set()).add(item["result"])
    return answer.exit, found


def whats(house: House) -> list[tuple[str, str, str]]:
    return [
        (item["store"], problem["what"], problem["path"])
        for item in house.run("audit").items
        for problem in item["problems"]
    ]


def biggest(store: Path) -> Path:
    return max(
        (file for file in store.glob("ocfl/**/content/*/*") if file.is_file()), key=lambda file: file.stat().st_size
    )


def objects(store: Path) -> list[Path]:
    return sorted(file.parent for file in store.glob("ocfl/**/0=ocfl_object_1.1"))


def below(file: Path) -> str:
    """The path of a content file below its object."""
    return "/".join(file.parts[-4:])


def test_every_fault_is_named(house: House) -> None:
    vault = house.base / "vault"
    assert results(house) == (0, {"vault": {"intact"}, "second": {"intact"}})
    file = biggest(vault)
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert whats(house) == [("vault", "changed", below(file))]
    file.unlink()
    assert whats(house) == [("vault", "missing", below(file))]
    file.write_bytes(whole)
    extra = file.parent / "extra"
    extra.write_bytes(b"extra")
    assert whats(house) == [("vault", "extra", below(extra))]
    extra.unlink()
    assert results(house) == (0, {"vault": {"intact"}, "second": {"intact"}})
    for inventory in objects(vault)[0].rglob("inventory.json"):
        data = inventory.read_bytes().replace(b'"message"', b' "message"')
        inventory.write_bytes(data)
        side = f"{hashlib.sha256(data).hexdigest()}  inventory.json\n"
        inventory.with_name("inventory.json.sha256").write_text(side)
    assert {(store, what) for store, what, _path in whats(house)} == {("vault", "inventory")}
    shutil.rmtree(objects(vault)[0])
    assert results(house) == (1, {"vault": {"intact", "missing"}, "second": {"intact"}})
    vault.rename(house.base / "unmounted")
    vault.mkdir()
    assert results(house) == (3, {"vault": {"not-checked"}, "second": {"intact"}})
    assert list(vault.iterdir()) == []
    assert results(house, "--store", "second") == (0, {"second": {"intact"}})


def test_a_store_that_was_rolled_back_whole(house: House, tmp_path: Path) -> None:
    """Its journal and its objects are those of yesterday: what came since is missing."""
    shutil.copytree(house.base / "vault", tmp_path / "yesterday")
    late = tmp_path / "in" / "late"
    late.mkdir()
    (late / "a.txt").write_bytes(b"late")
    new = house.run("ingest", late).item["aip"]
    shutil.rmtree(house.base / "vault")
    (tmp_path / "yesterday").rename(house.base / "vault")
    verified = house.run("journal", "verify")
    assert {finding["code"] for finding in (verified.document or {})["findings"]} == {"JRN-LAG"}
    answer = house.run("audit")
    assert [(item["aip"], item["store"], item["result"]) for item in answer.items if item["result"] != "intact"] == [
        (new, "vault", "missing")
    ]


def test_rebuilt_from_one_store_it_shows_the_same(house: House, tmp_path: Path) -> None:
    file = biggest(house.base / "vault")
    file.write_bytes(file.read_bytes()[:-1])
    assert house.run("audit").exit == 1
    aips = sorted({item["aip"] for item in house.run("audit", "--plan").items})
    assert house.run("export", aips[0], tmp_path / "out").exit == 0
    assert len(aips) == len(TEXTS)
    before = [house.run("show", aip).document for aip in aips]
    for name in ("vault", "second"):
        new = House(tmp_path / f"new-{name}", {"LUUTRU_CLOCK": CLOCK})
        assert new.run("store", "add", name, (house.base / name).as_uri()).exit == 0
        rebuilt = new.run("catalogue", "rebuild", "--from", name)
        assert rebuilt.exit == 0 and rebuilt.item["aips"] == len(TEXTS)
        assert [new.run("show", aip).document for aip in aips] == before


def test_export_takes_the_good_copy(house: House, tmp_path: Path) -> None:
    aip = house.run("audit", "--plan").items[0]["aip"]
    for content in (house.base / "vault").glob("ocfl/**/content/*/*"):
        content.write_bytes(content.read_bytes() + b"!")
    answer = house.run("export", aip[9:17], tmp_path / "out")
    assert answer.exit == 0 and answer.item["store"] == "second"
    assert [one["store"] for one in answer.item["skipped"]] == ["vault"]
    assert (Path(answer.item["path"]) / "METS.xml").is_file()
    assert house.run("export", aip, tmp_path / "out").exit == 2


def test_killed_in_the_middle_the_same_audit_goes_on(house: House) -> None:
    """No copy is read twice in one run, none is left out."""
    journal = house.base / "data" / "journal"

    def audits() -> int:
        lines = [line for file in journal.rglob("*.jsonl") for line in file.read_bytes().splitlines()]
        return sum(json.loads(line)["kind"] == "audit" for line in lines if line.endswith(b"}"))

    process = house.start("audit", "--json")
    end = time.monotonic() + 60
    while audits() == 0 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    kill_group(process)
    killed = audits()
    assert killed >= 1
    goes_on = (house.data / "audit.json").exists()
    answer = house.run("audit")
    assert answer.exit == 0 and [item["result"] for item in answer.items] == ["intact"] * 4
    assert audits() == (4 if goes_on else killed + 4)
    assert house.run("journal", "verify").exit == 0
