"""Drawings and pictures of layers: what stays, what is taken out of its packing, what is told."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from pipeline.content.normalisation import Converted, Kept, Outcome
from tests.content.normalisation.trial import DATA, bad, converted, good, made, rule_named, twice
from tests.ingest.made_files import svg

LINKS = {
    "picture": '<image xlink:href="http://127.0.0.1:9/a.png" width="9" height="9"/>',
    "file": '<image href="file:///etc/passwd" width="9" height="9"/>',
    "beside": '<use href="shapes.svg#a"/>',
    "style": "<style>@import url('fonts.css'); rect { fill: url(#a) }</style>",
    "font": "<style>@font-face { font-family: a; src: url(a.woff) }</style>",
    "attribute": '<rect width="9" height="9" style="filter: url(http://127.0.0.1:9/f.svg#b)"/>',
    "script": '<script href="a.js"/>',
}
WHOLE = (
    '<image href="data:image/png;base64,iVBORw0KGgo=" width="9" height="9"/><use href="#a"/>'
    '<a href="https://example.org/"><text>xem</text></a><rect style="fill: url(#b)" width="1" height="1"/>'
)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def tried(tmp_path: Path, scratch: Path, data: bytes) -> Outcome:
    file = tmp_path / "a.svg"
    file.write_bytes(data)
    return made(file, scratch, rule_named("svg"))


def told(outcome: Outcome) -> list[tuple[str, str | None]]:
    assert isinstance(outcome, Converted | Kept), outcome
    return [(one.code, one.found) for one in outcome.findings]


def test_a_drawing_with_all_it_needs_stays_without_a_word(tmp_path: Path, scratch: Path) -> None:
    outcome = tried(tmp_path, scratch, svg(WHOLE))
    assert isinstance(outcome, Kept)
    assert told(outcome) == []


@pytest.mark.parametrize("name", LINKS)
def test_what_a_drawing_takes_from_elsewhere_is_told(tmp_path: Path, scratch: Path, name: str) -> None:
    outcome = tried(tmp_path, scratch, svg(LINKS[name]))
    assert isinstance(outcome, Kept)
    [(code, found)] = told(outcome)
    assert code == "FMT-SVG-OUTSIDE"
    assert found


def test_sheets_and_entities_of_a_drawing_are_told_and_not_read(tmp_path: Path, scratch: Path) -> None:
    head, _, body = svg("<text>&secret;</text>").partition(b"\n")
    sheet = b'<?xml-stylesheet href="http://127.0.0.1:9/a.css"?>'
    entity = b'<!DOCTYPE svg [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    [(code, found)] = told(tried(tmp_path, scratch, b"\n".join((head, sheet, entity, body))))
    assert code == "FMT-SVG-OUTSIDE"
    assert "http://127.0.0.1:9/a.css" in str(found) and "file:///etc/passwd" in str(found)
    public = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert told(tried(tmp_path, scratch, b"\n".join((head, public, svg().partition(b"\n")[2])))) == []


def test_a_packed_drawing_is_taken_out(tmp_path: Path, scratch: Path) -> None:
    file = tmp_path / "a.svgz"
    file.write_bytes(gzip.compress(svg(LINKS["beside"]), mtime=0))
    outcome = twice(file, scratch, rule_named("svg"))
    result = good(outcome)
    assert result.path.read_bytes() == svg(LINKS["beside"])
    assert (result.format.puid, result.proved) == ("fmt/92", "the bytes that lay in the gzip")
    assert told(outcome) == [("FMT-SVG-OUTSIDE", "shapes.svg#a")]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<svg>", b"\x1f\x8b\x08\0", gzip.compress(svg(), mtime=0)[:-9],
        gzip.compress(bytes(300 << 20), 1, mtime=0), svg("</rect>"),
    ],
    ids=["empty", "cut", "packed and empty", "packed and cut", "bomb", "not well-formed"],
)  # fmt: skip
def test_damage_is_told(tmp_path: Path, scratch: Path, data: bytes) -> None:
    bad(tried(tmp_path, scratch, data), "FMT-CONVERT-DAMAGED")


def test_the_merged_picture_of_photoshop_becomes_tiff(tmp_path: Path, scratch: Path) -> None:
    file = tmp_path / "a.psd"
    subprocess.run(["vips", "magicksave", DATA / "image" / "page.png", file], check=True, timeout=60)
    outcome = converted(made(file, scratch))
    assert good(outcome).format.puid == "fmt/353"
    assert [(one.code, one.found) for one in outcome.findings] == [("FMT-IMAGE-LAYERS", "1")]
    file.write_bytes(file.read_bytes()[:3000])
    bad(made(file, scratch, rule_named("image-layers")), "FMT-CONVERT-DAMAGED")
