"""What tests of bad input and faults look at: the stores, the journal, the work folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.command import Answer, House
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
    """Lines of our own journal of one kind."""
    read = [
        json.loads(line)
        for file in sorted((house.data / "journal").rglob("*.jsonl"))
        for line in file.read_bytes().splitlines()
    ]
    return [line for line in read if line["kind"] == kind]


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
