"""Taking in newer signatures of PRONOM: told apart, tried in a worker, kept and put in force, or refused."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline.content.identification import inforce
from pipeline.content.identification.fido import signatures
from pipeline.content.identification.inforce import Kept
from pipeline.errors import SystemProblem, UsageProblem
from pipeline.names import shown
from pipeline.pool import Bounds, Failure, Pool, Task
from pipeline.records import Finding, PackagePath
from pipeline.workspace import Workspace, now, rfc3339

MOST_BYTES = 256 << 20
"""No file of signatures is bigger."""

BOUNDS = Bounds(seconds=120, memory=1 << 30, file=64 << 20)
"""What a trial may use; two to ten seconds and 200 MiB are usual."""

_TRYING = "pipeline.content.identification.trying"
_SIG = b"sf\x00\xff"
_PACKED = (b"[", b"{", b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_VERSION = re.compile(r"(?<![A-Za-z0-9])[Vv](\d{2,4})(?!\d)")
_DATE = re.compile(r"(?<!\d)(20\d{6})(?!\d)")


@dataclass(frozen=True, slots=True)
class Adopted:
    """What came of one set: kept and in force (`kept`), or why not. `version` as far as it is known."""

    engine: str
    sources: tuple[str, ...]
    version: str
    kept: Kept | None
    findings: tuple[Finding, ...]
    changed: bool = True


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    kind: str
    version: str

    @property
    def name(self) -> str:
        return shown(os.fsencode(self.path.name))


def update(
    space: Workspace, files: Sequence[Path], version: str | None = None, bounds: Bounds = BOUNDS
) -> list[Adopted]:
    """Tries the files and puts in force what proves good; what is refused leaves everything as it is.

    PRONOM's JSON records (tar, zip, list) and DROID's container signatures make one set for fido, with what is in
    force for the part that is not given; each `.sig` is one for siegfried. `version` (`V126`) is that of the records
    where no file name tells it; `bounds` are the limits of a trial. UsageProblem for a path that is none;
    SystemProblem when nothing can be kept.
    """
    for file in files:
        if not file.is_file():
            raise UsageProblem("USE-PATH", path=shown(os.fsencode(file)))
    if version is not None and not re.fullmatch(r"V\d{1,4}", version):
        raise UsageProblem("USE-ARGUMENTS", cause=f"--version {version}")
    told = [_told(file, version) for file in files]
    done = [_refused("", (one.name,), "SIG-FILE", one.name) for one in told if not one.kind]
    with FileLock(space.locks / "signatures.lock"):
        of_fido = [one for one in told if one.kind in ("records", "container")]
        twice = {one.kind for one in of_fido if [other.kind for other in of_fido].count(one.kind) > 1}
        if twice:
            names = tuple(one.name for one in of_fido if one.kind in twice)
            done.append(_refused("fido", names, "SIG-TWICE", ", ".join(names)))
        elif of_fido and not done:
            done.append(_fido(space, of_fido, bounds))
        if not done or done[-1].kept:
            done += [_siegfried(space, one, bounds) for one in told if one.kind == "siegfried"]
    return done


def listed(space: Workspace) -> list[dict[str, Any]]:
    """Every set of either engine, ours first, as an item of `signatures/1`."""
    held = inforce.sets(space)
    items = []
    for engine, version in (("siegfried", _inside_siegfried()), ("fido", ours().version)):
        current = held.current(engine)
        items.append({"engine": engine, "version": version, "in_force": current is None, "sha256": None,
                      "formats": ours().formats if engine == "fido" else 0,
                      "signatures": ours().signatures if engine == "fido" else 0,
                      "source": "luutru" if engine == "fido" else "pygfried", "added": None})  # fmt: skip
        for one in held.sets:
            if one.engine == engine:
                items.append(item_of(one, one == current))
    return items


def item_of(one: Kept, in_force: bool) -> dict[str, Any]:
    """A kept set as an item of `signatures/1`."""
    return {"engine": one.engine, "version": one.version, "in_force": in_force, "sha256": one.sha256,
            "formats": one.formats, "signatures": one.signatures, "source": one.source,
            "added": one.added}  # fmt: skip


@cache
def ours() -> Kept:
    """The set for fido that comes with us."""
    packed = signatures.SHIPPED.read_bytes()
    known = signatures.load(packed)
    return Kept("fido", hashlib.sha256(packed).hexdigest(), f"{known.version}, container {known.container_version}",
                len(known.formats), len(known.by_number), "luutru", "")  # fmt: skip


def _inside_siegfried() -> str:
    try:
        from pipeline.content.identification.siegfried import Siegfried

        return Siegfried().signatures
    except ImportError:
        return ""


def _told(file: Path, version: str | None) -> _Source:
    """What a file is, by its first bytes, and which version its name claims."""
    try:
        size = file.stat().st_size
        with file.open("rb") as source:
            head = source.read(4096)
    except OSError as problem:
        raise SystemProblem("SYS-READ", file=file, cause=problem.strerror or problem) from problem
    kind = ""
    if size <= MOST_BYTES:
        if head.startswith(_SIG):
            kind = "siegfried"
        elif b"<ContainerSignatureMapping" in head:
            kind = "container"
        elif (
            head[:1] in (b"[", b"{")
            or head.startswith((b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"))
            or head[257:262] == b"ustar"
        ):
            kind = "records"
    if kind == "container":
        found = _DATE.search(file.name)
    else:
        found = _VERSION.search(file.name)
    claimed = found[1] if found and kind == "container" else f"V{found[1]}" if found else ""
    return _Source(file, kind, version if version and kind == "records" else claimed)


def _fido(space: Workspace, of_fido: list[_Source], bounds: Bounds) -> Adopted:
    by_kind = {one.kind: one for one in of_fido}
    names = tuple(one.name for one in of_fido)
    without = [one for one in of_fido if not one.version]
    if without:
        wanted = "--version V126" if without[0].kind == "records" else "container-signature-20270131.xml"
        return _refused("fido", names, "SIG-VERSION", without[0].name, wanted)
    records, container = by_kind.get("records"), by_kind.get("container")
    current = inforce.sets(space).current("fido")
    base = space.signatures / current.file if current else signatures.SHIPPED
    arguments = (
        records.name if records else "", container.name if container else "", records.version if records else "",
        container.version if container else "",
    )  # fmt: skip
    sources = [one.path if one else Path(os.devnull) for one in (records, container)]
    said, data = _trial(space, f"{_TRYING}:fido", [*sources, base], arguments, bounds)
    return _judged(space, "fido", names, said, data)


def _siegfried(space: Workspace, one: _Source, bounds: Bounds) -> Adopted:
    current = inforce.sets(space).current("siegfried")
    least = current.version if current else _inside_siegfried()
    said, _ = _trial(space, f"{_TRYING}:siegfried", [one.path], (one.name, least), bounds)
    return _judged(space, "siegfried", (one.name,), said, one.path.read_bytes())


def _judged(space: Workspace, engine: str, names: tuple[str, ...], said: Any, data: bytes) -> Adopted:
    if isinstance(said, Failure):
        return _refused(engine, names, "SIG-STOPPED", ", ".join(names), None, f"{said.kind}: {said.text}")
    findings = tuple(
        Finding(row["code"], PackagePath(str(row["about"]).encode("utf-8", "surrogateescape")), None, row["expected"],
                row["found"])
        for row in said["findings"]
    )  # fmt: skip
    if findings:
        return Adopted(engine, names, said["version"], None, findings)
    new = Kept(engine, hashlib.sha256(data).hexdigest(), said["version"], said["formats"], said["signatures"],
               ", ".join(names), rfc3339(now()))  # fmt: skip
    held = inforce.sets(space)
    current = held.current(engine)
    if (current or (ours() if engine == "fido" else None)) is not None:
        in_force = current or ours()
        if in_force.sha256 == new.sha256:
            return Adopted(engine, names, new.version, in_force, (), changed=False)
    try:
        inforce.activate(space, new, data)
    except OSError as problem:
        raise SystemProblem("SYS-WRITE", file=space.signatures, cause=problem.strerror or problem) from problem
    return Adopted(engine, names, new.version, new, ())


def _trial(
    space: Workspace, function: str, files: list[Path], arguments: tuple[str, ...], bounds: Bounds
) -> tuple[Any, bytes]:
    """What the worker says, and what it wrote."""
    pool = Pool((_TRYING,), 1, bounds)
    with (
        tempfile.TemporaryDirectory(prefix="signatures-", dir=space.work) as scratch,
        tempfile.TemporaryFile(dir=scratch) as result,
    ):

        def opened() -> tuple[int, ...]:
            return (*(os.open(file, os.O_RDONLY | os.O_CLOEXEC) for file in files), os.dup(result.fileno()))

        try:
            (found,) = pool.map(function, iter([Task(None, opened, arguments)]), Path(scratch))
        finally:
            pool.close()
        if isinstance(found.value, Failure) and isinstance(found.value.cause, OSError):
            raise SystemProblem("SYS-READ", file=files[0], cause=found.value.cause)
        result.seek(0)
        return found.value, result.read()


def _refused(
    engine: str, names: tuple[str, ...], code: str, about: str, expected: str | None = None, found: str | None = None
) -> Adopted:
    finding = Finding(code, PackagePath(about.encode("utf-8", "surrogateescape")), None, expected, found)
    return Adopted(engine, names, "", None, (finding,))
