"""Archivematica's transfers arrive complete: objects, descriptions, rights, papers, copies that were made by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.packages.eark import EarkRows
from pipeline.packages.folder import Folder
from pipeline.packages.folder.rights import COLUMNS, CSV
from pipeline.packages.registry import recognise
from pipeline.records import PackagePath, Right
from pipeline.tree import FolderTree
from setup import samples
from tests import judges
from tests.command import ARCHIVE, CLOCK, House
from tests.packages.received import digest_tree, judged, valid, write

TRANSFER = samples.transfer()
DATA = "representations/rep1/data/"


def house(base: Path) -> House:
    made = House(base, {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE)
    return made.stores("vault", "second")


def bagged() -> dict[str, bytes | str]:
    """A zipped bag transfer: the same below `data/`."""
    members = samples.bag("x", TRANSFER)
    return {path.decode().partition("/")[2]: data or b"" for path, data in members}


@pytest.fixture(scope="module", params=["standard", "bag"])
def aip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("transfer")
    files = dict(TRANSFER) if request.param == "standard" else bagged()
    made = house(base / "house")
    answer = made.run("ingest", write(base / "Chuyển giao số 5", dict(files)))
    assert answer.item["verdict"] == "accepted", answer.item
    assert answer.item["kind"] == ("folder" if request.param == "standard" else "bagit+folder/1.0")
    return Path(made.run("export", answer.item["aip"], base / "out").item["path"])


def test_every_file_arrives(aip: Path) -> None:
    held = {hashlib.sha256(file.read_bytes()).hexdigest() for file in aip.rglob("*") if file.is_file()}
    assert {name for name, data in TRANSFER.items() if hashlib.sha256(data).hexdigest() not in held} == set()
    kind, _ = recognise(FolderTree(aip))
    assert valid(judged(kind, FolderTree(aip)))
    assert (aip / DATA / "objects/Công văn 71.txt").is_file()


def test_descriptions_and_copies(aip: Path) -> None:
    rows = EarkRows(FolderTree(aip))
    described = {one.target: dict(one.terms) for one in rows.descriptions()}
    assert described[None]["title"] == "Hồ sơ chuyển giao số 5"
    letter = PackagePath(f"{DATA}objects/Công văn 71.txt".encode())
    assert described[letter]["title"] == "Công văn số 71"
    reps = {row.name: row.source for row in rows.representations()}
    assert reps == {"rep1": None, "rep1-access": "rep1", "rep1-preservation": "rep1"}
    made_of = {row.path.decode(): row.derived_from for row in rows.files() if row.derived_from is not None}
    by_table = "representations/rep1-preservation/data/manualNormalization/preservation/Công văn 71.utf8.txt"
    by_name = "representations/rep1-access/data/manualNormalization/access/Biên bản/Biên bản họp.txt"
    minutes = PackagePath(f"{DATA}objects/Biên bản/Biên bản họp.txt".encode())
    assert made_of == {by_table: letter, by_name: minutes}


def test_rights_and_retention_are_statements_of_premis(aip: Path) -> None:
    rights = {right.key: right for right in EarkRows(FolderTree(aip)).rights()}
    letter = PackagePath(f"{DATA}objects/Công văn 71.txt".encode())
    minutes = PackagePath(f"{DATA}objects/Biên bản/Biên bản họp.txt".encode())
    assert rights["rights/000002"] == Right(
        "rights/000002", "copyright", "dissemination", "Tác giả là cơ quan", "Được công bố", "2020-01-15", "OPEN",
        "copyrighted", "vn", "", "", "2020-01-01", ("2020-01-15", "2095-01-15"), (("URI", "TT-71", "thỏa thuận"),),
        "Allow", (letter,),
    )  # fmt: skip
    retention = rights["rights/000003"]
    assert (retention.basis, retention.act, retention.restriction) == ("statute", "deletion", "Disallow")
    assert (retention.citation, retention.end) == ("Luật Lưu trữ số 33/2024/QH15", "2040-01-15")
    assert retention.targets == ()
    policy = rights["rights/000004"]
    assert (policy.basis, policy.act, policy.targets) == ("institutional policy", "displaying", (minutes,))


@pytest.mark.judge
@pytest.mark.slow
def test_judges_accept_the_aip(aip: Path) -> None:
    for verdict in (judges.commons_ip(aip), judges.xsd(aip)):
        assert verdict.good, str(verdict)


HEAD = "file,basis,status,jurisdiction,citation,terms,note,grant_act,grant_start_date\n"

FAULTS: dict[str, tuple[str | bytes, str]] = {
    "no header": ("", "FLD-RIGHTS-HEADER"),
    "wrong header": ("name,basis\n", "FLD-RIGHTS-HEADER"),
    "no basis column": ("file,act\n", "FLD-RIGHTS-HEADER"),
    "unknown column": ("file,basis,colour\na.txt,policy,red\n", "FLD-RIGHTS-COLUMN"),
    "short row": (HEAD + "a.txt,policy\n", "FLD-RIGHTS-ROW"),
    "no such file": (HEAD + "b.txt,policy,,,,,,,\n", "FLD-RIGHTS-TARGET"),
    "no basis": (HEAD + "a.txt,,,,,,,,\n", "FLD-RIGHTS-BASIS"),
    "no citation": (HEAD + "a.txt,statute,,vn,,,,,\n", "FLD-RIGHTS-INCOMPLETE"),
    "odd act": (HEAD + "a.txt,policy,,,,,,dance,\n", "FLD-RIGHTS-ACT"),
    "odd date": (HEAD + "a.txt,policy,,,,,,delete,tomorrow\n", "FLD-RIGHTS-DATE"),
    "not UTF-8": (b"file,basis\n\xff\xfe,x\n", "FLD-META-ENCODING"),
    "quote": (HEAD + '"a.txt,policy\n', "FLD-CSV-SYNTAX"),
    "control": (HEAD + "a.txt,policy,,,,,\x01,,\n", "FLD-META-CHARACTER"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_table(tmp_path: Path, name: str) -> None:
    table, code = FAULTS[name]
    root = write(tmp_path / "gói", {"a.txt": "a", CSV.decode(): table})
    assert {one.code for one in judged(Folder(), FolderTree(root))} == {code}


def rights_of(root: Path) -> list[Right]:
    tree = FolderTree(root)
    return list(Folder().read(tree, digest_tree(tree, ())).rights)


def test_what_premis_has_no_place_for_is_noted(tmp_path: Path) -> None:
    table = "file,basis,jurisdiction,terms,note\na.txt,statute,vn,miễn phí,chú\n,donor,,tặng,\na.txt,license,,CC BY,\n"
    first, second, third = rights_of(write(tmp_path / "gói", {"a.txt": "a", CSV.decode(): table}))
    assert (first.basis, first.jurisdiction) == ("statute", "")
    assert first.basis_note == "chú; jurisdiction: vn; terms: miễn phí"
    assert (second.basis, second.basis_note, second.targets) == ("other", "basis: donor; terms: tặng", ())
    assert (third.terms, third.basis_note, third.start) == ("CC BY", "", "")


def test_a_folder_of_many_files_makes_several_statements(tmp_path: Path) -> None:
    files: dict[str, Any] = {f"big/{number:04}": "x" for number in range(1001)}
    made = rights_of(write(tmp_path / "gói", {**files, CSV.decode(): "file,basis\nbig/,policy\n"}))
    assert [len(one.targets) for one in made] == [500, 500, 1]
    assert [one.key for one in made] == ["rights/000002", "rights/000002/2", "rights/000002/3"]
    assert len(COLUMNS) == 18


def test_two_places_of_copies_never_meet(tmp_path: Path) -> None:
    paths = [
        "manualNormalization/preservation/a.txt", "objects/manualNormalization/preservation/a.txt",
        "manualNormalization/preservation/objects/a.txt", "objects/a.txt", "a.txt", "manualNormalization/other/a.txt",
        "manualNormalization/preservation", "objects/manualNormalization/normalization.csv",
    ]  # fmt: skip
    assert len({Folder().place(PackagePath(path.encode())).target for path in paths}) == len(paths)
    root = write(tmp_path / "gói", {"objects/a.txt": "a", "objects/manualNormalization/preservation/a.tif": "t"})
    tree = FolderTree(root)
    found = Folder().read(tree, digest_tree(tree, ()))
    [(copy, origin)] = found.origins.items()
    assert copy.endswith(b"a.tif") and origin.source == f"{DATA}objects/a.txt".encode()


@pytest.mark.slow
def test_derivatives_of_ours_stand_beside_the_depositors(tmp_path: Path) -> None:
    text = "Công văn".encode("utf-16")
    files: dict[str, bytes | str] = {"objects/a.txt": text, "manualNormalization/preservation/a.txt": "Công văn"}
    made = house(tmp_path / "house")
    answer = made.run("ingest", write(tmp_path / "gói", files))
    assert answer.item["verdict"] == "accepted", answer.item
    aip = Path(made.run("export", answer.item["aip"], tmp_path / "out").item["path"])
    reps = {row.name: row.source for row in EarkRows(FolderTree(aip)).representations()}
    assert reps == {"rep1": None, "rep1-preservation": "rep1", "rep1-preservation-2": "rep1"}
