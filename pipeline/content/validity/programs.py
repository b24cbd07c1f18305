"""Checks that only a decoder can make: programs in the sandbox, their words read rather than their exit codes alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.content.validity import Judgement
from pipeline.records import Validity
from pipeline.tools.batch import Call, Told, each, together
from pipeline.tools.decoders import FFMPEG, FLAC, VERAPDF
from pipeline.tools.program import Program, plain
from pipeline.tools.run import Bounds
from pipeline.tools.vips import VIPS

CHECKERS: dict[str, Program] = {"vips": VIPS, "flac": FLAC, "ffmpeg": FFMPEG}
"""Programs that a judgement may leave a file to, by `Judgement.rest`."""

SECONDS = 60.0
SECONDS_PER_MB = 1.0
MEMORY = 1 << 30

_LEVEL_CLAIMED = ("--flavour", "0", "--format", "json", "--maxfailuresdisplayed", "1")
_PAGED = ("tiff", "gif")
_UNABLE = re.compile(
    r"not configured|unsupported|not supported|not implemented|no loader|sorry|not a known (file )?format|cannot handle"
    r"|different (size|format|bands)|dimensions differ|out of order read|unable to (set|allocate)|bad palette",
    re.IGNORECASE,
)
_CODED = re.compile(
    r"VIPS-WARNING \*\*: [\d:.]+ (.*(?:length mismatch|premature eo|bad code|invalid code|not enough data).*)",
    re.IGNORECASE,
)
"""What libtiff reads over in fax codes and data that ends too early, and vips passes on as a mere warning."""

_MIXED = re.compile(r"page \d+ differs from page \d+")
_COUNTED = re.compile(r"pages (\d+)")
_MOST_MIXED = 500
_NOISE = re.compile(r"^\s*$|VIPS-WARNING|^\(vips:\d+\)")


@dataclass(frozen=True, slots=True)
class Subject:
    """A file on disk that a checker has to see; `first` is what was found so far."""

    local: Path
    family: str
    size: int
    first: Judgement


def judge(subjects: Sequence[Subject], checker: str, scratch: Path, sandbox: str) -> list[Judgement]:
    """The judgements of files whose `rest` is this checker, in the same order. One file's fault stays its own."""
    program = CHECKERS[checker]
    if not program.fit:
        least = ".".join(str(part) for part in program.minimum)
        why = f"{checker} {least} is not installed"
        return [_left(one, why) for one in subjects]
    seconds = max(SECONDS + SECONDS_PER_MB * one.size / 1e6 for one in subjects)
    calls = [Call(one.local, _arguments(checker, one.family), seconds) for one in subjects]
    answers = each(program, calls, scratch, Bounds(seconds, MEMORY, 64 << 20), sandbox=sandbox)
    return [
        _by_page(one, program, scratch, seconds, sandbox) if _MIXED.search(told.said) else _read(checker, one, told)
        for one, told in zip(subjects, answers, strict=True)
    ]


def _by_page(subject: Subject, program: Program, scratch: Path, seconds: float, sandbox: str) -> Judgement:
    """vips reads pages of different sizes or kinds one by one only."""
    counted = _COUNTED.search(subject.first.detail)
    pages = int(counted[1]) if counted else 1
    if pages > _MOST_MIXED:
        return _left(subject, f"{pages} pages of different kinds, limit {_MOST_MIXED}")
    calls = [Call(subject.local, ("avg", f"{{file}}[page={page},fail_on=warning]"), seconds) for page in range(pages)]
    done = Judgement(Validity.VALID, subject.first.detail)
    for page, told in enumerate(each(program, calls, scratch, Bounds(seconds, MEMORY, 64 << 20), sandbox=sandbox), 1):
        done = _read("vips", subject, told)
        if done.outcome is not Validity.VALID:
            return replace(done, detail=f"page {page}: {done.detail}")
    return done


def _left(subject: Subject, why: str) -> Judgement:
    return replace(subject.first, outcome=Validity.NOT_CHECKED, detail=f"{subject.first.detail}; {why}")


def archival(files: Sequence[Path], scratch: Path, sandbox: str) -> list[tuple[str, str] | None]:
    """What veraPDF says of PDF files by the conformance level that each claims: (`passed` or `failed`, broken clauses).

    None for a file of which it gave no verdict. One start for all files: a Java runtime takes seconds to begin.
    """
    bounds = Bounds(120 + 20 * len(files), MEMORY, 256 << 20)
    found: list[tuple[str, str] | None] = [None] * len(files)
    for text, numbers in together(VERAPDF, _LEVEL_CLAIMED, files, scratch, bounds, sandbox=sandbox):
        try:
            jobs = {Path(job["itemDetails"]["name"]).stem: job for job in json.loads(text)["report"]["jobs"]}
            for place, number in enumerate(numbers):
                found[number] = _verdict(jobs.get(str(place), {}))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # it said something else: no verdict
    return found


def _verdict(job: Mapping[str, Any]) -> tuple[str, str] | None:
    results = job.get("validationResult") or []
    if not results:
        return None
    if all(one["compliant"] for one in results):
        return "passed", ""
    rules = (rule for one in results for rule in one["details"]["ruleSummaries"])
    return "failed", ", ".join(dict.fromkeys(f"{rule['specification']} {rule['clause']}" for rule in rules))


def _arguments(checker: str, family: str) -> tuple[str, ...]:
    if checker == "vips":
        return ("avg", "{file}[n=-1,fail_on=warning]" if family in _PAGED else "{file}[fail_on=warning]")
    if checker == "flac":
        return ("-t", "-s", "-w", "{file}")
    return ("-v", "error", "-nostdin", "-xerror", "-i", "{file}", "-map", "0:v?", "-map", "0:a?", "-f", "null", "-")


def _read(checker: str, subject: Subject, told: Told) -> Judgement:
    """Silence and code 0 mean whole; for ffmpeg any word on standard error is a failure, whatever its code."""
    version = CHECKERS[checker].version or ""
    if told.why:
        return _left(subject, f"{checker} was stopped: {told.why}")
    words = " ".join(line.strip() for line in told.said.splitlines() if not _NOISE.search(line))
    words = plain(words.replace(told.shown, "the file"))[-400:]
    if checker == "vips" and not told.code and (overlooked := _CODED.search(told.said)):
        return Judgement(Validity.INVALID, f"vips: {overlooked[1]}")
    if told.code or (checker == "ffmpeg" and words):
        if _UNABLE.search(words):
            return _left(subject, f"{checker}: {words}")
        return Judgement(Validity.INVALID, f"{checker}: {words or f'exit {told.code}'}")
    return Judgement(Validity.VALID, f"{subject.first.detail}; decoded by {checker} {version}")
