"""Images: the same samples, frames and words about them, twice the same bytes; else the original alone."""

from __future__ import annotations

import io
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.content.normalisation import Kept, NotConverted, Rule
from pipeline.content.normalisation.actions.images import compressions, of_today
from pipeline.content.normalisation.fit import not_fit
from pipeline.records import PackagePath
from pipeline.tree import Entry, FolderTree
from tests.content.normalisation.trial import DATA, bad, converted, good, known, made, rule_for, rule_named, twice

PAGE = DATA / "image" / "page.png"
TAGS = ("-Make=Nikon", "-Artist=Nguyễn Văn Ủy", "-ImageDescription=Ảnh họp", "-XMP-dc:Title=Tiêu đề", "-Orientation#=6")


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page in every format, with metadata; an animation; TIFF in several compressions."""
    folder = tmp_path_factory.mktemp("images")
    for ending in ("webp", "heic", "avif", "gif", "jp2", "jpg", "tif"):
        run("vips", "copy", PAGE, folder / f"a.{ending}")
    run(
        "exiftool", "-q", "-q", "-overwrite_original", *TAGS, *(folder / f"a.{one}" for one in ("webp", "heic", "avif"))
    )
    run("exiftool", "-q", "-q", "-overwrite_original", "-Comment=ghi chú", folder / "a.gif")
    run("exiftool", "-q", "-q", "-overwrite_original", *TAGS, folder / "a.tif")
    run("vips", "invert", PAGE, folder / "b.png")
    run("vips", "join", PAGE, folder / "b.png", folder / "two.v", "vertical")
    run("vips", "gifsave", folder / "two.v", folder / "two.gif", "--page-height", "424")
    for name in ("lzma", "zstd"):
        run("tiffcp", "-c", name, folder / "a.tif", folder / f"{name}.tif")
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("name", "rule", "told"),
    [
        ("a.webp", "image-frames", 5),
        ("a.heic", "image-heif", 4),
        ("a.avif", "image-heif", 4),
        ("a.gif", "image-frames", 0),
    ],
)
def test_an_image_becomes_the_same_tiff_twice_with_what_it_says(
    samples: Path, scratch: Path, name: str, rule: str, told: int
) -> None:
    chosen = rule_for(samples / name, scratch)
    assert chosen is not None
    assert chosen.name == rule
    (result,) = twice(samples / name, scratch).derivatives
    assert [program for program, _ in result.programs] == ["vips", "exiftool"]
    assert "pixels equal as vips reads both" in result.proved
    assert int(result.proved.rpartition("; ")[2].split()[0]) >= told
    said = run(
        "exiftool", "-s3", "-n", "-Make", "-Artist", "-ImageDescription", "-XMP-dc:Title", result.path
    ).splitlines()
    assert said == (["Nikon", "Nguyễn Văn Ủy", "Ảnh họp", "Tiêu đề"] if told else ["ghi chú"])
    turned = run("exiftool", "-s3", "-n", "-Orientation", result.path).strip()
    assert turned == ("6" if name == "a.webp" else "1" if name == "a.gif" else turned)
    if rule == "image-heif":
        assert turned in ("", "1"), "the decoder has turned it"


def test_every_frame_is_a_page_and_the_loss_of_time_is_told(samples: Path, scratch: Path) -> None:
    outcome = converted(made(samples / "two.gif", scratch))
    (result,) = outcome.derivatives
    assert result.notes == ("pages=2",)
    assert [(one.code, one.found) for one in outcome.findings] == [("FMT-IMAGE-FRAMES", "2")]
    assert len(compressions(io.BytesIO(result.path.read_bytes()))) == 1
    assert run("vipsheader", "-f", "n-pages", result.path).strip() == "2"


def test_metadata_that_is_lost_stops_a_copy(samples: Path, scratch: Path) -> None:
    """A copy by vips alone has the samples, but not what the picture says."""
    rule = rule_named("image-frames")
    (action,) = rule.actions
    alone = replace(
        action, tool="vips", arguments=("copy", "{in}/source", "{out}/result.tif[strip,compression=deflate]")
    )
    result = bad(made(samples / "a.webp", scratch, replace(rule, actions=(alone,))), "FMT-CONVERT-DIFFERS")
    assert str(result.finding.found).startswith("metadata: Exif:Artist, ")


@pytest.mark.parametrize("name", ["lzma.tif", "zstd.tif"])
def test_tiff_in_a_rare_compression_is_written_anew_with_every_tag(samples: Path, scratch: Path, name: str) -> None:
    result = good(made(samples / name, scratch, rule_named("image-tiff-old")))
    assert [program for program, _ in result.programs] == ["tiffcp"]
    assert compressions(io.BytesIO(result.path.read_bytes())) == {8}
    assert run("exiftool", "-s3", "-Artist", result.path).strip() == "Nguyễn Văn Ủy"


def test_a_common_tiff_stays_as_it_is(samples: Path, scratch: Path) -> None:
    rule = rule_for(samples / "a.tif", scratch)
    assert rule is not None
    assert isinstance(made(samples / "a.tif", scratch, rule), Kept)
    names = ("a.tif", "lzma.tif", "a.jpg")
    ruled = [(Entry(PackagePath(name.encode()), 1), rule) for name in names]
    left = not_fit(FolderTree(samples), ruled, workers=1, scratch=scratch)
    assert [entry.path for entry, _ in left] == [b"lzma.tif", b"a.jpg"]
    for damaged in (b"", b"II*\0", b"II*\0\xff\0\0\0", b"MM\0*\0\0\0\x08\xff\xff"):
        assert not of_today(io.BytesIO(damaged), lambda: None)
    loop = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 259, 3, 1, 5) + struct.pack("<I", 8)
    assert compressions(io.BytesIO(loop)) == {5}


def old_jpeg(jpeg: bytes, width: int, height: int) -> bytes:
    """A grey picture in the JPEG of TIFF 6.0 (compression 6)."""
    jpeg += b"\0" * (len(jpeg) % 2)
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 6), (262, 3, 1), (273, 4, 8), (277, 3, 1),
            (278, 4, height), (279, 4, len(jpeg)), (512, 3, 1), (513, 4, 8), (514, 4, len(jpeg))]  # fmt: skip
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(jpeg)) + jpeg + struct.pack("<H", len(tags)) + rows + bytes(4)


def test_what_tiffcp_makes_up_is_not_kept(samples: Path, scratch: Path, tmp_path: Path) -> None:
    """libtiff cannot decode this one; tiffcp says 0 all the same."""
    run("vips", "colourspace", PAGE, tmp_path / "grey.jpg[strip]", "b-w")
    file = tmp_path / "old.tif"
    file.write_bytes(old_jpeg((tmp_path / "grey.jpg").read_bytes(), 300, 424))
    rule = rule_for(file, scratch)
    assert rule is not None
    result = bad(made(file, scratch, rule), "FMT-CONVERT-LADDER")
    assert [step.split(":")[0] for step in str(result.finding.found).split("; ") if step[:2] in ("1.", "2.")] == [
        "1. image.recompress",
        "2. image.tiff",
    ]


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.heic"])
def test_damaged_empty_or_mislabelled_images_stay_alone(
    samples: Path, scratch: Path, tmp_path: Path, name: str
) -> None:
    rule = rule_named("image-heif" if name == "a.heic" else "image-frames")
    whole = (samples / name).read_bytes()
    file = tmp_path / name
    for content in (whole[: len(whole) // 2], b"", b"%PDF-1.4\n"):
        file.write_bytes(content)
        outcome = made(file, scratch, rule)
        assert isinstance(outcome, NotConverted)
        assert outcome.finding.code in ("FMT-CONVERT-DAMAGED", "FMT-CONVERT-FAILED", "FMT-CONVERT-LADDER")


def limited(rule: Rule, **limits: int) -> Rule:
    return replace(rule, actions=tuple(replace(a, limits=replace(a.limits, **limits)) for a in rule.actions))


def test_an_image_above_the_limits_is_not_decoded(samples: Path, scratch: Path) -> None:
    rule = rule_named("image-frames")
    small = bad(made(samples / "a.gif", scratch, limited(rule, side=299)), "FMT-CONVERT-BIG")
    assert (small.finding.found, small.attempted) == ("300 × 424", False)
    pages = bad(made(samples / "two.gif", scratch, limited(rule, pixels=300 * 424 * 2 - 1)), "FMT-CONVERT-BIG")
    assert pages.finding.found == "300 × 424 × 2"


@pytest.mark.parametrize("name", ["a.webp", "a.jp2", "a.tif", "large.png"])
def test_a_reading_copy_shows_the_whole_picture(samples: Path, scratch: Path, tmp_path: Path, name: str) -> None:
    file = samples / name
    if name == "large.png":
        file = tmp_path / name
        run("vips", "resize", PAGE, file, "8")
    (result,) = twice(file, scratch, rule_named("image-reading")).derivatives
    size = tuple(int(run("vipsheader", "-f", side, result.path)) for side in ("width", "height"))
    assert size == {"a.webp": (424, 300), "a.jp2": (300, 424), "a.tif": (424, 300), "large.png": (1415, 2000)}[name]
    assert result.extension == "jpg"
    assert known(result.path, scratch.parent).format is not None
