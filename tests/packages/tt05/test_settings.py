"""Each setting of a profile with two values: one by which a package has a finding, one by which it has not."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline.errors import UsageProblem
from pipeline.packages.tt05.settings import Tt05Settings, settings_of, with_values
from pipeline.settings import profile
from tests.packages.tt05.build import written
from tests.packages.tt05.fault import cut, edited, first, put, told
from tests.packages.tt05.fields import PROFILES
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.shape import ROOT, Shape, full, plain


@dataclass(frozen=True, slots=True)
class Case:
    """`heard` and `quiet` are values of the setting; `with_` are other settings that both have."""

    shape: Shape
    code: str
    heard: str
    quiet: str
    with_: tuple[str, ...] = ()


_OBJID = plain().objid
_TYPES = "tests/packages/tt05/types.tsv"
CASES: dict[str, Case] = {
    "strict": Case(edited((ROOT, 'TYPE="Mixed"', 'TYPE="AIP"'), type="AIP_hoso"), "TT05-MET-06", "true", "false"),
    "silent": Case(replace(full(), writes="tt05"), "TT05-MET-20", "", "TT05-MET-20, TT05-MET-31"),
    "required": Case(plain(), "TT05-EAD-03", "SIP_hoso.keyword", ""),
    "optional": Case(told(title=""), "TT05-EAD-03", "", "title"),
    "lengths": Case(told(title="Hồ sơ mười hai"), "TT05-EAD-05", "title:10", "title:1000"),
    "type_names": Case(first(typeName="40"), "TT05-DOC-04", "document_types", _TYPES),
    "language_separator": Case(told(language="01/02"), "TT05-EAD-06", ",", "/"),
    "code_separator": Case(told(fileCode="H01-99-2020-7"), "TT05-ID-02", ".", "-"),
    "aip_objid": Case(plain("AIP_hoso"), "TT05-MET-03", "urn:fonds", "urn:uuid"),
    "zip_name": Case(plain(archive_name=f"{_OBJID}.zip"), "TT05-ZIP-03", "ordinal-objid", "objid"),
    "zip_separator": Case(plain(archive_name=f"12_{_OBJID}.zip"), "TT05-ZIP-03", "", "_"),
    "data_name": Case(plain(), "TT05-LNK-03", "docCode", "docId"),
    "mets_schema": Case(plain(before=(cut("schemas/METS.xsd"),)), "TT05-STR-08", "METS.xsd", "mets1_12.xsd"),
    "root_note": Case(
        edited((ROOT, 'csip:NOTETYPE="SOFTWARE VERSION"', 'csip:NOTETYPE="OTHER"')),
        "TT05-MET-12", "SOFTWARE VERSION", "any",
    ),
    "mdtype": Case(replace(plain(), writes="tt05"), "TT05-MET-18", "letter", "practice"),
    "doc_ordinal": Case(first("AIP_hoso", docOrdinal="0000001"), "TT05-DOC-15", "unpadded", "number"),
    "dip_certificate_path": Case(
        plain("DIP", before=(put("documentation/huong-dan.pdf"),)),
        "TT05-DIP-01", "documentation/khac.pdf", "documentation/van_ban_xac_thuc.pdf",
    ),
    "partial_dates": Case(told(startDate="02/2020"), "TT05-EAD-09", "report", "accept"),
    "representations": Case(plain(before=(put("representations/rep2/data/a.txt"),)), "TT05-STR-05", "1", "2"),
    "receiver": Case(told(maintenance="02"), "TT05-EAD-12", "historical", "current"),
    "archive_body": Case(plain("AIP_hoso"), "TT05-ID-03", "H01.05", "H99.05"),
    "fonds_state": Case(plain("AIP_hoso"), "TT05-ID-04", "closed", "open", ("tt05.fonds=P001",)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_both_values(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    package = written(case.shape, tmp_path)
    heard = said(package, by_profile("tt05", (f"tt05.{name}={case.heard}", *case.with_)))
    quiet = said(package, by_profile("tt05", (f"tt05.{name}={case.quiet}", *case.with_)))
    assert case.code in heard.levels
    assert case.code not in quiet.levels


def test_any_number_of_representations(tmp_path: Path) -> None:
    package = written(plain(before=(put("representations/rep2/data/a.txt"),)), tmp_path)
    assert "TT05-STR-05" not in said(package, by_profile("tt05", ("tt05.representations=0",))).levels


def test_every_setting_has_its_test() -> None:
    elsewhere = {"pdfa", "signature", "fetch_encoding", "duplicate", "fonds"}
    assert set(CASES) | elsewhere == {one.name for one in dataclasses.fields(Tt05Settings)}


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_are_read(name: str) -> None:
    asked = profile(name)
    assert asked.accepts == ("tt05",) and asked.makes is None
    assert settings_of(asked).strict == (name == "tt05-strict")


def test_settings_of_no_profile_are_those_of_tt05() -> None:
    assert settings_of(None) == settings_of(profile("tt05")) == Tt05Settings()


@pytest.mark.parametrize(
    "pair",
    ["strict=true", "tt05.unknown=1", "tt05.strict", "tt05.strict=yes", "tt05.representations=-1", "tt05.lengths=title",
     "tt05.zip_name=any"],
)  # fmt: skip
def test_settings_that_cannot_be_understood(pair: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        with_values(profile("tt05"), (pair,))
    assert caught.value.code in ("USE-SET", "USE-SETTINGS-KEY")


def test_what_a_command_line_sets() -> None:
    made = settings_of(
        with_values(profile("tt05-strict"), ("tt05.required=keyword, SIP_hoso.format", "tt05.lengths=title:9"))
    )
    assert (made.strict, made.required, made.lengths) == (True, ("keyword", "SIP_hoso.format"), {"title": 9})
