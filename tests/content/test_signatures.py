"""Newer signatures: tried, kept and put in force, or refused with a reason; ingests keep those that they began with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.content.identification import adoption, inforce
from pipeline.content.identification.adoption import Adopted, update
from pipeline.content.identification.fido import convert, signatures
from pipeline.content.identification.inforce import Kept, Pin
from pipeline.content.listing import identify_paths
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.ingest.ingest import ingest
from pipeline.ingest.receive import receive
from pipeline.ingest.session import claimed, quiet
from pipeline.ingest.tokens import Claimed, Request
from pipeline.pool import Bounds, close_shared
from pipeline.settings import profile
from pipeline.workspace import Workspace
from tests.command import House
from tests.content.broken_zips import DAMAGED, NAME
from tests.holding import space

ROOT = Path(__file__).resolve().parent.parent.parent
PRONOM = ROOT / "schemas/pronom"
CONTAINER = "container-signature-20260119.xml"


@pytest.fixture(autouse=True)
def _no_worker_stays() -> Iterator[None]:
    """Workers with signatures of a test would stay with the process."""
    yield
    close_shared()


@cache
def records() -> list[dict[str, Any]]:
    """PRONOM's published records."""
    archive = lzma.decompress((PRONOM / "pronom-signatures-V125.tar.xz").read_bytes())
    return list(convert.records(archive))


def record(puid: str, sequence: str, number: int = 99999, position: str = "Absolute from BOF") -> dict[str, Any]:
    """A record of a new format, in the form of the published ones."""
    return {
        "fileFormatID": number, "formatName": "Mới", "version": "1", "relationships": [], "externalSignatures": [],
        "identifiers": [{"identifierText": puid, "identifierType": "PUID"}],
        "internalSignatures": [{"name": puid, "byteSequences": [
            {"byteSequence": sequence, "positionType": position, "offset": 0, "maxOffset": 0}]}],
    }  # fmt: skip


def published(target: Path, *more: dict[str, Any]) -> Path:
    """A zip of all records and some more, or others in their place."""
    held = {convert.puid(one): one for one in (*records(), *more)}
    with zipfile.ZipFile(target, "w") as archive:
        for puid, one in held.items():
            archive.writestr(f"pronom-signatures/signatures/{puid}.json", json.dumps(one))
    return target


def container(target: Path, change: tuple[str, str] = ("", "")) -> Path:
    text = lzma.decompress((PRONOM / (CONTAINER + ".xz")).read_bytes()).decode()
    target.write_text(text.replace(*change) if change[0] else text)
    return target


def codes(done: list[Adopted]) -> set[str]:
    assert all(one.kept is None for one in done)
    return {finding.code for one in done for finding in one.findings}


def told(here: Workspace, file: Path) -> dict[str, Any]:
    """What `identify` says with what is in force."""
    inforce.use(here, inforce.sets(here).pin)
    try:
        (one,) = identify_paths([file], workers=1, scratch=here.work)
    finally:
        inforce.use(here, Pin())
    return one


def later(here: Workspace, version: str) -> Kept:
    """The shipped set under another version, kept and in force."""
    data = json.loads(lzma.decompress(signatures.SHIPPED.read_bytes()))
    packed = lzma.compress(json.dumps({**data, "version": version}).encode(), preset=0)
    new = Kept("fido", hashlib.sha256(packed).hexdigest(), f"{version}, container 20260119", 2571, 2273, "test", "")
    inforce.activate(here, new, packed)
    return new


def test_our_version_is_what_the_pin_takes_it_for() -> None:
    assert adoption.ours().version.startswith(inforce.SHIPPED + ", ")


def test_new_records_are_tried_kept_and_in_force(tmp_path: Path) -> None:
    here = space(tmp_path / "data")
    file = tmp_path / "x.bin"
    file.write_bytes(b"\xde\xad\xbe\xef\xca\xfe\xba\xbe" + bytes(99))
    assert told(here, file)["puid"] is None
    new = published(tmp_path / "pronom-V126.zip", record("fmt/9999", "DEADBEEFCAFEBABE"))
    (done,) = update(here, [new])
    assert done.kept is not None, done.findings
    assert (done.version, done.kept.formats, done.kept.signatures) == ("V126, container 20260119", 2572, 2274)
    one = told(here, file)
    assert (one["puid"], one["agreement"]) == ("fmt/9999", "single")
    assert one["engines"]["fido"]["signature_version"] == "V126, container 20260119"
    (again,) = update(here, [new])
    assert (again.changed, again.kept) == (False, done.kept)
    listed = [(one["engine"], one["version"][:4], one["in_force"]) for one in adoption.listed(here)]
    assert listed == [("siegfried", "V125", True), ("fido", "V125", False), ("fido", "V126", True)]
    assert codes(update(here, [container(tmp_path / "container-signature-20250101.xml")])) == {"SIG-OLDER"}
    kept = here.signatures / done.kept.file
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(SystemProblem, match="SYS-SIGNATURES"):
        told(here, file)
    kept.unlink()
    with pytest.raises(SystemProblem, match="SYS-SIGNATURES"):
        told(here, file)


def test_a_set_that_is_slow_or_wrong_is_refused(tmp_path: Path) -> None:
    here = space(tmp_path / "data")
    slow = record("fmt/9998", "(F1|F1F1)*(F1|F1F1)*(F1|F1F1)*F2F3F4F5F6F7", 99998, "Variable")
    exact = record("fmt/9999", "25504446", 99999)  # ranks above what two samples are: more exact, not wrong
    better = [one["fileFormatID"] for one in records() if convert.puid(one) in ("fmt/477", "fmt/354")]
    exact["relationships"] = [{"relationshipType": "Has priority over", "relatedFormatID": one} for one in better]
    new = published(tmp_path / "pronom-V126.zip", slow, exact, record("fmt/12", "0102030405060708", 664))
    (done,) = update(here, [new])
    assert codes([done]) == {"SIG-SLOW", "SIG-SAMPLE"}
    assert {one.file for one in done.findings if one.code == "SIG-SLOW"} == {b"fmt/9998"}
    assert [one.expected for one in done.findings if one.code == "SIG-SAMPLE"] == ["fmt/12 (.png)"]
    assert inforce.sets(here) == inforce.Sets()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("V126.txt", b"not JSON", "SIG-FILE"),
        ("V126.json", b"[]", "SIG-EMPTY"),
        ("V126.json", b'[{"fileFormatID": ', "SIG-FILE"),
        ("V126.json", b"[" * 200_000, "SIG-FILE"),
        ("V126.json", b'[1, null, {"a": 1}, {"fileFormatID": {}, "identifiers": 7}]', "SIG-RECORD"),
        ("V126.json", json.dumps([record("fmt/1", "4{9}[!")]).encode(), "SIG-RECORD"),
        ("V126.json", json.dumps([record("fmt/1", "41")]).encode(), "SIG-FEWER"),
        ("V126.tar", bytes(257) + b"ustar" + bytes(500), "SIG-FILE"),
        ("V126.zip", b"PK\3\4" + bytes(100), "SIG-FILE"),
        ("V126.zip", DAMAGED["deflate"].replace(NAME.encode(), b"fmt/12.json"), "SIG-FILE"),
        ("V126.zip", DAMAGED["lzma"].replace(NAME.encode(), b"fmt/12.json"), "SIG-FILE"),
        ("records.json", b"[]", "SIG-VERSION"),
        ("container-signature-20270101.xml", b"<ContainerSignatureMapping><", "SIG-CONTAINER"),
        ("container-signature-20270101.xml", b"<ContainerSignatureMapping/>", "SIG-FEWER"),
        ("container-signature.xml", b"<ContainerSignatureMapping/>", "SIG-VERSION"),
        ("new.sig", b"sf\x00\xff" + bytes(300), "SIG-FILE"),
    ],
)
def test_damaged_and_hostile_files_are_refused(name: str, data: bytes, code: str, tmp_path: Path) -> None:
    here = space(tmp_path / "data")
    (tmp_path / name).write_bytes(data)
    assert codes(update(here, [tmp_path / name])) == {code}
    assert inforce.sets(here) == inforce.Sets()
    assert list(here.work.iterdir()) == []


def test_container_signatures_have_to_fit_together(tmp_path: Path) -> None:
    here = space(tmp_path / "data")
    lost = container(
        tmp_path / "container-signature-20270101.xml", ('ContainerSignature Id="1000"', 'ContainerSignature Id="1"')
    )
    assert codes(update(here, [lost])) == {"SIG-CONTAINER"}
    odd = container(tmp_path / "container-signature-20270102.xml", ('ContainerType="OLE2"', 'ContainerType="RAR"'))
    assert codes(update(here, [odd])) == {"SIG-CONTAINER"}
    assert codes(update(here, [lost, odd])) == {"SIG-TWICE"}
    (done,) = update(here, [container(tmp_path / "container-signature-20270103.xml")])
    assert done.version == "V125, container 20270103"


def test_a_bomb_stops_its_trial_alone(tmp_path: Path) -> None:
    here = space(tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "V126.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("fmt/1.json", bytes(300 << 20))
    bounds = Bounds(seconds=60, memory=100 << 20)
    assert codes(update(here, [tmp_path / "V126.zip"], bounds=bounds)) == {"SIG-STOPPED"}
    with pytest.raises(UsageProblem, match="USE-PATH"):
        update(here, [tmp_path / "absent"])


def inside_siegfried() -> Iterator[bytes]:
    """The signature files that its package holds, as they would lie in a folder."""
    import pygfried

    data = Path(str(pygfried.__file__)).read_bytes()
    for found in re.finditer(rb"sf\x00\xff..", data, re.DOTALL):
        unpacker = zlib.decompressobj(-15)
        with contextlib.suppress(zlib.error):
            if len(unpacker.decompress(data[found.end() :])) > 1_000_000:
                yield data[found.start() : len(data) - len(unpacker.unused_data)]


def test_siegfried_loads_a_file_of_signatures(tmp_path: Path) -> None:
    here = space(tmp_path / "data")
    taken: list[Adopted] = []
    refused: list[Adopted] = []
    for number, data in enumerate(inside_siegfried()):
        file = tmp_path / f"{number}.sig"
        file.write_bytes(data)
        (done,) = update(here, [file])
        (taken if done.kept else refused).append(done)
    (done,) = taken
    assert all(codes([one]) == {"SIG-FILE"} for one in refused)  # made for another purpose: not PRONOM alone
    assert done.kept is not None
    assert inforce.sets(here).pin.siegfried == done.kept.sha256
    one = told(here, ROOT / "tests/data/vietnamese/image/page.bmp")
    assert (one["puid"], one["agreement"]) == ("fmt/116", "same")
    assert one["engines"]["siegfried"]["signature_version"] == done.version


def test_an_older_set_is_no_longer_in_force(tmp_path: Path) -> None:
    here = space(tmp_path / "data")
    assert inforce.sets(here).pin == Pin()
    old = later(here, "V100")
    assert inforce.sets(here).pin == Pin()
    new = later(here, "V130")
    assert inforce.sets(here).pin == Pin(fido=new.sha256)
    assert {one.sha256 for one in inforce.sets(here).sets} == {old.sha256, new.sha256}


def test_an_ingest_keeps_the_signatures_it_began_with(tmp_path: Path) -> None:
    house = House(tmp_path / "house").stores("vault", "second")
    here = Workspace(house.data)
    package, other = tmp_path / "gói", tmp_path / "gói khác"
    for folder in (package, other):
        folder.mkdir()
        (folder / "a.txt").write_text(f"chữ {folder.name}")
    request = Request(here, package, profile("eark"))
    with claimed(request, quiet) as current:  # as far as the first stage, then it is killed
        receive(Claimed(here, request.profile, package, current.work))
    new = later(here, "V130")
    assert ingest(request).verdict == "accepted"
    assert ingest(Request(here, other, profile("eark"))).verdict == "accepted"
    said = house.run("ingest", other)
    assert said.item["verdict"] == "already archived"
    lines = [json.loads(line) for file in (house.data / "journal").rglob("*.jsonl") for line in file.open()]
    commits = [line["fields"]["signatures"]["fido"][:4] for line in lines if line["kind"] == "commit"]
    assert commits == ["V125", "V130"]
    changes = [line["fields"] for line in lines if line["kind"] == "settings-changed"]
    assert {"what": "signatures fido V130, container 20260119", "digest": new.sha256} in changes
    for store in ("vault", "second"):
        assert (house.base / store / "settings" / new.sha256).is_file()
    premis = [file.read_text(errors="replace") for file in (house.base / "vault/ocfl").rglob("*")
              if file.is_file() and b"<premis" in file.read_bytes()[:2000]]  # fmt: skip
    versions = {version for text in premis for version in re.findall(r"signatures: (V\d+)", text)}
    assert versions == {"V125", "V130"}


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    (tmp_path / "V126.json").write_text("[]")
    refused = house.run("signatures", "update", tmp_path / "V126.json")
    assert (refused.exit, refused.item["verdict"], refused.codes) == (1, "rejected", {"SIG-EMPTY"})
    assert refused.item["findings"][0]["advice"]["vi"]
    new = container(tmp_path / "container-signature-20270103.xml")
    done = house.run("signatures", "update", new)
    assert (done.exit, done.item["verdict"]) == (0, "accepted")
    listed = house.run("signatures", "list")
    assert [one["in_force"] for one in listed.items] == [True, False, True]
    text = house.run("signatures", "list", "--lang", "vi", json_=False).out
    assert f"* fido       V125, container 20270103       {done.item['sha256'][:12]}" in text
    assert house.run("signatures", "update", tmp_path / "absent").exit == 2
    assert os.listdir(house.data / "work") == []
