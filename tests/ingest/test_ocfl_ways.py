"""Validating what is stored: an AIP by its id, its object on the disk, a storage root, a store; whole and damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pipeline.settings import PROJECT
from tests.command import House
from tests.storage.ocfl_objects import Object, storage_root

GOOD = PROJECT / "sample_packages" / "accepted--ok--bao-cao-2019"


def codes(item: dict[str, object]) -> set[str]:
    findings = item["findings"]
    assert isinstance(findings, list)
    return {finding["code"] for finding in findings}


@pytest.mark.slow
def test_a_stored_aip_in_every_way(tmp_path: Path) -> None:
    house = House(tmp_path / "house").stores()
    aip = house.run("ingest", GOOD).item["aip"]
    vault = house.base / "vault"
    declaration = next(vault.rglob("0=ocfl_object_1.1"))
    home = declaration.parent
    whole = house.run("validate", aip, home, vault, vault / "ocfl")
    assert whole.exit == 0, whole.out
    kinds = [item["kind"] for item in whole.items]
    assert kinds == ["eark-aip/2.2.0", "ocfl+eark-aip/2.2.0", "ocfl-root", "ocfl-root"]
    assert all(codes(item) <= {"OCFL-W004", "CSIPSTR16"} for item in whole.items), whole.out
    # A file is exchanged, and every inventory made to agree: OCFL is content, the AIP's own METS is not.
    received = max((file for file in GOOD.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    old = hashlib.sha256(received.read_bytes()).hexdigest()
    victim = home / f"v1/content/{old[:2]}/{old}"
    forged = b"forged" * 10
    new = hashlib.sha256(forged).hexdigest()
    victim.unlink()
    target = home / f"v1/content/{new[:2]}/{new}"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(forged)
    if not any(victim.parent.iterdir()):
        victim.parent.rmdir()
    for inventory in (home / "inventory.json", home / "v1/inventory.json"):
        text = inventory.read_text().replace(f"{old[:2]}/{old}", f"{new[:2]}/{new}").replace(old, new)
        inventory.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        inventory.with_name("inventory.json.sha256").write_text(f"{digest}  inventory.json\n")
    forged_answer = house.run("validate", home, vault)
    first, second = forged_answer.items
    assert (first["verdict"], second["verdict"]) == ("invalid", "valid")
    assert not any(code.startswith("OCFL-E") for code in codes(first))
    # The audit names the file behind it: by the other store, and where that is away by the AIP's own METS and PREMIS.
    for away in (False, True):
        if away:
            (house.base / "second").rename(house.base / "unplugged")
        told = [
            problem
            for item in house.run("audit", "--store", "vault").items
            for problem in item["problems"]
            if problem["expected"] == old
        ]
        assert [(problem["what"], problem["found"]) for problem in told] == [("changed", new)]
        assert told[0]["path"].startswith("uuid-") and "/data/" in told[0]["path"]
    # And without the inventories agreeing.
    target.write_bytes(b"other")
    again = house.run("validate", home, vault)
    assert [item["verdict"] for item in again.items] == ["invalid", "invalid"]
    assert all("OCFL-E092" in codes(item) for item in again.items)


def test_objects_and_roots_of_others(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    Object().write(tmp_path / "object")
    bad = Object()
    bad.files["v1/content/stray"] = b"x"
    bad.write(tmp_path / "bad")
    storage_root(tmp_path / "root")
    (tmp_path / "root/a1/notes.txt").write_bytes(b"x")
    answer = house.run("validate", tmp_path / "object", tmp_path / "bad", tmp_path / "root")
    assert answer.exit == 1
    assert [item["kind"] for item in answer.items] == ["ocfl/1.1", "ocfl/1.1", "ocfl-root"]
    assert [sorted(codes(item)) for item in answer.items] == [[], ["OCFL-E023"], ["OCFL-E072", "OCFL-E084"]]
    assert [item["files"] for item in answer.items] == [9, 10, 18]
    said = json.loads(answer.out)["items"][1]["findings"][0]
    assert said["file"] == "v1/content/stray" and said["reference"] == "OCFL 1.1 §3.3.1, E023"
    folder = house.run("validate", "--kind", "folder", tmp_path / "bad")
    assert folder.exit == 0 and folder.item["kind"] == "folder"
