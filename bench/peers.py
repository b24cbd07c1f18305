"""Side by side with programs that others use for a part of the work, in turns, in one run; targets as ratios.

`bench/peers.sh` brings them. Both sides end durable (`sync -f` where a peer does not sync) and read back.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.measure import LUUTRU, PROJECT, Household

PEERS = Path(os.environ.get("LUUTRU_PEERS") or PROJECT / ".peers")
ROCFL = PEERS / "rocfl" / "bin" / "rocfl"
RCLONE = PEERS / "python" / "bin" / "rclone"
A3M = PEERS / "a3m" / "bin" / "a3m"

_SIEGFRIED = """
import os, sys, pygfried
for root, _, names in os.walk(sys.argv[1]):
    for name in names:
        pygfried.identify(os.path.join(root, name), detailed=True)
"""

_APART = "one engine, no examination:"

Pair = tuple[Callable[[], float], Callable[[], float]]


def missing() -> list[str]:
    """Peers that are not here, by name."""
    found = [path.name for path in (ROCFL, RCLONE) if not path.exists()]
    return found + ([] if shutil.which("restic") else ["restic"])


class Peers:
    """The rows of one run. `base` is an empty folder, `pairs` how often each side runs."""

    def __init__(self, house: Household, pairs: int) -> None:
        self.house = house
        self.pairs = pairs
        self._number = 0

    def rows(self, w1: Path, w2: Path, w3: Path, wanted: set[str]) -> Iterator[dict[str, Any]]:
        """Rows of targets 1 to 3, 6 to 10 and 14, those of `wanted` alone if it is not empty."""
        cases: list[tuple[str, str, str, float, float, Callable[[], Pair]]] = [
            ("P1", "ingest 1,000 files, folder", "pygfried + rocfl + sync + validate", 1.3, 0.7,
             lambda: (lambda: self._ingest(w1, s3=False), lambda: self._siegfried(w1) + self._rocfl(w1))),
            ("P2", "ingest 10,000 files, folder", "pygfried + rocfl + sync + validate", 0.9, 0.45,
             lambda: (lambda: self._ingest(w2, s3=False), lambda: self._siegfried(w2) + self._rocfl(w2))),
            ("P1a", f"{_APART} 1,000 files, folder", "pygfried + rocfl + sync + validate", 1.3, 0.7,
             lambda: (lambda: self._ingest(w1, s3=False, apart=True), lambda: self._siegfried(w1) + self._rocfl(w1))),
            ("P2a", f"{_APART} 10,000 files, folder", "pygfried + rocfl + sync + validate", 0.9, 0.45,
             lambda: (lambda: self._ingest(w2, s3=False, apart=True), lambda: self._siegfried(w2) + self._rocfl(w2))),
            ("P3", "ingest 1,000 files, folder + S3", "rclone copy + check --download", 1.4, 0.9,
             lambda: (lambda: self._ingest(w1, s3=True), lambda: self._rclone(w1))),
            ("P6", "ingest one file of 2 GiB, folder", "rocfl + sync + validate", 1.0, 0.7,
             lambda: (lambda: self._ingest(w3, s3=False), lambda: self._rocfl(w3))),
            ("P7", "2 GiB to S3", "rclone copyto", 0.9, 0.6,
             lambda: (lambda: self._send(w3), lambda: self._rclone_big(w3))),
            ("P8a", "audit 10,000 files, folder", "rocfl validate", 1.5, 1.0, lambda: self._audit_pair(w2)),
            ("P8b", "audit 2 GiB, folder", "rocfl validate", 1.1, 0.6, lambda: self._audit_pair(w3)),
            ("P9", "audit 10,000 files, S3", "rclone check --download", 0.9, 0.6, lambda: self._audit_s3(w2, False)),
            ("P10", "audit 2 GiB, S3", "restic check --read-data", 0.6, 0.35, lambda: self._audit_s3(w3, True)),
            ("P14", "luutru --help", "python -c pass", 8.0, 5.0, lambda: (_help, _nothing)),
        ]  # fmt: skip
        for key, name, yardstick, must, great, make in cases:
            if not wanted or key in wanted or "PEERS" in wanted:
                yield self._row(key, name, yardstick, must, great, make())
        if "A3M" in wanted and A3M.exists():
            yield self._row("P11", "ingest 1,000 files, folder", "a3m 0.7.14, no normalisation", 1 / 50, 1 / 150,
                            (lambda: self._ingest(w1, s3=False), lambda: self._a3m(w1)), 1)  # fmt: skip

    def _row(
        self, key: str, name: str, yardstick: str, must: float, great: float, pair: Pair, pairs: int = 0
    ) -> dict[str, Any]:
        ours, theirs = [], []
        for _ in range(pairs or self.pairs):
            ours.append(pair[0]())
            theirs.append(pair[1]())
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        return {
            "key": key, "name": name, "yardstick": yardstick, "seconds": round(statistics.median(ours), 3),
            "theirs": round(statistics.median(theirs), 3), "ratio": round(ratio, 4), "must": round(must, 4),
            "great": round(great, 4), "load": round(os.getloadavg()[0], 1),
        }  # fmt: skip

    # --- our side

    def _ingest(self, source: Path, *, s3: bool, apart: bool = False) -> float:
        return self.house.ingest(source, s3=s3, apart=apart).seconds

    def _send(self, source: Path) -> float:
        file = next(path for path in source.rglob("*") if path.is_file())
        with file.open("rb") as data:
            digest = hashlib.file_digest(data, "sha256").hexdigest()
        store = self.house.bucket(f"send-{self._next()}")
        started = time.monotonic()
        store.put("whole", file, file.stat().st_size, digest)
        return time.monotonic() - started

    def _audit_pair(self, source: Path) -> Pair:
        held = self.house.kept(source, s3=False)
        root = self._rocfl_root(source)
        return lambda: self.house.audit(held), lambda: timed([str(ROCFL), "-r", str(root), "validate"])

    def _audit_s3(self, source: Path, big: bool) -> Pair:
        """An audit of the copy in S3 alone."""
        held = self.house.kept(source, s3=True)
        if big:
            repository, environment = self._restic(source)
            check: list[str] = ["restic", "-q", "-r", repository, "check", "--read-data"]
            return lambda: self.house.audit(held, "bucket"), lambda: timed(check, environment)
        target = self._rclone_target()
        environment = self._rclone_environment()
        subprocess.run([str(RCLONE), "copy", "--transfers", "16", str(source), target], env=environment, check=True)
        check = [str(RCLONE), "check", "--download", "--checkers", "16", str(source), target]
        return lambda: self.house.audit(held, "bucket"), lambda: timed(check, environment)

    # --- their side

    def _siegfried(self, source: Path) -> float:
        return timed([str(PROJECT / ".venv" / "bin" / "python"), "-c", _SIEGFRIED, str(source)])

    def _rocfl(self, source: Path) -> float:
        started = time.monotonic()
        root = self._rocfl_root(source)
        subprocess.run([str(ROCFL), "-r", str(root), "validate"], check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        shutil.rmtree(root)
        return seconds

    def _rocfl_root(self, source: Path) -> Path:
        root = self.house.base / f"rocfl-{self._next()}"
        root.mkdir()
        calls = (["init"], ["new", "-d", "sha256", "it"], ["cp", "-r", "it", str(source), "--", "/"],
                 ["commit", "-n", "bench", "-a", "mailto:bench@invalid", "it"])  # fmt: skip
        for call in calls:
            subprocess.run([str(ROCFL), "-q", "-r", str(root), *call], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["sync", "-f", str(root)], check=True)
        return root

    def _rclone(self, source: Path) -> float:
        target, environment = self._rclone_target(), self._rclone_environment()
        copied = timed([str(RCLONE), "copy", "--transfers", "16", str(source), target], environment)
        return copied + timed(
            [str(RCLONE), "check", "--download", "--checkers", "16", str(source), target], environment
        )

    def _rclone_big(self, source: Path) -> float:
        file = next(path for path in source.rglob("*") if path.is_file())
        return timed([str(RCLONE), "copyto", str(file), self._rclone_target() + "/whole"], self._rclone_environment())

    def _rclone_target(self) -> str:
        return f"bench:{self.house.embedded().bucket}/rclone-{self._next()}"

    def _rclone_environment(self) -> dict[str, str]:
        key, secret = self._keys()
        return {
            **os.environ, "RCLONE_CONFIG_BENCH_TYPE": "s3", "RCLONE_CONFIG_BENCH_PROVIDER": "Other",
            "RCLONE_CONFIG_BENCH_ENDPOINT": self.house.embedded().endpoint, "RCLONE_CONFIG_BENCH_ACCESS_KEY_ID": key,
            "RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY": secret, "RCLONE_CONFIG": "/nonexistent",
            "RCLONE_LOG_LEVEL": "ERROR",
        }  # fmt: skip

    def _restic(self, source: Path) -> tuple[str, dict[str, str]]:
        key, secret = self._keys()
        held = self.house.embedded()
        repository = f"s3:{held.endpoint}/{held.bucket}/restic-{self._next()}"
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
                       "RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(self.house.base / "restic")}  # fmt: skip
        for call in (["init"], ["backup", str(source)]):
            subprocess.run(["restic", "-q", "-r", repository, *call], env=environment, check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        return repository, environment

    def _a3m(self, source: Path) -> float:
        home = self.house.base / f"a3m-{self._next()}"
        home.mkdir()
        off = ("normalize", "extract_packages", "delete_packages_after_extraction", "transcribe_files",
               "examine_contents", "perform_policy_checks_on_originals", "generate_transfer_structure_report",
               "assign_uuids_to_directories", "document_empty_directories")  # fmt: skip
        options = [part for name in off for part in ("-p", f"{name}=no")]
        call = [str(A3M), "--no-input", "--name", "bench", *options, source.as_uri()]
        seconds = timed(call, {**os.environ, "HOME": str(home)})
        if not list(home.rglob("bench-*.7z")):
            raise SystemExit("a3m made no AIP")
        return seconds

    def _keys(self) -> tuple[str, str]:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(self.house.embedded().credentials)
        section = parser["default"]
        return section["aws_access_key_id"], section["aws_secret_access_key"]

    def _next(self) -> int:
        self._number += 1
        return self._number


def timed(call: list[str], environment: dict[str, str] | None = None) -> float:
    """Seconds of a program that has to end well."""
    started = time.monotonic()
    subprocess.run(call, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - started


def _help() -> float:
    return statistics.median(timed([LUUTRU, "--help"]) for _ in range(5))


def _nothing() -> float:
    return statistics.median(timed([str(PROJECT / ".venv" / "bin" / "python"), "-c", "pass"]) for _ in range(5))


def linear(house: Household, small: Path, large: Path) -> dict[str, Any]:
    """Seconds a file of many files against few, and the peak of memory of many."""
    few, many = house.ingest(small, s3=False), house.ingest(large, s3=False)
    ratio = (many.seconds / many.files) / (few.seconds / few.files)
    return {"key": "P13", "name": f"ingest {many.files:,} files, folder", "yardstick": f"{few.files:,} files, per file",
            "seconds": round(many.seconds, 1), "theirs": round(few.seconds, 1), "ratio": round(ratio, 3), "must": 1.2,
            "great": 1.0, "peak_mb": round(many.peak / 1e6), "load": round(os.getloadavg()[0], 1)}  # fmt: skip


def whole(house: Household, source: Path) -> dict[str, Any]:
    """Seconds and peak of memory of one big file, which is written and read back in full."""
    size = sum(file.stat().st_size for file in source.iterdir())
    done = house.ingest(source, s3=False)
    return {"key": "BIG", "name": f"ingest one file of {size / 2**30:.0f} GiB (sparse), folder",
            "seconds": round(done.seconds, 1), "mb_per_second": round(size / done.seconds / 1e6),
            "peak_mb": round(done.peak / 1e6), "load": round(os.getloadavg()[0], 1)}  # fmt: skip
