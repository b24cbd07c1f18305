"""Asks every judge that fits what lies at each path, a table per judge; exit 0 when all accept, 1 when one refuses.

2: nothing there that a judge knows; 3: a judge is missing or broke.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from tests.judges import (
    NoVerdict,
    Verdict,
    bagit,
    commons_ip,
    eark_validator,
    ocfl_object,
    ocfl_root,
    verapdf,
    xsd,
)
from tests.judges.storage import newest

USAGE = (
    "usage: make judge PATH=… (an E-ARK package (SIP, AIP, DIP), a bag, an OCFL object or storage root, a store, "
    "a PDF, or a folder of such)"
)
Judge = Callable[[Path], Verdict]
E_ARK: tuple[tuple[str, Judge], ...] = (
    ("xsd", xsd), ("commons-ip", commons_ip), ("eark-validator", eark_validator),
)  # fmt: skip
SHOWN = 20
"""So many complaints about one thing are printed; the table counts them all."""


@dataclass(frozen=True, slots=True)
class Case:
    """`judge` is shown `place`; people read `what`."""

    judge: str
    ask: Judge
    place: Path
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a case: a verdict, or why there is none."""

    case: Case
    verdict: Verdict | None
    problem: str = ""


def fitting(path: Path, what: str, scratch: Path) -> Iterator[Case | Row]:
    """The judges for what lies at a path, and for the packages inside it, which are taken out into `scratch`."""
    if path.is_file():
        with path.open("rb") as source:
            if source.read(1024).lstrip().startswith(b"%PDF"):
                yield Case("veraPDF", verapdf, path, what)
        return
    if any(path.glob("0=ocfl_1.*")):
        yield Case("ocfl-py", ocfl_root, path, what)
        for declaration in sorted(path.rglob("0=ocfl_object_1.*")):
            home = declaration.parent
            if "content" not in home.relative_to(path).parts:
                yield from inside(home, str(home.relative_to(path)), scratch)
    elif any(path.glob("ocfl/0=ocfl_1.*")):
        yield from fitting(path / "ocfl", f"{what}/ocfl", scratch)
    elif any(path.glob("0=ocfl_object_1.*")):
        yield Case("ocfl-py", ocfl_object, path, what)
        yield from inside(path, what, scratch)
    elif (path / "bagit.txt").is_file():
        yield Case("bagit-python", bagit, path, what)
        if (path / "data/METS.xml").is_file():
            # In the bag the package's folder is called `data`; the judges ask that it has its own name.
            target = Path(tempfile.mkdtemp(dir=scratch)) / named(path / "data/METS.xml")
            shutil.copytree(path / "data", target)
            yield from (Case(name, ask, target, f"{what}/data") for name, ask in E_ARK)
    elif (path / "METS.xml").is_file():
        yield from (Case(name, ask, path, what) for name, ask in E_ARK)


def inside(home: Path, what: str, scratch: Path) -> Iterator[Case | Row]:
    """The judges for the package in the newest version of an OCFL object."""
    target = Path(tempfile.mkdtemp(dir=scratch)) / "version"
    try:
        newest(home, target)
    except NoVerdict as none:
        yield Row(Case("ocfl-py", ocfl_object, home, what), None, str(none))
        return
    for mets in sorted(target.glob("*/METS.xml")):
        yield from (Case(name, ask, mets.parent, f"{what}: {mets.parent.name}") for name, ask in E_ARK)


def named(mets: Path) -> str:
    """The folder name that a METS asks for: its OBJID."""
    try:
        with mets.open("rb") as source:
            parser = etree.iterparse(source, events=("start",), no_network=True, load_dtd=False, resolve_entities=False)
            identifier = next(iter(parser))[1].get("OBJID") or ""
    except (etree.XMLSyntaxError, StopIteration):
        identifier = ""
    return identifier if identifier and "/" not in identifier and identifier not in (".", "..") else "package"


def cases(path: Path, scratch: Path) -> list[Case | Row]:
    """The judges for that path, or for what lies in it when it is itself nothing that a judge knows."""
    own = list(fitting(path, path.name or str(path), scratch))
    if own or not path.is_dir():
        return own
    return [case for child in sorted(path.iterdir()) for case in fitting(child, child.name, scratch)]


def asked(case: Case) -> Row:
    """The judge's answer."""
    try:
        return Row(case, case.ask(case.place))
    except NoVerdict as none:
        return Row(case, None, str(none))


def table(judge: str, rows: list[Row]) -> str:
    """One judge on everything it was shown: a line each, the complaints below."""
    lines = [f"== {judge} =="]
    width = max(len(row.case.what) for row in rows)
    for row in rows:
        verdict = row.verdict
        if verdict is None:
            lines.append(f"{row.case.what:{width}}  NO VERDICT  {row.problem}")
            continue
        counts = [sum(one.level == level for one in verdict.counting) for level in ("error", "warning")]
        excused = len(verdict.complaints) - len(verdict.counting)
        told = f"{counts[0]} errors, {counts[1]} warnings" + (f", {excused} that do not count" if excused else "")
        word = "accepted" if verdict.good else "REFUSED"
        lines.append(f"{row.case.what:{width}}  {word:10}  {told}  ({verdict.saw})")
        lines += [f"    {complaint}" for complaint in verdict.counting[:SHOWN]]
        if len(verdict.counting) > SHOWN:
            lines.append(f"    … and {len(verdict.counting) - SHOWN} more")
    excuses = sorted(
        {(one.rule, one.allowed) for row in rows if row.verdict for one in row.verdict.complaints if one.allowed}
    )
    lines += [f"  does not count: {rule}: {why}" for rule, why in excuses]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Prints the tables."""
    if not arguments:
        print(USAGE, file=sys.stderr)
        return 2
    worst = 0
    by_judge: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory(prefix="judge-") as scratch:
        for argument in arguments:
            found = cases(Path(argument), Path(scratch))
            if not found:
                print(f"{argument}: nothing there that a judge knows\n{USAGE}", file=sys.stderr)
                worst = max(worst, 2)
            for case in found:
                row = asked(case) if isinstance(case, Case) else case
                by_judge.setdefault(row.case.judge, []).append(row)
    for judge, rows in by_judge.items():
        print(table(judge, rows), end="\n\n")
    rows = [row for several in by_judge.values() for row in several]
    if any(row.verdict is None for row in rows):
        return 3
    return worst or int(any(row.verdict is not None and not row.verdict.good for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
