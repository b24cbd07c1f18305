"""Writes `pipeline/text/data/syllables.txt`, the Vietnamese syllables in use, from texts that are named in its README.

python setup/syllables.py FOLDER    FOLDER holds the packages of the README, unpacked; texts of this project are added
"""

from __future__ import annotations

import gettext
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LIST = PROJECT / "pipeline" / "text" / "data" / "syllables.txt"
OURS = ("README.vi.md", "schemas/findings/*.tsv", "schemas/tt05/*.tsv")

MARKED, PLAIN = 1, 5
"""How often a syllable with and without a mark must be met: English words look like the latter."""

_WORD = re.compile(r"[^\W\d_]+")
_HELD = re.compile(r"\{[^{}]*\}|%\([^)]*\)\w|<[^>]*>|`[^`]*`")


def texts(folder: Path) -> Iterator[str]:
    """Vietnamese messages of programs: `vi/**/*.mo`, `vi*.json`; then our own pages."""
    for path in sorted(folder.rglob("*.mo")):
        if {"vi", "vi_VN"} & set(path.parts):
            with path.open("rb") as source:
                catalogue: dict[Any, str] = getattr(gettext.GNUTranslations(source), "_catalog")  # noqa: B009
                yield from (said for key, said in catalogue.items() if key and key != said)
    for path in sorted(folder.rglob("vi-*.json")):
        yield from _strings(json.loads(path.read_text(encoding="utf-8")))
    for pattern in OURS:
        for path in sorted(PROJECT.glob(pattern)):
            yield path.read_text(encoding="utf-8")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)


def learnt(said: Iterable[str]) -> list[str]:
    """Syllables that are met often enough and obey the spelling, in the order of the alphabet of code points."""
    sys.path.insert(0, str(PROJECT))
    from pipeline.text.syllables import possible

    met: Counter[str] = Counter()
    for text in said:
        met.update(_WORD.findall(unicodedata.normalize("NFC", _HELD.sub(" ", text)).lower()))
    return sorted(
        word for word, times in met.items() if times >= (PLAIN if word.isascii() else MARKED) and possible(word)
    )


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    words = learnt(texts(Path(arguments[0])))
    head = "# Vietnamese syllables in use; origin and licence in README.md. Written by setup/syllables.py"
    LIST.write_text("\n".join([head, *words]) + "\n", encoding="utf-8")
    print(f"{len(words)} syllables, {sum(not word.isascii() for word in words)} of them with a mark")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
