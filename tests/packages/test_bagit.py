"""Bags: a case for each code, the traps that the conformance suite lacks, and what is read out of a bag."""

from __future__ import annotations

import os
import re
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.findings import codes
from pipeline.packages.bagit import Bagit
from pipeline.packages.bagit.manifests import decoded, manifest
from pipeline.packages.registry import recognise
from pipeline.records import Finding, PackagePath, Use
from pipeline.settings import Profile
from pipeline.tree import FolderTree, Tree
from tests.packages.bags import bag, lines
from tests.packages.received import digest_tree, judged, opened, valid, write
from tests.packages.test_registry import mets

KIND = Bagit()
A = "alpha\n"
SUM = lines("sha256", {"data/a.txt": A})
ZERO = "0" * 64
Make = Callable[[Path], object]


def instead(files: dict[str, bytes | str | None], payload: str = "a.txt", version: str = "1.0") -> Make:
    """A bag of one payload file without tag manifest, with these files in place of its own."""
    return lambda root: bag(root, {payload: A}, tagged=False, version=version, replace=files)


def with_manifest(text: str) -> Make:
    return instead({"manifest-sha256.txt": text})


def with_info(text: str | bytes) -> Make:
    return instead({"bag-info.txt": text})


def with_fetch(text: str, listed: str = "") -> Make:
    return instead({"fetch.txt": text, "manifest-sha256.txt": SUM + listed})


def with_declaration(text: str | bytes) -> Make:
    return instead({"bagit.txt": text})


def with_tags(text: str) -> Make:
    """`text` is added to a good tag manifest."""

    def make(root: Path) -> None:
        bag(root)
        with (root / "tagmanifest-sha256.txt").open("a") as file:
            file.write(text)

    return make


def tag_manifest_without(name: str, version: str) -> Make:
    def make(root: Path) -> None:
        bag(root, version=version)
        file = root / "tagmanifest-sha256.txt"
        file.write_text("".join(line for line in file.read_text().splitlines(True) if name not in line))

    return make


NFC = "Núñez"
NFD = unicodedata.normalize("NFD", NFC)

CASES: list[tuple[str, Make]] = [
    ("BAG-DECL-01", instead({"bagit.txt": None})),
    ("BAG-DECL-02", with_declaration("\ufeffBagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")),
    ("BAG-DECL-03", with_declaration(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n\xff")),
    ("BAG-DECL-04", with_declaration("BagIt-Version: .97\nTag-File-Character-Encoding: UTF-8\n")),
    ("BAG-DECL-05", with_declaration("BagIt-Version: 1.0\n")),
    ("BAG-DECL-06", with_declaration("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\nMore: 1\n")),
    ("BAG-DECL-07", with_declaration("BagIt-Version : 1.0\nTag-File-Character-Encoding: UTF-8\n")),
    ("BAG-DECL-08", lambda root: bag(root, version="1.1")),
    ("BAG-DECL-09", lambda root: bag(root, charset="rot13")),
    ("BAG-DECL-10", lambda root: bag(root, charset="UTF-16", codec="utf-16")),
    ("BAG-DATA-01", instead({"data/a.txt": None})),
    ("BAG-DATA-02", lambda root: (bag(root), write(root, {"data/trống/": ""}))),
    ("BAG-INNER", lambda root: bag(root, {"METS.xml": mets("SIP"), "a.txt": A})),
    ("BAG-MAN-01", instead({"manifest-sha256.txt": None})),
    ("BAG-MAN-02", lambda root: bag(root, replace={"data/extra": "x"})),
    ("BAG-MAN-03", with_manifest(SUM + ZERO + "  data/none\n")),
    ("BAG-MAN-04", lambda root: bag(root, replace={"data/a.txt": "ALPHA\n"})),
    ("BAG-MAN-05", with_manifest(SUM + "data/a.txt\n")),
    ("BAG-MAN-06", with_manifest(SUM * 2)),
    ("BAG-MAN-07", instead({"manifest-sha256.txt": SUM * 2}, version="0.97")),
    ("BAG-MAN-08", with_manifest(SUM + ZERO + "  data/a.txt\n")),
    ("BAG-MAN-09", with_manifest(SUM + lines("sha256", {"bag-info.txt": "x"}))),
    ("BAG-MAN-10", instead({"manifest-sha256.txt": lines("sha256", {"data/d/a": A, "data/d": A})}, "d/a")),
    ("BAG-MAN-11", with_manifest(SUM.replace("a.txt", "100%.txt"))),
    ("BAG-MAN-12", lambda root: bag(root, {"a\nb": A}, version="0.97")),
    ("BAG-MAN-13", with_manifest(SUM.replace("  ", " *"))),
    ("BAG-MAN-14", with_manifest(SUM.replace("data/", "./data/"))),
    ("BAG-MAN-15", instead({"manifest-sha256.txt": "\\" + lines("sha256", {"data/a\\\\b": A})}, "a\\b")),
    ("BAG-MAN-16", with_manifest(SUM + "\n")),
    ("BAG-MAN-17", instead({"manifest-whirlpool.txt": "ab  data/a.txt\n"})),
    ("BAG-MAN-18", instead({"manifest-sha256.txt": None, "manifest-crc32.txt": "ab  data/a.txt\n"})),
    ("BAG-MAN-19", instead({"manifest-sha256.txt": None, "manifest-SHA-256.txt": SUM})),
    ("BAG-TAG-01", with_manifest("\ufeff" + SUM)),
    ("BAG-TAG-02", with_info(b"Source-Organization: \xff\n")),
    ("BAG-TAG-03", with_info("A: " + "x" * 200_000)),
    ("BAG-TAG-04", lambda root: bag(root, replace={"bag-info.txt": None})),
    ("BAG-TAG-05", lambda root: bag(root, replace={"bag-info.txt": "Contact-Name: A\n"})),
    ("BAG-TAG-06", with_tags(SUM)),
    ("BAG-TAG-07", with_tags(ZERO + "  tagmanifest-sha256.txt\n")),
    ("BAG-TAG-08", tag_manifest_without(" manifest-sha256", "1.0")),
    ("BAG-TAG-09", tag_manifest_without(" manifest-sha256", "0.97")),
    ("BAG-TAG-10", tag_manifest_without("bag-info", "1.0")),
    ("BAG-INFO-01", with_info("no colon\n")),
    ("BAG-INFO-02", with_info("Contact-Name : A\n")),
    ("BAG-INFO-03", with_info("Contact-Name:A\n")),
    ("BAG-INFO-04", with_info("Payload-Oxum: many\n")),
    ("BAG-INFO-05", with_info("Payload-Oxum: 6.1\npayload-oxum: 6.1\n")),
    ("BAG-INFO-06", with_info("Payload-Oxum: 7.1\n")),
    ("BAG-INFO-07", with_info("Bagging-Date: 31/01/2026\n")),
    ("BAG-INFO-08", with_info("Contact-Name: A\n\n")),
    ("BAG-FETCH-01", with_fetch("https://example.org/a\n")),
    ("BAG-FETCH-02", with_fetch("a.txt - data/a.txt\n")),
    ("BAG-FETCH-03", with_fetch("https://example.org/a x data/a.txt\n")),
    ("BAG-FETCH-04", with_fetch("https://example.org/a - data/b.txt\n")),
    ("BAG-FETCH-05", with_fetch("https://example.org/a - bag-info.txt\n")),
    ("BAG-FETCH-06", with_fetch("https://example.org/a - data/b.txt\n", ZERO + "  data/b.txt\n")),
    ("BAG-FETCH-07", with_fetch("https://example.org/a 7 data/a.txt\n")),
    ("BAG-FETCH-08", with_fetch("https://example.org/a 6 data/a.txt\n" * 2)),
    ("BAG-NAME-01", with_manifest(SUM + ZERO + "  /etc/passwd\n")),
    ("BAG-NAME-02", with_manifest(SUM + ZERO + "  data/../../x\n")),
    ("BAG-NAME-03", with_manifest(SUM + ZERO + "  ~root/x\n")),
    ("BAG-NAME-04", with_manifest(SUM + ZERO + "  C:\\x\n")),
    ("BAG-NAME-05", instead({"manifest-sha256.txt": lines("sha256", {f"data/{NFD}": A})}, NFC)),
    ("BAG-NAME-06", instead({"manifest-sha256.txt": lines("sha256", {f"data/{NFD}": A, f"data/{NFC}": A})}, NFC)),
    ("BAG-NAME-07", with_manifest(SUM + ZERO + "  data/A.TXT\n")),
    ("BAG-NAME-08", lambda root: bag(root, {"Thumbs.db": "", "a.txt": A})),
]  # fmt: skip


def tree_of(root: Path) -> Tree:
    result = opened(root)
    assert result.tree is not None, result.findings
    return result.tree


@pytest.mark.parametrize(("code", "make"), CASES, ids=[code for code, _ in CASES])
def test_each_code(code: str, make: Make, tmp_path: Path) -> None:
    make(tmp_path)
    found = judged(KIND, tree_of(tmp_path))
    mine = [finding for finding in found if finding.code == code]
    assert mine, found
    assert valid(mine) == (codes()[code].level != "error")
    for finding in mine:
        complete(finding)


def complete(finding: Finding) -> None:
    """A finding gives every value that its texts ask for, in both languages alike."""
    text = codes()[finding.code]
    asked = set(re.findall(r"{(\w+)}", text.en))
    assert asked == set(re.findall(r"{(\w+)}", text.vi))
    assert asked <= {"file", "line", "expected", "found"}
    for name in asked:
        assert getattr(finding, name) is not None, (finding, name)


def test_every_row_has_a_case() -> None:
    rows = {code for code in codes() if code.startswith("BAG-") and not code.startswith("BAG-PRO-")}
    assert rows == {code for code, _ in CASES} | {"BAG-FETCH-REFUSED"}
    assert all(row.vi and row.en and row.advice_vi and row.advice_en for row in codes().values() if row.code in rows)


@pytest.mark.parametrize("version", ["0.97", "1.0"])
@pytest.mark.parametrize("algorithms", [("md5",), ("sha1", "sha512"), ("sha3_256", "sha256")])
def test_good_bags_have_no_findings(version: str, algorithms: tuple[str, ...], tmp_path: Path) -> None:
    bag(tmp_path, {"a.txt": A, "thư mục/Quyết định.pdf": b"%PDF", "không": ""}, version=version, algorithms=algorithms)
    if "sha3_256" in algorithms:
        for name in ("manifest", "tagmanifest"):
            os.rename(tmp_path / f"{name}-sha3_256.txt", tmp_path / f"{name}-sha3256.txt")
        for file in tmp_path.glob("tagmanifest-*"):
            file.write_text(file.read_text().replace("manifest-sha3_256", "manifest-sha3256"))
    assert judged(KIND, tree_of(tmp_path)) == []
    assert KIND.algorithms(FolderTree(tmp_path)) == frozenset(algorithms)


def test_percent_and_line_ends_in_names(tmp_path: Path) -> None:
    bag(tmp_path, {"100%.txt": A, "a\nb\rc": A, "a%0Ab": "literal", "a%250Ab": "more"})
    assert judged(KIND, tree_of(tmp_path)) == []
    assert decoded("a%250Ab") == "a%0Ab"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(end: str, last: bool, tmp_path: Path) -> None:
    bag(tmp_path, {"a.txt": A, "b": "b"}, tagged=False)
    for file in tmp_path.glob("*.txt"):
        text = file.read_text().replace("\n", end)
        file.write_bytes((text if last else text.removesuffix(end)).encode())
    assert judged(KIND, tree_of(tmp_path)) == []


def test_names_with_spaces_at_their_edges(tmp_path: Path) -> None:
    bag(tmp_path, {"a ": A, " b": A, "x y": A})
    assert judged(KIND, tree_of(tmp_path)) == []


@pytest.mark.parametrize("separator", [" ", "\t", " \t ", "   "])
def test_separators_and_upper_case(separator: str, tmp_path: Path) -> None:
    text = SUM.upper().replace("  DATA/A.TXT", separator + "data/a.txt")
    with_manifest(text)(tmp_path)
    assert judged(KIND, tree_of(tmp_path)) == []


def test_second_manifest_must_list_all_files_from_1_0(tmp_path: Path) -> None:
    for version, good in (("1.0", False), ("0.97", True)):
        root = tmp_path / version
        bag(root, {"a": A, "b": "b"}, version=version, algorithms=("md5", "sha256"), tagged=False,
            replace={"manifest-md5.txt": lines("md5", {"data/a": A})})  # fmt: skip
        assert valid(judged(KIND, tree_of(root))) is good


def test_more_than_two_manifests(tmp_path: Path) -> None:
    bag(tmp_path, {"a": A, "b": "b"}, algorithms=("md5", "sha1", "sha256", "sha512"))
    assert judged(KIND, tree_of(tmp_path)) == []


def test_bytes_are_not_read_again_by_check(tmp_path: Path) -> None:
    bag(tmp_path, {"a": A})
    received = digest_tree(tree_of(tmp_path), {"sha256"})
    (tmp_path / "data" / "a").unlink()
    assert list(KIND.check(FolderTree(tmp_path), received)) == []


@pytest.mark.parametrize("name", ["manifest-sha256.txt", "bag-info.txt", "tagmanifest-sha256.txt"])
def test_bom_outside_bagit_txt(name: str, tmp_path: Path) -> None:
    bag(tmp_path)
    file = tmp_path / name
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert "BAG-TAG-01" in {finding.code for finding in judged(KIND, tree_of(tmp_path))}


def test_link_in_the_payload_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    bag(tmp_path)
    (tmp_path / "data" / "link").symlink_to("a.txt")
    (tmp_path / "data" / "folder").symlink_to(tmp_path)
    result = opened(tmp_path)
    assert result.tree is None
    assert [finding.code for finding in result.findings] == ["PKG-LINK", "PKG-LINK"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_bag_is_judged_the_same_inside_an_archive(kind: str, tmp_path: Path) -> None:
    root = bag(tmp_path / "túi", {"a.txt": A, "ă/â": "â"}, replace={"data/a.txt": "changed", "data/extra": ""})
    archive = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in root.rglob("*"):
                packed.write(file, file.relative_to(tmp_path))
    else:
        with tarfile.open(archive, "w:gz" if kind == "tar.gz" else "w") as packed_tar:
            packed_tar.add(root, "túi")
    assert set(judged(KIND, tree_of(archive))) == set(judged(KIND, tree_of(root))) != set()


def test_damaged_member_is_a_finding_not_a_crash(tmp_path: Path) -> None:
    bag(tmp_path / "b", {"a.txt": A * 100})
    archive = tmp_path / "b.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in (tmp_path / "b").rglob("*"):
            packed.write(file, file.relative_to(tmp_path))
    for victim in (b"alpha\nalpha", b"BagIt-Version", b"External-Identifier", b"data/a.txt\n"):
        raw = archive.read_bytes()
        changed = tmp_path / "changed.zip"
        changed.write_bytes(raw.replace(victim, victim.swapcase(), 1))
        found = judged(KIND, tree_of(changed))
        assert "PKG-MEMBER-CRC" in {finding.code for finding in found}, victim


def test_fetch_is_refused_by_a_profile_only(tmp_path: Path) -> None:
    with_fetch("https://example.org/a - data/a.txt\n")(tmp_path)
    tree = tree_of(tmp_path)
    assert valid(judged(KIND, tree))
    (finding,) = KIND.profile_findings(tree, Profile("p", ("bagit",)))
    assert finding.code == "BAG-FETCH-REFUSED"
    complete(finding)
    assert KIND.profile_findings(tree, Profile("p", ("bagit",), allow_fetch=True)) == []


@pytest.mark.parametrize(
    ("name", "tag", "algorithm"),
    [
        (b"manifest-sha256.txt", False, "sha256"),
        (b"tagmanifest-SHA-512.txt", True, "sha512"),
        (b"manifest-x.txt", False, None),
    ],
)
def test_manifest_names(name: bytes, tag: bool, algorithm: str | None) -> None:
    found = manifest(name)
    assert found is not None
    assert (found.tag, found.algorithm) == (tag, algorithm)


@pytest.mark.parametrize("name", [b"manifest.txt", b"a/manifest-md5.txt", b"xmanifest-md5.txt", b"manifest-md5.csv"])
def test_other_names_are_no_manifests(name: bytes) -> None:
    assert manifest(name) is None


def test_read(tmp_path: Path) -> None:
    info = (
        "Title: Hồ sơ đất đai\nSource-Organization: UBND xã A\nExternal-Description: Bản đồ,\n  sổ mục kê\n"
        "External-Identifier: HS-01\nBagging-Date: 2026-01-31\nContact-Email: a@example.org\nCreator: Phòng \x01 B\n"
    )
    bag(tmp_path, {"a.txt": A, "x/": "", "b\n": A}, tags={"bag-info.txt": info, "metadata/dc.xml": "<dc/>"})
    tree = tree_of(tmp_path)
    reading = KIND.read(tree, digest_tree(tree, ()))
    assert reading.title == "Hồ sơ đất đai"
    (package,) = reading.description_rows
    assert package.target is None
    assert package.terms == (
        ("title", "Hồ sơ đất đai"), ("publisher", "UBND xã A"), ("description", "Bản đồ, sổ mục kê"),
        ("identifier", "HS-01"), ("date", "2026-01-31"), ("creator", "Phòng \ufffd B"),
    )  # fmt: skip
    assert [agent.name for agent in reading.agents] == ["UBND xã A"]
    assert [(row.name, row.empty_folders) for row in reading.representations] == [("rep1", (b"x",))]


def test_a_bag_without_title_is_named_after_its_folder(tmp_path: Path) -> None:
    root = bag(tmp_path / "Túi 01")
    tree = tree_of(root)
    reading = KIND.read(tree, digest_tree(tree, ()))
    assert reading.title == "Túi 01"
    assert next(iter(reading.description_rows)).terms[0] == ("title", "Túi 01")


def test_place() -> None:
    data = KIND.place(PackagePath(b"data/x/y"))
    assert (data.target, data.use, data.representation) == (b"representations/rep1/data/x/y", Use.DATA, "rep1")
    tag = KIND.place(PackagePath(b"bag-info.txt"))
    assert (tag.target, tag.use, tag.representation) == (
        b"documentation/submission/bag-info.txt", Use.DOCUMENTATION, None,
    )  # fmt: skip


def test_recognised_by_bagit_txt(tmp_path: Path) -> None:
    kind, told = recognise(FolderTree(bag(tmp_path)))
    assert (kind.name, told.shown) == ("bagit", "bagit/1.0")


@pytest.mark.slow
def test_twenty_thousand_lines(tmp_path: Path) -> None:
    """Linear, and no memory of all lines: the peak stays below 16 MB for names of 40 bytes in two manifests."""
    import tracemalloc

    from pipeline.tree import Entry
    from tests.packages.received import MemoryReceived

    paths = [f"data/{n // 1000:03}/tai-lieu-so-{n:06}-ban-sao.txt".encode() for n in range(20_000)]
    text = "".join(f"{'0' * 64}  {path.decode()}\n" for path in paths)
    bag(tmp_path, tagged=False, replace={"data/a.txt": None, "bag-info.txt": None, "manifest-sha256.txt": text,
                                         "manifest-sha512.txt": text.replace("0" * 64, "0" * 128)})  # fmt: skip

    class Streamed(MemoryReceived):
        def __init__(self) -> None:
            super().__init__([], {}, [])

        def entries(self):  # type: ignore[no-untyped-def]
            yield Entry(PackagePath(b"bagit.txt"), 1)
            yield from (Entry(PackagePath(bytes(path)), 0) for path in paths)
            yield from (Entry(PackagePath(name), 1) for name in (b"manifest-sha256.txt", b"manifest-sha512.txt"))

        def digest(self, path: PackagePath, algorithm: str) -> str:
            return "0" * (64 if algorithm == "sha256" else 128)

    tracemalloc.start()
    try:
        assert list(KIND.check(FolderTree(tmp_path), Streamed())) == []
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()
