"""What a person sees while packages are worked on: a bar on a terminal, else a line per package."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from commands.frame import note
from pipeline.names import shown

if TYPE_CHECKING:
    from pipeline.ingest.item import Item

_STAGES = {
    "check": ("đọc và kiểm tra", "reading and checking"),
    "normalise": ("chuẩn hóa", "normalising"),
    "describe": ("mô tả", "describing"),
    "store": ("ghi vào kho", "storing"),
    "verify": ("đọc lại bản sao", "reading copies back"),
    "audit": ("kiểm tra bản sao", "auditing copies"),
}


class Display:
    """Progress on standard error: count, bytes, rate and time left behind a terminal, else plain lines."""

    def __init__(self, lang: str, packages: int) -> None:
        self._lang: Literal["vi", "en"] = "vi" if lang == "vi" else "en"
        self._packages = packages
        self._finished = 0
        self._bar: Any = None
        self._task: Any = None
        self._stage = ""
        self._shown = 0.0
        self._name = ""

    def __enter__(self) -> Display:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[files]}", markup=False),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begins(self, package: Path) -> None:
        """The package that is worked on now."""
        self._name = shown(bytes(Path(package.name)))

    def progress(self, stage: str, done: int, files: int, read: int, size: int) -> None:
        """Called by the stages; draws at most ten times a second."""
        now = time.monotonic()
        if self._bar is None or (stage == self._stage and now - self._shown < 0.1):
            return
        self._shown = now
        vi, en = _STAGES.get(stage, (stage, stage))
        text = f"{self._finished + 1}/{self._packages} {self._name}: {vi if self._lang == 'vi' else en}"
        if stage != self._stage or self._task is None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(text, total=size or None, files="")
            self._stage = stage
        self._bar.update(self._task, description=text, completed=read, files=f"{done}/{files}")

    def finished(self, item: Item) -> None:
        """A line per package."""
        from pipeline.reports.cells import number, seconds, size
        from pipeline.reports.words import verdict_word

        self._finished += 1
        if self._bar is not None and self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        word = f"! {(item.problem or {}).get('code')}"
        if item.verdict:
            word = verdict_word(item.verdict, self._lang, item.waiting_for)
        files = f"{number(item.files, self._lang)} {'tệp' if self._lang == 'vi' else 'files'}"
        done = f"{files}, {size(item.bytes, self._lang)}, {seconds(item.seconds, self._lang)} s"
        line = f"[{self._finished}/{self._packages}] {item.path}: {word} ({done})"
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            note(line)
