"""Stores move bytes under keys.

The contract of `Store` binds every back end; `tests/storage` runs one suite over all of them. Nothing here knows
what the bytes are: that is the layout's and the journal's affair.

Errors. Every method raises SystemProblem and nothing else, apart from KeyError where it is named:

- `StoreAbsent`: the store is not there (unmounted disk, wrong bucket, server out of reach). Never means: it is
  empty. Transient only when a server did not answer.
- `StoreConflict`: a condition (`if_match`, ABSENT) did not hold. Permanent for this attempt.
- any other: `transient` alone may be tried again; credentials, permission, read-only, full and wrong bytes are
  permanent until a person acts.
"""

from __future__ import annotations

import errno
import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.settings import StoreSetting

if TYPE_CHECKING:
    from typing_extensions import Buffer

PASSPORT = "store.json"
FORMAT = 1
ABSENT = "absent"
"""As `if_match`: only if there is no such key yet."""

WHOLE = 4 * 1024**2
"""Bodies up to here travel as bytes in memory; above they are streamed."""
CHUNK = 1024**2

_KEY = re.compile(r"[A-Za-z0-9._%=-]{1,200}(/[A-Za-z0-9._%=-]{1,200})*\Z")


class StoreAbsent(SystemProblem):
    """The store is not there; what it holds is unknown."""


class StoreConflict(SystemProblem):
    """Somebody else wrote the key first."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a store says of a key without sending it. `sha256` only where the server itself keeps one."""

    size: int
    etag: str
    sha256: str | None = None


class Item(NamedTuple):
    """A key found by listing; size in bytes, -1 for what is not a regular file (a link, a device)."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Passport:
    """Content of `store.json`: which store of which archive this is. Its absence means that the store is absent."""

    format: int
    layout: str
    store: str
    name: str
    archive: str
    medium: str = ""
    site: str = ""

    def dump(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """SHA-256 of a body as it was read back after it was durable; good while the key has this etag (`Head`)."""

    sha256: str
    etag: str


class Sink(Protocol):
    """One body on its way into a store. Exactly one of `finish` and `abort` ends it; both may be repeated."""

    @property
    def proof(self) -> Proof | None:
        """After `finish`: of a body that was read back on its way, in full. None: it has to be read back."""
        ...

    def write(self, chunk: bytes | memoryview) -> None:
        """The chunk may change as soon as this returns."""
        ...

    def finish(self) -> None:
        """Makes the body visible under its key; durable after the store's `sync`."""
        ...

    def abort(self) -> None:
        """Gives the body up; the key stays as it was, or absent. Never raises."""
        ...


class Store(Protocol):
    """Bytes under keys. A key is segments `[A-Za-z0-9._%=-]` (each at most 200 bytes) between single slashes.

    No key is also the beginning (up to a slash) of another. All methods may be called from several threads.
    """

    @property
    def name(self) -> str:
        """Its name in this household."""
        ...

    @property
    def id(self) -> str:
        """Its own id, from `store.json`; "" before there is one."""
        ...

    @property
    def setting(self) -> StoreSetting: ...

    @property
    def lanes(self) -> int:
        """How many small calls in parallel pay; 1: call it where you stand."""
        ...

    def check(self) -> None:
        """StoreAbsent unless `store.json` is there and is still the one that was opened."""
        ...

    def put(self, key: str, body: bytes | Path, size: int, sha256: str, *, only_if_absent: bool = False) -> bool:
        """Content. Idempotent: the same call again leaves the same bytes.

        Durable after `sync`; a crash before that may leave a torn body under the key, so only keys that nobody
        takes for stored yet are put. False, with nothing changed, if `only_if_absent` and the key is there.
        Where the server checks digests, bytes that do not fit `sha256` are refused (SYS-STORE-BYTES).
        """
        ...

    def sink(self, key: str, size: int, sha256: str) -> Sink:
        """`put` for bodies that come in chunks and are too big for memory; memory stays flat."""
        ...

    def replace(self, key: str, body: bytes | Path, if_match: str | None = None) -> str:
        """A document: whole and durable when this returns, never torn; returns its new etag.

        Everything put before need not be durable by this. With `if_match` (an etag, or ABSENT) StoreConflict
        when another is there; a second belt beside the lease, as strong as the store's capabilities.
        """
        ...

    def get(self, key: str) -> BinaryIO:
        """The bytes as a stream, to be closed. KeyError when there is no such key in a store that is there."""
        ...

    def read(self, key: str) -> bytes:
        """The bytes of a small document. KeyError as `get`."""
        ...

    def head(self, key: str) -> Head | None:
        """None when there is no such key in a store that is there."""
        ...

    def list(self, prefix: str) -> Iterator[Item]:
        """All keys below a folder (`prefix` is "" or ends with `/`), in no order that may be relied upon."""
        ...

    def delete(self, key: str) -> None:
        """Idempotent: no such key is no error. Takes any key that `list` tells."""
        ...

    def sync(self) -> None:
        """One barrier: everything put so far by this object is durable when it returns."""
        ...

    def abort_unfinished(self, prefix: str = "") -> int:
        """Removes what our own killed writers left below a folder without a visible key; returns how many.

        The caller holds the lease on that folder: a live upload below it would be cut.
        """
        ...

    def local(self, key: str) -> Path | None:
        """The real file behind a key, to be read only; None where there is none (S3)."""
        ...

    def prepare(self) -> None:
        """Makes the empty place (folder, bucket) of a store that is being added. Idempotent."""
        ...

    def facts(self) -> dict[str, Any]:
        """What it tells about itself: `medium`, `place` (equal for stores that fall together), `free` in bytes
        (None: unknown), and for S3 `versioning`, `object_lock`, `range`."""
        ...

    def close(self) -> None: ...


def on_disk(store: Store, prefix: str) -> str | None:
    """The real folder of the keys below `prefix`, to read many at one go; None where `get` alone has the bytes.

    A file that a listing told lies in real folders; how one is that the listing did not tell, only `get` says.
    """
    folder = getattr(store, "folder", None)
    return None if folder is None else folder(prefix)


class Reading(io.RawIOBase):
    """A stream out of a store; a back end says how `more` bytes come and raises SystemProblem itself."""

    def more(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        raise SystemProblem("SYS-STORE-IO", store="", key="", cause="no source")

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size >= 0:
            return self.more(size) if size else b""
        return b"".join(iter(lambda: self.more(CHUNK), b""))

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        data = self.more(len(view))
        view[: len(data)] = data
        return len(data)


def checked_key(key: str) -> str:
    """The key if it may be written; ValueError (our own bug) if not."""
    if not _KEY.match(key) or any(part in (".", "..") for part in key.split("/")):
        raise ValueError(f"key {key!r}")
    return key


def connect(setting: StoreSetting, scratch: Path | None = None) -> Store:
    """The back end of a URL, whether or not a store is there yet. `scratch` takes big bodies on their way to S3.

    UsageProblem when the URL is none of `file:///…` and `s3://bucket/…`.
    """
    scheme = setting.url.split(":", 1)[0]
    if scheme == "file":
        from pipeline.storage.stores.file import FileStore

        return FileStore(setting)
    if scheme == "s3":
        from pipeline.storage.stores.s3 import S3Store

        return S3Store(setting, scratch)
    raise UsageProblem("USE-STORE-URL", url=setting.url)


def open_store(setting: StoreSetting, archive: str | None, scratch: Path | None = None) -> Store:
    """A store of this archive, ready to work with; transient troubles are tried again inside.

    Raises StoreAbsent, or SystemProblem: another archive's or another store's `store.json`, an unknown format,
    credentials, permission. `archive` None accepts any.
    """
    from pipeline.storage.stores.patience import Patient

    store = Patient(connect(setting, scratch))
    try:
        store.check()
        passport = read_passport(store)
        if archive is not None and passport.archive != archive:
            raise SystemProblem("SYS-STORE-ARCHIVE", store=setting.name, found=passport.archive, expected=archive)
        known = setting.capabilities.get("store")
        if known and passport.store != known:
            raise SystemProblem("SYS-STORE-OTHER", store=setting.name, found=passport.store, expected=known)
    except BaseException:
        store.close()
        raise
    return store


def read_passport(store: Store) -> Passport:
    """`store.json` as a record; StoreAbsent when it is not there, SystemProblem when it cannot be ours."""
    try:
        values = json.loads(store.read(PASSPORT))
    except KeyError:
        raise StoreAbsent("SYS-STORE-ABSENT", store=store.name, url=store.setting.url) from None
    except ValueError:
        raise SystemProblem("SYS-STORE-FORMAT", store=store.name, found="?", known=FORMAT) from None
    return passport_of(values, store.name)


def passport_of(values: object, name: str) -> Passport:
    """The record in parsed `store.json`; unknown formats and layouts are refused, unknown keys too."""
    if not isinstance(values, dict) or values.get("format") != FORMAT or values.get("layout") != "ocfl":
        found = f"{values.get('format')}/{values.get('layout')}" if isinstance(values, dict) else "?"
        raise SystemProblem("SYS-STORE-FORMAT", store=name, found=found, known=f"{FORMAT}/ocfl")
    try:
        passport = Passport(**values)
    except TypeError:
        raise SystemProblem("SYS-STORE-FORMAT", store=name, found=", ".join(map(str, values)), known=FORMAT) from None
    if not all(isinstance(part, str) for part in list(asdict(passport).values())[1:]):
        raise SystemProblem("SYS-STORE-FORMAT", store=name, found="?", known=FORMAT)
    return passport


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM}
_GONE = {errno.ENOTCONN, errno.ESTALE, errno.EHOSTDOWN, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT, errno.ECONNREFUSED}


def trouble(name: str, problem: OSError, key: str = "") -> SystemProblem:
    """What an operating system's error means for a store; the key is named, nothing else of the machine."""
    number = problem.errno
    cause = problem.strerror or type(problem).__name__
    if number in _FULL:
        return SystemProblem("SYS-STORE-FULL", store=name, cause=cause)
    if number == errno.EROFS:
        return SystemProblem("SYS-STORE-READONLY", store=name, cause=cause)
    if number in _DENIED:
        return SystemProblem("SYS-STORE-DENIED", store=name, key=key or "/", cause=cause)
    if number in _GONE:
        return StoreAbsent("SYS-STORE-UNREACHABLE", transient=True, store=name, cause=cause)
    return SystemProblem("SYS-STORE-IO", store=name, key=key or "/", cause=cause)
