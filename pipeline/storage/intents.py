"""Write intents: what a version in the making consists of, so that anybody can complete exactly these bytes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.errors import SystemProblem
from pipeline.plan import Content, Plan
from pipeline.standards import ocfl
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import ABSENT, Store, StoreConflict

FORMAT = 1
FOLDER = "intents/"
_NAME = re.compile(r"intents/([0-9a-f-]{36})-v([1-9][0-9]*)\Z")


class OtherIntent(SystemProblem):
    """A write of the same version with other bytes is open: `adopt` it or `abandon` it first."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An open write: an AIP version and the digest of the inventory it is going to have."""

    store: str
    urn: str
    version: int
    inventory_sha256: str


def key_of(urn: str, version: int) -> str:
    """`intents/<uuid>-vN`: one tar with `intent.json`, `inventory.json` and `generated/<sha256>`."""
    return f"{FOLDER}{urn.rpartition(':')[2]}-v{version}"


@contextlib.contextmanager
def packed(
    urn: str,
    version: int,
    inventory: Path,
    inventory_sha256: str,
    generated: Iterable[tuple[Content, BinaryIO]],
    scratch: Path | None = None,
) -> Iterator[bytes | Path]:
    """The intent as a body for `Store.replace`; the same bytes on every machine. Streams in `generated` are closed."""
    about = {"format": FORMAT, "layout": "ocfl", "aip": urn, "version": version, "inventory": inventory_sha256}
    with tempfile.NamedTemporaryFile(dir=scratch, prefix="intent-") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            data = json.dumps(about, indent=1).encode() + b"\n"
            archive.addfile(_member("intent.json", len(data)), io.BytesIO(data))
            with inventory.open("rb") as source:
                archive.addfile(_member(ocfl.INVENTORY, os.fstat(source.fileno()).st_size), source)
            for content, stream in generated:
                with contextlib.closing(stream):
                    member = _member(f"generated/{content.sha256}", content.size)
                    archive.addfile(member, cast("io.BufferedReader", stream))
        file.flush()
        yield layout.body_of(Path(file.name))


def open_intent(store: Store, wanted: Intent, body: bytes | Path) -> bool:
    """Lays the intent down before the first content; False when the very same one is open already.

    OtherIntent when one with another inventory is.
    """
    key = key_of(wanted.urn, wanted.version)
    try:
        store.replace(key, body, ABSENT)
        return True
    except StoreConflict:
        held = find(store, wanted.urn, wanted.version)
        if held is not None and held.inventory_sha256 == wanted.inventory_sha256:
            return False
        raise OtherIntent(
            "SYS-INTENT-OTHER",
            store=store.name,
            aip=f"{wanted.urn} v{wanted.version}",
            found=held.inventory_sha256 if held else "-",
            expected=wanted.inventory_sha256,
        ) from None


def find(store: Store, urn: str, version: int) -> Intent | None:
    """The open intent of an AIP version in this store, if any; SystemProblem when its format is unknown."""
    try:
        source = store.get(key_of(urn, version))
    except KeyError:
        return None
    with contextlib.closing(source):
        return _about(store, _archive(source), urn, version)


def still_open(store: Store) -> Iterator[Intent]:
    """All open intents of a store."""
    for key, _ in sorted(store.list(FOLDER)):
        match = _NAME.match(key)
        if match:
            found = find(store, f"urn:uuid:{match.group(1)}", int(match.group(2)))
            if found is not None:
                yield found


def close(store: Store, urn: str, version: int) -> None:
    """Removes the intent: the version is committed and stands in the journal. Idempotent."""
    store.delete(key_of(urn, version))


def abandon(store: Store, urn: str, version: int) -> tuple[str, ...]:
    """Gives an open write up: removes what lies under the uncommitted version, then the intent.

    The caller writes the journal line first. Returns the keys that retention held back (then the intent stays).
    Diverged (layouts.ocfl) when that version is committed: nothing is removed.
    """
    stranded = layout.remove_uncommitted(store, urn, version)
    if not stranded:
        close(store, urn, version)
    return stranded


def adopt(store: Store, held: Intent, plan: Plan, scratch: Path) -> Plan | None:
    """A plan that completes exactly the bytes of an open intent, out of the intent and what `plan` can give.

    None when a digest that its inventory names is in neither: then only `abandon` is left. Files go to `scratch`,
    which must live as long as the plan. Both sides are read in order of digest; memory stays flat.
    """
    folder = scratch / f"intent-{held.inventory_sha256[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(store.get(key_of(held.urn, held.version))) as source, _archive(source) as archive:
        found = _about(store, archive, held.urn, held.version)
        if found != held:
            return None
        while (member := archive.next()) is not None:
            stream = archive.extractfile(member)
            name = member.name.rpartition("/")[2]
            if stream is None or not re.fullmatch(r"inventory\.json|generated/[0-9a-f]{64}", member.name):
                raise _unknown(store, member.name)
            with (folder / name).open("wb") as target:
                digest = layout.copied(cast(BinaryIO, stream), target)
            if digest != (held.inventory_sha256 if name == ocfl.INVENTORY else name):
                raise SystemProblem("SYS-STORE-BYTES", store=store.name, key=member.name, expected=name, found=digest)
    adopted = _Adopted(held, folder, plan)
    try:
        for _ in adopted.contents():
            pass
    except KeyError:
        return None
    return adopted


@dataclass(frozen=True, slots=True)
class _Adopted:
    """Somebody else's inventory over our bytes."""

    held: Intent
    folder: Path
    plan: Plan

    @property
    def urn(self) -> str:
        return self.held.urn

    @property
    def version(self) -> int:
        return self.held.version

    @property
    def inventory(self) -> Path:
        return self.folder / ocfl.INVENTORY

    @property
    def inventory_sha256(self) -> str:
        return self.held.inventory_sha256

    def contents(self) -> Iterator[Content]:
        """KeyError at the first digest that nobody has."""
        ours = self.plan.contents()
        mine = next(ours, None)
        for digest, path in ocfl.read_inventory(self.inventory).manifest():
            if not path.startswith(f"v{self.version}/"):
                continue
            file = self.folder / digest
            if file.exists():
                yield Content(digest, os.stat(file).st_size, file, True)
                continue
            while mine is not None and mine.sha256 < digest:
                mine = next(ours, None)
            if mine is None or mine.sha256 != digest:
                raise KeyError(digest)
            yield mine

    def open(self, content: Content) -> BinaryIO:
        file = self.folder / content.sha256
        return file.open("rb") if file.exists() else self.plan.open(content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member


def _archive(source: BinaryIO) -> tarfile.TarFile:
    # Buffered: tar asks for 512 bytes at a time, a store is asked for 1 MiB.
    return tarfile.open(fileobj=io.BufferedReader(cast("io.RawIOBase", source), 1024**2), mode="r|")


def _about(store: Store, archive: tarfile.TarFile, urn: str, version: int) -> Intent:
    """First member of the tar as a record; refuses what it does not know."""
    try:
        first = archive.next()
        stream = archive.extractfile(first) if first is not None and first.name == "intent.json" else None
        values = json.loads(stream.read(65536)) if stream is not None else None
    except (tarfile.TarError, ValueError):
        raise _unknown(store, "intent.json") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT or values.get("layout") != "ocfl":
        raise _unknown(store, str(values.get("format")) if isinstance(values, dict) else "?")
    if values.get("aip") != urn or values.get("version") != version:
        raise _unknown(store, f"{values.get('aip')} v{values.get('version')}")
    return Intent(store.name, urn, version, str(values.get("inventory")))


def _unknown(store: Store, found: str) -> SystemProblem:
    return SystemProblem("SYS-INTENT-FORMAT", store=store.name, found=found, known=FORMAT)
