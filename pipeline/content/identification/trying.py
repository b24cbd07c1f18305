"""New signatures tried before they count, in a worker that can be killed: their maker may be careless or worse."""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import os
import re
import signal
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _parser as sre  # type: ignore[attr-defined]
from types import FrameType
from typing import Any

from lxml import etree

from pipeline.content.identification import inforce
from pipeline.content.identification.fido import containers, convert, patterns, signatures
from pipeline.damage import ZIP_FAULTS
from pipeline.pool import Job

SAMPLES = signatures.SHIPPED.parent / "samples.zip"
"""Small real files whose names tell their PUID: `fmt-412.docx`."""

SECONDS = 2.0
"""Processor time that one pattern may take over the data of its trial."""

MOST = 20
"""Findings of one code that are told; the last one counts the rest."""

_TRIAL = 1 << 15
_RECORD = re.compile(r"(?:^|/)x?-?fmt/\d+\.json$")
_SAMPLE = re.compile(r"((?:x-)?fmt)-(\d+)\.(\w+)")
_KINDS = {"ZIP", "OLE2"}

_samples: list[tuple[str, str, bytes]] = []


class TooSlow(Exception):
    """A pattern took longer than SECONDS."""


class Refusals:
    """Findings of one trial as JSON: code, what it is about, expected, found."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str | None]] = []
        self._counts: dict[str, int] = {}

    def add(self, code: str, about: str, expected: object = None, found: object = None) -> None:
        count = self._counts[code] = self._counts.get(code, 0) + 1
        if count <= MOST:
            told = [None if value is None else str(value)[:300] for value in (expected, found)]
            self.rows.append({"code": code, "about": about[:200], "expected": told[0], "found": told[1]})

    def told(self) -> list[dict[str, str | None]]:
        """All of them; where there are more than MOST of a code the last says how many."""
        for code, count in self._counts.items():
            if count > MOST:
                last = [row for row in self.rows if row["code"] == code][-1]
                last["about"] = f"{last['about']} (+ {count - MOST})"
        return self.rows


def warm() -> None:
    """Called once in a new worker, before it has limits and drops its rights.

    Nobody else may read our files, and the engine of siegfried wants more address space than it ever uses.
    """
    _samples.extend(samples())
    with contextlib.suppress(ImportError):
        from pipeline.content.identification.siegfried import Siegfried

        Siegfried()
    signal.signal(signal.SIGVTALRM, _late)


def samples() -> Iterator[tuple[str, str, bytes]]:
    """PUID, extension and bytes of every sample."""
    with zipfile.ZipFile(SAMPLES) as archive:
        for name in archive.namelist():
            if parts := _SAMPLE.fullmatch(name):
                yield f"{parts[1]}/{parts[2]}", parts[3], archive.read(name)


def fido(job: Job, records: str, container: str, version: str, container_version: str) -> dict[str, Any]:
    """Converts and tries a set for fido; the packed set goes to the last descriptor when nothing speaks against it.

    Descriptors: PRONOM's records, container signatures, the set in force, the result. `records` and `container` are
    names of files, empty where there is none: that part is then taken from the set in force.
    """
    no = Refusals()
    base = json.loads(lzma.decompress(_all(job.fds[2])))
    made = dict(base)
    if records:
        made["version"] = version
        made["formats"], made["sets"] = _formats(_all(job.fds[0]), records, no)
        job.beat()
        if not made["formats"] and not no.rows:
            no.add("SIG-EMPTY", records)
    if container:
        made["container_version"] = container_version
        made["containers"] = _containers(_all(job.fds[1]), container, {one["puid"] for one in made["formats"]}, no)
        job.beat()
    if not no.rows:
        _not_fewer(base, made, records or container, no)
        _older(base, made, records or container, no)
    if not no.rows:
        data = signatures.pack(made)
        _tried(signatures.load(data), signatures.read(base), no, job.beat)
        _identifies(data, None, no, records or container)
        if not no.rows:
            _write(job.fds[3], data)
    return {
        "findings": no.told(), "version": f"{made['version']}, container {made['container_version']}",
        "formats": len(made["formats"]), "signatures": sum(len(one["signatures"]) for one in made["formats"]),
    }  # fmt: skip


def siegfried(job: Job, name: str, least: str) -> dict[str, Any]:
    """Tries a signature file of siegfried; `least` is the version in force."""
    from pipeline.content.identification.siegfried import Siegfried

    no = Refusals()
    with open("new.sig", "wb") as out:
        out.write(_all(job.fds[0]))
    told = ""
    try:
        told = Siegfried(Path("new.sig")).signatures
    except (OSError, LookupError, ValueError) as problem:
        no.add("SIG-FILE", name, "siegfried .sig", problem)
    if told and not re.fullmatch(r"V\d+, container \d+", told):
        no.add("SIG-FILE", name, "PRONOM", told)
    elif told and inforce.number(told) < inforce.number(least):
        no.add("SIG-OLDER", name, least, told)
    if not no.rows:
        _identifies(None, Path("new.sig"), no, name)
    return {"findings": no.told(), "version": told, "formats": 0, "signatures": 0}


def _formats(data: bytes, name: str, no: Refusals) -> tuple[list[dict[str, Any]], list[str]]:
    try:
        found = list(_records(data))
    except (*ZIP_FAULTS, tarfile.TarError, OSError) as problem:
        no.add("SIG-FILE", name, "PRONOM JSON", problem)
        return [], []
    return convert.formats(found, lambda puid, fault: no.add("SIG-RECORD", puid, None, _words(fault)))


def _records(data: bytes) -> Iterator[Any]:
    """PRONOM's records out of a tar or zip of `fmt/N.json`, or of a JSON list."""
    if data[:1] in (b"[", b"{"):
        value = json.loads(data)
        yield from value if isinstance(value, list) else [value]
        return
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            held = [(name, archive.read(name)) for name in archive.namelist() if _RECORD.search(name)]
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as source:
            held = [(one.name, read.read()) for one in source if one.isfile() and _RECORD.search(one.name)
                    and (read := source.extractfile(one)) is not None]  # fmt: skip
    for _, text in sorted(held, key=lambda one: ("/x-fmt/" not in f"/{one[0]}", len(one[0]), one[0])):
        yield json.loads(text)


def _containers(data: bytes, name: str, known: set[str], no: Refusals) -> list[dict[str, Any]]:
    try:
        root = convert.parsed(data)
        found = containers.convert(root, known)
    except (etree.XMLSyntaxError, ValueError, OverflowError, RecursionError) as problem:
        no.add("SIG-CONTAINER", name, None, problem)
        return []
    for one in found:
        if one["kind"] not in _KINDS or not one["inner"] or not all(inner[0] for inner in one["inner"]):
            no.add("SIG-CONTAINER", name, ", ".join(sorted(_KINDS)), f"{one['kind']}: {one['name']}")
    there = {one.get("Id") for one in root.iterfind("ContainerSignatures/ContainerSignature")}
    for mapping in root.iterfind("FileFormatMappings/FileFormatMapping"):
        if mapping.get("signatureId") not in there:
            no.add("SIG-CONTAINER", name, mapping.get("Puid"), f"signatureId {mapping.get('signatureId')}")
    return found


def _not_fewer(base: dict[str, Any], made: dict[str, Any], name: str, no: Refusals) -> None:
    """Formats, formats with a signature, signatures of both kinds: PRONOM only ever grows."""
    before, after = _counted(base), _counted(made)
    for what, least in before.items():
        if after[what] < least:
            no.add("SIG-FEWER", name, f"≥ {least} {what}", after[what])


def _counted(one: dict[str, Any]) -> dict[str, int]:
    return {
        "formats": len({known["puid"] for known in one["formats"]}),
        "signed formats": sum(bool(known["signatures"]) for known in one["formats"]),
        "signatures": sum(len(known["signatures"]) for known in one["formats"]),
        "containers": len(one["containers"]),
    }


def _older(base: dict[str, Any], made: dict[str, Any], name: str, no: Refusals) -> None:
    for key in ("version", "container_version"):
        if int(made[key].lstrip("V")) < int(base[key].lstrip("V")):
            no.add("SIG-OLDER", name, base[key], made[key])


def _tried(new: signatures.Signatures, old: signatures.Signatures, no: Refusals, beat: Callable[[], None]) -> None:
    """Every pattern compiles; none that is new takes long over what nearly matches it."""
    known = {pattern.text for one in old.by_number for pattern in one.patterns}
    before = {text for listed in old.containers.signatures.values() for one in listed for inner in one.inner
              for text in inner.expressions}  # fmt: skip
    for one in new.by_number:
        for pattern in one.patterns:
            about = new.owner[one.number].puid
            try:
                compiled = pattern.regex()
                if pattern.text in known:
                    continue
                known.add(pattern.text)
                for data in _nearly(pattern.text):
                    with _in_time():
                        if pattern.gap is not None:
                            pattern.gaps().matches(data[: pattern.width] if pattern.gap["begin"] else data)
                        elif pattern.position == "EOF":
                            compiled.search(data, max(0, len(data) - pattern.width))
                        else:
                            (compiled.match if pattern.position == "BOF" else compiled.search)(data)
            except TooSlow:
                no.add("SIG-SLOW", about, f"{SECONDS:.0f} s", pattern.text.decode("latin-1"))
            except (re.error, OverflowError, RecursionError, ValueError) as fault:
                no.add("SIG-RECORD", about, None, _words(fault))
            beat()
    for listed in new.containers.signatures.values():
        for container in listed:
            for text in {text for inner in container.inner for text in inner.expressions} - before:
                before.add(text)
                try:
                    with _in_time():
                        for data in _nearly(text):
                            re.compile(text).search(data)
                except TooSlow:
                    no.add("SIG-SLOW", container.puid, f"{SECONDS:.0f} s", text.decode("latin-1"))
                beat()


def _nearly(text: bytes) -> list[bytes]:
    """Data that a pattern almost matches, again and again: its runs without the last, the first, the last alone, and
    its bytes together and alone."""
    runs = [bytes(patterns.members(bytes_)[0] for bytes_ in part.sets) for part in patterns.shape(text).parts]
    asked = bytes(_asked(sre.parse(text)))
    units = {b"".join(runs[:-1]), *runs[:1], *runs[-1:], asked, *(asked[at : at + 1] for at in range(4))} - {b""}
    return [(b"".join(runs[:1]) + unit * (_TRIAL // len(unit)))[:_TRIAL] for unit in sorted(units)] or [bytes(_TRIAL)]


def _asked(tree: Any) -> Iterator[int]:
    """Single bytes that an expression names, in its order, those of every choice too."""
    for op, value in tree:
        if str(op) == "LITERAL":
            yield value
        elif str(op) == "SUBPATTERN":
            yield from _asked(value[3])
        elif str(op) == "BRANCH":
            for branch in value[1]:
                yield from _asked(branch)
        elif str(op).endswith("_REPEAT"):
            yield from _asked(value[2])


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """`re` looks for signals while it works, so its own time can be bounded."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _late(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def _identifies(packed: bytes | None, sig: Path | None, no: Refusals, name: str) -> None:
    """Every sample is still what it is, or a format that the new set ranks above that."""
    from pipeline.content.identification.fido.opinion import Fido
    from pipeline.content.identification.siegfried import Siegfried

    engine = Siegfried(sig) if sig is not None else None
    second = Fido(packed)
    for puid, extension, data in _samples:
        with tempfile.TemporaryFile(dir=".") as file:
            file.write(data)
            file.flush()
            if engine is not None:
                found = engine.identify(file.fileno(), len(data), data, extension).opinion.puid
            else:
                found = second.identify(file.fileno(), len(data), extension).opinion.puid
        if found != puid and puid not in second.over.get(found or "", ()):
            no.add("SIG-SAMPLE", name, f"{puid} (.{extension})", found)


def _words(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}" if not isinstance(fault, ValueError) else str(fault)


def _all(fd: int) -> bytes:
    with open(os.dup(fd), "rb") as source:
        source.seek(0)
        return source.read()


def _write(fd: int, data: bytes) -> None:
    with open(os.dup(fd), "wb") as out:
        out.write(data)
