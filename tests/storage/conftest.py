"""Places for stores: a folder, and three S3 servers that are unlike one another."""

from __future__ import annotations

import logging
import secrets
import subprocess
import sysconfig
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from flows import ports, seaweed
from pipeline.settings import StoreSetting, ensure_archive, household, keep_household
from pipeline.storage.probe import add_store, furnish
from pipeline.storage.stores import FORMAT, Passport, Store, connect, open_store
from pipeline.workspace import Workspace, workspace

KINDS = ("file", "seaweed", "moto", "rclone")
SECRET = "sEcReT-of-the-test-server-0123456789"


@dataclass(frozen=True)
class Server:
    """An S3 server on this machine and the file that holds its keys."""

    endpoint: str
    credentials: Path

    def client(self) -> Any:
        import boto3
        from botocore.config import Config

        lines = dict(line.split(" = ", 1) for line in self.credentials.read_text().splitlines() if " = " in line)
        config = Config(s3={"addressing_style": "path"}, proxies={}, request_checksum_calculation="when_required")
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", config=config, **lines)


@dataclass(frozen=True)
class Place:
    """Where one store may be made: its URL and, for S3, its server."""

    kind: str
    url: str
    server: Server | None = None

    def add(self, space: Workspace, name: str = "vault", **more: Any) -> StoreSetting:
        if self.server is None:
            return add_store(space, name, self.url, **more)
        keys = str(self.server.credentials)
        return add_store(space, name, self.url, self.server.endpoint, credentials_file=keys, **more)

    def make(self, space: Workspace, name: str = "vault", verify: str = "read") -> Store:
        """As `add`, then opened; a place of a kind that was probed before in this run is not probed again."""
        able = _probed.get(self.kind)
        if able is None:
            _probed[self.kind] = self.add(space, name, verify=verify).capabilities
            return opened(space, name)
        archive = ensure_archive(space).archive or ""
        passport = Passport(FORMAT, "ocfl", str(uuid.uuid4()), name, archive)
        setting = StoreSetting(
            name,
            self.url,
            endpoint=self.server.endpoint if self.server else None,
            credentials_file=str(self.server.credentials) if self.server else None,
            verify=verify,
            capabilities={**able, "store": passport.store},
        )
        store = connect(setting, space.work)
        store.prepare()
        furnish(store, passport)
        store.close()
        held = household(space)
        keep_household(space, replace(held, stores=(*held.stores, setting)))
        return opened(space, name)


_probed: dict[str, dict[str, Any]] = {}


def opened(space: Workspace, name: str) -> Store:
    held = household(space)
    return open_store(held.store(name), held.archive, space.work)


def _keys(folder: Path, access: str = "TESTKEY") -> Path:
    file = folder / "credentials"
    file.write_text(f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {SECRET}\n")
    file.chmod(0o600)
    return file


def _wait(what: str, ready: Any, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"{what} did not start (exit {process.poll()})")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # Its data is thrown away: no need to wait for an orderly end.
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS as `luutru up` starts it."""
    space = Workspace(tmp_path_factory.mktemp("weed"))
    seaweed.prepare(space)
    chosen = ports.choose({}, seaweed.PORTS, {})
    home = seaweed.home(space)
    process = subprocess.Popen(
        seaweed.command(chosen), cwd=home, env={"PATH": "/usr/bin:/bin", "HOME": str(home), **seaweed.environment()},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait("SeaweedFS", lambda: seaweed.ready(chosen), process)
        said = subprocess.run(
            seaweed.shell_command(chosen), input=seaweed.setup_script().encode(), cwd=home, capture_output=True,
            timeout=60, check=True,
        ).stdout.decode()  # fmt: skip
        assert seaweed.set_up(said), said
        yield Server(seaweed.endpoint(chosen), seaweed.credentials_file(space))
    finally:
        _stop(process)
        for left in seaweed.leftovers(chosen):
            left.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """moto: everything of S3, in memory, checks no digests."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Server(f"http://{host}:{port}", _keys(tmp_path_factory.mktemp("moto")))
    finally:
        server.stop()


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """rclone serve s3: a poor server that ignores conditions and digests."""
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "data").mkdir()
    port = ports.choose({}, ("s3",), {})["s3"]
    process = subprocess.Popen(
        [
            str(Path(sysconfig.get_path("scripts")) / "rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}",
            "--auth-key", f"TESTKEY,{SECRET}", "--vfs-cache-mode", "off", "--config", str(folder / "none.conf"),
            str(folder / "data"),
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait("rclone", lambda: ports.answers(port, "/") is not None, process)
        yield Server(f"http://127.0.0.1:{port}", _keys(folder))
    finally:
        _stop(process)


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("LUUTRU_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("LUUTRU_CONFIG", raising=False)
    return workspace()


def _place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    name = secrets.token_hex(4)
    if kind == "file":
        return Place(kind, f"file://{tmp_path}/store-{name}")
    # SeaweedFS reserves volumes for each bucket: there the tests share one.
    bucket = seaweed.BUCKET if kind == "seaweed" else f"bucket-{name}"
    return Place(kind, f"s3://{bucket}/tests/{name}", request.getfixturevalue(f"{kind}_server"))


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place of each kind, empty."""
    return _place(request.param, request, tmp_path)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, space: Workspace) -> Iterator[Store]:
    """A store of each kind, added and opened as a command does."""
    made = _place(request.param, request, tmp_path).make(space)
    yield made
    made.close()


@pytest.fixture
def folders(request: pytest.FixtureRequest, tmp_path: Path, space: Workspace) -> list[Store]:
    """Two folders."""
    return [_place("file", request, tmp_path).make(space, name) for name in ("vault", "second")]


@pytest.fixture
def two(request: pytest.FixtureRequest, tmp_path: Path, space: Workspace) -> Iterator[list[Store]]:
    """A folder and a bucket in SeaweedFS."""
    made = [
        _place("file", request, tmp_path).make(space, "vault"),
        _place("seaweed", request, tmp_path).make(space, "bucket"),
    ]
    yield made
    for one in made:
        one.close()
