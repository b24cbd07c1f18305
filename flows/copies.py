"""Copies that wait for a store: made by the worker once it is back, and shown on the run that waited."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed

from flows import jobs, states
from flows.jobs import Stand
from pipeline.records import Verdict
from pipeline.settings import household
from pipeline.workspace import Workspace


async def go_on(space: Workspace) -> None:
    """Makes what can be made now, then settles the runs that waited for nothing else."""
    if not household(space).stores:
        return
    waiting = await asyncio.to_thread(fill, space)
    for row in await asyncio.to_thread(lambda: list(jobs.rows(space))):
        if row.stand is Stand.WAITING and not waiting.intersection(row.aips):
            if row.flow_run and len(row.packages) == 1:
                await _accepted(UUID(row.flow_run))
            jobs.keep(space, replace(row, stand=Stand.DONE))


def fill(space: Workspace) -> set[str]:
    """Tries each copy that waits; the AIPs (URN) that wait still."""
    from pipeline.administration.archive import opened
    from pipeline.administration.waiting import fill_all
    from pipeline.ingest.preflight import close_journal

    with opened(space) as at_hand:
        waited, still = fill_all(at_hand)
        if waited - still:
            close_journal(space)
    return still


async def _accepted(flow_run: UUID) -> None:
    async with get_client() as client:
        try:
            found = await client.read_flow_run(flow_run)
        except ObjectNotFound:
            return
        if found.state is not None and found.state.name == states.NAMES[Verdict.WAITING]:
            done: State[None] = Completed(
                name=states.NAMES[Verdict.ACCEPTED], message="The copy that it waited for is made."
            )
            await client.set_flow_run_state(flow_run, done, force=True)
