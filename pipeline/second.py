"""One more process that runs a small script of ours: asked by a pipe, answering by another."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from pathlib import Path


class Second:
    """A script in an interpreter that has loaded nothing. For what touches no hostile format: it has no limits.

    OSError where it cannot be started. It ends with its standard input, even when the parent is killed.
    """

    def __init__(self, script: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={}, cwd="/", start_new_session=True, bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._asked, self._told = self._process.stdin.fileno(), self._process.stdout.fileno()

    def ask(self, question: bytes) -> None:
        """Sends a question after its length in 4 bytes. OSError when the process is gone."""
        left = memoryview(len(question).to_bytes(4, "big") + question)
        while left:
            left = left[os.write(self._asked, left) :]

    def answered(self) -> bool:
        """Whether something of an answer is there."""
        return bool(select.select([self._told], [], [], 0)[0])

    def answer(self, size: int) -> bytes:
        """So many bytes of an answer, waited for; OSError when the process is gone."""
        found = b""
        while len(found) < size:
            part = os.read(self._told, size - len(found))
            if not part:
                raise BrokenPipeError
            found += part
        return found

    def close(self) -> None:
        """Ends it at once, whatever it is doing."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()
