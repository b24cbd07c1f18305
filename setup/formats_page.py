"""Writes `docs/formats.md` from the rules of the default set and the table of formats that stay as they are.

python setup/formats_page.py            writes it
python setup/formats_page.py --check    exit 1 when the page is not what they say
"""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT)]
from pipeline.content.normalisation.kept import reasons  # noqa: E402
from pipeline.content.normalisation.preview import conditions  # noqa: E402
from pipeline.content.normalisation.rules import PRESERVATION, Rule, rules  # noqa: E402

PAGE = PROJECT / "docs" / "formats.md"

HEAD = """\
# What becomes of each format

Made by `setup/formats_page.py` from the default set of rules and `profiles/normalisation/kept.tsv`; a test compares.
How each copy is proved: [normalisation.md](normalisation.md). A format that stands in neither table has
no rule and stays as it is; `luutru rules explain FILE` tells it of one file.

"""


def names() -> dict[str, str]:
    """Name and version of each PUID."""
    lines = (PROJECT / "schemas" / "pronom" / "pronom.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {row[0]: f"{row[1]} {row[2]}".strip() for row in (line.split("\t") for line in lines)}


def _formats(puids: tuple[str, ...], known: dict[str, str]) -> str:
    """`name versions (PUIDs)`: formats that differ in their version alone stand together."""
    groups: dict[str, list[str]] = {}
    for puid in puids:
        groups.setdefault(known.get(puid, puid), []).append(puid)
    return "; ".join(f"{name.replace('|', '/')} ({', '.join(all_)})" for name, all_ in groups.items())


def _made(rule: Rule) -> str:
    found: dict[str, bool] = {}
    for action in rule.actions:
        for result in action.results:
            found.setdefault(result.extension, result.needed)
    return ", ".join(f"{extension}{'' if needed else ' (where it is proved)'}" for extension, needed in found.items())


def page() -> str:
    """The whole page."""
    known = names()
    parts = [HEAD]
    for purpose, title in (
        (PRESERVATION, "Preservation copies, made at ingest"),
        ("access", "Reading copies, made when a package is handed out"),
    ):
        parts.append(f"## {title}\n\n| rule | formats | when | copies |\n|---|---|---|---|\n")
        for rule in (one for one in rules().rules if one.purpose == purpose):
            asked = ", ".join(conditions(rule)) + ("; signed files stay" if rule.signed == "keep" else "")
            parts.append(
                f"| {rule.name} | {_formats(rule.puids, known)} | {asked.strip('; ') or '–'} | {_made(rule)} |\n"
            )
        parts.append("\n")
    parts.append("## Kept as it is on purpose\n\n| group | formats | vì sao | why |\n|---|---|---|---|\n")
    parts += [f"| {one.name} | {_formats(one.puids, known)} | {one.vi} | {one.en} |\n" for one in reasons()]
    return "".join(parts)


def main(arguments: list[str]) -> int:
    """Writes or compares."""
    text = page()
    if "--check" in arguments:
        return 0 if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
