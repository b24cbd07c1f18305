"""The words that actions, verifications and the engine answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.records import Finding, Format

CHANGED = "content changed: text of old fonts is Unicode in NFC now"
"""Note of an action whose result does not say the same characters as its source; PREMIS repeats it as the outcome."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding about the source without its path: what an action says though it went well."""

    code: str
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """How an action went that did not fail; the results lie in files that it was given or had to name.

    `kept` (a reason) says that the original is fit as it is and nothing was made. `notes` are facts for the event in
    order (`charset=TCVN3`), `programs` (name, version) of what did the work, none for our own code alone. `labels`:
    what a file of a `many` result is called (`csv.0001.csv` → `Danh mục`). `parts` of an action in a worker: for a
    `many` result the label and the length in bytes of each part, in order.
    """

    kept: str = ""
    notes: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    marks: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    sandbox: str = ""

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Made:
        """The record of what `dataclasses.asdict` gave, by way of JSON."""
        return cls(
            str(value["kept"]),
            tuple(str(note) for note in value["notes"]),
            tuple(Told(**one) for one in value["told"]),
            tuple(str(mark) for mark in value["marks"]),
            tuple((str(name), str(version)) for name, version in value["programs"]),
            {str(name): str(label) for name, label in value["labels"].items()},
            {
                str(name): tuple((str(label), int(size)) for label, size in all_)
                for name, all_ in value["parts"].items()
            },
        )


@dataclass(frozen=True, slots=True)
class Proved:
    """The result says what the original says; `how` is a sentence for the event."""

    how: str


@dataclass(frozen=True, slots=True)
class Differs:
    """The result must not be kept; `reason` goes into the finding."""

    reason: str


class Failed(Exception):
    """An action or verification that does not work on this file: `code` of a finding, what was expected and found.

    `attempted` is False when nothing could be tried (no program, no sandbox, too big). `last`: no further action of the
    rule has to be tried.
    """

    def __init__(
        self, code: str, found: str, expected: str | None = None, *, attempted: bool = True, last: bool = False
    ) -> None:
        super().__init__(code, found)
        self.code = code
        self.found = found
        self.expected = expected
        self.attempted = attempted
        self.last = last


@dataclass(frozen=True, slots=True)
class Derivative:
    """A proved result, a file of ours now. `sha256` lower-case hex, `size` bytes.

    `result` is its name in the rule, numbered where there are many (`csv.0001`); `extension` goes behind the
    original's name (`tif`, `Danh mục.csv`); `main` for the one that stands for the file where one alone can.
    For the event: programs and versions (none for our own code), arguments as in the rule, sandbox (`full`, `reduced`,
    empty for our own code, which runs in the pool), what was proved, further facts.
    """

    result: str
    main: bool
    path: Path
    size: int
    sha256: str
    format: Format
    extension: str
    programs: tuple[tuple[str, str], ...]
    arguments: str
    sandbox: str
    proved: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """The rule kept its promise; `rule` is its name with version. `findings` tell what went less well on the way."""

    rule: str
    derivatives: tuple[Derivative, ...]
    findings: tuple[Finding, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """The original is already what the rule wants; `reason` says in which way."""

    rule: str
    reason: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class NotConverted:
    """The rule failed on this file; the original alone is kept. `attempted` is False when nothing could be tried."""

    finding: Finding
    rule: str
    attempted: bool = True


Outcome = Converted | Kept | NotConverted
