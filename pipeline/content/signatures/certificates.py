"""Whether a certificate led to a configured root at a given time, offline, and what is weak about its algorithms.

Runs inside workers of the pool: certificates and revocation lists are hostile.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from asn1crypto import core, crl, ocsp, x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import (
    AcceptAllAlgorithms,
    CertRevTrustPolicy,
    FreshnessReqType,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)

from pipeline.signatures import Trust

MOST: Final = 500
"""So many certificates or revocation answers of one kind are looked at."""

_PEM: Final = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----\n([A-Za-z0-9+/=\n]+)-----END ")
_WEAK_DIGESTS: Final = frozenset(("md2", "md4", "md5", "sha1", "sha0", "ripemd160"))
_LEAST_RSA: Final = 2048
_LEAST_EC: Final = 224
_SIGNING: Final = frozenset(("digital_signature", "non_repudiation"))
_PRINTABLE: Final = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_SHORT: Final = {
    "common_name": "CN", "organization_name": "O", "organizational_unit_name": "OU", "country_name": "C",
    "state_or_province_name": "ST", "locality_name": "L", "email_address": "E", "serial_number": "serialNumber",
    "user_id": "UID", "domain_component": "DC", "title": "T", "organization_identifier": "organizationIdentifier",
}  # fmt: skip
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class Roots:
    """What the archive trusts, and the moment of intake at which everything is judged."""

    moment: datetime
    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[crl.CertificateList, ...] = ()

    @classmethod
    def read(cls, data: bytes, moment: datetime) -> Roots:
        """The PEM blocks that the parent has gathered and knows to be whole."""
        certificates: list[x509.Certificate] = []
        lists: list[crl.CertificateList] = []
        for kind, text in _PEM.findall(data):
            der = base64.b64decode(text)
            if kind == b"CERTIFICATE":
                certificates.append(x509.Certificate.load(der))
            else:
                lists.append(crl.CertificateList.load(der))
        return cls(moment, tuple(certificates), tuple(lists))


@dataclass(slots=True)
class Material:
    """Certificates and revocation answers that came with a signature or its document."""

    certificates: list[x509.Certificate] = field(default_factory=list)
    crls: list[crl.CertificateList] = field(default_factory=list)
    ocsps: list[ocsp.OCSPResponse] = field(default_factory=list)

    def certificate(self, der: bytes) -> None:
        """Takes one in, if it is one."""
        if len(self.certificates) < MOST and (found := _loaded(x509.Certificate, der)) is not None:
            self.certificates.append(found)

    def crl(self, der: bytes) -> None:
        """Takes a revocation list in, if it is one."""
        if len(self.crls) < MOST and (found := _listed(der)) is not None:
            self.crls.append(found)

    def ocsp(self, der: bytes) -> None:
        """Takes an answer of OCSP in, if it is one."""
        if len(self.ocsps) < MOST and (found := _loaded(ocsp.OCSPResponse, der)) is not None:
            self.ocsps.append(found)

    def with_(self, certificates: Iterable[x509.Certificate]) -> Material:
        """The same with more certificates."""
        return Material([*self.certificates, *certificates][:MOST], self.crls, self.ocsps)


@dataclass(frozen=True, slots=True)
class Path:
    """What a certificate came to: `why` in English where it is not trusted, `revocation` known or not."""

    trust: Trust
    why: str = ""
    revocation: str = ""


def path(
    certificate: x509.Certificate, material: Material, roots: Roots, at: datetime, *, stamps: bool = False
) -> Path:
    """Whether it is to be trusted at this time; `stamps`: as the certificate of a time-stamping authority."""
    if not roots.certificates:
        return Path(Trust.NO_ROOTS)
    refused = _unfit(certificate, stamps)
    if refused:
        return Path(Trust.UNTRUSTED, refused)
    known = bool(material.crls or material.ocsps or roots.crls)
    last: Path | None = None
    for revocation, policy in _POLICIES if known else _POLICIES[-1:]:
        try:
            context = ValidationContext(
                trust_roots=list(roots.certificates), other_certs=material.certificates, moment=at,
                crls=[*roots.crls, *material.crls], ocsps=material.ocsps, allow_fetching=False,
                revinfo_policy=policy, algorithm_usage_policy=AcceptAllAlgorithms(),
            )  # fmt: skip
            asyncio.run(CertificateValidator(certificate, validation_context=context).async_validate_path())
            if policy is _STALE:
                continue  # an old answer proves that something was revoked, never that it was not
            return Path(Trust.TRUSTED, "", revocation)
        except RevokedError as problem:
            return Path(Trust.REVOKED, words(problem), "revoked")
        except (ExpiredError, NotYetValidError) as problem:
            last = Path(Trust.EXPIRED, words(problem))
        except (PathBuildingError, ValidationError) as problem:
            last = Path(Trust.UNTRUSTED, words(problem))
        except Exception as problem:  # malformed certificates raise what they like
            last = Path(Trust.UNTRUSTED, f"the certificate cannot be judged: {words(problem)}")
    assert last is not None
    return last


_ASKED: Final = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED
_FREE: Final = RevocationCheckingRule.NO_CHECK
_STALE: Final = CertRevTrustPolicy(
    RevocationCheckingPolicy(_ASKED, _FREE), timedelta(days=36_500), FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION
)
_POLICIES: Final = (
    ("not revoked", CertRevTrustPolicy(RevocationCheckingPolicy(_ASKED, _ASKED), retroactive_revinfo=True)),
    ("not revoked", CertRevTrustPolicy(RevocationCheckingPolicy(_ASKED, _FREE), retroactive_revinfo=True)),
    ("", _STALE),
    ("not known", CertRevTrustPolicy(RevocationCheckingPolicy(_FREE, _FREE))),
)
"""From asking for an answer about every certificate to asking for none; the first that is met counts."""


def _unfit(certificate: x509.Certificate, stamps: bool) -> str:
    """Why its own extensions say that it is for something else."""
    try:
        extended = certificate.extended_key_usage_value
        usage = certificate.key_usage_value
        if stamps:
            purposes = extended.native if extended is not None else []
            return "" if "time_stamping" in purposes else "the certificate is not for time-stamps"
        if usage is not None and _SIGNING.isdisjoint(usage.native):
            return "the certificate is not for signing"
    except (ValueError, TypeError, KeyError) as problem:
        return f"the certificate cannot be read: {words(problem)}"
    return ""


def told(certificate: x509.Certificate | None) -> dict[str, Any]:
    """Subject, issuer, serial number (hexadecimal), validity and the certificate itself, as a signature tells them."""
    if certificate is None:
        return {}
    try:
        validity = certificate["tbs_certificate"]["validity"]
        return {
            "signer": name(certificate.subject),
            "issuer": name(certificate.issuer),
            "serial": f"{certificate.serial_number:x}",
            "valid_from": iso(validity["not_before"].native),
            "valid_to": iso(validity["not_after"].native),
            "certificate": base64.b64encode(certificate.dump()).decode() if len(certificate.dump()) < 1 << 14 else "",
        }
    except (ValueError, TypeError, KeyError, OverflowError):
        return {}


def name(one: x509.Name) -> str:
    """A distinguished name on one line, most particular part first, in letters that XML can hold."""
    parts: list[str] = []
    try:
        for rdn in reversed(list(one.chosen)):
            for pair in rdn:
                kind = str(pair["type"].native)
                parts.append(f"{_SHORT.get(kind, kind)}={pair['value'].native}")
    except (ValueError, TypeError, KeyError):
        parts.append("unreadable")
    return line(", ".join(parts))


def line(text: object) -> str:
    """One line of at most 400 characters that XML can hold."""
    whole = str(text).encode("utf-8", "replace").decode()
    return " ".join(_PRINTABLE.sub(" ", whole).split())[:_LONGEST]


def words(problem: BaseException) -> str:
    """What an exception says, on one line; its kind where it says nothing."""
    return line(getattr(problem, "failure_message", None) or str(problem) or type(problem).__name__)


def iso(moment: datetime | None) -> str:
    """ISO 8601 in UTC; a time without zone is taken for UTC."""
    if moment is None:
        return ""
    whole = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return whole.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError):
        return ""


def weaknesses(digest: str, certificate: x509.Certificate | None, chain: Sequence[x509.Certificate]) -> Iterator[str]:
    """Algorithms of a signature and its certificates that are no longer to be relied on, in words."""
    if digest.lower().replace("-", "") in _WEAK_DIGESTS:
        yield f"digest {digest.upper()}"
    if certificate is None:
        return
    yield from key_weakness(certificate)
    for one in (certificate, *_issuers(certificate, chain)):
        try:
            algorithm = one["signature_algorithm"].hash_algo
        except (ValueError, KeyError):
            continue
        if algorithm in _WEAK_DIGESTS and one.self_signed == "no":
            yield f"certificate {name(one.subject)} signed with {algorithm.upper()}"


def key_weakness(certificate: x509.Certificate) -> Iterator[str]:
    """The key of a certificate, where it is too short."""
    try:
        key = load_der_public_key(certificate.public_key.dump())
    except Exception:
        return
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and key.key_size < _LEAST_RSA:
        yield f"{'RSA' if isinstance(key, rsa.RSAPublicKey) else 'DSA'} key of {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _LEAST_EC:
        yield f"elliptic curve key of {key.key_size} bits"


def _issuers(certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
    seen: set[bytes] = set()
    here = certificate
    for _ in range(10):
        above = next((one for one in chain if one.subject == here.issuer and one.dump() not in seen), None)
        if above is None or above is here:
            return
        seen.add(above.dump())
        yield above
        here = above


def _listed(der: bytes) -> crl.CertificateList | None:
    """A revocation list whose head can be read; its entries are many, and read when they are asked."""
    try:
        found = crl.CertificateList.load(der, strict=True)
        found["tbs_cert_list"]["issuer"].native  # noqa: B018
        found["tbs_cert_list"]["this_update"].native  # noqa: B018
    except Exception:
        return None
    return found


def _loaded(kind: type[core.Asn1Value], der: bytes) -> Any:
    try:
        found = kind.load(der, strict=True)
        found.native  # noqa: B018 - everything in it can be read
    except Exception:
        return None
    return found
