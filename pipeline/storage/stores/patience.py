"""Trying again what failed for a moment, around any store."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pipeline.errors import SystemProblem
from pipeline.settings import StoreSetting
from pipeline.storage.stores import Head, Item, Sink, Store, on_disk

T = TypeVar("T")

WAITS = (0.5, 2.0)
"""Seconds before the second and third attempt; the back ends' own clients have tried several times by then."""


class Patient:
    """A store that repeats calls which failed with a transient problem; everything else passes at once.

    Streams (`get`, `sink`) are opened with patience, but a stream that breaks off raises: who reads or writes it
    holds the bytes that were handed over and must begin again.
    """

    def __init__(
        self, store: Store, waits: tuple[float, ...] = WAITS, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._store = store
        self._waits = waits
        self._sleep = sleep

    def __repr__(self) -> str:
        return repr(self._store)

    @property
    def name(self) -> str:
        return self._store.name

    @property
    def id(self) -> str:
        return self._store.id

    @property
    def setting(self) -> StoreSetting:
        return self._store.setting

    @property
    def lanes(self) -> int:
        return self._store.lanes

    def check(self) -> None:
        self._try(self._store.check)

    def put(self, key: str, body: bytes | Path, size: int, sha256: str, *, only_if_absent: bool = False) -> bool:
        return self._try(lambda: self._store.put(key, body, size, sha256, only_if_absent=only_if_absent))

    def sink(self, key: str, size: int, sha256: str) -> Sink:
        return self._try(lambda: self._store.sink(key, size, sha256))

    def replace(self, key: str, body: bytes | Path, if_match: str | None = None) -> str:
        if if_match is not None:
            # A first attempt whose answer got lost would meet its own document: conditions are tried once.
            return self._store.replace(key, body, if_match)
        return self._try(lambda: self._store.replace(key, body))

    def get(self, key: str) -> BinaryIO:
        return self._try(lambda: self._store.get(key))

    def read(self, key: str) -> bytes:
        return self._try(lambda: self._store.read(key))

    def head(self, key: str) -> Head | None:
        return self._try(lambda: self._store.head(key))

    def list(self, prefix: str) -> Iterator[Item]:
        return self._store.list(prefix)

    def delete(self, key: str) -> None:
        self._try(lambda: self._store.delete(key))

    def sync(self) -> None:
        self._store.sync()

    def abort_unfinished(self, prefix: str = "") -> int:
        return self._try(lambda: self._store.abort_unfinished(prefix))

    def local(self, key: str) -> Path | None:
        return self._store.local(key)

    def folder(self, prefix: str) -> str | None:
        """For `on_disk`."""
        return on_disk(self._store, prefix)

    def prepare(self) -> None:
        self._try(self._store.prepare)

    def facts(self) -> dict[str, Any]:
        return self._try(self._store.facts)

    def close(self) -> None:
        self._store.close()

    def _try(self, act: Callable[[], T]) -> T:
        for wait in self._waits:
            try:
                return act()
            except SystemProblem as problem:
                if not problem.transient:
                    raise
            # Jitter: several processes that lost the same server must not come back in step.
            self._sleep(wait * (0.75 + random.random() / 2))
        return act()
