"""The schemas of the command line say what docs/contract.md says."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.errors import UsageProblem
from pipeline.findings import as_json, problem_json
from pipeline.records import Finding, PackagePath
from pipeline.settings import PROJECT
from tests.command import House
from tests.contract import SCHEMAS, faults, validator
from tests.reports.hostile import audit, ordinary

URN = "urn:uuid:0a1b2c3d-0000-5000-8000-000000000000"
TEXT = {"en": "", "vi": ""}
NAMES = (
    "text",
    *("ingest", "validate", "audit", "identify", "show", "status", "doctor", "store", "export"),
    *("normalise", "rules", "characterise"),
    *("catalogue", "formats", "journal", "signatures", "up", "down", "verify-signature", "decide"),
)


def ingest() -> dict[str, Any]:
    document = ordinary()
    for item in document["items"]:
        for finding in item["findings"]:
            finding["line"] = finding["line"] or None
    return document


def test_there_is_a_schema_for_every_document_and_each_is_one() -> None:
    assert {file.name.removesuffix(".schema.json") for file in SCHEMAS.iterdir()} == {*NAMES, "common"}
    for file in SCHEMAS.iterdir():
        Draft202012Validator.check_schema(json.loads(file.read_text(encoding="utf-8")))


def test_documents_of_the_reports_are_documents_of_the_contract() -> None:
    assert faults(ingest()) == []
    assert faults(audit(("vault",))) == []


def test_real_findings_and_problems_fit() -> None:
    document = ingest()
    document["items"][1]["findings"] = [as_json(Finding("PKG-PAYLOAD-HELD", PackagePath(b"a\xffb"), 3, "x", "y"))]
    assert document["items"][1]["findings"][0]["file_raw"] == "a%FFb"
    document["problem"] = problem_json(UsageProblem("USE-PATH", path="x"))
    assert faults(document) == []


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ((), "schema", "luutru/ingest/2"),
        ((), "exit", 5),
        ((), "ended", "2026-11-24T10:00:00"),
        ((), "more", 1),
        (("items", 0), "verdict", "đạt"),
        (("items", 0), "verdict", None),
        (("items", 0), "aip", "0a1b2c3d"),
        (("items", 0), "version", 1),
        (("items", 0), "submission_digest", "AB" * 32),
        (("items", 0), "bytes", -1),
        (("items", 0), "formats", {"fmt/18": 0}),
        (("items", 0, "copies", 0), "evidence", "trust"),
        (("items", 1), "problem", {"code": "SYS-READ", "transient": True, "message": TEXT, "advice": TEXT}),
        (("items", 1, "findings", 0), "level", "fatal"),
        (("items", 1, "findings", 0), "message", {"en": "only"}),
        (("items", 1, "findings", 0), "code", "bag man"),
    ],
)  # fmt: skip
def test_what_is_not_the_contract_is_refused(where: tuple[Any, ...], key: str, value: object) -> None:
    document = ingest()
    target: Any = document
    for step in where:
        target = target[step]
    target[key] = value
    assert faults(document)


@pytest.mark.parametrize("key", ["path", "kind", "profile", "verdict", "files", "findings", "problem", "waiting_for"])
def test_no_key_of_an_item_may_lack(key: str) -> None:
    document = copy.deepcopy(ingest())
    del document["items"][0][key]
    assert faults(document)


def test_validate_has_no_keys_of_a_stored_package() -> None:
    item: dict[str, Any] = {
        "path": "a", "kind": "bagit/1.0", "profile": None, "verdict": "valid", "submission_digest": None, "files": 1,
        "bytes": 2, "seconds": 0.1, "findings": [], "problem": None,
    }  # fmt: skip
    document = {**ingest(), "schema": "luutru/validate/1", "items": [item]}
    assert faults(document) == []
    assert faults({**document, "items": [{**item, "not_checked": ["TT05-DOC-10"]}]}) == []
    assert faults({**document, "items": [{**item, "aip": None}]})
    assert faults({**document, "items": [{**item, "verdict": "accepted"}]})


def test_identify_lines() -> None:
    line = {
        "path": "a.pdf", "bytes": 3, "sha256": "ab" * 32, "puid": "fmt/18", "name": "PDF", "version": "1.4",
        "mime": "application/pdf",
        "basis": "byte match", "engines": {"siegfried": {"puids": ["fmt/18"]}}, "agreement": "single",
    }  # fmt: skip
    assert faults(line) == []
    assert faults({**line, "puid": None, "agreement": "none"}) == []
    assert faults({**line, "puid": "pdf"})
    assert faults({**line, "agreement": "maybe"})


@pytest.mark.slow
def test_every_command_prints_its_document(tmp_path: Path) -> None:
    house = House(tmp_path / "house").stores()
    samples = PROJECT / "sample_packages"
    good, bad = samples / "accepted--ok--bao-cao-2019", samples / "rejected--BAG-MAN-04--sai-ma-bam"
    stored = house.run("ingest", good, bad)
    assert stored.exit == 1, stored.err
    aip = stored.items[0]["aip"]
    commands: list[tuple[str | Path, ...]] = [
        ("ingest", good),
        ("ingest", tmp_path / "nothing"),
        ("ingest", "--nonsense"),
        ("validate", good, bad),
        ("validate", aip),
        ("show", aip),
        ("show", "ffffffff"),
        ("status",),
        ("text", PROJECT / "tests" / "data" / "vietnamese" / "text" / "tcvn3.txt"),
        ("store", "list"),
        ("store", "probe", "vault"),
        ("doctor",),
        ("audit",),
        ("audit", "--plan"),
        ("export", aip, tmp_path / "out"),
        ("catalogue", "rebuild"),
        ("journal", "verify"),
        ("formats",),
        ("signatures", "list"),
        ("signatures", "update", PROJECT / "README.md"),
        ("down",),
    ]
    for command in commands:
        said = house.run(*command)
        assert said.document is not None, said.err
        assert faults(said.document) == [], command
        assert said.document["schema"].split("/")[1] == command[0], command
        assert said.document["exit"] == said.exit, command
    identified = house.run("identify", good, json_=False, env={})
    assert identified.exit == 0, identified.err
    lines = house.start("identify", good, "--json").communicate(timeout=120)[0].decode().splitlines()
    assert len(lines) == stored.items[0]["files"]
    for line in lines:
        assert faults(json.loads(line)) == []


def test_a_usage_problem_is_a_document_too() -> None:
    document = {
        "schema": "luutru/show/1",
        "luutru": "0.1.0",
        "exit": 2,
        "items": [],
        "problem": problem_json(UsageProblem("USE-PATH", path="x")),
    }
    assert faults(document) == []


def test_the_page_names_every_schema_and_every_key_of_an_ingest() -> None:
    page = (PROJECT / "docs" / "contract.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"`{name}/1`" in page
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    assert examples
    for example in examples:
        assert faults(example) == []
    schema: Any = validator("ingest").schema
    assert list(examples[0]["items"][0]) == list(schema["properties"]["items"]["items"]["properties"])
