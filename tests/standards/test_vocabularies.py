"""Terms and media types come from data."""

from __future__ import annotations

import pytest

from pipeline.standards.vocabularies import OCTETS, authority, eark, is_media_type, loc, media_type


@pytest.mark.parametrize(
    ("vocabulary", "count"),
    [
        ("eventType", 50), ("eventOutcome", 3), ("eventRelatedAgentRole", 4), ("eventRelatedObjectRole", 2),
        ("agentType", 4),
        ("relationshipType", 6), ("relationshipSubType", 27), ("rightsBasis", 5), ("cryptographicHashFunctions", 4),
    ],
)  # fmt: skip
def test_vocabularies_are_whole(vocabulary: str, count: int) -> None:
    assert len(loc(vocabulary)) == count
    assert len(set(loc(vocabulary).values())) == count


def test_terms_carry_their_address() -> None:
    base = "http://id.loc.gov/vocabulary/preservation/"
    assert authority("eventType", "fixity check") == {
        "authority": "eventType", "authorityURI": f"{base}eventType", "valueURI": f"{base}eventType/fix",
    }  # fmt: skip
    assert authority("eventType", "fixity") == {}


def test_eark_terms_keep_their_spelling() -> None:
    assert "Photographs – Digital" in eark("content category")
    assert "Musical Scores - Digital" in eark("content category")
    assert eark("status") == {"CURRENT", "SUPERSEDED"}


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("text/plain", "text/plain"), ("text/plain; charset=utf-8", "text/plain"), ("IMAGE/TIFF", "image/tiff"),
        ("application/vnd.ms-PowerPoint", "application/vnd.ms-powerpoint"), ("audio/x-wav", OCTETS), ("", OCTETS),
        ("nonsense", OCTETS), ("application/x-dvi", OCTETS), (OCTETS, OCTETS), ("text/xml", "text/xml"),
        ("application/pdf", "application/pdf"),
    ],
)  # fmt: skip
def test_media_types(said: str, written: str) -> None:
    assert media_type(said) == written
    assert is_media_type(written)
