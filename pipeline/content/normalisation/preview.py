"""What a rule would do to a file, said before anything is done: for people who ask, and for those who write rules."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from pipeline.content.normalisation import registry
from pipeline.content.normalisation.kept import reason_for
from pipeline.content.normalisation.plan import plan_for
from pipeline.content.normalisation.rules import PRESERVATION, Action, Rule, rules
from pipeline.records import Format
from pipeline.settings import PROJECT
from pipeline.tools.run import sandbox_state

_PUID = re.compile(r"(x-)?fmt/[1-9]\d*")


@dataclass(frozen=True, slots=True)
class Need:
    """A program that an action calls: the oldest version that is fit, the one that is there (empty: none)."""

    program: str
    minimum: str
    version: str
    ok: bool
    install: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a rule is about a file or none is.

    `word` is `rule`, `fit` (the file is what the rule wants already), `signed` (the rule leaves signed files alone),
    `conditions` (rules name the format, their conditions do not hold: `rules` are their names), `kept` (left alone on
    purpose, see `kept.py`), `no rule` or `unknown` (no PUID).
    """

    word: str
    rules: tuple[str, ...] = ()


def why(
    found: Format | None, head: bytes, name: str, purpose: str, marks: Collection[str] = ()
) -> tuple[Rule | None, Why]:
    """The rule for a file and the reason, see `plan_for`."""
    if found is None or found.puid is None:
        return None, Why("unknown")
    rule = plan_for(found, head, name, purpose=purpose, marks=marks)
    if rule is not None:
        return rule, Why("rule", (rule.name,))
    naming = [one for one in rules(name).rules if one.purpose == purpose and found.puid in one.puids]
    if not naming:
        return None, Why("kept" if purpose == PRESERVATION and reason_for(found.puid) else "no rule")
    keeping = [one.name for one in naming if one.signed == "keep" and "signed" in marks]
    if keeping:
        return None, Why("signed", tuple(keeping))
    return None, Why("conditions", tuple(one.name for one in naming))


def needs(action: Action) -> list[Need]:
    """The programs of an action as this machine has them."""
    return [
        Need(
            program.name,
            ".".join(str(part) for part in program.minimum),
            program.version or "",
            program.fit,
            f"apt install {program.install}",
        )
        for program in registry.needs(action)
    ]


def ready(action: Action, sandbox: str) -> bool:
    """Whether an action could be begun here: its programs are fit and, where it has any, the sandbox works."""
    wanted = needs(action)
    return not wanted or (all(one.ok for one in wanted) and sandbox_state(sandbox).works)


def rules_calling(name: str = "default") -> dict[str, list[str]]:
    """Names of the rules with an action that calls a program, by program; all that call any under `sandbox`."""
    found: dict[str, list[str]] = {}
    for rule in rules(name).rules:
        called = {program.name for action in rule.actions for program in registry.needs(action)}
        for program in sorted({*called, *(("bwrap", "prlimit", "sandbox") if called else ())}):
            found.setdefault(program, []).append(rule.name)
    return found


def unknown_puids(rule: Rule) -> list[str]:
    """PUIDs of a rule that the list of PRONOM at hand does not have."""
    named = {*rule.puids, *(puid for action in rule.actions for one in action.results for puid in one.promises)}
    return sorted(puid for puid in named if not _PUID.fullmatch(puid) or puid not in _pronom())


def conditions(rule: Rule) -> list[str]:
    """`when` and `unless` as people write them."""
    return [*rule.when, *(f"not {name}" for name in rule.unless)]


@cache
def _pronom() -> frozenset[str]:
    lines = (PROJECT / "schemas" / "pronom" / "pronom.tsv").read_text(encoding="utf-8").splitlines()
    return frozenset(line.partition("\t")[0] for line in lines)
