"""The BagIt conformance suite: verdict and reason for each of its 60 bags."""

from __future__ import annotations

import csv
import shutil
import unicodedata
from pathlib import Path

import pytest

from pipeline.packages.registry import KINDS, recognise
from pipeline.tree import FolderTree
from tests.command import House
from tests.packages.received import judged, opened, valid

SUITE = Path(__file__).parent.parent / "data" / "bagit-conformance-suite"
TABLE = Path(__file__).with_name("conformance.tsv")


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_table_names_every_bag_and_every_exception() -> None:
    bags = {str(bag.relative_to(SUITE)) for bag in SUITE.glob("v*/*/*")}
    assert {row["bag"] for row in rows()} == bags
    assert len(bags) == 60
    for row in rows():
        wanted = "valid" if row["bag"].split("/")[1] in ("valid", "warning") else "invalid"
        assert (row["verdict"] == wanted) == (row["cause of an exception"] == ""), row


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["bag"])
def test_bag(row: dict[str, str]) -> None:
    result = opened(SUITE / row["bag"])
    assert result.tree is not None
    findings = judged(KINDS["bagit"], result.tree)
    codes = {finding.code for finding in findings}
    assert valid(findings) == (row["verdict"] == "valid"), codes
    assert row["code"] in codes if row["code"] != "-" else not codes


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["bag"])
def test_bag_is_recognised(row: dict[str, str]) -> None:
    kind, told = recognise(FolderTree(SUITE / row["bag"]))
    version = row["bag"].split("/")[0][1:]
    bad = {
        "missing-bagit.txt": "folder",
        "invalid-version-number": "bagit",
        "same-filename-listed-twice-with-different-normalization": "bagit/0.96",  # what its bagit.txt says
    }
    name = row["bag"].rpartition("/")[2]
    assert told.shown == bad.get(name, f"bagit/{version}")
    assert kind is KINDS[told.kind]


@pytest.mark.parametrize(
    ("bag", "missing", "code"),
    [
        ("duplicate-file-with-different-case", "HELLO.txt", "PKG-NAME-CASE"),
        (
            "same-filename-listed-twice-with-different-normalization",
            unicodedata.normalize("NFD", "Núñez"),
            "PKG-NAME-FORM",
        ),
        ("special-system-files", ".DS_Store", "BAG-NAME-08"),
    ],
)
def test_incomplete_warning_bags_are_valid_once_complete(bag: str, missing: str, code: str, tmp_path: Path) -> None:
    copy = tmp_path / bag
    shutil.copytree(SUITE / "v0.97" / "warning" / bag, copy)
    source = copy / "data" / ("hello.txt" if missing == "HELLO.txt" else "nothing")
    (copy / "data" / missing).write_bytes(source.read_bytes() if source.exists() else b"")
    result = opened(copy)
    assert result.tree is not None
    findings = judged(KINDS["bagit"], result.tree)
    # The suite's Payload-Oxum of the case twins counts one file: it was made where the two names are one.
    left = ["BAG-INFO-06"] if missing == "HELLO.txt" else []
    assert [finding.code for finding in findings if not valid([finding])] == left
    assert code in {finding.code for finding in (*findings, *result.findings)}


def test_the_whole_suite_by_the_command(tmp_path: Path) -> None:
    """What a person asks: `luutru validate --kind bagit --json`."""
    table = rows()
    answer = House(tmp_path).run("validate", "--kind", "bagit", *(str(SUITE / row["bag"]) for row in table))
    assert answer.exit == 1
    for row, item in zip(table, answer.items, strict=True):
        assert item["kind"].partition("/")[0] == "bagit"
        assert item["verdict"] == row["verdict"], row
        codes = {finding["code"] for finding in item["findings"]}
        assert row["code"] in codes if row["code"] != "-" else not codes, row
