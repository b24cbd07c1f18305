"""OpenDocument files whose text is in fonts of TCVN3 or VNI, made Unicode in every place that has a font.

Workers alone import it, see `registry.warm`.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import IO, Any, BinaryIO, Final

from lxml import etree

from pipeline.content.normalisation.made import CHANGED, Differs, Failed, Made, Proved, Told
from pipeline.content.normalisation.odffonts import Styles
from pipeline.content.normalisation.odfparts import Part
from pipeline.content.normalisation.odftexts import Plan, Tally, Texts
from pipeline.content.normalisation.oldletters import NAMES, face_for, looks_old
from pipeline.content.normalisation.registry import Beat
from pipeline.content.validity import Invalid, Unchecked
from pipeline.content.validity.documents import archive, members
from pipeline.damage import ZIP_FAULTS
from pipeline.text import detect, encode, shown

_OLD: Final = re.compile(rb"font-(?:family|name)[a-z-]*=[\"'](?:&apos;|&quot;|')?(?:\.vn|vni|vps)", re.IGNORECASE)
_OLD_IN_PICTURE: Final = re.compile(rb"\.Vn[A-Z]|VNI-|\.\0V\0n\0[A-Z]\0|V\0N\0I\0-\0")
_BETWEEN_TAGS: Final = re.compile(r">([^<>]{2,})<")
_PICTURE: Final = re.compile(r"Pictures/(?!TablePreview).*\.(?:wmf|emf|svm)", re.IGNORECASE)
_OBJECT: Final = re.compile(rb'full-path="([^"]*)"[^>]*media-type="application/vnd\.sun\.star\.oleobject"|'
                            rb'media-type="application/vnd\.sun\.star\.oleobject"[^>]*full-path="([^"]*)"')  # fmt: skip
_SIGNATURES: Final = ("META-INF/documentsignatures.xml", "META-INF/macrosignatures.xml")
_HEAD: Final = 4096
_STEP: Final = 1 << 20
_LOOKED: Final = 4 << 20
_SHOWN: Final = 5
_FONTS: Final = 20
_KINDS: Final = {
    "application/vnd.oasis.opendocument.text": "text",
    "application/vnd.oasis.opendocument.spreadsheet": "spreadsheet",
    "application/vnd.oasis.opendocument.presentation": "presentation",
}


def convert(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat: Beat) -> Made:
    """The same file with text of old fonts in Unicode and Unicode fonts in their place; only what has to change does.

    `kept` where no font is an old one, or all text in them is Unicode already. What is not changed though it may be in
    an old encoding is told. A signature is not carried over. Without arguments the file is a stranger's, and every
    member is unpacked once before any is believed.
    """
    (result,) = results.values()
    try:
        with archive(source) as opened:
            if not arguments:
                members(opened, beat)
            if not any(_mentions(opened, name, _OLD, beat) for name in _parts(opened)):
                return Made(kept="no font of an old encoding", told=_letters(_glanced(opened, beat)))
            return _Conversion(opened, beat).write(result)
    except (Invalid, Unchecked) as problem:
        raise Failed("FMT-CONVERT-DAMAGED", str(problem)) from None
    except (*ZIP_FAULTS, KeyError) as problem:
        raise Failed("FMT-CONVERT-FAILED", f"OpenDocument: {problem}", "OpenDocument") from None


class _Conversion:
    """One file: read once to learn, once to change."""

    def __init__(self, opened: zipfile.ZipFile, beat: Beat) -> None:
        self.opened, self.beat, self.tally = opened, beat, Tally()
        self.names = set(opened.namelist())
        kind = _KINDS.get(opened.read("mimetype")[:80].decode("ascii", "replace").removesuffix("-template"), "text")
        most: Counter[str] = Counter()
        self.documents: dict[str, tuple[str, Styles, Plan]] = {}
        for folder in _folders(opened):
            self.documents[folder] = (kind if not folder else "object", Styles(), Plan(most=most))
        for folder, (kind, styles, plan) in self.documents.items():
            for part in _of(folder, self.names):
                self._read(folder + part, Texts(part, kind, styles, plan, self.tally), None)
            plan.numbers = styles.number_fonts()
        self.changed: set[str] = set()

    def _read(self, name: str, reader: Texts, target: IO[bytes] | None) -> None:
        with self.opened.open(name) as part:
            Part(reader, target.write if target is not None else None).read(part, self.beat)

    def write(self, result: BinaryIO) -> Made:
        with zipfile.ZipFile(result, "w") as written:
            names = [one for one in self.opened.namelist() if not one.endswith("/")]
            for name in sorted(names, key=lambda one: (one != "mimetype", one.startswith("ObjectReplacements/"),
                                                       one == "META-INF/manifest.xml", one)):  # fmt: skip
                if name in _SIGNATURES or name.startswith("Thumbnails/"):
                    continue
                if name.removeprefix("ObjectReplacements/") in self.changed:
                    continue  # a picture of what was shown before
                with written.open(_entry(name), "w") as target:
                    self._member(name, target)
                self.beat()
        tally = self.tally
        self._look_at_the_rest()
        told = [Told("FMT-OFFICE-UNICODE", found=_counted(tally))] if tally.changed else []
        if tally.against:
            most = tally.against.most_common(_SHOWN)
            against = ", ".join(f"{_name(font)}: {what} × {many}" for (font, what), many in most)
            told.append(Told("FMT-OFFICE-AGAINST", found=against))
        told += _letters(tally.ordinary)
        if tally.strays:
            tally.leave("marks of VNI without a letter", str(tally.strays))
        if tally.lost:
            tally.leave("characters that could not be read", str(tally.lost))
        if tally.left:
            told.append(Told("FMT-OFFICE-LEFT", found=_left(tally.left)))
        if not tally.changed:
            return Made(kept="text in fonts of an old encoding is Unicode already", told=tuple(told))
        return Made(notes=tuple(_notes(tally)), told=tuple(told))

    def _member(self, name: str, target: IO[bytes]) -> None:
        folder, slash, part = name.rpartition("/")
        folder += slash
        known = self.documents.get(folder)
        if known is not None and part in _of(folder, self.names):
            kind, styles, plan = known
            plan.writing = True
            before = self.tally.changed
            self._read(name, Texts(part, kind, styles, plan, self.tally), target)
            if folder and self.tally.changed > before:
                self.changed.add(folder.removesuffix("/"))
            return
        if name == "META-INF/manifest.xml":
            data = self.opened.read(name)
            for gone in [
                b"Thumbnails/",
                *(one.encode() for one in _SIGNATURES),
                *(f'ObjectReplacements/{one}"'.encode() for one in self.changed),
            ]:
                data = re.sub(rb"\s*<manifest:file-entry[^>]*full-path=\"" + re.escape(gone) + rb"[^>]*/>", b"", data)
            target.write(data)
            return
        with self.opened.open(name) as member:
            while data := member.read(_STEP):
                target.write(data)
                self.beat()

    def _look_at_the_rest(self) -> None:
        """Pictures and objects of other programs, whose text nobody has read."""
        for name in sorted(self.names):
            if _PICTURE.fullmatch(name) and _mentions(self.opened, name, _OLD_IN_PICTURE, self.beat):
                self.tally.leave("picture", name.rpartition("/")[2])
        if "META-INF/manifest.xml" in self.names:
            for match in _OBJECT.finditer(self.opened.read("META-INF/manifest.xml")):
                self.tally.leave("embedded object", (match[1] or match[2] or b"").decode("utf-8", "replace"))


def _parts(opened: zipfile.ZipFile) -> list[str]:
    names = set(opened.namelist())
    return [folder + part for folder in _folders(opened) for part in _of(folder, names) if part != "meta.xml"]


def _folders(opened: zipfile.ZipFile) -> list[str]:
    """Of the document itself, and of documents in it (charts, no formulas)."""
    inside = []
    for name in sorted(opened.namelist()):
        if name.endswith("/content.xml"):
            with opened.open(name) as part:
                if b":document-content" in part.read(_HEAD):
                    inside.append(name.removesuffix("content.xml"))
    return ["", *inside]


def _of(folder: str, names: set[str]) -> list[str]:
    """Parts of a document in the order in which they are read."""
    return [one for one in ("styles.xml", "content.xml", "meta.xml") if folder + one in names]


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
    return info


def _mentions(opened: zipfile.ZipFile, name: str, pattern: re.Pattern[bytes], beat: Beat) -> bool:
    kept = b""
    with opened.open(name) as part:
        while data := part.read(_STEP):
            if pattern.search(kept + data):
                return True
            kept = data[-200:]
            beat()
    return False


def _glanced(opened: zipfile.ZipFile, beat: Beat) -> list[tuple[str, str]]:
    """Text of the first few megabytes that could be of an old encoding; its fonts are not asked for."""
    found: list[tuple[str, str]] = []
    if "content.xml" not in opened.namelist():
        return found
    with opened.open("content.xml") as part:
        text = part.read(_LOOKED).decode("utf-8", "ignore")
    beat()
    seen = 0
    for match in _BETWEEN_TAGS.finditer(text):
        if not match[1].isascii() and looks_old(match[1]):
            found.append(("", match[1]))
            seen += len(match[1])
            if seen > 1 << 16:
                break
    return found


def _letters(ordinary: list[tuple[str, str]]) -> tuple[Told, ...]:
    """What a person has to look at: text that reads as an old encoding though its font does not say so."""
    if not ordinary:
        return ()
    raw = shown("\n".join(text for _, text in ordinary))
    found = detect(raw) if raw is not None else None
    if found is None or found.encoding not in ("tcvn3", "vni"):
        return ()
    fonts = ", ".join(sorted({_name(font) for font, _ in ordinary if font})[:_SHOWN])
    sample = " ".join(ordinary[0][1].split())[:60]
    many = sum(len(text) for _, text in ordinary)
    return (Told("FMT-OFFICE-LETTERS", NAMES[found.encoding], f"{many} × {fonts or '?'}: {sample}"),)


def _name(font: str) -> str:
    return " ".join(font.replace(";", ",").split())[:60]


def _counted(tally: Tally) -> str:
    found: dict[str, Counter[str]] = {}
    for (encoding, font, _), many in tally.runs.items():
        found.setdefault(encoding, Counter())[_name(font)] += many
    for (encoding, _), many in tally.loose.items():
        found.setdefault(encoding, Counter())["–"] += many
    told = []
    for encoding, fonts in sorted(found.items()):
        most = ", ".join(f"{font} {many}" for font, many in fonts.most_common(_SHOWN))
        told.append(f"{NAMES[encoding]}: {fonts.total()} ({most})")
    return ", ".join(told)


def _notes(tally: Tally) -> Iterator[str]:
    """Facts for the event: what changed, by font and place."""
    yield CHANGED
    runs: dict[tuple[str, str], Counter[str]] = {}
    for (encoding, font, place), many in tally.runs.items():
        runs.setdefault((encoding, _name(font)), Counter())[place] += many
    for number, ((encoding, font), places) in enumerate(sorted(runs.items())):
        if number == _FONTS:
            yield f"{len(runs) - _FONTS} more fonts"
            break
        yield f"{NAMES[encoding]} {font}: " + ", ".join(f"{place} {many}" for place, many in sorted(places.items()))
    if tally.loose:
        yield "without a font: " + ", ".join(
            f"{NAMES[encoding]} {place} {many}" for (encoding, place), many in sorted(tally.loose.items())
        )
    if tally.against:
        yield "read otherwise than fonts say: " + ", ".join(
            f"{_name(font)} as {what} {many}" for (font, what), many in sorted(tally.against.items())[:_FONTS]
        )
    fonts = sorted({(_name(font), face_for(font).family) for font in tally.fonts})
    yield "fonts: " + ", ".join(f"{old} → {new}" for old, new in fonts[:_FONTS])


def _left(left: dict[str, list[str]]) -> str:
    return "; ".join(
        f"{place}: {', '.join(' '.join(one.split())[:60] for one in texts[:_SHOWN])}"
        + (f" … {len(texts)}" if len(texts) > _SHOWN else "")
        for place, texts in sorted(left.items())
    )


# proof


def same(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat: Beat) -> Proved | Differs:
    """Read one beside the other: the same elements, and every character of the source stands in the result, as it was
    or as the letter whose bytes it is; every letter of the result, encoded again, gives the bytes of the source.
    """
    back = _Back()
    try:
        with archive(source) as before, archive(result) as after:
            for name in [*_parts(before), *(one for one in ("meta.xml",) if one in before.namelist())]:
                pairs = zip_longest(_said(before, name, beat), _said(after, name, beat))
                for old, new in pairs:
                    if old is None or new is None or old[0] != new[0] or len(old[1]) != len(new[1]):
                        return Differs(f"{name}: other elements")
                    for one, two in zip(old[1], new[1], strict=True):
                        if one != two and not back.fits(one, two):
                            return Differs(f"{name}: {one[:40]!r} became {two[:40]!r}")
    except (Invalid, etree.XMLSyntaxError, *ZIP_FAULTS, KeyError) as problem:
        raise Failed("FMT-CONVERT-FAILED", f"text cannot be compared: {problem}", "OpenDocument") from None
    if not back.letters:
        return Proved("no text had to change, fonts alone")
    return Proved(f"{back.letters} letters, encoded again, are the characters of the source; no other text changed")


_PARAGRAPHS: Final = ("p", "h")
_FREE: Final = ("font-name", "font-family", "font-pitch", "font-charset", "font-style-name")


def _said(opened: zipfile.ZipFile, name: str, beat: Beat) -> Iterator[tuple[str, list[str]]]:
    """(element, its text and attributes), paragraphs with all that stands in them as one text, fonts left out."""
    inside = 0
    with opened.open(name) as part:
        events: Any = etree.iterparse(
            part, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
        )
        for number, (event, element) in enumerate(events):
            if not isinstance(element.tag, str):
                continue
            local = element.tag.rpartition("}")[2]
            if event == "start":
                inside += local in _PARAGRAPHS
                continue
            inside -= local in _PARAGRAPHS
            if local in ("font-face", "font-face-decls"):
                element.clear()
                continue
            told = [
                value for key, value in sorted(element.attrib.items()) if not key.rpartition("}")[2].startswith(_FREE)
            ]
            if local in _PARAGRAPHS and not inside:
                told.append("".join(element.itertext()))  # with paragraphs of notes in it
            elif not inside:
                told.append(element.text or "")
            yield element.tag, told
            if not inside:
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
            if number % 1000 == 0:
                beat()


class _Back:
    """The way back from Unicode to what the source held."""

    def __init__(self) -> None:
        self.letters = 0
        self._known: dict[str, tuple[str, ...]] = {}

    def fits(self, old: str, new: str) -> bool:
        """Whether `new` is `old` with letters in place of the characters that stood for their bytes."""
        at = 0
        for char in new:
            for form in self._forms(char):
                if old.startswith(form, at):
                    self.letters += form != char
                    at += len(form)
                    break
            else:
                return False
        return at == len(old)

    def _forms(self, char: str) -> tuple[str, ...]:
        """What a character of the result may have been, the longest first: two characters of VNI, one, itself."""
        known = self._known.get(char)
        if known is None:
            found = {char, char.lower()}
            for letter in {char, char.lower()}:
                for encoding in ("tcvn3", "vni", "vps"):
                    try:
                        raw = encode(letter, encoding)
                    except UnicodeEncodeError:
                        continue
                    found |= set(_surfaces(raw))
            known = tuple(sorted(found, key=lambda one: (-len(one), one == char, one)))
            self._known[char] = known
        return known


def _surfaces(raw: bytes) -> Iterator[str]:
    """Text that office files hold for bytes: by CP1252, as a font of symbols, by CP1258; VNI's capitals with small
    marks and i with marks of its own too.
    """
    spelt = {raw}
    if len(raw) == 2:
        spelt.add(raw[:1] + bytes([raw[1] | 0x20]))
    for one in spelt:
        yield "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in one)
        yield one.decode("latin-1")
        yield "".join(chr(0xF000 + byte) for byte in one)
        yield "".join(bytes([byte]).decode("cp1258", "ignore") or chr(byte) for byte in one)
