"""A way of one package without rules about content: its name says what becomes of it. Same shape as the real ingest."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from typing import Any

from pipeline.errors import Interrupted, SystemProblem
from pipeline.findings import problem_json
from pipeline.ingest.item import Item
from pipeline.ingest.tokens import Ended, Request
from pipeline.names import shown
from pipeline.records import Verdict

FINDING = {
    "code": "BAG-MAN-04", "level": "error", "file": "data/<b>*a*|b.txt", "file_raw": None, "line": 3, "expected": "1",
    "found": "=2", "reference": "RFC 8493", "message": {"en": "digest *differs*", "vi": "mã băm *khác*"},
    "advice": {"en": "send [again](http://x)", "vi": "gửi [lại](http://x)"},
}  # fmt: skip
CALLS: Counter[str] = Counter()
PAUSE = float(os.environ.get("STAND_IN_PAUSE", "0"))


def receive(name: str) -> str:
    CALLS[name] += 1
    if "transient" in name and CALLS[name] < 2:
        raise SystemProblem("SYS-WORKER", cause="busy", transient=True)
    if "broken" in name:
        raise SystemProblem("SYS-READ", file=name, cause="EIO")
    if "stop" in name:
        raise Interrupted
    return name


def check(name: str) -> str | Ended:
    time.sleep(PAUSE)
    return Ended(Verdict.REJECTED) if "rejected" in name else name


def store(name: str) -> str:
    return name


def way(request: Request, run: Any, progress: Any) -> Item:
    """Ends as the name of the package says: accepted, rejected, waiting, already, transient, broken, stop."""
    run = run or (lambda stage, *args: stage(*args))
    name = shown(os.fsencode(request.package.name))
    path = shown(os.fsencode(request.package))
    try:
        run(receive, name)
        if run(check, name) == name:
            run(store, name)
    except SystemProblem as problem:
        return Item(path, "eark", None, problem={**problem_json(problem), "exit": 3})
    verdict = next((one for one in Verdict if one.name.lower() in name), Verdict.ACCEPTED)
    return Item(
        path, "eark", verdict, "folder", str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "ab" * 32,
        None if verdict is Verdict.REJECTED else "urn:uuid:0a1b2c3d-0000-0000-0000-000000000000", "v1", 3, 4711, 0.1,
        {"fmt/18": 2, "x-fmt/111": 1}, ({"store": "vault", "state": "verified", "evidence": "read"},),
        "copy" if verdict is Verdict.WAITING else None, (FINDING,) if verdict is Verdict.REJECTED else (),
    )  # fmt: skip
