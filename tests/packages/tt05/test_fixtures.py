"""Each fault gives its code, at the level of either profile, and nothing beside it; no clean package gives any."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.findings import codes
from pipeline.ingest.validate import validate
from pipeline.settings import profile
from pipeline.workspace import Workspace
from tests.packages.tt05.build import build, folder, main, written
from tests.packages.tt05.fault import code_of, expected, levels
from tests.packages.tt05.faults import CLEAN, ELSEWHERE, FAULTS, tolerated
from tests.packages.tt05.fields import PROFILES, TYPES
from tests.packages.tt05.judged import Said, by_profile, said
from tests.packages.tt05.shape import Shape, plain


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tt05")


def judged(packages: Path, name: str, shape: Shape, asked: str) -> Said:
    """Built once a session, judged by one profile."""
    home = packages / name
    path = next(home.iterdir()) if home.is_dir() else written(shape, home)
    return said(path, by_profile(asked, shape.settings))


def test_every_code_has_a_fixture_or_a_test_of_what_gets_its_register() -> None:
    built = {code_of(name) for name in FAULTS}
    assert len(levels()) == 175
    assert built | ELSEWHERE.keys() == levels().keys()
    assert not built & ELSEWHERE.keys()
    assert {code for code in codes() if code.startswith("TT05-")} == levels().keys()


@pytest.mark.parametrize("asked", PROFILES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(packages: Path, name: str, asked: str) -> None:
    fault = FAULTS[name]
    found = judged(packages, name, fault.shape, asked)
    told = found.levels
    wanted = expected(name, fault, asked)
    if fault.later:
        assert told == {code: level for code, level in wanted.items() if code != code_of(name)}, fault.later
        return
    assert told == wanted, [finding for finding, _ in found.findings]
    assert found.valid == ("error" not in found.levels.values())


@pytest.mark.parametrize("asked", PROFILES)
@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_said_of_a_clean_package(packages: Path, name: str, asked: str) -> None:
    shape = CLEAN[name]
    found = judged(packages, name, shape, asked)
    assert found.levels.keys() == tolerated(shape, asked), [finding for finding, _ in found.findings]
    assert found.valid
    assert len(found.documents) == len(shape.documents)
    assert all(one.verdict == "valid" for one in found.documents)


BY_COMMAND = [name for name in FAULTS if name.startswith(("TT05-ZIP", "TT05-EAD-14", "TT05-STR-02"))]


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_says_what_is_found_before_the_judgement(tmp_path: Path, packages: Path, name: str) -> None:
    space = Workspace(tmp_path / "data")
    space.work.mkdir(parents=True)
    fault = FAULTS[name]
    for asked in PROFILES:
        home = packages / name
        path = next(home.iterdir()) if home.is_dir() else written(fault.shape, home)
        item, _ = validate(space, path, profile(asked), None)
        told = {one["code"]: one["level"] for one in item["findings"]}
        assert told == expected(name, fault, asked), item
        assert item["verdict"] == ("invalid" if "error" in told.values() else "valid")


def test_the_generator_writes_what_it_is_asked_for(tmp_path: Path) -> None:
    main([str(tmp_path), "TT05-ZIP-03", "clean/DIP plain"])
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("TT05*/*")) == [
        "TT05-ZIP-03 no-ordinal/uuid-11111111-2222-4333-8444-5555555555FF.zip",
        "TT05-ZIP-03/goi-tai-lieu.zip",
    ]
    assert next((tmp_path / "clean/DIP plain").iterdir()).name == plain("DIP").objid


@pytest.mark.parametrize("type", TYPES)
def test_the_type_is_told_and_the_command_says_the_same(tmp_path: Path, type: str) -> None:
    space = Workspace(tmp_path / "data")
    space.work.mkdir(parents=True)
    package = folder(build(plain(type)), tmp_path)
    item, code = validate(space, package, profile("tt05"), None)
    assert (item["kind"], item["verdict"], code) == (f"tt05/{type}", "valid", 0), item
    assert item["findings"] == []
