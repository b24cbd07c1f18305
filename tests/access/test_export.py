"""Export: the stored bytes, from whichever copy is what was committed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.access.export import export
from pipeline.administration.archive import Archive, leave
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.storage.lines import Kind
from tests.holding import FILES, content_files, house, keep


@pytest.fixture
def at_hand(tmp_path: Path) -> Iterator[Archive]:
    made = house(tmp_path, "one", "two")
    yield made
    leave(made.space)


def written(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_byte_for_byte(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    report = export(at_hand, plan.urn[9:20], tmp_path / "out")
    assert report.path == tmp_path / "out" / f"uuid-{plan.urn[9:]}"
    assert written(report.path) == FILES
    assert (report.files, report.bytes) == (len(FILES), sum(map(len, FILES.values())))
    assert (report.store, report.version, report.skipped) == ("one", 1, ())
    assert os.listdir(tmp_path / "out") == [report.path.name]
    *_, last = at_hand.journal.lines()
    assert last.kind == Kind.EXPORT and last.fields["store"] == "one"
    assert at_hand.catalogue.show(plan.urn)["history"][-1]["kind"] == "export"
    assert list(report.as_item())[:3] == ["path", "files", "bytes"]


def test_an_older_version(at_hand: Archive, tmp_path: Path) -> None:
    first = keep(at_hand)
    second = keep(at_hand, files={"METS.xml": b"<mets n='2'/>", "a": b"new"}, before=first.inventory)
    assert written(export(at_hand, first.urn, tmp_path / "new").path) == {"METS.xml": b"<mets n='2'/>", "a": b"new"}
    assert written(export(at_hand, first.urn, tmp_path / "old", 1).path) == FILES
    for number in (0, 3):
        with pytest.raises(UsageProblem) as problem:
            export(at_hand, second.urn, tmp_path / "none", number)
        assert problem.value.code == "USE-VERSION-UNKNOWN"
    assert not (tmp_path / "none").exists()


def test_nothing_is_overwritten(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    target = tmp_path / "out" / f"uuid-{plan.urn[9:]}"
    target.mkdir(parents=True)
    (target / "mine").write_text("mine")
    with pytest.raises(UsageProblem):
        export(at_hand, plan.urn, tmp_path / "out")
    assert written(tmp_path / "out") == {f"{target.name}/mine": b"mine"}
    shutil.rmtree(target)
    (tmp_path / "elsewhere").mkdir()
    target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageProblem):
        export(at_hand, plan.urn, tmp_path / "out")
    assert written(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize("fault", ["changed", "deleted", "inventory", "gone", "absent"])
def test_the_next_copy_is_taken(at_hand: Archive, tmp_path: Path, fault: str) -> None:
    plan = keep(at_hand)
    store = tmp_path / "one"
    big = content_files(store, plan.urn)[-1]
    if fault == "changed":
        big.write_bytes(big.read_bytes()[:-1] + b"x")
    elif fault == "deleted":
        big.unlink()
    elif fault == "inventory":
        rewrite_inventory(store, b"test", b"tess")
    elif fault == "gone":
        shutil.rmtree(store / "ocfl")
    else:
        store.rename(tmp_path / "unmounted")
        store.mkdir()
    report = export(at_hand, plan.urn, tmp_path / "out")
    assert report.store == "two" and [one.store for one in report.skipped] == ["one"]
    assert written(report.path) == FILES
    assert os.listdir(tmp_path / "out") == [report.path.name]


def rewrite_inventory(store: Path, old: bytes, new: bytes) -> None:
    """Root and version inventory with their sidecars, all agreeing."""
    import hashlib

    for inventory in store.rglob("inventory.json"):
        data = inventory.read_bytes()
        assert old in data
        data = data.replace(old, new)
        inventory.write_bytes(data)
        side = f"{hashlib.sha256(data).hexdigest()}  inventory.json\n"
        inventory.with_name("inventory.json.sha256").write_text(side)


def test_no_copy_is_good(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    for name in ("one", "two"):
        content_files(tmp_path / name, plan.urn)[-1].write_bytes(b"other")
    with pytest.raises(SystemProblem) as problem:
        export(at_hand, plan.urn, tmp_path / "out")
    assert problem.value.code == "SYS-EXPORT-NO-COPY"
    assert "one: " in problem.value.values["cause"] and "two: " in problem.value.values["cause"]
    assert written(tmp_path / "out") == {}


def test_a_folder_that_cannot_be_written_is_no_fault_of_a_copy(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    (tmp_path / "out").write_text("a file")
    with pytest.raises(SystemProblem) as problem:
        export(at_hand, plan.urn, tmp_path / "out")
    assert problem.value.code == "SYS-EXPORT"


def test_no_dip_of_what_is_no_eark_aip(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    with pytest.raises(UsageProblem) as problem:
        export(at_hand, plan.urn, tmp_path / "out", shape="eark-dip")
    assert problem.value.code == "USE-EXPORT-SHAPE"
    assert written(tmp_path / "out") == {}


def test_a_bag_from_the_next_copy(at_hand: Archive, tmp_path: Path) -> None:
    plan = keep(at_hand)
    content_files(tmp_path / "one", plan.urn)[-1].write_bytes(b"other")
    report = export(at_hand, plan.urn, tmp_path / "out", shape="bagit")
    assert report.store == "two" and [one.store for one in report.skipped] == ["one"]
    assert {name: data for name, data in written(report.path).items() if name.startswith("data/")} == {
        f"data/{name}": data for name, data in FILES.items()
    }
    assert os.listdir(tmp_path / "out") == [report.path.name]


def test_an_unknown_aip(at_hand: Archive, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as problem:
        export(at_hand, "abc", tmp_path / "out")
    assert problem.value.code == "USE-AIP-UNKNOWN"
