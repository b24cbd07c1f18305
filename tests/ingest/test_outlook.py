"""What the rules say before anything is done: checked, explained, and foreseen for a package."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.content.normalisation.preview import rules_calling
from pipeline.errors import UsageProblem
from pipeline.ingest.outlook import PURPOSES, Asked, explained, outlook, rules_json, totals
from pipeline.settings import PROJECT, Settings
from tests.command import House
from tests.contract import faults

DATA = PROJECT / "tests" / "data" / "vietnamese"
IMAGES = PROJECT / "profiles" / "normalisation" / "images.toml"


def asked(scratch: Path, rules: str = "default", purposes: tuple[str, ...] = ("preservation",)) -> Asked:
    scratch.mkdir(exist_ok=True)
    return Asked(rules, purposes, Settings(workers=1), scratch)


def test_every_rule_that_ships_names_formats_of_pronom_and_could_run() -> None:
    items = rules_json("default", "full")
    assert {one["name"]: one["unknown_puids"] for one in items if one["unknown_puids"]} == {}
    assert items[0]["actions"][0]["limits"]["seconds"] == 60.0
    assert rules_calling()["vips"].count("image-tiff") == 1
    assert "image-tiff" in rules_calling()["sandbox"]


def test_a_puid_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(IMAGES.read_text().replace('"fmt/90"]', '"fmt/99999"]'))
    (rule,) = [one for one in rules_json(str(file), "full") if one["unknown_puids"]]
    assert rule["unknown_puids"] == ["fmt/99999"]


def test_a_file_is_told_its_rule_or_why_it_has_none(tmp_path: Path) -> None:
    how = asked(tmp_path / "scratch", purposes=PURPOSES)
    first, second = explained(DATA / "image" / "page.bmp", how)
    assert (first["purpose"], first["rule"], first["why"]["word"]) == ("preservation", "image-tiff/2", "rule")
    assert first["actions"][0]["needs"][0]["program"] == "vips"
    assert first["ready"]
    assert first["copies"] > 0
    assert (second["purpose"], second["rule"]) == ("access", "image-reading/2")
    (tmp_path / "empty").touch()
    only = asked(tmp_path / "scratch", purposes=("preservation",))
    [none] = explained(tmp_path / "empty", only)
    assert (none["rule"], none["why"]["word"], none["puid"]) == (None, "unknown", None)
    narrow = tmp_path / "rules.toml"
    narrow.write_text(IMAGES.read_text().replace('"fmt/90"]', '"fmt/90"]\nwhen = ["utf-16-bom"]', 1))
    [not_so] = explained(DATA / "image" / "page.bmp", asked(tmp_path / "scratch", str(narrow)))
    assert (not_so["rule"], not_so["why"]["word"]) == (None, "conditions")
    assert "fmt/116" in not_so["why"]["text"]["en"]
    with pytest.raises(UsageProblem):
        list(explained(tmp_path, only))


def test_of_a_package_the_data_files_count(tmp_path: Path) -> None:
    folder = tmp_path / "gói"
    (folder / "metadata").mkdir(parents=True)
    page = (DATA / "image" / "page.bmp").read_bytes()
    (folder / "trang.bmp").write_bytes(page)
    (folder / "ghi chú.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    with zipfile.ZipFile(tmp_path / "gói.zip", "w") as packed:
        for file in folder.iterdir():
            if file.is_file():
                packed.write(file, file.name)
    how = asked(tmp_path / "scratch")
    for package in (folder, tmp_path / "gói.zip"):
        items = list(outlook(package, how))
        assert [(Path(one["path"]).name, one["rule"]) for one in items] == [
            ("ghi chú.pdf", items[0]["rule"]),
            ("trang.bmp", "image-tiff/2"),
        ]
        told = totals(items, 2)
        (bitmaps,) = [one for one in told["formats"] if one["puid"] == "fmt/116"]
        assert (bitmaps["files"], bitmaps["bytes"], bitmaps["not_ready"]) == (1, len(page), 0)
        assert told["copies"] >= bitmaps["copies"] > 0
        assert told["seconds"] > 0
    [single] = outlook(folder / "trang.bmp", how)
    assert single["rule"] == "image-tiff/2"
    assert list((tmp_path / "scratch").iterdir()) == []


INSIDE = """
import sys
from pathlib import Path
from pipeline.ingest.outlook import *
from pipeline.settings import Settings
from commands.rules import _explained
items = list(explained(Path(sys.argv[1]), Asked("default", ("preservation",), Settings(workers=1), Path(sys.argv[2]))))
print(_explained({"items": items}, "en"))
"""


def test_what_lacks_is_named_with_its_package(tmp_path: Path) -> None:
    """On a machine (made with bubblewrap) where the program lacks."""
    command = [
        *("bwrap", "--dev-bind", "/", "/", "--ro-bind", "/dev/null", "/usr/bin/vips", "--chdir", str(PROJECT), "--"),
        *(sys.executable, "-c", INSIDE, str(DATA / "image" / "page.bmp"), str(tmp_path)),
    ]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout
    assert "cannot run: lacks vips 8.14 (apt install libvips-tools)" in told


@pytest.mark.slow
def test_the_commands_print_their_documents(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    bitmap = DATA / "image" / "page.bmp"
    for command, exit_ in (
        (("rules", "check"), 0),
        (("rules", "check", str(IMAGES)), 0),
        (("rules", "check", str(tmp_path / "none.toml")), 2),
        (("rules", "explain", str(bitmap)), 0),
        (("normalise", "--dry-run", str(bitmap)), 0),
        (("normalise", str(bitmap)), 2),
    ):
        said = house.run(*command)
        assert said.exit == exit_, said.err
        assert said.document is not None
        assert faults(said.document) == [], command
        assert said.document["schema"] == f"luutru/{command[0]}/1"
    text = house.run("normalise", "--dry-run", bitmap, json_=False)
    assert "image-tiff/2" in text.out
    assert "In all: " in text.out
    assert house.run("rules", "explain", bitmap, "--lang", "vi", json_=False).out.count("Quy tắc image-tiff") == 1
