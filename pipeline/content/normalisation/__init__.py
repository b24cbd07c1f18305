"""Preservation copies by rule: planned by format, made within limits, kept only when the result is proved.

What stands where: `rules.py` reads rules, `plan.py` picks one for a file, `engine.py` climbs its ladder of actions,
`made.py` holds the words that actions and verifications answer with, `calls.py` is how they reach programs and
workers, `registry.py` finds them, `worker.py` runs those that are our own code.

A new family NAME adds, and edits nothing else but the tuple `TOOLS`:

1. `pipeline/tools/PROGRAM.py`: a `Program`, named in `TOOLS` of `pipeline/tools/__init__.py`, with its row in
   `schemas/findings/sys-tools.tsv` (what is lost without it) and its package in `requirements/system.txt`. A rule may
   then name it as a `tool`; `{in}/source` and `{out}/RESULT.EXTENSION` in `arguments` stand for its files.
2. `actions/NAME.py`, only where one call of a program does not do: functions in `WITH_PROGRAMS` (run here, they reach
   programs through `calls`) or `IN_WORKER` (our own code that parses hostile bytes, run in a worker of the pool):

       def steps(source: Path, out: Path, action: Action, calls: Calls) -> Made
       def parse(source: BinaryIO, results: Mapping[str, BinaryIO], arguments: Sequence[str], beat) -> Made
       WITH_PROGRAMS: dict[str, ActionWithPrograms] = {"NAME.steps": steps}
       IN_WORKER: dict[str, ActionInWorker] = {"NAME.parse": parse}
       NEEDS: dict[str, tuple[Program, ...]] = {"NAME.steps": (PROGRAM,)}

   The keys are what rules name as `tool`. The first kind leaves `out/RESULT.EXTENSION` for each result of
   `action.results`; one with `many = true` leaves `out/RESULT.0001.EXTENSION` and so on, `Made.labels` says how each is
   called. The second kind gets an open file per result; the parts of a `many` are written one behind the other,
   `Made.parts` says how long each is. Without a program of `NEEDS` the action is not begun, and people are told so.
   `raise Failed(code, found, expected)` when it does not work: the next action is tried (`last=True`: no other action
   could do better, as with a file that is encrypted). `Made(kept="…")`: the original is already what the rule wants.
   `Made.notes` go into the event, `Made.told` become findings though it went well, `Made.marks` are what was seen on
   the way (`signed`), `Made.programs` are name and version of what did it.
   Where most files of a format need nothing, `FIT = {"NAME.parse": look}` with `look(source, beat) -> bool` tells so of
   many files at once, before any of them costs more.
3. `verify/NAME.py`, the same two ways; `Proved` is a sentence for the event, `Differs` the reason for the finding:

       def look(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs
       def read(source: BinaryIO, result: BinaryIO, arguments: Sequence[str], beat) -> Proved | Differs
       WITH_PROGRAMS: dict[str, VerificationWithPrograms] = {"NAME.look": look}
       IN_WORKER: dict[str, VerificationInWorker] = {"NAME.read": read}
       NEEDS: dict[str, tuple[Program, ...]] = {"NAME.look": (PROGRAM,)}

   A rule names it in `verify`, words behind the name are its arguments: `verify = ["NAME.read 0.01"]`. That the result
   exists, is not empty and has a promised PUID is asked of every result without being named.
4. `profiles/normalisation/NAME.toml`: the rules, see `rules.py`; the name goes into `include` of `default.toml`.
5. New codes in `schemas/findings/fmt.tsv`; tests in `tests/content/normalisation/test_NAME.py` on real files: what is
   made, the same bytes twice, what damage, encryption, emptiness and a wrong extension lead to.

What is known about a file beforehand reaches the rules as marks: `signed`, `encrypted` and `damaged` from its
examination, others that a stage kept (`Ledger.mark`): a rule may ask for a mark
(`when = ["signed"]`) or for its absence (`unless`). A derivative of a file marked `signed` says that it does not carry
the signature; a rule with `signed = "keep"` makes none. Modules that workers import must be quick to import.
"""

from __future__ import annotations

from pipeline.content.normalisation.engine import normalise
from pipeline.content.normalisation.made import Converted, Derivative, Kept, NotConverted, Outcome
from pipeline.content.normalisation.plan import plan_for, ruled_differently, wants_head
from pipeline.content.normalisation.rules import Action, ActionLimits, Result, Rule, Rules, rules

__all__ = [
    "Action",
    "ActionLimits",
    "Converted",
    "Derivative",
    "Kept",
    "NotConverted",
    "Outcome",
    "Result",
    "Rule",
    "Rules",
    "normalise",
    "plan_for",
    "ruled_differently",
    "rules",
    "wants_head",
]
