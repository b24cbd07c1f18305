"""`make bench`: luutru against the floor, in turns, as ratios; a table on the screen and in `bench/results.json`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench import floor, identification, inputs

PROJECT = Path(__file__).resolve().parent.parent
LUUTRU = str(PROJECT / ".venv" / "bin" / "luutru")


class Bench:
    """One data folder per measurement, an embedded S3 for all of them."""

    def __init__(self, base: Path, pairs: int) -> None:
        self.base = base
        self.pairs = pairs
        self.number = 0
        self.rows: list[dict[str, Any]] = []
        self.s3: Any = None

    def embedded(self) -> Any:
        """The embedded S3 of a data folder of its own."""
        from flows.services import ensure_s3
        from pipeline.workspace import Workspace

        if self.s3 is None:
            root = self.base / "servers"
            root.mkdir(exist_ok=True)
            for name in ("work", "locks", "reports", "journal"):
                (root / name).mkdir(exist_ok=True)
            self.s3 = ensure_s3(Workspace(root))
        return self.s3

    def stop(self) -> None:
        from flows.services import down
        from pipeline.workspace import Workspace

        down(Workspace(self.base / "servers"))

    def compare(self, name: str, source: Path, *, s3: bool, batch: bool = False) -> None:
        """Luutru and the floor in turns; medians, and the median of the ratios of the pairs."""
        ours, theirs, peak = [], [], 0
        count = sum(1 for _ in floor.files(source))
        for _ in range(self.pairs):
            self.number += 1
            seconds, memory = self._luutru(source, s3, batch)
            ours.append(seconds)
            peak = max(peak, memory)
            theirs.append(self._floor(source, s3))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        row = {
            "name": name, "stores": "folder + S3" if s3 else "folder", "files": count,
            "seconds": round(statistics.median(ours), 2), "floor": round(statistics.median(theirs), 2),
            "ratio": round(ratio, 2), "files_per_second": round(count / statistics.median(ours)),
            "peak_mb": round(peak / 1e6),
        }  # fmt: skip
        self.rows.append(row)
        print("  ".join(f"{key}={value}" for key, value in row.items()), flush=True)

    def _luutru(self, source: Path, s3: bool, batch: bool) -> tuple[float, int]:
        data = self.base / f"data-{self.number}"
        environment = {**os.environ, "LUUTRU_DATA": str(data)}
        run(environment, "store", "add", "vault", (self.base / f"vault-{self.number}").as_uri())
        profile = self.base / "one.toml"
        copies = 2 if s3 else 1
        profile.write_text(f'name = "bench"\naccepts = ["folder"]\nmakes = "eark-aip"\ncopies = {copies}\n')
        if s3:
            held = self.embedded()
            run(environment, "store", "add", "bucket", f"s3://{held.bucket}/bench-{self.number}",
                "--endpoint", held.endpoint, "--credentials-file", str(held.credentials))  # fmt: skip
        arguments = ["ingest", str(source), "--profile", str(profile), "--json", *(["--batch"] if batch else [])]
        seconds, memory = measured(environment, arguments)
        shutil.rmtree(data)
        shutil.rmtree(self.base / f"vault-{self.number}")
        return seconds, memory

    def _floor(self, source: Path, s3: bool) -> float:
        target = self.base / f"floor-{self.number}"
        started = time.monotonic()
        floor.to_folder(source, target)
        if s3:
            from pipeline.settings import StoreSetting
            from pipeline.storage.stores.s3 import S3Store

            held = self.embedded()
            url = f"s3://{held.bucket}/floor-{self.number}"
            setting = StoreSetting("floor", url, held.endpoint, None, str(held.credentials))
            store = S3Store(setting)
            floor.to_s3(source, store.client, held.bucket, f"floor-{self.number}")
        seconds = time.monotonic() - started
        shutil.rmtree(target)
        return seconds


def run(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([LUUTRU, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)  # fmt: skip


def measured(environment: dict[str, str], arguments: list[str]) -> tuple[float, int]:
    """(seconds, peak of the summed memory of the process tree in bytes: shared pages count once)."""
    peak = 0
    started = time.monotonic()
    process = subprocess.Popen([LUUTRU, *arguments], env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.05):
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", help="which of W1,W2,W3,W4,ID")
    parser.add_argument("--quick", action="store_true", help="a tenth of the input, one pair")
    chosen = parser.parse_args()
    scale = 10 if chosen.quick else 1
    wanted = set((chosen.only or "").split(",")) - {""}
    with tempfile.TemporaryDirectory(prefix="luutru-bench-") as folder:
        base = Path(folder)
        bench = Bench(base, 1 if chosen.quick else chosen.pairs)
        cases: list[tuple[str, str, Callable[[], Path], bool]] = [
            ("W1", "1,000 small files", lambda: inputs.small_files(base / "w1", 1000 // scale), False),
            ("W2", "10,000 small files", lambda: inputs.small_files(base / "w2", 10_000 // scale, 5), False),
            ("W3", "one file of 2 GiB", lambda: inputs.big_file(base / "w3", 2 * 1024**3 // scale), False),
            ("W4", "200 packages of 20 files", lambda: inputs.packages(base / "w4", 200 // scale, 20), True),
        ]
        try:
            for key, name, make, batch in cases:
                if wanted and key not in wanted:
                    continue
                source = make()
                for s3 in (False, True):
                    bench.compare(name, source, s3=s3, batch=batch)
            if not wanted or "ID" in wanted:
                (base / "scratch").mkdir()
                source = inputs.small_files(base / "w1", 1000 // scale)
                for row in identification.rows(source, base / "scratch", 100_000 // scale, bench.pairs):
                    bench.rows.append(row)
                    print("  ".join(f"{key}={value}" for key, value in row.items()), flush=True)
                os.chdir(PROJECT)
        finally:
            bench.stop()
        (PROJECT / "bench" / "results.json").write_text(json.dumps(bench.rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
