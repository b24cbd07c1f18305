"""Actions and verifications by the names that rules use, found in the modules of `actions/` and `verify/`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.content.normalisation import actions, verify
from pipeline.content.normalisation.made import Differs, Made, Proved
from pipeline.tools import TOOLS
from pipeline.tools.program import Program

if TYPE_CHECKING:
    from pipeline.content.normalisation.calls import Calls
    from pipeline.content.normalisation.rules import Action

Beat = Callable[[], None]
"""Says that a worker is still at work; more than 45 seconds of silence end it."""

ActionWithPrograms = Callable[[Path, Path, "Action", "Calls"], Made]
"""(source, empty folder for the results, action, calls)."""

ActionInWorker = Callable[[BinaryIO, Mapping[str, BinaryIO], Sequence[str], Beat], Made]
"""(source, file to write and read by name of result, arguments, beat)."""

Look = Callable[[BinaryIO, Beat], bool]
"""(source, beat): whether a file is for certain what the action would make of it; False when that needs more time."""

VerificationWithPrograms = Callable[[Path, Path, Sequence[str], "Calls"], Proved | Differs]
"""(source, result, arguments, calls)."""

VerificationInWorker = Callable[[BinaryIO, BinaryIO, Sequence[str], Beat], Proved | Differs]
"""(source, result, arguments, beat)."""


def known_tool(name: str) -> bool:
    """Whether a rule may call it: a program or an action."""
    return name in programs() or name in actions_with_programs() or name in actions_in_worker()


def known_verification(name: str) -> bool:
    return name in verifications_with_programs() or name in verifications_in_worker()


def needs(action: Action) -> tuple[Program, ...]:
    """The programs that an action and the verifications of its results call."""
    told = {program.name: program for program in _needs_of_tool(action.tool)}
    for result in action.results:
        for one in result.verify:
            told |= {program.name: program for program in _needs(verify).get(one.split()[0], ())}
    return tuple(told.values())


def _needs_of_tool(tool: str) -> tuple[Program, ...]:
    return (programs()[tool],) if tool in programs() else _needs(actions).get(tool, ())


@cache
def _needs(package: Any) -> dict[str, tuple[Program, ...]]:
    return _gathered(package, "NEEDS")


@cache
def programs() -> dict[str, Program]:
    """Programs of `pipeline/tools` by name."""
    return {program.name: program for program in TOOLS}


@cache
def actions_with_programs() -> dict[str, ActionWithPrograms]:
    return _gathered(actions, "WITH_PROGRAMS")


@cache
def actions_in_worker() -> dict[str, ActionInWorker]:
    return _gathered(actions, "IN_WORKER")


@cache
def looks() -> dict[str, Look]:
    """Quick looks by action, run in a worker on many files at once before any of them is planned."""
    return _gathered(actions, "FIT")


@cache
def verifications_with_programs() -> dict[str, VerificationWithPrograms]:
    return _gathered(verify, "WITH_PROGRAMS")


@cache
def verifications_in_worker() -> dict[str, VerificationInWorker]:
    return _gathered(verify, "IN_WORKER")


def prepare() -> None:
    """Imports what runs in a worker, with the heavy modules that `WARM` of actions and verifications name."""
    actions_in_worker()
    verifications_in_worker()
    for package in (actions, verify):
        for module in pkgutil.iter_modules(package.__path__):
            for name in getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "WARM", ()):
                importlib.import_module(name)


def _gathered(package: Any, table: str) -> dict[str, Any]:
    """One table of all modules of a package; a name that two of them have is a fault of ours."""
    found: dict[str, Any] = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(package.__path__)):
        here: dict[str, Any] = getattr(importlib.import_module(f"{package.__name__}.{module}"), table, {})
        if taken := found.keys() & here.keys():
            raise AssertionError(f"{package.__name__}.{module}: {sorted(taken)}")
        found |= here
    return found
