"""Rules of PREMIS, of its E-ARK specification and of the AIP for the PREMIS documents of a package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import BinaryIO

from pipeline import digests
from pipeline.packages import Received
from pipeline.packages.eark import preservation
from pipeline.records import Finding, Level, PackagePath
from pipeline.standards import premis
from pipeline.standards.premis import AgentPart, EventPart, Identifier, Object, RightsPart
from pipeline.standards.vocabularies import loc

_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "crc32", "adler32")

_NAMED = re.compile(rb"messageDigestAlgorithm[^<>]{0,400}>\s{0,40}([A-Za-z0-9\-]{3,12})\s{0,40}<")
_WIDEST = 600

_DATE = re.compile(
    r"(?P<day>\d{4}(-\d\d(-\d\d)?)?)(?<=-\d\d-\d\d)T\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?([?~/%].*)?"
    r"|(?P<plain>\d{4}(-\d\d(-\d\d)?)?)([?~/%].*)?"
    r"|(?P<basic>\d{8})(T\d\d(\d\d(\d\d([.,]\d+)?)?)?(Z|[+-]\d\d(\d\d)?)?)?"
)
"""The beginning that a date of ISO 8601 or EDTF has in common."""


def algorithms(source: BinaryIO) -> Iterator[str]:
    """What a PREMIS document names as messageDigestAlgorithm and is computed, in the words of `digests.begin`.

    Found by its bytes, for speed; what is written otherwise than in letters (references to characters) is not seen.
    """
    before = b""
    while part := source.read(1 << 20):
        # UTF-16 holds the same letters with a zero byte beside each.
        part = before + part.replace(b"\0", b"")
        yield from (name for found in _NAMED.findall(part) if (name := _computed(found.decode())) is not None)
        before = part[-_WIDEST:]


def _computed(algorithm: str) -> str | None:
    name = algorithm.strip().lower().replace("-", "")
    return name if name in _ALGORITHMS else None


class PremisRules:
    """Feed it the parts of all PREMIS documents of a package, then ask `unresolved`. Never raises on content.

    Memory: one number for each identifier of an object, event or rights statement.
    """

    def __init__(self, received: Received, archival: bool = True) -> None:
        """`archival`: the rules of an AIP, in which nothing may lead out of the package."""
        self._received = received
        self._archival = archival
        self._outward = None if archival else Level.WARNING
        self._known: dict[str, set[int]] = {"object": set(), "event": set(), "rights": set()}
        self._open: dict[str, set[int]] = {"object": set(), "event": set(), "rights": set()}
        self._agents: set[Identifier] = set()
        self._asked: dict[Identifier, int] = {}

    def begin(self) -> None:
        """A new document: agents are described where they are named (AIP18)."""
        self._agents = set()
        self._asked = {}

    def see(self, file: PackagePath, part: premis.Part) -> Iterator[Finding]:
        """Findings of one part."""
        self._note(part)
        if isinstance(part, Object):
            yield from self._object(file, part)
        elif isinstance(part, EventPart):
            yield from self._event(file, part)
        elif isinstance(part, AgentPart):
            self._agents.update(part.identifiers)
            if not (part.name or "").strip():
                yield Finding("PM73", file, part.line)
            if not (part.type or "").strip():
                yield Finding("PM74", file, part.line)
            else:
                yield from _term(file, part.line, "agentType", part.type or "")
        else:
            if not part.basis.strip():
                yield Finding("PM98", file, part.line)
            else:
                yield from _term(file, part.line, "rightsBasis", part.basis)
            if part.act is not None:
                yield from _term(file, part.line, "eventType", part.act)
                if part.start is not None and not part.start.strip():
                    yield Finding("PM123", file, part.line)
            for pair in part.linked_agents:
                self._asked.setdefault(pair, part.line)

    def end(self, file: PackagePath) -> Iterator[Finding]:
        """The document is over: all agents it names are described in it."""
        for pair, line in self._asked.items():
            if pair not in self._agents and pair.type.strip() and pair.value.strip():
                yield Finding("AIP18" if self._archival else "PM87", file, line, None, _shown(pair))

    @property
    def open(self) -> bool:
        """Whether some link led nowhere; then the documents are fed to `unresolved` once more."""
        return any(asked - self._known[what] for what, asked in self._open.items())

    def unresolved(self, file: PackagePath, part: premis.Part) -> Iterator[Finding]:
        """Links of a part that lead nowhere in the package."""
        for what, pair, code in _links(part):
            # An identifier without type or value (PM61 and its like) leads nowhere for that reason.
            if hash(pair) not in self._known[what] and pair.type.strip() and pair.value.strip():
                yield Finding(code, file, part.line, None, _shown(pair), self._outward)

    def _note(self, part: premis.Part) -> None:
        if isinstance(part, Object):
            self._known["object"].update(hash(pair) for pair in part.identifiers)
        elif isinstance(part, EventPart):
            self._known["event"].add(hash(part.identifier))
        elif isinstance(part, RightsPart):
            self._known["rights"].add(hash(part.identifier))
        for what, pair, _ in _links(part):
            key = hash(pair)
            if key not in self._known[what]:
                self._open[what].add(key)

    def _object(self, file: PackagePath, part: Object) -> Iterator[Finding]:
        codes = {premis.ENTITY: ("PM4", "PM5"), premis.REPRESENTATION: ("PM16", "PM17"), premis.FILE: ("PM30", "PM31")}
        if part.category in codes:
            yield from _whole(file, part.line, part.identifiers, *codes[part.category])
        for kind, _ in part.properties:
            if not kind.strip():
                yield Finding("PM19", file, part.line)
        for relation in part.relationships:
            yield from _term(file, part.line, "relationshipType", relation.type)
            yield from _term(file, part.line, "relationshipSubType", relation.subtype)
        if part.category != premis.FILE:
            return
        if not part.fixity:
            yield Finding("PM33", file, part.line)
        path = preservation.path_of(part.identifiers)
        entry = self._received.entry(path) if path is not None else None
        if path is None:
            return
        if entry is None or entry.is_folder:
            yield Finding("PREMIS-FILE", file, part.line, None, _shown(part.identifiers[-1]), self._outward)
            return
        if part.size is not None and part.size.strip() != str(entry.size):
            yield Finding("PREMIS-SIZE", path, None, part.size, str(entry.size))
        for algorithm, digest in part.fixity:
            name = _computed(algorithm)
            actual = self._received.digest(path, name) if name is not None else None
            if name is not None and actual is not None and not digests.agrees(name, digest, actual):
                yield Finding("PM35", path, None, digest, actual)

    def _event(self, file: PackagePath, part: EventPart) -> Iterator[Finding]:
        yield from _whole(file, part.line, (part.identifier,), "PM82", "PM83")
        if not part.type.strip():
            yield Finding("PM84", file, part.line)
        else:
            yield from _term(file, part.line, "eventType", part.type)
        if not _is_date(part.when.strip()):
            yield Finding("PM85", file, part.line, None, part.when)
        if not (part.outcome or "").strip():
            yield Finding("PM86", file, part.line)
        else:
            yield from _term(file, part.line, "eventOutcome", part.outcome or "")
        if not part.agents:
            yield Finding("AIP16" if self._archival else "PM87", file, part.line, None, part.identifier.value)
        for pair, roles in part.agents:
            self._asked.setdefault(pair, part.line)
            for role in roles:
                yield from _term(file, part.line, "eventRelatedAgentRole", role)
        for _, roles in part.objects:
            for role in roles:
                yield from _term(file, part.line, "eventRelatedObjectRole", role)


def _is_date(text: str) -> bool:
    """Whether a text begins as a date does, and its day is one of the calendar."""
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    day = (found["day"] or found["plain"] or found["basic"]).replace("-", "")
    try:
        date(int(day[:4]) or 4, int(day[4:6] or 1), int(day[6:8] or 1))
    except ValueError:
        return False
    return True


def _links(part: premis.Part) -> Iterator[tuple[str, Identifier, str]]:
    """(what, pair, code) of each link of a part to an object, event or rights statement."""
    if isinstance(part, Object):
        for relation in part.relationships:
            for pair in relation.objects:
                yield "object", pair, "PM60"
            for pair in relation.events:
                yield "event", pair, "PM63"
        for pair in part.linked_events:
            yield "event", pair, "PREMIS-LINK"
        for pair in part.linked_rights:
            yield "rights", pair, "PM66"
    elif isinstance(part, EventPart):
        for pair, _ in part.objects:
            yield "object", pair, "PM90"
    elif isinstance(part, AgentPart):
        for pair in part.linked_rights:
            yield "rights", pair, "PM77"
    else:
        for pair in part.linked_objects:
            yield "object", pair, "PREMIS-LINK"


def _whole(
    file: PackagePath, line: int, pairs: Iterable[Identifier], type_code: str, value_code: str
) -> Iterator[Finding]:
    for pair in pairs:
        if not pair.type.strip():
            yield Finding(type_code, file, line)
        if not pair.value.strip():
            yield Finding(value_code, file, line)


def _term(file: PackagePath, line: int, vocabulary: str, term: str) -> Iterator[Finding]:
    if term not in loc(vocabulary):
        yield Finding("PREMIS-TERM", file, line, vocabulary, term)


def _shown(pair: Identifier) -> str:
    return f"{pair.type}: {pair.value}"
