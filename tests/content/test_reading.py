"""The one reading: digests and formats of real files, and of files that were made to do harm."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import random
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import BinaryIO, cast

import psutil
import pytest

from pipeline.content.reading import Damaged, Learnt, Unreadable, read_all
from pipeline.errors import SystemProblem
from pipeline.pool import Bounds, Pool
from pipeline.records import Finding, Format, PackagePath
from pipeline.settings import Limits
from pipeline.tree import ContentDamage, Entry, FolderTree, Tree, open_tree

DATA = Path(__file__).resolve().parent.parent / "data"
Read = Learnt | Unreadable | Damaged


def read(
    tree: Tree, scratch: Path, *algorithms: str, pool: Pool | None = None, identify: bool = True
) -> dict[str, Read]:
    entries = tree.entries()
    results = read_all(tree, entries, algorithms, identify=identify, workers=2, scratch=scratch, pool=pool)
    found: dict[str, Read] = {}
    for result in results:
        name = os.fsdecode(result.path)
        assert name not in found
        found[name] = result
    assert not list(scratch.iterdir()), "scratch is left as it was"
    return found


def learnt(result: Read) -> Learnt:
    assert isinstance(result, Learnt), result
    return result


def format_of(result: Read) -> Format:
    found = learnt(result).format
    assert found is not None
    return found


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture
def impatient() -> Iterator[Pool]:
    """A pool of real workers with tight limits."""
    pool = Pool(("pipeline.content.learning",), 2, Bounds(seconds=3))
    yield pool
    pool.close()


def expected(folder: str, table: str) -> dict[str, str]:
    with (DATA / folder / table).open(encoding="utf-8", newline="") as lines:
        return {row["path"]: row["puid"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}


@pytest.mark.parametrize(("folder", "table"), [("formats", "formats.tsv"), ("vietnamese", "puids.tsv")])
def test_formats_and_digests_of_real_files(folder: str, table: str, scratch: Path) -> None:
    found = read(FolderTree(DATA / folder), scratch, "md5", "sha512")
    for path, puid in expected(folder, table).items():
        content = (DATA / folder / path).read_bytes()
        one = learnt(found[path])
        assert one.size == len(content)
        assert not one.changed
        assert one.digests == {name: hashlib.new(name, content).hexdigest() for name in ("sha256", "md5", "sha512")}
        got = format_of(one)
        if got.match == "extension":
            assert got.puid is None, "an extension alone is no identification"
            assert puid in got.warning
        else:
            assert (got.puid or "UNKNOWN") == puid, path
        assert got.engine == "siegfried"
        assert got.signature_version == "V125, container 20260119"


def test_the_result_says_what_matched(scratch: Path) -> None:
    found = read(FolderTree(DATA / "vietnamese"), scratch)
    word = format_of(found["office/unicode.docx"])
    assert (word.puid, word.match, word.version) == ("fmt/412", "container", "2007 onwards")
    assert word.mime == "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert "container name [Content_Types].xml" in word.basis
    assert format_of(found["image/page.bmp"]).match == "signature"
    assert format_of(found["text/utf8.txt"]).match == "text"
    assert format_of(found["text/utf8.txt"]).mime == "text/plain"
    assert "extension mismatch" in format_of(found["corrupt/docx_named.xls"]).warning
    unknown = format_of(found["text/viscii.txt"])
    assert (unknown.puid, unknown.name, unknown.match) == (None, "", "none")
    empty = format_of(found["corrupt/empty.docx"])
    assert (empty.puid, empty.mime, empty.warning) == (None, "application/octet-stream", "empty file")
    # PRONOM has no MIME type for what it does not know: libmagic's
    assert format_of(found["corrupt/truncated.pdf"]).mime == "application/pdf"


def test_an_archive_gives_the_same_as_a_folder(scratch: Path, tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted((DATA / "vietnamese").rglob("*")):
            if path.is_file():
                out.write(path, path.relative_to(DATA / "vietnamese"))
    tree = open_tree(archive, Limits()).tree
    assert tree is not None
    assert read(tree, scratch, "sha1") == read(FolderTree(DATA / "vietnamese"), scratch, "sha1")
    tree.close()


def test_without_identification_digests_alone(scratch: Path) -> None:
    found = read(FolderTree(DATA / "vietnamese"), scratch, identify=False)
    assert all(learnt(one).format is None for one in found.values())


def test_odd_names_do_not_reach_the_engine(scratch: Path, tmp_path: Path) -> None:
    word = (DATA / "vietnamese/office/unicode.docx").read_bytes()
    names = [
        b"v\xa8n b\xb6n.docx",
        b"-rf.docx",
        b'a"b\n\x1b[31m.docx',
        "quyết định.docx".encode(),
        b"x" * 250 + b".docx",
    ]
    names += [b"no extension", b"trailing.", b".docx", b"a.\xff\xfe", b"%s{0}.docx", b"two words.tar gz"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(word)
    found = read(FolderTree(tmp_path), scratch)
    assert {os.fsencode(name) for name in found} == set(names)
    assert {format_of(one).puid for one in found.values()} == {"fmt/412"}


def test_a_private_file_is_identified_too(scratch: Path, tmp_path: Path) -> None:
    """As root the worker is nobody and may not open it anew: it works on the descriptor and a copy."""
    shutil.copyfile(DATA / "vietnamese/office/unicode.docx", tmp_path / "private.docx")
    (tmp_path / "private.docx").chmod(0o600)
    tmp_path.chmod(0o700)
    assert format_of(read(FolderTree(tmp_path), scratch)["private.docx"]).puid == "fmt/412"


def bomb(out: Path) -> None:
    """A docx whose content types are 3 GB of spaces: the same compressed block again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b" " * (1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = block * 180 + packer.flush()
    name, size = b"[Content_Types].xml", 180 << 24
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, 0, len(data), size, len(name), 0)
    central = b"PK\x01\x02" + struct.pack("<H", 20) + fields + bytes(14) + name
    local = b"PK\x03\x04" + fields + name + data
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    out.write_bytes(local + central + end)


def corrupt_docx(out: Path) -> None:
    with zipfile.ZipFile(DATA / "vietnamese/office/unicode.docx") as whole:
        info = whole.getinfo("[Content_Types].xml")
    content = bytearray((DATA / "vietnamese/office/unicode.docx").read_bytes())
    start = info.header_offset + 30 + len(info.filename) + 4
    content[start : start + 40] = b"\xff" * 40
    out.write_bytes(content)


def hostile(folder: Path) -> None:
    corrupt_docx(folder / "corrupt_stream.docx")
    chance = random.Random(1)
    (folder / "mp3_like.bin").write_bytes(bytes(chance.choice(b"\xff\xfb\x90\x64\x00") for _ in range(131_072)))
    (folder / "bright.dpx").write_bytes(struct.pack(">4sI8s", b"SDPX", 8192, b"V2.0") + b"\xff\xfb" * 300_000)
    whole = (DATA / "vietnamese/office/unicode.docx").read_bytes()
    (folder / "truncated.docx").write_bytes(whole[:9000])
    ole = (DATA / "vietnamese/corrupt/truncated.doc").read_bytes()
    (folder / "truncated.doc").write_bytes(ole[:3000])
    (folder / "sector_loop.doc").write_bytes(ole[:512] + b"\x01\x00\x00\x00" * 4000)
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for number in range(50_000):
            archive.writestr(f"{number}", b"")
    nested = b"PK\x05\x06" + bytes(18)
    for _ in range(60):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("in.zip", nested)
        nested = held.getvalue()
    (folder / "nested.zip").write_bytes(nested)
    lying = bytearray(whole)
    at = lying.rfind(b"PK\x01\x02")
    lying[at + 20 : at + 28] = b"\xfe\xff\xff\xff\xfe\xff\xff\xff"
    (folder / "lying.docx").write_bytes(lying)
    with (folder / "sparse.mov").open("wb") as out:
        out.write(b"\0\0\0\x14ftypqt  ")
        out.truncate(1 << 30)


def test_hostile_files_cost_no_verdict(scratch: Path, tmp_path: Path, impatient: Pool) -> None:
    """Nothing hangs, nothing ends the run, and every digest is right."""
    bomb(tmp_path / "bomb.docx")
    hostile(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "good.txt").write_text("Xin chào")
    names = sorted(p.name for p in tmp_path.iterdir() if p.is_file())
    found = read(FolderTree(tmp_path), scratch, pool=impatient)
    assert sorted(found) == names, "the FIFO is no entry"
    for name in names:
        with (tmp_path / name).open("rb") as source:
            assert learnt(found[name]).digests["sha256"] == hashlib.file_digest(source, "sha256").hexdigest(), name
    stopped = {name for name, one in found.items() if learnt(one).findings}
    assert stopped <= {"bomb.docx"}
    if stopped:
        one = learnt(found["bomb.docx"])
        assert [finding.code for finding in one.findings] == ["FMT-STOPPED"]
        assert format_of(one).puid is None
    assert format_of(found["sparse.mov"]).clipped == 8 << 20
    assert format_of(found["truncated.docx"]).puid is None
    assert format_of(found["truncated.doc"]).puid in (None, "fmt/111")
    assert format_of(found["corrupt_stream.docx"]).puid == "x-fmt/263"
    assert format_of(found["good.txt"]).puid == "x-fmt/111"


class Moving:
    """A tree whose files are not what their entries say."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._inner = FolderTree(root)

    carrier = "folder"
    name = b"moving"

    def entries(self) -> Iterator[Entry]:
        yield from self._inner.entries()
        yield Entry(PackagePath(b"vanished"), 3)

    def open(self, path: PackagePath) -> BinaryIO:
        if path == b"damaged":
            return Broken(ContentDamage(Finding("PKG-ZIP-CRC", path)))
        if path == b"sick":
            raise SystemProblem("SYS-READ", file="sick", cause="Input/output error")
        if path == b"sick later":
            return Broken(SystemProblem("SYS-READ", file="sick later", cause="Input/output error"))
        if path == b"not for reading":
            return cast(BinaryIO, io.FileIO(self._root / "not for reading", "w"))
        return self._inner.open(path)

    def local(self, path: PackagePath, scratch: Path) -> AbstractContextManager[Path]:
        return self._inner.local(path, scratch)

    def close(self) -> None:
        self._inner.close()


class Broken(io.BytesIO):
    def __init__(self, problem: Exception) -> None:
        super().__init__(b"some bytes")
        self._problem = problem

    def read(self, size: int | None = -1, /) -> bytes:
        raise self._problem


def test_faults_are_told_file_by_file(scratch: Path, tmp_path: Path) -> None:
    for name in ("damaged", "good", "not for reading", "sick", "sick later"):
        (tmp_path / name).write_text(name)
    found = read(Moving(tmp_path), scratch)
    assert learnt(found["good"]).size == 4
    assert found["damaged"] == Damaged(PackagePath(b"damaged"), Finding("PKG-ZIP-CRC", PackagePath(b"damaged")))
    for name in ("not for reading", "sick", "sick later", "vanished"):
        one = found[name]
        assert isinstance(one, Unreadable)
        assert one.problem.code == "SYS-READ"
        assert one.problem.values["file"] == name


def test_a_file_that_changed_is_told(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "grown").write_text("more than was announced")
    tree = FolderTree(tmp_path)
    entries = [Entry(PackagePath(b"grown"), 4)]
    (one,) = read_all(tree, entries, (), identify=True, workers=1, scratch=scratch)
    assert learnt(one).changed
    assert learnt(one).size == 23


@pytest.mark.parametrize("size", [(16 << 20) - 1, 16 << 20, (16 << 20) + 1, (21 << 20) + 17])
def test_a_big_file_is_read_ahead_of_its_digests(scratch: Path, tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(1 << 20) * 22
    data = b"".join(number.to_bytes(4, "big") + data[number << 20 : number + 1 << 20] for number in range(22))[:size]
    (tmp_path / "big.bin").write_bytes(data)
    one = learnt(read(FolderTree(tmp_path), scratch, "md5", "sha512", "crc32")["big.bin"])
    assert (one.size, one.changed) == (size, False)
    assert one.digests == {
        "sha256": hashlib.sha256(data).hexdigest(), "md5": hashlib.md5(data).hexdigest(),
        "sha512": hashlib.sha512(data).hexdigest(), "crc32": f"{zlib.crc32(data):08x}",
    }  # fmt: skip


def test_a_big_text_is_text_to_its_end(scratch: Path, tmp_path: Path) -> None:
    line = "Quyết định của Ủy ban nhân dân\n".encode()
    text = b"\n" + line * ((17 << 20) // len(line))
    assert text[(1 << 20) - 1 : (1 << 20) + 1].decode(errors="replace") != text[(1 << 20) - 1 : (1 << 20) + 1].decode(
        errors="ignore"
    ), "a letter lies across two chunks"
    (tmp_path / "whole.txt").write_bytes(text)
    (tmp_path / "broken.txt").write_bytes(text + b"\xe1")
    found = read(FolderTree(tmp_path), scratch)
    assert [one.code for one in learnt(found["whole.txt"]).findings] == []
    assert [one.code for one in learnt(found["broken.txt"]).findings] == ["FMT-TEXT-8BIT"]


@pytest.mark.parametrize("announced", [(17 << 20) - 1, (17 << 20) + 1])
def test_a_big_file_that_changed_is_told(scratch: Path, tmp_path: Path, announced: int) -> None:
    (tmp_path / "big.bin").write_bytes(bytes(17 << 20))
    entries = [Entry(PackagePath(b"big.bin"), announced)]
    (one,) = read_all(FolderTree(tmp_path), entries, (), identify=True, workers=1, scratch=scratch)
    assert (learnt(one).changed, learnt(one).size) == (True, 17 << 20)


class Unreliable(FolderTree):
    """Its file opens, and cannot be read: the memory at address 0 of a process."""

    def open(self, path: PackagePath) -> BinaryIO:
        return cast(BinaryIO, open("/proc/self/mem", "rb", buffering=0))


def test_a_big_file_that_cannot_be_read_is_told(scratch: Path, tmp_path: Path) -> None:
    entries = [Entry(PackagePath(b"big.bin"), 17 << 20)]
    (one,) = read_all(Unreliable(tmp_path), entries, ("md5",), identify=True, workers=1, scratch=scratch)
    assert isinstance(one, Unreadable)
    assert (one.problem.code, one.problem.values["cause"]) == ("SYS-READ", os.strerror(errno.EIO))


def test_without_the_engine_no_format_is_claimed(scratch: Path) -> None:
    here = Path(__file__).resolve().parent
    pool = Pool(("no_engine", "pipeline.content.learning"), 1, folders=(here,))
    found = read(FolderTree(DATA / "vietnamese"), scratch, pool=pool)
    pool.close()
    for one in found.values():
        got = format_of(one)
        assert (got.puid, got.match, got.engine) == (None, "none", "libmagic")
        assert got.warning
    assert format_of(found["pdf/text_pdfa2b.pdf"]).mime == "application/pdf"
    assert format_of(found["pdf/text_pdfa2b.pdf"]).name.startswith("PDF document")


def test_many_small_files_are_cheap_and_memory_stays_flat(scratch: Path, tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"{number}.txt").write_text(f"Văn bản số {number}\n" * 20)
    process = psutil.Process()
    before = process.memory_info().rss
    count = 0
    held: list[tuple[int, int]] = []  # bytes that are one worker's alone, every 300 files
    tree = FolderTree(tmp_path)
    for _ in read_all(tree, tree.entries(), (), identify=True, workers=2, scratch=scratch):
        count += 1
        if count % 300 == 0:
            for worker in process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # one that is being replaced
                    held.append((count, worker.memory_full_info().uss))
    assert count == 3000
    assert process.memory_info().rss - before < 30 << 20
    first, later = ([kept for at, kept in held if (at <= 1500) is half] for half in (True, False))
    assert max(later) < 400 << 20
    assert max(later) - max(first) < 20 << 20
