"""What each file of a package is technically, and whether it is whole: in the pool first, then by programs.

In an ingest a worker looks at a file in the one reading (`read_all`); what is left here are the programs, and files
whose examination was cut off.
"""

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
from pipeline.content.characterisation.tables import TEXT, family_of, line, ordered, told_by_reading
from pipeline.content.identification import extension_of, inforce
from pipeline.content.reading import EXAMINERS, descriptor
from pipeline.content.validity import Judgement
from pipeline.content.validity.programs import CHECKERS, Subject, archival
from pipeline.content.validity.programs import judge as judge_by_program
from pipeline.errors import SystemProblem
from pipeline.pool import Failure, FailureKind, Pool, Task, shared
from pipeline.records import Characteristics, CreatingApplication, Finding, Format, Level, Validity
from pipeline.tools import jhove
from pipeline.tools.decoders import EXIFTOOL, MEDIAINFO, VERAPDF
from pipeline.tools.program import Program
from pipeline.tools.run import sandbox_state
from pipeline.tree import ContentDamage, Entry, Tree

CHUNK = 48
"""So many files go through the pool and then through the programs together."""

_RAW = 32 << 10


@dataclass(frozen=True, slots=True)
class Subjected:
    """A file to be examined. `utf8` is what the one reading saw of its text, None when it was not looked at.

    `looked` is what a worker found in the same reading (`Learnt.looked`): the file is not opened here again.
    """

    entry: Entry
    format: Format | None
    utf8: bool | None = None
    looked: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What one file came to. `checked` says what was looked at or is broken; `asked` names the programs it needed.

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
    asked: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """One file on its way."""

    subject: Subjected
    family: str
    answer: dict[str, Any]
    judgement: Judgement
    said: dict[str, programs.Said] = field(default_factory=dict)
    stopped: str = ""
    asked: set[str] = field(default_factory=set)
    second: bool = False
    """Whether JHOVE has a say."""
    heard: jhove.Heard | None = None


def examine_all(
    tree: Tree, subjects: Iterable[Subjected], *, workers: int, scratch: Path, sandbox: str = "full",
    pool: Pool | None = None, second: bool = False,
) -> Iterator[Examined]:  # fmt: skip
    """Examines files: one result each, not in order. `scratch` is left as it was. `second`: JHOVE judges too.

    A file that hangs, crashes or eats memory costs its own result alone (`not checked`). Programs that are missing and
    a sandbox that does not work leave files `not checked`, with the reason. SystemProblem when a file cannot be read.
    """
    used = pool or shared((*inforce.pinned(), *EXAMINERS), workers)
    waiting: deque[tuple[list[_Work], contextlib.ExitStack, Future[None] | None]] = deque()
    threads = ThreadPoolExecutor(max(1, workers or 2), thread_name_prefix="programs")
    stream = iter(subjects)
    try:
        while chunk := list(islice(stream, CHUNK)):
            works: list[_Work] = []
            for subject in chunk:
                quick = without_opening(subject)
                if quick is None:
                    works.append(_Work(subject, _family(subject), {}, Judgement(Validity.NOT_CHECKED, "")))
                elif second and quick.family == TEXT and quick.validity is Validity.VALID:
                    works.append(_Work(subject, TEXT, {"text": True}, Judgement(Validity.VALID, quick.checked)))
                else:
                    yield quick
            if not works:
                continue
            for work in works:
                if work.subject.looked is not None and not work.answer:
                    _take(work, _answered(work.subject.looked))
            unseen = [work for work in works if work.subject.looked is None and not work.answer]
            _through_pool(tree, unseen, used, scratch)
            for work in works if second else ():
                work.second = work.family in jhove.MODULES and (work.family != TEXT or bool(work.answer.get("text")))
            waiting.append(_begun(tree, works, threads, scratch, sandbox))
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
        if family == TEXT:  # a text may be empty, though few are meant to be
            finding = Finding("VAL-EMPTY", entry.path, expected=family, level=Level.INFO)
            return Examined(entry, family, Characteristics(), Validity.NOT_CHECKED, "0 bytes", (finding,))
        if family:
            finding = Finding("VAL-EMPTY", entry.path, expected=family)
            return Examined(entry, family, Characteristics(), Validity.INVALID, "0 bytes", (finding,))
        return Examined(entry, family, Characteristics(), Validity.NOT_CHECKED, "0 bytes")
    if not family:
        return Examined(entry, "", Characteristics(), Validity.NOT_CHECKED, "no checker for this format")
    if not told_by_reading(family, found) or subject.utf8 is None:
        return None
    if subject.utf8:
        return Examined(entry, family, Characteristics(), Validity.VALID, "text: UTF-8 throughout")
    told = "8-bit text whose encoding is not told"
    return Examined(entry, family, Characteristics(), Validity.NOT_CHECKED, told)


USED_FOR: dict[str, tuple[str, ...]] = {
    "pikepdf": ("pdf",),
    "qpdf": ("pdf",),
    "Pillow": ("jpeg", "png", "tiff", "gif", "jp2", "image"),
    "libxml2": ("xml", "ooxml", "odf"),
    "olefile": ("compound",),
}
"""Which families each library has a part in; programs have one where a file asks for them."""


def libraries() -> dict[str, str]:
    """The libraries that examine files, with their versions."""
    import olefile
    import pikepdf
    import PIL
    from lxml import etree

    return {
        "pikepdf": pikepdf.__version__,
        "qpdf": pikepdf.__libqpdf_version__,
        "Pillow": PIL.__version__,
        "libxml2": ".".join(map(str, etree.LIBXML_VERSION)),
        "olefile": olefile.__version__,
    }


def versions(names: Collection[str], sandbox: str = "full") -> dict[str, str]:
    """Those of these programs that can be asked, with their versions."""
    chosen = [one for one in (*outside(), VERAPDF) if one.name in names]
    if not (chosen or jhove.NAME in names) or not sandbox_state(sandbox).works:
        return {}
    told = {one.name: one.version or "" for one in chosen if one.fit}
    return {**told, jhove.NAME: jhove.version() or ""} if jhove.NAME in names else told


def concerns(library: str, families: Collection[str]) -> bool:
    """Whether a library has a part in files of these families; programs are asked file by file."""
    return not set(families).isdisjoint(USED_FOR.get(library, ()))


def outside() -> tuple[Program, ...]:
    """The programs that examine files, each in the sandbox; veraPDF is asked where a site has it, and not missed."""
    return (EXIFTOOL, MEDIAINFO, *CHECKERS.values())


def missing(sandbox: str = "full", asked: Collection[str] | None = None) -> Iterator[Finding]:
    """A finding per program (of those asked for) that is missed, or one for a sandbox that does not work."""
    wanted = [one for one in outside() if asked is None or one.name in asked]
    if not wanted and jhove.NAME not in (asked or ()):
        return
    state = sandbox_state(sandbox)
    if not state.works:
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
        _take(result.key, result.value)


def _answered(looked: dict[str, Any]) -> dict[str, Any] | Failure:
    if "stopped" in looked:
        kind, text = looked["stopped"]
        return Failure(FailureKind(kind), text)
    answer: dict[str, Any] = looked["answer"]
    return answer


def _take(work: _Work, value: Any) -> None:
    """What a worker answered for a file, or died of."""
    if not isinstance(value, Failure):
        told = value["judgement"]
        work.judgement = Judgement(Validity(told["outcome"]), told["detail"], told["rest"])
        work.answer = value
    elif isinstance(value.cause, SystemProblem):
        raise value.cause
    elif isinstance(value.cause, ContentDamage):
        work.judgement = Judgement(Validity.INVALID, "damaged inside its archive")
    else:
        met = f"stumbled: {value.text}" if value.kind is FailureKind.ERROR else f"was stopped: {value.kind}"
        work.judgement = Judgement(Validity.NOT_CHECKED, f"the reader {met}")
        work.stopped = f"{value.kind}: {value.text}"


def _asked(work: _Work) -> set[str]:
    """Programs that have to see a file: what overloads one reader is not given to the next."""
    if work.stopped or work.answer.get("limit"):
        return set()
    asked = {work.judgement.rest} - {""}
    if work.family in programs.EXIF_FAMILIES and not work.answer.get("bare"):
        asked.add(EXIFTOOL.name)
    if work.family in programs.MEDIA_FAMILIES:
        asked.add(MEDIAINFO.name)
    if work.answer.get("claimed") and VERAPDF.fit:
        asked.add(VERAPDF.name)
    if work.second:
        asked.add(jhove.NAME)
    return asked


def _begun(
    tree: Tree, works: list[_Work], threads: ThreadPoolExecutor, scratch: Path, sandbox: str
) -> tuple[list[_Work], contextlib.ExitStack, Future[None] | None]:
    """Hands the files that programs have to see to a thread; they stay on disk until it is done."""
    held = contextlib.ExitStack()
    local: list[tuple[_Work, Path]] = []
    try:
        for work in works:
            work.asked = _asked(work)
            if work.asked and sandbox_state(sandbox).works:
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
    for checker in CHECKERS:
        chosen = [(work, file) for work, file in local if work.judgement.rest == checker]
        subjects = [Subject(file, work.family, work.subject.entry.size, work.judgement) for work, file in chosen]
        if subjects:
            for (work, _), judgement in zip(chosen, judge_by_program(subjects, checker, scratch, sandbox), strict=True):
                work.judgement = replace(judgement, rest="")
    for work, _ in local:
        if work.judgement.outcome is Validity.INVALID and work.family in programs.EXIF_FAMILIES:
            work.asked.add(EXIFTOOL.name)  # its words are kept with a broken file
    for families, program, ask in (
        (programs.EXIF_FAMILIES, EXIFTOOL, programs.exiftool),
        (programs.MEDIA_FAMILIES, MEDIAINFO, programs.mediainfo),
    ):
        chosen = [(work, file) for work, file in local if work.family in families and program.name in work.asked]
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
    if heard := [(work, file) for work, file in local if jhove.NAME in work.asked]:
        told = jhove.judge([(file, work.family) for work, file in heard], scratch, sandbox)
        for (work, _), one in zip(heard, told, strict=True):
            work.heard = one


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
    if work.heard is not None:
        told["JHOVE check"] = ": ".join(filter(None, (work.heard.outcome, work.heard.words)))
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
        tuple(_findings(work, differing)), raw if len(raw) <= _RAW else "", tuple(sorted(work.asked)),
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
    if work.heard is not None and work.heard.outcome == "failed":
        yield Finding("VAL-JHOVE", path, expected=_shown(work), found=line(work.heard.words))
    if differing:
        yield Finding("VAL-DIFFERS", path, found=line("; ".join(differing)))


def _shown(work: _Work) -> str:
    found = work.subject.format
    return found.name if found is not None and found.puid is not None and found.name else work.family
