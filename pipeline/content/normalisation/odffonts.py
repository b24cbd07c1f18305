"""Which font text of an OpenDocument file has: styles, their parents, defaults, and what stands around the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pipeline.content.normalisation.oldletters import first_family

LONGEST: Final = 1000
"""Most parents of one style that are followed."""

Key = tuple[str, str]
"""(family, name)."""

_LEVELS: Final = ("text:list-level-style-number", "text:list-level-style-bullet", "text:list-level-style-image",
                  "text:outline-level-style")  # fmt: skip


@dataclass(slots=True)
class Style:
    """What one style says; `font` is the family, None where it leaves that to its parent."""

    parent: str | None = None
    font: str | None = None
    list_style: str | None = None
    numbers: str | None = None


@dataclass(slots=True)
class Level:
    """A level of a list: the font of its label, or the character style that has it."""

    font: str | None = None
    style: str | None = None


@dataclass(slots=True)
class Sheet:
    """Styles of one part: automatic ones are for its own content, common ones (of `styles.xml`) for all parts."""

    faces: dict[str, str] = field(default_factory=dict)
    automatic: dict[Key, Style] = field(default_factory=dict)
    common: dict[Key, Style] = field(default_factory=dict)
    defaults: dict[str, Style] = field(default_factory=dict)
    levels: dict[tuple[str, int], Level] = field(default_factory=dict)
    mapped: dict[str, set[str]] = field(default_factory=dict)
    """Styles of numbers that another one applies under conditions."""


class Styles:
    """Styles of a document, gathered while its parts are read: `styles.xml` before `content.xml`."""

    def __init__(self) -> None:
        self.sheets: dict[str, Sheet] = {}
        self._known: dict[tuple[str, str, str, str], str | None] = {}
        self._owner: list[tuple[str, Style | Level | None]] = []
        self._list = ""
        self._numbers = ""

    def begin(self, part: str) -> None:
        """A part begins."""
        self.sheets[part] = Sheet()
        self._owner.clear()

    def start(self, part: str, name: str, told: dict[str, str], automatic: bool) -> None:
        """An element that stands among styles begins."""
        sheet = self.sheets[part]
        if name == "style:font-face":
            sheet.faces[told.get("style:name", "")] = first_family(told.get("svg:font-family", ""))
        elif name == "style:style":
            style = Style(told.get("style:parent-style-name"), None, told.get("style:list-style-name"),
                          told.get("style:data-style-name"))  # fmt: skip
            where = sheet.automatic if automatic else sheet.common
            where[told.get("style:family", ""), told.get("style:name", "")] = style
            self._owner.append((name, style))
        elif name == "style:default-style":
            style = sheet.defaults.setdefault(told.get("style:family", ""), Style())
            self._owner.append((name, style))
        elif name in ("text:list-style", "text:outline-style"):
            self._list = told.get("style:name", "")
        elif name in _LEVELS:
            level = Level(style=told.get("text:style-name"))
            number = told.get("text:level", "1")
            sheet.levels[self._list, int(number) if number.isascii() and number.isdigit() else 1] = level
            self._owner.append((name, level))
        elif name.startswith("number:") and name.endswith("-style"):
            self._numbers = told.get("style:name", "")
            self._owner.append((name, None))
        elif name == "style:map" and self._owner and self._owner[-1][0].startswith("number:"):
            sheet.mapped.setdefault(self._numbers, set()).add(told.get("style:apply-style-name", ""))
        elif name == "style:text-properties" and self._owner and self._owner[-1][1] is not None:
            font = told.get("style:font-name")
            family = told.get("fo:font-family")
            if font is not None and font in sheet.faces:
                self._owner[-1][1].font = sheet.faces[font] or None
            elif family or font:
                self._owner[-1][1].font = first_family(family or font or "") or None

    def end(self, name: str) -> None:
        """An element among styles ends."""
        if self._owner and self._owner[-1][0] == name:
            self._owner.pop()

    def style(self, part: str, family: str, name: str | None) -> Style | None:
        """A style by name, as a part sees it."""
        if name is None:
            return None
        sheet = self.sheets[part]
        found = sheet.automatic.get((family, name))
        return found or next(
            (one for other in self.sheets.values() if (one := other.common.get((family, name))) is not None), None
        )

    def chain(self, part: str, family: str, name: str | None) -> Iterator[tuple[str, Style]]:
        """A style and its parents; a circle ends where it began."""
        seen: set[str] = set()
        while name is not None and name not in seen and len(seen) < LONGEST:
            seen.add(name)
            style = self.style(part, family, name)
            if style is None:
                return
            yield name, style
            name = style.parent

    def font(self, part: str, family: str, name: str | None) -> str | None:
        """The font that a style or one of its parents names."""
        return self._told(part, family, name, "font")

    def _told(self, part: str, family: str, name: str | None, what: str) -> str | None:
        """What a style or the first of its parents says; every style is asked once."""
        value: str | None = None
        passed = []
        while name is not None:
            key = (part, family, name, what)
            if key in self._known:
                value = self._known[key]
                break
            self._known[key] = None  # so that a circle ends
            passed.append(key)
            style = self.style(part, family, name)
            value = getattr(style, what) if style is not None else None
            if style is None or value:
                break
            name = style.parent
        self._known.update(dict.fromkeys(passed, value))
        return value

    def default(self, family: str) -> str | None:
        """The font of a family without any style."""
        for sheet in self.sheets.values():
            if (style := sheet.defaults.get(family)) is not None and style.font:
                return style.font
        return None

    def list_of(self, part: str, paragraph: str | None) -> str | None:
        """The list that the style of a paragraph belongs to."""
        return self._told(part, "paragraph", paragraph, "list_style")

    def outline(self, part: str, name: str | None) -> str | None:
        """Of a placeholder's style: the name of the styles of its levels without their number."""
        for known, _ in self.chain(part, "presentation", name):
            if known.endswith("-outline1"):
                return known[:-1]
        return None

    def level(self, part: str, outline: str, number: int) -> str | None:
        """The font of a level of a placeholder."""
        return self.font(part, "presentation", f"{outline}{min(number, 9)}")

    def label_font(self, part: str, name: str, number: int) -> str | None:
        """The font of the label of a level, where the level has one of its own."""
        level = self.sheets[part].levels.get((name, number))
        if level is None:
            return None
        return level.font or self.font(part, "text", level.style)

    def number_fonts(self) -> dict[str, set[str | None]]:
        """Fonts of the cell styles that use a style of numbers, by its name."""
        found: dict[str, set[str | None]] = {}
        for part, sheet in self.sheets.items():
            for group in (sheet.automatic, sheet.common):
                for family, name in group:
                    if family != "table-cell":
                        continue
                    numbers = self._told(part, family, name, "numbers")
                    if numbers:
                        font = self.font(part, family, name) or self.default("table-cell")
                        found.setdefault(numbers, set()).add(font)
        for sheet in self.sheets.values():
            for name, others in sheet.mapped.items():
                for other in others:
                    found.setdefault(other, set()).update(found.get(name, ()))
        return found
