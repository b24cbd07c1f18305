"""The order of an audit: which copies are due, what is read of them, what the journal says of it."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock, Timeout

from pipeline.administration.archive import Archive
from pipeline.catalogue.holdings import HeldCopy
from pipeline.catalogue.rebuild import learn
from pipeline.errors import Interrupted, SystemProblem
from pipeline.records import CopyState, Finding
from pipeline.settings import settings
from pipeline.storage.judging import Damage, Judgement, Step, What, judge
from pipeline.storage.lines import CopyAudit, CopyProblem, Kind, Result, not_checked
from pipeline.storage.pairs import Reader
from pipeline.storage.stores import Store, StoreAbsent
from pipeline.workspace import now, rfc3339, write_json

DAY = 86_400
MASS_COPIES = 20
MASS_SHARE = 100
"""More damaged copies than MASS_COPIES, or than one in MASS_SHARE of at least so many, look like an outage."""

_RUN_DAYS = 7
_LINE_AIPS = 500
_TELL_SECONDS = 0.5
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Budget:
    """Where an audit stops by itself: bytes read, seconds, copies; None = no limit. A copy is never cut in half."""

    bytes: int | None = None
    seconds: int | None = None
    count: int | None = None


def limits(bytes: int | None = None, seconds: int | None = None, count: int | None = None) -> Budget:
    """A budget from what a person gave."""
    return Budget(bytes, seconds, count)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an audit is: copies and bytes, done and in all; `rate` in bytes per second, `left` in seconds."""

    done: int
    copies: int
    done_bytes: int
    bytes: int
    rate: float
    left: float | None


@dataclass(slots=True)
class AuditReport:
    """What an audit came to. `items` are those of `audit/1`, in the order in which they were due.

    Beside the keys of the contract an item has `code`, the problem that kept us from reading, and `note`: `absent`,
    `failed`, `waiting`, `budget` or `plan` for a copy that was not checked, `made` for one that was made just now.
    `overdue` counts copies that no audit has read for longer than the settings allow; `next_due` is when the next
    one becomes due, None when nothing is held. `mass_damage` (AUD-MASS): so much is wrong that it may be an outage.
    """

    run: str
    items: list[dict[str, Any]] = field(default_factory=list)
    overdue: int = 0
    next_due: str | None = None
    mass_damage: Finding | None = None

    @property
    def exit(self) -> int:
        """3 when a copy could not be read for want of its store, 1 when one is damaged, 4 when one still waits."""
        notes = {item["note"] for item in self.items}
        results = {item["result"] for item in self.items}
        unread = any(item["result"] != Result.NOT_CHECKED and item["code"] for item in self.items)
        if unread or notes & {"absent", "failed"}:
            return 3
        if results & {Result.DAMAGED, Result.MISSING}:
            return 1
        return 4 if "waiting" in notes else 0


def audit(
    at_hand: Archive,
    *,
    store: str | None = None,
    aip: str | None = None,
    plan: bool = False,
    due_only: bool = False,
    budget: Budget = Budget(),
    on_item: Callable[[dict[str, Any]], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> AuditReport:
    """Reads every file of every copy (of the store named, of the AIP with this URN), those never read first.

    Each result is a journal line before the next copy is begun: killed, the same call goes on after the lines of its
    run. Copies that wait because their store was away are made from a verified one. With `due_only` copies that were
    read within the days of the settings are left out; with `plan` nothing is read. What was due and not read is
    recorded too. `stop` is asked after every file: Interrupted, and the same call goes on with that copy. The caller
    flushes the journal.

    SystemProblem SYS-AUDIT-BUSY when another audit of this data folder runs.
    """
    lock = FileLock(at_hand.space.locks / "audit.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SystemProblem("SYS-AUDIT-BUSY", transient=True) from None
    try:
        selection = {"store": store, "aip": aip, "due_only": due_only}
        with contextlib.closing(_Run(at_hand, selection, budget, on_item, on_progress, stop)) as run:
            wanted = run.wanted(store, aip, due_only)
            if plan:
                return run.planned(wanted)
            run.begin()
            run.work(wanted)
            return run.end()
    finally:
        lock.release()


class _Run:
    """One audit from its first copy to its last, over as many processes as it is killed into."""

    def __init__(
        self,
        at_hand: Archive,
        selection: dict[str, Any],
        budget: Budget,
        on_item: Callable[[dict[str, Any]], None] | None,
        on_progress: Callable[[Progress], None] | None,
        stop: Callable[[], bool],
    ) -> None:
        self.at_hand = at_hand
        self.selection = selection
        self.budget = budget
        self.on_item = on_item or (lambda item: None)
        self.on_progress = on_progress or (lambda progress: None)
        self.stop = stop
        self.note = at_hand.space.root / "audit.json"
        self.scratch = at_hand.space.root / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.days = settings(at_hand.space).audit_days
        self.reader = Reader()
        self.report = AuditReport("")
        self.started = time.monotonic()
        self.told = self.started
        self.copies = self.done = self.weight = self.passed = 0
        self.read = 0
        self.count = 0
        self.left_out: list[HeldCopy] = []
        at_hand.catalogue.catch_up()
        self.reached = {one.id: one for one in at_hand.reach()}
        learn(at_hand.catalogue, self.reached.values())

    def close(self) -> None:
        """Ends what was begun for the reading."""
        self.reader.close()

    # ------------------------------------------------------------------ what is due

    def due(self, copy: HeldCopy) -> int:
        """When a copy has to be read, in seconds since 1970; 0 for one that no audit has read."""
        return copy.audited + self.days * DAY if copy.audited else 0

    def wanted(self, store: str | None, aip: str | None, due_only: bool) -> list[HeldCopy]:
        moment = int(now().timestamp())
        copies = self.at_hand.catalogue.copies(store=store, aip=aip)
        return [copy for copy in copies if not due_only or copy.state == "waiting" or self.due(copy) <= moment]

    def planned(self, wanted: Iterable[HeldCopy]) -> AuditReport:
        self.report.items = [self._left(copy, "plan") for copy in wanted]
        self._outlook()
        return self.report

    # ------------------------------------------------------------------ the work

    def begin(self) -> None:
        """Goes on with a run of the same selection that was cut off, else begins one."""
        moment = int(now().timestamp())
        try:
            known = json.loads(self.note.read_bytes())
            if known["selection"] == self.selection and 0 <= moment - known["started"] < _RUN_DAYS * DAY:
                self.report.run = str(known["run"])
                return
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, or not readable: what it saves is then read once more
        self.report.run = uuid.uuid4().hex[:16]
        write_json(self.note, {"run": self.report.run, "started": moment, "selection": self.selection})

    def work(self, wanted: list[HeldCopy]) -> None:
        self.copies, self.weight = len(wanted), sum(copy.bytes for copy in wanted)
        for number, copy in enumerate(wanted, 1):
            if self.stop():
                raise Interrupted
            item = self._one(copy)
            self.report.items.append(item)
            self.on_item(item)
            self.done, self.passed = number, self.passed + copy.bytes
            self._tell(self.passed, self.read)

    def _tell(self, passed: int, read: int) -> None:
        self.told = time.monotonic()
        seconds = self.told - self.started
        rate = read / seconds if seconds > 0 else 0.0
        left = max(self.weight - passed, 0) / rate if rate > 0 else None
        self.on_progress(Progress(self.done, self.copies, passed, self.weight, rate, left))

    def _one(self, copy: HeldCopy) -> dict[str, Any]:
        done = self.at_hand.catalogue.audited(copy.aip, copy.store_id)
        if done is not None and done.run == self.report.run:
            return _item(done)
        if self._exhausted():
            return self._left(copy, "budget")
        store = self.reached.get(copy.store_id)
        if store is None:
            return self._left(copy, "absent")
        if copy.state == "waiting":
            return self._made(copy)
        try:
            result = self._judged(copy, store)
        except StoreAbsent as problem:
            del self.reached[copy.store_id]
            self.at_hand.absent[copy.store] = problem
            return self._left(copy, "absent")
        except SystemProblem as problem:
            return self._left(copy, "failed", problem.code)
        self.count += 1
        self.read += result.bytes
        line = self.at_hand.journal.append(Kind.AUDIT, result.fields())
        self.at_hand.catalogue.record(line)
        return _item(result)

    def _judged(self, copy: HeldCopy, store: Store) -> CopyAudit:
        """Reads every file of the copy. The journal's commits are the first authority on what it has to be."""
        inside = 0

        def on_file(step: Step) -> None:
            nonlocal inside
            inside += step.size
            if self.stop():
                raise Interrupted
            if time.monotonic() - self.told > _TELL_SECONDS:
                self._tell(self.passed + min(inside, copy.bytes), self.read + inside)

        committed = self.at_hand.catalogue.inventories(copy.aip)
        known = {version: digest for version, digest in committed.items() if version <= copy.version}
        judged = judge(store, copy.aip, known=known, scratch=self.scratch, on_file=on_file, reader=self.reader)
        problems = judged.problems if judged.conforms else self._examined(copy, store, judged, known)
        return CopyAudit(
            copy.aip, copy.version, copy.store, copy.store_id, _result(problems), self.report.run,
            str(judged.evidence), judged.files, judged.bytes, tuple(_problem(one) for one in problems),
            _count(problems),
        )  # fmt: skip

    def _examined(self, copy: HeldCopy, store: Store, judged: Judgement, known: dict[int, str]) -> tuple[Damage, ...]:
        """All that is wrong with a copy that is not just what the journal knows."""
        from pipeline.administration.behind import behind
        from pipeline.storage.conformance import conformance

        others = [other for other in self.reached.values() if other.id != store.id]
        more = (*behind(store, judged, copy.version, known, others, self.scratch), *conformance(store, judged))
        return _together(judged.problems, more)

    def _made(self, copy: HeldCopy) -> dict[str, Any]:
        """A copy that its store never had, because it was away, is made and read back."""
        from pipeline.administration.filling import fill_waiting

        held = self.at_hand.catalogue.find(copy.aip)
        rows = {row.store: row for row in fill_waiting(self.at_hand, held, 0, self.scratch)}
        row = rows.get(copy.store)
        if row is None or row.state is not CopyState.VERIFIED:
            return self._left(copy, "absent" if row is not None and row.state is CopyState.ABSENT else "waiting")
        self.count += 1
        self.read += copy.bytes
        made = CopyAudit(
            copy.aip, copy.version, copy.store, copy.store_id, Result.INTACT, self.report.run, str(row.evidence),
            copy.files, copy.bytes,
        )  # fmt: skip
        self.at_hand.catalogue.record(self.at_hand.journal.append(Kind.AUDIT, made.fields()))
        return _item(made, note="made")

    def _exhausted(self) -> bool:
        budget = self.budget
        return (
            (budget.count is not None and self.count >= budget.count)
            or (budget.bytes is not None and self.read >= budget.bytes)
            or (budget.seconds is not None and time.monotonic() - self.started >= budget.seconds)
        )

    def _left(self, copy: HeldCopy, reason: str, code: str | None = None) -> dict[str, Any]:
        result = CopyAudit(copy.aip, copy.version, copy.store, copy.store_id, Result.NOT_CHECKED)
        if reason == "absent" and copy.store in self.at_hand.absent:
            code = self.at_hand.absent[copy.store].code
        elif reason == "absent":
            code = "USE-STORE-UNKNOWN"  # a store that this data folder does not know, or one of another id
        item = _item(result, note=reason, code=code)
        if reason == "plan":
            return {**item, "files": copy.files, "bytes": copy.bytes}
        self.left_out.append(replace(copy, state=reason))
        return item

    def end(self) -> AuditReport:
        """Records what was not read, then the run is over."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for copy in self.left_out:
            groups.setdefault((copy.store, copy.store_id, copy.state), []).append(copy.aip)
        for (store, store_id, reason), aips in groups.items():
            for start in range(0, len(aips), _LINE_AIPS):
                part = aips[start : start + _LINE_AIPS]
                fields = not_checked(self.report.run, store, store_id, reason, part)
                self.at_hand.catalogue.record(self.at_hand.journal.append(Kind.NOT_CHECKED, fields))
        self.note.unlink(missing_ok=True)
        read = [item for item in self.report.items if item["result"] != Result.NOT_CHECKED]
        bad = sum(item["result"] != Result.INTACT for item in read)
        if bad > MASS_COPIES or (len(read) >= MASS_SHARE and bad * MASS_SHARE > len(read)):
            self.report.mass_damage = Finding("AUD-MASS", None, None, f"{MASS_COPIES}", f"{bad}/{len(read)}")
        self._outlook()
        return self.report

    def _outlook(self) -> None:
        """Overdue: not read for longer than the days of the settings; before the first audit the writing counts."""
        moment = int(now().timestamp())
        dates = [(copy.audited or copy.written) + self.days * DAY for copy in self.at_hand.catalogue.copies()]
        self.report.overdue = sum(date < moment for date in dates)
        if dates:
            self.report.next_due = rfc3339(datetime.fromtimestamp(min(dates), UTC))


def _together(judged: tuple[Damage, ...], more: tuple[Damage, ...]) -> tuple[Damage, ...]:
    """All problems of a copy, at most _MOST listed, a last entry `…` counting those that are not."""
    listed = judged[:-1] if judged and judged[-1].path == "…" else judged
    room = max(_MOST - len(listed), 0)
    hidden = _count(judged) - len(listed) + len(more[room:])
    last = (Damage(What.CHANGED, "…", None, f"+{hidden}"),) if hidden else ()
    return (*listed, *more[:room], *last)


def _result(problems: tuple[Damage, ...]) -> Result:
    """Nothing is called damaged on the ground alone that it could not be read."""
    if not problems:
        return Result.INTACT
    if any(one.what is What.MISSING and not one.path for one in problems):
        return Result.MISSING
    return Result.UNREADABLE if all(one.what is What.UNREADABLE for one in problems) else Result.DAMAGED


def _problem(damage: Damage) -> CopyProblem:
    return CopyProblem(str(damage.what), damage.path, damage.expected, damage.found)


def _count(problems: tuple[Damage, ...]) -> int:
    """All problems, also those that a last entry `…` only counts."""
    last = problems[-1] if problems else None
    if last is not None and last.path == "…" and last.found:
        return len(problems) - 1 + int(last.found.removeprefix("+"))
    return len(problems)


def _item(result: CopyAudit, *, note: str | None = None, code: str | None = None) -> dict[str, Any]:
    """A copy in the shape of `audit/1`; what could not be read stands in `code` and `note`, not among the faults."""
    faults = [problem.as_json() for problem in result.problems if problem.what != What.UNREADABLE]
    unread = [problem for problem in result.problems if problem.what == What.UNREADABLE]
    if unread:
        code, note = unread[0].found, f"unreadable: {unread[0].path}" + (f" +{len(unread) - 1}" if unread[1:] else "")
    return {
        "aip": result.aip, "version": result.version, "store": result.store, "result": str(result.result),
        "evidence": result.evidence, "files": result.files, "bytes": result.bytes,
        "problems": faults, "code": code, "note": note,
    }  # fmt: skip
