"""Stores that fail as real ones do, around real ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import SystemProblem
from pipeline.settings import StoreSetting
from pipeline.storage.stores import Head, Item, Sink, Store, StoreAbsent


def gone() -> SystemProblem:
    return StoreAbsent("SYS-STORE-UNREACHABLE", transient=True, store="broken", cause="test")


def full() -> SystemProblem:
    return SystemProblem("SYS-STORE-FULL", store="broken", cause="No space left on device")


class Broken:
    """Works for `fail_after` calls that write, then every call fails; `before` is told the number of each write."""

    def __init__(
        self,
        store: Store,
        fail_after: int = 10**9,
        problem: Callable[[], SystemProblem] = gone,
        before: Callable[[int], None] = lambda number: None,
    ) -> None:
        self._store = store
        self._left = fail_after
        self._problem = problem
        self._before = before
        self._lock = threading.Lock()
        self.writes = 0

    def _write(self) -> None:
        with self._lock:
            self.writes += 1
            self._before(self.writes)
            self._left -= 1
        self._look()

    def _look(self) -> None:
        if self._left < 0:
            raise self._problem()

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
        self._look()
        self._store.check()

    def put(self, key: str, body: bytes | Path, size: int, sha256: str, *, only_if_absent: bool = False) -> bool:
        self._write()
        return self._store.put(key, body, size, sha256, only_if_absent=only_if_absent)

    def sink(self, key: str, size: int, sha256: str) -> Sink:
        self._write()
        return self._store.sink(key, size, sha256)

    def replace(self, key: str, body: bytes | Path, if_match: str | None = None) -> str:
        self._write()
        return self._store.replace(key, body, if_match)

    def get(self, key: str) -> BinaryIO:
        self._look()
        return self._store.get(key)

    def read(self, key: str) -> bytes:
        self._look()
        return self._store.read(key)

    def head(self, key: str) -> Head | None:
        self._look()
        return self._store.head(key)

    def list(self, prefix: str) -> Iterator[Item]:
        self._look()
        return self._store.list(prefix)

    def delete(self, key: str) -> None:
        self._write()
        self._store.delete(key)

    def sync(self) -> None:
        self._write()
        self._store.sync()

    def abort_unfinished(self, prefix: str = "") -> int:
        self._look()
        return self._store.abort_unfinished(prefix)

    def local(self, key: str) -> Path | None:
        return self._store.local(key)

    def prepare(self) -> None:
        self._store.prepare()

    def facts(self) -> dict[str, Any]:
        return self._store.facts()

    def close(self) -> None:
        self._store.close()
