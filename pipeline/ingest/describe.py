"""Describe: the ledger's facts become the rows of an AIP, the kind that the profile makes writes them down."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

from pipeline import VERSION
from pipeline.content.normalisation import rules
from pipeline.ingest.events import agents, events, normalization
from pipeline.ingest.session import Session, session
from pipeline.ingest.tokens import Described, Normalised
from pipeline.ledger import SUBMISSION, WORK, LedgerRows
from pipeline.names import Namer, portable, shown
from pipeline.packages import Composer, Generated
from pipeline.packages.registry import KINDS
from pipeline.records import (
    AipIdentity,
    Characteristics,
    Description,
    FileRow,
    Origin,
    PackagePath,
    Placement,
    Reading,
    Representation,
    Right,
    Use,
)
from pipeline.settings import PROJECT
from pipeline.workspace import now, rfc3339

BATCH = 1000
AIP_FOLDER = "aip"
"""Folder of the work folder that holds what we made, under its logical paths."""

_SCHEMAS = ("mets.xsd", "xlink.xsd", "xml.xsd", "premis-v3-0.xsd", "DILCISExtensionMETS.xsd", "oai_dc.xsd", "dc.xsd")


def describe(token: Normalised) -> Described:
    """METS, PREMIS, descriptions and documentation of ours lie in the work folder; every file of the AIP is a row."""
    current = session(token)
    ledger = current.ledger
    uuid = _fact(current, "aip")
    if ledger.begin("describe", rfc3339(now())):
        ledger.clear_aip()
        shutil.rmtree(current.work / AIP_FOLDER, ignore_errors=True)
        kind = KINDS[_fact(current, "kind")]
        reading = kind.read(current.tree, ledger)
        received = datetime.fromisoformat(_fact(current, "receive.begin"))
        title = " ".join(reading.title.split())[:500] or uuid
        identity = AipIdentity(uuid, 1, title, "Mixed", received, received)
        ledger.keep(label=title)
        named = _namer(current)
        ours = _representations(current, reading, named)
        _received_files(current, received, reading, named)
        _derivatives(current, ours)
        _own_files(current, received)
        ledger.add_descriptions(reading.description_rows or (Description(None, (("title", title),)),))
        ledger.add_agents((*reading.agents, *agents(current)))
        ledger.add_rights(chain(reading.rights, (_policy(),)))
        ledger.add_events((*reading.events, *events(current)))
        composer = KINDS[token.profile.makes or "eark-aip"]
        assert isinstance(composer, Composer)
        made = composer.compose(LedgerRows(ledger, identity), current.work / AIP_FOLDER)
        _generated(current, made, received)
        ledger.keep(**{"describe.end": rfc3339(now())})
    return Described(token.space, token.profile, token.package, token.work, uuid, 1)


def _representations(current: Session, reading: Reading, named: Namer) -> dict[str, str]:
    """Rows of what arrived and of what holds our derivatives; the name of the latter by that of its source."""
    rows = list(reading.representations) or [Representation("rep1")]
    names = {row.name for row in rows}
    place = KINDS[_fact(current, "kind")].place
    made = current.ledger.derivatives()
    origins = {_representation(place(source), named) for source, line in made if line.made}
    ours: dict[str, str] = {}
    for name in sorted(names):
        if name in origins:
            ours[name] = preservation(name, {*names, *ours.values()})
    rows += [Representation(ours[name], (), name) for name in ours]
    current.ledger.add_representations(rows)
    current.ledger.keep(made_representations=json.dumps(sorted(ours.values())))
    return ours


def _namer(current: Session) -> Namer:
    place = KINDS[_fact(current, "kind")].place
    return Namer(lambda: (place(entry.path).target for entry in current.ledger.entries()))


def _representation(placement: Placement, named: Namer) -> str | None:
    """The representation a file belongs to, as its folder is called after names were made portable."""
    if placement.representation is None:
        return None
    return named(placement.target).split(b"/")[1].decode()


def preservation(representation: str, taken: Collection[str] = ()) -> str:
    """Name of the representation that holds what we made of another one's files; one that did not arrive."""
    number = 1
    while True:
        more = f"-{number}" if number > 1 else ""
        # As long a name as a folder may have becomes a shorter one, told apart by its digest.
        name = portable(PackagePath(f"{representation}-preservation{more}".encode())).decode()
        if name not in taken:
            return name
        number += 1


def _received_files(current: Session, received: datetime, reading: Reading, named: Namer) -> None:
    """A row per file that arrived, at a portable place that nobody else has."""
    ledger = current.ledger
    place = KINDS[_fact(current, "kind")].place
    known = ledger.known()
    files, size = ledger.totals()
    done = 0
    while chunk := list(islice(known, BATCH)):
        current.check_stop()
        batch: list[tuple[FileRow, str, bytes]] = []
        for entry, sha256, found, mime in chunk:
            placement = place(entry.path)
            path = named(placement.target)
            origin = reading.origins.get(path, Origin())
            told = ledger.examination(entry.path)
            row = FileRow(
                path=path, size=entry.size, sha256=sha256, use=placement.use, mime=mime, created=received,
                representation=_representation(placement, named), original_name=entry.path, format=found,
                derived_from=origin.source, derived_by=origin.event, modified=_moment(entry.mtime_ns),
                metadata=origin.metadata,
                characteristics=told.characteristics if told is not None else Characteristics(),
            )  # fmt: skip
            batch.append((row, SUBMISSION, entry.path))
            if told is not None and told.raw:
                batch.append(_words_of_tools(current, row, told.raw))
        ledger.add_files(batch)
        done += len(batch)
        current.progress("describe", done, files, 0, size)


def _derivatives(current: Session, ours: Mapping[str, str]) -> None:
    """A row per verified derivative, in the representation beside its source's, under its source's name."""
    ledger = current.ledger
    taken: set[bytes] = set()
    for source, line in ledger.derivatives():
        row = ledger.file_of(source) if line.made else None
        if row is None or row.representation is None:
            continue
        here = f"representations/{row.representation}/".encode()
        there = f"representations/{ours[row.representation]}/".encode()
        extension = line.extension.encode()
        target = portable(PackagePath(row.path.replace(here, there, 1) + extension))
        if target in taken:
            mark = hashlib.sha256(source + b"\0" + line.result.encode()).hexdigest()[:8].encode()
            target = portable(PackagePath(row.path.replace(here, there, 1) + b"~" + mark + extension))
        taken.add(target)
        made = FileRow(
            path=target, size=line.size, sha256=line.sha256, use=Use.DATA, mime=line.mime, created=line.when,
            representation=ours[row.representation], format=line.format, derived_from=row.path,
            derived_by=normalization(row, line),
        )  # fmt: skip
        ledger.add_files([(made, WORK, line.at.encode())])


def _words_of_tools(current: Session, row: FileRow, raw: str) -> tuple[FileRow, str, bytes]:
    """A row for what programs said of a file that is not whole, or on which they differ."""
    content = json.dumps({"file": shown(row.path), "tools": json.loads(raw)}, ensure_ascii=False, indent=1) + "\n"
    name = f"documentation/luutru/tools/{hashlib.sha256(row.path).hexdigest()[:32]}.json"
    return _own(current.work / AIP_FOLDER, name, content.encode(), Use.DOCUMENTATION, "application/json", row.created)


def _own_files(current: Session, received: datetime) -> None:
    """Schemas, the effective profile and a reading help: what every AIP of ours carries."""
    folder = current.work / AIP_FOLDER
    rows = []
    for name in _SCHEMAS:
        rows.append(_own(folder, f"schemas/{name}", (PROJECT / "schemas" / "xsd" / name).read_bytes(), Use.SCHEMA,
                         "application/xml", received))  # fmt: skip
    rows.append(_own(folder, "documentation/luutru/profile.json", current.request.profile.canonical(),
                     Use.DOCUMENTATION, "application/json", received))  # fmt: skip
    if applied := _rules_applied(current):
        rows.append(_own(folder, "documentation/luutru/rules.json", applied, Use.DOCUMENTATION, "application/json",
                         received))  # fmt: skip
    rows.append(_own(folder, "documentation/luutru/README.txt", _README.encode(), Use.DOCUMENTATION, "text/plain",
                     received))  # fmt: skip
    current.ledger.add_files(rows)


def _rules_applied(current: Session) -> bytes:
    """The rules of normalisation that were about files of this package, as JSON; nothing when none was."""
    named = {line.rule for _, line in current.ledger.derivatives()}
    if not named:
        return b""
    known = rules(current.request.profile.rules).rules
    applied = [asdict(rule) for rule in known if rule.reference in named]
    return json.dumps(applied, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _own(folder: Path, path: str, content: bytes, use: Use, mime: str, created: datetime) -> tuple[FileRow, str, bytes]:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    row = FileRow(PackagePath(path.encode()), len(content), digest, use, mime, created)
    return row, WORK, f"{AIP_FOLDER}/{path}".encode()


def _generated(current: Session, made: Iterator[Generated], received: datetime) -> None:
    """What the kind composed becomes rows too, so that the inventory knows it."""
    while chunk := list(islice(made, BATCH)):
        current.ledger.add_files(
            (
                FileRow(one.path, one.size, one.sha256, one.use, "application/xml", received),
                WORK,
                bytes(one.local.relative_to(current.work)),
            )
            for one in chunk
        )


def _policy() -> Right:
    """PREMIS wants a statement that lets us do what we do; here it rests on the archive's own policy."""
    return Right(
        "policy", "institutional policy", "replication",
        basis_note="The archive keeps and migrates what was transferred to it.",
    )  # fmt: skip


def _moment(mtime_ns: int | None) -> datetime | None:
    if mtime_ns is None:
        return None
    try:
        return datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _fact(current: Session, key: str) -> str:
    value = current.ledger.fact(key)
    if value is None:
        raise AssertionError(f"the ledger lacks {key}")
    return value


_README = f"""Gói lưu trữ này do luutru {VERSION} lập theo E-ARK AIP 2.2.0.
This archival information package was made by luutru {VERSION} after E-ARK AIP 2.2.0.

METS.xml                     danh mục gói · what the package holds
representations/NAME/data    tệp nhận được · the files as received
representations/NAME-preservation   bản bảo quản · preservation copies, each related to its source in PREMIS
metadata/preservation        PREMIS 3: nguồn gốc, sự kiện · provenance, events
documentation/submission     tệp kèm theo hồ sơ nộp · what came with the submission
documentation/luutru         quy tắc đã áp dụng · the profile that was in force, the rules of normalisation applied
documentation/luutru/tools   lời của công cụ về tệp không hợp lệ · what tools said of files that are not valid

Kiểm tra · to check: every file element of a METS.xml carries SHA-256 and size.
"""
