"""The worker: serves the deployments, hands rows of the queue to them, and cleans up after processes that died."""

from __future__ import annotations

import asyncio
import datetime
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events import AutomationCore, EventTrigger, Posture, ResourceSpecification
from prefect.events.actions import ChangeFlowRunState
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from flows import copies, dashboard, jobs, services, states
from flows.jobs import ATTEMPTS, Row, Stand
from pipeline.settings import settings
from pipeline.workspace import Workspace, durable, now, workspace

AT_ONCE = 2
KEEP_DAYS = 30
GONE = "The process of this run is gone."
WATCH = "Runs whose process died"
log = logging.getLogger("luutru.worker")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_serve(workspace()))


async def _serve(space: Workspace) -> None:
    from flows.audit import audit_copies
    from flows.ingest import ingest_batch, ingest_package

    runner = runner_of(space)
    served = {
        "package": await _deploy(runner, ingest_package, "queue"),
        "batch": await _deploy(runner, ingest_batch, "queue"),
    }
    nightly = await _deploy(runner, audit_copies, "nightly", settings(space).audit_cron)
    await watch_for_dead_runs()
    await _drop_missed(nightly)
    await take_up(space)
    beside = [
        asyncio.create_task(_again(2, lambda: _submit(space, served))),
        asyncio.create_task(_again(60, lambda: _tidy(space))),
        asyncio.create_task(_again(60, lambda: copies.go_on(space))),
    ]
    with durable(space.services / "worker.ready") as out:
        out.write(f"{os.getpid()}\n".encode())
    try:
        await runner.start()
    finally:
        for task in beside:
            task.cancel()


def runner_of(space: Workspace) -> Runner:
    """Prefect's runner with its files in the data folder; by itself it shares one folder of /tmp with every user."""
    tempfile.tempdir = str(space.services)
    try:
        return Runner(name="luutru", limit=AT_ONCE, query_seconds=3, pause_on_shutdown=False)
    finally:
        tempfile.tempdir = None


async def _deploy(runner: Runner, flow: Flow[Any, Any], name: str, cron: str | None = None) -> UUID:
    schedule = Cron(cron, timezone=time_zone()) if cron else None
    made = await flow.ato_deployment(name=name, schedule=schedule, entrypoint_type=EntrypointType.MODULE_PATH)
    return await runner.aadd_deployment(made)


async def _drop_missed(deployment: UUID) -> None:
    """Of the nights that passed while nothing ran, one audit is enough."""
    async with get_client() as client:
        missed = await client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
                next_scheduled_start_time=FlowRunFilterNextScheduledStartTime.model_validate({"before_": now()}),
            ),
            sort=FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC,
        )
        for run in missed[:-1]:
            await client.delete_flow_run(run.id)


async def watch_for_dead_runs() -> None:
    """Makes the server mark runs as crashed whose process was killed together with ours.

    A run is alive while its heartbeats come; it ends with the event of any end state, ours included. Without this a
    power cut would leave it "Running" for ever.
    """
    ends = ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling", "Paused", "Suspended", *states.ENDS)
    wanted = AutomationCore(
        name=WATCH,
        description="luutru: no heartbeat for three times its interval",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{name}" for name in ends)},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=datetime.timedelta(seconds=3 * dashboard.HEARTBEAT_SECONDS),
        ),
        actions=[ChangeFlowRunState(name=None, state=StateType.CRASHED, message=GONE, force=False)],
    )
    async with get_client() as client:
        there = await client.read_automations_by_name(WATCH)
        if there:
            await client.update_automation(there[0].id, wanted)
        else:
            await client.create_automation(wanted)


async def take_up(space: Workspace, of_worker_only: bool = False) -> None:
    """Queues again what was at work in a process that is gone, and says so in the dashboard."""
    for row in await asyncio.to_thread(lambda: list(jobs.rows(space))):
        if not jobs.orphaned(row) or (of_worker_only and not row.by_worker):
            continue
        stand = Stand.QUEUED if row.attempts < ATTEMPTS else Stand.LOST
        log.info("row %s: its process is gone, now %s", row.id, stand)
        if row.flow_run:
            await _crashed(UUID(row.flow_run))
        jobs.keep(space, replace(row, stand=stand, owner=None, flow_run=None))


async def _crashed(flow_run: UUID) -> None:
    async with get_client() as client:
        found = await client.read_flow_run(flow_run)
        if found.state is None or not found.state.is_final():
            await client.set_flow_run_state(flow_run, Crashed(message=GONE), force=True)


async def _submit(space: Workspace, served: dict[str, UUID]) -> None:
    """Makes a flow run for each queued row; the same row and attempt never makes two."""
    for row in await asyncio.to_thread(lambda: list(jobs.rows(space))):
        if row.stand is Stand.QUEUED and row.flow_run is None and _due(row):
            async with get_client() as client:
                made = await client.create_flow_run_from_deployment(
                    served["batch" if len(row.packages) > 1 else "package"],
                    parameters={"item": row.id},
                    idempotency_key=f"{row.id}-{row.attempts}",
                )
            # The flow may have begun already: only a row that still waits is touched.
            current = jobs.load(space, row.id)
            if current.stand is Stand.QUEUED:
                jobs.keep(space, replace(current, flow_run=str(made.id)))


def _due(row: Row) -> bool:
    """At once the first time, later after ten minutes for each try: what failed it does not pass in seconds."""
    if not row.ended:
        return True
    return now() - datetime.datetime.fromisoformat(row.ended) > datetime.timedelta(minutes=10 * row.attempts)


async def _tidy(space: Workspace) -> None:
    await take_up(space, of_worker_only=True)
    await asyncio.to_thread(services.trim_logs, space)
    await asyncio.to_thread(jobs.forget_done, space, KEEP_DAYS)


async def _again(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Does it for ever; a failure is written down and does not end it."""
    while True:
        try:
            await work()
        except Exception as trouble:
            log.warning("%s: %s", type(trouble).__name__, trouble)
        await asyncio.sleep(seconds)


def time_zone() -> str:
    """The zone of this machine, in which a person means "two in the morning"; UTC where it does not say."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named:
        return named
    parts = Path("/etc/localtime").resolve().parts
    return "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "UTC"


if __name__ == "__main__":
    main()
