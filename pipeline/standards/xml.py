"""XML as this project reads and writes it: streamed, deterministic, deaf to everything a document asks for."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import BinaryIO

from lxml import etree

METS = "http://www.loc.gov/METS/"
PREMIS = "http://www.loc.gov/premis/v3"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
CSIP = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
SIP = "https://DILCIS.eu/XML/METS/SIPExtensionMETS"
DC = "http://purl.org/dc/elements/1.1/"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "xsd"

MAX_BYTES = 4 << 30
"""Largest document that is read: a METS and PREMIS of more than a million files stay below it."""

MAX_DEPTH = 64
"""Deepest nesting that is read; METS, PREMIS and DC need less than half of it."""

MAX_MESSAGES = 100
"""Schema messages reported for one document."""

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(Exception):
    """A document cannot be read as XML by our rules: `line` (from 1, 0 unknown), `message` in English."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def legal(text: str) -> str:
    """The text with each character that XML 1.0 cannot hold written as `\\uXXXX`, so that a reader sees it."""
    return _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) if _ILLEGAL.search(text) else text


def moment(when: datetime) -> str:
    """xs:dateTime with zone. An offset that xs:dateTime cannot write (seconds, above 14 hours) becomes UTC."""
    offset = when.utcoffset()
    if offset is None:
        raise ValueError("a time without zone")
    if abs(offset) > timedelta(hours=14) or offset.total_seconds() % 60:
        when = when.astimezone(UTC)
    text = when.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def parsed_moment(text: str | None) -> datetime | None:
    """The time that an xs:dateTime means, in UTC when it names no zone; None for anything else."""
    try:
        when = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


class Sink:
    """Bytes on their way into a file, digested and counted. `size` in bytes, `sha256` in lower-case hex."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.size += len(data)
        return self._out.write(data)


_IN_TEXT = re.compile("[&<>\r]")
_NOT_PLAIN = re.compile("[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What cannot stand in text as it is: what XML cannot hold, and what has to be written another way."""
_IN_ATTRIBUTE = re.compile('[&<>\r\n\t"]')
_WRITTEN = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;", '"': "&quot;"}
_PIECES = 4096
_KEPT = 4096


def _escaped(text: str, those: re.Pattern[str]) -> str:
    return those.sub(lambda found: _WRITTEN[found[0]], text) if those.search(text) else text


class Writer:
    """A document on its way out: one element a line, attributes in the order given, text made legal.

    The bytes are those of lxml's `xmlfile`, at a fifth of its time: two thirds of describing a package went there.
    """

    def __init__(self, out: Sink | BinaryIO, prefixes: Mapping[str, str]) -> None:
        self._out = out
        self._pieces: list[str] = []
        self._indent = "\n"
        self._prefixes = dict(prefixes)
        self._names: dict[str, tuple[str, str]] = {}
        self._kept: dict[tuple[Hashable, str], str] = {}
        self._within = 0

    def box(self, tag: str, attributes: Mapping[str, str] | None = None) -> _Box:
        """An element that holds elements."""
        return _Box(self, tag, attributes)

    def leaf(self, tag: str, text: str = "", attributes: Mapping[str, str] | None = None) -> None:
        """An element that holds text."""
        name, declared = self._names.get(tag) or self._name(tag)
        told = _escaped(legal(text), _IN_TEXT) if text and _NOT_PLAIN.search(text) else text
        given = self._given(attributes) if attributes else ""
        self._pieces.append(f"{self._indent}<{name}{declared}{given}>{told}</{name}>")
        if len(self._pieces) >= _PIECES:
            self.flush()

    def again(self, key: Hashable, write: Callable[[], None]) -> None:
        """What `write` writes, kept by `key`: it must be the same wherever the key is, and declare no namespace."""
        place = (key, self._indent)
        text = self._kept.get(place)
        if text is None:
            around, self._pieces = self._pieces, []
            self._within += 1
            write()
            self._within -= 1
            text = "".join(self._pieces)
            self._pieces = around
            if len(self._kept) < _KEPT:
                self._kept[place] = text
        self._pieces.append(text)

    def flush(self) -> None:
        """Hands on what is ready; what is written to be kept, when it is whole."""
        if self._within:
            return
        self._out.write("".join(self._pieces).encode())
        self._pieces.clear()

    def _given(self, attributes: Mapping[str, str]) -> str:
        pairs = []
        for tag, value in attributes.items():
            name, declared = self._names.get(tag) or self._name(tag)
            if declared:
                raise ValueError(f"the namespace of {tag} is declared at the root or nowhere")
            pairs.append(f' {name}="{_escaped(value, _IN_ATTRIBUTE)}"')
        return "".join(pairs)

    def _name(self, tag: str) -> tuple[str, str]:
        """(name with prefix, declaration that it needs): a namespace that the root lacks is declared where it is."""
        namespace, brace, local = tag.rpartition("}")
        if not brace:
            found = (tag, "")
        elif (prefix := self._prefixes.get(namespace[1:])) is not None:
            found = (f"{prefix}:{local}" if prefix else local, "")
        else:
            taken = set(self._prefixes.values())
            number = next(number for number in itertools.count() if f"ns{number}" not in taken)
            place = _escaped(namespace[1:], _IN_ATTRIBUTE)
            return f"ns{number}:{local}", f' xmlns:ns{number}="{place}"'
        self._names[tag] = found
        return found


class _Box:
    """One element that is open; what it declares holds for all within."""

    __slots__ = ("_attributes", "_indent", "_name", "_space", "_tag", "_writer")

    def __init__(self, writer: Writer, tag: str, attributes: Mapping[str, str] | None) -> None:
        self._writer, self._tag, self._attributes = writer, tag, attributes

    def __enter__(self) -> None:
        writer = self._writer
        self._name, declared = writer._names.get(self._tag) or writer._name(self._tag)
        given = writer._given(self._attributes) if self._attributes else ""
        self._indent = writer._indent
        self._space = self._tag.rpartition("}")[0][1:] if declared else None
        if self._space is not None:
            writer._prefixes[self._space] = self._name.partition(":")[0]
        writer._pieces.append(f"{self._indent}<{self._name}{declared}{given}>")
        writer._indent = self._indent + " "

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        writer = self._writer
        writer._indent = self._indent
        writer._pieces.append(f"{self._indent}</{self._name}>")
        if self._space is not None:
            del writer._prefixes[self._space]
            writer._names.clear()
        if len(writer._pieces) >= _PIECES:
            writer.flush()


@contextmanager
def written(
    out: Sink | BinaryIO, tag: str, namespaces: Mapping[str | None, str], attributes: Mapping[str, str]
) -> Iterator[Writer]:
    """A document with this root element, UTF-8, closed with a line end."""
    writer = Writer(out, {place: prefix or "" for prefix, place in namespaces.items()})
    name, _ = writer._name(tag)
    declared = [(f"xmlns:{prefix}" if prefix else "xmlns", place) for prefix, place in namespaces.items()]
    places = "".join(f' {key}="{_escaped(place, _IN_ATTRIBUTE)}"' for key, place in declared)
    writer._pieces.append(f"<?xml version='1.0' encoding='utf-8'?>\n<{name}{places}{writer._given(attributes)}>")
    writer._indent = "\n "
    yield writer
    writer._pieces.append(f"\n</{name}>\n")
    writer.flush()


def elements(
    source: BinaryIO,
    whole: Iterable[str] = (),
    starts: Iterable[str] = (),
    ends: Iterable[str] = (),
    limit: int = MAX_BYTES,
) -> Iterator[tuple[str, etree._Element]]:
    """Streams (`start`, `end` or `whole`, element) in document order; the start of the root always comes first.

    `whole` tags come once, at their end, with all they hold, and are forgotten afterwards. At a `start` only the
    attributes are known, at an `end` nothing else is promised. No DTD, no entity, no network, no XInclude, no huge
    text, no `schemaLocation`. Raises Unreadable, after what could be read.
    """
    kept, opened, closed = frozenset(whole), frozenset(starts), frozenset(ends)
    context = etree.iterparse(
        _Capped(source, limit),
        events=("start", "end", "comment", "pi"),
        no_network=True,
        resolve_entities=False,
        load_dtd=False,
        huge_tree=False,
    )
    depth = inside = 0
    try:
        for event, element in context:
            if event == "start":
                depth += 1
                if depth == 1:
                    _refuse_doctype(element)
                    yield "start", element
                elif element.tag in opened:
                    yield "start", element
                if depth > MAX_DEPTH:
                    raise Unreadable(line_of(element), f"elements are nested deeper than {MAX_DEPTH}")
                inside += element.tag in kept
            elif event == "end":
                depth -= 1
                if element.tag in kept:
                    inside -= 1
                    if not inside:
                        yield "whole", element
                elif element.tag in closed:
                    yield "end", element
                if not inside:
                    _forget(element)
            elif not inside:
                _forget(element)
    except etree.XMLSyntaxError as problem:
        raise _unreadable(problem) from None


def validate_xsd(source: BinaryIO, schema: str = "all.xsd", limit: int = MAX_BYTES) -> list[tuple[int, str]]:
    """All (line, message) of a document that is not valid by a schema of `schemas/xsd`, at most MAX_MESSAGES.

    Empty means valid. A document that is not well-formed, or holds what we refuse to read, is not valid. `source`
    is read in lines, since libxml2 tells no line numbers to a schema that listens to a stream.
    """
    parser = etree.XMLPullParser(
        events=("start", "end", "comment", "pi"),
        schema=_schema(schema),
        no_network=True,
        resolve_entities=False,
        load_dtd=False,
        huge_tree=False,
    )
    found: list[tuple[int, str]] = []
    capped = _Capped(source, limit)
    line = depth = 0
    begun = False
    try:
        while data := capped.readline():
            line += 1
            parser.feed(data)
            for event, element in parser.read_events():
                if event == "start":
                    depth += 1
                    if depth == 1:
                        _refuse_doctype(element)
                        begun = True
                    if depth > MAX_DEPTH:
                        raise Unreadable(line, f"elements are nested deeper than {MAX_DEPTH}")
                else:
                    depth -= event == "end"
                    _forget(element)
            log = parser.feed_error_log
            if len(log) > len(found):
                found.extend((line, entry.message) for entry in list(log)[len(found) :])
                if len(found) >= MAX_MESSAGES:
                    return found[:MAX_MESSAGES]
        parser.close()
        if not begun:
            raise Unreadable(line, "the document has no element")
    except Unreadable as problem:
        found.append((problem.line or line, problem.message))
    except etree.XMLSyntaxError as problem:
        log = parser.feed_error_log
        known = {message for _, message in found}
        found.extend((line, entry.message) for entry in log if entry.message not in known)
        if not found:
            found.append((problem.lineno or line, problem.msg or "not well-formed"))
    return found[:MAX_MESSAGES]


def text_of(element: etree._Element | None) -> str:
    """All text inside an element, without that of comments and instructions; empty for None."""
    if element is None:
        return ""
    if len(element) == 0:
        return element.text or ""
    return "".join(str(part) for part in element.xpath(".//text()"))


def name_of(tag: object) -> tuple[str, str]:
    """(namespace, local name) of an element or attribute; a prefix that is declared nowhere stays with the name.

    lxml's QName raises for such names, which a parser that goes on after errors of namespaces does give.
    """
    namespace, brace, local = str(tag).rpartition("}")
    return namespace[1:] if brace else "", local


def line_of(element: etree._Element) -> int:
    """Line of an element, 0 unknown."""
    return element.sourceline or 0


@cache
def _schema(name: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    return etree.XMLSchema(etree.parse(str(SCHEMAS / name), parser))


class _Capped:
    """A source that ends with Unreadable where it is longer than allowed."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        self._source = source
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._source.read(size))

    def readline(self) -> bytes:
        return self._counted(self._source.readline(1 << 16))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(0, "the document is larger than we read")
        return data


def _refuse_doctype(root: etree._Element) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(1, "the document has a DOCTYPE, which we do not read")


def _forget(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    element.clear()
    while (before := element.getprevious()) is not None:
        parent.remove(before)


def _unreadable(problem: etree.XMLSyntaxError) -> Unreadable:
    return Unreadable(problem.lineno or 0, (problem.msg or "not well-formed").removesuffix(" (<string>, line 0)"))
