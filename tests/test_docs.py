"""What the documentation shows is true: commands run, keys exist, links lead somewhere."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from pipeline.findings import codes
from pipeline.reports.words import VERDICTS
from pipeline.settings import PROJECT, Limits, Profile, Settings, checked

DOCS = PROJECT / "docs"
PAGES = sorted([PROJECT / "README.md", PROJECT / "README.vi.md", PROJECT / "CHANGELOG.md", *DOCS.rglob("*.md")])
pytestmark = pytest.mark.xdist_group("docs")

ENVIRONMENT = Path(sys.executable).parent


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The commands as a person types them at the top of the clone, with a home of their own."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("LUUTRU_", "AWS_", "XDG_", "PREFECT_"))
    }
    environment |= {"HOME": str(home), "PATH": f"{ENVIRONMENT}:{os.environ['PATH']}", "LUUTRU_LANG": "en"}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "README.vi.md"])
def test_the_commands_of_the_readme_run(page: str, tmp_path: Path) -> None:
    done = run("\n".join(blocks(PROJECT / page, "sh")), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    exported = list((tmp_path / "out").iterdir())
    assert len(exported) == 1
    assert (exported[0] / "METS.xml").is_file()


SAMPLES = (
    "accepted--ok--bao-cao-2019",
    "accepted--ok--ten-la.tar",
    "accepted--ok--ten-nguy-hiem.zip",
    "accepted--ok--anh-tu-lieu",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A home with two stores and some packages in them, and the ids of these."""
    home = tmp_path_factory.mktemp("archive")
    paths = " ".join(f"sample_packages/{name}" for name in SAMPLES)
    done = run(
        'luutru store add vault "file://$HOME/vault" && luutru store add second "file://$HOME/second" && '
        f"luutru ingest {paths} --json > $HOME/ingest.json",
        home,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    items = json.loads((home / "ingest.json").read_text(encoding="utf-8"))["items"]
    return home, [item["aip"] for item in items]


def by_hand(home: Path, urn: str, store: str = "vault") -> subprocess.CompletedProcess[str]:
    """Every command of the page about the format, for one package of one store."""
    commands = "\n".join(blocks(DOCS / "aip-format.md", "sh"))
    return run(f'store="$HOME/{store}" urn={urn}\n{commands}\necho "restored: $out"', home)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SAMPLES)), ids=SAMPLES)
def test_a_package_is_checked_and_restored_by_hand(archive: tuple[Path, list[str]], number: int) -> None:
    home, urns = archive
    done = by_hand(home, urns[number], "second" if number % 2 else "vault")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(done.stdout.splitlines()) >= {*urns, "inventory.json: OK"}
    restored = Path(done.stdout.splitlines()[-1].removeprefix("restored: "))
    exported = home / f"exported-{number}"
    assert run(f"luutru export {urns[number]} {exported}", home).returncode == 0
    assert tree(restored) == tree(exported)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def changed(package: Path) -> None:
    with next((package / "v1" / "content").rglob("?" * 64)).open("ab") as file:
        file.write(b"x")


def missing(package: Path) -> None:
    next((package / "v1" / "content").rglob("?" * 64)).unlink()


def extra(package: Path) -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    (package / "v1" / "content" / digest).write_bytes(b"x")


def inventory(package: Path) -> None:
    with (package / "inventory.json").open("ab") as file:
        file.write(b" ")


def rewritten(package: Path) -> None:
    inventory(package)
    digest = hashlib.sha256((package / "inventory.json").read_bytes()).hexdigest()
    (package / "inventory.json.sha256").write_text(f"{digest}  inventory.json\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (changed, "computed checksum did NOT match"),
        (missing, "< v1/content/"),
        (extra, "> v1/content/"),
        (inventory, "computed checksum did NOT match"),
        (rewritten, "inventory.json: OK"),
    ],
)
def test_damage_is_found_by_hand(archive: tuple[Path, list[str]], damage: Callable[[Path], None], told: str) -> None:
    home, (urn, *_) = archive
    store = home / damage.__name__
    shutil.copytree(home / "vault", store)
    (package,) = store.rglob(f"*{urn.removeprefix('urn:uuid:')}")
    damage(package)
    done = by_hand(home, urn, store.name)
    assert done.returncode != 0
    assert told in done.stdout + done.stderr
    assert "committed" not in done.stdout


def test_both_readmes_show_the_same_commands() -> None:
    english, vietnamese = (blocks(PROJECT / page, "sh") for page in ("README.md", "README.vi.md"))
    assert english == vietnamese
    assert blocks(PROJECT / "README.md", "console") == blocks(PROJECT / "README.vi.md", "console")


def test_targets_of_make_that_are_shown_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    shown = {
        name for page in PAGES for name in re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert {"demo", "test"} <= shown
    for name in shown:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name


def test_the_command_reference_is_current() -> None:
    script = [sys.executable, str(PROJECT / "setup" / "cli_reference.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            assert (page.parent / unquote(target.split("#")[0])).exists(), target


@pytest.mark.parametrize("record", [Settings, Profile, Limits])
def test_every_key_of_settings_and_profiles_is_explained_with_its_default(record: type[Any]) -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(record):
        row = next((line for line in page.splitlines() if line.startswith(f"| `{field.name}` |")), None)
        assert row is not None, field.name
        if isinstance(field.default, str | int):
            assert str(field.default).lower() in row.lower(), field.name


def test_the_examples_of_settings_are_read() -> None:
    first, second = (tomllib.loads(text) for text in blocks(DOCS / "settings.md", "toml"))
    assert checked(Settings, first, "example").audit_days == 365
    assert checked(Profile, second, "example").limits.files == 20000


def test_codes_that_pages_name_exist() -> None:
    known = codes()
    for page in PAGES:
        for code in re.findall(
            r"`((?:PKG|BAG|FLD|FMT|NRM|SYS|USE|ING)-[A-Z0-9-]+[A-Z0-9])`", page.read_text(encoding="utf-8")
        ):
            assert code in known, f"{page.name}: {code}"


def test_the_verdicts_of_the_glossary_are_those_of_the_reports() -> None:
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8")
    for vietnamese, english in VERDICTS.values():
        if english != "no verdict":
            assert vietnamese in glossary
            assert english in glossary


def test_the_schema_words_of_the_contract_are_those_of_the_reports() -> None:
    contract = (DOCS / "contract.md").read_text(encoding="utf-8").replace("\n", " ")
    for key in ("accepted", "rejected", "waiting/person", "waiting/copy", "already archived", "valid", "invalid"):
        assert VERDICTS[key][0] in contract


def test_the_examples_of_extending_stand_in_the_program() -> None:
    page = DOCS / "extend.md"
    (rule,) = blocks(page, "toml")
    (tool,) = blocks(page, "python")
    assert tool in (PROJECT / "pipeline" / "tools" / "vips.py").read_text(encoding="utf-8")
    shown = tomllib.loads(rule)["rules"][0]
    file = PROJECT / "profiles" / "normalisation" / "images.toml"
    rules = tomllib.loads(file.read_text(encoding="utf-8"))["rules"]
    real = next(one for one in rules if one["name"] == shown["name"])
    for action in real["actions"]:
        action.pop("limits")
    assert shown == real
    named = re.findall(r'Finding\("([A-Z-]+)"', page.read_text(encoding="utf-8"))
    assert named
    for code in named:
        assert f'Finding("{code}"' in (PROJECT / "pipeline" / "packages" / "folder" / "sums.py").read_text(
            encoding="utf-8"
        )


def test_the_map_of_the_house_shows_every_room() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    house = page.split("```text\n")[1].split("```")[0]
    below = house[house.index("pipeline/ ") : house.index("profiles/")]
    rooms = {path.name for path in (PROJECT / "pipeline").iterdir() if (path / "__init__.py").is_file()}
    assert set(re.findall(r"^  ([a-z]+)/ ", below, re.MULTILINE)) == rooms
    ground = {path.stem for path in (PROJECT / "pipeline").glob("*.py")} - {"__init__"}
    assert set(" ".join(re.findall(r"^  ((?:[a-z]+ )+)", below, re.MULTILINE)).split()) == ground
    for name in re.findall(r"^([a-z_.]+)/? ", house, re.MULTILINE):
        assert (PROJECT / name).exists(), name


def test_the_walk_goes_through_every_stage_in_order() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    order = (PROJECT / "pipeline" / "ingest" / "ingest.py").read_text(encoding="utf-8")
    stages = [name for name in re.findall(r"\brun\(([a-z]+), ", order) if name != "complete"]
    assert len(stages) == 7
    assert re.findall(r"^\*\*([a-z]+)\*\* ", page, re.MULTILINE) == stages
