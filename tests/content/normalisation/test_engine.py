"""Rules on real files: what is made is proved, what fails leaves the original alone."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.content import images
from pipeline.content.normalisation import (
    NotConverted,
    Result,
    Rules,
    normalise,
    plan_for,
    rules,
)
from pipeline.errors import UsageProblem
from pipeline.findings import codes
from pipeline.records import Format
from pipeline.settings import read as read_settings
from tests.content.normalisation.trial import (
    DATA,
    PATH,
    ROOT,
    bad,
    converted,
    good,
    known,
    made,
    rule_for,
    rule_named,
    twice,
)


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


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
    assert {"text-utf16", "text-unicode", "image-tiff"} <= set(found)
    assert found["image-tiff"].actions[0].results[0].extension == "tif"


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
    text = (ROOT / "profiles/normalisation/images.toml").read_text()
    file = tmp_path / "rules.toml"
    file.write_text(text.replace(change[0], change[1], 1))
    with pytest.raises(UsageProblem) as problem:
        read_settings(Rules, file)
    assert key in problem.value.values["key"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('purpose = "preservation"', 'purpose = "reading"'), "rules.image-tiff.purpose"),
        (('tool = "vips"', 'tool = "vipz"'), "rules.image-tiff.actions.0.tool"),
        (('verify = ["pixels"]', 'verify = ["looks"]'), "rules.image-tiff.actions.0.results.0.verify"),
        (('verify = ["pixels"]', "verify = []"), "rules.image-tiff.actions.0.results.0.verify"),
        (('promises = ["fmt/353"]', "promises = []"), "rules.image-tiff.actions.0.results.0.promises"),
        (('extension = "tif"', 'extension = "../tif"'), "rules.image-tiff.actions.0.results.0.extension"),
        (('extension = "tif"', 'extension = "tif"\nneeded = false'), "rules.image-tiff.actions.0.results.0.needed"),
        (('"fmt/90"]', '"fmt/90", "fmt/90"]'), "rules.image-tiff.puids"),
        (('"fmt/90"]', '"fmt/90"]\nwhen = ["blue"]'), "rules.image-tiff.when"),
        (('"fmt/90"]', '"fmt/90"]\nsigned = "lose"'), "rules.image-tiff.signed"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1][:40],
)
def test_a_rule_that_cannot_work_is_refused_by_file_and_key(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    text = (ROOT / "profiles/normalisation/images.toml").read_text()
    assert change[0] in text
    file = tmp_path / "rules.toml"
    file.write_text(text.replace(change[0], change[1], 1))
    with pytest.raises(UsageProblem) as problem:
        rules(str(file))
    assert problem.value.code == "USE-SETTINGS-KEY"
    assert (problem.value.values["key"], problem.value.values["file"]) == (key, str(file))


def test_a_set_puts_families_together_and_finds_two_rules_for_one_case(tmp_path: Path) -> None:
    text = (ROOT / "profiles/normalisation/images.toml").read_text()
    (tmp_path / "one.toml").write_text(text)
    (tmp_path / "two.toml").write_text(text.replace("image-tiff", "again").replace('version = "2"', 'version = "7"'))
    (tmp_path / "set.toml").write_text('version = "1"\ninclude = ["one", "two"]\n')
    with pytest.raises(UsageProblem) as problem:
        rules(str(tmp_path / "set.toml"))
    assert problem.value.values["key"] == "rules.again.puids"
    (tmp_path / "apart.toml").write_text('version = "1"\ninclude = ["two"]\n')
    assert "again/7" in [rule.reference for rule in rules(str(tmp_path / "apart.toml")).rules]


def format_of(puid: str | None, match: str = "text") -> Format:
    return Format(puid, "", "", "text/plain", match, "", "", "siegfried", "1", "V1")


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
    [(tool, version)] = result.programs
    assert (result.format.puid, tool, result.sandbox) == ("fmt/353", "vips", "full")
    assert re.fullmatch(r"8\.\d+\.\d+", version)
    assert "compression=deflate" in result.arguments
    header = images.header(io.BytesIO(file.read_bytes()))
    assert header is not None
    assert ("own decoder" in result.proved) == header.decodable


def test_a_real_bitmap_keeps_resolution_and_comes_out_the_same_twice(scratch: Path) -> None:
    (first,) = twice(DATA / "image/page.bmp", scratch).derivatives
    fields = subprocess.run(["vipsheader", "-a", str(first.path)], check=True, capture_output=True, text=True).stdout
    assert "width: 300" in fields
    assert "xres: 3.78" in fields


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
    rule = rule_named("image-tiff")
    for content in (b"BM", b"", b"nothing", bmp(0, 9, 24), pcx(9, 9, 8, 1)[:4] + bytes(124) + b"x"):
        file = tmp_path / "odd.bmp"
        file.write_bytes(content)
        result = made(file, scratch, rule)
        assert isinstance(result, NotConverted)
        assert result.finding.code in ("FMT-CONVERT-DAMAGED", "FMT-CONVERT-FAILED")


def test_a_conversion_that_changes_pixels_is_not_kept(scratch: Path, tmp_path: Path) -> None:
    rule = rule_named("image-tiff")
    (action,) = rule.actions
    turned = replace(action, arguments=("invert", "{in}/source", "{out}/result.tif"))
    rotated = replace(action, arguments=("rot", "{in}/source", "{out}/result.tif", "d90"))
    for content in (bmp(33, 9, 24), rle8(33, 9)):
        for wrong in (turned, rotated):
            file = tmp_path / "a.bmp"
            file.write_bytes(content)
            bad(made(file, scratch, replace(rule, actions=(wrong,))), "FMT-CONVERT-DIFFERS")


def test_limits_of_a_rule_end_a_conversion(scratch: Path, tmp_path: Path) -> None:
    rule = rule_named("image-tiff")
    (action,) = rule.actions
    tight = replace(action, limits=replace(action.limits, output=4096))
    file = tmp_path / "a.bmp"
    file.write_bytes((DATA / "image/page.bmp").read_bytes())
    result = bad(made(file, scratch, replace(rule, actions=(tight,))), "FMT-CONVERT-FAILED")
    assert result.finding.found == "file"


# --- the ladder ---


def bitmap(tmp_path: Path) -> Path:
    file = tmp_path / "a.bmp"
    file.write_bytes(bmp(33, 9, 24))
    return file


def test_the_next_action_is_tried_and_the_event_tells_of_both(scratch: Path, tmp_path: Path) -> None:
    rule = rule_named("image-tiff")
    (action,) = rule.actions
    wrong = replace(action, arguments=("invert", "{in}/source", "{out}/result.tif"))
    result = good(made(bitmap(tmp_path), scratch, replace(rule, actions=(wrong, action))))
    assert result.arguments.startswith("copy")
    assert result.notes == ("vips: FMT-CONVERT-DIFFERS pixels",)


def test_at_the_end_of_the_ladder_a_finding_names_every_attempt(scratch: Path, tmp_path: Path) -> None:
    rule = rule_named("image-tiff")
    (action,) = rule.actions
    wrong = replace(action, arguments=("invert", "{in}/source", "{out}/result.tif"))
    absent = replace(action, arguments=("copy", "{in}/nothing", "{out}/result.tif"))
    (promise,) = action.results
    other = replace(action, results=(replace(promise, promises=("fmt/12",)),))
    result = bad(made(bitmap(tmp_path), scratch, replace(rule, actions=(wrong, absent, other))), "FMT-CONVERT-LADDER")
    assert result.finding.expected == "3"
    first, second, third = str(result.finding.found).split("; ")
    assert first == "1. vips: FMT-CONVERT-DIFFERS pixels"
    assert second.startswith("2. vips: FMT-CONVERT-FAILED ")
    assert third == "3. vips: FMT-CONVERT-PUID fmt/353 (fmt/12)"
    assert result.attempted


PAGES = Result("tif", ("fmt/353",), ("pixels",), name="page", many=True)


def test_a_result_may_be_as_many_files_as_there_are(scratch: Path, tmp_path: Path) -> None:
    rule = rule_named("image-tiff")
    (action,) = rule.actions
    none = Result("png", ("fmt/12",), ("pixels",), name="png", needed=False)
    both = replace(action, arguments=("copy", "{in}/source", "{out}/page.0001.tif"), results=(PAGES, none))
    result = converted(made(bitmap(tmp_path), scratch, replace(rule, actions=(both,))))
    assert [(one.result, one.extension) for one in result.derivatives] == [("page.0001", "0001.tif")]
    assert result.findings == ()
    lacking = replace(rule, actions=(replace(both, results=(PAGES, replace(none, needed=True))),))
    bad(made(bitmap(tmp_path), scratch, lacking), "FMT-CONVERT-FAILED")


def test_a_result_that_is_not_needed_is_left_out_with_a_finding(scratch: Path, tmp_path: Path) -> None:
    rule = rule_named("image-tiff")
    (action,) = rule.actions
    wrong = Result("0001.tif", ("fmt/12",), ("pixels",), name="page", needed=False)
    both = replace(action, arguments=("copy", "{in}/source", "{out}/page.0001.tif"), results=(PAGES, wrong))
    outcome = converted(made(bitmap(tmp_path), scratch, replace(rule, actions=(both,))))
    assert [one.result for one in outcome.derivatives] == ["page.0001"]
    assert [(one.code, one.found) for one in outcome.findings] == [("FMT-CONVERT-PUID", "fmt/353")]


def test_a_derivative_of_a_signed_file_says_that_it_is_none(scratch: Path, tmp_path: Path) -> None:
    result = good(made(bitmap(tmp_path), scratch, marks=("signed",)))
    assert "the signature of the source is not carried over" in result.notes


def test_marks_choose_the_rule(tmp_path: Path) -> None:
    text = (ROOT / "profiles/normalisation/images.toml").read_text()
    file = tmp_path / "rules.toml"
    file.write_text(text.replace('"fmt/90"]', '"fmt/90"]\nunless = ["encrypted"]\nsigned = "keep"', 1))
    bmp3 = format_of("fmt/116", "signature")
    assert plan_for(bmp3, b"BM", str(file)) is not None
    assert plan_for(bmp3, b"BM", str(file), marks=("signed",)) is None
    assert plan_for(bmp3, b"BM", str(file), marks=("encrypted",)) is None
    reading = plan_for(bmp3, b"BM", str(file), purpose="access")
    assert reading is not None
    assert reading.name == "image-reading"
    assert plan_for(bmp3, b"BM", marks=("signed",)) is not None


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
