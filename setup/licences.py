"""Writes requirements/LICENCES.md: each package that is installed, its licence, and the part that uses it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
LOCKS = {"run": "runtime", "test": "dev", "judge": "judge-eark"}

# Asked inside each environment: its packages' names, versions, licences and requirements.
ASK = """
import importlib.metadata as m, json
print(json.dumps([{
    "name": d.metadata["Name"], "version": d.version, "expression": d.metadata.get("License-Expression") or "",
    "licence": d.metadata.get("License") or "",
    "classifiers": [c for c in d.metadata.get_all("Classifier", []) if c.startswith("License ::")],
} for d in m.distributions()]))
"""

# Packages whose metadata name no licence: read in their own files, November 2026.
READ_IN_THE_FILES = {"ocfl-py": "MIT"}
# Packages that only another Python or another system gets: looked up there.
ELSEWHERE = {"brotlicffi": "MIT", "pywin32": "PSF-2.0", "whenever": "MIT"}


def canonical(name: str) -> str:
    """The one spelling of a package name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(stem: str) -> dict[str, str]:
    """The packages that an .in file names, each with the part that uses it."""
    uses: dict[str, str] = {}
    for line in (REQUIREMENTS / f"{stem}.in").read_text("utf-8").splitlines():
        named = re.match(r"([A-Za-z0-9._-]+)[^#]*(?:#\s*(.*))?$", line)
        if named and not line.startswith(("-", "#")):
            uses[canonical(named[1])] = (named[2] or "").split(";")[0].strip()
    return uses


def locked(stem: str) -> tuple[dict[str, str], dict[str, str]]:
    """The packages of a lock file: their versions, and the packages that need each ("" when an .in file does)."""
    versions: dict[str, str] = {}
    needs: dict[str, str] = {}
    name = ""
    for line in (REQUIREMENTS / f"{stem}.txt").read_text("utf-8").splitlines():
        if pinned := re.match(r"([a-z0-9._-]+)==([^ ;]+)", line):
            name = canonical(pinned[1])
            versions.setdefault(name, pinned[2])
            needs.setdefault(name, "")
        elif (reason := re.match(r"\s+#\s+(?:via\s+)?([a-z0-9._-]+)$", line)) and reason[1] != "via":
            needs[name] += (", " if needs[name] else "") + reason[1]
    return versions, needs


def licence(package: dict[str, object]) -> str:
    """The licence as the package states it: expression, else classifiers, else the first line of its text."""
    if package["expression"]:
        return str(package["expression"])
    classifiers = package["classifiers"]
    assert isinstance(classifiers, list)
    named = [c.split(" :: ")[-1] for c in classifiers if c != "License :: OSI Approved"]
    if named:
        return ", ".join(named)
    first = str(package["licence"]).strip().splitlines()
    if first and first[0].endswith("/LICENSE-2.0"):
        return "Apache-2.0"
    return first[0][:60] if first else READ_IN_THE_FILES.get(canonical(str(package["name"])), "not stated")


def installed(python: Path) -> dict[str, dict[str, object]]:
    """What is installed beside that interpreter, by canonical name."""
    answer = subprocess.run([str(python), "-c", ASK], check=True, capture_output=True, text=True)
    return {canonical(package["name"]): package for package in json.loads(answer.stdout)}


def main() -> int:
    """Writes the table; 1 when a locked package states no licence."""
    main_environment = installed(ROOT / ".venv/bin/python")
    judge_environment = installed(ROOT / ".judges/eark/bin/python")
    uses = wanted("runtime") | wanted("dev") | wanted("judge-eark")
    rows: list[tuple[str, str, str, str, str]] = []
    seen: set[str] = set()
    for group, stem in LOCKS.items():
        environment = judge_environment if group == "judge" else main_environment
        versions, needs = locked(stem)
        for name, parents in sorted(needs.items()):
            if name in seen and group != "judge":
                continue
            seen.add(name)
            use = uses.get(name) or f"needed by {parents}"
            package = environment.get(name)
            if package is None:
                use += " (not on every system)"
                rows.append((name, versions[name], ELSEWHERE.get(name, "not stated"), group, use))
            else:
                rows.append((str(package["name"]), str(package["version"]), licence(package), group, use))
    text = [
        "# Licences of the packages that luutru is installed with",
        "",
        "Written by `make licences` from what the packages state about themselves. Set: `run` = with luutru,",
        "`test` = only for tests and checks, `judge` = in an environment of its own for one judge.",
        "Programs from Debian and the jars of commons-ip (LGPL-3, with what it needs), JHOVE (LGPL-2.1+) and",
        "veraPDF (MPL-2.0 or GPL-3+) run as processes of their own.",
        "",
        "| package | version | licence | set | part that uses it |",
        "|---|---|---|---|---|",
    ]
    text += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    (REQUIREMENTS / "LICENCES.md").write_text("\n".join(text) + "\n", "utf-8")
    unstated = [row[0] for row in rows if row[2] == "not stated"]
    if unstated:
        print(f"No licence stated by: {', '.join(unstated)}", file=sys.stderr)
    return 1 if unstated else 0


if __name__ == "__main__":
    sys.exit(main())
