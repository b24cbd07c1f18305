"""Bodies on their way to and from S3, with flat memory."""

from __future__ import annotations

import base64
import errno
import hashlib
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, cast

from pipeline.errors import SystemProblem
from pipeline.storage.stores import Proof, Reading

if TYPE_CHECKING:
    from pipeline.storage.stores.s3 import S3Store

PART = 64 * 1024**2
"""Size of the parts of big bodies, fixed: the composite checksum depends on it."""
DIGEST = "luutru-sha256"
"""Metadata that carries the SHA-256 of a body sent in parts."""


class OnePut:
    """A body up to 256 MiB: gathered in a file without a name, sent in one PUT."""

    proof: Proof | None = None

    def __init__(self, store: S3Store, key: str, size: int, sha256: str, if_match: str | None) -> None:
        self._store, self._key, self._size, self._sha256, self._if_match = store, key, size, sha256, if_match
        self._file = _nameless(store)
        self.etag = ""

    def write(self, chunk: bytes | memoryview) -> None:
        _keep(self._store, self._file, chunk)

    def finish(self) -> None:
        if not self._file.closed:
            self._file.seek(0)
            self.etag = self._store.put_body(self._key, self._file, self._size, self._sha256, self._if_match)
            self._file.close()

    def abort(self) -> None:
        self._file.close()


class Parts:
    """A bigger body: parts of 64 MiB, one on its way while the next is gathered."""

    proof: Proof | None = None

    def __init__(self, store: S3Store, key: str, sha256: str, if_match: str | None) -> None:
        self._store, self._key, self._if_match = store, key, if_match
        with store.calls(key):
            self._upload = store.client.create_multipart_upload(
                **store.at(key), ChecksumAlgorithm="SHA256", Metadata={DIGEST: sha256}
            )["UploadId"]
        self._sender = ThreadPoolExecutor(1, "part")
        self._sending: Future[None] | None = None
        self._parts: list[dict[str, Any]] = []
        self._open = True
        self.etag = ""
        self._begin()

    def write(self, chunk: bytes | memoryview) -> None:
        view = memoryview(chunk)
        while view:
            taken = view[: PART - self._filled]
            _keep(self._store, self._file, taken)
            self._digest.update(taken)
            self._filled += len(taken)
            view = view[len(taken) :]
            if self._filled == PART:
                self._hand_over()
                self._begin()

    def finish(self) -> None:
        if not self._open:
            return
        if self._filled or not self._parts:
            self._hand_over()
        self._wait()
        condition = self._store.condition(self._key, self._if_match)
        with self._store.calls(self._key):
            answer = self._store.client.complete_multipart_upload(
                **self._store.at(self._key),
                UploadId=self._upload,
                MultipartUpload={"Parts": self._parts},
                **condition,
            )
        self.etag = str(answer["ETag"])
        self._end()

    def abort(self) -> None:
        if not self._open:
            return
        self._end()
        try:
            with self._store.calls(self._key):
                self._store.client.abort_multipart_upload(**self._store.at(self._key), UploadId=self._upload)
        except (SystemProblem, KeyError):
            # What stays behind is found by `abort_unfinished` of the next writer.
            pass

    def _begin(self) -> None:
        self._file = _nameless(self._store)
        self._digest = hashlib.sha256()
        self._filled = 0

    def _hand_over(self) -> None:
        self._wait()
        number, file, size, digest = len(self._parts) + 1, self._file, self._filled, self._digest.digest()
        self._parts.append({"PartNumber": number})
        self._sending = self._sender.submit(self._send, number, file, size, digest)

    def _send(self, number: int, file: IO[bytes], size: int, digest: bytes) -> None:
        with file, self._store.calls(self._key):
            file.seek(0)
            checksum = base64.b64encode(digest).decode()
            answer = self._store.client.upload_part(
                **self._store.at(self._key),
                UploadId=self._upload,
                PartNumber=number,
                Body=file,
                ContentLength=size,
                ChecksumSHA256=checksum,
            )
        self._parts[number - 1]["ETag"] = answer["ETag"]
        if answer.get("ChecksumSHA256"):
            self._parts[number - 1]["ChecksumSHA256"] = checksum

    def _wait(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.result()

    def _end(self) -> None:
        self._open = False
        self._sender.shutdown(wait=True, cancel_futures=True)
        self._file.close()


class Coming(Reading):
    """A body as it comes. What breaks off is the network's fault until a second reading says the same."""

    def __init__(self, store: S3Store, key: str, body: Any) -> None:
        super().__init__()
        self._store, self._key, self._body = store, key, body

    def more(self, size: int) -> bytes:
        with self._store.calls(self._key):
            return bytes(self._body.read(size))

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _nameless(store: S3Store) -> IO[bytes]:
    try:
        return cast("IO[bytes]", tempfile.TemporaryFile(dir=store.scratch))
    except OSError as problem:
        raise SystemProblem("SYS-STORE-SCRATCH", cause=problem.strerror or problem) from problem


def _keep(store: S3Store, file: IO[bytes], chunk: bytes | memoryview) -> None:
    try:
        file.write(chunk)
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
        raise SystemProblem("SYS-STORE-SCRATCH", cause="full" if full else problem.strerror or problem) from problem
