"""The floor: read, SHA-256, plain writes and read-back with the same client, and nothing else."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            yield Path(root) / name


def to_folder(source: Path, target: Path) -> None:
    """Every file is read, digested, written under its digest; one sync; every copy is read back."""
    target.mkdir(parents=True)
    written = []
    for file in files(source):
        digest = hashlib.sha256()
        temporary = target / "new"
        with file.open("rb") as data, temporary.open("wb") as out:
            while chunk := data.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
        temporary.rename(target / digest.hexdigest())
        written.append(digest.hexdigest())
    handle = os.open(target, os.O_RDONLY)
    os.sync()
    os.close(handle)
    for name in written:
        digest = hashlib.sha256()
        with (target / name).open("rb") as data:
            while chunk := data.read(CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != name:
            raise AssertionError(name)


def to_s3(source: Path, client: Any, bucket: str, prefix: str) -> None:
    """The same files as objects with their SHA-256, eight at a time, each read back."""
    import base64

    def one(file: Path) -> None:
        data = file.read_bytes()
        digest = hashlib.sha256(data)
        key = f"{prefix}/{digest.hexdigest()}"
        checksum = base64.b64encode(digest.digest()).decode()
        client.put_object(Bucket=bucket, Key=key, Body=data, ChecksumSHA256=checksum)
        back = hashlib.sha256()
        for chunk in client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK):
            back.update(chunk)
        if back.digest() != digest.digest():
            raise AssertionError(key)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, files(source)))
