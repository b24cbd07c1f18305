"""One XML part of an OpenDocument file read as it comes, and written again with few places changed, byte for byte.

What is not changed keeps its bytes. Memory grows with the longest paragraph, not with the part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import IO, Any, Final, Protocol
from xml.parsers import expat

from pipeline.content.normalisation.made import Failed
from pipeline.content.normalisation.registry import Beat

DEEPEST: Final = 512
"""Most elements inside one another."""
PART: Final = 512 << 20
"""Most bytes of a part."""
HELD: Final = 64 << 20
"""Most bytes of one paragraph with everything in it."""

_STEP: Final = 1 << 16
_TAG: Final = re.compile(rb"<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_ATTRIBUTE: Final = re.compile(rb"(\s+)([^\s=]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_END: Final = re.compile(rb"</[^>]*>")
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_USUAL: Final = {
    **{
        f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0": prefix
        for name, prefix in {
            "office": "office", "style": "style", "text": "text", "table": "table", "drawing": "draw", "meta": "meta",
            "xsl-fo-compatible": "fo", "svg-compatible": "svg", "datastyle": "number", "chart": "chart", "form": "form",
            "presentation": "presentation", "manifest": "manifest", "script": "script", "config": "config",
            "dr3d": "dr3d", "smil-compatible": "smil", "animation": "anim",
        }.items()
    },
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://www.w3.org/1998/Math/MathML": "math",
    "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0": "loext",
    "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0": "calcext",
}  # fmt: skip


class Reader(Protocol):
    """What is told about a part, names with the prefixes that LibreOffice gives them."""

    def start(self, name: str, attributes: dict[str, str], part: Part) -> None:
        """An element begins; `part.alter` changes its attributes."""

    def end(self, name: str, part: Part) -> None:
        """An element ends."""

    def text(self, text: str, start: int, end: int, part: Part) -> None:
        """Text between two tags, and where its bytes stand; `part.replace` changes it."""


class Part:
    """Drives a reader through a part. `keep` counts what is still open for changes: nothing is written while it is not
    zero.
    """

    def __init__(self, reader: Reader, write: Callable[[bytes], object] | None) -> None:
        self.keep = 0
        self._reader = reader
        self._write = write
        self._names: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._held = bytearray()
        self._from = 0
        self._edits: list[tuple[int, int, bytes]] = []
        self._text: list[str] = []
        self._text_at: int | None = None
        self._depth = 0
        self._tag = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartCdataSectionHandler = lambda: self._data("")
        self._parser.CommentHandler = lambda _: self._between()
        self._parser.ProcessingInstructionHandler = lambda _target, _data: self._between()
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.XmlDeclHandler = self._declared

    def read(self, source: IO[bytes], beat: Beat) -> None:
        """Reads to the end. Failed for what is no XML that we may change."""
        total = 0
        try:
            while data := source.read(_STEP):
                total += len(data)
                if total > PART:
                    raise Failed("FMT-CONVERT-FAILED", f"more than {PART} bytes of XML", "OpenDocument")
                self._held += data
                self._parser.Parse(data, False)
                self._flush(self._tag)
                beat()
            self._parser.Parse(b"", True)
        except expat.ExpatError as problem:
            raise Failed("FMT-CONVERT-FAILED", f"XML: {problem}", "OpenDocument") from None
        self.keep = 0
        self._flush(self._from + len(self._held))

    def replace(self, start: int, end: int, text: str) -> None:
        """Puts text in place of bytes that are still open."""
        self._edits.append((start, end, escaped(text).encode("utf-8", "replace")))

    def drop(self, start: int, end: int, instead: bytes = b"") -> None:
        """Puts XML in place of bytes that are still open."""
        self._edits.append((start, end, instead))

    def tag(self) -> tuple[int, int, bool]:
        """Where the tag stands that `start` or `end` is told about; whether an element ends in it too."""
        at = self._tag
        if self._write is None:
            return at, at, False
        raw, pattern = self._held, _TAG if self._held[at - self._from + 1 : at - self._from + 2] != b"/" else _END
        match = pattern.match(raw, at - self._from)
        if match is None:
            raise Failed("FMT-CONVERT-FAILED", f"XML: a tag at byte {at}", "OpenDocument")
        return at, self._from + match.end(), match[0].endswith(b"/>")

    def alter(self, changes: Mapping[str, str | None]) -> None:
        """Changes attributes of the element that `start` is told about, by usual name; None takes one away."""
        if self._write is None or not changes:
            return
        start, end, _ = self.tag()

        def changed(match: re.Match[bytes]) -> bytes:
            name = self._usual(match[2].decode("utf-8", "replace"))
            if name not in changes:
                return match[0]
            value = changes[name]
            if value is None:
                return b""
            text = escaped(value).replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;")
            return match[1] + match[2] + match[3] + b'"' + text.encode("utf-8", "replace") + b'"'

        raw = bytes(self._held[start - self._from : end - self._from])
        self._edits.append((start, end, _ATTRIBUTE.sub(changed, raw)))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._between()
        self._depth += 1
        if self._depth > DEEPEST:
            raise Failed("FMT-CONVERT-FAILED", f"more than {DEEPEST} elements inside one another", "OpenDocument")
        for key, uri in attributes.items():
            if key.startswith("xmlns:"):
                self._prefixes[key[6:]] = _USUAL.get(uri, key[6:])
                self._names.clear()
        usual = {self._usual(key): value for key, value in attributes.items()}
        self._tag = self._parser.CurrentByteIndex
        self._reader.start(self._usual(name), usual, self)

    def _end(self, name: str) -> None:
        self._between()
        self._depth -= 1
        self._tag = self._parser.CurrentByteIndex
        self._reader.end(self._usual(name), self)

    def _data(self, data: str) -> None:
        if self._text_at is None:
            self._text_at = self._parser.CurrentByteIndex
        self._text.append(data)

    def _between(self) -> None:
        if self._text_at is not None:
            start, text = self._text_at, "".join(self._text)
            self._text_at = None
            self._text.clear()
            self._reader.text(text, start, self._parser.CurrentByteIndex, self)

    def _usual(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            prefix, colon, local = name.partition(":")
            known = f"{self._prefixes.get(prefix, prefix)}:{local}" if colon else name
            self._names[name] = known
        return known

    def _refuse(self, *_: Any) -> None:
        raise Failed("FMT-CONVERT-FAILED", "a document type declaration", "OpenDocument")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii"):
            raise Failed("FMT-CONVERT-FAILED", f"XML in {encoding[:20]}", "OpenDocument")

    def _flush(self, upto: int) -> None:
        """Writes what is done with: all before a place, but for what a change reaches beyond it."""
        if not self.keep:
            if self._text_at is not None:
                upto = min(upto, self._text_at)
            upto = max(self._from, min([upto, *(start for start, end, _ in self._edits if end > upto)]))
            done = sorted(one for one in self._edits if one[1] <= upto)
            self._edits = [one for one in self._edits if one[1] > upto]
            if self._write is not None:
                at = self._from
                for start, end, data in done:
                    if start < at:
                        raise Failed("FMT-CONVERT-FAILED", f"XML: two changes at byte {start}", "OpenDocument")
                    self._write(bytes(self._held[at - self._from : start - self._from]))
                    self._write(data)
                    at = end
                self._write(bytes(self._held[at - self._from : upto - self._from]))
            del self._held[: upto - self._from]
            self._from = upto
        if len(self._held) > HELD:
            raise Failed("FMT-CONVERT-FAILED", f"a paragraph of more than {HELD} bytes", "OpenDocument")


def escaped(text: str) -> str:
    """Text as it may stand between tags; what XML 1.0 cannot hold becomes U+FFFD."""
    text = _UNFIT.sub("\ufffd", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
