"""The formats of packages as a report shows them: a chart, the files that are not identified, those that differ."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from pipeline.reports.cells import Document, Item, fit
from pipeline.reports.chart import bars
from pipeline.reports.words import Pair, say
from pipeline.settings import PROJECT

PACKAGES = 12
"""Packages with a chart of their own; the sum of all stands before them."""

MOST = 15
"""Bars of a chart."""

WORDS: dict[str, Pair] = {
    "formats_title": ("Định dạng tệp", "File formats"),
    "formats_hint": (
        "Theo PRONOM, do hai bộ nhận dạng siegfried và fido xác định.",
        "By PRONOM, as the engines siegfried and fido identify them.",
    ),
    "formats_all": ("Tất cả các gói", "All packages"),
    "formats_unknown": ("Tệp chưa nhận dạng được", "Files not identified"),
    "formats_differ": ("Tệp mà hai bộ nhận dạng không thống nhất", "Files on which the engines differ"),
    "formats_chart": ("Số tệp theo định dạng", "Files by format"),
}
UNKNOWN: Pair = ("chưa nhận dạng được", "not identified")

_UNKNOWN = ("FMT-UNKNOWN", "FMT-NO-ENGINE", "FMT-STOPPED")
_DIFFER = ("FMT-DIFFER", "FMT-DIFFER-RULE")
_NO_PUID = "unknown"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file with what is said of it: what its bytes or name suggest, or both opinions."""

    package: str
    file: str
    found: str


@dataclass(frozen=True, slots=True)
class FormatProfile:
    """What one package, or all of a report, hold. `…_more` says how many files were left out."""

    name: str
    chart: Markup
    files: int
    unknown: tuple[Listed, ...]
    unknown_more: int
    differ: tuple[Listed, ...]
    differ_more: int


def profiles(document: Document, names: Sequence[str], most: int, **how: Any) -> tuple[FormatProfile, ...]:
    """The profile of all packages that know their formats, then, where there are several, of each of the first few.

    `names` are those of the document's items; at most `most` files are listed of a kind; `how` goes to the charts.
    Nothing without formats.
    """
    pairs = [(name, item) for name, item in zip(names, document["items"], strict=True) if item.get("formats")]
    if not pairs:
        return ()
    if len(pairs) == 1:
        return (_profile(pairs[0][0], pairs, most, how),)
    whole = say(WORDS["formats_all"], "vi")
    return (_profile(whole, pairs, most, how), *(_profile(pair[0], [pair], 0, how) for pair in pairs[:PACKAGES]))


def labelled(counts: Mapping[str, int]) -> dict[str, int]:
    """`fmt/18` becomes `fmt/18 · Acrobat PDF 1.4` where PRONOM's table knows the name."""
    made: Counter[str] = Counter()
    for puid, count in counts.items():
        name = say(UNKNOWN, "vi") if puid == _NO_PUID else name_of(puid)
        made[f"{puid} · {name}" if name and puid != _NO_PUID else name or puid] += count
    return dict(made)


def name_of(puid: str) -> str:
    """Name and version of a format; empty for one that the table does not know."""
    return _names().get(puid, "")


def _profile(name: str, pairs: list[tuple[str, Item]], most: int, how: dict[str, Any]) -> FormatProfile:
    counts: Counter[str] = Counter()
    unknown: list[Listed] = []
    differ: list[Listed] = []
    for package, item in pairs:
        counts.update(item["formats"])
        for finding in item.get("findings") or ():
            if finding["code"] in _UNKNOWN:
                unknown.append(_listed(package, finding))
            elif finding["code"] in _DIFFER:
                differ.append(_listed(package, finding))
    chart = bars(labelled(counts), title=f"{say(WORDS['formats_chart'], 'vi')}: {fit(name)}", most=MOST, **how)
    return FormatProfile(
        fit(name), chart, sum(counts.values()), tuple(unknown[:most]), max(0, len(unknown) - most),
        tuple(differ[:most]), max(0, len(differ) - most),
    )  # fmt: skip


def _listed(package: str, finding: dict[str, object]) -> Listed:
    said = finding.get("found") or ""
    guessed = finding.get("expected") if finding["code"] == "FMT-UNKNOWN" else None
    return Listed(fit(package), fit(finding["file"]), fit(f"{said}; {guessed}" if guessed else said))


@cache
def _names() -> dict[str, str]:
    with (PROJECT / "schemas" / "pronom" / "pronom.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["puid"]: f"{row['name']} {row['version']}".strip() for row in rows}
