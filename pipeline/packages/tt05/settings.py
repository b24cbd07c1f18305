"""What an archive may set about packages of Circular 05/2025/TT-BNV (tt05-packages.md, 19), one frozen record."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.errors import UsageProblem
from pipeline.settings import Profile, checked


@dataclass(frozen=True, slots=True)
class Tt05Settings:
    """Defaults are those of profile `tt05`.

    `strict`: the letter of the text where practice differs. `silent`: codes that this profile does not report.
    `required`, `optional` (`element` or `SIP_hoso.element`) and `lengths` (element → code points) change the tables;
    `type_names` is a table of `schemas/tt05/` or a TSV file. `zip_name`, `zip_separator`: name of an archive.
    `data_name`: what the name of a data file must be made of. `mets_schema`: name that a METS schema must have.
    `root_note`: what the agent of the root METS must note. `mdtype`: which trio of mdRef attributes is right.
    `doc_ordinal`: whether leading zeros of docOrdinal are read. `partial_dates`: year or month in a SIP.
    `pdfa`, `signature`: weight of their rules, empty = the profile's levels. `representations`: how many, 0 = any.
    `fetch_encoding`: how blanks stand in a `.fetch.txt`. `duplicate`: what refuses a document of one submission.

    The rest is about one hand-over: `receiver`, `archive_body` (its code), `fonds_state` and `fonds` (its code);
    empty means nobody said.
    """

    strict: bool = False
    silent: tuple[str, ...] = ("TT05-MET-20", "TT05-MET-31", "TT05-EAD-20")
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    lengths: dict[str, int] = field(default_factory=dict)
    type_names: str = "document_types"
    language_separator: str = ","
    code_separator: str = "."
    aip_objid: Literal["any", "urn:uuid", "urn:fonds"] = "any"
    zip_name: Literal["ordinal-objid", "objid"] = "ordinal-objid"
    zip_separator: str = ""
    data_name: Literal["any", "docId", "docCode"] = "any"
    mets_schema: str = "METS.xsd"
    root_note: Literal["SOFTWARE VERSION", "any"] = "SOFTWARE VERSION"
    mdtype: Literal["practice", "letter"] = "practice"
    doc_ordinal: Literal["number", "unpadded"] = "number"
    dip_certificate_path: str = "documentation/van_ban_xac_thuc.pdf"
    partial_dates: Literal["report", "accept"] = "report"
    pdfa: Literal["", "warning", "block"] = ""
    signature: Literal["", "warning", "block"] = ""
    representations: int = 1
    fetch_encoding: Literal["percent", "raw"] = "percent"
    duplicate: Literal["bytes", "codes"] = "bytes"
    receiver: Literal["", "historical", "current"] = ""
    archive_body: str = ""
    fonds_state: Literal["", "open", "closed"] = ""
    fonds: str = ""


def settings_of(profile: Profile | None) -> Tt05Settings:
    """The settings of a profile; UsageProblem names a key that is unknown or has a wrong value."""
    return checked(Tt05Settings, profile.tt05, f"{profile.name} [tt05]") if profile else Tt05Settings()


def with_values(profile: Profile, pairs: tuple[str, ...]) -> Profile:
    """The profile with `tt05.KEY=VALUE` of a command line. Lists are written with commas, `lengths` as `element:N`."""
    values = dict(profile.tt05)
    types = typing.get_type_hints(Tt05Settings)
    for pair in pairs:
        key, equals, text = pair.partition("=")
        name = key.strip().removeprefix("tt05.")
        if not equals or not key.strip().startswith("tt05.") or name not in types:
            known = ", ".join(f"tt05.{one.name}" for one in dataclasses.fields(Tt05Settings))
            raise UsageProblem("USE-SET", value=pair, known=known)
        values[name] = _value(types[name], text.strip(), pair)
    made = dataclasses.replace(profile, tt05=values)
    settings_of(made)
    return made


def _value(wanted: Any, text: str, pair: str) -> Any:
    if wanted is bool:
        if text.lower() not in ("true", "false"):
            raise UsageProblem("USE-SET", value=pair, known="true, false")
        return text.lower() == "true"
    if wanted is int:
        if not text.isdecimal():
            raise UsageProblem("USE-SET", value=pair, known="0, 1, 2, …")
        return int(text)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if typing.get_origin(wanted) is tuple:
        return parts
    if typing.get_origin(wanted) is dict:
        pairs = [part.partition(":") for part in parts]
        if not all(number.strip().isdecimal() for _, _, number in pairs):
            raise UsageProblem("USE-SET", value=pair, known="element:N, …")
        return {name.strip(): int(number) for name, _, number in pairs}
    return text
