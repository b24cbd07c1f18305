"""What a store can do: tried out when it is added, and whenever somebody asks."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.settings import Household, StoreSetting, ensure_archive, household, keep_household
from pipeline.standards import ocfl
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import (
    ABSENT,
    FORMAT,
    PASSPORT,
    Passport,
    Store,
    StoreAbsent,
    StoreConflict,
    connect,
    open_store,
    read_passport,
)
from pipeline.workspace import Workspace, now, rfc3339

FOLDER = "probe/"
OPTIMISM = {"if_none_match": True, "if_match": True}
"""How a store is asked while it is probed: as if it could do everything."""

_NAME = re.compile(r"[a-z0-9-]{1,63}\Z")
_OURS = {"ocfl", "journal", "intents", "settings", "probe", "README.txt", "restore.py", PASSPORT, "lost+found"}
_NEEDED = ("put", "get", "empty", "head", "list", "replace", "percent", "long_names", "delete")


def add_store(
    space: Workspace,
    name: str,
    url: str,
    endpoint: str | None = None,
    profile: str | None = None,
    credentials_file: str | None = None,
    verify: str = "read",
    site: str = "",
) -> StoreSetting:
    """Makes a store, or takes over one of this archive, and enters it in the household. Idempotent until entered.

    A folder or bucket that is not there is made; one with other things in it is refused. UsageProblem: name, URL,
    the same store twice, one inside another, a `verify` that it cannot keep. SystemProblem: another archive's
    store, or it lacks something that we need (SYS-STORE-PROBE).
    """
    from filelock import FileLock

    if not _NAME.match(name):
        raise UsageProblem("USE-STORE-NAME", store=name)
    if verify not in ("read", "server"):
        raise UsageProblem("USE-STORE-VERIFY", store=name, verify=verify)
    wanted = StoreSetting(name, url, endpoint, profile, credentials_file, verify, dict(OPTIMISM))
    with FileLock(space.locks / "stores.lock"):
        held = household(space)
        _not_twice(wanted, held)
        store = connect(wanted, space.work)
        try:
            store.prepare()
            passport = _passport(store, held)
            found = passport or _new_passport(space, store, name, site)
            if passport is not None:
                ensure_archive(space, passport.archive)
                if passport.name != name:
                    raise UsageProblem("USE-STORE-NAMED", store=name, found=passport.name)
            capabilities = probe(store)
            capabilities["store"] = found.store
            capabilities["site"] = found.site
            if verify == "server" and not capabilities["checksum_refused"]:
                raise UsageProblem("USE-STORE-VERIFY", store=name, verify=verify)
            furnish(store, found)
        finally:
            store.close()
        setting = replace(wanted, capabilities=capabilities)
        held = household(space)
        keep_household(space, replace(held, stores=(*held.stores, setting)))
    return setting


def probe_store(space: Workspace, name: str) -> StoreSetting:
    """Probes a store of the household again and keeps the result."""
    from filelock import FileLock

    with FileLock(space.locks / "stores.lock"):
        held = household(space)
        before = held.store(name)
        asked = replace(before, capabilities={**before.capabilities, **OPTIMISM})
        store = open_store(asked, held.archive, space.work)
        try:
            capabilities = {**probe(store), "store": store.id, "site": before.capabilities.get("site", "")}
        finally:
            store.close()
        after = replace(before, capabilities=capabilities)
        keep_household(space, replace(held, stores=tuple(after if one.name == name else one for one in held.stores)))
    return after


def probe(store: Store) -> dict[str, Any]:
    """Tries a store out below `probe/` and tidies up: what it can do, and what it tells about where it lies.

    `store` must have been opened with OPTIMISM. Raises SystemProblem when something that we need fails
    (SYS-STORE-PROBE), and the store's own problem when it cannot be reached or written at all.
    """
    base = f"{FOLDER}{uuid.uuid4().hex[:12]}/"
    data = b"luutru\n"
    checks: dict[str, bool] = {}

    def attempt(name: str, act: Callable[[], bool]) -> None:
        try:
            checks[name] = act()
        except StoreAbsent:
            raise
        except SystemProblem as problem:
            if name == "put":
                # Nothing can be written at all: full, read-only, denied. That is what has to be said.
                raise
            checks[name] = False
            checks.setdefault(f"{name}:{problem.code}", False)
        except KeyError:
            checks[name] = False

    def put(key: str, body: bytes) -> bool:
        return store.put(base + key, body, len(body), hashlib.sha256(body).hexdigest())

    attempt("put", lambda: put("a", data))
    attempt("get", lambda: store.read(base + "a") == data)
    attempt("empty", lambda: put("empty", b"") and store.read(base + "empty") == b"")
    attempt("head", lambda: _size(store, base + "a") == len(data) and _size(store, base + "none") is None)
    odd = "79a/urn%3auuid%3a6f1c2f0e/0=a_b.c"
    attempt("percent", lambda: put(odd, data) and store.read(base + odd) == data)
    attempt("list", lambda: {base + "a", base + "empty", base + odd} <= {key for key, _ in store.list(base)})
    long = "e" * 200
    attempt("long_names", lambda: put(long, data) and store.read(base + long) == data)
    attempt("replace", lambda: bool(store.replace(base + "a", b"new\n")) and store.read(base + "a") == b"new\n")
    attempt("if_none_match", lambda: _refuses(store, base + "a", ABSENT))
    attempt("if_match", lambda: _swaps(store, base + "b"))
    attempt("checksum_refused", lambda: _refuses_wrong(store, base + "c"))
    attempt("checksum_kept", lambda: _keeps(store, base + "d"))
    attempt("case", lambda: put("case", b"1") and put("CASE", b"2") and store.read(base + "case") == b"1")
    attempt("multipart_abort", lambda: _aborts(store, base + "e/"))
    attempt("delete", lambda: _deletes(store, base))
    lacking = [name for name in _NEEDED if not checks.get(name)]
    if lacking:
        raise SystemProblem("SYS-STORE-PROBE", store=store.name, what=", ".join(lacking))
    found: dict[str, Any] = {name: good for name, good in checks.items() if ":" not in name}
    return {**found, **store.facts(), "probed": rfc3339(now())}


@dataclass(frozen=True, slots=True)
class Independence:
    """How many places hold copies, and which stores share one (each tuple at least two names)."""

    figure: int
    shared: tuple[tuple[str, ...], ...]


def independence(stores: Iterable[StoreSetting]) -> Independence:
    """Two stores on one disk are one place. An S3 server on this very machine counts as this machine's disk."""
    places: dict[str, list[str]] = {}
    machines: dict[str, str] = {}
    ordered = sorted(stores, key=lambda one: str(one.capabilities.get("place", "")).startswith("machine@"))
    for setting in ordered:
        place = str(setting.capabilities.get("place") or f"unknown:{setting.name}")
        machine = place.rpartition("@")[2] if "@" in place else ""
        if place.startswith("machine@"):
            place = machines.get(machine, place)
        elif machine and not place.startswith("share:"):
            machines.setdefault(machine, place)
        places.setdefault(place, []).append(setting.name)
    return Independence(len(places), tuple(tuple(names) for names in places.values() if len(names) > 1))


def _passport(store: Store, held: Household) -> Passport | None:
    """`store.json` of a store to be taken over; None for a new place, which must be empty of others' things."""
    try:
        passport = read_passport(store)
    except StoreAbsent as absent:
        if absent.code != "SYS-STORE-ABSENT":
            raise
        for key, _ in store.list(""):
            if key.split("/", 1)[0] not in _OURS:
                raise UsageProblem("USE-STORE-NOT-EMPTY", store=store.name, found=key[:80]) from None
        return None
    if held.archive is not None and passport.archive != held.archive:
        raise SystemProblem("SYS-STORE-ARCHIVE", store=store.name, found=passport.archive, expected=held.archive)
    for other in held.stores:
        if other.capabilities.get("store") == passport.store:
            raise UsageProblem("USE-STORE-TWICE", store=store.name, other=other.name)
    return passport


def _new_passport(space: Workspace, store: Store, name: str, site: str) -> Passport:
    archive = ensure_archive(space).archive or ""
    medium = str(store.facts().get("medium", ""))
    return Passport(FORMAT, "ocfl", str(uuid.uuid4()), name, archive, medium, site)


def _not_twice(wanted: StoreSetting, held: Household) -> None:
    """By name and place, as far as URLs tell; the id in `store.json` tells the rest."""
    ours = _place(wanted)
    for other in held.stores:
        theirs = _place(other)
        if other.name == wanted.name or theirs == ours:
            raise UsageProblem("USE-STORE-TWICE", store=wanted.name, other=other.name)
        if theirs[0] == ours[0] and (ours[1].startswith(theirs[1]) or theirs[1].startswith(ours[1])):
            raise UsageProblem("USE-STORE-NESTED", store=wanted.name, other=other.name)


def _place(setting: StoreSetting) -> tuple[str, str]:
    """(server, path with final slash) of a URL, comparable; UsageProblem when it is none of ours."""
    if setting.url.startswith("s3:"):
        from pipeline.storage.stores.s3 import bucket_of

        bucket, prefix = bucket_of(setting.url)
        return f"s3:{(setting.endpoint or '').rstrip('/')}", f"{bucket}/{prefix}"
    if setting.url.startswith("file:"):
        from pipeline.storage.stores.file import folder_of

        if setting.endpoint is not None:
            raise UsageProblem("USE-STORE-URL", url=setting.url)
        return "file", f"{folder_of(setting.url)}/"
    raise UsageProblem("USE-STORE-URL", url=setting.url)


def furnish(store: Store, passport: Passport) -> None:
    """The fixed files of a store; `store.json` last, so that a store is there whole or not at all."""
    texts = Path(__file__).parent / "texts"
    documents = {layout.ROOT + path: data for path, data in ocfl.root_files().items()}
    documents["README.txt"] = (texts / "README.txt").read_bytes()
    documents["restore.py"] = (texts / "restore.py.txt").read_bytes()
    documents[PASSPORT] = passport.dump()
    for key, data in documents.items():
        if store.head(key) is None:
            store.replace(key, data)


def _size(store: Store, key: str) -> int | None:
    head = store.head(key)
    return head.size if head is not None else None


def _refuses(store: Store, key: str, condition: str) -> bool:
    before = store.read(key)
    try:
        store.replace(key, b"wrong\n", condition)
    except StoreConflict:
        return store.read(key) == before
    return False


def _swaps(store: Store, key: str) -> bool:
    first = store.replace(key, b"1\n")
    second = store.replace(key, b"2\n", first)
    return bool(second) and store.read(key) == b"2\n" and _refuses(store, key, first)


def _refuses_wrong(store: Store, key: str) -> bool:
    try:
        store.put(key, b"abc", 3, hashlib.sha256(b"abd").hexdigest())
    except SystemProblem as problem:
        return problem.code == "SYS-STORE-BYTES"
    return False


def _keeps(store: Store, key: str) -> bool:
    digest = hashlib.sha256(b"abc").hexdigest()
    store.put(key, b"abc", 3, digest)
    head = store.head(key)
    return head is not None and head.sha256 == digest


def _aborts(store: Store, folder: str) -> bool:
    """A big body given up half way leaves nothing: no key, no hidden parts."""
    sink = store.sink(folder + "big", 1024**3, hashlib.sha256(b"").hexdigest())
    sink.write(b"x" * 1024)
    sink.abort()
    return store.head(folder + "big") is None and store.abort_unfinished(folder) == 0


def _deletes(store: Store, base: str) -> bool:
    for key, _ in list(store.list(base)):
        store.delete(key)
    return not list(store.list(base))


def as_json(setting: StoreSetting) -> dict[str, Any]:
    """A store for people and programs: no secret is in a setting."""
    return {**asdict(setting), "ocfl": f"{setting.url.rstrip('/')}/{layout.ROOT}"}
