"""Preservation copies by rule: planned by format, made within limits, and kept only when the result is proved."""

from __future__ import annotations

import codecs
import filecmp
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.content import images
from pipeline.content.reading import WORKERS, Learnt, read_all
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.pool import Failure, Pool, Task, shared
from pipeline.records import Finding, Format, PackagePath
from pipeline.settings import PROJECT
from pipeline.settings import read as read_settings
from pipeline.tools.program import Program
from pipeline.tools.run import Bounds, Ran, run, sandbox_state
from pipeline.tools.vips import VIPS
from pipeline.tree import Entry, FolderTree

_PROGRAMS: dict[str, Program] = {"vips": VIPS}
_OWN = "text"
_DETECTORS: dict[str, Callable[[bytes], bool]] = {
    "utf-16-bom": lambda head: (
        head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE)
    ),
}
_WORDS = {"utf-16-bom": "UTF-16"}
"""What the engine says of text that a detector might see; text of which it says otherwise need not be opened."""

_VERIFICATIONS = ("text", "pixels")
_SOURCE = "source"
_RESULT = "result"


@dataclass(frozen=True, slots=True)
class ActionLimits:
    """What one action may use: seconds (plus `seconds_per_mb` of input), bytes, pixels and pixels of one side.

    0 pixels = the input is no image whose size could be read beforehand.
    """

    seconds: float = 60.0
    seconds_per_mb: float = 1.0
    memory: int = 1 << 30
    file: int = 8 << 30
    pixels: int = 0
    side: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    """One call: `text` (arguments: encodings from, to) or a program of `tools/` (`{in}/source`, `{out}/result.EXT`)."""

    tool: str
    arguments: tuple[str, ...]
    limits: ActionLimits = ActionLimits()


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of files with these PUIDs. `text` narrows plain text to one that a detector sees.

    `promises` are the PUIDs of which the result must have one; `verify` how it is compared with the original.
    `extension` is put behind the original's name.
    """

    name: str
    purpose: str
    puids: tuple[str, ...]
    extension: str
    promises: tuple[str, ...]
    verify: tuple[str, ...]
    actions: tuple[Action, ...]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """One file of `profiles/normalisation/`; `version` goes into the events."""

    version: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Derivative:
    """A proved result, a file of ours now. `sha256` lower-case hex, `size` bytes.

    For the event: the rule, program and version, arguments as in the rule, sandbox (`full`, `reduced`, empty for our
    own code, which runs in the pool), and what was proved.
    """

    path: Path
    size: int
    sha256: str
    format: Format
    rule: str
    tool: str
    tool_version: str
    arguments: str
    sandbox: str
    proved: str


@dataclass(frozen=True, slots=True)
class NotConverted:
    """The rule failed on this file; the original alone is kept. `attempted` is False when nothing could be tried."""

    finding: Finding
    rule: str
    attempted: bool = True


class _Failed(Exception):
    def __init__(self, code: str, found: str, expected: str | None = None, attempted: bool = True) -> None:
        super().__init__(code, found)
        self.code = code
        self.found = found
        self.expected = expected
        self.attempted = attempted


@cache
def rules(name: str = "default") -> Rules:
    """The rules of that name, checked: known tools, detectors and verifications, no PUID with two rules.

    UsageProblem names file and key.
    """
    file = PROJECT / "profiles" / "normalisation" / f"{name}.toml"
    found = read_settings(Rules, file)
    taken: set[tuple[str, str, str | None]] = set()
    for rule in found.rules:
        for puid in rule.puids:
            key = (rule.purpose, puid, rule.text)
            if key in taken:
                raise _wrong(file, rule, "puids", puid)
            taken.add(key)
        if rule.text is not None and rule.text not in _DETECTORS:
            raise _wrong(file, rule, "text", rule.text)
        if len(rule.actions) != 1:
            raise _wrong(file, rule, "actions", str(len(rule.actions)))
        for action in rule.actions:
            if action.tool != _OWN and action.tool not in _PROGRAMS:
                raise _wrong(file, rule, "tool", action.tool)
        for one in rule.verify:
            if one not in _VERIFICATIONS:
                raise _wrong(file, rule, "verify", one)
        if not rule.verify or not rule.promises:
            raise _wrong(file, rule, "verify", "-")
    return found


def _wrong(file: Path, rule: Rule, key: str, value: str) -> UsageProblem:
    return UsageProblem("USE-SETTINGS-KEY", file=file, key=f"rules.{rule.name}.{key}", cause=value)


def plan_for(found: Format | None, head: bytes, name: str = "default") -> Rule | None:
    """The rule for a file of this format; `head` are its first bytes (four are enough). None: it stays as it is."""
    if found is None or found.puid is None:
        return None
    for rule in rules(name).rules:
        if found.puid in rule.puids and (rule.text is None or _DETECTORS[rule.text](head)):
            return rule
    return None


def wants_head(found: Format | None, name: str = "default") -> bool:
    """Whether a rule might want this format, so that it is worth opening the file for its first bytes."""
    if found is None or found.puid is None:
        return False
    seen = found.basis if "text match" in found.basis else None
    return any(
        found.puid in rule.puids and (rule.text is None or seen is None or _WORDS[rule.text] in seen)
        for rule in rules(name).rules
    )


def ruled_differently(found: Format | None, read_head: Callable[[], bytes], name: str = "default") -> bool:
    """Whether the two formats that two engines name lead to different rules for one file.

    `read_head` gives its first bytes; it is asked only where some rule is about one of the formats.
    """
    if found is None or found.second is None:
        return False
    other = replace(found, puid=found.second.puid, basis=found.second.basis)
    if not (wants_head(found, name) or wants_head(other, name)):
        return False
    head = read_head()
    return plan_for(found, head, name) != plan_for(other, head, name)


def derivative_name(original: bytes, rule: Rule) -> bytes:
    """Name of the result: `a.bmp` → `a.bmp.tif`."""
    return original + b"." + rule.extension.encode("ascii")


def normalise(
    local: Path, path: PackagePath, rule: Rule, scratch: Path, *, sandbox: str = "full", workers: int = 0
) -> Derivative | NotConverted:
    """Makes, identifies and compares. `local` holds the bytes, `path` is its name for findings.

    The result is a file in `scratch` that belongs to the caller; nothing else is left there, and nothing unproved.
    SystemProblem when the disk fails us, never for what a file does.
    """
    action = rule.actions[0]
    folder = Path(tempfile.mkdtemp(prefix="normalise-", dir=scratch))
    try:
        result = folder / "made" / f"{_RESULT}.{rule.extension}"
        result.parent.mkdir()
        proved: list[str]
        if action.tool == _OWN:
            ran, proved = None, _text(action, local, result, scratch, workers)
        else:
            ran = _convert(action, local, result, sandbox)
            proved = []
        learnt = _identified(result, rule, scratch, workers)
        if "pixels" in rule.verify:
            proved.append(_pixels(local, result, folder, action, sandbox))
        kept = _keep(result, scratch)
    except _Failed as failed:
        finding = Finding(failed.code, path, expected=failed.expected, found=failed.found)
        return NotConverted(finding, rule.name, failed.attempted)
    except OSError as problem:
        raise SystemProblem("SYS-WRITE", file=scratch, cause=problem.strerror or problem) from problem
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert learnt.format is not None
    return Derivative(
        path=kept,
        size=learnt.size,
        sha256=learnt.digests["sha256"],
        format=learnt.format,
        rule=f"{rule.name}/{rules_version(rule)}",
        tool=action.tool if ran else "luutru",
        tool_version=(_PROGRAMS[action.tool].version or "") if ran else "",
        arguments=" ".join(action.arguments),
        sandbox=ran.sandbox if ran else "",
        proved="; ".join(proved),
    )


def rules_version(rule: Rule) -> str:
    """Version of the file of rules that a rule stands in; empty for one that stands in none."""
    for name in sorted(file.stem for file in (PROJECT / "profiles" / "normalisation").glob("*.toml")):
        if rule in rules(name).rules:
            return rules(name).version
    return ""


def _convert(action: Action, local: Path, result: Path, sandbox: str) -> Ran:
    """One call of a program. An image is measured before any program sees it."""
    limits = action.limits
    if limits.pixels:
        _measure(local, limits)
    ran = _call(action, list(action.arguments), {_SOURCE: local}, result.parent, sandbox)
    if not ran.ok or not result.exists() or result.is_symlink() or not result.stat().st_size:
        raise _Failed("FMT-CONVERT-FAILED", _why(ran), action.tool)
    return ran


def _call(action: Action, arguments: list[str], inputs: dict[str, Path], output: Path, sandbox: str) -> Ran:
    program = _PROGRAMS[action.tool]
    state = sandbox_state(sandbox)
    if not state.works:
        raise _Failed("FMT-CONVERT-NO-SANDBOX", f"{state.state}: {state.detail}", attempted=False)
    if not program.fit:
        least = ".".join(str(part) for part in program.minimum)
        raise _Failed("FMT-CONVERT-NO-TOOL", program.version or "-", f"{program.name} {least}", attempted=False)
    limits = action.limits
    megabytes = sum(file.stat().st_size for file in inputs.values()) / 1e6
    bounds = Bounds(limits.seconds + limits.seconds_per_mb * megabytes, limits.memory, limits.file)
    return run(program, arguments, inputs, output, bounds, sandbox=sandbox)


def _measure(local: Path, limits: ActionLimits) -> images.Header:
    try:
        with local.open("rb") as source:
            header = images.header(source)
    except images.Broken as broken:
        raise _Failed("FMT-CONVERT-DAMAGED", str(broken)) from None
    if header is None:
        raise _Failed("FMT-CONVERT-DAMAGED", "no header")
    if header.width * header.height > limits.pixels or max(header.width, header.height) > limits.side:
        found = f"{header.width} × {header.height}"
        raise _Failed("FMT-CONVERT-BIG", found, f"{limits.pixels}", attempted=False)
    return header


def _text(action: Action, local: Path, result: Path, scratch: Path, workers: int) -> list[str]:
    """Another encoding, by our own code in a worker, proved there by encoding back."""

    def descriptors() -> tuple[int, ...]:
        reader = os.open(local, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return reader, os.open(result, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            os.close(reader)
            raise

    task = Task(None, descriptors, action.arguments, local.stat().st_size)
    pool: Pool = shared(WORKERS, workers)
    (told,) = pool.map("pipeline.content.learning:convert_text", iter([task]), scratch)
    value: Any = told.value
    if isinstance(value, Failure):
        if isinstance(value.cause, OSError):
            raise value.cause
        raise _Failed("FMT-CONVERT-FAILED", f"{value.kind}: {value.text}", "utf-8")
    if "failed" in value:
        raise _Failed("FMT-CONVERT-DAMAGED", str(value["failed"]))
    if not value["same"]:
        raise _Failed("FMT-CONVERT-DIFFERS", "text")
    return ["encoded back it gives the bytes of the original"]


def _identified(result: Path, rule: Rule, scratch: Path, workers: int) -> Learnt:
    """What the result is; it has to be what the rule promised."""
    entry = Entry(PackagePath(os.fsencode(result.name)), result.stat().st_size)
    tree = FolderTree(result.parent)
    (learnt,) = read_all(tree, [entry], (), identify=True, workers=workers, scratch=scratch)
    if not isinstance(learnt, Learnt) or learnt.format is None:
        raise _Failed("FMT-CONVERT-FAILED", "unreadable", rule.actions[0].tool)
    if learnt.format.puid not in rule.promises:
        found = learnt.format.puid or learnt.format.warning or "-"
        raise _Failed("FMT-CONVERT-PUID", found, ", ".join(rule.promises))
    return learnt


def _pixels(local: Path, result: Path, folder: Path, action: Action, sandbox: str) -> str:
    """Compares samples: with our own decoder where it reads the original, else with what the program reads there."""
    with local.open("rb") as source:
        header = images.header(source)
        made = _samples(result, folder / "made-raw", action, sandbox)
        if header is not None and header.decodable:
            with made.open("rb") as raw:
                same = images.same_pixels(source, header, raw, made.stat().st_size)
            how = "pixels equal to those our own decoder reads"
        else:
            same = filecmp.cmp(made, _samples(local, folder / "source-raw", action, sandbox), shallow=False)
            how = f"pixels equal as {action.tool} reads both"
    if not same:
        raise _Failed("FMT-CONVERT-DIFFERS", "pixels")
    return how


def _samples(file: Path, folder: Path, action: Action, sandbox: str) -> Path:
    folder.mkdir()
    arguments = ["rawsave", "{in}/source", "{out}/samples"]
    ran = _call(action, arguments, {_SOURCE: file}, folder, sandbox)
    if not ran.ok or not (folder / "samples").exists():
        raise _Failed("FMT-CONVERT-FAILED", _why(ran), action.tool)
    return folder / "samples"


def _why(ran: Ran) -> str:
    """The limit that was met, else the program's own words on one line."""
    return ran.why or " ".join(ran.tail.split()) or f"exit {ran.code}"


def _keep(result: Path, scratch: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix="derivative-", suffix=f".{result.name.partition('.')[2]}", dir=scratch)
    os.close(handle)
    os.replace(result, name)
    return Path(name)
