"""Content that breaks, overloads, fools or calls: a finding each within the limits, and nothing reaches anybody."""

from __future__ import annotations

import csv
import hashlib
import shutil
import socket
import tempfile
import threading
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.content.normalisation import Converted, normalise, rules
from pipeline.packages.eark.rows import read_rows
from pipeline.records import PackagePath
from pipeline.settings import PROJECT
from pipeline.tree import FolderTree
from tests.command import ARCHIVE, CLOCK, Answer, House
from tests.ingest.calling_files import CALLING
from tests.ingest.hostile_files import HOSTILE
from tests.ingest.made_files import make

pytestmark = pytest.mark.slow
TABLE = Path(__file__).with_name("hostile.tsv")
DATA = PROJECT / "tests" / "data"
SECRET = "bi-mat-7d3f1c"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The temporary folder of a command, which programs that run as nobody can walk through."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def house(base: Path, temporary: Path) -> House:
    made = House(base, {"LUUTRU_CLOCK": CLOCK, "TMPDIR": str(temporary)})
    made.settings(archive=ARCHIVE, workers=2)
    return made.stores()


# --- broken, locked, empty, mislabelled, made to overload ---


def lines() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def digests(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_table_has_every_kind_of_evil_in_every_family() -> None:
    held = lines()
    families = {line["path"].split("/")[0] for line in held}
    assert families == {"văn bản", "văn phòng", "pdf", "ảnh", "âm thanh", "phim", "xml", "nén", "lành"}
    for family in families - {"lành"}:
        assert [line for line in held if line["path"].startswith(f"{family}/rỗng.")], family
    assert all(line["findings"] or line["outcome"] == "made" for line in held), "a finding each, or all of it is kept"


def test_hostile_files_cost_a_finding_each_and_their_neighbours_nothing(tmp_path: Path, temporary: Path) -> None:
    """One ingest of all of them: it ends, says what each is, converts the good ones and leaves nothing behind."""
    package, scratch = tmp_path / "gói", tmp_path / "scratch"
    scratch.mkdir()
    for line in lines():
        target = package / line["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        kind, _, name = line["source"].partition(" ")
        if kind == "hostile":
            target.write_bytes(HOSTILE[name]())
        elif kind == "made":
            make(name, target, scratch)
        else:
            shutil.copyfile(DATA / line["source"], target)
    before = digests(package)
    made = house(tmp_path / "house", temporary)
    answer = made.run("ingest", package, timeout=600)
    assert answer.exit == 0, answer.out + answer.err
    assert digests(package) == before
    left = {item.name for item in temporary.iterdir()}
    assert not left, "nothing is left in the temporary folder"
    assert {item.name for item in tmp_path.iterdir()} == {"gói", "scratch", "house"}
    codes: dict[str, list[str]] = defaultdict(list)
    for one in answer.item["findings"]:
        codes[one["file"] or ""].append(one["code"])
    rows = read_rows(FolderTree(exported(made, answer, tmp_path / "out"))).file_rows
    copies = {row.derived_from for row in rows}
    actual = {
        bytes(row.original_name).decode(): (
            "made" if row.path in copies else "alone",
            " ".join(sorted(codes[bytes(row.original_name).decode()])),
        )
        for row in rows
        if row.original_name is not None
    }
    expected = {line["path"]: (line["outcome"], line["findings"]) for line in lines()}
    assert actual == expected, [
        (name, one, actual.get(name)) for name, one in expected.items() if one != actual.get(name)
    ]


def exported(made: House, answer: Answer, out: Path) -> Path:
    handed = made.run("export", answer.item["aip"], out)
    assert handed.exit == 0, handed.err
    return Path(handed.item["path"])


# --- calling ---


class Listener:
    """TCP and UDP on one port of the loopback address; `heard` is whatever came."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        while True:
            self._tcp = socket.create_server(("127.0.0.1", 0))
            self.port = self._tcp.getsockname()[1]
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._udp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self._udp.close()
                self._tcp.close()
        for target in (self._streams, self._datagrams):
            threading.Thread(target=target, daemon=True).start()

    def _streams(self) -> None:
        while True:
            try:
                caller, _ = self._tcp.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                try:
                    self.heard.append(b"tcp " + caller.recv(1000))
                except OSError as problem:
                    self.heard.append(str(problem).encode())

    def _datagrams(self) -> None:
        while True:
            try:
                self.heard.append(b"udp " + self._udp.recv(1000))
            except OSError:
                return

    def close(self) -> None:
        for one in (self._tcp, self._udp):
            one.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """It hears what does come: one call each way, as a control."""
    made = Listener()
    with socket.create_connection(("127.0.0.1", made.port)) as caller:
        caller.sendall(b"control")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"control", ("127.0.0.1", made.port))
    for _ in range(1000):
        if len(made.heard) == 2:
            break
        threading.Event().wait(0.01)
    assert sorted(made.heard) == [b"tcp control", b"udp control"]
    made.heard.clear()
    yield made
    made.close()


@pytest.fixture
def secret() -> Iterator[Path]:
    """A file that everybody may read and no package is about."""
    with tempfile.TemporaryDirectory(prefix="not-for-you-") as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "a.txt"
        file.write_text(f"{SECRET}\n" * 20)
        file.chmod(0o644)
        yield file


def unpacked(file: Path) -> bytes:
    """All that is to be read in a file: itself, members of a zip, streams of a PDF."""
    data = file.read_bytes()
    parts = [data]
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as opened:
            parts += [opened.read(name) for name in opened.namelist()]
    at = 0
    while (at := data.find(b"stream", at)) >= 0:
        at += 6
        start = at + (2 if data[at : at + 2] == b"\r\n" else 1)
        try:
            parts.append(zlib.decompressobj().decompress(data[start:]))
        except zlib.error:
            continue
    return b"\0".join(parts)


def test_nobody_is_called_and_no_file_of_the_machine_is_shown(
    tmp_path: Path, temporary: Path, listener: Listener, secret: Path
) -> None:
    """A whole ingest, then each rule on files that its format would keep away from it."""
    package = tmp_path / "gói"
    package.mkdir()
    for name, (_, make_it) in CALLING.items():
        (package / name).write_bytes(make_it(f"http://127.0.0.1:{listener.port}", str(secret)))
    made = house(tmp_path / "house", temporary)
    answer = made.run("ingest", package, timeout=600)
    assert answer.exit == 0, answer.out + answer.err
    out = exported(made, answer, tmp_path / "out")
    copies = sorted((out / "representations" / "rep1-preservation").rglob("*.*"))
    assert {"Mẫu ở xa.docx.odt", "Ảnh ở xa.odt.pdf", "Trường.rtf.odt"} <= {file.name for file in copies}
    forced = []
    scratch = tmp_path / "forced"
    scratch.mkdir()
    for name, (rule, _) in CALLING.items():
        if rule.startswith(("image", "audio", "video")):
            chosen = next(one for one in rules().rules if one.name == rule)
            actions = tuple(
                replace(one, limits=replace(one.limits, seconds=30, pixels=0)) for one in chosen.actions[:1]
            )
            outcome = normalise(
                package / name, PackagePath(name.encode()), replace(chosen, actions=actions), scratch, workers=1
            )
            forced += [one.path for one in outcome.derivatives] if isinstance(outcome, Converted) else []
    assert listener.heard == []
    for file in (*copies, *forced):
        if file.is_file():
            assert SECRET.encode() not in unpacked(file), file
    assert SECRET not in answer.out
    assert not Path("/tmp/msl-wrote.png").exists()
