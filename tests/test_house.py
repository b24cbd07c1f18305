"""Rules of the house that no linter knows: what may be imported where, and what the lists of packages promise."""

from __future__ import annotations

import ast
import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("commands", "flows", "pipeline")
POSIX_ONLY = {"fcntl", "grp", "pwd", "resource"}
POSIX_ROOMS = ("pipeline/pool", "pipeline/tools", "pipeline/workspace.py")
LOCKS = ("build", "dev", "judge-eark", "runtime")


def modules() -> Iterator[Path]:
    """Every module of luutru itself."""
    yield ROOT / "cli.py"
    for folder in SOURCES:
        yield from sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """The path as a person writes it."""
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(top-level name of what is imported, whether that happens when the module is imported)."""
    tree = ast.parse(path.read_text("utf-8"))

    def walk(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield alias.name.split(".")[0], at_import
            elif isinstance(child, ast.ImportFrom) and child.module:
                yield child.module.split(".")[0], at_import
            yield from walk(child, at_import and not inside)

    return walk(tree, True)


def test_the_command_line_imports_only_what_shows_help() -> None:
    """`luutru --help` is fast because cli.py reaches for the rest inside its commands."""
    at_import = {module for module, at_import in imports(ROOT / "cli.py") if at_import}
    anywhere = {module for module, _ in imports(ROOT / "cli.py")}
    assert at_import.isdisjoint({"prefect", "flows", "rich", "lxml", "boto3", "pydantic", "sqlalchemy"})
    assert anywhere.isdisjoint({"prefect", "boto3", "lxml", "sqlalchemy", "sqlite3", "subprocess"})


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_what_only_posix_has_stays_in_its_rooms_and_inside_functions(path: Path) -> None:
    """So that validating and packing can run on Windows."""
    at_home = name_of(path).startswith(POSIX_ROOMS)
    for module, at_import in imports(path):
        if module in POSIX_ONLY:
            assert at_home, f"{name_of(path)} imports {module}"
            assert not at_import, f"{name_of(path)} imports {module} outside a function"
    if not at_home:
        forks = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute) and node.attr in {"fork", "forkpty", "setuid", "setgid", "setgroups"}
        ]
        assert not forks, f"{name_of(path)} forks or changes its user in line {forks}"


def test_no_module_is_longer_than_a_person_reads() -> None:
    places = [*modules(), *(path for folder in ("tests", "bench", "setup") for path in (ROOT / folder).rglob("*.py"))]
    long = {name_of(path): lines for path in places if (lines := path.read_bytes().count(b"\n")) > 600}
    assert not long


def test_no_room_is_called_after_nothing() -> None:
    empty = {"utils", "helpers", "common", "manager", "misc"}
    assert not [name_of(path) for path in modules() if empty & {*path.parts, path.stem}]


# --- the lists of packages ---


def canonical(name: str) -> str:
    """The one spelling of a package name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def locked(stem: str) -> dict[str, frozenset[str]]:
    """Each pinned package of a lock file with the digests of its files."""
    found: dict[str, frozenset[str]] = {}
    text = (ROOT / f"requirements/{stem}.txt").read_text("utf-8")
    for block in re.split(r"(?m)^(?=[a-z0-9])", text):
        if pinned := re.match(r"([a-z0-9._-]+==[^ ;\\]+)", block):
            found[pinned[1]] = frozenset(re.findall(r"sha256:([0-9a-f]{64})", block))
    return found


@pytest.mark.parametrize("stem", LOCKS)
def test_every_package_is_pinned_by_digest_and_no_address_is_written(stem: str) -> None:
    packages = locked(stem)
    assert packages and all(packages.values())
    text = (ROOT / f"requirements/{stem}.txt").read_text("utf-8")
    assert "://" not in text and "--index-url" not in text and "--find-links" not in text


@pytest.mark.parametrize("stem", ["build", "runtime"])
def test_the_tests_run_on_what_users_get(stem: str) -> None:
    tested = locked("dev")
    for package, digests in locked(stem).items():
        assert tested.get(package) == digests, f"{package} is tested in another version"


def test_every_installed_package_has_its_licence_listed() -> None:
    listed = (ROOT / "requirements/LICENCES.md").read_text("utf-8")
    assert "not stated" not in listed
    known = {canonical(line.split("|")[1]) for line in listed.splitlines() if line.startswith("| ")}
    installed = {canonical(package.metadata["Name"]) for package in importlib.metadata.distributions()}
    assert not installed - known - {"luutru", "pip", "setuptools"}, "run `make licences`"


def test_every_system_package_says_what_it_is_for() -> None:
    lines = (ROOT / "requirements/system.txt").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert rows
    for row in rows:
        group, package, witness, reason = row
        assert group in {"run", "test", "jhove"} and package and witness and len(reason) > 10
