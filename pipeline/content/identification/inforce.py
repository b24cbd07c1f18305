"""Which signatures the engines load: those that come with us, or later ones that an archive has taken in.

An ingest is pinned to those that were in force when it began. Sets are never changed or removed once they are kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.errors import SystemProblem
from pipeline.settings import checked
from pipeline.workspace import Workspace, durable, write_json

NAME = "pipeline.content.identification.inforce"
ENDINGS = {"fido": ".json.xz", "siegfried": ".sig"}
SHIPPED = "V125"
"""PRONOM's version of the set for fido that comes with us; a kept one that is older is no longer in force."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """One set that was taken in. `version` as opinions tell it (`V126, container 20260119`), `source` file names.

    `formats` and `signatures` are counts, 0 where an engine does not tell them; `added` RFC 3339.
    """

    engine: str
    sha256: str
    version: str
    formats: int
    signatures: int
    source: str
    added: str

    @property
    def file(self) -> str:
        """Its name in the folder of the sets."""
        return self.sha256 + ENDINGS[self.engine]


@dataclass(frozen=True, slots=True)
class Pin:
    """SHA-256 of the set of each engine; empty: the one that comes with us."""

    fido: str = ""
    siegfried: str = ""

    def text(self) -> str:
        """As it is kept in a ledger."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def of(cls, text: str) -> Pin:
        """What `text` gave."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Sets:
    """`in-force.json`: all kept sets in order of taking in, and which of them are in force."""

    format: int = _FORMAT
    fido: str = ""
    siegfried: str = ""
    sets: tuple[Kept, ...] = ()

    def current(self, engine: str) -> Kept | None:
        """The kept set in force; None: ours."""
        chosen = {"fido": self.fido, "siegfried": self.siegfried}[engine]
        found = next((one for one in self.sets if (one.engine, one.sha256) == (engine, chosen)), None)
        if found is not None and engine == "fido" and number(found.version) < number(SHIPPED):
            return None
        return found

    @property
    def pin(self) -> Pin:
        """What an ingest that begins now is pinned to."""
        named = {engine: found.sha256 for engine in ENDINGS if (found := self.current(engine))}
        return Pin(**named)


def number(version: str) -> int:
    """126 of `V126, container …`; 0 where there is none."""
    found = re.match(r"V(\d+)", version)
    return int(found[1]) if found else 0


def sets(space: Workspace) -> Sets:
    """What is kept and in force. SystemProblem when the note cannot be read."""
    file = space.signatures / "in-force.json"
    if not file.exists():
        return Sets()
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError) as problem:
        raise SystemProblem("SYS-READ", file=file, cause=problem) from problem
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        found = values.get("format") if isinstance(values, dict) else None
        raise SystemProblem("SYS-FORMAT", what=file, found=found, known=_FORMAT)
    return checked(Sets, values, str(file))


def activate(space: Workspace, new: Kept, data: bytes) -> None:
    """Keeps a set and puts it in force: from the moment the note is renamed every new process loads it."""
    space.signatures.mkdir(exist_ok=True, mode=0o700)
    file = space.signatures / new.file
    if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != new.sha256:
        with durable(file) as out:
            out.write(data)
    held = sets(space)
    others = tuple(one for one in held.sets if (one.engine, one.sha256) != (new.engine, new.sha256))
    chosen = {new.engine: new.sha256}
    write_json(space.signatures / "in-force.json", asdict(replace(held, sets=(*others, new), **chosen)))  # type: ignore[arg-type]


def preload(space: Workspace, pin: Pin) -> tuple[str, ...]:
    """What workers have to load first for these signatures; nothing for ours.

    SystemProblem SYS-SIGNATURES when a set is gone or its bytes are not what they were.
    """
    files: dict[str, str] = {}
    for engine, sha256 in asdict(pin).items():
        if sha256:
            file = space.signatures / (sha256 + ENDINGS[engine])
            try:
                found = hashlib.sha256(file.read_bytes()).hexdigest()
            except OSError as problem:
                raise SystemProblem("SYS-SIGNATURES", file=file, cause=problem.strerror or problem) from problem
            if found != sha256:
                raise SystemProblem("SYS-SIGNATURES", file=file, cause=f"SHA-256 {found}")
            files[engine] = str(file)
    return (f"{NAME}={json.dumps(files, sort_keys=True)}",) if files else ()


_pinned: ContextVar[tuple[str, ...]] = ContextVar("pinned", default=())


def use(space: Workspace, pin: Pin) -> None:
    """From here on this thread's identification goes by these signatures."""
    _pinned.set(preload(space, pin))


def pinned() -> tuple[str, ...]:
    """What `use` said last in this thread, for workers to load."""
    return _pinned.get()


@dataclass(frozen=True, slots=True)
class Given:
    """Signatures that this process was given: bytes for fido, a file for siegfried; None: ours."""

    packed: bytes | None = None
    sig: Path | None = None


_given = Given()


def given() -> Given:
    """What engines of this process load by default."""
    return _given


def prepare(argument: str = "{}") -> None:
    """Called before engines are made, in the process that workers are forked from; `argument` as `preload` wrote it."""
    global _given
    files = json.loads(argument)
    packed = Path(files["fido"]).read_bytes() if "fido" in files else None
    _given = Given(packed, Path(files["siegfried"]) if "siegfried" in files else None)
