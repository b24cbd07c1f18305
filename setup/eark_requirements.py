"""Writes `docs/eark-requirements.md` from the table of requirements, the texts of findings and the tests.

python setup/eark_requirements.py            writes it
python setup/eark_requirements.py --check    exit 1 when the page is not what they say
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "eark-requirements.md"
TESTS = ("eark_faults.py", "test_eark_sips.py", "test_eark_check.py", "test_eark_premis_elements.py")
TITLES = {
    "CSIP": "Common specification: folders (CSIPSTR) and METS (CSIP)", "SIP": "SIP", "AIP": "AIP", "DIP": "DIP",
    "PM": "Preservation metadata (PREMIS)",
}  # fmt: skip

HEAD = """\
# E-ARK requirements, one by one

Made by `setup/eark_requirements.py` from `schemas/eark/requirements.tsv`, the codes of findings and the tests; a test
compares. How that compares with two other judges: [eark-comparison.md](eark-comparison.md).

The code of a finding is the number of the requirement. MUST is an error, SHOULD a warning, MAY an information where
it is worth one; a level counts once the parent of what it asks for exists. Three versions are told apart by the METS
profile that the root METS names (2.0, 2.1, 2.2; an address without a version is judged as 2.1, that of a DIP as 2.2).
Where a text says "must" in a row of a lower level (CSIP3, CSIP4 in a representation, CSIP5, CSIP17, CSIP31, CSIP32,
CSIP62 and CSIP91–92 in 2.0, CSIP63), breaking it is an error. A package that names the profile of CSIP alone is
judged by CSIP alone (`EARK-CSIP`). CSIP1: another folder name than OBJID is a warning (CSIPSTR2 is a SHOULD), in an
AIP an error. Media types outside IANA's list: a private name (`x-`, `vnd.`) is a warning, since CSIP only recommends
the list, anything else an error. PREMIS before version 3 in a SIP or DIP is a warning (PM1); links of PREMIS that leave
the package are warnings there, errors in an AIP.

In the METS of a representation of a SIP or DIP a missing agent (CSIP10) and, where it refers to no metadata, a missing
division Metadata (CSIP88) are warnings: that agent is the maker of the package, and there is nothing to describe.

What the XML schemas of METS and PREMIS ask for too is told once, by its requirement; `METS-XSD` and `PREMIS-XSD`
tell of what no requirement is about. What only follows from a fault is not told again: a file that lies there
without a reference because its reference leads nowhere (known by its digest), the type and the value of an identifier
that is absent, a reference to a section without ID. Where OAISPACKAGETYPE and PROFILE name two types, one is the
mistake: with a submitting agent it is a SIP, with `fptr` beside `mptr` an AIP, else the profile counts. A term of CSIP2
that is written with a hyphen for a dash is a warning.

What a text leaves open is read as the test cases of the DILCIS Board read it: CSIP3, CSIP5 and CSIP63 also forbid the
attribute for other terms beside a term and with a term in it; USE of a file group of the root METS names a folder
that is there (CSIP64); a file in `metadata/preservation` needs an amdSec (CSIP31). The Board's own valid SIP has two
creators that are organisations, with different names and no archivist (SIP15 is a warning then), and describes its
representation in the root METS by divisions with `fptr` alone (CSIP109 is a warning where there is no METS of it).
A section without mdRef describes no file: one that lies in `metadata/descriptive` or, of PREMIS, in
`metadata/preservation` is an error then (CSIP17, CSIP32). AIPM2 asks for an address with an odd host; the same file at
another host of the Board's, and the profile of CSIP before 2.2, when AIPs had none of their own, are warnings.
CRC32 and Adler-32 are computed, in hex or as a number; of the digests that nobody computes (HAVAL, MNP, TIGER,
WHIRLPOOL) the form alone is judged.
"""


def tested(code: str, sources: dict[str, str]) -> str:
    """The first test that names a code."""
    for name, text in sources.items():
        if re.search(rf"\b{re.escape(code)}\b(?!-)", text):
            return f"`{name}`"
        for stem, first, end in re.findall(r'f"([A-Z]+)\{number\}" for number in range\((\d+), (\d+)\)', text):
            if (
                code.startswith(stem)
                and code[len(stem) :].isdigit()
                and int(first) <= int(code[len(stem) :]) < int(end)
            ):
                return f"`{name}`"
        for first, end in re.findall(r"_nine\(range\((\d+), (\d+)\)", text):
            if code.startswith("CSIP") and code[4:].isdigit() and int(first) <= int(code[4:]) < int(end):
                return f"`{name}`"
    return "–"


def page() -> str:
    """The whole page."""
    sys.path.insert(0, str(PROJECT))
    from pipeline.findings import codes
    from pipeline.packages.eark.requirements import VERSIONS, requirements

    sources = {name: (PROJECT / "tests" / "packages" / name).read_text(encoding="utf-8") for name in TESTS}
    parts = [HEAD]
    counts: dict[str, Counter[str]] = {}
    sections: dict[str, list[str]] = {}
    for one in requirements().values():
        levels = [one.levels[version] for version in VERSIONS]
        shown = levels[0] if len(set(levels)) == 1 else " · ".join(levels)
        counted = counts.setdefault(one.specification, Counter())
        if one.checked == "yes":
            how, kind, test = f"yes, {codes()[one.id].level}", "own", tested(one.id, sources)
        elif one.checked == "schema":
            code = "PREMIS-XSD" if one.where == "premis" else "METS-XSD"
            how, kind, test = f"schema ({code})", "schema", tested(code, sources)
        elif one.checked.startswith("with "):
            code = one.checked.removeprefix("with ")
            how, kind, test = f"with {code}", "other", tested(code, sources)
        else:
            how, kind, test = f"no: {one.checked}", "no", ""
        counted[kind] += 1
        where = f"`{one.where}`" if one.where and one.specification in ("CSIP", "SIP", "DIP") else ""
        where = "" if one.where in ("folders", "package", "premis") else where.replace("|", "\\|")
        sections.setdefault(one.specification, []).append(
            f"| {one.id} | {shown} | {one.name} | {where} | {how} | {test} |"
        )
    parts.append("\n| | requirements | under their own code | by the schema | under another code | not checked |")
    parts.append("|---|---|---|---|---|---|")
    total: Counter[str] = sum(counts.values(), Counter())
    for name, counted in [*counts.items(), ("all", total)]:
        cells = [counted.total(), *(counted[kind] for kind in ("own", "schema", "other", "no"))]
        parts.append(f"| {name} | {' | '.join(map(str, cells))} |")
    for name, rows in sections.items():
        parts.append(
            f"\n## {TITLES[name]}\n\n| number | level | what | where | checked | test |\n|---|---|---|---|---|---|"
        )
        parts += rows
    return "\n".join(parts) + "\n"


def main(arguments: list[str]) -> int:
    made = page()
    if "--check" in arguments:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made:
            return 0
        print("docs/eark-requirements.md is out of date: run python setup/eark_requirements.py", file=sys.stderr)
        return 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
