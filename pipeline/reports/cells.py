"""What stands in the columns of a report, as text fit to be shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pipeline.names import shown
from pipeline.reports.words import (
    COPY_STATES,
    EVIDENCE,
    LEVELS,
    PROBLEMS,
    RESULTS,
    SIGNATURES,
    VERDICTS,
    Lang,
    text,
    verdict,
    verdict_key,
    word,
)

Item = dict[str, Any]
Document = dict[str, Any]


def fit(value: object) -> str:
    """The one gate for text of packages: what cannot be seen is escaped; text that is already shown stays."""
    given = str(value)
    return given if given.isprintable() else shown(given.encode("utf-8", "surrogateescape"))


@dataclass(frozen=True, slots=True)
class Column:
    """`key` in words.TEXTS; `right` aligns numbers; `raw` is the value for machines (CSV).

    `elastic` columns give way on narrow terminals, those with higher numbers first, then `spare`
    ones are left out, again those with higher numbers first.
    """

    key: str
    shown: Callable[[Item, Lang], str]
    raw: Callable[[Item], object]
    right: bool = False
    elastic: int = 0
    spare: int = 0


def number(value: object, lang: Lang) -> str:
    """Thousands parted by a point (vi) or a comma (en); a dash when there is no number."""
    if not isinstance(value, int):
        return "–"
    made = f"{value:,}"
    return made.replace(",", ".") if lang == "vi" else made


def size(value: object, lang: Lang) -> str:
    """Bytes in binary units, one decimal: `1,5 MiB`, `1.5 MiB`."""
    if not isinstance(value, int):
        return "–"
    if value < 1024:
        return f"{value} B"
    amount = float(value)
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        amount /= 1024
        if amount < 1024 or unit == "PiB":
            return f"{_decimal(amount, lang)} {unit}"
    raise AssertionError


def seconds(value: object, lang: Lang) -> str:
    return _decimal(float(value), lang) if isinstance(value, int | float) else "–"


def aip(item: Item) -> str:
    """`0a1b2c3d v1`: the beginning that commands accept, and the version."""
    if not item.get("aip"):
        return "–"
    name = fit(item["aip"]).removeprefix("urn:uuid:")
    version = item.get("version")
    number = f"v{version}" if isinstance(version, int) else version
    return f"{name[:8]} {fit(number)}" if item.get("version") else name[:8]


def formats(item: Item) -> str:
    """`fmt/412 ×3, x-fmt/111`: the most frequent first."""
    counted = sorted((item.get("formats") or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(fit(puid) + (f" ×{count}" if count != 1 else "") for puid, count in counted) or "–"


def signatures(item: Item, lang: Lang) -> str:
    """`3 đạt, 1 cần xem`: signed files by what their signatures came to."""
    counted = item.get("signatures") or {}
    return ", ".join(f"{counted[key]} {word(SIGNATURES, key, lang)}" for key in SIGNATURES if key in counted) or "–"


def copies(item: Item, lang: Lang) -> str:
    """Stores with a verified copy by name alone, the others with what is wrong."""
    made = []
    for copy in item.get("copies") or ():
        name = fit(copy["store"])
        if copy["state"] == "verified":
            made.append(name if copy.get("evidence") != "server" else f"{name} ({word(EVIDENCE, 'server', lang)})")
        else:
            made.append(f"{name} ({fit(word(COPY_STATES, copy['state'], lang))})")
    return ", ".join(made) or "–"


PACKAGES = (
    Column("package", lambda item, lang: base(item), lambda item: item.get("path"), elastic=1),
    Column("verdict", verdict, lambda item: item.get("verdict")),
    Column("files", lambda item, lang: number(item.get("files"), lang), lambda item: item.get("files"), right=True),
    Column(
        "bytes", lambda item, lang: size(item.get("bytes"), lang), lambda item: item.get("bytes"), right=True, spare=1
    ),
    Column("formats", lambda item, lang: formats(item), formats, elastic=3, spare=3),
    Column("aip", lambda item, lang: aip(item), lambda item: item.get("aip")),
    Column("copies", copies, lambda item: copies(item, "en"), elastic=2),
    Column(
        "seconds",
        lambda item, lang: seconds(item.get("seconds"), lang),
        lambda item: item.get("seconds"),
        right=True,
        spare=2,
    ),
)

VALIDATED = (
    *(column for column in PACKAGES if column.key in ("package", "verdict")),
    Column("kind", lambda item, lang: fit(item.get("kind") or "–"), lambda item: item.get("kind")),
    *(column for column in PACKAGES if column.key in ("files", "bytes", "seconds")),
)

COPIES = (
    Column("aip", lambda item, lang: aip(item), lambda item: item.get("aip")),
    Column("store", lambda item, lang: fit(item.get("store")), lambda item: item.get("store"), elastic=1),
    Column("result", verdict, lambda item: item.get("result")),
    Column(
        "evidence", lambda item, lang: word(EVIDENCE, item.get("evidence"), lang), lambda item: item.get("evidence")
    ),
    *(column for column in PACKAGES if column.key in ("files", "bytes")),
    Column(
        "problems",
        lambda item, lang: number(len(item.get("problems") or ()), lang),
        lambda item: len(item.get("problems") or ()),
        right=True,
    ),
)


def subject(document: Document) -> str:
    """`ingest`, `validate` or `audit`; anything else is a fault of the caller."""
    name = str(document["schema"]).split("/")[1]
    if name not in ("ingest", "validate", "audit"):
        raise ValueError(f"no report is made of {name}")
    return name


def columns(document: Document) -> tuple[Column, ...]:
    return {"ingest": PACKAGES, "validate": VALIDATED, "audit": COPIES}[subject(document)]


def base(item: Item) -> str:
    """The last part of the path of a package, shown: what people call it."""
    path = str(item.get("path") or "–")
    return fit(path.rstrip("/").rpartition("/")[2] or path)


def heading(item: Item) -> str:
    """What an item is called above its details."""
    return base(item) if "path" in item else f"{aip(item)} · {fit(item.get('store'))}"


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one code in one item; `advice` once where all agree, else with each line."""

    level: str
    code: str
    reference: str
    lines: tuple[dict[str, Any], ...]
    advice: dict[str, str] | None


def groups(item: Item) -> Iterator[Group]:
    """Findings by weight, then code; the problems of a stored copy in the same shape."""
    found = [*item.get("findings", ()), *map(_as_finding, item.get("problems") or ())]
    weight = {level: place for place, level in enumerate(LEVELS)}

    def key(finding: dict[str, Any]) -> tuple[int, str]:
        return weight.get(finding["level"], len(weight)), finding["code"]

    for (_, code), together in groupby(sorted(found, key=key), key=key):
        lines = tuple(together)
        first = lines[0]["advice"]
        same = all(line["advice"] == first for line in lines)
        yield Group(lines[0]["level"], code, lines[0].get("reference") or "", lines, first if same else None)


def place(finding: dict[str, Any], lang: Lang) -> str:
    """`data/a.txt, dòng 3`; the package as a whole has words of its own."""
    if finding.get("file") is None:
        return text("whole", lang)
    where = fit(finding["file"])
    return f"{where}, {text('line', lang)} {finding['line']}" if finding.get("line") is not None else where


def sentence(finding: dict[str, Any], lang: Lang) -> str:
    """The message, with the place before it where the message does not name it already."""
    message = fit(finding["message"][lang])
    if finding.get("file") is None:
        return message
    if fit(finding["file"]) not in message:
        return f"{place(finding, lang)}: {message}"
    at = finding.get("line")
    if at is None or re.search(rf"\b{at}\b", message):
        return message
    return f"{message} ({text('line', lang)} {at})"


def tally(document: Document, lang: Lang) -> list[tuple[str, int]]:
    """How many items came to each verdict, in the order of the words' tables."""
    words = [*VERDICTS, *RESULTS]
    counted = Counter(verdict_key(item) for item in document["items"])
    keys = sorted(counted, key=lambda key: words.index(key) if key in words else len(words))
    table = {**VERDICTS, **RESULTS}
    return [(fit(word(table, key, lang)), counted[key]) for key in keys]


def needs_details(item: Item) -> bool:
    """Whether somebody has to act: everything but a plain good verdict."""
    if item.get("problem"):
        return True
    return verdict(item, "en") not in ("accepted", "already archived", "valid", "intact")


def count_levels(item: Item) -> dict[str, int]:
    """How many findings of each level, heaviest first, without the zeros."""
    counted = {level: sum(finding["level"] == level for finding in item.get("findings", ())) for level in LEVELS}
    return {level: count for level, count in counted.items() if count}


def _as_finding(problem: dict[str, Any]) -> dict[str, Any]:
    message = {}
    for lang in ("vi", "en"):
        said = word(PROBLEMS, problem["what"], lang)
        if problem.get("repaired"):
            said += f", {text('repaired', lang)} {fit(problem.get('from'))}"
        message[lang] = said
    return {
        "level": "error",
        "code": problem["what"],
        "file": problem.get("path"),
        "line": None,
        "expected": problem.get("expected"),
        "found": problem.get("found"),
        "reference": "",
        "message": message,
        "advice": {"vi": "", "en": ""},
    }


def _decimal(value: float, lang: Lang) -> str:
    made = f"{value:.1f}"
    return made.replace(".", ",") if lang == "vi" else made
