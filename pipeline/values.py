"""Records as the JSON that a ledger keeps of them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pipeline.records import Derived, Format


def dumped(record: Any) -> str:
    """A record (a dataclass with slots) as JSON, the same text for equal records; its own `read` takes it back."""
    return json.dumps(_plainly(record), default=_plain, sort_keys=True)


def _plainly(value: Any) -> Any:
    """What `dataclasses.asdict` gives, without its copies of every text and number."""
    if isinstance(value, (tuple, list)):
        return [_plainly(one) for one in value]
    if isinstance(value, dict):
        return {key: _plainly(one) for key, one in value.items()}
    if isinstance(value, (str, int, bytes, float, datetime)) or value is None:
        return value
    return {name: _plainly(getattr(value, name)) for name in value.__slots__}


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def derived(text: str) -> Derived:
    """What `dumped` made of a derivative."""
    value = json.loads(text)
    format_ = Format.read(value["format"]) if value["format"] else None
    programs = tuple((name, version) for name, version in value["programs"])
    when = datetime.fromisoformat(value["when"])
    return Derived(**{**value, "when": when, "format": format_, "programs": programs})
