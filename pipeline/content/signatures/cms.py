"""CMS signatures and RFC 3161 time-stamps: integrity, signer, trust; what PDFs, XML and files of their own hold alike.

Runs inside workers of the pool.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from asn1crypto import cms, core, tsp, x509
from pyhanko.sign.general import match_issuer_serial
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import extract_self_reported_ts, validate_sig_integrity

from pipeline.content.signatures import certificates
from pipeline.content.signatures.certificates import Material, Roots, iso, line, words
from pipeline.signatures import Integrity, Signature, Trust

Digester = Callable[[str], bytes]
"""Gives the digest of the signed bytes by the name of an algorithm (hashlib's); raises Unjudged for an unknown one."""

MOST_SIGNERS: Final = 50
_STAMPS: Final = ("signature_time_stamp_token", "1.2.840.113549.1.9.16.2.14")


class Unjudged(Exception):
    """A signature cannot be verified; the text says why."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time-stamp: `time` stands only where it holds; `counts` where its authority is trusted too."""

    integrity: Integrity
    time: datetime | None
    trust: Trust
    authority: str
    why: str = ""

    @property
    def counts(self) -> bool:
        """Whether it proves that the signature was there at its time."""
        return self.time is not None and self.trust is Trust.TRUSTED

    @property
    def told(self) -> str:
        """One line about it."""
        state = f"{self.integrity}; {self.trust}; by {self.authority or 'nobody named'}"
        return line(f"{state}; {self.why}" if self.why else state)


def digester(data: bytes) -> Digester:
    """Digests of bytes in memory."""
    return lambda name: hashed(name, data)


def hashed(name: str, data: bytes) -> bytes:
    """Digest by an algorithm's name as ASN.1 has it."""
    return bytes(hasher(name, data).digest())


def hasher(name: str, data: bytes = b"") -> Any:
    """A running digest. Raises Unjudged for an algorithm that we do not have."""
    spelled = name.lower().replace("-", "_")
    spelled = spelled if spelled.startswith("sha3_") else spelled.replace("_", "")
    try:
        return hashlib.new(spelled, data, usedforsecurity=False)
    except (ValueError, TypeError):
        raise Unjudged(f"unknown digest algorithm {line(name)}") from None


def signed_data(der: bytes) -> cms.SignedData:
    """The SignedData of a ContentInfo; raises Unjudged."""
    try:
        outer = cms.ContentInfo.load(der)
        if outer["content_type"].native != "signed_data":
            raise Unjudged(f"CMS of type {line(outer['content_type'].native)}, no signed data")
        found = outer["content"]
        found["signer_infos"].native  # noqa: B018 - malformed parts raise here
    except Unjudged:
        raise
    except Exception as problem:
        raise Unjudged(f"no CMS signature that can be read: {words(problem)}") from None
    return found


def contained(of: cms.SignedData) -> bytes | None:
    """The content that a SignedData carries; None when it is detached."""
    held = of["encap_content_info"]["content"]
    if isinstance(held, core.Void) or held is None or held.native is None:
        return None
    if isinstance(held, core.OctetString | core.ParsableOctetString):
        return bytes(held)
    parsed = getattr(held, "parsed", None)
    return bytes(held.contents) if parsed is None else bytes(parsed.dump())


def material_of(of: cms.SignedData, more: Material | None = None) -> Material:
    """Certificates and revocation lists that it carries, behind those of its document."""
    found = Material() if more is None else Material(list(more.certificates), list(more.crls), list(more.ocsps))
    for one in list(of["certificates"])[: certificates.MOST]:
        if one.name == "certificate":
            found.certificate(one.chosen.untag().dump())
    lists = of["crls"]
    for each in list(lists)[: certificates.MOST] if not isinstance(lists, core.Void) else ():
        if each.name == "certificate_list":
            found.crl(each.chosen.untag().dump())
    return found


def signers(
    of: cms.SignedData, digest: Digester, roots: Roots, at: datetime, more: Material, form: str
) -> Iterator[Signature]:
    """Each signer of a SignedData, judged; coverage is left to who knows the file. Never raises on content."""
    infos = list(of["signer_infos"])
    if not infos:
        yield Signature(form=form, why="no signer")
    for info in infos[:MOST_SIGNERS]:
        try:
            yield signer(of, info, digest, roots, at, more, form)
        except Unjudged as problem:
            yield Signature(form=form, why=str(problem))
        except Exception as problem:
            yield Signature(form=form, why=f"the signature cannot be read: {words(problem)}")


def signer(
    of: cms.SignedData, info: cms.SignerInfo, digest: Digester, roots: Roots, at: datetime, more: Material, form: str
) -> Signature:
    """One signer: integrity, time-stamp, then trust at the time that counts. Raises Unjudged and what parsers raise."""
    known = material_of(of, more)
    _archived(info, known)
    certificate = _of(info, [*known.certificates, *roots.certificates])
    algorithm = str(info["digest_algorithm"]["algorithm"].native)
    base = Signature(
        form=form,
        method=method(info),
        claimed=iso(_claimed(info)),
        value=base64.b64encode(info["signature"].native).decode() if len(info["signature"].native) < 1 << 12 else "",
        **certificates.told(certificate),
    )
    if certificate is None:
        return replace(base, why="the certificate of the signer is not in the signature")
    integrity, why = _integrity(of, info, certificate, digest(algorithm))
    weak = tuple(certificates.weaknesses(algorithm, certificate, known.certificates))
    stamp = next(iter(sorted(_stamps(info, known, roots, at), key=lambda one: not one.counts)), None)
    when = stamp.time if stamp is not None and stamp.counts and stamp.time is not None else at
    chain = certificates.path(certificate, known, roots, when)
    return replace(
        base,
        integrity=integrity,
        trust=chain.trust,
        revocation=chain.revocation,
        why=line("; ".join(part for part in (why, chain.why) if part)),
        weak="; ".join(dict.fromkeys(weak)),
        stamped=iso(stamp.time) if stamp is not None else "",
        stamp=stamp.told if stamp is not None else "",
    )


def token(
    der_or_data: bytes | cms.SignedData, imprint: Digester, roots: Roots, at: datetime, more: Material
) -> tuple[Stamp, Signature]:
    """A time-stamp token over bytes: as a stamp and as a signature of its authority. Raises Unjudged."""
    of = signed_data(der_or_data) if isinstance(der_or_data, bytes) else der_or_data
    content = contained(of)
    info = next(iter(of["signer_infos"]), None)
    if content is None or info is None or of["encap_content_info"]["content_type"].native != "tst_info":
        raise Unjudged("no time-stamp token")
    told = tsp.TSTInfo.load(content)
    known = material_of(of, more)
    certificate = _of(info, known.certificates)
    algorithm = str(info["digest_algorithm"]["algorithm"].native)
    base = Signature(
        form="RFC 3161", method=method(info), **certificates.told(certificate),
        value=base64.b64encode(info["signature"].native).decode() if len(info["signature"].native) < 1 << 12 else "",
    )  # fmt: skip
    time = told["gen_time"].native
    if certificate is None:
        why = "the certificate of the authority is not in the time-stamp"
        return Stamp(Integrity.UNVERIFIABLE, None, Trust.UNKNOWN, "", why), replace(base, claimed=iso(time), why=why)
    integrity, why = _integrity(of, info, certificate, hashed(algorithm, content))
    stamped = told["message_imprint"]
    name = str(stamped["hash_algorithm"]["algorithm"].native)
    if integrity is Integrity.WHOLE and imprint(name) != stamped["hashed_message"].native:
        integrity, why = Integrity.CHANGED, "the time-stamp is about other bytes"
    chain = certificates.path(certificate, known, roots, at, stamps=True)
    holds = integrity is Integrity.WHOLE
    weak = [*certificates.weaknesses(name, None, ()), *certificates.weaknesses(algorithm, certificate, ())]
    why = line("; ".join(part for part in (why, chain.why) if part))
    stamp = Stamp(integrity, time if holds else None, chain.trust, base.signer, why)
    return stamp, replace(
        base, integrity=integrity, trust=chain.trust, revocation=chain.revocation, why=why, claimed=iso(time),
        stamped=iso(stamp.time), weak="; ".join(dict.fromkeys(weak)),
    )  # fmt: skip


def method(info: cms.SignerInfo) -> str:
    """Signature and digest algorithm in words."""
    algorithm = info["signature_algorithm"]
    digest = str(info["digest_algorithm"]["algorithm"].native).upper()
    try:
        scheme = str(algorithm.signature_algo)
    except ValueError:
        scheme = str(algorithm["algorithm"].native)
    named = {"rsassa_pkcs1v15": "RSASSA-PKCS1-v1_5", "rsassa_pss": "RSASSA-PSS", "ecdsa": "ECDSA", "dsa": "DSA"}
    return line(f"{named.get(scheme, scheme)} with {digest}")


def _integrity(
    of: cms.SignedData, info: cms.SignerInfo, certificate: x509.Certificate, digest: bytes
) -> tuple[Integrity, str]:
    kind = of["encap_content_info"]["content_type"].native
    try:
        intact, valid = validate_sig_integrity(info, certificate, kind, digest)
    except SignatureValidationError as problem:
        return Integrity.CHANGED, words(problem)
    except Exception as problem:  # algorithms and keys that the library does not know
        return Integrity.UNVERIFIABLE, f"the signature value cannot be verified: {words(problem)}"
    if not intact and info["signed_attrs"].native:
        return Integrity.CHANGED, "the digest of the content differs"
    if not valid:
        return Integrity.CHANGED, "the signature value does not hold"
    return Integrity.WHOLE, ""


def _of(info: cms.SignerInfo, known: list[x509.Certificate]) -> x509.Certificate | None:
    """The certificate that a SignerInfo names."""
    sid = info["sid"]
    for one in known:
        if sid.name == "issuer_and_serial_number":
            if match_issuer_serial(sid.chosen, one):
                return one
        elif one.key_identifier == sid.chosen.native:
            return one
    return None


def _attributes(attributes: Any, *kinds: str) -> Iterator[Any]:
    """Values of attributes of these types."""
    if isinstance(attributes, core.Void) or attributes is None:
        return
    for attribute in attributes:
        if attribute["type"].native in kinds:
            yield from attribute["values"]


def _stamps(info: cms.SignerInfo, known: Material, roots: Roots, at: datetime) -> Iterator[Stamp]:
    for value in list(_attributes(info["unsigned_attrs"], *_STAMPS))[:MOST_SIGNERS]:
        try:
            inner = value["content"] if isinstance(value, cms.ContentInfo) else signed_data(value.dump())
            yield token(inner, digester(info["signature"].native), roots, at, known)[0]
        except Unjudged as problem:
            yield Stamp(Integrity.UNVERIFIABLE, None, Trust.UNKNOWN, "", str(problem))
        except Exception as problem:
            yield Stamp(Integrity.UNVERIFIABLE, None, Trust.UNKNOWN, "", words(problem))


def _archived(info: cms.SignerInfo, into: Material) -> None:
    """Revocation answers that Adobe's programs put among the signed attributes."""
    for value in _attributes(info["signed_attrs"], "adobe_revocation_info_archival"):
        for kind, take in (("crl", into.crl), ("ocsp", into.ocsp)):
            held = value[kind]
            for one in () if isinstance(held, core.Void) else list(held)[: certificates.MOST]:
                take(one.untag().dump() if hasattr(one, "untag") else one.dump())


def _claimed(info: cms.SignerInfo) -> datetime | None:
    try:
        found: datetime | None = extract_self_reported_ts(info)
    except Exception:
        return None
    return found
