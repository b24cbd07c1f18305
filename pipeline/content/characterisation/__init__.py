"""What each file of a package is technically, and whether it is whole: in the pool first, then by programs."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.content.characterisation import programs
from pipeline.content.characterisation.tables import family_of, line, ordered
from pipeline.content.identification import extension_of
from pipeline.content.reading import descriptor
from pipeline.content.validity import Judgement
from pipeline.content.validity.programs import CHECKERS, Subject, archival
from pipeline.content.validity.programs import judge as judge_by_program
from pipeline.errors import SystemProblem
from pipeline.pool import Failure, FailureKind, Pool, Task, shared
from pipeline.records import Characteristics, CreatingApplication, Finding, Format, Validity
from pipeline.tools.decoders import EXIFTOOL, MEDIAINFO, VERAPDF
from pipeline.tools.program import Program
from pipeline.tools.run import sandbox_state
from pipeline.tree import ContentDamage, Entry, Tree

WORKERS = ("pipeline.content.characterisation.worker",)
"""Modules that workers of this part hold ready."""

CHUNK = 48
"""So many files go through the pool and then through the programs together."""

_RAW = 32 << 10
_TEXT_FAMILY = "text"


@dataclass(frozen=True, slots=True)
class Subjected:
    """A file to be examined. `utf8` is what the one reading saw of its text, None when it was not looked at."""

    entry: Entry
    format: Format | None
    utf8: bool | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What one file came to. `checked` says what was looked at or is broken; `tools` name programs and libraries.

    `raw` are the programs' own words as JSON, for files that are not valid or on which two of them differ; else empty.
    `family` is empty when no reader or checker knows the format.
    """

    entry: Entry
    family: str
    characteristics: Characteristics
    validity: Validity
    checked: str
    findings: tuple[Finding, ...] = ()
    raw: str = ""


@dataclass(slots=True)
class _Work:
    """One file on its way."""

    subject: Subjected
    family: str
    answer: dict[str, Any]
    judgement: Judgement
    said: dict[str, programs.Said] = field(default_factory=dict)
    stopped: str = ""


def examine_all(
    tree: Tree, subjects: Iterable[Subjected], *, workers: int, scratch: Path, sandbox: str = "full",
    pool: Pool | None = None,
) -> Iterator[Examined]:  # fmt: skip
    """Examines files: one result each, not in order. `scratch` is left as it was.

    A file that hangs, crashes or eats memory costs its own result alone (`not checked`). Programs that are missing and
    a sandbox that does not work leave files `not checked`, with the reason. SystemProblem when a file cannot be read.
    """
    used = pool or shared(WORKERS, workers)
    able = sandbox_state(sandbox).works
    waiting: deque[tuple[list[_Work], contextlib.ExitStack, Future[None] | None]] = deque()
    threads = ThreadPoolExecutor(max(1, workers or 2), thread_name_prefix="programs")
    stream = iter(subjects)
    try:
        while chunk := list(islice(stream, CHUNK)):
            works: list[_Work] = []
            for subject in chunk:
                quick = without_opening(subject)
                if quick is not None:
                    yield quick
                else:
                    works.append(_Work(subject, _family(subject), {}, Judgement(Validity.NOT_CHECKED, "")))
            if not works:
                continue
            _through_pool(tree, works, used, scratch)
            waiting.append(_begun(tree, works, threads, scratch, sandbox, able))
            while len(waiting) > (workers or 2):
                yield from _ended(waiting.popleft())
        while waiting:
            yield from _ended(waiting.popleft())
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
        for _, held, _ in waiting:
            held.close()


def utf8_of(found: Format | None, eight_bit: bool) -> bool | None:
    """What the one reading saw of a text: `eight_bit` is whether it left the finding FMT-TEXT-8BIT."""
    return not eight_bit if found is not None and found.match == "text" else None


def without_opening(subject: Subjected) -> Examined | None:
    """The result of a file that the one reading has told enough about: text, empty, or no format of ours."""
    entry, found = subject.entry, subject.format
    family = _family(subject)
    if entry.size == 0:
        if family and family != _TEXT_FAMILY:
            finding = Finding("VAL-EMPTY", entry.path, expected=family)
            return Examined(entry, family, Characteristics(), Validity.INVALID, "0 bytes", (finding,))
        return Examined(entry, family, Characteristics(), Validity.NOT_CHECKED, "0 bytes")
    if not family:
        return Examined(entry, "", Characteristics(), Validity.NOT_CHECKED, "no checker for this format")
    if family != _TEXT_FAMILY:
        return None
    basis = found.basis if found else ""
    if "UTF-16" in basis or "UTF-32" in basis or subject.utf8 is None:
        return None
    if subject.utf8:
        return Examined(entry, family, Characteristics(), Validity.VALID, "text: UTF-8 throughout")
    told = "8-bit text whose encoding is not told"
    return Examined(entry, family, Characteristics(), Validity.NOT_CHECKED, told)


USED_FOR: dict[str, tuple[str, ...]] = {
    "pikepdf": ("pdf",),
    "qpdf": ("pdf",),
    "Pillow": ("jpeg", "png", "tiff", "gif", "jp2", "image"),
    VERAPDF.name: ("pdf",),
    "libxml2": ("xml", "ooxml", "odf"),
    "olefile": ("compound",),
    EXIFTOOL.name: programs.EXIF_FAMILIES,
    MEDIAINFO.name: programs.MEDIA_FAMILIES,
    "vips": ("jpeg", "tiff", "gif", "jp2"),
    "flac": ("flac",),
    "ffmpeg": ("mp4", "matroska"),
}
"""Which families each library and program has a part in."""


def tools(sandbox: str = "full", families: Collection[str] | None = None) -> dict[str, str]:
    """Everything that examines files (of these families), with its version: what is pinned for one ingest."""
    import olefile
    import pikepdf
    import PIL
    from lxml import etree

    known = {
        "pikepdf": pikepdf.__version__,
        "qpdf": pikepdf.__libqpdf_version__,
        "Pillow": PIL.__version__,
        "libxml2": ".".join(map(str, etree.LIBXML_VERSION)),
        "olefile": olefile.__version__,
    }
    if sandbox_state(sandbox).works:
        known |= {one.name: one.version or "" for one in (*outside(), VERAPDF) if one.fit}
    return {name: known[name] for name in sorted(known) if _concerns(name, families)}


def _concerns(tool: str, families: Collection[str] | None) -> bool:
    return families is None or not set(families).isdisjoint(USED_FOR[tool])


def outside() -> tuple[Program, ...]:
    """The programs that examine files, each in the sandbox; veraPDF is asked where a site has it, and not missed."""
    return (EXIFTOOL, MEDIAINFO, *CHECKERS.values())


def missing(sandbox: str = "full", families: Collection[str] | None = None) -> Iterator[Finding]:
    """A finding per program that files of these families miss, or one for a sandbox that does not work."""
    wanted = [one for one in outside() if _concerns(one.name, families)]
    state = sandbox_state(sandbox)
    if wanted and not state.works:
        yield Finding("VAL-NO-SANDBOX", found=f"{state.state}: {state.detail}")
        return
    for one in wanted:
        if not one.fit:
            least = ".".join(str(part) for part in one.minimum)
            yield Finding("VAL-NO-TOOL", expected=f"{one.name} {least}", found=one.version or "-")


def _family(subject: Subjected) -> str:
    return family_of(subject.format, extension_of(subject.entry.path))


def _through_pool(tree: Tree, works: Sequence[_Work], pool: Pool, scratch: Path) -> None:
    def tasks() -> Iterator[Task]:
        for work in works:
            entry = work.subject.entry
            yield Task(work, lambda entry=entry: (descriptor(tree, entry, scratch),), (work.family,), entry.size)  # type: ignore[misc]

    for result in pool.map("pipeline.content.characterisation.worker:examine", tasks(), scratch):
        work: _Work = result.key
        value = result.value
        if isinstance(value, Failure):
            if isinstance(value.cause, SystemProblem):
                raise value.cause
            if isinstance(value.cause, ContentDamage):
                work.judgement = Judgement(Validity.INVALID, "damaged inside its archive")
            elif value.kind is FailureKind.ERROR:
                work.judgement = Judgement(Validity.NOT_CHECKED, f"the reader stumbled: {value.text}")
                work.stopped = f"{value.kind}: {value.text}"
            else:
                work.judgement = Judgement(Validity.NOT_CHECKED, f"the reader was stopped: {value.kind}")
                work.stopped = f"{value.kind}: {value.text}"
            continue
        told = value["judgement"]
        work.judgement = Judgement(Validity(told["outcome"]), told["detail"], told["rest"])
        work.answer = value


def _begun(
    tree: Tree, works: list[_Work], threads: ThreadPoolExecutor, scratch: Path, sandbox: str, able: bool
) -> tuple[list[_Work], contextlib.ExitStack, Future[None] | None]:
    """Hands the files that programs have to see to a thread; they stay on disk until it is done."""
    held = contextlib.ExitStack()
    local: list[tuple[_Work, Path]] = []
    try:
        for work in works:
            claims = VERAPDF.fit and work.answer.get("claimed")
            asked = work.judgement.rest or claims or work.family in programs.EXIF_FAMILIES
            if work.stopped or work.answer.get("limit"):
                continue  # what overloads one reader is not given to the next
            if asked and able:
                local.append((work, held.enter_context(tree.local(work.subject.entry.path, scratch))))
            elif work.judgement.rest:
                work.judgement = replace(
                    work.judgement, outcome=Validity.NOT_CHECKED,
                    detail=f"{work.judgement.detail}; no sandbox for {work.judgement.rest}",
                )  # fmt: skip
    except BaseException:
        held.close()
        raise
    if not local:
        return works, held, None
    return works, held, threads.submit(_programs, local, scratch, sandbox)


def _programs(local: Sequence[tuple[_Work, Path]], scratch: Path, sandbox: str) -> None:
    for families, program, ask in (
        (programs.EXIF_FAMILIES, EXIFTOOL, programs.exiftool),
        (programs.MEDIA_FAMILIES, MEDIAINFO, programs.mediainfo),
    ):
        chosen = [(work, file) for work, file in local if work.family in families]
        if chosen and program.fit:
            answers = ask([file for _, file in chosen], scratch, sandbox)
            for (work, _), said in zip(chosen, answers, strict=True):
                if said is not None:
                    work.said[program.name] = said
    claiming = [(work, file) for work, file in local if work.answer.get("claimed")]
    if claiming and VERAPDF.fit:
        verdicts = archival([file for _, file in claiming], scratch, sandbox)
        for (work, _), verdict in zip(claiming, verdicts, strict=True):
            if verdict is not None:
                work.answer["properties"]["PDF/A check"], work.answer["archival"] = verdict
    for checker in CHECKERS:
        chosen = [(work, file) for work, file in local if work.judgement.rest == checker]
        subjects = [Subject(file, work.family, work.subject.entry.size, work.judgement) for work, file in chosen]
        if subjects:
            for (work, _), judgement in zip(chosen, judge_by_program(subjects, checker, scratch, sandbox), strict=True):
                work.judgement = replace(judgement, rest="")


def _ended(begun: tuple[list[_Work], contextlib.ExitStack, Future[None] | None]) -> Iterator[Examined]:
    works, held, future = begun
    with held:
        if future is not None:
            future.result()
    for work in works:
        yield _result(work)


def _result(work: _Work) -> Examined:
    entry, answer, judgement = work.subject.entry, work.answer, work.judgement
    told: dict[str, Any] = dict(answer.get("properties") or {})
    differing: list[str] = []
    for name, said in work.said.items():
        for key, value in said.properties.items():
            if told.get(key) in (None, "", False):
                told[key] = value
        if name == EXIFTOOL.name:
            differing = _differing(told, said.raw)
    creating = [CreatingApplication(*map(line, one)) for one in answer.get("creating") or ()]
    for said in work.said.values():
        creating += [CreatingApplication(*map(line, one)) for one in said.creating]
    characteristics = Characteristics(
        ordered(told),
        tuple(dict.fromkeys(one for one in creating if one.name)),
        tuple((line(kind), line(target)) for kind, target in answer.get("inhibitors") or ()),
    )
    raw = ""
    if (judgement.outcome is Validity.INVALID or differing) and work.said:
        own_words = {name: said.raw for name, said in work.said.items()}
        raw = json.dumps(own_words, ensure_ascii=False, sort_keys=True, indent=1)
    return Examined(
        entry, work.family, characteristics, judgement.outcome, line(judgement.detail),
        tuple(_findings(work, differing)), raw if len(raw) <= _RAW else "",
    )  # fmt: skip


def _differing(told: dict[str, Any], raw: Any) -> list[str]:
    """Where ExifTool reads another size of an image than Pillow did."""
    found = []
    for name, tag in (("image width", "ImageWidth"), ("image height", "ImageHeight")):
        own = told.get(name)
        others = {value for key, value in raw.items() if key.partition(":")[2] == tag and isinstance(value, int)}
        if isinstance(own, int) and others and own not in others:
            found.append(f"{name} {own}, ExifTool {min(others)}")
    return found


def _findings(work: _Work, differing: list[str]) -> Iterator[Finding]:
    path, family, judgement, answer = work.subject.entry.path, work.family, work.judgement, work.answer
    if answer.get("encrypted"):
        yield Finding("VAL-ENCRYPTED", path, found=line(judgement.detail))
    elif judgement.outcome is Validity.INVALID:
        yield Finding("VAL-INVALID", path, expected=_shown(work), found=line(judgement.detail))
    elif work.stopped or answer.get("limit"):
        yield Finding("VAL-STOPPED", path, expected=family, found=line(work.stopped or judgement.detail))
    elif judgement.outcome is Validity.NOT_CHECKED and "was stopped" in judgement.detail:
        yield Finding("VAL-STOPPED", path, expected=family, found=line(judgement.detail))
    if (answer.get("properties") or {}).get("PDF/A check") == "failed":
        yield Finding("VAL-PDFA", path, expected=f"PDF/A-{answer['claimed']}", found=line(answer["archival"]))
    if differing:
        yield Finding("VAL-DIFFERS", path, found=line("; ".join(differing)))


def _shown(work: _Work) -> str:
    found = work.subject.format
    return found.name if found is not None and found.puid is not None and found.name else work.family
