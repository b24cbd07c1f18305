"""Tables of a folder in old encodings: read as what they are, or left to a person; the file itself stays."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from pipeline.packages.folder import Folder
from pipeline.packages.folder.encoded import table
from pipeline.packages.folder.rights import CSV as RIGHTS
from pipeline.packages.folder.rights import rows as rights
from pipeline.records import PackagePath
from pipeline.text import encode
from tests.archives import zip_of
from tests.packages.received import digest_tree, judged, opened, valid, write

KIND = Folder()
TITLE = "Quyết định về việc thành lập Ban quản lý dự án đầu tư xây dựng"
CSV = f'filename,dc.title,dc.creator\r\nobjects/hồ sơ.txt,"{TITLE}, tỉnh Ví Dụ",Sở Nội vụ\r\n'
GRANTS = (
    "file,basis,grant_act,grant_restriction,grant_note\n"
    "objects/hồ sơ.txt,policy,delete,,Hết thời hạn bảo quản thì tiêu hủy\n"
)
WRITTEN = {
    "tcvn3": encode(CSV, "tcvn3"),
    "vni": encode(CSV, "vni"),
    "viscii": encode(CSV, "viscii"),
    "cp1258": encode(CSV, "cp1258"),
    "cp1258-split": encode(CSV, "cp1258-split"),
    "utf-16": codecs.BOM_UTF16_LE + CSV.encode("utf-16-le"),
}
"""The same table as a program of its time would have saved it."""


def written(root: Path, raw: bytes, name: str = "metadata.csv") -> None:
    write(root, {"objects/hồ sơ.txt": "x", f"metadata/{name}": raw})


@pytest.mark.parametrize("encoding", WRITTEN)
def test_descriptions_are_read_in_what_they_are(encoding: str, tmp_path: Path) -> None:
    written(tmp_path, WRITTEN[encoding])
    tree = opened(tmp_path).tree
    assert tree is not None
    found = list(judged(KIND, tree))
    assert [finding.code for finding in found] == ["FLD-META-LEGACY"]
    assert valid(found)
    assert found[0].found is not None and found[0].found.endswith("%")
    (_, row) = KIND.read(tree, digest_tree(tree, ())).description_rows
    assert row.terms == (("title", f"{TITLE}, tỉnh Ví Dụ"), ("creator", "Sở Nội vụ"))
    assert (tmp_path / "metadata/metadata.csv").read_bytes() == WRITTEN[encoding]


def test_rights_are_read_in_what_they_are(tmp_path: Path) -> None:
    written(tmp_path, encode(GRANTS, "tcvn3"), "rights.csv")
    tree = opened(tmp_path).tree
    assert tree is not None
    legacy, row = rights(tree)
    assert legacy.code == "FLD-META-LEGACY"  # type: ignore[union-attr]
    assert row.values["grant_note"] == "Hết thời hạn bảo quản thì tiêu hủy"  # type: ignore[union-attr]
    with table(tree, RIGHTS) as (source, _):
        assert source is not None
        assert source.read() == GRANTS


@pytest.mark.parametrize("name", ["metadata.csv", "rights.csv"])
def test_what_cannot_be_told_is_asked_and_not_read(name: str, tmp_path: Path) -> None:
    written(tmp_path, encode(CSV if name == "metadata.csv" else GRANTS, "vps"), name)
    tree = opened(tmp_path).tree
    assert tree is not None
    (asked,) = judged(KIND, tree)
    assert (asked.code, asked.file) == ("FLD-META-ASK", PackagePath(b"metadata/" + name.encode()))
    assert asked.found is not None and "VPS" in asked.found
    assert len(list(KIND.read(tree, digest_tree(tree, ())).description_rows)) == 1


def test_a_table_in_an_archive(tmp_path: Path) -> None:
    file = tmp_path / "gói.zip"
    file.write_bytes(zip_of({"gói/objects/hồ sơ.txt": b"x", "gói/metadata/metadata.csv": WRITTEN["vni"]}))
    tree = opened(file).tree
    assert tree is not None
    assert [finding.code for finding in judged(KIND, tree)] == ["FLD-META-LEGACY"]


@pytest.mark.parametrize(
    "text", [CSV, CSV.replace("Quyết", "Décision n°"), "filename,dc.title\nobjects/hồ sơ.txt,Ångström µm\n"]
)
def test_clean_tables_have_no_finding(text: str, tmp_path: Path) -> None:
    for raw in (text.encode(), codecs.BOM_UTF8 + text.encode()):
        written(tmp_path, raw)
        tree = opened(tmp_path).tree
        assert tree is not None
        assert list(judged(KIND, tree)) == []
