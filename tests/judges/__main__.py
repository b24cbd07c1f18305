"""Asks every judge that fits what lies at each path; exit 0 when all accept, 1 when one refuses.

2: nothing there that a judge knows; 3: a judge is missing or broke.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.judges import NoVerdict, Verdict, bagit, commons_ip, eark_validator, ocfl_root, xsd

USAGE = "usage: make judge PATH=FOLDER (an E-ARK package, a bag, an OCFL storage root, a store, or a folder of such)"


def fitting(folder: Path) -> Iterator[tuple[Callable[[Path], Verdict], Path]]:
    """The judges for that folder, each with the folder that it is shown."""
    if any(folder.glob("0=ocfl_1.*")):
        yield ocfl_root, folder
    elif any(folder.glob("ocfl/0=ocfl_1.*")):
        yield ocfl_root, folder / "ocfl"
    elif (folder / "bagit.txt").is_file():
        yield bagit, folder
    elif (folder / "METS.xml").is_file():
        yield xsd, folder
        yield commons_ip, folder
        yield eark_validator, folder


def cases(path: Path) -> list[tuple[Callable[[Path], Verdict], Path]]:
    """The judges for that path, or for the folders in it when it is itself nothing that a judge knows."""
    own = list(fitting(path))
    if own or not path.is_dir():
        return own
    return [case for child in sorted(path.iterdir()) if child.is_dir() for case in fitting(child)]


def main(arguments: list[str]) -> int:
    """Prints each verdict with its complaints."""
    if not arguments:
        print(USAGE, file=sys.stderr)
        return 2
    worst = 0
    for argument in arguments:
        to_judge = cases(Path(argument))
        if not to_judge:
            print(f"{argument}: nothing there that a judge knows\n{USAGE}", file=sys.stderr)
            worst = max(worst, 2)
        for judge, folder in to_judge:
            try:
                verdict = judge(folder)
            except NoVerdict as none:
                print(f"{folder}\nno verdict: {none}", file=sys.stderr)
                worst = 3
                continue
            print(f"{folder}\n{verdict}")
            if not verdict.good:
                worst = max(worst, 1)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
