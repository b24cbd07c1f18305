"""A catalogue from one store alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.catalogue.holdings import Catalogue
from pipeline.catalogue.rebuild import learn, rebuild, take_in
from pipeline.errors import SystemProblem
from pipeline.storage.journal import journal
from pipeline.storage.lines import Kind
from tests.holding import commit, file_store, space


def test_a_new_data_folder_learns_everything(tmp_path: Path) -> None:
    book = journal(space(tmp_path / "data"))
    one, two = file_store(tmp_path / "one", "one"), file_store(tmp_path / "two", "two")
    for number in range(3):
        book.append(Kind.COMMIT, commit(number, [one, two]).fields())
    book.flush([one, two])
    new = space(tmp_path / "new", "f" * 16)
    catalogue = Catalogue(new, journal(new))
    assert catalogue.fresh
    told = rebuild(catalogue, one)
    assert (told.aips, told.lines, catalogue.fresh) == (3, 3, False)
    assert {finding.code for finding in told.findings} == {"HLD-NO-OBJECT"}  # these commits are invented
    assert catalogue.committed(commit(1, []).aip, 1) == commit(1, []).inventory_digest
    assert catalogue.committed(commit(1, []).aip, 2) is None
    book.append(Kind.COMMIT, commit(7, [one]).fields())
    book.flush([one])
    learn(catalogue, [one])
    assert catalogue.count() == 3  # read once already
    learn(catalogue, [file_store(tmp_path / "two", "two")])
    assert catalogue.has_read(two.id)
    assert take_in(catalogue, one) == 1 and take_in(catalogue, one) == 0 and catalogue.count() == 4


def test_lines_that_are_only_here_are_kept(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    book = journal(home)
    one = file_store(tmp_path / "one", "one")
    book.append(Kind.COMMIT, commit(1, [one]).fields())
    book.flush([one])
    book.append(Kind.COMMIT, commit(2, [one]).fields())
    catalogue = Catalogue(home, book)
    assert rebuild(catalogue, one, compare=False).aips == 2


def test_a_damaged_journal_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    book = journal(space(tmp_path / "data"))
    one = file_store(tmp_path / "one", "one")
    for number in range(3):
        book.append(Kind.COMMIT, commit(number, [one]).fields())
        book.flush([one])
    segment = sorted((tmp_path / "one" / "journal").rglob("*.jsonl"))[1]
    segment.write_bytes(b"torn\n")
    catalogue = Catalogue(space(tmp_path / "new", "f" * 16))
    told = rebuild(catalogue, one, compare=False)
    assert told.aips == 2 and [finding.code for finding in told.findings] == ["JRN-LINE"]


def test_a_rebuild_that_breaks_off_leaves_a_fresh_catalogue(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    book = journal(home)
    one = file_store(tmp_path / "one", "one")
    book.append(Kind.COMMIT, commit(1, [one]).fields())
    book.flush([one])
    catalogue = Catalogue(home)
    rebuild(catalogue, one, compare=False)
    (tmp_path / "one").rename(tmp_path / "away")
    with pytest.raises(SystemProblem):
        rebuild(catalogue, one)
    assert Catalogue(home).fresh
