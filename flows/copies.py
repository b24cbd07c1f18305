"""Copies that wait for a store: made by the worker once it is back, and shown on the run that waited."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

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
        if row.stand is not Stand.WAITING:
            continue
        still = not waiting.isdisjoint(row.aips)
        if row.flow_run and len(row.packages) == 1:
            await _show(UUID(row.flow_run), still)
        if not still:
            jobs.keep(space, replace(row, stand=Stand.DONE))


def fill(space: Workspace) -> set[str]:
    """Tries each copy that waits; the AIPs (URN) that wait still."""
    from pipeline.administration.archive import close_journal, opened
    from pipeline.administration.waiting import fill_all

    with opened(space) as at_hand:
        waited, still = fill_all(at_hand)
        if waited - still:
            close_journal(space)
    return still


async def _show(flow_run: UUID, still: bool) -> None:
    """Brings the run to what is true: accepted once the copy is made, waiting also after somebody pressed Resume."""
    waits, accepted = states.NAMES[Verdict.WAITING], states.NAMES[Verdict.ACCEPTED]
    async with get_client() as client:
        try:
            found = await client.read_flow_run(flow_run)
        except ObjectNotFound:
            return
        if found.state is None or found.state.is_final() or (still and found.state.name == waits):
            return
        true = states.make("PAUSED", waits, "Waits for a copy; it goes on by itself.")
        if not still:
            true = states.make("COMPLETED", accepted, "The copy that it waited for is made.")
        await client.set_flow_run_state(flow_run, true, force=True)
