"""Settings of Prefect's server, worker and clients, from the data folder alone.

Measured reasons for each line stand in docs/flows.md. Nothing here imports Prefect.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sys
from pathlib import Path

from pipeline.errors import SystemProblem
from pipeline.workspace import Workspace

USUAL_PORT = 4200
HEARTBEAT_SECONDS = 30


def home(space: Workspace) -> Path:
    """Prefect's own folder: database, results, nothing of the user's `~/.prefect`."""
    return space.services / "prefect"


def password_file(space: Workspace) -> Path:
    """The one shared secret `user:password` of the API (mode 0600), from the first start."""
    return space.services / "dashboard-password"


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def client_settings(space: Workspace, port: int, secret: str) -> dict[str, str]:
    """Environment of every process that speaks to the server."""
    return {
        "PREFECT_HOME": str(home(space)),
        "PREFECT_PROFILES_PATH": str(home(space) / "profiles.toml"),
        "PREFECT_API_URL": f"{address(port)}/api",
        "PREFECT_API_AUTH_STRING": secret,
        # Nothing is told to anybody outside; two switches, for server and for client library.
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # A hidden server per process would cost 13 s for the first flow.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
        # A server that is away holds up the work once, for 2 + 4 + 8 + 16 s; a busy database is waited for as long.
        "PREFECT_CLIENT_MAX_RETRIES": "4",
        "PREFECT_API_REQUEST_TIMEOUT": "20",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        # A proxy of the user's must never see requests to our own machine.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def server_settings(space: Workspace, port: int, secret: str) -> dict[str, str]:
    """Environment of the server."""
    return {
        **client_settings(space, port, secret),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_API_AUTH_STRING": secret,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": address(port),
        # Relative to the server's own folder: a data folder's name may hold what a database URL cannot.
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:///prefect.db",
        "PREFECT_SERVER_UI_API_URL": f"{address(port)}/api",
        "PREFECT_UI_API_URL": f"{address(port)}/api",
        # V1 calls nobody and can resume a paused run; V2 asks Amplitude for its settings.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Seven times faster on SQLite: task runs are recorded fifty at a time.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        # Prefect's history is a view: flow runs older than 90 days go, as its events do after 7.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_COLORS": "false",
    }


def server_command() -> list[str]:
    """Host and port come from the environment: with `--port` the pages would call port 4200."""
    return [sys.executable, "-m", "prefect", "server", "start"]


def enter(space: Workspace, port: int, secret: str) -> None:
    """Makes this process a client of that server, before Prefect is imported for the first time.

    Whatever the user's environment says of Prefect is taken out, and the import happens in Prefect's own folder, where
    no `.env`, `prefect.toml` or `pyproject.toml` of the user's lies. The working folder is put back. A process that has
    Prefect already stays with the server it knows: SystemProblem when that is another one.
    """
    if "prefect" in sys.modules:
        if os.environ.get("PREFECT_API_URL") != f"{address(port)}/api":
            raise SystemProblem("SYS-SERVICE-OTHER", address=address(port))
        return
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    settings = client_settings(space, port, secret)
    for name in ("NO_PROXY", "no_proxy"):
        there = os.environ.get(name)
        settings[name] = f"{there},{settings[name]}" if there else settings[name]
    os.environ.update(settings)
    # The command prints its own lines; what Prefect has to say goes to its server alone.
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    os.environ["PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL"] = "CRITICAL"
    # Nor does it write that a line could not be sent.
    logging.raiseExceptions = False
    home(space).mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.chdir(home(space)):
        import prefect  # noqa: F401


def leave(seconds: float) -> None:
    """Gives what Prefect still has to tell that much time, then lets go of it.

    Without this the end of the process waits for a server that is gone, minutes for each event: Prefect's queues are
    emptied at exit without a limit (seen in 3.8.8).
    """
    from prefect._internal.concurrency import services as told
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    if seconds > 0:
        for worker in (EventsWorker, APILogWorker):
            worker.drain_all(timeout=seconds)
    for service in list(getattr(told, "_active_services", ())):
        with contextlib.suppress(queue.Empty):
            while True:
                service._queue.get_nowait()
        if service._loop is not None and service._done_event is not None:
            with contextlib.suppress(RuntimeError):
                service._loop.call_soon_threadsafe(service._done_event.set)
