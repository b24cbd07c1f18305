"""An E-ARK AIP that arrives is told from other packages, and nothing of it is lost on the way into ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.packages import Recognition
from pipeline.packages.eark import EarkAip
from pipeline.packages.eark.layout import is_generated
from pipeline.packages.eark.submission import PREFIX
from pipeline.packages.registry import recognise
from pipeline.records import Description, Event, FileRow, Link, Outcome, PackagePath, Reading, Use
from pipeline.tree import FolderTree
from tests.packages.eark_samples import IDENTITY, WHEN, composed, generated, sample_rows
from tests.packages.received import digest_tree, judged

AIP = EarkAip()


def reading_of(root: Path) -> Reading:
    tree = FolderTree(root)
    return AIP.read(tree, digest_tree(tree, ()))


def test_recognised(tmp_path: Path) -> None:
    root = composed(tmp_path)
    expected = Recognition("eark-aip", "2.2.0", "METS.xml says csip:OAISPACKAGETYPE AIP")
    assert AIP.recognise(FolderTree(root)) == expected
    kind, found = recognise(FolderTree(root))
    assert (kind.name, found) == ("eark-aip", expected)


@pytest.mark.parametrize(
    ("old", "new", "recognised"),
    [
        ('OAISPACKAGETYPE="AIP"', 'OAISPACKAGETYPE="SIP"', True),
        ('csip:OAISPACKAGETYPE="AIP"', "", True),
        ("</mets>", "", True),
        ("<mets ", "<!DOCTYPE mets><mets ", True),
        ("<mets ", "<mats ", False),
        ("http://www.loc.gov/METS/", "http://example.org/", False),
    ],
)
def test_recognised_when_damaged(tmp_path: Path, old: str, new: str, recognised: bool) -> None:
    root = composed(tmp_path)
    mets = root / "METS.xml"
    mets.write_text(mets.read_text("utf-8").replace(old, new, 1), "utf-8")
    assert (AIP.recognise(FolderTree(root)) is not None) == recognised


def test_other_packages_are_not(tmp_path: Path) -> None:
    assert AIP.recognise(FolderTree(tmp_path)) is None
    (tmp_path / "METS.xml").write_bytes(b"<a/>")
    assert AIP.recognise(FolderTree(tmp_path)) is None


PLACES = [
    ("METS.xml", Use.PRESERVATION, "metadata/preservation/submission/METS.xml", None),
    ("metadata/preservation/premis.xml", Use.PRESERVATION,
     "metadata/preservation/submission/metadata/preservation/premis.xml", None),
    ("metadata/other/x", Use.PRESERVATION, "metadata/preservation/submission/metadata/other/x", None),
    ("metadata/x", Use.PRESERVATION, "metadata/preservation/submission/metadata/x", None),
    ("metadata/descriptive/ead.xml", Use.DESCRIPTIVE,
     "metadata/descriptive/submission/metadata/descriptive/ead.xml", None),
    ("schemas/mets.xsd", Use.SCHEMA, "schemas/submission/schemas/mets.xsd", None),
    ("documentation/luutru/README.txt", Use.DOCUMENTATION,
     "documentation/submission/documentation/luutru/README.txt", None),
    ("stray", Use.DOCUMENTATION, "documentation/submission/stray", None),
    ("data/x", Use.DOCUMENTATION, "documentation/submission/data/x", None),
    ("representations/stray", Use.DOCUMENTATION, "documentation/submission/representations/stray", None),
    ("representations/r/METS.xml", Use.PRESERVATION,
     "representations/r/metadata/preservation/submission/METS.xml", "r"),
    ("representations/r/data/a/b", Use.DATA, "representations/r/data/a/b", "r"),
    ("representations/r/data", Use.DOCUMENTATION, "representations/r/documentation/submission/data", "r"),
    ("representations/r/x", Use.DOCUMENTATION, "representations/r/documentation/submission/x", "r"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "use", "target", "representation"), PLACES)
def test_places(path: str, use: Use, target: str, representation: str | None) -> None:
    found = AIP.place(PackagePath(path.encode()))
    assert (found.use, found.target.decode(), found.representation) == (use, target, representation)
    assert not is_generated(found.target)


def test_no_two_files_meet(tmp_path: Path) -> None:
    root = composed(tmp_path)
    paths = [entry.path for entry in FolderTree(root).entries()]
    assert len({AIP.place(path).target for path in paths}) == len(paths)


def test_reading(tmp_path: Path) -> None:
    found = reading_of(composed(tmp_path))
    rows = sample_rows(tmp_path / "again")
    assert found.title == IDENTITY.label
    assert found.representations == rows.representation_rows
    targets = [one.target for one in found.description_rows]
    documentation = PackagePath(b"documentation/submission/documentation/readme.txt")
    assert targets == [None, documentation, *(one.target for one in rows.description_rows[2:])]
    assert [agent.key for agent in found.agents] == [f"{PREFIX}METS/1", *(PREFIX + one.key for one in rows.agent_rows)]
    assert [right.key for right in found.rights] == [PREFIX + right.key for right in rows.right_rows]
    keys = {event.key: [(link.what, link.ref) for link in event.links] for event in found.events}
    assert set(keys) == {f"{PREFIX}METS", *(PREFIX + event.key for event in rows.event_rows)}
    assert keys[f"{PREFIX}start"] == [("package", "")]
    assert keys[f"{PREFIX}formats/rep1"] == [("representation", "rep1")]
    assert [what for what, _ in keys[f"{PREFIX}normalization/x"]] == ["file", "file"]
    [derived] = [origin for origin in found.origins.values() if origin.source is not None]
    assert derived.source == PackagePath("representations/rep1/data/Ảnh chụp.bmp".encode())


def test_an_aip_can_be_described_again(tmp_path: Path) -> None:
    """What arrives as an AIP becomes an AIP that is as good."""
    old = composed(tmp_path / "old")
    tree = FolderTree(old)
    received = digest_tree(tree, ("sha256",))
    reading = AIP.read(tree, received)
    again = tmp_path / "new" / f"uuid-{'1' * 8}-2222-5333-8444-555555555555"
    files = []
    for entry in received.entries():
        if entry.is_folder:
            (again / AIP.place(entry.path).target.decode()).mkdir(parents=True)
            continue
        place = AIP.place(entry.path)
        target = again / place.target.decode()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((old / entry.path.decode()).read_bytes())
        files.append(
            FileRow(
                place.target, entry.size, received.digest(entry.path, "sha256") or "", place.use, "text/plain", WHEN,
                place.representation, entry.path,
            )
        )  # fmt: skip
    rows = replace(
        sample_rows(tmp_path / "unused"),
        of=replace(IDENTITY, uuid=again.name.removeprefix("uuid-")),
        representation_rows=reading.representations,
        file_rows=tuple(sorted(files, key=lambda row: row.path)),
        description_rows=tuple(reading.description_rows),
        event_rows=reading.events,
        agent_rows=reading.agents,
        right_rows=tuple(reading.rights),
    )
    for _ in generated(rows, again):
        pass
    assert judged(AIP, FolderTree(again)) == []


FAULTS: dict[str, dict[str, Any]] = {
    "no representation": {"representation_rows": ()},
    "no documentation": {"file_rows": lambda row: row.use is not Use.DOCUMENTATION},
    "no schema": {"file_rows": lambda row: row.use is not Use.SCHEMA},
    "unknown agent": {"agent_rows": ()},
    "described twice": {"description_rows": (Description(None, ()), Description(None, ()))},
    "describes nothing": {"description_rows": (Description(PackagePath(b"representations/x/data/y"), ()),)},
    "event elsewhere": {
        "event_rows": (Event("e", "x", WHEN, WHEN, "", Outcome.FAIL, "", (), (Link("representation", "x"),)),)
    },
}


@pytest.mark.parametrize("name", FAULTS)
def test_rows_that_cannot_become_an_aip(tmp_path: Path, name: str) -> None:
    rows = sample_rows(tmp_path / "a")
    changes: dict[str, Any] = {
        key: tuple(row for row in rows.file_rows if value(row)) if callable(value) else value
        for key, value in FAULTS[name].items()
    }
    with pytest.raises(ValueError, match=r"AIP|agent|describe|unknown"):
        list(generated(replace(rows, **changes), tmp_path / "b"))


@pytest.mark.parametrize(
    "path",
    [
        "METS.xml", "representations/rep1/METS.xml", "metadata/descriptive/dc.xml", "documentation/../x", "data/x",
        "representations/rep1/x", "representations/rep9/data/x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("use", [Use.DATA, Use.PRESERVATION, Use.METS])
def test_files_that_have_no_place(tmp_path: Path, path: str, use: Use) -> None:
    rows = sample_rows(tmp_path / "a")
    owner = "rep1" if "rep1" in path else None
    wrong = FileRow(PackagePath(path.encode()), 0, "0" * 64, use, "text/plain", WHEN, owner)
    with pytest.raises(ValueError, match=r"b'"):
        list(generated(replace(rows, file_rows=(*rows.file_rows, wrong)), tmp_path / "b"))


def test_what_is_written_may_become_a_row_meanwhile(tmp_path: Path) -> None:
    """Who keeps the rows may add each generated file to them before the next one is composed."""
    alone = composed(tmp_path / "alone")
    root = tmp_path / "growing" / IDENTITY.root
    rows = sample_rows(root)
    grown: list[FileRow] = list(rows.file_rows)

    class Growing:
        identity, representations, descriptions = rows.identity, rows.representations, rows.descriptions
        events, agents, rights, file = rows.events, rows.agents, rows.rights, rows.file

        def files(self, use: Use | None = None, representation: str | None = None) -> Iterator[FileRow]:
            return replace(rows, file_rows=tuple(grown)).files(use, representation)

    for made in AIP.compose(Growing(), root):
        grown.append(FileRow(made.path, made.size, made.sha256, made.use, "application/xml", WHEN))
    assert (root / "METS.xml").read_bytes() == (alone / "METS.xml").read_bytes()
