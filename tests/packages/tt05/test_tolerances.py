"""What is read although it is not as the annexes have it: each tolerance is told by one code, and by nothing beside."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packages.tt05.build import build, written
from tests.packages.tt05.fault import cut, edited, put, rename
from tests.packages.tt05.judged import by_profile, said
from tests.packages.tt05.pdfs import born
from tests.packages.tt05.shape import DATA, REP, ROOT, UUID, Shape, plain

NOTE = "documentation/hướng dẫn.txt"
NFD = unicodedata.normalize("NFD", NOTE)
CSIP = b"https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
NAMESPACE = b'xmlns="http://www.loc.gov/METS/" '


def of_mets(change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda path, data: change(data) if path.endswith("METS.xml") else data


def _utf16(data: bytes) -> bytes:
    return data.decode().replace("UTF-8", "UTF-16").encode("utf-16")


def _upper_rep() -> tuple[Callable[[dict[str, bytes]], None], ...]:
    return tuple(rename(name, name.replace("rep1", "REP1")) for name in build(plain()).files if "/rep1/" in name)


CASES: dict[str, tuple[Shape, dict[str, str]]] = {
    "csip in small letters": (plain(rewrite=of_mets(lambda data: data.replace(CSIP, CSIP.lower().replace(
        b"xml/mets/csipextensionmets", b"XML/METS/CSIPExtensionMETS")))), {"TT05-MET-30": "info"}),
    "file in other letters": (
        plain(after=(rename(f"{DATA}H99.01.2020.7.1.pdf", f"{DATA}h99.01.2020.7.1.PDF"),)), {"TT05-STR-10": "info"}
    ),
    "name not composed, in a folder": (plain(before=(put(NOTE),), after=(rename(NOTE, NFD),)), {"TT05-STR-10": "info"}),
    "name not composed, in a zip": (
        plain(before=(put(NOTE),), after=(rename(NOTE, NFD),), archive_name=f"1uuid-{UUID}.zip"),
        {"TT05-ZIP-05": "warning"},
    ),
    "package folder in other letters": (plain(folder=f"uuid-{UUID.lower()}"), {"TT05-STR-10": "info"}),
    "METS in small letters": (plain(after=(rename("METS.xml", "mets.xml"),)), {"TT05-STR-10": "info"}),
    "representation in capitals": (plain(after=_upper_rep()), {"TT05-STR-10": "info"}),
    "UTF-16": (plain(rewrite=of_mets(_utf16)), {}),
    "label of the sum wrong": (
        edited((REP, 'CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="SHA-512"')), {"TT05-FIX-03": "warning"}
    ),
    "no namespace, AIP": (
        plain("AIP_hoso", rewrite=of_mets(lambda data: data.replace(NAMESPACE, b""))), {"TT05-MET-33": "warning"}
    ),
    "no namespace, SIP": (
        plain("SIP_hoso", rewrite=of_mets(lambda data: data.replace(NAMESPACE, b""))), {"TT05-MET-02": "error"}
    ),
    "class of the sample of Annex V": (
        edited((ROOT, 'OAISPACKAGETYPE="DIP"', 'OAISPACKAGETYPE="SIP"'), type="DIP"), {"TT05-MET-05": "error"}
    ),
    "one more file without a description": (
        plain(before=(put(f"{DATA}khac.pdf", born("khác")),)), {"TT05-LNK-01": "error"}
    ),
    "no label MetadataLink/File": (
        edited((REP, 'LABEL="MetadataLink/File"', 'LABEL="File"')), {"TT05-MET-26": "error"}
    ),
    "no OBJID": (edited((ROOT, f' OBJID="uuid-{UUID}"', "")), {"TT05-MET-03": "error"}),
    "DOCTYPE": (
        plain(rewrite=of_mets(lambda data: data.replace(b"?>\n", b"?>\n<!DOCTYPE mets []>\n", 1))),
        {"TT05-MET-01": "error"},
    ),
    "no METS.xsd but the other name": (plain(before=(cut("schemas/METS.xsd"),)), {"TT05-STR-08": "warning"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_code_tells_of_it(name: str, tmp_path: Path) -> None:
    shape, expected = CASES[name]
    assert said(written(shape, tmp_path), by_profile("tt05")).levels == expected
