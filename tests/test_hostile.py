"""One hostile sample through every command: findings, nothing executed, nothing outside its folder."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from setup import samples
from tests.command import House
from tests.contract import faults
from tests.reports.hostile import ATTACKS

pytestmark = pytest.mark.xdist_group("hostile")

NAMES = [attack.replace("/", "⁄") for attack in ATTACKS]
DTD = (
    '<?xml version="1.0"?><!DOCTYPE mets [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "&x;&x;&x;">]>'
    '<mets xmlns="http://www.loc.gov/METS/"><metsHdr>&y;</metsHdr></mets>'
)
HREFS = (
    '<mets xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink" OBJID="x" '
    'xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS"><metsHdr csip:OAISPACKAGETYPE="AIP"/>'
    '<fileSec><fileGrp><file><FLocat LOCTYPE="URL" xlink:href="../../../../outside.txt"/></file>'
    '<file><FLocat LOCTYPE="URL" xlink:href="file:///etc/hostname"/></file>'
    '<file><FLocat LOCTYPE="URL" xlink:href="http://127.0.0.1:9/asked"/></file></fileGrp></fileSec></mets>'
)


def folder(parent: Path) -> Path:
    """A folder whose own name, file names, descriptions and content attack; accepted, with warnings."""
    root = parent / "=1+1 <b>{0!r}\x1b[31m\n`x`"
    root.mkdir()
    for number, name in enumerate(NAMES):
        raw = name.encode("utf-8", "surrogateescape")
        (root / raw.decode("utf-8", "surrogateescape")).write_text(f"{number} {{% raw %}} <script>alert(1)</script>\n")
    meta = root / "metadata"
    meta.mkdir()
    rows = [{"filename": "", "dc.title": "<script>alert(1)</script> {{ 7*7 }} =1+1", "dc.creator": "\u202egnp.exe"}]
    rows += [{"filename": name, "dc.title": name} for name in NAMES if name.isprintable()]
    (meta / "metadata.json").write_text(json.dumps(rows, ensure_ascii=False))
    return root


def rejected(parent: Path) -> list[Path]:
    """Packages that try to do harm when they are opened or read."""
    dtd, hrefs = parent / "dtd", parent / "hrefs"
    for root, text in ((dtd, DTD), (hrefs, HREFS)):
        root.mkdir()
        (root / "METS.xml").write_text(text)
    nested = parent / "nested.zip"
    bomb, size = samples.zeros_deflated(400_000)
    member = samples.Member(b"a\x1b[31m/b.tif", bomb, 0, samples.DEFLATED, samples.crc_of_zeros(size), size)
    nested.write_bytes(samples.zipped([member]))
    wicked = ("leo-thu-muc", "lien-ket", "bom-nen", "co-mat-khau", "duong-dan-leo", "tep-phai-tai-ve")
    return [hrefs, nested, *(path for path in samples.SAMPLES.iterdir() if any(name in path.name for name in wicked))]


def listing(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("hostile") / "house").stores()


def quiet(text: str) -> bool:
    """No control character but line ends, nothing that turns the writing."""
    return not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_command_shows_hostile_names_escaped(house: House, tmp_path: Path, lang: str) -> None:
    package = folder(tmp_path)
    before = listing(tmp_path)
    stored = house.run("ingest", package)
    assert stored.exit == 0, stored.out + stored.err
    assert faults(stored.document or {}) == []
    aip = stored.item["aip"]
    commands: list[tuple[str | Path, ...]] = [
        ("ingest", package),
        ("validate", package),
        ("identify", package),
        ("show", aip),
        ("status",),
        ("audit", "--aip", aip),
        ("export", aip, tmp_path / "out"),
        ("validate", tmp_path / "out" / f"uuid-{aip.removeprefix('urn:uuid:')}"),
        ("journal", "verify"),
    ]
    for command in commands:
        said = house.run(*command, "--lang", lang, json_=False)
        assert said.exit == 0, (command, said.out, said.err)
        assert quiet(said.out), command
        assert quiet(said.err), command
    assert listing(tmp_path) - before == {f"out/{name}" for name in listing(tmp_path / "out")} | {"out"}


@pytest.mark.slow
def test_the_report_of_hostile_packages_holds_text_only(house: House, tmp_path: Path) -> None:
    package = folder(tmp_path)
    house.run("ingest", package, *rejected(tmp_path))
    page = (house.data / "reports" / "ingest.html").read_text(encoding="utf-8")
    tree: Any = html.document_fromstring(page)
    assert not tree.xpath("//script | //img | //b[not(parent::li)] | //iframe | //h4")
    assert ">49<" not in page
    assert quiet(page)


@pytest.mark.slow
def test_harm_is_a_finding_and_nothing_leaves_its_folder(house: House, tmp_path: Path) -> None:
    packages = rejected(tmp_path)
    before = listing(tmp_path), listing(house.base) - listing(house.data)
    said = house.run("ingest", *packages)
    assert said.exit == 1, said.err
    assert {item["verdict"] for item in said.items} == {"rejected"}
    for item in said.items:
        errors = [finding for finding in item["findings"] if finding["level"] == "error"]
        assert errors, item["path"]
        assert all(finding["advice"]["vi"] for finding in errors)
    after = listing(tmp_path), listing(house.base) - listing(house.data)
    assert after[0] == before[0]
    assert not [name for name in after[1] - before[1] if not name.startswith(("data", "vault", "second"))]
    assert not list((house.data / "work").glob("*/scratch/*"))


@pytest.mark.slow
def test_a_document_type_is_never_resolved(house: House, tmp_path: Path) -> None:
    rejected(tmp_path)
    said = house.run("validate", tmp_path / "dtd")
    assert said.item["kind"] == "folder"
    assert Path("/etc/hostname").read_text().strip() not in said.out.replace(str(tmp_path), "")
    forced = house.run("validate", tmp_path / "dtd", "--kind", "eark-aip")
    assert forced.exit == 1
    assert forced.codes


@pytest.mark.slow
def test_hostile_metadata_of_bags_and_zips(house: House, tmp_path: Path) -> None:
    """The sample that is checked in, and what its tags become in METS."""
    sample = next(path for path in samples.SAMPLES.iterdir() if "ten-nguy-hiem" in path.name)
    said = house.run("ingest", sample)
    assert said.exit == 0, said.err
    out = tmp_path / "out"
    assert house.run("export", said.item["aip"], out).exit == 0
    (root,) = out.iterdir()
    with zipfile.ZipFile(sample) as archive:
        texts = {archive.read(name) for name in archive.namelist()}
    kept = {path.read_bytes() for path in (root / "representations" / "rep1" / "data").rglob("*") if path.is_file()}
    assert texts == kept
