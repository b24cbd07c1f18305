"""Roots of trust and revocation lists that an archive names in its settings."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pipeline.errors import UsageProblem

_ENDINGS: Final = frozenset((".pem", ".crt", ".cer", ".der", ".crl"))
_LONGEST: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Trusted:
    """What is trusted: `pem` in an order of content, how many roots and lists, and the digest of them all."""

    pem: bytes = b""
    roots: int = 0
    lists: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the PEM; empty when nothing is trusted."""
        return hashlib.sha256(self.pem).hexdigest() if self.pem else ""

    @property
    def told(self) -> str:
        """In words, for the record."""
        if not self.pem:
            return "none"
        return f"{self.roots} roots, {self.lists} revocation lists, SHA-256 {self.digest}"


def read(paths: Iterable[str], base: Path) -> Trusted:
    """Certificates and CRLs, PEM or DER, from these files and folders; relative ones lie below `base`.

    Of a folder the files that end in .pem, .crt, .cer, .der or .crl. UsageProblem names a file that holds neither.
    """
    certificates: set[bytes] = set()
    lists: set[bytes] = set()
    for path in paths:
        for file in _files(base / path):
            found = 0
            for kind, der in _parts(file):
                found += 1
                (certificates if kind == "CERTIFICATE" else lists).add(der)
            if not found:
                raise UsageProblem("USE-TRUST", file=file, cause="PEM, DER")
    blocks = [("CERTIFICATE", one) for one in sorted(certificates)] + [("X509 CRL", one) for one in sorted(lists)]
    return Trusted(b"".join(_pem(kind, der) for kind, der in blocks), len(certificates), len(lists))


def _files(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            return sorted(one for one in path.iterdir() if one.is_file() and one.suffix.lower() in _ENDINGS)
        if not path.is_file() or path.stat().st_size > _LONGEST:
            raise UsageProblem("USE-TRUST", file=path, cause="-")
    except OSError as problem:
        raise UsageProblem("USE-TRUST", file=path, cause=problem.strerror or problem) from None
    return [path]


def _parts(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        data = file.read_bytes()
        if b"-----BEGIN CERTIFICATE-----" in data:
            for one in x509.load_pem_x509_certificates(data):
                yield "CERTIFICATE", one.public_bytes(Encoding.DER)
        if b"-----BEGIN X509 CRL-----" in data:
            for block in data.split(b"-----BEGIN X509 CRL-----")[1:]:
                crl = x509.load_pem_x509_crl(b"-----BEGIN X509 CRL-----" + block)
                yield "X509 CRL", crl.public_bytes(Encoding.DER)
        if data[:1] == b"\x30":
            try:
                yield "CERTIFICATE", x509.load_der_x509_certificate(data).public_bytes(Encoding.DER)
            except ValueError:
                yield "X509 CRL", x509.load_der_x509_crl(data).public_bytes(Encoding.DER)
    except OSError as problem:
        raise UsageProblem("USE-TRUST", file=file, cause=problem.strerror or problem) from None
    except ValueError as problem:
        raise UsageProblem("USE-TRUST", file=file, cause=problem) from None


def _pem(kind: str, der: bytes) -> bytes:
    text = base64.encodebytes(der).replace(b"\n", b"")
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (kind.encode(), lines, kind.encode())
