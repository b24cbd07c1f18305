"""What a program inside the sandbox can see, use and leave behind: tried from inside and watched from outside."""

from __future__ import annotations

import json
import os
import socketserver
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.findings import codes
from pipeline.pool import NOBODY
from pipeline.tools import TOOLS, inspect
from pipeline.tools.program import Program
from pipeline.tools.run import Bounds, Ran, run, sandbox_state

BASH = Program("bash", ("--version",), r"version (\d+\.\d+)", (4,), "bash", "SYS-TOOL-PRLIMIT")


def bash(script: str, output: Path, *, sandbox: str = "full", secret: Path | None = None, **bounds: float) -> Ran:
    inputs = {"in.txt": secret} if secret else {}
    limits = Bounds(**bounds)  # type: ignore[arg-type]
    return run(BASH, ["-c", script], inputs, output, limits, sandbox=sandbox)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def listener() -> Iterator[tuple[int, list[int]]]:
    hits: list[int] = []

    class Hit(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            hits.append(1)

    with socketserver.TCPServer(("127.0.0.1", 0), Hit) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], hits
        server.shutdown()


def test_the_sandbox_works_here() -> None:
    assert sandbox_state().works, sandbox_state()
    assert sandbox_state("reduced").works, sandbox_state("reduced")


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_no_network(out: Path, listener: tuple[int, list[int]], sandbox: str) -> None:
    port, hits = listener
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port}"
    subprocess.run(["bash", "-c", script], check=True)
    time.sleep(0.2)
    assert len(hits) == 1, "the listener is there"
    assert not bash(script, out, sandbox=sandbox).ok
    time.sleep(0.2)
    assert len(hits) == 1


def test_the_host_is_not_to_be_seen(out: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("mật")
    secret.chmod(0o600)
    ran = bash(
        "cat /in/in.txt; echo; cat /etc/passwd /etc/shadow; ls /root /boot /srv /in; echo x > /in/in.txt;"
        "echo x > /usr/x; env; tty; ls /proc | grep -c '^[0-9]'",
        out,
        secret=secret,
    )
    said = ran.said
    assert said.startswith("mật")
    assert "root:" not in said
    assert "/etc/passwd: No such file" in said
    assert "/in/in.txt: Read-only file system" in said
    assert "/usr/x: Read-only file system" in said
    assert "not a tty" in said
    assert int(said.split()[-1]) <= 6, "it sees its own processes only"
    assert secret.read_text() == "mật"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_the_environment_holds_no_secret(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-indeed")
    for sandbox in ("full", "reduced"):
        ran = bash("env; cat /proc/*/environ | tr '\\0' '\\n'", out, sandbox=sandbox)
        assert "very-secret-indeed" not in ran.said
        assert "PATH=" in ran.said


def test_no_rights_inside(out: Path) -> None:
    ran = bash("id -u; id -G; grep ^Cap /proc/self/status; grep NoNewPrivs /proc/self/status", out)
    lines = ran.said.split("\n")
    assert lines[0] == lines[1] == str(NOBODY)
    assert [line.split()[1] for line in lines if line.startswith("Cap")] == ["0000000000000000"] * 5
    assert "NoNewPrivs:\t1" in lines


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_its_real_user_is_not_root(out: Path, sandbox: str) -> None:
    """Seen from outside: the user inside a namespace proves nothing."""
    seen: set[int] = set()
    names: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for child in psutil.Process().children(recursive=True):
                try:
                    if child.name() == "sleep":
                        seen.update(child.uids())
                        names.add(child.name())
                except psutil.Error:
                    pass
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    bash("sleep 1", out, sandbox=sandbox)
    stop.set()
    watcher.join()
    assert names == {"sleep"}
    assert seen == {NOBODY if os.geteuid() == 0 else os.geteuid()}


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_time_ends_the_whole_tree(out: Path, sandbox: str) -> None:
    start = time.monotonic()
    ran = bash("setsid sleep 30071 & setsid sleep 30072 & sleep 30073", out, seconds=1, sandbox=sandbox)
    assert ran.why == "timeout"
    assert not ran.ok
    assert time.monotonic() - start < 6
    time.sleep(0.5)
    left = [p for p in psutil.process_iter(["cmdline"]) if "3007" in " ".join(p.info["cmdline"] or [])]
    assert not [p for p in left if p.info["cmdline"][0] == "sleep" and p.status() != psutil.STATUS_ZOMBIE]


def test_memory_is_watched(out: Path) -> None:
    ran = bash("exec tail /dev/zero", out, memory=200 << 20, seconds=60)
    assert ran.why == "memory"
    assert ran.peak > 200 << 20


def test_address_space_is_limited(out: Path) -> None:
    ran = bash("exec tail /dev/zero", out, address=300 << 20, seconds=60)
    assert ran.why is None
    assert not ran.ok
    assert "memory exhausted" in ran.said


def test_file_size_is_limited(out: Path) -> None:
    ran = bash("exec head -c 20000000 /dev/zero > /out/big", out, file=5_000_000)
    assert ran.why == "file"
    assert (out / "big").stat().st_size <= 5_000_000


def test_what_is_written_altogether_is_limited(out: Path) -> None:
    """Many files, each below the limit of one; also where the program is over before anybody looks."""
    script = "for n in 1 2 3 4 5 6; do head -c 1000000 /dev/zero > /out/$n; done"
    for later in ("; sleep 30", ""):
        ran = run(BASH, ["-c", script + later], {}, out, Bounds(seconds=20, file=2_000_000, output=4_000_000))
        assert ran.why == "file", ran
        assert ran.seconds < 15


@pytest.mark.parametrize("sandbox", ["full", "reduced"])
def test_the_number_of_processes_is_limited(out: Path, sandbox: str) -> None:
    script = "for n in 1 2 3 4 5 6 7 8 9; do sleep 30082 & done; wait"
    ran = bash(script, out, sandbox=sandbox, seconds=20, processes=6)
    assert ran.why == "processes", ran
    assert not sleepers("30082")


def test_printing_is_limited(out: Path) -> None:
    ran = bash("exec cat /dev/zero", out, seconds=30)
    assert ran.why == "output"
    assert len(ran.said) <= 64 << 10


def test_only_regular_files_come_out(out: Path) -> None:
    ran = bash("cd /out; echo good > good; ln -s /etc/shadow link; mkfifo fifo; mkdir folder; echo x > folder/x", out)
    assert ran.ok, ran.said
    assert [item.name for item in out.iterdir()] == ["good"]
    assert (out / "good").stat().st_uid == os.geteuid()


def test_nothing_is_left_beside_the_output(out: Path, tmp_path: Path) -> None:
    bash("echo x > /out/x; echo y > /tmp/y; echo z > $HOME/z", out)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["out"]


def test_exit_codes_and_words_come_through(out: Path) -> None:
    ran = bash("echo một >&2; echo hai; exit 3", out)
    assert (ran.code, ran.why, ran.sandbox) == (3, None, "full")
    assert ran.tail == "một\nhai"


def test_a_missing_program_is_our_problem(out: Path) -> None:
    absent = Program("no-such-program", (), "", (0,), "no-such-package", "SYS-TOOL-VIPS")
    assert absent.path is None
    assert absent.version is None
    assert not absent.fit
    with pytest.raises(SystemProblem) as problem:
        run(absent, [], {}, out, Bounds())
    assert problem.value.code == "SYS-TOOL-MISSING"
    with pytest.raises(UsageProblem):
        run(BASH, [], {}, out, Bounds(), sandbox="none")


def test_an_old_program_is_not_fit() -> None:
    assert not Program("bash", ("--version",), r"version (\d+\.\d+)", (99,), "bash", "SYS-TOOL-PRLIMIT").fit


PARENT = """
import sys
from pathlib import Path
from pipeline.tools.program import Program
from pipeline.tools.run import Bounds, run
sleep = Program("sleep", ("--version",), r"(\\d+\\.\\d+)", (0,), "coreutils", "SYS-TOOL-PRLIMIT")
run(sleep, [sys.argv[4]], {"in.txt": Path(sys.argv[1])}, Path(sys.argv[2]), Bounds(), sandbox=sys.argv[3])
"""


def sleepers(word: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["/usr/bin/sleep", word]]


@pytest.mark.parametrize(("sandbox", "word"), [("full", "30081"), ("reduced", "30082")])
def test_a_program_ends_with_us_and_leaves_no_copy_for_long(
    out: Path, tmp_path: Path, sandbox: str, word: str
) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    secret = tmp_path / "secret.txt"
    secret.write_text("mật")
    secret.chmod(0o600)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(secret), str(out), sandbox, word], cwd=root)
    until = time.monotonic() + 30
    while not sleepers(word) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(sleepers(word)) == 1
    parent.kill()
    parent.wait()
    until = time.monotonic() + 10
    while sleepers(word) and time.monotonic() < until:
        time.sleep(0.05)
    assert not sleepers(word)
    assert bash("true", out).ok
    places = [*tmp_path.iterdir(), *Path(tempfile.gettempdir()).glob("luutru-tool-*")]
    assert not [place for place in places if f"-{parent.pid}-" in place.name]


INSIDE = """
import json, sys, tempfile
from pathlib import Path
from pipeline.errors import SystemProblem
from pipeline.tools import VIPS, inspect
from pipeline.tools.run import Bounds, run, sandbox_state
code = ""
try:
    run(VIPS, ["--version"], {}, Path(tempfile.mkdtemp()), Bounds())
except SystemProblem as problem:
    code = problem.code
lacking = [one.name for one in inspect() if not one.ok and one.name != "verapdf"]
print(json.dumps([sandbox_state().state, code, lacking]))
"""


@pytest.mark.parametrize(
    ("made", "state", "lacking"),
    [
        (["--ro-bind", "/dev/null", "/usr/bin/bwrap"], "missing", ["bwrap", "sandbox"]),
        (["--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"], "blocked", ["sandbox"]),
    ],
)
def test_without_a_sandbox_nothing_runs(made: list[str], state: str, lacking: list[str]) -> None:
    """On a machine (made with bubblewrap) where it lacks, or where namespaces are forbidden."""
    root = Path(__file__).resolve().parent.parent.parent
    command = ["bwrap", "--dev-bind", "/", "/", *made, "--chdir", str(root), "--", sys.executable, "-c", INSIDE]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(told.stdout or told.stderr) == [state, "SYS-SANDBOX", lacking]


def test_doctor_knows_every_tool() -> None:
    told = {one.name: one for one in inspect()}
    assert {one.name for one in TOOLS} | {"jhove", "sandbox", "siegfried", "libmagic"} == set(told)
    for one in told.values():
        assert one.ok or one.name == "verapdf", one
        assert set(one.lost) == {"vi", "en"}
    assert told["vips"].version.startswith("8.")
    assert {"SYS-SANDBOX", "SYS-TOOL-MISSING", "SYS-WORKER"} <= set(codes())
