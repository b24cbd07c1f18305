"""E-ARK packages built from the specifications: valid ones have no error, broken ones the one of their name."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.findings import as_json, level_of
from pipeline.packages.eark.check_premis import algorithms
from pipeline.packages.eark.preservation import PATH
from pipeline.packages.eark.rows import EarkRows
from pipeline.packages.registry import recognise
from pipeline.records import Finding, Level
from pipeline.tree import FolderTree
from tests.archives import kept, tar_of, zip_of
from tests.packages.bags import bag
from tests.packages.eark_faults import ALSO, BROKEN, NOTED, edited
from tests.packages.eark_sips import PREMIS_FILE, REP, ROOT, VALID, Shape, build, files_of, reference
from tests.packages.received import judged, opened


def found_in(root: Path) -> list[Finding]:
    tree = FolderTree(root)
    kind, told = recognise(tree)
    assert told.kind.startswith("eark-"), told
    return judged(kind, tree)


def errors(findings: list[Finding]) -> set[str]:
    return {one.code for one in findings if level_of(one) is Level.ERROR}


@pytest.mark.parametrize("name", VALID)
def test_valid(tmp_path: Path, name: str) -> None:
    root = build(tmp_path, VALID[name])
    told = recognise(FolderTree(root))[1]
    assert told.kind == f"eark-{VALID[name].kind.lower()}"
    findings = found_in(root)
    assert errors(findings) == set()
    noted = {one.code for one in findings if level_of(one) is Level.WARNING}
    assert noted <= {"CSIPSTR5", "CSIPSTR12", "PREMIS-TERM"}, noted


@pytest.mark.parametrize("name", BROKEN)
def test_broken(tmp_path: Path, name: str) -> None:
    code = name.partition(" ")[0]
    found = errors(found_in(build(tmp_path, BROKEN[name])))
    assert code in found
    assert found - {code} <= ALSO.get(name, set())


@pytest.mark.parametrize("name", NOTED)
def test_noted(tmp_path: Path, name: str) -> None:
    findings = found_in(build(tmp_path, NOTED[name]))
    assert name.partition(" ")[0] in {one.code for one in findings}
    assert errors(findings) == set()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("eark-sip", set()), ("eark-dip", {"DIP2", "DIP3"}), ("eark-aip", {"AIPM2", "AIPM3"})],
)
def test_judged_as_another_kind(tmp_path: Path, kind: str, expected: set[str]) -> None:
    tree = FolderTree(build(tmp_path, Shape()))
    forced = recognise(tree, kind)[0]
    assert forced is not None
    assert errors(judged(forced, tree)) == expected


def test_there_are_enough_ways() -> None:
    assert len(BROKEN) >= 70
    assert len({name.partition(" ")[0] for name in BROKEN}) >= 60


def test_in_archives(tmp_path: Path) -> None:
    files = {f"{Shape().name}/{name}": data for name, data in files_of(Shape()).items()}
    for name, archive in (("a.zip", zip_of(files)), ("a.tar", tar_of(files))):
        tree = opened(kept(tmp_path, name, archive)).tree
        assert tree is not None
        kind, told = recognise(tree)
        assert told.kind == "eark-sip"
        assert errors(judged(kind, tree)) == set()


def test_an_archive_without_a_root_folder(tmp_path: Path) -> None:
    tree = opened(kept(tmp_path, f"{Shape().name}.zip", zip_of(dict(files_of(Shape()))))).tree
    assert tree is not None
    kind, _ = recognise(tree)
    assert errors(judged(kind, tree)) == {"CSIPSTR1"}


@pytest.mark.parametrize(("places", "expected"), [(("outer/{}/",), {"CSIPSTR4"}), (("{}/", "other/"), {"CSIPSTR1"})])
def test_an_archive_with_the_package_elsewhere(tmp_path: Path, places: tuple[str, ...], expected: set[str]) -> None:
    """One folder deeper, or several packages in one archive: no plain folder, though nothing lies at its root."""
    found = files_of(Shape())
    files = {place.format(Shape().name) + name: data for place in places for name, data in found.items()}
    for name, archive in (("a.zip", zip_of(files)), ("a.tar", tar_of(files))):
        tree = opened(kept(tmp_path, name, archive)).tree
        assert tree is not None
        kind, told = recognise(tree)
        assert told.kind == "eark-sip"
        assert errors(judged(kind, tree)) == expected


def test_a_bag_with_the_folder_of_a_package(tmp_path: Path) -> None:
    """The bag keeps it as it is; what is wrong with the package is told with its place in the bag."""
    files: dict[str, bytes | str] = {f"{Shape().name}/{name}": data for name, data in files_of(Shape()).items()}
    for name, more, expected in (
        ("good", {}, set()),
        ("bad", {f"{Shape().name}/documentation/more.txt": b"x"}, {"CSIP66"}),
        ("beside", {f"{Shape().name}/documentation/more.txt": b"x", "read me.txt": b"x"}, set()),
    ):
        root = bag(tmp_path / name, {**files, **more})
        kind, told = recognise(FolderTree(root))
        assert told.kind == "bagit"
        found = judged(kind, FolderTree(root))
        assert errors(found) == expected
        assert all((one.file or b"").startswith(b"data/") for one in found if one.code == "CSIP66")


def test_a_mets_among_the_documentation_is_no_representation(tmp_path: Path) -> None:
    mark = "documentation/đọc tôi.txt"
    shape = replace(
        edited((ROOT, 'href="documentation/*"', 'href="documentation/METS.xml"')),
        after=(lambda files: files.update({"documentation/METS.xml": files.pop(mark)}),),
    )
    findings = found_in(build(tmp_path, shape))
    assert errors(findings) == set()
    assert "CSIP105" not in {one.code for one in findings}


@pytest.mark.parametrize("group", ["Documentation", "Schemas"])
def test_a_pointer_astray_in_2_1(tmp_path: Path, group: str) -> None:
    """That no pointer leads to the group (a MUST before 2.2) only follows from it."""
    shape = replace(edited((ROOT, f'<fptr FILEID="g-{group}"', '<fptr FILEID="g-gone"')), version="2.1.0")
    assert errors(found_in(build(tmp_path, shape))) == {"CSIP116" if group == "Documentation" else "CSIP118"}


def test_an_archive_with_more_beside_the_package(tmp_path: Path) -> None:
    files = {f"{Shape().name}/{name}": data for name, data in files_of(Shape()).items()} | {"read me.txt": b"x"}
    for name, archive in (("a.zip", zip_of(files)), ("a.tar", tar_of(files))):
        tree = opened(kept(tmp_path, name, archive)).tree
        assert tree is not None
        kind, told = recognise(tree)
        assert told.kind == "eark-sip"
        assert errors(judged(kind, tree)) == {"CSIPSTR1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('ID="g-Schemas"', 'ID=" g-Schemas "'),
        ('<fptr FILEID="g-Schemas"', '<fptr FILEID="\n g-Schemas"'),
        ('CREATEDATE="*"', 'CREATEDATE="2023-12-31T24:00:00Z"'),
        ('MIMETYPE="text/plain"', 'MIMETYPE="Text/Plain; charset=UTF-8"'),
    ],
)
def test_ways_to_write_a_value(tmp_path: Path, old: str, new: str) -> None:
    assert errors(found_in(build(tmp_path, edited((ROOT, old, new))))) == set()


PIECES = (
    b"<",
    b">",
    b'"',
    b"&",
    b"/",
    b" ",
    b"\0",
    b"\xff",
    b"<!--",
    b"]]>",
    b"&#0;",
    b"..",
    b"%",
    b"<a>",
    b'xmlns=""',
    b"-1",
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("fuzzed"), Shape())


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_mets_holds_it_is_judged(fuzzed: Path, data: st.DataObject) -> None:
    file = fuzzed / data.draw(st.sampled_from((ROOT, REP, PREMIS_FILE)))
    before = content = file.read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(content)))
        end = min(len(content), begin + data.draw(st.integers(0, 60)))
        middle = data.draw(st.sampled_from((*PIECES, content[begin:end] * 2)))
        content = content[:begin] + middle + content[end:]
    file.write_bytes(content)
    try:
        tree = FolderTree(fuzzed)
        for name in ("eark-sip", "eark-dip", "eark-aip"):
            kind = recognise(tree, name)[0]
            for finding in judged(kind, tree):
                assert as_json(finding)["message"]["vi"]
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("file", [ROOT, REP, PREMIS_FILE])
@pytest.mark.parametrize("into", ["<x:y/><", '<p a:b="c"/><', "<x:mets>", "<:/><"])
def test_prefixes_that_nobody_declared(tmp_path: Path, file: str, into: str) -> None:
    """Also as the root element: a parser goes on after them, with names that are none."""
    root = build(tmp_path, Shape())
    text = (root / file).read_text("utf-8")
    at = text.index("<", text.index("?>"))
    (root / file).write_text(text[:at] + into + text[at + 1 :], "utf-8")
    assert errors(found_in(root))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings_of_unicode(tmp_path: Path, encoding: str) -> None:
    root = build(tmp_path, Shape())
    text = (root / ROOT).read_text("utf-8").replace("UTF-8", encoding.removesuffix("-sig"), 1)
    (root / ROOT).write_bytes(text.encode(encoding))
    kind, told = recognise(FolderTree(root))
    assert told.kind == "eark-sip"
    assert errors(judged(kind, FolderTree(root))) == set()


def test_digests_by_md5_in_a_mets_that_nobody_points_to(tmp_path: Path) -> None:
    """Which algorithms are needed is known before the one reading of the bytes."""
    shape = edited(
        (REP, 'CHECKSUM="*" CHECKSUMTYPE="SHA-256"', 'CHECKSUM="0" CHECKSUMTYPE="MD5"'),
        (ROOT, '<div ID="div-rep1"*</div>', ""),
    )
    assert "CSIP29" in errors(found_in(build(tmp_path, shape)))


FORMS = ("{:08x}", "{:08X}", "{:x}", "0x{:08x}", "{}")
"""How a sum of 32 bits is written: by tools that print hex, by those that print the number."""


@pytest.mark.parametrize(("term", "step"), [("CRC32", zlib.crc32), ("Adler-32", zlib.adler32)])
@pytest.mark.parametrize("form", FORMS)
def test_sums_of_32_bits(tmp_path: Path, term: str, step: Callable[[bytes], int], form: str) -> None:
    value = step(files_of(Shape())["documentation/đọc tôi.txt"])
    for said, expected in ((value, set()), (value ^ 1, {"CSIP71"})):
        new = f'CHECKSUM="{form.format(said)}" CHECKSUMTYPE="{term}"'
        shape = edited((ROOT, '<file ID="Documentation-0"\0CHECKSUM="*" CHECKSUMTYPE="SHA-256"', new))
        found = found_in(build(tmp_path, shape))
        assert errors(found) == expected
        assert "EARK-ALGORITHM" not in {one.code for one in found}


@pytest.mark.parametrize(
    ("term", "right"),
    [
        ("CRC32", lambda data: f"{zlib.crc32(data):08x}"),
        ("Adler-32", lambda data: f"{zlib.adler32(data):08X}"),
        ("SHA-512", lambda data: hashlib.sha512(data).hexdigest()),
        ("sha224", lambda data: hashlib.sha224(data).hexdigest()),
    ],
)
def test_algorithms_that_premis_alone_names(tmp_path: Path, term: str, right: Callable[[bytes], str]) -> None:
    """METS holds SHA-256 throughout: what PREMIS says beside it is verified as well."""
    name = f"representations/rep1/{PREMIS_FILE}"
    path = "representations/rep1/data/Văn bản 0 & 100%.txt"
    data = files_of(Shape())[path]
    for said, expected in ((right(data), set()), (right(data + b"x"), {"PM35"})):
        shape = edited(
            (name, "<messageDigestAlgorithm>*<", f"<messageDigestAlgorithm>{term}<"),
            (name, "<messageDigest>*<", f"<messageDigest>{said}<"),
            (name, '"file"\0Type>*<', f"Type>{PATH}<"),
            (name, f"{PATH}\0Value>*<", f"Value>{quote(path)}<"),
        )
        assert errors(found_in(build(tmp_path, shape))) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_algorithms_of_a_premis_document(encoding: str) -> None:
    filler = "<size>1</size>" * 90_000
    text = f"<a><p:messageDigestAlgorithm x='y'>\n CRC32 </p:messageDigestAlgorithm>{filler}<messageDigestAlgorithm>"
    source = io.BytesIO(f"{text}SHA-512</messageDigestAlgorithm><messageDigestAlgorithm>TIGER</x></a>".encode(encoding))
    assert set(algorithms(source)) == {"crc32", "sha512"}


def test_a_representation_with_a_blank_as_commons_ip_writes_it(tmp_path: Path) -> None:
    """`+` for a blank in each reference, the pointer of the structural map among them; digests inside are verified."""
    blank = "representations/rep 1/METS.xml"
    for broken, expected in ((b"", set()), (b"x", {"CSIP69", "CSIP71"})):

        def moved(files: dict[str, bytes], more: bytes = broken) -> None:
            for name in [name for name in files if name.startswith("representations/rep1/")]:
                files[name.replace("rep1", "rep 1")] = files.pop(name)
            for name in (ROOT, blank):
                text = files[name].decode().replace("representations/rep1/", "representations/rep+1/")
                files[name] = text.replace("Representations/rep1", "Representations/rep 1").encode()
            files["representations/rep 1/data/Văn bản 0 & 100%.txt"] += more

        shape = replace(Shape(premis=False), after=(moved,))
        found = found_in(build(tmp_path, shape))
        assert errors(found) == expected
        assert "EARK-HREF" in {one.code for one in found}
        assert [one.name for one in EarkRows(FolderTree(tmp_path / shape.name)).representations()] == ["rep 1"]


@pytest.mark.parametrize("href", ["file:{}", "file://./{}", "file:///{}", "./{}"])
def test_ways_to_write_a_place(tmp_path: Path, href: str) -> None:
    mark = "schemas/mets.xsd"
    shape = edited((ROOT, f'href="{mark}"', f'href="{href.format(mark)}"'))
    assert errors(found_in(build(tmp_path, shape))) == set()


def test_content_types_of_vocabulary_and_schema(tmp_path: Path) -> None:
    for term in ("citscarchival_v1_0", "citserms_v2_1", "citsarchival_v1_0", "csarchival_v1_0"):
        shape = edited((ROOT, 'CONTENTINFORMATIONTYPE="MIXED"', f'CONTENTINFORMATIONTYPE="{term}"'))
        assert errors(found_in(build(tmp_path, shape))) == set()


def test_a_group_that_an_inner_division_points_to(tmp_path: Path) -> None:
    """Before 2.2 each group of schemas has to be pointed to; those of a representation are by its division."""
    path = "representations/rep1/schemas/own.xsd"
    group = reference(path, b"<x/>", "").replace("<mdRef", '<file ID="o"').partition(" LOCTYPE")[0]
    core = reference(path, b"<x/>", "").partition(" MIMETYPE")[2]
    file = f'{group} MIMETYPE{core.removesuffix("/>")}><FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="{path}"/>'
    inner = '<div LABEL="Representations/rep1/schemas"><fptr FILEID="g-own"/></div>'
    for more, expected in ((inner, set()), ("", {"CSIP100"})):
        shape = edited(
            (ROOT, "</fileSec>", f'<fileGrp ID="g-own" USE="Schemas">{file}</file></fileGrp></fileSec>'),
            (ROOT, '<fptr FILEID="g-rep1"/>', f'<fptr FILEID="g-rep1"/>{more}'),
            own_mets=False, version="2.1.0", after=(lambda files: files.update({path: b"<x/>"}),),
        )  # fmt: skip
        assert errors(found_in(build(tmp_path, shape))) == expected


def test_own_structural_maps_follow_their_own_rules(tmp_path: Path) -> None:
    more = '</structMap><structMap TYPE="LOGICAL"><div><div LABEL="Chương 1"/></div></structMap>'
    assert errors(found_in(build(tmp_path, edited((ROOT, "</structMap>", more))))) == set()


def test_a_division_of_ones_own(tmp_path: Path) -> None:
    more = '<div ID="own" LABEL="Reports"/><div ID="p-div-metadata"'
    shape = edited((ROOT, '<div ID="p-div-metadata"', more))
    assert errors(found_in(build(tmp_path, shape))) == set()
