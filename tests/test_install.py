"""What `make` does before anything is installed: which system packages it finds missing, and how it brings them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED_BY_THE_SCRIPT = ("bash", "dirname", "sed", "head", "grep", "find", "cat", "mktemp", "rm", "env", "ldconfig")
BASH = shutil.which("bash") or "/bin/bash"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The only folder on the path: the user is root, apt-get writes down what it is told."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED_BY_THE_SCRIPT:
        found = shutil.which(name) or shutil.which(name, path="/sbin:/usr/sbin")
        assert found, name
        (programs / name).symlink_to(found)
    program(programs, "id", "echo 0")
    program(programs, "apt-get", f'echo "$@" >> "{tmp_path}/apt.log"')
    program(programs, "python", "exit 0")
    listed = [line.split("\t") for line in (ROOT / "requirements/system.txt").read_text("utf-8").splitlines()]
    for _, _, witness, _ in (line for line in listed if len(line) == 4):
        if ":" not in witness:
            program(programs, witness, "exit 0")
    program(programs, "java", """echo 'openjdk version "17.0.15" 2025-04-15' >&2""")
    return programs


def program(folder: Path, name: str, body: str) -> None:
    """A program of that name."""
    path = folder / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!{BASH}\n{body}\n", "utf-8")
    path.chmod(0o755)


def ask(machine: Path, wanted: str, python: str = "python") -> subprocess.CompletedProcess[str]:
    """setup/system.sh on that machine."""
    environment = {"PATH": str(machine), "HOME": str(machine.parent), "YES": "1"}
    command = [BASH, str(ROOT / "setup/system.sh"), wanted, python]
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )


def apt(machine: Path) -> list[str]:
    """What apt-get was told, one call a line."""
    log = machine.parent / "apt.log"
    return log.read_text("utf-8").splitlines() if log.exists() else []


@pytest.mark.parametrize("wanted", ["run", "test", "jhove"])
def test_with_everything_there_it_is_silent_and_calls_nothing(machine: Path, wanted: str) -> None:
    answer = ask(machine, wanted)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert apt(machine) == []


def test_what_is_missing_is_named_with_its_reason_and_installed(machine: Path) -> None:
    (machine / "vips").unlink()
    answer = ask(machine, "run")
    assert answer.returncode == 0, answer.stderr
    assert "libvips-tools" in answer.stdout and "images to TIFF" in answer.stdout
    assert "bubblewrap" not in answer.stdout
    update, install = apt(machine)
    assert update.split()[-1] == "update"
    assert install.split()[-3:] == ["install", "--no-install-recommends", "libvips-tools"]


def test_the_demo_needs_neither_java_nor_a_browser(machine: Path) -> None:
    for name in ("java", "mvn", "chromium"):
        (machine / name).unlink()
    assert ask(machine, "run").stdout == ""
    assert apt(machine) == []
    assert "default-jre-headless" in ask(machine, "test").stdout
    asked = ask(machine, "jhove").stdout
    assert "runs JHOVE" in asked and "chromium" not in asked


def test_an_old_java_does_not_do(machine: Path) -> None:
    program(machine, "java", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
    assert "default-jre-headless" in ask(machine, "test").stdout


def test_without_a_python_that_will_do_one_is_named(machine: Path) -> None:
    assert "Python 3.11 or newer" in ask(machine, "run", python="").stdout


def test_a_user_without_rights_is_told_what_an_administrator_must_run(machine: Path) -> None:
    program(machine, "id", "echo 1000")
    (machine / "bwrap").unlink()
    answer = ask(machine, "run")
    assert answer.returncode == 3
    assert "apt-get install --no-install-recommends bubblewrap" in answer.stderr
    assert apt(machine) == []


def test_a_user_with_sudo_goes_through_it(machine: Path) -> None:
    program(machine, "id", "echo 1000")
    program(machine, "sudo", 'echo "sudo" >> "$HOME/apt.log"; exec "$@"')
    (machine / "bwrap").unlink()
    assert ask(machine, "run").returncode == 0
    assert apt(machine)[0] == "sudo"


def test_when_apt_fails_its_words_are_shown(machine: Path) -> None:
    program(machine, "apt-get", "echo 'E: no such mirror' >&2; exit 100")
    (machine / "bwrap").unlink()
    answer = ask(machine, "run")
    assert answer.returncode == 3
    assert "E: no such mirror" in answer.stderr and "By hand: apt-get install" in answer.stderr


def test_a_machine_without_apt_is_told_so(machine: Path) -> None:
    (machine / "apt-get").unlink()
    (machine / "bwrap").unlink()
    answer = ask(machine, "run")
    assert answer.returncode == 3 and "no apt-get" in answer.stderr


def make(*arguments: str) -> str:
    """What make would run, without running it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=True).stdout


def test_make_alone_lists_the_targets() -> None:
    for target in ("install", "demo", "test", "check", "bench", "judge", "clean"):
        assert f"make {target} " in make()


def test_judge_takes_its_folder_from_the_variable_path() -> None:
    """PATH is also where the shell looks for programs: naming a folder there must not take them away."""
    told = make("-n", "judge", "PATH=/a folder/of ours")
    assert 'tests.judges "/a folder/of ours"' in told
    asked = make("--eval", "where: ; @command -v sed >/dev/null && echo found", "where", "PATH=/none")
    assert asked.strip() == "found"


def test_ci_runs_the_command_of_the_readme() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert "make test" in script and "YES=1" in script
