"""Bodies beyond one PUT: fixed parts, our digest in the metadata, flat memory."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.records import CopyState
from pipeline.storage.copies import write
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import CHUNK, Store
from tests.storage.conftest import Server
from tests.storage.plans import URN, BytesPlan, plan

PROJECT = Path(__file__).resolve().parents[2]
SIZE = 300 * CHUNK + 17


class Stretched(BytesPlan):
    """One file of 300 MiB and a bit that is in no memory."""

    def contents(self):  # type: ignore[no-untyped-def]
        from pipeline.plan import Content

        for content in super().contents():
            big = content.sha256 == self.big
            yield Content(content.sha256, SIZE, None, False) if big else content

    def open(self, content):  # type: ignore[no-untyped-def]
        if content.sha256 != self.big:
            return super().open(content)
        self.file.seek(0)
        return io.BufferedReader(io.FileIO(os.dup(self.file.fileno())))

    big = ""
    file: io.BufferedReader


def stretched(folder: Path) -> Stretched:
    file = folder / "big"
    digest = hashlib.sha256()
    with file.open("wb") as out:
        for number in range(300):
            block = number.to_bytes(2, "big") * (CHUNK // 2)
            out.write(block)
            digest.update(block)
        out.write(b"x" * 17)
        digest.update(b"x" * 17)
    # The inventory speaks of digests alone: a stand-in of the same digest goes through it.
    made = plan(folder, {"METS.xml": b"<mets/>", "big": b"stand-in"})
    stand_in = hashlib.sha256(b"stand-in").hexdigest()
    text = made.inventory.read_text().replace(stand_in, digest.hexdigest())
    text = text.replace(f"/{stand_in[:2]}/{digest.hexdigest()}", f"/{digest.hexdigest()[:2]}/{digest.hexdigest()}")
    made.inventory.write_text(text)
    sha = hashlib.sha256(text.encode()).hexdigest()
    added = {**{d: b for d, b in made.added.items() if d != stand_in}, digest.hexdigest(): b""}
    big = Stretched(made.inventory, sha, 1, added, made.generated)
    big.big, big.file = digest.hexdigest(), file.open("rb")
    return big


@pytest.mark.slow
def test_three_hundred_mebibytes(two: list[Store], tmp_path: Path, seaweed_server: Server) -> None:
    made = stretched(tmp_path)
    rows = write(made, two, scratch=tmp_path)
    assert [row.state for row in rows] == [CopyState.VERIFIED] * 2
    key = f"{layout.prefix(URN)}v1/content/{made.big[:2]}/{made.big}"
    for store in two:
        assert layout.digest_of(store, key) == (made.big, SIZE)
    client = seaweed_server.client()
    place = two[1].setting.url.removeprefix("s3://luutru/")
    found = client.head_object(Bucket="luutru", Key=f"{place}/{key}", ChecksumMode="ENABLED")
    assert found["Metadata"] == {"luutru-sha256": made.big}
    assert found["ETag"].strip('"').endswith("-5")
    head = two[1].head(key)
    assert head is not None and head.sha256 is None and head.size == SIZE
    assert client.list_multipart_uploads(Bucket="luutru").get("Uploads", []) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", [SIZE, 320 * CHUNK])
def test_a_file_goes_in_parts_without_being_copied(
    two: list[Store], tmp_path: Path, seaweed_server: Server, size: int
) -> None:
    """The last part is a short one, or a whole one."""
    file = tmp_path / "big"
    with file.open("wb") as out:
        for number in range(320):
            out.write(number.to_bytes(2, "big") * (CHUNK // 2))
        out.truncate(size)
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    scratch = tmp_path / "data" / "work"
    before = sorted(scratch.rglob("*"))
    assert two[1].put("settings/big", file, size, digest)
    assert layout.digest_of(two[1], "settings/big") == (digest, size)
    place = two[1].setting.url.removeprefix("s3://luutru/")
    found = seaweed_server.client().head_object(Bucket="luutru", Key=f"{place}/settings/big")
    assert found["ETag"].strip('"').endswith("-5") and found["Metadata"] == {"luutru-sha256": digest}
    assert sorted(scratch.rglob("*")) == before
    two[1].delete("settings/big")


@pytest.mark.slow
def test_parts_under_way_are_given_up_together(two: list[Store], seaweed_server: Server) -> None:
    sink = two[1].sink("settings/given-up", SIZE, "0" * 64)
    for _ in range(200):
        sink.write(bytes(CHUNK))
    sink.abort()
    sink.abort()
    assert two[1].head("settings/given-up") is None
    assert seaweed_server.client().list_multipart_uploads(Bucket="luutru").get("Uploads", []) == []


@pytest.mark.slow
def test_memory_stays_flat(two: list[Store], tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pipeline.storage import copies\n"
        "from tests.storage.conftest import opened\n"
        "from pipeline.workspace import workspace\n"
        "from tests.storage.test_big import stretched\n"
        "folder = Path(sys.argv[1])\n"
        "stores = [opened(workspace(), name) for name in ('vault', 'bucket')]\n"
        "made = stretched(folder)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "rows = copies.write(made, stores, scratch=folder)\n"
        "assert all(row.state == 'verified' for row in rows), rows\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, cwd=PROJECT, env=dict(os.environ), capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) < 60
