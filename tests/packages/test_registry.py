"""Which kind a package is, and what forces or forbids it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageProblem
from pipeline.packages.registry import KINDS, recognise
from pipeline.tree import FolderTree
from tests.archives import kept, zip_of
from tests.packages.received import opened, write

CSIP = 'xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS"'


def mets(package: str, root: str = "", prolog: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    return (
        f'{prolog}<mets xmlns="http://www.loc.gov/METS/" {CSIP} {root}>'
        f'<metsHdr CREATEDATE="2026-01-01T00:00:00" csip:OAISPACKAGETYPE="{package}"/><fileSec/></mets>'
    )


def told(root: Path, files: dict[str, bytes | str]) -> tuple[str, bool]:
    kind, found = recognise(FolderTree(write(root, {"x": "x", **files})))
    assert found.reason
    return found.shown, kind.name == found.kind


@pytest.mark.parametrize(
    ("package", "shown", "built"),
    [("SIP", "eark-sip", True), ("AIP", "eark-aip", True), ("DIP", "eark-dip", True), ("sip", "eark-sip", True)],
)
def test_eark(package: str, shown: str, built: bool, tmp_path: Path) -> None:
    assert told(tmp_path, {"METS.xml": mets(package)}) == (shown, built)


@pytest.mark.parametrize(
    ("package", "kind", "shown"),
    [
        ("SIP", "Mixed", "tt05/SIP_hoso"), ("SIP", "Collection", "tt05/SIP_tailieu"), ("AIP", "Mixed", "tt05/AIP_hoso"),
        ("AIP", "Collection", "tt05/AIP_tailieu"), ("DIP", "MIXED", "tt05/DIP"),
    ],
)  # fmt: skip
def test_circular_05(package: str, kind: str, shown: str, tmp_path: Path) -> None:
    description = "<simpledc><title>Hồ sơ</title></simpledc>"
    files = {"METS.xml": mets(package, f'TYPE="{kind}"'), "metadata/descriptive/EAD.xml": description}
    assert told(tmp_path, dict(files)) == (shown, True)


def test_circular_05_by_its_profile(tmp_path: Path) -> None:
    text = mets("AIP", 'TYPE="Mixed" PROFILE="http://www.ra.ee/METS/v01/IP.xml"')
    assert told(tmp_path, {"METS.xml": text}) == ("tt05/AIP_hoso", True)


@pytest.mark.parametrize(
    "text",
    [
        "no xml", "", "<mets/>", mets("SIP").replace("loc.gov", "example.org"), "<a>" * 100_000,
        '<mets xmlns="http://www.loc.gov/METS/"><metsHdr/></mets>',
    ],
)  # fmt: skip
def test_other_mets_files_are_folders(text: str, tmp_path: Path) -> None:
    assert told(tmp_path, {"METS.xml": text}) == ("folder", True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (mets("other"), "eark-sip"), (mets(""), "eark-sip"),
        (mets("SIP").replace("<metsHdr", "<other/><metsHdr"), "eark-sip"),
        (mets("x", 'PROFILE="https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml"'), "eark-dip"),
        (mets("x", 'PROFILE="https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml"'), "eark-aip"),
        ("<mets PROFILE='https://earksip.dilcis.eu/profile/E-ARK-SIP.xml'", "eark-sip"),
    ],
)  # fmt: skip
def test_eark_that_does_not_say_its_type(text: str, kind: str, tmp_path: Path) -> None:
    assert told(tmp_path, {"METS.xml": text})[0].partition("/")[0] == kind


@pytest.mark.parametrize("name", ["METS.XML", "mets.xml", "other.xml", None])
def test_the_folders_of_eark_without_its_mets(name: str | None, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"metadata/a": "a", "schemas/b": "b", "representations/r/data/c": "c"}
    if name is not None:
        files[name] = mets("SIP")
    assert told(tmp_path, files) == ("eark-sip", True)


@pytest.mark.parametrize(
    "text", [mets("SIP", prolog='<!DOCTYPE mets [<!ENTITY a "b">]>'), mets("SIP").replace("<metsHdr", "<metsHdr <")]
)
def test_what_cannot_be_parsed_is_told_by_its_bytes(text: str, tmp_path: Path) -> None:
    assert told(tmp_path, {"METS.xml": text}) == ("eark-sip", True)


def test_the_kind_itself_tells_the_version(tmp_path: Path) -> None:
    text = mets("AIP", 'PROFILE="https://earkaip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml"')
    assert told(tmp_path, {"METS.xml": text}) == ("eark-aip/2.2.0", True)


def test_metadata_below_the_root_does_not_count(tmp_path: Path) -> None:
    assert told(tmp_path, {"sub/METS.xml": mets("SIP"), "sub/bagit.txt": "x"}) == ("folder", True)


def test_a_bag_that_holds_mets_is_a_bag(tmp_path: Path) -> None:
    files = {"METS.xml": mets("SIP"), "bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"}
    assert told(tmp_path, dict(files)) == ("bagit/1.0", True)


def test_inside_an_archive(tmp_path: Path) -> None:
    tree = opened(kept(tmp_path, "x.zip", zip_of({"r/METS.xml": mets("SIP").encode(), "r/a": b""}))).tree
    assert tree is not None
    assert recognise(tree)[1].kind == "eark-sip"


@pytest.mark.parametrize("forced", list(KINDS))
def test_forced(forced: str, tmp_path: Path) -> None:
    kind, found = recognise(FolderTree(write(tmp_path, {"a": "x"})), forced)
    assert found.kind == kind.name == forced


def test_forced_type_of_the_circular(tmp_path: Path) -> None:
    kind, found = recognise(FolderTree(write(tmp_path, {"a": "x"})), "tt05/SIP_tailieu")
    assert (kind.name, found.shown) == ("tt05", "tt05/SIP_tailieu")


@pytest.mark.parametrize("forced", ["zip", "tt05/SIP", "bagit/1.0", "tt05/"])
def test_forced_kind_or_type_that_does_not_exist(forced: str, tmp_path: Path) -> None:
    if forced == "tt05/":
        assert recognise(FolderTree(write(tmp_path, {"a": "x"})), forced)[1].shown == "tt05"
        return
    with pytest.raises(UsageProblem) as caught:
        recognise(FolderTree(tmp_path), forced)
    assert caught.value.code == "USE-KIND"


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ({"metadata/descriptive/ead.xml": "<simpledc><requestID/></simpledc>"}, "tt05/DIP"),
        (
            {"representations/rep1/metadata/descriptive/EAD_DOC_1.xml": "<simpledc><docId/><docCode/></simpledc>"},
            "tt05/SIP_hoso",
        ),
        ({"p/metadata/descriptive/EAD.xml": "<simpledc><fileCode/><source/></simpledc>"}, "tt05/SIP_tailieu"),
        ({"metadata/descriptive/EAD.xml": "<ead xmlns='urn:isbn:1-931666-22-9'/>"}, "folder"),
        ({"a/metadata/descriptive/EAD.xml": "<simpledc/>", "b/metadata/descriptive/EAD.xml": "<simpledc/>"}, "folder"),
        ({"a/b/metadata/descriptive/EAD.xml": "<simpledc/>"}, "folder"),
    ],
)
def test_marks_of_the_circular(files: dict[str, bytes | str], shown: str, tmp_path: Path) -> None:
    assert told(tmp_path, files)[0] == shown


def test_a_profile_of_the_circular_takes_representations_as_a_mark(tmp_path: Path) -> None:
    tree = FolderTree(write(tmp_path, {"representations/rep1/data/a.pdf": "x"}))
    assert recognise(tree)[1].kind != "tt05"
    assert recognise(tree, None, ("tt05",))[1].kind == "tt05"


def test_names_of_kinds() -> None:
    assert [kind.name for kind in KINDS.values()] == list(KINDS)
    assert list(KINDS) == [
        "bagit", "bagit+eark-aip", "bagit+eark-dip", "bagit+eark-sip", "bagit+folder", "eark-aip", "eark-dip",
        "eark-sip", "folder", "tt05",
    ]  # fmt: skip
