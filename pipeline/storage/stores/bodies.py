"""Bodies on their way to and from S3, with flat memory."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import os
import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, cast

from pipeline.errors import SystemProblem
from pipeline.storage.stores import CHUNK, Proof, Reading

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from pipeline.storage.stores.s3 import S3Store

PART = 64 * 1024**2
"""Size of the parts of big bodies, fixed: the composite checksum depends on it."""
_SENDERS = 2
"""Parts on their way at one time."""

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
    """A bigger body: parts of 64 MiB, two on their way while the next is gathered or digested."""

    proof: Proof | None = None

    def __init__(self, store: S3Store, key: str, sha256: str, if_match: str | None) -> None:
        self._store, self._key, self._if_match = store, key, if_match
        with store.calls(key):
            self._upload = store.client.create_multipart_upload(
                **store.at(key), ChecksumAlgorithm="SHA256", Metadata={DIGEST: sha256}
            )["UploadId"]
        self._senders = ThreadPoolExecutor(_SENDERS, "part")
        self._sending: deque[Future[None]] = deque()
        self._parts: list[dict[str, Any]] = []
        self._open = True
        self._spare: list[IO[bytes]] = []
        self._file: IO[bytes] | None = None
        self._digest, self._filled = hashlib.sha256(), 0
        self.etag = ""

    def write(self, chunk: bytes | memoryview) -> None:
        view = memoryview(chunk)
        while view:
            taken = view[: PART - self._filled]
            _keep(self._store, self._scratch(), taken)
            self._digest.update(taken)
            self._filled += len(taken)
            view = view[len(taken) :]
            if self._filled == PART:
                self._hand_over()

    def take(self, handle: int) -> None:
        """The whole body at one go, out of an open file that stays open until `finish` or `abort`. OSError of it."""
        start, buffer = 0, memoryview(bytearray(CHUNK))
        while True:
            digest, size = hashlib.sha256(), 0
            while length := os.preadv(handle, [buffer[: PART - size]], start + size):
                digest.update(buffer[:length])
                size += length
            if size:
                self._submit(_Part(handle, start, size), digest.digest())
            if size < PART:
                return
            start += size

    def finish(self) -> None:
        if not self._open:
            return
        if self._filled or not self._parts:
            self._hand_over()
        self._wait(0)
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

    def _scratch(self) -> IO[bytes]:
        """The file of the part that is gathered: one that was sent already, written over from its beginning."""
        if self._file is None:
            self._file = self._spare.pop() if self._spare else _nameless(self._store)
            self._file.seek(0)
        return self._file

    def _hand_over(self) -> None:
        file, self._file = self._scratch(), None
        try:
            file.flush()
        except OSError as problem:
            file.close()
            raise _unkept(problem) from problem
        digest, size = self._digest.digest(), self._filled
        self._digest, self._filled = hashlib.sha256(), 0
        self._submit(_Part(file.fileno(), 0, size), digest, file)

    def _submit(self, part: _Part, digest: bytes, file: IO[bytes] | None = None) -> None:
        self._parts.append({"PartNumber": len(self._parts) + 1})
        self._sending.append(self._senders.submit(self._send, self._parts[-1], part, digest, file))
        self._wait(_SENDERS)

    def _send(self, told: dict[str, Any], part: _Part, digest: bytes, file: IO[bytes] | None) -> None:
        checksum = base64.b64encode(digest).decode()
        try:
            with self._store.calls(self._key):
                answer = self._store.client.upload_part(
                    **self._store.at(self._key),
                    UploadId=self._upload,
                    PartNumber=told["PartNumber"],
                    Body=part,
                    ContentLength=part.size,
                    ChecksumSHA256=checksum,
                )
        finally:
            if file is not None:
                self._spare.append(file)
        told["ETag"] = answer["ETag"]
        if answer.get("ChecksumSHA256"):
            told["ChecksumSHA256"] = checksum

    def _wait(self, most: int) -> None:
        while len(self._sending) > most or (self._sending and self._sending[0].done()):
            self._sending.popleft().result()

    def _end(self) -> None:
        self._open = False
        self._senders.shutdown(wait=True, cancel_futures=True)
        for file in (*self._spare, *([self._file] if self._file is not None else [])):
            file.close()


class _Part(io.RawIOBase):
    """A stretch of an open file, read by position: several are read at one time."""

    def __init__(self, handle: int, start: int, size: int) -> None:
        super().__init__()
        self._handle, self._start, self.size, self._at = handle, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self.size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)[: max(0, self.size - self._at)]
        length = os.preadv(self._handle, [view], self._start + self._at) if view else 0
        self._at += length
        return length


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
        raise _unkept(problem) from problem


def _unkept(problem: OSError) -> SystemProblem:
    full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
    return SystemProblem("SYS-STORE-SCRATCH", cause="full" if full else problem.strerror or problem)
