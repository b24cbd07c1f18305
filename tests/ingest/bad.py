"""What tests of bad input and faults look at: the stores, the journal, the work folder."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flows.seaweed import BUCKET
from tests.command import ARCHIVE, CLOCK, LUUTRU, Answer, House
from tests.contract import faults

SHIMS = Path(__file__).parent.parent / "shims"
SAMPLES = Path(__file__).parent.parent.parent / "sample_packages"


def package(parent: Path, name: str = "gói tốt", **files: bytes) -> Path:
    """A small folder that is accepted."""
    root = parent / name
    root.mkdir(parents=True)
    (root / "công văn.txt").write_text(f"Kính gửi {name}\n", encoding="utf-8")
    for path, data in files.items():
        (root / f"{path}.txt").write_bytes(data)
    return root


def faulty(*faults: tuple[str, str, str]) -> dict[str, str]:
    """Environment of a command for which these calls on these names fail: (call, name, errno)."""
    rows = [{"call": call, "name": name, "errno": errno} for call, name, errno in faults]
    return {"PYTHONPATH": str(SHIMS), "LUUTRU_TEST_FAULTS": json.dumps(rows)}


def stored(base: Path, *stores: str) -> set[str]:
    """All files of these folder stores that belong to packages."""
    return {
        f"{name}/{file.relative_to(base / name)}"
        for name in stores or ("vault", "second")
        for part in ("ocfl", "intents")
        for file in (base / name / part).rglob("*")
        if file.is_file() and file.parent != base / name / "ocfl" and "extensions" not in file.parts
    }


def objects(store: Path) -> list[Path]:
    return sorted(file.parent for file in store.glob("ocfl/**/0=ocfl_object_1.1"))


def lines(house: House, kind: str) -> list[dict[str, Any]]:
    """Fields of the lines of one kind in our own journal, in their order."""
    read = [
        json.loads(line)
        for file in sorted((house.data / "journal").rglob("*.jsonl"))
        for line in file.read_bytes().splitlines()
    ]
    ordered = sorted(read, key=lambda line: int(line["seq"]))
    return [line["fields"] for line in ordered if line["kind"] == kind]


def fits(answer: Answer, code: int, *problems: str) -> Answer:
    """The answer, once it is sure: exit code, a document of the contract, codes of the problems of document and items
    (in order), each with texts in both languages."""
    assert answer.document is not None, answer.err
    assert answer.exit == code == answer.document["exit"], (answer.exit, answer.out, answer.err)
    assert (faults(answer.document), answer.document["schema"]) == ([], answer.document["schema"])
    told = [answer.document.get("problem"), *(item.get("problem") for item in answer.items)]
    found = [one for one in told if one]
    assert [one["code"] for one in found] == list(problems), answer.out
    for one in found:
        for part in ("message", "advice"):
            assert all(one[part][tongue] and "{" not in one[part][tongue] for tongue in ("vi", "en")), one
    return answer


def whole(house: House, packages: int, *stores: str) -> None:
    """The house in order: so many objects in each store, nothing begun, nothing left in the work folder."""
    for name in stores or ("vault", "second"):
        assert len(objects(house.base / name)) == packages, name
        assert not [file for file in (house.base / name / "intents").rglob("*") if file.is_file()], name
    left = [one for one in (house.data / "work").iterdir() if one.is_dir()]
    assert left == []
    assert len(lines(house, "commit")) == packages


@dataclass
class Apart(House):
    """A house whose commands run in a mount namespace of their own, where disks can be made small or read-only."""

    inside: subprocess.Popen[bytes] | None = field(default=None)

    def enter(self) -> None:
        """Makes the namespace; stays until `leave`."""
        self.inside = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 3600"],
            stdout=subprocess.PIPE,
        )
        assert self.inside.stdout is not None
        assert self.inside.stdout.readline() == b"ready\n"

    def leave(self) -> None:
        assert self.inside is not None
        self.inside.kill()
        self.inside.wait()

    def mount(self, script: str) -> None:
        """Runs a shell script inside."""
        assert self.inside is not None
        command = ["nsenter", "-t", str(self.inside.pid), "-m", "sh", "-ec", f"cd '{self.base}'; {script}"]
        subprocess.run(command, check=True, timeout=60)

    def start(self, *arguments: Any, env: Mapping[str, str] = {}, **more: Any) -> subprocess.Popen[bytes]:
        assert self.inside is not None
        command = ["nsenter", "-t", str(self.inside.pid), "-m", "--", str(LUUTRU), *arguments]
        return subprocess.Popen(
            command, env={**self.environment, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, **more,
        )  # fmt: skip


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount; the issue allows a small tmpfs where that is allowed")
    made = Apart(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    made.settings(archive=ARCHIVE, workers=1)
    made.enter()
    try:
        yield made.stores()  # type: ignore[misc]
    finally:
        made.leave()


def with_bucket(house: House, endpoint: str, credentials: Path, prefix: str) -> House:
    """Adds a store in the bucket that the tests of one server share."""
    answer = house.run(
        "store", "add", "bucket", f"s3://{BUCKET}/{prefix}", "--endpoint", endpoint, "--credentials-file", credentials
    )
    assert answer.exit == 0, answer.out + answer.err
    return house


def one_copy(folder: Path) -> Path:
    """The profile `eark` for an archive that has one store."""
    text = (SAMPLES.parent / "profiles" / "eark.toml").read_text(encoding="utf-8")
    file = folder / "one.toml"
    file.write_text("copies = 1\n" + "\n".join(line for line in text.splitlines() if not line.startswith("copies")))
    return file
