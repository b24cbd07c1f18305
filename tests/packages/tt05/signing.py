"""A CMS signature made by hand: one invented RSA key, one self-signed certificate, the same bytes on every run.

The key signs nothing but test files; nobody trusts it.
"""

from __future__ import annotations

import hashlib

SHA256 = "2.16.840.1.101.3.4.2.1"
RSA = "1.2.840.113549.1.1.1"
SHA256_RSA = "1.2.840.113549.1.1.11"
DATA, SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (
    "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
)  # fmt: skip
TST_INFO, TIME_STAMP = "1.2.840.113549.1.9.16.1.4", "1.2.840.113549.1.9.16.2.14"

E = 65537
P = int(
    "ce71d427dd32616ee86dbaa8f44a839f4235ee435f150368dec7f6ece59a9bb64e83c4736103043c989fab2143296a0a"
    "016e067ad0b3e156a83bee1319de2c2e6ab63f2eaaabb05543369cb9a061d2da3ae693d7cd37e9c4716e70887f9149b6"
    "1b3cf8668066a354b833237922efa09a6a36ff1f690da22f3ab065ceb36248d1",
    16,
)
Q = int(
    "be8b16560ab4a167de11c7310084e1934945904e6b838a730fcee2c7d8e2e333dcd61296c4633451b0f818e086edbc30"
    "ade62be3496007d0919316f7db7ba9115030086168a62404643d96c2ccaebb8d6108586785fab26d25e2f6aeefc0fd57"
    "124a540dd410cbbd38ab19cd281a7f5d0f26a59061abf5f2c91d648dca6badcd",
    16,
)
N = P * Q
D = pow(E, -1, (P - 1) * (Q - 1))


def der(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(size))) + size + body


def sequence(*content: bytes) -> bytes:
    return der(0x30, *content)


def a_set(*content: bytes) -> bytes:
    return der(0x31, *sorted(content))


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    body = bytearray((first * 40 + second,))
    for arc in rest:
        part = [arc & 0x7F]
        while arc := arc >> 7:
            part.append(arc & 0x7F | 0x80)
        body += bytes(reversed(part))
    return der(0x06, bytes(body))


def octets(content: bytes) -> bytes:
    return der(0x04, content)


def utc(text: str) -> bytes:
    return der(0x17, text.encode())


def algorithm(name: str) -> bytes:
    return sequence(oid(name), der(0x05))


def rsa(content: bytes) -> bytes:
    """PKCS #1 v1.5 over SHA-256."""
    info = sequence(algorithm(SHA256), octets(hashlib.sha256(content).digest()))
    size = (N.bit_length() + 7) // 8
    padded = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    return pow(int.from_bytes(padded), D, N).to_bytes(size)


NAME = sequence(a_set(sequence(oid("2.5.4.3"), der(0x0C, "Ủy ban nhân dân xã A (thử nghiệm)".encode()))))


def certificate() -> bytes:
    key = sequence(algorithm(RSA), der(0x03, b"\0", sequence(integer(N), integer(E))))
    body = sequence(
        der(0xA0, integer(2)), integer(99), algorithm(SHA256_RSA), NAME,
        sequence(utc("200101000000Z"), utc("491231235959Z")), NAME, key,
    )  # fmt: skip
    return sequence(body, algorithm(SHA256_RSA), der(0x03, b"\0", rsa(body)))


def attribute(name: str, value: bytes) -> bytes:
    return sequence(oid(name), a_set(value))


def signed(digest: bytes, kind: str = DATA, content: bytes | None = None, stamped: bool = False) -> bytes:
    """ContentInfo with SignedData over content of this SHA-256; detached unless `content` is given."""
    attributes = (
        attribute(CONTENT_TYPE, oid(kind)),
        attribute(SIGNING_TIME, utc("260101200405Z")),
        attribute(MESSAGE_DIGEST, octets(digest)),
    )
    signature = rsa(a_set(*attributes))
    unsigned = der(0xA1, attribute(TIME_STAMP, time_stamp(signature))) if stamped else b""
    signer = sequence(
        integer(1), sequence(NAME, integer(99)), algorithm(SHA256), der(0xA0, *sorted(attributes)),
        algorithm(RSA), octets(signature), unsigned,
    )  # fmt: skip
    inner = sequence(oid(kind), *([der(0xA0, octets(content))] if content is not None else []))
    body = sequence(
        integer(1 if kind == DATA else 3), a_set(algorithm(SHA256)), inner, der(0xA0, certificate()), a_set(signer)
    )
    return sequence(oid(SIGNED_DATA), der(0xA0, body))


def time_stamp(signature: bytes) -> bytes:
    """A time-stamp token (RFC 3161) of a signature value."""
    imprint = sequence(algorithm(SHA256), octets(hashlib.sha256(signature).digest()))
    info = sequence(integer(1), oid("1.2.3.4.1"), imprint, integer(1), der(0x18, b"20260101200406Z"))
    return signed(hashlib.sha256(info).digest(), TST_INFO, info)
