"""Rules that need a list, a registration or holdings: what the functions say that will get them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from pipeline.findings import as_json, level_of
from pipeline.packages.tt05 import check_linked, check_submission
from pipeline.packages.tt05.check_submission import Listed, Registration
from pipeline.packages.tt05.files import Files
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Package
from pipeline.packages.tt05.settings import settings_of
from pipeline.packages.tt05.types import PackageType
from pipeline.settings import Limits, profile
from pipeline.tree import open_tree
from tests.packages.received import digest_tree
from tests.packages.tt05.build import build, folder
from tests.packages.tt05.fault import levels
from tests.packages.tt05.fields import PROFILES
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.shape import DATA, EAD, FILE_CODE, Shape, born_pdf, full, link, plain

Rule = Callable[[Package, Findings], None]
TITLE = "Hồ sơ thử nghiệm về công tác văn thư xã A"


@contextmanager
def opened(shape: Shape, home: Path) -> Iterator[tuple[Package, Findings]]:
    tree = open_tree(folder(build(shape), home), Limits()).tree
    assert tree is not None
    settings = settings_of(profile("tt05"))
    of = PackageType(shape.type)
    files = Files(tree, tree.entries(), b"")
    package = Package(files, of, settings, digest_tree(tree, ("sha256",)), home)
    yield package, Findings(files, of, settings)
    tree.close()


def told(shape: Shape, home: Path, rule: Rule) -> list[tuple[str, str | None, str | None, str | None]]:
    """(code, file, found, expected) of what a rule says, each with its texts and at the level of both profiles."""
    with opened(shape, home) as (package, found):
        rule(package, found)
        for finding in found:
            for name in PROFILES:
                assert level_of(finding, profile(name)).value == levels()[finding.code][name]
            assert as_json(finding)["message"]["vi"]
        return [(one.code, one.file.decode() if one.file else None, one.found, one.expected) for one in found]


def test_holdings_that_may_be_the_same_are_for_a_person(tmp_path: Path) -> None:
    def rule(package: Package, found: Findings) -> None:
        check_submission.check_holdings(package, found, lambda one: ["H99.05.0001"] if one.code == FILE_CODE else [])

    assert told(plain(), tmp_path, rule) == [("TT05-SUB-02", EAD, "H99.05.0001", None)]
    assert told(plain(code="H99.01.2020.8"), tmp_path / "other", rule) == []


def test_the_list_and_the_package_are_held_against_each_other(tmp_path: Path) -> None:
    def against(*rows: Listed) -> Rule:
        return lambda package, found: check_submission.check_list(package, found, rows)

    whole = (
        Listed(FILE_CODE, {"title": TITLE, "totalDoc": "2"}),
        Listed(f"{FILE_CODE}.1"),
        Listed(f"{FILE_CODE}.0000002"),
    )
    assert told(plain(), tmp_path / "0", against(*whole)) == []
    assert told(plain(), tmp_path / "1", against(*whole, Listed(f"{FILE_CODE}.3"))) == [
        ("TT05-SUB-03", None, f"{FILE_CODE}.3", None)
    ]
    [(code, file, value, _)] = told(plain(), tmp_path / "2", against(*whole[:2]))
    assert (code, value) == ("TT05-SUB-04", f"{FILE_CODE}.0000002")
    assert file is not None and file.endswith(f"EAD_doc_{FILE_CODE}.2.xml")
    other = Listed(FILE_CODE, {"title": TITLE, "totalDoc": "3"})
    [(code, file, value, expected)] = told(plain(), tmp_path / "3", against(other, *whole[1:]))
    assert (code, file, expected) == ("TT05-SUB-05", EAD, "3")
    assert value is not None and value.endswith("(totalDoc): 2")


def test_the_registration_must_be_known(tmp_path: Path) -> None:
    def among(*codes: str) -> Rule:
        return lambda package, found: check_submission.check_registered(package, found, codes)

    assert told(plain(), tmp_path / "0", among("DK-2026-01")) == []
    assert told(plain(), tmp_path / "1", among("DK-2026-02")) == [("TT05-SUB-06", "METS.xml", "DK-2026-01", None)]


def test_deadlines_and_counts_of_the_registration(tmp_path: Path) -> None:
    of = Registration("DK-2026-01", packages=2, files=5, deadlines={"nộp hồ sơ": date(2026, 3, 1)})

    def late(today: date) -> Rule:
        return lambda package, found: check_submission.check_deadlines(package, found, of, today)

    def counted(packages: int, files: int) -> Rule:
        return lambda package, found: check_submission.check_counts(package, found, of, packages, files)

    assert told(plain(), tmp_path / "0", late(date(2026, 3, 1))) == []
    assert told(plain(), tmp_path / "1", late(date(2026, 3, 2))) == [("TT05-SUB-07", None, "nộp hồ sơ", "01/03/2026")]
    assert told(plain(), tmp_path / "2", counted(2, 5)) == []
    assert told(plain(), tmp_path / "3", counted(2, 4)) == [("TT05-SUB-09", None, "4", "5")]
    assert told(plain(), tmp_path / "4", counted(1, 5)) == [("TT05-SUB-09", None, "1", "2")]


@pytest.mark.parametrize("type", ["SIP_hoso", "AIP_hoso"])
def test_linked_documents_are_looked_for_in_the_holdings(tmp_path: Path, type: str) -> None:
    shape = plain(type, documents=(born_pdf(1), link(2, type[:3])))

    target = {
        "SIP_hoso": "H99.01.2019.3.2",
        "AIP_hoso": "urn_P001_99999999-2222-4333-8444-5555555555FF_representations/rep1/data/H99.01.2019.3.4.pdf",
    }[type]

    def among(*known: str) -> Rule:
        linked = [f"{DATA}{FILE_CODE}.2.pdf.fetch.txt".encode()]
        return lambda package, found: check_linked.check_targets(package, found, linked, lambda one: one in known)

    assert told(shape, tmp_path / "0", among(target)) == []
    assert told(shape, tmp_path / "1", among()) == [("TT05-HOL-04", f"{DATA}{FILE_CODE}.2.pdf.fetch.txt", target, None)]


def test_what_nobody_gave_is_said_to_be_unchecked(tmp_path: Path) -> None:
    needed = {
        "SIP_hoso": {"TT05-EAD-12", "TT05-HOL-04", *(f"TT05-SUB-0{number}" for number in (2, 3, 4, 5, 6, 7, 9))},
        "AIP_tailieu": {"TT05-ID-03", "TT05-ID-04", "TT05-HOL-04"},
        "DIP": {"TT05-ID-03"},
    }
    for type, codes in needed.items():
        assert set(said(folder(build(full(type)), tmp_path), by_profile("tt05")).not_checked) == codes
    given = by_profile("tt05", ("tt05.archive_body=H99.05", "tt05.fonds_state=open"))
    assert set(said(folder(build(plain("AIP_hoso")), tmp_path / "given"), given).not_checked) == {"TT05-HOL-04"}
