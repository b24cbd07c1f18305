"""Plain folders: a case for each code, tables and checksums in their dialects, and where everything goes."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
import unicodedata
from pathlib import Path

import pytest

from pipeline.findings import codes
from pipeline.packages.folder import Folder
from pipeline.packages.terms import element
from pipeline.records import Description, PackagePath, Use
from pipeline.text import encode
from pipeline.tree import FolderTree, Tree
from tests.packages.received import digest_tree, judged, opened, valid, write
from tests.packages.test_bagit import complete

KIND = Folder()
A = "alpha\n"
SUM = hashlib.sha256(A.encode()).hexdigest()
ZERO = "0" * 64
NFC = "Núñez.txt"
NFD = unicodedata.normalize("NFD", NFC)
TITLE = "Quyết định về việc thành lập Ban quản lý dự án"
Files = dict[str, bytes | str]

CASES: list[tuple[str, Files]] = [
    ("FLD-NO-DATA", {"metadata/metadata.csv": "filename\n"}),
    ("FLD-NAME-FORM", {NFC: A, "metadata/checksum.sha256": f"{SUM}  {NFD}\n"}),
    ("FLD-SUM-LINE", {"a": A, "metadata/checksum.sha256": f"{SUM[:40]}  a\n"}),
    ("FLD-SUM-OUTSIDE", {"a": A, "metadata/checksum.sha256": f"{SUM}  ../../a\n"}),
    ("FLD-SUM-MISSING", {"a": A, "metadata/checksum.sha256": f"{SUM}  b\n"}),
    ("FLD-SUM-DIGEST", {"a": A, "metadata/checksum.sha256": f"{ZERO}  a\n"}),
    ("FLD-SUM-UNLISTED", {"a": A, "b": A, "metadata/checksum.sha256": f"{SUM}  a\n"}),
    ("FLD-SUM-TWICE", {"a": A, "metadata/checksum.sha256": f"{SUM}  a\n" * 2}),
    ("FLD-SUM-CONTRADICTS", {"a": A, "metadata/checksum.sha256": f"{SUM}  a\n{ZERO}  a\n"}),
    ("FLD-META-BOTH", {"a": A, "metadata/metadata.csv": "filename\n", "metadata/metadata.json": "[]"}),
    ("FLD-META-ENCODING", {"a": A, "metadata/metadata.csv": b"filename,dc.title\na,\xff\n"}),
    ("FLD-META-LEGACY", {"a": A, "metadata/metadata.csv": encode(f"filename,dc.title\na,{TITLE}\n", "tcvn3")}),
    ("FLD-META-ASK", {"a": A, "metadata/metadata.csv": encode(f"filename,dc.title\na,{TITLE}\n", "vps")}),
    ("FLD-META-UNDO", {"a": A, "metadata/metadata.csv": f"filename,dc.title\na,{TITLE}".encode().decode("latin-1")}),
    ("FLD-META-CHARACTER", {"a": A, "metadata/metadata.csv": "filename,dc.title\na,x\x01\n"}),
    ("FLD-META-TARGET", {"a": A, "metadata/metadata.csv": "filename,dc.title\nb,x\n"}),
    ("FLD-META-TWICE", {"a": A, "metadata/metadata.csv": "filename,dc.title\na,x\na,y\n"}),
    ("FLD-CSV-HEADER", {"a": A, "metadata/metadata.csv": "file;title\na;b\n"}),
    ("FLD-CSV-COLUMN", {"a": A, "metadata/metadata.csv": "filename,other\na,b\n"}),
    ("FLD-CSV-ROW", {"a": A, "metadata/metadata.csv": "filename,dc.title\na\n"}),
    ("FLD-CSV-SYNTAX", {"a": A, "metadata/metadata.csv": 'filename,dc.title\na,"x\n'}),
    ("FLD-JSON-SYNTAX", {"a": A, "metadata/metadata.json": "{"}),
    ("FLD-JSON-TWICE", {"a": A, "metadata/metadata.json": '{"package": {"title": "a", "title": "b"}}'}),
    ("FLD-JSON-SCHEMA", {"a": A, "metadata/metadata.json": '{"package": {"titel": "a"}}'}),
    ("FLD-JSON-SIZE", {"a": A, "metadata/metadata.json": " " * (33 << 20)}),
]


def tree_of(root: Path) -> Tree:
    result = opened(root)
    assert result.tree is not None, result.findings
    return result.tree


def found(root: Path, files: Files) -> set[str]:
    write(root, files)
    return {finding.code for finding in judged(KIND, tree_of(root))}


def described(root: Path) -> list[Description]:
    tree = tree_of(root)
    return list(KIND.read(tree, digest_tree(tree, ())).description_rows)


@pytest.mark.parametrize(("code", "files"), CASES, ids=[code for code, _ in CASES])
def test_each_code(code: str, files: Files, tmp_path: Path) -> None:
    write(tmp_path, files)
    mine = [finding for finding in judged(KIND, tree_of(tmp_path)) if finding.code == code]
    assert mine
    assert valid(mine) == (codes()[code].level != "error")
    for finding in mine:
        if code not in ("FLD-META-CHARACTER", "FLD-META-ENCODING", "FLD-JSON-SYNTAX"):
            complete(finding)


def test_every_row_has_a_case() -> None:
    rows = {code for code in codes() if code.startswith("FLD-") and not code.startswith("FLD-RIGHTS-")}
    assert rows == {code for code, _ in CASES}
    assert all(row.vi and row.en and row.advice_vi and row.advice_en for row in codes().values() if row.code in rows)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize(
    "line",
    [
        "{}  objects/ă.txt\n",
        "{}  ă.txt\n",
        "{} *objects/ă.txt\r\n",
        "{}  ./ă.txt",
        "{}  ../objects/ă.txt\n",
        "\ufeff{}\tă.txt\n",
    ],
)
def test_checksums_in_their_dialects(algorithm: str, line: str, tmp_path: Path) -> None:
    digest = hashlib.new(algorithm, A.encode()).hexdigest()
    for number, spelled in enumerate((digest, digest.upper())):
        root = tmp_path / str(number)
        assert found(root, {"objects/ă.txt": A, f"metadata/checksum.{algorithm}": line.format(spelled)}) == set()
        assert KIND.algorithms(FolderTree(root)) == {algorithm}


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512", "b2"])
@pytest.mark.parametrize("line", ["{} (objects/ă.txt) = {}\n", "{}(ă.txt)= {}\n"])
def test_tagged_checksums(algorithm: str, line: str, tmp_path: Path) -> None:
    """As `md5sum --tag`, BSD and openssl write them."""
    name = "blake2b" if algorithm == "b2" else algorithm
    tag = "BLAKE2b" if algorithm == "b2" else name.upper()
    digest = hashlib.new(name, A.encode()).hexdigest()
    place = f"metadata/checksum.{algorithm}"
    for number, (said, expected) in enumerate(
        ((line.format(tag, digest), set()), (line.format(tag, digest[1:] + digest[0]), {"FLD-SUM-DIGEST"}),
         (line.format("TIGER", digest), {"FLD-SUM-LINE", "FLD-SUM-UNLISTED"}))
    ):  # fmt: skip
        assert found(tmp_path / str(number), {"objects/ă.txt": A, place: said}) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.csv", "parts,dc.title\nobjects/tập,x\n"),
        ("metadata.csv", "filename,dc.title\nobjects/tập/a.txt ,x \n"),
        ("metadata.csv", "filename,dc.title\ndata/objects/tập/a.txt,x\n"),
        ("metadata.json", '[{"parts": "objects/tập", "dc.title": "x"}]'),
    ],
)
def test_names_as_archivematica_writes_them(name: str, text: str, tmp_path: Path) -> None:
    assert found(tmp_path, {"objects/tập/a.txt": A, f"metadata/{name}": text}) == set()
    assert [one.terms for one in described(tmp_path)][1:] == [(("title", "x"),)]


def test_escaped_and_odd_names_in_checksums(tmp_path: Path) -> None:
    lines = (f"\\{SUM}  a\\nb\n", f"\\{SUM}  c\\\\d\n", f"{SUM}  *star\n", f"{SUM}   edge \n")
    files: Files = {"a\nb": A, "c\\d": A, "*star": A, " edge ": A, "metadata/checksum.sha256": "".join(lines[:3])}
    assert found(tmp_path / "1", files) == {"FLD-SUM-UNLISTED"}
    assert found(tmp_path / "2", {"x": A, "metadata/checksum.sha256": f"{SUM}  x\n\n"}) == set()


def test_raw_names_in_checksums(tmp_path: Path) -> None:
    name = b"v\xe3n.txt"
    root = write(tmp_path, {"metadata/checksum.sha256": SUM.encode() + b"  " + name + b"\n"})
    with open(bytes(root) + b"/" + name, "wb") as file:
        file.write(A.encode())
    assert judged(KIND, tree_of(root)) == []


def test_two_checksum_files_together(tmp_path: Path) -> None:
    md5 = hashlib.md5(A.encode(), usedforsecurity=False).hexdigest()
    files: Files = {"a": A, "b": A, "metadata/checksum.md5": f"{md5}  a\n", "metadata/checksum.sha256": f"{SUM}  b\n"}
    assert found(tmp_path, files) == set()


CSV = (
    "\ufefffilename,dc.title,dc.creator,dc.creator,dcterms.created,dc.date,note\r\n"
    'objects/,"Hồ sơ, tập 1",UBND xã A,Phòng B,2019,,x\r\n'
    "objects/ă.txt,Tờ trình,,,2020-01-02,,\r\n"
    "objects/thư mục/,Bản đồ,,,,2021,\r\n"
    "b.txt,Phụ lục,,,,,\r\n"
)
OBJECTS: Files = {"objects/ă.txt": A, "objects/thư mục/c": A, "b.txt": A, "objects/rỗng/": ""}
EXPECTED = [
    Description(None, (("title", "Hồ sơ, tập 1"), ("creator", "UBND xã A"), ("creator", "Phòng B"), ("date", "2019"))),
    Description(
        PackagePath("representations/rep1/data/objects/ă.txt".encode()), (("title", "Tờ trình"), ("date", "2020-01-02"))
    ),
    Description(
        PackagePath("representations/rep1/data/objects/thư mục".encode()), (("title", "Bản đồ"), ("date", "2021"))
    ),
    Description(PackagePath(b"representations/rep1/data/b.txt"), (("title", "Phụ lục"),)),
]


def test_csv_in_the_layout_of_archivematica(tmp_path: Path) -> None:
    assert found(tmp_path, {**OBJECTS, "metadata/metadata.csv": CSV}) == {"FLD-CSV-COLUMN"}
    assert described(tmp_path) == EXPECTED


def test_json_by_key_says_the_same(tmp_path: Path) -> None:
    value = {
        "package": {"title": "Hồ sơ, tập 1", "creator": ["UBND xã A", "Phòng B"], "dcterms.created": "2019"},
        "files": {
            "objects/ă.txt": {"dc.title": "Tờ trình", "date": "2020-01-02"},
            "thư mục/": {"title": "Bản đồ", "date": "2021"},
            "b.txt": {"title": "Phụ lục"},
        },
    }
    text = json.dumps(value, ensure_ascii=False)
    assert found(tmp_path, {**OBJECTS, "metadata/metadata.json": text}) == set()
    assert described(tmp_path) == EXPECTED


def test_json_as_a_list_says_the_same(tmp_path: Path) -> None:
    value = [
        {"filename": "", "dc.title": "Hồ sơ, tập 1", "dc.creator": ["UBND xã A", "Phòng B"], "dcterms.created": "2019"},
        {"filename": "objects/ă.txt", "dc.title": "Tờ trình", "dc.date": "2020-01-02", "note": "x"},
        {"filename": "objects/thư mục", "dc.title": "Bản đồ", "dc.date": "2021"},
        {"filename": "b.txt", "dc.title": "Phụ lục", "dc.rights": " "},
    ]
    text = "\ufeff" + json.dumps(value)
    assert found(tmp_path, {**OBJECTS, "metadata/metadata.json": text}) == {"FLD-CSV-COLUMN"}
    assert described(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    "text", ["[[[[" * 100_000, '{"package": NaN}', "null", '"x"', "[1]", '{"files": {"a": 1}}', "9" * 10_000]
)
def test_hostile_json_is_a_finding(text: str, tmp_path: Path) -> None:
    assert found(tmp_path, {"a": A, "metadata/metadata.json": text}) & {"FLD-JSON-SYNTAX", "FLD-JSON-SCHEMA"}
    assert described(tmp_path)[0].target is None


@pytest.mark.parametrize(
    "row", ["../x,t", "/etc/passwd,t", "objects/../../x,t", "metadata,t", "a/,t", "A,t", "=cmd(),t"]
)  # fmt: skip
def test_hostile_names_in_a_table(row: str, tmp_path: Path) -> None:
    codes_found = found(tmp_path, {"a": A, "metadata/metadata.csv": f"filename,dc.title\n{row}\n"})
    assert codes_found == (set() if row in ("metadata,t", "a/,t") else {"FLD-META-TARGET"})


def test_a_table_of_one_endless_line(tmp_path: Path) -> None:
    assert found(tmp_path, {"a": A, "metadata/metadata.csv": "filename," + "x" * (1 << 21)}) == {"FLD-CSV-SYNTAX"}


def test_title_and_description_without_a_table(tmp_path: Path) -> None:
    root = write(tmp_path / "Hồ sơ 12", {"a": A})
    tree = tree_of(root)
    reading = KIND.read(tree, digest_tree(tree, ()))
    assert reading.title == "Hồ sơ 12"
    assert list(reading.description_rows) == [Description(None, (("title", "Hồ sơ 12"),))]


def test_descriptions_name_the_portable_path(tmp_path: Path) -> None:
    files: Files = {"a\n": A, "a%0A": A, "metadata/metadata.json": json.dumps({"files": {"a\n": {"title": "x"}}})}
    write(tmp_path, files)
    assert described(tmp_path)[1].target == b"representations/rep1/data/a%0A~" + (
        hashlib.sha256(b"a\n").hexdigest()[:8].encode()
    )


def test_places_and_empty_folders(tmp_path: Path) -> None:
    write(tmp_path, {"a": A, "b/c/": "", "metadata/submissionDocumentation/x": A, "metadata/leer/": ""})
    tree = tree_of(tmp_path)
    (representation,) = KIND.read(tree, digest_tree(tree, ())).representations
    assert (representation.name, representation.empty_folders) == ("rep1", (b"b/c",))
    for path, target, use in (
        (b"a", b"representations/rep1/data/a", Use.DATA),
        (b"metadata.txt", b"representations/rep1/data/metadata.txt", Use.DATA),
        (b"x/metadata/y", b"representations/rep1/data/x/metadata/y", Use.DATA),
        (b"metadata/m.csv", b"documentation/submission/metadata/m.csv", Use.DOCUMENTATION),
        (b"submissionDocumentation/d", b"documentation/submission/submissionDocumentation/d", Use.DOCUMENTATION),
        (
            b"metadata/submissionDocumentation/d",
            b"documentation/submission/metadata/submissionDocumentation/d",
            Use.DOCUMENTATION,
        ),
    ):
        placement = KIND.place(PackagePath(path))
        assert (placement.target, placement.use) == (target, use)
        assert placement.representation == ("rep1" if use is Use.DATA else None)


@pytest.mark.parametrize(
    ("name", "term"),
    [("dc.title", "title"), ("DC.Title", "title"), ("dcterms.created", "date"), ("dcterms:abstract", "description"),
     ("title", "title"), ("other.title", None), ("dc.titel", None), ("", None), ("dcterms.audience", None)],
)  # fmt: skip
def test_terms(name: str, term: str | None) -> None:
    assert element(name) == term


@pytest.mark.slow
def test_twenty_thousand_rows(tmp_path: Path) -> None:
    """The table is streamed: the peak is the names of the files, not what is said about them."""
    from pipeline.tree import Entry
    from tests.packages.received import MemoryReceived

    names = [f"objects/{n:06}.pdf" for n in range(20_000)]
    table = "filename,dc.title,dc.description\n" + "".join(f"{name},Văn bản số {name},{'m' * 200}\n" for name in names)
    write(tmp_path, {"metadata/metadata.csv": table})
    received = MemoryReceived([Entry(PackagePath(name.encode()), 1) for name in names], {}, [])
    tree = FolderTree(tmp_path)
    tracemalloc.start()
    try:
        assert list(KIND.check(tree, received)) == []
        reading = KIND.read(tree, received)
        assert sum(1 for _ in reading.description_rows) == 20_001
        assert tracemalloc.get_traced_memory()[1] < 12 * 1024**2
    finally:
        tracemalloc.stop()
