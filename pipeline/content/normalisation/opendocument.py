"""OpenDocument files of LibreOffice made the same on every run, without a change of what they say.

LibreOffice 7.4 orders fonts of one family, and in spreadsheets the styles of pages, as they happen to lie in its
memory, and numbers them in that order. Here both get the order of what they are. What else differs from run to run is
no part of a document: order and times of the members of the zip, random numbers for comparing versions, the preview,
where pages happened to end when it was written, the part that a window would have shown, the moment at which a field
for the present date was last counted.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from xml.sax.saxutils import escape, unescape

from lxml import etree

from pipeline.content.normalisation.registry import Beat

_VOLATILE: Final = re.compile(
    rb'<config:config-item config:name="(?:Rsid|RsidRoot|PrinterSetup|PrinterName|CurrentDatabaseDataSource|'
    rb'Vi(?:ew|sible)Area(?:Top|Left|Width|Height))"[^>]*?'
    rb"(?:/>|>[^<]*</config:config-item>)"
)
_EMPTY_BUT_FOR_A_BREAK: Final = re.compile(rb"<(text:[a-z]+)( [^<>]*)?><text:soft-page-break/></\1>")
_BREAK: Final = re.compile(rb'<text:soft-page-break/>| text:use-soft-page-breaks="(?:true|false)"')
_THUMBNAIL: Final = re.compile(rb'\s*<manifest:file-entry manifest:full-path="Thumbnails/[^>]*/>')
_FONTS: Final = re.compile(rb"(<office:font-face-decls>)(.*?)(</office:font-face-decls>)", re.DOTALL)
_FONT: Final = re.compile(rb'<style:font-face style:name="([^"]*)"([^>]*)>(?:(?<!/>).*?</style:font-face>)?', re.DOTALL)
_FAMILY: Final = re.compile(rb'svg:font-family="([^"]*)"')
_USED: Final = re.compile(rb'( style:font-name(?:-asian|-complex)?=")([^"]*)(")')
_NOW: Final = re.compile(rb'<text:(?:date|time)(?= )(?![^>]* text:fixed="true")[^>]*>')
_MOMENT: Final = re.compile(rb' text:(?:date|time)-value="[^"]*"')
_SPREADSHEET: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_VARYING: Final = (
    (re.compile(rb'<text:(date|time)(?= )(?![^>]* text:fixed="true")'), "text:"),
    (re.compile(rb'<presentation:(date-time)-decl [^>]*presentation:source="current-date"'), "presentation:"),
    (re.compile(rb' table:formula="[^"]*?(?<![A-Z.])(TODAY|NOW|RAND|RANDBETWEEN)(?:\.NV)?\('), ""),
)
_STYLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_NUMBERED: Final = re.compile(r"(M[A-Za-z]+)\d+")
"""How LibreOffice names the styles that it makes itself for pages, and for the text of their headers and footers."""


def canonical(source: BinaryIO, result: BinaryIO, beat: Beat) -> Iterator[tuple[str, bytes]]:
    """Writes the document anew into `result`; yields name and bytes of each part of XML that it has written.

    Raises what zipfile, zlib and lxml raise on a file that is no such document.
    """
    with zipfile.ZipFile(source) as opened, zipfile.ZipFile(result, "w") as written:
        names = [one for one in opened.namelist() if not one.endswith("/") and not one.startswith("Thumbnails/")]
        spreadsheet = "mimetype" in names and opened.read("mimetype").strip() == _SPREADSHEET
        for name in sorted(names, key=lambda one: (one != "mimetype", one)):
            data = _part(name, opened.read(name), spreadsheet)
            beat()
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            written.writestr(info, data, compresslevel=9)
            beat()
            if name.endswith(".xml"):
                yield name, data


def _part(name: str, data: bytes, spreadsheet: bool) -> bytes:
    last = name.rpartition("/")[2]
    if last == "settings.xml":
        return _VOLATILE.sub(b"", data)
    if name == "META-INF/manifest.xml":
        return _THUMBNAIL.sub(b"", data)
    if last in ("content.xml", "styles.xml"):
        data = _BREAK.sub(b"", _EMPTY_BUT_FOR_A_BREAK.sub(rb"<\1\2/>", fonts_in_order(data)))
        data = _NOW.sub(lambda field: _MOMENT.sub(b"", field[0]), data)
        if spreadsheet and name == "styles.xml":
            data = pages_in_order(data)
    return data


def varying(content: bytes) -> set[str]:
    """What shows another value whenever the document is opened: fields for date and time, functions of a sheet."""
    return {prefix + found.decode() for pattern, prefix in _VARYING for found in pattern.findall(content)}


def fonts_in_order(data: bytes) -> bytes:
    """A part whose declarations of fonts stand in the order of what they declare, and are numbered in that order."""
    found = _FONTS.search(data)
    if found is None:
        return data
    declared = sorted(
        (_family(one), one[2], one[0].replace(one[1], b"", 1), one[1], one[0]) for one in _FONT.finditer(found[2])
    )
    renamed: dict[bytes, bytes] = {}
    written: list[bytes] = []
    taken: set[bytes] = set()
    before: tuple[bytes, bytes] | None = None
    name = b""
    for family, _, without_name, old, whole in declared:
        if before != (family, without_name):
            number = 0
            name = family
            while name in taken:
                number += 1
                name = family + str(number).encode()
            taken.add(name)
            written.append(whole.replace(b'style:name="' + old, b'style:name="' + name, 1))
        before = (family, without_name)
        renamed[old] = name
    start, end = found.span(2)
    rest = _USED.sub(lambda used: used[1] + renamed.get(used[2], used[2]) + used[3], data[end:])
    return data[:start] + b"".join(written) + rest


def _family(declaration: re.Match[bytes]) -> bytes:
    """The first family that a declaration names, as it may stand in a name; its own name where it names none."""
    found = _FAMILY.search(declaration[0])
    families = unescape((found[1] if found else b"").decode("utf-8", "replace"), {"&apos;": "'", "&quot;": '"'})
    first = re.split("[,;]", families)[0].strip("'\" ")
    return escape(first, {"'": "&apos;", '"': "&quot;"}).encode() if first else declaration[1]


def pages_in_order(data: bytes) -> bytes:
    """The styles of a spreadsheet with its page styles by name, and their layouts and texts numbered in that order."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root: Any = etree.fromstring(data, parser)
    masters, automatic = root.find(f"{_OFFICE}master-styles"), root.find(f"{_OFFICE}automatic-styles")
    if masters is None or automatic is None:
        return data
    masters[:] = sorted(masters, key=lambda one: (one.tag, _rank(one.get(f"{_STYLE}name") or "")))
    styles = {(_kind(one), one.get(f"{_STYLE}name")): one for one in automatic}
    renamed: dict[tuple[str, str | None], str] = {}
    numbers: dict[str, int] = {}
    for element in masters.iter():
        for attribute, kind in _references(element):
            key = kind, element.get(attribute)
            matched = _NUMBERED.fullmatch(key[1] or "")
            if key not in styles or matched is None:
                continue
            if key not in renamed:
                numbers[matched[1]] = numbers.get(matched[1], 0) + 1
                renamed[key] = f"{matched[1]}{numbers[matched[1]]}"
            element.set(attribute, renamed[key])
    order = {id(styles[key]): place for place, key in enumerate(renamed)}
    for key, name in renamed.items():
        styles[key].set(f"{_STYLE}name", name)
    everything = list(automatic)
    for kind in dict.fromkeys(kind for kind, _ in renamed):
        places = [place for place, one in enumerate(everything) if id(one) in order and _kind(one) == kind]
        moved = sorted((everything[place] for place in places), key=lambda one: order[id(one)])
        for place, one in zip(places, moved, strict=True):
            everything[place] = one
    automatic[:] = everything
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _rank(name: str) -> tuple[bool, str]:
    """Where a page style stands: those that LibreOffice always has come first."""
    return name not in ("Default", "Report"), name


def _kind(style: Any) -> str:
    """What family a style belongs to, the name of its element where that tells it."""
    return style.get(f"{_STYLE}family") or etree.QName(style).localname


def _references(element: Any) -> Iterator[tuple[str, str]]:
    """Attributes of an element that name a style, with the family of that style."""
    if not isinstance(element.tag, str):
        return
    if element.get(f"{_STYLE}page-layout-name"):
        yield f"{_STYLE}page-layout-name", "page-layout"
    if element.get(f"{_TEXT}style-name"):
        yield f"{_TEXT}style-name", "text" if element.tag in (f"{_TEXT}span", f"{_TEXT}a") else "paragraph"
