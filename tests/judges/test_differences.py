"""Our verdict on each generated E-ARK package beside those of two other judges; each difference has its reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.findings import level_of
from pipeline.packages.registry import recognise
from pipeline.records import Level
from pipeline.tree import FolderTree
from tests.judges.eark import commons_ip_of, eark_validator_of, made_by_commons_ip
from tests.judges.verdict import NoVerdict, Verdict
from tests.packages.eark_faults import BROKEN, NOTED
from tests.packages.eark_sips import VALID, Shape, build
from tests.packages.received import judged, opened

TABLE = Path(__file__).with_name("differences.tsv")
CASES: dict[str, Shape] = {**{f"valid {name}": shape for name, shape in VALID.items()}, **BROKEN, **NOTED}
VERSIONS = ("2.0.4", "2.1.0", "2.2.0")

EVERY_SIP = frozenset(("CSIP12", "CSIP13", "CSIP15", "CSIP16", "SIP2", "SIP14"))
"""What eark-validator holds against every SIP that names who submits it: the first four are applied to all agents of
ROLE CREATOR, SIP2 knows one address for all versions, SIP14 looks for NOTETYPE without its namespace."""


def ours(folder: Path) -> str:
    tree = FolderTree(folder)
    kind, _ = recognise(tree)
    return "refused" if any(level_of(one) is Level.ERROR for one in judged(kind, tree)) else "accepted"


def theirs(verdict: Verdict | NoVerdict, but: frozenset[str] = frozenset()) -> str:
    """Errors alone count: what a judge warns of we warn of, too, or not."""
    if isinstance(verdict, NoVerdict):
        return "none"
    counting = (one for one in verdict.counting if one.level == "error" and one.rule not in but)
    return "refused" if any(counting) else "accepted"


def listed() -> dict[tuple[str, str], str]:
    """(judge, case): the judge's verdict, where it differs from ours."""
    found = {}
    for line in TABLE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            judge, case, verdict, reason = line.split("\t")
            assert len(reason) > 20, line
            found[judge, case] = verdict
    return found


def differences(folder: Path) -> dict[tuple[str, str], str]:
    """All cases built, judged by us and by both."""
    folders = {}
    for number, (name, shape) in enumerate(CASES.items()):
        folders[name] = build(folder / f"d{number}", replace(shape, name=f"p{number:03}"))
    told: dict[Path, Verdict | NoVerdict] = {}
    for version in VERSIONS:
        told.update(
            commons_ip_of([folders[name] for name, one in CASES.items() if one.version[:5] == version], version)
        )
    second = eark_validator_of(list(folders.values()))
    found = {}
    for name, root in folders.items():
        own = ours(root)
        for judge, verdict in (("commons-ip", theirs(told[root])), ("eark-validator", theirs(second[root], EVERY_SIP))):
            if verdict != own:
                found[judge, name] = verdict
    return found


@pytest.mark.judge
@pytest.mark.slow
def test_every_difference_has_its_reason(tmp_path: Path) -> None:
    found = differences(tmp_path)
    known = listed()
    assert {key: verdict for key, verdict in found.items() if known.get(key) != verdict} == {}
    assert sorted(key for key in known if key not in found) == []


@pytest.mark.judge
@pytest.mark.parametrize("version", VERSIONS)
def test_what_commons_ip_makes_is_accepted(tmp_path: Path, version: str) -> None:
    data = [tmp_path / "báo cáo 1.txt", tmp_path / "b+c%.txt", tmp_path / "d.xml"]
    for number, file in enumerate(data):
        file.write_text(f"{number}\n", "utf-8")
    tree = opened(made_by_commons_ip(tmp_path, version, data)).tree
    assert tree is not None
    kind, told = recognise(tree)
    assert told.kind == "eark-sip"
    assert [one for one in judged(kind, tree) if level_of(one) is Level.ERROR] == []


def test_no_valid_package_is_refused_by_us_alone() -> None:
    """Where a judge accepts what we refuse, it is a package that was broken on purpose."""
    assert [case for (_, case), verdict in listed().items() if verdict == "accepted" and case not in BROKEN] == []
