"""The journal: chains, flushing, seals, and what a kill or a hand can do to them."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SystemProblem
from pipeline.settings import PROJECT
from pipeline.storage.chains import FolderSource, StoreSource, all_lines, verify
from pipeline.storage.journal import Journal, journal
from pipeline.storage.lines import GENESIS, Broken, Commit, Kind, composed, parsed
from pipeline.storage.stores import StoreAbsent
from tests.holding import commit, file_store, space


def codes(*sources: StoreSource | FolderSource) -> list[str]:
    return [finding.code for finding in verify(sources).findings]


def segments_of(store: Path) -> list[Path]:
    return sorted((store / "journal").rglob("*.jsonl"))


def test_lines_continue_each_other(tmp_path: Path) -> None:
    book = journal(space(tmp_path / "data"))
    first, second = book.append("export", {"a": 1}), book.append("export", {"title": "Hồ sơ\n\u2028 \ud800"})
    assert (first.seq, first.previous) == (1, GENESIS)
    assert second.previous == hashlib.sha256(first.raw).hexdigest()
    assert second.raw.count(b"\n") == 1
    assert [line.raw for line in book.lines()] == [first.raw, second.raw]
    assert parsed(second.raw) == second


def test_flush_puts_the_same_bytes_into_every_store(tmp_path: Path) -> None:
    book = journal(space(tmp_path / "data"))
    one, two = file_store(tmp_path / "one", "one"), file_store(tmp_path / "two", "two")
    lines = [book.append("export", {"n": n}) for n in range(5)]
    told = book.flush([one, two])
    assert told.reached == ("one", "two") and not told.pending
    names = [[file.relative_to(tmp_path / store) for file in segments_of(tmp_path / store)] for store in ("one", "two")]
    assert names[0] == names[1]
    assert names[0][0].name == "000000000001-000000000005.jsonl"
    for store in (one, two):
        assert [line.raw for line in all_lines(StoreSource(store))] == [line.raw for line in lines]
    assert book.flush([one, two]).segments == 0
    book.append("export", {"n": 6})
    book.flush([one, two])
    assert codes(StoreSource(one), StoreSource(two)) == []


def test_an_absent_store_is_filled_later(tmp_path: Path) -> None:
    book = journal(space(tmp_path / "data"))
    one, two = file_store(tmp_path / "one", "one"), file_store(tmp_path / "two", "two")
    book.append("export", {})
    (tmp_path / "two").rename(tmp_path / "away")
    (tmp_path / "two").mkdir()
    told = book.flush([one, two])
    assert told.reached == ("one",) and isinstance(told.pending["two"], StoreAbsent)
    (tmp_path / "two").rmdir()
    (tmp_path / "away").rename(tmp_path / "two")
    book.append("export", {})
    assert codes(StoreSource(one), StoreSource(file_store(tmp_path / "two", "two"))) == ["JRN-LAG"]
    assert book.flush([one, file_store(tmp_path / "two", "two")]).reached == ("one", "two")
    assert codes(StoreSource(one), StoreSource(two)) == []
    assert len(segments_of(tmp_path / "two")) == 2


def test_no_store_within_reach_is_a_problem(tmp_path: Path) -> None:
    book = journal(space(tmp_path / "data"))
    one = file_store(tmp_path / "one", "one")
    book.append("export", {})
    (tmp_path / "one").rename(tmp_path / "away")
    with pytest.raises(StoreAbsent):
        book.flush([one])
    (tmp_path / "away").rename(tmp_path / "one")
    assert book.flush([file_store(tmp_path / "one", "one")]).segments == 1


def test_a_data_folder_restored_from_a_backup_is_an_alarm(tmp_path: Path) -> None:
    one = file_store(tmp_path / "one", "one")
    book = journal(space(tmp_path / "data"))
    book.append("export", {"n": 1})
    book.flush([one])
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    book.append("export", {"n": 2})
    book.flush([one])
    restored = journal(space(tmp_path / "backup"))
    with pytest.raises(SystemProblem) as problem:
        restored.check([one])
    assert problem.value.code == "SYS-JOURNAL-FORK"
    for extra in ([], [3]):  # as many lines as the other history, then more
        restored = journal(space(tmp_path / "backup"))
        for n in [2, *extra]:
            restored.append("export", {"other": n})
        with pytest.raises(SystemProblem) as problem:
            restored.flush([one])
        assert problem.value.code == "SYS-JOURNAL-FORK"
    assert [line.fields["n"] for line in all_lines(StoreSource(one))] == [1, 2]


def test_the_same_name_with_other_bytes_is_an_alarm(tmp_path: Path) -> None:
    one = file_store(tmp_path / "one", "one")
    book = journal(space(tmp_path / "data"))
    book.append("export", {"n": 1})
    shutil.copytree(tmp_path / "data", tmp_path / "twin")
    twin = journal(space(tmp_path / "twin"))
    twin.check([one])
    book.append("export", {"n": 2})
    twin.append("export", {"n": "two"})
    book.flush([one])
    with pytest.raises(SystemProblem) as problem:
        twin.flush([one])  # compared before the other flushed: the key itself tells
    assert problem.value.code == "SYS-JOURNAL-FORK"


def test_a_torn_last_line_is_dropped_and_a_whole_one_never(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    book = journal(home)
    first = book.append("export", {"n": 1})
    (file,) = (home.journal / "open").rglob("*.jsonl")
    whole = composed(
        writer=book.writer, seq=2, time=first.time, kind="export", who="x", previous=first.digest, fields={}
    ).raw
    for cut in range(len(whole)):
        file.write_bytes(first.raw + whole[:cut])
        again = journal(home)
        assert again.head().seq == 1
        assert file.read_bytes() == first.raw
    file.write_bytes(first.raw + whole)
    again = journal(home)
    assert again.head().seq == 2
    assert again.append("export", {}).previous == hashlib.sha256(whole).hexdigest()


def test_a_torn_first_line_of_a_segment(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    book = journal(home)
    last = book.append("export", {"n": 1})
    one = file_store(tmp_path / "one", "one")
    book.flush([one])
    (file,) = (home.journal / "open").rglob("*.jsonl")
    file.write_bytes(b'{"format":1,"wri')
    line = journal(home).append("export", {"n": 2})
    assert (line.seq, line.previous) == (2, last.digest)


def test_killed_while_a_segment_was_closed(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    book = journal(home)
    last = book.append("export", {"n": 1})
    book.flush([file_store(tmp_path / "one", "one")])
    (file,) = (home.journal / "open").rglob("*.jsonl")
    file.unlink()  # renamed, and the next one not begun
    line = journal(home).append("export", {"n": 2})
    assert (line.seq, line.previous) == (2, last.digest)


def test_a_changed_line_in_the_open_segment_stops_writing(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    book = journal(home)
    book.append("export", {"n": 1})
    book.append("export", {"n": 2})
    (file,) = (home.journal / "open").rglob("*.jsonl")
    file.write_bytes(file.read_bytes().replace(b'"n":1', b'"n":7'))
    with pytest.raises(SystemProblem) as problem:
        journal(home).append("export", {})
    assert problem.value.code == "SYS-JOURNAL-BROKEN"


def test_the_clock_may_go_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = journal(space(tmp_path / "data"))
    one = file_store(tmp_path / "one", "one")
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-11-24T08:00:00+07:00")
    book.append("export", {"n": 1})
    book.flush([one])
    monkeypatch.setenv("LUUTRU_CLOCK", "2025-11-24T08:00:00+07:00")
    line = book.append("export", {"n": 2})
    assert line.clock_back == 365 * 86400
    book.append("export", {"n": 3})
    book.flush([one])
    assert [line.fields["n"] for line in all_lines(StoreSource(one))] == [1, 2, 3]
    report = verify([StoreSource(one)])
    assert [finding.code for finding in report.findings] == ["JRN-CLOCK"]
    assert [segment.parent.name for segment in segments_of(tmp_path / "one")] == ["2025-11", "2026-11"]
    assert journal(space(tmp_path / "data")).append("export", {}).seq == 4


def test_a_full_disk_leaves_the_chain_as_it_was(tmp_path: Path) -> None:
    """A real full disk is not to be had for an ordinary user: a limit on file size is, and fails the same call."""
    child = multiprocessing.get_context("fork").Process(target=_append_at_limit, args=(tmp_path,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert journal(space(tmp_path / "data")).append("export", {}).seq == 3


def _append_at_limit(root: Path) -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    book = journal(space(root / "data"))
    book.append("export", {})
    book.append("export", {})
    (file,) = (root / "data" / "journal" / "open").rglob("*.jsonl")
    before = file.read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 40, resource.RLIM_INFINITY))
    try:
        book.append("export", {"long": "x" * 1000})
    except SystemProblem as problem:
        assert problem.code == "SYS-JOURNAL-WRITE"
    else:
        os._exit(3)
    assert file.read_bytes() == before
    os._exit(0)


def test_processes_and_threads_are_one_writer(tmp_path: Path) -> None:
    home = space(tmp_path / "data")
    one = file_store(tmp_path / "one", "one")
    script = (
        "import sys; from pathlib import Path; from tests.holding import space, file_store\n"
        "from pipeline.storage.journal import journal\n"
        "root = Path(sys.argv[1]); book = journal(space(root / 'data')); one = file_store(root / 'one', 'one')\n"
        "for n in range(20):\n"
        "    book.append('export', {'from': sys.argv[2], 'n': n})\n"
        "    if n % 3 == 0: book.flush([one])\n"
        "book.flush([one])\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(who)]) for who in range(3)]
    book = journal(home)
    threads = [threading.Thread(target=lambda: [book.append("export", {"t": n}) for n in range(10)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [child.wait(60) for child in children] == [0, 0, 0]
    book.flush([one])
    lines = list(all_lines(StoreSource(one)))
    assert [line.seq for line in lines] == list(range(1, 91))
    assert codes(StoreSource(one), FolderSource(home.journal)) == []


@pytest.mark.parametrize("moment", range(12))
def test_killed_at_any_moment(tmp_path: Path, moment: int) -> None:
    """What was reported is there, the chain is right, and the same work goes on."""
    script = (
        "import sys; from pathlib import Path; from tests.holding import space, file_store\n"
        "from pipeline.storage.journal import journal\n"
        "root = Path(sys.argv[1]); book = journal(space(root / 'data')); one = file_store(root / 'one', 'one')\n"
        "while True:\n"
        "    line = book.append('export', {'pad': 'x' * 5000})\n"
        "    print('line', line.seq, line.digest, flush=True)\n"
        "    if line.seq % 2 == 0:\n"
        "        book.flush([one])\n"
        "        print('flushed', line.seq, line.digest, flush=True)\n"
    )
    home = space(tmp_path / "data")
    one = file_store(tmp_path / "one", "one")
    reported: dict[int, str] = {}
    flushed = 0
    for _round in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert child.stdout is not None
        heard = [child.stdout.readline()]
        time.sleep(0.003 * moment + 0.001)
        os.killpg(child.pid, signal.SIGKILL)
        heard += child.stdout.readlines()
        child.wait(60)
        for text in heard:
            what, *rest = text.split()
            if len(rest) == 2 and len(rest[1]) == 64:
                reported[int(rest[0])] = rest[1]
                flushed = int(rest[0]) if what == "flushed" else flushed
        stored = {line.seq: line.digest for line in all_lines(StoreSource(one))}
        assert all(stored[seq] == digest for seq, digest in reported.items() if seq <= flushed)
        there = {line.seq: line.digest for line in journal(home).lines()}
        assert all(there[seq] == digest for seq, digest in reported.items())
    book = journal(home)
    book.append("export", {})
    book.flush([one])
    assert codes(StoreSource(one), FolderSource(home.journal)) == []
    assert len(list((home.journal / "open").rglob("*.jsonl"))) == 1


def test_the_seal_of_a_day_names_all_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-11-24T08:00:00Z")
    one, two = file_store(tmp_path / "one", "one"), file_store(tmp_path / "two", "two")
    other = journal(space(tmp_path / "other", "fedcba9876543210"))
    last = other.append("export", {"by": "other"})
    other.flush([one])
    book = journal(space(tmp_path / "data"))
    own = book.append("export", {"by": "me"})
    seal = book.seal_if_due([one, two])
    assert seal is not None and seal.kind == Kind.SEAL
    assert seal.fields["heads"] == [
        {"writer": book.writer, "seq": own.seq, "digest": own.digest},
        {"writer": other.writer, "seq": last.seq, "digest": last.digest},
    ]
    assert book.seal_if_due([one, two]) is None
    assert journal(space(tmp_path / "data")).seal_if_due([one, two]) is None
    book.flush([one, two])
    assert codes(StoreSource(one), StoreSource(two)) == []  # the other writer's segment was copied
    monkeypatch.setenv("LUUTRU_CLOCK", "2026-11-25T08:00:00Z")
    assert book.seal_if_due([one, two]) is not None


def test_two_histories_are_not_sealed(tmp_path: Path) -> None:
    one, two = file_store(tmp_path / "one", "one"), file_store(tmp_path / "two", "two")
    for name, store, count in (("a", one, 1), ("b", two, 2)):
        book = Journal(space(tmp_path / name), "fedcba9876543210")
        for n in range(count):
            book.append("export", {"n": n, "of": name})
        book.flush([store])
    own = journal(space(tmp_path / "data"))
    own.append("export", {})
    with pytest.raises(SystemProblem) as problem:
        own.seal_if_due([one, two])
    assert problem.value.code == "SYS-JOURNAL-FORK"
    assert len(segments_of(tmp_path / "one")) == 2  # what was ours is there nevertheless
    assert set(codes(StoreSource(one), StoreSource(two))) == {"JRN-FORK", "JRN-LAG"}


def test_a_store_that_lost_lines_is_filled_and_told_of(tmp_path: Path) -> None:
    one, two = file_store(tmp_path / "one", "one"), file_store(tmp_path / "two", "two")
    book = journal(space(tmp_path / "data"))
    for n in range(2):
        book.append("export", {"n": n})
        book.flush([one, two])
    segments_of(tmp_path / "two")[0].unlink()
    book.seal_if_due([one, two])
    book.flush([one, two])
    assert codes(StoreSource(one), StoreSource(two)) == []
    (line,) = [line for line in book.lines() if line.kind == Kind.REFILLED]
    assert line.fields == {"store": "two", "store_id": two.id, "segments": 1}


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stores with three segments of one writer, the last one with a seal."""
    book = journal(space(tmp_path / "data"))
    stores = [file_store(tmp_path / "one", "one"), file_store(tmp_path / "two", "two")]
    for part in range(2):
        for n in range(3):
            book.append("export", {"part": part, "n": n})
        book.flush(stores)
    book.seal_if_due(stores)
    book.flush(stores)
    return tmp_path


def checked(root: Path, *names: str) -> set[str]:
    return set(codes(*(StoreSource(file_store(root / name, name)) for name in names)))


def test_a_changed_line(sealed: Path) -> None:
    file = segments_of(sealed / "one")[0]
    file.write_bytes(file.read_bytes().replace(b'"n":1', b'"n":9'))
    assert checked(sealed, "one") == {"JRN-CHAIN"}
    assert checked(sealed, "one", "two") == {"JRN-CHAIN", "JRN-FORK"}
    findings = verify([StoreSource(file_store(sealed / "one", "one"))]).findings
    assert [(finding.line, (finding.file or b"").startswith(b"one:journal/")) for finding in findings] == [(3, True)]


def test_a_changed_last_line_of_a_chain_that_was_sealed(sealed: Path) -> None:
    """The chain's end is what only a seal protects; here even the segment after it is made to fit."""
    files = segments_of(sealed / "one")
    lines = files[1].read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b'"n":2', b'"n":3')
    files[1].write_bytes(b"".join(lines))
    value = json.loads(files[2].read_bytes())
    value["previous"] = hashlib.sha256(lines[-1]).hexdigest()
    files[2].write_bytes(json.dumps(value).encode() + b"\n")
    assert checked(sealed, "one") == {"JRN-SEAL"}


def test_a_deleted_segment(sealed: Path) -> None:
    segments_of(sealed / "one")[0].unlink()
    assert checked(sealed, "one") == {"JRN-GAP"}
    assert checked(sealed, "one", "two") == {"JRN-GAP", "JRN-LAG"}


def test_a_deleted_line(sealed: Path) -> None:
    file = segments_of(sealed / "one")[0]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[2])
    assert checked(sealed, "one") == {"JRN-GAP", "JRN-CHAIN"}
    file.write_bytes(lines[0] + lines[1])
    assert checked(sealed, "one") == {"JRN-NAME", "JRN-CHAIN"}


def test_a_torn_line_in_a_store(sealed: Path) -> None:
    file = segments_of(sealed / "one")[1]
    file.write_bytes(file.read_bytes()[:-10])
    assert "JRN-LINE" in checked(sealed, "one")
    with pytest.raises(SystemProblem):
        list(all_lines(StoreSource(file_store(sealed / "one", "one"))))
    told: list[str] = []
    lines = list(all_lines(StoreSource(file_store(sealed / "one", "one")), lambda finding: told.append(finding.code)))
    assert told == ["JRN-LINE"] and len(lines) == 6


def test_a_line_of_a_newer_luutru_is_refused(sealed: Path) -> None:
    file = segments_of(sealed / "one")[0]
    file.write_bytes(file.read_bytes().replace(b'"format":1', b'"format":2', 1))
    with pytest.raises(SystemProblem) as problem:
        list(all_lines(StoreSource(file_store(sealed / "one", "one"))))
    assert problem.value.code == "SYS-FORMAT"


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.text(max_size=40), min_size=2, max_size=6),
    where=st.integers(min_value=0),
    byte=st.integers(min_value=0, max_value=255),
)
def test_any_changed_byte_is_found(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], where: int, byte: int
) -> None:
    """One byte, anywhere in a chain that another store or a seal knows."""
    root = tmp_path_factory.mktemp("chain")
    book = journal(space(root / "data"))
    for text in texts:
        book.append("export", {"text": text})
    one = file_store(root / "one", "one")
    book.flush([one])
    assert codes(StoreSource(one)) == []
    assert [line.fields["text"] for line in all_lines(StoreSource(one))] == texts
    shutil.copytree(root / "one" / "journal", root / "copy")
    (file,) = segments_of(root / "one")
    raw = bytearray(file.read_bytes())
    at = where % len(raw)
    if raw[at] == byte:
        return
    raw[at] = byte
    file.write_bytes(bytes(raw))
    try:
        found = verify([StoreSource(one), FolderSource(root / "copy", "copy", whole=True)]).findings
    except SystemProblem as problem:
        assert problem.code == "SYS-FORMAT"  # the byte was the format number
    else:
        assert "JRN-FORK" in {finding.code for finding in found}


@given(st.dictionaries(st.text(max_size=10), st.one_of(st.integers(), st.text(max_size=30), st.none(), st.booleans())))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read(fields: dict[str, object]) -> None:
    from datetime import UTC, datetime

    line = composed(
        writer="w", seq=1, time=datetime(2026, 11, 24, tzinfo=UTC), kind="x", who="y", previous=GENESIS, fields=fields
    )
    assert line.raw.count(b"\n") == 1 and parsed(line.raw) == line and line.fields == fields


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_other_bytes_are_broken(raw: bytes) -> None:
    with pytest.raises(Broken):
        parsed(raw + b"\n")


def test_a_commit_comes_back(tmp_path: Path) -> None:
    one = file_store(tmp_path / "one", "one")
    record = commit(1, [one])
    line = journal(space(tmp_path / "data")).append(Kind.COMMIT, record.fields())
    assert Commit.of(json.loads(line.raw)["fields"]) == record
    assert Commit.of({**line.fields, "later": 1}) == record
    with pytest.raises(Broken):
        Commit.of({"aip": "x"})


def by_hand(block: int, store: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of docs/journal.md as it stands there."""
    text = (PROJECT / "docs" / "journal.md").read_text(encoding="utf-8")
    script = re.findall(r"^```sh\n(.*?)^```$", text, re.S | re.M)[block]
    return subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=store,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_check_by_hand(sealed: Path) -> None:
    told = by_hand(0, sealed / "one")
    assert told.returncode == 0 and told.stdout.count("holds: ") == 1 and " 7 lines" in told.stdout
    told = by_hand(1, sealed / "one")
    assert told.returncode == 0 and told.stdout.startswith("sealed: ")
    assert by_hand(2, sealed / "one", other=str(sealed / "two")).stdout == ""
    file = segments_of(sealed / "one")[1]
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"n":1', b'"n":9'))
    told = by_hand(0, sealed / "one")
    assert told.returncode == 1 and f"{file.relative_to(sealed / 'one')}, line 6" in told.stdout
    assert "differ" in by_hand(2, sealed / "one", other=str(sealed / "two")).stdout
    file.write_bytes(whole.replace(b'"n":2', b'"n":9'))
    told = by_hand(1, sealed / "one")
    assert told.returncode == 1 and "broken seal: " in told.stdout and "line 6" in told.stdout
    file.unlink()
    assert by_hand(0, sealed / "one").returncode == 1
    assert "Only in" in by_hand(2, sealed / "one", other=str(sealed / "two")).stdout


def test_the_life_of_one_aip_by_hand(tmp_path: Path) -> None:
    book, one = journal(space(tmp_path / "data")), file_store(tmp_path / "one", "one")
    for number in (1, 2):
        book.append(Kind.COMMIT, commit(number, [one]).fields())
    book.flush([one])
    told = by_hand(3, tmp_path / "one", aip=commit(2, []).aip[9:]).stdout
    assert len(told.splitlines()) == 1 and " commit " in told
