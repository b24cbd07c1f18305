"""`luutru identify` as people run it: table, CSV, JSON lines, stored AIPs."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.command import House
from tests.contract import faults

DATA = Path(__file__).resolve().parent / "data/vietnamese"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "hồ sơ"
    made.mkdir()
    for name in ("image/page.bmp", "office/unicode.docx", "text/utf8.txt"):
        shutil.copy(DATA / name, made)
    (made / "=cmd|' calc'!A1.csv").write_bytes(b"a;b\n")
    return made


def test_table_and_csv(folder: Path, tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    table = house.run("identify", folder, json_=False)
    assert table.exit == 0, table.err
    assert f"fmt/116      {'Windows Bitmap 3.0':50} {folder}/page.bmp" in table.out
    counts = table.out.split("\n\n")[1].splitlines()
    assert counts[0].split() == ["PUID", "Name", "Version", "Files", "Size", "Agreement"]
    assert {line.split()[0] for line in counts[2:-2]} == {"fmt/116", "fmt/412", "x-fmt/111", "–"}
    assert counts[-1].split()[:2] == ["Total", "4"]
    assert counts[-1].endswith("same 3, none 1")
    vietnamese = house.run("identify", folder, "--lang", "vi", json_=False)
    assert "Tổng cộng" in vietnamese.out
    told = house.run("identify", folder, "--format", "csv", json_=False)
    assert told.out.startswith("\ufeffpath,bytes,sha256,puid,")
    rows = {Path(row["path"]).name: row for row in csv.DictReader(io.StringIO(told.out[1:], newline=""))}
    assert (rows["page.bmp"]["siegfried"], rows["page.bmp"]["fido"]) == ("fmt/116", "fmt/116")
    assert (rows["unicode.docx"]["match_type"], rows["unicode.docx"]["agreement"]) == ("container", "same")
    within = House(tmp_path / "house").run("identify", "=cmd|' calc'!A1.csv", "--format", "csv", json_=False,
                                           cwd=folder)  # fmt: skip
    (row,) = csv.DictReader(io.StringIO(within.out[1:], newline=""))
    assert row["path"].startswith("'=cmd")


def test_problems_are_lines_too(folder: Path, tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    for arguments in (("nothing",), ("",), (), (folder, "--format", "nonsense")):
        answer = house.run("identify", *arguments)
        assert answer.exit == 2
        assert answer.document is not None
        assert faults(answer.document) == []
        assert answer.out.count("\n") == 1
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a/b.txt", "abc")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "x.zip").read_bytes()[:-9])
    process = house.start("identify", tmp_path / "cut.zip", tmp_path / "x.zip", "--format", "jsonl")
    out, _ = process.communicate(timeout=120)
    documents = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 1
    assert [Path(one["path"]).name for one in documents] == ["cut.zip", "x.zip", "b.txt"]
    assert [finding["code"] for finding in documents[0]["findings"]] == ["PKG-ZIP-TRUNCATED"]
    assert [faults(one) for one in documents] == [[], [], []]


def test_a_stored_aip_is_identified_by_its_id_and_as_an_object(folder: Path, tmp_path: Path) -> None:
    house = House(tmp_path / "house").stores("vault", "second")
    item = house.run("ingest", folder).item
    assert item["verdict"] == "accepted"
    by_id = house.run("identify", item["aip"][9:25], json_=False)
    assert by_id.exit == 0, by_id.err
    assert f"{item['aip']}/representations/rep1/data/page.bmp" in by_id.out
    (place,) = (file.parent for file in (house.base / "vault/ocfl").rglob("0=ocfl_object_1.1"))
    as_object = house.run("identify", place, json_=False)
    assert as_object.exit == 0, as_object.err
    assert as_object.out.replace(str(place), item["aip"]) == by_id.out
    (place / "inventory.json.sha256").write_text("0" * 64 + "  inventory.json\n")
    assert house.run("identify", place, json_=False).exit == 3
    assert house.run("identify", "ffffffff", json_=False).exit == 2
