"""The corrected fido: its signatures, its filter against plain `re`, containers, hostile bytes, one answer of two."""

from __future__ import annotations

import csv
import io
import json
import lzma
import os
import random
import re
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from re import _parser as sre  # type: ignore[attr-defined]
from typing import Any

import pytest

from pipeline.content.identification import Engine as Both
from pipeline.content.identification import format_findings
from pipeline.content.identification.choice import choose
from pipeline.content.identification.fido import convert, patterns, signatures
from pipeline.content.identification.fido.engine import Engine, is_text
from pipeline.content.identification.fido.opinion import Fido
from pipeline.content.identification.fido.signatures import Signature
from pipeline.records import Agreement, Format, Opinion, PackagePath
from tests.content import skeletons

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests/data"
PRONOM = ROOT / "schemas/pronom"
SHARED = ROOT.parent / "shared/corpus"
"""The whole corpora, where they are at hand; what lies in DATA is a part of them."""


@cache
def fido() -> Fido:
    return Fido()


@cache
def engine() -> Engine:
    return Engine(signatures.load(signatures.SHIPPED.read_bytes()))


@cache
def both() -> Both:
    made = Both()
    made.warm()
    return made


def expected(corpora: Path = DATA) -> Iterator[tuple[Path, str]]:
    for corpus, table in (("vietnamese", DATA / "vietnamese/puids.tsv"), ("formats", corpora / "formats/formats.tsv")):
        with table.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                if (path := corpora / corpus / row["path"]).exists():
                    yield path, row["puid"]


def found(data: bytes, extension: str, tmp_path: Path) -> tuple[set[str], str, str]:
    file = tmp_path / "file"
    file.write_bytes(data)
    fd = os.open(file, os.O_RDONLY)
    try:
        one = engine().identify(fd, len(data), extension)
    finally:
        os.close(fd)
    return {known.puid for known in one.formats}, one.match, one.errors


def answer(file: Path) -> Format:
    fd = os.open(file, os.O_RDONLY)
    try:
        head = os.pread(fd, 1 << 20, 0)
        return Format.read(both().identify(fd, file.stat().st_size, head, file.suffix.lstrip(".")))
    finally:
        os.close(fd)


@pytest.mark.parametrize("corpora", [DATA, *([SHARED] if SHARED.exists() else [])], ids=lambda one: one.name)
def test_every_expected_puid_from_both_engines(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    count = 0
    for path, puid in expected(corpora):
        wanted = None if puid in ("UNKNOWN", "") or path.name == "testIBM_DCA.fft" else puid
        name = str(path.relative_to(corpora / path.relative_to(corpora).parts[0]))
        one = answer(path)
        assert one.puid == wanted, (name, one)
        if one.second is None:
            assert path.stat().st_size == 0
        else:
            assert one.second.puid == wanted, (name, one.second)
            assert one.agreement == ("same" if wanted else "none")
        count += 1
    assert count > 50


def test_both_engines_agree_on_real_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the files over which docs/identification.md tells the agreement: the smallest of each format."""
    monkeypatch.chdir(tmp_path)
    with (DATA / "agreement.tsv").open(encoding="utf-8", newline="") as lines:
        expected = {row["name"]: row["puid"] or None for row in csv.DictReader(lines, delimiter="\t")}
    with zipfile.ZipFile(DATA / "agreement.zip") as archive:
        archive.extractall(tmp_path / "files")
    told = {file.name: answer(file) for file in (tmp_path / "files").iterdir()}
    assert {name: one.puid for name, one in told.items()} == expected
    assert {name for name, one in told.items() if one.agreement not in ("same", "none")} == set()
    assert len({puid for puid in expected.values() if puid}) > 100


def test_the_shipped_signatures_are_made_of_the_shipped_records() -> None:
    archive = lzma.decompress((PRONOM / "pronom-signatures-V125.tar.xz").read_bytes())
    container = lzma.decompress((PRONOM / "container-signature-20260119.xml.xz").read_bytes())
    made = convert.convert(archive, container, "V125", "20260119")
    assert json.loads(lzma.decompress(signatures.SHIPPED.read_bytes())) == made
    by_puid = {one["puid"]: one for one in made["formats"]}
    assert len(by_puid) == 2571
    assert sum(len(one["signatures"]) for one in made["formats"]) == 2273
    assert all(by_puid[puid]["signatures"] for puid in ("fmt/899", "fmt/900", "fmt/1105", "fmt/1795"))
    assert len(made["containers"]) == 310


@pytest.mark.parametrize(
    ("sequence", "position", "offset", "most", "regex"),
    [
        ("4142", "Absolute from BOF", 4, 8, r"(?s)\A.{4,12}AB"),
        ("41??42", "Absolute from BOF", 0, 0, r"(?s)\AA.{1}B"),
        ("41[!42]43", "Absolute from BOF", 0, 0, r"(?s)\AA[^\x42]C"),
        ("41*42", "Variable", 0, 0, r"(?s)A.*?B"),
    ],
)
def test_errors_of_fidos_converter_are_corrected(
    sequence: str, position: str, offset: int, most: int, regex: str
) -> None:
    short = {"Absolute from BOF": "BOF", "Variable": "VAR"}[position]
    assert convert.regex(sequence, short, offset, most) == regex


def test_a_byte_that_must_not_be_is_one_byte() -> None:
    """As a lookahead and a byte, so that nothing is of no width: every byte, escaped in whatever way fido writes it."""
    for code in range(256):
        found = convert.regex(f"41[!{code:02X}]43", "BOF", 0, 0).encode()
        allowed = [one for one in range(256) if re.match(found, bytes([0x41, one, 0x43]))]
        assert allowed == [one for one in range(256) if one != code]


def test_a_range_of_two_bytes_keeps_its_first() -> None:
    assert convert.regex("41[0000:1000]", "BOF", 0, 0).endswith(r"[\x00-\x10].{1}")


def plain(head: bytes, tail: bytes) -> set[int]:
    """Numbers of the signatures that match, by `re` alone, without filter and without the linear matcher."""
    matching = set()
    for one in engine().known.by_number:
        for pattern in one.patterns:
            regex, data = pattern.regex(), tail if pattern.position == "EOF" else head
            if (regex.match(data) if pattern.position == "BOF" else regex.search(data)) is None:
                break
        else:
            matching.add(one.number)
    return matching


def ours(head: bytes, tail: bytes) -> set[int]:
    """The same by the filter and the matchers of the engine."""
    engine()._buffers = (head, tail)
    matching = set()
    for number in engine().known.filter.possible(head, tail):
        for pattern in engine().get_patterns(engine().known.by_number[number]):
            data = tail if pattern.position == "EOF" else head
            if (pattern.regex().match if pattern.position == "BOF" else pattern.regex().search)(data) is None:
                break
        else:
            matching.add(number)
    return matching


def mutated(number: int) -> Iterator[bytes]:
    """Real files and skeletons with literals of signatures put in, cut, flipped, shifted and joined."""
    draw = random.Random(number)
    real = [path.read_bytes()[:6000] for path, _ in expected()]
    real += [one.data[:6000] for one in draw.sample(list(skeletons.from_signatures(0x20)), 60)]
    texts = [bytes.fromhex(need[1]) for one in _kept() for need in one.get("literals", ())]
    for _ in range(number):
        data = bytearray(draw.choice(real))
        for _ in range(draw.randrange(4)):
            at = draw.randrange(len(data) + 1)
            change = draw.randrange(5)
            if change == 0:
                del data[at:]
            elif change == 1 and at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            elif change == 2:
                data[:0] = draw.randbytes(draw.randrange(20))
            elif change == 3:
                data[at:at] = draw.choice(texts)
            else:
                data += draw.choice(real)[-2000:]
        yield bytes(data[:8000])


def _kept() -> list[dict[str, list[list[str]]]]:
    kept = json.loads(lzma.decompress(signatures.SHIPPED.read_bytes()))
    return [one for known in kept["formats"] for one in known["signatures"]]


def test_filter_and_linear_matcher_say_what_re_says() -> None:
    assert all(ours(data, data) == plain(data, data) for data in mutated(60))


def test_runs_and_gaps_say_what_re_says() -> None:
    """Each pattern that is matched run by run, over buffers made of its runs in and out of their gaps."""
    draw = random.Random(5)
    hits = count = 0
    for pattern in (one for signature in engine().known.by_number for one in signature.patterns if one.gap):
        assert pattern.gap is not None
        regex, parts = pattern.regex(), pattern.gap["parts"]
        for _ in range(6):
            data = b""
            for low, high, _, text in parts:
                wide = draw.choice((low, min(high, low + 40), low + draw.randrange(30), max(low - 1, 0), high + 1))
                data += bytes(draw.choices(b"\r\n0 a\xff", k=min(wide, 3000)))
                data += _written(sre.parse(text.encode()), draw)
                if draw.random() < 0.2:
                    data += _written(sre.parse(draw.choice(parts)[3].encode()), draw)
            data += bytes(min(draw.choice((*pattern.gap["tail"], 3)), 3000)) + b"\n" * draw.randrange(2)
            expected_ = regex.search(data) is not None
            assert pattern.gaps().matches(data) == expected_, (pattern.text, data)
            hits, count = hits + expected_, count + 1
    assert count > 1200
    assert count / 10 < hits < count * 0.95


def _written(tree: Any, draw: random.Random) -> bytes:
    """Bytes that a run of `re` syntax asks for, any of them where it leaves a choice."""
    made = b""
    for op, value in tree:
        name = str(op)
        if name == "BRANCH":
            made += _written(draw.choice(value[1]), draw)
        elif name == "SUBPATTERN":
            made += _written(value[3], draw)
        elif name.endswith("_REPEAT"):
            made += b"".join(_written(value[2], draw) for _ in range(value[0]))
        else:
            known = patterns._set(name, value)
            assert known is not None
            made += bytes([draw.choice(patterns.members(known[0][0]))])
    return made


@pytest.mark.slow
def test_no_pattern_takes_long_over_what_nearly_matches() -> None:
    """A megabyte of each pattern's own runs, without the last, the first or the last alone: a second or two at most."""
    for signature in engine().known.by_number:
        for pattern in signature.patterns:
            known = patterns.shape(pattern.text)
            runs = [bytes(patterns.members(bytes_)[0] for bytes_ in part.sets) for part in known.parts]
            if pattern.position == "BOF" and len(runs) < 2:
                continue
            for unit in {b"".join(runs[:-1]), runs[0], runs[-1]} - {b""}:
                data = (b"".join(runs[:1]) + unit * ((1 << 20) // len(unit)))[: 1 << 20]
                engine()._buffers = (data, data)
                begun = time.process_time()
                for one in engine().get_patterns(Signature("", [pattern], 0)):
                    (one.regex().match if one.position == "BOF" else one.regex().search)(data)
                assert time.process_time() - begun < 6, (pattern.text, unit)


@pytest.mark.slow
def test_ten_thousand_mutated_files_say_what_re_says() -> None:
    differing = [data for data in mutated(10_000) if ours(data, data) != plain(data, data)]
    assert differing == []


def test_skeletons_have_the_format_of_their_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least 99 % in the one answer, 98.5 % from each engine, over byte and container signatures of PRONOM."""
    monkeypatch.chdir(tmp_path)
    names = {known.puid: min(known.extensions, default="") for known in engine().known.formats}
    right = {"answer": 0, "siegfried": 0, "fido": 0}
    count = 0
    for one in (*skeletons.from_signatures(0), *skeletons.from_containers(names)):
        file = tmp_path / f"skeleton.{one.extension}"
        file.write_bytes(one.data)
        told = answer(file)
        file.unlink()
        assert told.second is not None
        count += 1
        right["answer"] += told.puid == one.puid
        right[told.engine] += told.puid == one.puid
        right[told.second.engine] += told.second.puid == one.puid
    assert count == 2582
    assert right["answer"] >= 0.998 * count, right
    assert right["siegfried"] >= 0.985 * count, right
    assert right["fido"] >= 0.995 * count, right


def test_a_container_costs_no_more_than_its_budget(tmp_path: Path) -> None:
    """Every member that some signature asks for is a bomb; names with ten thousand folders; many members."""
    asked = sorted({inner.path for one in engine().known.containers.signatures["ZIP"] for inner in one.inner})
    bombs, deep, many = io.BytesIO(), io.BytesIO(), io.BytesIO()
    nothing = bytes(20 << 20)
    with zipfile.ZipFile(bombs, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in asked[:12]:
            archive.writestr(path, nothing)
    with zipfile.ZipFile(deep, "w") as archive:
        for number in range(20):
            archive.writestr("a/" * 32000 + str(number), b"")
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(20_000):
            archive.writestr(zipfile.ZipInfo(f"word/{number}.xml"), b"")
    for made in (bombs, deep, many):
        begun = time.process_time()
        assert found(made.getvalue(), "docx", tmp_path)[1] in ("container", "signature")
        assert time.process_time() - begun < 3


def test_damaged_containers_never_raise(tmp_path: Path) -> None:
    """ZIP and OLE2 files flipped, cut and overwritten at random: an answer each time, in little time."""
    draw = random.Random(11)
    whole = [(DATA / "vietnamese/office" / name).read_bytes() for name in ("unicode.docx", "encrypted.docx")]
    whole.append(skeletons.ole2({"WordDocument": b"x", "a/\x01CompObj": bytes(9000), "Contents": b"DTPI"}))
    begun = time.process_time()
    for _ in range(200):
        data = bytearray(draw.choice(whole))
        for _ in range(draw.randrange(1, 40)):
            at = draw.choice((draw.randrange(len(data)), draw.randrange(2000), len(data) - 1 - draw.randrange(2000)))
            data[at] = draw.randrange(256)
        if draw.random() < 0.3:
            del data[draw.randrange(len(data)) :]
        assert found(bytes(data), "docx", tmp_path)[1] in ("container", "signature", "extension", "text", "none")
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(("flag", "method"), [(1, 0), (0, 99), (1, 99)])
def test_members_that_cannot_be_read_count_as_absent(flag: int, method: int, tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>" * 9)
        archive.writestr("word/document.xml", b"<document/>")
    data = bytearray(made.getvalue())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        here = data.find(mark)
        while here >= 0:
            data[here + at] |= flag
            data[here + at + 2 : here + at + 4] = method.to_bytes(2, "little")
            here = data.find(mark, here + 4)
    assert found(bytes(data), "docx", tmp_path)[0] <= {"x-fmt/263", "fmt/189"}


def test_what_lies_inside_says_more_than_the_first_bytes(tmp_path: Path) -> None:
    """A document whose first bytes are those of version 1.2 (it says so of an object) and whose parts are of 1.1."""
    made = io.BytesIO()
    kind = "application/vnd.oasis.opendocument.text"
    parts = {
        "mimetype": kind,
        "Object 1/content.xml": '<office:document-content office:version="1.2"/>',
        "content.xml": '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.1"/>',
        "META-INF/manifest.xml": '<?xml version="1.0"?><m:manifest '
        'xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<m:file-entry manifest:media-type="{kind}" manifest:full-path="/"/></m:manifest>',
    }
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    assert found(made.getvalue(), "odt", tmp_path)[:2] == ({"fmt/290"}, "container")


def test_a_member_tells_its_format_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Metadata/Properties.plist", b"x")
        archive.writestr("Index/Document.iwa", b"\x12\x03\x01\x00\x05\x18" + random.Random(4).randbytes(9000))
    data = bytearray(made.getvalue())
    data[data.rindex(b"PK\x01\x02") + 16] ^= 0xFF  # its checksum
    assert found(bytes(data), "pages", tmp_path)[:2] == ({"fmt/1441"}, "container")


def test_a_file_that_shrank_has_an_answer(tmp_path: Path) -> None:
    """The size that was announced is more than there is: of a file that shrinks while it is read, of /sys."""
    file = tmp_path / "short.txt"
    file.write_bytes(b"Xin ch\xc3\xa0o\n" * 20)
    fd = os.open(file, os.O_RDONLY)
    try:
        assert [one.puid for one in engine().identify(fd, 20 << 20, "txt").formats] == ["x-fmt/111"]
        os.truncate(file, 0)
        assert engine().identify(fd, 20 << 20, "txt").match in ("none", "extension")
    finally:
        os.close(fd)


def test_an_ole2_file_with_a_stream_called_header_ends_nothing(tmp_path: Path) -> None:
    data = skeletons.ole2({"Header": b"anything", "Another": b"x"})
    assert found(data, "doc", tmp_path)[0] == {"fmt/111"}
    cyclic = bytearray(skeletons.ole2({"a/b": b"x", "a/c": b"y"}))
    at = cyclic.find("b".encode("utf-16-le") + bytes(62))
    cyclic[at + 68 : at + 72] = (2).to_bytes(4, "little")
    assert found(bytes(cyclic), "doc", tmp_path)[0] == {"fmt/111"}


def test_a_big_file_is_looked_at_from_both_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "big.mov"
    with file.open("wb") as out:
        out.write(b"\0\0\0\x14ftypqt  ")
        out.truncate(300 << 20)
    begun = time.process_time()
    one = answer(file)
    assert time.process_time() - begun < 3
    assert one.second is not None
    assert (one.puid, one.clipped, one.second.puid, one.second.clipped) == ("x-fmt/384", 8 << 20, "x-fmt/384", 4 << 20)


def test_threads_share_an_engine(tmp_path: Path) -> None:
    files = [path for path, _ in expected()][:40]

    def one(path: Path) -> tuple[str | None, str]:
        fd = os.open(path, os.O_RDONLY)
        try:
            opinion_ = fido().identify(fd, path.stat().st_size, path.suffix.lstrip(".")).opinion
        finally:
            os.close(fd)
        return opinion_.puid, opinion_.basis

    alone = [one(path) for path in files]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, files * 3)) == alone * 3


def test_mp3_like_bytes_take_no_minutes(tmp_path: Path) -> None:
    for data in (b"\xff\xfb\x90" * 43690, b"\xff" * 131072, b"SDPX" + b"\xff\xfb\x90\x64" * 40000, bytes(1 << 20)):
        begun = time.process_time()
        found(data, "mp3", tmp_path)
        assert time.process_time() - begun < 10


def test_bad_containers_are_told_and_cost_little(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", bytes(200 << 20))
    begun = time.process_time()
    assert found(bomb.getvalue(), "docx", tmp_path)[0] == {"x-fmt/263"}
    assert time.process_time() - begun < 5
    whole = (DATA / "vietnamese/office/unicode.docx").read_bytes()
    assert found(whole[:9000], "docx", tmp_path)[0] == set()
    assert "container" in found(whole[:9000], "docx", tmp_path)[2]
    at = whole.find(b"[Content_Types].xml") + 30
    damaged = whole[:at] + bytes(40) + whole[at + 40 :]
    assert found(damaged, "docx", tmp_path)[0] <= {"x-fmt/263", "fmt/189"}
    assert found(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000), "doc", tmp_path)[2]


def test_text_is_what_siegfried_takes_for_text(tmp_path: Path) -> None:
    assert is_text(b"h\xe9llo\x0b\x1b\n")
    assert is_text("\ufeffchữ".encode("utf-16-le"))
    assert not is_text(b"a\x00b")
    assert not is_text(b"a\x7f\n")
    assert is_text("Hà Nội\n".encode("utf-16")) and not is_text(b"\xff\xfea\x00\x01\x00")
    assert is_text("Viet Nam\x85".encode("cp037"))  # EBCDIC ends its lines with a control byte
    assert found(b"hello", "", tmp_path)[:2] == ({"x-fmt/111"}, "text")
    assert found(b"hello", "svg", tmp_path)[:2] == (set(), "none")
    assert found(b"a;b", "csv", tmp_path)[:2] == (set(), "extension")


def opinion(puid: str | None, match: str = "signature", signatures_: str = "V122") -> Opinion:
    return Opinion(puid, match, "", "", "e" + signatures_, "1", signatures_)


def test_one_answer_by_the_rule() -> None:
    over = {"fmt/1": frozenset({"fmt/2"}), "fmt/2": frozenset({"fmt/3"})}
    for newer, older, wanted, agreement in (
        (opinion("fmt/3", signatures_="V125"), opinion("fmt/3"), "newer", Agreement.SAME),
        (opinion(None, "none", "V125"), opinion(None, "none"), "newer", Agreement.NONE),
        (opinion(None, "none", "V125"), opinion("fmt/3"), "older", Agreement.SINGLE),
        (opinion("fmt/3", signatures_="V125"), opinion("fmt/9", "container"), "older", Agreement.DIFFER),
        (opinion("fmt/3", signatures_="V125"), opinion("fmt/1"), "older", Agreement.DIFFER),
        (opinion("fmt/1", signatures_="V125"), opinion("fmt/3"), "newer", Agreement.DIFFER),
        (opinion("fmt/8", signatures_="V125"), opinion("fmt/9"), "newer", Agreement.DIFFER),
    ):
        expected_ = newer if wanted == "newer" else older
        assert choose(newer, older, over) == (expected_, agreement)
        assert choose(older, newer, over) == (expected_, agreement)


def test_other_signatures_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = json.loads(lzma.decompress(signatures.SHIPPED.read_bytes()))
    made = Both(signatures.pack({**data, "version": "V999", "formats": data["formats"][-3:], "containers": []}))
    made.warm()
    file = DATA / "vietnamese/office/unicode.docx"
    fd = os.open(file, os.O_RDONLY)
    told = Format.read(made.identify(fd, file.stat().st_size, file.read_bytes(), "docx"))
    os.close(fd)
    assert told.second is not None
    assert (told.puid, told.agreement, told.second.signature_version[:4]) == ("fmt/412", "single", "V999")
    with pytest.raises(ValueError, match="no signatures"):
        Both(b"nothing").warm()


def test_an_engine_says_its_versions() -> None:
    assert (fido().version, fido().signatures) == ("1.6.1", "V125, container 20260119")


def test_a_difference_and_a_single_opinion_are_told() -> None:
    chosen = opinion("fmt/8", signatures_="V125")
    for second, agreement, code, told in (
        (opinion("fmt/9"), Agreement.DIFFER, "FMT-DIFFER", "eV122 fmt/9, eV125 fmt/8"),
        (opinion(None, "none"), Agreement.SINGLE, "FMT-SINGLE", "eV122"),
    ):
        made = Format(chosen.puid, "Name", "1", "a/b", chosen.match, "", "", chosen.engine, "1", "V125", None,
                      str(agreement), second)  # fmt: skip
        findings = list(format_findings(PackagePath(b"a.bin"), 1, made))
        assert [(one.code, one.found) for one in findings] == [(code, told)]
        assert list(format_findings(PackagePath(b"a.bin"), 0, made)) == []
