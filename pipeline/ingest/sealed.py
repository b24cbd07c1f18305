"""The plan of a sealed AIP, read from its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.ingest.session import Session
from pipeline.ledger import SUBMISSION
from pipeline.plan import Content
from pipeline.records import PackagePath


class SealedPlan:
    """`plan.Plan` over a session: payload out of the submission, everything of ours out of the work folder."""

    def __init__(self, current: Session, aip: str, version: int, inventory_sha256: str) -> None:
        self._current = current
        self._aip = aip
        self._version = version
        self._digest = inventory_sha256

    @property
    def urn(self) -> str:
        return f"urn:uuid:{self._aip}"

    @property
    def version(self) -> int:
        return self._version

    @property
    def inventory(self) -> Path:
        return self._current.work / "inventory.json"

    @property
    def inventory_sha256(self) -> str:
        return self._digest

    def contents(self) -> Iterator[Content]:
        """New content of this version, each digest once, in order of digest."""
        for sha256, size, lies, at in self._current.ledger.contents():
            if lies == SUBMISSION:
                yield Content(sha256, size, None, False)
            else:
                name = at.decode()
                yield Content(sha256, size, self._current.work / name, name.startswith("aip/"))

    def open(self, content: Content) -> BinaryIO:
        """The bytes, from wherever they are."""
        if content.local is not None:
            return content.local.open("rb")
        return self._current.tree.open(PackagePath(self._current.ledger.lies_at(content.sha256)))
