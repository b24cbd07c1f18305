"""The table of requirements says what is checked, and the page made of it is current."""

from __future__ import annotations

import re

from pipeline.findings import codes
from pipeline.packages.eark.requirements import VERSIONS, Edition, edition, requirements
from pipeline.records import Level
from setup import eark_requirements


def test_the_page_is_current() -> None:
    assert eark_requirements.page() == eark_requirements.PAGE.read_text(encoding="utf-8")


def test_numbers_are_whole() -> None:
    """116 requirements of CSIP 2.2 (86, 87 and 115 are none), one of 2.0 alone, 16 of folders, 35, 7, 4 and 125."""
    found = {
        prefix: sum(re.fullmatch(rf"{prefix}\d+", number) is not None for number in requirements())
        for prefix in ("CSIPSTR", "CSIP", "SIP", "AIPM", "AIP", "DIP", "PM")
    }
    assert found == {"CSIPSTR": 16, "CSIP": 117, "SIP": 35, "AIPM": 7, "AIP": 17, "DIP": 4, "PM": 125}
    for one in requirements().values():
        assert set(one.levels) == set(VERSIONS)
        assert set(one.levels.values()) <= {"MUST", "SHOULD", "MAY", "-"}


def test_what_is_checked_has_a_code_and_a_test() -> None:
    sources = {
        name: (eark_requirements.PROJECT / "tests/packages" / name).read_text() for name in eark_requirements.TESTS
    }
    for one in requirements().values():
        if one.checked == "yes":
            assert one.id in codes(), one.id
            assert eark_requirements.tested(one.id, sources) != "–", one.id
        elif one.checked.startswith("with "):
            assert one.checked.removeprefix("with ") in codes()
        else:
            assert one.id not in codes(), one.id


def test_codes_with_numbers_are_requirements() -> None:
    numbered = [code for code in codes() if re.fullmatch(r"(CSIPSTR|CSIP|SIP|AIPM|AIP|DIP|PM)\d+", code)]
    assert [code for code in numbered if code not in requirements()] == []


def test_editions() -> None:
    sip = "https://earksip.dilcis.eu/profile/E-ARK-SIP"
    assert edition("eark-sip", f"{sip}-v2-2-0.xml").version == "2.2"
    assert edition("eark-sip", f"{sip}-v2-0-4.xml").version == "2.0"
    assert edition("eark-sip", f"{sip}.xml").version == "2.1"
    assert edition("eark-sip", f"{sip}-v2-9-0.xml").version == "2.2"
    assert edition("eark-sip", "nonsense") == edition("eark-sip", None) == Edition("eark-sip")
    assert edition("eark-sip", "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml") == Edition("eark-sip", "2.1", True)
    assert Edition("eark-sip", "2.1").weight("CSIP96") is Level.ERROR
    assert Edition("eark-sip", "2.2").weight("CSIP96") is None
    assert not Edition("eark-sip", "2.1").holds("CSIP86")
