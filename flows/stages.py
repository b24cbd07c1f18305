"""Work of ours inside tasks of Prefect's: what the work says counts, what happens to the report of it does not."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from prefect import Task, runtime
from prefect.cache_policies import NO_CACHE

from flows import artifacts, retries, states
from flows.jobs import Job
from pipeline.errors import Interrupted
from pipeline.ingest.item import Item
from pipeline.ingest.tokens import Ended

if TYPE_CHECKING:
    from pipeline.ingest.ingest import Run

T = TypeVar("T")


def as_tasks(delays: tuple[float, ...]) -> Run:
    """Runs each stage as a task named after it, tried again after problems that pass."""

    def run(stage: Callable[..., T], *args: Any) -> T:
        values: list[T] = []
        problems: list[BaseException] = []

        def work() -> Any:
            problems.clear()
            try:
                values.append(stage(*args))
            except Interrupted as stop:
                problems.append(stop)
                return states.make("CANCELLED", states.STOPPED, "")
            except BaseException as problem:
                problems.append(problem)
                raise
            return states.of_end(values[0]) if isinstance(values[0], Ended) else None

        shown: Any = Task(
            work, name=stage.__name__, task_run_name=lambda: stage.__name__, cache_policy=NO_CACHE,
            persist_result=False, retries=len(delays), retry_delay_seconds=list(delays),
            retry_condition_fn=retries.when(lambda: retries.passes(problems[0] if problems else None)),
        )  # fmt: skip
        try:
            shown(return_state=True)
        except Exception:
            pass  # of ours: it lies in `problems`; of Prefect's: the work counts, not the report of it
        if problems:
            raise problems[0]
        return values[0] if values else stage(*args)

    return run


async def package(job: Job, place: int) -> Item:
    """One package of a batch as a task named after it, in its own state, with its report."""
    found: list[Item] = []

    async def work() -> Any:
        found.clear()
        try:
            found.append(await in_thread(job.work, place))
        except Interrupted:
            return states.make("CANCELLED", states.STOPPED, "")
        if not passes() or runtime.task_run.run_count > len(job.delays):
            await artifacts.report(found[0], job.lang)
        return states.of(found[0])

    def passes() -> bool:
        return bool(found and found[0].problem and found[0].problem.get("transient"))

    shown: Any = Task(
        work, name="package", task_run_name=lambda: job.title(place), cache_policy=NO_CACHE, persist_result=False,
        retries=len(job.delays), retry_delay_seconds=list(job.delays), retry_condition_fn=retries.when(passes),
    )  # fmt: skip
    try:
        await shown(return_state=True)
    except Exception:
        pass  # Prefect's trouble, not the package's
    if job.stopped is not None:
        raise job.stopped
    item = found[0] if found else await in_thread(job.work, place)
    job.keep(place, item)
    return item


async def in_thread(work: Callable[..., T], *args: Any) -> T:
    """Runs blocking work beside the event loop, in the context of the run; its thread never holds up the end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: Any, problem: BaseException | None) -> None:
        if future.done():
            return
        if problem is None:
            future.set_result(value)
        else:
            future.set_exception(problem if isinstance(problem, Exception) else Interrupted())

    def body() -> None:
        value, problem = None, None
        try:
            value = context.run(work, *args)
        except BaseException as raised:
            problem = raised
        try:
            loop.call_soon_threadsafe(settle, value, problem)
        except RuntimeError:
            pass  # the loop is gone; the work is done all the same

    threading.Thread(target=body, name="luutru-work", daemon=True).start()
    return await future
