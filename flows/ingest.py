"""Flows that show an ingest: one package with a task per stage, or a batch with a task per package.

The order of stages stands in `pipeline/ingest/ingest.py`; nothing about content is decided here.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from prefect import flow, runtime

from flows import artifacts, jobs, stages, states
from pipeline.errors import Interrupted

AT_ONCE = 1
"""Packages of a batch at work at the same time; inside a package the pool uses all cores."""


for name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(name).addFilter(states.calm)


def _named() -> str:
    # A function, not a template: braces in a package's name are never looked into.
    return jobs.job(runtime.flow_run.parameters["item"]).title()


@flow(name="ingest", flow_run_name=_named, validate_parameters=False, persist_result=False)
async def ingest_package(item: str) -> Any:
    """One package, a task per stage. `item` is the id of a row of the queue."""
    with jobs.at_work(item, runtime.flow_run.id) as job:
        try:
            result = await stages.in_thread(job.work, 0, stages.as_tasks(job.delays))
        except Interrupted:
            return states.make("CANCELLED", states.STOPPED, "")
        job.keep(0, result)
        await artifacts.report(result, job.lang)
        return states.of(result)


@flow(name="ingest-batch", flow_run_name=_named, validate_parameters=False, persist_result=False)
async def ingest_batch(item: str) -> Any:
    """Packages too small for runs of their own, a task for each. `item` is the id of a row of the queue."""
    with jobs.at_work(item, runtime.flow_run.id) as job:
        gate, table = asyncio.Semaphore(AT_ONCE), artifacts.Table(job)
        await table.begin()

        async def one(place: int) -> None:
            async with gate:
                await stages.package(job, place)
                await table.fill()

        ends = await asyncio.gather(*(one(place) for place in range(len(job.requests))), return_exceptions=True)
        await table.fill(last=True)
        if any(isinstance(end, Interrupted) for end in ends):
            return states.make("CANCELLED", states.STOPPED, "")
        return states.of_batch(job.results)
