"""What is marked secret stops before anything but descriptions is read, and its title is found nowhere afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from bagit import make_bag

from pipeline.packages.tt05.reading.descriptive import described
from pipeline.packages.tt05.secrets import is_secret, secret_descriptions
from pipeline.settings import Limits
from pipeline.tree import open_tree
from tests.command import ARCHIVE, CLOCK, House
from tests.packages.tt05.build import archive, build, folder
from tests.packages.tt05.fault import told, with_first
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.shape import plain

TITLE = "Kế hoạch Bạch Đằng không ai được biết"


@pytest.mark.parametrize(
    ("mode", "secret"),
    [
        ("03", True), (" 03 ", True), ("3", True), ("Mật", True), ("TỐI MẬT", True), ("tuyệt  mật", True),
        ("01", False), ("02", False), ("", False), ("30", False), ("Công khai", False),
    ],
)  # fmt: skip
def test_marks_of_secrecy(mode: str, secret: bool) -> None:
    assert is_secret(described(f"<simpledc><mode>{mode}</mode></simpledc>".encode())) is secret
    assert is_secret(described(f"<simpledc><mode>01</mode><Mode>{mode}</Mode></simpledc>".encode())) is secret


@pytest.mark.parametrize("text", ["<mode>03</mode>", "<x:mode a='1'> 03 </x:mode>", "<mode><![CDATA[03]]></mode>"])
def test_a_description_that_is_no_xml_is_looked_through(text: str) -> None:
    data = f"<simpledc><title>x & y</title>{text}".encode()
    assert described(data).problem is not None and is_secret(described(data), data)
    assert not is_secret(described(data), data.replace(b"03", b"01"))


@pytest.mark.parametrize("profile", ["tt05", "tt05-strict"])
def test_nothing_else_is_said_of_a_secret_package(tmp_path: Path, profile: str) -> None:
    damaged = with_first(told(mode="03", title=""), mode="Mật", subject="")
    found = said(folder(build(damaged), tmp_path), by_profile(profile))
    assert [(one.code, level.value, one.found, one.expected) for one, level in found.findings] == [
        ("TT05-EAD-14", "error", None, None)
    ] * 2
    assert not found.documents


def test_only_descriptions_of_the_circular_are_looked_at(tmp_path: Path) -> None:
    home = tmp_path / "gói" / "metadata" / "descriptive"
    home.mkdir(parents=True)
    (home / "ead.xml").write_text("<ead><mode>03</mode></ead>")
    (home / "EAD_doc_1.xml").write_text("<simpledc><mode>03</mode></simpledc>")
    (home / "EAD_doc_2.xml").write_text("<simpledc><mode>03</mode></simpledc>", encoding="utf-16")
    (home.parent / "EAD.xml").write_text("<simpledc><mode>03</mode></simpledc>")
    tree = open_tree(tmp_path, Limits()).tree
    assert tree is not None
    assert [one.file for one in secret_descriptions(tree)] == [
        f"gói/metadata/descriptive/EAD_doc_{number}.xml".encode() for number in (1, 2)
    ]


@pytest.mark.slow
def test_the_title_is_found_nowhere(tmp_path: Path) -> None:
    house = House(tmp_path / "house", {"LUUTRU_CLOCK": CLOCK})
    house.settings(archive=ARCHIVE, workers=1)
    house.stores()
    built = build(told(mode="03", title=TITLE))
    for name in ("thư mục", "túi", "nhiều gói"):
        (tmp_path / name).mkdir()
    package = folder(built, tmp_path / "thư mục")
    packed = archive(built, tmp_path)
    folder(built, tmp_path / "túi")
    make_bag(str(tmp_path / "túi"))
    folder(built, tmp_path / "nhiều gói")
    folder(build(plain("AIP_hoso")), tmp_path / "nhiều gói")
    ways = [
        ("ingest", package), ("ingest", packed), ("ingest", "--kind", "folder", package),
        ("ingest", tmp_path / "túi"), ("ingest", tmp_path / "nhiều gói"),
        ("validate", "--profile", "tt05", package, "--report", tmp_path / "house" / "r.html"),
        ("validate", "--profile", "tt05", packed),
    ]  # fmt: skip
    for way in ways:
        answer = house.run(*way)
        assert answer.exit == 1 and "TT05-EAD-14" in answer.codes, way
        assert TITLE not in answer.out + answer.err, way
    secret = TITLE.encode()
    for path in house.base.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), path
    assert not [path for path in house.base.glob("vault/**/v1/**/*") if path.is_file()]
