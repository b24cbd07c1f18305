"""The command `luutru` as people run it: a process of its own, its document, its exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.administration.archive import close_journal, opened
from pipeline.storage.lines import Kind, store_added
from pipeline.storage.probe import add_store
from pipeline.workspace import workspace

LUUTRU = Path(sys.executable).with_name("luutru")
ARCHIVE = "5b1f7a5e-8a3b-4f0e-9c7d-2f1f6a3c9b01"
CLOCK = "2026-01-31T10:00:00+07:00"


@dataclass(frozen=True)
class Answer:
    """What a command said. `document` is None when it printed no JSON."""

    exit: int
    document: dict[str, Any] | None
    out: str
    err: str

    @property
    def items(self) -> list[dict[str, Any]]:
        assert self.document is not None, self.out + self.err
        return list(self.document["items"])

    @property
    def item(self) -> dict[str, Any]:
        assert len(self.items) == 1, self.items
        return self.items[0]

    @property
    def codes(self) -> set[str]:
        """Codes of findings of all items."""
        return {finding["code"] for item in self.items for finding in item["findings"]}


@dataclass
class House:
    """A data folder with its stores, in a folder of the test's own."""

    base: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "XDG_CACHE_HOME") if name in os.environ}
        self.base.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **kept, "HOME": str(self.base), "LUUTRU_DATA": str(self.data), "LUUTRU_LANG": "en", **self.environment,
        }  # fmt: skip

    @property
    def data(self) -> Path:
        return self.base / "data"

    def settings(self, **values: Any) -> None:
        """Writes `luutru.toml`."""
        self.data.mkdir(exist_ok=True)
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        (self.data / "luutru.toml").write_text("\n".join(lines) + "\n")

    def stores(self, *names: str) -> House:
        """Adds folder stores beside the data folder."""
        for name in names or ("vault", "second"):
            self.add(name, (self.base / name).as_uri())
        return self

    def add(self, name: str, url: str, **how: str) -> None:
        """What `luutru store add` does, without the two seconds of a process: the command has tests of its own."""
        names = ("LUUTRU_CLOCK", "LUUTRU_CONFIG", "LUUTRU_DATA")
        with pytest.MonkeyPatch.context() as environment:
            for key in names:
                environment.delenv(key, raising=False)
            for key in names:
                if key in self.environment:
                    environment.setenv(key, self.environment[key])
            space = workspace()
            setting = add_store(space, name, url, **how)
            with opened(space) as at_hand:
                at_hand.reach()
                facts = setting.capabilities
                line = store_added(name, str(facts["store"]), url, str(facts["site"]), str(facts["medium"]))
                at_hand.journal.append(Kind.STORE_ADDED, line)
                close_journal(space)

    def start(
        self, *arguments: str | Path | bytes, env: Mapping[str, str] = {}, **more: Any
    ) -> subprocess.Popen[bytes]:
        """The command as leader of a process group of its own."""
        return subprocess.Popen(
            [str(LUUTRU), *arguments], env={**self.environment, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, **more,
        )  # fmt: skip

    def run(self, *arguments: str | Path | bytes, env: Mapping[str, str] = {}, json_: bool = True, timeout: float = 300,
            **more: Any) -> Answer:  # fmt: skip
        """Runs the command to its end; with `--json` unless told otherwise."""
        process = self.start(*arguments, *(["--json"] if json_ else []), env=env, **more)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            kill_group(process)
            out, err = process.communicate()
            raise AssertionError(f"still running after {timeout} s: {arguments!r}\n{err.decode()}") from None
        text = out.decode()
        document = json.loads(text) if json_ and text.strip() else None
        return Answer(process.returncode, document, text, err.decode("utf-8", "replace"))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the whole process group, as a power cut would have it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def settled(check: Any, seconds: float = 30) -> Any:
    """Waits until `check()` is true; what it gave."""
    end = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > end:
            raise AssertionError("it did not come to that in time")
        time.sleep(0.1)
    return found


def goes_on(process: subprocess.Popen[bytes]) -> None:
    """Continues what was halted; for a second, because a child that was just being made is halted a moment later."""

    def wake() -> None:
        end = time.monotonic() + 1
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            time.sleep(0.02)

    threading.Thread(target=wake, daemon=True).start()
