"""The stage `normalise` of real ingests: several results, growth, programs and rules of one ingest, a kill."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from pipeline.packages.eark import EarkRows
from pipeline.settings import PROJECT
from pipeline.tree import FolderTree
from tests.command import ARCHIVE, CLOCK, House, kill_group

pytestmark = pytest.mark.slow
DATA = PROJECT / "tests" / "data" / "vietnamese"
RULES = (PROJECT / "profiles" / "normalisation" / "images.toml").read_text(encoding="utf-8")
CHARACTERISATION = PROJECT / "tests" / "data" / "characterisation"
PDF = """
[[rules]]
name = "pdf-picture"
purpose = "preservation"
puids = ["fmt/14", "fmt/15", "fmt/16", "fmt/17", "fmt/18", "fmt/19", "fmt/20", "fmt/276"]
unless = ["encrypted"]

[[rules.actions]]
tool = "vips"
arguments = ["copy", "{in}/source", "{out}/result.tif"]

[[rules.actions.results]]
extension = "tif"
promises = ["fmt/353"]
verify = ["pixels"]
"""
"""Pictures of first pages: good for nothing but to see what becomes of signed and encrypted files."""

GROWING = "growth = 0.01\nsmall = 100\n"
"""A person is asked at once."""


def house(base: Path, rules: str = "default", **levels: str) -> House:
    made = House(base, {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, workers=2)
    text = (PROJECT / "profiles" / "eark.toml").read_text(encoding="utf-8")
    lines = [f"rules = {json.dumps(rules)}", *text.splitlines()]
    if levels:
        table = [f"{code} = {json.dumps(level)}" for code, level in levels.items()]
        if "[levels]" in lines:
            lines[lines.index("[levels]") + 1 : lines.index("[levels]") + 1] = table
        else:
            lines += ["[levels]", *table]
    base.mkdir(parents=True, exist_ok=True)
    (base / "profile.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made.stores()


def ingest(made: House, package: Path, exit_: int = 0) -> dict[str, object]:
    answer = made.run("ingest", package, "--profile", made.base / "profile.toml")
    assert answer.exit == exit_, answer.out + answer.err
    return answer.item


def package(folder: Path) -> Path:
    folder.mkdir()
    shutil.copyfile(DATA / "image" / "page.bmp", folder / "trang.bmp")
    (folder / "Công văn.txt").write_bytes("Kính gửi Sở Nội vụ".encode("utf-16"))
    return folder


def test_each_result_is_a_file_with_an_event_of_its_own(tmp_path: Path) -> None:
    """A numbered result (vips writes one file, its name makes it part of a series), one of a signed file, none of an
    encrypted one: what their examination told chooses the rule."""
    several = GROWING + RULES.replace('"{out}/result.tif[', '"{out}/page.0001.tif[')
    several = several.replace('extension = "tif"', 'name = "page"\nmany = true\nextension = "tif"', 1) + PDF
    (tmp_path / "rules.toml").write_text(several, encoding="utf-8")
    made = house(tmp_path / "house", str(tmp_path / "rules.toml"), **{"FMT-GROWTH": "warning"})
    shutil.copyfile(CHARACTERISATION / "signed" / "tampered.pdf", package(tmp_path / "gói") / "có chữ ký.pdf")
    shutil.copyfile(CHARACTERISATION / "pdf" / "encrypted_user.pdf", tmp_path / "gói" / "có mật khẩu.pdf")
    item = ingest(made, tmp_path / "gói")
    assert ("FMT-GROWTH", "warning") in [(one["code"], one["level"]) for one in item["findings"]]  # type: ignore[attr-defined]
    aip = item["aip"]
    out = Path(str(made.run("export", str(aip), tmp_path / "out").item["path"]))
    rows = EarkRows(FolderTree(out))
    names = {bytes(row.path).decode(): row for row in rows.files()}
    copy = names["representations/rep1-preservation/data/trang.bmp.0001.tif"]
    assert copy.derived_from == b"representations/rep1/data/trang.bmp"
    applied = json.loads((out / "documentation" / "luutru" / "rules.json").read_text(encoding="utf-8"))
    assert [rule["name"] for rule in applied] == ["image-tiff", "pdf-picture"]
    events = {event.key: event.detail for event in rows.events() if event.type == "normalization"}
    signed = names["representations/rep1-preservation/data/có chữ ký.pdf.tif"]
    assert events.keys() == {copy.derived_by, signed.derived_by}, "no rule of this set is about encrypted files"
    assert "result=page.0001" in events[str(copy.derived_by)]
    assert "signature" not in events[str(copy.derived_by)]
    assert "the signature of the source is not carried over" in events[str(signed.derived_by)]


def rows(made: House) -> dict[bytes, int]:
    """Sources that are done, with the inode of their derivative, seen from outside."""
    found = {}
    for ledger in (made.data / "work").glob("*/ledger.sqlite"):
        with (
            contextlib.suppress(sqlite3.Error, OSError),
            contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as db,
        ):
            for source, value in db.execute("SELECT source, value FROM derivative").fetchall():
                found[bytes(source)] = (ledger.parent / json.loads(value)["at"]).stat().st_ino
    return found


@pytest.mark.kill
def test_a_kill_while_normalising_keeps_the_files_that_are_done(tmp_path: Path) -> None:
    """The growth limit makes the second run wait, so that its ledger can be looked at."""
    folder = tmp_path / "gói"
    folder.mkdir()
    page = bytearray((DATA / "image" / "page.bmp").read_bytes())
    for number in range(10):
        page[-1] = number
        (folder / f"trang {number:02}.bmp").write_bytes(page)
    (tmp_path / "rules.toml").write_text(GROWING + RULES, encoding="utf-8")
    made = house(tmp_path / "house", str(tmp_path / "rules.toml"))
    process = made.start("ingest", folder, "--profile", made.base / "profile.toml", "--json")
    while process.poll() is None and len(rows(made)) < 3:
        time.sleep(0.005)
    kill_group(process)
    done = rows(made)
    assert 3 <= len(done) < 10
    item = ingest(made, folder, 4)
    assert (item["verdict"], item["waiting_for"]) == ("waiting", "person")
    [finding] = [one for one in item["findings"] if one["code"] == "FMT-GROWTH"]  # type: ignore[attr-defined]
    assert finding["level"] == "decision"
    assert int(finding["found"]) > int(finding["expected"]) > 100
    assert len(rows(made)) == 10
    assert rows(made).items() >= done.items(), "what was done is not done again"
    (tmp_path / "rules.toml").write_text("growth = 0.02\nsmall = 100\n" + RULES, encoding="utf-8")
    ingest(made, folder, 4)
    assert rows(made).keys() == {f"trang {number:02}.bmp".encode() for number in range(10)}
    assert not rows(made).items() & done.items(), "other rules than those it began with: all is made again"
