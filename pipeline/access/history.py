"""What the journal knows of an AIP after it was sealed, as events of PREMIS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline.records import Event, Link, Outcome

MOST = 500
"""Events that are told, the latest ones; the journal holds all."""

_TYPES = {"commit": "ingestion end", "copy-made": "replication", "audit": "fixity check"}


def events(history: Iterable[Mapping[str, Any]], version: int, agent: str) -> Iterator[Event]:
    """Events of a history as `Catalogue.show` gives it, up to this version, by key; `agent` is the one that acted.

    Handing out is left out: it does nothing to what is held. What was not checked is no event.
    """
    lines = [line for line in history if line.get("kind") in _TYPES and int(line.get("version", 1)) <= version]
    for number, line in enumerate(lines[-MOST:], max(1, len(lines) - MOST + 1)):
        kind = str(line["kind"])
        when = datetime.fromisoformat(str(line["time"]))
        failed = kind == "audit" and line.get("result") != "intact"
        yield Event(
            f"journal/{number:06d}/{kind}", _TYPES[kind], when, when, _detail(line),
            Outcome.FAIL if failed else Outcome.SUCCESS, str(line.get("result", "")) if failed else "",
            ((agent, "executing program"),), (Link("package", ""),),
        )  # fmt: skip


def _detail(line: Mapping[str, Any]) -> str:
    """What was done, in the words of the journal: `key=value; …`."""
    told = [f"version=v{line.get('version', 1)}"]
    if "inventory_digest" in line:
        told.append(f"inventory={line['inventory_digest']}")
    for one in line.get("stores", ()):
        told.append(f"store={one['store']} ({one['state']}, {one['evidence'] or '-'})")
    for name in ("store", "from", "result", "evidence", "problems_found"):
        value = line.get(name)
        if isinstance(value, str | int) and value != "":
            told.append(f"{name}={value}")
    return "; ".join(told)
