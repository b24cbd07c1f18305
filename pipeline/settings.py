"""What an archive asks, read from TOML into records that refuse unknown keys."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.workspace import Workspace, write_json

PROJECT = Path(__file__).resolve().parent.parent
"""Folder that holds `profiles/` and `schemas/`."""

FORMAT = 1
"""Number of the form of settings, profiles and `stores.json`."""

MAX_FILES_PER_AIP = 100_000
"""Files of one submission that become one AIP, where a profile says nothing else."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets over all levels of one package; sizes in bytes."""

    files: int = 1_000_000
    bytes: int = 2 * 1024**4
    ratio: int = 200
    depth: int = 64
    path_bytes: int = 4096
    max_files_per_aip: int = MAX_FILES_PER_AIP


@dataclass(frozen=True, slots=True)
class Profile:
    """What one archive asks of packages. Without `makes` it serves `validate` only."""

    name: str
    accepts: tuple[str, ...]
    format: int = 1
    makes: str | None = None
    copies: int = 2
    sites: int = 1
    allow_fetch: bool = False
    normalise: bool = True
    rules: str = "default"
    levels: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    tt05: dict[str, Any] = field(default_factory=dict)
    """What is asked of packages of Circular 05/2025/TT-BNV; the record with the meaning lies with that kind."""

    def canonical(self) -> bytes:
        """The effective profile as bytes: what is stored in the AIP and digested. Says nothing of what is not set."""
        values = asdict(self)
        if not self.tt05:
            del values["tt05"]
        if self.limits.max_files_per_aip == MAX_FILES_PER_AIP:
            del values["limits"]["max_files_per_aip"]
        return json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()


@dataclass(frozen=True, slots=True)
class Settings:
    """`luutru.toml`. `workers` 0 = as many as cores; `big` in bytes: from here a package gets a flow run of its own."""

    format: int = 1
    archive: str | None = None
    organisation: str = ""
    contact: str = "luutru@localhost"
    workers: int = 0
    big: int = 1024**3
    audit_cron: str = "0 2 * * *"
    audit_days: int = 90
    sandbox: str = "full"
    jhove: bool = False
    """Whether JHOVE judges the validity of files as well."""
    trust_roots: tuple[str, ...] = ()
    """Files and folders of root certificates and CRLs; relative ones lie beside the settings file."""


@dataclass(frozen=True, slots=True)
class StoreSetting:
    """One store as this installation knows it. `endpoint` and `aws_profile` for S3 only; no secret lies here."""

    name: str
    url: str
    endpoint: str | None = None
    aws_profile: str | None = None
    credentials_file: str | None = None
    verify: str = "read"
    capabilities: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Household:
    """`stores.json` of a data folder: the archive's id, this writer's id, the stores in order of adding."""

    format: int = 1
    archive: str | None = None
    writer: str = ""
    stores: tuple[StoreSetting, ...] = ()

    def store(self, name: str) -> StoreSetting:
        for setting in self.stores:
            if setting.name == name:
                return setting
        raise UsageProblem("USE-STORE-UNKNOWN", store=name, known=", ".join(s.name for s in self.stores) or "-")


def read(kind: type[T], file: Path) -> T:
    """The record in a TOML file; UsageProblem names file and key when a key is unknown or a value is wrong."""
    import tomllib

    try:
        with file.open("rb") as source:
            values = tomllib.load(source)
    except FileNotFoundError:
        raise UsageProblem("USE-SETTINGS-MISSING", file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageProblem("USE-SETTINGS-SYNTAX", file=file, cause=problem) from None
    except OSError as problem:
        raise SystemProblem("SYS-READ", file=file, cause=problem.strerror or problem) from problem
    return checked(kind, values, str(file))


def checked(kind: type[T], values: object, where: str) -> T:
    """The record with these values; unknown keys and wrong types are refused, `where` is named."""
    if isinstance(exact := _exact(kind, values), kind):
        return exact
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_python(values)  # type: ignore[no-any-return, arg-type]
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "-"
        raise UsageProblem("USE-SETTINGS-KEY", file=where, key=key, cause=first["msg"]) from None


_ODD = object()


def _exact(hint: Any, value: object) -> Any:
    """The value as `hint` asks where it has just these types; _ODD for all else, of which pydantic says what it is.

    Loading pydantic and building its checks takes a tenth of a second; what people and we write is nearly always right.
    """
    import dataclasses
    import types
    import typing

    if hint is Any or (hint in (str, int, bool, float, None) and type(value) is (type(None) if hint is None else hint)):
        return value
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        found = (_exact(None if part is type(None) else part, value) for part in parts)
        return next((one for one in found if one is not _ODD), _ODD)
    if origin is tuple and parts[1:] == (Ellipsis,) and type(value) is list:
        items = tuple(_exact(parts[0], one) for one in value)
        return _ODD if any(one is _ODD for one in items) else items
    if origin is dict and type(value) is dict:
        made = {_exact(parts[0], key): _exact(parts[1], one) for key, one in value.items()}
        return _ODD if _ODD in made or any(one is _ODD for one in made.values()) else made
    if not (dataclasses.is_dataclass(hint) and isinstance(hint, type)) or type(value) is not dict:
        return _ODD
    hints = _hints(hint)
    if hasattr(hint, "__post_init__") or not value.keys() <= hints.keys():
        return _ODD
    members = {name: _exact(hints[name], one) for name, one in value.items()}
    lacking = {
        one.name for one in dataclasses.fields(hint) if one.default is one.default_factory is dataclasses.MISSING
    }
    return _ODD if lacking - value.keys() or any(one is _ODD for one in members.values()) else hint(**members)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    import typing

    return typing.get_type_hints(kind)


@cache
def _adapter(kind: type[Any]) -> Any:
    from pydantic import ConfigDict, TypeAdapter, with_config

    _forbid(kind, lambda one: with_config(ConfigDict(extra="forbid"))(one))
    return TypeAdapter(kind)


def _forbid(kind: type[Any], mark: Any) -> None:
    """Marks a dataclass and the ones it holds so that unknown keys are refused."""
    import dataclasses
    import typing

    mark(kind)
    for hint in typing.get_type_hints(kind).values():
        for part in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(part) and isinstance(part, type):
                _forbid(part, mark)


def settings(space: Workspace) -> Settings:
    """Settings of this installation; defaults when there is no file, but a named file must exist."""
    import os

    file = space.settings_file
    if not file.exists() and not os.environ.get("LUUTRU_CONFIG"):
        return Settings()
    found = read(Settings, file)
    _known(found.format, file)
    if found.archive is not None:
        try:
            uuid.UUID(found.archive)
        except ValueError:
            raise UsageProblem("USE-SETTINGS-KEY", file=file, key="archive", cause="UUID") from None
    return found


def profile(name: str) -> Profile:
    """A profile by name (`profiles/NAME.toml`) or by path of a TOML file."""
    file = Path(name) if name.endswith(".toml") else PROJECT / "profiles" / f"{name}.toml"
    if not file.exists():
        known = ", ".join(sorted(p.stem for p in (PROJECT / "profiles").glob("*.toml")))
        raise UsageProblem("USE-PROFILE-UNKNOWN", profile=name, known=known)
    found = read(Profile, file)
    _known(found.format, file)
    return found


def _known(number: int, file: Path) -> None:
    """Refuses a file of a later form than this version knows."""
    if number != FORMAT:
        raise SystemProblem("SYS-FORMAT", what=file, found=number, known=FORMAT)


def household(space: Workspace) -> Household:
    """What this data folder knows of archive and stores; an empty one when nothing was added yet."""
    file = space.household_file
    if not file.exists():
        return Household()
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError) as problem:
        raise SystemProblem("SYS-READ", file=file, cause=problem) from problem
    if not isinstance(values, dict) or values.get("format") != 1:
        found = values.get("format") if isinstance(values, dict) else None
        raise SystemProblem("SYS-FORMAT", what=file, found=found, known=1)
    return checked(Household, values, str(file))


def keep_household(space: Workspace, new: Household) -> None:
    """Writes `stores.json`, whole or not at all, for its owner alone."""
    write_json(space.household_file, asdict(new), mode=0o600)


def ensure_archive(space: Workspace, offered: str | None = None) -> Household:
    """The household with an archive id and a writer id: settings first, then `offered` (of a store), else drawn."""
    held = household(space)
    configured = settings(space).archive
    if held.archive and configured and held.archive != str(uuid.UUID(configured)):
        raise SystemProblem("SYS-ARCHIVE-ID", what=space.settings_file, found=configured, expected=held.archive)
    if held.archive and held.writer:
        return held
    archive = held.archive or (str(uuid.UUID(configured)) if configured else None) or offered or str(uuid.uuid4())
    writer = held.writer or uuid.uuid4().hex[:16]
    new = Household(1, archive, writer, held.stores)
    keep_household(space, new)
    return new
