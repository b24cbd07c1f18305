"""A throw-away authority: root, issuing certificate, signers good and bad, revocation list, time-stamps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign import signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

BORN = datetime(2020, 1, 1, tzinfo=UTC)
DIES = datetime(2040, 1, 1, tzinfo=UTC)
MOMENT = datetime(2026, 6, 1, tzinfo=UTC)
"""When everything is judged."""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def asn1(self) -> Any:
        return asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))

    @property
    def asn1_key(self) -> Any:
        data = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return asn1_keys.PrivateKeyInfo.load(data)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def holder(
    name: str, issuer: Holder | None, *, ca: bool = False, born: datetime = BORN, dies: datetime = DIES,
    stamps: bool = False, key: Key | None = None, digest: hashes.SHA256 | None = None, signs: bool = True,
) -> Holder:  # fmt: skip
    """A certificate of this authority, or a self-signed one."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cơ quan Thử"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(born)
        .not_valid_after(dies)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(_usage(ca, signs), critical=True)
    )
    if stamps:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return Holder(made.sign(issuer.key if issuer else own, digest or hashes.SHA256()), own)


def _usage(ca: bool, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs and not ca, content_commitment=signs and not ca, key_encipherment=not signs,
        data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Authority:
    """Everything that tests sign with."""

    root: Holder
    issuing: Holder
    good: Holder
    second: Holder
    expired: Holder
    revoked: Holder
    alone: Holder
    unfit: Holder
    weak: Holder
    tsa: Holder
    crl: bytes
    stranger: Holder

    @property
    def chain(self) -> list[Any]:
        return [self.issuing.asn1]

    def signer(self, who: Holder) -> signers.SimpleSigner:
        """pyHanko's signer for one of them."""
        return signers.SimpleSigner(signing_cert=who.asn1, signing_key=who.asn1_key, cert_registry=_store(self.chain))

    def stamper(self, when: datetime, tsa: Holder | None = None) -> DummyTimeStamper:
        """A time-stamping authority whose clock stands."""
        who = tsa or self.tsa
        return DummyTimeStamper(who.asn1, who.asn1_key, certs_to_embed=_store(self.chain), fixed_dt=when)

    @property
    def revocations(self) -> Any:
        return asn1_crl.CertificateList.load(self.crl)

    @property
    def pem(self) -> bytes:
        """What an archive trusts."""
        return self.root.pem


def _store(certificates: list[Any]) -> Any:
    made: Any = SimpleCertificateStore
    store = made()
    store.register_multiple(certificates)
    return store


@cache
def authority() -> Authority:
    """One for the whole run: keys take time."""
    root = holder("Gốc Thử", None, ca=True)
    issuing = holder("CA Thử", root, ca=True)
    revoked = holder("Bị Thu Hồi", issuing)
    ended = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuing.certificate.subject)
        .last_update(datetime(2026, 5, 1, tzinfo=UTC))
        .next_update(datetime(2030, 5, 1, tzinfo=UTC))
        .add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(revoked.certificate.serial_number)
            .revocation_date(datetime(2026, 1, 15, tzinfo=UTC))
            .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            .build()
        )
        .sign(issuing.key, hashes.SHA256())
    )
    return Authority(
        root=root,
        issuing=issuing,
        good=holder("Nguyễn Văn Tốt", issuing),
        second=holder("Trần Thị Hai", issuing),
        expired=holder("Hết Hạn", issuing, dies=BORN + timedelta(days=365)),
        revoked=revoked,
        alone=holder("Tự Ký", None),
        unfit=holder("Không Để Ký", issuing, signs=False),
        weak=holder("Yếu", issuing, key=rsa.generate_private_key(65537, 1024)),
        tsa=holder("Dấu Thời Gian", issuing, stamps=True, key=rsa.generate_private_key(65537, 2048)),
        crl=ended.public_bytes(Encoding.DER),
        stranger=holder(
            "Người Lạ", holder("Gốc Lạ", None, ca=True), key=rsa.generate_private_key(65537, 2048), stamps=True
        ),
    )
