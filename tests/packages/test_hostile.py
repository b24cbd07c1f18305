"""Whatever a depositor's metadata holds: findings with codes we know and texts that can be kept, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.findings import as_json, codes
from pipeline.packages import Kind
from pipeline.packages.bagit import Bagit
from pipeline.packages.folder import Folder
from pipeline.tree import FolderTree
from tests.packages.bags import bag
from tests.packages.received import digest_tree, judged, write

TRIES = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
PLAIN = r"""| |:|%|%0A|%25|*|\|/|..|~|data/|a.txt|ệ|-|http://x/|"|,|{|}|[|]|\ud800|"filename"|"package"|objects/|UTF-16|UTF-8"""
WHOLE = ["\n", "\r", "\r\n", "\t", "\0", "0" * 64, "filename,dc.title\n", "BagIt-Version: 1.0\n", "Payload-Oxum: 6.1"]
ODD = [b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"Tag-File-Character-Encoding: "]
PIECES = st.sampled_from([*(text.encode() for text in (*PLAIN.split("|"), *WHOLE)), *ODD])
TAG_FILES = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "fetch.txt"]
CHARSETS = ["UTF-8", "UTF-16", "ISO-8859-1", "UTF-32", "GB18030", "shift_jis"]
BYTES = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=12).map(b"".join))


def keepable(kind: Kind, root: Path) -> None:
    tree = FolderTree(root)
    for finding in judged(kind, tree):
        assert finding.code in codes()
        for text in (finding.expected, finding.found):
            (text or "").encode()
        as_json(finding)
    reading = kind.read(tree, digest_tree(tree, ()))
    assert reading.title
    for row in reading.description_rows:
        assert row.target is None or row.target.startswith((b"representations/", b"documentation/"))


@TRIES
@given(which=st.sampled_from(TAG_FILES), content=BYTES, charset=st.sampled_from(CHARSETS))
@example(which="bag-info.txt", content=b"no mark", charset="UTF-16")
def test_bags(tmp_path_factory: pytest.TempPathFactory, which: str, content: bytes, charset: str) -> None:
    root = bag(tmp_path_factory.mktemp("b"), charset=charset, codec=charset, replace={which: content})
    keepable(Bagit(), root)


@TRIES
@given(which=st.sampled_from(["metadata.csv", "metadata.json", "checksum.md5", "checksum.sha256"]), content=BYTES)
@example(which="metadata.json", content=b'[{"filename": "\\ud800", "\\ud801": "x"}]')
@example(which="metadata.json", content=b'{"files": {"\\ud800": 1}}')
@example(which="metadata.json", content=b'{"\\ud800": 1, "\\ud800": 2}')
def test_folders(tmp_path_factory: pytest.TempPathFactory, which: str, content: bytes) -> None:
    root = write(tmp_path_factory.mktemp("f"), {"objects/a.txt": b"alpha\n", f"metadata/{which}": content})
    keepable(Folder(), root)
