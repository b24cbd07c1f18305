"""What is asked of the pool and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one worker may use. Sizes in bytes; `seconds` since the last sign of life of a task, plus `per_byte`.

    `memory` is private memory that can be written to, on top of what the imports took; above `tired` (anonymous
    resident memory) a worker is replaced between two tasks.
    """

    seconds: float = 45.0
    per_byte: float = 15.0 / 1e9
    memory: int = 512 << 20
    file: int = 8 << 30
    files: int = 256
    tired: int = 192 << 20


class FailureKind(StrEnum):
    """Why a task has no value: `open` is the parent's failure to open, `error` an exception of the function."""

    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    ERROR = "error"
    OPEN = "open"


class TooLong(MemoryError):
    """Raised by a function that has used up its own time: its task fails as TIMEOUT, and its worker goes on.

    It passes where functions let nothing but MemoryError pass.
    """


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that came to nothing; `cause` is there for kind `open` alone."""

    kind: FailureKind
    text: str
    cause: Exception | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One call. `key` stays here; `open` gives descriptors that the pool closes; `args` are small JSON values.

    `size` in bytes sets batches and time.
    """

    key: Any
    open: Callable[[], tuple[int, ...]]
    args: tuple[Any, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """Value (JSON) or failure of the task with this key."""

    key: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker function gets: open descriptors (offset unknown), and `beat` to say that it is still at work.

    A task that raises MemoryError, or dies, in a worker that has done others is run once more in one that has not,
    with the same descriptors: what it wrote into them is still there.
    """

    fds: tuple[int, ...]
    beat: Callable[[], None]
