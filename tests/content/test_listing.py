"""Lines of `luutru identify`."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.content.identification import extension_of, format_findings
from pipeline.content.listing import exit_of, identify_paths
from pipeline.errors import UsageProblem
from pipeline.findings import codes
from pipeline.records import Format, PackagePath
from tests.contract import faults

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests/data/vietnamese"


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


def lines(paths: list[Path], scratch: Path, **how: bool) -> list[dict[str, Any]]:
    return list(identify_paths(paths, workers=1, scratch=scratch, **how))  # type: ignore[arg-type]


def told(found: list[dict[str, Any]], above: Path) -> dict[str, tuple[str | None, list[str]]]:
    """PUID and codes of findings by path below a folder."""
    for one in found:
        assert faults(one) == []
    return {
        str(Path(one["path"]).relative_to(above)): (one["puid"], [finding["code"] for finding in one["findings"]])
        for one in found
    }


def test_lines_keep_the_contract_and_the_order(scratch: Path) -> None:
    paths = [DATA / "text/utf8.txt", DATA / "corrupt", DATA / "image/page.bmp"]
    found = lines(paths, scratch)
    expected = [paths[0], *sorted((DATA / "corrupt").iterdir()), paths[2]]
    assert [one["path"] for one in found] == [str(path) for path in expected]
    for one in found:
        assert faults(one) == []
    bmp = found[-1]
    assert (bmp["puid"], bmp["agreement"], bmp["mime"]) == ("fmt/116", "same", "image/bmp")
    assert [*bmp["engines"]] == ["siegfried", "fido"]
    assert bmp["engines"]["siegfried"]["match_type"] == "signature"
    unknown = next(one for one in found if one["path"].endswith("random.docx"))
    assert (unknown["puid"], unknown["agreement"]) == (None, "none")
    assert "fmt/412" in unknown["engines"]["siegfried"]["candidates"]


def test_links_given_by_name_are_followed(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(DATA / "text/utf8.txt")
    (one,) = lines([tmp_path / "link.txt"], scratch)
    assert one["path"] == str(tmp_path / "link.txt")
    assert one["puid"] == "x-fmt/111"


def test_odd_names_are_shown_escaped(scratch: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"v\xa8n\x1b[31m.txt")
    (tmp_path / name).write_text("x")
    for paths in ([tmp_path], [tmp_path / name]):
        (one,) = lines(paths, scratch)
        assert "\x1b" not in one["path"]
        one["path"].encode()


def test_nothing_is_read_when_a_path_is_wrong(scratch: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for wrong in (tmp_path / "absent", tmp_path / "fifo"):
        with pytest.raises(UsageProblem) as problem:
            next(identify_paths([DATA / "text", wrong], workers=1, scratch=scratch))
        assert problem.value.code == "USE-PATH"


def test_a_file_that_vanishes_is_told(scratch: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    kept = tmp_path / "b"
    results = identify_paths([tmp_path / "a", kept, tmp_path / "c"], workers=1, scratch=scratch)
    assert exit_of(next(results)) == 0
    kept.unlink()
    kept.symlink_to("nowhere")
    one = next(results)
    assert (one["sha256"], one["problem"]["code"], exit_of(one)) == (None, "SYS-READ", 3)
    assert faults(one) == []
    assert exit_of(next(results)) == 0


def packed(target: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def test_members_of_archives_are_files_of_their_own(scratch: Path, tmp_path: Path) -> None:
    bitmap, docx = (DATA / "image/page.bmp").read_bytes(), (DATA / "office/unicode.docx").read_bytes()
    packed(tmp_path / "one.zip", {"f/page.bmp": bitmap, "f/tài liệu.docx": docx})
    with tarfile.open(tmp_path / "two.tgz", "w:gz") as archive:
        archive.add(tmp_path / "one.zip", "f/inner.zip")
        archive.add(DATA / "text/utf8.txt", "f/chữ.txt")
        link = tarfile.TarInfo("f/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    given = [tmp_path / "one.zip", tmp_path / "two.tgz", DATA / "office/unicode.docx"]
    found = told(lines(given[:2], scratch), tmp_path)
    assert found == {
        "one.zip": ("x-fmt/263", []), "one.zip/f/page.bmp": ("fmt/116", []), "one.zip/f/tài liệu.docx": ("fmt/412", []),
        "two.tgz": ("x-fmt/266", []), "two.tgz/f/chữ.txt": ("x-fmt/111", []), "two.tgz/f/inner.zip": ("x-fmt/263", []),
    }  # fmt: skip
    deep = told(lines(given[:2], scratch, archives=True), tmp_path)
    assert deep == found | {"two.tgz/f/inner.zip/f/page.bmp": ("fmt/116", []),
                            "two.tgz/f/inner.zip/f/tài liệu.docx": ("fmt/412", [])}  # fmt: skip
    assert [one["path"] for one in lines(given[2:], scratch)] == [str(given[2])]  # a document, no archive
    folder = told(lines([tmp_path], scratch), tmp_path)
    assert [*folder] == ["one.zip", "two.tgz"]
    assert len(lines([tmp_path], scratch, archives=True)) == 8
    assert not list(scratch.iterdir())


def test_bad_archives_and_members_are_told_and_the_rest_goes_on(scratch: Path, tmp_path: Path) -> None:
    packed(tmp_path / "bomb.zip", {"f/x.txt": bytes(70 << 20)}, compression=zipfile.ZIP_DEFLATED)
    good = packed(tmp_path / "good.zip", {"f/a.txt": b"abc", "f/b.txt": b"def" * 100, "f/c.txt": b"ghi"})
    whole = good.read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-30])
    (tmp_path / "damaged.zip").write_bytes(whole.replace(b"defdef", b"dexdef", 1))
    locked = bytearray(whole)  # the second member says in both its headers that it is encrypted
    locked[whole.index(b"f/b.txt") - 30 + 6] |= 1
    locked[whole.rindex(b"f/b.txt") - 46 + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    nested = packed(tmp_path / "0.zip", {"f/a.txt": b"abc"})
    for level in range(6):
        nested = packed(tmp_path / f"{level + 1}.zip", {f"{level}.zip": nested.read_bytes()})
    given = [tmp_path / f"{name}.zip" for name in ("bomb", "cut", "damaged", "locked", "good", "6")]
    documents = lines(given, scratch, archives=True)
    found = told(documents, tmp_path)
    assert found["bomb.zip"] == ("x-fmt/263", ["PKG-BOMB"])
    assert found["cut.zip"][1] == ["PKG-ZIP-TRUNCATED"]
    assert found["damaged.zip/f/b.txt"] == (None, ["PKG-MEMBER-CRC"])
    assert found["locked.zip"][1] == ["PKG-ZIP-ENCRYPTED"]
    assert {name for name in found if name.startswith("locked.zip/")} == {"locked.zip/f/a.txt", "locked.zip/f/c.txt"}
    assert all(found[f"damaged.zip/f/{name}.txt"] == ("x-fmt/111", []) for name in "ac")
    assert all(found[f"good.zip/f/{name}.txt"] == ("x-fmt/111", []) for name in "abc")
    assert max(found, key=len) == "6.zip/5.zip/4.zip/3.zip/2.zip"  # and no deeper
    assert {one["path"].rpartition("/")[2] for one in documents if exit_of(one) == 1} == {
        "bomb.zip", "cut.zip", "b.txt", "locked.zip",
    }  # fmt: skip


def test_all_levels_of_an_archive_share_a_budget(scratch: Path, tmp_path: Path) -> None:
    small = packed(tmp_path / "s.zip", {"f/x.txt": bytes(30 << 20)}, compression=zipfile.ZIP_DEFLATED).read_bytes()
    outer = packed(tmp_path / "outer.zip", {f"{number}.zip": small for number in range(4)}, compression=8)
    found = told(lines([outer], scratch, archives=True), tmp_path)
    assert [codes_ for _, codes_ in found.values()].count(["PKG-BYTES"]) == 2


def test_a_folder_that_cannot_be_listed_is_told_last(scratch: Path, tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):  # longer than a path may be
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (tmp_path / "z.txt").write_text("z")
    found = lines([tmp_path], scratch)
    assert [one["puid"] for one in found] == ["x-fmt/111", None]
    assert found[1]["problem"]["code"] == "SYS-READ"
    assert faults(found[1]) == []


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        (b"a/b.docx", "docx"),
        (b"a.b/c", ""),
        (b"c.", ""),
        (b".profile", "profile"),
        (b"x.qxp report", "qxp report"),
        (b"x.\xff", ""),
        (b"x.a\nb", ""),
        (b"x.tar.gz", "gz"),
        (b"x." + b"y" * 60, ""),
    ],
)
def test_only_plain_extensions_reach_the_engine(path: bytes, extension: str) -> None:
    assert extension_of(path) == extension


def known(puid: str | None, warning: str = "", engine: str = "siegfried") -> Format:
    match = "signature" if puid else "none"
    return Format(puid, "PNG", "1.1", "image/png", match, "", warning, engine, "1", "V1")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (known("fmt/12"), None),
        (known("fmt/12", "extension mismatch"), "FMT-EXTENSION"),
        (known(None, "no match; possibilities based on extension are fmt/11, x-fmt/9"), "FMT-UNKNOWN"),
        (known(None, "no PRONOM engine", "libmagic"), "FMT-NO-ENGINE"),
        (known(None, "identification stopped, timeout: 45 s"), None),
        (None, None),
    ],
)
def test_formats_leave_findings(found: Format | None, code: str | None) -> None:
    path = PackagePath(b"a.jpg")
    told = list(format_findings(path, 1, found))
    assert [finding.code for finding in told] == ([code] if code else [])
    assert all(finding.code in codes() for finding in told)
    assert list(format_findings(path, 0, found)) == []
    if code == "FMT-UNKNOWN":
        assert told[0].expected == "fmt/11, x-fmt/9"
    if code == "FMT-EXTENSION":
        assert (told[0].expected, told[0].found) == ("fmt/12 PNG 1.1", "jpg")
