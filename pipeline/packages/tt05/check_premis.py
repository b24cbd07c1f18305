"""Rules of PREMIS: PRM-01 to -11. Both documents of a package count as one for identifiers, events and agents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from pipeline.packages.tt05.files import REP
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import REP_BASE, Document, Package
from pipeline.packages.tt05.reading.premis import whole_premis
from pipeline.standards import premis
from pipeline.standards.premis import AgentPart, EventPart, Identifier, Object
from pipeline.standards.vocabularies import loc
from pipeline.standards.xml import Unreadable, validate_xsd
from pipeline.tree import ContentDamage

SCHEMA: Final = "premis-v3-0.xsd"
CREATION: Final = "information package creation"
TRANSFER: Final = "transfer"
_ROLES: Final = frozenset(("source", "outcome"))


@dataclass(slots=True)
class _File:
    """A data file as the METS of rep1 names it, and whether PREMIS describes it."""

    path: bytes
    checksum: str
    algorithm: str
    data: bool
    seen: bool = False


@dataclass(slots=True)
class _Memory:
    """What is remembered from one document to the other: hashes of identifiers, events by type, agents."""

    objects: set[int] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    agents: set[Identifier] = field(default_factory=set)
    asked: dict[Identifier, tuple[bytes, int, str]] = field(default_factory=dict)
    whole: bool = True


class PremisRules:
    """Sees the documents for one thing, whether any is digitised; PREMIS is read at the end, streamed."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found
        self._digitised = package.ead_values.get("confidenceLevel") in ("02", "03")
        self._memory = _Memory()

    def see(self, document: Document) -> None:
        self._digitised = self._digitised or document.values.get("confidenceLevel") == "02"

    def end(self) -> None:
        package, found, memory = self._package, self._found, self._memory
        paths = [path for path in (package.premis_path, package.rep_premis_path) if path is not None]
        if package.type.of == "SIP" or not paths:
            return
        if package.type.of == "AIP" and len(paths) < 2:
            memory.whole = False  # STR-11 or -12 says so; nobody knows what the absent file tells
        files, keys = self._named()
        for path in paths:
            read = self._document(path, keys if path == package.rep_premis_path else {})
            if read and path == package.rep_premis_path:
                for file in files:
                    if not file.seen:
                        found.add("TT05-PRM-04", file.path)
        for agent, (path, line, name) in memory.asked.items():
            if agent not in memory.agents:
                found.add("TT05-PRM-09", path, line=line, found=name)
        if memory.whole and CREATION not in memory.events:
            found.add("TT05-PRM-06", paths[0], expected=CREATION)
        if memory.whole and self._digitised and TRANSFER not in memory.events:
            found.add("TT05-PRM-08", paths[0], expected=TRANSFER)

    def _named(self) -> tuple[list[_File], dict[str, _File]]:
        """Data files by all that an object may call them: ID of METS, path below rep1 or the package, name."""
        package = self._package
        files: list[_File] = []
        keys: dict[str, _File] = {}
        names: dict[str, _File | None] = {}
        for one in package.rep.files():
            group = package.rep.group_of(one)
            use = group.use.strip().lower() if group is not None else ""
            path = package.resolve(one.href, REP_BASE)
            if path is None or use not in ("data", "holeyfile"):
                continue
            file = _File(path, (one.checksum or "").strip().lower(), _plain(one.checksum_type), use == "data")
            files.append(file)
            text = path.decode("utf-8", "surrogateescape")
            for key in (one.id, text, text[len(REP) :], (one.href or "").strip().removeprefix("./")):
                keys.setdefault(key, file)
            name = text.rpartition("/")[2]
            names[name] = None if name in names else file
        for name, known in names.items():
            if known is not None:
                keys.setdefault(name, known)
        keys.pop("", None)
        return files, keys

    def _document(self, path: bytes, keys: dict[str, _File]) -> bool:
        """One PREMIS document; whether it could be read to its end."""
        package = self._package
        try:
            with package.files.open(path) as source, whole_premis(source, package.scratch) as (made, mended):
                if mended:
                    self._found.add("TT05-PRM-02", path)
                self._valid(path, made)
                made.seek(0)
                parts = 0
                for part in premis.read(made):
                    self._part(path, part, keys)
                    parts += 1
        except Unreadable as problem:
            self._found.add("TT05-PRM-01", path, line=problem.line, found=problem.message)
        except (KeyError, ContentDamage):
            pass  # its bytes are damaged, which the fixity says
        else:
            if parts:
                return True
            # nothing of it is PREMIS 3, which PRM-01 says
        self._memory.whole = False
        return False

    def _valid(self, path: bytes, made: BinaryIO) -> None:
        for line, message in validate_xsd(made, SCHEMA):
            self._found.add("TT05-PRM-01", path, line=line, found=message)

    def _part(self, path: bytes, part: premis.Part, keys: dict[str, _File]) -> None:
        if isinstance(part, Object):
            self._object(path, part, keys)
        elif isinstance(part, EventPart):
            self._event(path, part)
        elif isinstance(part, AgentPart):
            self._memory.agents.update(map(_trimmed, part.identifiers))

    def _object(self, path: bytes, part: Object, keys: dict[str, _File]) -> None:
        for pair in part.identifiers:
            key = hash((pair.type.strip(), pair.value.strip()))
            if key in self._memory.objects:
                self._found.add("TT05-PRM-03", path, line=part.line, found=f"{pair.type}: {pair.value}")
            self._memory.objects.add(key)
        if part.category != premis.FILE:
            return
        file = next((keys[name] for name in _called(part) if name in keys), None)
        if file is None:
            return
        file.seen = True
        told = {_plain(algorithm): digest.strip().lower() for algorithm, digest in part.fixity}
        if not any(told.values()):
            self._found.add("TT05-PRM-04", file.path)
        elif file.checksum and file.algorithm in told and told[file.algorithm] != file.checksum:
            self._found.add("TT05-PRM-05", file.path, found=told[file.algorithm], expected=file.checksum)
        if file.data and not any(form.key.strip() for form in part.formats):
            self._found.add("TT05-PRM-11", file.path)

    def _event(self, path: bytes, part: EventPart) -> None:
        kind = part.type.strip()
        self._memory.events.add(kind.lower())
        name = f"{kind} ({part.identifier.value})"
        if kind not in loc("eventType"):
            self._found.add("TT05-PRM-10", path, line=part.line, found=kind)
        roles = {role.strip().lower() for _, told in part.objects for role in told}
        if kind.lower() in (CREATION, TRANSFER) and not roles >= _ROLES:
            self._found.add("TT05-PRM-07", path, line=part.line, found=name, expected=", ".join(sorted(_ROLES)))
        if not part.agents:
            self._found.add("TT05-PRM-09", path, line=part.line, found=name)
        for agent, _ in part.agents:
            self._memory.asked.setdefault(_trimmed(agent), (path, part.line, name))


def _called(part: Object) -> Iterator[str]:
    """What an object may be called, likeliest first."""
    for pair in part.identifiers:
        yield pair.value.strip()
    if part.original_name:
        yield part.original_name.strip()


def _trimmed(pair: Identifier) -> Identifier:
    return Identifier(pair.type.strip(), pair.value.strip())


def _plain(algorithm: str | None) -> str:
    """`sha256` for `SHA-256`."""
    return (algorithm or "").strip().lower().replace("-", "")
