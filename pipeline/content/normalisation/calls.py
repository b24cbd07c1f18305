"""How actions and verifications reach what they need: programs in the sandbox, our own code in a worker."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.content.normalisation.made import Differs, Failed, Made, Proved
from pipeline.content.normalisation.rules import Action, ActionLimits, Result
from pipeline.pool import Failure, Task, shared
from pipeline.tools.program import Program, plain
from pipeline.tools.run import Bounds, Ran, run, sandbox_state
from pipeline.tools.soffice import Offices
from pipeline.tools.vips import VIPSHEADER

WORKER = "pipeline.content.normalisation.worker"
MANY = 9999
"""Most files of one `many` result."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What one action on one file may reach: `limits` of the rule hold for every call.

    `scratch` is a folder of this file's own; `sandbox` full or reduced; `workers` 0 = as many as cores; `offices` are
    kept open for the files of this package, if anybody keeps some.
    """

    limits: ActionLimits
    scratch: Path
    sandbox: str
    workers: int
    offices: Offices | None = None

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            yield Path(folder)

    def need(self, *programs: Program) -> None:
        """Failed, not attempted, unless the sandbox works and the programs are there in the versions we know."""
        state = sandbox_state(self.sandbox)
        if not state.works:
            raise Failed("FMT-CONVERT-NO-SANDBOX", f"{state.state}: {state.detail}", attempted=False)
        for program in programs:
            if not program.fit:
                least = ".".join(str(part) for part in program.minimum)
                raise Failed("FMT-CONVERT-NO-TOOL", program.version or "-", f"{program.name} {least}", attempted=False)

    def run(self, program: Program, arguments: Sequence[str], inputs: Mapping[str, Path], output: Path) -> Ran:
        """One call in the sandbox, see `tools.run.run`; how it ended is for the caller to judge.

        Failed, not attempted, without program or sandbox.
        """
        self.need(program)
        return run(program, list(arguments), inputs, output, self.bounds(*inputs.values()), sandbox=self.sandbox)

    def bounds(self, *inputs: Path) -> Bounds:
        """What one call on these files may use."""
        limits = self.limits
        megabytes = sum(file.stat().st_size for file in inputs) / 1e6
        return Bounds(
            seconds=limits.seconds + limits.seconds_per_mb * megabytes,
            memory=limits.memory,
            file=limits.output,
            processes=limits.processes,
            output=limits.output,
        )

    def ran_well(self, ran: Ran, program: Program, file: Path) -> None:
        """Failed unless it ended by itself with 0 and left this file with something in it."""
        if not ran.ok or not file.exists() or not file.stat().st_size:
            raise Failed("FMT-CONVERT-FAILED", why(ran), program.name)

    def action(
        self, name: str, source: Path, results: Mapping[str, Path], action: Action,
        reads: Mapping[str, Path] | None = None,
    ) -> Made:  # fmt: skip
        """Runs an action of our own code in a worker; `results` are written, files that do not exist yet.

        `reads` are further files of ours that it gets among the results, by name, to be read alone.
        """
        more = dict(reads or {})
        files = list(results.items())
        value = self._work("act", source, [path for _, path in files], [name, [key for key, _ in files],
                           list(action.arguments), list(more)], action.tool, *more.values())  # fmt: skip
        return Made.read(value["made"])

    def verification(self, name: str, source: Path, result: Path, arguments: Sequence[str]) -> Proved | Differs:
        """Runs a verification of our own code in a worker."""
        value = self._work("verify", source, [], [name, list(arguments)], name, result)
        return Proved(value["proved"]) if "proved" in value else Differs(str(value["differs"]))

    def _work(
        self, function: str, source: Path, writes: Sequence[Path], args: list[Any], who: str, *reads: Path
    ) -> dict[str, Any]:
        def descriptors() -> tuple[int, ...]:
            opened: list[int] = []
            try:
                for path in (source, *reads):
                    opened.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                for path in writes:
                    opened.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            except OSError:
                for handle in opened:
                    os.close(handle)
                raise
            return tuple(opened)

        size = source.stat().st_size + sum(path.stat().st_size for path in reads)
        pool = shared((WORKER,), self.workers)
        (told,) = pool.map(f"{WORKER}:{function}", iter([Task(None, descriptors, tuple(args), size)]), self.scratch)
        value: Any = told.value
        if isinstance(value, Failure):
            if isinstance(value.cause, OSError):
                raise value.cause
            raise Failed("FMT-CONVERT-FAILED", f"{value.kind}: {value.text}", who)
        if failed := value.get("failed"):
            raise Failed(failed["code"], failed["found"], failed["expected"], attempted=bool(failed["attempted"]),
                         last=bool(failed["last"]))  # fmt: skip
        assert isinstance(value, dict)
        return value


def parted(out: Path, result: Result, made: Made) -> Made:
    """Cuts what a worker wrote one behind the other into files of their own."""
    whole = out / result.file
    labels = {}
    with whole.open("rb") as source:
        for number, (label, size) in enumerate(made.parts.get(result.name, ())[:MANY], 1):
            name = f"{result.name}.{number:04}.{result.extension}"
            labels[name] = label
            with (out / name).open("xb") as part:
                left = size
                while left and (data := source.read(min(left, 1 << 20))):
                    part.write(data)
                    left -= len(data)
    whole.unlink()
    return Made(made.kept, made.notes, made.told, made.marks, made.programs, labels, {}, made.sandbox)


def read_header(file: Path, calls: Calls) -> dict[str, str]:
    """What vips reads of an image's header, by its names (`width`, `height`, `n-pages`). Failed when it cannot."""
    with calls.folder() as folder:
        ran = calls.run(VIPSHEADER, ["-a", "{in}/source"], {"source": file}, folder)
    told = dict(line.split(": ", 1) for line in ran.said.splitlines() if ": " in line)
    if not ran.ok or not all(told.get(key, "0").isdecimal() and int(told.get(key, "0")) for key in ("width", "height")):
        raise Failed("FMT-CONVERT-DAMAGED", why(ran))
    return told


def why(ran: Ran) -> str:
    """The limit that was met, else the program's own words on one line, without places in its memory."""
    return ran.why or plain(ran.tail) or f"exit {ran.code}"
