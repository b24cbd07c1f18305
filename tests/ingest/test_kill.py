"""SIGKILL of the whole process group anywhere: the same command again finishes, with nothing twice and nothing left.

The kills fall at k/31 of the undisturbed run for k = 1…30, and for each stage at its first row and half way
through it. The stage that a kill hit is read from the ledger it left behind, and printed.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.services import down, ensure_s3
from pipeline.administration.archive import opened
from pipeline.storage.intents import still_open
from pipeline.storage.versions import objects
from pipeline.workspace import Workspace
from tests.command import ARCHIVE, CLOCK, House, kill_group
from tests.judges import ocfl_root

pytestmark = [pytest.mark.kill, pytest.mark.slow]

STAGES = ("receive", "check", "inspect", "normalise", "describe", "seal", "store")
KILLS = 30
SHARES = 3
"""Tests that share the kills among them, so that several workers of pytest do them."""
DATA = Path(__file__).parent.parent / "data"
PACKAGES = Path(__file__).parent.parent.parent / "sample_packages"


@dataclass(frozen=True)
class Setting:
    """A package, an embedded S3, and what an undisturbed run told: its length, when each stage began, its inventory."""

    package: Path
    s3: Any
    length: float
    began: dict[str, float]
    ended: dict[str, float]
    inventory: str
    stored: dict[str, str]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("servers")
    for name in ("work", "locks", "reports", "journal"):
        (root / name).mkdir()
    space = Workspace(root)
    try:
        yield ensure_s3(space)
    finally:
        down(space)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory, servers: Any) -> Setting:
    """The undisturbed run, watched."""
    package = tmp_path_factory.mktemp("package") / "gói lớn"
    shutil.copytree(PACKAGES / "accepted--ok--anh-tu-lieu", package, ignore=shutil.ignore_patterns("metadata"))
    shutil.copytree(PACKAGES / "accepted--ok--van-ban-ma-cu", package / "cũ", ignore=shutil.ignore_patterns("metadata"))
    for number in range(400):
        (package / f"tệp {number:03}.txt").write_text(f"nội dung {number}\n" * 40, encoding="utf-8")
    (package / "lớn.bin").write_bytes(bytes(range(256)) * 120_000)
    made = house(tmp_path_factory.mktemp("undisturbed"), servers, "undisturbed")
    started = time.monotonic()
    process = made.start("ingest", package, "--json")
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    while process.poll() is None:
        for key in facts(made):
            stage, _, what = key.partition(".")
            (began if what == "begin" else ended).setdefault(stage, time.monotonic() - started)
        time.sleep(0.005)
    length = time.monotonic() - started
    out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    inventory = verified(made, 1)
    return Setting(package, servers, length, began, ended, inventory, stored(made))


def house(base: Path, s3: Any, prefix: str) -> House:
    """An empty data folder with a folder store and a bucket of its own."""
    made = House(base, {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, workers=2)
    made.stores("vault")
    made.add("bucket", f"s3://{s3.bucket}/{prefix}", endpoint=s3.endpoint, credentials_file=str(s3.credentials))
    return made


def facts(made: House) -> dict[str, str]:
    """Begins and ends of stages in the one ledger of the work folder, read from outside."""
    for ledger in (made.data / "work").glob("*/ledger.sqlite"):
        reading = contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True))
        with contextlib.suppress(sqlite3.Error), reading as db:
            sql = "SELECT key, value FROM fact WHERE key LIKE '%.begin' OR key LIKE '%.end'"
            return dict(db.execute(sql).fetchall())
    return {}


def stage_of(made: House) -> str:
    """Where the work stands: the last stage that began and did not end; `start` before the first, `end` after all."""
    known = facts(made)
    if not known:
        return "start" if not any((made.data / "journal").rglob("*commit*")) else "end"
    for stage in reversed(STAGES):
        if f"{stage}.begin" in known:
            if f"{stage}.end" not in known:
                return stage
            return STAGES[min(STAGES.index(stage) + 1, len(STAGES) - 1)]
    return "receive"


def stored(made: House) -> dict[str, str]:
    """Every file of the vault's storage root with its digest."""
    root = made.base / "vault" / "ocfl"
    files = (file for file in root.rglob("*") if file.is_file())
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def verified(made: House, packages: int, as_in: dict[str, str] | None = None) -> str:
    """One object per store, no open intent, nothing unfinished, an empty work folder, a catalogue that is right.

    The judge looks at the vault, unless every byte there is to be that of one it has accepted (`as_in`).
    """
    space = Workspace(made.data)
    assert not [one for one in (made.data / "work").iterdir() if one.is_dir()], list((made.data / "work").iterdir())
    with opened(space) as at_hand:
        stores = at_hand.reach()
        assert [store.name for store in stores] == ["vault", "bucket"]
        digests = set()
        for store in stores:
            assert list(still_open(store)) == []
            assert store.abort_unfinished("ocfl/") == 0
            heads = list(objects(store))
            assert len(heads) == packages
            digests |= {head.inventory_sha256 for head in heads}
        held = list(at_hand.catalogue.holdings())
        assert len(held) == packages
        assert all(copy.state == "verified" for one in held for copy in one.copies)
        assert {one.inventory_digest for one in held} == digests
        lines = [line for line in at_hand.journal.lines() if line.kind == "commit"]
        assert len(lines) == packages
    if as_in is not None:
        assert stored(made) == as_in
    else:
        verdict = ocfl_root(made.base / "vault" / "ocfl")
        assert verdict.good, verdict.counting
    return " ".join(sorted(digests))


def killed(made: House, package: Path, when: Any) -> str:
    """Starts the command, kills its group when `when(seconds since start, facts)` says so; the stage that was hit."""
    process = made.start("ingest", package, "--json")
    started = time.monotonic()
    while process.poll() is None and not when(time.monotonic() - started, made):
        time.sleep(0.0005)
    kill_group(process)
    return stage_of(made)


def one(base: Path, setting: Setting, name: str, when: Any) -> str:
    """Kills once and lets the same command finish; the stage that was hit."""
    made = house(base / name, setting.s3, name)
    stage = killed(made, setting.package, when)
    print(f"{name}: {stage}", flush=True)
    again = made.run("ingest", setting.package)
    assert again.exit == 0, again.out + again.err
    assert again.item["verdict"] in ("accepted", "already archived"), name
    assert verified(made, 1, setting.stored) == setting.inventory, name
    shutil.rmtree(made.base)
    return stage


@pytest.mark.parametrize("share", range(SHARES))
def test_a_kill_anywhere_loses_nothing(tmp_path: Path, setting: Setting, share: int) -> None:
    for k in range(1 + share, KILLS + 1, SHARES):
        moment = setting.length * k / (KILLS + 1)
        one(tmp_path, setting, f"k{k}", lambda passed, _, moment=moment: passed >= moment)


def test_a_kill_in_every_stage_loses_nothing(tmp_path: Path, setting: Setting) -> None:
    hit: Counter[str] = Counter()
    for stage in STAGES:
        began = f"{stage}.begin"
        hit[one(tmp_path, setting, f"first-row-of-{stage}", lambda _, made, began=began: began in facts(made))] += 1
        half = (setting.ended.get(stage, setting.length) - setting.began[stage]) / 2
        hit[one(tmp_path, setting, f"half-way-through-{stage}", Later(began, half))] += 1
    for stage in STAGES[1:]:
        began = f"{stage}.begin"
        for number in range(8):  # the short stages are over before a killer outside sees them begin
            if hit[stage] < 2:
                name = f"again{number}-{stage}"
                hit[one(tmp_path, setting, name, lambda _, made, began=began: began in facts(made))] += 1
    print(dict(hit))
    for stage in STAGES[1:]:
        assert hit[stage] >= 2, (stage, dict(hit))


class Later:
    """True once `seconds` have passed since the ledger told a fact."""

    def __init__(self, fact: str, seconds: float) -> None:
        self._fact = fact
        self._seconds = seconds
        self._since: float | None = None

    def __call__(self, passed: float, made: House) -> bool:
        if self._since is None and self._fact in facts(made):
            self._since = passed
        return self._since is not None and passed - self._since >= self._seconds


def test_two_commands_on_one_package_do_its_work_once(tmp_path: Path, setting: Setting) -> None:
    made = house(tmp_path / "two", setting.s3, "two")
    both = [made.start("ingest", setting.package, "--json") for _ in range(2)]
    for process in both:
        process.communicate(timeout=300)
    assert [process.returncode for process in both] == [0, 0]
    verified(made, 1)


def test_a_stopped_command_says_how_to_go_on(tmp_path: Path, setting: Setting) -> None:
    made = house(tmp_path / "stopped", setting.s3, "stopped")
    process = made.start("ingest", setting.package, "--json")
    while "check.begin" not in facts(made):
        time.sleep(0.005)
    process.send_signal(subprocess.signal.SIGINT)  # type: ignore[attr-defined]
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert b'"exit": 130' in out
    assert made.run("ingest", setting.package).exit == 0
    assert verified(made, 1) == setting.inventory
