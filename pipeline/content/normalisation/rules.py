"""Rules as data: which formats become what, by which actions within which limits, how each result is proved.

A file of `profiles/normalisation/` has a `version`, perhaps `include` (names of further files there), `growth`,
`languages` (see `Rules`) and rules:

    [[rules]]
    name = "word-ooxml"
    purpose = "preservation"          # or "access"
    puids = ["fmt/412"]
    when = []                         # conditions that all hold: of CONDITIONS, or marks (MARKS)
    unless = ["encrypted"]            # of which none holds
    signed = "derive"                 # what becomes of a signed file: a copy that says so, or "keep": nothing
    estimate = {seconds = 1.2, seconds_per_mb = 0.3, bytes = 20000, growth = 0.8}   # as measured, for the dry run

    [[rules.actions]]                 # tried in this order until one keeps its promise
    tool = "office.convert"           # an action, or a program of pipeline/tools
    arguments = ["MS Word 2007 XML"]
    wanted = false                    # true: a finding where it fails and a later one does not
    limits = {seconds = 60.0, seconds_per_mb = 2.0, memory = 2147483648, processes = 64, output = 2147483648}

    [[rules.actions.results]]         # the first one is the main one
    name = "odt"
    extension = "odt"                 # put behind the original's name
    promises = ["fmt/1756"]           # the result must be identified as one of these
    verify = ["office.opens", "office.cells 0"]
    needed = true                     # false: when this result fails, the others are kept
    many = false                      # true: any number of files, at least one when needed
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline.content.normalisation import registry
from pipeline.errors import UsageProblem
from pipeline.settings import PROJECT
from pipeline.settings import read as read_settings

FOLDER = PROJECT / "profiles" / "normalisation"
PRESERVATION, ACCESS = "preservation", "access"

CONDITIONS: dict[str, Callable[[bytes], bool]] = {
    "utf-16-bom": lambda head: (
        head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE)
    ),
}
"""What can be seen from a file's first bytes (16 are given)."""

WORDS = {"utf-16-bom": "UTF-16"}
"""What the engine says of text that a condition might see; text of which it says otherwise need not be opened."""

SCANNED = "scanned"
"""The mark of a picture of pages whose text no program can read yet, see `content/scans.py`."""

MARKS = frozenset({"signed", "encrypted", "damaged", SCANNED})
"""What may be known about a file beforehand and rules may ask for."""

_LANGUAGES = re.compile(r"[A-Za-z_]+(\+[A-Za-z_]+)*")

_RESULT_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_EXTENSION = re.compile(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class ActionLimits:
    """What each call of an action may use.

    `seconds` plus `seconds_per_mb` of input (10⁶ bytes), wall clock; `memory` bytes resident over all its processes;
    `processes` at one time; `output` bytes of all files that it writes. `pixels` and `side` (longest, in pixels) of an
    image; 0 pixels = the input is no image whose size could be read beforehand.
    """

    seconds: float = 60.0
    seconds_per_mb: float = 1.0
    memory: int = 1 << 30
    processes: int = 64
    output: int = 8 << 30
    pixels: int = 0
    side: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """One promise of an action: the result has one of the PUIDs `promises`, and is proved in the ways of `verify`."""

    extension: str
    promises: tuple[str, ...]
    verify: tuple[str, ...]
    name: str = "result"
    needed: bool = True
    many: bool = False

    @property
    def file(self) -> str:
        """Name of the file that an action leaves for it (that of a `many` has a number before the extension)."""
        return f"{self.name}.{self.extension}"


@dataclass(frozen=True, slots=True)
class Action:
    """One way to keep the rule's promise: a program of `pipeline/tools` or a function of `actions/`.

    `wanted`: where it fails and a later one with another tool does not, a finding says what the copy lacks.
    """

    tool: str
    results: tuple[Result, ...]
    arguments: tuple[str, ...] = ()
    limits: ActionLimits = ActionLimits()
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a rule takes as measured: `seconds` a file and `seconds_per_mb` (10⁶ bytes of source) of one core; results
    have `bytes` a file and `growth` bytes per byte of source. For a dry run alone.
    """

    seconds: float = 0.5
    seconds_per_mb: float = 0.5
    bytes: int = 0
    growth: float = 1.0

    def time(self, size: int) -> float:
        """Seconds for a source of this many bytes."""
        return self.seconds + self.seconds_per_mb * size / 1e6

    def space(self, size: int) -> int:
        """Bytes of all results of a source of this many bytes."""
        return self.bytes + round(self.growth * size)


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of files with these PUIDs; `version` is that of its file where it has none of its own."""

    name: str
    purpose: str
    puids: tuple[str, ...]
    actions: tuple[Action, ...]
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    signed: str = "derive"
    version: str = ""
    estimate: Estimate = Estimate()

    @property
    def reference(self) -> str:
        """Name and version, as events have it."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Rules:
    """One file of `profiles/normalisation/`, or several put together; rules in the order in which they are asked.

    A person is asked when the copies of a package have more than `growth` times the bytes of all that arrived, unless
    they have at most `small` bytes. `languages` of OCR as tesseract names them stand where an argument of a rule, also
    of an included one, is `{languages}`.
    """

    version: str
    rules: tuple[Rule, ...] = ()
    include: tuple[str, ...] = ()
    growth: float = 3.0
    small: int = 64 << 20
    languages: str = "vie"

    @property
    def digest(self) -> str:
        """SHA-256 of what the rules say: the same rules, the same digest."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


@cache
def rules(name: str = "default") -> Rules:
    """The rules of that name, or of a TOML file, with those of what it includes; checked.

    UsageProblem names file and key: an unknown key, tool, condition, verification; two rules for one case.
    """
    return load(file_of(name))


def file_of(name: str) -> Path:
    """Where rules of that name stand; a name that ends in `.toml` or has folders is a path itself."""
    return Path(name) if name.endswith(".toml") or "/" in name else FOLDER / f"{name}.toml"


def load(file: Path) -> Rules:
    """Reads and checks one file with what it includes."""
    found = read_settings(Rules, file)
    all_: list[tuple[Path, Rule]] = [(file, _versioned(rule, found)) for rule in found.rules]
    for name in found.include:
        part = file.parent / f"{name}.toml"
        below = read_settings(Rules, part)
        if below.include:
            raise UsageProblem("USE-SETTINGS-KEY", file=part, key="include", cause=below.include[0])
        all_ += [(part, _versioned(rule, below)) for rule in below.rules]
    taken: set[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = set()
    names: set[str] = set()
    for where, rule in all_:
        _check(where, rule)
        if rule.name in names:
            raise _wrong(where, rule, "name", rule.name)
        names.add(rule.name)
        for puid in rule.puids:
            key = (rule.purpose, puid, tuple(sorted(rule.when)), tuple(sorted(rule.unless)))
            if key in taken:
                raise _wrong(where, rule, "puids", puid)
            taken.add(key)
    if not _LANGUAGES.fullmatch(found.languages):
        raise UsageProblem("USE-SETTINGS-KEY", file=file, key="languages", cause=found.languages)
    return replace(found, rules=tuple(_speaking(rule, found.languages) for _, rule in all_))


def _speaking(rule: Rule, languages: str) -> Rule:
    """The rule with the languages of its set in its arguments."""
    actions = tuple(
        replace(one, arguments=tuple(part.replace("{languages}", languages) for part in one.arguments))
        for one in rule.actions
    )
    return rule if actions == rule.actions else replace(rule, actions=actions)


def _versioned(rule: Rule, file: Rules) -> Rule:
    return rule if rule.version else replace(rule, version=file.version)


def _check(file: Path, rule: Rule) -> None:
    if rule.purpose not in (PRESERVATION, ACCESS):
        raise _wrong(file, rule, "purpose", f"{rule.purpose}: {PRESERVATION} | {ACCESS}")
    if rule.signed not in ("derive", "keep"):
        raise _wrong(file, rule, "signed", f"{rule.signed}: derive | keep")
    if not rule.puids:
        raise _wrong(file, rule, "puids", "-")
    for key, names in (("when", rule.when), ("unless", rule.unless)):
        for name in names:
            if name not in CONDITIONS and name not in MARKS:
                raise _wrong(file, rule, key, f"{name}: {' | '.join(sorted({*CONDITIONS, *MARKS}))}")
    if not rule.actions:
        raise _wrong(file, rule, "actions", "-")
    for number, action in enumerate(rule.actions):
        at = f"actions.{number}"
        if not registry.known_tool(action.tool):
            raise _wrong(file, rule, f"{at}.tool", action.tool)
        if not action.results:
            raise _wrong(file, rule, f"{at}.results", "-")
        if not action.results[0].needed:
            raise _wrong(file, rule, f"{at}.results.0.needed", "false")
        if len({one.name for one in action.results}) < len(action.results):
            raise _wrong(file, rule, f"{at}.results", "name")
        for place, result in enumerate(action.results):
            _check_result(file, rule, f"{at}.results.{place}", result)


def _check_result(file: Path, rule: Rule, at: str, result: Result) -> None:
    if not _RESULT_NAME.fullmatch(result.name):
        raise _wrong(file, rule, f"{at}.name", result.name)
    if not _EXTENSION.fullmatch(result.extension):
        raise _wrong(file, rule, f"{at}.extension", result.extension)
    if not result.promises:
        raise _wrong(file, rule, f"{at}.promises", "-")
    if not result.verify:
        raise _wrong(file, rule, f"{at}.verify", "-")
    for one in result.verify:
        if not one.split() or not registry.known_verification(one.split()[0]):
            raise _wrong(file, rule, f"{at}.verify", one)


def _wrong(file: Path, rule: Rule, key: str, value: str) -> UsageProblem:
    return UsageProblem("USE-SETTINGS-KEY", file=file, key=f"rules.{rule.name}.{key}", cause=value)
