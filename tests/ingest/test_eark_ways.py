"""E-ARK packages the whole way: what a submission holds is in its AIP, and nothing of its history is lost."""

from __future__ import annotations

import hashlib
import os
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
    findings = judged(kind, tree)
    assert [one for one in findings if one.code not in ("PREMIS-TERM", "CSIPSTR11", "CSIPSTR13")] == []
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
    rights = {right.key: right for right in rows.rights()}
    for key, act in (("submission/luat-luu-tru", "dissemination"), ("submission/luat-luu-tru#2", "deletion")):
        right = rights[key]
        assert (right.act, right.jurisdiction, right.citation) == (act, "vn", "Luật Lưu trữ số 33/2024/QH15")
    assert rights["submission/luat-luu-tru#2"].restriction == "Không hủy"


def test_the_parts_of_a_split_package_are_named(sip_and_aip: tuple[House, Path, Path], tmp_path: Path) -> None:
    sip = write(tmp_path / "uuid-9c2d7a10-3b0e-5d52-8a57-4c1d7c2e9b02", dict(samples_eark.split(samples.LETTER)))
    aip = aip_of(sip_and_aip[0], sip, tmp_path / "out")
    came = next(event for event in EarkRows(FolderTree(aip)).events() if event.key == "submission/METS")
    assert "reference=urn:uuid:2b1f4c5e-7a0d-5c1e-9d3b-0a6f2f9f1c77" in came.detail
    assert "altRecordID REFERENCECODE=H99.01.1999.71/2" in came.detail


def bagged(files: dict[str, bytes]) -> dict[str, bytes | str]:
    """A bag whose payload is these files, as meemoo lays it."""
    return {path.decode().partition("/")[2]: data or b"" for path, data in samples.bag("x", files)}


def test_a_bag_that_holds_a_sip_is_read_as_that_sip(sip_and_aip: tuple[House, Path, Path], tmp_path: Path) -> None:
    package = write(tmp_path / "Túi có gói E-ARK", bagged(dict(SIP)))
    made = sip_and_aip[0]
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
    made = House(tmp_path / "house")
    inner = made.run("validate", write(tmp_path / "inner", wrong))
    assert inner.item["verdict"] == "invalid" and "CSIP71" in inner.codes and "BAG-MAN-04" not in inner.codes
    assert {one["file"] for one in inner.item["findings"] if one["code"] == "CSIP71"} == {
        "data/representations/rep1/data/Công văn.txt"
    }
    outer: dict[str, bytes | str] = {**bagged(dict(SIP)), "data/METS.xml": SIP["METS.xml"] + b" "}
    assert "BAG-MAN-04" in made.run("validate", write(tmp_path / "outer", outer)).codes


@pytest.mark.slow
def test_our_own_bag_comes_in_again(sip_and_aip: tuple[House, Path, Path], tmp_path: Path) -> None:
    made, sip, aip = sip_and_aip
    urn = "urn:uuid:" + aip.name.removeprefix("uuid-")
    bag = Path(made.run("export", urn, tmp_path, "--as", "bagit").item["path"])
    again = aip_of(made, bag, tmp_path / "out")
    assert payload(again) == payload(sip)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_tar_is_the_same_submission(sip_and_aip: tuple[House, Path, Path]) -> None:
    made, _, _ = sip_and_aip
    answer = made.run("ingest", samples.SAMPLES / "accepted--ok--sip-eark.tar")
    assert answer.item["verdict"] == "already archived", answer.item


def test_an_aip_submitted_again_keeps_its_history(sip_and_aip: tuple[House, Path, Path], tmp_path: Path) -> None:
    made, sip, aip = sip_and_aip
    again = aip_of(made, aip, tmp_path / "out")
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
    found = kind.read(tree, digest_tree(tree, ()))
    assert [row.name for row in found.representations] == ["goc", "so-hoa"]
    assert len({kind.place(entry.path).target for entry in tree.entries()}) == len(files) - 1


ODD_PREMIS = """<premis xmlns="http://www.loc.gov/premis/v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 version="3.0"><object xsi:type="intellectualEntity"><objectIdentifier><objectIdentifierType>t</objectIdentifierType>
 <objectIdentifierValue>v</objectIdentifierValue></objectIdentifier></object>
 <event><eventIdentifier><eventIdentifierType>t</eventIdentifierType><eventIdentifierValue>same</eventIdentifierValue>
 </eventIdentifier><eventType>capture</eventType><eventDateTime>about 1999</eventDateTime></event>
 <event><eventIdentifier><eventIdentifierType>t</eventIdentifierType><eventIdentifierValue>same</eventIdentifierValue>
 </eventIdentifier><eventType>capture</eventType><eventDateTime>1999</eventDateTime><linkingAgentIdentifier>
 <linkingAgentIdentifierType>t</linkingAgentIdentifierType><linkingAgentIdentifierValue>nobody
 </linkingAgentIdentifierValue></linkingAgentIdentifier></event>
 <rights><rightsStatement><rightsStatementIdentifier><rightsStatementIdentifierType>t</rightsStatementIdentifierType>
 <rightsStatementIdentifierValue>r</rightsStatementIdentifierValue></rightsStatementIdentifier><rightsBasis>copyright
 </rightsBasis></rightsStatement></rights></premis>"""


def odd(change: str) -> dict[str, bytes]:
    """The good submission with one oddity."""
    files = dict(SIP)
    premis, mets = "metadata/preservation/premis.xml", "METS.xml"
    if change == "premis":
        files[premis] = ODD_PREMIS.encode()
    elif change == "broken premis":
        files[premis] = files[premis][:-30]
    elif change == "broken METS":
        files[mets] = files[mets][:-30]
    elif change == "broken member":
        files["representations/goc/METS.xml"] = b"<mets"
    elif change == "no METS of its own":
        files = {path: data for path, data in files.items() if not path.startswith("representations/")}
    elif change == "broken dc":
        files["metadata/descriptive/dc.xml"] = b"<oai_dc:dc"
    elif change == "dc of others":
        created = "<t:created xmlns:t='http://purl.org/dc/terms/'>1999</t:created>"
        files["metadata/descriptive/dc.xml"] = f"<record><title>Tên</title>{created}<x>y</x></record>".encode()
    elif change == "names":
        for number, name in enumerate(("goc\n", "goc%0A", "goc-preservation", "n" * 255)):
            files[f"representations/{name}/data/{number}"] = b"\xff\xfea\0"
    return files


WHOLE_WAY = ("premis", "broken METS", "no METS of its own", "names")
READ = ("broken premis", "broken member", "broken dc", "dc of others")


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> House:
    """One house for all odd ones: they are different submissions."""
    return house(tmp_path_factory.mktemp("lenient"))


@pytest.mark.slow
@pytest.mark.parametrize("change", WHOLE_WAY)
def test_an_odd_submission_becomes_a_whole_aip(tmp_path: Path, lenient: House, change: str) -> None:
    """Whatever the checks say, and whichever level a profile gives them: nothing crashes, nothing is lost."""
    files = odd(change)
    sip = write(tmp_path / samples_eark.GOOD, dict(files))
    if change == "names":
        raw = b"representations/g\xfac/data"
        (sip / os.fsdecode(raw) / "empty").mkdir(parents=True)
        (sip / os.fsdecode(raw) / "a").write_bytes(b"raw")
    made = lenient
    found = {one["code"] for one in made.run("validate", sip).item["findings"] if one["level"] == "error"}
    levels = "".join(f'"{code}" = "warning"\n' for code in sorted(found))
    (tmp_path / "lenient.toml").write_text(
        f'name = "lenient"\naccepts = ["eark-sip"]\nmakes = "eark-aip"\n[levels]\n{levels}', "utf-8"
    )
    answer = made.run("ingest", sip, "--profile", tmp_path / "lenient.toml")
    assert answer.item["verdict"] == "accepted", (answer.item, answer.err)
    aip = Path(made.run("export", answer.item["aip"], tmp_path / "out").item["path"])
    good(aip)
    held = {digest(file.read_bytes()) for file in aip.rglob("*") if file.is_file()}
    assert {path for path, data in files.items() if digest(data) not in held} == set()
    rows = EarkRows(FolderTree(aip))
    if change == "premis":
        keys = {event.key: event for event in rows.events()}
        assert {"submission/same", "submission/same#2"} <= set(keys)
        assert {agent.key for agent in rows.agents()} >= {"submission/unknown"}
    if change == "names":
        names = {row.name for row in rows.representations()}
        assert {"goc", "so-hoa", "goc%0A", "goc-preservation", "g%FAc"} <= names and len(names) >= 7


@pytest.mark.parametrize("change", READ)
def test_reading_goes_on_where_one_document_cannot_be_read(tmp_path: Path, change: str) -> None:
    tree = FolderTree(write(tmp_path / samples_eark.GOOD, dict(odd(change))))
    kind, _ = recognise(tree)
    found = kind.read(tree, digest_tree(tree, ()))
    assert [row.name for row in found.representations] == ["goc", "so-hoa"]
    whole = next(one.terms for one in found.description_rows if one.target is None)
    assert found.title and whole
    if change == "dc of others":
        assert whole == (("title", "Tên"), ("date", "1999"))
    if change in ("broken premis", "broken dc"):
        assert any(event.type == "imaging" for event in found.events)


@pytest.mark.judge
@pytest.mark.slow
def test_judges_accept_the_submission_and_its_aip(sip_and_aip: tuple[House, Path, Path]) -> None:
    _, sip, aip = sip_and_aip
    for verdict in (judges.commons_ip(aip), judges.eark_validator(aip), judges.xsd(aip)):
        assert verdict.good, str(verdict)
    verdict = judges.commons_ip(sip)
    assert verdict.good, str(verdict)
