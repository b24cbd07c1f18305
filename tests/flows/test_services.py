"""The servers of a data folder: locked, on loopback alone, found again, and gone without a trace."""

from __future__ import annotations

import configparser
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows import ports, seaweed, services
from pipeline.settings import Household, StoreSetting, household, keep_household
from pipeline.workspace import Workspace
from tests.flows.conftest import ask, space_at, status_of, wait_for

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


def processes(space: Workspace) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(services.MARK) == str(space.services):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def secrets_of(space: Workspace) -> list[str]:
    """Every secret of a data folder's servers."""
    keys = configparser.ConfigParser()
    keys.read(seaweed.credentials_file(space))
    jwt = re.findall(r'key = "([\w-]{40,})"', (seaweed.home(space) / "security.toml").read_text())
    password = services.status(space).password()
    assert len(jwt) == 4
    return [keys["default"]["aws_secret_access_key"], password, password.partition(":")[2], *jwt]


def s3_client(space: Workspace) -> Any:
    import boto3
    from botocore.config import Config

    keys = configparser.ConfigParser()
    keys.read(seaweed.credentials_file(space))
    return boto3.client(
        "s3", endpoint_url=services.ensure_s3(space).endpoint, region_name="us-east-1",
        aws_access_key_id=keys["default"]["aws_access_key_id"],
        aws_secret_access_key=keys["default"]["aws_secret_access_key"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, connect_timeout=5),
    )  # fmt: skip


def test_importing_the_services_is_cheap() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import flows.services, flows.run, sys; print(sorted(sys.modules))"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    ).stdout  # fmt: skip
    for heavy in ("prefect", "psutil", "boto3", "sqlalchemy", "pydantic"):
        assert f"'{heavy}'" not in said


def test_the_dashboard_asks_for_its_password(served: Workspace) -> None:
    found = services.running(served)
    assert found is not None and found.password_file is not None
    assert status_of(f"{found.api}/admin/version") == 401
    assert ask(served, "/admin/version")
    assert found.password_file.stat().st_mode & 0o777 == 0o600
    assert seaweed.credentials_file(served).stat().st_mode & 0o777 == 0o600
    assert served.services.stat().st_mode & 0o777 == 0o700


def test_the_pages_call_their_own_server(served: Workspace) -> None:
    found = services.running(served)
    assert found is not None
    with __import__("urllib.request").request.urlopen(f"{found.dashboard}/ui-settings") as answer:
        settings = json.load(answer)
    assert settings["api_url"] == found.api
    assert settings["default_ui"] == "v1" if "default_ui" in settings else True


def test_settings_of_ours_are_in_force(served: Workspace) -> None:
    server = ask(served, "/admin/settings")["server"]
    recorder = server["services"]["task_run_recorder"]
    assert (recorder["batch_size"], recorder["read_batch_size"], recorder["flush_interval"]) == (50, 50, 1)
    assert server["analytics_enabled"] is False
    assert server["ui"]["v2_enabled"] is False
    assert server["ui"]["show_promotional_content"] is False
    assert sorted(server["services"]["db_vacuum"]["enabled"]) == ["events", "flow_runs"]
    assert server["ephemeral"]["enabled"] is False


def test_nobody_listens_outside_loopback(served: Workspace) -> None:
    found = processes(served)
    assert len(found) >= 3
    heard = []
    for process in found:
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                heard.append((process.name(), connection.laddr.ip, connection.laddr.port))
    assert len(heard) >= 9
    assert {ip for _, ip, _ in heard} <= {"127.0.0.1", "::1"}, heard
    with socket.create_connection(("127.0.0.1", services.status(served).ports["dashboard"])) as control:
        control.sendall(b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert control.recv(1)
        connections = [one for process in found for one in process.net_connections("inet")]
    assert {one.raddr[0] for one in connections if len(one.raddr)} == {"127.0.0.1"}


def test_only_known_ports_are_open(served: Workspace) -> None:
    recorded = set(services.status(served).ports.values())
    weed = services.status(served).pids["s3"]
    heard = {c.laddr.port for c in psutil.Process(weed).net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert heard <= recorded


def test_the_side_doors_of_the_store_are_locked(served: Workspace) -> None:
    s3_client(served).put_object(Bucket=seaweed.BUCKET, Key="a/side-door", Body=b"kept")
    at = services.status(served).ports
    filer = f"http://127.0.0.1:{at['s3-filer']}"
    for method in ("DELETE", "PUT", "POST", "GET"):
        refused = status_of(f"{filer}/buckets/{seaweed.BUCKET}/a/side-door?recursive=true", method)
        assert refused in (401, 403), method
    assert status_of(f"http://127.0.0.1:{at['s3']}/{seaweed.BUCKET}/a/side-door", "DELETE") == 403
    assert status_of(f"http://127.0.0.1:{at['s3']}/{seaweed.BUCKET}/a/side-door") == 403
    assert s3_client(served).get_object(Bucket=seaweed.BUCKET, Key="a/side-door")["Body"].read() == b"kept"


def test_a_shell_without_the_certificate_reaches_nothing(served: Workspace, tmp_path: Path) -> None:
    s3_client(served).put_object(Bucket=seaweed.BUCKET, Key="a/by-shell", Body=b"kept")
    command = [word for word in seaweed.shell_command(services.status(served).ports) if word != "-config_dir=."]
    (tmp_path / "logs").mkdir()
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}) as shell:
        try:
            shell.communicate(f"fs.rm -r /buckets/{seaweed.BUCKET}/a\nexit\n".encode(), timeout=8)
        except subprocess.TimeoutExpired:
            shell.kill()
    assert s3_client(served).get_object(Bucket=seaweed.BUCKET, Key="a/by-shell")["Body"].read() == b"kept"


def test_buckets_are_not_made_by_writing(served: Workspace) -> None:
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3_client(served).put_object(Bucket="another", Key="a", Body=b"")


def test_every_write_is_synced(served: Workspace) -> None:
    shell = subprocess.run(
        seaweed.shell_command(services.status(served).ports), input=b"fs.configure\nexit\n", cwd=seaweed.home(served),
        capture_output=True, timeout=60, check=False,
    ).stdout.decode()  # fmt: skip
    assert re.search(r'"locationPrefix":\s*"/buckets/"', shell)
    assert re.search(r'"fsync":\s*true', shell)


def test_secrets_stand_in_no_process_list_and_no_log(served: Workspace, shown: dict[str, Any]) -> None:
    secrets = [secret.encode() for secret in secrets_of(served)]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes()
        except OSError:
            continue
        assert not any(secret in line for secret in secrets), process
    logs = [*(served.services / "logs").glob("*"), *(seaweed.home(served) / "logs").iterdir()]
    assert len(logs) >= 4
    for log in logs:
        text = log.read_bytes()
        assert not any(secret in text for secret in secrets), log
    told = json.dumps([ask(served, "/artifacts/filter", {}), ask(served, "/logs/filter", {}), shown["batch"]])
    assert not any(secret.decode() in told for secret in secrets)


def test_the_nightly_audit_is_really_scheduled(served: Workspace) -> None:
    deployed = {one["name"]: one for one in ask(served, "/deployments/filter", {})}
    assert deployed["nightly"]["schedules"][0]["schedule"]["cron"] == "0 2 * * *"
    asked = {
        "deployments": {"name": {"any_": ["nightly"]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = wait_for(lambda: ask(served, "/flow_runs/filter", asked))
    assert all(run["auto_scheduled"] for run in runs)


def test_dead_runs_are_watched_for_and_our_own_ends_are_known(served: Workspace) -> None:
    from flows import states

    watches = [one for one in ask(served, "/automations/filter", {}) if one["enabled"]]
    assert len(watches) == 1
    trigger = watches[0]["trigger"]
    assert trigger["posture"] == "Proactive" and trigger["within"] == 90
    assert trigger["after"] == ["prefect.flow-run.heartbeat"]
    assert {f"prefect.flow-run.{name}" for name in states.ENDS} <= set(trigger["expect"])
    assert watches[0]["actions"][0]["state"] == "CRASHED"


def test_up_twice_starts_nothing(served: Workspace) -> None:
    before = services.status(served)
    assert services.up(served) == before


def test_two_data_folders_never_meet(served: Workspace, tmp_path: Path) -> None:
    other = space_at(tmp_path / "other")
    try:
        mine, theirs = services.status(served), services.up(other)
        assert not set(mine.ports.values()) & set(theirs.ports.values())
        assert theirs.password() != mine.password()
        assert status_of(f"{theirs.api}/health") == 200
        assert ask(other, "/admin/version")
        s3_client(served).put_object(Bucket=seaweed.BUCKET, Key="mine", Body=b"1")
        assert "Contents" not in s3_client(other).list_objects_v2(Bucket=seaweed.BUCKET)
        assert ask(other, "/artifacts/filter", {}) == []
        ended = processes(other)
        assert services.down(other) == ["worker", "dashboard", "s3"]
        assert not processes(other)
        assert not [one for one in ended if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert services.running(other) is None
        assert all(ports.free(port) for port in theirs.ports.values())
        assert not [socket for socket in seaweed.leftovers(theirs.ports) if socket.exists()]
        assert services.status(served).pids == mine.pids
        assert services.down(other) == []
    finally:
        services.down(other)


def test_killed_servers_are_found_dead_and_start_again(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    try:
        first = services.ensure_s3(space)
        s3_client(space).put_object(Bucket=first.bucket, Key="kept", Body=b"kept")
        os.kill(services.status(space).pids["s3"], signal.SIGKILL)
        dead_by = time.monotonic() + 30  # a busy machine takes a moment to bury it
        while services.status(space).pids and time.monotonic() < dead_by:
            time.sleep(0.05)
        assert services.status(space).pids == {}
        again = services.ensure_s3(space)  # its port may have been taken meanwhile; the stores follow it
        assert (again.bucket, again.credentials) == (first.bucket, first.credentials)
        assert s3_client(space).get_object(Bucket=first.bucket, Key="kept")["Body"].read() == b"kept"
    finally:
        services.down(space)


def test_a_stale_record_harms_nobody(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        record = services._Record({}, {"dashboard": {"pid": stranger.pid, "started": 0.0}})
        space.services.mkdir()
        services._save(space, record)
        assert services.running(space) is None
        assert services.down(space) == []
        assert stranger.poll() is None
        stranger.kill()


def test_what_the_record_forgot_is_ended_too(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    services.ensure_s3(space)
    (space.services / "services.json").unlink()
    assert len(processes(space)) == 1
    services.down(space)
    assert processes(space) == []


def test_stores_follow_the_bucket_to_a_new_port(tmp_path: Path) -> None:

    space = space_at(tmp_path)
    try:
        first = services.ensure_s3(space)
        setting = StoreSetting(
            "bucket", "s3://luutru/", endpoint=first.endpoint, credentials_file=str(first.credentials)
        )
        keep_household(space, Household(archive=None, stores=(setting,)))
        services.down(space)
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", int(first.endpoint.rpartition(":")[2])))
            taken.listen()
            moved = services.ensure_s3(space)
        assert moved.endpoint != first.endpoint
        assert household(space).stores[0].endpoint == moved.endpoint
    finally:
        services.down(space)


def test_logs_stay_small(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    log = space.services / "logs" / "worker.log"
    log.parent.mkdir(parents=True)
    with log.open("ab") as out:
        out.write(b"x" * (services.LOG_BYTES + 5) + b"last\n")
        out.flush()
        services.trim_logs(space)
        out.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert log.with_suffix(".log.1").read_bytes().endswith(b"last\n")


def test_servers_get_an_environment_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_at(tmp_path)
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "HTTP_PROXY"):
        monkeypatch.setenv(name, "theirs")
    assert "theirs" not in services.own_environment(space).values()
    worker = services.worker_environment(space)
    assert worker["AWS_SECRET_ACCESS_KEY"] == "theirs"
    assert "PREFECT_PROFILE" not in worker and "LD_PRELOAD" not in worker


def test_a_server_that_does_not_start_is_named_with_its_log(tmp_path: Path) -> None:
    from pipeline.errors import SystemProblem

    space = space_at(tmp_path)
    seaweed.prepare(space)
    (seaweed.home(space) / "data" / "filerldb2").write_text("no folder")
    try:
        with pytest.raises(SystemProblem) as problem:
            services.ensure_s3(space)
        assert problem.value.code == "SYS-SERVICE-START"
        assert problem.value.values["log"].endswith("s3.log")
        assert processes(space) == []
    finally:
        services.down(space)
