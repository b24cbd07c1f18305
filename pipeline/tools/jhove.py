"""JHOVE, a second judge of validity that a site may switch on: a Java runtime and jars that are ours to know.

The jars are those of `requirements/jhove.sha256`, brought by `make install-jhove`; others are refused. Its own command
is not among them, so a class of ours calls its modules (`java/README.md`). JHOVE is LGPL-2.1 or later and runs as a
process of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.errors import SystemProblem
from pipeline.settings import PROJECT
from pipeline.tools.batch import INSIDE, together
from pipeline.tools.program import Program, plain
from pipeline.tools.run import Bounds

NAME: Final = "jhove"
INSTALL: Final = "make install-jhove"
JAVA: Final = Program(
    "java", ("-version",), r'version "(?:1\.)?(\d+(?:\.\d+)*)', (17,), "default-jre-headless", "SYS-TOOL-JHOVE"
)
MODULES: Final[Mapping[str, str]] = {
    "pdf": "PdfModule", "tiff": "TiffModule", "jpeg": "JpegModule", "jp2": "Jpeg2000Module", "gif": "GifModule",
    "wave": "WaveModule", "aiff": "AiffModule", "xml": "XmlModule", "text": "Utf8Module",
}  # fmt: skip
"""Its module by family; of text, where it is UTF-8."""

JARS: Final = PROJECT / ".judges" / "jhove"
_SUMS: Final = PROJECT / "requirements" / "jhove.sha256"
_CALLER: Final = Path(__file__).with_name("java") / "jhove-judge.jar"
_CORE: Final = "jhove-core-"

SECONDS: Final = 20.0
SECONDS_PER_MB: Final = 1.0
_START: Final = 30.0
_HEAP: Final = "512m"
_MEMORY: Final = 1 << 30
_OUTPUT: Final = 64 << 20
_SHOWN: Final = 400
_CLOSED: Final = ("-Djavax.xml.accessExternalDTD=", "-Djavax.xml.accessExternalSchema=")
"""No file of this machine for the parser of XML, in whichever sandbox."""

_ELSEWHERE: Final = re.compile(
    r"access is not allowed due to restriction|File (?:not found|cannot be read): |Failed to read "
)
"""What the XML module says of a document that asks for something beside itself."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What JHOVE came to for one file: `valid`, `well-formed` (no more can be told: XML without a schema), `failed`, or
    `not checked`. `words`: JHOVE's own where it failed, else why it came to nothing."""

    outcome: str
    words: str = ""


def version() -> str | None:
    """Version of JHOVE's core, None where it cannot be asked."""
    return None if lacking() else next((name for name in map(_version, _sums()) if name), None)


def lacking(jars: Path | None = None) -> str:
    """What is missing or wrong of it; empty where it can be asked."""
    if not JAVA.fit:
        return f"java {JAVA.minimum[0]} ({JAVA.version or '-'})"
    return _wrong(jars or JARS)


def needed() -> None:
    """SystemProblem, which says how to get it, unless it can be asked."""
    if why := lacking():
        raise SystemProblem("SYS-JHOVE", cause=why, install=INSTALL)


def judge(files: Sequence[tuple[Path, str]], scratch: Path, sandbox: str, *, seconds: float = SECONDS) -> list[Heard]:
    """What it says of (file, family), in the same order, by one start for all; a file's fault stays its own.

    A file gets `seconds` and SECONDS_PER_MB; a module that is at work longer is left behind, and the next file begun.
    """
    times = [seconds + SECONDS_PER_MB * file.stat().st_size / 1e6 for file, _ in files]
    before = [f"{MODULES[family]},{max(1, round(time))}" for (_, family), time in zip(files, times, strict=True)]
    names = [*_sums(), _CALLER.name]
    beside = {**{name: JARS / name for name in _sums()}, _CALLER.name: _CALLER}
    arguments = [
        f"-Xmx{_HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Duser.language=en",
        *_CLOSED, "-cp", ":".join(INSIDE + name for name in names), "Jhove",
    ]  # fmt: skip
    bounds = Bounds(_START + sum(times), _MEMORY, _OUTPUT)
    found = [Heard("not checked", "JHOVE was stopped") for _ in files]
    answers = together(JAVA, arguments, [file for file, _ in files], scratch, bounds, sandbox=sandbox, before=before,
                       beside=beside)  # fmt: skip
    for text, numbers in answers:
        for line in text.splitlines():
            parts = line.split("\t")
            if len(parts) == 6 and parts[0].isdecimal() and int(parts[0]) < len(numbers):
                number = numbers[int(parts[0])]
                found[number] = _heard(parts, files[number][1])
    return found


def _heard(parts: Sequence[str], family: str) -> Heard:
    _, how, well_formed, valid, _, said = parts
    words = plain(said.replace(INSIDE, "")).rstrip("; ")[:_SHOWN]
    if how != "seen":
        why = {"time": "it took too long", "memory": "it needs too much memory"}.get(how, f"JHOVE stumbled: {words}")
        return Heard("not checked", why)
    if family == "xml" and _ELSEWHERE.search(words):
        return Heard("not checked", "it asks for a DTD, a schema or an entity, and nothing is fetched")
    if well_formed != "1":
        return Heard("failed", f"not well-formed: {words}" if words else "not well-formed")
    if valid == "0":
        return Heard("failed", f"well-formed, not valid: {words}" if words else "well-formed, not valid")
    return Heard("valid" if valid == "1" else "well-formed")


def _version(jar: str) -> str:
    return jar.removeprefix(_CORE).removesuffix(".jar") if jar.startswith(_CORE) else ""


@cache
def _sums() -> dict[str, str]:
    """Digest by name of jar."""
    lines = (line.split() for line in _SUMS.read_text("ascii").splitlines())
    return {name: digest for digest, name in lines}


def _wrong(jars: Path) -> str:
    for name, digest in _sums().items():
        try:
            if hashlib.sha256((jars / name).read_bytes()).hexdigest() != digest:
                return f"{name}: SHA-256"
        except OSError:
            return name
    return ""
