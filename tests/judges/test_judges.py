"""The judges judged: each accepts a good package and refuses what it is said to see; known blind spots stand here."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bagit as bagit_library
import pytest

from pipeline.reports import pdf
from tests import judges
from tests.command import House
from tests.judges import eark, minimal
from tests.judges.verdict import ALLOWED, allowed_rules
from tests.reports.packages import delivery, good

pytestmark = pytest.mark.judge

ROOT = Path(__file__).resolve().parents[2]
PAYLOAD = "representations/original/data/vb.txt"


@pytest.fixture
def aip(tmp_path: Path) -> Path:
    """A good AIP, written by hand."""
    return minimal.build(tmp_path)


def replace(path: Path, old: str, new: str) -> None:
    """Changes one place in a text file; the old text must be there."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


# --- commons-ip ---


def test_commons_ip_accepts_a_good_aip(aip: Path) -> None:
    verdict = judges.commons_ip(aip)
    assert verdict.good, str(verdict)
    assert "VALID" in verdict.saw and " 0 errors, 0 warnings" in verdict.saw
    assert not verdict.complaints


def flip_a_byte(aip: Path) -> None:
    data = bytearray((aip / PAYLOAD).read_bytes())
    data[0] ^= 1
    (aip / PAYLOAD).write_bytes(data)


def delete_a_file(aip: Path) -> None:
    (aip / PAYLOAD).unlink()


def add_a_file(aip: Path) -> None:
    (aip / PAYLOAD).with_name("more.txt").write_text("x", "utf-8")


def rename_the_folder(aip: Path) -> None:
    aip.rename(aip.with_name("uuid-other"))


def mix_the_case(aip: Path) -> None:
    replace(aip / "METS.xml", 'TYPE="Mixed"', 'TYPE="MIXED"')


def name_no_mime_type_of_iana(aip: Path) -> None:
    replace(aip / "METS.xml", 'MIMETYPE="text/plain"', 'MIMETYPE="text/nonsense"')


# What commons-ip 2.10.0 sees, and under which rule.
SEEN: list[tuple[Callable[[Path], None], str]] = [
    (flip_a_byte, "CSIP71"),
    (delete_a_file, "CSIP0"),
    (add_a_file, "CSIP66"),
    (rename_the_folder, "CSIP1"),
    (mix_the_case, "CSIP2"),
    (name_no_mime_type_of_iana, "CSIP68"),
]


@pytest.mark.parametrize(("change", "rule"), SEEN, ids=lambda value: getattr(value, "__name__", value))
def test_commons_ip_refuses(aip: Path, change: Callable[[Path], None], rule: str) -> None:
    change(aip)
    folder = aip if aip.exists() else aip.with_name("uuid-other")
    verdict = judges.commons_ip(folder)
    assert not verdict.good
    assert rule in verdict.rules, str(verdict)


def other_profile(aip: Path) -> None:
    replace(aip / "METS.xml", minimal.PROFILE, "https://example.org/none.xml")


def wrong_premis(aip: Path) -> None:
    """A PREMIS that no schema knows, its digest in METS right."""
    premis, mets = aip / "metadata/preservation/premis.xml", aip / "METS.xml"
    before = minimal.checked(premis, "text/xml")
    replace(premis, "objectIdentifierType>local", "objectIdentifierTypo>local")
    replace(premis, "</objectIdentifierType>", "</objectIdentifierTypo>")
    replace(mets, before, minimal.checked(premis, "text/xml"))


@pytest.mark.parametrize("change", [other_profile, wrong_premis])
def test_commons_ip_is_blind_to(aip: Path, change: Callable[[Path], None]) -> None:
    """Written down so that nobody trusts it there: our own checker has to see these."""
    change(aip)
    assert judges.commons_ip(aip).good


def test_the_sum_of_commons_ip_counts_when_no_rule_is_named(tmp_path: Path) -> None:
    summary = {"result": "INVALID", "success": 1, "errors": 1, "warnings": 0, "notes": 0}
    verdict = eark.read_commons_ip(tmp_path, {"validation": [], "summary": summary})
    assert verdict.rules == {"summary"}


def test_a_missing_judge_is_a_failure(aip: Path, tmp_path: Path) -> None:
    with pytest.raises(judges.JudgeMissing, match="make install-test"):
        judges.commons_ip(aip, jars=tmp_path / "none")
    with pytest.raises(judges.JudgeMissing, match="make install-test"):
        judges.eark_validator(aip, python=tmp_path / "none")


# --- eark-validator ---


def test_eark_validator_accepts_a_good_aip_but_for_its_false_alarms(aip: Path) -> None:
    verdict = judges.eark_validator(aip)
    assert verdict.good, str(verdict)
    assert {complaint.rule for complaint in verdict.complaints} == set(allowed_rules("eark-validator"))


def test_eark_validator_refuses_a_wrong_category(aip: Path) -> None:
    mix_the_case(aip)
    assert "CSIP2" in judges.eark_validator(aip).rules


def test_eark_validator_refuses_a_package_without_mets(aip: Path) -> None:
    (aip / "METS.xml").unlink()
    assert not judges.eark_validator(aip).good


def test_eark_validator_on_broken_mets_gives_no_good_verdict(aip: Path) -> None:
    (aip / "METS.xml").write_text("<mets", "utf-8")
    try:
        verdict = judges.eark_validator(aip)
    except judges.NoVerdict:
        return
    assert not verdict.good


# --- XML schemas ---


def test_xsd_accepts_a_good_aip(aip: Path) -> None:
    verdict = judges.xsd(aip)
    assert verdict.good, str(verdict)
    assert verdict.saw == "2 METS, 2 PREMIS"


def test_xsd_refuses_a_wrong_premis_and_names_the_line(aip: Path) -> None:
    wrong_premis(aip)
    (complaint, *_) = judges.xsd(aip).counting
    assert complaint.rule == "XSD" and "metadata/preservation/premis.xml:5" in complaint.text


def test_xsd_does_not_read_the_payload(aip: Path) -> None:
    (aip / PAYLOAD).with_name("their.xml").write_text("<broken", "utf-8")
    assert judges.xsd(aip).good


def test_xsd_refuses_a_folder_without_mets(tmp_path: Path) -> None:
    assert judges.xsd(tmp_path).rules == {"METS"}


# --- bags ---


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A good bag."""
    folder = tmp_path / "bag"
    folder.mkdir()
    (folder / "văn bản.txt").write_text("một", "utf-8")
    bagit_library.make_bag(str(folder), checksums=["sha256"])
    return folder


def test_bagit_accepts_a_good_bag(bag: Path) -> None:
    verdict = judges.bagit(bag)
    assert verdict.good and verdict.saw == "BagIt 0.97, 1 files, sha256"


def test_bagit_refuses_a_changed_byte(bag: Path) -> None:
    (bag / "data/văn bản.txt").write_text("hai", "utf-8")
    assert not judges.bagit(bag).good


def test_bagit_refuses_what_is_no_bag(tmp_path: Path) -> None:
    assert judges.bagit(tmp_path).rules == {"bag"}


# --- OCFL ---


@pytest.fixture
def storage_root(tmp_path: Path) -> Path:
    """A storage root with one object of one version, written by hand."""
    root = tmp_path / "ocfl"
    content = b"n\xe1\xbb\x99i dung"
    digest = hashlib.sha256(content).hexdigest()
    folder = root / "object"
    (folder / "v1/content").mkdir(parents=True)
    (root / "0=ocfl_1.1").write_text("ocfl_1.1\n", "utf-8")
    (folder / "0=ocfl_object_1.1").write_text("ocfl_object_1.1\n", "utf-8")
    (folder / "v1/content" / digest).write_bytes(content)
    inventory = {
        "id": "urn:uuid:6f1f3a0e-3f4c-4a53-9b6e-0d7a1c2b3d4e",
        "type": "https://ocfl.io/1.1/spec/#inventory",
        "digestAlgorithm": "sha256",
        "head": "v1",
        "manifest": {digest: [f"v1/content/{digest}"]},
        "versions": {
            "v1": {
                "created": minimal.MOMENT,
                "message": "first",
                "user": {"name": "luutru", "address": "urn:luutru"},
                "state": {digest: ["a.txt"]},
            }
        },
    }
    text = json.dumps(inventory)
    for place in (folder, folder / "v1"):
        (place / "inventory.json").write_text(text, "utf-8")
        sidecar = f"{hashlib.sha256(text.encode()).hexdigest()} inventory.json\n"
        (place / "inventory.json.sha256").write_text(sidecar, "utf-8")
    return root


def test_ocfl_accepts_a_good_root_with_w004_alone(storage_root: Path) -> None:
    verdict = judges.ocfl_root(storage_root)
    assert verdict.good, str(verdict)
    assert verdict.saw == "1 of 1 objects good"
    assert {complaint.rule for complaint in verdict.complaints} == {"W004"}


def test_ocfl_refuses_a_changed_byte(storage_root: Path) -> None:
    (content,) = (storage_root / "object/v1/content").iterdir()
    content.write_bytes(b"other bytes")
    assert "E092" in judges.ocfl_root(storage_root).rules


def test_ocfl_refuses_a_root_whose_object_is_bad_although_the_root_is_valid(storage_root: Path) -> None:
    (storage_root / "object/inventory.json").unlink()
    verdict = judges.ocfl_root(storage_root)
    assert "E063" in verdict.rules and verdict.saw == "0 of 1 objects good"


def test_ocfl_refuses_what_is_no_root(tmp_path: Path) -> None:
    assert not judges.ocfl_root(tmp_path).good


# --- the list of exceptions, the command ---


def test_every_exception_has_a_reason() -> None:
    lines = [line for line in ALLOWED.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        judge, rule, reason = line.split("\t")
        assert judge and rule and len(reason) > 20


def ask(*paths: Path) -> subprocess.CompletedProcess[str]:
    """`python -m tests.judges` as `make judge` calls it."""
    command = [sys.executable, "-m", "tests.judges", *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_asks_every_judge_that_fits(aip: Path, storage_root: Path, bag: Path) -> None:
    report = bag.with_name("report.pdf")
    with report.open("wb") as out:
        pdf.write(good(), out, "")
    answer = ask(aip, storage_root, bag, report)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for judge in ("xsd", "commons-ip", "eark-validator", "ocfl-py", "bagit-python", "veraPDF"):
        (told,) = (part for part in answer.stdout.split("\n\n") if part.startswith(f"== {judge} ==\n"))
        assert "  accepted  " in told and "REFUSED" not in told


@pytest.mark.slow
def test_the_command_takes_a_store_an_object_a_dip_and_bags_of_ours(tmp_path: Path) -> None:
    """Every sort of thing that we hand out or keep, the packages inside objects and bags too."""
    house = House(tmp_path / "house").stores()
    aip = house.run("ingest", ROOT / "sample_packages/accepted--ok--bao-cao-2019").item["aip"]
    for kind in ("eark-dip", "bagit"):
        assert house.run("export", aip, tmp_path / kind, "--as", kind).exit == 0
    vault = house.base / "vault"
    (home,) = (declaration.parent for declaration in vault.rglob("0=ocfl_object_1.1"))
    report = tmp_path / "báo cáo.pdf"
    assert house.run("validate", aip, "--report", report).exit == 0
    answer = ask(vault, tmp_path / "eark-dip", tmp_path / "bagit", report)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    tables = {part.split("\n")[0]: part for part in answer.stdout.strip().split("\n\n")}
    counts = {name: told.count("  accepted  ") for name, told in tables.items()}
    assert counts == {
        "== ocfl-py ==": 1, "== xsd ==": 3, "== commons-ip ==": 3, "== eark-validator ==": 3, "== bagit-python ==": 1,
        "== veraPDF ==": 1,
    }  # fmt: skip
    (home / "v1/inventory.json").unlink()
    (home / "inventory.json").write_text("{")
    broken = ask(home)
    assert broken.returncode == 3 and "REFUSED" in broken.stdout and "NO VERDICT" in broken.stdout


# --- PDF/A ---


def test_verapdf_accepts_a_report_of_ours(tmp_path: Path) -> None:
    """A delivery of many packages with findings of every sort, in the layout of official documents."""
    file = tmp_path / "báo cáo.pdf"
    with file.open("wb") as out:
        pdf.write(delivery(), out, "Trung tâm Lưu trữ lịch sử tỉnh")
    verdict = judges.verapdf(file)
    assert verdict.good and not verdict.complaints, str(verdict)
    assert "PDF/A-2B" in verdict.saw and " 0 failed" in verdict.saw


def test_verapdf_refuses_what_acts_by_itself_and_what_is_no_pdf(tmp_path: Path) -> None:
    horrors = ROOT / "tests/data/formats/pdfCabinetOfHorrors"
    assert "6.5.1-1" in judges.verapdf(horrors / "javascript.pdf").rules
    (tmp_path / "no.pdf").write_bytes(b"%PDF-1.7\nnothing")
    assert not judges.verapdf(tmp_path / "no.pdf").good
    with pytest.raises(judges.JudgeMissing, match="make install-test"):
        judges.verapdf(horrors / "javascript.pdf", jars=tmp_path / "none")


def test_the_command_fails_when_one_refuses_or_nothing_is_known(aip: Path, tmp_path: Path) -> None:
    flip_a_byte(aip)
    assert ask(aip).returncode == 1
    (tmp_path / "empty").mkdir()
    assert ask(tmp_path / "empty").returncode == 2
    assert ask().returncode == 2
