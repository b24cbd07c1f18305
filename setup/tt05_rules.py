"""Writes `docs/tt05-rules.md` from the rules of Circular 05/2025, the texts of findings and the table of fixtures.

python setup/tt05_rules.py            writes it
python setup/tt05_rules.py --check    exit 1 when the page is not what they say
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "tt05-rules.md"
TEST = "tests/packages/tt05/test_fixtures.py"
LEVELS = {"E": "error", "W": "warning", "I": "information", "P": "a person decides", "–": "–"}
FAMILIES = {
    "ZIP": "Container", "STR": "Structure", "MET": "METS", "FIX": "Fixity and completeness",
    "LNK": "Links between description and document", "EAD": "Description of the package and what all share",
    "DOC": "Description of texts", "PIC": "Pictures", "MED": "Sound and film", "ID": "Codes", "PRM": "PREMIS",
    "HOL": "Linked documents", "FMT": "Formats", "SIG": "Signatures", "SUB": "Submission", "DIP": "Copies for readers",
    "XSD": "Schemas in the package",
}  # fmt: skip

HEAD = """\
# Rules of Circular 05/2025/TT-BNV, one by one

Made by `setup/tt05_rules.py` from `schemas/tt05/rules.tsv`, the texts of findings and the table of fixtures in
`tests/packages/tt05/faults.py`; a test compares.

{count} rules. Two profiles: `tt05` (what interoperates) and `tt05-strict` (the letter). A package with an error is
not accepted; a warning, an information and what a person has to decide leave it valid. "–": the profile does not say
it. A fixture is a package with this one fault, written by a generator that knows nothing of the code that judges:
`python -m tests.packages.tt05.build FOLDER` writes all of them, each below the name given here. Every fixture is
judged by both profiles in `{test}`; codes that need a list, a registration or
holdings have a test of the function that gets them instead. `…` stands for the code.
"""


def page() -> str:
    """The whole page."""
    sys.path.insert(0, str(PROJECT))
    from pipeline.findings import codes
    from pipeline.packages.tt05.gathered import rules
    from tests.packages.tt05.fault import code_of
    from tests.packages.tt05.faults import ELSEWHERE, FAULTS

    fixtures: dict[str, list[str]] = {}
    late: dict[str, str] = {}
    for name, fault in FAULTS.items():
        fixtures.setdefault(code_of(name), []).append(name)
        if fault.later:
            late[code_of(name)] = fault.later
    parts = [HEAD.format(count=len(rules()), test=TEST)]
    family = ""
    for code, rule in rules().items():
        if (own := code.split("-")[1]) != family:
            family = own
            parts.append(
                f"\n## {FAMILIES[family]}\n\n"
                "| code | rule | packages | tt05 | tt05-strict | basis | fixtures | test |\n"
                "|---|---|---|---|---|---|---|---|\n"
            )
        told = codes()[code]
        levels = " | ".join(LEVELS[rule[profile]] for profile in ("tt05", "tt05-strict"))
        test = ELSEWHERE.get(code, TEST)
        cells = (
            code, f"{told.vi}<br>{told.en}", rule["applies"], levels, told.reference or "project",
            _names(fixtures.get(code, ())),
            f"`{test.removeprefix('tests/packages/tt05/')}`" + (f" not yet: {late[code]}" if code in late else ""),
        )  # fmt: skip
        parts.append("| " + " | ".join(cell.replace("\n", " ") for cell in cells) + " |\n")
    return "".join(parts)


def _names(found: Iterable[str]) -> str:
    """`TT05-X-01`, then the suffixes of its variants."""
    first, *rest = [*found] or [""]
    return ", ".join([f"`{first}`", *(f"`… {name.partition(' ')[2]}`" for name in rest)]) if first else "–"


def main() -> int:
    told = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != told:
            print(f"{PAGE.name} is not what the tables say: run python setup/tt05_rules.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(told, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
