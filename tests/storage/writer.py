"""Processes that write two versions into the stores of a data folder, to be killed: `writer.py FOLDER`.

For each line on standard input, a number, a child is forked that does the whole work and sends itself SIGKILL just
before its so-manieth call that changes a store (0: never); then its exit status is printed. Imports are paid once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

import boto3  # noqa: F401  (paid before forking)

from pipeline.settings import household
from pipeline.storage import copies
from pipeline.storage.stores import Store, open_store
from pipeline.workspace import workspace
from tests.storage.faults import Broken
from tests.storage.plans import STATE_1, STATE_2, URN, plan


def work(folder: Path, kill_at: int) -> int:
    """The number of calls; `committed-N` in the folder plays the journal."""
    count = 0

    def before(_: int) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    space = workspace()
    held = household(space)
    stores: list[Store] = [Broken(open_store(one, held.archive, space.work), before=before) for one in held.stores]
    first = plan(folder, {**STATE_1, "representations/rep1/data/big.bin": bytes(5_000_000)})
    for made in (first, plan(folder, STATE_2, first)):
        mark = folder / f"committed-{made.version}"
        if not mark.exists():
            rows = copies.write(made, stores, scratch=space.work)
            assert all(row.state == "verified" for row in rows), rows
            mark.touch()
        copies.close(URN, made.version, stores)
    return count


def main(folder: Path) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                (folder / "count").write_text(str(work(folder, int(line))))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
