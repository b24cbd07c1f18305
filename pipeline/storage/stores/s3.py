"""A store in a bucket: `s3://bucket/prefix`, any server that speaks S3."""

from __future__ import annotations

import base64
import configparser
import contextlib
import hashlib
import json
import os
import re
import stat
import threading
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.settings import StoreSetting
from pipeline.storage.stores import (
    ABSENT,
    PASSPORT,
    Head,
    Item,
    Sink,
    StoreAbsent,
    StoreConflict,
    checked_key,
    passport_of,
)
from pipeline.storage.stores.answers import answered
from pipeline.storage.stores.bodies import Coming, OnePut, Parts
from pipeline.storage.stores.places import machine
from pipeline.storage.stores.quick import Quick, quick

ONE_PUT = 256 * 1024**2
"""Up to here a body is one PUT, and S3's own checksum is the file's SHA-256."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def bucket_of(url: str) -> tuple[str, str]:
    """(bucket, prefix with final slash or "") of an `s3:` URL; UsageProblem when it names none."""
    parts = urlsplit(url)
    prefix = unquote(parts.path).strip("/")
    names = [parts.netloc, *prefix.split("/")] if prefix else [parts.netloc]
    good = parts.scheme == "s3" and _BUCKET.match(parts.netloc) and not parts.query and not parts.fragment
    if not good or any(not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name) or name in (".", "..") for name in names):
        raise UsageProblem("USE-STORE-URL", url=url)
    return parts.netloc, f"{prefix}/" if prefix else ""


class S3Store:
    """Keys are object keys below the prefix. Conditions are sent where the probe found them kept, else looked up first.

    The secret is known to the client alone: it is in no message, name or setting.
    """

    def __init__(self, setting: StoreSetting, scratch: Path | None = None) -> None:
        self.setting = setting
        self.bucket, self.prefix = bucket_of(setting.url)
        self.endpoint = _endpoint(setting.endpoint)
        self.id = ""
        self.lanes = 16
        self.scratch = scratch
        self._lock = threading.Lock()
        self._short: Quick | None = None
        self._asked = False
        with self.calls(""):
            self.client = self._connect()

    def __repr__(self) -> str:
        return f"S3Store({self.name!r}, {self.setting.url!r})"

    @property
    def name(self) -> str:
        return self.setting.name

    def check(self) -> None:
        self._reach()
        try:
            held = self._get(PASSPORT).read()
        except KeyError:
            raise StoreAbsent("SYS-STORE-ABSENT", store=self.name, url=self.setting.url) from None
        try:
            found = passport_of(json.loads(held), self.name).store
        except ValueError:
            raise SystemProblem("SYS-STORE-FORMAT", store=self.name, found="?", known=1) from None
        if self.id and found != self.id:
            raise SystemProblem("SYS-STORE-OTHER", store=self.name, found=found, expected=self.id)
        self.id = found

    def put(self, key: str, body: bytes | Path, size: int, sha256: str, *, only_if_absent: bool = False) -> bool:
        checked_key(key)
        if isinstance(body, bytes) and not only_if_absent:
            short = self._quick()
            # It tells the server the digest that it finds itself; another one is for the server to refuse.
            if short is not None and hashlib.sha256(body).hexdigest() == sha256 and short.put(self.prefix + key, body):
                return True
        try:
            if isinstance(body, Path):
                self._send_file(key, body, size, sha256, ABSENT if only_if_absent else None)
            else:
                self.put_body(key, body, size, sha256, ABSENT if only_if_absent else None)
        except StoreConflict:
            return False
        return True

    def sink(self, key: str, size: int, sha256: str) -> Sink:
        return self._sink(checked_key(key), size, sha256, None)

    def replace(self, key: str, body: bytes | Path, if_match: str | None = None) -> str:
        checked_key(key)
        if isinstance(body, bytes):
            return self.put_body(key, body, len(body), hashlib.sha256(body).hexdigest(), if_match)
        try:
            with body.open("rb") as source:
                digest = hashlib.file_digest(source, "sha256").hexdigest()
                size = os.fstat(source.fileno()).st_size
        except OSError as problem:
            raise self._body(key, problem) from problem
        return self._send_file(key, body, size, digest, if_match)

    def get(self, key: str) -> BinaryIO:
        short = self._quick()
        found = short.get(self.prefix + key) if short is not None else None
        if found is not None:
            return cast(BinaryIO, found)
        return cast(BinaryIO, Coming(self, key, self._get(key)))

    def read(self, key: str) -> bytes:
        with contextlib.closing(self.get(key)) as source:
            return source.read()

    def head(self, key: str) -> Head | None:
        try:
            with self.calls(key):
                found = self.client.head_object(**self.at(key), ChecksumMode="ENABLED")
        except KeyError:
            return None
        kept = found.get("ChecksumSHA256", "")
        sha256 = None
        if kept and "-" not in kept and found.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
            sha256 = base64.b64decode(kept).hex()
        return Head(int(found["ContentLength"]), str(found["ETag"]), sha256)

    def list(self, prefix: str) -> Iterator[Item]:
        start = len(self.prefix)
        with self.calls(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    # "Folders" that some servers and consoles make are no objects of ours or of OCFL.
                    if not found["Key"].endswith("/"):
                        yield Item(found["Key"][start:], int(found["Size"]))

    def delete(self, key: str) -> None:
        try:
            with self.calls(key):
                self.client.delete_object(**self.at(key))
        except KeyError:
            pass

    def sync(self) -> None:
        """A PUT that was answered is the server's to keep; read-back proves what it has."""

    def abort_unfinished(self, prefix: str = "") -> int:
        """Uploads in parts whose writer was killed. A server that lists none, or forbids it, has none for us."""
        count = 0
        try:
            with self.calls(prefix):
                pages = self.client.get_paginator("list_multipart_uploads").paginate(
                    Bucket=self.bucket, Prefix=self.prefix + prefix
                )
                for page in pages:
                    for upload in page.get("Uploads", ()):
                        self.client.abort_multipart_upload(
                            Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        count += 1
        except KeyError:
            pass
        except SystemProblem as problem:
            if problem.transient or isinstance(problem, StoreAbsent):
                raise
        return count

    def local(self, key: str) -> Path | None:
        return None

    def prepare(self) -> None:
        self._reach()
        try:
            with self.calls(""):
                self.client.head_bucket(Bucket=self.bucket)
        except (KeyError, StoreAbsent) as problem:
            if isinstance(problem, StoreAbsent) and problem.code != "SYS-STORE-ABSENT":
                raise
            region = self.client.meta.region_name
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
            with self.calls(""):
                self.client.create_bucket(Bucket=self.bucket, **place)

    def facts(self) -> dict[str, Any]:
        host = urlsplit(self.endpoint).hostname if self.endpoint else f"aws:{self.client.meta.region_name}"
        place = f"machine@{machine()}" if host in _LOOPBACK else f"s3:{host}"
        found: dict[str, Any] = {"medium": "s3", "place": place, "free": None}
        for name, ask in (("versioning", self._versioning), ("object_lock", self._object_lock), ("range", self._range)):
            try:
                with self.calls(""):
                    found[name] = ask()
            except StoreAbsent as problem:
                if problem.transient:
                    raise
                found[name] = False
            except (SystemProblem, KeyError):
                found[name] = False
        return found

    def close(self) -> None:
        self.client.close()

    # --- below: nothing but this file uses it

    def _connect(self) -> Any:
        import boto3
        import botocore.session
        from botocore.config import Config

        able = self.setting.capabilities
        loopback = self.endpoint is not None and urlsplit(self.endpoint).hostname in _LOOPBACK
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=10,
            read_timeout=120,
            max_pool_connections=16,
            request_checksum_calculation="when_required",
            # Only a server that keeps and checks digests tells a true one; others replay the one of the whole
            # object for a part of it.
            response_checksum_validation=(
                "when_supported" if able.get("checksum_kept") and able.get("checksum_refused") else "when_required"
            ),
            # A proxy of the surroundings cannot reach this machine's own server.
            **({"proxies": {}} if loopback else {}),
        )
        keys = self._keys()
        # With keys of a file the profile has done its part (its section there); else boto3 looks it up.
        core = botocore.session.Session(profile=None if keys else self.setting.aws_profile)
        core.register_component("data_loader", _models())
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
        session = boto3.session.Session(botocore_session=core)
        region = session.region_name or os.environ.get("AWS_REGION") or "us-east-1"
        client = session.client("s3", endpoint_url=self.endpoint, region_name=region, config=config, **keys)
        if client._request_signer._credentials is None:
            raise SystemProblem("SYS-STORE-CREDENTIALS", store=self.name, cause="AWS_ACCESS_KEY_ID")
        return client

    def _quick(self) -> Quick | None:
        """The short way while it is open; made at the first use, for it costs an import."""
        with self._lock:
            if not self._asked:
                self._asked = True
                keys = self.client._request_signer._credentials
                self._short = quick(self.name, self.bucket, self.endpoint, self.client.meta.region_name, keys)
        return self._short if self._short is not None and self._short.open else None

    def _keys(self) -> dict[str, str]:
        """Credentials out of a file of ours (INI, as AWS has it); {}: the environment or a named profile has them."""
        if self.setting.credentials_file is None:
            return {}
        file = Path(self.setting.credentials_file)
        try:
            with file.open(encoding="utf-8") as source:
                mode = os.fstat(source.fileno()).st_mode
                if stat.S_IMODE(mode) & 0o077:
                    raise SystemProblem("SYS-STORE-CREDENTIALS-MODE", file=file, mode=f"{stat.S_IMODE(mode):04o}")
                parser = configparser.ConfigParser(interpolation=None)
                parser.read_file(source)
            section = parser[self.setting.aws_profile or "default"]
            keys = {
                "aws_access_key_id": section["aws_access_key_id"],
                "aws_secret_access_key": section["aws_secret_access_key"],
            }
            if "aws_session_token" in section:
                keys["aws_session_token"] = section["aws_session_token"]
            return keys
        except OSError as problem:
            raise SystemProblem("SYS-STORE-CREDENTIALS", store=self.name, cause=problem.strerror or "?") from None
        except (configparser.Error, KeyError, UnicodeDecodeError):
            # The parser's message would quote the line, and with it the secret.
            raise SystemProblem("SYS-STORE-CREDENTIALS", store=self.name, cause=file.name) from None

    def _reach(self) -> None:
        """Says at once that nobody listens, instead of after all of the client's attempts."""
        import socket

        parts = urlsplit(self.endpoint or "")
        if not parts.hostname or (parts.hostname not in _LOOPBACK and _proxied()):
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname, port), timeout=10).close()
        except OSError as problem:
            cause = problem.strerror or type(problem).__name__
            raise StoreAbsent("SYS-STORE-UNREACHABLE", transient=True, store=self.name, cause=cause) from None

    def at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    def _get(self, key: str) -> Any:
        with self.calls(key):
            return self.client.get_object(**self.at(key))["Body"]

    def condition(self, key: str, if_match: str | None) -> dict[str, str]:
        """Headers for a condition; where the server would ignore them, the question is asked before."""
        if if_match is None:
            return {}
        able = self.setting.capabilities
        if if_match == ABSENT:
            if able.get("if_none_match"):
                return {"IfNoneMatch": "*"}
            if self.head(key) is not None:
                raise StoreConflict("SYS-STORE-CONFLICT", store=self.name, key=key)
            return {}
        if able.get("if_match"):
            return {"IfMatch": if_match}
        found = self.head(key)
        if found is None or found.etag != if_match:
            raise StoreConflict("SYS-STORE-CONFLICT", store=self.name, key=key)
        return {}

    def put_body(self, key: str, body: bytes | IO[bytes], size: int, sha256: str, if_match: str | None) -> str:
        condition = self.condition(key, if_match)
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with self.calls(key):
            answer = self.client.put_object(
                **self.at(key), Body=body, ContentLength=size, ChecksumSHA256=checksum, **condition
            )
        return str(answer["ETag"])

    def _send_file(self, key: str, body: Path, size: int, sha256: str, if_match: str | None) -> str:
        try:
            with body.open("rb") as source:
                if size <= ONE_PUT:
                    return self.put_body(key, source, size, sha256, if_match)
                sink = Parts(self, key, sha256, if_match)
                try:
                    sink.take(source.fileno())
                    sink.finish()
                except BaseException:
                    sink.abort()
                    raise
                return sink.etag
        except OSError as problem:
            raise self._body(key, problem) from problem

    def _sink(self, key: str, size: int, sha256: str, if_match: str | None) -> OnePut | Parts:
        if size <= ONE_PUT:
            return OnePut(self, key, size, sha256, if_match)
        return Parts(self, key, sha256, if_match)

    def _body(self, key: str, problem: OSError) -> SystemProblem:
        return SystemProblem("SYS-STORE-BODY", store=self.name, key=key, cause=problem.strerror or problem)

    def _versioning(self) -> bool:
        return self.client.get_bucket_versioning(Bucket=self.bucket).get("Status") == "Enabled"  # type: ignore[no-any-return]

    def _object_lock(self) -> bool:
        found = self.client.get_object_lock_configuration(Bucket=self.bucket)
        return found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"  # type: ignore[no-any-return]

    def _range(self) -> bool:
        key = self.at("probe/range")
        self.client.put_object(**key, Body=b"0123456789")
        found = self.client.get_object(**key, Range="bytes=2-4")["Body"].read()
        self.client.delete_object(**key)
        return found == b"234"  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def calls(self, key: str) -> Iterator[None]:
        """Turns everything that boto3 and the network raise into the contract's errors."""
        from boto3.exceptions import Boto3Error
        from botocore import exceptions as aws
        from urllib3.exceptions import HTTPError

        try:
            yield
        except aws.ClientError as problem:
            raise answered(self.name, self.setting.url, problem, key) from None
        except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.ProfileNotFound) as problem:
            raise SystemProblem("SYS-STORE-CREDENTIALS", store=self.name, cause=type(problem).__name__) from None
        except aws.SSLError:
            raise StoreAbsent("SYS-STORE-TLS", store=self.name, cause=self.endpoint or "AWS") from None
        except (aws.FlexibleChecksumError, aws.ChecksumError) as problem:
            raise SystemProblem(
                "SYS-STORE-BYTES", store=self.name, key=key, expected="-", found=type(problem).__name__
            ) from None
        except (aws.HTTPClientError, aws.ConnectionError, aws.IncompleteReadError, HTTPError, OSError) as problem:
            # The messages hold addresses and, with some servers, headers: the kind of error says enough.
            cause = type(problem).__name__
            raise StoreAbsent("SYS-STORE-UNREACHABLE", transient=True, store=self.name, cause=cause) from None
        except (aws.BotoCoreError, Boto3Error) as problem:
            raise SystemProblem("SYS-STORE-IO", store=self.name, key=key, cause=type(problem).__name__) from None


def _moment(value: Any) -> Any:
    """A time in an answer. Of a listing every key has one, and botocore's own reader is most of what a key costs."""
    from botocore.utils import parse_timestamp

    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return parse_timestamp(value)


@cache
def _models() -> Any:
    """botocore's descriptions of S3, read once per process: they are most of the price of a client."""
    from botocore.loaders import create_loader

    return create_loader()


def _endpoint(given: str | None) -> str | None:
    """The endpoint as boto3 takes it; UsageProblem when it is none, or carries a secret."""
    if given is None:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password or parts.query:
        shown = f"{parts.scheme}://{parts.hostname or ''}"
        raise UsageProblem("USE-STORE-ENDPOINT", endpoint=shown)
    return given.rstrip("/")


def _proxied() -> bool:
    return any(os.environ.get(name) for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"))
