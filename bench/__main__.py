"""`make bench`: luutru against the floor and against other programs, in turns, as ratios.

What it finds goes to `bench/results.json` and from there into `docs/performance.md`; with `--only` other rows stay.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import (
    characterisation,
    families,
    floor,
    identification,
    inputs,
    ocr,
    office,
    peers,
    stages,
    table,
    text,
    tt05,
)
from bench.measure import PROJECT, Household

CASES = (
    "W1,W2,W3,W4,TT05,TEXT,CHAR,FAMILIES,OFFICE,OCR,ID,P1,P2,P1a,P2a,P3,P6,P7,P8a,P8b,P9,P10,P13,P14,PEERS,A3M,BIG,"
    "STAGES"
)


class Bench:
    """The rows against the floor."""

    def __init__(self, house: Household, pairs: int) -> None:
        self.house = house
        self.pairs = pairs

    def compare(self, key: str, name: str, source: Path, *, s3: bool, batch: bool = False) -> dict[str, Any]:
        """Luutru and the floor in turns; medians, and the median of the ratios of the pairs."""
        ours, theirs, peak = [], [], 0
        count = sum(1 for _ in floor.files(source))
        for _ in range(self.pairs):
            measure = self.house.ingest(source, s3=s3, batch=batch)
            ours.append(measure.seconds)
            peak = max(peak, measure.peak)
            theirs.append(self._floor(source, s3))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        return {
            "key": key, "name": name, "stores": "folder + S3" if s3 else "folder", "files": count,
            "seconds": round(statistics.median(ours), 2), "floor": round(statistics.median(theirs), 2),
            "ratio": round(ratio, 2), "files_per_second": round(count / statistics.median(ours)),
            "peak_mb": round(peak / 1e6), "load": round(os.getloadavg()[0], 1),
        }  # fmt: skip

    def _floor(self, source: Path, s3: bool) -> float:
        target = self.house.base / f"floor-{self.house.number}"
        started = time.monotonic()
        floor.to_folder(source, target)
        if s3:
            prefix = f"floor-{self.house.number}"
            floor.to_s3(source, self.house.bucket(prefix).client, self.house.embedded().bucket, prefix)
        seconds = time.monotonic() - started
        shutil.rmtree(target)
        return seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", help=f"some of {CASES}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the input, one pair; nothing is written")
    parser.add_argument("--table", action="store_true", help="write the rows that are there into docs/performance.md")
    chosen = parser.parse_args()
    if chosen.table:
        table.write()
        return
    scale = 10 if chosen.quick else 1
    pairs = 1 if chosen.quick else chosen.pairs
    wanted = set((chosen.only or "").split(",")) - {""}
    rows: list[dict[str, Any]] = []

    def told(row: dict[str, Any]) -> None:
        rows.append(row)
        print("  ".join(f"{key}={value}" for key, value in row.items()), flush=True)

    with tempfile.TemporaryDirectory(prefix="luutru-bench-") as folder:
        base = Path(folder)
        house = Household(base)
        bench = Bench(house, pairs)

        def w1() -> Path:
            return inputs.small_files(base / "w1", 1000 // scale)

        def w2() -> Path:
            return inputs.small_files(base / "w2", 10_000 // scale, 5)

        def w3() -> Path:
            return inputs.big_file(base / "w3", 2 * 1024**3 // scale)

        cases: list[tuple[str, str, Callable[[], Path], bool]] = [
            ("W1", "1,000 small files", w1, False),
            ("W2", "10,000 small files", w2, False),
            ("W3", "one file of 2 GiB", w3, False),
            ("W4", "200 packages of 20 files", lambda: inputs.packages(base / "w4", 200 // scale, 20), True),
        ]
        try:
            for key, name, make, batch in cases:
                if not wanted or key in wanted:
                    source = make()
                    for s3 in (False, True):
                        told(bench.compare(key, name, source, s3=s3, batch=batch))
            asked = {key for key in wanted if key.startswith("P") or key == "A3M"} - {"P13"}
            if not wanted or asked:
                if absent := peers.missing():
                    print(f"not compared with {', '.join(absent)}: bash bench/peers.sh brings them", flush=True)
                else:
                    for row in peers.Peers(house, pairs).rows(w1(), w2(), w3(), asked):
                        told(row)
            if not wanted or "P13" in wanted:
                told(peers.linear(house, w1(), inputs.texts(base / "w5", 100_000 // scale)))
            if not wanted or "BIG" in wanted:
                told(peers.whole(house, inputs.sparse_file(base / "w6", 20 * 1024**3 // scale)))
            if not wanted or "STAGES" in wanted:
                told(stages.row(w1()))
            if not wanted or "TT05" in wanted:
                for row in tt05.rows(base, 10_000 // scale, pairs):
                    told(row)
            if not wanted or "TEXT" in wanted:
                for row in text.rows(base, 50_000_000 // scale, pairs):
                    told(row)
            if not wanted or "CHAR" in wanted:
                for row in characterisation.rows(base, 200 // scale, 10_000 // scale, pairs):
                    told(row)
            if not wanted or "FAMILIES" in wanted:
                for row in families.rows(base, max(4, 40 // scale)):
                    told(row)
            if not wanted or "OFFICE" in wanted:
                for row in office.rows(base, 300 // scale, pairs):
                    told(row)
            if not wanted or "OCR" in wanted:
                for row in ocr.rows(base, max(2, 20 // scale), pairs):
                    told(row)
            if not wanted or "ID" in wanted:
                (base / "scratch").mkdir()
                for row in identification.rows(w1(), base / "scratch", 100_000 // scale, pairs):
                    told(row)
                os.chdir(PROJECT)
        finally:
            house.stop()
        if not chosen.quick:
            table.keep(rows)
            table.write()


if __name__ == "__main__":
    main()
