"""What is known about an external program before it runs: name, version, package."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache

PLACES = "/usr/local/bin:/usr/bin:/bin"
"""Where programs are looked for: the folders that a sandbox sees."""

_MEMORY = re.compile(r" ?@ 0x[0-9a-f]+\b")


@dataclass(frozen=True, slots=True)
class Program:
    """One program. `pattern` finds the version in what `version_arguments` print; `install` is its Debian package.

    `code` names the row of `schemas/findings/sys-tools.tsv` that says what is lost without it.
    `environment` (name, value) is what it finds in its environment beside what every program finds there.
    """

    name: str
    version_arguments: tuple[str, ...]
    pattern: str
    minimum: tuple[int, ...]
    install: str
    code: str
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str | None:
        """Absolute path, None when it is not installed."""
        return shutil.which(self.name, path=PLACES)

    @property
    def version(self) -> str | None:
        """Version as printed, None when it is not installed or does not tell."""
        path = self.path
        return _version(path, self.version_arguments, self.pattern) if path else None

    @property
    def fit(self) -> bool:
        """Installed, and not older than what the recipes were measured with."""
        version = self.version
        return version is not None and tuple(int(part) for part in re.findall(r"\d+", version)) >= self.minimum


def plain(words: str) -> str:
    """What a program said, on one line, without places in its memory: the same on every run."""
    return " ".join(_MEMORY.sub("", words).split())


@cache
def _version(path: str, arguments: tuple[str, ...], pattern: str) -> str | None:
    try:
        told = subprocess.run(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": PLACES, "LC_ALL": "C.UTF-8"},
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(pattern, told.stdout.decode("utf-8", "replace"))
    return found[1] if found else None
