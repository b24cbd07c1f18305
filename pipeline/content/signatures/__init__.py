"""Digital signatures of files: verified once, offline, in workers that can be killed; integrity, trust, coverage.

Nobody here fetches anything. What is trusted comes from the settings (`trust.read`), the moment of judgement from the
caller; the same bytes, trust and moment give the same result. The libraries that verify are imported by workers alone.
"""

from __future__ import annotations

import importlib.metadata
import os
import posixpath
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from pipeline.content.characterisation.tables import family_of, line
from pipeline.content.identification import extension_of
from pipeline.content.reading import descriptor
from pipeline.content.signatures import trust
from pipeline.content.signatures.trust import Trusted
from pipeline.errors import SystemProblem
from pipeline.names import shown
from pipeline.pool import Failure, Pool, Task, shared
from pipeline.records import Characteristics, Finding, Format, Outcome, PackagePath
from pipeline.signatures import Coverage, Integrity, Signature, Trust
from pipeline.tree import ContentDamage, Entry, Tree

__all__ = [
    "WORKERS", "Subject", "Trusted", "Verified", "findings", "form_of", "may_sign", "outcome", "rules", "subject",
    "tools", "trust", "verify_all",
]  # fmt: skip

WORKERS: Final = ("pipeline.content.signatures.worker",)
"""Modules that workers of this part hold ready."""

CMS: Final = "cms"
FAMILIES: Final = ("pdf", "xml", "ooxml", "odf")
"""Families of characterisation whose files may hold signatures."""

_ALONE: Final = frozenset((b"p7s", b"p7m", b"p7b", b"sig", b"tsr", b"tst", b"ts"))
_SIGNED: Final = tuple(
    b"." + one
    for one in b"pdf xml docx doc xlsx xls pptx ppt odt ods odp rtf txt csv json zip tif tiff jpg jpeg png html".split()
)
_PKCS7: Final = "fmt/670"
_MOST_BESIDE: Final = 12
_STOPPED: Final = "verification was stopped: "
_STAMP_NO_ROOTS: Final = f"{Integrity.WHOLE}; {Trust.NO_ROOTS}"
_SCHEME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:")

Lookup = Callable[[PackagePath], Entry | None]
"""The file of a package under a path, None when there is none."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A file that may be signed: `form` is a family or `cms`, `counted` how many signatures were seen in it.

    `beside` are the files that it may sign, by the URI under which it names them (empty for CMS).
    """

    entry: Entry
    form: str
    counted: int = 0
    beside: tuple[tuple[str, Entry], ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What one file came to. `signs` is the other file that a detached signature was judged against.

    No `signatures`: it was none after all. A file that could not be judged in time has one that says so.
    """

    entry: Entry
    signatures: tuple[Signature, ...]
    signs: tuple[PackagePath, ...] = ()


def tools() -> dict[str, str]:
    """The libraries that verify, with their versions."""
    return {name: importlib.metadata.version(name) for name in ("pyHanko", "signxml")}


def may_sign(path: PackagePath, found: Format | None) -> bool:
    """Whether name and format of a file allow of signatures in it, before anything else is asked."""
    return _is_cms(path, found) or family_of(found, extension_of(path)) in FAMILIES


def _is_cms(path: PackagePath, found: Format | None) -> bool:
    return _ending(path) in _ALONE or (found is not None and found.puid == _PKCS7)


def _ending(path: PackagePath) -> bytes:
    return path.rpartition(b"/")[2].rpartition(b".")[2].lower()


def form_of(path: PackagePath, found: Format | None, family: str, told: Characteristics) -> tuple[str, int] | None:
    """How the signatures of a file would be verified, and how many were seen; None for a file without."""
    number = dict(told.properties).get("signatures", "")
    if family in FAMILIES and number.isascii() and number.isdigit():
        return (family, int(number)) if int(number) else None
    return (CMS, 0) if _is_cms(path, found) else None


def subject(entry: Entry, form: str, counted: int, lookup: Lookup) -> Subject:
    """A file with what a detached signature would be about: `a.pdf` of `a.pdf.p7s`, else the one `a.…` of `a.p7s`."""
    if form != CMS:
        return Subject(entry, form, counted)
    stem = PackagePath(entry.path.rpartition(b".")[0])
    found = lookup(stem)
    if found is None:
        near = [one for end in _SIGNED for case in (end, end.upper()) if (one := lookup(PackagePath(stem + case)))]
        found = near[0] if len(near) == 1 else None
    return Subject(entry, form, counted, (("", found),) if found is not None and not found.is_folder else ())


def verify_all(
    tree: Tree, subjects: Iterable[Subject], trusted: Trusted, moment: datetime, lookup: Lookup, *, workers: int,
    scratch: Path, pool: Pool | None = None,
) -> Iterator[Verified]:  # fmt: skip
    """One result a file, not in order. SystemProblem when a file cannot be read.

    A file that hangs, crashes or eats memory costs its own result alone.
    """
    again: deque[Subject] = deque()
    waiting = iter(subjects)
    how = rules(trusted, moment)
    with _memory(trusted.pem) as handle:

        def tasks() -> Iterator[Task]:
            while (one := again.popleft() if again else next(waiting, None)) is not None:
                named = [uri for uri, _ in one.beside]
                args = (one.form, moment.isoformat(), how, one.counted, named)
                size = one.entry.size + sum(entry.size for _, entry in one.beside)
                yield Task(one, _opener(tree, one, handle, scratch), args, size)

        used = pool or shared(WORKERS, workers)
        first = True
        while first or again:
            first = False
            for result in used.map("pipeline.content.signatures.worker:verify", tasks(), scratch):
                one: Subject = result.key
                if isinstance(result.value, Failure):
                    yield _failed(one, result.value, how)
                    continue
                found = _beside(one, result.value["needs"], lookup)
                if found and not one.beside:
                    again.append(replace(one, beside=found))
                    continue
                signs = tuple(dict.fromkeys(entry.path for _, entry in one.beside))
                yield Verified(one.entry, tuple(_signature(each) for each in result.value["signatures"]), signs)


def _signature(value: Any) -> Signature:
    return Signature.read({key: str(text) for key, text in value.items()})


def _failed(one: Subject, failure: Failure, how: str) -> Verified:
    if isinstance(failure.cause, SystemProblem):
        raise failure.cause
    if failure.cause is not None and not isinstance(failure.cause, ContentDamage):
        raise SystemProblem("SYS-READ", file=shown(one.entry.path), cause=failure.cause)
    why = "the carrier is damaged" if failure.cause is not None else f"{failure.kind}: {failure.text}"[:300]
    return Verified(one.entry, (Signature(form=one.form.upper(), why=f"{_STOPPED}{line(why)}", rules=how),))


def rules(trusted: Trusted, moment: datetime) -> str:
    """How and when signatures are judged, as PREMIS says it of each."""
    at = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    by = ", ".join(f"{name} {version}" for name, version in tools().items())
    return f"judged offline at {at} by {by}; trust: {trusted.told}"


def _beside(one: Subject, needs: list[str], lookup: Lookup) -> tuple[tuple[str, Entry], ...]:
    """The files of the package that XML refers to, by its URIs; never one outside the package."""
    folder = one.entry.path.rpartition(b"/")[0]
    found: list[tuple[str, Entry]] = []
    for uri in needs:
        raw = unquote_to_bytes(uri.encode("utf-8", "surrogatepass"))
        if not raw or _SCHEME.match(raw) or raw.startswith(b"/") or b"\0" in raw or b"\\" in raw:
            continue
        path = posixpath.normpath(posixpath.join(folder, raw))
        entry = lookup(PackagePath(path)) if path not in (b".", b"..") and not path.startswith(b"../") else None
        if entry is not None and not entry.is_folder and len(found) < _MOST_BESIDE:
            found.append((uri, entry))
    return tuple(found)


class _memory:
    """The trust as an unnamed file in memory for workers to read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._handle = -1

    def __enter__(self) -> int:
        self._handle = os.memfd_create("trust")
        view = memoryview(self._data)
        while view:
            view = view[os.write(self._handle, view) :]
        os.fchmod(self._handle, 0o444)
        return self._handle

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _opener(tree: Tree, one: Subject, trusted: int, scratch: Path) -> Callable[[], tuple[int, ...]]:
    def opened() -> tuple[int, ...]:
        fds: list[int] = []
        try:
            fds.append(descriptor(tree, one.entry, scratch))
            fds.append(os.dup(trusted))
            for _, entry in one.beside:
                fds.append(descriptor(tree, entry, scratch))
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise
        return tuple(fds)

    return opened


def findings(path: PackagePath, signatures: Iterable[Signature]) -> Iterator[Finding]:
    """What a person should know about the signatures of a file."""
    for each in signatures:
        who = each.signer or "–"
        if each.integrity is Integrity.CHANGED:
            yield Finding("DSIG-CHANGED", path, expected=who, found=each.why)
        elif each.why.startswith(_STOPPED):
            yield Finding("DSIG-STOPPED", path, found=each.why.removeprefix(_STOPPED))
        elif each.integrity is Integrity.UNVERIFIABLE:
            yield Finding("DSIG-UNVERIFIABLE", path, expected=each.form, found=each.why)
        if each.trust is Trust.REVOKED:
            yield Finding("DSIG-REVOKED", path, expected=who, found=each.why)
        elif each.trust is Trust.EXPIRED:
            yield Finding("DSIG-EXPIRED", path, expected=f"{each.valid_from} – {each.valid_to}", found=who)
        elif each.trust is Trust.UNTRUSTED or (each.trust is Trust.UNKNOWN and each.integrity is Integrity.WHOLE):
            yield Finding("DSIG-UNTRUSTED", path, expected=who, found=each.why or each.issuer)
        if each.coverage is Coverage.PART:
            yield Finding("DSIG-PART", path, expected=who, found=each.covered)
        elif each.coverage is Coverage.UNKNOWN and each.integrity is Integrity.WHOLE:
            yield Finding("DSIG-UNVERIFIABLE", path, expected=each.form, found=each.covered)
        if each.later.startswith("content"):
            yield Finding("DSIG-LATER", path, expected=who, found=each.later)
        if each.stamp and not each.stamp.startswith((f"{Integrity.WHOLE}; {Trust.TRUSTED}", _STAMP_NO_ROOTS)):
            yield Finding("DSIG-TIMESTAMP", path, expected=who, found=each.stamp)
        if each.weak:
            yield Finding("DSIG-WEAK", path, expected=who, found=each.weak)


def outcome(signatures: Iterable[Signature]) -> Outcome:
    """Of all signatures of a file together, as PREMIS words it."""
    worst = Outcome.SUCCESS
    for one in signatures:
        if one.integrity is Integrity.CHANGED or one.trust is Trust.REVOKED or one.later.startswith("content"):
            return Outcome.FAIL
        whole = one.coverage in (Coverage.FILE, Coverage.REVISION)
        if one.integrity is not Integrity.WHOLE or one.trust is not Trust.TRUSTED or not whole or one.weak:
            worst = Outcome.WARNING
    return worst
