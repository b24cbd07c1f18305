"""Text of an OpenDocument part with its font and place, and that of old fonts turned into Unicode on the way."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline.content.normalisation import oldletters
from pipeline.content.normalisation.odffonts import Styles
from pipeline.content.normalisation.odfparts import Part
from pipeline.content.normalisation.oldletters import encoding_of, face_for, plain

SAMPLE: Final = 64 << 10
"""Most characters of text in ordinary fonts that are looked at for old encodings."""
_MOST_LEFT: Final = 100

_GLUE: Final = frozenset({
    "text:span", "text:a", "text:bookmark", "text:bookmark-start", "text:bookmark-end", "text:soft-page-break",
    "text:change", "text:change-start", "text:change-end", "text:reference-mark", "text:reference-mark-start",
    "text:reference-mark-end", "text:toc-mark", "text:toc-mark-start", "text:toc-mark-end", "text:meta",
    "text:alphabetical-index-mark", "text:alphabetical-index-mark-start", "text:alphabetical-index-mark-end",
    "office:annotation", "office:annotation-end", "text:user-index-mark",
})  # fmt: skip
_PLACES: Final = {
    "style:header": "header", "style:header-left": "header", "style:header-first": "header", "style:footer": "footer",
    "style:footer-left": "footer", "style:footer-first": "footer", "office:annotation": "comment",
    "text:deletion": "deleted text", "presentation:notes": "notes page", "text:index-body": "index",
    "text:index-title": "index", "table:shapes": "shape",
}  # fmt: skip
_FONTS: Final = ("style:font-name", "style:font-name-asian", "style:font-name-complex")
_FAMILIES: Final = {
    "fo:font-family": "", "style:font-family-asian": "-asian", "style:font-family-complex": "-complex",
}  # fmt: skip
_SPEAKING: Final = ("office:string-value", "text:string-value", "text:label", "text:value", "loext:display-text",
                    "text:key1", "text:key2", "text:help", "text:hint", "text:description")  # fmt: skip
_CHOICES: Final = ("Dropdown_ListEntry", "Description", "Hint", "Content", "Help")
_FORM: Final = ("form:label", "form:value", "form:current-value", "form:title", "form:text")
_LABELS: Final = ("style:num-prefix", "style:num-suffix", "loext:num-list-format", "text:bullet-char")
_LEVELS: Final = ("text:list-level-style-number", "text:list-level-style-bullet", "text:outline-level-style")
_FONTLESS: Final = {
    "dc:creator": "name", "dc:title": "property", "dc:subject": "property", "dc:description": "property",
    "meta:keyword": "property", "meta:user-defined": "property", "meta:initial-creator": "name",
    "meta:printed-by": "name", "svg:title": "description", "svg:desc": "description",
    "presentation:footer-decl": "footer", "presentation:header-decl": "header",
    "presentation:date-time-decl": "footer", "text:index-title-template": "index", "text:index-entry-span": "index",
    "text:number": "list label", "math:mtext": "formula", "math:mi": "formula", "math:annotation": "formula",
}  # fmt: skip
_CONDITIONS: Final = {"table:content-validation": "table:condition", "calcext:condition": "calcext:value"}
_LITERAL: Final = re.compile(r'"((?:[^"]|"")*)"')
_CHARTED: Final = frozenset({
    "chart:chart", "chart:title", "chart:subtitle", "chart:footer", "chart:legend", "chart:axis", "chart:series",
    "chart:data-point", "chart:data-label",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Around:
    """What holds for text at a place. `font` is None where nothing tells it; `base` and `default` (a family) are for
    paragraphs whose own styles tell none; `numbers` the style of numbers, `loose` the place of text without a font.
    """

    place: str = "body"
    font: str | None = None
    base: str | None = None
    default: str = "paragraph"
    outline: str | None = None
    list_name: str | None = None
    level: int = 0
    numbers: str | None = None
    loose: str = ""
    written: bool = False


@dataclass(slots=True)
class Piece:
    """Text between two tags. `joined`: nothing that a reader sees stands between it and the piece before."""

    start: int
    end: int
    text: str
    font: str | None
    joined: bool
    loose: str


@dataclass(slots=True)
class Paragraph:
    """Pieces of text that a reader sees in one line of thought."""

    place: str
    list_name: str | None
    level: int
    pieces: list[Piece] = field(default_factory=list)
    joined: bool = True


@dataclass(slots=True)
class Tally:
    """What was met and done. `runs`: characters in old fonts by (encoding, font, place), `loose`: without a font, by
    (encoding, place); `against`: by (font, what its text is instead); `changed`: pieces of text that are others now;
    `strays`: marks of VNI without a letter; `lost`: characters that nobody could read.
    """

    runs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    loose: Counter[tuple[str, str]] = field(default_factory=Counter)
    against: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: dict[str, list[str]] = field(default_factory=dict)
    ordinary: list[tuple[str, str]] = field(default_factory=list)
    looked: int = 0
    strays: int = 0
    lost: int = 0
    changed: int = 0
    fonts: set[str] = field(default_factory=set)

    def leave(self, place: str, text: str) -> None:
        """Notes what is left for a person."""
        known = self.left.setdefault(place, [])
        if len(known) < _MOST_LEFT and text not in known:
            known.append(text)


@dataclass(slots=True)
class Plan:
    """What the first reading told: the encoding of most text, of the labels of lists, of formats of numbers."""

    most: Counter[str] = field(default_factory=Counter)
    lists: dict[tuple[str, str, int], set[str | None]] = field(default_factory=dict)
    numbers: dict[str, set[str | None]] = field(default_factory=dict)
    controls: dict[str, str | None] = field(default_factory=dict)
    writing: bool = False

    @property
    def main(self) -> str | None:
        """The encoding that text without a font is held to."""
        return self.most.most_common(1)[0][0] if self.most else None


class Texts:
    """Reads one part; with `plan.writing` it changes what is in old fonts, else it only fills styles and plan."""

    def __init__(self, part: str, kind: str, styles: Styles, plan: Plan, tally: Tally) -> None:
        self.part, self.kind, self.styles, self.plan, self.tally = part, kind, styles, plan, tally
        self._among_styles = 0
        self._automatic = False
        first = Around(default="table-cell" if kind == "spreadsheet" else "paragraph")
        self._around: list[Around] = [first]
        self._paragraphs: list[Paragraph] = []
        self._columns: list[list[tuple[int, str | None]]] = []
        self._row: str | None = None
        self._column = 0
        self._list = ""
        self._control: list[str] = []
        self._face_at: int | None = None
        self._written: set[str] = set()
        if not plan.writing:
            styles.begin(part)

    # what is told by the part

    def start(self, name: str, attributes: dict[str, str], part: Part) -> None:
        around = self._around[-1]
        if name in ("office:styles", "office:automatic-styles", "office:font-face-decls"):
            self._among_styles += 1
            self._automatic = name == "office:automatic-styles"
        if self._among_styles:
            self._around.append(self._in_styles(name, attributes, around, part))
            return
        if self._paragraphs and around.written and name not in _GLUE:
            self._paragraphs[-1].joined = False
        now = self._entered(name, attributes, around)
        if name in ("text:p", "text:h"):
            self._paragraphs.append(Paragraph(now.place, now.list_name, now.level))
            part.keep += 1
        if self.plan.writing and attributes:
            self._attributes(name, attributes, now, part)
        self._around.append(now)

    def end(self, name: str, part: Part) -> None:
        self._around.pop()
        if self._among_styles:
            self.styles.end(name)
            if name in ("office:styles", "office:automatic-styles", "office:font-face-decls"):
                self._among_styles -= 1
            elif name == "style:font-face" and self._face_at is not None:
                part.drop(self._face_at, part.tag()[1])
                self._face_at = None
                part.keep -= 1
            return
        if name in ("text:p", "text:h"):
            self._settle(self._paragraphs.pop(), part)
            part.keep -= 1
        elif name == "table:table" and self._columns:
            self._columns.pop()
        elif name.startswith("form:") and self._control and name not in ("form:option", "form:item", "form:form"):
            self._control.pop()

    def text(self, text: str, start: int, end: int, part: Part) -> None:
        around = self._around[-1]
        if around.numbers is not None:
            self._number_text(text, start, end, around.numbers, part)
        elif around.written:
            paragraph = self._paragraphs[-1]
            paragraph.pieces.append(Piece(start, end, text, around.font, paragraph.joined, around.loose))
            paragraph.joined = True
        elif around.loose and text.strip():
            alone = Paragraph(around.loose, None, 0)
            alone.pieces.append(Piece(start, end, text, around.font, False, around.loose))
            self._settle(alone, part)

    # where text stands

    def _entered(self, name: str, told: dict[str, str], around: Around) -> Around:
        """What holds inside an element of the text."""
        styles, part = self.styles, self.part
        prefix = name.partition(":")[0]
        if name in ("text:p", "text:h"):
            named = told.get("text:style-name") or told.get("text:cond-style-name")
            base = around.base
            if around.outline and around.level > 1:
                base = styles.level(part, around.outline, around.level) or base
            font = styles.font(part, "paragraph", named) or base or self._default(around)
            listed = around.list_name or styles.list_of(part, named)
            loose = around.loose if around.loose in ("chart", "validation", "comment") else ""
            return replace(around, font=font, written=True, list_name=listed, level=around.level or 1, loose=loose)
        if name in ("text:span", "text:a"):
            font = styles.font(part, "text", told.get("text:style-name"))
            return replace(around, font=font) if font and font != around.font else around
        if name == "text:text-input" and encoding_of(around.font) is None:
            return replace(around, loose="form field")
        if name == "text:note":
            kind = told.get("text:note-class", "footnote")
            return replace(around, place=kind)
        if name == "text:note-body":
            return Around(place=around.place)
        if name == "text:list":
            return replace(around, list_name=told.get("text:style-name") or around.list_name, level=around.level + 1)
        if prefix == "table":
            return self._in_table(name, told, around)
        if prefix in ("draw", "dr3d") and name != "draw:page":
            return self._in_shape(name, told, around)
        if prefix == "form":
            self._enter_form(name, told)
            return around
        if name in _CHARTED:
            font = styles.font(part, "chart", told.get("chart:style-name")) or around.base
            return replace(around, base=font, default="chart", place="chart", loose="" if font else "chart")
        if name == "office:annotation":
            font = styles.font(part, "paragraph", told.get("draw:text-style-name")) or styles.font(
                part, "graphic", told.get("draw:style-name"))  # fmt: skip
            default = "paragraph" if self.kind == "text" else "graphic"
            lost = "comment" if self.kind == "spreadsheet" else ""  # the fonts of its text are lost on the way
            return Around(place="comment", base=font, default=default, loose=lost)
        if name in _FONTLESS and not (self.kind == "object" and name == "svg:desc"):  # where a chart has its data from
            family = "paragraph" if name == "text:index-title-template" else "text"
            font = styles.font(part, family, told.get("text:style-name"))
            return replace(around, loose=_FONTLESS[name], font=font, written=False)
        if name in _PLACES:
            return replace(around, place=_PLACES[name])
        if name == "style:master-page":
            return replace(around, place="master page")
        return around

    def _in_table(self, name: str, told: dict[str, str], around: Around) -> Around:
        if name == "table:table":
            self._columns.append([])
            if self.kind == "spreadsheet" and (sheet := told.get("table:name")) and not self.plan.writing:
                self._look_at("sheet name", sheet)
            return replace(around, loose="chart") if around.default == "chart" else around
        if name == "table:table-column" and self._columns:
            times = _times(told.get("table:number-columns-repeated"))
            self._columns[-1].append((times, told.get("table:default-cell-style-name")))
        elif name == "table:table-row":
            self._row = told.get("table:default-cell-style-name")
            self._column = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            named = told.get("table:style-name") or self._row or self._of_column()
            self._column += _times(told.get("table:number-columns-repeated"))
            font = self.styles.font(self.part, "table-cell", named)
            place = "cell" if around.place in ("body", "cell", "shape") else around.place
            if self.kind == "spreadsheet":
                font = font or self._default(Around(default="table-cell"))
            base = font or around.base
            return replace(around, base=base, font=base, place=place, list_name=None, level=0)
        elif name == "table:content-validation":
            return replace(around, loose="validation")
        return around

    def _of_column(self) -> str | None:
        at = 0
        for times, named in self._columns[-1] if self._columns else ():
            at += times
            if self._column < at:
                return named
        return None

    def _in_shape(self, name: str, told: dict[str, str], around: Around) -> Around:
        if name in ("draw:text-box", "draw:image", "draw:object", "draw:object-ole", "draw:equation"):
            return around
        styles, part = self.styles, self.part
        presented, drawn = told.get("presentation:style-name"), told.get("draw:style-name")
        written = styles.font(part, "paragraph", told.get("draw:text-style-name"))
        font = written or styles.font(part, "presentation", presented) or styles.font(part, "graphic", drawn)
        place = "text box" if name == "draw:frame" else "shape"
        if around.place not in ("body", "cell", "shape", "text box"):
            place = around.place
        if self.kind == "text" and name == "draw:frame":
            return Around(place=place)  # paragraphs of Writer have nothing from their frame
        if name == "draw:control" and (control := told.get("draw:control")):
            self.plan.controls[control] = font or styles.default("graphic")
        outline = styles.outline(part, presented)
        return Around(place=place, base=font or around.base, default="graphic", outline=outline)

    def _enter_form(self, name: str, told: dict[str, str]) -> None:
        if name not in ("form:option", "form:item", "form:form"):
            self._control.append(told.get("xml:id") or told.get("form:id") or "")

    def _default(self, around: Around) -> str | None:
        found = self.styles.default(around.default)
        return found or self.styles.default("paragraph" if around.default == "graphic" else "graphic")

    # what is changed

    def _settle(self, paragraph: Paragraph, part: Part) -> None:
        """A paragraph is whole: what is in old fonts becomes Unicode."""
        groups: dict[str, list[Piece]] = {}
        plan = self.plan
        for piece in paragraph.pieces:
            encoding = encoding_of(piece.font)
            if encoding is not None:
                groups.setdefault(plain(encoding), []).append(piece)
            elif piece.loose:
                self._settle_loose(piece, part)
            elif plan.writing:
                self._note_ordinary(piece)
        if not plan.writing:
            for encoding, pieces in groups.items():
                plan.most[encoding] += sum(not one.isascii() for piece in pieces for one in piece.text)
            if paragraph.list_name and (groups or paragraph.pieces):
                at = (self.part, paragraph.list_name, paragraph.level)
                plan.lists.setdefault(at, set()).update(groups or {None: []})
            return
        for encoding, pieces in groups.items():
            self._settle_group(paragraph, encoding, pieces, part)

    def _settle_group(self, paragraph: Paragraph, encoding: str, pieces: list[Piece], part: Part) -> None:
        whole = "".join(piece.text if piece.joined else f" {piece.text}" for piece in pieces)
        self.tally.lost += whole.count("\ufffd")
        reading = oldletters.read_by(whole, encoding)
        if reading.against:
            name = oldletters.NAMES.get(reading.encoding or "", "Unicode")
            self.tally.against[pieces[0].font or "", name] += len(whole)
        if reading.encoding is None:
            return
        order = {id(piece): at for at, piece in enumerate(paragraph.pieces)}
        chunk: list[Piece] = []
        for piece in pieces:
            if chunk and not (piece.joined and order[id(piece)] == order[id(chunk[-1])] + 1):
                self._settle_chunk(chunk, paragraph.place, reading, part)
                chunk = []
            chunk.append(piece)
        self._settle_chunk(chunk, paragraph.place, reading, part)

    def _settle_chunk(self, chunk: list[Piece], place: str, reading: oldletters.Reading, part: Part) -> None:
        encoding = reading.encoding
        assert encoding is not None
        capital = [encoding == "tcvn3" and encoding_of(piece.font) == "tcvn3-h" for piece in chunk]
        made = oldletters.unicode_of([piece.text for piece in chunk], encoding, capital, reading.other_page)
        for piece, text in zip(chunk, made, strict=True):
            self.tally.runs[encoding, piece.font or "", place] += len(piece.text)
            self.tally.strays += oldletters.strays(text) if encoding == "vni" else 0
            self._put(piece, text, part)

    def _settle_loose(self, piece: Piece, part: Part) -> None:
        """Text that has no font: only where the words themselves are clear."""
        if not self.plan.writing or self.plan.main is None:
            return
        made = self._guess(piece.loose, piece.text)
        if made is not None:
            self._put(piece, made, part)

    def _put(self, piece: Piece, text: str, part: Part) -> None:
        if text != piece.text:
            self.tally.changed += 1
            part.replace(piece.start, piece.end, text)

    def _guess(self, place: str, text: str) -> str | None:
        """Text without a font in Unicode, None where it stays as it is."""
        if self.plan.main is None:
            return None
        encoding, ask = oldletters.guessed(text.strip(), self.plan.main)
        if encoding is not None:
            self.tally.loose[encoding, place] += len(text)
            return oldletters.unicode_of([text], encoding)[0]
        if ask:
            self.tally.leave(place, text.strip())
        return None

    def _look_at(self, place: str, text: str) -> None:
        """Text that is never changed: whether a person should know."""
        if oldletters.looks_old(text):
            encoding, ask = oldletters.guessed(text, self.plan.main or "tcvn3")
            if encoding is not None:
                self.tally.leave(place, f"{text} ({oldletters.unicode_of([text], encoding)[0]})")
            elif ask:
                self.tally.leave(place, text)

    def _note_ordinary(self, piece: Piece) -> None:
        tally = self.tally
        if tally.looked < SAMPLE and not piece.text.isascii() and oldletters.looks_old(piece.text):
            tally.looked += len(piece.text)
            tally.ordinary.append((piece.font or "", piece.text))

    def _number_text(self, text: str, start: int, end: int, numbers: str, part: Part) -> None:
        if not self.plan.writing or text.isascii():
            return
        told = {encoding_of(font) for font in self.plan.numbers.get(numbers, ())}
        (encoding,) = told if len(told) == 1 else (None,)
        if encoding is None:
            if any(told):
                self._look_at("number format", text)
            return
        made = oldletters.unicode_of([text], plain(encoding), [encoding == "tcvn3-h"])[0]
        self.tally.loose[plain(encoding), "number format"] += len(text)
        self._put(Piece(start, end, text, None, False, ""), made, part)

    def _attributes(self, name: str, told: dict[str, str], around: Around, part: Part) -> None:
        """Attributes that a reader sees."""
        changes: dict[str, str | None] = {}
        if name.startswith("form:"):
            font = self.plan.controls.get(self._control[-1] if self._control else "")
            for key in _FORM:
                self._change(changes, key, told, font, "form field")
        elif name == "text:user-field-decl" or (name == "text:variable-set" and not around.font):
            self._change(changes, "office:string-value", told, None, "field")
        elif name == "draw:page" and self.kind == "presentation":
            self._change(changes, "draw:name", told, None, "page name")
        elif name in ("table:help-message", "table:error-message"):
            self._change(changes, "table:title", told, None, "validation")
        elif name in _CONDITIONS:
            self._literals(changes, _CONDITIONS[name], told, None)
        elif (name == "text:a" and self.kind == "presentation") and told.get("xlink:href", "").startswith("#"):
            made = self._guess("page name", told["xlink:href"][1:])
            if made is not None:
                changes["xlink:href"] = f"#{made}"
        elif name == "loext:list-item" or (name == "field:param" and told.get("field:name") in _CHOICES):
            font = around.font if encoding_of(around.font) else None  # that of what is chosen is not told
            for key in ("loext:display-text", "loext:value", "field:value"):
                self._change(changes, key, told, font, "form field")
        elif around.font:
            for key in _SPEAKING:
                self._change(changes, key, told, around.font, around.place)
            self._literals(changes, "table:formula", told, around.font)
        part.alter(changes)

    def _change(
        self, changes: dict[str, str | None], key: str, told: dict[str, str], font: str | None, place: str
    ) -> None:
        value = told.get(key)
        if value is None or value.isascii() and encoding_of(font) != "tcvn3-h":
            return
        encoding = encoding_of(font)
        if encoding is None:
            made = self._guess(place, value) if font is None else None
        else:
            reading = oldletters.read_by(value, plain(encoding))
            made = reading.encoding and oldletters.unicode_of([value], reading.encoding, [encoding == "tcvn3-h"])[0]
            self.tally.runs[plain(encoding), font or "", place] += len(value)
        if made is not None and made != value:
            self.tally.changed += 1
            changes[key] = made

    def _literals(self, changes: dict[str, str | None], key: str, told: dict[str, str], font: str | None) -> None:
        """Text in a formula or condition: in the font of its cell, or, where that is no old one, by its words."""
        encoding, formula = encoding_of(font), told.get(key)
        if formula is None or '"' not in formula or (encoding != "tcvn3-h" and formula.isascii()):
            return

        def made(match: re.Match[str]) -> str:
            if encoding is None:
                return f'"{self._guess("formula", match[1]) or match[1]}"'
            self.tally.loose[plain(encoding), "formula"] += len(match[1])
            return f'"{oldletters.unicode_of([match[1]], plain(encoding), [encoding == "tcvn3-h"])[0]}"'

        if (now := _LITERAL.sub(made, formula)) != formula:
            self.tally.changed += 1
            changes[key] = now

    # styles

    def _in_styles(self, name: str, told: dict[str, str], around: Around, part: Part) -> Around:
        """Gathers styles, or puts Unicode fonts in place of the old ones."""
        if name in ("text:list-style", "text:outline-style"):
            self._list = told.get("style:name", "")
        if not self.plan.writing:
            self.styles.start(self.part, name, told, self._automatic)
        elif name == "style:font-face":
            self._face(told, part)
        else:
            changes = self._fonts(told)
            if name in _LEVELS or name == "text:notes-configuration":
                self._label(name, told, changes)
            elif name == "style:map":
                self._literals(changes, "style:condition", told, None)
            part.alter(changes)
        if name.startswith("number:") and name.endswith("-style"):
            return replace(around, numbers=told.get("style:name", ""))
        return around

    def _face(self, told: dict[str, str], part: Part) -> None:
        font = oldletters.first_family(told.get("svg:font-family", "")) or told.get("style:name", "")
        if encoding_of(font) is None:
            return
        self.tally.fonts.add(font)
        face = face_for(font)
        start, end, closed = part.tag()
        instead = b""
        if face.family not in self.styles.sheets[self.part].faces and face.family not in self._written:
            self._written.add(face.family)
            instead = (
                f'<style:font-face style:name="{face.family}" svg:font-family="&apos;{face.family}&apos;" '
                f'style:font-family-generic="{face.generic}" style:font-pitch="{face.pitch}"/>'
            ).encode()
        if closed:
            part.drop(start, end, instead)
        else:
            self._face_at = start  # with the font itself inside
            part.keep += 1

    def _fonts(self, told: dict[str, str]) -> dict[str, str | None]:
        changes: dict[str, str | None] = {}
        faces = self.styles.sheets[self.part].faces
        for key in _FONTS:
            if (named := told.get(key)) is not None:
                font = faces.get(named) or named
                if encoding_of(font):
                    self.tally.fonts.add(font)
                    changes[key] = face_for(font).family
        for key, script in _FAMILIES.items():
            if (value := told.get(key)) is not None and encoding_of(font := oldletters.first_family(value)):
                self.tally.fonts.add(font)
                face = face_for(font)
                changes[key] = f"'{face.family}'"
                changes[f"style:font-family-generic{script}"] = face.generic
                changes[f"style:font-pitch{script}"] = face.pitch
                changes[f"style:font-charset{script}"] = None
                changes[f"style:font-style-name{script}"] = None
        return changes

    def _label(self, name: str, told: dict[str, str], changes: dict[str, str | None]) -> None:
        number = int(level) if (level := told.get("text:level", "1")).isdecimal() else 1
        font = self.styles.label_font(self.part, self._list, number)
        for key in _LABELS:
            value = told.get(key)
            if value is None or value.isascii():
                continue
            users = {
                one
                for (part, known, at), all_ in self.plan.lists.items()
                for one in all_
                if known == self._list and at == number and (part == self.part or not self._automatic)
            }
            encoding = encoding_of(font) or (next(iter(users)) if len(users) == 1 else None)
            if encoding is None:
                made = self._guess("list label", value)
            else:
                self.tally.loose[plain(encoding), "list label"] += len(value)
                made = oldletters.unicode_of([value], plain(encoding), [encoding == "tcvn3-h"])[0]
            if made is not None and made != value:
                self.tally.changed += 1
                changes[key] = made


def _times(text: str | None) -> int:
    return min(int(text), 1 << 21) if text and text.isascii() and text.isdigit() else 1
