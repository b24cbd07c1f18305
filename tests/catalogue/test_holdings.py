"""The catalogue says what the journal's lines say, whoever tells them, in whatever order writers come."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.catalogue.holdings import Catalogue
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.storage.chains import StoreSource, all_lines
from pipeline.storage.journal import Journal, journal
from pipeline.storage.lines import CopyAudit, CopyProblem, Kind, Result, StoreCopy, copy_made, exported, not_checked
from pipeline.storage.stores import Store
from tests.holding import commit, file_store, space


@pytest.fixture
def one(tmp_path: Path) -> Store:
    return file_store(tmp_path / "one", "one")


@pytest.fixture
def two(tmp_path: Path) -> Store:
    return file_store(tmp_path / "two", "two")


@pytest.fixture
def book(tmp_path: Path) -> Journal:
    return journal(space(tmp_path / "data"))


@pytest.fixture
def held(book: Journal) -> Iterator[Catalogue]:
    catalogue = Catalogue(book.space, book)
    yield catalogue
    catalogue.close()


def test_a_commit_is_found(book: Journal, held: Catalogue, one: Store, two: Store) -> None:
    record = commit(1, [one, two])
    held.record(book.append(Kind.COMMIT, record.fields()))
    found = held.by_submission(record.submission_digest)
    assert found is not None
    assert (found.urn, found.label, found.version) == (record.aip, "Hồ sơ số 1", 1)
    assert found.formats == {"fmt/18": 1, "unknown": 2}
    assert [(copy.store, copy.state, copy.evidence, copy.bytes) for copy in found.copies] == [
        ("one", "verified", "read", 900),
        ("two", "verified", "read", 900),
    ]
    assert held.by_payload(record.payload_digest) == (found,)
    assert held.by_submission("0" * 64) is None and held.by_payload("0" * 64) == ()
    for text in (
        found.urn,
        found.uuid,
        found.root,
        found.uuid[:8],
        found.uuid.upper()[:13],
        f" urn:uuid:{found.uuid[:3]}",
    ):
        assert held.find(text) == found
    assert list(held.holdings()) == [found] and held.count() == 1


def test_what_is_not_found(book: Journal, held: Catalogue, one: Store) -> None:
    records = [commit(number, [one]) for number in range(40)]
    for record in records:
        held.record(book.append(Kind.COMMIT, record.fields()))
    uuids = sorted(record.aip[9:] for record in records)
    initial = next(letter for letter in "0123456789abcdef" if sum(one.startswith(letter) for one in uuids) > 1)
    for text, code in (
        (initial, "USE-AIP-AMBIGUOUS"), ("", "USE-AIP-UNKNOWN"), ("%", "USE-AIP-UNKNOWN"), ("../x", "USE-AIP-UNKNOWN"),
        ("f" * 36, "USE-AIP-UNKNOWN"), ("a" * 400, "USE-AIP-UNKNOWN"), ("'; drop table aips", "USE-AIP-UNKNOWN"),
    ):  # fmt: skip
        with pytest.raises(UsageProblem) as problem:
            held.find(text)
        assert problem.value.code == code, text
    with pytest.raises(UsageProblem):
        held.show("urn:uuid:" + "f" * 8)


def audit(record: object, store: Store, result: Result, **more: object) -> dict[str, object]:
    return CopyAudit(record.aip, 1, store.name, store.id, result, evidence="read", files=9, bytes=900, **more).fields()  # type: ignore[attr-defined, arg-type]


def life(book: Journal, one: Store, two: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting copy that is made later, audits good and bad, a second version, an export."""

    def at(hour: int, kind: Kind, fields: dict[str, object]) -> None:
        monkeypatch.setenv("LUUTRU_CLOCK", f"2026-11-24T{hour:02}:00:00+07:00")
        book.append(kind, fields)

    first = commit(1, [one], waiting=(two,))
    at(1, Kind.COMMIT, first.fields())
    at(2, Kind.COMMIT, commit(2, [one, two]).fields())
    at(3, Kind.COPY_MADE, copy_made(first.aip, 1, StoreCopy("two", two.id, inventory_digest="d" * 64), "one"))
    at(4, Kind.AUDIT, audit(first, one, Result.INTACT))
    problem = CopyProblem("changed", "v1/content/aa/bb", "a" * 64, "b" * 64)
    at(5, Kind.AUDIT, audit(first, two, Result.DAMAGED, problems=(problem,)))
    at(6, Kind.NOT_CHECKED, not_checked("run", "one", one.id, "absent", [first.aip, commit(2, []).aip]))
    at(7, Kind.EXPORT, exported(first.aip, 1, "one", 9, 900, "stored"))
    at(8, Kind.STORE_ADDED, {"name": "one", "id": one.id, "url": "file:///x"})
    at(
        9,
        Kind.COMMIT,
        commit(2, [one, two], version=2, stored_files=2, stored_bytes=20, formats={"fmt/95": 3}).fields(),
    )


def test_show(book: Journal, held: Catalogue, one: Store, two: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    life(book, one, two, monkeypatch)
    assert held.catch_up() == 9
    shown = held.show(commit(1, []).aip)
    assert [(copy["store"], copy["state"]) for copy in shown["copies"]] == [("one", "verified"), ("two", "damaged")]
    good, bad = shown["copies"]
    assert good["audit"]["result"] == "intact" and good["audit"]["time"] == "2026-11-24T04:00:00+07:00"
    assert good["not_checked"] == {"time": "2026-11-24T06:00:00+07:00", "reason": "absent"}
    assert bad["audit"]["problems"][0]["what"] == "changed" and bad["not_checked"] is None
    assert bad["written"] == "2026-11-24T03:00:00+07:00" and bad["inventory_digest"] == "d" * 64
    assert [event["kind"] for event in shown["history"]] == ["commit", "copy-made", "audit", "audit", "export"]
    second = held.show(commit(2, []).aip)
    assert second["version"] == 2 and second["formats"] == {"fmt/95": 3}
    assert [version["version"] for version in second["versions"]] == [1, 2]
    assert held.find(commit(2, []).aip).copies[0].bytes == 920
    assert [copy.state for copy in held.find(commit(1, []).aip).copies] == ["verified", "damaged"]


def test_the_order_in_which_copies_are_due(
    book: Journal, held: Catalogue, one: Store, two: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    life(book, one, two, monkeypatch)
    held.catch_up()
    first, second = commit(1, []).aip, commit(2, []).aip
    assert [(copy.aip, copy.store) for copy in held.copies()] == [
        (second, "one"), (second, "two"), (first, "one"), (first, "two"),
    ]  # fmt: skip
    assert [copy.aip for copy in held.copies(store="two")] == [second, first]
    assert [copy.store for copy in held.copies(aip=first)] == ["one", "two"]


def test_rebuilt_from_one_store_it_says_the_same(
    tmp_path: Path, book: Journal, held: Catalogue, one: Store, two: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    life(book, one, two, monkeypatch)
    book.flush([one, two])
    held.catch_up()
    for store in (one, two):
        fresh = Catalogue(space(tmp_path / f"new {store.name}", "f" * 16))
        fresh.apply(all_lines(StoreSource(store)), gaps=True)
        assert [fresh.show(aip.urn) for aip in fresh.holdings()] == [held.show(aip.urn) for aip in held.holdings()]


def test_writers_in_any_order(
    tmp_path: Path, one: Store, two: Store, monkeypatch: pytest.MonkeyPatch, book: Journal
) -> None:
    """Lines of two writers about one AIP: the later time wins, whichever is taken in first."""
    other = journal(space(tmp_path / "other", "f" * 16))
    life(book, one, two, monkeypatch)
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-11-24T05:30:00+07:00")
    other.append(Kind.AUDIT, audit(commit(1, []), two, Result.INTACT))
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-11-24T03:30:00+07:00")  # a clock that went back
    other.append(Kind.AUDIT, audit(commit(1, []), one, Result.MISSING))
    answers = []
    for name, order in (("a", [book, other]), ("b", [other, book])):
        catalogue = Catalogue(space(tmp_path / name, "e" * 16))
        for writer in order:
            catalogue.apply(writer.lines())
        answers.append([catalogue.show(commit(number, []).aip) for number in (1, 2)])
    assert answers[0] == answers[1]
    assert [copy["state"] for copy in answers[0][0]["copies"]] == ["missing", "verified"]


def test_a_line_counts_once_and_gaps_wait(book: Journal, one: Store) -> None:
    alone = Catalogue(book.space)
    lines = [book.append(Kind.COMMIT, commit(number, [one]).fields()) for number in range(3)]
    alone.record(lines[0])
    alone.record(lines[0])
    alone.record(lines[2])  # its time comes after the second
    assert alone.count() == 1 and alone.seen() == {book.writer: 1}
    assert alone.apply(lines) == 2
    alone.close()


def test_lines_that_another_process_did_not_record(book: Journal, held: Catalogue, one: Store) -> None:
    book.append(Kind.COMMIT, commit(1, [one]).fields())
    line = book.append(Kind.COMMIT, commit(2, [one]).fields())
    held.record(line)
    assert held.count() == 2
    book.append(Kind.COMMIT, commit(3, [one]).fields())
    again = Catalogue(book.space, journal(book.space))  # killed between line and catalogue: caught up when opened
    assert again.count() == 3
    again.close()


def test_several_threads_record(book: Journal, held: Catalogue, one: Store) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 5):
            held.record(book.append(Kind.COMMIT, commit(number, [one]).fields()))

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 5, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert held.count() == 15


def test_another_schema_or_no_database_is_begun_anew(book: Journal, held: Catalogue, one: Store) -> None:
    held.record(book.append(Kind.COMMIT, commit(1, [one]).fields()))
    file = book.space.root / "catalogue.sqlite"
    held.close()
    with sqlite3.connect(file) as db:
        db.execute("update about set value = '999' where name = 'schema'")
        db.execute("create table left_over (x)")
    newer = Catalogue(book.space)
    assert newer.fresh and newer.count() == 0
    newer.close()
    file.write_bytes(b"this is no database" * 1000)
    again = Catalogue(book.space, book)
    assert again.fresh and again.count() == 1
    again.close()
    file.unlink()
    again = Catalogue(book.space, book)
    assert again.fresh and again.count() == 1
    again.close()


def test_a_line_that_makes_no_sense_is_named(book: Journal, held: Catalogue) -> None:
    line = book.append(Kind.COMMIT, {"aip": "urn:uuid:x"})
    with pytest.raises(SystemProblem) as problem:
        held.record(line)
    assert problem.value.code == "SYS-JOURNAL-BROKEN" and book.writer in problem.value.values["file"]


def test_kinds_of_later_versions_are_passed_over(book: Journal, held: Catalogue, one: Store) -> None:
    record = commit(1, [one])
    book.append(Kind.COMMIT, record.fields())
    book.append("hold", {"aip": record.aip, "until": "2030"})
    book.append("weather", {"rain": True})
    held.catch_up()
    assert held.show(record.aip)["history"][-1]["kind"] == "hold"
    shutil.rmtree(book.space.root / "journal")


def test_a_database_that_is_damaged_is_begun_anew(book: Journal, held: Catalogue, one: Store) -> None:
    for number in range(60):
        book.append(Kind.COMMIT, commit(number, [one]).fields())
    held.catch_up()
    held.close()
    file = book.space.root / "catalogue.sqlite"
    data = bytearray(file.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 200] = b"\xff" * 200
    file.write_bytes(data)
    again = Catalogue(book.space, book)
    assert again.count() == 60 and again.fresh
    again.close()


def test_a_database_damaged_while_it_is_used_is_a_problem_with_advice(
    book: Journal, held: Catalogue, one: Store
) -> None:
    held.record(book.append(Kind.COMMIT, commit(1, [one]).fields()))
    with sqlite3.connect(book.space.root / "catalogue.sqlite") as db:
        db.execute("drop table copies")
    with pytest.raises(SystemProblem) as problem:
        held.find(commit(1, []).aip)
    assert problem.value.code == "SYS-CATALOGUE"


def test_tables_of_others_are_left_alone(book: Journal, held: Catalogue) -> None:
    with sqlite3.connect(book.space.root / "catalogue.sqlite") as db:
        db.execute("create table theirs (x)")
    held.begin_rebuild()
    with sqlite3.connect(book.space.root / "catalogue.sqlite") as db:
        db.execute("select x from theirs")
