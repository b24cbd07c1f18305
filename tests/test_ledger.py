"""The ledger gives back what was put in, in an order of content, and survives a torn or foreign file."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.ledger import SUBMISSION, WORK, Ledger, LedgerRows
from pipeline.records import (
    Agent,
    AipIdentity,
    Description,
    Event,
    FileRow,
    Finding,
    Format,
    Level,
    Link,
    Outcome,
    PackagePath,
    Representation,
    Right,
    Use,
)
from pipeline.tree import Entry

WHEN = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
TEXT = Format("x-fmt/111", "Plain Text File", "", "text/plain", "text", "text match", "", "siegfried", "1", "V125")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def test_received_files_come_in_raw_byte_order(ledger: Ledger) -> None:
    names = [b"b", b"a/\xff", b"a", "ă".encode(), b"a\n"]
    ledger.add_received(Entry(PackagePath(name), len(name), 5) for name in names)
    ledger.add_received([Entry(PackagePath(b"empty"), 0, None, True)])
    assert [entry.path for entry in ledger.entries()] == sorted([*names, b"empty"])
    assert ledger.totals() == (5, sum(map(len, names)))
    assert ledger.entry(PackagePath(b"empty")) == Entry(PackagePath(b"empty"), 0, None, True)


def test_unread_shrinks_as_bytes_are_learnt_even_while_iterating(ledger: Ledger) -> None:
    ledger.add_received(Entry(PackagePath(b"%05d" % number), 1) for number in range(2500))
    seen = 0
    for entry in ledger.unread():
        ledger.learnt([(entry.path, {"sha256": "0" * 64, "md5": "1" * 32}, TEXT, "text/plain")])
        seen += 1
    assert seen == 2500
    assert list(ledger.unread()) == []
    assert ledger.digest(PackagePath(b"00000"), "md5") == "1" * 32
    assert ledger.digest(PackagePath(b"00000"), "sha512") is None
    assert ledger.digest(PackagePath(b"nobody"), "sha256") is None
    assert ledger.formats() == {"x-fmt/111": 2500}


def test_findings_of_a_stage_that_begins_again_are_dropped(ledger: Ledger) -> None:
    assert ledger.begin("check", "t1")
    ledger.find("receive", [Finding("PKG-EMPTY")])
    ledger.find("check", [Finding("X", PackagePath(b"f\xff"), 3, "a", "\udcff")])
    assert ledger.begin("check", "t2")
    assert [finding.code for finding in ledger.findings()] == ["PKG-EMPTY"]
    assert ledger.fact("check.begin") == "t1"
    ledger.keep(**{"check.end": "t3"})
    assert not ledger.begin("check", "t4")


def test_findings_weigh_what_their_rule_says(ledger: Ledger) -> None:
    lighter = Finding("PKG-EMPTY", PackagePath(b"a"), level=Level.WARNING)
    ledger.find("check", [lighter, replace(lighter, file=PackagePath(b"b")), Finding("PKG-EMPTY")])
    weights = {(finding.code, finding.level): number for finding, number in ledger.finding_weights()}
    assert weights == {("PKG-EMPTY", None): 1, ("PKG-EMPTY", Level.WARNING): 2}


def test_the_rows_of_an_aip_come_back_as_they_went_in(ledger: Ledger) -> None:
    files = [
        FileRow(PackagePath(b"representations/rep1/data/a"), 1, "a" * 64, Use.DATA, "text/plain", WHEN, "rep1",
                PackagePath(b"a\xff"), TEXT, None, None, WHEN),
        FileRow(PackagePath(b"representations/rep1-p/data/a"), 2, "b" * 64, Use.DATA, "text/plain", WHEN, "rep1-p",
                None, TEXT, PackagePath(b"representations/rep1/data/a"), "normalization/a"),
    ]  # fmt: skip
    ledger.add_files([(files[0], SUBMISSION, b"a\xff"), (files[1], WORK, b"derived/b")])
    rows = LedgerRows(ledger, AipIdentity("u", 1, "t", "Mixed", WHEN, WHEN))
    representation = Representation("rep1", (PackagePath(b"empty\xff"),))
    description = Description(files[0].path, (("title", "Tiêu đề"), ("title", "b")))
    event = Event("k", "validation", WHEN, WHEN, "d", Outcome.WARNING, "n", (("luutru", "executing program"),),
                  (Link("file", files[0].path), Link("package", "")))  # fmt: skip
    ledger.add_representations([representation])
    ledger.add_descriptions([description, Description(None, (("title", "x"),))])
    ledger.add_events([event])
    ledger.add_agents([Agent("luutru", "luutru", "software", "0")])
    ledger.add_rights([Right("policy", "license", "migration")])
    assert list(rows.files()) == sorted(files, key=lambda row: row.path)
    assert list(rows.files(Use.DATA, "rep1")) == files[:1]
    assert list(rows.representations()) == [representation]
    assert [one.target for one in rows.descriptions()] == [None, files[0].path]
    assert list(rows.events()) == [event]
    assert [one.key for one in rows.agents()] == ["luutru"]
    assert [one.key for one in rows.rights()] == ["policy"]
    assert ledger.file_of(PackagePath(b"a\xff")) == files[0]
    assert ledger.lies_at("a" * 64) == b"a\xff"
    assert [row[0] for row in ledger.contents()] == ["a" * 64, "b" * 64]


def test_a_ledger_of_another_schema_starts_again(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    other = sqlite3.connect(file)
    other.execute("PRAGMA user_version=99")
    other.execute("CREATE TABLE fact (key TEXT)")
    other.commit()
    other.close()
    ledger = Ledger(file)
    assert ledger.fact("anything") is None


def test_a_torn_ledger_starts_again(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    assert Ledger(file).totals() == (0, 0)
