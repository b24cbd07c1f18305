"""What an AIP says is what was composed: rows to METS, PREMIS and DC and back."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import names
from pipeline.packages.eark import EarkAip
from pipeline.packages.eark.layout import description_path
from pipeline.packages.eark.rows import EarkRows, read_rows
from pipeline.records import (
    Agent,
    AipIdentity,
    Description,
    Event,
    FileRow,
    Format,
    Link,
    MemoryRows,
    Outcome,
    PackagePath,
    Representation,
    Right,
    Use,
)
from pipeline.standards import dc
from pipeline.standards.vocabularies import eark, loc
from pipeline.standards.xml import validate_xsd
from pipeline.tree import FolderTree
from tests.packages.eark_samples import composed, sample_rows

FORBIDDEN = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]))
LEGAL = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters=FORBIDDEN),
        st.sampled_from("<>&\"'\r\n\t %;:đệẩ\u0301"),
    ),
    max_size=12,
)
WORD = LEGAL.filter(lambda text: text.strip() != "")
TIMES = st.datetimes(
    datetime(1900, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-3, minutes=-30))]),
)
SEGMENT = st.one_of(
    st.text(st.sampled_from("aÁ %<>&'\"#?+~;:@=[]\\|^`{}$!*()\u0301\U0001f600"), min_size=1, max_size=8),
    LEGAL.filter(bool),
    st.sampled_from(["Ảnh", unicodedata.normalize("NFD", "Ảnh"), "a..", "...", "%41", " ", "rep1", "METS.xml"]),
).map(lambda text: names.portable(PackagePath(text.replace("/", "_").encode()))).filter(names.inside)  # fmt: skip
FOLDED = st.lists(SEGMENT, min_size=1, max_size=3).map(b"/".join)
RAW = st.binary(min_size=1, max_size=12).map(PackagePath)

FORMATS = st.builds(
    Format,
    st.one_of(st.none(), WORD),
    LEGAL.filter(lambda text: text != "unknown"),
    LEGAL,
    st.sampled_from(["", "text/plain", "application/x-odd", "TEXT/XML"]),
    st.sampled_from(["container", "signature", "text", "extension", "none"]),
    LEGAL,
    LEGAL,
    LEGAL,
    LEGAL,
    LEGAL,
    st.one_of(st.none(), st.integers(0, 1 << 40)),
)
ROLES = st.sampled_from(["source", "outcome"])
MIMES = st.sampled_from(["text/plain", "application/octet-stream", "application/x-odd", "Text/Plain", "nonsense", ""])
_FOLDERS = {
    Use.DATA: b"data/",
    Use.DOCUMENTATION: b"documentation/",
    Use.SCHEMA: b"schemas/",
    Use.DESCRIPTIVE: b"metadata/descriptive/kept/",
    Use.PRESERVATION: b"metadata/preservation/kept/",
}


@st.composite
def file_rows(draw: st.DrawFn, representations: list[str], events: list[str]) -> tuple[FileRow, ...]:
    found: dict[bytes, FileRow] = {}
    asked: list[tuple[Use, str | None]] = [(Use.DOCUMENTATION, None), (Use.SCHEMA, None)]
    places = st.tuples(st.sampled_from(list(_FOLDERS)), st.sampled_from([None, *representations]))
    asked += draw(st.lists(places.filter(lambda place: place[0] is not Use.DATA or place[1] is not None), max_size=8))
    for use, name in asked:
        base = b"" if name is None else b"representations/" + name.encode() + b"/"
        path = PackagePath(base + _FOLDERS[use] + draw(FOLDED))
        if any(path.startswith(other + b"/") or other.startswith(path + b"/") for other in found):
            continue
        content = path + draw(st.binary(max_size=4))
        candidates: list[bytes | None] = [None, *sorted(found)]
        source = draw(st.sampled_from(candidates))
        found[path] = FileRow(
            path,
            len(content),
            hashlib.sha256(content).hexdigest(),
            use,
            draw(MIMES),
            draw(TIMES),
            name,
            draw(st.one_of(st.none(), RAW)),
            draw(st.one_of(st.none(), FORMATS)),
            None if source is None else PackagePath(source),
            draw(st.one_of(st.none(), st.sampled_from(events))),
            draw(st.one_of(st.none(), TIMES)),
            draw(st.sampled_from(["", "EAD", "OTHER EAC"])) if use in (Use.DESCRIPTIVE, Use.PRESERVATION) else "",
        )
    return tuple(found[path] for path in sorted(found))


@st.composite
def rows(draw: st.DrawFn) -> MemoryRows:
    segment = SEGMENT.map(bytes.decode)
    representations = sorted(draw(st.lists(segment, min_size=1, max_size=3, unique=True)))
    agents = sorted(draw(st.lists(WORD, min_size=1, max_size=3, unique=True)))
    keys = sorted(draw(st.lists(WORD, min_size=1, max_size=4, unique=True)))
    files = draw(file_rows(representations, keys))
    paths = [row.path for row in files]
    link = st.one_of(
        st.builds(Link, st.just("package"), st.just(""), ROLES),
        st.builds(Link, st.just("representation"), st.sampled_from(representations), ROLES),
        st.builds(Link, st.just("file"), st.sampled_from(paths), ROLES),
    )
    event = st.builds(
        Event,
        st.just(""),
        st.one_of(st.sampled_from(sorted(loc("eventType"))), WORD),
        TIMES,
        TIMES,
        LEGAL,
        st.sampled_from(Outcome),
        LEGAL,
        st.lists(st.tuples(st.sampled_from(agents), st.sampled_from(sorted(loc("eventRelatedAgentRole"))))).map(tuple),
        st.lists(link, max_size=3).map(tuple),
    )
    terms = st.lists(st.tuples(st.sampled_from(dc.TERMS), LEGAL), max_size=4).map(tuple)
    folders = [
        PackagePath(path[:end])
        for path in paths
        for end in range(len(path))
        if path[end : end + 1] == b"/" and path[:end] != b"representations"
    ]
    targets = draw(st.lists(st.sampled_from([None, *paths, *folders]), max_size=4, unique=True))
    targets.sort(key=lambda target: (target is not None, target or b""))
    rights = sorted(draw(st.lists(WORD, max_size=3, unique=True)))
    return MemoryRows(
        AipIdentity(
            str(draw(st.uuids())),
            draw(st.integers(1, 10**6)),
            draw(LEGAL),
            draw(st.one_of(st.sampled_from(sorted(eark("content category"))), WORD)),
            draw(TIMES),
            draw(TIMES),
        ),
        tuple(
            Representation(
                name,
                draw(st.lists(FOLDED.map(PackagePath), max_size=2).map(tuple)),
                draw(st.one_of(st.none(), st.sampled_from(representations))),
            )
            for name in representations
        ),
        files,
        tuple(Description(target, draw(terms)) for target in targets),
        tuple(replace(draw(event), key=key) for key in keys),
        tuple(
            Agent(key, draw(LEGAL), draw(st.sampled_from(sorted(loc("agentType")))), draw(LEGAL), draw(LEGAL))
            for key in agents
        ),
        tuple(
            Right(
                key,
                draw(st.sampled_from([*loc("rightsBasis"), "custom"])),
                draw(st.sampled_from(sorted(loc("eventType")))),
                draw(LEGAL),
                draw(LEGAL),
                draw(st.sampled_from(["OPEN", "", "2026-01-01"])),
                draw(st.sampled_from(["", "2027-01-01"])),
                targets=tuple(sorted(draw(st.lists(st.sampled_from(paths), max_size=2, unique=True)))),
                restriction=draw(LEGAL),
            )
            for key in rights
        ),
    )


@given(rows())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_rows_come_back(composing: MemoryRows) -> None:
    with TemporaryDirectory() as parent:
        root = Path(parent) / composing.of.root
        for made in EarkAip().compose(composing, root):
            assert made.local.stat().st_size == made.size
            schema = "oai_dc.xsd" if made.use is Use.DESCRIPTIVE else "all.xsd"
            with made.local.open("rb") as source:
                assert validate_xsd(source, schema) == []
        assert read_rows(FolderTree(root)) == composing
        streamed = EarkRows(FolderTree(root))
        assert tuple(streamed.files()) == composing.file_rows
        assert tuple(streamed.events()) == composing.event_rows
        for use in Use:
            assert list(streamed.files(use)) == list(composing.files(use))
        for name in (row.name for row in composing.representation_rows):
            assert list(streamed.files(None, name)) == list(composing.files(None, name))
        assert streamed.file(composing.file_rows[-1].path) == composing.file_rows[-1]


def test_sample_comes_back(tmp_path: Path) -> None:
    root = composed(tmp_path)
    assert read_rows(FolderTree(root)) == sample_rows(tmp_path / "again")


def test_what_xml_cannot_hold_is_shown(tmp_path: Path) -> None:
    root = composed(
        tmp_path, lambda rows: replace(rows, description_rows=(Description(None, (("title", "a\x01\ufffeb\ud800"),)),))
    )
    (found,) = read_rows(FolderTree(root)).description_rows
    assert found.terms == (("title", "a\\u0001\\ufffeb\\ud800"),)
    assert dc.readable("a\x01\ufffeb\ud800") == found.terms[0][1]


def test_same_rows_same_bytes(tmp_path: Path) -> None:
    first, second = composed(tmp_path / "a"), composed(tmp_path / "b")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert all((first / path).read_bytes() == (second / path).read_bytes() for path in files)
    assert Path(description_path(sample_rows(tmp_path / "c").of, None).decode()) in files


WHOLE_BASES = [
    Right("a", "copyright", "replication", "note", "granted", "2020-01-01", "", "copyrighted", "vn", "", "",
          "2020-01-01", ("2020", "2070"), (("URI", "x", "proof"),)),
    Right("b", "statute", "", "", "", "", "", "", "vn", "33/2024/QH15", "", "2025-07-01", ("2025", "")),
    Right("c", "license", "dissemination", "note", "", "OPEN", "", "", "", "", "CC BY 4.0", "", ("2020", "2030")),
    Right("d", "donor", "dissemination", "note", "", "OPEN", "", documents=(("URI", "x", ""),), restriction="Disallow"),
]  # fmt: skip


@pytest.mark.parametrize("right", WHOLE_BASES, ids=lambda right: right.basis)
def test_a_right_says_all_it_knows_of_its_basis(tmp_path: Path, right: Right) -> None:
    root = composed(tmp_path, lambda rows: replace(rows, right_rows=(right,)))
    with (root / "metadata/preservation/premis.xml").open("rb") as source:
        assert validate_xsd(source, "all.xsd") == []
    assert read_rows(FolderTree(root)).right_rows == (right,)
