"""A catalogue from one store alone."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from pipeline.administration.archive import leave
from pipeline.administration.audit import audit
from pipeline.catalogue.holdings import Catalogue
from pipeline.catalogue.rebuild import learn, rebuild, take_in
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.storage.copies import write
from pipeline.storage.journal import journal
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.lines import Kind
from tests.holding import FILES, SmallPlan, commit, content_files, file_store, house, keep, space


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


def test_objects_and_lines_are_compared(tmp_path: Path) -> None:
    """An object nobody committed, a rewritten inventory, a copy that is gone, an object that cannot be read."""
    at_hand = house(tmp_path, "one")
    plans = [keep(at_hand, number) for number in range(3)]
    (one,) = at_hand.reach()
    assert rebuild(at_hand.catalogue, one).findings == ()
    write(SmallPlan(tmp_path / "plans", 7, FILES), [one])
    forged, gone = (tmp_path / "one" / layout.prefix(plan.urn) for plan in plans[:2])
    data = (forged / "inventory.json").read_bytes().replace(b'"message": "test"', b'"message": "best"')
    for folder in (forged, forged / "v1"):
        (folder / "inventory.json").write_bytes(data)
        (folder / "inventory.json.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  inventory.json\n")
    shutil.rmtree(gone)
    told = rebuild(at_hand.catalogue, one)
    assert told.aips == 3
    assert sorted((finding.code, (finding.file or b"").decode()) for finding in told.findings) == [
        ("HLD-INVENTORY", f"one:{plans[0].urn}"),
        ("HLD-NO-COMMIT", f"one:{SmallPlan(tmp_path / 'plans', 7, FILES).urn}"),
        ("HLD-NO-OBJECT", f"one:{plans[1].urn}"),
    ]
    for folder in (forged, forged / "v1"):
        (folder / "inventory.json").write_bytes(b"{}")
    told = rebuild(at_hand.catalogue, one)
    assert "HLD-UNREADABLE" in {finding.code for finding in told.findings}
    leave(at_hand.space)


def test_an_archive_in_a_new_data_folder_finds_what_the_stores_know(tmp_path: Path) -> None:
    at_hand = house(tmp_path, "one", "two")
    plan = keep(at_hand)
    leave(at_hand.space)
    (tmp_path / "data").rename(tmp_path / "lost")
    new = house(tmp_path, "one", "two")
    assert new.find(plan.urn[9:15]).urn == plan.urn
    with pytest.raises(UsageProblem):
        new.find("abc")
    leave(new.space)


def test_damage_stands_when_a_version_is_added(tmp_path: Path) -> None:
    at_hand = house(tmp_path, "one")
    first = keep(at_hand)
    content_files(tmp_path / "one", first.urn)[-1].write_bytes(b"bad")
    audit(at_hand)
    keep(at_hand, files={**FILES, "new": b"new"}, before=first.inventory)
    (copy,) = at_hand.find(first.urn).copies
    assert (copy.version, copy.state) == (2, "damaged")
    leave(at_hand.space)


def test_a_catalogue_ahead_of_its_journal_is_begun_anew(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    book = journal(home)
    one = file_store(tmp_path / "one", "one")
    for number in range(3):
        book.append(Kind.COMMIT, commit(number, [one]).fields())
    catalogue = Catalogue(home, book)
    assert catalogue.count() == 3
    (segment,) = (home.journal / "open").rglob("*.jsonl")
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:1]))
    again = Catalogue(home, journal(home))
    assert again.count() == 1 and again.fresh
