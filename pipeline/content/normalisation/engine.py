"""One file by one rule: actions in their order, each result identified and compared, nothing unproved kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.content import images
from pipeline.content.normalisation import registry
from pipeline.content.normalisation.calls import Calls, parted, read_header
from pipeline.content.normalisation.made import (
    Converted,
    Derivative,
    Differs,
    Failed,
    Kept,
    Made,
    NotConverted,
    Outcome,
    Proved,
)
from pipeline.content.normalisation.rules import Action, ActionLimits, Result, Rule
from pipeline.content.reading import Learnt, read_all
from pipeline.errors import SystemProblem
from pipeline.names import portable
from pipeline.records import Finding, PackagePath
from pipeline.tools.soffice import Offices
from pipeline.tree import Entry, FolderTree

UNSIGNED = "the signature of the source is not carried over"
_SOURCE = "source"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that an action left for a result; `label` is what it is called where there are many."""

    result: Result
    name: str
    path: Path
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Proof:
    candidate: _Candidate
    learnt: Learnt
    proved: tuple[str, ...]


def normalise(
    local: Path,
    path: PackagePath,
    rule: Rule,
    scratch: Path,
    *,
    sandbox: str = "full",
    workers: int = 0,
    marks: Collection[str] = (),
    offices: Offices | None = None,
) -> Outcome:
    """Makes, identifies and compares. `local` holds the bytes, `path` is its name for findings, `marks` what is known.

    Results are files in `scratch` that belong to the caller; nothing else is left there, and nothing unproved. Safe to
    be called from several threads. `offices` serve where there are some. SystemProblem when the disk fails us, never
    for what a file does.
    """
    attempts: list[tuple[Action, Failed]] = []
    for action in rule.actions:
        folder = Path(tempfile.mkdtemp(prefix="normalise-", dir=scratch))
        try:
            calls = Calls(action.limits, folder, sandbox, workers, offices)
            return _attempt(local, path, rule, action, calls, scratch, attempts, marks)
        except Failed as failed:
            attempts.append((action, failed))
            if failed.last:
                break
        except OSError as problem:
            raise SystemProblem("SYS-WRITE", file=scratch, cause=problem.strerror or problem) from problem
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return NotConverted(_finding(path, attempts), rule.reference, any(failed.attempted for _, failed in attempts))


def _attempt(
    local: Path,
    path: PackagePath,
    rule: Rule,
    action: Action,
    calls: Calls,
    scratch: Path,
    attempts: list[tuple[Action, Failed]],
    marks: Collection[str],
) -> Converted | Kept:
    """One action with everything that proves its results; Failed when a needed one is not proved.

    Without one of the programs that take part, or the sandbox, nothing is begun.
    """
    if programs := registry.needs(action):
        calls.need(*programs)
    if action.limits.pixels:
        measure(local, action.limits, calls)
    out = calls.scratch / "made"
    out.mkdir()
    made = _act(local, out, action, calls)
    lacking = [
        Finding("FMT-CONVERT-LESS", path, expected=before.tool, found=_reason(failed))
        for before, failed in attempts
        if before.wanted and before.tool != action.tool
    ]
    told = (*lacking, *(Finding(one.code, path, expected=one.expected, found=one.found) for one in made.told))
    if made.kept:
        return Kept(rule.reference, made.kept, told)
    proofs, failures = _prove(local, out, action, made, calls)
    marks = (*dict.fromkeys((*marks, *made.marks)),)
    notes = (*made.notes, *([UNSIGNED] if "signed" in marks else []), *(_said(*attempt) for attempt in attempts))
    derivatives = tuple(
        Derivative(
            result=proof.candidate.name,
            main=proof.candidate.result is action.results[0] and not proof.candidate.result.many,
            path=_keep(proof.candidate, scratch),
            size=proof.learnt.size,
            sha256=proof.learnt.digests["sha256"],
            format=proof.learnt.format,
            extension=_extension(proof.candidate),
            programs=made.programs,
            arguments=" ".join(action.arguments),
            sandbox=made.sandbox,
            proved="; ".join(proof.proved),
            notes=(*([f"called={proof.candidate.label}"] if proof.candidate.label else []), *notes),
        )
        for proof in proofs
        if proof.learnt.format is not None
    )
    findings = [_finding(path, [(action, failed)]) for failed in failures]
    return Converted(rule.reference, derivatives, (*told, *findings), marks)


def _act(local: Path, out: Path, action: Action, calls: Calls) -> Made:
    """Lets the action leave its results in `out`."""
    if function := registry.actions_with_programs().get(action.tool):
        return function(local, out, action, calls)
    if action.tool in registry.actions_in_worker():
        results = {result.name: out / result.file for result in action.results}
        made = calls.action(action.tool, local, results, action)
        for result in action.results:
            if result.many:
                return parted(out, result, made)
        return made
    program = registry.programs()[action.tool]
    ran = calls.run(program, action.arguments, {_SOURCE: local}, out)
    calls.ran_well(ran, program, next((one.path for one in _left(out, action.results[0], Made())), out / "-"))
    return Made(programs=((program.name, program.version or ""),), sandbox=ran.sandbox)


def _prove(local: Path, out: Path, action: Action, made: Made, calls: Calls) -> tuple[list[_Proof], list[Failed]]:
    """What is proved, and what of the results that are not needed is not."""
    proofs: list[_Proof] = []
    failures: list[Failed] = []
    for result in action.results:
        candidates = list(_left(out, result, made))
        if not candidates and result.needed:
            raise Failed("FMT-CONVERT-FAILED", f"{result.file}: -", action.tool)
        try:
            proofs += [_proof(local, one, action, calls) for one in candidates]
        except Failed as failed:
            if result.needed:
                raise
            failures.append(failed)
    return proofs, failures


def _left(out: Path, result: Result, made: Made) -> Iterator[_Candidate]:
    """Files that were left for a result, in the order of their numbers; an empty one is none where one was asked."""
    if not result.many:
        file = out / result.file
        if file.is_file() and not file.is_symlink() and file.stat().st_size:
            yield _Candidate(result, result.name, file)
        return
    start, end = f"{result.name}.", f".{result.extension}"
    for file in sorted(out.iterdir()):
        number = file.name.removeprefix(start).removesuffix(end)
        if file.name == f"{start}{number}{end}" and number.isdecimal() and file.is_file() and not file.is_symlink():
            yield _Candidate(result, f"{result.name}.{number}", file, made.labels.get(file.name) or number)


def _proof(local: Path, candidate: _Candidate, action: Action, calls: Calls) -> _Proof:
    """Identifies a result, then asks every verification that its rule names."""
    learnt = _identified(candidate, action, calls)
    proved = []
    for one in candidate.result.verify:
        name, *arguments = one.split()
        if function := registry.verifications_with_programs().get(name):
            told: Proved | Differs = function(local, candidate.path, arguments, calls)
        else:
            told = calls.verification(name, local, candidate.path, arguments)
        if isinstance(told, Differs):
            raise Failed("FMT-CONVERT-DIFFERS", told.reason)
        proved.append(told.how)
    return _Proof(candidate, learnt, tuple(proved))


def _identified(candidate: _Candidate, action: Action, calls: Calls) -> Learnt:
    """What the result is; it has to be what the rule promised.

    Of a format that no signature tells (CSV), the extension that we gave it is all that an engine can see.
    """
    result = candidate.path
    entry = Entry(PackagePath(os.fsencode(result.name)), result.stat().st_size)
    tree = FolderTree(result.parent)
    (learnt,) = read_all(tree, [entry], (), identify=True, workers=calls.workers, scratch=calls.scratch)
    if not isinstance(learnt, Learnt) or learnt.format is None:
        raise Failed("FMT-CONVERT-FAILED", "unreadable", action.tool)
    promises = candidate.result.promises
    found = learnt.format.puid or learnt.format.warning or "-"
    if found not in (*promises, *(f"match on extension only: {one}" for one in promises)):
        raise Failed("FMT-CONVERT-PUID", found, ", ".join(promises))
    return learnt


def measure(local: Path, limits: ActionLimits, calls: Calls) -> None:
    """Failed when an image is bigger than the limits, or not what its header says; no program has decoded it then.

    Our own code reads the headers of old bitmaps, vips in the sandbox all others; all pages count together.
    """
    try:
        with local.open("rb") as source:
            header = images.header(source)
    except images.Broken as broken:
        raise Failed("FMT-CONVERT-DAMAGED", str(broken)) from None
    if header is not None:
        width, height, pages = header.width, header.height, 1
    else:
        told = read_header(local, calls)
        width, height, pages = (int(told.get(key, "1")) for key in ("width", "height", "n-pages"))
    if width * height * pages > limits.pixels or max(width, height) > limits.side:
        found = f"{width} × {height}" + (f" × {pages}" if pages > 1 else "")
        raise Failed("FMT-CONVERT-BIG", found, f"{limits.pixels}", attempted=False)


def _extension(candidate: _Candidate) -> str:
    """What goes behind the original's name: of many results each has its label, made fit for a file name."""
    if not candidate.label:
        return candidate.result.extension
    label = portable(PackagePath(candidate.label.replace("/", "_").encode("utf-8", "replace")))
    return f"{label.decode('utf-8', 'replace')}.{candidate.result.extension}"


def _keep(candidate: _Candidate, scratch: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix="derivative-", suffix=f".{candidate.result.extension}", dir=scratch)
    os.close(handle)
    try:
        os.replace(candidate.path, name)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)


def _finding(path: PackagePath, attempts: list[tuple[Action, Failed]]) -> Finding:
    """One finding about all attempts: the one's own, or a list of what was tried and why it was not good enough."""
    if len(attempts) == 1 or len({(one.code, one.found, one.expected) for _, one in attempts}) == 1:
        failed = attempts[0][1]
        return Finding(failed.code, path, expected=failed.expected, found=failed.found)
    told = "; ".join(f"{number}. {_said(*attempt)}" for number, attempt in enumerate(attempts, 1))
    return Finding("FMT-CONVERT-LADDER", path, expected=str(len(attempts)), found=told)


def _said(action: Action, failed: Failed) -> str:
    return f"{action.tool}: {_reason(failed, action.tool)}"


def _reason(failed: Failed, tool: str = "") -> str:
    expected = f" ({failed.expected})" if failed.expected and failed.expected != tool else ""
    return f"{failed.code} {failed.found}{expected}"
