"""Trees: a folder, a zip and a tar of the same files are the same; nothing unsafe is opened; nothing is believed."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import os
import re
import socket
import stat
import struct
import tarfile
import tracemalloc
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.findings import codes
from pipeline.records import Finding, PackagePath
from pipeline.settings import Limits
from pipeline.tree import ContentDamage, FolderTree, Opened, open_tree
from pipeline.tree.archive import BOMB_FLOOR
from tests.archives import END, Member, at, contents, header, kept, padded, pax, raw_zip, tar_member, tar_of, zip_of
from tests.packages.received import write

M = Member
GOOD = tar_member(b"a", b"alpha")


def found(opened: Opened) -> set[str]:
    return {finding.code for finding in opened.findings}


# --- what is refused or reported, a case for each code ---


def zip64_lie() -> bytes:
    extra = struct.pack("<2HQ", 1, 8, 5)  # one value where two fields say "look in zip64"
    raw = bytearray(raw_zip([M(b"a", b"alpha", extra=extra)]))
    central = raw.index(b"PK\1\2")
    raw[central + 20 : central + 28] = b"\xff" * 8
    return bytes(raw)


def deep(levels: int) -> bytes:
    return tar_member(b"/".join([b"d"] * levels), b"x") + END


def sparse_tar() -> bytes:
    return pax(GNU__sparse__major=b"1") + GOOD + END


ARCHIVES: list[tuple[str, bytes, dict[str, int]]] = [
    ("PKG-NOT-A-PACKAGE", b"%PDF-1.7\n", {}),
    ("PKG-NOT-A-PACKAGE", zip_of({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), {}),
    ("PKG-NOT-A-PACKAGE", gzip.compress(b"text"), {}),
    ("PKG-EMPTY", b"", {}),
    ("PKG-EMPTY", zip_of({}), {}),
    ("PKG-EMPTY", zip_of({"only/folders/": b""}), {}),
    ("PKG-EMPTY", bytes(10240), {}),
    ("PKG-LINK", raw_zip([M(b"a", b"/etc/passwd", mode=stat.S_IFLNK | 0o777)]), {}),
    ("PKG-LINK", GOOD + tar_member(b"l", kind=b"2", link=b"../../x") + END, {}),
    ("PKG-LINK", GOOD + tar_member(b"l", kind=b"1", link=b"a") + END, {}),
    ("PKG-SPECIAL", raw_zip([M(b"a", mode=stat.S_IFIFO | 0o644)]), {}),
    ("PKG-SPECIAL", tar_member(b"null", kind=b"3") + END, {}),
    ("PKG-SPECIAL", tar_member(b"sda", kind=b"4") + END, {}),
    ("PKG-SPECIAL", tar_member(b"pipe", kind=b"6") + END, {}),
    ("PKG-FILES", zip_of({str(n): b"" for n in range(5)}), {"files": 4}),
    ("PKG-FILES", tar_of({str(n): b"" for n in range(5)}), {"files": 4}),
    ("PKG-BYTES", zip_of({"a": bytes(100)}), {"bytes": 99}),
    ("PKG-BYTES", gzip.compress(tar_of({"a": bytes(100)})), {"bytes": 2000}),
    ("PKG-BOMB", zip_of({"a": bytes(BOMB_FLOOR + 1)}), {}),
    ("PKG-BOMB", gzip.compress(bytes(BOMB_FLOOR + 1)), {}),
    ("PKG-DEPTH", deep(6), {"depth": 4}),
    ("PKG-PATH-LONG", deep(10), {"path_bytes": 16}),
    ("PKG-ABSOLUTE", raw_zip([M(b"/etc/passwd")]), {}),
    ("PKG-ABSOLUTE", raw_zip([M(b"\\\\server\\x")]), {}),
    ("PKG-ABSOLUTE", raw_zip([M(b"C:/x")]), {}),
    ("PKG-ABSOLUTE", tar_member(b"/etc/passwd") + END, {}),
    ("PKG-ABSOLUTE", pax(path=b"/etc/passwd") + GOOD + END, {}),
    ("PKG-CLIMBING", raw_zip([M(b"a/../../b")]), {}),
    ("PKG-CLIMBING", raw_zip([M(b"..\\b")]), {}),
    ("PKG-CLIMBING", tar_member(b"../a") + END, {}),
    ("PKG-CLIMBING", pax(path=b"../a") + GOOD + END, {}),
    ("PKG-CLIMBING", tar_member(b"long", b"../a\0", b"L") + GOOD + END, {}),
    ("PKG-MEMBER-NAME", raw_zip([M(b"a\0b")]), {}),
    ("PKG-MEMBER-NAME", raw_zip([M(b"")]), {}),
    ("PKG-MEMBER-NAME", tar_member(b"./", b"x", b"7") + END, {}),
    ("PKG-DUPLICATE", raw_zip([M(b"a", b"1"), M(b"a", b"2")]), {}),
    ("PKG-DUPLICATE", raw_zip([M(b"a", b"1"), M(b"./a", b"2")]), {}),
    ("PKG-DUPLICATE", GOOD + GOOD + END, {}),
    ("PKG-FILE-AND-FOLDER", raw_zip([M(b"a", b"1"), M(b"a/b", b"2")]), {}),
    ("PKG-FILE-AND-FOLDER", raw_zip([M(b"a", b"", mode=stat.S_IFDIR | 0o755)]), {}),
    ("PKG-FILE-AND-FOLDER", GOOD + tar_member(b"a/", kind=b"5") + END, {}),
    ("PKG-NOISE", zip_of({"r/a": b"", "__MACOSX/r/._a": b"", ".DS_Store": b""}), {}),
    ("PKG-NOISE-KEPT", zip_of({"a": b"", "b/c": b"", ".DS_Store": b""}), {}),
    ("PKG-NAME-CONTROL", raw_zip([M(b"a\x1b[31m")]), {}),
    ("PKG-NAME-ENCODING", raw_zip([M(b"v\xe3n")]), {}),
    ("PKG-NAME-ENCODING", tar_member(b"v\xe3n") + END, {}),
    ("PKG-NAME-LONG", pax(path=b"n" * 300) + GOOD + END, {}),
    ("PKG-NAME-WINDOWS", zip_of({"CON.txt": b"", "a?": b""}), {}),
    ("PKG-NAME-BACKSLASH", tar_member(b"a\\b") + END, {}),
    ("PKG-NAME-EDGE", zip_of({"a.": b"", " b": b"", "c ": b""}), {}),
    ("PKG-NAME-CASE", zip_of({"x/a": b"", "x/A": b"", "y/a": b""}), {}),
    ("PKG-NAME-CASE", zip_of({"Ă/a": b"", "ă/b": b""}), {}),
    ("PKG-NAME-FORM", zip_of({unicodedata.normalize(form, "ệ"): b"" for form in ("NFC", "NFD")}), {}),
    ("PKG-ZIP-TRUNCATED", zip_of({"a": bytes(1000)})[:-30], {}),
    ("PKG-ZIP-TRUNCATED", raw_zip([M(b"a", b"x")], shift=1), {}),
    ("PKG-ZIP-TRAILING", raw_zip([M(b"a", b"x")], suffix=b"more"), {}),
    ("PKG-ZIP-PREFIX", raw_zip([M(b"a", b"x")], prefix=b"MZ self-extractor"), {}),
    ("PKG-ZIP-PREFIX", b"MZ self-extractor" + raw_zip([M(b"a", b"x")]), {}),
    ("PKG-ZIP-ZIP64", zip64_lie(), {}),
    ("PKG-ZIP-ZIP64", raw_zip([M(b"a", b"x")]).replace(b"PK\5\6", b"PK\6\7" + bytes(16) + b"PK\5\6"), {}),
    ("PKG-ZIP-SPLIT", raw_zip([M(b"a", b"x")], disk=1), {}),
    ("PKG-ZIP-DIRECTORY", raw_zip([M(b"a", b"x")], count=2), {}),
    ("PKG-ZIP-DIRECTORY", raw_zip([M(b"a", b"x")]).replace(b"PK\1\2", b"PK\1\3"), {}),
    ("PKG-ZIP-LOCAL", raw_zip([M(b"a", b"x", local_name=b"b")]), {}),
    ("PKG-ZIP-LOCAL", raw_zip([M(b"a", b"x", local_flags=1)]), {}),
    ("PKG-ZIP-LOCAL", raw_zip([M(b"a", b"x")], offset=1), {}),
    ("PKG-ZIP-OVERLAP", raw_zip([M(b"a", b"x" * 9), M(b"a", b"x" * 9, shared=True)]), {}),
    ("PKG-ZIP-HIDDEN", raw_zip([M(b"a", b"x"), M(b"secret", b"y")], listed=1), {}),
    ("PKG-ZIP-GAP", raw_zip([M(b"a", b"x")], gap=bytes(40)), {}),
    ("PKG-ZIP-ENCRYPTED", raw_zip([M(b"a", b"x", flags=1)]), {}),
    ("PKG-ZIP-ENCRYPTED", raw_zip([M(b"a", b"x", flags=1, method=99)]), {}),
    ("PKG-ZIP-METHOD", raw_zip([M(b"a", b"x", method=93)]), {}),
    ("PKG-ZIP-SIZE", raw_zip([M(b"a", b"x", method=0, size=9)]), {}),
    ("PKG-ZIP-BACKSLASH", raw_zip([M(b"a\\b", b"x")]), {}),
    ("PKG-TAR-TRUNCATED", tar_of({"a": bytes(2000)})[:2000], {}),
    ("PKG-TAR-TRUNCATED", GOOD, {}),
    ("PKG-TAR-TRUNCATED", GOOD + pax(path=b"b"), {}),
    ("PKG-TAR-TRAILING", GOOD + END + GOOD, {}),
    ("PKG-TAR-DAMAGED", GOOD + b"\1" * 512 + END, {}),
    ("PKG-TAR-DAMAGED", header(b"a", raw_size=b"\xff" * 12) + END, {}),
    ("PKG-TAR-DAMAGED", pax(size=b"-1") + GOOD + END, {}),
    ("PKG-TAR-DAMAGED", tar_member(b"p", b"99 path=b\n", b"x") + GOOD + END, {}),
    ("PKG-TAR-DAMAGED", tar_member(b"p", b"9 path=b\n", b"g") + GOOD + END, {}),
    ("PKG-TAR-DAMAGED", pax(path=b"b") + END, {}),
    ("PKG-TAR-HEADER", header(b"p", 1 << 30, b"x") + END, {}),
    ("PKG-TAR-HEADER", header(b"p", 1 << 30, b"L") + END, {}),
    ("PKG-TAR-TYPE", tar_member(b"a", kind=b"V") + END, {}),
    ("PKG-SPARSE", sparse_tar(), {}),
    ("PKG-SPARSE", tar_member(b"a", b"x", kind=b"S") + END, {}),
    ("PKG-GZ-TRUNCATED", gzip.compress(tar_of({"a": os.urandom(5000)}))[:-20], {}),
    ("PKG-GZ-DAMAGED", gzip.compress(tar_of({"a": b"x"}))[:-8] + b"\0" * 8, {}),
    ("PKG-GZ-TRAILING", gzip.compress(tar_of({"a": b"x"})) + b"more", {}),
    ("PKG-MORE", tar_of({f"{n}.": b"" for n in range(1005)}), {}),
]


@pytest.mark.parametrize(
    ("code", "archive", "limits"), ARCHIVES, ids=[f"{c}-{n}" for n, (c, *_) in enumerate(ARCHIVES)]
)
def test_each_code_of_opening(code: str, archive: bytes, limits: dict[str, int], tmp_path: Path) -> None:
    opened = at(archive, tmp_path, limits=limits)
    mine = [finding for finding in opened.findings if finding.code == code]
    assert mine, opened.findings
    fatal = any(codes()[finding.code].level == "error" for finding in opened.findings)
    assert (opened.tree is None) == fatal
    assert opened.digest == hashlib.sha256(archive).hexdigest()
    for finding in mine:
        complete(finding)
    assert os.listdir(tmp_path) == ["x"]


def complete(finding: Finding) -> None:
    """A finding gives every value that its texts ask for, in both languages alike."""
    text = codes()[finding.code]
    asked = set(re.findall(r"{(\w+)}", text.en))
    assert asked == set(re.findall(r"{(\w+)}", text.vi))
    for name in asked - {"found"} if finding.code == "PKG-LINK" else asked:
        assert getattr(finding, name) is not None, (finding, name)
    for value in (finding.expected, finding.found):
        (value or "").encode()


DAMAGED: list[tuple[str, list[Member]]] = [
    ("PKG-MEMBER-CRC", [M(b"a", b"alpha", crc=1)]),
    ("PKG-MEMBER-CRC", [M(b"a", b"alpha", method=0, crc=1)]),
    ("PKG-MEMBER-SIZE", [M(b"a", b"x" * 5000, size=4999)]),
    ("PKG-MEMBER-SIZE", [M(b"a", b"x" * 5000, size=5001)]),
    ("PKG-MEMBER-SIZE", [M(b"a", b"x" * BOMB_FLOOR, size=10)]),
    ("PKG-MEMBER-DAMAGED", [M(b"a", b"alpha", packed=b"\xff\xff\xff")]),
    ("PKG-MEMBER-DAMAGED", [M(b"a", b"alpha", packed=b"")]),
    ("PKG-MEMBER-DAMAGED", [M(b"a", b"alpha", method=12, packed=b"BZh9nonsense")]),
]


@pytest.mark.parametrize(("code", "members"), DAMAGED, ids=[row[0] for row in DAMAGED])
def test_damage_found_while_reading(code: str, members: list[Member], tmp_path: Path) -> None:
    opened = at(raw_zip(members), tmp_path)
    assert opened.tree is not None
    with pytest.raises(ContentDamage) as caught:
        opened.tree.open(PackagePath(b"a")).read()
    assert caught.value.finding.code == code
    assert caught.value.finding.file == b"a"
    complete(caught.value.finding)
    with pytest.raises(ContentDamage), opened.tree.local(PackagePath(b"a"), tmp_path):
        pass
    assert os.listdir(tmp_path) == ["x"]


def test_every_row_has_a_case() -> None:
    rows = {code for code in codes() if code.startswith("PKG-")}
    elsewhere = {"PKG-KIND", "PKG-PAYLOAD-HELD", "PKG-SPLIT", "PKG-SPLIT-PART"}
    assert rows - elsewhere == {code for code, *_ in ARCHIVES} | {code for code, _ in DAMAGED}
    assert all(row.vi and row.en and row.advice_vi and row.advice_en for row in codes().values() if row.code in rows)


# --- the same files, however they come ---

FILES = {
    "bagit.txt": b"BagIt",
    "data/Quy\u1ebft \u0111\u1ecbnh.txt": "Quyết định".encode() * 1000,
    "data/" + unicodedata.normalize("NFD", "ệ") + "/x": b"",
    "data.txt": b"between data and data/",
    "a/b": b"1",
    "a.b": b"2",
    "a0": b"3",
    "leer/": b"",
    "a-": b"4",
}


def expected() -> dict[bytes, bytes | None]:
    return {name.rstrip("/").encode(): None if name.endswith("/") else data for name, data in FILES.items()}


@pytest.mark.parametrize("root", ["", "gói 1/", "./gói 1/"])
@pytest.mark.parametrize("kind", ["zip", "stored", "bzip2", "tar", "gnu", "ustar", "tar.gz", "folder"])
def test_same_files_same_tree(kind: str, root: str, tmp_path: Path) -> None:
    files = {root + name: data for name, data in FILES.items()}
    if kind == "folder":
        source = write(tmp_path / "f", dict(FILES))
        opened = open_tree(source, Limits())
    else:
        archive = {
            "zip": lambda: zip_of(files),
            "stored": lambda: zip_of(files, method=zipfile.ZIP_STORED),
            "bzip2": lambda: zip_of(files, method=zipfile.ZIP_BZIP2),
            "tar": lambda: tar_of(files),
            "gnu": lambda: tar_of(files, form=tarfile.GNU_FORMAT),
            "ustar": lambda: tar_of(files, form=tarfile.USTAR_FORMAT),
            "tar.gz": lambda: tar_of(files, "w:gz"),
        }[kind]()
        opened = at(archive, tmp_path, "túi.zip" if kind == "zip" else "túi.tar.gz")
    assert opened.findings == ()
    assert opened.tree is not None
    if kind != "folder":
        assert opened.tree.name.decode() == ("gói 1" if root else "túi")
    made = contents(opened)
    assert list(made) == sorted(expected())
    assert made == expected()


def test_a_root_folder_is_taken_only_when_everything_is_in_it(tmp_path: Path) -> None:
    both = at(zip_of({"r/a": b"", "b": b""}), tmp_path)
    assert list(contents(both)) == [b"b", b"r/a"]
    single = at(zip_of({"a": b"x"}), tmp_path)
    assert list(contents(single)) == [b"a"]
    noisy = at(zip_of({"r/a": b"", "r/.DS_Store": b"", "__MACOSX/r/._a": b"", "._r": b"", ".DS_Store": b""}), tmp_path)
    assert list(contents(noisy)) == [b".DS_Store", b"a"]
    assert sorted(finding.file or b"" for finding in noisy.findings) == [b".DS_Store", b"._r", b"__MACOSX"]


def test_recognised_by_bytes_not_by_name(tmp_path: Path) -> None:
    carriers = {}
    for name, archive in (
        ("x.tar", zip_of({"a": b""})),
        ("x.zip", tar_of({"a": b""})),
        ("x", tar_of({"a": b""}, "w:gz")),
    ):
        opened = at(archive, tmp_path, name)
        assert opened.tree is not None
        carriers[name] = opened.tree.carrier
    assert carriers == {"x.tar": "zip", "x.zip": "tar", "x": "tar.gz"}


def test_a_tar_that_holds_a_zip_at_its_end_is_a_tar(tmp_path: Path) -> None:
    opened = at(tar_of({"z.zip": zip_of({"a": b"x"})}), tmp_path)
    assert list(contents(opened)) == [b"z.zip"]


def test_legacy_names_of_zips(tmp_path: Path) -> None:
    raw = "đất.txt".encode("cp1258", "replace")
    unicode = struct.pack("<BL", 1, zlib.crc32(raw)) + "đất.txt".encode()
    stale = struct.pack("<BL", 1, 0) + b"other.txt"
    members = [
        M(raw, b"1", extra=struct.pack("<2H", 0x7075, len(unicode)) + unicode),
        M(b"caf\x82", b"2", extra=struct.pack("<2H", 0x7075, len(stale)) + stale),
        M("ô".encode(), b"3", flags=0x800),
    ]
    opened = at(raw_zip(members), tmp_path)
    assert set(contents(opened)) == {"đất.txt".encode(), b"caf\x82", "ô".encode()}


def test_times_are_told_only_with_a_zone(tmp_path: Path) -> None:
    utc = struct.pack("<2HBl", 0x5455, 5, 1, 1_700_000_000)
    ntfs = struct.pack("<2HL2H3Q", 0x000A, 32, 0, 1, 24, (1_700_000_000 + 11_644_473_600) * 10**7, 0, 0)
    opened = at(raw_zip([M(b"a", extra=utc), M(b"b"), M(b"c", extra=ntfs)]), tmp_path)
    assert opened.tree is not None
    assert [entry.mtime_ns for entry in opened.tree.entries()] == [1_700_000_000 * 10**9, None, 1_700_000_000 * 10**9]
    tar = at(pax(mtime=b"1700000000.5") + GOOD + END, tmp_path)
    assert tar.tree is not None
    assert [entry.mtime_ns for entry in tar.tree.entries()] == [1_700_000_000_500_000_000]


def test_data_descriptors_and_zip64_as_writers_of_streams_make_them(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, target: io.BytesIO) -> None:
            self.target = target

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            return self.target.write(data)  # type: ignore[arg-type]

    target = io.BytesIO()
    with zipfile.ZipFile(Pipe(target), "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("a", "b"):
            with packed.open(name, "w", force_zip64=True) as member:
                member.write(b"alpha" * 1000)
    opened = at(target.getvalue(), tmp_path)
    assert opened.findings == ()
    assert contents(opened) == {b"a": b"alpha" * 1000, b"b": b"alpha" * 1000}


def test_gzip_in_several_members_with_padding(tmp_path: Path) -> None:
    raw = tar_of({"a": os.urandom(3000)})
    archive = gzip.compress(raw[:1500]) + gzip.compress(raw[1500:]) + bytes(512)
    opened = at(archive, tmp_path)
    assert opened.findings == ()
    assert set(contents(opened)) == {b"a"}
    assert os.listdir(tmp_path) == ["x"]


def test_old_tars(tmp_path: Path) -> None:
    v7 = bytearray(header(b"d/"))
    v7[156:157] = b"\0"
    v7[257:265] = bytes(8)
    v7[148:156] = b" " * 8
    v7[148:156] = b"%06o\0 " % sum(v7)
    opened = at(bytes(v7) + GOOD + END, tmp_path)
    assert contents(opened) == {b"a": b"alpha", b"d": None}


def test_bzip2_and_small_reads(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    opened = at(raw_zip([M(b"a", data, method=12, packed=bz2.compress(data)), M(b"b", data)]), tmp_path)
    assert opened.tree is not None
    for name in (b"a", b"b"):
        source = opened.tree.open(PackagePath(name))
        assert b"".join(iter(lambda s=source: s.read(777), b"")) == data  # type: ignore[misc]


# --- the protocol ---


@pytest.mark.parametrize("make", ["folder", "zip", "tar"])
def test_open_and_local(make: str, tmp_path: Path) -> None:
    source = {
        "folder": lambda: write(tmp_path / "f", {"d/a.txt": b"alpha", "leer/": b""}),
        "zip": lambda: kept(tmp_path, "z", zip_of({"d/a.txt": b"alpha", "leer/": b"", "x": b""})),
        "tar": lambda: kept(tmp_path, "t", tar_of({"d/a.txt": b"alpha", "leer/": b"", "x": b""})),
    }[make]()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    tree = open_tree(source, Limits()).tree
    assert tree is not None
    path = PackagePath(b"d/a.txt")
    with tree.local(path, scratch) as file:
        assert file.read_bytes() == b"alpha"
        assert file.suffix == ".txt"
    assert os.listdir(scratch) == []
    with tree.open(path) as one, tree.open(path) as two:
        assert (one.read(2), two.read(), one.read()) == (b"al", b"alpha", b"pha")
    for wrong in (b"d", b"leer", b"d/b", b"", b"d/a.txt/x", b"d/../d/a.txt", b"/etc/passwd", b"d//a.txt", b"d/a.txt\0"):
        with pytest.raises(KeyError):
            tree.open(PackagePath(wrong))
    tree.close()


def test_folders_links_and_special_files(tmp_path: Path) -> None:
    root = write(tmp_path / "f", {"a": b"alpha", "d/": b""})
    (root / "link").symlink_to("a")
    (root / "d" / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    try:
        os.chdir(root)
        server.bind("sock")
    finally:
        os.chdir(here)
    opened = open_tree(root, Limits())
    server.close()
    assert opened.tree is None
    assert sorted((finding.code, finding.file, finding.found) for finding in opened.findings) == [
        ("PKG-LINK", b"d/up", ".."), ("PKG-LINK", b"link", "a"),
        ("PKG-SPECIAL", b"pipe", "FIFO"), ("PKG-SPECIAL", b"sock", "socket"),
    ]  # fmt: skip
    tree = FolderTree(root)
    assert [entry.path for entry in tree.entries()] == [b"a"]
    for name in (b"link", b"d/up/a", b"pipe", b"sock"):
        with pytest.raises(KeyError):
            tree.open(PackagePath(name))


def test_a_link_to_the_package_itself_is_followed(tmp_path: Path) -> None:
    root = write(tmp_path / "real", {"a": b"alpha"})
    (tmp_path / "way").symlink_to(root)
    opened = open_tree(tmp_path / "way", Limits())
    assert opened.tree is not None
    assert opened.tree.name == b"real"


def test_paths_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageProblem) as caught:
        open_tree(tmp_path / "none", Limits())
    assert caught.value.code == "USE-PATH"
    with pytest.raises(UsageProblem):
        open_tree(kept(tmp_path, "file", b"") / "below", Limits())
    assert found(open_tree(Path("/dev/null"), Limits())) == {"PKG-NOT-A-PACKAGE"}
    root = write(tmp_path / "f", {"d/a": b""})

    def refuse(path: bytes) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SystemProblem) as system:
        open_tree(root, Limits())
    assert system.value.code == "SYS-READ"
    assert "f" in system.value.values["file"]


def test_files_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = FolderTree(write(tmp_path, {"a": b"alpha"}))
    true = os.open

    def refuse(path: bytes, flags: int, **more: int) -> int:
        if path == b"a":
            raise PermissionError(13, "Permission denied", path)
        return true(path, flags, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SystemProblem) as caught:
        tree.open(PackagePath(b"a"))
    assert caught.value.values["file"].endswith("/a")
    assert not caught.value.transient


@pytest.mark.parametrize("size", [-1, 100])
def test_read_errors_name_the_file(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a": b"alpha"})
    source = FolderTree(tmp_path).open(PackagePath(b"a"))
    # A descriptor open for writing alone: reading it fails as a broken disk does.
    writer = os.open(tmp_path / "a", os.O_WRONLY)
    os.dup2(writer, source.fileno())
    os.close(writer)
    with pytest.raises(SystemProblem) as caught:
        source.read(size)
    assert caught.value.code == "SYS-READ"
    assert caught.value.values["file"].endswith("/a")


def test_read_errors_of_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = kept(tmp_path, "z", zip_of({"a": b"alpha"}))

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(SystemProblem) as caught:
        open_tree(archive, Limits())
    assert caught.value.values["file"].endswith("/z")


def test_full_scratch_is_a_system_problem(tmp_path: Path) -> None:
    archive = kept(tmp_path, "t", tar_of({"a": b"x"}, "w:gz"))
    with pytest.raises(SystemProblem) as caught:
        open_tree(archive, Limits(), tmp_path / "none")
    assert caught.value.code == "SYS-WRITE"
    tree = open_tree(kept(tmp_path, "z", zip_of({"a": b"x"})), Limits()).tree
    assert tree is not None
    with pytest.raises(SystemProblem), tree.local(PackagePath(b"a"), tmp_path / "none"):
        pass


def test_digest_is_optional(tmp_path: Path) -> None:
    archive = kept(tmp_path, "z", zip_of({"a": b"x"}))
    assert open_tree(archive, Limits(), digest=False).digest is None
    assert open_tree(write(tmp_path / "f", {"a": b""}), Limits()).digest is None


def test_a_folder_deeper_than_the_limit_is_not_entered(tmp_path: Path) -> None:
    write(tmp_path, {"/".join("d" * 6) + "/x": b""})
    opened = open_tree(tmp_path, Limits(depth=4))
    assert found(opened) == {"PKG-DEPTH"}


def test_memory_of_many_members(tmp_path: Path) -> None:
    """100,000 members stay well below 100 MB; a twentieth of them is measured."""
    names = [f"thu-muc-{n // 1000:03}/tai-lieu-so-{n:06}-ban-sao.txt".encode() for n in range(5_000)]
    for archive in (raw_zip([M(name) for name in names]), b"".join(header(name) for name in names) + END):
        file = kept(tmp_path, "x", archive)
        tracemalloc.start()
        try:
            tree = open_tree(file, Limits(), tmp_path, digest=False).tree
            assert tree is not None
            assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2
        finally:
            tracemalloc.stop()
        assert sum(1 for _ in tree.entries()) == 5_000
        tree.close()


def test_padding_helper_matches_tarfile() -> None:
    with tarfile.open(fileobj=io.BytesIO(GOOD + END)) as packed:
        (member,) = packed.getmembers()
    assert (member.name, member.size, len(padded(b"alpha"))) == ("a", 5, 512)
