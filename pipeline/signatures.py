"""What a digital signature came to: integrity, trust and coverage, kept apart, with who signed and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar


class Integrity(StrEnum):
    """Whether the bytes that a signature covers are those that were signed."""

    WHOLE = "whole"
    CHANGED = "changed"
    UNVERIFIABLE = "unverifiable"


class Trust(StrEnum):
    """Whether the signer's certificate led to a configured root at the time that counts."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    EXPIRED = "outside its validity"
    REVOKED = "revoked"
    NO_ROOTS = "no roots configured"
    UNKNOWN = "not judged"


class Coverage(StrEnum):
    """How much of its file a signature covers; what a later part of a PDF changed is told beside it."""

    FILE = "whole file"
    REVISION = "earlier revision"
    PART = "part"
    UNKNOWN = "not judged"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature or time-stamp of a file, judged once at intake; the three results are kept apart.

    `form` names the standard (`PAdES`, `XAdES`, `CMS` …). `covered` says what is signed where that is not all, `later`
    what came behind it in a PDF, `why` what stood against integrity or trust. `value` and `certificate` are base64;
    times are ISO 8601: `claimed` by the signer, `stamped` by a time-stamp that holds. `weak` are algorithms no longer
    to be relied on, `rules` how and when it was judged. Empty is what is not known.
    """

    form: str = ""
    integrity: Integrity = Integrity.UNVERIFIABLE
    trust: Trust = Trust.UNKNOWN
    coverage: Coverage = Coverage.UNKNOWN
    covered: str = ""
    later: str = ""
    why: str = ""
    signer: str = ""
    issuer: str = ""
    serial: str = ""
    valid_from: str = ""
    valid_to: str = ""
    revocation: str = ""
    method: str = ""
    weak: str = ""
    claimed: str = ""
    stamped: str = ""
    stamp: str = ""
    value: str = ""
    certificate: str = ""
    rules: str = ""

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Signature:
        """The record of what `dataclasses.asdict` gave; words of others that are none of ours count as not known."""
        judged: dict[str, Any] = {
            "integrity": _known(Integrity, value.get("integrity"), Integrity.UNVERIFIABLE),
            "trust": _known(Trust, value.get("trust"), Trust.UNKNOWN),
            "coverage": _known(Coverage, value.get("coverage"), Coverage.UNKNOWN),
        }
        return cls(**{**value, **judged})


_Word = TypeVar("_Word", bound=StrEnum)


def _known(kind: type[_Word], text: str | None, otherwise: _Word) -> _Word:
    return kind(text) if text in [str(one) for one in kind] else otherwise
