"""Whether a CMS signature still holds for bytes: integrity alone, no chain of certificates (RFC 5652, RFC 3161).

Runs inside the workers of the pool: what is read here is hostile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

Digester = Callable[[str], bytes | None]
"""Gives the digest of the signed bytes by the name of an algorithm (hashlib's); None when they cannot be read."""

_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TIME_STAMP_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_TIME_STAMP: Final = "1.2.840.113549.1.9.16.2.14"
_PSS: Final = "1.2.840.113549.1.1.10"
_DIGESTS: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_SEQUENCE, _SET, _INTEGER, _OCTETS, _OID = 0x30, 0x31, 0x02, 0x04, 0x06
_MOST_PARTS = 10_000


class Malformed(Exception):
    """The bytes are no CMS signature as we read it."""


class Unsupported(Exception):
    """A well-formed signature whose algorithm or encoding we do not judge."""


@dataclass(frozen=True, slots=True)
class Judged:
    """`intact`: content and signature value hold; None when that could not be judged, `why` says what stood in the way.

    `stamped`: it carries a time-stamp token. `self_signed`: the certificate of the signer issued itself.
    """

    intact: bool | None
    stamped: bool = False
    self_signed: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """One value of DER: `tag` with its class, content from `start` to `end`; the whole begins at `at`."""

    tag: int
    at: int
    start: int
    end: int


def judge(contents: bytes, digest: Digester, *, time_stamp: bool = False) -> Judged:
    """Judges a detached signature, or, `time_stamp`, a document time-stamp. Never raises on content.

    `contents` may be followed by zero bytes, as in a PDF.
    """
    try:
        return _judged(contents, digest, time_stamp)
    except Malformed as problem:
        return Judged(False, why=str(problem))
    except (StopIteration, IndexError):
        return Judged(False, why="DER ends early")
    except Unsupported as problem:
        return Judged(None, why=str(problem))
    except (ValueError, UnsupportedAlgorithm):  # a certificate that cannot be read is found out when it is asked
        return Judged(None, why="the certificate of the signer cannot be read")


def _judged(data: bytes, digest: Digester, time_stamp: bool) -> Judged:
    outer = list(_inside(data, _whole(data, _SEQUENCE)))
    if len(outer) < 2 or _oid(data, outer[0]) != _SIGNED_DATA:
        raise Malformed("no SignedData")
    signed = list(_inside(data, next(_inside(data, outer[1]))))
    if len(signed) < 4:
        raise Malformed("SignedData is not whole")
    certificates = next((part for part in signed if part.tag == 0xA0), None)
    signers = [part for part in signed if part.tag == _SET][-1:]
    signer = next(_inside(data, signers[0]), None) if len(signed) > 3 and signers else None
    if signer is None:
        raise Malformed("no SignerInfo")
    content = _content(data, signed[2])
    return _signer(data, signer, _certificates(data, certificates), content, digest, time_stamp)


def _signer(
    data: bytes,
    signer: _Part,
    certificates: list[x509.Certificate],
    content: bytes | None,
    digest: Digester,
    time_stamp: bool,
) -> Judged:
    parts = list(_inside(data, signer))
    if len(parts) < 5:
        raise Malformed("SignerInfo is not whole")
    name = _algorithm(data, parts[2])
    attributes = next((part for part in parts if part.tag == 0xA0), None)
    after = parts.index(attributes) + 1 if attributes is not None else 3
    if len(parts) < after + 2 or parts[after + 1].tag != _OCTETS:
        raise Malformed("SignerInfo has no signature")
    signature = data[parts[after + 1].start : parts[after + 1].end]
    unsigned = next((part for part in parts[after + 2 :] if part.tag == 0xA1), None)
    stamped = unsigned is not None and _TIME_STAMP in dict(_attributes(data, unsigned))
    certificate = _of_signer(data, parts[1], certificates)
    own = certificate.issuer == certificate.subject
    if content is None:
        actual = digest(name)
        if actual is None:
            return Judged(False, stamped, own, "the signed bytes are not in the file")
    else:
        actual = hashlib.new(name, content, usedforsecurity=False).digest()
        if not _speaks_of(content, digest, time_stamp):
            return Judged(False, stamped, own, "the digest of the content differs")
    if attributes is None:
        held = _verifies(certificate, data, parts[after], signature, name, actual)
        return Judged(held, stamped, own, "" if held else "the signature value does not hold")
    told = dict(_attributes(data, attributes)).get(_MESSAGE_DIGEST)
    if told is None or told != actual:
        return Judged(False, stamped, own, "the digest of the content differs")
    # Signed are the attributes as a SET, though they stand there with another tag (RFC 5652, 5.4).
    signed = b"\x31" + data[attributes.at + 1 : attributes.end]
    value = hashlib.new(name, signed, usedforsecurity=False).digest()
    held = _verifies(certificate, data, parts[after], signature, name, value)
    return Judged(held, stamped, own, "" if held else "the signature value does not hold")


def _speaks_of(content: bytes, digest: Digester, time_stamp: bool) -> bool:
    """Whether content that the signature carries itself is about the signed bytes."""
    if not time_stamp:  # adbe.pkcs7.sha1: the content is the SHA-1 of the bytes
        return content == digest("sha1")
    parts = list(_inside(content, _whole(content, _SEQUENCE)))
    imprint = list(_inside(content, parts[2])) if len(parts) > 2 else []
    if len(imprint) < 2:
        raise Malformed("the time-stamp has no imprint")
    return content[imprint[1].start : imprint[1].end] == digest(_algorithm(content, imprint[0]))


def _verifies(
    certificate: x509.Certificate, data: bytes, algorithm: _Part, signature: bytes, name: str, digest: bytes
) -> bool:
    key = certificate.public_key()
    prehashed = Prehashed(_HASHES[name])
    try:
        if isinstance(key, rsa.RSAPublicKey):
            how: padding.AsymmetricPadding = padding.PKCS1v15()
            if _oid(data, next(_inside(data, algorithm))) == _PSS:
                how = padding.PSS(padding.MGF1(_HASHES[name]), padding.PSS.AUTO)
            key.verify(signature, digest, how, prehashed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(prehashed))
        else:
            raise Unsupported(f"key of type {type(key).__name__}")
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, ValueError) as problem:
        raise Unsupported(str(problem)) from None
    return True


def _certificates(data: bytes, part: _Part | None) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    for one in _inside(data, part) if part is not None else ():
        if one.tag == _SEQUENCE:
            try:
                found.append(x509.load_der_x509_certificate(data[one.at : one.end]))
            except (ValueError, UnsupportedAlgorithm):
                continue
    return found


def _of_signer(data: bytes, identifier: _Part, certificates: list[x509.Certificate]) -> x509.Certificate:
    """The certificate that SignerInfo names, by serial number or by key identifier."""
    if identifier.tag == _SEQUENCE:
        parts = list(_inside(data, identifier))
        serial = int.from_bytes(data[parts[-1].start : parts[-1].end], signed=True) if parts else None
        found = [one for one in certificates if one.serial_number == serial]
    else:
        wanted = data[identifier.start : identifier.end]
        found = [one for one in certificates if _key_identifier(one) == wanted]
    if not found:
        raise Unsupported("the certificate of the signer is not in the signature")
    return found[0]


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None


def _content(data: bytes, part: _Part) -> bytes | None:
    """What EncapsulatedContentInfo carries; None when the signature is detached."""
    inner = list(_inside(data, part))
    if len(inner) < 2:
        return None
    held = next(_inside(data, inner[1]), None)
    if held is None or held.tag != _OCTETS:
        raise Unsupported("content is not one octet string")
    return data[held.start : held.end] if held.end > held.start or _oid(data, inner[0]) == _TIME_STAMP_INFO else None


def _attributes(data: bytes, part: _Part) -> Iterator[tuple[str, bytes]]:
    """(type, content of the first value) of each attribute."""
    for one in _inside(data, part):
        pair = list(_inside(data, one))
        if len(pair) > 1:
            value = next(_inside(data, pair[1]), None)
            if value is not None:
                yield _oid(data, pair[0]), data[value.start : value.end]


def _algorithm(data: bytes, part: _Part) -> str:
    """Name of a digest algorithm as hashlib has it."""
    oid = _oid(data, next(_inside(data, part), part))
    if oid not in _DIGESTS:
        raise Unsupported(f"digest algorithm {oid}")
    return _DIGESTS[oid]


def _oid(data: bytes, part: _Part) -> str:
    if part.tag != _OID or part.end == part.start or part.end - part.start > 64:
        raise Malformed("no object identifier")
    arcs: list[int] = []
    value = 0
    for byte in data[part.start : part.end]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    if not arcs:
        raise Malformed("no object identifier")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _whole(data: bytes, tag: int) -> _Part:
    found = _part(data, 0, len(data))
    if found.tag != tag:
        raise Malformed("no DER")
    return found


def _inside(data: bytes, part: _Part) -> Iterator[_Part]:
    at, count = part.start, 0
    while at < part.end:
        found = _part(data, at, part.end)
        yield found
        at, count = found.end, count + 1
        if count > _MOST_PARTS:
            raise Malformed("too many parts")


def _part(data: bytes, at: int, most: int) -> _Part:
    if at + 2 > most:
        raise Malformed("DER ends early")
    tag, length, start = data[at], data[at + 1], at + 2
    if length == 0x80:
        raise Unsupported("indefinite length")
    if length > 0x80:
        count = length & 0x7F
        if count > 4 or start + count > most:
            raise Malformed("DER ends early")
        length = int.from_bytes(data[start : start + count])
        start += count
    if start + length > most:
        raise Malformed("DER ends early")
    return _Part(tag, at, start, start + length)
