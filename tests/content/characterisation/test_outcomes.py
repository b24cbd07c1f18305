"""Every sample file against the table of what it has to come to, and files made to do harm among whole ones."""

from __future__ import annotations

import csv
import re
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import pytest

from pipeline.content.characterisation import Examined, Subjected, examine_all, missing, utf8_of
from pipeline.content.characterisation.tables import families, line, ordered, properties
from pipeline.content.reading import Learnt, read_all
from pipeline.content.validity.programs import CHECKERS
from pipeline.pool import Bounds, Pool, Task
from pipeline.records import Format, PackagePath, Validity
from pipeline.tools import run as tools
from pipeline.tools.decoders import EXIFTOOL, FFMPEG, FLAC, MEDIAINFO
from pipeline.tools.program import Program
from pipeline.tools.run import run, sandbox_state
from pipeline.tree import Entry, FolderTree
from tests.content.characterisation import hostile

TESTS = Path(__file__).resolve().parents[2]
DATA = TESTS / "data"
TABLE = Path(__file__).with_name("outcomes.tsv")


def expected() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))


def examined(folder: Path, scratch: Path, *, pool: Pool | None = None) -> dict[str, Examined]:
    """Everything in a folder, identified and examined."""
    tree = FolderTree(folder)
    entries = [entry for entry in tree.entries() if not entry.is_folder]
    subjects = []
    for one in read_all(tree, entries, (), identify=True, workers=2, scratch=scratch):
        assert isinstance(one, Learnt), one
        eight_bit = any(finding.code == "FMT-TEXT-8BIT" for finding in one.findings)
        subjects.append(Subjected(Entry(one.path, one.size), one.format, utf8_of(one.format, eight_bit)))
    found = {}
    for result in examine_all(tree, subjects, workers=2, scratch=scratch, pool=pool):
        name = result.entry.path.decode()
        assert name not in found, "one result a file"
        found[name] = result
    assert found.keys() == {entry.path.decode() for entry in entries}
    assert not list(scratch.iterdir()), "scratch is left as it was"
    return found


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Examined]:
    scratch = tmp_path_factory.mktemp("scratch")
    return {
        f"{folder}/{name}": one
        for folder in ("vietnamese", "characterisation")
        for name, one in examined(DATA / folder, scratch).items()
    }


def test_every_sample_comes_to_what_the_table_says(samples: dict[str, Examined]) -> None:
    wrong = []
    for row in expected():
        one = samples[row["path"]]
        outcome = row["outcome"]
        if row["needs"]:
            assert f"decoded by {row['needs']} " in one.checked, one
        codes = " ".join(finding.code for finding in one.findings)
        told = dict(one.characteristics.properties)
        for kind, _ in one.characteristics.inhibitors:
            told["inhibitor"] = kind
        for made in one.characteristics.creating:
            told["created by"] = " ".join(filter(None, (made.name, made.version, made.date)))
        pairs = [part.replace("\\;", ";").split("=", 1) for part in re.split(r"(?<!\\); ", row["told"]) if part]
        if (one.family, one.validity, codes) != (row["family"], outcome, row["code"]):
            wrong.append(f"{row['path']}: {one.family}, {one.validity}, {codes}: {one.checked}")
        wrong += [f"{row['path']}: {name} is {told.get(name)}" for name, value in pairs if told.get(name) != value]
    assert not wrong, "\n".join(wrong)


def test_the_table_is_about_every_sample_of_its_folder(samples: dict[str, Examined]) -> None:
    named = {row["path"] for row in expected()}
    ours = {name for name in samples if name.startswith("characterisation/")}
    assert ours - named == {"characterisation/README.md"}


def test_the_programs_that_the_tables_count_on_are_here() -> None:
    assert EXIFTOOL.fit and MEDIAINFO.fit and all(program.fit for program in CHECKERS.values())
    assert list(missing()) == []


def test_words_of_programs_are_kept_for_broken_files_alone(samples: dict[str, Examined]) -> None:
    assert "Truncated" in samples["characterisation/corrupt/truncated.jp2"].raw
    assert "IsTruncated" in samples["characterisation/corrupt/truncated.mp4"].raw
    for name, one in samples.items():
        assert one.validity is Validity.INVALID or not one.raw, name
        assert "/in/" not in one.raw + one.checked, name


def test_names_stand_in_the_closed_list(samples: dict[str, Examined]) -> None:
    order = list(properties())
    for one in samples.values():
        names = [name for name, _ in one.characteristics.properties]
        assert names == sorted(names, key=order.index)
    with pytest.raises(KeyError):
        ordered({"size of the moon": 1})
    for row in properties().values():
        assert row.unit and row.value in ("integer", "decimal", "text") and row.vi and row.en and row.source


def test_the_page_tells_the_tables() -> None:
    page = (DATA.parents[1] / "docs/characterisation.md").read_text(encoding="utf-8")
    for row in properties().values():
        assert f"| {row.name} | {row.unit} | {row.families} | {row.source} | {row.en} |\n" in page
    for name in sorted(set(families().by_puid.values())):
        assert f"| {name} | " in page
    codes = (DATA.parents[1] / "schemas/findings/val.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert all(f"`{row.split(chr(9))[0]}`" in page for row in codes)


def test_no_puid_has_two_families() -> None:
    rows = (DATA.parents[1] / "schemas/characterisation/families.tsv").read_text(encoding="utf-8").splitlines()[1:]
    puids = [puid for row in rows for puid in row.split("\t")[1].split()]
    assert len(puids) == len(set(puids)) == len(families().by_puid)


def test_values_are_one_line_of_plain_text() -> None:
    assert line(" Tên\x00 có\ndòng\u202e ") == "Tên có dòng"
    assert line(300.0) == "300" and line(35.99) == "35.99" and line(True) == "yes" and line(False) == ""
    assert len(line("ạ" * 2000)) == 500


def test_sound_made_here(tmp_path: Path) -> None:
    """WAVE: whole, cut, with half a sample at its end; FLAC: whole, and with one byte changed."""
    folder, scratch = tmp_path / "tiếng", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    with wave.open(str(folder / "hop.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(range(256)) * 100)
    whole = (folder / "hop.wav").read_bytes()
    (folder / "cat.wav").write_bytes(whole[:10_000])
    odd = bytearray(whole[:-1])
    odd[4:8] = (len(odd) - 8).to_bytes(4, "little")
    odd[40:44] = (len(odd) - 44).to_bytes(4, "little")
    (folder / "le.wav").write_bytes(odd)
    flac = encoded(folder / "hop.wav", scratch)
    (folder / "hop.flac").write_bytes(flac)
    (folder / "hong.flac").write_bytes(flac[:-2000] + bytes([flac[-2000] ^ 0x55]) + flac[-1999:])
    found = examined(folder, scratch)
    assert {name: str(one.validity) for name, one in found.items()} == {
        "hop.wav": "valid", "cat.wav": "invalid", "le.wav": "invalid", "hop.flac": "valid", "hong.flac": "invalid",
    }  # fmt: skip
    assert dict(found["hop.flac"].characteristics.properties)["sampling rate"] == "8000"
    assert "decoded by flac" in found["hop.flac"].checked


def test_aiff_and_avi_tell_that_their_end_is_missing(tmp_path: Path) -> None:
    """Decoders say nothing where a file ends between two samples or two pictures."""
    folder, scratch = tmp_path / "ghi âm, ghi hình", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    lavfi = ["-v", "error", "-f", "lavfi", "-i"]
    sine, film = "sine=sample_rate=8000:duration=0.2", "testsrc=size=64x48:rate=10:duration=0.5"
    for name, more in (
        ("a.aiff", [*lavfi, sine, "-f", "aiff"]),
        ("a.aifc", [*lavfi, sine, "-c:a", "pcm_mulaw", "-f", "aiff"]),
        ("a.avi", [*lavfi, film, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-f", "avi"]),
    ):
        whole = made_by(FFMPEG, [*more, "{out}/made"], {}, scratch)
        (folder / f"lành {name}").write_bytes(whole)
        (folder / f"cụt {name}").write_bytes(whole[: len(whole) // 4 * 2])
    nothing = bytearray((folder / "lành a.aiff").read_bytes()[:54])
    nothing[22:26] = bytes(4)
    nothing[4:8] = (46).to_bytes(4, "big")
    nothing[42:46] = (8).to_bytes(4, "big")
    (folder / "không tiếng.aiff").write_bytes(nothing)
    found = examined(folder, scratch)
    told = {name: (str(one.validity), [finding.code for finding in one.findings]) for name, one in found.items()}
    assert told == {
        name: ("valid", []) if name.startswith("lành") else ("invalid", ["VAL-INVALID"]) for name in told
    }, {name: one.checked for name, one in found.items()}


def encoded(file: Path, scratch: Path) -> bytes:
    return made_by(FLAC, ["-s", "-o", "{out}/made", "{in}/a.wav"], {"a.wav": file}, scratch)


def made_by(program: Program, arguments: list[str], inputs: dict[str, Path], scratch: Path) -> bytes:
    """What a program leaves as `made`."""
    out = scratch / "out"
    out.mkdir()
    ran = run(program, arguments, inputs, out, tools.Bounds())
    assert ran.ok, ran.said
    made = (out / "made").read_bytes()
    shutil.rmtree(out)
    return made


def test_pictures_that_move(tmp_path: Path) -> None:
    """FFV1 in Matroska: whole, cut, and with one bit of a slice changed; an MP4 whose frames are damaged."""
    folder, scratch = tmp_path / "phim", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    picture = "testsrc=size=96x64:rate=5:duration=2"
    arguments = ["-v", "error", "-f", "lavfi", "-i", picture, "-c:v", "ffv1", "-level", "3", "-slicecrc", "1",
                 "-f", "matroska", "{out}/made"]  # fmt: skip
    whole = made_by(FFMPEG, arguments, {}, scratch)
    (folder / "phim.mkv").write_bytes(whole)
    (folder / "cụt.mkv").write_bytes(whole[: len(whole) // 2])
    at = len(whole) // 2
    (folder / "một bit.mkv").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    film = bytearray((DATA / "characterisation/av/test.mp4").read_bytes())
    film[6000:9000] = bytes(3000)
    (folder / "hỏng.mp4").write_bytes(film)
    found = examined(folder, scratch)
    assert {name: str(one.validity) for name, one in found.items()} == {
        "phim.mkv": "valid", "cụt.mkv": "invalid", "một bit.mkv": "invalid", "hỏng.mp4": "invalid",
    }, {name: one.checked for name, one in found.items()}  # fmt: skip
    told = dict(found["phim.mkv"].characteristics.properties)
    assert (told["image width"], told["video codec"].split()[0], told["frame rate"]) == ("96", "FFV1", "5")


HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "khổng lồ.png": (hostile.big_png, "not checked", "VAL-STOPPED"),
    "dài.png": (hostile.long_png, "invalid", "VAL-INVALID"),
    "bom.docx": (hostile.zip_bomb, "not checked", "VAL-STOPPED"),
    "cười.xml": (hostile.laughs, "not checked", "VAL-STOPPED"),
    "sâu.xml": (hostile.deep_xml, "valid", ""),
    "bom.pdf": (hostile.pdf_bomb, "valid", ""),
    "vòng.tif": (hostile.round_tiff, "invalid", "VAL-INVALID"),
    "khổng lồ.tif": (hostile.big_tiff, "not checked", "VAL-STOPPED"),
    "vòng.doc": (hostile.round_compound, "invalid", "VAL-INVALID"),
    "hộp.mp4": (hostile.boxes_without_end, "not checked", "VAL-STOPPED"),
}


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    folder, scratch = tmp_path / "bẫy", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    shutil.copy(DATA / "characterisation/image/page.gif", folder / "lành.gif")
    shutil.copy(DATA / "vietnamese/pdf/text_pdfa2b.pdf", folder / "lành.pdf")
    yield folder, scratch


def test_files_made_to_overload_harm_nobody_but_themselves(trap: tuple[Path, Path]) -> None:
    folder, scratch = trap
    for name, (make, _, _) in HOSTILE.items():
        (folder / name).write_bytes(make())
    before = {path.name for path in folder.parent.iterdir()}
    tree = FolderTree(folder)
    guess = {".png": "fmt/11", ".docx": "fmt/412", ".xml": "fmt/101", ".pdf": "fmt/18", ".tif": "fmt/353",
             ".doc": "fmt/111", ".mp4": "fmt/199", ".gif": "fmt/4"}  # fmt: skip
    subjects = [
        Subjected(entry, Format(guess[Path(entry.path.decode()).suffix], "", "", "", "signature", "", "", "", "", ""))
        for entry in tree.entries()
    ]
    pool = Pool(("pipeline.content.characterisation.worker",), 2, Bounds(seconds=30))
    started = time.monotonic()
    found = {one.entry.path.decode(): one for one in examine_all(tree, subjects, workers=2, scratch=scratch, pool=pool)}
    assert time.monotonic() - started < 180
    pool.close()
    wrong = []
    for name, (_, outcome, code) in HOSTILE.items():
        one = found[name]
        codes = [finding.code for finding in one.findings]
        if one.validity != outcome or codes != ([code] if code else []):
            wrong.append(f"{name}: {one.validity}, {codes}: {one.checked}")
    assert not wrong, "\n".join(wrong)
    assert found["lành.gif"].validity is Validity.VALID
    assert found["lành.pdf"].validity is Validity.VALID
    assert {path.name for path in folder.parent.iterdir()} == before
    assert not list(scratch.iterdir())


def test_a_file_that_just_fits_is_judged_alike_whatever_was_read_before(trap: tuple[Path, Path]) -> None:
    """200 MB of blanks need nearly all that a worker may take: one that holds something of others has no room."""
    folder, scratch = trap
    (folder / "lành.pdf").unlink()
    (folder / "bom.pdf").write_bytes(hostile.pdf_bomb())
    tree = FolderTree(folder)
    subject = [
        Subjected(entry, Format("fmt/18", "PDF", "1.4", "", "signature", "", "", "", "", ""))
        for entry in tree.entries()
        if entry.path.endswith(b".pdf")
    ]
    pool = Pool(("pipeline.content.characterisation.worker", "pool_jobs"), 1, Bounds(seconds=60), (TESTS,))
    told = []
    for kept in (0, 100):
        if kept:
            list(pool.map("pool_jobs:keeps", iter([Task(None, lambda: (), (kept,))]), scratch))
        (one,) = examine_all(tree, subject, workers=1, scratch=scratch, pool=pool)
        told.append((one.validity, one.checked, one.characteristics, one.findings))
    pool.close()
    assert told[0][0] is Validity.VALID
    assert told[0] == told[1]


def test_a_file_that_hangs_its_reader_is_stopped_alone(trap: tuple[Path, Path]) -> None:
    folder, scratch = trap
    (folder / "bom.pdf").write_bytes(hostile.pdf_bomb())
    tree = FolderTree(folder)
    subjects = [
        Subjected(entry, Format("fmt/18", "PDF", "1.4", "", "signature", "", "", "", "", ""))
        for entry in tree.entries()
        if entry.path.endswith(b".pdf")
    ]
    pool = Pool(("pipeline.content.characterisation.worker",), 1, Bounds(seconds=0.2))
    found = {one.entry.path.decode(): one for one in examine_all(tree, subjects, workers=1, scratch=scratch, pool=pool)}
    pool.close()
    stopped = found["bom.pdf"]
    assert (stopped.validity, [finding.code for finding in stopped.findings]) == ("not checked", ["VAL-STOPPED"])
    assert PackagePath("lành.pdf".encode()) in {one.entry.path for one in found.values()}


def test_a_claim_of_pdf_a_that_does_not_hold(trap: tuple[Path, Path]) -> None:
    folder, scratch = trap
    with pikepdf.open(folder / "lành.pdf") as document:
        del document.Root["/OutputIntents"]
        document.save(folder / "không.pdf")
    one = examined(folder, scratch)["không.pdf"]
    assert one.validity is Validity.VALID, "it is a whole PDF all the same"
    assert dict(one.characteristics.properties)["PDF/A check"] == "failed"
    (finding,) = one.findings
    assert (finding.code, finding.expected) == ("VAL-PDFA", "PDF/A-2B")
    assert finding.found


def test_two_tools_that_read_different_sizes(trap: tuple[Path, Path]) -> None:
    """A GIF whose screen is smaller than its picture: one reader believes the screen, another the picture."""
    folder, scratch = trap
    whole = bytearray((folder / "lành.gif").read_bytes())
    whole[6:10] = (100).to_bytes(2, "little") + (50).to_bytes(2, "little")
    (folder / "hai.gif").write_bytes(whole)
    one = examined(folder, scratch)["hai.gif"]
    assert [finding.code for finding in one.findings] == ["VAL-DIFFERS"], one
    assert '"exiftool"' in one.raw


def test_what_lacks_is_told_once_and_leaves_files_unchecked(
    trap: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, scratch = trap
    assert sandbox_state().works
    monkeypatch.setattr("pipeline.tools.program.PLACES", str(folder))
    assert {finding.code for finding in missing()} == {"VAL-NO-TOOL"}
    gif = examined(folder, scratch)["lành.gif"]
    assert (gif.validity, "vips 8.14 is not installed" in gif.checked) == (Validity.NOT_CHECKED, True)
    sandbox_state.cache_clear()
    try:
        assert [finding.code for finding in missing()] == ["VAL-NO-SANDBOX"]
        gif = examined(folder, scratch)["lành.gif"]
        assert (gif.validity, "no sandbox for vips" in gif.checked) == (Validity.NOT_CHECKED, True)
        assert dict(gif.characteristics.properties)["image width"] == "300", "the pool needs no sandbox"
    finally:
        sandbox_state.cache_clear()
