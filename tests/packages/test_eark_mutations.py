"""Whatever happens to the XML of an AIP: reading it gives findings, never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.findings import as_json
from pipeline.packages.eark import EarkAip
from pipeline.tree import FolderTree
from tests.packages.eark_samples import composed
from tests.packages.received import digest_tree

FILES = (
    "METS.xml",
    "metadata/descriptive/dc.xml",
    "metadata/preservation/premis.xml",
    "representations/rep1/METS.xml",
    "representations/rep2/metadata/preservation/premis.xml",
)
TOKENS = (
    b"<", b">", b'"', b"&", b"/", b"=", b" ", b"\0", b"\xff", b"<!--", b"]]>", b"&#0;", b"&lt;", b"..", b"%", b"<a>",
    b'xmlns=""', b"9" * 40, b"-1", b"2026", b"\xc4\x91", b"<!DOCTYPE a>",
)  # fmt: skip


@pytest.fixture(scope="module")
def aip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return composed(tmp_path_factory.mktemp("aip"))


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_never_raises(aip: Path, data: st.DataObject) -> None:
    file = aip / data.draw(st.sampled_from(FILES))
    before = content = file.read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content)))
        end = min(len(content), begin + data.draw(st.integers(0, 80)))
        piece = content[begin:end]
        change = data.draw(st.sampled_from(["insert", "delete", "repeat", "replace", "cut"]))
        if change == "insert":
            content = content[:begin] + data.draw(st.sampled_from(TOKENS)) + content[begin:]
        elif change == "delete":
            content = content[:begin] + content[end:]
        elif change == "repeat":
            content = content[:end] + piece + content[end:]
        elif change == "replace":
            content = content[:begin] + data.draw(st.sampled_from(TOKENS)) + content[end:]
        else:
            content = content[:begin]
    file.write_bytes(content)
    try:
        kind, tree = EarkAip(), FolderTree(aip)
        kind.recognise(tree)
        received = digest_tree(tree, kind.algorithms(tree))
        for finding in kind.check(tree, received):
            assert as_json(finding)["message"]["vi"]
        kind.read(tree, received)
    finally:
        file.write_bytes(before)
