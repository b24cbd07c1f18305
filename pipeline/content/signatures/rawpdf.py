"""Signatures of PDFs that a strict reader cannot follow: found by qpdf, judged by their bytes, later changes left open.

Runs inside workers of the pool.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final, cast

import pikepdf
from asn1crypto import core, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pipeline.content.signatures import certificates, cms
from pipeline.content.signatures.certificates import Material, Roots, line, words
from pipeline.content.signatures.cms import Unjudged
from pipeline.signatures import Coverage, Integrity, Signature

MOST: Final = 100
_OBJECTS: Final = 200_000
_RAW: Final = "/adbe.x509.rsa_sha1"


@dataclass(frozen=True, slots=True)
class Raw:
    """A signature dictionary: SubFilter, byte range, value, certificates beside it."""

    form: str
    spans: tuple[int, ...]
    contents: bytes
    certificates: tuple[bytes, ...] = ()


def found(source: BinaryIO) -> list[Raw]:
    """Every signature dictionary of the file, by the end of what it covers; nothing where qpdf cannot read it."""
    source.seek(0)
    held: list[Raw] = []
    try:
        with pikepdf.open(source, suppress_warnings=True, access_mode=pikepdf.AccessMode.stream) as document:
            for number, one in enumerate(document.objects):
                if number > _OBJECTS or len(held) >= MOST:
                    break
                raw = _raw(one)
                if raw is not None:
                    held.append(raw)
    except MemoryError:
        raise
    except Exception:  # a password, damage: what was seen before counts
        return held
    return sorted(held, key=lambda raw: sum(raw.spans[2:]))


def _raw(one: Any) -> Raw | None:
    if not isinstance(one, pikepdf.Dictionary) or "/ByteRange" not in one or "/Contents" not in one:
        return None
    try:
        spans = tuple(int(number) for number in cast(Any, one["/ByteRange"]))
        listed = one.get("/Cert")
        several = list(cast(Any, listed)) if isinstance(listed, pikepdf.Array) else [listed]
        ders = tuple(bytes(cast(Any, each)) for each in several if isinstance(each, pikepdf.String))
        return Raw(str(one.get("/SubFilter", "")), spans, bytes(cast(Any, one["/Contents"])), ders)
    except (ValueError, TypeError, pikepdf.PdfError):
        return None


def judge(raw: Raw, digest: cms.Digester, roots: Roots, gap: Callable[[bytes], str], size: int) -> list[Signature]:
    """The signers of one in a file of `size` bytes. Never raises on content.

    `gap` says why the byte range leaves out more than the value of the signature.
    """
    form = f"PDF, {line(raw.form.removeprefix('/')) or 'unknown'}"
    missing = gap(raw.contents)
    complete = not missing and sum(raw.spans[2:]) == size
    coverage = Coverage.PART if missing else Coverage.FILE if complete else Coverage.UNKNOWN
    covered = missing or ("" if complete else "what came later was not compared: the document is damaged")
    try:
        if raw.form == _RAW:
            signers = [_bare(raw, digest, roots, form)]
        elif raw.form == "/ETSI.RFC3161":
            signers = [replace(cms.token(raw.contents, digest, roots, roots.moment, Material())[1], form=form)]
        else:
            of = cms.signed_data(raw.contents)
            held = cms.contained(of)
            if held is not None and held != digest("sha1"):
                signers = [Signature(form, Integrity.CHANGED, why="the digest of the content differs")]
            else:
                about = digest if held is None else cms.digester(held)
                signers = list(cms.signers(of, about, roots, roots.moment, Material(), form))
    except Unjudged as problem:
        signers = [Signature(form=form, why=str(problem))]
    except MemoryError:
        raise
    except Exception as problem:
        signers = [Signature(form=form, why=f"the signature cannot be read: {words(problem)}")]
    return [replace(one, coverage=coverage, covered=covered) for one in signers]


def _bare(raw: Raw, digest: cms.Digester, roots: Roots, form: str) -> Signature:
    """adbe.x509.rsa_sha1: a PKCS #1 value beside its certificates (ISO 32000-1, 12.8.3.2)."""
    material = Material()
    for der in raw.certificates:
        material.certificate(der)
    if not material.certificates:
        raise Unjudged("no certificate of the signer")
    signer: x509.Certificate = material.certificates[0]
    key = load_der_public_key(signer.public_key.dump())
    if not isinstance(key, rsa.RSAPublicKey):
        raise Unjudged("the key is not RSA")
    value = core.OctetString.load(raw.contents).native
    told = Signature(
        form=form, value=base64.b64encode(value).decode() if len(value) < 1 << 12 else "", **certificates.told(signer)
    )
    chain = certificates.path(signer, material, roots, roots.moment)
    told = replace(told, trust=chain.trust, revocation=chain.revocation, why=chain.why)
    for name, algorithm in (("sha1", hashes.SHA1()), ("sha256", hashes.SHA256()), ("sha512", hashes.SHA512())):
        try:
            key.verify(value, digest(name), padding.PKCS1v15(), Prehashed(algorithm))
        except InvalidSignature:
            continue
        weak = "; ".join(certificates.weaknesses(name, signer, material.certificates))
        method = f"RSASSA-PKCS1-v1_5 with {name.upper()}"
        return replace(told, integrity=Integrity.WHOLE, method=method, weak=weak)
    why = "; ".join(part for part in ("the signature value does not hold", chain.why) if part)
    return replace(told, integrity=Integrity.CHANGED, why=line(why))
