"""A damaged or strange zip ends as what is said of the file, never as a crash, whoever reads it."""

from __future__ import annotations

import errno
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from pipeline.content import inspection
from pipeline.content.characterisation import office as properties
from pipeline.content.identification.fido import containers
from pipeline.content.normalisation import legacyfonts, office
from pipeline.content.normalisation.made import Failed
from pipeline.content.signatures import office as signed
from pipeline.content.signatures.certificates import Roots
from pipeline.content.validity import Invalid, Unchecked, documents
from pipeline.damage import ZIP_FAULTS, of_the_file
from pipeline.pool import Job
from tests.content.broken_zips import DAMAGED, LOCKED, NAME, UNKNOWN, UNOPENED, whole
from tests.content.characterisation.test_outcomes import examined

ALL = DAMAGED | UNKNOWN | LOCKED | UNOPENED


def beat() -> None:
    """Nobody waits."""


@pytest.fixture(params=ALL)
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, BinaryIO]]:
    file = tmp_path / "hỏng.odt"
    file.write_bytes(ALL[request.param])
    with file.open("rb") as source:
        yield request.param, source


@pytest.mark.parametrize("name", ALL)
def test_the_list_is_what_the_library_raises(name: str) -> None:
    with pytest.raises((*ZIP_FAULTS, OSError)) as raised, zipfile.ZipFile(io.BytesIO(ALL[name])) as archive:
        archive.read(NAME)
    assert not isinstance(raised.value, OSError) or of_the_file(raised.value)


def test_damage_is_told_from_what_cannot_be_read_here(broken: tuple[str, BinaryIO]) -> None:
    name, source = broken
    wanted = Unchecked if name in UNKNOWN | LOCKED else Invalid
    with pytest.raises(wanted), documents.archive(source) as opened:
        documents.members(opened, beat)
    if name not in LOCKED:
        with pytest.raises(Invalid), documents.archive(source) as opened:
            documents.parts_of(opened, NAME)


def test_every_reader_ends_in_its_own_words(broken: tuple[str, BinaryIO]) -> None:
    name, source = broken
    assert inspection.look(Job((source.fileno(),), beat))["why"]
    with pytest.raises(Failed, match="FMT-CONVERT-DAMAGED"):
        legacyfonts.convert(source, {"odt": io.BytesIO()}, (), beat)
    source.seek(0)
    with pytest.raises(Failed, match="FMT-CONVERT-FAILED" if name in LOCKED else "FMT-CONVERT-DAMAGED"):
        office.examined(source, {}, ("",), beat)
    assert properties.odf(source)["properties"].get("macros") is (None if name in UNOPENED else False)
    told = signed.verify(source, "odf", Roots(datetime.now(UTC)), beat, counted=1)
    assert len(told) == (name in UNOPENED)
    inner = containers.Inner(NAME, (b"<a>",), 8000)
    matcher = containers.Matcher({"ZIP": [containers.Container("fmt/1", "A", (inner,))], "OLE2": []})
    found, why = matcher.search(source, b"PK\3\4")
    assert (why != "") == (name in UNOPENED)
    # What comes before damage tells the format too.
    assert [puid for puid, _ in found] == (["fmt/1"] if name == "sum" else [])


def test_a_member_of_a_signed_package_that_cannot_be_unpacked_is_named() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("META-INF/documentsignatures.xml", b"<a/>" * 500, zipfile.ZIP_LZMA)
    data = bytearray(made.getvalue())
    data[30 + len("META-INF/documentsignatures.xml") + 4] = 0xFF
    (told,) = signed.verify(io.BytesIO(bytes(data)), "odf", Roots(datetime.now(UTC)), beat, counted=1)
    assert told.why.startswith("member META-INF/documentsignatures.xml: ")


def test_a_fault_of_the_disk_is_not_said_of_the_file(tmp_path: Path) -> None:
    class Bad(io.FileIO):
        """A disk that cannot read what lies behind the directory."""

        broken = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.broken:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    (tmp_path / "tốt.zip").write_bytes(whole())
    with Bad(tmp_path / "tốt.zip") as source, documents.archive(cast(BinaryIO, source)) as opened:
        source.broken = True
        with pytest.raises(OSError, match="Input/output error"):
            documents.members(opened, beat)
        with pytest.raises(OSError, match="Input/output error"):
            documents.parts_of(opened, NAME)


def test_the_examination_of_a_package_says_what_is_broken(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "tệp nén", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    for name, data in ALL.items():
        (folder / f"{name}.zip").write_bytes(data.replace(b"mimetype", b"mimetyp_"))
    told = examined(folder, scratch)
    for name in ALL:
        one = told[f"{name}.zip"]
        wanted = "not checked" if name in LOCKED | UNKNOWN else "invalid"
        assert (str(one.validity), [finding.code for finding in one.findings if "CRASH" in finding.code]) == (
            wanted,
            [],
        )
    assert "member content.xml: Invalid data stream" in told["bzip2.zip"].checked
    assert "member content.xml: Corrupt input data" in told["lzma.zip"].checked
