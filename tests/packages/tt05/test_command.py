"""`luutru validate` on packages of the circular: kinds, profiles, settings, documents, reports, stored AIPs."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.validate import validate
from pipeline.settings import Profile, profile
from pipeline.workspace import Workspace
from tests.command import House
from tests.packages.tt05.build import archive, build, folder, written
from tests.packages.tt05.fault import cut, put
from tests.packages.tt05.faults import FAULTS
from tests.packages.tt05.shape import ROOT, full, plain


def judged(home: Path, package: Path, asked: Profile | None, kind: str | None = None) -> tuple[dict[str, Any], int]:
    space = Workspace(home / "data")
    space.work.mkdir(parents=True, exist_ok=True)
    return validate(space, package, asked, kind)


def codes(item: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in item["findings"]}


def test_documents_and_what_was_not_checked(tmp_path: Path) -> None:
    package = folder(build(FAULTS["TT05-LNK-01"].shape), tmp_path)
    item, code = judged(tmp_path, package, profile("tt05"))
    assert (item["kind"], item["verdict"], code) == ("tt05/SIP_hoso", "invalid", 1)
    first, second = item["documents"]
    assert (first["verdict"], first["codes"]) == ("valid", [])
    assert (second["verdict"], second["codes"]) == ("invalid", ["TT05-LNK-01"])
    assert set(item["not_checked"]) >= {"TT05-EAD-12", "TT05-HOL-04", "TT05-SUB-02", "TT05-SUB-09"}
    assert "TT05-ID-03" not in item["not_checked"], "it is about archival packages"


@pytest.mark.parametrize("type", ["SIP_hoso", "SIP_tailieu", "AIP_hoso", "AIP_tailieu", "DIP"])
def test_without_a_profile_the_kind_is_recognised_and_judged(type: str, tmp_path: Path) -> None:
    item, code = judged(tmp_path, folder(build(full(type)), tmp_path), None)
    assert (item["kind"], item["verdict"], code, item["problem"]) == (f"tt05/{type}", "valid", 0, None)


def test_a_person_names_the_type(tmp_path: Path) -> None:
    package = folder(build(plain("SIP_tailieu")), tmp_path)
    item, _ = judged(tmp_path, package, profile("tt05"), "tt05/SIP_hoso")
    assert item["kind"] == "tt05/SIP_hoso"
    assert {"TT05-MET-06", "TT05-EAD-24"} <= codes(item)


def test_an_archive_that_cannot_be_opened_has_one_code(tmp_path: Path) -> None:
    package = written(FAULTS["TT05-ZIP-04"].shape, tmp_path)
    assert codes(judged(tmp_path, package, profile("tt05"))[0]) == {"TT05-ZIP-04"}
    assert codes(judged(tmp_path, package, None)[0]) == {"PKG-CLIMBING"}


def test_no_mets_and_no_marks_but_a_profile_that_expects_it(tmp_path: Path) -> None:
    root = tmp_path / "p"
    (root / "representations/rep1/data").mkdir(parents=True)
    (root / "representations/rep1/data/a.pdf").write_bytes(b"%PDF-1.4")
    item, _ = judged(tmp_path, root, profile("tt05"))
    assert item["kind"] == "tt05/SIP_hoso"
    assert {"TT05-STR-02", "TT05-STR-03", "TT05-STR-04", "TT05-STR-07", "TT05-LNK-01"} <= codes(item)


@pytest.mark.parametrize("missing", [ROOT, "metadata/descriptive/EAD.xml"])
def test_a_mark_is_enough(missing: str, tmp_path: Path) -> None:
    item, code = judged(tmp_path, folder(build(plain(after=(cut(missing),))), tmp_path), None)
    assert item["kind"] == "tt05/SIP_hoso" and code == 1


def test_another_kind_is_refused_by_the_profiles(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a.txt").write_text("a")
    item, code = judged(tmp_path, tmp_path / "p", profile("tt05"))
    assert (codes(item), code) == ({"PKG-KIND"}, 1)


def test_a_zip_that_holds_what_macos_left(tmp_path: Path) -> None:
    built = build(plain())
    package = archive(built, tmp_path)
    with zipfile.ZipFile(package, "a") as more:
        more.writestr("__MACOSX/._x", b"x")
    found = codes(judged(tmp_path, package, profile("tt05"))[0])
    assert found == {"TT05-STR-19"}


def test_a_folder_around_the_package(tmp_path: Path) -> None:
    folder(build(plain()), tmp_path / "ngoài")
    (tmp_path / "ngoài/thư.txt").write_text("x")
    item, _ = judged(tmp_path, tmp_path / "ngoài", profile("tt05"))
    assert [(one["code"], one["file"]) for one in item["findings"]] == [("TT05-STR-15", "thư.txt")]
    assert len(item["documents"]) == 2


def test_settings_reports_and_exit_codes(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    package = folder(build(plain(ead={"maintenance": "02"}, before=(put("ghi-chu.txt"),))), tmp_path)
    report = tmp_path / "report.html"
    asked = ("validate", package, "--profile", "tt05", "--report", report)
    quiet = house.run(*asked)
    assert (quiet.exit, quiet.codes) == (0, {"TT05-STR-15", "TT05-EAD-13"})
    page = report.read_text(encoding="utf-8")
    assert "H99.01.2020.7.1" in page and "TT05-STR-15" in page and "TT05-SUB-06" in page
    heard = house.run("validate", package, "--set", "tt05.receiver=historical")
    assert heard.exit == 1 and "TT05-EAD-12" in heard.codes
    wrong = house.run("validate", package, "--set", "receiver=historical")
    assert wrong.exit == 2 and wrong.document is not None and wrong.document["problem"]["code"] == "USE-SET"


@pytest.mark.slow
def test_a_stored_aip(tmp_path: Path) -> None:
    house = House(tmp_path / "house").stores()
    package = folder(build(plain()), tmp_path)
    refused = house.run("ingest", package)
    assert (refused.exit, refused.codes) == (1, {"PKG-KIND"})
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\naccepts = ["tt05"]\nmakes = "eark-aip"\n')
    kept = house.run("ingest", package, "--profile", own)
    assert (kept.exit, kept.item["kind"], kept.codes) == (0, "tt05/SIP_hoso", set())
    aip = kept.item["aip"]
    again = house.run("validate", aip, "--profile", "tt05")
    assert (again.item["kind"], again.exit) == ("tt05/SIP_hoso", 0)
    assert again.codes <= {"OCFL-W004"}
    assert len(again.item["documents"]) == 2
