"""E-ARK packages the whole way: what a submission holds is in its AIP, and nothing of its history is lost."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.packages.eark import EarkRows
from pipeline.packages.registry import recognise
from pipeline.records import Use
from pipeline.tree import FolderTree
from setup import samples, samples_eark
from tests import judges
from tests.command import ARCHIVE, CLOCK, House
from tests.packages.received import digest_tree, judged, valid, write

SIP = samples_eark.good(samples.LETTER, samples.MINUTES)


def house(base: Path) -> House:
    made = House(base, {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE)
    return made.stores("vault", "second")


def aip_of(made: House, package: Path, out: Path) -> Path:
    """Ingests a package and exports its AIP; our own check has nothing against it."""
    answer = made.run("ingest", package)
    assert answer.item["verdict"] == "accepted", (answer.item, answer.err)
    exported = made.run("export", answer.item["aip"], out)
    assert exported.exit == 0, exported.err
    root = Path(exported.item["path"])
    good(root)
    return root


def good(root: Path) -> None:
    tree = FolderTree(root)
    kind, _ = recognise(tree)
    assert kind is not None
    findings = judged(kind, tree)
    assert [one for one in findings if one.code not in ("PREMIS-TERM", "CSIPSTR13")] == []
    assert valid(findings)


def payload(root: Path) -> dict[str, str]:
    """Digests of what lies in the data folders of representations that were submitted."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.glob("representations/*/data/**/*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def sip_and_aip(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Path, Path]:
    base = tmp_path_factory.mktemp("eark")
    sip = write(base / samples_eark.GOOD, dict(SIP))
    made = house(base / "house")
    return made, sip, aip_of(made, sip, base / "out")


def test_everything_that_was_submitted_is_in_the_aip(sip_and_aip: tuple[House, Path, Path]) -> None:
    _, sip, aip = sip_and_aip
    held = {hashlib.sha256(file.read_bytes()).hexdigest() for file in aip.rglob("*") if file.is_file()}
    for name, data in SIP.items():
        assert hashlib.sha256(data).hexdigest() in held, name
    assert payload(aip) == payload(sip)


def test_the_aip_says_what_the_submission_said(sip_and_aip: tuple[House, Path, Path]) -> None:
    _, _, aip = sip_and_aip
    rows = EarkRows(FolderTree(aip))
    assert [row.name for row in rows.representations()] == ["goc", "so-hoa"]
    described = {one.target: dict(one.terms) for one in rows.descriptions()}
    assert described[None] == {"title": "Hồ sơ hội nghị năm 1999", "creator": "Sở Nội vụ", "date": "1999"}
    assert described[b"representations/goc"] == {"title": "Bản gốc", "language": "vi"}  # type: ignore[index]
    kinds = {row.metadata: row.path for row in rows.files(Use.DESCRIPTIVE)}
    assert kinds["EAD"] == b"metadata/descriptive/submission/metadata/descriptive/ead.xml"
    assert kinds["MODS"].startswith(b"representations/so-hoa/metadata/descriptive/submission/")
    events = {event.key: event for event in rows.events()}
    creation = events["submission/7b8e6d58-7d0f-4c27-8f0b-7f4f1b5a2d01"]
    assert (creation.type, creation.agents) == ("creation", (("submission/phan-mem-mau", "executing program"),))
    imaging = events["submission/5f0d9f9e-6f2f-4a6e-9c7e-3f8f2a1b0c11"]
    assert [(link.what, link.ref) for link in imaging.links] == [("representation", "goc")]
    came = events["submission/METS"]
    assert "altRecordID SUBMISSIONAGREEMENT=TT-2020-07" in came.detail
    agents = {agent.key: agent for agent in rows.agents()}
    assert agents["submission/METS/2"].name == "Sở Nội vụ tỉnh Ví Dụ"
    assert "H99.01" in agents["submission/METS/2"].note
    right = next(right for right in rows.rights() if right.key == "submission/luat-luu-tru")
    assert (right.jurisdiction, right.citation) == ("vn", "Luật Lưu trữ số 33/2024/QH15")


def test_the_parts_of_a_split_package_are_named(tmp_path: Path) -> None:
    sip = write(tmp_path / "uuid-9c2d7a10-3b0e-5d52-8a57-4c1d7c2e9b02", dict(samples_eark.split(samples.LETTER)))
    aip = aip_of(house(tmp_path / "house"), sip, tmp_path / "out")
    came = next(event for event in EarkRows(FolderTree(aip)).events() if event.key == "submission/METS")
    assert "reference=urn:uuid:2b1f4c5e-7a0d-5c1e-9d3b-0a6f2f9f1c77" in came.detail
    assert "altRecordID REFERENCECODE=H99.01.1999.71/2" in came.detail


def bagged(files: dict[str, bytes]) -> dict[str, bytes | str]:
    """A bag whose payload is these files, as meemoo lays it."""
    return {path.decode().partition("/")[2]: data or b"" for path, data in samples.bag("x", files)}


def test_a_bag_that_holds_a_sip_is_read_as_that_sip(tmp_path: Path) -> None:
    package = write(tmp_path / "Túi có gói E-ARK", bagged(dict(SIP)))
    made = house(tmp_path / "house")
    answer = made.run("ingest", package)
    assert answer.item["verdict"] == "accepted", answer.item
    assert answer.item["kind"] == "bagit+eark-sip/1.0"
    aip = Path(made.run("export", answer.item["aip"], tmp_path / "out").item["path"])
    good(aip)
    assert payload(aip) == {name: digest(data) for name, data in SIP.items() if "/data/" in name}
    rows = EarkRows(FolderTree(aip))
    assert {one.target: dict(one.terms) for one in rows.descriptions()}[None]["title"] == "Hồ sơ hội nghị năm 1999"
    names = {agent.name for agent in rows.agents()}
    assert {"Ủy ban nhân dân xã Thử Nghiệm", "Sở Nội vụ tỉnh Ví Dụ"} <= names
    assert (aip / "documentation/bag/bag-info.txt").is_file()
    held = {digest(file.read_bytes()) for file in aip.rglob("*") if file.is_file()}
    assert {digest(data) for data in bagged(dict(SIP)).values() if isinstance(data, bytes)} <= held


def test_a_bag_and_what_is_in_it_are_both_checked(tmp_path: Path) -> None:
    wrong = bagged(samples_eark.altered(samples.LETTER))
    made = house(tmp_path / "house")
    inner = made.run("validate", write(tmp_path / "inner", wrong))
    assert inner.item["verdict"] == "invalid" and "CSIP71" in inner.codes and "BAG-MAN-04" not in inner.codes
    assert {one["file"] for one in inner.item["findings"] if one["code"] == "CSIP71"} == {
        "data/representations/rep1/data/Công văn.txt"
    }
    outer: dict[str, bytes | str] = {**bagged(dict(SIP)), "data/METS.xml": SIP["METS.xml"] + b" "}
    assert "BAG-MAN-04" in made.run("validate", write(tmp_path / "outer", outer)).codes


def test_our_own_bag_comes_in_again(sip_and_aip: tuple[House, Path, Path], tmp_path: Path) -> None:
    made, sip, aip = sip_and_aip
    urn = "urn:uuid:" + aip.name.removeprefix("uuid-")
    bag = Path(made.run("export", urn, tmp_path, "--as", "bagit").item["path"])
    again = aip_of(house(tmp_path / "house"), bag, tmp_path / "out")
    assert payload(again) == payload(sip)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_tar_is_the_same_submission(sip_and_aip: tuple[House, Path, Path]) -> None:
    made, _, _ = sip_and_aip
    answer = made.run("ingest", samples.SAMPLES / "accepted--ok--sip-eark.tar")
    assert answer.item["verdict"] == "already archived", answer.item


def test_an_aip_submitted_again_keeps_its_history(sip_and_aip: tuple[House, Path, Path], tmp_path: Path) -> None:
    _, sip, aip = sip_and_aip
    again = aip_of(house(tmp_path / "house"), aip, tmp_path / "out")
    assert payload(again) == payload(sip)
    before, after = EarkRows(FolderTree(aip)), EarkRows(FolderTree(again))
    assert list(before.descriptions()) == list(after.descriptions())
    then = {event.key for event in after.events()}
    assert {f"submission/{event.key}" for event in before.events()} <= then
    assert "submission/submission/7b8e6d58-7d0f-4c27-8f0b-7f4f1b5a2d01" in then


def test_a_submission_with_representations_that_have_no_mets(tmp_path: Path) -> None:
    """CSIPSTR12 is a SHOULD: folders alone make a representation too."""
    files = {path: data for path, data in SIP.items() if not path.startswith("representations/so-hoa/metadata")}
    sip = write(tmp_path / samples_eark.GOOD, dict(files))
    (sip / "representations/so-hoa/METS.xml").unlink()
    tree = FolderTree(sip)
    kind, _ = recognise(tree)
    assert kind is not None
    found = kind.read(tree, digest_tree(tree, ()))
    assert [row.name for row in found.representations] == ["goc", "so-hoa"]
    assert len({kind.place(entry.path).target for entry in tree.entries()}) == len(files) - 1


@pytest.mark.judge
@pytest.mark.slow
def test_judges_accept_the_submission_and_its_aip(sip_and_aip: tuple[House, Path, Path]) -> None:
    _, sip, aip = sip_and_aip
    for verdict in (judges.commons_ip(aip), judges.eark_validator(aip), judges.xsd(aip)):
        assert verdict.good, str(verdict)
    verdict = judges.commons_ip(sip)
    assert verdict.good, str(verdict)

