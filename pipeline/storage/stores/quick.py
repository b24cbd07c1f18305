"""The short way for small bodies: a client in machine code beside boto3, which keeps the word on every error.

It puts and gets in a third of the time. Whatever it does not manage is asked again by boto3, whose answers have
names in the contract; after a problem that is not "no such key" this way stays closed for the store.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.storage.stores import CHUNK, WHOLE, Reading, StoreAbsent

if TYPE_CHECKING:
    from obstore.store import S3Store as Client

_PARTS = 3
"""So many parts of a big body are under way at once: one alone leaves a server with nothing to do between two."""

_PART = 8 << 20
_BIG = 32 << 20
_STREAMS = 2
"""So many bodies of a store come in parts at once; they hold up to 32 MiB each."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_ALL = (*_PROXIES, "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Quick:
    """Puts and gets of one store; `open` says whether the way is still used. Safe in threads.

    `parts`: the server gives parts of a body as they are asked for.
    """

    def __init__(self, store: str, client: Client) -> None:
        self.open = True
        self.parts = True
        self._room = threading.Semaphore(_STREAMS)
        self._store = store
        self._client = client

    def put(self, key: str, body: bytes) -> bool:
        """Whether the server has the body, with its SHA-256 checked by the server; False: ask boto3.

        No condition is known here: an existing body is replaced.
        """
        from obstore import put
        from obstore.exceptions import BaseError

        try:
            put(self._client, key, body, use_multipart=False)
        except (BaseError, OSError):
            self.open = False
            return False
        return True

    def get(self, key: str) -> Reading | None:
        """The body as a stream; None: ask boto3, also about a key that is not there."""
        from obstore import get
        from obstore.exceptions import BaseError, NotFoundError

        try:
            found = get(self._client, key)
            size, etag = found.meta["size"], found.meta["e_tag"]
            if size <= WHOLE:
                return _Chunks(self._store, iter((bytes(found.bytes()),)))
            if size >= _BIG and etag and self.parts and (parts := self._in_parts(key, size, etag)) is not None:
                return _Chunks(self._store, parts, self._room.release)
            return _Chunks(self._store, iter(found.stream(min_chunk_size=CHUNK)))
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError):
            self.open = False
            return None

    def _in_parts(self, key: str, size: int, etag: str) -> Generator[Any, None, None] | None:
        """A big body by several requests at once, in order, all of the body that has this etag.

        None where enough bodies come so, or the server does not give the first part: it is asked no more.
        """
        from obstore.exceptions import BaseError

        if not self._room.acquire(blocking=False):
            return None
        try:
            first = self._part(key, 0, _PART, etag)
        except (BaseError, OSError):
            self.parts = False
            self._room.release()
            return None
        return self._rest(key, size, etag, first)

    def _rest(self, key: str, size: int, etag: str, first: Any) -> Generator[Any, None, None]:
        from obstore.exceptions import BaseError

        starts = iter(range(_PART, size, _PART))
        coming: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(_PARTS, "part") as pool:
            try:
                while True:
                    while len(coming) < _PARTS and (start := next(starts, None)) is not None:
                        coming.append(pool.submit(self._part, key, start, min(start + _PART, size), etag))
                    yield first
                    if not coming:
                        return
                    first = coming.popleft().result()
            except (BaseError, OSError):
                self.parts = False  # asked again, the body comes in one piece
                raise
            finally:
                for one in coming:
                    one.cancel()

    def _part(self, key: str, start: int, end: int, etag: str) -> Any:
        from obstore import get

        body = get(self._client, key, options={"range": (start, end), "if_match": etag}).bytes()
        if len(body) != end - start:
            raise OSError(f"{len(body)} bytes of {end - start}")
        return body


def quick(store: str, bucket: str, endpoint: str | None, region: str, keys: Any) -> Quick | None:
    """The short way to a bucket; None where only boto3 does as the surroundings ask.

    That is behind a proxy, with certificates of one's own, and with keys that change while we work. `keys` are
    botocore's credentials.
    """
    from botocore.credentials import Credentials

    plain = endpoint is not None and urlsplit(endpoint).scheme == "http"
    if type(keys) is not Credentials or any(os.environ.get(name) for name in (_PROXIES if plain else _ALL)):
        return None
    try:
        from obstore.store import S3Store as Client
    except ImportError:
        return None
    config: dict[str, Any] = {
        "bucket": bucket, "region": region, "access_key_id": keys.access_key,
        "secret_access_key": keys.secret_key, "checksum_algorithm": "SHA256",
        "virtual_hosted_style_request": False,
    }  # fmt: skip
    if keys.token:
        config["session_token"] = keys.token
    if endpoint is not None:
        config["endpoint"] = endpoint
    options: Mapping[str, Any] = {
        "allow_http": plain,
        "connect_timeout": timedelta(seconds=10),
        "timeout": timedelta(hours=6),
        "read_timeout": timedelta(seconds=120),
    }
    # boto3 repeats; two that repeat would keep an operator waiting for minutes.
    retries = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}
    try:
        client = Client(config=config, client_options=options, retry_config=retries)  # type: ignore[arg-type]
    except Exception:
        # Settings that it does not understand are boto3's affair.
        return None
    return Quick(store, client)


class _Chunks(Reading):
    """A body as it comes. What breaks off is the network's fault until a second reading says the same."""

    def __init__(self, store: str, chunks: Iterator[Any], done: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._store = store
        self._chunks = chunks
        self._done = done
        self._held = memoryview(b"")

    def more(self, size: int) -> bytes:
        from obstore.exceptions import BaseError

        if not self._held:
            try:
                self._held = memoryview(next(self._chunks, b""))
            except (BaseError, OSError) as problem:
                cause = type(problem).__name__
                raise StoreAbsent("SYS-STORE-UNREACHABLE", transient=True, store=self._store, cause=cause) from None
        taken = self._held[:size] if size >= 0 else self._held
        self._held = self._held[len(taken) :]
        return bytes(taken)

    def close(self) -> None:
        if isinstance(self._chunks, Generator):
            self._chunks.close()
        self._chunks = iter(())
        done, self._done = self._done, None
        if done is not None:
            done()
        self._held = memoryview(b"")
        super().close()
