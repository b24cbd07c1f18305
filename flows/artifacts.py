"""Reports in the dashboard: Markdown per package, one table per batch. Texts come from `pipeline/reports`."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL

from flows import ports
from pipeline import names
from pipeline.reports import cells, markdown
from pipeline.reports.words import Lang, mood, text

if TYPE_CHECKING:
    from flows.jobs import Job
    from pipeline.ingest.item import Item

MOST_BYTES = 200_000
"""A longer report is cut: the whole list of findings is in the JSON and HTML reports."""

BETWEEN_SECONDS = 1.0
_lost = False
T = TypeVar("T")


async def audited(document: dict[str, Any], lang: Lang) -> None:
    """The report of an audit; the page of the key holds those of all nights."""
    await _kept(acreate_markdown_artifact(_cut(markdown.report(document, lang)), key="audit", description=None))


async def report(item: Item, lang: Lang) -> None:
    """The report of a package on the run that is under way; a dashboard that is away changes nothing."""
    made = _cut(markdown.item(item.document(), lang))
    await _kept(
        acreate_markdown_artifact(made, key=key("report", item.ingest or _digest(item.path)), description=_title(item))
    )


class Table:
    """The table of a batch, which fills while it runs."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._lang = job.lang
        self._id: UUID | None = None
        self._last = 0.0

    async def begin(self) -> None:
        title = text("ingest", self._lang)
        made = acreate_table_artifact(self._rows(), key=key("batch", self._job.row.id), description=title)
        self._id = await _kept(made)
        self._last = time.monotonic()

    async def fill(self, last: bool = False) -> None:
        """At most once a second; the last time always."""
        if self._id is None or (not last and time.monotonic() - self._last < BETWEEN_SECONDS):
            return
        self._last = time.monotonic()
        await _kept(self._update(self._id))

    async def _update(self, identifier: UUID) -> None:
        async with get_client() as client:
            await client.update_artifact(identifier, ArtifactUpdate(data=json.dumps(self._rows())))

    def _rows(self) -> list[dict[str, str]]:
        rows = []
        for request, item in zip(self._job.requests, self._job.results, strict=True):
            shown = item.document() if item else {"path": names.shown(bytes(request.package))}
            row = {}
            for column in cells.PACKAGES:
                told = column.shown(shown, self._lang) if item or column.key == "package" else "…"
                # Cells are shown as Markdown.
                cell = markdown.escaped(told)
                if item and column.key == "verdict":
                    cell = f"{markdown.SYMBOLS[mood(shown)]} {cell}"
                row[markdown.escaped(text(column.key, self._lang))] = cell
            rows.append(row)
        return rows


def key(kind: str, identifier: str) -> str:
    """A key of lower-case letters, digits and dashes: the same package has the same key, its page shows all reports."""
    return f"{kind}-{re.sub(r'[^a-z0-9]+', '-', identifier.lower())}"


def _cut(made: str) -> str:
    return made if len(made) <= MOST_BYTES else made[:MOST_BYTES].rpartition("\n")[0] + "\n\n…\n"


def _digest(path: str) -> str:
    """Stands for a package that came to no ingest id: it could not be opened."""
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _title(item: Item) -> str:
    return markdown.escaped(cells.base(item.document()))


async def _kept(made: Coroutine[Any, Any, T]) -> T | None:
    """What the dashboard answers; None when it does not. One that is gone is not waited for at all."""
    global _lost
    port = urlsplit(PREFECT_API_URL.value()).port or 0
    if not ports.open_to(port) or (_lost and ports.answers(port, "/api/health", seconds=2) != 200):
        _lost = True
        made.close()
        return None
    try:
        answer = await made
    except Exception as trouble:
        _lost = True
        get_run_logger().warning("The report could not be shown: %s", type(trouble).__name__)
        return None
    _lost = False
    return answer
