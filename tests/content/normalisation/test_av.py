"""Sound and film: what is made, stream for stream the same, and what damage leads to."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.content.normalisation import NotConverted
from pipeline.content.normalisation.rules import FOLDER, load
from tests.content.normalisation.trial import bad, good, made, rule_for, rule_named, twice

pytestmark = pytest.mark.xdist_group("av")

TONE = ("-f", "lavfi", "-i", "sine=d=0.5:r=44100")
FINE = ("-f", "lavfi", "-i", "aevalsrc=0.3*sin(440*t)+0.1*sin(1000.3*t):d=0.5:s=44100")
FILM = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=0.4")
SAMPLES: dict[str, tuple[str, ...]] = {
    "họp 16 bit.aiff": TONE,
    "họp 24 bit.aiff": (*FINE, "-c:a", "pcm_s24be"),
    "họp 32 bit.aiff": (*FINE, "-c:a", "pcm_s32be"),
    "họp.au": TONE,
    "họp luật mu.aifc": (*TONE, "-c:a", "pcm_mulaw"),
    "họp.wma": (*TONE, "-c:a", "wmav2"),
    "họp ảnh jpeg.avi": (*FILM, *TONE, "-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "họp mpeg4.avi": (*FILM, *TONE, "-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "họp không nén.avi": (*FILM, "-c:v", "rawvideo", "-pix_fmt", "bgr24"),
    "họp.flv": (*FILM, "-c:v", "flv1"),
    "họp.mpg": (*FILM, "-c:v", "mpeg1video"),
    "họp.wav": TONE,
    "họp.mp3": TONE,
    "họp.mp4": (*FILM, "-pix_fmt", "yuv420p"),
}
KEPT = ("họp.wav", "họp.mp3", "họp.mp4", "họp.mpg")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("av")
    for name, arguments in SAMPLES.items():
        ffmpeg([*arguments, "-t", "0.5", str(folder / name)])
    return folder


def ffmpeg(arguments: Sequence[str]) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *arguments], check=True, timeout=120)


def probed(file: Path) -> list[str]:
    call = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,sample_fmt,pix_fmt", "-of", "csv=p=0"]
    told = subprocess.run([*call, str(file)], check=True, capture_output=True, text=True, timeout=60).stdout
    return [line.replace("unknown,", "") for line in told.split()]


@pytest.mark.parametrize(
    ("name", "puid", "streams"),
    [
        ("họp 16 bit.aiff", "fmt/141", ["pcm_s16le,s16"]),
        ("họp 24 bit.aiff", "fmt/143", ["pcm_s24le,s32"]),
        ("họp 32 bit.aiff", "fmt/143", ["pcm_s32le,s32"]),
        ("họp.au", "fmt/141", ["pcm_s16le,s16"]),
        ("họp luật mu.aifc", "fmt/279", ["flac,s16"]),
        ("họp.wma", "fmt/279", ["flac,s32"]),
        ("họp ảnh jpeg.avi", "fmt/569", ["ffv1,yuv444p", "flac,s16"]),
        ("họp mpeg4.avi", "fmt/569", ["ffv1,yuv420p", "flac,s32"]),
        ("họp không nén.avi", "fmt/569", ["ffv1,bgr0"]),
        ("họp.flv", "fmt/569", ["ffv1,yuv420p"]),
    ],
)
def test_each_becomes_what_the_table_says_twice_with_the_same_bytes(
    samples: Path, tmp_path: Path, name: str, puid: str, streams: list[str]
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (result,) = twice(samples / name, scratch).derivatives
    assert result.format.puid == puid
    assert probed(result.path) == streams
    assert "equal SHA-256" in result.proved
    assert [name for name, _ in result.programs] == ["ffmpeg"]


@pytest.mark.parametrize("name", KEPT)
def test_what_opens_everywhere_stays(samples: Path, tmp_path: Path, name: str) -> None:
    assert rule_for(samples / name, tmp_path) is None


def test_mpeg_is_for_those_who_ask(samples: Path, tmp_path: Path) -> None:
    (rule,) = load(FOLDER / "video-mpeg.toml").rules
    assert good(made(samples / "họp.mpg", tmp_path, rule)).format.puid == "fmt/569"


@pytest.mark.parametrize("name", ["họp mpeg4.avi", "họp ảnh jpeg.avi", "họp 16 bit.aiff", "họp.wma", "họp.flv"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "noise"])
def test_damage_never_becomes_a_copy_that_hides_it(samples: Path, tmp_path: Path, name: str, damage: str) -> None:
    """A copy is made only of what decodes without a word; else the original alone stays, with the reason."""
    file = tmp_path / name
    data = bytearray((samples / name).read_bytes())
    half = len(data) // 2
    if damage == "cut":
        data = data[:half]
    elif damage == "flipped":
        data[half : half + 64] = bytes(byte ^ 0xA5 for byte in data[half : half + 64])
    elif damage == "empty":
        data = bytearray()
    else:
        data[64:] = bytes((at * 7919) & 0xFF for at in range(64, len(data)))
    file.write_bytes(data)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    families = {".avi": "video-obsolete", ".flv": "video-obsolete", ".aiff": "audio-plain", ".wma": "audio-obsolete"}
    outcome = made(file, scratch, rule_named(families[file.suffix]))
    if not isinstance(outcome, NotConverted):
        # Flipped samples of sound without a check sum are samples: nothing can see them.
        assert damage in ("flipped", "cut", "noise"), (name, damage)
        assert good(outcome).proved
    else:
        assert outcome.finding.code in {"FMT-CONVERT-LADDER", "FMT-CONVERT-FAILED", "FMT-CONVERT-DAMAGED"}
        assert outcome.finding.file is not None


def test_another_kind_of_file_under_this_name(samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "họp.avi"
    file.write_text("biên bản họp\n" * 100)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    bad(made(file, scratch, rule_named("video-obsolete")), "FMT-CONVERT-FAILED")


def test_a_list_leads_nowhere(tmp_path: Path) -> None:
    """ffmpeg reads play lists and lists of parts: none of them may bring in another file."""
    secret = tmp_path / "secret.wav"
    ffmpeg([*TONE, str(secret)])
    for text in (f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n", f"ffconcat version 1.0\nfile '{secret}'\n"):
        file = tmp_path / "họp.avi"
        file.write_text(text)
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        outcome = made(file, scratch, rule_named("video-obsolete"))
        assert isinstance(outcome, NotConverted), outcome
        assert outcome.finding.code in ("FMT-CONVERT-FAILED", "FMT-CONVERT-LADDER")


@pytest.mark.judge
def test_mediaconch_passes_every_matroska_file(samples: Path, tmp_path: Path) -> None:
    judge = shutil.which("mediaconch")
    assert judge, "the judge mediaconch is missing: bash setup/install.sh test brings it"
    for name in (one for one in SAMPLES if Path(one).suffix in (".avi", ".flv")):
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        result = good(made(samples / name, scratch))
        told = subprocess.run([judge, result.path], capture_output=True, text=True, timeout=120, check=True).stdout
        assert told.startswith("pass!"), (name, told)
        result.path.unlink()
