"""Identification: milliseconds a file of each engine and of both, against stock fido; memory over many files."""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from pipeline.content.identification import extension_of
from pipeline.content.identification.fido.opinion import Fido
from pipeline.content.identification.siegfried import Siegfried
from pipeline.content.reading import read_all
from pipeline.pool import Pool
from pipeline.tree import FolderTree


def rows(source: Path, scratch: Path, many: int, pairs: int = 3) -> Iterator[dict[str, Any]]:
    """Rows of the table: files of `source` are read once before; `many` files are made for the memory."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and path.stat().st_size]
    for path in files:
        path.read_bytes()
    os.chdir(scratch)
    siegfried, corrected, stock = Siegfried(), Fido(), _stock()

    def first(path: Path, fd: int, size: int) -> None:
        siegfried.identify(fd, size, os.pread(fd, 1 << 20, 0), extension_of(os.fsencode(path)))

    def second(path: Path, fd: int, size: int) -> None:
        corrected.identify(fd, size, extension_of(os.fsencode(path)))

    def both(path: Path, fd: int, size: int) -> None:
        first(path, fd, size)
        second(path, fd, size)

    def released(path: Path, fd: int, size: int) -> None:
        stock(path)

    alone: dict[str, float] = {}
    for name, one in (("siegfried", first), ("fido", second), ("both", both), ("stock fido", released)):
        _every(files, one)
        alone[name] = statistics.median(_every(files, one) for _ in range(pairs))
        yield {"name": f"identify by {name}", "files": len(files), "ms_per_file": round(alone[name], 2)}
    yield {"name": "stock fido / corrected fido", "ratio": round(alone["stock fido"] / alone["fido"], 1)}
    pool = Pool(("pipeline.content.learning",), 1)
    for engines in ("siegfried", "both"):
        spent = [_through(pool, source, scratch, engines) for _ in range(pairs + 1)][1:]
        yield {"name": f"one worker of the pool: digest and {engines}", "files": len(files),
               "ms_per_file": round(statistics.median(spent), 2)}  # fmt: skip
    yield _memory(pool, source, scratch, many)
    pool.close()


def _every(files: list[Path], one: Callable[[Path, int, int], None]) -> float:
    started = time.perf_counter()
    for path in files:
        fd = os.open(path, os.O_RDONLY)
        try:
            one(path, fd, os.fstat(fd).st_size)
        finally:
            os.close(fd)
    return 1000 * (time.perf_counter() - started) / len(files)


def _stock() -> Callable[[Path], None]:
    """The released fido with the signatures that come with it."""
    from fido import fido
    from fido.versions import get_local_versions

    folder = Path(fido.__file__).parent / "conf"
    versions = get_local_versions(str(folder))
    fido.defaults["containersignature_file"] = versions.pronom_container_signature
    made = fido.Fido(quiet=True, conf_dir=str(folder), format_files=[versions.pronom_signature],
                     handle_matches=lambda *_: None)  # fmt: skip

    def one(path: Path) -> None:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Exception):
            made.identify_file(str(path))

    return one


def _through(pool: Pool, source: Path, scratch: Path, engines: str) -> float:
    tree = FolderTree(source)
    entries = [entry for entry in tree.entries() if entry.size]
    started = time.perf_counter()
    count = sum(1 for _ in read_all(tree, entries, (), identify=True, workers=1, scratch=scratch, pool=pool,
                                    engines=engines))  # fmt: skip
    return 1000 * (time.perf_counter() - started) / count


def _memory(pool: Pool, source: Path, scratch: Path, many: int) -> dict[str, Any]:
    """Memory of this process and its workers, shared pages counted once: in the first twentieth, and at most later."""
    tree = FolderTree(source)
    entries = [entry for entry in tree.entries() if entry.size]
    me = psutil.Process()
    early = peak = done = 0
    started = time.perf_counter()
    while done < many:
        for _ in read_all(tree, entries, (), identify=True, workers=1, scratch=scratch, pool=pool):
            done += 1
            if done % 500 == 0:
                now = sum(one.memory_full_info().pss for one in (me, *me.children(recursive=True)))
                if done <= max(many // 20, 500):
                    early = max(early, now)
                else:
                    peak = max(peak, now)
    return {"name": "memory of one worker and its parent", "files": done, "early_mb": round(early / 1e6),
            "peak_mb": round(peak / 1e6), "seconds": round(time.perf_counter() - started, 1)}  # fmt: skip
