"""The pool: one file's fault stays one file's fault, and nothing outlives its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.errors import SystemProblem
from pipeline.pool import NOBODY, Bounds, Failure, FailureKind, Pool, Task, _serves

HERE = Path(__file__).resolve().parent
JOBS = ("pool_jobs",)


@pytest.fixture
def make() -> Iterator[Callable[..., Pool]]:
    pools: list[Pool] = []

    def one(workers: int = 2, **bounds: float) -> Pool:
        pools.append(Pool(JOBS, workers, Bounds(**bounds), (HERE,)))  # type: ignore[arg-type]
        return pools[-1]

    yield one
    for pool in pools:
        pool.close()


def opened(path: Path) -> Callable[[], tuple[int, ...]]:
    return lambda: (os.open(path, os.O_RDONLY),)


def nothing() -> tuple[int, ...]:
    return ()


OTHERS: set[psutil.Process] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """What tests of other modules keep running beside these: their servers."""
    OTHERS.clear()
    OTHERS.update(psutil.Process().children(recursive=True))


def children() -> list[psutil.Process]:
    """What has been started since the test began, and lives."""
    ours = set(psutil.Process().children(recursive=True)) - OTHERS
    return [process for process in ours if process.status() != psutil.STATUS_ZOMBIE]


def workers() -> list[psutil.Process]:
    """Those of them that a stem forked."""
    return [process for process in children() if process.ppid() != os.getpid()]


def gone(pid: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_every_task_has_one_result(make: Callable[..., Pool], tmp_path: Path) -> None:
    files = {}
    for number in range(500):
        files[number] = tmp_path / f"{number}.bin"
        files[number].write_bytes(b"x" * number)
    descriptors = len(os.listdir("/proc/self/fd"))
    pool = make()
    found = {
        result.key: result.value
        for result in pool.map("pool_jobs:size", (Task(n, opened(p), size=n) for n, p in files.items()), tmp_path)
    }
    assert found == {number: number for number in range(500)}
    pool.close()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]


def test_tasks_are_taken_only_as_they_are_needed(make: Callable[..., Pool], tmp_path: Path) -> None:
    taken = 0

    def endless() -> Iterator[Task]:
        nonlocal taken
        while True:
            taken += 1
            yield Task(taken, nothing, ("good",))

    results = make().map("pool_jobs:behave", endless(), tmp_path)
    for _ in range(20):
        next(results)
    assert taken < 200
    results.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


def test_workers_are_kept_between_calls(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(1)
    pids = {next(pool.map("pool_jobs:whoami", iter([Task(0, nothing)]), tmp_path)).value["pid"] for _ in range(3)}
    assert len(pids) == 1
    leave = [Task(name, nothing, (name,)) for name in ("a", "b")]
    seen = [result.value for result in pool.map("pool_jobs:leave_file", iter(leave), tmp_path)]
    assert seen == [["a"], ["a", "b"]]
    again = next(pool.map("pool_jobs:leave_file", iter([Task(0, nothing, ("c",))]), tmp_path))
    assert again.value == ["c"], "another call has another folder"


def test_few_tasks_start_one_worker(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(4)
    list(pool.map("pool_jobs:behave", (Task(n, nothing, ("good",)) for n in range(20)), tmp_path))
    assert len(workers()) == 1


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("hang", FailureKind.TIMEOUT),
        ("hang with child", FailureKind.TIMEOUT),
        ("too long", FailureKind.TIMEOUT),
        ("greedy", FailureKind.MEMORY),
        ("crash", FailureKind.CRASH),
        ("write", FailureKind.ERROR),
        ("error", FailureKind.ERROR),
    ],
)
def test_a_bad_task_costs_itself_alone(make: Callable[..., Pool], tmp_path: Path, how: str, kind: FailureKind) -> None:
    seconds = 1.5 if kind is FailureKind.TIMEOUT else 45  # a busy machine takes its time to fill memory
    pool = make(2, seconds=seconds, memory=300 << 20, file=5 << 20)
    tasks = [Task(n, nothing, (how if n in (0, 7, 25) else "good",)) for n in range(40)]
    found = {result.key: result.value for result in pool.map("pool_jobs:behave", iter(tasks), tmp_path)}
    assert len(found) == 40
    for number in range(40):
        if number in (0, 7, 25):
            assert isinstance(found[number], Failure), how
            assert found[number].kind is kind, found[number]
        else:
            assert found[number] == "good"
    pool.close()
    assert not children()


def test_an_error_brings_its_words(make: Callable[..., Pool], tmp_path: Path) -> None:
    result = next(make(1).map("pool_jobs:behave", iter([Task(0, nothing, ("error",))]), tmp_path))
    assert result.value == Failure(FailureKind.ERROR, "ValueError: xin chào")


def test_a_sign_of_life_moves_the_limit(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(1, seconds=1.0)
    result = next(pool.map("pool_jobs:behave", iter([Task(0, nothing, ("beat",))]), tmp_path))
    assert result.value == "beat"


def test_what_cannot_be_opened_is_its_own_result(make: Callable[..., Pool], tmp_path: Path) -> None:
    (tmp_path / "there").write_text("có")
    tasks = [Task(name, opened(tmp_path / name)) for name in ("absent", "there")]
    found = {r.key: r.value for r in make().map("pool_jobs:text", iter(tasks), tmp_path)}
    assert found["there"] == "có"
    assert found["absent"].kind is FailureKind.OPEN
    assert isinstance(found["absent"].cause, FileNotFoundError)


def test_a_worker_that_grew_is_replaced(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(1, tired=100 << 20)
    pids = [
        next(pool.map("pool_jobs:swell", iter([Task(0, nothing, (size,))]), tmp_path)).value
        for size in (1, 1, 1, 150, 1)
    ]
    assert pids[0] == pids[1] == pids[2] == pids[3] != pids[4]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_fails_of_what_others_left_has_a_fresh_worker(
    make: Callable[..., Pool], tmp_path: Path, workers: int
) -> None:
    pool = make(workers, memory=300 << 20)
    left = [Task(number, nothing, (100,)) for number in range(20)]
    assert True in [result.value for result in pool.map("pool_jobs:keeps", iter(left), tmp_path)]
    needing = {0: 250, 1: 50, 2: 400, 3: 250, 4: 250}
    tasks = (Task(number, nothing, (size,)) for number, size in needing.items())
    found = {result.key: result.value for result in pool.map("pool_jobs:needs", tasks, tmp_path)}
    assert found[2].kind is FailureKind.MEMORY, "more than a fresh one has"
    assert {key for key, value in found.items() if isinstance(value, list)} == {0, 1, 3, 4}
    assert found[0] == [True]
    pool.close()
    assert not children()
    assert not list(tmp_path.iterdir())


def test_a_task_that_dies_of_what_others_left_has_a_fresh_worker(make: Callable[..., Pool], tmp_path: Path) -> None:
    tasks = (Task(number, nothing) for number in range(20))
    found = [result.value for result in make(2).map("pool_jobs:falls", tasks, tmp_path)]
    assert found == [True] * 20


def test_calls_at_once_lose_no_task_that_needs_a_fresh_worker(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(2)
    told: list[bool] = []

    def call() -> None:
        tasks = (Task(number, nothing) for number in range(8))
        told.extend(result.value for result in pool.map("pool_jobs:falls", tasks, tmp_path))

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [True] * 24
    pool.close()
    assert not children()


def test_workers_see_no_secret_and_own_nothing(
    make: Callable[..., Pool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-indeed")
    monkeypatch.setenv("LUUTRU_DATA", str(tmp_path))
    held = (tmp_path / "held").open("wb")
    os.set_inheritable(held.fileno(), True)
    (tmp_path / "one").write_text("1")
    found = next(make(1).map("pool_jobs:whoami", iter([Task(0, opened(tmp_path / "one"))]), tmp_path)).value
    held.close()
    ours = {"GOMAXPROCS", "GOGC", "GOMEMLIMIT"}
    assert set(found["environment"]) <= {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", *ours}
    assert found["pid"] == found["group"]
    # 0-2, socket, life line, the file, the listing of descriptors itself
    assert len(found["descriptors"]) == 7
    assert not {"boto3", "sqlalchemy", "prefect", "click", "pydantic"} & set(found["modules"])


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can drop to another user; CI runs as root")


def test_as_root_workers_are_nobody(as_root: None, make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(1)
    found = next(pool.map("pool_jobs:whoami", iter([Task(0, nothing)]), tmp_path)).value
    assert found["uids"] == found["gids"] == [NOBODY] * 3
    assert found["groups"] == []
    assert all(line.split()[1:] == [str(NOBODY)] * 4 for line in found["threads"])
    outside = psutil.Process(found["pid"])
    assert outside.uids().real == NOBODY
    refused = next(pool.map("pool_jobs:become_root", iter([Task(0, nothing)]), tmp_path)).value
    assert refused.text.startswith("PermissionError")


def test_as_root_a_private_file_is_read_by_its_descriptor_alone(
    as_root: None, make: Callable[..., Pool], tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    private = tmp_path / "private"
    private.write_text("mật")
    private.chmod(0o600)
    pool = make(1)
    assert next(pool.map("pool_jobs:text", iter([Task(0, opened(private))]), tmp_path)).value == "mật"
    denied = next(pool.map("pool_jobs:read_path", iter([Task(0, nothing, (str(private),))]), tmp_path)).value
    assert denied.text.startswith("PermissionError")


def test_workers_have_no_network(make: Callable[..., Pool], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        found = next(make(1).map("pool_jobs:connect", iter([Task(0, nothing, (port,))]), tmp_path)).value
    assert isinstance(found, Failure), found
    assert found.text.startswith("OSError")


def test_calls_within_calls_and_in_threads_never_wait_for_each_other(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(1)

    def call(depth: int) -> int:
        total = 0
        for result in pool.map("pool_jobs:behave", (Task(n, nothing, ("good",)) for n in range(3)), tmp_path):
            assert result.value == "good"
            total += 1 + (call(depth - 1) if depth else 0)
        return total

    totals: list[int] = []
    threads = [threading.Thread(target=lambda: totals.append(call(1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert totals == [12, 12, 12]
    assert len(workers()) == 1, "what was more than allowed has ended"


def test_a_worker_that_cannot_start_is_our_problem(tmp_path: Path) -> None:
    pool = Pool(("pipeline.no_such_module",), 1)
    with pytest.raises(SystemProblem) as problem:
        list(pool.map("pipeline.no_such_module:f", iter([Task(0, nothing)]), tmp_path))
    assert problem.value.code == "SYS-WORKER"
    assert "no_such_module" in problem.value.values["cause"]


def test_workers_share_one_stem(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(2, tired=100 << 20)
    swelling = [Task(0, nothing, (150,)), Task(1, nothing, (1,))]
    for task in swelling:
        next(pool.map("pool_jobs:swell", iter([task]), tmp_path))
    slow = (Task(n, nothing, ("good",)) for n in range(2000))
    results = pool.map("pool_jobs:behave", slow, tmp_path)
    while len(workers()) < 2:
        next(results)
    list(results)
    assert len({one.ppid() for one in workers()}) == 1
    assert not any(one.status() == psutil.STATUS_ZOMBIE for one in psutil.Process().children(recursive=True))


def test_a_worker_that_was_just_forked_is_ended_at_once(make: Callable[..., Pool], tmp_path: Path) -> None:
    """It leads no process group yet: there is nothing but itself to kill."""
    began = time.monotonic()
    for _ in range(10):
        pool = make(1)
        pool.start()
        refused = pool.map("pool_jobs:behave", iter([Task(0, lambda: (os.open(tmp_path / "absent", 0),))]), tmp_path)
        assert next(refused).value.kind is FailureKind.OPEN
        refused.close()  # type: ignore[attr-defined]
        pool.close()
    assert time.monotonic() - began < 55, "one wait for an end that does not come takes a minute"
    assert not children()


def test_a_killed_stem_costs_nothing(make: Callable[..., Pool], tmp_path: Path) -> None:
    pool = make(2)
    first = next(pool.map("pool_jobs:whoami", iter([Task(0, nothing)]), tmp_path)).value["pid"]
    stem = psutil.Process(psutil.Process(first).ppid())
    stem.kill()
    assert gone(stem.pid)
    again = next(pool.map("pool_jobs:whoami", iter([Task(0, nothing)]), tmp_path)).value["pid"]
    assert again == first, "its worker goes on"
    found = [r.value for r in pool.map("pool_jobs:behave", iter([Task(0, nothing, ("crash",))]), tmp_path)]
    assert found[0].kind is FailureKind.CRASH
    found = [r.value for r in pool.map("pool_jobs:behave", iter([Task(0, nothing, ("good",))]), tmp_path)]
    assert found == ["good"], "the next worker has a new stem"
    pool.close()
    assert gone(first)
    assert not children()


def test_a_stem_ends_with_its_pool_before_it_is_ready(tmp_path: Path) -> None:
    pool = Pool(("pool_jobs",), 1, None, (HERE,))
    pool.start()
    pool.close()
    until = time.monotonic() + 10
    while children() and time.monotonic() < until:
        time.sleep(0.05)
    assert not children()


def test_a_module_that_starts_a_thread_cannot_be_forked(tmp_path: Path) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading, time\n\n\n"
        "def prepare():\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    pool = Pool(("threaded",), 1, None, (tmp_path,))
    with pytest.raises(SystemProblem) as problem:
        list(pool.map("threaded:f", iter([Task(0, nothing)]), tmp_path))
    assert "a thread was started by threaded" in problem.value.values["cause"]


PARENT = """
import sys
import psutil
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from pipeline.pool import Pool, Task
pool = Pool(("pool_jobs",), 1, None, (Path(sys.argv[1]) / "tests",))
pid = next(pool.map("pool_jobs:whoami", iter([Task(0, lambda: ())]), Path(sys.argv[2]))).value["pid"]
print(pid, psutil.Process(pid).ppid(), flush=True)
if sys.argv[3] == "busy":
    list(pool.map("pool_jobs:behave", iter([Task(0, lambda: (), ("hang",))]), Path(sys.argv[2])))
sys.stdin.read()
"""


@pytest.mark.parametrize("state", ["busy", "idle"])
def test_workers_die_with_a_killed_parent(tmp_path: Path, state: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(HERE.parent), str(tmp_path), state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    worker, stem = map(int, parent.stdout.readline().split())
    time.sleep(0.3)
    assert psutil.pid_exists(worker) and psutil.pid_exists(stem)
    parent.send_signal(signal.SIGKILL)
    parent.communicate(timeout=10)
    assert gone(worker) and gone(stem)


def test_a_pool_that_holds_more_serves_fewer_but_what_modules_were_told_counts() -> None:
    assert _serves(("a", "b"), ("a",)) and _serves(("a",), ("a",))
    assert not _serves(("a",), ("a", "b"))
    assert not _serves(("told=this", "a"), ("a",)) and not _serves(("told=this", "a"), ("told=that", "a"))
    assert _serves(("told=this", "a", "b"), ("told=this", "a"))
