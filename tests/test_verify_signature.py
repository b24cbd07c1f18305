"""`luutru verify-signature` as people run it, and signatures on the way into an AIP."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from pipeline.packages.eark import EarkRows
from pipeline.records import Outcome
from pipeline.settings import PROJECT
from pipeline.signatures import Coverage, Integrity, Trust
from pipeline.standards.xml import SCHEMAS
from pipeline.tree import FolderTree
from tests.command import ARCHIVE, CLOCK, House
from tests.content.signatures import made
from tests.content.signatures.authority import authority
from tests.contract import faults

A = authority()
SAMPLES = PROJECT / "tests/data/characterisation/signed"
P = "{http://www.loc.gov/premis/v3}"


def house(base: Path, roots: bool = True, **settings: Any) -> House:
    made_ = House(base, {"LUUTRU_CLOCK": CLOCK})
    (made_.data / "roots").mkdir(parents=True)
    (made_.data / "roots" / "goc.pem").write_bytes(A.root.pem)
    (made_.data / "roots" / "thu-hoi.crl").write_bytes(A.crl)
    trusted: dict[str, Any] = {"trust_roots": ["roots"]} if roots else {}
    made_.settings(archive=ARCHIVE, workers=2, **trusted, **settings)
    return made_


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files signed in every way, under Vietnamese names, beside others."""
    folder = tmp_path_factory.mktemp("gói") / "hồ sơ ký số"
    folder.mkdir()
    for name, data in {
        "quyết định.pdf": made.pdf(A.good),
        "bị sửa.pdf": made.changed(made.pdf(A.good), b"Cong van", b"Cong vXn"),
        "thu hồi.pdf": made.pdf(A.revoked),
        "người lạ.pdf": made.pdf(A.stranger),
        "thường.pdf": made.plain(),
        "hóa đơn.xml": made.xades(A.good),
        "thường.xml": made.LETTER.encode(),
        "tách rời.txt": b"abc",
        "tách rời.txt.p7s": made.cms(A.good, b"abc"),
        "lẻ.p7s": made.cms(A.good, b"khac"),
        "không phải.sig": b"-----BEGIN PGP SIGNATURE-----\n",
        "ký ngoài.xml": made.by_hand(A.good, [("t%C3%A1ch%20r%E1%BB%9Di.txt", "", made.digest(b"abc"))]).encode(),
        "báo cáo.odt": made.odf(A.good),
    }.items():
        (folder / name).write_bytes(data)
    return folder


def test_documents_are_the_contract(tmp_path: Path, package: Path) -> None:
    answer = house(tmp_path / "h").run("verify-signature", package, "--at", "2026-11-28")
    assert answer.exit == 1, answer.out + answer.err
    assert answer.document is not None and faults(answer.document) == []
    told = {Path(one["path"]).name: one for one in answer.document["items"]}
    assert {name: one["outcome"] for name, one in told.items()} == {
        "quyết định.pdf": "success", "bị sửa.pdf": "fail", "thu hồi.pdf": "fail", "người lạ.pdf": "warning",
        "thường.pdf": None, "hóa đơn.xml": "success", "thường.xml": None, "tách rời.txt": None,
        "tách rời.txt.p7s": "success", "lẻ.p7s": "warning", "không phải.sig": None, "ký ngoài.xml": "success",
        "báo cáo.odt": "success",
    }  # fmt: skip
    assert [one["code"] for one in told["bị sửa.pdf"]["findings"]] == ["DSIG-CHANGED"]
    assert answer.document["trust"]["roots"] == answer.document["trust"]["lists"] == 1


def test_for_people_and_without_trust(tmp_path: Path, package: Path) -> None:
    plain = house(tmp_path / "h", roots=False)
    answer = plain.run("verify-signature", package / "quyết định.pdf", "--lang", "vi", json_=False)
    assert answer.exit == 0
    assert "còn nguyên · chưa khai báo gốc tin cậy · toàn bộ tệp" in answer.out
    assert "người ký: CN=Nguyễn Văn Tốt" in answer.out
    root = tmp_path / "goc.der"
    root.write_bytes(A.root.asn1.dump())
    trusted = plain.run("verify-signature", package / "quyết định.pdf", "--trust", root)
    assert trusted.item["signatures"][0]["trust"] == "trusted"
    early = plain.run("verify-signature", package / "quyết định.pdf", "--trust", root, "--at", "2019-01-01")
    assert early.item["signatures"][0]["trust"] == "outside its validity"


def test_a_trust_that_is_none_stops_before_anything_is_read(tmp_path: Path, package: Path) -> None:
    bad = tmp_path / "goc.pem"
    for data in (b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        bad.write_bytes(data)
        answer = house(tmp_path / data[:4].decode()).run("verify-signature", package, "--trust", bad)
        assert answer.exit == 2 and answer.document is not None
        assert answer.document["problem"]["code"] == "USE-TRUST"


def test_commands_of_the_page_run(tmp_path: Path) -> None:
    page = (PROJECT / "docs/digital-signatures.md").read_text(encoding="utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 2
    inside = house(tmp_path)
    for command in commands:
        words = shlex.split(command.replace("tests/data", str(PROJECT / "tests/data")))
        assert words[0] == "luutru"
        assert inside.run(*words[1:], json_=False).exit in (0, 1)


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, package: Path) -> tuple[dict[str, Any], Path]:
    """The item of an ingest, and the AIP handed out again; PDFs become pictures, signed ones too."""
    base = tmp_path_factory.mktemp("nhà")
    inside = house(base / "h").stores()
    profile = base / "profile.toml"
    text = (PROJECT / "profiles" / "eark.toml").read_text(encoding="utf-8")
    rules = base / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    profile.write_text(f"rules = {json.dumps(str(rules))}\n{text}", encoding="utf-8")
    answer = inside.run("ingest", package, "--profile", profile)
    assert answer.exit == 0, answer.out + answer.err
    assert answer.document is not None and faults(answer.document) == []
    page = (inside.data / "reports" / "ingest.html").read_text(encoding="utf-8")
    assert "5 tệp ký đúng và tin cậy, 2 tệp cần xem, 2 tệp có chữ ký không còn đúng" in page
    out = inside.run("export", answer.item["aip"], base / "out").item["path"]
    return answer.item, Path(out)


RULES = """
version = "1"

[[rules]]
name = "pdf-picture"
purpose = "preservation"
puids = ["fmt/14", "fmt/15", "fmt/16", "fmt/17", "fmt/18", "fmt/19", "fmt/20", "fmt/276"]

[[rules.actions]]
tool = "vips"
arguments = ["copy", "{in}/source", "{out}/result.tif"]

[[rules.actions.results]]
extension = "tif"
promises = ["fmt/353"]
verify = ["pixels"]
"""


@pytest.mark.slow
def test_signatures_stand_in_premis_and_are_told(ingested: tuple[dict[str, Any], Path]) -> None:
    item, out = ingested
    assert item["signatures"] == {"success": 5, "warning": 2, "fail": 2}
    told = sorted((one["code"], one["file"]) for one in item["findings"] if one["code"].startswith("DSIG"))
    assert told == [
        ("DSIG-CHANGED", "bị sửa.pdf"), ("DSIG-REVOKED", "thu hồi.pdf"), ("DSIG-UNTRUSTED", "người lạ.pdf"),
        ("DSIG-UNVERIFIABLE", "lẻ.p7s"),
    ]  # fmt: skip
    rows = EarkRows(FolderTree(out))
    files = {bytes(row.path).decode().rpartition("/")[2]: row for row in rows.files()}
    (one,) = files["quyết định.pdf"].characteristics.signatures
    assert (one.integrity, one.trust, one.coverage) == (Integrity.WHOLE, Trust.TRUSTED, Coverage.FILE)
    assert one.signer.startswith("CN=Nguyễn Văn Tốt") and one.revocation == "not revoked"
    assert one.rules.startswith("judged offline at ") and "1 roots, 1 revocation lists" in one.rules
    assert files["thường.pdf"].characteristics.signatures == ()
    events = [event for event in rows.events() if event.type == "digital signature validation"]
    of = {bytes(link.ref).decode().rpartition("/")[2]: event for event in events for link in event.links}  # type: ignore[arg-type]
    assert of["bị sửa.pdf"].outcome is Outcome.FAIL and of["quyết định.pdf"].outcome is Outcome.SUCCESS
    assert of["tách rời.txt"].key == of["tách rời.txt.p7s"].key, "the detached signature's event names what it signs"
    assert {key for key, _ in of["hóa đơn.xml"].agents} == {"pyHanko", "signxml"}
    derived = {bytes(row.path).decode().rpartition("/")[2]: row for row in rows.files() if row.derived_from}
    notes = {event.key: event.detail for event in rows.events() if event.type == "normalization"}
    lost = "the signature of the source is not carried over"
    assert lost in notes[str(derived["quyết định.pdf.tif"].derived_by)]
    assert lost not in notes[str(derived["thường.pdf.tif"].derived_by)]


@pytest.mark.slow
def test_its_premis_is_valid_and_the_original_untouched(ingested: tuple[dict[str, Any], Path], package: Path) -> None:
    _, out = ingested
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "premis-v3-0.xsd"))
    seen = 0
    for file in out.rglob("metadata/preservation/*.xml"):
        document = etree.parse(file)
        if document.getroot().tag == f"{P}premis":
            assert schema.validate(document), schema.error_log
            seen += len(document.findall(f".//{P}signatureInformation"))
    assert seen >= 8
    for name in ("quyết định.pdf", "bị sửa.pdf", "hóa đơn.xml"):
        assert (out / "representations/rep1/data" / name).read_bytes() == (package / name).read_bytes()


@pytest.mark.slow
def test_a_profile_may_reject_what_was_changed(tmp_path: Path, package: Path) -> None:
    shutil.copytree(package, tmp_path / "gói")
    for file in (tmp_path / "gói").iterdir():
        if not file.name.startswith(("bị", "quyết")):
            file.unlink()
    profile = tmp_path / "profile.toml"
    text = (PROJECT / "profiles" / "eark.toml").read_text(encoding="utf-8")
    profile.write_text(f'{text}\nnormalise = false\n[levels]\n"DSIG-CHANGED" = "error"\n', encoding="utf-8")
    answer = house(tmp_path / "h", roots=False).stores().run("ingest", tmp_path / "gói", "--profile", profile)
    assert answer.exit == 1 and answer.item["verdict"] == "rejected"
    assert {one["code"] for one in answer.item["findings"]} >= {"DSIG-CHANGED", "DSIG-NO-ROOTS"}
