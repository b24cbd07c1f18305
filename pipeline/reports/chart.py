"""Charts of a report as inline SVG: no script, no fetch, a text of their own for who cannot see them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from markupsafe import Markup, escape

from pipeline.reports.cells import fit, number
from pipeline.reports.words import Lang, say

MOST = 20
"""Bars shown; what is left is one more bar."""

LABEL = 34
"""Characters of a label: as many as stand beside a count on a phone. The whole label is the bar's tooltip."""

ACCENT = "#7a1f1f"
_ROW, _BAR, _TEXT = 40, 12, 14
_REST = ("các mục còn lại ({count})", "all others ({count})")
_NONE = ("Không có số liệu.", "No figures.")


def bars(
    counts: Mapping[str, int], *, title: str = "", lang: Lang = "vi", most: int = MOST, longest: int = LABEL,
    family: str = "",
) -> Markup:  # fmt: skip
    """A horizontal bar chart of labelled counts, the largest first, as one `<svg>` element.

    It is as wide as what holds it, and its letters keep their size on every screen. Labels pass `fit` and are escaped;
    a page may colour the bars through `.chart rect` and needs no style at all. Screen readers get `title`, and all
    figures as a sentence. The same counts give the same bytes. `longest`: characters of a label, more where the page is
    wide for sure; `family`: letters, where those around the chart are not inherited (paper).
    """
    rows = sorted(((fit(label), max(0, count)) for label, count in counts.items()), key=lambda row: (-row[1], row[0]))
    if len(rows) > most:
        rest = rows[most - 1 :]
        other = say(_REST, lang).replace("{count}", number(len(rest), lang))
        rows = [*rows[: most - 1], (other, sum(count for _, count in rest))]
    total = sum(count for _, count in rows)
    largest = max((count for _, count in rows), default=0) or 1
    said = "; ".join(f"{label}: {number(count, lang)}" for label, count in rows) or say(_NONE, lang)
    mark = hashlib.sha256(f"{title}\0{said}".encode()).hexdigest()[:12]
    letters = f' font-family="{escape(family)}"' if family else ""
    size = f'width="100%"{letters} height="{_ROW * len(rows) or _ROW}" font-size="{_TEXT}"'
    names = f'role="img" lang="{lang}" aria-labelledby="chart-{mark} figures-{mark}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" {names} {size} fill="currentColor">',
        f'<title id="chart-{mark}">{escape(fit(title))}</title>',
        f'<desc id="figures-{mark}">{escape(said)}</desc>',
    ]
    for place, (label, count) in enumerate(rows):
        top = place * _ROW
        share = f" ({_percent(count, total, lang)})" if total else ""
        # The shortest bar that can be seen stands for the smallest count there is.
        wide = f"{max(100 * count / largest, 0.4):.2f}" if count else "0"
        lines.append(
            f"<g><title>{escape(label)}: {number(count, lang)}{share}</title>"
            f'<text x="0" y="{top + _TEXT + 2}">{escape(_cut(label, longest))}</text>'
            f'<text x="100%" y="{top + _TEXT + 2}" text-anchor="end">{number(count, lang)}</text>'
            f'<rect x="0" y="{top + _TEXT + 8}" width="{wide}%" height="{_BAR}" rx="2" fill="{ACCENT}"/></g>'
        )
    if not rows:
        lines.append(f'<text x="0" y="{_TEXT + 2}">{escape(say(_NONE, lang))}</text>')
    return Markup("".join([*lines, "</svg>"]))


def _cut(label: str, longest: int) -> str:
    """Both ends of a long label: what tells a name from its neighbours is often the end."""
    if len(label) <= longest:
        return label
    return f"{label[: longest // 2]}…{label[-(longest // 2 - 1) :]}"


def _percent(count: int, total: int, lang: Lang) -> str:
    made = f"{100 * count / total:.1f} %"
    return made.replace(".", ",") if lang == "vi" else made
