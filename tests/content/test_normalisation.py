"""Rules on real files: what is made is proved, what fails leaves the original alone."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.content import images
from pipeline.content.normalisation import (
    Derivative,
    NotConverted,
    Rule,
    Rules,
    derivative_name,
    normalise,
    plan_for,
    rules,
    wants_head,
)
from pipeline.content.reading import Learnt, read_all
from pipeline.errors import UsageProblem
from pipeline.findings import codes
from pipeline.records import Format, PackagePath
from pipeline.settings import read as read_settings
from pipeline.tree import Entry, FolderTree

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests/data/vietnamese"
PATH = PackagePath(b"a/b.xyz")


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


def known(file: Path, scratch: Path) -> Learnt:
    entry = Entry(PackagePath(os.fsencode(file.name)), file.stat().st_size)
    (found,) = read_all(FolderTree(file.parent), [entry], (), identify=True, workers=1, scratch=scratch)
    assert isinstance(found, Learnt)
    return found


def rule_for(file: Path, scratch: Path) -> Rule | None:
    found = known(file, scratch).format
    with file.open("rb") as source:
        return plan_for(found, source.read(4))


def made(file: Path, scratch: Path, rule: Rule | None = None) -> Derivative | NotConverted:
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    rule = rule or rule_for(file, scratch)
    assert rule is not None, known(file, scratch)
    result = normalise(file, PATH, rule, scratch, workers=1)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before, "the original is never touched"
    left = {item.name for item in scratch.iterdir()}
    assert left == ({result.path.name} if isinstance(result, Derivative) else set())
    return result


def good(result: Derivative | NotConverted) -> Derivative:
    assert isinstance(result, Derivative), result
    assert hashlib.sha256(result.path.read_bytes()).hexdigest() == result.sha256
    assert result.path.stat().st_size == result.size
    return result


def bad(result: Derivative | NotConverted, code: str) -> NotConverted:
    assert isinstance(result, NotConverted), result
    assert result.finding.code == code, result
    assert result.finding.file == PATH
    assert codes()[code].level == "warning"
    return result


def vips(*arguments: str) -> bytes:
    return subprocess.run(["vips", *arguments], check=True, capture_output=True).stdout


# --- BMP and PCX files of every kind the rules name, written byte by byte ---


def bmp(
    width: int,
    height: int,
    bits: int,
    *,
    compression: int = 0,
    top_down: bool = False,
    header: int = 40,
    data: bytes | None = None,
    palette: bytes | None = None,
) -> bytes:
    """A Windows bitmap: `header` 12 (core), 40, 108 or 124 bytes; `compression` 0, 1 (RLE8) or 3 (bit fields)."""
    row = (width * bits + 31) // 32 * 4
    if data is None:
        data = bytes((x * 31 + y * 17) % 256 for y in range(height) for x in range(row))
    count = 0 if bits > 8 else 1 << bits
    if palette is None:
        colours = [(n * 255 // max(1, count - 1), n * 7 % 256, n * 13 % 256) for n in range(count)]
        palette = b"".join(bytes([*colour, 0][: 3 if header == 12 else 4]) for colour in colours)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F) if compression == 3 else b""
    offset = 14 + header + len(masks) + len(palette)
    start = b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        tall = -height if top_down else height
        info = struct.pack("<IiiHHIIiiII", header, width, tall, 1, bits, compression, len(data), 2835, 2835, count, 0)
        info += bytes(header - 40)
    return start + info + masks + palette + data


def rle8(width: int, height: int) -> bytes:
    """A run-length encoded bitmap: each row one colour."""
    data = b"".join(bytes([width, y * 20 % 256, 0, 0]) for y in range(height)) + b"\0\1"
    return bmp(width, height, 8, compression=1, data=data)


def pcx(width: int, height: int, bits: int, planes: int, *, version: int = 5) -> bytes:
    """A ZSoft PCX with run-length encoding and, for 256 colours, the palette at the end."""
    line = (width * bits + 7) // 8
    line += line % 2
    head = struct.pack("<BBBBHHHHHH", 10, version, 1, bits, 0, 0, width - 1, height - 1, 72, 72)
    head += bytes(range(48)) + struct.pack("<BBHHHH", 0, planes, line, 1, 0, 0) + bytes(54)
    out = bytearray()
    for y in range(height):
        for plane in range(planes):
            samples = [(x * 5 + y * 3 + plane * 50) % 256 if x % 3 else 200 for x in range(line)]
            at = 0
            while at < line:
                end = at
                while end < line and samples[end] == samples[at] and end - at < 63:
                    end += 1
                if end - at > 1 or samples[at] >= 192:
                    out += bytes([192 | (end - at), samples[at]])
                else:
                    out.append(samples[at])
                at = end
    if bits == 8 and planes == 1:
        out += b"\x0c" + bytes((n * 3 + channel) % 256 for n in range(256) for channel in range(3))
    return head + bytes(out)


# --- rules as data ---


def test_the_rules_that_ship() -> None:
    found = {rule.name: rule for rule in rules().rules}
    assert set(found) == {"text-utf16", "image-tiff"}
    assert derivative_name("ảnh.bmp".encode(), found["image-tiff"]) == "ảnh.bmp.tif".encode()
    assert derivative_name(b"a.txt", found["text-utf16"]) == b"a.txt.utf8.txt"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("[[rules]]", "colour = 1\n[[rules]]"), "colour"),
        (('purpose = "preservation"', 'purpose = "preservation"\npurpos = 1'), "purpos"),
        (("seconds = 60.0", "second = 60.0"), "second"),
        (("seconds = 60.0", 'seconds = "long"'), "seconds"),
    ],
)
def test_an_unknown_key_is_refused_by_name(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    text = (ROOT / "profiles/normalisation/default.toml").read_text()
    file = tmp_path / "rules.toml"
    file.write_text(text.replace(change[0], change[1], 1))
    with pytest.raises(UsageProblem) as problem:
        read_settings(Rules, file)
    assert key in problem.value.values["key"]


def format_of(puid: str | None, match: str = "text") -> Format:
    return Format(puid, "", "", "text/plain", match, "", "", "siegfried", "1", "V1")


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"\xff\xfeX\0", "text-utf16"),
        (b"\xfe\xff\0X", "text-utf16"),
        (b"\xff\xfe\0\0", None),
        (b"X\0Y\0", None),
        (b"\xef\xbb\xbfX", None),
        (b"", None),
    ],
)
def test_only_utf16_with_its_mark_is_text_to_convert(head: bytes, wanted: str | None) -> None:
    rule = plan_for(format_of("x-fmt/111"), head)
    assert (rule.name if rule else None) == wanted
    assert wants_head(format_of("x-fmt/111"))
    assert not wants_head(format_of("fmt/18"))
    assert plan_for(format_of(None), head) is None
    assert plan_for(None, head) is None


# --- text ---


def test_utf16_text_becomes_utf8(scratch: Path) -> None:
    assert wants_head(known(DATA / "text/utf16le.txt", scratch).format)
    assert not wants_head(known(DATA / "text/utf8.txt", scratch).format)
    result = good(made(DATA / "text/utf16le.txt", scratch))
    assert result.path.read_bytes() == (DATA / "text/utf16le.txt").read_bytes().decode("utf-16").encode()
    assert (result.format.puid, result.tool, result.sandbox) == ("x-fmt/111", "luutru", "")
    assert result.rule == "text-utf16/1"
    assert result.proved


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_long_text_is_streamed_whole(scratch: Path, tmp_path: Path, encoding: str) -> None:
    """Characters of one to four bytes, so that some lie across every border of a chunk."""
    text = "Việt 𠀋 a\r\n" * 400_000
    file = tmp_path / "long.txt"
    mark = b"\xff\xfe" if encoding.endswith("le") else b"\xfe\xff"
    file.write_bytes(mark + text.encode(encoding))
    result = good(made(file, scratch))
    assert result.path.read_bytes().decode() == text


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfea\0b", b"\xff\xfea\0\x00\xd8b\0", b"\xff\xfea\0\x00\xdc", b"\xfe\xff\0a\xd8\x00"],
    ids=["half a unit", "lone high", "lone low", "cut pair"],
)
def test_broken_utf16_stays_alone(scratch: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.txt"
    file.write_bytes(content)
    bad(made(file, scratch, plan_for(format_of("x-fmt/111"), content)), "FMT-CONVERT-DAMAGED")


def test_what_is_not_as_promised_is_not_kept(scratch: Path, tmp_path: Path) -> None:
    """UTF-16 text whose UTF-8 is no plain text for the engine: a PDF header."""
    file = tmp_path / "odd.txt"
    file.write_bytes(b"\xff\xfe" + "%PDF-1.4\n%%EOF\n".encode("utf-16-le"))
    content = file.read_bytes()
    result = bad(made(file, scratch, plan_for(format_of("x-fmt/111"), content)), "FMT-CONVERT-PUID")
    assert result.finding.expected == "x-fmt/111"
    assert result.finding.found == "fmt/18"


def test_8_bit_text_is_left_and_told(scratch: Path) -> None:
    told = {}
    tree = FolderTree(DATA / "text")
    for one in read_all(tree, tree.entries(), (), identify=True, workers=1, scratch=scratch):
        assert isinstance(one, Learnt)
        told[os.fsdecode(one.path)] = [finding.code for finding in one.findings]
        if told[os.fsdecode(one.path)]:
            assert not wants_head(one.format)
            with tree.open(one.path) as source:
                assert plan_for(one.format, source.read(4)) is None
    assert {name for name, found in told.items() if found == ["FMT-TEXT-8BIT"]} == {
        "tcvn3.txt",
        "vni.txt",
        "cp1258.txt",
    }
    assert codes()["FMT-TEXT-8BIT"].level == "info"


# --- images ---

IMAGES: dict[str, Callable[[], bytes]] = {
    "fmt/115 24 bit": lambda: bmp(33, 9, 24, header=12),
    "fmt/116 1 bit": lambda: bmp(33, 9, 1),
    "fmt/116 4 bit": lambda: bmp(33, 9, 4),
    "fmt/116 8 bit": lambda: bmp(33, 9, 8),
    "fmt/116 8 bit grey": lambda: bmp(9, 9, 8, palette=b"".join(bytes([n, n, n, 0]) for n in range(256))),
    "fmt/116 24 bit": lambda: bmp(33, 9, 24),
    "fmt/116 24 bit top down": lambda: bmp(33, 9, 24, top_down=True),
    "fmt/116 32 bit": lambda: bmp(33, 9, 32),
    "fmt/116 16 bit": lambda: bmp(33, 9, 16),
    "fmt/116 RLE": lambda: rle8(33, 9),
    "fmt/117 bit fields": lambda: bmp(33, 9, 16, compression=3),
    "fmt/118 24 bit": lambda: bmp(33, 9, 24, header=108),
    "fmt/119 24 bit": lambda: bmp(33, 9, 24, header=124),
    "fmt/87 1 bit": lambda: pcx(33, 9, 1, 1, version=2),
    "fmt/90 8 bit": lambda: pcx(33, 9, 8, 1),
    "fmt/90 24 bit": lambda: pcx(33, 9, 8, 3),
    "fmt/90 4 planes": lambda: pcx(33, 9, 1, 4),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_become_tiff_with_the_same_pixels(scratch: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / ("image.pcx" if name.startswith(("fmt/8", "fmt/9")) else "image.bmp")
    file.write_bytes(IMAGES[name]())
    found = known(file, scratch).format
    assert found is not None
    assert found.puid == name.split()[0]
    result = good(made(file, scratch))
    assert (result.format.puid, result.tool, result.sandbox) == ("fmt/353", "vips", "full")
    assert re.fullmatch(r"8\.\d+\.\d+", result.tool_version)
    assert "compression=deflate" in result.arguments
    header = images.header(io.BytesIO(file.read_bytes()))
    assert header is not None
    assert ("own decoder" in result.proved) == header.decodable


def test_a_real_bitmap_keeps_resolution_and_comes_out_the_same_twice(scratch: Path, tmp_path: Path) -> None:
    first = good(made(DATA / "image/page.bmp", scratch))
    fields = subprocess.run(["vipsheader", "-a", str(first.path)], check=True, capture_output=True, text=True).stdout
    assert "width: 300" in fields
    assert "xres: 3.78" in fields
    first.path.unlink()
    copy = tmp_path / "another name, another time.bmp"
    copy.write_bytes((DATA / "image/page.bmp").read_bytes())
    os.utime(copy, (1, 1))
    assert good(made(copy, scratch)).sha256 == first.sha256


def test_a_reduced_sandbox_is_told(scratch: Path) -> None:
    rule = rule_for(DATA / "image/page.bmp", scratch)
    assert rule is not None
    result = good(normalise(DATA / "image/page.bmp", PATH, rule, scratch, sandbox="reduced", workers=1))
    assert result.sandbox == "reduced"


def test_a_truncated_bitmap_is_damaged(scratch: Path, tmp_path: Path) -> None:
    file = tmp_path / "cut.bmp"
    file.write_bytes((DATA / "image/page.bmp").read_bytes()[:200_000])
    result = bad(made(file, scratch), "FMT-CONVERT-DAMAGED")
    assert result.finding.found == "200000 < 381654 B"


def test_what_the_program_refuses_brings_its_words(scratch: Path, tmp_path: Path) -> None:
    file = tmp_path / "cut.pcx"
    file.write_bytes(pcx(33, 9, 8, 3)[:150])
    result = bad(made(file, scratch), "FMT-CONVERT-FAILED")
    assert result.finding.expected == "vips"
    assert "pcx.c" in str(result.finding.found)
    assert "\n" not in str(result.finding.found)


@pytest.mark.parametrize("size", [(60_000, 60_000), (20_000, 10)])
def test_a_bomb_is_not_opened(scratch: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    file = tmp_path / "bomb.bmp"
    content = bytearray(rle8(9, 9))
    struct.pack_into("<ii", content, 18, *size)
    file.write_bytes(content)
    result = bad(made(file, scratch), "FMT-CONVERT-BIG")
    assert not result.attempted


def test_a_header_without_an_image_is_damaged(scratch: Path, tmp_path: Path) -> None:
    rule = next(rule for rule in rules().rules if rule.name == "image-tiff")
    for content in (b"BM", b"", b"nothing", bmp(0, 9, 24), pcx(9, 9, 8, 1)[:4] + bytes(124) + b"x"):
        file = tmp_path / "odd.bmp"
        file.write_bytes(content)
        result = made(file, scratch, rule)
        assert isinstance(result, NotConverted)
        assert result.finding.code in ("FMT-CONVERT-DAMAGED", "FMT-CONVERT-FAILED")


def test_a_conversion_that_changes_pixels_is_not_kept(scratch: Path, tmp_path: Path) -> None:
    rule = next(rule for rule in rules().rules if rule.name == "image-tiff")
    (action,) = rule.actions
    values = {name: getattr(rule, name) for name in Rule.__slots__}
    turned = type(action)("vips", ("invert", "{in}/source", "{out}/result.tif"), action.limits)
    rotated = type(action)("vips", ("rot", "{in}/source", "{out}/result.tif", "d90"), action.limits)
    for content in (bmp(33, 9, 24), rle8(33, 9)):
        for wrong in (turned, rotated):
            file = tmp_path / "a.bmp"
            file.write_bytes(content)
            bad(made(file, scratch, Rule(**{**values, "actions": (wrong,)})), "FMT-CONVERT-DIFFERS")


def test_limits_of_a_rule_end_a_conversion(scratch: Path, tmp_path: Path) -> None:
    rule = next(rule for rule in rules().rules if rule.name == "image-tiff")
    (action,) = rule.actions
    values = {name: getattr(rule, name) for name in Rule.__slots__}
    limits = {name: getattr(action.limits, name) for name in type(action.limits).__slots__}
    tight = type(action)(action.tool, action.arguments, type(action.limits)(**{**limits, "file": 4096}))
    file = tmp_path / "a.bmp"
    file.write_bytes((DATA / "image/page.bmp").read_bytes())
    result = bad(made(file, scratch, Rule(**{**values, "actions": (tight,)})), "FMT-CONVERT-FAILED")
    assert result.finding.found == "file"


INSIDE = """
import sys, tempfile
from pathlib import Path
from pipeline.content.normalisation import normalise, rules
from pipeline.records import PackagePath
rule = next(rule for rule in rules().rules if rule.name == "image-tiff")
told = normalise(Path(sys.argv[1]), PackagePath(b"a.bmp"), rule, Path(tempfile.mkdtemp()), workers=1)
print(told.finding.code, told.attempted)
"""


@pytest.mark.parametrize(
    ("masked", "code"),
    [("/usr/bin/bwrap", "FMT-CONVERT-NO-SANDBOX"), ("/usr/bin/vips", "FMT-CONVERT-NO-TOOL")],
)
def test_without_sandbox_or_program_nothing_is_attempted(masked: str, code: str) -> None:
    """On a machine (made with bubblewrap) where the program lacks."""
    machine = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", "/dev/null", masked, "--chdir", str(ROOT), "--"]
    command = [*machine, sys.executable, "-c", INSIDE, str(DATA / "image/page.bmp")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.stdout.strip() == f"{code} False", told.stderr
    assert codes()[code].level == "warning"


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.sampled_from([1, 4, 8, 24, 32]), st.booleans(), st.data())
def test_our_decoder_reads_what_was_written(
    width: int, height: int, bits: int, top_down: bool, data: st.DataObject
) -> None:
    row = (width * bits + 31) // 32 * 4
    content = data.draw(st.binary(min_size=row * height, max_size=row * height))
    file = io.BytesIO(bmp(width, height, bits, top_down=top_down, data=content))
    header = images.header(file)
    assert header is not None
    assert (header.width, header.height, header.decodable) == (width, height, True)
    got = list(images.rows(file, header))
    for y in range(height):
        start = row * (y if top_down else height - 1 - y)
        for x in range(width):
            if bits >= 24:
                at = start + x * bits // 8
                pixel = content[at : at + 3][::-1]
            else:
                index = content[start + x * bits // 8] >> (8 - bits - x * bits % 8) & ((1 << bits) - 1)
                pixel = header.palette[index]
            assert got[y][3 * x : 3 * x + 3] == pixel
