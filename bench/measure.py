"""Households for measuring: a data folder per measurement, one embedded S3 for all, time and memory of luutru."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parent.parent
LUUTRU = str(PROJECT / ".venv" / "bin" / "luutru")


@dataclass(frozen=True)
class Measure:
    """Seconds, files, and the peak of the summed memory of the process tree in bytes (shared pages count once)."""

    seconds: float
    files: int
    peak: int


@dataclass(frozen=True)
class Held:
    """A household that holds an AIP."""

    environment: dict[str, str]


class Household:
    """Makes data folders below `base`."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.number = 0
        self._s3: Any = None

    def embedded(self) -> Any:
        """The embedded S3 of a data folder of its own."""
        from flows.services import ensure_s3
        from pipeline.workspace import Workspace

        if self._s3 is None:
            root = self.base / "servers"
            root.mkdir(exist_ok=True)
            for name in ("work", "locks", "reports", "journal"):
                (root / name).mkdir(exist_ok=True)
            self._s3 = ensure_s3(Workspace(root))
        return self._s3

    def bucket(self, prefix: str) -> Any:
        """A store below a prefix of the embedded bucket."""
        from pipeline.settings import StoreSetting
        from pipeline.storage.stores.s3 import S3Store

        held = self.embedded()
        return S3Store(StoreSetting(prefix, f"s3://{held.bucket}/{prefix}", held.endpoint, None, str(held.credentials)))

    def stop(self) -> None:
        """Ends the servers."""
        from flows.services import down
        from pipeline.workspace import Workspace

        if self._s3 is not None:
            down(Workspace(self.base / "servers"))

    def ingest(self, source: Path, *, s3: bool, batch: bool = False, apart: bool = False) -> Measure:
        """A whole ingest from the command line to the committed AIP; what it made is removed.

        `apart`: with one engine and no examination of files (`bench.apart`).
        """
        environment, arguments = self._begin(source, s3, batch)
        command = [str(PROJECT / ".venv" / "bin" / "python"), "-m", "bench.apart"] if apart else [LUUTRU]
        seconds, peak = measured(environment, arguments, command)
        self._remove(environment)
        files = sum(len(names) for _, _, names in os.walk(source))
        return Measure(seconds, files, peak)

    def kept(self, source: Path, *, s3: bool) -> Held:
        """An ingest whose household stays, to audit it."""
        environment, arguments = self._begin(source, s3, False)
        measured(environment, arguments)
        return Held(environment)

    def audit(self, held: Held, store: str = "vault") -> float:
        """Seconds of an audit of one store from the command line."""
        return measured(held.environment, ["audit", "--store", store, "--json"])[0]

    def _begin(self, source: Path, s3: bool, batch: bool) -> tuple[dict[str, str], list[str]]:
        self.number += 1
        data = self.base / f"data-{self.number}"
        environment = {**os.environ, "LUUTRU_DATA": str(data)}
        run(environment, "store", "add", "vault", (self.base / f"vault-{self.number}").as_uri())
        profile = self.base / "one.toml"
        copies = f"copies = {2 if s3 else 1}"
        lines = ('name = "bench"', 'accepts = ["folder"]', 'makes = "eark-aip"', "normalise = false", copies)
        profile.write_text("\n".join(lines) + "\n")
        if s3:
            held = self.embedded()
            run(environment, "store", "add", "bucket", f"s3://{held.bucket}/bench-{self.number}",
                "--endpoint", held.endpoint, "--credentials-file", str(held.credentials))  # fmt: skip
        return environment, [
            "ingest", str(source), "--profile", str(profile), "--json", *(["--batch"] if batch else []),
        ]  # fmt: skip

    def _remove(self, environment: dict[str, str]) -> None:
        data = Path(environment["LUUTRU_DATA"])
        shutil.rmtree(data)
        shutil.rmtree(self.base / data.name.replace("data", "vault"))


def run(environment: dict[str, str], *arguments: str) -> None:
    """A command of luutru that has to end well."""
    subprocess.run([LUUTRU, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)  # fmt: skip


def measured(
    environment: dict[str, str], arguments: list[str], command: Sequence[str] = (LUUTRU,)
) -> tuple[float, int]:
    """(seconds, peak of the summed memory of the process tree in bytes: shared pages count once)."""
    peak = 0
    started = time.monotonic()
    process = subprocess.Popen([*command, *arguments], env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.1):
            peak = max(peak, tree_memory(process.pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - started
    over.set()
    watcher.join()
    if code != 0:
        raise SystemExit(f"luutru {' '.join(arguments)}: exit {code}")
    return seconds, peak


def tree_memory(pid: int) -> int:
    """Proportional set size of a process and its children, in bytes."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for one in (parent, *parent.children(recursive=True)):
            try:
                total += one.memory_full_info().pss
            except psutil.Error:
                continue
    except psutil.Error:
        pass
    return total
