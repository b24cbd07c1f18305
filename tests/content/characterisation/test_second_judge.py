"""JHOVE where a site switches it on: what it says of good, damaged and hostile files, and where that stands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.content.characterisation import Examined, Subjected, examine_all, utf8_of
from pipeline.content.reading import Learnt, read_all
from pipeline.errors import Interrupted, SystemProblem
from pipeline.ingest import examine
from pipeline.ingest.ingest import ingest
from pipeline.ingest.preflight import preflight
from pipeline.ingest.session import stopping
from pipeline.ingest.tokens import Request
from pipeline.packages.eark.rows import read_rows
from pipeline.records import Level, Verdict
from pipeline.settings import profile
from pipeline.tools import jhove
from pipeline.tools.jhove import Heard
from pipeline.tools.run import Bounds
from pipeline.tree import Entry, FolderTree
from pipeline.workspace import workspace
from tests.command import ARCHIVE, CLOCK, House
from tests.content.characterisation.test_damage import damaged, sources
from tests.content.characterisation.test_outcomes import DATA
from tests.holding import space

pytestmark = pytest.mark.judge
FAMILIES = {
    ".pdf": "pdf", ".tif": "tiff", ".jpg": "jpeg", ".jp2": "jp2", ".gif": "gif", ".wav": "wave", ".aiff": "aiff",
    ".xml": "xml", ".txt": "text",
}  # fmt: skip
JARS = jhove.JARS
VALID = Heard("valid")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def heard(folder: Path, scratch: Path, **asked: float) -> dict[str, Heard]:
    """Of every file of a folder, by the family of its extension; all in one start."""
    files = sorted(folder.iterdir())
    told = jhove.judge([(file, FAMILIES[file.suffix]) for file in files], scratch, "full", **asked)
    assert not list(scratch.iterdir()), "scratch is left as it was"
    return {file.name: one for file, one in zip(files, told, strict=True)}


def seconds(folder: Path, scratch: Path) -> dict[str, Examined]:
    """As an ingest examines, with the second judge."""
    tree = FolderTree(folder)
    subjects = []
    for one in read_all(tree, list(tree.entries()), (), identify=True, workers=2, scratch=scratch):
        assert isinstance(one, Learnt)
        eight_bit = any(finding.code == "FMT-TEXT-8BIT" for finding in one.findings)
        subjects.append(Subjected(Entry(one.path, one.size), one.format, utf8_of(one.format, eight_bit)))
    found = examine_all(tree, subjects, workers=2, scratch=scratch, second=True)
    return {one.entry.path.decode(): one for one in found}


def test_good_and_damaged_files_of_every_family(tmp_path: Path, scratch: Path) -> None:
    good, broken = tmp_path / "lành", tmp_path / "hỏng"
    good.mkdir()
    broken.mkdir()
    sources(good)
    (good / "hồ sơ.xml").write_text('<?xml version="1.0"?><hồ-sơ>Danh mục</hồ-sơ>', "utf-8")
    shutil.copy(DATA / "vietnamese/text/utf8.txt", good / "văn bản.txt")
    for file in [*good.iterdir()]:
        if file.suffix not in FAMILIES:
            file.unlink()
            continue
        ways = dict(damaged(file.read_bytes()))
        cut = "half" if file.suffix not in (".jp2", ".aiff") else "head"  # a last box that is cut, JHOVE reads over
        (broken / file.name).write_bytes(ways["cut half"] if cut == "half" else file.read_bytes()[:10])
    (broken / "văn bản.txt").write_bytes((DATA / "vietnamese/text/tcvn3.txt").read_bytes())
    right, wrong = heard(good, scratch), heard(broken, scratch)
    assert right.pop("hồ sơ.xml") == Heard("well-formed")
    assert len(right) >= 9 and {*right.values()} == {VALID}
    assert wrong["flate.pdf"].words.startswith("not well-formed: ")
    assert {name: one.outcome for name, one in wrong.items()} == dict.fromkeys(wrong, "failed")
    assert len(wrong) == len(right) + 1


def test_what_it_says_stands_beside_the_verdict(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "gói"
    folder.mkdir()
    for source in ("image/page_cmyk.jpg", "pdf/encrypted_user.pdf", "image/page.gif"):
        shutil.copy(DATA / "characterisation" / source, folder)
    for name in ("utf8.txt", "tcvn3.txt", "utf16le.txt"):
        shutil.copy(DATA / "vietnamese/text" / name, folder)
    (folder / "hỏng.xml").write_text("<a><b></a>", "utf-8")
    (folder / "ghi chú.docx").write_bytes((DATA / "vietnamese/office/unicode.docx").read_bytes())
    told = seconds(folder, scratch)
    check = {name: dict(one.characteristics.properties).get("JHOVE check") for name, one in told.items()}
    codes = {name: [finding.code for finding in one.findings] for name, one in told.items()}
    assert (str(told["page_cmyk.jpg"].validity), codes["page_cmyk.jpg"]) == ("valid", ["VAL-JHOVE"])
    assert check["page_cmyk.jpg"] == (
        "failed: well-formed, not valid: File does not begin with SPIFF, Exif or JFIF segment"
    )
    assert (check["page.gif"], check["utf8.txt"]) == ("valid", "valid")
    assert codes["hỏng.xml"] == ["VAL-INVALID", "VAL-JHOVE"]
    assert check["tcvn3.txt"] is check["utf16le.txt"] is check["ghi chú.docx"] is None, "not for it to judge"
    assert "jhove" in told["utf8.txt"].asked and "jhove" not in told["tcvn3.txt"].asked


def test_hostile_files_tell_nothing_and_stop_nobody(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "độc hại"
    folder.mkdir()
    secret = tmp_path / "secret.txt"
    secret.write_text("a word that nobody may hear", "ascii")
    entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY y SYSTEM "file:///etc/passwd">]>'
    (folder / "1 ngoài.xml").write_text(f"{entity}<a>&x;&y;</a>", "utf-8")
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    (folder / "2 bom.xml").write_text(f'<!DOCTYPE a [<!ENTITY a0 "ha">{laughs}]><a>&a11;</a>', "utf-8")
    (folder / "3 vòng.tif").write_bytes(b"II*\0\x08\0\0\0\0\0\x08\0\0\0")  # its directory is the next one
    (folder / "4 lời.gif").write_bytes(b"GIF89a" + b"0\tseen\t1\t1\t9\tfine\n" * 50)
    (folder / "5 tầng.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n" + b"[" * 200_000 + b"\nendobj\ntrailer<</Root 1 0 R>>\n")
    (folder / "6 lành.txt").write_text("tốt", "utf-8")
    told = heard(folder, scratch)
    assert told["6 lành.txt"] == VALID
    assert all(one.outcome in ("failed", "not checked") for name, one in told.items() if name[0] in "2345")
    assert not any(word in one.words for one in told.values() for word in ("nobody may hear", "root:", "\t", "\n"))


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_xml_is_judged_without_what_it_asks_for(tmp_path: Path, scratch: Path, sandbox: str) -> None:
    """Also in the sandbox in which programs see the files of this machine."""
    instance = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    asks = {
        "dtd": '<!DOCTYPE a SYSTEM "a.dtd"><a/>',
        "net": '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/a.dtd"><html/>',
        "entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        "schema": f'<a {instance} xsi:noNamespaceSchemaLocation="no.xsd"/>',
        "schema of the net": f'<a {instance} xmlns="urn:a" xsi:schemaLocation="urn:a http://example.org/a.xsd"/>',
    }
    files = []
    for name, text in {**asks, "alone": "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"}.items():
        files.append(tmp_path / f"{name}.xml")
        files[-1].write_text(text, "ascii")
    *told, alone = jhove.judge([(file, "xml") for file in files], scratch, sandbox)
    assert alone == Heard("well-formed")
    assert told == [Heard("not checked", "it asks for a DTD, a schema or an entity, and nothing is fetched")] * len(
        asks
    )


def test_a_file_that_takes_too_long_is_left_behind(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "chậm"
    folder.mkdir()
    with (folder / "1 dài.txt").open("wb") as sparse:
        sparse.truncate(2 << 30)
    (folder / "2 lành.txt").write_text("tốt", "utf-8")
    monkeypatch.setattr(jhove, "SECONDS_PER_MB", 0.0)
    told = heard(folder, scratch, seconds=1.0)
    assert told == {"1 dài.txt": Heard("not checked", "it took too long"), "2 lành.txt": VALID}


def test_a_file_that_needs_too_much_memory_costs_itself(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lớn"
    folder.mkdir()
    (folder / "1 lớn.xml").write_bytes(b'<a b="' + b"x" * (24 << 20) + b'"/>')
    (folder / "2 lành.txt").write_text("tốt", "utf-8")
    monkeypatch.setattr(jhove, "_HEAP", "32m")
    told = heard(folder, scratch)
    assert told == {"1 lớn.xml": Heard("not checked", "it needs too much memory"), "2 lành.txt": VALID}


def test_a_start_that_is_killed_is_tried_in_halves(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hết giờ"
    folder.mkdir()
    with (folder / "1 dài.txt").open("wb") as sparse:
        sparse.truncate(2 << 30)
    for number in range(2, 5):
        (folder / f"{number} lành.txt").write_text("tốt", "utf-8")
    # Java waits a minute for each file, and the start is given three seconds in all: this process ends it.
    monkeypatch.setattr(jhove, "SECONDS_PER_MB", 0.0)
    monkeypatch.setattr(jhove, "Bounds", lambda seconds, *more: Bounds(3.0, *more))
    told = heard(folder, scratch, seconds=60.0)
    assert told.pop("1 dài.txt") == Heard("not checked", "JHOVE was stopped")
    assert {*told.values()} == {VALID}


def test_an_ingest_keeps_its_opinion_apart(tmp_path: Path) -> None:
    package = tmp_path / "hồ sơ"
    package.mkdir()
    for number in (1, 2):
        shutil.copy(DATA / "characterisation/image/page.gif", package / f"trang {number}.gif")
    shutil.copy(DATA / "characterisation/image/page_cmyk.jpg", package / "bản in.jpg")
    (package / "dữ liệu.bin").write_bytes(bytes(range(256)))
    told: list[str] = []
    out = Path()
    for name in ("một", "hai"):
        house = House(tmp_path / name, {"LUUTRU_CLOCK": CLOCK})
        house.settings(archive=ARCHIVE, workers=2, jhove=True)
        done = house.stores("vault", "second").run("ingest", package)
        assert done.exit == 0 and "VAL-JHOVE" in done.codes, done.out + done.err
        told.append(done.item["aip"])
        out = Path(house.run("export", told[-1], tmp_path / f"out {name}").item["path"])
    rows = read_rows(FolderTree(out))
    apart = [one for one in rows.event_rows if one.detail.startswith("judge=")]
    assert {(one.type, one.detail, str(one.outcome), len(one.links)) for one in apart} == {
        ("validation", f"judge=jhove {jhove.version()}; result=valid", "success", 2),
        ("validation", f"judge=jhove {jhove.version()}; result=failed", "fail", 1),
    }
    assert {agent for one in apart for agent, _ in one.agents} == {"jhove"}
    (agent,) = (one for one in rows.agent_rows if one.name == "jhove")
    assert agent.version == jhove.version()
    ours = [one for one in rows.event_rows if one.type == "validation" and one.detail.startswith("result=")]
    assert {one.detail for one in ours} == {"result=valid", "result=not checked"}
    assert not any("jhove" in one.detail for one in ours)
    assert told[0] == told[1]


@pytest.mark.parametrize("before", [True, False])
def test_an_ingest_that_goes_on_with_the_switch_the_other_way_looks_again(
    before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hồ sơ"
    package.mkdir()
    for number in range(4):
        shutil.copy(DATA / "characterisation/image/page_cmyk.jpg", package / f"{number}.jpg")
    where = space(tmp_path / "data")
    monkeypatch.setattr(examine, "BATCH", 2)
    strict = replace(profile("eark"), levels={"VAL-JHOVE": Level.ERROR}, copies=0)

    def stop(stage: str, *_: int) -> None:
        if stage == "inspect":
            stopping.set()

    def switched(on: bool) -> Request:
        where.settings_file.write_text(f"jhove = {str(on).lower()}\n", "ascii")
        return Request(where, package, strict)

    try:
        with pytest.raises(Interrupted):
            ingest(switched(before), progress=stop)
    finally:
        stopping.clear()
    seen: list[bytes] = []

    def watched(*arguments: Any, **more: Any) -> Iterator[Examined]:
        for one in examine_all(*arguments, **more):
            seen.append(one.entry.path)
            yield one

    monkeypatch.setattr(examine, "examine_all", watched)
    item = ingest(switched(not before))
    assert len(seen) == 4, "all of them, not the other two"
    assert (item.verdict is Verdict.REJECTED) is not before
    assert sum(finding["code"] == "VAL-JHOVE" for finding in item.findings) == (0 if before else 4)


def test_switched_on_but_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jhove, "JARS", tmp_path / "none")
    with pytest.raises(SystemProblem) as raised:
        jhove.needed()
    assert raised.value.code == "SYS-JHOVE"
    assert raised.value.values == {"cause": "aiff-hul-1.6.2.jar", "install": "make install-jhove"}
    house = House(tmp_path / "nhà")
    house.settings(archive=ARCHIVE, jhove=True)
    house.stores("vault", "second")
    monkeypatch.setenv("LUUTRU_DATA", str(house.data))
    monkeypatch.delenv("LUUTRU_CONFIG", raising=False)
    with pytest.raises(SystemProblem, match="SYS-JHOVE"):
        preflight(workspace(), profile("eark"))
    shutil.copytree(JARS, tmp_path / "none")
    (tmp_path / "none" / "gif-hul-1.4.3.jar").write_bytes(b"PK")
    assert jhove.lacking() == "gif-hul-1.4.3.jar: SHA-256"
    assert jhove.version() is None
    (tmp_path / "none" / "gif-hul-1.4.3.jar").unlink()
    shutil.copy(JARS / "gif-hul-1.4.3.jar", tmp_path / "none")
    assert jhove.lacking() == "" and jhove.version() == "1.32.1"
    preflight(workspace(), profile("eark"))
