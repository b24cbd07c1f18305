"""Lines of `luutru identify`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from pipeline.content.identification import extension_of, format_findings
from pipeline.content.listing import identify_paths
from pipeline.content.reading import Unreadable
from pipeline.errors import UsageProblem
from pipeline.findings import codes
from pipeline.records import Format, PackagePath

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests/data/vietnamese"


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


def lines(paths: list[Path], scratch: Path) -> list[dict[str, Any]]:
    found = []
    for one in identify_paths(paths, workers=1, scratch=scratch):
        assert isinstance(one, dict)
        found.append(one)
    return found


def test_lines_keep_the_contract_and_the_order(scratch: Path) -> None:
    paths = [DATA / "text/utf8.txt", DATA / "corrupt", DATA / "image/page.bmp"]
    found = lines(paths, scratch)
    expected = [paths[0], *sorted((DATA / "corrupt").iterdir()), paths[2]]
    assert [one["path"] for one in found] == [str(path) for path in expected]
    folder = ROOT / "schemas/cli"
    schemas = [json.loads(file.read_bytes()) for file in folder.glob("*.json")]
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas
    )
    schema = json.loads((folder / "identify.schema.json").read_bytes())
    for one in found:
        Draft202012Validator(schema, registry=registry).validate(one)
    bmp = found[-1]
    assert (bmp["puid"], bmp["agreement"], bmp["mime"]) == ("fmt/116", "same", "image/bmp")
    assert [*bmp["engines"]] == ["siegfried", "fido"]
    assert bmp["engines"]["siegfried"]["match_type"] == "signature"
    unknown = next(one for one in found if one["path"].endswith("random.docx"))
    assert (unknown["puid"], unknown["agreement"]) == (None, "none")
    assert "fmt/412" in unknown["engines"]["siegfried"]["candidates"]


def test_links_given_by_name_are_followed(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(DATA / "text/utf8.txt")
    (one,) = lines([tmp_path / "link.txt"], scratch)
    assert one["path"] == str(tmp_path / "link.txt")
    assert one["puid"] == "x-fmt/111"


def test_odd_names_are_shown_escaped(scratch: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"v\xa8n\x1b[31m.txt")
    (tmp_path / name).write_text("x")
    for paths in ([tmp_path], [tmp_path / name]):
        (one,) = lines(paths, scratch)
        assert "\x1b" not in one["path"]
        one["path"].encode()


def test_nothing_is_read_when_a_path_is_wrong(scratch: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for wrong in (tmp_path / "absent", tmp_path / "fifo"):
        with pytest.raises(UsageProblem) as problem:
            next(identify_paths([DATA / "text", wrong], workers=1, scratch=scratch))
        assert problem.value.code == "USE-PATH"


def test_a_file_that_vanishes_is_told(scratch: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    kept = tmp_path / "b"
    results = identify_paths([tmp_path / "a", kept, tmp_path / "c"], workers=1, scratch=scratch)
    assert isinstance(next(results), dict)
    kept.unlink()
    kept.symlink_to("nowhere")
    one = next(results)
    assert isinstance(one, Unreadable)
    assert one.problem.code == "SYS-READ"
    assert isinstance(next(results), dict)


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        (b"a/b.docx", "docx"),
        (b"a.b/c", ""),
        (b"c.", ""),
        (b".profile", "profile"),
        (b"x.qxp report", "qxp report"),
        (b"x.\xff", ""),
        (b"x.a\nb", ""),
        (b"x.tar.gz", "gz"),
        (b"x." + b"y" * 60, ""),
    ],
)
def test_only_plain_extensions_reach_the_engine(path: bytes, extension: str) -> None:
    assert extension_of(path) == extension


def known(puid: str | None, warning: str = "", engine: str = "siegfried") -> Format:
    match = "signature" if puid else "none"
    return Format(puid, "PNG", "1.1", "image/png", match, "", warning, engine, "1", "V1")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (known("fmt/12"), None),
        (known("fmt/12", "extension mismatch"), "FMT-EXTENSION"),
        (known(None, "no match; possibilities based on extension are fmt/11, x-fmt/9"), "FMT-UNKNOWN"),
        (known(None, "no PRONOM engine", "libmagic"), "FMT-NO-ENGINE"),
        (known(None, "identification stopped, timeout: 45 s"), None),
        (None, None),
    ],
)
def test_formats_leave_findings(found: Format | None, code: str | None) -> None:
    path = PackagePath(b"a.jpg")
    told = list(format_findings(path, 1, found))
    assert [finding.code for finding in told] == ([code] if code else [])
    assert all(finding.code in codes() for finding in told)
    assert list(format_findings(path, 0, found)) == []
    if code == "FMT-UNKNOWN":
        assert told[0].expected == "fmt/11, x-fmt/9"
    if code == "FMT-EXTENSION":
        assert (told[0].expected, told[0].found) == ("fmt/12 PNG 1.1", "jpg")
