"""Actions and verifications that are our own code, as a worker of the pool runs them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, BinaryIO

from pipeline.content.normalisation.made import Failed, Proved
from pipeline.content.normalisation.registry import actions_in_worker, looks, verifications_in_worker
from pipeline.content.normalisation.registry import prepare as import_all
from pipeline.pool import Job


def prepare() -> None:
    """Called before workers are forked: everything is imported."""
    import_all()


def act(job: Job, name: str, results: list[str], arguments: list[str], reads: list[str]) -> dict[str, Any]:
    """Runs an action: the descriptors are the source, further files to read, and the results, in the order of names."""
    with ExitStack() as stack:
        source, *files = [
            stack.enter_context(_opened(fd, "rb" if number <= len(reads) else "r+b"))
            for number, fd in enumerate(job.fds)
        ]
        try:
            for file in files[len(reads) :]:
                file.truncate()  # of an attempt that ran out of memory
            named = dict(zip([*reads, *results], files, strict=True))
            made = actions_in_worker()[name](source, named, arguments, job.beat)
        except Failed as failed:
            return _failed(failed)
    return {"made": asdict(made)}


def fit(job: Job, name: str) -> bool:
    """Whether the file of the one descriptor is already what an action would make of it."""
    with _opened(job.fds[0], "rb") as source:
        return looks()[name](source, job.beat)


def scanned(job: Job) -> int:
    """Pages of the file of the one descriptor that are scans without text."""
    from pipeline.content import scans

    with _opened(job.fds[0], "rb") as source:
        return scans.look(source, job.beat)


def verify(job: Job, name: str, arguments: list[str]) -> dict[str, Any]:
    """Runs a verification: the descriptors are source and result."""
    with ExitStack() as stack:
        source, result = (stack.enter_context(_opened(fd, "rb")) for fd in job.fds)
        try:
            told = verifications_in_worker()[name](source, result, arguments, job.beat)
        except Failed as failed:
            return _failed(failed)
    return {"proved": told.how} if isinstance(told, Proved) else {"differs": told.reason}


def _opened(fd: int, mode: str) -> BinaryIO:
    os.lseek(fd, 0, os.SEEK_SET)
    return os.fdopen(fd, mode, closefd=False)  # type: ignore[return-value]


def _failed(failed: Failed) -> dict[str, Any]:
    return {
        "failed": {
            "code": failed.code, "found": failed.found, "expected": failed.expected, "attempted": failed.attempted,
            "last": failed.last,
        }
    }  # fmt: skip
