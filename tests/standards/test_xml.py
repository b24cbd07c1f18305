"""XML is read deaf and written the same every time."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.standards import xml
from pipeline.standards.xml import Sink, Unreadable, elements, legal, moment, parsed_moment, validate_xsd, written


def read(text: str | bytes, **more: object) -> list[tuple[str, str]]:
    data = text.encode() if isinstance(text, str) else text
    return [(event, str(found.tag)) for event, found in elements(io.BytesIO(data), **more)]  # type: ignore[arg-type]


def test_root_comes_first_and_wholes_are_whole() -> None:
    source = io.BytesIO(b"<a><!-- x --><b>1<c>2</c><?p q?>3</b><d><b/></d>4</a>")
    seen = []
    for event, element in elements(source, whole=["b"], starts=["d"], ends=["d"]):
        seen.append((event, element.tag, xml.text_of(element) if event == "whole" else None))
    assert seen == [
        ("start", "a", None),
        ("whole", "b", "123"),
        ("start", "d", None),
        ("whole", "b", ""),
        ("end", "d", None),
    ]


def test_what_was_read_is_forgotten() -> None:
    def endless() -> Iterator[bytes]:
        yield b"<a>"
        for _ in range(20_000):
            yield b"<!-- c --><?p q?><b><x>1</x></b><other><y/></other>"
        yield b"</a>"

    sizes = {len(e.getparent()) for event, e in elements(_Stream(endless()), whole=["b"]) if event == "whole"}  # type: ignore[arg-type]
    assert max(sizes) < 10


class _Stream(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, size: int = -1) -> bytes:
        return next(self._parts, b"")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"   ",
        b"<a>",
        b"<a></b>",
        b"<a>&x;</a>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"<a>" * 70 + b"</a>" * 70,
        b"<a>" * 100_000,
        b"<a>" + b"x" * 11_000_000 + b"</a>",
    ],
)
def test_what_is_not_read(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read(text, whole=["a"])
    assert validate_xsd(io.BytesIO(text))


def test_laughs_do_not_grow() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(Unreadable):
        read(f'<!DOCTYPE a [<!ENTITY e0 "ha">{levels}]><a b="&e11;">&e11;</a>')


def test_size_is_capped() -> None:
    with pytest.raises(Unreadable):
        read(b"<a>" + b" " * 100 + b"</a>", limit=50)
    assert validate_xsd(io.BytesIO(b"<a>" + b" " * 100 + b"</a>"), limit=50)


def test_fault_has_its_line() -> None:
    with pytest.raises(Unreadable) as problem:
        read("<a>\n\n<b></a>")
    assert problem.value.line == 3


GOOD = '<mets xmlns="http://www.loc.gov/METS/"><structMap><div>\n%s</div></structMap></mets>'


def test_schema_messages_in_a_long_document() -> None:
    rows = [f'<div ID="i{number}"/>' for number in range(70_000)]
    assert validate_xsd(io.BytesIO((GOOD % "\n".join(rows)).encode())) == []
    rows[69_000] = '<div ID="1x" ORDER="y"/>'
    rows[69_500] = '<div FOO="1"/>'
    found = validate_xsd(io.BytesIO((GOOD % "\n".join(rows)).encode()))
    assert [line for line, _ in found] == [69_002, 69_002, 69_502]


def test_schema_messages_are_capped() -> None:
    rows = "\n".join('<div ORDER="y"/>' for _ in range(500))
    assert len(validate_xsd(io.BytesIO((GOOD % rows).encode()))) == xml.MAX_MESSAGES


def test_schema_location_is_not_followed(tmp_path: object) -> None:
    text = (
        '<x xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:noNamespaceSchemaLocation="file:///etc/passwd"'
        ' s:schemaLocation="http://www.loc.gov/METS/ http://127.0.0.1:9/x.xsd"/>'
    )
    assert len(validate_xsd(io.BytesIO(text.encode()))) == 1


@given(st.text())
def test_all_text_can_be_written_and_read(text: str) -> None:
    out = io.BytesIO()
    with written(out, "a", {}, {}) as document:
        document.leaf("b", text)
    found = [xml.text_of(one) for event, one in elements(io.BytesIO(out.getvalue()), whole=["b"]) if event == "whole"]
    assert found == [legal(text)]
    assert legal(legal(text)) == legal(text)


def test_one_element_a_line() -> None:
    out = io.BytesIO()
    sink = Sink(out)
    with written(sink, "{urn:n}a", {None: "urn:n"}, {"z": "1", "b": "<"}) as document:
        with document.box("{urn:n}c", {"y": "2", "a": "3"}):
            document.leaf("{urn:n}d", "x")
        document.leaf("{urn:n}e")
    assert out.getvalue().decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<a xmlns="urn:n" z="1" b="&lt;">\n <c y="2" a="3">\n  <d>x</d>\n </c>\n <e></e>\n</a>\n'
    )
    assert sink.size == len(out.getvalue())
    assert etree.fromstring(out.getvalue()).tag == "{urn:n}a"


def test_what_is_written_again_may_be_long() -> None:
    def many(document: xml.Writer) -> None:
        for number in range(10_000):
            document.leaf("b", str(number))

    plain, again = io.BytesIO(), io.BytesIO()
    with written(plain, "a", {}, {}) as document:
        for _ in range(3):
            many(document)
    with written(again, "a", {}, {}) as document:
        for _ in range(3):
            document.again("many", partial(many, document))
    assert again.getvalue() == plain.getvalue()


def test_moments() -> None:
    assert moment(datetime(2026, 1, 31, 10, tzinfo=timezone(timedelta(hours=7)))) == "2026-01-31T10:00:00+07:00"
    assert moment(datetime(2026, 1, 31, 10, 0, 0, 5, UTC)) == "2026-01-31T10:00:00.000005Z"
    odd = datetime(1900, 1, 1, tzinfo=timezone(timedelta(hours=7, minutes=6, seconds=30)))
    assert moment(odd) == "1899-12-31T16:53:30Z"
    far = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-20)))
    assert parsed_moment(moment(far)) == far
    with pytest.raises(ValueError, match="zone"):
        moment(datetime(2026, 1, 1))
    assert parsed_moment("2026-01-31T10:00:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert [parsed_moment(text) for text in (None, "", "soon", "26-1-1")] == [None] * 4


@contextmanager
def by_lxml(out: io.BytesIO, tag: str, spaces: dict[str | None, str], attributes: dict[str, str]) -> Iterator[Any]:
    """The same document by lxml's own writer."""

    class Writer:
        indent = "\n "

        @contextmanager
        def box(self, tag: str, attributes: dict[str, str]) -> Iterator[None]:
            file.write(self.indent)
            with file.element(tag, attributes):
                outer, self.indent = self.indent, self.indent + " "
                yield
                self.indent = outer
                file.write(outer)

        def leaf(self, tag: str, text: str, attributes: dict[str, str]) -> None:
            file.write(self.indent)
            with file.element(tag, attributes):
                if text:
                    file.write(xml.legal(text))

        def again(self, key: int, write: Callable[[], None]) -> None:
            write()

    with etree.xmlfile(out, encoding="utf-8") as file:
        file.write_declaration()
        with file.element(tag, attributes, nsmap=spaces):
            yield Writer()
            file.write("\n")
    out.write(b"\n")


def at_random(written: Any, seed: int) -> bytes:
    draw = random.Random(seed)
    out = io.BytesIO()

    def text() -> str:
        return "".join(draw.choice("ab&<>\r\n\t\"' ạ中😀\x01\ud800]") for _ in range(draw.randrange(8)))

    def attributes() -> dict[str, str]:
        return {name: xml.legal(text()) for name in draw.sample(["ID", "{x:&}href", "b"], draw.randrange(4))}

    def fixed(document: Any, number: int) -> None:
        with document.box("{urn:p}again", {"number": str(number)}):
            document.leaf("{x:&}v", "<" * number, {})
            if number:
                document.again(number - 1, lambda: fixed(document, number - 1))
            document.leaf("{urn:p}w", "", {})

    def fill(document: Any, depth: int) -> None:
        for _ in range(draw.randrange(4)):
            if draw.random() < 0.2:
                number = draw.randrange(4)
                document.again(number, partial(fixed, document, number))
            tag = draw.choice(["{urn:p}", "{urn:not-at-the-root}", "{x:&}"]) + draw.choice("uv")
            if depth < 5 and draw.random() < 0.5:
                with document.box(tag, attributes()):
                    fill(document, depth + 1)
            else:
                document.leaf(tag, text(), attributes())

    with written(out, "{urn:p}root", {None: "urn:p", "x": "x:&"}, {"{x:&}v": '1"&\n', "w": "2"}) as document:
        fill(document, 0)
    return out.getvalue()


def test_documents_are_those_of_lxml() -> None:
    for seed in range(500):
        assert at_random(xml.written, seed) == at_random(by_lxml, seed)
