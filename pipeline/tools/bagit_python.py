"""bagit-python as the second judge of bags that we wrote, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 300.0
_PER_BYTE = 1.0 / 5e6

_JUDGE = """
import json, logging, sys
logging.disable(logging.CRITICAL)
import bagit
said, good = "", False
try:
    bag = bagit.Bag(sys.argv[1])
    bag.validate()
    good = True
except bagit.BagError as fault:
    said = "; ".join(str(one) for one in getattr(fault, "details", None) or [fault])
print(json.dumps({"valid": good, "said": said[:2000], "version": bagit.VERSION}))
"""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """`valid` None when the judge came to no verdict; `said` its own words."""

    valid: bool | None
    said: str
    version: str


def bagit_python(bag: Path, size: int) -> SecondOpinion:
    """What bagit-python says about a bag of `size` payload bytes. Never raises on content."""
    try:
        told = subprocess.run(
            [sys.executable, "-I", "-c", _JUDGE, os.fspath(bag)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            cwd=bag.parent,
            timeout=_SECONDS + size * _PER_BYTE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return SecondOpinion(None, str(problem)[:500], "")
    try:
        answer = json.loads(told.stdout.splitlines()[-1])
        return SecondOpinion(bool(answer["valid"]), str(answer["said"]), str(answer["version"]))
    except (ValueError, IndexError, KeyError):
        return SecondOpinion(None, told.stderr.decode("utf-8", "replace")[-500:], "")
