"""The JSON Schemas of the command line's documents, ready to check one."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from pipeline.settings import PROJECT

SCHEMAS = PROJECT / "schemas" / "cli"


@cache
def validator(name: str) -> Draft202012Validator:
    """Checks documents of `ingest`, `validate`, `audit`, …"""
    files = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in SCHEMAS.glob("*.schema.json")}
    registry: Registry[Any] = Registry().with_resources(
        (key, Resource.from_contents(schema)) for key, schema in files.items()
    )
    return Draft202012Validator(files[f"{name}.schema.json"], registry=registry)


def faults(document: dict[str, Any]) -> list[str]:
    """Why a document is not what the contract says; empty when it is. `schema` inside it names the schema."""
    name = str(document.get("schema", "luutru/identify/1")).split("/")[1]
    return [f"{error.json_path}: {error.message[:300]}" for error in validator(name).iter_errors(document)]
